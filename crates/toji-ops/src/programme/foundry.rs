//! `foundry demand`: how the biofoundries are used, what is asked of them, and what nobody has begun.

use super::table::{Evidence, Row, distinct, rows, spoken};
use crate::operation::{Context, Effect, Operation, Words};
use crate::record::disagreements;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Diagnostic, Error, Kind, Place, Result, Text};

/// Input of `foundry demand`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Only this snapshot, e.g. `August 2024`; all of them when missing.
    ///
    /// この時点の集計のみ。例：`August 2024`。省略時はすべて。
    #[serde(default)]
    snapshot: Option<String>,
}

/// Uses of one sector at one stage.
#[derive(Debug, Serialize, JsonSchema)]
struct Sector {
    /// Sector.
    sector: Text,
    /// How many.
    count: i64,
    /// What is counted.
    unit: Text,
}

/// Uses at one stage.
#[derive(Debug, Serialize, JsonSchema)]
struct Stage {
    /// Stage.
    stage: Text,
    /// Has the foundry begun the work?
    started: bool,
    /// The total as printed.
    count: i64,
    /// What is counted.
    unit: Text,
    /// By sector, as printed.
    sectors: Vec<Sector>,
    /// Sum of the sectors, in the numbers printed; none when no sector is printed.
    sectors_sum: Option<i64>,
    /// Where the total stands.
    evidence: Evidence,
}

/// Inquiries of one sort.
#[derive(Debug, Serialize, JsonSchema)]
struct Inquiry {
    /// What was asked for.
    wish: Text,
    /// How many.
    count: i64,
    /// What is counted.
    unit: Text,
    /// Whose figure, and other remarks.
    note: Option<String>,
    /// Where it stands.
    evidence: Evidence,
}

/// Demand that the foundries have not begun to serve.
#[derive(Debug, Serialize, JsonSchema)]
struct Unmet {
    /// Requests for use at stages that have not started.
    requests: i64,
    /// Inquiries; a firm may stand among the requests too, so the two are not added.
    inquiries: i64,
    /// What both count.
    unit: Text,
    /// Requests by stage.
    by_stage: Vec<Sector>,
    /// Requests by sector, as printed.
    by_sector: Vec<Sector>,
}

/// The state at one date.
#[derive(Debug, Serialize, JsonSchema)]
struct Snapshot {
    /// Name of the snapshot.
    snapshot: String,
    /// As read.
    label: Text,
    /// Uses by stage.
    stages: Vec<Stage>,
    /// Uses the foundries have begun or done.
    served: i64,
    /// Inquiries.
    inquiries: Vec<Inquiry>,
    /// What has not been begun.
    unmet: Unmet,
    /// Printed totals that are not the sum of their sectors.
    inconsistencies: Vec<Diagnostic>,
}

/// Output of `foundry demand`.
#[derive(Debug, Serialize, JsonSchema)]
struct Demand {
    /// Oldest first.
    snapshots: Vec<Snapshot>,
    /// What "unmet" means here.
    rule: Text,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "foundry demand",
            label: ["バイオファウンドリの利用と問合せ", "Foundry use and inquiries"],
            about: [
                "利用件数を段階・業種ごとに、問合せを種類ごとに示し、着手されていない需要と、印刷された合計と内訳の不一致を挙げます。",
                "Shows use by stage and sector and inquiries by sort, lists demand that has not been begun, and flags printed totals that their sectors do not add up to.",
            ],
            positional: &["snapshot"],
            example: "toji foundry demand 'August 2024'",
        },
        Effect::Read,
        demand,
    )
}

