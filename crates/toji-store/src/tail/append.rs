//! Appending: one write and one `fsync` for all that has gathered, then the acknowledgements.

use super::cell::Cell;
use super::cell::Number;
use super::frame::Frame;
use super::journal::{self, FRAME_BYTES_MAX, Writer};
use super::offset::Window;
use super::records::{self, KnownRun, OFFSET_KEY, live_run_id};
use crate::commit::Commit;
use crate::store::Store;
use crate::{blob, fault};
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use toji_core::live::{Ack, Batch};
use toji_core::{Access, Action, Category, Digest, Error, Instant, Place, Result};
use tokio::sync::{OwnedMutexGuard, oneshot};

/// When the journal is sealed, and how much may wait in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Points after which the journal is sealed.
    pub seal_points: u64,
    /// Age after which it is sealed.
    pub seal_age: Duration,
    /// Points that may wait in memory; appends wait for sealing beyond.
    pub points_max: u64,
    /// Points of one append.
    pub append_points_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        // A point takes about 30 bytes in memory.
        Self { seal_points: 600_000, seal_age: Duration::from_secs(600), points_max: 1_500_000, append_points_max: 200_000 }
    }
}

/// An append that waits.
#[derive(Debug)]
pub(super) struct Pending {
    access: Access,
    at: Instant,
    batches: Vec<Batch>,
    answer: oneshot::Sender<Result<Ack>>,
}

/// What the one who writes holds.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) writer: Option<Writer>,
    /// Held as long as this process appends.
    lock: Option<File>,
    known: HashMap<String, KnownRun>,
    offsets: HashMap<String, Window>,
}

/// An append whose records stand and whose frames are ready.
struct Ready {
    answer: oneshot::Sender<Result<Ack>>,
    frames: Vec<Frame>,
    marks: u64,
}

impl Store {
    /// The same store with other limits of its tail.
    #[must_use]
    pub fn with_live_limits(mut self, limits: Limits) -> Self {
        self.tail.limits = limits;
        self
    }

    /// Keeps live batches, all or none. When it answers, they are durable and every reader sees them. Batches that were
    /// kept before are known again and change nothing, so after any error the same batches may be sent once more.
    ///
    /// # Errors
    /// A batch that contradicts itself, denied access, another process that appends, storage faults.
    pub async fn append_live(self: &Arc<Self>, access: &Access, at: Instant, batches: Vec<Batch>) -> Result<Ack> {
        let points = sound(&batches, self.tail.limits.append_points_max)?;
        for batch in &batches {
            let run = live_run_id(&batch.source, &batch.run);
            self.allow_series(access, Action::Write, run.as_str()).await?;
        }
        self.make_room(at, points).await?;
        let (answer, mut acknowledged) = oneshot::channel();
        let pending = Pending { access: access.clone(), at, batches, answer };
        self.tail.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(pending);
        let mut turn = self.tail.turn.clone().lock_owned().await;
        // Whoever had the turn before may have written for us too.
        if let Ok(answer) = acknowledged.try_recv() {
            return answer;
        }
        let store = self.clone();
        // In a task of its own: a caller that goes away must not tear a write apart.
        let work = tokio::spawn(async move { store.write_waiting(&mut turn).await });
        work.await.map_err(|e| Error::bug("E-LIVE-011", e))?;
        acknowledged.await.map_err(|e| Error::bug("E-LIVE-012", e))?
    }

    /// Waits until the points find room: backpressure.
    async fn make_room(self: &Arc<Self>, at: Instant, points: u64) -> Result<()> {
        while self.tail.state().points() > 0 && self.tail.state().points() + points > self.tail.limits.points_max {
            self.seal_live(at).await?;
        }
        Ok(())
    }

