//! Lossless compression: a smaller problem whose points are exactly those of the larger one.
//!
//! Four steps, repeated until nothing changes: columns held at zero go; a balanced row whose entries all push the same way
//! holds its columns at zero; a balanced row of one column does so too; a balanced row of two columns, `a x + b y = 0`, makes
//! `y` a multiple of `x` (the enzyme subsets of Pfeiffer et al., Bioinformatics 15, 1999, 251–257). A substitution is made
//! only when every coefficient it yields is a floating-point number without rounding, so the small matrix says the same
//! thing, not nearly the same.

use crate::lp::Problem;
use crate::sparse::Matrix;

/// What became of a column of the larger problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Image {
    /// Always zero.
    Zero,
    /// This multiple of a column of the smaller problem.
    Multiple {
        /// Column of the smaller problem.
        column: usize,
        /// Value of the larger problem's column for each unit of the smaller one's.
        factor: f64,
    },
}

/// The smaller problem and the way back.
#[derive(Debug, Clone, PartialEq)]
pub struct Compressed {
    /// The smaller problem.
    pub problem: Problem,
    /// For each column of the larger problem, where it went.
    pub images: Vec<Image>,
    /// For each column of the smaller problem, the columns of the larger one that follow it, with their factors.
    pub members: Vec<Vec<(usize, f64)>>,
    /// Row of the larger problem of each row of the smaller one.
    pub(crate) rows: Vec<usize>,
    /// Rows that made one column a multiple of another.
    pub(crate) coupling_rows: Vec<usize>,
    /// Columns that are always zero, those that one row or another ties together side by side.
    pub(crate) resting: Vec<Vec<usize>>,
}

impl Compressed {
    /// Values of the larger problem's columns.
    #[must_use]
    pub fn expand(&self, small: &[f64]) -> Vec<f64> {
        let value = |image: &Image| match *image {
            Image::Zero => 0.0,
            Image::Multiple { column, factor } => factor * small[column],
        };
        self.images.iter().map(value).collect()
    }

    /// The problem itself, every column its own image.
    #[must_use]
    pub fn none(problem: &Problem) -> Self {
        let n = problem.matrix.columns();
        Self {
            problem: problem.clone(),
            images: (0..n).map(|column| Image::Multiple { column, factor: 1.0 }).collect(),
            members: (0..n).map(|j| vec![(j, 1.0)]).collect(),
            rows: (0..problem.matrix.rows()).collect(),
            coupling_rows: Vec::new(),
            resting: Vec::new(),
        }
    }

    /// Compresses a problem. Bounds that cross or rows that cannot hold are left for the solver to find.
    #[must_use]
    pub fn new(problem: &Problem) -> Self {
        let mut work = Work::new(problem);
        let mut row = 0;
        let mut quiet = 0;
        let rows = work.rows.len();
        while quiet < rows {
            if work.reduce(row) {
                quiet = 0;
            } else {
                quiet += 1;
            }
            row = (row + 1) % rows;
        }
        work.finish(problem)
    }
}

/// The problem while it shrinks.
struct Work {
    columns: Vec<Vec<(usize, f64)>>,
    /// Columns of each row; may hold ones that are gone or moved on.
    rows: Vec<Vec<usize>>,
    balanced: Vec<bool>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    cost: Vec<f64>,
    members: Vec<Vec<(usize, f64)>>,
    gone: Vec<bool>,
    coupling_rows: Vec<usize>,
    resting: Vec<Vec<usize>>,
}

