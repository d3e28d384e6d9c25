//! What a linear programme tells: masses, energy from nothing, reactions that are blocked.

use super::balance::pseudo;
use super::energy::{EnergyCycle, cycles};
use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem, Solver};
use crate::model::Model;
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Result};

/// Values below this count as zero.
const ZERO: f64 = 1e-7;
/// What can run one way only rests where all of it together reaches no more than this.
const REST: f64 = 1e-10;

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
    let mut open = network.clone();
    for exchange in model.exchanges() {
        open.lower[exchange] = open.lower[exchange].min(-1000.0);
        open.upper[exchange] = open.upper[exchange].max(1000.0);
    }
    let (blocked, blocked_open) = match threads {
        0 | 1 => (blocked(model, &network)?, blocked(model, &open)?),
        _ => std::thread::scope(|scope| {
            let other = scope.spawn(|| blocked(model, &open));
            let first = blocked(model, &network)?;
            let other = other.join().map_err(|_| Error::bug("E-FLUX-099", "a thread of an analysis panicked"))?;
            Ok::<_, Error>((first, other?))
        })?,
    };
    Ok(Consistency { unconserved, leak, energy_cycles: cycles(model)?, blocked, blocked_open })
}

/// Greatest fluxes seen so far, of the columns of a compressed network.
struct Reach {
    /// For each column, the greatest absolute value.
    seen: Vec<f64>,
    /// For each column, what shows that every reaction that moves with it carries flux.
    enough: Vec<f64>,
}

impl Reach {
    /// Nothing seen, but of what is known to carry flux.
    fn new(small: &Compressed, carries: &[bool]) -> Self {
        let least = |members: &[(usize, f64)]| {
            // What was seen needs no more showing.
            let open = members.iter().filter(|m| !carries[m.0]);
            open.fold(f64::INFINITY, |least, m| least.min(m.1.abs()))
        };
        let enough = small.members.iter().map(|members| ZERO / least(members)).collect();
        Self { seen: vec![0.0; small.problem.matrix.columns()], enough }
    }

    fn is_stuck(&self, image: Image) -> bool {
        match image {
            Image::Zero => true,
            Image::Multiple { column, factor } => self.seen[column] * factor.abs() < ZERO,
        }
    }

    /// Pushes all that is open, up and down, as long as that shows flux in many.
    fn push_open(&mut self, solver: &mut Solver) -> Result<()> {
        let (mut open, mut quiet, mut up) = (self.open(), 0, true);
        while quiet < 2 && !open.is_empty() {
            self.push(solver, if up { Sense::Maximize } else { Sense::Minimize }, &open)?;
            let left = self.open();
            quiet = if open.len() - left.len() > open.len() / 16 { 0 } else { quiet + 1 };
            (open, up) = (left, !up);
        }
        Ok(())
    }

    /// What is open and runs one way only, and which way.
    fn open_one_way(&self, problem: &Problem) -> Vec<(usize, f64)> {
        let signed = |(j, _): (usize, f64)| match (problem.lower[j], problem.upper[j]) {
            (0.0, high) if high > 0.0 => Some((j, 1.0)),
            (low, 0.0) if low < 0.0 => Some((j, -1.0)),
            _ => None,
        };
        self.open().into_iter().filter_map(signed).collect()
    }

    /// Pushes what is open and runs one way only; what is shown to rest, which may be none.
    fn push_one_way(&mut self, solver: &mut Solver) -> Vec<usize> {
        loop {
            let open = self.open_one_way(solver.problem());
            if open.is_empty() {
                return Vec::new();
            }
            solver.set_objective(Sense::Maximize, &open);
            // What no programme tells of all of them is asked of each.
            let Ok(outcome) = solver.solve() else { return Vec::new() };
            if matches!(&outcome, Outcome::Optimal(best) if best.objective <= REST) {
                return open.into_iter().map(|(j, _)| j).collect();
            }
            if !self.learn(outcome) {
                return Vec::new();
            }
            if self.open_one_way(solver.problem()).len() == open.len() {
                return Vec::new();
            }
        }
    }

    /// Asks of each column that is open.
    fn push_each(&mut self, solver: &mut Solver) -> Result<()> {
        for (column, _) in self.open() {
            for sense in [Sense::Maximize, Sense::Minimize] {
                if self.is_open(column) {
                    self.push(solver, sense, &[(column, 1.0)])?;
                }
            }
        }
        Ok(())
    }

    fn open(&self) -> Vec<(usize, f64)> {
        (0..self.seen.len()).filter(|&j| self.is_open(j)).map(|j| (j, 1.0)).collect()
    }

    fn is_open(&self, column: usize) -> bool {
        self.seen[column] < self.enough[column]
    }

    /// Optimises, and takes note of the fluxes; `false` when nothing is feasible.
    fn push(&mut self, solver: &mut Solver, sense: Sense, sum: &[(usize, f64)]) -> Result<bool> {
        solver.set_objective(sense, sum);
        Ok(self.learn(solver.solve()?))
    }

