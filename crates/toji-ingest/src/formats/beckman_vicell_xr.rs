//! Beckman Coulter Vi-CELL XR results, software 2.04 and 2.06: result tables (xls, xlsx), the report of
//! one sample (xlsx, with its distributions), and the text file of one sample.
//!
//! Headers of tables run over two or three rows (`Min diam.` / `(microns)`). Numbers stand as text in
//! 2.06 and as binary numbers in 2.04. Distributions and per-image data are kept with the sample.

use super::beckman_vicell_blu::header_unit;
use crate::analyser::header_key;
use crate::analyser_file::sheet_rows;
use crate::analyser_table::Role::{Analysed, Diluted, Field, Result as Measured, Sample};
use crate::analyser_table::{Column, Known, Table, read_pairs};
use crate::cell::Sheet;
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use toji_core::clock::DateOrder;
use toji_core::culture::{Instrument, NotRead, Reading};
use toji_core::{Diagnostic, Error, Place, Result, Text};

/// The format.
pub struct BeckmanViCellXr;

const NAME: &str = "Vi-CELL XR";

const COLUMNS: &[Known] = &[
    ("sampleid", Sample),
    ("sampledatetime", Analysed),
    ("sampledate", Analysed),
    ("rundate", Analysed),
    ("user", Field("operator")),
    ("filename", Field("data-file")),
    ("celltype", Field("cell-type")),
    ("comment", Field("comment")),
    ("dilution", Field("dilution")),
    ("dilutionfactor", Field("dilution")),
    ("mindiam", Field("minimum-diameter-um")),
    ("minimumdiameter", Field("minimum-diameter-um")),
    ("maxdiam", Field("maximum-diameter-um")),
    ("maximumdiameter", Field("maximum-diameter-um")),
    ("totalcells", Measured("total cell count", "total-cell-count", "{cell}")),
    ("total", Measured("total cell count", "total-cell-count", "{cell}")),
    ("viablecells", Measured("viable cell count", "viable-cell-count", "{cell}")),
    ("nonviablecells", Measured("dead cell count", "dead-cell-count", "{cell}")),
    ("viability", Measured("viability", "viability", "%")),
    ("totalcellsml", Diluted("total cell density", "total-cell-density", "10*6/mL")),
    ("viablecellsml", Diluted("viable cell density", "viable-cell-density", "10*6/mL")),
    ("totalviablecellsml", Diluted("viable cell density", "viable-cell-density", "10*6/mL")),
    ("avgdiam", Measured("average total cell diameter", "cell-diameter", "um")),
    ("averagediameter", Measured("average total cell diameter", "cell-diameter", "um")),
    ("avgcirc", Measured("average total cell circularity", "cell-circularity", "1")),
    ("averagecircularity", Measured("average total cell circularity", "cell-circularity", "1")),
    ("avgcellsimage", Measured("average cells per image", "", "")),
    ("averagecellsimage", Measured("average cells per image", "", "")),
    ("avgbgintensity", Measured("average background intensity", "", "")),
    ("avgbackgroundintensity", Measured("average background intensity", "", "")),
    ("averagebackgroundintensity", Measured("average background intensity", "", "")),
];

/// Settings a report writes beside its results; known only as labels.
const SETTINGS: [&str; 9] = [
    "minimumcircularity",
    "cellbrightness",
    "cellsharpness",
    "viablecellspotbrightness",
    "viablecellspotarea",
    "declusterdegree",
    "aspiratecycles",
    "trypanbluemixingcycles",
    "images",
];

/// Rows of a table's header.
const HEADER_ROWS_MAX: usize = 3;
/// Rows looked at for the header.
const HEAD_ROWS_MAX: usize = 40;

fn column(header: &str) -> Column {
    let column = Column::new(header, &header_key(header), header_unit(header), COLUMNS);
    // A setting's brackets hold its unit, but a setting is not a result.
    match column.role {
        Some(Measured(..) | Diluted(..)) => column,
        _ => Column { unit: None, ..column },
    }
}

fn is_known(label: &str) -> bool {
    let key = header_key(label);
    COLUMNS.iter().any(|(k, _)| *k == key) || SETTINGS.contains(&key.as_str())
}

