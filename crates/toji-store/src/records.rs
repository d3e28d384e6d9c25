//! Reading records: the present state, the state at an earlier event, history and links.

use crate::commit::references;
use crate::fault;
use crate::shelf::Kept;
use crate::sight::Sight;
use crate::store::Store;
use serde::Serialize;
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::record::FieldMap;
use toji_core::{Access, Error, Id, Instant, Kind, Record, Result, Text};

/// A version in a record's history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Version {
    /// The record at this version, as it was stored.
    pub record: Record,
    /// When it was acknowledged.
    pub at: String,
    /// Who.
    pub actor: String,
    /// Operation.
    pub operation: String,
    /// Why.
    pub reason: Option<String>,
    /// Position in the ledger.
    pub seq: i64,
}

/// A link from one record to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Kind of the record that holds the reference.
    pub kind: String,
    /// Its identifier.
    pub id: String,
    /// The field.
    pub field: String,
    /// Kind of the record referred to.
    pub target_kind: String,
    /// Its identifier (or the shared identifier the field holds).
    pub target: String,
}

/// Of the body of an event, why it was.
#[derive(serde::Deserialize)]
struct Why {
    reason: Option<String>,
}

/// Identifiers that one question names.
const IDS_AT_ONCE: usize = 400;

/// The fields of a record as they are kept.
pub(crate) fn fields_of(text: &str) -> Result<FieldMap> {
    serde_json::from_str(text).map_err(|e| {
        Error::storage("E-RECORD-003", format!("記録の項目を読めません: {e}"), format!("a record's fields are not readable: {e}"))
            .hint("`toji verify` で確かめてください", "check it with `toji verify`")
    })
}

pub(crate) fn read_record(row: &sqlx::any::AnyRow) -> Result<Record> {
    let fields: String = row.try_get("fields").map_err(fault::sql)?;
    let number = |name: &str| row.try_get::<i64, _>(name).map_err(fault::sql);
    Ok(Record {
        kind: row.try_get("kind").map_err(fault::sql)?,
        id: Id::parse(&row.try_get::<String, _>("id").map_err(fault::sql)?)?,
        version: u64::try_from(number("version")?).unwrap_or_default(),
        kind_version: u32::try_from(number("kind_version")?).unwrap_or_default(),
        fields: fields_of(&fields)?,
        retired: number("retired")? != 0,
        owner: row.try_get("owner").map_err(fault::sql)?,
    })
}

