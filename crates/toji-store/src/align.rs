//! Bringing many channels onto one grid, and joining samples with the latest good value of every channel.
//!
//! Pure functions over [`Series`]: nothing is filled without the mask saying so, and nothing is carried
//! further than the channel's own rule allows.

use crate::series::Series;
use serde::Serialize;
use toji_core::variable::GridRule;

/// A grid of equal cells: cell `i` covers `[start + i·step, start + (i+1)·step)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Start, nanoseconds.
    pub start: i64,
    /// Width of a cell, nanoseconds, above 0.
    pub step: i64,
    /// Number of cells.
    pub cells: usize,
}

impl Grid {
    /// The cells that cover `[from, to]` from a start that is a whole number of steps from `zero`.
    /// At most `cells_max`; `None` when there would be more or the step is not above 0.
    #[must_use]
    pub fn covering(zero: i64, from: i64, to: i64, step: i64, cells_max: usize) -> Option<Self> {
        if step <= 0 || to < from {
            return None;
        }
        let start = zero.checked_add(from.checked_sub(zero)?.div_euclid(step).checked_mul(step)?)?;
        let cells = usize::try_from(to.checked_sub(start)? / step + 1).ok()?;
        (cells <= cells_max).then_some(Self { start, step, cells })
    }
    fn cell(&self, t: i64) -> Option<usize> {
        let offset = t.checked_sub(self.start).filter(|o| *o >= 0)?;
        usize::try_from(offset / self.step).ok().filter(|c| *c < self.cells)
    }
}

/// One channel on a grid.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Aligned {
    /// One number a cell; `None` where nothing may be said.
    pub value: Vec<Option<f64>>,
    /// 1 where a good point lies in the cell itself, 0 where the value was carried, interpolated or is absent.
    pub mask: Vec<u8>,
}

/// Brings one series onto a grid.
///
/// * `Mean`: mean of the good points in the cell; empty cells stay empty, except that a channel written
///   only on change (`holds`) keeps its last value until the series ends.
/// * `Last`: the last good value at or before the end of the cell, never beyond the end of the series.
/// * `Linear`: the straight line at the middle of the cell between neighbouring good points.
/// * `Sum`: sum of the good points in the cell, 0 between first and last point.
#[must_use]
pub fn align(series: &Series, grid: Grid, rule: GridRule, holds: bool) -> Aligned {
    let mut out = Aligned { value: vec![None; grid.cells], mask: vec![0; grid.cells] };
    let mut sum = vec![0.0; grid.cells];
    let mut n = vec![0u32; grid.cells];
    let mut last = vec![f64::NAN; grid.cells];
    for i in 0..series.len() {
        if !series.is_good(i) {
            continue;
        }
        let (Some(&t), Some(&v)) = (series.t_ns.get(i), series.value.get(i)) else { break };
        if let Some(cell) = grid.cell(t) {
            sum[cell] += v;
            n[cell] += 1;
            last[cell] = v;
        }
    }
    let good: Vec<usize> = match rule {
        GridRule::Linear => (0..series.len()).filter(|i| series.is_good(*i)).collect(),
        _ => Vec::new(),
    };
    let first_last = (0..series.len()).find(|i| series.is_good(*i)).zip((0..series.len()).rev().find(|i| series.is_good(*i)));
    let Some((first, end)) = first_last.map(|(a, b)| (series.t_ns[a], series.t_ns[b])) else { return out };
    // The value before the grid begins, for rules that carry.
    let mut carried =
        (0..series.t_ns.partition_point(|t| *t < grid.start)).rev().find(|i| series.is_good(*i)).map(|i| series.value[i]);
    for cell in 0..grid.cells {
        let cell_start = grid.start + cell as i64 * grid.step;
        let inside = n[cell] > 0;
        out.mask[cell] = u8::from(inside);
        let carry = |carried: Option<f64>| carried.filter(|_| cell_start <= end);
        out.value[cell] = match rule {
            GridRule::Mean if inside => Some(sum[cell] / f64::from(n[cell])),
            GridRule::Mean => carry(carried).filter(|_| holds),
            GridRule::Last if inside => Some(last[cell]),
            GridRule::Last => carry(carried),
            GridRule::Sum => (inside || (cell_start >= first && cell_start <= end)).then_some(sum[cell]),
            GridRule::Linear => linear(series, &good, cell_start + grid.step / 2),
        };
        if inside {
            carried = Some(last[cell]);
        }
    }
    out
}

fn linear(series: &Series, good: &[usize], t: i64) -> Option<f64> {
    let after = good.partition_point(|i| series.t_ns[*i] < t);
    let right = *good.get(after)?;
    if series.t_ns[right] == t {
        return Some(series.value[right]);
    }
    let left = *good.get(after.checked_sub(1)?)?;
    let (ta, tb) = (series.t_ns[left], series.t_ns[right]);
    let share = (t - ta) as f64 / (tb - ta) as f64;
    Some(series.value[left] + share * (series.value[right] - series.value[left]))
}

/// The latest good value at or before each time: (value, age in nanoseconds). `times` ascending.
#[must_use]
pub fn as_of(series: &Series, times: &[i64]) -> Vec<Option<(f64, i64)>> {
    let mut out = Vec::with_capacity(times.len());
    let mut at = 0;
    for t in times {
        // From the last place on: both sides ascend. Galloping keeps long series cheap for few samples.
        let rest = series.t_ns.get(at..).unwrap_or_default();
        let mut step = 1;
        while step < rest.len() && rest[step] <= *t {
            step *= 2;
        }
        let upper = step.min(rest.len());
        at += rest[..upper].partition_point(|x| x <= t);
        let found = (0..at).rev().find(|i| series.is_good(*i));
        out.push(found.map(|i| (series.value[i], t - series.t_ns[i])));
    }
    out
}

