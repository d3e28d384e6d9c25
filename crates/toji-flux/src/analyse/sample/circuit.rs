//! Directions of the walk: circuits of the network, each of few fluxes, that fit the polytope where its points are.
//!
//! A step along a direction ends at the first side that it nears. A direction that nears many sides is stopped by the nearest of them, soon,
//! however round the polytope is made; one that nears few goes far. Where some columns are made to follow from the others,
//! moving one of the others alone is a direction of few columns, an elementary mode of the balances (a circuit). Which
//! columns follow is chosen at points of the polytope: those with much room. In units of the room at the point no entry of a
//! direction is then larger than that of the column moved (a submatrix of locally greatest volume: Goreinov et al. 2010,
//! Matrix Methods: Theory, Algorithms and Applications, 247–256), so that no side stops a move of the size of its own room.

use super::body::Body;
use super::dense::{Dense, dot};
use super::walk::Walk;
use crate::analyse::parallel::pieces;
use toji_core::Result;

/// Chains that look for points to fit directions at.
const PILOTS: usize = 8;
/// Times the directions are fitted anew.
const ROUNDS: usize = 3;
/// Steps of a pilot a round, for each dimension.
const STEPS: usize = 200;
/// Entries may be larger than that of the column moved by this.
const LARGER: f64 = 1.5;
/// Room of a column that no side limits.
const FREE: f64 = 1e3;
/// Room below this counts as this.
const LEAST_ROOM: f64 = 1e-9;
/// Entries below this, beside the largest of their direction, are rounding.
const NOISE: f64 = 1e-12;
/// Most passes over the columns for one point.
const PASSES: usize = 40;

/// Directions, each with its entries one after another.
#[derive(Debug, Clone, Default)]
pub(super) struct Pool {
    /// Where each direction begins; one more than there are directions.
    pub(super) begin: Vec<usize>,
    /// Moving column of each entry.
    pub(super) column: Vec<u32>,
    /// Change of the column for each unit of the step.
    pub(super) change: Vec<f64>,
    /// One over the change.
    pub(super) inverse: Vec<f64>,
}

impl Pool {
    pub(super) fn len(&self) -> usize {
        self.begin.len().saturating_sub(1)
    }

    fn push(&mut self, entries: impl Iterator<Item = (usize, f64)>) {
        if self.begin.is_empty() {
            self.begin.push(0);
        }
        for (column, change) in entries {
            self.column.push(column as u32);
            self.change.push(change);
            self.inverse.push(1.0 / change);
        }
        self.begin.push(self.column.len());
    }

    fn append(&mut self, other: &Self) {
        if self.begin.is_empty() {
            self.begin.push(0);
        }
        let base = self.column.len();
        self.column.extend_from_slice(&other.column);
        self.change.extend_from_slice(&other.change);
        self.inverse.extend_from_slice(&other.inverse);
        self.begin.extend(other.begin.iter().skip(1).map(|at| base + at));
    }
}

/// Directions fitted at points that pilots reach; also the steps of the pilots, and where they ended.
pub(super) fn directions(body: &Body, seed: u64, threads: usize) -> Result<(Pool, usize)> {
    let d = body.dimensions();
    if d == 0 {
        return Ok((Pool::default(), 0));
    }
    let mut base = Tableau::new(body);
    base.fit(&room(body, &body.start));
    let mut pool = base.circuits(body);
    let mut points = vec![body.start.clone(); PILOTS];
    for turn in 0..ROUNDS {
        let found = pieces(PILOTS, threads, |pilot| {
            let stream = ((turn * PILOTS + pilot) as u64 + 1) << 32;
            let mut walk = Walk::new(body, &pool, seed, stream, &points[pilot]);
            walk.go(STEPS * d);
            let point = walk.place();
            let mut tableau = base.clone();
            tableau.fit(&room(body, &point));
            Ok((point, tableau.circuits(body)))
        })?;
        pool = Pool::default();
        points.clear();
        for (point, part) in found {
            points.push(point);
            pool.append(&part);
        }
    }
    Ok((pool, ROUNDS * PILOTS * STEPS * d))
}

/// Room of each moving column at a point.
fn room(body: &Body, z: &[f64]) -> Vec<f64> {
    let of = |(k, z): (usize, &f64)| {
        let nearest = (z - body.low[k]).min(body.high[k] - z);
        if nearest.is_finite() { nearest.max(LEAST_ROOM) } else { FREE }
    };
    z.iter().enumerate().map(of).collect()
}

/// `z_basic = shift − M z_free` for some choice of which columns are free.
#[derive(Debug, Clone)]
struct Tableau {
    basic: Vec<usize>,
    free: Vec<usize>,
    matrix: Dense,
}

impl Tableau {
    fn new(body: &Body) -> Self {
        Self { basic: body.basic.clone(), free: body.free.clone(), matrix: body.matrix.clone() }
    }

    /// Changes what is free until no basic column changes by more than its room when a free one changes by its own.
    fn fit(&mut self, room: &[f64]) {
        let d = self.free.len();
        for _ in 0..PASSES {
            let mut settled = true;
            for c in 0..d {
                let own = room[self.free[c]];
                let mut best = (LARGER, usize::MAX);
                for (r, &at) in self.basic.iter().enumerate() {
                    let size = self.matrix.values[r * d + c].abs() * own / room[at];
                    if size > best.0 {
                        best = (size, r);
                    }
                }
                if best.1 != usize::MAX {
                    self.exchange(best.1, c);
                    settled = false;
                }
            }
            if settled {
                return;
            }
        }
    }

    fn exchange(&mut self, r: usize, c: usize) {
        let d = self.free.len();
        let pivot = self.matrix.values[r * d + c];
        let row = self.matrix.row_mut(r);
        row.iter_mut().for_each(|v| *v /= pivot);
        row[c] = 1.0 / pivot;
        let row = row.to_vec();
        let support: Vec<usize> = (0..d).filter(|&k| row[k] != 0.0 && k != c).collect();
        for i in (0..self.basic.len()).filter(|&i| i != r) {
            let target = self.matrix.row_mut(i);
            let factor = target[c];
            if factor != 0.0 {
                for &k in &support {
                    let term = factor * row[k];
                    let value = target[k] - term;
                    // What cancels to rounding is nothing.
                    target[k] = if value.abs() <= 1e-13 * term.abs() { 0.0 } else { value };
                }
                target[c] = -factor * row[c];
            }
        }
        std::mem::swap(&mut self.basic[r], &mut self.free[c]);
    }

    /// The directions in which one free column moves alone. Columns that neither have sides nor are chosen in `body` are left
    /// out: they follow.
    fn circuits(&self, body: &Body) -> Pool {
        let d = self.free.len();
        let mut pool = Pool::default();
        let mut column = vec![0.0; body.low.len()];
        for (c, &own) in self.free.iter().enumerate() {
            column.fill(0.0);
            column[own] = 1.0;
            for (r, &at) in self.basic.iter().enumerate() {
                column[at] = -self.matrix.values[r * d + c];
            }
            // What follows in `body` follows from what is chosen there, to the last digits.
            let chosen: Vec<f64> = body.free.iter().map(|&k| column[k]).collect();
            for (i, &at) in body.basic.iter().enumerate() {
                column[at] = -dot(body.matrix.row(i), &chosen);
            }
            let largest = column.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
            let kept = (0..column.len()).filter(|&k| {
                column[k].abs() > NOISE * largest && (body.is_chosen[k] || body.low[k].is_finite() || body.high[k].is_finite())
            });
            pool.push(kept.map(|k| (k, column[k])));
        }
        pool
    }
}
