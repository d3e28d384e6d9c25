//! A problem as simulations: one of each pair of conditions, compiled once, run at any parameters.

use super::likelihood::log_density;
use super::prior::Prior;
use super::problem::{Condition, Measurement, Observable, Parameter, Problem, Setting, Version};
use super::{PETAB_004, PETAB_005, PETAB_006};
use crate::kernel::{Definition, Expression, Function, Number, Options, Quantity, Role, System, Trajectory};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toji_core::{Category, Error, Place, Result};

/// A state stays when in nine times the time so far it changes by less than this part of itself.
const STEADY: f64 = 1e-8;
/// Time by which a steady state must be reached, in the model's unit.
const STEADY_BY: f64 = 1e12;

/// A problem compiled.
#[derive(Debug, Clone)]
pub struct Likelihood {
    runs: Vec<Run>,
    measurements: Vec<Measurement>,
    kinds: Vec<(super::Scale, super::Distribution)>,
    /// Parameters in the problem's order, with their nominal values.
    nominal: Vec<(Arc<str>, f64)>,
    /// Priors: place of the parameter, and what is known of it.
    priors: Vec<(usize, Prior)>,
}

/// What a problem is at some parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation<N> {
    /// Logarithm of the likelihood.
    pub log_likelihood: N,
    /// Sum of the squares of residuals by their noise.
    pub chi2: N,
    /// Simulated values, one a measurement in their order.
    pub simulated: Vec<N>,
}

/// A pair of conditions, or an experiment.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) before: Before,
    pub(super) main: Stage,
    /// Times in order, from the start on, the infinite one left out.
    pub(super) times: Vec<f64>,
    /// From here on no condition changes any more.
    pub(super) settled: f64,
    pub(super) points: Vec<Point>,
}

/// What a run starts from.
#[derive(Debug, Clone)]
pub(super) enum Before {
    /// The start of the model.
    Nothing,
    /// The steady state of another simulation: which of its quantities becomes which constant.
    Carried(Box<Stage>, Vec<(usize, usize)>),
    /// Its own steady state while this constant is 0; from then on it is 1.
    Own(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) system: System,
    /// Parameter of the problem and its place among the constants.
    parameters: Vec<(usize, usize)>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    measurement: usize,
    /// Place among the times; none: the steady state.
    time: Option<usize>,
    observable: usize,
    noise: usize,
}

pub(super) fn unknown(id: &str, ja: &str, en: &str) -> Error {
    Error::input(PETAB_004, format!("{id}: {ja}"), format!("{id}: {en}"))
        .at(Place::field(id))
        .hint("表の列と母数を確かめてください", "check the columns and parameters of the tables")
}

/// A measurement by its place, and the names of what is observed and of its noise.
pub(super) type Named = (usize, Arc<str>, Arc<str>);

/// The definition of one stage while it is put together.
pub(super) struct Draft<'p> {
    problem: &'p Problem,
    pub(super) definition: Definition,
}

impl<'p> Draft<'p> {
    /// The model with the parameters of the problem as constants that may be set.
    fn new(problem: &'p Problem) -> Result<Self> {
        Self::of(problem, problem.model.definition.clone())
    }

    /// As [`Self::new`], of this form of the model.
    pub(super) fn of(problem: &'p Problem, definition: Definition) -> Result<Self> {
        let mut draft = Self { problem, definition };
        for parameter in &problem.parameters {
            let id = problem.entity(&parameter.id);
            let value = Expression::Number(if parameter.nominal.is_nan() { 1.0 } else { parameter.nominal });
            match draft.role(id) {
                None => draft.add(id, Role::Constant(value)),
                Some(role @ Role::Constant(_)) => *role = Role::Constant(value),
                Some(_) => {
                    let (ja, en) = ("モデルの中で変わる量は母数にできません", "what changes in the model cannot be a parameter");
                    return Err(unknown(&parameter.id, ja, en));
                }
            }
        }
        Ok(draft)
    }

