//! `flux delete`: what is left of the objective when genes or reactions are taken out, one by one or in pairs.

use super::source::load;
use super::{FLUX_UNIT, Objective, Status, Trouble, apart, edited, name_of, objective_of, standing, threads};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::analyse::{self, Growth, Removal};
use toji_flux::model::Scenario;

/// Less than this share of the wild type left counts as lost, as is the custom.
const LOST: f64 = 0.01;

/// What is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FluxDeleted")]
enum What {
    /// Genes, with the reactions that fail without them.
    ///
    /// 遺伝子。それなしでは働かない反応も失われる。
    #[default]
    Genes,
    /// Reactions.
    ///
    /// 反応。
    Reactions,
}

edited! {
    /// Input of `flux delete`.
    struct Input {
        /// What is taken out.
        ///
        /// 欠失させるもの。
        #[serde(default)]
        what: What,
        /// Genes or reactions to take out; all when none is named.
        ///
        /// 欠失させる遺伝子または反応。省略時はすべて。
        #[serde(default)]
        of: Vec<String>,
        /// All pairs, not one by one.
        ///
        /// 一つずつではなく、すべての二つ組。
        #[serde(default)]
        pairs: bool,
        /// Tell only of what leaves less than this share of the wild type.
        ///
        /// 野生型のこの割合を下回るものだけを答える。
        #[serde(default)]
        below: Option<f64>,
        /// Of pairs, tell only of those that do more than the worse of the two alone does.
        ///
        /// 二つ組のうち、それぞれ単独の悪い方よりも影響が大きいものだけを答える。
        #[serde(default)]
        synergy: bool,
    }
}

/// What one deletion leaves.
#[derive(Debug, Serialize, JsonSchema)]
struct Deletion {
    /// Genes taken out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    genes: Vec<String>,
    /// Reactions taken out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<String>,
    /// What is left of the objective; none when nothing meets the bounds.
    growth: Option<f64>,
    /// Is there an optimum?
    status: Status,
}

/// Output of `flux delete`.
#[derive(Debug, Serialize, JsonSchema)]
struct Deletions {
    /// Does the whole model have an optimum?
    status: Status,
    /// Objective and its optimum in the whole model.
    objective: Objective,
    /// Optimum of the whole model.
    wild_type: Option<f64>,
    /// What each deletion leaves.
    results: Vec<Deletion>,
    /// Deletions that were judged, also those not told of.
    tried: usize,
    /// Those alone of which less than 1 % of the wild type is left.
    essential: Vec<String>,
    /// Linear programmes that had to be solved.
    programmes: usize,
    /// Why there is no optimum.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux delete",
            label: ["欠失の影響", "Deletions"],
            about: [
                "遺伝子または反応を一つずつ、あるいはすべての二つ組で欠失させ、目的（増殖）がどれだけ残るかを求めます。残りが野生型の 1 % 未満のものを必須として挙げます。",
                "Takes genes or reactions out, one by one or in all pairs, and finds what is left of the objective, as a rule growth. Those that leave less than 1 % of the wild type are listed as essential.",
            ],
            positional: &["model"],
            example: "toji flux delete e_coli_core.xml.gz --pairs --below 0.01 --synergy",
        },
        Effect::Read,
        delete,
    )
    .long()
}

/// One list of deletions: indices and names.
struct Asked {
    indices: Vec<usize>,
    names: Vec<String>,
    /// Reactions that fall, for each.
    sets: Vec<Vec<usize>>,
}

fn asked(scenario: &Scenario<'_>, input: &Input) -> Result<Asked> {
    let model = scenario.model();
    let genes = input.what == What::Genes;
    let indices: Vec<usize> = match input.of.as_slice() {
        [] if genes => (0..model.genes.len()).collect(),
        [] => (0..scenario.reaction_count()).collect(),
        of => {
            let find = |id: &String| if genes { model.gene_named(id) } else { scenario.reaction_named(id) };
            of.iter().map(find).collect::<Result<_>>().map_err(|e| e.at(Place::field("of")))?
        }
    };
    let name = |i: &usize| match genes {
        true => model.genes.get(*i).map_or_else(String::new, |g| g.id.clone()),
        false => name_of(scenario, *i),
    };
    let rules = analyse::GeneRules::new(model);
    let already: Vec<usize> = scenario.genes_out().iter().copied().collect();
    let fallen = |i: &usize| match genes {
        true => rules.disabled(&already.iter().copied().chain([*i]).collect::<Vec<_>>()),
        false => vec![*i],
    };
    Ok(Asked { names: indices.iter().map(name).collect(), sets: indices.iter().map(fallen).collect(), indices })
}

