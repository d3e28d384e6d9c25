//! Jobs: each is taken once, by one worker, and survives a worker that dies.

use crate::home::me;
use std::collections::BTreeSet;
use toji_core::Category;
use toji_store::JobState;

on_both! {
    async fn a_job_goes_through_its_states(home) {
        let store = &home.store;
        store.add_job(&me(), "j1", "run import", r#"{"path":"a"}"#, "2026-04-01T00:00:00Z").await.unwrap();
        store.add_job(&me(), "j2", "run import", "{}", "2026-04-01T00:00:01Z").await.unwrap();
        let taken = store.take_job(&me(), 1000, 60).await.unwrap().unwrap();
        assert_eq!((taken.id.as_str(), taken.state, taken.input.as_str()), ("j1", JobState::Running, r#"{"path":"a"}"#));
        store.note_job(&me(), "j1", r#"{"done":3}"#, 1100).await.unwrap();
        assert_eq!(store.job(&me(), "j1").await.unwrap().progress, r#"{"done":3}"#);
        store.end_job(&me(), "j1", JobState::Done, Some("{}"), None, "2026-04-01T00:01:00Z").await.unwrap();
        assert!(store.job(&me(), "j1").await.unwrap().state.is_final());
        assert_eq!(store.take_job(&me(), 1000, 60).await.unwrap().unwrap().id, "j2");
        assert_eq!(store.take_job(&me(), 1059, 60).await.unwrap(), None);
        assert_eq!(store.job(&me(), "j9").await.unwrap_err().category(), Category::NotFound);
    }

    async fn a_dead_workers_job_is_taken_again(home) {
        let store = &home.store;
        store.add_job(&me(), "j1", "run import", "{}", "2026-04-01T00:00:00Z").await.unwrap();
        store.take_job(&me(), 1000, 60).await.unwrap().unwrap();
        let other = home.again().await;
        assert_eq!(other.take_job(&me(), 1060, 60).await.unwrap(), None, "the lease still runs");
        assert_eq!(other.take_job(&me(), 1061, 60).await.unwrap().unwrap().id, "j1");
        assert_eq!(store.take_job(&me(), 1062, 60).await.unwrap(), None, "and now the other's does");
    }

    async fn many_workers_take_each_job_once(home) {
        let names: BTreeSet<String> = (0..24).map(|n| format!("j{n:02}")).collect();
        for name in &names {
            home.store.add_job(&me(), name, "run import", "{}", "2026-04-01T00:00:00Z").await.unwrap();
        }
        let mut work = Vec::new();
        for worker in 0..4 {
            let store = if worker % 2 == 0 { home.store.clone() } else { home.again().await };
            work.push(tokio::spawn(async move {
                let mut mine = Vec::new();
                while let Some(job) = store.take_job(&me(), 1000, 60).await.unwrap() {
                    mine.push(job.id);
                }
                mine
            }));
        }
        let mut taken = Vec::new();
        for one in work {
            taken.extend(one.await.unwrap());
        }
        assert_eq!(taken.len(), names.len(), "none twice");
        assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), names);
    }
}
