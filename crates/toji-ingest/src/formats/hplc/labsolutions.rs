//! Shimadzu LabSolutions (and LCsolution) text: sections in square brackets, one block of them a data
//! file, several blocks one after the other.
//!
//! `[Compound Results(…)]` holds the results. LabSolutions writes a concentration of 0 and no name where
//! nothing was calibrated; only rows with a compound's name are results. The peaks of
//! `[Peak Table(…)]` stay with the sample as they are. Chromatograms are raw traces and listed as not
//! read. No section states the unit of the concentration unless the table has a column for it.

use super::variable_of;
use crate::analyser::{Clock, UnitSource, fits, header_key, note, number_style, result};
use crate::analyser_file::{open_end, refusal};
use crate::delimited::{Row, rows};
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use serde_json::Value as Json;
use toji_core::clock::DateOrder;
use toji_core::culture::{Assay, Instrument, NotRead, Reading, Sample, When};
use toji_core::{Diagnostic, Place, Result, Text, Value, ValueKind};

/// The format.
pub(crate) struct LabSolutions;

/// Characters looked at when a text is asked whether it is of this format.
const HEAD_CHARS: usize = 4000;
/// Most rows of peaks kept with a sample.
const PEAKS_MAX: usize = 10_000;

/// One section with its lines.
struct Section<'a> {
    name: &'a str,
    line: u64,
    rows: &'a [Row],
}

fn section_name(row: &Row) -> Option<&str> {
    let first = row.cell(0);
    let alone = row.cells.iter().skip(1).all(|c| c.trim().is_empty());
    first.strip_prefix('[').and_then(|n| n.strip_suffix(']')).filter(|n| alone && !n.is_empty())
}

fn sections(all: &[Row]) -> Vec<Section<'_>> {
    let starts: Vec<usize> = all.iter().enumerate().filter(|(_, row)| section_name(row).is_some()).map(|(i, _)| i).collect();
    let end = |n: usize| starts.get(n + 1).copied().unwrap_or(all.len());
    let section = |(n, start): (usize, &usize)| {
        let row = all.get(*start)?;
        Some(Section { name: section_name(row)?, line: row.line, rows: all.get(start + 1..end(n))? })
    };
    starts.iter().enumerate().filter_map(section).collect()
}

/// The separator: the one behind the first name of the first section.
fn separator(text: &str) -> char {
    let second = text.lines().find(|l| !l.trim().is_empty() && !l.trim_start().starts_with('[')).unwrap_or("");
    if second.contains('\t') { '\t' } else { crate::delimited::sniff(second) }
}

impl Format for LabSolutions {
    fn id(&self) -> &'static str {
        "shimadzu-labsolutions"
    }
    fn label(&self) -> Text {
        Text::new("Shimadzu LabSolutions（ASCII）", "Shimadzu LabSolutions (ASCII)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() {
            return None;
        }
        let head: String = source.text().trim_start().chars().take(HEAD_CHARS).collect();
        let named = ["LabSolutions", "LCsolution", "GCsolution"].iter().any(|n| head.contains(n));
        let shaped = head.starts_with("[Header]") && head.contains("[Sample Information]");
        (shaped && (named || head.contains("[File Information]"))).then(|| {
            Evidence::new(
                96,
                "[Header]・[Sample Information] の節があります",
                "it has the sections [Header] and [Sample Information]",
            )
        })
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let text = source.text();
        let all = rows(text, separator(text), true);
        if all.is_empty() {
            return Err(refusal(source, "E-LABSOLUTIONS-001", Place::line(1), "ファイルが空です", "the file is empty"));
        }
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        let sections = sections(&all);
        let first = sections.first().map_or(u64::MAX, |s| s.line);
        for row in all.iter().take_while(|row| row.line < first) {
            let (ja, en) = ("最初の節より上の行です", "a line above the first section");
            reading.not_read.push(NotRead::new(row.place(0), &row.text(), ja, en));
        }
        let starts: Vec<usize> =
            sections.iter().enumerate().filter(|(i, s)| *i == 0 || s.name == "Header").map(|(i, _)| i).collect();
        for (n, start) in starts.iter().enumerate() {
            let end = starts.get(n + 1).copied().unwrap_or(sections.len());
            block(sections.get(*start..end).unwrap_or_default(), site, &mut reading);
        }
        if let Some(last) = all.last().filter(|row| row.open) {
            reading.diagnostics.push(open_end(last.place(last.cells.len().saturating_sub(1)), false));
        }
        if reading.samples.iter().all(|s| s.assays.is_empty()) {
            let (ja, en) = (
                "[Compound Results] の節に成分の結果がありません",
                "there are no results of compounds in a section [Compound Results]",
            );
            return Err(refusal(source, "E-LABSOLUTIONS-002", Place::line(1), ja, en).with(reading.diagnostics));
        }
        Ok(reading)
    }
}

