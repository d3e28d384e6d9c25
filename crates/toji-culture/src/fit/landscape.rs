//! What can be descended: −2 ln L of unknown numbers between bounds.

use toji_core::Result;

/// How an unknown is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As it is.
    Linear,
    /// By its logarithm; it is positive.
    Log,
}

/// One unknown number.
#[derive(Debug, Clone, PartialEq)]
pub struct Unknown {
    /// Name, with its group where it has its own.
    pub name: String,
    /// Scale of the search.
    pub scale: Scale,
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
}

impl Unknown {
    /// Onto the scale of the search.
    #[must_use]
    pub fn inward(&self, value: f64) -> f64 {
        if self.scale == Scale::Log { libm::log(value) } else { value }
    }
    /// And back.
    #[must_use]
    pub fn outward(&self, searched: f64) -> f64 {
        if self.scale == Scale::Log { libm::exp(searched) } else { searched }
    }
    /// Slope of the value on the scale of the search.
    pub(crate) fn slope(&self, value: f64) -> f64 {
        if self.scale == Scale::Log { value } else { 1.0 }
    }
    pub(crate) fn bounds(&self) -> (f64, f64) {
        (self.inward(self.low), self.inward(self.high))
    }
}

/// −2 ln L at a point of the search, and its shape there.
#[derive(Debug, Clone)]
pub struct Local {
    /// −2 ln L.
    pub minus_two_log: f64,
    /// Half its gradient.
    pub gradient: Vec<f64>,
    /// Half its expected curvature (Fisher's information), row by row: symmetric, never negative.
    pub curvature: Vec<f64>,
    /// Estimated standard deviations of sensors.
    pub spreads: Vec<f64>,
}

impl Local {
    /// Nothing said yet of `n` unknowns.
    pub(crate) fn nothing(n: usize) -> Self {
        Self { minus_two_log: 0.0, gradient: vec![0.0; n], curvature: vec![0.0; n * n], spreads: Vec::new() }
    }

    /// Adds a residual of this value and slopes to gradient and curvature, its square weighted.
    pub(crate) fn add(&mut self, value: f64, slopes: &[f64], weight: f64) {
        let n = slopes.len();
        for (i, a) in slopes.iter().enumerate().filter(|(_, a)| **a != 0.0) {
            self.gradient[i] += weight * a * value;
            self.curve(i, n, weight * a, slopes);
        }
    }

    /// Adds to the curvature alone.
    pub(crate) fn curve(&mut self, i: usize, n: usize, by: f64, slopes: &[f64]) {
        for (cell, b) in self.curvature[i * n..][..n].iter_mut().zip(slopes) {
            *cell += by * b;
        }
    }
}

/// Something that says how well unknown numbers explain measurements.
pub trait Landscape {
    /// The unknowns.
    fn unknowns(&self) -> Vec<&Unknown>;
    /// Names of standard deviations that are estimated beside, in the order of [`Local::spreads`].
    fn noises(&self) -> &[String] {
        &[]
    }
    /// Measurements.
    fn measurements(&self) -> usize;
    /// −2 ln L at a point on the scales of the search.
    ///
    /// # Errors
    /// What a simulation refuses.
    fn at(&self, point: &[f64]) -> Result<Local>;
}