impl Store {
    /// The present version of a record as it is stored; nobody is asked.
    pub(crate) async fn present_record(&self, kind: &str, id: &str) -> Result<Option<Record>> {
        let row = sqlx::query(
            "SELECT kind, id, version, kind_version, retired, owner, fields FROM versions WHERE kind = $1 AND id = $2 AND latest = 1",
        )
        .bind(kind)
        .bind(id)
        .fetch_optional(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        row.as_ref().map(read_record).transpose()
    }

    /// The record with its fields brought to the present version of its kind.
    pub(crate) fn present(&self, mut record: Record) -> Result<Record> {
        let kind = self.kinds.get(&record.kind)?;
        if record.kind_version != kind.version {
            record.fields = kind.migrate(&record.fields, record.kind_version)?;
            record.kind_version = kind.version;
        }
        Ok(record)
    }

    /// Position of the newest event at or before an instant.
    ///
    /// # Errors
    /// The catalogue cannot be reached.
    pub async fn seq_at(&self, at: Instant) -> Result<i64> {
        // RFC 3339 texts of differing precision do not sort as text, so compare as instants.
        let rows =
            sqlx::query("SELECT seq, at FROM ledger ORDER BY seq").fetch_all(&self.catalogue.pool).await.map_err(fault::sql)?;
        let mut seq = 0;
        for row in rows {
            let text: String = row.try_get("at").map_err(fault::sql)?;
            if Instant::parse(&text)? <= at {
                seq = row.try_get("seq").map_err(fault::sql)?;
            }
        }
        Ok(seq)
    }

    /// One record: now, or as the store knew it at an instant.
    ///
    /// # Errors
    /// No such record, or denied access.
    pub async fn record(&self, access: &Access, kind: &str, id: &str, as_of: Option<Instant>) -> Result<Record> {
        let declared = self.kinds.get(kind)?;
        let missing = || {
            Error::not_found(
                "E-RECORD-004",
                format!("{} に「{id}」はありません", declared.label.ja),
                format!("there is no {} \"{id}\"", declared.label.en.to_lowercase()),
            )
            .hint(format!("`toji record list {kind}` で一覧できます",), format!("list them with `toji record list {kind}`"))
        };
        let now = self.present_record(kind, id).await?.ok_or_else(missing)?;
        let mut sight = Sight::new(self, access);
        sight.settle(declared, &now).await?;
        let Some(at) = as_of else { return self.present(now) };
        let row = sqlx::query(
            "SELECT kind, id, version, kind_version, retired, owner, fields FROM versions
             WHERE kind = $1 AND id = $2 AND seq <= $3 ORDER BY version DESC LIMIT 1",
        )
        .bind(kind)
        .bind(id)
        .bind(self.seq_at(at).await?)
        .fetch_optional(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        // What is closed now stays closed as it was before, and what was closed then too.
        let then = read_record(&row.ok_or_else(missing)?)?;
        sight.settle(declared, &then).await?;
        self.present(then)
    }

    /// All records of a kind that the asker may see, by identifier.
    ///
    /// # Errors
    /// Unknown kind, storage faults.
    pub async fn records(&self, access: &Access, kind: &str, as_of: Option<Instant>, retired: bool) -> Result<Vec<Record>> {
        let declared = self.kinds.get(kind)?;
        if as_of.is_none()
            && let Some(shelf) = self.shelf(declared).await?
        {
            return self.visible_kept(access, declared, shelf.rows().iter(), retired).await;
        }
        let rows = match as_of {
            None => {
                sqlx::query("SELECT kind, id, version, kind_version, retired, owner, fields FROM versions WHERE kind = $1 AND latest = 1 ORDER BY id")
                    .bind(kind)
                    .fetch_all(&self.catalogue.pool)
                    .await
            }
            Some(at) => {
                sqlx::query(
                    "SELECT kind, id, version, kind_version, retired, owner, fields FROM versions v WHERE kind = $1 AND version =
                     (SELECT MAX(version) FROM versions w WHERE w.kind = v.kind AND w.id = v.id AND w.seq <= $2) ORDER BY id",
                )
                .bind(kind)
                .bind(self.seq_at(at).await?)
                .fetch_all(&self.catalogue.pool)
                .await
            }
        };
        let mut found = self.visible(access, declared, rows.map_err(fault::sql)?.iter(), retired).await?;
        if as_of.is_some() && !access.sees_all() {
            let open: BTreeSet<Id> = Box::pin(self.records(access, kind, None, true)).await?.into_iter().map(|r| r.id).collect();
            found.retain(|r| open.contains(&r.id));
        }
        Ok(found)
    }

    /// Records of a kind that refer to a target, e.g. the channels of a run.
    ///
    /// # Errors
    /// Unknown kind, storage faults.
    pub async fn linked(&self, access: &Access, kind: &str, target_kind: &str, target: &str) -> Result<Vec<Record>> {
        let declared = self.kinds.get(kind)?;
        if matches!(target_kind, "run" | "sample")
            && let Some(shelf) = self.shelf_if_kept(declared).await?
        {
            if !self.sees_target(access, target_kind, target).await? {
                return Ok(Vec::new());
            }
            return self.visible_kept(access, declared, shelf.naming(target_kind, target), false).await;
        }
        // CROSS JOIN: SQLite would else walk every record of the kind and look for its link.
        let rows = sqlx::query(
            "SELECT v.kind, v.id, v.version, v.kind_version, v.retired, v.owner, v.fields FROM links l CROSS JOIN versions v
             WHERE l.kind = $1 AND l.target_kind = $2 AND l.target = $3 AND v.kind = l.kind AND v.id = l.id AND v.latest = 1
             ORDER BY v.id",
        )
        .bind(kind)
        .bind(target_kind)
        .bind(target)
        .fetch_all(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        if !self.sees_target(access, target_kind, target).await? {
            return Ok(Vec::new());
        }
        let mut records = self.visible(access, declared, rows.iter(), false).await?;
        records.dedup_by(|a, b| a.id == b.id);
        Ok(records)
    }

    async fn visible<'a>(
        &self,
        access: &Access,
        kind: &Kind,
        rows: impl Iterator<Item = &'a sqlx::any::AnyRow> + Send,
        retired: bool,
    ) -> Result<Vec<Record>> {
        let mut sight = Sight::new(self, access);
        let mut out = Vec::new();
        for row in rows {
            let record = read_record(row)?;
            if (retired || !record.retired) && sight.sees(kind, &record).await? {
                out.push(self.present(record)?);
            }
        }
        // The databases order texts differently.
        out.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(out)
    }

    async fn visible_kept<'a>(
        &self,
        access: &Access,
        kind: &Kind,
        rows: impl Iterator<Item = &'a Kept> + Send,
        retired: bool,
    ) -> Result<Vec<Record>> {
        let mut sight = Sight::new(self, access);
        let mut out = Vec::new();
        for kept in rows {
            if (retired || !kept.record.retired) && sight.sees_kept(kind, kept).await? {
                out.push(self.present((*kept.record).clone())?);
            }
        }
        Ok(out)
    }

    /// May the asker know of links to this? Yes where there is no record of that name.
    async fn sees_target(&self, access: &Access, kind: &str, id: &str) -> Result<bool> {
        if access.sees_all() {
            return Ok(true);
        }
        let declared = self.kinds.get(kind)?;
        match self.present_record(kind, id).await? {
            Some(record) => Sight::new(self, access).sees(declared, &record).await,
            None => Ok(true),
        }
    }

    /// Takes out the identifiers of records that the asker may not see; names without a record stay.
    async fn leave_known(&self, sight: &mut Sight<'_>, kind: &str, ids: &mut BTreeSet<String>) -> Result<()> {
        let declared = self.kinds.get(kind)?;
        let all: Vec<String> = ids.iter().cloned().collect();
        for some in all.chunks(IDS_AT_ONCE) {
            let places: Vec<String> = (0..some.len()).map(|i| format!("${}", i + 2)).collect();
            let statement = format!(
                "SELECT kind, id, version, kind_version, retired, owner, fields FROM versions
                 WHERE kind = $1 AND latest = 1 AND id IN ({})",
                places.join(", ")
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(kind);
            let query = some.iter().fold(query, |query, id| query.bind(id));
            for row in &query.fetch_all(&self.catalogue.pool).await.map_err(fault::sql)? {
                let record = read_record(row)?;
                if !sight.sees(declared, &record).await? {
                    ids.remove(record.id.as_str());
                }
            }
        }
        Ok(())
    }

    /// How many records of each kind are in use, of those the asker may see.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn counts(&self, access: &Access) -> Result<BTreeMap<String, u64>> {
        if !access.sees_all() {
            let mut out = BTreeMap::new();
            for kind in self.kinds.iter() {
                let n = self.records(access, &kind.kind, None, false).await?.len() as u64;
                out.extend((n > 0).then(|| (kind.kind.clone(), n)));
            }
            return Ok(out);
        }
        let rows = sqlx::query("SELECT kind, COUNT(*) AS n FROM versions WHERE latest = 1 AND retired = 0 GROUP BY kind")
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        rows.iter()
            .map(|r| {
                let n: i64 = r.try_get("n").map_err(fault::sql)?;
                Ok((r.try_get("kind").map_err(fault::sql)?, u64::try_from(n).unwrap_or_default()))
            })
            .collect()
    }

    /// Position of the newest version of any record of these kinds; 0 when there is none. Nobody is asked: it says
    /// only whether something has changed.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn newest_of(&self, kinds: &[&str]) -> Result<i64> {
        // Kind by kind, for each is one step of the index.
        let each = |i: usize| format!("SELECT MAX(seq) AS n FROM versions WHERE kind = ${i} AND latest = 1");
        let each: Vec<String> = (1..=kinds.len()).map(each).collect();
        let statement = format!("SELECT COALESCE(MAX(n), 0) FROM ({}) AS newest", each.join(" UNION ALL "));
        let query = kinds.iter().fold(sqlx::query_scalar(sqlx::AssertSqlSafe(statement)), |query, kind| query.bind(*kind));
        query.fetch_one(&self.catalogue.pool).await.map_err(fault::sql)
    }

