//! Verification: the chain, what is derived from it, and every file it names.

use crate::ledger::{self, Change};
use crate::store::Store;
use crate::fault;
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Diagnostic, Digest, Error, Id, Place, Result};

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Checked {
    /// Events of the ledger.
    pub events: u64,
    /// Versions of records compared with the ledger.
    pub versions: u64,
    /// Files kept as they came.
    pub blobs: u64,
    /// Files of series.
    pub parts: u64,
    /// Files in the store's folders that no event names (left by an interrupted import; harmless).
    pub orphans: u64,
}

impl Store {
    /// Checks the ledger's chain and that the catalogue is what the ledger says; with `files`, also the
    /// hash of every blob and part.
    ///
    /// # Errors
    /// Only when the check itself cannot run; what it finds is in the diagnostics.
    pub async fn verify(&self, files: bool, mut step: impl FnMut(u64, Option<u64>) -> Result<()> + Send) -> Result<(Checked, Vec<Diagnostic>)> {
        let mut checked = Checked::default();
        let mut found = Vec::new();
        match self.catalogue.integrity().await {
            Ok(faults) => found.extend(faults.iter().map(|f| catalogue_fault(f))),
            Err(error) => found.push(catalogue_fault(&error.fault().message.en)),
        }
        let mut puts: BTreeMap<(String, String, u64), Digest> = BTreeMap::new();
        let mut parts: BTreeMap<Digest, Id> = BTreeMap::new();
        let mut blobs: BTreeSet<Digest> = BTreeSet::new();
        let (events, chain) = ledger::walk(&self.catalogue, &self.dir, |_, body| {
            for change in &body.changes {
                match change {
                    Change::Put { kind, id, version, fields, retired, .. } => {
                        let text = toji_core::canonical::to_canonical(fields).unwrap_or_default();
                        puts.insert((kind.clone(), id.to_string(), *version), Digest::of_parts(&[text.as_bytes(), &[u8::from(*retired)]]));
                    }
                    Change::Part { part, run, replaces, .. } => {
                        parts.insert(*part, run.clone());
                        replaces.iter().for_each(|p| {
                            parts.remove(p);
                        });
                    }
                    Change::Blob { address, .. } => {
                        blobs.insert(*address);
                    }
                }
            }
        })
        .await?;
        checked.events = u64::try_from(events).unwrap_or_default();
        found.extend(chain);
        self.compare_versions(puts, &mut checked, &mut found).await?;
        self.compare_parts(&parts, &mut found).await?;
        if files {
            let total = (blobs.len() + parts.len()) as u64;
            for (i, address) in blobs.iter().enumerate() {
                step(i as u64, Some(total))?;
                if let Err(error) = tokio::task::block_in_place(|| self.blobs.get(*address)) {
                    found.push(file_fault(*address, &error));
                }
                checked.blobs += 1;
            }
            for (i, (part, run)) in parts.iter().enumerate() {
                step((blobs.len() + i) as u64, Some(total))?;
                let path = self.part_file(run, *part);
                let bytes = tokio::task::block_in_place(|| std::fs::read(&path)).map_err(|e| fault::io(&e, &path));
                let sound = bytes.and_then(|bytes| {
                    if Digest::of(&bytes) == *part { Ok(()) } else { Err(Error::storage("E-SERIES-003", "内容が変わっています", "its content was altered")) }
                });
                if let Err(error) = sound {
                    found.push(file_fault(*part, &error));
                }
                checked.parts += 1;
            }
            checked.orphans = self.blobs.all()?.iter().filter(|b| !blobs.contains(*b)).count() as u64;
        }
        Ok((checked, found))
    }

    async fn compare_versions(
        &self,
        mut puts: BTreeMap<(String, String, u64), Digest>,
        checked: &mut Checked,
        found: &mut Vec<Diagnostic>,
    ) -> Result<()> {
        let rows = match sqlx::query("SELECT kind, id, version, retired, fields FROM versions").fetch_all(&self.catalogue.pool).await {
            Ok(rows) => rows,
            Err(error) => {
                found.push(catalogue_fault(&fault::sql(error).fault().message.en));
                return Ok(());
            }
        };
        for row in &rows {
            let text = |name: &str| row.try_get::<String, _>(name).unwrap_or_default();
            let number = |name: &str| row.try_get::<i64, _>(name).unwrap_or_default();
            let key = (text("kind"), text("id"), u64::try_from(number("version")).unwrap_or_default());
            let digest = Digest::of_parts(&[text("fields").as_bytes(), &[u8::from(number("retired") != 0)]]);
            checked.versions += 1;
            if puts.remove(&key) != Some(digest) {
                found.push(differs(&key));
            }
        }
        found.extend(puts.keys().map(differs));
        Ok(())
    }

    async fn compare_parts(&self, parts: &BTreeMap<Digest, Id>, found: &mut Vec<Diagnostic>) -> Result<()> {
        let rows: Vec<String> = match sqlx::query_scalar("SELECT part FROM parts WHERE live = 1").fetch_all(&self.catalogue.pool).await {
            Ok(rows) => rows,
            Err(error) => {
                found.push(catalogue_fault(&fault::sql(error).fault().message.en));
                return Ok(());
            }
        };
        let listed: BTreeSet<Digest> = rows.iter().filter_map(|p| Digest::parse(p).ok()).collect();
        let stated: BTreeSet<Digest> = parts.keys().copied().collect();
        for part in listed.symmetric_difference(&stated) {
            found.push(
                Diagnostic::error(
                    "E-VERIFY-002",
                    Place::field(part.to_string()),
                    "系列の一覧が台帳と合いません",
                    "the list of series differs from the ledger",
                )
                .remedy("バックアップから戻してください", "restore a backup"),
            );
        }
        Ok(())
    }
}

fn catalogue_fault(what: &str) -> Diagnostic {
    Diagnostic::error("E-VERIFY-003", Place::field("catalogue"), format!("カタログが壊れています: {what}"), format!("the catalogue is damaged: {what}"))
        .remedy("バックアップから戻してください", "restore a backup")
}

fn differs(key: &(String, String, u64)) -> Diagnostic {
    let (kind, id, version) = key;
    Diagnostic::error(
        "E-VERIFY-001",
        Place::field(format!("{kind} {id}")),
        format!("{kind} {id} の版 {version} が台帳と合いません"),
        format!("version {version} of {kind} {id} differs from the ledger"),
    )
    .remedy("バックアップから戻してください", "restore a backup")
}

fn file_fault(address: Digest, error: &Error) -> Diagnostic {
    let message = &error.fault().message;
    Diagnostic::error("E-VERIFY-004", Place::field(address.to_string()), message.ja.clone(), message.en.clone())
        .remedy("バックアップから戻してください", "restore it from a backup")
}
