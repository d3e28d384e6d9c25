//! The catalogue: ledger, records, parts and jobs as tables. SQLite when embedded, PostgreSQL for a
//! team; the same statements run on both.

use crate::fault;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, Connection as _, Executor as _, Row as _};
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Once;
use std::time::Duration;
use toji_core::{Error, Result};

/// Version of the tables. A newer store is refused, an older one is brought forward.
const SCHEMA_VERSION: i64 = 5;

/// Tables, in order. `BIGINT`, `TEXT` and `DOUBLE PRECISION` mean the same on both databases.
const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS ledger (seq BIGINT PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, operation TEXT NOT NULL,
        body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS versions (kind TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL, kind_version BIGINT NOT NULL,
        seq BIGINT NOT NULL, retired BIGINT NOT NULL, latest BIGINT NOT NULL, fields TEXT NOT NULL, owner TEXT, PRIMARY KEY (kind, id, version))",
    "CREATE INDEX IF NOT EXISTS versions_latest ON versions (kind, latest, id)",
    "CREATE INDEX IF NOT EXISTS versions_newest ON versions (kind, latest, seq)",
    "CREATE TABLE IF NOT EXISTS links (kind TEXT NOT NULL, id TEXT NOT NULL, field TEXT NOT NULL, target_kind TEXT NOT NULL,
        target TEXT NOT NULL, PRIMARY KEY (kind, id, field, target))",
    "CREATE INDEX IF NOT EXISTS links_target ON links (target_kind, target, kind)",
    "CREATE TABLE IF NOT EXISTS parts (part TEXT PRIMARY KEY, run TEXT NOT NULL, seq BIGINT NOT NULL, bytes BIGINT NOT NULL, live BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS parts_run ON parts (run, live)",
    "CREATE TABLE IF NOT EXISTS blocks (part TEXT NOT NULL, row_group BIGINT NOT NULL, run TEXT NOT NULL, channel TEXT NOT NULL,
        seq BIGINT NOT NULL, base TEXT NOT NULL, points BIGINT NOT NULL, flagged BIGINT NOT NULL, t_min BIGINT NOT NULL, t_max BIGINT NOT NULL,
        v_min DOUBLE PRECISION, v_max DOUBLE PRECISION, last_t BIGINT, last_v DOUBLE PRECISION, PRIMARY KEY (part, row_group))",
    "CREATE INDEX IF NOT EXISTS blocks_channel ON blocks (run, channel, t_min)",
    "CREATE TABLE IF NOT EXISTS blobs (address TEXT PRIMARY KEY, bytes BIGINT NOT NULL, name TEXT NOT NULL, seq BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS decisions (n BIGINT PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, what TEXT NOT NULL,
        allow BIGINT NOT NULL, reason TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS reads (n BIGINT PRIMARY KEY, hour TEXT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, what TEXT NOT NULL,
        reason TEXT NOT NULL, count BIGINT NOT NULL, hash TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, operation TEXT NOT NULL, input TEXT NOT NULL, state TEXT NOT NULL, progress TEXT NOT NULL,
        output TEXT, error TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, lease_until BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS job_owners (job TEXT PRIMARY KEY, account TEXT NOT NULL, purpose TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS secrets (account TEXT NOT NULL, sort TEXT NOT NULL, value TEXT NOT NULL, updated_at BIGINT NOT NULL,
        PRIMARY KEY (account, sort))",
    "CREATE TABLE IF NOT EXISTS sessions (token_hash TEXT PRIMARY KEY, account TEXT NOT NULL, created_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS sessions_account ON sessions (account)",
    "CREATE TABLE IF NOT EXISTS vault (digest TEXT PRIMARY KEY, salt TEXT NOT NULL, value TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS vault_value ON vault (value)",
    "CREATE TABLE IF NOT EXISTS pseudonyms (trail TEXT NOT NULL, n BIGINT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (trail, n))",
];

/// Which database is behind the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Embedded.
    Sqlite,
    /// A team's server.
    Postgres,
}

