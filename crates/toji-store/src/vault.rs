//! Salts and values behind commitments to personal data, apart from the ledger and from every log, so that they can be
//! destroyed: what was committed to can then be opened by nobody, and the log that holds the commitment stays verifiable.
//! And heads of the ledger, in order, for the log.

use crate::fault;
use crate::ledger;
use crate::store::Store;
use crate::trail::salt_of;
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

    /// Destroys every salt kept for a person and takes the person out of the records of access: of who asked, and of what
    /// was asked about. Says how many commitments can no longer be opened. Rows need their pseudonyms before
    /// (see [`Store::keep_pseudonyms`]), for they are known by them afterwards.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn forget_value(&self, value: &str) -> Result<u64> {
        let mut tx = self.catalogue.begin().await?;
        let gone = sqlx::query("DELETE FROM vault WHERE value = $1").bind(value).execute(&mut *tx).await.map_err(fault::sql)?;
        for statement in [
            "UPDATE decisions SET who = 'erased' WHERE who = $1",
            "UPDATE decisions SET what = 'user erased' WHERE what = 'user ' || $1",
            "UPDATE reads SET who = 'erased' WHERE who = $1",
        ] {
            sqlx::query(statement).bind(value).execute(&mut *tx).await.map_err(fault::sql)?;
        }
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
        let Some(salt) = salt_of(&hex) else { return Ok(None) };
        Ok(Some((salt, row.try_get("value").map_err(fault::sql)?)))
    }
}
