//! The polytope in its own dimension.

use super::dense::{Dense, dot};
use crate::analyse::fva::{ColumnRanges, column_ranges};
use crate::analyse::lift::lift;
use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::Sense;
use crate::sparse::Matrix;
use toji_core::error::Category;
use toji_core::{Error, Place, Result};

/// Ranges narrower than this, relative to one plus the flux, are held.
const NARROW: f64 = 1e-8;
/// Pivots below this, of rows scaled to one, are rounding.
const PIVOT: f64 = 1e-9;
/// Most entries of the dense null space.
const MOST: usize = 40_000_000;

/// A full-dimensional polytope `low ≤ z ≤ high`, `z_basic = shift − M z_free`, where `z` are the columns that can move, each
/// in units of its range.
#[derive(Debug)]
pub(super) struct Body {
    small: Compressed,
    /// Column of the compressed problem and its range.
    moving: Vec<(usize, f64)>,
    /// A point of the compressed problem with room on every side.
    inside: Vec<f64>,
    /// Bounds of the moving columns; infinite where no point of the polytope comes near.
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
    /// The moving columns that follow, by row of `matrix`.
    pub(super) basic: Vec<usize>,
    /// The moving columns that are chosen.
    pub(super) free: Vec<usize>,
    /// Of each moving column: is it chosen?
    pub(super) is_chosen: Vec<bool>,
    pub(super) matrix: Dense,
    pub(super) shift: Vec<f64>,
    /// The inside point, in units of the ranges.
    pub(super) start: Vec<f64>,
}

impl Body {
    pub(super) fn new(problem: &Problem, threads: usize) -> Result<Result<Self, Outcome>> {
        let small = Compressed::new(problem);
        let (lifted, _) = lift(&small.problem);
        let ranges = match column_ranges(&lifted, threads)? {
            Ok(ranges) => ranges,
            Err(other) => return Ok(Err(other)),
        };
        let columns = small.problem.matrix.columns();
        let width: Vec<f64> = ranges.low.iter().zip(&ranges.high).map(|(l, h)| h - l).collect();
        if let Some(open) = width[..columns].iter().position(|w| !w.is_finite()) {
            return Err(unlimited(small.members[open][0].0));
        }
        let moves: Vec<bool> =
            (0..width.len()).map(|j| width[j] > NARROW * (1.0 + ranges.low[j].abs().max(ranges.high[j].abs()))).collect();
        let inside = match margin(&lifted, &ranges, &moves)? {
            Ok(inside) => inside,
            Err(other) => return Ok(Err(other)),
        };
        let moving: Vec<(usize, f64)> = (0..width.len()).filter(|&j| moves[j]).map(|j| (j, width[j])).collect();
        let scaled = |values: &[f64]| moving.iter().map(|&(j, w)| values[j] / w).collect::<Vec<f64>>();
        let (mut low, mut high, start) = (scaled(&lifted.lower), scaled(&lifted.upper), scaled(&inside));
        for (k, &(j, width)) in moving.iter().enumerate() {
            if !binds(lifted.lower[j], ranges.low[j], width) {
                low[k] = f64::NEG_INFINITY;
            }
            if !binds(lifted.upper[j], ranges.high[j], width) {
                high[k] = f64::INFINITY;
            }
        }
        let (basic, free, matrix) = hull(&lifted.matrix, &moving)?;
        let mut is_chosen = vec![false; moving.len()];
        free.iter().for_each(|&k| is_chosen[k] = true);
        let shift = (0..basic.len())
            .map(|i| start[basic[i]] + matrix.row(i).iter().zip(&free).map(|(a, &k)| a * start[k]).sum::<f64>())
            .collect();
        Ok(Ok(Self { small, moving, inside, low, high, basic, free, is_chosen, matrix, shift, start }))
    }

    pub(super) fn dimensions(&self) -> usize {
        self.free.len()
    }

    /// Puts the columns that follow where the chosen ones say, and a rounding beyond a bound onto it.
    pub(super) fn restore(&self, z: &mut [f64]) {
        let chosen: Vec<f64> = self.free.iter().map(|&k| z[k]).collect();
        for (i, &b) in self.basic.iter().enumerate() {
            z[b] = (self.shift[i] - dot(self.matrix.row(i), &chosen)).max(self.low[b]).min(self.high[b]);
        }
    }

    /// The columns of the compressed problem, from the moving ones.
    pub(super) fn columns(&self, z: &[f64]) -> Vec<f64> {
        let mut x = self.inside[..self.small.problem.matrix.columns()].to_vec();
        for (&(j, w), z) in self.moving.iter().zip(z) {
            if j < x.len() {
                x[j] = (w * z).max(self.small.problem.lower[j]).min(self.small.problem.upper[j]);
            }
        }
        x
    }

    pub(super) fn expand(&self, x: &[f64]) -> Vec<f64> {
        self.small.expand(x)
    }

    pub(super) fn images(&self) -> impl Iterator<Item = &Image> {
        self.small.images.iter()
    }
}

fn unlimited(reaction: usize) -> Error {
    Error::new(
        Category::Model,
        "E-FLUX-081",
        format!("反応 {reaction}(0 始まり)の流束に限りがないため、一様な標本はとれません"),
        format!("the flux of reaction {reaction} (from 0) has no limit, so there is no uniform law to sample"),
    )
    .at(Place::field(format!("reaction {reaction}")))
    .hint("その反応か取り込みの境界を有限にしてください", "make the bounds of that reaction or of the uptakes finite")
}

