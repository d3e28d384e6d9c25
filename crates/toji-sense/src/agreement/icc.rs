//! Intraclass correlation: which share of the spread of judgements is spread of the things judged.
//!
//! The three single-judge forms of P. E. Shrout and J. L. Fleiss, Psychol. Bull. 86 (1979) 420-428, with
//! their intervals; the test is that paper's table 2.

use crate::sampling::Interval;
use serde::{Deserialize, Serialize};
use toji_core::special::f_quantile;

/// Form of the coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IccKind {
    /// ICC(1,1): every thing judged by other judges.
    OneWay,
    /// ICC(2,1): the same judges, drawn from many; their bias counts as disagreement.
    Agreement,
    /// ICC(3,1): these judges and no others; their bias does not count.
    Consistency,
}

/// A coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Icc {
    /// Form.
    pub kind: IccKind,
    /// Estimate.
    pub value: f64,
    /// Interval of 95 %.
    pub interval: Interval,
    /// Things judged.
    pub things: usize,
    /// Judges.
    pub judges: usize,
}

/// Mean squares of a full table: between things, between judges, rest, within things.
struct MeanSquares {
    n: f64,
    k: f64,
    things: f64,
    judges: f64,
    rest: f64,
    within: f64,
}

impl MeanSquares {
    fn of(table: &[Vec<f64>]) -> Option<Self> {
        let (rows, columns) = (table.len(), table.first()?.len());
        if rows < 2 || columns < 2 || table.iter().any(|r| r.len() != columns || r.iter().any(|v| !v.is_finite())) {
            return None;
        }
        let (n, k) = (rows as f64, columns as f64);
        let grand = table.iter().flatten().sum::<f64>() / (n * k);
        let of_rows: f64 = table.iter().map(|r| (r.iter().sum::<f64>() / k - grand).powi(2)).sum::<f64>() * k;
        let column = |c: usize| table.iter().filter_map(|r| r.get(c)).sum::<f64>() / n;
        let of_columns: f64 = (0..columns).map(|c| (column(c) - grand).powi(2)).sum::<f64>() * n;
        let whole: f64 = table.iter().flatten().map(|v| (v - grand).powi(2)).sum();
        Some(Self {
            n,
            k,
            things: of_rows / (n - 1.0),
            judges: of_columns / (k - 1.0),
            rest: ((whole - of_rows - of_columns) / ((n - 1.0) * (k - 1.0))).max(0.0),
            within: (whole - of_rows) / (n * (k - 1.0)),
        })
    }
}

/// The coefficient of a full table: one row a thing, one column a judge. `None` when the table has holes,
/// is smaller than 2 × 2, or nothing in it varies.
#[must_use]
pub fn icc(kind: IccKind, table: &[Vec<f64>]) -> Option<Icc> {
    let m = MeanSquares::of(table)?;
    let MeanSquares { n, k, things, judges, rest, within } = m;
    let (value, interval) = match kind {
        IccKind::OneWay => {
            let value = (things - within) / (things + (k - 1.0) * within);
            (value, by_f(things / within, n - 1.0, n * (k - 1.0), k))
        }
        IccKind::Consistency => {
            let value = (things - rest) / (things + (k - 1.0) * rest);
            (value, by_f(things / rest, n - 1.0, (n - 1.0) * (k - 1.0), k))
        }
        IccKind::Agreement => {
            let value = (things - rest) / (things + (k - 1.0) * rest + k * (judges - rest) / n);
            (value, agreement_interval(&m, value))
        }
    };
    let interval =
        if interval.low.is_finite() && interval.high.is_finite() { interval } else { Interval { low: value, high: value } };
    value.is_finite().then_some(Icc { kind, value, interval, things: table.len(), judges: k as usize })
}

fn by_f(f: f64, d1: f64, d2: f64, k: f64) -> Interval {
    let (low, high) = (f / f_quantile(0.975, d1, d2), f * f_quantile(0.975, d2, d1));
    Interval { low: (low - 1.0) / (low + k - 1.0), high: (high - 1.0) / (high + k - 1.0) }
}

/// The interval of ICC(2,1) with Satterthwaite's degrees of freedom, as the paper gives it.
fn agreement_interval(m: &MeanSquares, value: f64) -> Interval {
    let MeanSquares { n, k, things, judges, rest, .. } = *m;
    let fj = judges / rest;
    let upper = (k - 1.0) * (n - 1.0) * (k * value * fj + n * (1.0 + (k - 1.0) * value) - k * value).powi(2);
    let lower = (n - 1.0) * k * k * value * value * fj * fj + (n * (1.0 + (k - 1.0) * value) - k * value).powi(2);
    let v = upper / lower;
    let (a, b) = (f_quantile(0.975, n - 1.0, v), f_quantile(0.975, v, n - 1.0));
    let both = k * judges + (k * n - k - n) * rest;
    Interval { low: n * (things - a * rest) / (a * both + n * things), high: n * (b * things - rest) / (both + n * b * things) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 2 of the paper: six things, four judges.
    const TABLE: [[f64; 4]; 6] = [
        [9.0, 2.0, 5.0, 8.0],
        [6.0, 1.0, 3.0, 2.0],
        [8.0, 4.0, 6.0, 8.0],
        [7.0, 1.0, 2.0, 6.0],
        [10.0, 5.0, 6.0, 9.0],
        [6.0, 2.0, 4.0, 7.0],
    ];

    #[track_caller]
    fn check(kind: IccKind, value: f64, low: f64, high: f64) {
        let table: Vec<Vec<f64>> = TABLE.iter().map(|r| r.to_vec()).collect();
        let found = icc(kind, &table).unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 0.006;
        assert!(near(found.value, value) && near(found.interval.low, low) && near(found.interval.high, high), "{found:?}");
    }

    #[test]
    fn the_published_table() {
        // Estimates from the paper; intervals as the R package psych prints them for the same table.
        check(IccKind::OneWay, 0.17, -0.133, 0.723);
        check(IccKind::Agreement, 0.29, 0.019, 0.761);
        check(IccKind::Consistency, 0.71, 0.342, 0.946);
    }

    #[test]
    fn a_table_that_says_nothing_has_no_coefficient() {
        assert_eq!(icc(IccKind::Agreement, &[]), None);
        assert_eq!(icc(IccKind::Agreement, &[vec![1.0, 2.0], vec![1.0]]), None);
        assert_eq!(icc(IccKind::Agreement, &[vec![1.0, 1.0], vec![1.0, 1.0]]), None);
        assert_eq!(icc(IccKind::OneWay, &[vec![1.0, f64::NAN], vec![1.0, 2.0]]), None);
    }
}
