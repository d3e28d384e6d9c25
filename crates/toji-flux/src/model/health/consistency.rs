//! What a linear programme tells: masses, energy from nothing, reactions that are blocked.

use super::balance::pseudo;
use super::energy::{EnergyCycle, cycles};
use crate::analyse::{Variability, fva};
use crate::lp::{Outcome, Problem, Solver};
use crate::model::Model;
use crate::network::Sense;
use crate::sparse::Matrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::Result;

/// Values below this count as zero.
const ZERO: f64 = 1e-7;

/// Reactions run together that make something from nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Leak {
    /// Reactions by identifier, and how much of each.
    pub reactions: Vec<(String, f64)>,
    /// What they make on balance (all positive) or lose (all negative).
    pub metabolites: Vec<(String, f64)>,
}

/// What linear programmes tell of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Consistency {
    /// Metabolites that no positive mass can be given without breaking a reaction within the model; empty: the model is
    /// stoichiometrically consistent. The greatest possible set is conserved.
    pub unconserved: Vec<String>,
    /// A combination of reactions that shows it: positive masses would have to sum to nothing.
    pub leak: Option<Leak>,
    /// Carriers of energy or electrons that can be charged with all exchanges closed.
    pub energy_cycles: Vec<EnergyCycle>,
    /// Reactions that carry no flux in any steady state within the bounds.
    pub blocked: Vec<String>,
    /// Reactions that carry none even when every exchange is open.
    pub blocked_open: Vec<String>,
}

/// Asks linear programmes. `threads` only speeds it up.
///
/// Masses: the most metabolites that can have a positive mass at once, with every reaction within the model keeping mass
/// (Gevorgyan et al. 2008, doi:10.1093/bioinformatics/btn425). Possible masses form a cone, so one programme finds them
/// all. Energy: Fritzemeier et al. 2017, doi:10.1371/journal.pcbi.1005494.
///
/// # Errors
/// As for the solver. A model that is infeasible as it stands has every reaction blocked.
pub fn consistency(model: &Model, threads: usize) -> Result<Consistency> {
    let (unconserved, leak) = masses(model)?;
    let mut network = model.network()?;
    network.objective.fill(0.0);
    let blocked = blocked(model, &network, threads)?;
    for exchange in model.exchanges() {
        network.lower[exchange] = network.lower[exchange].min(-1000.0);
        network.upper[exchange] = network.upper[exchange].max(1000.0);
    }
    let blocked_open = self::blocked(model, &network, threads)?;
    Ok(Consistency { unconserved, leak, energy_cycles: cycles(model)?, blocked, blocked_open })
}

fn blocked(model: &Model, network: &crate::Network, threads: usize) -> Result<Vec<String>> {
    let how = Variability { fraction: 0.0, threads, compress: true };
    let ranges = fva(network, &how)?.ok();
    let stuck = |r: &usize| ranges.as_ref().is_none_or(|f| f.minimum[*r].abs() < ZERO && f.maximum[*r].abs() < ZERO);
    Ok((0..model.reactions.len()).filter(stuck).map(|r| model.reactions[r].id.clone()).collect())
}

/// Maximise Σ k with k ≤ m, 0 ≤ k ≤ 1, m ≥ 0 and Sᵀ m = 0 over the reactions within the model: k is 1 where a positive
/// mass is possible, and 0 where not.
fn masses(model: &Model) -> Result<(Vec<String>, Option<Leak>)> {
    let pseudo = pseudo(model);
    let within: Vec<usize> = (0..model.reactions.len()).filter(|r| !pseudo[*r]).collect();
    let n = model.metabolites.len();
    let rows = within.len() + n;
    let mut columns: Vec<Vec<(usize, f64)>> = vec![Vec::new(); 2 * n];
    let mut occurs = vec![false; n];
    for (row, reaction) in within.iter().enumerate() {
        for &(metabolite, coefficient) in &model.reactions[*reaction].stoichiometry {
            columns[metabolite].push((row, coefficient));
            occurs[metabolite] = true;
        }
    }
    for metabolite in 0..n {
        columns[metabolite].push((within.len() + metabolite, 1.0));
        columns[n + metabolite].push((within.len() + metabolite, -1.0));
    }
    let Some(matrix) = Matrix::from_columns(rows, columns.iter().map(Vec::as_slice)) else { return Ok((Vec::new(), None)) };
    let of = |mass: f64, kept: f64| [vec![mass; n], vec![kept; n]].concat();
    let side = |equal: f64, above: f64| [vec![equal; within.len()], vec![above; n]].concat();
    let problem = Problem {
        matrix,
        lower: of(0.0, 0.0),
        upper: of(f64::INFINITY, 1.0),
        cost: of(0.0, 1.0),
        sense: Sense::Maximize,
        row_lower: side(0.0, 0.0),
        row_upper: side(0.0, f64::INFINITY),
    };
    let Outcome::Optimal(best) = Solver::new(problem)?.solve()? else { return Ok((Vec::new(), None)) };
    let lost: Vec<usize> = (0..n).filter(|m| occurs[*m] && best.primal[n + m] < 0.5).collect();
    let unconserved = lost.iter().map(|m| model.metabolites[*m].id.clone()).collect();
    let leak = if lost.is_empty() { None } else { leak(model, &within, &best.prices) };
    Ok((unconserved, leak))
}

/// The prices of the reactions are such a combination; it is given only when it is seen to be one.
fn leak(model: &Model, within: &[usize], prices: &[f64]) -> Option<Leak> {
    let largest = within.iter().enumerate().map(|(row, _)| prices[row].abs()).fold(0.0, f64::max);
    if largest == 0.0 {
        return None;
    }
    let amounts: Vec<(usize, f64)> = within
        .iter()
        .enumerate()
        .map(|(row, reaction)| (*reaction, prices[row] / largest))
        .filter(|(_, amount)| amount.abs() > ZERO)
        .collect();
    let mut balance = vec![0.0; model.metabolites.len()];
    for (reaction, amount) in &amounts {
        for (metabolite, coefficient) in &model.reactions[*reaction].stoichiometry {
            balance[*metabolite] += amount * coefficient;
        }
    }
    let left: Vec<(String, f64)> = (balance.iter().enumerate().filter(|(_, b)| b.abs() > ZERO))
        .map(|(m, b)| (model.metabolites[m].id.clone(), *b))
        .collect();
    let one_sided = left.iter().all(|l| l.1 > 0.0) || left.iter().all(|l| l.1 < 0.0);
    let reactions = amounts.into_iter().map(|(r, amount)| (model.reactions[r].id.clone(), amount)).collect();
    (one_sided && !left.is_empty()).then_some(Leak { reactions, metabolites: left })
}
