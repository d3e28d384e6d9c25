//! Tables with missing cells, and the small symmetric algebra that score spaces need.

use toji_core::{Category, Error, Place, Result};

/// The largest table that is taken in: rows × columns.
pub const CELLS_MAX: usize = 50_000_000;

/// Rows of observations over columns of variables. A cell may be missing; there is no other number in it that is not
/// finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    /// Row by row; NaN is a missing cell and never leaves this type.
    cells: Vec<f64>,
}

impl Matrix {
    /// From rows of equal length.
    ///
    /// # Errors
    /// Rows of different lengths, an infinite number or more than [`CELLS_MAX`] cells. NaN is read as missing.
    pub fn from_rows<R: AsRef<[Option<f64>]>>(rows: &[R]) -> Result<Self> {
        let cols = rows.first().map_or(0, |row| row.as_ref().len());
        let mut cells = Vec::with_capacity(bounded(rows.len(), cols)?);
        for (i, row) in rows.iter().enumerate() {
            let row = row.as_ref();
            if row.len() != cols {
                return Err(shape(i, row.len(), cols));
            }
            cells.extend(row.iter().map(|cell| cell.unwrap_or(f64::NAN)));
        }
        Self::new(rows.len(), cols, cells)
    }

    /// From numbers row by row, where NaN means missing.
    ///
    /// # Errors
    /// As [`Matrix::from_rows`].
    pub fn new(rows: usize, cols: usize, cells: Vec<f64>) -> Result<Self> {
        if bounded(rows, cols)? != cells.len() {
            return Err(shape(rows, cells.len(), rows * cols));
        }
        if let Some(at) = cells.iter().position(|cell| cell.is_infinite()) {
            let (row, col) = (at / cols + 1, at % cols + 1);
            return Err(Error::input(
                "E-MONITOR-002",
                format!("{row} 行 {col} 列の値が有限の数ではありません"),
                format!("the value in row {row}, column {col} is not a finite number"),
            )
            .at(Place::line(row as u64).at_column(col as u64))
            .hint("そのセルを欠測にするか、値を直してください", "make the cell missing, or correct its value"));
        }
        Ok(Self { rows, cols, cells })
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// A cell; `None` when it is missing or does not exist.
    #[must_use]
    pub fn get(&self, row: usize, col: usize) -> Option<f64> {
        (col < self.cols).then(|| self.cells.get(row * self.cols + col)).flatten().copied().filter(|v| !v.is_nan())
    }
    /// One column, missing cells as `None`.
    pub fn column(&self, col: usize) -> impl Iterator<Item = Option<f64>> + '_ {
        (0..self.rows).map(move |row| self.get(row, col))
    }
    /// Is no cell missing?
    #[must_use]
    pub fn complete(&self) -> bool {
        !self.cells.iter().any(|v| v.is_nan())
    }
    /// The rows named, in that order; those that do not exist are left out.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let kept: Vec<usize> = rows.iter().copied().filter(|row| *row < self.rows).collect();
        Self { rows: kept.len(), cols: self.cols, cells: kept.iter().flat_map(|row| self.raw(*row).iter().copied()).collect() }
    }
    /// From cells that stood in a checked table before.
    pub(super) fn trusted(rows: usize, cols: usize, cells: Vec<f64>) -> Self {
        Self { rows, cols, cells }
    }
    /// A row with NaN for missing cells.
    pub(super) fn raw(&self, row: usize) -> &[f64] {
        &self.cells[row * self.cols..(row + 1) * self.cols]
    }
    pub(super) fn raw_rows(&self) -> impl Iterator<Item = &[f64]> {
        self.cells.chunks_exact(self.cols.max(1))
    }
}

pub(super) fn bounded(rows: usize, cols: usize) -> Result<usize> {
    rows.checked_mul(cols).filter(|cells| *cells <= CELLS_MAX).ok_or_else(|| {
        Error::new(
            Category::Limit,
            "E-MONITOR-003",
            format!("表が大きすぎます（{rows} 行 × {cols} 列、上限 {CELLS_MAX} セル）"),
            format!("the table is too large ({rows} rows × {cols} columns; at most {CELLS_MAX} cells)"),
        )
        .hint("時点を間引くか、変数を減らしてください", "take fewer time points or fewer variables")
    })
}

fn shape(row: usize, found: usize, wanted: usize) -> Error {
    let row = row + 1;
    Error::input(
        "E-MONITOR-001",
        format!("表の {row} 行目のセルの数が {found} です（{wanted} のはずです）"),
        format!("row {row} of the table has {found} cells instead of {wanted}"),
    )
    .at(Place::line(row as u64))
    .hint("すべての行を同じ列数にしてください", "give every row the same number of cells")
}

