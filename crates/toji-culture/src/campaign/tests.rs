//! Campaigns as a whole: what every proposal must keep, whatever the data.

use super::*;
use crate::optimise::Sobol;
use proptest::prelude::*;
use toji_core::Text;
use toji_core::chance::Chance;
use toji_core::unit::Unit;

fn unit(code: &str) -> Unit {
    Unit::parse(code).unwrap()
}

/// A culture of four factors, of which the temperature is shared by a block of reactors.
fn space() -> Space {
    let mut ph = Factor::continuous("pH", unit("[pH]"), 6.6, 7.4);
    ph.kind = Kind::Continuous { low: 6.6, high: 7.4, step: Some(0.05), logarithmic: false };
    let options = vec!["glucose".into(), "glycerol".into(), "sucrose".into()];
    let carbon = Factor { name: "carbon".into(), unit: unit("1"), kind: Kind::Choice { options }, hard_to_change: false };
    let temperature = Factor::continuous("temperature", unit("Cel"), 28.0, 37.0).shared();
    Space::new(vec![Factor::continuous("feed", unit("g/L/h"), 1.0, 9.0), ph, carbon, temperature]).unwrap()
}

fn outputs() -> Vec<Output> {
    vec![Output { name: "titre".into(), unit: unit("g/L") }, Output { name: "acetate".into(), unit: unit("g/L") }]
}

/// Titre and acetate of a point.
fn truth(p: &[f64]) -> (f64, f64) {
    let titre = 12.0 - 0.25 * (p[0] - 6.5).powi(2) - 20.0 * (p[1] - 7.0).powi(2) - 0.1 * (p[3] - 33.0).powi(2)
        + if p[2] == 1.0 { 1.5 } else { 0.0 };
    (titre, 0.3 * p[0] + 0.05 * (p[3] - 28.0))
}

fn history(space: &Space, n: usize, seed: u64) -> History {
    let mut chance = Chance::new(seed);
    let runs = Sobol::scrambled(space.dimensions(), seed)
        .points(n)
        .into_iter()
        .map(|u| {
            let point = space.point(&u);
            let (titre, acetate) = truth(&point);
            let measured = |v: f64, chance: &mut Chance| Some(Measured { value: v + 0.2 * chance.normal(), sd: None });
            Run { results: vec![measured(titre, &mut chance), measured(acetate, &mut chance)], point }
        })
        .collect();
    History { runs, pending: Vec::new() }
}

const TITRE: Goal = Goal { output: 0, direction: Direction::Maximise };

fn anything(_: &[f64]) -> Result<(), Text> {
    Ok(())
}

