//! Verification: the chain, everything the catalogue derives from it, and every file it names.

use crate::commit::references;
use crate::fault;
use crate::ledger::{self, Body, Change};
use crate::series::{Base, Found, damaged, describe_part, open_part, rollup_path};
use crate::store::Store;
use crate::strays;
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use toji_core::{Diagnostic, Digest, Error, Id, KindSet, Place, Result};

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
    /// Of them those that a larger part replaces; they stay for the state at earlier events.
    pub parts_replaced: u64,
    /// Roll-ups for plotting that are what their parts say.
    pub rollups: u64,
    /// Parts whose roll-up is missing (plots of them read the points); `store rollup` writes it.
    pub rollups_missing: u64,
    /// Files kept as they came that no event names (left by an interrupted import; harmless).
    pub orphans: u64,
    /// Files of series that no event names.
    pub orphan_parts: u64,
    /// Roll-ups without a part.
    pub orphan_rollups: u64,
    /// Files that were being written when a process ended.
    pub temporary_files: u64,
    /// The first of the files that no event names, as paths in the store's folder.
    pub orphan_names: Vec<String>,
    /// Frames of the live journal.
    pub frames: u64,
}

/// Kind, identifier, version.
type VersionKey = (String, String, u64);
/// Kind, identifier, field, kind of the target, target.
type LinkKey = (String, String, String, String, String);

/// A part as the ledger states it.
#[derive(Debug, Clone, PartialEq)]
struct StatedPart {
    run: Id,
    seq: i64,
    points: u64,
}

/// What the catalogue must hold if it is what the ledger says.
#[derive(Debug, Default)]
struct Stated {
    versions: BTreeMap<VersionKey, Digest>,
    latest: BTreeMap<(String, String), u64>,
    links: BTreeMap<(String, String), Vec<LinkKey>>,
    parts: BTreeMap<Digest, StatedPart>,
    /// Parts that a merge replaced.
    replaced: BTreeMap<Digest, StatedPart>,
    /// Address → (size, name, event that brought it first).
    blobs: BTreeMap<Digest, (u64, String, i64)>,
}

impl Stated {
    fn note(&mut self, kinds: &KindSet, seq: i64, body: &Body) {
        for change in &body.changes {
            match change {
                Change::Put { kind, id, version, kind_version, fields, retired, owner } => {
                    let text = toji_core::canonical::to_canonical(fields).unwrap_or_default();
                    let record = (kind.clone(), id.to_string());
                    let digest =
                        version_digest(&text, *retired, i64::from(*kind_version), seq, owner.as_deref().unwrap_or_default());
                    self.versions.insert((record.0.clone(), record.1.clone(), *version), digest);
                    self.latest.insert(record.clone(), *version);
                    let link = |(field, target_kind, target): (&str, &str, &str)| {
                        (record.0.clone(), record.1.clone(), field.to_owned(), target_kind.to_owned(), target.to_owned())
                    };
                    let links =
                        kinds.get(kind).map(|k| references(k, fields).into_iter().map(link).collect()).unwrap_or_default();
                    self.links.insert(record, links);
                }
                Change::Part { part, run, points, replaces } => {
                    // A merged part stands where the newest of those it replaces stood: imports that came
                    // later go on to win over it.
                    let stood = replaces.iter().chain([part]).filter_map(|p| self.parts.get(p)).map(|p| p.seq).max();
                    let seq = stood.filter(|_| !replaces.is_empty()).unwrap_or(seq);
                    for old in replaces {
                        self.replaced.extend(self.parts.remove_entry(old));
                    }
                    self.replaced.remove(part);
                    self.parts.insert(*part, StatedPart { run: run.clone(), seq, points: *points });
                }
                Change::Blob { address, bytes, name } => {
                    self.blobs.entry(*address).or_insert_with(|| (*bytes, name.clone(), seq));
                }
            }
        }
    }
}

fn version_digest(fields: &str, retired: bool, kind_version: i64, seq: i64, owner: &str) -> Digest {
    let numbers: [&[u8]; 3] = [&[u8::from(retired)], &kind_version.to_be_bytes(), &seq.to_be_bytes()];
    Digest::of_parts(&[numbers[0], numbers[1], numbers[2], fields.as_bytes(), owner.as_bytes()])
}

