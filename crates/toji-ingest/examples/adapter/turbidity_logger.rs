//! A complete adapter for an imaginary turbidity logger, in one file, against the public interface only.
//!
//! The file begins with `TURBIDITY LOGGER 1`, then facts as `name;value`, then a header that begins with
//! `t/s`, then a row a measurement: seconds since the start, OD600, temperature in °C.

use toji_core::clock::{DateOrder, WallClock};
use toji_core::culture::{Channel, Instrument, NotRead, Origin, Points, PointsBuilder, Reading, Run, ZeroTime};
use toji_core::{Cause, Decimal, Diagnostic, Error, Place, Quality, Result, Status, Text, Unit, variable};
use toji_ingest::{Evidence, Format, Site, Source};

/// The adapter.
pub(crate) struct TurbidityLogger;

const MARK: &str = "TURBIDITY LOGGER 1";

impl Format for TurbidityLogger {
    fn id(&self) -> &'static str {
        "example-turbidity-logger"
    }
    fn label(&self) -> Text {
        Text::new("濁度ロガー（例）", "Turbidity logger (example)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        // By content, never by name; and cheap, because every file passes here.
        let begins = !source.is_workbook() && source.text().starts_with(MARK);
        begins.then(|| Evidence::new(95, "先頭の行", "the first line"))
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        let mut run = Run::new("", "");
        let mut lines = source.text().lines().zip(1u64..);
        let mut header: Option<Vec<&str>> = None;
        for (line, number) in lines.by_ref() {
            let cells: Vec<&str> = line.split(';').map(str::trim).collect();
            match cells.as_slice() {
                ["t/s", rest @ ..] => {
                    header = Some(rest.to_vec());
                    break;
                }
                ["started", at] => run.zero = started(at, number, site, &mut reading),
                ["vessel", vessel] => run.vessel = Some((*vessel).to_owned()),
                ["serial", serial] => {
                    reading.instrument = Some(Instrument { serial: Some((*serial).to_owned()), ..Instrument::default() })
                }
                // A fact nobody expected is kept under its own name.
                [name, value] => {
                    run.fields.insert((*name).to_owned(), (*value).into());
                }
                [mark] if mark.starts_with(MARK) => run.simulated = toji_ingest::format::says_simulated(mark),
                _ => reading.not_read.push(NotRead::new(Place::line(number), line, "知らない行です", "a line of unknown kind")),
            }
        }
        let Some(header) = header else {
            return Err(Error::input("E-EXAMPLE-001", "見出し（t/s）がありません", "there is no header (t/s)")
                .hint("ロガーから書き出し直してください", "export it again from the logger"));
        };
        let mut series: Vec<PointsBuilder> = header.iter().map(|_| PointsBuilder::default()).collect();
        let start_ns = run.zero.as_ref().map_or(0, |zero| zero.instant.0);
        let mut last = i64::MIN;
        for (line, number) in lines {
            last = row(line, number, start_ns, last, &mut series, &mut reading);
        }
        for (name, points) in header.iter().zip(series).filter(|(_, p)| !p.is_empty()) {
            run.channels.push(channel(name, points.finish()));
        }
        // The same culture exported again must have the same key: the serial number and the start name it.
        let serial = reading.instrument.as_ref().and_then(|i| i.serial.clone()).unwrap_or_default();
        let start = run.zero.as_ref().map(|z| z.raw.clone()).unwrap_or_default();
        run.key = format!("turbidity logger | {serial} | {start}");
        run.title = format!("{} {start}", run.vessel.as_deref().unwrap_or(&serial));
        run.zero_is = ZeroTime::StartOfFile;
        reading.runs.push(run);
        Ok(reading)
    }
}

/// The start by the clock; what is no time is told and kept.
fn started(text: &str, line: u64, site: &Site, reading: &mut Reading) -> Option<toji_core::ClockTime> {
    let clock = WallClock::parse(text, DateOrder::YearMonthDay).and_then(|w| w.in_zone(&site.zone, text).ok());
    if clock.is_none() {
        reading.diagnostics.push(
            Diagnostic::warning(
                "W-EXAMPLE-001",
                Place::line(line).at_field("started"),
                format!("開始時刻「{text}」が読めません。経過時間だけを使います"),
                format!("the start \"{text}\" cannot be read; elapsed time alone is used"),
            )
            .remedy("2026-10-05T08:00:00+09:00 の形で書いてください", "write it like 2026-10-05T08:00:00+09:00"),
        );
    }
    clock
}

/// One row; returns the latest time so far.
fn row(line: &str, number: u64, start_ns: i64, last: i64, series: &mut [PointsBuilder], reading: &mut Reading) -> i64 {
    let mut cells = line.split(';').map(str::trim);
    let seconds = cells.next().and_then(Decimal::parse).and_then(|d| d.at_scale(9)).and_then(|ns| ns.checked_add(start_ns));
    let Some(t_ns) = seconds else {
        if !line.trim().is_empty() {
            reading.not_read.push(NotRead::new(Place::line(number), line, "時間が読めません", "the time cannot be read"));
        }
        return last;
    };
    let back = t_ns < last;
    if back {
        let place = Place::line(number).at_column(1);
        reading.diagnostics.push(Diagnostic::warning("W-EXAMPLE-002", place, "時間が戻ります", "time runs backwards"));
    }
    let quality = if back { Quality::source(Status::Uncertain, Cause::OutOfOrder) } else { Quality::GOOD };
    for (points, cell) in series.iter_mut().zip(cells) {
        // `over` is no number: the builder keeps its text and flags the point.
        points.push_flagged(t_ns, cell, quality);
    }
    last.max(t_ns)
}

/// `T/degC` is a name and a unit; `OD600` is the name of its own scale.
fn channel(header: &str, points: Points) -> Channel {
    let (name, unit) = header.split_once('/').map_or((header, None), |(name, unit)| (name, Some(unit)));
    let mut channel = Channel::new(header, points);
    channel.variable = if name == "T" { Some("temperature".into()) } else { variable::find(name).map(|(v, _)| v.id.clone()) };
    channel.unit = Unit::parse(unit.unwrap_or(name)).ok();
    channel.raw_unit = unit.map(str::to_owned);
    channel.origin = Origin::Sensor;
    channel
}
