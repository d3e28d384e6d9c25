//! Derivative dynamic time warping: a batch is stretched and squeezed until its slopes follow those of a reference.
//!
//! E. Keogh and M. Pazzani (2001), "Derivative dynamic time warping", SIAM International Conference on Data Mining;
//! the window after H. Sakoe and S. Chiba (1978), *IEEE Transactions on Acoustics, Speech and Signal Processing* 26,
//! 43–49. Slopes, not levels: a batch that runs higher must stay higher after alignment.

use super::align::finished;
use super::batch::{Batch, OnAxis};
use super::matrix::Matrix;
use serde::{Deserialize, Serialize};
use toji_core::{Category, Error, Place, Result};

/// Comparisons of time points at most, for one batch.
const COMPARED_MAX: usize = 4_000_000;

/// Warping onto a reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Warping {
    /// The reference: points over variables in their own units, missing cells `null`.
    reference: Vec<Vec<Option<f64>>>,
    /// How far a batch may run ahead or behind, as a share of the length (0 to 1).
    window: f64,
}

impl Warping {
    /// Onto this batch.
    ///
    /// # Errors
    /// A window outside 0.01 to 1, or a reference of fewer than 3 time points.
    pub fn new(reference: &Batch, window: f64) -> Result<Self> {
        if !(0.01..=1.0).contains(&window) || reference.values.rows() < 3 {
            let rows = reference.values.rows();
            return Err(Error::input(
                "E-MONITOR-017",
                format!("時間伸縮の窓は 0.01〜1、基準は 3 時点以上です（窓 {window}、{rows} 時点）"),
                format!("the window of warping is 0.01 to 1 and its reference has at least 3 points ({window}, {rows} points)"),
            )
            .at(Place::field("window"))
            .hint("通常は 0.1〜0.2 を指定します", "0.1 to 0.2 is usual"));
        }
        let cells = |row: usize| (0..reference.values.cols()).map(|col| reference.values.get(row, col)).collect();
        Ok(Self { reference: (0..reference.values.rows()).map(cells).collect(), window })
    }
    pub(super) fn points(&self) -> usize {
        self.reference.len()
    }
}

/// A batch on the points of the reference: the mean of its rows that fall on each.
pub(super) fn place(warping: &Warping, batch: &Batch) -> Result<OnAxis> {
    let reference = Matrix::from_rows(&warping.reference)?;
    if reference.cols() != batch.values.cols() {
        let (wanted, found, name) = (reference.cols(), batch.values.cols(), &batch.name);
        return Err(Error::input(
            "E-MONITOR-018",
            format!("バッチ「{name}」の変数は {found} 個、基準は {wanted} 個です"),
            format!("batch \"{name}\" has {found} variables, the reference {wanted}"),
        )
        .at(Place::field(name))
        .hint("基準と同じ変数を渡してください", "give the variables of the reference"));
    }
    let path = path(&reference, &batch.values, warping.window, batch.ended, &batch.name)?;
    let cols = reference.cols();
    let mut cells = vec![f64::NAN; reference.rows() * cols];
    let mut times = vec![None; reference.rows()];
    let mut from = 0;
    while from < path.len() {
        let point = path[from].0;
        let upto = from + path[from..].iter().take_while(|(p, _)| *p == point).count();
        let rows: Vec<usize> = path[from..upto].iter().map(|(_, row)| *row).collect();
        for col in 0..cols {
            let seen: Vec<f64> = rows.iter().filter_map(|row| batch.values.get(*row, col)).collect();
            if !seen.is_empty() {
                cells[point * cols + col] = seen.iter().sum::<f64>() / seen.len() as f64;
            }
        }
        times[point] = Some(rows.iter().map(|row| batch.times[*row]).sum::<f64>() / rows.len() as f64);
        from = upto;
    }
    Ok(finished(&batch.name, cells, cols, times))
}

