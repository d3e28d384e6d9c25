//! A sparse triangular factorisation of the basis that follows exchanges of single columns.
//!
//! `B = L·R⁻¹·U`: singletons are peeled, what remains is eliminated by Markowitz order with threshold pivoting
//! (`eliminate`), and an exchange is the row transformation of Forrest and Tomlin (Math. Program. 2, 1972, 263–278).
//! Basis positions are named by their pivot row, so that a vector means the same on both sides of a solve.

mod eliminate;

/// Entries below this size, in the scaled problem, are rounding.
const DROP: f64 = 1e-14;

/// Triangular factors of a basis of `m` columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Factor {
    m: usize,
    lower: Etas,
    rows: Etas,
    diagonal: Vec<f64>,
    upper_columns: Vec<Vec<(u32, f64)>>,
    upper_rows: Vec<Vec<(u32, f64)>>,
    /// Pivot rows in order of elimination; a row that moved to the end leaves `GONE` behind.
    order: Vec<u32>,
    spot: Vec<u32>,
    spike: Vec<(u32, f64)>,
    work: Vec<f64>,
    updates: usize,
    entries: usize,
    upper_entries: usize,
    scratch: eliminate::Scratch,
}

const GONE: u32 = u32::MAX;

/// A sequence of elementary transformations.
#[derive(Debug, Clone, Default)]
struct Etas {
    pivots: Vec<u32>,
    starts: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f64>,
}

impl Etas {
    fn clear(&mut self) {
        self.pivots.clear();
        self.starts.clear();
        self.starts.push(0);
        self.indices.clear();
        self.values.clear();
    }
    fn copy_from(&mut self, other: &Self) {
        self.pivots.clone_from(&other.pivots);
        self.starts.clone_from(&other.starts);
        self.indices.clone_from(&other.indices);
        self.values.clone_from(&other.values);
    }
    fn push(&mut self, index: u32, value: f64) {
        self.indices.push(index);
        self.values.push(value);
    }
    fn close(&mut self, pivot: u32) {
        if self.indices.len() > *self.starts.last().unwrap_or(&0) {
            self.pivots.push(pivot);
            self.starts.push(self.indices.len());
        }
    }
    fn eta(&self, k: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.starts[k]..self.starts[k + 1];
        self.indices[range.clone()].iter().zip(&self.values[range]).map(|(&i, &v)| (i as usize, v))
    }
}

/// What a basis lacks: columns without a pivot, and rows that none of them covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Singular {
    /// Columns, by number in the basis as given.
    pub(crate) columns: Vec<usize>,
    /// Rows left without a pivot, as many.
    pub(crate) rows: Vec<usize>,
}

/// An exchange that the factors cannot follow safely; the basis must be factorised again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unstable;