/// Points for a plot of about `pixels` columns: of each column the first, smallest, largest and last
/// point, and every flagged one up to one a column, as indexes in ascending order.
#[must_use]
pub fn thin(series: &Series, pixels: usize) -> Vec<usize> {
    let n = series.len();
    let (Some(&first), Some(&last)) = (series.t_ns.first(), series.t_ns.last()) else { return Vec::new() };
    if n <= pixels.saturating_mul(4).max(8) || last == first {
        return (0..n).collect();
    }
    let width = (last - first) as f64 / pixels.max(1) as f64;
    let mut out = Vec::with_capacity(pixels * 5);
    let mut i = 0;
    while i < n {
        let column = ((series.t_ns[i] - first) as f64 / width) as i64;
        let bound = first + (((column + 1) as f64) * width) as i64;
        let end = i + 1 + series.t_ns[i + 1..].partition_point(|t| *t < bound);
        let (mut low, mut high, mut flagged) = (i, i, None);
        for k in i..end {
            let v = series.value[k];
            if v < series.value[low] || series.value[low].is_nan() {
                low = k;
            }
            if v > series.value[high] || series.value[high].is_nan() {
                high = k;
            }
            if flagged.is_none() && series.quality[k] != 0 {
                flagged = Some(k);
            }
        }
        let mut kept = vec![i, low, high, end - 1];
        kept.extend(flagged);
        kept.sort_unstable();
        kept.dedup();
        out.extend(kept);
        i = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn series(rows: &[(i64, f64, u16)]) -> Series {
        Series {
            t_ns: rows.iter().map(|r| r.0).collect(),
            value: rows.iter().map(|r| r.1).collect(),
            quality: rows.iter().map(|r| r.2).collect(),
            texts: Vec::new(),
        }
    }

    #[test]
    fn each_rule_on_one_grid() {
        let s = series(&[(0, 1.0, 0), (5, 3.0, 0), (7, 99.0, 2), (25, 5.0, 0)]);
        let grid = Grid { start: 0, step: 10, cells: 4 };
        let run = |rule, holds| align(&s, grid, rule, holds);
        assert_eq!(run(GridRule::Mean, false).value, vec![Some(2.0), None, Some(5.0), None]);
        assert_eq!(run(GridRule::Mean, true).value, vec![Some(2.0), Some(3.0), Some(5.0), None]);
        assert_eq!(run(GridRule::Last, false).value, vec![Some(3.0), Some(3.0), Some(5.0), None]);
        assert_eq!(run(GridRule::Sum, false).value, vec![Some(4.0), Some(0.0), Some(5.0), None]);
        assert_eq!(run(GridRule::Linear, false).value, vec![Some(3.0), Some(4.0), Some(5.0), None]);
        assert_eq!(run(GridRule::Mean, false).mask, vec![1, 0, 1, 0]);
    }

    #[test]
    fn as_of_takes_the_latest_good_value_only() {
        let s = series(&[(10, 1.0, 0), (20, 2.0, 2), (30, f64::NAN, 0), (40, 4.0, 0)]);
        assert_eq!(as_of(&s, &[5, 10, 35, 40, 99]), vec![None, Some((1.0, 0)), Some((1.0, 25)), Some((4.0, 0)), Some((4.0, 59))]);
    }

    proptest! {
        #[test]
        fn as_of_agrees_with_looking_at_every_point(
            mut rows in proptest::collection::vec((0i64..200, -9.0f64..9.0, 0u16..2), 0..60),
            mut times in proptest::collection::vec(0i64..220, 0..30),
        ) {
            rows.sort_by_key(|r| r.0);
            times.sort_unstable();
            let s = series(&rows);
            let slow: Vec<_> = times.iter().map(|t| rows.iter().rev().find(|r| r.0 <= *t && r.2 & 0xf == 0).map(|r| (r.1, t - r.0))).collect();
            prop_assert_eq!(as_of(&s, &times), slow);
        }
        #[test]
        fn a_thinned_plot_keeps_the_extremes(mut rows in proptest::collection::vec((0i64..100_000, -9.0f64..9.0, 0u16..2), 1..900), pixels in 1usize..40) {
            rows.sort_by_key(|r| r.0);
            let s = series(&rows);
            let kept = thin(&s, pixels);
            prop_assert!(kept.windows(2).all(|w| w[0] < w[1]));
            let extreme = |f: fn(f64, f64) -> f64, it: &mut dyn Iterator<Item = f64>| it.reduce(f).unwrap();
            prop_assert_eq!(extreme(f64::max, &mut kept.iter().map(|i| s.value[*i])), extreme(f64::max, &mut rows.iter().map(|r| r.1)));
            prop_assert_eq!(extreme(f64::min, &mut kept.iter().map(|i| s.value[*i])), extreme(f64::min, &mut rows.iter().map(|r| r.1)));
        }
        #[test]
        fn a_grid_covers_its_span(zero in -1000i64..1000, from in -1000i64..1000, span in 0i64..1000, step in 1i64..50) {
            let grid = Grid::covering(zero, from, from + span, step, 10_000).unwrap();
            prop_assert!(grid.start <= from && from < grid.start + step);
            prop_assert!(grid.cell(from).is_some() && grid.cell(from + span).is_some());
            prop_assert_eq!((grid.start - zero).rem_euclid(step), 0);
        }
    }
}
