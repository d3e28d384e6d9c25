//! BioLector II, Pro and XT: `=====section=====` headings with `[key] value` lines, then one `;` table
//! whose rows are typed by their first cell: M measurement, R reference, P parameters, C comment,
//! F fluidics, N valves.
//!
//! A run per well with its optics and environment; what the device measures of itself (positions,
//! pressures, LED temperature), the reference and the comments are one more run. Calibrations of the
//! optodes stay in the well's fields.

use super::biolector::{Faults, amplitude_variable, edited, has_head, optical_channel, start};
use crate::lines::{decimal, elapsed_ns, split_plain};
use crate::plate::{Follows, OUT_OF_ORDER, Plate, PlateRun, not_read};
use crate::{Evidence, Format, Site, Source};
use std::collections::HashMap;
use toji_core::clock::SECOND_NS;
use toji_core::culture::{Channel, Fields, Instrument, Origin, Points, Reading, Sampling, When};
use toji_core::{ClockTime, Diagnostic, Error, Place, Quality, Result, Text, Unit};

/// The format.
pub(crate) struct BioLectorPro;

/// The table's columns where a file has lost its own header line.
const HEADER: &str = "Type;Cycle;Well;Filterset;Time;Amp_1;Amp_2;AmpRef_1;AmpRef_2;Phase;Cal;Temp_up;Temp_down;Temp_water;O2;CO2;Humidity;Shaker;Service;User_Comment;Sys_Comment";
/// What a filter set measures in a well.
const OPTICS: [&str; 6] = ["Amp_1", "Amp_2", "AmpRef_1", "AmpRef_2", "Phase", "Cal"];
/// What surrounds the wells: column, variable, unit of the instrument (the file states none).
const ENVIRONMENT: [(&str, Option<&str>, &str); 7] = [
    ("Temp_up", Some("temperature"), "Cel"),
    ("Temp_down", Some("temperature"), "Cel"),
    ("Temp_water", None, "Cel"),
    ("O2", Some("oxygen-fraction"), "%"),
    ("CO2", Some("co2-fraction"), "%"),
    ("Humidity", Some("humidity"), "%{RH}"),
    ("Shaker", Some("shaker-speed"), "rpm"),
];
/// What is dosed into a well.
const FLUIDICS: [&str; 2] = ["Reservoir", "MF_Volume"];

impl Format for BioLectorPro {
    fn id(&self) -> &'static str {
        "biolector-pro"
    }
    fn label(&self) -> Text {
        Text::new("BioLector II / Pro / XT", "BioLector II / Pro / XT")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() || !has_head(source.bytes(), b"=====") {
            return None;
        }
        let head: Vec<&str> = source.text().lines().take(80).collect();
        let first = head.first().copied().unwrap_or("");
        let has = |key: &str| head.iter().any(|l| l.starts_with(key));
        let known = ["[hardware_id]", "[start_date_time]", "[biolection_version]", "[mtp]", "[no_filterset]"]
            .iter()
            .filter(|k| has(k))
            .count();
        let score = match (first.contains("process") || first.contains("parameters"), known) {
            (_, 3..) => 97,
            (true, 1..) => 80,
            _ => return None,
        };
        Some(Evidence::new(
            score,
            "=====process===== と [hardware_id] などの行",
            "=====process===== and lines such as [hardware_id]",
        ))
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let text = source.text();
        let header = Header::read(text);
        if header.first_section == "parameters" {
            return Err(edited());
        }
        if !header.has_data {
            return Err(Error::input(
                "E-BIOLECTOR-003",
                "=====data===== の節がありません",
                "the section =====data===== is missing",
            )
            .at(Place::line(header.lines))
            .hint("装置に残る元のファイルを使ってください", "take the original file from the instrument"));
        }
        Ok(read_body(text, &header, site))
    }
}

/// Everything above the table.
#[derive(Default)]
struct Header<'a> {
    fields: Fields,
    first_section: &'a str,
    filtersets: Vec<(u32, HashMap<&'a str, &'a str>)>,
    /// Name of a well by its number.
    wells: HashMap<&'a str, &'a str>,
    /// Further facts by well number.
    facts: HashMap<&'a str, Vec<(&'a str, &'a str)>>,
    has_data: bool,
    lines: u64,
    body: usize,
}

