//! Draws of parameters carried through the model: what a run is expected to do, with everything that is open about it.

use super::population::{Individual, Population, root};
use crate::fit::Posterior;
use crate::kernel::{Options, System};
use crate::linear::Matrix;
use serde::{Deserialize, Serialize};
use toji_core::chance::Chance;
use toji_core::{Category, Error, Place, Result, Text};

/// Share of the draws that must have been simulated.
const SIMULATED_MIN: f64 = 0.9;

/// Values of constants, drawn: the places of the constants, and a row a draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Draws {
    /// Places among the constants of the system.
    pub constants: Vec<usize>,
    /// Values.
    pub values: Vec<Vec<f64>>,
}

impl Draws {
    /// For a run of a group that the fit knows, or of one without parameters of its own: from the posterior alone.
    ///
    /// # Errors
    /// A group the fit does not know.
    pub fn of_group(posterior: &Posterior, group: &str, n: usize, seed: u64) -> Result<Self> {
        let known = |u: &crate::fit::Uncertain| u.group.as_deref().is_none_or(|g| g == group);
        let places: Vec<usize> = (0..posterior.unknowns.len()).filter(|i| known(&posterior.unknowns[*i])).collect();
        let grouped = posterior.unknowns.iter().any(|u| u.group.is_some());
        if grouped && places.iter().all(|i| posterior.unknowns[*i].group.is_none()) {
            return Err(Error::input(
                "E-PREDICT-002",
                format!("当てはめにない群です: «{group}»"),
                format!("the fit knows no group «{group}»"),
            )
            .at(Place::field("group"))
            .hint("新しい培養としての予測にしてください", "forecast it as a new run"));
        }
        let factor = root(&part(&posterior.covariance, &places))?;
        let mut chance = Chance::new(seed);
        let values = (0..n)
            .map(|_| {
                let normals: Vec<f64> = places.iter().map(|_| chance.normal()).collect();
                let off = factor.times(&normals);
                places.iter().zip(off).map(|(i, o)| posterior.unknowns[*i].outward(posterior.at[*i] + o)).collect()
            })
            .collect();
        Ok(Self { constants: places.iter().map(|i| posterior.unknowns[*i].constant).collect(), values })
    }

    /// For a run that the fit does not know: shared parameters from the posterior, those of groups from the groups as
    /// a population. What the two have in common is left out, which makes the draws wider rather than narrower.
    ///
    /// # Errors
    /// Fewer than three groups.
    pub fn of_new_run(posterior: &Posterior, n: usize, seed: u64) -> Result<Self> {
        let shared: Vec<usize> = (0..posterior.unknowns.len()).filter(|i| posterior.unknowns[*i].group.is_none()).collect();
        let mut chance = Chance::new(seed);
        let factor = root(&part(&posterior.covariance, &shared))?;
        let mut draws = Self {
            constants: shared.iter().map(|i| posterior.unknowns[*i].constant).collect(),
            values: (0..n)
                .map(|_| {
                    let normals: Vec<f64> = shared.iter().map(|_| chance.normal()).collect();
                    let off = factor.times(&normals);
                    shared.iter().zip(off).map(|(i, o)| posterior.unknowns[*i].outward(posterior.at[*i] + o)).collect()
                })
                .collect(),
        };
        let groups = Individual::of_groups(posterior);
        let Some((first, _)) = groups.first() else { return Ok(draws) };
        let members: Vec<_> = posterior.unknowns.iter().filter(|u| u.group.as_ref() == Some(first)).collect();
        let population = Population::of(&groups.iter().map(|(_, i)| i).collect::<Vec<_>>())?;
        draws.constants.extend(members.iter().map(|m| m.constant));
        for (row, drawn) in draws.values.iter_mut().zip(population.draws(n, &mut chance)?) {
            row.extend(members.iter().zip(drawn).map(|(m, x)| m.outward(x)));
        }
        Ok(draws)
    }

    /// Settings of all constants: those of the run, with the drawn ones in their places.
    #[must_use]
    pub fn settings(&self, of_run: &[f64]) -> Vec<Vec<f64>> {
        let with = |row: &Vec<f64>| {
            let mut all = of_run.to_vec();
            for (place, value) in self.constants.iter().zip(row) {
                if let Some(it) = all.get_mut(*place) {
                    *it = *value;
                }
            }
            all
        };
        self.values.iter().map(with).collect()
    }
}

fn part(matrix: &Matrix, places: &[usize]) -> Matrix {
    Matrix::from_fn(places.len(), places.len(), |i, j| matrix[(places[i], places[j])])
}

