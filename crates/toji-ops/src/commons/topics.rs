//! `commons topics`: on what projects cooperate, who leads, who takes part, what came of it and what is shared.

use super::seat::standing;
use super::standing::texts;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Access, Result, Text};

/// Input of `commons topics`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {}

/// A topic.
#[derive(Debug, Serialize, JsonSchema)]
struct Topic {
    /// Topic.
    id: String,
    /// Title.
    title: Text,
    /// Organisation that leads.
    lead: String,
    /// Members.
    members: Vec<String>,
    /// What came of it.
    outputs: Vec<String>,
    /// Data sets shared in it.
    data_sets: Vec<String>,
    /// Safety rules shared in it.
    rules: Vec<String>,
    /// What is still missing: owner, members or outputs.
    missing: Vec<Text>,
}

/// Output of `commons topics`.
#[derive(Debug, Serialize, JsonSchema)]
struct Topics {
    /// Topics.
    topics: Vec<Topic>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::declare(
        Words {
            name: "commons topics",
            label: ["協調テーマ", "Cooperative topics"],
            about: [
                "協調領域のテーマごとに、主担当・参加者・成果・共有しているデータセットと安全規則、足りないものを示します。",
                "Shows, for each cooperative topic, who leads, who takes part, what came of it, which data sets and safety rules are shared, and what is missing.",
            ],
            positional: &[],
            example: "toji commons topics",
        },
        Effect::Read,
        topics,
    )]
}

async fn topics(context: Context, _input: Input) -> Result<Topics> {
    let standing = standing(&context).await?;
    let store = &context.session.store;
    let sets = store.records(&Access::owner(), "data-set", None, false).await?;
    let mut topics = Vec::new();
    for record in store.records(&context.access, "cooperation-topic", None, false).await? {
        let fields = &record.fields;
        let lead = text(fields, "lead").unwrap_or_default();
        let (members, outputs) = (texts(fields, "members"), texts(fields, "outputs"));
        let is_member = |o: &String| {
            toji_core::Id::parse(o)
                .ok()
                .and_then(|id| standing.commons.known_organisation(&id))
                .is_some_and(|o| o.is_member(context.now))
        };
        let mut missing = Vec::new();
        if !is_member(&lead) {
            missing.push(Text::new("主担当が会員ではありません", "who leads is no member"));
        }
        if !members.iter().any(|m| *m != lead && is_member(m)) {
            missing.push(Text::new("主担当のほかに会員の参加者がいません", "no member takes part beside who leads"));
        }
        if outputs.is_empty() {
            missing.push(Text::new("成果がありません", "nothing came of it yet"));
        }
        topics.push(Topic {
            id: record.id.to_string(),
            title: store.title(&record),
            data_sets: sets
                .iter()
                .filter(|s| {
                    text(&s.fields, "topic").as_deref() == Some(record.id.as_str()) && !s.fields.contains_key("retired_at")
                })
                .map(|s| s.id.to_string())
                .collect(),
            rules: texts(fields, "rules"),
            lead,
            members,
            outputs,
            missing,
        });
    }
    Ok(Topics { topics })
}
