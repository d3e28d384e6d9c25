//! What must never be shown: hashes of passwords, keys of second factors, sessions.
//!
//! They stand beside the ledger, not in it: no event names them, nothing exports them, no SQL table shows them, and
//! whoever is forgotten is forgotten at once, to the bytes of the file. There is no gate before them because nobody
//! may read them: only the sessions of `toji-ops` ask, and hand nothing on. Times are nanoseconds since 1970.

use crate::catalogue::Backend;
use crate::fault;
use crate::store::Store;
use sqlx::Row as _;
use toji_core::{Instant, Result};

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of its token.
    pub token_hash: String,
    /// Whose it is.
    pub account: String,
    /// Since when.
    pub created_at: Instant,
    /// Used last.
    pub seen_at: Instant,
    /// Ends in any case.
    pub ends_at: Instant,
    /// Network address it began from.
    pub address: String,
    /// What the client calls itself.
    pub agent: String,
}

fn session_of(row: &sqlx::any::AnyRow) -> Result<SessionRow> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
    let time = |name: &str| row.try_get::<i64, _>(name).map(Instant).map_err(fault::sql);
    Ok(SessionRow {
        token_hash: text("token_hash")?,
        account: text("account")?,
        created_at: time("created_at")?,
        seen_at: time("seen_at")?,
        ends_at: time("ends_at")?,
        address: text("address")?,
        agent: text("agent")?,
    })
}

impl Store {
    /// Is there any record of this kind, also one out of use? Tells nothing else, so no gate is asked.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn has_records(&self, kind: &str) -> Result<bool> {
        let any: Option<String> = sqlx::query_scalar("SELECT id FROM versions WHERE kind = $1 LIMIT 1")
            .bind(kind)
            .fetch_optional(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        Ok(any.is_some())
    }

