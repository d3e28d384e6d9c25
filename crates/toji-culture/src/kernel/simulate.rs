//! A simulation: steps of the solver between the instants at which something happens.

mod apart;
mod course;

use super::number::{Lanes, Number};
use super::rodas::{Slopes, Tolerances};
use super::system::System;
use super::tape::Tape;
use toji_core::{Category, Error, Result};

/// How to simulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// Relative error of a step.
    pub relative: f64,
    /// Absolute error of a step: one for all states, or one each.
    pub absolute: Vec<f64>,
    /// Longest step, in the unit of time; none: the solver's choice.
    pub step_max: Option<f64>,
    /// Most steps.
    pub steps_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { relative: 1e-6, absolute: vec![1e-9], step_max: None, steps_max: 1_000_000 }
    }
}

/// What a simulation gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory<N> {
    /// Times, as asked for.
    pub times: Vec<f64>,
    /// Values of all quantities, in the order of [`System::names`], at each time in turn; at the time of an event,
    /// those after it.
    pub values: Vec<N>,
    /// Accepted and refused steps.
    pub steps: (usize, usize),
    /// What happened: time and place of the event in the definition.
    pub happened: Vec<(f64, usize)>,
    width: usize,
}

impl<N: Copy> Trajectory<N> {
    /// All quantities at a time, by its place among the times.
    #[must_use]
    pub fn at(&self, time: usize) -> &[N] {
        &self.values[time * self.width..(time + 1) * self.width]
    }

    /// The same with every value seen by `f`.
    pub fn map<M>(&self, f: impl Fn(N) -> M) -> Trajectory<M> {
        Trajectory {
            times: self.times.clone(),
            values: self.values.iter().map(|v| f(*v)).collect(),
            steps: self.steps,
            happened: self.happened.clone(),
            width: self.width,
        }
    }

    /// One quantity at all times.
    pub fn of(&self, quantity: usize) -> impl Iterator<Item = N> + '_ {
        self.values.iter().skip(quantity).step_by(self.width).copied()
    }
}

/// Events at one instant that are too many to be meant.
const EVENTS_AT_ONCE_MAX: usize = 100_000;
/// Parts of the way that no step exceeds where comparisons are watched.
const LOOKS: f64 = 50.0;

/// The memory of a system at values of its constants.
pub(super) struct Registers<'s, N> {
    pub(super) system: &'s System,
    registers: Vec<N>,
}

impl<'s, N: Number> Registers<'s, N> {
    /// With these constants and those that follow from them, and the state at the start.
    pub(super) fn prepared(system: &'s System, constants: &[N], start: f64) -> (Self, Vec<N>) {
        let layout = &system.layout;
        let mut registers = vec![N::of(0.0); layout.registers];
        for (register, literal) in registers.iter_mut().zip(&layout.literals) {
            *register = N::of(*literal);
        }
        let first = layout.constants as usize;
        registers[first..first + constants.len()].copy_from_slice(constants);
        registers[layout.time as usize] = N::of(start);
        layout.prelude.run(&mut registers);
        system.initial.run(&mut registers);
        let mut initial = vec![N::of(0.0); system.initial.results.len()];
        system.initial.read(&registers, &mut initial);
        let derived = initial.split_off(system.order());
        for (i, value) in system.derived_constants().zip(derived) {
            registers[first + i] = value;
        }
        layout.prelude.run(&mut registers);
        (Self { system, registers }, initial)
    }

    /// Nothing in it yet.
    fn empty(system: &'s System) -> Self {
        Self { system, registers: vec![N::of(0.0); system.layout.registers] }
    }

    #[inline(always)]
    fn place(&mut self, t: N, y: &[N]) {
        let layout = &self.system.layout;
        self.registers[layout.time as usize] = t;
        let first = layout.states as usize;
        self.registers[first..first + y.len()].copy_from_slice(y);
    }

    #[inline(always)]
    pub(super) fn run(&mut self, tape: &Tape, t: N, y: &[N], into: &mut [N]) {
        self.place(t, y);
        tape.run(&mut self.registers);
        tape.read(&self.registers, into);
    }

    fn single(&mut self, tape: &Tape, t: N, y: &[N]) -> N {
        let mut value = [N::of(0.0)];
        self.run(tape, t, y, &mut value);
        value[0]
    }
}

impl<const L: usize> Registers<'_, Lanes<L>> {
    /// Puts what one simulation knows into a lane.
    fn fill_lane(&mut self, lane: usize, of: &Registers<'_, f64>) {
        self.registers.iter_mut().zip(&of.registers).for_each(|(to, from)| to.0[lane] = *from);
    }
}

