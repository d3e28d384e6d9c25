//! The calibration ledger: what became of forecasts that were stored before the run, and whether a model may steer.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::special::beta_regularised;

/// One interval that was stored, and what was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Entry {
    /// Model.
    pub model: String,
    /// Quantity or sensor.
    pub quantity: String,
    /// Scale: the vessel, such as `0.25 L`.
    pub scale: String,
    /// Run.
    pub run: String,
    /// When the forecast was stored, as seconds since 1970: entries are looked at in this order.
    pub stored: f64,
    /// Does the band promise all readings of the run at once, or each by itself?
    pub at_once: bool,
    /// Level that was promised.
    pub level: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// What was read.
    pub read: f64,
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cell {
    /// Model.
    pub model: String,
    /// Quantity or sensor.
    pub quantity: String,
    /// Scale.
    pub scale: String,
    /// All readings of a run at once, or each by itself.
    pub at_once: bool,
    /// Level, in thousandths.
    pub level_thousandths: u32,
}

/// How often intervals held.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Coverage {
    /// Runs.
    pub runs: usize,
    /// Runs whose interval held; where each reading counts by itself, the sum of the shares that did.
    pub held: f64,
    /// Share.
    pub share: f64,
    /// Lower end of its exact interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Clopper and Pearson's interval of a share, with `n` runs of which `held` held. Exact for whole numbers; for a mean of
/// shares it is wide enough, since the mean of numbers between 0 and 1 never varies more than that of coin tosses.
#[must_use]
pub fn exact_interval(held: f64, n: usize, confidence: f64) -> (f64, f64) {
    let (n, tail) = (n as f64, 0.5 * (1.0 - confidence));
    let quantile = |p: f64, a: f64, b: f64| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if beta_regularised(a, b, middle) < p { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    };
    let low = if held <= 0.0 { 0.0 } else { quantile(tail, held, n - held + 1.0) };
    let high = if held >= n { 1.0 } else { quantile(1.0 - tail, held + 1.0, n - held) };
    (low, high)
}

/// Coverage of outcomes, one a run.
#[must_use]
pub fn coverage(outcomes: &[f64], confidence: f64) -> Coverage {
    let held: f64 = outcomes.iter().sum();
    let (low, high) = exact_interval(held, outcomes.len(), confidence);
    Coverage { runs: outcomes.len(), held, share: held / outcomes.len().max(1) as f64, low, high }
}

/// Outcomes of every cell: one a run, in the order in which the forecasts were stored.
#[must_use]
pub fn ledger(entries: &[Entry]) -> BTreeMap<Cell, Vec<f64>> {
    let mut runs: BTreeMap<Cell, BTreeMap<&str, (f64, usize, usize)>> = BTreeMap::new();
    for entry in entries {
        let cell = Cell {
            model: entry.model.clone(),
            quantity: entry.quantity.clone(),
            scale: entry.scale.clone(),
            at_once: entry.at_once,
            level_thousandths: (entry.level * 1000.0).round().clamp(0.0, 1000.0) as u32,
        };
        let of_run = runs.entry(cell).or_default().entry(&entry.run).or_insert((entry.stored, 0, 0));
        of_run.0 = of_run.0.min(entry.stored);
        of_run.1 += usize::from((entry.low..=entry.high).contains(&entry.read));
        of_run.2 += 1;
    }
    runs.into_iter()
        .map(|(cell, runs)| {
            let mut runs: Vec<(&str, (f64, usize, usize))> = runs.into_iter().collect();
            runs.sort_by(|a, b| a.1.0.total_cmp(&b.1.0).then(a.0.cmp(b.0)));
            let outcome = |(_, (_, held, of)): &(&str, (f64, usize, usize))| {
                if cell.at_once { f64::from(u8::from(held == of)) } else { *held as f64 / *of as f64 }
            };
            let outcomes = runs.iter().map(outcome).collect();
            (cell, outcomes)
        })
        .collect()
}

/// What is asked of a model that steers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rule {
    /// How far coverage may lie from the level on either side.
    pub tolerance: f64,
    /// Coverage that must be beyond doubt.
    pub floor: f64,
    /// Confidence of the exact intervals.
    pub confidence: f64,
    /// The last runs, which must not be out of the band by themselves either: an old good record does not hide a new
    /// failure.
    pub recent: usize,
}

impl Default for Rule {
    fn default() -> Self {
        Self { tolerance: 0.03, floor: 0.7, confidence: 0.95, recent: 20 }
    }
}

/// May a model steer?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Its intervals have held as often as they promise.
    MaySteer,
    /// They have not.
    Lost,
    /// Nobody can tell yet.
    NotEnoughEvidence,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Coverage is in its band, and beyond doubt above the floor.
    InBand,
    /// Over all runs intervals held too seldom.
    TooSeldom,
    /// Over all runs they held too often: they are wider than they say.
    TooOften,
    /// Over the last runs they held too seldom.
    TooSeldomLately,
    /// Over the last runs they held too often.
    TooOftenLately,
    /// So few runs leave a coverage below the floor possible.
    FloorInDoubt,
    /// No run with a stored forecast has ended.
    NoRuns,
}

/// Whether a model whose intervals of this level had these outcomes may steer, and why.
#[must_use]
pub fn permission(outcomes: &[f64], level: f64, rule: &Rule) -> (Permission, Reason) {
    if outcomes.is_empty() {
        return (Permission::NotEnoughEvidence, Reason::NoRuns);
    }
    let all = coverage(outcomes, rule.confidence);
    let last = coverage(&outcomes[outcomes.len().saturating_sub(rule.recent.max(1))..], rule.confidence);
    let (least, most) = (level - rule.tolerance, level + rule.tolerance);
    for (seen, seldom, often) in
        [(all, Reason::TooSeldom, Reason::TooOften), (last, Reason::TooSeldomLately, Reason::TooOftenLately)]
    {
        if seen.high < least {
            return (Permission::Lost, seldom);
        }
        if seen.low > most {
            return (Permission::Lost, often);
        }
    }
    if all.low < rule.floor {
        (Permission::NotEnoughEvidence, Reason::FloorInDoubt)
    } else {
        (Permission::MaySteer, Reason::InBand)
    }
}
