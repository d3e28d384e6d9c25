//! What guards the way in: delays after failures, and how many passwords are tried at once.

use super::ceremonies::{Ceremonies, Fresh};
use super::passkeys::Waits;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use toji_commons::people::provider::Secrets;
use toji_commons::people::{Throttle, ThrottleRule};
use toji_core::{Category, Error, Instant, Result};
use tokio::sync::Semaphore;

/// Keys remembered of each sort.
const ROOM: usize = 20_000;
/// Passwords tried at one time: each takes 19 MiB.
const AT_ONCE: usize = 4;
/// Challenges of nodes that are open at one time.
const POSED_MOST: usize = 10_000;
/// How long a challenge counts.
const POSED_NS: i64 = 120_000_000_000;

/// The state of the way in. It lives with the process: a new start forgives, and keeps nobody out.
pub(crate) struct Doors {
    accounts: Mutex<Throttle>,
    addresses: Mutex<Throttle>,
    /// Challenges of nodes, for whom, and since when.
    posed: Mutex<HashMap<String, (String, Instant)>>,
    pub(super) turns: Arc<Semaphore>,
    pub(super) ceremonies: Ceremonies<Waits>,
    pub(super) fresh: Fresh,
    pub(super) providers: Ceremonies<Secrets>,
}

impl Default for Doors {
    fn default() -> Self {
        Self {
            accounts: Mutex::new(Throttle::new(ThrottleRule::ACCOUNT, ROOM)),
            addresses: Mutex::new(Throttle::new(ThrottleRule::ADDRESS, ROOM)),
            posed: Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            ceremonies: Ceremonies::default(),
            fresh: Fresh::default(),
            providers: Ceremonies::default(),
        }
    }
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doors")
    }
}

/// An attempt that counts as failed until it is said to have passed.
pub(super) struct Attempt<'a> {
    doors: &'a Doors,
    account: String,
    address: String,
}

impl Doors {
    /// Begins an attempt.
    ///
    /// # Errors
    /// The seconds to wait.
    pub(super) fn begin(&self, account: String, address: &str, now: Instant) -> std::result::Result<Attempt<'_>, i64> {
        let (mut accounts, mut addresses) = (held(&self.accounts), held(&self.addresses));
        // Both are asked before either counts: an attempt that has to wait is none, and prolongs nothing.
        let wait = accounts.wait_s(&account, now).max(addresses.wait_s(address, now));
        if wait > 0 {
            return Err(wait);
        }
        accounts.begin(&account, now)?;
        addresses.begin(address, now)?;
        drop((accounts, addresses));
        Ok(Attempt { doors: self, account, address: address.to_owned() })
    }

    /// Remembers a challenge that was posed.
    ///
    /// # Errors
    /// `E-LOGIN-014` too many are open.
    pub(super) fn pose(&self, challenge: &str, user: &str, now: Instant) -> Result<()> {
        let mut posed = self.posed.lock().unwrap_or_else(PoisonError::into_inner);
        if posed.len() >= POSED_MOST {
            posed.retain(|_, (_, since)| now.0.saturating_sub(since.0) < POSED_NS);
        }
        if posed.len() >= POSED_MOST {
            return Err(Error::new(
                Category::Limit,
                "E-LOGIN-014",
                "ログインの問いかけが多すぎます",
                "too many challenges are open",
            )
            .hint("2 分待ってから、もう一度お試しください", "try again in two minutes"));
        }
        let user: String = user.chars().take(200).collect();
        posed.insert(challenge.to_owned(), (user, now));
        Ok(())
    }

    /// Was this challenge posed to this user lately? From now on it was not.
    pub(super) fn take_posed(&self, challenge: &str, user: &str, now: Instant) -> bool {
        let mut posed = self.posed.lock().unwrap_or_else(PoisonError::into_inner);
        posed.remove(challenge).is_some_and(|(to, since)| to == user && now.0.saturating_sub(since.0) < POSED_NS)
    }
}

fn held(throttle: &Mutex<Throttle>) -> MutexGuard<'_, Throttle> {
    throttle.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Attempt<'_> {
    /// It succeeded: the failures of the account are forgotten, and this one of the address.
    pub(super) fn passed(self) {
        held(&self.doors.accounts).forget(&self.account);
        self.back_of_address();
    }
    /// It neither failed nor succeeded: it is taken back, and nothing else.
    pub(super) fn took_no_guess(self) {
        held(&self.doors.accounts).take_back(&self.account);
        self.back_of_address();
    }
    fn back_of_address(&self) {
        held(&self.doors.addresses).take_back(&self.address);
    }
}
