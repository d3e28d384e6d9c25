//! What the shape of the network alone tells.

use super::balance::{Balance, balance};
use super::coverage::{Coverage, coverage};
use crate::model::Model;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Reactions that do the same, forwards or backwards, at whatever scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Duplicate {
    /// Identifiers, in order.
    pub reactions: Vec<String>,
    /// Have they the same genes?
    pub same_genes: bool,
}

/// What the shape of the network tells. Lists are identifiers in the order of the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Structure {
    /// Reactions, metabolites, genes, in this order.
    pub size: [usize; 3],
    /// Exchange reactions.
    #[serde(rename = "exchange_reactions")]
    pub exchanges: usize,
    /// Mass and charge.
    pub balance: Balance,
    /// Metabolites that no reaction can make, within the bounds.
    pub only_consumed: Vec<String>,
    /// Metabolites that no reaction can use up, within the bounds.
    pub only_produced: Vec<String>,
    /// Metabolites of no reaction.
    pub unused_metabolites: Vec<String>,
    /// Genes of no reaction.
    pub unused_genes: Vec<String>,
    /// Reactions without metabolites.
    pub empty_reactions: Vec<String>,
    /// Reactions that do the same.
    pub duplicates: Vec<Duplicate>,
    /// Reactions within the model (no boundary, no biomass) without genes.
    pub without_genes: usize,
    /// Reactions whose lower bound is above the upper one.
    pub crossed_bounds: Vec<String>,
    /// Reactions fixed to zero by their bounds.
    #[serde(rename = "closed_reactions")]
    pub closed: Vec<String>,
    /// Annotations.
    #[serde(rename = "annotations")]
    pub coverage: Coverage,
}

/// Looks at the shape of the network.
#[must_use]
pub fn structure(model: &Model) -> Structure {
    let (mut made, mut used, mut seen) =
        (vec![false; model.metabolites.len()], vec![false; model.metabolites.len()], vec![false; model.metabolites.len()]);
    for reaction in &model.reactions {
        for &(metabolite, coefficient) in &reaction.stoichiometry {
            seen[metabolite] = true;
            let (forward, backward) = (reaction.upper > 0.0, reaction.lower < 0.0);
            made[metabolite] |= if coefficient > 0.0 { forward } else { backward };
            used[metabolite] |= if coefficient > 0.0 { backward } else { forward };
        }
    }
    let metabolites = |pick: &dyn Fn(usize) -> bool| -> Vec<String> {
        (0..seen.len()).filter(|m| pick(*m)).map(|m| model.metabolites[m].id.clone()).collect()
    };
    let reactions = |pick: &dyn Fn(&crate::model::Reaction) -> bool| -> Vec<String> {
        model.reactions.iter().filter(|r| pick(r)).map(|r| r.id.clone()).collect()
    };
    let balanced = |m: usize| seen[m] && !model.metabolites[m].boundary;
    Structure {
        size: [model.reactions.len(), model.metabolites.len(), model.genes.len()],
        exchanges: model.exchanges().len(),
        balance: balance(model),
        only_consumed: metabolites(&|m| balanced(m) && used[m] && !made[m]),
        only_produced: metabolites(&|m| balanced(m) && made[m] && !used[m]),
        unused_metabolites: metabolites(&|m| !seen[m]),
        unused_genes: (0..model.genes.len())
            .filter(|g| model.reactions_of_gene(*g).is_empty())
            .map(|g| model.genes[g].id.clone())
            .collect(),
        empty_reactions: reactions(&|r| r.stoichiometry.is_empty()),
        duplicates: duplicates(model),
        without_genes: model.reactions.iter().zip(super::balance::pseudo(model)).filter(|(r, p)| r.gpr.is_none() && !p).count(),
        crossed_bounds: reactions(&|r| r.lower > r.upper),
        closed: reactions(&|r| r.lower == 0.0 && r.upper == 0.0),
        coverage: coverage(model),
    }
}

/// Reactions by what they do: the coefficients in order of metabolite, with the first made one.
fn duplicates(model: &Model) -> Vec<Duplicate> {
    let mut same: BTreeMap<Vec<(usize, u64)>, Vec<usize>> = BTreeMap::new();
    for (index, reaction) in model.reactions.iter().enumerate() {
        let mut terms = reaction.stoichiometry.clone();
        terms.sort_by_key(|t| t.0);
        let Some(&(_, first)) = terms.first() else { continue };
        // Rounded to 40 bits, so that 1/3 written differently is the same.
        let rounded = |value: f64| (value / first * 2_f64.powi(30)).round().to_bits();
        same.entry(terms.iter().map(|t| (t.0, rounded(t.1))).collect()).or_default().push(index);
    }
    let mut found: Vec<&Vec<usize>> = same.values().filter(|list| list.len() > 1).collect();
    found.sort();
    found
        .into_iter()
        .map(|list| Duplicate {
            reactions: list.iter().map(|r| model.reactions[*r].id.clone()).collect(),
            same_genes: list.windows(2).all(|w| {
                let complexes = |r: usize| model.reactions[r].gpr.as_ref().map(|g| g.complexes(10_000));
                complexes(w[0]) == complexes(w[1])
            }),
        })
        .collect()
}
