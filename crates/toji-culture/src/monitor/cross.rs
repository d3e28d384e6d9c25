//! Leaving whole batches out: how many components predict, and how far from a model a row lies that it never saw.

use super::limits::Moments;
use super::matrix::{Cells, Matrix, add_scaled, dot, full, pseudo_inverse, ratio};
use super::nipals;
use super::scale::{Scale, Scaling};
use super::space::{Missing, Space};

/// At most this many parts are left out in turn; with more batches each part is several of them.
const FOLDS_MAX: usize = 60;
/// Columns of a row are hidden in this many turns when principal components are cross-validated.
const HIDDEN_MAX: usize = 7;
/// Q² within this of the best is as good.
const AS_GOOD: f64 = 0.01;
/// At most this many rows enter the sums over triples of rows.
const TRIPLES_MAX: usize = 200;

/// T² and SPE of rows when their batch was left out.
#[derive(Debug, Clone)]
pub(super) struct LeftOut {
    pub(super) t2: Vec<f64>,
    pub(super) spe: Vec<f64>,
    pub(super) spe_moments: Moments,
}

/// Rows to leave out together. Empty with fewer than three batches.
pub(super) fn folds(batches: &[usize]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = batches.to_vec();
    order.sort_unstable();
    order.dedup();
    if order.len() < 3 {
        return Vec::new();
    }
    let mut folds = vec![Vec::new(); order.len().min(FOLDS_MAX)];
    for (row, batch) in batches.iter().enumerate() {
        let fold = order.binary_search(batch).unwrap_or(0) % folds.len();
        folds[fold].push(row);
    }
    folds
}

pub(super) fn rest(rows: usize, out: &[usize]) -> Vec<usize> {
    let mut left = vec![true; rows];
    out.iter().for_each(|row| left[*row] = false);
    (0..rows).filter(|row| left[*row]).collect()
}

/// Principal components without some rows. `near` are the loadings of the whole, to start from where eigenvectors
/// would cost more.
pub(super) fn without(x: &Matrix, out: &[usize], scaling: Scaling, components: usize, near: &[Vec<f64>]) -> (Scale, Space) {
    let kept = x.select(&rest(x.rows(), out));
    let scale = Scale::of(&kept, scaling);
    let train = scale.cells(&kept);
    let mut residual = train.clone();
    let near = (train.rows.min(train.cols) > 100).then_some(near);
    let parts = nipals::pca(&mut residual, components.min(kept.rows() - 1), near);
    let speaking = scale.speaking();
    (scale, Space::new(train, residual, parts, speaking))
}

/// Every row of some folds, judged by models that never saw its batch.
pub(super) fn leave_out(x: &Matrix, batches: &[usize], mut model: impl FnMut(&[usize]) -> (Scale, Space)) -> Option<LeftOut> {
    let folds = folds(batches);
    let (mut t2, mut spe) = (vec![0.0; x.rows()], vec![0.0; x.rows()]);
    let mut residuals = Cells { rows: x.rows(), cols: x.cols(), x: vec![0.0; x.rows() * x.cols()], seen: Vec::new() };
    for out in &folds {
        let (scale, space) = model(out);
        let cells = scale.cells(&x.select(out));
        for (i, row) in out.iter().enumerate() {
            let (z, seen) = (cells.row(i), cells.seen_row(i));
            let scored = space.score(z, seen, Missing::Regression);
            let left = space.residual_row(&scored.scores, z, seen);
            t2[*row] = scored.t2;
            spe[*row] = full(dot(&left, &left), seen, x.cols());
            residuals.x[row * x.cols()..(row + 1) * x.cols()].copy_from_slice(&left);
        }
    }
    let theta = theta(&residuals, &spe, batches);
    (!folds.is_empty()).then(|| LeftOut { spe_moments: Moments::of(&spe, theta), t2, spe })
}

