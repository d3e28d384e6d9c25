//! The most probable settings of a Gaussian process, searched from several starts.

use super::kernel::Kernel;
use super::likelihood::{Hyper, check, shared_out};
use super::model::{Gp, noise_share};
use super::prior::{Belief, NOISE_OF_RUNS, Priors};
use crate::linear::Matrix;
use crate::optimise::{Limits, Sobol, minimise};
use libm::{exp, log as ln};
use serde::{Deserialize, Serialize};
use toji_core::{Category, Error, Result};

/// Runs: points in rows, each factor between 0 and 1, and their values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Data {
    /// Points, one a row. Replicates are rows that are the same.
    pub x: Matrix,
    /// Values.
    pub y: Vec<f64>,
    /// Variance of single values that is known and comes on top of the estimated noise; empty where none is.
    pub known: Vec<f64>,
}

/// What is done about the mean.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mean {
    /// Estimated with the rest.
    #[default]
    Estimated,
    /// As given, in the scale of the data.
    Fixed(f64),
}

/// How a fit is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Settings {
    /// Form of the covariance.
    pub kernel: Kernel,
    /// Beliefs; those of [`Priors::of_factors`] where nothing is given.
    pub priors: Option<Priors>,
    /// Mean.
    pub mean: Mean,
    /// Least noise, as a share of the variance of the values.
    pub noise_min: f64,
    /// Starts of the search.
    pub starts: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { kernel: Kernel::Matern52, priors: None, mean: Mean::Estimated, noise_min: 1e-6, starts: 4 }
    }
}

/// Bounds of the logarithms of length and variance in the scale of the fit, and of the mean.
const LENGTH: (f64, f64) = (0.02, 300.0);
const VARIANCE: (f64, f64) = (1e-3, 1e3);
const NOISE_MAX: f64 = 4.0;
const MEAN_MAX: f64 = 5.0;

impl Gp {
    /// Fits to data. The rows are brought into an order of their own first, so that the order in which runs were
    /// made changes no bit of the result; the same data, settings and seed give the same model.
    ///
    /// # Errors
    /// Data that do not fit together or are not finite, or a covariance that cannot be factored from any start.
    pub fn fit(data: &Data, settings: &Settings, seed: u64) -> Result<Self> {
        let posed = Posed::new(data, settings)?;
        let best = posed.most_probable(settings.starts.max(1), seed)?;
        posed.at(&best)
    }
}

/// Data in the scale of the fit, and what is sought of them: logarithms of the lengths, of the variance and of the noise,
/// and the mean.
pub(super) struct Posed {
    kernel: Kernel,
    x: Matrix,
    y: Vec<f64>,
    known: Vec<f64>,
    priors: Priors,
    /// Were the beliefs given?
    given: bool,
    /// Where the noise grows with the value: what that of each is multiplied by, and the level at which it is 1.
    shares: Vec<f64>,
    level: Option<f64>,
    shift: f64,
    scale: f64,
    /// Bounds of what is sought.
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
}

