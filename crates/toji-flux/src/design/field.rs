//! A linear programme on the compressed network in which reactions stop and limits are set.

use super::edit::{Edit, Intervention, Limit};
use super::ways::{Set, Ways, within};
use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use std::collections::BTreeSet;
use toji_core::{Error, Result};

/// Fluxes below this are none.
const STILL: f64 = 1e-12;
/// A limit is kept when it is missed by less than this, relative.
pub(super) const KEPT: f64 = 1e-9;

/// A network with limits, solved once, from which every set of interventions starts.
#[derive(Debug)]
pub(super) struct Field {
    small: Compressed,
    base: Solver,
    work: Solver,
    reactions: usize,
    /// Interventions that hold, with their limits; their sums are the columns after the reactions.
    holds: Vec<(u32, Limit)>,
    /// Sums that may be optimised or bounded, columns after those.
    sums: usize,
    /// Minimal sets that stop each column of the compressed network.
    ways: Vec<Vec<Set>>,
    /// Programmes that were solved.
    pub(super) programmes: usize,
}

/// A flux vector that some sets of interventions leave possible.
#[derive(Debug, Clone)]
pub(super) struct Point {
    used: Vec<u64>,
    /// The limits that it does not keep, as interventions.
    broken: Vec<u32>,
    /// The sets one of which must be made to rule the point out.
    pub(super) hits: Vec<Set>,
    /// The interventions under which it was found, where that matters.
    pub(super) under: Set,
}

impl Field {
    /// A field over `network` within `limits`, where the sums of `sums` can be optimised.
    pub(super) fn new(
        network: &Network,
        list: &[Intervention],
        ways: &Ways,
        limits: &[Limit],
        sums: &[&[(usize, f64)]],
    ) -> Result<Self> {
        let n = network.reactions();
        let holds: Vec<(u32, Limit)> = ways
            .holds
            .iter()
            .filter_map(|&item| match &list[item as usize].edit {
                Edit::Hold(limit) => Some((item, limit.clone())),
                _ => None,
            })
            .collect();
        let mut problem = Problem { cost: Vec::new(), sense: Sense::Maximize, ..Problem::from(network) };
        let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| problem.matrix.iter(j).collect()).collect();
        for limit in limits {
            for &(j, a) in &limit.terms {
                columns[j].push((problem.row_lower.len(), a));
            }
            problem.row_lower.push(limit.lower);
            problem.row_upper.push(limit.upper);
        }
        for terms in holds.iter().map(|(_, limit)| limit.terms.as_slice()).chain(sums.iter().copied()) {
            for &(j, a) in terms {
                columns[j].push((problem.row_lower.len(), a));
            }
            columns.push(vec![(problem.row_lower.len(), -1.0)]);
            problem.row_lower.push(0.0);
            problem.row_upper.push(0.0);
            problem.lower.push(f64::NEG_INFINITY);
            problem.upper.push(f64::INFINITY);
        }
        problem.cost = vec![0.0; columns.len()];
        problem.matrix = Matrix::from_columns(problem.row_lower.len(), columns.iter().map(Vec::as_slice))
            .ok_or_else(|| Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large"))?;
        let small = Compressed::new(&problem);
        let mut base = Solver::new(small.problem.clone())?;
        base.solve()?;
        base.settle();
        let of_column = |members: &Vec<(usize, f64)>| {
            super::ways::minimal(members.iter().filter(|m| m.0 < n).flat_map(|m| ways.of[m.0].iter().cloned()).collect())
        };
        let column_ways = small.members.iter().map(of_column).collect();
        let work = base.clone();
        Ok(Self { small, base, work, reactions: n, holds, sums: sums.len(), ways: column_ways, programmes: 0 })
    }

    /// Lets every set start where a sum is best, which is near where it is best after a few changes.
    pub(super) fn start_with(&mut self, sum: usize, sense: Sense) -> Result<()> {
        self.base.set_objective(sense, &self.aim(sum));
        self.base.solve()?;
        self.base.settle();
        self.work = self.base.clone();
        Ok(())
    }

    /// A sum as an objective of the compressed network.
    fn aim(&self, sum: usize) -> Vec<(usize, f64)> {
        match self.small.images[self.reactions + self.holds.len() + sum.min(self.sums)] {
            Image::Zero => Vec::new(),
            Image::Multiple { column, factor } => vec![(column, factor)],
        }
    }

