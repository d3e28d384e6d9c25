//! The steady state: reached by integration, confirmed by Newton's method on the balances, judged by the eigenvalues.

use super::reactor::Reactor;
use crate::kernel::{Options, Still};
use crate::linear::{Matrix, eigenvalues, least_squares};
use toji_core::Result;

/// When integration may end, and how long it may take.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// Greatest change of any state in the time in which the volume is exchanged once, as a share of the greatest value
    /// that the state had.
    pub change: f64,
    /// Exchanges of the volume after which nothing is waited for any more.
    pub exchanges_max: f64,
    /// Nearness to the steady state that counts as reached, as a share of each state there.
    pub within: f64,
}

impl Default for Criterion {
    fn default() -> Self {
        Self { change: 1e-6, exchanges_max: 3000.0, within: 0.01 }
    }
}

/// A steady state with its proof.
#[derive(Debug, Clone, PartialEq)]
pub struct Steady {
    /// States, in the order of the system.
    pub state: Vec<f64>,
    /// All quantities.
    pub quantities: Vec<f64>,
    /// When integration met the criterion; none where the state was followed from a neighbour instead.
    pub integrated: Option<f64>,
    /// When all states had come within the share asked for and stayed there; none as above.
    pub reached: Option<f64>,
    /// When living cells and product alone had come within that share and stayed: from then on it is worth collecting.
    pub productive: Option<f64>,
    /// Change at the end of integration, as the criterion counts it.
    pub change: f64,
    /// Change after Newton's steps, as the criterion counts it.
    pub residual: f64,
    /// Newton's steps.
    pub steps: usize,
    /// How far Newton's method moved what integration had found, as the largest share of a state.
    pub moved: f64,
    /// Eigenvalues of the balances, per time, by decreasing real part; without states that nothing changes.
    pub eigenvalues: Vec<(f64, f64)>,
    /// Do small disturbances fade? None where the eigenvalues could not be found.
    pub stable: Option<bool>,
    /// Change of the volume in one exchange, as a share of it.
    pub volume_change: f64,
    /// Are the cells gone?
    pub washed_out: bool,
}

impl Steady {
    /// Time in which the slowest disturbance fades to 1/e.
    #[must_use]
    pub fn slowest(&self) -> Option<f64> {
        self.eigenvalues.first().filter(|e| e.0 < 0.0).map(|e| -1.0 / e.0)
    }
}

/// Why there is no steady state to tell of.
#[derive(Debug, Clone, PartialEq)]
pub enum Missed {
    /// Nothing flows out once all tables have ended.
    NoOutflow,
    /// The rates depend on time itself.
    Driven,
    /// The volume goes on changing: its change in one exchange, as a share.
    Volume(f64),
    /// A quantity still changes after all exchanges: its name, and its change in one exchange as the criterion counts it.
    Changing(String, f64),
    /// A flow runs backwards: its name.
    Backwards(String),
}

/// A steady state, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// There is one.
    Steady(Box<Steady>),
    /// There is none.
    Missed(Missed),
}

impl Found {
    /// The steady state, where there is one.
    #[must_use]
    pub fn steady(&self) -> Option<&Steady> {
        match self {
            Self::Steady(steady) => Some(steady),
            Self::Missed(_) => None,
        }
    }
}

/// Newton's steps at most.
const STEPS_MAX: usize = 60;
/// Change in one exchange after Newton's steps that counts as none.
const SOLVED: f64 = 1e-11;
/// Share of its greatest value below which cells are gone.
const GONE: f64 = 1e-6;
/// Exchanges after which a volume that still changes will not stop.
const GROWING: f64 = 50.0;
/// Points of an integrated stretch.
const POINTS: usize = 200;

/// What Newton's method gave.
pub(super) struct Solved {
    pub(super) state: Vec<f64>,
    pub(super) residual: f64,
    pub(super) steps: usize,
    /// States that take part.
    pub(super) free: Vec<usize>,
    /// Slopes of their rates among each other.
    pub(super) jacobian: Matrix,
}

