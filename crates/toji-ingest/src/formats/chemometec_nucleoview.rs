//! ChemoMetec NucleoView (NucleoCounter NC-200): one count a file, as lines of `name;value;`.
//!
//! The file states its zone (`Time zone offset`, hours east of UTC). Older exports state neither time
//! nor device. A spreadsheet program that saved the file again leaves a comma at every line's end. The
//! image's name carries the sample: `20231120-0012-c-cellsABCD` is the sample `cellsABCD`.

use super::beckman_vicell_blu::header_unit;
use crate::analyser::header_key;
use crate::analyser_file::refusal;
use crate::analyser_table::Role::{Analysed, Diluted, Field, Result as Measured, Sample};
use crate::analyser_table::{Column, Known, read_pairs};
use crate::delimited::{Row, rows};
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use toji_core::clock::{DateOrder, Zone, ZoneEvidence};
use toji_core::culture::{Instrument, NotRead, Reading};
use toji_core::{Decimal, Diagnostic, Place, Result, Text};

/// The format.
pub struct ChemometecNucleoView;

const COLUMNS: &[Known] = &[
    ("sample", Sample),
    ("datetime", Analysed),
    ("image", Field("image")),
    ("cmfilename", Field("image-file")),
    ("operator", Field("operator")),
    ("samplevolume", Field("sample-volume-ul")),
    ("dilutionvolume", Field("dilution-volume-ul")),
    ("multiplicationfactor", Field("dilution")),
    ("viability", Measured("viability", "viability", "%")),
    ("live", Diluted("viable cell density", "viable-cell-density", "/mL")),
    ("dead", Diluted("dead cell density", "dead-cell-density", "/mL")),
    ("total", Diluted("total cell density", "total-cell-density", "/mL")),
    ("estimatedcelldiameter", Measured("average total cell diameter", "cell-diameter", "um")),
    ("celldiameterstandarddeviation", Measured("cell diameter standard deviation", "", "um")),
    ("ofcellsinaggregateswithfiveormorecells", Measured("cells in aggregates of five or more", "", "%")),
];

/// Names that together are this instrument's.
const SIGNS: [&str; 7] =
    ["live", "dead", "total", "estimatedcelldiameter", "celldiameterstandarddeviation", "dilutionvolume", "multiplicationfactor"];
/// Of these, so many at least.
const SIGNS_MIN: usize = 4;
/// Characters looked at when a text is asked whether it is of this format.
const HEAD_CHARS: usize = 4000;

fn column(label: &str) -> Column {
    let column = Column::new(label, &header_key(label), header_unit(label), COLUMNS);
    match column.role {
        Some(Measured(..) | Diluted(..)) => column,
        // A setting's brackets hold its unit, but a setting is not a result.
        _ => Column { unit: None, ..column },
    }
}

/// Name and value of a line; what a spreadsheet program left behind them is no value.
fn pair(row: &Row) -> (&str, &str) {
    let bare = |cell: usize| row.cell(cell).trim_end_matches(',').trim_end();
    (bare(0), bare(1))
}

/// `20231120-0012-c-cellsABCD` is date, count of the day, a letter and the sample.
fn sample_of(image: &str) -> &str {
    let mut parts = image.splitn(4, '-');
    let mut digits = |count: usize| parts.next().is_some_and(|p| p.len() == count && p.bytes().all(|b| b.is_ascii_digit()));
    let shaped = digits(8) && digits(4) && parts.next().is_some_and(|p| p.chars().count() == 1);
    parts.next().filter(|name| shaped && !name.is_empty()).unwrap_or(image)
}

impl Format for ChemometecNucleoView {
    fn id(&self) -> &'static str {
        "chemometec-nucleoview"
    }
    fn label(&self) -> Text {
        Text::same("ChemoMetec NucleoView")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() {
            return None;
        }
        let head: String = source.text().chars().take(HEAD_CHARS).collect();
        let keys: Vec<String> = rows(&head, ';', true).iter().map(|row| header_key(pair(row).0)).collect();
        let signs = SIGNS.iter().filter(|sign| keys.iter().any(|k| k == *sign)).count();
        (signs >= SIGNS_MIN).then(|| {
            Evidence::new(
                94,
                "NucleoView の項目名（Live (cells/ml)、Multiplication factor …）があります",
                "it has the names of NucleoView (Live (cells/ml), Multiplication factor …)",
            )
        })
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let mut file = File::default();
        let rows = rows(source.text(), ';', true);
        if rows.is_empty() {
            return Err(refusal(source, "E-NUCLEOVIEW-001", Place::line(1), "ファイルが空です", "the file is empty"));
        }
        rows.iter().enumerate().for_each(|(index, row)| file.line(row, index == 0));
        let File { mut reading, instrument, samples, offset, .. } = file;
        reading.format = self.id().to_owned();
        reading.format_version = instrument.software_version.clone();
        reading.instrument = Some(instrument);
        let site = zone(offset, site, &mut reading);
        for pairs in samples {
            read_pairs(pairs, column, DateOrder::YearMonthDay, &site, &mut reading);
        }
        if reading.samples.iter().all(|s| s.assays.is_empty()) {
            let (ja, en) = (
                "NucleoView の結果の行（Viability、Live …）がありません",
                "there are no lines of NucleoView results (Viability, Live …)",
            );
            return Err(refusal(source, "E-NUCLEOVIEW-002", Place::line(1), ja, en).with(reading.diagnostics));
        }
        Ok(reading)
    }
}