/// A scaled table for calculation: missing cells are 0 in `x` and 0 in `seen`; `seen` is empty when nothing is missing.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) x: Vec<f64>,
    pub(super) seen: Vec<f64>,
}

impl Cells {
    pub(super) fn row(&self, row: usize) -> &[f64] {
        &self.x[row * self.cols..(row + 1) * self.cols]
    }
    pub(super) fn seen_row(&self, row: usize) -> Option<&[f64]> {
        (!self.seen.is_empty()).then(|| &self.seen[row * self.cols..(row + 1) * self.cols])
    }
    /// Regression of every column on `t` over the cells seen: x't / t't. 0 where a column has nothing to regress.
    pub(super) fn regress_columns(&self, t: &[f64]) -> Vec<f64> {
        let mut above = vec![0.0; self.cols];
        for (row, t) in t.iter().enumerate() {
            add_scaled(&mut above, *t, self.row(row));
        }
        if self.seen.is_empty() {
            let below = dot(t, t);
            above.iter_mut().for_each(|p| *p = ratio(*p, below));
        } else {
            let mut below = vec![0.0; self.cols];
            for (row, t) in t.iter().enumerate() {
                add_scaled(&mut below, t * t, self.seen_row(row).unwrap_or(&[]));
            }
            above.iter_mut().zip(&below).for_each(|(p, below)| *p = ratio(*p, *below));
        }
        above
    }
    /// Regression of every row on `p` over the cells seen.
    pub(super) fn regress_rows(&self, p: &[f64]) -> Vec<f64> {
        let all = dot(p, p);
        (0..self.rows)
            .map(|row| {
                let below = self.seen_row(row).map_or(all, |seen| seen.iter().zip(p).map(|(s, p)| s * p * p).sum());
                ratio(dot(self.row(row), p), below)
            })
            .collect()
    }
    /// Takes t p' away from the cells seen.
    pub(super) fn deflate(&mut self, t: &[f64], p: &[f64]) {
        for (row, t) in t.iter().enumerate() {
            let cells = &mut self.x[row * self.cols..(row + 1) * self.cols];
            if self.seen.is_empty() {
                add_scaled(cells, -t, p);
            } else {
                let seen = &self.seen[row * self.cols..(row + 1) * self.cols];
                cells.iter_mut().zip(p).zip(seen).for_each(|((x, p), seen)| *x -= t * p * seen);
            }
        }
    }
    /// Sum of squares of each row, as if the row had been seen in full (scaled by cells over cells seen).
    pub(super) fn row_squares(&self) -> Vec<f64> {
        (0..self.rows).map(|row| full(dot(self.row(row), self.row(row)), self.seen_row(row), self.cols)).collect()
    }
    pub(super) fn column_squares(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.cols];
        for row in 0..self.rows {
            sums.iter_mut().zip(self.row(row)).for_each(|(sum, x)| *sum += x * x);
        }
        sums
    }
    pub(super) fn squares(&self) -> f64 {
        dot(&self.x, &self.x)
    }
    pub(super) fn count(&self) -> f64 {
        if self.seen.is_empty() { (self.rows * self.cols) as f64 } else { self.seen.iter().sum() }
    }
}

/// A sum of squares over the cells seen, brought to `cols` cells.
pub(super) fn full(squares: f64, seen: Option<&[f64]>, cols: usize) -> f64 {
    let Some(seen) = seen else { return squares };
    let found: f64 = seen.iter().sum();
    if found > 0.0 { squares * cols as f64 / found } else { 0.0 }
}

pub(super) fn ratio(above: f64, below: f64) -> f64 {
    if below > 0.0 { above / below } else { 0.0 }
}

/// Four sums side by side: several times faster than one, and the same on every machine.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (fours_a, fours_b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = fours_a.remainder().iter().zip(fours_b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in fours_a.zip(fours_b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

pub(super) fn add_scaled(to: &mut [f64], by: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += by * from);
}

/// Eigenvalues (falling) and eigenvectors (one a row) of a symmetric matrix, by Jacobi's rotations.
pub(super) fn eigen(matrix: &[Vec<f64>]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = matrix.len();
    let mut a: Vec<Vec<f64>> = matrix.to_vec();
    let mut vectors: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let total: f64 = a.iter().flatten().map(|v| v * v).sum();
    for _ in 0..60 {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i][j] * a[i][j]).sum();
        if off <= total * 1e-30 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| a[*j][*j].total_cmp(&a[*i][*i]).then(i.cmp(j)));
    (order.iter().map(|i| a[*i][*i]).collect(), order.iter().map(|i| std::mem::take(&mut vectors[*i])).collect())
}

