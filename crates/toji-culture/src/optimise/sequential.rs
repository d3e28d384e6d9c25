//! Nonlinear programs by a sequence of quadratic ones (Nocedal and Wright, *Numerical Optimization*, 2nd ed., chapter 18):
//! curvature learnt from slopes (damped BFGS), steps judged by an exact penalty with a second-order correction, and
//! constraints relaxed together where their linear forms contradict each other (Powell 1978).

use super::quadratic::Quadratic;
use crate::linear::{Matrix, axpy, dot};

/// A nonlinear program: minimise an objective; rows are at least 0, the first ones exactly 0.
pub trait Nonlinear {
    /// How many of the rows, the first ones, are exactly 0.
    fn equal(&self) -> usize;
    /// Objective and rows at a point, with their slopes where asked for. None: the point cannot be evaluated.
    fn evaluate(&mut self, x: &[f64], slopes: bool) -> Option<Evaluation>;
    /// Known curvature of the objective, the same at all points; what is left is learnt.
    fn curvature(&self) -> Option<&Matrix>;
}

/// A point evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Objective.
    pub objective: f64,
    /// Rows.
    pub rows: Vec<f64>,
    /// Slopes, where asked for.
    pub slopes: Option<Slopes>,
}

/// Slopes at a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Slopes {
    /// Of the objective.
    pub objective: Vec<f64>,
    /// Of each row.
    pub rows: Matrix,
}

/// When to end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Most iterations.
    pub iterations: usize,
    /// Decrease that a step may still promise, relative to 1 + |objective|, at which a point counts as the optimum.
    pub tolerance: f64,
    /// How far a row may be broken.
    pub feasible: f64,
    /// Length of the first step, in the unit of the variables.
    pub first: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { iterations: 150, tolerance: 1e-7, feasible: 1e-9, first: 0.1 }
    }
}

/// Where a search ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Point.
    pub x: Vec<f64>,
    /// Objective there.
    pub objective: f64,
    /// How far the worst row is broken.
    pub violation: f64,
    /// Iterations.
    pub iterations: usize,
    /// Evaluations, and how many of them with slopes.
    pub evaluations: (usize, usize),
    /// Did it end at an optimum?
    pub converged: bool,
    /// Curvature that was learnt, beyond the known one.
    pub learnt: Matrix,
}

/// Share of the promised decrease that a step must bring.
const ENOUGH: f64 = 1e-4;
/// Change of the merit that rounding and the tolerance of a simulation may cause.
const ROUNDING: f64 = 1e-12;

fn broken(rows: &[f64], equal: usize) -> (f64, f64) {
    let mut all = (0.0, 0.0f64);
    for (i, row) in rows.iter().enumerate() {
        let by = if i < equal { row.abs() } else { (-row).max(0.0) };
        all = (all.0 + by, all.1.max(by));
    }
    all
}

/// A direction from the quadratic program at a point.
struct Direction {
    step: Vec<f64>,
    multipliers: Vec<f64>,
    /// Share of the violation that the linear forms leave.
    left: f64,
}

struct Search<'p, P> {
    program: &'p mut P,
    low: &'p [f64],
    high: &'p [f64],
    equal: usize,
    evaluations: (usize, usize),
}