impl Factor {
    /// Becomes a copy of `other` without giving its memory back.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.m = other.m;
        self.lower.copy_from(&other.lower);
        self.rows.copy_from(&other.rows);
        self.diagonal.clone_from(&other.diagonal);
        self.upper_columns.clone_from(&other.upper_columns);
        self.upper_rows.clone_from(&other.upper_rows);
        self.order.clone_from(&other.order);
        self.spot.clone_from(&other.spot);
        self.work.clone_from(&other.work);
        self.spike.clear();
        self.updates = other.updates;
        self.entries = other.entries;
        self.upper_entries = other.upper_entries;
    }

    /// Number of exchanges since the factorisation.
    pub(crate) fn updates(&self) -> usize {
        self.updates
    }

    /// Whether the exchanges so far make solves dearer than a fresh factorisation would.
    pub(crate) fn is_worn(&self) -> bool {
        let now = self.lower.values.len() + self.rows.values.len() + self.upper_entries;
        self.updates >= 128 || now > 3 * (self.entries + self.m)
    }

    /// Solves `B x = b`; `b` by row on entry, `x` by pivot row on return. With `keep`, what the next [`Self::exchange`] needs
    /// is kept.
    pub(crate) fn forward(&mut self, x: &mut [f64], keep: bool) {
        for k in 0..self.lower.pivots.len() {
            let value = x[self.lower.pivots[k] as usize];
            if value != 0.0 {
                for (i, l) in self.lower.eta(k) {
                    x[i] -= l * value;
                }
            }
        }
        for k in 0..self.rows.pivots.len() {
            let sum: f64 = self.rows.eta(k).map(|(i, r)| r * x[i]).sum();
            x[self.rows.pivots[k] as usize] -= sum;
        }
        if keep {
            self.spike.clear();
            self.spike.extend(x.iter().enumerate().filter(|(_, v)| v.abs() > DROP).map(|(i, &v)| (i as u32, v)));
        }
        for &p in self.order.iter().rev() {
            if p == GONE {
                continue;
            }
            let p = p as usize;
            if x[p] != 0.0 {
                if x[p].abs() < DROP {
                    x[p] = 0.0;
                    continue;
                }
                let value = x[p] / self.diagonal[p];
                x[p] = value;
                for &(i, u) in &self.upper_columns[p] {
                    x[i as usize] -= u * value;
                }
            }
        }
    }

    /// Solves `Bᵀ y = c`; `c` by pivot row on entry, `y` by row on return.
    pub(crate) fn backward(&self, y: &mut [f64]) {
        for &p in &self.order {
            if p == GONE {
                continue;
            }
            let p = p as usize;
            if y[p] != 0.0 {
                if y[p].abs() < DROP {
                    y[p] = 0.0;
                    continue;
                }
                let value = y[p] / self.diagonal[p];
                y[p] = value;
                for &(j, u) in &self.upper_rows[p] {
                    y[j as usize] -= u * value;
                }
            }
        }
        for k in (0..self.rows.pivots.len()).rev() {
            let value = y[self.rows.pivots[k] as usize];
            if value != 0.0 {
                for (i, r) in self.rows.eta(k) {
                    y[i] -= r * value;
                }
            }
        }
        for k in (0..self.lower.pivots.len()).rev() {
            let sum: f64 = self.lower.eta(k).map(|(i, l)| l * y[i]).sum();
            if sum != 0.0 {
                y[self.lower.pivots[k] as usize] -= sum;
            }
        }
    }

    /// Replaces the column at pivot row `p` by the one last solved for with `keep`; `alpha` is its entry at `p`.
    pub(crate) fn exchange(&mut self, p: usize, alpha: f64) -> Result<(), Unstable> {
        let old_diagonal = self.diagonal[p];
        let old_column = std::mem::take(&mut self.upper_columns[p]);
        for &(i, _) in &old_column {
            remove(&mut self.upper_rows[i as usize], p as u32);
        }
        let mut row = std::mem::take(&mut self.upper_rows[p]);
        let mut last = self.spot[p] as usize;
        for &(j, u) in &row {
            remove(&mut self.upper_columns[j as usize], p as u32);
            self.work[j as usize] = u;
            last = last.max(self.spot[j as usize] as usize);
        }
        // The row's entries are eliminated by the rows below it; `last` grows as fill appears.
        let mut at = self.spot[p] as usize + 1;
        let mut reach = last;
        while at <= reach {
            let j = self.order[at];
            at += 1;
            if j == GONE || self.work[j as usize] == 0.0 {
                continue;
            }
            let j = j as usize;
            let value = self.work[j] / self.diagonal[j];
            self.work[j] = 0.0;
            if value.abs() < DROP {
                continue;
            }
            self.rows.push(j as u32, value);
            for &(k, u) in &self.upper_rows[j] {
                self.work[k as usize] -= u * value;
                reach = reach.max(self.spot[k as usize] as usize);
            }
        }
        self.upper_entries -= old_column.len() + row.len();
        row.clear();
        self.upper_rows[p] = row;
        let mut fresh = old_column;
        fresh.clear();
        let mut diagonal = 0.0;
        for &(i, v) in &self.spike {
            self.work[i as usize] = v;
            if i as usize == p {
                diagonal = v;
            } else {
                fresh.push((i, v));
                self.upper_rows[i as usize].push((p as u32, v));
            }
        }
        let from = *self.rows.starts.last().unwrap_or(&0);
        for k in from..self.rows.indices.len() {
            diagonal -= self.rows.values[k] * self.work[self.rows.indices[k] as usize];
        }
        for &(i, _) in &self.spike {
            self.work[i as usize] = 0.0;
        }
        self.rows.close(p as u32);
        self.upper_entries += fresh.len();
        self.upper_columns[p] = fresh;
        self.diagonal[p] = diagonal;
        self.order[self.spot[p] as usize] = GONE;
        self.spot[p] = self.order.len() as u32;
        self.order.push(p as u32);
        self.updates += 1;
        let expected = alpha * old_diagonal;
        if diagonal.abs() < 1e-11 || (diagonal - expected).abs() > 1e-6 * diagonal.abs().max(expected.abs()) {
            return Err(Unstable);
        }
        Ok(())
    }
}

