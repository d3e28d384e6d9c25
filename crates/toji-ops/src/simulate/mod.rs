//! Simulated plants: runs with known truth, for demonstrations, training and tests. Always labelled simulated.

mod file;
mod keep;
mod read;
mod run;

use crate::operation::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![run::operation()]
}
