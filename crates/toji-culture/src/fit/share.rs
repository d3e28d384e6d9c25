//! What single runs say of parameters, in figures that add up: so that several sites, each with its own runs, find
//! together what one fit of all runs would find.

use super::landscape::Local;

/// What a run, or several, say at a point of the search. Sums of these over runs, wherever they are, are what all say.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Measurements with known noise, and priors.
    pub known: Squares,
    /// −2 ln L of these beyond their squares: what their standard deviations add.
    pub constant: f64,
    /// Measurements of each estimated noise, in the order of [`super::Landscape::noises`].
    pub estimated: Vec<Squares>,
}

/// Residuals: how many, their squares, half the gradient of these, and half their curvature (J'J, row by row).
#[derive(Debug, Clone, PartialEq)]
pub struct Squares {
    /// Number.
    pub n: f64,
    /// Sum of squares: of standard deviations where the noise is known, of the quantity's unit where it is not.
    pub sum: f64,
    /// Half its gradient.
    pub gradient: Vec<f64>,
    /// Half its curvature.
    pub curvature: Vec<f64>,
}

impl Squares {
    fn nothing(unknowns: usize) -> Self {
        Self { n: 0.0, sum: 0.0, gradient: vec![0.0; unknowns], curvature: vec![0.0; unknowns * unknowns] }
    }

    fn add(&mut self, value: f64, slopes: &[f64]) {
        let n = slopes.len();
        self.n += 1.0;
        self.sum += value * value;
        for (i, a) in slopes.iter().enumerate().filter(|(_, a)| **a != 0.0) {
            self.gradient[i] += a * value;
            self.curvature[i * n..][..n].iter_mut().zip(slopes).for_each(|(cell, b)| *cell += a * b);
        }
    }

    fn plus(&mut self, more: &Self) {
        self.n += more.n;
        self.sum += more.sum;
        self.gradient.iter_mut().zip(&more.gradient).for_each(|(a, b)| *a += b);
        self.curvature.iter_mut().zip(&more.curvature).for_each(|(a, b)| *a += b);
    }
}

impl Share {
    /// Of nothing.
    #[must_use]
    pub fn nothing(unknowns: usize, noises: usize) -> Self {
        Self { known: Squares::nothing(unknowns), constant: 0.0, estimated: vec![Squares::nothing(unknowns); noises] }
    }

    /// A residual with its slopes, of an estimated noise or none.
    pub(super) fn add(&mut self, value: f64, slopes: &[f64], noise: Option<usize>) {
        match noise {
            Some(noise) => self.estimated[noise].add(value, slopes),
            None => self.known.add(value, slopes),
        }
    }

    /// Adds what others say, of the same unknowns and noises.
    pub fn plus(&mut self, more: &Self) {
        self.known.plus(&more.known);
        self.constant += more.constant;
        self.estimated.iter_mut().zip(&more.estimated).for_each(|(a, b)| a.plus(b));
    }

    /// −2 ln L and its shape, estimated spreads at those of all residuals together.
    #[must_use]
    pub fn local(&self) -> Local {
        let mut local = Local::nothing(self.known.gradient.len());
        local.minus_two_log = self.constant + self.known.sum;
        let mut weighed = |squares: &Squares, weight: f64| {
            local.gradient.iter_mut().zip(&squares.gradient).for_each(|(a, b)| *a += weight * b);
            local.curvature.iter_mut().zip(&squares.curvature).for_each(|(a, b)| *a += weight * b);
        };
        weighed(&self.known, 1.0);
        let mut spreads = Vec::new();
        for squares in &self.estimated {
            let variance = (squares.sum / squares.n).max(f64::MIN_POSITIVE);
            weighed(squares, 1.0 / variance);
            local.minus_two_log += squares.n * (libm::log(2.0 * std::f64::consts::PI * variance) + 1.0);
            spreads.push(libm::sqrt(variance));
        }
        local.spreads = spreads;
        local
    }
}
