//! What the policy tables and the platform's registers say, worked out.
//!
//! Every figure is computed from records of the store at the moment of the call: nothing of the papers
//! is written into the program, so that a corrected or newer table gives its own answer.

mod budget;
mod calls;
mod delivery;
mod deposit;
mod feedstock;
mod foundry;
mod market_size;
mod market_step;
mod measure;
mod need;
mod parts;
mod project;
mod sites;
mod table;
mod ventures;

use crate::operation::Operation;

pub(crate) use project::may_start;

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        budget::operation(),
        calls::operation(),
        delivery::operation(),
        deposit::check_operation(),
        deposit::submit_operation(),
        feedstock::operation(),
        foundry::operation(),
        market_size::operation(),
        market_step::operation(),
        measure::operation(),
        need::operation(),
        parts::operation(),
        project::operation(),
        sites::operation(),
        ventures::operation(),
    ]
}
