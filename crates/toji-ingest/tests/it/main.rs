//! Integration tests of toji-ingest, one binary.

mod asm_reference;
