//! Flux balance analysis, plain and parsimonious.

use crate::compress::Compressed;
use crate::lp::{Optimum, Outcome, Problem, Solver, Standing};
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use toji_core::{Error, Result};

/// An optimum of the network's objective (Varma and Palsson, Bio/Technology 12, 1994, 994–998).
///
/// # Errors
/// Those of [`Problem::check`], and `E-FLUX-012` when no answer passes its check.
pub fn fba(network: &Network) -> Result<Outcome> {
    Ok(fba_with(network)?.1)
}

/// As [`fba`], with the solver that stands at the answer.
pub(super) fn fba_with(network: &Network) -> Result<(Solver, Outcome)> {
    let problem = Problem::from(network);
    let small = Compressed::new(&problem);
    let mut solver = Solver::new(problem)?;
    if let Outcome::Optimal(best) = Solver::new(small.problem.clone())?.solve()? {
        let (basic, values) = lift(network, &small, &best);
        solver.start_at(&basic, &values);
    }
    let outcome = solver.solve()?;
    Ok((solver, outcome))
}

/// The basis of the network that belongs to an optimum of its compression, and the fluxes there: of the columns that move
/// together all are basic but one, which is the one that stands at its bound, or none when their common column is basic.
fn lift(network: &Network, small: &Compressed, best: &Optimum) -> (Vec<usize>, Vec<f64>) {
    let values = small.expand(&best.primal);
    let n = network.reactions();
    let mut basic = Vec::with_capacity(network.rows());
    for (column, members) in small.members.iter().enumerate() {
        let stays = if best.standing[column] == Standing::Basic {
            None
        } else {
            // How far a member is from the nearer of its bounds, in units of the common column.
            let room = |&(j, factor): &(usize, f64)| {
                ((network.upper[j] - values[j]).abs().min((values[j] - network.lower[j]).abs()) / factor).abs()
            };
            members.iter().min_by(|a, b| room(a).total_cmp(&room(b))).map(|member| member.0)
        };
        basic.extend(members.iter().map(|member| member.0).filter(|&j| Some(j) != stays));
    }
    basic.extend(small.resting.iter().flat_map(|tied| tied.iter().skip(1)));
    let mut logical = vec![true; network.rows()];
    for &i in &small.coupling_rows {
        logical[i] = false;
    }
    for (row, &i) in small.rows.iter().enumerate() {
        logical[i] = best.standing[small.problem.lower.len() + row] == Standing::Basic;
    }
    basic.extend((0..network.rows()).filter(|&i| logical[i]).map(|i| n + i));
    (basic, values)
}

/// As [`fba`], of the compressed network when `compress`: objective, fluxes and reduced costs are those of the network, its
/// prices are left empty.
pub(super) fn fba_of(network: &Network, compress: bool) -> Result<Outcome> {
    if !compress {
        return fba(network);
    }
    let small = Compressed::new(&Problem::from(network));
    Ok(match Solver::new(small.problem.clone())?.solve()? {
        Outcome::Optimal(mut best) => {
            // The reduced cost of a column of the small problem belongs to the member whose bound it stands at.
            let mut reduced = vec![0.0; network.reactions()];
            for (column, members) in small.members.iter().enumerate() {
                let x = best.primal[column];
                let d = best.reduced_costs[column];
                let toward = network.sense.sign() * d;
                let bound = |&&(j, factor): &&(usize, f64)| {
                    let upper = (toward > 0.0) == (factor > 0.0);
                    let bound = if upper { network.upper[j] } else { network.lower[j] };
                    (bound / factor - x).abs()
                };
                if let Some(&(j, factor)) = members.iter().min_by(|a, b| bound(a).total_cmp(&bound(b))) {
                    reduced[j] = d / factor;
                }
            }
            best.primal = small.expand(&best.primal);
            best.reduced_costs = reduced;
            best.prices = Vec::new();
            best.standing = Vec::new();
            Outcome::Optimal(best)
        }
        other => other,
    })
}

/// The fluxes of least total that reach the objective.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Parsimonious {
    /// Value of the network's objective at these fluxes.
    pub objective: f64,
    /// Sum of the absolute fluxes.
    pub total: f64,
    /// The fluxes.
    pub fluxes: Vec<f64>,
    /// The optimum of the second problem, whose columns are the fluxes and then the backward parts of those that can be
    /// negative, with its proof.
    pub optimum: Optimum,
}

