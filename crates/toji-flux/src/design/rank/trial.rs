//! A ranking's report: each product is ranked by what was learnt from the others alone.

use super::known::{EditKind, KnownEdit};
use super::score::{Found, against_chance, found};
use super::view::Profile;
use super::{RAISE, REMOVAL, Ranker};
use crate::model::Model;
use toji_core::Result;

/// How well the edits of one product are found by what is known of the others.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct HeldOut {
    /// Name of the product.
    pub product: String,
    /// Edits known to help it, among the candidates.
    pub good: usize,
    /// Candidates.
    pub candidates: usize,
    /// By the ranking.
    pub ranked: Found,
    /// By the simple rule: remove what carries by-product flux, raise what rises with the product.
    pub rule: Found,
    /// By how many other products the edit helped.
    pub counts: Found,
}

/// How well a ranking does on products that it has not seen.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Trial {
    /// Removals or over-expressions.
    pub kind: EditKind,
    /// Each product.
    pub products: Vec<HeldOut>,
    /// Means over the products, by the ranking.
    pub ranked: Found,
    /// Means by the simple rule.
    pub rule: Found,
    /// Means by how many other products the edit helped.
    pub counts: Found,
    /// The feature of the network that does best as a rule by itself, and its means.
    pub best_feature: (String, Found),
    /// Share of random orders whose mean area is at least that of the ranking.
    pub p_value: f64,
    /// Mean area of the random orders.
    pub random_area: f64,
    /// Sum of the probabilities of all candidates.
    pub expected: f64,
    /// How many of them were good.
    pub came: usize,
}

/// The candidates of one product, scored without what is known of it.
struct Scored {
    name: String,
    good: Vec<bool>,
    chance: Vec<f64>,
    rows: Vec<Vec<f64>>,
    competing: Vec<f64>,
}

/// Ranks each product by what was learnt from the others alone, and compares with random orders and with simple rules.
/// `top` is the number of the best among which the good are counted. Nothing when no product has a good candidate.
///
/// # Errors
/// Those of [`Ranker::learn`].
pub fn held_out(
    model: &Model,
    profiles: &[Profile],
    known: &[KnownEdit],
    kind: EditKind,
    top: usize,
    orders: usize,
    seed: u64,
) -> Result<Option<Trial>> {
    let truth = Ranker::unlearnt(model, &[], known);
    let mut list: Vec<Scored> = Vec::new();
    for profile in profiles {
        let rest: Vec<KnownEdit> = known.iter().filter(|k| k.product != profile.name).cloned().collect();
        let others: Vec<Profile> = profiles.iter().filter(|p| p.name != profile.name).cloned().collect();
        let good = |gene: usize| truth.helped(&profile.name, gene, kind);
        if !(0..model.genes.len()).any(good) {
            continue;
        }
        let ranker = Ranker::learn(model, &others, &rest)?;
        let mut scored = Scored { name: profile.name.clone(), good: vec![], chance: vec![], rows: vec![], competing: vec![] };
        for (gene, row) in ranker.rows(profile, kind).into_iter().enumerate() {
            let Some(row) = row else { continue };
            scored.good.push(good(gene));
            scored.chance.push(ranker.learner(kind).chance(&row).mean);
            scored.competing.push(profile.competing[gene]);
            scored.rows.push(row);
        }
        if scored.good.contains(&true) && scored.good.contains(&false) {
            list.push(scored);
        }
    }
    if list.is_empty() {
        return Ok(None);
    }
    let names: &[&str] = match kind {
        EditKind::Delete => &REMOVAL,
        EditKind::Amplify => &RAISE,
    };
    let column = |s: &Scored, at: usize| -> Vec<f64> { s.rows.iter().map(|row| row[at]).collect() };
    let judge =
        |of: &dyn Fn(&Scored) -> Vec<f64>| -> Vec<Found> { list.iter().filter_map(|s| found(&of(s), &s.good, top)).collect() };
    let ranked = judge(&|s| s.chance.clone());
    let rule = judge(&|s| if kind == EditKind::Delete { s.competing.clone() } else { column(s, 0) });
    let counts = judge(&|s| column(s, names.len() - 1));
    let alone = (0..names.len() - 2).map(|at| (names[at].to_owned(), mean(&judge(&|s| column(s, at)))));
    let best_feature = alone.max_by(|a, b| a.1.area.total_cmp(&b.1.area)).unwrap_or_else(|| (String::new(), mean(&rule)));
    let groups: Vec<Vec<bool>> = list.iter().map(|s| s.good.clone()).collect();
    let (p_value, random_area) = against_chance(&groups, mean(&ranked).area, orders, seed);
    let count = |good: &[bool]| good.iter().filter(|g| **g).count();
    let product = |(at, s): (usize, &Scored)| HeldOut {
        product: s.name.clone(),
        good: count(&s.good),
        candidates: s.good.len(),
        ranked: ranked[at],
        rule: rule[at],
        counts: counts[at],
    };
    Ok(Some(Trial {
        kind,
        products: list.iter().enumerate().map(product).collect(),
        ranked: mean(&ranked),
        rule: mean(&rule),
        counts: mean(&counts),
        best_feature,
        p_value,
        random_area,
        expected: list.iter().flat_map(|s| &s.chance).sum(),
        came: groups.iter().map(|g| count(g)).sum(),
    }))
}

fn mean(list: &[Found]) -> Found {
    let of = |f: fn(&Found) -> f64| list.iter().map(f).sum::<f64>() / list.len().max(1) as f64;
    Found { area: of(|f| f.area), first: of(|f| f.first), recall: of(|f| f.recall) }
}
