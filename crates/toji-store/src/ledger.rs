//! The ledger: an append-only chain of events. Each event's hash covers its content and the hash before
//! it; the newest hash is also kept in a file of its own, so that a shortened ledger is noticed.

use crate::catalogue::Catalogue;
use crate::{blob, fault};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use std::path::Path;
use toji_core::canonical::to_canonical;
use toji_core::record::FieldMap;
use toji_core::{Diagnostic, Digest, Error, Id, Instant, Place, Result};

/// What one event changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A record has a new version.
    Put {
        /// Kind.
        kind: String,
        /// Identifier.
        id: Id,
        /// Version, from 1.
        version: u64,
        /// Version of the kind's declaration.
        kind_version: u32,
        /// All fields.
        fields: FieldMap,
        /// Out of use.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        retired: bool,
        /// Organisation of whoever entered the record first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<String>,
    },
    /// A file of series was added.
    Part {
        /// SHA-256 of the file.
        part: Digest,
        /// Run.
        run: Id,
        /// Points in it.
        points: u64,
        /// Parts it replaces (merging); empty for an import.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        replaces: Vec<Digest>,
    },
    /// A file was kept.
    Blob {
        /// Its address.
        address: Digest,
        /// Its size.
        bytes: u64,
        /// Its name when it came.
        name: String,
    },
}

/// The body of an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Why, in the author's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What changed.
    pub changes: Vec<Change>,
}

/// One event of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Position, from 1.
    pub seq: i64,
    /// When it was acknowledged.
    pub at: String,
    /// Who (pseudonym).
    pub actor: String,
    /// Operation, as `noun verb`.
    pub operation: String,
    /// Canonical JSON of a [`Body`].
    pub body: String,
    /// Hash of the event before.
    pub prev: Digest,
    /// Hash of this event.
    pub hash: Digest,
}

/// Position and hash of the newest event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Position; 0 for an empty ledger.
    pub seq: i64,
    /// Hash; all zeros for an empty ledger.
    pub hash: Digest,
}

fn hash_of(seq: i64, at: &str, actor: &str, operation: &str, body: &str, prev: Digest) -> Digest {
    // Lengths before texts, so that no two different events have the same bytes.
    let mut bytes = Vec::with_capacity(body.len() + 160);
    bytes.extend(prev.bytes());
    bytes.extend(seq.to_be_bytes());
    for part in [at, actor, operation, body] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    Digest::of(&bytes)
}

type Tx = sqlx::Transaction<'static, sqlx::Any>;

