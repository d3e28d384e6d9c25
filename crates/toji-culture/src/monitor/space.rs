//! The space of scores of a fitted model: where a row lies in it, how far from its middle (T²), how far beside it
//! (SPE), and which cells put it there, also when cells of the row are missing.

use super::matrix::{Cells, add_scaled, apply, dot, full, product, pseudo_inverse, quadratic, transpose};
use super::nipals::{Parts, rotation};
use serde::{Deserialize, Serialize};

/// How scores are estimated from a row of which cells are missing. With every cell seen all three give the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Missing cells count as their mean: scores are drawn towards the middle.
    Trimmed,
    /// The scores of the reference regressed on its own scores of only the cells seen (trimmed score regression;
    /// F. Arteaga and A. Ferrer 2002, *Journal of Chemometrics* 16, 408–418).
    #[default]
    Regression,
    /// Missing cells take their conditional mean, given the cells seen, under the covariance of the model: scores of
    /// the reference plus independent noise (P. Nelson, P. Taylor and J. MacGregor 1996, *Chemometrics and Intelligent
    /// Laboratory Systems* 35, 45–65).
    ConditionalMean,
}

/// The space of a model.
#[derive(Debug, Clone)]
pub(super) struct Space {
    pub(super) parts: Parts,
    /// R by component: scores are x R.
    pub(super) rotation: Vec<Vec<f64>>,
    /// Inverse of the covariance of the reference's scores, and their number of independent directions.
    pub(super) inverse: Vec<Vec<f64>>,
    pub(super) rank: usize,
    covariance: Vec<Vec<f64>>,
    /// Variance of a cell that the model leaves.
    noise: f64,
    /// The scaled reference.
    pub(super) train: Cells,
    /// Its residuals.
    pub(super) residual: Cells,
}

/// Scores of a row, with the linear way from its cells: t = A R'x + B P'x over the cells seen.
#[derive(Debug, Clone)]
pub(super) struct Scored {
    pub(super) scores: Vec<f64>,
    by_rotation: Vec<Vec<f64>>,
    by_loading: Option<Vec<Vec<f64>>>,
    /// T² by the covariance that scores estimated this way have in the reference.
    pub(super) t2: f64,
    pub(super) rank: usize,
    /// Inverse covariance times scores.
    pull: Vec<f64>,
}

