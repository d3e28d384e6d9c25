//! What the fuzz targets call: every parser with any bytes. Nothing may panic, and what is read obeys its
//! own invariants.

use toji_core::clock::{DateOrder, WallClock};
use toji_core::culture::Reading;
use toji_core::kind::{KindSet, read_cell, write_cell};
use toji_core::{Decimal, Kind, Unit, Value};
use toji_ingest::{Site, Source};

/// Every series has one time, one number and one quality a point, and texts in order.
fn check(reading: &Reading) {
    for channel in reading.runs.iter().flat_map(|r| &r.channels) {
        let points = &channel.points;
        assert_eq!(points.t_ns.len(), points.quality.len());
        assert!(points.texts.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(points.texts.last().is_none_or(|(i, _)| (*i as usize) < points.len()));
    }
}

/// The workbook library panics on some damaged workbooks; the reader catches that and refuses the file.
/// libFuzzer's hook would end the process before the reader can, so those panics pass it by.
fn pass_guarded_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let abort = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|place| place.file().contains("/calamine-")) {
                abort(panic);
            }
        }));
    });
}

/// One format, whether it claims the bytes or not.
pub fn format(id: &str, bytes: &[u8]) {
    pass_guarded_panics();
    let format = toji_ingest::formats::all().iter().find(|f| f.id() == id).expect("the format is listed");
    if let Ok(source) = Source::new("fuzz", bytes) {
        let _ = format.detect(&source);
        if let Ok(reading) = format.read(&source, &Site::default()) {
            check(&reading);
        }
    }
}

/// The way a file really takes: detect, read, write as ASM.
pub fn any_file(bytes: &[u8]) {
    pass_guarded_panics();
    if let Ok(source) = Source::new("fuzz", bytes)
        && let Ok((_, reading)) = toji_ingest::read(&source, &Site::default())
    {
        check(&reading);
        let _ = toji_ingest::asm_write::write(&reading, "fuzz");
    }
}

/// The guided importer: propose, then apply what was proposed.
pub fn propose(bytes: &[u8]) {
    pass_guarded_panics();
    if let Ok(source) = Source::new("fuzz", bytes)
        && let Ok(proposal) = toji_ingest::table::propose(&source, &Site::default())
        && let Ok(reading) = toji_ingest::table::apply(&source, &proposal.mapping, &Site::default())
    {
        check(&reading);
    }
}

/// Units: what is read prints as a code that reads back to itself.
pub fn unit(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(unit) = Unit::parse(text)
    {
        assert_eq!(Unit::parse(unit.code()).expect("a code reads back"), unit);
    }
}

/// Dates and times.
pub fn clock(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for order in [DateOrder::YearMonthDay, DateOrder::MonthDayYear, DateOrder::DayMonthYear] {
            let _ = WallClock::parse(text, order);
        }
        let _ = toji_core::Instant::parse(text);
    }
}

/// Values keep their text.
pub fn value(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(Value::parse(text).text, text.trim());
    }
}

/// Decimals: what is read prints as text that reads back to the same number.
pub fn decimal(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(decimal) = Decimal::parse(text)
    {
        let again = Decimal::parse(&decimal.to_string());
        assert!(again.is_none_or(|a| a.to_f64() == decimal.to_f64()));
    }
}

/// Declarations of kinds.
pub fn kind(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Kind::parse("fuzz.toml", text);
    }
}

/// Cells of every field of every kind.
pub fn cell(bytes: &[u8]) {
    let Some((pick, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let fields: Vec<_> = KindSet::builtin().expect("kinds are sound").iter().flat_map(|k| &k.fields).collect();
    let field = fields[usize::from(*pick) * 7 % fields.len()];
    if let Ok(read) = read_cell(field, text) {
        let _ = write_cell(field, read.as_ref());
    }
}
