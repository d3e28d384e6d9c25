//! Shapley values against all subsets, their axioms, and the gate before them.

use crate::id;
use toji_commons::value::{
    Contribution, Deposit, Gate, Quality, Resampling, Row, Task, Test, contributions, gate, shapley, utility,
};
use toji_core::chance::Chance;

const FINE: Quality = Quality { schema: true, units: true, replicates: true };
const GATE: Gate = Gate { near: 0.01, same: 0.01, novel_min: 0.5 };

/// By definition: the mean over all orders, as a sum over all subsets of the others.
fn brute_force(n: usize, worth: impl Fn(&[usize]) -> f64) -> Vec<f64> {
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    let of = |player: usize| {
        let others: Vec<usize> = (0..n).filter(|i| *i != player).collect();
        let mut value = 0.0;
        for subset in 0..1u32 << (n - 1) {
            let set: Vec<usize> = others.iter().enumerate().filter(|(bit, _)| subset >> bit & 1 == 1).map(|(_, i)| *i).collect();
            let weight = factorial(set.len()) * factorial(n - set.len() - 1) / factorial(n);
            let with: Vec<usize> = set.iter().copied().chain([player]).collect();
            value += weight * (worth(&with) - worth(&set));
        }
        value
    };
    (0..n).map(of).collect()
}

struct World {
    features: Vec<Vec<f64>>,
    responses: Vec<f64>,
    test: Test,
}

fn world(seed: u64, n: usize, classes: bool) -> World {
    let mut chance = Chance::new(seed);
    let mut response = || if classes { chance.below(3) as f64 } else { 5.0 + chance.normal() };
    let responses: Vec<f64> = (0..n).map(|_| response()).collect();
    let truth = response();
    let features = (0..n).map(|_| vec![chance.uniform(), chance.uniform()]).collect();
    World { features, responses, test: Test { features: vec![0.5, 0.4], response: truth } }
}

impl World {
    fn exact(&self, task: Task, k: usize) -> Vec<f64> {
        shapley(task, k, &self.rows(), &self.responses, &self.test)
    }
    fn rows(&self) -> Vec<&[f64]> {
        self.features.iter().map(Vec::as_slice).collect()
    }
    fn worth(&self, task: Task, k: usize, set: &[usize]) -> f64 {
        utility(task, k, &self.rows(), &self.responses, set, &self.test)
    }
}