/// Reactions that only two genes together take down, by their places in the list.
fn together(scenario: &Scenario<'_>, asked: &Asked) -> HashMap<(usize, usize), Vec<usize>> {
    let rules = analyse::GeneRules::new(scenario.model());
    let already: Vec<usize> = scenario.genes_out().iter().copied().collect();
    rules.only_together(&asked.indices, &already)
}

async fn delete(context: Context, input: Input) -> Result<Deletions> {
    if input.below.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err(Error::input("E-FLUX-057", "割合は 0 から 1 です", "a share is between 0 and 1")
            .at(Place::field("below"))
            .hint(
                "例: --below 0.01 は野生型の 1 % 未満だけを答えます",
                "example: --below 0.01 tells of less than 1 % of the wild type",
            ));
    }
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let (network, asked) = (scenario.network()?, asked(&scenario, &input)?);
        let how = Removal { threads: threads(), ..Removal::default() };
        let mut told = Deletions {
            status: Status::Optimal,
            objective: Objective { id: objective_of(&scenario), value: None, unit: FLUX_UNIT.into() },
            wild_type: None,
            results: Vec::new(),
            tried: 0,
            essential: Vec::new(),
            programmes: 0,
            trouble: None,
            findings: loaded.reading().findings.clone(),
        };
        let (single, pairs) = if input.pairs {
            let extra = if input.what == What::Genes { together(&scenario, &asked) } else { HashMap::new() };
            match analyse::pairs(&network, &asked.sets, &extra, &how)? {
                Ok(pairs) => (Ok(pairs.single.clone()), Some(pairs)),
                Err(outcome) => (Err(outcome), None),
            }
        } else {
            (analyse::knockouts(&network, &asked.sets, &how)?, None)
        };
        let single = match single {
            Ok(single) => single,
            Err(outcome) => {
                (told.status, told.trouble) = standing(&outcome, &scenario);
                return Ok(told);
            }
        };
        let wild_type = single.wild_type;
        (told.objective.value, told.wild_type) = (Some(wild_type), Some(wild_type));
        let lost = single.results.iter().zip(&asked.names).filter(|(left, _)| left.is_lost(wild_type, LOST));
        told.essential = lost.map(|(_, name)| name.clone()).collect();
        told.programmes = single.programmes + pairs.as_ref().map_or(0, |pairs| pairs.programmes);
        let wanted = |left: Growth| input.below.is_none_or(|share| left.is_lost(wild_type, share));
        let row = |names: Vec<String>, left: Growth| {
            let (genes, reactions) = if input.what == What::Genes { (names, Vec::new()) } else { (Vec::new(), names) };
            let status = match left {
                Growth::Optimal(_) => Status::Optimal,
                Growth::Infeasible => Status::Infeasible,
                Growth::Unbounded => Status::Unbounded,
            };
            Deletion { genes, reactions, growth: left.value(), status }
        };
        match pairs {
            None => {
                told.tried = single.results.len();
                let rows = single.results.iter().zip(&asked.names).filter(|(left, _)| wanted(**left));
                told.results = rows.map(|(left, name)| row(vec![name.clone()], *left)).collect();
            }
            Some(pairs) => {
                told.tried = pairs.results.len();
                let value = |left: Growth| left.value().unwrap_or(0.0);
                let n = asked.names.len();
                let every = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
                for ((a, b), left) in every.zip(&pairs.results) {
                    let worse = value(single.results[a]).min(value(single.results[b]));
                    let more = !input.synergy || value(*left) < worse - 1e-6 * wild_type.abs();
                    if wanted(*left) && more {
                        told.results.push(row(vec![asked.names[a].clone(), asked.names[b].clone()], *left));
                    }
                }
            }
        }
        Ok(told)
    })
    .await
}
