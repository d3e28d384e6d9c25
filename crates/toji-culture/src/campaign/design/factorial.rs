//! Two-level designs: all combinations, or the fraction of them that confounds least.

use crate::linear::Matrix;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// Most choices of generators that are compared.
const CHOICES_MAX: usize = 600_000;

/// A two-level design.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoLevel {
    /// One row a run, one column a factor, −1 or 1.
    pub levels: Matrix,
    /// Each factor beyond the basic ones is the product of these basic factors (from 0).
    pub generators: Vec<Vec<usize>>,
    /// Length of the shortest word, which is what main effects are confounded with: at 3 with interactions of two, at
    /// 4 with those of three, at 5 interactions of two are clear of each other. `None` for all combinations.
    pub resolution: Option<usize>,
    /// Words of each length from 3 on.
    pub words: Vec<Words>,
}

/// How many words have a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Words {
    /// Length.
    pub length: usize,
    /// Words of that length.
    pub count: usize,
}

/// The two-level design of so many factors in so many runs with the least aberration: as few short words as possible
/// (Fries and Hunter, Technometrics 22, 601, 1980), found by comparing all choices of generators.
///
/// # Errors
/// Runs that are no power of two between 4 and 128, too few of them for main effects, or more choices than can be
/// compared.
pub fn two_level(factors: usize, runs: usize) -> Result<TwoLevel> {
    let basic = runs.trailing_zeros() as usize;
    let fits = runs.is_power_of_two() && (4..=128).contains(&runs) && (1..runs).contains(&factors);
    let candidates: Vec<u32> = (1..runs as u32).filter(|w| w.count_ones() >= 2).collect();
    let added = factors.saturating_sub(basic);
    if !fits || choices(candidates.len(), added) > CHOICES_MAX {
        return Err(Error::input(
            "E-CAMPAIGN-041",
            format!("{factors} 因子を {runs} 回で調べる二水準計画は作れません"),
            format!("there is no two-level design here of {factors} factors in {runs} runs"),
        )
        .at(Place::field("runs"))
        .hint(
            "回数は 4〜128 の 2 の累乗で因子数より多くしてください。因子が多いときは回数を因子数の直上の累乗にするか、決定的スクリーニング計画を使ってください",
            "take a power of two from 4 to 128 above the number of factors; with many factors take the next power, or a definitive screening design",
        ));
    }
    let basic = basic.min(factors);
    let mut best: Option<(Vec<usize>, Vec<u32>)> = None;
    let mut chosen: Vec<usize> = (0..added).collect();
    loop {
        let generators: Vec<u32> = chosen.iter().map(|i| candidates[*i]).collect();
        let lengths = word_lengths(&generators, factors);
        if best.as_ref().is_none_or(|(fewest, _)| lengths < *fewest) {
            best = Some((lengths, generators));
        }
        if !advance(&mut chosen, candidates.len()) {
            break;
        }
    }
    let (lengths, generators) = best.unwrap_or_default();
    let levels = Matrix::from_fn(runs, factors, |run, factor| {
        let word = if factor < basic { 1 << factor } else { generators[factor - basic] };
        // The product of levels: −1 for every basic factor of the word that is low.
        if (word & !(run as u32)).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
    });
    let words: Vec<Words> =
        lengths.iter().enumerate().filter(|(_, n)| **n > 0).map(|(length, count)| Words { length, count: *count }).collect();
    Ok(TwoLevel {
        levels,
        generators: generators.iter().map(|g| (0..basic).filter(|b| g >> b & 1 == 1).collect()).collect(),
        resolution: words.first().map(|w| w.length),
        words,
    })
}

/// n over k, no further than needed.
fn choices(n: usize, k: usize) -> usize {
    if k > n {
        return usize::MAX;
    }
    (0..k.min(n - k)).try_fold(1_usize, |c, i| c.checked_mul(n - i).map(|c| c / (i + 1))).unwrap_or(usize::MAX)
}

/// The next choice in order; false behind the last.
fn advance(chosen: &mut [usize], n: usize) -> bool {
    let k = chosen.len();
    for i in (0..k).rev() {
        if chosen[i] < n - k + i {
            chosen[i] += 1;
            for j in i + 1..k {
                chosen[j] = chosen[j - 1] + 1;
            }
            return true;
        }
    }
    false
}

/// Number of words of each length, by length.
fn word_lengths(generators: &[u32], factors: usize) -> Vec<usize> {
    let mut lengths = vec![0; factors + 1];
    for subset in 1_u32..1 << generators.len() {
        let product = generators.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1).fold(0, |p, (_, g)| p ^ g);
        lengths[(product.count_ones() + subset.count_ones()) as usize] += 1;
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_have_the_resolution_and_words_of_the_textbooks() {
        // Montgomery, Design and Analysis of Experiments, 8th ed., table 8.14 and the minimum-aberration tables of
        // Chen, Sun and Wu, Int. Stat. Rev. 61, 131, 1993.
        for (factors, runs, resolution, shortest) in [
            (3, 4, 3, 1),
            (5, 16, 5, 1),
            (5, 8, 3, 2),
            (6, 16, 4, 3),
            (7, 16, 4, 7),
            (7, 8, 3, 7),
            (8, 16, 4, 14),
            (7, 32, 4, 1),
            (8, 32, 4, 3),
            (9, 32, 4, 6),
            (8, 64, 5, 2),
            (15, 16, 3, 35),
        ] {
            let design = two_level(factors, runs).unwrap();
            assert_eq!(design.resolution, Some(resolution), "{factors} {runs}");
            assert_eq!(design.words[0].count, shortest, "{factors} {runs}");
            let gram = design.levels.gram();
            for i in 0..factors {
                for j in 0..factors {
                    assert_eq!(gram[(i, j)], if i == j { runs as f64 } else { 0.0 });
                }
            }
        }
    }

    #[test]
    fn all_combinations_come_in_standard_order_and_impossible_ones_are_refused() {
        let design = two_level(3, 8).unwrap();
        assert_eq!((design.resolution, design.generators.len()), (None, 0));
        assert_eq!(design.levels.row(1), [1.0, -1.0, -1.0]);
        assert_eq!(design.levels.row(6), [-1.0, 1.0, 1.0]);
        for (factors, runs) in [(8, 8), (3, 12), (0, 4), (3, 256), (12, 64)] {
            assert_eq!(two_level(factors, runs).unwrap_err().code(), "E-CAMPAIGN-041", "{factors} {runs}");
        }
    }
}
