//! Aligned columns for a terminal; a kanji is two columns wide.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Narrowest a column gets when a table must fit.
const NARROWEST: usize = 8;

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

    /// The lines, within `columns` if given and possible.
    pub(super) fn lines(&self, columns: Option<usize>) -> Vec<String> {
        let count = self.rows.iter().map(Vec::len).chain([self.head.len()]).max().unwrap_or(0);
        let widest = |i: usize| self.rows.iter().chain([&self.head]).filter_map(|row| row.get(i)).map(|cell| width(cell)).max();
        let mut widths: Vec<usize> = (0..count).map(|i| widest(i).unwrap_or(0)).collect();
        if let Some(columns) = columns {
            shrink(&mut widths, columns);
        }
        let mut out = Vec::with_capacity(self.rows.len() + 2);
        if !self.head.is_empty() {
            out.push(self.line(&self.head, &widths));
            out.push(widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  "));
        }
        out.extend(self.rows.iter().map(|row| self.line(row, &widths)));
        out
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let cells = widths.iter().enumerate().map(|(i, room)| {
            let text = cut(row.get(i).map(String::as_str).unwrap_or_default(), *room);
            let pad = " ".repeat(room.saturating_sub(width(&text)));
            if self.align.get(i) == Some(&Align::Right) { format!("{pad}{text}") } else { format!("{text}{pad}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

/// Takes from the widest column until the table fits or nothing more can be taken.
fn shrink(widths: &mut [usize], columns: usize) {
    let gaps = widths.len().saturating_sub(1) * 2;
    while widths.iter().sum::<usize>() + gaps > columns {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => return,
        }
    }
}

/// The text within a width, with `…` where something is cut.
fn cut(text: &str, room: usize) -> String {
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

    #[test]
    fn wide_characters_stay_aligned_when_cut() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let table = Table {
            head: row(&["a", "b"]),
            align: vec![Align::Left, Align::Right],
            rows: vec![row(&["純米大吟醸酒", "1"]), row(&["x", "22"])],
        };
        assert_eq!(table.lines(None), ["a              b", "────────────  ──", "純米大吟醸酒   1", "x             22"]);
        assert_eq!(table.lines(Some(13)), ["a           b", "─────────  ──", "純米大吟…   1", "x          22"]);
        assert_eq!(table.lines(Some(1))[2], "純米大…    1");
    }

    #[test]
    fn rows_of_different_lengths_do_not_break() {
        let table = Table::plain(vec![vec!["a".into()], vec!["b".into(), "c".into()]]);
        assert_eq!(table.lines(None), ["a", "b  c"]);
        assert!(Table::plain(Vec::new()).lines(Some(5)).is_empty());
    }
}
