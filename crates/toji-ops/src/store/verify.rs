//! `store verify` and `store status`.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Diagnostic, Digest, Result};
use toji_store::Checked;

/// Input of `store verify`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Address (`sha256:…`) of one kept file to check; everything when missing.
    ///
    /// 確かめる保存済みファイル一つのアドレス（`sha256:…`）。省略時はすべて。
    #[serde(default)]
    id: Option<String>,
    /// Only the ledger and what the catalogue derives from it, not every file.
    ///
    /// 台帳と、そこから作るカタログだけを確かめ、ファイルは確かめない。
    #[serde(default)]
    ledger: bool,
}

/// Output of `store verify`.
#[derive(Debug, Serialize, JsonSchema)]
struct Verdict {
    /// Nothing was found.
    ok: bool,
    /// What was looked at.
    checked: Checked,
    /// What was found.
    faults: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "store verify",
            label: ["検証", "Verify"],
            about: [
                "台帳のハッシュ鎖、台帳とカタログの一致、保存したすべてのファイルの内容を確かめます。一文字でも変わっていれば見つかります。",
                "Checks the ledger's hash chain, that the catalogue agrees with it, and the content of every kept file. Any altered byte is found.",
            ],
            positional: &["id"],
            example: "toji verify --ledger",
        },
        Effect::Read,
        verify,
    )
    .long()
}

async fn verify(context: Context, input: Input) -> Result<Verdict> {
    let store = &context.session.store;
    if let Some(id) = &input.id {
        store.blob(&context.access, Digest::parse(id)?).await?;
        let checked = Checked { blobs: 1, ..Checked::default() };
        return Ok(Verdict { ok: true, checked, faults: Vec::new() });
    }
    let progress = context.progress.clone();
    let step = move |done, total| progress.step(done, total, "ファイルを確かめています", "checking files");
    let (checked, faults) = store.verify(!input.ledger, step).await?;
    if let Some(first) = faults.first() {
        // A fault is a refusal: scripts must see it in the exit code.
        return Err(toji_core::Error::storage(
            "E-VERIFY-000",
            format!("検証で {} 件の異常が見つかりました: {}", faults.len(), first.message.ja),
            format!("verification found {} faults: {}", faults.len(), first.message.en),
        )
        .hint("バックアップから戻してください。異常の一覧を以下に示します", "restore a backup; the faults are listed below")
        .with(faults));
    }
    Ok(Verdict { ok: true, checked, faults })
}

/// No input.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Output of `store status`.
#[derive(Debug, Serialize, JsonSchema)]
struct Status {
    /// Version of Toji.
    version: String,
    /// Events of the ledger.
    events: i64,
    /// Runs.
    runs: u64,
    /// Records of all kinds.
    records: u64,
    /// Points of all series.
    points: u64,
    /// Bytes of all series.
    series_bytes: u64,
    /// Zone of clocks that state none.
    zone: Option<String>,
    /// `sqlite` or `postgres`.
    catalogue: String,
}

pub(super) fn status_operation() -> Operation {
    Operation::declare(
        Words {
            name: "store status",
            label: ["保存先の状態", "Status"],
            about: ["保存先の件数と大きさを示します。", "Shows how much the store holds."],
            positional: &[],
            example: "toji store status",
        },
        Effect::Read,
        |context: Context, _: Nothing| async move {
            let store = &context.session.store;
            let counts = store.counts(&context.access).await?;
            let (series_bytes, sealed) = store.size(&context.access).await?;
            let points = sealed + store.live_state().await?.points;
            Ok(Status {
                version: env!("CARGO_PKG_VERSION").into(),
                events: store.seq(&context.access).await?,
                runs: counts.get("run").copied().unwrap_or_default(),
                records: counts.values().sum(),
                points,
                series_bytes,
                zone: context.session.zone.clone(),
                catalogue: format!("{:?}", store.backend()).to_lowercase(),
            })
        },
    )
}
