//! Regulatory on/off minimisation: the fewest fluxes that change.

use super::fba::check_fluxes;
use super::fva::{Variability, fva};
use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use std::collections::BTreeSet;
use toji_core::error::Category;
use toji_core::{Error, Place, Result};

/// A flux beyond its window by no more than this, relative to one plus the flux, is inside it.
const INSIDE: f64 = 1e-7;
/// A bound this much below a whole number is that number.
const WHOLE: f64 = 1e-6;
/// Rounds of the heuristic that looks for a first answer.
const ROUNDS: usize = 12;

/// When a flux counts as changed, and how hard to look.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Switching {
    /// Share of its reference by which a flux may differ and still count as unchanged.
    pub delta: f64,
    /// Difference that never counts, in the unit of flux.
    pub epsilon: f64,
    /// Whether the fewest changes are looked for; otherwise the linear relaxation alone is solved.
    pub exact: bool,
    /// Most linear programmes of the search; when it is reached the answer says what is proved.
    pub max_nodes: usize,
}

impl Default for Switching {
    fn default() -> Self {
        Self { delta: 0.03, epsilon: 0.001, exact: false, max_nodes: 20_000 }
    }
}

/// Fluxes of which few are changed.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Switched {
    /// Value of the network's objective at these fluxes.
    pub objective: f64,
    /// The fluxes.
    pub fluxes: Vec<f64>,
    /// Reactions whose flux is outside its window, ascending.
    pub changed: Vec<usize>,
    /// Value of the relaxation: of the linear programme itself, or of the root of the search.
    pub relaxed: f64,
    /// No fluxes change fewer reactions than this: proved by the search, or the relaxation rounded up.
    pub least: usize,
    /// Whether `changed` is as few as can be.
    pub optimal: bool,
    /// Linear programmes that were solved.
    pub programmes: usize,
}

/// Of the fluxes that the network allows, ones of which the fewest differ from `reference` (of the unchanged network, same
/// order and unit) by more than the tolerance: Shlomi, Berkman and Ruppin, PNAS 102, 2005, 7695–7700. Without `exact`, the
/// relaxation of that programme, whose switches may be partly on; its room to move is the network's bounds, as published (let
/// both tolerances be zero for the values that `COBRApy` gives).
/// With it, branch and bound on the switches, whose room is the range of each flux. An infeasible network is answered by its
/// conflict.
///
/// # Errors
/// `E-FLUX-033`: the reference is not one finite flux for each reaction; `E-FLUX-084`: a tolerance is negative or not finite;
/// `E-FLUX-085`: a flux that may leave its window has no limit; otherwise as for [`super::fba`].
pub fn room(network: &Network, reference: &[f64], how: &Switching) -> Result<Result<Switched, Outcome>> {
    check_fluxes(network, reference)?;
    if !(how.delta >= 0.0 && how.epsilon >= 0.0 && how.delta.is_finite() && how.epsilon.is_finite()) {
        return Err(Error::input("E-FLUX-084", "許容幅が 0 以上の数ではありません", "a tolerance is negative or no number")
            .at(Place::field("delta"))
            .hint("0 以上の有限の数にしてください", "use finite numbers of zero or more"));
    }
    let mut programmes = 0;
    let (low, high) = if how.exact {
        let mut any = network.clone();
        any.objective.fill(0.0);
        match fva(&any, &Variability { fraction: 0.0, ..Variability::default() })? {
            Ok(ranges) => {
                programmes += ranges.programmes;
                (ranges.minimum, ranges.maximum)
            }
            Err(other) => return Ok(Err(other)),
        }
    } else {
        (network.lower.clone(), network.upper.clone())
    };
    let windows: Vec<(f64, f64)> = reference
        .iter()
        .map(|r| {
            let room = how.delta * r.abs() + how.epsilon;
            (r - room, r + room)
        })
        .collect();
    let set = switches(network, &windows, &low, &high)?;
    let small = Compressed::new(&set.problem);
    let mut search = Search { solver: Solver::new(small.problem.clone())?, small, set, windows, programmes, network };
    search.run(how)
}

/// The programme with its switches.
struct Switches {
    problem: Problem,
    /// Columns of the switches.
    columns: Vec<usize>,
    /// Reactions that are outside their window whatever happens.
    always: usize,
}

