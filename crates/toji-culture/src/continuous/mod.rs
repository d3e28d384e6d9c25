//! Continuous cultures: fed and harvested at once, with cells kept back (perfusion) or not (chemostat).
//!
//! A [`Reactor`] is a model file with its flows made countable. [`Reactor::steady`] integrates it until nothing changes by a
//! stated criterion, solves the balances there by Newton's method with the exact Jacobian, and judges stability by the
//! eigenvalues. [`Reactor::sweep`] follows the steady state over a constant, [`Reactor::critical`] finds where cells wash out,
//! [`Reactor::best`] where a measure is greatest. [`campaign`] sets both ways of working side by side, and [`observed`]
//! tells whether measured series are at steady state.

pub mod campaign;
pub mod observed;
mod reactor;
mod steady;
mod sweep;
#[cfg(test)]
mod tests;

pub use reactor::{Measure, Measures, Reactor, Roles};
pub use steady::{Criterion, Found, Missed, Steady};
pub use sweep::{Best, Point};
