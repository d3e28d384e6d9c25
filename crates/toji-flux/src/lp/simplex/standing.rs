//! Where columns stand: starting bases, bounds and costs, and the tiny moves of bounds that part ties.

use super::{FALL, Place, RISE, Simplex};

impl Simplex {
    /// Back to the basis of logicals.
    pub(crate) fn start_over(&mut self) {
        self.restore_bounds();
        self.restore_cost();
        self.basis = (self.n as u32..(self.n + self.m) as u32).collect();
        for j in 0..self.n {
            self.set_nonbasic(j, 0.0);
        }
        for i in 0..self.m {
            self.set_basic(self.n + i, i);
        }
        self.weights.fill(1.0);
        self.dual_weights.fill(1.0);
        self.factored = false;
        self.x_stale = true;
        self.d_true = false;
    }

    /// Starts at the basis of these columns, as many as rows; the others stand at the admissible value nearest to `near`.
    pub(crate) fn start_at(&mut self, basic: &[usize], near: impl Fn(usize) -> f64) {
        self.start_over();
        if basic.len() != self.m {
            return;
        }
        for i in 0..self.m {
            self.set_nonbasic(self.n + i, 0.0);
        }
        for j in 0..self.n {
            self.set_nonbasic(j, near(j));
        }
        for (p, &j) in basic.iter().enumerate() {
            self.set_basic(j, p);
        }
    }

    pub(crate) fn x(&self) -> &[f64] {
        &self.x
    }
    pub(crate) fn place(&self) -> &[Place] {
        &self.place
    }

    /// New costs for all columns of the problem.
    pub(crate) fn set_cost(&mut self, cost: impl Fn(usize) -> f64) {
        for j in 0..self.n {
            self.true_cost[j] = cost(j);
        }
        self.d_true = false;
        self.restore_cost();
    }

    /// New bounds of one column; it stays where it is when it may.
    pub(crate) fn set_bounds(&mut self, j: usize, lower: f64, upper: f64) {
        self.restore_bounds();
        (self.true_lower[j], self.true_upper[j]) = (lower, upper);
        (self.lower[j], self.upper[j]) = (lower, upper);
        if !matches!(self.place[j], Place::Basic(_)) {
            let old = self.x[j];
            let toward = match self.place[j] {
                Place::Lower if lower.is_finite() => lower,
                Place::Upper if upper.is_finite() => upper,
                _ => old,
            };
            self.set_nonbasic(j, toward);
            self.x_stale |= self.x[j] != old;
        }
    }

    /// Takes column `j` out of the basis at the admissible value nearest to `near`.
    pub(super) fn set_nonbasic(&mut self, j: usize, near: f64) {
        let (lower, upper) = (self.lower[j], self.upper[j]);
        let (place, value) = if near <= lower || lower == upper {
            (Place::Lower, lower)
        } else if near >= upper {
            (Place::Upper, upper)
        } else {
            (Place::Between, near)
        };
        self.place[j] = place;
        self.x[j] = value;
        self.moves[j] = match place {
            _ if lower >= upper => 0,
            Place::Lower => RISE,
            Place::Upper => FALL,
            _ => RISE | FALL,
        };
    }

    pub(super) fn set_basic(&mut self, j: usize, p: usize) {
        self.basis[p] = j as u32;
        self.place[j] = Place::Basic(p as u32);
        self.moves[j] = 0;
    }

    pub(super) fn restore_bounds(&mut self) {
        if !self.bounds_moved {
            return;
        }
        self.bounds_moved = false;
        for j in 0..self.n + self.m {
            (self.lower[j], self.upper[j]) = (self.true_lower[j], self.true_upper[j]);
            let near = match self.place[j] {
                Place::Basic(_) => continue,
                Place::Lower => self.lower[j],
                Place::Upper => self.upper[j],
                Place::Between => self.x[j],
            };
            self.set_nonbasic(j, near);
        }
        self.x_stale = true;
    }

    pub(super) fn restore_cost(&mut self) {
        self.cost.copy_from_slice(&self.true_cost);
        self.d_true &= !self.cost_moved;
        self.cost_moved = false;
    }

    /// Moves the bounds of the columns outwards by tiny amounts drawn from their index, so that ties part.
    pub(super) fn move_bounds(&mut self, round: u64) {
        for j in 0..self.n + self.m {
            let hash = (j as u64 ^ (round << 40)).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let hash = (hash ^ (hash >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let part = 1.0 + ((hash >> 40) as f64) / f64::from(1_u32 << 24);
            let size = |bound: f64| part * 1e-7 * bound.abs().clamp(1.0, 1e3);
            self.lower[j] -= size(self.lower[j]);
            self.upper[j] += size(self.upper[j]);
            let near = match self.place[j] {
                Place::Basic(_) => continue,
                Place::Lower => self.lower[j],
                Place::Upper => self.upper[j],
                Place::Between => self.x[j],
            };
            self.set_nonbasic(j, near);
        }
        self.bounds_moved = true;
        self.x_stale = true;
    }
}
