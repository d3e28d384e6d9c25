//! Pioreactor exports: one CSV per table (`od_readings`, `growth_rates`, `temperature_readings`, `ph`,
//! `stirring_rates`, `dosing_events` …), one row per reading, time stamps in UTC.
//!
//! A run per experiment and unit; a channel per value column, angle and photodiode channel. Tables with
//! an `event` or `message` column become events.

use crate::lines::{rfc3339_ns, wall_clock};
use crate::plate::{Counted, OUT_OF_ORDER, not_read};
use crate::{Evidence, Format, Site, Source};
use std::collections::HashMap;
use toji_core::culture::{
    Channel, Event, Fields, Instrument, Origin, Points, PointsBuilder, Reading, Run, Sampling, When, ZeroTime,
};
use toji_core::{ClockTime, Error, Instant, Place, Quality, Result, Text, Unit, ZoneEvidence, variable};

/// The format.
pub(crate) struct Pioreactor;

/// Columns that say what a row is about.
const IDENTITY: [&str; 9] = [
    "experiment",
    "pioreactor_unit",
    "timestamp",
    "timestamp_localtime",
    "angle",
    "channel",
    "source",
    "job_source",
    "hours_since_experiment_created",
];

/// Value columns of the exported tables: variable, unit, origin.
const VALUES: [(&str, Option<&str>, &str, Origin); 12] = [
    ("od_reading", Some("optical-density"), "{a.u.}", Origin::Sensor),
    ("normalized_od_reading", Some("optical-density"), "1", Origin::Calculated),
    ("rate", None, "/h", Origin::Calculated),
    ("temperature_c", Some("temperature"), "Cel", Origin::Sensor),
    ("measured_rpm", Some("stirrer-speed"), "rpm", Origin::Sensor),
    ("ph_reading", Some("ph"), "[pH]", Origin::Sensor),
    ("pH", Some("ph"), "[pH]", Origin::Sensor),
    ("volume_change_ml", None, "mL", Origin::Actuator),
    ("intensity", None, "%", Origin::Actuator),
    ("co2_reading", Some("co2-fraction"), "[ppm]", Origin::Sensor),
    ("relative_humidity", Some("humidity"), "%{RH}", Origin::Sensor),
    ("ambient_temperature", None, "Cel", Origin::Sensor),
];

impl Format for Pioreactor {
    fn id(&self) -> &'static str {
        "pioreactor"
    }
    fn label(&self) -> Text {
        Text::new("Pioreactor の書き出し", "Pioreactor export")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() {
            return None;
        }
        let header = source.text().lines().next()?;
        let names: Vec<&str> = header.split(',').map(|c| c.trim().trim_matches('"')).collect();
        let has = |name: &str| names.contains(&name);
        if !has("timestamp") && !has("timestamp_localtime") {
            return None;
        }
        if has("pioreactor_unit") {
            return Some(Evidence::new(95, "pioreactor_unit と timestamp の列", "the columns pioreactor_unit and timestamp"));
        }
        let optical = has("od_reading") && has("angle") && has("channel");
        optical.then(|| Evidence::new(90, "od_reading・angle・channel の列", "the columns od_reading, angle and channel"))
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(source.text().as_bytes());
        let headers = rows.headers().map_err(|e| unreadable(&e))?.clone();
        let table = Table::new(&headers, site)?;
        let mut body = Body {
            table: &table,
            runs: Vec::new(),
            index: HashMap::new(),
            reading: Reading::default(),
            cut: Counted::default(),
            earlier: Counted::default(),
        };
        let mut record = csv::StringRecord::new();
        loop {
            match rows.read_record(&mut record) {
                Ok(true) => body.row(&record),
                Ok(false) => break,
                Err(e) => return Err(unreadable(&e)),
            }
        }
        body.finish()
    }
}

fn unreadable(e: &csv::Error) -> Error {
    let line = e.position().map_or(1, csv::Position::line);
    Error::input("E-PIO-001", format!("CSV として読めません: {e}"), format!("not readable as CSV: {e}"))
        .at(Place::line(line))
        .hint("Pioreactor から書き出し直してください", "export it again from the Pioreactor")
}

/// What the columns are.
struct Table<'s> {
    names: Vec<String>,
    time: usize,
    experiment: Option<usize>,
    unit: Option<usize>,
    angle: Option<usize>,
    channel: Option<usize>,
    /// The column whose words make an event, for tables of events.
    event: Option<usize>,
    values: Vec<usize>,
    site: &'s Site,
}

