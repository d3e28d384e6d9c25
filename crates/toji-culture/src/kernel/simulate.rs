//! A simulation: steps of the solver between the instants at which something happens.

use super::number::Number;
use super::rodas::{Rodas, Slopes};
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

    fn place(&mut self, t: N, y: &[N]) {
        let layout = &self.system.layout;
        self.registers[layout.time as usize] = t;
        let first = layout.states as usize;
        self.registers[first..first + y.len()].copy_from_slice(y);
    }

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

impl<N: Number> Slopes<N> for Registers<'_, N> {
    fn slopes(&mut self, t: N, y: &[N], into: &mut [N]) {
        let system = self.system;
        self.run(&system.rates, t, y, into);
    }

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
        let run = Run::new(self, constants, start, end)?;
        self.run(run, times, options)
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
        let (start, end) = (times[0], times[times.len() - 1]);
        let scheduled = run.schedule(start, end)?;
        let absolute: Vec<f64> =
            (0..self.order()).map(|i| options.absolute.get(i).or(options.absolute.last()).copied().unwrap_or(1e-9)).collect();
        let mut out = Trajectory {
            times: times.to_vec(),
            values: Vec::new(),
            steps: (0, 0),
            happened: Vec::new(),
            width: self.names.len(),
        };
        run.integrate(options, &absolute, &scheduled, end, &mut out)?;
        out.happened = run.happened;
        Ok(out)
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

    /// The first instant of a step at which a watched comparison has turned, and the state there.
    fn turn(&mut self, solver: &mut Rodas<N>, h: f64) -> Result<Option<(f64, Vec<N>)>> {
        if self.system.watched == 0 {
            return Ok(None);
        }
        let mut at = vec![N::of(0.0); self.y.len()];
        solver.prepare();
        let (mut before, mut after) = (0.0, None);
        for share in [0.25, 0.5, 0.75, 1.0] {
            solver.inside(share, &mut at);
            if self.turned(self.t + share * h, &at)? {
                after = Some(share);
                break;
            }
            before = share;
        }
        let Some(mut after) = after else { return Ok(None) };
        for _ in 0..60 {
            let middle = 0.5 * (before + after);
            if middle <= before || middle >= after {
                break;
            }
            solver.inside(middle, &mut at);
            if self.turned(self.t + middle * h, &at)? { after = middle } else { before = middle }
        }
        solver.inside(after, &mut at);
        Ok(Some((after, at)))
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

    fn integrate(
        &mut self,
        options: &Options,
        absolute: &[f64],
        scheduled: &[N],
        end: f64,
        out: &mut Trajectory<N>,
    ) -> Result<()> {
        let n = self.y.len();
        let mut solver = Rodas::<N>::new(n);
        let (mut asked, mut planned) = (0, 0);
        self.settle(N::of(self.t))?;
        self.remember()?;
        self.observe_now(&mut asked, out);
        let watch = if self.system.watched > 0 { (end - self.t) / LOOKS } else { f64::INFINITY };
        let longest = options.step_max.unwrap_or(f64::INFINITY).min(watch);
        let (mut fresh, mut h) = (true, 0.0);
        let mut last_error = 1.0;
        while self.t < end {
            while scheduled.get(planned).is_some_and(|s| s.value() <= self.t) {
                planned += 1;
            }
            let mut stop = (end, N::of(end));
            for instant in scheduled.get(planned).into_iter().copied().chain(self.pending.iter().map(|p| p.due)) {
                if instant.value() < stop.0 || (instant.value() == stop.0 && stop.0 == end) {
                    stop = (instant.value(), instant);
                }
            }
            let way = stop.0 - self.t;
            if fresh {
                let y = std::mem::take(&mut self.y);
                solver.begin(&mut self.registers, self.t, &y);
                self.y = y;
                h = self.first_step(&mut solver, way, options.relative, absolute);
                fresh = false;
            }
            h = h.min(longest);
            // No sliver is left before a stop.
            let tried = if h >= way {
                way
            } else if 2.0 * h > way {
                0.5 * way
            } else {
                h
            };
            let error = if n == 0 { 0.0 } else { solver.attempt(&mut self.registers, self.t, tried, options.relative, absolute) };
            if error.is_nan() || error > 1.0 {
                out.steps.1 += 1;
                h = tried * if error.is_finite() { (0.9 * libm::pow(error, -0.25)).clamp(0.1, 0.9) } else { 0.25 };
                if h <= 1e-14 * self.t.abs().max(tried.min(1.0)) || h < f64::MIN_POSITIVE {
                    return Err(self.stuck(&solver));
                }
                continue;
            }
            out.steps.0 += 1;
            if out.steps.0 + out.steps.1 > options.steps_max {
                return Err(self.failed("E-SIM-003", "ステップの数が上限を超えました", "more steps than the limit"));
            }
            let turn = self.turn(&mut solver, tried)?;
            let reached = turn.as_ref().map_or(tried, |(share, _)| share * tried);
            let at_stop = turn.is_none() && tried == way;
            let now = if at_stop { stop.0 } else { self.t + reached };
            self.observe_inside(&mut solver, tried, now, &mut asked, out);
            let when = match turn {
                Some((_, y)) => {
                    let root = self.root(now, &y)?;
                    self.y = y;
                    root
                }
                None => {
                    self.y.copy_from_slice(&solver.ends);
                    if at_stop { stop.1 } else { N::of(now) }
                }
            };
            let turned = when.value() != self.t + tried || reached < tried;
            self.t = now;
            // Gustafsson's predictive controller.
            let mut grow = if error > 0.0 { 0.9 * libm::pow(error, -0.25) } else { 6.0 };
            if error > 0.0 && out.steps.0 > 1 {
                grow = grow.min(grow * libm::pow(last_error / error, 0.25));
            }
            last_error = error.max(1e-2);
            h = tried * grow.clamp(0.2, 6.0);
            if at_stop || turned {
                self.settle(when)?;
                self.remember()?;
                fresh = true;
            } else if self.t < end {
                let y = std::mem::take(&mut self.y);
                solver.begin(&mut self.registers, self.t, &y);
                self.y = y;
            }
            self.observe_now(&mut asked, out);
        }
        Ok(())
    }

    /// Writes what is asked for before the end of the step.
    fn observe_inside(&mut self, solver: &mut Rodas<N>, h: f64, now: f64, asked: &mut usize, out: &mut Trajectory<N>) {
        let mut at: Option<Vec<N>> = None;
        while let Some(time) = out.times.get(*asked).copied().filter(|t| *t < now) {
            let y = at.get_or_insert_with(|| {
                solver.prepare();
                vec![N::of(0.0); self.y.len()]
            });
            solver.inside((time - self.t) / h, y);
            let y = std::mem::take(y);
            self.observe(time, &y, out);
            at = Some(y);
            *asked += 1;
        }
    }

    /// A first step (Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, section II.4).
    fn first_step(&mut self, solver: &mut Rodas<N>, way: f64, relative: f64, absolute: &[f64]) -> f64 {
        let n = self.y.len();
        let size = |x: &[N], y: &[N]| {
            let shares = x.iter().zip(y).zip(absolute).map(|((x, y), a)| {
                let share = x.magnitude() / (a + relative * y.magnitude());
                share * share
            });
            libm::sqrt(shares.sum::<f64>() / (n.max(1) as f64))
        };
        let (state, slope) = (size(&self.y, &self.y), size(solver.slopes(), &self.y));
        if slope.is_nan() || slope == 0.0 {
            return way;
        }
        let guess = if state < 1e-5 || slope < 1e-5 { 1e-6 * way.min(1.0) } else { 0.01 * state / slope }.min(way);
        let ahead: Vec<N> = self.y.iter().zip(solver.slopes()).map(|(y, s)| *y + *s * N::of(guess)).collect();
        let mut bent = vec![N::of(0.0); n];
        self.registers.slopes(N::of(self.t + guess), &ahead, &mut bent);
        bent.iter_mut().zip(solver.slopes()).for_each(|(b, s)| *b = *b - *s);
        let curve = size(&bent, &self.y) / guess;
        let most = if curve.is_nan() { slope } else { slope.max(curve) };
        let second = if most <= 1e-15 { (guess * 1e-3).max(1e-6) } else { libm::pow(0.01 / most, 0.25) };
        (100.0 * guess).min(second).min(way)
    }

    fn stuck(&self, solver: &Rodas<N>) -> Error {
        let bad = solver.slopes().iter().position(|s| !s.magnitude().is_finite());
        match bad {
            Some(i) => {
                let name = &self.system.names[self.system.states[i]];
                self.failed(
                    "E-SIM-004",
                    &format!("«{name}» の変化の速さが数になりません"),
                    &format!("the rate of «{name}» is no number"),
                )
            }
            None => self.failed("E-SIM-005", "ステップが短くなりすぎました", "the steps become too short"),
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
