//! Thermo Scientific GENESYS 30 scans: a few lines of `name<TAB>value`, then wavelength, absorbance and
//! transmittance, one wavelength a line.
//!
//! The file states no clock of its own; the name the instrument gives a scan holds it
//! (`Scan_20230914_160142.tsv` inside the file, whatever the file itself is called). `Length` says how
//! many wavelengths there must be: a scan cut short is reported.

use crate::analyser::{Clock, UnitSource, bracketed, header_key, note, number_style, result};
use crate::analyser_file::{open_end, refusal};
use crate::asm_terms::WAVELENGTH;
use crate::delimited::{Row, rows};
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use toji_core::culture::{Assay, Instrument, NotRead, Reading, Sample, When};
use toji_core::value::NumberStyle;
use toji_core::{Decimal, Diagnostic, Place, Result, Text, ValueKind};

/// The format.
pub struct ThermoGenesys30;

/// Lines looked at for the header of the spectrum.
const HEADER_LINES_MAX: usize = 40;
/// Characters looked at when a text is asked whether it is of this format.
const HEAD_CHARS: usize = 2000;
/// Names of lines above the spectrum.
const SIGNS: [&str; 5] = ["scan", "mode", "lower", "upper", "length"];
/// Most wavelengths of one scan; the instrument covers 325 to 1100 nm.
const WAVELENGTHS_MAX: usize = 100_000;

impl Format for ThermoGenesys30 {
    fn id(&self) -> &'static str {
        "thermo-genesys30"
    }
    fn label(&self) -> Text {
        Text::new("Thermo Scientific GENESYS 30（スキャン）", "Thermo Scientific GENESYS 30 (scan)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() {
            return None;
        }
        let head: String = source.text().chars().take(HEAD_CHARS).collect();
        let all = rows(&head, '\t', false);
        let header = header_row(&all)?;
        let named = |sign: &&&str| all.iter().take(header).any(|row| header_key(row.cell(0)) == ***sign);
        (SIGNS.iter().filter(named).count() >= 4).then(|| {
            Evidence::new(
                93,
                "Scan・Mode・Lower・Upper の行と波長の表があります",
                "it has the lines Scan, Mode, Lower, Upper and a table of wavelengths",
            )
        })
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let all = rows(source.text(), '\t', false);
        if all.is_empty() {
            return Err(refusal(source, "E-GENESYS30-001", Place::line(1), "ファイルが空です", "the file is empty"));
        }
        let Some((above, header, below)) = header_row(&all).and_then(|at| {
            let (header, below) = all.get(at..)?.split_first()?;
            Some((all.get(..at)?, header, below))
        }) else {
            let (ja, en) =
                ("波長の列見出し（wavelength(nm)）の行がありません", "there is no header line of wavelengths (wavelength(nm))");
            return Err(refusal(source, "E-GENESYS30-002", Place::line(1), ja, en));
        };
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        reading.instrument = Some(Instrument {
            maker: Some("Thermo Fisher Scientific".to_owned()),
            model: Some("Genesys 30".to_owned()),
            ..Instrument::default()
        });
        let (mut sample, length) = head(above, site, &mut reading);
        let wavelengths = spectrum(header, below, &mut sample, &mut reading);
        if sample.assays.is_empty() {
            let place = Place::line(header.line);
            let (ja, en) = ("見出しの下に測定値がありません", "there are no readings below the header");
            return Err(refusal(source, "E-GENESYS30-003", place, ja, en));
        }
        if let Some((stated, place)) = length.filter(|(stated, _)| *stated != wavelengths.to_string()) {
            reading.diagnostics.push(
                Diagnostic::warning(
                    "W-GENESYS30-001",
                    place,
                    format!("波長の数は {stated} と書かれていますが、{wavelengths} 行でした"),
                    format!("the file states {stated} wavelengths but holds {wavelengths}"),
                )
                .remedy("途中で切れていないか、装置から書き出し直してください", "check for a cut-off file and export it again"),
            );
        }
        reading.samples.push(sample);
        Ok(reading)
    }
}

fn header_row(all: &[Row]) -> Option<usize> {
    all.iter().take(HEADER_LINES_MAX).position(|row| header_key(row.cell(0)) == "wavelength" && row.cells.len() > 1)
}

