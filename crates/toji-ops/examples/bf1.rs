//! Our side of the bench BF-1: `bf1 generate DIR DAYS`, `bf1 run STORE DIR`, `bf1 parse FILE…`.
//!
//! `bench/bf1/run.py` calls it beside the other engines; each command prints one JSON object. Files go
//! in through the operation `run import`, durably, as anybody's would. The questions are answered by
//! the public functions of the store, in one warm process, best of three, as the others are.

use serde_json::{Value as Json, json};
use std::error::Error;
use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant as Wall;
use toji_core::variable::GridRule;
use toji_core::{Access, Id, Instant};
use toji_ingest::{Site, Source, generate};
use toji_ops::{Options, Progress, Session, operation};
use toji_store::{Aligned, Grid, Series, Store, align, thin};

type Done<T> = Result<T, Box<dyn Error>>;

const RUN: &str = "simulated R05";
const CHANNEL: &str = "DO (%)";
const TENSOR_RUNS: usize = 12;
const START_NS: i64 = 1_790_812_800_000_000_000;
const MINUTE_NS: i64 = 60_000_000_000;
const DAY_NS: i64 = 1440 * MINUTE_NS;
const PIXELS: usize = 2000;
const CELLS_MAX: usize = 5_000_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Done<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match words.as_slice() {
        ["generate", dir, days] => write_workload(Path::new(dir), days.parse()?)?,
        ["run", store, data] => run(Path::new(store), data).await?,
        ["parse", files @ ..] => parse(files)?,
        _ => return Err("usage: bf1 generate DIR DAYS | run STORE DIR | parse FILE…".into()),
    };
    writeln!(std::io::stdout().lock(), "{answer}")?;
    Ok(())
}

fn write_workload(dir: &Path, days: f64) -> Done<Json> {
    std::fs::create_dir_all(dir.join("demo"))?;
    let files = generate::foundry_day(1, generate::FOUNDRY_REACTORS, days);
    for file in &files {
        file.write_to(std::fs::File::create(dir.join(&file.name))?)?;
    }
    // Beside the workload: files in vendors' shapes, for the comparison of parsers.
    for (name, bytes) in generate::demo_files(1) {
        std::fs::write(dir.join("demo").join(name), bytes)?;
    }
    Ok(json!({ "files": files.len() }))
}

/// CPU seconds of this process, all threads, from `/proc/self/stat` (ticks of 10 ms).
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or_default() * 1024
}

fn folder_bytes(dir: &Path) -> Done<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() { folder_bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}

/// Best of three trials, each at least as long as the others' trials; with the first, cold call.
async fn best<T, F, R>(work: F) -> Done<(T, Json)>
where
    F: Fn() -> R,
    R: Future<Output = Done<T>>,
{
    const TRIAL_S: f64 = 0.5;
    let begin = Wall::now();
    work().await?;
    let first_s = begin.elapsed().as_secs_f64();
    let begin = Wall::now();
    let answer = work().await?;
    let repeats = ((TRIAL_S / begin.elapsed().as_secs_f64().max(1e-6)) as u32 + 1).min(2000);
    let (mut cpu, mut wall) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..3 {
        let (from, begin) = (cpu_s(), Wall::now());
        for _ in 0..repeats {
            work().await?;
        }
        cpu = cpu.min((cpu_s() - from) / f64::from(repeats));
        wall = wall.min(begin.elapsed().as_secs_f64() / f64::from(repeats));
    }
    Ok((answer, json!({ "cpu_s": cpu, "wall_s": wall, "repeats": repeats, "first_wall_s": first_s })))
}

