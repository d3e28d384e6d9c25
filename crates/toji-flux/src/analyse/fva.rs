//! Flux variability: how far each flux can go while the objective keeps a fraction of its optimum.

use super::fba::{fba_of, hold};
use super::parallel::pieces;
use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use toji_core::Result;

/// How to look for ranges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variability {
    /// Fraction of the optimum that the objective keeps, 0 to 1. At exactly 1 the ranges are those of all optima.
    pub fraction: f64,
    /// Threads to use; the result is the same for any number.
    pub threads: usize,
    /// Whether the network is compressed first; the ranges are the same.
    pub compress: bool,
}

impl Default for Variability {
    fn default() -> Self {
        Self { fraction: 1.0, threads: 1, compress: true }
    }
}

/// Ranges of all fluxes.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Ranges {
    /// Optimum of the objective.
    pub objective: f64,
    /// Least flux of each reaction; `-∞` where it has no limit.
    pub minimum: Vec<f64>,
    /// Greatest flux of each reaction; `+∞` where it has no limit.
    pub maximum: Vec<f64>,
    /// Linear programmes that were solved; the other ends were witnessed by a solution on the way.
    pub programmes: usize,
}

/// Ranges of all fluxes (Mahadevan and Schilling, Metab. Eng. 5, 2003, 264–276). An infeasible or unbounded network is
/// answered as [`super::fba`] answers it.
///
/// # Errors
/// As for [`super::fba`].
pub fn fva(network: &Network, how: &Variability) -> Result<Result<Ranges, Outcome>> {
    let compressed = |problem: &Problem| if how.compress { Compressed::new(problem) } else { Compressed::none(problem) };
    let mut driven = (0..network.reactions()).filter(|&j| network.objective[j] != 0.0);
    let alone = driven.next().filter(|_| driven.next().is_none() && how.fraction != 1.0);
    let (objective, small, columns) = match alone {
        // The ranges are looked for from the optimum on: all that changes is how far one flux may fall.
        Some(reaction) => {
            let small = compressed(&Problem::from(network));
            let mut solver = Solver::new(small.problem.clone())?;
            let best = match solver.solve()? {
                Outcome::Optimal(best) => best.objective,
                other => return Ok(Err(other)),
            };
            keep(network, &small, &mut solver, reaction, best * how.fraction);
            (best, small, ranges_from(solver, how.threads)?)
        }
        None => {
            let best = match fba_of(network, how.compress)? {
                Outcome::Optimal(best) => best,
                other => return Ok(Err(other)),
            };
            let small = compressed(&hold(network, &best, how.fraction));
            let columns = column_ranges(&small.problem, how.threads)?;
            (best.objective, small, columns)
        }
    };
    let columns = match columns {
        Ok(columns) => columns,
        Err(other) => return Ok(Err(other)),
    };
    let (mut minimum, mut maximum) = (Vec::new(), Vec::new());
    for image in &small.images {
        let (low, high) = match *image {
            Image::Zero => (0.0, 0.0),
            Image::Multiple { column, factor } => {
                let ends = (factor * columns.low[column], factor * columns.high[column]);
                if factor > 0.0 { ends } else { (ends.1, ends.0) }
            }
        };
        minimum.push(low);
        maximum.push(high);
    }
    Ok(Ok(Ranges { objective, minimum, maximum, programmes: columns.programmes }))
}

/// Bounds the one reaction of the objective so that the objective keeps `floor`.
fn keep(network: &Network, small: &Compressed, solver: &mut Solver, reaction: usize, floor: f64) {
    let Image::Multiple { column, factor } = small.images[reaction] else { return };
    let gain = network.objective[reaction] * factor;
    let (lower, upper) = (small.problem.lower[column], small.problem.upper[column]);
    let bound = floor / gain;
    match network.sense.sign() * gain > 0.0 {
        true => solver.set_bounds(column, bound.max(lower).min(upper), upper),
        false => solver.set_bounds(column, lower, bound.min(upper).max(lower)),
    }
}

/// Ranges of the columns of a problem.
pub(super) struct ColumnRanges {
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
    pub(super) programmes: usize,
}

/// What is known of the ends so far.
#[derive(Clone)]
struct Ends {
    low: Vec<Option<f64>>,
    high: Vec<Option<f64>>,
    programmes: usize,
}

impl Ends {
    fn new(problem: &Problem) -> Self {
        let n = problem.matrix.columns();
        let fixed = |j: usize| (problem.lower[j] == problem.upper[j]).then_some(problem.lower[j]);
        let ends: Vec<Option<f64>> = (0..n).map(fixed).collect();
        Self { low: ends.clone(), high: ends, programmes: 0 }
    }

    /// A feasible point that stands at a bound witnesses that end.
    fn witness(&mut self, problem: &Problem, x: &[f64]) {
        for (j, &value) in x.iter().enumerate() {
            let (lower, upper) = (problem.lower[j], problem.upper[j]);
            if self.low[j].is_none() && value - lower <= 1e-11 * lower.abs().clamp(1e-3, 1e3) {
                self.low[j] = Some(lower);
            }
            if self.high[j].is_none() && upper - value <= 1e-11 * upper.abs().clamp(1e-3, 1e3) {
                self.high[j] = Some(upper);
            }
        }
    }