/// Lines above the spectrum, and the stated number of wavelengths with its place.
fn head(above: &[Row], site: &Site, reading: &mut Reading) -> (Sample, Option<(String, Place)>) {
    let mut sample =
        Sample { key: String::new(), run: None, when: When::Unknown, fields: Default::default(), assays: Vec::new() };
    let mut length = None;
    for row in above {
        let (name, value) = (row.cell(0), row.cell(1));
        match header_key(name).as_str() {
            "scan" => {
                let scan = [".tsv", ".csv", ".txt"].iter().find_map(|end| value.strip_suffix(end)).unwrap_or(value);
                scan.clone_into(&mut sample.key);
                note(&mut sample.fields, "experiment-type", name);
                if let Some(stamp) = stamp(scan) {
                    sample.when = Clock::of(site).when(&stamp, &row.place(1), &mut reading.diagnostics);
                }
            }
            "mode" => note(&mut sample.fields, "detection-mode", value),
            "length" => {
                note(&mut sample.fields, name, value);
                length = Some((value.to_owned(), row.place(1)));
            }
            _ if !name.is_empty() && !value.is_empty() => note(&mut sample.fields, name, value),
            _ => {
                let (ja, en) = ("「名前 値」の行ではありません", "not a line of name and value");
                reading.not_read.push(NotRead::new(row.place(0), &row.text(), ja, en));
            }
        }
        for column in (2..row.cells.len()).filter(|c| !row.cell(*c).is_empty()) {
            let (ja, en) = ("名前と値の後の記載です", "text behind name and value");
            reading.not_read.push(NotRead::new(row.place(column), row.cell(column), ja, en));
        }
    }
    if sample.when == When::Unknown {
        let (ja, en) = ("スキャンの名前から日時を読めません", "the scan's name does not tell date and time");
        reading.diagnostics.push(
            Diagnostic::warning("W-GENESYS30-002", Place::line(above.first().map_or(1, |r| r.line)), ja, en)
                .remedy("試料の時刻が分からないため、ランと並べられません", "without a time the scan cannot be set beside a run"),
        );
    }
    (sample, length)
}

/// `Scan_20230914_160142` holds `20230914 160142`.
fn stamp(scan: &str) -> Option<String> {
    let digits = |part: &&str, count: usize| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = scan.split('_').collect();
    parts.windows(2).find_map(|pair| match pair {
        [date, time] if digits(date, 8) && digits(time, 6) => Some(format!("{date} {time}")),
        _ => None,
    })
}

/// The unit of a column of the spectrum.
fn unit(header: &str) -> UnitSource<'_> {
    match header.trim().to_ascii_lowercase().as_str() {
        "abs" | "absorbance" | "a" => UnitSource::Format("{AU}"),
        "%t" | "transmittance" => UnitSource::Format("%"),
        _ => bracketed(header).map_or(UnitSource::Unknown, UnitSource::Written),
    }
}

/// Reads the lines of the spectrum into the sample; returns how many wavelengths there were.
fn spectrum(header: &Row, below: &[Row], sample: &mut Sample, reading: &mut Reading) -> usize {
    let style = number_style(below.iter().flat_map(|row| (0..row.cells.len()).map(|c| row.cell(c))));
    let mut wavelengths = 0;
    for row in below {
        let wavelength = style.read(row.cell(0)).filter(|w| w.mantissa > 0);
        let cut = row.cut_column(header.cells.len());
        let (Some(_), true) = (wavelength.filter(|_| cut != Some(0)), wavelengths < WAVELENGTHS_MAX) else {
            let (ja, en) = ("波長の読めない行です", "a line without a readable wavelength");
            reading.not_read.push(NotRead::new(row.place(0), &row.text(), ja, en));
            continue;
        };
        wavelengths += 1;
        for column in 1..row.cells.len() {
            let text = row.cell(column);
            let name = header.cell(column);
            if text.is_empty() {
                continue;
            }
            if name.is_empty() || cut == Some(column) {
                let (ja, en) = match cut {
                    Some(_) => ("最後の行が途中で切れています", "the last line is cut off here"),
                    None => ("見出しのない列の値です", "a value in a column without header"),
                };
                reading.not_read.push(NotRead::new(row.place(column), text, ja, en));
                continue;
            }
            reading_at(header, row, column, style, sample, reading);
        }
    }
    wavelengths
}

