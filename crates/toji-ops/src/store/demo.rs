//! `store demo`: the policy tables and runs to look at.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use toji_core::{Error, Result};

/// Seed of the generated runs: the demonstration is the same everywhere.
const SEED: u64 = 20_260_401;

/// Input of `store demo`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// A folder of your own files instead of the generated ones.
    ///
    /// 生成データの代わりに使う、手元のファイルのフォルダー。
    #[serde(default)]
    data: Option<String>,
}

/// A file that was not taken in.
#[derive(Debug, Serialize, JsonSchema)]
struct Refused {
    /// Name.
    name: String,
    /// Why, as the code of the error.
    code: String,
}

/// Output of `store demo`.
#[derive(Debug, Serialize, JsonSchema)]
struct Loaded {
    /// Rows of the policy tables.
    rows: u64,
    /// Files taken in.
    files: u64,
    /// Runs in them.
    runs: u64,
    /// Points in them.
    points: u64,
    /// Results in them.
    assays: u64,
    /// Files not taken in.
    refused: Vec<Refused>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "store demo",
            label: ["実演データの取込", "Load the demonstration"],
            about: [
                "政策資料の表と、各社の形式で生成した培養データ (すべて「模擬データ」と明記) を取り込みます。--data で手元のファイルのフォルダーを指定することもできます。",
                "Loads the policy tables and generated runs in vendor shapes, all labelled simulated. With --data it takes a folder of your own files instead.",
            ],
            positional: &[],
            example: "toji store demo --data ~/fermenter-files",
        },
        Effect::Write,
        load,
    )
    .long()
}

async fn load(context: Context, input: Input) -> Result<Loaded> {
    let seeds = crate::operation("seed load")?.run(context.clone(), json!({})).await?.json;
    let generated = input.data.is_none();
    let paths = match input.data {
        Some(folder) => vec![folder],
        None => {
            let mut paths = Vec::new();
            let files = tokio::task::spawn_blocking(|| toji_ingest::generate::demo_files(SEED))
                .await
                .map_err(|e| Error::bug("E-DEMO-001", e))?;
            for (name, bytes) in files {
                paths.push(context.session.stage(&context.access, &name, bytes).await?.address);
            }
            paths
        }
    };
    let report = crate::operation("run import")?.run(context.clone(), json!({ "paths": paths })).await?.json;
    let files = report["files"].as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let refused: Vec<Refused> = files
        .iter()
        .filter(|f| f["state"] == "refused")
        .map(|f| Refused { name: text(&f["name"]), code: text(&f["error"]["code"]) })
        .collect();
    // Cultures with a known truth, faults and a person who smells and acts; files of instruments hold none of that.
    let plant = if generated { crate::operation("simulate run")?.run(context, plant()).await?.json } else { json!({}) };
    let count = |name: &str| report[name].as_u64().unwrap_or_default();
    Ok(Loaded {
        rows: seeds["rows"].as_u64().unwrap_or_default(),
        files: files.len() as u64 - refused.len() as u64,
        runs: [&report, &plant].iter().map(|r| r["runs"].as_array().map_or(0, |r| r.len() as u64)).sum(),
        points: count("points") + plant["points"].as_u64().unwrap_or_default(),
        assays: count("assays"),
        refused,
    })
}

/// The simulated plant of the demonstration: a row of small vessels with different feeds and observers.
fn plant() -> serde_json::Value {
    json!({
        "name": "SIM-024", "scale": "0.25-l", "reactors": 6, "hours": 20.0, "every_s": 60.0, "operator": true,
        "faults_per_day": 2.0, "seed": SEED, "start": "2026-10-13T00:00:00Z",
    })
}
