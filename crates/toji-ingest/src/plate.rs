//! Wells of a plate: many small runs that share their columns and one clock.

use crate::lines::{decimal, scaled};
use std::collections::HashMap;
use toji_core::culture::{Channel, Event, Fields, NotRead, PointsBuilder, Run, When, ZeroTime};
use toji_core::{Cause, ClockTime, Diagnostic, Place, Quality, Status};

/// Quality of a point that is earlier than the one before it.
pub(crate) const OUT_OF_ORDER: Quality = Quality::source(Status::Uncertain, Cause::OutOfOrder);
/// Quality of a marker such as -9999 that stands where a sensor is absent.
pub(crate) const NO_SENSOR: Quality = Quality::source(Status::Bad, Cause::InstrumentFlag);

/// The series of one well while they are read.
pub(crate) struct Well<'a> {
    /// Name as the file writes it; empty for the plate's internal reference.
    pub(crate) name: &'a str,
    /// Facts about the well.
    pub(crate) fields: Fields,
    /// What happened in it.
    pub(crate) events: Vec<Event>,
    /// Its content and description have been looked at.
    pub(crate) described: bool,
    points: Vec<PointsBuilder>,
    last: Vec<Last<'a>>,
}

/// The last reading of one filter set in one well: what the next one is compared with.
#[derive(Clone, Copy, Default)]
struct Last<'a> {
    line: &'a str,
    t_ns: i64,
}

/// Whether a reading follows the one before it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    /// It is later, or the first.
    Yes,
    /// It is the same line again.
    Repeats,
    /// It is earlier.
    Earlier,
}

/// All wells, in order of first appearance, and the columns they share.
pub(crate) struct Plate<'a> {
    /// One channel a column, without points.
    pub(crate) columns: Vec<Channel>,
    wells: Vec<Well<'a>>,
    index: HashMap<&'a str, usize>,
    guess: usize,
    filtersets: usize,
}

/// What all runs of a plate have in common.
pub(crate) struct PlateRun {
    /// Start of every run's key.
    pub(crate) key: String,
    /// Start of every run's title.
    pub(crate) title: String,
    /// Zero of elapsed time.
    pub(crate) zero: Option<ClockTime>,
    /// Facts about the plate.
    pub(crate) fields: Fields,
}

impl<'a> Plate<'a> {
    /// A plate with these columns, read by this many filter sets.
    pub(crate) fn new(columns: Vec<Channel>, filtersets: usize) -> Self {
        Self { columns, wells: Vec::new(), index: HashMap::new(), guess: 0, filtersets }
    }
    /// Index of the well of this name; a new one is made when needed.
    pub(crate) fn well(&mut self, name: &'a str) -> usize {
        // Devices visit the wells in the same order every cycle: look at the one after the last.
        for guess in [self.guess, 0] {
            if self.wells.get(guess).is_some_and(|w| w.name == name) {
                self.guess = guess + 1;
                return guess;
            }
        }
        if let Some(found) = self.index.get(name) {
            self.guess = *found + 1;
            return *found;
        }
        self.wells.push(Well {
            name,
            fields: Fields::new(),
            events: Vec::new(),
            points: vec![PointsBuilder::default(); self.columns.len()],
            last: vec![Last::default(); self.filtersets],
            described: false,
        });
        self.index.insert(name, self.wells.len() - 1);
        self.wells.len() - 1
    }
    /// The well at an index given by [`Plate::well`].
    pub(crate) fn get_mut(&mut self, well: usize) -> Option<&mut Well<'a>> {
        self.wells.get_mut(well)
    }
    /// Makes runs of the wells; wells without any point or event are left out.
    pub(crate) fn into_runs(self, plate: &PlateRun) -> Vec<Run> {
        let Self { columns, wells, .. } = self;
        let run = |well: Well<'a>| {
            let name = if well.name.is_empty() { "reference" } else { well.name };
            let mut run = Run::new(format!("{} | {name}", plate.key), format!("{} {name}", plate.title));
            run.zero.clone_from(&plate.zero);
            run.zero_is = ZeroTime::StartOfFile;
            run.vessel = Some(name.to_owned());
            run.fields.clone_from(&plate.fields);
            run.fields.extend(well.fields);
            run.channels = finish(&columns, well.points);
            run.events = well.events;
            run.simulated = says_simulated(&run);
            run
        };
        wells.into_iter().map(run).filter(|r| !r.channels.is_empty() || !r.events.is_empty()).collect()
    }
}

