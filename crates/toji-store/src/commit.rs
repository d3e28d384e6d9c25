//! Writing: everything an operation acknowledges goes in by one transaction, or not at all.
//!
//! Order: blobs and parts are made durable first (a crash leaves files nobody refers to), then one
//! database transaction appends the event and everything read from it, then the head is noted. Readers
//! see the state before or the state after.

use crate::ledger::{self, Body, Change, Head};
use crate::series::{Base, NewPart, part_path, write_part};
use crate::store::Store;
use crate::fault;
use sqlx::Row as _;
use std::collections::BTreeMap;
use toji_core::culture::{Numbers, Points};
use toji_core::record::FieldMap;
use toji_core::{Access, Action, Category, Diagnostic, Digest, Error, Id, Instant, Kind, Place, Resource, Result, Severity};

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
    /// Points that are new.
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
        let mut receipt = Receipt::default();
        for put in &commit.puts {
            self.check(access, put, &mut receipt.diagnostics)?;
        }
        let mut parts: Vec<(Id, NewPart)> = Vec::new();
        for series in commit.series {
            let run = series.run.clone();
            self.allow(access, Action::Write, Resource::Series { run: run.as_str(), channel: "" }).await?;
            if let Some(part) = self.write_series(series, &mut receipt).await? {
                parts.push((run, part));
            }
        }
        let mut tx = self.catalogue.begin().await?;
        let before = ledger::head(&mut tx).await?;
        let seq = before.seq + 1;
        let mut body = Body { reason: commit.reason, changes: Vec::new() };
        for (address, bytes, name) in commit.blobs {
            let new = sqlx::query("INSERT INTO blobs (address, bytes, name, seq) VALUES ($1, $2, $3, $4) ON CONFLICT (address) DO NOTHING")
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
        for put in commit.puts {
            let kind = self.kinds.get(&put.kind)?;
            receipt.versions.push(put_record(&mut tx, kind, put, seq, &mut body).await?);
        }
        for (run, part) in parts {
            add_part(&mut tx, &run, &part, seq, &mut body).await?;
        }
        if body.changes.is_empty() {
            tx.rollback().await.map_err(fault::sql)?;
            return Ok(receipt);
        }
        let head = ledger::append(&mut tx, before, at, &access.who.id, &commit.operation, &body).await?;
        tx.commit().await.map_err(fault::sql)?;
        self.noted(head)?;
        receipt.seq = Some(head.seq);
        Ok(receipt)
    }

    fn check(&self, access: &Access, put: &Put, warnings: &mut Vec<Diagnostic>) -> Result<()> {
        let kind = self.kinds.get(&put.kind)?;
        let area = kind.area_field.as_ref().and_then(|f| put.fields.get(f)).and_then(|v| v.as_str());
        let decision = access.decide(Action::Write, Resource::Record { kind: &put.kind, id: put.id.as_str(), area });
        if !decision.allow {
            return Err(Error::new(Category::Denied, "E-GATE-001", decision.reason.ja, decision.reason.en));
        }
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

    /// Sorts, leaves out what is stored already, and writes the rest as a part.
    async fn write_series(&self, series: RunSeries, receipt: &mut Receipt) -> Result<Option<NewPart>> {
        let mut fresh: Vec<(Id, Points)> = Vec::new();
        for (channel, points) in series.channels {
            let points = sorted(points);
            let (Some(first), Some(last)) = (points.t_ns.first().copied(), points.t_ns.last().copied()) else { continue };
            let known = self.stored(&series.run, &channel, series.base, first, last.saturating_add(1)).await?;
            let kept = without_known(points, &known, receipt);
            if !kept.is_empty() {
                receipt.points_new += kept.len() as u64;
                fresh.push((channel, kept));
            }
        }
        if fresh.is_empty() {
            return Ok(None);
        }
        fresh.sort_by(|a, b| a.0.cmp(&b.0));
        let dir = self.series_dir(&series.run);
        let base = series.base;
        tokio::task::spawn_blocking(move || write_part(&dir, base, &fresh)).await.map_err(|e| Error::bug("E-SERIES-002", e))?.map(Some)
    }
}

