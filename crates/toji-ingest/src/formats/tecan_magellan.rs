//! Tecan Magellan plate sheets: one well a row, below it lines that say how the plate was read.
//!
//! The table has a column `Well positions` and one column a measurement (`Raw data`), whose header is
//! all the file says of it; wavelength, mode and unit stand below, once for the sheet. Lines without a
//! name (measurement, user, instrument) are known by their order. Some sheets name the plate in its
//! first wells only; a sheet that names one plate means it for all of its wells, and the reading says so.

use crate::analyser::{Clock, UnitSource, fits, header_key, note, number_style, result};
use crate::analyser_file::{Part, Search, head, open_end, parts, row_place};
use crate::asm_terms::WAVELENGTH;
use crate::delimited::Row;
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use toji_core::culture::{Assay, Fields, Instrument, NotRead, Reading, Sample, When};
use toji_core::value::NumberStyle;
use toji_core::{Diagnostic, Place, Result, Text, ValueKind};

/// The format.
pub struct TecanMagellan;

/// Lines looked at for the header of the table.
const HEADER_LINES_MAX: usize = 10;
/// Characters looked at when a text is asked whether it is of this format.
const HEAD_CHARS: usize = 20_000;
/// Rows of a sheet looked at: the largest plate, and the lines below it.
const HEAD_ROWS: usize = 2_000;
/// Names of lines below the table.
const SIGNS: [&str; 6] = [
    "dateofmeasurement",
    "instrumentserialnumber",
    "measurementmode",
    "measurementwavelength",
    "numberofflashes",
    "platedefinitionfile",
];
/// Rows and columns of the plates there are.
const PLATES: [(usize, usize); 7] = [(2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48)];

/// One table of wells.
struct Plate<'a> {
    sheet: Option<&'a str>,
    header: &'a Row,
    below: &'a [Row],
}

/// What a column of the table holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Well,
    Plate,
    SampleName,
    Layout,
    Result,
    Headless,
}

fn column(header: &str) -> Column {
    match header_key(header).as_str() {
        "" => Column::Headless,
        "wellpositions" | "wellposition" | "well" => Column::Well,
        "plate" | "plateid" => Column::Plate,
        "sampleids" | "sampleid" => Column::SampleName,
        "layout" | "replicate" | "replicates" | "dilution" | "concentration" => Column::Layout,
        _ => Column::Result,
    }
}

/// Row and column of a well, both from 0: `B12` is (1, 11), `AA1` is (26, 0).
fn position(well: &str) -> Option<(usize, usize)> {
    let at = well.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = well.split_at(at);
    let column: usize = digits.parse().ok().filter(|n| (1..=48).contains(n))?;
    let row = match letters.as_bytes() {
        [a @ b'A'..=b'Z'] => usize::from(a - b'A'),
        [b'A', b @ b'A'..=b'F'] => 26 + usize::from(b - b'A'),
        _ => return None,
    };
    Some((row, column - 1))
}

fn is_header(row: &Row) -> bool {
    let columns: Vec<Column> = (0..row.cells.len()).map(|c| column(row.cell(c))).collect();
    let named = (0..row.cells.len()).any(|c| header_key(row.cell(c)).starts_with("wellposition"));
    named && columns.contains(&Column::Result)
}

const SEARCH: Search = Search {
    rows_max: HEADER_LINES_MAX,
    codes: ["E-TECAN-001", "E-TECAN-002", "E-TECAN-003"],
    names: ("Raw data、Well positions", "Raw data, Well positions"),
};

