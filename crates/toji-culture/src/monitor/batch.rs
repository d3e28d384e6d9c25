//! Batches, and the two ways to lay them out as one table.

use super::matrix::Matrix;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// One batch as it was measured: time points over variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Name.
    pub name: String,
    /// Time of each row since the start, in one unit for all batches (h); rising.
    pub times: Vec<f64>,
    /// Rows are time points, columns variables in their own units; the same variables in all batches.
    pub values: Matrix,
    /// Beginnings of phases, in their order.
    pub marks: Vec<Mark>,
    /// Has it ended? Of one that still runs, what is not there is still to come.
    pub ended: bool,
}

/// The beginning of a phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Mark {
    /// Phase.
    pub phase: String,
    /// Time since the start, in the unit of the batch's times (h).
    pub time: f64,
}

impl Batch {
    /// Refuses what cannot be laid beside others.
    pub(super) fn checked(&self, variables: usize) -> Result<()> {
        let name = &self.name;
        if self.values.cols() != variables || self.values.rows() != self.times.len() || self.times.len() < 2 {
            let (rows, times, cols) = (self.values.rows(), self.times.len(), self.values.cols());
            return Err(Error::input(
                "E-MONITOR-011",
                format!("バッチ「{name}」の表が合いません（{rows} 行 × {cols} 列、時刻 {times} 個、変数 {variables} 個、2 時点以上）"),
                format!(
                    "the table of batch \"{name}\" does not fit: {rows} rows × {cols} columns for {times} times and {variables} variables (at least 2 times)"
                ),
            )
            .at(Place::field(name))
            .hint("すべてのバッチに同じ変数を渡してください", "give every batch the same variables"));
        }
        let rising = self.times.windows(2).all(|pair| pair[1] > pair[0]) && self.times.iter().all(|t| t.is_finite());
        let rising = rising && self.marks.iter().all(|mark| mark.time.is_finite());
        if !rising {
            return Err(Error::input(
                "E-MONITOR-012",
                format!("バッチ「{name}」の時刻が増えていません"),
                format!("the times of batch \"{name}\" do not rise"),
            )
            .at(Place::field(name))
            .hint("時刻順に並べ、重複を除いてください", "sort by time and leave duplicates out"));
        }
        Ok(())
    }
}

/// A batch on the common axis of all: one row per point.
#[derive(Debug, Clone, PartialEq)]
pub struct OnAxis {
    /// Name of the batch.
    pub name: String,
    /// Points over variables; what a batch has not reached is missing.
    pub values: Matrix,
    /// Time of the batch at each point (h). `None` where it has not been.
    pub times: Vec<Option<f64>>,
    /// Points reached: all that follow are missing.
    pub reached: usize,
}

/// Batches on one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligned {
    /// Names of the variables.
    pub variables: Vec<String>,
    /// Points of the axis.
    pub points: usize,
    /// Batches.
    pub batches: Vec<OnAxis>,
}

impl Aligned {
    /// One row a batch: columns are point by point, within a point variable by variable. What differs between rows is
    /// how batches ran.
    ///
    /// # Errors
    /// More cells than a table may have.
    pub fn batch_wise(&self) -> Result<Matrix> {
        let cells = self.batches.iter().flat_map(|batch| batch.values.raw_rows().flatten().copied()).collect();
        Matrix::new(self.batches.len(), self.points * self.variables.len(), cells)
    }

    /// One row a batch and point, columns are variables; with the batch of each row. What differs between rows is where
    /// in its course a batch is, and how it runs. Rows without any value are left out.
    ///
    /// # Errors
    /// More cells than a table may have.
    pub fn variable_wise(&self) -> Result<(Matrix, Vec<usize>)> {
        let (mut cells, mut owner) = (Vec::new(), Vec::new());
        for (i, batch) in self.batches.iter().enumerate() {
            for row in batch.values.raw_rows().filter(|row| row.iter().any(|v| !v.is_nan())) {
                cells.extend_from_slice(row);
                owner.push(i);
            }
        }
        Ok((Matrix::new(owner.len(), self.variables.len(), cells)?, owner))
    }

    /// Point and variable of a column of the batch-wise table.
    #[must_use]
    pub fn place(&self, column: usize) -> (usize, usize) {
        (column / self.variables.len().max(1), column % self.variables.len().max(1))
    }

    /// Without some batches, by their place.
    #[must_use]
    pub fn without(&self, out: &[usize]) -> Self {
        let kept = self.batches.iter().enumerate().filter(|(i, _)| !out.contains(i)).map(|(_, batch)| batch.clone());
        Self { variables: self.variables.clone(), points: self.points, batches: kept.collect() }
    }
}
