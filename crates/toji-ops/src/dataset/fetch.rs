//! `dataset fetch`: the ZIP of a release that was made before, through the gate.

use super::content::text;
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::{Action, Digest, Result};

/// Input of `dataset fetch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Record of the release.
    ///
    /// 公開物の記録。
    release: String,
}

/// Output of `dataset fetch`.
#[derive(Debug, Serialize, JsonSchema)]
struct Fetched {
    /// Record of the release.
    release: String,
    /// File name.
    name: String,
    /// Root hash.
    root_hash: String,
    /// Address of the ZIP (`sha256:…`).
    package: String,
    /// Size.
    bytes: usize,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "dataset fetch",
            label: ["公開物の受取り", "Fetch a release"],
            about: [
                "作成済みの公開物の ZIP を受け取ります。含まれる培養の持出しの可否を改めて確かめ、決定を残します。",
                "Hands out the ZIP of a release. Whether its runs may leave is asked again, and the answer is noted.",
            ],
            positional: &["release"],
            example: "toji dataset fetch rel-0a1b2c3d4e5f --out brewing-1.0.0.zip",
        },
        Effect::Read,
        fetch,
    )
}

async fn fetch(context: Context, input: Input) -> Result<Answer<Fetched>> {
    let store = &context.session.store;
    let record = store.record(&context.access, "dataset-release", &input.release, None).await?;
    store.allow_records(&context.access, Action::Export, &[&record]).await?;
    for id in record.fields.get("runs").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
        let run = store.record(&context.access, "run", id, None).await?;
        store.allow_records(&context.access, Action::Export, &[&run]).await?;
    }
    let of = |name: &str| text(&record.fields, name).unwrap_or_default().to_owned();
    let bytes = store.blob(&context.access, Digest::parse(&of("package"))?).await?;
    let name = format!("{}-{}.zip", of("name"), of("release_version"));
    let output = Fetched {
        release: record.id.to_string(),
        name: name.clone(),
        root_hash: of("root_hash"),
        package: of("package"),
        bytes: bytes.len(),
    };
    Ok(Answer { output, attachment: Some(Attachment { name, media_type: "application/zip", bytes }) })
}
