//! The question "which sensors explain the nose", answered with what the data can carry.
//!
//! Every observation is a row: the level the nose gave, the run it belongs to, the time in the run, and the
//! value of every sensor at that minute. A sensor and a nose that both drift with time go together without
//! having to do with one another, so every correlation is also given with time taken out.

use super::rank::{auc, benjamini_hochberg, spearman, spearman_given};
use crate::sampling::{Interval, bootstrap};
use serde::{Deserialize, Serialize};

/// One observation with the tank's state.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Run, as a number from 0.
    pub run: usize,
    /// Time in the run, s.
    pub elapsed_s: f64,
    /// What the nose said, on its scale.
    pub level: f64,
    /// Sensor values in the order of the sensors; `None` where there was none.
    pub state: Vec<Option<f64>>,
}

/// How to ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Level from which the thing counts as perceived.
    pub perceived_from: f64,
    /// Resamples.
    pub rounds: usize,
    /// Seed of the resamples.
    pub seed: u64,
}

/// What can be said of one sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// They go together, also beyond the passing of time.
    Associated,
    /// They go together, but the passing of time may be all of it.
    MaybeTime,
    /// Any association is weak: the whole interval lies within ±0.3.
    Weak,
    /// The data do not say.
    CannotTell,
}

/// One sensor against the nose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Explained {
    /// Place of the sensor in the rows.
    pub sensor: usize,
    /// Observations with a value of the sensor.
    pub n: usize,
    /// Runs they come from.
    pub runs: usize,
    /// Rank correlation.
    pub rho: Option<f64>,
    /// Its interval of 95 %, resampling whole runs.
    pub interval: Option<Interval>,
    /// Rank correlation with the time in the run taken out.
    pub rho_given_time: Option<f64>,
    /// Its interval of 95 %.
    pub interval_given_time: Option<Interval>,
    /// Chance that the sensor is higher where the thing was perceived than where it was not.
    pub auc: Option<f64>,
    /// Its interval of 95 %.
    pub auc_interval: Option<Interval>,
    /// Level of the correlation before and after the correction for the number of sensors.
    pub p: Option<f64>,
    /// After Benjamini and Hochberg.
    pub q: Option<f64>,
    /// What can be said.
    pub finding: Finding,
}

/// Fewest runs from which anything is concluded: below, resampling runs gives intervals that are too short.
pub const RUNS_MIN: usize = 5;
/// Share of false finds accepted.
const Q_MAX: f64 = 0.05;
/// An interval inside ± this is called weak.
const WEAK: f64 = 0.3;

/// One sensor's rows, grouped by run.
struct Table {
    groups: Vec<Vec<(f64, f64, f64)>>,
}

impl Table {
    fn of(rows: &[Row], sensor: usize) -> Self {
        let mut groups: std::collections::BTreeMap<usize, Vec<(f64, f64, f64)>> = std::collections::BTreeMap::new();
        for row in rows {
            if let Some(value) = row.state.get(sensor).copied().flatten().filter(|v| v.is_finite()) {
                groups.entry(row.run).or_default().push((row.level, value, row.elapsed_s));
            }
        }
        Self { groups: groups.into_values().collect() }
    }
    fn columns(&self, chosen: &[usize]) -> [Vec<f64>; 3] {
        let rows = || chosen.iter().filter_map(|g| self.groups.get(*g)).flatten();
        [rows().map(|r| r.0).collect(), rows().map(|r| r.1).collect(), rows().map(|r| r.2).collect()]
    }
}

/// Answers for every sensor, in their order.
#[must_use]
pub fn explain(rows: &[Row], sensors: usize, question: Question) -> Vec<Explained> {
    let mut out: Vec<Explained> = (0..sensors).map(|sensor| one(&Table::of(rows, sensor), sensor, question)).collect();
    let asked: Vec<f64> = out.iter().filter_map(|e| e.p).collect();
    let mut corrected = benjamini_hochberg(&asked).into_iter();
    for explained in out.iter_mut().filter(|e| e.p.is_some()) {
        explained.q = corrected.next();
    }
    for explained in &mut out {
        explained.finding = finding(explained);
    }
    out
}

