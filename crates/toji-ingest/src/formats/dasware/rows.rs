//! `[TrackData n]`: the series of one vessel.

use super::tag::{Tag, Tracks};
use super::{Clock, Faults, Section, Unit};
use crate::lines::{decimal, elapsed_ns, scaled, split_line, wall_clock};
use crate::plate::{OUT_OF_ORDER, finish, not_read};
use toji_core::clock::HOUR_NS;
use toji_core::culture::{Channel, Event, Fields, PointsBuilder, Reading, When};
use toji_core::{Cause, Diagnostic, Place, Quality, Status};

/// A clock that moved this much against the software's own duration was set by somebody.
const JUMP_NS: i64 = 90 * 1_000_000_000;
const START_UP: Quality = Quality::source(Status::Bad, Cause::StartUp);
const CLOCK_DOUBT: Quality = Quality::source(Status::Uncertain, Cause::ClockUncertain);

/// Reads every `[TrackData n]`.
pub(super) fn read_units(sections: &[Section<'_>], clock: &Clock, reading: &mut Reading) -> Vec<Unit> {
    let tracks = Tracks::read(sections);
    let mut faults = Faults::default();
    let mut units = Vec::new();
    for section in sections {
        let Some(number) = section.name.strip_prefix("TrackData").filter(|n| !n.is_empty()) else { continue };
        units.extend(read_unit(section, number.parse().unwrap_or(0), &tracks, clock, &mut faults, reading));
    }
    reading.diagnostics.extend(faults.say());
    units
}

/// Columns that are not series.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    Timestamp,
    Duration,
    Inoculation,
    Series(usize),
}

struct Rows<'u> {
    columns: Vec<Column>,
    points: Vec<PointsBuilder>,
    unit: Unit,
    faults: &'u mut Faults,
    before: i64,
    /// Timestamp minus Duration of the first row.
    lead_ns: Option<i64>,
    inoculation_ns: Option<i64>,
}

fn read_unit(
    section: &Section<'_>,
    number: u32,
    tracks: &Tracks<'_>,
    clock: &Clock,
    faults: &mut Faults,
    reading: &mut Reading,
) -> Option<Unit> {
    let mut lines = section.rows();
    let (header_line, header) = lines.next()?;
    let mut cells = Vec::new();
    split_line(header, b';', &mut cells);
    let mut channels: Vec<Channel> = Vec::new();
    let mut columns = Vec::new();
    let mut unit = Unit::new(number);
    for name in &cells {
        columns.push(match *name {
            "Timestamp" => Column::Timestamp,
            "Duration" => Column::Duration,
            n if n.contains("Inoculation Time") || n.contains("InoculationTime") => Column::Inoculation,
            n => {
                if let Some(stated) = Tag::read(n).unit {
                    unit.number = stated;
                }
                channels.push(tracks.channel(n));
                Column::Series(channels.len() - 1)
            }
        });
    }
    if !columns.contains(&Column::Timestamp) {
        reading.diagnostics.push(Diagnostic::warning(
            "W-DASWARE-009",
            Place::line(header_line).in_sheet(section.name),
            "Timestamp の列がありません。この節は読みませんでした",
            "there is no Timestamp column; the section was not read",
        ));
        reading.not_read.push(not_read(header_line, header, "Timestamp の列がありません", "no Timestamp column"));
        return None;
    }
    unique_keys(&mut channels);
    unknown_units(&channels, section, header_line, reading);
    let mut rows = Rows {
        columns,
        points: vec![PointsBuilder::default(); channels.len()],
        unit,
        faults,
        before: i64::MIN,
        lead_ns: None,
        inoculation_ns: None,
    };
    let mut first = true;
    for (line, row) in lines {
        split_line(row, b';', &mut cells);
        if rows.row(line, &cells, clock, first).is_none() {
            rows.faults.time.at(line);
            reading.not_read.push(not_read(line, row, "時刻が読めません", "the time is not readable"));
        }
        first = false;
    }
    let Rows { points, mut unit, .. } = rows;
    unit.run.channels = finish(&channels, points);
    Some(unit)
}

/// Keys are unique in a run: a repeated header gets a number.
fn unique_keys(channels: &mut [Channel]) {
    for i in 1..channels.len() {
        let (before, rest) = channels.split_at_mut(i);
        if let Some(channel) = rest.first_mut() {
            let same = before.iter().filter(|c| c.key == channel.key).count();
            if same > 0 {
                channel.key.push_str(&format!(" #{}", i + 1));
            }
        }
    }
}