impl<'s> Table<'s> {
    fn new(headers: &csv::StringRecord, site: &'s Site) -> Result<Self> {
        let names: Vec<String> = headers.iter().map(|h| h.trim().trim_start_matches('\u{feff}').to_owned()).collect();
        let at = |name: &str| names.iter().position(|n| n == name);
        let time = at("timestamp").or_else(|| at("timestamp_localtime")).ok_or_else(|| {
            Error::input("E-PIO-002", "timestamp の列がありません", "there is no timestamp column").at(Place::line(1))
        })?;
        let event = at("event").or_else(|| at("message")).or_else(|| at("event_name"));
        let values = (0..names.len())
            .filter(|i| names.get(*i).is_some_and(|n| !IDENTITY.contains(&n.as_str()) && Some(*i) != event))
            .collect();
        Ok(Self {
            time,
            experiment: at("experiment"),
            unit: at("pioreactor_unit"),
            angle: at("angle"),
            channel: at("channel"),
            event,
            values,
            site,
            names,
        })
    }
    fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("", String::as_str)
    }
}

/// One series while it is read: the value column and which photodiode.
struct Series {
    column: usize,
    angle: String,
    diode: String,
    before: i64,
    points: PointsBuilder,
}

struct Growing {
    experiment: String,
    unit: String,
    first: Option<ClockTime>,
    series: Vec<Series>,
    events: Vec<(i64, Event)>,
}

struct Body<'t, 's> {
    table: &'t Table<'s>,
    runs: Vec<Growing>,
    index: HashMap<(String, String), usize>,
    reading: Reading,
    cut: Counted,
    earlier: Counted,
}

impl Body<'_, '_> {
    fn row(&mut self, record: &csv::StringRecord) {
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: Option<usize>| at.and_then(|i| record.get(i)).unwrap_or("").trim();
        let table = self.table;
        let raw = cell(Some(table.time));
        let Some(t_ns) = self.instant(raw) else {
            self.cut.at(line);
            let text: Vec<&str> = record.iter().collect();
            self.reading.not_read.push(not_read(line, &text.join(","), "時刻が読めません", "the time is not readable"));
            return;
        };
        let run = self.run_of(cell(table.experiment), cell(table.unit));
        let Some(run) = self.runs.get_mut(run) else { return };
        if run.first.as_ref().is_none_or(|f| t_ns < f.instant.0) {
            run.first = Some(clock(t_ns, raw, table.site));
        }
        let (angle, diode) = (cell(table.angle), cell(table.channel));
        if let Some(event) = table.event {
            run.events.push((t_ns, event_of(table, record, cell(Some(event)))));
        }
        for column in &table.values {
            let text = record.get(*column).unwrap_or("").trim();
            // A table of events has words beside its numbers; they stay with the event.
            if text.is_empty() || (table.event.is_some() && crate::lines::decimal(text).is_none()) {
                continue;
            }
            let series = find_series(&mut run.series, *column, angle, diode);
            let quality = if t_ns < series.before { OUT_OF_ORDER } else { Quality::GOOD };
            if t_ns < series.before {
                self.earlier.at(line);
            }
            series.before = series.before.max(t_ns);
            series.points.push_flagged(t_ns, text, quality);
        }
    }
    /// RFC 3339, or a wall clock in the site's zone.
    fn instant(&self, raw: &str) -> Option<i64> {
        rfc3339_ns(raw).or_else(|| {
            let (at, rest) = wall_clock(raw)?;
            rest.trim().is_empty().then(|| self.table.site.zone.resolve(at, raw).ok()).flatten().map(|c| c.instant.0)
        })
    }
    fn run_of(&mut self, experiment: &str, unit: &str) -> usize {
        // Nearly all files are of one run; look at it first, without building a key.
        if let Some(last) = self.runs.last()
            && last.experiment == experiment
            && last.unit == unit
        {
            return self.runs.len() - 1;
        }
        let key = (experiment.to_owned(), unit.to_owned());
        if let Some(found) = self.index.get(&key) {
            return *found;
        }
        self.runs.push(Growing {
            experiment: key.0.clone(),
            unit: key.1.clone(),
            first: None,
            series: Vec::new(),
            events: Vec::new(),
        });
        self.index.insert(key, self.runs.len() - 1);
        self.runs.len() - 1
    }
    fn finish(self) -> Result<Reading> {
        let Self { table, runs, mut reading, cut, earlier, .. } = self;
        if runs.is_empty() {
            return Err(Error::input("E-PIO-003", "読める行がありません", "no row could be read")
                .with(reading.diagnostics)
                .hint("書き出しに行があるかを確認してください", "check that the export holds rows"));
        }
        let assumed = runs.iter().filter_map(|r| r.first.as_ref()).find_map(|f| crate::plate::zone_note(Some(f)));
        reading.runs = runs.into_iter().map(|run| finish_run(run, table)).collect();
        reading.format = "pioreactor".into();
        reading.instrument =
            Some(Instrument { maker: Some("Pioreactor".into()), model: Some("Pioreactor".into()), ..Instrument::default() });
        reading.diagnostics.extend(assumed);
        reading.diagnostics.extend(cut.say("W-PIO-001", "時刻の読めない行が % 行あります", "% rows have no readable time"));
        reading.diagnostics.extend(earlier.say(
            "W-PIO-002",
            "時刻が前後する行が % 行あります。印を付けて残しました",
            "time runs backwards at % rows; they are kept and flagged",
        ));
        Ok(reading)
    }
}

