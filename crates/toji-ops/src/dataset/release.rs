//! `dataset release`: a data set as a folder and a ZIP that come out the same every time.

use super::built::build;
use super::check::{Parts, parts};
use super::content::{self, Content, text};
use super::manifest::Manifest;
use super::package::Files;
use super::{ready, split};
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use toji_core::record::FieldMap;
use toji_core::{Category, Digest, Error, Id, Place, Result};
use toji_store::{Commit, Put};

/// Input of `dataset release`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Manifest of the data set.
    ///
    /// データセットのマニフェスト。
    manifest: Manifest,
    /// Folder to write the files to, empty or new. Without it the ZIP is handed out.
    ///
    /// ファイルを書き出すフォルダー（空または新規）。省略時は ZIP を渡す。
    #[serde(default)]
    dir: Option<String>,
    /// Make it and answer its hash, without keeping or recording anything.
    ///
    /// 作成してハッシュを返すだけで、保存も記録もしない。
    #[serde(default)]
    dry_run: bool,
}

/// A file of a release.
#[derive(Debug, Serialize, JsonSchema)]
struct FileLine {
    /// Path.
    path: String,
    /// Size.
    bytes: usize,
    /// SHA-256, 64 hex digits.
    sha256: String,
}

/// Output of `dataset release`.
#[derive(Debug, Serialize, JsonSchema)]
struct Released {
    /// Record of the release; none for a dry run.
    release: Option<String>,
    /// SHA-256 of the list of all hashes: equal for equal content.
    root_hash: String,
    /// Address of the ZIP (`sha256:…`).
    package: String,
    /// Size of the ZIP.
    bytes: usize,
    /// Name and version.
    name: String,
    /// Runs.
    runs: usize,
    /// Points.
    points: usize,
    /// Rows of the aligned view.
    rows: usize,
    /// Columns of the aligned view.
    columns: usize,
    /// Runs in each part of the split.
    split: Parts,
    /// Readiness, 0 to 100.
    score: f64,
    /// Position in the ledger the data were read at.
    as_of: Option<i64>,
    /// The manifest with nothing left open.
    manifest: Json,
    /// Files.
    files: Vec<FileLine>,
    /// Folder they were written to.
    dir: Option<String>,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "dataset release",
            label: ["データセットの公開", "Release a data set"],
            about: [
                "マニフェストからデータセットを作ります。系列の原データと整列版・マスク、表、分割、Croissant・RO-Crate・Frictionless・DataCite の記載、読込み用 Python を含みます。同じマニフェストからは同じバイト列ができ、根ハッシュを台帳に残します。",
                "Makes a data set from its manifest: series as stored, an aligned view with its mask, tables, splits, Croissant, RO-Crate, Frictionless and DataCite descriptions and a Python loader. The same manifest gives the same bytes, and the root hash is recorded in the ledger.",
            ],
            positional: &[],
            example: "toji dataset release --manifest @brewing.json --out brewing.zip",
        },
        Effect::Write,
        release,
    )
    .long()
}

/// A data set with everything made.
pub(super) struct Made {
    pub(super) content: Content,
    pub(super) files: Files,
    pub(super) root: Digest,
    pub(super) zip: Vec<u8>,
    score: f64,
    split: Parts,
    rows: usize,
    columns: usize,
}

/// Makes a release in memory; nothing is written.
pub(super) async fn make(context: &Context, manifest: &Manifest) -> Result<Made> {
    manifest.must_be_releasable()?;
    let content = content::load(context, manifest, true).await?;
    context.progress.step(0, None, "公開物の作成", "making the release")?;
    tokio::task::spawn_blocking(move || {
        let dealt = split::deal(&content);
        let account = ready::judge(&content, &dealt);
        let (files, root, facts) = build(&content, &dealt, &account)?;
        let zip = files.zip(&format!("{}-{}", content.manifest.name, content.manifest.version))?;
        let (rows, columns) = (facts.rows, facts.columns);
        Ok(Made { score: account.score, split: parts(&dealt), content, files, root, zip, rows, columns })
    })
    .await
    .map_err(|e| Error::bug("E-DATASET-035", e))?
}

