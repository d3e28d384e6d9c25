//! Tables of off-gas analysers: time, and oxygen and carbon dioxide of one or many gas streams.
//!
//! Two shapes are met. Sensors on every vessel write a column a gas and vessel (`R1 O2 [Vol.%]`); an
//! analyser that switches between streams writes a row a reading and names the stream in a column. A
//! run a vessel or stream. A table with any column that is no gas quantity is a general log and left to
//! the guided importer. Pressure, temperature and humidity are the gas sensor's, not the culture's, and
//! carry no variable.

use crate::analyser::{Clock, bracketed, note};
use crate::analyser_file::{Found, Search, open_end, parts, row_place};
use crate::delimited::Row;
use crate::format::{Evidence, Format, Site};
use crate::formats::bioscreen::elapsed;
use crate::plate::{Counted, OUT_OF_ORDER};
use crate::source::Source;
use toji_core::clock::{DateOrder, WallClock};
use toji_core::culture::{
    Channel, Event, Fields, NotRead, Origin, Points, PointsBuilder, Reading, Run, Sampling, When, ZeroTime,
};
use toji_core::value::{NumberStyle, fold_width};
use toji_core::{ClockTime, Diagnostic, Place, Quality, Result, Text, Unit};

/// The format.
pub struct OffGas;

/// Lines looked at for the header.
const HEADER_LINES_MAX: usize = 40;
/// Most streams of one file.
const STREAMS_MAX: usize = 1_000;

/// Words of a header for a quantity: variable where the quantity is the culture's own, and its origin.
const QUANTITIES: [(&[&str], Option<&str>, Origin); 13] = [
    (&["o2", "xo2", "yo2", "oxygen", "酸素"], Some("oxygen-fraction"), Origin::Sensor),
    (&["co2", "xco2", "yco2", "二酸化炭素", "炭酸ガス"], Some("co2-fraction"), Origin::Sensor),
    (&["n2", "nitrogen", "窒素"], None, Origin::Sensor),
    (&["ar", "argon"], None, Origin::Sensor),
    (&["ch4", "methane"], None, Origin::Sensor),
    (&["h2", "hydrogen"], None, Origin::Sensor),
    (&["etoh", "ethanol"], None, Origin::Sensor),
    (&["humidity", "h2o", "rh", "湿度"], None, Origin::Sensor),
    (&["pressure", "圧力"], None, Origin::Sensor),
    (&["temperature", "temp", "温度"], None, Origin::Sensor),
    (&["our"], Some("oxygen-uptake-rate"), Origin::Calculated),
    (&["cer", "ctr"], Some("co2-evolution-rate"), Origin::Calculated),
    (&["rq"], Some("respiratory-quotient"), Origin::Calculated),
];
/// Words that say no more than "in the gas that leaves".
const NOISE: [&str; 12] =
    ["off", "gas", "offgas", "exit", "exhaust", "out", "outlet", "conc", "concentration", "value", "actual", "排ガス"];
/// Words of the gas that enters; its fractions are not the off-gas's.
const INLET: [&str; 3] = ["in", "inlet", "supply"];
/// Headers of the column that names the stream.
const STREAM: [&str; 12] =
    ["stream", "port", "position", "valve", "vessel", "reactor", "fermenter", "samplepoint", "channel", "inlet no", "系列", "槽"];
/// Headers of columns with remarks of the analyser.
const STATUS: [&str; 6] = ["status", "state", "error", "alarm", "comment", "状態"];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    /// Date, time, or both.
    Time,
    Stream,
    Status,
    /// Index into [`QUANTITIES`], vessel from the header, and whether it is the gas that enters.
    Gas(usize, String, bool),
    Empty,
    Unknown,
}

/// The words of a header without what stands in brackets.
fn words(header: &str) -> Vec<String> {
    let folded =
        fold_width(header).replace("carbon dioxide", "co2").replace("Carbon dioxide", "co2").replace("Carbon Dioxide", "co2");
    let mut depth = 0i32;
    let plain: String = folded
        .chars()
        .map(|c| {
            depth += i32::from(matches!(c, '[' | '('));
            let keep = depth == 0 && (c.is_alphanumeric());
            depth -= i32::from(matches!(c, ']' | ')') && depth > 0);
            if keep { c } else { ' ' }
        })
        .collect();
    plain.split_whitespace().map(str::to_owned).collect()
}

