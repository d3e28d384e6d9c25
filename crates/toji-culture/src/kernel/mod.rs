//! The simulation kernel: a model as expressions, compiled to a tape, integrated by a stiff solver that stops
//! exactly at events.
//!
//! [`Definition`] → [`System::compile`] → [`System::simulate`]. A tape is evaluated in any [`Number`]: plain, with
//! derivatives ([`Dual`]: sensitivities of everything to constants, through events), or side by side ([`Lanes`]).
//! The Jacobian is a tape of its own, made by differentiating the graph of the rates.

pub mod definition;
mod elementary;
mod ensemble;
mod exponential;
pub mod expression;
mod factor;
mod graph;
pub mod notation;
mod number;
mod rodas;
mod simulate;
mod still;
mod system;
mod tape;

pub use definition::{Definition, Event, Quantity, Role};
pub use elementary::Elementary;
pub use expression::{Expression, Function};
pub use number::{Dual, Lanes, Number, Relation};
pub use simulate::{Options, Trajectory};
pub use still::Still;
pub use system::System;

#[cfg(test)]
mod tests;