impl Space {
    pub(super) fn new(train: Cells, residual: Cells, parts: Parts, speaking: usize) -> Self {
        let rotation = rotation(&parts.weights, &parts.loadings);
        let (n, a) = (train.rows as f64, parts.scores.len());
        let free = (n - 1.0).max(1.0);
        let covariance: Vec<Vec<f64>> =
            parts.scores.iter().map(|s| parts.scores.iter().map(|t| dot(s, t) / free).collect()).collect();
        let (inverse, rank) = pseudo_inverse(&covariance);
        let seen_share = train.count() / ((train.rows * train.cols).max(1) as f64);
        let cells = (n - 1.0 - a as f64).max(1.0) * speaking.saturating_sub(a).max(1) as f64 * seen_share;
        let left = parts.left.last().copied().unwrap_or(0.0);
        let noise = (left / cells).max(parts.left.first().copied().unwrap_or(0.0) / train.count().max(1.0) * 1e-9);
        Self { parts, rotation, inverse, rank, covariance, noise, train, residual }
    }
    pub(super) fn components(&self) -> usize {
        self.rotation.len()
    }
    /// Scores of a row whose cells are all seen or all that will be.
    pub(super) fn score(&self, x: &[f64], seen: Option<&[f64]>, how: Missing) -> Scored {
        if seen.is_none_or(|seen| seen.iter().all(|s| *s > 0.0)) {
            let scores: Vec<f64> = self.rotation.iter().map(|r| dot(r, x)).collect();
            return self.scored(scores, unit(self.components()), None, &self.inverse, self.rank);
        }
        let mut filling = Filling::new(self, how);
        filling.take(0..x.len(), x, seen);
        filling.scored()
    }
    fn scored(
        &self,
        scores: Vec<f64>,
        by_rotation: Vec<Vec<f64>>,
        by_loading: Option<Vec<Vec<f64>>>,
        inverse: &[Vec<f64>],
        rank: usize,
    ) -> Scored {
        let (t2, pull) = (quadratic(&scores, inverse).max(0.0), apply(inverse, &scores));
        Scored { scores, by_rotation, by_loading, t2, rank, pull }
    }
    /// What the model leaves of a row: 0 where a cell is missing.
    pub(super) fn residual_row(&self, scores: &[f64], x: &[f64], seen: Option<&[f64]>) -> Vec<f64> {
        let mut out = x.to_vec();
        for (t, p) in scores.iter().zip(&self.parts.loadings) {
            add_scaled(&mut out, -t, p);
        }
        if let Some(seen) = seen {
            out.iter_mut().zip(seen).for_each(|(e, seen)| *e *= seen);
        }
        out
    }
    pub(super) fn spe(&self, scores: &[f64], x: &[f64], seen: Option<&[f64]>) -> f64 {
        let residual = self.residual_row(scores, x, seen);
        full(dot(&residual, &residual), seen, x.len())
    }
    /// The share of each cell in T²; they add up to it.
    pub(super) fn t2_shares(&self, scored: &Scored, x: &[f64], seen: Option<&[f64]>) -> Vec<f64> {
        let back = |map: &[Vec<f64>]| apply(&transpose(map), &scored.pull);
        let mut direction = vec![0.0; x.len()];
        for (g, r) in back(&scored.by_rotation).iter().zip(&self.rotation) {
            add_scaled(&mut direction, *g, r);
        }
        if let Some(map) = &scored.by_loading {
            for (g, p) in back(map).iter().zip(&self.parts.loadings) {
                add_scaled(&mut direction, *g, p);
            }
        }
        direction.iter().zip(x).enumerate().map(|(col, (d, x))| d * x * seen.map_or(1.0, |seen| seen[col])).collect()
    }
}

/// A row that fills with cells, as an unfinished batch does: after any of them the scores can be estimated, at the cost
/// of the new cells only.
pub(super) struct Filling<'a> {
    space: &'a Space,
    how: Missing,
    /// R'x and P'x of the row over the cells seen so far.
    by_rotation: Vec<f64>,
    by_loading: Vec<f64>,
    /// The same of each row of the reference, over the cells that *this* row has.
    train_by_rotation: Vec<Vec<f64>>,
    train_by_loading: Vec<Vec<f64>>,
    /// P'P and R'P over the cells seen, and R'P over all.
    pp: Vec<Vec<f64>>,
    rp: Vec<Vec<f64>>,
    rp_all: Vec<Vec<f64>>,
}

