//! Primal iterations: phase one lessens the sum of infeasibilities, phase two the objective.
//!
//! Pricing is devex (Harris, Math. Program. 5, 1973, 1–28), the ratio test of phase two is Harris's with tolerance, that of
//! phase one passes every break point as long as the sum of infeasibilities still falls.

use super::{FALL, RISE, Simplex, Verdict};

/// Steps shorter than this do not count as progress.
const STILL: f64 = 1e-12;

/// Where the entering column stops.
enum Stop {
    /// A basic column blocks: pivot row, step, value it leaves at.
    Block { p: usize, step: f64, at: f64 },
    /// The entering column reaches its other bound.
    Flip(f64),
    /// Nothing stops it.
    Never,
}

impl Simplex {
    /// `ready`: the values keep their bounds and the reduced costs are those of the costs, fresh.
    pub(super) fn primal(&mut self, budget: usize, seed: u64, ready: bool) -> Verdict {
        let (mut still, mut moves) = (0_usize, 0_u64);
        self.banned.clear();
        // The weights are those of directions, whatever the costs: a run that only has new costs goes on with them.
        if !ready {
            self.weights.fill(1.0);
        }
        let mut fresh = ready;
        // Updates of the reduced costs since they were worked out.
        let mut drift = 0_usize;
        loop {
            let worn = !self.factored || self.factor.is_worn() || self.x_stale;
            if !self.refresh() {
                return Verdict::Trouble("factor");
            }
            fresh &= !worn;
            let phase_one = !(fresh || self.primal_feasible());
            if phase_one || !fresh {
                self.compute_d(phase_one);
                fresh = !phase_one;
                drift = 0;
            }
            let Some(q) = self.choose_entering() else {
                if !self.banned.is_empty() {
                    return Verdict::Trouble("pivots");
                }
                if self.factor.updates() > 0 && phase_one {
                    self.factored = false;
                    continue;
                }
                if drift > 0 {
                    fresh = false;
                    continue;
                }
                return if phase_one { Verdict::Infeasible(self.prices.clone()) } else { Verdict::Optimal };
            };
            if self.iterations > budget {
                return Verdict::Trouble("iterations");
            }
            let direction = if self.d[q] < 0.0 { 1.0 } else { -1.0 };
            self.load_alpha(q);
            if drift > 0 {
                let (off, agrees) = self.corrected(q);
                if !agrees {
                    fresh = false;
                    // So much so soon is not the updates' rounding but that of the factors.
                    if drift < 20 && off > 1e-7 {
                        self.factored = false;
                    }
                    continue;
                }
            }
            let stop = if phase_one { self.stop_phase_one(q, direction) } else { self.stop_phase_two(q, direction) };
            match stop {
                Stop::Never if phase_one => self.banned.push(q as u32),
                Stop::Never => return Verdict::Unbounded(self.ray(q, direction)),
                Stop::Flip(step) => {
                    self.advance(q, direction * step);
                    let to = if direction > 0.0 { self.upper[q] } else { self.lower[q] };
                    self.set_nonbasic(q, to);
                    self.iterations += 1;
                    still = 0;
                }
                Stop::Block { p, step, at } => {
                    if self.alpha[p].abs() < 1e-5 && self.factor.updates() > 0 {
                        self.factored = false;
                        fresh = false;
                        continue;
                    }
                    if !phase_one {
                        self.update_d(q, p);
                        drift += 1;
                    }
                    self.advance(q, direction * step);
                    self.exchange(q, p, at);
                    still = if step <= STILL { still + 1 } else { 0 };
                    if still > 60 + self.m / 4 && moves < 3 {
                        moves += 1;
                        still = 0;
                        self.move_bounds(seed * 4 + moves);
                        fresh = false;
                    }
                }
            }
        }
    }

    /// The column whose reduced cost promises most for its reference weight; after a long stall, the first that improves.
    fn choose_entering(&self) -> Option<usize> {
        let mut best = None;
        let mut top = 0.0;
        for (j, (&d, &moves)) in self.d.iter().zip(&self.moves).enumerate() {
            if (moves & RISE != 0 && d < -self.dual_tolerance) || (moves & FALL != 0 && d > self.dual_tolerance) {
                let score = d * d / self.weights[j];
                if score > top && !self.banned.contains(&(j as u32)) {
                    top = score;
                    best = Some(j);
                }
            }
        }
        best
    }

