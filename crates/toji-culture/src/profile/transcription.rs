//! A course as a nonlinear program: inputs over intervals, free constants, a free end and slacks as variables between 0
//! and 1; limits at instants as rows; all slopes exact, by sensitivities of the intervals that are chained.

use super::segment::Segment;
use crate::kernel::{Dual, Options, Trajectory};
use crate::linear::{Matrix, axpy};
use crate::optimise::{Evaluation, Nonlinear, Slopes};
use toji_core::Result;

/// Derivatives computed in one pass.
const DIRECTIONS: usize = 8;

/// An input over the intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Its place among the states.
    pub state: usize,
    /// That of its slope, where it is a line.
    pub slope: Option<usize>,
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
    /// Fastest change, per unit of time.
    pub rate_max: Option<f64>,
    /// Value before the first interval, from which changes of a step count.
    pub previous: Option<f64>,
    /// Cost of a squared change from step to step.
    pub move_cost: f64,
}

/// A constant that is free.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// Its place among the constants.
    pub constant: usize,
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
}

/// How long the course is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Span {
    /// So long.
    Fixed(f64),
    /// Free between two lengths.
    Free(f64, f64),
}

/// A limit in one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// Quantity.
    pub quantity: usize,
    /// Limit.
    pub limit: f64,
    /// From above (the quantity may not exceed it), else from below.
    pub upper: bool,
    /// At every instant, else at the end alone.
    pub course: bool,
    /// Exactly so, at the end.
    pub equal: bool,
    /// Kept by so much more.
    pub margin: f64,
    /// Size of its numbers.
    pub scale: f64,
    /// May be broken, at this cost for each multiple of `scale`.
    pub soft: Option<f64>,
}

/// A part of the objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Quantity.
    pub quantity: usize,
    /// Its weight; the sum is made small.
    pub weight: f64,
    /// At the end of every interval, else at that of the last.
    pub each: bool,
}

/// One of the models that a course must do for.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Constants of the model.
    pub constants: Vec<f64>,
    /// State at the start; none: the model's own.
    pub state: Option<Vec<f64>>,
    /// Share in the objective.
    pub weight: f64,
}

/// A course to be optimised.
#[derive(Debug, Clone)]
pub struct Transcription<'s> {
    /// The model in pieces.
    pub segment: &'s Segment,
    /// How to simulate.
    pub options: Options,
    /// When the course begins.
    pub start: f64,
    /// How long it is.
    pub span: Span,
    /// Intervals.
    pub intervals: usize,
    /// Instants of an interval at which limits are looked at.
    pub looks: usize,
    /// Inputs.
    pub controls: Vec<Held>,
    /// Constants that are free.
    pub free: Vec<Scalar>,
    /// Limits.
    pub bounds: Vec<Bound>,
    /// Objective.
    pub terms: Vec<Term>,
    /// Models.
    pub scenarios: Vec<Scenario>,
    /// Size of the objective, by which it is divided.
    pub size: f64,
    curvature: Option<Matrix>,
}

/// A row and its slopes.
type Row = (f64, Vec<f64>);

/// What was seen of one scenario.
struct Seen {
    /// Values of the watched quantities, look by look, the start first.
    values: Vec<Vec<f64>>,
    /// Their slopes by all variables.
    slopes: Vec<Matrix>,
}

/// Local results of one interval: values and slopes by the directions.
struct Local {
    looks: Vec<(Vec<f64>, Matrix)>,
    ends: Vec<f64>,
    by: Matrix,
}

impl<'s> Transcription<'s> {
    /// A course over intervals of a model; inputs, limits and the rest are set in the fields, then [`Self::finish`] is
    /// called.
    #[must_use]
    pub fn new(segment: &'s Segment, intervals: usize, span: Span, scenarios: Vec<Scenario>) -> Self {
        Self {
            segment,
            options: Options { relative: 1e-7, absolute: vec![1e-10], ..Options::default() },
            start: 0.0,
            span,
            intervals,
            looks: 4,
            controls: Vec::new(),
            free: Vec::new(),
            bounds: Vec::new(),
            terms: Vec::new(),
            scenarios,
            size: 1.0,
            curvature: None,
        }
    }

    fn nodes(&self, control: &Held) -> usize {
        self.intervals + usize::from(control.slope.is_some())
    }

