//! When nothing was heard, and what that means on a grid.
//!
//! A source that sends only changes is silent while nothing changes: its last value holds. When the connection or the
//! source was gone, silence says nothing. The marks of a run tell the two apart.

use crate::align::{Aligned, Grid};
use crate::store::Store;
use serde::Serialize;
use toji_core::live::MarkKind;
use toji_core::{Access, Id, Instant, Record, Result};

/// A stretch in which a source was not heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Outage {
    /// From when, nanoseconds since 1970.
    pub from_ns: i64,
    /// Until when; `None`: it goes on.
    pub to_ns: Option<i64>,
    /// What was said at its beginning.
    pub kind: MarkKind,
    /// More about it.
    pub note: Option<String>,
}

/// Stretches from marks in order of time.
fn outages(marks: impl IntoIterator<Item = (i64, MarkKind, Option<String>)>) -> Vec<Outage> {
    let mut out: Vec<Outage> = Vec::new();
    let mut open: Option<Outage> = None;
    for (t, kind, note) in marks {
        match kind {
            MarkKind::Death | MarkKind::Disconnected => {
                open.get_or_insert(Outage { from_ns: t, to_ns: None, kind, note });
            }
            MarkKind::Birth | MarkKind::Reconnected => {
                out.extend(open.take().map(|outage| Outage { to_ns: Some(t), ..outage }));
            }
            MarkKind::Lost if open.is_none() => out.push(Outage { from_ns: t, to_ns: Some(t), kind, note }),
            MarkKind::Lost | MarkKind::Started | MarkKind::Ended => {}
        }
    }
    out.extend(open);
    out
}

/// The mark an event records, if it is one of a live source.
fn mark_of(event: &Record) -> Option<(i64, MarkKind, Option<String>)> {
    let text = |name: &str| event.fields.get(name).and_then(|v| v.as_str());
    let kind = event.fields.get("fields")?.get("mark")?.clone();
    Some((Instant::parse(text("time")?).ok()?.0, serde_json::from_value(kind).ok()?, text("reason").map(str::to_owned)))
}

impl Store {
    /// When the source of a run was not heard, by its marks, in order of time.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn outages(&self, access: &Access, run: &Id) -> Result<Vec<Outage>> {
        let events = self.linked(access, "event", "run", run.as_str()).await?;
        let mut marks: Vec<_> = events.iter().filter_map(mark_of).collect();
        marks.sort_by_key(|(t, kind, _)| (*t, matches!(kind, MarkKind::Birth | MarkKind::Reconnected)));
        Ok(outages(marks))
    }
}

/// Takes back from an aligned channel what would be carried or drawn through an outage: from its beginning to the
/// next measured cell nothing is known. `outages` count from the same zero as the grid.
pub fn silence(aligned: &mut Aligned, grid: Grid, outages: &[Outage]) {
    let mut unheard = false;
    for (cell, (value, mask)) in aligned.value.iter_mut().zip(&aligned.mask).enumerate() {
        let from = grid.start.saturating_add((cell as i64).saturating_mul(grid.step));
        let to = from.saturating_add(grid.step);
        let end = |o: &Outage| o.to_ns.unwrap_or(i64::MAX);
        let touched = outages.iter().any(|o| o.from_ns < to && end(o) >= from);
        if *mask != 0 {
            unheard = outages.iter().any(|o| o.from_ns < to && end(o) >= to);
        } else if touched || unheard {
            *value = None;
            unheard = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::align;
    use crate::series::Series;
    use toji_core::variable::GridRule;

    #[test]
    fn marks_become_stretches() {
        use MarkKind::{Birth, Death, Disconnected, Ended, Lost, Reconnected, Started};
        let check = |marks: &[(i64, MarkKind)], expected: &[(i64, Option<i64>)]| {
            let found = outages(marks.iter().map(|(t, kind)| (*t, *kind, None)));
            assert_eq!(found.iter().map(|o| (o.from_ns, o.to_ns)).collect::<Vec<_>>(), expected, "{marks:?}");
        };
        check(&[(0, Birth), (5, Disconnected), (6, Death), (9, Reconnected), (10, Birth)], &[(5, Some(9))]);
        check(&[(5, Death), (7, Lost)], &[(5, None)]);
        check(&[(5, Lost), (7, Disconnected), (8, Birth)], &[(5, Some(5)), (7, Some(8))]);
        // What a source says of its batch is no word on how it is heard.
        check(&[(1, Started), (5, Disconnected), (6, Ended), (8, Reconnected)], &[(5, Some(8))]);
    }

    #[test]
    fn the_last_value_holds_through_a_dead_band_and_not_through_an_outage() {
        let series = Series { t_ns: vec![0, 90], value: vec![5.0, 6.0], quality: vec![0; 2], texts: Vec::new() };
        let grid = Grid { start: 0, step: 10, cells: 10 };
        let outage = |from_ns, to_ns| Outage { from_ns, to_ns, kind: MarkKind::Disconnected, note: None };
        let check = |outages: &[Outage], expected: &str| {
            let mut aligned = align(&series, grid, GridRule::Last, true);
            silence(&mut aligned, grid, outages);
            let shown: String = aligned.value.iter().map(|v| v.map_or('.', |v| char::from(b'0' + v as u8))).collect();
            assert_eq!(shown, expected);
        };
        check(&[], "5555555556");
        check(&[outage(35, Some(52))], "555......6");
        check(&[outage(35, None)], "555......6");
        check(&[outage(2, Some(8))], "5555555556");
        check(&[outage(2, Some(12))], "5........6");
    }
}