impl Format for BeckmanViCellXr {
    fn id(&self) -> &'static str {
        "beckman-vicell-xr"
    }
    fn label(&self) -> Text {
        Text::same("Beckman Coulter Vi-CELL XR")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        let named = Evidence::new(95, "「Vi-CELL XR」と書かれています", "it says \"Vi-CELL XR\"");
        let shaped = Evidence::new(72, "Vi-CELL XR の列見出しがあります", "it has the headers of a Vi-CELL XR table");
        if source.is_workbook() {
            let sheets = source.sheets().ok()?;
            let says = |s: &Sheet| (0..5).any(|r| s.text(r, 0).to_lowercase().contains("vi-cell xr"));
            if sheets.iter().any(says) {
                return Some(named);
            }
            return sheets.iter().any(|s| table_header(s).is_some()).then_some(shaped);
        }
        let head: String = source.text().chars().take(4000).collect();
        if head.lines().take(3).any(|l| l.to_lowercase().starts_with("vi-cell xr")) {
            return Some(named);
        }
        let keys: Vec<String> = head.lines().filter_map(pair).map(|(k, _)| header_key(k)).collect();
        let has = |key: &str| keys.iter().any(|k| k == key);
        (has("sampleid") && has("rundate") && has("totalcellsml")).then_some(shaped)
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        reading.instrument = Some(Instrument {
            maker: Some("Beckman Coulter".to_owned()),
            model: Some(NAME.to_owned()),
            software: Some(NAME.to_owned()),
            ..Instrument::default()
        });
        if source.is_workbook() {
            read_sheets(source.sheets()?, site, &mut reading);
        } else if source.text().trim().is_empty() {
            return Err(Error::input("E-VICELLXR-001", "ファイルが空です", "the file is empty")
                .at(Place::line(1))
                .hint("装置から書き出し直してください", "export it again from the instrument")
                .in_file(source.name()));
        } else {
            read_text(source.text(), site, &mut reading);
        }
        if reading.samples.iter().all(|s| s.assays.is_empty()) {
            return Err(Error::input("E-VICELLXR-002", "Vi-CELL XR の結果がありません", "there are no Vi-CELL XR results")
                .at(Place::line(1))
                .hint(
                    "Sample ID と Viability (%) を含む書き出しを使ってください",
                    "use an export that holds Sample ID and Viability (%)",
                )
                .with(reading.diagnostics)
                .in_file(source.name()));
        }
        Ok(reading)
    }
}

/// `Vi-CELL XR 2.06.3` names the software's version.
fn take_version(text: &str, reading: &mut Reading) -> bool {
    let Some(version) = text.trim().to_lowercase().strip_prefix("vi-cell xr").map(|v| v.trim().to_owned()) else {
        return false;
    };
    if !version.is_empty() {
        reading.format_version = Some(version.clone());
        if let Some(instrument) = reading.instrument.as_mut() {
            instrument.software_version = Some(version);
        }
    }
    true
}

fn take_serial(serial: &str, reading: &mut Reading) {
    if let Some(instrument) = reading.instrument.as_mut().filter(|_| !serial.trim().is_empty()) {
        instrument.serial = Some(serial.trim().to_owned());
    }
}

/// `Key : value`.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    Some((key.trim(), value.trim()))
}

fn read_text(text: &str, site: &Site, reading: &mut Reading) {
    let mut pairs = Vec::new();
    let complete = text.ends_with(['\n', '\r']);
    let last = text.lines().count();
    for (index, line) in text.lines().enumerate() {
        let place = Place::line(index as u64 + 1);
        let Some((key, value)) = pair(line) else {
            if !line.trim().is_empty() && !take_version(line, reading) {
                let (ja, en) = ("「名前 : 値」の行ではありません", "not a line of \"name : value\"");
                reading.not_read.push(NotRead::new(place, line, ja, en));
            }
            continue;
        };
        if header_key(key) == "unitsn" {
            take_serial(value, reading);
        } else if value.is_empty() || take_version(key, reading) {
            continue;
        } else if index + 1 == last && !complete && matches!(column(key).role, Some(Measured(..) | Diluted(..))) {
            let (ja, en) = ("最後の行が途中で切れています", "the last line is cut off here");
            reading.not_read.push(NotRead::new(place.clone(), line, ja, en));
            reading.diagnostics.push(
                Diagnostic::warning("W-VICELLXR-001", place, ja, en)
                    .remedy("装置から書き出し直してください", "export it again from the instrument"),
            );
        } else {
            pairs.push((key.to_owned(), value.to_owned(), place));
        }
    }
    if pairs.iter().any(|(key, ..)| is_known(key)) {
        read_pairs(pairs, column, DateOrder::MonthDayYear, site, reading);
    }
}