/// Solves rates(state) = 0 from a state nearby. `scale` is the size of each state, `exchange` the time of one exchange; the
/// states in `fixed` stay as they are, as do those whose rate is nothing whatever the others are.
pub(super) fn newton(still: &mut Still<'_, f64>, from: &[f64], scale: &[f64], exchange: f64, fixed: &[usize]) -> Option<Solved> {
    let mut state = from.to_vec();
    let change = |rates: &[f64], free: &[usize]| -> f64 {
        free.iter().map(|i| (rates[*i] * exchange / scale[*i]).abs()).fold(0.0, |m, v| if v > m || v.is_nan() { v } else { m })
    };
    let (mut steps, mut best) = (0, f64::INFINITY);
    loop {
        let (rates, slopes, _) = still.jacobian(&state);
        let moves = |i: usize| {
            let greatest = (0..state.len()).map(|j| (slopes[(i, j)] * scale[j]).abs()).fold(rates[i].abs(), f64::max);
            greatest * exchange > 1e-11 * scale[i]
        };
        let free: Vec<usize> = (0..state.len()).filter(|i| !fixed.contains(i) && scale[*i] > 0.0 && moves(*i)).collect();
        let now = change(&rates, &free);
        if now.is_nan() {
            return None;
        }
        let done = now <= SOLVED && (now >= 0.5 * best || now == 0.0 || now < 1e-14);
        if done || steps == STEPS_MAX || free.is_empty() {
            let jacobian = Matrix::from_fn(free.len(), free.len(), |i, j| slopes[(free[i], free[j])]);
            return (now <= 1e-8).then_some(Solved { state, residual: now, steps, free, jacobian });
        }
        best = best.min(now);
        // In shares of the sizes, so that a small species weighs as much as a large one.
        let scaled = Matrix::from_fn(free.len(), free.len(), |i, j| {
            slopes[(free[i], free[j])] * scale[free[j]] * exchange / scale[free[i]]
        });
        let wanted: Vec<f64> = free.iter().map(|i| -rates[*i] * exchange / scale[*i]).collect();
        let step = least_squares(&scaled, &wanted).ok()?.coefficients;
        // The whole step, or the part of it that lowers the change.
        let mut share = 1.0;
        let mut next = state.clone();
        for _ in 0..30 {
            for (k, i) in free.iter().enumerate() {
                next[*i] = state[*i] + share * step[k] * scale[*i];
            }
            let then = change(&still.rates(&next), &free);
            if then < now || (then <= SOLVED && share == 1.0) {
                break;
            }
            share *= 0.5;
        }
        if next == state {
            return (now <= 1e-8).then(|| {
                let jacobian = Matrix::from_fn(free.len(), free.len(), |i, j| slopes[(free[i], free[j])]);
                Solved { state: state.clone(), residual: now, steps, free: free.clone(), jacobian }
            });
        }
        state = next;
        steps += 1;
    }
}

impl Reactor {
    fn options(scale: &[f64]) -> Options {
        Options { relative: 1e-9, absolute: scale.iter().map(|s| (1e-12 * s).max(1e-300)).collect(), ..Options::default() }
    }

    /// Time of one exchange of the volume.
    pub(super) fn exchange(&self, quantities: &[f64]) -> f64 {
        let measures = self.measures(quantities);
        if measures.out > 0.0 { measures.volume / measures.out } else { f64::INFINITY }
    }

    /// A flow that runs backwards.
    pub(super) fn backwards(&self, quantities: &[f64]) -> Option<Missed> {
        let flows = self.flows(quantities);
        let size = flows.iter().map(|f| f.2.abs()).fold(0.0, f64::max);
        flows.iter().find(|f| f.2 < -1e-12 * size).map(|f| Missed::Backwards(f.0.to_owned()))
    }

    /// The steady state that the model reaches from its own start.
    ///
    /// # Errors
    /// What the simulation meets; that there is no steady state is no error but [`Found::Missed`].
    pub fn steady(&self, constants: &[f64], criterion: &Criterion) -> Result<Found> {
        let start = self.model.system.still(constants, 0.0)?.start().to_vec();
        self.settle(constants, &start, 0.0, criterion)
    }

