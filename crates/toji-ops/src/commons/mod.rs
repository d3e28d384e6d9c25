//! What the members of an industry share, under which agreements, and what they owe for it.
//!
//! `standing.rs` gathers the commons from its records, `seat.rs` answers the house's one gate with it and says whose
//! office an act is, `write.rs` keeps what was decided. Every other file is a group of operations.

mod aggregate;
mod agreement;
mod budget;
mod fairness;
mod log;
mod member;
mod node;
mod noisy;
mod preview;
mod privacy;
mod release;
mod seat;
mod secret;
mod send;
mod share;
mod standing;
mod taking;
mod topics;
mod train;
mod worth;
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
        budget::operations(),
        train::operations(),
        worth::operations(),
        log::operations(),
        fairness::operations(),
    ];
    groups.into_iter().flatten().collect()
}
