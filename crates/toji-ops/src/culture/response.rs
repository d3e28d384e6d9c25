//! The response of a run: the one number by which conditions are compared. A code of the analysis, or a variable,
//! whose last value it is then.

use super::analyse::quantities;
use crate::operation::Context;
use crate::run::{load, text, zero_ns};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use toji_core::{Error, Place, Record, Result, Text, Unit, Value, ValueKind, variable};
use toji_culture::rates::{self, CODES};

/// The last value of a channel is the median of its good values of this last stretch, s: one reading of a probe is
/// mostly noise.
const LAST_S: f64 = 1_800.0;

/// Quantities of the analysis by which scales are compared.
const RESULTS: [&str; 9] = [
    "duration",
    "growth-rate-max",
    "biomass-final",
    "titre-final",
    "yield-biomass-substrate",
    "yield-product-substrate",
    "productivity",
    "oxygen-uptake-max",
    "feed-total",
];

/// What a run answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// A number.
    Value {
        /// Value.
        value: f64,
        /// Unit, UCUM.
        unit: Option<String>,
    },
    /// None, and why.
    Missing(Text),
}

/// Label and usual unit of a response.
///
/// # Errors
/// Neither a code of the analysis nor a variable.
pub(super) fn described(code: &str) -> Result<(Text, Option<String>)> {
    if CODES.contains(&code) {
        return Ok((rates::label(code), None));
    }
    if let Some(known) = variable::get(code) {
        let label = Text::new(format!("{}（最終値）", known.label.ja), format!("{} (last value)", known.label.en));
        return Ok((label, Some(known.unit.clone())));
    }
    Err(Error::input("E-RANK-003", format!("応答「{code}」は知られていません"), format!("the response \"{code}\" is not known"))
        .at(Place::field("response"))
        .hint(
            format!("解析の量 {} か、optical-density のような変数名（最終値）を指定してください", CODES.join(", ")),
            format!(
                "name a quantity of the analysis ({}) or a variable such as optical-density (its last value)",
                CODES.join(", ")
            ),
        ))
}

/// The response of a run: from its analysis, stored or made now and not kept, or its last value of a variable.
///
/// # Errors
/// Storage faults; a number that is not there is an answer.
pub(super) async fn response(context: &Context, run: &Record, code: &str) -> Result<Answer> {
    if !CODES.contains(&code) {
        return last_value(context, run, code).await;
    }
    let (found, lacking) = quantities(context, run.id.as_str()).await?;
    if let Some(quantity) = found.into_iter().find(|q| q.code == code) {
        return Ok(Answer::Value { value: quantity.value, unit: Some(quantity.unit) });
    }
    let why = lacking.into_iter().find(|l| l.code == code).map(|l| l.why);
    Ok(Answer::Missing(why.unwrap_or_else(|| Text::new("解析にこの量がありません", "the analysis does not have this quantity"))))
}

/// A number of a run, for people.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct QuantityView {
    /// Code.
    pub(super) code: String,
    /// Label.
    pub(super) label: Text,
    /// Value.
    pub(super) value: f64,
    /// Unit, UCUM.
    pub(super) unit: String,
}

/// What a run came to, as far as its analysis could tell.
///
/// # Errors
/// Storage faults.
pub(super) async fn results(context: &Context, run: &Record) -> Result<Vec<QuantityView>> {
    let (found, _) = quantities(context, run.id.as_str()).await?;
    let shown = found.into_iter().filter(|q| RESULTS.contains(&q.code.as_str()));
    Ok(shown.map(|q| QuantityView { code: q.code, label: q.label, value: q.value, unit: q.unit }).collect())
}

