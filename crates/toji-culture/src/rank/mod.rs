//! Ranking: the conditions of an experiment in the order of their means, and against their control with how sure
//! that is.
//!
//! One spread is pooled over all conditions, as analysis of variance does. Each condition is compared with the
//! control by Dunnett's two-sided test, whose intervals hold all at once: with seven conditions and no effect at
//! all, one false alarm in twenty experiments, not one in three. `components` tells what the hands of operators add.

mod components;
mod dunnett;
mod verdict;

pub use components::{Components, components, falls};
pub use dunnett::{Comparisons, probability, quantile};
pub use verdict::{Condition, Edge, Group, Measured, Ranking, Verdict, rank};
