//! Integration tests of toji-core: the declared kinds against the tables and documents of the real world.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking and says why it skips")]

mod docs;
mod seeds;
mod strain;
