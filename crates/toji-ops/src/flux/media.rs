//! `flux media`, `flux gapfill`: what must be taken up, or added, so that a demand can be met.

use super::source::{load, load_field};
use super::{FLUX_UNIT, Status, Trouble, apart, edited, name_of, number, standing};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::analyse::{self, Candidate, Demand, FillTask, ImportTask, LeastImport};
use toji_flux::model::{Addition, Scenario};

/// Growth that is demanded where nothing is, 1/h.
const GROWTH: f64 = 0.1;

edited! {
    /// Input of `flux media`.
    struct Input {
        /// Fluxes that must be reached, mmol/g/h; growth of 0.1 1/h when none is given.
        ///
        /// 達すべき流束（mmol/g/h）。省略時は増殖 0.1 1/h。
        #[serde(default)]
        demands: BTreeMap<String, Json>,
        /// Exchange reactions by which something may be taken up; all when none is named.
        ///
        /// 取込みに使ってよい交換反応。省略時はすべて。
        #[serde(default)]
        imports: Vec<String>,
        /// Open those exchanges to this uptake, mmol/g/h; without it the bounds of the model count.
        ///
        /// それらの交換反応をこの取込み速度（mmol/g/h）まで開く。省略時はモデルの上下限による。
        #[serde(default)]
        open: Option<f64>,
        /// Only the uptakes that sum to least, not the media of fewest compounds.
        ///
        /// 成分数の最小の培地ではなく、取込みの和が最小のものだけを求める。
        #[serde(default)]
        least: bool,
        /// Most media to list.
        ///
        /// 挙げる培地の最大数。
        #[serde(default = "one")]
        alternatives: usize,
        /// Most linear programmes.
        ///
        /// 解く線形計画の最大数。
        #[serde(default = "programmes")]
        max_programmes: usize,
    }
}

edited! {
    /// Input of `flux gapfill`.
    struct FillInput {
        /// Model whose reactions may be added, by path or address.
        ///
        /// 反応を加えてよい代謝モデル（場所またはアドレス）。
        universe: String,
        /// Fluxes that must be reached, mmol/g/h; growth of 0.1 1/h when none is given.
        ///
        /// 達すべき流束（mmol/g/h）。省略時は増殖 0.1 1/h。
        #[serde(default)]
        demands: BTreeMap<String, Json>,
        /// What adding a reaction costs, above zero; 1 when not named.
        ///
        /// 反応を加える費用（0 より大きい数）。省略したものは 1。
        #[serde(default)]
        weights: BTreeMap<String, Json>,
        /// Most sets to list.
        ///
        /// 挙げる組の最大数。
        #[serde(default = "one")]
        alternatives: usize,
        /// Most linear programmes.
        ///
        /// 解く線形計画の最大数。
        #[serde(default = "programmes")]
        max_programmes: usize,
    }
}

fn one() -> usize {
    1
}
fn programmes() -> usize {
    20_000
}

/// A medium.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxMedium")]
struct Medium {
    /// Compounds taken up: exchange and uptake, mmol/g/h.
    uptakes: BTreeMap<String, f64>,
    /// Exchanges that must be open inwards.
    open: Vec<String>,
    /// Sum of the uptakes.
    total: f64,
}

