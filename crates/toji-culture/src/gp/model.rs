//! A fitted Gaussian process and what it says of points nobody has tried.

use super::kernel::{Kernel, scaled, squared_distance};
use super::likelihood::{Hyper, check, covariance, share};
use crate::linear::{Cholesky, Matrix, axpy, dot};
use serde::{Deserialize, Serialize};
use toji_core::Result;

/// A Gaussian process that knows its data.
#[derive(Debug, Clone, PartialEq)]
pub struct Gp {
    kernel: Kernel,
    x: Matrix,
    /// Points divided by the lengths.
    points: Matrix,
    /// Variance of the noise of each value, in the scale of the fit.
    noises: Vec<f64>,
    y: Vec<f64>,
    alpha: Vec<f64>,
    factor: Cholesky,
    hyper: Hyper,
    /// Where the noise grows with the value: the level at which it is as the settings say, in the scale of the data.
    level: Option<f64>,
    shift: f64,
    scale: f64,
}

/// What is expected at a point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Prediction {
    /// Mean.
    pub mean: f64,
    /// Standard deviation of what lies behind the noise.
    pub sd: f64,
    /// Standard deviation of a new measurement: with the noise of one run.
    pub sd_measured: f64,
}

/// A prediction with its derivatives by the factors.
#[derive(Debug, Clone, PartialEq)]
pub struct Slope {
    /// Prediction.
    pub at: Prediction,
    /// Derivatives of the mean.
    pub mean: Vec<f64>,
    /// Derivatives of the variance behind the noise.
    pub variance: Vec<f64>,
}

/// What the other runs say of one that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LeftOut {
    /// Value.
    pub value: f64,
    /// Mean expected without it.
    pub mean: f64,
    /// Standard deviation of a measurement expected without it.
    pub sd: f64,
}

/// What the noise at a value is multiplied by where its standard deviation grows with the value; never less than that at a
/// tenth of the level.
pub(super) fn noise_share(value: f64, level: f64) -> f64 {
    let share = (value / level).max(0.1);
    share * share
}

