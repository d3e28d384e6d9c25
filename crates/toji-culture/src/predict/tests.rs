//! Promises against their proofs, exact intervals against binomial sums, a population against its closed form, and
//! coverage of all of it together.

use super::*;
use crate::linear::Matrix;
use toji_core::chance::Chance;

fn near(a: f64, b: f64, off: f64) {
    assert!((a - b).abs() <= off, "{a} is not {b}");
}

#[test]
fn what_so_many_runs_can_promise() {
    let of = |runs, level| promise(Method::Split, runs, level);
    assert_eq!((of(9, 0.9).rank, of(9, 0.9).expected), (Some(9), Some(0.9)));
    assert_eq!((of(10, 0.9).rank, of(19, 0.9).rank, of(49, 0.9).rank), (Some(10), Some(18), Some(45)));
    // Five runs: no 90 % interval, at most five in six, and nine would do.
    let five = of(5, 0.9);
    assert_eq!((five.rank, five.expected, five.guaranteed, five.runs_needed), (None, None, None, 9));
    near(five.possible, 5.0 / 6.0, 1e-12);
    assert_eq!(of(5, 0.8).rank, Some(5));
    assert_eq!(of(0, 0.5).rank, None);
    assert_eq!(promise(Method::JackknifePlus, 20, 0.9).guaranteed.map(|g| (g * 1000.0).round()), Some(800.0));
    // 1 − 2α − min(2 (1 − 1/5) / (20/5 + 1), (1 − 5/20) / 6) = 0.8 − 0.125.
    near(promise(Method::CvPlus { folds: 5 }, 20, 0.9).guaranteed.unwrap(), 0.675, 1e-12);
}

#[test]
fn exact_intervals_are_where_binomial_sums_reach_the_tail() {
    let above = |n: u32, k: u32, p: f64| -> f64 {
        let choose = |k: u32| (0..k).map(|i| f64::from(n - i) / f64::from(i + 1)).product::<f64>();
        (k..=n).map(|i| choose(i) * p.powi(i as i32) * (1.0 - p).powi((n - i) as i32)).sum()
    };
    for (held, n) in [(9, 10), (18, 20), (3, 17), (45, 50), (1, 4)] {
        let (low, high) = exact_interval(f64::from(held), n as usize, 0.95);
        near(above(n, held, low), 0.025, 1e-9);
        near(above(n, held + 1, high), 0.975, 1e-9);
    }
    // R's binom.test(18, 20) and (9, 10), to six digits.
    let (low, high) = exact_interval(18.0, 20, 0.95);
    near(low, 0.683_017, 1e-6);
    near(high, 0.987_651, 1e-6);
    let (low, high) = exact_interval(9.0, 10, 0.95);
    near(low, 0.554_984, 1e-6);
    near(high, 0.997_471, 1e-6);
    assert_eq!(exact_interval(0.0, 10, 0.95).0, 0.0);
    near(exact_interval(10.0, 10, 0.95).0, 0.025f64.powf(0.1), 1e-9);
}

#[test]
fn a_population_is_that_of_the_balanced_case() {
    // One parameter, equal errors: the mean is that of the estimates, and the spread is their variance less the error.
    let estimates = [1.0, 1.4, 0.7, 1.9, 1.2, 0.8];
    let error = 0.04;
    let individuals: Vec<Individual> =
        estimates.iter().map(|e| Individual { at: vec![*e], covariance: Matrix::from_rows(&[[error]]) }).collect();
    let all: Vec<&Individual> = individuals.iter().collect();
    let population = Population::of(&all).unwrap();
    let mean = estimates.iter().sum::<f64>() / 6.0;
    let variance = estimates.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / 5.0;
    near(population.mean[0], mean, 1e-9);
    // Of n − 1 and n in turn: the fixed point lies within a few per cent of the difference.
    near(population.between[(0, 0)], variance - error, 0.1 * variance);
    near(population.of_mean[(0, 0)], (population.between[(0, 0)] + error) / 6.0, 1e-6);
    // A difference that is only error is no spread.
    let alike: Vec<Individual> =
        estimates.iter().map(|e| Individual { at: vec![*e], covariance: Matrix::from_rows(&[[1.0]]) }).collect();
    let none = Population::of(&alike.iter().collect::<Vec<_>>()).unwrap();
    assert!(none.between[(0, 0)] < 0.05, "{none:?}");
    assert_eq!(Population::of(&all[..2]).unwrap_err().code(), "E-PREDICT-001");
}

