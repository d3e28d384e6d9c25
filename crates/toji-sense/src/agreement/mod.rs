//! How far an observer can be relied on: agreement of several ([`icc`], [`kappa`]), and bias and
//! repeatability of each one from blind repeats ([`observers`]).

pub mod icc;
pub mod kappa;
pub mod observers;

pub use icc::{Icc, IccKind, icc};
pub use kappa::{Kappa, Weights, kappa};
pub use observers::{Judgement, Panel, panel};