    /// The steady state that is reached from a state at a time.
    pub(super) fn settle(&self, constants: &[f64], from: &[f64], at: f64, criterion: &Criterion) -> Result<Found> {
        let system = &self.model.system;
        let mut still = system.still(constants, self.settled_from.max(at))?;
        let quantities = still.quantities(from);
        if let Some(missed) = self.backwards(&quantities) {
            return Ok(Found::Missed(missed));
        }
        let mut exchange = self.exchange(&quantities);
        let states: Vec<usize> = system.states().to_vec();
        let mut scale: Vec<f64> = from.iter().map(|y| y.abs()).collect();
        let (mut time, mut state) = (at, from.to_vec());
        let (mut times, mut course): (Vec<f64>, Vec<Vec<f64>>) = (vec![at], vec![from.to_vec()]);
        let mut asked = criterion.change;
        let mut exchanged = 0.0;
        loop {
            let tables = (self.settled_from - time).max(0.0);
            let length = tables + if exchange.is_finite() { 10.0 * exchange } else { (0.1 * tables).max(1.0) };
            let points: Vec<f64> = (0..=POINTS).map(|i| time + length * i as f64 / POINTS as f64).collect();
            let size = scale.iter().copied().fold(0.0, f64::max);
            let sizes: Vec<f64> = scale.iter().map(|s| s.max(1e-6 * size)).collect();
            let stretch = if time == at && at == 0.0 && course.len() == 1 && from == still.start() {
                system.simulate(constants, &points, &Self::options(&sizes))?
            } else {
                system.resume(constants, &state, &points, &Self::options(&sizes))?
            };
            for (i, point) in points.iter().enumerate().skip(1) {
                let here: Vec<f64> = states.iter().map(|s| stretch.at(i)[*s]).collect();
                scale.iter_mut().zip(&here).for_each(|(s, y)| *s = s.max(y.abs()));
                times.push(*point);
                course.push(here);
            }
            time = points[POINTS];
            state = course[course.len() - 1].clone();
            let last = stretch.at(POINTS);
            exchanged += if exchange.is_finite() { 10.0 } else { 1.0 };
            exchange = self.exchange(last);
            if let Some(missed) = self.backwards(last) {
                return Ok(Found::Missed(missed));
            }
            if !exchange.is_finite() {
                return Ok(Found::Missed(Missed::NoOutflow));
            }
            let (rates, _, in_time) = still.jacobian(&state);
            if in_time.iter().zip(&scale).any(|(slope, s)| (slope * exchange * exchange).abs() > 1e-9 * s.max(f64::MIN_POSITIVE))
            {
                return Ok(Found::Missed(Missed::Driven));
            }
            let changes: Vec<f64> =
                rates.iter().zip(&scale).map(|(r, s)| if *s > 0.0 { (r * exchange / s).abs() } else { 0.0 }).collect();
            let (worst, change) =
                changes.iter().enumerate().fold((0, 0.0), |(w, m), (i, c)| if *c > m { (i, *c) } else { (w, m) });
            if change <= asked
                && let Some(solved) = newton(&mut still, &state, &scale, exchange, &[])
            {
                let moved = solved.free.iter().map(|i| (solved.state[*i] - state[*i]).abs() / scale[*i]).fold(0.0, f64::max);
                let negative = solved.free.iter().any(|i| solved.state[*i] < -1e-9 * scale[*i]);
                if moved <= 1e-3 && !negative {
                    let mut steady = self.judged(&mut still, solved, &scale, exchange);
                    if steady.stable != Some(false) {
                        (steady.integrated, steady.change, steady.moved) = (Some(time), change, moved);
                        let all = reached((&times[..], &course[..]), &steady.state, &scale, criterion.within, &|_| true);
                        let counts = |i: usize| self.cell_states.contains(&i) || self.product_state == Some(i);
                        let some = reached((&times[..], &course[..]), &steady.state, &scale, criterion.within, &counts);
                        (steady.reached, steady.productive) = (Some(all), Some(some));
                        return Ok(Found::Steady(Box::new(steady)));
                    }
                }
                // Slow, and not there yet: near where cells wash out all rates are small long before the end.
                asked = (0.1 * asked).max(1e-10);
            }
            let volume = system.states().iter().position(|s| *s == self.volume).map_or(0.0, |v| changes[v]);
            if exchanged >= GROWING && volume > 1e-3 {
                return Ok(Found::Missed(Missed::Volume(volume)));
            }
            if exchanged >= criterion.exchanges_max {
                if volume > criterion.change {
                    return Ok(Found::Missed(Missed::Volume(volume)));
                }
                let name = system.names()[states[worst]].trim_end_matches("·V").to_owned();
                return Ok(Found::Missed(Missed::Changing(name, change)));
            }
        }
    }

    /// A solved state with its eigenvalues and what it says of cells and volume.
    pub(super) fn judged(&self, still: &mut Still<'_, f64>, solved: Solved, scale: &[f64], exchange: f64) -> Steady {
        let n = solved.free.len();
        // A change of units changes no eigenvalue, and sizes alike make them exact.
        let scaled = Matrix::from_fn(n, n, |i, j| solved.jacobian[(i, j)] * scale[solved.free[j]] / scale[solved.free[i]]);
        let values = eigenvalues(&scaled);
        let volume = self.model.system.states().iter().position(|s| *s == self.volume);
        let rates = still.rates(&solved.state);
        Steady {
            quantities: still.quantities(&solved.state),
            integrated: None,
            reached: None,
            productive: None,
            change: solved.residual,
            residual: solved.residual,
            steps: solved.steps,
            moved: 0.0,
            stable: values.as_ref().map(|v| v.first().is_none_or(|e| e.0 < -1e-9 / exchange)),
            eigenvalues: values.unwrap_or_default(),
            volume_change: volume.map_or(0.0, |v| rates[v] * exchange / solved.state[v]),
            washed_out: !self.cell_states.is_empty()
                && self.cell_states.iter().all(|c| solved.state[*c].abs() <= GONE * scale[*c].max(f64::MIN_POSITIVE)),
            state: solved.state,
        }
    }
}

/// When these states had come within a share of where they end, and stayed; between points by a straight line.
fn reached(
    (times, course): (&[f64], &[Vec<f64>]),
    end: &[f64],
    scale: &[f64],
    within: f64,
    counts: &dyn Fn(usize) -> bool,
) -> f64 {
    let off = |y: &[f64]| -> f64 {
        (0..y.len())
            .filter(|i| scale[*i] > 0.0 && counts(*i))
            .map(|i| (y[i] - end[i]).abs() / (within * end[i].abs().max(1e-3 * scale[i])))
            .fold(0.0, f64::max)
    };
    let Some(last) = course.iter().rposition(|y| off(y) > 1.0) else { return times[0] };
    let Some(next) = course.get(last + 1) else { return times[last] };
    let (a, b) = (off(&course[last]), off(next));
    times[last] + (a - 1.0) / (a - b) * (times[last + 1] - times[last])
}
