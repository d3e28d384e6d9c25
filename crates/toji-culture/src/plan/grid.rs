//! A parallel system as a grid of units, and the names of its places.

use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// Most rows or columns of a system: a plate of 1,536 wells has 32 and 48.
const SIDE_MAX: usize = 64;

/// A parallel system: some rows of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct System {
    /// Rows, from the top.
    pub rows: usize,
    /// Columns, from the left.
    pub columns: usize,
}

impl System {
    /// A system of these rows and columns.
    ///
    /// # Errors
    /// No unit at all, or more rows or columns than any plate has.
    pub fn new(rows: usize, columns: usize) -> Result<Self> {
        if (1..=SIDE_MAX).contains(&rows) && (1..=SIDE_MAX).contains(&columns) {
            return Ok(Self { rows, columns });
        }
        Err(Error::input(
            "E-PLAN-006",
            format!("装置の行と列はそれぞれ 1〜{SIDE_MAX} です: {rows} × {columns}"),
            format!("a system has 1 to {SIDE_MAX} rows and as many columns, not {rows} × {columns}"),
        )
        .at(Place::field("system"))
        .hint("装置の記録の行数と列数を直してください", "correct the rows and columns in the record of the system"))
    }
    /// The grid of a number of units whose rows and columns are not known: the one nearest to a square, with
    /// no more rows than columns (24 are 4 × 6, 48 are 6 × 8, 96 are 8 × 12).
    ///
    /// # Errors
    /// No unit at all, or no grid that is small enough.
    pub fn of_units(units: usize) -> Result<Self> {
        let rows = (1..=units.min(SIDE_MAX)).rev().find(|r| r * r <= units && units.is_multiple_of(*r)).unwrap_or(1);
        Self::new(rows, units / rows)
    }
    /// Units.
    #[must_use]
    pub fn units(&self) -> usize {
        self.rows * self.columns
    }
    /// Is this place on the outermost ring?
    #[must_use]
    pub fn is_edge(&self, row: usize, column: usize) -> bool {
        row == 0 || column == 0 || row + 1 == self.rows || column + 1 == self.columns
    }
    /// Does the system have places inside the outermost ring?
    #[must_use]
    pub fn has_middle(&self) -> bool {
        self.rows > 2 && self.columns > 2
    }
}

/// Name of a place, both counted from 0: `A1` is the first of the first row, `AA12` stands in row 27.
#[must_use]
pub fn position_name(row: usize, column: usize) -> String {
    let letter = |i: usize| char::from(b'A' + u8::try_from(i % 26).unwrap_or(0));
    let row = if row < 26 { letter(row).to_string() } else { format!("{}{}", letter(row / 26 - 1), letter(row)) };
    format!("{row}{}", column + 1)
}

/// Row and column, from 0, of a place that is named `A1`, `A01`, `a1` or `A-1`.
#[must_use]
pub fn read_position(name: &str) -> Option<(usize, usize)> {
    let name = name.trim();
    let letters = name.chars().take_while(char::is_ascii_alphabetic).count();
    let (letters, digits) = name.split_at_checked(letters)?;
    let digits = digits.trim_start_matches(['-', ' ']);
    let fits = (1..=2).contains(&letters.len()) && (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if !fits {
        return None;
    }
    let row = letters.bytes().fold(0, |row, b| row * 26 + usize::from(b.to_ascii_uppercase() - b'A') + 1);
    let column: usize = digits.parse().ok()?;
    (row <= SIDE_MAX && (1..=SIDE_MAX).contains(&column)).then(|| (row - 1, column - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_and_read() {
        for row in 0..SIDE_MAX {
            for column in 0..SIDE_MAX {
                let name = position_name(row, column);
                assert_eq!(read_position(&name), Some((row, column)), "{name}");
            }
        }
        assert_eq!((position_name(0, 0), position_name(3, 5)), ("A1".into(), "D6".into()));
        assert_eq!((read_position("A01"), read_position(" h12 ")), (Some((0, 0)), Some((7, 11))));
        for no in ["", "A", "1", "A0", "A100", "ABC1", "1A", "A1x", "Ä1", "R01x", "BATCH-01", "ZZ9"] {
            assert_eq!(read_position(no), None, "{no}");
        }
    }

    #[test]
    fn the_usual_plates_have_their_usual_grids() {
        for (units, rows, columns) in [(1, 1, 1), (6, 2, 3), (12, 3, 4), (24, 4, 6), (48, 6, 8), (96, 8, 12), (384, 16, 24)] {
            assert_eq!(System::of_units(units).unwrap(), System { rows, columns });
        }
        assert_eq!(System::of_units(0).unwrap_err().code(), "E-PLAN-006");
        assert_eq!(System::of_units(127).unwrap_err().code(), "E-PLAN-006");
        let plate = System::new(4, 6).unwrap();
        let edge = (0..24).filter(|i| plate.is_edge(i / 6, i % 6)).count();
        assert_eq!((edge, plate.has_middle()), (16, true));
        assert!(!System::new(2, 6).unwrap().has_middle());
    }
}
