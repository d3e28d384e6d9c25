//! How near campaigns come to the best value of published functions, and what they cost, and one step of
//! 24 units, 8 factors and 48 runs.
//!
//! `cargo run --release -p toji-culture --example regret -- [seeds] [hartmann|noisy|branin|step]… [draws=128] [raw=192]
//! [polish=3] [kernel=se] [prior=gamma] [starts=4]`; one line of JSON a case. Seconds are those of the CPU; the process
//! has one thread.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for measuring")]

mod clock;

use clock::cpu_s;
use toji_core::Text;
use toji_core::chance::Chance;
use toji_core::unit::Unit;
use toji_culture::campaign::{
    Batch, Direction, Factor, Goal, History, Measured, Output, Problem, Run, Settings, Space, StopRule, propose,
};
use toji_culture::gp::{Belief, Kernel, Priors};
use toji_culture::optimise::Sobol;

fn branin(u: &[f64]) -> f64 {
    use std::f64::consts::PI;
    let (x, y) = (15.0 * u[0] - 5.0, 15.0 * u[1]);
    let a = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    -(a * a + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0)
}

fn hartmann(u: &[f64]) -> f64 {
    const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    ALPHA
        .iter()
        .zip(A.iter().zip(&P))
        .map(|(alpha, (a, p))| {
            let squared: f64 = u.iter().zip(a.iter().zip(p)).map(|(u, (a, p))| a * (u - p) * (u - p)).sum();
            alpha * (-squared).exp()
        })
        .sum()
}

struct Case {
    name: &'static str,
    function: fn(&[f64]) -> f64,
    best: f64,
    dimensions: usize,
    start: usize,
    units: usize,
    rounds: u64,
    noise: f64,
}

fn space(dimensions: usize) -> Space {
    let one = Unit::parse("1").unwrap();
    Space::new((0..dimensions).map(|k| Factor::continuous(&format!("x{k}"), one.clone(), 0.0, 1.0)).collect()).unwrap()
}

/// Regret of the true best point after each round, and the seconds of each.
fn campaign(case: &Case, settings: &Settings, seed: u64) -> (Vec<f64>, f64) {
    let space = space(case.dimensions);
    let outputs = [Output { name: "f".into(), unit: Unit::parse("1").unwrap() }];
    let anything = |_: &[f64]| Ok::<(), Text>(());
    let goal = Goal { output: 0, direction: Direction::Maximise };
    let problem = Problem { space: &space, outputs: &outputs, goal, limits: &[], allowed: &anything, stop: StopRule::default() };
    let mut chance = Chance::new(seed ^ 0x0000_5eed);
    let mut run = |point: Vec<f64>| Run {
        results: vec![Some(Measured { value: (case.function)(&point) + case.noise * chance.normal(), sd: None })],
        point,
    };
    let mut history = History::default();
    history.runs.extend(Sobol::scrambled(case.dimensions, seed).points(case.start).into_iter().map(&mut run));
    let regret =
        |history: &History| case.best - history.runs.iter().map(|r| (case.function)(&r.point)).fold(f64::NEG_INFINITY, f64::max);
    let mut regrets = vec![regret(&history)];
    let mut seconds = 0.0;
    for round in 0..case.rounds {
        let begin = cpu_s();
        let found = propose(&problem, &history, &Batch::of_units(case.units), settings, seed * 1_000 + round).unwrap();
        seconds += cpu_s() - begin;
        history.runs.extend(found.runs.into_iter().map(|r| run(r.point)));
        regrets.push(regret(&history));
    }
    (regrets, seconds / case.rounds as f64)
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Settings with what the arguments change.
fn settings(arguments: &[String], dimensions: usize) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in arguments.iter().filter_map(|a| a.split_once('=')) {
        let number = || value.parse::<usize>().unwrap();
        match (name, value) {
            ("draws", _) => settings.draws = number(),
            ("raw", _) => settings.raw = number(),
            ("polish", _) => settings.polish = number(),
            ("starts", _) => settings.model.starts = number(),
            ("kernel", "se") => settings.model.kernel = Kernel::SquaredExponential,
            ("prior", "gamma") => {
                let length = Belief::Gamma { shape: 3.0, rate: 6.0 };
                settings.model.priors = Some(Priors { length, ..Priors::of_factors(dimensions) });
            }
            ("noise", _) => {
                let priors = settings.model.priors.unwrap_or_else(|| Priors::of_factors(dimensions));
                let noise = Belief::LogNormal { mean: value.parse().unwrap(), sd: 2.0 };
                settings.model.priors = Some(Priors { noise, ..priors });
            }
            _ => {}
        }
    }
    settings
}

