//! What all settings that the data allow say together.
//!
//! Two ways to see the noise are held against each other by how well they explain the data: the same everywhere, or growing
//! with the value, as that of cultures mostly does. The most probable lengths and noise are one answer of many. Few runs leave them open, and a model that is sure of them is
//! surer of its predictions than it may be; where the noise comes out too small it also takes lucky runs for good ones. Here
//! the settings are integrated out: drawn around the most probable ones as a normal distribution with the curvature there,
//! and weighed by the true density (importance sampling; J. Geweke, "Bayesian inference in econometric models using Monte
//! Carlo integration", Econometrica 57, 1317–1339, 1989), weights cut off as E. L. Ionides, "Truncated importance sampling",
//! J. Comput. Graph. Stat. 17, 295–311, 2008. That averaging keeps the intervals of optimisation honest where single settings
//! do not is shown by J. Snoek, H. Larochelle and R. P. Adams, "Practical Bayesian optimization of machine learning
//! algorithms", NIPS 2012.

use super::fit::{Data, Posed, Settings};
use super::model::{Gp, Prediction};
use super::normal;
use crate::linear::{Matrix, symmetric};
use crate::optimise::{Limits, Sobol, minimise};
use libm::{exp, log as ln, sqrt};
use toji_core::Result;

/// Draws of the settings.
const DRAWS: usize = 128;
/// The draws are spread this much wider than the curvature says.
const WIDER: f64 = 1.25;
/// Least curvature: where the data say nothing the draws go no further than this allows.
const FLAT: f64 = 0.15;
/// Draws of less than this share of the greatest weight are left out.
const NOTHING: f64 = 1e-3;

/// A Gaussian process whose settings are known as far as the data tell them.
#[derive(Debug, Clone, PartialEq)]
pub struct Averaged {
    best: Gp,
    /// Weights, which sum to 1, and processes.
    members: Vec<(f64, Gp)>,
}

/// What is expected of a new measurement at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Mean, and standard deviations as in [`Prediction`].
    pub at: Prediction,
    /// Ends of the interval that holds a new measurement with the probability that was asked for, as much left out below
    /// as above.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Averaged {
    /// Fits as [`Gp::fit`], and draws what else the settings may be. The same data, settings and seed give the same.
    ///
    /// # Errors
    /// As [`Gp::fit`].
    pub fn fit(data: &Data, settings: &Settings, seed: u64) -> Result<Self> {
        let posed = Posed::new(data, settings)?;
        let best = posed.most_probable(settings.starts.max(1), seed)?;
        let process = posed.at(&best)?;
        let mut found = drawn(&posed, &best, seed)?;
        if let Some(growing) = posed.growing(&process) {
            found.extend(drawn(&growing, &best, seed)?);
        }
        let most = found.iter().map(|(w, _)| *w).fold(f64::NEG_INFINITY, f64::max);
        found.iter_mut().for_each(|(w, _)| *w = exp(*w - most));
        found.retain(|(w, _)| *w > NOTHING);
        let sum: f64 = found.iter().map(|(w, _)| w).sum();
        Ok(Self { best: process, members: found.into_iter().map(|(w, gp)| (w / sum, gp)).collect() })
    }
    /// The process with the most probable settings.
    #[must_use]
    pub fn best(&self) -> &Gp {
        &self.best
    }
    /// How many settings count: one over the sum of the squared weights.
    #[must_use]
    pub fn count(&self) -> f64 {
        1.0 / self.members.iter().map(|(w, _)| w * w).sum::<f64>()
    }
    /// Variance of the noise, the mean of what it may be.
    #[must_use]
    pub fn noise(&self) -> f64 {
        self.members.iter().map(|(w, gp)| w * gp.hyper().noise).sum()
    }
    /// What is expected at a point, which has as many factors as the data.
    #[must_use]
    pub fn predict(&self, x: &[f64]) -> Prediction {
        together(&self.each(x))
    }
    fn each(&self, x: &[f64]) -> Vec<(f64, Prediction)> {
        self.members.iter().map(|(w, gp)| (*w, gp.predict(x))).collect()
    }
    /// Probability that what lies behind the noise is at most `value`.
    #[must_use]
    pub fn below(&self, x: &[f64], value: f64) -> f64 {
        self.each(x).iter().map(|(w, p)| w * normal::distribution((value - p.mean) / p.sd.max(f64::MIN_POSITIVE))).sum()
    }
    /// The interval of a new measurement, of this confidence.
    #[must_use]
    pub fn range(&self, x: &[f64], confidence: f64) -> Range {
        let each = self.each(x);
        let at = together(&each);
        let out = 0.5 - confidence.clamp(0.0, 0.999_999) / 2.0;
        Range { at, low: quantile(&each, out), high: quantile(&each, 1.0 - out) }
    }
}

