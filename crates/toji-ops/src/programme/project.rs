//! `project start`: a project starts only when every KPI of it has a unit and a due date.

use super::table::Row;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Category, Diagnostic, Error, Place, Result, Text};
use toji_store::{Commit, Put};

/// Input of `project start`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Identifier of the project.
    ///
    /// 実施課題の識別子。
    id: String,
    /// First day (`2026-11-24`); the project's own start date, else today in UTC, when missing.
    ///
    /// 初日（`2026-11-24`）。省略時は課題の開始日、それもなければ UTC の今日。
    #[serde(default)]
    start: Option<String>,
    /// Why.
    ///
    /// 理由。
    #[serde(default)]
    reason: Option<String>,
}

/// A KPI the project starts with.
#[derive(Debug, Serialize, JsonSchema)]
struct KpiView {
    /// Record.
    id: String,
    /// Target.
    target: Text,
    /// Comparator: `>=`, `between` and so on.
    comparator: String,
    /// Number, in `unit`.
    value: Option<f64>,
    /// Upper number, in `unit`.
    value_high: Option<f64>,
    /// Unit.
    unit: String,
    /// Due, as stated.
    due: String,
}

/// Output of `project start`.
#[derive(Debug, Serialize, JsonSchema)]
struct Started {
    /// Identifier.
    id: String,
    /// Version of the record now.
    version: u64,
    /// Did anything change?
    changed: bool,
    /// First day.
    start: String,
    /// The KPIs.
    kpis: Vec<KpiView>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "project start",
            label: ["課題の開始", "Start a project"],
            about: [
                "実施課題を開始します。KPI がない、または KPI に単位か期限が欠けているときは、その箇所を示して断ります。`record put` でも同じ規則が働きます。",
                "Starts a project. It is refused, with the place, while there is no KPI or a KPI lacks its unit or due date. The same rule holds for `record put`.",
            ],
            positional: &["id"],
            example: "toji project start PRJ-1 --reason 'KPI 承認済み'",
        },
        Effect::Write,
        start,
    )
}

async fn start(context: Context, input: Input) -> Result<Started> {
    let store = &context.session.store;
    let record = store.record(&context.access, "project", &input.id, None).await.map_err(|e| e.at(Place::field("id")))?;
    let mut fields = record.fields;
    if let Some(state @ ("stopped" | "done")) = fields.get("state").and_then(Json::as_str) {
        return Err(Error::new(
            Category::Conflict,
            "E-PROJECT-002",
            format!("この課題は終わっています (状態: {state})"),
            format!("the project is over (state: {state})"),
        )
        .at(Place::field("state"))
        .hint("新しい課題として登録してください", "enter a new project"));
    }
    let stated = fields.get("start").and_then(Json::as_str).map(str::to_owned);
    let day = input.start.or(stated).unwrap_or_else(|| context.now.to_string().chars().take(10).collect());
    fields.insert("start".into(), Json::from(day.as_str()));
    fields.insert("state".into(), Json::from("started"));
    may_start(&context, record.id.as_str(), &fields).await?;
    let kpis = kpis(&context, &fields).await?.iter().filter_map(|k| k.as_ref().ok()).map(view).collect();
    let put = Put { if_version: Some(record.version), ..Put::new("project", record.id.clone(), fields) };
    let commit = Commit { operation: "project start".into(), reason: input.reason, puts: vec![put], ..Commit::default() };
    let receipt = store.commit(&context.access, context.now, commit).await?;
    let version = receipt.versions.first().copied().unwrap_or(record.version);
    Ok(Started { id: record.id.to_string(), version, changed: receipt.seq.is_some(), start: day, kpis })
}

fn view(row: &Row) -> KpiView {
    KpiView {
        id: row.id.clone(),
        target: row.words("target"),
        comparator: row.text("comparator").unwrap_or_default(),
        value: row.number("value"),
        value_high: row.number("value_high"),
        unit: row.text("unit").unwrap_or_default(),
        due: row.text("due").unwrap_or_default(),
    }
}

/// The KPIs a project names, or the identifiers that lead nowhere.
async fn kpis(context: &Context, fields: &FieldMap) -> Result<Vec<std::result::Result<Row, String>>> {
    let project = Row { id: String::new(), fields: fields.clone() };
    let mut out = Vec::new();
    for id in project.list("kpis") {
        out.push(match context.session.store.record(&context.access, "kpi", &id, None).await {
            Ok(record) => Ok(Row::from(record)),
            Err(error) if error.category() == Category::NotFound => Err(id),
            Err(error) => return Err(error),
        });
    }
    Ok(out)
}

