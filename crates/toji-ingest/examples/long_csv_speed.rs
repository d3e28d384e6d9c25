//! Measures the fast path for long tables: `cargo run --release -p toji-ingest --example long_csv_speed`.
//!
//! Makes one reactor-day of the foundry workload in memory and reads it several times. CPU time is that
//! of this process, from `/proc/self/stat` (clock ticks of 10 ms).

use std::io::Write as _;
use std::time::Instant;
use toji_ingest::{Site, Source, generate, read};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let reactors: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(4);
    let mut bytes = Vec::new();
    for file in generate::foundry_day(1, reactors, 1.0).iter().filter(|f| f.is_series()) {
        file.write_to(&mut bytes)?;
    }
    // All files but the first begin with the same header: keep one.
    let header = bytes.iter().position(|b| *b == b'\n').map_or(0, |i| i + 1);
    let line = bytes.get(..header).unwrap_or(b"").to_vec();
    let body: Vec<u8> = bytes.split_inclusive(|b| *b == b'\n').filter(|l| *l != line.as_slice()).flatten().copied().collect();
    let file = [line, body].concat();
    let rows = file.iter().filter(|b| **b == b'\n').count() - 1;
    let mut out = std::io::stdout().lock();
    for round in 1..=5 {
        let (cpu, wall) = (cpu_seconds(), Instant::now());
        let source = Source::new("foundry.csv", &file)?;
        let (_, reading) = read(&source, &Site::default())?;
        let (cpu, wall) = (cpu_seconds() - cpu, wall.elapsed().as_secs_f64());
        let points: usize = reading.runs.iter().flat_map(|r| &r.channels).map(|c| c.points.len()).sum();
        writeln!(
            out,
            "round {round}: {rows} rows, {} MB, {points} points, {cpu:.2} CPU s, {wall:.2} s, {:.2} M rows per CPU s",
            file.len() / 1_000_000,
            rows as f64 / cpu.max(0.01) / 1e6
        )?;
    }
    Ok(())
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
    ticks / 100.0
}
