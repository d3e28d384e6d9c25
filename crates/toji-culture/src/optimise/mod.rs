//! General search: a minimiser of smooth functions inside bounds, programs with constraints (quadratic, and nonlinear by
//! a sequence of these), and points that fill a cube evenly.

mod bounded;
mod joe_kuo;
mod quadratic;
mod sequential;
mod sobol;

pub use bounded::{Limits, Minimum, minimise};
pub use joe_kuo::DIMENSIONS_MAX;
pub use quadratic::{Quadratic, Solution};
pub use sequential::{Evaluation, Nonlinear, Outcome, Settings, Slopes, sequential};
pub use sobol::{Sobol, fraction};