    /// Every version of a record, oldest first.
    ///
    /// # Errors
    /// No such record, or denied access.
    pub async fn history(&self, access: &Access, kind: &str, id: &str) -> Result<Vec<Version>> {
        self.record(access, kind, id, None).await?;
        let declared = self.kinds.get(kind)?;
        let rows = sqlx::query(
            "SELECT v.kind, v.id, v.version, v.kind_version, v.retired, v.owner, v.fields, v.seq, l.at, l.actor, l.operation, l.body
             FROM versions v JOIN ledger l ON l.seq = v.seq WHERE v.kind = $1 AND v.id = $2 ORDER BY v.version",
        )
        .bind(kind)
        .bind(id)
        .fetch_all(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        let mut sight = Sight::new(self, access);
        let mut out = Vec::with_capacity(rows.len());
        for row in &rows {
            let record = read_record(row)?;
            // Versions of a time when the record was closed to the asker stay closed.
            if !sight.sees(declared, &record).await? {
                continue;
            }
            let body: String = row.try_get("body").map_err(fault::sql)?;
            let reason = serde_json::from_str::<Why>(&body).ok().and_then(|b| b.reason);
            out.push(Version {
                record,
                at: row.try_get("at").map_err(fault::sql)?,
                actor: row.try_get("actor").map_err(fault::sql)?,
                operation: row.try_get("operation").map_err(fault::sql)?,
                reason,
                seq: row.try_get("seq").map_err(fault::sql)?,
            });
        }
        Ok(out)
    }

    /// Which operation entered a record that the asker sees, by the first of its versions that they may see: operation,
    /// position in the ledger, and when it was acknowledged.
    pub(crate) async fn entered_by(&self, access: &Access, kind: &str, id: &str) -> Result<Option<(String, i64, String)>> {
        let declared = self.kinds.get(kind)?;
        let mut sight = Sight::new(self, access);
        // As a rule the first version is open; the body of its event, which may be large, is not read.
        for limit in [1, i64::MAX] {
            let rows = sqlx::query(
                "SELECT v.kind, v.id, v.version, v.kind_version, v.retired, v.owner, v.fields, v.seq, l.at, l.operation
                 FROM versions v JOIN ledger l ON l.seq = v.seq WHERE v.kind = $1 AND v.id = $2 ORDER BY v.version LIMIT $3",
            )
            .bind(kind)
            .bind(id)
            .bind(limit)
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
            for row in &rows {
                if sight.sees(declared, &read_record(row)?).await? {
                    let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
                    return Ok(Some((text("operation")?, row.try_get("seq").map_err(fault::sql)?, text("at")?)));
                }
            }
        }
        Ok(None)
    }

    /// When each of these versions was acknowledged, in the order given. The records are already in the
    /// asker's hands, so no further decision is asked for.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn acknowledged_at(&self, records: &[Record]) -> Result<Vec<String>> {
        let mut found = std::collections::HashMap::new();
        for some in records.chunks(400) {
            let wanted: Vec<String> = (1..=some.len()).map(|i| format!("${}", i + 1)).collect();
            let statement = format!(
                "SELECT v.kind, v.id, v.version, l.at FROM versions v JOIN ledger l ON l.seq = v.seq WHERE v.kind = $1 AND v.id IN ({})",
                wanted.join(", ")
            );
            let Some(first) = some.first() else { continue };
            let query = some.iter().fold(sqlx::query(sqlx::AssertSqlSafe(statement)).bind(first.kind.as_str()), |query, r| {
                query.bind(r.id.as_str())
            });
            for row in query.fetch_all(&self.catalogue.pool).await.map_err(fault::sql)? {
                let id: String = row.try_get("id").map_err(fault::sql)?;
                let version: i64 = row.try_get("version").map_err(fault::sql)?;
                let at: String = row.try_get("at").map_err(fault::sql)?;
                found.insert((id, version), at);
            }
        }
        let key = |r: &Record| (r.id.to_string(), i64::try_from(r.version).unwrap_or(i64::MAX));
        Ok(records.iter().map(|r| found.remove(&key(r)).unwrap_or_default()).collect())
    }

