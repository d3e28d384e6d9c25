//! `call totals`: what was proposed and adopted in each call, and the list of what was adopted.

use super::table::{Evidence, Row, distinct, rows, rows_or_none, tidy};
use crate::attach;
use crate::operation::{Answer, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_core::kind::write_cell;
use toji_core::{Action, Error, Place, Result, Text};

/// Input of `call totals`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Only this programme, by its shared identifier, e.g. `BIOREV`.
    ///
    /// この事業のみ（共通識別子）。例：`BIOREV`。
    #[serde(default)]
    programme: Option<String>,
    /// Only this call.
    ///
    /// この公募のみ。
    #[serde(default)]
    call: Option<i64>,
    /// Also hand out the adopted projects as a table (CSV).
    ///
    /// 採択課題の一覧も表（CSV）で渡す。
    #[serde(default)]
    adoption_list: bool,
}

/// One stage of a call, as printed.
#[derive(Debug, Serialize, JsonSchema)]
struct Stage {
    /// Stage: proposed, adopted and so on.
    stage: Text,
    /// Cases.
    cases: Option<i64>,
    /// Money of the state, in 10^8 yen.
    state_share_oku_yen: Option<f64>,
    /// Money of the whole projects, in 10^8 yen.
    project_total_oku_yen: Option<f64>,
    /// Opened, closed and announced, where the paper says so.
    opened: Option<String>,
    /// Closed.
    closed: Option<String>,
    /// Announced.
    announced: Option<String>,
    /// Remarks such as "about".
    note: Option<String>,
    /// Where it stands.
    evidence: Evidence,
}

/// One call.
#[derive(Debug, Serialize, JsonSchema)]
struct Call {
    /// Programme.
    programme: String,
    /// Its name, when the table of programmes is there.
    programme_name: Option<Text>,
    /// Number of the call.
    call: i64,
    /// Its stages.
    stages: Vec<Stage>,
    /// Adopted over proposed state share, percent, where both are printed.
    adopted_share_percent: Option<f64>,
}

/// One stage over all calls of a programme.
#[derive(Debug, Serialize, JsonSchema)]
struct Total {
    /// Programme.
    programme: String,
    /// Stage.
    stage: Text,
    /// Calls with this stage.
    calls: usize,
    /// Sum of the printed cases.
    cases: Option<i64>,
    /// Sum of the printed money of the state, in 10^8 yen.
    state_share_oku_yen: Option<f64>,
    /// Sum of the printed money of the whole projects, in 10^8 yen.
    project_total_oku_yen: Option<f64>,
    /// Calls whose cases are not printed.
    cases_missing: usize,
    /// Calls whose money of the state is not printed.
    state_share_missing: usize,
    /// Calls whose whole money is not printed.
    project_total_missing: usize,
}

/// An adopted project.
#[derive(Debug, Serialize, JsonSchema)]
struct Adopted {
    /// Record.
    id: String,
    /// Programme.
    programme: String,
    /// Call, as printed.
    call: String,
    /// Who leads it.
    lead: Option<String>,
    /// What it makes.
    products: Text,
    /// Where it stands.
    evidence: Evidence,
}

/// Output of `call totals`.
#[derive(Debug, Serialize, JsonSchema)]
struct Totals {
    /// Unit of money.
    money_unit: Text,
    /// Unit of cases.
    case_unit: Text,
    /// Call by call.
    calls: Vec<Call>,
    /// By programme and stage.
    totals: Vec<Total>,
    /// The adopted projects.
    adopted: Vec<Adopted>,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "call totals",
            label: ["公募と採択の集計", "Call totals"],
            about: [
                "公募ごとの提案と採択の件数・金額と、事業ごとの合計を示します。採択課題の一覧は表 (CSV) で取り出せます。",
                "Shows cases and money proposed and adopted in each call, with totals by programme. The list of adopted projects comes as a table (CSV) on request.",
            ],
            positional: &["programme"],
            example: "toji call totals BIOREV --adoption-list --out adopted.csv",
        },
        Effect::Read,
        totals,
    )
}