#[test]
fn bands_are_those_of_ranks_and_hold_at_once() {
    let expected = |mean: f64| Expected { mean: vec![mean, 2.0 * mean], spread: vec![1.0, 2.0] };
    let scores = [0.5, 1.0, 2.0, 0.1, 3.0, 0.2, 0.3, 0.4, 0.6];
    let one = band(&scores, &[expected(10.0)], 0.8).unwrap();
    // Rank 8 of 9: the score 2.
    assert_eq!((one.low.clone(), one.high.clone()), (vec![8.0, 16.0], vec![12.0, 24.0]));
    assert_eq!(one.holds(&[Some(11.0), None]), Some(true));
    assert_eq!(one.holds(&[Some(11.0), Some(24.5)]), Some(false));
    assert_eq!(one.holds(&[None, None]), None);
    // All models alike: jackknife+ is the same.
    let many: Vec<Expected> = scores.iter().map(|_| expected(10.0)).collect();
    assert_eq!(band(&scores, &many, 0.8).unwrap(), one);
    assert!(band(&scores, &many, 0.95).is_none());
    near(score(&expected(10.0), &[Some(11.0), Some(15.0)]).unwrap(), 2.5, 1e-12);
    assert_eq!(score(&expected(10.0), &[None, None]), None);
}

