//! Skyline export as experiment depots take it: one peptide area a row.
//!
//! Areas are kept peptide by peptide. Other programs sum them to proteins and read `#N/A` as zero; here
//! `#N/A` stays "no result" and nothing is summed.

use super::{Header, not_read_row, not_read_sheet, nothing_read};
use crate::cell::{Cell, Sheet};
use crate::{Evidence, Format, Site, Source};
use toji_core::culture::{Assay, Fields, Reading, Sample, When};
use toji_core::{Result, Text, Value};

/// The format.
pub(crate) struct Skyline;

const NEEDED: [&str; 3] = ["replicate name", "protein name", "total area"];

impl Format for Skyline {
    fn id(&self) -> &'static str {
        "skyline"
    }
    fn label(&self) -> Text {
        Text::new("Skyline（ペプチドの面積）", "Skyline (peptide areas)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn score_max(&self) -> u8 {
        85
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        let sheets = source.tables(super::HEAD_ROWS_MAX + 1).ok()?;
        sheets.iter().any(|s| Header::find(s, &NEEDED).is_some()).then(|| {
            Evidence::new(
                85,
                "見出し: Replicate Name, Protein Name, Total Area",
                "header: Replicate Name, Protein Name, Total Area",
            )
        })
    }
    fn read(&self, source: &Source<'_>, _site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        let sheets = source.tables(usize::MAX)?;
        for sheet in &sheets {
            match Header::find(sheet, &NEEDED) {
                Some(header) => read_sheet(sheet, &header, &mut reading),
                None => not_read_sheet(sheet, &mut reading),
            }
        }
        if reading.samples.is_empty() {
            return Err(nothing_read(sheets.first()));
        }
        Ok(reading)
    }
}

fn read_sheet(sheet: &Sheet, header: &Header, reading: &mut Reading) {
    let peptide = header.column("peptide");
    let columns = [header.column("replicate name"), header.column("protein name"), header.column("total area"), peptide];
    header.list_rest(sheet, &columns, reading);
    let [Some(replicate), Some(protein), Some(area), _] = columns else { return };
    for row in header.row + 1..sheet.rows.len() {
        let (key, name, cell) = (sheet.text(row, replicate), sheet.text(row, protein), sheet.cell(row, area));
        if key.is_empty() || name.is_empty() || cell.is_blank() {
            not_read_row(
                sheet,
                row,
                reading,
                "反復、タンパク質または面積がありません",
                "the row lacks its replicate, protein or area",
            );
            continue;
        }
        let peptide = peptide.map(|c| sheet.text(row, c)).filter(|p| !p.is_empty());
        let analyte = peptide.as_ref().map_or_else(|| name.clone(), |p| format!("{name} / {p}"));
        let value = match cell {
            Cell::Number(number) => Value::exact(*number, &cell.to_string()),
            other => Value::parse(&other.to_string()),
        };
        let mut assay = Assay::new(analyte, value, sheet.place(row, area));
        assay.method = Some("peak area".into());
        assay.fields.insert("protein".into(), name.into());
        assay.fields.extend(peptide.map(|p| ("peptide".to_owned(), p.into())));
        let at = reading.samples.iter().position(|s| s.key == key).unwrap_or_else(|| {
            let sample = Sample { key, run: None, when: When::Unknown, fields: Fields::new(), assays: Vec::new() };
            reading.samples.push(sample);
            reading.samples.len() - 1
        });
        if let Some(sample) = reading.samples.get_mut(at) {
            sample.assays.push(assay);
        }
    }
}
