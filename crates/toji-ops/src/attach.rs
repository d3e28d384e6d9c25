//! Files that operations hand out: CSV, JSON, XLSX.

use crate::operation::Attachment;
use toji_core::{Error, Result};

/// A table of texts as a file. `format` is `csv` or `xlsx`.
pub(crate) fn table(name: &str, format: &str, header: &[String], rows: &[Vec<String>]) -> Result<Attachment> {
    match format {
        "xlsx" => {
            let mut book = rust_xlsxwriter::Workbook::new();
            let sheet = book.add_worksheet();
            for (r, row) in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)).enumerate() {
                for (c, cell) in row.iter().enumerate() {
                    let (r, c) = (
                        u32::try_from(r).map_err(|e| Error::bug("E-XLSX-001", e))?,
                        u16::try_from(c).map_err(|e| Error::bug("E-XLSX-001", e))?,
                    );
                    sheet.write_string(r, c, cell).map_err(|e| Error::bug("E-XLSX-002", e))?;
                }
            }
            let bytes = book.save_to_buffer().map_err(|e| Error::bug("E-XLSX-003", e))?;
            let media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            Ok(Attachment { name: format!("{name}.xlsx"), media_type, bytes })
        }
        _ => {
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
                writer.write_record(row).map_err(|e| Error::bug("E-CSV-001", e))?;
            }
            let bytes = writer.into_inner().map_err(|e| Error::bug("E-CSV-002", e))?;
            Ok(Attachment { name: format!("{name}.csv"), media_type: "text/csv; charset=utf-8", bytes })
        }
    }
}