/// Slopes as Keogh and Pazzani estimate them, over the spread of the reference's slopes; 0 where a neighbour is missing.
fn slopes(of: &Matrix, spread: &[f64]) -> Vec<Vec<f64>> {
    let last = of.rows() - 1;
    (0..of.rows())
        .map(|row| {
            let at = row.clamp(1, last.saturating_sub(1).max(1)).min(last);
            (0..of.cols())
                .map(|col| {
                    let cell = |row: usize| of.get(row, col);
                    let slope = || Some(((cell(at)? - cell(at - 1)?) + (cell((at + 1).min(last))? - cell(at - 1)?) / 2.0) / 2.0);
                    slope().unwrap_or(0.0) / spread[col]
                })
                .collect()
        })
        .collect()
}

fn spread_of(slopes: &[Vec<f64>], cols: usize) -> Vec<f64> {
    (0..cols)
        .map(|col| {
            let square: f64 = slopes.iter().map(|row| row[col] * row[col]).sum::<f64>() / slopes.len() as f64;
            if square > 0.0 { square.sqrt() } else { 1.0 }
        })
        .collect()
}

/// Pairs of reference point and row of the batch, in order. A batch that still runs may end anywhere on the reference
/// that its rows reach inside the window.
fn path(reference: &Matrix, batch: &Matrix, window: f64, ended: bool, name: &str) -> Result<Vec<(usize, usize)>> {
    let (n, m) = (reference.rows(), batch.rows());
    // A finished batch is compared along its own diagonal; one that runs has the pace of the reference until shown.
    let pace = if ended { (n - 1) as f64 / (m - 1) as f64 } else { 1.0 };
    let wide = (window * n as f64).max(pace.ceil() + 1.0);
    let reach = |row: usize| {
        let middle = row as f64 * pace;
        let low = (middle - wide).max(0.0) as usize;
        (low.min(n - 1), ((middle + wide) as usize).min(n - 1))
    };
    let compared: usize = (0..m).map(|row| reach(row).1 - reach(row).0 + 1).sum();
    if compared > COMPARED_MAX {
        return Err(Error::new(
            Category::Limit,
            "E-MONITOR-019",
            format!("バッチ「{name}」の時間伸縮には {compared} 回の比較が要ります（上限 {COMPARED_MAX}）"),
            format!("warping batch \"{name}\" takes {compared} comparisons (at most {COMPARED_MAX})"),
        )
        .at(Place::field(name))
        .hint("時点を間引くか窓を狭めてください", "take fewer time points or a narrower window"));
    }
    let cols = reference.cols();
    let spread = spread_of(&slopes(reference, &vec![1.0; cols]), cols);
    let (own, wanted) = (slopes(batch, &spread), slopes(reference, &spread));
    let cost = |row: usize, point: usize| -> f64 { own[row].iter().zip(&wanted[point]).map(|(a, b)| (a - b).powi(2)).sum() };
    let mut sums: Vec<(usize, Vec<(f64, u8)>)> = Vec::with_capacity(m);
    for row in 0..m {
        let (low, high) = reach(row);
        let mut line: Vec<(f64, u8)> = Vec::with_capacity(high - low + 1);
        for point in low..=high {
            let before = |point: usize| -> f64 {
                let Some((low, line)) = sums.last() else { return f64::INFINITY };
                point.checked_sub(*low).and_then(|at| line.get(at)).map_or(f64::INFINITY, |cell| cell.0)
            };
            // Both on; the batch waits for the reference; the reference waits for the batch.
            let ways = [
                point.checked_sub(1).map_or(f64::INFINITY, before),
                line.last().map_or(f64::INFINITY, |cell| cell.0),
                before(point),
            ];
            let (way, least) = (0..3).map(|i| (i, ways[i])).fold((0, f64::INFINITY), |a, b| if b.1 < a.1 { b } else { a });
            let start = row == 0 && point == 0;
            line.push((cost(row, point) + if start { 0.0 } else { least }, if start { 9 } else { way as u8 }));
        }
        sums.push((low, line));
    }
    let end = end_of(&sums, n, ended);
    let mut out = vec![(end, m - 1)];
    let (mut point, mut row) = (end, m - 1);
    while let Some((_, way)) = sums[row].1.get(point - sums[row].0).copied() {
        match way {
            0 if row > 0 && point > 0 => (point, row) = (point - 1, row - 1),
            1 if point > 0 => point -= 1,
            2 if row > 0 => row -= 1,
            _ => break,
        }
        out.push((point, row));
    }
    out.reverse();
    Ok(out)
}