impl<'a> Filling<'a> {
    pub(super) fn new(space: &'a Space, how: Missing) -> Self {
        let a = space.components();
        let conditional = how == Missing::ConditionalMean;
        let cross = |x: &[Vec<f64>], y: &[Vec<f64>]| x.iter().map(|x| y.iter().map(|y| dot(x, y)).collect()).collect();
        Self {
            space,
            how,
            by_rotation: vec![0.0; a],
            by_loading: vec![0.0; a],
            train_by_rotation: vec![vec![0.0; a]; space.train.rows],
            train_by_loading: if conditional { vec![vec![0.0; a]; space.train.rows] } else { Vec::new() },
            pp: vec![vec![0.0; a]; a],
            rp: vec![vec![0.0; a]; a],
            rp_all: if conditional { cross(&space.rotation, &space.parts.loadings) } else { Vec::new() },
        }
    }
    /// Takes the cells of some columns of the whole row `x` in.
    pub(super) fn take(&mut self, columns: std::ops::Range<usize>, x: &[f64], seen: Option<&[f64]>) {
        let a = self.space.components();
        let (mut r, mut p) = (vec![0.0; a], vec![0.0; a]);
        for col in columns.filter(|col| seen.is_none_or(|seen| seen[*col] > 0.0)) {
            r.iter_mut().zip(&self.space.rotation).for_each(|(r, of)| *r = of[col]);
            add_scaled(&mut self.by_rotation, x[col], &r);
            let train = &self.space.train;
            for (row, sums) in self.train_by_rotation.iter_mut().enumerate() {
                add_scaled(sums, train.x[row * train.cols + col], &r);
            }
            if self.how == Missing::ConditionalMean {
                p.iter_mut().zip(&self.space.parts.loadings).for_each(|(p, of)| *p = of[col]);
                add_scaled(&mut self.by_loading, x[col], &p);
                self.pp.iter_mut().zip(&p).for_each(|(sums, v)| add_scaled(sums, *v, &p));
                self.rp.iter_mut().zip(&r).for_each(|(sums, v)| add_scaled(sums, *v, &p));
                for (row, sums) in self.train_by_loading.iter_mut().enumerate() {
                    add_scaled(sums, train.x[row * train.cols + col], &p);
                }
            }
        }
    }
    /// The scores by what was seen so far.
    pub(super) fn scored(&self) -> Scored {
        let a = self.space.components();
        let free = (self.space.train.rows as f64 - 1.0).max(1.0);
        if self.how == Missing::ConditionalMean {
            let map = self.conditional();
            let of = |r: &[f64], p: &[f64]| -> Vec<f64> { apply(&map, p).iter().zip(r).map(|(more, t)| t + more).collect() };
            let mut covariance = vec![vec![0.0; a]; a];
            for (r, p) in self.train_by_rotation.iter().zip(&self.train_by_loading) {
                let t = of(r, p);
                covariance.iter_mut().zip(&t).for_each(|(sums, v)| add_scaled(sums, *v / free, &t));
            }
            let (inverse, rank) = pseudo_inverse(&covariance);
            let scores = of(&self.by_rotation, &self.by_loading);
            return self.space.scored(scores, unit(a), Some(map), &inverse, rank);
        }
        let (own, cross) = self.products();
        let map = if self.how == Missing::Regression { product(&cross, &pseudo_inverse(&own).0) } else { unit(a) };
        let mut covariance = product(&product(&map, &own), &transpose(&map));
        covariance.iter_mut().flatten().for_each(|v| *v /= free);
        let (inverse, rank) = pseudo_inverse(&covariance);
        let scores = apply(&map, &self.by_rotation);
        self.space.scored(scores, map, None, &inverse, rank)
    }
    /// Σ ττ' and Σ tτ' over the reference, τ being the trimmed scores: t = A τ by least squares with A = Σ tτ' (Σ ττ')⁻¹.
    fn products(&self) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let a = self.space.components();
        let (mut own, mut cross) = (vec![vec![0.0; a]; a], vec![vec![0.0; a]; a]);
        for (row, tau) in self.train_by_rotation.iter().enumerate() {
            own.iter_mut().zip(tau).for_each(|(sums, v)| add_scaled(sums, *v, tau));
            cross.iter_mut().zip(&self.space.parts.scores).for_each(|(sums, t)| add_scaled(sums, t[row], tau));
        }
        (own, cross)
    }
    /// B with t = τ + B P'x: the cells not seen by their conditional mean P S P'(P S P' + σ²I)⁻¹ x.
    fn conditional(&self) -> Vec<Vec<f64>> {
        let mut inner = self.pp.clone();
        let (prior, _) = pseudo_inverse(&self.space.covariance);
        inner.iter_mut().zip(&prior).for_each(|(row, prior)| add_scaled(row, self.space.noise, prior));
        let missing: Vec<Vec<f64>> =
            self.rp_all.iter().zip(&self.rp).map(|(all, seen)| all.iter().zip(seen).map(|(a, s)| a - s).collect()).collect();
        product(&missing, &pseudo_inverse(&inner).0)
    }
}

fn unit(n: usize) -> Vec<Vec<f64>> {
    (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect()
}