async fn run(dir: &Path, data: &str) -> Done<Json> {
    let mut result = json!({ "peer": "toji", "version": env!("CARGO_PKG_VERSION"), "layout": "one Parquet part a run and file, a row group a channel" });
    let session = Session::init(dir, Options::default()).await?;
    let (from, begin) = (cpu_s(), Wall::now());
    let context = session.context(Progress::silent(), Instant(START_NS));
    let mut paths: Vec<String> =
        std::fs::read_dir(data)?.filter_map(|e| Some(e.ok()?.path().to_string_lossy().into_owned())).collect();
    paths.retain(|p| p.ends_with(".csv"));
    paths.sort();
    let report = operation("run import")?.run(context, json!({ "paths": paths })).await?.json;
    let (cpu, wall) = (cpu_s() - from, begin.elapsed().as_secs_f64());
    let of = |name: &str| report.get(name).cloned().unwrap_or(Json::Null);
    let refused = of("not_read").as_array().map_or(0, Vec::len);
    result["ingest"] = json!({ "cpu_s": cpu, "wall_s": wall, "points": of("points"), "samples": of("samples"), "assays": of("assays"), "not_read": refused });
    result["rss_ingest_bytes"] = json!(peak_rss_bytes());
    drop(session);
    let store = Store::open(dir, None).await?;
    let (bytes, points) = store.size(&Access::owner()).await?;
    result["bytes"] = json!(bytes);
    result["points_stored"] = json!(points);
    result["bytes_originals"] = json!(folder_bytes(&dir.join("blobs"))?);
    result["bytes_catalogue"] = json!(std::fs::metadata(dir.join("catalogue.sqlite"))?.len());
    let asker = Asker::new(store).await?;
    result["queries"] = asker.all().await?;
    result["rss_bytes"] = json!(peak_rss_bytes());
    Ok(result)
}

/// Asks the questions.
struct Asker {
    store: Store,
    access: Access,
    /// Identifiers of the runs, by name.
    runs: Vec<(String, Id)>,
    run: Id,
    channel: Id,
}

/// A run as the questions over many runs need it.
struct RunFacts {
    id: Id,
    zero_ns: i64,
}

impl Asker {
    /// Looks up the identifiers that a page or a script would hold already.
    async fn new(store: Store) -> Done<Self> {
        let access = Access::owner();
        let mut runs = Vec::new();
        for record in store.records(&access, "run", None, false).await? {
            runs.push((text(&record, "key"), record.id));
        }
        runs.sort();
        let run = runs.iter().find(|r| r.0 == RUN).map(|r| r.1.clone()).ok_or("no such run")?;
        let channel = channel_of(&store, &access, &run).await?;
        Ok(Self { store, access, runs, run, channel })
    }

    async fn all(&self) -> Done<Json> {
        let mut out = json!({});
        let mut note = |name: &str, timing: Json, check: Json| {
            let mut timing = timing;
            timing["check"] = check;
            out[name] = timing;
        };
        let (series, time) = best(|| self.q1()).await?;
        note("q1", time, check_points(&series));
        let (grids, time) = best(|| self.q2()).await?;
        note("q2", time, check_grids(&grids));
        let (values, time) = best(|| self.q3()).await?;
        let found: Vec<f64> = values.into_iter().flatten().map(|v| v.0).collect();
        note("q3", time, json!({ "n": found.len(), "sum": found.iter().sum::<f64>() }));
        let (grids, time) = best(|| self.q4()).await?;
        note("q4", time, check_grids(&grids));
        let (latest, time) = best(|| self.q5()).await?;
        let t: f64 = latest.iter().map(|l| ((l.0 - START_NS) / 1000) as f64).sum();
        note("q5", time, json!({ "n": latest.len(), "sum": latest.iter().map(|l| l.1).sum::<f64>(), "t": t }));
        let ((tensor, cells), time) = best(|| self.q6()).await?;
        let numbers = || tensor.iter().filter(|v| !v.is_nan());
        note("q6", time, json!({ "n": numbers().count(), "sum": numbers().sum::<f64>(), "cells": cells }));
        let ((series, kept), time) = best(|| self.q7()).await?;
        note("q7", time, check_plot(&series, &kept));
        Ok(out)
    }