fn clock(t_ns: i64, raw: &str, site: &Site) -> ClockTime {
    let stated = rfc3339_ns(raw).is_some();
    let zone = if stated { "UTC".to_owned() } else { site.zone.name().to_owned() };
    let evidence = if stated { ZoneEvidence::File } else { site.zone.evidence };
    ClockTime { instant: Instant(t_ns), zone, evidence, raw: raw.to_owned(), doubt: None }
}

fn event_of(table: &Table<'_>, record: &csv::StringRecord, label: &str) -> Event {
    let mut fields = Fields::new();
    for column in &table.values {
        let text = record.get(*column).unwrap_or("").trim();
        if !text.is_empty() {
            fields.insert(table.name(*column).to_owned(), text.into());
        }
    }
    let sort = match label {
        "add_media" | "add_alt_media" | "remove_waste" => "addition",
        _ if table.name(table.event.unwrap_or(usize::MAX)) == "message" => "note",
        _ => "setpoint",
    };
    Event { when: When::Unknown, sort: sort.into(), label: label.to_owned(), reason: None, fields }
}

fn find_series<'r>(series: &'r mut Vec<Series>, column: usize, angle: &str, diode: &str) -> &'r mut Series {
    let found = series.iter().position(|s| s.column == column && s.angle == angle && s.diode == diode);
    let at = found.unwrap_or_else(|| {
        series.push(Series {
            column,
            angle: angle.to_owned(),
            diode: diode.to_owned(),
            before: i64::MIN,
            points: PointsBuilder::default(),
        });
        series.len() - 1
    });
    &mut series[at]
}

fn finish_run(run: Growing, table: &Table<'_>) -> Run {
    let named = [run.experiment.as_str(), run.unit.as_str()];
    let first = run.first.as_ref().map_or(String::new(), |f| f.instant.to_string());
    // Without names, the first reading is what stays the same in a longer export.
    let key = if named.iter().all(|n| n.is_empty()) {
        format!("pioreactor | {first}")
    } else {
        format!("pioreactor | {}", named.join(" | "))
    };
    let title =
        if named.iter().all(|n| n.is_empty()) { format!("Pioreactor {first}") } else { named.join(" ").trim().to_owned() };
    let mut out = Run::new(key, title);
    out.zero_is = ZeroTime::FirstPoint;
    out.vessel = (!run.unit.is_empty()).then_some(run.unit);
    if !run.experiment.is_empty() {
        out.fields.insert("experiment".into(), run.experiment.into());
    }
    let zero = run.first.as_ref().map_or(0, |f| f.instant.0);
    out.zero = run.first;
    out.channels = run.series.into_iter().map(|s| channel(s, table)).collect();
    let event = |(t_ns, event): (i64, Event)| Event { when: When::Elapsed(t_ns.saturating_sub(zero)), ..event };
    out.events = run.events.into_iter().map(event).collect();
    out.simulated = crate::plate::says_simulated(&out);
    out
}

fn channel(series: Series, table: &Table<'_>) -> Channel {
    let name = table.name(series.column);
    let mut key = name.to_owned();
    let mut fields = Fields::new();
    for (label, value) in [("angle", &series.angle), ("channel", &series.diode)] {
        if !value.is_empty() {
            key.push_str(&format!(" {label}={value}"));
            fields.insert(label.to_owned(), value.as_str().into());
        }
    }
    let mut channel = Channel::new(key, Points { ..series.points.finish() });
    channel.fields = fields;
    channel.sampling = if table.event.is_some() { Sampling::Irregular } else { Sampling::Periodic };
    match VALUES.iter().find(|v| v.0 == name) {
        Some((_, variable, unit, origin)) => {
            channel.variable = variable.map(str::to_owned);
            channel.unit = Unit::parse(unit).ok();
            channel.origin = *origin;
        }
        None => channel.variable = variable::find(name).map(|(v, _)| v.id.clone()),
    }
    channel
}
