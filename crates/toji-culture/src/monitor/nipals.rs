//! NIPALS: components one after another by alternating regressions over the cells that were seen.
//!
//! H. Wold (1966), "Estimation of principal components and related models by iterative least squares"; for PLS with
//! several responses S. Wold, M. Sjöström and L. Eriksson (2001), *Chemometrics and Intelligent Laboratory Systems*
//! 58, 109–130. When nothing is missing the components are those of the singular value decomposition. Each
//! component starts from the eigenvector of the table with zeros for missing cells, so that complete tables need one
//! or two rounds even where two components are nearly as large.

use super::matrix::{Cells, add_scaled, dot, eigen, ratio};

/// Rounds of one component at most.
const ROUNDS_MAX: usize = 2_000;
/// A component stands when its loading moves by less than this.
const SETTLED: f64 = 1e-13;
/// Eigenvectors of the smaller cross-product are computed up to this size; beyond it the largest column starts.
const EIGEN_MAX: usize = 300;

/// What both methods leave behind, component by component.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    /// Weights: unit length. The same as the loadings for principal components.
    pub(super) weights: Vec<Vec<f64>>,
    pub(super) loadings: Vec<Vec<f64>>,
    /// Scores of the rows.
    pub(super) scores: Vec<Vec<f64>>,
    /// Loadings and scores of the responses (PLS).
    pub(super) y_loadings: Vec<Vec<f64>>,
    pub(super) y_scores: Vec<Vec<f64>>,
    /// Residual sum of squares of the table after 0, 1, 2 … components.
    pub(super) left: Vec<f64>,
    /// The same of the responses.
    pub(super) y_left: Vec<f64>,
    /// Residual sum of squares by column after 0, 1, 2 … components.
    pub(super) left_by_column: Vec<Vec<f64>>,
    /// Did each component settle?
    pub(super) settled: Vec<bool>,
}

/// Principal components. Fewer come back when nothing is left to explain. `near` are loadings to start from.
pub(super) fn pca(x: &mut Cells, components: usize, near: Option<&[Vec<f64>]>) -> Parts {
    let mut out = Parts { left: vec![x.squares()], left_by_column: vec![x.column_squares()], ..Parts::default() };
    let starts = near.map_or_else(|| starts(x, components), |near| near.iter().map(|p| x.regress_rows(p)).collect());
    for a in 0..components {
        if out.left[a] <= out.left[0] * 1e-20 {
            break;
        }
        let mut t = starts.get(a).filter(|t| dot(t, t) > 0.0).cloned().unwrap_or_else(|| largest_column(x));
        let (mut p, mut settled) = (vec![0.0; x.cols], false);
        for _ in 0..ROUNDS_MAX {
            let mut next = x.regress_columns(&t);
            normalise(&mut next);
            settled = distance(&next, &p) < SETTLED;
            p = next;
            t = x.regress_rows(&p);
            if settled {
                break;
            }
        }
        if turn(&mut p) {
            t.iter_mut().for_each(|t| *t = -*t);
        }
        x.deflate(&t, &p);
        out.settled.push(settled);
        out.weights.push(p.clone());
        out.loadings.push(p);
        out.scores.push(t);
        out.left.push(x.squares());
        out.left_by_column.push(x.column_squares());
    }
    out
}

