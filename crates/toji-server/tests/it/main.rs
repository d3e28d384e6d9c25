//! The HTTP face over real sockets: a real store, the real registry, and a few operations of the
//! tests' own that fail, panic, dawdle and hand out files.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod client;
mod contract;
mod guards;
mod live;
mod operations;
mod passkeys;
mod people;
mod provider;
mod registry;
mod work;
