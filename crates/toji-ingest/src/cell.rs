//! Cells of a workbook as they were stored, numbers and dates untouched.

use crate::compound;
use crate::source::Source;
use crate::workbook::Beside;
use calamine::{Data, Reader};
use jiff::civil::DateTime;
use std::fmt;
use toji_core::{Error, Place, Result};

/// One cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// Words.
    Text(String),
    /// A number.
    Number(f64),
    /// A date and time of the workbook's wall clock.
    Date(DateTime),
    /// A duration (a cell formatted as elapsed time), in nanoseconds.
    Duration(i64),
    /// Yes or no.
    Bool(bool),
    /// A spreadsheet error such as `#DIV/0!`.
    Error(String),
}

impl Cell {
    /// Nothing, or only white space?
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }
    /// The number, when the cell is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Text(text) | Self::Error(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Date(at) => write!(f, "{}", at.strftime("%Y-%m-%d %H:%M:%S%.f")),
            Self::Duration(ns) => write!(f, "{}", *ns as f64 / 1e9 / 3600.0),
            Self::Bool(yes) => write!(f, "{yes}"),
        }
    }
}

/// One sheet: rows of cells, from row 1 column 1 of the sheet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// Name.
    pub name: String,
    /// Rows; they may differ in length.
    pub rows: Vec<Vec<Cell>>,
    /// The sheet is hidden in the workbook.
    pub hidden: bool,
}

impl Sheet {
    /// The cell, both counted from 0; outside the sheet it is empty.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> &Cell {
        const EMPTY: &Cell = &Cell::Empty;
        self.rows.get(row).and_then(|r| r.get(column)).unwrap_or(EMPTY)
    }
    /// The cell's text, trimmed.
    #[must_use]
    pub fn text(&self, row: usize, column: usize) -> String {
        self.cell(row, column).to_string().trim().to_owned()
    }
    /// Place of a cell (counted from 0).
    #[must_use]
    pub fn place(&self, row: usize, column: usize) -> Place {
        Place::line(row as u64 + 1).at_column(column as u64 + 1).in_sheet(&self.name)
    }
}

/// Most cells accepted in one workbook.
const CELLS_MAX: usize = 20_000_000;

fn unreadable(source: &Source, e: &dyn fmt::Display) -> Error {
    refused(source, e, e)
}

fn refused(source: &Source, ja: &dyn fmt::Display, en: &dyn fmt::Display) -> Error {
    Error::input("E-XLS-001", format!("表計算ファイルとして読めません: {ja}"), format!("not readable as a workbook: {en}"))
        .hint(
            "表計算ソフトで開けるか、保存が途中で切れていないかを確認してください",
            "check that a spreadsheet program opens it and that it was not cut off while saving",
        )
        .in_file(source.name())
}

pub(crate) fn read_workbook(source: &Source) -> Result<Vec<Sheet>> {
    // The workbook library indexes beyond the end of some cut-off files; that is the file's fault.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read_book(source)))
        .unwrap_or_else(|_| Err(unreadable(source, &"the file is damaged or cut off")))
}

fn read_book(source: &Source) -> Result<Vec<Sheet>> {
    let fault = |e: &dyn fmt::Display| unreadable(source, e);
    compound::check(source.bytes()).map_err(|[ja, en]| refused(source, &ja, &en))?;
    let mut book = calamine::open_workbook_auto_from_rs(std::io::Cursor::new(source.bytes())).map_err(|e| fault(&e))?;
    let meta = book.sheets_metadata().to_vec();
    let mut sheets = Vec::new();
    let mut cells = 0usize;
    for sheet in meta.iter().filter(|s| s.typ == calamine::SheetType::WorkSheet) {
        refuse_vast(&mut book, &sheet.name).map_err(|e| fault(&e))?;
        let range = book.worksheet_range(&sheet.name).map_err(|e| fault(&e))?;
        let (first_row, first_column) = range.start().unwrap_or((0, 0));
        cells = cells.saturating_add((range.height() + first_row as usize).saturating_mul(range.width() + first_column as usize));
        if cells > CELLS_MAX {
            return Err(fault(&format!("more than {CELLS_MAX} cells")));
        }
        let mut rows: Vec<Vec<Cell>> = vec![Vec::new(); first_row as usize];
        for row in range.rows() {
            let mut out = vec![Cell::Empty; first_column as usize];
            out.extend(row.iter().map(to_cell));
            rows.push(out);
        }
        if let Some(beside) = source.beside().get(&sheet.name) {
            amend(&mut rows, beside);
        }
        sheets.push(Sheet { name: sheet.name.clone(), rows, hidden: sheet.visible != calamine::SheetVisible::Visible });
    }
    Ok(sheets)
}

