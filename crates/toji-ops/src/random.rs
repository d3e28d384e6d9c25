//! Bytes nobody can foretell, from the operating system: keys, salts, tokens. Never for results, which take a seed.

use toji_core::{Error, Result};

/// Fills a buffer.
///
/// # Errors
/// The operating system has none to give.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|e| Error::bug("E-RANDOM-001", e))
}
