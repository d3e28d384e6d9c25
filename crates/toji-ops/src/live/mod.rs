//! Live data: what connected sources say, kept the moment they say it.
//!
//! **For whoever writes a collector.** Data go in through [`toji_core::live::Sink`]:
//!
//! ```ignore
//! let sink: Arc<dyn Sink> = session.live_sink();              // or `LiveSink::new(session, access)`
//! let ack = sink.append(vec![batch]).await?;                  // durable and visible from here on
//! ```
//!
//! * One append is kept or refused as a whole. After any error send the same batches again: what was kept is known.
//! * Many tasks may append at once; they share one write and one `fsync`. One task that waits for each answer sends
//!   slower than several.
//! * Backpressure: an append waits when the store has to make room. Hold a bounded number of batches.
//! * A run is known by source and `Batch::run` ([`toji_store::live_run_id`]), a channel by run and key. Run, channels
//!   and marks become records before the first acknowledgement; `Signal::variable` may stay empty, then it is recognised.
//! * One process appends (the server). Anything else posts to `live append`.
//!
//! * A run whose source says that its batch has ended is concluded by itself ([`conclude`]): the append that brings the
//!   mark leaves a job in the catalogue before it answers, so a crash between the two makes the sender say it again.
//!
//! Below, in the store: `Store::append_live(&Arc<Store>, &Access, Instant, Vec<Batch>) -> Result<Ack>`.

mod append;
mod board;
mod collect;
mod conclude;
mod follow;

pub(crate) use conclude::conclude_run;
pub use follow::{Follow, NewPoints, NewValue, Update};

use crate::operation::Operation;
use crate::session::Session;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use toji_core::live::{Ack, Acknowledging, Batch, MarkKind, Sink};
use toji_core::{Access, Instant, Result};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        append::operation(),
        append::seal_operation(),
        append::status_operation(),
        board::operation(),
        board::sources_operation(),
        collect::operation(),
        conclude::operation(),
    ]
}

/// Keeps batches, and sees to it that runs whose source says that they have ended are concluded.
async fn keep(session: &Arc<Session>, access: &Access, at: Instant, batches: Vec<Batch>) -> Result<Ack> {
    let has_ended = |b: &&Batch| b.marks.iter().any(|mark| mark.kind == MarkKind::Ended);
    let ended: BTreeSet<String> =
        batches.iter().filter(has_ended).map(|b| toji_store::live_run_id(&b.source, &b.run).to_string()).collect();
    let ack = session.store.append_live(access, at, batches).await?;
    for run in ended {
        session.submit(conclude::NAME, json!({ "run": run }), at).await?;
    }
    Ok(ack)
}

/// Appends to a session's store on behalf of somebody.
#[derive(Debug, Clone)]
pub struct LiveSink {
    session: Arc<Session>,
    access: Access,
}

impl LiveSink {
    /// For these hands.
    #[must_use]
    pub fn new(session: Arc<Session>, access: Access) -> Self {
        Self { session, access }
    }
}

impl Sink for LiveSink {
    fn append(&self, batches: Vec<Batch>) -> Acknowledging<'_> {
        Box::pin(async move { keep(&self.session, &self.access, now(), batches).await })
    }
}

/// How long the end waits for work that goes on in the background.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A collector runs beside the operations and for days, so it brings the time of each append itself.
fn now() -> Instant {
    Instant(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX))
}

impl Session {
    /// Seals what this process appended, when it ends. What cannot be sealed now stays in the journal.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn end_live(&self) -> Result<()> {
        if self.store.live_state().await?.appends_here {
            self.store.seal_live(now()).await?;
        }
        // Conclusions that are under way; what is not done by then is taken up by whoever opens the store next.
        crate::job::settle(self, PATIENCE).await;
        Ok(())
    }

    /// Where a collector of this process puts what it hears, on behalf of the store's owner.
    #[must_use]
    pub fn live_sink(self: &Arc<Self>) -> Arc<dyn Sink> {
        Arc::new(LiveSink::new(self.clone(), Access::owner()))
    }
}
