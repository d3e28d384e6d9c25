//! Following live data at the pace of an eye: the latest values some times a second, and for one run the new points,
//! thinned to what a plot can show.

use crate::session::Session;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use toji_core::{Access, Id, Result};
use toji_store::thin;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// Columns a plot gains between two updates, at most.
const COLUMNS: usize = 8;
/// How often another process's appends are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// One who follows.
#[derive(Debug)]
pub struct Follow {
    session: Arc<Session>,
    access: Access,
    run: Option<Id>,
    every: Duration,
    cursor: u64,
    /// Newest time already sent, of the channels of `run`.
    sent: BTreeMap<Id, i64>,
    changes: watch::Receiver<u64>,
    next: Instant,
}

/// A value that is new: channel, seconds since 1970, number, quality, and the text where there is no number.
pub type NewValue = (String, f64, Option<f64>, u16, Option<String>);

/// New points of a channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NewPoints {
    /// Seconds since 1970.
    pub t_s: Vec<f64>,
    /// Numbers; `null` where there is none.
    pub value: Vec<Option<f64>>,
}

/// What is new.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Update {
    /// Count of changes.
    pub change: u64,
    /// Channels that have a new value.
    pub values: Vec<NewValue>,
    /// New points of the run that is followed, by channel.
    pub points: BTreeMap<String, NewPoints>,
}

impl Session {
    /// Follows all live data, and the points of one run; at most `rate_hz` (0.1 to 4) updates a second.
    ///
    /// # Errors
    /// The run's identifier is none.
    pub fn follow_live(self: &Arc<Self>, access: Access, run: Option<&str>, rate_hz: f64) -> Result<Follow> {
        let rate_hz = if rate_hz.is_finite() { rate_hz.clamp(0.1, 4.0) } else { 4.0 };
        Ok(Follow {
            run: run.map(Id::parse).transpose()?,
            every: Duration::from_secs_f64(1.0 / rate_hz),
            cursor: 0,
            sent: BTreeMap::new(),
            changes: self.store.live_changes(),
            next: Instant::now(),
            session: self.clone(),
            access,
        })
    }
}

impl Follow {
    /// Waits for something new. The first update holds the latest value of every channel.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn next(&mut self) -> Result<Update> {
        loop {
            sleep_until(self.next).await;
            self.next = Instant::now() + self.every;
            let store = &self.session.store;
            let (change, latest) = store.live_latest(&self.access, self.cursor).await?;
            if latest.is_empty() && self.cursor > 0 {
                // Silence of this process; another one may append.
                let _ = timeout(LOOK, self.changes.changed()).await;
                continue;
            }
            self.changes.mark_unchanged();
            let first = self.cursor == 0;
            self.cursor = change.max(1);
            let mut update = Update { change, ..Update::default() };
            let followed = latest.iter().filter(|p| self.run.as_ref().is_some_and(|run| run.as_str() == p.run));
            let mut wanted = Vec::new();
            for point in followed {
                let channel = Id::parse(&point.channel)?;
                if !first {
                    let from = self.sent.get(&channel).copied().unwrap_or(point.t_ns - 1);
                    wanted.push((channel.clone(), from));
                }
                self.sent.insert(channel, point.t_ns);
            }
            if let Some(run) = &self.run
                && !wanted.is_empty()
            {
                for (channel, series) in store.live_since(&self.access, run, &wanted).await? {
                    let kept = thin(&series, COLUMNS);
                    let points = NewPoints {
                        t_s: kept.iter().filter_map(|i| series.t_ns.get(*i)).map(|t| *t as f64 / 1e9).collect(),
                        value: kept.iter().filter_map(|i| series.value.get(*i)).map(|v| (!v.is_nan()).then_some(*v)).collect(),
                    };
                    // What came while we read is not sent twice.
                    if let Some(last) = series.t_ns.last() {
                        self.sent.entry(channel.clone()).and_modify(|t| *t = (*t).max(*last));
                    }
                    update.points.insert(channel.to_string(), points);
                }
            }
            let new = |p: toji_store::LatestPoint| (p.channel, p.t_ns as f64 / 1e9, p.value, p.quality, p.text);
            update.values = latest.into_iter().map(new).collect();
            return Ok(update);
        }
    }
}