pub(crate) async fn head(tx: &mut Tx) -> Result<Head> {
    let row = sqlx::query("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault::sql)?;
    match row {
        Some(row) => read_head(&row),
        None => Ok(Head { seq: 0, hash: Digest::zero() }),
    }
}

/// A hash exactly as it was written: `Digest::parse` also reads capital letters, and a letter that lost
/// its bit in the file must not pass for the same hash.
fn exact(text: &str) -> Result<Digest> {
    let digest = Digest::parse(text)?;
    if digest.to_string() == text {
        return Ok(digest);
    }
    Err(Error::storage("E-LEDGER-003", "台帳のハッシュが書き換えられています", "a hash of the ledger was altered")
        .hint("バックアップと比べ、戻してください", "compare with a backup and restore it"))
}

fn read_head(row: &sqlx::any::AnyRow) -> Result<Head> {
    let hash: String = row.try_get("hash").map_err(fault::sql)?;
    Ok(Head { seq: row.try_get("seq").map_err(fault::sql)?, hash: exact(&hash)? })
}

/// Appends an event inside the writing transaction; returns the new head.
pub(crate) async fn append(tx: &mut Tx, before: Head, at: Instant, actor: &str, operation: &str, body: &Body) -> Result<Head> {
    let (seq, at, body) = (before.seq + 1, at.to_string(), to_canonical(body)?);
    let hash = hash_of(seq, &at, actor, operation, &body, before.hash);
    sqlx::query("INSERT INTO ledger (seq, at, actor, operation, body, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(seq)
        .bind(at)
        .bind(actor)
        .bind(operation)
        .bind(body)
        .bind(before.hash.to_string())
        .bind(hash.to_string())
        .execute(&mut **tx)
        .await
        .map_err(fault::sql)?;
    Ok(Head { seq, hash })
}

/// Remembers the newest event outside the database. The note only moves forward: several processes may
/// write to one store and come here out of order.
pub(crate) fn anchor(dir: &Path, head: Head) -> Result<()> {
    if let Ok(Some(noted)) = read_anchor(dir)
        && noted.seq >= head.seq
    {
        return Ok(());
    }
    let text = serde_json::to_string(&head).map_err(|e| Error::bug("E-LEDGER-001", e))?;
    blob::write_durably(&dir.join("ledger-head.json"), text.as_bytes())
}

fn read_anchor(dir: &Path) -> Result<Option<Head>> {
    let path = dir.join("ledger-head.json");
    match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|_| {
            Error::storage("E-LEDGER-002", "台帳の末尾の控えが壊れています", "the note of the ledger's newest event is damaged")
                .hint("`toji verify --ledger` の結果を確認してください", "see the findings of `toji verify --ledger`")
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(fault::io(&e, &path)),
    }
}

/// Events from `after` on, at most `limit`.
pub(crate) async fn events(catalogue: &Catalogue, after: i64, limit: i64) -> Result<Vec<Event>> {
    let rows = sqlx::query("SELECT seq, at, actor, operation, body, prev, hash FROM ledger WHERE seq > $1 ORDER BY seq LIMIT $2")
        .bind(after)
        .bind(limit)
        .fetch_all(&catalogue.pool)
        .await
        .map_err(fault::sql)?;
    rows.iter()
        .map(|row| {
            let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
            Ok(Event {
                seq: row.try_get("seq").map_err(fault::sql)?,
                at: text("at")?,
                actor: text("actor")?,
                operation: text("operation")?,
                body: text("body")?,
                prev: exact(&text("prev")?)?,
                hash: exact(&text("hash")?)?,
            })
        })
        .collect()
}

/// Walks the whole chain, handing each sound event on. Findings, not errors: the walk goes on.
pub(crate) async fn walk(
    catalogue: &Catalogue,
    dir: &Path,
    mut each: impl FnMut(&Event, &Body),
) -> Result<(i64, Vec<Diagnostic>)> {
    let mut before = Head { seq: 0, hash: Digest::zero() };
    let mut found = Vec::new();
    let anchor = read_anchor(dir);
    loop {
        let batch = match events(catalogue, before.seq, 256).await {
            Ok(batch) => batch,
            Err(error) => {
                found.push(fault_at(before.seq + 1, error.fault().message.ja.clone(), error.fault().message.en.clone()));
                break;
            }
        };
        if batch.is_empty() {
            break;
        }
        for event in &batch {
            if event.seq != before.seq + 1 {
                found.push(fault_at(event.seq, "番号が連続していません".into(), "the numbering has a gap".into()));
            }
            let again = hash_of(event.seq, &event.at, &event.actor, &event.operation, &event.body, event.prev);
            if again != event.hash || event.prev != before.hash {
                found.push(fault_at(
                    event.seq,
                    "内容がハッシュ鎖と合いません。書き換えられています".into(),
                    "the content does not fit the hash chain: it was altered".into(),
                ));
            }
            match serde_json::from_str::<Body>(&event.body) {
                Ok(body) => each(event, &body),
                Err(e) => {
                    found.push(fault_at(event.seq, format!("本文を読めません: {e}"), format!("the body is not readable: {e}")))
                }
            }
            if let Ok(Some(head)) = &anchor
                && head.seq == event.seq
                && head.hash != event.hash
            {
                found.push(fault_at(
                    event.seq,
                    "控えのハッシュと合いません".into(),
                    "it differs from the hash noted outside".into(),
                ));
            }
            before = Head { seq: event.seq, hash: event.hash };
        }
    }
    match anchor {
        Ok(Some(head)) if head.seq > before.seq => found.push(fault_at(
            head.seq,
            format!("台帳の末尾が失われています (最後は {})", before.seq),
            format!("the end of the ledger is missing (it ends at {})", before.seq),
        )),
        Ok(None) if before.seq > 0 => found.push(fault_at(
            before.seq,
            "台帳の末尾の控え (ledger-head.json) がありません".into(),
            "the note of the ledger's newest event (ledger-head.json) is missing".into(),
        )),
        Ok(_) => {}
        Err(error) => found.push(fault_at(before.seq, error.fault().message.ja.clone(), error.fault().message.en.clone())),
    }
    Ok((before.seq, found))
}

fn fault_at(seq: i64, ja: String, en: String) -> Diagnostic {
    Diagnostic::error(
        "E-LEDGER-010",
        Place::field(format!("event {seq}")),
        format!("台帳の事象 {seq}: {ja}"),
        format!("ledger event {seq}: {en}"),
    )
    .remedy("バックアップと比べ、戻してください", "compare with a backup and restore it")
}