fn column(header: &str) -> Column {
    let words = words(header);
    let lower: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
    let joined = lower.join("");
    if header.trim().is_empty() {
        return Column::Empty;
    }
    if ["time", "date", "datetime", "timestamp", "elapsedtime", "processtime", "日時", "時刻", "経過時間"]
        .contains(&joined.as_str())
    {
        return Column::Time;
    }
    if STREAM.iter().any(|s| s.replace(' ', "") == joined) {
        return Column::Stream;
    }
    if STATUS.contains(&joined.as_str()) {
        return Column::Status;
    }
    let quantity = |word: &String| QUANTITIES.iter().position(|(names, ..)| names.contains(&word.as_str()));
    let Some((at, found)) = lower.iter().enumerate().rev().find_map(|(i, w)| Some((i, quantity(w)?))) else {
        return Column::Unknown;
    };
    let is_inlet = lower.iter().any(|w| INLET.contains(&w.as_str()));
    let vessel: Vec<&str> = (0..words.len())
        .filter(|i| *i != at && lower.get(*i).is_some_and(|w| !NOISE.contains(&w.as_str()) && !INLET.contains(&w.as_str())))
        .filter_map(|i| words.get(i).map(String::as_str))
        .collect();
    Column::Gas(found, vessel.join(" "), is_inlet)
}

/// The columns of a header row that is one of an off-gas table and of nothing else.
fn header(row: &Row) -> Option<Vec<Column>> {
    let columns: Vec<Column> = row.cells.iter().map(|c| column(c)).collect();
    let has = |wanted: usize| columns.iter().any(|c| matches!(c, Column::Gas(found, ..) if *found == wanted));
    let whole = columns.contains(&Column::Time) && !columns.contains(&Column::Unknown) && has(0) && has(1);
    whole.then_some(columns)
}

const SEARCH: Search = Search {
    rows_max: HEADER_LINES_MAX,
    codes: ["E-OFFGAS-001", "E-OFFGAS-002", "E-OFFGAS-003"],
    names: ("時刻、O2、CO2", "time, O2, CO2"),
};

impl Format for OffGas {
    fn id(&self) -> &'static str {
        "off-gas-table"
    }
    fn label(&self) -> Text {
        Text::new("排ガス分析計の表", "Off-gas analyser table")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        SEARCH
            .holds(source, header)
            .then(|| Evidence::new(78, "時刻と O2・CO2 だけの表です", "a table of time, O2, CO2 and nothing but gas quantities"))
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let parts = parts(source)?;
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        let tables = SEARCH.tables(source, &parts, header, &mut reading)?;
        let line = tables.first().map_or(1, |t| t.header.line);
        for Found { sheet, above, header, below, columns } in tables {
            Table { sheet, header, columns, site }.read(above, below, &mut reading);
        }
        if reading.runs.is_empty() {
            return Err(SEARCH.nothing(source, line).with(reading.diagnostics));
        }
        Ok(reading)
    }
}

/// Time of a row: by the clock, or since the start.
enum Stamp {
    At(ClockTime),
    Elapsed(i64),
}

/// One stream while it is read.
struct Stream {
    name: String,
    first: Option<(Option<ClockTime>, String)>,
    /// Column of the table and its points.
    series: Vec<(usize, PointsBuilder)>,
    events: Vec<Event>,
    status: String,
}

struct Table<'a> {
    sheet: Option<&'a str>,
    header: &'a Row,
    columns: Vec<Column>,
    site: &'a Site,
}

