//! Lines of delimited text as cells, each line with its number.
//!
//! Hand-made rather than strict CSV: instrument exports are cut off, mix line ends, and leave quotes
//! open. Here an open quote is an ordinary character and a short last line is marked as cut.

use toji_core::Place;

/// One line of the file (or several, where a quoted cell holds a line end).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Row {
    /// Line of the file, from 1.
    pub(crate) line: u64,
    /// Cells without quotes, untrimmed.
    pub(crate) cells: Vec<String>,
    /// The last line of a text that does not end with a line end: its last cell may be cut off.
    pub(crate) open: bool,
}

impl Row {
    /// The trimmed cell; empty where there is none.
    pub(crate) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |c| c.trim())
    }
    /// No cell has text.
    pub(crate) fn is_blank(&self) -> bool {
        self.cells.iter().all(|c| c.trim().is_empty())
    }
    /// Place of a cell (counted from 0).
    pub(crate) fn place(&self, column: usize) -> Place {
        Place::line(self.line).at_column(column as u64 + 1)
    }
    /// The whole line again, for [`toji_core::culture::NotRead`].
    pub(crate) fn text(&self) -> String {
        self.cells.join(" | ")
    }
    /// Column of the cell that may be cut off: the last one of an open line shorter than `width`.
    pub(crate) fn cut_column(&self, width: usize) -> Option<usize> {
        (self.open && self.cells.len() < width).then(|| self.cells.len().saturating_sub(1))
    }
}

/// The delimiter of a header line: the one of `,` `;` tab that splits it into most cells.
pub(crate) fn sniff(header: &str) -> char {
    let count = |delimiter: char| header.chars().filter(|c| *c == delimiter).count();
    [',', ';', '\t'].into_iter().max_by_key(|d| count(*d)).unwrap_or(',')
}

/// Splits text into rows; `quotes` says whether `"` encloses cells. Blank lines are left out.
pub(crate) fn rows(text: &str, delimiter: char, quotes: bool) -> Vec<Row> {
    let mut out = Vec::new();
    let mut row = Row { line: 1, ..Row::default() };
    let mut cell = String::new();
    let mut line = 1u64;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if quotes
            && c == '"'
            && cell.is_empty()
            && let Some((inside, behind)) = quoted(after)
        {
            line += inside.matches('\n').count() as u64;
            cell.push_str(&inside);
            rest = behind;
            continue;
        }
        rest = after;
        match c {
            '\r' | '\n' => {
                rest = if c == '\r' { rest.strip_prefix('\n').unwrap_or(rest) } else { rest };
                row.cells.push(std::mem::take(&mut cell));
                line += 1;
                let done = std::mem::replace(&mut row, Row { line, ..Row::default() });
                out.push(done);
            }
            _ if c == delimiter => row.cells.push(std::mem::take(&mut cell)),
            _ => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.cells.is_empty() {
        row.cells.push(cell);
        row.open = true;
        out.push(row);
    }
    out.retain(|r| !r.is_blank());
    out
}

/// Text up to the closing quote (doubled quotes are one), and what follows. `None`: it never closes.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut inside = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('"')?;
        inside.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('"') {
            Some(behind) => {
                inside.push('"');
                rest = behind;
            }
            None => return Some((inside, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells(text: &str, delimiter: char) -> Vec<(u64, Vec<String>)> {
        rows(text, delimiter, true).into_iter().map(|r| (r.line, r.cells)).collect()
    }
    fn strings(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|c| (*c).to_owned()).collect()
    }

    #[test]
    fn mixed_line_ends_quotes_and_blank_lines() {
        assert_eq!(
            cells("a,\"b, c\"\r\n\r\n1,2\n\"x\"\"y\",\"l1\nl2\"\rz,", ','),
            vec![
                (1, strings(&["a", "b, c"])),
                (3, strings(&["1", "2"])),
                (4, strings(&["x\"y", "l1\nl2"])),
                (6, strings(&["z", ""])),
            ]
        );
    }

    #[test]
    fn an_open_quote_swallows_nothing() {
        assert_eq!(cells("\"a,1\nb,2", ','), vec![(1, strings(&["\"a", "1"])), (2, strings(&["b", "2"]))]);
    }

    #[test]
    fn a_short_last_line_without_line_end_is_cut() {
        let all = rows("a,b,c\n1,2,3\n4,5", ',', true);
        assert_eq!((all[1].cut_column(3), all[2].cut_column(3)), (None, Some(1)));
        assert_eq!(rows("a,b\n4\n", ',', true)[1].cut_column(2), None);
        assert_eq!(sniff("Sample ID;a,b;c;d"), ';');
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[ab,;\"\n\r\t]{0,60}") {
            let letters = |t: &str| t.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            let all: String = rows(&text, ',', true).iter().flat_map(|r| r.cells.clone()).collect();
            prop_assert_eq!(letters(&all), letters(&text));
        }
    }
}
