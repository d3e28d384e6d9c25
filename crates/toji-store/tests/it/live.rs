//! The live tail through the store's face: what was acknowledged is seen at once by every way of reading, once, and
//! the same before and after sealing.

use crate::home::*;
use std::sync::Arc;
use std::time::Duration;
use toji_core::culture::{Origin, Sampling};
use toji_core::live::{Batch, Mark, MarkKind, Point, Said, Signal};
use toji_core::{Access, Action, Category, Decision, Gate, Principal, Resource, Text};
use toji_store::{LiveLimits, Series, Store, live_channel_id, live_run_id};

const S: i64 = 1_000_000_000;

pub(crate) fn signal(key: &str, unit: &str) -> Signal {
    Signal {
        key: key.into(),
        address: format!("hall/r1/{key}"),
        variable: None,
        raw_unit: Some(unit.into()),
        origin: Origin::Sensor,
        sampling: Sampling::Periodic,
    }
}

fn point(signal: u32, second: i64, digits: &str) -> Point {
    let t_ns = at(second).0;
    Point { signal, t_ns, received_ns: t_ns + S / 4, said: Said::Digits(digits.into()), quality: 0 }
}

fn batch(points: Vec<Point>) -> Batch {
    let signals = vec![signal("pH", "pH"), signal("品温", "℃")];
    Batch { source: "mqtt-hall".into(), run: "R1".into(), vessel: Some("R1".into()), signals, points, ..Batch::default() }
}

fn run_1() -> toji_core::Id {
    live_run_id("mqtt-hall", "R1")
}

async fn append(store: &Arc<Store>, batches: Vec<Batch>) -> toji_core::live::Ack {
    store.append_live(&me(), at(1), batches).await.unwrap()
}

async fn seen(store: &Store, key: &str) -> Series {
    let channel = live_channel_id(&run_1(), key);
    let found = store.series(&me(), &run_1(), &[channel], i64::MIN, i64::MAX).await.unwrap();
    found.into_iter().next().map(|(_, _, series)| series).unwrap_or_default()
}

async fn rows(store: &Arc<Store>, query: &str) -> usize {
    store.sql(&me(), query, 10_000).await.unwrap().batches().iter().map(|b| b.num_rows()).sum()
}

async fn assert_clean(store: &Store) {
    let (_, found) = store.verify(true, |_, _| Ok(())).await.unwrap();
    assert!(found.is_empty(), "{found:#?}");
}

