//! Lots of manufacture: the record of one as it follows from what is stored, and the decision on its release.

mod decide;
mod findings;
mod gather;
mod guard;
mod materials;
mod results;
mod rows;
mod show;
mod sources;
mod specification;
#[cfg(test)]
mod tests;

use crate::operation::Operation;

pub(crate) use guard::may_put;

/// Fields of a lot that only a decision sets; they are no part of the record that is decided on.
const OF_DECISION: [&str; 7] =
    ["state", "decided_at", "decided_by", "decided_person", "decision_reason", "record_sha256", "record_of"];

/// Most runs and most material lots of a lot.
const REFERENCES_MAX: usize = 500;

pub(crate) fn operations() -> Vec<Operation> {
    vec![show::operation(), decide::release_operation(), decide::reject_operation(), decide::reopen_operation()]
}
