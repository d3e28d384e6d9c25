//! `need gaps`: what industry asked for and the platform does not hold.

use super::table::{Row, rows_or_none};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Result, Text};

/// No input.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Something stored that holds every word of a need.
#[derive(Debug, Serialize, JsonSchema)]
struct Candidate {
    /// Kind.
    kind: String,
    /// Record.
    id: String,
    /// Title.
    title: Text,
}

/// One need against what is stored.
#[derive(Debug, Serialize, JsonSchema)]
struct Checked {
    /// Record of the need.
    id: String,
    /// Title.
    title: String,
    /// Sector that asks.
    sector: Option<String>,
    /// The words that were looked for.
    sought: String,
    /// Nothing stored answers it.
    gap: bool,
    /// Why it is, or is not, a gap.
    reason: Text,
    /// What may answer it; somebody who knows the strains must decide.
    candidates: Vec<Candidate>,
    /// Deposits that were named as the answer.
    answered_by: Vec<String>,
    /// When it was raised.
    raised_at: Option<String>,
}

/// Output of `need gaps`.
#[derive(Debug, Serialize, JsonSchema)]
struct Gaps {
    /// Needs without an answer.
    gaps: usize,
    /// Needs looked at (not withdrawn, not met).
    needs: usize,
    /// Unit of the numbers.
    unit: Text,
    /// The needs, gaps first.
    list: Vec<Checked>,
    /// What counts as a gap.
    rule: Text,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "need gaps",
            label: ["基盤の空白", "Gaps of the platform"],
            about: [
                "登録された産業ニーズ (生物・条件・製品) を、保存されている株・ゲノム・寄託・物質に照らし、応えるものがない空白を一覧にします。",
                "Compares the industrial needs entered (organism, condition, product) with the strains, genomes, deposits and materials stored, and lists those that nothing answers.",
            ],
            positional: &[],
            example: "toji need gaps",
        },
        Effect::Read,
        gaps,
    )
}

/// Kinds in which an answer may stand.
const ANSWERS: [&str; 4] = ["strain", "genome", "deposit", "material"];

async fn gaps(context: Context, _: Nothing) -> Result<Gaps> {
    let mut list = Vec::new();
    for need in rows_or_none(&context, "need").await? {
        if matches!(need.text("state").as_deref(), Some("open" | "matched")) {
            list.push(checked(&context, &need).await?);
        }
    }
    list.sort_by_key(|c| !c.gap);
    let rule = Text::new(
        "空白 = 求める生物・条件・製品のすべての語を含む記録が一つもなく、受け入れた寄託も挙げられていないニーズ",
        "gap = no record holds all words of the organism, condition and product sought, and no accepted deposit is named as the answer",
    );
    Ok(Gaps { gaps: list.iter().filter(|c| c.gap).count(), needs: list.len(), unit: Text::new("件", "needs"), list, rule })
}

async fn checked(context: &Context, need: &Row) -> Result<Checked> {
    let store = &context.session.store;
    let parts: Vec<String> = ["organism", "condition", "product"].iter().filter_map(|f| need.text(f)).collect();
    let title = need.text("title").unwrap_or_default();
    let sought = if parts.is_empty() { title.clone() } else { parts.join(" ") };
    let found = store.search(&context.access, &sought, &ANSWERS.map(str::to_owned), 20).await?;
    // A partial answer holds only some of the words: not what was asked for.
    let hits = if found.partial { Vec::new() } else { found.hits };
    let candidates: Vec<Candidate> = hits.into_iter().map(|h| Candidate { kind: h.kind, id: h.id, title: h.title }).collect();
    let mut answered_by = Vec::new();
    for id in need.list("answered_by") {
        let deposit = Row::from(store.record(&context.access, "deposit", &id, None).await?);
        if matches!(deposit.text("state").as_deref(), Some("checked" | "accepted")) {
            answered_by.push(id);
        }
    }
    let gap = candidates.is_empty() && answered_by.is_empty();
    let reason = match (answered_by.first(), candidates.len()) {
        (Some(id), _) => Text::new(format!("寄託 {id} が応えています"), format!("the deposit {id} answers it")),
        (None, 0) => Text::new(
            format!("「{sought}」のすべての語を含む記録がありません"),
            format!("no record holds all words of \"{sought}\""),
        ),
        (None, n) => Text::new(
            format!("候補が {n} 件あります。応えるかどうかを確認してください"),
            format!("there are {n} candidates; check whether one answers it"),
        ),
    };
    Ok(Checked {
        id: need.id.clone(),
        title,
        sector: need.text("sector"),
        sought,
        gap,
        reason,
        candidates,
        answered_by,
        raised_at: need.text("raised_at"),
    })
}
