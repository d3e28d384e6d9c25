//! Limited-memory BFGS inside bounds: a direction from the last steps over the variables that are free, then a
//! search along its projection onto the bounds (after Bertsekas, "Projected Newton methods for optimization
//! problems with simple constraints", SIAM J. Control Optim. 20, 221, 1982, with the two-loop recursion of Nocedal
//! and Wright, *Numerical Optimization*, 2nd ed., algorithm 7.4).

use crate::linear::{axpy, dot};

/// Steps remembered.
const MEMORY: usize = 10;
/// Decrease that a step must bring, as a share of what the slope promises.
const ENOUGH: f64 = 1e-4;

/// When to end a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Most iterations.
    pub iterations: usize,
    /// Largest entry of the projected gradient at which a point counts as a minimum.
    pub gradient: f64,
    /// Smallest decrease of an iteration, relative to 1 + |value|, for which it goes on.
    pub decrease: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { iterations: 200, gradient: 1e-6, decrease: 1e-10 }
    }
}

/// Where a search ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// Point.
    pub x: Vec<f64>,
    /// Value there.
    pub value: f64,
    /// Evaluations of the function.
    pub evaluations: usize,
    /// Did it end at a minimum or where no step brought more, rather than at the last iteration?
    pub converged: bool,
}