/// Says which units are not understood, once a section.
fn unknown_units(channels: &[Channel], section: &Section<'_>, line: u64, reading: &mut Reading) {
    let mut unknown: Vec<&str> = channels.iter().filter(|c| c.unit.is_none()).filter_map(|c| c.raw_unit.as_deref()).collect();
    unknown.sort_unstable();
    unknown.dedup();
    let known = reading.diagnostics.iter().any(|d| d.code == "W-DASWARE-010" && unknown.iter().all(|u| d.message.en.contains(u)));
    if !unknown.is_empty() && !known {
        let list = unknown.join(", ");
        reading.diagnostics.push(
            Diagnostic::warning(
                "W-DASWARE-010",
                Place::line(line).in_sheet(section.name),
                format!("分からない単位があります: {list}"),
                format!("units not understood: {list}"),
            )
            .remedy("値は元の単位表記とともに残しました", "the values are kept with the unit as written"),
        );
    }
}

impl Rows<'_> {
    /// Reads a row; `None` when it has no time.
    fn row(&mut self, line: u64, cells: &[&str], clock: &Clock, first: bool) -> Option<()> {
        let stamp_at = self.columns.iter().position(|c| *c == Column::Timestamp)?;
        let stamp = cells.get(stamp_at).copied()?;
        let (at, _) = wall_clock(stamp)?;
        let (t_ns, doubt) = clock.ns(at, stamp)?;
        let mut quality = Quality::GOOD;
        if doubt {
            self.faults.doubt.at(line);
            quality = CLOCK_DOUBT;
        }
        if t_ns < self.before {
            self.faults.earlier.at(line);
            quality = OUT_OF_ORDER;
        }
        self.before = self.before.max(t_ns);
        self.unit.first_ns.get_or_insert_with(|| (t_ns, stamp.to_owned()));
        if cells.len() < self.columns.len() {
            self.faults.cut.at(line);
        }
        if first && is_start_up(&self.columns, cells) {
            self.faults.started.at(line);
            quality = START_UP;
        }
        for (column, cell) in self.columns.iter().zip(cells) {
            match *column {
                _ if cell.is_empty() => {}
                Column::Timestamp => {}
                Column::Duration => {
                    let Some(ns) = decimal(cell).and_then(|d| elapsed_ns(d, 24 * HOUR_NS)) else { continue };
                    let lead = t_ns.saturating_sub(ns);
                    if (lead - *self.lead_ns.get_or_insert(lead)).abs() > JUMP_NS {
                        self.faults.jump.at(line);
                        self.lead_ns = Some(lead);
                    }
                }
                Column::Inoculation => inoculated(&mut self.unit, &mut self.inoculation_ns, t_ns, cell),
                Column::Series(series) => {
                    let Some(points) = self.points.get_mut(series) else { continue };
                    match scaled(cell) {
                        Some((mantissa, scale)) => points.push_scaled(t_ns, mantissa, scale, quality),
                        None => match decimal(cell) {
                            Some(number) => points.push_decimal(t_ns, number, quality),
                            None => {
                                points.push_flagged(t_ns, cell, quality);
                            }
                        },
                    }
                }
            }
        }
        Some(())
    }
}

/// A first row in which (nearly) everything is zero, pH and volume too.
fn is_start_up(columns: &[Column], cells: &[&str]) -> bool {
    let series = columns.iter().zip(cells).filter(|(c, cell)| matches!(c, Column::Series(_)) && !cell.is_empty());
    let (mut zeros, mut all) = (0usize, 0usize);
    for (_, cell) in series {
        all += 1;
        zeros += usize::from(decimal(cell).is_some_and(|d| d.mantissa == 0));
    }
    all >= 3 && zeros * 10 >= all * 9
}

/// The column counts the time since inoculation from the day 1899-12-30, zero before it.
fn inoculated(unit: &mut Unit, last_ns: &mut Option<i64>, t_ns: i64, cell: &str) {
    let since = wall_clock(cell).and_then(|(at, _)| {
        let day_zero = jiff::civil::DateTime::new(1899, 12, 30, 0, 0, 0, 0).ok()?;
        crate::lines::utc_ns(at)?.checked_sub(crate::lines::utc_ns(day_zero)?)
    });
    let since = since.or_else(|| decimal(cell).and_then(|d| elapsed_ns(d, 24 * HOUR_NS)));
    let Some(since) = since.filter(|ns| *ns > 0) else { return };
    let at = t_ns.saturating_sub(since);
    // Rounding moves the instant by a second from row to row; more is a second inoculation.
    let again = last_ns.is_some_and(|last| at - last > 60 * 1_000_000_000);
    if last_ns.is_none() || again {
        *last_ns = Some(at);
        unit.inoculated_ns.get_or_insert(at);
        let event = Event {
            when: When::Unknown,
            sort: "inoculation".into(),
            label: "InoculationTime".into(),
            reason: None,
            fields: Fields::new(),
        };
        unit.events.push((at, event));
    }
}
