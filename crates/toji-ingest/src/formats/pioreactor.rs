//! Pioreactor exports: one CSV per table (`od_readings`, `growth_rates`, `temperature_readings`, `ph`,
//! `stirring_rates`, `dosing_events` …), one row per reading, time stamps in UTC.
//!
//! A run per experiment and unit; a channel per value column, angle and photodiode channel. Tables with
//! an `event` or `message` column become events.

use crate::analyser_file::open_end;
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
            open_from: source.text().rfind(['\n', '\r']).map_or(0, |at| at as u64 + 1),
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
    /// Where the text behind the last line end begins: a record from there on may be cut off.
    open_from: u64,
}

impl Body<'_, '_> {
    fn row(&mut self, record: &csv::StringRecord) {
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: Option<usize>| at.and_then(|i| record.get(i)).unwrap_or("").trim();
        let table = self.table;
        let raw = cell(Some(table.time));
        if record.position().is_some_and(|p| p.byte() >= self.open_from) {
            let is_cut = record.len() < table.names.len();
            self.reading.diagnostics.push(open_end(Place::line(line), is_cut));
            if is_cut {
                let text: Vec<&str> = record.iter().collect();
                let (ja, en) = ("最後の行が途中で切れています", "the last line is cut off here");
                self.reading.not_read.push(not_read(line, &text.join(","), ja, en));
                return;
            }
        }
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
            // A quote that never closed has swallowed the rows behind it.
            if text.contains('\n') {
                self.cut.at(line);
                let (ja, en) = ("値が何行にもわたっています", "the value runs over several lines");
                self.reading.not_read.push(not_read(line, text, ja, en));
                continue;
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{any_bytes, every_cut, mutated};
    use proptest::prelude::*;
    use toji_core::culture::Numbers;
    use toji_core::{Cause, Status};

    const FILE: &str = "experiment,pioreactor_unit,timestamp,od_reading,angle,channel,mood\n\
        simulated,p1,2026-03-14T10:00:00.250000Z,0.1000,90,2,\nsimulated,p1,2026-03-14T10:00:05.250000Z,0.1025,90,2,\n\
        simulated,p2,2026-03-14T10:00:00.500000Z,0.2,45,1,calm\nsimulated,p1,2026-03-14T10:00:03Z,OVER,90,2,\n";
    const EVENTS: &str = "experiment,pioreactor_unit,timestamp,event,volume_change_ml,source_of_event\n\
        simulated,p1,2026-03-14T10:00:00Z,add_media,0.5,chemostat\nsimulated,p1,2026-03-14T10:01:00Z,remove_waste,-0.5,chemostat\n";

    fn read(text: &str) -> Result<Reading> {
        Pioreactor.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn a_run_a_unit_with_its_microseconds() {
        assert_eq!(Pioreactor.detect(&Source::new("x", FILE.as_bytes()).unwrap()).unwrap().score, 95);
        let reading = read(FILE).unwrap();
        let keys: Vec<&str> = reading.runs.iter().map(|r| r.key.as_str()).collect();
        assert_eq!(keys, ["pioreactor | simulated | p1", "pioreactor | simulated | p2"]);
        let run = &reading.runs[0];
        assert!(run.simulated);
        let zero = run.zero.as_ref().unwrap();
        assert_eq!((zero.instant.to_string().as_str(), zero.evidence), ("2026-03-14T10:00:00.25Z", ZoneEvidence::File));
        let od = &run.channels[0];
        assert_eq!((od.key.as_str(), &od.fields["angle"]), ("od_reading angle=90 channel=2", &"90".into()));
        assert_eq!(od.points.numbers, Numbers::Scaled { scale: 4, mantissa: vec![1000, 1025, i64::MIN] });
        assert_eq!(od.points.texts, [(2, "OVER".to_owned())]);
        let last = Quality::unpack(od.points.quality[2]).unwrap();
        assert_eq!((last.status, last.cause), (Status::Bad, Cause::NotANumber), "words in place of a number");
        assert_eq!(reading.runs[1].channels.len(), 2, "an unknown column is kept under its own name");
        assert!(reading.diagnostics.iter().any(|d| d.code == "W-PIO-002"), "time runs backwards");
    }

    #[test]
    fn events_with_their_numbers() {
        let reading = read(EVENTS).unwrap();
        let run = &reading.runs[0];
        assert_eq!(
            (run.events.len(), run.events[0].sort.as_str(), run.events[1].label.as_str()),
            (2, "addition", "remove_waste")
        );
        assert_eq!(run.events[1].when, When::Elapsed(60_000_000_000));
        assert_eq!(run.events[0].fields["source_of_event"], "chemostat");
        assert_eq!(run.channels[0].points.number(1), Some(-0.5));
    }

    #[test]
    fn local_clocks_and_broken_files_say_so() {
        let local = read("timestamp_localtime,od_reading,angle,channel\n2026-03-14 10:00:00,0.1,90,1\n").unwrap();
        assert!(local.diagnostics.iter().any(|d| d.code == "W-CLOCK-001"), "the zone was assumed");
        assert_eq!(local.runs[0].zero.as_ref().unwrap().evidence, ZoneEvidence::Assumed);
        assert_eq!(read("").unwrap_err().code(), "E-PIO-002");
        assert_eq!(read("a,b\n1,2\n").unwrap_err().code(), "E-PIO-002");
        assert_eq!(read("timestamp,pioreactor_unit\n").unwrap_err().code(), "E-PIO-003");
        let odd = read(&FILE.replace("2026-03-14T10:00:05.250000Z", "soon")).unwrap();
        assert_eq!((odd.not_read[0].place.line, odd.runs[0].channels[0].points.len()), (Some(3), 2));
        let quote = read(&FILE.replace("0.1025", "\"0.1025")).unwrap();
        assert!(quote.not_read.iter().any(|n| n.text.contains("0.1025")), "an open quote does not swallow rows in silence");
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&Pioreactor, FILE);
        every_cut(&Pioreactor, EVENTS);
    }

    proptest! {
        #[test]
        fn damage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..400, at in 0usize..400, junk in "[,\n0-9.:TZ\"\u{fc}-]{0,6}") {
            any_bytes(&Pioreactor, &bytes);
            mutated(&Pioreactor, FILE, cut, at, &junk);
            mutated(&Pioreactor, EVENTS, cut, at, &junk);
        }
    }
}
