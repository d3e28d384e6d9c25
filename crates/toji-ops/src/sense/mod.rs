//! Senses and decisions: what people sense and decide at the tank, beside the sensor minute it was made in.

mod decision;
mod explain;
mod export;
mod observers;
mod photo;
mod record;
mod rules;
mod state;
mod vocabulary;
mod when;

use crate::operation::Operation;

pub(crate) use rules::{Decisions, action_label, decisions, says};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        vocabulary::operation(),
        vocabulary::card_operation(),
        record::operation(),
        photo::operation(),
        decision::record_operation(),
        decision::verdict_operation(),
        observers::operation(),
        explain::operation(),
        rules::operation(),
        export::operation(),
    ]
}
