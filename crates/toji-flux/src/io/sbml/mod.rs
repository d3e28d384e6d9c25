//! SBML for flux models: level 3 with flux balance constraints (FBC) 1 to 3 and groups, level 2 with COBRA's notes, read
//! as a stream; written as level 3 version 1 with FBC 2 and groups.
//!
//! Rules: Hucka et al. 2019, doi:10.1515/jib-2019-0021 (core); Olivier & Bergmann 2018, doi:10.1515/jib-2017-0082 (FBC).
//!
//! # Bounds and stoichiometry
//!
//! Bounds are what FBC says: parameters (version 2 and 3), or the list of flux bounds (version 1), of which the tightest
//! counts. Parameters and named stoichiometries may be set by initial assignments and assignment rules, which are
//! evaluated. Without FBC, the parameters `LOWER_BOUND`, `UPPER_BOUND` and `OBJECTIVE_COEFFICIENT` of COBRA's kinetic
//! laws count.
//!
//! # Identifiers
//!
//! By custom identifiers carry `M_`, `R_`, `G_` so that no two are the same, and write what SBML does not allow as a code
//! (`__45__` is `-`). [`Identifiers::Short`] takes these off, as COBRApy does.

mod fbc;
mod identify;
mod markup;
mod math;
mod notes;
mod raw;
mod read;
mod resolve;
mod value;
mod walk;
mod window;
mod write;
mod xml;

pub(super) use identify::long as identifier;
pub use read::{Identifiers, Options, read};
pub use write::write;