    async fn one(&self, from: i64, to: i64) -> Done<Series> {
        let found = self.store.series(&self.access, &self.run, std::slice::from_ref(&self.channel), from, to).await?;
        Ok(found.into_iter().next().map(|f| f.2).unwrap_or_default())
    }

    async fn q1(&self) -> Done<Series> {
        self.one(i64::MIN, i64::MAX).await
    }

    async fn q2(&self) -> Done<Vec<Aligned>> {
        let mut out = Vec::new();
        for (_, _, series) in self.store.series(&self.access, &self.run, &[], i64::MIN, i64::MAX).await? {
            out.push(on_grid(&series, 0, MINUTE_NS)?);
        }
        Ok(out)
    }

    /// Runs with their zero, from their records.
    async fn run_facts(&self) -> Done<Vec<RunFacts>> {
        let mut out = Vec::new();
        for record in self.store.records(&self.access, "run", None, false).await? {
            let zero_ns = Instant::parse(&text(&record, "started"))?.0;
            out.push(RunFacts { id: record.id, zero_ns });
        }
        Ok(out)
    }

    async fn q3(&self) -> Done<Vec<Option<(f64, i64)>>> {
        let mut out = Vec::new();
        for (_, run) in &self.runs {
            let mut times = Vec::new();
            for sample in self.store.linked(&self.access, "sample", "run", run.as_str()).await? {
                times.push(Instant::parse(&text(&sample, "time"))?.0);
            }
            times.sort_unstable();
            for channel in self.store.latest_good(&self.access, run, &[], &times).await? {
                out.extend(channel.values);
            }
        }
        Ok(out)
    }

    async fn q4(&self) -> Done<Vec<Aligned>> {
        let mut out = Vec::new();
        for run in self.run_facts().await? {
            let channel = channel_of(&self.store, &self.access, &run.id).await?;
            for (_, _, series) in self.store.series(&self.access, &run.id, &[channel], i64::MIN, i64::MAX).await? {
                out.push(on_grid(&series, run.zero_ns, 5 * MINUTE_NS)?);
            }
        }
        Ok(out)
    }

    async fn q5(&self) -> Done<Vec<(i64, f64)>> {
        Ok(self.store.summaries(&self.access, None).await?.into_values().filter_map(|s| s.last).collect())
    }

    /// A dense tensor run × channel × minute, NaN where nothing may be said.
    async fn q6(&self) -> Done<(Vec<f64>, usize)> {
        let mut grids: Vec<Aligned> = Vec::new();
        for (_, run) in self.runs.iter().take(TENSOR_RUNS) {
            let record = self.store.record(&self.access, "run", run.as_str(), None).await?;
            let zero_ns = Instant::parse(&text(&record, "started"))?.0;
            for (_, _, series) in self.store.series(&self.access, run, &[], i64::MIN, i64::MAX).await? {
                grids.push(on_grid(&series, zero_ns, MINUTE_NS)?);
            }
        }
        let cells = grids.iter().map(|g| g.value.len()).max().unwrap_or_default();
        let mut tensor = vec![f64::NAN; grids.len() * cells];
        for (grid, row) in grids.iter().zip(tensor.chunks_mut(cells.max(1))) {
            for (value, place) in grid.value.iter().zip(row) {
                *place = value.unwrap_or(f64::NAN);
            }
        }
        Ok((tensor, cells))
    }

    async fn q7(&self) -> Done<(Series, Vec<usize>)> {
        let summaries = self.store.summaries(&self.access, Some(&self.run)).await?;
        let last = summaries.values().find(|s| s.channel == self.channel).map(|s| s.t_max).unwrap_or_default();
        let series = self.one(last - DAY_NS, last + 1).await?;
        let kept = thin(&series, PIXELS);
        Ok((series, kept))
    }
}

fn text(record: &toji_core::Record, field: &str) -> String {
    record.fields.get(field).and_then(Json::as_str).unwrap_or_default().to_owned()
}

