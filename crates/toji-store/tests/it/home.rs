//! A store to test with, on either database, and what to put into it.

use serde_json::{Value as Json, json};
use sqlx::{Connection as _, Executor as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use toji_core::culture::{Numbers, Points};
use toji_core::record::FieldMap;
use toji_core::{Access, Id, Instant, Result};
use toji_store::{Base, Commit, Put, Receipt, RunSeries, Series, Store};

/// One test case, run on the embedded catalogue and on PostgreSQL.
macro_rules! on_both {
    ($(async fn $name:ident($home:ident) $body:block)*) => {
        $(mod $name {
            #[allow(unused_imports, reason = "each case uses some")]
            use super::*;
            async fn case($home: &crate::home::Home) $body
            #[tokio::test(flavor = "multi_thread")]
            async fn embedded() {
                let home = crate::home::Home::embedded().await;
                case(&home).await;
                home.close().await;
            }
            #[tokio::test(flavor = "multi_thread")]
            async fn team() {
                let Some(home) = crate::home::Home::team().await else { return };
                case(&home).await;
                home.close().await;
            }
        })*
    };
}

/// A fresh store in a folder of its own, and in a database of its own.
pub(crate) struct Home {
    pub(crate) store: Arc<Store>,
    dir: TempDir,
    /// Address of the server, and of this test's database.
    database: Option<(String, String)>,
}

impl Home {
    pub(crate) async fn embedded() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::init(&dir.path().join("store"), None).await.unwrap());
        Self { store, dir, database: None }
    }
    /// On the server of `TOJI_TEST_POSTGRES`; says why not when there is none.
    pub(crate) async fn team() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("TOJI_TEST_POSTGRES") else {
            println!("skipped: TOJI_TEST_POSTGRES is not set (scripts/postgres-for-tests.sh start prints an address)");
            return None;
        };
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let name = format!("toji_{}_{}_{nanos}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
        admin.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        admin.close().await.unwrap();
        let (host, _) = server.rsplit_once('/').unwrap();
        let url = format!("{host}/{name}");
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::init(&dir.path().join("store"), Some(&url)).await.unwrap());
        Some(Self { store, dir, database: Some((server, url)) })
    }
    /// The store's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("store")
    }
    /// Opens the same store once more, as another process would.
    pub(crate) async fn again(&self) -> Arc<Store> {
        Arc::new(Store::open(&self.folder(), None).await.unwrap())
    }
    pub(crate) async fn close(self) {
        drop(self.store);
        if let Some((server, url)) = self.database {
            let name = url.rsplit('/').next().unwrap().to_owned();
            let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
            admin.execute(sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).await.unwrap();
        }
    }
}

pub(crate) fn me() -> Access {
    Access::owner()
}
pub(crate) fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}
pub(crate) fn at(second: i64) -> Instant {
    Instant(1_764_000_000_000_000_000 + second * 1_000_000_000)
}
pub(crate) fn fields(value: Json) -> FieldMap {
    match value {
        Json::Object(map) => map,
        _ => panic!("an object"),
    }
}
pub(crate) fn put(kind: &str, name: &str, value: Json) -> Put {
    Put::new(kind, id(name), fields(value))
}
pub(crate) fn run(name: &str) -> Put {
    put("run", name, json!({"title": name, "key": name, "started": "2026-04-01T00:00:00Z"}))
}
pub(crate) fn channel(run: &str, key: &str) -> Put {
    put("channel", &format!("{run}.{key}"), json!({"run": run, "key": key}))
}
/// Decimal points: (time in ns, mantissa) at one scale.
pub(crate) fn scaled(scale: u8, rows: &[(i64, i64)]) -> Points {
    Points {
        t_ns: rows.iter().map(|r| r.0).collect(),
        numbers: Numbers::Scaled { scale, mantissa: rows.iter().map(|r| r.1).collect() },
        quality: vec![0; rows.len()],
        texts: Vec::new(),
    }
}
pub(crate) fn series(run: &str, key: &str, points: Points) -> RunSeries {
    RunSeries { run: id(run), base: Base::Utc, channels: vec![(id(&format!("{run}.{key}")), points)] }
}
/// Run, channel and points, as an import writes them.
pub(crate) fn import(name: &str, key: &str, points: Points) -> Commit {
    Commit {
        operation: "run import".into(),
        puts: vec![run(name), channel(name, key)],
        series: vec![series(name, key, points)],
        ..Commit::default()
    }
}
pub(crate) fn puts(puts: Vec<Put>) -> Commit {
    Commit { operation: "record put".into(), puts, ..Commit::default() }
}
pub(crate) async fn commit(store: &Store, second: i64, commit: Commit) -> Result<Receipt> {
    store.commit(&me(), at(second), commit).await
}
/// All points of one channel.
pub(crate) async fn read(store: &Store, run: &str, key: &str) -> Series {
    let found = store.series(&me(), &id(run), &[id(&format!("{run}.{key}"))], i64::MIN, i64::MAX).await.unwrap();
    found.into_iter().next().map(|(_, _, s)| s).unwrap_or_default()
}
pub(crate) fn rows(series: &Series) -> Vec<(i64, f64)> {
    series.t_ns.iter().copied().zip(series.value.iter().copied()).collect()
}
/// Fails with every finding when verification has one.
pub(crate) async fn assert_sound(store: &Store) {
    let (_, found) = store.verify(true, |_, _| Ok(())).await.unwrap();
    assert!(found.is_empty(), "{found:#?}");
}
