//! What could be true: joint draws of every response at all points that matter, and the value of a new point in
//! their light.
//!
//! The draws are of what lies behind the noise, at the points tried, under way and already chosen. Given the draw at
//! these points the response elsewhere is a Gaussian process without noise, so the expected improvement of a point
//! over the best one of each draw is known exactly and only its mean over the draws is a sum (Letham et al. 2019,
//! section 4). A point that joins the batch is drawn from that process and becomes one more condition.

use super::problem::Limit;
use crate::gp::{Gp, Kernel, normal};
use crate::linear::{Cholesky, Matrix, axpy, dot};
use libm::{exp, log as ln};
use std::collections::BTreeMap;
use toji_core::Result;

/// Added to the variance on the diagonal, as a share: points may lie close together.
const NUGGET: f64 = 1e-8;

/// One response in all draws, in the scale of its model.
#[derive(Debug, Clone)]
struct Latent {
    kernel: Kernel,
    lengths: Vec<f64>,
    variance: f64,
    mean: f64,
    /// Points divided by the lengths.
    points: Matrix,
    factor: Cholesky,
    /// K⁻¹ of the draws without their mean: one row a point, one column a draw.
    weights: Matrix,
}

/// What a response says of one point: everything the value and its slope need.
struct At {
    covariances: Vec<f64>,
    slopes: Vec<f64>,
    /// L⁻¹k.
    lower: Vec<f64>,
    sd: f64,
    /// Mean in every draw.
    means: Vec<f64>,
    /// The point divided by the lengths.
    scaled: Vec<f64>,
}