impl Gp {
    /// With given settings, nothing fitted. `known` as in [`super::ln_likelihood`].
    ///
    /// # Errors
    /// Data that do not fit together, or a covariance that is not positive definite.
    pub fn with(kernel: Kernel, x: &Matrix, y: &[f64], known: &[f64], hyper: &Hyper) -> Result<Self> {
        Self::standardised(kernel, (x, y, known), (&[], None), hyper, (0.0, 1.0))
    }
    /// With settings and values in a scale of their own: value = shift + scale · own. Where the noise grows with the value,
    /// what that of each is multiplied by, and the level at which it is 1.
    pub(super) fn standardised(
        kernel: Kernel,
        (x, y, known): (&Matrix, &[f64], &[f64]),
        (shares, level): (&[f64], Option<f64>),
        hyper: &Hyper,
        (shift, scale): (f64, f64),
    ) -> Result<Self> {
        check(x, y, known, hyper.lengths.len())?;
        let factor = Cholesky::new(&covariance(kernel, x, known, shares, hyper))?;
        let residual: Vec<f64> = y.iter().map(|y| y - hyper.mean).collect();
        Ok(Self {
            kernel,
            points: scaled(x, &hyper.lengths),
            noises: (0..y.len()).map(|i| hyper.noise * share(shares, i) + known.get(i).copied().unwrap_or(0.0)).collect(),
            alpha: factor.solve(&residual),
            x: x.clone(),
            y: y.to_vec(),
            factor,
            hyper: hyper.clone(),
            level,
            shift,
            scale,
        })
    }
    /// Form of the covariance.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }
    /// Settings in the scale of the data.
    #[must_use]
    pub fn hyper(&self) -> Hyper {
        let square = self.scale * self.scale;
        Hyper {
            lengths: self.hyper.lengths.clone(),
            variance: self.hyper.variance * square,
            noise: self.hyper.noise * square,
            mean: self.shift + self.scale * self.hyper.mean,
        }
    }
    /// Points of the data, in the order of the model.
    #[must_use]
    pub fn x(&self) -> &Matrix {
        &self.x
    }
    /// What was added to the diagonal of the covariance to factor it, as a variance in the scale of the data.
    #[must_use]
    pub fn jitter(&self) -> f64 {
        self.factor.jitter() * self.scale * self.scale
    }
    /// Settings in the scale of the fit, for those who go on computing in it.
    pub(crate) fn inner(&self) -> (&Hyper, &[f64], &[f64]) {
        (&self.hyper, &self.alpha, &self.noises)
    }
    /// A value in the scale of the fit.
    pub(crate) fn to_inner(&self, value: f64) -> f64 {
        (value - self.shift) / self.scale
    }
    /// One unit of the fit in the scale of the data.
    pub(crate) fn unit(&self) -> f64 {
        self.scale
    }
    fn prediction(&self, mean: f64, variance: f64) -> Prediction {
        let variance = variance.max(0.0);
        let mean = self.shift + self.scale * (self.hyper.mean + mean);
        let noise = self.hyper.noise * self.level.map_or(1.0, |level| noise_share(mean, level));
        Prediction { mean, sd: self.scale * variance.sqrt(), sd_measured: self.scale * (variance + noise).sqrt() }
    }
    /// What is expected at a point, which has as many factors as the data.
    #[must_use]
    pub fn predict(&self, x: &[f64]) -> Prediction {
        let at: Vec<f64> = x.iter().zip(&self.hyper.lengths).map(|(x, l)| x / l).collect();
        let mut k: Vec<f64> = (0..self.points.rows())
            .map(|i| self.hyper.variance * self.kernel.at(squared_distance(&at, self.points.row(i))).0)
            .collect();
        let mean = dot(&k, &self.alpha);
        self.factor.solve_lower(&mut k);
        self.prediction(mean, self.hyper.variance - dot(&k, &k))
    }
    /// What is expected at a point, and how it changes with each factor.
    #[must_use]
    pub fn predict_with_slope(&self, x: &[f64]) -> Slope {
        let lengths = &self.hyper.lengths;
        let at: Vec<f64> = x.iter().zip(lengths).map(|(x, l)| x / l).collect();
        let (k, slopes): (Vec<f64>, Vec<f64>) = (0..self.points.rows())
            .map(|i| self.kernel.at(squared_distance(&at, self.points.row(i))))
            .map(|(value, slope)| (self.hyper.variance * value, self.hyper.variance * slope))
            .unzip();
        let weights = self.factor.solve(&k);
        let mut mean = vec![0.0; at.len()];
        let mut variance = vec![0.0; at.len()];
        for (i, slope) in slopes.iter().enumerate() {
            let off: Vec<f64> = at.iter().zip(self.points.row(i)).zip(lengths).map(|((a, b), l)| 2.0 * (a - b) / l).collect();
            axpy(slope * self.alpha[i], &off, &mut mean);
            axpy(-2.0 * slope * weights[i], &off, &mut variance);
        }
        mean.iter_mut().for_each(|v| *v *= self.scale);
        variance.iter_mut().for_each(|v| *v *= self.scale * self.scale);
        Slope { at: self.prediction(dot(&k, &self.alpha), self.hyper.variance - dot(&k, &weights)), mean, variance }
    }
    /// Mean and covariance, behind the noise, of several points together.
    #[must_use]
    pub fn joint(&self, x: &Matrix) -> (Vec<f64>, Matrix) {
        let at = scaled(x, &self.hyper.lengths);
        let mut cross = self.kernel.between(&self.points, &at);
        cross.as_mut_slice().iter_mut().for_each(|v| *v *= self.hyper.variance);
        let mean = cross.transposed_times(&self.alpha);
        self.factor.solve_lower_many(&mut cross);
        let taken = cross.gram();
        let square = self.scale * self.scale;
        let covariance = Matrix::from_fn(x.rows(), x.rows(), |i, j| {
            let prior = self.hyper.variance * self.kernel.at(squared_distance(at.row(i), at.row(j))).0;
            square * (prior - taken[(i, j)])
        });
        (mean.iter().map(|m| self.shift + self.scale * (self.hyper.mean + m)).collect(), covariance)
    }
    /// Joint samples, behind the noise, of several points: one row a row of standard normal numbers, of which
    /// there are as many as points.
    ///
    /// # Errors
    /// The covariance cannot be factored.
    pub fn samples(&self, x: &Matrix, normals: &Matrix) -> Result<Matrix> {
        let (mean, covariance) = self.joint(x);
        let factor = Cholesky::new(&covariance)?;
        let mut samples = Matrix::zeros(normals.rows(), x.rows());
        for s in 0..normals.rows() {
            for ((sample, mean), off) in samples.row_mut(s).iter_mut().zip(&mean).zip(factor.times(normals.row(s))) {
                *sample = mean + off;
            }
        }
        Ok(samples)
    }
    /// What the other runs say of each run, without fitting again (Rasmussen and Williams, equations 5.10–5.12),
    /// in the order of the model.
    #[must_use]
    pub fn leave_one_out(&self) -> Vec<LeftOut> {
        let inverse = self.factor.inverse();
        let outer = |inner: f64| self.shift + self.scale * inner;
        (0..self.y.len())
            .map(|i| {
                let precision = inverse[(i, i)];
                LeftOut {
                    value: outer(self.y[i]),
                    mean: outer(self.y[i] - self.alpha[i] / precision),
                    sd: self.scale / precision.sqrt(),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gp::{Data, Settings, ln_likelihood, normal};
    use crate::optimise::{Sobol, fraction};
    use proptest::prelude::*;
    use toji_core::chance::Chance;

    const X: [[f64; 2]; 10] = [
        [0.0856, 0.2368],
        [0.8013, 0.5822],
        [0.0941, 0.4331],
        [0.4791, 0.1597],
        [0.7346, 0.1137],
        [0.3912, 0.5167],
        [0.4306, 0.5868],
        [0.7378, 0.9563],
        [0.2842, 0.6485],
        [0.6962, 0.2927],
    ];
    const Y: [f64; 10] = [0.3125, 1.1661, 0.5207, 0.9661, 0.8009, 1.2432, 1.4992, 1.6881, 1.1492, 1.0548];

    #[test]
    fn likelihood_predictions_and_improvement_agree_with_the_reference() {
        // acceptance-public.json, gp_matern52_ard: made with NumPy by another implementation.
        let x = Matrix::from_rows(&X);
        let hyper = Hyper { lengths: vec![0.4, 0.55], variance: 1.7, noise: 0.02, mean: 0.0 };
        let value = ln_likelihood(Kernel::Matern52, &x, &Y, &[], &hyper).unwrap().value;
        assert!((value + 6.425_243_715_285_719).abs() < 1e-8, "{value}");
        let gp = Gp::with(Kernel::Matern52, &x, &Y, &[], &hyper).unwrap();
        let wanted = [
            ([0.374, 0.091], 0.733_597_802_687_311_3, 0.337_110_591_210_301_57, 0.000_230_784_415_585_815_7),
            ([0.661, 0.931], 1.757_270_747_907_726_3, 0.282_316_434_004_603, 0.150_577_087_078_910_68),
            ([0.207, 0.63], 0.929_173_702_178_295, 0.200_669_232_581_232_43, 3.687_668_822_998_33e-6),
            ([0.298, 0.742], 1.245_924_213_267_001_9, 0.256_405_152_380_894_2, 0.004_416_048_596_316_12),
        ];
        for (x, mean, sd, improvement) in wanted {
            let found = gp.predict(&x);
            assert!((found.mean - mean).abs() < 1e-8 && (found.sd - sd).abs() < 1e-8, "{found:?}");
            assert!((found.sd_measured - (sd * sd + 0.02).sqrt()).abs() < 1e-8);
            let ei = normal::improvement(found.mean, found.sd, 1.6881);
            assert!((ei - improvement).abs() < 1e-8, "{ei} instead of {improvement}");
        }
    }

    fn data(n: usize, seed: u64) -> Data {
        let mut chance = Chance::new(seed);
        let x = Matrix::from_rows(&Sobol::scrambled(3, seed).points(n));
        let y = (0..n).map(|i| 40.0 + 9.0 * (5.0 * x[(i, 0)]).sin() + 6.0 * x[(i, 1)] + 0.8 * chance.normal()).collect();
        Data { x, y, known: Vec::new() }
    }

    #[test]
    fn slopes_of_a_prediction_are_those_of_differences() {
        let gp = Gp::fit(&data(25, 4), &Settings::default(), 1).unwrap();
        let x = [0.31, 0.62, 0.44];
        let found = gp.predict_with_slope(&x);
        assert!((found.at.mean - gp.predict(&x).mean).abs() < 1e-9 && (found.at.sd - gp.predict(&x).sd).abs() < 1e-7);
        for k in 0..3 {
            let shifted = |by: f64| {
                let mut x = x;
                x[k] += by;
                gp.predict(&x)
            };
            let (up, down) = (shifted(1e-5), shifted(-1e-5));
            assert!(((up.mean - down.mean) / 2e-5 - found.mean[k]).abs() < 1e-5, "{k}");
            assert!(((up.sd * up.sd - down.sd * down.sd) / 2e-5 - found.variance[k]).abs() < 1e-4, "{k}");
        }
    }

    #[test]
    fn noise_and_lengths_are_found_again() {
        let gp = Gp::fit(&data(80, 2), &Settings::default(), 1).unwrap();
        let hyper = gp.hyper();
        // The noise was given a standard deviation of 0.8; that of an estimate from 80 is some 9 %.
        assert!((0.6..1.0).contains(&hyper.noise.sqrt()), "{hyper:?}");
        // The third factor does nothing, the first one bends.
        assert!(hyper.lengths[2] > 3.0 * hyper.lengths[0], "{hyper:?}");
        let mut chance = Chance::new(9);
        let off: Vec<f64> = (0..50)
            .map(|_| {
                let x = [fraction(&mut chance), fraction(&mut chance), fraction(&mut chance)];
                gp.predict(&x).mean - (40.0 + 9.0 * (5.0 * x[0]).sin() + 6.0 * x[1])
            })
            .collect();
        let rms = (off.iter().map(|o| o * o).sum::<f64>() / 50.0).sqrt();
        assert!(rms < 0.8, "{rms}");
    }

    #[test]
    fn leaving_out_is_what_it_says() {
        let gp = Gp::fit(&data(15, 6), &Settings::default(), 1).unwrap();
        let left = gp.leave_one_out();
        let hyper = gp.hyper();
        for i in [0, 7, 14] {
            let others: Vec<usize> = (0..15).filter(|j| *j != i).collect();
            let x = Matrix::from_fn(14, 3, |r, c| gp.x()[(others[r], c)]);
            let y: Vec<f64> = others.iter().map(|j| left[*j].value).collect();
            let without = Gp::with(gp.kernel(), &x, &y, &[], &hyper).unwrap().predict(gp.x().row(i));
            assert!((without.mean - left[i].mean).abs() < 1e-6 && (without.sd_measured - left[i].sd).abs() < 1e-6);
        }
    }

    #[test]
    fn replicates_tell_noise_from_form_and_equal_values_are_no_fault() {
        let mut data = data(8, 3);
        for i in 0..8 {
            let (row, y) = (data.x.row(i).to_vec(), data.y[i]);
            data.x.push_row(&row);
            data.y.push(y + if i % 2 == 0 { 1.5 } else { -1.5 });
        }
        let noise = Gp::fit(&data, &Settings::default(), 1).unwrap().hyper().noise;
        // Half the squared difference of two: 1.5² / 2 = 1.1.
        assert!((0.5..2.5).contains(&noise), "{noise}");
        data.y.fill(7.0);
        let flat = Gp::fit(&data, &Settings::default(), 1).unwrap().predict(&[0.5, 0.5, 0.5]);
        assert!((flat.mean - 7.0).abs() < 1e-6, "{flat:?}");
        data.y[3] = f64::NAN;
        assert_eq!(Gp::fit(&data, &Settings::default(), 1).unwrap_err().code(), "E-GP-001");
    }

    #[test]
    fn samples_have_the_joint_moments() {
        let gp = Gp::fit(&data(12, 8), &Settings::default(), 1).unwrap();
        let at = Matrix::from_rows(&[[0.2, 0.3, 0.4], [0.25, 0.3, 0.4], [0.9, 0.9, 0.1]]);
        let (mean, covariance) = gp.joint(&at);
        let points = Sobol::scrambled(3, 2).points(4096);
        let normals = Matrix::from_fn(4096, 3, |i, j| normal::quantile(points[i][j]));
        let samples = gp.samples(&at, &normals).unwrap();
        for i in 0..3 {
            let found = (0..4096).map(|s| samples[(s, i)]).sum::<f64>() / 4096.0;
            assert!((found - mean[i]).abs() < 0.02 * covariance[(i, i)].sqrt());
            assert!((covariance[(i, i)].sqrt() - gp.predict(at.row(i)).sd).abs() < 1e-6);
            for j in 0..3 {
                let found = (0..4096).map(|s| (samples[(s, i)] - mean[i]) * (samples[(s, j)] - mean[j])).sum::<f64>() / 4096.0;
                assert!((found - covariance[(i, j)]).abs() < 0.03 * (covariance[(i, i)] * covariance[(j, j)]).sqrt());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_order_of_the_runs_and_the_machine_of_their_values_do_not_matter(seed in 0_u64..1_000, n in 2_usize..12) {
            let data = data(n, seed);
            let mut order: Vec<usize> = (0..n).collect();
            Chance::new(seed).shuffle(&mut order);
            let other = Data {
                x: Matrix::from_fn(n, 3, |i, j| data.x[(order[i], j)]),
                y: order.iter().map(|i| data.y[*i]).collect(),
                known: Vec::new(),
            };
            let settings = Settings { starts: 2, ..Settings::default() };
            let (a, b) = (Gp::fit(&data, &settings, seed).unwrap(), Gp::fit(&other, &settings, seed).unwrap());
            prop_assert_eq!(&a, &b);
            // The covariance of any points is positive semidefinite, and no variance exceeds the prior one.
            let at = Matrix::from_rows(&Sobol::scrambled(3, seed + 1).points(9));
            let (_, covariance) = a.joint(&at);
            let values = crate::linear::symmetric(&covariance).values;
            prop_assert!(values.iter().all(|v| *v > -1e-8 * a.hyper().variance), "{:?}", values);
            prop_assert!((0..9).all(|i| covariance[(i, i)] <= a.hyper().variance * (1.0 + 1e-9)));
        }
    }
}
