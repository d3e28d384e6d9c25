//! Generic import: one value a row, with the line, the type of measurement, the time and the units.
//!
//! `Time` has no unit of its own; the format counts hours, and the reading says so.

use super::{Header, not_read_row, not_read_sheet, nothing_read};
use crate::cell::{Cell, Sheet};
use crate::lines::elapsed_ns;
use crate::{Evidence, Format, Site, Source};
use toji_core::clock::HOUR_NS;
use toji_core::culture::{Channel, Points, PointsBuilder, Reading, Run};
use toji_core::value::{NumberStyle, fold_width};
use toji_core::{Cause, Decimal, Diagnostic, Place, Quality, Result, Status, Text, Unit, variable};

/// The format.
pub(crate) struct EddGeneric;

const NEEDED: [&str; 5] = ["line name", "measurement type", "value", "time", "units"];

impl Format for EddGeneric {
    fn id(&self) -> &'static str {
        "edd-generic-import"
    }
    fn label(&self) -> Text {
        Text::new("汎用の取り込み表（1 行 1 値）", "Generic import table (one value a row)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn score_max(&self) -> u8 {
        85
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        let sheets = source.tables(super::HEAD_ROWS_MAX + 1).ok()?;
        sheets.iter().any(|s| Header::find(s, &NEEDED).is_some()).then(|| {
            Evidence::new(
                85,
                "見出し: Line Name, Measurement Type, Value, Time, Units",
                "header: Line Name, Measurement Type, Value, Time, Units",
            )
        })
    }
    fn read(&self, source: &Source<'_>, _site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        let sheets = source.tables(usize::MAX)?;
        for sheet in &sheets {
            match Header::find(sheet, &NEEDED) {
                Some(header) => read_sheet(sheet, &header, &mut reading),
                None => not_read_sheet(sheet, &mut reading),
            }
        }
        if reading.runs.is_empty() {
            return Err(nothing_read(sheets.first()));
        }
        reading.diagnostics.push(Diagnostic::note(
            "N-EDD-001",
            Place::default(),
            "Time の単位が書かれていません。この形式の決まりどおり時間（h）としました",
            "Time states no unit; hours, as this format counts, were taken",
        ));
        Ok(reading)
    }
}

/// One series while it grows.
struct Series {
    run: usize,
    name: String,
    kind: String,
    unit: String,
    points: PointsBuilder,
    last: Option<i64>,
}

/// Hours of a cell as nanoseconds.
fn hours(cell: &Cell) -> Option<i64> {
    let number = match cell {
        Cell::Number(number) => Decimal::parse(&number.to_string()),
        other => NumberStyle::Point.read(&fold_width(other.to_string().trim())),
    };
    elapsed_ns(number?, HOUR_NS)
}

fn read_sheet(sheet: &Sheet, header: &Header, reading: &mut Reading) {
    let at = |name: &str| header.column(name);
    let quantity = at("measured quantity");
    let columns = [at("line name"), at("measurement type"), at("value"), at("time"), at("units"), quantity];
    header.list_rest(sheet, &columns, reading);
    let [Some(line), Some(kind), Some(value), Some(time), Some(unit), _] = columns else { return };
    let mut all: Vec<Series> = Vec::new();
    for row in header.row + 1..sheet.rows.len() {
        let (name, kind, unit) = (sheet.text(row, line), sheet.text(row, kind), sheet.text(row, unit));
        let cell = sheet.cell(row, value);
        let Some(t_ns) = hours(sheet.cell(row, time)) else {
            not_read_row(sheet, row, reading, "時間がないか読めません", "the row has no time that can be read");
            continue;
        };
        if name.is_empty() || kind.is_empty() || cell.is_blank() {
            not_read_row(
                sheet,
                row,
                reading,
                "ライン名、測定の種類または値がありません",
                "the row lacks its line, type of measurement or value",
            );
            continue;
        }
        let called = quantity.map(|c| sheet.text(row, c)).filter(|q| !q.is_empty()).unwrap_or_else(|| kind.clone());
        let run = reading.runs.iter().position(|r| r.key == name).unwrap_or_else(|| {
            reading.runs.push(Run::new(&name, &name));
            reading.runs.len() - 1
        });
        let found = all.iter().position(|s| s.run == run && s.name == called && s.kind == kind && s.unit == unit);
        let place = found.unwrap_or_else(|| {
            all.push(Series { run, name: called, kind, unit, points: PointsBuilder::default(), last: None });
            all.len() - 1
        });
        let Some(series) = all.get_mut(place) else { continue };
        let back = series.last.is_some_and(|l| t_ns < l);
        let quality = if back { Quality::source(Status::Uncertain, Cause::OutOfOrder) } else { Quality::GOOD };
        series.last = Some(t_ns);
        match cell {
            Cell::Number(number) => series.points.push_f64(t_ns, *number, quality),
            other => {
                series.points.push_flagged(t_ns, &other.to_string(), quality);
            }
        }
    }
    for series in all {
        let Some(run) = reading.runs.get_mut(series.run) else { continue };
        let mut key = series.name.clone();
        if run.channels.iter().any(|c| c.key == key) {
            key = format!("{} ({})", series.name, series.unit);
        }
        if run.channels.iter().any(|c| c.key == key) {
            key = format!("{} ({}, {})", series.name, series.unit, series.kind);
        }
        run.channels.push(channel(key, &series.name, &series.kind, &series.unit, series.points.finish()));
    }
}

fn channel(key: String, name: &str, kind: &str, raw_unit: &str, points: Points) -> Channel {
    let mut channel = Channel::new(key, points);
    channel.variable = variable::find(name).map(|(v, _)| v.id.clone());
    if !raw_unit.is_empty() {
        channel.unit = Unit::parse(raw_unit).ok();
        channel.raw_unit = Some(raw_unit.to_owned());
    }
    // `CID:440917` names a substance of PubChem; protein and gene types are names of theirs.
    channel.fields.insert("measurement_type".into(), kind.into());
    channel
}
