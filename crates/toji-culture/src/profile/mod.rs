//! Profiles of feeds, temperatures and other inputs that make the most of a culture: dynamic optimisation of a model
//! file, and every optimum simulated again by other means before it is told.
//!
//! A course is cut into intervals ([`Segment`]); inputs are steps or lines over them ([`Transcription`]). Each interval
//! is integrated with exact forward sensitivities to its own state and inputs, and these are chained, so that all slopes
//! cost one simulation whatever the number of intervals. The program is solved by [`crate::optimise::sequential`] from
//! many starts on a coarse grid, the best of them refined ([`Task::optimise`]). What comes out is written as a model file,
//! read again and simulated as any other at a far tighter tolerance ([`verify`]).

mod optimum;
mod replay;
mod segment;
mod task;
#[cfg(test)]
pub(crate) mod tests;
mod transcription;
mod verify;

pub use optimum::{Effort, Optimum, Start, optimise};
pub use replay::replay;
pub use segment::Segment;
pub use task::{Control, End, Free, Goal, Limit, Over, Prepared, Task, as_profile};
pub use transcription::{Bound, Held, Scalar, Scenario, Span, Term, Transcription};
pub use verify::{Margin, Odds, Spread, Verified, verify};