/// Least objective found from a start inside the bounds, with curvature learnt before where there is some. None: the
/// start cannot be evaluated.
pub fn sequential<P: Nonlinear>(
    program: &mut P,
    start: &[f64],
    low: &[f64],
    high: &[f64],
    settings: &Settings,
    learnt: Option<Matrix>,
) -> Option<Outcome> {
    let n = start.len();
    let known = program.curvature().cloned().unwrap_or_else(|| Matrix::zeros(n, n));
    let equal = program.equal();
    let mut search = Search { program, low, high, equal, evaluations: (0, 0) };
    let mut x: Vec<f64> = start.iter().zip(low).zip(high).map(|((x, low), high)| x.max(*low).min(*high)).collect();
    let mut at = search.evaluate(&x, true)?;
    let mut slopes = at.slopes.take()?;
    let fresh = |x: &[f64], slopes: &Slopes| {
        // A variable that a bound holds where it is says nothing about the length of a step.
        let held = |i: usize, slope: f64| (x[i] <= low[i] && slope > 0.0) || (x[i] >= high[i] && slope < 0.0);
        let free = slopes.objective.iter().enumerate().filter(|(i, s)| !held(*i, **s));
        let steepest = free.fold(0.0f64, |most, (_, s)| most.max(s.abs()));
        let mut matrix = Matrix::identity(n);
        matrix.as_mut_slice().iter_mut().for_each(|v| *v *= (steepest / settings.first).max(1e-8));
        matrix
    };
    let mut is_fresh = learnt.is_none();
    let mut learnt = learnt.filter(|m| m.rows() == n).unwrap_or_else(|| fresh(&x, &slopes));
    let mut penalty = 0.0f64;
    let mut converged = false;
    let mut iterations = 0;
    while iterations < settings.iterations {
        iterations += 1;
        let curvature = sum(&learnt, &known);
        let Some(found) = search.direction(&x, &at.rows, &slopes, &curvature) else {
            if is_fresh {
                break;
            }
            (learnt, is_fresh) = (fresh(&x, &slopes), true);
            continue;
        };
        let (violation, worst) = broken(&at.rows, equal);
        let slope = dot(&slopes.objective, &found.step);
        let priced: f64 = found.multipliers.iter().zip(&at.rows).map(|(m, row)| (m * row).abs()).sum();
        // A curvature that was only guessed promises what it likes.
        let little = slope.abs() + priced <= settings.tolerance * (1.0 + at.objective.abs());
        let steep = slopes.objective.iter().zip(&found.step).any(|(s, d)| *d != 0.0 && s.abs() > settings.tolerance);
        if worst <= settings.feasible && little && !(is_fresh && steep) {
            converged = true;
            break;
        }
        let steepest = found.multipliers.iter().fold(0.0f64, |most, m| most.max(m.abs()));
        penalty = if penalty < 1.1 * steepest { 1.5 * steepest } else { penalty.min(10.0 * steepest.max(1e-6)) };
        let mut promised = slope - penalty * violation * (1.0 - found.left);
        if promised >= 0.0 && violation > 0.0 && found.left < 1.0 {
            // The penalty must outweigh what the objective loses on the way back.
            penalty = 2.0 * slope / (violation * (1.0 - found.left));
            promised = -slope;
        }
        let merit = at.objective + penalty * violation;
        let moved = search.walk(&x, &at, &slopes, &curvature, &found, merit, penalty, promised);
        let Some((next, value)) = moved else {
            if is_fresh {
                converged = worst <= settings.feasible;
                break;
            }
            (learnt, is_fresh) = (fresh(&x, &slopes), true);
            continue;
        };
        let Some(mut value) = search.evaluate(&next, true).filter(|v| v.objective.is_finite()).or(Some(value)) else { break };
        let Some(after) = value.slopes.take() else { break };
        let step: Vec<f64> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
        let mut change: Vec<f64> = after.objective.iter().zip(&slopes.objective).map(|(a, b)| a - b).collect();
        for (i, multiplier) in found.multipliers.iter().enumerate().filter(|(_, m)| **m != 0.0) {
            axpy(-multiplier, after.rows.row(i), &mut change);
            axpy(*multiplier, slopes.rows.row(i), &mut change);
        }
        let by_known = known.times(&step);
        axpy(-1.0, &by_known, &mut change);
        learn(&mut learnt, &step, &change, is_fresh);
        is_fresh = false;
        (x, at, slopes) = (next, value, after);
    }
    let violation = broken(&at.rows, equal).1;
    let (objective, evaluations) = (at.objective, search.evaluations);
    Some(Outcome { x, objective, violation, iterations, evaluations, converged, learnt })
}

