//! Challenges that wait for an answer: of passkeys, and of log-ins at a provider. Each counts once and for minutes,
//! and is bound to the browser that asked for it. They live with the process: after a new start one begins again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use toji_core::Instant;

/// How many wait at one time, of all and of one address. Of each, the oldest gives way.
const ROOM: usize = 10_000;
const ROOM_OF_PLACE: usize = 100;
/// How long a passkey that was just used stands for the second factor in the session that it began, in nanoseconds.
const FRESH_NS: i64 = 300_000_000_000;

/// What waits.
pub(super) struct Waiting<T> {
    what: T,
    place: String,
    since: Instant,
    until: Instant,
}

/// Challenges by what they are bound to.
pub(super) struct Ceremonies<T> {
    waiting: Mutex<BTreeMap<String, Waiting<T>>>,
}

impl<T> Default for Ceremonies<T> {
    fn default() -> Self {
        Self { waiting: Mutex::new(BTreeMap::new()) }
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Ceremonies<T> {
    /// Begins one; what was bound to the same before counts no more.
    pub(super) fn begin(&self, bound_to: String, what: T, place: &str, now: Instant, valid_s: i64) {
        let mut waiting = held(&self.waiting);
        waiting.retain(|_, one| now < one.until);
        let full = waiting.len() >= ROOM;
        if full || waiting.values().filter(|one| one.place == place).count() >= ROOM_OF_PLACE {
            let of_place = waiting.iter().filter(|(_, one)| full || one.place == place);
            let oldest = of_place.min_by_key(|(_, one)| one.since).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                waiting.remove(&oldest);
            }
        }
        let until = now.plus_ns(valid_s.saturating_mul(1_000_000_000)).unwrap_or(now);
        waiting.insert(bound_to, Waiting { what, place: place.to_owned(), since: now, until });
    }
    /// Takes it out of use, whatever comes of it.
    pub(super) fn take(&self, bound_to: &str, now: Instant) -> Option<T> {
        let taken = held(&self.waiting).remove(bound_to)?;
        (taken.since <= now && now < taken.until).then_some(taken.what)
    }
}

/// Sessions that began with a passkey a moment ago.
#[derive(Default)]
pub(super) struct Fresh(Mutex<BTreeMap<String, Instant>>);

impl Fresh {
    pub(super) fn mark(&self, session: &str, now: Instant) {
        let mut fresh = held(&self.0);
        fresh.retain(|_, until| now < *until);
        fresh.insert(session.to_owned(), now.plus_ns(FRESH_NS).unwrap_or(now));
    }
    pub(super) fn has(&self, session: &str, now: Instant) -> bool {
        held(&self.0).get(session).is_some_and(|until| now < *until && until.0.saturating_sub(now.0) <= FRESH_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(seconds: i64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    #[test]
    fn a_challenge_counts_once_and_in_time() {
        let ceremonies = Ceremonies::default();
        ceremonies.begin("a".into(), 1, "here", t(0), 300);
        ceremonies.begin("b".into(), 2, "here", t(0), 300);
        assert_eq!(ceremonies.take("c", t(1)), None);
        assert_eq!(ceremonies.take("a", t(299)), Some(1));
        assert_eq!(ceremonies.take("a", t(299)), None);
        assert_eq!(ceremonies.take("b", t(300)), None);
        // A new one takes the place of the one before; a clock that was set back gives none.
        ceremonies.begin("a".into(), 3, "here", t(400), 300);
        ceremonies.begin("a".into(), 4, "here", t(401), 300);
        assert_eq!(ceremonies.take("a", t(402)), Some(4));
        ceremonies.begin("a".into(), 5, "here", t(400), 300);
        assert_eq!(ceremonies.take("a", t(399)), None);
    }

    #[test]
    fn whoever_asks_for_many_pushes_out_their_own() {
        let ceremonies = Ceremonies::default();
        ceremonies.begin("mine".into(), 0, "here", t(0), 300);
        for i in 1..=ROOM_OF_PLACE + 50 {
            ceremonies.begin(format!("{i}"), i, "there", t(1), 300);
        }
        assert_eq!(held(&ceremonies.waiting).len(), ROOM_OF_PLACE + 1);
        assert_eq!(ceremonies.take("mine", t(2)), Some(0));
    }

    #[test]
    fn a_passkey_is_fresh_for_five_minutes_in_its_session() {
        let fresh = Fresh::default();
        fresh.mark("s", t(0));
        assert!(fresh.has("s", t(0)) && fresh.has("s", t(299)) && !fresh.has("s", t(300)) && !fresh.has("other", t(0)));
        assert!(!fresh.has("s", t(-10)));
    }
}