impl Format for TecanMagellan {
    fn id(&self) -> &'static str {
        "tecan-magellan"
    }
    fn label(&self) -> Text {
        Text::new("Tecan Magellan（プレート表）", "Tecan Magellan (plate sheet)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        let has_header = |part: &Part<'_>| part.rows.iter().take(HEADER_LINES_MAX).any(is_header);
        // Few files have such a header: only of those are the lines below the wells looked at.
        head(source, HEAD_CHARS, HEADER_LINES_MAX)?.iter().any(has_header).then_some(())?;
        let signs_of = |part: &Part<'_>| {
            let keys: Vec<String> = part.rows.iter().map(|row| header_key(row.cell(0))).collect();
            SIGNS.iter().filter(|sign| keys.iter().any(|key| key.starts_with(**sign))).count()
        };
        let signs = head(source, HEAD_CHARS, HEAD_ROWS)?.iter().filter(|part| has_header(part)).map(signs_of).max()?;
        let score = if signs >= 3 { 95 } else { 60 };
        Some(Evidence::new(
            score,
            "Well positions の列と Tecan の測定条件の行があります",
            "it has a column of well positions and lines of Tecan measurement settings",
        ))
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        reading.instrument =
            Some(Instrument { maker: Some("Tecan".to_owned()), software: Some("Magellan".to_owned()), ..Instrument::default() });
        let parts = parts(source)?;
        let tables = SEARCH.tables(source, &parts, |row| is_header(row).then_some(()), &mut reading)?;
        let line = tables.first().map_or(1, |t| t.header.line);
        for table in &tables {
            Plate { sheet: table.sheet, header: table.header, below: table.below }.read(table.above, site, &mut reading);
        }
        if reading.samples.is_empty() {
            return Err(SEARCH.nothing(source, line));
        }
        Ok(reading)
    }
}

/// How the plate was read.
#[derive(Default)]
struct Conditions {
    /// Facts of every well.
    fields: Fields,
    wavelength_nm: Option<String>,
    unit: Option<String>,
    when: When,
}