/// The sections of one data file.
fn block(sections: &[Section<'_>], site: &Site, reading: &mut Reading) {
    let mut sample =
        Sample { key: String::new(), run: None, when: When::Unknown, fields: Default::default(), assays: Vec::new() };
    for section in sections {
        let kind = section.name.split('(').next().unwrap_or("").trim();
        match kind {
            "Header" => header(section, &mut sample, reading),
            "Sample Information" => information(section, site, &mut sample, reading),
            "Compound Results" => {}
            "Peak Table" => peaks(section, &mut sample, reading),
            _ if kind.contains("Chromatogram") || kind.contains("Status Trace") || kind.contains("3D") => {
                let (ja, en) = ("クロマトグラムなどの生データは読みません", "raw traces such as chromatograms are not read");
                let text = format!("[{}] {} lines", section.name, section.rows.len());
                reading.not_read.push(NotRead::new(Place::line(section.line), &text, ja, en));
            }
            _ => facts(section, &mut sample, reading),
        }
    }
    for section in sections.iter().filter(|s| s.name.starts_with("Compound Results")) {
        compounds(section, &mut sample, reading);
    }
    if sample.when == When::Unknown {
        let line = sections.first().map_or(1, |s| s.line);
        let (ja, en) = ("分析日時（Acquired）がありません", "there is no time of acquisition (Acquired)");
        reading.diagnostics.push(
            Diagnostic::warning("W-LABSOLUTIONS-001", Place::line(line), ja, en)
                .remedy("Sample Information の節を含めて書き出してください", "export the section Sample Information too"),
        );
    }
    reading.samples.push(sample);
}

fn header(section: &Section<'_>, sample: &mut Sample, reading: &mut Reading) {
    for row in section.rows {
        match (header_key(row.cell(0)).as_str(), row.cell(1)) {
            (_, "") => {}
            ("applicationname", name) => set(reading, |i| i.software = Some(name.to_owned())),
            ("version", version) => set(reading, |i| i.software_version = Some(version.to_owned())),
            ("datafilename", file) => note(&mut sample.fields, "data-file", file),
            ("outputdate", date) => note(&mut sample.fields, "exported", date),
            ("outputtime", time) => {
                let date = sample.fields.get("exported").and_then(Json::as_str).unwrap_or("").to_owned();
                note(&mut sample.fields, "exported", format!("{date} {time}").trim());
            }
            (_, value) => note(&mut sample.fields, row.cell(0), value),
        }
        further(row, reading);
    }
}

fn information(section: &Section<'_>, site: &Site, sample: &mut Sample, reading: &mut Reading) {
    for row in section.rows {
        let value = row.cell(1);
        let name = match header_key(row.cell(0)).as_str() {
            "samplename" => {
                value.clone_into(&mut sample.key);
                continue;
            }
            "acquired" => {
                // `21.2.2012. 13:16:57`: a point behind the year, as some systems write dates.
                let stamp = value.replace(". ", " ");
                let clock = Clock::for_column(site, DateOrder::MonthDayYear, &[&stamp], &row.place(1), &mut reading.diagnostics);
                sample.when = match clock.when(&stamp, &row.place(1), &mut reading.diagnostics) {
                    When::At(at) => When::At(toji_core::ClockTime { raw: value.to_owned(), ..at }),
                    other => other,
                };
                continue;
            }
            "operatorname" => "operator",
            "vial#" | "vial" => "position",
            "dilutionfactor" => "dilution",
            "sampletype" => "sample-type",
            _ => row.cell(0),
        };
        note(&mut sample.fields, name, value);
        further(row, reading);
    }
}

/// Names and values of any other section, under the section's name.
fn facts(section: &Section<'_>, sample: &mut Sample, reading: &mut Reading) {
    for row in section.rows {
        let values = (1..row.cells.len()).map(|c| row.cell(c)).filter(|v| !v.is_empty()).collect::<Vec<_>>().join(", ");
        if values.is_empty() && row.cells.len() < 2 {
            let (ja, en) = ("「名前 値」の行ではありません", "not a line of name and value");
            reading.not_read.push(NotRead::new(row.place(0), &row.text(), ja, en));
        } else {
            note(&mut sample.fields, &format!("{}: {}", section.name, row.cell(0)), &values);
        }
    }
}

/// Cells behind name and value.
fn further(row: &Row, reading: &mut Reading) {
    for column in (2..row.cells.len()).filter(|c| !row.cell(*c).is_empty()) {
        let (ja, en) = ("名前と値の後の記載です", "text behind name and value");
        reading.not_read.push(NotRead::new(row.place(column), row.cell(column), ja, en));
    }
}

/// The header row of a section's table, and the rows below it; lines above it are counts.
fn table<'a>(section: &'a Section<'_>, sign: &str) -> Option<(&'a Row, &'a [Row])> {
    let at = section.rows.iter().position(|row| header_key(row.cell(0)) == sign && row.cells.len() > 3)?;
    section.rows.get(at..)?.split_first()
}

