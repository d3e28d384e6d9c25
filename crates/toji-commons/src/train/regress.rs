//! Regressions as sites.

use super::local::{Local, Site};
use toji_core::{Error, Id, Place, Result};

/// The distribution of what is measured, with its natural link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Normal with a standard deviation of one: half the squared residual. A ridge is a prior of the descent.
    Gaussian,
    /// Yes (1) or no (0), logit.
    Bernoulli,
    /// Counts, logarithm.
    Poisson,
}

/// A measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The protected unit it is of.
    pub unit: Id,
    /// Features; a constant is one of them.
    pub features: Vec<f64>,
    /// What was measured.
    pub response: f64,
}

/// Data of a site for a regression.
#[derive(Debug, Clone)]
pub struct Regression {
    family: Family,
    /// By unit.
    units: Vec<Vec<Observation>>,
}

impl Regression {
    /// Takes the data of a site.
    ///
    /// # Errors
    /// No observation, features of several lengths, no numbers, or responses that the family does not have.
    pub fn new(family: Family, observations: Vec<Observation>) -> Result<Self> {
        let length = observations.first().map_or(0, |o| o.features.len());
        let fine = |o: &Observation| {
            let response = match family {
                Family::Gaussian => o.response.is_finite(),
                Family::Bernoulli => o.response == 0.0 || o.response == 1.0,
                Family::Poisson => o.response.is_finite() && o.response >= 0.0,
            };
            response && o.features.len() == length && o.features.iter().all(|f| f.is_finite())
        };
        if length == 0 || !observations.iter().all(fine) {
            return Err(Error::input(
                "E-TRAIN-001",
                "特徴の数がそろわないか、数でない値があるか、応答が分布に合いません",
                "features of several lengths, no numbers, or responses that the distribution does not have",
            )
            .at(Place::field("observations"))
            .hint(
                "欠測を除き、応答を 0/1、0 以上の数などに合わせてください",
                "leave out what is missing; responses are 0/1, or not negative",
            ));
        }
        let mut units: std::collections::BTreeMap<Id, Vec<Observation>> = std::collections::BTreeMap::new();
        for observation in observations {
            units.entry(observation.unit.clone()).or_default().push(observation);
        }
        Ok(Self { family, units: units.into_values().collect() })
    }
}

impl Family {
    /// The mean at a predictor.
    #[must_use]
    pub fn mean(self, predictor: f64) -> f64 {
        match self {
            Self::Gaussian => predictor,
            Self::Bernoulli => 1.0 / (1.0 + libm::exp(-predictor)),
            Self::Poisson => libm::exp(predictor),
        }
    }

    /// −ln L of one response at a predictor up to a constant, with slope and curvature by the predictor.
    fn part(self, predictor: f64, response: f64) -> (f64, f64, f64) {
        let mean = self.mean(predictor);
        let slope = mean - response;
        match self {
            Self::Gaussian => (0.5 * slope * slope, slope, 1.0),
            Self::Bernoulli => {
                // ln(1 + e^η), also for large η.
                let softplus = libm::fmax(predictor, 0.0) + libm::log1p(libm::exp(-predictor.abs()));
                (softplus - response * predictor, slope, mean * (1.0 - mean))
            }
            Self::Poisson => (mean - response * predictor, slope, mean),
        }
    }
}

impl Site for Regression {
    fn units(&self, at: &[f64]) -> Vec<Option<Local>> {
        let unit = |observations: &Vec<Observation>| {
            let mut local = Local::nothing(at.len());
            for Observation { features, response, .. } in observations {
                if features.len() != at.len() {
                    return None;
                }
                let predictor = features.iter().zip(at).map(|(f, b)| f * b).sum();
                let (objective, slope, curvature) = self.family.part(predictor, *response);
                local.add(objective, slope, curvature, features);
            }
            Some(local)
        };
        self.units.iter().map(unit).collect()
    }
}
