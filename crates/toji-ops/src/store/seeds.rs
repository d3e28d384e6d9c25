//! `seed load`: the 30 tables of the policy papers, by one command.

use crate::operation::{Context, Effect, Operation, Words};
use crate::record::import_table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Diagnostic, Result};

/// The tables, part of the program: facts from public government papers (see `seeds/README.md`).
const TABLES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/seeds.rs"));

/// No input.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {}

/// One table.
#[derive(Debug, Serialize, JsonSchema)]
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

/// Output of `seed load`.
#[derive(Debug, Serialize, JsonSchema)]
struct Report {
    /// Table by table.
    tables: Vec<Loaded>,
    /// Rows of all tables.
    rows: usize,
    /// Sums in the papers that do not agree; kept as printed.
    disagreements: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "seed load",
            label: ["政策資料の表の取込", "Load the policy tables"],
            about: [
                "バイオ政策資料の 30 表 (施策、予算、公募、拠点、原料、市場、課題など) を一度に取り込みます。繰り返しても変わりません。",
                "Loads the 30 tables of the bio policy papers (measures, budgets, calls, sites, feedstock, markets, issues). Repeating it changes nothing.",
            ],
            positional: &[],
            example: "toji seed load",
        },
        Effect::Write,
        load,
    )
    .long()
}

async fn load(context: Context, _: Input) -> Result<Report> {
    let mut report = Report { tables: Vec::new(), rows: 0, disagreements: Vec::new() };
    let total = TABLES.len() as u64;
    for (i, (name, bytes)) in TABLES.iter().enumerate() {
        context.progress.step(i as u64, Some(total), format!("{name} を取り込んでいます"), format!("loading {name}"))?;
        let Some(kind) = context.session.store.kinds().iter().find(|k| k.table.as_deref() == Some(name)) else { continue };
        let table = import_table(&context, &kind.kind, name, bytes, false, Some("policy tables / 政策資料の表".into())).await?;
        report.rows += table.rows;
        report.disagreements.extend(table.disagreements);
        report.tables.push(Loaded { table: (*name).to_owned(), kind: table.kind, rows: table.rows, changed: table.changed });
    }
    context.progress.step(total, Some(total), "取込を終えました", "tables loaded")?;
    Ok(report)
}
