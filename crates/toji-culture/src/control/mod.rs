//! Control of a culture by its model: what the state is ([`Estimator`]), what to do next ([`Controller`]), what may be done
//! ([`Guard`], outside the optimiser), and when to leave it to the recipe ([`Supervisor`]); tried on a [`bed`] whose truth the
//! controller does not know.
//!
//! One model file serves simulation, optimisation, estimator and controller: all run the same [`Segment`], and its
//! sensitivities are the estimator's and the optimiser's slopes alike.
//!
//! [`Segment`]: crate::profile::Segment

pub mod bed;
mod controller;
mod estimator;
mod filter;
mod recipe;
mod sensor;
mod supervisor;
#[cfg(test)]
mod tests;

pub use controller::{Aim, Controller, Input, Plan};
pub use estimator::{Adapted, Estimator};
pub use filter::{Context, Effect, Filtered, Guard, Reason, Rule};
pub use recipe::{Phase, Recipe};
pub use sensor::{Health, Judged, Sensor, Verdict};
pub use supervisor::{Mode, Settings, Source, Step, Supervisor};
