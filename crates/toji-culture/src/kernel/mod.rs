//! The simulation kernel: a model as expressions, compiled to a tape, integrated by a stiff solver that stops
//! exactly at events.

pub mod definition;
pub mod expression;

pub use definition::{Definition, Event, Quantity, Role};
pub use expression::{Expression, Function};
