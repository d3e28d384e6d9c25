//! `flux targets`: which fluxes rise and which fall as a product is forced up.

use super::dfba::growth_reaction;
use super::source::load;
use super::{FLUX_UNIT, Status, Trouble, apart, edited, name_of, standing, threads};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use toji_core::{Diagnostic, Place, Result};
use toji_flux::design::{self, ScanTask, Trend};
use toji_flux::model::Gpr;

edited! {
    /// Input of `flux targets`.
    struct Input {
        /// Reaction whose flux is forced up, e.g. the exchange of a product.
        ///
        /// 流束を強制的に上げる反応（生成物の交換反応など）。
        product: String,
        /// Growth reaction; the objective when missing.
        ///
        /// 増殖の反応。省略時は目的の反応。
        #[serde(default)]
        growth: Option<String>,
        /// Even steps from the product at best growth to the end; break points are added.
        ///
        /// 最良の増殖のときの生産から終点までの等間隔の段数。折れ点は加わる。
        #[serde(default = "ten")]
        steps: usize,
        /// The end as a share of the greatest product.
        ///
        /// 終点。最大の生産に対する割合。
        #[serde(default = "most")]
        reach: f64,
        /// Also the ranges of the fluxes (FVSEOF).
        ///
        /// 流束の幅も求める（FVSEOF）。
        #[serde(default)]
        ranges: bool,
    }
}

fn ten() -> usize {
    10
}
fn most() -> f64 {
    0.9
}

/// A reaction that follows the product.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxTarget")]
struct Target {
    /// Reaction.
    reaction: String,
    /// Its genes.
    genes: Vec<String>,
    /// What it is a target for.
    trend: Trend,
    /// Change of its absolute flux for each unit of product.
    slope: f64,
    /// +1: it only rises; −1: it only falls.
    monotony: f64,
    /// Change of the absolute middle of its range for each unit of product.
    middle: Option<f64>,
    /// Change of the width of its range for each unit of product.
    width: Option<f64>,
    /// Flux at each step.
    values: Vec<f64>,
}

/// Output of `flux targets`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxTargets")]
struct Targets {
    /// Are there fluxes?
    status: Status,
    /// Reaction whose flux was forced up.
    product_of: String,
    /// Growth reaction.
    growth_of: String,
    /// Unit of the fluxes, UCUM.
    flux_unit: String,
    /// Product at each step.
    product: Vec<f64>,
    /// Best growth at each step.
    growth: Vec<f64>,
    /// Reactions that follow the product, those that rise first, the steepest first.
    targets: Vec<Target>,
    /// Why there is no answer.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux targets",
            label: ["発現調節の標的", "Targets of expression"],
            about: [
                "生産を段階的に強制したとき、ともに上がる流束（発現強化の標的）と下がる・なくなる流束（抑制・欠失の標的）を求めます（FSEOF、FVSEOF）。増殖との折れ点をすべて段に含めます。",
                "Forces a product up step by step and finds the fluxes that rise with it (to be expressed more strongly) and those that fall or end (to be repressed or removed): FSEOF and FVSEOF. Every break point of the trade-off with growth is among the steps.",
            ],
            positional: &["model", "product"],
            example: "toji flux targets iJO1366.xml.gz EX_succ_e --bounds '{\"EX_o2_e\": [0, 1000]}'",
        },
        Effect::Read,
        scan,
    )
    .long()
}

async fn scan(context: Context, input: Input) -> Result<Targets> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let model = loaded.model();
        let scenario = input.edits().over(model)?;
        let growth = growth_reaction(input.growth.as_ref(), &scenario)?;
        let product = scenario.reaction_named(&input.product).map_err(|e| e.at(Place::field("product")))?;
        let task = ScanTask { growth, product, steps: input.steps, reach: input.reach, ranges: input.ranges, threads: threads() };
        let mut answer = Targets {
            status: Status::Optimal,
            product_of: name_of(&scenario, product),
            growth_of: name_of(&scenario, growth),
            flux_unit: FLUX_UNIT.into(),
            product: Vec::new(),
            growth: Vec::new(),
            targets: Vec::new(),
            trouble: None,
            findings: loaded.reading().findings.clone(),
        };
        match design::scan(&scenario.network()?, &task)? {
            Ok(found) => {
                (answer.product, answer.growth) = (found.product, found.growth);
                for (at, follow) in found.reactions.into_iter().enumerate().take(scenario.reaction_count()) {
                    if follow.trend == Trend::None {
                        continue;
                    }
                    let genes = scenario.reaction(at).and_then(|r| r.gpr.as_ref()).map(Gpr::genes).unwrap_or_default();
                    answer.targets.push(Target {
                        reaction: name_of(&scenario, at),
                        genes: genes.iter().filter_map(|g| model.genes.get(*g).map(|g| g.id.clone())).collect(),
                        trend: follow.trend,
                        slope: follow.slope,
                        monotony: follow.monotony,
                        middle: follow.middle,
                        width: follow.width,
                        values: follow.fluxes,
                    });
                }
                answer.targets.sort_by(|a, b| {
                    a.trend
                        .cmp(&b.trend)
                        .then_with(|| b.slope.abs().total_cmp(&a.slope.abs()))
                        .then_with(|| a.reaction.cmp(&b.reaction))
                });
            }
            Err(outcome) => (answer.status, answer.trouble) = standing(&outcome, &scenario),
        }
        Ok(answer)
    })
    .await
}
