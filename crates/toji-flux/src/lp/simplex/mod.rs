//! The bounded simplex method on the scaled problem: what primal and dual iterations share.
//!
//! Columns `0..n` are the problem's own, column `n + i` is the logical of row `i`; together `A x + s = 0`, so that the
//! right-hand side is always zero and the basis of all logicals is the identity. Everything is minimised. Ties are broken by
//! the smaller index, so the same problem takes the same path everywhere.

mod dual;
mod primal;
mod standing;

use super::factor::Factor;
use crate::sparse::Matrix;

/// Feasibility tolerance on the scaled problem.
const FEASIBLE: f64 = 1e-9;
/// Optimality tolerance on the scaled problem.
const DUAL_FEASIBLE: f64 = 1e-9;
/// Entries of a tableau column or row below this are no pivots.
const PIVOT: f64 = 1e-7;

/// Where a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the basis, at this pivot row.
    Basic(u32),
    /// At its lower bound.
    Lower,
    /// At its upper bound.
    Upper,
    /// Out of the basis between its bounds.
    Between,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// Primal and dual feasible.
    Optimal,
    /// No point satisfies the bounds; the ray is in the order of the scaled rows.
    Infeasible(Vec<f64>),
    /// The objective falls for ever along this direction of the scaled columns (own columns, then logicals).
    Unbounded(Vec<f64>),
    /// Iterations ran out or the numbers gave way.
    Trouble(&'static str),
}

/// May the column rise, may it fall.
const RISE: u8 = 1;
const FALL: u8 = 2;

/// State of the method.
#[derive(Debug, Clone)]
pub(crate) struct Simplex {
    m: usize,
    n: usize,
    columns: Matrix,
    rows: Matrix,
    /// Working bounds; during a stall they are moved a little outwards.
    lower: Vec<f64>,
    upper: Vec<f64>,
    true_lower: Vec<f64>,
    true_upper: Vec<f64>,
    bounds_moved: bool,
    /// Working costs; the dual method may shift them a little.
    cost: Vec<f64>,
    true_cost: Vec<f64>,
    cost_moved: bool,
    basis: Vec<u32>,
    place: Vec<Place>,
    moves: Vec<u8>,
    x: Vec<f64>,
    d: Vec<f64>,
    prices: Vec<f64>,
    weights: Vec<f64>,
    dual_weights: Vec<f64>,
    factor: Factor,
    factored: bool,
    x_stale: bool,
    /// Whether prices and reduced costs are those of the true costs at the basis as it stands, worked out afresh.
    d_true: bool,
    alpha: Vec<f64>,
    rho: Vec<f64>,
    tableau_row: Vec<f64>,
    touched: Vec<u32>,
    banned: Vec<u32>,
    /// Feasibility and optimality tolerances on the scaled problem.
    tolerance: f64,
    dual_tolerance: f64,
    pivot_tolerance: f64,
    pub(crate) iterations: usize,
    pub(crate) iteration_limit: usize,
}

impl Simplex {
    /// The method at the basis of logicals, every column at zero or at the bound nearest zero.
    pub(crate) fn new(columns: Matrix, bounds: (Vec<f64>, Vec<f64>), cost: Vec<f64>) -> Self {
        let (m, n) = (columns.rows(), columns.columns());
        let (lower, upper) = bounds;
        let mut simplex = Self {
            m,
            n,
            rows: columns.transposed(),
            columns,
            true_lower: lower.clone(),
            true_upper: upper.clone(),
            lower,
            upper,
            bounds_moved: false,
            true_cost: cost.clone(),
            cost,
            cost_moved: false,
            basis: Vec::new(),
            place: vec![Place::Lower; n + m],
            moves: vec![0; n + m],
            x: vec![0.0; n + m],
            d: vec![0.0; n + m],
            prices: vec![0.0; m],
            weights: vec![1.0; n + m],
            dual_weights: vec![1.0; n + m],
            factor: Factor::default(),
            factored: false,
            x_stale: true,
            d_true: false,
            alpha: vec![0.0; m],
            rho: vec![0.0; m],
            tableau_row: vec![0.0; n + m],
            touched: Vec::new(),
            banned: Vec::new(),
            tolerance: FEASIBLE,
            dual_tolerance: DUAL_FEASIBLE,
            pivot_tolerance: PIVOT,
            iterations: 0,
            iteration_limit: 0,
        };
        simplex.start_over();
        simplex
    }

    /// Factorises the basis; what is singular is replaced by logicals.
    fn refactor(&mut self) {
        self.d_true = false;
        for _ in 0..4 {
            let (columns, basis, n) = (&self.columns, &self.basis, self.n);
            let result = self.factor.factorise(self.m, |k, sink| {
                let j = basis[k] as usize;
                if j >= n {
                    sink.push(((j - n) as u32, 1.0));
                } else {
                    let (indices, values) = columns.column(j);
                    sink.extend(indices.iter().copied().zip(values.iter().copied()));
                }
            });
            match result {
                Ok(places) => {
                    let old = std::mem::take(&mut self.basis);
                    self.basis = old.clone();
                    for (k, &p) in places.iter().enumerate() {
                        self.set_basic(old[k] as usize, p);
                    }
                    self.factored = true;
                    self.x_stale = true;
                    return;
                }
                Err(missing) => {
                    for (&k, &row) in missing.columns.iter().zip(&missing.rows) {
                        let out = self.basis[k] as usize;
                        self.set_nonbasic(out, self.x[out]);
                        self.set_basic(self.n + row, k);
                    }
                }
            }
        }
        // A logical for every row that was missing makes the basis regular; only NaN can lead here.
        self.factored = false;
    }