fn step(settings: &Settings) {
    let case = Case { name: "", function: |_| 0.0, best: 0.0, dimensions: 8, start: 48, units: 24, rounds: 1, noise: 0.0 };
    // A response of eight factors of which five matter, with noise.
    let function = |u: &[f64]| hartmann(&u[..6]) + 0.3 * u[6] - 0.5 * (u[7] - 0.4) * (u[7] - 0.4);
    let space = space(case.dimensions);
    let outputs = [Output { name: "f".into(), unit: Unit::parse("1").unwrap() }];
    let anything = |_: &[f64]| Ok::<(), Text>(());
    let goal = Goal { output: 0, direction: Direction::Maximise };
    let problem = Problem { space: &space, outputs: &outputs, goal, limits: &[], allowed: &anything, stop: StopRule::default() };
    let mut seconds = Vec::new();
    for seed in 0..10 {
        let mut chance = Chance::new(seed);
        let runs = Sobol::scrambled(8, seed)
            .points(case.start)
            .into_iter()
            .map(|point| Run {
                results: vec![Some(Measured { value: function(&point) + 0.1 * chance.normal(), sd: None })],
                point,
            })
            .collect();
        let history = History { runs, pending: Vec::new() };
        let begin = cpu_s();
        let found = propose(&problem, &history, &Batch::of_units(case.units), settings, seed).unwrap();
        seconds.push(cpu_s() - begin);
        assert_eq!(found.runs.len(), case.units);
    }
    println!(
        "{{\"case\":\"step q=24 d=8 n=48\",\"seconds_min\":{:.4},\"seconds_median\":{:.4},\"seconds_max\":{:.4}}}",
        quantile(&seconds, 0.0),
        quantile(&seconds, 0.5),
        quantile(&seconds, 1.0)
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seeds: u64 = arguments.first().and_then(|a| a.parse().ok()).unwrap_or(20);
    let wanted = |name: &str| {
        let cases: Vec<&String> = arguments.iter().skip(1).filter(|a| !a.contains('=')).collect();
        cases.is_empty() || cases.into_iter().any(|a| a == name)
    };
    let six =
        |name, noise| Case { name, function: hartmann, best: 3.322_368, dimensions: 6, start: 16, units: 8, rounds: 6, noise };
    let two =
        Case { name: "branin", function: branin, best: -0.397_887, dimensions: 2, start: 6, units: 4, rounds: 5, noise: 0.0 };
    for case in [two, six("hartmann", 0.0), six("noisy", 0.2)] {
        if !wanted(case.name) {
            continue;
        }
        let (mut ends, mut means, mut rounds) = (Vec::new(), Vec::new(), vec![Vec::new(); case.rounds as usize + 1]);
        for seed in 0..seeds {
            let (regrets, seconds) = campaign(&case, &settings(&arguments, case.dimensions), seed);
            regrets.iter().zip(&mut rounds).for_each(|(r, all)| all.push(*r));
            ends.push(*regrets.last().unwrap());
            means.push(seconds);
        }
        let path: Vec<String> = rounds.iter().map(|r| format!("{:.3}", quantile(r, 0.5))).collect();
        println!(
            "{{\"case\":\"{}\",\"seeds\":{seeds},\"median_by_round\":[{}],\"median\":{:.4},\"quartiles\":[{:.4},{:.4}],\"worst\":{:.4},\"seconds_a_round\":{:.4}}}",
            case.name,
            path.join(","),
            quantile(&ends, 0.5),
            quantile(&ends, 0.25),
            quantile(&ends, 0.75),
            quantile(&ends, 1.0),
            means.iter().sum::<f64>() / means.len() as f64
        );
    }
    if wanted("step") {
        step(&settings(&arguments, 8));
    }
}
