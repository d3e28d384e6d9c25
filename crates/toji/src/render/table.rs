//! Aligned columns for a terminal; a kanji is two columns wide.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Narrowest a column gets when a table must fit.
const NARROWEST: usize = 12;

/// Side a column leans to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A table of one-line cells. Without a head it has no rule either.
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) align: Vec<Align>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Columns of a terminal that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

impl Table {
    /// Rows without a head.
    pub(super) fn plain(rows: Vec<Vec<String>>) -> Self {
        Self { head: Vec::new(), align: Vec::new(), rows }
    }

    /// The lines, and the heads of the columns that had to be left out to stay within `columns`.
    pub(super) fn lines(&self, columns: Option<usize>) -> (Vec<String>, Vec<String>) {
        let count = self.rows.iter().map(Vec::len).chain([self.head.len()]).max().unwrap_or(0);
        let widest = |i: usize| self.rows.iter().chain([&self.head]).filter_map(|row| row.get(i)).map(|cell| width(cell)).max();
        let mut shown: Vec<(usize, usize)> = (0..count).map(|i| (i, widest(i).unwrap_or(0))).collect();
        let left_out = columns.map(|columns| self.fit(&mut shown, columns)).unwrap_or_default();
        let mut out = Vec::with_capacity(self.rows.len() + 2);
        if !self.head.is_empty() {
            out.push(self.line(&self.head, &shown));
            out.push(shown.iter().map(|(_, width)| "─".repeat(*width)).collect::<Vec<_>>().join("  "));
        }
        out.extend(self.rows.iter().map(|row| self.line(row, &shown)));
        (out, left_out.into_iter().filter_map(|i| self.head.get(i).cloned()).collect())
    }

    /// Makes the columns fit: those that say the same in every row go first, then long words are
    /// shortened, then columns go from the right. The first column stays whole: it names the row.
    fn fit(&self, shown: &mut Vec<(usize, usize)>, columns: usize) -> Vec<usize> {
        let mut left_out = Vec::new();
        let same = |i: usize| {
            let mut cells = self.rows.iter().map(|row| row.get(i));
            let first = cells.next();
            self.rows.len() > 1 && cells.all(|cell| Some(cell) == first)
        };
        while total(shown) > columns {
            let Some(at) = shown.iter().rposition(|(i, _)| *i > 0 && same(*i)) else { break };
            left_out.push(shown.remove(at).0);
        }
        loop {
            let mut shrunk = shown.clone();
            shrink(&mut shrunk, columns);
            if total(&shrunk) <= columns || shown.len() <= 1 {
                *shown = shrunk;
                break;
            }
            left_out.extend(shown.pop().map(|(i, _)| i));
        }
        left_out.sort_unstable();
        left_out
    }

    fn line(&self, row: &[String], shown: &[(usize, usize)]) -> String {
        let cells = shown.iter().map(|(i, room)| {
            let text = cut(row.get(*i).map(String::as_str).unwrap_or_default(), *room);
            let pad = " ".repeat(room.saturating_sub(width(&text)));
            if self.align.get(*i) == Some(&Align::Right) { format!("{pad}{text}") } else { format!("{text}{pad}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

/// Columns of the terminal that the shown columns and the gaps between them take.
fn total(shown: &[(usize, usize)]) -> usize {
    shown.iter().map(|(_, width)| width).sum::<usize>() + shown.len().saturating_sub(1) * 2
}

/// Takes from the widest column but the first until the table fits or nothing more can be taken.
fn shrink(shown: &mut [(usize, usize)], columns: usize) {
    while total(shown) > columns {
        match shown.iter_mut().filter(|(i, _)| *i > 0).max_by_key(|(_, width)| *width) {
            Some((_, widest)) if *widest > NARROWEST => *widest -= 1,
            _ => return,
        }
    }
}

/// The text within a width, with `…` where something is cut.
pub(super) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[&str]]) -> Table {
        let row = |cells: &&[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let mut rows: Vec<Vec<String>> = rows.iter().map(row).collect();
        let head = rows.remove(0);
        Table { align: vec![Align::Left; head.len()], head, rows }
    }

    #[test]
    fn wide_characters_stay_aligned() {
        let mut table = table(&[&["a", "b"], &["純米大吟醸酒", "1"], &["x", "22"]]);
        table.align = vec![Align::Left, Align::Right];
        assert_eq!(table.lines(None).0, ["a              b", "────────────  ──", "純米大吟醸酒   1", "x             22"]);
        assert_eq!(cut("純米大吟醸酒", 9), "純米大吟…");
        assert_eq!(cut("純米大吟醸酒", 8), "純米大…");
        assert_eq!(cut("純米", 4), "純米");
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let table = table(&[
            &["id", "same", "title", "note"],
            &["run-1", "no", "a title that is long", "a note that is long"],
            &["run-2", "no", "b", "c"],
        ]);
        let check = |columns: usize, first: &str, left_out: &[&str]| {
            let (lines, out) = table.lines(Some(columns));
            assert_eq!((lines[2].as_str(), out), (first, left_out.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()));
        };
        check(80, "run-1  no    a title that is long  a note that is long", &[]);
        check(48, "run-1  a title that is long  a note that is long", &["same"]);
        check(40, "run-1  a title that is…  a note that is…", &["same"]);
        check(30, "run-1  a title that is long", &["same", "note"]);
        check(5, "run-1", &["same", "title", "note"]);
    }

    #[test]
    fn rows_of_different_lengths_do_not_break() {
        let table = Table::plain(vec![vec!["a".into()], vec!["b".into(), "c".into()]]);
        assert_eq!(table.lines(None).0, ["a", "b  c"]);
        assert!(Table::plain(Vec::new()).lines(Some(5)).0.is_empty());
    }
}
