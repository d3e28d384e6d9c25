//! A question about a model: edits laid over it, in memory of their own size.
//!
//! The model stays as it is and may be under any number of scenarios at once; a scenario is cheap to clone. Where
//! edits meet, the later one of a kind counts, and a knock-out counts over bounds: a reaction without its enzyme
//! carries no flux, whatever its bounds say.

use super::network::Terms;
use super::{Constraint, ConstraintTerm, MODEL_012, Metabolite, Model, Objective, Reaction, Sense, Variable};
use crate::network::Network;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Error, Place, Result};

/// Edits over a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario<'m> {
    model: &'m Model,
    pub(super) bounds: BTreeMap<usize, (f64, f64)>,
    genes_out: BTreeSet<usize>,
    reactions_out: BTreeSet<usize>,
    metabolites: Vec<Metabolite>,
    reactions: Vec<Reaction>,
    constraints: Vec<Constraint>,
    objective: Option<Objective>,
}

/// A reaction to be added, by the names of metabolites.
#[derive(Debug, Clone, PartialEq)]
pub struct Addition {
    /// Identifier, not taken yet.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// Metabolite by identifier and coefficient; metabolites that do not exist are added.
    pub stoichiometry: Vec<(String, f64)>,
    /// Least flux.
    pub lower: f64,
    /// Greatest flux.
    pub upper: f64,
}

