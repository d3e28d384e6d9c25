//! A logistic model with a normal prior and Laplace's approximation of what is known of its weights.
//!
//! Spiegelhalter and Lauritzen, Networks 20 (1990) 579–605, and MacKay, Neural Comput. 4 (1992) 720–736, for the average of
//! the probability over the weights.

use toji_core::{Error, Result};

/// Most steps of Newton's method.
const STEPS: usize = 200;
/// Largest change of a weight at the end.
const STILL: f64 = 1e-12;

/// A probability and the range in which it lies with 95 %.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Chance {
    /// Probability, averaged over the weights.
    pub mean: f64,
    /// 2.5 % of the weights give less.
    pub lower: f64,
    /// 97.5 % of the weights give less.
    pub upper: f64,
}

/// Weights of features, learnt from rows of features with outcomes. The same rows give the same weights whether they come
/// at once or one after another, in any order up to rounding.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Learner {
    /// Most probable weights; the last is that of the constant.
    weights: Vec<f64>,
    /// Covariance of the weights, by rows.
    covariance: Vec<f64>,
    /// Inverse variance of each weight before any outcome.
    ridge: Vec<f64>,
    rows: Vec<(Vec<f64>, bool)>,
}

impl Learner {
    /// Nothing learnt of `features` features. `deviation` is what their weights are taken to vary by before any outcome; that
    /// of the constant is ten times as large.
    #[must_use]
    pub fn new(features: usize, deviation: f64) -> Self {
        let mut ridge = vec![deviation.powi(-2); features];
        ridge.push((10.0 * deviation).powi(-2));
        let size = features + 1;
        let mut covariance = vec![0.0; size * size];
        for (k, r) in ridge.iter().enumerate() {
            covariance[k * size + k] = 1.0 / r;
        }
        Self { weights: vec![0.0; size], covariance, ridge, rows: Vec::new() }
    }

    /// Weights of the features, the constant last.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Learns from more rows, starting at what is known.
    ///
    /// # Errors
    /// `E-FLUX-122` when a row has another number of features or one that is no number.
    pub fn learn(&mut self, rows: impl IntoIterator<Item = (Vec<f64>, bool)>) -> Result<()> {
        let features = self.weights.len() - 1;
        for (row, outcome) in rows {
            if row.len() != features || row.iter().any(|x| !x.is_finite()) {
                return Err(Error::input(
                    "E-FLUX-122",
                    format!("特徴量が {features} 個の有限の数ではありません"),
                    format!("the features are not {features} finite numbers"),
                ));
            }
            self.rows.push((row, outcome));
        }
        self.fit()
    }

    fn fit(&mut self) -> Result<()> {
        let size = self.weights.len();
        for _ in 0..STEPS {
            let (gradient, curvature, value) = self.slope(&self.weights);
            let factor =
                cholesky(&curvature, size).ok_or_else(|| Error::bug("E-FLUX-123", "a curvature that is not positive"))?;
            let step = solve(&factor, &gradient, size);
            // Halved until the value does not fall: then Newton's method ends at the one maximum.
            let mut share = 1.0;
            let next = loop {
                let next: Vec<f64> = self.weights.iter().zip(&step).map(|(w, s)| w + share * s).collect();
                if self.value(&next) >= value - 1e-12 * value.abs() || share < 1e-6 {
                    break next;
                }
                share *= 0.5;
            };
            let change = next.iter().zip(&self.weights).fold(0.0_f64, |a, (x, y)| a.max((x - y).abs()));
            self.weights = next;
            if change < STILL {
                break;
            }
        }
        let (_, curvature, _) = self.slope(&self.weights);
        let factor = cholesky(&curvature, size).ok_or_else(|| Error::bug("E-FLUX-123", "a curvature that is not positive"))?;
        for column in 0..size {
            let unit: Vec<f64> = (0..size).map(|k| f64::from(u8::from(k == column))).collect();
            for (row, value) in solve(&factor, &unit, size).into_iter().enumerate() {
                self.covariance[row * size + column] = value;
            }
        }
        Ok(())
    }

    fn score(weights: &[f64], row: &[f64]) -> f64 {
        weights[row.len()] + row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>()
    }

    /// Logarithm of the posterior, up to a constant.
    fn value(&self, weights: &[f64]) -> f64 {
        let prior: f64 = weights.iter().zip(&self.ridge).map(|(w, r)| 0.5 * r * w * w).sum();
        let fit: f64 = self
            .rows
            .iter()
            .map(|(row, outcome)| {
                let signed = if *outcome { Self::score(weights, row) } else { 0.0 - Self::score(weights, row) };
                0.0 - ((0.0 - signed.abs()).exp().ln_1p() - signed.min(0.0))
            })
            .sum();
        fit - prior
    }

