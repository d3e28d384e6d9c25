//! Writing: everything an operation acknowledges goes in by one transaction, or not at all.
//!
//! Order: blobs and parts are made durable first (a crash leaves files nobody refers to), then one
//! database transaction appends the event and everything read from it, then the head is noted. Readers
//! see the state before or the state after.

use crate::fault;
use crate::ledger::{self, Body, Change, Head};
use crate::series::{Base, Block, NewPart, Want, joined, part_path, sorted, sound, without_known, write_part};
use crate::sight::Sight;
use crate::store::Store;
use sqlx::Row as _;
use std::collections::HashMap;
use toji_core::culture::Points;
use toji_core::record::FieldMap;
use toji_core::{Access, Action, Category, Diagnostic, Digest, Error, Id, Instant, Kind, Place, Record, Result, Severity};

/// A record to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// Kind.
    pub kind: String,
    /// Identifier.
    pub id: Id,
    /// All fields of the new version.
    pub fields: FieldMap,
    /// Out of use.
    pub retired: bool,
    /// Refuse unless this is the present version (0: unless there is none).
    pub if_version: Option<u64>,
}

impl Put {
    /// A record in use.
    pub fn new(kind: &str, id: Id, fields: FieldMap) -> Self {
        Self { kind: kind.to_owned(), id, fields, retired: false, if_version: None }
    }
}

/// Series of one run to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSeries {
    /// Run.
    pub run: Id,
    /// What times count from.
    pub base: Base,
    /// Channels with their points, in any order of time.
    pub channels: Vec<(Id, Points)>,
}

/// One unit of work.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Operation, as `noun verb`.
    pub operation: String,
    /// Why.
    pub reason: Option<String>,
    /// Records.
    pub puts: Vec<Put>,
    /// Series.
    pub series: Vec<RunSeries>,
    /// Files kept before with [`Store::keep`]: address, size, name.
    pub blobs: Vec<(Digest, u64, String)>,
}

/// What was acknowledged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Receipt {
    /// Position of the event; `None` when nothing changed.
    pub seq: Option<i64>,
    /// Version of every record of the commit after it, in order of the puts.
    pub versions: Vec<u64>,
    /// Points at times nothing was stored at.
    pub points_new: u64,
    /// Points that were there already, equal.
    pub points_known: u64,
    /// Points that replace a different number at the same time.
    pub points_changed: u64,
    /// Warnings about records.
    pub diagnostics: Vec<Diagnostic>,
}

impl Store {
    /// Writes a commit. Repeating one changes nothing and appends no event.
    ///
    /// # Errors
    /// Records that do not fit their kind (all findings), version conflicts, denied access, and storage
    /// faults. After any error the store is as before.
    pub async fn commit(&self, access: &Access, at: Instant, commit: Commit) -> Result<Receipt> {
        self.commit_noting(access, at, commit, &[]).await
    }