/// The last value of a variable, of sensors and assays: whichever was later.
async fn last_value(context: &Context, run: &Record, quantity: &str) -> Result<Answer> {
    let mut found: Option<(f64, f64, Option<String>)> = None;
    match load(context, run.id.as_str(), &[quantity.to_owned()], None, None).await {
        Ok((_, series)) => {
            for (channel, series) in series {
                if text(&channel.fields, "origin").as_deref() == Some("setpoint") {
                    continue;
                }
                let good: Vec<usize> = (0..series.len()).filter(|i| series.is_good(*i)).collect();
                let Some(last_ns) = good.last().and_then(|i| series.t_ns.get(*i)) else { continue };
                let from_ns = last_ns.saturating_sub((LAST_S * 1e9) as i64);
                let mut values: Vec<f64> = good
                    .iter()
                    .filter(|i| series.t_ns.get(**i).is_some_and(|t| *t >= from_ns))
                    .filter_map(|i| series.value.get(*i).copied())
                    .collect();
                let Some(value) = median(&mut values) else { continue };
                let at_s = *last_ns as f64 / 1e9;
                if found.as_ref().is_none_or(|(t, ..)| at_s > *t) {
                    found = Some((at_s, value, text(&channel.fields, "unit")));
                }
            }
        }
        Err(error) if error.code() == "E-RUN-010" => {}
        Err(error) => return Err(error),
    }
    let zero = zero_ns(&run.fields);
    for assay in context.session.store.linked(&context.access, "assay", "run", run.id.as_str()).await? {
        if text(&assay.fields, "variable").as_deref() != Some(quantity) {
            continue;
        }
        let Some((value, unit)) = assay.fields.get("value").and_then(number) else { continue };
        let at_s = elapsed_s(&assay, zero).unwrap_or(f64::NEG_INFINITY);
        if found.as_ref().is_none_or(|(t, ..)| at_s > *t) {
            found = Some((at_s, value, unit));
        }
    }
    let Some((_, value, unit)) = found else {
        return Ok(Answer::Missing(Text::new(
            format!("{quantity} の測定値がありません"),
            format!("there is no value of {quantity}"),
        )));
    };
    Ok(in_usual_unit(quantity, value, unit))
}

/// The middle of some numbers.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let upper = values.get(half)?;
    if values.len() % 2 == 1 {
        return Some(*upper);
    }
    Some((upper + values.get(half.checked_sub(1)?)?) / 2.0)
}

/// Number and unit of a stored value object that is one number.
fn number(json: &Json) -> Option<(f64, Option<String>)> {
    let value: Value = serde_json::from_value(json.clone()).ok()?;
    let number = value.number.filter(|_| value.kind == ValueKind::Exact)?;
    Some((number, value.unit.map(|u| u.code().to_owned())))
}

/// Seconds since the zero of the run.
fn elapsed_s(record: &Record, zero: Option<i64>) -> Option<f64> {
    if let Some(elapsed) = record.fields.get("elapsed_s").and_then(Json::as_f64) {
        return Some(elapsed);
    }
    let at = toji_core::Instant::parse(&text(&record.fields, "time")?).ok()?;
    Some((at.0 - zero?) as f64 / 1e9)
}

fn in_usual_unit(quantity: &str, value: f64, unit: Option<String>) -> Answer {
    let units =
        variable::get(quantity).and_then(|v| Unit::parse(&v.unit).ok()).zip(unit.as_ref().and_then(|u| Unit::parse(u).ok()));
    match units {
        Some((usual, own)) => match own.convert(value, &usual) {
            Ok(value) => Answer::Value { value, unit: Some(usual.code().to_owned()) },
            Err(_) => Answer::Value { value, unit },
        },
        None => Answer::Value { value, unit },
    }
}

/// Brings an answer to a common unit, which the first one sets.
pub(super) fn to_common(answer: Answer, common: &mut Option<Option<String>>) -> Answer {
    let Answer::Value { value, unit } = answer else { return answer };
    let Some(wanted) = common else {
        *common = Some(unit.clone());
        return Answer::Value { value, unit };
    };
    if *wanted == unit {
        return Answer::Value { value, unit };
    }
    let parsed = wanted.as_ref().and_then(|w| Unit::parse(w).ok()).zip(unit.as_ref().and_then(|u| Unit::parse(u).ok()));
    match parsed.and_then(|(to, from)| from.convert(value, &to).ok()) {
        Some(value) => Answer::Value { value, unit: wanted.clone() },
        None => {
            let (own, other) = (unit.unwrap_or_else(|| "?".into()), wanted.clone().unwrap_or_else(|| "?".into()));
            Answer::Missing(Text::new(
                format!("単位 {own} は {other} に換算できません"),
                format!("its unit {own} cannot be converted to {other}"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_to_one_unit_or_say_why_not() {
        let value = |value: f64, unit: &str| Answer::Value { value, unit: Some(unit.to_owned()) };
        let mut common = None;
        assert_eq!(to_common(value(2.0, "g/L"), &mut common), value(2.0, "g/L"));
        assert_eq!(to_common(value(500.0, "mg/L"), &mut common), value(0.5, "g/L"));
        assert!(matches!(to_common(value(5.0, "Cel"), &mut common), Answer::Missing(_)));
        assert!(matches!(to_common(Answer::Value { value: 1.0, unit: None }, &mut common), Answer::Missing(_)));
        assert_eq!((median(&mut [3.0, 1.0, 2.0]), median(&mut [4.0, 1.0]), median(&mut [])), (Some(2.0), Some(2.5), None));
    }
}
