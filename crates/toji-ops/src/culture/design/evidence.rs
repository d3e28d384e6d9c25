//! Evidence: records with the hash of their content, so that what changed since can be told.

use super::super::analyse::kept;
use crate::operation::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use toji_core::{Digest, Record, Result};

/// A record that a statement rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DesignEvidence")]
pub(super) struct Evidence {
    /// Kind.
    pub(super) kind: String,
    /// Record.
    pub(super) id: String,
    /// Version.
    pub(super) version: u64,
    /// SHA-256 of its content; of an analysis without the time it was made at.
    pub(super) sha256: String,
}

impl Evidence {
    /// Of a record as it is.
    ///
    /// # Errors
    /// Fields that have no canonical form.
    pub(super) fn of(record: &Record) -> Result<Self> {
        let mut fields = record.fields.clone();
        fields.remove("made_at");
        let content = toji_core::canonical::to_canonical(&json!({ "kind": record.kind, "fields": fields }))?;
        Ok(Self {
            kind: record.kind.clone(),
            id: record.id.to_string(),
            version: record.version,
            sha256: Digest::of(content.as_bytes()).hex(),
        })
    }
}

/// A run with its analysis, which is kept for this, and its deviations.
///
/// # Errors
/// Storage faults.
pub(super) async fn of_run(context: &Context, run: &Record, keep: bool) -> Result<(Vec<Evidence>, Vec<String>)> {
    let store = &context.session.store;
    let mut out = vec![Evidence::of(run)?];
    if keep {
        let id = kept(context, run.id.as_str()).await?;
        out.push(Evidence::of(&store.record(&context.access, "analysis", id.as_str(), None).await?)?);
    }
    let mut deviations = Vec::new();
    for deviation in store.linked(&context.access, "deviation", "run", run.id.as_str()).await? {
        out.push(Evidence::of(&deviation)?);
        deviations.push(deviation.id.to_string());
    }
    Ok((out, deviations))
}
