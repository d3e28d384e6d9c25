//! Models in the notations of others: read into the kernel's definition, and written from it.

pub mod sbml;