/// A row's columns, with what cannot be read as nothing: that then differs from the ledger.
struct Cells<'a>(&'a sqlx::any::AnyRow);

impl Cells<'_> {
    fn text(&self, name: &str) -> String {
        self.0.try_get::<String, _>(name).unwrap_or_default()
    }
    /// A column that may hold nothing; what cannot be read differs from everything.
    fn maybe(&self, name: &str) -> String {
        self.0.try_get::<Option<String>, _>(name).map_or_else(|_| "\u{0}".to_owned(), Option::unwrap_or_default)
    }
    fn number(&self, name: &str) -> i64 {
        self.0.try_get::<i64, _>(name).unwrap_or(i64::MIN)
    }
}

impl Store {
    /// Checks the ledger's chain and that the catalogue is what the ledger says; with `files`, also the
    /// hash of every blob and part, and that the list of blocks tells what the parts hold.
    ///
    /// # Errors
    /// Only when the check itself cannot run; what it finds is in the diagnostics.
    pub async fn verify(
        &self,
        files: bool,
        mut step: impl FnMut(u64, Option<u64>) -> Result<()> + Send,
    ) -> Result<(Checked, Vec<Diagnostic>)> {
        let mut checked = Checked::default();
        let mut found = Vec::new();
        match self.catalogue.integrity().await {
            Ok(faults) => found.extend(faults.iter().map(|f| catalogue_fault(f))),
            Err(error) => found.push(catalogue_fault(&error.fault().message.en)),
        }
        let mut stated = Stated::default();
        let kinds = self.kinds;
        let (events, chain) = ledger::walk(&self.catalogue, &self.dir, |event, body| stated.note(kinds, event.seq, body)).await?;
        checked.events = u64::try_from(events).unwrap_or_default();
        found.extend(chain);
        self.compare_versions(&stated, &mut checked, &mut found).await;
        self.compare_links(&stated, &mut found).await;
        self.compare_blobs(&stated, &mut found).await;
        self.compare_parts(&stated, &mut found).await;
        self.compare_reads(&mut found).await;
        checked.frames = crate::blocking::in_place(|| self.verify_tail(&mut found))?;
        if files {
            self.compare_files(&stated, &mut checked, &mut found, &mut step).await?;
        }
        Ok((checked, found))
    }

    /// Rows of a table; a table that cannot be read is a finding.
    async fn rows(&self, statement: &'static str, found: &mut Vec<Diagnostic>) -> Vec<sqlx::any::AnyRow> {
        match sqlx::query(statement).fetch_all(&self.catalogue.pool).await {
            Ok(rows) => rows,
            Err(error) => {
                found.push(catalogue_fault(&fault::sql(error).fault().message.en));
                Vec::new()
            }
        }
    }

    async fn compare_versions(&self, stated: &Stated, checked: &mut Checked, found: &mut Vec<Diagnostic>) {
        let mut missing: BTreeSet<&VersionKey> = stated.versions.keys().collect();
        for row in
            &self.rows("SELECT kind, id, version, kind_version, seq, retired, latest, owner, fields FROM versions", found).await
        {
            let row = Cells(row);
            let key = (row.text("kind"), row.text("id"), u64::try_from(row.number("version")).unwrap_or_default());
            let digest = version_digest(
                &row.text("fields"),
                row.number("retired") != 0,
                row.number("kind_version"),
                row.number("seq"),
                &row.maybe("owner"),
            );
            let latest = stated.latest.get(&(key.0.clone(), key.1.clone())) == Some(&key.2);
            checked.versions += 1;
            let sound = stated.versions.get(&key) == Some(&digest) && row.number("latest") == i64::from(latest);
            if !missing.remove(&key) || !sound {
                found.push(differs(&key));
            }
        }
        found.extend(missing.into_iter().map(differs));
    }

