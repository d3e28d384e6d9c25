//! Roche Cedex Bio HT archive text, software 4 to 7.
//!
//! Tab-separated records typed by a leading code: `0` is the header (archive version, period,
//! instrument, software, user), `40` one result. Two column orders exist for results; which one a file
//! uses is seen from its records, the software version only breaks a tie. Results below or above the
//! test range stand as `< 10.04` with a flag; they stay bounds.

use crate::analyser::{Clock, UnitSource, note, number_style, result};
use crate::delimited::{Row, rows};
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use toji_core::clock::HOUR_NS;
use toji_core::culture::{Assay, Instrument, NotRead, Reading, Sample, When};
use toji_core::value::{NumberStyle, fold_width};
use toji_core::{Diagnostic, Error, Place, Result, Text, Unit, Value, ValueKind};

/// The format.
pub struct RocheCedexBioHt;

/// Where things stand in a result record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    sample: usize,
    batch: Option<usize>,
    role: usize,
    dilution: Option<usize>,
    test: usize,
    unit: usize,
    flag: usize,
    value: usize,
    absorbance: usize,
    status: usize,
}

/// Software 6 and 7.
const NEW: Layout = Layout {
    sample: 2,
    batch: Some(3),
    role: 4,
    dilution: Some(5),
    test: 6,
    unit: 8,
    flag: 9,
    value: 10,
    absorbance: 11,
    status: 12,
};
/// Software 4 and 5.
const OLD: Layout =
    Layout { sample: 5, batch: None, role: 6, dilution: None, test: 2, unit: 7, flag: 8, value: 9, absorbance: 10, status: 11 };

/// Results of one sample further apart than this are two samplings under one name.
const SAME_SAMPLING_NS: i64 = HOUR_NS;

/// Stem of a test code, what the test measures, variable of Toji. A code is stem, an optional digit and
/// up to two letters for the measuring range (`B` standard, `L` low, `H` high, `D`/`E` pre-diluted).
const TESTS: &[(&str, &str, &str)] = &[
    ("AC", "acetate", "acetate"),
    ("AQ", "alanyl-glutamine", ""),
    ("AQQ", "alanyl-glutamine corrected", ""),
    ("NH", "ammonia", "ammonium"),
    ("ARA", "arabinose", ""),
    ("ASN", "asparagine", "asparagine"),
    ("ASP", "aspartate", "aspartate"),
    ("CA", "calcium", "calcium"),
    ("CHO", "cholesterol", ""),
    ("ETOH", "ethanol", "ethanol"),
    ("FOR", "formate", ""),
    ("GAL", "galactose", ""),
    ("GLC", "glucose", "glucose"),
    ("GLU", "glutamate", "glutamate"),
    ("GLN", "glutamine", "glutamine"),
    ("GLY", "glycerol", "glycerol"),
    ("FAB", "Ig Fab human", ""),
    ("IGG", "IgG human", "igg"),
    ("MIG", "IgG mouse", "igg"),
    ("FE", "iron", "iron"),
    ("LAC", "lactate", "lactate"),
    ("LDH", "ldh", "ldh"),
    ("MG", "magnesium", "magnesium"),
    ("NO", "nitrate", ""),
    ("PHO", "phosphate", "phosphate"),
    ("K", "potassium", "potassium"),
    ("PYR", "pyruvate", "pyruvate"),
    ("NA", "sodium", "sodium"),
    ("SUC", "sucrose", ""),
    ("SUG", "sucrose corrected", ""),
    ("TP", "total protein", "total-protein"),
    ("OD", "optical density", "optical-density"),
    ("OSM", "osmolality", "osmolality"),
];

/// What a test code measures: its name and variable. `None` for codes this version does not know.
fn test_of(code: &str) -> Option<(&'static str, Option<&'static str>)> {
    let code = fold_width(code).to_uppercase();
    let fits = |stem: &str| {
        code.strip_prefix(stem).is_some_and(|rest| {
            let rest = rest.strip_prefix(|c: char| c.is_ascii_digit()).unwrap_or(rest);
            rest.len() <= 2 && rest.chars().all(|c| "ABDEHL".contains(c))
        })
    };
    let (_, name, variable) = TESTS.iter().filter(|(stem, ..)| fits(stem)).max_by_key(|(stem, ..)| stem.len())?;
    Some((name, (!variable.is_empty()).then_some(*variable)))
}

