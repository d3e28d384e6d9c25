//! What an asker may see, judged record by record.
//!
//! Only some kinds declare an area of sharing. What is part of a run (its channels, samples, assays,
//! events, observations, decisions) and the file a run was read from say nothing of their own: they are
//! judged with the run. Whoever may not read the run reads none of them.

use crate::commit::references;
use crate::fault;
use crate::homes::Homes;
use crate::reads::{named, scope, word};
use crate::shelf::Kept;
use crate::store::Store;
use sqlx::Row as _;
use std::collections::HashMap;
use std::sync::Arc;
use toji_core::record::FieldMap;
use toji_core::{Access, Action, Belongs, Category, Decision, Digest, Error, Kind, Place, Record, Resource, Result, Text};

/// One asker's questions during one reading or writing; remembers what was said about runs.
pub(crate) struct Sight<'a> {
    store: &'a Store,
    access: &'a Access,
    action: Action,
    /// Run → what it belongs to and the decision; `None` when no record of the run exists.
    runs: HashMap<String, Option<(Owned, Decision)>>,
    /// Where runs and samples are at home, once it was needed.
    homes: Option<Arc<Homes>>,
    /// Kind → what was said about each bond of its shelf, where names do not matter: the reason of a yes.
    bonds: HashMap<String, Vec<Option<Option<String>>>>,
    /// Records shown, by kind and reason; counted when the reading ends.
    shown: HashMap<String, Vec<(String, u64)>>,
}

/// What a record belongs to.
#[derive(Debug, Clone, Default)]
struct Owned {
    area: Option<String>,
    owner: Option<String>,
    run: Option<String>,
}

