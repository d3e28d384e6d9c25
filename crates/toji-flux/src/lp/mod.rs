//! Linear programmes: a bounded simplex method whose answers carry their own proof.
//!
//! [`Solver`] keeps basis and factors while costs and bounds change. Every [`Outcome`] is checked against the problem as it
//! was asked, unscaled, before it is handed out: an optimum by primal residual, dual infeasibility and duality gap, an
//! infeasible problem by a Farkas ray, an unbounded one by a direction. An answer that fails its check is worked out again
//! from fresh factors, from another basis and at another scale; when that does not help, a small problem is solved without
//! rounding, and a large one ends with a typed error.

mod certificate;
pub mod exact;
mod factor;
mod problem;
mod rational;
mod scale;
mod simplex;
mod solver;

pub(crate) use certificate::activity;
pub use certificate::{Conflict, Direction, Optimum, Outcome, Proof, Standing};
pub use problem::Problem;
pub use solver::Solver;
