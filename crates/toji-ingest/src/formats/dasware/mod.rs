//! DASware control 4 and 5 (DASGIP, Eppendorf): quoted `;` sections, one `[TrackData n]` a vessel.
//!
//! Values are logged on change: an empty cell means "unchanged since the last log", and is not filled.
//! The first row of zeros is the controller starting up. `TimezoneBias` is the file's own word for its
//! zone: version 4 writes the Windows bias (UTC = local + bias, west positive), version 5 writes minutes
//! east of UTC; German sites export -60 with the one and 60 with the other.

mod events;
mod rows;
mod tag;

use crate::lines::{decimal, split_line, wall_clock};
use crate::plate::{Counted, zone_note};
use crate::{Evidence, Format, Site, Source};
use jiff::civil::DateTime;
use std::collections::HashMap;
use toji_core::clock::Zone;
use toji_core::culture::{Event, Fields, Instrument, NotRead, Reading, Run, When, ZeroTime};
use toji_core::{ClockTime, Diagnostic, Error, Place, Result, Text, ZoneEvidence};

/// The format.
pub(crate) struct Dasware;

impl Format for Dasware {
    fn id(&self) -> &'static str {
        "dasware-control"
    }
    fn label(&self) -> Text {
        Text::new("DASware control 4/5 (DASGIP)", "DASware control 4/5 (DASGIP)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() {
            return None;
        }
        let head: Vec<&str> = source.text().lines().take(400).collect();
        let section = |name: &str| head.iter().any(|l| section_name(l) == Some(name));
        let maker = head.iter().any(|l| l.contains("DASGIP") || l.contains("DASware") || l.contains("FngArchiv"));
        let known =
            ["Info", "CoreInfo", "ProjectInfo", "TrackInfo", "TrackData", "TrackData1"].iter().filter(|s| section(s)).count();
        match (maker, known) {
            (true, 2..) => {
                Some(Evidence::new(97, "[Info]・[CoreInfo]・[TrackInfo] の節", "the sections [Info], [CoreInfo], [TrackInfo]"))
            }
            (false, 3..) => Some(Evidence::new(75, "[ProjectInfo]・[TrackInfo] の節", "the sections [ProjectInfo], [TrackInfo]")),
            _ => None,
        }
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let text = source.text();
        let sections = sections(text);
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        let core = core_info(&sections);
        let (zone, said) = zone(&core, site);
        reading.diagnostics.extend(said);
        reading.format_version = core.version.map(str::to_owned);
        reading.instrument = Some(Instrument {
            maker: Some("DASGIP / Eppendorf".into()),
            software: Some("DASware control".into()),
            software_version: core.version.map(str::to_owned),
            serial: core.host.map(str::to_owned),
            ..Instrument::default()
        });
        let project = Project::read(&sections);
        let mut units = rows::read_units(&sections, &zone, &mut reading);
        project.add_missing_units(&mut units);
        if units.is_empty() {
            return Err(Error::input("E-DASWARE-001", "[TrackData] の測定がありません", "there is no [TrackData] with readings")
                .at(Place::line(text.lines().count() as u64))
                .hint("書き出しが途中で切れていないかを確認してください", "check that the export was not cut off"));
        }
        setups(&sections, &mut units);
        events::read_events(&sections, &zone, &mut units, &mut reading);
        reading.runs = units.into_iter().map(|u| u.finish(&project, &core, &zone)).collect();
        list_unread(&sections, &mut reading);
        reading.diagnostics.extend(zone_note(reading.runs.iter().find_map(|r| r.zero.as_ref())));
        Ok(reading)
    }
}

/// A section: its name, the line of its first row, and its text.
pub(super) struct Section<'a> {
    name: &'a str,
    line: u64,
    body: &'a str,
}

