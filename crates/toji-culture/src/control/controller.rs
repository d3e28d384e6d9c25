//! The predictive controller: the course over a horizon that does best by the model, from the state as it is, of which
//! only the first step is ever carried out. The program is that of [`crate::profile`], with soft limits so that there
//! is always an answer, and it starts from where the one before ended.

use crate::linear::Matrix;
use crate::model::Model;
use crate::optimise::{Settings, sequential};
use crate::profile::{Bound, Held, Limit, Over, Scenario, Segment, Span, Term, Transcription};
use toji_core::{Category, Error, Place, Result};

/// An input that the controller moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Name: a profile of the model.
    pub name: String,
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
    /// Fastest change, per unit of time.
    pub rate_max: Option<f64>,
    /// Cost of a squared change from step to step, in the unit of the aim.
    pub move_cost: f64,
}

/// What the controller is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Aim {
    /// Quantity to be made great.
    pub quantity: String,
    /// Great; else small.
    pub greatest: bool,
    /// At the end of every step, not only of the last.
    pub each: bool,
    /// Limits that are kept where that is possible.
    pub limits: Vec<Limit>,
    /// Steps that are looked ahead.
    pub horizon: usize,
    /// Length of a step, in the unit of the model's time.
    pub step: f64,
    /// When the run ends: the horizon goes no further.
    pub end: Option<f64>,
    /// Other values of constants that the course must do for as well, each as names and factors.
    pub scenarios: Vec<Vec<(String, f64)>>,
}

/// What is planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Values of each input, step by step.
    pub inputs: Vec<Vec<f64>>,
    /// The aim's quantity at the ends of the steps, now first, in the first scenario.
    pub predicted: Vec<f64>,
    /// Limits that cannot be kept: place in the aim, and by how much they are exceeded.
    pub slack: Vec<(usize, f64)>,
    /// Did the search end at an optimum?
    pub converged: bool,
    /// Its iterations.
    pub iterations: usize,
}

/// Cost of breaking a limit by itself, in sizes of the objective.
const SLACK_COST: f64 = 100.0;
/// Share of a limit that is kept in reserve for the tolerance of the solver and for what lies between looks.
const RESERVE: f64 = 5e-5;
/// A slack above this share of the limit is told.
const TOLD: f64 = 1e-6;

/// A predictive controller.
#[derive(Debug, Clone)]
pub struct Controller<'s> {
    segment: &'s Segment,
    inputs: Vec<(Held, Input)>,
    aim: Aim,
    quantity: usize,
    /// Limit of the aim that each bound is of.
    bounds: Vec<(Bound, usize)>,
    /// Factors on constants, a list a scenario; the first is the model as it is.
    factors: Vec<Vec<(usize, f64)>>,
    size: Option<f64>,
    last: Option<(Vec<f64>, Matrix)>,
}

impl<'s> Controller<'s> {
    /// A controller of a model whose inputs are profiles that `segment` leaves to whoever runs it.
    ///
    /// # Errors
    /// Names that the model does not have; no inputs; bounds or a horizon that are none.
    pub fn new(model: &Model, segment: &'s Segment, inputs: &[Input], aim: &Aim) -> Result<Self> {
        let system = &segment.system;
        if inputs.is_empty() || aim.horizon == 0 || aim.horizon > 200 || !(aim.step.is_finite() && aim.step > 0.0) {
            return Err(Error::input(
                "E-CONTROL-003",
                "操作量が一つ以上、予測区間は 1〜200 ステップ、ステップの長さは正の数にしてください",
                "there must be an input, a horizon of 1 to 200 steps, and a step of positive length",
            )
            .at(Place::field("horizon")));
        }
        let mut held = Vec::new();
        for input in inputs {
            let field = format!("inputs.{}", input.name);
            let quantity = system.quantity(&input.name).map_err(|e| e.at(Place::field(&field)))?;
            let Some(state) = segment.state(quantity).filter(|_| input.low < input.high) else {
                return Err(Error::input(
                    "E-CONTROL-003",
                    format!("«{}» はモデルの profile で、下限が上限より小さい必要があります", input.name),
                    format!("«{}» must be a profile of the model, with its lower bound below the upper one", input.name),
                )
                .at(Place::field(field)));
            };
            let it = Held {
                state,
                slope: None,
                low: input.low,
                high: input.high,
                rate_max: input.rate_max,
                previous: None,
                move_cost: input.move_cost,
            };
            held.push((it, input.clone()));
        }
        let quantity = system.quantity(&aim.quantity).map_err(|e| e.at(Place::field("aim")))?;
        let mut bounds = Vec::new();
        for (i, limit) in aim.limits.iter().enumerate() {
            let quantity =
                system.quantity(&limit.quantity).map_err(|e| e.at(Place::field(format!("limits.{}", limit.quantity))))?;
            for (value, upper) in [(limit.low, false), (limit.high, true)] {
                let Some(value) = value.filter(|v| v.is_finite()) else { continue };
                let scale = if value == 0.0 { 1.0 } else { value.abs() };
                let course = limit.over == Over::Course;
                let margin = RESERVE * scale;
                bounds.push((Bound { quantity, limit: value, upper, course, equal: false, margin, scale, soft: Some(1.0) }, i));
            }
        }
        let mut factors = vec![Vec::new()];
        for scenario in &aim.scenarios {
            let places = scenario.iter().map(|(name, factor)| {
                let place = model.system.constant(name).map_err(|e| e.at(Place::field(format!("scenarios.{name}"))))?;
                Ok((place, *factor))
            });
            factors.push(places.collect::<Result<Vec<_>>>()?);
        }
        Ok(Self { segment, inputs: held, aim: aim.clone(), quantity, bounds, factors, size: None, last: None })
    }

