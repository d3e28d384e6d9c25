//! What every reader of delimited text is held to when its file is damaged: it never panics, and no
//! damage turns a value into another one without a word.
//!
//! A file cut at any place gives the values of the whole file or says, at that line, that something is
//! missing. A changed byte may change what the file says, but a number is always the number of the
//! text that stands in the file.

use crate::{Format, Site, Source};
use std::collections::HashMap;
use toji_core::culture::{Channel, Reading};
use toji_core::value::NumberStyle;
use toji_core::{Place, Value, ValueKind};

/// Where a value stands, and its text.
type Values = HashMap<(Option<u64>, Option<u64>, String), String>;

fn assays(reading: &Reading) -> Values {
    let all = reading.samples.iter().flat_map(|s| &s.assays);
    all.map(|a| ((a.place.line, a.place.column, a.analyte.clone()), a.value.text.clone())).collect()
}

fn points(channel: &Channel) -> Vec<(i64, Option<u64>, bool)> {
    let points = &channel.points;
    (0..points.len()).map(|i| (points.t_ns[i], points.number(i).map(f64::to_bits), points.quality[i] == 0)).collect()
}

/// Does the reading say something about this line, or of the file as a whole?
fn speaks_of(reading: &Reading, line: Option<u64>) -> bool {
    let here = |place: &Place| place.line.is_none() || place.line == line;
    reading.diagnostics.iter().any(|d| here(&d.place)) || reading.not_read.iter().any(|n| here(&n.place))
}

/// Cuts the file at every place.
pub(crate) fn every_cut(format: &dyn Format, file: &str) {
    let whole = Source::new("x", file.as_bytes()).unwrap();
    let whole = format.read(&whole, &Site::default()).unwrap();
    let values = assays(&whole);
    let series: HashMap<(String, String), _> =
        whole.runs.iter().flat_map(|r| r.channels.iter().map(|c| ((r.key.clone(), c.key.clone()), points(c)))).collect();
    for cut in (0..file.len()).filter(|i| file.is_char_boundary(*i)) {
        let source = Source::new("x", &file.as_bytes()[..cut]).unwrap();
        let _ = format.detect(&source);
        let Ok(reading) = format.read(&source, &Site::default()) else { continue };
        let last = file[..cut].lines().count() as u64;
        for (place, text) in assays(&reading) {
            let same = values.get(&place) == Some(&text);
            assert!(same || speaks_of(&reading, place.0), "cut at {cut}: {place:?} became {text:?}");
        }
        for run in &reading.runs {
            for channel in &run.channels {
                let Some(before) = series.get(&(run.key.clone(), channel.key.clone())) else {
                    assert!(speaks_of(&reading, Some(last)), "cut at {cut}: {} {} is new", run.key, channel.key);
                    continue;
                };
                for (i, point) in points(channel).iter().enumerate() {
                    let same = before.get(i) == Some(point) || !point.2;
                    assert!(same || speaks_of(&reading, Some(last)), "cut at {cut}: {} point {i} became {point:?}", channel.key);
                }
            }
        }
    }
}

/// Reads any bytes.
pub(crate) fn any_bytes(format: &dyn Format, bytes: &[u8]) {
    if let Ok(source) = Source::new("x", bytes) {
        let _ = format.detect(&source);
        let _ = format.read(&source, &Site::default());
    }
}

/// Reads the first `cut` characters of the file with something put in.
pub(crate) fn mutated(format: &dyn Format, file: &str, cut: usize, at: usize, junk: &str) {
    let mut text: String = file.chars().take(cut).collect();
    let at = text.char_indices().map(|(i, _)| i).nth(at).unwrap_or(text.len());
    text.insert_str(at, junk);
    any_bytes(format, text.as_bytes());
}

/// Reads any bytes, and the file with one byte changed.
pub(crate) fn check_damage(format: &dyn Format, file: &str, bytes: &[u8], at: usize, byte: u8) {
    any_bytes(format, bytes);
    let mut changed = file.as_bytes().to_vec();
    let place = at % changed.len().max(1);
    if let Some(slot) = changed.get_mut(place) {
        *slot = byte;
    }
    let Ok(source) = Source::new("x", &changed) else { return };
    let _ = format.detect(&source);
    let Ok(reading) = format.read(&source, &Site::default()) else { return };
    for assay in reading.samples.iter().flat_map(|s| &s.assays) {
        if !speaks_of(&reading, assay.place.line) {
            numbers_are_their_text(&assay.value, source.text());
        }
    }
}

fn numbers_are_their_text(value: &Value, file: &str) {
    // Quotes of a cell may stand doubled in the file.
    assert!(file.contains(value.text.as_str()) || file.contains('"'), "{:?} does not stand in the file", value.text);
    if value.kind == ValueKind::Exact {
        let text = value.text.trim_end_matches(|c: char| !c.is_ascii_digit() && !".,".contains(c));
        let reads = [NumberStyle::Point, NumberStyle::Comma].map(|style| Value::parse_with(text, style).number);
        assert!(reads.contains(&value.number), "{:?} is not {:?}", value.text, value.number);
    }
}
