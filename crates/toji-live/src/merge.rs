//! Many small batches of a run into one: a sink pays once for what arrived together.

use std::collections::HashMap;
use toji_core::live::{Batch, Signal};

/// One run of one source.
type Run = (String, String, Option<String>, bool);

/// A batch that grows, with the place of each of its signals.
struct Growing {
    batch: Batch,
    place: HashMap<String, u32>,
}

/// Joins batches of the same source and run, in order. A signal that declares itself otherwise than before
/// (another unit, another address) begins a new batch, so that each point keeps the declaration it came with.
#[must_use]
pub fn merge(batches: impl IntoIterator<Item = Batch>) -> Vec<Batch> {
    let mut done: Vec<Growing> = Vec::new();
    let mut open: HashMap<Run, usize> = HashMap::new();
    for batch in batches {
        let run = (batch.source.clone(), batch.run.clone(), batch.vessel.clone(), batch.simulated);
        let at = open.get(&run).copied().filter(|at| done.get(*at).is_some_and(|g| agrees(g, &batch.signals)));
        let at = at.unwrap_or_else(|| {
            let (source, name, vessel, simulated) = run.clone();
            done.push(Growing {
                batch: Batch { source, run: name, vessel, simulated, ..Batch::default() },
                place: HashMap::new(),
            });
            done.len() - 1
        });
        open.insert(run, at);
        if let Some(growing) = done.get_mut(at) {
            join(growing, batch);
        }
    }
    done.into_iter().map(|growing| growing.batch).collect()
}

fn agrees(growing: &Growing, signals: &[Signal]) -> bool {
    signals
        .iter()
        .all(|signal| growing.place.get(&signal.key).is_none_or(|at| growing.batch.signals.get(*at as usize) == Some(signal)))
}

fn join(growing: &mut Growing, batch: Batch) {
    let places: Vec<u32> = batch
        .signals
        .into_iter()
        .map(|signal| {
            if let Some(at) = growing.place.get(&signal.key) {
                return *at;
            }
            let at = u32::try_from(growing.batch.signals.len()).unwrap_or(u32::MAX);
            growing.place.insert(signal.key.clone(), at);
            growing.batch.signals.push(signal);
            at
        })
        .collect();
    growing.batch.points.extend(batch.points.into_iter().filter_map(|mut point| {
        // A point without its signal cannot be made by this crate: sources index their own list.
        point.signal = *places.get(point.signal as usize)?;
        Some(point)
    }));
    growing.batch.marks.extend(batch.marks);
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::culture::{Origin, Sampling};
    use toji_core::live::{Point, Said};

    fn batch(run: &str, keys: &[(&str, &str)], points: &[(u32, i64)]) -> Batch {
        let signal = |(key, unit): &(&str, &str)| Signal {
            key: (*key).into(),
            address: (*key).into(),
            variable: None,
            raw_unit: Some((*unit).into()),
            origin: Origin::Unknown,
            sampling: Sampling::Irregular,
        };
        let point = |(signal, t_ns): &(u32, i64)| Point {
            signal: *signal,
            t_ns: *t_ns,
            received_ns: 0,
            said: Said::Number(1.0),
            quality: 0,
        };
        Batch {
            source: "s".into(),
            run: run.into(),
            signals: keys.iter().map(signal).collect(),
            points: points.iter().map(point).collect(),
            ..Batch::default()
        }
    }

    #[test]
    fn points_keep_their_signals() {
        let merged = merge([
            batch("a", &[("pH", "1"), ("T", "Cel")], &[(0, 1), (1, 1)]),
            batch("b", &[("T", "Cel")], &[(0, 1)]),
            batch("a", &[("T", "Cel"), ("DO", "%")], &[(0, 2), (1, 2)]),
        ]);
        assert_eq!(merged.len(), 2);
        let keys: Vec<&str> = merged[0].signals.iter().map(|s| s.key.as_str()).collect();
        assert_eq!(keys, ["pH", "T", "DO"]);
        let points: Vec<(u32, i64)> = merged[0].points.iter().map(|p| (p.signal, p.t_ns)).collect();
        assert_eq!(points, [(0, 1), (1, 1), (1, 2), (2, 2)]);
    }

    #[test]
    fn another_unit_begins_another_batch() {
        let merged = merge([
            batch("a", &[("T", "Cel")], &[(0, 1)]),
            batch("a", &[("T", "K")], &[(0, 2)]),
            batch("a", &[("T", "K")], &[(0, 3)]),
        ]);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[1].points.len(), 2);
    }
}
