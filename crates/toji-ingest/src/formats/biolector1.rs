//! BioLector 1 (m2p-labs): `;` lines, a filter set table, then one line per reading of one well.
//!
//! A run per well, and one for the internal reference. Amplitude and phase are channels per filter set;
//! the environment readings taken with each well reading are channels of that well. Phase is the raw
//! optode angle: without the plate's calibration it is not a pH or a DO, and is not called one.

use super::biolector::{Faults, amplitude_variable, edited, has_head, no_start, optical_channel, start};
use crate::lines::{decimal, elapsed_ns, name_and_unit, split_plain};
use crate::plate::{Follows, OUT_OF_ORDER, Plate, PlateRun, not_read};
use crate::{Evidence, Format, Site, Source};
use std::collections::HashMap;
use toji_core::clock::HOUR_NS;
use toji_core::culture::{Channel, Fields, Instrument, Origin, Points, Reading, Sampling, When};
use toji_core::{ClockTime, Diagnostic, Error, Place, Quality, Result, Text, Unit, variable};

/// The format.
pub(crate) struct BioLector1;

impl Format for BioLector1 {
    fn id(&self) -> &'static str {
        "biolector-1"
    }
    fn label(&self) -> Text {
        Text::new("BioLector 1", "BioLector 1")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() || !has_head(source.bytes(), b"FILE") {
            return None;
        }
        let head: Vec<&str> = source.text().lines().take(60).collect();
        let starts = |word: &str| head.iter().any(|l| l.starts_with(word));
        if starts("FILE NAME;") && starts("PROTOCOL;") {
            return Some(Evidence::new(
                90,
                "BioLection で加工された書き出しの見出し",
                "the header of an export edited by BioLection",
            ));
        }
        let filtersets = starts("FILTERSET;FILTERNAME;");
        let readings = starts("READING;WELLNUM;");
        (starts("FILENAME;") && (filtersets || readings)).then(|| {
            let score = if filtersets && readings { 98 } else { 80 };
            Evidence::new(score, "FILTERSET 表と READING;WELLNUM の見出し", "the FILTERSET table and the READING;WELLNUM header")
        })
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let text = source.text();
        if text.starts_with("FILE NAME;") {
            return Err(edited());
        }
        let header = Header::read(text);
        let Some(columns) = header.columns.as_ref() else {
            return Err(Error::input(
                "E-BIOLECTOR-002",
                "測定の見出し行 READING;WELLNUM;… がありません",
                "the header of the readings, READING;WELLNUM;…, is missing",
            )
            .at(Place::line(header.lines))
            .hint("装置に残る元のファイルを使ってください", "take the original file from the instrument"));
        };
        Ok(read_body(text, &header, columns, site))
    }
}

/// Cells of the readings' header: where each thing stands.
struct Columns<'a> {
    names: Vec<&'a str>,
    well: Option<usize>,
    filterset: Option<usize>,
    time: Option<usize>,
    amplitude: Option<usize>,
    phase: Option<usize>,
    content: Option<usize>,
    description: Option<usize>,
    comments: Option<usize>,
}

impl<'a> Columns<'a> {
    fn read(line: &'a str) -> Self {
        let names: Vec<&str> = line.split(';').map(str::trim).collect();
        let at = |name: &str| names.iter().position(|n| n.starts_with(name));
        Self {
            well: at("WELLNUM"),
            filterset: at("FILTERSET"),
            time: at("TIME"),
            amplitude: at("AMPLITUDE"),
            phase: at("PHASE"),
            content: at("CONTENT"),
            description: at("DESCRIPTION"),
            comments: at("COMMENTS"),
            names,
        }
    }
    /// Columns that are none of the known ones: the environment, whatever this version measures.
    fn environment(&self) -> Vec<usize> {
        let known =
            [self.well, self.filterset, self.time, self.amplitude, self.phase, self.content, self.description, self.comments];
        (1..self.names.len())
            .filter(|i| !known.contains(&Some(*i)) && self.names.get(*i).is_some_and(|n| !n.is_empty()))
            .collect()
    }
}

/// Everything above the readings.
#[derive(Default)]
struct Header<'a> {
    fields: Fields,
    version: Option<&'a str>,
    device: Option<&'a str>,
    protocol: &'a str,
    start: Option<String>,
    filtersets: Vec<HashMap<&'a str, &'a str>>,
    columns: Option<Columns<'a>>,
    lines: u64,
    /// Offset of the first reading in the text.
    body: usize,
}