    /// First variable of an input.
    #[must_use]
    pub fn first_of(&self, control: usize) -> usize {
        self.controls[..control].iter().map(|c| self.nodes(c)).sum()
    }

    fn after_controls(&self) -> usize {
        self.first_of(self.controls.len())
    }

    fn is_free(&self) -> bool {
        matches!(self.span, Span::Free(..))
    }

    fn slacks(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.bounds.iter().enumerate().filter_map(|(i, b)| b.soft.map(|cost| (i, cost)))
    }

    /// Variables.
    #[must_use]
    pub fn variables(&self) -> usize {
        self.after_controls() + self.free.len() + usize::from(self.is_free()) + self.slacks().count()
    }

    /// Bounds of the variables.
    #[must_use]
    pub fn limits(&self) -> (Vec<f64>, Vec<f64>) {
        let n = self.variables();
        let mut high = vec![1.0; n];
        for value in &mut high[n - self.slacks().count()..] {
            *value = 1e6;
        }
        (vec![0.0; n], high)
    }

    /// Length of the course at a point.
    #[must_use]
    pub fn length(&self, x: &[f64]) -> f64 {
        match self.span {
            Span::Fixed(length) => length,
            Span::Free(low, high) => low + (high - low) * x[self.after_controls() + self.free.len()],
        }
    }

    /// Values of an input at a point: one an interval, or one a node.
    #[must_use]
    pub fn values_of(&self, control: usize, x: &[f64]) -> Vec<f64> {
        let (held, first) = (&self.controls[control], self.first_of(control));
        x[first..first + self.nodes(held)].iter().map(|x| held.low + (held.high - held.low) * x).collect()
    }

    /// Values of the free constants at a point.
    #[must_use]
    pub fn free_of(&self, x: &[f64]) -> Vec<f64> {
        let first = self.after_controls();
        self.free.iter().zip(&x[first..]).map(|(f, x)| f.low + (f.high - f.low) * x).collect()
    }

    /// Slack of each soft limit at a point, in the unit of its quantity.
    #[must_use]
    pub fn slack_of(&self, x: &[f64]) -> Vec<(usize, f64)> {
        let first = self.variables() - self.slacks().count();
        self.slacks().zip(&x[first..]).map(|((bound, _), x)| (bound, x * self.bounds[bound].scale)).collect()
    }

    /// Computes what does not depend on the point. Call it after the fields are set, and again where they change.
    #[must_use]
    pub fn finish(mut self) -> Self {
        let n = self.variables();
        let mut matrix = Matrix::zeros(n, n);
        let mut any = false;
        for (c, control) in self.controls.iter().enumerate().filter(|(_, c)| c.move_cost > 0.0 && c.slope.is_none()) {
            any = true;
            let (first, range) = (self.first_of(c), control.high - control.low);
            let weight = 2.0 * control.move_cost * range * range / self.size;
            for k in 0..self.intervals {
                let i = first + k;
                if k > 0 {
                    matrix[(i, i)] += weight;
                    matrix[(i - 1, i - 1)] += weight;
                    matrix[(i, i - 1)] -= weight;
                    matrix[(i - 1, i)] -= weight;
                } else if control.previous.is_some() {
                    matrix[(i, i)] += weight;
                }
            }
        }
        let first = n - self.slacks().count();
        for (i, (_, cost)) in self.slacks().enumerate() {
            any = true;
            matrix[(first + i, first + i)] += 2.0 * cost / self.size;
        }
        self.curvature = any.then_some(matrix);
        self
    }

    /// Values of quantities in one scenario at the ends of the intervals, the start first.
    ///
    /// # Errors
    /// As [`crate::kernel::System::simulate`].
    pub fn predict(&self, scenario: usize, x: &[f64], quantities: &[usize]) -> Result<Vec<Vec<f64>>> {
        let seen = self.see(&self.scenarios[scenario], x, false, quantities)?;
        Ok(seen.values.into_iter().step_by(self.looks).collect())
    }