fn read_sheets(sheets: &[Sheet], site: &Site, reading: &mut Reading) {
    for sheet in sheets {
        if let Some(header) = table_header(sheet) {
            read_table(sheet, header, site, reading);
        } else if is_report(sheet) {
            read_report(sheet, site, reading);
        } else if sheet.rows.iter().flatten().any(|c| !c.is_blank()) {
            let (ja, en) = ("結果の表のないシートです", "a sheet without a table of results");
            reading.not_read.push(NotRead::new(Place::default().in_sheet(&sheet.name), &sheet.text(0, 0), ja, en));
        }
    }
}

/// Row of `Sample ID` with at least three more known headers in it.
fn table_header(sheet: &Sheet) -> Option<usize> {
    (0..sheet.rows.len().min(HEAD_ROWS_MAX)).find(|row| {
        let cells = sheet.rows.get(*row).map_or(&[][..], Vec::as_slice);
        let keys: Vec<String> = cells.iter().map(|c| header_key(&c.to_string())).collect();
        let known = ["filename", "celltype", "sampledate", "sampledatetime", "viability", "images", "comment"];
        keys.iter().any(|k| k == "sampleid") && known.iter().filter(|k| keys.iter().any(|have| have == *k)).count() >= 3
    })
}

fn read_table(sheet: &Sheet, header: usize, site: &Site, reading: &mut Reading) {
    head(sheet, header, reading);
    let cells = |row: usize| sheet.rows.get(row).map_or(&[][..], Vec::as_slice);
    let named = cells(header).iter().position(|c| header_key(&c.to_string()) == "sampleid").unwrap_or(0);
    let mut below = header + 1;
    while below < header + HEADER_ROWS_MAX
        && sheet.cell(below, named).is_blank()
        && cells(below).iter().any(|c| !c.is_blank())
        && cells(below).iter().all(|c| c.number().is_none())
    {
        below += 1;
    }
    let width = (header..below).map(|row| cells(row).len()).max().unwrap_or(0);
    let columns =
        (0..width).map(|c| column(&(header..below).map(|row| sheet.text(row, c)).collect::<Vec<_>>().join(" "))).collect();
    let rows = sheet_rows(sheet, below);
    let table =
        Table { columns, rows: &rows, sheet: Some(&sheet.name), header_line: header as u64 + 1, usual: DateOrder::MonthDayYear };
    table.read(site, reading);
}

/// Lines above the table or report: version, serial number, and what else stands there.
fn head(sheet: &Sheet, until: usize, reading: &mut Reading) {
    for row in 0..until {
        for column in 0..sheet.rows.get(row).map_or(0, Vec::len) {
            let text = sheet.text(row, column);
            if text.is_empty() || take_version(&text, reading) || text.starts_with("Beckman Coulter") {
                continue;
            }
            match pair(&text) {
                Some((key, serial)) if header_key(key) == "unitsn" => take_serial(serial, reading),
                _ => {
                    let (ja, en) = ("表より上の記載です", "text above the results");
                    reading.not_read.push(NotRead::new(sheet.place(row, column), &text, ja, en));
                }
            }
        }
    }
}

/// The report of one sample: labels and values side by side, distributions below.
fn is_report(sheet: &Sheet) -> bool {
    let keys = (0..sheet.rows.len().min(HEAD_ROWS_MAX))
        .flat_map(|row| (0..sheet.rows.get(row).map_or(0, Vec::len)).map(move |c| header_key(&sheet.text(row, c))));
    let keys: Vec<String> = keys.collect();
    ["sampleid", "viability", "totalcells"].iter().all(|k| keys.iter().any(|have| have == k))
}

fn read_report(sheet: &Sheet, site: &Site, reading: &mut Reading) {
    let first = (0..sheet.rows.len()).find(|row| (0..12).any(|c| header_key(&sheet.text(*row, c)) == "sampleid")).unwrap_or(0);
    head(sheet, first, reading);
    let is_plot = |row: usize| (0..sheet.rows.get(row).map_or(0, Vec::len)).any(|c| sheet.text(row, c).ends_with("Plot Data"));
    let plots: Vec<usize> = (first..sheet.rows.len()).filter(|row| is_plot(*row)).collect();
    let end = plots.first().copied().unwrap_or(sheet.rows.len());
    let mut pairs = Vec::new();
    for row in first..end {
        report_row(sheet, row, &mut pairs, reading);
    }
    let samples = reading.samples.len();
    read_pairs(pairs, column, DateOrder::MonthDayYear, site, reading);
    for row in plots {
        for column in 0..sheet.rows.get(row).map_or(0, Vec::len) {
            let title = sheet.text(row, column);
            if let (true, Some(sample)) = (title.ends_with("Plot Data"), reading.samples.get_mut(samples)) {
                sample.fields.insert(title, distribution(sheet, row, column));
            }
        }
    }
}

