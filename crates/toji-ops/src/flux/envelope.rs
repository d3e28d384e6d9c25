//! `flux envelope`: how much of one flux is possible at each value of another, as a production envelope shows it.

use super::source::load;
use super::{FLUX_UNIT, Status, Trouble, apart, edited, name_of, standing};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::analyse;

edited! {
    /// Input of `flux envelope`.
    struct Input {
        /// Reaction whose reach is asked for, e.g. the exchange of a product.
        ///
        /// 範囲を求める反応（製品の交換反応など）。
        target: String,
        /// Reaction along which it is asked for; the objective when missing.
        ///
        /// 横軸の反応。省略時は目的の反応。
        #[serde(default)]
        along: Option<String>,
    }
}

/// A break point; between break points the envelope is a straight line.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxBreakPoint")]
struct BreakPoint {
    /// Flux along which the reach was asked for.
    along: f64,
    /// Flux of the target.
    target: f64,
}

/// Output of `flux envelope`.
#[derive(Debug, Serialize, JsonSchema)]
struct Reach {
    /// Are there fluxes at all?
    status: Status,
    /// Reaction along which the reach was asked for.
    along: String,
    /// Reaction whose reach it is.
    target: String,
    /// Unit of both, UCUM.
    flux_unit: String,
    /// Break points of the greatest flux of the target.
    greatest: Vec<BreakPoint>,
    /// Break points of the least flux of the target.
    least: Vec<BreakPoint>,
    /// Linear programmes that had to be solved.
    programmes: usize,
    /// Why there is no envelope.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux envelope",
            label: ["生産の包絡線", "Production envelope"],
            about: [
                "増殖（または指定の反応）のそれぞれの値で、目的産物の流束が取りうる最大と最小を、折れ点を省かずに求めます。最小が増殖とともに上がれば、生産は増殖と結び付いています。",
                "Finds the greatest and the least flux of a product at each value of growth, or of another reaction, with the exact break points. Where the least rises with growth, production is coupled to it.",
            ],
            positional: &["model", "target"],
            example: "toji flux envelope e_coli_core.xml.gz EX_ac_e --knock-out b0903",
        },
        Effect::Read,
        envelope,
    )
    .long()
}

async fn envelope(context: Context, input: Input) -> Result<Reach> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let target = scenario.reaction_named(&input.target).map_err(|e| e.at(Place::field("target")))?;
        let along = match &input.along {
            Some(along) => scenario.reaction_named(along).map_err(|e| e.at(Place::field("along")))?,
            None => match scenario.objective().map(|objective| objective.terms.as_slice()) {
                Some([(only, _)]) => *only,
                _ => {
                    return Err(Error::input(
                        "E-FLUX-058",
                        "横軸の反応を指定してください。モデルの目的は単独の反応ではありません",
                        "name the reaction along which to look: the objective of the model is not one reaction",
                    )
                    .at(Place::field("along"))
                    .hint("例: --along BIOMASS_Ecoli_core_w_GAM", "example: --along BIOMASS_Ecoli_core_w_GAM"));
                }
            },
        };
        let mut reach = Reach {
            status: Status::Optimal,
            along: name_of(&scenario, along),
            target: name_of(&scenario, target),
            flux_unit: FLUX_UNIT.into(),
            greatest: Vec::new(),
            least: Vec::new(),
            programmes: 0,
            trouble: None,
            findings: loaded.reading().findings.clone(),
        };
        match analyse::envelope(&scenario.network()?, along, target)? {
            Ok(found) => {
                let points =
                    |side: Vec<(f64, f64)>| side.into_iter().map(|(along, target)| BreakPoint { along, target }).collect();
                (reach.greatest, reach.least, reach.programmes) = (points(found.upper), points(found.lower), found.programmes);
            }
            Err(outcome) => (reach.status, reach.trouble) = standing(&outcome, &scenario),
        }
        Ok(reach)
    })
    .await
}