impl Owned {
    fn of(&self) -> Belongs<'_> {
        Belongs { area: self.area.as_deref(), owner: self.owner.as_deref(), run: self.run.as_deref() }
    }
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
        Self::to(store, access, Action::Read)
    }

    /// Questions about something else than reading.
    pub(crate) fn to(store: &'a Store, access: &'a Access, action: Action) -> Self {
        Self { store, access, action, runs: HashMap::new(), homes: None, bonds: HashMap::new(), shown: HashMap::new() }
    }

    /// The decision about a record. Not noted: listing leaves out silently, asking for one thing goes
    /// through [`Sight::settle`].
    pub(crate) async fn judge(&mut self, kind: &Kind, record: &Record) -> Result<Decision> {
        Ok(self.asked(kind, record).await?.1)
    }

    async fn asked(&mut self, kind: &Kind, record: &Record) -> Result<(Owned, Decision)> {
        let mut owned = Owned { owner: record.owner.clone(), ..Owned::default() };
        owned.area = area_of(kind, &record.fields).map(str::to_owned);
        if kind.area_field.is_none() && !self.access.sees_all() {
            for run in self.runs_of(kind, record).await? {
                if let Some((of_run, decision)) = self.run(&run).await? {
                    if !decision.allow {
                        return Ok((of_run, decision));
                    }
                    if owned.run.is_none() {
                        owned = Owned { run: Some(run), ..of_run };
                    }
                }
            }
        }
        let what = Resource::Record { kind: &record.kind, id: record.id.as_str(), of: owned.of() };
        let decision = self.access.decide(self.action, what);
        Ok((owned, decision))
    }

    /// As [`Sight::judge`], noted, and a no is an error.
    pub(crate) async fn settle(&mut self, kind: &Kind, record: &Record) -> Result<()> {
        let (owned, decision) = self.asked(kind, record).await?;
        let what = Resource::Record { kind: &record.kind, id: record.id.as_str(), of: owned.of() };
        self.store.settle(self.access, self.action, what, decision).await
    }

    pub(crate) async fn sees(&mut self, kind: &Kind, record: &Record) -> Result<bool> {
        let decision = self.judge(kind, record).await?;
        if decision.allow {
            self.count(&kind.kind, &decision.reason.en);
        }
        Ok(decision.allow)
    }

    /// As [`Sight::sees`], of a record on the shelf of its kind. One shelf of a kind per sight: what was said about its
    /// bonds is remembered.
    pub(crate) async fn sees_kept(&mut self, kind: &Kind, kept: &Kept) -> Result<bool> {
        // Whose a file is rests on what names it, and that is no part of its record.
        if kind.kind == "file" || self.access.gate.goes_by_name(&kind.kind) {
            return self.sees(kind, &kept.record).await;
        }
        let known = self.bonds.get(&kind.kind).and_then(|said| said.get(kept.bond)).cloned().flatten();
        let said = match known {
            Some(said) => said,
            None => {
                let decision = self.judge(kind, &kept.record).await?;
                let said = decision.allow.then_some(decision.reason.en);
                let all = self.bonds.entry(kind.kind.clone()).or_default();
                if all.len() <= kept.bond {
                    all.resize(kept.bond + 1, None);
                }
                if let Some(place) = all.get_mut(kept.bond) {
                    *place = Some(said.clone());
                }
                said
            }
        };
        if let Some(reason) = &said {
            self.count(&kind.kind, reason);
        }
        Ok(said.is_some())
    }

    fn count(&mut self, kind: &str, reason: &str) {
        if !self.shown.contains_key(kind) {
            self.shown.insert(kind.to_owned(), Vec::new());
        }
        let Some(reasons) = self.shown.get_mut(kind) else { return };
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, n)) => *n += 1,
            None => reasons.push((reason.to_owned(), 1)),
        }
    }

    /// May the asker have the series of this channel?
    pub(crate) async fn sees_channel(&mut self, run: &str, channel: &str) -> Result<bool> {
        Ok(self.access.sees_all() || self.judge_series(run, channel).await?.allow)
    }

    /// The decision about the series of a channel (of all, when it is empty): that about the run, if it is no.
    pub(crate) async fn judge_series(&mut self, run: &str, channel: &str) -> Result<Decision> {
        let of_run = if self.access.sees_all() { None } else { self.run(run).await? };
        let owned = match of_run {
            Some((_, decision)) if !decision.allow => return Ok(decision),
            Some((owned, _)) => owned,
            // A run that is only being made is its maker's.
            None if self.action == Action::Write => Owned { owner: self.access.who.organisation.clone(), ..Owned::default() },
            None => Owned::default(),
        };
        Ok(self.access.decide(self.action, Resource::Series { run, channel, of: owned.of() }))
    }

    /// As [`Sight::judge_series`], noted, and a no is an error.
    pub(crate) async fn settle_series(&mut self, run: &str, channel: &str) -> Result<()> {
        let decision = self.judge_series(run, channel).await?;
        self.store.settle(self.access, self.action, Resource::Series { run, channel, of: Belongs::default() }, decision).await
    }

    /// The decision about the record of a run, noted; a no is an error, no such record is none.
    pub(crate) async fn settle_run(&mut self, run: &str) -> Result<()> {
        if self.access.sees_all() {
            return Ok(());
        }
        match self.run(run).await? {
            Some((owned, decision)) => {
                let what = Resource::Record { kind: "run", id: run, of: owned.of() };
                self.store.settle(self.access, self.action, what, decision).await
            }
            None => Ok(()),
        }
    }

    async fn run(&mut self, run: &str) -> Result<Option<(Owned, Decision)>> {
        if let Some(known) = self.runs.get(run) {
            return Ok(known.clone());
        }
        let home = self.homes().await?.run(run).cloned();
        let judged = match home {
            Some((owner, area)) => {
                let owned = Owned { area, owner, run: None };
                let decision = self.access.decide(self.action, Resource::Record { kind: "run", id: run, of: owned.of() });
                Some((owned, decision))
            }
            None => None,
        };
        self.runs.insert(run.to_owned(), judged.clone());
        Ok(judged)
    }

    async fn homes(&mut self) -> Result<Arc<Homes>> {
        if let Some(homes) = &self.homes {
            return Ok(homes.clone());
        }
        let homes = self.store.homes().await?;
        self.homes = Some(homes.clone());
        Ok(homes)
    }

    /// Runs a record of a kind without an area belongs to.
    async fn runs_of(&mut self, kind: &Kind, record: &Record) -> Result<Vec<String>> {
        if kind.kind == "file" {
            let address = record.fields.get("blob").and_then(|v| v.as_str()).unwrap_or_default();
            return self.store.runs_of_file(record.id.as_str(), address, record.owner.as_deref()).await;
        }
        let mut runs = Vec::new();
        for (_, target_kind, target) in references(kind, &record.fields) {
            match target_kind {
                "run" => runs.push(target.to_owned()),
                "sample" => runs.extend(self.homes().await?.of_sample(target).iter().cloned()),
                _ => {}
            }
        }
        runs.dedup();
        Ok(runs)
    }
}

/// The area of sharing a record declares itself.
pub(crate) fn area_of<'a>(kind: &Kind, fields: &'a FieldMap) -> Option<&'a str> {
    kind.area_field.as_ref().and_then(|f| fields.get(f)).and_then(|v| v.as_str())
}