async fn release(context: Context, input: Input) -> Result<Answer<Released>> {
    let dir = folder(&context, input.dir.as_deref())?;
    let made = make(&context, &input.manifest).await?;
    let (package, record) = match input.dry_run {
        true => (Digest::of(&made.zip), None),
        false => {
            let (package, record) = keep(&context, &made).await?;
            (package, Some(record))
        }
    };
    if let Some(dir) = &dir {
        made.files.write(dir)?;
    }
    let manifest = serde_json::to_value(&made.content.manifest).map_err(|e| Error::bug("E-DATASET-034", e))?;
    let name = format!("{}-{}", made.content.manifest.name, made.content.manifest.version);
    let files = made.files.iter();
    let output = Released {
        release: record.map(|id| id.to_string()),
        root_hash: made.root.to_string(),
        package: package.to_string(),
        bytes: made.zip.len(),
        runs: made.content.runs.len(),
        points: made.content.points(),
        rows: made.rows,
        columns: made.columns,
        split: made.split,
        score: made.score,
        as_of: made.content.manifest.as_of,
        manifest,
        files: files.map(|(path, b)| FileLine { path: path.into(), bytes: b.len(), sha256: Digest::of(b).hex() }).collect(),
        dir: dir.as_ref().map(|d| d.to_string_lossy().into_owned()),
        name: name.clone(),
    };
    let file = Attachment { name: format!("{name}.zip"), media_type: "application/zip", bytes: made.zip };
    Ok(Answer { output, attachment: (dir.is_none() && !input.dry_run).then_some(file) })
}

fn folder(context: &Context, dir: Option<&str>) -> Result<Option<PathBuf>> {
    let Some(dir) = dir else { return Ok(None) };
    if !context.local_files {
        return Err(Error::new(
            Category::Denied,
            "E-DATASET-011",
            "ネットワーク越しにはフォルダーへ書き出せません",
            "a folder is not written over the network",
        )
        .at(Place::field("dir"))
        .hint("ZIP を受け取ってください", "take the ZIP"));
    }
    Ok(Some(PathBuf::from(dir)))
}

/// Keeps the ZIP and records the release. The same release again changes nothing.
async fn keep(context: &Context, made: &Made) -> Result<(Digest, Id)> {
    let store = &context.session.store;
    let manifest = &made.content.manifest;
    let (package, bytes) = store.keep(made.zip.clone()).await?;
    let id = Id::derive("rel", &[&manifest.name, &manifest.version, &made.root.to_string()]);
    let title = manifest.title();
    let as_json = serde_json::to_value(manifest).map_err(|e| Error::bug("E-DATASET-034", e))?;
    let mut fields = FieldMap::from_iter([
        ("name".to_owned(), Json::from(manifest.name.as_str())),
        ("release_version".to_owned(), manifest.version.as_str().into()),
        ("title_ja".to_owned(), title.ja.into()),
        ("title_en".to_owned(), title.en.into()),
        ("manifest".to_owned(), as_json),
        ("as_of".to_owned(), manifest.as_of.into()),
        ("root_hash".to_owned(), made.root.to_string().into()),
        ("package".to_owned(), package.to_string().into()),
        ("bytes".to_owned(), bytes.len().into()),
        ("runs".to_owned(), json!(manifest.runs)),
        ("points".to_owned(), made.content.points().into()),
        ("score".to_owned(), made.score.into()),
    ]);
    for (name, value) in [("licence", &manifest.licence), ("deposit", &manifest.deposit)] {
        fields.extend(value.as_ref().map(|v| (name.to_owned(), Json::from(v.as_str()))));
    }
    fields.extend(area(&made.content).map(|a| ("area".to_owned(), Json::from(a))));
    let blobs = vec![(package, bytes.len() as u64, format!("{}-{}.zip", manifest.name, manifest.version))];
    let puts = vec![Put::new("dataset-release", id.clone(), fields)];
    let commit = Commit { operation: "dataset release".into(), puts, blobs, ..Commit::default() };
    store.commit(&context.access, context.now, commit).await?;
    Ok((package, id))
}

/// Areas from the most open to the most closed.
const AREAS: [&str; 4] = ["public", "cooperative", "competitive", "clean-room"];

/// The release is as closed as the most closed of its runs; a run without an area is its owner's alone.
fn area(content: &Content) -> Option<&'static str> {
    most_closed(content.runs.iter().map(|run| text(&run.record.fields, "area")))
}

/// The most closed of some areas; none as soon as one is not stated.
pub(crate) fn most_closed<A: AsRef<str>>(areas: impl Iterator<Item = Option<A>>) -> Option<&'static str> {
    let mut strictest = 0;
    for area in areas {
        let area = area?;
        strictest = strictest.max(AREAS.iter().position(|a| *a == area.as_ref())?);
    }
    AREAS.get(strictest).copied()
}
