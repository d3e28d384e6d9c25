//! What an asker may see, judged record by record.
//!
//! Only some kinds declare an area of sharing. What is part of a run (its channels, samples, assays,
//! events, observations, decisions) and the file a run was read from say nothing of their own: they are
//! judged with the run. Whoever may not read the run reads none of them.

use crate::commit::references;
use crate::fault;
use crate::reads::{scope, word};
use crate::store::Store;
use sqlx::Row as _;
use std::collections::HashMap;
use toji_core::record::FieldMap;
use toji_core::{Access, Action, Category, Decision, Error, Kind, Record, Resource, Result};

/// One asker's questions during one reading; remembers what was said about runs.
pub(crate) struct Sight<'a> {
    store: &'a Store,
    access: &'a Access,
    /// Run → area and decision; `None` when no record of the run exists.
    runs: HashMap<String, Option<(Option<String>, Decision)>>,
    /// Records shown, by kind and reason; counted when the reading ends.
    shown: HashMap<String, Vec<(String, u64)>>,
}

impl Drop for Sight<'_> {
    fn drop(&mut self) {
        for (kind, reasons) in self.shown.drain() {
            for (reason, n) in reasons {
                self.store.reads.note(self.access, Action::Read, kind.clone(), &reason, n);
            }
        }
    }
}

impl<'a> Sight<'a> {
    pub(crate) fn new(store: &'a Store, access: &'a Access) -> Self {
        Self { store, access, runs: HashMap::new(), shown: HashMap::new() }
    }

    /// The decision about a record. Not noted: listing leaves out silently, asking for one thing goes
    /// through [`Store::settle`].
    pub(crate) async fn judge(&mut self, kind: &Kind, record: &Record) -> Result<Decision> {
        let own = area_of(kind, &record.fields);
        let ask = |area: Option<&str>| {
            self.access.decide(Action::Read, Resource::Record { kind: &record.kind, id: record.id.as_str(), area })
        };
        if kind.area_field.is_some() || self.access.sees_all() {
            return Ok(ask(own));
        }
        let mut area = None;
        for run in self.store.runs_of(kind, record).await? {
            if let Some((of_run, decision)) = self.run(&run).await? {
                if !decision.allow {
                    return Ok(decision);
                }
                area = area.or(of_run);
            }
        }
        let what = Resource::Record { kind: &record.kind, id: record.id.as_str(), area: area.as_deref() };
        Ok(self.access.decide(Action::Read, what))
    }

    pub(crate) async fn sees(&mut self, kind: &Kind, record: &Record) -> Result<bool> {
        let decision = self.judge(kind, record).await?;
        if decision.allow {
            self.count(&kind.kind, decision.reason.en);
        }
        Ok(decision.allow)
    }

    fn count(&mut self, kind: &str, reason: String) {
        if !self.shown.contains_key(kind) {
            self.shown.insert(kind.to_owned(), Vec::new());
        }
        let Some(reasons) = self.shown.get_mut(kind) else { return };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, n)) => *n += 1,
            None => reasons.push((reason, 1)),
        }
    }

    /// May the asker read the series of this channel?
    pub(crate) async fn sees_channel(&mut self, run: &str, channel: &str) -> Result<bool> {
        if self.access.sees_all() {
            return Ok(true);
        }
        let of_run = self.run(run).await?.is_none_or(|(_, decision)| decision.allow);
        Ok(of_run && self.access.decide(Action::Read, Resource::Series { run, channel }).allow)
    }

    async fn run(&mut self, run: &str) -> Result<Option<(Option<String>, Decision)>> {
        if let Some(known) = self.runs.get(run) {
            return Ok(known.clone());
        }
        let judged = match self.store.present_record("run", run).await? {
            Some(record) => {
                let area = area_of(self.store.kinds.get("run")?, &record.fields).map(str::to_owned);
                let what = Resource::Record { kind: "run", id: run, area: area.as_deref() };
                let decision = self.access.decide(Action::Read, what);
                Some((area, decision))
            }
            None => None,
        };
        self.runs.insert(run.to_owned(), judged.clone());
        Ok(judged)
    }
}

/// The area of sharing a record declares itself.
pub(crate) fn area_of<'a>(kind: &Kind, fields: &'a FieldMap) -> Option<&'a str> {
    kind.area_field.as_ref().and_then(|f| fields.get(f)).and_then(|v| v.as_str())
}

impl Store {
    /// The area the present version of a record declares.
    pub(crate) async fn present_area(&self, kind: &Kind, id: &str) -> Result<Option<String>> {
        Ok(self.present_record(&kind.kind, id).await?.and_then(|r| area_of(kind, &r.fields).map(str::to_owned)))
    }