async fn totals(context: Context, input: Input) -> Result<Answer<Totals>> {
    let all = rows(&context, "funding-call").await?;
    let fits = |r: &&Row| {
        input.programme.as_ref().is_none_or(|p| r.text("programme_id").as_ref() == Some(p))
            && input.call.is_none_or(|c| r.whole("call") == Some(c))
    };
    let of: Vec<&Row> = all.iter().filter(fits).collect();
    if of.is_empty() {
        let known = distinct(all.iter().filter_map(|r| r.text("programme_id"))).join(", ");
        return Err(Error::not_found(
            "E-CALL-001",
            "この事業・公募回の行はありません",
            "there are no rows of this programme and call",
        )
        .at(Place::field("programme"))
        .hint(format!("事業: {known}"), format!("programmes: {known}")));
    }
    let programmes = rows_or_none(&context, "programme").await?;
    let keys = distinct(of.iter().map(|r| (r.text("programme_id").unwrap_or_default(), r.whole("call").unwrap_or_default())));
    let calls = keys.into_iter().map(|key| call(key, &of, &programmes)).collect();
    let call_text = input.call.map(|c| c.to_string());
    let projects: Vec<Row> = rows_or_none(&context, "adopted-project")
        .await?
        .into_iter()
        .filter(|r| input.programme.as_ref().is_none_or(|p| r.text("programme_id").as_ref() == Some(p)))
        .filter(|r| call_text.as_ref().is_none_or(|c| r.text("call").is_some_and(|t| t.split('-').any(|part| part == c))))
        .collect();
    let attachment = if input.adoption_list { Some(adoption_list(&context, &projects).await?) } else { None };
    let output = Totals {
        money_unit: Text::new("億円", "10^8 yen (oku yen)"),
        case_unit: Text::new("件", "cases"),
        calls,
        totals: by_programme(&of),
        adopted: projects.iter().map(adopted).collect(),
    };
    Ok(Answer { output, attachment })
}

async fn adoption_list(context: &Context, projects: &[Row]) -> Result<crate::operation::Attachment> {
    let store = &context.session.store;
    let records = store.records(&context.access, "adopted-project", None, false).await?;
    let may = store.allowed_of(&context.access, Action::Export, records).await?;
    let may: BTreeSet<&str> = may.iter().map(|r| r.id.as_str()).collect();
    let kind = store.kinds().get("adopted-project")?;
    let header: Vec<String> = std::iter::once("id".to_owned()).chain(kind.fields.iter().map(|f| f.name.clone())).collect();
    let cells =
        |r: &Row| std::iter::once(r.id.clone()).chain(kind.fields.iter().map(|f| write_cell(f, r.fields.get(&f.name)))).collect();
    let body: Vec<Vec<String>> = projects.iter().filter(|r| may.contains(r.id.as_str())).map(cells).collect();
    attach::table("adopted-projects", "csv", &header, &body)
}

fn call((programme, number): (String, i64), rows: &[&Row], programmes: &[Row]) -> Call {
    let of = rows.iter().filter(|r| r.text("programme_id").as_ref() == Some(&programme) && r.whole("call") == Some(number));
    let stages: Vec<Stage> = of.map(|r| stage(r)).collect();
    let share = |name: &str| stages.iter().find(|s| s.stage.en == name).and_then(|s| s.state_share_oku_yen);
    let adopted_share_percent =
        share("adopted").zip(share("proposed")).filter(|(_, p)| *p > 0.0).map(|(a, p)| (a / p * 1000.0).round() / 10.0);
    let programme_name = programmes.iter().find(|p| p.text("programme_id").as_ref() == Some(&programme)).map(|p| p.words("name"));
    Call { programme, programme_name, call: number, stages, adopted_share_percent }
}

fn stage(row: &Row) -> Stage {
    Stage {
        stage: row.words("stage"),
        cases: row.whole("cases"),
        state_share_oku_yen: row.number("state_share_oku_yen"),
        project_total_oku_yen: row.number("project_total_oku_yen"),
        opened: row.text("opened"),
        closed: row.text("closed"),
        announced: row.text("announced"),
        note: row.text("note"),
        evidence: row.evidence(),
    }
}

fn by_programme(rows: &[&Row]) -> Vec<Total> {
    let keys = distinct(rows.iter().map(|r| (r.text("programme_id").unwrap_or_default(), r.words("stage"))));
    let total = |(programme, stage): (String, Text)| {
        let of: Vec<&&Row> =
            rows.iter().filter(|r| r.text("programme_id").as_ref() == Some(&programme) && r.words("stage") == stage).collect();
        let numbers = |name: &str| of.iter().filter_map(|r| r.number(name)).collect::<Vec<f64>>();
        let sum = |found: &[f64]| (!found.is_empty()).then(|| tidy(found.iter().sum()));
        let cases: Vec<i64> = of.iter().filter_map(|r| r.whole("cases")).collect();
        let (share, whole) = (numbers("state_share_oku_yen"), numbers("project_total_oku_yen"));
        Total {
            calls: of.len(),
            cases: (!cases.is_empty()).then(|| cases.iter().sum()),
            state_share_oku_yen: sum(&share),
            project_total_oku_yen: sum(&whole),
            cases_missing: of.len() - cases.len(),
            state_share_missing: of.len() - share.len(),
            project_total_missing: of.len() - whole.len(),
            programme,
            stage,
        }
    };
    keys.into_iter().map(total).collect()
}

fn adopted(row: &Row) -> Adopted {
    Adopted {
        id: row.id.clone(),
        programme: row.text("programme_id").unwrap_or_default(),
        call: row.text("call").unwrap_or_default(),
        lead: row.text("lead_label"),
        products: row.words("products"),
        evidence: row.evidence(),
    }
}