/// One rotation that makes a\[p\]\[q\] zero; `vectors` holds eigenvectors as rows.
fn rotate(a: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    let apq = a[p][q];
    if apq == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cos = 1.0 / (t * t + 1.0).sqrt();
    let sin = t * cos;
    for row in a.iter_mut() {
        let (x, y) = (row[p], row[q]);
        row[p] = cos * x - sin * y;
        row[q] = sin * x + cos * y;
    }
    two_rows(a, p, q, cos, sin);
    two_rows(vectors, p, q, cos, sin);
    a[p][q] = 0.0;
    a[q][p] = 0.0;
}

fn two_rows(of: &mut [Vec<f64>], p: usize, q: usize, cos: f64, sin: f64) {
    let (low, high) = of.split_at_mut(q);
    for (x, y) in low[p].iter_mut().zip(high[0].iter_mut()) {
        (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
    }
}

/// The inverse of a symmetric matrix that may be singular (Moore and Penrose), and its rank: directions with less than
/// 1e-10 of the largest eigenvalue count as none.
pub(super) fn pseudo_inverse(matrix: &[Vec<f64>]) -> (Vec<Vec<f64>>, usize) {
    let (values, vectors) = eigen(matrix);
    let least = values.first().copied().unwrap_or(0.0).max(0.0) * 1e-10;
    let mut inverse = vec![vec![0.0; matrix.len()]; matrix.len()];
    let mut rank = 0;
    for (value, vector) in values.iter().zip(&vectors).filter(|(value, _)| **value > least) {
        rank += 1;
        for (row, v) in inverse.iter_mut().zip(vector) {
            add_scaled(row, v / value, vector);
        }
    }
    (inverse, rank)
}

/// x'Mx.
pub(super) fn quadratic(x: &[f64], matrix: &[Vec<f64>]) -> f64 {
    matrix.iter().zip(x).map(|(row, v)| v * dot(row, x)).sum()
}

/// Mx, for a square M given by rows.
pub(super) fn apply(matrix: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| dot(row, x)).collect()
}

/// AB, both square of one size.
pub(super) fn product(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    a.iter()
        .map(|row| {
            let mut out = vec![0.0; b.first().map_or(0, Vec::len)];
            row.iter().zip(b).for_each(|(v, row)| add_scaled(&mut out, *v, row));
            out
        })
        .collect()
}

pub(super) fn transpose(a: &[Vec<f64>]) -> Vec<Vec<f64>> {
    (0..a.first().map_or(0, Vec::len)).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvalues_of_a_chain_are_the_known_ones() {
        // Second differences of n points: 2 − 2 cos(kπ/(n+1)).
        let n = 12;
        let chain: Vec<Vec<f64>> = (0..n)
            .map(|i: usize| (0..n).map(|j| if i == j { 2.0 } else { -f64::from(u8::from(i.abs_diff(j) == 1)) }).collect())
            .collect();
        let (values, vectors) = eigen(&chain);
        for (k, value) in values.iter().enumerate() {
            let wanted = 2.0 - 2.0 * (((n - k) as f64) * std::f64::consts::PI / (n + 1) as f64).cos();
            assert!((value - wanted).abs() < 1e-13, "{value} {wanted}");
            let image = apply(&chain, &vectors[k]);
            assert!(image.iter().zip(&vectors[k]).all(|(a, v)| (a - value * v).abs() < 1e-13));
        }
        let (inverse, rank) = pseudo_inverse(&chain);
        assert_eq!(rank, n);
        assert!((quadratic(&[1.0; 12], &inverse) - 182.0).abs() < 1e-9); // n(n+1)(n+2)/12
    }

    #[test]
    fn a_singular_matrix_has_its_rank() {
        let (inverse, rank) = pseudo_inverse(&[vec![2.0, 2.0], vec![2.0, 2.0]]);
        assert_eq!(rank, 1);
        assert!((inverse[0][0] - 0.125).abs() < 1e-15 && (inverse[0][1] - 0.125).abs() < 1e-15);
    }

    #[test]
    fn bad_tables_are_refused() {
        let code = |result: Result<Matrix>| result.unwrap_err().code();
        assert_eq!(code(Matrix::from_rows(&[vec![Some(1.0)], vec![]])), "E-MONITOR-001");
        assert_eq!(code(Matrix::new(1, 2, vec![1.0, f64::INFINITY])), "E-MONITOR-002");
        assert_eq!(code(Matrix::new(1 << 20, 1 << 20, vec![])), "E-MONITOR-003");
        let holes = Matrix::from_rows(&[[Some(1.0), None], [None, Some(2.0)]]).unwrap();
        assert_eq!((holes.get(0, 0), holes.get(0, 1), holes.get(0, 9), holes.get(9, 0)), (Some(1.0), None, None, None));
        assert!(!holes.complete());
    }
}
