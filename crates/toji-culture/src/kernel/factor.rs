//! LU factors of a small matrix, in any sort of number.

use super::number::{Number, Relation};

/// A square matrix, row by row, and its factors in place.
#[derive(Debug, Clone)]
pub(super) struct Factors<N> {
    n: usize,
    /// The entries.
    pub(super) entries: Vec<N>,
    /// One over each pivot.
    inverse: Vec<N>,
    /// Row of each pivot, lane by lane.
    swaps: Vec<N>,
    /// Whether any lane swaps at each pivot.
    swapped: Vec<bool>,
    /// Places of what is not 0 below the diagonal and above it, row by row; the first entry of each row of either.
    places: Vec<(u32, u32)>,
    rows: Vec<usize>,
}

impl<N: Number> Factors<N> {
    /// A zero matrix of n × n.
    #[must_use]
    pub(super) fn new(n: usize) -> Self {
        let zeros = || vec![N::of(0.0); n];
        Self {
            n,
            entries: vec![N::of(0.0); n * n],
            inverse: zeros(),
            swaps: zeros(),
            swapped: vec![false; n],
            places: Vec::with_capacity(n * n),
            rows: Vec::with_capacity(2 * n + 1),
        }
    }

    /// Factors the entries by Gauss with row pivots, in every lane those that it would take alone. 1 where that could
    /// be done, 0 in a lane that is singular.
    #[inline(always)]
    pub(super) fn factor(&mut self) -> N {
        let n = self.n;
        let (one, zero) = (N::of(1.0), N::of(0.0));
        let mut sound = one;
        for k in 0..n {
            let size = |entries: &[N], row: usize| entries[row * n + k].size();
            let (mut most, mut place) = (size(&self.entries, k), N::of(k as f64));
            for row in k + 1..n {
                if self.entries[row * n + k].is_nothing() {
                    continue;
                }
                let this = size(&self.entries, row);
                let more = most.test(Relation::Less, this);
                most = N::choose(more, this, most);
                place = N::choose(more, N::of(row as f64), place);
            }
            let usable = N::choose(zero.test(Relation::Less, most), most.test(Relation::Less, N::of(f64::INFINITY)), zero);
            sound = N::choose(usable, sound, zero);
            self.swaps[k] = place;
            self.swapped[k] = place.lanes().iter().any(|row| *row != k as f64);
            if self.swapped[k] {
                for (lane, row) in place.lanes().iter().map(|row| *row as usize).enumerate().filter(|(_, row)| *row > k) {
                    let (above, below) = self.entries.split_at_mut(row * n);
                    for (upper, lower) in above[k * n..(k + 1) * n].iter_mut().zip(&mut below[..n]) {
                        upper.exchange(lower, lane);
                    }
                }
            }
            let (above, below) = self.entries.split_at_mut((k + 1) * n);
            let head = &above[k * n..];
            let inverse = one / head[k];
            self.inverse[k] = inverse;
            for row in below.chunks_exact_mut(n) {
                // Models are sparse: most entries below the pivot are 0.
                if row[k].is_nothing() {
                    continue;
                }
                let factor = row[k] * inverse;
                row[k] = factor;
                for (to, from) in row[k + 1..].iter_mut().zip(&head[k + 1..]) {
                    *to = *to - factor * *from;
                }
            }
        }
        self.find_places();
        sound
    }

    /// Where the factors are not 0.
    #[inline(always)]
    fn find_places(&mut self) {
        let n = self.n;
        self.places.clear();
        self.rows.clear();
        for upper in [false, true] {
            for row in 0..n {
                self.rows.push(self.places.len());
                for column in if upper { row + 1..n } else { 0..row } {
                    if !self.entries[row * n + column].is_nothing() {
                        self.places.push(((row * n + column) as u32, column as u32));
                    }
                }
            }
        }
        self.rows.push(self.places.len());
    }

    /// What a row takes from the other values.
    #[inline(always)]
    fn rest(&self, row: usize, at: usize, x: &[N]) -> N {
        let mut sum = x[row];
        for (place, column) in &self.places[self.rows[at]..self.rows[at + 1]] {
            sum = sum - self.entries[*place as usize] * x[*column as usize];
        }
        sum
    }

    /// Solves in place.
    #[inline(always)]
    pub(super) fn solve(&self, x: &mut [N]) {
        let n = self.n;
        for k in (0..n).filter(|k| self.swapped[*k]) {
            for (lane, row) in self.swaps[k].lanes().iter().map(|row| *row as usize).enumerate().filter(|(_, row)| *row > k) {
                let (above, below) = x.split_at_mut(row);
                above[k].exchange(&mut below[0], lane);
            }
        }
        for row in 1..n {
            x[row] = self.rest(row, row, x);
        }
        for row in (0..n).rev() {
            x[row] = self.rest(row, n + row, x) * self.inverse[row];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::number::Lanes;
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
            prop_assert_eq!(a.factor(), 1.0);
            a.solve(&mut b);
            for (b, x) in b.iter().zip(&x) {
                prop_assert!((b - x).abs() < 1e-9);
            }
        }

        /// Each with the pivots that it takes alone, whatever its neighbours need; a singular one harms nobody.
        #[test]
        fn lanes_are_solved_as_each_alone(entries in proptest::collection::vec(-1.0..1.0f64, 32), x in proptest::collection::vec(-3.0..3.0f64, 8)) {
            let mut together = Factors::<Lanes<3>>::new(4);
            let matrix = |lane: usize| -> Vec<f64> {
                (0..16).map(|i| if lane == 2 { f64::from(u8::from(i % 4 == 0)) } else if i % 3 == 0 { 0.0 } else { entries[16 * lane + i] }).collect()
            };
            let matrices = [matrix(0), matrix(1), matrix(2)];
            together.entries = (0..16).map(|i| Lanes([matrices[0][i], matrices[1][i], matrices[2][i]])).collect();
            let mut b: Vec<Lanes<3>> = (0..4).map(|i| Lanes([x[i], x[4 + i], 1.0])).collect();
            let sound = together.factor();
            together.solve(&mut b);
            for (lane, matrix) in matrices.iter().enumerate() {
                let mut alone = Factors::<f64>::new(4);
                alone.entries.clone_from(matrix);
                let mut y: Vec<f64> = (0..4).map(|i| if lane == 2 { 1.0 } else { x[4 * lane + i] }).collect();
                let is_sound = alone.factor();
                prop_assert_eq!(is_sound, sound.0[lane]);
                prop_assert_eq!(is_sound, if lane == 2 { 0.0 } else { 1.0 });
                if is_sound == 1.0 {
                    alone.solve(&mut y);
                    for (alone, together) in y.iter().zip(&b) {
                        prop_assert_eq!(*alone, together.0[lane]);
                    }
                }
            }
        }
    }

    #[test]
    fn rows_are_swapped_and_singular_is_said() {
        let mut a = Factors::<f64>::new(2);
        a.entries = vec![0.0, 1.0, 2.0, 0.0];
        assert_eq!(a.factor(), 1.0);
        let mut b = [3.0, 8.0];
        a.solve(&mut b);
        assert_eq!(b, [4.0, 3.0]);
        a.entries = vec![1.0, 2.0, 2.0, 4.0];
        assert_eq!(a.factor(), 0.0);
    }
}