/// The open catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    pub(crate) pool: AnyPool,
    pub(crate) backend: Backend,
}

impl Catalogue {
    /// Opens `url` (`postgres://…`), or the SQLite file in `dir`. Makes the tables where missing.
    pub(crate) async fn open(dir: &Path, url: Option<&str>) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let (url, backend) = match url {
            Some(url) if url.starts_with("postgres") => (url.to_owned(), Backend::Postgres),
            Some(_) => {
                return Err(Error::input("E-STORE-010", "カタログの URL が不正です", "the catalogue URL is not usable").hint(
                    "postgres://利用者@ホスト/データベース の形で指定してください",
                    "give it as postgres://user@host/database",
                ));
            }
            None => (format!("sqlite://{}?mode=rwc", percent(&dir.join("catalogue.sqlite"))), Backend::Sqlite),
        };
        let options = AnyConnectOptions::from_str(&url).map_err(fault::sql)?;
        // One connection by hand first: the pool would try a damaged file again and again for a minute.
        let mut first = AnyConnection::connect_with(&options).await.map_err(fault::sql)?;
        settle(&mut first, backend).await.map_err(fault::sql)?;
        readable_schema(&mut first, backend).await?;
        first.close().await.map_err(fault::sql)?;
        // Once by hand: a pool tries again for as long as it may wait, also where waiting does not help.
        let mut first = AnyConnection::connect_with(&options).await.map_err(fault::sql)?;
        set_up(&mut first, backend).await.map_err(fault::sql)?;
        first.close().await.map_err(fault::sql)?;
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(60))
            .after_connect(move |connection, _| Box::pin(async move { set_up(connection, backend).await }))
            // On a full disk SQLite itself takes the transaction back, and the driver's count of open
            // transactions stays wrong for good: such a connection must not be used again.
            .after_release(|connection, _| {
                Box::pin(async move {
                    // What was dropped halfway is taken back first.
                    if connection.is_in_transaction() {
                        connection.ping().await?;
                    }
                    Ok(!connection.is_in_transaction())
                })
            })
            // A connection to a file does not break off by itself, and asking costs as much as a small question.
            .test_before_acquire(backend == Backend::Postgres)
            .connect_with(options)
            .await
            .map_err(fault::sql)?;
        let catalogue = Self { pool, backend };
        catalogue.prepare().await?;
        Ok(catalogue)
    }

    async fn prepare(&self) -> Result<()> {
        if self.meta("schema").await.ok().flatten().as_deref() == Some(SCHEMA_VERSION.to_string().as_str()) {
            return Ok(());
        }
        // Asked outside the transaction, which an error would end.
        let without_owner = sqlx::query("SELECT owner FROM versions LIMIT 1").fetch_optional(&self.pool).await.is_err();
        let mut tx = self.begin().await?;
        for table in TABLES {
            sqlx::query(*table).execute(&mut *tx).await.map_err(fault::sql)?;
        }
        let found: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'schema'")
            .fetch_optional(&mut *tx)
            .await
            .map_err(fault::sql)?;
        match found.as_deref().map(str::parse::<i64>) {
            None => {
                sqlx::query("INSERT INTO meta (key, value) VALUES ('schema', $1)")
                    .bind(SCHEMA_VERSION.to_string())
                    .execute(&mut *tx)
                    .await
                    .map_err(fault::sql)?;
            }
            Some(Ok(version)) if version <= SCHEMA_VERSION => {
                if version < 3 && without_owner {
                    sqlx::query("ALTER TABLE versions ADD COLUMN owner TEXT").execute(&mut *tx).await.map_err(fault::sql)?;
                }
                sqlx::query("UPDATE meta SET value = $1 WHERE key = 'schema'")
                    .bind(SCHEMA_VERSION.to_string())
                    .execute(&mut *tx)
                    .await
                    .map_err(fault::sql)?;
            }
            Some(_) => {
                return Err(Error::storage(
                    "E-STORE-011",
                    "この保存先は、より新しい Toji が作りました",
                    "this store was made by a newer Toji",
                )
                .hint("Toji を新しくしてください", "use a newer Toji"));
            }
        }
        tx.commit().await.map_err(fault::sql)
    }

    /// A value of the `meta` table.
    pub(crate) async fn meta(&self, key: &str) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT value FROM meta WHERE key = $1").bind(key).fetch_optional(&self.pool).await.map_err(fault::sql)
    }
    pub(crate) async fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        sqlx::query("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
            .bind(key)
            .bind(value)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(fault::sql)
    }

    /// Begins the one writing transaction: others wait until it ends.
    pub(crate) async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Any>> {
        match self.backend {
            Backend::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(fault::sql),
            Backend::Postgres => {
                let mut tx = self.pool.begin().await.map_err(fault::sql)?;
                // One writer at a time keeps the chain a chain; the number is arbitrary but fixed.
                sqlx::query("SELECT pg_advisory_xact_lock(7061616)").execute(&mut *tx).await.map_err(fault::sql)?;
                Ok(tx)
            }
        }
    }

    /// The database's own check of its pages and indexes; empty when sound.
    pub(crate) async fn integrity(&self) -> Result<Vec<String>> {
        if self.backend == Backend::Postgres {
            return Ok(Vec::new());
        }
        let rows = sqlx::query("PRAGMA integrity_check(20)").fetch_all(&self.pool).await.map_err(fault::sql)?;
        Ok(rows.iter().filter_map(|r| r.try_get::<String, _>(0).ok()).filter(|t| t != "ok").collect())
    }
}

