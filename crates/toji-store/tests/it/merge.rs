//! Merging parts: what can be read stays the same, whoever reads or writes meanwhile.

use crate::home::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use toji_core::culture::{Numbers, Points};
use toji_core::{Access, Category, Id};
use toji_store::{Merged, Series, Store};

async fn merge(store: &std::sync::Arc<Store>, run: &str) -> Merged {
    store.merge_parts(&me(), at(1000), &id(run), false, |_, _| Ok(())).await.unwrap()
}

/// Times, bits of numbers, qualities and texts.
type Told = (Vec<i64>, Vec<u64>, Vec<u16>, Vec<(u32, String)>);

/// Everything a reader sees of a channel.
fn told(series: &Series) -> Told {
    let bits = series.value.iter().map(|v| if v.is_nan() { u64::MAX } else { v.to_bits() }).collect();
    (series.t_ns.clone(), bits, series.quality.clone(), series.texts.clone())
}

/// One import: points of two channels, digits at some scale or doubles.
#[derive(Debug, Clone)]
struct Given {
    rows: Vec<(i64, Option<i64>, bool)>,
    scale: Option<u8>,
}

impl Given {
    fn points(&self) -> Points {
        let none = |m: &Option<i64>| m.is_none();
        Points {
            t_ns: self.rows.iter().map(|r| r.0).collect(),
            numbers: match self.scale {
                Some(scale) => {
                    Numbers::Scaled { scale, mantissa: self.rows.iter().map(|r| r.1.unwrap_or(Points::NO_NUMBER)).collect() }
                }
                None => Numbers::Float(self.rows.iter().map(|r| r.1.map_or(f64::NAN, |m| m as f64 / 3.0)).collect()),
            },
            quality: self.rows.iter().map(|r| u16::from(r.2) * 0x21).collect(),
            texts: self
                .rows
                .iter()
                .enumerate()
                .filter(|(_, r)| none(&r.1))
                .map(|(i, _)| (i as u32, format!("n.d. {i}")))
                .collect(),
        }
    }
}

/// Imports at their own stretch of time, some over earlier ones.
fn given() -> impl Strategy<Value = Given> {
    let row = (0i64..30, proptest::option::weighted(0.9, -50i64..50), any::<bool>());
    (0i64..120, proptest::collection::vec(row, 1..25), prop_oneof![4 => Just(Some(1u8)), 1 => Just(Some(2)), 1 => Just(None)])
        .prop_map(|(from, rows, scale)| Given { rows: rows.into_iter().map(|(t, m, f)| (from + t, m, f)).collect(), scale })
}

fn parts_of(folder: &Path, run: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.join(format!("series/run={run}")))
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn any_imports_read_the_same_before_and_after_and_go_on_as_if_nothing_had_been() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (home, other) = runtime.block_on(async { (Home::embedded().await, Home::embedded().await) });
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let (count, merges) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let imports = proptest::collection::vec((given(), proptest::bool::weighted(0.2)), 2..12);
    let outcome = runner.run(&imports, |imports| {
        count.set(count.get() + 1);
        let name = format!("case-{}", count.get());
        merges.set(merges.get() + runtime.block_on(one_case(&home, &other, &name, &imports))?);
        Ok(())
    });
    outcome.unwrap();
    println!("{} cases, {} merges", count.get(), merges.get());
    assert!(merges.get() >= count.get() / 2, "{} merges", merges.get());
    runtime.block_on(async {
        assert_sound(&home.store).await;
        assert_sound(&*home.again().await).await;
        home.close().await;
        other.close().await;
    });
}

/// `home` merges after some imports and at the end, `other` never until the end.
async fn one_case(home: &Home, other: &Home, name: &str, imports: &[(Given, bool)]) -> Result<u32, TestCaseError> {
    let mut merges = 0;
    for store in [&home.store, &other.store] {
        commit(store, 0, puts(vec![run(name), channel(name, "c")])).await.unwrap();
    }
    for (given, merge_now) in imports {
        let receipts = [
            commit(&home.store, 1, import(name, "c", given.points())).await.unwrap(),
            commit(&other.store, 1, import(name, "c", given.points())).await.unwrap(),
        ];
        let counts = receipts.map(|r| (r.points_new, r.points_known, r.points_changed));
        prop_assert_eq!(counts[0], counts[1], "an import finds the same, merged or not");
        if *merge_now {
            merges += u32::from(merge(&home.store, name).await.seq.is_some());
        }
        prop_assert_eq!(told(&read(&home.store, name, "c").await), told(&read(&other.store, name, "c").await));
    }
    let before = told(&read(&other.store, name, "c").await);
    let planned = other.store.merge_parts(&me(), at(9), &id(name), true, |_, _| Ok(())).await.unwrap();
    let seq = other.store.seq(&me()).await.unwrap();
    for store in [&home.store, &other.store] {
        merges += u32::from(merge(store, name).await.seq.is_some());
        prop_assert_eq!(&told(&read(store, name, "c").await), &before);
    }
    let done = other.store.seq(&me()).await.unwrap() - seq;
    prop_assert!(done > 0 || planned.parts_after == planned.parts_before || planned.points > 0);
    let summary = other.store.summaries(&me(), Some(&id(name))).await.unwrap().into_values().next();
    prop_assert_eq!(summary.map(|s| (s.t_min, s.t_max)), before.0.first().copied().zip(before.0.last().copied()));
    // Where the merge took all parts there is one, and a second merge finds nothing to do.
    let again = merge(&other.store, name).await;
    if planned.parts_after == 1 && again.kept_apart == 0 {
        prop_assert_eq!((again.seq, again.parts_before), (None, 1));
    }
    Ok(merges)
}

