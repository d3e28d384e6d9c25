//! Eigenvalues of a general real matrix: to Hessenberg's form by rotations, then QR steps with Wilkinson's shift in
//! complex numbers (Golub and Van Loan, Matrix Computations, 4th ed., sections 7.4 and 7.5).

use super::matrix::Matrix;

/// QR steps that an eigenvalue may take.
const STEPS_MAX: usize = 200;

type Complex = (f64, f64);

fn add(a: Complex, b: Complex) -> Complex {
    (a.0 + b.0, a.1 + b.1)
}
fn less(a: Complex, b: Complex) -> Complex {
    (a.0 - b.0, a.1 - b.1)
}
fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}
fn conjugate(a: Complex) -> Complex {
    (a.0, -a.1)
}
fn size(a: Complex) -> f64 {
    libm::hypot(a.0, a.1)
}
fn root(a: Complex) -> Complex {
    let r = size(a);
    let re = libm::sqrt(0.5 * (r + a.0).max(0.0));
    (re, libm::sqrt(0.5 * (r - a.0).max(0.0)).copysign(a.1))
}

/// Eigenvalues as real and imaginary parts, by decreasing real part; none where the matrix is not square, holds what is no
/// finite number, or where the steps do not end.
#[must_use]
pub fn eigenvalues(matrix: &Matrix) -> Option<Vec<(f64, f64)>> {
    let n = matrix.rows();
    if n != matrix.columns() || matrix.as_slice().iter().any(|v| !v.is_finite()) {
        return None;
    }
    let whole = libm::sqrt(matrix.as_slice().iter().map(|v| v * v).sum());
    let mut h: Vec<Vec<Complex>> = (0..n).map(|i| matrix.row(i).iter().map(|v| (*v, 0.0)).collect()).collect();
    // Hessenberg's form: each entry below the first subdiagonal is turned into the row above it.
    for column in 0..n.saturating_sub(2) {
        for row in (column + 2..n).rev() {
            turn(&mut h, row - 1, row, column, (0, n), (0, n));
        }
    }
    let mut values = Vec::with_capacity(n);
    let (mut high, mut steps) = (n, 0usize);
    while high > 0 {
        let last = high - 1;
        let small = |k: usize, h: &[Vec<Complex>]| {
            let about = size(h[k - 1][k - 1]) + size(h[k][k]);
            size(h[k][k - 1]) <= f64::EPSILON * if about > 0.0 { about } else { whole }
        };
        let low = (1..=last).rev().find(|k| small(*k, &h)).unwrap_or(0);
        if low == last {
            values.push(h[last][last]);
            high -= 1;
            steps = 0;
            continue;
        }
        steps += 1;
        if steps > STEPS_MAX {
            return None;
        }
        let shift = if steps.is_multiple_of(11) { (h[last][last].0 + size(h[last][last - 1]), 0.0) } else { wilkinson(&h, last) };
        for (k, row) in h.iter_mut().enumerate().take(high).skip(low) {
            row[k] = less(row[k], shift);
        }
        let mut turns = Vec::with_capacity(high - low);
        for k in low..last {
            let (a, b) = (h[k][k], h[k + 1][k]);
            let r = libm::hypot(size(a), size(b));
            let (c, s) = if r > 0.0 { ((a.0 / r, a.1 / r), (b.0 / r, b.1 / r)) } else { ((1.0, 0.0), (0.0, 0.0)) };
            let (upper, lower) = h.split_at_mut(k + 1);
            rows(&mut upper[k], &mut lower[0], c, s, (k, high));
            turns.push((c, s));
        }
        for (k, (c, s)) in (low..last).zip(turns) {
            columns(&mut h, k, k + 1, c, s, (low, k + 2));
        }
        for (k, row) in h.iter_mut().enumerate().take(high).skip(low) {
            row[k] = add(row[k], shift);
        }
    }
    // Rounding leaves a trace of an imaginary part on real eigenvalues.
    for value in &mut values {
        if value.1.abs() <= 1e-10 * size(*value).max(1e-6 * whole) {
            value.1 = 0.0;
        }
    }
    values.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    Some(values)
}

fn rows(a: &mut [Complex], b: &mut [Complex], c: Complex, s: Complex, (from, to): (usize, usize)) {
    for (x, y) in a[from..to].iter_mut().zip(&mut b[from..to]) {
        let (u, v) = (*x, *y);
        *x = add(times(conjugate(c), u), times(conjugate(s), v));
        *y = less(times(c, v), times(s, u));
    }
}