async fn channel_of(store: &Store, access: &Access, run: &Id) -> Done<Id> {
    let channels = store.linked(access, "channel", "run", run.as_str()).await?;
    channels.into_iter().find(|c| text(c, "key") == CHANNEL).map(|c| c.id).ok_or_else(|| "no such channel".into())
}

fn on_grid(series: &Series, zero_ns: i64, step_ns: i64) -> Done<Aligned> {
    let (Some(first), Some(last)) = (series.t_ns.first(), series.t_ns.last()) else { return Err("an empty series".into()) };
    // From the zero on, so that all channels of a run share their cells.
    let from = if zero_ns == 0 { *first } else { zero_ns };
    let grid = Grid::covering(zero_ns, from, *last, step_ns, CELLS_MAX).ok_or("too many cells")?;
    Ok(align(series, grid, GridRule::Mean, false))
}

fn check_points(series: &Series) -> Json {
    let t: f64 = series.t_ns.iter().map(|t| ((t - START_NS) / 1000) as f64).sum();
    let flagged = series.quality.iter().filter(|q| **q != 0).count();
    json!({ "n": series.len(), "sum": series.value.iter().sum::<f64>(), "t": t, "flagged": flagged })
}

fn check_grids(grids: &[Aligned]) -> Json {
    let values = || grids.iter().flat_map(|g| g.value.iter().flatten());
    json!({ "n": values().count(), "sum": values().sum::<f64>() })
}

/// Smallest and largest value of each pixel, from the points that a plot would draw.
fn check_plot(series: &Series, kept: &[usize]) -> Json {
    let mut columns = std::collections::BTreeMap::new();
    let (Some(first), Some(last)) = (series.t_ns.first(), series.t_ns.last()) else { return json!({}) };
    let (first_us, span_us) = (first / 1000, last / 1000 - first / 1000 + 1);
    for i in kept {
        let (Some(t), Some(v)) = (series.t_ns.get(*i), series.value.get(*i)) else { continue };
        let column = (t / 1000 - first_us) * PIXELS as i64 / span_us;
        let (low, high) = columns.entry(column).or_insert((*v, *v));
        *low = low.min(*v);
        *high = high.max(*v);
    }
    let sum = |f: fn(&(f64, f64)) -> f64| columns.values().map(f).sum::<f64>();
    json!({ "n": columns.len(), "sum": sum(|c| c.0), "high": sum(|c| c.1) })
}

/// CPU seconds for reading each file: from disk to a reading with its format told by content.
fn parse(files: &[&str]) -> Done<Json> {
    let mut out = json!({});
    let site = Site::default();
    for path in files {
        let name = path.rsplit('/').next().unwrap_or(path);
        let once = || -> Done<(String, usize)> {
            let bytes = std::fs::read(path)?;
            let source = Source::new(name, &bytes)?;
            let (format, reading) = toji_ingest::read(&source, &site)?;
            let points = reading.runs.iter().flat_map(|r| &r.channels).map(|c| c.points.len()).sum::<usize>();
            let assays = reading.samples.iter().map(|s| s.assays.len()).sum::<usize>();
            Ok((format.id().to_owned(), points + assays))
        };
        match once() {
            Err(error) => out[*path] = json!({ "refused": error.to_string() }),
            Ok((format, values)) => {
                let begin = Wall::now();
                once()?;
                let repeats = ((0.5 / begin.elapsed().as_secs_f64().max(1e-6)) as u32 + 1).min(20_000);
                let mut cpu = f64::INFINITY;
                for _ in 0..3 {
                    let from = cpu_s();
                    for _ in 0..repeats {
                        once()?;
                    }
                    cpu = cpu.min((cpu_s() - from) / f64::from(repeats));
                }
                out[*path] = json!({ "cpu_s": cpu, "format": format, "values": values, "repeats": repeats });
            }
        }
    }
    Ok(out)
}
