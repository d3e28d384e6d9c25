//! Parameters from measurements: many starts, the profile of every parameter, and whether the data determine it at all.

mod descend;
mod landscape;
mod objective;
mod posterior;
mod problem;
mod profile;
mod share;
#[cfg(test)]
mod tests;

pub use landscape::{Landscape, Local, Scale, Unknown};
pub use posterior::{Posterior, Uncertain};
pub use problem::{Measured, Noise, Parameter, Prior, Problem, Reading, Run};
pub use share::{Share, Squares};

use descend::{Descent, descend};
use toji_core::chance::Chance;
use toji_core::{Category, Error, Result};

/// Chance that a hop draws an unknown again.
const REDRAWN: f64 = 0.4;

/// How far the data determine a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identifiable {
    /// Its interval is bounded on both sides.
    Yes,
    /// Only from below.
    OnlyBelow,
    /// Only from above.
    OnlyAbove,
    /// Not at all: the profile is flat.
    No,
}

/// An estimated parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Name, with its group where it has its own.
    pub name: String,
    /// Best value; none where the data do not determine it.
    pub value: Option<f64>,
    /// Value at the best point all the same, for simulating with it.
    pub at_best: f64,
    /// Lower end of the 95 % profile interval; none: not bounded within the bounds of the search.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Do the data determine it?
    pub identifiable: Identifiable,
    /// The profile: value and rise of −2 ln L above the best.
    pub profile: Vec<(f64, f64)>,
}

/// What a fit found.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Parameters.
    pub estimates: Vec<Estimate>,
    /// Estimated standard deviations of sensors.
    pub spreads: Vec<(String, f64)>,
    /// −2 ln L at the best point.
    pub minus_two_log: f64,
    /// −2 ln L at the end of every start, in their order; none where it could not be simulated.
    pub starts: Vec<Option<f64>>,
    /// Did the best descent end because nothing fell any more, not because it was cut off?
    pub converged: bool,
    /// Starts that ended at the best, within 0.01.
    pub at_best: usize,
    /// Measurements.
    pub n: usize,
    /// −2 ln L and its shape at the best point, on the scales of the search.
    pub best: Local,
}

/// Points to start from and what of the report is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Starts, by a Latin hypercube over the bounds.
    pub starts: usize,
    /// Times that each start leaves the valley it ended in: a part of the unknowns is drawn again, and what is found
    /// from there is kept if it is better (iterated local search). Without it a start is one descent.
    pub hops: usize,
    /// Seed of the starts and hops; the same seed gives the same fit.
    pub seed: u64,
    /// Intervals by profiles. Without them no parameter is said to be determined.
    pub profiles: bool,
}

/// Fits; `report` hears of the starts and profiles done and of how many there are, and ends the work by an error.
///
/// # Errors
/// No start could be simulated; what `report` says.
pub fn fit(landscape: &impl Landscape, effort: Effort, report: &dyn Fn(usize, usize) -> Result<()>) -> Result<Fit> {
    let unknowns = landscape.unknowns();
    let all = effort.starts.max(1) + if effort.profiles { unknowns.len() } else { 0 };
    let (mut best, ends) = best(landscape, effort, &|done| report(done, all))?;
    let mut estimates: Vec<Estimate> = Vec::new();
    while effort.profiles && estimates.len() < unknowns.len() {
        report(ends.len() + estimates.len(), all)?;
        match profile::profile(landscape, &best, estimates.len()) {
            Ok(estimate) => estimates.push(estimate),
            // A profile found a better point: start again from there.
            Err(better) => {
                best = *better;
                estimates.clear();
            }
        }
    }
    if !effort.profiles {
        estimates = unknowns.iter().zip(&best.at).map(|(u, at)| Estimate::unknown(u, *at)).collect();
    }
    let minus_two_log = best.local.minus_two_log;
    Ok(Fit {
        estimates,
        spreads: landscape.noises().iter().cloned().zip(best.local.spreads.iter().copied()).collect(),
        at_best: ends.iter().flatten().filter(|end| **end < minus_two_log + 0.01).count(),
        starts: ends,
        converged: best.converged,
        minus_two_log,
        n: landscape.measurements(),
        best: best.local,
    })
}

/// The best of all starts, and −2 ln L at the end of each.
fn best(landscape: &impl Landscape, effort: Effort, report: &dyn Fn(usize) -> Result<()>) -> Result<(Descent, Vec<Option<f64>>)> {
    let unknowns = landscape.unknowns();
    let mut best: Option<Descent> = None;
    let mut ends = Vec::new();
    for point in points(&unknowns, effort.starts.max(1), effort.seed) {
        report(ends.len())?;
        let descent = search(landscape, &unknowns, &point, effort, ends.len() as u64);
        ends.push(descent.as_ref().map(|d| d.local.minus_two_log));
        if let Some(descent) = descent
            && best.as_ref().is_none_or(|b| descent.local.minus_two_log < b.local.minus_two_log)
        {
            best = Some(descent);
        }
    }
    let best = best.ok_or_else(|| {
        Error::new(
            Category::Model,
            "E-FIT-002",
            "どの出発点でもモデルを計算できませんでした",
            "the model could not be simulated from any start",
        )
        .hint(
            "範囲を狭めるか、モデルを culture simulate で確かめてください",
            "narrow the bounds, or check the model with culture simulate",
        )
    })?;
    Ok((best, ends))
}

impl Problem<'_> {
    /// Fits with profiles, and nobody to report to.
    ///
    /// # Errors
    /// As [`fit`].
    pub fn fit(&self, starts: usize, seed: u64) -> Result<Fit> {
        fit(self, Effort { starts, hops: 0, seed, profiles: true }, &|_, _| Ok(()))
    }
}

/// Where one start ends: the best of its first descent and those after its hops; none where nothing could be simulated.
fn search(landscape: &impl Landscape, unknowns: &[&Unknown], from: &[f64], effort: Effort, start: u64) -> Option<Descent> {
    let mut chance = Chance::new(effort.seed.wrapping_add(start.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let mut best = descend(landscape, from, &[]).ok();
    for _ in 0..effort.hops {
        let mut point = best.as_ref().map_or_else(|| from.to_vec(), |b| b.at.clone());
        for (at, unknown) in point.iter_mut().zip(unknowns) {
            let (low, high) = unknown.bounds();
            let (moves, share) = (chance.uniform() < REDRAWN, chance.uniform());
            if moves || best.is_none() {
                *at = low + share * (high - low);
            }
        }
        if let Ok(found) = descend(landscape, &point, &[])
            && best.as_ref().is_none_or(|b| found.local.minus_two_log < b.local.minus_two_log)
        {
            best = Some(found);
        }
    }
    best
}

/// Latin hypercube over the bounds.
fn points(unknowns: &[&Unknown], starts: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut chance = Chance::new(seed);
    let mut points = vec![Vec::with_capacity(unknowns.len()); starts];
    for unknown in unknowns {
        let (low, high) = unknown.bounds();
        let mut order: Vec<usize> = (0..starts).collect();
        chance.shuffle(&mut order);
        for (point, cell) in points.iter_mut().zip(order) {
            let share = (cell as f64 + chance.uniform()) / starts as f64;
            point.push(low + share * (high - low));
        }
    }
    points
}
