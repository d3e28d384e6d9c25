//! Alignment: batches of different length and pace onto one axis.
//!
//! Between two measurements a value is drawn as a straight line, never beyond them and never across a missing cell.

use super::batch::{Aligned, Batch, OnAxis};
use super::matrix::{Matrix, bounded};
use super::warp;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// The axis on which points of batches are the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Axis {
    /// Share of the rows of each batch: all begin and end together. Only for batches that have ended.
    Index {
        /// Points.
        points: usize,
    },
    /// Time since the start, from 0 to `end` (h).
    Time {
        /// Points.
        points: usize,
        /// Last point (h).
        end: f64,
    },
    /// A variable that only rises (or only falls) while a batch gets on: added feed, CO2 released, degree of attenuation.
    Indicator {
        /// Points.
        points: usize,
        /// Its column.
        variable: usize,
        /// Its value at the first point, in its own unit.
        from: f64,
        /// Its value at the last point.
        to: f64,
    },
    /// Marks of phases: each phase is stretched to its number of points. The last ends with the batch.
    Phases {
        /// Phases in their order, with the points of each.
        phases: Vec<(String, usize)>,
    },
    /// Dynamic time warping of slopes onto a reference batch.
    Warping(warp::Warping),
}

/// Brings batches onto one axis.
///
/// # Errors
/// A batch that does not fit the variables or whose times do not rise; an axis without points; a batch that still runs
/// on an axis of shares; a batch without a mark, or one whose indicator does not move.
pub fn align(batches: &[Batch], variables: &[String], axis: &Axis) -> Result<Aligned> {
    batches.iter().try_for_each(|batch| batch.checked(variables.len()))?;
    let points = axis.points();
    let timed = !matches!(axis, Axis::Time { end, .. } if !(end.is_finite() && *end > 0.0));
    if points < 2 || variables.is_empty() || !timed {
        return Err(Error::input(
            "E-MONITOR-013",
            format!("軸の点 {points}、変数 {} では並べられません", variables.len()),
            format!("{points} points and {} variables make no axis", variables.len()),
        )
        .at(Place::field("axis"))
        .hint(
            "2 点以上、1 変数以上、終わりの時刻は正の数にしてください",
            "give at least 2 points, 1 variable and an end after 0",
        ));
    }
    bounded(points.saturating_mul(batches.len().max(1)), variables.len())?;
    let placed = batches.iter().map(|batch| axis.place(batch)).collect::<Result<_>>()?;
    Ok(Aligned { variables: variables.to_vec(), points, batches: placed })
}

impl Axis {
    /// Points of the axis.
    #[must_use]
    pub fn points(&self) -> usize {
        match self {
            Self::Index { points } | Self::Time { points, .. } | Self::Indicator { points, .. } => *points,
            Self::Phases { phases } => phases.iter().fold(0, |sum: usize, (_, points)| sum.saturating_add(*points)),
            Self::Warping(warping) => warping.points(),
        }
    }

    /// One batch on the axis.
    pub(super) fn place(&self, batch: &Batch) -> Result<OnAxis> {
        let positions = match self {
            Self::Index { points } => {
                if !batch.ended {
                    return Err(still_running(&batch.name));
                }
                let last = (batch.times.len() - 1) as f64;
                (0..*points).map(|i| Some(i as f64 * last / (points - 1) as f64)).collect()
            }
            Self::Time { points, end } => {
                (0..*points).map(|i| between(&batch.times, i as f64 * end / (points - 1) as f64)).collect()
            }
            Self::Indicator { points, variable, from, to } => indicator(batch, *variable, (*from, *to), *points)?,
            Self::Phases { phases } => by_phases(batch, phases)?,
            Self::Warping(warping) => return warp::place(warping, batch),
        };
        Ok(at_positions(batch, &positions))
    }
}

fn still_running(name: &str) -> Error {
    Error::input(
        "E-MONITOR-014",
        format!("バッチ「{name}」は終わっていないので、長さの割合では並べられません"),
        format!("batch \"{name}\" has not ended, so shares of its length are not known"),
    )
    .at(Place::field(name))
    .hint("時間・指標変数・工程・時間伸縮のいずれかで並べてください", "align by time, an indicator, phases or warping")
}