/// The closed forms are the definition, for 1 to 9 rows and 1 to 6 neighbours, also more neighbours than rows; and values
/// add up to what all rows are worth (efficiency).
#[test]
fn closed_forms_are_the_sum_over_all_subsets() {
    let mut seen = 0;
    for n in 1..=9 {
        for k in 1..=6 {
            for (task, classes) in
                [(Task::Classes, true), (Task::Numbers { baseline: 4.7 }, false), (Task::Numbers { baseline: 0.0 }, false)]
            {
                let world = world(100 * n as u64 + k as u64, n, classes);
                let exact = world.exact(task, k);
                let defined = brute_force(n, |set| world.worth(task, k, set));
                assert!(exact.iter().zip(&defined).all(|(a, b)| (a - b).abs() < 1e-9), "{task:?} {n} {k}: {exact:?} {defined:?}");
                let all: Vec<usize> = (0..n).collect();
                let whole = world.worth(task, k, &all) - world.worth(task, k, &[]);
                assert!((exact.iter().sum::<f64>() - whole).abs() < 1e-9);
                seen += usize::from(exact.iter().any(|v| v.abs() > 1e-3));
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn rows_that_are_alike_are_worth_the_same_and_idle_ones_nothing() {
    for (task, classes) in [(Task::Classes, true), (Task::Numbers { baseline: 4.0 }, false)] {
        for k in 1..5 {
            let mut world = world(k as u64, 12, classes);
            world.features[7] = world.features[3].clone();
            world.responses[7] = world.responses[3];
            let values = world.exact(task, k);
            assert!((values[3] - values[7]).abs() < 1e-12, "{values:?}");
            // The farthest of all, and it says what would be said without it, or a class that is not the truth.
            world.features[5] = vec![9.0, 9.0];
            world.responses[5] = if classes { 7.0 } else { 4.0 };
            assert_eq!(world.exact(task, k)[5], 0.0);
        }
    }
}

fn deposit(name: &str, member: &str, rows: Vec<Row>) -> Deposit {
    Deposit { data_set: id(name), member: id(member), quality: FINE, rows }
}

/// y = x₁ + x₂ with noise of a spread, over a part of the square.
fn measured(seed: u64, n: usize, spread: f64, from: f64, to: f64) -> Vec<Row> {
    let mut chance = Chance::new(seed);
    (0..n)
        .map(|_| {
            let features = vec![from + (to - from) * chance.uniform(), chance.uniform()];
            let response = features.iter().sum::<f64>() + spread * chance.normal();
            Row { features, response }
        })
        .collect()
}

fn tests(seed: u64, n: usize) -> Vec<Test> {
    let plain = measured(seed, n, 0.0, 0.0, 1.0).into_iter();
    plain.map(|row| Test { features: row.features, response: row.response }).collect()
}

#[test]
fn the_gate_comes_before_the_value() {
    let rows = measured(1, 40, 0.05, 0.0, 1.0);
    let mut copied = rows.clone();
    copied.iter_mut().for_each(|row| row.features[0] += 0.001);
    let mut half = copied[..20].to_vec();
    half.extend(measured(2, 30, 0.05, 0.0, 1.0));
    let deposits = vec![
        deposit("first", "m1", rows.clone()),
        deposit("copy", "m2", copied),
        deposit("half", "m3", half),
        // A member's own repeats are replicates.
        deposit("again", "m1", rows.clone()),
        Deposit { quality: Quality { units: false, ..FINE }, ..deposit("unitless", "m4", measured(3, 10, 0.05, 0.0, 1.0)) },
        deposit("empty", "m5", vec![]),
    ];
    let verdicts = gate(&GATE, &deposits).unwrap();
    assert_eq!(verdicts.iter().map(|v| v.accepted).collect::<Vec<_>>(), [true, false, true, true, false, false]);
    assert_eq!(verdicts[1].repeats.len(), 40);
    assert_eq!(verdicts[2].repeats, (0..20).collect::<Vec<_>>());
    assert!(verdicts[3].repeats.is_empty() && verdicts[4].reasons.len() == 1);
    let resampling = Resampling { times: 200, level: 0.95, seed: 1 };
    let task = Task::Numbers { baseline: 1.0 };
    let told = contributions(&deposits, &GATE, task, 5, &tests(9, 60), resampling).unwrap();
    assert_eq!(told.iter().map(|c| c.rows).collect::<Vec<_>>(), [40, 0, 30, 40, 0, 0]);
    assert!(told[1].value == 0.0 && told[4].value == 0.0 && told[0].value > 0.0);
    // Together they are worth what prediction gains: efficiency over data sets.
    let kept: Vec<&Row> = rows.iter().chain(&deposits[2].rows[20..]).chain(&rows).collect();
    let features: Vec<&[f64]> = kept.iter().map(|r| r.features.as_slice()).collect();
    let responses: Vec<f64> = kept.iter().map(|r| r.response).collect();
    let all: Vec<usize> = (0..kept.len()).collect();
    let worth = |set: &[usize]| tests(9, 60).iter().map(|t| utility(task, 5, &features, &responses, set, t)).sum::<f64>() / 60.0;
    let sum: f64 = told.iter().map(|c| c.value).sum();
    assert!((sum - (worth(&all) - worth(&[]))).abs() < 1e-9, "{sum}");
}

/// More rows and less noise are worth more; mislabelled data cost. The interval narrows with test points, holds the value
/// over many test points in 88 to 98 of 100 cases (726 of 800 when this was written: what a data set gives to a point is
/// skewed, and 95 % is what the resampling aims at), and is the same for the same seed.
#[test]
fn good_data_are_worth_more_and_the_interval_says_how_surely() {
    let mut wrong = measured(5, 30, 0.05, 0.0, 1.0);
    wrong.iter_mut().for_each(|row| row.response = 4.0 - row.response);
    let deposits = vec![
        deposit("clean", "m1", measured(1, 30, 0.02, 0.0, 1.0)),
        deposit("noisy", "m2", measured(2, 30, 0.8, 0.0, 1.0)),
        deposit("small", "m3", measured(3, 6, 0.02, 0.0, 1.0)),
        deposit("wrong", "m4", wrong),
    ];
    let task = Task::Numbers { baseline: 1.0 };
    let told = |n: usize, seed: u64| -> Vec<Contribution> {
        contributions(&deposits, &GATE, task, 5, &tests(seed, n), Resampling { times: 1000, level: 0.95, seed: 4 }).unwrap()
    };
    let many = told(2000, 8);
    assert!(many[0].value > many[1].value && many[0].value > many[2].value && many[3].value < 0.0, "{many:?}");
    assert_eq!(many, told(2000, 8));
    let mut held = 0;
    for seed in 100..300 {
        let few = told(100, seed);
        assert!(few[0].high - few[0].low > 2.0 * (many[0].high - many[0].low));
        held += few.iter().zip(&many).filter(|(f, m)| f.low <= m.value && m.value <= f.high).count();
    }
    println!("intervals of 95 % over 100 test points hold the value over 2000 in {held} of 800");
    assert!((704..=784).contains(&held), "{held} of 800");
}

#[test]
fn what_cannot_be_valued_is_refused_with_place_and_remedy() {
    let deposits = vec![deposit("first", "m1", measured(1, 10, 0.05, 0.0, 1.0))];
    let fine = Resampling { times: 10, level: 0.9, seed: 1 };
    let code = |deposits: &[Deposit], k: usize, tests: &[Test], resampling: Resampling| {
        let error = contributions(deposits, &GATE, Task::Classes, k, tests, resampling).unwrap_err();
        assert!(error.fault().place.is_some() && error.fault().hint.is_some());
        error.code()
    };
    assert_eq!(code(&deposits, 5, &[], fine), "E-WORTH-003");
    assert_eq!(code(&deposits, 0, &tests(1, 5), fine), "E-WORTH-003");
    assert_eq!(code(&deposits, 5, &tests(1, 5), Resampling { level: 1.0, ..fine }), "E-WORTH-003");
    let short = vec![Test { features: vec![0.0], response: 0.0 }];
    assert_eq!(code(&deposits, 5, &short, fine), "E-WORTH-003");
    let ragged =
        vec![deposit("r", "m1", vec![Row { features: vec![0.0], response: 0.0 }, Row { features: vec![], response: 0.0 }])];
    assert_eq!(code(&ragged, 5, &tests(1, 5), fine), "E-WORTH-001");
}
