//! How alike two points are.

use crate::linear::Matrix;

use libm::exp;
use serde::{Deserialize, Serialize};

/// The form of a covariance; each factor has a length of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// Matérn with ν = 5/2: responses that are smooth, but not infinitely so.
    #[default]
    Matern52,
    /// Squared exponential: responses without any roughness.
    SquaredExponential,
}

const ROOT_5: f64 = 2.236_067_977_499_79;

impl Kernel {
    /// Correlation at a squared scaled distance, and its derivative by it.
    #[must_use]
    pub fn at(self, squared: f64) -> (f64, f64) {
        match self {
            Self::Matern52 => {
                let distance = ROOT_5 * squared.max(0.0).sqrt();
                let falling = exp(-distance);
                ((1.0 + distance + 5.0 / 3.0 * squared) * falling, -5.0 / 6.0 * (1.0 + distance) * falling)
            }
            Self::SquaredExponential => {
                let value = exp(-0.5 * squared);
                (value, -0.5 * value)
            }
        }
    }
    /// Correlations between two sets of points, which lie in rows and are already divided by their lengths.
    #[must_use]
    pub fn between(self, a: &Matrix, b: &Matrix) -> Matrix {
        Matrix::from_fn(a.rows(), b.rows(), |i, j| self.at(squared_distance(a.row(i), b.row(j))).0)
    }
}

/// Σ (aᵢ − bᵢ)².
#[must_use]
pub(crate) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Points divided by the lengths of their factors.
#[must_use]
pub(crate) fn scaled(x: &Matrix, lengths: &[f64]) -> Matrix {
    Matrix::from_fn(x.rows(), x.columns(), |i, j| x[(i, j)] / lengths[j])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms_and_slopes() {
        // Matérn 5/2 at distance 1: (1 + √5 + 5/3)·e^−√5.
        let one = (1.0 + 5.0_f64.sqrt() + 5.0 / 3.0) * (-(5.0_f64.sqrt())).exp();
        assert!((Kernel::Matern52.at(1.0).0 - one).abs() < 1e-15);
        assert!((Kernel::SquaredExponential.at(2.0).0 - (-1.0_f64).exp()).abs() < 1e-15);
        for kernel in [Kernel::Matern52, Kernel::SquaredExponential] {
            assert_eq!(kernel.at(0.0).0, 1.0);
            for s in [0.01, 0.5, 3.0] {
                let difference = (kernel.at(s + 1e-6).0 - kernel.at(s - 1e-6).0) / 2e-6;
                assert!((difference - kernel.at(s).1).abs() < 1e-8);
            }
        }
    }
}
