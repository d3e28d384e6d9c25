//! The record of allowed reads: who read what, under which reason, how often in which hour.
//!
//! Reading is counted in memory and written in batches, a minute after the first count and when the store is
//! closed, so that a reader never waits for a disk. `kill -9` loses at most the last minute's counts;
//! refusals and everything that leaves the store are written at once, each by itself.
//!
//! Rows are only added. Each carries the hash of its content and of the row before, and the newest is
//! noted beside them: verification notices a row that was altered, put in or taken out.

use crate::catalogue::Catalogue;
use crate::fault;
use crate::store::Store;
use crate::trail::ERASED;
use serde::Serialize;
use sqlx::Row as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use toji_core::{Access, Action, Diagnostic, Digest, Place, Resource, Result};

/// Counts wait this long in memory.
const WAIT: Duration = Duration::from_secs(60);
/// More kinds of counts than this are written before their time.
const WAITING_MAX: usize = 4096;

/// What was read, by whom and why it was allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    hour: i64,
    who: String,
    action: &'static str,
    what: String,
    reason: String,
}

#[derive(Debug, Default)]
struct Waiting {
    counts: HashMap<Key, u64>,
    /// Somebody will write them.
    expected: bool,
}

/// Counts of allowed reads that are not written yet.
#[derive(Debug, Clone)]
pub(crate) struct Reads(Arc<Counter>);

#[derive(Debug)]
struct Counter {
    waiting: Mutex<Waiting>,
    catalogue: Catalogue,
}

/// Allowed reads of one hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AllowedReads {
    /// Hour, UTC.
    pub hour: String,
    /// Who.
    pub who: String,
    /// What was done: `read`.
    pub action: String,
    /// Kind, kind and identifier, or `series` and run.
    pub what: String,
    /// Why it was allowed.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// A refusal, or something that left the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct NotedDecision {
    /// When, UTC.
    pub at: String,
    /// Who.
    pub who: String,
    /// What they wanted to do.
    pub action: String,
    /// With what.
    pub what: String,
    /// Was it allowed?
    pub allowed: bool,
    /// Why.
    pub reason: String,
}

/// What is counted together: a kind, a run, the series of a run, files, the store.
pub(crate) fn scope(what: Resource<'_>) -> String {
    match what {
        Resource::Record { kind: "run", id, .. } => format!("run {id}"),
        Resource::Record { kind, .. } => kind.to_owned(),
        Resource::Series { run, .. } => format!("series {run}"),
        Resource::Blob { .. } => "blob".to_owned(),
        Resource::Store => "store".to_owned(),
        Resource::Question => "question".to_owned(),
    }
}

/// How a noted decision names what was asked for.
pub(crate) fn named(what: Resource<'_>) -> String {
    match what {
        Resource::Record { kind, id, .. } => format!("{kind} {id}"),
        Resource::Series { run, channel: "", .. } => format!("series {run}"),
        Resource::Series { run, channel, .. } => format!("series {run} {channel}"),
        Resource::Blob { address } => format!("blob {address}"),
        Resource::Store | Resource::Question => scope(what),
    }
}

pub(crate) fn word(action: Action) -> &'static str {
    match action {
        Action::Read => "read",
        Action::Export => "export",
        Action::Write => "write",
        Action::Train => "train",
        Action::Compute => "compute",
    }
}

impl Reads {
    pub(crate) fn new(catalogue: Catalogue) -> Self {
        Self(Arc::new(Counter { waiting: Mutex::default(), catalogue }))
    }

    /// Counts reads, and sees to it that they are written in a while.
    pub(crate) fn note(&self, access: &Access, action: Action, what: String, reason: &str, n: u64) {
        let hour = jiff::Timestamp::now().as_second().div_euclid(3600);
        let key = Key { hour, who: access.who.id.clone(), action: word(action), what, reason: reason.to_owned() };
        let Ok(mut waiting) = self.0.waiting.lock() else { return };
        *waiting.counts.entry(key).or_default() += n;
        let many = waiting.counts.len() >= WAITING_MAX;
        if waiting.expected && !many {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        waiting.expected = true;
        // A store that was closed meanwhile has written them, and must not be kept open for this.
        let counter = Arc::downgrade(&self.0);
        runtime.spawn(async move {
            if !many {
                tokio::time::sleep(WAIT).await;
            }
            if let Some(counter) = counter.upgrade()
                && let Err(error) = counter.flush().await
            {
                tracing::warn!(code = error.code(), "the counts of reads could not be written; they wait on");
            }
        });
    }

    /// Writes what waits; on a fault it waits on.
    pub(crate) async fn flush(&self) -> Result<()> {
        self.0.flush().await
    }
}

impl Counter {
    async fn flush(&self) -> Result<()> {
        let counts = match self.waiting.lock() {
            Ok(mut waiting) => {
                waiting.expected = false;
                std::mem::take(&mut waiting.counts)
            }
            Err(_) => return Ok(()),
        };
        if counts.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<(&Key, u64)> = counts.iter().map(|(key, n)| (key, *n)).collect();
        rows.sort();
        let written = self.write(&rows).await;
        if written.is_err()
            && let Ok(mut waiting) = self.waiting.lock()
        {
            for (key, n) in counts {
                *waiting.counts.entry(key).or_default() += n;
            }
        }
        written
    }

