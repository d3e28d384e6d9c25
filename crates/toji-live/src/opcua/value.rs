//! Data values as points: pure.

use super::nodes::{Item, run_of};
use crate::config::OpcUa;
use crate::tally::Tally;
use opcua::types::{DataValue, DateTime, Variant};
use std::collections::BTreeMap;
use toji_core::live::{Batch, Mark, MarkKind, Point, Said};
use toji_core::{Cause, Quality, Status};

/// Ticks of 100 ns from 1601-01-01 to 1970-01-01.
const UNIX_TICKS: i64 = 116_444_736_000_000_000;

/// An empty batch for every run.
#[must_use]
pub fn empty_runs(source: &OpcUa, items: &[Item]) -> Vec<Batch> {
    let mut runs: BTreeMap<usize, Batch> = BTreeMap::new();
    for item in items {
        if let Some(run) = run_of(source, item) {
            runs.entry(item.run).or_insert_with(|| Batch {
                source: source.name.clone(),
                run: run.run.clone(),
                vessel: run.vessel.clone(),
                simulated: run.simulated,
                ..Batch::default()
            });
        }
    }
    runs.into_values().collect()
}

/// What arrived, run by run: item, value, time of arrival.
#[must_use]
pub fn batches(source: &OpcUa, items: &[Item], arrived: Vec<(usize, DataValue, i64)>, tally: &Tally) -> Vec<Batch> {
    let mut runs: BTreeMap<usize, (Batch, BTreeMap<usize, u32>)> = BTreeMap::new();
    for (at, value, received_ns) in arrived {
        let Some(item) = items.get(at) else { continue };
        let Some(run) = run_of(source, item) else { continue };
        let (batch, places) = runs.entry(item.run).or_insert_with(|| {
            let (source, run_name, vessel) = (source.name.clone(), run.run.clone(), run.vessel.clone());
            (Batch { source, run: run_name, vessel, simulated: run.simulated, ..Batch::default() }, BTreeMap::new())
        });
        if value.status.is_some_and(|status| status.overflow()) {
            Tally::one(&tally.holes);
            let note = Some(format!("queue overflow: {}", item.signal.key));
            batch.marks.push(Mark { t_ns: received_ns, kind: MarkKind::Lost, note });
        }
        let mut point = point(0, &value, received_ns, tally);
        let word = match &point.said {
            Said::Text(text) | Said::Digits(text) => text.clone(),
            Said::Number(x) => x.to_string(),
        };
        let said = item.words.iter().filter(|(is, _)| *is == word);
        batch.marks.extend(said.map(|(_, kind)| Mark { t_ns: point.t_ns, kind: *kind, note: Some(word.clone()) }));
        if item.words_only {
            continue;
        }
        point.signal = *places.entry(at).or_insert_with(|| {
            batch.signals.push(item.signal.clone());
            u32::try_from(batch.signals.len() - 1).unwrap_or(u32::MAX)
        });
        batch.points.push(point);
    }
    runs.into_values().map(|(batch, _)| batch).collect()
}

fn point(signal: u32, value: &DataValue, received_ns: i64, tally: &Tally) -> Point {
    let (said, mut quality) = value.value.as_ref().map_or_else(|| (Said::Text(String::new()), not_a_number()), said);
    if quality != 0 {
        Tally::one(&tally.unread);
    }
    let source_ns = value.source_timestamp.as_ref().and_then(|t| ns(t, value.source_picoseconds));
    let t_ns = source_ns.or_else(|| value.server_timestamp.as_ref().and_then(|t| ns(t, value.server_picoseconds)));
    if source_ns.is_none() {
        Tally::one(&tally.without_time);
        quality = if quality == 0 { Quality::rule(Status::Uncertain, Cause::ClockUncertain).pack() } else { quality };
    }
    let status = value.status.unwrap_or_default();
    if status.is_bad() {
        quality = Quality::source(Status::Bad, Cause::InstrumentFlag).pack();
    } else if status.is_uncertain() {
        quality = Quality::source(Status::Uncertain, Cause::InstrumentFlag).pack();
    }
    let said = match said {
        Said::Text(text) if text.is_empty() => Said::Text(status.to_string()),
        said => said,
    };
    Point { signal, t_ns: t_ns.unwrap_or(received_ns), received_ns, said, quality }
}

fn not_a_number() -> u16 {
    Quality::source(Status::Bad, Cause::NotANumber).pack()
}

/// Nanoseconds since 1970; `None` for the null time and outside 1678–2262.
fn ns(time: &DateTime, picoseconds: Option<u16>) -> Option<i64> {
    if time.is_null() {
        return None;
    }
    // A picosecond field counts 10 ps: 100 to the nanosecond.
    let below = i64::from(picoseconds.unwrap_or(0).min(9_999)) / 100;
    time.ticks().checked_sub(UNIX_TICKS)?.checked_mul(100)?.checked_add(below)
}

