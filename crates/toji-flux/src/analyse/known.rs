//! A network whose optimum is known: questions that differ in bounds and objective alone start from there.

use super::fba::{fba, fba_with};
use crate::lp::{Outcome, Solver};
use crate::network::Network;
use toji_core::Result;

/// A network with its optimum, kept for questions about it.
#[derive(Debug, Clone)]
pub struct Known {
    network: Network,
    solver: Solver,
    outcome: Outcome,
}

impl Known {
    /// Solves a network and keeps the basis.
    ///
    /// # Errors
    /// As for [`fba`].
    pub fn new(network: Network) -> Result<Self> {
        let (mut solver, outcome) = fba_with(&network)?;
        solver.settle();
        Ok(Self { network, solver, outcome })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The answer for the network as it is.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// An optimum of a network that has the same matrix and rows, found from the basis that is known; of another network, as
    /// [`fba`] finds it. The answer passes the same checks, and depends on the two networks alone.
    ///
    /// # Errors
    /// As for [`fba`].
    pub fn fba(&self, network: &Network) -> Result<Outcome> {
        let own = &self.network;
        if network == own {
            return Ok(self.outcome.clone());
        }
        let alike = network.stoichiometry == own.stoichiometry
            && network.row_lower == own.row_lower
            && network.row_upper == own.row_upper;
        if !alike {
            return fba(network);
        }
        let mut solver = self.solver.clone();
        for j in 0..network.reactions() {
            if (network.lower[j], network.upper[j]) != (own.lower[j], own.upper[j]) {
                solver.set_bounds(j, network.lower[j], network.upper[j]);
            }
        }
        if (network.sense, &network.objective) != (own.sense, &own.objective) {
            let terms: Vec<(usize, f64)> = network.objective.iter().copied().enumerate().filter(|t| t.1 != 0.0).collect();
            solver.set_objective(network.sense, &terms);
        }
        solver.solve()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Column, Sense};

    /// A is taken up (at most 10) and leaves by two ways, one of which yields twice the other.
    fn network() -> Network {
        let columns: [(&[(usize, f64)], f64, f64, f64); 4] = [
            (&[(0, 1.0)], 0.0, 10.0, 0.0),
            (&[(0, -1.0), (1, 2.0)], 0.0, 4.0, 0.0),
            (&[(0, -1.0), (1, 1.0)], 0.0, 100.0, 0.0),
            (&[(1, -1.0)], 0.0, 100.0, 1.0),
        ];
        let columns = columns.map(|(stoichiometry, lower, upper, objective)| Column { stoichiometry, lower, upper, objective });
        Network::new(2, Sense::Maximize, columns).unwrap()
    }

    fn value(outcome: &Outcome) -> f64 {
        outcome.clone().optimum().unwrap().objective
    }

    #[test]
    fn what_is_asked_of_a_known_network_is_what_it_answers_alone() {
        let known = Known::new(network()).unwrap();
        assert!((value(known.outcome()) - 14.0).abs() < 1e-9);
        let mut edited = network();
        edited.upper[1] = 0.0;
        assert!((value(&known.fba(&edited).unwrap()) - 10.0).abs() < 1e-9);
        edited.lower[3] = 11.0;
        assert!(matches!(known.fba(&edited).unwrap(), Outcome::Infeasible(_)));
        // What was asked leaves no trace.
        assert_eq!(&known.fba(&network()).unwrap(), known.outcome());
        let mut other = network();
        (other.objective, other.sense) = (vec![1.0, 0.0, 0.0, 0.0], Sense::Minimize);
        other.lower[3] = 2.0;
        assert!((value(&known.fba(&other).unwrap()) - 1.0).abs() < 1e-9);
        // Another matrix is solved by itself.
        let wider = Network::new(1, Sense::Maximize, [Column { stoichiometry: &[], lower: 0.0, upper: 3.0, objective: 2.0 }]);
        assert!((value(&known.fba(&wider.unwrap()).unwrap()) - 6.0).abs() < 1e-9);
    }
}
