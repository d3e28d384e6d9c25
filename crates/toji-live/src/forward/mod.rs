//! Store and forward: what cannot be handed on yet waits on disk, in order, and survives a crash.
//!
//! An edge collector puts this before a sink that may be away. While the sink answers and nothing waits,
//! batches go straight through. Else they are appended to segment files (checksum a frame, flushed to disk
//! before they count as durable) and handed on in order by [`Forward::replay`]. The space is bounded: when
//! it is full, the *oldest* is kept and new batches are not acknowledged, so that the broker or device
//! keeps them.

mod segment;

use crate::fault;
use crate::merge::merge;
use segment::Files;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toji_core::Result;
use toji_core::live::{Ack, Acknowledging, Batch, Sink};
use tokio::sync::{Mutex, Notify};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long a sink may take before its batches go to disk.
const PATIENCE: Duration = Duration::from_secs(15);

/// Bytes of waiting frames that are handed on at once, about.
const AT_ONCE_BYTES: u64 = 2 << 20;

/// A sink before another sink, with a buffer on disk between.
pub struct Forward {
    beyond: Arc<dyn Sink>,
    files: Mutex<Files>,
    /// Woken when something was written to disk.
    waiting: Notify,
}

/// What stands in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Bytes on disk that are not handed on yet.
    pub bytes: u64,
    /// Frames that could not be read back: damaged on disk. They stay in their file, set aside.
    pub damaged: u64,
}

impl Forward {
    /// Opens the buffer in a folder, of at most so many bytes. A frame half written by a crash was never
    /// acknowledged and is cut off.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn open(folder: &Path, bytes_max: u64, beyond: Arc<dyn Sink>) -> Result<Arc<Self>> {
        let files = Files::open(folder, bytes_max)?;
        Ok(Arc::new(Self { beyond, files: Mutex::new(files), waiting: Notify::new() }))
    }

    /// What waits.
    pub async fn backlog(&self) -> Backlog {
        let files = self.files.lock().await;
        Backlog { bytes: files.waiting_bytes(), damaged: files.damaged() }
    }

    /// Hands on what waits, oldest first, until stopped.
    ///
    /// # Errors
    /// The folder cannot be read or written, or the sink refuses a frame for what it says.
    pub async fn replay(&self, stop: &CancellationToken) -> Result<()> {
        let mut wait = Duration::from_millis(100);
        // Frames that go one by one, because one of them was refused in company.
        let mut alone = 0usize;
        while !stop.is_cancelled() {
            let mut frames = self.files.lock().await.oldest(if alone > 0 { 0 } else { AT_ONCE_BYTES })?;
            let batches = merge(frames.iter_mut().flat_map(|frame| std::mem::take(&mut frame.batches)));
            let together = frames.len();
            let Some(last) = frames.pop() else {
                tokio::select! {
                    () = self.waiting.notified() => continue,
                    () = stop.cancelled() => return Ok(()),
                }
            };
            match hand_on(&*self.beyond, &batches).await {
                Ok(_) => {
                    self.files.lock().await.done(&last)?;
                    alone = alone.saturating_sub(together);
                    wait = Duration::from_millis(100);
                }
                Err(error) if fault::may_pass(&error) => {
                    tracing::debug!("still away: {error}");
                    tokio::select! { () = sleep(wait) => {}, () = stop.cancelled() => {} }
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                Err(_) if together > 1 => alone = together,
                Err(error) => {
                    // Refused for what it says: keep the frame aside, go on with the next.
                    tracing::error!("a buffered frame is refused and kept aside: {error}");
                    self.files.lock().await.set_aside(&last, &error)?;
                    alone = alone.saturating_sub(together);
                }
            }
        }
        Ok(())
    }
}

async fn hand_on(beyond: &dyn Sink, batches: &[Batch]) -> Result<Ack> {
    match timeout(PATIENCE, beyond.append(batches.to_vec())).await {
        Ok(answer) => answer,
        Err(_) => Err(fault::away("sink", format!("{} s", PATIENCE.as_secs()))),
    }
}

impl std::fmt::Debug for Forward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forward").field("beyond", &self.beyond).finish_non_exhaustive()
    }
}

impl Sink for Forward {
    /// What is on our disk is durable; what it is to the readers is counted when it is handed on.
    fn append(&self, batches: Vec<Batch>) -> Acknowledging<'_> {
        Box::pin(async move {
            if self.files.lock().await.waiting_bytes() == 0 {
                match hand_on(&*self.beyond, &batches).await {
                    Err(error) if fault::may_pass(&error) => {}
                    answer => return answer,
                }
            }
            self.files.lock().await.append(&batches)?;
            self.waiting.notify_one();
            Ok(Ack::default())
        })
    }
}
