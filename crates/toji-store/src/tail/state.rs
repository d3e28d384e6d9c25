//! The tail in memory: by journal file, run and channel. The process that appends applies what it wrote; every other
//! process reads the journal along.

use super::append::{Limits, Pending, Turn};
use super::cell::Cell;
use super::column::{Channel, Verdict};
use super::frame::Frame;
use super::journal::{self, Place};
use crate::data::{ChannelSummary, Summaries};
use crate::fault;
use crate::series::{Base, Block, Series};
use crate::sight::Sight;
use crate::store::Store;
use serde::Serialize;
use sqlx::Row as _;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use toji_core::live::Ack;
use toji_core::{Access, Digest, Id, Result};
use tokio::sync::watch;

/// Everything the store holds of live data.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(super) dir: PathBuf,
    pub(super) limits: Limits,
    state: Mutex<State>,
    /// Appends that wait for the next write.
    pub(super) waiting: Mutex<Vec<Pending>>,
    /// Whoever holds it writes for all that wait.
    pub(super) turn: Arc<tokio::sync::Mutex<Turn>>,
    /// One sealing at a time.
    pub(super) sealing: Arc<tokio::sync::Mutex<()>>,
    /// Count of changes, for those who follow.
    pub(super) told: watch::Sender<u64>,
}

/// Journal files and what they hold.
#[derive(Debug, Default)]
pub(super) struct State {
    /// By number of the file.
    pub(super) files: BTreeMap<u64, Journal>,
    /// Newest point of every channel, by run and channel. Stays when its journal is sealed.
    latest: BTreeMap<String, BTreeMap<String, LatestPoint>>,
    changes: u64,
    /// This process appends: it knows all there is without looking.
    pub(super) writing: bool,
    /// Newest file whose sealing by age is under way.
    pub(super) timed: u64,
}

/// One journal file.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) place: Option<Place>,
    pub(super) damage: Vec<u64>,
    pub(super) runs: BTreeMap<String, BTreeMap<String, Channel>>,
    pub(super) points: u64,
    /// Layers that were dropped already, by run: the catalogue says so again at every look.
    dropped: BTreeMap<String, usize>,
}

/// The newest point of a channel.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct LatestPoint {
    /// Run.
    pub run: String,
    /// Channel.
    pub channel: String,
    /// Source time, nanoseconds since 1970.
    pub t_ns: i64,
    /// Number.
    pub value: Option<f64>,
    /// What stood there when it was not a number.
    pub text: Option<String>,
    /// Packed quality, 0 is good.
    pub quality: u16,
    /// Count of changes when it came: later ones are larger.
    pub change: u64,
}

/// What is in the tail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct LiveState {
    /// This process is the one that appends.
    pub appends_here: bool,
    /// Journal files.
    pub journals: u64,
    /// Runs with points that are not sealed yet.
    pub runs: u64,
    /// Channels with points that are not sealed yet.
    pub channels: u64,
    /// Points that are not sealed yet.
    pub points: u64,
    /// Journal files with damage; `toji verify` tells more.
    pub damaged: u64,
}

/// How far a run is sealed: all files up to this number, and so many layers of the next.
pub(super) type SealedTo = (u64, usize);

impl Tail {
    pub(crate) fn new(store: &Path) -> Self {
        Self {
            dir: store.join("live"),
            limits: Limits::default(),
            state: Mutex::default(),
            waiting: Mutex::default(),
            turn: Arc::default(),
            sealing: Arc::default(),
            told: watch::Sender::new(0),
        }
    }
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A reader that panicked left nothing half changed: changes are made by `State::apply` alone.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what other processes appended and forgets what they sealed.
    pub(super) fn read_along(&self, sealed: &HashMap<String, SealedTo>) -> Result<()> {
        let mut state = self.state();
        if state.writing {
            return Ok(());
        }
        let (numbers, _) = journal::list(&self.dir)?;
        state.files.retain(|number, _| numbers.binary_search(number).is_ok());
        let mut changed = false;
        for number in numbers {
            let from = state.files.get(&number).and_then(|j| j.place);
            let read = match journal::read(&self.dir, number, from) {
                Ok(read) => read,
                // Sealed and removed meanwhile: its points are in the parts.
                Err(_) if !journal::path(&self.dir, number).exists() => {
                    state.files.remove(&number);
                    continue;
                }
                Err(error) => return Err(error),
            };
            changed |= !read.frames.is_empty();
            let journal = state.files.entry(number).or_default();
            journal.place = read.end.or(journal.place);
            journal.damage.extend(read.damage);
            for content in read.frames {
                match Frame::decode(&content) {
                    Some(frame) => drop(state.apply(number, frame)),
                    None => state.files.entry(number).or_default().damage.push(0),
                }
            }
            state.forget_sealed(number, sealed);
        }
        if changed {
            let changes = state.changes;
            drop(state);
            self.told.send_replace(changes);
        }
        Ok(())
    }

