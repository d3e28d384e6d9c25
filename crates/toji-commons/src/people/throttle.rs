//! Delays after failures: for an account and for an address, doubling, never for good. Whoever guesses waits; nobody
//! can be shut out for longer than the longest delay.
//!
//! An attempt counts as failed from its beginning, and is taken back when it succeeds: so a hundred guesses at the
//! same moment are a hundred guesses.

use std::collections::BTreeMap;
use toji_core::Instant;

/// How fast the delay grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Failures without any delay.
    pub free: u32,
    /// The longest delay in seconds.
    pub most_s: i64,
    /// Seconds without a failure after which all are forgotten.
    pub forget_s: i64,
}

impl Rule {
    /// For one account.
    pub const ACCOUNT: Self = Self { free: 5, most_s: 900, forget_s: 86_400 };
    /// For one address, behind which there may be a whole laboratory.
    pub const ADDRESS: Self = Self { free: 30, most_s: 900, forget_s: 86_400 };

    /// The delay after so many failures, in seconds.
    #[must_use]
    pub fn delay_s(self, failures: u32) -> i64 {
        if failures < self.free {
            return 0;
        }
        let doublings = (failures - self.free).min(30);
        (1_i64 << doublings).min(self.most_s)
    }
}

#[derive(Debug, Clone, Copy)]
struct Tally {
    failures: u32,
    last: Instant,
}

/// The failures of many keys. Bounded: when it is full, the key that is forgotten next goes first.
#[derive(Debug)]
pub struct Throttle {
    rule: Rule,
    room: usize,
    tallies: BTreeMap<String, Tally>,
}

impl Throttle {
    /// An empty one with room for so many keys.
    #[must_use]
    pub fn new(rule: Rule, room: usize) -> Self {
        Self { rule, room: room.max(1), tallies: BTreeMap::new() }
    }

    /// Seconds to wait before the next attempt; 0 when there is none.
    #[must_use]
    pub fn wait_s(&self, key: &str, now: Instant) -> i64 {
        let Some(tally) = self.tallies.get(key) else { return 0 };
        let past = seconds_between(tally.last, now);
        if past >= self.rule.forget_s {
            return 0;
        }
        (self.rule.delay_s(tally.failures) - past).max(0)
    }

    /// Counts an attempt as failed.
    ///
    /// # Errors
    /// The seconds to wait; then it does not count as an attempt.
    pub fn begin(&mut self, key: &str, now: Instant) -> Result<(), i64> {
        let wait = self.wait_s(key, now);
        if wait > 0 {
            return Err(wait);
        }
        if !self.tallies.contains_key(key) && self.tallies.len() >= self.room {
            self.make_room(now);
        }
        let tally = self.tallies.entry(key.to_owned()).or_insert(Tally { failures: 0, last: now });
        if seconds_between(tally.last, now) >= self.rule.forget_s {
            tally.failures = 0;
        }
        tally.failures = tally.failures.saturating_add(1);
        tally.last = tally.last.max(now);
        Ok(())
    }

    /// The attempt succeeded: all failures of the key are forgotten.
    pub fn forget(&mut self, key: &str) {
        self.tallies.remove(key);
    }

    /// The attempt succeeded: it alone is taken back. For addresses: one's own account must not wash away what was
    /// tried on others from there.
    pub fn take_back(&mut self, key: &str) {
        if let Some(tally) = self.tallies.get_mut(key) {
            tally.failures = tally.failures.saturating_sub(1);
        }
    }

    fn make_room(&mut self, now: Instant) {
        let forget_s = self.rule.forget_s;
        self.tallies.retain(|_, tally| seconds_between(tally.last, now) < forget_s);
        while self.tallies.len() >= self.room {
            let least = self.tallies.iter().min_by_key(|(_, tally)| (tally.failures, tally.last)).map(|(key, _)| key.clone());
            let Some(least) = least else { return };
            self.tallies.remove(&least);
        }
    }
}

/// Whole seconds from one time to a later one; 0 when a clock was set back.
fn seconds_between(from: Instant, to: Instant) -> i64 {
    (to.0.saturating_sub(from.0) / 1_000_000_000).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn s(seconds: i64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    const RULE: Rule = Rule { free: 3, most_s: 900, forget_s: 86_400 };

    #[test]
    fn the_delay_doubles_up_to_its_most() {
        let delays: Vec<i64> = (0..15).map(|n| RULE.delay_s(n)).collect();
        assert_eq!(delays, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(RULE.delay_s(u32::MAX), 900);
    }

    #[test]
    fn failures_make_wait_and_success_or_time_forgets() {
        let mut throttle = Throttle::new(RULE, 10);
        for _ in 0..3 {
            assert_eq!(throttle.begin("a", s(0)), Ok(()));
        }
        assert_eq!(throttle.begin("a", s(0)), Err(1));
        assert_eq!(throttle.begin("b", s(0)), Ok(()));
        assert_eq!(throttle.begin("a", s(1)), Ok(()));
        assert_eq!(throttle.begin("a", s(2)), Err(1));
        assert_eq!(throttle.begin("a", s(3)), Ok(()));
        assert_eq!(throttle.wait_s("a", s(3)), 4);
        throttle.forget("a");
        assert_eq!(throttle.wait_s("a", s(3)), 0);
        for _ in 0..3 {
            throttle.begin("b", s(4)).ok();
        }
        assert!(throttle.wait_s("b", s(4)) > 0);
        assert_eq!(throttle.begin("b", s(4 + 86_400)), Ok(()));
        assert_eq!(throttle.wait_s("b", s(4 + 86_400)), 0);
    }

    #[test]
    fn a_clock_set_back_frees_nobody() {
        let mut throttle = Throttle::new(RULE, 10);
        for _ in 0..3 {
            throttle.begin("a", s(100)).unwrap();
        }
        assert_eq!(throttle.begin("a", s(10)), Err(1));
    }

    #[test]
    fn a_flood_of_names_does_not_wash_away_who_was_attacked() {
        let mut throttle = Throttle::new(RULE, 50);
        for i in 0..8 {
            throttle.begin("attacked", s(i * 20)).ok();
        }
        for i in 0..1000 {
            throttle.begin(&format!("stranger{i}"), s(160)).unwrap();
        }
        assert!(throttle.tallies.len() <= 50 && throttle.wait_s("attacked", s(160)) > 0);
    }

    proptest! {
        #[test]
        fn nobody_waits_longer_than_the_most_and_guesses_are_few(gaps in proptest::collection::vec(0i64..2000, 1..200)) {
            let mut throttle = Throttle::new(RULE, 4);
            let (mut now, mut guesses) = (0, 0_i64);
            for gap in gaps {
                now += gap;
                match throttle.begin("a", s(now)) {
                    Ok(()) => guesses += 1,
                    Err(wait) => prop_assert!((1..=RULE.most_s).contains(&wait)),
                }
            }
            // Three free, ten while the delay grows to its most, then one every 900 s.
            prop_assert!(guesses <= 14 + now / 900);
        }
    }
}