/// A workbook of a few bytes may name the last cell of a sheet; the library would make room for all
/// cells before it. So the places of the cells are looked at first.
fn refuse_vast(book: &mut calamine::Sheets<std::io::Cursor<&[u8]>>, sheet: &str) -> std::result::Result<(), String> {
    let calamine::Sheets::Xlsx(book) = book else { return Ok(()) };
    let mut cells = book.worksheet_cells_reader(sheet).map_err(|e| e.to_string())?;
    let (mut rows, mut columns) = (0usize, 0usize);
    while let Some(cell) = cells.next_cell().map_err(|e| e.to_string())? {
        let (row, column) = cell.get_position();
        rows = rows.max(row as usize + 1);
        columns = columns.max(column as usize + 1);
        if rows.saturating_mul(columns) > CELLS_MAX {
            return Err(format!("more than {CELLS_MAX} cells"));
        }
    }
    Ok(())
}

/// Puts into the cells what the library of values does not say: percent as it is shown, and the formula
/// where nobody has calculated it yet.
fn amend(rows: &mut Vec<Vec<Cell>>, beside: &Beside) {
    for (row, column) in &beside.percent {
        let cell = rows.get_mut(*row as usize).and_then(|r| r.get_mut(*column as usize));
        if let Some(cell) = cell
            && let Cell::Number(number) = cell
            && let Some(exact) = toji_core::Decimal::parse(&number.to_string())
        {
            *cell = Cell::Text(format!("{}%", exact.shift(2)));
        }
    }
    for ((row, column), formula) in &beside.uncalculated {
        let (row, column) = (*row as usize, *column as usize);
        if row >= rows.len() && row < rows.len() + 1000 {
            rows.resize(row + 1, Vec::new());
        }
        let Some(cells) = rows.get_mut(row) else { continue };
        if column >= cells.len() && column < cells.len() + 1000 {
            cells.resize(column + 1, Cell::Empty);
        }
        if let Some(cell) = cells.get_mut(column).filter(|c| c.is_blank()) {
            *cell = Cell::Error(formula.clone());
        }
    }
}

fn to_cell(data: &Data) -> Cell {
    match data {
        Data::Empty => Cell::Empty,
        Data::String(text) => Cell::Text(text.clone()),
        Data::Float(number) => Cell::Number(*number),
        #[expect(clippy::cast_precision_loss, reason = "workbooks hold whole numbers as doubles")]
        Data::Int(number) => Cell::Number(*number as f64),
        Data::Bool(yes) => Cell::Bool(*yes),
        Data::Error(error) => Cell::Error(error.to_string()),
        Data::DateTime(at) if at.is_duration() => Cell::Duration((at.as_f64() * 86400e9).round() as i64),
        Data::DateTime(at) => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            let date = i16::try_from(year).ok().and_then(|y| {
                DateTime::new(y, month as i8, day as i8, hour as i8, minute as i8, second as i8, i32::from(milli) * 1_000_000)
                    .ok()
            });
            date.map_or(Cell::Number(at.as_f64()), Cell::Date)
        }
        Data::DateTimeIso(text) | Data::DurationIso(text) => Cell::Text(text.clone()),
        #[allow(unreachable_patterns)]
        other => Cell::Text(other.to_string()),
    }
}
