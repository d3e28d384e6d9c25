//! Dual iterations: from a basis whose reduced costs are right to one whose values are right too.
//!
//! The ratio test flips boxed columns as long as the dual objective still rises (Fourer's long step; Maros, *Computational
//! Techniques of the Simplex Method*, 2003, § 10.2), with Harris's tolerance in each step; what the tolerance lets pass is
//! taken up by a shift of costs, which the caller removes.

use super::{FALL, Place, RISE, Simplex, Verdict};

impl Simplex {
    pub(super) fn dual(&mut self, budget: usize) -> Verdict {
        let mut skipped: Vec<u32> = Vec::new();
        loop {
            let worn = !self.factored || self.factor.is_worn();
            if !self.refresh() {
                return Verdict::Trouble("factor");
            }
            if worn {
                self.compute_d(false);
                self.shift_wrong();
            }
            let Some(p) = self.choose_leaving(&skipped) else {
                return if skipped.is_empty() { Verdict::Optimal } else { Verdict::Trouble("pivots") };
            };
            if self.iterations > budget {
                return Verdict::Trouble("iterations");
            }
            let out = self.basis[p] as usize;
            let rises = self.x[out] < self.lower[out];
            let bound = if rises { self.lower[out] } else { self.upper[out] };
            self.load_row(p);
            let (entering, flips) = self.dual_ratio(rises, (self.x[out] - bound).abs());
            let Some(q) = entering else {
                if self.factor.updates() > 0 {
                    self.factored = false;
                    continue;
                }
                let sign = if rises { -1.0 } else { 1.0 };
                return Verdict::Infeasible(self.rho.iter().map(|r| sign * r).collect());
            };
            let from_row = self.tableau_row[q];
            self.flip(&flips);
            self.load_alpha(q);
            let pivot = self.alpha[p];
            if (pivot - from_row).abs() > 1e-7 * (1.0 + pivot.abs()) || pivot.abs() < 1e-9 {
                if self.factor.updates() > 0 {
                    self.factored = false;
                } else {
                    skipped.push(out as u32);
                }
                continue;
            }
            let change = (self.x[out] - bound) / pivot;
            let theta = self.d[q] / pivot;
            self.update_dual_weights(q, p);
            for at in 0..self.touched.len() {
                let j = self.touched[at] as usize;
                self.d[j] -= theta * self.tableau_row[j];
            }
            self.d[q] = 0.0;
            self.d[out] = -theta;
            self.x[q] += change;
            for (r, &alpha) in self.alpha.iter().enumerate() {
                if alpha != 0.0 {
                    self.x[self.basis[r] as usize] -= alpha * change;
                }
            }
            self.exchange(q, p, bound);
            for at in 0..self.touched.len() {
                let j = self.touched[at] as usize;
                self.shift_if_wrong(j);
            }
            self.shift_if_wrong(out);
            skipped.clear();
        }
    }

    /// The basic column that violates its bounds most for its reference weight.
    fn choose_leaving(&self, skipped: &[u32]) -> Option<usize> {
        let (mut best, mut top) = (None, 0.0);
        for (p, &j) in self.basis.iter().enumerate() {
            let j = j as usize;
            let violation = (self.lower[j] - self.x[j]).max(self.x[j] - self.upper[j]);
            if violation > self.tolerance {
                let score = violation * violation / self.dual_weights[j];
                if score > top && !skipped.contains(&(j as u32)) {
                    top = score;
                    best = Some(p);
                }
            }
        }
        best
    }

    /// The entering column and the columns that flip on the way.
    fn dual_ratio(&self, rises: bool, violation: f64) -> (Option<usize>, Vec<u32>) {
        let mut open: Vec<u32> = Vec::new();
        for &j in &self.touched {
            let alpha = if rises { self.tableau_row[j as usize] } else { -self.tableau_row[j as usize] };
            let moves = self.moves[j as usize];
            if (alpha < -self.pivot_tolerance && moves & RISE != 0) || (alpha > self.pivot_tolerance && moves & FALL != 0) {
                open.push(j);
            }
        }
        open.sort_unstable();
        let (mut flips, mut slope) = (Vec::new(), violation);
        while !open.is_empty() {
            let ratio = |j: u32, slack: f64| (self.d[j as usize].abs() + slack) / self.tableau_row[j as usize].abs();
            let reach = open.iter().map(|&j| ratio(j, self.dual_tolerance)).fold(f64::INFINITY, f64::min);
            let (group, rest): (Vec<u32>, Vec<u32>) = open.iter().partition(|&&j| ratio(j, 0.0) <= reach);
            let fall: f64 = group.iter().map(|&j| self.tableau_row[j as usize].abs() * self.span(j as usize)).sum();
            if slope - fall <= self.tolerance || rest.is_empty() && (slope - fall).is_nan() {
                let q = group.iter().copied().max_by(|&a, &b| {
                    let size = |j: u32| self.tableau_row[j as usize].abs();
                    size(a).total_cmp(&size(b)).then(b.cmp(&a))
                });
                return (q.map(|j| j as usize), flips);
            }
            slope -= fall;
            flips.extend(group);
            open = rest;
        }
        (None, flips)
    }

    /// How far a column travels when it flips; without end for one that stands between its bounds.
    fn span(&self, j: usize) -> f64 {
        if self.place[j] == Place::Between { f64::INFINITY } else { self.upper[j] - self.lower[j] }
    }

    fn flip(&mut self, flips: &[u32]) {
        if flips.is_empty() {
            return;
        }
        let mut change = std::mem::take(&mut self.alpha);
        change.fill(0.0);
        for &j in flips {
            let j = j as usize;
            let old = self.x[j];
            let to = if self.place[j] == Place::Lower { self.upper[j] } else { self.lower[j] };
            self.set_nonbasic(j, to);
            let by = self.x[j] - old;
            if j >= self.n {
                change[j - self.n] -= by;
            } else {
                for (i, a) in self.columns.iter(j) {
                    change[i] -= a * by;
                }
            }
        }
        self.factor.forward(&mut change, false);
        for (p, &by) in change.iter().enumerate() {
            if by != 0.0 {
                self.x[self.basis[p] as usize] += by;
            }
        }
        self.alpha = change;
    }

    fn update_dual_weights(&mut self, q: usize, p: usize) {
        let reference = self.dual_weights[self.basis[p] as usize];
        let pivot = self.alpha[p];
        for (r, &alpha) in self.alpha.iter().enumerate() {
            if alpha != 0.0 && r != p {
                let ratio = alpha / pivot;
                let weight = &mut self.dual_weights[self.basis[r] as usize];
                *weight = weight.max(ratio * ratio * reference);
            }
        }
        self.dual_weights[q] = (reference / (pivot * pivot)).max(1.0);
        if self.dual_weights[q] > 1e9 {
            self.dual_weights.fill(1.0);
        }
    }

    fn shift_wrong(&mut self) {
        for j in 0..self.n + self.m {
            self.shift_if_wrong(j);
        }
    }

    /// A reduced cost that tolerance let slip to the wrong side is made zero by a shift of its column's cost.
    fn shift_if_wrong(&mut self, j: usize) {
        let (d, moves) = (self.d[j], self.moves[j]);
        if (moves & RISE != 0 && d < 0.0) || (moves & FALL != 0 && d > 0.0) {
            self.cost[j] -= d;
            self.d_true = false;
            self.d[j] = 0.0;
            self.cost_moved |= d.abs() > 1e-13;
        }
    }
}