fn report_row(sheet: &Sheet, row: usize, pairs: &mut Vec<(String, String, Place)>, reading: &mut Reading) {
    let filled: Vec<usize> = (0..sheet.rows.get(row).map_or(0, Vec::len)).filter(|c| !sheet.cell(row, *c).is_blank()).collect();
    let mut at = 0;
    while let Some(label) = filled.get(at).map(|c| sheet.text(row, *c)) {
        let column = filled.get(at).copied().unwrap_or(0);
        let value = filled.get(at + 1).filter(|c| !is_known(&sheet.text(row, **c)));
        at += 1;
        match value {
            _ if matches!(label.as_str(), "Results" | "Settings") => {}
            Some(value) => {
                pairs.push((label, sheet.text(row, *value), sheet.place(row, *value)));
                at += 1;
            }
            None if is_known(&label) => {}
            None => {
                let (ja, en) = ("値のない記載です", "text without a value");
                reading.not_read.push(NotRead::new(sheet.place(row, column), &label, ja, en));
            }
        }
    }
}

/// A block of numbers below a title: an array for each header.
fn distribution(sheet: &Sheet, title_row: usize, first: usize) -> serde_json::Value {
    let numbers = (title_row + 1..(title_row + 6).min(sheet.rows.len())).find(|r| sheet.cell(*r, first).number().is_some());
    let Some(start) = numbers else { return serde_json::Value::Null };
    let end = (start..sheet.rows.len()).find(|r| sheet.cell(*r, first).number().is_none()).unwrap_or(sheet.rows.len());
    let mut out = toji_core::culture::Fields::new();
    let mut column = first;
    while !sheet.cell(start, column).is_blank() {
        let words: Vec<String> = (title_row + 1..start).map(|r| sheet.text(r, column)).filter(|t| !t.is_empty()).collect();
        let values: Vec<Option<f64>> = (start..end).map(|r| sheet.cell(r, column).number()).collect();
        let name = if words.is_empty() { format!("column {}", column + 1) } else { words.join(" ") };
        out.insert(name, serde_json::json!(values));
        column += 1;
    }
    serde_json::Value::Object(out.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;
    use proptest::prelude::*;
    use toji_core::culture::When;

    const FILE: &str = "Vi-CELL XR 2.06.3\r\n\r\nSample ID : M1\r\nFile name : M1.txt\r\nTime :\r\nRunDate : 29 Sep 2026  5:21:32 PM\r\n\
        Unit S/N : AW1\r\nUser :\r\n\r\nResults:\r\nTotal cells : 4000\r\nViable cells : 3900\r\nViability (%) : 97.5\r\n\
        Total cells / ml (x 10^6) : 90.20\r\nAverage diameter (microns) : 17.3\r\n\r\nSettings:\r\nCell type : CHO\r\n\
        Minimum diameter (microns) : 10.0\r\nDilution : 20.00\r\nstray words\r\nSizeData : 3,9,17\r\n";

    fn read(text: &str) -> Result<Reading> {
        BeckmanViCellXr.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }
    fn sheet(rows: &[&[&str]]) -> Sheet {
        let cell = |t: &&str| match t.parse::<f64>() {
            Ok(number) => Cell::Number(number),
            Err(_) if t.is_empty() => Cell::Empty,
            Err(_) => Cell::Text((*t).to_owned()),
        };
        Sheet { name: "S".into(), rows: rows.iter().map(|r| r.iter().map(cell).collect()).collect(), hidden: false }
    }

    #[test]
    fn the_text_of_one_sample() {
        let reading = read(FILE).unwrap();
        let sample = &reading.samples[0];
        let When::At(at) = &sample.when else { panic!("a time") };
        assert_eq!((sample.key.as_str(), at.instant.to_string().as_str()), ("M1", "2026-09-29T17:21:32Z"));
        let instrument = reading.instrument.as_ref().unwrap();
        assert_eq!((instrument.serial.as_deref(), instrument.software_version.as_deref()), (Some("AW1"), Some("2.06.3")));
        let density = sample.assays.iter().find(|a| a.variable.as_deref() == Some("total-cell-density")).unwrap();
        assert_eq!((density.value.number, density.value.dilution, density.place.line), (Some(90.2), Some(20.0), Some(14)));
        assert_eq!((&sample.fields["minimum-diameter-um"], &sample.fields["SizeData"]), (&"10.0".into(), &"3,9,17".into()));
        assert_eq!(reading.not_read[0].place.line, Some(21));
        assert!(!sample.fields.contains_key("operator"));
    }

    #[test]
    fn a_table_with_headers_over_two_rows() {
        let sheet = sheet(&[
            &["Vi-CELL XR 2.04"],
            &["Unit S/N:  AV9"],
            &[
                "Sample ID",
                "File name",
                "Cell type",
                "Min. diam.",
                "Dilution",
                "Viability",
                "Total cells",
                "Total",
                "Viable",
                "Sample date",
                "Extra",
            ],
            &["", "", "", "(microns)", "factor", "(%)", "/ml (x10^6)", "cells", "cells", "", ""],
            &["A", "A.txt", "CHO", "6", "2", "98.34", "1.84", "1752", "1723", "18 Oct 2026  9:08:24 AM", "note"],
        ]);
        let mut reading = Reading { instrument: Some(Instrument::default()), ..Reading::default() };
        read_sheets(&[sheet], &Site::default(), &mut reading);
        let sample = &reading.samples[0];
        let by = |name: &str| sample.assays.iter().find(|a| a.variable.as_deref() == Some(name)).unwrap();
        assert_eq!(by("total-cell-density").value.number, Some(1.84));
        assert_eq!(by("total-cell-count").value.number, Some(1752.0));
        assert_eq!(
            (by("viability").place.line, by("viability").place.column, by("viability").place.sheet.as_deref()),
            (Some(5), Some(6), Some("S"))
        );
        assert_eq!(sample.fields["Extra"], "note");
        assert_eq!(reading.instrument.unwrap().serial.as_deref(), Some("AV9"));
    }

    #[test]
    fn a_report_with_an_empty_value_and_a_distribution() {
        let sheet = sheet(&[
            &["Vi-CELL XR 2.04"],
            &["Sample ID", "", "7B"],
            &["Sample date", "", "11 May 2026  2:59:27 PM"],
            &["Results", "", "", "", "Settings"],
            &["Total cells", "", "915", "", "Cell type", "", "Default"],
            &["Viable cells", "", "", "", "Dilution factor", "", "1"],
            &["Viability (%)", "", "86.99", "", "Cell sharpness", "", "100"],
            &["Size Distribution Plot Data"],
            &["Diameter", "Count"],
            &["(microns)", ""],
            &["5.5", "6"],
            &["6.5", "2"],
        ]);
        let mut reading = Reading { instrument: Some(Instrument::default()), ..Reading::default() };
        read_sheets(&[sheet], &Site::default(), &mut reading);
        let sample = &reading.samples[0];
        assert_eq!(sample.assays.len(), 2, "the empty count is absent, not its neighbour");
        assert_eq!(sample.fields["cell-type"], "Default");
        assert_eq!(
            sample.fields["Size Distribution Plot Data"],
            serde_json::json!({"Diameter (microns)": [5.5, 6.5], "Count": [6.0, 2.0]})
        );
        assert_eq!((sample.assays[0].place.line, sample.assays[0].place.column), (Some(5), Some(3)));
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read("").unwrap_err().code(), "E-VICELLXR-001");
        assert_eq!(read("Vi-CELL XR 2.06\nSample ID : x\n").unwrap_err().code(), "E-VICELLXR-002");
        let cut = read(&FILE[..FILE.find("90.20").unwrap() + 3]).unwrap();
        assert!(cut.samples[0].assays.iter().all(|a| a.variable.as_deref() != Some("total-cell-density")));
        let broken = Source::new("x.xlsx", b"PK\x03\x04 not a workbook").unwrap();
        assert!(BeckmanViCellXr.read(&broken, &Site::default()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), book in any::<bool>()) {
            let bytes = if book { [b"PK\x03\x04".as_slice(), &bytes].concat() } else { bytes };
            let source = Source::new("x", &bytes).unwrap_or_else(|_| Source::new("x", b"").unwrap());
            let _ = BeckmanViCellXr.detect(&source);
            let _ = BeckmanViCellXr.read(&source, &Site::default());
        }
        #[test]
        fn mutated_files_are_read_or_refused(at in 0usize..600, cut in 0usize..700, with in "[:,\\n\"<>./0-9A-Z%()]{0,4}") {
            let mut text: String = FILE.chars().take(cut).collect();
            text.insert_str(at.min(text.len()), &with);
            let _ = read(&text);
        }
    }
}
