//! What an import adds: its points put in order, checked, and freed from what is stored already.
//!
//! Incremental exports repeat what came before. A point that is stored already with the same number,
//! quality and text is left out; where an import states something else at a time, all it states there
//! replaces what was shown before (the older part stays on disk and in the ledger).

use super::Series;
use std::collections::BTreeMap;
use std::ops::Range;
use toji_core::culture::{Numbers, Points};
use toji_core::{Error, Id, Result};

/// What became of the points of a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// At times nothing was stored at.
    pub(crate) new: u64,
    /// Stored already, or said twice in the file.
    pub(crate) known: u64,
    /// Different from what is stored at their time.
    pub(crate) changed: u64,
}

/// Refuses points whose columns do not fit together: they could be written but never read back.
pub(crate) fn sound(channel: &Id, points: &Points) -> Result<()> {
    let n = points.len();
    let numbers = match &points.numbers {
        Numbers::Scaled { scale, mantissa } => usize::from(*scale) < super::POWERS.len() && mantissa.len() == n,
        Numbers::Float(values) => values.len() == n,
    };
    let texts = points.texts.windows(2).all(|w| w.first().map(|a| a.0) < w.last().map(|b| b.0))
        && points.texts.last().is_none_or(|(i, _)| (*i as usize) < n);
    if numbers && texts && points.quality.len() == n && u32::try_from(n).is_ok() {
        return Ok(());
    }
    Err(Error::input(
        "E-SERIES-010",
        format!("系列 {channel} の時刻・値・品質の数が合いません"),
        format!("times, values and qualities of series {channel} do not fit together"),
    )
    .hint("各点に時刻・値・品質を一つずつ与えてください", "give each point one time, one value and one quality"))
}

/// One series from two that name the same channel, in the order they came. Digits are kept where both
/// have them; where they cannot share one scale, numbers become doubles.
pub(crate) fn joined(mut first: Points, second: Points) -> Points {
    let shift = first.len() as u32;
    first.numbers = match (first.numbers.clone(), second.numbers.clone()) {
        (Numbers::Scaled { scale: a, mantissa: mut x }, Numbers::Scaled { scale: b, mantissa: y }) if a == b => {
            x.extend(y);
            Numbers::Scaled { scale: a, mantissa: x }
        }
        _ => {
            let number = |p: &Points, i| p.number(i).unwrap_or(f64::NAN);
            Numbers::Float(
                (0..first.len()).map(|i| number(&first, i)).chain((0..second.len()).map(|i| number(&second, i))).collect(),
            )
        }
    };
    first.t_ns.extend(second.t_ns);
    first.quality.extend(second.quality);
    first.texts.extend(second.texts.into_iter().map(|(i, text)| (i.saturating_add(shift), text)));
    first
}

/// Points in ascending order of time, equal times in their old order.
pub(crate) fn sorted(points: Points) -> Points {
    if points.t_ns.is_sorted() {
        return points;
    }
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|i| points.t_ns.get(*i).copied().unwrap_or(i64::MAX));
    pick(&points, &order)
}

fn pick(points: &Points, order: &[usize]) -> Points {
    let texts: BTreeMap<u32, &String> = points.texts.iter().map(|(i, t)| (*i, t)).collect();
    let of = |i: &usize| points.t_ns.get(*i).copied().unwrap_or_default();
    Points {
        t_ns: order.iter().map(of).collect(),
        numbers: match &points.numbers {
            Numbers::Scaled { scale, mantissa } => Numbers::Scaled {
                scale: *scale,
                mantissa: order.iter().map(|i| mantissa.get(*i).copied().unwrap_or(Points::NO_NUMBER)).collect(),
            },
            Numbers::Float(values) => Numbers::Float(order.iter().map(|i| values.get(*i).copied().unwrap_or(f64::NAN)).collect()),
        },
        quality: order.iter().map(|i| points.quality.get(*i).copied().unwrap_or_default()).collect(),
        texts: if texts.is_empty() {
            Vec::new()
        } else {
            order
                .iter()
                .enumerate()
                .filter_map(|(new, old)| texts.get(&(*old as u32)).map(|t| (new as u32, (*t).clone())))
                .collect()
        },
    }
}

/// A point as it is compared: the bits of its number, its quality, its text.
type Said<'a> = (Option<u64>, Option<u16>, Option<&'a str>);

fn text_of(texts: &[(u32, String)], i: usize) -> Option<&str> {
    texts.binary_search_by_key(&(i as u32), |(at, _)| *at).ok().and_then(|at| texts.get(at)).map(|(_, t)| t.as_str())
}