    /// Names of the inputs, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|(_, input)| input.name.as_str())
    }

    /// Plans from a state at a time, with these constants; `previous` are the inputs that hold.
    ///
    /// # Errors
    /// The course cannot be simulated from there.
    pub fn plan(&mut self, time: f64, state: &[f64], constants: &[f64], previous: &[f64]) -> Result<Plan> {
        let left = self.aim.end.map_or(self.aim.horizon, |end| (((end - time) / self.aim.step) - 1e-9).ceil().max(1.0) as usize);
        let steps = self.aim.horizon.min(left);
        let share = 1.0 / self.factors.len() as f64;
        let scenarios = self.factors.iter().map(|factors| {
            let mut constants = constants.to_vec();
            factors.iter().for_each(|(place, factor)| constants[*place] *= factor);
            Scenario { constants, state: Some(state.to_vec()), weight: share }
        });
        let span = Span::Fixed(self.aim.step * steps as f64);
        let mut course = Transcription::new(self.segment, steps, span, scenarios.collect());
        course.options.relative = 1e-6;
        course.options.absolute = vec![1e-9];
        course.start = time;
        course.looks = 2;
        for ((held, _), previous) in self.inputs.iter().zip(previous) {
            course.controls.push(Held { previous: Some(*previous), ..held.clone() });
        }
        let sign = if self.aim.greatest { -1.0 } else { 1.0 };
        course.terms.push(Term { quantity: self.quantity, weight: sign, each: self.aim.each });
        // Where the inputs stood still, and where the plan before says.
        let mut begin: Vec<f64> = Vec::new();
        for ((held, _), previous) in self.inputs.iter().zip(previous) {
            begin.extend(std::iter::repeat_n(((previous - held.low) / (held.high - held.low)).clamp(0.0, 1.0), steps));
        }
        let size = match self.size {
            Some(size) => size,
            None => {
                let size = course.look(&begin, false)?.objective.abs();
                if size > 1e-9 { size } else { 1.0 }
            }
        };
        self.size = Some(size);
        course.size = size;
        course.bounds = self.bounds.iter().map(|(bound, _)| Bound { soft: Some(SLACK_COST * size), ..bound.clone() }).collect();
        let course = course.finish();
        begin.extend(std::iter::repeat_n(0.0, self.bounds.len()));
        let places = shift(self.inputs.len(), steps, self.bounds.len());
        let warm = self.last.take().filter(|(x, _)| x.len() == begin.len()).map(|(x, learnt)| {
            let x: Vec<f64> = places.iter().map(|p| x[*p]).collect();
            (x, shifted(&learnt, &places))
        });
        let (start, learnt) = warm.map_or((begin.clone(), None), |(x, learnt)| (x, Some(learnt)));
        let settings = Settings { iterations: 30, tolerance: 1e-6, feasible: 1e-7, first: 0.1 };
        let (low, high) = course.limits();
        let mut program = course.clone();
        let found = sequential(&mut program, &start, &low, &high, &settings, learnt)
            .or_else(|| sequential(&mut program, &begin, &low, &high, &settings, None))
            .ok_or_else(|| {
                Error::new(
                    Category::Model,
                    "E-CONTROL-004",
                    "今の状態からの予測を計算できません",
                    "no course can be computed from the state as it is",
                )
            })?;
        let mut slack: Vec<(usize, f64)> = Vec::new();
        for (bound, by) in course.slack_of(&found.x) {
            if by > TOLD * course.bounds[bound].scale {
                slack.push((self.bounds[bound].1, by));
            }
        }
        let predicted = course.predict(0, &found.x, &[self.quantity])?.into_iter().filter_map(|v| v.first().copied()).collect();
        let inputs = (0..self.inputs.len()).map(|c| course.values_of(c, &found.x)).collect();
        self.last = Some((found.x, found.learnt));
        Ok(Plan { inputs, predicted, slack, converged: found.converged, iterations: found.iterations })
    }
}

/// Where each variable of the next plan comes from in this one: a step later, the last from itself.
fn shift(inputs: usize, steps: usize, slacks: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..inputs).flat_map(|c| (0..steps).map(move |k| c * steps + (k + 1).min(steps - 1))).collect();
    places.extend((0..slacks).map(|s| inputs * steps + s));
    places
}

fn shifted(learnt: &Matrix, places: &[usize]) -> Matrix {
    Matrix::from_fn(places.len(), places.len(), |i, j| {
        // The last step comes twice; it is curved in itself alone.
        if i != j && places[i] == places[j] { 0.0 } else { learnt[(places[i], places[j])] }
    })
}
