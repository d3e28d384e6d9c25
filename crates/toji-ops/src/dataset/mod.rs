//! Data sets for learning machines: what is ready and what is not, releases that can be made again byte
//! for byte, and a run as a page of its own.

mod arrays;
mod built;
mod canonical;
mod card;
mod check;
mod content;
mod croissant;
mod datacite;
mod fetch;
mod frictionless;
mod manifest;
mod of_run;
mod package;
mod ready;
mod ready_assays;
mod ready_set;
mod release;
mod ro_crate;
mod score;
mod split;
mod tables;
mod trace;
mod verify;

use crate::operation::Operation;

pub(crate) use canonical::{number as canonical_number, units as canonical_units};
pub(crate) use of_run::{Whole, belongings};
pub(crate) use release::most_closed;
pub(crate) use score::Finding;

pub(crate) fn operations() -> Vec<Operation> {
    vec![check::operation(), release::operation(), fetch::operation(), trace::operation(), verify::operation()]
}
