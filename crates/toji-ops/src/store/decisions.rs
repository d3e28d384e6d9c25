//! `store decisions`: who read what and why it was allowed, and everything that was refused or left the store.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::Result;
use toji_store::{AllowedReads, NotedDecision};

/// Rows of each list when nobody asks for a number.
const ROWS_SHOWN: u32 = 1000;

/// Input of `store decisions`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Most rows of each list.
    ///
    /// 各一覧の最大行数。
    #[serde(default)]
    limit: Option<u32>,
}

/// Output of `store decisions`.
#[derive(Debug, Serialize, JsonSchema)]
struct Decisions {
    /// Allowed reads by hour, newest hour first.
    reads: Vec<AllowedReads>,
    /// Refusals, and everything that left the store, newest first.
    noted: Vec<NotedDecision>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "store decisions",
            label: ["閲覧の判断の記録", "Access decisions"],
            about: [
                "誰が何を読み、なぜ許されたかを一時間ごとの回数で、拒否と持ち出しは一件ごとに示します。",
                "Shows who read what and why it was allowed, as counts by the hour, and every refusal and export by itself.",
            ],
            positional: &[],
            example: "toji store decisions --limit 50",
        },
        Effect::Read,
        |context: Context, input: Input| async move {
            let limit = input.limit.unwrap_or(ROWS_SHOWN);
            let (reads, noted) = context.session.store.decisions(&context.access, limit).await?;
            Result::Ok(Decisions { reads, noted })
        },
    )
}
