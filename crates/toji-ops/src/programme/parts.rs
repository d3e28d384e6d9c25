//! `parts list`: domestic makers of parts and materials by step of the process.

use super::table::{Evidence, Row, distinct, rows};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};

/// Input of `parts list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Only this step of the process, in either language.
    ///
    /// この工程のみ。日英どちらの名でも可。
    #[serde(default)]
    step: Option<String>,
    /// Only items without a domestic maker.
    ///
    /// 国産の製造者がいない品目のみ。
    #[serde(default)]
    without_maker: bool,
}

/// An item with its makers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Item {
    /// Step of the process.
    step: Text,
    /// Group, in Japanese.
    group_ja: Option<String>,
    /// Item.
    item: Text,
    /// Domestic makers.
    makers: Vec<String>,
    /// Rows it was read from.
    evidence: Vec<Evidence>,
}

/// A step with its items.
#[derive(Debug, Serialize, JsonSchema)]
struct Step {
    /// Step of the process.
    step: Text,
    /// Rows of the table.
    rows: usize,
    /// Makers, each counted once.
    makers: usize,
    /// Its items.
    items: Vec<Item>,
}

/// Output of `parts list`.
#[derive(Debug, Serialize, JsonSchema)]
struct Parts {
    /// Rows of the table shown.
    rows: usize,
    /// Unit of the rows.
    unit: Text,
    /// In the order of the table.
    steps: Vec<Step>,
    /// Items without a domestic maker.
    without_maker: Vec<Item>,
    /// Items with one domestic maker only: a second source is missing.
    single_maker: Vec<Item>,
    /// How an item without a maker comes into this list.
    rule: Text,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "parts list",
            label: ["国産部素材の一覧", "List domestic parts"],
            about: [
                "部素材を工程と品目ごとに国産の製造者とともに並べ、製造者のいない品目と一社だけの品目を挙げます。",
                "Lists parts and materials by step and item with their domestic makers, and names items without a maker and items with only one.",
            ],
            positional: &["step"],
            example: "toji parts list 精製",
        },
        Effect::Read,
        list,
    )
}

async fn list(context: Context, input: Input) -> Result<Parts> {
    let mut all = rows(&context, "supplier").await?;
    let steps = distinct(all.iter().map(|r| r.words("process_step")));
    if let Some(wanted) = &input.step {
        if !steps.iter().any(|s| s.ja == *wanted || s.en == *wanted) {
            let ja = steps.iter().map(|s| s.ja.as_str()).collect::<Vec<_>>().join("、");
            let en = steps.iter().map(|s| s.en.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::not_found(
                "E-PARTS-001",
                format!("工程「{wanted}」はありません"),
                format!("there is no step \"{wanted}\""),
            )
            .at(Place::field("step"))
            .hint(format!("工程: {ja}"), format!("steps: {en}")));
        }
        all.retain(|r| [r.text("process_step_ja"), r.text("process_step_en")].contains(&Some(wanted.clone())));
    }
    let items = items(&all);
    let without_maker: Vec<Item> = items.iter().filter(|i| i.makers.is_empty()).cloned().collect();
    let single_maker = items.iter().filter(|i| i.makers.len() == 1).cloned().collect();
    let shown: Vec<Item> = if input.without_maker { without_maker.clone() } else { items };
    let steps = steps.into_iter().filter_map(|s| step(s, &all, &shown)).collect();
    Ok(Parts {
        rows: shown.iter().map(|i| i.evidence.len()).sum(),
        unit: Text::new("行", "rows"),
        steps,
        without_maker,
        single_maker,
        rule: Text::new(
            "企業欄が空の行だけの品目は、国産の製造者がいない品目です (`record put supplier` で企業を空のまま登録します)",
            "an item whose rows all lack a company has no domestic maker (enter it with `record put supplier`, leaving the company out)",
        ),
    })
}

fn items(rows: &[Row]) -> Vec<Item> {
    let keys = distinct(rows.iter().map(|r| (r.words("process_step"), r.words("item"))));
    let item = |(step, item): (Text, Text)| {
        let of: Vec<&Row> = rows.iter().filter(|r| r.words("process_step") == step && r.words("item") == item).collect();
        Item {
            group_ja: of.iter().find_map(|r| r.text("group_ja")),
            makers: distinct(of.iter().filter_map(|r| r.text("company"))),
            evidence: of.iter().map(|r| r.evidence()).collect(),
            step,
            item,
        }
    };
    keys.into_iter().map(item).collect()
}

fn step(step: Text, rows: &[Row], items: &[Item]) -> Option<Step> {
    let items: Vec<Item> = items.iter().filter(|i| i.step == step).cloned().collect();
    (!items.is_empty()).then(|| Step {
        rows: rows.iter().filter(|r| r.words("process_step") == step).count(),
        makers: distinct(items.iter().flat_map(|i| &i.makers)).len(),
        step,
        items,
    })
}