    /// Slope and negative curvature of the posterior's logarithm, and its value.
    fn slope(&self, weights: &[f64]) -> (Vec<f64>, Vec<f64>, f64) {
        let size = weights.len();
        let mut gradient: Vec<f64> = weights.iter().zip(&self.ridge).map(|(w, r)| 0.0 - r * w).collect();
        let mut curvature = vec![0.0; size * size];
        for (k, r) in self.ridge.iter().enumerate() {
            curvature[k * size + k] = *r;
        }
        for (row, outcome) in &self.rows {
            let p = logistic(Self::score(weights, row));
            let (error, weight) = (f64::from(u8::from(*outcome)) - p, p * (1.0 - p));
            let value = |k: usize| row.get(k).copied().unwrap_or(1.0);
            for a in (0..size).filter(|&a| value(a) != 0.0) {
                gradient[a] += error * value(a);
                for b in 0..size {
                    curvature[a * size + b] += weight * value(a) * value(b);
                }
            }
        }
        (gradient, curvature, self.value(weights))
    }

    /// The chance of a good outcome; that of a row of another length is the constant's.
    #[must_use]
    pub fn chance(&self, row: &[f64]) -> Chance {
        let size = self.weights.len();
        let mut full = row.to_vec();
        full.resize(size - 1, 0.0);
        full.push(1.0);
        let middle: f64 = full.iter().zip(&self.weights).map(|(x, w)| x * w).sum();
        let spread: f64 =
            (0..size).map(|a| (0..size).map(|b| full[a] * self.covariance[a * size + b] * full[b]).sum::<f64>()).sum::<f64>();
        let deviation = spread.max(0.0).sqrt();
        let mean = logistic(middle / (1.0 + std::f64::consts::PI * spread.max(0.0) / 8.0).sqrt());
        Chance { mean, lower: logistic(middle - 1.96 * deviation), upper: logistic(middle + 1.96 * deviation) }
    }
}

fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (0.0 - x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// Lower triangle of a positive matrix, by rows.
fn cholesky(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| lower[i * size + k] * lower[j * size + k]).sum();
            let rest = matrix[i * size + j] - sum;
            if i == j {
                if rest <= 0.0 || !rest.is_finite() {
                    return None;
                }
                lower[i * size + i] = rest.sqrt();
            } else {
                lower[i * size + j] = rest / lower[j * size + j];
            }
        }
    }
    Some(lower)
}

fn solve(lower: &[f64], right: &[f64], size: usize) -> Vec<f64> {
    let mut x = right.to_vec();
    for i in 0..size {
        let sum: f64 = (0..i).map(|k| lower[i * size + k] * x[k]).sum();
        x[i] = (x[i] - sum) / lower[i * size + i];
    }
    for i in (0..size).rev() {
        let sum: f64 = (i + 1..size).map(|k| lower[k * size + i] * x[k]).sum();
        x[i] = (x[i] - sum) / lower[i * size + i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::chance::Chance as Dice;

    fn sample(count: usize) -> Vec<(Vec<f64>, bool)> {
        let mut dice = Dice::new(11);
        let truth = [1.5, -2.0, 0.0, -1.0];
        (0..count)
            .map(|_| {
                let row: Vec<f64> = (0..3).map(|_| 2.0 * dice.uniform() - 1.0).collect();
                let p = logistic(truth[3] + row.iter().zip(truth).map(|(x, w)| x * w).sum::<f64>());
                (row, dice.uniform() < p)
            })
            .collect()
    }

    #[test]
    fn rows_one_after_another_teach_what_they_teach_at_once() {
        let rows = sample(300);
        let mut at_once = Learner::new(3, 2.0);
        at_once.learn(rows.clone()).unwrap();
        let mut bit_by_bit = Learner::new(3, 2.0);
        for row in rows {
            bit_by_bit.learn([row]).unwrap();
        }
        for (a, b) in at_once.weights().iter().zip(bit_by_bit.weights()) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
        // The truth within three standard deviations.
        for (k, truth) in [1.5, -2.0, 0.0, -1.0].into_iter().enumerate() {
            let deviation = at_once.covariance[k * 4 + k].sqrt();
            assert!((at_once.weights()[k] - truth).abs() < 3.0 * deviation, "{k} {:?}", at_once.weights());
        }
    }

    #[test]
    fn probabilities_come_true_as_often_as_they_say() {
        let rows = sample(4_000);
        let mut learner = Learner::new(3, 2.0);
        learner.learn(rows[..1_000].to_vec()).unwrap();
        let mut bins = [(0.0, 0.0, 0.0); 5];
        for (row, outcome) in &rows[1_000..] {
            let chance = learner.chance(row);
            assert!(chance.lower <= chance.mean && chance.mean <= chance.upper, "{chance:?}");
            let bin = &mut bins[((chance.mean * 5.0) as usize).min(4)];
            *bin = (bin.0 + 1.0, bin.1 + chance.mean, bin.2 + f64::from(u8::from(*outcome)));
        }
        for (count, said, came) in bins.into_iter().filter(|b| b.0 > 50.0) {
            let deviation: f64 = (said / count * (1.0 - said / count) / count).sqrt();
            assert!((said / count - came / count).abs() < 3.5 * deviation + 0.03, "{said} {came} of {count}");
        }
        assert_eq!(learner.learn([(vec![1.0], true)]).unwrap_err().code(), "E-FLUX-122");
    }
}
