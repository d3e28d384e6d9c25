//! Levenberg and Marquardt's descent on sums, one point at a time.

use super::local::Local;
use std::collections::BTreeSet;
use toji_core::{Error, Id, Place, Result};

/// The least part that the objective must still fall by.
const FALL_MIN: f64 = 1e-10;
/// Damping at the start.
const DAMPING: f64 = 1e-3;
/// Damping above which nothing is tried any more.
const DAMPING_MAX: f64 = 1e14;

/// What is known of a parameter before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Where to begin.
    pub start: f64,
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
    /// Mean of a normal prior.
    pub mean: f64,
    /// Its precision, 1/sd²: a ridge. 0 for none.
    pub precision: f64,
}

impl Bound {
    /// From zero, anywhere, with a ridge about zero.
    #[must_use]
    pub fn ridge(precision: f64) -> Self {
        Self { start: 0.0, low: f64::NEG_INFINITY, high: f64::INFINITY, mean: 0.0, precision }
    }
}

/// Where a descent stands.
#[derive(Debug, Clone)]
pub struct Descent {
    bounds: Vec<Bound>,
    /// The best point, what was said there and who said it.
    best: Option<(Vec<f64>, Local, BTreeSet<Id>)>,
    trial: Vec<f64>,
    damping: f64,
    growth: f64,
    done: bool,
}

impl Descent {
    /// Before the first round.
    ///
    /// # Errors
    /// No parameter, bounds without room, a start outside, or a precision below zero.
    pub fn new(bounds: Vec<Bound>) -> Result<Self> {
        let fine = |b: &Bound| {
            b.low < b.high
                && (b.low..=b.high).contains(&b.start)
                && b.mean.is_finite()
                && b.precision >= 0.0
                && b.precision.is_finite()
        };
        if bounds.is_empty() || !bounds.iter().all(fine) {
            return Err(Error::input(
                "E-TRAIN-003",
                "パラメーターがないか、範囲・初期値・事前分布が正しくありません",
                "no parameter, or bounds, start or prior that make no sense",
            )
            .at(Place::field("bounds"))
            .hint(
                "下限 < 上限とし、初期値を範囲内に、精度を 0 以上にしてください",
                "let low < high, start within, precision 0 or more",
            ));
        }
        let trial = bounds.iter().map(|b| b.start).collect();
        Ok(Self { bounds, best: None, trial, damping: DAMPING, growth: 2.0, done: false })
    }

    /// The point that is asked about next.
    #[must_use]
    pub fn asks(&self) -> &[f64] {
        &self.trial
    }

    /// Parameters.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.bounds.len()
    }

    /// Has it ended?
    #[must_use]
    pub fn done(&self) -> bool {
        self.done
    }

    /// The best point, with what was said there (priors among it).
    #[must_use]
    pub fn best(&self) -> Option<(&[f64], &Local)> {
        self.best.as_ref().map(|(at, local, _)| (at.as_slice(), local))
    }

    /// Takes what was said at the point that was asked about; none where somebody could not compute. When others said it
    /// than at the best point, the sums cannot be compared, and the descent goes on from here.
    ///
    /// # Errors
    /// Nothing was said at the start.
    pub fn hear(&mut self, local: Option<Local>, of: BTreeSet<Id>) -> Result<()> {
        let local = local.map(|local| self.with_prior(local)).filter(|l| l.objective.is_finite());
        match (local, &self.best) {
            (None, None) => {
                self.done = true;
                return Err(Error::new(
                    toji_core::Category::Model,
                    "E-TRAIN-004",
                    "初期値で計算できない拠点があります",
                    "a site cannot compute at the start",
                )
                .at(Place::field("start"))
                .hint("初期値か、値の上限(Ranges)を改めてください", "choose another start, or other ranges"));
            }
            (Some(local), None) => self.best = Some((self.trial.clone(), local, of)),
            (Some(local), Some((_, best, before))) => {
                let fall = best.objective - local.objective;
                if *before != of {
                    self.best = Some((self.trial.clone(), local, of));
                    (self.damping, self.growth) = (DAMPING, 2.0);
                } else if fall > -FALL_MIN * (1.0 + local.objective.abs()) {
                    // A step that goes downhill by the slopes and changes nothing but rounding is taken, as the last.
                    self.done = fall < FALL_MIN * (1.0 + local.objective.abs());
                    self.best = Some((self.trial.clone(), local, of));
                    (self.damping, self.growth) = ((self.damping / 10.0).max(1e-12), 2.0);
                } else {
                    self.reject();
                }
            }
            (None, Some(_)) => self.reject(),
        }
        self.propose();
        Ok(())
    }

    fn reject(&mut self) {
        self.damping *= self.growth;
        self.growth *= 2.0;
    }

    /// The next trial; ends where no step leads anywhere.
    fn propose(&mut self) {
        let Some((at, local, _)) = &self.best else { return };
        while !self.done && self.damping < DAMPING_MAX {
            if let Some(trial) = self.stepped(at, local) {
                if trial == *at {
                    break;
                }
                self.trial = trial;
                return;
            }
            self.damping *= self.growth;
        }
        self.done = true;
    }

    fn stepped(&self, at: &[f64], local: &Local) -> Option<Vec<f64>> {
        let p = at.len();
        let pushes_out = |i: &usize| {
            (at[*i] <= self.bounds[*i].low && local.gradient[*i] > 0.0)
                || (at[*i] >= self.bounds[*i].high && local.gradient[*i] < 0.0)
        };
        let free: Vec<usize> = (0..p).filter(|i| !pushes_out(i)).collect();
        let cell = |i: &usize, j: &usize| {
            let curvature = local.curvature[i * p + j];
            if i == j { curvature + self.damping * curvature.max(1e-12) } else { curvature }
        };
        let matrix: Vec<Vec<f64>> = free.iter().map(|i| free.iter().map(|j| cell(i, j)).collect()).collect();
        let downhill: Vec<f64> = free.iter().map(|i| -local.gradient[*i]).collect();
        let step = solve(matrix, downhill)?;
        let mut trial = at.to_vec();
        for (i, by) in free.iter().zip(step) {
            trial[*i] = (at[*i] + by).clamp(self.bounds[*i].low, self.bounds[*i].high);
        }
        Some(trial)
    }

    /// The part of the priors, added once.
    fn with_prior(&self, mut local: Local) -> Local {
        let p = self.bounds.len();
        for (i, bound) in self.bounds.iter().enumerate() {
            let off = self.trial[i] - bound.mean;
            local.objective += 0.5 * bound.precision * off * off;
            local.gradient[i] += bound.precision * off;
            local.curvature[i * p + i] += bound.precision;
        }
        local
    }
}

/// Solves a symmetric positive definite system by Cholesky's factor; none where it is not one.
pub(super) fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for i in 0..n {
        for j in 0..=i {
            let (head, row) = (a[j].clone(), &mut a[i]);
            let dot: f64 = row[..j].iter().zip(&head[..j]).map(|(x, y)| x * y).sum();
            if i == j {
                let square = row[i] - dot;
                // As small as rounding of what it was taken from is no square.
                if square.is_nan() || square <= 1e-14 * row[i].abs() {
                    return None;
                }
                row[i] = libm::sqrt(square);
            } else {
                row[j] = (row[j] - dot) / head[j];
            }
        }
    }
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| a[i][k] * b[k]).sum();
        b[i] = (b[i] - dot) / a[i][i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| a[k][i] * b[k]).sum();
        b[i] = (b[i] - dot) / a[i][i];
    }
    Some(b)
}
