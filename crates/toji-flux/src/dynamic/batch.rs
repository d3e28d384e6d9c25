//! A batch over time, from event to event.

use super::Vessel;
use super::regime::{Metabolism, Regime};
use super::step::{Step, step};
use crate::network::Network;
use serde::{Deserialize, Serialize};
use toji_core::error::Category;
use toji_core::{Error, Place, Result};

/// Error of a step, relative.
const TOLERANCE: f64 = 1e-9;
/// Events are located to this, h.
const MOMENT: f64 = 1e-10;
/// Growth below this is none, 1/h.
const STILL: f64 = 1e-6;
/// Steps and events of one batch.
const LIMIT: usize = 100_000;

/// Why a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// The last time asked for was reached.
    Time,
    /// Growth came to an end (below 1e-6 1/h).
    Growth,
    /// What is left in the medium does not satisfy the bounds, as a rule the maintenance.
    Starved,
}

/// A time during which the same bounds limit the cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Phase {
    /// Start, h.
    pub from: f64,
    /// End, h.
    pub to: f64,
    /// Exchange reactions at the uptake bound that the vessel sets.
    pub limiting: Vec<usize>,
    /// Growth at the start, 1/h.
    pub growth: f64,
}

/// What happened in the vessel. Lists by time have the same length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Course {
    /// Times, h: the start, those asked for as far as the batch went, the events, and the end.
    pub times: Vec<f64>,
    /// Biomass at each time, g/L.
    pub biomass: Vec<f64>,
    /// Concentrations, mmol/L, at each time, one list for each pool.
    pub pools: Vec<Vec<f64>>,
    /// Amount exchanged up to the end, mmol/L, by each gas and then by each tracked reaction; uptake is negative.
    pub exchanged: Vec<f64>,
    /// Phases between events.
    pub phases: Vec<Phase>,
    /// Why it ended.
    pub end: End,
    /// Linear programmes solved.
    pub programmes: usize,
    /// Steps of integration.
    pub steps: usize,
}

/// Follows a batch up to the last of `times` (h, ascending), or until growth ends or the cells starve. Deterministic.
///
/// # Errors
/// `E-FLUX-031` for a vessel that does not fit the network or times that do not ascend from zero, `E-FLUX-030` when a goal
/// has no limit, `E-FLUX-032` when the course does not end in 100 000 steps, `E-FLUX-012` as for [`crate::lp::Solver::solve`].
pub fn batch(network: &Network, vessel: &Vessel, times: &[f64]) -> Result<Course> {
    let ascend = times.windows(2).all(|w| w[0] < w[1]) && times.iter().all(|t| t.is_finite() && *t >= 0.0);
    let Some(&last) = times.last().filter(|_| ascend) else {
        return Err(Error::input("E-FLUX-031", "時刻が 0 以上の昇順ではありません", "the times do not ascend from zero")
            .at(Place::field("times"))
            .hint(
                "0 以上の時刻を小さい順に、一つ以上渡してください",
                "give at least one time, none below zero, in ascending order",
            ));
    };
    let mut run = Run::new(network, vessel)?;
    let end = run.follow(times, last)?;
    let pools = vessel.pools.len();
    let mut course = run.course;
    course.end = end;
    course.exchanged = run.state[1 + pools..].to_vec();
    course.programmes = run.metabolism.programmes;
    Ok(course)
}

struct Run<'a> {
    vessel: &'a Vessel,
    driven: Vec<usize>,
    metabolism: Metabolism<'a>,
    /// Reactions whose flux times biomass is the slope of the state after the biomass.
    summed: Vec<usize>,
    /// Biomass, pools, amounts of gases and tracked reactions.
    state: Vec<f64>,
    time: f64,
    course: Course,
}

impl<'a> Run<'a> {
    fn new(network: &Network, vessel: &'a Vessel) -> Result<Self> {
        let metabolism = Metabolism::new(network, vessel)?;
        let driven: Vec<usize> = vessel.driven().collect();
        let summed: Vec<usize> = driven.iter().chain(&vessel.tracked).copied().collect();
        let mut state = vec![vessel.biomass];
        state.extend(vessel.pools.iter().map(|p| p.start));
        state.resize(1 + summed.len(), 0.0);
        let course = Course {
            times: Vec::new(),
            biomass: Vec::new(),
            pools: vec![Vec::new(); vessel.pools.len()],
            exchanged: Vec::new(),
            phases: Vec::new(),
            end: End::Time,
            programmes: 0,
            steps: 0,
        };
        Ok(Self { vessel, driven, metabolism, summed, state, time: 0.0, course })
    }

