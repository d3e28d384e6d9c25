//! `run propose`: how a table of no known instrument could be read, with the evidence.

use super::import::fetch;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Deserialize;
use toji_core::{Error, Result};
use toji_ingest::Source;
use toji_ingest::table::Proposal;

/// Input of `run propose`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// File, or address (`sha256:…`) of an uploaded file.
    ///
    /// ファイル、または送信済みファイルのアドレス（`sha256:…`）。
    path: String,
    /// Zone of clocks that state none, e.g. `Asia/Tokyo`.
    ///
    /// 時間帯の記載がない時計の時間帯。例：`Asia/Tokyo`。
    #[serde(default)]
    zone: Option<String>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "run propose",
            label: ["対応付けの提案", "Propose a mapping"],
            about: [
                "装置の形式でない表 (CSV、Excel) について、見出し・時刻・量・単位の対応付けを根拠とともに提案します。確かめて保存し、取込に使います。",
                "Proposes how a plain table (CSV, Excel) could be read: header, time, quantities and units, each with its evidence. Check it, save it, import with it.",
            ],
            positional: &["path"],
            example: "toji run propose notes.xlsx --json > mapping.json",
        },
        Effect::Read,
        propose,
    )
}

async fn propose(context: Context, input: Input) -> Result<Proposal> {
    let site = context.session.site(input.zone.as_deref())?;
    let (name, bytes) = fetch(&context, &input.path).await?;
    let work = move || -> Result<Proposal> {
        let source = Source::new(&name, &bytes)?;
        toji_ingest::table::propose(&source, &site)
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-RUN-006", e))?
}
