//! Constraints as people see them.

use super::evidence::Evidence;
use super::ids;
use crate::run::text;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use toji_core::{Record, Text, Unit};
use toji_culture::lesson::{Direction, Outcome};

/// A constraint.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct ConstraintView {
    /// Record; none when it is not kept.
    pub(super) constraint: Option<String>,
    /// What is asked, in words.
    pub(super) asks: Text,
    /// Cause.
    pub(super) cause: String,
    /// Code of the quantity.
    pub(super) variable: String,
    /// Which way.
    pub(super) direction: Direction,
    /// Limit.
    pub(super) limit: f64,
    /// Lower end of its 95 % interval.
    pub(super) low: Option<f64>,
    /// Upper end.
    pub(super) high: Option<f64>,
    /// Unit, UCUM.
    pub(super) unit: String,
    /// Why.
    pub(super) why: Text,
    /// Test it came from.
    pub(super) test: String,
    /// State.
    pub(super) constraint_state: String,
    /// What it rests on.
    pub(super) evidence: Vec<Evidence>,
}

impl ConstraintView {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let fields = &record.fields;
        let number = |name: &str| fields.get(name).and_then(Json::as_f64);
        let direction = if text(fields, "direction")? == "at-least" { Direction::AtLeast } else { Direction::AtMost };
        let (variable, limit, unit) = (text(fields, "variable")?, number("limit")?, text(fields, "unit")?);
        let evidence = fields.get("evidence").cloned().and_then(|e| serde_json::from_value(e).ok()).unwrap_or_default();
        Some(Self {
            constraint: Some(record.id.to_string()),
            asks: asks_text(&variable, direction, limit, &unit),
            cause: text(fields, "cause")?,
            variable,
            direction,
            limit,
            low: number("limit_low"),
            high: number("limit_high"),
            unit,
            why: Text::new(text(fields, "why_ja").unwrap_or_default(), text(fields, "why_en").unwrap_or_default()),
            test: text(fields, "run")?,
            constraint_state: text(fields, "state").unwrap_or_default(),
            evidence,
        })
    }
}

/// Label of what is asked.
pub(super) fn variable_label(variable: &str) -> Text {
    match variable {
        "specific-oxygen-uptake" => Text::new("比酸素消費速度", "Specific oxygen uptake"),
        "specific-heat" => Text::new("菌体当たりの発熱", "Heat of the cells"),
        "heat-output" => Text::new("培養液当たりの発熱", "Heat of the broth"),
        "co2-tolerance" => Text::new("耐えられる CO2 分圧", "Carbon dioxide it stands"),
        other => toji_culture::rates::label(other),
    }
}

/// What is asked, in words.
pub(super) fn asks_text(variable: &str, direction: Direction, limit: f64, unit: &str) -> Text {
    let label = variable_label(variable);
    let unit = Unit::parse(unit).map_or_else(|_| unit.to_owned(), |u| u.label());
    let (ja, en) = match direction {
        Direction::AtMost => ("以下", "at most"),
        Direction::AtLeast => ("以上", "at least"),
    };
    let limit = significant(limit);
    Text::new(format!("{} {limit} {unit} {ja}", label.ja), format!("{} {en} {limit} {unit}", label.en))
}

/// Three significant digits.
pub(super) fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 12);
    format!("{value:.*}", usize::try_from(digits).unwrap_or(0))
}

/// A comparison of the scales.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ScaleCompared")]
pub(super) struct Compared {
    /// Code of the quantity.
    pub(super) code: String,
    /// Label.
    pub(super) label: Text,
    /// Geometric mean on the smaller scale.
    pub(super) small: Option<f64>,
    /// The same on the larger scale.
    pub(super) large: Option<f64>,
    /// Unit of both, UCUM.
    pub(super) unit: String,
    /// Larger over smaller scale.
    pub(super) ratio: Option<f64>,
    /// Lower end of its interval; the intervals of all comparisons hold at once.
    pub(super) low: Option<f64>,
    /// Upper end.
    pub(super) high: Option<f64>,
    /// Relative standard deviation between runs.
    pub(super) spread: Option<f64>,
    /// Where that comes from.
    pub(super) spread_from: Option<toji_culture::lesson::Spread>,
    /// What can be said.
    pub(super) outcome: Outcome,
    /// Why nothing can be said.
    pub(super) why: Option<Text>,
}

/// Identifiers that a record refers to under a name.
pub(super) fn refers(record: &Record, name: &str, id: &str) -> bool {
    ids(&record.fields, name).iter().any(|i| i == id) || text(&record.fields, name).as_deref() == Some(id)
}