    /// Writes for everyone who waits.
    async fn write_waiting(self: &Arc<Self>, turn: &mut OwnedMutexGuard<Turn>) {
        let group = std::mem::take(&mut *self.tail.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if group.is_empty() {
            return;
        }
        if let Err(error) = self.begin_writing(turn).await {
            group.into_iter().for_each(|pending| drop(pending.answer.send(Err(again(&error)))));
            return;
        }
        let mut ready = Vec::with_capacity(group.len());
        for pending in group {
            match self.prepare(turn, &pending).await {
                Ok((frames, marks)) => ready.push(Ready { answer: pending.answer, frames, marks }),
                Err(error) => drop(pending.answer.send(Err(error))),
            }
        }
        let contents: Vec<Vec<u8>> = ready.iter().flat_map(|r| &r.frames).map(Frame::encode).collect();
        let number = match &mut turn.writer {
            Some(writer) => {
                let written = if contents.is_empty() { Ok(()) } else { crate::blocking::in_place(|| writer.append(&contents)) };
                written.map(|()| writer.number)
            }
            None => Err(Error::bug("E-LIVE-013", "no journal")),
        };
        match number {
            Ok(number) => self.acknowledge(number, ready),
            Err(error) => ready.into_iter().for_each(|r| drop(r.answer.send(Err(again(&error))))),
        }
        self.seal_when_due();
    }

    /// Shows the frames to readers and tells those who wait.
    fn acknowledge(self: &Arc<Self>, number: u64, ready: Vec<Ready>) {
        let mut answers = Vec::with_capacity(ready.len());
        let changes = {
            let mut state = self.tail.state();
            for one in ready {
                let mut ack = Ack { marks: one.marks, ..Ack::default() };
                for frame in one.frames {
                    let got = state.apply(number, frame);
                    ack.points_new += got.points_new;
                    ack.points_known += got.points_known;
                    ack.points_changed += got.points_changed;
                }
                answers.push((one.answer, ack));
            }
            state.changes()
        };
        self.tail.told.send_replace(changes);
        // A caller that has gone does not hear it; the points are kept all the same.
        answers.into_iter().for_each(|(answer, ack)| drop(answer.send(Ok(ack))));
    }

    /// Sees to it that the records stand, and makes the frames.
    async fn prepare(&self, turn: &mut Turn, pending: &Pending) -> Result<(Vec<Frame>, u64)> {
        let mut commit = Commit { operation: "live append".into(), ..Commit::default() };
        let mut learnt: HashMap<String, KnownRun> = HashMap::new();
        for batch in &pending.batches {
            let run = live_run_id(&batch.source, &batch.run).to_string();
            let known = learnt.get(&run).or_else(|| turn.known.get(&run));
            if !known.is_some_and(|k| k.covers(batch)) {
                let (puts, next) = records::needed(self, pending.at, batch, known).await?;
                commit.puts.extend(puts);
                learnt.insert(run, next);
            }
        }
        if !commit.puts.is_empty() {
            self.commit(&pending.access, pending.at, commit).await?;
        }
        turn.known.extend(learnt);
        let mut frames = Vec::new();
        for batch in pending.batches.iter().filter(|b| !b.points.is_empty()) {
            frames.push(frame_of(turn, batch)?);
        }
        Ok((frames, pending.batches.iter().map(|b| b.marks.len() as u64).sum()))
    }

    /// Takes the lock, reads what is there, and opens a journal file to write to.
    pub(super) async fn begin_writing(&self, turn: &mut Turn) -> Result<()> {
        if turn.writer.is_some() {
            return Ok(());
        }
        if turn.lock.is_none() {
            turn.lock = Some(crate::blocking::in_place(|| locked(&self.tail.dir))?);
        }
        let sealed = self.sealed_runs().await?;
        crate::blocking::in_place(|| {
            self.tail.read_along(&sealed)?;
            let mut state = self.tail.state();
            let (_, kept) = journal::list(&self.tail.dir)?;
            // Points of a run count as sealed up to the highest file noted: nothing may be written into those.
            let noted = sealed.values().map(|(file, layers)| file + u64::from(*layers > 0)).max().unwrap_or(0);
            let last =
                state.files.iter().next_back().map(|(number, journal)| (*number, journal.place, journal.damage.is_empty()));
            let writer = match last {
                Some((number, Some(end), true)) if number > noted => Writer::resume(&self.tail.dir, number, end)?,
                _ => {
                    let newest = last.map_or(0, |l| l.0).max(noted).max(kept.last().copied().unwrap_or(0));
                    let before = last.and_then(|l| l.1).map_or(Digest::zero(), |p| p.hash);
                    Writer::create(&self.tail.dir, newest + 1, before)?
                }
            };
            state.files.entry(writer.number).or_default().place = Some(writer.end);
            state.writing = true;
            turn.writer = Some(writer);
            Ok(())
        })
    }

    /// Seals in the background when there is enough, and in any case some time after the first point.
    fn seal_when_due(self: &Arc<Self>) {
        let (open, points, first) = {
            let mut state = self.tail.state();
            let open = state.files.keys().next_back().copied().unwrap_or(0);
            let first = state.timed < open && state.files.get(&open).is_some_and(|j| j.points > 0);
            if first {
                state.timed = open;
            }
            (open, state.points(), first)
        };
        if first {
            let (weak, age) = (Arc::downgrade(self), self.tail.limits.seal_age);
            tokio::spawn(async move {
                tokio::time::sleep(age).await;
                let Some(store) = weak.upgrade() else { return };
                let still_open = store.tail.state().files.get(&open).is_some_and(|j| j.points > 0);
                if still_open {
                    store.seal_quietly().await;
                }
            });
        }
        if points >= self.tail.limits.seal_points && self.tail.sealing.try_lock().is_ok() {
            let store = self.clone();
            tokio::spawn(async move { store.seal_quietly().await });
        }
    }

    async fn seal_quietly(self: &Arc<Self>) {
        let now = Instant(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX));
        if let Err(error) = self.seal_live(now).await {
            // The points stay in the journal; the next append tries again.
            tracing::warn!(code = error.code(), "sealing the live journal failed: {}", error.fault().message.en);
        }
    }
}

