//! What each data set contributes, with an interval.

use super::gate::{Deposit, Gate, Verdict, gate};
use super::shapley::{Task, Test, shapley};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result};

/// How the interval is found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Resampling {
    /// Times that test points are drawn again.
    pub times: usize,
    /// Level of the interval, such as 0.95. Where what data give to single points is skewed, a little less is held.
    pub level: f64,
    /// Seed.
    pub seed: u64,
}

/// A data set's contribution, in the unit of the utility (share of right classes, or squared unit of the response).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contribution {
    /// What the gate said.
    pub verdict: Verdict,
    /// Rows that were valued.
    pub rows: usize,
    /// The sum of the values of its rows, as mean over test points. 0 where the gate did not accept it.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Values data sets, in the order in which they were given. Advisory only; see the module.
///
/// # Errors
/// As [`gate`]; no test points, no neighbours, or a level that is none.
pub fn contributions(
    deposits: &[Deposit],
    rule: &Gate,
    task: Task,
    k: usize,
    tests: &[Test],
    resampling: Resampling,
) -> Result<Vec<Contribution>> {
    let verdicts = gate(rule, deposits)?;
    let length = deposits.iter().flat_map(|d| &d.rows).next().map_or(0, |r| r.features.len());
    let fine = |t: &Test| t.features.len() == length && t.response.is_finite() && t.features.iter().all(|f| f.is_finite());
    let level = resampling.level > 0.0 && resampling.level < 1.0;
    if tests.is_empty() || !tests.iter().all(fine) || k == 0 || resampling.times == 0 || !level {
        return Err(Error::input(
            "E-WORTH-003",
            "評価点がないか、特徴がデータと合わないか、近傍数・水準が正しくありません",
            "no test points, features unlike the data's, or neighbours or level that make no sense",
        )
        .at(Place::field("tests"))
        .hint(
            "K は 1 以上、水準は 0.95 など、評価点は利害のない者が先に選んでください",
            "K is 1 or more, a level is like 0.95; let somebody without a stake draw test points beforehand",
        ));
    }
    let (mut features, mut responses, mut owner) = (Vec::new(), Vec::new(), Vec::new());
    for (at, (deposit, verdict)) in deposits.iter().zip(&verdicts).enumerate().filter(|(_, (_, v))| v.accepted) {
        let repeats: BTreeSet<usize> = verdict.repeats.iter().copied().collect();
        for (_, row) in deposit.rows.iter().enumerate().filter(|(i, _)| !repeats.contains(i)) {
            features.push(row.features.as_slice());
            responses.push(row.response);
            owner.push(at);
        }
    }
    // Test point by data set.
    let worth: Vec<Vec<f64>> = tests
        .iter()
        .map(|test| {
            let mut of_sets = vec![0.0; deposits.len()];
            let values = shapley(task, k, &features, &responses, test);
            owner.iter().zip(values).for_each(|(at, value)| of_sets[*at] += value);
            of_sets
        })
        .collect();
    let mut chance = Chance::new(resampling.seed);
    let draws: Vec<Vec<usize>> =
        (0..resampling.times).map(|_| (0..tests.len()).map(|_| chance.below(tests.len())).collect()).collect();
    let of = |(at, verdict): (usize, Verdict)| {
        let points: Vec<f64> = worth.iter().map(|of_sets| of_sets[at]).collect();
        let (value, error) = mean_and_error(points.iter().copied());
        // Studentised, since what a data set gives to one point is far from normal (Efron and Tibshirani 1993, §12.5).
        let studentised = draws.iter().filter_map(|draw| {
            let (mean, spread) = mean_and_error(draw.iter().map(|t| points[*t]));
            (spread > 0.0).then(|| (mean - value) / spread)
        });
        let mut studentised: Vec<f64> = studentised.collect();
        studentised.sort_by(f64::total_cmp);
        Contribution {
            rows: owner.iter().filter(|o| **o == at).count(),
            value,
            low: value - error * quantile(&studentised, (1.0 + resampling.level) / 2.0),
            high: value - error * quantile(&studentised, (1.0 - resampling.level) / 2.0),
            verdict,
        }
    };
    Ok(verdicts.into_iter().enumerate().map(of).collect())
}

/// The mean and its standard error; of one value none.
fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let squares = values.map(|v| (v - mean) * (v - mean)).sum::<f64>();
    (mean, if n > 1.0 { libm::sqrt(squares / (n - 1.0) / n) } else { 0.0 })
}

/// Between the two nearest of sorted values.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    let at = p * (sorted.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64)
}