fn switches(network: &Network, windows: &[(f64, f64)], low: &[f64], high: &[f64]) -> Result<Switches> {
    let n = network.reactions();
    let mut problem = Problem { sense: Sense::Minimize, cost: vec![0.0; n], ..Problem::from(network) };
    let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| problem.matrix.iter(j).collect()).collect();
    let (mut rows, mut list, mut always) = (network.rows(), Vec::new(), 0);
    for (j, &(least, most)) in windows.iter().enumerate() {
        let (down, up) = (least - low[j], high[j] - most);
        if low[j] > most || high[j] < least {
            always += 1;
            continue;
        }
        if down <= 0.0 && up <= 0.0 {
            continue;
        }
        let mut switch = Vec::new();
        for (room, sign, side) in [(down, 1.0, least), (up, -1.0, most)] {
            if room > 0.0 {
                if !room.is_finite() {
                    return Err(Error::new(
                        Category::Model,
                        "E-FLUX-085",
                        format!("反応 {j}(0 始まり)の流束に限りがないため、変化を数えられません"),
                        format!("the flux of reaction {j} (from 0) has no limit, so its change cannot be switched"),
                    )
                    .at(Place::field(format!("reaction {j}")))
                    .hint("境界を有限にしてください", "make its bounds finite"));
                }
                // v + room·switch ≥ least, or v − room·switch ≤ most.
                columns[j].push((rows, 1.0));
                switch.push((rows, sign * room));
                problem.row_lower.push(if sign > 0.0 { side } else { f64::NEG_INFINITY });
                problem.row_upper.push(if sign > 0.0 { f64::INFINITY } else { side });
                rows += 1;
            }
        }
        list.push(columns.len());
        columns.push(switch);
        problem.lower.push(0.0);
        problem.upper.push(1.0);
        problem.cost.push(1.0);
    }
    problem.matrix = Matrix::from_columns(rows, columns.iter().map(Vec::as_slice))
        .ok_or_else(|| Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large"))?;
    Ok(Switches { problem, columns: list, always })
}

/// A part of the search: switches that are decided, and what its relaxation proves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    least: usize,
    /// Fewer first: deep parts come before shallow ones of the same bound.
    open: usize,
    number: usize,
    decided: Vec<(usize, bool)>,
}

struct Search<'a> {
    solver: Solver,
    small: Compressed,
    set: Switches,
    windows: Vec<(f64, f64)>,
    programmes: usize,
    network: &'a Network,
}

