//! One simulation on its way: the steps between the instants at which something happens.

use super::super::number::Number;
use super::super::rodas::{Rodas, Slopes, Step, Tolerances};
use super::{LOOKS, Options, Run, Trajectory};
use toji_core::Result;

/// Where a simulation is, and where it goes.
pub(super) struct Course<N> {
    /// Instants at which comparisons with time turn, and the next of them.
    scheduled: Vec<N>,
    planned: usize,
    /// Place of the next time that is asked for.
    asked: usize,
    end: f64,
    /// Longest step.
    longest: f64,
    steps_max: usize,
    /// The next instant at which something may happen, and the same with its derivatives.
    stop: (f64, N),
    /// Something happened here: the next step is the first of its kind.
    fresh: bool,
    /// Length of the next step, and of the one that is tried.
    h: f64,
    tried: f64,
    /// Length and error of the last accepted step: none after something happened.
    accepted: Option<(f64, f64)>,
    /// Was the last step that was tried refused?
    refused: bool,
    out: Trajectory<N>,
}

/// The next step is this share of the longest whose error is expected to be within the tolerances.
const SAFETY: f64 = 0.9;
/// Least and greatest ratio of a step to the one before.
const GROW_MIN: f64 = 0.2;
const GROW_MAX: f64 = 6.0;

impl<N: Number> Course<N> {
    /// How far it is to the next stop.
    fn way(&self, t: f64) -> f64 {
        self.stop.0 - t
    }

    /// Length of the step that is tried, and the instant at which the slopes at its end are looked at: just before a
    /// stop, since comparisons turn there.
    pub(super) fn step(&self, t: f64, nudge: f64) -> (f64, f64) {
        (self.tried, if self.tried == self.way(t) { self.stop.0 - nudge } else { t + self.tried })
    }

    /// Was the state changed, so that [`Run::first_step`] is to be asked?
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The instant at which the slopes at the beginning of a step are looked at: after what turns there.
    pub(super) fn begin(&self, t: f64, nudge: f64) -> f64 {
        if self.fresh { t + nudge } else { t }
    }

    /// Chooses the step that is tried; no sliver is left before a stop.
    pub(super) fn choose(&mut self, t: f64) {
        let (way, h) = (self.way(t), self.h.min(self.longest));
        self.h = h;
        self.tried = if h >= way {
            way
        } else if 2.0 * h > way {
            0.5 * way
        } else {
            h
        };
    }

    /// How much longer than an accepted step the next one is to be: Gustafsson's predictive controller, which goes on
    /// with the trend of the last two steps (Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.8).
    fn growth(&mut self, tried: f64, error: f64) -> f64 {
        let mut grow = if error > 0.0 { SAFETY / fourth_root(error) } else { GROW_MAX };
        if error > 0.0
            && let Some((length, before)) = self.accepted
        {
            grow = grow.min(SAFETY * tried / length * fourth_root(before / (error * error)));
        }
        self.accepted = Some((tried, error.max(1e-2)));
        let most = if std::mem::take(&mut self.refused) { 1.0 } else { GROW_MAX };
        grow.clamp(GROW_MIN, GROW_MAX).min(most)
    }

    /// Will the inside of the step be looked at?
    pub(super) fn looks_inside(&self, t: f64) -> bool {
        self.out.times.get(self.asked).is_some_and(|time| *time < t + self.tried)
    }
}

/// The fourth root, by roots alone: the same on every machine.
fn fourth_root(x: f64) -> f64 {
    libm::sqrt(libm::sqrt(x))
}