fn one(table: &Table, sensor: usize, question: Question) -> Explained {
    let runs = table.groups.len();
    let all: Vec<usize> = (0..runs).collect();
    let rho_of = |chosen: &[usize]| {
        let [level, value, _] = table.columns(chosen);
        spearman(&level, &value)
    };
    let given_of = |chosen: &[usize]| {
        let [level, value, time] = table.columns(chosen);
        spearman_given(&level, &value, &time)
    };
    let auc_of = |chosen: &[usize]| {
        let [level, value, _] = table.columns(chosen);
        let perceived: Vec<bool> = level.iter().map(|l| *l >= question.perceived_from).collect();
        auc(&value, &perceived)
    };
    // Each sensor has its own stream of chance, so that asking for one more changes no other.
    let seed = question.seed.wrapping_add((sensor as u64).wrapping_mul(0x51_7c_c1_b7_27_22_0a_95));
    let resample = |statistic: &dyn Fn(&[usize]) -> Option<f64>| bootstrap(runs, question.rounds, seed, 0.0, statistic);
    let (rho, resampled) = (rho_of(&all), resample(&rho_of));
    Explained {
        sensor,
        n: table.groups.iter().map(Vec::len).sum(),
        runs,
        rho,
        interval: resampled.as_ref().map(|r| r.interval),
        rho_given_time: given_of(&all),
        interval_given_time: resample(&given_of).map(|r| r.interval),
        auc: auc_of(&all),
        auc_interval: resample(&auc_of).map(|r| r.interval),
        p: resampled.map(|r| r.p),
        q: None,
        finding: Finding::CannotTell,
    }
}

fn finding(explained: &Explained) -> Finding {
    let (Some(interval), Some(q)) = (explained.interval, explained.q) else { return Finding::CannotTell };
    if explained.runs < RUNS_MIN || explained.rho.is_none() {
        return Finding::CannotTell;
    }
    let apart = |i: Interval| i.low > 0.0 || i.high < 0.0;
    if apart(interval) && q <= Q_MAX {
        let same_sign = |i: Interval| (i.low > 0.0) == (interval.low > 0.0);
        return match explained.interval_given_time {
            Some(given) if apart(given) && same_sign(given) => Finding::Associated,
            _ => Finding::MaybeTime,
        };
    }
    if interval.low > -WEAK && interval.high < WEAK { Finding::Weak } else { Finding::CannotTell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::chance::Chance;

    const ASK: Question = Question { perceived_from: 3.0, rounds: 600, seed: 11 };

    /// Runs in which the nose follows sensor 0, sensor 1 only rises with time as the nose does, sensor 2 is noise.
    fn rows(runs: usize, per_run: usize) -> Vec<Row> {
        let mut chance = Chance::new(3);
        let mut noise = move || chance.below(1000) as f64 / 500.0 - 1.0;
        let mut out = Vec::new();
        for run in 0..runs {
            for i in 0..per_run {
                let time = i as f64 / per_run as f64;
                let cause = 2.0 * noise();
                let level = (2.5 + 1.6 * time + cause + 0.3 * noise()).round().clamp(0.0, 5.0);
                out.push(Row {
                    run,
                    elapsed_s: time * 86_400.0,
                    level,
                    state: vec![Some(cause), Some(time + 0.05 * noise()), Some(noise()), None],
                });
            }
        }
        out
    }

    #[test]
    fn the_cause_is_found_the_clock_is_not_taken_for_one_and_noise_stays_noise() {
        let found = explain(&rows(12, 25), 4, ASK);
        assert_eq!(found[0].finding, Finding::Associated, "{:?}", found[0]);
        assert_eq!(found[1].finding, Finding::MaybeTime, "{:?}", found[1]);
        assert!(matches!(found[2].finding, Finding::Weak | Finding::CannotTell), "{:?}", found[2]);
        assert_eq!((found[3].n, found[3].runs, found[3].finding), (0, 0, Finding::CannotTell));
        assert!(found[0].auc.unwrap() > 0.8 && found[0].q.unwrap() >= found[0].p.unwrap());
        assert_eq!(found, explain(&rows(12, 25), 4, ASK));
    }

    #[test]
    fn few_runs_say_nothing_however_many_rows_they_have() {
        let found = explain(&rows(3, 200), 3, ASK);
        assert!(found.iter().all(|e| e.finding == Finding::CannotTell), "{found:?}");
        assert_eq!((found[0].n, found[0].runs), (600, 3));
    }
}
