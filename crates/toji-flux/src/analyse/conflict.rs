//! Why a network allows nothing: a set of bounds that cannot hold together, none to spare.

use super::lift::lift;
use super::support::{Demand, demanded};
use crate::lp::{Conflict, Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use std::collections::BTreeSet;
use toji_core::Result;

/// Which end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The lower bound.
    Lower,
    /// The upper bound.
    Upper,
}

/// What a bound is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// The flux of a reaction, by number.
    Reaction(usize),
    /// The least flux that is demanded of a reaction, by number.
    Demand(usize),
    /// The activity of a row that is no balance, by number.
    Row(usize),
}

/// One bound of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Clash {
    /// What it bounds.
    pub subject: Subject,
    /// Which end.
    pub side: Side,
    /// The bound.
    pub value: f64,
}

/// Bounds that cannot hold together.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Explanation {
    /// The bounds; without any one of them the others can hold.
    pub bounds: Vec<Clash>,
    /// Rows (metabolites) through which they clash, with the weights of the proof, the largest ±1.
    pub rows: Vec<(usize, f64)>,
    /// By how much the weighted sum of the rows misses.
    pub distance: f64,
    /// Linear programmes that were solved.
    pub programmes: usize,
}

/// A bound while it is asked whether it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    column: usize,
    side: Side,
}

/// A minimal set of bounds that, with the balances, cannot hold together; `None` when the network with its demands allows a
/// flux. The columns of a Farkas ray come first, then every bound is left out in turn and stays out when the rest is still
/// infeasible (the deletion filter of Chinneck and Dravnieks, ORSA J. Comput. 3, 1991, 157–168). Of several such sets one is
/// given: large bounds are left out before small ones, those before zeros, and demands last.
///
/// # Errors
/// `E-FLUX-091` when a demand is none; otherwise as for [`super::fba`].
pub fn explain_conflict(network: &Network, demands: &[Demand]) -> Result<Option<Explanation>> {
    let asked = demanded(network, demands)?;
    let demanded: BTreeSet<usize> =
        demands.iter().filter(|d| asked.lower[d.reaction] > network.lower[d.reaction]).map(|d| d.reaction).collect();
    let (mut problem, open) = lift(&Problem::from(&asked));
    problem.sense = Sense::Minimize;
    let n = network.reactions();
    let subject = |bound: Bound| match bound.column {
        j if j >= n => Subject::Row(open[j - n]),
        j if bound.side == Side::Lower && demanded.contains(&j) => Subject::Demand(j),
        j => Subject::Reaction(j),
    };
    let mut filter = Filter { solver: Solver::new(problem.clone())?, problem, programmes: 0 };
    let Some(first) = filter.solve()? else { return Ok(None) };
    let mut bounds: Vec<Bound> = (0..filter.problem.lower.len())
        .flat_map(|column| [Side::Lower, Side::Upper].map(|side| Bound { column, side }))
        .filter(|&bound| filter.value(bound).is_finite())
        .collect();
    let mut proof = filter.narrow(&mut bounds, first)?;
    let rank = |bound: &Bound| match subject(*bound) {
        Subject::Demand(_) => f64::NEG_INFINITY,
        _ => filter.value(*bound).abs(),
    };
    let mut order = bounds.clone();
    order.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then(a.cmp(b)));
    for bound in order {
        if !bounds.contains(&bound) {
            continue;
        }
        filter.hold(bound.column, &bounds, Some(bound));
        match filter.solve()? {
            Some(conflict) => {
                bounds.retain(|b| *b != bound);
                proof = filter.narrow(&mut bounds, conflict)?;
            }
            None => filter.hold(bound.column, &bounds, None),
        }
    }
    let clashes = bounds.iter().map(|&b| Clash { subject: subject(b), side: b.side, value: filter.value(b) }).collect();
    let rows = proof.ray.iter().enumerate().filter(|r| r.1.abs() > 1e-9).map(|(i, &r)| (i, r)).collect();
    Ok(Some(Explanation { bounds: clashes, rows, distance: proof.distance, programmes: filter.programmes }))
}

struct Filter {
    problem: Problem,
    solver: Solver,
    programmes: usize,
}

impl Filter {
    fn value(&self, bound: Bound) -> f64 {
        match bound.side {
            Side::Lower => self.problem.lower[bound.column],
            Side::Upper => self.problem.upper[bound.column],
        }
    }

