//! The two records of access (noted decisions, hourly counts of allowed reads) as a log takes them in: row by row, with a
//! pseudonym for every person. A pseudonym stays with its row; what opens it lies in the vault and can be destroyed.

use crate::fault;
use crate::store::Store;
use sqlx::Row as _;
use toji_core::{Access, Action, Digest, Error, Resource, Result};

/// Who stands in a row whose person was forgotten.
pub const ERASED: &str = "erased";

/// Which record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trail {
    /// Refusals, and what left the store.
    Decisions,
    /// Hourly counts of allowed reads.
    Reads,
}

/// A pseudonym with what opens it, while that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym {
    /// The commitment.
    pub digest: Digest,
    /// Salt and value.
    pub opens: Option<([u8; 32], String)>,
}

/// A row of either record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailRow {
    /// Number, from 1.
    pub n: i64,
    /// When: the instant of a decision, the hour of reads; UTC.
    pub at: String,
    /// Who.
    pub who: String,
    /// What they did or wanted to do.
    pub action: String,
    /// With what.
    pub what: String,
    /// Why it was allowed or not.
    pub reason: String,
    /// 1 or 0 for a decision that allowed or refused; how often something was read.
    pub count: i64,
    /// The pseudonym of the person, once the row has one.
    pub pseudonym: Option<Pseudonym>,
}

impl Trail {
    /// Name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Reads => "reads",
        }
    }

    fn select(self) -> &'static str {
        match self {
            Self::Decisions => {
                "SELECT t.n, t.at AS at, t.who, t.action, t.what, t.reason, t.allow AS count, p.digest, v.salt, v.value FROM decisions t
                 LEFT JOIN pseudonyms p ON p.trail = 'decisions' AND p.n = t.n LEFT JOIN vault v ON v.digest = p.digest
                 WHERE t.n > $1 ORDER BY t.n LIMIT $2"
            }
            Self::Reads => {
                "SELECT t.n, t.hour AS at, t.who, t.action, t.what, t.reason, t.count AS count, p.digest, v.salt, v.value FROM reads t
                 LEFT JOIN pseudonyms p ON p.trail = 'reads' AND p.n = t.n LEFT JOIN vault v ON v.digest = p.digest
                 WHERE t.n > $1 ORDER BY t.n LIMIT $2"
            }
        }
    }
}

impl Store {
    /// Rows of a record of access after a number, oldest first, at most `limit`.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn trail_after(&self, access: &Access, trail: Trail, after: i64, limit: i64) -> Result<Vec<TrailRow>> {
        self.allow(access, Action::Read, Resource::Store).await?;
        self.reads.flush().await?;
        let rows =
            sqlx::query(trail.select()).bind(after).bind(limit).fetch_all(&self.catalogue.pool).await.map_err(fault::sql)?;
        rows.iter().map(read).collect()
    }

    /// Gives rows their pseudonyms, and keeps what opens them; a row that has one keeps it.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn keep_pseudonyms(
        &self,
        trail: Trail,
        rows: &[(i64, Digest)],
        opens: &[(Digest, [u8; 32], String)],
    ) -> Result<()> {
        let mut tx = self.catalogue.begin().await?;
        for (digest, salt, value) in opens {
            let hex: String = salt.iter().map(|b| format!("{b:02x}")).collect();
            sqlx::query("INSERT INTO vault (digest, salt, value) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING")
                .bind(digest.to_string())
                .bind(hex)
                .bind(value)
                .execute(&mut *tx)
                .await
                .map_err(fault::sql)?;
        }
        for (n, digest) in rows {
            sqlx::query("INSERT INTO pseudonyms (trail, n, digest) VALUES ($1, $2, $3) ON CONFLICT (trail, n) DO NOTHING")
                .bind(trail.name())
                .bind(*n)
                .bind(digest.to_string())
                .execute(&mut *tx)
                .await
                .map_err(fault::sql)?;
        }
        tx.commit().await.map_err(fault::sql)
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<TrailRow> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
    let maybe = |name: &str| row.try_get::<Option<String>, _>(name).map_err(fault::sql);
    let number = |name: &str| row.try_get::<i64, _>(name).map_err(fault::sql);
    let pseudonym = match maybe("digest")? {
        Some(digest) => {
            let digest: Digest = serde_json::from_value(digest.into()).map_err(|e| Error::bug("E-STORE-035", e))?;
            let opens = maybe("salt")?.and_then(|hex| salt_of(&hex)).zip(maybe("value")?);
            Some(Pseudonym { digest, opens })
        }
        None => None,
    };
    Ok(TrailRow {
        n: number("n")?,
        at: text("at")?,
        who: text("who")?,
        action: text("action")?,
        what: text("what")?,
        reason: text("reason")?,
        count: number("count")?,
        pseudonym,
    })
}

/// 32 bytes in hexadecimal.
pub(crate) fn salt_of(hex: &str) -> Option<[u8; 32]> {
    let mut salt = [0u8; 32];
    for (i, byte) in salt.iter_mut().enumerate() {
        *byte = hex.get(2 * i..2 * i + 2).and_then(|h| u8::from_str_radix(h, 16).ok())?;
    }
    Some(salt)
}