/// Points in ascending order of time, equal times in their old order.
fn sorted(points: Points) -> Points {
    if points.t_ns.is_sorted() {
        return points;
    }
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|i| points.t_ns.get(*i).copied().unwrap_or(i64::MAX));
    pick(&points, &order)
}

fn pick(points: &Points, order: &[usize]) -> Points {
    let texts: BTreeMap<u32, &String> = points.texts.iter().map(|(i, t)| (*i, t)).collect();
    let of = |i: &usize| points.t_ns.get(*i).copied().unwrap_or_default();
    Points {
        t_ns: order.iter().map(of).collect(),
        numbers: match &points.numbers {
            Numbers::Scaled { scale, mantissa } => Numbers::Scaled {
                scale: *scale,
                mantissa: order.iter().map(|i| mantissa.get(*i).copied().unwrap_or(Points::NO_NUMBER)).collect(),
            },
            Numbers::Float(values) => Numbers::Float(order.iter().map(|i| values.get(*i).copied().unwrap_or(f64::NAN)).collect()),
        },
        quality: order.iter().map(|i| points.quality.get(*i).copied().unwrap_or_default()).collect(),
        texts: if texts.is_empty() {
            Vec::new()
        } else {
            order.iter().enumerate().filter_map(|(new, old)| texts.get(&(*old as u32)).map(|t| (new as u32, (*t).clone()))).collect()
        },
    }
}

/// Leaves out points that are stored with the same number, quality and text, and repetitions inside
/// the file itself. Both sides are sorted.
fn without_known(points: Points, known: &crate::Series, receipt: &mut Receipt) -> Points {
    let repeats = points.t_ns.windows(2).any(|w| w.first() == w.last());
    if known.is_empty() && !repeats {
        return points;
    }
    let text_of = |texts: &[(u32, String)], i: usize| {
        texts.binary_search_by_key(&(i as u32), |(at, _)| *at).ok().and_then(|at| texts.get(at)).map(|(_, t)| t.clone())
    };
    let numbers: Vec<Option<f64>> = (0..points.len()).map(|i| points.number(i)).collect();
    let same_inside = |i: usize, j: usize| {
        numbers.get(i) == numbers.get(j)
            && points.quality.get(i) == points.quality.get(j)
            && text_of(&points.texts, i) == text_of(&points.texts, j)
    };
    let (mut keep, mut k) = (Vec::with_capacity(points.len()), 0);
    for (i, t) in points.t_ns.iter().enumerate() {
        let mut before = keep.iter().rev().take_while(|j: &&usize| points.t_ns.get(**j) == Some(t));
        if before.any(|j| same_inside(*j, i)) {
            receipt.points_known += 1;
            continue;
        }
        while known.t_ns.get(k).is_some_and(|kt| kt < t) {
            k += 1;
        }
        if known.t_ns.get(k) == Some(t) {
            let stored = known.value.get(k).copied().filter(|v| !v.is_nan());
            let equal = stored == numbers.get(i).copied().flatten()
                && known.quality.get(k) == points.quality.get(i)
                && text_of(&known.texts, k) == text_of(&points.texts, i);
            if equal {
                receipt.points_known += 1;
                continue;
            }
            receipt.points_changed += 1;
        }
        keep.push(i);
    }
    if keep.len() == points.len() { points } else { pick(&points, &keep) }
}

type Tx = sqlx::Transaction<'static, sqlx::Any>;

