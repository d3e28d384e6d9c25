//! What happened beside the numbers: events, what was sensed, what was decided and why.

use serde::Serialize;
use toji_core::culture::{Event, Observation, When};
use toji_core::{Instant, Value};

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

/// Sort of happening. `when` of an event is [`When::Unknown`]: [`Happening::at`] says it.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// An inoculation, a changed set-point, an addition, a sample, an alarm, the start or stop.
    Event(Event),
    /// What a person sensed.
    Observation(Sensed),
    /// What a person decided.
    Decision(Decision),
}

/// One thing a person sensed, on a scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sensed {
    /// `odour`, `colour` or `foam`.
    pub attribute: &'static str,
    /// Code of the sake flavour wheel with its prefix (`sake:830`, acid, acetic; `sake:610`, yeasty), for odours.
    pub term: Option<&'static str>,
    /// Step: strength 0 to 5 for odour and foam, depth 1 to 5 for colour.
    pub level: u8,
    /// Who, as a pseudonym.
    pub observer: String,
    /// In the observer's words.
    pub note: &'static str,
    /// Number of the blind sample, when the observer did not know what it was; the same sample was served
    /// again under the same number.
    pub blind_sample: Option<String>,
}

impl Sensed {
    /// As the record of a culture states it.
    #[must_use]
    pub fn observation(&self, when: When) -> Observation {
        let words = match (self.attribute, self.term) {
            ("odour", Some("sake:830")) => "酸臭 / acid odour",
            ("odour", Some("sake:610")) => "酵母様 / yeasty",
            ("colour", _) => "色の濃さ / depth of colour",
            _ => "泡 / foam",
        };
        let text = self.level.to_string();
        Observation {
            when,
            attribute: self.attribute.to_owned(),
            value: Value::exact(f64::from(self.level), &text),
            observer: Some(self.observer.clone()),
            note: Some(format!("{words}: {}", self.note)),
        }
    }
}

/// A decision in the words of the record kind `decision`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// Class of the action: `hold`, `feed-less`, `feed`, `antifoam`, `cool`.
    pub action: &'static str,
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
    /// By when, h from the start of the plant.
    pub expected_by_h: f64,
    /// Who, as a pseudonym.
    pub author: String,
}