fn columns(h: &mut [Vec<Complex>], p: usize, q: usize, c: Complex, s: Complex, (from, to): (usize, usize)) {
    for row in &mut h[from..to] {
        let (u, v) = (row[p], row[q]);
        row[p] = add(times(u, c), times(v, s));
        row[q] = less(times(v, conjugate(c)), times(u, conjugate(s)));
    }
}

/// Turns the entry of row `q` in a column into row `p`, and the columns likewise.
fn turn(h: &mut [Vec<Complex>], p: usize, q: usize, column: usize, of_rows: (usize, usize), of_columns: (usize, usize)) {
    let (a, b) = (h[p][column], h[q][column]);
    let r = libm::hypot(size(a), size(b));
    if size(b) == 0.0 || r == 0.0 {
        return;
    }
    let (c, s) = ((a.0 / r, a.1 / r), (b.0 / r, b.1 / r));
    let (upper, lower) = h.split_at_mut(q);
    rows(&mut upper[p], &mut lower[0], c, s, of_columns);
    columns(h, p, q, c, s, of_rows);
    h[q][column] = (0.0, 0.0);
}

/// The eigenvalue of the last two rows and columns that is nearer to the last entry.
fn wilkinson(h: &[Vec<Complex>], last: usize) -> Complex {
    let (a, b, c, d) = (h[last - 1][last - 1], h[last - 1][last], h[last][last - 1], h[last][last]);
    let half = less(a, d);
    let half = (0.5 * half.0, 0.5 * half.1);
    let gap = root(add(times(half, half), times(b, c)));
    let middle = add(a, d);
    let middle = (0.5 * middle.0, 0.5 * middle.1);
    let (one, other) = (add(middle, gap), less(middle, gap));
    if size(less(one, d)) < size(less(other, d)) { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(found: &[(f64, f64)], wanted: &[(f64, f64)], within: f64) {
        assert_eq!(found.len(), wanted.len());
        for (f, w) in found.iter().zip(wanted) {
            assert!(size(less(*f, *w)) < within, "{found:?} {wanted:?}");
        }
    }

    #[test]
    fn known_polynomials_have_their_roots() {
        // Companion of (x − 1)(x − 2)(x − 3)(x − 4) = x⁴ − 10x³ + 35x² − 50x + 24.
        let companion =
            Matrix::from_rows(&[[10.0, -35.0, 50.0, -24.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]);
        near(&eigenvalues(&companion).unwrap(), &[(4.0, 0.0), (3.0, 0.0), (2.0, 0.0), (1.0, 0.0)], 1e-9);
        // x³ = 1: one real root and a pair.
        let cyclic = Matrix::from_rows(&[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
        let half = 0.75_f64.sqrt();
        near(&eigenvalues(&cyclic).unwrap(), &[(1.0, 0.0), (-0.5, half), (-0.5, -half)], 1e-12);
        // Nothing but a chain: all are 0, and it does not end in a NaN.
        near(&eigenvalues(&Matrix::from_rows(&[[0.0, 1.0], [0.0, 0.0]])).unwrap(), &[(0.0, 0.0); 2], 1e-12);
        near(&eigenvalues(&Matrix::zeros(3, 3)).unwrap(), &[(0.0, 0.0); 3], 1e-300);
        assert!(eigenvalues(&Matrix::from_rows(&[[f64::NAN]])).is_none());
    }

    proptest! {
        /// Whatever the matrix: the sum of the eigenvalues is its trace, of their squares the trace of its square.
        #[test]
        fn sums_of_powers_are_traces(entries in proptest::collection::vec(-3.0..3.0f64, 49)) {
            let a = Matrix::from_fn(7, 7, |i, j| entries[7 * i + j]);
            let values = eigenvalues(&a).unwrap();
            let trace = |m: &Matrix| (0..7).map(|i| m[(i, i)]).sum::<f64>();
            let square = a.product(&a);
            let cube = square.product(&a);
            let sum = |f: &dyn Fn(Complex) -> Complex| values.iter().fold((0.0, 0.0), |s, v| add(s, f(*v)));
            for (found, wanted) in [
                (sum(&|v| v), trace(&a)),
                (sum(&|v| times(v, v)), trace(&square)),
                (sum(&|v| times(v, times(v, v))), trace(&cube)),
            ] {
                prop_assert!((found.0 - wanted).abs() < 1e-8 && found.1.abs() < 1e-8, "{:?} {}", found, wanted);
            }
        }
    }
}