impl Search<'_> {
    fn fluxes(&self, small: &[f64]) -> Vec<f64> {
        let mut all = self.small.expand(small);
        all.truncate(self.windows.len());
        all
    }

    fn changed(&self, fluxes: &[f64]) -> Vec<usize> {
        let outside = |j: &usize| {
            let (v, (least, most)) = (fluxes[*j], self.windows[*j]);
            (least - v).max(v - most) > INSIDE * (1.0 + v.abs())
        };
        (0..fluxes.len()).filter(outside).collect()
    }

    /// Column of a switch in the compressed programme.
    fn place(&self, switch: usize) -> Option<usize> {
        match self.small.images[self.set.columns[switch]] {
            Image::Multiple { column, .. } => Some(column),
            Image::Zero => None,
        }
    }

    fn run(&mut self, how: &Switching) -> Result<Result<Switched, Outcome>> {
        self.programmes += 1;
        let root = match self.solver.solve()? {
            Outcome::Optimal(best) => best,
            other => return Ok(Err(other)),
        };
        let relaxed = root.objective + self.set.always as f64;
        let least = (relaxed - WHOLE).ceil().max(0.0) as usize;
        let fluxes = self.fluxes(&root.primal);
        let changed = self.changed(&fluxes);
        let mut best = (changed, fluxes);
        let mut proved = least;
        if how.exact {
            self.sparser(&root.primal, &mut best)?;
            proved = self.branch(&mut best, least, how.max_nodes)?;
        }
        let objective = best.1.iter().zip(&self.network.objective).map(|(v, c)| v * c).sum();
        let optimal = best.0.len() <= proved;
        let (changed, fluxes) = best;
        Ok(Ok(Switched { objective, fluxes, changed, relaxed, least: proved, optimal, programmes: self.programmes }))
    }

    /// Relaxations that weigh a switch by how little it was on (Candès, Wakin and Boyd, J. Fourier Anal. Appl. 14, 2008,
    /// 877–905): they leave fewer on.
    fn sparser(&mut self, root: &[f64], best: &mut (Vec<usize>, Vec<f64>)) -> Result<()> {
        let places: Vec<usize> = (0..self.set.columns.len()).filter_map(|k| self.place(k)).collect();
        let mut point = root.to_vec();
        for _ in 0..ROUNDS {
            let weights: Vec<(usize, f64)> = places.iter().map(|&c| (c, 1.0 / (point[c] + 1e-4))).collect();
            self.solver.set_objective(Sense::Minimize, &weights);
            self.programmes += 1;
            let Outcome::Optimal(next) = self.solver.solve()? else { break };
            self.offer(&next.primal, best);
            let same = next.primal.iter().zip(&point).all(|(a, b)| (a - b).abs() < 1e-9);
            point = next.primal;
            if same {
                break;
            }
        }
        let ones: Vec<(usize, f64)> = places.iter().map(|&c| (c, 1.0)).collect();
        self.solver.set_objective(Sense::Minimize, &ones);
        Ok(())
    }

    fn offer(&self, point: &[f64], best: &mut (Vec<usize>, Vec<f64>)) {
        let fluxes = self.fluxes(point);
        let changed = self.changed(&fluxes);
        if changed.len() < best.0.len() {
            *best = (changed, fluxes);
        }
    }

    /// Branch and bound, the part of the least bound first; what is proved.
    fn branch(&mut self, best: &mut (Vec<usize>, Vec<f64>), least: usize, limit: usize) -> Result<usize> {
        let mut open = BTreeSet::from([Node { least, open: usize::MAX, number: 0, decided: Vec::new() }]);
        let mut number = 0;
        let mut set: Vec<usize> = Vec::new();
        while let Some(node) = open.pop_first() {
            if node.least >= best.0.len() {
                return Ok(best.0.len());
            }
            if number >= limit {
                return Ok(node.least);
            }
            number += 1;
            for column in set.drain(..) {
                self.solver.set_bounds(column, 0.0, 1.0);
            }
            for &(switch, on) in &node.decided {
                if let Some(column) = self.place(switch) {
                    let value = f64::from(u8::from(on));
                    self.solver.set_bounds(column, value, value);
                    set.push(column);
                }
            }
            self.programmes += 1;
            let Outcome::Optimal(found) = self.solver.solve()? else { continue };
            self.offer(&found.primal, best);
            let bound = (found.objective + self.set.always as f64 - WHOLE).ceil().max(0.0) as usize;
            let bound = bound.max(node.least);
            if bound >= best.0.len() {
                continue;
            }
            let partly = |k: &usize| {
                let value = self.place(*k).map_or(0.0, |c| found.primal[c]);
                (value > 1e-9 && value < 1.0 - 1e-9).then_some(value)
            };
            let most = (0..self.set.columns.len()).filter_map(|k| partly(&k).map(|v| (v, k)));
            let Some((_, switch)) = most.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))) else { continue };
            for on in [false, true] {
                let mut decided = node.decided.clone();
                decided.push((switch, on));
                let deep = usize::MAX - 2 * decided.len() - usize::from(!on);
                open.insert(Node { least: bound, open: deep, number: 2 * number + usize::from(on), decided });
            }
        }
        Ok(best.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Column;

    /// Two routes of one and of three steps; the short one is limited.
    fn routes() -> Network {
        let column = |stoichiometry, lower, upper| Column { stoichiometry, lower, upper, objective: 0.0 };
        let columns = [
            column(&[(0, 1.0)][..], 8.0, 10.0),
            column(&[(0, -1.0), (3, 1.0)], 0.0, 4.0),
            column(&[(0, -1.0), (1, 1.0)], 0.0, 20.0),
            column(&[(1, -1.0), (2, 1.0), (4, 1.0)], 0.0, 20.0),
            column(&[(2, -1.0), (3, 1.0)], 0.0, 20.0),
            column(&[(3, -1.0)], 0.0, 20.0),
            column(&[(4, -1.0)], 0.0, 20.0),
        ];
        Network::new(5, Sense::Maximize, columns).unwrap()
    }

    #[test]
    fn the_fewest_changes_are_found_and_proved() {
        let network = routes();
        // Reference: everything by the long way, 8; the network is asked for 8 or more, so nothing need change.
        let reference = [8.0, 0.0, 8.0, 8.0, 8.0, 8.0, 8.0];
        let how = Switching { exact: true, ..Switching::default() };
        let still = room(&network, &reference, &how).unwrap().unwrap();
        assert!(still.changed.is_empty() && still.optimal && still.least == 0, "{still:?}");
        // The last step of the long way goes: its three steps and what they give off stop; the short way does 4 at most,
        // so less than 8 comes in — infeasible.
        let mut cut = network.clone();
        (cut.lower[4], cut.upper[4]) = (0.0, 0.0);
        assert!(matches!(room(&cut, &reference, &how).unwrap(), Err(Outcome::Infeasible(_))));
        // With 3 asked: the four of the long way are 0, the short way, the inflow and the outflow change: 7 of 7.
        cut.lower[0] = 3.0;
        let found = room(&cut, &reference, &how).unwrap().unwrap();
        assert_eq!((found.changed.len(), found.least, found.optimal), (7, 7, true), "{found:?}");
        // With the short way in the reference, only the long way's fluxes change.
        let reference = [8.0, 4.0, 4.0, 4.0, 4.0, 8.0, 4.0];
        let found = room(&cut, &reference, &how).unwrap().unwrap();
        assert_eq!((found.changed.clone(), found.optimal), (vec![0, 2, 3, 4, 5, 6], true), "{found:?}");
        let bad = Switching { delta: -1.0, ..how };
        assert_eq!(room(&cut, &reference, &bad).unwrap_err().code(), "E-FLUX-084");
    }
}
