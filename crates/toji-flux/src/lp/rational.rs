//! The simplex method without rounding, from the basis that arithmetic with rounding ended at: the last resort for a small
//! problem whose numbers are too far apart for any check in floating point.
//!
//! A tableau of fractions over the variables and the activities of the rows, `A x − r = 0`. Feasibility is sought as Dutertre and
//! de Moura do (CAV 2006, LNCS 4144, 81–94), the optimum by primal steps; both choose by Bland's rule (Math. Oper. Res. 2, 1977,
//! 103–107) and therefore end.

use super::certificate::{self, Conflict, Direction, Outcome, Standing};
use super::problem::Problem;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::collections::BTreeMap;

/// The answer to a problem, without rounding until it is written down; `None` after `limit` multiplications, or where bounds cross or
/// a number is none. `standing` tells of each variable, then of each row's activity, where it stands at the start.
pub(super) fn solve(problem: &Problem, standing: &[Standing], limit: usize) -> Option<Outcome> {
    let crosses = |(lower, upper): (&f64, &f64)| lower > upper;
    let rows = problem.row_lower.iter().zip(&problem.row_upper);
    if problem.lower.iter().zip(&problem.upper).chain(rows).any(crosses) {
        return None;
    }
    let mut tableau = Tableau::new(problem, standing, limit)?;
    if let Some(p) = tableau.repair()? {
        return tableau.conflict(p);
    }
    match tableau.improve()? {
        Some((j, up)) => tableau.direction(j, up),
        None => tableau.optimum(),
    }
}

struct Tableau<'p> {
    problem: &'p Problem,
    n: usize,
    /// For each row its basic column in terms of those out of the basis; last the objective, to be maximised.
    rows: Vec<BTreeMap<usize, BigRational>>,
    /// The basic column of each row.
    basis: Vec<usize>,
    basic: Vec<bool>,
    lower: Vec<Option<BigRational>>,
    upper: Vec<Option<BigRational>>,
    x: Vec<BigRational>,
    budget: usize,
}

impl<'p> Tableau<'p> {
    fn new(problem: &'p Problem, standing: &[Standing], limit: usize) -> Option<Self> {
        let (m, n) = (problem.matrix.rows(), problem.matrix.columns());
        let mut rows = vec![BTreeMap::new(); m + 1];
        for j in 0..n {
            for (i, a) in problem.matrix.iter(j).filter(|entry| entry.1 != 0.0) {
                rows[i].insert(j, BigRational::from_float(a)?);
            }
            let gain = problem.sense.sign() * problem.cost[j];
            if gain != 0.0 {
                rows[m].insert(j, BigRational::from_float(gain)?);
            }
        }
        let bounds = |own: &[f64], of_rows: &[f64]| own.iter().chain(of_rows).map(|b| BigRational::from_float(*b)).collect();
        let mut tableau = Self {
            problem,
            n,
            rows,
            basis: (n..n + m).collect(),
            basic: (0..n + m).map(|k| k >= n).collect(),
            lower: bounds(&problem.lower, &problem.row_lower),
            upper: bounds(&problem.upper, &problem.row_upper),
            x: vec![BigRational::zero(); n + m],
            budget: limit,
        };
        let wanted = |k: usize| standing.get(k) == Some(&Standing::Basic);
        for j in (0..n).filter(|&j| wanted(j)) {
            // Of the rows whose activity is to leave the basis, the shortest.
            let leaves = |p: &usize| {
                let k = tableau.basis[*p];
                k >= n && !wanted(k) && tableau.rows[*p].contains_key(&j)
            };
            if let Some(p) = (0..m).filter(leaves).min_by_key(|&p| tableau.rows[p].len()) {
                tableau.pivot(p, j)?;
            }
        }
        for k in (0..n + m).filter(|&k| !tableau.basic[k]) {
            let (lower, upper) = (&tableau.lower[k], &tableau.upper[k]);
            let high = standing.get(k) == Some(&Standing::Upper);
            let at = if high { upper.as_ref().or(lower.as_ref()) } else { lower.as_ref().or(upper.as_ref()) };
            tableau.x[k] = at.cloned().unwrap_or_else(BigRational::zero);
        }
        for p in 0..m {
            let row = &tableau.rows[p];
            tableau.budget = tableau.budget.checked_sub(row.len())?;
            tableau.x[tableau.basis[p]] = row.iter().map(|(&k, a)| a * &tableau.x[k]).sum();
        }
        Some(tableau)
    }

