//! Rounding: coordinates in which the polytope is as wide one way as another.

use super::body::Body;
use super::dense::{Dense, cholesky, dot, inverse_transposed, solve};
use super::walk::Walk;
use crate::analyse::parallel::pieces;
use toji_core::error::Category;
use toji_core::{Error, Result};

/// Pilot chains of one round.
const PILOTS: usize = 4;
/// Most rounds of pilots.
const ROUNDS: usize = 8;
/// Spread of the pilots' covariance factor at which the polytope is round enough.
const ROUND: f64 = 3.0;

/// Directions of the walk, `z` for each unit of a coordinate, and where the walk may start.
#[derive(Debug, Clone)]
pub(super) struct Rounded {
    /// By rows: one for each coordinate, of the stride of [`Body::low`] rounded up to whole lanes.
    pub(super) directions: Dense,
    /// One over each entry of `directions`; the largest number where there is none.
    pub(super) inverses: Dense,
    pub(super) centre: Vec<f64>,
}

/// Rounds; also how many steps it took.
pub(super) fn round(body: &Body, seed: u64, threads: usize) -> Result<(Rounded, usize)> {
    let d = body.dimensions();
    if d == 0 {
        return Ok((rounded(body, &Dense::zero(0, 0), body.start.clone()), 0));
    }
    let (centre, factor) = centre(body)?;
    let mut basis = inverse_transposed(&factor);
    let mut state = rounded(body, &basis, centre);
    let draws = (1000 + 12 * d) / PILOTS;
    let mut steps = 0;
    for turn in 0..ROUNDS {
        let parts = pieces(PILOTS, threads, |pilot| {
            let stream = ((turn * PILOTS + pilot) as u64 + 1) << 32;
            let mut walk = Walk::new(body, &state, seed, stream);
            walk.follow();
            walk.go(20 * d);
            let mut points = Vec::with_capacity(draws);
            for _ in 0..draws {
                walk.go(2 * d);
                walk.point();
                points.push(walk.coordinates());
            }
            Ok(points)
        })?;
        steps += PILOTS * (20 * d + draws * 2 * d);
        let points: Vec<Vec<f64>> = parts.into_iter().flatten().collect();
        let Some(spread) = cholesky(covariance(&points)) else { break };
        let sizes: Vec<f64> = (0..d).map(|k| spread.row(k)[k]).collect();
        let (least, most) = (sizes.iter().copied().fold(f64::INFINITY, f64::min), sizes.iter().copied().fold(0.0, f64::max));
        basis = product(&basis, &spread);
        state = rounded(body, &basis, state.centre);
        if most < ROUND * least {
            break;
        }
    }
    Ok((state, steps))
}

/// Covariance of points with a little of the identity.
fn covariance(points: &[Vec<f64>]) -> Dense {
    let d = points[0].len();
    let count = points.len() as f64;
    let mean: Vec<f64> = (0..d).map(|k| points.iter().map(|p| p[k]).sum::<f64>() / count).collect();
    let rows: Vec<Vec<f64>> = (0..d).map(|k| points.iter().map(|p| p[k] - mean[k]).collect()).collect();
    let mut c = Dense::zero(d, d);
    for i in 0..d {
        for j in 0..=i {
            c.values[i * d + j] = dot(&rows[i], &rows[j]) / count;
        }
    }
    let trace: f64 = (0..d).map(|k| c.values[k * d + k]).sum();
    for k in 0..d {
        c.values[k * d + k] += 1e-7 * trace / d as f64;
    }
    c
}

fn product(a: &Dense, b: &Dense) -> Dense {
    let mut out = Dense::zero(a.columns, b.columns);
    for i in 0..a.columns {
        for k in 0..a.columns {
            let factor = a.row(i)[k];
            if factor != 0.0 {
                for (o, v) in out.row_mut(i).iter_mut().zip(b.row(k)) {
                    *o += factor * v;
                }
            }
        }
    }
    out
}