/// The lock of the one process that appends.
fn locked(dir: &std::path::Path) -> Result<File> {
    blob::make_folder(dir)?;
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(|e| fault::io(&e, &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            Category::Conflict,
            "E-LIVE-002",
            "別のプロセスがライブデータを書き込んでいます",
            "another process is appending live data",
        )
        .hint(
            "動いているサーバーに送ってください (POST /api/v1/live/append)",
            "send it to the server that is running (POST /api/v1/live/append)",
        )),
        Err(TryLockError::Error(e)) => Err(fault::io(&e, &path)),
    }
}

/// A batch as a frame, with the source's clock offset when a minute is over.
fn frame_of(turn: &mut Turn, batch: &Batch) -> Result<Frame> {
    let run = live_run_id(&batch.source, &batch.run).to_string();
    let known = turn.known.get(&run).ok_or_else(|| Error::bug("E-LIVE-014", &run))?;
    let id = |key: &str| known.channel(key).map(ToString::to_string).ok_or_else(|| Error::bug("E-LIVE-014", key));
    let mut channels = batch.signals.iter().map(|s| id(&s.key)).collect::<Result<Vec<String>>>()?;
    let mut points: Vec<(u32, Cell)> = batch.points.iter().map(|p| (p.signal, Cell::of(p.t_ns, &p.said, p.quality))).collect();
    if let Some((t_ns, offset_ns)) = turn.offsets.entry(run.clone()).or_default().note(&batch.points) {
        points.push((
            channels.len() as u32,
            Cell { t_ns, number: Number::Scaled { mantissa: offset_ns, scale: 9 }, quality: 0, text: None },
        ));
        channels.push(id(OFFSET_KEY)?);
    }
    Ok(Frame { run, source: batch.source.clone(), channels, points })
}

/// Refuses batches that contradict themselves; counts their points.
fn sound(batches: &[Batch], points_max: u64) -> Result<u64> {
    let mut points = 0;
    for (i, batch) in batches.iter().enumerate() {
        let fault = |field: &str, ja: &str, en: &str| {
            Error::input("E-LIVE-003", ja, en).at(Place::field(format!("batches[{i}].{field}"))).hint(
                "送信側の設定を直してください。この束は何も保存されていません",
                "correct the sender; nothing of this append was stored",
            )
        };
        if batch.source.trim().is_empty() || batch.run.trim().is_empty() {
            return Err(fault("run", "ソースと培養の名前が必要です", "source and run need a name"));
        }
        if batch.signals.iter().any(|s| s.key.trim().is_empty() || s.key == OFFSET_KEY) {
            return Err(fault("signals", "信号の名前が空か、使えない名前です", "a signal has no name or a reserved one"));
        }
        let mut keys: Vec<&str> = batch.signals.iter().map(|s| s.key.as_str()).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|w| w.first() == w.last()) {
            return Err(fault("signals", "同じ名前の信号が二つあります", "two signals have the same name"));
        }
        if let Some(at) = batch.points.iter().position(|p| p.signal as usize >= batch.signals.len()) {
            return Err(fault(&format!("points[{at}].signal"), "信号の一覧にない番号です", "there is no signal of this number"));
        }
        points += batch.points.len() as u64;
        let texts: usize = batch
            .points
            .iter()
            .map(|p| match &p.said {
                toji_core::live::Said::Text(t) | toji_core::live::Said::Digits(t) => t.len(),
                toji_core::live::Said::Number(_) => 0,
            })
            .sum();
        if texts + batch.points.len() * 40 > FRAME_BYTES_MAX {
            return Err(fault("points", "一束が大きすぎます", "the batch is too large"));
        }
    }
    if points > points_max {
        return Err(Error::new(
            Category::Limit,
            "E-LIVE-004",
            format!("一度に送れるのは {points_max} 点までです ({points} 点)"),
            format!("at most {points_max} points at once ({points} were sent)"),
        )
        .hint("分けて送ってください", "send them in several appends"));
    }
    Ok(points)
}

/// The same fault once more, for each who waited for one write.
fn again(error: &Error) -> Error {
    let fault = error.fault();
    let again = Error::new(fault.category, fault.code, fault.message.ja.clone(), fault.message.en.clone());
    match &fault.hint {
        Some(hint) => again.hint(hint.ja.clone(), hint.en.clone()),
        None => again,
    }
}
