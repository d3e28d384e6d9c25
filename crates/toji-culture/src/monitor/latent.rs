//! What a model of scores says of rows: T², SPE, limits, and which variables are behind them. Principal components and
//! PLS share it.

use super::cross::LeftOut;
use super::limits::{Check, Limits, Moments, checked, t2_limit_new, t2_limit_training};
use super::matrix::{Cells, Matrix, ratio};
use super::scale::Scale;
use super::space::{Missing, Scored, Space};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// How many components a model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Components {
    /// As said; fewer when there is nothing more to explain.
    Fixed(usize),
    /// The fewest whose Q², with whole batches left out, comes within 0.01 of the best; at most as many as said.
    Chosen(usize),
}

/// How a model is fitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Settings {
    /// Components.
    pub components: Components,
    /// Scaling.
    pub scaling: super::scale::Scaling,
    /// The batch of each row: what is left out is left out with its whole batch. `None`: each row is a batch.
    pub batches: Option<Vec<usize>>,
}

impl Settings {
    /// With this number of components, unit variance, each row a batch.
    #[must_use]
    pub fn fixed(components: usize) -> Self {
        Self { components: Components::Fixed(components), scaling: super::scale::Scaling::UnitVariance, batches: None }
    }
    /// As many components as cross-validation asks for.
    #[must_use]
    pub fn chosen(at_most: usize) -> Self {
        Self { components: Components::Chosen(at_most), ..Self::fixed(1) }
    }
}

/// A row beside a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Row {
    /// Scores.
    pub scores: Vec<f64>,
    /// Hotelling's T²: distance from the middle inside the model, by the reference's own spread.
    pub t2: f64,
    /// Squared prediction error: distance from the model, in scaled units, brought to a full row when cells are missing.
    pub spe: f64,
    /// What each variable puts into T²; the parts add up to it, and some may be negative.
    pub t2_shares: Vec<f64>,
    /// What each variable puts into SPE, with the sign of its deviation; the sizes add up to the sum over cells seen.
    pub spe_shares: Vec<f64>,
    /// Columns that never changed in the reference and are different here.
    pub moved: Vec<usize>,
}

/// The common part of both models.
#[derive(Debug, Clone)]
pub struct Latent {
    pub(super) scale: Scale,
    pub(super) space: Space,
    pub(super) left_out: Option<LeftOut>,
    pub(super) training: Moments,
    t2: Vec<f64>,
    spe: Vec<f64>,
}

impl Latent {
    pub(super) fn new(scale: Scale, space: Space, left_out: Option<LeftOut>, batches: &[usize]) -> Self {
        let t2 = (0..space.train.rows)
            .map(|row| {
                let t: Vec<f64> = space.parts.scores.iter().map(|of| of[row]).collect();
                super::matrix::quadratic(&t, &space.inverse).max(0.0)
            })
            .collect();
        let spe = space.residual.row_squares();
        let theta = super::cross::theta(&space.residual, &spe, batches);
        Self { training: Moments::of(&spe, theta), scale, space, left_out, t2, spe }
    }

