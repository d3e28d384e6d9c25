//! Where a derived thing comes from: inputs, operation, parameters, seed.

use crate::canonical::Digest;
use serde::{Deserialize, Serialize};

/// Enough to make a derived thing again and compare it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Operation, as `noun verb`.
    pub operation: String,
    /// Version of the operation.
    pub version: String,
    /// Hashes of every input (blobs, series parts, records), sorted.
    pub inputs: Vec<Digest>,
    /// The parameters, as the operation's typed input.
    pub parameters: serde_json::Value,
    /// Seed of every random choice, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}
