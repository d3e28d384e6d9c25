//! `feedstock rank`: classes of feedstock in the order of their printed marks.

use super::table::{Evidence, Row, rows, spoken};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Kind, Result, Text};

/// No input.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A printed mark with its points.
#[derive(Debug, Serialize, JsonSchema)]
struct Mark {
    /// ◎, ○, △ or ×.
    mark: String,
    /// As read.
    label: Text,
    /// 3, 2, 1 or 0 points.
    points: i64,
    /// Remark of the paper, in Japanese.
    note_ja: Option<String>,
}

/// One class in the order.
#[derive(Debug, Serialize, JsonSchema)]
struct Ranked {
    /// Place in the order; equal marks share a place.
    rank: usize,
    /// Record.
    id: String,
    /// Class.
    class: Text,
    /// Sum of the points.
    score: i64,
    /// Unit of the score.
    unit: Text,
    /// Availability.
    availability: Mark,
    /// Quantity.
    quantity: Mark,
    /// Cost, in the paper's words; it has no mark and is not scored.
    cost: Text,
    /// Where it comes from.
    location: Text,
    /// Examples.
    examples: Text,
    /// Where it stands.
    evidence: Evidence,
}

/// Output of `feedstock rank`.
#[derive(Debug, Serialize, JsonSchema)]
struct Ranking {
    /// How the score is made.
    rule: Text,
    /// Best first.
    classes: Vec<Ranked>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "feedstock rank",
            label: ["原料区分の評価", "Rank feedstock classes"],
            about: [
                "原料区分を、資料の印 (◎○△×) から計算した点の順に並べます。計算の規則も示します。",
                "Orders the classes of feedstock by points computed from the paper's marks (◎ ○ △ ×), and states the rule.",
            ],
            positional: &[],
            example: "toji feedstock rank",
        },
        Effect::Read,
        rank,
    )
}

fn points(mark: &str) -> i64 {
    match mark {
        "◎" => 3,
        "○" => 2,
        "△" => 1,
        _ => 0,
    }
}

fn mark(kind: &Kind, row: &Row, stem: &str) -> Mark {
    let mark = row.text(&format!("{stem}_mark")).unwrap_or_default();
    Mark {
        label: spoken(kind, &format!("{stem}_mark"), &mark),
        points: points(&mark),
        note_ja: row.text(&format!("{stem}_note_ja")),
        mark,
    }
}

async fn rank(context: Context, _: Nothing) -> Result<Ranking> {
    let kind = context.session.store.kinds().get("feedstock-class")?;
    let mut classes: Vec<Ranked> = rows(&context, "feedstock-class").await?.iter().map(|r| ranked(kind, r)).collect();
    // A stable sort: classes with equal marks stay in the order of their identifiers.
    let key = |c: &Ranked| (-c.score, -c.availability.points);
    classes.sort_by_key(key);
    let keys: Vec<_> = classes.iter().map(key).collect();
    for class in &mut classes {
        class.rank = 1 + keys.iter().filter(|k| **k < key(class)).count();
    }
    let rule = Text::new(
        "点 = 利用可能性の印 + 量の印 (◎3、○2、△1、×0)。同点は利用可能性の印の順。コストと産地は印がないため点に入れません",
        "score = mark of availability + mark of quantity (◎ 3, ○ 2, △ 1, × 0); ties by the mark of availability. Cost and place have no mark and are not scored",
    );
    Ok(Ranking { rule, classes })
}

fn ranked(kind: &Kind, row: &Row) -> Ranked {
    let (availability, quantity) = (mark(kind, row, "availability"), mark(kind, row, "quantity"));
    Ranked {
        rank: 0,
        id: row.id.clone(),
        class: row.words("class"),
        score: availability.points + quantity.points,
        unit: Text::new("点", "points"),
        availability,
        quantity,
        cost: row.words("cost"),
        location: row.words("location"),
        examples: row.words("examples"),
        evidence: row.evidence(),
    }
}
