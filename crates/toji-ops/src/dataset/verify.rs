//! `dataset verify`: is a release what its list of hashes says, and does the ledger know it?

use super::content::text;
use super::manifest::Manifest;
use super::package::MANIFEST;
use super::release::make;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::Path;
use toji_core::{Category, Diagnostic, Digest, Error, Place, Record, Result};

/// Input of `dataset verify`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Record of a release, or a folder or ZIP of one on this machine.
    ///
    /// 公開物の記録、またはこの計算機にある公開物のフォルダーか ZIP。
    release: String,
    /// Also make it again from its manifest and compare the root hashes.
    ///
    /// マニフェストから作り直し、根ハッシュも比べる。
    #[serde(default)]
    remake: bool,
}

/// Output of `dataset verify`.
#[derive(Debug, Serialize, JsonSchema)]
struct Verified {
    /// Nothing was found.
    ok: bool,
    /// Root hash of what was found.
    root_hash: String,
    /// Record of the release in this store, if it knows it.
    release: Option<String>,
    /// Files compared.
    files: usize,
    /// Root hash when made again now.
    remade_root_hash: Option<String>,
    /// What does not fit.
    faults: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "dataset verify",
            label: ["公開物の検証", "Verify a release"],
            about: [
                "公開物の全ファイルをハッシュ一覧と照合し、根ハッシュが台帳にあるかを確かめます。--remake でマニフェストから作り直して比べます。",
                "Compares every file of a release with its list of hashes and the root hash with the ledger. With --remake it is made again from its manifest and compared.",
            ],
            positional: &["release"],
            example: "toji dataset verify ./brewing-1.0.0 --remake",
        },
        Effect::Read,
        verify,
    )
    .long()
}

type Found = BTreeMap<String, Vec<u8>>;

async fn verify(context: Context, input: Input) -> Result<Verified> {
    let store = &context.session.store;
    let known = store.records(&context.access, "dataset-release", None, false).await?;
    let record = known.iter().find(|r| r.id.as_str() == input.release);
    let files = match record {
        Some(record) => {
            let package = text(&record.fields, "package").unwrap_or_default();
            unpack(store.blob(&context.access, Digest::parse(package)?).await?)?
        }
        None => local(&context, &input.release)?,
    };
    let list = files.get(MANIFEST).ok_or_else(|| not_a_release(&input.release))?;
    let root = Digest::of(list).to_string();
    let mut faults = compare(&files, list);
    let of_root = |r: &&Record| text(&r.fields, "root_hash") == Some(root.as_str());
    let recorded = known.iter().find(of_root);
    if recorded.is_none() {
        faults.push(
            Diagnostic::warning(
                "W-DATASET-001",
                Place::field(MANIFEST),
                format!("根ハッシュ {root} はこの保存先の台帳にありません"),
                format!("the ledger of this store does not know the root hash {root}"),
            )
            .remedy("公開した保存先で確かめてください", "verify it in the store that made it"),
        );
    }
    let mut remade = None;
    if input.remake {
        let manifest = files.get("manifest.json").ok_or_else(|| not_a_release(&input.release))?;
        let manifest: Manifest = serde_json::from_slice(manifest).map_err(|_| not_a_release(&input.release))?;
        let again = make(&context, &manifest).await?.root.to_string();
        if again != root {
            faults.push(
                Diagnostic::error(
                    "E-DATASET-042",
                    Place::field("manifest.json"),
                    format!("作り直した根ハッシュは {again} です"),
                    format!("made again, the root hash is {again}"),
                )
                .remedy(
                    "同じ保存先・同じ版の Toji で作り直してください",
                    "make it again in the same store with the same version of Toji",
                ),
            );
        }
        remade = Some(again);
    }
    let ok = faults.is_empty();
    let release = recorded.map(|r| r.id.to_string());
    Ok(Verified { ok, root_hash: root, release, files: files.len(), remade_root_hash: remade, faults })
}

