//! What a plant's live data cost: processor time, memory and acknowledgement times while points come in at a rate.
//!
//! ```text
//! cargo run --example live_rate -- RUNS CHANNELS HZ SECONDS [MESSAGES_A_SECOND]
//! ```
//! Each run is a task of its own that sends its points in messages and waits for each acknowledgement, as a
//! collector does. At the end everything is sealed and counted, and the store is verified.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an example to be run by hand")]

use std::sync::Arc;
use std::time::{Duration, Instant as Wall, SystemTime, UNIX_EPOCH};
use toji_core::culture::{Origin, Sampling};
use toji_core::live::{Batch, Point, Said, Signal};
use toji_core::{Access, Instant};
use toji_store::{LiveLimits, Store};

fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64
}

/// Processor seconds of this process so far, and its memory now and at most, in MB.
fn used() -> (f64, f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let rest: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // Fields 14 and 15 of the line, in ticks of 1/100 s.
    let ticks: f64 = rest[11].parse::<f64>().unwrap() + rest[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let kb = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    };
    (ticks / 100.0, kb("VmRSS"), kb("VmHWM"))
}

fn message(run: usize, channels: usize, hz: i64, from: i64, points: i64) -> Batch {
    let signals = (0..channels).map(|c| Signal {
        key: format!("ch{c:02}"),
        address: format!("r{run}/ch{c:02}"),
        variable: None,
        raw_unit: None,
        origin: Origin::Sensor,
        sampling: Sampling::Periodic,
    });
    let points = (from..from + points).flat_map(|i| {
        (0..channels).map(move |c| Point {
            signal: c as u32,
            t_ns: 1_764_000_000_000_000_000 + i * 1_000_000_000 / hz,
            received_ns: 1_764_000_000_000_000_000 + i * 1_000_000_000 / hz + 40_000_000,
            said: Said::Digits(format!("{:.3}", 7.0 + ((i * 37 + c as i64 * 11) % 1000) as f64 / 1000.0)),
            quality: 0,
        })
    });
    Batch {
        source: "rate".into(),
        run: format!("R{run:02}"),
        vessel: None,
        simulated: true,
        signals: signals.collect(),
        points: points.collect(),
        marks: Vec::new(),
    }
}

#[tokio::main]
async fn main() {
    let args: Vec<i64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let [runs, channels, hz, seconds] = args[..4] else { return println!("RUNS CHANNELS HZ SECONDS [MESSAGES_A_SECOND]") };
    let messages = args.get(4).copied().unwrap_or(hz.min(4));
    let dir = tempfile::tempdir().unwrap();
    let limits = LiveLimits { seal_age: Duration::from_secs(60), ..LiveLimits::default() };
    let store = Arc::new(Store::init(&dir.path().join("store"), None).await.unwrap().with_live_limits(limits));
    let began = Wall::now();
    let (cpu_before, ..) = used();
    let senders: Vec<_> = (0..runs as usize)
        .map(|run| {
            let store = store.clone();
            tokio::spawn(async move {
                let (mut waits, mut sent) = (Vec::new(), 0u64);
                for n in 0..seconds * messages {
                    let due = began + Duration::from_micros((n as u64 * 1_000_000 + run as u64 * 997) / messages as u64);
                    tokio::time::sleep_until(due.into()).await;
                    let (from, to) = (n * hz / messages, (n + 1) * hz / messages);
                    let batch = message(run, channels as usize, hz, from, to - from);
                    sent += batch.points.len() as u64;
                    let asked = Wall::now();
                    store.append_live(&Access::owner(), Instant(now_ns()), vec![batch]).await.unwrap();
                    waits.push(asked.elapsed());
                }
                (waits, sent)
            })
        })
        .collect();
    let (mut waits, mut sent) = (Vec::new(), 0);
    for sender in senders {
        let (own, points) = sender.await.unwrap();
        waits.extend(own);
        sent += points;
    }
    let took = began.elapsed().as_secs_f64();
    let (cpu, rss, peak) = used();
    waits.sort_unstable();
    let share = |q: f64| waits[((waits.len() - 1) as f64 * q) as usize].as_secs_f64() * 1e3;
    println!("{sent} points in {took:.1} s ({:.0} a second), {} appends", sent as f64 / took, waits.len());
    println!(
        "processor: {:.1} s = {:.2} of one core; memory {rss:.0} MB, at most {peak:.0} MB",
        cpu - cpu_before,
        (cpu - cpu_before) / took
    );
    println!("acknowledged after (ms): median {:.1}, 99 % {:.1}, longest {:.1}", share(0.5), share(0.99), share(1.0));
    let waiting = store.live_state().await.unwrap();
    store.seal_live(Instant(now_ns())).await.unwrap();
    let (bytes, stored) = store.size(&Access::owner()).await.unwrap();
    let (checked, found) = store.verify(true, |_, _| Ok(())).await.unwrap();
    println!(
        "{} points were in the tail; sealed {stored} points, {bytes} bytes, {} parts; faults: {}",
        waiting.points,
        checked.parts,
        found.len()
    );
    let offsets = runs * (seconds - 1).max(0) / 60;
    println!("expected {sent} points and about {offsets} of the clock");
}