/// Output of `flux media`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxMedia")]
struct Media {
    /// Can the demand be met?
    status: Status,
    /// Unit of the uptakes, UCUM.
    flux_unit: String,
    /// Media, the smallest first.
    media: Vec<Medium>,
    /// Did the search go to its end?
    complete: bool,
    /// Every medium that is not listed has at least so many compounds; none when there is no other.
    bound: Option<usize>,
    /// Linear programmes that had to be solved.
    programmes: usize,
    /// Why the demand cannot be met.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

/// Reactions that fill a gap.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxFill")]
struct Fill {
    /// Reactions added, with their flux.
    added: BTreeMap<String, f64>,
    /// Sum of their weights.
    weight: f64,
}

/// Output of `flux gapfill`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxFills")]
struct Fills {
    /// Can the demand be met with everything that may be added?
    status: Status,
    /// Unit of the fluxes, UCUM.
    flux_unit: String,
    /// Reactions that could be added.
    offered: usize,
    /// Sets, the cheapest first.
    fills: Vec<Fill>,
    /// Did the search go to its end?
    complete: bool,
    /// Every set that is not listed weighs at least this; none when there is no other.
    bound: Option<f64>,
    /// Linear programmes that had to be solved.
    programmes: usize,
    /// Why the demand cannot be met.
    trouble: Option<Trouble>,
    /// What to look at in the models.
    findings: Vec<Diagnostic>,
}

pub(super) fn media() -> Operation {
    Operation::declare(
        Words {
            name: "flux media",
            label: ["最小培地", "Minimal media"],
            about: [
                "増殖などの要求を満たす、成分数の最小の培地を、それぞれの最小の取込みとともに厳密に求めます。取込みの和が最小のものだけを求めることもできます。",
                "Finds the media of fewest compounds on which a demand such as growth can be met, exactly, each with the least uptakes on it; or only the uptakes that sum to least.",
            ],
            positional: &["model"],
            example: "toji flux media e_coli_core.xml.gz --open 10 --alternatives 3",
        },
        Effect::Read,
        find_media,
    )
    .long()
}

pub(super) fn gapfill() -> Operation {
    Operation::declare(
        Words {
            name: "flux gapfill",
            label: ["ギャップ補完", "Fill gaps"],
            about: [
                "要求（ふつうは増殖）を満たせないモデルに、別のモデルからどの反応を加えればよいかを、費用の小さい順に厳密に求めます。",
                "Finds which reactions of another model let a model meet a demand, as a rule growth, that it cannot meet: the cheapest sets first, exactly.",
            ],
            positional: &["model", "universe"],
            example: "toji flux gapfill draft.xml iJO1366.xml.gz --alternatives 3",
        },
        Effect::Read,
        fill,
    )
    .long()
}

/// What is demanded; growth where nothing is.
fn demands(given: &BTreeMap<String, Json>, scenario: &Scenario<'_>) -> Result<Vec<Demand>> {
    if given.is_empty() {
        return Ok(vec![Demand { reaction: super::dfba::growth_reaction(None, scenario)?, least: GROWTH }]);
    }
    let mut demands = Vec::new();
    for (id, least) in given {
        let field = format!("demands.{id}");
        let reaction = scenario.reaction_named(id).map_err(|e| e.at(Place::field(&field)))?;
        demands.push(Demand { reaction, least: number(least, &field)? });
    }
    Ok(demands)
}

fn told(scenario: &Scenario<'_>, least: &LeastImport, open: &[usize]) -> Medium {
    Medium {
        uptakes: least.imports.iter().map(|(j, v)| (name_of(scenario, *j), *v)).collect(),
        open: open.iter().map(|j| name_of(scenario, *j)).collect(),
        total: least.total,
    }
}

async fn find_media(context: Context, input: Input) -> Result<Media> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let model = loaded.model();
        let mut scenario = input.edits().over(model)?;
        let imports: Vec<usize> = match input.imports.as_slice() {
            [] => model.exchanges(),
            named => {
                let found = named.iter().map(|id| scenario.reaction_named(id)).collect::<Result<_>>();
                found.map_err(|e| e.at(Place::field("imports")))?
            }
        };
        if let Some(open) = input.open {
            for &j in &imports {
                let (lower, upper) = scenario.bounds_set(j);
                let up = scenario.reaction(j).is_some_and(|r| r.stoichiometry.iter().all(|t| t.1 > 0.0));
                let (lower, upper) = if up { (lower, upper.max(open)) } else { (lower.min(-open), upper) };
                let id = name_of(&scenario, j);
                scenario.set_bounds(&id, lower, upper).map_err(|e| e.at(Place::field("open")))?;
            }
        }
        let task = ImportTask {
            demands: demands(&input.demands, &scenario)?,
            imports,
            alternatives: input.alternatives,
            max_programmes: input.max_programmes,
        };
        let network = scenario.network()?;
        let mut answer = Media {
            status: Status::Optimal,
            flux_unit: FLUX_UNIT.into(),
            media: Vec::new(),
            complete: true,
            bound: None,
            programmes: 0,
            trouble: None,
            findings: loaded.reading().findings.clone(),
        };
        let failed = if input.least {
            match analyse::least_import(&network, &task)? {
                Ok(least) => {
                    let open: Vec<usize> = least.imports.iter().map(|i| i.0).collect();
                    (answer.media, answer.programmes) = (vec![told(&scenario, &least, &open)], 1);
                    None
                }
                Err(outcome) => Some(outcome),
            }
        } else {
            match analyse::fewest_imports(&network, &task)? {
                Ok(found) => {
                    answer.media = found.media.iter().map(|m| told(&scenario, &m.least, &m.open)).collect();
                    (answer.complete, answer.bound, answer.programmes) = (found.complete, found.bound, found.programmes);
                    None
                }
                Err(outcome) => Some(outcome),
            }
        };
        if let Some(outcome) = failed {
            (answer.status, answer.trouble) = standing(&outcome, &scenario);
        }
        Ok(answer)
    })
    .await
}