    fn watched(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.bounds.iter().map(|b| b.quantity).chain(self.terms.iter().map(|t| t.quantity)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn directions(&self) -> usize {
        self.segment.system.order() + self.free.len() + usize::from(self.is_free())
    }

    fn constants(&self, scenario: &Scenario, x: &[f64], piece: usize) -> Vec<f64> {
        let h = self.length(x) / self.intervals as f64;
        let mut all = self.segment.constants(&scenario.constants, self.start + h * piece as f64, h);
        for (free, value) in self.free.iter().zip(self.free_of(x)) {
            all[free.constant] = value;
        }
        all
    }

    /// Constants and state with the derivatives by some of the directions.
    fn seeded(
        &self,
        constants: &[f64],
        state: &[f64],
        first: usize,
        piece: usize,
    ) -> (Vec<Dual<DIRECTIONS>>, Vec<Dual<DIRECTIONS>>) {
        let plain = |v: &f64| Dual { value: *v, slopes: [0.0; DIRECTIONS] };
        let (mut constants, mut state): (Vec<_>, Vec<_>) =
            (constants.iter().map(plain).collect(), state.iter().map(plain).collect());
        let (n, origin) = (state.len(), self.segment.origin);
        for direction in first..self.directions().min(first + DIRECTIONS) {
            let slot = direction - first;
            if let Some(state) = state.get_mut(direction) {
                state.slopes[slot] = 1.0;
            } else if let Some(free) = self.free.get(direction - n) {
                constants[free.constant].slopes[slot] = 1.0;
            } else {
                constants[origin].slopes[slot] = piece as f64 / self.intervals as f64;
                constants[origin + 1].slopes[slot] = 1.0 / self.intervals as f64;
            }
        }
        (constants, state)
    }

    /// Values and slopes by the directions of a trajectory, chunk by chunk.
    fn local(
        &self,
        times: &[f64],
        watched: &[usize],
        slopes: bool,
        constants: &[f64],
        state: Option<&[f64]>,
        piece: usize,
    ) -> Result<Local> {
        let system = &self.segment.system;
        let (n, d) = (system.order(), self.directions());
        if !slopes {
            let trajectory = match state {
                Some(state) => system.resume(constants, state, times, &self.options)?,
                None => system.simulate(constants, times, &self.options)?,
            };
            let looks =
                (0..times.len()).map(|l| (watched.iter().map(|q| trajectory.at(l)[*q]).collect(), Matrix::default())).collect();
            let last = trajectory.at(times.len() - 1);
            return Ok(Local { looks, ends: system.states().iter().map(|q| last[*q]).collect(), by: Matrix::default() });
        }
        let mut looks: Vec<(Vec<f64>, Matrix)> =
            times.iter().map(|_| (vec![0.0; watched.len()], Matrix::zeros(watched.len(), d))).collect();
        let (mut ends, mut by) = (vec![0.0; n], Matrix::zeros(n, d));
        let none = vec![0.0; n];
        // The model's own start does not hang on a state.
        let first = if state.is_some() { 0 } else { n };
        let chunks: Vec<usize> = (first..d).step_by(DIRECTIONS).chain((first >= d).then_some(first)).collect();
        for first in chunks {
            let (constants, seeded) = self.seeded(constants, state.unwrap_or(&none), first, piece);
            let trajectory: Trajectory<Dual<DIRECTIONS>> = match state {
                Some(_) => system.resume(&constants, &seeded, times, &self.options)?,
                None => system.simulate(&constants, times, &self.options)?,
            };
            let width = d.saturating_sub(first).min(DIRECTIONS);
            for (l, (values, matrix)) in looks.iter_mut().enumerate() {
                for (w, quantity) in watched.iter().enumerate() {
                    let dual = trajectory.at(l)[*quantity];
                    values[w] = dual.value;
                    matrix.row_mut(w)[first.min(d)..first.min(d) + width].copy_from_slice(&dual.slopes[..width]);
                }
            }
            let last = trajectory.at(times.len() - 1);
            for (i, quantity) in system.states().iter().enumerate() {
                ends[i] = last[*quantity].value;
                by.row_mut(i)[first.min(d)..first.min(d) + width].copy_from_slice(&last[*quantity].slopes[..width]);
            }
        }
        Ok(Local { looks, ends, by })
    }

    /// Slopes by the variables, from those by the directions and those of the state by the variables.
    fn chain(&self, local: &[f64], state: &Matrix, into: &mut [f64]) {
        let n = self.segment.system.order();
        for (slope, row) in local[..n].iter().zip(0..n) {
            if *slope != 0.0 {
                axpy(*slope, state.row(row), into);
            }
        }
        let first = self.after_controls();
        for (i, free) in self.free.iter().enumerate() {
            into[first + i] += local[n + i] * (free.high - free.low);
        }
        if let Span::Free(low, high) = self.span {
            into[first + self.free.len()] += local[n + self.free.len()] * (high - low);
        }
    }

    fn see(&self, scenario: &Scenario, x: &[f64], slopes: bool, watched: &[usize]) -> Result<Seen> {
        let (order, variables) = (self.segment.system.order(), self.variables());
        let h = self.length(x) / self.intervals as f64;
        let mut by = Matrix::zeros(order, if slopes { variables } else { 0 });
        let begin = self.constants(scenario, x, 0);
        let mut state = match &scenario.state {
            Some(state) => state.clone(),
            None => {
                let local = self.local(&[0.0], &[], slopes, &begin, None, 0)?;
                if slopes {
                    let still = Matrix::zeros(order, variables);
                    for i in 0..order {
                        self.chain(local.by.row(i), &still, by.row_mut(i));
                    }
                }
                local.ends
            }
        };
        let inputs: Vec<Vec<f64>> = (0..self.controls.len()).map(|c| self.values_of(c, x)).collect();
        let times: Vec<f64> = (0..=self.looks).map(|l| l as f64 / self.looks as f64).collect();
        let mut seen = Seen { values: Vec::new(), slopes: Vec::new() };
        for piece in 0..self.intervals {
            for (c, control) in self.controls.iter().enumerate() {
                let (range, variable) = (control.high - control.low, self.first_of(c) + piece);
                state[control.state] = inputs[c][piece];
                let rise = control.slope.map(|_| inputs[c][piece + 1] - inputs[c][piece]);
                if let (Some(slope), Some(rise)) = (control.slope, rise) {
                    state[slope] = rise / h;
                }
                if slopes {
                    by.row_mut(control.state).fill(0.0);
                    by[(control.state, variable)] = range;
                    if let (Some(slope), Some(rise)) = (control.slope, rise) {
                        let row = by.row_mut(slope);
                        row.fill(0.0);
                        row[variable] = -range / h;
                        row[variable + 1] = range / h;
                        if let Span::Free(low, high) = self.span {
                            let column = self.after_controls() + self.free.len();
                            row[column] = -rise / (h * h) * (high - low) / self.intervals as f64;
                        }
                    }
                }
            }
            let constants = self.constants(scenario, x, piece);
            let local = self.local(&times, watched, slopes, &constants, Some(&state), piece)?;
            for (l, (values, matrix)) in local.looks.into_iter().enumerate() {
                if l == 0 && piece > 0 {
                    continue;
                }
                seen.values.push(values);
                if slopes {
                    let mut total = Matrix::zeros(watched.len(), variables);
                    for w in 0..watched.len() {
                        self.chain(matrix.row(w), &by, total.row_mut(w));
                    }
                    seen.slopes.push(total);
                }
            }
            if slopes {
                let mut next = Matrix::zeros(order, variables);
                for i in 0..order {
                    self.chain(local.by.row(i), &by, next.row_mut(i));
                }
                by = next;
            }
            state = local.ends;
        }
        Ok(seen)
    }

    /// Objective and rows at a point.
    ///
    /// # Errors
    /// As [`crate::kernel::System::simulate`].
    pub fn look(&self, x: &[f64], slopes: bool) -> Result<Evaluation> {
        let n = self.variables();
        let watched = self.watched();
        let place = |quantity: usize| watched.binary_search(&quantity).unwrap_or_default();
        let (mut objective, mut gradient) = (0.0, vec![0.0; n]);
        let (mut equal, mut rows): (Vec<Row>, Vec<Row>) = (Vec::new(), Vec::new());
        let slack_first = n - self.slacks().count();
        for scenario in &self.scenarios {
            let seen = self.see(scenario, x, slopes, &watched)?;
            let last = seen.values.len() - 1;
            for term in &self.terms {
                let at = place(term.quantity);
                let ends = (1..=self.intervals).map(|k| k * self.looks).filter(|l| term.each || *l == last);
                for l in ends {
                    let weight = scenario.weight * term.weight / self.size;
                    objective += weight * seen.values[l][at];
                    if slopes {
                        axpy(weight, seen.slopes[l].row(at), &mut gradient);
                    }
                }
            }
            for (i, bound) in self.bounds.iter().enumerate() {
                let at = place(bound.quantity);
                let sign = if bound.upper { -1.0 } else { 1.0 };
                for l in 0..=last {
                    if !(l == last || bound.course) || (l == 0 && scenario.state.is_some()) {
                        continue;
                    }
                    let mut value = (sign * (seen.values[l][at] - bound.limit) - bound.margin) / bound.scale;
                    let mut slope = vec![0.0; if slopes { n } else { 0 }];
                    if slopes {
                        axpy(sign / bound.scale, seen.slopes[l].row(at), &mut slope);
                    }
                    if let Some(s) = self.slacks().position(|(b, _)| b == i) {
                        value += x[slack_first + s];
                        if slopes {
                            slope[slack_first + s] = 1.0;
                        }
                    }
                    if bound.equal { equal.push((value, slope)) } else { rows.push((value, slope)) }
                }
            }
        }
        self.moves(x, &mut objective, &mut gradient);
        for (s, (_, cost)) in self.slacks().enumerate() {
            let slack = x[slack_first + s];
            objective += cost * (slack + slack * slack) / self.size;
            gradient[slack_first + s] += cost * (1.0 + 2.0 * slack) / self.size;
        }
        self.rates(x, slopes, &mut rows);
        let all: Vec<Row> = equal.into_iter().chain(rows).collect();
        let slopes = slopes.then(|| {
            let mut matrix = Matrix::zeros(all.len(), n);
            all.iter().enumerate().for_each(|(i, (_, slope))| matrix.row_mut(i).copy_from_slice(slope));
            Slopes { objective: gradient, rows: matrix }
        });
        Ok(Evaluation { objective, rows: all.into_iter().map(|(value, _)| value).collect(), slopes })
    }

    fn moves(&self, x: &[f64], objective: &mut f64, gradient: &mut [f64]) {
        for (c, control) in self.controls.iter().enumerate().filter(|(_, c)| c.move_cost > 0.0 && c.slope.is_none()) {
            let (first, range) = (self.first_of(c), control.high - control.low);
            let values = self.values_of(c, x);
            for k in 0..self.intervals {
                let Some(before) = (if k > 0 { Some(values[k - 1]) } else { control.previous }) else { continue };
                let by = values[k] - before;
                *objective += control.move_cost * by * by / self.size;
                let slope = 2.0 * control.move_cost * by * range / self.size;
                gradient[first + k] += slope;
                if k > 0 {
                    gradient[first + k - 1] -= slope;
                }
            }
        }
    }

    /// Rows by which no input changes faster than it may.
    fn rates(&self, x: &[f64], slopes: bool, rows: &mut Vec<Row>) {
        let (n, h) = (self.variables(), self.length(x) / self.intervals as f64);
        for (c, control) in self.controls.iter().enumerate() {
            let Some(rate) = control.rate_max else { continue };
            let (first, range) = (self.first_of(c), control.high - control.low);
            let values = self.values_of(c, x);
            for k in 0..values.len() {
                let Some(before) = (if k > 0 { Some(values[k - 1]) } else { control.previous }) else { continue };
                for sign in [1.0, -1.0] {
                    let mut slope = vec![0.0; if slopes { n } else { 0 }];
                    if slopes {
                        slope[first + k] = -sign;
                        if k > 0 {
                            slope[first + k - 1] = sign;
                        }
                        if let Span::Free(low, high) = self.span {
                            slope[self.after_controls() + self.free.len()] = rate * (high - low) / self.intervals as f64 / range;
                        }
                    }
                    rows.push(((rate * h - sign * (values[k] - before)) / range, slope));
                }
            }
        }
    }
}

impl Nonlinear for Transcription<'_> {
    fn equal(&self) -> usize {
        self.bounds.iter().filter(|b| b.equal).count() * self.scenarios.len()
    }

    fn evaluate(&mut self, x: &[f64], slopes: bool) -> Option<Evaluation> {
        self.look(x, slopes).ok()
    }

    fn curvature(&self) -> Option<&Matrix> {
        self.curvature.as_ref()
    }
}