fn flat(ja: &str, en: &str) -> Error {
    Error::new(Category::Limit, "E-FLUX-082", ja, en)
        .hint("境界を狭めるか、動かない反応を除いてください", "narrow the bounds or take out reactions that do not matter")
}

/// Whether a bound limits the polytope: one beyond the reach of its column never does.
fn binds(bound: f64, end: f64, width: f64) -> bool {
    (bound - end).abs() <= 1e-3 * width
}

/// A point whose least room, as a share of each range, is as large as can be.
fn margin(problem: &Problem, ranges: &ColumnRanges, moves: &[bool]) -> Result<Result<Vec<f64>, Outcome>> {
    let (m, n) = (problem.matrix.rows(), problem.matrix.columns());
    let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| problem.matrix.iter(j).collect()).collect();
    let mut wide = Problem { sense: Sense::Maximize, ..problem.clone() };
    let mut share = Vec::new();
    let mut rows = m;
    for j in (0..n).filter(|&j| moves[j]) {
        let width = ranges.high[j] - ranges.low[j];
        let ends = [(problem.lower[j], ranges.low[j], -1.0), (problem.upper[j], ranges.high[j], 1.0)];
        for (bound, end, sign) in ends {
            if binds(bound, end, width) {
                // x/w + sign·t, in units of the range.
                columns[j].push((rows, 1.0 / width));
                share.push((rows, sign));
                let side = bound / width;
                wide.row_lower.push(if sign < 0.0 { side } else { f64::NEG_INFINITY });
                wide.row_upper.push(if sign < 0.0 { f64::INFINITY } else { side });
                rows += 1;
            }
        }
    }
    columns.push(share);
    wide.lower.push(0.0);
    wide.upper.push(0.5);
    wide.cost.push(1.0);
    let Some(matrix) = Matrix::from_columns(rows, columns.iter().map(Vec::as_slice)) else {
        return Err(flat("モデルが大きすぎます", "the model is too large"));
    };
    wide.matrix = matrix;
    match Solver::new(wide)?.solve()? {
        Outcome::Optimal(mut best) => {
            if moves.contains(&true) && best.objective < 1e-9 {
                return Err(flat("多面体が薄すぎて内点がありません", "the polytope is so flat that it has no inside point"));
            }
            best.primal.truncate(n);
            Ok(Ok(best.primal))
        }
        other => Ok(Err(other)),
    }
}

/// The affine hull by Gauss–Jordan elimination with complete pivoting: columns that follow, columns that are chosen, and how.
fn hull(matrix: &Matrix, moving: &[(usize, f64)]) -> Result<(Vec<usize>, Vec<usize>, Dense)> {
    let (m, n) = (matrix.rows(), moving.len());
    if m.saturating_mul(n) > MOST {
        return Err(flat("標本抽出には網が大きすぎます", "the network is too large to be sampled"));
    }
    let mut a = Dense::zero(m, n);
    for (k, &(j, w)) in moving.iter().enumerate() {
        for (i, value) in matrix.iter(j) {
            a.values[i * n + k] = value * w;
        }
    }
    for i in 0..m {
        let largest = a.row(i).iter().fold(0.0_f64, |s, v| s.max(v.abs()));
        if largest > 0.0 {
            a.row_mut(i).iter_mut().for_each(|v| *v /= largest);
        }
    }
    let mut rows: Vec<usize> = (0..m).collect();
    let (mut pivots, mut taken) = (Vec::new(), vec![false; n]);
    loop {
        let mut best = (PIVOT, 0, 0);
        for (at, &i) in rows.iter().enumerate() {
            for (k, v) in a.row(i).iter().enumerate() {
                if v.abs() > best.0 && !taken[k] {
                    best = (v.abs(), at, k);
                }
            }
        }
        let (size, at, k) = best;
        if size == PIVOT {
            break;
        }
        let i = rows.swap_remove(at);
        let pivot = a.row(i)[k];
        a.row_mut(i).iter_mut().for_each(|v| *v /= pivot);
        a.row_mut(i)[k] = 1.0;
        let row = a.row(i).to_vec();
        let support: Vec<usize> = (0..n).filter(|&c| row[c] != 0.0).collect();
        for other in (0..m).filter(|&o| o != i) {
            let factor = a.row(other)[k];
            if factor != 0.0 {
                let target = a.row_mut(other);
                for &c in &support {
                    let term = factor * row[c];
                    let value = target[c] - term;
                    // What cancels to rounding is nothing.
                    target[c] = if value.abs() <= 1e-14 * term.abs() { 0.0 } else { value };
                }
                target[k] = 0.0;
            }
        }
        taken[k] = true;
        pivots.push((i, k));
    }
    let free: Vec<usize> = (0..n).filter(|&k| !taken[k]).collect();
    let mut dense = Dense::zero(pivots.len(), free.len());
    for (r, &(i, _)) in pivots.iter().enumerate() {
        for (c, &k) in free.iter().enumerate() {
            dense.values[r * free.len() + c] = a.row(i)[k];
        }
    }
    Ok((pivots.into_iter().map(|p| p.1).collect(), free, dense))
}