impl<'m> Scenario<'m> {
    /// The model as it is.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            bounds: BTreeMap::new(),
            genes_out: BTreeSet::new(),
            reactions_out: BTreeSet::new(),
            metabolites: Vec::new(),
            reactions: Vec::new(),
            constraints: Vec::new(),
            objective: None,
        }
    }

    /// The model beneath.
    #[must_use]
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// Number of reactions, the added ones included: the columns of the network that are reactions.
    #[must_use]
    pub fn reaction_count(&self) -> usize {
        self.model.reactions.len() + self.reactions.len()
    }

    /// A reaction of the model, or (counted on) an added one, as it was before edits of its bounds.
    #[must_use]
    pub fn reaction(&self, index: usize) -> Option<&Reaction> {
        match index.checked_sub(self.model.reactions.len()) {
            None => self.model.reactions.get(index),
            Some(added) => self.reactions.get(added),
        }
    }

    /// A metabolite of the model, or (counted on) an added one.
    #[must_use]
    pub fn metabolite(&self, index: usize) -> Option<&Metabolite> {
        match index.checked_sub(self.model.metabolites.len()) {
            None => self.model.metabolites.get(index),
            Some(added) => self.metabolites.get(added),
        }
    }

    /// Where the reaction of this identifier stands.
    ///
    /// # Errors
    /// `E-MODEL-010`: there is none.
    pub fn reaction_named(&self, id: &str) -> Result<usize> {
        match self.reactions.iter().position(|r| r.id == id) {
            Some(added) => Ok(self.model.reactions.len() + added),
            None => self.model.reaction_named(id),
        }
    }

    /// Where the metabolite of this identifier stands.
    ///
    /// # Errors
    /// `E-MODEL-010`: there is none.
    pub fn metabolite_named(&self, id: &str) -> Result<usize> {
        match self.metabolites.iter().position(|m| m.id == id) {
            Some(added) => Ok(self.model.metabolites.len() + added),
            None => self.model.metabolite_named(id),
        }
    }

    /// Takes a gene out.
    ///
    /// # Errors
    /// `E-MODEL-010`: there is none of this name.
    pub fn knock_out_gene(&mut self, id: &str) -> Result<&mut Self> {
        self.genes_out.insert(self.model.gene_named(id)?);
        Ok(self)
    }

    /// Takes genes out, by index; what is no gene of the model has no effect.
    pub fn knock_out_genes(&mut self, genes: &[usize]) -> &mut Self {
        self.genes_out.extend(genes.iter().filter(|g| **g < self.model.genes.len()));
        self
    }

    /// Takes a reaction out.
    ///
    /// # Errors
    /// `E-MODEL-010`: there is none of this name.
    pub fn knock_out_reaction(&mut self, id: &str) -> Result<&mut Self> {
        let reaction = self.reaction_named(id)?;
        self.reactions_out.insert(reaction);
        Ok(self)
    }

    /// The genes taken out, ascending.
    #[must_use]
    pub fn genes_out(&self) -> &BTreeSet<usize> {
        &self.genes_out
    }

    /// The reactions that carry no flux because of what was taken out, ascending.
    #[must_use]
    pub fn disabled(&self) -> BTreeSet<usize> {
        let present = |gene: usize| !self.genes_out.contains(&gene);
        let touched = self.genes_out.iter().flat_map(|g| self.model.reactions_of_gene(*g));
        let without = touched.filter(|r| self.model.reactions[**r].gpr.as_ref().is_some_and(|g| !g.holds(&present)));
        without.copied().chain(self.reactions_out.iter().copied()).collect()
    }

    /// Sets both bounds of a reaction.
    ///
    /// # Errors
    /// `E-MODEL-010`: there is none of this name. `E-MODEL-012`: the bounds are no range.
    pub fn set_bounds(&mut self, id: &str, lower: f64, upper: f64) -> Result<&mut Self> {
        let reaction = self.reaction_named(id)?;
        range(id, lower, upper)?;
        self.bounds.insert(reaction, (lower, upper));
        Ok(self)
    }

    /// The bounds of a reaction before knock-outs; those of a reaction that does not exist are zero.
    #[must_use]
    pub fn bounds_set(&self, reaction: usize) -> (f64, f64) {
        let own = || self.reaction(reaction).map_or((0.0, 0.0), |r| (r.lower, r.upper));
        self.bounds.get(&reaction).copied().unwrap_or_else(own)
    }

    /// Makes the flux of one reaction the objective.
    ///
    /// # Errors
    /// `E-MODEL-010`: there is none of this name.
    pub fn set_objective(&mut self, id: &str, sense: Sense) -> Result<&mut Self> {
        self.set_objective_sum(&[(id, 1.0)], sense)
    }

    /// Makes a sum of fluxes the objective.
    ///
    /// # Errors
    /// `E-MODEL-010`: there is no reaction of a name. `E-MODEL-012`: a coefficient is not finite.
    pub fn set_objective_sum(&mut self, terms: &[(&str, f64)], sense: Sense) -> Result<&mut Self> {
        let mut found = Vec::with_capacity(terms.len());
        for (id, coefficient) in terms {
            finite(id, *coefficient)?;
            found.push((self.reaction_named(id)?, *coefficient));
        }
        self.objective = Some(Objective { id: "scenario".into(), sense, terms: found, ..Objective::default() });
        Ok(self)
    }

    /// The objective that counts.
    #[must_use]
    pub fn objective(&self) -> Option<&Objective> {
        self.objective.as_ref().or_else(|| self.model.active_objective())
    }

    /// Adds a metabolite.
    ///
    /// # Errors
    /// `E-MODEL-012`: its identifier is blank or taken.
    pub fn add_metabolite(&mut self, metabolite: Metabolite) -> Result<&mut Self> {
        if metabolite.id.is_empty() || self.metabolite_named(&metabolite.id).is_ok() {
            return Err(taken(&metabolite.id));
        }
        self.metabolites.push(metabolite);
        Ok(self)
    }

    /// Adds a reaction, and the metabolites it names that do not exist.
    ///
    /// # Errors
    /// `E-MODEL-012`: its identifier is blank or taken, its bounds are no range, or a coefficient is not finite.
    pub fn add_reaction(&mut self, addition: &Addition) -> Result<&mut Self> {
        if addition.id.is_empty() || self.reaction_named(&addition.id).is_ok() {
            return Err(taken(&addition.id));
        }
        range(&addition.id, addition.lower, addition.upper)?;
        addition.stoichiometry.iter().try_for_each(|(id, c)| finite(id, *c))?;
        let mut stoichiometry = Vec::with_capacity(addition.stoichiometry.len());
        for (id, coefficient) in &addition.stoichiometry {
            if self.metabolite_named(id).is_err() {
                self.add_metabolite(Metabolite { id: id.clone(), ..Metabolite::default() })?;
            }
            stoichiometry.push((self.metabolite_named(id)?, *coefficient));
        }
        self.reactions.push(Reaction {
            id: addition.id.clone(),
            name: addition.name.clone(),
            stoichiometry,
            lower: addition.lower,
            upper: addition.upper,
            ..Reaction::default()
        });
        Ok(self)
    }

    /// Adds the constraint `lower ≤ Σ coefficient · flux ≤ upper`.
    ///
    /// # Errors
    /// `E-MODEL-010`: there is no reaction of a name. `E-MODEL-012`: the bounds are no range, or a coefficient is not
    /// finite.
    pub fn add_constraint(&mut self, id: &str, terms: &[(&str, f64)], lower: f64, upper: f64) -> Result<&mut Self> {
        range(id, lower, upper)?;
        let mut found = Vec::with_capacity(terms.len());
        for (reaction, coefficient) in terms {
            finite(reaction, *coefficient)?;
            let variable = Variable::Flux(self.reaction_named(reaction)?);
            found.push(ConstraintTerm { coefficient: *coefficient, variable, quadratic: false });
        }
        self.constraints.push(Constraint { id: id.to_owned(), name: None, lower, upper, terms: found });
        Ok(self)
    }

    /// The network with all edits. Columns are the reactions of the model, the added ones, then free variables of
    /// constraints; rows are the metabolites of the model, the added ones, then the constraints.
    ///
    /// # Errors
    /// `E-MODEL-011`: the objective or a constraint is quadratic.
    pub fn network(&self) -> Result<Network> {
        let mut network = self.model.network_of(&Terms {
            bounds: &|reaction| self.bounds_set(reaction),
            added: &self.reactions,
            metabolites_added: &self.metabolites,
            objective: self.objective(),
            constraints: &self.constraints,
        })?;
        for reaction in self.disabled() {
            (network.lower[reaction], network.upper[reaction]) = (0.0, 0.0);
        }
        Ok(network)
    }
}

fn range(id: &str, lower: f64, upper: f64) -> Result<()> {
    if lower <= upper && lower != f64::INFINITY && upper != f64::NEG_INFINITY {
        return Ok(());
    }
    Err(Error::input(
        MODEL_012,
        format!("{id} の境界 [{lower}, {upper}] は範囲になりません"),
        format!("the bounds [{lower}, {upper}] of {id} are no range"),
    )
    .at(Place::field(id))
    .hint("下限を上限以下の数にしてください", "let the lower bound be a number not above the upper one"))
}

fn finite(id: &str, coefficient: f64) -> Result<()> {
    if coefficient.is_finite() {
        return Ok(());
    }
    Err(Error::input(
        MODEL_012,
        format!("{id} の係数が有限の数ではありません"),
        format!("the coefficient of {id} is not a finite number"),
    )
    .at(Place::field(id))
    .hint("有限の数を書いてください", "write a finite number"))
}

fn taken(id: &str) -> Error {
    Error::new(
        toji_core::Category::Conflict,
        MODEL_012,
        format!("識別子 {id:?} は空か、すでに使われています"),
        format!("the identifier {id:?} is blank or taken"),
    )
    .at(Place::field(id))
    .hint("別の識別子にしてください", "choose another identifier")
}