    /// Components found.
    #[must_use]
    pub fn components(&self) -> usize {
        self.space.components()
    }
    /// Rows of the reference.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.space.train.rows
    }
    /// Centring and scaling, with the columns that were left out of the model.
    #[must_use]
    pub fn scale(&self) -> &Scale {
        &self.scale
    }
    /// Loadings P, component by component.
    #[must_use]
    pub fn loadings(&self) -> &[Vec<f64>] {
        &self.space.parts.loadings
    }
    /// Weights W, component by component: unit length, the largest entry positive.
    #[must_use]
    pub fn weights(&self) -> &[Vec<f64>] {
        &self.space.parts.weights
    }
    /// R, by which scores follow from scaled rows at once: t = xR.
    #[must_use]
    pub fn rotation(&self) -> &[Vec<f64>] {
        &self.space.rotation
    }
    /// Scores of the reference, component by component.
    #[must_use]
    pub fn scores(&self) -> &[Vec<f64>] {
        &self.space.parts.scores
    }
    /// Did the alternation of each component come to rest? With few cells it may not.
    #[must_use]
    pub fn settled(&self) -> &[bool] {
        &self.space.parts.settled
    }
    /// T² of the rows of the reference.
    #[must_use]
    pub fn t2(&self) -> &[f64] {
        &self.t2
    }
    /// SPE of the rows of the reference.
    #[must_use]
    pub fn spe(&self) -> &[f64] {
        &self.spe
    }
    /// Share of the sum of squares that each component explains.
    #[must_use]
    pub fn r2x(&self) -> Vec<f64> {
        gains(&self.space.parts.left)
    }
    /// The same by variable: for each component, one share a column; 0 for columns left out.
    #[must_use]
    pub fn r2x_by_variable(&self) -> Vec<Vec<f64>> {
        let left = &self.space.parts.left_by_column;
        let Some(all) = left.first() else { return Vec::new() };
        let gain = |pair: &[Vec<f64>]| {
            pair[0].iter().zip(&pair[1]).zip(all).map(|((before, after), all)| ratio(before - after, *all)).collect()
        };
        left.windows(2).map(gain).collect()
    }
    /// A cell as the model draws it, in the unit of its column.
    #[must_use]
    pub fn reconstructed(&self, row: usize, col: usize) -> f64 {
        let parts = &self.space.parts;
        self.scale.back(col, parts.scores.iter().zip(&parts.loadings).map(|(t, p)| t[row] * p[col]).sum())
    }
    /// What the model leaves of a cell of the reference, in the unit of its column; 0 where it is missing.
    #[must_use]
    pub fn residual(&self, row: usize, col: usize) -> f64 {
        self.space.residual.row(row)[col] * self.scale.spread[col]
    }

    /// Limits at a confidence.
    ///
    /// # Errors
    /// A confidence outside 0.5 to 0.9999.
    pub fn limits(&self, confidence: f64) -> Result<Limits> {
        let confidence = checked(confidence)?;
        let (n, a) = (self.rows(), self.space.rank);
        let t2_new = t2_limit_new(n, a, confidence);
        let spe_new = self.left_out.as_ref().map(|left| left.spe_moments.limit_of_new(confidence));
        let share = |values: &[f64], limit: f64| ratio(values.iter().filter(|v| **v > limit).count() as f64, values.len() as f64);
        let check = self.left_out.as_ref().zip(t2_new).zip(spe_new).map(|((left, t2), spe)| Check {
            rows: left.t2.len(),
            t2_beyond: share(&left.t2, t2),
            spe_beyond: share(&left.spe, spe.limit),
        });
        Ok(Limits {
            confidence,
            t2_training: t2_limit_training(n, a, confidence),
            t2_new,
            spe_training: self.training.limit_of_training(confidence),
            spe_new,
            check,
        })
    }

    /// A new row beside the model.
    ///
    /// # Errors
    /// Another number of columns than the reference has.
    pub fn check(&self, row: &[Option<f64>], missing: Missing) -> Result<Row> {
        let (cells, scored) = self.scored(row, missing)?;
        let (x, seen) = (cells.row(0), cells.seen_row(0));
        let residual = self.space.residual_row(&scored.scores, x, seen);
        Ok(Row {
            t2: scored.t2,
            spe: self.space.spe(&scored.scores, x, seen),
            t2_shares: self.space.t2_shares(&scored, x, seen),
            spe_shares: residual.iter().map(|e| e * e.abs()).collect(),
            moved: self.scale.moved(row),
            scores: scored.scores,
        })
    }

    pub(super) fn scored(&self, row: &[Option<f64>], missing: Missing) -> Result<(Cells, Scored)> {
        let wanted = self.scale.centre.len();
        if row.len() != wanted {
            let found = row.len();
            return Err(Error::input(
                "E-MONITOR-005",
                format!("列の数がモデルと違います（{found}、モデルは {wanted}）"),
                format!("the row has {found} columns, the model {wanted}"),
            )
            .at(Place::field("row"))
            .hint("モデルと同じ変数を同じ順に並べてください", "give the variables of the model, in its order"));
        }
        let cells = self.scale.cells(&Matrix::from_rows(&[row])?);
        let scored = self.space.score(cells.row(0), cells.seen_row(0), missing);
        Ok((cells, scored))
    }
}

/// Sums of squares left after 0, 1, 2 … components → share that each takes away.
pub(super) fn gains(left: &[f64]) -> Vec<f64> {
    let all = left.first().copied().unwrap_or(0.0);
    left.windows(2).map(|pair| ratio(pair[0] - pair[1], all)).collect()
}

/// Refuses what no model can be fitted on.
pub(super) fn fit_for(x: &Matrix, settings: &Settings) -> Result<Vec<usize>> {
    let components = match settings.components {
        Components::Fixed(n) | Components::Chosen(n) => n,
    };
    let most = x.rows().saturating_sub(1).min(x.cols());
    if x.rows() < 3 || components == 0 || components > most {
        let rows = x.rows();
        return Err(Error::input(
            "E-MONITOR-006",
            format!("{rows} 行では {components} 成分のモデルを作れません（3 行以上、成分は 1〜{most}）"),
            format!("{rows} rows do not carry a model of {components} components (at least 3 rows; 1 to {most} components)"),
        )
        .at(Place::field("components"))
        .hint("基準とするバッチを増やすか、成分を減らしてください", "take more reference batches or fewer components"));
    }
    if let Some(row) = x.raw_rows().position(|row| row.iter().all(|v| v.is_nan())) {
        let row = row + 1;
        return Err(Error::input(
            "E-MONITOR-007",
            format!("{row} 行目には値が一つもありません"),
            format!("row {row} has no value at all"),
        )
        .at(Place::line(row as u64))
        .hint("その行を外してください", "leave the row out"));
    }
    let batches = settings.batches.clone().unwrap_or_else(|| (0..x.rows()).collect());
    if batches.len() != x.rows() {
        let (rows, found) = (x.rows(), batches.len());
        return Err(Error::input(
            "E-MONITOR-008",
            format!("バッチの割当が {found} 個で、行は {rows} 行です"),
            format!("{found} assignments to batches for {rows} rows"),
        )
        .at(Place::field("batches"))
        .hint("行ごとに一つのバッチ番号を渡してください", "give one batch for each row"));
    }
    Ok(batches)
}