fn quick() -> Settings {
    Settings { draws: 32, raw: 48, polish: 2, ..Settings::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn every_proposal_keeps_bounds_blocks_and_the_envelope(seed in 0_u64..10_000, n in 0_usize..14, replicates in 0_usize..3) {
        let (space, outputs) = (space(), outputs());
        // The feed must not exceed what the temperature allows.
        let envelope = |p: &[f64]| {
            if p[0] > 10.0 - 0.2 * (p[3] - 28.0) - 1.0 { Err(Text::new("給液過多", "too much feed")) } else { Ok(()) }
        };
        let limits = [Limit { output: 1, at_least: None, at_most: Some(2.4) }];
        let problem = Problem { space: &space, outputs: &outputs, goal: TITRE, limits: &limits, allowed: &envelope, stop: StopRule::default() };
        let mut history = history(&space, n, seed);
        history.pending = vec![vec![3.0, 7.0, 0.0, 30.0]];
        let mut batch = Batch::of_groups(3, 4);
        batch.replicates = replicates;
        batch.groups[1].fixed = vec![(3, 36.0)];
        let found = propose(&problem, &history, &batch, &quick(), seed).unwrap();
        prop_assert_eq!(found.runs.len(), 12);
        for run in &found.runs {
            prop_assert!((1.0..=9.0).contains(&run.point[0]) && (6.6..=7.4).contains(&run.point[1]), "{:?}", run.point);
            prop_assert!([0.0, 1.0, 2.0].contains(&run.point[2]) && (28.0..=37.0).contains(&run.point[3]));
            let steps = (run.point[1] - 6.6) / 0.05;
            prop_assert!((steps - steps.round()).abs() < 1e-9);
            prop_assert!(envelope(&run.point).is_ok());
            prop_assert!((0.0..=1.0).contains(&run.holds));
        }
        for group in 0..3 {
            let temperatures: Vec<f64> = found.runs[group * 4..group * 4 + 4].iter().map(|r| r.point[3]).collect();
            prop_assert!(temperatures.iter().all(|t| (t - temperatures[0]).abs() < 1e-9), "{:?}", temperatures);
        }
        prop_assert!(found.runs[4..8].iter().all(|r| (r.point[3] - 36.0).abs() < 1e-9));
        // The same again, and with the runs in another order.
        prop_assert_eq!(&propose(&problem, &history, &batch, &quick(), seed).unwrap(), &found);
        let mut shuffled = history.clone();
        Chance::new(seed).shuffle(&mut shuffled.runs);
        let other = propose(&problem, &shuffled, &batch, &quick(), seed).unwrap();
        let points = |p: &Proposal| p.runs.iter().map(|r| (r.position.clone(), r.point.clone())).collect::<Vec<_>>();
        prop_assert_eq!(points(&other), points(&found));
    }
}

#[test]
fn reasons_come_as_data() {
    let (space, outputs) = (space(), outputs());
    let limits = [Limit { output: 1, at_least: None, at_most: Some(2.4) }];
    let problem =
        Problem { space: &space, outputs: &outputs, goal: TITRE, limits: &limits, allowed: &anything, stop: StopRule::default() };
    let batch = Batch { replicates: 2, ..Batch::of_groups(2, 6) };
    let mut known = history(&space, 24, 1);
    // Two rivals for the best that one run each does not tell apart.
    for (feed, value) in [(6.0, 13.4), (7.0, 13.5)] {
        let results = vec![Some(Measured { value, sd: None }), Some(Measured { value: 0.3 * feed + 0.25, sd: None })];
        known.runs.push(Run { point: vec![feed, 7.0, 1.0, 33.0], results });
    }
    let found = propose(&problem, &known, &batch, &Settings::default(), 4).unwrap();
    let repeats: Vec<&Proposed> = found.runs.iter().filter(|r| r.why == Why::Replicate).collect();
    assert_eq!(repeats.len(), 2);
    for run in &found.runs {
        assert_eq!(run.repeats.is_some(), run.why == Why::Replicate);
        let (titre, acetate) = (&run.expected[0], &run.expected[1]);
        assert!(titre.low < titre.mean && titre.mean < titre.high && titre.output == 0 && titre.holds == 1.0);
        assert_eq!((acetate.output, acetate.holds), (1, run.holds));
        assert!(run.gain.unwrap() >= 0.0);
    }
    // Acetate is all but linear, so points that the model likes keep its limit.
    let kept = found.runs.iter().filter(|r| truth(&r.point).1 <= 2.6).count();
    assert!(kept >= 10, "{kept} of 12");
    assert_eq!(found.checks.len(), 2);
    assert!((0.05..0.6).contains(&found.checks[0].noise_sd), "{:?}", found.checks);
    // Written as data and read again.
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Proposal>(&text).unwrap(), found);
}

#[test]
fn less_is_better_is_more_is_better_of_the_opposite() {
    let (space, outputs) = (space(), outputs());
    let up = history(&space, 16, 2);
    let mut down = up.clone();
    down.runs.iter_mut().flat_map(|r| r.results.iter_mut()).flatten().for_each(|m| m.value = -m.value);
    let problem = |direction| Problem {
        space: &space,
        outputs: &outputs,
        goal: Goal { output: 0, direction },
        limits: &[],
        allowed: &anything,
        stop: StopRule::default(),
    };
    let batch = Batch::of_units(4);
    let a = propose(&problem(Direction::Maximise), &up, &batch, &quick(), 1).unwrap();
    let b = propose(&problem(Direction::Minimise), &down, &batch, &quick(), 1).unwrap();
    for (a, b) in a.runs.iter().zip(&b.runs) {
        assert_eq!(a.point, b.point);
        assert!((a.expected[0].mean + b.expected[0].mean).abs() < 1e-9);
        assert!((a.expected[0].low + b.expected[0].high).abs() < 1e-9);
    }
}

#[test]
fn the_campaign_ends_when_a_batch_promises_less_than_it_must() {
    let (space, outputs) = (space(), outputs());
    let stop = StopRule { noise_share: Some(0.5), gain_min: None, worth_of_unit: Some(10.0), cost_of_run: Some(0.25) };
    let problem = Problem { space: &space, outputs: &outputs, goal: TITRE, limits: &[], allowed: &anything, stop };
    let batch = Batch::of_units(4);
    let mut known = history(&space, 10, 3);
    let early = propose(&problem, &known, &batch, &quick(), 1).unwrap().stopping.unwrap();
    assert!(!early.stop && early.gain > early.needed.unwrap(), "{early:?}");
    // Much of the space, and the best place many times over.
    known.runs.extend(history(&space, 60, 8).runs);
    let best = [6.5, 7.0, 1.0, 33.0];
    let mut chance = Chance::new(5);
    for round in 0..10 {
        for step in [-0.4, 0.0, 0.4] {
            let point = vec![best[0] + step * f64::from(round % 3), best[1], best[2], best[3] + step];
            let value = truth(&point).0 + 0.2 * chance.normal();
            known.runs.push(Run { point, results: vec![Some(Measured { value, sd: None }), None] });
        }
    }
    let late = propose(&problem, &known, &batch, &quick(), 1).unwrap().stopping.unwrap();
    assert!(late.stop && late.gain < early.gain, "{late:?}");
    // Four runs at 0.25 cost as much as 0.1 g/L is worth.
    assert!(late.needed.unwrap() >= 0.1 - 1e-12);
}

