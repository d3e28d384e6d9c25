//! What an instrument measured last, read where it is recorded: a sink before the sink.

use crate::clock::now_ns;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use toji_core::culture::Origin;
use toji_core::live::{Acknowledging, Batch, MarkKind, Said, Signal, Sink};
use toji_core::{Quality, Unit};
use tokio::sync::watch;

/// A value of a variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// When, by the instrument's clock, nanoseconds since 1970.
    pub t_ns: i64,
    /// Number.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
    /// Does anybody doubt it?
    pub is_good: bool,
}

/// What was heard of one vessel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    /// What names the run.
    pub run: Option<String>,
    /// Newest time by the instrument's clock, nanoseconds since 1970.
    pub t_ns: Option<i64>,
    /// When anything was last heard, by our clock, nanoseconds since 1970.
    pub arrived_ns: i64,
    /// When the source said that the batch has ended, by its clock.
    pub ended_ns: Option<i64>,
    /// By key of the signal: variable, origin, newest reading.
    signals: BTreeMap<String, (String, Origin, Reading)>,
}

impl Heard {
    /// The newest measured value of a variable. Set-points and actuators are no measurements; a signal whose origin
    /// is not known stands for its variable only when it is the only one.
    #[must_use]
    pub fn measured(&self, variable: &str) -> Option<&Reading> {
        let of = |origin: Origin| self.signals.values().filter(move |(v, o, _)| v == variable && *o == origin);
        let mut sensors = of(Origin::Sensor);
        if let Some((.., reading)) = sensors.next() {
            return Some(reading);
        }
        let mut unknown = of(Origin::Unknown);
        match (unknown.next(), unknown.next()) {
            (Some((.., reading)), None) => Some(reading),
            _ => None,
        }
    }

    fn take(&mut self, batch: &Batch) {
        if self.run.as_ref() != Some(&batch.run) {
            // Another batch in the vessel: nothing of the one before says anything of it.
            *self = Self { run: Some(batch.run.clone()), ..Self::default() };
        }
        self.arrived_ns = now_ns();
        for point in &batch.points {
            let Some(signal) = batch.signals.get(point.signal as usize) else { continue };
            self.t_ns = Some(self.t_ns.map_or(point.t_ns, |t| t.max(point.t_ns)));
            let Some(reading) = reading(signal, point.t_ns, &point.said, point.quality) else { continue };
            let Some(variable) = &signal.variable else { continue };
            match self.signals.get(&signal.key) {
                Some((.., before)) if before.t_ns > reading.t_ns => {}
                _ => {
                    self.signals.insert(signal.key.clone(), (variable.clone(), signal.origin, reading));
                }
            }
        }
        let ended = batch.marks.iter().filter(|m| m.kind == MarkKind::Ended).map(|m| m.t_ns).min();
        self.ended_ns = self.ended_ns.or(ended);
    }
}

fn reading(signal: &Signal, t_ns: i64, said: &Said, quality: u16) -> Option<Reading> {
    let value = match said {
        Said::Number(x) => *x,
        Said::Digits(digits) => digits.parse().ok()?,
        // No number: whatever stood there before is not known to hold any longer.
        Said::Text(_) => f64::NAN,
    };
    let unit = Unit::parse(signal.raw_unit.as_deref().unwrap_or("1")).ok()?.with_turns_counted();
    let is_good = value.is_finite() && Quality::unpack(quality).is_some_and(Quality::is_good);
    Some(Reading { t_ns, value, unit, is_good })
}

/// A sink that hands everything on and remembers what one vessel said, once it is durable.
#[derive(Clone)]
pub struct Board {
    beyond: Arc<dyn Sink>,
    source: String,
    vessel: String,
    heard: Arc<watch::Sender<Heard>>,
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("source", &self.source).field("vessel", &self.vessel).finish_non_exhaustive()
    }
}

impl Board {
    /// A board for one vessel of one source, before this sink.
    #[must_use]
    pub fn new(beyond: Arc<dyn Sink>, source: &str, vessel: &str) -> Self {
        let heard = Arc::new(watch::Sender::new(Heard::default()));
        Self { beyond, source: source.to_owned(), vessel: vessel.to_owned(), heard }
    }