impl Plate<'_> {
    fn place(&self, row: &Row, column: usize) -> Place {
        row_place(self.sheet, row, column)
    }

    fn not_read(&self, row: &Row, column: usize, text: &str, ja: &str, en: &str, reading: &mut Reading) {
        reading.not_read.push(NotRead::new(self.place(row, column), text, ja, en));
    }

    fn read(&self, above: &[Row], site: &Site, reading: &mut Reading) {
        for row in above {
            self.not_read(row, 0, &row.text(), "見出しより上の行です", "a line above the header", reading);
        }
        let columns: Vec<Column> = (0..self.header.cells.len()).map(|c| column(self.header.cell(c))).collect();
        let well_column = columns.iter().position(|c| *c == Column::Well).unwrap_or(0);
        let is_well = |row: &&Row| position(row.cell(well_column)).is_some();
        let wells: Vec<&Row> = self.below.iter().filter(is_well).collect();
        let others: Vec<&Row> = self.below.iter().filter(|row| !is_well(row)).collect();
        let conditions = self.conditions(&others, site, reading);
        let plate = self.plate(&wells, &columns, reading);
        let cells = wells
            .iter()
            .flat_map(|row| columns.iter().enumerate().filter(|(_, c)| **c == Column::Result).map(|(i, _)| row.cell(i)));
        let style = number_style(cells);
        let size = size(&wells, well_column);
        for row in wells {
            let mut sample = self.well(row, &columns, style, &conditions, plate.as_deref(), reading);
            if let Some(size) = size {
                note(&mut sample.fields, "plate-wells", &size.to_string());
            }
            reading.samples.push(sample);
        }
    }

    /// The one plate the sheet names, when it names it for some wells only.
    fn plate(&self, wells: &[&Row], columns: &[Column], reading: &mut Reading) -> Option<String> {
        let column = columns.iter().position(|c| *c == Column::Plate)?;
        let mut names: Vec<&str> = wells.iter().map(|row| row.cell(column)).filter(|name| !name.is_empty()).collect();
        let named = names.len();
        names.sort_unstable();
        names.dedup();
        match (names.as_slice(), named == wells.len()) {
            ([one], false) => {
                let rest = wells.len() - named;
                reading.diagnostics.push(Diagnostic::note(
                    "N-TECAN-001",
                    self.place(self.header, column),
                    format!("プレート名のないウェルが {rest} 個あります。シートにある唯一の名「{one}」のものとしました"),
                    format!("{rest} wells name no plate; the only plate of the sheet, \"{one}\", was taken"),
                ));
                Some((*one).to_owned())
            }
            _ => None,
        }
    }

    fn well(
        &self,
        row: &Row,
        columns: &[Column],
        style: NumberStyle,
        conditions: &Conditions,
        plate: Option<&str>,
        reading: &mut Reading,
    ) -> Sample {
        let mut fields = conditions.fields.clone();
        let cell = |wanted: Column| columns.iter().position(|c| *c == wanted).map_or("", |c| row.cell(c));
        let plate = Some(cell(Column::Plate)).filter(|p| !p.is_empty()).or(plate).unwrap_or("");
        let well = cell(Column::Well);
        note(&mut fields, "plate", plate);
        note(&mut fields, "well", well);
        let name = cell(Column::SampleName);
        let key = match (name, plate) {
            ("", "") => well.to_owned(),
            ("", plate) => format!("{plate}_{well}"),
            (name, _) => name.to_owned(),
        };
        let mut sample = Sample { key, run: None, when: conditions.when.clone(), fields, assays: Vec::new() };
        for index in 0..row.cells.len().max(columns.len()) {
            let text = row.cell(index);
            match columns.get(index).copied().unwrap_or(Column::Headless) {
                _ if text.is_empty() => {}
                Column::Layout => note(&mut sample.fields, self.header.cell(index), text),
                Column::Headless => {
                    self.not_read(row, index, text, "見出しのない列の値です", "a value in a column without header", reading);
                }
                Column::Result if row.cut_column(columns.len()) == Some(index) => {
                    self.not_read(row, index, text, "最後の行が途中で切れています", "the last line is cut off here", reading);
                }
                Column::Result => sample.assays.extend(self.assay(row, index, style, conditions, reading)),
                Column::Well | Column::Plate | Column::SampleName => {}
            }
        }
        sample
    }

    fn assay(
        &self,
        row: &Row,
        column: usize,
        style: NumberStyle,
        conditions: &Conditions,
        reading: &mut Reading,
    ) -> Option<Assay> {
        let place = self.place(row, column);
        if row.open && column + 1 == row.cells.len() {
            reading.diagnostics.push(open_end(place.clone(), false));
        }
        let unit = conditions.unit.as_deref().map_or(UnitSource::Unknown, UnitSource::Written);
        let value = result(row.cell(column), unit, style, &place, &mut reading.diagnostics);
        if value.kind == ValueKind::Missing {
            return None;
        }
        let optical = conditions
            .fields
            .get("detection-mode")
            .and_then(|m| m.as_str())
            .is_some_and(|m| m.eq_ignore_ascii_case("absorbance"));
        let mut assay = Assay::new(self.header.cell(column), value, place);
        assay.when = conditions.when.clone();
        assay.variable =
            optical.then(|| "optical-density".to_owned()).filter(|v| assay.value.unit.is_some() && fits(v, &assay.value));
        note(&mut assay.fields, WAVELENGTH, conditions.wavelength_nm.as_deref().unwrap_or(""));
        Some(assay)
    }

    /// The lines below the wells.
    fn conditions(&self, lines: &[&Row], site: &Site, reading: &mut Reading) -> Conditions {
        let mut out = Conditions::default();
        let mut nameless: Vec<&Row> = Vec::new();
        for row in lines {
            let text = row.cell(0);
            for column in (1..row.cells.len()).filter(|c| !row.cell(*c).is_empty()) {
                let (ja, en) = ("ウェルの位置でない行の値です", "a value in a line that names no well");
                self.not_read(row, column, row.cell(column), ja, en, reading);
            }
            if text.is_empty() {
                continue;
            }
            let lower = text.to_ascii_lowercase();
            match text.split_once(": ") {
                // A path keeps its place of origin; the bare file name before it says less.
                None if lower.ends_with(".mth") => note(&mut out.fields, "method", text),
                None if lower.ends_with(".wsp") => note(&mut out.fields, "data-file", text),
                None => nameless.push(row),
                Some((name, value)) => self.condition(row, name, value.trim(), site, &mut out, reading),
            }
        }
        match nameless.as_slice() {
            [measurement, user, instrument] => {
                note(&mut out.fields, "measurement", measurement.cell(0));
                note(&mut out.fields, "operator", user.cell(0));
                set(reading, |i| i.model = Some(instrument.cell(0).to_owned()));
            }
            rows => {
                for row in rows {
                    let (ja, en) = ("名前のない行で、意味を決められません", "a line without a name, whose meaning is not known");
                    self.not_read(row, 0, row.cell(0), ja, en, reading);
                }
            }
        }
        if out.when == When::Unknown {
            let (ja, en) = ("測定の日時の行がありません", "there is no line of date and time");
            reading.diagnostics.push(
                Diagnostic::warning("W-TECAN-001", self.place(self.header, 0), ja, en)
                    .remedy("日時を含めて書き出してください", "export the sheet with date and time"),
            );
        }
        if out.unit.is_none() {
            let (ja, en) = (
                "単位の行（Unit）がないため、値に単位を付けていません",
                "there is no line of the unit (Unit); the values have none",
            );
            reading.diagnostics.push(
                Diagnostic::warning("W-TECAN-002", self.place(self.header, 0), ja, en)
                    .remedy("測定条件を含めて書き出してください", "export the sheet with its measurement settings"),
            );
        }
        out
    }

    fn condition(&self, row: &Row, name: &str, value: &str, site: &Site, out: &mut Conditions, reading: &mut Reading) {
        match header_key(name).as_str() {
            "dateofmeasurement" | "date" => {
                let stamp: String = value
                    .replace("Time of measurement:", " ")
                    .replace("Time:", " ")
                    .replace(['/', ','], " ")
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ");
                if out.when == When::Unknown {
                    let clock = Clock::of(site);
                    out.when = match clock.when(&stamp, &self.place(row, 0), &mut reading.diagnostics) {
                        When::At(at) => When::At(toji_core::ClockTime { raw: row.cell(0).to_owned(), ..at }),
                        other => other,
                    };
                }
            }
            "instrumentserialnumber" => set(reading, |i| i.serial = Some(value.to_owned())),
            "measurementmode" => note(&mut out.fields, "detection-mode", value),
            "measurementwavelength" => match value.strip_suffix("nm").map(str::trim) {
                Some(number) => out.wavelength_nm = Some(number.to_owned()),
                None => note(&mut out.fields, name, value),
            },
            "numberofflashes" => note(&mut out.fields, "flashes", value),
            "unit" => out.unit = Some(value.to_owned()),
            "meastemperature" => {
                let number = value.rsplit(": ").next().unwrap_or(value);
                match number.strip_suffix("°C").map(str::trim) {
                    Some(number) => note(&mut out.fields, "compartment-temperature-cel", number),
                    None => note(&mut out.fields, name, value),
                }
            }
            _ => note(&mut out.fields, name, value),
        }
    }
}