    /// Values of the basic columns from the others, with one step of refinement.
    fn compute_x(&mut self) {
        let mut residual = std::mem::take(&mut self.alpha);
        for round in 0..2 {
            residual.fill(0.0);
            for j in 0..self.n + self.m {
                let value = self.x[j];
                if value == 0.0 || (round == 0 && matches!(self.place[j], Place::Basic(_))) {
                    continue;
                }
                if j >= self.n {
                    residual[j - self.n] -= value;
                } else {
                    for (i, a) in self.columns.iter(j) {
                        residual[i] -= a * value;
                    }
                }
            }
            self.factor.forward(&mut residual, false);
            for (&value, &j) in residual.iter().zip(&self.basis) {
                let x = &mut self.x[j as usize];
                *x = if round == 0 { value } else { *x + value };
            }
        }
        residual.fill(0.0);
        self.alpha = residual;
        self.x_stale = false;
    }

    /// Row prices and reduced costs; `basic(j)` is the cost of a basic column, `other(j)` of another.
    fn compute_d(&mut self, phase_one: bool) {
        let mut y = std::mem::take(&mut self.prices);
        y.fill(0.0);
        for (price, &j) in y.iter_mut().zip(&self.basis) {
            *price = if phase_one { self.violation_sign(j as usize) } else { self.cost[j as usize] };
        }
        self.factor.backward(&mut y);
        if phase_one {
            self.d.fill(0.0);
        } else {
            self.d.copy_from_slice(&self.cost);
        }
        for (i, &price) in y.iter().enumerate() {
            if price != 0.0 {
                for (j, a) in self.rows.iter(i) {
                    self.d[j] -= a * price;
                }
                self.d[self.n + i] -= price;
            }
        }
        for p in 0..self.m {
            self.d[self.basis[p] as usize] = 0.0;
        }
        self.prices = y;
        self.d_true = !phase_one && !self.cost_moved;
    }

    fn violation_sign(&self, j: usize) -> f64 {
        if self.x[j] < self.lower[j] - self.tolerance {
            -1.0
        } else if self.x[j] > self.upper[j] + self.tolerance {
            1.0
        } else {
            0.0
        }
    }

    fn primal_feasible(&self) -> bool {
        self.basis.iter().all(|&j| self.violation_sign(j as usize) == 0.0)
    }

    /// Whether the reduced cost of a column asks it to move where it may.
    fn attractive(&self, j: usize) -> bool {
        let (d, moves) = (self.d[j], self.moves[j]);
        (moves & RISE != 0 && d < -self.dual_tolerance) || (moves & FALL != 0 && d > self.dual_tolerance)
    }

    /// The tableau column of `q`, kept for an exchange.
    fn load_alpha(&mut self, q: usize) {
        let mut alpha = std::mem::take(&mut self.alpha);
        alpha.fill(0.0);
        if q >= self.n {
            alpha[q - self.n] = 1.0;
        } else {
            for (i, a) in self.columns.iter(q) {
                alpha[i] = a;
            }
        }
        self.factor.forward(&mut alpha, true);
        self.alpha = alpha;
    }

    /// The tableau row at pivot row `p`, over the columns out of the basis.
    fn load_row(&mut self, p: usize) {
        let mut rho = std::mem::take(&mut self.rho);
        rho.fill(0.0);
        rho[p] = 1.0;
        self.factor.backward(&mut rho);
        for &j in &self.touched {
            self.tableau_row[j as usize] = 0.0;
        }
        self.touched.clear();
        for (i, &r) in rho.iter().enumerate() {
            if r.abs() < 1e-14 {
                continue;
            }
            let (indices, values) = self.rows.column(i);
            for (&j, &a) in indices.iter().zip(values) {
                let entry = &mut self.tableau_row[j as usize];
                if *entry == 0.0 {
                    self.touched.push(j);
                    *entry = f64::MIN_POSITIVE;
                }
                *entry += a * r;
            }
            self.tableau_row[self.n + i] = r;
            self.touched.push((self.n + i) as u32);
        }
        let (place, row) = (&self.place, &mut self.tableau_row);
        self.touched.retain(|&j| {
            let keep = !matches!(place[j as usize], Place::Basic(_)) && row[j as usize].abs() > 1e-13;
            if !keep {
                row[j as usize] = 0.0;
            }
            keep
        });
        self.rho = rho;
    }

