//! Records: the current state of a thing of a declared kind.

use crate::id::Id;
use serde::{Deserialize, Serialize};

/// The fields of a record, by name.
pub type FieldMap = serde_json::Map<String, serde_json::Value>;

/// A thing of a declared kind at one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Kind, e.g. `strain`.
    pub kind: String,
    /// Identifier, unique in its kind.
    pub id: Id,
    /// 1 for the first version; every change adds one.
    pub version: u64,
    /// Version of the kind's declaration the fields obey.
    pub kind_version: u32,
    /// The fields.
    pub fields: FieldMap,
    /// Taken out of use (kept with its history, can be restored).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
    /// Organisation of whoever entered it first; none in a single user's store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}