fn peaks(section: &Section<'_>, sample: &mut Sample, reading: &mut Reading) {
    let Some((header, below)) = table(section, "peak#").or_else(|| table(section, "peak")) else { return };
    let peak = |row: &Row| {
        let cell = |(c, name): (usize, &String)| (name.trim().to_owned(), Json::from(row.cell(c)));
        Json::Object(
            header.cells.iter().enumerate().filter(|(c, n)| !n.trim().is_empty() && !row.cell(*c).is_empty()).map(cell).collect(),
        )
    };
    let (kept, cut): (Vec<&Row>, Vec<&Row>) =
        below.iter().take(PEAKS_MAX).partition(|row| row.cut_column(header.cells.len()).is_none());
    for row in cut {
        let (ja, en) = ("最後の行が途中で切れています", "the last line is cut off here");
        reading.not_read.push(NotRead::new(row.place(0), &row.text(), ja, en));
    }
    if let Some(row) = below.get(PEAKS_MAX) {
        let (ja, en) = ("ピークが多すぎるため、ここから先は残しませんでした", "too many peaks; those from here on were not kept");
        reading.not_read.push(NotRead::new(row.place(0), &row.text(), ja, en));
    }
    if !kept.is_empty() {
        sample.fields.insert(section.name.to_owned(), Json::Array(kept.into_iter().map(peak).collect()));
    }
}

