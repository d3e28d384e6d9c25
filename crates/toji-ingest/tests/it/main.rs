//! Integration tests of toji-ingest, one binary.

mod asm_reference;
mod table;
mod reactors;
mod generated;