    /// Links that a record holds, and links to it, of those whose both ends the asker may see.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn links(&self, access: &Access, kind: &str, id: &str) -> Result<(Vec<Link>, Vec<Link>)> {
        if !self.sees_target(access, kind, id).await? {
            return Ok((Vec::new(), Vec::new()));
        }
        let out = "SELECT kind, id, field, target_kind, target FROM links WHERE kind = $1 AND id = $2 ORDER BY field, target";
        let back = "SELECT kind, id, field, target_kind, target FROM links WHERE target_kind = $1 AND target = $2 ORDER BY kind, id, field LIMIT 1000";
        let mut found = [Vec::new(), Vec::new()];
        for (slot, statement) in found.iter_mut().zip([out, back]) {
            let rows = sqlx::query(statement).bind(kind).bind(id).fetch_all(&self.catalogue.pool).await.map_err(fault::sql)?;
            for row in &rows {
                let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
                slot.push(Link {
                    kind: text("kind")?,
                    id: text("id")?,
                    field: text("field")?,
                    target_kind: text("target_kind")?,
                    target: text("target")?,
                });
            }
        }
        let [mut out, mut back] = found;
        if !access.sees_all() {
            let mut ends: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (kind, id) in out.iter().map(|l| (&l.target_kind, &l.target)).chain(back.iter().map(|l| (&l.kind, &l.id))) {
                ends.entry(kind.clone()).or_default().insert(id.clone());
            }
            let mut sight = Sight::new(self, access);
            for (kind, ids) in &mut ends {
                self.leave_known(&mut sight, kind, ids).await?;
            }
            let known = |kind: &str, id: &str| ends.get(kind).is_some_and(|ids| ids.contains(id));
            out.retain(|l| known(&l.target_kind, &l.target));
            back.retain(|l| known(&l.kind, &l.id));
        }
        out.sort_by(|a, b| (&a.field, &a.target).cmp(&(&b.field, &b.target)));
        back.sort_by(|a, b| (&a.kind, &a.id, &a.field).cmp(&(&b.kind, &b.id, &b.field)));
        Ok((out, back))
    }

    /// How many records of each kind refer to each target of a kind: (target, kind) → number. Counted are
    /// records the asker may see, for targets they may see.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn link_counts(&self, access: &Access, target_kind: &str) -> Result<BTreeMap<(String, String), u64>> {
        if access.sees_all() {
            let rows = sqlx::query(
                "SELECT target, kind, COUNT(DISTINCT id) AS n FROM links WHERE target_kind = $1 GROUP BY target, kind",
            )
            .bind(target_kind)
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
            let read = |row: &sqlx::any::AnyRow| {
                let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
                let n: i64 = row.try_get("n").map_err(fault::sql)?;
                Ok(((text("target")?, text("kind")?), u64::try_from(n).unwrap_or_default()))
            };
            return rows.iter().map(read).collect();
        }
        let open: BTreeSet<String> =
            self.records(access, target_kind, None, true).await?.into_iter().map(|r| r.id.to_string()).collect();
        let mut out = BTreeMap::new();
        for kind in self.kinds.iter().filter(|kind| kind.fields.iter().any(|f| f.target.as_deref() == Some(target_kind))) {
            // A record that names the target in two fields counts once.
            let mut count = |targets: BTreeSet<&str>, n: u64| {
                for target in targets.into_iter().filter(|target| open.contains(*target)) {
                    *out.entry((target.to_owned(), kind.kind.clone())).or_insert(0) += n;
                }
            };
            match self.shelf(kind).await?.filter(|_| target_kind == "run") {
                Some(shelf) => {
                    let mut sight = Sight::new(self, access);
                    let mut seen = vec![0; shelf.bonds().len()];
                    for kept in shelf.rows() {
                        if sight.sees_kept(kind, kept).await?
                            && let Some(n) = seen.get_mut(kept.bond)
                        {
                            *n += 1;
                        }
                    }
                    for (bond, n) in shelf.bonds().iter().zip(seen).filter(|(_, n)| *n > 0) {
                        count(bond.runs().collect(), n);
                    }
                }
                None => {
                    for record in self.records(access, &kind.kind, None, true).await? {
                        let named = references(kind, &record.fields).into_iter().filter(|(_, of, _)| *of == target_kind);
                        count(named.map(|(_, _, target)| target).collect(), 1);
                    }
                }
            }
        }
        Ok(out)
    }

    /// Title of a record in both languages.
    #[must_use]
    pub fn title(&self, record: &Record) -> Text {
        let Ok(kind) = self.kinds.get(&record.kind) else { return Text::same(record.id.as_str()) };
        title_of(kind, &record.id, &record.fields)
    }
}

/// Title by the kind's declaration; where one language is empty the other stands in, and else the id.
pub(crate) fn title_of(kind: &Kind, id: &Id, fields: &FieldMap) -> Text {
    let read = |name: &str| match fields.get(name) {
        _ if name == "id" => Some(id.to_string()),
        Some(serde_json::Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
        Some(serde_json::Value::Null) | None | Some(serde_json::Value::String(_)) => None,
        Some(serde_json::Value::Array(parts)) if parts.iter().all(serde_json::Value::is_string) => {
            Some(parts.iter().filter_map(|p| p.as_str()).collect::<Vec<_>>().join("; ")).filter(|t| !t.is_empty())
        }
        Some(other) => Some(other.to_string()),
    };
    let (ja, en) = (read(&kind.title.ja), read(&kind.title.en));
    let or = |a: &Option<String>, b: &Option<String>| a.clone().or_else(|| b.clone()).unwrap_or_else(|| id.to_string());
    Text::new(or(&ja, &en), or(&en, &ja))
}
