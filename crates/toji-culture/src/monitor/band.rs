//! The golden band: the region in which a whole good batch stays, all variables and all points at once.
//!
//! Three standard deviations at every point are no such region: many points and variables are many chances to leave it,
//! and nobody knows how many. Here each reference batch is left out in turn, and how far it strays from the band of the others
//! says how wide the band must be for a whole batch to stay inside. The width is an order statistic of these n
//! distances, so it holds whatever their distribution, and the coverage that n batches can show is stated with it
//! (V. Vovk, A. Gammerman and G. Shafer, *Algorithmic Learning in a Random World*, 2005; the leave-one-out form is
//! R. Barber, E. Candès, A. Ramdas and R. Tibshirani 2021, *Annals of Statistics* 49, 486–507).

use super::batch::{Aligned, OnAxis};
use serde::{Deserialize, Serialize};
use toji_core::special::f_quantile;
use toji_core::{Error, Place, Result};

/// Points to either side whose spreads join that of a point.
const NEIGHBOURS: usize = 2;
/// A variable is nowhere tighter than this share of its usual spread: batches that start from one inoculum must not
/// make every later batch an alarm at its first point.
const LEAST: f64 = 0.1;

/// A region for whole batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Band {
    /// Variables.
    pub variables: Vec<String>,
    /// Mean of each variable at each point, in its own unit. `None` where fewer than three batches were measured.
    pub middle: Vec<Vec<Option<f64>>>,
    /// Half of the width, likewise; 0 for a variable that never changed.
    pub half: Vec<Vec<Option<f64>>>,
    /// The width in standard deviations that whole batches need.
    pub factor: f64,
    /// Probability that a new good batch stays inside at all points in all variables: as asked for, rounded up to what
    /// whole batches allow, or the most that their number can show, n / (n + 1).
    pub coverage: f64,
    /// Between this and `coverage_high` the coverage lies for nine in ten sets of as many reference batches.
    pub coverage_low: f64,
    /// Upper end.
    pub coverage_high: f64,
    /// Reference batches.
    pub batches: usize,
}

/// A stretch outside the region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Excursion {
    /// Variable.
    pub variable: String,
    /// Above the region, or below it?
    pub above: bool,
    /// First point, from 0.
    pub first: usize,
    /// Last point.
    pub last: usize,
    /// Time of the first point in the batch (h).
    pub time: Option<f64>,
    /// The value farthest out, in its own unit.
    pub value: f64,
    /// The edge of the region there.
    pub edge: f64,
}

/// Mean and spread of one variable at each point.
type Shape = Vec<Option<(f64, f64)>>;

impl Band {
    /// Of good batches.
    ///
    /// # Errors
    /// Fewer than four batches, or a coverage outside 0.5 to 0.999.
    pub fn of(reference: &Aligned, coverage: f64) -> Result<Self> {
        let n = reference.batches.len();
        if n < 4 || !(0.5..=0.999).contains(&coverage) {
            return Err(Error::input(
                "E-MONITOR-022",
                format!("ゴールデンバンドは 4 本以上の正常なバッチから、範囲 0.5〜0.999 で作ります（{n} 本、{coverage}）"),
                format!("a golden band takes at least 4 good batches and a coverage of 0.5 to 0.999 ({n} batches, {coverage})"),
            )
            .at(Place::field("coverage"))
            .hint("正常だったバッチを加えてください", "add batches that ran well"));
        }
        let mut strays: Vec<f64> = (0..n)
            .map(|out| {
                let others: Vec<&OnAxis> =
                    reference.batches.iter().enumerate().filter(|(i, _)| *i != out).map(|(_, batch)| batch).collect();
                let shapes = shapes(&others, reference);
                shapes.iter().enumerate().map(|(var, shape)| stray(&reference.batches[out], var, shape)).fold(0.0, f64::max)
            })
            .collect();
        strays.sort_by(f64::total_cmp);
        let place = (((n + 1) as f64 * coverage - 1e-9).ceil() as usize).min(n).max(1);
        let factor = strays[place - 1];
        let all: Vec<&OnAxis> = reference.batches.iter().collect();
        let shapes = shapes(&all, reference);
        let (a, b) = (place as f64, (n + 1 - place) as f64);
        // The coverage of the band is Beta(place, n + 1 − place)-distributed over reference sets.
        let beta = |p: f64| {
            let f = f_quantile(p, 2.0 * a, 2.0 * b);
            a * f / (a * f + b)
        };
        Ok(Self {
            variables: reference.variables.clone(),
            middle: shapes.iter().map(|shape| shape.iter().map(|at| at.map(|(mean, _)| mean)).collect()).collect(),
            half: shapes.iter().map(|shape| shape.iter().map(|at| at.map(|(_, sd)| factor * sd)).collect()).collect(),
            factor,
            coverage: a / (n + 1) as f64,
            coverage_low: beta(0.05),
            coverage_high: beta(0.95),
            batches: n,
        })
    }