    /// Puts `q` into the basis at pivot row `p`; the column there leaves to the admissible value nearest `leave_at`.
    /// `load_alpha(q)` was the last solve with an exchange in mind. `false`: the factors must be made afresh.
    fn exchange(&mut self, q: usize, p: usize, leave_at: f64) -> bool {
        let out = self.basis[p] as usize;
        self.set_nonbasic(out, leave_at);
        self.set_basic(q, p);
        self.iterations += 1;
        self.d_true = false;
        self.banned.clear();
        let pivot = self.alpha[p];
        if self.factor.exchange(p, pivot).is_err() {
            self.factored = false;
            return false;
        }
        true
    }

    /// Fresh factors, values and reduced costs where they are due. `false` when the factors cannot be made.
    fn refresh(&mut self) -> bool {
        if !self.factored || self.factor.is_worn() {
            self.refactor();
            if !self.factored {
                return false;
            }
        }
        if self.x_stale {
            self.compute_x();
        }
        self.x.iter().all(|v| v.is_finite())
    }

    /// Solves from where it stands.
    pub(crate) fn run(&mut self) -> Verdict {
        let budget = self.iterations + self.iteration_limit;
        let mut verdict = Verdict::Trouble("rounds");
        if (0..self.n + self.m).any(|j| self.true_lower[j] > self.true_upper[j]) {
            return Verdict::Trouble("crossed");
        }
        for round in 0..24 {
            if !self.refresh() {
                return Verdict::Trouble("factor");
            }
            self.compute_d(false);
            let feasible = self.primal_feasible();
            let optimal = !(0..self.n + self.m).any(|j| self.attractive(j));
            if feasible && optimal {
                return Verdict::Optimal;
            }
            if self.iterations > budget {
                return Verdict::Trouble("iterations");
            }
            verdict = if optimal && round % 6 != 5 { self.dual(budget) } else { self.primal(budget, round as u64, feasible) };
            let moved = self.bounds_moved || self.cost_moved;
            let cost_moved = self.cost_moved;
            self.restore_bounds();
            self.restore_cost();
            match &verdict {
                Verdict::Optimal | Verdict::Trouble(_) => {}
                Verdict::Unbounded(_) if cost_moved => {}
                Verdict::Infeasible(_) | Verdict::Unbounded(_) => return verdict,
            }
            if verdict == Verdict::Optimal && !moved && !self.x_stale {
                return verdict;
            }
            if matches!(verdict, Verdict::Trouble(_)) {
                self.factored = false;
            }
        }
        verdict
    }

    /// Becomes a copy of `other`, which was made of the same matrix, without giving its memory back.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.lower.clone_from(&other.lower);
        self.upper.clone_from(&other.upper);
        self.true_lower.clone_from(&other.true_lower);
        self.true_upper.clone_from(&other.true_upper);
        self.bounds_moved = other.bounds_moved;
        self.cost.clone_from(&other.cost);
        self.true_cost.clone_from(&other.true_cost);
        self.cost_moved = other.cost_moved;
        self.basis.clone_from(&other.basis);
        self.place.clone_from(&other.place);
        self.moves.clone_from(&other.moves);
        self.x.clone_from(&other.x);
        self.weights.clone_from(&other.weights);
        self.dual_weights.clone_from(&other.dual_weights);
        self.factor.copy_from(&other.factor);
        self.factored = other.factored;
        self.x_stale = other.x_stale;
        self.d_true = false;
    }

    /// Makes the factors afresh, so that copies of this state start with the cheapest ones.
    pub(crate) fn settle(&mut self) {
        self.refactor();
        if self.factored {
            self.compute_x();
        }
    }

    /// Sets the tolerances of feasibility and optimality to the usual ones times these.
    pub(crate) fn tighten(&mut self, primal: f64, dual: f64) {
        self.tolerance = FEASIBLE * primal;
        self.dual_tolerance = DUAL_FEASIBLE * dual;
        self.pivot_tolerance = PIVOT * primal.max(1e-3);
    }

    /// Throws the factors away, so that the next run starts from exact ones.
    pub(crate) fn distrust(&mut self) {
        self.factored = false;
        self.weights.fill(1.0);
        self.dual_weights.fill(1.0);
    }

    /// How the problem's columns change for each unit by which column `q`, out of the basis, rises.
    pub(crate) fn response(&mut self, q: usize) -> Option<Vec<f64>> {
        if matches!(self.place[q], Place::Basic(_)) || !self.refresh() {
            return None;
        }
        let mut alpha = vec![0.0; self.m];
        for (i, a) in self.columns.iter(q) {
            alpha[i] = a;
        }
        self.factor.forward(&mut alpha, false);
        let mut change = vec![0.0; self.n];
        change[q] = 1.0;
        for (&value, &j) in alpha.iter().zip(&self.basis) {
            if let Some(x) = change.get_mut(j as usize) {
                *x = -value;
            }
        }
        Some(change)
    }

    /// Row prices of the true costs.
    pub(crate) fn row_prices(&mut self) -> &[f64] {
        if !self.d_true {
            self.compute_d(false);
        }
        &self.prices
    }
}
