//! The store as a folder: catalogue, blobs, series, search index.

use crate::blob::BlobFolder;
use crate::catalogue::{Backend, Catalogue};
use crate::data::Summaries;
use crate::ledger::Head;
use crate::reads::Reads;
use crate::series::{PartReader, RollupReader};
use crate::{fault, ledger};
use arrow::datatypes::SchemaRef;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use toji_core::{Access, Action, Category, Digest, Error, Id, KindSet, Resource, Result};

/// An open store.
#[derive(Debug)]
pub struct Store {
    pub(crate) dir: PathBuf,
    pub(crate) catalogue: Catalogue,
    pub(crate) blobs: BlobFolder,
    pub(crate) parts: PartReader,
    pub(crate) rollups: RollupReader,
    pub(crate) reads: Reads,
    /// How many parts there were, how many in force and the newest, and the summaries of all channels then.
    pub(crate) summed: Mutex<Option<([i64; 3], Arc<Summaries>)>>,
    pub(crate) homes: Mutex<Option<(i64, Arc<crate::homes::Homes>)>>,
    /// Kinds kept read; none where a kind has too many records.
    pub(crate) shelves: Mutex<HashMap<String, Option<Arc<crate::shelf::Shelf>>>>,
    pub(crate) kinds: &'static KindSet,
    /// The kinds as tables, once SQL was asked for.
    pub(crate) tables: OnceLock<Vec<SchemaRef>>,
    pub(crate) head: Mutex<Head>,
    pub(crate) search: crate::search::SearchFolder,
    pub(crate) tail: crate::tail::Tail,
}

impl Store {
    /// Makes a new store in an empty or missing folder and opens it.
    ///
    /// # Errors
    /// The folder holds something else, or cannot be written.
    pub async fn init(dir: &Path, catalogue_url: Option<&str>) -> Result<Self> {
        if dir.join(MARK).exists() {
            return Err(Error::new(Category::Conflict, "E-STORE-012", "すでに保存先があります", "there is a store already")
                .hint("そのまま使うか、別のフォルダーを指定してください", "use it as it is, or give another folder"));
        }
        if dir.exists() && std::fs::read_dir(dir).map_err(|e| fault::io(&e, dir))?.next().is_some() {
            return Err(Error::new(Category::Conflict, "E-STORE-013", "フォルダーが空ではありません", "the folder is not empty")
                .hint("空のフォルダーを指定してください", "give an empty folder"));
        }
        crate::blob::make_folder(dir)?;
        let note = format!(
            "# A Toji store. Do not edit by hand.\nformat = 1\ncatalogue = {:?}\n",
            catalogue_url.map_or_else(|| "sqlite".to_owned(), without_password)
        );
        crate::blob::write_durably(&dir.join(MARK), note.as_bytes())?;
        let store = Self::open(dir, catalogue_url).await?;
        // From the first event on, a missing note is a sign of tampering.
        let mut tx = store.catalogue.begin().await?;
        let head = ledger::head(&mut tx).await?;
        tx.rollback().await.map_err(fault::sql)?;
        ledger::anchor(dir, head)?;
        Ok(store)
    }

    /// Opens a store.
    ///
    /// # Errors
    /// There is none, it is damaged, or its catalogue cannot be reached.
    pub async fn open(dir: &Path, catalogue_url: Option<&str>) -> Result<Self> {
        let mark = std::fs::read_to_string(dir.join(MARK)).map_err(|_| {
            Error::not_found("E-STORE-014", "ここには Toji の保存先がありません", "there is no Toji store here")
                .hint("`toji --store DIR init` で作ってください", "make one with `toji --store DIR init`")
        })?;
        let noted = mark.lines().find_map(|l| l.strip_prefix("catalogue = ")).map(|v| v.trim_matches('"').to_owned());
        let url = catalogue_url.map(str::to_owned).or(noted.filter(|u| u != "sqlite"));
        let catalogue = Catalogue::open(dir, url.as_deref()).await?;
        let blobs = BlobFolder::open(dir.join("blobs"))?;
        let mut tx = catalogue.pool.begin().await.map_err(fault::sql)?;
        let head = ledger::head(&mut tx).await?;
        tx.rollback().await.map_err(fault::sql)?;
        Ok(Self {
            dir: dir.to_owned(),
            blobs,
            parts: PartReader::default(),
            rollups: RollupReader::default(),
            reads: Reads::new(catalogue.clone()),
            summed: Mutex::default(),
            homes: Mutex::default(),
            shelves: Mutex::default(),
            kinds: KindSet::builtin()?,
            tables: OnceLock::new(),
            head: Mutex::new(Head { seq: 0, hash: head.hash }),
            search: crate::search::SearchFolder::new(dir.join("search")),
            tail: crate::tail::Tail::new(dir),
            catalogue,
        })
    }

