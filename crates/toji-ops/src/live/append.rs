//! `live append`, `live seal`, `live status`: in by hand or over HTTP, into parts now, and how things stand.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::Result;
use toji_core::live::{Ack, Batch};
use toji_store::{LiveState, Sealed};

/// Input of `live append`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Batches: signals, points and marks of one run from one source each.
    ///
    /// 束：一つの接続元からの、一つの培養の信号・測定点・印。
    batches: Vec<Batch>,
}

/// No input.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "live append",
            label: ["ライブデータの受入", "Append live data"],
            about: [
                "接続した装置やエッジの収集器が送る測定点と切断などの印を受け入れます。応答が返った時点で確実に保存され、すぐに閲覧できます。同じ点を何度送っても一度だけ保存されるので、応答がなければそのまま送り直してください。",
                "Takes in points and marks of connected devices or of a collector at the edge. When it answers, they are durable and can be read at once. A point sent again is stored once, so after no answer simply send the same again.",
            ],
            positional: &[],
            example: "toji live append --batches \"$(cat batch.json)\"",
        },
        Effect::Write,
        append,
    )
}

async fn append(context: Context, mut input: Input) -> Result<Ack> {
    for point in input.batches.iter_mut().flat_map(|b| &mut b.points) {
        if point.received_ns == 0 {
            point.received_ns = context.now.0;
        }
    }
    super::keep(&context.session, &context.access, context.now, input.batches).await
}

pub(super) fn seal_operation() -> Operation {
    Operation::declare(
        Words {
            name: "live seal",
            label: ["ライブデータの確定", "Seal live data"],
            about: [
                "ジャーナルにある測定点を、通常の系列ファイルと台帳に移します。普段は自動で行われます。二度行っても結果は同じです。",
                "Moves the points of the journal into ordinary series files and the ledger. It happens by itself from time to time; doing it twice changes nothing.",
            ],
            positional: &[],
            example: "toji live seal",
        },
        Effect::Write,
        |context: Context, _: Nothing| async move {
            let sealed: Sealed = context.session.store.seal_live(context.now).await?;
            // Sealing leaves many small parts of a run that goes on for days.
            let runs = context.session.store.runs_in_parts(&context.access).await?;
            if let Some(warning) = crate::store::after_import(&context, runs.iter().map(ToString::to_string).collect()).await {
                tracing::warn!(code = warning.code, "{}", warning.message.en);
            }
            Ok(sealed)
        },
    )
}

/// Output of `live status`.
#[derive(Debug, Serialize, JsonSchema)]
struct Status {
    /// What is in the journal and not in series files yet.
    #[serde(flatten)]
    state: LiveState,
}

pub(super) fn status_operation() -> Operation {
    Operation::declare(
        Words {
            name: "live status",
            label: ["ライブの状態", "Live status"],
            about: [
                "ジャーナルの件数と、損傷の有無を示します。",
                "Shows how much is in the journal, and whether any of it is damaged.",
            ],
            positional: &[],
            example: "toji live status",
        },
        Effect::Read,
        |context: Context, _: Nothing| async move { Ok(Status { state: context.session.store.live_state().await? }) },
    )
}
