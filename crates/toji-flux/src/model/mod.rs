//! Metabolic models: what the formats agree on, checked once and never changed afterwards.
//!
//! [`Parts`] are the plain lists a reader fills; [`Model::new`] checks them and adds look-up by identifier. A model is
//! shared, not copied: what changes from question to question (knock-outs, media, bounds) is a
//! [`Scenario`] over it.
//!
//! Fluxes and bounds are in the unit of the model, mmol per gram of dry mass and hour by custom; biomass reactions
//! then run in 1/h.

mod error;
mod formula;
mod gpr;
pub mod health;
mod medium;
mod network;
mod scenario;
mod types;

pub use formula::{Formula, FormulaError};
pub use gpr::{Gpr, GprError};
pub use medium::Boundary;
pub use scenario::{Addition, Scenario};
pub use types::{
    Annotation, Compartment, Constraint, ConstraintTerm, Gene, Group, GroupKind, Member, Metabolite, Notes, Objective, Parts,
    Reaction, Reference, Variable,
};

pub use crate::network::Sense;
pub(crate) use error::*;

use std::collections::HashMap;
use std::ops::Deref;
use toji_core::{Error, Result};

/// A checked model. Reads as its [`Parts`]; cannot be changed.
#[derive(Debug, Clone, Default)]
pub struct Model {
    parts: Parts,
    metabolite_of: HashMap<String, usize>,
    reaction_of: HashMap<String, usize>,
    gene_of: HashMap<String, usize>,
    /// Reactions whose rule names the gene, ascending.
    by_gene: Vec<Vec<usize>>,
}

impl Deref for Model {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

/// Where identifiers stand in a list.
fn numbered<'a>(
    what: (&str, &str),
    ids: impl Iterator<Item = &'a String>,
    faults: &mut Vec<toji_core::Diagnostic>,
) -> HashMap<String, usize> {
    let mut map = HashMap::with_capacity(ids.size_hint().0);
    for (index, id) in ids.enumerate() {
        if id.is_empty() {
            faults.push(fault(
                MODEL_001,
                id,
                format!("{}の {} 番目に識別子がありません", what.0, index + 1),
                format!("number {} of the {} has no identifier", index + 1, what.1),
                ("識別子を付けてください", "give it an identifier"),
            ));
        } else if map.insert(id.clone(), index).is_some() {
            faults.push(fault(
                MODEL_002,
                id,
                format!("識別子 {id} を{}の二つが名乗っています", what.0),
                format!("two of the {} are called {id}", what.1),
                ("一方の名前を変えるか、除いてください", "rename or remove one of them"),
            ));
        }
    }
    map
}

impl Model {
    /// Checks the parts: identifiers present and unique, indices inside their lists, finite stoichiometry and
    /// objective, bounds that are numbers or infinite. A reactant listed twice in a reaction is summed.
    ///
    /// A lower bound above the upper one is allowed: the model is then infeasible, which the analyses say.
    ///
    /// # Errors
    /// `E-MODEL-000` with every finding.
    pub fn new(mut parts: Parts) -> Result<Self> {
        let mut faults = Vec::new();
        let metabolite_of = numbered(("代謝物", "metabolites"), parts.metabolites.iter().map(|m| &m.id), &mut faults);
        let reaction_of = numbered(("反応", "reactions"), parts.reactions.iter().map(|r| &r.id), &mut faults);
        let gene_of = numbered(("遺伝子", "genes"), parts.genes.iter().map(|g| &g.id), &mut faults);
        types::check(&parts, &mut faults);
        if !faults.is_empty() {
            let n = faults.len();
            return Err(Error::input(
                "E-MODEL-000",
                format!("モデルに誤りが {n} 件あります"),
                format!("the model has {n} faults"),
            )
            .hint("下の各項目を直してください", "correct each of the items below")
            .with(faults));
        }
        for reaction in &mut parts.reactions {
            merge(&mut reaction.stoichiometry);
        }
        for objective in &mut parts.objectives {
            merge(&mut objective.terms);
        }
        let mut by_gene = vec![Vec::new(); parts.genes.len()];
        for (index, reaction) in parts.reactions.iter().enumerate() {
            let mut note = |gene: usize| {
                let list: &mut Vec<usize> = &mut by_gene[gene];
                if list.last() != Some(&index) {
                    list.push(index);
                }
            };
            reaction.gpr.iter().for_each(|gpr| gpr.each(&mut note));
        }
        Ok(Self { parts, metabolite_of, reaction_of, gene_of, by_gene })
    }