    /// The value of a sum at a point of the compressed network.
    pub(super) fn value(&self, sum: usize, at: &[f64]) -> f64 {
        self.aim(sum).iter().map(|&(column, factor)| factor * at[column]).sum()
    }

    /// Starts anew from the field with a set of interventions; whether it can still be feasible.
    pub(super) fn set(&mut self, ways: &Ways, set: &[u32]) -> bool {
        self.work.copy_from(&self.base);
        let mut possible = true;
        for j in ways.stopped(set) {
            possible &= self.bound(j, 0.0, 0.0);
        }
        for at in 0..self.holds.len() {
            if set.binary_search(&self.holds[at].0).is_ok() {
                let (lower, upper) = (self.holds[at].1.lower, self.holds[at].1.upper);
                possible &= self.bound(self.reactions + at, lower, upper);
            }
        }
        possible
    }

    /// Bounds a sum further.
    pub(super) fn bound_sum(&mut self, sum: usize, lower: f64, upper: f64) -> bool {
        self.bound(self.reactions + self.holds.len() + sum.min(self.sums), lower, upper)
    }

    fn bound(&mut self, j: usize, lower: f64, upper: f64) -> bool {
        match self.small.images[j] {
            Image::Zero => lower <= 0.0 && upper >= 0.0,
            Image::Multiple { column, factor } => {
                let ends = (lower / factor, upper / factor);
                let (low, high) = if factor > 0.0 { ends } else { (ends.1, ends.0) };
                let problem = self.work.problem();
                let (low, high) = (low.max(problem.lower[column]), high.min(problem.upper[column]));
                // A zero divided by a negative factor is a negative zero.
                self.work.set_bounds(column, low + 0.0, high + 0.0);
                low <= high
            }
        }
    }

    /// Optimises a sum (or nothing) as the field is set. The answer's objective is that of the sum.
    pub(super) fn solve(&mut self, aim: Option<(usize, Sense)>) -> Result<Outcome> {
        if let Some((sum, sense)) = aim {
            self.work.set_objective(sense, &self.aim(sum));
        }
        self.programmes += 1;
        self.work.solve()
    }

    /// What a point of the compressed network, found under `under`, uses.
    pub(super) fn point(&self, primal: &[f64], under: &[u32]) -> Point {
        let mut used = vec![0_u64; primal.len().div_ceil(64)];
        let mut hits = Vec::new();
        for (column, value) in primal.iter().enumerate() {
            if value.abs() > STILL {
                used[column / 64] |= 1 << (column % 64);
                hits.extend(self.ways[column].iter().cloned());
            }
        }
        let all = self.small.expand(primal);
        let broken: Vec<u32> = self
            .holds
            .iter()
            .zip(&all[self.reactions..])
            .filter(|((_, limit), value)| {
                let room = KEPT * (1.0 + value.abs());
                **value < limit.lower - room || **value > limit.upper + room
            })
            .map(|((item, _), _)| *item)
            .collect();
        hits.extend(broken.iter().map(|&item| vec![item]));
        Point { used, broken, hits: super::ways::minimal(hits), under: under.to_vec() }
    }

    /// The columns that a set stops, as bits.
    pub(super) fn mask(&self, ways: &Ways, set: &[u32]) -> Vec<u64> {
        let mut mask = vec![0_u64; self.small.problem.lower.len().div_ceil(64)];
        for j in ways.stopped(set) {
            if let Image::Multiple { column, .. } = self.small.images[j] {
                mask[column / 64] |= 1 << (column % 64);
            }
        }
        mask
    }
}

impl Point {
    /// Whether a set, with the mask of its columns, leaves the point possible.
    pub(super) fn survives(&self, mask: &[u64], set: &[u32]) -> bool {
        self.used.iter().zip(mask).all(|(u, m)| u & m == 0)
            && !self.broken.iter().any(|item| set.binary_search(item).is_ok())
            && within(&self.under, set)
    }

    /// The sets next to `set` that rule the point out, within the budget.
    pub(super) fn next(&self, ways: &Ways, set: &[u32]) -> BTreeSet<Set> {
        self.hits.iter().map(|hit| super::ways::union(set, hit)).filter(|next| ways.affordable(next)).collect()
    }
}
