//! A stored forecast that names a run, beside what was measured in it: readings outside its band are an alarm, with the
//! level of the band and what vouches for it.

use super::super::inputs;
use super::super::model::{Read, begins_s, between, thinned};
use crate::dataset::Whole;
use crate::operation::Context;
use crate::run::text;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Record, Result, Text, Unit};
use toji_culture::fit::Reading;
use toji_culture::rates::{Line, Standing};

/// A reading outside a band.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Outside {
    /// Time since the beginning of the culture, h.
    pub(super) time_h: f64,
    /// Reading.
    pub(super) value: f64,
    /// Lower end of the band there.
    pub(super) low: f64,
    /// Upper end.
    pub(super) high: f64,
}

/// A quantity of the forecast.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct ForetoldQuantity {
    /// Quantity of the model.
    pub(super) quantity: String,
    /// Label.
    pub(super) label: Text,
    /// Unit, UCUM.
    pub(super) unit: String,
    /// Variable of the run.
    pub(super) variable: String,
    /// Is a reading outside a band that holds all readings at once?
    pub(super) alarm: bool,
    /// Level of the widest band that was left, or else of the widest there is.
    pub(super) level: f64,
    /// What vouches for that band.
    pub(super) statement: Option<Text>,
    /// Coverage to be expected of it, where runs vouch for it.
    pub(super) coverage_expected: Option<f64>,
    /// Runs that were left out to make it.
    pub(super) runs: u64,
    /// Readings inside the time of the forecast; many readings are taken as means over equal times.
    pub(super) readings_within: usize,
    /// Of them, outside.
    pub(super) outside: usize,
    /// The first one outside.
    pub(super) first: Option<Outside>,
}

/// What of a forecast is not judged.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct NotForetold {
    /// Quantity.
    pub(super) quantity: String,
    /// Why.
    pub(super) why: Text,
}

/// A forecast beside its run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Beside {
    /// Record of the forecast.
    pub(super) forecast: String,
    /// Model.
    pub(super) model: String,
    /// When it was made, RFC 3339.
    pub(super) made_at: String,
    /// Is a quantity outside its band?
    pub(super) alarm: bool,
    /// Quantity by quantity.
    pub(super) quantities: Vec<ForetoldQuantity>,
    /// Quantities that are not judged.
    pub(super) not_judged: Vec<NotForetold>,
    /// How the levels are to be read.
    pub(super) note: Text,
}

/// The newest forecast that names a run, by identifier, title or key.
pub(super) fn newest<'a>(forecasts: &'a [Record], run: &Record) -> Option<&'a Record> {
    let names = [Some(run.id.to_string()), text(&run.fields, "title"), text(&run.fields, "key")];
    let is_of = |f: &&Record| text(&f.fields, "run").is_some_and(|named| names.contains(&Some(named)));
    forecasts.iter().filter(is_of).max_by_key(|f| (text(&f.fields, "made_at"), f.id.to_string()))
}

/// Its readings beside the bands.
///
/// # Errors
/// Storage faults, a unit of time that is none.
pub(super) async fn beside(
    context: &Context,
    run: &Record,
    forecast: &Record,
    variables: &BTreeMap<String, String>,
) -> Result<Beside> {
    let bands = forecast.fields.get("bands").cloned().unwrap_or_default();
    let lines: Vec<&Json> = bands["lines"].as_array().map(|l| l.iter().collect()).unwrap_or_default();
    let name = |line: &Json| line["quantity"].as_str().unwrap_or_default().to_owned();
    let variable = |line: &Json| variables.get(&name(line)).cloned().unwrap_or_else(|| name(line));
    let wanted: Vec<String> = lines.iter().map(|l| variable(l)).collect();
    let whole = Whole::load_only(context, run.id.as_str(), &wanted).await?;
    let per_s = Unit::parse("s")?.convert(1.0, &Unit::parse(&text(&forecast.fields, "time_unit").unwrap_or_default())?)?;
    let begins = begins_s(&whole);
    let times = numbers(&bands["time"]);
    let (mut quantities, mut not_judged) = (Vec::new(), Vec::new());
    for line in lines {
        let (quantity, variable) = (name(line), variable(line));
        let unit = line["unit"].as_str().unwrap_or_default();
        let measured = inputs::measured(&whole, &variable, unit).map(|l| read(&l, begins, per_s)).unwrap_or_default();
        match judged(line, &times, &measured) {
            Ok((mut judged, first)) => {
                judged.quantity = quantity;
                judged.variable = variable;
                judged.first = first.map(|o| Outside { time_h: o.time_h / per_s / 3600.0, ..o });
                quantities.push(judged);
            }
            Err(why) => not_judged.push(NotForetold { quantity, why }),
        }
    }
    let n = quantities.len();
    Ok(Beside {
        forecast: forecast.id.to_string(),
        model: text(&forecast.fields, "model").unwrap_or_default(),
        made_at: text(&forecast.fields, "made_at").unwrap_or_default(),
        alarm: quantities.iter().any(|q| q.alarm),
        quantities,
        not_judged,
        note: Text::new(
            format!("{n} 個の量を見ています。水準は量ごとの約束であり、すべての量が同時に帯に入る確率はこれより小さくなります"),
            format!("{n} quantities are watched; each level is promised for its own, so all of them hold at once less often"),
        ),
    })
}

fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().into_iter().flatten().filter_map(Json::as_f64).collect()
}

/// Readings with times in the unit of the forecast.
fn read(line: &Line, begins: f64, per_s: f64) -> Vec<(f64, f64)> {
    let good = line.points.iter().filter(|p| p.standing == Standing::Good && p.value.is_finite());
    let all: Vec<Read> = good
        .map(|p| Read { time: (p.t_s - begins) * per_s, reading: Reading::Value(p.value) })
        .filter(|r| r.time >= 0.0)
        .collect();
    let value = |r: Read| match r.reading {
        Reading::Value(value) => Some((r.time, value)),
        _ => None,
    };
    thinned(all).into_iter().filter_map(value).collect()
}

/// A line of the forecast beside readings: the widest band that they leave, or else the widest that there is.
fn judged(line: &Json, times: &[f64], measured: &[(f64, f64)]) -> Result<(ForetoldQuantity, Option<Outside>), Text> {
    let mut at_once: Vec<&Json> =
        line["intervals"].as_array().into_iter().flatten().filter(|i| i["at_once"].as_bool() == Some(true)).collect();
    at_once.sort_by(|a, b| b["level"].as_f64().unwrap_or_default().total_cmp(&a["level"].as_f64().unwrap_or_default()));
    if at_once.is_empty() {
        return Err(Text::new(
            "すべての測定を同時に含む帯がありません（較正の裏付けなし）",
            "it has no band that holds all readings at once: no calibration evidence",
        ));
    }
    let within: Vec<(f64, f64)> =
        measured.iter().filter(|(t, _)| times.first() <= Some(t) && Some(t) <= times.last()).copied().collect();
    if within.is_empty() {
        return Err(Text::new("培養に対応する測定値がありません", "the run has no reading of it"));
    }
    let strays = |band: &Json| -> Vec<Outside> {
        let (low, high) = (numbers(&band["low"]), numbers(&band["high"]));
        let out = |(time, value): &(f64, f64)| {
            let (low, high) = (between(times, &low, *time)?, between(times, &high, *time)?);
            (*value < low || *value > high).then_some(Outside { time_h: *time, value: *value, low, high })
        };
        within.iter().filter_map(out).collect()
    };
    let left = at_once.iter().map(|band| (*band, strays(band))).find(|(_, out)| !out.is_empty());
    let (band, out) = left.or_else(|| Some((*at_once.first()?, Vec::new()))).unwrap_or((line, Vec::new()));
    let judged = ForetoldQuantity {
        quantity: String::new(),
        label: serde_json::from_value(line["label"].clone()).unwrap_or_else(|_| Text::same("?")),
        unit: line["unit"].as_str().unwrap_or_default().to_owned(),
        variable: String::new(),
        alarm: !out.is_empty(),
        level: band["level"].as_f64().unwrap_or_default(),
        statement: serde_json::from_value(band["statement"].clone()).ok(),
        coverage_expected: band["coverage_expected"].as_f64(),
        runs: band["runs"].as_u64().unwrap_or_default(),
        readings_within: within.len(),
        outside: out.len(),
        first: None,
    };
    Ok((judged, out.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line() -> Json {
        let band = |level: f64, half: f64, at_once: bool| {
            let (low, high) = ([10.0 - half, 20.0 - half, 30.0 - half], [10.0 + half, 20.0 + half, 30.0 + half]);
            json!({ "level": level, "at_once": at_once, "low": low, "high": high, "runs": 12, "coverage_expected": level,
                "statement": { "ja": "較正", "en": "calibrated" } })
        };
        json!({ "quantity": "X", "unit": "g/L", "label": { "ja": "菌体", "en": "cells" },
            "intervals": [band(0.5, 1.0, true), band(0.9, 3.0, true), band(0.99, 9.0, false)] })
    }

    #[test]
    fn the_widest_band_that_is_left_is_the_level_of_the_alarm() {
        let times = [0.0, 10.0, 20.0];
        // Outside of 50 % only.
        let (some, first) = judged(&line(), &times, &[(0.0, 10.0), (5.0, 17.0)]).unwrap();
        assert_eq!((some.alarm, some.level, some.outside, first.unwrap().low), (true, 0.5, 1, 14.0));
        // Outside of 90 %; the band of each point by itself is no alarm.
        let (far, first) = judged(&line(), &times, &[(5.0, 15.0), (10.0, 24.0), (20.0, 38.0)]).unwrap();
        assert_eq!((far.alarm, far.level, far.outside, far.runs), (true, 0.9, 2, 12));
        assert_eq!(first.map(|o| (o.time_h, o.value, o.high)), Some((10.0, 24.0, 23.0)));
        // Inside: the widest band says so. What lies after the forecast is not judged.
        let (inside, none) = judged(&line(), &times, &[(5.0, 15.2), (25.0, 99.0)]).unwrap();
        assert_eq!((inside.alarm, inside.level, inside.readings_within, none), (false, 0.9, 1, None));
        assert!(judged(&line(), &times, &[]).is_err());
        let mut alone = line();
        alone["intervals"] = json!([alone["intervals"][2]]);
        assert!(judged(&alone, &times, &[(5.0, 15.0)]).unwrap_err().en.contains("no calibration evidence"));
    }
}