/// Gives each column its points; columns without points are left out.
pub(crate) fn finish(columns: &[Channel], points: Vec<PointsBuilder>) -> Vec<Channel> {
    let filled = columns.iter().zip(points).filter(|(_, points)| !points.is_empty());
    filled.map(|(column, points)| Channel { points: points.finish(), ..column.clone() }).collect()
}

impl<'a> Well<'a> {
    /// Compares a reading of a filter set (from 0) with the one before it.
    pub(crate) fn follows(&mut self, filterset: usize, line: &'a str, t_ns: i64) -> Follows {
        let Some(last) = self.last.get_mut(filterset) else { return Follows::Yes };
        let before = std::mem::replace(last, Last { line, t_ns });
        match () {
            () if before.line.is_empty() => Follows::Yes,
            () if before.line == line => Follows::Repeats,
            () if before.t_ns > t_ns => Follows::Earlier,
            () => Follows::Yes,
        }
    }
    /// Adds a cell to a column; an absent-sensor marker is flagged. Empty cells add nothing.
    #[inline]
    pub(crate) fn push(&mut self, column: usize, t_ns: i64, cell: &str, quality: Quality) {
        let Some(points) = self.points.get_mut(column) else { return };
        match scaled(cell) {
            Some((mantissa, scale)) => {
                let absent = matches!((mantissa, scale), (-999_900 | -100_000, 2));
                points.push_scaled(t_ns, mantissa, scale, if absent { NO_SENSOR } else { quality });
            }
            None if cell.is_empty() => {}
            None => match decimal(cell) {
                Some(number) => points.push_decimal(t_ns, number, quality),
                None => {
                    points.push_flagged(t_ns, cell, quality);
                }
            },
        }
    }
    /// Adds an event.
    pub(crate) fn event(&mut self, when: When, sort: &str, label: &str) {
        self.events.push(Event { when, sort: sort.to_owned(), label: label.to_owned(), reason: None, fields: Fields::new() });
    }
}

/// Counts findings of one sort and says them once: a file with 10 000 faulty lines gets one diagnostic.
#[derive(Default)]
pub(crate) struct Counted {
    first: Option<u64>,
    count: u64,
}

impl Counted {
    /// One more, at this line.
    pub(crate) fn at(&mut self, line: u64) {
        self.first.get_or_insert(line);
        self.count += 1;
    }
    /// The diagnostic, if there was any; `%` in the texts is the number of lines.
    pub(crate) fn say(&self, code: &str, ja: &str, en: &str) -> Option<Diagnostic> {
        let first = self.first?;
        let count = self.count.to_string();
        Some(Diagnostic::warning(code, Place::line(first), ja.replace('%', &count), en.replace('%', &count)))
    }
}

/// Says that the clock of a file has no zone of its own.
pub(crate) fn zone_note(zero: Option<&ClockTime>) -> Option<Diagnostic> {
    let zero = zero.filter(|z| z.evidence == toji_core::ZoneEvidence::Assumed)?;
    Some(
        Diagnostic::warning(
            "W-CLOCK-001",
            Place::default(),
            format!("時刻「{}」の時間帯が書かれていないため UTC とみなしました", zero.raw),
            format!("the time \"{}\" states no zone; UTC was assumed", zero.raw),
        )
        .remedy("サイトの時間帯を設定するか --zone を指定してください", "set the site's time zone or give --zone"),
    )
}

/// Does the source itself say that a run was made by a simulator? Looked for where names, comments and
/// users stand: `simulated`, `simulated batch`, `R01 simulated`, `模擬データ`.
pub(crate) fn says_simulated(run: &Run) -> bool {
    let says = |text: &str| {
        let text = text.trim().to_lowercase();
        text == "simulated" || text.starts_with("simulated ") || text.ends_with(" simulated") || text.contains("模擬")
    };
    let vessel = run.vessel.as_deref().unwrap_or("");
    says(vessel) || says(&run.title) || run.fields.values().filter_map(serde_json::Value::as_str).any(says)
}

/// A line that was not read, with the reason.
pub(crate) fn not_read(line: u64, text: &str, ja: &str, en: &str) -> NotRead {
    NotRead::new(Place::line(line), text, ja, en)
}
