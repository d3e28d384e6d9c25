//! Instrument files in, [`toji_core::culture::Reading`] out, with the place of every fault.
//!
//! **Architecture invariant:** one file of `formats/` is one instrument format. A format is recognised
//! by its content, never by its file name, and says what it did not read. This crate does no I/O: it
//! gets bytes.

mod analyser;
mod analyser_file;
mod analyser_table;
mod asm_terms;
pub mod asm_write;
pub mod cell;
mod compound;
#[cfg(test)]
mod damage;
mod delimited;
pub mod format;
pub mod formats;
pub mod generate;
mod lines;
mod plate;
pub mod source;
pub mod table;
mod workbook;

pub use cell::{Cell, Sheet};
pub use format::{Evidence, Format, Formats, Site, detect, read};
pub use source::Source;