impl Latent {
    /// Draws at `points` for a model, by standard normal numbers (one row a point); also the draws themselves.
    fn new(gp: &Gp, points: &Matrix, index: &BTreeMap<Vec<u64>, usize>, normals: &Matrix) -> Result<(Self, Matrix)> {
        let (hyper, alpha, noises) = gp.inner();
        let m = points.rows();
        let scaled = Matrix::from_fn(m, points.columns(), |i, j| points[(i, j)] / hyper.lengths[j]);
        let mut k = gp.kernel().between(&scaled, &scaled);
        k.as_mut_slice().iter_mut().for_each(|v| *v *= hyper.variance);
        for i in 0..m {
            k[(i, i)] += NUGGET * hyper.variance;
        }
        let factor = Cholesky::new(&k)?;
        let mut precision = vec![0.0; m];
        let mut gathered = vec![0.0; m];
        for i in 0..gp.x().rows() {
            if let Some(at) = index.get(&key(gp.x().row(i))) {
                precision[*at] += 1.0 / noises[i];
                gathered[*at] += alpha[i];
            }
        }
        // Covariance after the data: (K⁻¹ + P)⁻¹ = L (I + LᵀPL)⁻¹ Lᵀ, which needs no difference of like numbers.
        let mut weighted = Matrix::zeros(m, m);
        for (i, precision) in precision.iter().enumerate() {
            for (w, l) in weighted.row_mut(i).iter_mut().zip(factor.row(i)) {
                *w = l * precision.sqrt();
            }
        }
        let mut inner = weighted.gram();
        for i in 0..m {
            inner[(i, i)] += 1.0;
        }
        let inner = Cholesky::new(&inner)?;
        let mut spread = normals.clone();
        inner.solve_upper_many(&mut spread);
        let base = k.times(&gathered);
        let mut draws = Matrix::zeros(m, normals.columns());
        for (i, base) in base.iter().enumerate() {
            let row = draws.row_mut(i);
            row.fill(hyper.mean + base);
            for (j, l) in factor.row(i).iter().enumerate() {
                axpy(*l, spread.row(j), row);
            }
        }
        let mut weights = spread;
        factor.solve_upper_many(&mut weights);
        for (i, gathered) in gathered.iter().enumerate() {
            weights.row_mut(i).iter_mut().for_each(|w| *w += gathered);
        }
        let latent = Self {
            kernel: gp.kernel(),
            lengths: hyper.lengths.clone(),
            variance: hyper.variance,
            mean: hyper.mean,
            points: scaled,
            factor,
            weights,
        };
        Ok((latent, draws))
    }
    fn at(&self, cube: &[f64]) -> At {
        let scaled: Vec<f64> = cube.iter().zip(&self.lengths).map(|(x, l)| x / l).collect();
        let m = self.points.rows();
        let mut covariances = Vec::with_capacity(m);
        let mut slopes = Vec::with_capacity(m);
        for i in 0..m {
            let squared = scaled.iter().zip(self.points.row(i)).map(|(a, b)| (a - b) * (a - b)).sum();
            let (value, slope) = self.kernel.at(squared);
            covariances.push(self.variance * value);
            slopes.push(self.variance * slope);
        }
        let mut lower = covariances.clone();
        self.factor.solve_lower(&mut lower);
        // The nugget counts here too, so that the spread never reaches zero and keeps its slope.
        let variance = (self.variance * (1.0 + NUGGET) - dot(&lower, &lower)).max(self.variance * NUGGET);
        let mut means = vec![self.mean; self.weights.columns()];
        for (i, covariance) in covariances.iter().enumerate() {
            axpy(*covariance, self.weights.row(i), &mut means);
        }
        At { covariances, slopes, lower, sd: variance.sqrt(), means, scaled }
    }
    /// Adds to `slope` what the point's derivatives bring, when the value changes by `by_means` with the mean of each
    /// draw and by `by_sd` with the spread.
    fn slope(&self, at: &At, by_means: &[f64], by_sd: f64, slope: &mut [f64]) {
        let mut upper = at.lower.clone();
        self.factor.solve_upper(&mut upper);
        for (i, upper) in upper.iter().enumerate() {
            let factor = 2.0 * at.slopes[i] * (dot(self.weights.row(i), by_means) - by_sd * upper / at.sd);
            for (((s, a), b), l) in slope.iter_mut().zip(&at.scaled).zip(self.points.row(i)).zip(&self.lengths) {
                *s += factor * (a - b) / l;
            }
        }
    }
    /// Draws the response at a new point and makes it a condition.
    fn add(&mut self, at: &At, normals: &[f64]) -> Result<Vec<f64>> {
        let mut upper = at.lower.clone();
        self.factor.solve_upper(&mut upper);
        self.factor.append(&at.covariances, self.variance * (1.0 + NUGGET))?;
        let last = self.factor.n() - 1;
        let sd = self.factor.row(last)[last];
        let weight: Vec<f64> = normals.iter().map(|z| z / sd).collect();
        for (i, u) in upper.iter().enumerate() {
            axpy(-u, &weight, self.weights.row_mut(i));
        }
        self.weights.push_row(&weight);
        self.points.push_row(&at.scaled);
        Ok(at.means.iter().zip(normals).map(|(mean, z)| mean + sd * z).collect())
    }
}

/// A limit in the scale of its model: sign · (bound − response) ≥ 0.
#[derive(Debug, Clone, Copy)]
struct Bound {
    latent: usize,
    sign: f64,
    bound: f64,
}

/// All that could be true.
#[derive(Debug, Clone)]
pub(super) struct Fantasy {
    /// The goal first, so that more is better, then the outputs with limits.
    latents: Vec<Latent>,
    bounds: Vec<Bound>,
    /// The best value of every draw.
    best: Vec<f64>,
    /// Normal numbers for points that join: a row for every response of every one.
    ahead: Matrix,
    used: usize,
    unit: f64,
}

/// What is open about a place, in the scale of the goal's model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outlook {
    /// How far its mean lies above the best, on average over the draws; mostly below nothing.
    pub(super) lead: f64,
    /// Spread of that.
    pub(super) sd: f64,
    /// Logarithm of the spread that is left once the batch so far is known, by the probability that the limits hold.
    pub(super) ln_open: f64,
}

/// A place in the cube as a key.
pub(super) fn key(cube: &[f64]) -> Vec<u64> {
    // −0 and 0 are the same place.
    cube.iter().map(|v| (v + 0.0).to_bits()).collect()
}

