//! LU factors of a small dense matrix, in any sort of number.

use super::number::Number;

/// A square matrix, row by row, and its factors in place.
#[derive(Debug, Clone)]
pub(super) struct Factors<N> {
    n: usize,
    /// The entries.
    pub(super) entries: Vec<N>,
    swaps: Vec<usize>,
}

impl<N: Number> Factors<N> {
    /// A zero matrix of n × n.
    #[must_use]
    pub(super) fn new(n: usize) -> Self {
        Self { n, entries: vec![N::of(0.0); n * n], swaps: vec![0; n] }
    }

    /// Factors the entries by Gauss with row pivots, common to all lanes: the row whose least lane is greatest. False
    /// where a lane is singular.
    pub(super) fn factor(&mut self) -> bool {
        let n = self.n;
        for k in 0..n {
            let size = |row: usize| self.entries[row * n + k].lanes().iter().fold(f64::INFINITY, |least, v| least.min(v.abs()));
            let mut pivot = k;
            let mut most = size(k);
            for row in k + 1..n {
                let this = size(row);
                if this > most {
                    (pivot, most) = (row, this);
                }
            }
            if most == 0.0 || !most.is_finite() {
                return false;
            }
            self.swaps[k] = pivot;
            if pivot != k {
                for column in 0..n {
                    self.entries.swap(k * n + column, pivot * n + column);
                }
            }
            let (above, below) = self.entries.split_at_mut((k + 1) * n);
            let head = &above[k * n..];
            for row in below.chunks_exact_mut(n) {
                // Models are sparse: most entries below the pivot are 0.
                if row[k].is_nothing() {
                    continue;
                }
                let factor = row[k] / head[k];
                row[k] = factor;
                for column in k + 1..n {
                    row[column] = row[column] - factor * head[column];
                }
            }
        }
        true
    }

    /// Solves in place.
    pub(super) fn solve(&self, x: &mut [N]) {
        let n = self.n;
        for k in 0..n {
            x.swap(k, self.swaps[k]);
        }
        for row in 1..n {
            let (done, rest) = x.split_at_mut(row);
            let mut sum = rest[0];
            for (entry, value) in self.entries[row * n..row * n + row].iter().zip(done.iter()) {
                sum = sum - *entry * *value;
            }
            rest[0] = sum;
        }
        for row in (0..n).rev() {
            let (head, done) = x.split_at_mut(row + 1);
            let mut sum = head[row];
            for (entry, value) in self.entries[row * n + row + 1..(row + 1) * n].iter().zip(done.iter()) {
                sum = sum - *entry * *value;
            }
            head[row] = sum / self.entries[row * n + row];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn solves_what_was_multiplied(entries in proptest::collection::vec(-1.0..1.0f64, 25), x in proptest::collection::vec(-3.0..3.0f64, 5)) {
            let mut a = Factors::<f64>::new(5);
            a.entries.clone_from(&entries);
            for i in 0..5 {
                a.entries[i * 5 + i] += 4.0 * if i % 2 == 0 { 1.0 } else { -1.0 };
            }
            let mut b: Vec<f64> = a.entries.chunks(5).map(|row| row.iter().zip(&x).map(|(a, x)| a * x).sum()).collect();
            prop_assert!(a.factor());
            a.solve(&mut b);
            for (b, x) in b.iter().zip(&x) {
                prop_assert!((b - x).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn rows_are_swapped_and_singular_is_said() {
        let mut a = Factors::<f64>::new(2);
        a.entries = vec![0.0, 1.0, 2.0, 0.0];
        assert!(a.factor());
        let mut b = [3.0, 8.0];
        a.solve(&mut b);
        assert_eq!(b, [4.0, 3.0]);
        a.entries = vec![1.0, 2.0, 2.0, 4.0];
        assert!(!a.factor());
    }
}
