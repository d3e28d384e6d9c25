//! The points of one channel in memory, in layers.
//!
//! What contradicts a point said before at the same time goes one layer up, as a later import goes into a later
//! part: readers see the upper one, both are kept, and sealing writes layer by layer.

use super::cell::{Cell, Number};
use crate::data::ChannelSummary;
use crate::series::{Base, Series};
use std::collections::BTreeMap;
use toji_core::Id;
use toji_core::culture::{Numbers, Points};

/// What became of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was said of this time before.
    New,
    /// The same was said.
    Known,
    /// Something else was said.
    Changed,
}

/// Points with different times. Most come in order; those that do not stand apart, so that a late one costs no
/// moving of all behind it.
#[derive(Debug, Default)]
pub(super) struct Column {
    t_ns: Vec<i64>,
    number: Vec<Number>,
    quality: Vec<u16>,
    texts: Vec<(u32, String)>,
    late: BTreeMap<i64, Cell>,
}

/// A point, borrowed.
struct Seen<'a> {
    t_ns: i64,
    number: Number,
    quality: u16,
    text: Option<&'a str>,
}

impl Column {
    fn text(&self, i: usize) -> Option<&str> {
        let at = self.texts.binary_search_by_key(&(i as u32), |(at, _)| *at).ok()?;
        self.texts.get(at).map(|(_, text)| text.as_str())
    }
    fn seen(&self, i: usize) -> Option<Seen<'_>> {
        Some(Seen { t_ns: *self.t_ns.get(i)?, number: *self.number.get(i)?, quality: *self.quality.get(i)?, text: self.text(i) })
    }
    fn at(&self, t_ns: i64) -> Option<Cell> {
        if let Ok(i) = self.t_ns.binary_search(&t_ns) {
            let seen = self.seen(i)?;
            return Some(Cell { t_ns, number: seen.number, quality: seen.quality, text: seen.text.map(str::to_owned) });
        }
        self.late.get(&t_ns).cloned()
    }
    fn put(&mut self, cell: Cell) {
        if self.t_ns.last().is_some_and(|last| *last >= cell.t_ns) {
            self.late.insert(cell.t_ns, cell);
            return;
        }
        if let Some(text) = cell.text {
            self.texts.push((self.t_ns.len() as u32, text));
        }
        self.t_ns.push(cell.t_ns);
        self.number.push(cell.number);
        self.quality.push(cell.quality);
    }
    fn len(&self) -> usize {
        self.t_ns.len() + self.late.len()
    }

    /// Hands on the points from `from` to before `to` in order of time.
    fn each<'a>(&'a self, from: i64, to: i64, mut hand: impl FnMut(Seen<'a>)) {
        if from >= to {
            return;
        }
        let mut late = self.late.range(from..to).peekable();
        let lend =
            |cell: &'a Cell| Seen { t_ns: cell.t_ns, number: cell.number, quality: cell.quality, text: cell.text.as_deref() };
        let (first, end) = (self.t_ns.partition_point(|t| *t < from), self.t_ns.partition_point(|t| *t < to));
        for seen in (first..end).filter_map(|i| self.seen(i)) {
            while let Some((_, cell)) = late.next_if(|(t, _)| **t < seen.t_ns) {
                hand(lend(cell));
            }
            hand(seen);
        }
        late.for_each(|(_, cell)| hand(lend(cell)));
    }

    /// As readers see it.
    pub(super) fn series(&self, from: i64, to: i64) -> Series {
        let mut out = Series::default();
        self.each(from, to, |seen| {
            if let Some(text) = seen.text {
                out.texts.push((out.t_ns.len() as u32, text.to_owned()));
            }
            out.t_ns.push(seen.t_ns);
            out.value.push(seen.number.value().unwrap_or(f64::NAN));
            out.quality.push(seen.quality);
        });
        out
    }

    /// As it is stored: digits when every number came as digits that share one scale, else doubles.
    pub(super) fn points(&self) -> Points {
        let mut points = Points::default();
        let mut numbers = Vec::with_capacity(self.len());
        self.each(i64::MIN, i64::MAX, |seen| {
            if let Some(text) = seen.text {
                points.texts.push((points.t_ns.len() as u32, text.to_owned()));
            }
            points.t_ns.push(seen.t_ns);
            points.quality.push(seen.quality);
            numbers.push(seen.number);
        });
        points.numbers =
            digits(&numbers).unwrap_or_else(|| Numbers::Float(numbers.iter().map(|n| n.value().unwrap_or(f64::NAN)).collect()));
        points
    }
}

fn digits(numbers: &[Number]) -> Option<Numbers> {
    let mut scale = 0;
    for number in numbers {
        match number {
            Number::Scaled { scale: own, .. } => scale = scale.max(*own),
            Number::Float(_) => return None,
            Number::None => {}
        }
    }
    let shifted = |number: &Number| match number {
        Number::Scaled { mantissa, scale: own } => {
            mantissa.checked_mul(10i64.checked_pow(u32::from(scale - own))?).filter(|m| *m != Points::NO_NUMBER)
        }
        _ => Some(Points::NO_NUMBER),
    };
    Some(Numbers::Scaled { scale, mantissa: numbers.iter().map(shifted).collect::<Option<_>>()? })
}

