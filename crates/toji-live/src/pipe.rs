//! The bounded way from the sources to the sink.
//!
//! Sources put parcels in; when the sink is slow the channel fills and they wait, so memory is bounded and
//! the broker or device keeps what we have not taken. Parcels that wait together are appended together.

use crate::clock::now_ns;
use crate::fault::may_pass;
use crate::heard::Heard;
use crate::merge::merge;
use crate::tally::Tally;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toji_core::live::{Batch, Sink};
use toji_core::{Diagnostic, Error, Place, Result};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// Tells the source that its message is safe.
pub type Confirm = Box<dyn FnOnce() + Send>;

/// What one message says, and how to acknowledge it.
pub struct Parcel {
    /// What it says.
    pub batches: Vec<Batch>,
    /// Called once the batches are durable; never called otherwise.
    pub confirm: Option<Confirm>,
    /// Figures of the source it came from.
    pub tally: Arc<Tally>,
}

/// The sources' end of the pipe.
#[derive(Clone)]
pub struct Intake(mpsc::Sender<Parcel>);

impl Intake {
    /// Waits for room and puts a parcel in. `false` when nobody takes parcels any more.
    pub async fn send(&self, parcel: Parcel) -> bool {
        for batch in &parcel.batches {
            Tally::more(&parcel.tally.points, batch.points.len());
            Tally::more(&parcel.tally.marks, batch.marks.len());
        }
        self.0.send(parcel).await.is_ok()
    }
}

/// Bounds of the pipe.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Parcels that wait at most.
    pub parcels: usize,
    /// Points appended at once, about.
    pub points: usize,
    /// How long the first parcel waits for company.
    pub linger: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { parcels: 1024, points: 20_000, linger: Duration::from_millis(200) }
    }
}

/// A pipe: the sources' end and the sink's end.
#[must_use]
pub fn pipe(bounds: Bounds) -> (Intake, Outlet) {
    let (sender, parcels) = mpsc::channel(bounds.parcels.max(1));
    (Intake(sender), Outlet { parcels, bounds })
}

/// The sink's end of the pipe.
pub struct Outlet {
    parcels: mpsc::Receiver<Parcel>,
    bounds: Bounds,
}

impl Outlet {
    /// Moves parcels into the sink until every source has gone. What the sink refuses for what it says is
    /// kept as JSON lines in `aside`. After `stop`, an append that fails is not tried again: its messages
    /// stay unacknowledged and come again. `heard` marks what was not heard since the life before.
    ///
    /// # Errors
    /// The sink refuses a batch and it cannot be kept aside; what was heard cannot be noted at the end.
    pub async fn drain(
        mut self,
        sink: &dyn Sink,
        aside: Option<PathBuf>,
        heard: &mut Heard,
        stop: &CancellationToken,
    ) -> Result<()> {
        while let Some(first) = self.parcels.recv().await {
            let mut parcels = vec![first];
            self.gather(&mut parcels).await;
            let mut batches = merge(parcels.iter_mut().flat_map(|p| std::mem::take(&mut p.batches)));
            heard.mark(&mut batches, now_ns());
            let tally = parcels.first().map(|p| p.tally.clone()).unwrap_or_default();
            match persist(sink, &batches, &tally, stop).await {
                Ok(()) => {}
                Err(error) if may_pass(&error) => return Ok(()),
                Err(_) => {
                    if !one_by_one(sink, &batches, aside.as_ref(), &tally, stop).await? {
                        return Ok(());
                    }
                }
            }
            for parcel in parcels {
                if let Some(confirm) = parcel.confirm {
                    confirm();
                }
            }
            // What is kept is kept; only a later outage would be marked worse.
            if let Err(error) = heard.note(&batches, now_ns()).await {
                tally.find(finding(&error));
            }
        }
        heard.write().await
    }

    async fn gather(&mut self, parcels: &mut Vec<Parcel>) {
        let until = Instant::now() + self.bounds.linger;
        let weigh = |p: &Parcel| p.batches.iter().map(|b| b.points.len() + b.marks.len() + 1).sum::<usize>();
        let mut points: usize = parcels.iter().map(weigh).sum();
        while points < self.bounds.points
            && let Ok(Some(parcel)) = timeout_at(until, self.parcels.recv()).await
        {
            points += weigh(&parcel);
            parcels.push(parcel);
        }
    }
}

/// Appends, again and again while the sink is away.
async fn persist(sink: &dyn Sink, batches: &[Batch], tally: &Tally, stop: &CancellationToken) -> Result<()> {
    let mut wait = Duration::from_millis(100);
    if batches.is_empty() {
        return Ok(());
    }
    loop {
        let error = match sink.append(batches.to_vec()).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if !may_pass(&error) || stop.is_cancelled() {
            return Err(error);
        }
        Tally::one(&tally.retries);
        tally.find(finding(&error));
        tracing::warn!(code = error.code(), "append failed, trying again: {error}");
        tokio::select! {
            () = sleep(wait) => {}
            () = stop.cancelled() => {}
        }
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

fn finding(error: &Error) -> Diagnostic {
    let message = &error.fault().message;
    let place = error.fault().place.clone().unwrap_or_else(|| Place::field("sink"));
    Diagnostic::warning(error.code(), place, message.ja.clone(), message.en.clone())
}

/// Finds the batches that are refused and keeps them aside. `false` when the sink went away under way.
async fn one_by_one(
    sink: &dyn Sink,
    batches: &[Batch],
    aside: Option<&PathBuf>,
    tally: &Tally,
    stop: &CancellationToken,
) -> Result<bool> {
    for batch in batches {
        let error = match persist(sink, std::slice::from_ref(batch), tally, stop).await {
            Ok(()) => continue,
            Err(error) if may_pass(&error) => return Ok(false),
            Err(error) => error,
        };
        let Some(path) = aside else { return Err(error) };
        Tally::one(&tally.refused);
        tally.find(finding(&error));
        keep_aside(path, batch, &error).await?;
    }
    Ok(true)
}

async fn keep_aside(path: &Path, batch: &Batch, error: &Error) -> Result<()> {
    use tokio::io::AsyncWriteExt;
    let line = serde_json::json!({ "refused": error.fault(), "batch": batch });
    let mut file =
        tokio::fs::OpenOptions::new().create(true).append(true).open(path).await.map_err(|e| crate::fault::file(path, e))?;
    file.write_all(format!("{line}\n").as_bytes()).await.map_err(|e| crate::fault::file(path, e))?;
    file.sync_all().await.map_err(|e| crate::fault::file(path, e))
}
