//! The walk: along one direction at a time, to a place chosen evenly between the sides.

use super::body::Body;
use super::circuit::Pool;
use toji_core::chance::Chance;

/// A moving column where the walk is, between its bounds.
#[derive(Debug, Clone, Copy)]
struct Cell {
    z: f64,
    low: f64,
    high: f64,
}

pub(super) struct Walk<'a> {
    body: &'a Body,
    pool: &'a Pool,
    chance: Chance,
    cells: Vec<Cell>,
}

impl<'a> Walk<'a> {
    /// A walk from a point in units of the ranges.
    pub(super) fn new(body: &'a Body, pool: &'a Pool, seed: u64, stream: u64, from: &[f64]) -> Self {
        // Streams far apart: the second argument of the mixing is odd.
        let chance = Chance::new(seed.wrapping_add(stream.wrapping_mul(0xd134_2543_de82_ef95)));
        let cell = |(k, &z): (usize, &f64)| Cell { z, low: body.low[k], high: body.high[k] };
        Self { body, pool, chance, cells: from.iter().enumerate().map(cell).collect() }
    }

    /// Goes near the sides, so that chains start apart.
    pub(super) fn scatter(&mut self) {
        for _ in 0..4 * self.pool.len() {
            let share = if self.chance.uniform() < 0.5 { 0.02 } else { 0.98 };
            self.step(Some(share));
        }
    }

    pub(super) fn go(&mut self, steps: usize) {
        if self.pool.len() > 0 {
            for _ in 0..steps {
                self.step(None);
            }
        }
    }

    /// Where the walk is, in units of the ranges, freed of the steps' rounding.
    pub(super) fn place(&mut self) -> Vec<f64> {
        let mut z: Vec<f64> = self.cells.iter().map(|cell| cell.z).collect();
        self.body.restore(&mut z);
        for (cell, &z) in self.cells.iter_mut().zip(&z) {
            cell.z = z;
        }
        z
    }

    /// The columns of the compressed problem.
    pub(super) fn point(&mut self) -> Vec<f64> {
        let z = self.place();
        self.body.columns(&z)
    }

    fn step(&mut self, share: Option<f64>) {
        let way = self.chance.below(self.pool.len());
        let entries = self.pool.begin[way]..self.pool.begin[way + 1];
        let columns = &self.pool.column[entries.clone()];
        let (mut back, mut forth) = (f64::NEG_INFINITY, f64::INFINITY);
        for (&k, inverse) in columns.iter().zip(&self.pool.inverse[entries.clone()]) {
            let cell = &self.cells[k as usize];
            let (below, above) = ((cell.z - cell.low).max(0.0), (cell.high - cell.z).max(0.0));
            let (a, b) = (above * inverse, -below * inverse);
            back = back.max(a.min(b));
            forth = forth.min(a.max(b));
        }
        let share = share.unwrap_or_else(|| self.chance.uniform());
        let by = back + share * (forth - back);
        if by.is_finite() {
            for (&k, change) in columns.iter().zip(&self.pool.change[entries]) {
                self.cells[k as usize].z += by * change;
            }
        }
    }
}
