//! Parameters from measurements: many starts, the profile of every parameter, and whether the data determine it at all.

mod descend;
mod objective;
mod posterior;
mod problem;
#[cfg(test)]
mod tests;

pub use posterior::{Posterior, Uncertain};
pub use problem::{Measured, Noise, Parameter, Prior, Problem, Reading, Run, Scale};

use descend::Descent;
use toji_core::chance::Chance;
use toji_core::{Category, Error, Result};

/// −2 ln L rises by this where a single parameter leaves its 95 % interval (χ² of one degree of freedom).
const RISE_95: f64 = 3.841_458_820_694_124;
/// A step of a profile that rises further beyond than this is halved, so that the end between can be interpolated.
const OVERSHOOT: f64 = 0.5;
/// Steps of a profile to either side.
const PROFILE_STEPS: usize = 60;

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
}

impl Problem<'_> {
    /// Fits from `starts` points drawn by the seed over the bounds; the same seed gives the same fit.
    ///
    /// # Errors
    /// No start could be simulated.
    pub fn fit(&self, starts: usize, seed: u64) -> Result<Fit> {
        let (mut best, ends) = self.best(starts, seed)?;
        let mut estimates = Vec::new();
        let mut unknown = 0;
        while unknown < self.unknowns.len() {
            match self.profile(&best, unknown) {
                Ok(estimate) => {
                    estimates.push(estimate);
                    unknown += 1;
                }
                // A profile found a better point: start again from there.
                Err(better) => {
                    best = *better;
                    estimates.clear();
                    unknown = 0;
                }
            }
        }
        let minus_two_log = best.fitness.minus_two_log;
        Ok(Fit {
            estimates,
            spreads: self.noises.iter().cloned().zip(best.fitness.spreads.iter().copied()).collect(),
            at_best: ends.iter().flatten().filter(|end| **end < minus_two_log + 0.01).count(),
            starts: ends,
            converged: best.converged,
            minus_two_log,
            n: self.runs.iter().map(|r| r.measured.len()).sum(),
        })
    }

    /// The best of descents from `starts` points, and −2 ln L at the end of each.
    fn best(&self, starts: usize, seed: u64) -> Result<(Descent, Vec<Option<f64>>)> {
        let mut best: Option<Descent> = None;
        let mut ends = Vec::new();
        for point in self.points(starts.max(1), seed) {
            let descent = self.descend(&point, &[]).ok();
            ends.push(descent.as_ref().map(|d| d.fitness.minus_two_log));
            if let Some(descent) = descent
                && best.as_ref().is_none_or(|b| descent.fitness.minus_two_log < b.fitness.minus_two_log)
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

    /// Latin hypercube over the bounds.
    fn points(&self, starts: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut chance = Chance::new(seed);
        let mut points = vec![Vec::with_capacity(self.unknowns.len()); starts];
        for unknown in &self.unknowns {
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

    /// The profile of an unknown: the others descend while it is held, step by step to either side.
    fn profile(&self, best: &Descent, unknown: usize) -> Result<Estimate, Box<Descent>> {
        let it = &self.unknowns[unknown];
        let bottom = best.fitness.minus_two_log;
        let (low, high) = it.bounds();
        let (curvature, _) = self.normal(&best.fitness, &[unknown]);
        // The width of the interval if nothing else moved; profiles are wider, so steps begin smaller.
        let width = libm::sqrt(RISE_95 / curvature[0].max(1e-12));
        let mut sides = Vec::new();
        let mut profile = vec![(it.outward(best.at[unknown]), 0.0)];
        for (direction, bound) in [(-1.0, low), (1.0, high)] {
            let (mut at, mut step) = (best.at.clone(), (0.25 * width).clamp(1e-6 * (high - low), 0.05 * (high - low)));
            let (mut last, mut rise_before) = (best.at[unknown], 0.0);
            let mut crossed = None;
            for _ in 0..PROFILE_STEPS {
                let next = if direction < 0.0 { (last - step).max(bound) } else { (last + step).min(bound) };
                if next == last {
                    break;
                }
                at[unknown] = next;
                let Ok(descent) = self.descend(&at, &[unknown]) else { break };
                let rise = descent.fitness.minus_two_log - bottom;
                if rise < -1e-3 {
                    return Err(Box::new(descent));
                }
                if rise > RISE_95 + OVERSHOOT && step > 1e-6 * (high - low) {
                    step *= 0.5;
                    continue;
                }
                profile.push((it.outward(next), rise.max(0.0)));
                if rise >= RISE_95 {
                    let share = (RISE_95 - rise_before) / (rise - rise_before);
                    crossed = Some(it.outward(last + share * (next - last)));
                    break;
                }
                // Longer where the profile hardly rises.
                if rise - rise_before < 0.2 * RISE_95 {
                    step *= 1.6;
                }
                (at, last, rise_before) = (descent.at, next, rise);
            }
            sides.push(crossed);
        }
        profile.sort_by(|a, b| a.0.total_cmp(&b.0));
        let identifiable = match (sides[0], sides[1]) {
            (Some(_), Some(_)) => Identifiable::Yes,
            (Some(_), None) => Identifiable::OnlyBelow,
            (None, Some(_)) => Identifiable::OnlyAbove,
            (None, None) => Identifiable::No,
        };
        let at_best = it.outward(best.at[unknown]);
        Ok(Estimate {
            name: it.name.clone(),
            value: (identifiable == Identifiable::Yes).then_some(at_best),
            at_best,
            low: sides[0],
            high: sides[1],
            identifiable,
            profile,
        })
    }
}
