//! A dense matrix, row after row.

use std::ops::{Index, IndexMut};

/// A dense matrix of numbers, kept row after row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    data: Vec<f64>,
}

impl Matrix {
    /// All zero.
    #[must_use]
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, data: vec![0.0; rows * columns] }
    }
    /// From a function of row and column.
    pub fn from_fn(rows: usize, columns: usize, mut value: impl FnMut(usize, usize) -> f64) -> Self {
        let mut data = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            for column in 0..columns {
                data.push(value(row, column));
            }
        }
        Self { rows, columns, data }
    }
    /// From rows; what a row has beyond the first one's length is left out, what it lacks is zero.
    #[must_use]
    pub fn from_rows<R: AsRef<[f64]>>(rows: &[R]) -> Self {
        let columns = rows.first().map_or(0, |r| r.as_ref().len());
        Self::from_fn(rows.len(), columns, |i, j| rows.get(i).and_then(|r| r.as_ref().get(j)).copied().unwrap_or(0.0))
    }
    /// One on the diagonal.
    #[must_use]
    pub fn identity(n: usize) -> Self {
        Self::from_fn(n, n, |i, j| if i == j { 1.0 } else { 0.0 })
    }
    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }
    /// A row.
    ///
    /// # Panics
    /// When there is no such row, as with a slice.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.data[row * self.columns..(row + 1) * self.columns]
    }
    /// A row to write to.
    ///
    /// # Panics
    /// When there is no such row, as with a slice.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.data[row * self.columns..(row + 1) * self.columns]
    }
    /// All numbers, row after row.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        &self.data
    }
    /// All numbers to write to, row after row.
    pub fn as_mut_slice(&mut self) -> &mut [f64] {
        &mut self.data
    }
    /// Adds a row; it is cut or filled with zeros to the number of columns (that of the first row sets them).
    pub fn push_row(&mut self, row: &[f64]) {
        if self.rows == 0 && self.columns == 0 {
            self.columns = row.len();
        }
        self.data.extend(row.iter().copied().chain(std::iter::repeat(0.0)).take(self.columns));
        self.rows += 1;
    }
    /// Rows and columns exchanged.
    #[must_use]
    pub fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |i, j| self[(j, i)])
    }
    /// This times a vector.
    #[must_use]
    pub fn times(&self, vector: &[f64]) -> Vec<f64> {
        (0..self.rows).map(|i| dot(self.row(i), vector)).collect()
    }
    /// The transpose of this times a vector.
    #[must_use]
    pub fn transposed_times(&self, vector: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.columns];
        for (i, factor) in vector.iter().enumerate().take(self.rows) {
            axpy(*factor, self.row(i), &mut sum);
        }
        sum
    }
    /// This times another matrix.
    #[must_use]
    pub fn product(&self, other: &Self) -> Self {
        let mut product = Self::zeros(self.rows, other.columns);
        for i in 0..self.rows {
            for k in 0..self.columns.min(other.rows) {
                let factor = self[(i, k)];
                axpy(factor, other.row(k), product.row_mut(i));
            }
        }
        product
    }
    /// The transpose of this times itself.
    #[must_use]
    pub fn gram(&self) -> Self {
        let mut gram = Self::zeros(self.columns, self.columns);
        for k in 0..self.rows {
            for i in 0..self.columns {
                axpy(self[(k, i)], self.row(k), gram.row_mut(i));
            }
        }
        gram
    }
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;
    fn index(&self, (row, column): (usize, usize)) -> &f64 {
        &self.data[row * self.columns + column]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut f64 {
        &mut self.data[row * self.columns + column]
    }
}

/// Σ aᵢbᵢ over the shorter of the two, in eight interleaved sums: as exact as one sum and several times as fast.
#[must_use]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut sums = [0.0; 8];
    let (chunks_a, chunks_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let (rest_a, rest_b) = (chunks_a.remainder(), chunks_b.remainder());
    for (x, y) in chunks_a.zip(chunks_b) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    let whole = ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
    rest_a.iter().zip(rest_b).fold(whole, |sum, (x, y)| sum + x * y)
}

/// b ← b + factor · a.
pub fn axpy(factor: f64, a: &[f64], b: &mut [f64]) {
    for (b, a) in b.iter_mut().zip(a) {
        *b += factor * a;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_transposes() {
        let a = Matrix::from_rows(&[vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]]);
        let b = a.transposed();
        assert_eq!(a.product(&b).as_slice(), [14.0, 32.0, 32.0, 77.0]);
        assert_eq!(a.gram(), b.product(&a));
        assert_eq!(a.times(&[1.0, 0.0, -1.0]), [-2.0, -2.0]);
        assert_eq!(a.transposed_times(&[1.0, -1.0]), [-3.0, -3.0, -3.0]);
        assert_eq!(Matrix::identity(2).product(&a), a);
        let mut grown = a.clone();
        grown.push_row(&[7.0]);
        assert_eq!((grown.rows(), grown.row(2)), (3, &[7.0, 0.0, 0.0][..]));
    }

    #[test]
    fn dot_takes_every_length() {
        for n in 0..40_u32 {
            let a: Vec<f64> = (1..=n).map(f64::from).collect();
            let n = f64::from(n);
            assert_eq!(dot(&a, &a), n * (n + 1.0) * (2.0 * n + 1.0) / 6.0);
        }
    }
}