on_both! {
    async fn acknowledged_points_are_seen_by_every_way_of_reading(home) {
        let store = &home.store;
        let ack = append(store, vec![batch((0..100).flat_map(|i| [point(0, i, "7.02"), point(1, i, "31.5")]).collect())]).await;
        assert_eq!((ack.points_new, ack.points_known, ack.points_changed), (200, 0, 0));
        for round in 0..2 {
            let series = seen(store, "pH").await;
            assert_eq!((series.len(), series.value[0]), (100, 7.02), "round {round}");
            let run = run_1();
            let summaries = store.summaries(&me(), Some(&run)).await.unwrap();
            let summary = &summaries[&(run.to_string(), live_channel_id(&run, "品温").to_string())];
            assert_eq!((summary.points, summary.v_max, summary.last), (100, Some(31.5), Some((at(99).0, 31.5))));
            let record = store.record(&me(), "channel", live_channel_id(&run, "品温").as_str(), None).await.unwrap();
            assert_eq!((record.fields["variable"].as_str(), record.fields["unit"].as_str()), (Some("temperature"), Some("Cel")));
            assert_eq!(rows(store, "SELECT * FROM series WHERE key = 'pH' AND value = 7.02").await, 100);
            assert_eq!(rows(store, &format!("SELECT * FROM aligned('{run}', 10) WHERE key = 'pH' AND value > 7.01 AND value < 7.03 AND mask = 1")).await, 10);
            let joined = store.latest_good(&me(), &run, &[live_channel_id(&run, "pH")], &[at(50).0 + S / 2]).await.unwrap();
            assert_eq!(joined[0].values, [Some((7.02, S / 2))]);
            assert_clean(store).await;
            let sealed = store.seal_live(at(200)).await.unwrap();
            assert_eq!(sealed.points_new, if round == 0 { 200 } else { 0 });
        }
        assert_eq!(store.live_state().await.unwrap().points, 0);
        assert_eq!(store.size(&me()).await.unwrap().1, 200);
        assert_eq!(home.store.record(&me(), "run", run_1().as_str(), None).await.unwrap().version, 1);
    }

    async fn repetitions_late_points_and_contradictions(home) {
        let store = &home.store;
        append(store, vec![batch(vec![point(0, 10, "7.0"), point(0, 20, "7.1")])]).await;
        let ack = append(store, vec![batch(vec![point(0, 10, "7.00"), point(0, 15, "6.5"), point(0, 20, "9.9")])]).await;
        assert_eq!((ack.points_new, ack.points_known, ack.points_changed), (1, 1, 1));
        assert_eq!(seen(store, "pH").await.value, [7.0, 6.5, 9.9]);
        store.seal_live(at(30)).await.unwrap();
        assert_eq!(seen(store, "pH").await.value, [7.0, 6.5, 9.9]);
        assert_eq!(store.size(&me()).await.unwrap().1, 4, "what was replaced stays");
        // The source sends again what was sealed long ago, and takes one number back.
        append(store, vec![batch(vec![point(0, 10, "7.0"), point(0, 15, "6.5"), point(0, 20, "7.2")])]).await;
        assert_eq!(seen(store, "pH").await.value, [7.0, 6.5, 7.2]);
        let sealed = store.seal_live(at(40)).await.unwrap();
        assert_eq!((sealed.points_new, sealed.points_known, sealed.points_changed), (0, 2, 1));
        assert_eq!(seen(store, "pH").await.value, [7.0, 6.5, 7.2]);
        assert_clean(store).await;
    }

    async fn words_and_flags_are_kept(home) {
        let store = &home.store;
        let word = Point { said: Said::Text("sensor open".into()), ..point(0, 1, "") };
        let flagged = Point { quality: 0x21, ..point(0, 2, "7.3") };
        append(store, vec![batch(vec![word, flagged])]).await;
        for _ in 0..2 {
            let series = seen(store, "pH").await;
            assert_eq!(series.texts, [(0, "sensor open".to_owned())]);
            assert_eq!((series.value[0].is_nan(), series.value[1], &series.quality[..]), (true, 7.3, &[0x32, 0x21][..]));
            store.seal_live(at(9)).await.unwrap();
        }
    }

    async fn marks_are_events_and_tell_outages(home) {
        let store = &home.store;
        let mark = |second, kind| Mark { t_ns: at(second).0, kind, note: Some("broker".into()) };
        let marks = vec![mark(5, MarkKind::Disconnected), mark(9, MarkKind::Reconnected)];
        let said = Batch { marks, ..batch(vec![point(0, 1, "7")]) };
        assert_eq!(append(store, vec![said.clone()]).await.marks, 2);
        let seq = store.seq(&me()).await.unwrap();
        append(store, vec![said]).await;
        assert_eq!(store.seq(&me()).await.unwrap(), seq, "the same marks again are known");
        let outages = store.outages(&me(), &run_1()).await.unwrap();
        assert_eq!(outages.iter().map(|o| (o.from_ns, o.to_ns)).collect::<Vec<_>>(), [(at(5).0, Some(at(9).0))]);
        let events = store.linked(&me(), "event", "run", run_1().as_str()).await.unwrap();
        assert_eq!(events.len(), 2);
    }

    async fn the_clock_of_the_source_is_kept(home) {
        let store = &home.store;
        // The run is known by a mark before it has a point.
        let mark = Mark { t_ns: at(0).0, kind: MarkKind::Reconnected, note: None };
        append(store, vec![Batch { marks: vec![mark], ..batch(Vec::new()) }]).await;
        for minute in 0..4i64 {
            let points = (0..60).map(|s| point(0, minute * 60 + s, "7.0")).collect();
            append(store, vec![batch(points)]).await;
        }
        let series = seen(store, "clock-offset").await;
        assert!(series.len() >= 2 && series.value.iter().all(|v| *v == 0.25), "{series:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_reads_along_and_may_not_append() {
    let home = Home::embedded().await;
    append(&home.store, vec![batch(vec![point(0, 1, "7.0")])]).await;
    let other = home.again().await;
    assert_eq!(seen(&other, "pH").await.value, [7.0]);
    append(&home.store, vec![batch(vec![point(0, 2, "7.1")])]).await;
    assert_eq!(seen(&other, "pH").await.value, [7.0, 7.1]);
    let refused = other.append_live(&me(), at(3), vec![batch(vec![point(0, 3, "7.2")])]).await.unwrap_err();
    assert_eq!((refused.code(), refused.category()), ("E-LIVE-002", Category::Conflict));
    home.store.seal_live(at(3)).await.unwrap();
    append(&home.store, vec![batch(vec![point(0, 4, "7.3")])]).await;
    assert_eq!(seen(&other, "pH").await.value, [7.0, 7.1, 7.3]);
    assert_clean(&other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_share_writes_and_memory_stays_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let limits =
        LiveLimits { seal_points: 2_000, points_max: 4_000, seal_age: Duration::from_secs(3600), append_points_max: 1_000 };
    let store = Arc::new(Store::init(&dir.path().join("store"), None).await.unwrap().with_live_limits(limits));
    let senders = (0..8).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut most = 0;
            for i in 0..40i64 {
                let points = (0..50).map(|p| point(0, i * 50 + p, "7.5")).collect();
                let said = Batch { run: format!("R{n}"), ..batch(points) };
                store.append_live(&me(), at(0), vec![said]).await.unwrap();
                most = most.max(store.live_state().await.unwrap().points);
            }
            most
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        let most = sender.await.unwrap();
        assert!(most <= 4_000 + 8 * 50 + 8, "{most} points in memory");
    }
    for n in 0..8 {
        let found = store.series(&me(), &live_run_id("mqtt-hall", &format!("R{n}")), &[], i64::MIN, i64::MAX).await.unwrap();
        let ph = found.iter().map(|(_, _, s)| s.len()).max();
        assert_eq!(ph, Some(2_000), "run {n}");
    }
    assert_clean(&store).await;
    assert!(store.size(&me()).await.unwrap().1 > 0, "sealed in the background");
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_refused_with_its_place_and_nothing_of_it_is_kept() {
    let home = Home::embedded().await;
    let check = async |bad: Batch, code: &str, place: &str| {
        let error = home.store.append_live(&me(), at(0), vec![batch(vec![point(0, 1, "7")]), bad]).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(format!("{:?}", error.fault().place).contains(place), "{error:?}");
    };
    check(batch(vec![point(2, 1, "7")]), "E-LIVE-003", "batches[1].points[0].signal").await;
    check(Batch { run: " ".into(), ..batch(vec![]) }, "E-LIVE-003", "batches[1].run").await;
    check(Batch { signals: vec![signal("pH", ""), signal("pH", "")], ..batch(vec![]) }, "E-LIVE-003", "batches[1].signals").await;
    assert_eq!(home.store.live_state().await.unwrap().points, 0);
    assert_eq!(home.store.seq(&me()).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_journal_is_found_and_the_rest_of_it_kept() {
    let home = Home::embedded().await;
    let folder = home.folder();
    for n in 0..5i64 {
        append(&home.store, vec![batch(vec![point(0, n, "7.0"), point(1, n, "30")])]).await;
    }
    drop(home.store);
    let journal = folder.join("live/journal-000000000001.tail");
    let whole = std::fs::read(&journal).unwrap();
    for i in (0..whole.len()).step_by(7) {
        let mut bad = whole.clone();
        bad[i] ^= 0x10;
        std::fs::write(&journal, &bad).unwrap();
        let store = Store::open(&folder, None).await.unwrap();
        let (_, found) = store.verify(false, |_, _| Ok(())).await.unwrap();
        assert!(found.iter().any(|d| d.code == "E-LIVE-020"), "byte {i}");
        assert!(seen(&store, "pH").await.len() >= 4, "byte {i}");
    }
    // Work goes on in a new file, what is left is sealed, and the damaged file stays as evidence.
    let store = Arc::new(Store::open(&folder, None).await.unwrap());
    append(&store, vec![batch(vec![point(0, 9, "7.4")])]).await;
    store.seal_live(at(20)).await.unwrap();
    assert!(seen(&store, "pH").await.len() >= 5);
    let (_, found) = store.verify(true, |_, _| Ok(())).await.unwrap();
    assert_eq!(found.iter().map(|d| d.code.as_str()).collect::<Vec<_>>(), ["E-LIVE-020"]);
}

/// Denies one run to read and another to write.
#[derive(Debug)]
struct Closed(String, String);

impl Gate for Closed {
    fn decide(&self, _who: &Principal, action: Action, what: Resource<'_>) -> Decision {
        let allow = match (action, what) {
            (Action::Read, Resource::Record { kind: "run", id, .. }) => id != self.0,
            (Action::Write, Resource::Series { run, .. }) => run != self.1,
            _ => true,
        };
        Decision { allow, reason: Text::new("試験の定め", "the rule of this test"), remedy: None }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_stands_before_the_tail() {
    let home = Home::embedded().await;
    let (closed, other) = (run_1(), live_run_id("mqtt-hall", "R2"));
    let second = Batch { run: "R2".into(), ..batch(vec![point(0, 1, "6.1")]) };
    append(&home.store, vec![batch(vec![point(0, 1, "7.7")]), second.clone()]).await;
    let gate = Arc::new(Closed(closed.to_string(), other.to_string()));
    let guest = Access { who: Principal { id: "guest".into(), organisation: None }, gate };
    let store = &home.store;
    assert_eq!(store.series(&guest, &closed, &[], 0, i64::MAX).await.unwrap_err().category(), Category::Denied);
    assert_eq!(store.series(&guest, &other, &[], 0, i64::MAX).await.unwrap().len(), 1);
    let channel = live_channel_id(&closed, "pH");
    assert_eq!(store.live_since(&guest, &closed, &[(channel, 0)]).await.unwrap_err().category(), Category::Denied);
    let (_, latest) = store.live_latest(&guest, 0).await.unwrap();
    assert!(!latest.is_empty() && latest.iter().all(|p| p.run == other.as_str()), "{latest:?}");
    assert!(store.summaries(&guest, None).await.unwrap().keys().all(|(run, _)| run == other.as_str()));
    let shown = store.sql(&guest, "SELECT value FROM series WHERE value > 7", 10).await.unwrap();
    assert_eq!(shown.batches().iter().map(|b| b.num_rows()).sum::<usize>(), 0);
    let refused = store.append_live(&guest, at(2), vec![second]).await.unwrap_err();
    assert_eq!(refused.category(), Category::Denied);
}
