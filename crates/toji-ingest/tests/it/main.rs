//! Integration tests of toji-ingest, one binary.

mod asm_reference;
mod generated;
mod reactors;
mod table;
