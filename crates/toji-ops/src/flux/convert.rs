//! `flux convert`: a model in another format, with what the format has no place for.

use super::apart;
use super::model::code_of;
use super::source::load;
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Diagnostic, Result};
use toji_flux::io::{Written, json, mat, omex, sbml, yaml};
use toji_flux::model::Model;

/// A format that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FluxFormat")]
enum To {
    /// SBML level 3 version 1 with FBC 2 and groups.
    ///
    /// SBML レベル 3 バージョン 1（FBC 2、グループ）。
    #[default]
    Sbml,
    /// COBRA JSON.
    ///
    /// COBRA の JSON。
    Json,
    /// COBRA YAML.
    ///
    /// COBRA の YAML。
    Yaml,
    /// MATLAB file of level 5 with a model of the COBRA Toolbox.
    ///
    /// COBRA Toolbox のモデルを収めた MATLAB ファイル（レベル 5）。
    Mat,
    /// COMBINE archive with the model in SBML.
    ///
    /// SBML のモデルを収めた COMBINE アーカイブ。
    Omex,
}

/// Input of `flux convert`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the path of a file (SBML, COBRA JSON or YAML, MATLAB, COMBINE archive; also packed with gzip), or its address after an
    /// upload.
    ///
    /// モデル：ファイルの場所（SBML、COBRA の JSON・YAML、MATLAB、COMBINE アーカイブ。gzip 圧縮も可）、または送信後のアドレス。
    model: String,
    /// Format of the result.
    ///
    /// 変換後の形式。
    #[serde(default)]
    to: To,
}

/// Output of `flux convert`.
#[derive(Debug, Serialize, JsonSchema)]
struct Converted {
    /// File.
    file: String,
    /// Its format, told by content.
    format: &'static str,
    /// Format of the result.
    to: To,
    /// Name of the result.
    name: String,
    /// Length of the result.
    bytes: usize,
    /// What of the model the format has no place for.
    losses: Vec<Diagnostic>,
    /// What to look at in the file, and what of it was not read.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "flux convert",
            label: ["代謝モデルの変換", "Convert a metabolic model"],
            about: [
                "代謝モデルを SBML、COBRA JSON、COBRA YAML、MATLAB、COMBINE アーカイブのいずれかに書き直します。読み取らなかった箇所と、その形式では表せず書き出されない箇所をすべて挙げます。",
                "Writes a metabolic model as SBML, COBRA JSON, COBRA YAML, MATLAB or a COMBINE archive. All that was not read, and all that the format has no place for, is listed.",
            ],
            positional: &["model"],
            example: "toji --out textbook.json flux convert textbook.xml.gz --to json",
        },
        Effect::Read,
        convert,
    )
}

/// The name of a file without its ending.
pub(super) fn stem(file: &str) -> &str {
    let unpacked = file.strip_suffix(".gz").unwrap_or(file);
    match unpacked.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => unpacked,
    }
}

/// The model as SBML in an archive.
fn archive(model: &Model, name: &str) -> Result<Written> {
    let written = sbml::write(model)?;
    let entry = omex::Entry { location: format!("{name}.xml"), format: omex::SBML.into(), master: true };
    let bytes = omex::write(&[(entry, &written.bytes)])?;
    Ok(Written { bytes, losses: written.losses })
}

async fn convert(context: Context, input: Input) -> Result<Answer<Converted>> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let model = loaded.model();
        let name = stem(&loaded.file);
        let (ending, media_type, written) = match input.to {
            To::Sbml => ("xml", "application/sbml+xml", sbml::write(model)?),
            To::Json => ("json", "application/json", json::write(model)?),
            To::Yaml => ("yml", "application/yaml", yaml::write(model)?),
            To::Mat => ("mat", "application/x-matlab-data", mat::write(model)?),
            To::Omex => ("omex", "application/zip", archive(model, name)?),
        };
        let name = format!("{name}.{ending}");
        let output = Converted {
            file: loaded.file.clone(),
            format: code_of(loaded.format()),
            to: input.to,
            name: name.clone(),
            bytes: written.bytes.len(),
            losses: written.losses,
            findings: loaded.reading().findings.clone(),
        };
        Ok(Answer { output, attachment: Some(Attachment { name, media_type, bytes: written.bytes }) })
    })
    .await
}