impl Work {
    fn new(problem: &Problem) -> Self {
        let (m, n) = (problem.matrix.rows(), problem.matrix.columns());
        let columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| problem.matrix.iter(j).collect()).collect();
        let mut work = Self {
            columns,
            rows: vec![Vec::new(); m],
            balanced: (0..m).map(|i| problem.row_lower[i] == 0.0 && problem.row_upper[i] == 0.0).collect(),
            lower: problem.lower.clone(),
            upper: problem.upper.clone(),
            cost: problem.cost.clone(),
            members: (0..n).map(|j| vec![(j, 1.0)]).collect(),
            gone: vec![false; n],
            coupling_rows: Vec::new(),
            resting: Vec::new(),
        };
        for j in 0..n {
            if work.lower[j] == 0.0 && work.upper[j] == 0.0 {
                work.drop(j);
            } else {
                for &(i, _) in &work.columns[j] {
                    work.rows[i].push(j);
                }
            }
        }
        work
    }

    /// Takes out a column that always rests.
    fn drop(&mut self, j: usize) {
        let members = std::mem::take(&mut self.members[j]);
        self.resting.push(members.into_iter().map(|member| member.0).collect());
        self.gone[j] = true;
        self.columns[j].clear();
    }

    fn entry(&self, i: usize, j: usize) -> f64 {
        self.columns[j].iter().find(|e| e.0 == i).map_or(0.0, |e| e.1)
    }

    /// Tries to shrink by one row; whether anything changed.
    fn reduce(&mut self, i: usize) -> bool {
        if !self.balanced[i] || self.rows[i].is_empty() {
            return false;
        }
        let mut live = std::mem::take(&mut self.rows[i]);
        live.retain(|&j| !self.gone[j] && self.entry(i, j) != 0.0);
        live.sort_unstable();
        live.dedup();
        self.rows[i] = live;
        let pair = if let [a, b] = self.rows[i][..] { Some((a, b)) } else { None };
        match pair {
            Some((a, b)) if self.couple(i, a, b) || self.couple(i, b, a) => true,
            _ => !self.rows[i].is_empty() && self.one_signed(i),
        }
    }

    /// Columns that can only push the balance one way, and may rest, rest.
    fn one_signed(&mut self, i: usize) -> bool {
        let (mut up, mut down, mut rest) = (true, true, true);
        for &j in &self.rows[i] {
            let a = self.entry(i, j);
            let (low, high) = if a > 0.0 { (self.lower[j], self.upper[j]) } else { (-self.upper[j], -self.lower[j]) };
            up &= low >= 0.0;
            down &= high <= 0.0;
            rest &= low <= 0.0 && high >= 0.0;
        }
        let alone = self.rows[i].len() == 1;
        if !(rest && (up || down || alone)) {
            return false;
        }
        for j in std::mem::take(&mut self.rows[i]) {
            self.drop(j);
        }
        true
    }

    /// Makes `b` a multiple of `a` by row `i`, if that rounds nothing.
    fn couple(&mut self, i: usize, a: usize, b: usize) -> bool {
        let (ca, cb) = (self.entry(i, a), self.entry(i, b));
        let factor = -ca / cb;
        if factor.mul_add(cb, ca) != 0.0 || !factor.is_normal() {
            return false;
        }
        let Some(cost) = exact(self.cost[a], factor, self.cost[b]) else { return false };
        let mut column = self.columns[a].clone();
        for &(r, v) in &self.columns[b] {
            if let Some(entry) = column.iter_mut().find(|e| e.0 == r) {
                let Some(sum) = exact(entry.1, factor, v) else { return false };
                entry.1 = sum;
            } else {
                let Some(product) = exact(0.0, factor, v) else { return false };
                column.push((r, product));
            }
        }
        column.retain(|e| e.1 != 0.0 && e.0 != i);
        let ends = (self.lower[b] / factor, self.upper[b] / factor);
        let (low, high) = if factor > 0.0 { ends } else { (ends.1, ends.0) };
        self.lower[a] = self.lower[a].max(low);
        self.upper[a] = self.upper[a].min(high);
        self.cost[a] = cost;
        for &(r, _) in &column {
            self.rows[r].push(a);
        }
        self.columns[a] = column;
        let moved = std::mem::take(&mut self.members[b]);
        self.members[a].extend(moved.into_iter().map(|(j, f)| (j, f * factor)));
        self.gone[b] = true;
        self.columns[b].clear();
        self.rows[i].clear();
        self.coupling_rows.push(i);
        if self.lower[a] == 0.0 && self.upper[a] == 0.0 {
            self.drop(a);
        }
        true
    }

    fn finish(self, problem: &Problem) -> Compressed {
        let kept: Vec<usize> = (0..self.columns.len()).filter(|&j| !self.gone[j]).collect();
        let mut used = vec![false; self.rows.len()];
        for &j in &kept {
            for &(i, _) in &self.columns[j] {
                used[i] = true;
            }
        }
        // A row without entries says only whether zero lies between its sides; where it does not, the solver must see it.
        let row_kept: Vec<usize> =
            (0..used.len()).filter(|&i| used[i] || problem.row_lower[i] > 0.0 || problem.row_upper[i] < 0.0).collect();
        let mut number = vec![0; used.len()];
        for (new, &old) in row_kept.iter().enumerate() {
            number[old] = new;
        }
        let columns: Vec<Vec<(usize, f64)>> =
            kept.iter().map(|&j| self.columns[j].iter().map(|&(i, v)| (number[i], v)).collect()).collect();
        let pick = |values: &[f64], which: &[usize]| which.iter().map(|&k| values[k]).collect::<Vec<f64>>();
        let Some(matrix) = Matrix::from_columns(row_kept.len(), columns.iter().map(Vec::as_slice)) else {
            return Compressed::none(problem);
        };
        let mut images = vec![Image::Zero; self.columns.len()];
        let members: Vec<Vec<(usize, f64)>> = kept.iter().map(|&j| self.members[j].clone()).collect();
        for (column, list) in members.iter().enumerate() {
            for &(j, factor) in list {
                images[j] = Image::Multiple { column, factor };
            }
        }
        let small = Problem {
            matrix,
            lower: pick(&self.lower, &kept),
            upper: pick(&self.upper, &kept),
            cost: pick(&self.cost, &kept),
            sense: problem.sense,
            row_lower: pick(&problem.row_lower, &row_kept),
            row_upper: pick(&problem.row_upper, &row_kept),
        };
        let (coupling_rows, resting) = (self.coupling_rows, self.resting);
        Compressed { problem: small, images, members, rows: row_kept, coupling_rows, resting }
    }
}