impl Fantasy {
    /// Draws for the model of the goal, in which more is better, and models with the limits of their outputs.
    /// `points` are the places tried and under way, `room` is how many will join.
    pub(super) fn new(
        goal: &Gp,
        limited: &[(&Gp, Vec<Limit>)],
        points: &[Vec<f64>],
        room: usize,
        draws: usize,
        seed: u64,
    ) -> Result<Self> {
        let index: BTreeMap<Vec<u64>, usize> = points.iter().enumerate().map(|(i, p)| (key(p), i)).collect();
        let (responses, m) = (1 + limited.len(), points.len());
        // The points that will join come first: the first dimensions of the sequence are its best.
        let mut sobol = crate::optimise::Sobol::scrambled(responses * (room + m), seed ^ 0x00fa_0da5);
        let drawn = sobol.points(draws);
        let normal = |row: usize, s: usize| normal::quantile(drawn[s][row]);
        let ahead = Matrix::from_fn(responses * room, draws, normal);
        let x = Matrix::from_rows(points);
        let mut latents = Vec::new();
        let mut values = Vec::new();
        for (r, gp) in std::iter::once(goal).chain(limited.iter().map(|(gp, _)| *gp)).enumerate() {
            let normals = Matrix::from_fn(m, draws, |i, s| normal(responses * room + r * m + i, s));
            let (latent, drawn) = Latent::new(gp, &x, &index, &normals)?;
            latents.push(latent);
            values.push(drawn);
        }
        let bounds: Vec<Bound> = limited
            .iter()
            .enumerate()
            .flat_map(|(r, (gp, limits))| {
                let bound = |sign: f64, value: Option<f64>| value.map(|v| Bound { latent: r + 1, sign, bound: gp.to_inner(v) });
                limits.iter().flat_map(move |l| [bound(1.0, l.at_most), bound(-1.0, l.at_least)]).flatten().collect::<Vec<_>>()
            })
            .collect();
        let holds = |i: usize, s: usize| bounds.iter().all(|b| b.sign * (b.bound - values[b.latent][(i, s)]) >= 0.0);
        // Where no point of a draw keeps the limits, any point that does is better than all there is.
        let floor = |s: usize| (0..m).map(|i| values[0][(i, s)]).fold(f64::INFINITY, f64::min) - latents[0].variance.sqrt();
        let best = (0..draws)
            .map(|s| (0..m).filter(|i| holds(*i, s)).map(|i| values[0][(i, s)]).reduce(f64::max).unwrap_or_else(|| floor(s)))
            .collect();
        Ok(Self { latents, bounds, best, ahead, used: 0, unit: goal.unit() })
    }
    /// Logarithm of the value of a point, in the scale of the goal's model. The derivatives are written to `slope`
    /// where it is given.
    pub(super) fn ln_value(&self, cube: &[f64], slope: Option<&mut [f64]>) -> f64 {
        let at: Vec<At> = self.latents.iter().map(|l| l.at(cube)).collect();
        let draws = self.best.len();
        let goal = &at[0];
        let ln_sd = ln(goal.sd);
        let mut logs = Vec::with_capacity(draws);
        let mut steep = Vec::with_capacity(draws);
        for (mean, best) in goal.means.iter().zip(&self.best) {
            let found = normal::ln_improvement((mean - best) / goal.sd);
            logs.push(ln_sd + found.value);
            steep.push(found.slope);
        }
        let mut bound_slopes: Vec<Vec<f64>> = Vec::with_capacity(self.bounds.len());
        for bound in &self.bounds {
            let of = &at[bound.latent];
            let slopes = logs.iter_mut().zip(&of.means).map(|(log, mean)| {
                let found = normal::ln_distribution(bound.sign * (bound.bound - mean) / of.sd);
                *log += found.value;
                found.slope
            });
            bound_slopes.push(slopes.collect());
        }
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !most.is_finite() {
            if let Some(slope) = slope {
                slope.fill(0.0);
            }
            return most;
        }
        let mut shares: Vec<f64> = logs.iter().map(|l| exp(l - most)).collect();
        let sum: f64 = shares.iter().sum();
        let Some(slope) = slope else { return most + ln(sum / draws as f64) };
        slope.fill(0.0);
        shares.iter_mut().for_each(|s| *s /= sum);
        let mut by_sd = 0.0;
        let mut by_means: Vec<f64> = Vec::with_capacity(draws);
        for (((share, steep), mean), best) in shares.iter().zip(&steep).zip(&goal.means).zip(&self.best) {
            by_means.push(share * steep / goal.sd);
            by_sd += share * (1.0 - steep * (mean - best) / goal.sd) / goal.sd;
        }
        self.latents[0].slope(goal, &by_means, by_sd, slope);
        for (bound, slopes) in self.bounds.iter().zip(&bound_slopes) {
            let of = &at[bound.latent];
            let mut by_sd = 0.0;
            let by_means: Vec<f64> = shares
                .iter()
                .zip(slopes)
                .zip(&of.means)
                .map(|((share, steep), mean)| {
                    by_sd -= share * steep * bound.sign * (bound.bound - mean) / (of.sd * of.sd);
                    -share * steep * bound.sign / of.sd
                })
                .collect();
            self.latents[bound.latent].slope(of, &by_means, by_sd, slope);
        }
        most + ln(sum / draws as f64)
    }
    /// Logarithm of what a place is worth of which all is known, in the scale of the goal's model: the nugget is nothing but
    /// a help to the arithmetic, and a value that is no greater says nothing.
    pub(super) fn ln_least(&self) -> f64 {
        0.5 * ln(NUGGET * self.latents[0].variance)
    }
    /// What is open about a place.
    pub(super) fn outlook(&self, cube: &[f64]) -> Outlook {
        let draws = self.best.len() as f64;
        let goal = self.latents[0].at(cube);
        let leads: Vec<f64> = goal.means.iter().zip(&self.best).map(|(mean, best)| mean - best).collect();
        let lead = leads.iter().sum::<f64>() / draws;
        let among = leads.iter().map(|l| (l - lead) * (l - lead)).sum::<f64>() / draws;
        let mut holds = vec![0.0; self.best.len()];
        for (l, latent) in self.latents.iter().enumerate().skip(1) {
            let at = latent.at(cube);
            for bound in self.bounds.iter().filter(|b| b.latent == l) {
                for (holds, mean) in holds.iter_mut().zip(&at.means) {
                    *holds += normal::ln_distribution(bound.sign * (bound.bound - mean) / at.sd).value;
                }
            }
        }
        let most = holds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let ln_holds = if most.is_finite() { most + ln(holds.iter().map(|h| exp(h - most)).sum::<f64>() / draws) } else { most };
        Outlook { lead, sd: (among + goal.sd * goal.sd).sqrt(), ln_open: ln(goal.sd) + ln_holds }
    }
    /// A point joins the batch. Says how much better the best has become on average, in the unit of the goal.
    pub(super) fn add(&mut self, cube: &[f64]) -> Result<f64> {
        let responses = self.latents.len();
        let mut drawn = Vec::with_capacity(responses);
        for (r, latent) in self.latents.iter_mut().enumerate() {
            let at = latent.at(cube);
            let row = (self.used * responses + r) % self.ahead.rows().max(1);
            drawn.push(latent.add(&at, self.ahead.row(row))?);
        }
        self.used += 1;
        let mut gained = 0.0;
        for (s, best) in self.best.iter_mut().enumerate() {
            let holds = self.bounds.iter().all(|b| b.sign * (b.bound - drawn[b.latent][s]) >= 0.0);
            if holds && drawn[0][s] > *best {
                gained += drawn[0][s] - *best;
                *best = drawn[0][s];
            }
        }
        Ok(gained / self.best.len() as f64 * self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gp::{Data, Settings};
    use crate::optimise::Sobol;
    use toji_core::chance::Chance;

    fn models(noise: f64) -> (Gp, Gp, Vec<Vec<f64>>) {
        let mut chance = Chance::new(3);
        let points = Sobol::scrambled(2, 5).points(14);
        let fit = |f: &dyn Fn(&[f64]) -> f64, chance: &mut Chance| {
            let y = points.iter().map(|p| f(p) + noise * chance.normal()).collect();
            Gp::fit(&Data { x: Matrix::from_rows(&points), y, known: Vec::new() }, &Settings::default(), 1).unwrap()
        };
        let goal = fit(&|p| 10.0 * (4.0 * p[0]).sin() + 3.0 * p[1], &mut chance);
        let other = fit(&|p| p[0] + p[1], &mut chance);
        (goal, other, points)
    }

    #[test]
    fn the_slope_is_that_of_differences_with_and_without_limits() {
        let (goal, other, points) = models(0.3);
        let limit = Limit { output: 1, at_least: Some(0.4), at_most: Some(1.1) };
        for limited in [vec![], vec![(&other, vec![limit])]] {
            let mut fantasy = Fantasy::new(&goal, &limited, &points, 4, 64, 7).unwrap();
            fantasy.add(&[0.4, 0.9]).unwrap();
            for x in [[0.3, 0.6], [0.9, 0.1], [0.41, 0.88]] {
                let mut slope = [0.0; 2];
                let value = fantasy.ln_value(&x, Some(&mut slope));
                assert_eq!(value, fantasy.ln_value(&x, None));
                for k in 0..2 {
                    let shifted = |by: f64| {
                        let mut x = x;
                        x[k] += by;
                        fantasy.ln_value(&x, None)
                    };
                    let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                    assert!(
                        (difference - slope[k]).abs() < 1e-4 * slope[k].abs().max(1.0),
                        "{x:?} {k}: {difference} {}",
                        slope[k]
                    );
                }
            }
        }
    }

    #[test]
    fn without_noise_and_limits_the_value_is_the_expected_improvement() {
        let (_, _, points) = models(0.0);
        let y: Vec<f64> = points.iter().map(|p| 10.0 * (4.0 * p[0]).sin() + 3.0 * p[1]).collect();
        let data = Data { x: Matrix::from_rows(&points), y: y.clone(), known: Vec::new() };
        let gp = Gp::fit(&data, &Settings { noise_min: 1e-9, ..Settings::default() }, 1).unwrap();
        let best = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let fantasy = Fantasy::new(&gp, &[], &points, 1, 64, 7).unwrap();
        for x in [[0.35, 0.95], [0.45, 0.5], [0.2, 1.0]] {
            let at = gp.predict(&x);
            let wanted = normal::improvement(at.mean, at.sd, best);
            let found = exp(fantasy.ln_value(&x, None)) * gp.unit();
            assert!((found - wanted).abs() < 0.02 * wanted.max(1e-3), "{x:?}: {found} {wanted}");
        }
    }

    #[test]
    fn draws_have_the_moments_of_the_model_and_what_joins_brings_what_was_promised() {
        let (goal, _, points) = models(0.5);
        let index = points.iter().enumerate().map(|(i, p)| (key(p), i)).collect();
        let drawn = Sobol::scrambled(points.len(), 3).points(2048);
        let normals = Matrix::from_fn(points.len(), 2048, |i, s| normal::quantile(drawn[s][i]));
        let (_, draws) = Latent::new(&goal, &Matrix::from_rows(&points), &index, &normals).unwrap();
        for (i, point) in points.iter().enumerate() {
            let at = goal.predict(point);
            let mean = draws.row(i).iter().sum::<f64>() / 2048.0;
            let variance = draws.row(i).iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / 2048.0;
            assert!((mean - goal.to_inner(at.mean)).abs() < 0.02 * at.sd / goal.unit() + 1e-6);
            assert!((variance.sqrt() * goal.unit() / at.sd - 1.0).abs() < 0.05);
        }
        let mut fantasy = Fantasy::new(&goal, &[], &points, 1, 2048, 5).unwrap();
        let x = [0.4, 0.97];
        let promised = exp(fantasy.ln_value(&x, None)) * goal.unit();
        let gained = fantasy.add(&x).unwrap();
        assert!((gained / promised - 1.0).abs() < 0.05, "{gained} {promised}");
    }
}
