//! The steady state over a constant: followed from neighbour to neighbour, with the value at which cells wash out and the
//! value at which a measure is greatest.

use super::reactor::{Measure, Reactor};
use super::steady::{Criterion, Found, Missed, Steady, newton};
use crate::kernel::Dual;
use crate::linear::{Matrix, least_squares};
use toji_core::{Error, Place, Result};

/// One value of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Values of the constants that are swept.
    pub at: Vec<f64>,
    /// What was found there.
    pub found: Found,
}

/// Where a measure is greatest.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Value of the constant.
    pub at: f64,
    /// The measure there.
    pub value: f64,
    /// Is it an end of the range, so that more may lie beyond?
    pub at_end: bool,
    /// The steady state there.
    pub steady: Steady,
}

/// Halvings of an interval.
const HALVINGS: usize = 200;

impl Reactor {
    /// Steady states at each of these settings of the constants in `places`, in their order: from the neighbour by Newton's
    /// method, and by integration where that leads to what is unstable, negative or washed out.
    ///
    /// # Errors
    /// What a simulation meets.
    pub fn sweep(
        &self,
        constants: &[f64],
        places: &[usize],
        settings: &[Vec<f64>],
        criterion: &Criterion,
        watch: &dyn Fn(usize) -> Result<()>,
    ) -> Result<Vec<Point>> {
        let mut points: Vec<Point> = Vec::new();
        let mut neighbour: Option<Steady> = None;
        for (k, at) in settings.iter().enumerate() {
            watch(k)?;
            let mut these = constants.to_vec();
            places.iter().zip(at).for_each(|(place, value)| these[*place] = *value);
            let found = self.near(&these, neighbour.as_ref(), criterion)?;
            neighbour = found.steady().filter(|s| !s.washed_out).cloned().or(neighbour);
            points.push(Point { at: at.clone(), found });
        }
        Ok(points)
    }

    /// The steady state at these constants that a neighbour leads to, else the one that the model's own start leads to.
    ///
    /// # Errors
    /// What a simulation meets.
    pub fn near(&self, constants: &[f64], neighbour: Option<&Steady>, criterion: &Criterion) -> Result<Found> {
        if let Some(steady) = neighbour {
            let mut still = self.model.system.still(constants, self.settled_from)?;
            let quantities = still.quantities(&steady.state);
            if let Some(missed) = self.backwards(&quantities) {
                return Ok(Found::Missed(missed));
            }
            let exchange = self.exchange(&quantities);
            if exchange.is_infinite() {
                return Ok(Found::Missed(Missed::NoOutflow));
            }
            let scale = self.scale(&steady.state);
            if let Some(solved) = newton(&mut still, &steady.state, &scale, exchange, &[])
                && solved.free.iter().all(|i| solved.state[*i] >= -1e-9 * scale[*i])
            {
                let next = self.judged(&mut still, solved, &scale, exchange);
                if next.stable == Some(true) && !next.washed_out && self.backwards(&next.quantities).is_none() {
                    return Ok(Found::Steady(Box::new(next)));
                }
            }
        }
        self.steady(constants, criterion)
    }

    /// Sizes of the states about a state: where one is near nothing, that of the start.
    fn scale(&self, state: &[f64]) -> Vec<f64> {
        let start = self.model.system.still(&self.model.system.constants(), 0.0).map(|s| s.start().to_vec());
        let start = start.unwrap_or_default();
        let size = state.iter().fold(0.0f64, |m, y| m.max(y.abs()));
        state
            .iter()
            .enumerate()
            .map(|(i, y)| y.abs().max(1e-3 * start.get(i).map_or(0.0, |s| s.abs())).max(1e-9 * size))
            .collect()
    }

    /// How fast the first few cells would grow (positive) or be washed out (negative) in the broth without any: the greatest
    /// real part of an eigenvalue there. None where there is no such state.
    ///
    /// # Errors
    /// No cells are known; what a simulation meets.
    pub fn invasion(&self, constants: &[f64], criterion: &Criterion) -> Result<Option<f64>> {
        if self.cell_states.is_empty() {
            return Err(Error::input(
                "E-CONTINUOUS-002",
                "ウォッシュアウトを調べるには細胞の種が必要です",
                "wash-out needs to know which species are the cells",
            )
            .at(Place::field("cells"))
            .hint("cells で細胞（菌体）の種を指定してください", "name the species that are cells by cells"));
        }
        let mut still = self.model.system.still(constants, self.settled_from)?;
        let mut from = still.start().to_vec();
        self.cell_states.iter().for_each(|c| from[*c] = 0.0);
        let Found::Steady(empty) = self.settle(constants, &from, 0.0, criterion)? else { return Ok(None) };
        let scale: Vec<f64> = still.start().iter().zip(&empty.state).map(|(a, b)| a.abs().max(b.abs())).collect();
        let exchange = self.exchange(&empty.quantities);
        let Some(solved) = newton(&mut still, &empty.state, &scale, exchange, &self.cell_states) else { return Ok(None) };
        // Among the cells alone: without cells nothing else feels them, and they feel nothing but the broth.
        let (_, slopes, _) = still.jacobian(&solved.state);
        let n = self.cell_states.len();
        let among = Matrix::from_fn(n, n, |i, j| slopes[(self.cell_states[i], self.cell_states[j])]);
        Ok(crate::linear::eigenvalues(&among).and_then(|v| v.first().map(|e| e.0)))
    }