    fn bounds(&self, state: &[f64]) -> Vec<f64> {
        let mut bounds = Vec::with_capacity(self.driven.len());
        let pools = &state[1..=self.vessel.pools.len()];
        self.vessel.lower_bounds(&self.metabolism.own_lower, state[0], pools, &mut bounds);
        bounds
    }

    fn slope(&self, regime: &Regime, state: &[f64]) -> Vec<f64> {
        let bounds = self.bounds(state);
        let biomass = state[0];
        std::iter::once(self.vessel.growth)
            .chain(self.summed.iter().copied())
            .map(|j| regime.flux(j, &bounds) * biomass)
            .collect()
    }

    fn growth(&self, regime: &Regime, state: &[f64]) -> f64 {
        regime.flux(self.vessel.growth, &self.bounds(state))
    }

    fn record(&mut self) {
        if self.course.times.last() == Some(&self.time) {
            return;
        }
        self.course.times.push(self.time);
        self.course.biomass.push(self.state[0]);
        for (list, value) in self.course.pools.iter_mut().zip(&self.state[1..]) {
            list.push(*value);
        }
    }

    /// Whether the regime is right, and the cells still grow, all along a step.
    fn good(&self, regime: &Regime, h: f64, made: &Step) -> bool {
        [0.25, 0.5, 0.75, 1.0].iter().all(|&part| {
            let state = made.at(&self.state, h, part);
            regime.holds(&self.metabolism, &self.bounds(&state)) && self.growth(regime, &state) > STILL
        })
    }

    fn try_step(&self, regime: &Regime, h: f64) -> Step {
        step(&self.state, h, TOLERANCE, |y| self.slope(regime, y))
    }

    fn follow(&mut self, times: &[f64], last: f64) -> Result<End> {
        self.record();
        let mut due = times.iter().copied().filter(|&t| t > 0.0).peekable();
        let mut length = 1e-3_f64.min(last.max(MOMENT));
        loop {
            let Some(regime) = self.metabolism.regime(&self.bounds(&self.state))? else {
                self.record();
                return Ok(End::Starved);
            };
            let growth = self.growth(&regime, &self.state);
            if growth <= STILL {
                self.record();
                return Ok(End::Growth);
            }
            let limiting = regime.limiting(&self.driven);
            let from = self.time;
            let ended = self.stay(&regime, &mut due, &mut length)?;
            match self.course.phases.last_mut() {
                Some(phase) if phase.limiting == limiting => phase.to = self.time,
                _ => self.course.phases.push(Phase { from, to: self.time, limiting, growth }),
            }
            if ended {
                return Ok(End::Time);
            }
            self.record();
        }
    }

    /// Steps while the regime is right, then just past the event that ends it; `true` when the last time was reached.
    fn stay(
        &mut self,
        regime: &Regime,
        due: &mut std::iter::Peekable<impl Iterator<Item = f64>>,
        length: &mut f64,
    ) -> Result<bool> {
        loop {
            let Some(&target) = due.peek() else { return Ok(true) };
            self.course.steps += 1;
            if self.course.steps > LIMIT {
                return Err(endless(self.time));
            }
            let lands = *length >= target - self.time;
            let h = if lands { target - self.time } else { *length };
            let made = self.try_step(regime, h);
            let error = if made.error.is_finite() { made.error } else { 1e10 };
            if error > 1.0 && h > MOMENT {
                *length = (h * (0.9 * error.powf(-0.2)).max(0.1)).max(MOMENT);
                continue;
            }
            if !self.good(regime, h, &made) {
                self.cross(regime, h);
                return Ok(false);
            }
            self.state = made.end;
            self.time = if lands { target } else { self.time + h };
            let grown = h * (0.9 * error.max(1e-10).powf(-0.2)).clamp(0.2, 5.0);
            *length = if lands { grown.max(*length) } else { grown };
            if lands {
                due.next();
                self.record();
            }
        }
    }

    /// Moves to just past the event that lies within a step of length `h`.
    fn cross(&mut self, regime: &Regime, h: f64) {
        let (mut before, mut past) = (0.0, h);
        while past - before > MOMENT.max(4.0 * f64::EPSILON * self.time) {
            let middle = 0.5 * (before + past);
            let made = self.try_step(regime, middle);
            if self.good(regime, middle, &made) {
                before = middle;
            } else {
                past = middle;
            }
        }
        self.state = self.try_step(regime, past).end;
        self.time += past;
    }
}

fn endless(time: f64) -> Error {
    Error::new(
        Category::Model,
        "E-FLUX-032",
        format!("回分培養の計算が時刻 {time} h で進まなくなりました"),
        format!("the course of the batch no longer advances at {time} h"),
    )
    .hint(
        "速度定数の桁と、終わりの時刻までの長さを見直してください",
        "look at the size of the rate constants and at how long the batch is",
    )
}
