//! Campaigns: which runs to make next on a parallel system, and why.
//!
//! * `space`: the factors, and what of them can be set.
//! * `problem`: what is sought, within which limits, and what is known so far.
//! * `batch`: the units to fill, their groups that share a factor, and the rules of their places.
//! * `foresee`: what is expected of any point, which tried one is the best, and how far earlier expectations came true.
//! * `propose`: the next batch, unit by unit with its reason, and whether to go on at all.
//! * `design`: classical designs for where nothing is known yet or effects are to be told apart.
//!
//! Behind them: `fantasy` keeps what could be true, `search` finds the point worth most, `replicate` values a
//! measurement that is made again.
//!
//! A batch is chosen one unit after the other by the noisy expected improvement: the responses behind the noise are
//! drawn many times at all points tried, running or already in the batch, and a new point is worth the improvement
//! over the best of them, weighed with the probability that the limits hold (Letham et al., "Constrained Bayesian
//! optimization with noisy experiments", Bayesian Analysis 14, 495, 2019; in logarithms after Ament et al. 2023).
//! What the envelope refuses is never evaluated and never proposed.

mod batch;
pub mod design;
mod fantasy;
mod foresee;
mod problem;
mod propose;
mod reason;
mod replicate;
mod search;
mod space;

#[cfg(test)]
mod tests;

pub use batch::{Batch, Edge, Group, Position};
pub use foresee::{Foreseen, Score, Told, foresee, recommend, score};
pub use problem::{Direction, Goal, History, Limit, Measured, Output, Problem, Run, StopRule};
pub use propose::{Proposal, Settings, propose};
pub use reason::{Check, Expected, Proposed, Stopping, Why};
pub use space::{Factor, Kind, Space};
