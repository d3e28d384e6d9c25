//! Strictly convex quadratic programs, by the dual active-set method of Goldfarb and Idnani ("A numerically stable dual
//! method for solving strictly convex quadratic programs", Math. Program. 27, 1, 1983): from the minimum without any
//! constraint it takes in those that are broken, one by one, so that a program of which few constraints matter costs
//! little more than a linear system.

use crate::linear::{Cholesky, Matrix, axpy, dot};

/// Minimise ½ xᵀ H x + gᵀ x with x inside bounds, `rows`·x ≥ `least`, and equality in the first `equal` rows.
#[derive(Debug, Clone, Copy)]
pub struct Quadratic<'a> {
    /// H: symmetric and positive definite.
    pub curvature: &'a Matrix,
    /// g.
    pub gradient: &'a [f64],
    /// Lower bounds; −∞ for none.
    pub low: &'a [f64],
    /// Upper bounds; ∞ for none.
    pub high: &'a [f64],
    /// Rows of the constraints.
    pub rows: &'a Matrix,
    /// Least value of each row.
    pub least: &'a [f64],
    /// How many of the rows, the first ones, hold with equality.
    pub equal: usize,
}

/// What a program gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Minimum.
    pub x: Vec<f64>,
    /// Multiplier of each row: how much the minimum rises per unit of its least value. Not below 0 but for equalities.
    pub multipliers: Vec<f64>,
}

/// Relative violation of a constraint below which it counts as kept.
const TOLERANCE: f64 = 1e-11;

struct Work<'a> {
    program: Quadratic<'a>,
    n: usize,
    /// Columns of J = L⁻ᵀ Q.
    j: Vec<Vec<f64>>,
    /// Columns of R, upper triangular: column i has i + 1 entries.
    r: Vec<Vec<f64>>,
    /// Constraints in the working set: index, side (+1, −1 for an equality met from above) and multiplier.
    active: Vec<(usize, f64, f64)>,
    is_active: Vec<bool>,
    x: Vec<f64>,
}

impl Quadratic<'_> {
    /// Solves. None: the constraints contradict each other, or H is not positive definite.
    #[must_use]
    pub fn solve(&self) -> Option<Solution> {
        let n = self.gradient.len();
        let factor = Cholesky::exact(self.curvature)?;
        let mut x: Vec<f64> = self.gradient.iter().map(|g| -g).collect();
        factor.solve_lower(&mut x);
        factor.solve_upper(&mut x);
        let j = (0..n)
            .map(|i| {
                let mut column = vec![0.0; n];
                column[i] = 1.0;
                factor.solve_upper(&mut column);
                column
            })
            .collect();
        let count = 2 * n + self.rows.rows();
        let mut work = Work { program: *self, n, j, r: Vec::new(), active: Vec::new(), is_active: vec![false; count], x };
        work.solve(count)?;
        let mut multipliers = vec![0.0; self.rows.rows()];
        for (constraint, side, multiplier) in &work.active {
            if *constraint >= 2 * n {
                multipliers[constraint - 2 * n] = side * multiplier;
            }
        }
        Some(Solution { x: work.x, multipliers })
    }
}

