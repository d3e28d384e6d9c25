//! What a source has said, counted, and what could not be read, with its place: nothing ends silently.

use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use toji_core::{Diagnostic, Place};

/// Findings kept a source; further ones are counted.
const FINDINGS: usize = 200;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident),+ $(,)?) => {
        /// Figures of one source since the start.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
        pub struct Counts { $($(#[doc = $doc])+ pub $name: u64,)+ }
        /// Counters of one source, shared by all that work for it.
        #[derive(Debug, Default)]
        pub struct Tally { $($(#[doc = $doc])+ pub $name: AtomicU64,)+ findings: Mutex<BTreeMap<(String, String), (Diagnostic, u64)>> }
        impl Tally {
            /// The figures now.
            #[must_use]
            pub fn counts(&self) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }
        impl Counts {
            /// Adds the figures of another source.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }
        }
    };
}

counters! {
    /// Messages that arrived.
    messages,
    /// Points read from them.
    points,
    /// Marks set: births, deaths, outages, holes.
    marks,
    /// Messages acknowledged to the source after they were durable.
    acknowledged,
    /// Acknowledgements held back because the connection that brought the message is gone; it comes again.
    stale_acknowledgements,
    /// Values and payloads that were not readable as declared; kept as text.
    unread,
    /// Points whose source time was missing or unreadable; they stand at the time of arrival, flagged.
    without_time,
    /// Values that nothing in the configuration asks for.
    not_asked,
    /// Connections made.
    connections,
    /// Connections lost.
    disconnections,
    /// Holes in sequence numbers and overflows of the source's queue.
    holes,
    /// Births asked for again.
    rebirths_asked,
    /// Batches the sink refused for what they say; kept aside.
    refused,
    /// Appends that had to be repeated because the sink was away.
    retries,
}

impl Tally {
    /// Counts one more.
    pub fn one(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts more.
    pub fn more(counter: &AtomicU64, by: usize) {
        counter.fetch_add(by as u64, Ordering::Relaxed);
    }

    /// Keeps a finding; the same code at the same place is kept once and counted.
    pub fn find(&self, finding: Diagnostic) {
        let key = (finding.code.clone(), finding.place.to_string());
        let mut findings = self.findings.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, times)) = findings.get_mut(&key) {
            *times += 1;
        } else if findings.len() < FINDINGS {
            findings.insert(key, (finding, 1));
        } else {
            let more = Diagnostic::note("N-LINK-099", Place::default(), "ほかにも指摘があります", "there are further findings");
            findings.entry((more.code.clone(), String::new())).or_insert((more, 0)).1 += 1;
        }
    }

    /// All findings with how often they came.
    #[must_use]
    pub fn findings(&self) -> Vec<(Diagnostic, u64)> {
        let findings = self.findings.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        findings.values().cloned().collect()
    }
}