    /// What readers find behind the stored parts: for every channel its points in the tail, as blocks.
    pub(crate) fn blocks(&self, run: &Id, channels: &[Id], from: i64, to: i64) -> Vec<(String, Block)> {
        let state = self.state();
        let mut out = Vec::new();
        for (number, journal) in &state.files {
            let Some(held) = journal.runs.get(run.as_str()) else { continue };
            for (name, channel) in held {
                if !channels.is_empty() && !channels.iter().any(|c| c.as_str() == name) {
                    continue;
                }
                for (k, layer) in channel.layers.iter().enumerate() {
                    let series = layer.series(from, to);
                    let (Some(t_min), Some(t_max)) = (series.t_ns.first().copied(), series.t_ns.last().copied()) else {
                        continue;
                    };
                    let block = Block {
                        part: Digest::of_parts(&[b"live", &number.to_be_bytes(), &(k as u64).to_be_bytes()]),
                        row_group: 0,
                        seq: i64::MAX,
                        base: Base::Utc,
                        points: series.len() as u64,
                        t_min,
                        t_max,
                        tail: Some(Arc::new(series)),
                    };
                    out.push((name.clone(), block));
                }
            }
        }
        out
    }

    /// Summaries of the tail's channels, of one run or of all.
    pub(crate) fn summaries(&self, run: Option<&Id>) -> Summaries {
        let state = self.state();
        let mut out = Summaries::new();
        for journal in state.files.values() {
            let wanted = journal.runs.iter().filter(|(name, _)| run.is_none_or(|r| r.as_str() == name.as_str()));
            for (name, channels) in wanted {
                for (channel, held) in channels {
                    let Some(summary) = held.summary(channel) else { continue };
                    add(&mut out, (name.clone(), channel.clone()), &summary);
                }
            }
        }
        out
    }
}

/// Adds a later summary of a channel.
pub(crate) fn add(summaries: &mut Summaries, key: (String, String), later: &ChannelSummary) {
    match summaries.get_mut(&key) {
        Some(summary) => summary.add(later),
        None => drop(summaries.insert(key, later.clone())),
    }
}

impl State {
    /// Takes a frame in that is durable in this file.
    pub(super) fn apply(&mut self, number: u64, frame: Frame) -> Ack {
        let mut ack = Ack::default();
        self.changes += 1;
        let journal = self.files.entry(number).or_default();
        if !journal.runs.contains_key(&frame.run) {
            journal.runs.insert(frame.run.clone(), BTreeMap::new());
        }
        let Some(held) = journal.runs.get_mut(&frame.run) else { return ack };
        for (index, cell) in frame.points {
            let Some(name) = frame.channels.get(index as usize) else { continue };
            if !held.contains_key(name) {
                held.insert(name.clone(), Channel::default());
            }
            let Some(channel) = held.get_mut(name) else { continue };
            note_latest(&mut self.latest, &frame.run, name, &cell, self.changes);
            match channel.put(cell) {
                Verdict::New => ack.points_new += 1,
                Verdict::Known => ack.points_known += 1,
                Verdict::Changed => ack.points_changed += 1,
            }
        }
        journal.points += ack.points_new + ack.points_changed;
        ack
    }

    /// Drops what the catalogue says is in the parts.
    pub(super) fn forget_sealed(&mut self, number: u64, sealed: &HashMap<String, SealedTo>) {
        let Some(journal) = self.files.get_mut(&number) else { return };
        let mut dropped = 0;
        journal.runs.retain(|run, channels| {
            let Some((to, layers)) = sealed.get(run) else { return true };
            let done = *to >= number;
            if done {
                dropped += channels.values().map(Channel::points).sum::<u64>();
            } else if *to + 1 == number && *layers > 0 {
                let before = journal.dropped.insert(run.clone(), *layers).unwrap_or(0);
                for channel in channels.values_mut() {
                    let points = channel.points();
                    channel.layers.drain(..layers.saturating_sub(before).min(channel.layers.len()));
                    dropped += points - channel.points();
                }
            }
            !done
        });
        journal.points = journal.points.saturating_sub(dropped);
    }

    /// Points that are not sealed.
    pub(super) fn points(&self) -> u64 {
        self.files.values().map(|j| j.points).sum()
    }
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }
}

