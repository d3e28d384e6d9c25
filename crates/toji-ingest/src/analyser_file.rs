//! Where in a file the result table of an analyser stands: in delimited text or in a sheet of a
//! workbook, below a header that names enough of the instrument's own columns.
//!
//! The same export is met as CSV and, saved again by a spreadsheet program, as a workbook. A format
//! says what its table looks like ([`Layout`]); finding, unit rows and refusals are the same for all.

use crate::analyser_table::Role::{Analysed, Sample};
use crate::analyser_table::{Column, Known, Table};
use crate::cell::{Cell, Sheet};
use crate::delimited::{Row, rows, sniff};
use crate::format::{Evidence, Site};
use crate::source::Source;
use toji_core::clock::DateOrder;
use toji_core::culture::{NotRead, Reading};
use toji_core::{Diagnostic, Error, Place, Result, Unit};

/// Lines looked at for the header.
const HEADER_LINES_MAX: usize = 10;
/// Characters looked at when a text is asked whether it is of a format.
const HEAD_CHARS: usize = 20_000;

/// What the result table of one instrument looks like.
pub(crate) struct Layout {
    /// Columns it knows, by key.
    pub(crate) columns: &'static [Known],
    /// Keys of headers that together are this instrument's.
    pub(crate) signs: &'static [&'static str],
    /// How many of `signs` a header holds at least.
    pub(crate) signs_min: usize,
    /// One of these keys stands in the header too; empty when the signs are enough.
    pub(crate) needed: &'static [&'static str],
    /// Key of a header, usually [`crate::analyser::header_key`].
    pub(crate) key: fn(&str) -> String,
    /// Unit a header states.
    pub(crate) unit: fn(&str) -> Option<String>,
    /// A row of units may stand below the header.
    pub(crate) unit_row: bool,
    /// Date order the instrument writes unless told otherwise.
    pub(crate) usual: DateOrder,
    /// Codes of refusals: an empty file, no header, no results.
    pub(crate) codes: [&'static str; 3],
    /// Some of its columns, for messages.
    pub(crate) examples: &'static str,
}

/// One table-shaped part of a file.
pub(crate) struct Part<'a> {
    /// Sheet of a workbook.
    pub(crate) sheet: Option<&'a str>,
    /// Its rows, without blank ones.
    pub(crate) rows: Vec<Row>,
}

/// The delimiter of a text: the one of its longest line among the first.
pub(crate) fn delimiter(text: &str) -> char {
    sniff(text.lines().take(HEADER_LINES_MAX).max_by_key(|l| l.len()).unwrap_or(""))
}

/// Rows of a sheet from `first` on, as lines of cells; blank rows are left out.
pub(crate) fn sheet_rows(sheet: &Sheet, first: usize) -> Vec<Row> {
    let row = |(index, cells): (usize, &Vec<Cell>)| Row {
        line: index as u64 + 1,
        cells: cells.iter().map(Cell::to_string).collect(),
        open: false,
    };
    sheet.rows.iter().enumerate().skip(first).map(row).filter(|row| !row.is_blank()).collect()
}

impl Layout {
    /// How many of the instrument's own headers a row holds.
    fn signs_in(&self, row: &Row) -> usize {
        let keys: Vec<String> = row.cells.iter().map(|c| (self.key)(c)).collect();
        let has = |key: &&&str| keys.iter().any(|k| k == *key);
        if !self.needed.is_empty() && !self.needed.iter().any(|n| has(&n)) {
            return 0;
        }
        self.signs.iter().filter(has).count()
    }

    fn header_row(&self, rows: &[Row]) -> Option<usize> {
        rows.iter().take(HEADER_LINES_MAX).position(|row| self.signs_in(row) >= self.signs_min)
    }

    /// Does the file hold this table? `score` is that of a header with the fewest signs.
    pub(crate) fn detect(&self, source: &Source<'_>, score: u8, ja: &str, en: &str) -> Option<Evidence> {
        let heads = head(source, HEAD_CHARS, HEADER_LINES_MAX)?;
        let rows = heads.iter().flat_map(|part| part.rows.iter().take(HEADER_LINES_MAX));
        let signs = rows.map(|row| self.signs_in(row)).max()?;
        let more = u8::try_from(signs.checked_sub(self.signs_min)?.min(7)).unwrap_or(0);
        Some(Evidence::new(score.saturating_add(more * 2).min(99), ja, en))
    }