    /// Exchanges the basic column of row `p` for column `q`.
    fn pivot(&mut self, p: usize, q: usize) -> Option<()> {
        let mut row = std::mem::take(&mut self.rows[p]);
        let by = BigRational::one() / row.remove(&q)?;
        for value in row.values_mut() {
            *value *= -by.clone();
        }
        row.insert(self.basis[p], by);
        for r in 0..self.rows.len() {
            let Some(factor) = self.rows[r].remove(&q) else { continue };
            self.budget = self.budget.checked_sub(row.len())?;
            for (&k, value) in &row {
                let entry = self.rows[r].entry(k).or_insert_with(BigRational::zero);
                *entry += &factor * value;
                if entry.is_zero() {
                    self.rows[r].remove(&k);
                }
            }
        }
        self.rows[p] = row;
        (self.basic[self.basis[p]], self.basic[q]) = (false, true);
        self.basis[p] = q;
        Some(())
    }

    /// Moves column `q`, out of the basis, by `change` and the basic columns along.
    fn advance(&mut self, q: usize, change: &BigRational) -> Option<()> {
        self.budget = self.budget.checked_sub(self.basis.len())?;
        self.x[q] += change;
        for (row, &k) in self.rows.iter().zip(&self.basis) {
            if let Some(a) = row.get(&q) {
                self.x[k] += a * change;
            }
        }
        Some(())
    }

    fn may_rise(&self, k: usize) -> bool {
        self.upper[k].as_ref().is_none_or(|upper| self.x[k] < *upper)
    }

    fn may_fall(&self, k: usize) -> bool {
        self.lower[k].as_ref().is_none_or(|lower| self.x[k] > *lower)
    }

    /// Makes every basic column keep its bounds; the row of one that cannot.
    fn repair(&mut self) -> Option<Option<usize>> {
        loop {
            let outside = |k: usize| {
                let below = self.lower[k].as_ref().filter(|lower| self.x[k] < **lower);
                below.or_else(|| self.upper[k].as_ref().filter(|upper| self.x[k] > **upper)).cloned()
            };
            let broken = self.basis.iter().enumerate().filter_map(|(p, &k)| Some((k, p, outside(k)?)));
            let Some((k, p, bound)) = broken.min_by_key(|broken| broken.0) else { return Some(None) };
            let rises = self.x[k] < bound;
            let helps = |(&j, a): (&usize, &BigRational)| {
                (if a.is_positive() == rises { self.may_rise(j) } else { self.may_fall(j) }).then(|| (j, a.clone()))
            };
            let Some((j, a)) = self.rows[p].iter().find_map(helps) else { return Some(Some(p)) };
            let change = (bound - &self.x[k]) / a;
            self.advance(j, &change)?;
            self.pivot(p, j)?;
        }
    }

