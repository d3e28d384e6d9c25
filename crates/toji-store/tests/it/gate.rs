//! The gate: what it denies is not seen, counted, found, linked, computed with, or guessed, by any way
//! of reading.

use crate::home::*;
use serde_json::{Value as Json, json};
use sqlx::{Connection as _, Row as _};
use std::sync::Arc;
use toji_core::{Access, Action, Category, Decision, Digest, Gate, Principal, Resource, Text};
use toji_store::{Commit, Put, Store};

/// Words that stand only in what is denied.
const SECRET: &str = "himitsu";
const PLAIN: &str = "koukai";

/// What a gate of these tests says no to.
#[derive(Debug, Clone)]
enum Denies {
    Run(&'static str),
    Kind(&'static str),
    Area(&'static str),
    Writing(&'static str),
}

impl Gate for Denies {
    fn decide(&self, _who: &Principal, action: Action, what: Resource<'_>) -> Decision {
        let allow = match (self, action, what) {
            (Self::Run(run), Action::Read, Resource::Record { kind: "run", id, .. }) => id != *run,
            (Self::Run(run), Action::Read, Resource::Series { run: asked, .. }) => asked != *run,
            (Self::Kind(kind), Action::Read, Resource::Record { kind: asked, .. }) => asked != *kind,
            (Self::Area(area), Action::Read, Resource::Record { of, .. }) => of.area != Some(*area),
            (Self::Writing(area), Action::Write, Resource::Record { of, .. }) => of.area != Some(*area),
            _ => true,
        };
        Decision { allow, reason: Text::new("試験の定め", "the rule of this test"), remedy: None }
    }
}

/// Nobody may do anything.
#[derive(Debug)]
struct Closed;

impl Gate for Closed {
    fn decide(&self, _who: &Principal, _action: Action, _what: Resource<'_>) -> Decision {
        Decision::no(Text::new("閉じています", "closed"))
    }
}

pub(crate) fn closed() -> Access {
    Access { who: Principal { id: "nobody".into(), organisation: None }, gate: Arc::new(Closed) }
}

fn guest(gate: Denies) -> Access {
    Access { who: Principal { id: "guest".into(), organisation: None }, gate: Arc::new(gate) }
}

/// A culture with everything that hangs on one. Every text of it holds `word`.
async fn culture(store: &Store, name: &str, word: &str, area: &str) -> Digest {
    let (address, bytes) = store.keep(format!("{word},1\n").into_bytes()).await.unwrap();
    let word = |what: &str| Json::from(format!("{word} {what}"));
    let file = format!("{name}-file");
    let run = json!({"title": word("run"), "key": name, "started": "2026-04-01T00:00:00Z", "area": area, "file": file});
    let value = serde_json::to_value(toji_core::Value::parse("4.2")).unwrap();
    let mut whole = import(name, "temp", scaled(1, &[(at(0).0, 777), (at(60).0, 778)]));
    whole.puts = vec![
        put("file", &file, json!({"name": word("file"), "blob": address.to_string(), "format": "csv"})),
        put("run", name, run),
        put("channel", &format!("{name}.temp"), json!({"run": name, "key": word("channel")})),
        put("sample", &format!("{name}-s"), json!({"run": name, "key": word("sample"), "time": at(30).to_string()})),
        put("assay", &format!("{name}-a"), json!({"sample": format!("{name}-s"), "analyte": word("assay"), "value": value})),
        put("event", &format!("{name}-e"), json!({"run": name, "sort": "addition", "label": word("event")})),
        put("observation", &format!("{name}-o"), json!({"run": name, "attribute": word("observation"), "value": value})),
        put(
            "decision",
            &format!("{name}-d"),
            json!({"run": name, "seen": word("seen"), "done": word("done"), "why": word("why")}),
        ),
    ];
    whole.blobs.push((address, bytes.len() as u64, format!("{name}.csv")));
    commit(store, 0, whole).await.unwrap();
    address
}

const OF_A_RUN: [&str; 8] = ["file", "run", "channel", "sample", "assay", "event", "observation", "decision"];

async fn sql(store: &Arc<Store>, access: &Access, query: &str) -> Vec<Vec<Json>> {
    store.sql(access, query, 10_000).await.unwrap_or_else(|e| panic!("{query}: {e:?}")).rows().unwrap()
}

/// Tries every way of reading and fails when a word of the hidden run comes through one of them.
async fn assert_hidden(store: &Arc<Store>, access: &Access, name: &str, blob: Digest) {
    let mut told = String::new();
    let names = ["", "-file", ".temp", "-s", "-a", "-e", "-o", "-d"];
    for kind in OF_A_RUN {
        for as_of in [None, Some(at(1))] {
            for record in store.records(access, kind, as_of, true).await.unwrap() {
                told += &format!("{record:?}\n");
            }
            for suffix in names {
                if let Ok(record) = store.record(access, kind, &format!("{name}{suffix}"), as_of).await {
                    panic!("{kind} was shown: {record:?}");
                }
            }
        }
        for suffix in names {
            let id = format!("{name}{suffix}");
            assert!(store.history(access, kind, &id).await.is_err(), "{kind} {id}");
            assert_eq!(store.links(access, kind, &id).await.unwrap(), (vec![], vec![]), "{kind} {id}");
            for other in OF_A_RUN {
                assert!(store.linked(access, other, kind, &id).await.unwrap().is_empty(), "{other} of {kind} {id}");
            }
        }
        assert_eq!(store.counts(access).await.unwrap().get(kind), Some(&1), "{kind}");
        told += &format!("{:?}\n", sql(store, access, &format!("SELECT * FROM {kind}")).await);
        told += &format!("{:?}\n", store.link_counts(access, kind).await.unwrap());
    }
    for question in [SECRET, "777", name] {
        told += &format!("{:?}\n", store.search(access, question, &[], 100).await.unwrap().hits);
    }
    told += &format!("{:?}\n", sql(store, access, "SELECT * FROM series").await);
    for query in [
        "SELECT * FROM series WHERE run = 'NAME'",
        "SELECT * FROM series WHERE channel = 'NAME.temp'",
        "SELECT * FROM aligned('NAME', 60)",
        "SELECT * FROM asof('NAME')",
    ] {
        let rows = sql(store, access, &query.replace("NAME", name)).await;
        assert!(rows.is_empty(), "{query}: {rows:?}");
    }
    told += &format!("{:?}\n", store.summaries(access, None).await.unwrap());
    assert!(store.summaries(access, Some(&id(name))).await.unwrap().is_empty());
    for channels in [vec![], vec![id(&format!("{name}.temp"))]] {
        let error = store.series(access, &id(name), &channels, i64::MIN, i64::MAX).await.unwrap_err();
        assert_eq!((error.code(), error.category()), ("E-GATE-001", Category::Denied));
    }
    let error = store.blob(access, blob).await.unwrap_err();
    assert_eq!((error.code(), error.category()), ("E-GATE-001", Category::Denied));
    assert!(!told.contains(SECRET) && !told.contains(&format!("\"{name}")), "came through: {told}");
    assert!(told.contains(PLAIN), "what is allowed is still there");
}

on_both! {
    async fn a_denied_run_is_hidden_with_all_that_hangs_on_it(home) {
        let store = &home.store;
        let secret = culture(store, "r-secret", SECRET, "competitive").await;
        let plain = culture(store, "r-plain", PLAIN, "public").await;
        let guest = guest(Denies::Run("r-secret"));
        assert_hidden(store, &guest, "r-secret", secret).await;
        assert_eq!(store.blob(&guest, plain).await.unwrap(), b"koukai,1\n");
        assert_eq!(store.series(&guest, &id("r-plain"), &[], i64::MIN, i64::MAX).await.unwrap().len(), 1);
        assert_eq!(sql(store, &guest, "SELECT * FROM asof('r-plain')").await.len(), 1);
        // The owner sees both.
        assert_eq!(store.counts(&me()).await.unwrap()["channel"], 2);
        assert_eq!(store.blob(&me(), secret).await.unwrap(), b"himitsu,1\n");
    }

    async fn a_denied_area_is_hidden_with_all_that_hangs_on_it(home) {
        let store = &home.store;
        let secret = culture(store, "r-secret", SECRET, "competitive").await;
        culture(store, "r-plain", PLAIN, "public").await;
        assert_hidden(store, &guest(Denies::Area("competitive")), "r-secret", secret).await;
    }

    async fn a_denied_kind_is_hidden(home) {
        let store = &home.store;
        culture(store, "r1", PLAIN, "public").await;
        let guest = guest(Denies::Kind("decision"));
        assert!(store.records(&guest, "decision", None, true).await.unwrap().is_empty());
        assert!(store.linked(&guest, "decision", "run", "r1").await.unwrap().is_empty());
        assert!(sql(store, &guest, "SELECT * FROM decision").await.is_empty());
        assert!(store.search(&guest, PLAIN, &[], 50).await.unwrap().hits.iter().all(|h| h.kind != "decision"));
        assert_eq!(store.counts(&guest).await.unwrap().get("decision"), None);
        let (_, back) = store.links(&guest, "run", "r1").await.unwrap();
        assert!(!back.is_empty() && back.iter().all(|l| l.kind != "decision"));
        assert!(store.link_counts(&guest, "run").await.unwrap().keys().all(|(_, kind)| kind != "decision"));
        assert_eq!(store.record(&guest, "run", "r1", None).await.unwrap().version, 1);
    }

    async fn what_was_closed_once_stays_closed_for_that_time(home) {
        let store = &home.store;
        let named = |title: &str, area: &str| puts(vec![put("run", "r1", json!({"title": title, "key": "r1", "area": area}))]);
        commit(store, 0, named("himitsu", "competitive")).await.unwrap();
        commit(store, 10, named("koukai", "public")).await.unwrap();
        let guest = guest(Denies::Area("competitive"));
        let history = store.history(&guest, "run", "r1").await.unwrap();
        assert_eq!(history.iter().map(|v| v.record.version).collect::<Vec<_>>(), [2]);
        assert_eq!(store.record(&guest, "run", "r1", Some(at(5))).await.unwrap_err().code(), "E-GATE-001");
        assert!(store.records(&guest, "run", Some(at(5)), true).await.unwrap().is_empty());
        // And what is closed now is closed for all times.
        commit(store, 20, named("himitsu", "competitive")).await.unwrap();
        assert_eq!(store.record(&guest, "run", "r1", Some(at(15))).await.unwrap_err().code(), "E-GATE-001");
        assert!(store.records(&guest, "run", Some(at(15)), true).await.unwrap().is_empty());
        assert!(store.history(&guest, "run", "r1").await.is_err());
        assert_eq!(store.records(&me(), "run", Some(at(15)), true).await.unwrap().len(), 1);
    }

    async fn a_question_does_not_learn_words_of_hidden_records(home) {
        let store = &home.store;
        let facility = put("facility", "f1", json!({
            "kind": "bioreactor", "name_ja": "秘密棟", "name_en": "himitsu hall", "source": "made for this test", "section": "1", "line": 1,
        }));
        commit(store, 0, puts(vec![facility])).await.unwrap();
        let words = async |access: &Access| format!("{:?}", store.search(access, "秘密棟", &[], 50).await.unwrap().terms);
        assert!(words(&me()).await.contains(SECRET));
        assert!(!words(&guest(Denies::Kind("facility"))).await.contains(SECRET));
    }

    async fn writing_is_asked_for_the_old_area_and_the_new(home) {
        let store = &home.store;
        let named = |area: &str| puts(vec![put("run", "r1", json!({"title": "r1", "key": "r1", "area": area}))]);
        commit(store, 0, named("competitive")).await.unwrap();
        let guest = guest(Denies::Writing("competitive"));
        for area in ["competitive", "public"] {
            let error = store.commit(&guest, at(1), named(area)).await.unwrap_err();
            assert_eq!((error.code(), error.category()), ("E-GATE-001", Category::Denied), "{area}");
        }
        assert_eq!(store.seq(&me()).await.unwrap(), 1);
        let fresh = Commit { puts: vec![put("run", "r2", json!({"title": "r2", "key": "r2", "area": "public"}))], ..named("public") };
        assert_eq!(store.commit(&guest, at(2), fresh).await.unwrap().seq, Some(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_exports_are_noted_with_their_reason() {
    let home = Home::embedded().await;
    let store = &home.store;
    let blob = culture(store, "r-secret", SECRET, "competitive").await;
    let guest = guest(Denies::Run("r-secret"));
    store.record(&guest, "run", "r-secret", None).await.unwrap_err();
    store.series(&guest, &id("r-secret"), &[], 0, 1).await.unwrap_err();
    store.blob(&guest, blob).await.unwrap_err();
    store.allow(&guest, Action::Export, Resource::Store).await.unwrap();
    store.allow(&guest, Action::Read, Resource::Store).await.unwrap();
    let url = format!("sqlite://{}", home.folder().join("catalogue.sqlite").display());
    let mut raw = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let rows =
        sqlx::query("SELECT n, who, action, what, allow, reason FROM decisions ORDER BY n").fetch_all(&mut raw).await.unwrap();
    let noted: Vec<(i64, String, String, i64, String)> =
        rows.iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(4), r.get(5))).collect();
    let rule = || "the rule of this test".to_owned();
    let line = |n: i64, action: &str, allow: i64| (n, "guest".to_owned(), action.to_owned(), allow, rule());
    assert_eq!(noted, [line(1, "read", 0), line(2, "read", 0), line(3, "read", 0), line(4, "export", 1)]);
    let what: Vec<String> = rows.iter().map(|r| r.get(3)).collect();
    assert!(what[0].contains("r-secret") && what[1].contains("r-secret") && what[2].contains(&blob.to_string()), "{what:?}");
    home.close().await;
}

/// A record belongs to the organisation of whoever entered it first, and goes on to; what the house enters of a run
/// belongs to whom the run belongs to.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_keeps_its_first_owner_and_the_house_works_for_the_owner_of_a_run() {
    let home = Home::embedded().await;
    let store = &home.store;
    let of = |organisation: Option<&str>| {
        let mut access = me();
        access.who.organisation = organisation.map(str::to_owned);
        access
    };
    let enter = |access: Access, puts: Vec<Put>, n: i64| async move {
        store.commit(&access, at(n), Commit { operation: "test".into(), puts, ..Commit::default() }).await.unwrap();
    };
    enter(of(Some("ORG-A")), vec![put("run", "r1", json!({"title": "a", "key": "r1"}))], 0).await;
    enter(of(Some("ORG-B")), vec![put("run", "r1", json!({"title": "b", "key": "r1"}))], 1).await;
    let event = |run: &str| put("event", &format!("{run}-e"), json!({"run": run, "sort": "addition", "label": "x"}));
    enter(of(None), vec![put("run", "r2", json!({"title": "c", "key": "r2"})), event("r1"), event("r2")], 2).await;
    let owner = |kind: &'static str, id: &'static str| async move { store.record(&me(), kind, id, None).await.unwrap().owner };
    assert_eq!(owner("run", "r1").await.as_deref(), Some("ORG-A"));
    assert_eq!(owner("event", "r1-e").await.as_deref(), Some("ORG-A"));
    assert_eq!((owner("run", "r2").await, owner("event", "r2-e").await), (None, None));
    assert_sound(store).await;
    home.close().await;
}
