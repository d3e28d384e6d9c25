//! A file as rows of fields: text of any dialect, or a sheet, behind one small interface.
//!
//! Rows are handed out one at a time into a buffer of the caller, so that a large text file is never
//! held as cells.

use crate::cell::{Cell, Sheet};
use crate::source::Source;
use std::borrow::Cow;
use toji_core::{Error, Place, Result};

/// One field of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field<'a> {
    /// Of a text file, quotes taken off.
    Text(Cow<'a, str>),
    /// Of a workbook.
    Cell(&'a Cell),
}

impl Field<'_> {
    /// The words, trimmed.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text.trim()),
            Self::Cell(Cell::Text(text)) => Cow::Borrowed(text.trim()),
            Self::Cell(cell) => Cow::Owned(cell.to_string()),
        }
    }
    /// Nothing, or only white space?
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Cell(cell) => cell.is_blank(),
        }
    }
    /// The workbook cell behind it.
    pub(super) fn cell(&self) -> Option<&Cell> {
        match self {
            Self::Cell(cell) => Some(cell),
            Self::Text(_) => None,
        }
    }
}

/// The text of a field of a row; empty beyond the row's end.
pub(super) fn text_at<'r>(row: &'r [Field<'_>], column: usize) -> Cow<'r, str> {
    row.get(column).map_or(Cow::Borrowed(""), Field::text)
}

/// One table of a file: the text, or a sheet.
#[derive(Debug, Clone)]
pub(super) struct Grid<'a> {
    /// Sheet name.
    pub(super) sheet: Option<&'a str>,
    /// The sheet is hidden.
    pub(super) hidden: bool,
    body: Body<'a>,
}

#[derive(Debug, Clone)]
enum Body<'a> {
    Text { text: &'a str, delimiter: char },
    Sheet(&'a Sheet),
}

/// Rows of a grid, one after the other.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    body: Body<'a>,
    at: usize,
    line: u64,
}

impl<'a> Grid<'a> {
    /// All tables of a file.
    pub(super) fn all(source: &'a Source<'_>, delimiter: Option<char>) -> Result<Vec<Self>> {
        if source.is_workbook() {
            let sheets = source.sheets()?;
            return Ok(sheets.iter().map(|s| Self { sheet: Some(&s.name), hidden: s.hidden, body: Body::Sheet(s) }).collect());
        }
        let text = source.text();
        let delimiter = delimiter.unwrap_or_else(|| sniff(text));
        if !delimiter.is_ascii() || delimiter == '"' || delimiter == '\n' {
            return Err(Error::input(
                "E-TABLE-012",
                format!("区切り文字「{delimiter}」は使えません"),
                format!("\"{delimiter}\" cannot separate fields"),
            )
            .at(Place::field("delimiter")));
        }
        Ok(vec![Self { sheet: None, hidden: false, body: Body::Text { text, delimiter } }])
    }
    /// What separates fields in a text.
    pub(super) fn delimiter(&self) -> Option<char> {
        match self.body {
            Body::Text { delimiter, .. } => Some(delimiter),
            Body::Sheet(_) => None,
        }
    }
    /// The rows from the first.
    pub(super) fn rows(&self) -> Rows<'a> {
        Rows { body: self.body.clone(), at: 0, line: 0 }
    }
    /// The first rows, with their numbers from 1.
    pub(super) fn head(&self, most: usize) -> Vec<(u64, Vec<Field<'a>>)> {
        let mut rows = self.rows();
        let mut out = Vec::new();
        let mut row = Vec::new();
        while out.len() < most
            && let Some(number) = rows.next_row(&mut row)
        {
            out.push((number, std::mem::take(&mut row)));
        }
        out
    }
    /// Place of a field; row from 1, column from 0.
    pub(super) fn place(&self, row: u64, column: usize) -> Place {
        let place = Place::line(row).at_column(column as u64 + 1);
        match self.sheet {
            Some(sheet) => place.in_sheet(sheet),
            None => place,
        }
    }
}

impl<'a> Rows<'a> {
    /// The row just given is the last of a text that does not end with a line end: it may be cut off.
    pub(super) fn open(&self) -> bool {
        match self.body {
            Body::Text { text, .. } => self.at >= text.len() && !text.ends_with(['\n', '\r']),
            Body::Sheet(_) => false,
        }
    }
    /// Fills `row` with the next row and returns its number from 1; `None` at the end.
    pub(super) fn next_row(&mut self, row: &mut Vec<Field<'a>>) -> Option<u64> {
        row.clear();
        match self.body {
            Body::Sheet(sheet) => {
                let cells = sheet.rows.get(self.at)?;
                row.extend(cells.iter().map(Field::Cell));
                self.at += 1;
                Some(self.at as u64)
            }
            Body::Text { text, delimiter } => self.next_line(text, delimiter as u8, row),
        }
    }