impl Work<'_> {
    /// How far a constraint is kept (negative: broken), and the size of its numbers.
    fn slack(&self, constraint: usize) -> (f64, f64) {
        let (n, p) = (self.n, &self.program);
        if constraint < n {
            (self.x[constraint] - p.low[constraint], 1.0 + p.low[constraint].abs())
        } else if constraint < 2 * n {
            (p.high[constraint - n] - self.x[constraint - n], 1.0 + p.high[constraint - n].abs())
        } else {
            let row = constraint - 2 * n;
            (dot(p.rows.row(row), &self.x) - p.least[row], 1.0 + p.least[row].abs())
        }
    }

    fn normal(&self, constraint: usize, side: f64) -> Vec<f64> {
        let n = self.n;
        if constraint < 2 * n {
            let mut normal = vec![0.0; n];
            normal[constraint % n] = if constraint < n { side } else { -side };
            normal
        } else {
            self.program.rows.row(constraint - 2 * n).iter().map(|v| side * v).collect()
        }
    }

    /// The constraint to take in next and its side.
    fn broken(&self, count: usize) -> Option<(usize, f64)> {
        let first = 2 * self.n;
        for constraint in first..first + self.program.equal {
            if !self.is_active[constraint] {
                let (slack, _) = self.slack(constraint);
                return Some((constraint, if slack > 0.0 { -1.0 } else { 1.0 }));
            }
        }
        let mut worst = (-TOLERANCE, None);
        for constraint in 0..count {
            if self.is_active[constraint] {
                continue;
            }
            let (slack, size) = self.slack(constraint);
            if slack / size < worst.0 {
                worst = (slack / size, Some((constraint, 1.0)));
            }
        }
        worst.1
    }

    fn solve(&mut self, count: usize) -> Option<()> {
        for _ in 0..20 * count + 100 {
            let Some((constraint, side)) = self.broken(count) else { return Some(()) };
            self.take(constraint, side)?;
        }
        None
    }

    /// Takes a constraint into the working set, dropping those that stand in the way.
    fn take(&mut self, constraint: usize, side: f64) -> Option<()> {
        let normal = self.normal(constraint, side);
        let size = libm::sqrt(dot(&normal, &normal));
        let mut multiplier = 0.0;
        loop {
            let d: Vec<f64> = self.j.iter().map(|column| dot(column, &normal)).collect();
            let q = self.active.len();
            let mut z = vec![0.0; self.n];
            for (weight, column) in d[q..].iter().zip(&self.j[q..]) {
                axpy(*weight, column, &mut z);
            }
            let along = dot(&d[q..], &d[q..]);
            let mut r = d[..q].to_vec();
            for i in (0..q).rev() {
                r[i] /= self.r[i][i];
                let by = r[i];
                for (k, value) in self.r[i][..i].iter().enumerate() {
                    r[k] -= by * value;
                }
            }
            let mut shortest = (f64::INFINITY, None);
            for (i, (held, _, multiplier)) in self.active.iter().enumerate() {
                let equality = (2 * self.n..2 * self.n + self.program.equal).contains(held);
                if !equality && r[i] > 0.0 && multiplier / r[i] < shortest.0 {
                    shortest = (multiplier / r[i], Some(i));
                }
            }
            let slack = side * self.slack(constraint).0;
            let all = dot(&d, &d);
            // Nothing of the constraint is left outside the working set.
            let full = if along > 1e-18 * all { -slack / along } else { f64::INFINITY };
            let step = shortest.0.min(full);
            if !step.is_finite() {
                // An equality that the others imply is met already.
                return (slack.abs() <= 1e-9 * (1.0 + size)).then(|| self.is_active[constraint] = true);
            }
            for ((_, _, multiplier), r) in self.active.iter_mut().zip(&r) {
                *multiplier -= step * r;
            }
            multiplier += step;
            if full.is_finite() {
                axpy(step, &z, &mut self.x);
            }
            if step == full {
                self.add(d);
                self.active.push((constraint, side, multiplier));
                self.is_active[constraint] = true;
                return Some(());
            }
            self.drop(shortest.1?);
        }
    }

    /// A column of R from d = Jᵀ·normal, after turning J so that d ends there.
    fn add(&mut self, mut d: Vec<f64>) {
        let q = self.active.len();
        for i in (q + 1..self.n).rev() {
            let (a, b) = (d[i - 1], d[i]);
            if b == 0.0 {
                continue;
            }
            let length = libm::hypot(a, b);
            let (c, s) = (a / length, b / length);
            d[i - 1] = length;
            let (left, right) = self.j.split_at_mut(i);
            turn(&mut left[i - 1], &mut right[0], c, s);
        }
        d.truncate(q + 1);
        self.r.push(d);
    }

    fn drop(&mut self, place: usize) {
        let (constraint, ..) = self.active.remove(place);
        self.is_active[constraint] = false;
        self.r.remove(place);
        for i in place..self.r.len() {
            let (a, b) = (self.r[i][i], self.r[i][i + 1]);
            let length = libm::hypot(a, b);
            let (c, s) = if length == 0.0 { (1.0, 0.0) } else { (a / length, b / length) };
            for column in &mut self.r[i..] {
                let (above, below) = (column[i], column[i + 1]);
                column[i] = c * above + s * below;
                column[i + 1] = c * below - s * above;
            }
            self.r[i].truncate(i + 1);
            let (left, right) = self.j.split_at_mut(i + 1);
            turn(&mut left[i], &mut right[0], c, s);
        }
    }
}

