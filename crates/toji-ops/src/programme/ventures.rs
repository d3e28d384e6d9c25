//! `venture calls`: how applications, adoptions and proposed money moved from call to call.

use super::table::{Evidence, Row, distinct, rows, rows_or_none};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};

/// Input of `venture calls`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Programme, by its shared identifier.
    ///
    /// 事業の共通識別子。
    #[serde(default = "veco")]
    programme: String,
}

fn veco() -> String {
    "VECO".into()
}

/// One call.
#[derive(Debug, Serialize, JsonSchema)]
struct Call {
    /// Number.
    call: i64,
    /// Applications.
    applied: Option<i64>,
    /// Money proposed by the applicants in all (VC investment and subsidy asked), in 10^8 yen.
    proposed_oku_yen: Option<f64>,
    /// Proposed money for one application, in 10^8 yen.
    proposed_per_case_oku_yen: Option<f64>,
    /// Adopted.
    adopted: Option<i64>,
    /// Adopted of the applications, percent.
    adopted_percent: Option<f64>,
    /// Ventures of this call in the register of ventures; another table, for comparison.
    ventures_named: Option<usize>,
    /// Opened, closed and announced.
    opened: Option<String>,
    /// Closed.
    closed: Option<String>,
    /// Announced.
    announced: Option<String>,
    /// Remarks of the rows.
    notes: Vec<String>,
    /// Where the figures stand.
    evidence: Vec<Evidence>,
}

/// Output of `venture calls`.
#[derive(Debug, Serialize, JsonSchema)]
struct Trend {
    /// Programme.
    programme: String,
    /// Unit of cases.
    case_unit: Text,
    /// Unit of money.
    money_unit: Text,
    /// By number.
    calls: Vec<Call>,
    /// Applications of all calls.
    applied_total: i64,
    /// Adopted of all calls.
    adopted_total: i64,
    /// Did the proposed money grow at every call?
    proposed_grows: bool,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "venture calls",
            label: ["創薬ベンチャー公募の推移", "Venture calls"],
            about: [
                "創薬ベンチャー公募の応募件数、提案額、採択件数を公募回ごとに示し、名簿の採択企業数と照らします。",
                "Shows applications, proposed money and adoptions of the drug venture calls, call by call, beside the number of adopted ventures in the register.",
            ],
            positional: &["programme"],
            example: "toji venture calls",
        },
        Effect::Read,
        calls,
    )
}

async fn calls(context: Context, input: Input) -> Result<Trend> {
    let all = rows(&context, "funding-call").await?;
    let of: Vec<&Row> = all.iter().filter(|r| r.text("programme_id").as_ref() == Some(&input.programme)).collect();
    if of.is_empty() {
        let known = distinct(all.iter().filter_map(|r| r.text("programme_id"))).join(", ");
        return Err(Error::not_found("E-CALL-001", "この事業の公募の行はありません", "there are no calls of this programme")
            .at(Place::field("programme"))
            .hint(format!("事業: {known}"), format!("programmes: {known}")));
    }
    let ventures = rows_or_none(&context, "vc-and-venture").await?;
    let mut numbers = distinct(of.iter().filter_map(|r| r.whole("call")));
    numbers.sort_unstable();
    let calls: Vec<Call> = numbers.into_iter().map(|n| call(n, &of, &ventures)).collect();
    let money: Vec<f64> = calls.iter().filter_map(|c| c.proposed_oku_yen).collect();
    Ok(Trend {
        programme: input.programme,
        case_unit: Text::new("件", "cases"),
        money_unit: Text::new("億円", "10^8 yen (oku yen)"),
        applied_total: calls.iter().filter_map(|c| c.applied).sum(),
        adopted_total: calls.iter().filter_map(|c| c.adopted).sum(),
        proposed_grows: money.len() > 1 && money.is_sorted_by(|a, b| a < b),
        calls,
    })
}

fn call(number: i64, rows: &[&Row], ventures: &[Row]) -> Call {
    let of: Vec<&&Row> = rows.iter().filter(|r| r.whole("call") == Some(number)).collect();
    let stage = |word: &str| of.iter().find(|r| r.text("stage_en").is_some_and(|s| s.starts_with(word)));
    let (asked, taken) = (stage("applied"), stage("adopted"));
    let applied = asked.and_then(|r| r.whole("cases"));
    let proposed = asked.and_then(|r| r.number("project_total_oku_yen"));
    let adopted = taken.and_then(|r| r.whole("cases"));
    let tenth = |x: f64| (x * 10.0).round() / 10.0;
    let cases = applied.filter(|n| *n > 0).map(|n| n as f64);
    let date = |name: &str| taken.and_then(|r| r.text(name));
    let named = |r: &&Row| r.text("kind").as_deref() == Some("adopted_venture") && r.whole("call_no") == Some(number);
    Call {
        call: number,
        applied,
        proposed_oku_yen: proposed,
        proposed_per_case_oku_yen: proposed.zip(cases).map(|(p, n)| tenth(p / n)),
        adopted,
        adopted_percent: adopted.zip(cases).map(|(a, n)| tenth(a as f64 / n * 100.0)),
        ventures_named: (!ventures.is_empty()).then(|| ventures.iter().filter(named).count()),
        opened: date("opened"),
        closed: date("closed"),
        announced: date("announced"),
        notes: of.iter().filter_map(|r| r.text("note")).collect(),
        evidence: of.iter().map(|r| r.evidence()).collect(),
    }
}