fn remove(list: &mut Vec<(u32, f64)>, index: u32) {
    if let Some(at) = list.iter().position(|entry| entry.0 == index) {
        list.swap_remove(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(columns: &[Vec<(u32, f64)>], x: &[f64]) -> Vec<f64> {
        let mut b = vec![0.0; x.len()];
        for (column, value) in columns.iter().zip(x) {
            for &(row, a) in column {
                b[row as usize] += a * value;
            }
        }
        b
    }

    /// Random sparse matrices of a multiplicative congruential sequence, exchanged column by column.
    #[test]
    fn solves_stay_right_through_exchanges() {
        let mut state = 12_345_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(1_u32 << 31)
        };
        for m in [1_usize, 2, 5, 17, 60] {
            let column = |own: Option<usize>, next: &mut dyn FnMut() -> f64| {
                let mut entries: Vec<(u32, f64)> = Vec::new();
                for row in 0..m {
                    if Some(row) == own || next() < 3.0 / m as f64 {
                        entries.push((row as u32, (next() - 0.5) * 8.0 + if Some(row) == own { 5.0 } else { 0.0 }));
                    }
                }
                entries
            };
            let mut basis: Vec<Vec<(u32, f64)>> = (0..m).map(|k| column(Some(k), &mut next)).collect();
            let mut factor = Factor::default();
            let places = factor.factorise(m, |k, sink| sink.extend_from_slice(&basis[k])).unwrap();
            let mut by_place = vec![Vec::new(); m];
            for (k, &p) in places.iter().enumerate() {
                by_place[p] = basis[k].clone();
            }
            basis = by_place;
            for round in 0..40 {
                let want: Vec<f64> = (0..m).map(|_| next() - 0.5).collect();
                let mut x = product(&basis, &want);
                factor.forward(&mut x, false);
                let worst = x.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(worst < 1e-7, "m {m} round {round}: {worst}");
                let mut y: Vec<f64> = basis.iter().map(|c| c.iter().map(|&(row, a)| a * want[row as usize]).sum()).collect();
                factor.backward(&mut y);
                let worst = y.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(worst < 1e-7, "m {m} round {round} transposed: {worst}");
                let incoming = column(None, &mut next);
                let mut alpha = vec![0.0; m];
                for &(row, a) in &incoming {
                    alpha[row as usize] = a;
                }
                factor.forward(&mut alpha, true);
                let p = (0..m).max_by(|&a, &b| alpha[a].abs().total_cmp(&alpha[b].abs())).unwrap();
                if alpha[p].abs() > 0.1 {
                    factor.exchange(p, alpha[p]).unwrap();
                    basis[p] = incoming;
                }
            }
        }
    }

    #[test]
    fn a_singular_basis_names_what_it_lacks() {
        let columns = [vec![(0, 1.0), (1, 2.0)], vec![(0, 2.0), (1, 4.0)], vec![(2, 1.0)]];
        let missing = Factor::default().factorise(3, |k, sink| sink.extend_from_slice(&columns[k])).unwrap_err();
        assert_eq!(missing.columns.len(), 1);
        assert_eq!(missing.rows.len(), 1);
        assert!(missing.columns[0] < 2 && missing.rows[0] < 2);
    }
}
