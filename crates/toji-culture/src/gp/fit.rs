//! The most probable settings of a Gaussian process, searched from several starts.

use super::kernel::Kernel;
use super::likelihood::{Hyper, check, ln_likelihood};
use super::model::Gp;
use super::prior::{Belief, Priors};
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
        let d = data.x.columns();
        check(&data.x, &data.y, &data.known, d)?;
        let data = sorted(data);
        let n = data.y.len() as f64;
        let shift = data.y.iter().sum::<f64>() / n;
        let sd = (data.y.iter().map(|y| (y - shift) * (y - shift)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
        let scale = if sd > 1e-12 * shift.abs().max(f64::MIN_POSITIVE) { sd } else { shift.abs().max(1.0) };
        let y: Vec<f64> = data.y.iter().map(|y| (y - shift) / scale).collect();
        let known: Vec<f64> = data.known.iter().map(|v| v / (scale * scale)).collect();
        let priors = settings.priors.unwrap_or_else(|| Priors::of_factors(d));
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
        let objective = |p: &[f64], gradient: &mut [f64]| {
            let hyper = hyper_of(p, d);
            let Ok(found) = ln_likelihood(settings.kernel, &data.x, &y, &known, &hyper) else { return f64::INFINITY };
            let mut value = -found.value;
            for (slope, length) in gradient.iter_mut().zip(&found.lengths) {
                *slope = -length;
            }
            (gradient[d], gradient[d + 1], gradient[d + 2]) = (-found.variance, -found.noise, -found.mean);
            let beliefs = (0..d).map(|_| priors.length).chain([priors.variance, priors.noise]);
            for (k, belief) in beliefs.enumerate() {
                let (density, slope) = belief.ln_density(p[k], exp(p[k]));
                value -= density;
                gradient[k] -= slope;
            }
            value
        };
        let limits = Limits { iterations: 100, gradient: 1e-4, decrease: 1e-8 };
        let best = starts(d, &priors, settings.starts.max(1), seed)
            .into_iter()
            .map(|start| minimise(&start, &low, &high, &limits, objective))
            .filter(|m| m.value.is_finite())
            // The first of equals, so that nothing depends on rounding further down.
            .reduce(|a, b| if b.value < a.value { b } else { a });
        let Some(best) = best else {
            return Err(Error::new(
                Category::Model,
                "E-GP-002",
                "ガウス過程をどの初期値からも当てはめられませんでした",
                "no Gaussian process could be fitted from any start",
            )
            .hint("値の桁が極端に違わないか確認してください", "see whether the values differ by extreme orders of magnitude"));
        };
        Self::standardised(settings.kernel, &data.x, &y, &known, &hyper_of(&best.x, d), (shift, scale))
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
