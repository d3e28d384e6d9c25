//! Mass and charge over each reaction.

use crate::model::formula::Formula;
use crate::model::{Model, Reaction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sums within this, per unit of what is summed, count as zero.
const ZERO: f64 = 1e-9;

/// What a reaction makes from nothing (positive) or loses (negative).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Imbalance {
    /// Identifier of the reaction.
    pub reaction: String,
    /// Atoms by element.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub atoms: BTreeMap<String, f64>,
    /// Elementary charges.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "charge_imbalance")]
    pub charge: Option<f64>,
}

/// Balances of all reactions that ought to balance: boundary reactions and those marked as pseudo-reactions or biomass
/// (`SBO:0000629`–`0000631`) are left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Balance {
    /// Reactions looked at.
    pub reactions: usize,
    /// Of those, balanced in all elements.
    pub mass_balanced: usize,
    /// Of those, balanced in charge.
    pub charge_balanced: usize,
    /// Reactions out of balance, in order.
    pub imbalanced: Vec<Imbalance>,
    /// Reactions whose mass cannot be told: a formula is missing or unreadable.
    pub mass_unknown: Vec<String>,
    /// Reactions whose charge cannot be told: a charge is missing.
    pub charge_unknown: Vec<String>,
    /// Metabolites without formula.
    pub without_formula: Vec<String>,
    /// Metabolites whose formula is unreadable, with why.
    pub unreadable_formula: BTreeMap<String, String>,
    /// Metabolites without charge.
    pub without_charge: Vec<String>,
    /// Metabolites whose formula holds a group that stands for a rest.
    pub generic_formula: usize,
}

/// Of each reaction: is it meant not to balance?
pub(super) fn pseudo(model: &Model) -> Vec<bool> {
    let marked =
        |r: &Reaction| r.annotation.iter().any(|a| matches!(a.id.as_str(), "SBO:0000629" | "SBO:0000630" | "SBO:0000631"));
    let active = |index: usize| model.active_objective().is_some_and(|o| o.terms.iter().any(|t| t.0 == index));
    let each = model.boundaries().into_iter().zip(&model.reactions).enumerate();
    each.map(|(index, (boundary, reaction))| {
        let biomass = reaction.stoichiometry.len() > 12 && active(index);
        boundary.is_some() || reaction.stoichiometry.len() < 2 || marked(reaction) || biomass
    })
    .collect()
}

/// Balances.
pub(super) fn balance(model: &Model) -> Balance {
    let mut found = Balance::default();
    let mut formulas: Vec<Option<Formula>> = Vec::with_capacity(model.metabolites.len());
    for metabolite in &model.metabolites {
        let formula = metabolite.formula.as_deref().map(Formula::parse);
        match &formula {
            None => found.without_formula.push(metabolite.id.clone()),
            Some(Err(why)) => drop(found.unreadable_formula.insert(metabolite.id.clone(), why.en.to_owned())),
            Some(Ok(formula)) => found.generic_formula += usize::from(formula.generic),
        }
        if metabolite.charge.is_none() {
            found.without_charge.push(metabolite.id.clone());
        }
        formulas.push(formula.and_then(Result::ok));
    }
    let real = model.reactions.iter().zip(pseudo(model)).filter(|(_, pseudo)| !pseudo);
    for (reaction, _) in real {
        found.reactions += 1;
        let atoms = mass(reaction, &formulas);
        let charge = charge(model, reaction);
        match &atoms {
            None => found.mass_unknown.push(reaction.id.clone()),
            Some(atoms) => found.mass_balanced += usize::from(atoms.is_empty()),
        }
        match charge {
            None => found.charge_unknown.push(reaction.id.clone()),
            Some(charge) => found.charge_balanced += usize::from(charge == 0.0),
        }
        let atoms = atoms.unwrap_or_default();
        let charge = charge.filter(|c| *c != 0.0);
        if !atoms.is_empty() || charge.is_some() {
            found.imbalanced.push(Imbalance { reaction: reaction.id.clone(), atoms, charge });
        }
    }
    found
}

/// A sum and the size of what was summed.
#[derive(Default)]
struct Sum(f64, f64);

impl Sum {
    fn add(&mut self, term: f64) {
        self.0 += term;
        self.1 += term.abs();
    }
    /// The sum; zero where it is rounding.
    fn value(&self) -> f64 {
        if self.0.abs() <= ZERO * self.1 { 0.0 } else { self.0 }
    }
}

/// What is left over of each element; `None` where a formula is missing.
fn mass(reaction: &Reaction, formulas: &[Option<Formula>]) -> Option<BTreeMap<String, f64>> {
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    for &(metabolite, coefficient) in &reaction.stoichiometry {
        for (symbol, count) in &formulas[metabolite].as_ref()?.atoms {
            sums.entry(symbol).or_default().add(coefficient * count);
        }
    }
    Some(sums.into_iter().map(|(s, sum)| (s.to_owned(), sum.value())).filter(|(_, v)| *v != 0.0).collect())
}

fn charge(model: &Model, reaction: &Reaction) -> Option<f64> {
    let mut sum = Sum::default();
    for &(metabolite, coefficient) in &reaction.stoichiometry {
        sum.add(coefficient * model.metabolites[metabolite].charge?);
    }
    Some(sum.value())
}
