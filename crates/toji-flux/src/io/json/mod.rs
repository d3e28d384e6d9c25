//! COBRA JSON, the format of BiGG: read and written.
//!
//! What the format does not define, and older writers left to Python, is read too: `Infinity` and `NaN` as bare words,
//! and bounds as text.

mod read;
mod value;
mod write;

pub use read::read;
pub(super) use read::{rule, tree};
pub(super) use value::{Json, Node};
pub(super) use write::document;
pub use write::write;
