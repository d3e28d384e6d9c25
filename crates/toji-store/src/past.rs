//! The store as it was after an event of the ledger: records and series at a position.
//!
//! A data set that is made again from its manifest must come out the same whatever was imported since,
//! so it is read at a position and not now. Which parts of a run counted then is read from the ledger
//! itself: the catalogue only knows which count today.

use crate::data::{BLOCK_COLUMNS, read_block};
use crate::fault;
use crate::ledger::{Body, Change};
use crate::records::read_record;
use crate::series::{Base, Block, Series, Want};
use crate::sight::Sight;
use crate::store::Store;
use futures::TryStreamExt as _;
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Access, Digest, Error, Id, Record, Result};

/// The parts of every run as they counted at a position, oldest event first, each with its event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartsAt(BTreeMap<String, Vec<(Digest, i64)>>);

impl PartsAt {
    /// Position of the newest event that brought points of this run.
    #[must_use]
    pub fn newest(&self, run: &str) -> Option<i64> {
        self.0.get(run)?.iter().map(|(_, seq)| *seq).max()
    }

    fn add(&mut self, seq: i64, body: Body) {
        for change in body.changes {
            let Change::Part { part, run, replaces, .. } = change else { continue };
            let parts = self.0.entry(run.to_string()).or_default();
            // A merged part brings no new points: it stands where the newest of those it replaces stood.
            let among = |known: &Digest| *known == part || replaces.contains(known);
            let stood = parts.iter().filter(|(known, _)| among(known)).map(|(_, seq)| *seq).max();
            let seq = stood.filter(|_| !replaces.is_empty()).unwrap_or(seq);
            parts.retain(|(known, _)| *known != part && !replaces.contains(known));
            parts.push((part, seq));
        }
    }
}

impl Store {
    /// Records of a kind at a position of the ledger (retired ones too), each with the event that wrote it, by
    /// identifier. What is closed to the asker now stays closed as it was then.
    ///
    /// # Errors
    /// Unknown kind, storage faults.
    pub async fn records_at(&self, access: &Access, kind: &str, seq: i64) -> Result<Vec<(Record, i64)>> {
        let declared = self.kinds.get(kind)?;
        let rows = sqlx::query(
            "SELECT kind, id, version, kind_version, retired, owner, fields, seq FROM versions v WHERE kind = $1 AND version =
             (SELECT MAX(version) FROM versions w WHERE w.kind = v.kind AND w.id = v.id AND w.seq <= $2)",
        )
        .bind(kind)
        .bind(seq)
        .fetch_all(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        let open: Option<BTreeSet<Id>> = if access.sees_all() {
            None
        } else {
            Some(self.records(access, kind, None, true).await?.into_iter().map(|r| r.id).collect())
        };
        let mut sight = Sight::new(self, access);
        let mut out = Vec::with_capacity(rows.len());
        for row in &rows {
            let record = read_record(row)?;
            let closed = open.as_ref().is_some_and(|open| !open.contains(&record.id));
            if !closed && sight.sees(declared, &record).await? {
                out.push((self.present(record)?, row.try_get("seq").map_err(fault::sql)?));
            }
        }
        out.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        Ok(out)
    }

    /// Which parts of which runs counted at a position.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn parts_at(&self, seq: i64) -> Result<PartsAt> {
        let mut rows = sqlx::query("SELECT seq, body FROM ledger WHERE seq <= $1 AND body LIKE '%\"part\":{%' ORDER BY seq")
            .bind(seq)
            .fetch(&self.catalogue.pool);
        let mut out = PartsAt::default();
        while let Some(row) = rows.try_next().await.map_err(fault::sql)? {
            let body: String = row.try_get("body").map_err(fault::sql)?;
            let body: Body = serde_json::from_str(&body).map_err(|e| {
                Error::storage("E-PAST-001", format!("台帳を読めません: {e}"), format!("the ledger is not readable: {e}"))
                    .hint("`toji verify --ledger` で確かめてください", "check it with `toji verify --ledger`")
            })?;
            out.add(row.try_get("seq").map_err(fault::sql)?, body);
        }
        Ok(out)
    }

    /// All series of a run as they were when these parts counted, in order of the channel's identifier.
    ///
    /// # Errors
    /// Denied access, damaged files.
    pub async fn series_at(&self, access: &Access, run: &Id, parts: &PartsAt) -> Result<Vec<(Id, Base, Series)>> {
        let mut sight = Sight::new(self, access);
        sight.settle_run(run.as_str()).await?;
        let none = Vec::new();
        let counted = parts.0.get(run.as_str()).unwrap_or(&none);
        let query = format!("SELECT {BLOCK_COLUMNS} FROM blocks b WHERE b.run = $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(run.as_str())
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        let mut wanted: BTreeMap<String, Vec<Block>> = BTreeMap::new();
        for row in &rows {
            let mut block = read_block(row)?;
            let Some((_, seq)) = counted.iter().find(|(part, _)| *part == block.part) else { continue };
            block.seq = *seq;
            wanted.entry(row.try_get("channel").map_err(fault::sql)?).or_default().push(block);
        }
        for (channel, blocks) in &mut wanted {
            sight.settle_series(run.as_str(), channel).await?;
            blocks.sort_by_key(|block| (block.seq, block.part.hex(), block.row_group));
        }
        crate::blocking::in_place(|| {
            wanted
                .into_iter()
                .map(|(channel, blocks)| {
                    let base = blocks.first().map_or(Base::Utc, |b| b.base);
                    Ok((Id::parse(&channel)?, base, self.read_blocks(run, &blocks, base, Want::All, i64::MIN, i64::MAX)?))
                })
                .collect()
        })
    }

    /// When the event at a position was acknowledged (RFC 3339, UTC).
    ///
    /// # Errors
    /// Storage faults.
    pub async fn acknowledged(&self, seq: i64) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT at FROM ledger WHERE seq = $1")
            .bind(seq)
            .fetch_optional(&self.catalogue.pool)
            .await
            .map_err(fault::sql)
    }
}
