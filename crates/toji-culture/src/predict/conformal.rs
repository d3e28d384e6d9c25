//! Intervals that are calibrated on runs the model had not seen.
//!
//! A run's score is how far its readings lie from what was expected of it, in units of the expected spread; over a whole
//! course the greatest of them, so that the band holds for all its readings at once. Where runs are exchangeable, the
//! score of the next run is as likely to have any rank among theirs.
//!
//! Vovk, Gammerman and Shafer, *Algorithmic Learning in a Random World* (2005): split. Barber, Candès, Ramdas and
//! Tibshirani, "Predictive inference with the jackknife+", Ann Stat 49:486–507 (2021): jackknife+ and CV+. That their
//! bound holds for a whole course at once follows as for one reading. Let two runs play: each is held against the model
//! that saw neither, and who strays farther wins. A course is out where it wins against r = ⌈level·(n + 1)⌉ of the n runs
//! ([`stays`]: Vovk's cross-conformal set, Ann Math Artif Intell 74:9–28, 2015, with a fold for each run); of n + 1 runs
//! that are exchangeable only so many can win so often (Barber et al., theorem 1; nothing in it asks the score to be of
//! one reading, as Gupta, Kuchibhotla and Ramdas say of nested sets, Pattern Recognition 127:108496, 2022).
//!
//! A new run stays in r/(n + 1) of cases where the games are consistent, as they are where one run hardly changes the
//! model. That is not the level itself, and what is counted may lie above it:
//!
//! * r is rounded up: 90 % of ten runs is 10/11. A rank drawn by chance would be exact (Vovk et al., smoothed) and would
//!   mean that one forecast in ten is given a band for 82 %; that is not done.
//! * With few runs some sets of games have no winner of all: each strays farther than another. With r = n nobody is out
//!   then, so a new run stays more often than n/(n + 1).
//! * A [`band`] has one lower and one upper end at each reading, so it is the hull of the courses that stay: a course that
//!   leaves it is out, but one that is out may wind its way within it.
//!
//! The band of one model with the spread of the left out scores (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, J Am Stat
//! Assoc 113:1094–1111, 2018) was no tighter with few runs when it was tried, and proves nothing without assumptions on
//! the model.

use serde::{Deserialize, Serialize};

/// How the runs that calibrate were kept from the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The model was fitted to other runs.
    Split,
    /// For each run a model without it.
    JackknifePlus,
    /// For each run a model without its fold.
    CvPlus {
        /// Folds.
        folds: usize,
    },
}

/// What so many runs can promise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Promise {
    /// Level asked for.
    pub level: f64,
    /// Runs that calibrate.
    pub runs: usize,
    /// Rank of the score that the interval goes by; none: so few runs cannot promise the level, and there is no interval.
    pub rank: Option<usize>,
    /// Coverage to be expected where runs are exchangeable (and, but for `split`, the model hardly changes by one run).
    pub expected: Option<f64>,
    /// Coverage that holds whatever the model and the data, as long as runs are exchangeable.
    pub guaranteed: Option<f64>,
    /// The greatest level for which so many runs give an interval.
    pub possible: f64,
    /// The least number of runs that gives one for the level asked.
    pub runs_needed: usize,
}

/// What `runs` runs can promise at a level.
#[must_use]
pub fn promise(method: Method, runs: usize, level: f64) -> Promise {
    let n = runs as f64;
    // A hair below, so that 0.9 of 10 is 9.
    let rank = (level * (n + 1.0) - 1e-9).ceil().max(1.0) as usize;
    let rank = (rank <= runs).then_some(rank);
    let miss = 1.0 - level;
    let guaranteed = match method {
        Method::Split => rank.map(|r| r as f64 / (n + 1.0)),
        Method::JackknifePlus => rank.map(|_| (1.0 - 2.0 * miss).max(0.0)),
        Method::CvPlus { folds } => rank.map(|_| {
            let k = folds.max(1) as f64;
            let slack = (2.0 * (1.0 - 1.0 / k) / (n / k + 1.0)).min((1.0 - k / n) / (k + 1.0)).max(0.0);
            (1.0 - 2.0 * miss - slack).max(0.0)
        }),
    };
    Promise {
        level,
        runs,
        rank,
        expected: rank.map(|r| r as f64 / (n + 1.0)),
        guaranteed,
        possible: n / (n + 1.0),
        runs_needed: if miss > 0.0 { (level / miss - 1e-9).ceil() as usize } else { usize::MAX },
    }
}

