//! MQTT 3.1.1: a persistent session at quality of service 1, acknowledged by hand and only when durable.
//!
//! [`link`] holds the connection, [`pattern`] turns topics into names, [`json`] reads payloads (pure), and
//! [`run`] joins them. A message that is not acknowledged comes again after a reconnection, from the broker.

pub mod json;
pub mod link;
pub mod pattern;

use crate::clock::now_ns;
use crate::config::Mqtt;
use crate::pipe::{Intake, Parcel};
use crate::tally::Tally;
use link::{Event, Link, Session};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use toji_core::{Result, live::Batch, live::Mark, live::MarkKind};
use tokio_util::sync::CancellationToken;

/// Runs that are told of an outage at once.
const RUNS: usize = 10_000;

/// Listens to one broker until stopped.
///
/// # Errors
/// The configuration names a file that cannot be read. An unreachable broker is no error: it is tried again.
pub async fn run(source: Mqtt, intake: Intake, tally: Arc<Tally>, stop: CancellationToken) -> Result<()> {
    let filters: BTreeSet<String> = source.topics.iter().map(|t| t.topic.filter()).collect();
    let session = Session { broker: &source.broker, filters: filters.into_iter().collect(), clean: false, will: None };
    let (link, mut events) = Link::start(&session, tally.clone(), stop.clone())?;
    let mut reader = json::Reader::new(source.name.clone(), &source.topics);
    let mut runs = Runs::default();
    let mut told = Told::default();
    while let Some(event) = events.recv().await {
        let parcel = match event {
            Event::Up => Parcel { batches: runs.mark(MarkKind::Reconnected, None), confirm: None, tally: tally.clone() },
            Event::Down(why) => {
                Parcel { batches: runs.mark(MarkKind::Disconnected, Some(why)), confirm: None, tally: tally.clone() }
            }
            Event::Message { publish, epoch } => {
                Tally::one(&tally.messages);
                let mut batches = reader.read(&publish.topic, &publish.payload, now_ns(), &tally);
                told.once(&mut batches);
                batches.iter().for_each(|batch| runs.seen(batch));
                Parcel { batches, confirm: link.confirm(publish, epoch), tally: tally.clone() }
            }
        };
        if !intake.send(parcel).await {
            break;
        }
    }
    Ok(())
}

/// What sources said of their batches, so that it is passed on once: a state is said again with every message.
#[derive(Debug, Default)]
pub struct Told(HashSet<(String, MarkKind)>);

impl Told {
    /// Takes out what was said before.
    pub fn once(&mut self, batches: &mut [Batch]) {
        if self.0.len() > 10 * RUNS {
            // Said again is harmless: the store keeps the first.
            self.0.clear();
        }
        for batch in batches.iter_mut().filter(|b| !b.marks.is_empty()) {
            let run = batch.run.clone();
            batch.marks.retain(|mark| !mark.kind.is_of_batch() || self.0.insert((run.clone(), mark.kind)));
        }
    }
}

/// The runs a source has spoken of, to be told when it falls silent.
#[derive(Debug, Default)]
pub struct Runs(BTreeMap<(String, String), Batch>, bool);

impl Runs {
    /// Notes the run of a batch.
    pub fn seen(&mut self, batch: &Batch) {
        let key = (batch.source.clone(), batch.run.clone());
        if self.0.len() < RUNS && !self.0.contains_key(&key) {
            let empty = Batch { signals: Vec::new(), points: Vec::new(), marks: Vec::new(), ..batch.clone() };
            self.0.insert(key, empty);
        }
    }

    /// A mark in every run seen; a reconnection only after a disconnection.
    pub fn mark(&mut self, kind: MarkKind, note: Option<String>) -> Vec<Batch> {
        match kind {
            MarkKind::Reconnected if !std::mem::take(&mut self.1) => return Vec::new(),
            MarkKind::Disconnected => self.1 = true,
            _ => {}
        }
        let mark = Mark { t_ns: now_ns(), kind, note };
        self.0.values().map(|empty| Batch { marks: vec![mark.clone()], ..empty.clone() }).collect()
    }
}
