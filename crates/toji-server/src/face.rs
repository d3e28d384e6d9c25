//! What every handler shares: the session, the operations by path, the limits and the stop signal.

use crate::guard::Hosts;
use crate::provider::Provider;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use toji_core::Instant;
use toji_ops::{Operation, Party, Session};
use tokio::sync::{Semaphore, watch};

/// Limits of the server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a JSON body, at most.
    pub body_bytes_max: usize,
    /// Bytes of an upload (all files together), at most.
    pub upload_bytes_max: usize,
    /// Operations at work at one time.
    pub at_once: usize,
    /// How long a request waits for its turn.
    pub queue: Duration,
    /// How long an operation may take within a request; longer work is for jobs.
    pub work: Duration,
    /// How long a client may take to send a JSON body.
    pub receive: Duration,
    /// How long open requests may take to end after the stop signal.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 16 << 20,
            upload_bytes_max: 1 << 30,
            at_once: 32,
            queue: Duration::from_secs(20),
            work: Duration::from_secs(120),
            receive: Duration::from_secs(30),
            farewell: Duration::from_secs(10),
        }
    }
}

/// How the server is reached.
#[derive(Debug, Clone)]
pub struct Front {
    /// Which names it answers.
    pub hosts: Hosts,
    /// A proxy on this machine speaks TLS for it: cookies are for TLS alone, and the proxy says whom it speaks for.
    pub behind_tls: bool,
    /// Whoever has no second factor can set one up and nothing else.
    pub second_factor: bool,
    /// For which origin passkeys are made; `None` where its name is not known.
    pub party: Option<Party>,
    /// Where people may log in instead.
    pub provider: Option<Arc<Provider>>,
}

/// The shared state.
pub(crate) struct Face {
    pub(crate) session: Arc<Session>,
    pub(crate) operations: &'static [Operation],
    by_path: BTreeMap<(&'static str, &'static str), &'static Operation>,
    pub(crate) limits: Limits,
    pub(crate) front: Front,
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Face {
    pub(crate) fn new(
        session: Arc<Session>,
        operations: &'static [Operation],
        limits: Limits,
        front: Front,
        stop: watch::Receiver<bool>,
    ) -> Arc<Self> {
        let by_path = operations.iter().map(|operation| (operation.noun_verb(), operation)).collect();
        let turns = Arc::new(Semaphore::new(limits.at_once));
        Arc::new(Self { session, operations, by_path, limits, front, turns, stop })
    }

    pub(crate) fn find(&self, noun: &str, verb: &str) -> Option<&'static Operation> {
        self.by_path.get(&(noun, verb)).copied()
    }
}

/// The present. The faces are the one place that reads the clock; operations are told the time.
#[must_use]
pub fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