    /// What was heard so far.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.heard.borrow().clone()
    }

    /// Tells when more was heard.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Heard> {
        self.heard.subscribe()
    }
}

impl Sink for Board {
    fn append(&self, batches: Vec<Batch>) -> Acknowledging<'_> {
        Box::pin(async move {
            let is_ours = |b: &&Batch| b.source == self.source && b.vessel.as_deref().unwrap_or(&b.run) == self.vessel;
            // Only what is looked at is copied, not what other vessels said.
            let ours: Vec<Batch> = batches.iter().filter(is_ours).cloned().collect();
            let ack = self.beyond.append(batches).await?;
            if !ours.is_empty() {
                self.heard.send_modify(|heard| ours.iter().for_each(|batch| heard.take(batch)));
            }
            Ok(ack)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::culture::Sampling;
    use toji_core::live::{Ack, Mark, Point};
    use toji_core::{Cause, Status};

    #[derive(Debug)]
    struct Nowhere;
    impl Sink for Nowhere {
        fn append(&self, batches: Vec<Batch>) -> Acknowledging<'_> {
            let away = batches.iter().any(|b| b.run == "away");
            Box::pin(async move {
                if away { Err(toji_core::Error::storage("E-TEST-001", "離席中", "away")) } else { Ok(Ack::default()) }
            })
        }
    }

    fn batch(run: &str, key: &str, origin: Origin, t_ns: i64, said: Said, quality: u16) -> Batch {
        let signal = Signal {
            key: key.into(),
            address: String::new(),
            variable: Some("temperature".into()),
            raw_unit: Some("°F".into()),
            origin,
            sampling: Sampling::Periodic,
        };
        let point = Point { signal: 0, t_ns, received_ns: 0, said, quality };
        Batch {
            source: "hall".into(),
            run: run.into(),
            vessel: Some("R01".into()),
            signals: vec![signal],
            points: vec![point],
            ..Batch::default()
        }
    }

    #[tokio::test]
    async fn the_newest_measured_value_stands_and_only_once_it_is_kept() {
        let board = Board::new(Arc::new(Nowhere), "hall", "R01");
        let said = |x: &str| Said::Digits(x.into());
        let now = |board: &Board| board.heard().measured("temperature").map(|r| (r.value, r.is_good));
        let bad = Quality::source(Status::Bad, Cause::InstrumentFlag).pack();
        let put = |b: Batch| board.append(vec![b]);
        put(batch("B1", "SET", Origin::Setpoint, 9, said("98.6"), 0)).await.unwrap();
        assert_eq!(now(&board), None, "a set-point is no measurement");
        put(batch("B1", "MEAS", Origin::Sensor, 5, said("97.0"), 0)).await.unwrap();
        put(batch("B1", "MEAS", Origin::Sensor, 4, said("1.0"), 0)).await.unwrap();
        assert_eq!(now(&board), Some((97.0, true)), "what comes late is not the newest");
        assert!(put(batch("away", "MEAS", Origin::Sensor, 6, said("99.0"), 0)).await.is_err());
        assert_eq!(now(&board), Some((97.0, true)));
        put(batch("B1", "MEAS", Origin::Sensor, 7, said("98.0"), bad)).await.unwrap();
        assert_eq!(now(&board), Some((98.0, false)));
        put(batch("B1", "MEAS", Origin::Sensor, 8, Said::Text("FAIL".into()), 0)).await.unwrap();
        assert!(now(&board).is_some_and(|(x, good)| x.is_nan() && !good));
        assert_eq!((board.heard().t_ns, board.heard().ended_ns), (Some(9), None));
        let mark = Mark { t_ns: 8, kind: MarkKind::Ended, note: None };
        put(Batch { marks: vec![mark], points: Vec::new(), ..batch("B1", "MEAS", Origin::Sensor, 0, said("0"), 0) })
            .await
            .unwrap();
        assert_eq!(board.heard().ended_ns, Some(8));
        put(batch("B2", "x", Origin::Unknown, 20, said("70"), 0)).await.unwrap();
        assert_eq!((now(&board), board.heard().ended_ns), (Some((70.0, true)), None), "the next batch begins anew");
        put(batch("B2", "y", Origin::Unknown, 20, said("71"), 0)).await.unwrap();
        assert_eq!(now(&board), None, "two that may be it are none");
    }
}