impl Format for RocheCedexBioHt {
    fn id(&self) -> &'static str {
        "roche-cedex-bioht"
    }
    fn label(&self) -> Text {
        Text::same("Roche Cedex Bio HT")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() {
            return None;
        }
        let head: String = source.text().chars().take(4000).collect();
        let all = rows(&head, '\t', false);
        let first = all.first()?;
        if first.cell(0) == "0" && (0..first.cells.len()).any(|c| first.cell(c) == "#ARC-FILE#") {
            return Some(Evidence::new(
                97,
                "先頭のレコード 0 に #ARC-FILE# があります",
                "the first record is a 0 record with #ARC-FILE#",
            ));
        }
        let results = all.iter().filter(|r| is_result(r) && (plausible(r, NEW) || plausible(r, OLD))).count();
        (results > 0 && results * 2 > all.len()).then(|| {
            Evidence::new(
                75,
                "レコード 40 に検査コードと単位があります",
                "40 records with test codes and units, without a header record",
            )
        })
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let all = rows(source.text(), '\t', false);
        if all.is_empty() {
            return Err(empty(source));
        }
        let results: Vec<&Row> = all.iter().filter(|r| is_result(r)).collect();
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        let header = read_header(&all, &mut reading, site);
        let layout = layout_of(&results, reading.instrument.as_ref());
        let style = number_style(results.iter().flat_map(|r| [r.cell(layout.value), r.cell(layout.absorbance)]));
        let mut samples = Samples::default();
        for row in &all {
            if is_result(row) {
                read_result(row, layout, style, site, &header, &mut samples, &mut reading);
            } else if row.cell(0) != "0" {
                not_a_result(row, &mut reading);
            }
        }
        reading.samples = samples.list;
        if reading.samples.iter().all(|s| s.assays.is_empty()) {
            return Err(no_results(source, &all, reading.diagnostics));
        }
        Ok(reading)
    }
}

fn empty(source: &Source<'_>) -> Error {
    Error::input("E-BIOHT-001", "ファイルが空です", "the file is empty")
        .at(Place::line(1))
        .hint("装置から書き出し直してください", "export it again from the instrument")
        .in_file(source.name())
}

fn no_results(source: &Source<'_>, all: &[Row], diagnostics: Vec<Diagnostic>) -> Error {
    let line = all.last().map_or(1, |r| r.line);
    Error::input(
        "E-BIOHT-002",
        "結果のレコード（先頭が 40）を一つも読めません",
        "not one result record (leading code 40) could be read",
    )
    .at(Place::line(line))
    .hint(
        "タブ区切りのまま保存されているか、結果を含む期間を書き出したかを確かめてください",
        "check that the file is still tab-separated and that the exported period holds results",
    )
    .with(diagnostics)
    .in_file(source.name())
}

fn is_result(row: &Row) -> bool {
    row.cell(0) == "40"
}

/// Does the record make sense in this column order?
fn plausible(row: &Row, layout: Layout) -> bool {
    let code = row.cell(layout.test);
    let unit = row.cell(layout.unit);
    let is_code = !code.is_empty() && code.len() <= 8 && code.chars().all(|c| c.is_ascii_alphanumeric());
    is_code
        && is_value(row.cell(layout.value))
        && (unit.is_empty() || Unit::parse(unit).is_ok())
        && is_value(row.cell(layout.absorbance))
}

/// A number, bound or "no result", with either decimal sign.
fn is_value(text: &str) -> bool {
    [NumberStyle::Point, NumberStyle::Comma].iter().any(|style| Value::parse_with(text, *style).kind != ValueKind::Text)
}

/// The column order most records make sense in; the software version breaks a tie.
fn layout_of(results: &[&Row], instrument: Option<&Instrument>) -> Layout {
    let score = |layout: Layout| {
        let known = |r: &&Row| usize::from(plausible(r, layout)) * 2 + usize::from(test_of(r.cell(layout.test)).is_some());
        results.iter().take(200).map(known).sum::<usize>()
    };
    let major = instrument
        .and_then(|i| i.software_version.as_deref())
        .and_then(|v| v.split('.').next())
        .and_then(|v| v.trim().parse::<u32>().ok());
    match score(NEW).cmp(&score(OLD)) {
        std::cmp::Ordering::Greater => NEW,
        std::cmp::Ordering::Less => OLD,
        std::cmp::Ordering::Equal if major.is_some_and(|m| m < 6) => OLD,
        std::cmp::Ordering::Equal => NEW,
    }
}

