//! Normal equations `A W Aᵀ` with a sparse Cholesky factor in order of least degree.

use crate::sparse::Matrix;
use std::collections::BTreeSet;

/// Pivots below this share of their diagonal are dependent rows; their price stays zero.
const DEPENDENT: f64 = 1e-13;
const NONE: usize = usize::MAX;

#[derive(Debug)]
pub(super) struct Normal {
    matrix: Matrix,
    rows: Matrix,
    order: Vec<usize>,
    position: Vec<usize>,
    /// Below the diagonal: positions, ascending, and values.
    below: Vec<Vec<u32>>,
    values: Vec<Vec<f64>>,
    diagonal: Vec<f64>,
}

impl Normal {
    pub(super) fn new(matrix: Matrix) -> Self {
        let m = matrix.rows();
        let mut near: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); m];
        for j in 0..matrix.columns() {
            let (rows, _) = matrix.column(j);
            for &a in rows {
                near[a as usize].extend(rows.iter().copied().filter(|&b| b != a));
            }
        }
        let (mut order, mut position) = (Vec::with_capacity(m), vec![NONE; m]);
        let mut structure = Vec::with_capacity(m);
        let mut queue: BTreeSet<(usize, usize)> = (0..m).map(|i| (near[i].len(), i)).collect();
        while let Some((_, i)) = queue.pop_first() {
            position[i] = order.len();
            order.push(i);
            let around: Vec<u32> = std::mem::take(&mut near[i]).into_iter().collect();
            for &a in &around {
                let a = a as usize;
                queue.remove(&(near[a].len(), a));
                near[a].remove(&(i as u32));
                near[a].extend(around.iter().copied().filter(|&b| b as usize != a));
                queue.insert((near[a].len(), a));
            }
            structure.push(around);
        }
        let below: Vec<Vec<u32>> = structure
            .into_iter()
            .map(|around| {
                let mut list: Vec<u32> = around.into_iter().map(|i| position[i as usize] as u32).collect();
                list.sort_unstable();
                list
            })
            .collect();
        let values = below.iter().map(|list| vec![0.0; list.len()]).collect();
        Self { rows: matrix.transposed(), matrix, order, position, below, values, diagonal: vec![0.0; m] }
    }

    /// Factors with a weight for each column, rows without `keep` left out.
    pub(super) fn factor(&mut self, weights: &[f64], keep: impl Fn(usize) -> bool) {
        let m = self.order.len();
        let mut work = vec![0.0; m];
        let (mut head, mut link, mut cursor) = (vec![NONE; m], vec![NONE; m], vec![0; m]);
        for k in 0..m {
            let i = self.order[k];
            let mut pivot = 0.0;
            for (j, a) in self.rows.iter(i) {
                let weight = a * weights[j];
                if weight != 0.0 {
                    for (other, b) in self.matrix.iter(j) {
                        let p = self.position[other];
                        if p == k {
                            pivot += weight * b;
                        } else if p > k {
                            work[p] += weight * b;
                        }
                    }
                }
            }
            let whole = pivot;
            let mut p = head[k];
            while p != NONE {
                let next = link[p];
                let at = cursor[p];
                let factor = self.values[p][at];
                pivot -= factor * factor;
                for (&row, value) in self.below[p][at + 1..].iter().zip(&self.values[p][at + 1..]) {
                    work[row as usize] -= factor * value;
                }
                cursor[p] = at + 1;
                if let Some(&row) = self.below[p].get(at + 1) {
                    link[p] = head[row as usize];
                    head[row as usize] = p;
                }
                p = next;
            }
            let sound = keep(i) && pivot > DEPENDENT * whole;
            self.diagonal[k] = if sound { pivot.sqrt() } else { f64::INFINITY };
            for (&row, value) in self.below[k].iter().zip(&mut self.values[k]) {
                *value = if sound { work[row as usize] / self.diagonal[k] } else { 0.0 };
                work[row as usize] = 0.0;
            }
            if let Some(&row) = self.below[k].first() {
                link[k] = head[row as usize];
                head[row as usize] = k;
            }
        }
    }

    /// Solves with the factor, by row.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let m = self.order.len();
        let mut x: Vec<f64> = self.order.iter().map(|&i| b[i]).collect();
        for k in 0..m {
            x[k] /= self.diagonal[k];
            let value = x[k];
            if value != 0.0 {
                for (&row, l) in self.below[k].iter().zip(&self.values[k]) {
                    x[row as usize] -= l * value;
                }
            }
        }
        for k in (0..m).rev() {
            let sum: f64 = self.below[k].iter().zip(&self.values[k]).map(|(&row, l)| l * x[row as usize]).sum();
            x[k] = (x[k] - sum) / self.diagonal[k];
        }
        let mut out = vec![0.0; m];
        for (k, &i) in self.order.iter().enumerate() {
            out[i] = x[k];
        }
        out
    }

    pub(super) fn matrix(&self) -> &Matrix {
        &self.matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_system_is_solved_and_a_dependent_row_left_out() {
        // Rows 0 and 3 are the same.
        let columns: [&[(usize, f64)]; 4] =
            [&[(0, 1.0), (1, 2.0), (3, 1.0)], &[(1, 1.0), (2, -1.0)], &[(0, 3.0), (2, 1.0), (3, 3.0)], &[(2, 4.0)]];
        let matrix = Matrix::from_columns(4, columns).unwrap();
        let mut normal = Normal::new(matrix.clone());
        let weights = [1.0, 0.5, 2.0, 0.1];
        normal.factor(&weights, |_| true);
        let y = [1.0, -2.0, 3.0, 0.0];
        let scaled: Vec<f64> = (0..4).map(|j| weights[j] * matrix.column_dot(j, &y)).collect();
        let b = matrix.times(&scaled);
        let x = normal.solve(&b);
        let again = matrix.times(&(0..4).map(|j| weights[j] * matrix.column_dot(j, &x)).collect::<Vec<_>>());
        assert!(again.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12), "{x:?}");
    }
}
