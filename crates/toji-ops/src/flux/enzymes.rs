//! `flux enzymes`: the optimum when protein is limited and every flux costs enzyme.

use super::fba::{certificate, named};
use super::source::load;
use super::{Certificate, FLUX_UNIT, Objective, Status, Trouble, apart, edited, objective_of, standing};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::analyse::{self, Encoding, EnzymeTask, Usage};
use toji_flux::model::Scenario;

/// How enzymes are written into the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FluxEncoding")]
enum Form {
    /// A row for each enzyme, isozymes side by side (GECKO).
    ///
    /// 酵素ごとに行を設け、アイソザイムを並べる（GECKO）。
    Classic,
    /// One row, the pool, with the cheapest isozyme (GECKO light).
    ///
    /// 総量の一行だけで、最も安いアイソザイムを使う（GECKO light）。
    #[default]
    Light,
    /// As light, with a row for each enzyme whose amount was measured (sMOMENT).
    ///
    /// light に、量の測定された酵素の行を加える（sMOMENT）。
    Smoment,
}

/// Which way of a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FluxWay")]
enum Way {
    /// As the reaction is written.
    ///
    /// 書かれた向き。
    #[default]
    Forward,
    /// Against it.
    ///
    /// 逆の向き。
    Backward,
}

/// An enzyme, or a subunit of one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FluxEnzyme")]
struct Enzyme {
    /// Mass, kDa.
    ///
    /// 質量（kDa）。
    mass_kda: f64,
    /// Greatest amount that was measured, mmol per gram of dry mass.
    ///
    /// 測定された最大量（乾燥菌体 1 g あたり mmol）。
    #[serde(default)]
    measured_mmol_per_g: Option<f64>,
}

/// A turnover number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FluxTurnover")]
struct Turnover {
    /// Reaction.
    ///
    /// 反応。
    reaction: String,
    /// Which way.
    ///
    /// 向き。
    #[serde(default)]
    way: Way,
    /// Turnovers per second.
    ///
    /// 1 秒あたりの代謝回転数。
    kcat_per_s: f64,
    /// Enzymes of the complex, and how many of each.
    ///
    /// 複合体の酵素と、それぞれの数。
    subunits: BTreeMap<String, f64>,
}

edited! {
    /// Input of `flux enzymes`.
    struct Input {
        /// Enzymes by identifier.
        ///
        /// 酵素。識別子ごとに指定する。
        enzymes: BTreeMap<String, Enzyme>,
        /// Turnover numbers; several for one reaction and way are isozymes.
        ///
        /// 代謝回転数。同じ反応・向きに複数あればアイソザイム。
        turnovers: Vec<Turnover>,
        /// Protein that can be had for these enzymes, g per gram of dry mass.
        ///
        /// これらの酵素に使えるタンパク質（乾燥菌体 1 g あたり g）。
        pool_g_per_g: f64,
        /// Average share of its turnover at which an enzyme works.
        ///
        /// 酵素が働く割合の平均（代謝回転数に対する）。
        #[serde(default = "whole")]
        saturation: f64,
        /// How enzymes are written into the network.
        ///
        /// 酵素の組み入れ方。
        #[serde(default)]
        encoding: Form,
    }
}

fn whole() -> f64 {
    1.0
}

/// How much a turnover number matters.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxTurnoverControl")]
struct Control {
    /// Reaction.
    reaction: String,
    /// Which way.
    way: Way,
    /// Relative change of the objective with a relative change of the turnover number.
    control: f64,
}

