//! Salts and values behind commitments to personal data, apart from the ledger and from every log, so that they can be
//! destroyed: what was committed to can then be opened by nobody, and the log that holds the commitment stays verifiable.
//! And what a log is made of: heads of the ledger and noted decisions, in order.

use crate::fault;
use crate::ledger;
use crate::reads::NotedDecision;
use crate::store::Store;
use sqlx::Row as _;
use toji_core::{Access, Action, Digest, Resource, Result};

impl Store {
    /// Position, time and hash of the ledger's events after a position, at most `limit`.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn heads_after(&self, access: &Access, after: i64, limit: i64) -> Result<Vec<(i64, String, Digest)>> {
        self.allow(access, Action::Read, Resource::Store).await?;
        let events = ledger::events(&self.catalogue, after, limit).await?;
        Ok(events.into_iter().map(|e| (e.seq, e.at, e.hash)).collect())
    }

    /// Noted decisions after a number, oldest first, at most `limit`, each with its number.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn noted_after(&self, access: &Access, after: i64, limit: i64) -> Result<Vec<(i64, NotedDecision)>> {
        self.allow(access, Action::Read, Resource::Store).await?;
        let rows = sqlx::query("SELECT n, at, who, action, what, allow, reason FROM decisions WHERE n > $1 ORDER BY n LIMIT $2")
            .bind(after)
            .bind(limit)
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        let read = |row: &sqlx::any::AnyRow| {
            let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
            let number = |name: &str| row.try_get::<i64, _>(name).map_err(fault::sql);
            let noted = NotedDecision {
                at: text("at")?,
                who: text("who")?,
                action: text("action")?,
                what: text("what")?,
                allowed: number("allow")? != 0,
                reason: text("reason")?,
            };
            Ok((number("n")?, noted))
        };
        rows.iter().map(read).collect()
    }

    /// Keeps what a commitment hides.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn keep_salt(&self, digest: Digest, salt: &[u8; 32], value: &str) -> Result<()> {
        let hex: String = salt.iter().map(|b| format!("{b:02x}")).collect();
        sqlx::query("INSERT INTO vault (digest, salt, value) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING")
            .bind(digest.to_string())
            .bind(hex)
            .bind(value)
            .execute(&self.catalogue.pool)
            .await
            .map(|_| ())
            .map_err(fault::sql)
    }

    /// Destroys every salt kept for a value and takes the value out of the noted decisions; says how many commitments
    /// can no longer be opened.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn forget_value(&self, value: &str) -> Result<u64> {
        let mut tx = self.catalogue.begin().await?;
        let gone = sqlx::query("DELETE FROM vault WHERE value = $1").bind(value).execute(&mut *tx).await.map_err(fault::sql)?;
        sqlx::query("UPDATE decisions SET who = 'erased' WHERE who = $1")
            .bind(value)
            .execute(&mut *tx)
            .await
            .map_err(fault::sql)?;
        tx.commit().await.map_err(fault::sql)?;
        Ok(gone.rows_affected())
    }

    /// Salt and value behind a commitment, while they are kept.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn opened(&self, access: &Access, digest: Digest) -> Result<Option<([u8; 32], String)>> {
        self.allow(access, Action::Read, Resource::Store).await?;
        let row = sqlx::query("SELECT salt, value FROM vault WHERE digest = $1")
            .bind(digest.to_string())
            .fetch_optional(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        let Some(row) = row else { return Ok(None) };
        let hex: String = row.try_get("salt").map_err(fault::sql)?;
        let mut salt = [0u8; 32];
        for (i, byte) in salt.iter_mut().enumerate() {
            let Some(read) = hex.get(2 * i..2 * i + 2).and_then(|h| u8::from_str_radix(h, 16).ok()) else { return Ok(None) };
            *byte = read;
        }
        Ok(Some((salt, row.try_get("value").map_err(fault::sql)?)))
    }
}
