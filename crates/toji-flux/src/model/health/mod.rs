//! Health of a model: what a careful reader would check before believing its fluxes.
//!
//! [`structure`] needs no linear programme: balances, ends, duplicates, what is unused, coverage of annotations.
//! [`consistency`] does: masses that can all be positive, energy from nothing, reactions that can carry no flux. Each
//! finding names its reason, so that it can be repaired.

mod balance;
mod consistency;
mod coverage;
mod energy;
mod structure;

pub use balance::{Balance, Imbalance};
pub use consistency::{Consistency, Leak, consistency};
pub use coverage::Coverage;
pub use energy::EnergyCycle;
pub use structure::{Duplicate, Structure, structure};