fn said(points: &Points, i: usize) -> Said<'_> {
    (points.number(i).map(f64::to_bits), points.quality.get(i).copied(), text_of(&points.texts, i))
}

fn said_before(known: &Series, i: usize) -> Said<'_> {
    let number = known.value.get(i).filter(|v| !v.is_nan()).map(|v| v.to_bits());
    (number, known.quality.get(i).copied(), text_of(&known.texts, i))
}

/// The stretch of equal times from `i` on.
fn moment(t_ns: &[i64], i: usize) -> Range<usize> {
    let t = t_ns.get(i);
    i..i + t_ns.get(i..).unwrap_or_default().iter().take_while(|x| Some(*x) == t).count()
}

/// Leaves out what is stored already and repetitions inside the file itself. Both sides are sorted by
/// time. A moment is judged as a whole: a file may state several numbers at one time, and leaving out
/// one of them would let the rest replace it.
pub(crate) fn without_known(points: Points, known: &Series) -> (Points, Counted) {
    let mut counted = Counted::default();
    let repeats = points.t_ns.windows(2).any(|w| w.first() == w.last());
    if known.is_empty() && !repeats {
        counted.new = points.len() as u64;
        return (points, counted);
    }
    let (mut keep, mut i, mut k) = (Vec::with_capacity(points.len()), 0, 0);
    while let Some(t) = points.t_ns.get(i) {
        let here = moment(&points.t_ns, i);
        i = here.end;
        let first = keep.len();
        for p in here {
            if keep.iter().skip(first).any(|q| said(&points, *q) == said(&points, p)) {
                counted.known += 1;
            } else {
                keep.push(p);
            }
        }
        k += known.t_ns.get(k..).unwrap_or_default().partition_point(|x| x < t);
        if known.t_ns.get(k) != Some(t) {
            counted.new += (keep.len() - first) as u64;
            continue;
        }
        let there = moment(&known.t_ns, k);
        let is_known = |p: usize| there.clone().any(|q| said_before(known, q) == said(&points, p));
        let differing = keep.iter().skip(first).filter(|p| !is_known(**p)).count() as u64;
        counted.changed += differing;
        counted.known += (keep.len() - first) as u64 - differing;
        if differing == 0 {
            keep.truncate(first);
        }
        k = there.end;
    }
    let kept = if keep.len() == points.len() { points } else { pick(&points, &keep) };
    (kept, counted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(rows: &[(i64, i64)]) -> Points {
        Points {
            t_ns: rows.iter().map(|r| r.0).collect(),
            numbers: Numbers::Scaled { scale: 1, mantissa: rows.iter().map(|r| r.1).collect() },
            quality: vec![0; rows.len()],
            texts: Vec::new(),
        }
    }
    fn stored(rows: &[(i64, f64)]) -> Series {
        Series {
            t_ns: rows.iter().map(|r| r.0).collect(),
            value: rows.iter().map(|r| r.1).collect(),
            quality: vec![0; rows.len()],
            texts: Vec::new(),
        }
    }

    #[test]
    fn known_points_are_left_out_and_changed_ones_counted() {
        let (kept, counted) = without_known(points(&[(1, 5), (2, 8), (3, 9), (3, 9)]), &stored(&[(1, 0.5), (2, 0.7)]));
        assert_eq!(kept, points(&[(2, 8), (3, 9)]));
        assert_eq!(counted, Counted { new: 1, known: 2, changed: 1 });
    }

    /// A file with two numbers at one time was taken in again and again: each import compared the
    /// second number with the first stored one, found it changed, and left the first one out.
    #[test]
    fn two_numbers_at_one_time_are_known_together() {
        let file = points(&[(1, 5), (1, 6), (2, 7)]);
        let (kept, counted) = without_known(file.clone(), &stored(&[(1, 0.5), (1, 0.6), (2, 0.7)]));
        assert!(kept.is_empty());
        assert_eq!(counted, Counted { new: 0, known: 3, changed: 0 });
        let (kept, counted) = without_known(file, &stored(&[(1, 0.5), (2, 0.7)]));
        assert_eq!(kept, points(&[(1, 5), (1, 6)]));
        assert_eq!(counted, Counted { new: 0, known: 2, changed: 1 });
    }

    proptest! {
        #[test]
        fn sorting_keeps_every_point(rows in proptest::collection::vec((0i64..50, 0i64..1000), 0..60)) {
            let sorted = sorted(points(&rows));
            let mut expected = rows.clone();
            expected.sort_by_key(|r| r.0);
            prop_assert_eq!(sorted, points(&expected));
        }
    }
}