    /// Ends that are not known: the greatest values, then the least, each in order.
    fn open(&self) -> Vec<(usize, Sense)> {
        let of = |list: &[Option<f64>]| (0..list.len()).filter(|&j| list[j].is_none()).collect::<Vec<_>>();
        let high = of(&self.high).into_iter().map(|j| (j, Sense::Maximize));
        high.chain(of(&self.low).into_iter().map(|j| (j, Sense::Minimize))).collect()
    }

    fn is_known(&self, (j, sense): (usize, Sense)) -> bool {
        if sense == Sense::Minimize { self.low[j].is_some() } else { self.high[j].is_some() }
    }

    /// Solves for all these ends. Next is always the one whose flux, where the last programme left it, is nearest the bound it
    /// is pushed to: few steps lead there.
    fn solve_all(&mut self, solver: &mut Solver, mut targets: Vec<(usize, Sense)>) -> Result<()> {
        let mut at: Vec<f64> = Vec::new();
        loop {
            targets.retain(|&target| !self.is_known(target));
            let problem = solver.problem();
            let gap = |&(j, sense): &(usize, Sense)| match (at.get(j), sense) {
                (None, _) => 0.0,
                (Some(x), Sense::Maximize) => problem.upper[j] - x,
                (Some(x), Sense::Minimize) => x - problem.lower[j],
            };
            let next = (0..targets.len()).min_by(|&a, &b| gap(&targets[a]).total_cmp(&gap(&targets[b])));
            let Some(next) = next else { return Ok(()) };
            let (j, sense) = targets.swap_remove(next);
            if let Some(point) = self.solve(solver, j, sense)? {
                at = point;
            }
        }
    }

    /// Solves for one end; the point there, if there is one.
    fn solve(&mut self, solver: &mut Solver, j: usize, sense: Sense) -> Result<Option<Vec<f64>>> {
        solver.set_objective(sense, &[(j, 1.0)]);
        self.programmes += 1;
        let (value, point) = match solver.solve()? {
            Outcome::Optimal(optimum) => {
                self.witness(solver.problem(), &optimum.primal);
                (optimum.objective, Some(optimum.primal))
            }
            _ if sense == Sense::Minimize => (f64::NEG_INFINITY, None),
            _ => (f64::INFINITY, None),
        };
        let end = if sense == Sense::Minimize { &mut self.low[j] } else { &mut self.high[j] };
        end.get_or_insert(value);
        Ok(point)
    }
}

/// Ranges of all columns over the feasible points of a problem.
pub(super) fn column_ranges(problem: &Problem, threads: usize) -> Result<Result<ColumnRanges, Outcome>> {
    ranges_from(Solver::new(problem.clone())?, threads)
}

/// As [`column_ranges`], from where a solver stands.
fn ranges_from(mut solver: Solver, threads: usize) -> Result<Result<ColumnRanges, Outcome>> {
    let mut ends = Ends::new(solver.problem());
    solver.set_objective(Sense::Maximize, &[]);
    match solver.solve()? {
        Outcome::Optimal(optimum) => ends.witness(solver.problem(), &optimum.primal),
        other => return Ok(Err(other)),
    }
    scan(&mut ends, &mut solver)?;
    let open = ends.open();
    // Pieces are cut by the size of the task alone, and each starts from the same basis.
    let piece = open.len().div_ceil(8).max(720);
    let base = &ends;
    let parts = pieces(open.len().div_ceil(piece), threads, |at| {
        let (mut solver, mut mine) = (solver.clone(), base.clone());
        mine.programmes = 0;
        let targets = &open[at * piece..((at + 1) * piece).min(open.len())];
        mine.solve_all(&mut solver, targets.to_vec())?;
        Ok((mine, targets.to_vec()))
    })?;
    let programmes = ends.programmes + parts.iter().map(|p| p.0.programmes).sum::<usize>();
    for (part, targets) in parts {
        for (j, sense) in targets {
            if sense == Sense::Minimize {
                ends.low[j] = part.low[j];
            } else {
                ends.high[j] = part.high[j];
            }
        }
    }
    let all = |list: Vec<Option<f64>>| list.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect();
    Ok(Ok(ColumnRanges { low: all(ends.low), high: all(ends.high), programmes }))
}

/// A few programmes that push all open ends together, as long as they settle many.
fn scan(ends: &mut Ends, solver: &mut Solver) -> Result<()> {
    for round in 0..24 {
        let sense = if round % 2 == 0 { Sense::Maximize } else { Sense::Minimize };
        let list = if sense == Sense::Maximize { &ends.high } else { &ends.low };
        let problem = solver.problem();
        let bound = if sense == Sense::Maximize { &problem.upper } else { &problem.lower };
        let open: Vec<(usize, f64)> =
            (0..list.len()).filter(|&j| list[j].is_none() && bound[j].is_finite()).map(|j| (j, 1.0)).collect();
        if open.len() < 8 {
            continue;
        }
        let before = ends.open().len();
        solver.set_objective(sense, &open);
        ends.programmes += 1;
        if let Outcome::Optimal(optimum) = solver.solve()? {
            let problem = solver.problem().clone();
            ends.witness(&problem, &optimum.primal);
        }
        if before - ends.open().len() < 6 {
            break;
        }
    }
    Ok(())
}
