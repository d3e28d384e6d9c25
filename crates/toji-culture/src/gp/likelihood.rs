//! The log marginal likelihood and its gradient.

use super::kernel::{Kernel, scaled, squared_distance};
use crate::linear::{Cholesky, Matrix, dot};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Result};

/// ln √(2π).
const LN_ROOT_2_PI: f64 = 0.918_938_533_204_672_7;

/// What a Gaussian process is set by, in the scale of its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Hyper {
    /// Length of each factor: over how far the response stays alike.
    pub lengths: Vec<f64>,
    /// Variance of the response.
    pub variance: f64,
    /// Variance of the noise of one run.
    pub noise: f64,
    /// Constant mean.
    pub mean: f64,
}

/// A log marginal likelihood with its gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct Likelihood {
    /// Logarithm.
    pub value: f64,
    /// By the logarithm of each length.
    pub lengths: Vec<f64>,
    /// By the logarithm of the variance.
    pub variance: f64,
    /// By the logarithm of the noise.
    pub noise: f64,
    /// By the mean.
    pub mean: f64,
}

/// Do points, values and settings fit each other?
pub(super) fn check(x: &Matrix, y: &[f64], known: &[f64], lengths: usize) -> Result<()> {
    let finite = x.as_slice().iter().chain(y).all(|v| v.is_finite());
    let known_fits = known.is_empty() || known.len() == y.len() && known.iter().all(|v| v.is_finite() && *v >= 0.0);
    if x.rows() == y.len() && !y.is_empty() && finite && known_fits && lengths == x.columns() {
        return Ok(());
    }
    Err(Error::input(
        "E-GP-001",
        format!("ガウス過程のデータが整っていません: 点 {} 個、値 {} 個、長さ {lengths} 個", x.rows(), y.len()),
        format!("the data of a Gaussian process do not fit: {} points, {} values, {lengths} lengths", x.rows(), y.len()),
    )
    .hint(
        "点と値を同じ数にし、欠測や無限大を除いてください。既知の雑音は負でない有限の値にしてください",
        "give as many values as points, without missing or infinite ones; known noise must be finite and not negative",
    ))
}

/// What the noise of a value is multiplied by.
pub(super) fn share(shares: &[f64], i: usize) -> f64 {
    shares.get(i).copied().unwrap_or(1.0)
}

/// Covariance of the data.
pub(super) fn covariance(kernel: Kernel, x: &Matrix, known: &[f64], shares: &[f64], hyper: &Hyper) -> Matrix {
    let points = scaled(x, &hyper.lengths);
    let mut k = Matrix::zeros(x.rows(), x.rows());
    for i in 0..x.rows() {
        for j in 0..i {
            k[(i, j)] = hyper.variance * kernel.at(squared_distance(points.row(i), points.row(j))).0;
        }
        k[(i, i)] = hyper.variance + hyper.noise * share(shares, i) + known.get(i).copied().unwrap_or(0.0);
    }
    k
}

/// Log marginal likelihood of values `y` at the rows of `x`. `known` are variances of single runs that are known
/// and come on top of the noise, or nothing.
///
/// # Errors
/// Data that do not fit together, or a covariance that is not positive definite.
pub fn ln_likelihood(kernel: Kernel, x: &Matrix, y: &[f64], known: &[f64], hyper: &Hyper) -> Result<Likelihood> {
    shared_out(kernel, x, y, known, &[], hyper)
}

/// As [`ln_likelihood`], with noise that is not the same everywhere: that of each value is multiplied by its share.
pub(super) fn shared_out(
    kernel: Kernel,
    x: &Matrix,
    y: &[f64],
    known: &[f64],
    shares: &[f64],
    hyper: &Hyper,
) -> Result<Likelihood> {
    check(x, y, known, hyper.lengths.len())?;
    let n = x.rows();
    let factor = Cholesky::new(&covariance(kernel, x, known, shares, hyper))?;
    let residual: Vec<f64> = y.iter().map(|y| y - hyper.mean).collect();
    let alpha = factor.solve(&residual);
    let inverse = factor.inverse();
    let points = scaled(x, &hyper.lengths);
    let mut lengths = vec![0.0; hyper.lengths.len()];
    let mut by_variance = 0.0;
    let (mut trace, mut noisy) = (0.0, 0.0);
    for i in 0..n {
        let of_i = points.row(i);
        for j in 0..i {
            let of_j = points.row(j);
            // ½ (ααᵀ − K⁻¹), twice because the other triangle is the same.
            let weight = alpha[i] * alpha[j] - inverse[(i, j)];
            let (value, slope) = kernel.at(squared_distance(of_i, of_j));
            by_variance += weight * hyper.variance * value;
            let steep = -2.0 * weight * hyper.variance * slope;
            for ((sum, a), b) in lengths.iter_mut().zip(of_i).zip(of_j) {
                *sum += steep * (a - b) * (a - b);
            }
        }
        let weight = alpha[i] * alpha[i] - inverse[(i, i)];
        trace += weight;
        noisy += share(shares, i) * weight;
    }
    Ok(Likelihood {
        value: -0.5 * dot(&residual, &alpha) - 0.5 * factor.ln_determinant() - n as f64 * LN_ROOT_2_PI,
        lengths,
        variance: by_variance + 0.5 * hyper.variance * trace,
        noise: 0.5 * hyper.noise * noisy,
        mean: alpha.iter().sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use libm::{exp, log as ln};
    use toji_core::chance::Chance;

    #[test]
    fn the_gradient_is_that_of_differences() {
        let mut chance = Chance::new(5);
        let x = Matrix::from_fn(14, 3, |_, _| crate::optimise::fraction(&mut chance));
        let y: Vec<f64> = (0..14).map(|i| (3.0 * x[(i, 0)]).sin() + x[(i, 2)] + 0.1 * chance.normal()).collect();
        let known: Vec<f64> = (0..14).map(|i| 0.001 * f64::from(i % 3)).collect();
        for kernel in [Kernel::Matern52, Kernel::SquaredExponential] {
            let at = |p: &[f64]| {
                let hyper = Hyper {
                    lengths: p[..3].iter().map(|v| exp(*v)).collect(),
                    variance: exp(p[3]),
                    noise: exp(p[4]),
                    mean: p[5],
                };
                ln_likelihood(kernel, &x, &y, &known, &hyper).unwrap()
            };
            let p = [ln(0.3), ln(0.9), ln(0.5), ln(1.3), ln(0.02), 0.4];
            let found = at(&p);
            let gradient: Vec<f64> = found.lengths.iter().copied().chain([found.variance, found.noise, found.mean]).collect();
            for (k, slope) in gradient.iter().enumerate() {
                let step = 1e-5;
                let shifted = |by: f64| {
                    let mut q = p;
                    q[k] += by;
                    at(&q).value
                };
                let difference = (shifted(step) - shifted(-step)) / (2.0 * step);
                assert!((difference - slope).abs() < 1e-7 * slope.abs().max(1.0), "{k}: {difference} {slope}");
            }
        }
    }

    #[test]
    fn data_that_do_not_fit_are_refused() {
        let x = Matrix::zeros(2, 1);
        let hyper = Hyper { lengths: vec![1.0], variance: 1.0, noise: 0.1, mean: 0.0 };
        for (y, known) in [(vec![1.0], vec![]), (vec![1.0, f64::NAN], vec![]), (vec![1.0, 2.0], vec![-1.0, 0.0])] {
            assert_eq!(ln_likelihood(Kernel::Matern52, &x, &y, &known, &hyper).unwrap_err().code(), "E-GP-001");
        }
    }
}