    /// Lower edge of a variable at a point, in its own unit.
    #[must_use]
    pub fn low(&self, variable: usize, point: usize) -> Option<f64> {
        let at = |of: &[Vec<Option<f64>>]| of.get(variable)?.get(point).copied().flatten();
        Some(at(&self.middle)? - at(&self.half)?)
    }
    /// Upper edge.
    #[must_use]
    pub fn high(&self, variable: usize, point: usize) -> Option<f64> {
        let at = |of: &[Vec<Option<f64>>]| of.get(variable)?.get(point).copied().flatten();
        Some(at(&self.middle)? + at(&self.half)?)
    }

    /// Where a batch leaves the region, the first stretch first. Empty: it is inside as far as it got.
    #[must_use]
    pub fn check(&self, batch: &OnAxis) -> Vec<Excursion> {
        let mut out: Vec<Excursion> = Vec::new();
        for (var, name) in self.variables.iter().enumerate() {
            let mut open: Option<Excursion> = None;
            for point in 0..batch.reached.min(batch.values.rows()) {
                let found = self.outside(batch, name, var, point);
                match (&mut open, found) {
                    (Some(stretch), Some(found)) if stretch.above == found.above => {
                        stretch.last = point;
                        if (found.value - found.edge).abs() > (stretch.value - stretch.edge).abs() {
                            (stretch.value, stretch.edge) = (found.value, found.edge);
                        }
                    }
                    // A cell that is missing does not end a stretch.
                    (Some(_), None) if batch.values.get(point, var).is_none() => {}
                    (_, found) => out.extend(std::mem::replace(&mut open, found)),
                }
            }
            out.extend(open);
        }
        out.sort_by(|a, b| a.first.cmp(&b.first).then_with(|| a.variable.cmp(&b.variable)));
        out
    }

    fn outside(&self, batch: &OnAxis, name: &str, var: usize, point: usize) -> Option<Excursion> {
        let value = batch.values.get(point, var)?;
        let (low, high) = (self.low(var, point)?, self.high(var, point)?);
        // Rounding of a mean is no departure.
        let slack = 1e-9 * low.abs().max(high.abs());
        let above = value > high + slack;
        if !above && value >= low - slack {
            return None;
        }
        let time = batch.times.get(point).copied().flatten();
        let edge = if above { high } else { low };
        Some(Excursion { variable: name.to_owned(), above, first: point, last: point, time, value, edge })
    }
}

fn shapes(batches: &[&OnAxis], on: &Aligned) -> Vec<Shape> {
    (0..on.variables.len()).map(|var| shape(batches, var, on.points)).collect()
}

fn shape(batches: &[&OnAxis], var: usize, points: usize) -> Shape {
    let raw: Vec<Option<(f64, f64)>> = (0..points)
        .map(|point| {
            let seen: Vec<f64> = batches.iter().filter_map(|batch| batch.values.get(point, var)).collect();
            let n = seen.len() as f64;
            let mean = seen.iter().sum::<f64>() / n;
            let variance = seen.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
            (seen.len() > 2).then_some((mean, if variance.sqrt() > mean.abs() * 1e-12 { variance } else { 0.0 }))
        })
        .collect();
    let mean_of = |around: &[Option<(f64, f64)>]| {
        let seen: Vec<f64> = around.iter().flatten().map(|(_, variance)| *variance).collect();
        seen.iter().sum::<f64>() / (seen.len() as f64).max(1.0)
    };
    let least = LEAST * mean_of(&raw).sqrt();
    (0..points)
        .map(|point| {
            let around = &raw[point.saturating_sub(NEIGHBOURS)..(point + NEIGHBOURS + 1).min(points)];
            raw[point].map(|(mean, _)| (mean, mean_of(around).sqrt().max(least)))
        })
        .collect()
}

/// The largest distance of a batch from the middle, in spreads.
fn stray(batch: &OnAxis, var: usize, shape: &Shape) -> f64 {
    let far = |(point, at): (usize, &Option<(f64, f64)>)| {
        let ((mean, sd), value) = (*at).zip(batch.values.get(point, var))?;
        (sd > 0.0).then(|| (value - mean).abs() / sd)
    };
    shape.iter().enumerate().filter_map(far).fold(0.0, f64::max)
}