    async fn write(&self, rows: &[(&Key, u64)]) -> Result<()> {
        let mut tx = self.catalogue.begin().await?;
        let last = sqlx::query("SELECT n, hash FROM reads ORDER BY n DESC LIMIT 1")
            .fetch_optional(&mut *tx)
            .await
            .map_err(fault::sql)?;
        let (mut n, mut prev) = match last {
            Some(row) => (row.try_get("n").map_err(fault::sql)?, row.try_get("hash").map_err(fault::sql)?),
            None => (0i64, String::new()),
        };
        for (key, count) in rows {
            n += 1;
            let (hour, count) = (hour_text(key.hour), i64::try_from(*count).unwrap_or(i64::MAX));
            prev = hash_of(&prev, n, &hour, [&key.who, key.action, &key.what, &key.reason], count);
            sqlx::query(
                "INSERT INTO reads (n, hour, who, action, what, reason, count, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(n)
            .bind(hour)
            .bind(&key.who)
            .bind(key.action)
            .bind(&key.what)
            .bind(&key.reason)
            .bind(count)
            .bind(&prev)
            .execute(&mut *tx)
            .await
            .map_err(fault::sql)?;
        }
        sqlx::query(
            "INSERT INTO meta (key, value) VALUES ('reads-head', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(format!("{n} {prev}"))
        .execute(&mut *tx)
        .await
        .map_err(fault::sql)?;
        tx.commit().await.map_err(fault::sql)
    }
}

fn hour_text(hour: i64) -> String {
    jiff::Timestamp::from_second(hour.saturating_mul(3600)).map(|t| t.to_string()).unwrap_or_default()
}

fn hash_of(prev: &str, n: i64, hour: &str, texts: [&str; 4], count: i64) -> String {
    let [who, action, what, reason] = texts.map(str::as_bytes);
    Digest::of_parts(&[prev.as_bytes(), &n.to_be_bytes(), hour.as_bytes(), who, action, what, reason, &count.to_be_bytes()])
        .to_string()
}

impl Store {
    /// Writes what waits to be written. Call it before the program ends; a store that is only dropped loses
    /// the last minute's counts of reads, and nothing else.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn close(&self) -> Result<()> {
        self.reads.flush().await
    }

    /// Allowed reads by hour, newest hour first, and the noted decisions (refusals and everything that left
    /// the store), newest first; at most `limit` of each.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn decisions(&self, access: &Access, limit: u32) -> Result<(Vec<AllowedReads>, Vec<NotedDecision>)> {
        self.allow(access, Action::Read, Resource::Store).await?;
        self.reads.flush().await?;
        let reads = sqlx::query(
            "SELECT hour, who, action, what, reason, CAST(SUM(count) AS BIGINT) AS count FROM reads
             GROUP BY hour, who, action, what, reason ORDER BY hour DESC, who, action, what, reason LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        let noted = sqlx::query("SELECT at, who, action, what, allow, reason FROM decisions ORDER BY n DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        let text = |row: &sqlx::any::AnyRow, name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
        let number = |row: &sqlx::any::AnyRow, name: &str| row.try_get::<i64, _>(name).map_err(fault::sql);
        let reads = reads.iter().map(|row| {
            Ok(AllowedReads {
                hour: text(row, "hour")?,
                who: text(row, "who")?,
                action: text(row, "action")?,
                what: text(row, "what")?,
                reason: text(row, "reason")?,
                count: u64::try_from(number(row, "count")?).unwrap_or_default(),
            })
        });
        let noted = noted.iter().map(|row| {
            Ok(NotedDecision {
                at: text(row, "at")?,
                who: text(row, "who")?,
                action: text(row, "action")?,
                what: text(row, "what")?,
                allowed: number(row, "allow")? != 0,
                reason: text(row, "reason")?,
            })
        });
        Ok((reads.collect::<Result<_>>()?, noted.collect::<Result<_>>()?))
    }

    /// Is the record of reads what was written? Findings, not errors.
    pub(crate) async fn compare_reads(&self, found: &mut Vec<Diagnostic>) {
        let rows = sqlx::query(
            "SELECT t.n, t.hour, t.who, t.action, t.what, t.reason, t.count, t.hash, p.digest FROM reads t
             LEFT JOIN pseudonyms p ON p.trail = 'reads' AND p.n = t.n ORDER BY t.n",
        )
        .fetch_all(&self.catalogue.pool)
        .await;
        let Ok(rows) = rows else { return found.push(altered(0)) };
        let (mut n, mut prev) = (0, String::new());
        for row in &rows {
            let text = |name: &str| row.try_get::<String, _>(name).unwrap_or_default();
            let number = |name: &str| row.try_get::<i64, _>(name).unwrap_or(-1);
            n += 1;
            let [who, action, what, reason] = ["who", "action", "what", "reason"].map(text);
            // A person that was forgotten is no longer in the row, but in its hash: there the log that members sign says
            // whether the rest of the row is what it was.
            let forgotten = who == ERASED && row.try_get::<Option<String>, _>("digest").is_ok_and(|d| d.is_some());
            prev = if forgotten {
                text("hash")
            } else {
                hash_of(&prev, n, &text("hour"), [&who, &action, &what, &reason], number("count"))
            };
            if number("n") != n || text("hash") != prev {
                return found.push(altered(n));
            }
        }
        let noted = self.catalogue.meta("reads-head").await.ok().flatten();
        if noted.unwrap_or_else(|| "0 ".to_owned()) != format!("{n} {prev}") {
            found.push(altered(n));
        }
    }
}

fn altered(n: i64) -> Diagnostic {
    Diagnostic::error(
        "E-VERIFY-006",
        Place::field(format!("reads {n}")),
        format!("閲覧の記録が {n} 行目あたりで書き換えられています"),
        format!("the record of reads was altered near row {n}"),
    )
    .remedy(
        "バックアップと比べてください。系列と記録には影響しません",
        "compare with a backup; series and records are not affected",
    )
}
