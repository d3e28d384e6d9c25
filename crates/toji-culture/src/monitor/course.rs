//! A batch beside the good ones while it runs: T² and SPE at every point, their limits, and what is behind them.
//!
//! At each point the scores of the whole batch are estimated from what has been seen (P. Nomikos and J. MacGregor 1995,
//! *Technometrics* 37, 41–59); T² measures them by the spread that scores estimated from as much have in the reference,
//! SPE is the squared error of that one point. Limits of SPE come from reference batches that were left out.

use super::batch::{Aligned, OnAxis};
use super::cross::{folds, theta, without};
use super::finding::{Finding, Known, Seen, finding};
use super::latent::{Components, Settings};
use super::limits::{Moments, checked, t2_limit_new};
use super::matrix::{Cells, Matrix, dot};
use super::pca::Pca;
use super::scale::Scaling;
use super::space::{Filling, Missing, Space};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// Points to either side whose errors join those of a point: few batches make a rough variance.
const NEIGHBOURS: usize = 2;

/// How a monitor is fitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Watch {
    /// Components.
    pub components: Components,
    /// Scaling of each variable at each point.
    pub scaling: Scaling,
    /// How the scores of an unfinished batch are estimated.
    pub missing: Missing,
}

impl Default for Watch {
    fn default() -> Self {
        Self { components: Components::Chosen(6), scaling: Scaling::UnitVariance, missing: Missing::Regression }
    }
}

/// What good batches do, point by point.
#[derive(Debug, Clone)]
pub struct Monitor {
    /// The model of whole batches: one row a batch, as [`Aligned::batch_wise`] lays them out.
    pub pca: Pca,
    variables: Vec<String>,
    points: usize,
    how: Missing,
    /// Paths of the reference batches when they were left out.
    left_out: Vec<Vec<Step>>,
    /// Independent directions of the scores at each point.
    ranks: Vec<usize>,
    /// Moments of SPE at each point.
    spe: Vec<Moments>,
}

/// One point of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    t2: f64,
    rank: usize,
    /// `None` where no variable was measured.
    spe: Option<f64>,
}

/// A batch point by point.
#[derive(Debug, Clone, Default)]
struct Path {
    steps: Vec<Step>,
    /// Scores at the last point.
    scores: Vec<f64>,
    /// What the scores of each point leave of its cells, point by point.
    errors: Vec<f64>,
}

/// Limits over a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CourseLimits {
    /// Share of normal batches inside the limit of each point, point by point.
    pub confidence: f64,
    /// T² at each point.
    pub t2: Vec<f64>,
    /// SPE at each point.
    pub spe: Vec<f64>,
    /// Many points are many chances of a false alarm. A normal batch stays below this many times both limits at all of
    /// its points with the probability `run_confidence`.
    pub run_factor: f64,
    /// The confidence asked for, or the most that the number of reference batches can show: n / (n + 1).
    pub run_confidence: f64,
    /// Share of points of left-out reference batches beyond the limit of T².
    pub t2_beyond: f64,
    /// The same of SPE.
    pub spe_beyond: f64,
    /// Reference batches, each left out once.
    pub runs: usize,
    /// Of them, how many cross a limit of a point somewhere: false alarms without the factor.
    pub runs_crossing: usize,
    /// How many of them are beyond the limits times the factor.
    pub runs_beyond: usize,
}

/// One point of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Moment {
    /// Point of the axis, from 0.
    pub point: usize,
    /// Time of the batch (h).
    pub time: Option<f64>,
    /// T².
    pub t2: f64,
    /// Limit of the point.
    pub t2_limit: f64,
    /// SPE. `None` where nothing was measured.
    pub spe: Option<f64>,
    /// Limit of the point.
    pub spe_limit: f64,
}

/// A batch beside the good ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Course {
    /// Batch.
    pub name: String,
    /// Points reached, of `points`.
    pub reached: usize,
    /// Points of the axis.
    pub points: usize,
    /// Point by point.
    pub moments: Vec<Moment>,
    /// The factor on both limits that a whole normal run stays below.
    pub run_factor: f64,
    /// With which probability it does.
    pub run_confidence: f64,
    /// Scores estimated from what was seen.
    pub scores: Vec<f64>,
    /// Variables that never changed at a point of the reference and are different here.
    pub moved: Vec<String>,
    /// What departs, when, and what it is like.
    pub finding: Finding,
}