/// The place of `wanted` among rising numbers, as a row number with a fraction; `None` outside them.
fn between(rising: &[f64], wanted: f64) -> Option<f64> {
    let (first, last) = (*rising.first()?, *rising.last()?);
    let slack = (last - first) * 1e-12;
    if wanted < first - slack || wanted > last + slack {
        return None;
    }
    let after = rising.partition_point(|t| *t < wanted).clamp(1, rising.len() - 1);
    let (low, high) = (rising[after - 1], rising[after]);
    let part = if high > low { ((wanted - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
    Some((after - 1) as f64 + part)
}

/// The batch at places among its rows.
fn at_positions(batch: &Batch, positions: &[Option<f64>]) -> OnAxis {
    let cols = batch.values.cols();
    let mut cells = Vec::with_capacity(positions.len() * cols);
    let mut times = Vec::with_capacity(positions.len());
    for position in positions {
        let Some(position) = position else {
            cells.extend(std::iter::repeat_n(f64::NAN, cols));
            times.push(None);
            continue;
        };
        let low = (position.floor() as usize).min(batch.times.len() - 1);
        let (high, part) = ((low + 1).min(batch.times.len() - 1), position - low as f64);
        let line = |a: f64, b: f64| if part <= 0.0 { a } else { a + part * (b - a) };
        cells.extend(batch.values.raw(low).iter().zip(batch.values.raw(high)).map(|(a, b)| line(*a, *b)));
        times.push(Some(line(batch.times[low], batch.times[high])));
    }
    finished(&batch.name, cells, cols, times)
}

/// A batch on the axis from its cells, which come from checked values and are few enough where the axis was checked.
pub(super) fn finished(name: &str, cells: Vec<f64>, cols: usize, times: Vec<Option<f64>>) -> OnAxis {
    let reached = times.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
    let cells = cells.into_iter().map(|v| if v.is_infinite() { f64::NAN } else { v }).collect();
    OnAxis { name: name.to_owned(), values: Matrix::trusted(times.len(), cols, cells), times, reached }
}

/// Places at which the indicator passes evenly spaced values. Small steps back are levelled: what was reached counts.
fn indicator(batch: &Batch, variable: usize, (from, to): (f64, f64), points: usize) -> Result<Vec<Option<f64>>> {
    let name = &batch.name;
    let sign = (to - from).signum();
    let known: Vec<(f64, f64)> =
        (0..batch.times.len()).filter_map(|row| Some((row as f64, sign * batch.values.get(row, variable)?))).collect();
    let mut most = f64::NEG_INFINITY;
    let levelled: Vec<f64> = known
        .iter()
        .map(|(_, v)| {
            most = most.max(*v);
            most
        })
        .collect();
    let moved = levelled.last().zip(levelled.first()).map_or(0.0, |(last, first)| last - first);
    let back = known.iter().zip(&levelled).map(|((_, v), most)| most - v).fold(0.0, f64::max);
    if !(from.is_finite() && to.is_finite()) || moved <= 0.0 || back > 0.25 * (to - from).abs() {
        return Err(Error::input(
            "E-MONITOR-015",
            format!("バッチ「{name}」の指標変数は一方向に動いていません（進み {moved}、後戻り {back}）"),
            format!("the indicator of batch \"{name}\" does not move one way: {moved} on, {back} back"),
        )
        .at(Place::field(name))
        .hint(
            "積算量など、単調に変わる変数を選んでください",
            "choose a variable that only rises or only falls, such as a total",
        ));
    }
    let place = |i: usize| {
        let wanted = sign * (from + (to - from) * i as f64 / (points - 1) as f64);
        // The first time it is passed.
        let after = levelled.partition_point(|v| *v < wanted);
        if after == levelled.len() {
            return None;
        }
        if after == 0 {
            return (levelled[0] <= wanted + (to - from).abs() * 0.5 / (points - 1) as f64).then_some(known[0].0);
        }
        let part = (wanted - levelled[after - 1]) / (levelled[after] - levelled[after - 1]);
        Some(known[after - 1].0 + part * (known[after].0 - known[after - 1].0))
    };
    Ok((0..points).map(place).collect())
}

/// Places spread evenly inside each phase.
fn by_phases(batch: &Batch, phases: &[(String, usize)]) -> Result<Vec<Option<f64>>> {
    let name = &batch.name;
    let start = |phase: &str| batch.marks.iter().find(|mark| mark.phase == phase).map(|mark| mark.time);
    let end = batch.times.last().copied().filter(|_| batch.ended);
    let mut out = Vec::new();
    for (i, (phase, points)) in phases.iter().enumerate() {
        let from = start(phase);
        let to = phases.get(i + 1).map_or(end, |(next, _)| start(next));
        if batch.ended && (from.is_none() || to.is_none() || from >= to) {
            return Err(Error::input(
                "E-MONITOR-016",
                format!("バッチ「{name}」の工程「{phase}」の始まりと終わりが決まりません"),
                format!("phase \"{phase}\" of batch \"{name}\" has no beginning before its end"),
            )
            .at(Place::field(name))
            .hint("工程の開始を順に記録してください", "mark the beginning of every phase, in order"));
        }
        // The last point of a phase stands before the first of the next; the last of all stands at the end.
        let steps = if i + 1 == phases.len() { points.saturating_sub(1).max(1) } else { (*points).max(1) } as f64;
        let place = |k: usize| {
            let (from, to) = from.zip(to)?;
            between(&batch.times, from + (to - from) * k as f64 / steps)
        };
        out.extend((0..*points).map(place));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch of elapsed time, a total that rises with the pace, and its square.
    fn paced(name: &str, pace: f64, ended: bool) -> Batch {
        let times: Vec<f64> = (0..=20).map(|i| f64::from(i) / 2.0).collect();
        let rows: Vec<[Option<f64>; 2]> = times.iter().map(|t| [Some(pace * t), Some((pace * t).powi(2))]).collect();
        let marks = vec![Mark { phase: "batch".into(), time: 0.0 }, Mark { phase: "fed".into(), time: 4.0 / pace }];
        Batch { name: name.into(), times, values: Matrix::from_rows(&rows).unwrap(), marks, ended }
    }
    use super::super::batch::Mark;

    fn names() -> Vec<String> {
        vec!["total".into(), "square".into()]
    }

    #[test]
    fn an_indicator_takes_the_pace_out() {
        let batches = [paced("slow", 1.0, true), paced("fast", 1.7, true)];
        let axis = Axis::Indicator { points: 11, variable: 0, from: 0.0, to: 10.0 };
        let out = align(&batches, &names(), &axis).unwrap();
        for point in 0..11 {
            let [slow, fast] = [0, 1].map(|i| out.batches[i].values.get(point, 1).unwrap());
            // Straight lines between points of a parabola: up to h²/4 too high, h the step of the total.
            assert!((slow - (point as f64).powi(2)).abs() < 0.08 && (fast - slow).abs() < 0.2, "{slow} {fast}");
        }
        assert!((out.batches[1].times[10].unwrap() - 10.0 / 1.7).abs() < 0.02);
        // One that still runs has what it has reached.
        let running = [paced("running", 0.5, false)];
        let out = align(&running, &names(), &axis).unwrap();
        assert_eq!((out.batches[0].reached, out.batches[0].values.get(6, 1)), (6, None));
    }

    #[test]
    fn phases_begin_together() {
        let axis = Axis::Phases { phases: vec![("batch".into(), 5), ("fed".into(), 6)] };
        let out = align(&[paced("a", 1.0, true), paced("b", 2.0, true)], &names(), &axis).unwrap();
        for batch in &out.batches {
            assert!((batch.values.get(5, 0).unwrap() - 4.0).abs() < 1e-9, "{batch:?}");
            assert_eq!(batch.reached, 11);
        }
        let mut lost = paced("lost", 1.0, true);
        lost.marks.pop();
        assert_eq!(align(std::slice::from_ref(&lost), &names(), &axis).unwrap_err().code(), "E-MONITOR-016");
        // Before its second mark a running batch has nothing on the axis: the length of the phase is not known.
        lost.ended = false;
        assert_eq!(align(&[lost], &names(), &axis).unwrap().batches[0].reached, 0);
    }

    #[test]
    fn time_and_index() {
        let out = align(&[paced("a", 1.0, true)], &names(), &Axis::Time { points: 13, end: 12.0 }).unwrap();
        assert_eq!((out.batches[0].reached, out.batches[0].values.get(10, 0)), (11, Some(10.0)));
        let index = Axis::Index { points: 41 };
        let out = align(&[paced("a", 1.0, true)], &names(), &index).unwrap();
        assert!((out.batches[0].values.get(1, 0).unwrap() - 0.25).abs() < 1e-12);
        assert_eq!(align(&[paced("a", 1.0, false)], &names(), &index).unwrap_err().code(), "E-MONITOR-014");
        let mut still = paced("a", 1.0, true);
        still.times[3] = still.times[2];
        assert_eq!(align(&[still], &names(), &index).unwrap_err().code(), "E-MONITOR-012");
        for (axis, code) in [
            (Axis::Time { points: 5, end: f64::NAN }, "E-MONITOR-013"),
            (Axis::Index { points: 1 }, "E-MONITOR-013"),
            (Axis::Index { points: usize::MAX }, "E-MONITOR-003"),
            (Axis::Phases { phases: vec![("batch".into(), usize::MAX), ("fed".into(), 2)] }, "E-MONITOR-003"),
        ] {
            assert_eq!(align(&[paced("a", 1.0, true)], &names(), &axis).unwrap_err().code(), code);
        }
        let falls = Axis::Indicator { points: 5, variable: 0, from: 10.0, to: 0.0 };
        assert_eq!(align(&[paced("a", 1.0, true)], &names(), &falls).unwrap_err().code(), "E-MONITOR-015");
    }

    #[test]
    fn the_two_tables() {
        let out = align(&[paced("a", 1.0, true), paced("b", 0.5, true)], &names(), &Axis::Index { points: 4 }).unwrap();
        let wide = out.batch_wise().unwrap();
        assert_eq!((wide.rows(), wide.cols(), out.place(5)), (2, 8, (2, 1)));
        assert_eq!(wide.get(1, 6), out.batches[1].values.get(3, 0));
        let (long, owner) = out.variable_wise().unwrap();
        assert_eq!((long.rows(), long.cols(), owner), (8, 2, vec![0, 0, 0, 0, 1, 1, 1, 1]));
        assert_eq!(long.get(7, 0), wide.get(1, 6));
    }
}
