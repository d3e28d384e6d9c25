//! Forecasts of whole runs, calibrated by leaving runs out.
//!
//! Every run is fitted alone, once. What the runs have in common is then a matter of statistics ([`Population`]), and a
//! run that is left out costs no new fit: its score is told by the population of the others.

use super::conformal::{Band, Expected, Method, Promise, band, promise, score, stays};
use super::forecast::{Draws, Question, Sensor, forecast};
use super::population::{Individual, Population};
use crate::fit::{Measured, Noise, Parameter, Posterior, Problem, Reading, Run, Uncertain};
use crate::kernel::{Options, System};
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result};

/// Least spread that is expected of a reading.
const SPREAD_MIN: f64 = 1e-12;

/// What was done in a run and what was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Name.
    pub name: String,
    /// Constants that its recipe sets, by name.
    pub set: Vec<(String, f64)>,
    /// Start, then the times of readings, in the unit of the model's time.
    pub times: Vec<f64>,
    /// Readings by sensor and time; none where nothing was read.
    pub read: Vec<Vec<Option<f64>>>,
}

/// What an interval is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// All readings of all sensors at once.
    All,
    /// All readings of a sensor at once, by its place.
    Sensor(usize),
    /// The last reading of a sensor: a titre.
    Last(usize),
}

/// A model, what differs among its runs and what reads them.
#[derive(Debug, Clone)]
pub struct Predictor<'s> {
    /// Model.
    pub system: &'s System,
    /// What differs from run to run. Priors would count once a run and should be left out; bounds count next to nothing.
    pub parameters: Vec<Parameter>,
    /// Sensors.
    pub sensors: Vec<Sensor>,
    /// How to simulate.
    pub options: Options,
    /// Draws of parameters behind every expectation.
    pub draws: usize,
    /// Seed.
    pub seed: u64,
    /// Threads; they change nothing.
    pub threads: usize,
}

impl Predictor<'_> {
    /// What a run alone tells of the parameters.
    ///
    /// # Errors
    /// As [`Problem::new`] and [`Problem::posterior`].
    pub fn alone(&self, course: &Course, starts: usize) -> Result<Posterior> {
        let mut measured = Vec::new();
        for (sensor, read) in self.sensors.iter().zip(&course.read) {
            for (time, value) in course.times.iter().zip(read) {
                let Some(value) = *value else { continue };
                let noise = Noise::Known(sensor.at(value).max(SPREAD_MIN));
                measured.push(Measured { quantity: sensor.quantity.clone(), time: *time, reading: Reading::Value(value), noise });
            }
        }
        let run = Run { system: None, name: course.name.clone(), group: course.name.clone(), set: course.set.clone(), measured };
        let start = course.times.first().copied().unwrap_or(0.0);
        let problem = Problem::new(self.system, &self.parameters, &[run], start, self.options.clone())?;
        // From the middle of the bounds first: only where that fails are there many starts.
        match problem.posterior_from(&problem.middle()) {
            Ok(posterior) if posterior.converged && starts <= 1 => Ok(posterior),
            _ => problem.posterior(starts.max(2), self.seed),
        }
    }

    /// What the runs of a population are expected to do with a recipe, by sensor.
    ///
    /// # Errors
    /// As [`forecast`]; a recipe that sets what the model does not have.
    pub fn expected(
        &self,
        population: &Population,
        unknowns: &[Uncertain],
        set: &[(String, f64)],
        times: &[f64],
    ) -> Result<Vec<Expected>> {
        let mut constants = self.system.constants();
        for (name, value) in set {
            let place = self.system.constant(name).map_err(|e| e.at(Place::field(format!("set.{name}"))))?;
            constants[place] = *value;
        }
        let mut chance = Chance::new(self.seed);
        let drawn = population.draws(self.draws, &mut chance)?;
        let draws = Draws {
            constants: unknowns.iter().map(|u| u.constant).collect(),
            values: drawn.iter().map(|row| unknowns.iter().zip(row).map(|(u, x)| u.outward(*x)).collect()).collect(),
        };
        let question = Question {
            system: self.system,
            constants,
            times: times.to_vec(),
            sensors: self.sensors.clone(),
            levels: Vec::new(),
            options: self.options.clone(),
            threads: self.threads,
        };
        let forecasts = forecast(&question, &draws, self.seed)?;
        let spread = |f: &super::Forecast| f.sd_measured.iter().map(|s| s.max(SPREAD_MIN)).collect();
        Ok(forecasts.iter().map(|f| Expected { spread: spread(f), mean: f.mean.clone() }).collect())
    }

    /// Leaves out each run in turn. `alone` is what each tells of the parameters, in the order of the courses.
    ///
    /// # Errors
    /// Fewer than four runs, or as [`Predictor::expected`].
    pub fn calibrate(&self, courses: &[Course], alone: &[Posterior]) -> Result<Calibration> {
        let individuals: Vec<Individual> =
            alone.iter().map(|p| Individual { at: p.at.clone(), covariance: p.covariance.clone() }).collect();
        let Some(unknowns) = alone.first().map(|p| p.unknowns.clone()).filter(|_| courses.len() == alone.len()) else {
            return Err(Error::input("E-PREDICT-004", "培養がありません", "there are no runs").at(Place::field("runs")));
        };
        let mut it = Calibration { unknowns, without: Vec::new(), expected: Vec::new(), read: Vec::new() };
        for (left, course) in courses.iter().enumerate() {
            let others: Vec<&Individual> = individuals.iter().enumerate().filter(|(i, _)| *i != left).map(|(_, x)| x).collect();
            let population = Population::of(&others)?;
            it.expected.push(self.expected(&population, &it.unknowns, &course.set, &course.times)?);
            it.without.push(population);
            it.read.push(course.read.clone());
        }
        Ok(it)
    }

    /// What is expected of a new recipe by each of the models that had not seen a run.
    ///
    /// # Errors
    /// As [`Predictor::expected`].
    pub fn of_recipe(&self, calibration: &Calibration, set: &[(String, f64)], times: &[f64]) -> Result<Vec<Vec<Expected>>> {
        calibration.without.iter().map(|p| self.expected(p, &calibration.unknowns, set, times)).collect()
    }
}

