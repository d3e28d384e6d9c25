//! A twin: a simulated plant with a hidden truth. A model file is run by the kernel with constants that differ from the
//! declared ones by plant, by reactor and by run, with influences that wander during the run, and is seen through noise.
//!
//! Whoever optimises, corrects or judges rules on a twin never sees its constants. Draws depend on the seed, the reactor
//! and the number of the run alone: the same run under another recipe, or under other decisions, meets the same
//! disturbances, so that two ways of running are compared pair by pair.

mod hidden;
mod plant;
#[cfg(test)]
mod tests;

pub use hidden::{Hidden, Sensor, Spread, Wander};
pub use plant::{Batch, Seen, Twin};
