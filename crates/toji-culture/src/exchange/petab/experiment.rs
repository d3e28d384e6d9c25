//! An experiment of version 2 as one simulation: its first period as initial assignments, the others as events.

use super::compile::{Before, Draft, Run};
use super::problem::{Period, Problem, Setting};
use crate::exchange::sbml::model::{Event, Formula, Id, Math, Model, Parameter};
use crate::exchange::sbml::{self, Spot};
use crate::kernel::{Expression, Function};
use std::sync::Arc;
use toji_core::Result;

/// Constant that is 0 until a period from −∞ ends.
const BEGUN: &str = "petab.begun";

/// As the model's notation has it.
fn math(expression: &Expression) -> Math {
    match expression {
        Expression::Number(number) => Math::Number(*number),
        Expression::Time => Math::Time,
        Expression::Name(name) => Math::Name(name.clone()),
        Expression::Apply(function, arguments) => Math::Apply(*function, arguments.iter().map(math).collect()),
        Expression::Piecewise(pieces, otherwise) => Math::Piecewise(
            pieces.iter().map(|(value, condition)| (math(value), math(condition))).collect(),
            otherwise.as_deref().map(|o| Box::new(math(o))),
        ),
    }
}

fn formula(math: Math) -> Formula {
    Formula { math, spot: Spot::default() }
}

fn constant(id: &str, value: f64) -> Parameter {
    Parameter { id: id.into(), value: Some(value), units: None, constant: true, spot: Spot::default() }
}

/// It may change.
fn free(model: &mut Model, id: &str) {
    model.compartments.iter_mut().filter(|c| &*c.id == id).for_each(|c| c.constant = false);
    model.species.iter_mut().filter(|s| &*s.id == id).for_each(|s| s.constant = false);
    model.parameters.iter_mut().filter(|p| &*p.id == id).for_each(|p| p.constant = false);
}

impl Problem {
    /// The simulation of an experiment for these measurements; of none, the model as it is.
    pub(super) fn experiment(&self, id: &str, of: &[usize]) -> Result<Run> {
        let none = Vec::new();
        let periods = self.experiments.iter().find(|e| &*e.id == id).map_or(&none, |e| &e.periods);
        let waits = periods.first().is_some_and(|p| !p.time.is_finite());
        let mut times = periods.iter().map(|p| p.time).filter(|t| t.is_finite());
        let start = times.next().unwrap_or(0.0);
        let settled = times.next_back().unwrap_or(start);

        let mut model = self.model.model.clone();
        self.named(&mut model);
        if waits {
            model.parameters.push(constant(BEGUN, 0.0));
        }
        for (number, period) in periods.iter().enumerate() {
            let sets = self.sets(period)?;
            if number == 0 {
                model.initial_assignments.retain(|(id, _)| sets.iter().all(|(target, _)| target != id));
                model.initial_assignments.extend(sets);
            } else if !sets.is_empty() {
                sets.iter().for_each(|(id, _)| free(&mut model, id));
                model.events.push(event(number, period.time, waits, sets));
            }
        }
        let definition = sbml::translate(&model)?.definition;
        let mut draft = Draft::of(self, definition)?;
        let named = self.observed(&mut draft, of)?;
        let main = draft.compile()?;
        let before = if waits { Before::Own(main.system.constant(BEGUN)?) } else { Before::Nothing };
        self.placed(before, main, start, settled, named)
    }

    /// Adds what the tables name and the model does not have.
    fn named(&self, model: &mut Model) {
        let given = self.parameters.iter().map(|p| (self.entity(&p.id), if p.nominal.is_nan() { 1.0 } else { p.nominal }));
        let set = self.conditions.iter().flat_map(|c| c.sets.iter().map(|(target, _)| (target, f64::NAN)));
        let quantities = &self.model.definition.quantities;
        let missing: Vec<(&Arc<str>, f64)> =
            given.chain(set).filter(|(id, _)| quantities.iter().all(|q| q.name != **id)).collect();
        for (id, value) in missing {
            if model.parameters.iter().all(|p| p.id != *id) {
                model.parameters.push(constant(id, value));
            }
        }
    }

    fn sets(&self, period: &Period) -> Result<Vec<(Id, Formula)>> {
        let mut sets = Vec::new();
        for id in &period.conditions {
            for (target, setting) in &self.condition(id)?.sets {
                let value = match setting {
                    Setting::Kept => continue,
                    Setting::Number(number) => Math::Number(*number),
                    Setting::Name(name) => Math::Name(name.clone()),
                    Setting::Formula(formula) => math(formula),
                };
                sets.push((target.clone(), formula(value)));
            }
        }
        Ok(sets)
    }
}

/// What begins a period: before everything else of its instant, all at once.
fn event(number: usize, time: f64, waits: bool, assignments: Vec<(Id, Formula)>) -> Event {
    let reached = Math::Apply(Function::GreaterOrEqual, vec![Math::Time, Math::Number(time)]);
    let begun = Math::Apply(Function::Greater, vec![Math::Name(BEGUN.into()), Math::Number(0.5)]);
    Event {
        id: Some(format!("period.{}", number + 1).into()),
        trigger: Some(formula(if waits { Math::Apply(Function::And, vec![begun, reached]) } else { reached })),
        was_true: false,
        persistent: true,
        delay: None,
        priority: Some(formula(Math::Number(f64::INFINITY))),
        at_trigger: true,
        assignments,
        spot: Spot::default(),
    }
}