/// `[001_02_fmin_a] 64.5` as key and value.
fn key_value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.strip_prefix('[')?.split_once(']')?;
    Some((key.trim(), value.trim()))
}

/// A leading number of so many digits before an underscore, and the rest.
fn numbered(key: &str, digits: usize) -> Option<(&str, &str)> {
    let (number, rest) = key.split_once('_')?;
    (number.len() == digits && number.bytes().all(|b| b.is_ascii_digit())).then_some((number, rest))
}

impl<'a> Header<'a> {
    fn read(text: &'a str) -> Self {
        let mut header = Self::default();
        for raw in text.split_inclusive('\n') {
            header.lines += 1;
            header.body += raw.len();
            let line = raw.trim();
            if line.starts_with('=') {
                let name = line.trim_matches('=').trim();
                if header.first_section.is_empty() {
                    header.first_section = name;
                }
                if name == "data" {
                    header.has_data = true;
                    return header;
                }
            } else if let Some((key, value)) = key_value(line) {
                header.entry(key, value);
            }
        }
        header
    }
    fn entry(&mut self, key: &'a str, value: &'a str) {
        if let Some((number, rest)) = numbered(key, 3) {
            match rest {
                "well" => {
                    self.wells.insert(number, value);
                }
                _ if value.is_empty() => {}
                _ => self.facts.entry(number).or_default().push((rest, value)),
            }
        } else if let Some((number, rest)) = numbered(key, 2) {
            self.filter_entry(number.parse().unwrap_or(0), rest, value);
        } else if !value.is_empty() {
            self.fields.insert(key.to_owned(), value.into());
        }
    }
    fn filter_entry(&mut self, number: u32, key: &'a str, value: &'a str) {
        let at = self.filtersets.iter().position(|f| f.0 == number).unwrap_or_else(|| {
            self.filtersets.push((number, HashMap::new()));
            self.filtersets.len() - 1
        });
        // `reference_value_Biomass` and `gain_pH(HP8)` repeat the filter's name.
        let key = ["reference_value", "reference_gain", "gain_1", "gain_2", "gain"]
            .into_iter()
            .find(|k| key.starts_with(k))
            .unwrap_or(key);
        if let Some((_, filter)) = self.filtersets.get_mut(at) {
            filter.insert(key, value);
        }
    }
    fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(serde_json::Value::as_str).unwrap_or("")
    }
    fn filter_name(&self, index: usize) -> String {
        let name = |f: &HashMap<&str, &str>| f.get("name").copied().unwrap_or("").to_owned();
        let Some((number, filter)) = self.filtersets.get(index) else { return String::new() };
        let mine = name(filter);
        match self.filtersets.iter().filter(|(_, f)| name(f) == mine).count() {
            0 | 1 if !mine.is_empty() => mine,
            _ => format!("{mine} #{number}"),
        }
    }
    fn start(&self, site: &Site) -> (Option<ClockTime>, Option<Diagnostic>) {
        let raw = self.text("start_date_time").replace(',', " ");
        start(&raw.split_whitespace().collect::<Vec<_>>().join(" "), &raw, "start_date_time", site)
    }
    /// Channels: the optics of each filter set, the environment, the fluidics, then the device's own columns.
    fn channels(&self, names: &[&str]) -> (Vec<Channel>, Vec<Target>) {
        let mut channels = Vec::new();
        for (index, (_, filter)) in self.filtersets.iter().enumerate() {
            let name = self.filter_name(index);
            let fields: Fields = filter.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect();
            let kind = filter.get("filter_type").copied().unwrap_or("");
            for optic in OPTICS {
                channels.push(optic_channel(&name, filter.get("name").copied().unwrap_or(""), kind, optic, &fields));
            }
        }
        let targets = names
            .iter()
            .map(|name| match *name {
                "Type" | "Cycle" | "Well" | "Filterset" | "Time" | "User_Comment" | "Sys_Comment" | "" => Target::None,
                n => {
                    if let Some(optic) = OPTICS.iter().position(|o| *o == n) {
                        return Target::Optic(optic);
                    }
                    channels.push(plain_channel(n));
                    let at = channels.len() - 1;
                    match () {
                        () if ENVIRONMENT.iter().any(|e| e.0 == n) => Target::Environment(at),
                        () if FLUIDICS.contains(&n) => Target::Fluidics(at),
                        () => Target::Device(at),
                    }
                }
            })
            .collect();
        (channels, targets)
    }
}

