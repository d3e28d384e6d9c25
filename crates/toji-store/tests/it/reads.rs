//! The record of reads, and the figures of a store behind the gate.

use crate::home::*;
use sqlx::{Connection as _, SqliteConnection};
use std::collections::BTreeMap;
use toji_core::Category;
use toji_store::{JobState, Store};

/// Counts by who, what and reason.
async fn counted(store: &Store) -> BTreeMap<(String, String), u64> {
    let (reads, _) = store.decisions(&me(), 1000).await.unwrap();
    assert!(reads.iter().all(|r| r.action == "read" && !r.reason.is_empty() && r.hour.ends_with(":00:00Z")), "{reads:?}");
    let mut out = BTreeMap::new();
    for read in reads {
        *out.entry((read.who, read.what)).or_default() += read.count;
    }
    out
}

on_both! {
    async fn allowed_reads_are_counted_by_what_was_read_and_why(home) {
        let store = &home.store;
        for name in ["r1", "r2"] {
            commit(store, 0, import(name, "temp", scaled(1, &[(1, 1), (2, 2)]))).await.unwrap();
        }
        store.close().await.unwrap();
        let before = counted(store).await;
        for _ in 0..50 {
            read(store, "r1", "temp").await;
        }
        store.record(&me(), "run", "r2", None).await.unwrap();
        assert_eq!(store.records(&me(), "channel", None, false).await.unwrap().len(), 2);
        store.plot(&me(), &id("r2"), &[], i64::MIN, i64::MAX, 100).await.unwrap();
        store.summaries(&me(), None).await.unwrap();
        store.size(&me()).await.unwrap();
        let after = counted(store).await;
        let more = |what: &str| {
            let key = ("owner".to_owned(), what.to_owned());
            after.get(&key).copied().unwrap_or_default() - before.get(&key).copied().unwrap_or_default()
        };
        assert_eq!(
            ["series r1", "series r2", "run r2", "run r1", "channel", "series"].map(more),
            [50, 1, 1, 0, 2, 2],
            "{after:?}"
        );
        assert!(more("store") >= 1);
        // What was counted is kept: another process sees it, and more is only ever added.
        let other = home.again().await;
        let later = counted(&other).await;
        assert!(after.iter().all(|(key, n)| later.get(key).is_some_and(|m| m >= n)), "{after:?} {later:?}");
        assert_sound(store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_record_of_reads_is_noticed() {
    let home = Home::embedded().await;
    commit(&home.store, 0, import("r1", "temp", scaled(1, &[(1, 1)]))).await.unwrap();
    for _ in 0..3 {
        read(&home.store, "r1", "temp").await;
        home.store.record(&me(), "run", "r1", None).await.unwrap();
        home.store.close().await.unwrap();
    }
    assert_sound(&home.store).await;
    let url = format!("sqlite://{}", home.folder().join("catalogue.sqlite").display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    for alteration in [
        "UPDATE reads SET count = count + 1 WHERE n = 2",
        "UPDATE reads SET who = 'nobody' WHERE n = 1",
        "UPDATE reads SET what = 'run r2' WHERE n = 3",
        "UPDATE reads SET reason = 'because'",
        "UPDATE reads SET hour = '2020-01-01T00:00:00Z' WHERE n = 1",
        "DELETE FROM reads WHERE n = 2",
        "DELETE FROM reads WHERE n = (SELECT MAX(n) FROM reads)",
        "DELETE FROM reads",
        "UPDATE reads SET n = n + 1000",
    ] {
        sqlx::query("CREATE TABLE kept AS SELECT * FROM reads").execute(&mut raw).await.unwrap();
        assert!(sqlx::query(alteration).execute(&mut raw).await.unwrap().rows_affected() > 0, "{alteration}");
        let (_, found) = home.store.verify(false, |_, _| Ok(())).await.unwrap();
        assert_eq!(found.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["E-VERIFY-006"], "{alteration}");
        for statement in ["DELETE FROM reads", "INSERT INTO reads SELECT * FROM kept", "DROP TABLE kept"] {
            sqlx::query(statement).execute(&mut raw).await.unwrap();
        }
    }
    assert_sound(&home.store).await;
    home.close().await;
}

/// A store of an earlier release has no record of reads; it gets one when it is opened.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_from_before_gets_the_record_when_it_is_opened() {
    let home = Home::embedded().await;
    commit(&home.store, 0, import("r1", "temp", scaled(1, &[(1, 1)]))).await.unwrap();
    let url = format!("sqlite://{}", home.folder().join("catalogue.sqlite").display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    for statement in
        ["DROP TABLE reads", "ALTER TABLE versions DROP COLUMN owner", "UPDATE meta SET value = '1' WHERE key = 'schema'"]
    {
        sqlx::query(statement).execute(&mut raw).await.unwrap();
    }
    let store = home.again().await;
    read(&store, "r1", "temp").await;
    assert_eq!(counted(&store).await[&("owner".to_owned(), "series r1".to_owned())], 1);
    assert_sound(&store).await;
    sqlx::query("UPDATE meta SET value = '999' WHERE key = 'schema'").execute(&mut raw).await.unwrap();
    assert_eq!(Store::open(&home.folder(), None).await.unwrap_err().code(), "E-STORE-011");
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_the_store_and_jobs_ask_the_gate() {
    let home = Home::embedded().await;
    let store = &home.store;
    let closed = crate::gate::closed();
    store.add_job(&me(), "j1", "run import", r#"{"paths":["secret.csv"]}"#, "2026-04-01T00:00:00Z").await.unwrap();
    let refused = [
        store.size(&closed).await.unwrap_err(),
        store.seq(&closed).await.unwrap_err(),
        store.decisions(&closed, 10).await.unwrap_err(),
        store.job(&closed, "j1").await.unwrap_err(),
        store.add_job(&closed, "j2", "run import", "{}", "2026-04-01T00:00:00Z").await.unwrap_err(),
        store.take_job(&closed, 1000, 60).await.unwrap_err(),
        store.note_job(&closed, "j1", "{}", 2000).await.unwrap_err(),
        store.end_job(&closed, "j1", JobState::Done, None, None, "2026-04-01T00:00:00Z").await.unwrap_err(),
    ];
    for error in &refused {
        assert_eq!((error.code(), error.category()), ("E-GATE-001", Category::Denied));
    }
    assert_eq!(store.job(&me(), "j1").await.unwrap().state, JobState::Queued);
    let (_, noted) = store.decisions(&me(), 100).await.unwrap();
    assert_eq!(noted.iter().filter(|d| !d.allowed && d.who == "nobody").count(), refused.len());
    assert!(noted.iter().any(|d| d.what == "job j1" && d.action == "read"), "{noted:?}");
    home.close().await;
}