    /// As [`Store::commit`]; the same transaction sets entries of `meta`, also when the commit changes nothing else.
    pub(crate) async fn commit_noting(
        &self,
        access: &Access,
        at: Instant,
        commit: Commit,
        notes: &[(String, String)],
    ) -> Result<Receipt> {
        let mut receipt = Receipt::default();
        for put in &commit.puts {
            self.check(access, put, &mut receipt.diagnostics).await?;
        }
        let series = gathered(commit.series)?;
        for one in &series {
            self.allow_series(access, Action::Write, one.run.as_str()).await?;
            self.check_bases(one).await?;
        }
        let mut parts: Vec<(Id, NewPart)> = Vec::new();
        for series in series {
            let run = series.run.clone();
            if let Some(part) = self.write_series(series, &mut receipt).await? {
                parts.push((run, part));
            }
        }
        let mut tx = self.catalogue.begin().await?;
        let before = ledger::head(&mut tx).await?;
        let seq = before.seq + 1;
        let mut body = Body { reason: commit.reason, changes: Vec::new() };
        for (address, bytes, name) in commit.blobs {
            let new = sqlx::query(
                "INSERT INTO blobs (address, bytes, name, seq) VALUES ($1, $2, $3, $4) ON CONFLICT (address) DO NOTHING",
            )
            .bind(address.to_string())
            .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
            .bind(&name)
            .bind(seq)
            .execute(&mut *tx)
            .await
            .map_err(fault::sql)?;
            if new.rows_affected() > 0 {
                body.changes.push(Change::Blob { address, bytes, name });
            }
        }
        let mut of_runs: HashMap<String, Option<String>> = HashMap::new();
        for put in commit.puts {
            let kind = self.kinds.get(&put.kind)?;
            let owner = match &access.who.organisation {
                Some(organisation) => Some(organisation.clone()),
                None => owner_by_run(&mut tx, kind, &put, &mut of_runs).await?,
            };
            receipt.versions.push(put_record(&mut tx, kind, put, seq, owner.as_deref(), &mut body).await?);
        }
        for (run, part) in parts {
            add_part(&mut tx, &run, &part, seq, &mut body).await?;
        }
        for (key, value) in notes {
            let set = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            sqlx::query(set).bind(key).bind(value).execute(&mut *tx).await.map_err(fault::sql)?;
        }
        if body.changes.is_empty() && !notes.is_empty() {
            tx.commit().await.map_err(fault::sql)?;
            return Ok(receipt);
        }
        if body.changes.is_empty() {
            tx.rollback().await.map_err(fault::sql)?;
            return Ok(receipt);
        }
        let head = ledger::append(&mut tx, before, at, &access.who.id, &commit.operation, &body).await?;
        tx.commit().await.map_err(fault::sql)?;
        // From here on the commit stands, whatever becomes of the note outside the database.
        if let Err(error) = self.noted(head) {
            receipt.diagnostics.push(not_noted(&error));
        }
        receipt.seq = Some(head.seq);
        Ok(receipt)
    }

    async fn check(&self, access: &Access, put: &Put, warnings: &mut Vec<Diagnostic>) -> Result<()> {
        let kind = self.kinds.get(&put.kind)?;
        let mut sight = Sight::to(self, access, Action::Write);
        // Moving a record into one's own area does not make it one's own. Whoever may read all is not asked twice.
        let before = if access.sees_all() { None } else { self.present_record(&put.kind, put.id.as_str()).await? };
        let (version, owner) = match before {
            Some(record) => {
                sight.settle(kind, &record).await?;
                (record.version, record.owner)
            }
            None => (0, access.who.organisation.clone()),
        };
        let (retired, fields) = (put.retired, put.fields.clone());
        let after =
            Record { kind: put.kind.clone(), id: put.id.clone(), version, kind_version: kind.version, fields, retired, owner };
        sight.settle(kind, &after).await?;
        let found = kind.validate(&put.fields);
        if found.iter().any(|d| d.severity == Severity::Error) {
            return Err(Error::input(
                "E-RECORD-001",
                format!("{} {} は種別の定めに合いません", kind.label.ja, put.id),
                format!("{} {} does not fit its kind", kind.label.en, put.id),
            )
            .hint(
                format!("`toji kind show {}` で項目を確認し、直してください", put.kind),
                format!("see the fields with `toji kind show {}` and correct them", put.kind),
            )
            .with(found));
        }
        warnings.extend(found);
        Ok(())
    }

