//! Flux and strain design: metabolic networks, their linear programmes, and what follows from them.
//!
//! Pure: no file, no clock, no global state.

pub mod analyse;
pub mod cellfree;
pub mod compress;
pub mod design;
pub mod dynamic;
pub mod gas;
pub mod io;
pub mod lp;
pub mod model;
pub mod network;
pub mod pathway;
pub mod sparse;
pub mod thermo;

pub use network::{Column, Network, Sense};