/// What each variable at each point contributes, at one point of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Shares {
    /// Variables.
    pub variables: Vec<String>,
    /// Parts of T² (they add up to it), points over variables.
    pub t2: Vec<Vec<f64>>,
    /// Squared errors with the sign of the deviation, points over variables.
    pub spe: Vec<Vec<f64>>,
}

impl Shares {
    /// Sums over points: one number a variable.
    #[must_use]
    pub fn by_variable(of: &[Vec<f64>]) -> Vec<f64> {
        let mut sums = vec![0.0; of.first().map_or(0, Vec::len)];
        for row in of {
            sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
        }
        sums
    }
    /// Sums of sizes over variables: one number a point.
    #[must_use]
    pub fn by_point(of: &[Vec<f64>]) -> Vec<f64> {
        of.iter().map(|row| row.iter().map(|v| v.abs()).sum()).collect()
    }
}

impl Monitor {
    /// Fits on good batches.
    ///
    /// # Errors
    /// Fewer than five batches, or what [`Pca::fit`] refuses.
    pub fn fit(reference: &Aligned, watch: &Watch) -> Result<Self> {
        let n = reference.batches.len();
        if n < 5 {
            return Err(Error::input(
                "E-MONITOR-020",
                format!("基準のバッチが {n} 本では監視できません（5 本以上）"),
                format!("{n} reference batches are too few to monitor by (at least 5)"),
            )
            .at(Place::field("reference"))
            .hint("正常だったバッチを加えてください", "add batches that ran well"));
        }
        let x = reference.batch_wise()?;
        let most = match watch.components {
            // Left out, a batch leaves n − 1 rows.
            Components::Chosen(most) => Components::Chosen(most.min(n - 2)),
            fixed @ Components::Fixed(_) => fixed,
        };
        let pca = Pca::fit(&x, &Settings { components: most, scaling: watch.scaling, batches: None })?;
        let (points, vars) = (reference.points, reference.variables.len());
        let near = pca.latent.loadings().to_vec();
        let mut left_out = vec![Path::default(); n];
        for out in folds(&(0..n).collect::<Vec<_>>()) {
            let (scale, space) = without(&x, &out, watch.scaling, near.len(), &near);
            let cells = scale.cells(&x.select(&out));
            for (i, row) in out.iter().enumerate() {
                let reached = reference.batches[*row].reached.min(points);
                left_out[*row] = path(&space, watch.missing, (cells.row(i), cells.seen_row(i)), vars, reached);
            }
        }
        let spe = moments(&left_out, points, vars);
        let left_out: Vec<Vec<Step>> = left_out.into_iter().map(|path| path.steps).collect();
        let at = |point: usize| left_out.iter().filter_map(move |path: &Vec<Step>| path.get(point));
        let most = pca.latent.space.rank;
        let ranks = (0..points).map(|point| at(point).map(|step| step.rank).max().unwrap_or(most)).collect();
        Ok(Self { pca, variables: reference.variables.clone(), points, how: watch.missing, left_out, ranks, spe })
    }

