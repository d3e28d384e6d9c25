//! The store as a whole: SQL, verification, status, the policy tables.

mod demo;
mod seeds;
mod sql;
mod verify;

use crate::operation::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![sql::operation(), verify::operation(), verify::status_operation(), seeds::operation(), demo::operation()]
}