impl<'a> Header<'a> {
    fn read(text: &'a str) -> Self {
        let mut header = Self::default();
        let mut filter_columns: Option<Vec<&str>> = None;
        for raw in text.split_inclusive('\n') {
            header.lines += 1;
            header.body += raw.len();
            let line = raw.trim_end_matches(['\r', '\n']);
            if line.starts_with("READING;") {
                header.columns = Some(Columns::read(line));
                return header;
            }
            if line.starts_with("FILTERSET;") {
                filter_columns = Some(line.split(';').map(str::trim).collect());
            } else if let Some(columns) = &filter_columns {
                header.filter_row(columns, line);
            } else {
                header.meta_row(line);
            }
        }
        header
    }
    fn meta_row(&mut self, line: &'a str) {
        let cells: Vec<&str> = line.split(';').map(str::trim).collect();
        let (Some(key), Some(first)) = (cells.first().copied().filter(|k| !k.is_empty()), cells.get(1).copied()) else { return };
        let mut pairs = cells.get(2..).unwrap_or_default();
        let mut value = first.to_owned();
        match key {
            "DATE START" | "DATE END" => {
                let time = cells.get(2).copied().unwrap_or("");
                value = format!("{first} {time}").trim().to_owned();
                pairs = cells.get(3..).unwrap_or_default();
                if key == "DATE START" {
                    self.start = Some(value.clone());
                }
            }
            "FILE_VERSION" => self.version = Some(first),
            "DEVICE" => self.device = Some(first),
            "PROTOCOL" => self.protocol = first,
            _ => {}
        }
        self.fields.insert(key.to_owned(), value.into());
        let mut rest = pairs.iter().filter(|c| !c.is_empty());
        while let Some(name) = rest.next() {
            let value = rest.next().copied().unwrap_or("");
            self.fields.insert((*name).to_owned(), value.into());
        }
    }
    fn filter_row(&mut self, columns: &[&'a str], line: &'a str) {
        let cells: Vec<&str> = line.split(';').map(str::trim).collect();
        if cells.first().is_some_and(|c| !c.is_empty()) {
            let named = columns.iter().zip(&cells).filter(|(n, c)| !c.is_empty() && **n != "PROCESS PARAMETER");
            self.filtersets.push(named.map(|(n, c)| (*n, *c)).collect());
        }
        let parameter = columns.iter().position(|c| *c == "PROCESS PARAMETER");
        if let Some(at) = parameter
            && let Some(name) = cells.get(at).filter(|n| !n.is_empty())
        {
            let value = cells.get(at + 1).copied().unwrap_or("");
            self.fields.insert((*name).to_owned(), value.into());
        }
    }
    /// Name of a filter set, made unique where two have the same.
    fn filter_name(&self, index: usize) -> String {
        let name = |f: &HashMap<&str, &str>| f.get("FILTERNAME").copied().unwrap_or("").to_owned();
        let Some(filter) = self.filtersets.get(index) else { return format!("filterset {}", index + 1) };
        let mine = name(filter);
        let number = filter.get("FILTERSET").copied().unwrap_or("");
        match self.filtersets.iter().filter(|f| name(f) == mine).count() {
            0 | 1 if !mine.is_empty() => mine,
            _ => format!("{mine} #{number}"),
        }
    }
    fn start(&self, site: &Site) -> (Option<ClockTime>, Option<Diagnostic>) {
        let Some(raw) = self.start.as_deref() else {
            return (None, Some(no_start("DATE START がありません", "DATE START is missing")));
        };
        start(raw, raw, "DATE START", site)
    }
}

fn channels(header: &Header<'_>, columns: &Columns<'_>) -> Vec<Channel> {
    let mut out = Vec::new();
    for (index, filter) in header.filtersets.iter().enumerate() {
        let fields: Fields = filter.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect();
        let name = header.filter_name(index);
        let variable = amplitude_variable(filter.get("FILTERNAME").copied().unwrap_or(""));
        out.push(optical_channel(format!("{name} amplitude"), variable, "{a.u.}", &fields));
        out.push(optical_channel(format!("{name} phase"), None, "deg", &fields));
    }
    for at in columns.environment() {
        let header = columns.names.get(at).copied().unwrap_or("");
        let (name, unit) = name_and_unit(header);
        let mut channel = Channel::new(header, Points::default());
        // Only what the file measures of the chamber by name is taken for that quantity.
        channel.variable = name.starts_with("ACT ").then(|| variable::find(name)).flatten().map(|(v, _)| v.id.clone());
        channel.unit = unit.and_then(|u| Unit::parse(u).ok());
        channel.raw_unit = unit.map(str::to_owned);
        channel.origin = Origin::Sensor;
        channel.sampling = Sampling::Periodic;
        out.push(channel);
    }
    out
}

struct Body<'a, 'h> {
    plate: Plate<'a>,
    columns: &'h Columns<'a>,
    environment: Vec<usize>,
    filtersets: Vec<&'a str>,
    start: i64,
    faults: Faults,
    cycles: Vec<(&'a str, u64)>,
    reading: Reading,
}

fn read_body<'a>(text: &'a str, header: &Header<'a>, columns: &Columns<'a>, site: &Site) -> Reading {
    let (zero, note) = header.start(site);
    let mut body = Body {
        plate: Plate::new(channels(header, columns), header.filtersets.len()),
        environment: columns.environment(),
        columns,
        filtersets: header.filtersets.iter().map(|f| f.get("FILTERSET").copied().unwrap_or("")).collect(),
        start: zero.as_ref().map_or(0, |z| z.instant.0),
        faults: Faults::default(),
        cycles: Vec::new(),
        reading: Reading::default(),
    };
    let mut cells: Vec<&str> = Vec::new();
    for (line, number) in text.get(header.body..).unwrap_or("").lines().zip(header.lines + 1..) {
        if !line.trim().is_empty() {
            body.line(line, number, &mut cells);
        }
    }
    body.finish(header, zero, note)
}

impl<'a> Body<'a, '_> {
    fn line(&mut self, line: &'a str, number: u64, cells: &mut Vec<&'a str>) {
        split_plain(line, b';', cells);
        let cell = |at: Option<usize>| at.and_then(|i| cells.get(i)).copied().unwrap_or("");
        let sort = cells.first().copied().unwrap_or("");
        let cycle = sort.strip_prefix('C').filter(|c| !c.is_empty() && c.bytes().all(|b| b.is_ascii_digit()));
        let hours = decimal(cell(self.columns.time));
        let t_ns = hours.and_then(|h| elapsed_ns(h, HOUR_NS)).and_then(|ns| self.start.checked_add(ns));
        if cycle.is_none() && !matches!(sort, "R" | "K") {
            self.faults.unknown.at(number);
            self.reading.not_read.push(not_read(number, line, "行の種類が不明です", "unknown sort of line"));
            return;
        }
        let Some(t_ns) = t_ns else {
            self.faults.broken.at(number);
            self.reading.not_read.push(not_read(
                number,
                line,
                "時間が読めません (行が途中で切れています)",
                "no readable time; the line is cut off",
            ));
            return;
        };
        let comment = cell(self.columns.comments);
        let name = cell(self.columns.well);
        let well = self.plate.well(name);
        if sort == "K" {
            let when = self.when(t_ns);
            if let Some(well) = self.plate.get_mut(well) {
                well.event(when, "note", comment);
            }
            return;
        }
        let set = cell(self.columns.filterset);
        let Some(filterset) = self.filtersets.iter().position(|f| *f == set) else {
            self.faults.broken.at(number);
            self.reading.not_read.push(not_read(
                number,
                line,
                "フィルターセットが見出しの表にありません",
                "the filter set is not in the table above",
            ));
            return;
        };
        if let Some(cycle) = cycle {
            match self.cycles.last_mut() {
                Some((last, count)) if *last == cycle => *count += 1,
                _ => self.cycles.push((cycle, 1)),
            }
        }
        let when = self.when(t_ns);
        let Some(well) = self.plate.get_mut(well) else { return };
        let quality = match well.follows(filterset, line, t_ns) {
            Follows::Yes => Quality::GOOD,
            Follows::Earlier => {
                self.faults.earlier.at(number);
                OUT_OF_ORDER
            }
            Follows::Repeats => {
                self.faults.repeated.at(number);
                self.reading.not_read.push(not_read(number, line, "前の行の繰り返しです", "repeats the reading before it"));
                return;
            }
        };
        if !well.described {
            well.described = !cell(self.columns.content).is_empty();
            for (field, at) in [("content", self.columns.content), ("description", self.columns.description)] {
                let text = cell(at);
                if !text.is_empty() {
                    well.fields.insert(field.to_owned(), text.into());
                }
            }
        }
        well.push(2 * filterset, t_ns, cell(self.columns.amplitude), quality);
        well.push(2 * filterset + 1, t_ns, cell(self.columns.phase), quality);
        let first = 2 * self.filtersets.len();
        for (i, at) in self.environment.iter().enumerate() {
            well.push(first + i, t_ns, cell(Some(*at)), quality);
        }
        // The reference repeats its remark in every cycle: once is enough.
        let known = sort == "R" && well.events.iter().any(|e| e.label == comment);
        if !comment.is_empty() && !known {
            well.event(when, "note", comment);
        }
    }
    fn when(&self, t_ns: i64) -> When {
        When::Elapsed(t_ns.saturating_sub(self.start))
    }
    fn finish(self, header: &Header<'_>, zero: Option<ClockTime>, note: Option<Diagnostic>) -> Reading {
        let Self { plate, faults, cycles, mut reading, .. } = self;
        let key = [header.device.unwrap_or(""), header.protocol, header.start.as_deref().unwrap_or("")].join(" | ");
        let common = PlateRun { key, title: header.protocol.to_owned(), zero, fields: header.fields.clone() };
        reading.runs = plate.into_runs(&common);
        reading.format = "biolector-1".into();
        reading.format_version = header.version.map(str::to_owned);
        reading.instrument = Some(Instrument {
            maker: Some("m2p-labs".into()),
            model: Some("BioLector 1".into()),
            serial: header.device.map(str::to_owned),
            ..Instrument::default()
        });
        let is_empty = reading.runs.is_empty();
        reading.diagnostics.extend(note.into_iter().chain(faults.say(&cycles, is_empty.then_some(header.lines))));
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{any_bytes, mutated};
    use proptest::prelude::*;
    use toji_core::culture::{Numbers, Run};
    use toji_core::{Cause, Status, ZoneEvidence};

    const FILE: &str = "FILENAME;\\Disk\\a.csv\r
PROTOCOL;demo\r
FILE_VERSION;3.3;\r
DATE START;2024-05-06;08:00:00\r
DATE END;2024-05-06;09:00:00;;Last Reading;2;Timestamp;1  \r
DEVICE;CX_1\r
USER;op;COMMENT;none\r
PLATETYPE;48-Flowerplate;LOT;1234\r
MTP ROWS;6\r
FILTERSETS;2;REFERENCE_MODE;2;\r
\r
FILTERSET;FILTERNAME;EX [nm];EM [nm];GAIN;REFERENCE VALUE;PROCESS PARAMETER\r
 1;Biomass;620;620;30;179,00;SET TEMPERATURE [°C];30,00\r
 2;pH-hc;486;530;50;;SET O2 [%];20,95\r
\r
READING;WELLNUM;CONTENT;DESCRIPTION;FILTERSET;TIME [h];AMPLITUDE;PHASE;ACT TEMP [°C];ACT O2 [%];COMMENTS;TEMP TABLE\r
R;;;;1;0,00500;390,90;0,0;30,00;20,95;reference with gain 7 ;29,80\r
C1;A01;X1;wild type;1;0,00945;44,10;0,1;28,90;-9999,00;;29,80\r
C1;A02;X2;;1;0,00992;46,31;0,1;28,90;20,95;;29,80\r
C1;A01;X1;wild type;2;0,01100;12,00;51,6;28,90;20,95;;29,80\r
R;;;;1;0,10500;391,00;0,0;30,00;20,95;reference with gain 7 ;29,80\r
C2;A01;X1;wild type;1;0,00900;45,00;0,1;29,00;20,95;;29,80\r
C2;A01;X1;wild type;1;0,00900;45,00;0,1;29,00;20,95;;29,80\r
K;;;;;0,20000;;;;;cover opened;\r
C2;A02;X2;;1;0,3\r
Z;?\r
";

    fn read(text: &str) -> Reading {
        let source = Source::new("x.csv", text.as_bytes()).unwrap();
        let evidence = BioLector1.detect(&source).unwrap();
        assert!(evidence.score > 50);
        BioLector1.read(&source, &Site::default()).unwrap()
    }
    fn run<'r>(reading: &'r Reading, vessel: &str) -> &'r Run {
        reading.runs.iter().find(|r| r.vessel.as_deref() == Some(vessel)).unwrap()
    }

    #[test]
    fn a_run_per_well_with_its_environment() {
        let reading = read(FILE);
        assert_eq!(reading.format_version.as_deref(), Some("3.3"));
        let vessels: Vec<_> = reading.runs.iter().filter_map(|r| r.vessel.as_deref()).collect();
        assert_eq!(vessels, ["reference", "A01", "A02"]);
        let a01 = run(&reading, "A01");
        assert_eq!(a01.key, "CX_1 | demo | 2024-05-06 08:00:00 | A01");
        assert_eq!(a01.fields["description"], "wild type");
        assert_eq!(a01.fields["SET O2 [%]"], "20,95");
        assert_eq!(a01.fields["LOT"], "1234");
        let keys: Vec<_> = a01.channels.iter().map(|c| c.key.as_str()).collect();
        let all =
            ["Biomass amplitude", "Biomass phase", "pH-hc amplitude", "pH-hc phase", "ACT TEMP [°C]", "ACT O2 [%]", "TEMP TABLE"];
        assert_eq!(keys, all);
        let biomass = &a01.channels[0];
        assert_eq!(biomass.points.numbers, Numbers::Scaled { scale: 2, mantissa: vec![4410, 4500] });
        assert_eq!((biomass.variable.as_deref(), biomass.fields["GAIN"].as_str()), (Some("backscatter"), Some("30")));
        assert_eq!(a01.channels[3].variable, None, "a raw phase is not a pH");
        let zero = a01.zero.as_ref().unwrap();
        assert_eq!((zero.instant.to_string().as_str(), zero.evidence), ("2024-05-06T08:00:00Z", ZoneEvidence::Assumed));
        assert_eq!(biomass.points.t_ns[0] - zero.instant.0, 34_020_000_000);
    }

    #[test]
    fn repeated_backward_absent_and_cut_lines_are_told() {
        let reading = read(FILE);
        let a01 = run(&reading, "A01");
        let quality = |channel: usize, i: usize| Quality::unpack(a01.channels[channel].points.quality[i]).unwrap();
        assert_eq!(quality(0, 1).cause, Cause::OutOfOrder);
        assert_eq!((quality(5, 0).status, quality(5, 1).status), (Status::Bad, Status::Good), "-9999 is an absent sensor");
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        for code in ["W-CLOCK-001", "W-BIOLECTOR-002", "W-BIOLECTOR-003", "W-BIOLECTOR-004"] {
            assert!(codes.contains(&code), "{code} in {codes:?}");
        }
        assert_eq!(reading.not_read.len(), 2);
        assert_eq!(reading.not_read[0].place.line, Some(23));
        let reference = run(&reading, "reference");
        let labels: Vec<_> = reference.events.iter().map(|e| e.label.as_str()).collect();
        assert_eq!(labels, ["reference with gain 7", "cover opened"]);
    }

    #[test]
    fn an_edited_file_is_refused_and_a_headless_one_too() {
        let edited = Source::new("x.csv", b"FILE NAME;a\nPROTOCOL;b\n").unwrap();
        assert!(BioLector1.detect(&edited).unwrap().score > 50);
        assert_eq!(BioLector1.read(&edited, &Site::default()).unwrap_err().code(), "E-BIOLECTOR-001");
        let head: String = FILE.lines().take(15).map(|l| format!("{l}\n")).collect();
        let source = Source::new("x.csv", head.as_bytes()).unwrap();
        assert_eq!(BioLector1.read(&source, &Site::default()).unwrap_err().code(), "E-BIOLECTOR-002");
    }

    proptest! {
        #[test]
        fn damage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..1600, at in 0usize..1600, junk in "\\PC{0,6}") {
            any_bytes(&BioLector1, &bytes);
            mutated(&BioLector1, FILE, cut, at, &junk);
        }
    }
}