impl<N: Number> Run<'_, N> {
    /// Begins: lets happen what happens at the start, and writes what is asked for there.
    pub(super) fn set_out(&mut self, times: &[f64], options: &Options) -> Result<Course<N>> {
        let (start, end) = (self.t, times.last().copied().unwrap_or(self.t));
        let width = self.system.names.len();
        let values = Vec::with_capacity(width * times.len());
        let mut course = Course {
            scheduled: self.schedule(start, end)?,
            planned: 0,
            asked: 0,
            end,
            longest: options.step_max.unwrap_or(f64::INFINITY),
            steps_max: options.steps_max,
            stop: (end, N::of(end)),
            fresh: true,
            h: 0.0,
            tried: 0.0,
            accepted: None,
            refused: false,
            out: Trajectory { times: times.to_vec(), values, steps: (0, 0), happened: Vec::new(), width },
        };
        if self.system.watched > 0 {
            course.longest = course.longest.min((end - start) / LOOKS);
        }
        self.settle(N::of(start))?;
        self.remember()?;
        self.observe_now(&mut course.asked, &mut course.out);
        Ok(course)
    }

    /// What it gave.
    pub(super) fn finish(self, course: Course<N>) -> Trajectory<N> {
        let mut out = course.out;
        out.happened = self.happened;
        out
    }

    /// Is it at its end?
    pub(super) fn is_over(&self, course: &Course<N>) -> bool {
        self.t >= course.end
    }

    /// Goes to the end.
    pub(super) fn integrate(&mut self, course: &mut Course<N>, asked: Tolerances<'_>) -> Result<()> {
        let n = self.y.len();
        let mut solver = Rodas::<N>::new(n);
        let mut moved = true;
        while !self.is_over(course) {
            self.aim(course);
            if moved {
                let y = std::mem::take(&mut self.y);
                solver.begin(&mut self.registers, N::of(course.begin(self.t, self.nudge)), &y);
                self.y = y;
                self.first_step(course, &solver.step.slopes, asked);
            }
            course.choose(self.t);
            let (h, to) = course.step(self.t, self.nudge);
            let error = if n == 0 { 0.0 } else { solver.attempt(&mut self.registers, (self.t, h, to), asked) };
            moved = self.judge(course, error, &mut solver.step)?;
        }
        Ok(())
    }

    /// Looks for the next stop.
    pub(super) fn aim(&mut self, course: &mut Course<N>) {
        while course.scheduled.get(course.planned).is_some_and(|s| s.value() <= self.t) {
            course.planned += 1;
        }
        let mut stop = (course.end, N::of(course.end));
        for instant in course.scheduled.get(course.planned).into_iter().copied().chain(self.pending.iter().map(|p| p.due)) {
            if instant.value() < stop.0 || (instant.value() == stop.0 && stop.0 == course.end) {
                stop = (instant.value(), instant);
            }
        }
        course.stop = stop;
    }

    /// Is the step that was tried accepted? Sets the length of the next, and goes on.
    pub(super) fn judge(&mut self, course: &mut Course<N>, error: f64, step: &mut Step<N>) -> Result<bool> {
        let tried = course.tried;
        if error.is_nan() || error > 1.0 {
            course.out.steps.1 += 1;
            course.refused = true;
            course.h = tried * if error.is_finite() { (0.9 / fourth_root(error)).clamp(0.1, 0.9) } else { 0.25 };
            if course.h <= 1e-14 * self.t.abs().max(tried.min(1.0)) || course.h < f64::MIN_POSITIVE {
                return Err(self.stuck(&step.slopes));
            }
            return Ok(false);
        }
        let steps = &mut course.out.steps;
        steps.0 += 1;
        if steps.0 + steps.1 > course.steps_max {
            return Err(self.failed("E-SIM-003", "ステップの数が上限を超えました", "more steps than the limit"));
        }
        let turn = self.turn(step, tried)?;
        let reached = turn.as_ref().map_or(tried, |(share, _)| share * tried);
        let at_stop = turn.is_none() && tried == course.way(self.t);
        let now = if at_stop { course.stop.0 } else { self.t + reached };
        self.observe_inside(step, tried, now, course);
        let when = match turn {
            Some((_, y)) => {
                let root = self.root(now, &y)?;
                self.y = y;
                root
            }
            None => {
                self.y.copy_from_slice(&step.ends);
                if at_stop { course.stop.1 } else { N::of(now) }
            }
        };
        let turned = when.value() != self.t + tried || reached < tried;
        self.t = now;
        course.h = tried * course.growth(tried, error);
        course.fresh = at_stop || turned;
        if course.fresh {
            course.accepted = None;
        }
        if course.fresh {
            self.settle(when)?;
            self.remember()?;
        }
        self.observe_now(&mut course.asked, &mut course.out);
        Ok(true)
    }

    /// The first instant of a step at which a watched comparison has turned, and the state there.
    fn turn(&mut self, step: &mut Step<N>, h: f64) -> Result<Option<(f64, Vec<N>)>> {
        if self.system.watched == 0 {
            return Ok(None);
        }
        let mut at = vec![N::of(0.0); self.y.len()];
        step.prepare();
        let (mut before, mut after) = (0.0, None);
        for share in [0.25, 0.5, 0.75, 1.0] {
            step.inside(share, &mut at);
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
            step.inside(middle, &mut at);
            if self.turned(self.t + middle * h, &at)? { after = middle } else { before = middle }
        }
        step.inside(after, &mut at);
        Ok(Some((after, at)))
    }

    /// Writes what is asked for before the end of the step.
    fn observe_inside(&mut self, step: &mut Step<N>, h: f64, now: f64, course: &mut Course<N>) {
        let mut at: Option<Vec<N>> = None;
        while let Some(time) = course.out.times.get(course.asked).copied().filter(|t| *t < now) {
            let y = at.get_or_insert_with(|| {
                step.prepare();
                vec![N::of(0.0); self.y.len()]
            });
            step.inside((time - self.t) / h, y);
            self.observe(time, y, &mut course.out);
            course.asked += 1;
        }
    }

    /// A first step, where one is to be taken (Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I,
    /// section II.4).
    pub(super) fn first_step(&mut self, course: &mut Course<N>, slopes: &[N], asked: Tolerances<'_>) {
        if !course.fresh {
            return;
        }
        course.fresh = false;
        let (n, way) = (self.y.len(), course.way(self.t));
        let size = |x: &[N], y: &[N]| {
            let shares = x.iter().zip(y).zip(asked.absolute).map(|((x, y), a)| {
                let share = x.magnitude() / (a + asked.relative * y.magnitude());
                share * share
            });
            libm::sqrt(shares.sum::<f64>() / (n.max(1) as f64))
        };
        let (state, slope) = (size(&self.y, &self.y), size(slopes, &self.y));
        if slope.is_nan() || slope == 0.0 {
            course.h = way;
            return;
        }
        let guess = if state < 1e-5 || slope < 1e-5 { 1e-6 * way.min(1.0) } else { 0.01 * state / slope }.min(way);
        let ahead: Vec<N> = self.y.iter().zip(slopes).map(|(y, s)| *y + *s * N::of(guess)).collect();
        let mut bent = vec![N::of(0.0); n];
        self.registers.slopes(N::of(self.t + guess), &ahead, &mut bent);
        bent.iter_mut().zip(slopes).for_each(|(b, s)| *b = *b - *s);
        let curve = size(&bent, &self.y) / guess;
        let most = if curve.is_nan() { slope } else { slope.max(curve) };
        let second = if most <= 1e-15 { (guess * 1e-3).max(1e-6) } else { fourth_root(0.01 / most) };
        course.h = (100.0 * guess).min(second).min(way);
    }

    fn stuck(&self, slopes: &[N]) -> toji_core::Error {
        let bad = slopes.iter().position(|s| !s.magnitude().is_finite());
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
