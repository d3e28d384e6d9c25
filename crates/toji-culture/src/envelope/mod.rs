//! The safety envelope of hydrogen, oxygen, carbon dioxide and nitrogen: mixtures that could burn, and whether any
//! instant of a path comes near them.
//!
//! * `rule`: the numbers, as versioned data with their sources.
//! * `mixture`: one composition against the rules, with the reason and a composition that would do.
//! * `path`: phases, faults and shutdown, checked as a whole and not at set-points.
//! * `template`: a plan whose numbers are factors of a campaign, so that every candidate is checked as a path.
//!
//! **What it is not.** It is a filter that can only forbid. It does not replace the assessment of a qualified person
//! by the standards in force (NFPA 69 and local law), nor detectors, nor trips.
//!
//! Fractions are of dry gas: water vapour would only thin the mixture, so leaving it out errs on the safe side. Limits
//! were found near 25 °C and 1 atm with nitrogen as inert; carbon dioxide quenches more.

pub mod mixture;
pub mod path;
mod polygon;
pub mod rule;
pub mod template;

pub use mixture::{Mixture, Standing, Verdict, judge};
pub use path::{Entry, Fault, Inflow, Kind, Outcome, Phase, Plan, Spot, caution, check, crosses, first_crossing, permitted};
pub use rule::{Rule, Rules};
pub use template::{Bound, Filter, Slot, Template};
