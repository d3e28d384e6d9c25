//! A piece of a course: the model on a time from 0 to 1, with where the piece begins and how long it is as constants,
//! so that free instants are derivatives like any other.

use crate::kernel::{Definition, Expression, Function, Quantity, Role, System};
use toji_core::Result;

/// Constant: when the piece begins, in the unit of the model's time.
const ORIGIN: &str = "piece·origin";
/// Constant: how long it is.
const LENGTH: &str = "piece·length";

/// A model compiled for pieces of a course.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Compiled; quantities stand where they stand in the model.
    pub system: System,
    /// Place of the beginning among the constants; the length comes next. They are the last two.
    pub origin: usize,
}

impl Segment {
    /// Compiles a definition. The inputs named are set by whoever runs the pieces: what the definition does with them at
    /// instants is left out.
    ///
    /// # Errors
    /// As [`System::compile`].
    pub fn new(definition: &Definition, inputs: &[&str]) -> Result<Self> {
        let length = || Expression::name(LENGTH);
        let real = Expression::apply(
            Function::Add,
            [Expression::name(ORIGIN), Expression::apply(Function::Multiply, [length(), Expression::Time])],
        );
        let on = |e: &Expression| e.with_leaves(&|leaf| matches!(leaf, Expression::Time).then(|| real.clone()));
        let mut scaled = Definition::default();
        for quantity in &definition.quantities {
            let role = match &quantity.role {
                Role::Constant(value) => Role::Constant(on(value)),
                Role::Assigned(value) => Role::Assigned(on(value)),
                Role::State { initial, rate } => {
                    let still = matches!(rate, Expression::Number(v) if *v == 0.0);
                    let rate = if still { rate.clone() } else { Expression::apply(Function::Multiply, [length(), on(rate)]) };
                    Role::State { initial: on(initial), rate }
                }
            };
            scaled.quantities.push(Quantity { name: quantity.name.clone(), role });
        }
        for (name, value) in [(ORIGIN, 0.0), (LENGTH, 1.0)] {
            scaled.quantities.push(Quantity { name: name.into(), role: Role::Constant(Expression::Number(value)) });
        }
        for event in &definition.events {
            if event.sets.iter().any(|(name, _)| inputs.contains(&&**name)) {
                continue;
            }
            let mut event = event.clone();
            event.trigger = on(&event.trigger);
            event.delay = event.delay.as_ref().map(|d| Expression::apply(Function::Divide, [on(d), length()]));
            event.priority = event.priority.as_ref().map(on);
            event.sets.iter_mut().for_each(|(_, value)| *value = on(value));
            scaled.events.push(event);
        }
        let system = System::compile(&scaled)?;
        let origin = system.constants().len() - 2;
        Ok(Self { system, origin })
    }

    /// Constants of a piece, from those of the model.
    #[must_use]
    pub fn constants(&self, of_model: &[f64], origin: f64, length: f64) -> Vec<f64> {
        of_model.iter().copied().chain([origin, length]).collect()
    }

    /// Place of a quantity among the states, where it is one.
    #[must_use]
    pub fn state(&self, quantity: usize) -> Option<usize> {
        self.system.states().iter().position(|s| *s == quantity)
    }
}
