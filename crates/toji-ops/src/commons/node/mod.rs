//! Nodes: a company's Toji and that of the platform exchange catalogue, agreements and data, each keeping its own store.
//!
//! One side serves and the other calls, so a company needs no way in from outside. What is called are operations like
//! any others, under the session of a user that stands for the node (`user node-key`); `docs/src/*/nodes.md` is the
//! protocol. Everything that goes is a file with an address, so whatever breaks off goes on where it was, and what
//! arrived once does not go again.
//!
//! `parcel.rs` says what goes, `pack.rs` makes it, `receive.rs` takes what somebody deposits, `mirror.rs` brings over the
//! records of the commons themselves and guards the house against them, `take.rs` brings in data of others, `sync.rs`
//! does all of it with one node, `file.rs` carries a parcel without a network, `offer.rs` tells the catalogue as the
//! Dataspace Protocol has it.

mod connect;
mod file;
mod inflow;
mod mirror;
mod offer;
mod pack;
mod parcel;
mod receive;
mod status;
mod sync;
mod take;
#[cfg(test)]
mod tests;

pub(super) use offer::Row;

use crate::operation::Operation;

pub(super) fn operations() -> Vec<Operation> {
    let groups = [
        connect::operations(),
        sync::operations(),
        status::operations(),
        offer::operations(),
        mirror::operations(),
        pack::operations(),
        receive::operations(),
        file::operations(),
    ];
    groups.into_iter().flatten().collect()
}