    /// A secret of an account.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn secret(&self, account: &str, sort: &str) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT value FROM secrets WHERE account = $1 AND sort = $2")
            .bind(account)
            .bind(sort)
            .fetch_optional(&self.catalogue.pool)
            .await
            .map_err(fault::sql)
    }

    /// Has an account a secret of one of these sorts?
    ///
    /// # Errors
    /// Storage faults.
    pub async fn has_secret(&self, account: &str, sorts: [&str; 2]) -> Result<bool> {
        let any: Option<String> =
            sqlx::query_scalar("SELECT sort FROM secrets WHERE account = $1 AND (sort = $2 OR sort = $3) LIMIT 1")
                .bind(account)
                .bind(sorts[0])
                .bind(sorts[1])
                .fetch_optional(&self.catalogue.pool)
                .await
                .map_err(fault::sql)?;
        Ok(any.is_some())
    }

    /// Whose secret of this sort has this value? For those that are drawn, so that no two accounts have the same.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn account_of_secret(&self, sort: &str, value: &str) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT account FROM secrets WHERE sort = $1 AND value = $2 LIMIT 1")
            .bind(sort)
            .bind(value)
            .fetch_optional(&self.catalogue.pool)
            .await
            .map_err(fault::sql)
    }

    /// Keeps a secret in the place of the one before.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn set_secret(&self, account: &str, sort: &str, value: &str, now: Instant) -> Result<()> {
        sqlx::query(
            "INSERT INTO secrets (account, sort, value, updated_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account, sort) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        )
        .bind(account)
        .bind(sort)
        .bind(value)
        .bind(now.0)
        .execute(&self.catalogue.pool)
        .await
        .map(|_| ())
        .map_err(fault::sql)
    }

    /// Puts a secret in the place of one that is still as it was read (`None`: there was none); says whether it was.
    /// What counts once is used up by this: of two at the same moment one is told no.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn swap_secret(&self, account: &str, sort: &str, read: Option<&str>, value: &str, now: Instant) -> Result<bool> {
        let done = match read {
            None => {
                sqlx::query(
                    "INSERT INTO secrets (account, sort, value, updated_at) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (account, sort) DO NOTHING",
                )
                .bind(account)
                .bind(sort)
                .bind(value)
                .bind(now.0)
                .execute(&self.catalogue.pool)
                .await
            }
            Some(read) => {
                sqlx::query("UPDATE secrets SET value = $1, updated_at = $2 WHERE account = $3 AND sort = $4 AND value = $5")
                    .bind(value)
                    .bind(now.0)
                    .bind(account)
                    .bind(sort)
                    .bind(read)
                    .execute(&self.catalogue.pool)
                    .await
            }
        };
        done.map(|done| done.rows_affected() == 1).map_err(fault::sql)
    }

    /// Forgets a secret that is still as it was read; says whether it was.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn take_secret(&self, account: &str, sort: &str, read: &str) -> Result<bool> {
        sqlx::query("DELETE FROM secrets WHERE account = $1 AND sort = $2 AND value = $3")
            .bind(account)
            .bind(sort)
            .bind(read)
            .execute(&self.catalogue.pool)
            .await
            .map(|done| done.rows_affected() == 1)
            .map_err(fault::sql)
    }

    /// Forgets some sorts of secrets of an account.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn forget_secrets(&self, account: &str, sorts: &[&str]) -> Result<()> {
        for sort in sorts {
            sqlx::query("DELETE FROM secrets WHERE account = $1 AND sort = $2")
                .bind(account)
                .bind(*sort)
                .execute(&self.catalogue.pool)
                .await
                .map_err(fault::sql)?;
        }
        Ok(())
    }

    /// Forgets everything about an account at once: secrets and sessions, also the bytes they left in the file.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn erase_account(&self, account: &str) -> Result<()> {
        const DELETE: [&str; 2] = ["DELETE FROM secrets WHERE account = $1", "DELETE FROM sessions WHERE account = $1"];
        let mut connection = self.catalogue.pool.acquire().await.map_err(fault::sql)?;
        let embedded = self.catalogue.backend == Backend::Sqlite;
        if embedded {
            sqlx::query("PRAGMA secure_delete = ON").execute(&mut *connection).await.map_err(fault::sql)?;
        }
        for statement in DELETE {
            sqlx::query(statement).bind(account).execute(&mut *connection).await.map_err(fault::sql)?;
        }
        // The log of the database, or the dead rows of PostgreSQL, may still hold them. Where a reader holds that up
        // it is done later by the database itself.
        let clean: &[&'static str] = if embedded {
            &["PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA secure_delete = FAST"]
        } else {
            &["VACUUM secrets", "VACUUM sessions"]
        };
        for statement in clean {
            if let Err(error) = sqlx::query(*statement).execute(&mut *connection).await {
                tracing::warn!("what an account left in the database's file goes later: {error}");
            }
        }
        Ok(())
    }

    /// Keeps a new session, and drops those that have ended by themselves.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn add_session(&self, session: &SessionRow, unused_since: Instant) -> Result<()> {
        sqlx::query("DELETE FROM sessions WHERE ends_at <= $1 OR seen_at <= $2")
            .bind(session.created_at.0)
            .bind(unused_since.0)
            .execute(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        sqlx::query(
            "INSERT INTO sessions (token_hash, account, created_at, seen_at, ends_at, address, agent)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&session.token_hash)
        .bind(&session.account)
        .bind(session.created_at.0)
        .bind(session.seen_at.0)
        .bind(session.ends_at.0)
        .bind(&session.address)
        .bind(&session.agent)
        .execute(&self.catalogue.pool)
        .await
        .map(|_| ())
        .map_err(fault::sql)
    }

    /// The session of a token, whether it still counts or not.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn session(&self, token_hash: &str) -> Result<Option<SessionRow>> {
        let row = sqlx::query("SELECT * FROM sessions WHERE token_hash = $1")
            .bind(token_hash)
            .fetch_optional(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        row.as_ref().map(session_of).transpose()
    }

    /// The sessions of an account, newest first.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn sessions_of(&self, account: &str) -> Result<Vec<SessionRow>> {
        let rows = sqlx::query("SELECT * FROM sessions WHERE account = $1 ORDER BY created_at DESC, token_hash")
            .bind(account)
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        rows.iter().map(session_of).collect()
    }

    /// Notes that a session was used. A clock that was set back does not take time from it.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn touch_session(&self, token_hash: &str, now: Instant) -> Result<()> {
        sqlx::query("UPDATE sessions SET seen_at = $1 WHERE token_hash = $2 AND seen_at < $1")
            .bind(now.0)
            .bind(token_hash)
            .execute(&self.catalogue.pool)
            .await
            .map(|_| ())
            .map_err(fault::sql)
    }

    /// Ends a session; says whether there was one.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn end_session(&self, token_hash: &str) -> Result<bool> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
            .bind(token_hash)
            .execute(&self.catalogue.pool)
            .await
            .map(|done| done.rows_affected() > 0)
            .map_err(fault::sql)
    }

    /// Ends all sessions of an account; says how many there were.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn end_sessions(&self, account: &str) -> Result<u64> {
        sqlx::query("DELETE FROM sessions WHERE account = $1")
            .bind(account)
            .execute(&self.catalogue.pool)
            .await
            .map(|done| done.rows_affected())
            .map_err(fault::sql)
    }
}
