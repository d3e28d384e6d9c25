//! A ranking asked by names.

use super::{Aim, Background, EditKind, KnownEdit, Profile, Proposal, Ranker, Trial, held_out, published};
use crate::model::Scenario;
use std::collections::BTreeMap;
use toji_core::Result;

/// A product in its medium.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductCase {
    /// Name of the product, as outcomes call it.
    ///
    /// 生成物の名前。実績での呼び名。
    pub name: String,
    /// Exchange or demand reaction of the product.
    ///
    /// 生成物の交換反応または需要反応。
    pub product: String,
    /// Bounds that differ from the host's, mmol/g/h: no oxygen, for instance.
    ///
    /// 宿主と異なる上下限（mmol/g/h）。酸素なし、など。
    #[serde(default)]
    pub bounds: BTreeMap<String, (f64, f64)>,
}

/// A ranking of edits for a product.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankTask {
    /// Growth reaction.
    ///
    /// 増殖の反応。
    pub growth: String,
    /// Exchange reaction of the feedstock.
    ///
    /// 原料の交換反応。
    pub feed: String,
    /// What edits are wanted for.
    ///
    /// 変更を求める生成物。
    pub aim: ProductCase,
    /// Products whose outcomes are learnt from.
    ///
    /// 実績から学ぶ生成物。
    #[serde(default)]
    pub learn_from: Vec<ProductCase>,
    /// Outcomes of one's own; those of the aim count too.
    ///
    /// 自らの実績。目的の生成物の実績も数える。
    #[serde(default)]
    pub outcomes: Vec<KnownEdit>,
    /// Whether the published edits of *Escherichia coli* are learnt from as well.
    ///
    /// 文献にある大腸菌の変更からも学ぶか。
    #[serde(default)]
    pub published: bool,
    /// How many proposals are asked for.
    ///
    /// 求める提案の数。
    pub top: usize,
}

/// Proposed edits, best first.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Ranking {
    /// Proposals.
    pub proposals: Vec<Proposal>,
    /// How many edits were compared.
    pub candidates: usize,
    /// How many outcomes of genes of the host were learnt from.
    pub outcomes: usize,
}

/// Ranks all edits of one gene for a product. Cases with the same bounds are looked at together.
///
/// # Errors
/// `E-MODEL-010` for a name that does not exist; those of [`Background::new`], [`Background::profile`] and [`Ranker::learn`].
pub fn rank(scenario: &Scenario<'_>, task: &RankTask, threads: usize) -> Result<Ranking> {
    let model = scenario.model();
    let (profiles, known) = look(scenario, task, threads)?;
    let ranker = Ranker::learn(model, &profiles, &known)?;
    let mut proposals = ranker.rank(&profiles[0]);
    let candidates = proposals.len();
    proposals.truncate(task.top);
    Ok(Ranking { proposals, candidates, outcomes: known.len() })
}

/// How well the ranking of a task does on products that it has not seen.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Report {
    /// Removals, where any are known.
    pub removal: Option<Trial>,
    /// Over-expressions, where any are known.
    pub raise: Option<Trial>,
}

/// Ranks each product of a task, the aim among them, by what is known of the others alone ([`held_out`]); the good are counted
/// among the best `top` of the task.
///
/// # Errors
/// As for [`rank`].
pub fn report(scenario: &Scenario<'_>, task: &RankTask, orders: usize, seed: u64, threads: usize) -> Result<Report> {
    let model = scenario.model();
    let (profiles, known) = look(scenario, task, threads)?;
    let of = |kind| held_out(model, &profiles, &known, kind, task.top, orders, seed);
    Ok(Report { removal: of(EditKind::Delete)?, raise: of(EditKind::Amplify)? })
}

/// The profiles of the products of a task, the aim first, and what is known of them.
fn look(scenario: &Scenario<'_>, task: &RankTask, threads: usize) -> Result<(Vec<Profile>, Vec<KnownEdit>)> {
    let model = scenario.model();
    let (growth, feed) = (scenario.reaction_named(&task.growth)?, scenario.reaction_named(&task.feed)?);
    let mut seen: Vec<(&ProductCase, Background)> = Vec::new();
    let mut profiles: Vec<Profile> = Vec::new();
    for case in std::iter::once(&task.aim).chain(&task.learn_from) {
        if profiles.iter().any(|p| p.name == case.name) {
            continue;
        }
        if seen.iter().all(|s| s.0.bounds != case.bounds) {
            let mut held = scenario.clone();
            for (reaction, (lower, upper)) in &case.bounds {
                held.set_bounds(reaction, *lower, *upper)?;
            }
            seen.push((case, Background::new(model, &held.network()?, growth, feed, threads)?));
        }
        let aim = Aim { name: case.name.clone(), growth, product: scenario.reaction_named(&case.product)?, feed };
        if let Some((_, background)) = seen.iter().find(|s| s.0.bounds == case.bounds) {
            profiles.push(background.profile(model, &aim)?);
        }
    }
    let mut known = task.outcomes.clone();
    if task.published {
        known.extend(published()?);
    }
    known.retain(|k| model.gene(&k.gene).is_some() && profiles.iter().any(|p| p.name == k.product));
    Ok((profiles, known))
}