fn optic_channel(name: &str, filter: &str, kind: &str, optic: &str, fields: &Fields) -> Channel {
    let (variable, unit) = match (optic, kind) {
        ("Phase", _) => (None, "deg"),
        ("Cal", "pH") => (Some("ph".to_owned()), "[pH]"),
        ("Cal", "DO") => (Some("dissolved-oxygen".to_owned()), "%{sat}"),
        ("Cal", _) => (None, "{a.u.}"),
        ("AmpRef_1", "Intensity") => (amplitude_variable(filter), "{a.u.}"),
        _ => (None, "{a.u.}"),
    };
    let mut channel = optical_channel(format!("{name} {optic}"), variable, unit, fields);
    if optic == "Cal" || optic.starts_with("AmpRef") {
        channel.origin = Origin::Calculated;
    }
    channel
}

fn plain_channel(name: &str) -> Channel {
    let mut channel = Channel::new(name, Points::default());
    channel.origin = Origin::Sensor;
    channel.sampling = Sampling::Periodic;
    if let Some((_, variable, unit)) = ENVIRONMENT.iter().find(|e| e.0 == name) {
        channel.variable = variable.map(str::to_owned);
        channel.unit = Unit::parse(unit).ok();
    }
    channel
}

/// Where a cell of the table goes.
#[derive(Clone, Copy)]
enum Target {
    None,
    Optic(usize),
    Environment(usize),
    Fluidics(usize),
    Device(usize),
}

struct Body<'a, 'h> {
    header: &'h Header<'a>,
    plate: Plate<'a>,
    targets: Vec<Target>,
    comments: [Option<usize>; 2],
    start: i64,
    last_ns: i64,
    faults: Faults,
    cycles: Vec<(&'a str, u64)>,
    reading: Reading,
}

fn read_body<'a>(text: &'a str, header: &Header<'a>, site: &Site) -> Reading {
    let body_text = text.get(header.body..).unwrap_or("");
    let table_header = body_text.lines().next().filter(|l| l.starts_with("Type;")).unwrap_or(HEADER);
    let names: Vec<&str> = table_header.split(';').map(str::trim).collect();
    let (channels, targets) = header.channels(&names);
    let (zero, note) = header.start(site);
    let start = zero.as_ref().map_or(0, |z| z.instant.0);
    let at = |name: &str| names.iter().position(|n| *n == name);
    let mut body = Body {
        header,
        plate: Plate::new(channels, header.filtersets.len()),
        targets,
        comments: [at("User_Comment"), at("Sys_Comment")],
        start,
        last_ns: start,
        faults: Faults::default(),
        cycles: Vec::new(),
        reading: Reading::default(),
    };
    let mut cells: Vec<&str> = Vec::new();
    for (line, number) in body_text.lines().zip(header.lines + 1..) {
        let line = line.trim_end();
        // Headings, the header again and the end time stand between the rows of some files.
        if line.is_empty() || line.starts_with('=') || line.starts_with("Type;") {
            continue;
        }
        match key_value(line) {
            Some(("end_date_time", _)) => {}
            Some((key, value)) => {
                let text = format!("[{key}] {value}");
                body.reading.not_read.push(not_read(number, &text, "測定の後に書かれた項目です", "an entry below the readings"));
            }
            None => body.line(line, number, &mut cells),
        }
    }
    body.finish(zero, note)
}

