//! Partial least squares: responses from many correlated variables, with intervals that cover what they say.
//!
//! Intervals rest on errors of rows whose batch was left out. Residuals of the fit would be too small: the weights were
//! chosen to make them so, and with 15 rows intervals made from them covered 71 % instead of 95 %.

use super::cross::{choose, folds, leave_out, rest};
use super::latent::{Components, Latent, Settings, fit_for, gains};
use super::limits::checked;
use super::matrix::{Cells, Matrix, ratio};
use super::nipals::{self, Parts};
use super::scale::{Scale, Scaling};
use super::space::{Missing, Space};
use serde::{Deserialize, Serialize};
use toji_core::special::t_two_sided;
use toji_core::{Error, Place, Result};

/// A response predicted for a new row, in its own unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Prediction {
    /// Best single number.
    pub value: f64,
    /// A new measurement lies above this and below `high` with the confidence asked for. `None` where fewer than two
    /// batches more than components were left out.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// A model of responses.
#[derive(Debug, Clone)]
pub struct Pls {
    /// Scores, limits, checks.
    pub latent: Latent,
    /// Q² of 1, 2 … components over all responses with whole batches left out; empty with fewer than three batches.
    pub q2: Vec<f64>,
    y_scale: Scale,
    /// Mean squared error of each response when its batch was left out, in its own unit squared.
    left_out_squares: Vec<f64>,
    /// Batches less one less components.
    freedom: usize,
}

impl Pls {
    /// Fits responses `y` on `x`, row by row.
    ///
    /// # Errors
    /// As [`super::Pca::fit`]; also tables of different numbers of rows, and a row without any response.
    pub fn fit(x: &Matrix, y: &Matrix, settings: &Settings) -> Result<Self> {
        let batches = fit_for(x, settings)?;
        responses_fit(x, y)?;
        let (Components::Fixed(most) | Components::Chosen(most)) = settings.components;
        let folds = folds(&batches);
        let least = folds.iter().map(|out| x.rows() - out.len()).min().unwrap_or(x.rows());
        let tried = most.min(least.saturating_sub(1)).max(1);
        let errors: Vec<Vec<Vec<f64>>> = folds.iter().map(|out| left_out_errors(x, y, out, settings.scaling, tried)).collect();
        let y_scale = Scale::of(y, settings.scaling);
        let all = y_scale.cells(y).squares();
        // Sums by components, each response over its spread.
        let press = |a: usize| -> f64 {
            let scaled = |of: &Vec<f64>| -> f64 { of.iter().zip(&y_scale.spread).map(|(e2, sd)| e2 / (sd * sd)).sum() };
            errors.iter().map(|fold| scaled(&fold[a])).sum()
        };
        let q2: Vec<f64> = if folds.is_empty() { Vec::new() } else { (0..tried).map(|a| 1.0 - ratio(press(a), all)).collect() };
        let components = match settings.components {
            Components::Chosen(_) if !q2.is_empty() => choose(&q2),
            _ => most,
        };
        let (scale, space) = refit(x, y, &[], settings.scaling, components);
        let found = space.components();
        let left_out = leave_out(x, &batches, |out| refit(x, y, out, settings.scaling, found));
        let at = found.min(tried).saturating_sub(1);
        let left_out_squares = (0..y.cols())
            .map(|col| ratio(errors.iter().map(|fold| fold[at][col]).sum(), y.column(col).flatten().count() as f64))
            .collect();
        let parts = {
            let mut distinct = batches.clone();
            distinct.sort_unstable();
            distinct.dedup();
            distinct.len()
        };
        let freedom = if folds.is_empty() { 0 } else { parts.saturating_sub(1 + found) };
        Ok(Self { latent: Latent::new(scale, space, left_out, &batches), q2, y_scale, left_out_squares, freedom })
    }

