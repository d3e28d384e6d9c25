//! `flux moma`: what a strain does right after a change, before it has adapted.

use super::fba::named;
use super::source::load;
use super::{FLUX_UNIT, Status, Trouble, apart, edited, name_of, number, objective_of, standing};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::analyse::{self, Switching};
use toji_flux::lp::Outcome;
use toji_flux::model::Scenario;

/// What counts as near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "FluxAdjustMethod")]
enum Method {
    /// The sum of the squared differences (MOMA).
    ///
    /// 差の二乗和が最小（MOMA）。
    #[default]
    Quadratic,
    /// The sum of the absolute differences (linear MOMA).
    ///
    /// 差の絶対値の和が最小（線形 MOMA）。
    Linear,
    /// The number of reactions that differ by more than the tolerance (ROOM), as few as can be.
    ///
    /// 許容差を超えて変わる反応の数が最小（ROOM）。
    Room,
    /// The linear relaxation of ROOM.
    ///
    /// ROOM の線形緩和。
    RoomRelaxed,
}

edited! {
    /// Input of `flux moma`.
    struct Input {
        /// What counts as near.
        ///
        /// 近さの測り方。
        #[serde(default)]
        method: Method,
        /// Fluxes before the change, mmol/g/h, all of them; the least fluxes at the optimum (`flux pfba`) of the model as it is when
        /// missing.
        ///
        /// 変化前の流束（mmol/g/h、すべての反応）。省略時は元のモデルの最小流束の最適解（flux pfba）。
        #[serde(default)]
        reference: BTreeMap<String, Json>,
        /// Share of its reference by which a flux may differ and still count as unchanged (ROOM).
        ///
        /// 変化とみなさない差の、基準の流束に対する割合（ROOM）。
        #[serde(default = "delta")]
        delta: f64,
        /// Difference that never counts, mmol/g/h (ROOM).
        ///
        /// 変化とみなさない差（mmol/g/h、ROOM）。
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Most linear programmes of the search (ROOM).
        ///
        /// 探索で解く線形計画の最大数（ROOM）。
        #[serde(default = "nodes")]
        max_nodes: usize,
    }
}

fn delta() -> f64 {
    Switching::default().delta
}
fn epsilon() -> f64 {
    Switching::default().epsilon
}
fn nodes() -> usize {
    Switching::default().max_nodes
}

/// Output of `flux moma`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxAdjusted")]
struct Adjusted {
    /// Are there fluxes after the change?
    status: Status,
    /// What counts as near.
    method: Method,
    /// What the model is asked to make large or small.
    objective: String,
    /// Its value before the change.
    before: Option<f64>,
    /// Its value right after the change.
    after: Option<f64>,
    /// How far the fluxes are from those before: sum of squares or of absolute differences; none for ROOM.
    distance: Option<f64>,
    /// Reactions whose flux changed by more than the tolerance (ROOM).
    changed: Vec<String>,
    /// Is it proved that no fewer change (ROOM)? No flux of MOMA is off by more than `error`.
    proved: Option<bool>,
    /// No flux is farther than this from the exact answer (MOMA), mmol/g/h.
    error: Option<f64>,
    /// Unit of the fluxes, UCUM.
    flux_unit: String,
    /// Fluxes right after the change.
    fluxes: BTreeMap<String, f64>,
    /// Why there are none.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux moma",
            label: ["変化直後の流束", "Fluxes right after a change"],
            about: [
                "欠失などの変化の直後、適応する前の流束を求めます。変化前の流束に最も近いものを、二乗和（MOMA）、絶対値の和（線形 MOMA）、または変わる反応の数（ROOM）で選びます。",
                "Finds the fluxes of a strain right after a change, before it has adapted: those nearest to the fluxes before, by the sum of squares (MOMA), of absolute differences (linear MOMA), or by the number of reactions that change (ROOM).",
            ],
            positional: &["model"],
            example: "toji flux moma e_coli_core.xml.gz --knock-out b0720 --method room",
        },
        Effect::Read,
        adjust,
    )
    .long()
}

/// The fluxes before the change: those given, or the least at the optimum of the model as it is.
fn reference(input: &Input, own: &Scenario<'_>) -> Result<std::result::Result<Vec<f64>, Outcome>> {
    if input.reference.is_empty() {
        return Ok(analyse::pfba(&own.network()?, 1.0)?.map(|least| least.fluxes));
    }
    let mut fluxes: Vec<Option<f64>> = vec![None; own.reaction_count()];
    for (id, given) in &input.reference {
        let field = format!("reference.{id}");
        let at = own.reaction_named(id).map_err(|e| e.at(Place::field(&field)))?;
        if let Some(slot) = fluxes.get_mut(at) {
            *slot = Some(number(given, &field)?);
        }
    }
    match fluxes.iter().position(Option::is_none) {
        None => Ok(Ok(fluxes.into_iter().flatten().collect())),
        Some(at) => {
            let id = name_of(own, at);
            Err(Error::input("E-FLUX-146", format!("{id} の流束がありません"), format!("the flux of {id} is missing"))
                .at(Place::field("reference"))
                .hint(
                    "すべての反応の流束を渡すか、reference を省いてください",
                    "give the flux of every reaction, or leave reference out",
                ))
        }
    }
}

async fn adjust(context: Context, input: Input) -> Result<Adjusted> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let own = Scenario::new(loaded.model());
        let mut answer = Adjusted {
            status: Status::Optimal,
            method: input.method,
            objective: objective_of(&scenario),
            before: None,
            after: None,
            distance: None,
            changed: Vec::new(),
            proved: None,
            error: None,
            flux_unit: FLUX_UNIT.into(),
            fluxes: BTreeMap::new(),
            trouble: None,
            findings: loaded.reading().findings.clone(),
        };
        let before = match reference(&input, &own)? {
            Ok(fluxes) => fluxes,
            Err(outcome) => {
                (answer.status, answer.trouble) = standing(&outcome, &own);
                return Ok(answer);
            }
        };
        let network = scenario.network()?;
        answer.before = Some(network.objective.iter().zip(&before).map(|(c, v)| c * v).sum());
        let switching = |exact: bool| Switching { delta: input.delta, epsilon: input.epsilon, exact, max_nodes: input.max_nodes };
        let found = match input.method {
            Method::Quadratic => analyse::moma(&network, &before)?.map(|near| {
                (answer.distance, answer.error) = (Some(near.distance), Some(near.error));
                (near.objective, near.fluxes)
            }),
            Method::Linear => analyse::linear_moma(&network, &before)?.map(|near| {
                answer.distance = Some(near.distance);
                (near.objective, near.fluxes)
            }),
            Method::Room | Method::RoomRelaxed => analyse::room(&network, &before, &switching(input.method == Method::Room))?
                .map(|near| {
                    answer.proved = Some(near.optimal);
                    answer.changed = near.changed.iter().map(|j| name_of(&scenario, *j)).collect();
                    (near.objective, near.fluxes)
                }),
        };
        match found {
            Ok((objective, fluxes)) => {
                answer.after = Some(objective);
                answer.fluxes = named(&scenario, &fluxes);
            }
            Err(outcome) => (answer.status, answer.trouble) = standing(&outcome, &scenario),
        }
        Ok(answer)
    })
    .await
}
