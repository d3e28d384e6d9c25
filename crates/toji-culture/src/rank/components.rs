//! How much of the variation between runs is the hand of whoever ran them: the component of variance by operator of the
//! one-way random model, with its interval.

use serde::{Deserialize, Serialize};
use toji_core::special::{chi2_quantile, f_cdf, f_quantile};

/// What operators add to the variation of runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Components {
    /// Operators.
    pub operators: usize,
    /// Runs.
    pub runs: usize,
    /// Mean of all runs.
    pub mean: f64,
    /// Standard deviation between runs of one operator.
    pub within_sd: f64,
    /// Standard deviation that operators add; 0 where the estimate of their variance is not positive.
    pub operator_sd: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share of the variance of runs that is between operators.
    pub share: f64,
    /// Chance of operators differing so much if they were all alike (F test).
    pub p: f64,
    /// Mean square between operators, by unweighted means.
    pub between_square: f64,
}

/// The components of runs by operator. Unequal numbers of runs are taken by unweighted means (Thomas and Hultquist, Ann.
/// Stat. 6, 582, 1978), the interval is that of Williams and Tukey (J. S. Williams, Biometrika 49, 278, 1962; exact but
/// for a slight excess of confidence where numbers are equal). `None` below two operators or without repeats.
#[must_use]
pub fn components(groups: &[Vec<f64>], confidence: f64) -> Option<Components> {
    let groups: Vec<&Vec<f64>> = groups.iter().filter(|g| !g.is_empty()).collect();
    let (a, n) = (groups.len(), groups.iter().map(|g| g.len()).sum::<usize>());
    if a < 2 || n <= a || !(0.5..1.0).contains(&confidence) || groups.iter().any(|g| g.iter().any(|v| !v.is_finite())) {
        return None;
    }
    let means: Vec<f64> = groups.iter().map(|g| g.iter().sum::<f64>() / g.len() as f64).collect();
    let within: f64 =
        groups.iter().zip(&means).flat_map(|(g, m)| g.iter().map(move |v| (v - m) * (v - m))).sum::<f64>() / (n - a) as f64;
    let harmonic = a as f64 / groups.iter().map(|g| 1.0 / g.len() as f64).sum::<f64>();
    let middle = means.iter().sum::<f64>() / a as f64;
    let (d1, d2) = ((a - 1) as f64, (n - a) as f64);
    let between = harmonic * means.iter().map(|m| (m - middle) * (m - middle)).sum::<f64>() / d1;
    let variance = ((between - within) / harmonic).max(0.0);
    let tail = (1.0 - confidence) / 2.0;
    let bound = |p: f64| {
        let excess = d1 * (between - within * f_quantile(p, d1, d2));
        libm::sqrt((excess / (harmonic * chi2_quantile(p, d1))).max(0.0))
    };
    Some(Components {
        operators: a,
        runs: n,
        mean: groups.iter().flat_map(|g| g.iter()).sum::<f64>() / n as f64,
        within_sd: libm::sqrt(within),
        operator_sd: libm::sqrt(variance),
        low: bound(1.0 - tail),
        high: bound(tail),
        share: if variance + within > 0.0 { variance / (variance + within) } else { 0.0 },
        p: if within > 0.0 { 1.0 - f_cdf(between / within, d1, d2) } else { f64::from(u8::from(between <= 0.0)) },
        between_square: between,
    })
}

/// The chance of the operators' mean square falling so far by luck alone: one-sided F test of two sets of runs that were
/// made apart. `None` where it cannot be formed.
#[must_use]
pub fn falls(before: &Components, after: &Components) -> Option<f64> {
    let (d1, d2) = ((before.operators - 1) as f64, (after.operators - 1) as f64);
    (after.between_square > 0.0).then(|| 1.0 - f_cdf(before.between_square / after.between_square, d1, d2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::chance::Chance;

    #[test]
    fn components_agree_with_an_independent_computation() {
        let groups = [vec![9.1, 8.7, 9.4, 9.0], vec![7.8, 8.1, 7.5, 8.2], vec![10.2, 9.6, 9.9, 10.1], vec![8.8, 9.2, 8.5, 9.0]];
        let found = components(&groups, 0.9).unwrap();
        for (value, wanted) in WANTED {
            let value = value(&found);
            assert!((value - wanted).abs() < 1e-9 * wanted.abs().max(1e-3), "{value} {wanted} {found:?}");
        }
        assert_eq!(components(&groups[..1], 0.9), None);
        assert_eq!(components(&[vec![1.0], vec![2.0]], 0.9), None);
    }

    type Of = fn(&Components) -> f64;
    // scipy 1.17.1 by tests/golden/components.py.
    const WANTED: [(Of, f64); 5] = [
        (|c| c.within_sd, 0.292_617_497_767_990_5),
        (|c| c.operator_sd, 0.827_395_512_033_594_1),
        (|c| c.low, 0.492_281_086_274_705_9),
        (|c| c.high, 2.449_226_954_753_852_8),
        (|c| c.p, 4.473_390_787_049_981e-06),
    ];

    /// Over many draws the 90 % interval holds the true value about nine times of ten.
    #[test]
    fn the_interval_covers_the_truth() {
        let mut chance = Chance::new(8);
        let (mut inside, rounds) = (0, 600);
        for _ in 0..rounds {
            let groups: Vec<Vec<f64>> = (0..6)
                .map(|i| {
                    let hand = 0.7 * chance.normal();
                    (0..4 + i % 2).map(|_| 10.0 + hand + 0.5 * chance.normal()).collect()
                })
                .collect();
            let found = components(&groups, 0.9).unwrap();
            inside += usize::from((found.low..=found.high).contains(&0.7));
        }
        // Standard error 1.2 %.
        assert!((0.86..=0.95).contains(&(inside as f64 / f64::from(rounds))), "{inside}");
    }
}
