//! The Cedar text against the decision, and proofs that a whole book of rules is not needed for.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod changes;
mod instances;
mod parity;
mod totals;

// The worlds of the decision's own tests.
#[allow(dead_code, reason = "shared with the tests of toji-commons, which use all of it")]
#[path = "../../../crates/toji-commons/tests/it/scenes.rs"]
mod scenes;
#[allow(dead_code, reason = "shared with the tests of toji-commons, which use all of it")]
#[path = "../../../crates/toji-commons/tests/it/world.rs"]
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
