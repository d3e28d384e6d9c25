//! `run asm`: a file's content as an Allotrope Simple Model document.

use super::import::{fetch, read};
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::{Error, Result};

/// Input of `run asm`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// File, or address (`sha256:…`) of a kept file.
    ///
    /// ファイル、または保存済みファイルのアドレス（`sha256:…`）。
    path: String,
    /// Zone of clocks that state none, e.g. `Asia/Tokyo`.
    ///
    /// 時間帯の記載がない時計の時間帯。例：`Asia/Tokyo`。
    #[serde(default)]
    zone: Option<String>,
}

/// Output of `run asm`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
struct Document(Json);

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "run asm",
            label: ["ASM への書出し", "Write ASM"],
            about: [
                "分析計のファイルを Allotrope Simple Model の JSON に書き出します。「< 10.04 mg/L」のような打切り値は数値に化けません。",
                "Writes an analyser's file as Allotrope Simple Model JSON. Censored values such as \"< 10.04 mg/L\" do not turn into numbers.",
            ],
            positional: &["path"],
            example: "toji run asm bioht.txt --zone Asia/Tokyo --out bioht.asm.json",
        },
        Effect::Read,
        asm,
    )
}

async fn asm(context: Context, input: Input) -> Result<Answer<Document>> {
    let site = context.session.site(input.zone.as_deref())?;
    let (name, bytes) = fetch(&context, &input.path).await?;
    let (_, reading, _) = read(&name, bytes, &site, None).await?;
    let document = toji_ingest::asm_write::write(&reading, &name)?;
    let bytes = serde_json::to_vec_pretty(&document).map_err(|e| Error::bug("E-ASM-010", e))?;
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned();
    let attachment = Attachment { name: format!("{stem}.asm.json"), media_type: "application/json", bytes };
    Ok(Answer { output: Document(document), attachment: Some(attachment) })
}