    fn role(&mut self, name: &str) -> Option<&mut Role> {
        self.definition.quantities.iter_mut().find(|q| &*q.name == name).map(|q| &mut q.role)
    }

    pub(super) fn add(&mut self, name: &Arc<str>, role: Role) {
        self.definition.quantities.push(Quantity { name: name.clone(), role });
    }

    fn set(&mut self, condition: &Condition) -> Result<()> {
        for (id, setting) in &condition.sets {
            let value = match setting {
                Setting::Kept => continue,
                Setting::Number(number) => Expression::Number(*number),
                Setting::Name(name) if name == id => continue,
                Setting::Name(name) => Expression::Name(name.clone()),
                Setting::Formula(formula) => formula.clone(),
            };
            self.put(id, value)?;
        }
        Ok(())
    }

    /// Sets a quantity at the start.
    fn put(&mut self, id: &Arc<str>, value: Expression) -> Result<()> {
        // A species is set by its amount: what its identifier means is a concentration.
        let species = self.problem.model.model.species.iter().find(|s| s.id == *id);
        let amount = self.problem.model.model.amount_of(id);
        let (name, value) = match (species, amount) {
            (Some(species), Some(amount)) if amount != *id && !matches!(self.role(id), Some(Role::State { .. })) => {
                let size = Expression::Name(species.compartment.clone());
                (amount, Expression::apply(Function::Multiply, [value, size]))
            }
            _ => (id.clone(), value),
        };
        match self.role(&name) {
            None => self.add(&name, Role::Constant(value)),
            Some(Role::Constant(of)) => *of = value,
            Some(Role::State { initial, .. }) => *initial = value,
            Some(Role::Assigned(_)) => {
                let (ja, en) = ("規則が決める量は条件で変えられません", "a condition cannot set what a rule decides");
                return Err(unknown(id, ja, en));
            }
        }
        Ok(())
    }

    /// The states start from constants that the simulation before gives, but for those that `condition` sets.
    fn carried(&mut self, condition: &Condition) -> Vec<(Arc<str>, Arc<str>)> {
        let model = &self.problem.model.model;
        let set: BTreeSet<Arc<str>> = condition
            .sets
            .iter()
            .filter(|(_, setting)| *setting != Setting::Kept)
            .flat_map(|(id, _)| [Some(id.clone()), model.amount_of(id)])
            .flatten()
            .collect();
        let mut carried = Vec::new();
        for quantity in &mut self.definition.quantities {
            if let Role::State { initial, .. } = &mut quantity.role
                && !set.contains(&quantity.name)
            {
                let from: Arc<str> = format!("before.{}", quantity.name).into();
                *initial = Expression::Name(from.clone());
                carried.push((quantity.name.clone(), from));
            }
        }
        for (_, from) in &carried {
            self.add(from, Role::Constant(Expression::Number(0.0)));
        }
        carried
    }

    pub(super) fn compile(self) -> Result<Stage> {
        let system = System::compile(&self.definition)?;
        let parameters = self.problem.parameters.iter().enumerate();
        let parameters = parameters.filter_map(|(i, p)| Some((i, system.constant(self.problem.entity(&p.id)).ok()?))).collect();
        Ok(Stage { system, parameters })
    }
}

/// The formula with what stands for `…ParameterN_observable` put in.
pub(super) fn filled(formula: &Expression, observable: &Observable, measurement: &Measurement) -> Result<Expression> {
    let lists = [("observable", &measurement.observable_parameters), ("noise", &measurement.noise_parameters)];
    let place = |name: &str| {
        if let Some(named) = &observable.placeholders {
            return named
                .iter()
                .zip(lists)
                .find_map(|(names, (_, settings))| Some(settings.get(names.iter().position(|n| **n == *name)?)));
        }
        lists.iter().find_map(|(kind, settings)| {
            let rest = name.strip_prefix(kind)?.strip_prefix("Parameter")?;
            let number: usize = rest.strip_suffix(&*observable.id)?.strip_suffix('_')?.parse().ok()?;
            Some(settings.get(number.wrapping_sub(1)))
        })
    };
    let mut missing = None;
    formula.names(&mut |name| {
        if matches!(place(name), Some(None | Some(Setting::Kept))) {
            missing = Some(name.clone());
        }
    });
    if let Some(name) = missing {
        return Err(Error::input(
            PETAB_004,
            format!("{name} に入れる値が測定表にありません"),
            format!("the measurements give nothing for {name}"),
        )
        .at(measurement.place.clone())
        .hint(
            "observableParameters・noiseParameters の個数を確かめてください",
            "check how many observableParameters and noiseParameters there are",
        ));
    }
    Ok(formula.replaced(&|name| match place(name)?? {
        Setting::Number(number) => Some(Expression::Number(*number)),
        Setting::Name(name) => Some(Expression::Name(name.clone())),
        Setting::Formula(formula) => Some(formula.clone()),
        Setting::Kept => None,
    }))
}

