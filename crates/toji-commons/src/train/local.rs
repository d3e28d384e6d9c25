//! What a site says at a point.

use crate::aggregate::Encoding;

/// How data see a model at a point. It adds up over data.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// Measurements.
    pub n: f64,
    /// −ln L, up to a constant.
    pub objective: f64,
    /// Its gradient.
    pub gradient: Vec<f64>,
    /// Its curvature or Fisher's information, row by row: symmetric.
    pub curvature: Vec<f64>,
}

/// Where data are.
pub trait Site {
    /// How each protected unit (a run) sees the model at a point; none for a unit that it cannot be computed for there.
    /// What is said of a unit must not depend on the others.
    fn units(&self, at: &[f64]) -> Vec<Option<Local>>;
}

/// Greatest sizes of what a site says; they are agreed on before, from the model and not from data. A site whose figures
/// are beyond says that it could not compute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranges {
    /// Measurements.
    pub n: f64,
    /// Objective.
    pub objective: f64,
    /// Each slope, by the unit of the objective over that of the parameter.
    pub gradient: f64,
    /// Each curvature.
    pub curvature: f64,
}

impl Local {
    /// Of no data.
    #[must_use]
    pub fn nothing(parameters: usize) -> Self {
        Self { n: 0.0, objective: 0.0, gradient: vec![0.0; parameters], curvature: vec![0.0; parameters * parameters] }
    }

    /// Adds a measurement: its part of the objective, the slope and curvature of that by the predictor, and the slopes of
    /// the predictor by the parameters.
    pub fn add(&mut self, objective: f64, slope: f64, curvature: f64, slopes: &[f64]) {
        self.n += 1.0;
        self.objective += objective;
        let p = slopes.len();
        for (i, a) in slopes.iter().enumerate() {
            self.gradient[i] += slope * a;
            for (cell, b) in self.curvature[i * p..][..p].iter_mut().zip(slopes) {
                *cell += curvature * a * b;
            }
        }
    }

    /// Adds what other data say.
    pub fn plus(&mut self, more: &Self) {
        self.n += more.n;
        self.objective += more.objective;
        self.gradient.iter_mut().zip(&more.gradient).for_each(|(a, b)| *a += b);
        self.curvature.iter_mut().zip(&more.curvature).for_each(|(a, b)| *a += b);
    }

    /// All of these together; none when one of them is not there.
    #[must_use]
    pub fn sum(parameters: usize, all: &[Option<Self>]) -> Option<Self> {
        let mut sum = Self::nothing(parameters);
        all.iter().try_for_each(|one| one.as_ref().map(|one| sum.plus(one)))?;
        Some(sum)
    }

    /// The gradient, then the upper triangle of the curvature, row by row.
    #[must_use]
    pub fn shape(&self) -> Vec<f64> {
        let p = self.gradient.len();
        let upper = (0..p).flat_map(|i| (i..p).map(move |j| self.curvature[i * p + j]));
        self.gradient.iter().copied().chain(upper).collect()
    }

    /// Back from a shape.
    #[must_use]
    pub fn of_shape(parameters: usize, shape: &[f64]) -> Self {
        let mut local = Self::nothing(parameters);
        let mut rest = shape.iter().copied();
        local.gradient.iter_mut().for_each(|slope| *slope = rest.next().unwrap_or(0.0));
        for i in 0..parameters {
            for j in i..parameters {
                let value = rest.next().unwrap_or(0.0);
                local.curvature[i * parameters + j] = value;
                local.curvature[j * parameters + i] = value;
            }
        }
        local
    }
}

/// Slots of a shape.
pub(super) fn shape_slots(parameters: usize) -> usize {
    parameters + parameters * (parameters + 1) / 2
}

impl Ranges {
    /// The slots: sites that could not compute, measurements, objective, shape.
    pub(super) fn encoding(&self, parameters: usize, sites: usize, bits: u32) -> Encoding {
        let mut limits = vec![sites as f64, self.n, self.objective];
        limits.extend(vec![self.gradient; parameters]);
        limits.extend(vec![self.curvature; shape_slots(parameters) - parameters]);
        Encoding { limits, bits }
    }
}

/// What a site sends: its part, or, where it has none, that it has none.
pub(super) fn vector(local: Option<&Local>, parameters: usize) -> Vec<f64> {
    match local {
        Some(local) => [0.0, local.n, local.objective].into_iter().chain(local.shape()).collect(),
        None => [1.0, 0.0, 0.0].into_iter().chain(vec![0.0; shape_slots(parameters)]).collect(),
    }
}

/// What all together said; none when one of them could not compute.
pub(super) fn heard(values: &[f64], parameters: usize) -> Option<Local> {
    match values {
        [failed, n, objective, shape @ ..] if *failed < 0.5 => {
            Some(Local { n: *n, objective: *objective, ..Local::of_shape(parameters, shape) })
        }
        _ => None,
    }
}
