//! The cheapest choices that make a demand possible: imports of a minimal medium, reactions that fill a gap.
//!
//! A choice that is closed holds its fluxes. Whenever the open ones leave the demand impossible, the proof (a Farkas ray)
//! names closed choices of which one must be opened; made minimal, that is a cut. The cheapest set that meets all cuts known
//! is tried next, until one is enough: then it is the cheapest of all (combinatorial Benders cuts: Codato and Fischetti, Oper.
//! Res. 54, 2006, 756–766; implicit hitting sets). Further sets are found in order of cost, none containing another.

mod cover;
mod fill;
mod medium;

pub use fill::{Candidate, Demand, Fill, FillTask, Fills, fill_gaps};
pub use medium::{ImportTask, LeastImport, Media, Medium, fewest_imports, least_import};

use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use cover::{Cheapest, cheapest};
use toji_core::{Error, Place, Result};

/// Nodes of one search for the cheapest set.
const NODES: usize = 2_000_000;

/// Something that may be opened.
#[derive(Debug, Clone)]
struct Choice {
    /// The column it is about.
    column: usize,
    /// Where the column stays while it is closed.
    closed: (f64, f64),
    weight: f64,
}

/// The cheapest sets of choices.
#[derive(Debug, Clone)]
struct Cheap {
    sets: Vec<Vec<usize>>,
    /// Whether the search ended by itself or with as many sets as were asked.
    complete: bool,
    /// Every set not listed that contains none of them costs at least this; infinite when there is none.
    bound: f64,
    programmes: usize,
}

/// The state of the choices on the compressed problem.
struct Gate {
    solver: Solver,
    open: Vec<bool>,
    /// Columns of the compressed problem with their bounds and the choices on them.
    columns: Vec<(usize, (f64, f64), Vec<usize>)>,
    /// For each choice the entry of `columns` and what it leaves while closed.
    at: Vec<Option<(usize, (f64, f64))>>,
    programmes: usize,
}

impl Gate {
    fn new(problem: &Problem, choices: &[Choice]) -> Result<Self> {
        let small = Compressed::new(problem);
        let mut columns: Vec<(usize, (f64, f64), Vec<usize>)> = Vec::new();
        let mut at = Vec::new();
        for (k, choice) in choices.iter().enumerate() {
            let Image::Multiple { column, factor } = small.images[choice.column] else {
                at.push(None);
                continue;
            };
            let entry = columns.iter().position(|c| c.0 == column).unwrap_or_else(|| {
                columns.push((column, (small.problem.lower[column], small.problem.upper[column]), Vec::new()));
                columns.len() - 1
            });
            columns[entry].2.push(k);
            let ends = (choice.closed.0 / factor, choice.closed.1 / factor);
            at.push(Some((entry, if factor > 0.0 { ends } else { (ends.1, ends.0) })));
        }
        let mut solver = Solver::new(small.problem)?;
        solver.set_objective(Sense::Minimize, &[]);
        Ok(Self { solver, open: vec![true; choices.len()], columns, at, programmes: 0 })
    }

    fn set(&mut self, choice: usize, open: bool) {
        if self.open[choice] == open {
            return;
        }
        self.open[choice] = open;
        if let Some((entry, _)) = self.at[choice] {
            let (column, bounds, list) = &self.columns[entry];
            let held = list.iter().filter(|&&k| !self.open[k]).filter_map(|&k| self.at[k]);
            let (low, high) = held.fold(*bounds, |b, (_, w)| (b.0.max(w.0), b.1.min(w.1)));
            self.solver.set_bounds(*column, low, high);
        }
    }

    fn solve(&mut self) -> Result<Outcome> {
        self.programmes += 1;
        self.solver.solve()
    }