on_both! {
    async fn many_small_imports_become_one_part_and_the_ledger_says_which(home) {
        for n in 0..40i64 {
            commit(&home.store, n, import("r1", "temp", scaled(1, &[(n * 1000, n), (n * 1000 + 500, -n)]))).await.unwrap();
        }
        // A number that was changed: the later import wins, also after the merge.
        commit(&home.store, 41, import("r1", "temp", scaled(2, &[(7000, 12345)]))).await.unwrap();
        let before = told(&read(&home.store, "r1", "temp").await);
        let planned = home.store.merge_parts(&me(), at(50), &id("r1"), true, |_, _| Ok(())).await.unwrap();
        assert_eq!((planned.parts_before, planned.parts_after, planned.seq), (41, 1, None));
        assert_eq!(home.store.small_parts(&me(), &id("r1")).await.unwrap(), 41);
        let merged = merge(&home.store, "r1").await;
        assert_eq!((merged.parts_before, merged.parts_after, merged.points, merged.seq), (41, 1, 80, Some(42)));
        assert_eq!(told(&read(&home.store, "r1", "temp").await), before);
        assert_eq!(told(&read(&home.store, "r1", "temp").await).1[14], 123.45f64.to_bits());
        assert_eq!(merge(&home.store, "r1").await.seq, None, "once is enough");
        assert_eq!(home.store.seq(&me()).await.unwrap(), 42);
        let (checked, found) = home.store.verify(true, |_, _| Ok(())).await.unwrap();
        assert_eq!(found, vec![]);
        assert_eq!((checked.parts, checked.parts_replaced, checked.orphan_parts), (42, 41, 0));
        // Other programs pass over names that begin with `_`: they see the points once.
        let seen = parts_of(&home.folder(), "r1").into_iter().filter(|n| !n.starts_with('_')).count();
        assert_eq!((seen, parts_of(&home.folder(), "r1").len()), (1, 42));
        // All is known still, an old number said again is a change, and what comes later wins.
        assert_eq!(commit(&home.store, 60, import("r1", "temp", scaled(1, &[(3000, 3)]))).await.unwrap().seq, None);
        let again = commit(&home.store, 61, import("r1", "temp", scaled(1, &[(7000, 7), (7500, -7)]))).await.unwrap();
        assert_eq!((again.points_changed, again.points_known), (1, 1));
        assert_eq!(told(&read(&home.store, "r1", "temp").await).1[14], 0.7f64.to_bits());
        assert_sound(&home.store).await;
    }

    async fn a_part_that_comes_again_after_its_merge_counts_as_said_now(home) {
        let file = |m: i64| import("r1", "temp", scaled(1, &[(1, m), (2, m)]));
        for (second, m) in [(0, 1), (1, 2)] {
            commit(&home.store, second, file(m)).await.unwrap();
        }
        merge(&home.store, "r1").await;
        assert_eq!(rows(&read(&home.store, "r1", "temp").await), [(1, 0.2), (2, 0.2)]);
        // The first file once more: its bytes are those of a part that was replaced.
        assert_eq!(commit(&home.store, 3, file(1)).await.unwrap().points_changed, 2);
        assert_eq!(rows(&read(&home.store, "r1", "temp").await), [(1, 0.1), (2, 0.1)]);
        assert_sound(&home.store).await;
        merge(&home.store, "r1").await;
        commit(&home.store, 4, file(2)).await.unwrap();
        merge(&home.store, "r1").await;
        assert_eq!(rows(&read(&home.store, "r1", "temp").await), [(1, 0.2), (2, 0.2)]);
        assert_sound(&home.store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_part_between_small_ones_keeps_its_place() {
    let home = Home::embedded().await;
    let flat = |from: i64, n: i64, m: i64| scaled(0, &(from..from + n).map(|t| (t, m)).collect::<Vec<_>>());
    // Small, small, large over them, small, small over both.
    for (second, (from, n, m)) in [(0, 10, 1), (5, 10, 2), (8, 600_000, 3), (0, 4, 4), (2, 4, 5)].into_iter().enumerate() {
        commit(&home.store, second as i64, import("r1", "c", flat(from, n, m))).await.unwrap();
    }
    let before = told(&read(&home.store, "r1", "c").await);
    let value: Vec<f64> = before.1[..12].iter().map(|b| f64::from_bits(*b)).collect();
    assert_eq!(value, [4.0, 4.0, 5.0, 5.0, 5.0, 5.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0]);
    let merged = merge(&home.store, "r1").await;
    assert_eq!((merged.parts_before, merged.parts_after), (5, 3));
    assert_eq!(told(&read(&home.store, "r1", "c").await), before);
    assert_sound(&home.store).await;
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_imports_merge_into_equal_bytes() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let home = Home::embedded().await;
        for n in 0..9i64 {
            let points = scaled(1, &(0..1200).map(|i| (n * 1200 + i, i % 17 - n)).collect::<Vec<_>>());
            commit(&home.store, n, import("r1", "c", points)).await.unwrap();
        }
        merge(&home.store, "r1").await;
        let names = parts_of(&home.folder(), "r1");
        assert!(names.iter().any(|n| n.ends_with(".rollup")), "the merged part is long enough for a roll-up");
        seen.push(names);
        home.close().await;
    }
    assert_eq!(seen[0], seen[1]);
}

/// Writers, readers and mergers at once, two of each through handles of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_and_writers_go_on_while_parts_are_merged() {
    let home = Home::embedded().await;
    commit(&home.store, 0, puts(vec![run("r1"), channel("r1", "c")])).await.unwrap();
    let done = std::sync::Arc::new(AtomicBool::new(false));
    let mut work = Vec::new();
    for _ in 0..2 {
        let (store, done) = (home.again().await, done.clone());
        work.push(tokio::spawn(async move {
            let (mut merges, mut seen) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                merges += u32::from(merge(&store, "r1").await.seq.is_some());
                // Every import states ten points at once: a reader sees tens only, and ever more.
                let n = read(&store, "r1", "c").await.len();
                assert!(n % 10 == 0 && n >= seen, "{n} after {seen}");
                seen = n;
            }
            merges
        }));
    }
    for n in 0..60i64 {
        commit(&home.store, n, import("r1", "c", scaled(1, &(0..10).map(|i| (n * 10 + i, n)).collect::<Vec<_>>())))
            .await
            .unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let mut merges = 0;
    for one in work {
        merges += one.await.unwrap();
    }
    assert!(merges > 0);
    let whole: Vec<(i64, f64)> = (0..600).map(|i| (i, (i / 10) as f64 / 10.0)).collect();
    assert_eq!(rows(&read(&home.store, "r1", "c").await), whole);
    assert_sound(&home.store).await;
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merging_is_writing_and_asks_the_gate() {
    let home = Home::embedded().await;
    let closed: Access = crate::gate::closed();
    let run: Id = id("r1");
    for dry_run in [true, false] {
        let error = home.store.merge_parts(&closed, at(0), &run, dry_run, |_, _| Ok(())).await.unwrap_err();
        assert_eq!(error.category(), Category::Denied);
    }
    assert_eq!(home.store.rebuild_rollups(&closed, None, |_, _| Ok(())).await.unwrap().parts, 0, "there is nothing");
    commit(&home.store, 0, import("r1", "c", scaled(1, &[(1, 1)]))).await.unwrap();
    assert_eq!(home.store.rebuild_rollups(&closed, None, |_, _| Ok(())).await.unwrap_err().category(), Category::Denied);
    home.close().await;
}

/// A data set is made again at a position of the ledger: merges before and after must not show.
#[tokio::test(flavor = "multi_thread")]
async fn the_past_reads_the_same_after_merges() {
    let home = Home::embedded().await;
    let store = &home.store;
    let run = id("r1");
    let told_at = async |seq: i64| {
        let parts = store.parts_at(seq).await.unwrap();
        let series = store.series_at(&me(), &run, &parts).await.unwrap();
        (parts.newest("r1"), series.iter().map(|(_, _, s)| told(s)).collect::<Vec<_>>())
    };
    let mut past = Vec::new();
    for stretch in [0..6i64, 6..30] {
        for n in stretch {
            // Each import says something else about some of the points of the one before.
            let points = scaled(1, &(0..20).map(|i| (n * 10 + i, n * 100 + i)).collect::<Vec<_>>());
            let seq = commit(store, n, import("r1", "c", points)).await.unwrap().seq.unwrap();
            past.push((seq, told_at(seq).await));
        }
        merge(store, "r1").await;
        for (seq, then) in &past {
            assert_eq!(&told_at(*seq).await, then, "at {seq}");
        }
        // The merge is an event but brings no points: what is newest stays what it was.
        let (seq, then) = past.last().unwrap();
        let now = store.seq(&me()).await.unwrap();
        assert!(now > *seq);
        assert_eq!(&told_at(now).await, then);
    }
    assert_sound(store).await;
    home.close().await;
}