/// What a variant says, and its flag. Single precision becomes the shortest digits that mean the same float.
fn said(value: &Variant) -> (Said, u16) {
    let digits = |text: String| (Said::Digits(text), 0);
    match value {
        Variant::SByte(n) => digits(n.to_string()),
        Variant::Byte(n) => digits(n.to_string()),
        Variant::Int16(n) => digits(n.to_string()),
        Variant::UInt16(n) => digits(n.to_string()),
        Variant::Int32(n) => digits(n.to_string()),
        Variant::UInt32(n) => digits(n.to_string()),
        Variant::Int64(n) => digits(n.to_string()),
        Variant::UInt64(n) => digits(n.to_string()),
        Variant::Float(x) if x.is_finite() => digits(x.to_string()),
        Variant::Double(x) if x.is_finite() => (Said::Number(*x), 0),
        Variant::Float(x) => (Said::Text(x.to_string()), not_a_number()),
        Variant::Double(x) => (Said::Text(x.to_string()), not_a_number()),
        Variant::Empty => (Said::Text(String::new()), not_a_number()),
        Variant::Boolean(b) => (Said::Text(b.to_string()), 0),
        Variant::String(text) => (Said::Text(text.as_ref().to_owned()), 0),
        Variant::LocalizedText(text) => (Said::Text(text.text.as_ref().to_owned()), 0),
        Variant::Variant(inner) => said(inner),
        // Tables and structures: their text form, flagged, so that somebody sees that they came.
        other => (Said::Text(format!("{other}").chars().take(65_536).collect()), not_a_number()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::{NodeId, StatusCode};
    use toji_core::culture::{Origin, Sampling};
    use toji_core::live::Signal;

    #[test]
    fn a_node_says_that_the_batch_has_ended_by_the_servers_clock() {
        let source: OpcUa = toml::from_str(
            "name = \"plc\"\nurl = \"opc.tcp://h/\"\n[[run]]\nrun = \"R01\"\nended = { at = \"ns=2;s=R01.Mode\", is = \"3\" }",
        )
        .unwrap();
        let signal = Signal {
            key: "Mode".into(),
            address: String::new(),
            variable: None,
            raw_unit: None,
            origin: Origin::Unknown,
            sampling: Sampling::Irregular,
        };
        let node = NodeId::new(2, "R01.Mode");
        let item = |words_only| Item {
            run: 0,
            node: node.clone(),
            signal: signal.clone(),
            words: vec![("3".into(), MarkKind::Ended)],
            words_only,
        };
        let time = DateTime::parse_from_rfc3339("2026-11-24T00:00:00Z").unwrap();
        let value = |n| DataValue { value: Some(Variant::Int32(n)), source_timestamp: Some(time), ..DataValue::default() };
        for (words_only, points) in [(true, 0), (false, 2)] {
            let arrived = vec![(0, value(2), 5), (0, value(3), 6)];
            let read = batches(&source, &[item(words_only)], arrived, &Tally::default());
            assert_eq!(read[0].points.len(), points);
            let mark = Mark { t_ns: 1_795_478_400_000_000_000, kind: MarkKind::Ended, note: Some("3".into()) };
            assert_eq!(read[0].marks, [mark]);
        }
    }

    #[test]
    fn times_and_qualities() {
        let tally = Tally::default();
        let time = DateTime::parse_from_rfc3339("2026-11-24T00:00:00.1234567Z").unwrap();
        let value = DataValue {
            value: Some(Variant::Float(7.02)),
            status: Some(StatusCode::UncertainLastUsableValue),
            source_timestamp: Some(time),
            source_picoseconds: Some(1_200),
            ..DataValue::default()
        };
        let point = point(0, &value, 5, &tally);
        assert_eq!((point.t_ns, point.said), (1_795_478_400_123_456_712, Said::Digits("7.02".into())));
        assert_eq!(Quality::unpack(point.quality).unwrap().status, Status::Uncertain);
    }

    #[test]
    fn a_bad_value_without_content_says_why() {
        let value = DataValue { value: None, status: Some(StatusCode::BadSensorFailure), ..DataValue::default() };
        let point = point(0, &value, 5, &Tally::default());
        assert_eq!((point.t_ns, point.quality), (5, Quality::source(Status::Bad, Cause::InstrumentFlag).pack()));
        assert_eq!(point.said, Said::Text(StatusCode::BadSensorFailure.to_string()));
    }

    #[test]
    fn numbers_keep_what_they_are() {
        assert_eq!(said(&Variant::Int64(i64::MIN)), (Said::Digits(i64::MIN.to_string()), 0));
        assert_eq!(said(&Variant::Double(0.1)), (Said::Number(0.1), 0));
        assert_eq!(said(&Variant::Double(f64::NAN)).0, Said::Text("NaN".into()));
    }
}