/// The lines read so far.
struct File {
    reading: Reading,
    instrument: Instrument,
    /// Names and values of each sample; a second `Image` begins a second sample.
    samples: Vec<Vec<(String, String, Place)>>,
    offset: Option<(String, Place)>,
}

impl Default for File {
    fn default() -> Self {
        let instrument =
            Instrument { maker: Some("ChemoMetec".to_owned()), software: Some("NucleoView".to_owned()), ..Instrument::default() };
        Self { reading: Reading::default(), instrument, samples: Vec::new(), offset: None }
    }
}

impl File {
    fn line(&mut self, row: &Row, is_first: bool) {
        let (name, value) = pair(row);
        let place = row.place(1);
        let check = name.strip_prefix("//[").and_then(|rest| rest.strip_suffix(']'));
        match (name, value) {
            ("", "") => {}
            (_, "") if check.is_some() => self.keep("file check", check.unwrap_or(""), &row.place(0)),
            _ if row.open => self.cut(row),
            (title, "") if is_first => self.keep("title", title, &row.place(0)),
            (_, "") if row.cells.len() > 1 => {}
            (_, "") => self.not_read(row, "「名前;値」の行ではありません", "not a line of \"name;value\""),
            _ => self.pair(name, value, place),
        }
        for column in (2..row.cells.len()).filter(|c| !row.cell(*c).trim_matches([',', ' ']).is_empty()) {
            let (ja, en) = ("名前と値の後の記載です", "text behind name and value");
            self.reading.not_read.push(NotRead::new(row.place(column), row.cell(column), ja, en));
        }
    }

    fn pair(&mut self, name: &str, value: &str, place: Place) {
        let text = Some(value.to_owned());
        match header_key(name).as_str() {
            "instrumenttype" => self.instrument.model = text,
            "instrumentsn" => self.instrument.serial = Some(value.trim_start_matches("s/n").trim().to_owned()),
            "applicationswversion" => self.instrument.software_version = text,
            "timezoneoffset" => self.offset = Some((value.to_owned(), place)),
            "image" => {
                let has_image = |s: &Vec<(String, String, Place)>| s.iter().any(|(name, ..)| name == "Sample");
                if self.samples.last().is_some_and(has_image) {
                    self.samples.push(Vec::new());
                }
                self.keep("Sample", sample_of(value), &place);
                self.keep(name, value, &place);
            }
            _ => self.keep(name, value, &place),
        }
    }

    fn keep(&mut self, name: &str, value: &str, place: &Place) {
        if self.samples.is_empty() {
            self.samples.push(Vec::new());
        }
        if let Some(pairs) = self.samples.last_mut() {
            pairs.push((name.to_owned(), value.to_owned(), place.clone()));
        }
    }

    fn cut(&mut self, row: &Row) {
        let (ja, en) = ("最後の行が途中で切れています", "the last line is cut off here");
        self.not_read(row, ja, en);
        self.reading.diagnostics.push(
            Diagnostic::warning("W-NUCLEOVIEW-001", row.place(0), ja, en)
                .remedy("装置から書き出し直してください", "export it again from the instrument"),
        );
    }

    fn not_read(&mut self, row: &Row, ja: &str, en: &str) {
        self.reading.not_read.push(NotRead::new(row.place(0), &row.text(), ja, en));
    }
}

