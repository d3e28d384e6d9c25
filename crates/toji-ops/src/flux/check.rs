//! `flux check`: what a model holds, and what a careful reader would look at before believing its fluxes.

use super::source::load;
use super::{FLUX_UNIT, Objective, Status, Trouble, apart, objective_of, standing, threads};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Result};
use toji_flux::io::any::Format;
use toji_flux::lp::Outcome;
use toji_flux::model::Scenario;
use toji_flux::model::health::{Consistency, Structure, consistency, structure};

/// Input of `flux check`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the path of a file (SBML, COBRA JSON or YAML, MATLAB, COMBINE archive; also packed with gzip), or its address after an
    /// upload.
    ///
    /// モデル：ファイルの場所（SBML、COBRA の JSON・YAML、MATLAB、COMBINE アーカイブ。gzip 圧縮も可）、または送信後のアドレス。
    model: String,
    /// Leave out what needs linear programmes: masses, energy from nothing, blocked reactions.
    ///
    /// 線形計画を要する点検（質量、無からのエネルギー、流れない反応）を省く。
    #[serde(default)]
    quick: bool,
}

/// Output of `flux check`.
#[derive(Debug, Serialize, JsonSchema)]
struct Checked {
    /// File.
    file: String,
    /// Format, told by content.
    format: String,
    /// Identifier of the model.
    id: String,
    /// Metabolites.
    metabolites: usize,
    /// Reactions.
    reactions: usize,
    /// Genes.
    genes: usize,
    /// Does the objective have an optimum?
    status: Status,
    /// Objective and its optimum.
    objective: Objective,
    /// Why there is no optimum.
    trouble: Option<Trouble>,
    /// What the medium of the model offers: greatest uptake of each exchange, mmol/g/h.
    uptake_limits: BTreeMap<String, f64>,
    /// Unit of uptakes, UCUM.
    flux_unit: String,
    /// What is found without a linear programme.
    structure: Structure,
    /// What is found with linear programmes.
    consistency: Option<Consistency>,
    /// What to look at in the file, and what of it is not kept.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux check",
            label: ["代謝モデルの点検", "Check a metabolic model"],
            about: [
                "代謝モデルのファイルを読み、健全さを点検します。元素と電荷の収支、行き止まり、重複、流れない反応、無からのエネルギー、質量の整合、注釈の網羅率を調べ、読み取らなかった箇所も挙げます。",
                "Reads the file of a metabolic model and checks its health: balances of elements and charge, dead ends, duplicates, blocked reactions, energy from nothing, consistent masses, coverage of annotations. What was not read is listed too.",
            ],
            positional: &["model"],
            example: "toji flux check iJO1366.xml.gz",
        },
        Effect::Read,
        check,
    )
    .long()
}

async fn check(context: Context, input: Input) -> Result<Checked> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let model = loaded.model();
        let scenario = Scenario::new(model);
        let outcome = loaded.fba(&scenario.network()?)?;
        let (status, trouble) = standing(&outcome, &scenario);
        let value = match &outcome {
            Outcome::Optimal(optimum) => Some(optimum.objective),
            _ => None,
        };
        let format = match loaded.format() {
            Format::Sbml => "SBML",
            Format::Json => "COBRA JSON",
            Format::Yaml => "COBRA YAML",
            Format::Omex => "COMBINE archive",
            Format::Mat => "MATLAB",
            Format::Gzip | Format::Other => "?",
        };
        Ok(Checked {
            file: loaded.file.clone(),
            format: format.to_owned(),
            id: model.id.clone(),
            metabolites: model.metabolites.len(),
            reactions: model.reactions.len(),
            genes: model.genes.len(),
            status,
            objective: Objective { id: objective_of(&scenario), value, unit: FLUX_UNIT.into() },
            trouble,
            uptake_limits: scenario.medium(),
            flux_unit: FLUX_UNIT.into(),
            structure: structure(model),
            consistency: if input.quick { None } else { Some(consistency(model, threads())?) },
            findings: loaded.reading().findings.clone(),
        })
    })
    .await
}
