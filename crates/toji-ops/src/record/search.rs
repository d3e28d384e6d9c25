//! `search query`: words in, records out, in either language.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Deserialize;
use toji_core::Result;
use toji_store::SearchAnswer;

/// Input of `search query`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// What to look for, in Japanese or English.
    ///
    /// 検索する語。日本語でも英語でも可。
    text: String,
    /// Only these kinds.
    ///
    /// これらの種別のみ。
    #[serde(default)]
    kinds: Vec<String>,
    /// Most hits returned.
    ///
    /// 返す結果の最大件数。
    #[serde(default = "fifty")]
    limit: usize,
}

fn fifty() -> usize {
    50
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "search query",
            label: ["検索", "Search"],
            about: [
                "すべての記録を日本語でも英語でも検索します。同じ問いなら、どちらの言語でも同じ結果になります。",
                "Searches all records in Japanese or English; the same question gives the same hits in either language.",
            ],
            positional: &["text"],
            example: "toji search 食品残渣",
        },
        Effect::Read,
        search,
    )
}

async fn search(context: Context, input: Input) -> Result<SearchAnswer> {
    let limit = input.limit.clamp(1, 1000);
    context.session.store.search(&context.access, &input.text, &input.kinds, limit).await
}