fn compounds(section: &Section<'_>, sample: &mut Sample, reading: &mut Reading) {
    let Some((header, below)) = table(section, "id#").or_else(|| table(section, "id")) else { return };
    let at = |name: &str| (0..header.cells.len()).find(|c| header_key(header.cell(*c)) == name);
    let (Some(name), Some(conc)) = (at("name"), at("conc")) else {
        let (ja, en) = ("Name と Conc. の列がない結果の表です", "a table of results without the columns Name and Conc.");
        reading.not_read.push(NotRead::new(header.place(0), &header.text(), ja, en));
        return;
    };
    let detector = section.name.split_once('(').map(|(_, d)| d.trim_end_matches(')').to_owned());
    let unit = at("unit").or_else(|| at("units"));
    let style = number_style(below.iter().flat_map(|row| [conc].into_iter().chain(at("rtime")).map(|c| row.cell(c))));
    for row in below {
        if row.cut_column(header.cells.len()).is_some() || row.cell(name).is_empty() {
            let (ja, en) = match row.cut_column(header.cells.len()) {
                Some(_) => ("最後の行が途中で切れています", "the last line is cut off here"),
                None => ("成分名のない行です", "a line without the name of a compound"),
            };
            reading.not_read.push(NotRead::new(row.place(0), &row.text(), ja, en));
            continue;
        }
        let place = row.place(conc);
        let source = unit.map(|c| row.cell(c)).filter(|u| !u.is_empty()).map_or(UnitSource::Unknown, UnitSource::Written);
        let value = match result(row.cell(conc), source, style, &place, &mut reading.diagnostics) {
            // Dashes stand where the compound was not found.
            value if value.kind == ValueKind::Missing || row.cell(conc).trim_matches('-').is_empty() => {
                Value::not_determined(row.cell(conc))
            }
            value => value,
        };
        let mut assay = Assay::new(row.cell(name), value, place);
        assay.variable = variable_of(row.cell(name)).filter(|v| fits(v, &assay.value));
        assay.method.clone_from(&detector);
        assay.when = sample.when.clone();
        for (index, label) in header.cells.iter().enumerate().filter(|(c, _)| ![Some(name), Some(conc), unit].contains(&Some(*c)))
        {
            let label = match header_key(label).as_str() {
                "rtime" => "retention-time",
                "area" => "area",
                "height" => "height",
                _ => label.trim(),
            };
            note(&mut assay.fields, label, row.cell(index));
        }
        sample.assays.push(assay);
    }
    if unit.is_none() && !below.is_empty() {
        reading.diagnostics.push(
            Diagnostic::note(
                "N-LABSOLUTIONS-001",
                header.place(conc),
                "濃度の単位が書かれていないため、単位を付けていません",
                "the table states no unit of the concentration; the values have none",
            )
            .remedy("検量線の単位を確かめてください", "look up the unit of the calibration"),
        );
    }
}