/// θ1, θ2 and θ3 of a residual covariance: θ1 is the mean of SPE, θ2 and θ3 are means of products over different rows,
/// since powers of the eigenvalues of few rows are far too large.
pub(super) fn theta(residuals: &Cells, spe: &[f64], batches: &[usize]) -> Option<[f64; 3]> {
    let step = residuals.rows.div_ceil(TRIPLES_MAX).max(1);
    let rows: Vec<usize> = (0..residuals.rows).step_by(step).collect();
    let apart = |i: usize, j: usize| batches[rows[i]] != batches[rows[j]];
    let n = rows.len();
    let mut gram = vec![vec![0.0; n]; n];
    let (mut two, mut pairs) = (0.0, 0.0);
    for i in 0..n {
        for j in 0..i {
            if apart(i, j) {
                let v = dot(residuals.row(rows[i]), residuals.row(rows[j]));
                (gram[i][j], gram[j][i]) = (v, v);
                two += v * v;
                pairs += 1.0;
            }
        }
    }
    let (mut three, mut triples) = (0.0, 0.0);
    for i in 0..n {
        for j in 0..i {
            for k in (0..j).filter(|k| apart(i, j) && apart(j, *k) && apart(i, *k)) {
                three += gram[i][j] * gram[j][k] * gram[k][i];
                triples += 1.0;
            }
        }
    }
    let one = ratio(spe.iter().sum(), spe.len() as f64);
    (triples > 0.0).then(|| [one, two / pairs, three / triples])
}

/// Q² of 1, 2 … principal components: rows are left out batch by batch, and of each left-out row some columns are
/// hidden and predicted by the others, so that no cell takes part in its own prediction (R. Bro, K. Kjeldahl, A. Smilde
/// and H. Kiers 2008, *Analytical and Bioanalytical Chemistry* 390, 1241–1251).
pub(super) fn q2_pca(x: &Matrix, batches: &[usize], scaling: Scaling, most: usize, near: &[Vec<f64>]) -> Vec<f64> {
    let mut press = vec![0.0; most + 1];
    for out in folds(batches) {
        let (scale, space) = without(x, &out, scaling, most, near);
        let cells = scale.cells(&x.select(&out));
        let hidden = HIDDEN_MAX.min(x.cols());
        for turn in 0..hidden {
            for i in 0..cells.rows {
                for (a, sum) in press.iter_mut().enumerate() {
                    *sum += hidden_squares(&space, a.min(space.components()), &cells, i, (turn, hidden));
                }
            }
        }
    }
    press.iter().skip(1).map(|v| 1.0 - ratio(*v, press[0])).collect()
}

/// Squared errors of the hidden columns of one row, predicted by `a` components from its other columns.
fn hidden_squares(space: &Space, a: usize, cells: &Cells, row: usize, (turn, hidden): (usize, usize)) -> f64 {
    let (z, seen) = (cells.row(row), cells.seen_row(row));
    let is_seen = |col: usize| seen.is_none_or(|seen| seen[col] > 0.0);
    let loadings = &space.parts.loadings[..a];
    let (mut inner, mut image) = (vec![vec![0.0; a]; a], vec![0.0; a]);
    let mut p = vec![0.0; a];
    for col in (0..z.len()).filter(|col| col % hidden != turn && is_seen(*col)) {
        p.iter_mut().zip(loadings).for_each(|(p, of)| *p = of[col]);
        add_scaled(&mut image, z[col], &p);
        inner.iter_mut().zip(&p).for_each(|(sums, v)| add_scaled(sums, *v, &p));
    }
    let n = space.train.rows as f64;
    let free = (n - 1.0 - a as f64).max(1.0) * z.len().saturating_sub(a).max(1) as f64;
    let noise = space.parts.left[a] / free;
    for (i, row) in inner.iter_mut().enumerate() {
        let variance = dot(&space.parts.scores[i], &space.parts.scores[i]) / (n - 1.0).max(1.0);
        row[i] += ratio(noise, variance);
    }
    let t = super::matrix::apply(&pseudo_inverse(&inner).0, &image);
    (turn..z.len())
        .step_by(hidden)
        .filter(|col| is_seen(*col))
        .map(|col| (z[col] - t.iter().zip(loadings).map(|(t, p)| t * p[col]).sum::<f64>()).powi(2))
        .sum()
}

/// The fewest components whose Q² is as good as the best; one at least.
pub(super) fn choose(q2: &[f64]) -> usize {
    let best = q2.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    q2.iter().position(|q2| *q2 >= best - AS_GOOD).map_or(1, |at| at + 1)
}