impl Problem {
    /// Compiles every simulation the measurements need.
    ///
    /// # Errors
    /// `E-PETAB-004`: conditions or parameters that set what cannot be set, placeholders without a value; what the
    /// kernel refuses.
    pub fn compile(&self) -> Result<Likelihood> {
        let mut pairs: BTreeMap<(Option<&str>, &str), Vec<usize>> = BTreeMap::new();
        for (i, measurement) in self.measurements.iter().enumerate() {
            pairs.entry((measurement.before.as_deref(), &measurement.condition)).or_default().push(i);
        }
        let runs = pairs.into_iter().map(|((before, condition), of)| match self.version {
            Version::One => self.run(before, condition, &of),
            Version::Two => self.experiment(condition, &of),
        });
        let runs = runs.collect::<Result<_>>()?;
        let kinds = self.measurements.iter().map(|m| self.observable(m).map(|o| (o.scale, o.distribution)));
        Ok(Likelihood {
            runs,
            kinds: kinds.collect::<Result<_>>()?,
            measurements: self.measurements.clone(),
            nominal: self.parameters.iter().map(|p: &Parameter| (p.id.clone(), p.nominal)).collect(),
            priors: self.priors(),
        })
    }

    /// Priors of what is estimated. In version 2, where any has one, those without have a uniform one between their
    /// bounds.
    fn priors(&self) -> Vec<(usize, Prior)> {
        let estimated = || self.parameters.iter().enumerate().filter(|(_, p)| p.estimate);
        let any = self.version == Version::Two && estimated().any(|(_, p)| p.prior.is_some());
        let implied = |p: &Parameter| (any && p.bounds.0.is_finite() && p.bounds.1.is_finite()).then(|| Prior::uniform(p.bounds));
        estimated().filter_map(|(place, p)| Some((place, p.prior.clone().or_else(|| implied(p))?))).collect()
    }

    pub(super) fn condition(&self, id: &str) -> Result<&Condition> {
        let found = self.conditions.iter().find(|c| &*c.id == id);
        found.ok_or_else(|| unknown(id, "条件がありません", "there is no such condition"))
    }

    fn observable(&self, measurement: &Measurement) -> Result<&Observable> {
        let found = self.observables.iter().find(|o| o.id == measurement.observable);
        found.ok_or_else(|| unknown(&measurement.observable, "観測量がありません", "there is no such observable"))
    }

    fn run(&self, before: Option<&str>, condition: &str, of: &[usize]) -> Result<Run> {
        let condition = self.condition(condition)?;
        let mut main = Draft::new(self)?;
        main.set(condition)?;
        let carried = if before.is_some() { main.carried(condition) } else { Vec::new() };
        let named = self.observed(&mut main, of)?;
        let main = main.compile()?;
        let before = match before {
            None => Before::Nothing,
            Some(id) => {
                let mut draft = Draft::new(self)?;
                draft.set(self.condition(id)?)?;
                let stage = draft.compile()?;
                let places = carried.iter().map(|(state, from)| Ok((stage.system.quantity(state)?, main.system.constant(from)?)));
                let places = places.collect::<Result<_>>()?;
                Before::Carried(Box::new(stage), places)
            }
        };
        self.placed(before, main, 0.0, 0.0, named)
    }

