//! Sealing: from the journal into ordinary parts and the ledger, run by run.
//!
//! A new journal file is begun first, so that the one being sealed stands still. Each run's points go through the
//! ordinary commit, and the same transaction notes how far the run is sealed. After a crash the note says what is in
//! the parts already; a journal file goes only when all its runs do.

use super::append::Turn;
use super::column::Channel;
use super::journal::{self, Writer};
use crate::commit::{Commit, RunSeries};
use crate::fault;
use crate::series::Base;
use crate::store::Store;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::sync::Arc;
use toji_core::culture::Points;
use toji_core::{Access, Error, Id, Instant, Result};

/// What was sealed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Sealed {
    /// Runs.
    pub runs: u64,
    /// Points at times nothing was stored at.
    pub points_new: u64,
    /// Points that were stored already, equal.
    pub points_known: u64,
    /// Points that replace a different number at the same time.
    pub points_changed: u64,
}

impl Store {
    /// Seals everything that was appended so far. Doing it twice changes nothing. The points were allowed when they
    /// were taken; that they go from one place to another is the house's own work.
    ///
    /// # Errors
    /// Another process appends, storage faults; what is not sealed stays in the journal.
    pub async fn seal_live(self: &Arc<Self>, at: Instant) -> Result<Sealed> {
        let _sealing = self.tail.sealing.lock().await;
        if !self.tail.dir.exists() {
            return Ok(Sealed::default());
        }
        let open = {
            let mut turn = self.tail.turn.lock().await;
            self.begin_writing(&mut turn).await?;
            self.turn_over(&mut turn)?
        };
        let mut sealed = Sealed::default();
        let closed: Vec<u64> = self.tail.state().files.range(..open).map(|(number, _)| *number).collect();
        for number in closed {
            let runs: Vec<String> =
                self.tail.state().files.get(&number).map(|j| j.runs.keys().cloned().collect()).unwrap_or_default();
            for run in runs {
                self.seal_run(at, number, &run, &mut sealed).await?;
                sealed.runs += 1;
            }
            crate::blocking::in_place(|| self.put_away(number))?;
        }
        Ok(sealed)
    }

    /// Begins a new journal file when the open one holds something; returns the number of the open one.
    fn turn_over(&self, turn: &mut Turn) -> Result<u64> {
        let Some(writer) = &mut turn.writer else { return Err(Error::bug("E-LIVE-013", "no journal")) };
        if writer.is_empty() {
            return Ok(writer.number);
        }
        let next = crate::blocking::in_place(|| Writer::create(&self.tail.dir, writer.number + 1, writer.end.hash))?;
        let mut state = self.tail.state();
        if let Some(closed) = state.files.get_mut(&writer.number) {
            closed.place = Some(writer.end);
        }
        state.files.entry(next.number).or_default().place = Some(next.end);
        *writer = next;
        Ok(writer.number)
    }

    /// Commits one run of one closed file, layer by layer.
    async fn seal_run(&self, at: Instant, number: u64, run: &str, sealed: &mut Sealed) -> Result<()> {
        let id = Id::parse(run)?;
        // Layers that went in before a crash are gone from memory; the count goes on from there.
        let mut done = match self.sealed_runs().await?.get(run) {
            Some((to, layers)) if to + 1 == number => *layers,
            _ => 0,
        };
        loop {
            let (layers, channels) = {
                let state = self.tail.state();
                (state.layers(number, run), state.lowest_layer(number, run))
            };
            let channels = channels.into_iter().map(|(c, points)| Ok((Id::parse(&c)?, points))).collect::<Result<Vec<_>>>()?;
            let last = layers <= 1;
            let to = if last { (number, 0) } else { (number - 1, done + 1) };
            let commit = Commit {
                operation: "live seal".into(),
                series: vec![RunSeries { run: id.clone(), base: Base::Utc, channels }],
                ..Commit::default()
            };
            let note = (format!("live:{run}"), format!("{}/{}", to.0, to.1));
            let receipt = self.commit_noting(&Access::owner(), at, commit, &[note]).await?;
            sealed.points_new += receipt.points_new;
            sealed.points_known += receipt.points_known;
            sealed.points_changed += receipt.points_changed;
            // Each layer goes as soon as it is noted: a later fault must not seal it again under another count.
            self.tail.state().forget_sealed(number, &HashMap::from([(run.to_owned(), to)]));
            if last {
                return Ok(());
            }
            done += 1;
        }
    }

    /// Removes a journal file whose runs are all sealed. One with damage is kept, as evidence.
    fn put_away(&self, number: u64) -> Result<()> {
        let dir = &self.tail.dir;
        let path = journal::path(dir, number);
        // What is on the disk now, not what was written: a byte may have changed since.
        let found = journal::read(dir, number, None)?;
        let damaged = !found.damage.is_empty() || self.tail.state().files.get(&number).is_some_and(|j| !j.damage.is_empty());
        let gone = if damaged { std::fs::rename(&path, journal::damaged_path(dir, number)) } else { std::fs::remove_file(&path) };
        gone.and_then(|()| File::open(dir)?.sync_all()).map_err(|e| fault::io(&e, &path))?;
        self.tail.state().files.remove(&number);
        Ok(())
    }
}

impl super::state::State {
    /// Most layers of a channel of a run.
    fn layers(&self, number: u64, run: &str) -> usize {
        let channels = self.files.get(&number).and_then(|j| j.runs.get(run));
        channels.and_then(|c| c.values().map(|c| c.layers.len()).max()).unwrap_or(0)
    }
    /// The lowest layer of a run's channels.
    fn lowest_layer(&self, number: u64, run: &str) -> Vec<(String, Points)> {
        let channels: Option<&BTreeMap<String, Channel>> = self.files.get(&number).and_then(|j| j.runs.get(run));
        let points = |c: &Channel| c.layers.first().map(|layer| layer.points()).filter(|p| !p.is_empty());
        channels.into_iter().flatten().filter_map(|(name, c)| Some((name.clone(), points(c)?))).collect()
    }
}