/// The walk's directions from the columns of a basis of the chosen coordinates.
fn rounded(body: &Body, basis: &Dense, centre: Vec<f64>) -> Rounded {
    let (d, n) = (body.dimensions(), body.low.len());
    let stride = n.next_multiple_of(super::walk::LANES);
    let (mut directions, mut inverses) = (Dense::zero(d, stride), Dense::zero(d, stride));
    let mut chosen = vec![0.0; d];
    for k in 0..d {
        for (c, value) in chosen.iter_mut().enumerate() {
            *value = basis.row(c)[k];
        }
        let row = directions.row_mut(k);
        for (c, &at) in body.free.iter().enumerate() {
            row[at] = chosen[c];
        }
        for (i, &at) in body.basic.iter().enumerate() {
            row[at] = -dot(body.matrix.row(i), &chosen);
        }
        let largest = row.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
        for (value, inverse) in row.iter_mut().zip(inverses.row_mut(k)) {
            if value.abs() <= 1e-13 * largest {
                (*value, *inverse) = (0.0, f64::MAX);
            } else {
                *inverse = 1.0 / *value;
            }
        }
    }
    Rounded { directions, inverses, centre }
}

/// The analytic centre (Newton's method on the logarithmic barrier) and the factor of the barrier's Hessian there.
fn centre(body: &Body) -> Result<(Vec<f64>, Dense)> {
    let d = body.dimensions();
    let mut z = body.start.clone();
    body.restore(&mut z);
    for _ in 0..80 {
        let (slope, factor) = barrier(body, &z)?;
        let mut step: Vec<f64> = slope.iter().map(|s| -s).collect();
        solve(&factor, &mut step);
        let decrement = -slope.iter().zip(&step).map(|(s, t)| s * t).sum::<f64>();
        let mut whole = vec![0.0; z.len()];
        for (c, &at) in body.free.iter().enumerate() {
            whole[at] = step[c];
        }
        for (i, &at) in body.basic.iter().enumerate() {
            whole[at] = -dot(body.matrix.row(i), &step);
        }
        let reach = z.iter().zip(&whole).enumerate().fold(f64::INFINITY, |reach, (j, (x, s))| {
            let room = if *s > 0.0 { (body.high[j] - x) / s } else { (body.low[j] - x) / s };
            if *s == 0.0 { reach } else { reach.min(room) }
        });
        // Damped as self-concordance asks, or most of the way to the nearest side where that is farther.
        let damped = 1.0 / (1.0 + decrement.max(0.0).sqrt());
        let length = if decrement < 0.25 { 1.0_f64.min(0.95 * reach) } else { damped.max(0.5 * reach).min(1.0).min(0.9 * reach) };
        for (x, s) in z.iter_mut().zip(&whole) {
            *x += length * s;
        }
        body.restore(&mut z);
        if decrement < 1e-6 * d as f64 {
            break;
        }
    }
    let (_, factor) = barrier(body, &z)?;
    Ok((z, factor))
}

/// Slope and factored curvature of the barrier in the chosen coordinates.
fn barrier(body: &Body, z: &[f64]) -> Result<(Vec<f64>, Dense)> {
    let d = body.dimensions();
    let term = |j: usize| {
        let (below, above) = (1.0 / (z[j] - body.low[j]), 1.0 / (body.high[j] - z[j]));
        (above - below, below * below + above * above)
    };
    let (mut slope, mut curve) = (vec![0.0; d], Dense::zero(d, d));
    for (c, &at) in body.free.iter().enumerate() {
        let (s, w) = term(at);
        slope[c] = s;
        curve.values[c * d + c] = w;
    }
    for (i, &at) in body.basic.iter().enumerate() {
        let (s, w) = term(at);
        let row = body.matrix.row(i);
        let support: Vec<usize> = (0..d).filter(|&c| row[c] != 0.0).collect();
        for (position, &a) in support.iter().enumerate() {
            slope[a] -= s * row[a];
            let weight = w * row[a];
            let target = curve.row_mut(a);
            for &b in &support[..=position] {
                target[b] += weight * row[b];
            }
        }
    }
    let factor = cholesky(curve).filter(|l| l.values.iter().all(|v| v.is_finite()));
    factor.map(|factor| (slope, factor)).ok_or_else(|| {
        Error::new(Category::Model, "E-FLUX-082", "多面体が薄すぎて丸められません", "the polytope is too flat to be rounded")
            .hint("桁の離れた境界を見直してください", "look at bounds of very different size")
    })
}