/// Turns two columns by an angle of cosine c and sine s.
fn turn(a: &mut [f64], b: &mut [f64], c: f64, s: f64) {
    for (a, b) in a.iter_mut().zip(b) {
        (*a, *b) = (c * *a + s * *b, c * *b - s * *a);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_published_program_is_solved() {
        // The program that R's quadprog 1.5-8 documents with its solution 0.4761905, 1.0476190, 2.0952381.
        let curvature = Matrix::identity(3);
        let rows = Matrix::from_rows(&[[-4.0, -3.0, 0.0], [2.0, 1.0, 0.0], [0.0, -2.0, 1.0]]);
        let (low, high) = ([f64::NEG_INFINITY; 3], [f64::INFINITY; 3]);
        let program = Quadratic {
            curvature: &curvature,
            gradient: &[0.0, -5.0, 0.0],
            low: &low,
            high: &high,
            rows: &rows,
            least: &[-8.0, 2.0, 0.0],
            equal: 0,
        };
        let found = program.solve().unwrap();
        for (x, known) in found.x.iter().zip([10.0 / 21.0, 22.0 / 21.0, 44.0 / 21.0]) {
            assert!((x - known).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn constraints_that_contradict_each_other_are_seen() {
        let curvature = Matrix::identity(2);
        let rows = Matrix::from_rows(&[[1.0, 1.0], [-1.0, -1.0]]);
        let program = Quadratic {
            curvature: &curvature,
            gradient: &[0.0, 0.0],
            low: &[0.0; 2],
            high: &[1.0; 2],
            rows: &rows,
            least: &[1.5, -1.0],
            equal: 0,
        };
        assert!(program.solve().is_none());
        let least = [1.5, -1.5];
        let met = Quadratic { least: &least, equal: 1, ..program }.solve().unwrap();
        assert!((met.x[0] - 0.75).abs() < 1e-12 && (met.x[1] - 0.75).abs() < 1e-12, "{met:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        /// The conditions of Karush, Kuhn and Tucker hold, which for a strictly convex program is the whole proof.
        #[test]
        fn the_minimum_satisfies_the_optimality_conditions(
            root in proptest::collection::vec(-1.0..1.0f64, 36),
            gradient in proptest::collection::vec(-3.0..3.0f64, 6),
            entries in proptest::collection::vec(-1.0..1.0f64, 60),
            inner in proptest::collection::vec(0.1..0.9f64, 6),
            room in proptest::collection::vec(0.0..0.5f64, 10),
            equal in 0..3usize,
        ) {
            let root = Matrix::from_fn(6, 6, |i, j| root[6 * i + j]);
            let mut curvature = root.gram();
            (0..6).for_each(|i| curvature[(i, i)] += 0.05);
            let rows = Matrix::from_fn(10, 6, |i, j| entries[6 * i + j]);
            // Feasible by construction: `inner` keeps all of them.
            let least: Vec<f64> = (0..10).map(|i| dot(rows.row(i), &inner) - if i < equal { 0.0 } else { room[i] }).collect();
            let program = Quadratic { curvature: &curvature, gradient: &gradient, low: &[0.0; 6], high: &[1.0; 6], rows: &rows, least: &least, equal };
            let found = program.solve().unwrap();
            let mut rest = curvature.times(&found.x);
            for i in 0..6 { rest[i] += gradient[i]; }
            for (i, multiplier) in found.multipliers.iter().enumerate() {
                let slack = dot(rows.row(i), &found.x) - least[i];
                prop_assert!(slack > -1e-8 && (i >= equal || slack < 1e-8), "{i} {slack}");
                prop_assert!(i < equal || *multiplier >= -1e-9);
                prop_assert!((multiplier * slack).abs() < 1e-7);
                for k in 0..6 { rest[k] -= multiplier * rows[(i, k)]; }
            }
            for (x, rest) in found.x.iter().copied().zip(&rest) {
                prop_assert!((-1e-9..=1.0 + 1e-9).contains(&x));
                // What is left of the gradient pushes against a bound or is nothing.
                prop_assert!(rest.abs() < 1e-6 || (x < 1e-8 && *rest > 0.0) || (x > 1.0 - 1e-8 && *rest < 0.0), "{} {}", x, rest);
            }
        }
    }
}
