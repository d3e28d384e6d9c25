//! kill -9 while live batches are appended and sealed: every acknowledged point is there, none is stored twice.
//!
//! Batch `n` brings twenty points, repeats those of the batch before (as a source does that did not hear the
//! acknowledgement), and every seventh takes back a number of the batch before.

use crate::failing::shim;
use crate::imports::{Told, assert_sound, say};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use toji_core::culture::{Origin, Sampling};
use toji_core::live::{Batch, Point, Said, Signal};
use toji_core::{Access, Instant};
use toji_store::{LiveLimits, Store, live_channel_id, live_run_id};

const POINTS: i64 = 20;
const AT: Instant = Instant(1_764_000_000_000_000_000);
const RUNS: [&str; 3] = ["R1", "R2", "R3"];
/// So few that sealing goes on all the time.
const LIMITS: LiveLimits =
    LiveLimits { seal_points: 600, seal_age: Duration::from_millis(150), points_max: 3_000, append_points_max: 10_000 };

fn takes_back(n: i64) -> bool {
    n > 0 && n % 7 == 3
}

fn point(t: i64, value: f64) -> Point {
    Point { signal: 0, t_ns: AT.0 + t * 1_000_000, received_ns: AT.0, said: Said::Number(value), quality: 0 }
}

fn value(t: i64) -> f64 {
    (t % 1000) as f64 / 8.0
}

/// Batch `n`, for each of the runs.
fn batches(n: i64) -> Vec<Batch> {
    let times = |n: i64| n * POINTS..(n + 1) * POINTS;
    let signal = Signal {
        key: "pH".into(),
        address: "a".into(),
        variable: None,
        raw_unit: None,
        origin: Origin::Sensor,
        sampling: Sampling::Periodic,
    };
    let mut points: Vec<Point> = Vec::new();
    if n > 0 {
        // What is taken back is not repeated: that would say the old number once more.
        points.extend(times(n - 1).skip(usize::from(takes_back(n))).map(|t| point(t, value(t))));
    }
    points.extend(times(n).map(|t| point(t, value(t))));
    if takes_back(n) {
        let t = times(n - 1).start;
        points.push(point(t, value(t) + 1000.0));
    }
    let of = |run: &str| Batch {
        source: "mqtt".into(),
        run: run.into(),
        signals: vec![signal.clone()],
        points: points.clone(),
        ..Batch::default()
    };
    RUNS.map(of).to_vec()
}

/// Does nothing unless started by [`killed`].
#[test]
fn the_live_child() {
    let Some(dir) = std::env::var_os("TOJI_LIVE_STORE") else { return };
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<i64>().unwrap());
    let from = number("TOJI_LIVE_FROM").unwrap();
    let until = from + number("TOJI_LIVE_COUNT").unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(Store::open(Path::new(&dir), None).await.unwrap().with_live_limits(LIMITS));
        for n in from..until {
            say(&format!("begin {n}"));
            match store.append_live(&Access::owner(), AT, batches(n)).await {
                Ok(_) => say(&format!("ack {n}")),
                Err(error) => return say(&format!("refused {n} {}", error.code())),
            }
        }
    });
}

fn child(folder: &Path, from: i64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "live::the_live_child", "--nocapture", "--test-threads=1"]);
    command.env("TOJI_LIVE_STORE", folder).env("TOJI_LIVE_FROM", from.to_string());
    command
}

fn killed(folder: &Path, from: i64, after: Duration) -> Told {
    let mut command = child(folder, from);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let mut output = Vec::new();
    let mut buffer = [0; 4096];
    while !output.windows(6).any(|w| w == b"begin ") {
        let n = pipe.read(&mut buffer).unwrap();
        assert!(n > 0, "the child ended before its first append: {}", String::from_utf8_lossy(&output));
        output.extend_from_slice(&buffer[..n]);
    }
    std::thread::sleep(after);
    child.kill().unwrap();
    pipe.read_to_end(&mut output).unwrap();
    child.wait().unwrap();
    Told::of(&String::from_utf8_lossy(&output))
}

