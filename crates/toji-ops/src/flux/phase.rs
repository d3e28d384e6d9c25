//! `flux phase`: the best objective over two fluxes, in parts with the same limits.

use super::source::load;
use super::{FLUX_UNIT, Status, Trouble, apart, edited, name_of, objective_of, standing};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Place, Result};
use toji_flux::analyse;

edited! {
    /// Input of `flux phase`.
    struct Input {
        /// First reaction, as a rule the exchange of a substrate.
        ///
        /// 第一の反応（ふつうは基質の交換反応）。
        first: String,
        /// Second reaction, as a rule the exchange of oxygen.
        ///
        /// 第二の反応（ふつうは酸素の交換反応）。
        second: String,
    }
}

/// A corner.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxPhaseCorner")]
struct Corner {
    /// Flux of the first reaction.
    first: f64,
    /// Flux of the second reaction.
    second: f64,
    /// Best objective there.
    best: Option<f64>,
}

/// A part of the plane with one set of shadow prices.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxPhaseOfPlane")]
struct Part {
    /// Share of the area of all that is feasible.
    share: f64,
    /// Change of the best objective for each unit of the first and of the second flux.
    slopes: [f64; 2],
    /// Corners in order around it.
    corners: Vec<Corner>,
    /// Change of the objective with one mmol/g/h more of each metabolite that limits it.
    shadow_prices: BTreeMap<String, f64>,
}

/// Output of `flux phase`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxPhasePlane")]
struct Plane {
    /// Are there fluxes?
    status: Status,
    /// Objective.
    objective: String,
    /// First reaction.
    first: String,
    /// Second reaction.
    second: String,
    /// Unit of both, UCUM.
    flux_unit: String,
    /// Corners of all that is feasible, in order around it.
    region: Vec<Corner>,
    /// Phases, the largest first.
    phases: Vec<Part>,
    /// Linear programmes that had to be solved.
    programmes: usize,
    /// Why there is no plane.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux phase",
            label: ["表現型の相平面", "Phase plane"],
            about: [
                "二つの流束（たとえば糖と酸素の取込み）の平面で、最良の増殖を、律速が同じ領域（相）ごとに正確な境界で求めます。相ごとに、流束を増やしたときの増殖の傾きと、律速となる代謝物の双対価格を付けます。",
                "Finds the best growth over the plane of two fluxes, uptake of sugar and oxygen for instance, in phases with the same limits and exact borders. Each phase comes with the change of growth by either flux and the shadow prices of what limits it.",
            ],
            positional: &["model", "first", "second"],
            example: "toji flux phase e_coli_core.xml.gz EX_glc__D_e EX_o2_e",
        },
        Effect::Read,
        plane,
    )
    .long()
}

async fn plane(context: Context, input: Input) -> Result<Plane> {
    /// Prices below this say nothing.
    const NOTHING: f64 = 1e-9;
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let first = scenario.reaction_named(&input.first).map_err(|e| e.at(Place::field("first")))?;
        let second = scenario.reaction_named(&input.second).map_err(|e| e.at(Place::field("second")))?;
        let mut answer = Plane {
            status: Status::Optimal,
            objective: objective_of(&scenario),
            first: name_of(&scenario, first),
            second: name_of(&scenario, second),
            flux_unit: FLUX_UNIT.into(),
            region: Vec::new(),
            phases: Vec::new(),
            programmes: 0,
            trouble: None,
            findings: loaded.reading().findings.clone(),
        };
        match analyse::phase_plane(&scenario.network()?, first, second)? {
            Ok(found) => {
                let corner = |&(first, second): &(f64, f64), best: Option<f64>| Corner { first, second, best };
                answer.region = found.region.iter().map(|c| corner(c, None)).collect();
                answer.programmes = found.programmes;
                for phase in found.phases {
                    let prices = phase.prices.iter().enumerate().filter(|(_, price)| price.abs() > NOTHING);
                    answer.phases.push(Part {
                        share: phase.share,
                        slopes: [phase.slopes.0, phase.slopes.1],
                        corners: phase.corners.iter().zip(&phase.values).map(|(c, v)| corner(c, Some(*v))).collect(),
                        shadow_prices: prices
                            .filter_map(|(i, price)| scenario.metabolite(i).map(|m| (m.id.clone(), *price)))
                            .collect(),
                    });
                }
            }
            Err(outcome) => (answer.status, answer.trouble) = standing(&outcome, &scenario),
        }
        Ok(answer)
    })
    .await
}