impl<N: Number> Slopes<N> for Registers<'_, N> {
    #[inline(always)]
    fn slopes(&mut self, t: N, y: &[N], into: &mut [N]) {
        let system = self.system;
        self.run(&system.rates, t, y, into);
    }

    #[inline(always)]
    fn jacobian(&mut self, t: N, y: &[N], into: &mut [N], in_time: &mut [N], jacobian: &mut [N]) {
        let system = self.system;
        let n = y.len();
        self.place(t, y);
        system.jacobian.run(&mut self.registers);
        system.jacobian.read(&self.registers, into);
        in_time.fill(N::of(0.0));
        for ((row, column), from) in system.entries.iter().zip(&system.jacobian.results[n..]) {
            let value = self.registers[*from as usize];
            match column {
                Some(column) => jacobian[row * n + column] = value,
                None => in_time[*row] = value,
            }
        }
    }
}

/// An event that waits for its execution.
struct Pending<N> {
    event: usize,
    due: N,
    values: Option<Vec<N>>,
}

struct Run<'s, N> {
    system: &'s System,
    registers: Registers<'s, N>,
    t: f64,
    /// A time this much later sees a comparison turned.
    nudge: f64,
    y: Vec<N>,
    truths: Vec<N>,
    /// Watched comparisons as they were at the beginning of the step, then triggers.
    were: Vec<bool>,
    pending: Vec<Pending<N>>,
    happened: Vec<(f64, usize)>,
}

impl System {
    /// Simulates from the first of the times to the last, with these values of the constants (in the order of
    /// [`System::constants`]).
    ///
    /// # Errors
    /// Times that do not increase; a state that is no number or a step that becomes too short, with the time and the
    /// quantity; too many steps; lanes that would take different ways (then they are simulated one by one).
    pub fn simulate<N: Number>(&self, constants: &[N], times: &[f64], options: &Options) -> Result<Trajectory<N>> {
        self.run(self.ready(constants, times)?, times, options)
    }

    /// At the start.
    fn ready<N: Number>(&self, constants: &[N], times: &[f64]) -> Result<Run<'_, N>> {
        let (Some(start), Some(end)) = (times.first().copied(), times.last().copied()) else {
            return Err(Error::input("E-SIM-001", "時刻がありません", "there are no times"));
        };
        if constants.len() != self.constants().len() || !times.is_sorted() || !start.is_finite() || !end.is_finite() {
            return Err(Error::input(
                "E-SIM-001",
                "時刻は小さい順の有限の数、定数はモデルの数だけ必要です",
                "times must be finite and in order, and there must be as many constants as the model has",
            ));
        }
        Run::new(self, constants, start, end)
    }

    /// As [`Self::simulate`], but goes on from this state (in the order of [`Self::states`]) at the first of the times,
    /// at which everything that was due has happened: an event whose trigger is true there does not happen again.
    ///
    /// # Errors
    /// As [`Self::simulate`], and a state that is not of the model's length.
    pub fn resume<N: Number>(&self, constants: &[N], state: &[N], times: &[f64], options: &Options) -> Result<Trajectory<N>> {
        self.turned([constants, constants], state, times, options)
    }

    /// As [`Self::resume`], but the constants were the first until now and are the second from now on: what the triggers
    /// were is by the first, and an event whose trigger the second make true happens at the first of the times.
    ///
    /// # Errors
    /// As [`Self::resume`].
    pub fn turned<N: Number>(
        &self,
        constants: [&[N]; 2],
        state: &[N],
        times: &[f64],
        options: &Options,
    ) -> Result<Trajectory<N>> {
        let (Some(start), Some(end)) = (times.first().copied(), times.last().copied()) else {
            return Err(Error::input("E-SIM-001", "時刻がありません", "there are no times"));
        };
        let fits = constants.iter().all(|c| c.len() == self.constants().len()) && state.len() == self.order();
        if !fits || !times.is_sorted() || !start.is_finite() || !end.is_finite() {
            return Err(Error::input(
                "E-SIM-001",
                "時刻は小さい順の有限の数、定数と状態はモデルの数だけ必要です",
                "times must be finite and in order, and there must be as many constants and states as the model has",
            ));
        }
        let mut run = Run::new(self, constants[0], start, end)?;
        run.look(start + run.nudge, state)?;
        let were = run.truths.iter().map(|truth| truth.is_true()).collect();
        if !std::ptr::eq(constants[0], constants[1]) {
            run = Run::new(self, constants[1], start, end)?;
        }
        run.y.copy_from_slice(state);
        run.were = were;
        self.run(run, times, options)
    }

    fn run<N: Number>(&self, mut run: Run<'_, N>, times: &[f64], options: &Options) -> Result<Trajectory<N>> {
        let mut course = run.set_out(times, options)?;
        run.integrate(&mut course, Tolerances { relative: options.relative, absolute: &self.absolute(options) })?;
        Ok(run.finish(course))
    }

    /// Absolute tolerance of each state.
    fn absolute(&self, options: &Options) -> Vec<f64> {
        (0..self.order()).map(|i| options.absolute.get(i).or(options.absolute.last()).copied().unwrap_or(1e-9)).collect()
    }
}

