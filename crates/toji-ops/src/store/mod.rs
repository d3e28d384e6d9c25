//! The store as a whole: SQL, verification, status, the policy tables.

mod decisions;
mod demo;
mod merge;
mod rollup;
mod seeds;
mod sql;
mod verify;

pub(crate) use merge::after_import;

use crate::operation::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        sql::operation(),
        verify::operation(),
        verify::status_operation(),
        seeds::operation(),
        demo::operation(),
        rollup::operation(),
        merge::operation(),
        decisions::operation(),
    ]
}
