//! Flux and strain design: metabolic networks, their linear programmes, and what follows from them.
//!
//! Pure: no file, no clock, no global state.