    /// Refuses a channel whose stored times count from something else: no reading could show both.
    async fn check_bases(&self, series: &RunSeries) -> Result<()> {
        let rows = sqlx::query(
            "SELECT DISTINCT b.channel, b.base FROM blocks b JOIN parts p ON p.part = b.part WHERE b.run = $1 AND p.live = 1",
        )
        .bind(series.run.as_str())
        .fetch_all(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        for row in &rows {
            let channel: String = row.try_get("channel").map_err(fault::sql)?;
            let base: String = row.try_get("base").map_err(fault::sql)?;
            if Base::parse(&base) != series.base && series.channels.iter().any(|(c, _)| c.as_str() == channel) {
                return Err(two_bases(&series.run, &channel));
            }
        }
        Ok(())
    }

    /// Sorts, leaves out what is stored already, and writes the rest as a part.
    async fn write_series(&self, series: RunSeries, receipt: &mut Receipt) -> Result<Option<NewPart>> {
        let mut fresh: Vec<(Id, Points)> = Vec::new();
        let times = || series.channels.iter().flat_map(|(_, points)| &points.t_ns);
        let (from, to) = (times().min().copied().unwrap_or(i64::MAX), times().max().copied().unwrap_or(i64::MIN));
        let stored = self.stored_blocks(&series.run, &[], from, to.saturating_add(1)).await?;
        for (channel, points) in series.channels {
            let points = sorted(points);
            let (Some(first), Some(last)) = (points.t_ns.first().copied(), points.t_ns.last().copied()) else { continue };
            let until = last.saturating_add(1);
            let touched = |b: &&Block| b.t_max >= first && b.t_min < until;
            let blocks: Vec<Block> = stored.get(channel.as_str()).into_iter().flatten().filter(touched).cloned().collect();
            let known = self.read_blocks(&series.run, &blocks, series.base, Want::All, first, until)?;
            let (kept, counted) = without_known(points, &known);
            receipt.points_new += counted.new;
            receipt.points_known += counted.known;
            receipt.points_changed += counted.changed;
            if !kept.is_empty() {
                fresh.push((channel, kept));
            }
        }
        if fresh.is_empty() {
            return Ok(None);
        }
        fresh.sort_by(|a, b| a.0.cmp(&b.0));
        let dir = self.series_dir(&series.run);
        let (run, base) = (series.run, series.base);
        tokio::task::spawn_blocking(move || write_part(&dir, &run, base, &fresh))
            .await
            .map_err(|e| Error::bug("E-SERIES-002", e))?
            .map(Some)
    }
}

/// One entry a run and base, one series a channel, however the commit was put together.
fn gathered(series: Vec<RunSeries>) -> Result<Vec<RunSeries>> {
    let mut out: Vec<RunSeries> = Vec::new();
    for one in series {
        let clash = out.iter().filter(|o| o.run == one.run && o.base != one.base).flat_map(|o| &o.channels);
        let clash = clash.map(|(c, _)| c).find(|c| one.channels.iter().any(|(x, _)| x == *c)).cloned();
        if let Some(channel) = clash {
            return Err(two_bases(&one.run, channel.as_str()));
        }
        let at = match out.iter().position(|o| o.run == one.run && o.base == one.base) {
            Some(at) => at,
            None => {
                out.push(RunSeries { run: one.run.clone(), base: one.base, channels: Vec::new() });
                out.len() - 1
            }
        };
        let Some(slot) = out.get_mut(at) else { continue };
        for (channel, points) in one.channels {
            sound(&channel, &points)?;
            match slot.channels.iter_mut().find(|(c, _)| *c == channel) {
                Some((_, first)) => *first = joined(std::mem::take(first), points),
                None => slot.channels.push((channel, points)),
            }
        }
    }
    Ok(out)
}

fn two_bases(run: &Id, channel: &str) -> Error {
    Error::input(
        "E-SERIES-011",
        format!("{run} の系列 {channel} に、時計の時刻と経過時間が混ざっています"),
        format!("series {channel} of {run} would mix clock times with elapsed times"),
    )
    .hint(
        "前回と同じ時刻の与え方で取り込むか、別の培養として取り込んでください",
        "import it with times as before, or as another run",
    )
}

fn not_noted(error: &Error) -> Diagnostic {
    let message = &error.fault().message;
    Diagnostic::warning(
        "W-LEDGER-001",
        Place::field("ledger-head.json"),
        format!("取り込みは済みましたが、台帳の末尾を控えられませんでした: {}", message.ja),
        format!("the commit stands, but the note of the ledger's newest event could not be written: {}", message.en),
    )
    .remedy("ディスクの空きを確認してください。次の書き込みで控え直します", "check the disk; the next commit notes it again")
}

type Tx = sqlx::Transaction<'static, sqlx::Any>;

/// What the house itself enters of one run, its analysis for one, belongs to whom the run belongs to. What people enter
/// of several runs, a plan or a deposit, belongs to whoever enters it.
async fn owner_by_run(
    tx: &mut Tx,
    kind: &Kind,
    put: &Put,
    known: &mut HashMap<String, Option<String>>,
) -> Result<Option<String>> {
    if kind.area_field.is_some() && !kind.derived {
        return Ok(None);
    }
    let mut runs = references(kind, &put.fields).into_iter().filter(|(_, target, _)| *target == "run").map(|(_, _, id)| id);
    let Some(run) = runs.next() else { return Ok(None) };
    if runs.any(|other| other != run) {
        return Ok(None);
    }
    if !known.contains_key(run) {
        let row = sqlx::query("SELECT owner FROM versions WHERE kind = 'run' AND id = $1 AND latest = 1")
            .bind(run)
            .fetch_optional(&mut **tx)
            .await
            .map_err(fault::sql)?;
        let owner = row.map(|row| row.try_get("owner").map_err(fault::sql)).transpose()?.flatten();
        known.insert(run.to_owned(), owner);
    }
    Ok(known.get(run).cloned().flatten())
}

async fn put_record(tx: &mut Tx, kind: &Kind, put: Put, seq: i64, organisation: Option<&str>, body: &mut Body) -> Result<u64> {
    let present = sqlx::query(
        "SELECT version, kind_version, retired, owner, fields FROM versions WHERE kind = $1 AND id = $2 AND latest = 1",
    )
    .bind(&put.kind)
    .bind(put.id.as_str())
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault::sql)?;
    let version: i64 = match &present {
        Some(row) => row.try_get("version").map_err(fault::sql)?,
        None => 0,
    };
    let owner: Option<String> = match &present {
        Some(row) => row.try_get("owner").map_err(fault::sql)?,
        None => organisation.map(str::to_owned),
    };
    if let Some(expected) = put.if_version
        && i64::try_from(expected) != Ok(version)
    {
        return Err(Error::new(
            Category::Conflict,
            "E-RECORD-002",
            format!("{} は版 {expected} から変わり、今は版 {version} です", put.id),
            format!("{} has changed since version {expected}; it is now at version {version}", put.id),
        )
        .at(Place::field("if_version"))
        .hint("最新の版を読み直してから、変更してください", "read the present version, then change it"));
    }
    let text = toji_core::canonical::to_canonical(&put.fields)?;
    if let Some(row) = &present {
        let fields: String = row.try_get("fields").map_err(fault::sql)?;
        let retired: i64 = row.try_get("retired").map_err(fault::sql)?;
        let kind_version: i64 = row.try_get("kind_version").map_err(fault::sql)?;
        if fields == text && (retired != 0) == put.retired && kind_version == i64::from(kind.version) {
            return Ok(u64::try_from(version).unwrap_or_default());
        }
        for statement in [
            "UPDATE versions SET latest = 0 WHERE kind = $1 AND id = $2 AND latest = 1",
            "DELETE FROM links WHERE kind = $1 AND id = $2",
        ] {
            sqlx::query(statement).bind(&put.kind).bind(put.id.as_str()).execute(&mut **tx).await.map_err(fault::sql)?;
        }
    }
    sqlx::query("INSERT INTO versions (kind, id, version, kind_version, seq, retired, latest, fields, owner) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8)")
        .bind(&put.kind)
        .bind(put.id.as_str())
        .bind(version + 1)
        .bind(i64::from(kind.version))
        .bind(seq)
        .bind(i64::from(put.retired))
        .bind(text)
        .bind(&owner)
        .execute(&mut **tx)
        .await
        .map_err(fault::sql)?;
    for (field, target_kind, target) in references(kind, &put.fields) {
        sqlx::query(
            "INSERT INTO links (kind, id, field, target_kind, target) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(&put.kind)
        .bind(put.id.as_str())
        .bind(field)
        .bind(target_kind)
        .bind(target)
        .execute(&mut **tx)
        .await
        .map_err(fault::sql)?;
    }
    let version = u64::try_from(version + 1).unwrap_or_default();
    let (kind_version, retired) = (kind.version, put.retired);
    body.changes.push(Change::Put { kind: put.kind, id: put.id, version, kind_version, fields: put.fields, retired, owner });
    Ok(version)
}

/// References a record holds: (field, kind of the target, identifier).
pub(crate) fn references<'a>(kind: &'a Kind, fields: &'a FieldMap) -> Vec<(&'a str, &'a str, &'a str)> {
    let mut out = Vec::new();
    for field in &kind.fields {
        let (Some(target), Some(value)) = (&field.target, fields.get(&field.name)) else { continue };
        match value {
            serde_json::Value::String(id) => out.push((field.name.as_str(), target.as_str(), id.as_str())),
            serde_json::Value::Array(ids) => {
                out.extend(ids.iter().filter_map(|v| v.as_str()).map(|id| (field.name.as_str(), target.as_str(), id)));
            }
            _ => {}
        }
    }
    out
}