async fn fill(context: Context, input: FillInput) -> Result<Fills> {
    let loaded = load(&context, &input.model).await?;
    let other = load_field(&context, &input.universe, "universe").await?;
    apart(move || {
        let mut scenario = input.edits().over(loaded.model())?;
        let universe = other.model();
        let mut candidates = Vec::new();
        for (j, boundary) in universe.boundaries().iter().enumerate() {
            let reaction = &universe.reactions[j];
            if boundary.is_some() || scenario.reaction_named(&reaction.id).is_ok() || reaction.stoichiometry.is_empty() {
                continue;
            }
            let weight = match input.weights.get(&reaction.id) {
                Some(given) => number(given, &format!("weights.{}", reaction.id))?,
                None => 1.0,
            };
            let name = |m: usize| universe.metabolites[m].id.clone();
            scenario.add_reaction(&Addition {
                id: reaction.id.clone(),
                name: reaction.name.clone(),
                stoichiometry: reaction.stoichiometry.iter().map(|t| (name(t.0), t.1)).collect(),
                lower: reaction.lower.min(0.0),
                upper: reaction.upper.max(0.0),
            })?;
            candidates.push(Candidate { reaction: scenario.reaction_count() - 1, weight });
        }
        if candidates.is_empty() {
            return Err(Error::input("E-FLUX-149", "加えられる反応がありません", "there is no reaction to add")
                .at(Place::field("universe"))
                .hint(
                    "このモデルにない反応を持ち、代謝物の識別子が同じモデルを渡してください",
                    "give a model with reactions that this one lacks, and the same identifiers of metabolites",
                ));
        }
        let offered = candidates.len();
        let task = FillTask {
            demands: demands(&input.demands, &scenario)?,
            candidates,
            alternatives: input.alternatives,
            max_programmes: input.max_programmes,
        };
        let mut findings = loaded.reading().findings.clone();
        findings.extend(other.reading().findings.iter().cloned());
        let mut answer = Fills {
            status: Status::Optimal,
            flux_unit: FLUX_UNIT.into(),
            offered,
            fills: Vec::new(),
            complete: true,
            bound: None,
            programmes: 0,
            trouble: None,
            findings,
        };
        match analyse::fill_gaps(&scenario.network()?, &task)? {
            Ok(found) => {
                (answer.complete, answer.bound, answer.programmes) = (found.complete, found.bound, found.programmes);
                let added =
                    |fill: &analyse::Fill| fill.reactions.iter().map(|j| (name_of(&scenario, *j), fill.fluxes[*j])).collect();
                answer.fills = found.fills.iter().map(|fill| Fill { added: added(fill), weight: fill.weight }).collect();
            }
            Err(outcome) => (answer.status, answer.trouble) = standing(&outcome, &scenario),
        }
        Ok(answer)
    })
    .await
}
