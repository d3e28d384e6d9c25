//! Limits of T² and SPE: for the rows a model was fitted on, and for a new one. They are different numbers.
//!
//! A row of the reference has pulled the model towards itself, so it lies nearer to it than a new one will. Limits of
//! new rows therefore rest on rows that were left out, batch by batch, when the model that judges them was fitted.
//!
//! Sources: N. Tracy, J. Young and R. Mason (1992), *Journal of Quality Technology* 24, 88–95 (T²); G. Box (1954),
//! *Annals of Mathematical Statistics* 25, 290–302, with g and h from mean and variance after P. Nomikos and
//! J. MacGregor (1995), *Technometrics* 37, 41–59 (SPE); J. Jackson and G. Mudholkar (1979), *Technometrics* 21,
//! 341–349.

use serde::{Deserialize, Serialize};
use toji_core::special::{chi2_quantile, f_quantile, normal_cdf};
use toji_core::{Error, Place, Result};

/// Limits at one confidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Limits {
    /// Share of normal rows inside each limit.
    pub confidence: f64,
    /// T² of the rows the model was fitted on. `None` with too few of them.
    pub t2_training: Option<f64>,
    /// T² of a new row.
    pub t2_new: Option<f64>,
    /// SPE of the rows the model was fitted on.
    pub spe_training: SpeLimit,
    /// SPE of a new row. `None` where no row was left out.
    pub spe_new: Option<SpeLimit>,
    /// What the limits of new rows did to rows of the reference that had been left out.
    pub check: Option<Check>,
}

/// A limit of the squared prediction error, in scaled units, two ways.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SpeLimit {
    /// The one that verdicts use: Jackson and Mudholkar's for new rows where there is one, else χ² of three moments, else
    /// g·χ²(h). With uneven residuals g·χ²(h) lets twice as many normal rows beyond its 99 % as it says, since two
    /// moments do not make the tail.
    pub limit: f64,
    /// g·χ²(h).
    pub chi_squared: f64,
    /// Jackson and Mudholkar's, from three moments. `None` where its transformation has no sense for these numbers.
    pub jackson_mudholkar: Option<f64>,
}

/// Alarms among normal rows that were left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Check {
    /// Rows.
    pub rows: usize,
    /// Share beyond the limit of T².
    pub t2_beyond: f64,
    /// Share beyond the limit of SPE.
    pub spe_beyond: f64,
}

/// What a limit of SPE is made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) variance: f64,
    /// Sums of first, second and third powers of the eigenvalues of the residual covariance.
    pub(super) theta: Option<[f64; 3]>,
}

impl Moments {
    pub(super) fn of(values: &[f64], theta: Option<[f64; 3]>) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n.max(1.0);
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        Self { mean, variance, theta }
    }
    /// Of rows that were left out, for new rows.
    pub(super) fn limit_of_new(&self, confidence: f64) -> SpeLimit {
        let own = self.limit_of_training(confidence);
        let three = || self.theta.and_then(|theta| three_moments(theta, confidence));
        SpeLimit { limit: own.jackson_mudholkar.or_else(three).unwrap_or(own.chi_squared), ..own }
    }
    /// Of rows of the reference. Their residuals hang together, because the model was made from them, so products over
    /// rows say less here.
    pub(super) fn limit_of_training(&self, confidence: f64) -> SpeLimit {
        let chi_squared = box_limit(self.mean, self.variance, confidence);
        let jackson_mudholkar = self.theta.and_then(|theta| jackson_mudholkar(theta, confidence));
        SpeLimit { limit: chi_squared, chi_squared, jackson_mudholkar }
    }
}

/// T² that a new row stays below with this confidence: A(n−1)(n+1) / (n(n−A)) · F(A, n−A). `None` unless n > A > 0.
#[must_use]
pub fn t2_limit_new(n: usize, components: usize, confidence: f64) -> Option<f64> {
    let (rows, a) = (n as f64, components as f64);
    (components > 0 && n > components)
        .then(|| a * (rows - 1.0) * (rows + 1.0) / (rows * (rows - a)) * f_quantile(confidence, a, rows - a))
}

/// T² that a row of the reference itself stays below: (n−1)²/n · Beta(A/2, (n−A−1)/2). `None` unless n > A + 1 > 1.
#[must_use]
pub fn t2_limit_training(n: usize, components: usize, confidence: f64) -> Option<f64> {
    let (rows, a) = (n as f64, components as f64);
    (components > 0 && n > components + 1).then(|| {
        let freedom = rows - a - 1.0;
        let f = f_quantile(confidence, a, freedom);
        (rows - 1.0).powi(2) / rows * (a * f / (a * f + freedom))
    })
}

/// g·χ²(h) with g = variance / (2 mean) and h = 2 mean² / variance.
#[must_use]
pub fn box_limit(mean: f64, variance: f64, confidence: f64) -> f64 {
    if mean <= 0.0 || variance <= mean * mean * 1e-12 {
        return mean.max(0.0);
    }
    variance / (2.0 * mean) * chi2_quantile(confidence, 2.0 * mean * mean / variance)
}

