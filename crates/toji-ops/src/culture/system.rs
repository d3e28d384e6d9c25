//! Parallel systems: records of vessels that say how many units stand side by side, and in which rows and columns.

use crate::operation::Context;
use crate::run::text;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Error, Place, Record, Result};
use toji_culture::plan::System;
use toji_plant::Scale;

/// A parallel system.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SystemView {
    /// Identifier of the vessel's record.
    pub(crate) id: String,
    /// Name.
    pub(crate) name: String,
    /// Units.
    pub(crate) units: usize,
    /// Rows.
    pub(crate) rows: usize,
    /// Columns.
    pub(crate) columns: usize,
}

/// The record of a system, with its grid.
pub(crate) async fn system(context: &Context, id: &str) -> Result<(Record, System)> {
    let found = context.session.store.record(&context.access, "vessel", id, None).await;
    let record = found.map_err(|e| {
        e.at(Place::field("system")).hint(
            "`toji culture vessels` で標準の装置を登録するか、`toji record list vessel` で探してください",
            "store the standard systems with `toji culture vessels`, or look with `toji record list vessel`",
        )
    })?;
    let grid = grid(&record.fields)?;
    Ok((record, grid))
}

pub(crate) fn view(record: &Record, grid: System) -> SystemView {
    SystemView {
        id: record.id.to_string(),
        name: text(&record.fields, "name").unwrap_or_default(),
        units: grid.units(),
        rows: grid.rows,
        columns: grid.columns,
    }
}

/// Rows and columns as declared; else the usual grid of as many units or wells; else a single vessel.
fn grid(fields: &FieldMap) -> Result<System> {
    let count = |name: &str| fields.get(name).and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let units = count("units").or_else(|| count("wells"));
    match (count("rows"), count("columns")) {
        (Some(rows), Some(columns)) => {
            let grid = System::new(rows, columns)?;
            match units {
                Some(units) if units != grid.units() => Err(Error::input(
                    "E-PLAN-007",
                    format!("装置の槽数 {units} が {rows} 行 × {columns} 列と合いません"),
                    format!("the system's {units} units do not fit {rows} rows × {columns} columns"),
                )
                .at(Place::field("system"))
                .hint("装置の記録を直してください", "correct the record of the system")),
                _ => Ok(grid),
            }
        }
        _ => System::of_units(units.unwrap_or(1)),
    }
}

/// The simulated scale whose vessel this is: the one with the same total volume and diameter.
pub(crate) fn scale(vessel: &Record) -> Option<Scale> {
    let number = |name: &str| vessel.fields.get(name).and_then(Json::as_f64);
    let (total, diameter) = (number("volume_total_l")?, number("diameter_m")?);
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b;
    SCALES.into_iter().find(|scale| {
        let known = scale.vessel();
        same(total, known.volume_total_l) && same(diameter, known.diameter_m)
    })
}

/// Every scale that is simulated, smallest first.
pub(super) const SCALES: [Scale; 4] = [Scale::L025, Scale::L1, Scale::L30, Scale::L3000];
