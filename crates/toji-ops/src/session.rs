//! An open store with its settings: what a face holds.

use crate::job::{self, Job, Running};
use crate::operation::Context;
use crate::progress::Progress;
use crate::user::Doors;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use toji_core::clock::{Zone, ZoneEvidence};
use toji_core::{Access, Digest, Instant, Result};
use toji_ingest::Site;
use toji_store::Store;
use tokio::sync::watch;

/// Settings of a session.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `postgres://…` for a team; the embedded catalogue otherwise.
    pub catalogue_url: Option<String>,
    /// Zone of clocks that state none, e.g. `Asia/Tokyo`. Kept with the store when given to `init`.
    pub zone: Option<String>,
}

/// An open store with its settings.
#[derive(Debug)]
pub struct Session {
    pub(crate) store: Arc<Store>,
    pub(crate) zone: Option<String>,
    pub(crate) running: Mutex<HashMap<String, Running>>,
    /// Runs that end are concluded one after the other: each analysis holds a whole run in memory, and reactors of one
    /// plant end together.
    pub(crate) concluding: tokio::sync::Mutex<()>,
    /// Releases of aggregates are judged one after the other: each is judged over all before it.
    pub(crate) releasing: tokio::sync::Mutex<()>,
    /// The commons as it stood last, where one was founded.
    pub(crate) standing: tokio::sync::Mutex<Option<Arc<crate::commons::Standing>>>,
    pub(crate) doors: Doors,
    /// Metabolic models asked about lately.
    pub(crate) models: crate::flux::Shelf,
    /// The store has users; it never ceases to.
    pub(crate) peopled: std::sync::atomic::AtomicBool,
}

/// Whoever speaks to a store through a face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asker {
    /// Its owner: whoever can read its files, or everybody while it has no users.
    Owner,
    /// Nobody who is known.
    Guest,
    /// Somebody who is logged in.
    User {
        /// Pseudonym.
        id: String,
        /// What for, when they said; else research.
        purpose: Option<String>,
    },
}

/// A file that was uploaded and can be imported by its address.
#[derive(Debug, Clone, Serialize)]
pub struct Staged {
    /// Name as given.
    pub name: String,
    /// `sha256:…`.
    pub address: String,
    /// Size.
    pub bytes: u64,
}

