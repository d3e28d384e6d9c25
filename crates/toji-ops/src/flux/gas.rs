//! `flux gas`: an optimum looked at as that of cells that live on gas.

use super::source::load;
use super::{FLUX_UNIT, Objective, Status, Trouble, apart, edited, objective_of, standing};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use toji_core::{Diagnostic, Result};
use toji_flux::analyse;
use toji_flux::gas::{self, GasTask, Report};

edited! {
    /// Input of `flux gas`.
    struct Input {
        /// Product, biomass, compounds and vessel.
        ///
        /// 生成物、菌体、成分、培養槽。
        #[serde(default)]
        task: GasTask,
    }
}

/// Output of `flux gas`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxGasAnswer")]
struct Looked {
    /// Is there an optimum?
    status: Status,
    /// Objective and value.
    objective: Objective,
    /// Net conversion, heat, gas asked for, transfer and the place between the limits of flammability.
    report: Option<Report>,
    /// Why there is no optimum.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux gas",
            label: ["ガスで育つ細胞の収支", "Cells that live on gas"],
            about: [
                "水素・二酸化炭素・酸素などのガスで育つ細胞について、最適な流束（最小流束）から、正味の変換、元素の収支、発熱、必要なガスと物質移動、混合ガスの可燃限界との位置を求めます。",
                "For cells that live on gases such as hydrogen, carbon dioxide and oxygen: net conversion, balances of elements, heat, the gas asked for and the transfer that takes, and where the gas stands between the limits of flammability, from the optimum of least fluxes.",
            ],
            positional: &["model"],
            example: "toji flux gas RehMBEL1391.json --bounds @gas.json --task @task.json",
        },
        Effect::Read,
        look,
    )
    .long()
}

async fn look(context: Context, input: Input) -> Result<Looked> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let model = loaded.model();
        let scenario = input.edits().over(model)?;
        let mut answer = Looked {
            status: Status::Optimal,
            objective: Objective { id: objective_of(&scenario), value: None, unit: FLUX_UNIT.into() },
            report: None,
            trouble: None,
            findings: loaded.reading().findings.clone(),
        };
        match analyse::pfba(&scenario.network()?, 1.0)? {
            Ok(least) => {
                answer.objective.value = Some(least.objective);
                let fluxes: Vec<f64> = least.fluxes.iter().take(model.reactions.len()).copied().collect();
                answer.report = Some(gas::assess(model, &fluxes, &input.task)?);
            }
            Err(outcome) => (answer.status, answer.trouble) = standing(&outcome, &scenario),
        }
        Ok(answer)
    })
    .await
}
