//! kill -9 at random moments of imports and merges: what was acknowledged is there, nothing is half there,
//! and work goes on.

use crate::imports::{SMALL, Told, assert_sound, child, is_there};
use std::io::Read as _;
use std::time::{Duration, Instant};
use toji_store::Store;

/// Rounds on one store; then a fresh one, so that looking at everything stays quick.
const ROUNDS_A_STORE: u64 = 50;

#[derive(Debug, Default)]
struct Figures {
    rounds: u64,
    acknowledged: u64,
    killed_in_commit: u64,
    committed_unsaid: u64,
    orphans: u64,
    merged_parts: u64,
    orphan_parts: u64,
    temporary_files: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_imports_survive_kill_9() {
    let rounds: u64 = std::env::var("TOJI_CRASH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let began = Instant::now();
    let mut figures = Figures::default();
    let mut seed = 0x70_6a_69u64;
    while figures.rounds < rounds {
        let some = ROUNDS_A_STORE.min(rounds - figures.rounds);
        one_store(some, &mut seed, &mut figures).await;
    }
    println!("{figures:?} in {:.0} s", began.elapsed().as_secs_f64());
    assert!(figures.merged_parts > 0, "nothing was merged: {figures:?}");
    assert!(figures.acknowledged > 0 && figures.killed_in_commit > 0, "the kills missed the work: {figures:?}");
}

async fn one_store(rounds: u64, seed: &mut u64, figures: &mut Figures) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("store");
    drop(Store::init(&folder, None).await.unwrap());
    let mut next = 0;
    for _ in 0..rounds {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        let told = killed(&folder, next, Duration::from_micros(*seed % 250_000));
        let store = Store::open(&folder, None).await.unwrap();
        for n in next..told.begun.last().map_or(next, |n| n + 1) {
            let there = is_there(&store, n, SMALL).await;
            let said = told.acknowledged.contains(&n);
            assert!(there || !said, "import {n} was acknowledged and is gone");
            figures.acknowledged += u64::from(said);
            figures.killed_in_commit += u64::from(!said);
            figures.committed_unsaid += u64::from(there && !said);
        }
        assert!(told.refused.is_empty() && told.closed.is_none(), "{told:?}");
        assert_sound(&store, false).await;
        // The next child begins with the import that was cut off: it must go in, or be known.
        next = told.acknowledged.last().map_or(next, |n| n + 1);
        figures.rounds += 1;
    }
    let store = Store::open(&folder, None).await.unwrap();
    for n in 0..next {
        assert!(is_there(&store, n, SMALL).await, "import {n} is gone");
    }
    figures.orphans += assert_sound(&store, true).await;
    let (checked, _) = store.verify(true, |_, _| Ok(())).await.unwrap();
    figures.merged_parts += checked.parts_replaced;
    figures.orphan_parts += checked.orphan_parts;
    figures.temporary_files += checked.temporary_files;
}

/// Starts a child at import `from`, lets it work for a while from its first import on, and kills it.
fn killed(folder: &std::path::Path, from: u64, after: Duration) -> Told {
    let mut child = child(folder, from, from + 10_000, SMALL, None).env("TOJI_CHILD_MERGES", "1").spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let mut output = Vec::new();
    let mut buffer = [0; 4096];
    while !output.windows(6).any(|w| w == b"begin ") {
        let n = pipe.read(&mut buffer).unwrap();
        assert!(n > 0, "the child ended before its first import: {}", String::from_utf8_lossy(&output));
        output.extend_from_slice(&buffer[..n]);
    }
    std::thread::sleep(after);
    // SIGKILL: no destructor runs, no buffer is flushed.
    child.kill().unwrap();
    pipe.read_to_end(&mut output).unwrap();
    child.wait().unwrap();
    Told::of(&String::from_utf8_lossy(&output))
}