/// What the header record says about every sample.
#[derive(Default)]
struct Header {
    operator: String,
    exported: String,
}

fn read_header(all: &[Row], reading: &mut Reading, site: &Site) -> Header {
    let mut headers = all.iter().filter(|r| r.cell(0) == "0");
    let Some(row) = headers.next() else {
        reading.diagnostics.push(
            Diagnostic::warning(
                "W-BIOHT-001",
                Place::line(1),
                "見出しのレコード（先頭が 0）がないため、装置と版が分かりません",
                "there is no header record (leading code 0), so instrument and version are not known",
            )
            .remedy("書き出したファイルを編集せずに読み込んでください", "import the exported file unedited"),
        );
        return Header::default();
    };
    let text = |column: usize| Some(row.cell(column).to_owned()).filter(|t| !t.is_empty());
    reading.instrument = Some(Instrument {
        maker: Some("Roche".to_owned()),
        model: text(6),
        serial: text(7),
        software: text(6),
        software_version: text(8),
    });
    reading.format_version = text(8);
    for column in 10..row.cells.len() {
        if !row.cell(column).is_empty() {
            let (ja, en) = ("見出しの未知の欄です", "a header cell this version does not know");
            reading.not_read.push(NotRead::new(row.place(column), row.cell(column), ja, en));
        }
    }
    for other in headers {
        let (ja, en) = ("二つ目の見出しです。最初の見出しを使いました", "a second header; the first one was used");
        reading.not_read.push(NotRead::new(Place::line(other.line), &other.text(), ja, en));
    }
    let mut found = Vec::new();
    let exported = match Clock::of(site).when(row.cell(1), &row.place(1), &mut found) {
        When::At(at) => at.instant.to_string(),
        _ => row.cell(1).to_owned(),
    };
    reading.diagnostics.append(&mut found);
    Header { operator: row.cell(9).to_owned(), exported }
}

fn not_a_result(row: &Row, reading: &mut Reading) {
    let code = row.cell(0);
    let (ja, en) = if !code.is_empty() && code.chars().all(|c| c.is_ascii_digit()) {
        (format!("レコード {code} は結果ではありません"), format!("a record of type {code} is not a result"))
    } else {
        ("レコードの種類を示す先頭の数字がありません".to_owned(), "the line has no leading record type".to_owned())
    };
    reading.not_read.push(NotRead::new(Place::line(row.line), &row.text(), ja, en));
}

fn read_result(
    row: &Row,
    layout: Layout,
    style: NumberStyle,
    site: &Site,
    header: &Header,
    samples: &mut Samples,
    reading: &mut Reading,
) {
    // A record that ends inside the value could show a shortened number as a whole one.
    if row.cells.len() <= layout.value || (row.open && row.cells.len() == layout.value + 1) {
        let (ja, en) = ("レコードが値の途中で切れています", "the record is cut off at or before its value");
        reading.not_read.push(NotRead::new(row.place(row.cells.len().saturating_sub(1)), &row.text(), ja, en));
        reading.diagnostics.push(
            Diagnostic::warning("W-BIOHT-002", Place::line(row.line), ja, en)
                .remedy("装置から書き出し直してください", "export it again from the instrument"),
        );
        return;
    }
    let place = row.place(layout.value);
    let mut found = Vec::new();
    let value = result(row.cell(layout.value), UnitSource::Written(row.cell(layout.unit)), style, &place, &mut found);
    let code = row.cell(layout.test);
    if value.kind == ValueKind::Missing || code.is_empty() {
        let (ja, en) = ("検査コードか値がありません", "the record has no test code or no value");
        reading.not_read.push(NotRead::new(place, &row.text(), ja, en));
        return;
    }
    let mut assay = Assay::new(code, value, place);
    assay.when = Clock::of(site).when(row.cell(1), &row.place(1), &mut found);
    match test_of(code) {
        Some((name, variable)) => {
            note(&mut assay.fields, "name", name);
            assay.variable = variable.map(str::to_owned);
        }
        None => {
            found.push(Diagnostic::note(
                "N-BIOHT-001",
                row.place(layout.test),
                format!("検査コード「{code}」を知りません。名前のまま残します"),
                format!("the test code \"{code}\" is not known; it is kept under its own name"),
            ));
        }
    }
    flag(row, layout, &mut assay, &mut found);
    note(&mut assay.fields, "absorbance", row.cell(layout.absorbance));
    note(&mut assay.fields, "result-type", row.cell(layout.status));
    note(&mut assay.fields, "record-type", row.cell(0));
    leftovers(row, layout, reading);
    reading.diagnostics.append(&mut found);
    samples.add(row, layout, header, assay);
}

