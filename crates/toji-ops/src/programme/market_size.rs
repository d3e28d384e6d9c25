//! `market size`: the estimates of the bio-manufacturing market, and what they are in dollars.

use super::table::{Evidence, Row, rows, spoken, tidy};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Kind, Place, Result, Text};

/// No input.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// The exchange rate that the estimates rest on.
#[derive(Debug, Serialize, JsonSchema)]
struct Rate {
    /// Yen for one dollar.
    value: f64,
    /// `JPY per USD`.
    unit: Text,
    /// Where it stands.
    evidence: Evidence,
}

/// One figure.
#[derive(Debug, Serialize, JsonSchema)]
struct Figure {
    /// Record.
    id: String,
    /// Market.
    market: Text,
    /// Region.
    region: Option<Text>,
    /// Year, as printed.
    year: Option<String>,
    /// Number as printed, in `unit`.
    value: f64,
    /// Upper end of a range, in `unit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_high: Option<f64>,
    /// Unit.
    unit: Text,
    /// Converted by the paper's rate, in billions of US dollars (10^9 USD); only where the figure rests on that rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_billion_usd: Option<f64>,
    /// Estimate, target, forecast, fact.
    kind: Text,
    /// What it assumes.
    basis: Option<String>,
    /// Remarks.
    note: Option<String>,
    /// Where it stands.
    evidence: Evidence,
}

/// Output of `market size`.
#[derive(Debug, Serialize, JsonSchema)]
struct Sizes {
    /// The exchange rate of the estimates.
    exchange_rate: Rate,
    /// How dollars are computed.
    rule: Text,
    /// The estimated totals of the market, by year.
    totals: Vec<Figure>,
    /// Targets, shares and other figures; they rest on other assumptions and are not converted.
    others: Vec<Figure>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "market size",
            label: ["市場規模", "Market size"],
            about: [
                "バイオものづくりの市場規模の推計を、前提の為替とその換算とともに示します。推計でない数値は別に並べます。",
                "Shows the estimates of the bio-manufacturing market with the exchange rate they rest on and the amounts in dollars. Figures that are not estimates stand apart.",
            ],
            positional: &[],
            example: "toji market size",
        },
        Effect::Read,
        size,
    )
}

const RATE_UNIT: &str = "JPY per USD";
const TOTAL_UNIT: &str = "trillion yen";

fn unit_label(unit: &str) -> Text {
    let ja = match unit {
        TOTAL_UNIT => "兆円",
        "trillion yen per year" => "兆円/年",
        RATE_UNIT => "円/ドル",
        "percent" => "%",
        "percent per year" => "%/年",
        "x 2020" => "2020年比（倍）",
        other => other,
    };
    Text::new(ja, unit)
}

async fn size(context: Context, _: Nothing) -> Result<Sizes> {
    let kind = context.session.store.kinds().get("market-size")?;
    let all = rows(&context, "market-size").await?;
    let is_rate = |r: &&Row| r.text("unit").as_deref() == Some(RATE_UNIT);
    let rate = all.iter().find(is_rate).and_then(|r| r.number("value").filter(|v| *v > 0.0).map(|v| (r, v)));
    let Some((row, yen_per_usd)) = rate else {
        return Err(Error::not_found("E-MARKET-001", "為替の前提の行がありません", "there is no row with the exchange rate")
            .at(Place::field("market-size/unit"))
            .hint(format!("単位「{RATE_UNIT}」の行を入れてください"), format!("enter a row whose unit is \"{RATE_UNIT}\"")));
    };
    let exchange_rate = Rate { value: yen_per_usd, unit: unit_label(RATE_UNIT), evidence: row.evidence() };
    let is_total = |r: &&Row| r.text("kind").as_deref() == Some("estimate") && r.text("unit").as_deref() == Some(TOTAL_UNIT);
    let (mut totals, mut others) = (Vec::new(), Vec::new());
    for row in all.iter().filter(|r| !is_rate(r)) {
        if is_total(&row) {
            totals.push(figure(kind, row, Some(yen_per_usd)));
        } else {
            others.push(figure(kind, row, None));
        }
    }
    totals.sort_by(|a, b| a.year.cmp(&b.year));
    let rule = Text::new(
        format!("10億ドル = 兆円 × 1000 ÷ {yen_per_usd}。前提に「1 USD = {yen_per_usd} JPY」とある推計だけを換算します"),
        format!(
            "10^9 USD = trillion yen x 1000 / {yen_per_usd}; only estimates whose basis says \"1 USD = {yen_per_usd} JPY\" are converted"
        ),
    );
    Ok(Sizes { exchange_rate, rule, totals, others })
}

fn figure(kind: &Kind, row: &Row, yen_per_usd: Option<f64>) -> Figure {
    let value = row.number("value").unwrap_or_default();
    let basis = row.text("basis");
    let rests = |rate: &f64| basis.as_ref().is_some_and(|b| b.contains(&format!("1 USD = {rate} JPY")));
    Figure {
        id: row.id.clone(),
        market: row.words("market"),
        region: row.text("region").map(|r| spoken(kind, "region", &r)),
        year: row.text("year"),
        value,
        value_high: row.number("value_high"),
        unit: unit_label(&row.text("unit").unwrap_or_default()),
        value_billion_usd: yen_per_usd.filter(rests).map(|rate| tidy(value * 1000.0 / rate)),
        kind: spoken(kind, "kind", &row.text("kind").unwrap_or_default()),
        basis,
        note: row.text("note"),
        evidence: row.evidence(),
    }
}
