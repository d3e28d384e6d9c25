//! A sink in memory that remembers, and that can be away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};
use toji_core::live::{Ack, Acknowledging, Batch, MarkKind, Said, Sink};
use toji_core::{Error, Result};

/// Run, signal key, time.
pub(crate) type At = (String, String, i64);

#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) away: AtomicBool,
    /// A point at this time is refused for what it says; 0 for none.
    pub(crate) refuses_ns: AtomicI64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) points: BTreeMap<At, (Said, u16)>,
    pub(crate) times_said: usize,
    pub(crate) contradictions: usize,
    pub(crate) units: BTreeSet<(String, Option<String>)>,
    pub(crate) marks: Vec<(String, MarkKind)>,
    pub(crate) simulated: BTreeSet<bool>,
}

impl Memory {
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Kept) -> R) -> R {
        look(&self.kept.lock().unwrap())
    }

    /// Waits until something is so; panics with what is there when it does not come.
    pub(crate) async fn wait(&self, what: &str, mut so: impl FnMut(&Kept) -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.look(&mut so) {
            assert!(
                Instant::now() < until,
                "did not come: {what}; {} points, marks {:?}",
                self.look(|k| k.points.len()),
                self.look(|k| k.marks.clone())
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn keep(&self, batches: Vec<Batch>) -> Result<Ack> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Error::storage("E-TEST-001", "離席中", "away"));
        }
        let bad = self.refuses_ns.load(Ordering::SeqCst);
        if bad != 0 && batches.iter().flat_map(|b| &b.points).any(|p| p.t_ns == bad) {
            return Err(Error::input("E-TEST-002", "不正な点", "a bad point"));
        }
        let mut kept = self.kept.lock().unwrap();
        for batch in batches {
            kept.simulated.insert(batch.simulated);
            kept.marks.extend(batch.marks.iter().map(|m| (batch.run.clone(), m.kind)));
            for point in batch.points {
                let signal = &batch.signals[point.signal as usize];
                kept.units.insert((signal.key.clone(), signal.raw_unit.clone()));
                kept.times_said += 1;
                let at = (batch.run.clone(), signal.key.clone(), point.t_ns);
                let now = (point.said, point.quality);
                if let Some(before) = kept.points.insert(at, now.clone())
                    && before != now
                {
                    kept.contradictions += 1;
                }
            }
        }
        Ok(Ack::default())
    }
}

impl Sink for Memory {
    fn append(&self, batches: Vec<Batch>) -> Acknowledging<'_> {
        Box::pin(async move { self.keep(batches) })
    }
}
