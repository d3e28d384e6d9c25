//! What is thought of lengths, variance and noise before any data, for factors between 0 and 1 and a response of
//! mean 0 and variance 1.

use libm::log as ln;
use serde::{Deserialize, Serialize};

/// A distribution of a positive number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Belief {
    /// The logarithm is normal with this mean and standard deviation.
    LogNormal {
        /// Mean of the logarithm.
        mean: f64,
        /// Standard deviation of the logarithm.
        sd: f64,
    },
    /// Gamma.
    Gamma {
        /// Shape.
        shape: f64,
        /// Rate.
        rate: f64,
    },
    /// Nothing is thought.
    Flat,
}

impl Belief {
    /// Log density of the number at its logarithm, up to a constant, and the derivative by the logarithm.
    #[must_use]
    pub fn ln_density(self, logarithm: f64, number: f64) -> (f64, f64) {
        match self {
            Self::LogNormal { mean, sd } => {
                let z = (logarithm - mean) / sd;
                (-logarithm - 0.5 * z * z, -1.0 - z / sd)
            }
            Self::Gamma { shape, rate } => ((shape - 1.0) * logarithm - rate * number, shape - 1.0 - rate * number),
            Self::Flat => (0.0, 0.0),
        }
    }
    /// The most probable number; 1 where nothing is thought.
    #[must_use]
    pub fn mode(self) -> f64 {
        match self {
            Self::LogNormal { mean, sd } => libm::exp(mean - sd * sd),
            Self::Gamma { shape, rate } if shape > 1.0 => (shape - 1.0) / rate,
            Self::Gamma { .. } | Self::Flat => 1.0,
        }
    }
}

/// What is thought of the noise between runs where settings are averaged: most probably its standard deviation is 22 % of
/// that of the values, in nine of ten cases 10 to 51 %. Cultures that are repeated vary by some 5 to 15 % (a golden batch
/// that is replayed by 13 %: K. G. Dunn, process-improve, pull request 515), and runs of a design by some 30 %. The belief of
/// [`Priors::of_factors`], which suits the search for the best point, thinks it four times smaller in variance, and intervals
/// made with it hold too few of the runs.
pub(super) const NOISE_OF_RUNS: Belief = Belief::LogNormal { mean: -2.0, sd: 1.0 };

/// The beliefs of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Priors {
    /// Of every length.
    pub length: Belief,
    /// Of the variance.
    pub variance: Belief,
    /// Of the noise.
    pub noise: Belief,
}

impl Priors {
    /// For so many factors: lengths grow with the diagonal of the cube, so that a response of many factors is not
    /// thought of as white noise (Hvarfner, Hellsten and Nardi, "Vanilla Bayesian optimization performs great in
    /// high dimensions", ICML 2024); little noise, but never none.
    #[must_use]
    pub fn of_factors(factors: usize) -> Self {
        let root_2 = std::f64::consts::SQRT_2;
        Self {
            length: Belief::LogNormal { mean: root_2 + 0.5 * ln(factors.max(1) as f64), sd: 3.0_f64.sqrt() },
            variance: Belief::Gamma { shape: 2.0, rate: 0.15 },
            noise: Belief::LogNormal { mean: -4.0, sd: 1.0 },
        }
    }
}
