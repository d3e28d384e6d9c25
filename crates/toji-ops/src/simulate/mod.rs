//! Simulated plants: runs with known truth, and devices that speak over the network like real ones. All of
//! it says that it is simulated.

mod fermenter;
mod file;
mod keep;
mod planned;
mod read;
mod run;

use crate::operation::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![fermenter::operation(), run::operation()]
}
