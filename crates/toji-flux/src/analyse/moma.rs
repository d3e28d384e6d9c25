//! The least adjustment of fluxes after a change.

use super::fba::check_fluxes;
use crate::lp::{Optimum, Outcome, Problem, Solver, activity};
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use toji_core::{Error, Result};

/// Fluxes as near as can be to a reference.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Adjustment {
    /// Value of the network's objective at these fluxes.
    pub objective: f64,
    /// Sum of the absolute differences from the reference.
    pub distance: f64,
    /// The fluxes.
    pub fluxes: Vec<f64>,
    /// The optimum with its proof; its columns are what each flux rises above the reference, then what each falls below.
    pub optimum: Optimum,
}

/// Minimisation of metabolic adjustment by absolute differences: of the fluxes that the network allows, those whose
/// differences from `reference` (of the unchanged network, same order and unit) sum to least. The linear form of Segrè,
/// Vitkup and Church (PNAS 99, 2002, 15112–15117), as in Becker et al. (Nat. Protoc. 2, 2007, 727–738). Not always unique.
/// An infeasible network is answered by its conflict.
///
/// # Errors
/// `E-FLUX-033`: the reference is not one finite flux for each reaction; otherwise as for [`super::fba`].
pub fn linear_moma(network: &Network, reference: &[f64]) -> Result<Result<Adjustment, Outcome>> {
    check_fluxes(network, reference)?;
    let n = network.reactions();
    let mut problem = Problem::from(network);
    for (i, (sum, size)) in activity(&problem, reference).into_iter().enumerate() {
        // A sum that is but rounding would make every row a little unbalanced.
        if sum.abs() > 1e-10 * (1.0 + size) {
            problem.row_lower[i] -= sum;
            problem.row_upper[i] -= sum;
        }
    }
    // Column j: the rise above the reference; column n + j: the fall below it.
    let rise: Vec<Vec<(usize, f64)>> = (0..n).map(|j| problem.matrix.iter(j).collect()).collect();
    let fall: Vec<Vec<(usize, f64)>> = rise.iter().map(|c| c.iter().map(|&(i, a)| (i, -a)).collect()).collect();
    problem.matrix = Matrix::from_columns(network.rows(), rise.iter().chain(&fall).map(Vec::as_slice))
        .ok_or_else(|| Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large"))?;
    let (mut lower, mut upper) = (vec![0.0; 2 * n], vec![0.0; 2 * n]);
    for (j, &v) in reference.iter().enumerate() {
        let (low, high) = (network.lower[j] - v, network.upper[j] - v);
        if low > high {
            // Crossed bounds stay crossed.
            (lower[j], upper[j]) = (low, high);
            continue;
        }
        (lower[j], upper[j]) = (low.max(0.0), high.max(0.0));
        (lower[n + j], upper[n + j]) = ((0.0 - high).max(0.0), (0.0 - low).max(0.0));
    }
    (problem.lower, problem.upper) = (lower, upper);
    (problem.cost, problem.sense) = (vec![1.0; 2 * n], Sense::Minimize);
    let best = match Solver::new(problem)?.solve()? {
        Outcome::Optimal(best) => best,
        other => return Ok(Err(other)),
    };
    let fluxes: Vec<f64> = (0..n).map(|j| reference[j] + best.primal[j] - best.primal[n + j]).collect();
    let objective = fluxes.iter().zip(&network.objective).map(|(v, c)| v * c).sum();
    Ok(Ok(Adjustment { objective, distance: best.objective, fluxes, optimum: best }))
}