/// Among the fluxes that reach `fraction` of the optimum, those whose absolute values sum to least (Lewis et al., Mol. Syst.
/// Biol. 6, 2010, 390; without the gene weights). An infeasible or unbounded network is answered as [`fba`] answers it.
///
/// # Errors
/// As for [`fba`].
pub fn pfba(network: &Network, fraction: f64) -> Result<Result<Parsimonious, Outcome>> {
    let best = match fba(network)? {
        Outcome::Optimal(best) => best,
        other => return Ok(Err(other)),
    };
    let held = hold(network, &best, fraction);
    let n = network.reactions();
    let backward: Vec<usize> = (0..n).filter(|&j| held.lower[j] < 0.0).collect();
    let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| held.matrix.iter(j).collect()).collect();
    let mut problem = Problem { sense: Sense::Minimize, cost: vec![1.0; n], ..held };
    for &j in &backward {
        columns.push(columns[j].iter().map(|&(i, a)| (i, -a)).collect());
        problem.cost.push(1.0);
        problem.upper.push(-problem.lower[j]);
        problem.lower.push((-problem.upper[j]).max(0.0));
        problem.lower[j] = 0.0;
        problem.upper[j] = problem.upper[j].max(0.0);
    }
    let rows = problem.matrix.rows();
    if let Some(matrix) = Matrix::from_columns(rows, columns.iter().map(Vec::as_slice)) {
        problem.matrix = matrix;
    }
    let least = match Solver::new(problem)?.solve()? {
        Outcome::Optimal(least) => least,
        other => return Ok(Err(other)),
    };
    let mut fluxes = least.primal[..n].to_vec();
    for (k, &j) in backward.iter().enumerate() {
        fluxes[j] -= least.primal[n + k];
    }
    let objective = fluxes.iter().zip(&network.objective).map(|(v, c)| v * c).sum();
    Ok(Ok(Parsimonious { objective, total: fluxes.iter().map(|v| v.abs()).sum(), fluxes, optimum: least }))
}

/// Checks that there is one finite flux for each reaction.
pub(super) fn check_fluxes(network: &Network, fluxes: &[f64]) -> Result<()> {
    let n = network.reactions();
    if fluxes.len() == n && fluxes.iter().all(|v| v.is_finite()) {
        return Ok(());
    }
    Err(Error::input(
        "E-FLUX-033",
        format!("流束の一覧({} 個)が反応 {n} 個の有限の数ではありません", fluxes.len()),
        format!("the fluxes ({} of them) are not a finite number for each of {n} reactions", fluxes.len()),
    )
    .hint("同じモデルの流束を反応の順に渡してください", "give fluxes of the same model, in the order of its reactions"))
}

/// Reduced costs beyond this, relative to the largest objective coefficient, hold their flux at its bound in every optimum.
pub(super) const PRICED: f64 = 1e-7;

/// The problem whose points are those that reach `fraction` of the optimum.
///
/// With a single objective reaction its bound says so, otherwise a row. At exactly 1 every flux with a reduced cost is held
/// at its bound besides, as complementary slackness demands of all optima: this is sharper than any tolerance on the
/// objective.
pub(super) fn hold(network: &Network, best: &Optimum, fraction: f64) -> Problem {
    let mut problem = Problem::from(network);
    let n = network.reactions();
    if fraction == 1.0 {
        let largest = network.objective.iter().fold(0.0_f64, |a, c| a.max(c.abs()));
        for j in 0..n {
            if best.reduced_costs[j].abs() > PRICED * largest {
                let toward = network.sense.sign() * best.reduced_costs[j];
                let bound = if toward > 0.0 { network.upper[j] } else { network.lower[j] };
                if bound.is_finite() {
                    (problem.lower[j], problem.upper[j]) = (bound, bound);
                }
            }
        }
    }
    let floor = if fraction == 1.0 { best.objective } else { best.objective * fraction };
    let mut driven = (0..n).filter(|&j| network.objective[j] != 0.0);
    match (driven.next(), driven.next()) {
        (None, _) => {}
        (Some(j), None) => {
            let bound = floor / network.objective[j];
            if network.sense.sign() * network.objective[j] > 0.0 {
                problem.lower[j] = bound.max(problem.lower[j]).min(problem.upper[j]);
            } else {
                problem.upper[j] = bound.min(problem.upper[j]).max(problem.lower[j]);
            }
        }
        _ => {
            let rows = problem.matrix.rows();
            let columns: Vec<Vec<(usize, f64)>> =
                (0..n).map(|j| problem.matrix.iter(j).chain(std::iter::once((rows, network.objective[j]))).collect()).collect();
            if let Some(matrix) = Matrix::from_columns(rows + 1, columns.iter().map(Vec::as_slice)) {
                problem.matrix = matrix;
                let maximise = network.sense == Sense::Maximize;
                problem.row_lower.push(if maximise { floor } else { f64::NEG_INFINITY });
                problem.row_upper.push(if maximise { f64::INFINITY } else { floor });
            }
        }
    }
    problem
}
