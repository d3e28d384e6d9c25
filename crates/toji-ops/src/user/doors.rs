//! What guards the way in: delays after failures, and how many passwords are tried at once.

use super::ceremonies::{Ceremonies, Fresh};
use super::passkeys::Waits;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use toji_commons::people::provider::Secrets;
use toji_commons::people::{Throttle, ThrottleRule};
use toji_core::Instant;
use tokio::sync::Semaphore;

/// Keys remembered of each sort.
const ROOM: usize = 20_000;
/// Passwords tried at one time: each takes 19 MiB.
const AT_ONCE: usize = 4;

/// The state of the way in. It lives with the process: a new start forgives, and keeps nobody out.
pub(crate) struct Doors {
    accounts: Mutex<Throttle>,
    addresses: Mutex<Throttle>,
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
    pub(super) fn begin(&self, account: String, address: &str, now: Instant) -> Result<Attempt<'_>, i64> {
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
