//! `reference load`: tables of the literature that come with the program.

use crate::operation::{Context, Effect, Operation, Words};
use crate::record::import_table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::Result;

/// File, kind and content of the tables (see `tables/README.md`).
const TABLES: [(&str, &str, &[u8]); 2] = [
    ("co2_fixation.csv", "co2-fixation", include_bytes!("../../tables/co2_fixation.csv")),
    ("hosts.csv", "host", include_bytes!("../../tables/hosts.csv")),
];

/// No input.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {}

/// One table.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ReferenceTable")]
struct Loaded {
    /// File of the table.
    table: String,
    /// Kind.
    kind: String,
    /// Rows.
    rows: usize,
    /// Did anything change?
    changed: bool,
}

/// Output of `reference load`.
#[derive(Debug, Serialize, JsonSchema)]
struct Report {
    /// Table by table.
    tables: Vec<Loaded>,
    /// Rows of all tables.
    rows: usize,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "reference load",
            label: ["文献の表の取込", "Load the tables of the literature"],
            about: [
                "CO₂ を固定する株（培養ガス、温度、産物、測定された取込み、文献）と、宿主の代謝モデルの入手先・使用条件の表を取り込みます。繰り返しても変わりません。モデルそのものは含みません。",
                "Takes in the tables of strains that fix CO₂ (gases, temperature, products, measured uptake, reference) and of hosts with where their metabolic models are fetched and under which licence. Repeating it changes nothing. No model is part of it.",
            ],
            positional: &[],
            example: "toji reference load",
        },
        Effect::Write,
        load,
    )
}

async fn load(context: Context, _: Input) -> Result<Report> {
    let mut report = Report { tables: Vec::new(), rows: 0 };
    for (name, kind, bytes) in TABLES {
        let reason = Some("tables of the literature / 文献の表".into());
        let table = import_table(&context, kind, name, bytes, false, reason).await?;
        report.rows += table.rows;
        report.tables.push(Loaded { table: name.into(), kind: table.kind, rows: table.rows, changed: table.changed });
    }
    Ok(report)
}
