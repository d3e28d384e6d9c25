//! Experiments: planned on a parallel system, run, analysed, ranked, and told back to those who ran them.

mod analyse;
mod conclude;
mod experiment;
mod feedback;
mod gas_safety;
mod inputs;
mod lineage;
mod place;
mod plan;
mod plate;
mod rank;
mod response;
mod scale_up;
mod system;
#[cfg(test)]
mod tests;
mod vessels;

use crate::operation::Operation;

pub(crate) use conclude::conclude;
pub(crate) use experiment::{Condition, Experiment};
pub(crate) use system::{scale, system};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        vessels::operation(),
        plan::operation(),
        plate::operation(),
        analyse::operation(),
        rank::operation(),
        feedback::operation(),
        lineage::operation(),
        scale_up::operation(),
        gas_safety::operation(),
    ]
}
