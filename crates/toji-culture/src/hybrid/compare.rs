//! The hybrid beside each of its parts alone, on runs that none of them had seen.
//!
//! * mechanism: its parameters fitted to the runs;
//! * statistics: each quantity a Gaussian process over time and the settings in which runs differ;
//! * hybrid: the fitted mechanism with its learnt factors.

use super::learn::{Learn, Manner, learn};
use crate::fit::{Parameter, Problem, Reading, Run};
use crate::gp::{Data, Gp, Settings};
use crate::kernel::Options;
use crate::linear::Matrix;
use crate::model::{File, Model};
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result};

/// Readings that a process of one quantity is fitted to at most.
const READINGS_MAX: usize = 400;

/// How far predictions of one quantity were off, on runs not seen: root mean squares in units of the quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Contest {
    /// Quantity.
    pub quantity: String,
    /// Readings that judged.
    pub readings: usize,
    /// Standard deviation of these readings: what would be off without any model.
    pub spread: f64,
    /// Mechanism alone.
    pub mechanism: f64,
    /// Statistics alone.
    pub statistics: f64,
    /// Hybrid.
    pub hybrid: f64,
}

/// What a comparison takes.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    /// Model file without factors.
    pub file: &'a File,
    /// Parameters of the mechanism that are fitted, shared by all runs.
    pub parameters: &'a [Parameter],
    /// What is learnt.
    pub what: &'a [Learn],
    /// Runs.
    pub runs: &'a [Run<'a>],
    /// How it is learnt.
    pub manner: &'a Manner,
    /// Starts of the fit of the mechanism.
    pub starts: usize,
    /// How to simulate.
    pub options: &'a Options,
}

/// A mechanism fitted to runs, as a file whose constants are the best ones.
///
/// # Errors
/// As [`Problem::new`] and [`Problem::posterior`].
pub fn fitted(of: &Comparison<'_>, runs: &[Run]) -> Result<File> {
    let mut file = of.file.clone();
    if of.parameters.is_empty() {
        return Ok(file);
    }
    let model = Model::of(of.file)?;
    let start = of.manner.knots.first().copied().unwrap_or(0.0);
    let problem = Problem::new(&model.system, of.parameters, runs, start, of.options.clone())?;
    let posterior = problem.posterior(of.starts, of.manner.seed)?;
    for (unknown, at) in posterior.unknowns.iter().zip(&posterior.at) {
        if let Some(constant) = of.parameters.get(unknown.parameter).and_then(|p| file.constant.get_mut(&p.name)) {
            constant.value = Some(unknown.outward(*at));
            constant.expression = None;
        }
    }
    Ok(file)
}

impl Comparison<'_> {
    /// Leaves out every fold of the runs in turn. `step` hears how many of how many folds are done and may stop the work.
    ///
    /// # Errors
    /// Fewer runs than folds or fewer than two folds; as [`fitted`] and [`learn`]; what `step` says.
    pub fn fold(&self, folds: usize, step: &mut dyn FnMut(usize, usize) -> Result<()>) -> Result<Vec<Contest>> {
        if folds < 2 || self.runs.len() < 2 * folds {
            return Err(Error::input(
                "E-HYBRID-006",
                format!("{folds} 分割の比較には {} 回以上の培養が必要です（{} 回）", 2 * folds.max(2), self.runs.len()),
                format!("comparing over {folds} folds takes {} runs or more, not {}", 2 * folds.max(2), self.runs.len()),
            )
            .at(Place::field("folds")));
        }
        let mut off: BTreeMap<String, Vec<[f64; 4]>> = BTreeMap::new();
        for fold in 0..folds {
            step(fold, folds)?;
            let (judges, taught): (Vec<usize>, Vec<usize>) = (0..self.runs.len()).partition(|i| i % folds == fold);
            let taught: Vec<Run> = taught.into_iter().map(|i| self.runs[i].clone()).collect();
            let file = fitted(self, &taught)?;
            let learnt = learn(&file, self.what, &taught, &[], self.manner, self.options)?;
            let (mechanism, hybrid) = (Model::of(&file)?, Model::of(&learnt.file)?);
            let statistics = Statistics::fit(&taught, self.manner.seed)?;
            for judge in judges {
                let run = &self.runs[judge];
                let of = |model: &Model| expected(model, run, self.manner, self.options);
                let (mechanism, hybrid) = (of(&mechanism)?, of(&hybrid)?);
                for (i, m) in run.measured.iter().enumerate() {
                    let Reading::Value(value) = m.reading else { continue };
                    let statistics = statistics.at(run, &m.quantity, m.time);
                    off.entry(m.quantity.clone()).or_default().push([value, mechanism[i], statistics, hybrid[i]]);
                }
            }
        }
        step(folds, folds)?;
        let contest = |(quantity, rows): (String, Vec<[f64; 4]>)| {
            let n = rows.len() as f64;
            let mean = rows.iter().map(|r| r[0]).sum::<f64>() / n;
            let root = |of: &dyn Fn(&[f64; 4]) -> f64| (rows.iter().map(|r| of(r).powi(2)).sum::<f64>() / n).sqrt();
            Contest {
                quantity,
                readings: rows.len(),
                spread: root(&|r| r[0] - mean),
                mechanism: root(&|r| r[0] - r[1]),
                statistics: root(&|r| r[0] - r[2]),
                hybrid: root(&|r| r[0] - r[3]),
            }
        };
        Ok(off.into_iter().map(contest).collect())
    }
}

