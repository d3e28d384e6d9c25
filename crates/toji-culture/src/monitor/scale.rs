//! Centring and scaling, and what is said of variables that have nothing to scale by.

use super::matrix::{Cells, Matrix};
use serde::{Deserialize, Serialize};

/// How columns are made comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Each column less its mean, over its standard deviation (n − 1).
    #[default]
    UnitVariance,
    /// Each column less its mean only: the units decide what counts.
    Centre,
    /// As unit variance, but of a course whose points follow one another, each with so many variables: a point at which a
    /// variable hardly differed among the references (a controller at its stop) is divided by no less than a fifth of
    /// what the variable differs by over the course. Else one that leaves the stop a little earlier would count as a
    /// hundred standard deviations, and limits that such runs set would let every true departure pass.
    Course {
        /// Variables at each point.
        variables: usize,
    },
}

/// Least divisor of a point, as a share of its variable's over the course.
const FLOOR: f64 = 0.2;

impl Scaling {
    /// Least divisor of each variable.
    fn floors(self, sds: &[f64]) -> Vec<f64> {
        let Self::Course { variables } = self else { return Vec::new() };
        let of = |variable: usize| {
            let squares: Vec<f64> = sds.iter().skip(variable).step_by(variables.max(1)).map(|sd| sd * sd).collect();
            FLOOR * (squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt()
        };
        (0..variables).map(of).collect()
    }
}

/// What was taken off and divided by, column by column, over the cells seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Scale {
    /// Mean of each column, in its own unit; 0 where nothing was seen.
    pub centre: Vec<f64>,
    /// Divisor of each column, in its own unit.
    pub spread: Vec<f64>,
    /// Columns of one and the same number: they say nothing inside the reference and are left out of the model. A new
    /// observation that differs in one of them is reported apart, since no number tells how far off it is.
    pub flat: Vec<usize>,
    /// Columns of which not even two cells were seen: left out of the model.
    pub unseen: Vec<usize>,
}

impl Scale {
    /// Of a reference.
    #[must_use]
    pub fn of(x: &Matrix, how: Scaling) -> Self {
        let (mut sums, mut counts) = (vec![0.0; x.cols()], vec![0.0; x.cols()]);
        for row in x.raw_rows() {
            for ((sum, count), v) in sums.iter_mut().zip(&mut counts).zip(row).filter(|(_, v)| !v.is_nan()) {
                *sum += v;
                *count += 1.0;
            }
        }
        let centre: Vec<f64> = sums.iter().zip(&counts).map(|(sum, n)| if *n > 0.0 { sum / n } else { 0.0 }).collect();
        let mut squares = vec![0.0; x.cols()];
        for row in x.raw_rows() {
            for ((square, mean), v) in squares.iter_mut().zip(&centre).zip(row).filter(|(_, v)| !v.is_nan()) {
                *square += (v - mean).powi(2);
            }
        }
        let mut out = Self { spread: vec![1.0; centre.len()], centre, flat: Vec::new(), unseen: Vec::new() };
        let sds: Vec<f64> = squares.iter().zip(&counts).map(|(square, n)| (square / (n - 1.0).max(1.0)).sqrt()).collect();
        let floors = how.floors(&sds);
        for (col, (sd, n)) in sds.iter().copied().zip(&counts).enumerate() {
            if *n < 2.0 {
                out.unseen.push(col);
            } else if sd <= out.centre[col].abs() * 1e-12 {
                // Below this a spread is rounding of the mean.
                out.flat.push(col);
            } else if how != Scaling::Centre {
                out.spread[col] = sd.max(floors.get(col % floors.len().max(1)).copied().unwrap_or(0.0));
            }
        }
        out
    }

    /// Columns in their own units → scaled cells. Columns left out of the model are 0.
    pub(super) fn cells(&self, x: &Matrix) -> Cells {
        let mut cells = Cells { rows: x.rows(), cols: x.cols(), x: Vec::with_capacity(x.rows() * x.cols()), seen: Vec::new() };
        for row in x.raw_rows() {
            cells.x.extend(row.iter().zip(&self.centre).zip(&self.spread).map(|((v, mean), sd)| (v - mean) / sd));
        }
        let silent = self.silent();
        for row in cells.x.chunks_exact_mut(x.cols().max(1)) {
            row.iter_mut().zip(&silent).filter(|(_, silent)| **silent).for_each(|(v, _)| *v = 0.0);
        }
        if cells.x.iter().any(|v| v.is_nan()) {
            cells.seen = cells.x.iter().map(|v| f64::from(u8::from(!v.is_nan()))).collect();
            cells.x.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = 0.0);
        }
        cells
    }

    /// Flat columns in which this row has another number.
    #[must_use]
    pub fn moved(&self, row: &[Option<f64>]) -> Vec<usize> {
        let differs = |col: &usize| {
            let found = row.get(*col).copied().flatten();
            found.is_some_and(|v| (v - self.centre[*col]).abs() > self.centre[*col].abs() * 1e-9)
        };
        self.flat.iter().copied().filter(differs).collect()
    }

    /// A scaled number of a column in the column's own unit.
    #[must_use]
    pub fn back(&self, col: usize, scaled: f64) -> f64 {
        self.centre[col] + scaled * self.spread[col]
    }

    pub(super) fn silent(&self) -> Vec<bool> {
        let mut silent = vec![false; self.centre.len()];
        self.flat.iter().chain(&self.unseen).for_each(|col| silent[*col] = true);
        silent
    }
    /// Columns that the model has something from.
    pub(super) fn speaking(&self) -> usize {
        self.centre.len() - self.flat.len() - self.unseen.len()
    }
}
