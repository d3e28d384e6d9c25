//! What happened beside the numbers: events, what was sensed, what was decided and why.

use serde::{Deserialize, Serialize};
use toji_core::Instant;
use toji_core::culture::{Event, Observation};

/// Something that happened in a reactor.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// Index of the reactor.
    pub reactor: usize,
    /// When, by true time.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// Sort of happening. `when` of the parts is [`toji_core::culture::When::Unknown`]: [`Happening::at`] says it.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// An inoculation, a changed set-point, an addition, a sample, an alarm, the start or stop.
    Event(Event),
    /// What a person sensed.
    Observation(Observation),
    /// What a person decided.
    Decision(Decision),
}

/// A decision in the words of the record kind `decision`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What was seen.
    pub seen: String,
    /// What was done.
    pub done: String,
    /// Why.
    pub why: String,
    /// What was rejected.
    pub rejected: Option<String>,
    /// How sure, 0–1.
    pub confidence: f64,
    /// What is expected.
    pub expected: String,
    /// By when.
    pub expected_by: Instant,
    /// Who, as a pseudonym.
    pub author: String,
}
