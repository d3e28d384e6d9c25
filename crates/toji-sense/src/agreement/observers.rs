//! Bias and repeatability of observers, from samples judged blind and more than once.
//!
//! * **Repeatability**: the spread of one observer's judgements of one and the same sample, pooled over the
//!   samples, with the χ² interval of a variance.
//! * **Bias**: by how much an observer's mean of a sample lies above that of the *others* of the panel, averaged
//!   over the samples, with Student's interval over samples. The panel's mean is a reference, not the truth.
//! * **Agreement** of the panel: ICC(2,1) of the observers' means on the samples all of them judged.

use super::icc::{Icc, IccKind, icc};
use crate::sampling::Interval;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::special::{chi2_quantile, t_quantile_975};

/// One judgement of one blind sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Who.
    pub observer: String,
    /// Which sample; the same for every serving of it.
    pub sample: String,
    /// What was judged, on its scale.
    pub level: f64,
}

/// One observer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Observer {
    /// Pseudonym.
    pub observer: String,
    /// Judgements.
    pub judgements: usize,
    /// Samples judged more than once.
    pub repeated: usize,
    /// Standard deviation of repeats, in steps of the scale; absent without repeats.
    pub repeatability: Option<f64>,
    /// Its interval of 95 %.
    pub repeatability_interval: Option<Interval>,
    /// Mean difference from the others, in steps of the scale; absent without shared samples.
    pub bias: Option<f64>,
    /// Its interval of 95 %; absent with one shared sample.
    pub bias_interval: Option<Interval>,
    /// Samples shared with others.
    pub shared: usize,
}

/// A panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Panel {
    /// Observers by name.
    pub observers: Vec<Observer>,
    /// Agreement of the observers' means; absent when fewer than two samples were judged by at least two of them.
    pub agreement: Option<Icc>,
    /// Observers in the agreement.
    pub agreement_of: Vec<String>,
}

type Cells = BTreeMap<String, BTreeMap<String, Vec<f64>>>;

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Judges the judges.
#[must_use]
pub fn panel(judgements: &[Judgement]) -> Panel {
    let mut cells = Cells::new();
    for judgement in judgements.iter().filter(|j| j.level.is_finite()) {
        let of_observer = cells.entry(judgement.observer.clone()).or_default();
        of_observer.entry(judgement.sample.clone()).or_default().push(judgement.level);
    }
    let observers = cells.iter().map(|(name, samples)| observer(name, samples, &cells)).collect();
    let (agreement, agreement_of) = agreement(&cells);
    Panel { observers, agreement, agreement_of }
}

fn observer(name: &str, samples: &BTreeMap<String, Vec<f64>>, cells: &Cells) -> Observer {
    let repeats: Vec<&Vec<f64>> = samples.values().filter(|v| v.len() > 1).collect();
    let freedom: f64 = repeats.iter().map(|v| v.len() as f64 - 1.0).sum();
    let squares: f64 = repeats.iter().map(|v| v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f64>()).sum();
    let repeatability = (freedom > 0.0).then(|| (squares / freedom).sqrt());
    let repeatability_interval = (freedom > 0.0).then(|| Interval {
        low: (squares / chi2_quantile(0.975, freedom)).sqrt(),
        high: (squares / chi2_quantile(0.025, freedom)).sqrt(),
    });
    let differences: Vec<f64> = samples
        .iter()
        .filter_map(|(sample, own)| {
            let others: Vec<f64> =
                cells.iter().filter(|(n, _)| *n != name).filter_map(|(_, s)| s.get(sample)).map(|v| mean(v)).collect();
            (!others.is_empty()).then(|| mean(own) - mean(&others))
        })
        .collect();
    let shared = differences.len();
    let bias = (shared > 0).then(|| mean(&differences));
    let bias_interval = bias.filter(|_| shared > 1).map(|b| {
        let n = shared as f64;
        let deviation = (differences.iter().map(|d| (d - b).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let half = t_quantile_975(n - 1.0) * deviation / n.sqrt();
        Interval { low: b - half, high: b + half }
    });
    Observer {
        observer: name.to_owned(),
        judgements: samples.values().map(Vec::len).sum(),
        repeated: repeats.len(),
        repeatability,
        repeatability_interval,
        bias,
        bias_interval,
        shared,
    }
}

/// Agreement on the largest set of observers that share at least two samples: observers are dropped, fewest
/// samples first, until what is left is a full table.
fn agreement(cells: &Cells) -> (Option<Icc>, Vec<String>) {
    let mut names: Vec<&String> = cells.keys().collect();
    names.sort_by_key(|n| std::cmp::Reverse(cells.get(*n).map_or(0, BTreeMap::len)));
    while names.len() >= 2 {
        let of = |n: &&String| cells.get(*n).map(|s| s.keys().collect::<BTreeSet<_>>()).unwrap_or_default();
        let shared = names.iter().map(of).reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default();
        if shared.len() >= 2 {
            names.sort();
            let row = |sample: &String| {
                names.iter().filter_map(|n| cells.get(*n).and_then(|s| s.get(sample))).map(|v| mean(v)).collect::<Vec<f64>>()
            };
            let table: Vec<Vec<f64>> = shared.into_iter().map(row).collect();
            return (icc(IccKind::Agreement, &table), names.into_iter().cloned().collect());
        }
        names.pop();
    }
    (None, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rows: &[(&str, &str, f64)]) -> Vec<Judgement> {
        rows.iter().map(|(o, s, l)| Judgement { observer: (*o).into(), sample: (*s).into(), level: *l }).collect()
    }

    #[test]
    fn bias_and_repeatability_by_hand() {
        let rows = judged(&[
            ("A", "1", 2.0),
            ("A", "1", 3.0),
            ("A", "2", 4.0),
            ("A", "2", 4.0),
            ("A", "3", 1.0),
            ("B", "1", 1.5),
            ("B", "2", 3.0),
            ("B", "3", 0.0),
            ("C", "1", 1.5),
            ("C", "2", 3.0),
            ("C", "3", 0.0),
            ("D", "9", 5.0),
        ]);
        let panel = panel(&rows);
        let a = &panel.observers[0];
        // Squares of repeats: 0.5 with two degrees of freedom.
        assert_eq!((a.judgements, a.repeated, a.repeatability), (5, 2, Some(0.5)));
        let interval = a.repeatability_interval.unwrap();
        // √(0.5/7.378) and √(0.5/0.05064), from tables of χ² with two degrees of freedom.
        assert!((interval.low - 0.2603).abs() < 1e-3 && (interval.high - 3.1422).abs() < 2e-3, "{interval:?}");
        assert_eq!((a.bias, a.shared), (Some(1.0), 3));
        assert!((panel.observers[1].bias.unwrap() + 0.5).abs() < 1e-12);
        let d = &panel.observers[3];
        assert_eq!((d.repeatability, d.bias, d.shared), (None, None, 0));
        assert_eq!(panel.agreement_of, ["A", "B", "C"]);
        assert_eq!(panel.agreement.unwrap().things, 3);
    }

    #[test]
    fn nobody_gives_an_empty_panel() {
        assert_eq!(panel(&[]), Panel { observers: vec![], agreement: None, agreement_of: vec![] });
    }
}
