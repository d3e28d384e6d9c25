//! Tables in the shape of the Experiment Data Depot: experiment descriptions (one line a row), the generic
//! import (one value a row) and the Skyline export (one peptide area a row).
//!
//! [`description`], [`generic`] and [`skyline`] are one format each; here is what they share.

pub(crate) mod description;
pub(crate) mod generic;
pub(crate) mod skyline;

use crate::cell::{Cell, Sheet};
use toji_core::culture::{NotRead, Reading};
use toji_core::value::fold_width;
use toji_core::{Error, Place};

/// Rows that may stand above the header.
const HEAD_ROWS_MAX: usize = 20;

/// A header without case, and with one space between words.
fn plain(text: &str) -> String {
    fold_width(text).split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The header of a sheet: its row, and the plain names by column.
struct Header {
    row: usize,
    names: Vec<String>,
}

impl Header {
    /// The first row that holds all the wanted names.
    fn find(sheet: &Sheet, wanted: &[&str]) -> Option<Self> {
        sheet.rows.iter().enumerate().take(HEAD_ROWS_MAX).find_map(|(row, cells)| {
            let names: Vec<String> = cells.iter().map(|c| plain(&c.to_string())).collect();
            wanted.iter().all(|w| names.iter().any(|n| n == w)).then_some(Self { row, names })
        })
    }
    fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }
    /// Lists what stands above the header, and columns that are not read.
    fn list_rest(&self, sheet: &Sheet, read: &[Option<usize>], reading: &mut Reading) {
        for row in 0..self.row {
            not_read_row(sheet, row, reading, "表の前の行です", "a line before the table");
        }
        for (column, name) in self.names.iter().enumerate() {
            let named = !name.is_empty();
            let filled = || (self.row + 1..sheet.rows.len()).any(|row| !sheet.cell(row, column).is_blank());
            if !read.contains(&Some(column)) && (named || filled()) {
                reading.not_read.push(NotRead::new(
                    sheet.place(self.row, column),
                    sheet.text(self.row, column).as_str(),
                    "この形式にない列です",
                    "a column that this format does not know",
                ));
            }
        }
    }
}

fn not_read_row(sheet: &Sheet, row: usize, reading: &mut Reading, ja: &str, en: &str) {
    let cells = sheet.rows.get(row).map(Vec::as_slice).unwrap_or_default();
    let words: Vec<String> = cells.iter().filter(|c| !c.is_blank()).map(ToString::to_string).collect();
    if let Some(first) = cells.iter().position(|c| !c.is_blank()) {
        reading.not_read.push(NotRead::new(sheet.place(row, first), &words.join(" | "), ja, en));
    }
}

/// A sheet of the workbook without the table.
fn not_read_sheet(sheet: &Sheet, reading: &mut Reading) {
    if !sheet.rows.iter().flatten().all(Cell::is_blank) {
        let first = sheet.rows.first().map(|r| r.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "));
        reading.not_read.push(NotRead::new(
            Place::default().in_sheet(&sheet.name),
            &first.unwrap_or_default(),
            "この形式の表ではないシートです",
            "a sheet without a table of this format",
        ));
    }
}

fn nothing_read(sheet: Option<&Sheet>) -> Error {
    let place = sheet
        .map_or_else(Place::default, |s| if s.name.is_empty() { Place::line(1) } else { Place::default().in_sheet(&s.name) });
    Error::input("E-EDD-001", "見出しの下に読める行がありません", "no row below the header can be read")
        .at(place)
        .hint("見出しの名前と、その下の行を確かめてください", "check the names of the header and the rows below it")
}