    /// The same store under other declarations of kinds, such as those of an earlier release.
    #[must_use]
    pub fn with_kinds(mut self, kinds: &'static KindSet) -> Self {
        self.kinds = kinds;
        self.tables = OnceLock::new();
        self
    }
    /// The declared kinds.
    #[must_use]
    pub fn kinds(&self) -> &'static KindSet {
        self.kinds
    }
    /// Which database is behind the catalogue.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.catalogue.backend
    }
    /// Folder of the store.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
    pub(crate) fn series_dir(&self, run: &Id) -> PathBuf {
        // Identifiers may hold `/` and `:`; the folder's name must not.
        let name: String = run.as_str().chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
        self.dir.join("series").join(format!("run={name}"))
    }

    /// A setting of the store, such as its default zone. Settings are not records and have no history.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn setting(&self, key: &str) -> Result<Option<String>> {
        self.catalogue.meta(&format!("setting:{key}")).await
    }
    /// Changes a setting.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn set_setting(&self, key: &str, value: &str) -> Result<()> {
        self.catalogue.set_meta(&format!("setting:{key}"), value).await
    }

    /// Position of the newest event.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn seq(&self, access: &Access) -> Result<i64> {
        self.allow(access, Action::Read, Resource::Question).await?;
        self.position().await
    }

    /// Position of the newest event, for the store's own use.
    pub(crate) async fn position(&self) -> Result<i64> {
        sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM ledger").fetch_one(&self.catalogue.pool).await.map_err(fault::sql)
    }

    /// Keeps a file's bytes durably. It belongs to the record only once a commit names it.
    ///
    /// # Errors
    /// Disk faults.
    pub async fn keep(&self, bytes: Vec<u8>) -> Result<(Digest, Vec<u8>)> {
        let blobs = self.blobs.clone();
        tokio::task::spawn_blocking(move || blobs.put(&bytes).map(|digest| (digest, bytes)))
            .await
            .map_err(|e| Error::bug("E-STORE-021", e))?
    }
    /// A file's bytes, checked against their address.
    ///
    /// # Errors
    /// No such blob, an altered one, or denied access.
    pub async fn blob(&self, access: &Access, address: Digest) -> Result<Vec<u8>> {
        self.allow_blob(access, &address.to_string()).await?;
        let blobs = self.blobs.clone();
        tokio::task::spawn_blocking(move || blobs.get(address)).await.map_err(|e| Error::bug("E-STORE-021", e))?
    }
    /// May a file be read? For what was made from its bytes and is still at hand; decided and noted as [`Store::blob`] is.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn may_read(&self, access: &Access, address: Digest) -> Result<()> {
        self.allow_blob(access, &address.to_string()).await
    }

    /// The one gate in front of every read and write: asks it, records the decision (allowed reads as
    /// counts, see [`Store::decisions`]), and turns a no into an error.
    ///
    /// # Errors
    /// The decision was no.
    pub async fn allow(&self, access: &Access, action: Action, what: Resource<'_>) -> Result<()> {
        let decision = access.decide(action, what);
        self.settle(access, action, what, decision).await
    }
}

/// The URL as it may stand in a file: passwords come from `PGPASSWORD` or `.pgpass`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, place)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = user.split_once(':').map_or(user, |(name, _)| name);
    format!("{scheme}://{user}@{place}")
}

const MARK: &str = "toji-store.toml";