    /// The parts, to make another model of.
    #[must_use]
    pub fn into_parts(self) -> Parts {
        self.parts
    }
    /// Where the metabolite of this identifier stands.
    #[must_use]
    pub fn metabolite(&self, id: &str) -> Option<usize> {
        self.metabolite_of.get(id).copied()
    }
    /// Where the reaction of this identifier stands.
    #[must_use]
    pub fn reaction(&self, id: &str) -> Option<usize> {
        self.reaction_of.get(id).copied()
    }
    /// Where the gene of this identifier stands.
    #[must_use]
    pub fn gene(&self, id: &str) -> Option<usize> {
        self.gene_of.get(id).copied()
    }
    /// As [`reaction`](Self::reaction).
    ///
    /// # Errors
    /// `E-MODEL-010`: there is none; the hint names the nearest identifier.
    pub fn reaction_named(&self, id: &str) -> Result<usize> {
        self.reaction(id).ok_or_else(|| absent(("反応", "reaction"), id, self.parts.reactions.iter().map(|r| &*r.id)))
    }
    /// As [`metabolite`](Self::metabolite).
    ///
    /// # Errors
    /// `E-MODEL-010`: there is none; the hint names the nearest identifier.
    pub fn metabolite_named(&self, id: &str) -> Result<usize> {
        self.metabolite(id).ok_or_else(|| absent(("代謝物", "metabolite"), id, self.parts.metabolites.iter().map(|m| &*m.id)))
    }
    /// As [`gene`](Self::gene).
    ///
    /// # Errors
    /// `E-MODEL-010`: there is none; the hint names the nearest identifier.
    pub fn gene_named(&self, id: &str) -> Result<usize> {
        self.gene(id).ok_or_else(|| absent(("遺伝子", "gene"), id, self.parts.genes.iter().map(|g| &*g.id)))
    }
    /// The reactions whose rule names the gene, ascending.
    #[must_use]
    pub fn reactions_of_gene(&self, gene: usize) -> &[usize] {
        self.by_gene.get(gene).map_or(&[], Vec::as_slice)
    }
    /// The objective that counts.
    #[must_use]
    pub fn active_objective(&self) -> Option<&Objective> {
        self.parts.objectives.get(self.parts.active?)
    }
}

/// Sums repeated indices, in order of first appearance, and drops what cancels to zero.
fn merge(terms: &mut Vec<(usize, f64)>) {
    let repeats = match terms.len() {
        0..=12 => terms.iter().enumerate().any(|(at, term)| terms[..at].iter().any(|t| t.0 == term.0)),
        _ => {
            let mut sorted: Vec<usize> = terms.iter().map(|t| t.0).collect();
            sorted.sort_unstable();
            sorted.windows(2).any(|w| w[0] == w[1])
        }
    };
    if repeats {
        let mut merged: Vec<(usize, f64)> = Vec::with_capacity(terms.len());
        for &(index, value) in terms.iter() {
            match merged.iter_mut().find(|t| t.0 == index) {
                Some(term) => term.1 += value,
                None => merged.push((index, value)),
            }
        }
        *terms = merged;
    }
    terms.retain(|t| t.1 != 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Parts {
        let metabolite = |id: &str| Metabolite { id: id.into(), ..Metabolite::default() };
        let reaction = |id: &str, terms: &[(usize, f64)]| Reaction {
            id: id.into(),
            stoichiometry: terms.to_vec(),
            upper: 10.0,
            ..Reaction::default()
        };
        Parts {
            metabolites: vec![metabolite("a"), metabolite("b")],
            reactions: vec![reaction("in", &[(0, 1.0)]), reaction("ab", &[(0, -1.0), (1, 2.0), (0, -1.0), (1, -2.0)])],
            ..Parts::default()
        }
    }

    #[test]
    fn a_reactant_listed_twice_is_summed_and_one_that_cancels_is_dropped() {
        let model = Model::new(two()).unwrap();
        assert_eq!(model.reactions[1].stoichiometry, [(0, -2.0)]);
        assert_eq!((model.reaction("ab"), model.metabolite("b"), model.gene("g")), (Some(1), Some(1), None));
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let mut parts = two();
        parts.metabolites[1].id = "a".into();
        parts.reactions[0].lower = f64::NAN;
        parts.reactions[0].gpr = Some(Gpr::Gene(3));
        parts.reactions[1].stoichiometry.push((7, 1.0));
        parts.reactions[1].stoichiometry.push((0, f64::INFINITY));
        parts.active = Some(0);
        let error = Model::new(parts).unwrap_err();
        let found: Vec<_> = error.fault().diagnostics.iter().map(|d| (d.code.as_str(), d.place.field.as_deref())).collect();
        let expected = [
            (MODEL_002, Some("a")),
            (MODEL_004, Some("in")),
            (MODEL_003, Some("in")),
            (MODEL_003, Some("ab")),
            (MODEL_004, Some("ab")),
            (MODEL_003, None),
        ];
        assert_eq!(found, expected);
        assert!(error.fault().diagnostics.iter().all(|d| d.remedy.is_some()));
    }

    #[test]
    fn a_name_that_is_not_there_is_answered_with_the_nearest() {
        let model = Model::new(two()).unwrap();
        let error = model.reaction_named("AB").unwrap_err();
        assert!(error.fault().hint.as_ref().unwrap().en.contains("ab"), "{error:?}");
    }
}
