//! `run import`: files in, one trusted record out.

use super::stored::{self, Counts, FileFacts, RunRef};
use crate::commons::{Candidate, Classified, classified};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use toji_core::culture::{NotRead, Reading};
use toji_core::record::FieldMap;
use toji_core::{Category, Diagnostic, Digest, Error, Id, Place, Result, Severity};
use toji_ingest::table::Mapping;
use toji_ingest::{Site, Source};

/// Input of `run import`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Files, folders (taken whole) or addresses (`sha256:…`) of uploaded files.
    ///
    /// ファイル、フォルダー（丸ごと）、または送信済みファイルのアドレス（`sha256:…`）。
    paths: Vec<String>,
    /// A saved mapping's identifier, or a mapping itself, for tables of no known instrument.
    ///
    /// 装置の形式でない表のための対応付け：保存済みの対応付けの識別子、または対応付けそのもの。
    #[serde(default)]
    mapping: Option<Json>,
    /// Only say what would be read.
    ///
    /// 何が読めるかを示すだけ。
    #[serde(default)]
    dry_run: bool,
    /// Zone of clocks that state none, e.g. `Asia/Tokyo`.
    ///
    /// 時間帯の記載がない時計の時間帯。例：`Asia/Tokyo`。
    #[serde(default)]
    zone: Option<String>,
}

/// What became of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum FileState {
    /// Taken in.
    Imported,
    /// Everything in it was there before.
    AlreadyThere,
    /// Would be taken in.
    WouldImport,
    /// Not taken in; see `error`.
    Refused,
}

/// One file of an import.
#[derive(Debug, Serialize, JsonSchema)]
struct FileReport {
    /// Name.
    name: String,
    /// Address of the file as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    /// Format it was recognised as.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    /// What became of it.
    state: FileState,
    /// Runs in it.
    runs: Vec<RunRef>,
    /// Numbers.
    #[serde(flatten)]
    counts: Counts,
    /// Points that were not stored before.
    points_new: u64,
    /// Points that replace a different number at the same time.
    points_changed: u64,
    /// What was not read.
    not_read: Vec<NotRead>,
    /// What to look at.
    warnings: Vec<Diagnostic>,
    /// Where the runs should stand among what is shared, and why; in a commons alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classification: Vec<Classified>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Json>,
}

/// Output of `run import`.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Report {
    /// Runs of all files.
    runs: Vec<RunRef>,
    /// Numbers of all files.
    #[serde(flatten)]
    counts: Counts,
    /// What was not read, of all files.
    not_read: Vec<NotRead>,
    /// What to look at, of all files.
    warnings: Vec<Diagnostic>,
    /// Where the runs of all files should stand among what is shared; in a commons alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classification: Vec<Classified>,
    /// Address of the (first) file as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    /// File by file.
    files: Vec<FileReport>,
    /// Nothing was stored.
    dry_run: bool,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "run import",
            label: ["培養データの取込", "Import runs"],
            about: [
                "装置のファイルを読み、培養・系列・試料・事象・観察として記録します。形式は内容から判別し、原本は一字一句そのまま保存します。読めなかった箇所は必ず報告します。同じファイルを何度取り込んでも結果は同じです。",
                "Reads instrument files into runs, series, samples, events and observations. The format is told by content, the file is kept byte for byte, and what was not read is reported. Importing a file twice changes nothing.",
            ],
            positional: &["paths…"],
            example: "toji run import data/vessel1.csv data/analyser/ --zone Asia/Tokyo",
        },
        Effect::Write,
        import,
    )
    .long()
}

