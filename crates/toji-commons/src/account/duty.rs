//! One duty over time: what it asks for, what is frozen, and by when.

use serde::{Deserialize, Serialize};
use toji_core::{Id, Instant};

/// A duty that still asks for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenDuty {
    /// Duty.
    pub duty: Id,
    /// Who owes.
    pub member: Id,
    /// Under which agreement.
    pub agreement: Id,
    /// The data set that was taken.
    pub data_set: Id,
    /// Units still owed, without what is disputed.
    pub owed: i64,
    /// Units frozen by a dispute.
    pub disputed: i64,
    /// By when.
    pub due: Instant,
}

impl OpenDuty {
    /// Is something owed whose date has passed? What is disputed is never overdue.
    #[must_use]
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.owed > 0 && self.due < now
    }
}

/// What happened to a duty at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Move {
    pub(super) at: Instant,
    /// Added to what is owed.
    pub(super) owed: i64,
    /// Added to what is disputed.
    pub(super) disputed: i64,
}

/// A duty with all that happened to it, by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Duty {
    pub(super) member: Id,
    pub(super) agreement: Id,
    pub(super) data_set: Id,
    moves: Vec<Move>,
    /// From when which due date holds.
    dues: Vec<(Instant, Instant)>,
}

impl Duty {
    pub(super) fn new(member: Id, agreement: Id, data_set: Id) -> Self {
        Self { member, agreement, data_set, moves: Vec::new(), dues: Vec::new() }
    }

    pub(super) fn add(&mut self, step: Move) {
        let place = self.moves.partition_point(|m| *m <= step);
        self.moves.insert(place, step);
    }

    /// Sets the due date from an instant on. Of two set at one instant the later date holds, whatever the
    /// order they arrived in.
    pub(super) fn set_due(&mut self, from: Instant, due: Instant) {
        let place = self.dues.partition_point(|d| *d <= (from, due));
        self.dues.insert(place, (from, due));
    }

    pub(super) fn clear_due(&mut self, from: Instant, due: Instant) {
        if let Some(place) = self.dues.iter().position(|d| *d == (from, due)) {
            self.dues.remove(place);
        }
    }

    /// Owed and disputed at an instant.
    pub(super) fn standing(&self, at: Instant) -> (i64, i64) {
        self.moves.iter().take_while(|m| m.at <= at).fold((0, 0), |(o, d), m| (o + m.owed, d + m.disputed))
    }

    /// The due date that holds at an instant.
    pub(super) fn due(&self, at: Instant) -> Option<Instant> {
        self.dues.iter().rev().find(|(from, _)| *from <= at).map(|(_, due)| *due)
    }

    /// The first instant after whose moves something is below zero. Moves of one instant count together, so
    /// the answer does not depend on the order they arrived in.
    pub(super) fn overdrawn(&self) -> Option<Instant> {
        let (mut owed, mut disputed) = (0, 0);
        let mut moves = self.moves.iter().peekable();
        while let Some(step) = moves.next() {
            owed += step.owed;
            disputed += step.disputed;
            let more_now = moves.peek().is_some_and(|next| next.at == step.at);
            if !more_now && (owed < 0 || disputed < 0) {
                return Some(step.at);
            }
        }
        None
    }
}
