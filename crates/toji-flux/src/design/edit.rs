//! What may be changed in a strain, and regions of its flux space.

use crate::model::Model;
use crate::network::Network;
use toji_core::{Error, Result};

/// `lower ≤ Σ coefficient · flux ≤ upper`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Limit {
    /// Reaction and coefficient.
    pub terms: Vec<(usize, f64)>,
    /// Least value, `-∞` allowed.
    pub lower: f64,
    /// Greatest value, `+∞` allowed.
    pub upper: f64,
}

impl Limit {
    /// At least `lower`.
    #[must_use]
    pub fn at_least(terms: &[(usize, f64)], lower: f64) -> Self {
        Self { terms: terms.to_vec(), lower, upper: f64::INFINITY }
    }

    /// At most `upper`.
    #[must_use]
    pub fn at_most(terms: &[(usize, f64)], upper: f64) -> Self {
        Self { terms: terms.to_vec(), lower: f64::NEG_INFINITY, upper }
    }

    fn check(&self, reactions: usize) -> Result<()> {
        if let Some(&(j, _)) = self.terms.iter().find(|t| t.0 >= reactions) {
            return Err(out_of_range(("反応", "reaction"), j, reactions));
        }
        let numbers = self.terms.iter().all(|t| t.1.is_finite()) && !self.lower.is_nan() && !self.upper.is_nan();
        if !numbers || self.lower == f64::INFINITY || self.upper == f64::NEG_INFINITY {
            return Err(Error::input(
                "E-FLUX-071",
                "制約の係数または境界が数ではありません",
                "a limit has a coefficient or bound that is no number",
            )
            .hint(
                "係数は有限、境界は数または外向きの ±∞ にしてください",
                "use finite coefficients; a bound may be infinite outward only",
            ));
        }
        Ok(())
    }
}

/// A part of the flux space: the steady states within the network's bounds that keep all limits.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Region {
    /// Limits besides the network's own.
    pub limits: Vec<Limit>,
    /// With an inner objective (reaction and coefficient), only the steady states that make it as large as the strain can.
    pub inner: Option<Vec<(usize, f64)>>,
}

impl Region {
    /// The region of these limits, whatever the cell aims at.
    #[must_use]
    pub fn of(limits: Vec<Limit>) -> Self {
        Self { limits, inner: None }
    }

    pub(super) fn check(&self, reactions: usize) -> Result<()> {
        let inner = self.inner.iter().map(|terms| Limit::at_least(terms, 0.0)).collect::<Vec<_>>();
        self.limits.iter().chain(&inner).try_for_each(|limit| limit.check(reactions))
    }
}

/// A change of the strain.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// The reaction carries no flux any more. One whose bounds force a flux stays forced: nothing is feasible then.
    RemoveReaction(usize),
    /// The gene is gone, and with it every reaction whose rule then fails.
    RemoveGene(usize),
    /// The reaction, absent until then, is there.
    AddReaction(usize),
    /// The gene, absent until then, is there.
    AddGene(usize),
    /// The fluxes are held within a limit, by regulation for instance.
    Hold(Limit),
}

/// A change and what it costs.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Intervention {
    /// The change.
    pub edit: Edit,
    /// Cost, above zero, in any unit.
    pub cost: f64,
}

impl Intervention {
    /// The removal of each of these genes, at a cost of one.
    #[must_use]
    pub fn remove_genes(genes: impl IntoIterator<Item = usize>) -> Vec<Self> {
        genes.into_iter().map(|gene| Self { edit: Edit::RemoveGene(gene), cost: 1.0 }).collect()
    }

    /// The removal of each of these reactions, at a cost of one.
    #[must_use]
    pub fn remove_reactions(reactions: impl IntoIterator<Item = usize>) -> Vec<Self> {
        reactions.into_iter().map(|reaction| Self { edit: Edit::RemoveReaction(reaction), cost: 1.0 }).collect()
    }

    /// Whether the change gives the strain something instead of taking it away.
    pub(super) fn adds(&self) -> bool {
        matches!(self.edit, Edit::AddGene(_) | Edit::AddReaction(_))
    }
}

/// Checks interventions against model and network.
pub(super) fn check(model: &Model, network: &Network, list: &[Intervention]) -> Result<()> {
    let n = network.reactions();
    for (at, intervention) in list.iter().enumerate() {
        match &intervention.edit {
            Edit::RemoveReaction(j) | Edit::AddReaction(j) if *j >= n => return Err(out_of_range(("反応", "reaction"), *j, n)),
            Edit::RemoveGene(g) | Edit::AddGene(g) if *g >= model.genes.len() => {
                return Err(out_of_range(("遺伝子", "gene"), *g, model.genes.len()));
            }
            Edit::Hold(limit) => limit.check(n)?,
            _ => {}
        }
        if !(intervention.cost > 0.0 && intervention.cost.is_finite()) {
            return Err(Error::input(
                "E-FLUX-072",
                format!("介入 {at}(0 始まり)の費用が正の有限の数ではありません"),
                format!("the cost of intervention {at} (from 0) is not a finite number above zero"),
            )
            .hint("費用は 0 より大きい数にしてください", "give every intervention a cost above zero"));
        }
    }
    Ok(())
}

fn out_of_range(what: (&str, &str), have: usize, count: usize) -> Error {
    Error::input(
        "E-FLUX-070",
        format!("{}の番号 {have} が範囲外です({count} 個、0 始まり)", what.0),
        format!("{} number {have} is out of range (there are {count}, from 0)", what.1),
    )
}

/// Sums of costs are compared with this much room for rounding.
pub(super) const ROUNDING: f64 = 1e-9;

/// Sets of those interventions that add, with their cost, within the limits of cost and number; the empty set first.
pub(super) fn additions(list: &[Intervention], max_size: usize, max_cost: f64) -> Vec<(Vec<usize>, f64)> {
    let mut sets = vec![(Vec::new(), 0.0)];
    for (at, intervention) in list.iter().enumerate().filter(|(_, i)| i.adds()) {
        let more: Vec<(Vec<usize>, f64)> = sets
            .iter()
            .filter(|(set, cost)| set.len() < max_size && cost + intervention.cost <= max_cost + ROUNDING)
            .map(|(set, cost)| (set.iter().copied().chain([at]).collect(), cost + intervention.cost))
            .collect();
        sets.extend(more);
    }
    sets
}
