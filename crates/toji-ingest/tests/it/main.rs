//! Integration tests of toji-ingest, one binary.

mod adapter;
mod asm_reference;
mod generated;
mod imports;
mod reactors;
mod table;
