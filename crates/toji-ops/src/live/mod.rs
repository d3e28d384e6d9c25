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
//! Below, in the store: `Store::append_live(&Arc<Store>, &Access, Instant, Vec<Batch>) -> Result<Ack>`.

mod append;
mod board;
mod collect;
mod follow;

pub use follow::{Follow, NewPoints, NewValue, Update};

use crate::operation::Operation;
use crate::session::Session;
use std::sync::Arc;
use toji_core::live::{Acknowledging, Batch, Sink};
use toji_core::{Access, Instant};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        append::operation(),
        append::seal_operation(),
        append::status_operation(),
        board::operation(),
        board::sources_operation(),
        collect::operation(),
    ]
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
        Box::pin(async move { self.session.store.append_live(&self.access, now(), batches).await })
    }
}

/// A collector runs beside the operations and for days, so it brings the time of each append itself.
fn now() -> Instant {
    Instant(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX))
}

impl Session {
    /// Seals what this process appended, when it ends. What cannot be sealed now stays in the journal.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn end_live(&self) -> toji_core::Result<()> {
        if self.store.live_state().await?.appends_here {
            self.store.seal_live(&Access::owner(), now()).await?;
        }
        Ok(())
    }

    /// Where a collector of this process puts what it hears, on behalf of the store's owner.
    #[must_use]
    pub fn live_sink(self: &Arc<Self>) -> Arc<dyn Sink> {
        Arc::new(LiveSink::new(self.clone(), Access::owner()))
    }
}
