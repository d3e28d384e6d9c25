//! What is fitted: parameters, runs and what was measured in them.

use super::landscape::{Scale, Unknown};
use crate::kernel::{Options, System};
use toji_core::{Error, Place, Result};

/// What is known of a parameter beforehand: a normal distribution on its scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// Mean: of the value, or of its natural logarithm.
    pub mean: f64,
    /// Standard deviation of the same.
    pub sd: f64,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The constant of the model, by name.
    pub name: String,
    /// Scale of the search.
    pub scale: Scale,
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
    /// What is known beforehand.
    pub prior: Option<Prior>,
    /// Groups of runs that share one value, by the names of [`Run::group`]; one value for all where false.
    pub by_group: bool,
}

/// What an instrument said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// A value.
    Value(f64),
    /// Less than a limit of detection.
    Below(f64),
    /// More than the range.
    Above(f64),
}

/// Spread of the readings of a sensor.
#[derive(Debug, Clone, PartialEq)]
pub enum Noise {
    /// Standard deviation, known.
    Known(f64),
    /// One unknown standard deviation for all readings of this name.
    Estimated(String),
}

/// A measured value.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Quantity of the model, by name.
    pub quantity: String,
    /// Time, in the unit of the model's time.
    pub time: f64,
    /// What was read, in the unit of the quantity.
    pub reading: Reading,
    /// Its noise.
    pub noise: Noise,
}

/// A run.
#[derive(Debug, Clone)]
pub struct Run<'s> {
    /// Its own form of the model, where it has one: the same names, but the feed of this run.
    pub system: Option<&'s System>,
    /// Name.
    pub name: String,
    /// Group that shares parameters: a strain, a block of reactors.
    pub group: String,
    /// Constants of this run, by name.
    pub set: Vec<(String, f64)>,
    /// Measurements.
    pub measured: Vec<Measured>,
}

/// A problem: everything by place instead of by name.
#[derive(Debug)]
pub struct Problem<'s> {
    pub(super) options: Options,
    pub(super) start: f64,
    /// Unknowns: parameter and group.
    pub(super) unknowns: Vec<Sought>,
    pub(super) runs: Vec<Placed<'s>>,
    /// Names of the estimated noises.
    pub(super) noises: Vec<String>,
}

/// An unknown that is a constant of the model.
#[derive(Debug, Clone)]
pub(super) struct Sought {
    pub(super) unknown: Unknown,
    /// Place among the parameters as given, and the group where it has one.
    pub(super) parameter: usize,
    pub(super) group: Option<String>,
    /// The constant, and its place in the problem's own form of the model.
    pub(super) name: String,
    pub(super) constant: usize,
    pub(super) prior: Option<Prior>,
}

/// A run with places.
#[derive(Debug)]
pub(super) struct Placed<'s> {
    pub(super) system: &'s System,
    pub(super) constants: Vec<f64>,
    /// Unknowns that are of this run, and which constants they are.
    pub(super) unknowns: Vec<(usize, usize)>,
    /// Start, then every time of a measurement once.
    pub(super) times: Vec<f64>,
    pub(super) measured: Vec<At>,
}

/// A measurement with places.
#[derive(Debug)]
pub(super) struct At {
    pub(super) time: usize,
    pub(super) quantity: usize,
    pub(super) reading: Reading,
    /// Known standard deviation, or the place of an estimated one.
    pub(super) noise: Result<f64, usize>,
}

fn refused(field: String, ja: String, en: String) -> Error {
    Error::input("E-FIT-001", ja, en).at(Place::field(field))
}

