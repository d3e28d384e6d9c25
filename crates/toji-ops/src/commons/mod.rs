//! What the members of an industry share, under which agreements, and what they owe for it.
//!
//! `standing.rs` gathers the commons from its records, `seat.rs` answers the house's one gate with it and says whose
//! office an act is, `write.rs` keeps what was decided. Every other file is a group of operations.

mod aggregate;
mod agreement;
mod budget;
mod classify;
mod fairness;
mod log;
mod mark;
mod member;
mod node;
mod noisy;
mod odrl;
mod placing;
mod preview;
mod privacy;
mod release;
mod seat;
mod secret;
mod send;
mod share;
mod standing;
mod sum;
mod taking;
mod topics;
mod trail;
mod train;
mod uses;
mod worth;
mod write;

pub(crate) use classify::{Candidate, Classified, classified};
pub(crate) use mark::{Content, CopyView, hand_out, handing};
pub(crate) use standing::{HOME, Standing};

use crate::operation::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    let groups = [
        member::operations(),
        share::operations(),
        placing::operations(),
        agreement::operations(),
        odrl::operations(),
        preview::operations(),
        uses::operations(),
        taking::operations(),
        aggregate::operations(),
        sum::operations(),
        secret::operations(),
        send::operations(),
        topics::operations(),
        node::operations(),
        budget::operations(),
        train::operations(),
        worth::operations(),
        log::operations(),
        mark::operations(),
        fairness::operations(),
    ];
    groups.into_iter().flatten().collect()
}