impl<'s, N: Number> Run<'s, N> {
    fn new(system: &'s System, constants: &[N], start: f64, end: f64) -> Result<Self> {
        let (registers, initial) = Registers::prepared(system, constants, start);
        Ok(Self {
            system,
            registers,
            t: start,
            nudge: 1e-13 * start.abs().max(end.abs()).max((end - start).abs()),
            y: initial,
            truths: vec![N::of(0.0); system.truths.results.len()],
            were: vec![false; system.watched].into_iter().chain(system.events.iter().map(|e| e.was_true)).collect(),
            pending: Vec::new(),
            happened: Vec::new(),
        })
    }

    /// Instants at which comparisons with time turn, in order.
    fn schedule(&mut self, start: f64, end: f64) -> Result<Vec<N>> {
        let tape = &self.system.schedule;
        let mut pairs = vec![N::of(0.0); tape.results.len()];
        let y = self.y.clone();
        self.registers.run(tape, N::of(start), &y, &mut pairs);
        let mut instants = Vec::new();
        for pair in pairs.chunks_exact(2) {
            let instant = N::of(start) - pair[0] / pair[1];
            let lanes = instant.lanes();
            if lanes.iter().any(|t| t != &lanes[0]) {
                return Err(parted());
            }
            if instant.value() > start && instant.value() <= end {
                instants.push(instant);
            }
        }
        instants.sort_by(|a, b| a.value().total_cmp(&b.value()));
        Ok(instants)
    }

    fn look(&mut self, t: f64, y: &[N]) -> Result<()> {
        let system = self.system;
        self.registers.run(&system.truths, N::of(t), y, &mut self.truths);
        for truth in &self.truths {
            let lanes = truth.lanes();
            if lanes.iter().any(|l| (*l != 0.0) != (lanes[0] != 0.0)) {
                return Err(parted());
            }
        }
        Ok(())
    }