/// What a model expects of each reading of a run.
fn expected(model: &Model, run: &Run, manner: &Manner, options: &Options) -> Result<Vec<f64>> {
    let mut constants = model.system.constants();
    for (name, value) in &run.set {
        constants[model.system.constant(name)?] = *value;
    }
    let mut times: Vec<f64> = run.measured.iter().map(|m| m.time).chain(manner.knots.first().copied()).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let trajectory = model.system.simulate(&constants, &times, options)?;
    run.measured
        .iter()
        .map(|m| {
            let time = times.binary_search_by(|t| t.total_cmp(&m.time)).unwrap_or_else(|at| at.min(times.len() - 1));
            Ok(trajectory.at(time)[model.system.quantity(&m.quantity)?])
        })
        .collect()
}

/// Statistics without a mechanism.
struct Statistics {
    /// Settings in which the runs differ, with least and range.
    settings: Vec<(String, f64, f64)>,
    time: (f64, f64),
    of: BTreeMap<String, Gp>,
}

impl Statistics {
    fn fit(runs: &[Run], seed: u64) -> Result<Self> {
        let span = |values: &[f64]| {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            (low, values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low)
        };
        let mut given: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        runs.iter().flat_map(|r| &r.set).for_each(|(name, value)| given.entry(name).or_default().push(*value));
        let settings = given
            .iter()
            .filter(|(_, values)| values.len() == runs.len())
            .map(|(name, values)| ((*name).to_owned(), span(values)))
            .filter(|(_, (_, range))| *range > 0.0)
            .map(|(name, (low, range))| (name, low, range))
            .collect();
        let times: Vec<f64> = runs.iter().flat_map(|r| &r.measured).map(|m| m.time).collect();
        let (low, range) = span(&times);
        let mut it = Self { settings, time: (low, range.max(1e-12)), of: BTreeMap::new() };
        let mut quantities: Vec<&String> = runs.iter().flat_map(|r| &r.measured).map(|m| &m.quantity).collect();
        quantities.sort();
        quantities.dedup();
        for quantity in quantities {
            let (mut rows, mut y) = (Vec::new(), Vec::new());
            for run in runs {
                for m in run.measured.iter().filter(|m| m.quantity == *quantity) {
                    if let Reading::Value(value) = m.reading {
                        rows.push(it.row(run, m.time));
                        y.push(value);
                    }
                }
            }
            rows.truncate(READINGS_MAX);
            y.truncate(READINGS_MAX);
            let data = Data { x: Matrix::from_rows(&rows), y, known: Vec::new() };
            it.of.insert(quantity.clone(), Gp::fit(&data, &Settings { starts: 2, ..Settings::default() }, seed)?);
        }
        Ok(it)
    }

    fn row(&self, run: &Run, time: f64) -> Vec<f64> {
        let set = |(name, low, range): &(String, f64, f64)| {
            run.set.iter().find(|(n, _)| n == name).map_or(0.5, |(_, value)| (value - low) / range)
        };
        self.settings.iter().map(set).chain([(time - self.time.0) / self.time.1]).collect()
    }

    fn at(&self, run: &Run, quantity: &str, time: f64) -> f64 {
        self.of.get(quantity).map_or(f64::NAN, |gp| gp.predict(&self.row(run, time)).mean)
    }
}