    /// From a point that keeps all bounds to the greatest objective; a column that gains for ever, and whether by rising.
    fn improve(&mut self) -> Option<Option<(usize, bool)>> {
        let m = self.basis.len();
        loop {
            let gains = |(&j, d): (&usize, &BigRational)| {
                let up = d.is_positive();
                (if up { self.may_rise(j) } else { self.may_fall(j) }).then_some((j, up))
            };
            let Some((j, up)) = self.rows[m].iter().find_map(gains) else { return Some(None) };
            let own = if up { self.upper[j].as_ref() } else { self.lower[j].as_ref() };
            let mut least = own.map(|bound| ((bound - &self.x[j]).abs(), j, None));
            for (p, &k) in self.basis.iter().enumerate() {
                let Some(a) = self.rows[p].get(&j) else { continue };
                let bound = if a.is_positive() == up { self.upper[k].as_ref() } else { self.lower[k].as_ref() };
                if let Some(bound) = bound {
                    let step = ((bound - &self.x[k]) / a).abs();
                    let sooner = least.as_ref().is_none_or(|(s, of, _)| step < *s || step == *s && k < *of);
                    if sooner {
                        least = Some((step, k, Some(p)));
                    }
                }
            }
            let Some((step, _, at)) = least else { return Some(Some((j, up))) };
            self.advance(j, &if up { step } else { -step })?;
            if let Some(p) = at {
                self.pivot(p, j)?;
            }
        }
    }

    /// The basic column of row `p` cannot keep its bounds, for the others are at their ends: the row as weights of the problem's.
    fn conflict(&self, p: usize) -> Option<Outcome> {
        let (n, k) = (self.n, self.basis[p]);
        let mut weights = vec![BigRational::zero(); self.basis.len()];
        for (&j, a) in self.rows[p].iter().filter(|entry| *entry.0 >= n) {
            weights[j - n] = a.clone();
        }
        if k >= n {
            weights[k - n] = -BigRational::one();
        }
        let largest = weights.iter().map(Signed::abs).max()?;
        let missing = match &self.lower[k] {
            Some(lower) if self.x[k] < *lower => lower - &self.x[k],
            _ => &self.x[k] - self.upper[k].as_ref()?,
        };
        let mut variables: Vec<usize> = self.rows[p].keys().copied().chain([k]).filter(|&j| j < n).collect();
        variables.sort_unstable();
        let ray = weights.iter().map(|w| (w / &largest).to_f64()).collect::<Option<_>>()?;
        Some(Outcome::Infeasible(Conflict { ray, distance: (missing / &largest).to_f64()?, crossed: None, variables }))
    }

    fn direction(&self, j: usize, up: bool) -> Option<Outcome> {
        let mut ray = vec![BigRational::zero(); self.n];
        let sign = if up { BigRational::one() } else { -BigRational::one() };
        if j < self.n {
            ray[j] = sign.clone();
        }
        for (row, &k) in self.rows.iter().zip(&self.basis) {
            if let (Some(a), Some(r)) = (row.get(&j), ray.get_mut(k)) {
                *r = a * &sign;
            }
        }
        let largest = ray.iter().map(Signed::abs).max()?;
        let ray = ray.iter().map(|r| (r / &largest).to_f64()).collect::<Option<Vec<f64>>>()?;
        let gain = self.problem.cost.iter().zip(&ray).map(|(c, r)| c * r).sum();
        Some(Outcome::Unbounded(Direction { from: self.point()?, ray, gain }))
    }

    fn point(&self) -> Option<Vec<f64>> {
        self.x[..self.n].iter().map(ToPrimitive::to_f64).collect()
    }

    fn optimum(&self) -> Option<Outcome> {
        let (n, m, sign) = (self.n, self.basis.len(), self.problem.sense.sign());
        let gain = |i: usize| self.rows[m].get(&(n + i)).map_or(Some(0.0), ToPrimitive::to_f64);
        let prices = (0..m).map(|i| gain(i).map(|y| sign * y)).collect::<Option<_>>()?;
        let standing = (0..n + m).map(|k| match (&self.lower[k], &self.upper[k]) {
            _ if self.basic[k] => Standing::Basic,
            (Some(lower), _) if *lower == self.x[k] => Standing::Lower,
            (_, Some(upper)) if *upper == self.x[k] => Standing::Upper,
            _ => Standing::Between,
        });
        let (best, _) = certificate::weighed(self.problem, self.point()?, prices, standing.collect(), |_| 1.0);
        Some(Outcome::Optimal(best))
    }
}
