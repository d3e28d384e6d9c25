//! Shapley values of rows for prediction by K nearest neighbours, exactly.

use serde::{Deserialize, Serialize};

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "kebab-case")]
pub enum Task {
    /// A class, written as a number: the share of the K neighbours that have it.
    Classes,
    /// A number: minus the squared error of the mean of the K neighbours, where too few are completed by the baseline.
    Numbers {
        /// What would be said without data.
        baseline: f64,
    },
}

/// A point that is predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Features, on comparable scales.
    pub features: Vec<f64>,
    /// What was measured.
    pub response: f64,
}

/// The value of every row for one test point. Their sum is the utility of all rows less that of none. Rows as far as each
/// other stand in the order given.
#[must_use]
pub fn shapley(task: Task, k: usize, features: &[&[f64]], responses: &[f64], test: &Test) -> Vec<f64> {
    let order = nearest_first(features, &test.features);
    let sorted: Vec<f64> = order.iter().map(|&i| responses[i]).collect();
    let values = match task {
        Task::Classes => classes(k, &sorted, test.response),
        Task::Numbers { baseline } => {
            let centred: Vec<f64> = sorted.iter().map(|y| y - baseline).collect();
            numbers(k, &centred, test.response - baseline)
        }
    };
    let mut by_row = vec![0.0; order.len()];
    order.iter().zip(values).for_each(|(&i, value)| by_row[i] = value);
    by_row
}

/// What a set of rows, by their places, is worth for a test point: the game whose Shapley values [`shapley`] gives.
#[must_use]
pub fn utility(task: Task, k: usize, features: &[&[f64]], responses: &[f64], set: &[usize], test: &Test) -> f64 {
    let order = nearest_first(features, &test.features);
    let near: Vec<f64> = order.iter().filter(|i| set.contains(i)).take(k).map(|&i| responses[i]).collect();
    match task {
        Task::Classes => near.iter().filter(|y| **y == test.response).count() as f64 / k as f64,
        Task::Numbers { baseline } => {
            let mean = near.iter().map(|y| y - baseline).sum::<f64>() / k as f64;
            -(mean - (test.response - baseline)).powi(2)
        }
    }
}

fn nearest_first(features: &[&[f64]], to: &[f64]) -> Vec<usize> {
    let distance = |row: &[f64]| row.iter().zip(to).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let distances: Vec<f64> = features.iter().map(|row| distance(row)).collect();
    let mut order: Vec<usize> = (0..features.len()).collect();
    order.sort_by(|&a, &b| distances[a].total_cmp(&distances[b]));
    order
}

/// From the farthest to the nearest; also for fewer rows than neighbours.
fn classes(k: usize, sorted: &[f64], truth: f64) -> Vec<f64> {
    let (n, k) = (sorted.len(), k.max(1));
    let right = |i: usize| f64::from(u8::from(sorted[i] == truth));
    let mut values = vec![0.0; n];
    for i in (0..n).rev() {
        // Places from 1 are i + 1.
        values[i] = if i + 1 == n {
            right(i) * k.min(n) as f64 / (n * k) as f64
        } else {
            values[i + 1] + (right(i) - right(i + 1)) / k as f64 * k.min(i + 1) as f64 / (i + 1) as f64
        };
    }
    values
}

/// The same for numbers, with the utility of no rows that of the baseline. `y` and `truth` are less the baseline.
fn numbers(k: usize, y: &[f64], truth: f64) -> Vec<f64> {
    let (n, kk) = (y.len(), k.max(1));
    let k = kk as f64;
    let Some((&last, others)) = y.split_last() else { return Vec::new() };
    let mut values = vec![0.0; n];
    let first = kk.min(n) as f64;
    let mean = if others.is_empty() { 0.0 } else { others.iter().sum::<f64>() / others.len() as f64 };
    values[n - 1] = -last / (n as f64 * k) * (first * (last / k - 2.0 * truth) + first * (first - 1.0) / k * mean);
    // Weight with which a row at place `l` (from 1) beyond the pair counts among the K − 1 others.
    let far = |l: usize| (kk.min(l - 1) * (kk - 1).min(l - 2)) as f64 / (2 * (l - 1) * (l - 2)) as f64;
    let mut beyond = 0.0;
    let mut nearer: Vec<f64> = Vec::with_capacity(n);
    let mut sum = 0.0;
    for value in y {
        nearer.push(sum);
        sum += value;
    }
    for i in (1..n).rev() {
        // The pair of places i and i + 1.
        let (a, b) = (y[i - 1], y[i]);
        let share = kk.min(i) as f64 / i as f64;
        let near = if i > 1 { share * (kk - 1).min(i - 1) as f64 / (2 * (i - 1)) as f64 } else { 0.0 };
        let among = near * nearer[i - 1] + beyond;
        values[i - 1] = values[i] + (b - a) / k * (share * ((a + b) / k - 2.0 * truth) + 2.0 / k * among);
        if i + 1 > 2 {
            beyond += far(i + 1) * b;
        }
    }
    values
}
