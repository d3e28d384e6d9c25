//! `measure track`: the responses of the road map, each with its issue, owner, status and evidence.

use super::table::{Evidence, Row, distinct, not_stated, rows, spoken};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Kind, Place, Result, Text};

/// Input of `measure track`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Only this area, by its number; all of them when missing.
    ///
    /// この分野のみ（分野番号）。省略時はすべて。
    #[serde(default)]
    area: Option<i64>,
    /// Only responses without an owner.
    ///
    /// 主体の記載がない対応のみ。
    #[serde(default)]
    without_owner: bool,
}

/// One response.
#[derive(Debug, Serialize, JsonSchema)]
struct Response {
    /// Record.
    id: String,
    /// Number of the area.
    area: i64,
    /// Number of the measure and of the response in it.
    number: String,
    /// Measure.
    measure: Text,
    /// The issue it answers.
    issue: Text,
    /// The response.
    response: Text,
    /// Who is responsible; "not stated" where the paper names nobody.
    owner: Text,
    /// Does the paper name an owner?
    owner_stated: bool,
    /// How firm the paper is about it, in its own words.
    status: Text,
    /// Instrument: tax, grant, regulation and so on.
    instrument: Option<String>,
    /// Where it stands.
    evidence: Evidence,
}

/// A status with its number of responses.
#[derive(Debug, Serialize, JsonSchema)]
struct StatusCount {
    /// Status.
    status: Text,
    /// Responses.
    responses: usize,
}

/// One area.
#[derive(Debug, Serialize, JsonSchema)]
struct Area {
    /// Number.
    number: i64,
    /// Area.
    area: Text,
    /// Responses in it.
    responses: usize,
    /// Of them, those without an owner in the paper.
    without_owner: usize,
    /// By status.
    statuses: Vec<StatusCount>,
}

/// Output of `measure track`.
#[derive(Debug, Serialize, JsonSchema)]
struct Tracked {
    /// Responses shown.
    total: usize,
    /// Unit of the numbers.
    unit: Text,
    /// By area, over all responses.
    areas: Vec<Area>,
    /// The responses.
    responses: Vec<Response>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "measure track",
            label: ["施策の追跡", "Track measures"],
            about: [
                "官民投資ロードマップの対応ごとに、課題、主体 (資料にない場合は「記載なし」)、状況、根拠を示します。",
                "Shows every response of the road map with its issue, owner (or \"not stated\"), status and evidence.",
            ],
            positional: &["area"],
            example: "toji measure track 1",
        },
        Effect::Read,
        track,
    )
}

async fn track(context: Context, input: Input) -> Result<Tracked> {
    let kind = context.session.store.kinds().get("measure")?;
    let all = rows(&context, "measure").await?;
    let numbers = distinct(all.iter().filter_map(|r| r.whole("area_no")));
    if let Some(area) = input.area.filter(|a| !numbers.contains(a)) {
        let known = numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        return Err(Error::not_found("E-MEASURE-001", format!("分野 {area} はありません"), format!("there is no area {area}"))
            .at(Place::field("area"))
            .hint(format!("次から選んでください: {known}"), format!("choose one of: {known}")));
    }
    let every: Vec<Response> = all.iter().map(|r| response(kind, r)).collect();
    let areas = numbers.iter().map(|n| area(*n, &all, &every)).collect();
    let shown = |r: &Response| input.area.is_none_or(|a| a == r.area) && !(input.without_owner && r.owner_stated);
    let responses: Vec<Response> = every.into_iter().filter(shown).collect();
    Ok(Tracked { total: responses.len(), unit: Text::new("件", "responses"), areas, responses })
}

fn response(kind: &Kind, row: &Row) -> Response {
    let owner = row.text("responsible");
    Response {
        id: row.id.clone(),
        area: row.whole("area_no").unwrap_or_default(),
        number: format!("{} {}", row.text("number").unwrap_or_default(), row.text("response_no").unwrap_or_default()),
        measure: row.words("measure"),
        issue: row.words("issue"),
        response: row.words("response"),
        owner_stated: owner.is_some(),
        owner: owner.map_or_else(not_stated, Text::same),
        status: row.text("commitment").map_or_else(not_stated, |c| spoken(kind, "commitment", &c)),
        instrument: row.text("instrument_type"),
        evidence: row.evidence(),
    }
}

fn area(number: i64, rows: &[Row], all: &[Response]) -> Area {
    let of: Vec<&Response> = all.iter().filter(|r| r.area == number).collect();
    let statuses = distinct(of.iter().map(|r| r.status.clone()));
    let count = |status: Text| StatusCount { responses: of.iter().filter(|r| r.status == status).count(), status };
    Area {
        number,
        area: rows.iter().find(|r| r.whole("area_no") == Some(number)).map(|r| r.words("area")).unwrap_or_else(not_stated),
        responses: of.len(),
        without_owner: of.iter().filter(|r| !r.owner_stated).count(),
        statuses: statuses.into_iter().map(count).collect(),
    }
}