/// Rows of one INSERT: 14 values each, far below what either database takes.
const BLOCKS_A_STATEMENT: usize = 64;

async fn add_part(tx: &mut Tx, run: &Id, part: &NewPart, seq: i64, body: &mut Body) -> Result<()> {
    if !insert_part(tx, run, part, seq).await? {
        return say_again(tx, run, part, seq, body).await;
    }
    body.changes.push(Change::Part { part: part.digest, run: run.clone(), points: part.points, replaces: Vec::new() });
    Ok(())
}

/// Lists a part and its blocks; `false` when the very same part is listed already. `seq` is its place in
/// the order of precedence: that of its event, or for a merged part that of the newest it replaces.
pub(crate) async fn insert_part(tx: &mut Tx, run: &Id, part: &NewPart, seq: i64) -> Result<bool> {
    let address = part.digest.to_string();
    let new =
        sqlx::query("INSERT INTO parts (part, run, seq, bytes, live) VALUES ($1, $2, $3, $4, 1) ON CONFLICT (part) DO NOTHING")
            .bind(&address)
            .bind(run.as_str())
            .bind(seq)
            .bind(part.bytes)
            .execute(&mut **tx)
            .await
            .map_err(fault::sql)?;
    if new.rows_affected() == 0 {
        return Ok(false);
    }
    // Many rows a statement: a part has a block for every channel.
    for blocks in part.blocks.chunks(BLOCKS_A_STATEMENT) {
        let row = |i: usize| format!("({})", (1..=14).map(|c| format!("${}", i * 14 + c)).collect::<Vec<_>>().join(", "));
        let insert = format!(
            "INSERT INTO blocks (part, row_group, run, channel, seq, base, points, flagged, t_min, t_max, v_min, v_max, last_t, last_v)
             VALUES {}",
            (0..blocks.len()).map(row).collect::<Vec<_>>().join(", ")
        );
        let query = blocks.iter().fold(sqlx::query(sqlx::AssertSqlSafe(insert)), |query, block| {
            query
                .bind(&address)
                .bind(block.row_group)
                .bind(run.as_str())
                .bind(block.channel.as_str())
                .bind(seq)
                .bind(part.base.as_str())
                .bind(block.points)
                .bind(block.flagged)
                .bind(block.t_min)
                .bind(block.t_max)
                .bind(block.v_min)
                .bind(block.v_max)
                .bind(block.last.map(|l| l.0))
                .bind(block.last.map(|l| l.1))
        });
        query.execute(&mut **tx).await.map_err(fault::sql)?;
    }
    Ok(true)
}