#[test]
fn an_envelope_that_refuses_all_is_said_with_its_reason() {
    let (space, outputs) = (space(), outputs());
    let never = |_: &[f64]| Err(Text::new("爆発範囲", "explosive"));
    let problem =
        Problem { space: &space, outputs: &outputs, goal: TITRE, limits: &[], allowed: &never, stop: StopRule::default() };
    for n in [0, 8] {
        let error = propose(&problem, &history(&space, n, 1), &Batch::of_groups(2, 2), &quick(), 1).unwrap_err();
        assert_eq!(error.code(), "E-CAMPAIGN-030");
        assert!(error.to_string().contains("explosive") || error.to_string().contains("爆発範囲"));
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (space, outputs) = (space(), outputs());
    let problem =
        |goal, limits| Problem { space: &space, outputs: &outputs, goal, limits, allowed: &anything, stop: StopRule::default() };
    let code = |problem: &Problem<'_>, history: &History, batch: &Batch| {
        propose(problem, history, batch, &quick(), 1).unwrap_err().code()
    };
    let known = history(&space, 4, 1);
    let batch = Batch::of_units(2);
    assert_eq!(code(&problem(Goal { output: 7, ..TITRE }, &[]), &known, &batch), "E-CAMPAIGN-010");
    let empty = [Limit { output: 0, at_least: Some(2.0), at_most: Some(1.0) }];
    assert_eq!(code(&problem(TITRE, &empty), &known, &batch), "E-CAMPAIGN-010");
    let mut short = known.clone();
    short.runs[1].results.pop();
    assert_eq!(code(&problem(TITRE, &[]), &short, &batch), "E-CAMPAIGN-010");
    assert_eq!(code(&problem(TITRE, &[]), &known, &Batch::of_units(0)), "E-CAMPAIGN-020");
    assert_eq!(code(&problem(TITRE, &[]), &known, &Batch { replicates: 9, ..Batch::of_units(2) }), "E-CAMPAIGN-020");
    for fixed in [(9, 30.0), (3, 99.0), (2, 0.5)] {
        let mut batch = Batch::of_units(2);
        batch.groups[0].fixed = vec![fixed];
        assert_eq!(code(&problem(TITRE, &[]), &known, &batch), "E-CAMPAIGN-021", "{fixed:?}");
    }
}

#[test]
fn the_edge_is_used_as_told() {
    let (space, outputs) = (space(), outputs());
    let problem =
        Problem { space: &space, outputs: &outputs, goal: TITRE, limits: &[], allowed: &anything, stop: StopRule::default() };
    let mut batch = Batch::of_units(8);
    batch.groups[0].positions.iter_mut().take(4).for_each(|p| p.edge = true);
    batch.replicates = 2;
    let known = history(&space, 16, 6);
    batch.edge = Edge::ForTrying;
    let found = propose(&problem, &known, &batch, &quick(), 2).unwrap();
    let surest = found.runs.iter().filter(|r| matches!(r.why, Why::Replicate | Why::Exploit)).count();
    let inside = found.runs.iter().filter(|r| !r.edge && matches!(r.why, Why::Replicate | Why::Exploit)).count();
    assert_eq!((found.runs.len(), inside), (8, surest.min(4)));
    batch.edge = Edge::Free;
    let found = propose(&problem, &known, &batch, &quick(), 2).unwrap();
    assert!(found.runs.len() == 4 && found.runs.iter().all(|r| !r.edge));
}