impl Session {
    /// Makes a new store and opens it.
    ///
    /// # Errors
    /// The folder is in use, or the zone is unknown.
    pub async fn init(dir: &Path, options: Options) -> Result<Arc<Self>> {
        if let Some(zone) = &options.zone {
            Zone::named(zone, ZoneEvidence::SiteDefault)?;
        }
        let store = Store::init(dir, options.catalogue_url.as_deref()).await?;
        if let Some(zone) = &options.zone {
            store.set_setting("zone", zone).await?;
        }
        Self::with(store, options.zone).await
    }
    /// Opens a store.
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub async fn open(dir: &Path, options: Options) -> Result<Arc<Self>> {
        let store = Store::open(dir, options.catalogue_url.as_deref()).await?;
        Self::with(store, options.zone).await
    }
    async fn with(store: Store, zone: Option<String>) -> Result<Arc<Self>> {
        let zone = match zone {
            Some(zone) => Some(zone),
            None => store.setting("zone").await?,
        };
        if let Some(zone) = &zone {
            Zone::named(zone, ZoneEvidence::SiteDefault)?;
        }
        Ok(Arc::new(Self {
            store: Arc::new(store),
            zone,
            running: Mutex::default(),
            concluding: tokio::sync::Mutex::default(),
            doors: Doors::default(),
            models: crate::flux::Shelf::default(),
            releasing: tokio::sync::Mutex::default(),
            peopled: std::sync::atomic::AtomicBool::new(false),
            standing: tokio::sync::Mutex::default(),
        }))
    }
    /// A context for the owner of the store.
    #[must_use]
    pub fn context(self: &Arc<Self>, progress: Progress, now: Instant) -> Context {
        Context { session: self.clone(), access: Access::owner(), now, seed: 0, progress, local_files: true }
    }
    /// A context for a request over the network: it cannot read paths of this machine.
    #[must_use]
    pub fn remote_context(self: &Arc<Self>, progress: Progress, now: Instant) -> Context {
        Context { local_files: false, ..self.context(progress, now) }
    }
    /// A context for a request over the network by somebody: it may what they may.
    ///
    /// # Errors
    /// The account does not exist or is not in use.
    pub async fn context_of(self: &Arc<Self>, asker: &Asker, progress: Progress, now: Instant) -> Result<Context> {
        Ok(Context { access: self.access_for(asker, now).await?, ..self.remote_context(progress, now) })
    }
    /// What somebody may.
    ///
    /// # Errors
    /// The account does not exist or is not in use.
    pub async fn access_for(self: &Arc<Self>, asker: &Asker, now: Instant) -> Result<Access> {
        match asker {
            Asker::Owner => Ok(Access::owner()),
            Asker::Guest => self.seat_of(None, None, now).await,
            Asker::User { id, purpose } => {
                self.must_be_active(id).await?;
                self.seat_of(Some(id), purpose.as_deref(), now).await
            }
        }
    }
    /// What the site says where files are silent; `zone` overrides the store's setting.
    pub(crate) fn site(&self, zone: Option<&str>) -> Result<Site> {
        let zone = match zone.or(self.zone.as_deref()) {
            Some(name) => Zone::named(name, ZoneEvidence::SiteDefault)?,
            None => Zone::assumed(),
        };
        Ok(Site { zone, date_order: None })
    }
    /// Keeps an uploaded file, to be imported by its address by whoever sent it.
    ///
    /// # Errors
    /// Disk faults.
    pub async fn stage(&self, access: &Access, name: &str, bytes: Vec<u8>) -> Result<Staged> {
        let size = bytes.len() as u64;
        let (address, _) = self.store.keep(bytes).await?;
        self.store.note_sender(access, address).await?;
        // The name is a setting, not a record: an upload that is never imported leaves no trace in the ledger.
        self.store.set_setting(&format!("staged:{address}"), name).await?;
        Ok(Staged { name: name.to_owned(), address: address.to_string(), bytes: size })
    }
    pub(crate) async fn staged_name(&self, address: Digest) -> Result<String> {
        Ok(self.store.setting(&format!("staged:{address}")).await?.unwrap_or_else(|| address.hex()[..12].to_owned()))
    }

    /// Starts a job of the house itself; returns its identifier.
    ///
    /// # Errors
    /// Unknown operation, storage faults.
    pub async fn submit(self: &Arc<Self>, name: &str, input: Json, now: Instant) -> Result<String> {
        job::submit(self, &Asker::Owner, name, input, now).await
    }
    /// Starts a job for somebody: it runs with what they may when it runs, also after a crash.
    ///
    /// # Errors
    /// Unknown operation, a guest, an answer that is shown once, storage faults.
    pub async fn submit_for(self: &Arc<Self>, asker: &Asker, name: &str, input: Json, now: Instant) -> Result<String> {
        job::submit(self, asker, name, input, now).await
    }
    /// A job as it is, for whoever submitted it. To everybody else there is none.
    ///
    /// # Errors
    /// No such job.
    pub async fn job(&self, asker: &Asker, id: &str) -> Result<Job> {
        job::load(self, asker, id).await
    }
    /// Follows a job, for whoever submitted it.
    ///
    /// # Errors
    /// No such job.
    pub async fn watch_job(&self, asker: &Asker, id: &str) -> Result<watch::Receiver<Job>> {
        job::watch(self, asker, id).await
    }
    /// Asks a job to stop, for whoever submitted it.
    ///
    /// # Errors
    /// No such job.
    pub async fn cancel_job(&self, asker: &Asker, id: &str) -> Result<()> {
        job::cancel(self, asker, id).await
    }
    /// Writes what waits to be written. Call it before the program ends: else the counts of the last
    /// minute's reads are lost, and nothing else.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn close(&self) -> Result<()> {
        self.store.close().await
    }
    /// Takes up jobs that a crash left behind.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn resume_jobs(self: &Arc<Self>) -> Result<()> {
        job::resume(self).await
    }
}
