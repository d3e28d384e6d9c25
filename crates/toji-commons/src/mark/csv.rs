//! Tables as text, with the quotes of each cell: what a parser of CSV forgets is here what is looked for.

use toji_core::{Error, Place, Result};

/// Most cells of a table that is read.
const CELLS_MAX: usize = 50_000_000;

/// A cell as it stands in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// Did it stand in quotes?
    pub quoted: bool,
}

/// A table of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plain {
    /// Names of the columns.
    pub header: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
    /// Are there quotes to look at? Not in workbooks and JSON.
    pub has_quotes: bool,
}

impl Plain {
    /// A table without quotes.
    #[must_use]
    pub fn of_texts(header: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        let row = |texts: Vec<String>| texts.into_iter().map(|text| Cell { text, quoted: false }).collect();
        Self { header, rows: rows.into_iter().map(row).collect(), has_quotes: false }
    }
}

/// Reads a table whose cells are parted by commas, semicolons or tabs: what the first line has most of. A quote in the
/// middle of a cell is a character as any other; a cell that does not end does so with the text.
///
/// # Errors
/// `E-MARK-002` nothing in it, or too much.
pub fn read_csv(text: &str) -> Result<Plain> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let count = |c: char| first.matches(c).count();
    read_parted(text, [',', ';', '\t'].into_iter().rev().max_by_key(|c| count(*c)).unwrap_or(','))
}

/// As [`read_csv`], where it is known what parts the cells.
///
/// # Errors
/// As [`read_csv`].
pub fn read_parted(text: &str, delimiter: char) -> Result<Plain> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let (mut row, mut cell, mut cells) = (Vec::new(), Cell::default(), 0_usize);
    let (mut inside, mut begun) = (false, false);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if inside && letters.peek() == Some(&'"') => {
                letters.next();
                cell.text.push('"');
            }
            '"' if inside => inside = false,
            '"' if !begun => (inside, begun, cell.quoted) = (true, true, true),
            _ if inside => cell.text.push(c),
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' | '\r' => {
                row.push(std::mem::take(&mut cell));
                cells += row.len();
                rows.push(std::mem::take(&mut row));
                begun = false;
            }
            _ if c == delimiter => {
                row.push(std::mem::take(&mut cell));
                begun = false;
            }
            _ => {
                begun = true;
                cell.text.push(c);
            }
        }
        if cells > CELLS_MAX {
            return Err(unreadable("表が大きすぎます", "the table is too large"));
        }
    }
    if begun || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    // Lines without anything; a cell in quotes is a cell that says nothing.
    rows.retain(|row| !matches!(row.as_slice(), [only] if only.text.trim().is_empty() && !only.quoted));
    let mut rows = rows.into_iter();
    let header = rows.next().ok_or_else(|| unreadable("表が空です", "the table is empty"))?;
    let header = header.into_iter().map(|cell| cell.text.trim().to_owned()).collect();
    Ok(Plain { header, rows: rows.collect(), has_quotes: true })
}

fn unreadable(ja: &str, en: &str) -> Error {
    Error::input("E-MARK-002", ja, en)
        .at(Place::field("path"))
        .hint("見出し行のある CSV・XLSX・JSON の表を渡してください", "give a table with a header, as CSV, XLSX or JSON")
}

/// Writes a table; `wished` says of each cell that may stand in quotes without needing them whether it does.
#[must_use]
pub fn write_csv(header: &[String], rows: &[Vec<String>], mut wished: impl FnMut(usize, &str) -> bool) -> Vec<u8> {
    let mut out = String::new();
    write_line(&mut out, header, |_| false);
    for (r, row) in rows.iter().enumerate() {
        write_line(&mut out, row, |text| may_be_quoted(text) && wished(r, text));
    }
    out.into_bytes()
}

fn write_line(out: &mut String, cells: &[String], mut wished: impl FnMut(&str) -> bool) {
    for (i, text) in cells.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        // A line of one empty cell would be none.
        if wished(text) || needs_quotes(text) || (cells.len() == 1 && text.is_empty()) {
            out.push('"');
            out.push_str(&text.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(text);
        }
    }
    out.push('\n');
}

fn needs_quotes(text: &str) -> bool {
    text.contains(['"', ',', ';', '\t', '\r', '\n'])
}

/// May a cell stand in quotes without any reader taking it for something else? No number, and not nothing.
pub(super) fn may_be_quoted(text: &str) -> bool {
    let trimmed = text.trim();
    !trimmed.is_empty() && !needs_quotes(text) && !is_numeric(trimmed)
}

/// Would some reader take it for a number, a truth or nothing?
fn is_numeric(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '_' | '\'' | '%' | '<' | '>' | '=' | '~')).collect();
    let word = bare.to_ascii_lowercase();
    bare.parse::<f64>().is_ok() || ["true", "false", "null", "na", "n/a", "none", "yes", "no"].contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(plain: &Plain) -> Vec<Vec<&str>> {
        plain.rows.iter().map(|row| row.iter().map(|c| c.text.as_str()).collect()).collect()
    }

    #[test]
    fn quotes_are_seen_and_texts_come_back() {
        let plain = read_csv("\u{feff}a,b,c\r\n\"x\",1,\"say \"\"so\"\"\"\r\ny,\"two\nlines\",\n\n").unwrap();
        assert_eq!(plain.header, ["a", "b", "c"]);
        assert_eq!(texts(&plain), [vec!["x", "1", "say \"so\""], vec!["y", "two\nlines", ""]]);
        let quoted: Vec<Vec<bool>> = plain.rows.iter().map(|row| row.iter().map(|c| c.quoted).collect()).collect();
        assert_eq!(quoted, [[true, false, true], [false, true, false]]);
        assert_eq!(read_csv("a;b\n1,5;2").unwrap().rows[0][0].text, "1,5");
        assert_eq!(texts(&read_csv("a\tb\n5\"\t6\n").unwrap()), [["5\"", "6"]]);
        assert_eq!(read_csv("").unwrap_err().code(), "E-MARK-002");
        assert_eq!(texts(&read_csv("a,b\n\"never ends, so\n").unwrap()), [["never ends, so\n"]]);
    }

    /// Whatever stands in quotes or not, another reader reads the same texts.
    #[test]
    fn what_is_written_is_read_by_others() {
        let header = vec!["id".to_owned(), "値 \"x\"".to_owned()];
        let rows = vec![
            vec!["R-1".to_owned(), "a,b".to_owned()],
            vec!["1.50".to_owned(), " lead".to_owned()],
            vec![String::new(), "line\nbreak; \"q\"".to_owned()],
        ];
        for wish in [true, false] {
            let bytes = write_csv(&header, &rows, |_, _| wish);
            let text = String::from_utf8(bytes).unwrap();
            let plain = read_csv(&text).unwrap();
            assert_eq!(texts(&plain), rows.iter().map(|r| r.iter().map(String::as_str).collect::<Vec<_>>()).collect::<Vec<_>>());
            assert_eq!(plain.header, header);
            assert!(!text.contains("\"1.50\""), "numbers are never put in quotes: {text}");
        }
    }

    #[test]
    fn nothing_that_reads_as_a_number_is_a_text() {
        for number in ["1", "-2.50", "+3e-4", "1e5", "NaN", "inf", "12 %", "< 0.5", "TRUE", "", "  ", "NA"] {
            assert!(!may_be_quoted(number), "{number}");
        }
        for text in ["R-1", "2026-01-01T00:00:00Z", "g/L", "菌株", "1a"] {
            assert!(may_be_quoted(text), "{text}");
        }
    }
}
