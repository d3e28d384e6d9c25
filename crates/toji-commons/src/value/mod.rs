//! How much a data set adds to what all can predict. **Advisory only**: a number to talk about, never one that pays.
//!
//! * `gate`: before anything is valued. What fails it (schema, units, replicates, as judged elsewhere) is worth nothing,
//!   and rows that nearly repeat an earlier depositor's are the earlier one's.
//! * `shapley`: exact Shapley values of rows when the game is prediction by the K nearest neighbours (Jia et al., VLDB
//!   2019, arXiv:1908.08619), by sorting instead of by all subsets.
//! * `contribution`: of each data set, the sum over its rows, with an interval by resampling test points (studentised
//!   bootstrap).
//!
//! Limits, which is why no money and no right may hang on it automatically: the value is that for nearest neighbours in
//! the given features, not for every model; it depends on the test points, so these must be drawn beforehand and by
//! nobody with a stake; the interval says how it varies with the test points, not with the data; Shapley values do not
//! make it best to report truthfully (arXiv:2504.05563); splitting a data set among several names does not change the sum
//! but copying another's rows is only caught as far as the gate sees it.

mod contribution;
mod gate;
mod shapley;

pub use contribution::{Contribution, Resampling, contributions};
pub use gate::{Deposit, Gate, Quality, Row, Verdict, gate};
pub use shapley::{Task, Test, shapley, utility};