fn flag(row: &Row, layout: Layout, assay: &mut Assay, found: &mut Vec<Diagnostic>) {
    let flag = row.cell(layout.flag);
    if flag.is_empty() {
        return;
    }
    assay.flags.push(flag.to_owned());
    if flag.contains("TEST RNG") && assay.value.kind == ValueKind::Exact {
        found.push(
            Diagnostic::warning(
                "W-BIOHT-003",
                row.place(layout.flag),
                format!("装置は「{flag}」としていますが、値は数値です"),
                format!("the instrument flags \"{flag}\", yet the value is a plain number"),
            )
            .remedy("測定範囲外の値として扱ってください", "treat it as outside the test range"),
        );
    }
}

/// Cells with text that no column of the layout covers.
fn leftovers(row: &Row, layout: Layout, reading: &mut Reading) {
    let known = [
        Some(0),
        Some(1),
        Some(layout.sample),
        layout.batch,
        Some(layout.role),
        layout.dilution,
        Some(layout.test),
        Some(layout.unit),
        Some(layout.flag),
        Some(layout.value),
        Some(layout.absorbance),
        Some(layout.status),
    ];
    for column in 0..row.cells.len() {
        if !known.contains(&Some(column)) && !row.cell(column).is_empty() {
            let (ja, en) = ("この形式で意味の分からない欄です", "a column whose meaning in this format is not known");
            reading.not_read.push(NotRead::new(row.place(column), row.cell(column), ja, en));
        }
    }
}

/// Samples in the order of their first result.
#[derive(Default)]
struct Samples {
    list: Vec<Sample>,
    /// Latest result of each sample, in nanoseconds.
    last_ns: Vec<i64>,
}

