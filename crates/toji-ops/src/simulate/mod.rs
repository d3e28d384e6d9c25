//! Simulated devices: they speak over the network like real ones, and say that they are simulated.

mod fermenter;

use crate::operation::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![fermenter::operation()]
}
