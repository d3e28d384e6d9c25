//! A search for designs asked by names, every design found verified by itself.

use super::edit::{Edit, Intervention};
use super::knock::{KnockTask, Knocked, knock};
use super::potential::{PotentialTask, Stalled, potentials};
use super::strain::{Insertion, Strain};
use super::verify::{Verified, VerifyTask, verify};
use crate::analyse::{GeneRules, Removal, single_genes};
use crate::model::Scenario;
use crate::network::Sense;
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result};

/// What makes one design better than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// The most product at the best growth (`OptKnock`).
    ///
    /// 最大増殖のときの最大の生産(OptKnock)。
    MostProduct,
    /// The least product at the best growth (`RobustKnock`).
    ///
    /// 最大増殖のときの最小の生産(RobustKnock)。
    #[default]
    LeastProduct,
    /// Growth with product less growth without (`OptCouple`).
    ///
    /// 生成物を出すときと出さないときの増殖の差(OptCouple)。
    Potential,
}

/// A search for designs.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DesignTask {
    /// What makes a design good.
    ///
    /// 設計の良さの尺度。
    #[serde(default)]
    pub goal: Goal,
    /// What every design is verified for; names growth, product and feedstock.
    ///
    /// 各設計の検証。増殖、生成物、原料の反応を指定する。
    pub verify: VerifyTask,
    /// Genes that may be removed.
    ///
    /// 欠失させてよい遺伝子。
    #[serde(default)]
    pub genes: Vec<String>,
    /// Whether every gene may be removed that stops a reaction by itself and leaves the growth asked for.
    ///
    /// 単独で反応を止め、求める増殖を残す遺伝子のすべてを候補にするか。
    #[serde(default)]
    pub all_genes: bool,
    /// Reactions that may be stopped.
    ///
    /// 止めてよい反応。
    #[serde(default)]
    pub reactions: Vec<String>,
    /// Reactions that may be brought in.
    ///
    /// 導入してよい反応。
    #[serde(default)]
    pub insertions: Vec<Insertion>,
    /// Cost of an edit by gene or reaction, above zero; 1 where none is given.
    ///
    /// 遺伝子または反応ごとの変更の費用（0 より大きい数）。省略時は 1。
    #[serde(default)]
    pub costs: BTreeMap<String, f64>,
    /// Least growth of a design, 1/h.
    ///
    /// 設計の増殖の下限（1/h）。
    pub min_growth: f64,
    /// Most edits of a design.
    ///
    /// 一つの設計の変更数の上限。
    pub max_edits: usize,
    /// Most cost of a design; no limit where none is given.
    ///
    /// 一つの設計の費用の上限。省略時は制限なし。
    #[serde(default)]
    pub max_cost: Option<f64>,
    /// How many designs are asked for.
    ///
    /// 求める設計の数。
    pub designs: usize,
    /// Most strains that are looked at.
    ///
    /// 調べる株の数の上限。
    #[serde(default = "super::knock::many")]
    pub max_candidates: usize,
}

/// A design found, and verified.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Designed {
    /// Its edits.
    pub strain: Strain,
    /// Sum of their costs.
    pub cost: f64,
    /// The value by which designs are ranked: mmol/g/h of product, or 1/h of growth for the potential.
    pub value: f64,
    /// What verification says.
    pub verified: Verified,
}

/// Designs found, best first.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Designs {
    /// Designs.
    pub designs: Vec<Designed>,
    /// Linear programmes solved by the search.
    pub programmes: usize,
    /// Strains looked at.
    pub candidates: usize,
    /// Whether the search came to its end; otherwise other designs may be better.
    pub complete: bool,
}

