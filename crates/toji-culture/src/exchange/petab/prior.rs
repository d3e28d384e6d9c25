//! What is known of a parameter beforehand: the prior distributions of both versions.
//!
//! In version 2 a prior is truncated at the bounds of its parameter; in version 1 it is not. Parameters are those of the
//! specification: location and spread, or shape and scale; of the logarithmic ones those of the logarithm.

use super::{Distribution, Scale, likelihood};
use crate::kernel::{Elementary, Number};
use std::f64::consts::{LN_2, PI};
use toji_core::special::{gamma_regularised, normal_cdf};

/// A kind of prior.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Uniform between two numbers.
    Uniform,
    /// Normal: mean, standard deviation.
    Normal,
    /// Laplace: location, scale.
    Laplace,
    /// Cauchy: location, scale.
    Cauchy,
    /// χ²: degrees of freedom.
    ChiSquare,
    /// Exponential: scale.
    Exponential,
    /// Gamma: shape, scale.
    Gamma,
    /// Rayleigh: scale.
    Rayleigh,
    /// The logarithm is uniform between the logarithms of two numbers.
    LogUniform,
    /// The natural logarithm is normal.
    LogNormal,
    /// The natural logarithm is Laplace.
    LogLaplace,
}

/// Words of version 2.
pub(super) const KINDS: [(&str, Kind); 11] = [
    ("uniform", Kind::Uniform),
    ("normal", Kind::Normal),
    ("laplace", Kind::Laplace),
    ("cauchy", Kind::Cauchy),
    ("chisquare", Kind::ChiSquare),
    ("exponential", Kind::Exponential),
    ("gamma", Kind::Gamma),
    ("rayleigh", Kind::Rayleigh),
    ("log-uniform", Kind::LogUniform),
    ("log-normal", Kind::LogNormal),
    ("log-laplace", Kind::LogLaplace),
];

/// Words of version 1, and whether they are of the value on the scale of the search.
pub(super) const KINDS_1: [(&str, (Kind, bool)); 8] = [
    ("uniform", (Kind::Uniform, false)),
    ("normal", (Kind::Normal, false)),
    ("laplace", (Kind::Laplace, false)),
    ("logNormal", (Kind::LogNormal, false)),
    ("logLaplace", (Kind::LogLaplace, false)),
    ("parameterScaleUniform", (Kind::Uniform, true)),
    ("parameterScaleNormal", (Kind::Normal, true)),
    ("parameterScaleLaplace", (Kind::Laplace, true)),
];

impl Kind {
    /// How many numbers it takes.
    pub(super) fn takes(self) -> usize {
        if matches!(self, Self::ChiSquare | Self::Exponential | Self::Rayleigh) { 1 } else { 2 }
    }

    /// Are these numbers such that it is a distribution?
    pub(super) fn allows(self, of: &[f64]) -> bool {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        match (self, of) {
            (Self::Uniform, [a, b]) => a.is_finite() && b.is_finite() && a < b,
            (Self::LogUniform, [a, b]) => positive(*a) && positive(*b) && a < b,
            (Self::Gamma, [a, b]) => positive(*a) && positive(*b),
            (Self::Normal | Self::Laplace | Self::Cauchy | Self::LogNormal | Self::LogLaplace, [a, b]) => {
                a.is_finite() && positive(*b)
            }
            (Self::ChiSquare | Self::Exponential | Self::Rayleigh, [a]) => positive(*a),
            _ => false,
        }
    }

    /// Is it of positive values, over orders of magnitude?
    pub(super) fn is_logarithmic(self) -> bool {
        matches!(self, Self::LogUniform | Self::LogNormal | Self::LogLaplace)
    }

