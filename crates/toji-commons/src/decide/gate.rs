//! The decision in the place of the house's one gate ([`toji_core::Gate`]).

use super::commons::Commons;
use super::request::Request;
use crate::agreement::Purpose;
use std::fmt;
use std::sync::Arc;
use toji_core::{Action, Decision, Gate, Id, Instant, Principal, Resource, Text};

/// Says to which data set a record, a series or a file belongs.
pub trait Places: Send + Sync + fmt::Debug {
    /// The data set; `None` when it belongs to none.
    fn data_set(&self, what: Resource<'_>) -> Option<Id>;
}

/// A session's view of the commons: its purpose and time are fixed when it is opened, so that one question has
/// one answer throughout. What belongs to no data set is refused.
#[derive(Debug, Clone)]
pub struct Seat {
    commons: Arc<Commons>,
    places: Arc<dyn Places>,
    purpose: Purpose,
    now: Instant,
}

impl Seat {
    /// A seat for a purpose at a time.
    #[must_use]
    pub fn new(commons: Arc<Commons>, places: Arc<dyn Places>, purpose: Purpose, now: Instant) -> Self {
        Self { commons, places, purpose, now }
    }
}

impl Gate for Seat {
    fn decide(&self, who: &Principal, action: Action, what: Resource<'_>) -> Decision {
        let refused = |ja: &str, en: &str| Decision { allow: false, reason: Text::new(ja, en) };
        let Some(data_set) = self.places.data_set(what) else {
            return refused("どのデータセットにも属しません", "it belongs to no data set");
        };
        let Ok(who) = Id::parse(&who.id) else {
            return refused("利用者の識別子ではありません", "not the identifier of a person");
        };
        let request = Request { who: &who, action: action.into(), data_set: &data_set, purpose: self.purpose, now: self.now };
        let decision = self.commons.decide(&request);
        Decision { allow: decision.allow(), reason: decision.reason() }
    }
}