/// Finds the best designs over a scenario, exactly, and verifies each on the whole network.
///
/// # Errors
/// `E-FLUX-126` when nothing may be changed or no design is asked for, `E-MODEL-010` for names that do not exist, those of
/// [`knock`], [`potentials`] and [`verify`].
pub fn design(scenario: &Scenario<'_>, task: &DesignTask) -> Result<Designs> {
    let (list, at_hand) = interventions(scenario, task)?;
    let network = at_hand.network()?;
    let growth = vec![(at_hand.reaction_named(&task.verify.growth)?, 1.0)];
    let product = vec![(at_hand.reaction_named(&task.verify.product)?, 1.0)];
    let max_cost = task.max_cost.unwrap_or(f64::MAX);
    let found = match task.goal {
        Goal::MostProduct | Goal::LeastProduct => {
            let knocks = KnockTask {
                growth,
                product,
                min_growth: task.min_growth,
                robust: task.goal == Goal::LeastProduct,
                interventions: list.clone(),
                max_size: task.max_edits,
                max_cost,
                designs: task.designs,
                max_candidates: task.max_candidates,
            };
            knock(scenario.model(), &network, &knocks)?
        }
        Goal::Potential => {
            let potential = PotentialTask {
                growth,
                product,
                min_growth: task.min_growth,
                min_potential: 0.0,
                stalled: Stalled::NoGrowth,
                interventions: list.clone(),
                max_size: task.max_edits,
                max_cost,
                designs: task.designs,
                max_candidates: task.max_candidates,
            };
            potentials(scenario.model(), &network, &potential)?
        }
    };
    let mut designs = Vec::new();
    for Knocked { interventions, cost, value } in found.designs {
        let strain = strain_of(&at_hand, task, &list, &interventions);
        let verified = verify(scenario, &strain, &task.verify)?;
        designs.push(Designed { strain, cost, value, verified });
    }
    Ok(Designs { designs, programmes: found.programmes, candidates: found.candidates, complete: found.complete })
}

/// The interventions of a task, and the scenario with everything at hand that may be brought in.
fn interventions<'m>(scenario: &Scenario<'m>, task: &DesignTask) -> Result<(Vec<Intervention>, Scenario<'m>)> {
    let none = task.genes.len() + task.reactions.len() + task.insertions.len() == 0 && !task.all_genes;
    if task.designs == 0 || none {
        return Err(Error::input(
            "E-FLUX-126",
            "変更の候補か設計の数がありません",
            "nothing may be changed, or no design is asked for",
        )
        .at(Place::field("genes"))
        .hint("遺伝子か反応を一つ以上、設計の数を 1 以上にしてください", "name a gene or reaction, and ask for a design"));
    }
    let at_hand = Strain { insertions: task.insertions.clone(), ..Strain::default() }.over(scenario)?;
    let cost = |id: &String| task.costs.get(id).copied().unwrap_or(1.0);
    let mut list = Vec::new();
    let mut genes = task.genes.clone();
    if task.all_genes {
        let found = removable(&at_hand, &task.verify.growth, task.min_growth)?;
        genes.extend(found.into_iter().filter(|id| !task.genes.contains(id)));
    }
    for id in &genes {
        list.push(Intervention { edit: Edit::RemoveGene(scenario.model().gene_named(id)?), cost: cost(id) });
    }
    for id in &task.reactions {
        list.push(Intervention { edit: Edit::RemoveReaction(at_hand.reaction_named(id)?), cost: cost(id) });
    }
    for insertion in &task.insertions {
        let edit = Edit::AddReaction(at_hand.reaction_named(&insertion.id)?);
        list.push(Intervention { edit, cost: cost(&insertion.id) });
    }
    Ok((list, at_hand))
}

/// The genes that stop a reaction alone and without which at least this growth is left.
fn removable(at_hand: &Scenario<'_>, growth: &str, least: f64) -> Result<Vec<String>> {
    let model = at_hand.model();
    let mut aimed = at_hand.clone();
    aimed.set_objective(growth, Sense::Maximize)?;
    let rules = GeneRules::new(model);
    let genes: Vec<usize> = (0..model.genes.len()).filter(|&g| !rules.disabled(&[g]).is_empty()).collect();
    let Ok(found) = single_genes(model, &aimed.network()?, &genes, &Removal::default())? else { return Ok(Vec::new()) };
    let lives = found.results.iter().map(|left| left.value().is_some_and(|v| v >= least));
    Ok(genes.iter().zip(lives).filter(|(_, lives)| *lives).map(|(&g, _)| model.genes[g].id.clone()).collect())
}

/// The strain of some of the interventions, by names.
fn strain_of(at_hand: &Scenario<'_>, task: &DesignTask, list: &[Intervention], set: &[usize]) -> Strain {
    let mut strain = Strain::default();
    let name = |j: usize| at_hand.reaction(j).map_or_else(String::new, |r| r.id.clone());
    for edit in set.iter().filter_map(|&at| list.get(at)).map(|i| &i.edit) {
        match edit {
            Edit::RemoveGene(g) => strain.genes_out.push(at_hand.model().genes[*g].id.clone()),
            Edit::RemoveReaction(j) => strain.reactions_out.push(name(*j)),
            Edit::AddReaction(j) => strain.insertions.extend(task.insertions.iter().find(|i| i.id == name(*j)).cloned()),
            Edit::AddGene(_) | Edit::Hold(_) => {}
        }
    }
    strain
}
