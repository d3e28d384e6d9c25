//! Experiments: planned on a parallel system, run, analysed, ranked, and told back to those who ran them; and models
//! of cultures.

mod analyse;
mod benchmark;
mod campaign;
mod conclude;
mod design;
mod downstream;
mod experiment;
mod feedback;
mod gas_balance;
mod gas_safety;
mod inputs;
mod lineage;
mod model;
mod monitor;
mod place;
mod plan;
mod plate;
mod rank;
mod response;
mod rules;
mod scale_up;
mod small;
mod steady;
mod system;
#[cfg(test)]
mod tests;
mod vessels;

use crate::operation::Operation;

pub(crate) use analyse::{analysis_id, quantities};
pub(crate) use conclude::conclude;
pub(crate) use design::may_put_constraint;
pub(crate) use downstream::may_put_step;
pub(crate) use experiment::{Condition, Experiment};
pub(crate) use inputs::{digest as series_digest, elapsed_s, ended_s, sources as analysis_sources};
pub(crate) use system::{scale, system};

pub(crate) fn operations() -> Vec<Operation> {
    let mut all = vec![
        vessels::operation(),
        plan::operation(),
        plate::operation(),
        analyse::operation(),
        rank::operation(),
        feedback::operation(),
        lineage::operation(),
        scale_up::operation(),
        gas_safety::operation(),
        benchmark::operation(),
        gas_balance::operation(),
        rules::operation(),
        steady::operation(),
        monitor::operation(),
        downstream::operation(),
    ];
    all.extend(design::operations());
    all.extend(model::operations());
    all.extend(campaign::operations());
    all
}
