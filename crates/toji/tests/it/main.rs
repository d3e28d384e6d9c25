//! The command line through the real binary: what a person and a script see.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

mod answers;
mod flux;
mod flux_more;
mod help;
mod nodes;
mod refusals;
mod runner;
mod serving;