    /// Adds what measurements observe and its noise to a stage: of each its place and the names of the two.
    pub(super) fn observed(&self, main: &mut Draft<'_>, of: &[usize]) -> Result<Vec<Named>> {
        // Measurements whose formulas are the same share them.
        let mut formulas: Vec<(Expression, Arc<str>)> = Vec::new();
        let mut named = Vec::new();
        for i in of {
            let measurement = &self.measurements[*i];
            let observable = self.observable(measurement)?;
            let value = filled(&observable.formula, observable, measurement)?;
            let noise = filled(&observable.noise, observable, measurement)?;
            // The noise may be of the observable itself.
            let noise = noise.replaced(&|name| (name == &*observable.id).then(|| value.clone()));
            let mut name = |expression: Expression| match formulas.iter().find(|(e, _)| *e == expression) {
                Some((_, name)) => name.clone(),
                None => {
                    let name: Arc<str> = format!("observable.{}", formulas.len() + 1).into();
                    formulas.push((expression, name.clone()));
                    name
                }
            };
            named.push((*i, name(value), name(noise)));
        }
        for (expression, name) in formulas {
            main.add(&name, Role::Assigned(expression));
        }
        Ok(named)
    }

    /// A run of these measurements.
    pub(super) fn placed(&self, before: Before, main: Stage, start: f64, settled: f64, named: Vec<Named>) -> Result<Run> {
        let mut times: Vec<f64> = named.iter().map(|(i, ..)| self.measurements[*i].time).filter(|t| t.is_finite()).collect();
        times.push(start);
        times.sort_by(f64::total_cmp);
        times.dedup();
        let points = named.into_iter().map(|(measurement, observable, noise)| {
            let time = self.measurements[measurement].time;
            Ok(Point {
                measurement,
                time: times.iter().position(|t| *t == time),
                observable: main.system.quantity(&observable)?,
                noise: main.system.quantity(&noise)?,
            })
        });
        Ok(Run { before, points: points.collect::<Result<_>>()?, main, times, settled })
    }
}

impl Stage {
    fn constants<N: Number>(&self, parameters: &[N]) -> Vec<N> {
        let mut constants: Vec<N> = self.system.constants().into_iter().map(N::of).collect();
        for (parameter, constant) in &self.parameters {
            constants[*constant] = parameters[*parameter];
        }
        constants
    }

    /// All quantities in the steady state, by simulations to ever later times after `least`.
    fn steady<N: Number>(&self, [start, least]: [f64; 2], simulate: impl Fn(&[f64]) -> Result<Trajectory<N>>) -> Result<Vec<N>> {
        let mut end = 10.0_f64.max(2.0 * (least - start));
        while end <= STEADY_BY {
            let found = simulate(&[start, start + end, start + 10.0 * end])?;
            let (early, late) = (found.at(1), found.at(2));
            let stays = self.system.states().iter().all(|state| {
                let (a, b) = (early[*state].value(), late[*state].value());
                (a - b).abs() <= STEADY * b.abs() + 1e-12 || (a.is_nan() && b.is_nan())
            });
            if stays {
                return Ok(late.to_vec());
            }
            end *= 10.0;
        }
        Err(Error::new(
            Category::Model,
            PETAB_006,
            format!("時刻 {STEADY_BY:e} までに定常状態になりません"),
            format!("no steady state is reached by the time {STEADY_BY:e}"),
        )
        .hint("事前平衡の条件と母数を確かめてください", "check the condition before and the parameters"))
    }
}

impl Likelihood {
    /// Identifiers of the parameters, in order, with their nominal values.
    #[must_use]
    pub fn parameters(&self) -> &[(Arc<str>, f64)] {
        &self.nominal
    }