impl Samples {
    fn add(&mut self, row: &Row, layout: Layout, header: &Header, assay: Assay) {
        let key = row.cell(layout.sample);
        let batch = layout.batch.map_or("", |c| row.cell(c));
        let at = match &assay.when {
            When::At(at) => Some(at.instant.0),
            _ => None,
        };
        let same = |index: usize, sample: &Sample| {
            let near = match (at, self.last_ns.get(index)) {
                (Some(at), Some(last)) => at.abs_diff(*last) <= SAME_SAMPLING_NS as u64,
                _ => true,
            };
            let of_batch = sample.fields.get("batch").and_then(|b| b.as_str()).unwrap_or("");
            sample.key == key && of_batch == batch && near
        };
        let found = self.list.iter().enumerate().rev().find(|(i, s)| same(*i, s)).map(|(i, _)| i);
        let index = found.unwrap_or_else(|| {
            let mut sample = Sample {
                key: key.to_owned(),
                run: None,
                when: assay.when.clone(),
                fields: Default::default(),
                assays: Vec::new(),
            };
            note(&mut sample.fields, "batch", batch);
            note(&mut sample.fields, "sample-type", row.cell(layout.role));
            note(&mut sample.fields, "dilution", layout.dilution.map_or("", |c| row.cell(c)));
            note(&mut sample.fields, "operator", &header.operator);
            note(&mut sample.fields, "exported", &header.exported);
            self.list.push(sample);
            self.last_ns.push(at.unwrap_or(0));
            self.list.len() - 1
        });
        if let (Some(last), Some(at)) = (self.last_ns.get_mut(index), at) {
            *last = (*last).max(at);
        }
        if let Some(sample) = self.list.get_mut(index) {
            if let (When::At(first), When::At(this)) = (&sample.when, &assay.when)
                && this.instant < first.instant
            {
                sample.when = assay.when.clone();
            }
            sample.assays.push(assay);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const V7: &str = "0\t2026-01-05 10:00:00\t#ARC-FILE#\t1.1a\t2026-01-05\t2026-01-05\tCEDEX BIO HT\t77\t7.0.0.1 (1)\tkurabito\n\
        40\t2026-01-05 09:00:00\tT1\tB7\tSAM\t1/4     \tGLC3B\t        \tg/L\t \t  3.250\t  0.54\tR\n\
        40\t2026-01-05 09:01:00\tT1\tB7\tSAM\t1/4     \tAC2B\t        \tmg/L\t< TEST RNG\t< 10.04\t  0.004\tR\t\t\t\r\n\
        40\t2026-01-05 11:30:00\tT1\tB7\tSAM\t1/4     \tXYZ9\t        \tmM\tv\t 1.5\t 0.1\tR\n\
        50\tsomething else\n";

    fn read(text: &str) -> Result<Reading> {
        RocheCedexBioHt.read(&Source::new("any-name.dat", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn records_of_version_7() {
        let reading = read(V7).unwrap();
        let instrument = reading.instrument.as_ref().unwrap();
        assert_eq!((instrument.serial.as_deref(), instrument.software_version.as_deref()), (Some("77"), Some("7.0.0.1 (1)")));
        assert_eq!(reading.samples.len(), 2, "two hours later is another sampling");
        let sample = &reading.samples[0];
        assert_eq!(sample.fields["batch"], "B7");
        assert_eq!(sample.fields["dilution"], "1/4");
        let glucose = &sample.assays[0];
        assert_eq!(
            (glucose.variable.as_deref(), glucose.value.number, glucose.value.text.as_str()),
            (Some("glucose"), Some(3.25), "3.250")
        );
        assert_eq!((glucose.place.line, glucose.place.column), (Some(2), Some(11)));
        let acetate = &sample.assays[1];
        assert_eq!((acetate.value.kind, acetate.value.high, acetate.value.number), (ValueKind::LessThan, Some(10.04), None));
        assert_eq!(acetate.flags, ["< TEST RNG"]);
        let unknown = &reading.samples[1].assays[0];
        assert_eq!((unknown.variable.as_deref(), unknown.value.unit.as_ref().map(Unit::code)), (None, Some("mmol/L")));
        assert_eq!(reading.not_read.len(), 1);
        assert_eq!(reading.not_read[0].place.line, Some(5));
    }

    #[test]
    fn records_of_version_5_without_header() {
        let text = "40\t2026-01-05 09:00:00\tNH3B\t\t\tS1\tSAM\tmg/L\t \t  153,4\t  0,33\tR\r\n";
        let reading = read(text).unwrap();
        let assay = &reading.samples[0].assays[0];
        assert_eq!(
            (reading.samples[0].key.as_str(), assay.variable.as_deref(), assay.value.number),
            ("S1", Some("ammonium"), Some(153.4))
        );
        assert_eq!(reading.diagnostics[0].code, "W-BIOHT-001");
        let source = Source::new("x", text.as_bytes()).unwrap();
        assert!(RocheCedexBioHt.detect(&source).unwrap().score > 50);
    }

    #[test]
    fn a_value_cut_off_at_the_end_is_not_read() {
        let cut = V7.find("3.250").unwrap() + 3;
        let error = read(&V7[..cut]).unwrap_err();
        assert_eq!((error.code(), error.fault().place.as_ref().and_then(|p| p.line)), ("E-BIOHT-002", Some(2)));
        assert_eq!(read("").unwrap_err().code(), "E-BIOHT-001");
    }

    #[test]
    fn codes_by_their_stem() {
        for (code, name) in [
            ("GLC3B", "glucose"),
            ("GLC2L", "glucose"),
            ("AQQB", "alanyl-glutamine corrected"),
            ("KB", "potassium"),
            ("FABLA", "Ig Fab human"),
            ("IGGHD", "IgG human"),
            ("TP2LB", "total protein"),
        ] {
            assert_eq!(test_of(code).map(|t| t.0), Some(name), "{code}");
        }
        for code in ["GLCX", "", "NAME", "K12"] {
            assert_eq!(test_of(code), None, "{code}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let source = Source::new("x", &bytes).unwrap_or_else(|_| Source::new("x", b"").unwrap());
            let _ = RocheCedexBioHt.detect(&source);
            let _ = RocheCedexBioHt.read(&source, &Site::default());
        }
        #[test]
        fn mutated_files_are_read_or_refused(at in 0usize..600, cut in 0usize..600, with in "[\\t\\n<>,.0-9A-Z ]{0,4}") {
            let mut text: String = V7.chars().take(cut).collect();
            text.insert_str(at.min(text.len()), &with);
            let _ = read(&text);
        }
    }
}
