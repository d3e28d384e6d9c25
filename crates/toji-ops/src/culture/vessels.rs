//! `culture vessels`: the systems a process passes through, from 24 small units to the pilot vessel.

use super::system::{SCALES, SystemView};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_core::record::FieldMap;
use toji_core::{Id, Result};
use toji_plant::Scale;
use toji_store::{Commit, Put};

/// Input of `culture vessels`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {}

/// A stored system.
#[derive(Debug, Serialize, JsonSchema)]
struct Stored {
    /// The system.
    #[serde(flatten)]
    system: SystemView,
    /// Working volume of a unit, L.
    volume_working_l: f64,
}

/// Output of `culture vessels`.
#[derive(Debug, Serialize, JsonSchema)]
struct Vessels {
    /// Systems, smallest units first.
    vessels: Vec<Stored>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture vessels",
            label: ["標準の培養装置", "Standard culture systems"],
            about: [
                "標準の培養装置（0.25 L × 24、1 L × 12、30 L、3,000 L）を形状とともに培養槽の記録として登録します。何度実行しても同じ記録です。",
                "Stores the standard systems (0.25 L × 24, 1 L × 12, 30 L, 3,000 L) with their geometry as records of vessels. Doing it again changes nothing.",
            ],
            positional: &[],
            example: "toji culture vessels",
        },
        Effect::Write,
        vessels,
    )
}

/// Identifier, name, rows and columns of the standard system of a scale.
fn standard(scale: Scale) -> (&'static str, &'static str, usize, usize) {
    match scale {
        Scale::L025 => ("vessel-0.25l-24", "0.25 L × 24", 4, 6),
        Scale::L1 => ("vessel-1l-12", "1 L × 12", 2, 6),
        Scale::L30 => ("vessel-30l", "30 L", 1, 1),
        Scale::L3000 => ("vessel-3000l", "3,000 L", 1, 1),
    }
}

async fn vessels(context: Context, _input: Input) -> Result<Vessels> {
    let store = &context.session.store;
    let (mut puts, mut out) = (Vec::new(), Vec::new());
    for scale in SCALES {
        let (id, name, rows, columns) = standard(scale);
        let vessel = scale.vessel();
        // What people added to the record (maker, place, area …) stays; the geometry is the standard one.
        let mut fields = match store.record(&context.access, "vessel", id, None).await {
            Ok(record) => record.fields,
            Err(error) if error.code() == "E-RECORD-004" => FieldMap::new(),
            Err(error) => return Err(error),
        };
        let said = fields.contains_key("notes");
        let sort = if scale == Scale::L025 { "single-use-tank" } else { "stirred-tank" };
        for (field, value) in [
            ("name", json!(name)),
            ("sort", json!(sort)),
            ("units", json!(rows * columns)),
            ("rows", json!(rows)),
            ("columns", json!(columns)),
            ("volume_total_l", json!(vessel.volume_total_l)),
            ("volume_working_l", json!(vessel.volume_start_l)),
            ("diameter_m", json!(vessel.diameter_m)),
            ("impeller_diameter_m", json!(vessel.impeller_diameter_m)),
            ("impellers", json!(vessel.impellers as u64)),
            ("power_number", json!(vessel.power_number)),
            ("agitation_max_rpm", json!(vessel.agitation_max_per_min)),
            ("gas_flow_max_l_per_min", json!(vessel.gas_flow_max_l_per_min)),
            ("pressure_max_bar", json!(vessel.overpressure_bar)),
        ] {
            fields.insert(field.to_owned(), value);
        }
        if !said {
            let notes =
                "模擬プラントの標準形状。特定の製品ではない / standard geometry of the simulated plant; no maker's drawing";
            fields.insert("notes".to_owned(), Json::from(notes));
        }
        let system = SystemView { id: id.to_owned(), name: name.to_owned(), units: rows * columns, rows, columns };
        out.push(Stored { system, volume_working_l: vessel.volume_start_l });
        puts.push(Put::new("vessel", Id::parse(id)?, fields));
    }
    let commit = Commit { operation: "culture vessels".into(), puts, ..Commit::default() };
    store.commit(&context.access, context.now, commit).await?;
    Ok(Vessels { vessels: out })
}