impl<P: Nonlinear> Search<'_, P> {
    fn evaluate(&mut self, x: &[f64], slopes: bool) -> Option<Evaluation> {
        self.evaluations.0 += 1;
        self.evaluations.1 += usize::from(slopes);
        let at = self.program.evaluate(x, slopes)?;
        (at.objective.is_finite() && at.rows.iter().all(|r| r.is_finite())).then_some(at)
    }

    fn direction(&self, x: &[f64], rows: &[f64], slopes: &Slopes, curvature: &Matrix) -> Option<Direction> {
        let n = x.len();
        let low: Vec<f64> = self.low.iter().zip(x).map(|(low, x)| low - x).collect();
        let high: Vec<f64> = self.high.iter().zip(x).map(|(high, x)| high - x).collect();
        let least: Vec<f64> = rows.iter().map(|row| -row).collect();
        let program = Quadratic {
            curvature,
            gradient: &slopes.objective,
            low: &low,
            high: &high,
            rows: &slopes.rows,
            least: &least,
            equal: self.equal,
        };
        if let Some(found) = program.solve() {
            return Some(Direction { step: found.x, multipliers: found.multipliers, left: 0.0 });
        }
        // One more variable is the share of the violation that stays; standing still with all of it is always possible.
        let steepest = slopes.objective.iter().fold(1.0f64, |most, s| most.max(s.abs()));
        let wide = |matrix: &Matrix, last: &dyn Fn(usize) -> f64, more: usize| {
            Matrix::from_fn(matrix.rows() + more, n + 1, |i, j| match (i < matrix.rows(), j < n) {
                (true, true) => matrix[(i, j)],
                (true, false) => last(i),
                (false, at_left) => {
                    if at_left {
                        0.0
                    } else {
                        steepest
                    }
                }
            })
        };
        let (mut low, mut high, mut gradient) = (low, high, slopes.objective.clone());
        low.push(0.0);
        high.push(1.0);
        gradient.push(1e4 * steepest);
        let relaxed = Quadratic {
            curvature: &wide(curvature, &|_| 0.0, 1),
            gradient: &gradient,
            low: &low,
            high: &high,
            rows: &wide(&slopes.rows, &|i| if i < self.equal { -rows[i] } else { (-rows[i]).max(0.0) }, 0),
            least: &least,
            equal: self.equal,
        };
        let mut found = relaxed.solve()?;
        let left = found.x.pop()?.clamp(0.0, 1.0);
        Some(Direction { step: found.x, multipliers: found.multipliers, left })
    }

    /// A point along the direction at which the merit falls enough.
    #[expect(clippy::too_many_arguments, reason = "the state of one iteration")]
    fn walk(
        &mut self,
        x: &[f64],
        at: &Evaluation,
        slopes: &Slopes,
        curvature: &Matrix,
        found: &Direction,
        merit: f64,
        penalty: f64,
        promised: f64,
    ) -> Option<(Vec<f64>, Evaluation)> {
        let equal = self.equal;
        let enough = |value: &Evaluation, t: f64| {
            let now = value.objective + penalty * broken(&value.rows, equal).0;
            now <= merit + ENOUGH * t * promised.min(0.0) + ROUNDING * (1.0 + merit.abs())
        };
        let longest = found.step.iter().fold(0.0f64, |most, s| most.max(s.abs()));
        let mut t = 1.0;
        while t * longest > 1e-11 {
            let point = self.inside(x, &found.step, t);
            let value = self.evaluate(&point, false);
            if let Some(value) = value {
                if enough(&value, t) {
                    return Some((point, value));
                }
                // A full step that bends away from the constraints is corrected once by where they really are.
                if t == 1.0 && found.left == 0.0 && broken(&value.rows, equal).0 > broken(&at.rows, equal).0 {
                    let shifted: Vec<f64> =
                        value.rows.iter().enumerate().map(|(i, row)| row - dot(slopes.rows.row(i), &found.step)).collect();
                    if let Some(corrected) = self.direction(x, &shifted, slopes, curvature).filter(|c| c.left == 0.0) {
                        let point = self.inside(x, &corrected.step, 1.0);
                        if let Some(value) = self.evaluate(&point, false).filter(|value| enough(value, 1.0)) {
                            return Some((point, value));
                        }
                    }
                }
            }
            t *= 0.4;
        }
        None
    }

    fn inside(&self, x: &[f64], step: &[f64], t: f64) -> Vec<f64> {
        let ends = self.low.iter().zip(self.high);
        x.iter().zip(step).zip(ends).map(|((x, s), (low, high))| (x + t * s).max(*low).min(*high)).collect()
    }
}

fn sum(a: &Matrix, b: &Matrix) -> Matrix {
    let mut sum = a.clone();
    axpy(1.0, b.as_slice(), sum.as_mut_slice());
    sum
}