async fn demand(context: Context, input: Input) -> Result<Demand> {
    let kind = context.session.store.kinds().get("foundry-demand")?;
    let all = rows(&context, "foundry-demand").await?;
    let mut names = distinct(all.iter().filter_map(|r| r.text("snapshot")));
    // The vocabulary lists snapshots oldest first; unknown ones follow in the order of their rows.
    let choices = kind.field("snapshot").map(|f| f.choices.as_slice()).unwrap_or_default();
    names.sort_by_key(|n| choices.iter().position(|c| c.code == *n).unwrap_or(choices.len()));
    if let Some(wanted) = &input.snapshot {
        if !names.contains(wanted) {
            let known = names.join(", ");
            return Err(Error::not_found(
                "E-FOUNDRY-001",
                format!("時点「{wanted}」の行はありません"),
                format!("there are no rows of \"{wanted}\""),
            )
            .at(Place::field("snapshot"))
            .hint(format!("次から選んでください: {known}"), format!("choose one of: {known}")));
        }
        names.retain(|n| n == wanted);
    }
    let snapshots = names.iter().map(|name| {
        let of: Vec<&Row> = all.iter().filter(|r| r.text("snapshot").as_ref() == Some(name)).collect();
        snapshot(kind, name, &of)
    });
    let rule = Text::new(
        "未充足 = 「着手済み」でない段階の利用件数と、すべての問合せ。両者は重なりうるため足しません",
        "unmet = requests at stages other than \"started\", and all inquiries; the two may overlap and are not added",
    );
    Ok(Demand { snapshots: snapshots.collect(), rule })
}

fn of_kind<'a>(rows: &[&'a Row], kind: &str) -> Vec<&'a Row> {
    rows.iter().copied().filter(|r| r.text("kind").as_deref() == Some(kind)).collect()
}

fn is_started(row: &Row) -> bool {
    row.text("stage_en").is_some_and(|t| t.starts_with("started"))
}

fn sector(kind: &Kind, row: &Row, label: Text) -> Sector {
    Sector {
        sector: label,
        count: row.whole("count").unwrap_or_default(),
        unit: spoken(kind, "unit", &row.text("unit").unwrap_or_default()),
    }
}

fn snapshot(kind: &Kind, name: &str, rows: &[&Row]) -> Snapshot {
    let parts = of_kind(rows, "sector");
    let stage = |row: &&Row| {
        let sectors: Vec<Sector> = parts
            .iter()
            .filter(|p| p.text("stage_en") == row.text("stage_en"))
            .map(|p| sector(kind, p, p.words("sector")))
            .collect();
        let total = sector(kind, row, Text::same(""));
        Stage {
            stage: row.words("stage"),
            started: is_started(row),
            count: total.count,
            unit: total.unit,
            sectors_sum: (!sectors.is_empty()).then(|| sectors.iter().map(|s| s.count).sum()),
            sectors,
            evidence: row.evidence(),
        }
    };
    let stages: Vec<Stage> = of_kind(rows, "total").iter().map(stage).collect();
    let inquiry = |row: &&Row| {
        let read = sector(kind, row, Text::same(""));
        Inquiry { wish: row.words("stage"), count: read.count, unit: read.unit, note: row.text("note"), evidence: row.evidence() }
    };
    let inquiries: Vec<Inquiry> = of_kind(rows, "inquiry").iter().map(inquiry).collect();
    Snapshot {
        snapshot: name.to_owned(),
        label: spoken(kind, "snapshot", name),
        served: stages.iter().filter(|s| s.started).map(|s| s.count).sum(),
        unmet: unmet(kind, &stages, &parts, &inquiries),
        stages,
        inquiries,
        inconsistencies: disagreements(kind, rows.iter().map(|r| (r.id.as_str(), &r.fields))),
    }
}

fn unmet(kind: &Kind, stages: &[Stage], parts: &[&Row], inquiries: &[Inquiry]) -> Unmet {
    let waiting: Vec<&Stage> = stages.iter().filter(|s| !s.started).collect();
    let mut by_sector: Vec<Sector> = Vec::new();
    for part in parts.iter().filter(|p| !is_started(p)) {
        // The papers spell one sector in several ways (食品, 食品系); the English name is the same.
        let read = sector(kind, part, part.words("sector"));
        match by_sector.iter_mut().find(|s| s.sector.en == read.sector.en && s.unit == read.unit) {
            Some(known) => known.count += read.count,
            None => by_sector.push(read),
        }
    }
    by_sector.sort_by_key(|s| std::cmp::Reverse(s.count));
    Unmet {
        requests: waiting.iter().map(|s| s.count).sum(),
        inquiries: inquiries.iter().map(|i| i.count).sum(),
        unit: waiting.first().map_or_else(|| spoken(kind, "unit", "件"), |s| s.unit.clone()),
        by_stage: waiting.iter().map(|s| Sector { sector: s.stage.clone(), count: s.count, unit: s.unit.clone() }).collect(),
        by_sector,
    }
}