/// What leaving each run out has told.
#[derive(Debug, Clone)]
pub struct Calibration {
    unknowns: Vec<Uncertain>,
    without: Vec<Population>,
    /// By run and sensor.
    expected: Vec<Vec<Expected>>,
    read: Vec<Vec<Vec<Option<f64>>>>,
}

impl Aim {
    /// What is expected where the aim looks.
    #[must_use]
    pub fn expected(&self, by_sensor: &[Expected]) -> Expected {
        let all = |of: &dyn Fn(&Expected) -> Vec<f64>| by_sensor.iter().flat_map(of).collect();
        match self {
            Self::All => Expected { mean: all(&|e| e.mean.clone()), spread: all(&|e| e.spread.clone()) },
            Self::Sensor(sensor) => by_sensor.get(*sensor).cloned().unwrap_or_default(),
            Self::Last(sensor) => {
                let it = by_sensor.get(*sensor);
                let last = |of: &dyn Fn(&Expected) -> Option<f64>| it.and_then(of).into_iter().collect();
                Expected { mean: last(&|e| e.mean.last().copied()), spread: last(&|e| e.spread.last().copied()) }
            }
        }
    }

    /// What was read there.
    #[must_use]
    pub fn read(&self, by_sensor: &[Vec<Option<f64>>]) -> Vec<Option<f64>> {
        match self {
            Self::All => by_sensor.iter().flatten().copied().collect(),
            Self::Sensor(sensor) => by_sensor.get(*sensor).cloned().unwrap_or_default(),
            Self::Last(sensor) => by_sensor.get(*sensor).and_then(|r| r.last().copied()).into_iter().collect(),
        }
    }
}

impl Calibration {
    /// Places of the runs that were read where the aim looks, and their scores.
    #[must_use]
    pub fn scores(&self, aim: &Aim) -> Vec<(usize, f64)> {
        let mut scores = Vec::new();
        for (run, (expected, read)) in self.expected.iter().zip(&self.read).enumerate() {
            scores.extend(score(&aim.expected(expected), &aim.read(read)).map(|s| (run, s)));
        }
        scores
    }

    /// What these runs can promise.
    #[must_use]
    pub fn promise(&self, aim: &Aim, level: f64) -> Promise {
        promise(Method::JackknifePlus, self.scores(aim).len(), level)
    }

    /// Band of a recipe whose expectations are those of [`Predictor::of_recipe`]; none where so few runs cannot promise
    /// the level.
    #[must_use]
    pub fn band(&self, aim: &Aim, of_recipe: &[Vec<Expected>], level: f64) -> Option<Band> {
        let (scores, expected) = self.against(aim, of_recipe)?;
        band(&scores, &expected, level)
    }

    /// Does a run of such a recipe stay with those that calibrate? None as with the band, or where nothing was read.
    #[must_use]
    pub fn stays(&self, aim: &Aim, of_recipe: &[Vec<Expected>], read: &[Vec<Option<f64>>], level: f64) -> Option<bool> {
        let (scores, expected) = self.against(aim, of_recipe)?;
        stays(&scores, &expected, &aim.read(read), level)
    }

    fn against(&self, aim: &Aim, of_recipe: &[Vec<Expected>]) -> Option<(Vec<f64>, Vec<Expected>)> {
        let (places, scores): (Vec<usize>, Vec<f64>) = self.scores(aim).into_iter().unzip();
        let expected: Vec<Expected> = places.iter().filter_map(|i| of_recipe.get(*i)).map(|e| aim.expected(e)).collect();
        (expected.len() == scores.len() && expected.len() >= 2).then_some((scores, expected))
    }
}
