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
    let best = match fba_of(network, how.compress)? {
        Outcome::Optimal(best) => best,
        other => return Ok(Err(other)),
    };
    let held = hold(network, &best, how.fraction);
    let small = if how.compress { Compressed::new(&held) } else { Compressed::none(&held) };
    let columns = match column_ranges(&small.problem, how.threads)? {
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
    Ok(Ok(Ranges { objective: best.objective, minimum, maximum, programmes: columns.programmes }))
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

    fn open(&self) -> Vec<(usize, Sense)> {
        let low = self.low.iter().enumerate().filter(|e| e.1.is_none()).map(|e| (e.0, Sense::Minimize));
        let high = self.high.iter().enumerate().filter(|e| e.1.is_none()).map(|e| (e.0, Sense::Maximize));
        let mut open: Vec<_> = low.chain(high).collect();
        open.sort_by_key(|&(j, sense)| (j, sense == Sense::Maximize));
        open
    }

    fn solve(&mut self, solver: &mut Solver, j: usize, sense: Sense) -> Result<()> {
        let end = if sense == Sense::Minimize { &self.low[j] } else { &self.high[j] };
        if end.is_some() {
            return Ok(());
        }
        solver.set_objective(sense, &[(j, 1.0)]);
        self.programmes += 1;
        let value = match solver.solve()? {
            Outcome::Optimal(optimum) => {
                self.witness(solver.problem(), &optimum.primal);
                optimum.objective
            }
            _ if sense == Sense::Minimize => f64::NEG_INFINITY,
            _ => f64::INFINITY,
        };
        let end = if sense == Sense::Minimize { &mut self.low[j] } else { &mut self.high[j] };
        end.get_or_insert(value);
        Ok(())
    }
}

/// Ranges of all columns over the feasible points of a problem.
pub(super) fn column_ranges(problem: &Problem, threads: usize) -> Result<Result<ColumnRanges, Outcome>> {
    let mut ends = Ends::new(problem);
    let mut solver = Solver::new(problem.clone())?;
    solver.set_objective(Sense::Maximize, &[]);
    match solver.solve()? {
        Outcome::Optimal(optimum) => ends.witness(problem, &optimum.primal),
        other => return Ok(Err(other)),
    }
    scan(&mut ends, &mut solver)?;
    let open = ends.open();
    // Pieces are cut by the size of the task alone, and each starts from the same basis.
    let piece = open.len().div_ceil(8).max(48);
    let base = &ends;
    let parts = pieces(open.len().div_ceil(piece), threads, |at| {
        let (mut solver, mut mine) = (solver.clone(), base.clone());
        mine.programmes = 0;
        let targets = &open[at * piece..((at + 1) * piece).min(open.len())];
        for &(j, sense) in targets {
            mine.solve(&mut solver, j, sense)?;
        }
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
