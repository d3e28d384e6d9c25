//! Crashes, full disks and failing disks: this program runs itself as a child that takes in numbered
//! imports, and looks at what the child left behind.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, missing_docs, reason = "tests")]

mod failing;
mod full;
mod imports;
mod kill;
mod live;