fn set(reading: &mut Reading, change: impl FnOnce(&mut Instrument)) {
    if let Some(instrument) = reading.instrument.as_mut() {
        change(instrument);
    }
}

/// Wells of the plate, when the sheet holds every well of one that there is, and no other.
fn size(wells: &[&Row], column: usize) -> Option<usize> {
    let mut positions: Vec<(usize, usize)> = wells.iter().filter_map(|row| position(row.cell(column))).collect();
    positions.sort_unstable();
    positions.dedup();
    let (rows, columns) = PLATES.iter().find(|(rows, columns)| rows * columns == positions.len())?;
    positions.iter().all(|(row, column)| row < rows && column < columns).then_some(positions.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{check_damage, every_cut};
    use proptest::prelude::*;
    use toji_core::Unit;

    /// A six-well plate, values ours.
    const FILE: &str = "Raw data,Well positions,Plate\n0.1462,A1,P7\n0.2118,B1,P7\n0.1661,A2,\n> 3.5,B2,\nOVER,A3,\n0.0455,B3,\n\
        Date of measurement: 2026-03-14/Time of measurement: 09:43:07,,\nOD.mth,,\nC:\\mth\\OD.mth,,\n1.wsp,,\nC:\\wsp\\1.wsp,,\n595nm,,\nsimulated,,\nULTRA,,\n\
        Instrument serial number: 12,,\nMeasurement mode: Absorbance,,\nMeasurement wavelength: 595 nm,,\nNumber of flashes: 1,,\n\
        Shake duration (Linear High): 10 s,,\nUnit: OD,,\nMeas. temperature: Raw data: 23.4 °C,,\n\"Date: 2026-03-14, Time: 09:43:07\",,\n";

    fn read(text: &str) -> Result<Reading> {
        TecanMagellan.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn every_well_with_the_conditions_of_the_sheet() {
        assert_eq!(TecanMagellan.detect(&Source::new("x", FILE.as_bytes()).unwrap()).unwrap().score, 95);
        let reading = read(FILE).unwrap();
        let keys: Vec<&str> = reading.samples.iter().map(|s| s.key.as_str()).collect();
        assert_eq!(keys, ["P7_A1", "P7_B1", "P7_A2", "P7_B2", "P7_A3", "P7_B3"]);
        let first = &reading.samples[0];
        let assay = &first.assays[0];
        assert_eq!((assay.value.text.as_str(), assay.value.unit.as_ref().map(Unit::code)), ("0.1462", Some("{OD}")));
        assert_eq!((assay.variable.as_deref(), &assay.fields[WAVELENGTH]), (Some("optical-density"), &"595".into()));
        let When::At(at) = &assay.when else { panic!("a time") };
        assert_eq!(at.instant.to_string(), "2026-03-14T09:43:07Z");
        assert!(at.raw.starts_with("Date of measurement"));
        assert_eq!((&first.fields["plate-wells"], &first.fields["method"]), (&"6".into(), &"C:\\mth\\OD.mth".into()));
        assert_eq!(
            (&first.fields["operator"], &first.fields["compartment-temperature-cel"]),
            (&"simulated".into(), &"23.4".into())
        );
        assert_eq!(reading.samples[3].assays[0].value.kind, ValueKind::GreaterThan);
        assert_eq!(reading.samples[4].assays[0].value.number, None);
        let device = reading.instrument.unwrap();
        assert_eq!((device.model.as_deref(), device.serial.as_deref()), (Some("ULTRA"), Some("12")));
        let codes: Vec<&str> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!((codes, reading.not_read.len()), (vec!["N-TECAN-001"], 0));
    }

    #[test]
    fn a_part_of_a_plate_has_no_size_and_two_plates_are_not_mixed() {
        let part = read(&FILE.replace("0.0455,B3,\n", "")).unwrap();
        assert!(!part.samples[0].fields.contains_key("plate-wells"));
        let two = read(&FILE.replace("0.2118,B1,P7", "0.2118,B1,P8")).unwrap();
        assert_eq!((two.samples[1].key.as_str(), two.samples[2].key.as_str()), ("P8_B1", "A2"));
        assert_eq!(position("AF48"), Some((31, 47)));
        assert_eq!((position("A0"), position("1A"), position("AG1")), (None, None, None));
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read("\n").unwrap_err().code(), "E-TECAN-001");
        assert_eq!(read("a,b\n1,2\n").unwrap_err().code(), "E-TECAN-002");
        assert_eq!(read("Raw data,Well positions\n").unwrap_err().code(), "E-TECAN-003");
        let odd = read(&FILE.replace("ULTRA,,", "ULTRA,,\nmore,,")).unwrap();
        assert_eq!(odd.not_read.len(), 4, "without three nameless lines none has a meaning");
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&TecanMagellan, FILE);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_is_never_silent(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..900, byte in any::<u8>()) {
            check_damage(&TecanMagellan, FILE, &bytes, at, byte);
        }
    }
}
