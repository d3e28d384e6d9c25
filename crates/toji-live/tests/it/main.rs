//! Live connections against brokers and servers of others, over real sockets on 127.0.0.1.
//!
//! A test whose server is not installed says so and passes; `scripts/setup.sh test` installs all of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first thing that is wrong, and says why it skips"
)]

mod command;
mod cut;
mod forward;
mod memory;
mod mqtt;
mod opcua;
mod server;
mod sila;
mod simulated;
mod sparkplug;