/// What rises to a corner: after one batch the model is sure of it, and no place but the corner promises anything. A
/// batch that goes by promises alone puts half of its units there.
#[test]
fn a_batch_does_not_gather_where_nothing_is_promised_any_more() {
    let corner = |p: &[f64]| 2.0 + 0.5 * (p[0] - 1.0) + 6.0 * (p[1] - 6.6);
    let space =
        Space::new(vec![Factor::continuous("feed", unit("g/L/h"), 1.0, 9.0), Factor::continuous("pH", unit("[pH]"), 6.6, 7.4)])
            .unwrap();
    let outputs = [Output { name: "titre".into(), unit: unit("g/L") }];
    let problem =
        Problem { space: &space, outputs: &outputs, goal: TITRE, limits: &[], allowed: &anything, stop: StopRule::default() };
    for (units, replicates, seed) in [(24, 0, 1), (24, 4, 2), (12, 3, 3)] {
        let batch = Batch { replicates, ..Batch::of_units(units) };
        let first = propose(&problem, &History::default(), &batch, &Settings::default(), seed).unwrap();
        assert_eq!(first.warnings.len(), usize::from(replicates > 0), "{:?}", first.warnings);
        let mut chance = Chance::new(seed);
        let mut known = History::default();
        for run in first.runs {
            let value = corner(&run.point) + 0.05 * chance.normal();
            known.runs.push(Run { point: run.point, results: vec![Some(Measured { value, sd: None })] });
        }
        let second = propose(&problem, &known, &batch, &Settings::default(), seed + 10).unwrap();
        let (again, new): (Vec<&Proposed>, Vec<&Proposed>) = second.runs.iter().partition(|r| r.why == Why::Replicate);
        assert_eq!(again.len(), replicates);
        assert!(again.iter().all(|r| known.runs.iter().any(|k| k.point == r.point)));
        let cubes: Vec<Vec<f64>> = new.iter().map(|r| space.place(&r.point).unwrap()).collect();
        for (i, a) in cubes.iter().enumerate() {
            for b in &cubes[..i] {
                assert!(a.iter().zip(b).any(|(a, b)| (a - b).abs() > 0.01), "{a:?} and {b:?} of {cubes:?}");
            }
        }
        let there = cubes.iter().filter(|c| c.iter().all(|v| *v > 0.9)).count();
        assert!(4 * there <= units, "{there} of {units}: {cubes:?}");
    }
}

/// Where factors have few levels there are fewer places than units, and some are used again.
#[test]
fn few_places_are_shared_by_many_units() {
    let options = vec!["glucose".into(), "glycerol".into()];
    let carbon = Factor { name: "carbon".into(), unit: unit("1"), kind: Kind::Choice { options }, hard_to_change: false };
    let shifts =
        Factor { name: "shifts".into(), unit: unit("1"), kind: Kind::Integer { low: 0, high: 1 }, hard_to_change: false };
    let space = Space::new(vec![carbon, shifts]).unwrap();
    let outputs = [Output { name: "titre".into(), unit: unit("g/L") }];
    let problem =
        Problem { space: &space, outputs: &outputs, goal: TITRE, limits: &[], allowed: &anything, stop: StopRule::default() };
    let run = |point: [f64; 2], value: f64| Run { point: point.into(), results: vec![Some(Measured { value, sd: None })] };
    let runs = vec![run([0.0, 0.0], 1.0), run([0.0, 1.0], 2.0), run([1.0, 0.0], 2.5)];
    let known = History { runs, pending: Vec::new() };
    let found = propose(&problem, &known, &Batch::of_units(6), &quick(), 1).unwrap();
    assert_eq!(found.runs.len(), 6);
    // The place that was not tried is among them.
    assert!(found.runs.iter().any(|r| r.point == [1.0, 1.0]), "{found:?}");
}

/// Branin's function over the unit square, turned so that more is better; its best value is −0.397887.
fn branin(u: &[f64]) -> f64 {
    use std::f64::consts::PI;
    let (x, y) = (15.0 * u[0] - 5.0, 15.0 * u[1]);
    let a = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    -(a * a + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0)
}

#[test]
fn branin_is_solved_in_26_runs() {
    let one = unit("1");
    let space =
        Space::new(vec![Factor::continuous("x", one.clone(), 0.0, 1.0), Factor::continuous("y", one.clone(), 0.0, 1.0)]).unwrap();
    let outputs = [Output { name: "f".into(), unit: one }];
    let problem =
        Problem { space: &space, outputs: &outputs, goal: TITRE, limits: &[], allowed: &anything, stop: StopRule::default() };
    let mut regrets: Vec<f64> = (0..3)
        .map(|seed| {
            let run = |point: Vec<f64>| Run { results: vec![Some(Measured { value: branin(&point), sd: None })], point };
            let mut history =
                History { runs: Sobol::scrambled(2, seed).points(6).into_iter().map(run).collect(), pending: Vec::new() };
            for round in 0..5 {
                let found = propose(&problem, &history, &Batch::of_units(4), &Settings::default(), seed * 100 + round).unwrap();
                history.runs.extend(found.runs.into_iter().map(|r| run(r.point)));
            }
            -0.397_887 - history.runs.iter().map(|r| branin(&r.point)).fold(f64::NEG_INFINITY, f64::max)
        })
        .collect();
    regrets.sort_by(f64::total_cmp);
    // The anchor of the research (BoTorch 0.055 over five seeds, even points alone 1.00); all 20 seeds: examples/regret.rs.
    assert!(regrets[1] <= 0.10, "{regrets:?}");
}
