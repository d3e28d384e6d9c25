//! The little dense algebra that rounding needs.

/// A dense matrix by rows.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    pub(super) columns: usize,
    pub(super) values: Vec<f64>,
}

impl Dense {
    pub(super) fn zero(rows: usize, columns: usize) -> Self {
        Self { columns, values: vec![0.0; rows * columns] }
    }

    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    pub(super) fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.values[i * self.columns..(i + 1) * self.columns]
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut lanes, whole) = ([0.0; 4], a.len() / 4 * 4);
    for (x, y) in a[..whole].chunks_exact(4).zip(b[..whole].chunks_exact(4)) {
        for k in 0..4 {
            lanes[k] += x[k] * y[k];
        }
    }
    let rest: f64 = a[whole..].iter().zip(&b[whole..]).map(|(x, y)| x * y).sum();
    lanes[0] + lanes[1] + lanes[2] + lanes[3] + rest
}

/// Lower Cholesky factor, in place, of a symmetric matrix whose lower half counts; `None` when it is not positive definite.
pub(super) fn cholesky(mut a: Dense) -> Option<Dense> {
    let n = a.columns;
    for i in 0..n {
        for j in 0..=i {
            let (before, row) = a.values.split_at(i * n);
            let sum = if i == j { dot(&row[..j], &row[..j]) } else { dot(&row[..j], &before[j * n..j * n + j]) };
            let left = row[j] - sum;
            let value = if i == j {
                if left.is_nan() || left <= 0.0 {
                    return None;
                }
                left.sqrt()
            } else {
                left / before[j * n + j]
            };
            a.values[i * n + j] = value;
        }
        a.values[i * n + i + 1..(i + 1) * n].fill(0.0);
    }
    Some(a)
}

/// Solves `L Lᵀ x = b` in place.
pub(super) fn solve(l: &Dense, x: &mut [f64]) {
    for i in 0..x.len() {
        x[i] = (x[i] - dot(&l.row(i)[..i], &x[..i])) / l.row(i)[i];
    }
    for i in (0..x.len()).rev() {
        x[i] /= l.row(i)[i];
        let value = x[i];
        for (k, entry) in l.row(i)[..i].iter().enumerate() {
            x[k] -= entry * value;
        }
    }
}

/// The inverse of the transpose of a lower triangle: an upper triangle.
pub(super) fn inverse_transposed(l: &Dense) -> Dense {
    let n = l.columns;
    let mut out = Dense::zero(n, n);
    // Row k of the result is the column k of L⁻¹: the solution of L x = e_k.
    for k in 0..n {
        let row = &mut out.values[k * n..(k + 1) * n];
        row[k] = 1.0 / l.row(k)[k];
        for i in k + 1..n {
            row[i] = -dot(&l.row(i)[k..i], &row[k..i]) / l.row(i)[i];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_and_inverses_are_those_of_the_matrix() {
        let a = Dense { columns: 3, values: vec![4.0, 0.0, 0.0, 2.0, 5.0, 0.0, 1.0, 3.0, 6.0] };
        let l = cholesky(a.clone()).unwrap();
        let mut x = vec![4.0 + 2.0 + 1.0, 2.0 + 5.0 + 3.0, 1.0 + 3.0 + 6.0];
        solve(&l, &mut x);
        assert!(x.iter().all(|v| (v - 1.0).abs() < 1e-14), "{x:?}");
        let t = inverse_transposed(&l);
        for i in 0..3 {
            for j in 0..3 {
                // Lᵀ T = 1.
                let sum: f64 = (0..3).map(|k| l.row(k)[i] * t.row(k)[j]).sum();
                assert!((sum - f64::from(u8::from(i == j))).abs() < 1e-14);
            }
        }
        assert!(cholesky(Dense { columns: 2, values: vec![1.0, 0.0, 2.0, 1.0] }).is_none());
    }
}