impl Store {
    /// May this be done with these records? Noted as one decision each; the first no is an error.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn allow_records(&self, access: &Access, action: Action, records: &[&Record]) -> Result<()> {
        let mut sight = Sight::to(self, access, action);
        for record in records {
            sight.settle(self.kinds.get(&record.kind)?, record).await?;
        }
        Ok(())
    }

    /// Those of the records with which this may be done. Of a yes one decision is noted, with how many it is for.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn allowed_of(&self, access: &Access, action: Action, records: Vec<Record>) -> Result<Vec<Record>> {
        let mut sight = Sight::to(self, access, action);
        let mut out = Vec::with_capacity(records.len());
        let mut last = None;
        for record in records {
            let decision = sight.judge(self.kinds.get(&record.kind)?, &record).await?;
            if decision.allow {
                last = Some((record.kind.clone(), decision));
                out.push(record);
            }
        }
        if let Some((kind, decision)) = last {
            let many = format!("× {}", out.len());
            let what = Resource::Record { kind: &kind, id: &many, of: Belongs::default() };
            self.settle(access, action, what, decision).await?;
        }
        Ok(out)
    }

    /// May this be done with these channels (run, channel)? Only a refusal is noted.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn refuse_channels(&self, access: &Access, action: Action, channels: &[(&str, &str)]) -> Result<()> {
        let mut sight = Sight::to(self, access, action);
        for (run, channel) in channels {
            if !sight.judge_series(run, channel).await?.allow {
                sight.settle_series(run, channel).await?;
            }
        }
        Ok(())
    }

    /// May this be done with the series of a run?
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn allow_series(&self, access: &Access, action: Action, run: &str) -> Result<()> {
        Sight::to(self, access, action).settle_series(run, "").await
    }

    /// Runs a file tells of: those that name it, those whose samples and events name it, and those of its owner
    /// whose points came with it. What another organisation read from the same bytes is that one's matter.
    async fn runs_of_file(&self, file: &str, address: &str, owner: Option<&str>) -> Result<Vec<String>> {
        let mut runs =
            self.texts("SELECT id FROM links WHERE kind = 'run' AND target_kind = 'file' AND target = $1", file).await?;
        // CROSS JOIN: SQLite would else walk every link to a run and look whether its record names the file.
        let parts_of_runs = "SELECT DISTINCT r.target FROM links f CROSS JOIN links r
             WHERE f.target_kind = 'file' AND f.kind <> 'run' AND f.target = $1
             AND r.kind = f.kind AND r.id = f.id AND r.target_kind = 'run'";
        runs.extend(self.texts(parts_of_runs, file).await?);
        runs.extend(
            sqlx::query_scalar::<_, String>(
                "SELECT DISTINCT p.run FROM blobs b JOIN parts p ON p.seq = b.seq
                 JOIN versions v ON v.kind = 'run' AND v.id = p.run AND v.latest = 1
                 WHERE b.address = $1 AND COALESCE(v.owner, '') = $2",
            )
            .bind(address)
            .bind(owner.unwrap_or_default())
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?,
        );
        runs.sort();
        runs.dedup();
        Ok(runs)
    }

    async fn texts(&self, statement: &'static str, key: &str) -> Result<Vec<String>> {
        sqlx::query_scalar(statement).bind(key).fetch_all(&self.catalogue.pool).await.map_err(fault::sql)
    }

    /// Files as they came are judged with what names them: a record of the file that is open to the asker (it is when
    /// all runs that it tells of are), or another record that hands it out. Knowing an address opens nothing; a file
    /// that nothing names yet is open to whoever sent it.
    pub(crate) async fn allow_blob(&self, access: &Access, address: &str) -> Result<()> {
        let what = Resource::Blob { address };
        self.allow(access, Action::Read, what).await?;
        if access.sees_all() {
            return Ok(());
        }
        let rows = sqlx::query("SELECT kind, id FROM versions WHERE latest = 1 AND fields LIKE $1")
            .bind(format!("%\"{address}\"%"))
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        let mut sight = Sight::new(self, access);
        let mut no = None;
        let mut named = self.catalogue.meta(&sender_key(address)).await?.is_some_and(|who| who == access.who.id);
        for row in &rows {
            let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
            let (kind, id) = (text("kind")?, text("id")?);
            let Some(record) = self.present_record(&kind, &id).await? else { continue };
            let decision = sight.judge(self.kinds.get(&kind)?, &record).await?;
            named |= decision.allow;
            no = no.or(Some(decision).filter(|d| !d.allow));
        }
        if named {
            return Ok(());
        }
        let reason = Text::new("閲覧できる記録がこのファイルを指していません", "no record that you may see names this file");
        self.settle(access, Action::Read, what, no.unwrap_or_else(|| Decision::no(reason))).await
    }

    /// Notes who sent a file that nothing names yet.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn note_sender(&self, access: &Access, address: Digest) -> Result<()> {
        self.catalogue.set_meta(&sender_key(&address.to_string()), &access.who.id).await
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
            .bind(named(what))
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
        let remedy = decision
            .remedy
            .unwrap_or_else(|| Text::new("データの管理者に利用を申請してください", "ask the owner of the data for access"));
        Err(Error::new(Category::Denied, "E-GATE-001", decision.reason.ja, decision.reason.en)
            .at(Place::field(named(what)))
            .hint(remedy.ja, remedy.en))
    }
}

fn sender_key(address: &str) -> String {
    format!("sent-by:{address}")
}
