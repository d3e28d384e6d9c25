//! Which enzyme decides: coefficients of control.

use super::cascade::{Cascade, Task};
use super::simulate::Ask;
use super::system::System;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Category, Error, Result};

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "CellFreeMeasure")]
pub enum Measure {
    /// Product made by the end.
    ///
    /// 終了時までの生成量。
    Product,
    /// Time at which the product reaches the target of the task.
    ///
    /// 生成物が目標に達する時刻。
    Time,
}

/// Coefficients of control `∂ ln(measure) / ∂ ln(enzyme)` (Kacser and Burns 1973; Heinrich and Rapoport 1974; of a time
/// course as Acerenza, Sauro and Kacser, J. Theor. Biol. 137, 1989, 423–444).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeControl")]
pub struct Control {
    /// What was looked at.
    pub measure: Measure,
    /// Its value: mmol, or h.
    pub value: f64,
    /// Coefficients by enzyme.
    pub coefficients: BTreeMap<String, f64>,
    /// Their sum. For a time it is −1 where every reaction has an enzyme and none decays.
    pub sum: f64,
    /// Step of the central difference in ln(enzyme).
    pub step: f64,
    /// Relative error of the steps of integration.
    pub tolerance: f64,
}

/// Step of the differences.
const STEP: f64 = 3e-3;

impl System {
    /// The measure, mmol or h; `None`: the target is not reached.
    pub(super) fn measured(&self, measure: Measure, ask: Ask) -> Result<Option<f64>> {
        let run = self.run(Ask { points: 2, stop: measure == Measure::Time, ..ask })?;
        Ok(match measure {
            Measure::Product => Some(self.made(run.last(), ask.until)),
            Measure::Time => run.time_to_target,
        })
    }

    /// The logarithm of the measure; −∞ where nothing is made, ∞ where the time is not reached.
    pub(super) fn logarithm(&self, measure: Measure, ask: Ask) -> Result<f64> {
        let empty = if measure == Measure::Time { f64::INFINITY } else { f64::NEG_INFINITY };
        Ok(self.measured(measure, ask)?.filter(|v| *v > 0.0).map_or(empty, f64::ln))
    }

    /// Coefficients of control by central differences.
    pub(super) fn coefficients(&self, measure: Measure, ask: Ask) -> Result<Vec<f64>> {
        let mut moved = self.clone();
        let mut found = Vec::with_capacity(self.enzymes.len());
        for e in 0..self.enzymes.len() {
            let mut at = |by: f64| {
                moved.enzymes[e].loading = self.enzymes[e].loading * by.exp();
                moved.logarithm(measure, ask)
            };
            let (up, down) = (at(STEP)?, at(-STEP)?);
            moved.enzymes[e].loading = self.enzymes[e].loading;
            found.push(if self.enzymes[e].loading == 0.0 { 0.0 } else { (up - down) / (2.0 * STEP) });
        }
        Ok(found)
    }
}

/// The task as the differences need it: exact enough, and with room for the time to move.
pub(super) fn sharpened(task: &Task, measure: Measure) -> Result<Ask> {
    let mut ask = Ask::new(task)?;
    ask.tolerance = ask.tolerance.min(1e-9);
    if measure == Measure::Time {
        ask.until *= 1.0 + 4.0 * STEP;
    }
    Ok(ask)
}

/// The target is not reached, or nothing is made.
pub(super) fn unreached(measure: Measure) -> Error {
    let (ja, en) = match measure {
        Measure::Time => ("反応時間のうちに目標に達しません", "the target is not reached in the time given"),
        Measure::Product => ("生成物ができません", "no product is made"),
    };
    Error::new(Category::Model, "E-FLUX-103", ja, en).hint(
        "反応時間を延ばす、目標を下げる、酵素を増やす、のいずれかを試してください",
        "give more time, a lower target, or more enzyme",
    )
}

/// Control of each enzyme over a measure.
///
/// # Errors
/// Those of [`super::simulate`], and `E-FLUX-103` when the target is not reached or nothing is made.
pub fn control(cascade: &Cascade, task: &Task, measure: Measure) -> Result<Control> {
    let system = System::new(cascade)?;
    let ask = sharpened(task, measure)?;
    let value = system.measured(measure, ask)?.filter(|v| *v > 0.0).ok_or_else(|| unreached(measure))?;
    let found = system.coefficients(measure, ask)?;
    if found.iter().any(|c| !c.is_finite()) {
        return Err(unreached(measure));
    }
    Ok(Control {
        measure,
        value,
        sum: found.iter().sum(),
        coefficients: system.enzymes.iter().zip(found).map(|(e, c)| (e.id.clone(), c)).collect(),
        step: STEP,
        tolerance: ask.tolerance,
    })
}