impl Posed {
    /// The rows in an order of their own, the values with mean 0 and variance 1.
    pub(super) fn new(data: &Data, settings: &Settings) -> Result<Self> {
        let d = data.x.columns();
        check(&data.x, &data.y, &data.known, d)?;
        let data = sorted(data);
        let n = data.y.len() as f64;
        let shift = data.y.iter().sum::<f64>() / n;
        let sd = (data.y.iter().map(|y| (y - shift) * (y - shift)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
        let scale = if sd > 1e-12 * shift.abs().max(f64::MIN_POSITIVE) { sd } else { shift.abs().max(1.0) };
        let y: Vec<f64> = data.y.iter().map(|y| (y - shift) / scale).collect();
        let known: Vec<f64> = data.known.iter().map(|v| v / (scale * scale)).collect();
        let mut low = vec![ln(LENGTH.0); d];
        let mut high = vec![ln(LENGTH.1); d];
        let noise_min = settings.noise_min.clamp(1e-9, 1.0);
        let mean = match settings.mean {
            Mean::Estimated => (-MEAN_MAX, MEAN_MAX),
            Mean::Fixed(mean) => ((mean - shift) / scale, (mean - shift) / scale),
        };
        for (l, h) in [(ln(VARIANCE.0), ln(VARIANCE.1)), (ln(noise_min), ln(NOISE_MAX)), mean] {
            low.push(l);
            high.push(h);
        }
        let priors = settings.priors.unwrap_or_else(|| Priors::of_factors(d));
        Ok(Self {
            kernel: settings.kernel,
            x: data.x,
            y,
            known,
            priors,
            given: settings.priors.is_some(),
            shares: Vec::new(),
            level: None,
            shift,
            scale,
            low,
            high,
        })
    }
    /// The same data with noise whose standard deviation grows with the value, as a process says the values are. Nothing
    /// where these are not all of one sign.
    pub(super) fn growing(self, by: &Gp) -> Option<Self> {
        let means: Vec<f64> = (0..self.y.len()).map(|i| by.predict(self.x.row(i)).mean).collect();
        let level = means.iter().sum::<f64>() / means.len() as f64;
        let values = self.y.iter().map(|y| self.shift + self.scale * y);
        if level == 0.0 || !means.iter().copied().chain(values).all(|v| v / level > 0.0) {
            return None;
        }
        Some(Self { shares: means.iter().map(|m| noise_share(*m, level)).collect(), level: Some(level), ..self })
    }
    fn factors(&self) -> usize {
        self.x.columns()
    }
    /// Minus the logarithm of the density after the data, of lengths, variance and noise themselves, and its gradient by
    /// what is sought.
    pub(super) fn objective(&self, p: &[f64], gradient: &mut [f64]) -> f64 {
        let d = self.factors();
        let Ok(found) = shared_out(self.kernel, &self.x, &self.y, &self.known, &self.shares, &hyper_of(p, d)) else {
            return f64::INFINITY;
        };
        let mut value = -found.value;
        for (slope, length) in gradient.iter_mut().zip(&found.lengths) {
            *slope = -length;
        }
        (gradient[d], gradient[d + 1], gradient[d + 2]) = (-found.variance, -found.noise, -found.mean);
        let beliefs = (0..d).map(|_| self.priors.length).chain([self.priors.variance, self.priors.noise]);
        for (k, belief) in beliefs.enumerate() {
            let (density, slope) = belief.ln_density(p[k], exp(p[k]));
            value -= density;
            gradient[k] -= slope;
        }
        value
    }
    /// As [`Self::objective`], as the density of the logarithms in which settings are averaged. Where no beliefs were given
    /// the noise is thought of as [`NOISE_OF_RUNS`].
    pub(super) fn averaged(&self, p: &[f64], gradient: &mut [f64]) -> f64 {
        let value = self.objective(p, gradient);
        if self.given {
            return value;
        }
        let k = self.factors() + 1;
        let at = |belief: Belief| belief.ln_density(p[k], exp(p[k]));
        let (was, is) = (at(self.priors.noise), at(NOISE_OF_RUNS));
        gradient[k] += was.1 - is.1;
        value + was.0 - is.0
    }
    /// The most probable of several starts.
    pub(super) fn most_probable(&self, n: usize, seed: u64) -> Result<Vec<f64>> {
        let limits = Limits { iterations: 100, gradient: 1e-4, decrease: 1e-8 };
        let best = starts(self.factors(), &self.priors, n, seed)
            .into_iter()
            .map(|start| minimise(&start, &self.low, &self.high, &limits, |p, gradient| self.objective(p, gradient)))
            .filter(|m| m.value.is_finite())
            // The first of equals, so that nothing depends on rounding further down.
            .reduce(|a, b| if b.value < a.value { b } else { a });
        best.map(|best| best.x).ok_or_else(|| {
            Error::new(
                Category::Model,
                "E-GP-002",
                "ガウス過程をどの初期値からも当てはめられませんでした",
                "no Gaussian process could be fitted from any start",
            )
            .hint("値の桁が極端に違わないか確認してください", "see whether the values differ by extreme orders of magnitude")
        })
    }
    /// The process with these settings.
    pub(super) fn at(&self, p: &[f64]) -> Result<Gp> {
        let hyper = hyper_of(p, self.factors());
        let data = (&self.x, &self.y[..], &self.known[..]);
        Gp::standardised(self.kernel, data, (&self.shares, self.level), &hyper, (self.shift, self.scale))
    }
}

fn hyper_of(p: &[f64], d: usize) -> Hyper {
    Hyper { lengths: p[..d].iter().map(|v| exp(*v)).collect(), variance: exp(p[d]), noise: exp(p[d + 1]), mean: p[d + 2] }
}

/// Starts: the most probable settings before any data, then others spread around them.
fn starts(d: usize, priors: &Priors, n: usize, seed: u64) -> Vec<Vec<f64>> {
    let middle = |belief: Belief, low: f64, high: f64| ln(belief.mode().clamp(low, high));
    let mut found = vec![vec![middle(priors.length, 0.1, 2.0); d]];
    found[0].extend([0.0, middle(priors.noise, 1e-4, 0.5), 0.0]);
    for point in Sobol::scrambled(d + 2, seed).points(n - 1) {
        let between = |u: f64, low: f64, high: f64| ln(low) + u * (ln(high) - ln(low));
        let mut start: Vec<f64> = point[..d].iter().map(|u| between(*u, 0.1, 5.0)).collect();
        start.extend([between(point[d], 0.3, 3.0), between(point[d + 1], 1e-5, 0.5), 0.0]);
        found.push(start);
    }
    found
}

/// The data in an order that their values alone decide.
fn sorted(data: &Data) -> Data {
    let mut order: Vec<usize> = (0..data.y.len()).collect();
    let known = |i: usize| data.known.get(i).copied().unwrap_or(0.0);
    order.sort_by(|a, b| {
        let rows = data.x.row(*a).iter().zip(data.x.row(*b)).map(|(a, b)| a.total_cmp(b)).find(|o| o.is_ne());
        rows.unwrap_or(std::cmp::Ordering::Equal).then(data.y[*a].total_cmp(&data.y[*b])).then(known(*a).total_cmp(&known(*b)))
    });
    Data {
        x: Matrix::from_fn(data.x.rows(), data.x.columns(), |i, j| data.x[(order[i], j)]),
        y: order.iter().map(|i| data.y[*i]).collect(),
        known: if data.known.is_empty() { Vec::new() } else { order.iter().map(|i| known(*i)).collect() },
    }
}
