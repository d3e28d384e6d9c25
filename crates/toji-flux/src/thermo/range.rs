//! How far the energy of a reaction can go within the concentrations, and the directions that leaves.

use super::{Concentration, Step, check, wrong};
use crate::network::Network;
use serde::{Deserialize, Serialize};
use toji_core::Result;

/// Directions that the second law leaves to a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// `ΔG'` is below zero at all concentrations.
    Forward,
    /// `ΔG'` is above zero at all concentrations.
    Backward,
    /// It depends.
    Both,
}

/// Range of `ΔG'` of a reaction, kJ/mol.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Energy {
    /// At the concentrations that favour it most.
    pub lowest: f64,
    /// At the concentrations that favour it least.
    pub highest: f64,
    /// What is left.
    pub direction: Direction,
}

/// `ΔG' = ΔG'° + R·T·Σ ν ln c` of each step over all concentrations, each compound on its own; `thermal` is `R·T`, kJ/mol
/// ([`super::thermal_energy`]), and `ΔG'°` is off by up to `spread` standard deviations.
///
/// # Errors
/// `E-FLUX-034`, naming the field.
pub fn energies(steps: &[Step], compounds: &[Concentration], thermal: f64, spread: f64) -> Result<Vec<Energy>> {
    check(steps, compounds, thermal, spread)?;
    Ok(steps
        .iter()
        .map(|step| {
            let mut net = step.stoichiometry.clone();
            net.sort_by_key(|t| t.0);
            let doubt = spread * step.deviation;
            let (mut lowest, mut highest) = (step.standard - doubt, step.standard + doubt);
            for same in net.chunk_by(|a, b| a.0 == b.0) {
                let weight = thermal * same.iter().map(|t| t.1).sum::<f64>();
                let range = compounds[same[0].0];
                let (a, b) = (weight * range.lower.ln(), weight * range.upper.ln());
                lowest += a.min(b);
                highest += a.max(b);
            }
            let direction = if highest < 0.0 {
                Direction::Forward
            } else if lowest > 0.0 {
                Direction::Backward
            } else {
                Direction::Both
            };
            Energy { lowest, highest, direction }
        })
        .collect())
}

/// The network with the directions that thermodynamics leaves: reaction and energy, the energy of its forward direction.
/// Bounds only become narrower; a reaction forced against its energy makes the network infeasible, which solving it says.
///
/// # Errors
/// `E-FLUX-034`: there is no reaction of this number.
pub fn restrict(network: &Network, energies: &[(usize, Energy)]) -> Result<Network> {
    let mut network = network.clone();
    for (at, &(j, energy)) in energies.iter().enumerate() {
        if j >= network.reactions() {
            let (ja, en) = ("その番号の反応はありません", "there is no reaction of this number");
            return Err(wrong(format!("energies[{at}]"), ja, en));
        }
        match energy.direction {
            Direction::Forward => network.lower[j] = network.lower[j].max(0.0),
            Direction::Backward => network.upper[j] = network.upper[j].min(0.0),
            Direction::Both => {}
        }
    }
    Ok(network)
}