/// The limit from the sums θ1, θ2 and θ3 of powers of the residual eigenvalues. The power that makes SPE nearly normal
/// is negative for uneven eigenvalues; then the large values are those of the lower tail. `None` below −0.5, where the limit
/// comes out far too large.
#[must_use]
pub fn jackson_mudholkar([one, two, three]: [f64; 3], confidence: f64) -> Option<f64> {
    if one <= 0.0 || two <= 0.0 {
        return None;
    }
    let power = 1.0 - 2.0 * one * three / (3.0 * two * two);
    let inner = normal_quantile(confidence) * (2.0 * two).sqrt() * power / one + 1.0 + two * power * (power - 1.0) / (one * one);
    let limit = one * inner.powf(1.0 / power);
    (power > -0.5 && power.abs() > 1e-6 && inner > 0.0 && limit.is_finite()).then_some(limit)
}

/// The limit by a shifted χ² with the mean, variance and skewness of these eigenvalues (J. Imhof 1961, *Biometrika* 48,
/// 419–426, after E. Pearson). `None` without a spread or a positive skewness.
#[must_use]
pub fn three_moments([one, two, three]: [f64; 3], confidence: f64) -> Option<f64> {
    if two <= 0.0 || three <= 0.0 {
        return None;
    }
    let freedom = two.powi(3) / (three * three);
    let limit = one + (2.0 * two).sqrt() * (chi2_quantile(confidence, freedom) - freedom) / (2.0 * freedom).sqrt();
    limit.is_finite().then_some(limit)
}

/// Quantile of the standard normal distribution.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if normal_cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// Refuses a confidence that no limit can be given for.
pub(super) fn checked(confidence: f64) -> Result<f64> {
    if (0.5..=0.9999).contains(&confidence) {
        return Ok(confidence);
    }
    Err(Error::input(
        "E-MONITOR-004",
        format!("信頼水準は 0.5〜0.9999 です: {confidence}"),
        format!("the confidence is between 0.5 and 0.9999, not {confidence}"),
    )
    .at(Place::field("confidence"))
    .hint("通常は 0.95 か 0.99 を指定します", "0.95 and 0.99 are usual"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_limits() {
        // process-improve (MIT), held to nine digits.
        for (n, a, confidence, wanted) in [(54, 3, 0.95, 8.847_338_769_414_852), (30, 2, 0.99, 11.671_881_648_048_355)] {
            let found = t2_limit_new(n, a, confidence).unwrap();
            assert!((found / wanted - 1.0).abs() < 1e-9, "{found} {wanted}");
        }
        // A row of the reference has a lower limit, and one that it can never pass: (n−1)²/n.
        assert!(t2_limit_training(54, 3, 0.95).unwrap() < 8.8);
        assert!(t2_limit_training(6, 4, 0.9999).unwrap() <= 25.0 / 6.0);
        // Too few rows: no limit, not a wrong one.
        assert_eq!((t2_limit_new(3, 3, 0.95), t2_limit_training(4, 3, 0.95), t2_limit_new(9, 0, 0.9)), (None, None, None));
    }

    #[test]
    fn one_eigenvalue_many_times_is_chi_squared() {
        // Residuals of k independent directions of variance 2: SPE is 2·χ²(k), which Box gives exactly.
        for k in [3.0, 12.0, 40.0] {
            let wanted = 2.0 * chi2_quantile(0.99, k);
            let found = box_limit(2.0 * k, 8.0 * k, 0.99);
            assert!((found / wanted - 1.0).abs() < 1e-12);
            // Jackson and Mudholkar is an approximation (Wilson and Hilferty's cube root here): 1 %.
            let near = jackson_mudholkar([2.0 * k, 4.0 * k, 8.0 * k], 0.99).unwrap();
            assert!((near / wanted - 1.0).abs() < 0.01, "{near} {wanted}");
        }
        assert_eq!(box_limit(0.0, 0.0, 0.95), 0.0);
        // Nothing left, or sums that no eigenvalues have.
        assert_eq!(jackson_mudholkar([0.0, 0.0, 0.0], 0.95), None);
        assert_eq!(jackson_mudholkar([1.0, 1.0, 900.0], 0.95), None);
        // Eigenvalues 4 and forty of 0.25: of 4·10⁶ numbers drawn by numpy 1 % lie above 36.88. Two moments say 31.9, and
        // Jackson and Mudholkar's power of −0.76 would say 54.
        let uneven = [14.0, 18.5, 64.625];
        assert_eq!(jackson_mudholkar(uneven, 0.99), None);
        assert!((three_moments(uneven, 0.99).unwrap() / 36.88 - 1.0).abs() < 0.02);
        assert!((box_limit(14.0, 37.0, 0.99) / 31.86 - 1.0).abs() < 0.001);
        // For one eigenvalue many times it is exact.
        assert!((three_moments([24.0, 48.0, 96.0], 0.99).unwrap() / box_limit(24.0, 96.0, 0.99) - 1.0).abs() < 1e-9);
    }
}
