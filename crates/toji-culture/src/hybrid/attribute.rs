//! Quality attributes from features of the course: host cell protein, aggregates, charge variants and whatever else is
//! measured once at the end of a run.

use crate::gp::{Data, Gp, Settings};
use crate::kernel::Trajectory;
use crate::linear::Matrix;
use crate::monitor::{self, Missing, Pls};
use serde::{Deserialize, Serialize};
use toji_core::special::t_two_sided;
use toji_core::{Error, Place, Result};

/// Runs without which nothing is learnt.
const RUNS_MIN: usize = 5;
/// Most components of a PLS.
const COMPONENTS_MAX: usize = 4;

/// A number that stands for a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Value at the end.
    End,
    /// Greatest value.
    Max,
    /// Mean over time.
    Mean,
    /// Integral over time.
    Integral,
}

/// Features of a course, by quantity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Features(pub Vec<(String, Feature)>);

impl Features {
    /// Of a trajectory of a model with these names of quantities.
    ///
    /// # Errors
    /// A quantity the model does not have.
    pub fn of(&self, system: &crate::kernel::System, trajectory: &Trajectory<f64>) -> Result<Vec<f64>> {
        let one = |(name, feature): &(String, Feature)| -> Result<f64> {
            let values: Vec<f64> = trajectory.of(system.quantity(name)?).collect();
            let times = &trajectory.times;
            let integral =
                || -> f64 { times.windows(2).zip(values.windows(2)).map(|(t, v)| 0.5 * (t[1] - t[0]) * (v[0] + v[1])).sum() };
            Ok(match feature {
                Feature::End => values.last().copied().unwrap_or(f64::NAN),
                Feature::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                Feature::Integral => integral(),
                Feature::Mean => integral() / (times.last().unwrap_or(&0.0) - times.first().unwrap_or(&0.0)).max(1e-12),
            })
        };
        self.0.iter().map(one).collect()
    }
}

/// How an attribute is learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Gaussian process.
    #[default]
    Gp,
    /// Partial least squares: many features of few runs.
    Pls,
}

#[derive(Debug, Clone)]
enum Model {
    Gp(Box<Gp>),
    Pls(Box<Pls>),
}

/// An attribute learnt from runs.
#[derive(Debug, Clone)]
pub struct Attribute {
    low: Vec<f64>,
    range: Vec<f64>,
    model: Model,
    runs: usize,
    /// Root mean squared error of runs that were left out.
    pub left_out: f64,
    /// Share of the variance that is predicted for runs left out (Q²); below 0 the mean is better.
    pub q2: f64,
}

/// What is expected of an attribute: a value, and the interval of a new run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Expectation {
    /// Value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Does a feature lie outside the runs it was learnt from?
    pub beyond: bool,
}

impl Attribute {
    /// Learns an attribute `y` of runs whose features are the rows of `x`.
    ///
    /// # Errors
    /// Fewer than five runs, or features and values that do not fit together.
    pub fn fit(kind: Kind, x: &Matrix, y: &[f64], seed: u64) -> Result<Self> {
        let (n, d) = (x.rows(), x.columns());
        if n < RUNS_MIN || n != y.len() || d == 0 {
            return Err(Error::input(
                "E-HYBRID-005",
                format!(
                    "品質特性の学習には {RUNS_MIN} 回以上の培養の特徴量と値が同じ数だけ必要です（{n} 回、値 {} 個）",
                    y.len()
                ),
                format!(
                    "an attribute is learnt from {RUNS_MIN} runs or more with a value each, not from {n} runs and {} values",
                    y.len()
                ),
            )
            .at(Place::field("attribute"))
            .hint("培養を増やしてください", "add runs"));
        }
        let low: Vec<f64> = (0..d).map(|j| (0..n).map(|i| x[(i, j)]).fold(f64::INFINITY, f64::min)).collect();
        let range: Vec<f64> = (0..d)
            .map(|j| (0..n).map(|i| x[(i, j)]).fold(f64::NEG_INFINITY, f64::max) - low[j])
            .map(|r| if r > 0.0 { r } else { 1.0 })
            .collect();
        let scaled = Matrix::from_fn(n, d, |i, j| (x[(i, j)] - low[j]) / range[j]);
        let mean = y.iter().sum::<f64>() / n as f64;
        let variance = y.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64;
        let (model, squared) = match kind {
            Kind::Gp => {
                let gp = Gp::fit(&Data { x: scaled, y: y.to_vec(), known: Vec::new() }, &Settings::default(), seed)?;
                let squared = gp.leave_one_out().iter().map(|l| (l.value - l.mean) * (l.value - l.mean)).sum::<f64>() / n as f64;
                (Model::Gp(Box::new(gp)), squared)
            }
            Kind::Pls => {
                let cells = |of: &[f64]| -> Vec<Option<f64>> { of.iter().map(|v| Some(*v)).collect() };
                let rows: Vec<Vec<Option<f64>>> = (0..n).map(|i| cells(scaled.row(i))).collect();
                let responses: Vec<Vec<Option<f64>>> = y.iter().map(|v| vec![Some(*v)]).collect();
                let settings = monitor::Settings::chosen(COMPONENTS_MAX.min(d).min(n - 2));
                let pls = Pls::fit(&monitor::Matrix::from_rows(&rows)?, &monitor::Matrix::from_rows(&responses)?, &settings)?;
                let error = pls.left_out_error().first().copied().unwrap_or(f64::NAN);
                (Model::Pls(Box::new(pls)), error * error)
            }
        };
        let q2 = if variance > 0.0 { 1.0 - squared / variance } else { 0.0 };
        Ok(Self { low, range, model, runs: n, left_out: squared.sqrt(), q2 })
    }

    /// What is expected of a run with these features.
    ///
    /// # Errors
    /// Another number of features, or a level outside 0.5 to 0.9999.
    pub fn at(&self, features: &[f64], level: f64) -> Result<Expectation> {
        let scaled: Vec<f64> = features.iter().zip(self.low.iter().zip(&self.range)).map(|(f, (l, r))| (f - l) / r).collect();
        let beyond = scaled.iter().any(|s| !(-1e-9..=1.0 + 1e-9).contains(s));
        match &self.model {
            Model::Gp(gp) => {
                let it = gp.predict(&scaled);
                // Settings were chosen on the same runs: what is left out says how wide a measurement really scatters.
                let sd = it.sd_measured.max((it.sd * it.sd + self.left_out * self.left_out).sqrt());
                let half = t_two_sided(level, (self.runs - 1) as f64) * sd;
                Ok(Expectation { value: it.mean, low: it.mean - half, high: it.mean + half, beyond })
            }
            Model::Pls(pls) => {
                let row: Vec<Option<f64>> = scaled.iter().map(|v| Some(*v)).collect();
                let found = pls.predict(&row, Missing::default(), level)?;
                let it = found.first().copied().unwrap_or(monitor::Prediction { value: f64::NAN, low: None, high: None });
                let (low, high) = (it.low.unwrap_or(f64::NEG_INFINITY), it.high.unwrap_or(f64::INFINITY));
                Ok(Expectation { value: it.value, low, high, beyond })
            }
        }
    }
}