async fn put_record(tx: &mut Tx, kind: &Kind, put: Put, seq: i64, body: &mut Body) -> Result<u64> {
    let present = sqlx::query("SELECT version, kind_version, retired, fields FROM versions WHERE kind = $1 AND id = $2 AND latest = 1")
        .bind(&put.kind)
        .bind(put.id.as_str())
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault::sql)?;
    let version: i64 = match &present {
        Some(row) => row.try_get("version").map_err(fault::sql)?,
        None => 0,
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
        for statement in ["UPDATE versions SET latest = 0 WHERE kind = $1 AND id = $2 AND latest = 1", "DELETE FROM links WHERE kind = $1 AND id = $2"] {
            sqlx::query(statement).bind(&put.kind).bind(put.id.as_str()).execute(&mut **tx).await.map_err(fault::sql)?;
        }
    }
    sqlx::query("INSERT INTO versions (kind, id, version, kind_version, seq, retired, latest, fields) VALUES ($1, $2, $3, $4, $5, $6, 1, $7)")
        .bind(&put.kind)
        .bind(put.id.as_str())
        .bind(version + 1)
        .bind(i64::from(kind.version))
        .bind(seq)
        .bind(i64::from(put.retired))
        .bind(text)
        .execute(&mut **tx)
        .await
        .map_err(fault::sql)?;
    for (field, target_kind, target) in references(kind, &put.fields) {
        sqlx::query("INSERT INTO links (kind, id, field, target_kind, target) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
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
    body.changes.push(Change::Put { kind: put.kind, id: put.id, version, kind_version, fields: put.fields, retired });
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

async fn add_part(tx: &mut Tx, run: &Id, part: &NewPart, seq: i64, body: &mut Body) -> Result<()> {
    let address = part.digest.to_string();
    let new = sqlx::query("INSERT INTO parts (part, run, seq, bytes, live) VALUES ($1, $2, $3, $4, 1) ON CONFLICT (part) DO NOTHING")
        .bind(&address)
        .bind(run.as_str())
        .bind(seq)
        .bind(part.bytes)
        .execute(&mut **tx)
        .await
        .map_err(fault::sql)?;
    if new.rows_affected() == 0 {
        return Ok(());
    }
    for block in &part.blocks {
        sqlx::query(
            "INSERT INTO blocks (part, row_group, run, channel, seq, base, points, flagged, t_min, t_max, v_min, v_max, last_t, last_v)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
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
        .execute(&mut **tx)
        .await
        .map_err(fault::sql)?;
    }
    body.changes.push(Change::Part { part: part.digest, run: run.clone(), points: part.points, replaces: Vec::new() });
    Ok(())
}

impl Store {
    pub(crate) fn part_file(&self, run: &Id, part: Digest) -> std::path::PathBuf {
        part_path(&self.series_dir(run), part)
    }
    /// Notes the new head outside the database and lets waiting readers know.
    fn noted(&self, head: Head) -> Result<()> {
        let mut last = self.head.lock().map_err(|e| Error::bug("E-STORE-020", e))?;
        // Commits of several tasks may come here out of order; the note only moves forward.
        if last.seq < head.seq {
            ledger::anchor(&self.dir, head)?;
            *last = head;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Series;
    use proptest::prelude::*;

    fn points(rows: &[(i64, i64)]) -> Points {
        Points {
            t_ns: rows.iter().map(|r| r.0).collect(),
            numbers: Numbers::Scaled { scale: 1, mantissa: rows.iter().map(|r| r.1).collect() },
            quality: vec![0; rows.len()],
            texts: Vec::new(),
        }
    }

    #[test]
    fn known_points_are_left_out_and_changed_ones_counted() {
        let known = Series { t_ns: vec![1, 2], value: vec![0.5, 0.7], quality: vec![0, 0], texts: Vec::new() };
        let mut receipt = Receipt::default();
        let kept = without_known(points(&[(1, 5), (2, 8), (3, 9), (3, 9)]), &known, &mut receipt);
        assert_eq!(kept, points(&[(2, 8), (3, 9)]));
        assert_eq!((receipt.points_known, receipt.points_changed), (2, 1));
    }

    proptest! {
        #[test]
        fn sorting_keeps_every_point(rows in proptest::collection::vec((0i64..50, 0i64..1000), 0..60)) {
            let sorted = sorted(points(&rows));
            let mut expected = rows.clone();
            expected.sort_by_key(|r| r.0);
            prop_assert_eq!(sorted, points(&expected));
        }
    }
}
