//! What it is worth to measure a point again: how much better the choice of the best point becomes on average.

use crate::gp::{Gp, normal};
use crate::linear::Matrix;
use libm::exp;

/// A point to repeat: its index and what it is worth, in the unit of the goal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Again {
    pub(super) point: usize,
    pub(super) gain: f64,
}

/// The points worth repeating, one after the other, each in the light of those before it. `eligible` says which of
/// `points` may be repeated; the list ends early where nothing is worth anything.
pub(super) fn choose(goal: &Gp, points: &[Vec<f64>], eligible: impl Fn(usize, &[Again]) -> bool, count: usize) -> Vec<Again> {
    let (mean, mut covariance) = goal.joint(&Matrix::from_rows(points));
    let noise = goal.hyper().noise;
    let mut chosen: Vec<Again> = Vec::new();
    while chosen.len() < count {
        let best = (0..points.len())
            .filter(|i| eligible(*i, &chosen))
            .map(|i| {
                let spread = (covariance[(i, i)].max(0.0) + noise).sqrt();
                let shifts: Vec<f64> = covariance.row(i).iter().map(|c| if spread > 0.0 { c / spread } else { 0.0 }).collect();
                Again { point: i, gain: expected_rise(&mean, &shifts) }
            })
            .reduce(|a, b| if b.gain > a.gain { b } else { a });
        let Some(best) = best.filter(|b| b.gain > 1e-9 * goal.unit()) else { break };
        let total = covariance[(best.point, best.point)] + noise;
        let row = covariance.row(best.point).to_vec();
        for (i, factor) in row.iter().enumerate() {
            for (c, other) in covariance.row_mut(i).iter_mut().zip(&row) {
                *c -= factor * other / total;
            }
        }
        chosen.push(best);
    }
    chosen
}

/// E max(aⱼ + bⱼ·Z) − max aⱼ for a standard normal Z (Frazier, Powell and Dayanik, "The knowledge-gradient policy for
/// correlated normal beliefs", INFORMS J. Comput. 21, 599, 2009, algorithm 1).
fn expected_rise(means: &[f64], shifts: &[f64]) -> f64 {
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
    upper.windows(2).map(|pair| (pair[1].0 - pair[0].0) * exp(normal::ln_improvement(-pair[1].2.abs()).value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gp::{Data, Settings};

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
        let again = choose(&gp, &points, |_, _| true, 3);
        assert!(again.len() == 3 && again.iter().all(|a| a.point == 1 || a.point == 2), "{again:?}");
        // They need not fall: the worth of what is learnt is not concave.
        assert!(again.iter().all(|a| a.gain > 0.0), "{again:?}");
    }
}
