//! What follows from a network: optima, ranges, deletions.
//!
//! Every analysis answers in the order of the network's reactions, rests on optima that carry their proof, and gives the
//! same numbers on any number of threads.

mod fba;

pub use fba::{Parsimonious, fba, pfba};