async fn import(context: Context, input: Input) -> Result<Report> {
    let site = context.session.site(input.zone.as_deref())?;
    let mapping = load_mapping(&context, input.mapping.as_ref()).await?;
    for path in &input.paths {
        may_read(&context, path)?;
    }
    let wanted = expand(&input.paths)?;
    let total = wanted.len() as u64;
    let mut report = Report { dry_run: input.dry_run, ..Report::default() };
    let mut first_error = None;
    for (i, path) in wanted.iter().enumerate() {
        let shown = path.rsplit('/').next().unwrap_or(path);
        context.progress.step(i as u64, Some(total), format!("{shown} を読んでいます"), format!("reading {shown}"))?;
        match one(&context, path, &site, mapping.as_ref(), input.dry_run).await {
            Ok(file) => report.files.push(file),
            Err(error) if error.category() == Category::Storage || error.category() == Category::Bug => return Err(error),
            Err(error) => {
                let name = path.rsplit('/').next().unwrap_or(path).to_owned();
                report.files.push(FileReport {
                    name,
                    blob: None,
                    format: None,
                    state: FileState::Refused,
                    runs: Vec::new(),
                    counts: Counts::default(),
                    points_new: 0,
                    points_changed: 0,
                    not_read: Vec::new(),
                    warnings: Vec::new(),
                    classification: Vec::new(),
                    error: serde_json::to_value(error.fault()).ok(),
                });
                first_error.get_or_insert(error);
            }
        }
    }
    context.progress.step(total, Some(total), "取込を終えました", "import finished")?;
    // Nothing at all was read: that is a refusal, not a success with an empty list.
    if let Some(error) = first_error
        && report.files.iter().all(|f| f.state == FileState::Refused)
    {
        let others = report.files.len() - 1;
        return Err(if others == 0 {
            error
        } else {
            error.hint(format!("他の {others} 件も読めませんでした"), format!("the {others} other files were refused too"))
        });
    }
    for file in &report.files {
        report.counts.add(&file.counts);
        report.runs.extend(file.runs.iter().cloned());
        report.not_read.extend(file.not_read.iter().cloned());
        report.warnings.extend(file.warnings.iter().cloned());
        report.classification.extend(file.classification.iter().cloned());
    }
    report.blob = report.files.iter().find_map(|f| f.blob.clone());
    if !report.dry_run {
        let runs = report.runs.iter().map(|r| r.id.clone()).collect();
        report.warnings.extend(crate::store::after_import(&context, runs).await);
    }
    Ok(report)
}