/// Puts a part that is listed already in force, at another place in the order of precedence.
pub(crate) async fn part_again(tx: &mut Tx, address: &str, seq: i64) -> Result<()> {
    for statement in ["UPDATE parts SET seq = $1, live = 1 WHERE part = $2", "UPDATE blocks SET seq = $1 WHERE part = $2"] {
        sqlx::query(statement).bind(seq).bind(address).execute(&mut **tx).await.map_err(fault::sql)?;
    }
    Ok(())
}

/// The very same part once more. When it is the run's newest nothing changes (two writers of one
/// file met here); else numbers were changed and are changed back: the old part counts as said now.
async fn say_again(tx: &mut Tx, run: &Id, part: &NewPart, seq: i64, body: &mut Body) -> Result<()> {
    let address = part.digest.to_string();
    let later: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM parts WHERE run = $1 AND live = 1 AND seq > (SELECT seq FROM parts WHERE part = $2)",
    )
    .bind(run.as_str())
    .bind(&address)
    .fetch_one(&mut **tx)
    .await
    .map_err(fault::sql)?;
    if later == 0 {
        return Ok(());
    }
    part_again(tx, &address, seq).await?;
    body.changes.push(Change::Part { part: part.digest, run: run.clone(), points: part.points, replaces: Vec::new() });
    Ok(())
}

impl Store {
    pub(crate) fn part_file(&self, run: &Id, part: Digest) -> std::path::PathBuf {
        part_path(&self.series_dir(run), part)
    }
    /// Notes the new head outside the database and lets waiting readers know.
    pub(crate) fn noted(&self, head: Head) -> Result<()> {
        let mut last = self.head.lock().map_err(|e| Error::bug("E-STORE-020", e))?;
        // Commits of several tasks may come here out of order; the note only moves forward.
        if last.seq < head.seq {
            ledger::anchor(&self.dir, head)?;
            *last = head;
        }
        Ok(())
    }
}
