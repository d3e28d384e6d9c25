//! `culture design-cycle`: the next turn of design, build, test and learn, with what earlier tests ask of it.

use super::ids;
use super::judge::above;
use super::rows::{ConstraintView, refers};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_core::record::FieldMap;
use toji_core::{Error, Id, Place, Record, Result, Text};
use toji_store::{Commit, Put};

/// Input of `culture design-cycle`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Strain the cycle starts from.
    ///
    /// 出発株。
    strain: String,
    /// Title.
    ///
    /// 標題。
    #[serde(default)]
    title: Option<String>,
    /// Goal.
    ///
    /// 目標。
    #[serde(default)]
    goal: Option<String>,
    /// Constraints to take up; all open ones of the strain and of those above it when missing.
    ///
    /// 採用する制約。省略時は、この株と親株の未着手の制約すべて。
    #[serde(default)]
    constraints: Vec<String>,
    /// Only show what would be taken up?
    ///
    /// 採用するものを示すだけにするか。
    #[serde(default)]
    dry_run: bool,
}

/// Output of `culture design-cycle`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DesignCycle")]
struct Cycle {
    /// Record of the cycle; none when it is only shown.
    cycle: Option<String>,
    /// Number.
    number: u64,
    /// Strain it starts from.
    strain: String,
    /// Cycle before.
    previous: Option<String>,
    /// Was it opened now?
    opened: bool,
    /// What it takes up.
    constraints: Vec<ConstraintView>,
    /// What to do with it.
    advice: Vec<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture design-cycle",
            label: ["設計サイクルを開く", "Open a design cycle"],
            about: [
                "株の次の設計サイクル（DBTL）を開き、大スケールの試験が残した未着手の制約を、限界値・区間・理由・根拠とともに引き継ぎます。制約の状態は「設計に採用」になります。改変（種別 strain-edit）に制約と改変後の株を入れると、試験から改変、次の試験までが run lineage でたどれます。新しい制約がなければ、設計中のサイクルをそのまま示します。",
                "Opens the next design cycle (DBTL) of a strain and takes up the open constraints that tests on a larger scale left, with limits, intervals, reasons and evidence; their state becomes taken up. Enter edits (kind strain-edit) with their constraints and the strain they made, and run lineage shows the way from test to edit to the next test. Without new constraints the cycle that is being designed is shown as it is.",
            ],
            positional: &["strain"],
            example: "toji culture design-cycle STR-1 --goal '酸素要求の低減'",
        },
        Effect::Write,
        cycle,
    )
}

fn number(record: &Record) -> u64 {
    record.fields.get("number").and_then(Json::as_u64).unwrap_or(0)
}

async fn cycle(context: Context, input: Input) -> Result<Cycle> {
    let store = &context.session.store;
    let strain = store.record(&context.access, "strain", &input.strain, None).await?;
    let family = above(&context, strain.id.as_str()).await;
    let (mut cycles, mut open): (Vec<Record>, Vec<Record>) = (Vec::new(), Vec::new());
    for id in &family {
        let of = |r: &Record| !r.retired && refers(r, "strain", id);
        cycles.extend(store.linked(&context.access, "design-cycle", "strain", id).await?.into_iter().filter(of));
        let constraints = store.linked(&context.access, "design-constraint", "strain", id).await?;
        open.extend(constraints.into_iter().filter(|r| of(r) && text(&r.fields, "state").as_deref() == Some("open")));
    }
    cycles.sort_by(|a, b| (number(a), &a.id).cmp(&(number(b), &b.id)));
    if !input.constraints.is_empty() {
        open.clear();
        for id in &input.constraints {
            let record = store.record(&context.access, "design-constraint", id, None).await?;
            if matches!(text(&record.fields, "state").as_deref(), Some("met" | "refuted")) {
                return Err(Error::input(
                    "E-DESIGN-003",
                    format!("制約 {id} は判定済みです"),
                    format!("the constraint {id} is already judged"),
                )
                .at(Place::field("constraints"))
                .hint("未着手か採用中の制約を指定してください", "name constraints that are open or taken up"));
            }
            if !open.iter().any(|r| r.id == record.id) {
                open.push(record);
            }
        }
    }
    open.sort_by(|a, b| a.id.cmp(&b.id));
    let last = cycles.last();
    let designing =
        last.filter(|c| refers(c, "strain", strain.id.as_str()) && text(&c.fields, "state").as_deref() == Some("design"));
    if let Some(designing) = designing.filter(|_| open.is_empty()) {
        return shown(&context, designing).await;
    }
    let number = last.map_or(0, number) + 1;
    let previous = last.map(|c| c.id.to_string());
    let id = Id::derive("cycle", &[strain.id.as_str(), &number.to_string()]);
    let (taken, puts) = puts(&context, &input, &strain, &open, number, previous.as_deref(), &id)?;
    if !input.dry_run {
        let commit = Commit { operation: "culture design-cycle".into(), puts, ..Commit::default() };
        store.commit(&context.access, context.now, commit).await?;
    }
    Ok(Cycle {
        cycle: (!input.dry_run).then(|| id.to_string()),
        number,
        strain: strain.id.to_string(),
        previous,
        opened: !input.dry_run,
        advice: advice(&taken),
        constraints: taken,
    })
}

