//! What happens when a run has ended: it is checked, analysed, and the analysis kept, without anybody asking.

use super::analyse::kept;
use super::inputs::ended_s;
use crate::dataset::Whole;
use crate::operation::Context;
use crate::progress::Progress;
use crate::session::Session;
use std::sync::Arc;
use toji_core::{Access, Id, Instant, Result};

/// Checks, analyses and stores a run that has ended; answers the record of the analysis. None for a run of which no
/// end is recorded (no event `stop` or `ended`), and for one without any points: nothing is stored then. Called again
/// for the same run it changes nothing.
///
/// # Errors
/// No such run, storage faults.
pub(crate) async fn conclude(session: &Arc<Session>, access: &Access, now: Instant, run: &Id) -> Result<Option<Id>> {
    let context = Context {
        session: session.clone(),
        access: access.clone(),
        now,
        seed: 0,
        progress: Progress::silent(),
        local_files: false,
    };
    let whole = Whole::load(&context, run.as_str()).await?;
    let measured = whole.channels.iter().any(|(_, series)| !series.is_empty());
    if ended_s(&whole).is_none() || !measured {
        return Ok(None);
    }
    kept(&context, run.as_str()).await.map(Some)
}