/// Partial least squares with one response or several.
pub(super) fn pls(x: &mut Cells, y: &mut Cells, components: usize) -> Parts {
    let mut out = Parts {
        left: vec![x.squares()],
        y_left: vec![y.squares()],
        left_by_column: vec![x.column_squares()],
        ..Parts::default()
    };
    for a in 0..components {
        if out.left[a] <= out.left[0] * 1e-20 || out.y_left[a] <= out.y_left[0] * 1e-20 {
            break;
        }
        let mut u = y.regress_rows(&strongest_response(x, y));
        let (mut w, mut t, mut c, mut settled) = (vec![0.0; x.cols], Vec::new(), Vec::new(), false);
        for _ in 0..ROUNDS_MAX {
            let mut next = x.regress_columns(&u);
            normalise(&mut next);
            settled = distance(&next, &w) < SETTLED;
            w = next;
            t = x.regress_rows(&w);
            c = y.regress_columns(&t);
            u = y.regress_rows(&c);
            if settled {
                break;
            }
        }
        if dot(&t, &t) <= 0.0 {
            break;
        }
        if turn(&mut w) {
            [&mut t, &mut c, &mut u].into_iter().flatten().for_each(|v| *v = -*v);
        }
        let p = x.regress_columns(&t);
        x.deflate(&t, &p);
        y.deflate(&t, &c);
        out.settled.push(settled);
        out.weights.push(w);
        out.loadings.push(p);
        out.scores.push(t);
        out.y_loadings.push(c);
        out.y_scores.push(u);
        out.left.push(x.squares());
        out.y_left.push(y.squares());
        out.left_by_column.push(x.column_squares());
    }
    out
}

/// The rotation R by which scores follow from undeflated rows: t = xR.
pub(super) fn rotation(weights: &[Vec<f64>], loadings: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut rotation: Vec<Vec<f64>> = Vec::with_capacity(weights.len());
    for w in weights {
        let mut r = w.clone();
        for (before, p) in rotation.iter().zip(loadings) {
            add_scaled(&mut r, -dot(p, w), before);
        }
        rotation.push(r);
    }
    rotation
}

/// The combination of responses that shares most with the table: the eigenvector of Y'XX'Y.
fn strongest_response(x: &Cells, y: &Cells) -> Vec<f64> {
    let mut shared = vec![vec![0.0; x.cols]; y.cols];
    for row in 0..x.rows {
        for (shared, y) in shared.iter_mut().zip(y.row(row)) {
            add_scaled(shared, *y, x.row(row));
        }
    }
    let gram: Vec<Vec<f64>> = shared.iter().map(|a| shared.iter().map(|b| dot(a, b)).collect()).collect();
    eigen(&gram).1.into_iter().next().unwrap_or_default()
}

/// Scores to start from.
fn starts(x: &Cells, components: usize) -> Vec<Vec<f64>> {
    if x.rows.min(x.cols) > EIGEN_MAX {
        return Vec::new();
    }
    if x.rows <= x.cols {
        let gram: Vec<Vec<f64>> = (0..x.rows).map(|i| (0..x.rows).map(|j| dot(x.row(i), x.row(j))).collect()).collect();
        return eigen(&gram).1.into_iter().take(components).collect();
    }
    let mut gram = vec![vec![0.0; x.cols]; x.cols];
    for row in 0..x.rows {
        let cells = x.row(row);
        gram.iter_mut().zip(cells).for_each(|(sums, v)| add_scaled(sums, *v, cells));
    }
    eigen(&gram).1.into_iter().take(components).map(|p| x.regress_rows(&p)).collect()
}

fn largest_column(x: &Cells) -> Vec<f64> {
    let squares = x.column_squares();
    let most = (0..squares.len()).max_by(|a, b| squares[*a].total_cmp(&squares[*b]).then(b.cmp(a))).unwrap_or(0);
    (0..x.rows).map(|row| x.row(row)[most]).collect()
}

fn normalise(v: &mut [f64]) {
    let length = dot(v, v).sqrt();
    v.iter_mut().for_each(|v| *v = ratio(*v, length));
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// Signs are free; here the first of the largest entries is positive. "Largest" has a margin, so that entries equal up
/// to rounding do not decide by their last digit.
fn turn(p: &mut [f64]) -> bool {
    let largest = p.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let negative = p.iter().find(|v| v.abs() >= largest * (1.0 - 1e-6)).is_some_and(|v| *v < 0.0);
    if negative {
        p.iter_mut().for_each(|v| *v = -*v);
    }
    negative
}