/// What reads a quantity, and how well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Sensor {
    /// Quantity of the model.
    pub quantity: String,
    /// Standard deviation of a reading, in the unit of the quantity.
    pub sd: f64,
    /// Further standard deviation as a share of the value.
    pub share: f64,
}

impl Sensor {
    /// Standard deviation of a reading of this value.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let share = self.share * value;
        (self.sd * self.sd + share * share).sqrt()
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question<'s> {
    /// Model.
    pub system: &'s System,
    /// Constants of the run: its recipe.
    pub constants: Vec<f64>,
    /// Start, then the times asked for.
    pub times: Vec<f64>,
    /// What is read.
    pub sensors: Vec<Sensor>,
    /// Levels of the fan, such as 0.5, 0.8 and 0.9.
    pub levels: Vec<f64>,
    /// How to simulate.
    pub options: Options,
    /// Threads; they change nothing.
    pub threads: usize,
}

/// Ends of an interval of one level at every time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Fan {
    /// Level.
    pub level: f64,
    /// Lower ends.
    pub low: Vec<f64>,
    /// Upper ends.
    pub high: Vec<f64>,
}

/// What is expected of one quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Forecast {
    /// Quantity.
    pub quantity: String,
    /// Mean at every time.
    pub mean: Vec<f64>,
    /// Standard deviation of the quantity itself.
    pub sd: Vec<f64>,
    /// Standard deviation of a reading.
    pub sd_measured: Vec<f64>,
    /// Intervals of a reading at each time by itself, by the model alone: nothing but the model vouches for their
    /// levels.
    pub fan: Vec<Fan>,
}

/// Carries draws through the model.
///
/// # Errors
/// A quantity the model does not have; more than a tenth of the draws that cannot be simulated.
pub fn forecast(question: &Question<'_>, draws: &Draws, seed: u64) -> Result<Vec<Forecast>> {
    let places = question.sensors.iter().map(|s| question.system.quantity(&s.quantity)).collect::<Result<Vec<_>>>()?;
    let settings = draws.settings(&question.constants);
    let done = question.system.ensemble(&settings, &question.times, &question.options, question.threads);
    let asked = done.len();
    let mut fault = None;
    let good: Vec<_> = done.into_iter().filter_map(|one| one.map_err(|error| fault = Some(error)).ok()).collect();
    if (good.len() as f64) < SIMULATED_MIN * asked as f64 || good.len() < 2 {
        let cause = fault.map_or_else(|| Text::new("", ""), |e: Error| e.fault().message.clone());
        return Err(Error::new(
            Category::Model,
            "E-PREDICT-003",
            format!("{asked} 通りのパラメーターのうち {} 通りしか計算できませんでした。{}", good.len(), cause.ja),
            format!("only {} of {asked} draws of the parameters could be simulated; {}", good.len(), cause.en),
        )
        .hint(
            "パラメーターの範囲を狭めるか、データを増やしてください",
            "narrow the bounds of the parameters, or add data that tell them",
        ));
    }
    let mut chance = Chance::new(seed ^ 0x5eed_0f4e_adb7_11e5);
    let mut all = Vec::new();
    for (sensor, place) in question.sensors.iter().zip(places) {
        let mut it = Forecast {
            quantity: sensor.quantity.clone(),
            mean: Vec::new(),
            sd: Vec::new(),
            sd_measured: Vec::new(),
            fan: question.levels.iter().map(|l| Fan { level: *l, low: Vec::new(), high: Vec::new() }).collect(),
        };
        for time in 0..question.times.len() {
            let values: Vec<f64> = good.iter().map(|t| t.at(time)[place]).collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
            let noise = values.iter().map(|v| sensor.at(*v)).map(|s| s * s).sum::<f64>() / n;
            let mut read: Vec<f64> = values.iter().map(|v| v + sensor.at(*v) * chance.normal()).collect();
            read.sort_by(f64::total_cmp);
            it.mean.push(mean);
            it.sd.push(variance.sqrt());
            it.sd_measured.push((variance + noise).sqrt());
            for fan in &mut it.fan {
                fan.low.push(quantile(&read, 0.5 - 0.5 * fan.level));
                fan.high.push(quantile(&read, 0.5 + 0.5 * fan.level));
            }
        }
        all.push(it);
    }
    Ok(all)
}

/// Quantile of sorted values, between them by straight lines.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let (below, share) = (at.floor() as usize, at - at.floor());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + share * (sorted[above] - sorted[below])
}