impl Table<'_> {
    fn place(&self, row: &Row, column: usize) -> Place {
        row_place(self.sheet, row, column)
    }
    fn not_read(&self, row: &Row, column: usize, text: &str, why: (&str, &str), reading: &mut Reading) {
        reading.not_read.push(NotRead::new(self.place(row, column), text, why.0, why.1));
    }
    /// Date and time may stand in two columns.
    fn time_text(&self, row: &Row) -> String {
        let cells = self.columns.iter().enumerate().filter(|(_, c)| **c == Column::Time).map(|(i, _)| row.cell(i));
        cells.filter(|c| !c.is_empty()).collect::<Vec<_>>().join(" ")
    }
    fn time_column(&self) -> usize {
        self.columns.iter().position(|c| *c == Column::Time).unwrap_or(0)
    }

    fn read(&self, above: &[Row], below: &[Row], reading: &mut Reading) {
        let mut facts = Fields::new();
        for row in above {
            let (name, value) = (row.cell(0).trim_end_matches(':').trim(), row.cell(1));
            if name.is_empty() || value.is_empty() || row.cells.iter().skip(2).any(|c| !c.trim().is_empty()) {
                self.not_read(row, 0, &row.text(), ("見出しより上の行です", "a line above the header"), reading);
            } else {
                note(&mut facts, name, value);
            }
        }
        let times: Vec<String> = below.iter().map(|row| self.time_text(row)).collect();
        let cells: Vec<&str> = times.iter().map(String::as_str).collect();
        let clocked = cells.iter().any(|t| WallClock::parse(t, DateOrder::YearMonthDay).is_some());
        let place = self.place(self.header, self.time_column());
        let clock =
            clocked.then(|| Clock::for_column(self.site, DateOrder::DayMonthYear, &cells, &place, &mut reading.diagnostics));
        let style = self.style(below);
        let streams = self.rows(below, &times, clock, style, reading);
        let zone = streams.iter().find_map(|s| s.first.as_ref()?.0.as_ref()).and_then(|zero| crate::plate::zone_note(Some(zero)));
        reading.diagnostics.extend(zone);
        self.units(reading);
        reading.runs.extend(streams.into_iter().filter_map(|stream| self.run(stream, &facts)));
    }

    fn style(&self, below: &[Row]) -> NumberStyle {
        let gas = |row| {
            self.columns.iter().enumerate().filter(|(_, c)| matches!(c, Column::Gas(..))).map(move |(i, _)| Row::cell(row, i))
        };
        crate::analyser::number_style(below.iter().flat_map(gas))
    }

    /// Gas columns without a unit are told: a fraction may be one of 1 or of 100.
    fn units(&self, reading: &mut Reading) {
        for (index, _) in self.columns.iter().enumerate().filter(|(_, c)| matches!(c, Column::Gas(found, ..) if *found < 2)) {
            let header = self.header.cell(index);
            if bracketed(header).and_then(|u| Unit::parse(u).ok()).is_none() {
                reading.diagnostics.push(
                    Diagnostic::warning(
                        "W-OFFGAS-001",
                        self.place(self.header, index),
                        format!("列「{header}」に分かる単位がないため、単位を付けていません"),
                        format!("the column \"{header}\" states no unit that is understood; its values have none"),
                    )
                    .remedy("単位（Vol.% など）を含めて書き出してください", "export the table with its units (Vol.% …)"),
                );
            }
        }
    }

    fn rows(
        &self,
        below: &[Row],
        times: &[String],
        clock: Option<Clock<'_>>,
        style: NumberStyle,
        reading: &mut Reading,
    ) -> Vec<Stream> {
        let mut streams: Vec<Stream> = Vec::new();
        let (mut before, mut earlier) = (i64::MIN, Counted::default());
        for (row, text) in below.iter().zip(times) {
            let cut = row.cut_column(self.columns.len());
            if row.open {
                reading.diagnostics.push(open_end(self.place(row, row.cells.len().saturating_sub(1)), cut.is_some()));
            }
            let in_time = cut.is_some_and(|c| self.columns.iter().skip(c).any(|c| *c == Column::Time));
            let stamp = if in_time { None } else { self.stamp(text, clock, row, reading) };
            let Some(stamp) = stamp else {
                self.not_read(
                    row,
                    self.time_column(),
                    &row.text(),
                    ("時刻の読めない行です", "a line without a readable time"),
                    reading,
                );
                continue;
            };
            let t_ns = match &stamp {
                Stamp::At(at) => at.instant.0,
                Stamp::Elapsed(ns) => *ns,
            };
            if t_ns < before {
                earlier.at(row.line);
            }
            let quality = if t_ns < before { OUT_OF_ORDER } else { Quality::GOOD };
            before = before.max(t_ns);
            self.row(row, text, &stamp, (t_ns, quality), cut, style, &mut streams, reading);
        }
        reading.diagnostics.extend(earlier.say(
            "W-OFFGAS-002",
            "時刻が前後する行が % 行あります。印を付けて残しました",
            "time runs backwards at % rows; they are kept and flagged",
        ));
        streams
    }

    fn stamp(&self, text: &str, clock: Option<Clock<'_>>, row: &Row, reading: &mut Reading) -> Option<Stamp> {
        match clock {
            Some(clock) => match clock.when(text, &self.place(row, self.time_column()), &mut reading.diagnostics) {
                When::At(at) => Some(Stamp::At(at)),
                _ => None,
            },
            None => elapsed(text, self.header.cell(self.time_column())).map(Stamp::Elapsed),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one row with what is known of it")]
    fn row(
        &self,
        row: &Row,
        time: &str,
        stamp: &Stamp,
        (t_ns, quality): (i64, Quality),
        cut: Option<usize>,
        style: NumberStyle,
        streams: &mut Vec<Stream>,
        reading: &mut Reading,
    ) {
        let named = |wanted: &Column| self.columns.iter().position(|c| c == wanted).map_or("", |c| row.cell(c));
        let stream = named(&Column::Stream);
        for index in (0..row.cells.len()).filter(|c| !row.cell(*c).is_empty()) {
            let text = row.cell(index);
            match self.columns.get(index).unwrap_or(&Column::Empty) {
                _ if cut == Some(index) => {
                    self.not_read(row, index, text, ("最後の行が途中で切れています", "the last line is cut off here"), reading);
                }
                Column::Gas(_, vessel, _) => {
                    let name = [stream, vessel.as_str()].iter().filter(|n| !n.is_empty()).copied().collect::<Vec<_>>().join(" ");
                    let Some(stream) = stream_of(streams, &name) else {
                        self.not_read(row, index, text, ("系列が多すぎます", "too many streams"), reading);
                        continue;
                    };
                    stream.first.get_or_insert_with(|| (clock_of(stamp), format!("{time} {text}")));
                    match stream.series.iter_mut().find(|(column, _)| *column == index) {
                        Some((_, points)) => drop(points.push_flagged(t_ns, text, quality)),
                        None => {
                            let mut points = PointsBuilder::new(style);
                            points.push_flagged(t_ns, text, quality);
                            stream.series.push((index, points));
                        }
                    }
                }
                Column::Empty | Column::Unknown => {
                    self.not_read(row, index, text, ("見出しのない列の値です", "a value in a column without header"), reading);
                }
                Column::Time | Column::Stream | Column::Status => {}
            }
        }
        let status = named(&Column::Status);
        for of in
            streams.iter_mut().filter(|s| stream.is_empty() || s.name == stream || s.name.starts_with(&format!("{stream} ")))
        {
            if of.status != status {
                status.clone_into(&mut of.status);
                let when = match stamp {
                    Stamp::At(at) => When::At(at.clone()),
                    Stamp::Elapsed(ns) => When::Elapsed(*ns),
                };
                let label = if status.is_empty() { "-" } else { status };
                of.events.push(Event {
                    when,
                    sort: "note".to_owned(),
                    label: label.to_owned(),
                    reason: None,
                    fields: Fields::new(),
                });
            }
        }
    }

    fn run(&self, stream: Stream, facts: &Fields) -> Option<Run> {
        let (zero, mark) = stream.first?;
        let title = if stream.name.is_empty() { "off-gas".to_owned() } else { format!("off-gas {}", stream.name) };
        let mut run = Run::new(format!("off-gas | {} | {mark}", stream.name), title);
        run.zero_is = if zero.is_some() { ZeroTime::FirstPoint } else { ZeroTime::StartOfFile };
        run.zero = zero;
        run.vessel = (!stream.name.is_empty()).then_some(stream.name);
        run.fields.clone_from(facts);
        run.events = stream.events;
        run.channels = stream.series.into_iter().map(|(column, points)| self.channel(column, points.finish())).collect();
        run.simulated = crate::plate::says_simulated(&run);
        Some(run)
    }

    fn channel(&self, index: usize, points: Points) -> Channel {
        let header = self.header.cell(index);
        let raw = bracketed(header);
        let mut channel = Channel::new(header, points);
        channel.unit = raw.and_then(|u| Unit::parse(u).ok());
        channel.raw_unit = raw.map(str::to_owned);
        channel.sampling = Sampling::Periodic;
        if let Some(Column::Gas(found, _, is_inlet)) = self.columns.get(index)
            && let Some((_, variable, origin)) = QUANTITIES.get(*found)
        {
            channel.origin = *origin;
            channel.variable = variable.filter(|_| !is_inlet).map(str::to_owned);
        }
        channel
    }
}

fn clock_of(stamp: &Stamp) -> Option<ClockTime> {
    match stamp {
        Stamp::At(at) => Some(at.clone()),
        Stamp::Elapsed(_) => None,
    }
}

fn stream_of<'s>(streams: &'s mut Vec<Stream>, name: &str) -> Option<&'s mut Stream> {
    let at = match streams.iter().position(|s| s.name == name) {
        Some(at) => at,
        None if streams.len() >= STREAMS_MAX => return None,
        None => {
            let name = name.to_owned();
            streams.push(Stream { name, first: None, series: Vec::new(), events: Vec::new(), status: String::new() });
            streams.len() - 1
        }
    };
    streams.get_mut(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{check_damage, every_cut};
    use proptest::prelude::*;

    const WIDE: &str = "Project;simulated\nDate;Time;R1 O2 [Vol.%];R1 CO2 [Vol.%];R2 O2 [Vol.%];R2 CO2 [Vol.%];R1 pressure [mbar]\n\
        14.03.2026;10:00:00;20,95;0,04;20,90;0,05;1013\n14.03.2026;10:01:00;20,10;0,85;ERR;0,9;1013\n14.03.2026;10:02:00;< 0,1;0,9;20,0;1,0;1012\n";
    const LONG: &str = "Time [h],Stream,O2 in [%],O2 (%),CO2 (%),RQ,Status\n0.0,1,20.95,20.10,0.80,1.0,ok\n0.1,2,20.95,19.50,1.40,1.01,ok\n0.2,1,20.95,19.9,0.95,1.0,dry\n";

    fn read(text: &str) -> Result<Reading> {
        OffGas.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }
    fn values(run: &Run, key: &str) -> Vec<Option<f64>> {
        let points = &run.channels.iter().find(|c| c.key == key).unwrap().points;
        (0..points.len()).map(|i| points.number(i)).collect()
    }

    #[test]
    fn a_run_a_vessel_with_decimal_commas_and_a_date_column() {
        assert!(OffGas.detect(&Source::new("x", WIDE.as_bytes()).unwrap()).is_some());
        let reading = read(WIDE).unwrap();
        assert_eq!((reading.runs.len(), reading.not_read.len()), (2, 0));
        let run = &reading.runs[0];
        assert_eq!((run.vessel.as_deref(), &run.fields["Project"]), (Some("R1"), &"simulated".into()));
        assert_eq!(run.zero.as_ref().unwrap().instant.to_string(), "2026-03-14T10:00:00Z");
        assert_eq!(values(run, "R1 O2 [Vol.%]"), [Some(20.95), Some(20.1), None], "a bound is no number");
        let oxygen = &run.channels[0];
        assert_eq!((oxygen.variable.as_deref(), oxygen.unit.as_ref().map(Unit::code)), (Some("oxygen-fraction"), Some("%{vol}")));
        assert_eq!(oxygen.points.texts, [(2, "< 0,1".to_owned())]);
        assert_eq!(run.channels[2].variable, None, "the pressure is the sensor's");
        assert!(reading.diagnostics.iter().any(|d| d.code == "W-CLOCK-001"), "the zone was assumed");
    }

    #[test]
    fn a_run_a_stream_and_what_the_analyser_remarks() {
        let reading = read(LONG).unwrap();
        let streams: Vec<_> = reading.runs.iter().map(|r| r.vessel.clone().unwrap()).collect();
        assert_eq!(streams, ["1", "2"]);
        assert_eq!(values(&reading.runs[0], "O2 (%)"), [Some(20.1), Some(19.9)]);
        assert_eq!(reading.runs[0].channels[0].variable, None, "inlet gas is not off-gas");
        assert_eq!(reading.runs[0].channels[0].points.t_ns[1], 720_000_000_000);
        let labels: Vec<&str> = reading.runs[0].events.iter().map(|e| e.label.as_str()).collect();
        assert_eq!(labels, ["ok", "dry"]);
    }

    #[test]
    fn general_logs_are_left_alone_and_units_missed() {
        let log = "Time [h],O2 [%],CO2 [%],pH\n0,20,1,7\n";
        assert!(OffGas.detect(&Source::new("x", log.as_bytes()).unwrap()).is_none());
        let bare = read("Time [h],O2,CO2 [%]\n0,20,1\n").unwrap();
        assert_eq!((bare.diagnostics[0].code.as_str(), bare.diagnostics[0].place.column), ("W-OFFGAS-001", Some(2)));
        assert_eq!(column("Carbon dioxide (vol%)"), Column::Gas(1, String::new(), false));
        assert_eq!(column("F-3 CO2 out"), Column::Gas(1, "F 3".to_owned(), false));
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read("\n").unwrap_err().code(), "E-OFFGAS-001");
        assert_eq!(read("a,b\n1,2\n").unwrap_err().code(), "E-OFFGAS-002");
        assert_eq!(read("Time [h],O2 [%],CO2 [%]\n").unwrap_err().code(), "E-OFFGAS-003");
        let odd = read(&LONG.replace("0.1,2", "soon,2")).unwrap();
        assert_eq!((odd.not_read[0].place.line, odd.runs.len()), (Some(3), 1));
        let back = read(&LONG.replace("0.2,1", "0.05,1")).unwrap();
        assert!(back.diagnostics.iter().any(|d| d.code == "W-OFFGAS-002"));
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&OffGas, WIDE);
        every_cut(&OffGas, LONG);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_is_never_silent(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..400, byte in any::<u8>()) {
            check_damage(&OffGas, WIDE, &bytes, at, byte);
            check_damage(&OffGas, LONG, &bytes, at, byte);
        }
    }
}