/// Where on the reference the batch ends: at its end, or where a running batch has matched best for the way gone.
fn end_of(sums: &[(usize, Vec<(f64, u8)>)], n: usize, ended: bool) -> usize {
    let Some((low, line)) = sums.last() else { return 0 };
    if ended {
        return n - 1;
    }
    let per_step = |at: usize| line[at].0 / (sums.len() + low + at) as f64;
    let best = (0..line.len()).fold(0, |best, at| if per_step(at) < per_step(best) { at } else { best });
    low + best
}

#[cfg(test)]
mod tests {
    use super::super::align::{Axis, align};
    use super::*;

    /// Growth to a plateau that begins at `delay` and rises to `level`, sampled at each of `n` points.
    fn course(name: &str, delay: f64, level: f64, n: u32, ended: bool) -> Batch {
        let rows: Vec<[Option<f64>; 1]> = (0..n).map(|i| [Some(level / (1.0 + (-(f64::from(i) - delay) / 4.0).exp()))]).collect();
        let times = (0..n).map(f64::from).collect();
        Batch { name: name.into(), times, values: Matrix::from_rows(&rows).unwrap(), marks: vec![], ended }
    }

    #[test]
    fn a_delay_is_taken_out_and_a_level_is_kept() {
        let reference = course("reference", 30.0, 10.0, 80, true);
        let axis = Axis::Warping(Warping::new(&reference, 0.2).unwrap());
        let late = course("late", 38.0, 10.0, 80, true);
        let high = course("high", 30.0, 11.0, 80, true);
        let names = ["x".to_owned()];
        let out = align(&[reference.clone(), late.clone(), high], &names, &axis).unwrap();
        let gap = |i: usize| {
            (20..60)
                .map(|point| (out.batches[i].values.get(point, 0).unwrap() - reference.values.get(point, 0).unwrap()).abs())
                .fold(0.0, f64::max)
        };
        let raw =
            (20..60).map(|p| (late.values.get(p, 0).unwrap() - reference.values.get(p, 0).unwrap()).abs()).fold(0.0, f64::max);
        assert!(gap(0) == 0.0 && raw > 4.0 && gap(1) < 0.6, "{} {} {raw}", gap(0), gap(1));
        // A tenth more at the plateau stays a tenth more.
        assert!((out.batches[2].values.get(70, 0).unwrap() - 11.0).abs() < 0.1);
        assert!((out.batches[1].times[30].unwrap() - 38.0).abs() < 3.0);
    }

    #[test]
    fn one_that_runs_ends_where_it_is() {
        let reference = course("reference", 30.0, 10.0, 80, true);
        let axis = Axis::Warping(Warping::new(&reference, 0.2).unwrap());
        let running = course("running", 36.0, 10.0, 38, false);
        let out = align(&[running], &["x".to_owned()], &axis).unwrap();
        assert!((26..=36).contains(&out.batches[0].reached), "{}", out.batches[0].reached);
    }

    #[test]
    fn work_is_bounded() {
        let long = course("long", 9.0, 1.0, 5_000, true);
        let axis = Axis::Warping(Warping::new(&long, 1.0).unwrap());
        assert_eq!(align(std::slice::from_ref(&long), &["x".to_owned()], &axis).unwrap_err().code(), "E-MONITOR-019");
        assert_eq!(Warping::new(&long, 0.0).unwrap_err().code(), "E-MONITOR-017");
    }
}
