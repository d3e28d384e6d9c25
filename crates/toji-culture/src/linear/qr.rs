//! Least squares by Householder's reflections.

use super::matrix::{Matrix, axpy, dot};
use toji_core::{Category, Error, Result};

/// A solution of least squares.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastSquares {
    /// Coefficients.
    pub coefficients: Vec<f64>,
    /// Sum of squared residuals.
    pub residual_sum: f64,
    /// Ratio of the largest to the smallest pivot: how much rounding and errors of the data are enlarged.
    pub condition: f64,
}

/// The x that makes |A·x − b| smallest.
///
/// # Errors
/// Fewer rows than columns, lengths that do not fit, or columns that depend on each other.
pub fn least_squares(a: &Matrix, b: &[f64]) -> Result<LeastSquares> {
    let (m, n) = (a.rows(), a.columns());
    if m < n || b.len() != m || n == 0 {
        return Err(Error::input(
            "E-LINEAR-003",
            format!("最小二乗の行数が足りません: {m} 行、{n} 列、右辺 {} 個", b.len()),
            format!("least squares needs at least as many rows as columns: {m} rows, {n} columns, {} values", b.len()),
        )
        .hint("測定を増やすか、推定する項を減らしてください", "measure more, or estimate fewer terms"));
    }
    // Row k of this is column k of A.
    let mut columns = a.transposed();
    let mut b = b.to_vec();
    let scale = columns.as_slice().iter().fold(0.0_f64, |s, v| s.max(v.abs()));
    let mut pivots = Vec::with_capacity(n);
    for k in 0..n {
        let mut reflector = columns.row(k)[k..].to_vec();
        let norm = dot(&reflector, &reflector).sqrt();
        if norm <= 1e-12 * scale * (m as f64).sqrt() || !norm.is_finite() {
            return Err(Error::new(
                Category::Model,
                "E-LINEAR-004",
                format!("{} 番目の項が他の項の組合せと区別できません", k + 1),
                format!("term {} cannot be told from a combination of the others", k + 1),
            )
            .hint("その項を除くか、設計を変えてください", "leave the term out, or change the design"));
        }
        let pivot = -norm.copysign(reflector[0]);
        reflector[0] -= pivot;
        let half = dot(&reflector, &reflector) / 2.0;
        for j in k + 1..n {
            let tail = &mut columns.row_mut(j)[k..];
            let factor = dot(&reflector, tail) / half;
            axpy(-factor, &reflector, tail);
        }
        let factor = dot(&reflector, &b[k..]) / half;
        axpy(-factor, &reflector, &mut b[k..]);
        pivots.push(pivot);
    }
    let mut x = vec![0.0; n];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| columns[(j, i)] * x[j]).sum();
        x[i] = (b[i] - known) / pivots[i];
    }
    let (low, high) = pivots.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), p| (l.min(p.abs()), h.max(p.abs())));
    Ok(LeastSquares { coefficients: x, residual_sum: dot(&b[n..], &b[n..]), condition: high / low })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_is_found_and_its_residual() {
        let a = Matrix::from_fn(9, 3, |i, j| (i as f64 - 4.0).powi(j as i32));
        // Alternating ±1 around 2 − x + 0.5 x²: on these nine points orthogonal to x, not to 1 and x².
        let exact: Vec<f64> = a.times(&[2.0, -1.0, 0.5]);
        let fit = least_squares(&a, &exact).unwrap();
        for (found, wanted) in fit.coefficients.iter().zip([2.0, -1.0, 0.5]) {
            assert!((found - wanted).abs() < 1e-13);
        }
        assert!(fit.residual_sum < 1e-24);
        // Mean of 1, 2, 3, 6: residual sum 14.
        let ones = Matrix::from_fn(4, 1, |_, _| 1.0);
        let fit = least_squares(&ones, &[1.0, 2.0, 3.0, 6.0]).unwrap();
        assert!((fit.coefficients[0] - 3.0).abs() < 1e-14 && (fit.residual_sum - 14.0).abs() < 1e-13);
    }

    #[test]
    fn what_cannot_be_estimated_is_said() {
        let twice = Matrix::from_fn(5, 2, |i, _| i as f64);
        assert_eq!(least_squares(&twice, &[0.0; 5]).unwrap_err().code(), "E-LINEAR-004");
        assert_eq!(least_squares(&twice, &[0.0; 4]).unwrap_err().code(), "E-LINEAR-003");
    }
}
