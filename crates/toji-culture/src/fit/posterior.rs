//! What a fit leaves open: the normal distribution of the unknowns around the best point, by the curvature there
//! (Laplace's approximation; Gauss and Newton's curvature, as in the descent).

use super::Effort;
use super::descend::{Descent, descend};
use super::landscape::Scale;
use super::problem::{Problem, Sought};
use crate::linear::{Cholesky, Matrix};
use toji_core::Result;

/// An unknown as a posterior knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Uncertain {
    /// Name, with its group where it has its own.
    pub name: String,
    /// Place among the parameters as they were given.
    pub parameter: usize,
    /// Group it belongs to; none: shared by all runs.
    pub group: Option<String>,
    /// Place among the constants of the system.
    pub constant: usize,
    /// Scale of the search.
    pub scale: Scale,
    /// Least and greatest, on the scale of the search.
    pub bounds: (f64, f64),
}

impl Uncertain {
    /// From the scale of the search, kept within the bounds, to the value of the constant.
    #[must_use]
    pub fn outward(&self, searched: f64) -> f64 {
        let searched = searched.clamp(self.bounds.0, self.bounds.1);
        if self.scale == Scale::Log { libm::exp(searched) } else { searched }
    }
}

/// The unknowns around the best point.
#[derive(Debug, Clone)]
pub struct Posterior {
    /// Unknowns.
    pub unknowns: Vec<Uncertain>,
    /// Best point, on the scale of the search.
    pub at: Vec<f64>,
    /// Covariance on the same scale.
    pub covariance: Matrix,
    /// Estimated standard deviations of sensors, for the readings less the unknowns.
    pub spreads: Vec<(String, f64)>,
    /// −2 ln L at the best point.
    pub minus_two_log: f64,
    /// Did the descent end because nothing fell any more?
    pub converged: bool,
}

impl Problem<'_> {
    /// The posterior by the best of descents from `starts` points; no profiles are made.
    ///
    /// # Errors
    /// No start could be simulated, or the curvature is no number.
    pub fn posterior(&self, starts: usize, seed: u64) -> Result<Posterior> {
        let effort = Effort { starts, hops: 0, seed, profiles: false };
        let (best, _) = super::best(self, effort, &|_| Ok(()))?;
        self.around(&best)
    }

    /// The posterior by one descent from a point on the scale of the search: from a fit of nearly the same data.
    ///
    /// # Errors
    /// As [`Problem::posterior`].
    pub fn posterior_from(&self, from: &[f64]) -> Result<Posterior> {
        let start: Vec<f64> =
            self.unknowns.iter().zip(from).map(|(u, x)| x.clamp(u.unknown.bounds().0, u.unknown.bounds().1)).collect();
        let descent = descend(self, &start, &[])?;
        self.around(&descent)
    }

    /// Where the search over an unknown may begin when nothing is known: its prior's mean, else the middle of its bounds.
    #[must_use]
    pub fn middle(&self) -> Vec<f64> {
        let middle = |u: &Sought| u.prior.map_or(0.5 * (u.unknown.bounds().0 + u.unknown.bounds().1), |p| p.mean);
        self.unknowns.iter().map(middle).collect()
    }

    fn around(&self, best: &Descent) -> Result<Posterior> {
        let n = self.unknowns.len();
        let mut precision = Matrix::from_fn(n, n, |i, j| best.local.curvature[i * n + j]);
        let mut free = 0usize;
        for (i, unknown) in self.unknowns.iter().enumerate() {
            if unknown.prior.is_none() {
                // Nothing is known but the bounds: the variance of a uniform distribution over them.
                let (low, high) = unknown.unknown.bounds();
                let width = high - low;
                precision[(i, i)] += 12.0 / (width * width);
                free += 1;
            }
        }
        let covariance = Cholesky::new(&precision)?.inverse();
        let readings: usize = self.runs.iter().map(|r| r.measured.len()).sum();
        let left = if readings > free { (readings as f64 / (readings - free) as f64).sqrt() } else { 1.0 };
        Ok(Posterior {
            unknowns: self
                .unknowns
                .iter()
                .map(|u| Uncertain {
                    name: u.unknown.name.clone(),
                    parameter: u.parameter,
                    group: u.group.clone(),
                    constant: u.constant,
                    scale: u.unknown.scale,
                    bounds: u.unknown.bounds(),
                })
                .collect(),
            at: best.at.clone(),
            covariance,
            spreads: self.noises.iter().cloned().zip(best.local.spreads.iter().map(|s| s * left)).collect(),
            minus_two_log: best.local.minus_two_log,
            converged: best.converged,
        })
    }
}
