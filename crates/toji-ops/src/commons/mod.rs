//! What the members of an industry share, under which agreements, and what they owe for it.
//!
//! `standing.rs` gathers the commons from its records, `seat.rs` answers the house's one gate with it and says whose
//! office an act is, `write.rs` keeps what was decided. Every other file is a group of operations.

mod aggregate;
mod agreement;
mod fairness;
mod log;
mod member;
mod node;
mod preview;
mod seat;
mod secret;
mod send;
mod share;
mod standing;
mod taking;
mod topics;
mod train;
mod write;

pub(crate) use standing::{HOME, Standing};

use crate::operation::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    let groups = [
        member::operations(),
        share::operations(),
        agreement::operations(),
        preview::operations(),
        taking::operations(),
        aggregate::operations(),
        secret::operations(),
        send::operations(),
        topics::operations(),
        node::operations(),
        train::operations(),
        log::operations(),
        fairness::operations(),
    ];
    groups.into_iter().flatten().collect()
}
