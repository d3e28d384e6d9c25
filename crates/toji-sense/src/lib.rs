//! What people sense, made countable: colour from a photo with its card, the worth of an observer, which
//! sensors go with a judgement, and rules that repeat an expert's decisions.
//!
//! **Architecture invariant:** pure functions over numbers. No I/O, no clock, no picture format, no store;
//! every random choice comes from a seed that is an argument.

pub mod agreement;
pub mod association;
pub mod colour;
pub mod rules;
mod sampling;

pub use sampling::Interval;
