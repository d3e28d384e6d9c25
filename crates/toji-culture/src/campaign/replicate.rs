//! What it is worth to measure a point again: how much better the choice of the best point becomes on average.

use crate::gp::{Gp, normal};
use crate::linear::Matrix;
use libm::{exp, log as ln};

/// A point to repeat: its index and what it is worth, in the unit of the goal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Again {
    pub(super) point: usize,
    pub(super) gain: f64,
}

/// Points that were tried, and which of them to repeat: one after the other, each in the light of those before it.
#[derive(Debug, Clone)]
pub(super) struct Repeats {
    mean: Vec<f64>,
    covariance: Matrix,
    noise: f64,
    /// How often each was chosen here.
    chosen: Vec<usize>,
}

impl Repeats {
    pub(super) fn of(goal: &Gp, points: &[Vec<f64>]) -> Self {
        let (mean, covariance) = goal.joint(&Matrix::from_rows(points));
        Self { chosen: vec![0; mean.len()], mean, covariance, noise: goal.hyper().noise }
    }

    /// The next one of those that are `eligible`; none only where none is. Worths are compared as logarithms, so that one
    /// is the greatest also where all are next to nothing; where they are nothing at all (a single point), what was
    /// repeated least, and of those what is expected to be best.
    pub(super) fn next(&mut self, eligible: impl Fn(usize) -> bool) -> Option<Again> {
        let worth = |i: usize| {
            let spread = (self.covariance[(i, i)].max(0.0) + self.noise).sqrt();
            let shifts: Vec<f64> = self.covariance.row(i).iter().map(|c| if spread > 0.0 { c / spread } else { 0.0 }).collect();
            ln_expected_rise(&self.mean, &shifts)
        };
        let better = |a: &(usize, f64), b: &(usize, f64)| {
            let least = self.chosen[b.0].cmp(&self.chosen[a.0]);
            a.1.total_cmp(&b.1).then(least).then(self.mean[a.0].total_cmp(&self.mean[b.0]))
        };
        let (point, ln_gain) = (0..self.mean.len())
            .filter(|i| eligible(*i))
            .map(|i| (i, worth(i)))
            .reduce(|a, b| if better(&b, &a).is_gt() { b } else { a })?;
        let total = self.covariance[(point, point)].max(0.0) + self.noise;
        if total > 0.0 {
            let row = self.covariance.row(point).to_vec();
            for (i, factor) in row.iter().enumerate() {
                for (c, other) in self.covariance.row_mut(i).iter_mut().zip(&row) {
                    *c -= factor * other / total;
                }
            }
        }
        self.chosen[point] += 1;
        Some(Again { point, gain: exp(ln_gain) })
    }
}

/// ln (E max(aⱼ + bⱼ·Z) − max aⱼ) for a standard normal Z; −∞ where nothing rises (Frazier, Powell and Dayanik, "The
/// knowledge-gradient policy for correlated normal beliefs", INFORMS J. Comput. 21, 599, 2009, algorithm 1).
fn ln_expected_rise(means: &[f64], shifts: &[f64]) -> f64 {
    let mut lines: Vec<(f64, f64)> = shifts.iter().copied().zip(means.iter().copied()).collect();
    lines.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1)));
    // The upper envelope: each line with the Z from which on it is the highest.
    let mut upper: Vec<(f64, f64, f64)> = Vec::new();
    for (slope, height) in lines {
        let mut from = f64::NEG_INFINITY;
        while let Some((last_slope, last_height, last_from)) = upper.last().copied() {
            if slope - last_slope > 1e-14 * slope.abs() {
                from = (last_height - height) / (slope - last_slope);
                if from > last_from {
                    break;
                }
            }
            // Parallel lines are sorted by height, so the later one hides the earlier.
            upper.pop();
            from = f64::NEG_INFINITY;
        }
        upper.push((slope, height, from));
    }
    let logs: Vec<f64> =
        upper.windows(2).map(|pair| ln(pair[1].0 - pair[0].0) + normal::ln_improvement(-pair[1].2.abs()).value).collect();
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most.is_finite() { most + ln(logs.iter().map(|l| exp(l - most)).sum()) } else { f64::NEG_INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gp::{Data, Settings};

    fn expected_rise(means: &[f64], shifts: &[f64]) -> f64 {
        exp(ln_expected_rise(means, shifts))
    }

    #[test]
    fn the_rise_agrees_with_closed_forms_and_sums() {
        // Two equal means, one of which moves: E max(0, Z) = φ(0).
        assert!((expected_rise(&[0.0, 0.0], &[0.0, 1.0]) - normal::density(0.0)).abs() < 1e-14);
        // One line alone, and lines that move together, bring nothing.
        assert_eq!(expected_rise(&[3.0], &[2.0]), 0.0);
        assert_eq!(expected_rise(&[3.0, 1.0], &[2.0, 2.0]), 0.0);
        let (a, b) = ([0.3, 0.1, -0.4, 0.25, 0.0], [0.2, -0.5, 1.1, 0.0, 0.6]);
        let steps = 200_000;
        let sum: f64 = (0..steps)
            .map(|i| {
                let z = normal::quantile((f64::from(i) + 0.5) / f64::from(steps));
                a.iter().zip(&b).map(|(a, b)| a + b * z).fold(f64::NEG_INFINITY, f64::max)
            })
            .sum();
        assert!((expected_rise(&a, &b) - (sum / f64::from(steps) - 0.3)).abs() < 1e-5);
        // A lead of 100 spreads: far below the least number, and still told from one of 101. ln(φ(z)/z²) is right to 3/z².
        let lead = |by: f64| ln_expected_rise(&[by, 0.0], &[0.0, 1.0]);
        let tail = |z: f64| -0.5 * z * z - 0.918_938_533_204_672_8 - 2.0 * z.ln();
        assert!((lead(100.0) - tail(100.0)).abs() < 1e-3 && lead(101.0) < lead(100.0), "{}", lead(100.0));
    }

    #[test]
    fn rivals_for_the_best_are_repeated_and_hopeless_points_are_not() {
        let x = [0.1, 0.3, 0.5, 0.7, 0.9];
        let (y, again) = ([0.0, 9.8, 10.4, 2.0, 0.0], [0.6, 10.6, 9.4, 2.7, -0.6]);
        let points: Vec<Vec<f64>> = x.iter().map(|x| vec![*x]).collect();
        let mut data = Data { x: Matrix::from_rows(&points), y: y.to_vec(), known: Vec::new() };
        for (point, y) in points.iter().zip(again) {
            data.x.push_row(point);
            data.y.push(y);
        }
        let gp = Gp::fit(&data, &Settings::default(), 1).unwrap();
        let mut repeats = Repeats::of(&gp, &points);
        let again: Vec<Again> = (0..3).filter_map(|_| repeats.next(|_| true)).collect();
        assert!(again.len() == 3 && again.iter().all(|a| a.point == 1 || a.point == 2), "{again:?}");
        // They need not fall: the worth of what is learnt is not concave.
        assert!(again.iter().all(|a| a.gain > 0.0), "{again:?}");
        // Among points of which none is in doubt there is a choice too; without any point there is none.
        assert!(repeats.next(|i| i == 0 || i == 4).is_some());
        assert_eq!(repeats.next(|_| false), None);
    }
}