    /// Variables.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }
    /// Points of the axis.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// Limits at a confidence.
    ///
    /// # Errors
    /// A confidence outside 0.5 to 0.9999.
    pub fn limits(&self, confidence: f64) -> Result<CourseLimits> {
        let confidence = checked(confidence)?;
        let n = self.left_out.len();
        // By rank: quantiles of F are the dear part, and there are only as many ranks as components.
        let most = self.pca.latent.components();
        let by_rank = |n: usize| -> Vec<f64> {
            (0..=most).map(|rank| t2_limit_new(n, rank, confidence).unwrap_or(f64::INFINITY)).collect()
        };
        // One row fewer judged a batch that was left out than will judge a new one.
        let (new, left) = (by_rank(n), by_rank(n - 1));
        let t2: Vec<f64> = self.ranks.iter().map(|rank| new[*rank]).collect();
        let spe: Vec<f64> = self.spe.iter().map(|moments| moments.limit_of_new(confidence).limit).collect();
        let (mut seen, mut t2_beyond, mut spe_beyond) = (0.0, 0.0, 0.0);
        let mut largest: Vec<f64> = Vec::with_capacity(n);
        for path in &self.left_out {
            let mut most = 0.0_f64;
            for (step, spe) in path.iter().zip(&spe) {
                let (a, b) = (step.t2 / left[step.rank], step.spe.filter(|_| *spe > 0.0).map_or(0.0, |v| v / spe));
                seen += 1.0;
                t2_beyond += f64::from(u8::from(a > 1.0));
                spe_beyond += f64::from(u8::from(b > 1.0));
                most = most.max(a).max(b);
            }
            largest.push(most);
        }
        largest.sort_by(f64::total_cmp);
        let place = (confidence * (n + 1) as f64 - 1e-9).ceil() as usize;
        let (run_factor, run_confidence) = match largest.get(place.saturating_sub(1)) {
            Some(factor) => (*factor, confidence),
            None => (largest.last().copied().unwrap_or(1.0), n as f64 / (n + 1) as f64),
        };
        let run_factor = run_factor.max(1.0);
        let over = |factor: f64| largest.iter().filter(|most| **most > factor).count();
        let (runs_crossing, runs_beyond) = (over(1.0), over(run_factor));
        let seen = f64::max(seen, 1.0);
        let (t2_beyond, spe_beyond) = (t2_beyond / seen, spe_beyond / seen);
        Ok(CourseLimits {
            confidence,
            t2,
            spe,
            run_factor,
            run_confidence,
            t2_beyond,
            spe_beyond,
            runs: n,
            runs_crossing,
            runs_beyond,
        })
    }

    /// A batch, finished or not, beside limits that [`Monitor::limits`] of this monitor gave.
    ///
    /// # Errors
    /// A batch or limits of other variables or points, or a batch without any value.
    pub fn check(&self, batch: &OnAxis, limits: &CourseLimits, known: &[Known]) -> Result<Course> {
        let cells = self.laid_out(batch)?;
        let (z, seen) = (cells.row(0), cells.seen_row(0));
        let Path { steps, scores, .. } = path(&self.pca.latent.space, self.how, (z, seen), self.variables.len(), batch.reached);
        let moments: Vec<Moment> = steps
            .iter()
            .zip(limits.t2.iter().zip(&limits.spe))
            .enumerate()
            .map(|(point, (step, (t2_limit, spe_limit)))| Moment {
                point,
                time: batch.times.get(point).copied().flatten(),
                t2: step.t2,
                t2_limit: *t2_limit,
                spe: step.spe,
                spe_limit: *spe_limit,
            })
            .collect();
        let residual = self.pca.latent.space.residual_row(&scores, z, seen);
        let look = Seen { variables: &self.variables, z, residual: &residual, batch, scale: self.pca.latent.scale() };
        let mut moved: Vec<String> = self
            .pca
            .latent
            .scale()
            .moved(&flat_row(&batch.values))
            .into_iter()
            .map(|col| self.variables[col % self.variables.len()].clone())
            .collect();
        moved.sort();
        moved.dedup();
        Ok(Course {
            name: batch.name.clone(),
            reached: batch.reached,
            points: self.points,
            finding: finding(&look, &moments, limits.run_factor, known),
            moments,
            run_factor: limits.run_factor,
            run_confidence: limits.run_confidence,
            scores,
            moved,
        })
    }

    /// What the cells seen up to a point (from 0) contribute there.
    ///
    /// # Errors
    /// A batch of other variables or points.
    pub fn shares(&self, batch: &OnAxis, point: usize) -> Result<Shares> {
        let cells = self.laid_out(batch)?;
        let vars = self.variables.len();
        let upto = (point + 1).min(batch.reached) * vars;
        let mut seen = cells.seen_row(0).map_or_else(|| vec![1.0; cells.cols], <[f64]>::to_vec);
        seen.iter_mut().skip(upto).for_each(|seen| *seen = 0.0);
        let mut z = cells.row(0).to_vec();
        z.iter_mut().skip(upto).for_each(|z| *z = 0.0);
        let space = &self.pca.latent.space;
        let mut filling = Filling::new(space, self.how);
        filling.take(0..upto, &z, Some(&seen));
        let scored = filling.scored();
        let by_points = |of: Vec<f64>| of[..upto].chunks(vars).map(<[f64]>::to_vec).collect();
        let residual = space.residual_row(&scored.scores, &z, Some(&seen));
        Ok(Shares {
            variables: self.variables.clone(),
            t2: by_points(space.t2_shares(&scored, &z, Some(&seen))),
            spe: by_points(residual.iter().map(|e| e * e.abs()).collect()),
        })
    }