fn not_a_release(name: &str) -> Error {
    Error::input("E-DATASET-040", format!("「{name}」は公開物ではありません"), format!("{name} is not a release"))
        .at(Place::field("release"))
        .hint("公開物のフォルダー・ZIP・記録の識別子を指定してください", "give the folder, ZIP or record of a release")
}

/// Every listed file is there with its hash, and nothing else is.
fn compare(files: &Found, list: &[u8]) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut fault = |path: &str, ja: &str, en: &str| {
        let place = Place::default().in_file(path);
        faults.push(
            Diagnostic::error("E-DATASET-041", place, format!("{path}: {ja}"), format!("{path}: {en}"))
                .remedy("公開元から受け取り直してください", "take it again from its source"),
        );
    };
    let text = String::from_utf8_lossy(list);
    let listed: BTreeMap<&str, &str> = text.lines().filter_map(|l| l.split_once("  ").map(|(hash, path)| (path, hash))).collect();
    for (path, hash) in &listed {
        match files.get(*path) {
            None => fault(path, "ファイルがありません", "the file is missing"),
            Some(bytes) if Digest::of(bytes).hex() != *hash => {
                fault(path, "内容が一覧のハッシュと違います", "the content differs from the listed hash")
            }
            Some(_) => {}
        }
    }
    for path in files.keys().filter(|p| p.as_str() != MANIFEST && !listed.contains_key(p.as_str())) {
        fault(path, "一覧にないファイルです", "the file is not listed");
    }
    faults
}

/// Largest release that is read into memory, bytes.
const BYTES_MAX: u64 = 8 << 30;

fn too_large() -> Error {
    Error::new(Category::Limit, "E-DATASET-043", "公開物が大きすぎます", "the release is too large")
        .hint("8 GiB までです", "at most 8 GiB are read")
}

fn unpack(bytes: Vec<u8>) -> Result<Found> {
    let fault = |_| not_a_release("zip");
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(fault)?;
    let mut out = Found::new();
    let mut left = BYTES_MAX;
    for i in 0..zip.len() {
        let file = zip.by_index(i).map_err(fault)?;
        if file.is_dir() {
            continue;
        }
        let name = file.name().map_err(fault)?.into_owned();
        let path = name.split_once('/').map_or(name.as_str(), |(_, path)| path).to_owned();
        let mut content = Vec::new();
        file.take(left + 1).read_to_end(&mut content).map_err(|_| not_a_release("zip"))?;
        left = left.checked_sub(content.len() as u64).ok_or_else(too_large)?;
        out.insert(path, content);
    }
    Ok(out)
}

fn local(context: &Context, name: &str) -> Result<Found> {
    let path = Path::new(name);
    if !context.local_files || !path.exists() {
        return Err(not_a_release(name));
    }
    let fault = |e: std::io::Error| {
        Error::storage("E-DATASET-044", format!("「{name}」を読めません: {e}"), format!("cannot read {name}: {e}"))
            .at(Place::field("release"))
            .hint("読めるファイルか確かめてください", "see whether it can be read")
    };
    if path.is_file() {
        if std::fs::metadata(path).map_err(fault)?.len() > BYTES_MAX {
            return Err(too_large());
        }
        return unpack(std::fs::read(path).map_err(fault)?);
    }
    let mut out = Found::new();
    let mut open = vec![path.to_path_buf()];
    let mut left = BYTES_MAX;
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let sort = entry.file_type().map_err(fault)?;
            if sort.is_dir() {
                open.push(entry.path());
            } else if sort.is_file() {
                left = left.checked_sub(entry.metadata().map_err(fault)?.len()).ok_or_else(too_large)?;
                let inside = entry.path();
                let inside = inside.strip_prefix(path).unwrap_or(&inside).to_string_lossy().replace('\\', "/");
                out.insert(inside, std::fs::read(entry.path()).map_err(fault)?);
            }
        }
    }
    Ok(out)
}