fn reading_at(header: &Row, row: &Row, column: usize, style: NumberStyle, sample: &mut Sample, reading: &mut Reading) {
    let (name, wavelength, place) = (header.cell(column), row.cell(0), row.place(column));
    if row.open && column + 1 == row.cells.len() {
        reading.diagnostics.push(open_end(place.clone(), false));
    }
    let value = result(row.cell(column), unit(name), style, &place, &mut reading.diagnostics);
    if value.kind == ValueKind::Missing {
        return;
    }
    let mut assay = Assay::new(format!("{name} {wavelength} nm"), value, place);
    assay.when = sample.when.clone();
    let plain = style.read(wavelength).as_ref().map_or_else(|| wavelength.to_owned(), Decimal::to_string);
    note(&mut assay.fields, WAVELENGTH, &plain);
    sample.assays.push(assay);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{check_damage, every_cut};
    use proptest::prelude::*;
    use toji_core::Unit;

    const FILE: &str = "Scan\tScan_20260314_160142.tsv\t\nMode\tABS\t\nLower\t600\t\nUpper\t602\t\nLength\t3\t\nOperator\tsimulated\n\n\
        wavelength(nm) \t ABS \t %T\n600.0\t0.452\t35.32\n601.0\t> 3.0\t0.10\n602.0\t0.450\t35.48\n";

    fn read(text: &str) -> Result<Reading> {
        ThermoGenesys30.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn every_wavelength_with_its_unit_and_the_clock_of_the_scan() {
        assert!(ThermoGenesys30.detect(&Source::new("x", FILE.as_bytes()).unwrap()).is_some());
        let reading = read(FILE).unwrap();
        let sample = &reading.samples[0];
        assert_eq!((sample.key.as_str(), sample.assays.len()), ("Scan_20260314_160142", 6));
        let When::At(at) = &sample.when else { panic!("a time") };
        assert_eq!(at.instant.to_string(), "2026-03-14T16:01:42Z");
        let first = &sample.assays[0];
        assert_eq!((first.analyte.as_str(), first.value.text.as_str()), ("ABS 600.0 nm", "0.452"));
        assert_eq!((first.value.unit.as_ref().map(Unit::code), first.place.line), (Some("{AU}"), Some(9)));
        assert_eq!(sample.assays[1].value.unit.as_ref().map(Unit::code), Some("%"));
        assert_eq!((sample.assays[2].value.kind, sample.assays[2].value.low), (ValueKind::GreaterThan, Some(3.0)));
        assert_eq!(sample.fields["Lower"], "600");
        assert!(reading.not_read.is_empty() && reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    }

    #[test]
    fn a_scan_cut_short_and_a_scan_without_a_clock_are_reported() {
        let short = read(&FILE[..FILE.find("602.0").unwrap()]).unwrap();
        assert_eq!((short.diagnostics[0].code.as_str(), short.diagnostics[0].place.line), ("W-GENESYS30-001", Some(5)));
        let timeless = read(&FILE.replace("Scan_20260314_160142.tsv", "yeast")).unwrap();
        assert_eq!((timeless.samples[0].key.as_str(), &timeless.samples[0].when), ("yeast", &When::Unknown));
        assert!(timeless.diagnostics.iter().any(|d| d.code == "W-GENESYS30-002"));
        let commas = read(&FILE.replace('.', ",")).unwrap();
        assert_eq!(commas.samples[0].assays[0].value.number, Some(0.452));
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read(" \n").unwrap_err().code(), "E-GENESYS30-001");
        assert_eq!(read("Scan\tx\n").unwrap_err().code(), "E-GENESYS30-002");
        assert_eq!(read("Scan\tx\nwavelength(nm)\tABS\n").unwrap_err().code(), "E-GENESYS30-003");
        let odd = read(&FILE.replace("601.0", "dark")).unwrap();
        assert_eq!((odd.not_read[0].place.line, odd.samples[0].assays.len()), (Some(10), 4));
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&ThermoGenesys30, FILE);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_is_never_silent(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..300, byte in any::<u8>()) {
            check_damage(&ThermoGenesys30, FILE, &bytes, at, byte);
        }
    }
}