/// Settings of every connection.
async fn settle(connection: &mut AnyConnection, backend: Backend) -> sqlx::Result<()> {
    if backend == Backend::Postgres {
        return Ok(());
    }
    // FULL: an acknowledged commit survives power loss. The busy time-out lets a server and a command line
    // share one store. Reading the schema finds out at once whether the file is a database.
    for pragma in [
        "PRAGMA busy_timeout = 60000",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cell_size_check = ON",
        "SELECT COUNT(*) FROM sqlite_master",
    ] {
        connection.execute(pragma).await?;
    }
    Ok(())
}

/// Refuses tables whose definition holds bytes that are no text. The driver takes every declared type for
/// UTF-8 and would panic in its worker at the first question.
async fn readable_schema(connection: &mut AnyConnection, backend: Backend) -> Result<()> {
    if backend == Backend::Postgres {
        return Ok(());
    }
    let rows = sqlx::query("SELECT CAST(name AS BLOB) AS name, CAST(sql AS BLOB) AS sql FROM sqlite_master")
        .fetch_all(connection)
        .await
        .map_err(fault::sql)?;
    for row in &rows {
        for column in ["name", "sql"] {
            let bytes: Option<Vec<u8>> = row.try_get(column).map_err(fault::sql)?;
            if std::str::from_utf8(&bytes.unwrap_or_default()).is_err() {
                return Err(fault::damaged_catalogue("the definition of a table is not text"));
            }
        }
    }
    Ok(())
}

/// Settings of a new connection.
async fn set_up(connection: &mut AnyConnection, backend: Backend) -> std::result::Result<(), sqlx::Error> {
    if backend == Backend::Sqlite {
        // FULL: an acknowledged commit survives power loss. The busy time-out lets a
        // server and a command line share one store.
        for pragma in [
            "PRAGMA busy_timeout = 60000",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
            "PRAGMA temp_store = MEMORY",
            "PRAGMA cell_size_check = ON",
            // What is deleted or replaced does not stay readable in a page that is written anyway (see `secrets.rs`).
            "PRAGMA secure_delete = FAST",
        ] {
            connection.execute(pragma).await?;
        }
    }
    Ok(())
}

/// A path inside a URL.
fn percent(path: &Path) -> String {
    use std::fmt::Write as _;
    path.to_string_lossy().bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"/-_.~".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}
