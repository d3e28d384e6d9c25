//! From a model to the plain network of the analyses.

use super::{Constraint, MODEL_011, Metabolite, Model, Objective, Reaction, Variable};
use crate::network::{Column, Network, Sense};
use crate::sparse::Matrix;
use toji_core::{Error, Place, Result};

/// What a network is made with in place of the model's own.
pub(super) struct Terms<'a> {
    /// Bounds of every reaction.
    pub(super) bounds: &'a dyn Fn(usize) -> (f64, f64),
    /// Reactions after those of the model.
    pub(super) added: &'a [Reaction],
    /// Metabolites after those of the model.
    pub(super) metabolites_added: &'a [Metabolite],
    /// Objective; none: all zero.
    pub(super) objective: Option<&'a Objective>,
    /// Constraints after those of the model.
    pub(super) constraints: &'a [Constraint],
}

impl Model {
    /// The network of the model as it stands.
    ///
    /// Columns are the reactions in order, then the free variables of user-defined constraints. Rows are the metabolites
    /// in order (boundary metabolites unbounded), then the user-defined constraints. Without an active objective all
    /// coefficients are zero.
    ///
    /// # Errors
    /// `E-MODEL-011`: the active objective or a constraint is quadratic.
    pub fn network(&self) -> Result<Network> {
        self.network_of(&Terms {
            bounds: &|r| (self.reactions[r].lower, self.reactions[r].upper),
            added: &[],
            metabolites_added: &[],
            objective: self.active_objective(),
            constraints: &[],
        })
    }

    pub(super) fn network_of(&self, terms: &Terms<'_>) -> Result<Network> {
        let constraints = || self.constraints.iter().chain(terms.constraints);
        let curved = constraints().find(|c| c.terms.iter().any(|t| t.quadratic)).map(|c| &c.id);
        if let Some(id) = curved.or(terms.objective.filter(|o| !o.quadratic.is_empty()).map(|o| &o.id)) {
            return Err(quadratic(id));
        }
        let reactions = self.reactions.len() + terms.added.len();
        let metabolites = self.metabolites.len() + terms.metabolites_added.len();
        let mut free: Vec<&str> = Vec::new();
        let mut extra: Vec<Vec<(usize, f64)>> = vec![Vec::new(); reactions];
        for (at, constraint) in constraints().enumerate() {
            for term in &constraint.terms {
                let column = match &term.variable {
                    Variable::Flux(reaction) => *reaction,
                    Variable::Free(name) => {
                        reactions
                            + free.iter().position(|f| f == name).unwrap_or_else(|| {
                                free.push(name);
                                extra.push(Vec::new());
                                free.len() - 1
                            })
                    }
                };
                extra[column].push((metabolites + at, term.coefficient));
            }
        }
        let mut objective = vec![0.0; reactions];
        for &(reaction, coefficient) in terms.objective.map_or(&[][..], |o| &o.terms) {
            objective[reaction] += coefficient;
        }
        let columns: Vec<Vec<(usize, f64)>> = (0..reactions + free.len())
            .map(|j| {
                let own: &[(usize, f64)] = match j.checked_sub(self.reactions.len()) {
                    None => &self.reactions[j].stoichiometry,
                    Some(added) => terms.added.get(added).map_or(&[], |a| &a.stoichiometry),
                };
                own.iter().chain(&extra[j]).copied().collect()
            })
            .collect();
        let bounds = |j: usize| match j.checked_sub(self.reactions.len()) {
            None => (terms.bounds)(j),
            Some(added) => terms.added.get(added).map_or((f64::NEG_INFINITY, f64::INFINITY), |a| (a.lower, a.upper)),
        };
        let sense = terms.objective.map_or(Sense::default(), |o| o.sense);
        let rows = metabolites + constraints().count();
        let mut network = Network::new(
            rows,
            sense,
            columns.iter().enumerate().map(|(j, stoichiometry)| {
                let (lower, upper) = bounds(j);
                Column { stoichiometry, lower, upper, objective: objective.get(j).copied().unwrap_or(0.0) }
            }),
        )?;
        for (row, metabolite) in self.metabolites.iter().chain(terms.metabolites_added).enumerate() {
            if metabolite.boundary {
                (network.row_lower[row], network.row_upper[row]) = (f64::NEG_INFINITY, f64::INFINITY);
            }
        }
        for (at, constraint) in constraints().enumerate() {
            network.row_lower[metabolites + at] = constraint.lower;
            network.row_upper[metabolites + at] = constraint.upper;
        }
        Ok(network)
    }

    /// Stoichiometry alone: a row for each metabolite, a column for each reaction.
    ///
    /// # Errors
    /// `E-FLUX-001`: more rows or columns than the matrix counts.
    pub fn stoichiometry(&self) -> Result<Matrix> {
        Matrix::from_columns(self.metabolites.len(), self.reactions.iter().map(|r| &*r.stoichiometry))
            .ok_or_else(|| Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large"))
    }
}

fn quadratic(id: &str) -> Error {
    Error::new(
        toji_core::Category::Model,
        MODEL_011,
        format!("{id} は流束の二乗を含み、線形計画では解けません"),
        format!("{id} has squares of fluxes, which a linear programme cannot solve"),
    )
    .at(Place::field(id))
    .hint("線形の目的関数を選ぶか、二乗の項を除いてください", "choose a linear objective, or remove the quadratic terms")
}

#[cfg(test)]
mod tests {
    use crate::model::{Constraint, ConstraintTerm, Metabolite, Model, Objective, Parts, Reaction, Sense, Variable};

    #[test]
    fn boundary_metabolites_are_unbounded_and_constraints_become_rows_with_free_columns() {
        let term = |coefficient, variable| ConstraintTerm { coefficient, variable, quadratic: false };
        let mut parts = Parts {
            metabolites: vec![
                Metabolite { id: "a".into(), ..Metabolite::default() },
                Metabolite { id: "out".into(), boundary: true, ..Metabolite::default() },
            ],
            reactions: vec![Reaction {
                id: "r".into(),
                stoichiometry: vec![(0, -1.0), (1, 1.0)],
                lower: -5.0,
                upper: 10.0,
                ..Reaction::default()
            }],
            objectives: vec![Objective { sense: Sense::Minimize, terms: vec![(0, 2.0)], ..Objective::default() }],
            active: Some(0),
            constraints: vec![Constraint {
                id: "c".into(),
                lower: 1.0,
                upper: 3.0,
                terms: vec![term(2.0, Variable::Flux(0)), term(-1.0, Variable::Free("q".into()))],
                ..Constraint::default()
            }],
            ..Parts::default()
        };
        let network = Model::new(parts.clone()).unwrap().network().unwrap();
        assert_eq!((network.rows(), network.reactions()), (3, 2));
        assert_eq!(network.row_lower, [0.0, f64::NEG_INFINITY, 1.0]);
        assert_eq!(network.row_upper, [0.0, f64::INFINITY, 3.0]);
        assert_eq!(network.stoichiometry.times(&[1.0, 10.0]), [-1.0, 1.0, -8.0]);
        assert_eq!((network.lower, network.objective), (vec![-5.0, f64::NEG_INFINITY], vec![2.0, 0.0]));
        parts.objectives[0].quadratic.push((0, 1.0));
        assert_eq!(Model::new(parts).unwrap().network().unwrap_err().code(), "E-MODEL-011");
    }
}