    /// Closed choices of which one must be opened, none to spare; `None` when the open ones are enough.
    fn cut(&mut self, chosen: &[usize]) -> Result<Option<Vec<usize>>> {
        for k in 0..self.open.len() {
            self.set(k, chosen.binary_search(&k).is_ok());
        }
        let Outcome::Infeasible(conflict) = self.solve()? else { return Ok(None) };
        let named = |gate: &Self, k: usize| {
            let Some((entry, _)) = gate.at[k] else { return false };
            let column = gate.columns[entry].0;
            conflict.variables.contains(&column) || conflict.crossed == Some(column)
        };
        // What the proof does not name may be opened without harm, unless rounding speaks against it.
        let closed: Vec<usize> = (0..self.open.len()).filter(|&k| !self.open[k] && self.at[k].is_some()).collect();
        let (mut inside, outside): (Vec<usize>, Vec<usize>) = closed.into_iter().partition(|&k| named(self, k));
        outside.iter().for_each(|&k| self.set(k, true));
        if !matches!(self.solve()?, Outcome::Infeasible(_)) {
            outside.iter().for_each(|&k| self.set(k, false));
            inside.extend(outside);
            inside.sort_unstable();
        }
        let mut cut = Vec::new();
        for &k in &inside {
            self.set(k, true);
            if !matches!(self.solve()?, Outcome::Infeasible(_)) {
                self.set(k, false);
                cut.push(k);
            }
        }
        Ok(Some(cut))
    }
}

/// The cheapest sets, at most `alternatives`, with at most about `limit` programmes. `Err` when not even all choices together
/// are enough.
fn cheapest_sets(problem: &Problem, choices: &[Choice], alternatives: usize, limit: usize) -> Result<Result<Cheap, Outcome>> {
    let mut gate = Gate::new(problem, choices)?;
    if let other @ (Outcome::Infeasible(_) | Outcome::Unbounded(_)) = gate.solve()? {
        return Ok(Err(other));
    }
    let weights: Vec<f64> = choices.iter().map(|c| c.weight).collect();
    let (mut cuts, mut sets): (Vec<Vec<usize>>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
    let mut bound = 0.0_f64;
    while sets.len() < alternatives {
        let set = match cheapest(&weights, &cuts, &sets, NODES) {
            Cheapest::Set(set) => set,
            Cheapest::None => {
                bound = f64::INFINITY;
                break;
            }
            Cheapest::Limit => return Ok(Ok(Cheap { sets, complete: false, bound, programmes: gate.programmes })),
        };
        bound = bound.max(set.iter().map(|&k| weights[k]).sum());
        match gate.cut(&set)? {
            None => {
                let enough = set.is_empty();
                sets.push(set);
                if enough {
                    bound = f64::INFINITY;
                    break;
                }
            }
            Some(cut) => cuts.push(cut),
        }
        if gate.programmes > limit {
            return Ok(Ok(Cheap { sets, complete: false, bound, programmes: gate.programmes }));
        }
    }
    Ok(Ok(Cheap { sets, complete: true, bound, programmes: gate.programmes }))
}

/// The network with the demands as lower bounds.
pub(super) fn demanded(network: &Network, demands: &[Demand]) -> Result<Network> {
    let mut asked = network.clone();
    for (at, demand) in demands.iter().enumerate() {
        if demand.reaction >= network.reactions() || !demand.least.is_finite() {
            return Err(out_of_range(&format!("demands[{at}]")));
        }
        asked.lower[demand.reaction] = asked.lower[demand.reaction].max(demand.least);
    }
    Ok(asked)
}

fn out_of_range(field: &str) -> Error {
    Error::input(
        "E-FLUX-091",
        format!("{field} の反応が範囲外か重複しているか、数が有限ではありません"),
        format!("{field} names a reaction out of range or twice, or its number is not finite"),
    )
    .at(Place::field(field))
    .hint(
        "モデルの反応を一度ずつ、有限の下限と正の重みで書いてください",
        "name reactions of the model once each, with finite demands and weights above zero",
    )
}