impl<'s> Problem<'s> {
    /// Places everything.
    ///
    /// # Errors
    /// Names the model does not have; bounds that are none; a prior or a noise without spread; measurements before the
    /// start or without value; nothing to fit.
    pub fn new(system: &'s System, parameters: &[Parameter], runs: &[Run<'s>], start: f64, options: Options) -> Result<Self> {
        let mut it = Self { options, start, unknowns: Vec::new(), runs: Vec::new(), noises: Vec::new() };
        let mut groups: Vec<&str> = runs.iter().map(|r| r.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        let mut of_group: Vec<(Option<&str>, usize)> = Vec::new();
        for (place, parameter) in parameters.iter().enumerate() {
            let constant =
                system.constant(&parameter.name).map_err(|e| e.at(Place::field(format!("parameters.{}", parameter.name))))?;
            check(parameter)?;
            let shares: Vec<Option<&str>> =
                if parameter.by_group { groups.iter().map(|g| Some(*g)).collect() } else { vec![None] };
            for group in shares {
                of_group.push((group, it.unknowns.len()));
                it.unknowns.push(Sought {
                    unknown: Unknown {
                        name: group.map_or_else(|| parameter.name.clone(), |g| format!("{} ({g})", parameter.name)),
                        scale: parameter.scale,
                        low: parameter.low,
                        high: parameter.high,
                    },
                    parameter: place,
                    group: group.map(str::to_owned),
                    name: parameter.name.clone(),
                    constant,
                    prior: parameter.prior,
                });
            }
        }
        for run in runs {
            let placed = it.place(run.system.unwrap_or(system), run, &of_group)?;
            it.runs.push(placed);
        }
        if it.unknowns.is_empty() || it.runs.iter().all(|r| r.measured.is_empty()) {
            return Err(refused(
                "measured".into(),
                "推定するパラメーターか測定値がありません".into(),
                "there is no parameter to fit, or no measurement".into(),
            ));
        }
        Ok(it)
    }

    fn place(&mut self, system: &'s System, run: &Run, of_group: &[(Option<&str>, usize)]) -> Result<Placed<'s>> {
        let field = |what: &str| format!("runs.{}.{what}", run.name);
        let mut constants = system.constants();
        for (name, value) in &run.set {
            let place = system.constant(name).map_err(|e| e.at(Place::field(field(&format!("set.{name}")))))?;
            constants[place] = *value;
        }
        let mut times: Vec<f64> = run.measured.iter().map(|m| m.time).chain([self.start]).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        if times.first().is_some_and(|t| *t < self.start) || times.iter().any(|t| !t.is_finite()) {
            return Err(refused(
                field("measured"),
                format!("培養 «{}» に開始前または数でない時刻の測定値があります", run.name),
                format!("the run «{}» has a measurement before the start, or at no time", run.name),
            ));
        }
        let mut measured = Vec::new();
        for m in &run.measured {
            let quantity = system.quantity(&m.quantity).map_err(|e| e.at(Place::field(field("measured"))))?;
            let value = match m.reading {
                Reading::Value(v) | Reading::Below(v) | Reading::Above(v) => v,
            };
            let noise = match &m.noise {
                Noise::Known(sd) if *sd > 0.0 && sd.is_finite() => Ok(*sd),
                Noise::Estimated(name) if matches!(m.reading, Reading::Value(_)) => {
                    let known = self.noises.iter().position(|n| n == name);
                    Err(known.unwrap_or_else(|| {
                        self.noises.push(name.clone());
                        self.noises.len() - 1
                    }))
                }
                _ => {
                    return Err(refused(
                        field(&format!("measured.{}", m.quantity)),
                        "誤差の標準偏差は正の数で、検出限界による値では既知でなければなりません".into(),
                        "the standard deviation of a reading is positive, and known where the reading is beyond a limit".into(),
                    ));
                }
            };
            if !value.is_finite() {
                return Err(refused(
                    field(&format!("measured.{}", m.quantity)),
                    "測定値が数ではありません".into(),
                    "a measured value is no number".into(),
                ));
            }
            let time = times.binary_search_by(|t| t.total_cmp(&m.time)).unwrap_or_else(|at| at.min(times.len() - 1));
            measured.push(At { time, quantity, reading: m.reading, noise });
        }
        let ours = of_group.iter().filter(|(g, _)| g.is_none_or(|g| g == run.group));
        let unknowns = ours.map(|(_, u)| Ok((*u, system.constant(&self.unknowns[*u].name)?))).collect::<Result<_>>()?;
        Ok(Placed { system, constants, unknowns, times, measured })
    }
}

fn check(parameter: &Parameter) -> Result<()> {
    let ordered = parameter.low.is_finite() && parameter.high.is_finite() && parameter.low < parameter.high;
    let positive = parameter.scale == Scale::Linear || parameter.low > 0.0;
    let prior = parameter.prior.is_none_or(|p| p.mean.is_finite() && p.sd > 0.0 && p.sd.is_finite());
    if ordered && positive && prior {
        return Ok(());
    }
    Err(refused(
        format!("parameters.{}", parameter.name),
        format!("«{}» の範囲か事前分布が正しくありません（下限 < 上限、対数なら正、標準偏差は正）", parameter.name),
        format!("bounds or prior of «{}» are wrong: low < high, positive on a log scale, a positive spread", parameter.name),
    )
    .hint("例: low = 0.1、high = 1.0、scale = log", "example: low = 0.1, high = 1.0, scale = log"))
}