    /// Reads every part of the file that holds the table.
    ///
    /// # Errors
    /// The three faults of `codes`, with their place.
    pub(crate) fn read(&self, source: &Source<'_>, site: &Site, reading: &mut Reading) -> Result<()> {
        let [empty, no_header, no_results] = self.codes;
        let parts = parts(source)?;
        if parts.iter().all(|p| p.rows.is_empty()) {
            return Err(refusal(source, empty, Place::line(1), "ファイルが空です", "the file is empty"));
        }
        let mut header_place = None;
        for part in &parts {
            let Some(at) = self.header_row(&part.rows) else {
                let (ja, en) = ("結果の表のない部分です", "a part without the table of results");
                if let Some(row) = part.rows.first() {
                    reading.not_read.push(NotRead::new(part.place(row), &row.text(), ja, en));
                }
                continue;
            };
            for row in part.rows.iter().take(at) {
                let (ja, en) = ("見出しより上の行です", "a line above the header");
                reading.not_read.push(NotRead::new(part.place(row), &row.text(), ja, en));
            }
            if let Some((header, below)) = part.rows.get(at..).and_then(<[Row]>::split_first) {
                header_place.get_or_insert_with(|| part.place(header));
                self.read_table(part.sheet, header, below, site, reading);
            }
        }
        let Some(place) = header_place else {
            let ja = format!("列見出し（{}）の行がありません", self.examples);
            let en = format!("there is no header line ({})", self.examples);
            return Err(refusal(source, no_header, Place::line(1), &ja, &en));
        };
        if reading.samples.iter().all(|s| s.assays.is_empty()) {
            let (ja, en) = ("見出しの下に結果がありません", "there are no results below the header");
            return Err(refusal(source, no_results, place, ja, en));
        }
        Ok(())
    }

    fn read_table(&self, sheet: Option<&str>, header: &Row, below: &[Row], site: &Site, reading: &mut Reading) {
        let column = |cell: &String| Column::new(cell, &(self.key)(cell), (self.unit)(cell), self.columns);
        let mut columns: Vec<Column> = header.cells.iter().map(column).collect();
        let mut rows = below;
        if self.unit_row
            && let Some((first, rest)) = below.split_first().filter(|(first, _)| is_unit_row(first, &columns))
        {
            for (index, column) in columns.iter_mut().enumerate().filter(|(i, _)| !first.cell(*i).is_empty()) {
                column.unit = Some(first.cell(index).to_owned());
            }
            rows = rest;
        }
        Table { columns, rows, sheet, header_line: header.line, usual: self.usual }.read(site, reading);
    }
}

impl Part<'_> {
    fn place(&self, row: &Row) -> Place {
        row_place(self.sheet, row, 0)
    }
}

/// Place of a cell of a row, in a sheet or in a text.
pub(crate) fn row_place(sheet: Option<&str>, row: &Row, column: usize) -> Place {
    match sheet {
        Some(sheet) => row.place(column).in_sheet(sheet),
        None => row.place(column),
    }
}

/// The parts of a file that have any text: a text, or the sheets of a workbook.
pub(crate) fn parts<'a>(source: &'a Source<'_>) -> Result<Vec<Part<'a>>> {
    if !source.is_workbook() {
        let text = source.text();
        return Ok(vec![Part { sheet: None, rows: rows(text, delimiter(text), true) }]);
    }
    let part = |sheet: &'a Sheet| Part { sheet: Some(&sheet.name), rows: sheet_rows(sheet, 0) };
    Ok(source.sheets()?.iter().map(part).filter(|p| !p.rows.is_empty()).collect())
}

/// The same from the first characters of a text, or the first rows of each sheet.
pub(crate) fn head<'a>(source: &'a Source<'_>, chars: usize, rows_max: usize) -> Option<Vec<Part<'a>>> {
    if !source.is_workbook() {
        let text: String = source.text().chars().take(chars).collect();
        return Some(vec![Part { sheet: None, rows: rows(&text, delimiter(&text), true) }]);
    }
    let part = |sheet: &'a Sheet| {
        let first = Sheet { rows: sheet.rows.iter().take(rows_max).cloned().collect(), ..Sheet::default() };
        Part { sheet: Some(&sheet.name), rows: sheet_rows(&first, 0) }
    };
    Some(source.sheets().ok()?.iter().map(part).collect())
}

/// A table found in a part of a file.
pub(crate) struct Found<'p, T> {
    /// Sheet of a workbook.
    pub(crate) sheet: Option<&'p str>,
    /// Rows above the header.
    pub(crate) above: &'p [Row],
    /// The header.
    pub(crate) header: &'p Row,
    /// Rows below it.
    pub(crate) below: &'p [Row],
    /// What the header was understood as.
    pub(crate) columns: T,
}

/// How a format looks for its tables, and what it says where there is none.
pub(crate) struct Search {
    /// Rows of a part looked at for the header.
    pub(crate) rows_max: usize,
    /// Codes of refusals: an empty file, no header, nothing below it.
    pub(crate) codes: [&'static str; 3],
    /// What the header names, Japanese and English.
    pub(crate) names: (&'static str, &'static str),
}

impl Search {
    /// Does the beginning of the file hold such a header?
    pub(crate) fn holds<T>(&self, source: &Source<'_>, header: impl Fn(&Row) -> Option<T>) -> bool {
        let begins = |part: &Part<'_>| part.rows.iter().take(self.rows_max).any(|row| header(row).is_some());
        head(source, HEAD_CHARS, self.rows_max).is_some_and(|parts| parts.iter().any(begins))
    }

