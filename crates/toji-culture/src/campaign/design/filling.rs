//! Latin hypercubes whose points keep apart.

use crate::linear::Matrix;
use crate::optimise::fraction;
use toji_core::chance::Chance;

/// Hypercubes drawn, of which the one with the largest smallest distance is taken.
const DRAWS: usize = 200;

/// A Latin hypercube of `n` points: every factor takes each of n levels once. Of many drawn by the seed it is the one
/// whose nearest two points are farthest apart.
#[must_use]
pub fn latin_hypercube(dimensions: usize, n: usize, seed: u64) -> Matrix {
    let mut chance = Chance::new(seed);
    let mut best: Option<(f64, Matrix)> = None;
    for _ in 0..DRAWS {
        let mut points = Matrix::zeros(n, dimensions);
        for k in 0..dimensions {
            let mut levels: Vec<usize> = (0..n).collect();
            chance.shuffle(&mut levels);
            for (i, level) in levels.into_iter().enumerate() {
                points[(i, k)] = (level as f64 + fraction(&mut chance)) / n as f64;
            }
        }
        let nearest = nearest(&points);
        if best.as_ref().is_none_or(|(most, _)| nearest > *most) {
            best = Some((nearest, points));
        }
    }
    best.map_or_else(Matrix::default, |(_, points)| points)
}

/// Squared distance of the two nearest points.
fn nearest(points: &Matrix) -> f64 {
    let squared = |i: usize, j: usize| points.row(i).iter().zip(points.row(j)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    (0..points.rows()).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| squared(i, j)).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_taken_once_and_points_keep_apart() {
        for seed in 0..10 {
            let points = latin_hypercube(4, 12, seed);
            for k in 0..4 {
                let mut seen = [0; 12];
                (0..12).for_each(|i| seen[(points[(i, k)] * 12.0) as usize] += 1);
                assert_eq!(seen, [1; 12]);
            }
            assert_eq!(points, latin_hypercube(4, 12, seed));
            // The nearest two of 12 chance points in four dimensions lie some 0.2 apart.
            assert!(nearest(&points).sqrt() > 0.35, "{}", nearest(&points).sqrt());
        }
    }
}