/// Output of `flux enzymes`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxWithEnzymes")]
struct Solved {
    /// Is there an optimum?
    status: Status,
    /// Objective and value.
    objective: Objective,
    /// Protein in use, g per gram of dry mass.
    pool_used_g_per_g: Option<f64>,
    /// Relative change of the objective with a relative change of the pool.
    pool_control: Option<f64>,
    /// Usage of each enzyme.
    usage: BTreeMap<String, Usage>,
    /// Turnover numbers that matter, most first.
    control: Vec<Control>,
    /// Unit of the fluxes, UCUM.
    flux_unit: String,
    /// Flux of each reaction.
    fluxes: BTreeMap<String, f64>,
    /// How far the numbers are from a perfect proof.
    certificate: Option<Certificate>,
    /// Why there is no optimum.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux enzymes",
            label: ["酵素量の制約", "Enzyme constraints"],
            about: [
                "酵素に使えるタンパク質に限りがあるときの最適な流束を、代謝回転数と分子量から求めます（GECKO、sMOMENT）。各酵素の使用量と、総量・代謝回転数が目的をどれだけ左右するかを付けます。",
                "Finds the optimum when the protein for enzymes is limited, from turnover numbers and masses (GECKO, sMOMENT), with the usage of each enzyme and how much the pool and each turnover number matter.",
            ],
            positional: &["model"],
            example: "toji flux enzymes m.xml --enzymes @e.json --turnovers @k.json --pool-g-per-g 0.1",
        },
        Effect::Read,
        solve,
    )
    .long()
}

fn task(input: &Input, scenario: &Scenario<'_>) -> Result<EnzymeTask> {
    let ids: Vec<&String> = input.enzymes.keys().collect();
    let mut turnovers = Vec::new();
    for (at, turnover) in input.turnovers.iter().enumerate() {
        let field = format!("turnovers[{at}]");
        let mut subunits = Vec::new();
        for (id, count) in &turnover.subunits {
            let Ok(place) = ids.binary_search(&id) else {
                return Err(Error::not_found(
                    "E-FLUX-150",
                    format!("酵素 {id} がありません"),
                    format!("there is no enzyme {id}"),
                )
                .at(Place::field(field))
                .hint("enzymes に加えてください", "add it to enzymes"));
            };
            subunits.push((place, *count));
        }
        turnovers.push(analyse::Turnover {
            reaction: scenario.reaction_named(&turnover.reaction).map_err(|e| e.at(Place::field(&field)))?,
            way: if turnover.way == Way::Forward { analyse::Way::Forward } else { analyse::Way::Backward },
            kcat_per_s: turnover.kcat_per_s,
            subunits,
        });
    }
    let enzyme = |(id, e): (&String, &Enzyme)| analyse::Enzyme {
        id: id.clone(),
        mass_kda: e.mass_kda,
        measured_mmol_per_g: e.measured_mmol_per_g,
    };
    Ok(EnzymeTask {
        enzymes: input.enzymes.iter().map(enzyme).collect(),
        turnovers,
        pool_g_per_g: input.pool_g_per_g,
        saturation: input.saturation,
        encoding: match input.encoding {
            Form::Classic => Encoding::Classic,
            Form::Light => Encoding::Light,
            Form::Smoment => Encoding::Smoment,
        },
    })
}

async fn solve(context: Context, input: Input) -> Result<Solved> {
    /// Control below this is none.
    const NONE: f64 = 1e-9;
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let task = task(&input, &scenario)?;
        let found = analyse::with_enzymes(&scenario.network()?, &task)?.solve()?;
        let mut answer = Solved {
            status: Status::Optimal,
            objective: Objective { id: objective_of(&scenario), value: None, unit: FLUX_UNIT.into() },
            pool_used_g_per_g: None,
            pool_control: None,
            usage: BTreeMap::new(),
            control: Vec::new(),
            flux_unit: FLUX_UNIT.into(),
            fluxes: BTreeMap::new(),
            certificate: None,
            trouble: None,
            findings: loaded.reading().findings.clone(),
        };
        match found {
            Ok(best) => {
                answer.objective.value = Some(best.objective);
                answer.fluxes = named(&scenario, &best.fluxes);
                answer.usage = input.enzymes.keys().cloned().zip(best.usage).collect();
                (answer.pool_used_g_per_g, answer.pool_control) = (Some(best.pool_used), Some(best.pool_control));
                answer.certificate = Some(certificate(&best.optimum, None));
                let told = input.turnovers.iter().zip(&best.control).filter(|(_, c)| c.abs() > NONE);
                answer.control = told.map(|(t, c)| Control { reaction: t.reaction.clone(), way: t.way, control: *c }).collect();
                answer.control.sort_by(|a, b| b.control.abs().total_cmp(&a.control.abs()));
            }
            Err(outcome) => (answer.status, answer.trouble) = standing(&outcome, &scenario),
        }
        Ok(answer)
    })
    .await
}