impl<'a> Section<'a> {
    /// Rows that are not blank, with their line numbers.
    fn rows(&self) -> impl Iterator<Item = (u64, &'a str)> + use<'a> {
        self.body.lines().zip(self.line..).map(|(l, n)| (n, l)).filter(|(_, l)| !l.trim().is_empty())
    }
    /// Rows as named cells, by the header in the first row.
    fn table(&self) -> Vec<(u64, HashMap<&'a str, &'a str>)> {
        let mut rows = self.rows();
        let Some((_, header)) = rows.next() else { return Vec::new() };
        let (mut names, mut cells) = (Vec::new(), Vec::new());
        split_line(header, b';', &mut names);
        let named = |(line, row): (u64, &'a str)| {
            split_line(row, b';', &mut cells);
            (line, names.iter().copied().zip(cells.iter().copied()).collect())
        };
        rows.map(named).collect()
    }
}

/// `"[TrackData1]"` is the section `TrackData1`.
fn section_name(line: &str) -> Option<&str> {
    let line = line.trim().trim_end_matches(';').trim_matches('"');
    line.strip_prefix('[')?.strip_suffix(']').filter(|n| !n.is_empty() && n.len() < 60 && !n.contains(';'))
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut out: Vec<Section<'_>> = Vec::new();
    let (mut offset, mut begin) = (0, 0);
    for (raw, number) in text.split_inclusive('\n').zip(1u64..) {
        // A data row begins with a digit or a quote: the cheap test first.
        let bytes = raw.as_bytes();
        let may = matches!(bytes.first(), Some(b'[')) || (bytes.first() == Some(&b'"') && bytes.get(1) == Some(&b'['));
        if may && let Some(name) = section_name(raw) {
            if let Some(last) = out.last_mut() {
                last.body = text.get(begin..offset).unwrap_or("");
            }
            begin = offset + raw.len();
            out.push(Section { name, line: number + 1, body: "" });
        }
        offset += raw.len();
    }
    if let Some(last) = out.last_mut() {
        last.body = text.get(begin..).unwrap_or("");
    }
    out
}

/// What `[CoreInfo]` says.
#[derive(Default)]
struct Core<'a> {
    version: Option<&'a str>,
    host: Option<&'a str>,
    bias: Option<(&'a str, u64)>,
}

fn core_info<'a>(sections: &[Section<'a>]) -> Core<'a> {
    let mut core = Core::default();
    let mut cells = Vec::new();
    for section in sections.iter().filter(|s| matches!(s.name, "CoreInfo" | "Info")) {
        for (line, row) in section.rows() {
            split_line(row, b';', &mut cells);
            let cell = |i: usize| cells.get(i).copied().filter(|c| !c.is_empty());
            match cell(0) {
                Some("DASGIP Control Core") => (core.version, core.host) = (core.version.or(cell(1)), core.host.or(cell(2))),
                Some("TimezoneBias") => core.bias = cell(1).map(|b| (b, line)),
                _ => {}
            }
        }
    }
    core
}

/// The file's zone, else the site's.
fn zone(core: &Core<'_>, site: &Site) -> (Clock, Vec<Diagnostic>) {
    let fallback = Clock { zone: site.zone.clone(), offset_ns: None };
    let Some((text, line)) = core.bias else { return (fallback, Vec::new()) };
    let place = Place::line(line).in_sheet("CoreInfo").at_field("TimezoneBias");
    let Some(bias) = text.parse::<i32>().ok().filter(|b| b.abs() <= 15 * 60) else {
        let said = Diagnostic::warning(
            "W-DASWARE-001",
            place,
            format!("TimezoneBias「{text}」を読めません"),
            format!("TimezoneBias \"{text}\" is not readable"),
        )
        .remedy("サイトの時間帯を使いました", "the site's time zone was used");
        return (fallback, vec![said]);
    };
    let major = core.version.and_then(|v| v.split('.').next()).and_then(|v| v.parse::<u32>().ok());
    let east = if major.is_some_and(|m| m >= 5) { bias } else { -bias };
    let Ok(zone) = Zone::minutes_east(east, ZoneEvidence::File) else { return (fallback, Vec::new()) };
    let said = Diagnostic::note(
        "N-DASWARE-002",
        place,
        format!("時刻は TimezoneBias {bias} により UTC{} としました。夏時間かどうかは書かれていません", zone.name()),
        format!("by TimezoneBias {bias} the clock is UTC{}; the file does not say whether summer time applied", zone.name()),
    );
    (Clock { zone, offset_ns: Some(i64::from(east) * 60_000_000_000) }, vec![said])
}

/// The clock of the file.
pub(super) struct Clock {
    zone: Zone,
    /// Where the offset is fixed: instants need no calendar look-up.
    offset_ns: Option<i64>,
}

