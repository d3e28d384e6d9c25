//! The Cholesky factor of a symmetric positive definite matrix, and what it is used for.

use super::matrix::{Matrix, axpy, dot};
use libm::log as ln;
use toji_core::{Category, Error, Result};

/// Shares of the mean of the diagonal that are added in turn where a matrix is not positive definite.
const JITTER: [f64; 6] = [0.0, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4];

/// L with L·Lᵀ = A + jitter·I. The rows lie one behind the other, each up to its diagonal, so that a row can be
/// added and every inner loop runs along memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cholesky {
    n: usize,
    data: Vec<f64>,
    jitter: f64,
}

/// Where row `i` begins.
fn start(i: usize) -> usize {
    i * (i + 1) / 2
}

impl Cholesky {
    /// Factor of a symmetric matrix, of which the lower triangle is read. Where rounding has made the matrix
    /// indefinite the smallest of a few multiples of the identity that helps is added, at most 1e-4 of the mean
    /// of the diagonal, and [`Cholesky::jitter`] says how much.
    ///
    /// # Errors
    /// The matrix is not square, has a number that is not finite, or is indefinite by more than rounding.
    pub fn new(matrix: &Matrix) -> Result<Self> {
        Self::with_jitter(matrix, &JITTER)
    }
    /// Factor without any jitter; `None` when the matrix is not positive definite.
    #[must_use]
    pub fn exact(matrix: &Matrix) -> Option<Self> {
        (matrix.rows() == matrix.columns()).then(|| Self::attempt(matrix, 0.0)).flatten()
    }
    fn with_jitter(matrix: &Matrix, steps: &[f64]) -> Result<Self> {
        let n = matrix.rows();
        if n == matrix.columns() {
            let mean = (0..n).map(|i| matrix[(i, i)].abs()).sum::<f64>() / n.max(1) as f64;
            if let Some(factor) = steps.iter().find_map(|share| Self::attempt(matrix, share * mean)) {
                return Ok(factor);
            }
        }
        Err(Error::new(
            Category::Model,
            "E-LINEAR-001",
            format!("{n} 行の行列が正定値ではないため分解できません"),
            format!("the matrix of {n} rows is not positive definite, so it cannot be factored"),
        )
        .hint(
            "重複する点やほぼ同じ点を除くか、雑音を大きくしてください。値に無限大や非数がないかも確認してください",
            "take away points that are the same or nearly so, or allow more noise; look for values that are not finite",
        ))
    }
    fn attempt(matrix: &Matrix, jitter: f64) -> Option<Self> {
        let mut factor = Self { n: 0, data: Vec::with_capacity(start(matrix.rows())), jitter };
        for i in 0..matrix.rows() {
            factor.push(&matrix.row(i)[..i], matrix[(i, i)] + jitter)?;
        }
        Some(factor)
    }
    /// The next row; the factor is left as it was when there is none.
    fn push(&mut self, off: &[f64], diagonal: f64) -> Option<()> {
        let begin = self.data.len();
        for (j, value) in off.iter().enumerate() {
            let row = &self.data[start(j)..=start(j) + j];
            let solved = (value - dot(&row[..j], &self.data[begin..])) / row[j];
            self.data.push(solved);
        }
        let left = diagonal - dot(&self.data[begin..], &self.data[begin..]);
        // Rounding leaves about n·ε of the diagonal; what is not above it is no variance.
        if !left.is_finite() || left <= f64::EPSILON * diagonal.abs() {
            self.data.truncate(begin);
            return None;
        }
        self.data.push(left.sqrt());
        self.n += 1;
        Some(())
    }
    /// Adds a row: `off` are its entries left of the diagonal. The jitter of the factor is added to the diagonal,
    /// and more where that is needed. Says what was added beyond it.
    ///
    /// # Errors
    /// The length is another than the factor's, a number is not finite, or no reasonable jitter helps.
    pub fn append(&mut self, off: &[f64], diagonal: f64) -> Result<f64> {
        if off.len() == self.n {
            for share in JITTER {
                if self.push(off, diagonal + self.jitter + share * diagonal.abs()).is_some() {
                    return Ok(share * diagonal.abs());
                }
            }
        }
        Err(Error::new(
            Category::Model,
            "E-LINEAR-002",
            format!("{} 行の分解に行を加えられません", self.n),
            format!("no row can be added to the factor of {} rows", self.n),
        )
        .hint(
            "既にある点と同じ点を加えていないか、値が有限かを確認してください",
            "see whether the point is there already, and whether its values are finite",
        ))
    }
    /// Rows.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }
    /// What was added to the diagonal: 0 where the matrix was positive definite as it came.
    #[must_use]
    pub fn jitter(&self) -> f64 {
        self.jitter
    }
    /// A row of L up to its diagonal.
    ///
    /// # Panics
    /// When there is no such row, as with a slice.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[start(i)..=start(i) + i]
    }
    /// Logarithm of the determinant of A.
    #[must_use]
    pub fn ln_determinant(&self) -> f64 {
        2.0 * (0..self.n).map(|i| ln(self.data[start(i) + i])).sum::<f64>()
    }
    /// b ← L⁻¹ b.
    pub fn solve_lower(&self, b: &mut [f64]) {
        for i in 0..self.n.min(b.len()) {
            let row = self.row(i);
            b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
        }
    }
    /// b ← L⁻ᵀ b.
    pub fn solve_upper(&self, b: &mut [f64]) {
        for i in (0..self.n.min(b.len())).rev() {
            let row = self.row(i);
            let (before, rest) = b.split_at_mut(i);
            rest[0] /= row[i];
            axpy(-rest[0], &row[..i], before);
        }
    }
    /// A⁻¹ b.
    #[must_use]
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        self.solve_lower(&mut x);
        self.solve_upper(&mut x);
        x
    }
    /// L z.
    #[must_use]
    pub fn times(&self, z: &[f64]) -> Vec<f64> {
        (0..self.n).map(|i| dot(self.row(i), z)).collect()
    }
    /// B ← L⁻¹ B, for all columns of B at once.
    pub fn solve_lower_many(&self, b: &mut Matrix) {
        let columns = b.columns();
        let data = b.as_mut_slice();
        for i in 0..self.n {
            let row = self.row(i);
            let (done, now) = data.split_at_mut(i * columns);
            let now = &mut now[..columns];
            for (j, factor) in row[..i].iter().enumerate() {
                axpy(-factor, &done[j * columns..(j + 1) * columns], now);
            }
            now.iter_mut().for_each(|v| *v /= row[i]);
        }
    }
    /// B ← L⁻ᵀ B, for all columns of B at once.
    pub fn solve_upper_many(&self, b: &mut Matrix) {
        let columns = b.columns();
        let data = b.as_mut_slice();
        for i in (0..self.n).rev() {
            let row = self.row(i);
            let (before, now) = data.split_at_mut(i * columns);
            let now = &mut now[..columns];
            now.iter_mut().for_each(|v| *v /= row[i]);
            for (j, factor) in row[..i].iter().enumerate() {
                axpy(-factor, now, &mut before[j * columns..(j + 1) * columns]);
            }
        }
    }
    /// A⁻¹, symmetric to the last bit.
    #[must_use]
    pub fn inverse(&self) -> Matrix {
        let n = self.n;
        // Row i of this is column i of L⁻¹ from its diagonal on.
        let mut columns = Matrix::zeros(n, n);
        for i in 0..n {
            let column = columns.row_mut(i);
            column[i] = 1.0 / self.row(i)[i];
            for k in i + 1..n {
                let row = self.row(k);
                column[k] = -dot(&row[i..k], &column[i..k]) / row[k];
            }
        }
        let mut inverse = Matrix::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let value = dot(&columns.row(i)[i..], &columns.row(j)[i..]);
                inverse[(i, j)] = value;
                inverse[(j, i)] = value;
            }
        }
        inverse
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::chance::Chance;

    fn positive(n: usize, seed: u64) -> Matrix {
        let mut chance = Chance::new(seed);
        let a = Matrix::from_fn(n + 3, n, |_, _| chance.normal());
        a.gram()
    }

    #[test]
    fn factor_solve_determinant_and_inverse_agree_with_the_matrix() {
        for n in [1, 2, 5, 17, 40] {
            let a = positive(n, n as u64);
            let factor = Cholesky::new(&a).unwrap();
            assert_eq!(factor.jitter(), 0.0);
            let x: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
            let found = factor.solve(&a.times(&x));
            let back = factor.inverse().product(&a);
            for i in 0..n {
                assert!((found[i] - x[i]).abs() < 1e-8, "{n}");
                for j in 0..n {
                    assert!((dot(factor.row(i), factor.row(j)) - a[(i, j)]).abs() < 1e-11 * a[(i, i)].max(1.0));
                    assert!((back[(i, j)] - f64::from(u8::from(i == j))).abs() < 1e-8);
                }
            }
            let mut many = Matrix::from_fn(n, 3, |i, j| a[(i, (i + j) % n)]);
            let column: Vec<f64> = (0..n).map(|i| many[(i, 1)]).collect();
            factor.solve_lower_many(&mut many);
            factor.solve_upper_many(&mut many);
            for (i, value) in factor.solve(&column).into_iter().enumerate() {
                assert!((many[(i, 1)] - value).abs() < 1e-9);
            }
        }
        let a = Matrix::from_rows(&[[4.0, 2.0], [2.0, 3.0]]);
        assert!((Cholesky::new(&a).unwrap().ln_determinant() - 8.0_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn added_rows_give_the_factor_of_the_whole() {
        let a = positive(12, 3);
        let whole = Cholesky::new(&a).unwrap();
        let mut grown = Cholesky::new(&Matrix::from_fn(7, 7, |i, j| a[(i, j)])).unwrap();
        for i in 7..12 {
            assert_eq!(grown.append(&a.row(i)[..i], a[(i, i)]).unwrap(), 0.0);
        }
        assert_eq!(grown, whole);
        assert_eq!(grown.append(&[1.0], 1.0).unwrap_err().code(), "E-LINEAR-002");
        assert_eq!(grown, whole);
    }

    #[test]
    fn jitter_is_as_small_as_helps_and_reported() {
        // Rank one: positive semidefinite.
        let a = Matrix::from_fn(6, 6, |_, _| 2.0);
        assert!(Cholesky::exact(&a).is_none());
        let factor = Cholesky::new(&a).unwrap();
        assert!(factor.jitter() > 0.0 && factor.jitter() <= 2e-8, "{}", factor.jitter());
        let mut one = Cholesky::new(&Matrix::from_fn(1, 1, |_, _| 1.0)).unwrap();
        let added = one.append(&[1.0], 1.0).unwrap();
        assert!(added > 0.0 && added <= 1e-10);
        let indefinite = Matrix::from_rows(&[[1.0, 2.0], [2.0, 1.0]]);
        assert_eq!(Cholesky::new(&indefinite).unwrap_err().code(), "E-LINEAR-001");
        let nan = Matrix::from_rows(&[[f64::NAN]]);
        assert_eq!(Cholesky::new(&nan).unwrap_err().code(), "E-LINEAR-001");
    }
}