/// Takes in what a step has shown of the curvature, kept positive definite by damping.
fn learn(learnt: &mut Matrix, step: &[f64], change: &[f64], is_fresh: bool) {
    let n = step.len();
    let along = dot(step, change);
    if dot(step, step) < 1e-22 {
        return;
    }
    if is_fresh && along > 0.0 {
        let size = dot(change, change) / along;
        *learnt = Matrix::identity(n);
        learnt.as_mut_slice().iter_mut().for_each(|v| *v *= size);
    }
    let bent = learnt.times(step);
    let whole = dot(step, &bent);
    let share = if along >= 0.2 * whole { 1.0 } else { 0.8 * whole / (whole - along) };
    let damped: Vec<f64> = change.iter().zip(&bent).map(|(c, b)| share * c + (1.0 - share) * b).collect();
    let along = dot(step, &damped);
    if !(along > 0.0 && whole > 0.0) {
        return;
    }
    for i in 0..n {
        let row = learnt.row_mut(i);
        axpy(-bent[i] / whole, &bent, row);
        axpy(damped[i] / along, &damped, row);
    }
    // The trace may not run away from what can be factored.
    let least = 1e-12 * (0..n).map(|i| learnt[(i, i)]).fold(0.0, f64::max);
    (0..n).for_each(|i| learnt[(i, i)] += least);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known<F>(usize, F);
    impl<F: FnMut(&[f64]) -> Evaluation> Nonlinear for Known<F> {
        fn equal(&self) -> usize {
            self.0
        }
        fn evaluate(&mut self, x: &[f64], _: bool) -> Option<Evaluation> {
            Some((self.1)(x))
        }
        fn curvature(&self) -> Option<&Matrix> {
            None
        }
    }

    /// Problem 71 of Hock and Schittkowski, *Test Examples for Nonlinear Programming Codes* (1981): 17.0140173.
    #[test]
    fn problem_71_of_hock_and_schittkowski_is_solved() {
        let evaluate = |x: &[f64]| {
            let objective = x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2];
            let gradient = vec![x[3] * (2.0 * x[0] + x[1] + x[2]), x[0] * x[3], x[0] * x[3] + 1.0, x[0] * (x[0] + x[1] + x[2])];
            let rows = vec![x.iter().map(|v| v * v).sum::<f64>() - 40.0, x[0] * x[1] * x[2] * x[3] - 25.0];
            let by_product = |i: usize| x.iter().enumerate().filter(|(k, _)| *k != i).map(|(_, v)| v).product::<f64>();
            let slopes = Matrix::from_fn(2, 4, |row, i| if row == 0 { 2.0 * x[i] } else { by_product(i) });
            Evaluation { objective, rows, slopes: Some(Slopes { objective: gradient, rows: slopes }) }
        };
        let settings = Settings { tolerance: 1e-10, ..Settings::default() };
        let found = sequential(&mut Known(1, evaluate), &[1.0, 5.0, 5.0, 1.0], &[1.0; 4], &[5.0; 4], &settings, None).unwrap();
        assert!(found.converged && (found.objective - 17.014_017_3).abs() < 1e-6, "{found:?}");
        for (x, known) in found.x.iter().zip([1.0, 4.742_999, 3.821_150, 1.379_408]) {
            assert!((x - known).abs() < 1e-4, "{found:?}");
        }
    }

    /// A start whose linear forms contradict each other, and a circle around which steps bend.
    #[test]
    fn an_impossible_start_and_a_bent_constraint_are_overcome() {
        let evaluate = |x: &[f64]| {
            // Least of 2(x² + y² − 1) − x on the unit circle: (1, 0), the example of Maratos.
            let circle = x[0] * x[0] + x[1] * x[1] - 1.0;
            Evaluation {
                objective: 2.0 * circle - x[0],
                rows: vec![circle],
                slopes: Some(Slopes {
                    objective: vec![4.0 * x[0] - 1.0, 4.0 * x[1]],
                    rows: Matrix::from_rows(&[[2.0 * x[0], 2.0 * x[1]]]),
                }),
            }
        };
        let (low, high) = ([-2.0; 2], [2.0; 2]);
        for start in [[0.1, 1.0], [0.01, -0.02], [-2.0, 1.5]] {
            let found = sequential(&mut Known(1, evaluate), &start, &low, &high, &Settings::default(), None).unwrap();
            assert!(found.converged && (found.x[0] - 1.0).abs() < 1e-5, "{start:?} {found:?}");
        }
    }
}