impl Clock {
    /// The instant of a wall clock, and whether a clock change makes it doubtful.
    fn ns(&self, at: DateTime, raw: &str) -> Option<(i64, bool)> {
        match self.offset_ns {
            Some(offset) => crate::lines::utc_ns(at)?.checked_sub(offset).map(|ns| (ns, false)),
            None => self.zone.resolve(at, raw).ok().map(|c| (c.instant.0, c.doubt.is_some())),
        }
    }
    /// The clock time of a text such as `2018-07-26 11:53:36`.
    fn time(&self, raw: &str) -> Option<ClockTime> {
        self.zone.resolve(wall_clock(raw)?.0, raw).ok()
    }
}

/// One vessel while it is read.
pub(super) struct Unit {
    /// Number in the software: `Unit 1`.
    number: u32,
    run: Run,
    first_ns: Option<(i64, String)>,
    inoculated_ns: Option<i64>,
    events: Vec<(i64, Event)>,
}

impl Unit {
    fn new(number: u32) -> Self {
        Self { number, run: Run::new("", ""), first_ns: None, inoculated_ns: None, events: Vec::new() }
    }
    fn finish(self, project: &Project<'_>, core: &Core<'_>, clock: &Clock) -> Run {
        let Self { number, mut run, first_ns, inoculated_ns, mut events } = self;
        let start = project.start.unwrap_or_else(|| first_ns.as_ref().map_or("", |f| f.1.as_str()));
        run.key = format!("{} | {start} | Unit {number}", project.name);
        run.title = format!("{} Unit {number}", project.name).trim().to_owned();
        run.vessel = Some(match core.host {
            Some(host) => format!("{host} Unit {number}"),
            None => format!("Unit {number}"),
        });
        run.fields.extend(project.fields.clone());
        if let Some(module) = project.modules.get(&number) {
            run.fields.insert("setup".into(), (*module).into());
        }
        let module_start = project.starts.get(&number).copied().or(project.start);
        run.zero = match inoculated_ns {
            Some(ns) => {
                run.zero_is = ZeroTime::Inoculation;
                let instant = toji_core::Instant(ns);
                let zone = clock.zone.name().to_owned();
                Some(ClockTime { instant, zone, evidence: clock.zone.evidence, raw: instant.to_string(), doubt: None })
            }
            None => module_start.and_then(|s| clock.time(s)).or_else(|| {
                run.zero_is = ZeroTime::FirstPoint;
                first_ns.as_ref().and_then(|f| clock.time(&f.1))
            }),
        };
        let zero = run.zero.as_ref().map_or(0, |z| z.instant.0);
        events.sort_by_key(|e| e.0);
        let event = |(ns, event): (i64, Event)| Event { when: When::Elapsed(ns.saturating_sub(zero)), ..event };
        run.events = events.into_iter().map(event).collect();
        run.simulated = crate::plate::says_simulated(&run);
        run
    }
}

/// What `[ProjectInfo]` says.
#[derive(Default)]
struct Project<'a> {
    name: &'a str,
    start: Option<&'a str>,
    fields: Fields,
    /// Setup name and start by unit number.
    modules: HashMap<u32, &'a str>,
    starts: HashMap<u32, &'a str>,
}