#[derive(Debug, Default)]
struct Figures {
    rounds: u64,
    acknowledged: u64,
    killed_in_append: u64,
    durable_unsaid: u64,
    journals_left: u64,
    seals: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_points_survive_kill_9_once() {
    let rounds: u64 = std::env::var("TOJI_CRASH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let began = std::time::Instant::now();
    let mut figures = Figures::default();
    let mut seed = 0x6c_69_76_65u64;
    while figures.rounds < rounds {
        one_store(25.min(rounds - figures.rounds), &mut seed, &mut figures).await;
    }
    println!("{figures:?} in {:.0} s", began.elapsed().as_secs_f64());
    assert!(
        figures.acknowledged > 0 && figures.killed_in_append > 0 && figures.seals > 0,
        "the kills missed the work: {figures:?}"
    );
}

async fn one_store(rounds: u64, seed: &mut u64, figures: &mut Figures) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("store");
    drop(Store::init(&folder, None).await.unwrap());
    let mut next = 0i64;
    for _ in 0..rounds {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        let told = killed(&folder, next, Duration::from_micros(*seed % 400_000));
        assert!(told.refused.is_empty(), "{told:?}");
        let store = Store::open(&folder, None).await.unwrap();
        let begun = told.begun.last().map_or(next, |n| *n as i64 + 1);
        let acknowledged = told.acknowledged.last().map_or(next, |n| *n as i64 + 1);
        let there = complete(&store, acknowledged, begun).await;
        figures.acknowledged += (acknowledged - next) as u64;
        figures.killed_in_append += u64::from(begun > acknowledged);
        figures.durable_unsaid += u64::from(there > acknowledged);
        figures.journals_left += store.live_state().await.unwrap().journals;
        assert_sound(&store, false).await;
        next = acknowledged;
        figures.rounds += 1;
    }
    let store = Arc::new(Store::open(&folder, None).await.unwrap().with_live_limits(LIMITS));
    store.append_live(&Access::owner(), AT, batches(next)).await.unwrap();
    store.seal_live(AT).await.unwrap();
    assert_eq!(complete(&store, next + 1, next + 1).await, next + 1);
    // Every point once, and beside them the numbers that were taken back.
    let stored = (next + 1) * POINTS + (0..=next).filter(|n| takes_back(*n)).count() as i64;
    assert_eq!(store.size(&Access::owner()).await.unwrap().1, stored as u64 * RUNS.len() as u64);
    assert_eq!(store.live_state().await.unwrap().points, 0);
    assert_sound(&store, true).await;
    figures.seals += store.seq(&Access::owner()).await.unwrap() - 1;
}

/// All points of batches before `acknowledged` are there with the right number, and of the one begun after it either
/// all or none. Returns how many batches are there.
async fn complete(store: &Store, acknowledged: i64, begun: i64) -> i64 {
    let mut there = begun;
    for name in RUNS {
        let run = live_run_id("mqtt", name);
        let found = store.series(&Access::owner(), &run, &[live_channel_id(&run, "pH")], i64::MIN, i64::MAX).await.unwrap();
        let series = found.into_iter().next().map(|(_, _, series)| series).unwrap_or_default();
        let times: Vec<i64> = series.t_ns.iter().map(|t| (t - AT.0) / 1_000_000).collect();
        let n = times.len() as i64 / POINTS;
        assert_eq!(times, (0..n * POINTS).collect::<Vec<_>>(), "{name}: a batch is half there, or a point is missing");
        assert!(n >= acknowledged && n <= begun, "{name}: {n} batches, {acknowledged} acknowledged, {begun} begun");
        for (t, v) in times.iter().zip(&series.value) {
            let taken = t % POINTS == 0 && takes_back(t / POINTS + 1) && t / POINTS + 1 < n;
            assert_eq!(*v, value(*t) + if taken { 1000.0 } else { 0.0 }, "{name}: point {t} of {n} batches");
        }
        there = there.min(n);
    }
    there
}

/// A disk that makes nothing durable from some moment on: no batch is acknowledged after it, what was
/// acknowledged before it is whole, and on a healthy disk the source sends again what it got no answer for.
#[tokio::test(flavor = "multi_thread")]
async fn no_batch_is_acknowledged_that_was_not_made_durable() {
    const BATCHES: i64 = 12;
    let dir = tempfile::tempdir().unwrap();
    let Some(shim) = shim(dir.path()) else { return };
    let log = dir.path().join("log");
    let (mut moments, mut refusals, mut in_journal) = (0, 0, 0);
    for fail_from in 0.. {
        let folder = dir.path().join(format!("store-{fail_from}"));
        drop(Store::init(&folder, None).await.unwrap());
        let _ = std::fs::remove_file(&log);
        let mut command = child(&folder, 0);
        command.env("TOJI_LIVE_COUNT", BATCHES.to_string()).env("LD_PRELOAD", &shim).env("TOJI_SYNC_LOG", &log);
        let done = command.env("TOJI_SYNC_FAIL_FROM", fail_from.to_string()).output().unwrap();
        let told = Told::of(&String::from_utf8_lossy(&done.stdout));
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        let failed: Vec<&str> = log.lines().skip_while(|l| !l.starts_with("fail ")).collect();
        let store = Arc::new(Store::open(&folder, None).await.unwrap().with_live_limits(LIMITS));
        let acknowledged = told.acknowledged.last().map_or(0, |n| *n as i64 + 1);
        let begun = told.begun.last().map_or(0, |n| *n as i64 + 1);
        complete(&store, acknowledged, begun).await;
        if let Some(first) = failed.first() {
            moments += 1;
            refusals += told.refused.len();
            in_journal += usize::from(first.contains("/live/journal-"));
            // Sealing goes on beside appending: one batch may have been durable when another file failed.
            let later = failed.iter().filter(|l| l.starts_with("ack ")).count();
            assert!(later <= usize::from(!first.contains("/live/journal-")), "failing from {fail_from}: {failed:#?}");
        }
        for n in acknowledged..BATCHES {
            store.append_live(&Access::owner(), AT, batches(n)).await.unwrap();
        }
        store.seal_live(AT).await.unwrap();
        assert_eq!(complete(&store, BATCHES, BATCHES).await, BATCHES);
        assert_sound(&store, true).await;
        drop(store);
        std::fs::remove_dir_all(&folder).unwrap();
        if failed.is_empty() {
            assert_eq!(acknowledged, BATCHES);
            break;
        }
    }
    assert!(moments > 10 && in_journal > 5, "only {moments} calls were made to fail, {in_journal} of the journal");
    println!("{moments} moments of failure, {in_journal} of the journal, {refusals} batches refused, none acknowledged");
}
