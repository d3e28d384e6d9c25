//! One step of control: readings in, commands out, and every reason said. Who decides is the controller in the phases of
//! the recipe that allow it, else the recipe; when a sensor has failed, the recipe until all of them are sound again.

use super::controller::{Controller, Plan};
use super::estimator::Estimator;
use super::filter::{Context, Filtered, Guard};
use super::recipe::Recipe;
use super::sensor::{Judged, Verdict};
use toji_core::{Error, Place, Result, Text};

/// May the controller act?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It proposes; the recipe is carried out.
    Advice,
    /// It acts.
    Closed,
}

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The recipe, as always outside of the controller's phases and in advice.
    Recipe,
    /// The controller.
    Controller,
    /// The recipe, because something failed.
    Safe,
}

/// How to supervise.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// May the controller act?
    pub mode: Mode,
    /// Believed readings in a row of every sensor after which the controller acts again.
    pub recovers_after: usize,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Time.
    pub time: f64,
    /// Phase of the recipe.
    pub phase: Option<String>,
    /// Readings as judged, in the order of the sensors.
    pub judged: Vec<Judged>,
    /// Who decided.
    pub source: Source,
    /// What the controller proposed, where it could.
    pub plan: Option<Plan>,
    /// Commands, before and after the filter.
    pub commands: Vec<Filtered>,
    /// Why the recipe is followed, where something failed.
    pub why: Vec<Text>,
}

/// The supervisor of a run.
#[derive(Debug, Clone)]
pub struct Supervisor<'s> {
    estimator: Estimator<'s>,
    controller: Controller<'s>,
    guards: Vec<Guard>,
    recipe: Recipe,
    settings: Settings,
    /// Commands that hold, and when they were given.
    held: Option<(Vec<f64>, f64)>,
    safe: Vec<Text>,
}

impl<'s> Supervisor<'s> {
    /// A supervisor; guards and recipe are in the order of the controller's inputs.
    ///
    /// # Errors
    /// There are not as many guards and recipes as inputs.
    pub fn new(
        estimator: Estimator<'s>,
        controller: Controller<'s>,
        guards: Vec<Guard>,
        recipe: Recipe,
        settings: Settings,
    ) -> Result<Self> {
        let n = controller.names().count();
        if guards.len() != n || recipe.inputs.len() != n {
            return Err(Error::input(
                "E-CONTROL-005",
                format!("操作量 {n} 個のそれぞれに規則とレシピが必要です"),
                format!("each of the {n} inputs needs rules and a recipe"),
            )
            .at(Place::field("recipe")));
        }
        Ok(Self { estimator, controller, guards, recipe, settings, held: None, safe: Vec::new() })
    }

    /// The estimator.
    #[must_use]
    pub fn estimator(&self) -> &Estimator<'s> {
        &self.estimator
    }

    /// What was really given from a time on, where that is not what [`Self::step`] said.
    pub fn given(&mut self, time: f64, commands: &[f64]) {
        self.held = Some((commands.to_vec(), time));
    }

    /// Takes in the readings of a time and says what to do from then on.
    ///
    /// # Errors
    /// None of the model: where the estimator cannot go on, the recipe is followed and the reason said.
    pub fn step(&mut self, time: f64, readings: &[Option<f64>]) -> Step {
        let mut why = Vec::new();
        let recipe = self.recipe.at(time);
        let judged = match self.estimate(time, readings) {
            Ok(judged) => judged,
            Err(error) => {
                why.push(error.fault().message.clone());
                Vec::new()
            }
        };
        why.extend(self.estimator.health().filter_map(|(sensor, health)| health.failure(sensor)));
        if why.is_empty() && !self.safe.is_empty() {
            // Not before every sensor has been sound for a while.
            let sound = self.estimator.health().all(|(_, health)| health.believed >= self.settings.recovers_after.max(1));
            if !sound {
                why.clone_from(&self.safe);
            }
        }
        let phase = self.recipe.phase(time);
        let acts: Vec<bool> = self
            .controller
            .names()
            .map(|name| self.recipe.phases.is_empty() || phase.is_some_and(|p| p.acts.iter().any(|a| a == name)))
            .collect();
        let phase = phase.map(|p| p.name.clone());
        let (previous, given_at) = self.held.clone().unwrap_or_else(|| (recipe.clone(), time));
        let mut plan = None;
        if why.is_empty() && acts.contains(&true) {
            let (state, constants) = (self.estimator.state.clone(), self.estimator.constants.clone());
            match self.controller.plan(time, &state, &constants, &previous) {
                Ok(found) => plan = Some(found),
                Err(error) => why.push(error.fault().message.clone()),
            }
        }
        self.safe.clone_from(&why);
        let acting = self.settings.mode == Mode::Closed && plan.is_some();
        let source = match (why.is_empty(), acting) {
            (false, _) => Source::Safe,
            (true, true) => Source::Controller,
            (true, false) => Source::Recipe,
        };
        let measured: Vec<(String, Option<f64>)> = self
            .estimator
            .health()
            .zip(judged.iter().map(Some).chain(std::iter::repeat(None)))
            .map(|((sensor, _), judged)| {
                // The filter sees what was measured: an outlier may be the truth that the model does not know.
                let usable = judged.filter(|j| matches!(j.verdict, Verdict::Used | Verdict::Outlier));
                (sensor.quantity.clone(), usable.and_then(|j| j.reading))
            })
            .collect();
        let commands: Vec<Filtered> = (0..acts.len())
            .map(|c| {
                let planned = plan.as_ref().filter(|_| acting && acts[c]).and_then(|p| p.inputs.get(c)?.first().copied());
                let context = Context { previous: previous[c], elapsed: (time - given_at).max(0.0), measured: measured.clone() };
                // The first command of a run follows none.
                let context = if self.held.is_none() { Context { previous: f64::NAN, ..context } } else { context };
                self.guards[c].filter(planned.unwrap_or(recipe[c]), &context)
            })
            .collect();
        self.held = Some((commands.iter().map(|c| c.given).collect(), time));
        Step { time, phase, judged, source, plan, commands, why }
    }

    fn estimate(&mut self, time: f64, readings: &[Option<f64>]) -> Result<Vec<Judged>> {
        if let Some((held, _)) = &self.held {
            self.estimator.predict(time, held)?;
        }
        self.estimator.update(readings)
    }
}
