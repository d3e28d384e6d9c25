//! PEtab version 1: a model in SBML with conditions, observables, measurements and parameters to be estimated, and the
//! likelihood they define (Schmiester et al. 2021, doi:10.1371/journal.pcbi.1008646).
//!
//! [`Problem::read`] takes the YAML file and a way to the files it names; [`Problem::compile`] makes one simulation of
//! each pair of conditions; [`Likelihood::evaluate`] gives log-likelihood, χ² and simulated values at parameters, with
//! any number of the kernel: with duals it gives gradients. [`Problem::to_fit`] gives what [`crate::fit::fit`] descends.
//!
//! * A pair with a condition before it starts from the steady state of that condition, but for what its own condition
//!   sets; `NaN` there means: as it was.
//! * A measurement at time `inf` is one of the steady state.
//! * Priors are read and kept; they are no part of the likelihood.
//! * In formulas `log` is the natural logarithm.
//!
//! Quantities that are added have a point in their name: `observable.N` (formulas by their place), `before.S` (the
//! steady state a simulation starts from).
//!
//! Not read: version 2, several models in one problem, time-dependent parameters.

mod compile;
mod fit;
mod likelihood;
mod problem;
mod table;

pub use compile::{Evaluation, Likelihood};
pub use fit::ToFit;
pub use likelihood::log_density;
pub use problem::{Condition, Distribution, Measurement, Observable, Parameter, Problem, Scale, Setting};

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