    /// Lets everything happen that is due now. `when` is this instant with its derivatives.
    fn settle(&mut self, when: N) -> Result<bool> {
        let system = self.system;
        if system.events.is_empty() {
            return Ok(false);
        }
        let drift = when - N::of(self.t);
        let moves = !drift.is_nothing();
        let mut slopes = vec![N::of(0.0); if moves { self.y.len() } else { 0 }];
        let mut y = std::mem::take(&mut self.y);
        let mut drift_by = |registers: &mut Registers<'_, N>, y: &mut [N], by: N| {
            if moves {
                registers.slopes(when, y, &mut slopes);
                y.iter_mut().zip(&slopes).for_each(|(y, s)| *y = *y + *s * by);
            }
        };
        drift_by(&mut self.registers, &mut y, drift);
        let (mut count, before) = (0, self.happened.len());
        self.foremost(when, &mut y)?;
        loop {
            self.look(self.t + self.nudge, &y)?;
            for (e, event) in system.events.iter().enumerate() {
                let (now, was) = (self.truths[system.watched + e].is_true(), self.were[system.watched + e]);
                self.were[system.watched + e] = now;
                if now && !was {
                    let delay = event.delay.as_ref().map_or(N::of(0.0), |delay| self.registers.single(delay, when, &y));
                    let values = event.at_trigger.then(|| self.values(e, when, &y));
                    self.pending.push(Pending { event: e, due: when + delay, values });
                } else if was && !now && !event.persistent {
                    self.pending.retain(|p| p.event != e);
                }
            }
            let Some(next) = self.next_due(when, &y) else { break };
            count += 1;
            if count > EVENTS_AT_ONCE_MAX {
                return Err(self.failed(
                    "E-SIM-002",
                    "一つの時刻で事象が限りなく起こります",
                    "events without end at one instant",
                ));
            }
            let pending = self.pending.remove(next);
            let values = pending.values.unwrap_or_else(|| self.values(pending.event, when, &y));
            for (state, value) in system.events[pending.event].states.iter().zip(values) {
                y[*state] = value;
            }
            self.happened.push((self.t, pending.event));
        }
        drift_by(&mut self.registers, &mut y, -drift);
        self.y = y;
        Ok(self.happened.len() > before)
    }

    /// Events that come before all others: all at once, by the state before them.
    fn foremost(&mut self, when: N, y: &mut [N]) -> Result<()> {
        let system = self.system;
        if !system.events.iter().any(|event| event.foremost) {
            return Ok(());
        }
        self.look(self.t + self.nudge, y)?;
        let mut sets = Vec::new();
        for (e, event) in system.events.iter().enumerate().filter(|(_, event)| event.foremost) {
            let now = self.truths[system.watched + e].is_true();
            if now && !std::mem::replace(&mut self.were[system.watched + e], now) {
                sets.push((e, event, self.values(e, when, y)));
            }
        }
        for (e, event, values) in sets {
            event.states.iter().zip(values).for_each(|(state, value)| y[*state] = value);
            self.happened.push((self.t, e));
        }
        Ok(())
    }

    fn values(&mut self, event: usize, when: N, y: &[N]) -> Vec<N> {
        let tape = &self.system.events[event].values;
        let mut values = vec![N::of(0.0); tape.results.len()];
        self.registers.run(tape, when, y, &mut values);
        values
    }

    /// The place of the event that comes next among those due.
    fn next_due(&mut self, when: N, y: &[N]) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        for i in 0..self.pending.len() {
            if self.pending[i].due.value() > self.t + self.nudge {
                continue;
            }
            let priority = self.system.events[self.pending[i].event].priority.as_ref();
            let priority = priority.map_or(f64::NEG_INFINITY, |p| self.registers.single(p, when, y).value());
            if best.is_none_or(|(_, most)| priority > most) {
                best = Some((i, priority));
            }
        }
        best.map(|(i, _)| i)
    }

    fn remember(&mut self) -> Result<()> {
        if self.system.watched > 0 {
            let y = std::mem::take(&mut self.y);
            let looked = self.look(self.t + self.nudge, &y);
            self.y = y;
            looked?;
            for (were, truth) in self.were[..self.system.watched].iter_mut().zip(&self.truths) {
                *were = truth.is_true();
            }
        }
        Ok(())
    }

    fn failed(&self, code: &'static str, ja: &str, en: &str) -> Error {
        Error::new(Category::Model, code, format!("t = {}: {ja}", self.t), format!("t = {}: {en}", self.t))
    }

    /// Does a watched comparison differ from what it was at the beginning of the step?
    fn turned(&mut self, t: f64, y: &[N]) -> Result<bool> {
        self.look(t, y)?;
        Ok(self.truths.iter().zip(&self.were[..self.system.watched]).any(|(now, was)| now.is_true() != *was))
    }

    /// The instant of a turn with its derivatives.
    fn root(&mut self, t: f64, y: &[N]) -> Result<N> {
        let system = self.system;
        self.look(t, y)?;
        let turned = self.truths.iter().zip(&self.were[..system.watched]).position(|(now, was)| now.is_true() != *was);
        let mut gaps = vec![N::of(0.0); system.gaps.results.len()];
        self.registers.run(&system.gaps, N::of(t), y, &mut gaps);
        Ok(turned.map_or(N::of(t), |i| N::root(t, gaps[2 * i], gaps[2 * i + 1])))
    }

    fn observe(&mut self, t: f64, y: &[N], out: &mut Trajectory<N>) {
        let system = self.system;
        let from = out.values.len();
        out.values.resize(from + system.names.len(), N::of(0.0));
        self.registers.run(&system.observed, N::of(t), y, &mut out.values[from..]);
    }

    /// Writes what is asked for at this very instant.
    fn observe_now(&mut self, asked: &mut usize, out: &mut Trajectory<N>) {
        while out.times.get(*asked).is_some_and(|t| *t <= self.t) {
            let y = std::mem::take(&mut self.y);
            self.observe(self.t, &y, out);
            self.y = y;
            *asked += 1;
        }
    }
}

/// Lanes that would have to part.
fn parted() -> Error {
    Error::new(
        Category::Model,
        "E-SIM-006",
        "並べた計算の事象が異なります",
        "events differ between what is computed side by side",
    )
}
