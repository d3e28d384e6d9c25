//! File formats of metabolic models, in and out.
//!
//! A reader returns a [`Reading`]: the model, and what to look at, including what of the source is not kept. A writer
//! returns a [`Written`]: the bytes, and what of the model the format has no place for.

pub mod any;
mod findings;
pub mod frog;
pub mod json;
pub mod mat;
mod miriam;
pub mod omex;
pub mod sbml;
pub mod yaml;

use crate::model::Model;
use toji_core::Diagnostic;

/// A model as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The model.
    pub model: Model,
    /// What to look at: what was assumed, corrected or left behind.
    pub findings: Vec<Diagnostic>,
}

/// A model as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub bytes: Vec<u8>,
    /// What of the model the file does not carry.
    pub losses: Vec<Diagnostic>,
}