/// One channel in one journal file.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// Layers, the lowest first; at least one once there is a point.
    pub(super) layers: Vec<Column>,
    sums: Option<Sums>,
}

#[derive(Debug, Clone)]
struct Sums {
    flagged: u64,
    t_min: i64,
    t_max: i64,
    v_min: Option<f64>,
    v_max: Option<f64>,
    last: Option<(i64, f64)>,
}

impl Channel {
    /// Takes a point in.
    pub(super) fn put(&mut self, cell: Cell) -> Verdict {
        let said = self.layers.iter().enumerate().rev().find_map(|(k, layer)| Some((k, layer.at(cell.t_ns)?)));
        let (layer, verdict) = match said {
            None => (0, Verdict::New),
            Some((_, said)) if said.same_as(&cell) => return Verdict::Known,
            Some((k, _)) => (k + 1, Verdict::Changed),
        };
        self.sum(&cell);
        if self.layers.len() <= layer {
            self.layers.push(Column::default());
        }
        if let Some(layer) = self.layers.get_mut(layer) {
            layer.put(cell);
        }
        verdict
    }

    fn sum(&mut self, cell: &Cell) {
        let sums = self.sums.get_or_insert(Sums {
            flagged: 0,
            t_min: cell.t_ns,
            t_max: cell.t_ns,
            v_min: None,
            v_max: None,
            last: None,
        });
        sums.flagged += u64::from(cell.quality != 0);
        sums.t_min = sums.t_min.min(cell.t_ns);
        sums.t_max = sums.t_max.max(cell.t_ns);
        if let Some(value) = cell.number.value() {
            sums.v_min = Some(sums.v_min.map_or(value, |v| v.min(value)));
            sums.v_max = Some(sums.v_max.map_or(value, |v| v.max(value)));
            if cell.quality & 0xf == 0 && sums.last.is_none_or(|(t, _)| cell.t_ns >= t) {
                sums.last = Some((cell.t_ns, value));
            }
        }
    }

    /// Points, of all layers.
    pub(super) fn points(&self) -> u64 {
        self.layers.iter().map(|l| l.len() as u64).sum()
    }

    /// What the catalogue would say of it.
    pub(super) fn summary(&self, channel: &str) -> Option<ChannelSummary> {
        let sums = self.sums.as_ref()?;
        Some(ChannelSummary {
            channel: Id::parse(channel).ok()?,
            base: Base::Utc,
            points: self.points(),
            flagged: sums.flagged,
            t_min: sums.t_min,
            t_max: sums.t_max,
            v_min: sums.v_min,
            v_max: sums.v_max,
            last: sums.last,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(t_ns: i64, mantissa: i64) -> Cell {
        Cell { t_ns, number: Number::Scaled { mantissa, scale: 1 }, quality: 0, text: None }
    }

    #[test]
    fn digits_of_one_scale_stay_digits() {
        let mut channel = Channel::default();
        channel.put(cell(2, 71));
        channel.put(Cell { number: Number::Scaled { mantissa: 7, scale: 0 }, ..cell(1, 0) });
        channel.put(Cell { number: Number::None, text: Some("off".into()), quality: 0x32, ..cell(3, 0) });
        let points = channel.layers[0].points();
        assert_eq!(points.numbers, Numbers::Scaled { scale: 1, mantissa: vec![70, 71, Points::NO_NUMBER] });
        assert_eq!((points.t_ns, points.texts), (vec![1, 2, 3], vec![(2, "off".into())]));
        channel.put(Cell { number: Number::Float(7.25), ..cell(4, 0) });
        assert!(matches!(channel.layers[0].points().numbers, Numbers::Float(v) if v[..2] == [7.0, 7.1]));
    }

    proptest! {
        /// Whatever the order: each time has one point in the view, the one said last, and nothing is counted twice.
        #[test]
        fn the_view_is_what_was_said_last(said in proptest::collection::vec((0i64..20, 0i64..3), 0..80)) {
            let mut channel = Channel::default();
            let mut model: BTreeMap<i64, i64> = BTreeMap::new();
            let mut kept = 0;
            for (t, v) in &said {
                let expected = match model.insert(*t, *v) {
                    None => Verdict::New,
                    Some(before) if before == *v => Verdict::Known,
                    Some(_) => Verdict::Changed,
                };
                kept += u64::from(expected != Verdict::Known);
                prop_assert_eq!(channel.put(cell(*t, *v)), expected);
            }
            prop_assert_eq!(channel.points(), kept);
            let mut view = Series::default();
            channel.layers.iter().for_each(|layer| view.merge(layer.series(i64::MIN, i64::MAX)));
            prop_assert_eq!(&view.t_ns, &model.keys().copied().collect::<Vec<_>>());
            prop_assert_eq!(view.value, model.values().map(|v| *v as f64 / 10.0).collect::<Vec<_>>());
            for layer in &channel.layers {
                prop_assert!(layer.points().t_ns.is_sorted_by(|a, b| a < b));
            }
            let summary = channel.summary("c");
            prop_assert_eq!(summary.map(|s| (s.t_min, s.t_max)), model.keys().next().zip(model.keys().last()).map(|(a, b)| (*a, *b)));
        }
    }
}