/// Smallest value found from `start` inside the bounds. The function writes its gradient; where it is not finite
/// a point counts as forbidden and the search turns back before it.
pub fn minimise(
    start: &[f64],
    low: &[f64],
    high: &[f64],
    limits: &Limits,
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Minimum {
    let n = start.len();
    let inside = |x: &mut [f64]| {
        for ((x, low), high) in x.iter_mut().zip(low).zip(high) {
            *x = x.max(*low).min(*high);
        }
    };
    let mut x = start.to_vec();
    inside(&mut x);
    let mut gradient = vec![0.0; n];
    let mut value = function(&x, &mut gradient);
    let mut evaluations = 1;
    let mut memory = Memory::default();
    let mut converged = false;
    if !value.is_finite() {
        return Minimum { x, value, evaluations, converged };
    }
    for _ in 0..limits.iterations {
        let free: Vec<bool> = (0..n)
            .map(|i| low[i] < high[i] && !(x[i] <= low[i] && gradient[i] > 0.0) && !(x[i] >= high[i] && gradient[i] < 0.0))
            .collect();
        let steepest = (0..n).filter(|i| free[*i]).map(|i| gradient[i].abs()).fold(0.0, f64::max);
        if steepest <= limits.gradient {
            converged = true;
            break;
        }
        let masked: Vec<f64> = gradient.iter().zip(&free).map(|(g, free)| if *free { *g } else { 0.0 }).collect();
        let mut direction = memory.direction(&masked, &free);
        if dot(&direction, &masked) > -1e-12 * dot(&masked, &masked) {
            memory = Memory::default();
            direction = masked.iter().map(|g| -g).collect();
        }
        // Without memory the length of the gradient says nothing about that of the step.
        let first = if memory.steps.is_empty() { (0.1 / steepest).min(1.0) } else { 1.0 };
        let mut trial = |t: f64, at: &mut Vec<f64>, slope: &mut Vec<f64>| {
            at.clone_from(&x);
            axpy(t, &direction, at);
            inside(at);
            evaluations += 1;
            function(at, slope)
        };
        let Some(found) = along(value, &gradient, &x, first, &direction, &mut trial) else {
            if memory.steps.is_empty() {
                converged = true;
                break;
            }
            memory = Memory::default();
            continue;
        };
        let step: Vec<f64> = found.at.iter().zip(&x).map(|(a, b)| a - b).collect();
        let change: Vec<f64> = found.slope.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let gained = value - found.value;
        memory.keep(step, change);
        (x, gradient, value) = (found.at, found.slope, found.value);
        if gained <= limits.decrease * (1.0 + value.abs()) {
            converged = true;
            break;
        }
    }
    Minimum { x, value, evaluations, converged }
}

/// A point found along a direction.
struct Found {
    at: Vec<f64>,
    slope: Vec<f64>,
    value: f64,
}

/// A point along the projected direction that brings enough; goes further while the slope stays steep.
fn along(
    value: f64,
    gradient: &[f64],
    x: &[f64],
    first: f64,
    direction: &[f64],
    trial: &mut impl FnMut(f64, &mut Vec<f64>, &mut Vec<f64>) -> f64,
) -> Option<Found> {
    let n = x.len();
    let promised = |at: &[f64]| at.iter().zip(x).zip(gradient).map(|((a, b), g)| (a - b) * g).sum::<f64>();
    let mut t = first;
    let mut best: Option<Found> = None;
    for _ in 0..25 {
        let mut found = Found { at: Vec::with_capacity(n), slope: vec![0.0; n], value: 0.0 };
        found.value = trial(t, &mut found.at, &mut found.slope);
        let expected = promised(&found.at);
        let good = found.value.is_finite() && found.value <= value + ENOUGH * expected && expected < 0.0;
        if let Some(held) = &best {
            // Going further: keep on as long as it pays.
            if !good || found.value >= held.value {
                break;
            }
        }
        if good {
            let still = dot(&found.slope, direction) < 0.9 * dot(gradient, direction);
            best = Some(found);
            if !still {
                break;
            }
            t *= 2.5;
            continue;
        }
        // Back to the minimum of the parabola through what is known, but not too near either end.
        let bend = found.value - value - expected;
        let factor = if bend.is_finite() && bend > 0.0 { (-expected / (2.0 * bend)).clamp(0.1, 0.5) } else { 0.2 };
        t *= factor;
        if t < 1e-14 {
            break;
        }
    }
    best
}

/// The last steps and the changes of the gradient they brought.
#[derive(Default)]
struct Memory {
    steps: Vec<(Vec<f64>, Vec<f64>, f64)>,
}

impl Memory {
    fn keep(&mut self, step: Vec<f64>, change: Vec<f64>) {
        let curvature = dot(&step, &change);
        if curvature > 1e-12 * dot(&change, &change).max(f64::MIN_POSITIVE) {
            if self.steps.len() == MEMORY {
                self.steps.remove(0);
            }
            self.steps.push((step, change, curvature));
        }
    }
    fn direction(&self, gradient: &[f64], free: &[bool]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut factors = Vec::with_capacity(self.steps.len());
        for (step, change, curvature) in self.steps.iter().rev() {
            let factor = dot(step, &q) / curvature;
            axpy(-factor, change, &mut q);
            factors.push(factor);
        }
        if let Some((_, change, curvature)) = self.steps.last() {
            let scale = curvature / dot(change, change);
            q.iter_mut().for_each(|v| *v *= scale);
        }
        for ((step, change, curvature), factor) in self.steps.iter().zip(factors.into_iter().rev()) {
            let back = dot(change, &q) / curvature;
            axpy(factor - back, step, &mut q);
        }
        for (v, free) in q.iter_mut().zip(free) {
            if !free {
                *v = 0.0;
            }
        }
        q
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let mut sum = 0.0;
        for i in 0..x.len() - 1 {
            let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
            sum += a * a + 100.0 * b * b;
            gradient[i] += -2.0 * a - 400.0 * b * x[i];
            gradient[i + 1] += 200.0 * b;
        }
        sum
    }

    #[test]
    fn the_banana_valley_is_walked_to_its_end() {
        let n = 6;
        let limits = Limits { decrease: 0.0, gradient: 1e-8, iterations: 500 };
        let found = minimise(&vec![-1.2; n], &vec![-5.0; n], &vec![5.0; n], &limits, rosenbrock);
        assert!(found.converged && found.value < 1e-14, "{found:?}");
        assert!(found.x.iter().all(|x| (x - 1.0).abs() < 1e-6) && found.evaluations < 300, "{found:?}");
    }

    #[test]
    fn a_minimum_on_the_bounds_satisfies_the_conditions_there() {
        // With x₁ ≤ 0.5 the minimum of the two-dimensional valley is 0.25 at (0.5, 0.25).
        let limits = Limits { decrease: 0.0, gradient: 1e-9, iterations: 300 };
        let found = minimise(&[-1.0, 2.0], &[-2.0, -2.0], &[0.5, 2.0], &limits, rosenbrock);
        assert!((found.value - 0.25).abs() < 1e-12, "{found:?}");
        assert!((found.x[0] - 0.5).abs() < 1e-15 && (found.x[1] - 0.25).abs() < 1e-7);
        // A fixed variable stays.
        let found = minimise(&[0.3, 2.0], &[0.3, -2.0], &[0.3, 2.0], &limits, rosenbrock);
        assert!((found.x[1] - 0.09).abs() < 1e-7 && found.x[0] == 0.3);
    }

    #[test]
    fn forbidden_regions_are_not_entered() {
        let walled = |x: &[f64], gradient: &mut [f64]| {
            gradient[0] = -1.0;
            if x[0] > 0.7 { f64::INFINITY } else { -x[0] }
        };
        let found = minimise(&[0.1], &[0.0], &[1.0], &Limits::default(), walled);
        assert!(found.x[0] <= 0.7 && found.x[0] > 0.6, "{found:?}");
        let nowhere = minimise(&[0.1], &[0.0], &[1.0], &Limits::default(), |_, _| f64::NAN);
        assert!(!nowhere.converged && nowhere.value.is_nan());
    }
}