/// A course of eight readings of runs that differ, forecast by the mean and the spread of the others: bands of jackknife+
/// hold for a whole course in 90 % of cases, those of normal theory (±1.645 of the spread at each reading) in far fewer.
#[test]
fn whole_courses_are_covered_and_normal_theory_by_the_reading_is_not_enough() {
    let (repeats, n) = (600, 20);
    let mut chance = Chance::new(77);
    let (mut held, mut normal, mut stayed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..repeats {
        let mut runs: Vec<Vec<f64>> = Vec::new();
        for _ in 0..=n {
            let (level, slope) = (chance.normal(), 0.3 * chance.normal());
            // Tails heavier than normal.
            runs.push((0..8).map(|t| level + slope * f64::from(t) + 0.4 * chance.normal() * chance.normal().abs()).collect());
        }
        let of = |left: &[usize]| {
            let used: Vec<&Vec<f64>> = (0..n).filter(|i| !left.contains(i)).map(|i| &runs[i]).collect();
            let m = used.len() as f64;
            let mean: Vec<f64> = (0..8).map(|t| used.iter().map(|r| r[t]).sum::<f64>() / m).collect();
            let spread = (0..8)
                .map(|t| (used.iter().map(|r| (r[t] - mean[t]).powi(2)).sum::<f64>() / (m - 1.0) * (1.0 + 1.0 / m)).sqrt())
                .collect();
            Expected { mean, spread }
        };
        let without: Vec<Expected> = (0..n).map(|i| of(&[i])).collect();
        let read = |i: usize| -> Vec<Option<f64>> { runs[i].iter().copied().map(Some).collect() };
        let scores: Vec<f64> = without.iter().enumerate().map(|(i, e)| score(e, &read(i)).unwrap()).collect();
        let band = band(&scores, &without, 0.9).unwrap();
        held.push(f64::from(u8::from(band.holds(&read(n)).unwrap())));
        stayed.push(f64::from(u8::from(stays(&scores, &without, &read(n), 0.9).unwrap())));
        normal.push(f64::from(u8::from(score(&of(&[]), &read(n)).unwrap() <= 1.645)));
    }
    // The band is the hull of the courses that stay: it holds all of these, and hardly more.
    assert!(held.iter().zip(&stayed).all(|(h, s)| h >= s));
    let (held, normal, stayed) = (coverage(&held, 0.95), coverage(&normal, 0.95), coverage(&stayed, 0.95));
    assert!((0.87..=0.94).contains(&stayed.share) && held.share - stayed.share < 0.01, "{held:?} {stayed:?}");
    // Standard error 1.2 %.
    assert!((0.87..=0.94).contains(&held.share), "{held:?}");
    assert!(normal.high < 0.87, "{normal:?}");
}

#[test]
fn a_course_that_is_out_may_wind_its_way_within_the_band() {
    // Two runs; 60 % asks for both. Each is surer of another reading.
    let expected =
        [Expected { mean: vec![0.0, 0.0], spread: vec![1.0, 2.0] }, Expected { mean: vec![0.0, 0.0], spread: vec![2.0, 1.0] }];
    let scores = [1.0, 1.0];
    let band = band(&scores, &expected, 0.6).unwrap();
    assert_eq!((band.low.clone(), band.high.clone()), (vec![-2.0, -2.0], vec![2.0, 2.0]));
    let of = |a: f64, b: f64| {
        let read = [Some(a), Some(b)];
        (stays(&scores, &expected, &read, 0.6), band.holds(&read))
    };
    assert_eq!(of(0.5, 1.5), (Some(true), Some(true)));
    // Farther off than either run by the model that had not seen it, though at another reading each.
    assert_eq!(of(1.5, 1.5), (Some(false), Some(true)));
    assert_eq!(of(2.5, 0.0), (Some(false), Some(false)));
    assert_eq!(stays(&scores, &expected, &[None, None], 0.6), None);
    assert_eq!(stays(&scores, &expected, &[Some(0.0), None], 0.9), None);
    assert_eq!(stays(&scores, &expected[..1], &[Some(0.9), None], 0.6), Some(true));
}

fn entry(run: usize, at_once: bool, level: f64, read: f64) -> Entry {
    Entry {
        model: "m".into(),
        quantity: "mAb".into(),
        scale: "0.25 L".into(),
        run: format!("r{run:03}"),
        stored: run as f64,
        at_once,
        level,
        low: -1.0,
        high: 1.0,
        read,
    }
}

#[test]
fn the_ledger_counts_runs_and_not_readings() {
    let mut entries = Vec::new();
    for run in 0..10 {
        for reading in 0..4 {
            let out = run == 3 && reading == 2;
            for at_once in [true, false] {
                entries.push(entry(run, at_once, 0.9, if out { 2.0 } else { 0.0 }));
            }
        }
    }
    entries.push(Entry { scale: "30 L".into(), ..entry(0, true, 0.9, 0.0) });
    let ledger = ledger(&entries);
    assert_eq!(ledger.len(), 3);
    let find = |at_once, scale: &str| ledger.iter().find(|(c, _)| c.at_once == at_once && c.scale == scale).unwrap().1;
    let at_once = coverage(find(true, "0.25 L"), 0.95);
    assert_eq!((at_once.runs, at_once.held), (10, 9.0));
    near(coverage(find(false, "0.25 L"), 0.95).held, 9.75, 1e-12);
    assert_eq!(find(true, "30 L").len(), 1);
}

#[test]
fn a_model_steers_by_evidence_and_loses_it_by_evidence() {
    let rule = Rule::default();
    let outcomes = |held: usize, missed: usize| -> Vec<f64> {
        let n = held + missed;
        (0..n).map(|i| f64::from(u8::from((i * missed) / n == ((i + 1) * missed) / n))).collect()
    };
    assert_eq!(permission(&[], 0.9, &rule), (Permission::NotEnoughEvidence, Reason::NoRuns));
    assert_eq!(permission(&outcomes(9, 1), 0.9, &rule), (Permission::NotEnoughEvidence, Reason::FloorInDoubt));
    assert_eq!(permission(&outcomes(45, 5), 0.9, &rule), (Permission::MaySteer, Reason::InBand));
    assert_eq!(permission(&outcomes(30, 20), 0.9, &rule), (Permission::Lost, Reason::TooSeldom));
    assert_eq!(permission(&outcomes(100, 0), 0.9, &rule), (Permission::Lost, Reason::TooOften));
    // A good record of 90 runs, then twenty of which half fail.
    let mut failing = outcomes(90, 10);
    failing.extend(outcomes(10, 10));
    assert_eq!(permission(&failing, 0.9, &rule), (Permission::Lost, Reason::TooSeldomLately));
}