    fn next_line(&mut self, text: &'a str, delimiter: u8, row: &mut Vec<Field<'a>>) -> Option<u64> {
        if self.at >= text.len() {
            return None;
        }
        self.line += 1;
        let number = self.line;
        loop {
            let rest = text.get(self.at..).unwrap_or("");
            let blanks = rest.bytes().take_while(|b| *b == b' ').count();
            if rest.as_bytes().get(blanks) == Some(&b'"')
                && let Some((field, used, lines)) = quoted(rest.get(blanks..).unwrap_or(""), delimiter)
            {
                row.push(Field::Text(field));
                self.at += blanks + used;
                self.line += lines;
            } else {
                let end = memchr::memchr3(delimiter, b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
                row.push(Field::Text(Cow::Borrowed(rest.get(..end).unwrap_or(""))));
                self.at += end;
            }
            match text.as_bytes().get(self.at) {
                Some(b) if *b == delimiter => self.at += 1,
                Some(b'\r') if text.as_bytes().get(self.at + 1) == Some(&b'\n') => {
                    self.at += 2;
                    break;
                }
                Some(_) => {
                    self.at += 1;
                    break;
                }
                None => break,
            }
        }
        Some(number)
    }
}

/// Reads `"…"` up to the delimiter or line end: the words, the bytes used, and the line ends inside.
/// `None` when the quote never closes, or closes in the middle of a field.
fn quoted(text: &str, delimiter: u8) -> Option<(Cow<'_, str>, usize, u64)> {
    let bytes = text.as_bytes();
    let (mut at, mut doubled) = (1, false);
    loop {
        at += memchr::memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(at + 1) == Some(&b'"') {
            doubled = true;
            at += 2;
        } else {
            break;
        }
    }
    let inside = text.get(1..at)?;
    let after = bytes.get(at + 1..)?;
    let blanks = after.iter().take_while(|b| **b == b' ').count();
    match after.get(blanks) {
        None | Some(b'\n' | b'\r') => {}
        Some(b) if *b == delimiter => {}
        Some(_) => return None,
    }
    let lines = memchr::memchr_iter(b'\n', inside.as_bytes()).count() as u64;
    let words = if doubled { Cow::Owned(inside.replace("\"\"", "\"")) } else { Cow::Borrowed(inside) };
    Some((words, at + 1 + blanks, lines))
}

/// Finds what separates fields: the candidate that gives most lines the same number of fields. Tab
/// and semicolon go before the comma, which may be a decimal sign.
fn sniff(text: &str) -> char {
    const CANDIDATES: [char; 4] = ['\t', ';', ',', '|'];
    if let Some(sign) = text.strip_prefix("sep=").and_then(|rest| rest.chars().next())
        && CANDIDATES.contains(&sign)
    {
        return sign;
    }
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).take(200).collect();
    let mut best = (',', 0usize);
    for candidate in CANDIDATES {
        let mut counts: Vec<usize> = lines.iter().map(|l| separators(l, candidate)).filter(|n| *n > 0).collect();
        counts.sort_unstable();
        let mut score = 0;
        for group in counts.chunk_by(|a, b| a == b) {
            score = score.max(group.len());
        }
        // A clear majority is needed to displace an earlier candidate.
        if score > best.1 {
            best = (candidate, score);
        }
    }
    best.0
}

fn separators(line: &str, candidate: char) -> usize {
    let mut inside = false;
    line.chars()
        .filter(|c| {
            inside ^= *c == '"';
            !inside && *c == candidate
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, delimiter: char, rows: &[(u64, &[&str])]) {
        let source = Source::new("x.csv", text.as_bytes()).unwrap();
        let grids = Grid::all(&source, None).unwrap();
        assert_eq!(grids[0].delimiter(), Some(delimiter), "{text}");
        let head = grids[0].head(100);
        let found: Vec<(u64, Vec<String>)> =
            head.iter().map(|(n, row)| (*n, row.iter().map(|f| f.text().into_owned()).collect())).collect();
        let expected: Vec<(u64, Vec<String>)> =
            rows.iter().map(|(n, row)| (*n, row.iter().map(|s| (*s).to_owned()).collect())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn dialects() {
        check("a,b\n1,2\n", ',', &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("a;b\r\n1,5;2,5\r\n3,5;4,5", ';', &[(1, &["a", "b"]), (2, &["1,5", "2,5"]), (3, &["3,5", "4,5"])]);
        check("a\tb\n1,5\t2\n", '\t', &[(1, &["a", "b"]), (2, &["1,5", "2"])]);
        check(
            "\"a, x\",\"b \"\"q\"\"\"\n\"two\nlines\",2\n,\n",
            ',',
            &[(1, &["a, x", "b \"q\""]), (2, &["two\nlines", "2"]), (4, &["", ""])],
        );
        check("a,\"open\n1,2\n", ',', &[(1, &["a", "\"open"]), (2, &["1", "2"])]);
        check("sep=;\na;b\n", ';', &[(1, &["sep=", ""]), (2, &["a", "b"])]);
    }
}