/// The site with the zone the file states, in hours east of UTC.
fn zone(offset: Option<(String, Place)>, site: &Site, reading: &mut Reading) -> Site {
    let Some((text, place)) = offset else { return site.clone() };
    let minutes = Decimal::parse(&text.replace(',', ".")).map(|hours| hours.to_f64() * 60.0);
    let whole = minutes.filter(|m| m.fract() == 0.0 && m.abs() <= 14.0 * 60.0);
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 840")]
    match whole.and_then(|m| Zone::minutes_east(m as i32, ZoneEvidence::File).ok()) {
        Some(zone) => Site { zone, ..site.clone() },
        None => {
            reading.diagnostics.push(
                Diagnostic::warning(
                    "W-NUCLEOVIEW-002",
                    place,
                    format!("時差「{text}」を読めないため、サイトの時間帯を用いました"),
                    format!("the zone offset \"{text}\" is not readable; the site's zone was used"),
                )
                .remedy("装置の時差の設定を確かめてください", "check the instrument's time zone"),
            );
            site.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{check_damage, every_cut};
    use proptest::prelude::*;
    use toji_core::ValueKind;
    use toji_core::culture::When;

    const FILE: &str = "Viability and Cell Count Assay - simulated; ;\r\nImage;20260314-0003-b-R1-d2;\r\nOperator;toji;\r\n\
        Viability (%);68.2;\r\nLive (cells/ml);2.45E6;\r\nDead (cells/ml);1.14E6;\r\nTotal (cells/ml);3.59E6;\r\n ; ;\r\n\
        Estimated cell diameter [um];<8;\r\nCell diameter standard deviation (um);6.9;\r\n\
        (%) of cells in aggregates with five or more cells;3;\r\nSample Volume (ul);200.0;\r\nDilution Volume (ul);0.000;\r\n\
        Multiplication factor;2.000;\r\n;\r\ncm filename;20260314-0003-b-R1-d2.cm\r\nInstrument type;NucleoView NC-200\r\n\
        Instrument s/n;s/n 77\r\nDate time;20260314 163016\r\nTime zone offset;-3.5\r\nApplication SW version;1.4\r\n\r\n//[0A1B2C3D]\r\n";

    fn read(text: &str) -> Result<Reading> {
        ChemometecNucleoView.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn values_bound_zone_and_device() {
        assert!(ChemometecNucleoView.detect(&Source::new("x", FILE.as_bytes()).unwrap()).is_some());
        let reading = read(FILE).unwrap();
        let sample = &reading.samples[0];
        assert_eq!((sample.key.as_str(), &sample.fields["image"]), ("R1-d2", &"20260314-0003-b-R1-d2".into()));
        let by = |name: &str| sample.assays.iter().find(|a| a.analyte.starts_with(name)).unwrap();
        assert_eq!((by("Live").value.number, by("Live").value.dilution), (Some(2_450_000.0), Some(2.0)));
        assert_eq!((by("Dead").value.text.as_str(), by("Dead").place.line), ("1.14E6", Some(6)));
        let diameter = &by("Estimated").value;
        assert_eq!((diameter.kind, diameter.number, diameter.high), (ValueKind::LessThan, None, Some(8.0)));
        let When::At(at) = &by("Live").when else { panic!("a time") };
        assert_eq!((at.instant.to_string().as_str(), at.evidence), ("2026-03-14T20:00:16Z", ZoneEvidence::File));
        assert_eq!(at.raw, "20260314 163016");
        let device = reading.instrument.unwrap();
        assert_eq!((device.serial.as_deref(), device.software_version.as_deref()), (Some("77"), Some("1.4")));
        assert_eq!(sample.fields["file check"], "0A1B2C3D");
        assert!(
            reading.not_read.is_empty() && reading.diagnostics.is_empty(),
            "{:?} {:?}",
            reading.not_read,
            reading.diagnostics
        );
    }

    #[test]
    fn saved_again_with_commas_and_without_a_time() {
        let text: String = FILE.lines().take(14).map(|l| format!("{l},\n")).collect();
        let reading = read(&text).unwrap();
        assert_eq!((reading.samples[0].assays.len(), &reading.samples[0].when), (7, &When::Unknown));
        assert_eq!(reading.samples[0].fields["dilution"], "2.000");
        assert!(reading.diagnostics.iter().any(|d| d.code == "W-TABLE-001"));
        assert!(reading.not_read.is_empty(), "{:?}", reading.not_read);
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read("").unwrap_err().code(), "E-NUCLEOVIEW-001");
        assert_eq!(read("Image;x;\n").unwrap_err().code(), "E-NUCLEOVIEW-002");
        let odd = read(&FILE.replace("-3.5", "soon")).unwrap();
        assert_eq!((odd.diagnostics[0].code.as_str(), odd.diagnostics[0].place.line), ("W-NUCLEOVIEW-002", Some(20)));
        assert_eq!(sample_of("plain-name"), "plain-name");
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&ChemometecNucleoView, FILE);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_is_never_silent(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..900, byte in any::<u8>()) {
            check_damage(&ChemometecNucleoView, FILE, &bytes, at, byte);
        }
    }
}