/// Files as named; folders with everything in them, in order of their names.
fn expand(paths: &[String]) -> Result<Vec<String>> {
    fn walk(dir: &Path, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let kind = entry.file_type()?;
            if kind.is_dir() && !hidden {
                walk(&entry.path(), out)?;
            } else if kind.is_file() && !hidden {
                out.push(entry.path());
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    for path in paths {
        if path.starts_with("sha256:") || !Path::new(path).is_dir() {
            out.push(path.clone());
            continue;
        }
        let mut found = Vec::new();
        walk(Path::new(path), &mut found).map_err(|e| unreadable(path, &e))?;
        found.sort();
        out.extend(found.into_iter().map(|p| p.to_string_lossy().into_owned()));
    }
    if out.is_empty() {
        return Err(Error::input("E-RUN-002", "取り込むファイルがありません", "there is no file to import")
            .at(Place::field("paths"))
            .hint("ファイルかフォルダーを指定してください", "name a file or a folder"));
    }
    Ok(out)
}

fn unreadable(path: &str, error: &std::io::Error) -> Error {
    Error::input("E-RUN-003", format!("{path} を開けません: {error}"), format!("{path} cannot be opened: {error}"))
        .hint("パスと権限を確認してください", "check the path and its permissions")
}

/// Over the network only uploaded files may be named: a path would read any file of the server.
fn may_read(context: &Context, path: &str) -> Result<()> {
    if context.local_files || path.starts_with("sha256:") {
        return Ok(());
    }
    Err(Error::new(
        Category::Denied,
        "E-RUN-008",
        "ネットワーク越しにサーバーのファイルは指定できません",
        "a file of the server cannot be named over the network",
    )
    .at(Place::field("paths"))
    .hint(
        "ファイルを /api/v1/upload で送り、その sha256: アドレスを指定してください",
        "send the file to /api/v1/upload and name its sha256: address",
    ))
}

/// The address by which a file is named, and its name; none for a path. What the address stands for may be read.
pub(crate) async fn addressed(context: &Context, path: &str) -> Result<Option<(String, Digest)>> {
    if !path.starts_with("sha256:") {
        return Ok(None);
    }
    let address = Digest::parse(path)?;
    context.session.store.may_read(&context.access, address).await?;
    Ok(Some((context.session.staged_name(address).await?, address)))
}

/// Bytes and name of a file, by path or address.
pub(crate) async fn fetch(context: &Context, path: &str) -> Result<(String, Vec<u8>)> {
    may_read(context, path)?;
    if path.starts_with("sha256:") {
        let address = Digest::parse(path)?;
        let bytes = context.session.store.blob(&context.access, address).await?;
        return Ok((context.session.staged_name(address).await?, bytes));
    }
    let name = Path::new(path).file_name().map_or_else(|| path.to_owned(), |n| n.to_string_lossy().into_owned());
    let bytes = tokio::fs::read(path).await.map_err(|e| unreadable(path, &e))?;
    Ok((name, bytes))
}

async fn load_mapping(context: &Context, mapping: Option<&Json>) -> Result<Option<(Option<String>, Mapping)>> {
    let parse = |json: Json| {
        serde_json::from_value::<Mapping>(json).map_err(|e| {
            Error::input("E-RUN-004", format!("対応付けが読めません: {e}"), format!("the mapping is not readable: {e}"))
                .at(Place::field("mapping"))
                .hint("`toji run propose FILE` で作り直してください", "make one with `toji run propose FILE`")
        })
    };
    match mapping {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(id)) => {
            let record = context.session.store.record(&context.access, "mapping", id, None).await?;
            let mapping = parse(record.fields.get("mapping").cloned().unwrap_or(Json::Null))?;
            Ok(Some((Some(format!("{id} v{}", record.version)), mapping)))
        }
        Some(inline) => parse(inline.clone()).map(|m| Some((None, m))),
    }
}

/// Reads bytes on a thread of its own: parsing is work for a processor, not for the event loop.
pub(super) async fn read(name: &str, bytes: Vec<u8>, site: &Site, mapping: Option<Mapping>) -> Result<(u32, Reading, Vec<u8>)> {
    let (name, site) = (name.to_owned(), site.clone());
    let work = move || -> Result<(u32, Reading, Vec<u8>)> {
        let source = Source::new(&name, &bytes)?;
        let (version, reading) = match mapping {
            Some(mapping) => (mapping.version, toji_ingest::table::apply(&source, &mapping, &site)?),
            None => toji_ingest::read(&source, &site).map(|(format, reading)| (format.version(), reading))?,
        };
        drop(source);
        Ok((version, reading, bytes))
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-RUN-005", e))?
}

async fn one(
    context: &Context,
    path: &str,
    site: &Site,
    mapping: Option<&(Option<String>, Mapping)>,
    dry_run: bool,
) -> Result<FileReport> {
    let store = &context.session.store;
    let (name, bytes) = fetch(context, path).await?;
    let (parser_version, reading, bytes) = read(&name, bytes, site, mapping.map(|m| m.1.clone())).await?;
    refuse_wrong_table(&name, &reading)?;
    let counts = Counts::of(&reading);
    let (format, not_read, mut warnings) = (reading.format.clone(), reading.not_read.clone(), reading.diagnostics.clone());
    let maker = context.access.who.organisation.clone();
    let refs = |reading: &Reading| -> Vec<RunRef> {
        reading
            .runs
            .iter()
            .map(|r| RunRef { id: stored::run_id(maker.as_deref(), &reading.format, r).to_string(), title: r.title.clone() })
            .collect()
    };
    let mut file = FileReport {
        name: name.clone(),
        blob: None,
        format: Some(format),
        state: FileState::WouldImport,
        runs: refs(&reading),
        counts,
        points_new: 0,
        points_changed: 0,
        not_read,
        warnings: Vec::new(),
        classification: Vec::new(),
        error: None,
    };
    if dry_run {
        file.blob = Some(Digest::of(&bytes).to_string());
        file.warnings = warnings;
        propose_classes(context, &mut file).await?;
        return Ok(file);
    }
    let size = bytes.len() as u64;
    let (address, _) = store.keep(bytes).await?;
    let mut present: HashMap<String, FieldMap> = HashMap::new();
    for run in &file.runs {
        if let Ok(record) = store.record(&context.access, "run", &run.id, None).await {
            present.insert(run.id.clone(), record.fields);
        }
    }
    // A file that was imported before keeps its first date, so that repeating the import changes nothing.
    let before = store.record(&context.access, "file", stored::file_id(maker.as_deref(), address).as_str(), None).await.ok();
    let stamp = before.as_ref().and_then(|r| r.fields.get("imported_at")).and_then(Json::as_str).map(str::to_owned);
    let first_name = before.as_ref().and_then(|r| r.fields.get("name")).and_then(Json::as_str).map(str::to_owned);
    let facts = FileFacts {
        maker,
        name: first_name.unwrap_or(name),
        address,
        bytes: size,
        parser_version,
        imported_at: stamp.unwrap_or_else(|| context.now.to_string()),
        mapping: mapping.and_then(|m| m.0.clone()),
    };
    let (mut commit, runs) = stored::commit(reading, &facts, &present)?;
    if before.is_none() {
        keep_first_file(context, &mut commit).await?;
    }
    let receipt = store.commit(&context.access, context.now, commit).await?;
    if receipt.points_changed > 0 {
        warnings.push(
            Diagnostic::warning(
                "W-RUN-001",
                Place::default().in_file(&file.name),
                format!(
                    "{} 点は、以前の取込と同じ時刻で値が異なります。新しい値を表示し、以前の値も残します",
                    receipt.points_changed
                ),
                format!(
                    "{} points differ from an earlier import at the same time; the new ones are shown, the old ones stay",
                    receipt.points_changed
                ),
            )
            .remedy("どちらのファイルが正しいか確認してください", "check which file is right"),
        );
    }
    warnings.extend(receipt.diagnostics);
    file.blob = Some(address.to_string());
    file.runs = runs;
    file.points_new = receipt.points_new;
    file.points_changed = receipt.points_changed;
    file.warnings = warnings;
    file.state = if receipt.seq.is_some() { FileState::Imported } else { FileState::AlreadyThere };
    propose_classes(context, &mut file).await?;
    Ok(file)
}

/// Says of each run where it should stand among what is shared, by what is known of it.
async fn propose_classes(context: &Context, file: &mut FileReport) -> Result<()> {
    let mut candidates = Vec::new();
    for run in &file.runs {
        let record = context.session.store.record(&context.access, "run", &run.id, None).await.ok();
        // Before it is taken in, its title is what is known.
        let titled = || FieldMap::from_iter([("title".to_owned(), Json::from(run.title.as_str()))]);
        candidates.push(Candidate {
            kind: "run".to_owned(),
            id: Id::parse(&run.id)?,
            fields: record.map_or_else(titled, |r| r.fields),
            file: Some(file.name.clone()),
        });
    }
    file.classification = classified(context, &candidates).await?;
    file.warnings.extend(file.classification.iter().filter_map(Classified::warning));
    Ok(())
}

/// Incremental exports repeat samples and events: the file that brought one first stays its file.
async fn keep_first_file(context: &Context, commit: &mut toji_store::Commit) -> Result<()> {
    for put in commit.puts.iter_mut().filter(|p| matches!(p.kind.as_str(), "event" | "observation" | "sample" | "assay")) {
        if let Ok(known) = context.session.store.record(&context.access, &put.kind, put.id.as_str(), None).await
            && let Some(file) = known.fields.get("file")
        {
            put.fields.insert("file".into(), file.clone());
        }
    }
    Ok(())
}

/// A table is read by what its mapping says; where a column contradicts it (temperature in g/L), the whole
/// file is refused, since a person can correct mapping or file. An instrument's file cannot be corrected,
/// so there single faults are kept as diagnostics.
fn refuse_wrong_table(name: &str, reading: &Reading) -> Result<()> {
    let faults: Vec<Diagnostic> = reading.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
    if reading.format != "table" || faults.is_empty() {
        return Ok(());
    }
    Err(Error::input(
        "E-RUN-007",
        format!("{name}: 表の {} か所が対応付けと合いません", faults.len()),
        format!("{name}: {} places of the table contradict its mapping", faults.len()),
    )
    .hint(
        "示した列を直すか、`toji run propose` の対応付けを改めてください",
        "correct the columns named, or the mapping from `toji run propose`",
    )
    .with(faults)
    .in_file(name))
}