    fn solve(&mut self) -> Result<Option<Conflict>> {
        self.programmes += 1;
        Ok(match self.solver.solve()? {
            Outcome::Infeasible(conflict) => Some(conflict),
            _ => None,
        })
    }

    /// Gives a column those of its bounds that are in the list and not left out.
    fn hold(&mut self, column: usize, bounds: &[Bound], out: Option<Bound>) {
        let held = |side| {
            let bound = Bound { column, side };
            bounds.contains(&bound) && out != Some(bound)
        };
        let lower = if held(Side::Lower) { self.problem.lower[column] } else { f64::NEG_INFINITY };
        let upper = if held(Side::Upper) { self.problem.upper[column] } else { f64::INFINITY };
        self.solver.set_bounds(column, lower, upper);
    }

    /// Leaves out, all at once, what a proof does not name, as long as the rest stays infeasible; the proof of what is left.
    fn narrow(&mut self, bounds: &mut Vec<Bound>, proof: Conflict) -> Result<Conflict> {
        let named: BTreeSet<usize> = match proof.crossed {
            Some(column) => BTreeSet::from([column]),
            None => proof.variables.iter().copied().collect(),
        };
        let kept: Vec<Bound> = bounds.iter().copied().filter(|b| named.contains(&b.column)).collect();
        if kept.len() == bounds.len() {
            return Ok(proof);
        }
        let touched: BTreeSet<usize> = bounds.iter().map(|b| b.column).filter(|c| !named.contains(c)).collect();
        for &column in &touched {
            self.solver.set_bounds(column, f64::NEG_INFINITY, f64::INFINITY);
        }
        if let Some(next) = self.solve()? {
            *bounds = kept;
            return Ok(next);
        }
        for &column in &touched {
            self.hold(column, bounds, None);
        }
        Ok(proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Column;

    fn chain() -> Network {
        let column = |stoichiometry, upper| Column { stoichiometry, lower: 0.0, upper, objective: 0.0 };
        let columns = [
            column(&[(0, 1.0)][..], 10.0),
            column(&[(0, -1.0), (1, 2.0)], 1000.0),
            column(&[(1, -1.0)], 1000.0),
            column(&[(0, -1.0)], 1000.0),
            column(&[(2, 1.0)], 5.0),
            column(&[(2, -1.0)], 7.0),
        ];
        Network::new(3, Sense::Maximize, columns).unwrap()
    }

    #[test]
    fn the_bounds_that_clash_are_named_and_no_others() {
        let network = chain();
        assert_eq!(explain_conflict(&network, &[Demand { reaction: 2, least: 20.0 }]).unwrap(), None);
        // 21 of the product ask for 10.5 of the substrate, of which 10 come in and none may be given back by the drain.
        let why = explain_conflict(&network, &[Demand { reaction: 2, least: 21.0 }]).unwrap().unwrap();
        let clash = |subject, side, value| Clash { subject, side, value };
        assert_eq!(
            why.bounds,
            [
                clash(Subject::Reaction(0), Side::Upper, 10.0),
                clash(Subject::Demand(2), Side::Lower, 21.0),
                clash(Subject::Reaction(3), Side::Lower, 0.0),
            ]
        );
        assert_eq!(why.rows.len(), 2);
        let other = explain_conflict(&network, &[Demand { reaction: 5, least: 6.0 }]).unwrap().unwrap();
        assert_eq!(other.bounds.len(), 2);
        // Crossed bounds are a conflict by themselves; a row with a side takes part.
        let crossed = explain_conflict(&network, &[Demand { reaction: 0, least: 11.0 }]).unwrap().unwrap();
        assert_eq!(
            crossed.bounds,
            [clash(Subject::Demand(0), Side::Lower, 11.0), clash(Subject::Reaction(0), Side::Upper, 10.0)]
        );
        let mut row = network.clone();
        (row.row_lower[2], row.row_upper[2]) = (6.0, f64::INFINITY);
        let why = explain_conflict(&row, &[]).unwrap().unwrap();
        assert!(why.bounds.contains(&clash(Subject::Row(2), Side::Lower, 6.0)), "{why:?}");
        assert_eq!(explain_conflict(&row, &[Demand { reaction: 9, least: 1.0 }]).unwrap_err().code(), "E-FLUX-091");
    }
}