    /// Every table of the parts; parts without one are listed as not read.
    ///
    /// # Errors
    /// The first two faults of `codes`.
    pub(crate) fn tables<'p, T>(
        &self,
        source: &Source<'_>,
        parts: &'p [Part<'_>],
        header: impl Fn(&Row) -> Option<T>,
        reading: &mut Reading,
    ) -> Result<Vec<Found<'p, T>>> {
        if parts.iter().all(|p| p.rows.is_empty()) {
            return Err(refusal(source, self.codes[0], Place::line(1), "ファイルが空です", "the file is empty"));
        }
        let mut out = Vec::new();
        for part in parts {
            let found = part.rows.iter().take(self.rows_max).enumerate().find_map(|(at, row)| Some((at, header(row)?)));
            let table = found.and_then(|(at, columns)| {
                let (header, below) = part.rows.get(at..)?.split_first()?;
                Some(Found { sheet: part.sheet, above: part.rows.get(..at)?, header, below, columns })
            });
            match table {
                Some(table) => out.push(table),
                None => {
                    let (ja, en) = ("結果の表のない部分です", "a part without the table of results");
                    let first = part.rows.first();
                    reading.not_read.extend(first.map(|row| NotRead::new(part.place(row), &row.text(), ja, en)));
                }
            }
        }
        if out.is_empty() {
            let ja = format!("列見出し（{}）の行がありません", self.names.0);
            let en = format!("there is no header line ({})", self.names.1);
            return Err(refusal(source, self.codes[1], Place::line(1), &ja, &en));
        }
        Ok(out)
    }

    /// The refusal of a file whose tables hold nothing.
    pub(crate) fn nothing(&self, source: &Source<'_>, line: u64) -> Error {
        let (ja, en) = ("見出しの下に結果がありません", "there are no results below the header");
        refusal(source, self.codes[2], Place::line(line), ja, en)
    }
}

/// A refusal that asks for a new export.
pub(crate) fn refusal(source: &Source<'_>, code: &'static str, place: Place, ja: &str, en: &str) -> Error {
    Error::input(code, ja, en)
        .at(place)
        .hint("装置から書き出し直してください", "export it again from the instrument")
        .in_file(source.name())
}

/// What is said of a last line without a line end: cut off where cells are missing, doubtful where not.
pub(crate) fn open_end(place: Place, is_cut: bool) -> Diagnostic {
    if is_cut {
        let (ja, en) = ("最後の行が途中で切れています", "the last line is cut off here");
        return Diagnostic::warning("W-TABLE-004", place, ja, en)
            .remedy("装置から書き出し直してください", "export it again from the instrument");
    }
    Diagnostic::note(
        "N-TABLE-002",
        place,
        "最後の行が改行で終わっていません。最後の値は途中で切れているかもしれません",
        "the last line does not end with a line end; its last value may be cut off",
    )
}

/// Is this row a row of units? It names neither sample nor time, and what it holds are units.
fn is_unit_row(row: &Row, columns: &[Column]) -> bool {
    let named = |role| columns.iter().position(|c| c.role == Some(role)).is_some_and(|c| !row.cell(c).is_empty());
    let cells: Vec<&str> = (0..row.cells.len()).map(|c| row.cell(c)).filter(|c| !c.is_empty()).collect();
    let units = cells.iter().filter(|c| Unit::parse(c).is_ok()).count();
    !named(Sample) && !named(Analysed) && units > 0 && units * 2 > cells.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyser::header_key;
    use crate::analyser_table::Role::Result as Measured;

    const LAYOUT: Layout = Layout {
        columns: &[("sample", Sample), ("time", Analysed), ("a", Measured("a", "", "g/L")), ("b", Measured("b", "", ""))],
        signs: &["a", "b"],
        signs_min: 2,
        needed: &["sample"],
        key: header_key,
        unit: |_| None,
        unit_row: true,
        usual: DateOrder::YearMonthDay,
        codes: ["E-X-001", "E-X-002", "E-X-003"],
        examples: "a, b",
    };

    fn read(text: &str) -> Result<Reading> {
        let mut reading = Reading::default();
        LAYOUT.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default(), &mut reading).map(|()| reading)
    }

    #[test]
    fn header_unit_row_and_what_stands_above() {
        let reading = read("Report\nsample;time;a;b\n;;mg/L;%\nS1;2026-01-05 10:00;1,5;20\n").unwrap();
        assert_eq!(reading.not_read[0].text, "Report");
        let values: Vec<_> = reading.samples[0].assays.iter().map(|a| (a.value.number, a.value.raw_unit.clone())).collect();
        assert_eq!(values, [(Some(1.5), Some("mg/L".into())), (Some(20.0), Some("%".into()))]);
    }

    #[test]
    fn three_refusals() {
        for (text, code) in [("\n", "E-X-001"), ("x;y\n1;2\n", "E-X-002"), ("sample;a;b\n", "E-X-003")] {
            assert_eq!(read(text).unwrap_err().code(), code, "{text}");
        }
        // Without a sample column the signs alone are not enough.
        assert_eq!(read("a;b\n1;2\n").unwrap_err().code(), "E-X-002");
    }
}
