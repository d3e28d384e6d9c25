//! Levenberg and Marquardt's descent within bounds.

use super::landscape::{Landscape, Local};
use crate::linear::{Cholesky, Matrix};
use toji_core::Result;

/// Steps of one descent.
const STEPS_MAX: usize = 200;
/// The least that −2 ln L must still fall by.
const FALL_MIN: f64 = 1e-9;

/// Where a descent ended.
#[derive(Debug, Clone)]
pub(super) struct Descent {
    pub(super) at: Vec<f64>,
    pub(super) local: Local,
    /// Ended because nothing fell any more, not because it was cut off.
    pub(super) converged: bool,
}

/// Descends from a point; unknowns in `held` stay.
///
/// # Errors
/// The model cannot be simulated at the start.
pub(super) fn descend(landscape: &impl Landscape, from: &[f64], held: &[usize]) -> Result<Descent> {
    let bounds: Vec<(f64, f64)> = landscape.unknowns().iter().map(|u| u.bounds()).collect();
    let all = bounds.len();
    let mut at = from.to_vec();
    let mut local = landscape.at(&at)?;
    let mut damping = 1e-2;
    let mut growth = 2.0;
    for _ in 0..STEPS_MAX {
        // At a bound and descending beyond it: stays.
        let pushes_out =
            |i: usize| (at[i] <= bounds[i].0 && local.gradient[i] > 0.0) || (at[i] >= bounds[i].1 && local.gradient[i] < 0.0);
        let free: Vec<usize> = (0..all).filter(|i| !held.contains(i) && !pushes_out(*i)).collect();
        let mut moved = false;
        while damping < 1e14 {
            let Some(step) = step(&local, &free, damping) else {
                damping *= growth;
                continue;
            };
            let mut trial = at.clone();
            for (i, by) in free.iter().zip(step) {
                trial[*i] = (at[*i] + by).clamp(bounds[*i].0, bounds[*i].1);
            }
            // A point that cannot be simulated is a bad one, not a fault.
            match landscape.at(&trial).ok().filter(|l| l.minus_two_log < local.minus_two_log) {
                Some(better) => {
                    let fall = local.minus_two_log - better.minus_two_log;
                    (at, local, moved) = (trial, better, true);
                    (damping, growth) = ((damping / 3.0).max(1e-12), 2.0);
                    if fall < FALL_MIN * (1.0 + local.minus_two_log.abs()) {
                        return Ok(Descent { at, local, converged: true });
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
            return Ok(Descent { at, local, converged: true });
        }
    }
    Ok(Descent { at, local, converged: false })
}

/// Levenberg and Marquardt's step of the free unknowns; none where the damped curvature is singular.
fn step(local: &Local, free: &[usize], damping: f64) -> Option<Vec<f64>> {
    let n = local.gradient.len();
    let matrix = Matrix::from_fn(free.len(), free.len(), |i, j| {
        let curvature = local.curvature[free[i] * n + free[j]];
        if i == j { curvature + damping * curvature.max(1e-12) } else { curvature }
    });
    let downhill: Vec<f64> = free.iter().map(|i| -local.gradient[*i]).collect();
    Some(Cholesky::exact(&matrix)?.solve(&downhill))
}