fn set(reading: &mut Reading, change: impl FnOnce(&mut Instrument)) {
    let fresh = || Instrument { maker: Some("Shimadzu".to_owned()), ..Instrument::default() };
    change(reading.instrument.get_or_insert_with(fresh));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{check_damage, every_cut};
    use proptest::prelude::*;
    use toji_core::Unit;

    const FILE: &str = "[Header]\nApplication Name\tLabSolutions\nVersion\t5.97\nData File Name\tC:\\Data\\S1.lcd\nOutput Date\t2026/03/15\nOutput Time\t8:00:00\n\n\
        [File Information]\nType\tData File\n\n[Sample Information]\nOperator Name\tsimulated\nAcquired\t3/14/2026 10:00:00 AM\nSample Name\tS1\nDilution Factor\t10\nVial#\t7\n\n\
        [Peak Table(Detector A-Ch1)]\n# of Peaks\t2\nPeak#\tR.Time\tArea\tHeight\tName\n1\t9.12\t150233\t4000\tGlucose\n2\t17.0\t401\t20\t\n\n\
        [Compound Results(Detector A)]\n# of IDs\t3\nID#\tName\tR.Time\tArea\tHeight\tConc.\tCurve\n1\tGlucose\t9.12\t150233\t4000\t4.205\tLinear\n2\tEthanol\t0\t0\t0\t-----\tLinear\n3\tAcetic acid\t15.2\t88\t9\t< 0.05\tLinear\n\n\
        [LC Chromatogram(Detector A-Ch1)]\nInterval(msec)\t500\nR.Time (min)\tIntensity\n0.0\t-132\n";

    fn read(text: &str) -> Result<Reading> {
        LabSolutions.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn compounds_peaks_and_the_sample() {
        assert!(LabSolutions.detect(&Source::new("x", FILE.as_bytes()).unwrap()).is_some());
        let reading = read(FILE).unwrap();
        let sample = &reading.samples[0];
        assert_eq!(
            (sample.key.as_str(), &sample.fields["position"], &sample.fields["dilution"]),
            ("S1", &"7".into(), &"10".into())
        );
        let [glucose, ethanol, acetate] = sample.assays.as_slice() else { panic!("three compounds") };
        assert_eq!((glucose.value.number, glucose.value.unit.as_ref().map(Unit::code)), (Some(4.205), None));
        assert_eq!((glucose.variable.as_deref(), glucose.method.as_deref()), (Some("glucose"), Some("Detector A")));
        assert_eq!((glucose.place.line, glucose.place.column, &glucose.fields["area"]), (Some(27), Some(6), &"150233".into()));
        assert_eq!((ethanol.value.kind, ethanol.value.text.as_str()), (ValueKind::NotDetermined, "-----"));
        assert_eq!((acetate.value.kind, acetate.variable.as_deref()), (ValueKind::LessThan, Some("acetate")));
        assert_eq!(sample.fields["Peak Table(Detector A-Ch1)"].as_array().unwrap().len(), 2);
        let When::At(at) = &glucose.when else { panic!("a time") };
        assert_eq!(at.instant.to_string(), "2026-03-14T10:00:00Z");
        assert_eq!(reading.not_read.len(), 1, "the chromatogram");
        let codes: Vec<&str> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["N-LABSOLUTIONS-001"]);
        assert_eq!(reading.instrument.unwrap().software_version.as_deref(), Some("5.97"));
    }

    #[test]
    fn several_data_files_and_the_comma_shape() {
        let two = read(&format!("{FILE}{}", FILE.replace("Sample Name\tS1", "Sample Name\tS2"))).unwrap();
        assert_eq!(two.samples.iter().map(|s| s.key.as_str()).collect::<Vec<_>>(), ["S1", "S2"]);
        let commas = read(&FILE.replace('\t', ",").replace("3/14/2026 10:00:00 AM", "14.3.2026. 10:00:00")).unwrap();
        let When::At(at) = &commas.samples[0].when else { panic!("a time") };
        assert_eq!((at.instant.to_string().as_str(), at.raw.as_str()), ("2026-03-14T10:00:00Z", "14.3.2026. 10:00:00"));
        let unit = read(&FILE.replace("Conc.\tCurve", "Conc.\tUnit").replace("4.205\tLinear", "4.205\tg/L")).unwrap();
        assert_eq!(unit.samples[0].assays[0].value.unit.as_ref().map(Unit::code), Some("g/L"));
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read("\n").unwrap_err().code(), "E-LABSOLUTIONS-001");
        assert_eq!(read("[Header]\nVersion\t1\n").unwrap_err().code(), "E-LABSOLUTIONS-002");
        let timeless = read(&FILE.replace("Acquired", "Begun")).unwrap();
        assert!(timeless.diagnostics.iter().any(|d| d.code == "W-LABSOLUTIONS-001"));
        let nameless = read(&FILE.replace("2\tEthanol", "2\t")).unwrap();
        assert_eq!((nameless.not_read[1].place.line, nameless.samples[0].assays.len()), (Some(28), 2));
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&LabSolutions, FILE);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_is_never_silent(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..900, byte in any::<u8>()) {
            check_damage(&LabSolutions, FILE, &bytes, at, byte);
        }
    }
}
