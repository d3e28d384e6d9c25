//! `flux frog`: the results of a model as curators exchange them, and beside a report that was published.

use super::convert::stem;
use super::source::load;
use super::{apart, threads};
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use crate::run::fetch;
use md5::{Digest as _, Md5};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::io::frog::{self, Difference, Report};
use toji_flux::io::{omex, sbml};

/// Longest table read from an archive.
const TABLE_BYTES_MAX: u64 = 256 << 20;

/// Input of `flux frog`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the path of a file (SBML, COBRA JSON or YAML, MATLAB, COMBINE archive; also packed with gzip), or its address after an
    /// upload.
    ///
    /// モデル：ファイルの場所（SBML、COBRA の JSON・YAML、MATLAB、COMBINE アーカイブ。gzip 圧縮も可）、または送信後のアドレス。
    model: String,
    /// Report that was published: a COMBINE archive or zip with the four tables of FROG, by path or address.
    ///
    /// 公表された報告。FROG の四つの表を収めた COMBINE アーカイブまたは zip（場所またはアドレス）。
    #[serde(default)]
    against: Option<String>,
    /// Values that differ by no more than this are the same.
    ///
    /// この値以下の差は同じとみなす。
    #[serde(default = "absolute")]
    absolute: f64,
    /// Besides, values that differ by no more than this share of the published one are the same.
    ///
    /// 公表値に対するこの割合以下の差も同じとみなす。
    #[serde(default = "relative")]
    relative: f64,
}

fn absolute() -> f64 {
    2e-6
}
fn relative() -> f64 {
    1e-5
}

/// Output of `flux frog`.
#[derive(Debug, Serialize, JsonSchema)]
struct Reported {
    /// File.
    file: String,
    /// Objective.
    objective: String,
    /// Its optimum; none when nothing meets the bounds.
    value: Option<f64>,
    /// Reactions reported.
    reactions: usize,
    /// Genes reported.
    genes: usize,
    /// Name of the archive with model, tables and metadata.
    archive: String,
    /// Does every value agree with the published report? None when there is none.
    agree: Option<bool>,
    /// Values compared.
    compared: usize,
    /// Values that differ: `first` is found here, `second` was published.
    differences: Vec<Difference>,
    /// What of the model the archive has no place for.
    losses: Vec<Diagnostic>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "flux frog",
            label: ["FROG 報告", "FROG report"],
            about: [
                "モデルの再現性を示す FROG 報告（目的の最適値、流束の幅、遺伝子と反応の欠失）を作り、モデルとともに COMBINE アーカイブに収めます。公表された報告を渡すと、値を一つずつ比べて食い違いを挙げます。",
                "Makes the FROG report of a model (optimum, ranges of fluxes, deletions of genes and reactions), by which others reproduce it, as a COMBINE archive with the model. Beside a report that was published, every value is compared and each difference listed.",
            ],
            positional: &["model"],
            example: "toji --out model_frog.omex flux frog iCGB21FR.xml.gz --against published.omex",
        },
        Effect::Read,
        run,
    )
    .long()
}

/// The report in an archive: the four tables, wherever they stand in it.
fn published(bytes: &[u8]) -> Result<Report> {
    let mut archive = omex::Archive::open(bytes)?;
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    for name in frog::FILES {
        let located = archive.entries.iter().find(|e| e.location.rsplit('/').next() == Some(name));
        let Some(location) = located.map(|e| e.location.clone()) else { continue };
        let mut text = String::new();
        archive.file(&location)?.take(TABLE_BYTES_MAX).read_to_string(&mut text).map_err(|e| {
            Error::input("E-FLUX-142", format!("{location} を読めません: {e}"), format!("{location} cannot be read: {e}"))
                .at(Place::field(&location))
                .hint("UTF-8 の表を収めてください", "put tables in UTF-8 into it")
        })?;
        tables.insert(name, text);
    }
    frog::read(&|name| tables.get(name).map(String::as_str))
}

/// Values of a report.
fn count(report: &Report) -> usize {
    1 + 2 * report.ranges.len() + report.genes.len() + report.reactions.len()
}

/// The archive: model, tables, metadata. Without a date, so that the same model gives the same archive.
fn archive(name: &str, model: &[u8], report: &Report) -> Result<Vec<u8>> {
    const FROG: &str = "http://identifiers.org/combine.specifications:frog-";
    let kinds = ["objective", "fva", "genedeletion", "reactiondeletion"];
    let mut hash = String::new();
    for byte in Md5::digest(model) {
        let _ = write!(hash, "{byte:02x}");
    }
    let about = json!({
        "frog.version": "1", "software.name": "toji", "software.version": env!("CARGO_PKG_VERSION"),
        "software.url": env!("CARGO_PKG_REPOSITORY"), "solver.name": "toji-flux", "solver.version": env!("CARGO_PKG_VERSION"),
        "environment": format!("{}, {}", std::env::consts::OS, std::env::consts::ARCH),
        "model.filename": report.model, "model.md5": hash,
    });
    let about = serde_json::to_vec_pretty(&about).map_err(|e| Error::bug("E-FLUX-143", e))?;
    let tables = frog::write(report);
    let entry = |location: String, format: String, master| omex::Entry { location, format, master };
    let mut files = vec![(entry(format!("{name}.xml"), omex::SBML.into(), true), model)];
    files.push((entry("FROG/metadata.json".into(), format!("{FROG}metadata-version-1"), false), &about));
    for ((file, text), kind) in tables.iter().zip(kinds) {
        files.push((entry(format!("FROG/{file}"), format!("{FROG}{kind}-version-1"), false), text.as_bytes()));
    }
    omex::write(&files)
}

async fn run(context: Context, input: Input) -> Result<Answer<Reported>> {
    let loaded = load(&context, &input.model).await?;
    let other = match &input.against {
        Some(named) => Some(fetch(&context, named).await.map_err(|e| e.at(Place::field("against")))?),
        None => None,
    };
    if !(input.absolute >= 0.0 && input.relative >= 0.0) {
        return Err(Error::input("E-FLUX-144", "許容差は 0 以上の数です", "tolerances are numbers of at least zero")
            .at(Place::field("absolute"))
            .hint("例: 2e-6", "example: 2e-6"));
    }
    apart(move || {
        let model = loaded.model();
        let name = stem(&loaded.file);
        let other = match other {
            Some((file, bytes)) => Some(published(&bytes).map_err(|e| e.in_file(&file))?),
            None => None,
        };
        let written = sbml::write(model)?;
        let report = frog::report(model, &format!("{name}.xml"), threads())?;
        let differences = other.as_ref().map(|other| frog::compare(&report, other, input.absolute, input.relative));
        let bytes = archive(name, &written.bytes, &report)?;
        let archive = format!("{name}_frog.omex");
        let output = Reported {
            file: loaded.file.clone(),
            objective: report.objective.clone(),
            value: report.value,
            reactions: report.reactions.len(),
            genes: report.genes.len(),
            archive: archive.clone(),
            agree: differences.as_ref().map(Vec::is_empty),
            compared: other.as_ref().map_or(0, count),
            differences: differences.unwrap_or_default(),
            losses: written.losses,
            findings: loaded.reading().findings.clone(),
        };
        Ok(Answer { output, attachment: Some(Attachment { name: archive, media_type: "application/zip", bytes }) })
    })
    .await
}
