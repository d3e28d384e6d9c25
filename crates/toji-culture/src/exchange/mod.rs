//! Models in the notations of others: read into the kernel's definition, and written from it; and the problems that
//! are stated over them.

pub mod petab;
pub mod sbml;