impl<'a> Body<'a, '_> {
    fn line(&mut self, line: &'a str, number: u64, cells: &mut Vec<&'a str>) {
        split_plain(line, b';', cells);
        let cell = |i: usize| cells.get(i).copied().unwrap_or("");
        let sort = cell(0);
        if sort.len() != 1 || line.bytes().any(|b| b < b' ' && b != b'\t') {
            self.faults.broken.at(number);
            self.reading.not_read.push(not_read(number, line, "壊れた行です", "a damaged line"));
            return;
        }
        if sort == "N" {
            self.device_event("valve", &line.replace(';', " "));
            return;
        }
        let Some(t_ns) = decimal(cell(4)).and_then(|s| elapsed_ns(s, SECOND_NS)).and_then(|ns| self.start.checked_add(ns)) else {
            self.faults.broken.at(number);
            self.reading.not_read.push(not_read(number, line, "時間が読めません", "the time is not readable"));
            return;
        };
        self.last_ns = t_ns;
        match sort {
            "C" => {
                for at in self.comments.into_iter().flatten() {
                    let text = cells.get(at).copied().unwrap_or("");
                    if !text.is_empty() {
                        self.device_event("note", text);
                    }
                }
            }
            "M" | "R" | "P" | "F" => self.values(sort, line, number, t_ns, cells),
            _ => {
                self.faults.unknown.at(number);
                self.reading.not_read.push(not_read(number, line, "行の種類が不明です", "unknown sort of line"));
            }
        }
    }
    fn device_event(&mut self, sort: &str, label: &str) {
        let when = When::Elapsed(self.last_ns.saturating_sub(self.start));
        let device = self.plate.well("");
        if let Some(device) = self.plate.get_mut(device) {
            device.event(when, sort, label);
        }
    }
    fn values(&mut self, sort: &str, line: &'a str, number: u64, t_ns: i64, cells: &[&'a str]) {
        let cell = |i: usize| cells.get(i).copied().unwrap_or("");
        let name = if matches!(sort, "M" | "F") { self.header.wells.get(cell(2)).copied().unwrap_or(cell(2)) } else { "" };
        let filterset = cell(3).parse::<u32>().ok().and_then(|n| self.header.filtersets.iter().position(|f| f.0 == n));
        if filterset.is_none() && matches!(sort, "M" | "R") {
            self.faults.broken.at(number);
            self.reading.not_read.push(not_read(
                number,
                line,
                "フィルターセットが見出しにありません",
                "the filter set is not in the header",
            ));
            return;
        }
        let device = self.plate.well("");
        let well = self.plate.well(name);
        let mut quality = Quality::GOOD;
        if let (Some(filterset), Some(well)) = (filterset, self.plate.get_mut(well)) {
            match well.follows(filterset, line, t_ns) {
                Follows::Yes => {}
                Follows::Earlier => {
                    self.faults.earlier.at(number);
                    quality = OUT_OF_ORDER;
                }
                Follows::Repeats => {
                    self.faults.repeated.at(number);
                    self.reading.not_read.push(not_read(number, line, "前の行の繰り返しです", "repeats the reading before it"));
                    return;
                }
            }
        }
        if sort == "M" {
            let cycle = cell(1);
            match self.cycles.last_mut() {
                Some((last, count)) if *last == cycle => *count += 1,
                _ => self.cycles.push((cycle, 1)),
            }
        }
        for (target, cell) in self.targets.iter().zip(cells) {
            let (owner, column) = match *target {
                _ if cell.is_empty() => continue,
                Target::None => continue,
                Target::Optic(optic) => match filterset {
                    Some(filterset) => (well, filterset * OPTICS.len() + optic),
                    None => continue,
                },
                Target::Environment(column) | Target::Fluidics(column) => (well, column),
                Target::Device(column) => (device, column),
            };
            if let Some(owner) = self.plate.get_mut(owner) {
                owner.push(column, t_ns, cell, quality);
            }
        }
        if cells.len() > self.targets.len() + 1 {
            self.faults.broken.at(number);
            let surplus = cells.get(self.targets.len()..).unwrap_or_default().join(";");
            self.reading.not_read.push(not_read(number, &surplus, "見出しより多い欄です", "cells beyond the header"));
        }
    }
    fn finish(self, zero: Option<ClockTime>, note: Option<Diagnostic>) -> Reading {
        let Self { header, mut plate, faults, cycles, mut reading, .. } = self;
        for (number, facts) in &header.facts {
            let name = header.wells.get(number).copied().unwrap_or(number);
            let well = plate.well(name);
            if let Some(well) = plate.get_mut(well) {
                well.fields.extend(facts.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())));
            }
        }
        let key = [header.text("hardware_id"), header.text("name"), header.text("start_date_time")].join(" | ");
        let common = PlateRun { key, title: header.text("name").to_owned(), zero, fields: header.fields.clone() };
        reading.runs = plate.into_runs(&common);
        reading.format = "biolector-pro".into();
        let text = |key: &str| Some(header.text(key).to_owned()).filter(|t| !t.is_empty());
        reading.format_version = text("file_version_number");
        reading.instrument = Some(Instrument {
            maker: Some("m2p-labs / Beckman Coulter".into()),
            model: Some("BioLector II / Pro / XT".into()),
            serial: text("hardware_id"),
            software: Some("BioLection".into()),
            software_version: text("biolection_version"),
        });
        let empty = cycles.is_empty().then_some(header.lines);
        reading.diagnostics.extend(note.into_iter().chain(faults.say(&cycles, empty)));
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{any_bytes, mutated};
    use proptest::prelude::*;
    use toji_core::culture::{Numbers, Run};
    use toji_core::{Cause, Status};

    const FILE: &str = "=====process=====
