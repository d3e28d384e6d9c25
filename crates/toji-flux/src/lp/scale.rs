//! Powers of two that bring the coefficients of a matrix near one. Exact: scaling rounds nothing.

use crate::sparse::Matrix;

/// Factors for rows and columns, each a power of two.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    pub(crate) rows: Vec<f64>,
    pub(crate) columns: Vec<f64>,
}

impl Scale {
    /// No scaling.
    pub(crate) fn none(matrix: &Matrix) -> Self {
        Self { rows: vec![1.0; matrix.rows()], columns: vec![1.0; matrix.columns()] }
    }

    /// Geometric scaling: each row, then each column, is divided by the root of its least times its largest entry, a few
    /// times over, and at last every column's largest entry is brought to one.
    pub(crate) fn geometric(matrix: &Matrix) -> Self {
        let mut scale = Self::none(matrix);
        let by_row = matrix.transposed();
        for _ in 0..4 {
            balance(&by_row, &scale.columns, &mut scale.rows, |low, high| (low * high).sqrt());
            balance(matrix, &scale.rows, &mut scale.columns, |low, high| (low * high).sqrt());
        }
        balance(matrix, &scale.rows, &mut scale.columns, |_, high| high);
        for factor in scale.rows.iter_mut().chain(&mut scale.columns) {
            *factor = power_of_two(*factor);
        }
        scale
    }
}

fn balance(lines: &Matrix, across: &[f64], factors: &mut [f64], size: impl Fn(f64, f64) -> f64) {
    for (k, factor) in factors.iter_mut().enumerate() {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for (i, value) in lines.iter(k) {
            let value = value.abs() * across[i];
            low = low.min(value);
            high = high.max(value);
        }
        if high > 0.0 {
            let found = 1.0 / size(low, high);
            *factor = if found.is_finite() && found > 0.0 { found } else { 1.0 };
        }
    }
}

fn power_of_two(value: f64) -> f64 {
    value.log2().round().clamp(-60.0, 60.0).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_powers_of_two_and_calm_the_entries() {
        let columns: [&[(usize, f64)]; 3] = [&[(0, 1e6), (1, 3.0)], &[(0, 1.0), (1, 1e-6)], &[(1, 7.0)]];
        let matrix = Matrix::from_columns(2, columns).unwrap();
        let scale = Scale::geometric(&matrix);
        for factor in scale.rows.iter().chain(&scale.columns) {
            assert_eq!(factor.log2().fract(), 0.0);
        }
        let scaled = matrix.scaled(&scale.rows, &scale.columns);
        for j in 0..3 {
            assert!(scaled.column(j).1.iter().all(|v| (0.01..=2.0).contains(&v.abs())), "{:?}", scaled.column(j));
        }
    }
}