    /// Runs a record of a kind without an area belongs to.
    async fn runs_of(&self, kind: &Kind, record: &Record) -> Result<Vec<String>> {
        if kind.kind == "file" {
            let address = record.fields.get("blob").and_then(|v| v.as_str()).unwrap_or_default();
            return self.runs_of_file(record.id.as_str(), address).await;
        }
        let mut runs = Vec::new();
        for (_, target_kind, target) in references(kind, &record.fields) {
            match target_kind {
                "run" => runs.push(target.to_owned()),
                "sample" => runs.extend(
                    self.texts("SELECT target FROM links WHERE kind = 'sample' AND target_kind = 'run' AND id = $1", target)
                        .await?,
                ),
                _ => {}
            }
        }
        runs.dedup();
        Ok(runs)
    }

    /// Runs a file tells of: those that name it, those whose samples and events name it, and those
    /// whose points came with it.
    pub(crate) async fn runs_of_file(&self, file: &str, address: &str) -> Result<Vec<String>> {
        let mut runs =
            self.texts("SELECT id FROM links WHERE kind = 'run' AND target_kind = 'file' AND target = $1", file).await?;
        let parts_of_runs =
            "SELECT DISTINCT r.target FROM links f JOIN links r ON r.kind = f.kind AND r.id = f.id AND r.target_kind = 'run'
             WHERE f.target_kind = 'file' AND f.kind <> 'run' AND f.target = $1";
        runs.extend(self.texts(parts_of_runs, file).await?);
        runs.extend(
            self.texts("SELECT DISTINCT p.run FROM blobs b JOIN parts p ON p.seq = b.seq WHERE b.address = $1", address).await?,
        );
        runs.sort();
        runs.dedup();
        Ok(runs)
    }

    async fn texts(&self, statement: &'static str, key: &str) -> Result<Vec<String>> {
        sqlx::query_scalar(statement).bind(key).fetch_all(&self.catalogue.pool).await.map_err(fault::sql)
    }

    /// Files as they came are judged with their records: a blob of a run one may not read stays closed,
    /// also to those who know its address.
    pub(crate) async fn allow_blob(&self, access: &Access, address: &str) -> Result<()> {
        let what = Resource::Blob { address };
        self.allow(access, Action::Read, what).await?;
        if access.sees_all() {
            return Ok(());
        }
        let rows = sqlx::query("SELECT id FROM versions WHERE kind = 'file' AND latest = 1 AND fields LIKE $1")
            .bind(format!("%\"{address}\"%"))
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        let kind = self.kinds.get("file")?;
        let mut sight = Sight::new(self, access);
        for row in &rows {
            let id: String = row.try_get("id").map_err(fault::sql)?;
            if let Some(record) = self.present_record("file", &id).await? {
                self.settle(access, Action::Read, what, sight.judge(kind, &record).await?).await?;
            }
        }
        for run in self.runs_of_file("", address).await? {
            self.allow_run(access, &run).await?;
        }
        Ok(())
    }

    /// The series of a run are judged with the run.
    pub(crate) async fn allow_run(&self, access: &Access, run: &str) -> Result<()> {
        if access.sees_all() {
            return Ok(());
        }
        match Sight::new(self, access).run(run).await? {
            Some((area, decision)) => {
                self.settle(access, Action::Read, Resource::Record { kind: "run", id: run, area: area.as_deref() }, decision)
                    .await
            }
            None => Ok(()),
        }
    }

    /// Acts on a decision: notes refusals and everything that leaves the store one by one, counts allowed
    /// reads, and turns a no into an error.
    pub(crate) async fn settle(&self, access: &Access, action: Action, what: Resource<'_>, decision: Decision) -> Result<()> {
        if !decision.allow || matches!(action, Action::Export | Action::Train) {
            // Numbered inside the writing transaction: two refusals at once must not share a number.
            let mut tx = self.catalogue.begin().await?;
            sqlx::query(
                "INSERT INTO decisions (n, at, who, action, what, allow, reason)
                 SELECT COALESCE(MAX(n), 0) + 1, $1, $2, $3, $4, $5, $6 FROM decisions",
            )
            .bind(jiff::Timestamp::now().to_string())
            .bind(&access.who.id)
            .bind(word(action))
            .bind(format!("{what:?}"))
            .bind(i64::from(decision.allow))
            .bind(&decision.reason.en)
            .execute(&mut *tx)
            .await
            .map_err(fault::sql)?;
            tx.commit().await.map_err(fault::sql)?;
        }
        if decision.allow {
            if action == Action::Read {
                self.reads.note(access, action, scope(what), &decision.reason.en, 1);
            }
            return Ok(());
        }
        Err(Error::new(Category::Denied, "E-GATE-001", decision.reason.ja, decision.reason.en)
            .hint("データの管理者に利用を申請してください", "ask the owner of the data for access"))
    }
}
