//! `kind list` and `kind show`: the declared kinds.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Kind, Result, Text};

/// No input.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A kind in the list.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Name.
    kind: String,
    /// Version of the declaration.
    version: u32,
    /// Label.
    label: Text,
    /// What it is for.
    about: Text,
    /// Group in menus.
    group: String,
    /// Records in use.
    records: u64,
    /// Written by operations only.
    derived: bool,
}

/// Output of `kind list`.
#[derive(Debug, Serialize, JsonSchema)]
struct Kinds {
    /// The kinds, by name.
    kinds: Vec<Row>,
}

/// Input of `kind show`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Show {
    /// Name of the kind.
    ///
    /// 種別の名前。
    kind: String,
}

pub(super) fn list_operation() -> Operation {
    Operation::declare(
        Words {
            name: "kind list",
            label: ["種別の一覧", "List kinds"],
            about: ["記録の種別を、件数とともに一覧します。", "Lists the kinds of records with how many there are."],
            positional: &[],
            example: "toji kind list",
        },
        Effect::Read,
        |context: Context, _: Nothing| async move {
            let counts = context.session.store.counts(&context.access).await?;
            let row = |kind: &Kind| Row {
                kind: kind.kind.clone(),
                version: kind.version,
                label: kind.label.clone(),
                about: kind.about.clone(),
                group: kind.group.clone(),
                records: counts.get(&kind.kind).copied().unwrap_or_default(),
                derived: kind.derived,
            };
            Ok(Kinds { kinds: context.session.store.kinds().iter().map(row).collect() })
        },
    )
}

pub(super) fn show_operation() -> Operation {
    Operation::declare(
        Words {
            name: "kind show",
            label: ["種別の詳細", "Show a kind"],
            about: [
                "種別の宣言 (項目、型、単位、選択肢、移行手順) を示します。",
                "Shows the declaration of a kind: fields, types, units, choices, migrations.",
            ],
            positional: &["kind"],
            example: "toji kind show strain",
        },
        Effect::Read,
        |context: Context, input: Show| async move { show(&context, &input.kind) },
    )
}

fn show(context: &Context, kind: &str) -> Result<Kind> {
    context.session.store.kinds().get(kind).cloned()
}
