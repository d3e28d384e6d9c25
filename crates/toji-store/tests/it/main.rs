//! The store's promises, through the real thing: real files, a real SQLite file, and a real PostgreSQL
//! server when `TOJI_TEST_POSTGRES` names one (`scripts/postgres-for-tests.sh start` prints the address).

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, missing_docs, reason = "tests")]

#[macro_use]
mod home;

mod commits;
mod gate;
mod jobs;
mod live;
mod merge;
mod plots;
mod reads;
mod search;
mod secrets;
mod series;
mod shelf;
mod sql;
mod tamper;