    /// The value of a constant between two at which cells just wash out: where the first few of them neither grow nor go.
    /// None where they do the same at both ends.
    ///
    /// # Errors
    /// As [`Self::invasion`].
    pub fn critical(&self, constants: &[f64], place: usize, range: (f64, f64), criterion: &Criterion) -> Result<Option<f64>> {
        let growth = |value: f64| -> Result<Option<f64>> {
            let mut these = constants.to_vec();
            these[place] = value;
            self.invasion(&these, criterion)
        };
        let (mut low, mut high) = range;
        let (Some(at_low), Some(at_high)) = (growth(low)?, growth(high)?) else { return Ok(None) };
        if at_low.signum() == at_high.signum() {
            return Ok(None);
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high || high - low <= 1e-12 * high.abs() {
                break;
            }
            let Some(here) = growth(middle)? else { return Ok(None) };
            if here.signum() == at_low.signum() { low = middle } else { high = middle }
        }
        Ok(Some(0.5 * (low + high)))
    }

    /// How a measure changes with a constant along the steady states: exact, by the implicit function theorem.
    ///
    /// # Errors
    /// The measure has no value at the state.
    pub fn slope(&self, constants: &[f64], place: usize, steady: &Steady, measure: Measure) -> Result<Option<f64>> {
        let along = |value: f64, slope: f64| Dual::<1> { value, slopes: [slope] };
        let duals: Vec<Dual<1>> =
            constants.iter().enumerate().map(|(i, c)| along(*c, if i == place { 1.0 } else { 0.0 })).collect();
        let mut still = self.model.system.still(&duals, self.settled_from)?;
        let mut state: Vec<Dual<1>> = steady.state.iter().map(|y| along(*y, 0.0)).collect();
        let scale = self.scale(&steady.state);
        let mut plain = self.model.system.still(constants, self.settled_from)?;
        let exchange = self.exchange(&steady.quantities);
        let Some(solved) = newton(&mut plain, &steady.state, &scale, exchange, &[]) else { return Ok(None) };
        // What nothing changes moves only as its start does.
        let start = still.start().to_vec();
        for (i, y) in state.iter_mut().enumerate() {
            if !solved.free.contains(&i) && start[i].value == y.value {
                *y = start[i];
            }
        }
        let rates = still.rates(&state);
        let free = &solved.free;
        let scaled =
            Matrix::from_fn(free.len(), free.len(), |i, j| solved.jacobian[(i, j)] * scale[free[j]] / scale[free[i]] * exchange);
        let wanted: Vec<f64> = free.iter().map(|i| -rates[*i].slopes[0] / scale[*i] * exchange).collect();
        let Ok(moved) = least_squares(&scaled, &wanted) else { return Ok(None) };
        free.iter().zip(&moved.coefficients).for_each(|(i, m)| state[*i].slopes[0] = m * scale[*i]);
        let quantities = still.quantities(&state);
        Ok(self.measures(&quantities).of(measure).map(|m| m.slopes[0]))
    }

    /// Where a measure is greatest among the points of a sweep over one constant, then between their neighbours: where its
    /// slope is nothing.
    ///
    /// # Errors
    /// What a simulation meets.
    pub fn best(
        &self,
        constants: &[f64],
        place: usize,
        points: &[Point],
        measure: Measure,
        criterion: &Criterion,
    ) -> Result<Option<Best>> {
        let value = |steady: &Steady| self.measures(&steady.quantities).of(measure);
        let usable = |p: &Point| p.found.steady().filter(|s| !s.washed_out).and_then(&value).filter(|v| v.is_finite());
        let Some((k, _)) = points
            .iter()
            .enumerate()
            .filter_map(|(k, p)| Some((k, usable(p)?)))
            .reduce(|best, it| if it.1 > best.1 { it } else { best })
        else {
            return Ok(None);
        };
        let Some(mut steady) = points[k].found.steady().cloned() else { return Ok(None) };
        let mut at = points[k].at[0];
        let these = |value: f64| {
            let mut these = constants.to_vec();
            these[place] = value;
            these
        };
        let slope = |value: f64, steady: &Steady| self.slope(&these(value), place, steady, measure);
        let Some(here) = slope(at, &steady)? else {
            let value = value(&steady).unwrap_or(f64::NAN);
            return Ok(Some(Best { at, value, at_end: false, steady }));
        };
        // Up the slope lies a neighbour, or nothing.
        let neighbour = if here > 0.0 { points.get(k + 1) } else { k.checked_sub(1).and_then(|b| points.get(b)) };
        let mut at_end = neighbour.is_none();
        if let Some(neighbour) = neighbour.filter(|_| here != 0.0) {
            let mut far = neighbour.at[0];
            for _ in 0..HALVINGS {
                let middle = 0.5 * (at + far);
                if (far - at).abs() <= 1e-12 * at.abs().max(far.abs()) || middle == at || middle == far {
                    break;
                }
                let found = self.near(&these(middle), Some(&steady), criterion)?;
                // What is washed out or not there lies beyond.
                let Some(next) = found.steady().filter(|s| !s.washed_out) else {
                    far = middle;
                    continue;
                };
                match slope(middle, next)? {
                    Some(s) if s.signum() == here.signum() && s != 0.0 => (at, steady) = (middle, next.clone()),
                    _ => far = middle,
                }
            }
            // A rise that ends where the possible ends is no optimum of its own.
            let value = value(&steady).unwrap_or(f64::NAN);
            at_end = slope(at, &steady)?.is_none_or(|s| (s * at).abs() > 1e-5 * value.abs());
        }
        let value = value(&steady).unwrap_or(f64::NAN);
        Ok(Some(Best { at, value, at_end, steady }))
    }
}
