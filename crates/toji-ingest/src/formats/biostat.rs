//! Offline sheets beside Biostat fermenters: clock strings such as `8h20`, hours since the start, the
//! fermenter, an optical density, and the name of the HPLC sample taken.
//!
//! A clock string names no day, so the hours are the time; the clock is held against them, and a row
//! where the two disagree is told and flagged.

use crate::cell::{Cell, Sheet};
use crate::lines::elapsed_ns;
use crate::{Evidence, Format, Site, Source};
use toji_core::clock::HOUR_NS;
use toji_core::culture::{Channel, Event, Fields, NotRead, Origin, PointsBuilder, Reading, Run, Sampling, When, ZeroTime};
use toji_core::value::fold_width;
use toji_core::{Cause, Decimal, Diagnostic, Error, Place, Quality, Result, Status, Text, Unit, variable};

/// The format.
pub(crate) struct Biostat;

const MINUTE_NS: i64 = HOUR_NS / 60;

/// Where the columns of a sheet are.
struct Columns {
    clock: usize,
    hours: usize,
    fermenter: usize,
    sample: Option<usize>,
    /// Measured columns: position and header.
    measured: Vec<(usize, String)>,
}

/// A clock string in minutes of the day: `8h20`, `18H00`, `8h`.
fn clock_minutes(text: &str) -> Option<i64> {
    let folded = fold_width(text.trim()).to_lowercase();
    let (hours, minutes) = folded.split_once('h')?;
    let two = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let minutes = if minutes.is_empty() { "0" } else { minutes };
    (two(hours) && two(minutes)).then_some(())?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn columns(sheet: &Sheet) -> Option<Columns> {
    let names: Vec<String> = sheet.rows.first()?.iter().map(|c| c.to_string().trim().to_lowercase()).collect();
    let at = |wanted: &[&str]| names.iter().position(|n| wanted.contains(&n.as_str()));
    let clock = at(&["time", "clock", "heure"])?;
    let hours = at(&["hours", "hour", "h", "heures"])?;
    let fermenter = at(&["fermenter", "fermentor", "fermenteur", "reactor"])?;
    let sample = at(&["hplc", "sample", "sample id"]);
    // The first filled clock cells must be of the `8h20` sort: otherwise it is any table.
    let mut clocks = sheet.rows.iter().skip(1).filter_map(|r| r.get(clock)).filter(|c| !c.is_blank()).take(5).peekable();
    clocks.peek()?;
    if !clocks.all(|c| clock_minutes(&c.to_string()).is_some()) {
        return None;
    }
    let measured = (0..names.len())
        .filter(|c| ![Some(clock), Some(hours), Some(fermenter), sample].contains(&Some(*c)))
        .filter(|c| !sheet.text(0, *c).is_empty())
        .map(|c| (c, sheet.text(0, c)))
        .collect();
    Some(Columns { clock, hours, fermenter, sample, measured })
}

impl Format for Biostat {
    fn id(&self) -> &'static str {
        "biostat-offline"
    }
    fn label(&self) -> Text {
        Text::new("Biostat のオフライン表（時刻は 8h20 の形）", "Biostat offline sheet (clock strings such as 8h20)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn score_max(&self) -> u8 {
        86
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        let found = source.tables(30).ok()?.iter().filter_map(columns).count();
        (found > 0).then(|| {
            Evidence::new(86, "Time（8h20 の形）、Hours、Fermenter の列", "the columns Time (such as 8h20), Hours and Fermenter")
        })
    }
    fn read(&self, source: &Source<'_>, _site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        let sheets = source.tables(usize::MAX)?;
        for sheet in &sheets {
            match columns(sheet) {
                Some(columns) => read_sheet(sheet, &columns, &mut reading),
                None if sheet.rows.iter().flatten().all(Cell::is_blank) => {}
                None => reading.not_read.push(NotRead::new(
                    Place::default().in_sheet(&sheet.name),
                    &sheet.text(0, 0),
                    "Time、Hours、Fermenter の列がありません",
                    "no columns Time, Hours and Fermenter",
                )),
            }
        }
        if reading.runs.is_empty() {
            return Err(Error::input("E-BIOSTAT-001", "読める行がありません", "no row can be read")
                .at(Place::line(1))
                .hint("Hours と Fermenter の列を確かめてください", "check the columns Hours and Fermenter")
                .with(reading.diagnostics));
        }
        Ok(reading)
    }
}

/// One fermenter of a sheet while it grows.
struct Growing {
    run: Run,
    /// Minutes of the day at hour zero, by the first row.
    zero_minutes: Option<i64>,
    last: Option<i64>,
    series: Vec<PointsBuilder>,
}

fn hours_of(cell: &Cell) -> Option<i64> {
    let number = match cell {
        Cell::Number(number) => Decimal::parse(&number.to_string()),
        other => crate::lines::decimal(&fold_width(&other.to_string())),
    };
    elapsed_ns(number?, HOUR_NS)
}

fn read_sheet(sheet: &Sheet, columns: &Columns, reading: &mut Reading) {
    let mut all: Vec<Growing> = Vec::new();
    let mut carried = String::new();
    for row in 1..sheet.rows.len() {
        let cells = sheet.rows.get(row).map(Vec::as_slice).unwrap_or_default();
        if cells.iter().all(Cell::is_blank) {
            continue;
        }
        let named = sheet.text(row, columns.fermenter);
        let fermenter = if named.is_empty() { carried.clone() } else { named };
        let Some(t_ns) = hours_of(sheet.cell(row, columns.hours)).filter(|_| !fermenter.is_empty()) else {
            let words: Vec<String> = cells.iter().filter(|c| !c.is_blank()).map(ToString::to_string).collect();
            reading.not_read.push(NotRead::new(
                sheet.place(row, columns.hours),
                &words.join(" | "),
                "時間（Hours）か槽の名前がありません",
                "the row lacks its hours or its fermenter",
            ));
            continue;
        };
        carried.clone_from(&fermenter);
        let at = all.iter().position(|g| g.run.vessel.as_deref() == Some(fermenter.as_str())).unwrap_or_else(|| {
            all.push(begin(sheet, &fermenter, columns));
            all.len() - 1
        });
        let Some(growing) = all.get_mut(at) else { continue };
        take(sheet, row, t_ns, columns, growing, reading);
    }
    for growing in all {
        let Growing { mut run, series, .. } = growing;
        for ((_, header), points) in columns.measured.iter().zip(series).filter(|(_, p)| !p.is_empty()) {
            let (name, unit) = crate::lines::name_and_unit(header);
            let mut channel = Channel::new(header, points.finish());
            channel.variable = variable::find(name).map(|(v, _)| v.id.clone());
            channel.raw_unit = unit.map(str::to_owned);
            // OD600 is the name of its own scale.
            channel.unit = Unit::parse(unit.unwrap_or(name)).ok();
            channel.origin = Origin::Sensor;
            channel.sampling = Sampling::Irregular;
            run.channels.push(channel);
        }
        reading.runs.push(run);
    }
}

fn begin(sheet: &Sheet, fermenter: &str, columns: &Columns) -> Growing {
    let name = if sheet.name.is_empty() { fermenter.to_owned() } else { format!("{} {fermenter}", sheet.name) };
    let mut run = Run::new(format!("biostat | {} | {fermenter}", sheet.name), name);
    run.vessel = Some(fermenter.to_owned());
    run.zero_is = ZeroTime::StartOfFile;
    if !sheet.name.is_empty() {
        run.fields.insert("sheet".into(), sheet.name.clone().into());
    }
    Growing { run, zero_minutes: None, last: None, series: columns.measured.iter().map(|_| PointsBuilder::default()).collect() }
}

fn take(sheet: &Sheet, row: usize, t_ns: i64, columns: &Columns, growing: &mut Growing, reading: &mut Reading) {
    let clock = sheet.text(row, columns.clock);
    let mut quality = Quality::GOOD;
    if growing.last.is_some_and(|last| t_ns < last) {
        quality = Quality::source(Status::Uncertain, Cause::OutOfOrder);
        reading.diagnostics.push(Diagnostic::warning(
            "W-BIOSTAT-002",
            sheet.place(row, columns.hours),
            "時間が前の行より戻っています。印を付けて残しました",
            "time runs backwards; kept and flagged",
        ));
    }
    growing.last = Some(t_ns);
    match clock_minutes(&clock) {
        Some(minutes) => {
            let zero = minutes - t_ns.div_euclid(MINUTE_NS);
            let first = *growing.zero_minutes.get_or_insert(zero);
            if (zero - first).rem_euclid(24 * 60) != 0 {
                quality = Quality::source(Status::Uncertain, Cause::ClockUncertain);
                reading.diagnostics.push(
                    Diagnostic::warning(
                        "W-BIOSTAT-001",
                        sheet.place(row, columns.clock),
                        format!("時刻「{clock}」と時間（Hours）が合いません。印を付けて残しました"),
                        format!("the clock \"{clock}\" and the hours disagree; kept and flagged"),
                    )
                    .remedy("どちらが正しいか記録で確かめてください", "find out from the log which of them is right"),
                );
            }
            if t_ns == 0 {
                growing.run.fields.entry("start_clock".into()).or_insert_with(|| clock.clone().into());
            }
        }
        None if clock.is_empty() => {}
        None => reading.not_read.push(NotRead::new(
            sheet.place(row, columns.clock),
            &clock,
            "時刻として読めません。時間（Hours）だけを使いました",
            "not readable as a clock; the hours alone were used",
        )),
    }
    for ((column, _), points) in columns.measured.iter().zip(&mut growing.series) {
        match sheet.cell(row, *column) {
            Cell::Number(number) => points.push_f64(t_ns, *number, quality),
            other => {
                points.push_flagged(t_ns, &other.to_string(), quality);
            }
        }
    }
    if let Some(label) = columns.sample.map(|c| sheet.text(row, c)).filter(|t| !t.is_empty()) {
        let mut fields = Fields::new();
        fields.insert("clock".into(), clock.into());
        fields.insert("column".into(), columns.sample.map(|c| sheet.text(0, c)).unwrap_or_default().into());
        growing.run.events.push(Event { when: When::Elapsed(t_ns), sort: "sample".into(), label, reason: None, fields });
    }
}
