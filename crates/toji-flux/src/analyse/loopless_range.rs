//! Ranges of fluxes without internal cycles.

use super::fba::{fba, hold};
use super::fva::Ranges;
use super::loopless::is_exchange;
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use toji_core::error::Category;
use toji_core::{Error, Result};

/// Programmes for one end of one range.
const LIMIT: usize = 10_000;
/// Cycles that carry less than this, relative to one and the flux, are none.
const CARRIED: f64 = 1e-7;

/// Ranges of all fluxes over the states without internal cycles (loop law of Schellenberger, Lewis and Palsson, Biophys. J.
/// 100, 2011, 544–553) that keep `fraction` of the optimum. Exact, by branching: while the best state needs a cycle through
/// the reaction, each member of an elementary cycle in turn is forbidden its direction. Cycles that bounds force stay.
/// An infeasible or unbounded network is answered as [`fba`] answers it; so is a range without any limit.
///
/// # Errors
/// `E-FLUX-035` when an end needs more than 10 000 programmes; otherwise as for [`fba`].
pub fn loopless_fva(network: &Network, fraction: f64) -> Result<Result<Ranges, Outcome>> {
    let best = match fba(network)? {
        Outcome::Optimal(best) => best,
        other => return Ok(Err(other)),
    };
    let held = hold(network, &best, fraction);
    let mut cycles = Problem::from(network);
    cycles.row_lower.fill(0.0);
    cycles.row_upper.fill(0.0);
    cycles.cost.fill(0.0);
    let mut search = Search {
        internal: (0..network.reactions()).map(|j| !is_exchange(network, j) && network.objective[j] == 0.0).collect(),
        solver: Solver::new(held.clone())?,
        cycles: Solver::new(cycles)?,
        held,
        programmes: 0,
    };
    let (mut minimum, mut maximum) = (Vec::new(), Vec::new());
    for j in 0..network.reactions() {
        for (sense, list) in [(Sense::Minimize, &mut minimum), (Sense::Maximize, &mut maximum)] {
            match search.end(j, sense)? {
                Ok(value) => list.push(value),
                Err(other) => return Ok(Err(other)),
            }
        }
    }
    Ok(Ok(Ranges { objective: best.objective, minimum, maximum, programmes: search.programmes }))
}

struct Search {
    internal: Vec<bool>,
    held: Problem,
    solver: Solver,
    cycles: Solver,
    programmes: usize,
}

impl Search {
    /// The end of a range.
    fn end(&mut self, j: usize, sense: Sense) -> Result<Result<f64, Outcome>> {
        let sign = sense.sign();
        let mut reached = f64::NEG_INFINITY;
        // Directions forbidden: reaction, and whether it is the forward one.
        let mut open: Vec<Vec<(usize, bool)>> = vec![Vec::new()];
        let mut count = 0;
        while let Some(forbidden) = open.pop() {
            count += 1;
            if count > LIMIT {
                return Err(endless(j));
            }
            let outcome = self.best(j, sense, &forbidden)?;
            let x = match outcome {
                Outcome::Optimal(best) => best.primal,
                Outcome::Infeasible(_) if !forbidden.is_empty() => continue,
                other => return Ok(Err(other)),
            };
            if sign * x[j] <= reached {
                continue;
            }
            let part = self.cycle_part(j, &x)?;
            let carried = part.as_ref().map_or(0.0, |w| w[j]);
            // What the cycle carries counts only where it leads towards the end.
            if sign * carried <= CARRIED * (1.0 + x[j].abs()) {
                reached = sign * x[j];
                continue;
            }
            reached = reached.max(sign * (x[j] - carried));
            let members = part.map(|w| self.elementary(j, &w)).transpose()?.unwrap_or_default();
            for (i, forward) in members {
                let mut next = forbidden.clone();
                next.push((i, forward));
                open.push(next);
            }
        }
        Ok(Ok(sign * reached))
    }

    fn best(&mut self, j: usize, sense: Sense, forbidden: &[(usize, bool)]) -> Result<Outcome> {
        for &(i, forward) in forbidden {
            let (lower, upper) = (self.solver.problem().lower[i], self.solver.problem().upper[i]);
            let (lower, upper) = if forward { (lower, upper.min(0.0)) } else { (lower.max(0.0), upper) };
            self.solver.set_bounds(i, lower, upper);
        }
        self.solver.set_objective(sense, &[(j, 1.0)]);
        self.programmes += 1;
        let outcome = self.solver.solve();
        for &(i, _) in forbidden {
            self.solver.set_bounds(i, self.held.lower[i], self.held.upper[i]);
        }
        outcome
    }

    /// The most that cycles within the state `x` carry through `j`.
    fn cycle_part(&mut self, j: usize, x: &[f64]) -> Result<Option<Vec<f64>>> {
        if !self.internal[j] || x[j] == 0.0 {
            return Ok(None);
        }
        for (i, &v) in x.iter().enumerate() {
            let room = if !self.internal[i] {
                (0.0, 0.0)
            } else if v > 0.0 {
                (0.0, (v - self.held.lower[i].max(0.0)).max(0.0))
            } else {
                ((v - self.held.upper[i].min(0.0)).min(0.0), 0.0)
            };
            self.cycles.set_bounds(i, room.0, room.1);
        }
        self.cycles.set_objective(Sense::Maximize, &[(j, x[j].signum())]);
        self.programmes += 1;
        Ok(self.cycles.solve()?.optimum().map(|best| best.primal))
    }

    /// Members, with their direction, of an elementary cycle through `j` within the support of `w`.
    fn elementary(&mut self, j: usize, w: &[f64]) -> Result<Vec<(usize, bool)>> {
        let mut cost = Vec::new();
        for (i, &v) in w.iter().enumerate() {
            let lively = v.abs() > 1e-9;
            let (lower, upper) = match (lively, v > 0.0) {
                (false, _) => (0.0, 0.0),
                (true, true) => (0.0, f64::INFINITY),
                (true, false) => (f64::NEG_INFINITY, 0.0),
            };
            self.cycles.set_bounds(i, lower, upper);
            if lively {
                cost.push((i, v.signum()));
            }
        }
        self.cycles.set_bounds(j, w[j].signum(), w[j].signum());
        self.cycles.set_objective(Sense::Minimize, &cost);
        self.programmes += 1;
        let found = self.cycles.solve()?.optimum().map_or_else(|| w.to_vec(), |best| best.primal);
        Ok(found.iter().enumerate().filter(|(_, v)| v.abs() > 1e-9).map(|(i, v)| (i, *v > 0.0)).collect())
    }
}

fn endless(j: usize) -> Error {
    Error::new(
        Category::Limit,
        "E-FLUX-035",
        format!("反応 {j}(0 始まり)の循環のない範囲が {LIMIT} 回の計算では決まりません"),
        format!("{LIMIT} programmes do not settle the loopless range of reaction {j} (from 0)"),
    )
    .hint("循環に入る反応の境界を狭めてください", "narrow the bounds of reactions in cycles")
}