    fn learn(&mut self, outcome: Outcome) -> bool {
        let (point, way) = match outcome {
            Outcome::Optimal(best) => (best.primal, None),
            Outcome::Unbounded(way) => (way.from, Some(way.ray)),
            Outcome::Infeasible(_) => return false,
        };
        for (seen, value) in self.seen.iter_mut().zip(point) {
            *seen = seen.max(value.abs());
        }
        for (seen, step) in self.seen.iter_mut().zip(way.into_iter().flatten()) {
            if step.abs() > ZERO {
                *seen = f64::INFINITY;
            }
        }
        true
    }
}

/// Reactions without flux in any steady state.
///
/// The first programmes push all that have not been seen to carry any at once, as long as each shows flux in many. Then one
/// tells of all that can run one way only: when their sum stays at zero, none runs. With these taken out the network is
/// compressed again, which finds most of the rest by its shape. What then is left is asked one by one: one such programme is a
/// few steps from the last.
fn blocked(model: &Model, network: &Network) -> Result<Vec<String>> {
    let mut problem = Problem::from(network);
    let name = |r: usize| model.reactions[r].id.clone();
    let (mut carries, mut taken_out, mut together) = (vec![false; model.reactions.len()], false, true);
    loop {
        let small = Compressed::new(&problem);
        let mut reach = Reach::new(&small, &carries);
        let mut solver = Solver::new(small.problem.clone())?;
        if !reach.push(&mut solver, Sense::Maximize, &[])? {
            if !taken_out {
                return Ok((0..model.reactions.len()).map(name).collect());
            }
            // What was taken out is needed after all, by less than can be told: each is asked.
            (problem, taken_out, together) = (Problem::from(network), false, false);
            carries.fill(false);
            continue;
        }
        reach.push_open(&mut solver)?;
        let resting = if together { reach.push_one_way(&mut solver) } else { Vec::new() };
        if resting.is_empty() {
            reach.push_each(&mut solver)?;
            let stuck = |r: &usize| !carries[*r] && reach.is_stuck(small.images[*r]);
            return Ok((0..model.reactions.len()).filter(stuck).map(name).collect());
        }
        taken_out = true;
        for (r, carries) in carries.iter_mut().enumerate() {
            *carries |= !reach.is_stuck(small.images[r]);
        }
        for (r, _) in resting.iter().flat_map(|&column| &small.members[column]) {
            (problem.lower[*r], problem.upper[*r]) = (0.0, 0.0);
        }
    }
}

/// Masses m ≥ 0 with Sᵀ m = 0 over the reactions within the model: which metabolites can have one above zero, and, where some
/// cannot, why.
///
/// Each mass is the sum of a part that gains and goes up to 1 and a part without end; as masses form a cone, the gaining part
/// is 1 where a positive mass is possible, and 0 where not. Masses that go together are one.
fn masses(model: &Model) -> Result<(Vec<String>, Option<Leak>)> {
    let pseudo = pseudo(model);
    let within: Vec<usize> = (0..model.reactions.len()).filter(|r| !pseudo[*r]).collect();
    let n = model.metabolites.len();
    let mut columns: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n];
    for (row, reaction) in within.iter().enumerate() {
        for &(metabolite, coefficient) in &model.reactions[*reaction].stoichiometry {
            columns[metabolite].push((row, coefficient));
        }
    }
    let Some(matrix) = Matrix::from_columns(within.len(), columns.iter().map(Vec::as_slice)) else {
        return Ok((Vec::new(), None));
    };
    let cone = Problem {
        matrix,
        lower: vec![0.0; n],
        upper: vec![f64::INFINITY; n],
        cost: vec![0.0; n],
        sense: Sense::Maximize,
        row_lower: vec![0.0; within.len()],
        row_upper: vec![0.0; within.len()],
    };
    let small = Compressed::new(&cone);
    let Some(most) = most(&small.problem) else { return Ok((Vec::new(), None)) };
    let Outcome::Optimal(best) = Solver::new(most)?.solve()? else { return Ok((Vec::new(), None)) };
    let possible = |m: usize| matches!(small.images[m], Image::Multiple { column, .. } if best.primal[column] >= 0.5);
    let lost: Vec<usize> = (0..n).filter(|&m| !columns[m].is_empty() && !possible(m)).collect();
    if lost.is_empty() {
        return Ok((Vec::new(), None));
    }
    let whole = match self::most(&cone) {
        Some(problem) => Solver::new(problem)?.solve()?.optimum(),
        None => None,
    };
    let leak = whole.and_then(|best| leak(model, &within, &best.prices));
    Ok((lost.iter().map(|m| model.metabolites[*m].id.clone()).collect(), leak))
}

/// The problem with every column twice: first with a gain and up to 1, then without.
fn most(cone: &Problem) -> Option<Problem> {
    let n = cone.matrix.columns();
    let columns: Vec<Vec<(usize, f64)>> = (0..2 * n).map(|j| cone.matrix.iter(j % n).collect()).collect();
    Some(Problem {
        matrix: Matrix::from_columns(cone.matrix.rows(), columns.iter().map(Vec::as_slice))?,
        lower: vec![0.0; 2 * n],
        upper: (0..2 * n).map(|j| if j < n { cone.upper[j].min(1.0) } else { cone.upper[j - n] }).collect(),
        cost: (0..2 * n).map(|j| if j < n { 1.0 } else { 0.0 }).collect(),
        ..cone.clone()
    })
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
