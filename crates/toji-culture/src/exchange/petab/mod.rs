//! PEtab versions 1 and 2: a model in SBML with conditions, observables, measurements and parameters to be estimated, and
//! the likelihood they define (Schmiester et al. 2021, doi:10.1371/journal.pcbi.1008646; version 2 by its specification).
//!
//! [`Problem::read`] takes the YAML file and a way to the files it names; [`Problem::compile`] makes one simulation of
//! each pair of conditions, or of each experiment; [`Likelihood::evaluate`] gives log-likelihood, χ² and simulated values
//! at parameters, with any number of the kernel: with duals it gives gradients; [`Likelihood::log_priors`] gives the
//! priors beside it. [`Problem::to_fit`] gives what [`crate::fit::fit`] descends: both together. [`export()`] writes a fit of
//! this crate as a problem of either version.
//!
//! * Version 1: a pair with a condition before it starts from the steady state of that condition, but for what its own
//!   condition sets; `NaN` there means: as it was.
//! * Version 2: the conditions of the first period are initial assignments of the model; those of later periods are an
//!   event that comes before all others of its instant. Before a period from −∞ the model runs until it is steady, and
//!   goes on from there: what its triggers were is not forgotten. As the format states no scale of the search, a
//!   parameter with positive bounds far apart is searched by its logarithm.
//! * A measurement at time `inf` is one of the steady state.
//! * In formulas `log` is the natural logarithm.
//!
//! Quantities that are added have a point in their name: `observable.N` (formulas by their place), `before.S` (the
//! steady state a simulation starts from), `petab.begun` (0 until a period from −∞ ends), events `period.N`.
//!
//! Not read: several models in one problem, other languages than SBML, extensions, time-dependent parameters.

mod compile;
mod experiment;
mod export;
mod fit;
mod formula;
mod join;
mod likelihood;
mod prior;
mod problem;
mod second;
mod table;

pub use compile::{Evaluation, Likelihood};
pub use export::{Exported, Stated, about, export};
pub use fit::ToFit;
pub use likelihood::log_density;
pub use prior::{Kind, Prior};
pub use problem::{
    Condition, Distribution, Experiment, Measurement, Observable, Parameter, Period, Problem, Scale, Setting, Version,
};

/// The YAML file is unreadable or names what is not there.
const PETAB_001: &str = "E-PETAB-001";
/// A table has no such column, or a row has too many cells.
const PETAB_002: &str = "E-PETAB-002";
/// A cell is unreadable.
const PETAB_003: &str = "E-PETAB-003";
/// A name stands for nothing, or for several things.
const PETAB_004: &str = "E-PETAB-004";
/// Something is not supported.
const PETAB_005: &str = "E-PETAB-005";
/// There is no steady state.
const PETAB_006: &str = "E-PETAB-006";
/// A fit cannot be exported.
const PETAB_007: &str = "E-PETAB-007";
/// Left out of an export.
const PETAB_W01: &str = "W-PETAB-001";
/// Said otherwise in an export.
const PETAB_W02: &str = "W-PETAB-002";
