//! Prediction whose intervals are earned.
//!
//! * `population`: what differs from run to run, from what is known of each run (global two-stage estimation).
//! * `forecast`: draws of parameters carried through the model, with the noise of the sensors: a fan.
//! * `conformal`: intervals and simultaneous bands that are calibrated on runs which the model had not seen, and what
//!   level so many runs can promise at all.
//! * `course`: all three together: every run fitted alone, populations without each, bands for a recipe.
//! * `ledger`: what became of stored forecasts: coverage with exact intervals, and whether a model may steer.
//!
//! **Architecture invariant:** the unit of all evidence is the run, never the reading: readings of one run go astray
//! together. A level that so few runs cannot promise gives no interval, and the answer says how many would.

mod conformal;
mod course;
mod forecast;
mod ledger;
mod population;
#[cfg(test)]
mod tests;

pub use conformal::{Band, Expected, Method, Promise, band, promise, score, stays};
pub use course::{Aim, Calibration, Course, Predictor};
pub use forecast::{Draws, Fan, Forecast, Question, Sensor, forecast};
pub use ledger::{Cell, Coverage, Entry, Permission, Reason, Rule, coverage, exact_interval, ledger, permission};
pub use population::{Individual, Population};