    fn stop_phase_two(&self, q: usize, direction: f64) -> Stop {
        let mut reach = f64::INFINITY;
        for (p, &alpha) in self.alpha.iter().enumerate() {
            let change = -direction * alpha;
            if change.abs() > self.pivot_tolerance {
                let j = self.basis[p] as usize;
                let room = if change > 0.0 { self.upper[j] - self.x[j] } else { self.x[j] - self.lower[j] };
                reach = reach.min((room + 0.5 * self.tolerance) / change.abs());
            }
        }
        let own = if direction > 0.0 { self.upper[q] - self.x[q] } else { self.x[q] - self.lower[q] };
        if own <= reach {
            return if own.is_finite() { Stop::Flip(own.max(0.0)) } else { Stop::Never };
        }
        let mut best: Option<(f64, usize, f64)> = None;
        for (p, &alpha) in self.alpha.iter().enumerate() {
            let change = -direction * alpha;
            if change.abs() > self.pivot_tolerance {
                let j = self.basis[p] as usize;
                let bound = if change > 0.0 { self.upper[j] } else { self.lower[j] };
                let room = if change > 0.0 { bound - self.x[j] } else { self.x[j] - bound };
                if room / change.abs() <= reach {
                    // A fixed column that leaves never comes back: let it go first.
                    let size = if self.lower[j] == self.upper[j] { 4.0 * change.abs() } else { change.abs() };
                    let better = best.is_none_or(|(s, b, _)| size > s || (size == s && self.basis[p] < self.basis[b]));
                    if better {
                        best = Some((size, p, room.max(0.0) / change.abs()));
                    }
                }
            }
        }
        match best {
            Some((_, p, step)) => {
                let j = self.basis[p] as usize;
                let at = if -direction * self.alpha[p] > 0.0 { self.upper[j] } else { self.lower[j] };
                Stop::Block { p, step, at }
            }
            None => Stop::Never,
        }
    }

    fn stop_phase_one(&self, q: usize, direction: f64) -> Stop {
        // Break points: step, gain in slope, pivot row, value of the column there.
        let mut points: Vec<(f64, f64, usize, f64)> = Vec::new();
        for (p, &alpha) in self.alpha.iter().enumerate() {
            let change = -direction * alpha;
            if change.abs() <= self.pivot_tolerance {
                continue;
            }
            let j = self.basis[p] as usize;
            let (x, size) = (self.x[j], change.abs());
            let (near, far) = if change > 0.0 { (self.lower[j], self.upper[j]) } else { (self.upper[j], self.lower[j]) };
            let sign = change.signum();
            if (near - x) * sign > self.tolerance {
                points.push(((near - x) * sign / size, size, p, near));
            }
            if far.is_finite() && (far - x) * sign >= -self.tolerance {
                points.push((((far - x) * sign).max(0.0) / size, size, p, far));
            }
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(self.basis[a.2].cmp(&self.basis[b.2])));
        let own = if direction > 0.0 { self.upper[q] - self.x[q] } else { self.x[q] - self.lower[q] };
        let mut slope = -self.d[q].abs();
        let mut best: Option<(f64, usize, f64)> = None;
        for &(step, gain, p, at) in &points {
            if step > own {
                break;
            }
            if best.is_none_or(|(_, b, _)| gain >= 0.1 * self.alpha[b].abs()) {
                best = Some((step, p, at));
            }
            slope += gain;
            if slope >= 0.0 {
                return best.map_or(Stop::Never, |(step, p, at)| Stop::Block { p, step, at });
            }
        }
        if own.is_finite() {
            return Stop::Flip(own.max(0.0));
        }
        best.map_or(Stop::Never, |(step, p, at)| Stop::Block { p, step, at })
    }

    /// Makes the reduced cost of `q` what its tableau column says it is: how far it was from that, and whether it was near
    /// enough.
    fn corrected(&mut self, q: usize) -> (f64, bool) {
        let mut d = self.cost[q];
        for (&alpha, &j) in self.alpha.iter().zip(&self.basis) {
            d -= self.cost[j as usize] * alpha;
        }
        let off = (d - self.d[q]).abs();
        self.d[q] = d;
        (off, off <= 1e-6 * d.abs() + 0.1 * self.dual_tolerance)
    }

    /// Moves `q` by `change` and the basic columns along.
    fn advance(&mut self, q: usize, change: f64) {
        if change == 0.0 {
            return;
        }
        self.x[q] += change;
        for (p, &alpha) in self.alpha.iter().enumerate() {
            if alpha != 0.0 {
                self.x[self.basis[p] as usize] -= alpha * change;
            }
        }
    }

    /// Reduced costs and reference weights after the exchange of `q` for the column at `p`, before it is made.
    fn update_d(&mut self, q: usize, p: usize) {
        self.load_row(p);
        let pivot = self.alpha[p];
        let theta = self.d[q] / pivot;
        let reference = self.weights[q];
        for &j in &self.touched {
            let j = j as usize;
            let alpha = self.tableau_row[j];
            self.d[j] -= theta * alpha;
            let ratio = alpha / pivot;
            self.weights[j] = self.weights[j].max(ratio * ratio * reference);
        }
        let out = self.basis[p] as usize;
        self.d[q] = 0.0;
        self.d[out] = -theta;
        self.weights[out] = (reference / (pivot * pivot)).max(1.0);
        if self.weights[out] > 1e9 {
            self.weights.fill(1.0);
        }
    }

    fn ray(&self, q: usize, direction: f64) -> Vec<f64> {
        let mut ray = vec![0.0; self.n + self.m];
        ray[q] = direction;
        for (p, &alpha) in self.alpha.iter().enumerate() {
            if alpha.abs() > 1e-12 {
                ray[self.basis[p] as usize] = -direction * alpha;
            }
        }
        ray
    }
}
