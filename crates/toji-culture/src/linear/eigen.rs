//! Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations: slower than tridiagonal forms, but
//! accurate in the small eigenvalues too, and short (Golub and Van Loan, *Matrix Computations*, 4th ed., 8.5).

use super::matrix::Matrix;

/// Most sweeps; it takes some ten.
const SWEEPS: usize = 60;

/// Eigenvalues in falling order with their vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    /// Eigenvalues, the largest first.
    pub values: Vec<f64>,
    /// Row k is the vector of value k, of length 1; its largest entry is positive.
    pub vectors: Matrix,
}

/// Eigenvalues and eigenvectors of a symmetric matrix, of which the lower triangle is read.
#[must_use]
pub fn symmetric(matrix: &Matrix) -> Eigen {
    let n = matrix.rows().min(matrix.columns());
    let mut a = Matrix::from_fn(n, n, |i, j| matrix[(i.max(j), i.min(j))]);
    let mut vectors = Matrix::identity(n);
    for _ in 0..SWEEPS {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|ij| a[ij] * a[ij]).sum();
        let all: f64 = a.as_slice().iter().map(|v| v * v).sum();
        if off <= 1e-30 * all || !all.is_finite() {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| a[(*j, *j)].total_cmp(&a[(*i, *i)]).then(i.cmp(j)));
    let sorted = Matrix::from_fn(n, n, |k, j| vectors[(order[k], j)] * sign(vectors.row(order[k])));
    Eigen { values: order.iter().map(|i| a[(*i, *i)]).collect(), vectors: sorted }
}

/// Makes entry p, q zero.
fn rotate(a: &mut Matrix, vectors: &mut Matrix, p: usize, q: usize) {
    let apq = a[(p, q)];
    if apq == 0.0 {
        return;
    }
    let theta = (a[(q, q)] - a[(p, p)]) / (2.0 * apq);
    let t = 1.0_f64.copysign(theta) / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    let n = a.rows();
    for k in 0..n {
        let (x, y) = (a[(k, p)], a[(k, q)]);
        a[(k, p)] = c * x - s * y;
        a[(k, q)] = s * x + c * y;
    }
    for k in 0..n {
        let (x, y) = (a[(p, k)], a[(q, k)]);
        a[(p, k)] = c * x - s * y;
        a[(q, k)] = s * x + c * y;
        let (x, y) = (vectors[(p, k)], vectors[(q, k)]);
        vectors[(p, k)] = c * x - s * y;
        vectors[(q, k)] = s * x + c * y;
    }
    a[(p, q)] = 0.0;
    a[(q, p)] = 0.0;
}

/// The sign that makes the entry of largest size positive.
fn sign(vector: &[f64]) -> f64 {
    let largest = vector.iter().fold(0.0_f64, |m, v| if v.abs() > m.abs() + 1e-12 { *v } else { m });
    1.0_f64.copysign(largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::dot;

    #[test]
    fn the_second_difference_has_its_known_eigenvalues() {
        let n = 12;
        let a = Matrix::from_fn(n, n, |i, j| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        });
        let eigen = symmetric(&a);
        for (k, value) in eigen.values.iter().enumerate() {
            // 4·sin²(kπ / 2(n+1)), from the largest down.
            let wanted = 4.0 * ((n - k) as f64 * std::f64::consts::PI / (2.0 * (n as f64 + 1.0))).sin().powi(2);
            assert!((value - wanted).abs() < 1e-13, "{k}: {value} {wanted}");
            let image = a.times(eigen.vectors.row(k));
            for (x, y) in image.iter().zip(eigen.vectors.row(k)) {
                assert!((x - value * y).abs() < 1e-12);
            }
            for j in 0..n {
                let product = dot(eigen.vectors.row(k), eigen.vectors.row(j));
                assert!((product - f64::from(u8::from(j == k))).abs() < 1e-13);
            }
        }
        assert!(symmetric(&Matrix::from_rows(&[[f64::NAN]])).values[0].is_nan());
    }
}
