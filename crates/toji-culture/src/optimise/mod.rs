//! General search: a minimiser of smooth functions inside bounds, and points that fill a cube evenly.

mod bounded;
mod joe_kuo;
mod sobol;

pub use bounded::{Limits, Minimum, minimise};
pub use joe_kuo::DIMENSIONS_MAX;
pub use sobol::{Sobol, fraction};
