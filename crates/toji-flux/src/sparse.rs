//! Sparse matrices by columns, the one shape in which coefficients travel through this crate.

/// An immutable sparse matrix in compressed-column form.
///
/// Rows within a column ascend and appear once; no stored value is zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    starts: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of `rows` rows and as many columns as `columns` yields. Entries of one row in one column are summed;
    /// zeros are dropped.
    ///
    /// `None` when a row index is out of range or there are more than `u32::MAX` rows or columns.
    pub fn from_columns<'a>(rows: usize, columns: impl IntoIterator<Item = &'a [(usize, f64)]>) -> Option<Self> {
        u32::try_from(rows).ok()?;
        let mut matrix = Self { rows, starts: vec![0], indices: Vec::new(), values: Vec::new() };
        let mut sorted: Vec<(usize, f64)> = Vec::new();
        for column in columns {
            sorted.clear();
            sorted.extend_from_slice(column);
            sorted.sort_by_key(|entry| entry.0);
            let mut at = 0;
            while at < sorted.len() {
                let row = sorted[at].0;
                if row >= rows {
                    return None;
                }
                let mut sum = 0.0;
                while at < sorted.len() && sorted[at].0 == row {
                    sum += sorted[at].1;
                    at += 1;
                }
                if sum != 0.0 {
                    matrix.indices.push(row as u32);
                    matrix.values.push(sum);
                }
            }
            matrix.starts.push(matrix.indices.len());
        }
        u32::try_from(matrix.starts.len()).ok()?;
        Some(matrix)
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of stored entries.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.values.len()
    }

    /// Row indices and values of one column.
    #[must_use]
    pub fn column(&self, column: usize) -> (&[u32], &[f64]) {
        let range = self.starts[column]..self.starts[column + 1];
        (&self.indices[range.clone()], &self.values[range])
    }

    /// The entries of one column.
    pub fn iter(&self, column: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let (indices, values) = self.column(column);
        indices.iter().zip(values).map(|(&row, &value)| (row as usize, value))
    }

    /// The same matrix by rows: a matrix whose columns are the rows of this one.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut starts = vec![0_usize; self.rows + 1];
        for &row in &self.indices {
            starts[row as usize + 1] += 1;
        }
        for row in 0..self.rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut indices = vec![0_u32; self.indices.len()];
        let mut values = vec![0.0; self.values.len()];
        for column in 0..self.columns() {
            for (row, value) in self.iter(column) {
                indices[next[row]] = column as u32;
                values[next[row]] = value;
                next[row] += 1;
            }
        }
        Self { rows: self.columns(), starts, indices, values }
    }

    /// Every entry `a(i, j)` times `row_scale[i] * column_scale[j]`.
    #[must_use]
    pub fn scaled(&self, row_scale: &[f64], column_scale: &[f64]) -> Self {
        let mut scaled = self.clone();
        for (column, scale) in column_scale.iter().enumerate().take(self.columns()) {
            for at in self.starts[column]..self.starts[column + 1] {
                scaled.values[at] *= row_scale[self.indices[at] as usize] * scale;
            }
        }
        scaled
    }

    /// The product with a vector of one value for each column.
    #[must_use]
    pub fn times(&self, x: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; self.rows];
        for (column, &value) in x.iter().enumerate() {
            if value != 0.0 {
                for (row, coefficient) in self.iter(column) {
                    product[row] += coefficient * value;
                }
            }
        }
        product
    }

    /// The inner product of one column with a vector of one value for each row.
    #[must_use]
    pub fn column_dot(&self, column: usize, y: &[f64]) -> f64 {
        self.iter(column).map(|(row, value)| value * y[row]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_drops() {
        let columns: [&[(usize, f64)]; 3] = [&[(1, 2.0), (0, 1.0), (1, -2.0)], &[], &[(1, 4.0)]];
        let matrix = Matrix::from_columns(2, columns).unwrap();
        assert_eq!((matrix.rows(), matrix.columns(), matrix.entries()), (2, 3, 2));
        assert_eq!(matrix.times(&[3.0, 9.0, 0.5]), vec![3.0, 2.0]);
        assert_eq!(matrix.transposed().transposed(), matrix);
        assert!(Matrix::from_columns(1, [&[(1, 1.0)][..]]).is_none());
    }
}
