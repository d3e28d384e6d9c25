//! How well a ranking finds what is known to be good, against chance and against another ranking.

use toji_core::chance::Chance;

/// How well scores tell the good from the rest.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Found {
    /// Chance that a good candidate stands before another one, ties counted half (area under the receiver operating curve).
    pub area: f64,
    /// One over the rank of the first good candidate; of equals the middle rank.
    pub first: f64,
    /// Share of the good among as many of the best as `top` says.
    pub recall: f64,
}

/// Scores and which of them are good; nothing when all or none are.
#[must_use]
pub fn found(scores: &[f64], good: &[bool], top: usize) -> Option<Found> {
    let count = scores.len().min(good.len());
    let positives = good[..count].iter().filter(|g| **g).count();
    if positives == 0 || positives == count {
        return None;
    }
    let ranks = ranks(&scores[..count]);
    let of_good = || ranks.iter().zip(good).filter(|(_, g)| **g).map(|(r, _)| *r);
    let (p, n) = (positives as f64, (count - positives) as f64);
    let area = (p * n + p * (p + 1.0) / 2.0 - of_good().sum::<f64>()) / (p * n);
    let first = 1.0 / of_good().fold(f64::INFINITY, f64::min);
    let recall = of_good().filter(|r| *r <= top as f64).count() as f64 / p;
    Some(Found { area, first, recall })
}

/// The rank of each score, the greatest first; equals share their middle rank.
fn ranks(scores: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut ranks = vec![0.0; scores.len()];
    let mut at = 0;
    while at < order.len() {
        let same = order[at..].iter().take_while(|&&k| scores[k] == scores[order[at]]).count();
        order[at..at + same].iter().for_each(|&k| ranks[k] = at as f64 + (same as f64 + 1.0) / 2.0);
        at += same;
    }
    ranks
}

/// Share of random orders whose mean area over the groups is at least `area` (one is added above and below, Phipson and
/// Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010, 39), and the mean area of the random orders.
#[must_use]
pub fn against_chance(groups: &[Vec<bool>], area: f64, orders: usize, seed: u64) -> (f64, f64) {
    let mut chance = Chance::new(seed);
    let (mut beaten, mut sum) = (0, 0.0);
    for _ in 0..orders {
        let areas: Vec<f64> = groups
            .iter()
            .filter_map(|good| {
                let scores: Vec<f64> = good.iter().map(|_| chance.uniform()).collect();
                found(&scores, good, 1).map(|f| f.area)
            })
            .collect();
        let mean = areas.iter().sum::<f64>() / areas.len().max(1) as f64;
        sum += mean;
        beaten += usize::from(mean >= area);
    }
    ((beaten + 1) as f64 / (orders + 1) as f64, sum / orders.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_and_ranks_of_a_small_case_by_hand() {
        // Order: good 0.9, bad 0.5, good and bad 0.3, bad 0.1. Pairs won: 3 + 1.5 of 6.
        let have = found(&[0.9, 0.5, 0.3, 0.3, 0.1], &[true, false, true, false, false], 2).unwrap();
        assert_eq!((have.area, have.first, have.recall), (4.5 / 6.0, 1.0, 0.5));
        let flat = found(&[1.0; 4], &[true, false, false, false], 1).unwrap();
        assert_eq!((flat.area, flat.first), (0.5, 0.4));
        assert!(found(&[1.0, 2.0], &[true, true], 1).is_none());
        let group = vec![true, false, false, false, false, false, false, false, false, false];
        let (p, mean) = against_chance(&[group.clone(), group], 0.99, 2_000, 5);
        // Both first: 1 in 100.
        assert!(p > 0.004 && p < 0.02 && (mean - 0.5).abs() < 0.02, "{p} {mean}");
    }
}
