//! Seeded bootstrap: of single points, and of blocks of neighbours.

use toji_core::chance::Chance;

/// Resamples of every interval.
const ROUNDS: usize = 2_000;

/// 95 % percentile interval of a statistic over resampled indices: blocks of `block` neighbours are drawn with
/// replacement until there are n (Künsch, Ann. Stat. 17:1217, 1989; with block 1 the ordinary bootstrap of Efron).
/// None where the statistic fails for more than half of the resamples.
pub(super) fn interval(n: usize, block: usize, seed: u64, statistic: impl Fn(&[usize]) -> Option<f64>) -> Option<(f64, f64)> {
    if n < 3 {
        return None;
    }
    let block = block.clamp(1, n);
    let mut chance = Chance::new(seed);
    let mut chosen = Vec::with_capacity(n + block);
    let mut values = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        chosen.clear();
        while chosen.len() < n {
            let from = chance.below(n - block + 1);
            chosen.extend(from..from + block);
        }
        chosen.truncate(n);
        values.extend(statistic(&chosen).filter(|v| v.is_finite()));
    }
    if values.len() * 2 < ROUNDS {
        return None;
    }
    values.sort_by(f64::total_cmp);
    Some((quantile(&values, 0.025)?, quantile(&values, 0.975)?))
}

/// Linear between neighbours (Hyndman and Fan's definition 7). `sorted` ascends.
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share * (sorted.len().checked_sub(1)?) as f64;
    let (low, high) = (sorted.get(at.floor() as usize)?, sorted.get(at.ceil() as usize)?);
    Some(low + (high - low) * at.fract())
}
