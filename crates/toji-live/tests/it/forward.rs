//! The buffer on disk: through outages, crashes, torn writes and its limit.

use crate::memory::Memory;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use toji_core::Category;
use toji_core::culture::{Origin, Sampling};
use toji_core::live::{Batch, Point, Said, Signal, Sink};
use toji_live::forward::Forward;
use tokio_util::sync::CancellationToken;

fn batch(t_ns: i64) -> Vec<Batch> {
    let signal = Signal {
        key: "pH".into(),
        address: "a".into(),
        variable: None,
        raw_unit: None,
        origin: Origin::Unknown,
        sampling: Sampling::Irregular,
    };
    let point = Point { signal: 0, t_ns, received_ns: t_ns, said: Said::Number(0.1 + 0.2), quality: 0 };
    vec![Batch { source: "s".into(), run: "r".into(), signals: vec![signal], points: vec![point], ..Batch::default() }]
}

fn times(memory: &Memory) -> Vec<i64> {
    memory.look(|k| k.points.keys().map(|at| at.2).collect())
}

async fn replayed(forward: &Arc<Forward>, memory: &Memory, points: usize) {
    let stop = CancellationToken::new();
    let (task, token) = (forward.clone(), stop.clone());
    let replay = tokio::spawn(async move { task.replay(&token).await });
    memory.wait("replay", |k| k.points.len() == points).await;
    stop.cancel();
    replay.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_outage_is_bridged_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    let forward = Forward::open(folder.path(), 1 << 20, memory.clone()).unwrap();
    forward.append(batch(1)).await.unwrap();
    memory.away.store(true, Ordering::SeqCst);
    for t in 2..100 {
        forward.append(batch(t)).await.unwrap();
    }
    assert_eq!(times(&memory), [1]);
    memory.away.store(false, Ordering::SeqCst);
    // While something waits, new batches wait behind it.
    forward.append(batch(100)).await.unwrap();
    assert_eq!(times(&memory), [1]);
    replayed(&forward, &memory, 100).await;
    assert_eq!(forward.backlog().await.bytes, 0);
    assert_eq!(memory.look(|k| k.times_said), 100);
    forward.append(batch(101)).await.unwrap();
    assert_eq!(times(&memory).len(), 101);
}

#[tokio::test]
async fn a_crash_loses_nothing_and_a_torn_write_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    memory.away.store(true, Ordering::SeqCst);
    let forward = Forward::open(folder.path(), 1 << 20, memory.clone()).unwrap();
    for t in 1..=10 {
        forward.append(batch(t)).await.unwrap();
    }
    drop(forward);
    let file = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "tojifwd"))
        .unwrap();
    let whole = std::fs::read(&file).unwrap();
    // Every way in which the last write can be torn leaves the nine before it.
    for cut in [1, 4, 9, 40] {
        std::fs::write(&file, &whole[..whole.len() - cut]).unwrap();
        let memory = Arc::new(Memory::default());
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
        let forward = Forward::open(copy.path(), 1 << 20, memory.clone()).unwrap();
        forward.append(batch(11)).await.unwrap();
        replayed(&forward, &memory, 10).await;
        assert_eq!(times(&memory), [1, 2, 3, 4, 5, 6, 7, 8, 9, 11], "cut {cut}");
    }
    // A flipped bit is found by the checksum, and what stands behind it is set aside, not thrown away.
    let mut bent = whole.clone();
    bent[whole.len() - 20] ^= 1;
    std::fs::write(&file, &bent).unwrap();
    let memory = Arc::new(Memory::default());
    let forward = Forward::open(folder.path(), 1 << 20, memory.clone()).unwrap();
    replayed(&forward, &memory, 9).await;
    assert!(file.with_extension("damaged").exists());
}

#[tokio::test]
async fn when_full_the_oldest_is_kept_and_the_newest_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    memory.away.store(true, Ordering::SeqCst);
    let forward = Forward::open(folder.path(), 4_000, memory.clone()).unwrap();
    let mut kept = 0;
    let error = loop {
        match forward.append(batch(kept + 1)).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.category(), Category::Limit);
    assert!(kept > 5);
    // Nor is a smaller one that would fit: the newest must not overtake the one before it.
    assert_eq!(forward.append(Vec::new()).await.unwrap_err().category(), Category::Limit);
    memory.away.store(false, Ordering::SeqCst);
    replayed(&forward, &memory, usize::try_from(kept).unwrap()).await;
    assert_eq!(times(&memory), (1..=kept).collect::<Vec<_>>());
    memory.away.store(true, Ordering::SeqCst);
    forward.append(batch(kept + 1)).await.unwrap();
}

#[tokio::test]
async fn a_frame_refused_for_what_it_says_is_set_aside_alone() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    memory.away.store(true, Ordering::SeqCst);
    let forward = Forward::open(folder.path(), 1 << 20, memory.clone()).unwrap();
    for t in 1..=50 {
        forward.append(batch(t)).await.unwrap();
    }
    memory.refuses_ns.store(20, Ordering::SeqCst);
    memory.away.store(false, Ordering::SeqCst);
    replayed(&forward, &memory, 49).await;
    assert_eq!(times(&memory), (1..=50).filter(|t| *t != 20).collect::<Vec<_>>());
    let aside = std::fs::read_to_string(folder.path().join("refused.jsonl")).unwrap();
    assert_eq!(aside.lines().count(), 1);
    assert!(aside.contains("E-TEST-002"));
    assert_eq!(forward.backlog().await.bytes, 0);
}

#[tokio::test]
async fn many_segments_are_replayed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    memory.away.store(true, Ordering::SeqCst);
    let forward = Forward::open(folder.path(), 1 << 30, memory.clone()).unwrap();
    for t in 0..60 {
        let mut one = batch(t);
        one[0].signals[0].address = "x".repeat(400_000);
        forward.append(one).await.unwrap();
    }
    memory.away.store(false, Ordering::SeqCst);
    replayed(&forward, &memory, 60).await;
    let segments = std::fs::read_dir(folder.path())
        .unwrap()
        .filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|e| e == "tojifwd"))
        .count();
    assert_eq!(segments, 1);
}
