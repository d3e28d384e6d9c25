//! Gap filling: which reactions to add so that a demand can be met.

use super::{Choice, cheapest_sets, demanded, out_of_range};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use std::collections::BTreeSet;
use toji_core::{Error, Result};

/// A flux that must be reached.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Demand {
    /// The reaction.
    pub reaction: usize,
    /// Its least flux.
    pub least: f64,
}

/// A reaction that may be added: a column of the network that counts as absent unless chosen.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Candidate {
    /// The reaction.
    pub reaction: usize,
    /// What adding it costs, above zero: one each for the fewest, less for what is likelier.
    pub weight: f64,
}

/// What is to be made possible, and from what.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct FillTask {
    /// Fluxes that must be reached, all at once.
    pub demands: Vec<Demand>,
    /// Reactions that may be added.
    pub candidates: Vec<Candidate>,
    /// Most sets to list.
    pub alternatives: usize,
    /// Most linear programmes.
    pub max_programmes: usize,
}

/// Reactions that fill the gap.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Fill {
    /// The reactions, ascending; without any of them the demand cannot be met.
    pub reactions: Vec<usize>,
    /// Sum of their weights.
    pub weight: f64,
    /// Fluxes that meet the demand with them.
    pub fluxes: Vec<f64>,
}

/// Ways to fill the gap, the cheapest first.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Fills {
    /// The ways.
    pub fills: Vec<Fill>,
    /// Whether the search went to its end: those listed are the cheapest, and all when fewer than asked.
    pub complete: bool,
    /// Every way that is not listed and contains none of these costs at least this; `None` when there is no other.
    pub bound: Option<f64>,
    /// Linear programmes that were solved.
    pub programmes: usize,
}

/// The cheapest sets of candidates with which every demand can be met at once (the question of Reed et al., PNAS 103, 2006,
/// 17480–17484, and Satish Kumar, Dasika and Maranas, BMC Bioinformatics 8, 2007, 212), exact, in order of weight, none
/// containing another. Every set listed is verified on the network as given, where its fluxes come from. A demand that not
/// even all candidates meet is answered by its conflict.
///
/// # Errors
/// `E-FLUX-091` when a reaction is out of range or named twice, or a number is none; otherwise as for
/// [`crate::analyse::fba`].
pub fn fill_gaps(network: &Network, task: &FillTask) -> Result<Result<Fills, Outcome>> {
    let asked = demanded(network, &task.demands)?;
    let mut seen = BTreeSet::new();
    for (at, c) in task.candidates.iter().enumerate() {
        if c.reaction >= network.reactions() || !(c.weight > 0.0 && c.weight.is_finite()) || !seen.insert(c.reaction) {
            return Err(out_of_range(&format!("candidates[{at}]")));
        }
    }
    let choices: Vec<Choice> =
        task.candidates.iter().map(|c| Choice { column: c.reaction, closed: (0.0, 0.0), weight: c.weight }).collect();
    let found = match cheapest_sets(&Problem::from(&asked), &choices, task.alternatives, task.max_programmes)? {
        Ok(found) => found,
        Err(other) => return Ok(Err(other)),
    };
    let mut solver = Solver::new(Problem::from(&asked))?;
    solver.set_objective(Sense::Minimize, &[]);
    let mut fills = Vec::new();
    for set in &found.sets {
        for (k, c) in task.candidates.iter().enumerate() {
            let (lower, upper) = if set.contains(&k) { (asked.lower[c.reaction], asked.upper[c.reaction]) } else { (0.0, 0.0) };
            solver.set_bounds(c.reaction, lower, upper);
        }
        let Outcome::Optimal(point) = solver.solve()? else {
            return Err(Error::bug("E-FLUX-098", "a set of reactions that fills the gap did not pass its check"));
        };
        let mut reactions: Vec<usize> = set.iter().map(|&k| task.candidates[k].reaction).collect();
        reactions.sort_unstable();
        let weight = set.iter().map(|&k| task.candidates[k].weight).sum();
        fills.push(Fill { reactions, weight, fluxes: point.primal });
    }
    let bound = found.bound.is_finite().then_some(found.bound);
    Ok(Ok(Fills { fills, complete: found.complete, bound, programmes: found.programmes }))
}
