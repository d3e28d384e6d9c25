//! Seeded chance and intervals: the bootstrap resamples whole runs (or whole samples), never single rows,
//! since rows of one run are no independent witnesses.

use serde::{Deserialize, Serialize};
use toji_core::chance::Chance;

/// An interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The value below which the share `p` of sorted values lies, between neighbours in a straight line.
pub(crate) fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = p.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (sorted.get(at.floor() as usize)?, sorted.get(at.ceil() as usize)?);
    Some(low + (high - low) * at.fract())
}

/// What a bootstrap over groups says of a statistic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resampled {
    /// Interval of 95 % by percentiles.
    pub(crate) interval: Interval,
    /// Share of resamples on the far side of `centre`, twice: the two-sided level at which `centre` is left out.
    pub(crate) p: f64,
}

/// Resamples `groups` groups `rounds` times with the statistic of the chosen groups. `None` when fewer than
/// half of the resamples have a value: then nothing can be said.
pub(crate) fn bootstrap(
    groups: usize,
    rounds: usize,
    seed: u64,
    centre: f64,
    statistic: impl Fn(&[usize]) -> Option<f64>,
) -> Option<Resampled> {
    if groups < 2 {
        return None;
    }
    let mut chance = Chance::new(seed);
    let mut chosen = vec![0; groups];
    let mut values = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        chosen.iter_mut().for_each(|c| *c = chance.below(groups));
        values.extend(statistic(&chosen).filter(|v| v.is_finite()));
    }
    if values.len() * 2 < rounds {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let interval = Interval { low: quantile(&values, 0.025)?, high: quantile(&values, 0.975)? };
    let n = values.len() as f64;
    let below = values.iter().filter(|v| **v <= centre).count() as f64;
    let above = values.iter().filter(|v| **v >= centre).count() as f64;
    // One is added on both sides so that no finite number of rounds claims certainty.
    let p = (2.0 * (below.min(above) + 1.0) / (n + 1.0)).min(1.0);
    Some(Resampled { interval, p })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_interval_and_it_covers() {
        let data: Vec<f64> = (0..40).map(|i| f64::from(i % 7)).collect();
        let mean = |chosen: &[usize]| Some(chosen.iter().map(|i| data[*i]).sum::<f64>() / chosen.len() as f64);
        let one = bootstrap(data.len(), 2000, 5, 0.0, mean).unwrap();
        assert_eq!(one, bootstrap(data.len(), 2000, 5, 0.0, mean).unwrap());
        // The usual interval of the mean: 2.87 ± 1.96 · sd/√n ≈ 0.62.
        assert!((one.interval.low - 2.25).abs() < 0.12 && (one.interval.high - 3.5).abs() < 0.12, "{one:?}");
        assert!(one.p < 0.002);
        assert_eq!(bootstrap(1, 100, 5, 0.0, mean), None);
    }

    #[test]
    fn quantiles_between_neighbours() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
