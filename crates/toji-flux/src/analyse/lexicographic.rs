//! Objectives one after another, each kept while the next is looked for.

use super::fba::{fba_of, hold};
use crate::lp::{Optimum, Outcome};
use crate::network::{Network, Sense};
use toji_core::{Error, Place, Result};

/// One objective of a list.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Aim {
    /// Reaction by number and coefficient of its flux.
    pub terms: Vec<(usize, f64)>,
    /// Direction.
    #[serde(default)]
    pub sense: Sense,
    /// Fraction of its optimum that the later ones leave, 0 to 1. At exactly 1 all of it.
    #[serde(default = "whole")]
    pub fraction: f64,
}

fn whole() -> f64 {
    1.0
}

/// What a list of objectives reaches.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Lexicographic {
    /// Optimum of each objective, those before it kept.
    pub optima: Vec<f64>,
    /// Value of each objective at the fluxes.
    pub values: Vec<f64>,
    /// The fluxes.
    pub fluxes: Vec<f64>,
}

/// The network restricted to the points that reach a fraction of an optimum of its objective.
pub(super) fn restricted(network: &Network, best: &Optimum, fraction: f64) -> Network {
    let held = hold(network, best, fraction);
    Network {
        stoichiometry: held.matrix,
        lower: held.lower,
        upper: held.upper,
        row_lower: held.row_lower,
        row_upper: held.row_upper,
        objective: network.objective.clone(),
        sense: network.sense,
    }
}

/// Optimises one objective after the other, each over the optima of those before it (Gomez, Höffner and Barton, BMC
/// Bioinformatics 15, 2014, 409, where it makes the fluxes of dynamic models unique). Optima are kept through their reduced
/// costs, not through a tolerance. The network's own objective plays no part. An infeasible or unbounded network is answered
/// as [`super::fba`] answers it.
///
/// # Errors
/// `E-FLUX-086`: there is no objective, a reaction is out of range, a coefficient is not finite or a fraction is not between
/// 0 and 1; otherwise as for [`super::fba`].
pub fn lexicographic(network: &Network, aims: &[Aim]) -> Result<Result<Lexicographic, Outcome>> {
    let mut current = network.clone();
    let (mut optima, mut fluxes) = (Vec::new(), Vec::new());
    if aims.is_empty() {
        return Err(no_aim(0));
    }
    for (at, aim) in aims.iter().enumerate() {
        let sound = aim.terms.iter().all(|t| t.0 < network.reactions() && t.1.is_finite());
        if !sound || !(0.0..=1.0).contains(&aim.fraction) {
            return Err(no_aim(at));
        }
    }
    for aim in aims {
        current.sense = aim.sense;
        current.objective = vec![0.0; network.reactions()];
        for &(j, c) in &aim.terms {
            current.objective[j] += c;
        }
        let best = match fba_of(&current, true)? {
            Outcome::Optimal(best) => best,
            other => return Ok(Err(other)),
        };
        optima.push(best.objective);
        current = restricted(&current, &best, aim.fraction);
        fluxes = best.primal;
    }
    let value = |aim: &Aim| aim.terms.iter().map(|&(j, c)| c * fluxes[j]).sum();
    Ok(Ok(Lexicographic { optima, values: aims.iter().map(value).collect(), fluxes }))
}

fn no_aim(at: usize) -> Error {
    Error::input(
        "E-FLUX-086",
        format!("目的関数 {at}(0 始まり)がないか、反応・係数・割合が範囲外です"),
        format!("objective {at} (from 0) is missing, or its reaction, coefficient or fraction is out of range"),
    )
    .at(Place::field(format!("aims[{at}]")))
    .hint(
        "モデルの反応と有限の係数、0 から 1 の割合を書いてください",
        "name reactions of the model, finite coefficients and a fraction from 0 to 1",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Column;

    #[test]
    fn the_second_objective_chooses_among_the_optima_of_the_first() {
        // In (≤ 10) by two ways to the product; the second way gives a by-product.
        let column = |stoichiometry, upper| Column { stoichiometry, lower: 0.0, upper, objective: 0.0 };
        let columns = [
            column(&[(0, 1.0)][..], 10.0),
            column(&[(0, -1.0), (1, 1.0)], 6.0),
            column(&[(0, -1.0), (1, 1.0), (2, 0.5)], 8.0),
            column(&[(1, -1.0)], 100.0),
            column(&[(2, -1.0)], 100.0),
        ];
        let network = Network::new(3, Sense::Maximize, columns).unwrap();
        let aim = |j, sense| Aim { terms: vec![(j, 1.0)], sense, fraction: 1.0 };
        let most = lexicographic(&network, &[aim(3, Sense::Maximize), aim(4, Sense::Maximize)]).unwrap().unwrap();
        assert_eq!((most.optima.clone(), most.values.clone()), (vec![10.0, 4.0], vec![10.0, 4.0]));
        let least = lexicographic(&network, &[aim(3, Sense::Maximize), aim(4, Sense::Minimize)]).unwrap().unwrap();
        assert_eq!(least.values, vec![10.0, 2.0]);
        let part = Aim { fraction: 0.5, ..aim(3, Sense::Maximize) };
        let least = lexicographic(&network, &[part, aim(4, Sense::Minimize), aim(0, Sense::Minimize)]).unwrap().unwrap();
        assert_eq!((least.optima, least.values), (vec![10.0, 0.0, 5.0], vec![5.0, 0.0, 5.0]));
        assert_eq!(lexicographic(&network, &[]).unwrap_err().code(), "E-FLUX-086");
        assert_eq!(lexicographic(&network, &[aim(9, Sense::Minimize)]).unwrap_err().code(), "E-FLUX-086");
    }
}