    /// Logarithm of the density at `x`, which is in the support.
    fn log_density<N: Number>(self, of: &[f64], x: N) -> N {
        let (a, b) = (of.first().copied().unwrap_or(f64::NAN), of.get(1).copied().unwrap_or(f64::NAN));
        let n = |value: f64| N::of(value);
        let ln = |x: N| x.elementary(Elementary::Ln);
        let of_normal = |x: N| {
            let z = (x - n(a)) / n(b);
            -(n(0.5 * libm::log(2.0 * PI) + libm::log(b)) + n(0.5) * z * z)
        };
        let of_laplace = |x: N| -(n(libm::log(2.0 * b)) + ((x - n(a)) / n(b)).elementary(Elementary::Abs));
        match self {
            Self::Uniform => n(-libm::log(b - a)),
            Self::Normal => of_normal(x),
            Self::Laplace => of_laplace(x),
            Self::Cauchy => {
                let z = (x - n(a)) / n(b);
                -(n(libm::log(PI * b)) + ln(n(1.0) + z * z))
            }
            Self::ChiSquare => {
                let half = 0.5 * a;
                n(half - 1.0) * ln(x) - n(0.5) * x - n(half * LN_2 + libm::lgamma(half))
            }
            Self::Exponential => -(n(libm::log(a)) + x / n(a)),
            Self::Gamma => n(a - 1.0) * ln(x) - x / n(b) - n(a * libm::log(b) + libm::lgamma(a)),
            Self::Rayleigh => ln(x) - n(2.0 * libm::log(a)) - x * x / n(2.0 * a * a),
            Self::LogUniform => -(ln(x) + n(libm::log(libm::log(b / a)))),
            Self::LogNormal => of_normal(ln(x)) - ln(x),
            Self::LogLaplace => of_laplace(ln(x)) - ln(x),
        }
    }

    /// Where it has a density.
    fn support(self, of: &[f64]) -> (f64, f64) {
        match (self, of) {
            (Self::Uniform | Self::LogUniform, [a, b]) => (*a, *b),
            (Self::Normal | Self::Laplace | Self::Cauchy, _) => (f64::NEG_INFINITY, f64::INFINITY),
            _ => (0.0, f64::INFINITY),
        }
    }

    /// Chance of less than `x`.
    fn below(self, of: &[f64], x: f64) -> f64 {
        let (low, high) = self.support(of);
        if x <= low {
            return 0.0;
        }
        if x >= high {
            return 1.0;
        }
        let (a, b) = (of.first().copied().unwrap_or(f64::NAN), of.get(1).copied().unwrap_or(f64::NAN));
        let laplace = |x: f64| {
            let tail = 0.5 * libm::exp(-((x - a) / b).abs());
            if x < a { tail } else { 1.0 - tail }
        };
        match self {
            Self::Uniform => (x - a) / (b - a),
            Self::Normal => normal_cdf((x - a) / b),
            Self::Laplace => laplace(x),
            Self::Cauchy => 0.5 + libm::atan((x - a) / b) / PI,
            Self::ChiSquare => gamma_regularised(0.5 * a, 0.5 * x),
            Self::Exponential => -libm::expm1(-x / a),
            Self::Gamma => gamma_regularised(a, x / b),
            Self::Rayleigh => -libm::expm1(-x * x / (2.0 * a * a)),
            Self::LogUniform => libm::log(x / a) / libm::log(b / a),
            Self::LogNormal => normal_cdf((libm::log(x) - a) / b),
            Self::LogLaplace => laplace(libm::log(x)),
        }
    }
}

/// A prior.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// Kind.
    pub kind: Kind,
    /// Its numbers.
    pub of: Vec<f64>,
    /// Scale that it is of: linear but for the `parameterScale…` of version 1, whose densities are those of the value on
    /// its scale.
    pub scale: Scale,
    /// Bounds that it is truncated at.
    pub within: Option<(f64, f64)>,
}

impl Prior {
    /// Logarithm of the density at a value (not on its scale); −∞ where there is none.
    pub fn log_density<N: Number>(&self, value: N) -> N {
        let x = likelihood::on(self.scale, value);
        let (low, high) = self.kind.support(&self.of);
        let plain = x.value();
        let out = plain < low || plain > high || self.within.is_some_and(|(a, b)| plain < a || plain > b);
        if out || plain.is_nan() {
            return N::of(f64::NEG_INFINITY);
        }
        let all = self.within.map_or(1.0, |(a, b)| self.kind.below(&self.of, b) - self.kind.below(&self.of, a));
        self.kind.log_density(&self.of, x) - N::of(libm::log(all))
    }

    /// A uniform prior between bounds.
    pub(super) fn uniform(bounds: (f64, f64)) -> Self {
        Self { kind: Kind::Uniform, of: vec![bounds.0, bounds.1], scale: Scale::Linear, within: None }
    }
}

/// Distribution of noise and the scale it is on, by the words of version 2.
pub(super) const NOISES: [(&str, (Scale, Distribution)); 4] = [
    ("normal", (Scale::Linear, Distribution::Normal)),
    ("log-normal", (Scale::Log, Distribution::Normal)),
    ("laplace", (Scale::Linear, Distribution::Laplace)),
    ("log-laplace", (Scale::Log, Distribution::Laplace)),
];
