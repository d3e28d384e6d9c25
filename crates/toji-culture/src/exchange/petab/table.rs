//! Tables: tab-separated text with a header.

use super::{PETAB_001, PETAB_002, PETAB_003};
use std::sync::Arc;
use toji_core::{Diagnostic, Place};

/// Most rows of a table.
const ROWS_MAX: usize = 5_000_000;

/// A table.
pub(super) struct Table {
    file: String,
    header: Vec<String>,
    rows: Vec<(u64, Vec<String>)>,
}

/// A row of a table.
pub(super) struct Row<'t> {
    table: &'t Table,
    line: u64,
    cells: &'t [String],
}

/// A cell without the quotes that some programs put around it.
fn bare(cell: &str) -> String {
    let cell = cell.trim();
    match cell.strip_prefix('"').and_then(|c| c.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => cell.to_owned(),
    }
}

impl Table {
    /// Reads a table with these columns at least.
    pub(super) fn read(file: &str, bytes: &[u8], columns: &[&str], findings: &mut Vec<Diagnostic>) -> Option<Self> {
        let Ok(text) = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) else {
            findings.push(
                Diagnostic::error(
                    PETAB_001,
                    Place::default().in_file(file),
                    "表が UTF-8 ではありません",
                    "the table is not UTF-8",
                )
                .remedy("UTF-8 で保存し直してください", "save it as UTF-8"),
            );
            return None;
        };
        let mut lines = text.lines().zip(1_u64..).filter(|(line, _)| !line.trim().is_empty());
        let header: Vec<String> = lines.next().map(|(line, _)| line.split('\t').map(bare).collect()).unwrap_or_default();
        let missing: Vec<&str> = columns.iter().copied().filter(|c| !header.iter().any(|h| h == c)).collect();
        if !missing.is_empty() {
            let list = missing.join(", ");
            findings.push(
                Diagnostic::error(
                    PETAB_002,
                    Place::line(1).in_file(file),
                    format!("列 {list} がありません"),
                    format!("the columns {list} are missing"),
                )
                .remedy("タブ区切りの表に列を加えてください", "add the columns to the tab-separated table"),
            );
            return None;
        }
        let mut rows = Vec::new();
        for (line, number) in lines.take(ROWS_MAX) {
            let cells: Vec<String> = line.split('\t').map(bare).collect();
            if cells.len() > header.len() {
                findings.push(
                    Diagnostic::error(
                        PETAB_002,
                        Place::line(number).in_file(file),
                        format!("見出しは {} 列ですが、この行は {} 列です", header.len(), cells.len()),
                        format!("the header has {} columns, this row {}", header.len(), cells.len()),
                    )
                    .remedy("余分なタブを除いてください", "remove the tabs that are too many"),
                );
            }
            rows.push((number, cells));
        }
        Some(Self { file: file.to_owned(), header, rows })
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row { table: self, line: *line, cells })
    }
}

impl<'t> Row<'t> {
    /// A cell that is not empty.
    pub(super) fn cell(&self, column: &str) -> Option<&'t str> {
        let at = self.table.header.iter().position(|h| h == column)?;
        self.cells.get(at).map(String::as_str).filter(|c| !c.is_empty())
    }

    pub(super) fn place(&self, column: &str) -> Place {
        Place::line(self.line).in_file(self.table.file.clone()).at_field(column)
    }

    /// A fault of a cell.
    pub(super) fn bad(&self, column: &str, ja: &str, en: &str) -> Diagnostic {
        let cell = self.cell(column).unwrap_or_default();
        let words = (format!("{column} {cell:?}: {ja}"), format!("{column} {cell:?}: {en}"));
        let finding = Diagnostic::error(PETAB_003, self.place(column), words.0, words.1);
        finding.remedy("この欄を直してください", "correct this cell")
    }

    /// A cell that must not be empty.
    pub(super) fn must(&self, column: &str, findings: &mut Vec<Diagnostic>) -> Option<Arc<str>> {
        let cell = self.cell(column).map(Arc::from);
        if cell.is_none() {
            findings.push(self.bad(column, "空です", "it is empty"));
        }
        cell
    }

    /// A number, if there is one.
    pub(super) fn number(&self, column: &str, findings: &mut Vec<Diagnostic>) -> Option<f64> {
        let read = self.cell(column)?.parse::<f64>().ok();
        if read.is_none() {
            findings.push(self.bad(column, "数ではありません", "it is no number"));
        }
        read
    }

    /// A number that must be there.
    pub(super) fn must_number(&self, column: &str, findings: &mut Vec<Diagnostic>) -> Option<f64> {
        self.must(column, findings)?;
        self.number(column, findings)
    }

    /// One of these words, or the first where there is none.
    pub(super) fn one_of<T: Copy>(&self, column: &str, words: &[(&str, T)], findings: &mut Vec<Diagnostic>) -> T {
        let Some(cell) = self.cell(column) else { return words[0].1 };
        match words.iter().find(|(word, _)| word.eq_ignore_ascii_case(cell)) {
            Some((_, meaning)) => *meaning,
            None => {
                let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let list = list.join(", ");
                findings.push(self.bad(column, &format!("{list} のどれかです"), &format!("it is one of {list}")));
                words[0].1
            }
        }
    }
}
