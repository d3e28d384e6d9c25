//! A fresh store in a folder of its own, and operations by name.

use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toji_core::{Error, Instant, Severity};
use toji_ops::{Options, Output, Progress, Session};

pub(crate) struct Bench {
    pub(crate) session: Arc<Session>,
    folder: tempfile::TempDir,
    now: Instant,
}

impl Bench {
    /// An empty store whose clocks are Japanese, on 2026-11-24.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { zone: Some("Asia/Tokyo".into()), ..Options::default() };
        let session = Session::init(&folder.path().join("store"), options).await.unwrap();
        Self { session, folder, now: Instant::parse("2026-11-24T03:00:00Z").unwrap() }
    }
    /// An empty store with some policy tables, taken in from their files.
    pub(crate) async fn with_tables(tables: &[(&str, &str)]) -> Self {
        let bench = Self::new().await;
        for (kind, file) in tables {
            bench.table(kind, file).await;
        }
        bench
    }
    /// A bench over a store that is there already.
    pub(crate) async fn over(folder: tempfile::TempDir) -> Self {
        let session = Session::open(&folder.path().join("store"), Options::default()).await.unwrap();
        Self { session, folder, now: Instant::parse("2026-11-24T03:00:00Z").unwrap() }
    }
    /// Takes a policy table in; answers the report.
    pub(crate) async fn table(&self, kind: &str, file: &str) -> Json {
        self.run("record import", json!({ "kind": kind, "path": seed(file) })).await
    }
    /// What an operation answers.
    pub(crate) async fn run(&self, name: &str, input: Json) -> Json {
        self.output(name, input).await.json
    }
    /// What an operation answers, with its file.
    pub(crate) async fn output(&self, name: &str, input: Json) -> Output {
        self.call(name, input.clone()).await.unwrap_or_else(|e| panic!("{name} {input}: {e:?}"))
    }
    /// The error with which an operation refuses.
    pub(crate) async fn refusal(&self, name: &str, input: Json) -> Error {
        match self.call(name, input.clone()).await {
            Ok(output) => panic!("{name} {input} should have been refused, answered {}", output.json),
            Err(error) => error,
        }
    }
    async fn call(&self, name: &str, input: Json) -> toji_core::Result<Output> {
        let context = self.session.context(Progress::silent(), self.now);
        toji_ops::operation(name).unwrap().run(context, input).await
    }
    /// Enters a record.
    pub(crate) async fn put(&self, kind: &str, id: &str, fields: Json) {
        self.run("record put", json!({ "kind": kind, "id": id, "fields": fields })).await;
    }
    pub(crate) async fn get(&self, kind: &str, id: &str) -> Json {
        self.run("record get", json!({ "kind": kind, "id": id })).await
    }
    /// Records of a kind, with their fields.
    pub(crate) async fn list(&self, kind: &str) -> Vec<Json> {
        self.run("record list", json!({ "kind": kind, "limit": 100_000 })).await["records"].as_array().unwrap().clone()
    }
    /// Writes a file beside the store; answers its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    }
    /// The ledger and everything kept agree.
    pub(crate) async fn is_sound(&self) {
        assert_eq!(self.run("store verify", json!({})).await["ok"], true);
    }
}

/// Root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

pub(crate) fn seed(file: &str) -> String {
    root().join("seeds").join(file).to_string_lossy().into_owned()
}

/// A real file of the shared data; says so where there is none, and the test goes on without it.
pub(crate) fn shared(path: &str) -> Option<String> {
    let shared = std::env::var_os("TOJI_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let path = shared.join("data/bioprocess").join(path);
    if !path.exists() {
        println!("skipped: there is no {}", path.display());
        return None;
    }
    Some(path.to_string_lossy().into_owned())
}

/// Files of a ZIP by path, without the folder they lie in.
pub(crate) fn unzip(bytes: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut out = BTreeMap::new();
    for i in 0..zip.len() {
        let mut file = zip.by_index(i).unwrap();
        let path = file.name().unwrap().split_once('/').unwrap().1.to_owned();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut content).unwrap();
        out.insert(path, content);
    }
    out
}

/// Places of the errors among an error's findings, as `file:line:column «field»`, and both languages are there.
pub(crate) fn places(error: &Error) -> Vec<String> {
    let fault = error.fault();
    assert!(!fault.message.ja.is_empty() && !fault.message.en.is_empty() && fault.message.ja != fault.message.en);
    assert!(fault.hint.as_ref().is_some_and(|h| !h.ja.is_empty() && !h.en.is_empty()), "{error:?} has a remedy");
    fault.diagnostics.iter().filter(|d| d.severity == Severity::Error).map(|d| d.place.to_string()).collect()
}

/// The numbers under one name in a list of objects.
pub(crate) fn numbers(list: &Json, name: &str) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|o| o[name].as_f64().unwrap_or_else(|| panic!("{name} in {o}"))).collect()
}

/// The texts under one name in a list of objects.
pub(crate) fn texts(list: &Json, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|o| o[name].as_str().unwrap_or_else(|| panic!("{name} in {o}")).to_owned()).collect()
}

/// A text in both languages, neither empty.
pub(crate) fn bilingual(text: &Json) -> bool {
    ["ja", "en"].iter().all(|l| text[*l].as_str().is_some_and(|t| !t.is_empty()))
}
