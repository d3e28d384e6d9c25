//! Whether one way of running varies less than another, on pairs of campaigns that met the same disturbances.

use libm::{exp, log as ln, sqrt};
use serde::{Deserialize, Serialize};
use toji_core::special::{beta_regularised, t_quantile_975};

/// Coefficient of variation: standard deviation as a share of the mean. `None` below two values.
#[must_use]
pub fn variation(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (values.len() > 1 && mean != 0.0).then(|| sqrt(squares / (n - 1.0)) / mean.abs())
}

/// What pairs say of a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Paired {
    /// Pairs.
    pub pairs: usize,
    /// Geometric mean of after / before.
    pub ratio: f64,
    /// Its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// One-sided p of Student's paired test of the logarithms: the chance of ratios this small if the true one were
    /// the limit.
    pub p: f64,
}

/// Student's test of the logarithms of after / before against the logarithm of a limit, pair by pair. `None` below two
/// pairs, or where a value is not positive.
#[must_use]
pub fn paired(before: &[f64], after: &[f64], limit: f64) -> Option<Paired> {
    let logs: Vec<f64> = before.iter().zip(after).map(|(b, a)| ln(a / b)).collect();
    let n = logs.len() as f64;
    if logs.len() < 2 || before.len() != after.len() || !logs.iter().all(|l| l.is_finite()) || limit <= 0.0 {
        return None;
    }
    let mean = logs.iter().sum::<f64>() / n;
    let error = sqrt(logs.iter().map(|l| (l - mean) * (l - mean)).sum::<f64>() / (n - 1.0) / n);
    let d = n - 1.0;
    let t = (mean - ln(limit)) / error.max(f64::MIN_POSITIVE);
    // Half of I_{d/(d+t²)}(d/2, 1/2) lies on either side.
    let half = 0.5 * beta_regularised(0.5 * d, 0.5, d / (d + t * t));
    let reach = t_quantile_975(d) * error;
    Some(Paired {
        pairs: logs.len(),
        ratio: exp(mean),
        low: exp(mean - reach),
        high: exp(mean + reach),
        p: if t < 0.0 { half } else { 1.0 - half },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_agree_with_scipy() {
        let before = [13.1, 12.2, 14.8, 11.9, 12.7, 13.3];
        let after = [5.9, 6.4, 6.1, 5.2, 6.6, 5.8];
        // scipy 1.17.1: ttest_1samp(log(after/before), log(0.5), alternative="less"), t.interval(0.95, …).
        let found = paired(&before, &after, 0.5).unwrap();
        for (value, wanted) in [
            (found.ratio, 0.461_360_406_854_528_95),
            (found.low, 0.415_360_451_143_360_45),
            (found.high, 0.512_454_723_185_743_8),
            (found.p, 0.053_069_484_648_198_98),
        ] {
            assert!((value - wanted).abs() < 1e-9, "{found:?}");
        }
        // numpy 2.4.6: std(ddof=1)/mean.
        assert!((variation(&before).unwrap() - 0.079_047_585_099_477_75).abs() < 1e-12);
        assert_eq!((variation(&[1.0]), paired(&[1.0], &[1.0], 0.5)), (None, None));
        assert_eq!(paired(&[1.0, 0.0], &[1.0, 1.0], 0.5), None);
    }
}