    fn laid_out(&self, batch: &OnAxis) -> Result<Cells> {
        let (rows, cols) = (batch.values.rows(), batch.values.cols());
        let fits = rows == self.points && cols == self.variables.len() && batch.reached <= rows;
        if !fits || batch.reached == 0 {
            let (name, points, vars, reached) = (&batch.name, self.points, self.variables.len(), batch.reached);
            return Err(Error::input(
                "E-MONITOR-021",
                format!("バッチ「{name}」は監視の軸に合いません（{rows} 点 × {cols} 変数、到達 {reached} 点、軸は {points} 点 × {vars} 変数）"),
                format!(
                    "batch \"{name}\" does not fit the axis: {rows} points × {cols} variables, {reached} reached; the axis has {points} × {vars}"
                ),
            )
            .at(Place::field(name))
            .hint("基準と同じ軸に並べ、値が入り始めてから確認してください", "align it on the axis of the reference, once it has values"));
        }
        let flat = Matrix::from_rows(&[flat_row(&batch.values)])?;
        Ok(self.pca.latent.scale().cells(&flat))
    }
}

fn flat_row(values: &Matrix) -> Vec<Option<f64>> {
    (0..values.rows()).flat_map(|row| (0..values.cols()).map(move |col| values.get(row, col))).collect()
}

/// T² and SPE at each point reached.
fn path(space: &Space, how: Missing, (z, seen): (&[f64], Option<&[f64]>), vars: usize, reached: usize) -> Path {
    let mut filling = Filling::new(space, how);
    let mut out = Path { scores: vec![0.0; space.components()], ..Path::default() };
    for point in 0..reached {
        let columns = point * vars..(point + 1) * vars;
        filling.take(columns.clone(), z, seen);
        let scored = filling.scored();
        let mut found = 0_usize;
        for col in columns {
            let drawn: f64 = scored.scores.iter().zip(&space.parts.loadings).map(|(t, p)| t * p[col]).sum();
            let is_seen = seen.is_none_or(|seen| seen[col] > 0.0);
            out.errors.push(if is_seen { z[col] - drawn } else { 0.0 });
            found += usize::from(is_seen);
        }
        let errors = &out.errors[point * vars..];
        let spe = (found > 0).then(|| dot(errors, errors) * vars as f64 / found as f64);
        out.steps.push(Step { t2: scored.t2, rank: scored.rank, spe });
        out.scores = scored.scores;
    }
    out
}

/// Moments of SPE at each point, over batches that were left out.
fn moments(left_out: &[Path], points: usize, vars: usize) -> Vec<Moments> {
    let thetas: Vec<Option<[f64; 3]>> = (0..points)
        .map(|point| {
            let there: Vec<&Path> =
                left_out.iter().filter(|path| path.steps.get(point).is_some_and(|s| s.spe.is_some())).collect();
            let x = there.iter().flat_map(|path| &path.errors[point * vars..(point + 1) * vars]).copied().collect();
            let spe: Vec<f64> = there.iter().filter_map(|path| path.steps[point].spe).collect();
            let cells = Cells { rows: there.len(), cols: vars, x, seen: Vec::new() };
            theta(&cells, &spe, &(0..there.len()).collect::<Vec<_>>())
        })
        .collect();
    (0..points)
        .map(|point| {
            let around = point.saturating_sub(NEIGHBOURS)..(point + NEIGHBOURS + 1).min(points);
            let values: Vec<f64> =
                around.clone().flat_map(|point| left_out.iter().filter_map(move |path| path.steps.get(point)?.spe)).collect();
            let known: Vec<[f64; 3]> = thetas[around].iter().flatten().copied().collect();
            let mean = |i: usize| known.iter().map(|theta| theta[i]).sum::<f64>() / known.len() as f64;
            Moments::of(&values, (!known.is_empty()).then(|| [mean(0), mean(1), mean(2)]))
        })
        .collect()
}
