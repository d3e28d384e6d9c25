//! A fresh store in a folder of its own, and operations by name.

use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toji_core::{Access, Error, Id, Instant, Severity};
use toji_ops::{Options, Output, Progress, Session};
use toji_store::{Commit, Put, Store};

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
    /// The file that an operation without input hands out, as text.
    pub(crate) async fn run_filed(&self, name: &str) -> String {
        String::from_utf8(self.output(name, json!({})).await.attachment.unwrap().bytes).unwrap()
    }
    /// The error with which an operation refuses.
    pub(crate) async fn refusal(&self, name: &str, input: Json) -> Error {
        match self.call(name, input.clone()).await {
            Ok(output) => panic!("{name} {input} should have been refused, answered {}", output.json),
            Err(error) => error,
        }
    }
    /// What an operation answers a user of the commons; a guest, when none is named.
    pub(crate) async fn run_as(&self, user: &str, name: &str, input: Json) -> Json {
        self.call_as(user, name, input.clone()).await.unwrap_or_else(|e| panic!("{user}: {name} {input}: {e:?}")).json
    }
    /// The error with which an operation refuses a user.
    pub(crate) async fn refusal_as(&self, user: &str, name: &str, input: Json) -> Error {
        match self.call_as(user, name, input.clone()).await {
            Ok(output) => panic!("{user}: {name} {input} should have been refused, answered {}", output.json),
            Err(error) => error,
        }
    }
    pub(crate) async fn call_as(&self, user: &str, name: &str, input: Json) -> toji_core::Result<Output> {
        let access = self.session.access_of(Some(user), None, self.now).await?;
        let context = toji_ops::Context { access, ..self.session.context(Progress::silent(), self.now) };
        toji_ops::operation(name).unwrap().run(context, input).await
    }
    /// Another session over the same store, as another process has it. Its folder goes with this bench.
    pub(crate) async fn reopened(&self) -> Self {
        let session = Session::open(&self.folder.path().join("store"), Options::default()).await.unwrap();
        Self { session, folder: tempfile::tempdir().unwrap(), now: self.now }
    }
    /// The same store on another day.
    pub(crate) fn on(mut self, now: &str) -> Self {
        self.now = Instant::parse(now).unwrap();
        self
    }
    /// A user of the commons, entered as an operation that enrols one does.
    pub(crate) async fn user(&self, id: &str, organisation: &str, roles: &[&str]) {
        let store = Store::open(&self.folder.path().join("store"), None).await.unwrap();
        let fields =
            json!({ "organisation": organisation, "commons_roles": roles, "state": "active", "created": self.now.to_string() });
        let Json::Object(fields) = fields else { panic!("an object") };
        let put = Put::new("user", Id::parse(id).unwrap(), fields);
        let commit = Commit { operation: "user enrol".into(), puts: vec![put], ..Commit::default() };
        store.commit(&Access::owner(), self.now, commit).await.unwrap();
    }
    /// Founds a commons whose house belongs to ORG-HOME, with an operator and an export-control officer.
    pub(crate) async fn commons(&self) {
        self.organisation("ORG-HOME").await;
        self.run("commons found", json!({ "organisation": "ORG-HOME", "country": "JP" })).await;
        self.user("unei", "ORG-HOME", &["operator"]).await;
        self.user("yushutsu", "ORG-HOME", &["export-control-officer"]).await;
    }
    /// An organisation by its identifier.
    pub(crate) async fn organisation(&self, id: &str) {
        self.put("organisation", id, json!({ "name": id, "name_en": id, "country": "JP" })).await;
    }
    /// A member with an administrator `ID-kanri`, a steward `ID-steward`, a scientist `ID-ken` and a registered key.
    pub(crate) async fn member(&self, id: &str) {
        self.applicant(id).await;
        self.approve(id).await;
    }
    /// An organisation that has applied, with its people.
    pub(crate) async fn applicant(&self, id: &str) {
        self.organisation(id).await;
        for (name, role) in [("kanri", "contributor-admin"), ("steward", "steward"), ("ken", "scientist")] {
            self.user(&format!("{id}-{name}"), id, &[role]).await;
        }
        let input = json!({ "organisation": id, "country": "JP", "reason": "試験" });
        self.run_as(&format!("{id}-kanri"), "commons apply", input).await;
    }
    /// Screens and approves an applicant, and registers its key.
    pub(crate) async fn approve(&self, id: &str) {
        let screened = json!({ "organisation": id, "listing": "clear", "evidence": "試験の照合" });
        self.run_as("yushutsu", "commons screen", screened).await;
        self.run_as("unei", "commons decide", json!({ "organisation": id, "approve": true, "reason": "試験" })).await;
        self.register_key(id).await;
    }
    /// Makes and registers the key of an organisation; the file stands beside the store.
    pub(crate) async fn register_key(&self, id: &str) {
        let made = self.output("commons make-key", json!({ "organisation": id })).await;
        self.file(&format!("{id}.key"), made.attachment.unwrap().bytes);
        self.run("commons key", json!({ "organisation": id, "key": made.json["key"] })).await;
    }
    /// Where the key of an organisation lies.
    pub(crate) fn key_file(&self, id: &str) -> String {
        self.folder.path().join(format!("{id}.key")).to_string_lossy().into_owned()
    }
    /// An agreement that all its parties sign: research with reading, computing and training, with more terms merged in.
    pub(crate) async fn agreement(&self, id: &str, parties: &[&str], data_sets: &[&str], more: Json) {
        let mut draft = json!({
            "title": id, "text": "試験の条文", "parties": parties, "data_sets": data_sets,
            "from": "2026-01-01T00:00:00Z", "until": "2031-04-01T00:00:00Z",
            "purposes": ["research", "benchmark", "model-training"], "grants": ["read", "compute", "train"],
        });
        draft.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.run("commons draft", json!({ "id": id, "terms": draft })).await;
        for party in parties {
            let input = json!({ "id": id, "organisation": party, "key_file": self.key_file(party) });
            self.run_as(&format!("{party}-kanri"), "commons sign", input).await;
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
    /// Alters the catalogue behind the store's back.
    pub(crate) async fn tamper(&self, statement: &'static str) {
        use sqlx::Connection as _;
        let url = format!("sqlite://{}", self.folder.path().join("store/catalogue.sqlite").display());
        let mut raw = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(statement).execute(&mut raw).await.unwrap();
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

/// The field that an error is about.
pub(crate) fn field(error: &Error) -> Option<&str> {
    error.fault().place.as_ref()?.field.as_deref()
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

/// A metabolic model of the shared data, when it is there.
pub(crate) fn metabolic_model(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TOJI_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("data/gem/models").join(name);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}
