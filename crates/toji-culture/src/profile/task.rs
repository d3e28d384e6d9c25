//! What is optimised: inputs, what is free besides, limits and the goal, in the names and units of a model file.

use super::segment::Segment;
use crate::model::{File, Model, Profile};
use toji_core::{Error, Place, Result};

/// An input that follows a profile: a profile of the model, or a constant that becomes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Name in the model.
    pub name: String,
    /// Least value, in the model's unit.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
    /// Straight lines from node to node instead of steps.
    pub line: bool,
    /// Fastest change, per unit of the model's time; between steps, over one interval.
    pub rate_max: Option<f64>,
}

/// A constant that is free, the same over the whole course.
#[derive(Debug, Clone, PartialEq)]
pub struct Free {
    /// Name in the model.
    pub name: String,
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
}

/// When the course ends, in the unit of the model's time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// Then.
    At(f64),
    /// Free between two times.
    Between(f64, f64),
}

/// Where a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// At every instant.
    Course,
    /// At the end.
    End,
}

/// A limit on a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Name in the model.
    pub quantity: String,
    /// Least value.
    pub low: Option<f64>,
    /// Greatest value.
    pub high: Option<f64>,
    /// Where.
    pub over: Over,
}

/// What is sought: a quantity at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Name in the model.
    pub quantity: String,
    /// The greatest; else the least.
    pub greatest: bool,
}

/// A task of dynamic optimisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Inputs.
    pub controls: Vec<Control>,
    /// Constants that are free.
    pub free: Vec<Free>,
    /// End.
    pub end: End,
    /// Limits.
    pub limits: Vec<Limit>,
    /// Goal.
    pub goal: Goal,
    /// Intervals of equal length.
    pub intervals: usize,
}

/// Most intervals.
const INTERVALS_MAX: usize = 240;

/// A task whose names and numbers were checked, with the model compiled for it.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The task.
    pub task: Task,
    /// The model with every input as a profile of one value.
    pub file: File,
    /// That, compiled.
    pub model: Model,
    /// The same in pieces.
    pub segment: Segment,
}

fn wrong(field: impl Into<String>, ja: impl Into<String>, en: impl Into<String>) -> Error {
    Error::input("E-PROFILE-001", ja, en).at(Place::field(field))
}

fn in_order(field: String, name: &str, low: f64, high: f64) -> Result<()> {
    if low.is_finite() && high.is_finite() && low < high {
        return Ok(());
    }
    Err(wrong(
        field,
        format!("«{name}» の下限は上限より小さい有限の数にしてください（{low}、{high}）"),
        format!("the lower bound of «{name}» must be below the upper one, both finite ({low}, {high})"),
    ))
}

impl Task {
    /// Checks the task against a model file and compiles it.
    ///
    /// # Errors
    /// Names that the model does not have, bounds that are no bounds, an end that is no time, too many intervals; each at
    /// its field. What the model file refuses.
    pub fn prepare(self, file: &File) -> Result<Prepared> {
        let mut file = file.clone();
        if self.controls.is_empty() || self.intervals == 0 || self.intervals > INTERVALS_MAX {
            return Err(wrong(
                "intervals",
                format!("操作量が一つ以上、区間は 1〜{INTERVALS_MAX} にしてください"),
                format!("there must be an input, and 1 to {INTERVALS_MAX} intervals"),
            ));
        }
        for control in &self.controls {
            let field = format!("controls.{}", control.name);
            in_order(field.clone(), &control.name, control.low, control.high)?;
            if control.rate_max.is_some_and(|r| !(r.is_finite() && r > 0.0)) {
                return Err(wrong(
                    field,
                    format!("«{}» の変化速度の上限は正の数にしてください", control.name),
                    format!("the fastest change of «{}» must be positive", control.name),
                ));
            }
            as_profile(&mut file, control)?;
        }
        let model = crate::model::compile(&file)?;
        for free in &self.free {
            let field = format!("free.{}", free.name);
            in_order(field.clone(), &free.name, free.low, free.high)?;
            model.system.constant(&free.name).map_err(|error| error.at(Place::field(field)))?;
        }
        let known = |field: String, name: &str| model.system.quantity(name).map_err(|error| error.at(Place::field(field)));
        known("goal".to_owned(), &self.goal.quantity)?;
        for limit in &self.limits {
            let field = format!("limits.{}", limit.quantity);
            known(field.clone(), &limit.quantity)?;
            let (low, high) = (limit.low.unwrap_or(f64::NEG_INFINITY), limit.high.unwrap_or(f64::INFINITY));
            let equal = low == high && limit.over == Over::End;
            if low.is_nan() || high.is_nan() || (low.is_infinite() && high.is_infinite()) || (low >= high && !equal) {
                return Err(wrong(
                    field,
                    format!(
                        "«{}» の制限には low か high が必要で、low は high より小さくします（終点では等しくてもよい）",
                        limit.quantity
                    ),
                    format!("a limit on «{}» needs low or high, and low below high (equal only at the end)", limit.quantity),
                ));
            }
        }
        let (from, until) = match self.end {
            End::At(end) => (end, end),
            End::Between(low, high) => (low, high),
        };
        if !(from.is_finite() && until.is_finite() && from > 0.0 && from <= until) {
            return Err(wrong("until", "終了時刻は正の有限の数にしてください", "the end must be a positive, finite time"));
        }
        let inputs: Vec<&str> = self.controls.iter().map(|c| c.name.as_str()).collect();
        let segment = Segment::new(&model.definition, &inputs)?;
        Ok(Prepared { task: self, file, model, segment })
    }
}

/// Makes an input a profile of one value: that it had at the start, inside its bounds.
///
/// # Errors
/// The model has neither a profile nor a constant of that name.
pub fn as_profile(file: &mut File, control: &Control) -> Result<()> {
    let (unit, label, value) = if let Some(profile) = file.profile.get(&control.name) {
        (profile.unit.clone(), profile.label.clone(), profile.values.first().copied())
    } else if let Some(constant) = file.constant.remove(&control.name) {
        (constant.unit, constant.label, constant.value)
    } else {
        let names: Vec<&str> = file.profile.keys().chain(file.constant.keys()).map(String::as_str).collect();
        return Err(wrong(
            format!("controls.{}", control.name),
            format!("モデルに «{}» という profile も定数もありません", control.name),
            format!("the model has neither a profile nor a constant «{}»", control.name),
        )
        .hint(format!("操作できる量: {}", names.join("、")), format!("what can be an input: {}", names.join(", "))));
    };
    let value = value.unwrap_or(control.low).max(control.low).min(control.high);
    let profile = Profile { unit, at: vec![0.0], values: vec![value], line: control.line, label };
    file.profile.insert(control.name.clone(), profile);
    Ok(())
}
