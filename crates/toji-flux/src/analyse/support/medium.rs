//! Minimal media: the fewest things, and the least of them, on which a demand can be met.

use super::{Choice, Demand, cheapest_sets, demanded, out_of_range};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use std::collections::BTreeSet;
use toji_core::{Error, Result};

/// Imports below this, relative to one plus the total, are none.
const NONE: f64 = 1e-9;

/// What must be possible, and what may be taken up for it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct ImportTask {
    /// Fluxes that must be reached, all at once.
    pub demands: Vec<Demand>,
    /// Exchange reactions by which something may be taken up, within their bounds. Others keep their bounds and cost nothing.
    pub imports: Vec<usize>,
    /// Most media to list.
    pub alternatives: usize,
    /// Most linear programmes.
    pub max_programmes: usize,
}

/// Uptakes that sum to least.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct LeastImport {
    /// Exchange reaction and uptake, above zero, in the unit of flux; the reactions ascend.
    pub imports: Vec<(usize, f64)>,
    /// Sum of the uptakes.
    pub total: f64,
    /// Fluxes that meet the demand with them.
    pub fluxes: Vec<f64>,
}

/// A minimal medium.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Medium {
    /// Exchange reactions that must be open inwards, ascending; without any of them the demand cannot be met.
    pub open: Vec<usize>,
    /// The least that has to be taken up through them.
    pub least: LeastImport,
}

/// Media of the fewest imports.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Media {
    /// The media, the smallest first.
    pub media: Vec<Medium>,
    /// Whether the search went to its end: those listed are the smallest, and all when fewer than asked.
    pub complete: bool,
    /// Every medium that is not listed and contains none of these has at least so many imports; `None` when there is no other.
    pub bound: Option<usize>,
    /// Linear programmes that were solved.
    pub programmes: usize,
}

/// Checks the imports and tells of each whether a positive flux takes up.
fn inward(network: &Network, task: &ImportTask) -> Result<Vec<bool>> {
    let mut seen = BTreeSet::new();
    let direction = |(at, &j): (usize, &usize)| {
        let sound = j < network.reactions() && seen.insert(j);
        let values = if sound { network.stoichiometry.column(j).1 } else { &[] };
        let (up, down) = (values.iter().all(|v| *v > 0.0), values.iter().all(|v| *v < 0.0));
        if up == down { Err(out_of_range(&format!("imports[{at}]"))) } else { Ok(up) }
    };
    task.imports.iter().enumerate().map(direction).collect()
}

/// The uptakes of least sum on which the demands can be met. An unreachable demand is answered by its conflict.
///
/// # Errors
/// `E-FLUX-091` when a reaction is out of range, named twice or no exchange, or a number is none; otherwise as for
/// [`crate::analyse::fba`].
pub fn least_import(network: &Network, task: &ImportTask) -> Result<Result<LeastImport, Outcome>> {
    let asked = demanded(network, &task.demands)?;
    let inward = inward(network, task)?;
    least(&asked, &task.imports, &inward)
}

fn least(asked: &Network, imports: &[usize], inward: &[bool]) -> Result<Result<LeastImport, Outcome>> {
    let n = asked.reactions();
    let mut problem = Problem { sense: Sense::Minimize, cost: vec![0.0; n], ..Problem::from(asked) };
    let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| problem.matrix.iter(j).collect()).collect();
    // The uptake becomes a column of its own.
    for (&j, &up) in imports.iter().zip(inward) {
        let sign = if up { 1.0 } else { -1.0 };
        let (low, high) = if up { (asked.lower[j], asked.upper[j]) } else { (-asked.upper[j], -asked.lower[j]) };
        columns.push(columns[j].iter().map(|&(i, a)| (i, sign * a)).collect());
        problem.lower.push(low.max(0.0));
        problem.upper.push(high.max(0.0));
        problem.cost.push(1.0);
        let rest = (low.min(0.0), high.min(0.0));
        (problem.lower[j], problem.upper[j]) = if up { rest } else { (-rest.1, -rest.0) };
    }
    problem.matrix = Matrix::from_columns(asked.rows(), columns.iter().map(Vec::as_slice))
        .ok_or_else(|| Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large"))?;
    let best = match Solver::new(problem)?.solve()? {
        Outcome::Optimal(best) => best,
        other => return Ok(Err(other)),
    };
    let mut fluxes = best.primal[..n].to_vec();
    let mut taken = Vec::new();
    for (k, (&j, &up)) in imports.iter().zip(inward).enumerate() {
        let uptake = best.primal[n + k];
        fluxes[j] += if up { uptake } else { -uptake };
        if uptake > NONE * (1.0 + best.objective) {
            taken.push((j, uptake));
        }
    }
    taken.sort_by_key(|t| t.0);
    Ok(Ok(LeastImport { imports: taken, total: best.objective, fluxes }))
}

/// The media of the fewest imports on which the demands can be met, exact, in order of size, none containing another, each
/// with the least uptakes on it. An unreachable demand is answered by its conflict.
///
/// # Errors
/// As for [`least_import`].
pub fn fewest_imports(network: &Network, task: &ImportTask) -> Result<Result<Media, Outcome>> {
    let asked = demanded(network, &task.demands)?;
    let inward = inward(network, task)?;
    let choice = |(&j, &up): (&usize, &bool)| {
        // Closed inwards; what is forced outwards stays.
        let closed = if up { (f64::NEG_INFINITY, 0.0) } else { (0.0, f64::INFINITY) };
        Choice { column: j, closed, weight: 1.0 }
    };
    let choices: Vec<Choice> = task.imports.iter().zip(&inward).map(choice).collect();
    let found = match cheapest_sets(&Problem::from(&asked), &choices, task.alternatives, task.max_programmes)? {
        Ok(found) => found,
        Err(other) => return Ok(Err(other)),
    };
    let mut media = Vec::new();
    for set in &found.sets {
        let mut closed = asked.clone();
        for (k, &j) in task.imports.iter().enumerate().filter(|(k, _)| !set.contains(k)) {
            if inward[k] {
                closed.upper[j] = closed.upper[j].min(0.0);
            } else {
                closed.lower[j] = closed.lower[j].max(0.0);
            }
        }
        let (list, ways): (Vec<usize>, Vec<bool>) = set.iter().map(|&k| (task.imports[k], inward[k])).unzip();
        let Ok(least) = least(&closed, &list, &ways)? else {
            return Err(Error::bug("E-FLUX-098", "a minimal medium did not pass its check"));
        };
        let mut open = list;
        open.sort_unstable();
        media.push(Medium { open, least });
    }
    let bound = found.bound.is_finite().then_some(found.bound.round() as usize);
    Ok(Ok(Media { media, complete: found.complete, bound, programmes: found.programmes }))
}
