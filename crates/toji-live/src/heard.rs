//! When each run was last heard, over the lives of the collector.
//!
//! A connection that is lost leaves marks. A collector that is stopped or killed can leave none at that moment; what
//! it last heard is therefore noted beside its configuration, and the next life marks the stretch in between as an
//! outage of every run that it hears again. Whatever a source sends later of that stretch stands in it as ever.

use crate::fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use toji_core::live::{Batch, Mark, MarkKind};
use toji_core::{Error, Result};

/// How often the note is written at most; a crash makes a marked outage longer by this at most.
const EVERY: Duration = Duration::from_secs(1);
/// Runs not heard for longer are forgotten.
const KEPT_NS: i64 = 7 * 86_400 * 1_000_000_000;
const NOTE: &str = "the collector was not running";

/// A run and when it was last heard by our clock, nanoseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    source: String,
    run: String,
    t_ns: i64,
}

/// What was heard of each run.
#[derive(Debug, Default)]
pub struct Heard {
    path: Option<PathBuf>,
    before: BTreeMap<(String, String), i64>,
    now: BTreeMap<(String, String), i64>,
    written: Option<Instant>,
}

impl Heard {
    /// Reads what the life before noted. No file: nothing was heard before. A file that cannot be understood was
    /// torn by a crash and is taken for none.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub async fn open(path: Option<PathBuf>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let bytes = match tokio::fs::read(&path).await {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(why) => return Err(fault::file(&path, why)),
        };
        let runs: Vec<Run> = serde_json::from_slice(&bytes).unwrap_or_default();
        let before = runs.into_iter().map(|r| ((r.source, r.run), r.t_ns)).collect();
        Ok(Self { path: Some(path), before, ..Self::default() })
    }

    /// Puts the marks of the outage before the first batch of a run that the life before knew.
    pub fn mark(&mut self, batches: &mut [Batch], now_ns: i64) {
        for batch in batches.iter_mut().filter(|b| !b.points.is_empty()) {
            let Some(last) = self.before.remove(&(batch.source.clone(), batch.run.clone())) else { continue };
            let mark = |t_ns, kind| Mark { t_ns, kind, note: Some(NOTE.to_owned()) };
            let outage = [mark(last.min(now_ns), MarkKind::Disconnected), mark(now_ns, MarkKind::Reconnected)];
            batch.marks.splice(0..0, outage);
        }
    }

    /// Notes that these batches are durable.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn note(&mut self, batches: &[Batch], now_ns: i64) -> Result<()> {
        for batch in batches.iter().filter(|b| !b.points.is_empty()) {
            self.now.insert((batch.source.clone(), batch.run.clone()), now_ns);
        }
        if self.written.is_some_and(|at| at.elapsed() < EVERY) {
            return Ok(());
        }
        self.now.retain(|_, t_ns| now_ns - *t_ns < KEPT_NS);
        self.write().await
    }

    /// Writes what is known, of this life and, for runs not heard again yet, of the one before.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn write(&mut self) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let known = self.before.iter().chain(&self.now);
        let runs: Vec<Run> =
            known.map(|((source, run), t_ns)| Run { source: source.clone(), run: run.clone(), t_ns: *t_ns }).collect();
        let bytes = serde_json::to_vec(&runs).map_err(|e| Error::bug("B-LINK-008", e))?;
        let new = path.with_extension("new");
        tokio::fs::write(&new, bytes).await.map_err(|e| fault::file(&new, e))?;
        tokio::fs::rename(&new, path).await.map_err(|e| fault::file(path, e))?;
        self.written = Some(Instant::now());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::live::{Point, Said};

    fn batch(run: &str, points: usize) -> Batch {
        let point = Point { signal: 0, t_ns: 1, received_ns: 1, said: Said::Number(7.0), quality: 0 };
        Batch { source: "plc".into(), run: run.into(), points: vec![point; points], ..Batch::default() }
    }

    #[tokio::test]
    async fn a_stretch_without_collector_is_an_outage_of_what_is_heard_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plant.heard.json");
        let mut first = Heard::open(Some(path.clone())).await.unwrap();
        let mut batches = [batch("R1", 2), batch("R2", 1)];
        first.mark(&mut batches, 100);
        assert!(batches.iter().all(|b| b.marks.is_empty()), "nothing was heard before");
        first.note(&batches, 100).await.unwrap();
        // Killed here. R3 is new; R1 says something that is no point, then a point, then another.
        let mut second = Heard::open(Some(path.clone())).await.unwrap();
        let mut batches = [batch("R1", 0), batch("R3", 1), batch("R1", 1), batch("R1", 1)];
        second.mark(&mut batches, 900);
        let marks: Vec<_> = batches.iter().map(|b| b.marks.iter().map(|m| (m.t_ns, m.kind)).collect::<Vec<_>>()).collect();
        let outage = vec![(100, MarkKind::Disconnected), (900, MarkKind::Reconnected)];
        assert_eq!(marks, [vec![], vec![], outage, vec![]]);
        second.note(&batches, 900).await.unwrap();
        // Killed again, before R2 was heard: its outage began when it was heard last.
        let mut third = Heard::open(Some(path.clone())).await.unwrap();
        let mut batches = [batch("R2", 1), batch("R3", 1)];
        third.mark(&mut batches, 2_000);
        assert_eq!(batches.iter().map(|b| b.marks[0].t_ns).collect::<Vec<_>>(), [100, 900]);
        std::fs::write(&path, b"[{\"source\":\"pl").unwrap();
        assert!(Heard::open(Some(path)).await.unwrap().before.is_empty(), "a torn note is none");
    }
}