/// Words that stand in a cell where nothing was decided.
const UNDECIDED: [&str; 9] = ["-", "—", "?", "？", "tbd", "n/a", "none", "未定", "なし"];

fn decided(text: Option<String>) -> Option<String> {
    text.filter(|t| !UNDECIDED.contains(&t.to_lowercase().as_str()))
}

/// Does a due date name a time: a year (`FY2030`, `end of 2031`, `2027-03-31`) or a span from the start?
fn names_a_time(due: &str) -> bool {
    let digits: Vec<&str> = due.split(|c: char| !c.is_ascii_digit()).filter(|d| !d.is_empty()).collect();
    let year = digits.iter().any(|d| d.len() == 4 && (d.starts_with("19") || d.starts_with("20") || d.starts_with("21")));
    let span = !digits.is_empty() && (due.contains("after start") || due.contains("開始"));
    year || span
}

/// Refuses the fields of a started project whose KPIs are not complete; others pass.
///
/// # Errors
/// `E-PROJECT-001` with one finding for every gap: `project/PRJ-1/kpis`, `kpi/KPI007/due`.
pub(crate) async fn may_start(context: &Context, id: &str, fields: &FieldMap) -> Result<()> {
    if fields.get("state").and_then(Json::as_str) != Some("started") {
        return Ok(());
    }
    let found: Vec<Diagnostic> = kpis(context, fields).await?.iter().flat_map(gaps).collect();
    let found = match fields.get("kpis").and_then(Json::as_array) {
        Some(named) if !named.is_empty() => found,
        _ => vec![gap(
            &format!("project/{id}/kpis"),
            "KPI がありません",
            "there is no KPI",
            "KPI を登録し、kpis に挙げてください",
            "enter KPIs and name them in kpis",
        )],
    };
    let Some(first) = found.first() else { return Ok(()) };
    Err(Error::input(
        "E-PROJECT-001",
        format!("KPI がそろっていないため開始できません ({} か所)", found.len()),
        format!("the project cannot start: its KPIs are not complete ({} places)", found.len()),
    )
    .at(first.place.clone())
    .hint("示した KPI に単位と期限を入れてください", "give the KPIs named a unit and a due date")
    .with(found))
}

fn gap(place: &str, ja: &str, en: &str, remedy_ja: &str, remedy_en: &str) -> Diagnostic {
    Diagnostic::error("E-PROJECT-003", Place::field(place), ja, en).remedy(remedy_ja, remedy_en)
}

fn gaps(kpi: &std::result::Result<Row, String>) -> Vec<Diagnostic> {
    let row = match kpi {
        Ok(row) => row,
        Err(id) => {
            return vec![gap(
                &format!("kpi/{id}"),
                &format!("KPI {id} はありません"),
                &format!("there is no KPI {id}"),
                "KPI を登録してください",
                "enter the KPI",
            )];
        }
    };
    let (id, name) = (&row.id, row.words("target"));
    let mut out = Vec::new();
    if decided(row.text("unit")).is_none() {
        out.push(gap(
            &format!("kpi/{id}/unit"),
            &format!("KPI「{}」に単位がありません", name.ja),
            &format!("the KPI \"{}\" has no unit", name.en),
            "単位を入れてください",
            "give it a unit",
        ));
    }
    match decided(row.text("due")) {
        None => out.push(gap(
            &format!("kpi/{id}/due"),
            &format!("KPI「{}」に期限がありません", name.ja),
            &format!("the KPI \"{}\" has no due date", name.en),
            "期限を入れてください",
            "give it a due date",
        )),
        Some(due) if !names_a_time(&due) => out.push(gap(
            &format!("kpi/{id}/due"),
            &format!("KPI「{}」の期限「{due}」は時期を示していません", name.ja),
            &format!("the due date \"{due}\" of the KPI \"{}\" names no time", name.en),
            "2030、FY2030、2030-03-31、開始後3年 のように入れてください",
            "write it like 2030, FY2030, 2030-03-31 or 3 years after start",
        )),
        Some(_) => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_dates_of_the_papers_name_a_time_and_empty_words_do_not() {
        for due in ["2030", "FY2030", "end FY2027", "end of 2031", "10 years after start", "2027-03-31", "開始後3年"] {
            assert!(names_a_time(due), "{due}");
        }
        for due in ["soon", "早期に", "after start", "30"] {
            assert!(!names_a_time(due), "{due}");
        }
        assert_eq!((decided(Some("未定".into())), decided(Some("TBD".into()))), (None, None));
    }
}
