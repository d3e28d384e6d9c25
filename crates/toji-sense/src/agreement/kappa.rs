//! Cohen's kappa: agreement of two judgements in classes, beyond what chance gives; weighted for ordered
//! steps. Interval by the large-sample error of J. L. Fleiss, J. Cohen and B. S. Everitt, Psychol. Bull. 72
//! (1969) 323-327.

use crate::sampling::Interval;
use serde::{Deserialize, Serialize};

/// How a disagreement counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// Every disagreement alike: for names.
    Same,
    /// By the steps between: for ordered scales.
    Linear,
    /// By the square of the steps between.
    Quadratic,
}

/// A kappa.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Kappa {
    /// Estimate.
    pub value: f64,
    /// Interval of 95 %.
    pub interval: Interval,
    /// Pairs.
    pub n: usize,
    /// Share of pairs that agree exactly.
    pub agree: f64,
}

/// Kappa of pairs of classes `0..classes`. `None` without pairs, or when only one class occurs.
#[must_use]
pub fn kappa(weights: Weights, classes: usize, pairs: &[(usize, usize)]) -> Option<Kappa> {
    let mut table = vec![vec![0.0; classes]; classes];
    for (a, b) in pairs {
        *table.get_mut(*a)?.get_mut(*b)? += 1.0;
    }
    of_table(weights, &table)
}

fn of_table(weights: Weights, table: &[Vec<f64>]) -> Option<Kappa> {
    let classes = table.len();
    let n: f64 = table.iter().flatten().sum();
    if n <= 0.0 || classes < 2 {
        return None;
    }
    let p = |i: usize, j: usize| table[i][j] / n;
    let widest = (classes - 1) as f64;
    let w = |i: usize, j: usize| {
        let steps = i.abs_diff(j) as f64 / widest;
        match weights {
            Weights::Same => f64::from(u8::from(i == j)),
            Weights::Linear => 1.0 - steps,
            Weights::Quadratic => 1.0 - steps * steps,
        }
    };
    let rows: Vec<f64> = (0..classes).map(|i| (0..classes).map(|j| p(i, j)).sum()).collect();
    let columns: Vec<f64> = (0..classes).map(|j| (0..classes).map(|i| p(i, j)).sum()).collect();
    let all = || (0..classes).flat_map(|i| (0..classes).map(move |j| (i, j)));
    let seen: f64 = all().map(|(i, j)| w(i, j) * p(i, j)).sum();
    let chance: f64 = all().map(|(i, j)| w(i, j) * rows[i] * columns[j]).sum();
    if 1.0 - chance < 1e-12 {
        return None;
    }
    let value = (seen - chance) / (1.0 - chance);
    let w_row: Vec<f64> = (0..classes).map(|i| (0..classes).map(|j| w(i, j) * columns[j]).sum()).collect();
    let w_column: Vec<f64> = (0..classes).map(|j| (0..classes).map(|i| w(i, j) * rows[i]).sum()).collect();
    let inner: f64 = all().map(|(i, j)| p(i, j) * (w(i, j) - (w_row[i] + w_column[j]) * (1.0 - value)).powi(2)).sum();
    let outer = (value - chance * (1.0 - value)).powi(2);
    let error = ((inner - outer).max(0.0) / n).sqrt() / (1.0 - chance);
    let interval = Interval { low: (value - 1.96 * error).max(-1.0), high: (value + 1.96 * error).min(1.0) };
    Some(Kappa { value, interval, n: n as usize, agree: (0..classes).map(|i| p(i, i)).sum() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_cohen() {
        // J. Cohen, Educ. Psychol. Meas. 20 (1960) 37-46, table 1, as in the weighted paper of 1968: 200 pairs.
        let table: Vec<Vec<f64>> =
            [[88.0, 14.0, 18.0], [10.0, 40.0, 10.0], [2.0, 6.0, 12.0]].iter().map(|r| r.to_vec()).collect();
        let found = of_table(Weights::Same, &table).unwrap();
        assert!((found.value - 0.492).abs() < 0.0005 && (found.agree - 0.70).abs() < 1e-12, "{found:?}");
        assert!((found.interval.low - 0.39).abs() < 0.006 && (found.interval.high - 0.59).abs() < 0.006, "{found:?}");
    }

    #[test]
    fn the_example_of_the_large_sample_error() {
        // Fleiss, Cohen and Everitt (1969): kappa 0.429, with a standard error of 0.054.
        let table: Vec<Vec<f64>> =
            [[106.0, 10.0, 4.0], [22.0, 28.0, 10.0], [2.0, 12.0, 6.0]].iter().map(|r| r.to_vec()).collect();
        let found = of_table(Weights::Same, &table).unwrap();
        let error = (found.interval.high - found.interval.low) / 2.0 / 1.96;
        assert!((found.value - 0.429).abs() < 0.0006 && (error - 0.054).abs() < 0.0006, "{found:?} {error}");
    }

    #[test]
    fn neighbours_weigh_less_on_an_ordered_scale() {
        let near = [(0, 1), (1, 1), (2, 3), (3, 3), (4, 3), (0, 0)];
        let same = kappa(Weights::Same, 5, &near).unwrap();
        let linear = kappa(Weights::Linear, 5, &near).unwrap();
        assert!(linear.value > same.value && kappa(Weights::Quadratic, 5, &near).unwrap().value > linear.value);
        assert_eq!(kappa(Weights::Same, 5, &[(2, 2), (2, 2)]), None);
        assert_eq!(kappa(Weights::Same, 2, &[(0, 5)]), None);
        assert_eq!(kappa(Weights::Same, 2, &[]), None);
    }
}