/// The records of a cycle and of what it takes up.
fn puts(
    context: &Context,
    input: &Input,
    strain: &Record,
    open: &[Record],
    number: u64,
    previous: Option<&str>,
    id: &Id,
) -> Result<(Vec<ConstraintView>, Vec<Put>)> {
    let name = text(&strain.fields, "name").unwrap_or_else(|| strain.id.to_string());
    let title = input.title.clone().unwrap_or_else(|| format!("{name} DBTL {number}"));
    let constraints: Vec<String> = open.iter().map(|r| r.id.to_string()).collect();
    let mut fields = FieldMap::from_iter([
        ("title".to_owned(), Json::from(title)),
        ("number".to_owned(), number.into()),
        ("strain".to_owned(), strain.id.as_str().into()),
        ("constraints".to_owned(), json!(constraints)),
        ("state".to_owned(), "design".into()),
        ("made_at".to_owned(), json!(context.now.to_string())),
    ]);
    for (name, value) in
        [("previous", previous.map(str::to_owned)), ("goal", input.goal.clone()), ("area", text(&strain.fields, "area"))]
    {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value.into());
        }
    }
    let (mut puts, mut taken) = (vec![Put::new("design-cycle", id.clone(), fields)], Vec::new());
    for record in open {
        let mut next = record.clone();
        next.fields.insert("state".to_owned(), "taken-up".into());
        next.fields.insert("cycle".to_owned(), id.as_str().into());
        taken.extend(ConstraintView::of(&next));
        puts.push(Put { if_version: Some(record.version), ..Put::new("design-constraint", record.id.clone(), next.fields) });
    }
    Ok((taken, puts))
}

/// A cycle that is there already.
async fn shown(context: &Context, cycle: &Record) -> Result<Cycle> {
    let mut constraints = Vec::new();
    for id in ids(&cycle.fields, "constraints") {
        if let Ok(record) = context.session.store.record(&context.access, "design-constraint", &id, None).await {
            constraints.extend(ConstraintView::of(&record));
        }
    }
    Ok(Cycle {
        cycle: Some(cycle.id.to_string()),
        number: number(cycle),
        strain: text(&cycle.fields, "strain").unwrap_or_default(),
        previous: text(&cycle.fields, "previous"),
        opened: false,
        advice: advice(&constraints),
        constraints,
    })
}

fn advice(constraints: &[ConstraintView]) -> Vec<Text> {
    if constraints.is_empty() {
        return vec![Text::new(
            "引き継ぐ制約はありません。大スケールの培養があれば culture constrain で比べてください",
            "there is no constraint to take up; compare runs on a larger scale with culture constrain",
        )];
    }
    vec![Text::new(
        "改変は種別 strain-edit に、応える制約（constraints）と改変後の株（strain）を添えて記録してください",
        "enter edits as strain-edit, with the constraints they answer and the strain they made",
    )]
}
