//! Flux variability among fluxes whose total is near the least.

use super::fba::{PRICED, fba_of, hold};
use super::fva::{Ranges, Variability};
use super::parallel::pieces;
use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use toji_core::{Error, Place, Result};

/// Ranges of all fluxes while the objective keeps a fraction of its optimum and the sum of the absolute fluxes is at most
/// `factor` times the least that such an objective needs (the parsimonious optimum of Lewis et al., Mol. Syst. Biol. 6, 2010,
/// 390, left by a factor as `COBRApy`'s `pfba_factor` does). At exactly 1 the ranges are those of all parsimonious optima. An
/// infeasible or unbounded network is answered as [`super::fba`] answers it.
///
/// # Errors
/// `E-FLUX-088` when the factor is below 1 or not finite; otherwise as for [`super::fba`].
pub fn sparing_fva(network: &Network, how: &Variability, factor: f64) -> Result<Result<Ranges, Outcome>> {
    if factor.is_nan() || factor < 1.0 || factor.is_infinite() {
        return Err(Error::input(
            "E-FLUX-088",
            format!("総流束の倍率 {factor} が 1 以上の数ではありません"),
            format!("the factor {factor} of the total flux is no number of at least one"),
        )
        .at(Place::field("factor"))
        .hint("1 以上の有限の数にしてください", "use a finite number of at least one"));
    }
    let best = match fba_of(network, how.compress)? {
        Outcome::Optimal(best) => best,
        other => return Ok(Err(other)),
    };
    let (mut problem, parts) = split(&hold(network, &best, how.fraction))?;
    let small = if how.compress { Compressed::new(&problem) } else { Compressed::none(&problem) };
    let least = match Solver::new(small.problem.clone())?.solve()? {
        Outcome::Optimal(least) => least,
        other => return Ok(Err(other)),
    };
    if factor == 1.0 {
        let mut tight = small.clone();
        for (j, d) in least.reduced_costs.iter().enumerate() {
            let at = if *d > PRICED { tight.problem.lower[j] } else { tight.problem.upper[j] };
            if d.abs() > PRICED && at.is_finite() {
                (tight.problem.lower[j], tight.problem.upper[j]) = (at, at);
            }
        }
        return ranges(&tight, &parts, best.objective, how.threads);
    }
    // The total becomes a row; the columns are those of before.
    let rows = problem.matrix.rows();
    let columns: Vec<Vec<(usize, f64)>> = (0..problem.cost.len())
        .map(|j| problem.matrix.iter(j).chain(std::iter::once((rows, problem.cost[j]))).collect())
        .collect();
    problem.matrix = Matrix::from_columns(rows + 1, columns.iter().map(Vec::as_slice)).ok_or_else(too_large)?;
    problem.row_lower.push(f64::NEG_INFINITY);
    problem.row_upper.push(factor * least.objective);
    let small = if how.compress { Compressed::new(&problem) } else { Compressed::none(&problem) };
    ranges(&small, &parts, best.objective, how.threads)
}

fn too_large() -> Error {
    Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large")
}

/// The problem with forward and backward parts, none negative, each at a cost of one; and the backward column of each flux.
fn split(held: &Problem) -> Result<(Problem, Vec<Option<usize>>)> {
    let n = held.cost.len();
    let mut problem = Problem { sense: Sense::Minimize, cost: vec![1.0; n], ..held.clone() };
    let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| held.matrix.iter(j).collect()).collect();
    let mut parts = vec![None; n];
    for j in (0..n).filter(|&j| held.lower[j] < 0.0) {
        parts[j] = Some(columns.len());
        columns.push(columns[j].iter().map(|&(i, a)| (i, -a)).collect());
        problem.cost.push(1.0);
        problem.lower.push((0.0 - held.upper[j]).max(0.0));
        problem.upper.push(-held.lower[j]);
        problem.lower[j] = 0.0;
        problem.upper[j] = held.upper[j].max(0.0);
    }
    problem.matrix = Matrix::from_columns(held.matrix.rows(), columns.iter().map(Vec::as_slice)).ok_or_else(too_large)?;
    Ok((problem, parts))
}

fn ranges(small: &Compressed, parts: &[Option<usize>], objective: f64, threads: usize) -> Result<Result<Ranges, Outcome>> {
    let mut solver = Solver::new(small.problem.clone())?;
    solver.set_objective(Sense::Minimize, &[]);
    if let other @ (Outcome::Infeasible(_) | Outcome::Unbounded(_)) = solver.solve()? {
        return Ok(Err(other));
    }
    let term = |column: usize, sign: f64| match small.images[column] {
        Image::Zero => None,
        Image::Multiple { column, factor } => Some((column, sign * factor)),
    };
    let piece = parts.len().div_ceil(8).max(32);
    let found = pieces(parts.len().div_ceil(piece), threads, |at| {
        let mut solver = solver.clone();
        let (mut list, mut programmes) = (Vec::new(), 0);
        for (j, back) in parts.iter().enumerate().skip(at * piece).take(piece) {
            let terms: Vec<(usize, f64)> = term(j, 1.0).into_iter().chain(back.and_then(|back| term(back, -1.0))).collect();
            let mut ends = [0.0, 0.0];
            for (end, sense) in ends.iter_mut().zip([Sense::Minimize, Sense::Maximize]) {
                if terms.is_empty() {
                    continue;
                }
                solver.set_objective(sense, &terms);
                programmes += 1;
                *end = match solver.solve()? {
                    Outcome::Optimal(best) => best.objective,
                    _ if sense == Sense::Minimize => f64::NEG_INFINITY,
                    _ => f64::INFINITY,
                };
            }
            list.push(ends);
        }
        Ok((list, programmes))
    })?;
    let programmes = 2 + found.iter().map(|f| f.1).sum::<usize>();
    let (minimum, maximum) = found.into_iter().flat_map(|f| f.0).map(|[low, high]| (low, high)).unzip();
    Ok(Ok(Ranges { objective, minimum, maximum, programmes }))
}
