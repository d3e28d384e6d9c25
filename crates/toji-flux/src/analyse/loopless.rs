//! Fluxes without internal cycles.

use super::fba::check_fluxes;
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use toji_core::Result;

/// Whether a reaction exchanges matter with the outside: all it touches it makes, or all it touches it consumes.
pub(super) fn is_exchange(network: &Network, j: usize) -> bool {
    let (_, values) = network.stoichiometry.column(j);
    values.iter().all(|v| *v > 0.0) || values.iter().all(|v| *v < 0.0)
}

/// The fluxes nearest to zero with the same exchange and the same objective, none reversed and none enlarged: what internal
/// cycles carry is taken away and nothing else (CycleFreeFlux: Desouki, Jarre, Gelius-Dietrich and Lercher, Bioinformatics
/// 31, 2015, 2159–2165). A cycle stays only where bounds force it. Same order and unit as `fluxes`, which are a steady
/// state of the network; where they are none, the answer is the conflict.
///
/// # Errors
/// `E-FLUX-033`: `fluxes` is not one finite flux for each reaction; otherwise as for [`super::fba`].
pub fn cycle_free(network: &Network, fluxes: &[f64]) -> Result<Result<Vec<f64>, Outcome>> {
    check_fluxes(network, fluxes)?;
    let mut problem = Problem::from(network);
    problem.sense = Sense::Minimize;
    for (j, &v) in fluxes.iter().enumerate() {
        let driven = network.objective[j] != 0.0;
        let (own_lower, own_upper) = (network.lower[j], network.upper[j]);
        (problem.lower[j], problem.upper[j]) = if driven || is_exchange(network, j) {
            (v, v)
        } else if v >= 0.0 {
            (own_lower.max(0.0).min(v), v)
        } else {
            (v, own_upper.min(0.0).max(v))
        };
        problem.cost[j] = if problem.lower[j] == problem.upper[j] { 0.0 } else { v.signum() };
    }
    Ok(match Solver::new(problem)?.solve()? {
        Outcome::Optimal(best) => Ok(best.primal),
        other => Err(other),
    })
}
