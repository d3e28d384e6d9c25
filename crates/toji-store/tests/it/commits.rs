//! What is acknowledged: whole, once, in order, and never changed in silence.

use crate::home::*;
use serde_json::json;
use std::sync::Arc;
use toji_core::{Category, Severity};
use toji_store::{Base, Commit, RunSeries};

on_both! {
    async fn repeating_a_commit_appends_no_event(home) {
        let store = &home.store;
        let (address, bytes) = store.keep("時刻,温度\n0,31.2\n".into()).await.unwrap();
        let whole = || Commit { blobs: vec![(address, bytes.len() as u64, "a.csv".into())], ..import("r1", "temp", scaled(1, &[(0, 312), (60, 315)])) };
        let first = commit(store, 0, whole()).await.unwrap();
        assert_eq!((first.seq, first.versions.clone(), first.points_new), (Some(1), vec![1, 1], 2));
        for second in 1..4 {
            let again = commit(store, second, whole()).await.unwrap();
            assert_eq!((again.seq, again.versions, again.points_new, again.points_known, again.points_changed), (None, vec![1, 1], 0, 2, 0));
        }
        assert_eq!(store.seq(&me()).await.unwrap(), 1);
        assert_sound(store).await;
    }

    async fn a_record_changed_meanwhile_is_not_overwritten(home) {
        let store = &home.store;
        let named = |title: &str, expected| {
            let mut put = put("run", "r1", json!({"title": title, "key": "r1"}));
            put.if_version = expected;
            puts(vec![put])
        };
        commit(store, 0, named("first", Some(0))).await.unwrap();
        commit(store, 1, named("second", Some(1))).await.unwrap();
        for stale in [0, 1, 3] {
            let error = commit(store, 2, named("third", Some(stale))).await.unwrap_err();
            assert_eq!((error.code(), error.category()), ("E-RECORD-002", Category::Conflict));
        }
        let record = store.record(&me(), "run", "r1", None).await.unwrap();
        assert_eq!((record.version, record.fields["title"].as_str()), (2, Some("second")));
        assert_eq!(store.seq(&me()).await.unwrap(), 2);
    }

    async fn an_invalid_record_is_refused_with_nothing_stored(home) {
        let store = &home.store;
        let (address, bytes) = store.keep(b"x".to_vec()).await.unwrap();
        let bad = [
            put("run", "r2", json!({"title": "no key"})),
            put("run", "r2", json!({"title": "t", "key": "k", "colour": "red"})),
            put("run", "r2", json!({"title": "t", "key": "k", "started": "yesterday"})),
            put("run", "r2", json!({"title": "t", "key": "k", "area": "everywhere"})),
            put("run", "r2", json!({"title": "t", "key": "k", "scale_l": -1.0})),
        ];
        for bad in bad {
            let mut whole = import("r1", "temp", scaled(1, &[(0, 312)]));
            whole.blobs.push((address, bytes.len() as u64, "a.csv".into()));
            whole.puts.push(bad);
            let error = commit(store, 0, whole).await.unwrap_err();
            assert_eq!((error.code(), error.category()), ("E-RECORD-001", Category::Input));
            let faults: Vec<_> = error.fault().diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
            assert!(!faults.is_empty() && faults.iter().all(|d| !d.message.ja.is_empty() && !d.message.en.is_empty()));
        }
        let error = commit(store, 0, puts(vec![put("dragon", "d1", json!({}))])).await.unwrap_err();
        assert_eq!(error.category(), Category::NotFound);
        nothing_stored(store).await;
    }

    async fn a_commit_that_fails_late_leaves_nothing(home) {
        let store = &home.store;
        let mut whole = import("r1", "temp", scaled(1, &[(0, 312)]));
        let mut stale = run("r9");
        stale.if_version = Some(7);
        whole.puts.push(stale);
        // By now the part is on disk; only the catalogue would make it count.
        assert_eq!(commit(store, 0, whole).await.unwrap_err().code(), "E-RECORD-002");
        nothing_stored(store).await;
        let receipt = commit(store, 1, import("r1", "temp", scaled(1, &[(0, 312)]))).await.unwrap();
        assert_eq!((receipt.seq, receipt.points_new), (Some(1), 1));
        assert_sound(store).await;
    }

    async fn history_tells_who_when_and_why(home) {
        let store = &home.store;
        for (second, title) in [(0, "first"), (10, "second"), (20, "third")] {
            let mut change = puts(vec![put("run", "r1", json!({"title": title, "key": "r1"}))]);
            change.reason = Some(format!("because {title}"));
            commit(store, second, change).await.unwrap();
        }
        let history = store.history(&me(), "run", "r1").await.unwrap();
        let told: Vec<_> = history.iter().map(|v| (v.record.version, v.record.fields["title"].as_str().unwrap(), v.at.clone(), v.reason.clone().unwrap(), v.actor.as_str(), v.seq)).collect();
        assert_eq!(told, [
            (1, "first", at(0).to_string(), "because first".to_owned(), "owner", 1),
            (2, "second", at(10).to_string(), "because second".to_owned(), "owner", 2),
            (3, "third", at(20).to_string(), "because third".to_owned(), "owner", 3),
        ]);
        for (second, title) in [(0, "first"), (9, "first"), (10, "second"), (19, "second"), (20, "third"), (999, "third")] {
            let then = store.record(&me(), "run", "r1", Some(at(second))).await.unwrap();
            assert_eq!(then.fields["title"].as_str(), Some(title), "at {second}");
            let list = store.records(&me(), "run", Some(at(second)), false).await.unwrap();
            assert_eq!(list, vec![then]);
        }
        assert_eq!(store.record(&me(), "run", "r1", Some(at(-1))).await.unwrap_err().category(), Category::NotFound);
        assert!(store.records(&me(), "run", Some(at(-1)), false).await.unwrap().is_empty());
    }

    async fn retired_records_leave_lists_but_not_history(home) {
        let store = &home.store;
        commit(store, 0, puts(vec![run("r1"), run("r2")])).await.unwrap();
        let mut gone = run("r1");
        gone.retired = true;
        commit(store, 5, puts(vec![gone])).await.unwrap();
        let names = |list: Vec<toji_core::Record>| list.into_iter().map(|r| r.id.to_string()).collect::<Vec<_>>();
        assert_eq!(names(store.records(&me(), "run", None, false).await.unwrap()), ["r2"]);
        assert_eq!(names(store.records(&me(), "run", None, true).await.unwrap()), ["r1", "r2"]);
        assert_eq!(names(store.records(&me(), "run", Some(at(4)), false).await.unwrap()), ["r1", "r2"]);
        assert_eq!(store.history(&me(), "run", "r1").await.unwrap().len(), 2);
        assert_eq!(store.counts(&me()).await.unwrap()["run"], 1);
    }

    async fn points_come_late_twice_and_in_any_order(home) {
        let store = &home.store;
        let first = commit(store, 0, import("r1", "temp", scaled(1, &[(30, 33), (10, 31), (20, 32), (20, 32)]))).await.unwrap();
        assert_eq!((first.points_new, first.points_known), (3, 1));
        assert_eq!(rows(&read(store, "r1", "temp").await), [(10, 3.1), (20, 3.2), (30, 3.3)]);
        // Late points before, between and after; two that are there.
        let late = commit(store, 1, import("r1", "temp", scaled(1, &[(5, 30), (20, 32), (25, 29), (30, 33), (40, 34)]))).await.unwrap();
        assert_eq!((late.points_new, late.points_known, late.points_changed), (3, 2, 0));
        assert_eq!(rows(&read(store, "r1", "temp").await), [(5, 3.0), (10, 3.1), (20, 3.2), (25, 2.9), (30, 3.3), (40, 3.4)]);
        // The same number with more digits written is the same number.
        let digits = commit(store, 2, import("r1", "temp", scaled(3, &[(5, 3000), (40, 3400)]))).await.unwrap();
        assert_eq!((digits.seq, digits.points_known), (None, 2));
        assert_sound(store).await;
    }

    async fn changed_points_replace_and_can_be_changed_back(home) {
        let store = &home.store;
        let say = |value: i64| import("r1", "temp", scaled(1, &[(10, 1), (20, value), (30, 3)]));
        commit(store, 0, say(2)).await.unwrap();
        let changed = commit(store, 1, say(5)).await.unwrap();
        assert_eq!((changed.points_new, changed.points_known, changed.points_changed), (0, 2, 1));
        assert_eq!(rows(&read(store, "r1", "temp").await), [(10, 0.1), (20, 0.5), (30, 0.3)]);
        // The corrected point alone, to and fro: its files have equal bytes each time.
        for (second, value) in [(2, 7), (3, 5), (4, 7), (5, 7), (6, 5)] {
            commit(store, second, import("r1", "temp", scaled(1, &[(20, value)]))).await.unwrap();
            assert_eq!(rows(&read(store, "r1", "temp").await)[1], (20, value as f64 / 10.0), "after event at {second}");
        }
        assert_eq!(store.seq(&me()).await.unwrap(), 6, "one repetition changed nothing");
        assert_sound(store).await;
    }

    async fn two_numbers_at_one_time_are_both_kept(home) {
        let store = &home.store;
        let file = || import("r1", "temp", scaled(1, &[(10, 1), (10, 2), (20, 3)]));
        commit(store, 0, file()).await.unwrap();
        assert_eq!(rows(&read(store, "r1", "temp").await), [(10, 0.1), (10, 0.2), (20, 0.3)]);
        assert_eq!(commit(store, 1, file()).await.unwrap().seq, None);
        assert_eq!(rows(&read(store, "r1", "temp").await), [(10, 0.1), (10, 0.2), (20, 0.3)]);
    }

    async fn equal_points_of_two_runs_are_two_runs_points(home) {
        let store = &home.store;
        // The same channel identifier in both: nothing but the run tells them apart.
        let one = |run: &str| RunSeries { run: id(run), base: Base::Utc, channels: vec![(id("temp"), scaled(1, &[(10, 1), (20, 2)]))] };
        let whole = Commit { operation: "run import".into(), puts: vec![run("a/b"), run("a_b")], series: vec![one("a/b"), one("a_b")], ..Commit::default() };
        assert_eq!(commit(store, 0, whole).await.unwrap().points_new, 4);
        for run in ["a/b", "a_b"] {
            let found = store.series(&me(), &id(run), &[], i64::MIN, i64::MAX).await.unwrap();
            assert_eq!(rows(&found[0].2), [(10, 0.1), (20, 0.2)], "{run}");
        }
        assert_sound(store).await;
    }

    async fn links_follow_the_present_version(home) {
        let store = &home.store;
        let sample = |run: &str| put("sample", "s1", json!({"key": "s1", "run": run}));
        commit(store, 0, puts(vec![run("r1"), run("r2"), sample("r1")])).await.unwrap();
        let linked = async |target: &str| store.linked(&me(), "sample", "run", target).await.unwrap().len();
        assert_eq!((linked("r1").await, linked("r2").await), (1, 0));
        commit(store, 1, puts(vec![sample("r2")])).await.unwrap();
        assert_eq!((linked("r1").await, linked("r2").await), (0, 1));
        let (out, _) = store.links(&me(), "sample", "s1").await.unwrap();
        assert_eq!(out.iter().map(|l| l.target.as_str()).collect::<Vec<_>>(), ["r2"]);
        let (_, back) = store.links(&me(), "run", "r2").await.unwrap();
        assert_eq!(back.iter().map(|l| (l.kind.as_str(), l.id.as_str())).collect::<Vec<_>>(), [("sample", "s1")]);
        let counts = store.link_counts(&me(), "run").await.unwrap();
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(("r2".to_owned(), "sample".to_owned()), 1)]);
        assert_sound(store).await;
    }

    async fn lists_are_in_order_of_code_points(home) {
        let store = &home.store;
        // A database that sorts by language would put b before C, and mix scripts.
        let names = ["a-2", "a.1", "B", "C", "b", "杜氏", "あ"];
        commit(store, 0, puts(names.iter().map(|n| run(n)).collect())).await.unwrap();
        let listed: Vec<String> = store.records(&me(), "run", None, false).await.unwrap().into_iter().map(|r| r.id.to_string()).collect();
        let mut expected: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        expected.sort();
        assert_eq!(listed, expected);
    }

    async fn writers_at_once_make_one_chain(home) {
        let stores = [home.store.clone(), home.again().await];
        let mut work = Vec::new();
        for writer in 0..4i64 {
            let store: Arc<_> = stores[(writer % 2) as usize].clone();
            work.push(tokio::spawn(async move {
                for n in 0..8 {
                    let name = format!("r{writer}-{n}");
                    commit(&store, n, import(&name, "temp", scaled(1, &[(n, writer)]))).await.unwrap();
                    // Everybody also says the same thing: it must be taken once.
                    commit(&store, n, import("shared", "temp", scaled(1, &[(1, 1), (2, 2)]))).await.unwrap();
                }
            }));
        }
        for one in work {
            one.await.unwrap();
        }
        assert_eq!(home.store.seq(&me()).await.unwrap(), 4 * 8 + 1);
        assert_eq!(home.store.counts(&me()).await.unwrap()["run"], 33);
        assert_eq!(rows(&read(&home.store, "shared", "temp").await), [(1, 0.1), (2, 0.2)]);
        assert_sound(&home.store).await;
    }

    async fn a_store_opened_again_is_the_same_store(home) {
        commit(&home.store, 0, import("r1", "temp", scaled(2, &[(1, 123), (2, 456)]))).await.unwrap();
        home.store.set_setting("zone", "Asia/Tokyo").await.unwrap();
        let again = home.again().await;
        assert_eq!(again.setting("zone").await.unwrap().as_deref(), Some("Asia/Tokyo"));
        assert_eq!(again.records(&me(), "run", None, false).await.unwrap(), home.store.records(&me(), "run", None, false).await.unwrap());
        assert_eq!(rows(&read(&again, "r1", "temp").await), [(1, 1.23), (2, 4.56)]);
        assert_eq!(commit(&again, 1, import("r1", "temp", scaled(2, &[(3, 789)]))).await.unwrap().seq, Some(2));
        assert_sound(&home.store).await;
    }
}

async fn nothing_stored(store: &toji_store::Store) {
    assert_eq!(store.seq(&me()).await.unwrap(), 0);
    assert!(store.counts(&me()).await.unwrap().is_empty());
    assert!(read(store, "r1", "temp").await.is_empty());
    assert!(store.summaries(&me(), None).await.unwrap().is_empty());
    let (checked, found) = store.verify(true, |_, _| Ok(())).await.unwrap();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!((checked.events, checked.versions, checked.blobs, checked.parts), (0, 0, 0, 0));
}
