//! The commons from outside.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod account;
mod aggregate;
mod agreement;
mod attack;
mod consortium;
mod decide;
mod log;
mod mark;
mod odrl;
mod policy;
mod privacy;
mod release;
mod scenes;
mod train;
mod value;
mod world;

use toji_core::clock::SECOND_NS;
use toji_core::{Id, Instant};

/// An identifier.
fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

/// Days after 2026-04-01T00:00:00Z.
fn day(n: i64) -> Instant {
    let zero = Instant::parse("2026-04-01T00:00:00Z").unwrap();
    zero.plus_ns(n * 86_400 * SECOND_NS).unwrap()
}