    async fn compare_links(&self, stated: &Stated, found: &mut Vec<Diagnostic>) {
        let rows = self.rows("SELECT kind, id, field, target_kind, target FROM links", found).await;
        let read = |row| {
            let row = Cells(row);
            (row.text("kind"), row.text("id"), row.text("field"), row.text("target_kind"), row.text("target"))
        };
        let listed: BTreeSet<LinkKey> = rows.iter().map(read).collect();
        let stated: BTreeSet<LinkKey> = stated.links.values().flatten().cloned().collect();
        for (kind, id, field, _, target) in listed.symmetric_difference(&stated) {
            found.push(list_fault(
                format!("{kind} {id} {field}"),
                format!("{kind} {id} から {target} への参照が台帳と合いません"),
                format!("the link from {kind} {id} to {target} differs from the ledger"),
            ));
        }
    }

    async fn compare_blobs(&self, stated: &Stated, found: &mut Vec<Diagnostic>) {
        let rows = self.rows("SELECT address, bytes, name, seq FROM blobs", found).await;
        let read = |row| {
            let row = Cells(row);
            (row.text("address"), u64::try_from(row.number("bytes")).unwrap_or(u64::MAX), row.text("name"), row.number("seq"))
        };
        let listed: BTreeSet<_> = rows.iter().map(read).collect();
        let stated: BTreeSet<_> =
            stated.blobs.iter().map(|(a, (bytes, name, seq))| (a.to_string(), *bytes, name.clone(), *seq)).collect();
        for (address, ..) in listed.symmetric_difference(&stated) {
            found.push(list_fault(
                address.clone(),
                "ファイルの一覧が台帳と合いません".into(),
                "the list of files differs from the ledger".into(),
            ));
        }
    }

    async fn compare_parts(&self, stated: &Stated, found: &mut Vec<Diagnostic>) {
        let mut listed: BTreeMap<String, (String, i64, u64)> = BTreeMap::new();
        for row in &self.rows("SELECT part, run, seq FROM parts WHERE live = 1", found).await {
            let row = Cells(row);
            listed.insert(row.text("part"), (row.text("run"), row.number("seq"), 0));
        }
        let mut strange: BTreeSet<String> = BTreeSet::new();
        for row in &self
            .rows("SELECT b.part, b.run, b.seq, b.points FROM blocks b JOIN parts p ON p.part = b.part WHERE p.live = 1", found)
            .await
        {
            let row = Cells(row);
            let part = row.text("part");
            match listed.get_mut(&part) {
                Some((run, seq, points)) if *run == row.text("run") && *seq == row.number("seq") => {
                    *points = points.saturating_add(u64::try_from(row.number("points")).unwrap_or(u64::MAX));
                }
                _ => drop(strange.insert(part)),
            }
        }
        let mut stated: BTreeMap<String, (String, i64, u64)> =
            stated.parts.iter().map(|(d, p)| (d.to_string(), (p.run.to_string(), p.seq, p.points))).collect();
        for (part, row) in listed {
            if stated.remove(&part) != Some(row) {
                strange.insert(part);
            }
        }
        strange.extend(stated.into_keys());
        found.extend(strange.into_iter().map(parts_differ));
    }

    /// Hashes of all files, and the list of blocks against what the parts hold.
    async fn compare_files(
        &self,
        stated: &Stated,
        checked: &mut Checked,
        found: &mut Vec<Diagnostic>,
        step: &mut (impl FnMut(u64, Option<u64>) -> Result<()> + Send),
    ) -> Result<()> {
        let total = (stated.blobs.len() + stated.parts.len() + stated.replaced.len()) as u64;
        for (i, address) in stated.blobs.keys().enumerate() {
            step(i as u64, Some(total))?;
            if let Err(error) = crate::blocking::in_place(|| self.blobs.get(*address)) {
                found.push(file_fault(*address, &error));
            }
            checked.blobs += 1;
        }
        let mut blocks: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        let listed = "SELECT part, channel, base, points, flagged, t_min, t_max, v_min, v_max, last_t, last_v FROM blocks ORDER BY part, row_group";
        for row in &self.rows(listed, found).await {
            let cells = Cells(row);
            let float = |name: &str| row.try_get::<Option<f64>, _>(name).unwrap_or_default();
            blocks.entry(cells.text("part")).or_default().push(Found {
                channel: cells.text("channel"),
                base: Base::parse(&cells.text("base")),
                points: cells.number("points"),
                flagged: cells.number("flagged"),
                t_min: cells.number("t_min"),
                t_max: cells.number("t_max"),
                v_min: float("v_min"),
                v_max: float("v_max"),
                last: row.try_get::<Option<i64>, _>("last_t").unwrap_or_default().zip(float("last_v")),
            });
        }
        let parts = || stated.parts.iter().chain(&stated.replaced);
        for (i, (part, told)) in parts().enumerate() {
            step((stated.blobs.len() + i) as u64, Some(total))?;
            match crate::blocking::in_place(|| self.compare_part(&told.run, *part)) {
                Ok((held, rollup)) => {
                    if blocks.get(&part.to_string()) != Some(&held) {
                        found.push(parts_differ(part.to_string()));
                    }
                    match rollup {
                        Some(Ok(n)) => checked.rollups += n,
                        Some(Err(error)) => found.push(rollup_fault(*part, &error)),
                        None => checked.rollups_missing += 1,
                    }
                }
                Err(error) => found.push(file_fault(*part, &error)),
            }
            checked.parts += 1;
        }
        checked.parts_replaced = stated.replaced.len() as u64;
        let names = parts().map(|(part, told)| (*part, self.part_file(&told.run, *part))).collect();
        let strays = strays::find(&self.dir, &stated.blobs.keys().copied().collect(), &names)?;
        strays.tell(checked);
        Ok(())
    }