[process] 19
[start_date_time] 2024-05-06, 08:00:00
[hardware_id] B2-1
[file_version_number] 0.0.0
[01_reference_value_Biomass] 242.8
[02_gain_pH(HP8)] 7
=====protocol=====
[name] demo
[biolection_version] 3.18
[no_filterset] 2
===== measurement channels =====
[01_no] 1
[01_name] Biomass
[01_filter_type] Intensity
[01_gain_1] 3
[02_name] pH(HP8)
[02_filter_type] pH
===== fermentation =====
[001_well] A01
[001_content] X1
[001_description]
[001_02_cal-mode] PH
[001_02_fmin_a] 64.5
[002_well] A02

=====data=====
Type;Cycle;Well;Filterset;Time;Amp_1;Amp_2;AmpRef_1;AmpRef_2;Phase;Cal;Temp_up;Temp_down;Temp_water;O2;CO2;Humidity;Shaker;Service;User_Comment;Sys_Comment;Reservoir;MF_Volume;X-Pos
C;0001;;;2;;;;;;;;;;;;;;;;COVER CLOSED;;;
P;0001;;;3;;;;;;;30.00;30.10;30.20;20.44;-9999.00;67.97;799;;;;;;1.5;
R;0001;;01;36;229.18;0.00;;;;;30.00;30.10;30.20;20.44;-9999.00;68.94;1300;2645.87
M;0001;001;01;38;20.68;0.00;21.92;0.00;-1.91;0.00;30.00;30.10;30.20;20.44;-9999.00;69.01;1299;;;;;;-103.5
M;0001;001;02;40;5.00;0.00;5.10;0.00;55.20;6.95;30.00;30.10;30.20;20.44;-9999.00;69.01;1299;;;;;;-103.5
M;0001;002;01;42;1.2.3;0.00;21.92;0.00;-1.91;0.00;30.00;30.10;30.20;20.44;-9999.00;69.01;1299;;;;;;-90.5
M;0002;001;01;30;21.00;0.00;22.00;0.00;-1.91;0.00;30.00;30.10;30.20;20.44;-9999.00;69.01;1299;;;;;;-103.5
M;0002;001;01;30;21.00;0.00;22.00;0.00;-1.91;0.00;30.00;30.10;30.20;20.44;-9999.00;69.01;1299;;;;;;-103.5
F;0002;001;;50;;;;;;;;;;;;;;;;;7;12.5;
N;0002;Valve 1;Well 1;Acid 0.1
M;00\u{10}02;001
=====end_process=====
[end_date_time] 2024-05-06, 09:00:00
";

    fn read(text: &str) -> Result<Reading> {
        let source = Source::new("x.csv", text.as_bytes()).unwrap();
        BioLectorPro.read(&source, &Site::default())
    }
    fn run<'r>(reading: &'r Reading, vessel: &str) -> &'r Run {
        reading.runs.iter().find(|r| r.vessel.as_deref() == Some(vessel)).unwrap()
    }

    #[test]
    fn wells_have_optics_and_environment_and_the_device_the_rest() {
        assert!(BioLectorPro.detect(&Source::new("x", FILE.as_bytes()).unwrap()).unwrap().score > 50);
        let reading = read(FILE).unwrap();
        let a01 = run(&reading, "A01");
        assert_eq!(a01.key, "B2-1 | demo | 2024-05-06, 08:00:00 | A01");
        assert_eq!((a01.fields["content"].as_str(), a01.fields["02_fmin_a"].as_str()), (Some("X1"), Some("64.5")));
        let channel = |run: &Run, key: &str| run.channels.iter().find(|c| c.key == key).unwrap().clone();
        let biomass = channel(a01, "Biomass AmpRef_1");
        assert_eq!(biomass.points.numbers, Numbers::Scaled { scale: 2, mantissa: vec![2192, 2200] });
        assert_eq!(
            (biomass.variable.as_deref(), biomass.fields["reference_value"].as_str()),
            (Some("backscatter"), Some("242.8"))
        );
        let ph = channel(a01, "pH(HP8) Cal");
        assert_eq!((ph.variable.as_deref(), ph.points.number(0), ph.origin), (Some("ph"), Some(6.95), Origin::Calculated));
        assert_eq!(channel(a01, "MF_Volume").points.number(0), Some(12.5));
        assert_eq!(ph.points.t_ns[0] - a01.zero.as_ref().unwrap().instant.0, 40_000_000_000);
        let co2 = channel(a01, "CO2");
        assert_eq!(Quality::unpack(co2.points.quality[0]).unwrap().status, Status::Bad, "-9999 is an absent sensor");
        let device = run(&reading, "reference");
        assert_eq!(channel(device, "X-Pos").points.len(), 5, "one parameter row, four readings");
        assert_eq!(channel(device, "Biomass Amp_1").points.number(0), Some(229.18));
        let labels: Vec<_> = device.events.iter().map(|e| e.label.as_str()).collect();
        assert_eq!(labels, ["COVER CLOSED", "N 0002 Valve 1 Well 1 Acid 0.1"]);
    }

    #[test]
    fn damaged_repeated_and_backward_rows_are_told() {
        let reading = read(FILE).unwrap();
        let a02 = run(&reading, "A02");
        assert_eq!(a02.channels[0].points.texts, [(0, "1.2.3".to_owned())]);
        let a01 = run(&reading, "A01");
        assert_eq!(Quality::unpack(a01.channels[0].points.quality[1]).unwrap().cause, Cause::OutOfOrder);
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        for code in ["W-CLOCK-001", "W-BIOLECTOR-001", "W-BIOLECTOR-003", "W-BIOLECTOR-004", "N-BIOLECTOR-005"] {
            assert!(codes.contains(&code), "{code} in {codes:?}");
        }
        assert_eq!(reading.not_read.len(), 2);
    }

    #[test]
    fn edited_and_headless_files_are_refused() {
        let edited = FILE.replacen("=====process=====", "=====parameters=====", 1);
        assert!(BioLectorPro.detect(&Source::new("x", edited.as_bytes()).unwrap()).unwrap().score > 50);
        assert_eq!(read(&edited).unwrap_err().code(), "E-BIOLECTOR-001");
        assert_eq!(read(FILE.split("=====data=====").next().unwrap()).unwrap_err().code(), "E-BIOLECTOR-003");
    }

    proptest! {
        #[test]
        fn damage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..2600, at in 0usize..2600, junk in "\\PC{0,6}") {
            any_bytes(&BioLectorPro, &bytes);
            mutated(&BioLectorPro, FILE, cut, at, &junk);
        }
    }
}
