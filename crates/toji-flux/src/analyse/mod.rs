//! What follows from a network: optima, ranges, deletions.
//!
//! Every analysis answers in the order of the network's reactions, rests on optima that carry their proof, and gives the
//! same numbers on any number of threads.

mod fba;
mod fva;
mod parallel;

pub use fba::{Parsimonious, fba, pfba};
pub use fva::{Ranges, Variability, fva};