    /// A part's bytes against its hash: what it holds, and its roll-up against it (roll-ups that are
    /// sound, an error for one that is not, `None` for one that is missing).
    fn compare_part(&self, run: &Id, part: Digest) -> Result<(Vec<Found>, Option<Result<u64>>)> {
        let path = self.part_file(run, part);
        let mut bytes = Vec::new();
        open_part(&path)?.read_to_end(&mut bytes).map_err(|e| fault::io(&e, &path))?;
        if Digest::of(&bytes) != part {
            return Err(Error::storage("E-SERIES-003", "内容が変わっています", "its content was altered"));
        }
        let (held, wanted) = describe_part(bytes, part)?;
        let path = rollup_path(&path);
        let rollup = match (std::fs::read(&path), wanted) {
            (Ok(there), Some(wanted)) if there == wanted => Some(Ok(1)),
            (Ok(_), _) => Some(Err(damaged(&path))),
            (Err(e), wanted) if e.kind() == std::io::ErrorKind::NotFound => wanted.is_none().then_some(Ok(0)),
            (Err(e), _) => Some(Err(fault::io(&e, &path))),
        };
        Ok((held, rollup))
    }
}

fn catalogue_fault(what: &str) -> Diagnostic {
    listed(
        "E-VERIFY-003",
        "catalogue".into(),
        format!("カタログが壊れています: {what}"),
        format!("the catalogue is damaged: {what}"),
    )
}

fn differs(key: &VersionKey) -> Diagnostic {
    let (kind, id, version) = key;
    listed(
        "E-VERIFY-001",
        format!("{kind} {id}"),
        format!("{kind} {id} の版 {version} が台帳と合いません"),
        format!("version {version} of {kind} {id} differs from the ledger"),
    )
}

fn parts_differ(part: String) -> Diagnostic {
    list_fault(part, "系列の一覧が台帳と合いません".into(), "the list of series differs from the ledger".into())
}

fn list_fault(place: String, ja: String, en: String) -> Diagnostic {
    listed("E-VERIFY-002", place, ja, en)
}

fn listed(code: &str, place: String, ja: String, en: String) -> Diagnostic {
    Diagnostic::error(code, Place::field(place), ja, en).remedy("バックアップから戻してください", "restore a backup")
}

fn file_fault(address: Digest, error: &Error) -> Diagnostic {
    let message = &error.fault().message;
    Diagnostic::error("E-VERIFY-004", Place::field(address.to_string()), message.ja.clone(), message.en.clone())
        .remedy("バックアップから戻してください", "restore it from a backup")
}

fn rollup_fault(part: Digest, error: &Error) -> Diagnostic {
    let message = &error.fault().message;
    Diagnostic::error("E-VERIFY-005", Place::field(part.to_string()), message.ja.clone(), message.en.clone()).remedy(
        "系列そのものは無事です。`toji store rollup` で作り直してください",
        "the series itself is sound; write the roll-up again with `toji store rollup`",
    )
}
