//! Progress of long work, and its cancellation.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use toji_core::{Category, Error, Result, Text};

/// How far the work is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Step {
    /// Units of work done.
    pub done: u64,
    /// Units in all, when known.
    pub total: Option<u64>,
    /// What is being done.
    pub message: Text,
}

type Sink = Arc<dyn Fn(&Step) + Send + Sync>;

/// Where an operation reports to, and where it learns that it shall stop.
#[derive(Clone)]
pub struct Progress {
    sink: Sink,
    cancelled: Arc<AtomicBool>,
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

impl Progress {
    /// Reports to a function.
    pub fn to(sink: impl Fn(&Step) + Send + Sync + 'static) -> Self {
        Self { sink: Arc::new(sink), cancelled: Arc::default() }
    }
    /// Reports to nobody.
    #[must_use]
    pub fn silent() -> Self {
        Self::to(|_| {})
    }
    /// Asks the work to stop at its next step.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
    /// Reports a step.
    ///
    /// # Errors
    /// The work was cancelled.
    pub fn step(&self, done: u64, total: Option<u64>, ja: impl Into<String>, en: impl Into<String>) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::new(Category::Cancelled, "E-JOB-001", "作業は取り消されました", "the work was cancelled")
                .hint("取り消し前に受領したものは残っています", "what was acknowledged before stays"));
        }
        (self.sink)(&Step { done, total, message: Text::new(ja, en) });
        Ok(())
    }
}