impl<'a> Project<'a> {
    fn read(sections: &[Section<'a>]) -> Self {
        let mut project = Self::default();
        let Some(section) = sections.iter().find(|s| s.name == "ProjectInfo") else { return project };
        let mut cells = Vec::new();
        for (index, (_, row)) in section.table().iter().enumerate() {
            let get = |name: &str| row.get(name).copied().filter(|c| !c.is_empty());
            if index == 0 {
                project.name = get("ProjName").unwrap_or("");
                project.start = get("StartTimestamp");
                for name in ["LocComment", "StartTimestamp", "StopTimestamp", "Guid", "Version"] {
                    if let Some(value) = get(name) {
                        project.fields.insert(format!("project {name}"), value.into());
                    }
                }
            }
        }
        for (_, row) in section.rows().skip(1) {
            split_line(row, b';', &mut cells);
            let number = cells
                .iter()
                .find_map(|c| c.strip_prefix("UnitNo")?.trim_start_matches([' ', '=']).trim_end_matches(';').trim().parse().ok());
            if let Some(number) = number {
                project.modules.insert(number, cells.get(3).copied().unwrap_or(""));
                project.starts.extend(cells.get(8).filter(|s| !s.is_empty()).map(|s| (number, *s)));
            }
        }
        project
    }
    /// Units that have no track data (a calibration export) still have events.
    fn add_missing_units(&self, units: &mut Vec<Unit>) {
        let mut numbers: Vec<u32> = self.modules.keys().copied().filter(|n| units.iter().all(|u| u.number != *n)).collect();
        numbers.sort_unstable();
        if units.is_empty() {
            units.extend(numbers.into_iter().map(Unit::new));
        }
    }
}

/// `[Setup1]` and the sections below it describe one unit: calibrations, reactor, profiles.
fn setups(sections: &[Section<'_>], units: &mut [Unit]) {
    let mut current: Option<u32> = None;
    let mut cells = Vec::new();
    for section in sections {
        if let Some(number) = section.name.strip_prefix("Setup").and_then(|n| n.parse().ok()) {
            current = Some(number);
        } else if section.name.starts_with('/') || section.name == "Events" {
            current = None;
        }
        let Some(unit) = current.and_then(|c| units.iter_mut().find(|u| u.number == c)) else { continue };
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (_, row) in section.rows() {
            split_line(row, b';', &mut cells);
            rows.push(cells.iter().map(|c| (*c).to_owned()).collect());
        }
        let name = if section.name.starts_with("Setup") { "Setup" } else { section.name };
        unit.run.fields.insert(name.to_owned(), rows.into());
    }
}

/// Configuration that is neither a series nor an event stays in the stored file; say which.
fn list_unread(sections: &[Section<'_>], reading: &mut Reading) {
    let mut in_setup = false;
    for section in sections {
        in_setup = (in_setup || section.name.starts_with("Setup")) && !section.name.starts_with('/');
        let read = in_setup
            || section.name.starts_with("TrackData")
            || matches!(section.name, "CoreInfo" | "ProjectInfo" | "TrackInfo" | "Events" | "End");
        let Some((line, first)) = section.rows().next().filter(|_| !read) else { continue };
        let rows = section.rows().count();
        reading.not_read.push(NotRead::new(
            Place::line(line).in_sheet(section.name),
            first,
            format!("設定の節です ({rows} 行)。元ファイルに残ります"),
            format!("a section of configuration ({rows} rows); it stays in the stored file"),
        ));
    }
}

/// Findings counted over all units.
#[derive(Default)]
pub(super) struct Faults {
    time: Counted,
    earlier: Counted,
    doubt: Counted,
    jump: Counted,
    cut: Counted,
    started: Counted,
}

impl Faults {
    fn say(&self) -> impl Iterator<Item = Diagnostic> + use<> {
        [
            self.time.say("W-DASWARE-003", "時刻の読めない行が % 行あります", "% rows have no readable time"),
            self.earlier.say(
                "W-DASWARE-004",
                "時刻が前後する行が % 行あります。印を付けて残しました",
                "time runs backwards at % rows; they are kept and flagged",
            ),
            self.doubt.say(
                "W-DASWARE-005",
                "時計の切り替えで時刻の定まらない行が % 行あります",
                "a clock change makes the time of % rows doubtful",
            ),
            self.jump.say(
                "W-DASWARE-006",
                "Timestamp と Duration の進みが食い違う行が % 行あります (時計の修正か)",
                "Timestamp and Duration disagree at % rows; the clock may have been set",
            ),
            self.cut.say("W-DASWARE-007", "途中で切れた行が % 行あります", "% rows are cut off"),
            self.started.say(
                "W-DASWARE-008",
                "立ち上げの 0 の行が % 行あります。印を付けて残しました",
                "% rows of zeros are the controller starting up; they are kept and flagged",
            ),
        ]
        .into_iter()
        .flatten()
    }
}

/// A number of the track table, kept as a number where it is one.
fn number_or_text(text: &str) -> serde_json::Value {
    decimal(text).map_or_else(|| text.into(), |d| d.to_f64().into())
}

#[cfg(test)]
mod tests;