/// `base + factor · value` when neither the product nor the sum rounds.
fn exact(base: f64, factor: f64, value: f64) -> Option<f64> {
    let product = factor * value;
    if factor.mul_add(value, -product) != 0.0 || !product.is_finite() || (product == 0.0 && value != 0.0) {
        return None;
    }
    let sum = base + product;
    let part = sum - base;
    let lost = (base - (sum - part)) + (product - part);
    (lost == 0.0 && sum.is_finite()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Sense;

    fn problem(columns: &[&[(usize, f64)]], bounds: &[(f64, f64)], rows: usize) -> Problem {
        Problem {
            matrix: Matrix::from_columns(rows, columns.iter().copied()).unwrap(),
            lower: bounds.iter().map(|b| b.0).collect(),
            upper: bounds.iter().map(|b| b.1).collect(),
            cost: (0..columns.len()).map(|j| if j + 1 == columns.len() { 1.0 } else { 0.0 }).collect(),
            sense: Sense::Maximize,
            row_lower: vec![0.0; rows],
            row_upper: vec![0.0; rows],
        }
    }

    #[test]
    fn a_chain_becomes_one_column() {
        // → A → 2 B → , and a dead end D.
        let p = problem(
            &[&[(0, 1.0)], &[(0, -1.0), (1, 2.0)], &[(0, -1.0), (2, 1.0)], &[(1, -1.0)]],
            &[(0.0, 10.0), (-5.0, 4.0), (-1.0, 1.0), (0.0, 100.0)],
            3,
        );
        let small = Compressed::new(&p);
        assert_eq!(small.problem.matrix.columns(), 1);
        assert_eq!(small.problem.matrix.rows(), 0);
        assert_eq!((small.problem.lower[0], small.problem.upper[0]), (0.0, 4.0));
        assert_eq!(small.expand(&[3.0]), vec![3.0, 3.0, 0.0, 6.0]);
    }

    #[test]
    fn a_factor_that_rounds_is_left_alone() {
        let p = problem(&[&[(0, 1.0), (1, 1.0)], &[(0, -3.0), (1, 0.1)], &[(1, -1.0)], &[(1, -1.0)]], &[(0.0, 9.0); 4], 2);
        let small = Compressed::new(&p);
        // x = 3 y: the product 3 · 1 + 0.1 rounds, so either the substitution is exact or it is not made.
        assert!(small.problem.matrix.columns() == 4 || small.problem.matrix.entries() > 0);
        for j in 0..small.problem.matrix.columns() {
            for (i, value) in small.problem.matrix.iter(j) {
                assert!(i < 2 && value.is_finite());
            }
        }
    }

    #[test]
    fn exactness_is_judged() {
        assert_eq!(exact(1.0, 2.0, 3.0), Some(7.0));
        assert_eq!(exact(0.1, 3.0, 0.1), None);
        assert_eq!(exact(1.0, 1.0, 1e-30), None);
    }
}
