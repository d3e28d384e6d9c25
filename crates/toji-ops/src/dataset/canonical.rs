//! Channels in the usual unit of their variable, so that devices of different makers give one schema.
//!
//! Digits that convert exactly do: 98.6 °F is 37 °C. A channel without a variable, or in a unit that does not convert
//! into its variable's, stays as it is.

use super::content::{Content, text};
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Decimal, Record, Unit, variable};
use toji_store::Series;

/// Converts every channel that can be.
pub(super) fn convert(content: &mut Content) {
    for channel in content.runs.iter_mut().flat_map(|run| &mut run.channels) {
        if let Some((from, to)) = units(&channel.record.fields) {
            numbers(&mut channel.series, &from, &to);
            declare(&mut channel.record, &from, &to);
        }
    }
    for record in content.records.get_mut("channel").into_iter().flatten() {
        if let Some((from, to)) = units(&record.fields) {
            declare(record, &from, &to);
        }
    }
}

/// The stored unit of a channel and the one it is converted to.
pub(crate) fn units(fields: &FieldMap) -> Option<(Unit, Unit)> {
    let from = Unit::parse(text(fields, "unit")?).ok()?;
    let to = Unit::parse(&variable::get(text(fields, "variable")?)?.unit).ok()?;
    // `rpm` and `/min` are one unit of a stirrer.
    (from != to && from.with_turns_counted().commensurable(&to)).then_some((from, to))
}

fn numbers(series: &mut Series, from: &Unit, to: &Unit) {
    let from = &from.with_turns_counted();
    for value in series.value.iter_mut().filter(|v| v.is_finite()) {
        *value = number(*value, from, to);
    }
}

/// A number in another unit, by its digits where that is exact.
pub(crate) fn number(value: f64, from: &Unit, to: &Unit) -> f64 {
    let from = &from.with_turns_counted();
    let exact = Decimal::parse(&value.to_string()).and_then(|d| from.convert_exact(d, to).ok().flatten());
    // Commensurable units convert any finite number, but for one out of a double's range.
    exact.map_or_else(|| from.convert(value, to).unwrap_or(f64::NAN), Decimal::to_f64)
}

fn declare(record: &mut Record, from: &Unit, to: &Unit) {
    record.fields.insert("unit".into(), to.code().into());
    let further = record.fields.entry("fields").or_insert_with(|| Json::Object(FieldMap::new()));
    if let Json::Object(further) = further {
        further.insert("stored_unit".into(), from.code().into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_two_makers_print_becomes_the_same_numbers() {
        let check = |variable: &str, unit: &str, value: f64, expected: Option<f64>| {
            let Json::Object(fields) = json!({ "variable": variable, "unit": unit }) else { return };
            let Some((from, to)) = units(&fields) else {
                assert_eq!(expected, None, "{variable} {unit}");
                return;
            };
            let mut series = Series { t_ns: vec![0, 1], value: vec![value, f64::NAN], quality: vec![0, 0], texts: Vec::new() };
            numbers(&mut series, &from, &to);
            assert_eq!(Some(series.value[0]), expected, "{variable} {unit}");
            assert!(series.value[1].is_nan());
        };
        check("temperature", "[degF]", 98.636, Some(37.02));
        check("temperature", "Cel", 37.02, None);
        check("stirrer-speed", "/s", 5.0, Some(300.0));
        check("stirrer-speed", "{rev}/min", 300.0, Some(300.0));
        check("gas-flow", "m3/h", 0.0201, Some(0.335));
        check("pressure", "kPa", 101.3, Some(1.013));
        check("weight", "g", 512.4, Some(0.5124));
        check("oxygen-fraction", "1", 0.20946, Some(20.946));
        check("feed", "L", 0.001234, Some(1.234));
        check("temperature", "bar", 1.0, None);
        check("no-such-variable", "L", 1.0, None);
    }
}
