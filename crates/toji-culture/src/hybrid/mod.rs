//! Hybrid models: a rate of the mechanism times a factor learnt from runs, `rate · exp(g(z))`.
//!
//! * `factor`: g as a Gaussian process over quantities of the model, on a few inducing points; what it expects and how
//!   sure it is; and the same as an expression of the model, so that the kernel runs it like any other.
//! * `offset`: what the runs say of ln(rate / mechanism), interval by interval: a fit of the whole run with one offset
//!   an interval.
//! * `learn`: from these offsets to factors, and their refinement on the readings themselves.
//! * `compare`: the hybrid beside the mechanism alone and statistics alone, on runs not seen.
//! * `attribute`: quality attributes from features of the course.
//!
//! A factor multiplies a rate and nothing else: stoichiometry, feeds and gas transfer are refused as targets, so the
//! balances of the model file stay proved as they are, and where the mechanism's rate is 0 so is the hybrid's. The mean
//! of g before any data is 0: far from the data the hybrid is the mechanism, and how sure it is falls back to what was
//! thought before.

mod attribute;
mod compare;
mod factor;
mod learn;
mod offset;
#[cfg(test)]
mod tests;

pub use attribute::{Attribute, Feature, Features, Kind as AttributeKind};
pub use compare::{Comparison, Contest, fitted};
pub use factor::{At, Factor, FactorInput, LearntFrom};
pub use learn::{Learn, Learnt, Manner, Refinement, learn, misfit, text};
pub(crate) use offset::no_target;
pub use offset::{Offsets, Target, with_offsets};