/// Mean and spread of a mixture.
fn together(each: &[(f64, Prediction)]) -> Prediction {
    let mean: f64 = each.iter().map(|(w, p)| w * p.mean).sum();
    let among: f64 = each.iter().map(|(w, p)| w * (p.mean - mean) * (p.mean - mean)).sum();
    let of = |sd: fn(&Prediction) -> f64| sqrt(among + each.iter().map(|(w, p)| w * sd(p) * sd(p)).sum::<f64>());
    Prediction { mean, sd: of(|p| p.sd), sd_measured: of(|p| p.sd_measured) }
}

/// Quantile of a mixture of normal distributions of new measurements, by halving.
fn quantile(each: &[(f64, Prediction)], share: f64) -> f64 {
    let z = normal::quantile(share);
    let ends = each.iter().map(|(_, p)| p.mean + z * p.sd_measured);
    let (mut low, mut high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), end| (l.min(end), h.max(end)));
    let below = |value: f64| -> f64 {
        each.iter().map(|(w, p)| w * normal::distribution((value - p.mean) / p.sd_measured.max(f64::MIN_POSITIVE))).sum()
    };
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) < share { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Settings around the most probable ones, with the logarithms of their weights.
fn drawn(posed: &Posed, best: &[f64], seed: u64) -> Result<Vec<(f64, Gp)>> {
    let n = best.len();
    let limits = Limits { iterations: 60, gradient: 1e-4, decrease: 1e-8 };
    let middle = minimise(best, &posed.low, &posed.high, &limits, |p, gradient| posed.averaged(p, gradient)).x;
    let free: Vec<usize> = (0..n).filter(|k| posed.high[*k] > posed.low[*k]).collect();
    let curvature = curvature(posed, &middle, &free);
    let axes = symmetric(&curvature);
    let mut found: Vec<(f64, Vec<f64>)> = vec![];
    let mut gradient = vec![0.0; n];
    for point in Sobol::scrambled(free.len(), seed ^ 0x00ab_1e00).points(DRAWS) {
        let normals: Vec<f64> = point.iter().map(|u| normal::quantile(*u)).collect();
        let mut p = middle.clone();
        for (j, z) in normals.iter().enumerate() {
            let length = WIDER * z / sqrt(axes.values[j].max(FLAT));
            free.iter().enumerate().for_each(|(i, k)| p[*k] += length * axes.vectors[(j, i)]);
        }
        if p.iter().zip(&posed.low).zip(&posed.high).any(|((p, low), high)| p < low || p > high) {
            continue;
        }
        let drawn_from = -0.5 * normals.iter().map(|z| z * z).sum::<f64>();
        let ln_weight = -posed.averaged(&p, &mut gradient) - drawn_from;
        if ln_weight.is_finite() {
            found.push((ln_weight, p));
        }
    }
    let most = found.iter().map(|(w, _)| *w).fold(f64::NEG_INFINITY, f64::max);
    let mean = found.iter().map(|(w, _)| exp(w - most)).sum::<f64>() / found.len().max(1) as f64;
    let cut = most + ln(mean) + 0.5 * ln(found.len().max(1) as f64);
    // The volume of the draws: weights of several ways to see the noise are compared.
    let volume = -0.5 * axes.values.iter().map(|v| ln(v.max(FLAT))).sum::<f64>();
    found.retain(|(w, _)| *w > most + ln(NOTHING));
    found.into_iter().map(|(w, p)| Ok((w.min(cut) + volume, posed.at(&p)?))).collect()
}

/// Second derivatives, by differences of the gradient, of the settings that are free.
fn curvature(posed: &Posed, middle: &[f64], free: &[usize]) -> Matrix {
    const STEP: f64 = 1e-4;
    let n = middle.len();
    let slope = |k: usize, by: f64| {
        let (mut p, mut gradient) = (middle.to_vec(), vec![0.0; n]);
        p[k] += by;
        posed.averaged(&p, &mut gradient);
        gradient
    };
    let rows: Vec<Vec<f64>> = free
        .iter()
        .map(|k| {
            let (up, down) = (slope(*k, STEP), slope(*k, -STEP));
            free.iter().map(|j| (up[*j] - down[*j]) / (2.0 * STEP)).collect()
        })
        .collect();
    Matrix::from_fn(free.len(), free.len(), |i, j| 0.5 * (rows[i][j] + rows[j][i]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::Cholesky;
    use crate::optimise::fraction;
    use toji_core::chance::Chance;

    /// Values at random places of a process of these lengths, with noise of this share of each value or of this size.
    fn drawn_data(n: usize, noise: impl Fn(f64) -> f64, chance: &mut Chance) -> (Data, Vec<(Vec<f64>, f64)>) {
        let new = 6;
        let x = Matrix::from_fn(n + new, 2, |_, _| fraction(chance));
        let covariance = Matrix::from_fn(n + new, n + new, |i, j| {
            let squared: f64 = (0..2).map(|k| (x[(i, k)] - x[(j, k)]) * (x[(i, k)] - x[(j, k)])).sum();
            let r = sqrt(5.0 * squared) / 0.6;
            4.0 * (1.0 + r + r * r / 3.0) * exp(-r)
        });
        let normals: Vec<f64> = (0..n + new).map(|_| chance.normal()).collect();
        let truth: Vec<f64> = Cholesky::new(&covariance).unwrap().times(&normals).iter().map(|v| 12.0 + v).collect();
        let y: Vec<f64> = truth.iter().map(|v| v + noise(*v) * chance.normal()).collect();
        let data = Data { x: Matrix::from_fn(n, 2, |i, j| x[(i, j)]), y: y[..n].to_vec(), known: Vec::new() };
        (data, (n..n + new).map(|i| (x.row(i).to_vec(), y[i])).collect())
    }

    /// Share of new measurements inside the intervals of 90 %.
    fn held(n: usize, repeats: u64, noise: fn(f64) -> f64, range: impl Fn(&Averaged, &[f64]) -> (f64, f64)) -> f64 {
        let (mut inside, mut all) = (0, 0);
        for seed in 0..repeats {
            let mut chance = Chance::new(seed + 1_000);
            let (data, new) = drawn_data(n, noise, &mut chance);
            let gp = Averaged::fit(&data, &Settings { starts: 2, ..Settings::default() }, seed).unwrap();
            for (x, value) in new {
                let (low, high) = range(&gp, &x);
                inside += u32::from((low..=high).contains(&value));
                all += 1;
            }
        }
        f64::from(inside) / f64::from(all)
    }

    #[test]
    fn intervals_hold_as_many_new_measurements_as_they_say() {
        let averaged = |gp: &Averaged, x: &[f64]| {
            let found = gp.range(x, 0.9);
            (found.low, found.high)
        };
        let single = |gp: &Averaged, x: &[f64]| {
            let at = gp.best().predict(x);
            (at.mean - 1.644_853_6 * at.sd_measured, at.mean + 1.644_853_6 * at.sd_measured)
        };
        for noise in [|_: f64| 0.6, |v: f64| 0.05 * v] {
            let (with, without) = (held(12, 120, noise, averaged), held(12, 120, noise, single));
            println!("averaged {with:.3}, most probable {without:.3}");
            // 720 measurements, six of each model: a standard error of some 1.3 %.
            assert!((0.86..=0.95).contains(&with), "{with}");
            assert!(without < with - 0.02, "{without} {with}");
        }
    }

    #[test]
    fn noise_that_grows_with_the_value_is_seen_where_it_does() {
        let widths = |noise: fn(f64) -> f64| {
            let mut chance = Chance::new(3);
            let x = Matrix::from_fn(60, 1, |i, _| f64::from(u32::try_from(i / 2).unwrap()) / 29.0);
            let y = (0..60).map(|i| 2.0 + 18.0 * x[(i, 0)]).map(|v| v + noise(v) * chance.normal()).collect();
            let gp = Averaged::fit(&Data { x, y, known: Vec::new() }, &Settings::default(), 1).unwrap();
            assert!(gp.count() > 5.0, "{}", gp.count());
            let width = |x: f64| {
                let found = gp.range(&[x], 0.9);
                found.high - found.low
            };
            width(0.9) / width(0.1)
        };
        // 18.2 and 3.8: a ratio of 4.8 behind what is not known of the line.
        let (growing, even) = (widths(|v| 0.1 * v), widths(|_| 1.0));
        assert!((2.5..=5.5).contains(&growing) && (0.8..=1.3).contains(&even), "{growing} {even}");
    }

    #[test]
    fn a_mixture_has_the_quantiles_of_its_distribution() {
        let of = |mean: f64, sd: f64| Prediction { mean, sd, sd_measured: sd };
        assert!((quantile(&[(1.0, of(3.0, 2.0))], 0.95) - (3.0 + 2.0 * 1.644_853_626_951_472_2)).abs() < 1e-9);
        let two = [(0.3, of(0.0, 1.0)), (0.7, of(4.0, 0.5))];
        let at = quantile(&two, 0.4);
        let below = 0.3 * normal::distribution(at) + 0.7 * normal::distribution((at - 4.0) / 0.5);
        assert!((below - 0.4).abs() < 1e-9, "{at}");
        let both = together(&two);
        assert!((both.mean - 2.8).abs() < 1e-12);
        // Variance: that within, and that among the means.
        assert!((both.sd * both.sd - (0.3 + 0.7 * 0.25 + 0.3 * 0.7 * 16.0)).abs() < 1e-12);
    }

    #[test]
    fn the_same_data_give_the_same_whatever_their_order_and_scale() {
        let mut chance = Chance::new(8);
        let (data, new) = drawn_data(10, |_| 0.5, &mut chance);
        let turned = |f: &dyn Fn(f64) -> f64| {
            let rows: Vec<Vec<f64>> = (0..10).rev().map(|i| data.x.row(i).to_vec()).collect();
            let y = data.y.iter().rev().map(|v| f(*v)).collect();
            Averaged::fit(&Data { x: Matrix::from_rows(&rows), y, known: Vec::new() }, &Settings::default(), 4).unwrap()
        };
        let gp = Averaged::fit(&data, &Settings::default(), 4).unwrap();
        assert_eq!(gp, turned(&|v| v));
        let (a, b) = (gp.range(&new[0].0, 0.9), turned(&|v| 1_000.0 * v).range(&new[0].0, 0.9));
        assert!((a.low - b.low / 1_000.0).abs() < 1e-6 * a.low.abs(), "{a:?} {b:?}");
        // Of both signs: noise can then not grow with the value.
        let zero = turned(&|v| v - 12.0).range(&new[0].0, 0.9);
        assert!(zero.low.is_finite() && zero.low < zero.high);
    }
}