/// What a model expects of a run: at every reading a mean and a spread.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Expected {
    /// Means.
    pub mean: Vec<f64>,
    /// Standard deviations; positive.
    pub spread: Vec<f64>,
}

/// How far a run's readings lie from what was expected, at the farthest; none where nothing was read.
#[must_use]
pub fn score(expected: &Expected, read: &[Option<f64>]) -> Option<f64> {
    let off = |((mean, spread), read): ((&f64, &f64), &Option<f64>)| read.map(|r| (r - mean).abs() / spread);
    expected.mean.iter().zip(&expected.spread).zip(read).filter_map(off).reduce(f64::max)
}

/// Does a run stay with those that calibrate? It does not where it strays farther from what is expected of it than the
/// score of a run, for so many runs as the level asks; `expected` is in the order of the scores, by the models that had not
/// seen each of them, or one for all. None where nothing was read or so few runs cannot promise the level. Every course that
/// stays lies in the [`band`].
#[must_use]
pub fn stays(scores: &[f64], expected: &[Expected], read: &[Option<f64>], level: f64) -> Option<bool> {
    let rank = promise(Method::JackknifePlus, scores.len(), level).rank?;
    let of = |i: usize| expected.get(if expected.len() == 1 { 0 } else { i });
    let won = scores.iter().enumerate().map(|(i, s)| Some(score(of(i)?, read)? > *s)).collect::<Option<Vec<_>>>()?;
    Some(won.into_iter().filter(|w| *w).count() < rank)
}

/// A band.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Band {
    /// Lower ends.
    pub low: Vec<f64>,
    /// Upper ends.
    pub high: Vec<f64>,
}

impl Band {
    /// Does every reading lie in it? None where nothing was read.
    #[must_use]
    pub fn holds(&self, read: &[Option<f64>]) -> Option<bool> {
        let within = |((low, high), read): ((&f64, &f64), &Option<f64>)| read.map(|r| (*low..=*high).contains(&r));
        self.low.iter().zip(&self.high).zip(read).filter_map(within).reduce(|a, b| a && b)
    }
}

/// The band of a new run. `scores` are those of the runs that calibrate; `expected` is what is expected of the new run,
/// by the one model of a split, or in the order of the scores by the model that had not seen each of them. None where
/// so few runs cannot promise the level ([`promise`] says what they can).
#[must_use]
pub fn band(scores: &[f64], expected: &[Expected], level: f64) -> Option<Band> {
    let n = scores.len();
    let rank = promise(Method::JackknifePlus, n, level).rank?;
    let first = expected.first()?;
    if expected.len() == 1 {
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        let wide = sorted.get(rank - 1)?;
        let end = |sign: f64| first.mean.iter().zip(&first.spread).map(|(m, s)| m + sign * wide * s).collect();
        return Some(Band { low: end(-1.0), high: end(1.0) });
    }
    if expected.len() != n || expected.iter().any(|e| e.mean.len() != first.mean.len()) {
        return None;
    }
    let end = |sign: f64| {
        (0..first.mean.len())
            .map(|point| {
                let mut ends: Vec<f64> =
                    scores.iter().zip(expected).map(|(s, e)| sign * e.mean[point] + s * e.spread[point]).collect();
                ends.sort_by(f64::total_cmp);
                sign * ends[rank - 1]
            })
            .collect()
    };
    Some(Band { low: end(-1.0), high: end(1.0) })
}
