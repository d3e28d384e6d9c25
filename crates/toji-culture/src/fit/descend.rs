//! Levenberg and Marquardt's descent within bounds.

use super::objective::Fitness;
use super::problem::Problem;
use toji_core::Result;

/// Steps of one descent.
const STEPS_MAX: usize = 200;
/// The least that −2 ln L must still fall by.
const FALL_MIN: f64 = 1e-9;

/// Where a descent ended.
#[derive(Debug, Clone)]
pub(super) struct Descent {
    pub(super) at: Vec<f64>,
    pub(super) fitness: Fitness,
    /// Ended because nothing fell any more, not because it was cut off.
    pub(super) converged: bool,
}

impl Problem<'_> {
    /// Half the curvature of −2 ln L by Gauss and Newton, and half its gradient, among the free unknowns.
    pub(super) fn normal(&self, fitness: &Fitness, free: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let n = free.len();
        let (mut curvature, mut gradient) = (vec![0.0; n * n], vec![0.0; n]);
        for residual in &fitness.residuals {
            let weight = residual.noise.map_or(1.0, |noise| 1.0 / (fitness.spreads[noise] * fitness.spreads[noise]));
            for (i, a) in free.iter().enumerate() {
                let slope = residual.slopes[*a] * weight;
                if slope == 0.0 {
                    continue;
                }
                gradient[i] += slope * residual.value;
                for (j, b) in free.iter().enumerate() {
                    curvature[i * n + j] += slope * residual.slopes[*b];
                }
            }
        }
        (curvature, gradient)
    }

    /// Descends from a point; unknowns in `held` stay.
    ///
    /// # Errors
    /// The model cannot be simulated at the start.
    pub(super) fn descend(&self, from: &[f64], held: &[usize]) -> Result<Descent> {
        let mut at = from.to_vec();
        let mut fitness = self.fitness(&at)?;
        let mut damping = 1e-2;
        let mut growth = 2.0;
        for _ in 0..STEPS_MAX {
            let free: Vec<usize> = (0..at.len()).filter(|i| !held.contains(i) && !self.pushes_out(&fitness, &at, *i)).collect();
            let (curvature, gradient) = self.normal(&fitness, &free);
            let n = free.len();
            let scale: Vec<f64> = (0..n).map(|i| curvature[i * n + i].max(1e-12)).collect();
            let mut moved = false;
            while damping < 1e14 {
                let mut matrix = curvature.clone();
                for i in 0..n {
                    matrix[i * n + i] += damping * scale[i];
                }
                let Some(step) = solve(matrix, gradient.iter().map(|g| -g).collect()) else {
                    damping *= growth;
                    continue;
                };
                let mut trial = at.clone();
                for (i, unknown) in free.iter().enumerate() {
                    let (low, high) = self.unknowns[*unknown].bounds();
                    trial[*unknown] = (at[*unknown] + step[i]).clamp(low, high);
                }
                // A point that cannot be simulated is a bad one, not a fault.
                let better = self.fitness(&trial).ok().filter(|f| f.minus_two_log < fitness.minus_two_log);
                match better {
                    Some(better) => {
                        let fall = fitness.minus_two_log - better.minus_two_log;
                        (at, fitness, moved) = (trial, better, true);
                        (damping, growth) = ((damping / 3.0).max(1e-12), 2.0);
                        if fall < FALL_MIN * (1.0 + fitness.minus_two_log.abs()) {
                            return Ok(Descent { at, fitness, converged: true });
                        }
                        break;
                    }
                    None => {
                        damping *= growth;
                        growth *= 2.0;
                    }
                }
            }
            if !moved {
                return Ok(Descent { at, fitness, converged: true });
            }
        }
        Ok(Descent { at, fitness, converged: false })
    }

    /// Is the unknown at a bound and would descend beyond it?
    fn pushes_out(&self, fitness: &Fitness, at: &[f64], unknown: usize) -> bool {
        let (low, high) = self.unknowns[unknown].bounds();
        if at[unknown] > low && at[unknown] < high {
            return false;
        }
        let (_, gradient) = self.normal(fitness, &[unknown]);
        (at[unknown] <= low && gradient[0] > 0.0) || (at[unknown] >= high && gradient[0] < 0.0)
    }
}

/// Solves a symmetric positive definite system; none where it is not.
pub(super) fn solve(mut a: Vec<f64>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for j in 0..n {
        let mut pivot = a[j * n + j];
        for k in 0..j {
            pivot -= a[j * n + k] * a[j * n + k];
        }
        if !(pivot.is_finite() && pivot > 0.0) {
            return None;
        }
        let root = libm::sqrt(pivot);
        a[j * n + j] = root;
        for i in j + 1..n {
            let mut sum = a[i * n + j];
            for k in 0..j {
                sum -= a[i * n + k] * a[j * n + k];
            }
            a[i * n + j] = sum / root;
        }
    }
    for i in 0..n {
        for k in 0..i {
            b[i] -= a[i * n + k] * b[k];
        }
        b[i] /= a[i * n + i];
    }
    for i in (0..n).rev() {
        for k in i + 1..n {
            b[i] -= a[k * n + i] * b[k];
        }
        b[i] /= a[i * n + i];
    }
    Some(b)
}