    /// Log-likelihood, χ² and simulated values at these parameters (not on their scales).
    ///
    /// # Errors
    /// Another number of parameters; what a simulation refuses; `E-PETAB-006`: no steady state.
    pub fn evaluate<N: Number>(&self, parameters: &[N], options: &Options) -> Result<Evaluation<N>> {
        if parameters.len() != self.nominal.len() {
            return Err(Error::input(
                PETAB_005,
                format!("母数は {} 個必要です（{} 個渡されました）", self.nominal.len(), parameters.len()),
                format!("{} parameters are needed, not {}", self.nominal.len(), parameters.len()),
            ));
        }
        let nothing = N::of(0.0);
        let mut all = Evaluation { log_likelihood: nothing, chi2: nothing, simulated: vec![nothing; self.measurements.len()] };
        self.each(parameters, options, &mut |seen| {
            let (density, residual) = seen.density();
            all.log_likelihood = all.log_likelihood + density;
            all.chi2 = all.chi2 + residual * residual;
            all.simulated[seen.measurement] = seen.simulated;
        })?;
        Ok(all)
    }

    /// Logarithm of the prior density at these parameters, of each that has one, by its place.
    #[must_use]
    pub fn log_priors<N: Number>(&self, parameters: &[N]) -> Vec<(usize, N)> {
        let of = |(place, prior): &(usize, Prior)| Some((*place, prior.log_density(*parameters.get(*place)?)));
        self.priors.iter().filter_map(of).collect()
    }

    /// How many measurements there are.
    pub(super) fn measurements(&self) -> usize {
        self.measurements.len()
    }

    /// Simulates, and hands over what is seen of each measurement, in the order of the simulations.
    pub(super) fn each<N: Number>(&self, parameters: &[N], options: &Options, take: &mut impl FnMut(Seen<N>)) -> Result<()> {
        for run in &self.runs {
            let system = &run.main.system;
            let mut constants = run.main.constants(parameters);
            // The constants until the start, and the state there.
            let mut from = None;
            match &run.before {
                Before::Nothing => {}
                Before::Carried(before, carried) => {
                    let own = before.constants(parameters);
                    let steady = before.steady([0.0; 2], |times| before.system.simulate(&own, times, options))?;
                    for (quantity, constant) in carried {
                        constants[*constant] = steady[*quantity];
                    }
                }
                Before::Own(flag) => {
                    let steady = run.main.steady([0.0; 2], |times| system.simulate(&constants, times, options))?;
                    let until = constants.clone();
                    constants[*flag] = N::of(1.0);
                    from = Some((until, system.states().iter().map(|q| steady[*q]).collect::<Vec<N>>()));
                }
            }
            let simulate = |times: &[f64]| match &from {
                None => system.simulate(&constants, times, options),
                Some((until, state)) => system.turned([until, &constants], state, times, options),
            };
            let found = simulate(&run.times)?;
            let steady = run.points.iter().any(|p| p.time.is_none());
            let steady = if steady { run.main.steady([run.times[0], run.settled], simulate)? } else { Vec::new() };
            for point in &run.points {
                let values = point.time.map_or(steady.as_slice(), |time| found.at(time));
                let (scale, distribution) = self.kinds[point.measurement];
                take(Seen {
                    measurement: point.measurement,
                    measured: self.measurements[point.measurement].value,
                    simulated: values[point.observable],
                    noise: values[point.noise],
                    scale,
                    distribution,
                });
            }
        }
        Ok(())
    }
}

/// A measurement beside what is simulated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<N> {
    pub(super) measurement: usize,
    measured: f64,
    simulated: N,
    pub(super) noise: N,
    scale: super::Scale,
    pub(super) distribution: super::Distribution,
}

impl<N: Number> Seen<N> {
    /// As [`log_density`].
    pub(super) fn density(&self) -> (N, N) {
        log_density(self.scale, self.distribution, self.measured, self.simulated, self.noise)
    }
}

/// Measurements have no likelihood here: a simulated value or a noise is no number or not positive.
pub(super) fn no_number() -> Error {
    Error::new(Category::Model, PETAB_006, "この母数では尤度が数になりません", "the likelihood is no number at these parameters")
        .hint("母数の範囲を狭めてください", "narrow the bounds of the parameters")
}
