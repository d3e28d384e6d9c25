//! Cells whose rates come from outside the model file: a vessel of the culture engine, driven by a genome-scale model or any
//! other [`Kinetics`].
//!
//! The model file says what is in the vessel: volume, streams, gas, events, and the greatest specific uptakes that the broth
//! allows. Its specific rates are constants of the file; here they become what the source says. Between two events of the
//! source its law is affine in the uptakes, so the kernel integrates it like any other model, with its own mass balances;
//! when the region of the law is left, that instant is found and the source is asked anew.
//!
//! * `join`: which quantities of a model the source reads and sets, checked, and the model compiled for it.
//! * `follow`: the course, from law to law.

mod follow;
mod join;

pub use follow::{Course, End, Piece, follow};
pub use join::{Join, Names};

#[cfg(test)]
mod tests;