fn note_latest(latest: &mut BTreeMap<String, BTreeMap<String, LatestPoint>>, run: &str, channel: &str, cell: &Cell, change: u64) {
    if !latest.contains_key(run) {
        latest.insert(run.to_owned(), BTreeMap::new());
    }
    let Some(channels) = latest.get_mut(run) else { return };
    if channels.get(channel).is_some_and(|known| known.t_ns > cell.t_ns) {
        return;
    }
    let (value, text) = (cell.number.value(), cell.text.clone());
    match channels.get_mut(channel) {
        Some(known) => {
            (known.t_ns, known.value, known.text, known.quality, known.change) = (cell.t_ns, value, text, cell.quality, change);
        }
        None => {
            let (run, name) = (run.to_owned(), channel.to_owned());
            let point = LatestPoint { run, channel: name.clone(), t_ns: cell.t_ns, value, text, quality: cell.quality, change };
            channels.insert(name, point);
        }
    }
}

impl Store {
    /// How far each run is sealed, by the catalogue.
    pub(super) async fn sealed_runs(&self) -> Result<HashMap<String, SealedTo>> {
        let rows = sqlx::query("SELECT key, value FROM meta WHERE key LIKE 'live:%'")
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        let mut out = HashMap::new();
        for row in &rows {
            let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
            let (key, value) = (text("key")?, text("value")?);
            let (file, layers) = value.split_once('/').unwrap_or((&value, "0"));
            if let (Some(run), Ok(file), Ok(layers)) = (key.strip_prefix("live:"), file.parse(), layers.parse()) {
                out.insert(run.to_owned(), (file, layers));
            }
        }
        Ok(out)
    }

    /// Brings the tail up to date where another process appends. Called before every read of series.
    pub(crate) async fn refresh_tail(&self) -> Result<()> {
        if self.tail.state().writing || !self.tail.dir.exists() {
            return Ok(());
        }
        let sealed = self.sealed_runs().await?;
        crate::blocking::in_place(|| self.tail.read_along(&sealed))
    }

    /// What is in the tail.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn live_state(&self) -> Result<LiveState> {
        self.refresh_tail().await?;
        let (_, kept) = journal::list(&self.tail.dir)?;
        let state = self.tail.state();
        let runs: BTreeMap<&str, ()> = state.files.values().flat_map(|j| j.runs.keys()).map(|r| (r.as_str(), ())).collect();
        let channels = |j: &Journal| j.runs.values().map(|c| c.len() as u64).sum::<u64>();
        Ok(LiveState {
            appends_here: state.writing,
            journals: state.files.len() as u64,
            runs: runs.len() as u64,
            channels: state.files.values().map(channels).max().unwrap_or(0),
            points: state.points(),
            damaged: kept.len() as u64 + state.files.values().filter(|j| !j.damage.is_empty()).count() as u64,
        })
    }

    /// Tells when something was appended: the value is the count of changes.
    #[must_use]
    pub fn live_changes(&self) -> watch::Receiver<u64> {
        self.tail.told.subscribe()
    }

    /// The newest point of every channel that changed after a count of changes (0: of all), as far as the asker may see
    /// it, with the count now. Channels that were silent since this process began are not among them.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn live_latest(&self, access: &Access, after: u64) -> Result<(u64, Vec<LatestPoint>)> {
        self.refresh_tail().await?;
        let (now, found) = {
            let state = self.tail.state();
            let newer = |p: &&LatestPoint| p.change > after;
            (state.changes, state.latest.values().flat_map(BTreeMap::values).filter(newer).cloned().collect::<Vec<_>>())
        };
        let mut sight = Sight::new(self, access);
        let mut out = Vec::with_capacity(found.len());
        for point in found {
            if sight.sees_channel(&point.run, &point.channel).await? {
                out.push(point);
            }
        }
        Ok((now, out))
    }

    /// Points of some channels of a run in the tail, each from its own time on (excluded).
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn live_since(&self, access: &Access, run: &Id, after: &[(Id, i64)]) -> Result<Vec<(Id, Series)>> {
        self.refresh_tail().await?;
        let mut sight = Sight::new(self, access);
        sight.settle_run(run.as_str()).await?;
        let mut out = Vec::new();
        for (channel, t) in after {
            if !sight.sees_channel(run.as_str(), channel.as_str()).await? {
                continue;
            }
            let blocks = self.tail.blocks(run, std::slice::from_ref(channel), t.saturating_add(1), i64::MAX);
            let mut series = Series::default();
            for held in blocks.iter().filter_map(|(_, block)| block.tail.as_ref()) {
                series.merge((**held).clone());
            }
            out.push((channel.clone(), series));
        }
        Ok(out)
    }
}