    /// Loadings C of the responses, component by component.
    #[must_use]
    pub fn y_loadings(&self) -> &[Vec<f64>] {
        &self.latent.space.parts.y_loadings
    }
    /// Scores U of the responses, component by component.
    #[must_use]
    pub fn y_scores(&self) -> &[Vec<f64>] {
        &self.latent.space.parts.y_scores
    }
    /// Share of the responses' sum of squares that each component explains.
    #[must_use]
    pub fn r2y(&self) -> Vec<f64> {
        gains(&self.latent.space.parts.y_left)
    }
    /// Centring and scaling of the responses.
    #[must_use]
    pub fn y_scale(&self) -> &Scale {
        &self.y_scale
    }
    /// Root mean squared error of each response when its batch was left out, in its own unit.
    #[must_use]
    pub fn left_out_error(&self) -> Vec<f64> {
        self.left_out_squares.iter().map(|v| v.sqrt()).collect()
    }
    /// Influence of each variable on the projection (VIP): the mean of its square over variables is 1.
    #[must_use]
    pub fn vip(&self) -> Vec<f64> {
        let (r2y, scale) = (self.r2y(), self.latent.scale());
        let all: f64 = r2y.iter().sum();
        let speaking = scale.speaking() as f64;
        let square = |col: usize| -> f64 { r2y.iter().zip(self.latent.weights()).map(|(r2, w)| r2 * w[col] * w[col]).sum() };
        (0..scale.centre.len()).map(|col| (speaking * ratio(square(col), all)).sqrt()).collect()
    }
    /// A response of the reference as the model draws it, in its own unit.
    #[must_use]
    pub fn fitted(&self, row: usize, response: usize) -> f64 {
        let parts = &self.latent.space.parts;
        self.y_scale.back(response, parts.scores.iter().zip(&parts.y_loadings).map(|(t, c)| t[row] * c[response]).sum())
    }
    /// The responses of a new row.
    ///
    /// # Errors
    /// Another number of columns than the reference has, or a confidence outside 0.5 to 0.9999.
    pub fn predict(&self, row: &[Option<f64>], missing: Missing, confidence: f64) -> Result<Vec<Prediction>> {
        let confidence = checked(confidence)?;
        let (_, scored) = self.latent.scored(row, missing)?;
        let n = self.latent.rows() as f64;
        // Rows of the reference have (1 + A) / n on average; one farther out is predicted less well.
        let lever = 1.0 / n + scored.t2 / (n - 1.0);
        let usual = (1.0 + self.latent.components() as f64) / n;
        let widened = ((1.0 + lever) / (1.0 + usual)).sqrt();
        let t = (self.freedom > 0).then(|| t_two_sided(confidence, self.freedom as f64));
        Ok((0..self.y_scale.centre.len())
            .map(|col| {
                let c = self.y_loadings().iter().map(|c| c[col]);
                let value = self.y_scale.back(col, scored.scores.iter().zip(c).map(|(t, c)| t * c).sum());
                let half = t.map(|t| t * self.left_out_squares[col].sqrt() * widened);
                Prediction { value, low: half.map(|half| value - half), high: half.map(|half| value + half) }
            })
            .collect())
    }
}

fn refit(x: &Matrix, y: &Matrix, out: &[usize], scaling: Scaling, components: usize) -> (Scale, Space) {
    let kept = rest(x.rows(), out);
    let (x, y) = (x.select(&kept), y.select(&kept));
    let (scale, y_scale) = (Scale::of(&x, scaling), Scale::of(&y, scaling));
    let train = scale.cells(&x);
    let mut residual = train.clone();
    let parts: Parts = nipals::pls(&mut residual, &mut y_scale.cells(&y), components.min(kept.len() - 1));
    let speaking = scale.speaking();
    (scale, Space::new(train, residual, parts, speaking))
}

/// Sums of squared errors of the rows left out: by components (from 1), by response, in the responses' units squared.
fn left_out_errors(x: &Matrix, y: &Matrix, out: &[usize], scaling: Scaling, most: usize) -> Vec<Vec<f64>> {
    let (scale, space) = refit(x, y, out, scaling, most);
    let y_scale = Scale::of(&y.select(&rest(x.rows(), out)), scaling);
    let cells: Cells = scale.cells(&x.select(out));
    let mut sums = vec![vec![0.0; y.cols()]; most];
    for (i, row) in out.iter().enumerate() {
        let scores = space.score(cells.row(i), cells.seen_row(i), Missing::Regression).scores;
        for (col, measured) in (0..y.cols()).filter_map(|col| Some((col, y.get(*row, col)?))) {
            let mut drawn = 0.0;
            for (a, sums) in sums.iter_mut().enumerate() {
                drawn += scores.get(a).zip(space.parts.y_loadings.get(a)).map_or(0.0, |(t, c)| t * c[col]);
                sums[col] += (measured - y_scale.back(col, drawn)).powi(2);
            }
        }
    }
    sums
}

fn responses_fit(x: &Matrix, y: &Matrix) -> Result<()> {
    if x.rows() != y.rows() || y.cols() == 0 {
        let (rows, found, columns) = (x.rows(), y.rows(), y.cols());
        return Err(Error::input(
            "E-MONITOR-009",
            format!("応答の表が合いません（説明変数 {rows} 行、応答 {found} 行 × {columns} 列）"),
            format!("the table of responses does not fit: {rows} rows of variables, {found} rows × {columns} responses"),
        )
        .at(Place::field("y"))
        .hint("行ごとに一つ以上の応答を渡してください", "give each row one response or more"));
    }
    if let Some(row) = y.raw_rows().position(|row| row.iter().all(|v| v.is_nan())) {
        let row = row + 1;
        return Err(Error::input(
            "E-MONITOR-010",
            format!("{row} 行目には応答がありません"),
            format!("row {row} has no response"),
        )
        .at(Place::line(row as u64))
        .hint("その行を外してください", "leave the row out"));
    }
    Ok(())
}
