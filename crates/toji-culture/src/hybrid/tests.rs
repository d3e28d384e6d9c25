//! A factor that is what it says, that falls back, that breaks nothing, and that learns what the mechanism lacks.

use super::*;
use crate::fit::{Measured, Noise, Reading, Run};
use crate::kernel::Options;
use crate::linear::Matrix;
use crate::model::{File, Model};
use proptest::prelude::*;
use toji_core::chance::Chance;

const PLAIN: &str = r#"
[model]
id = "plain"
title = { ja = "試験", en = "test" }
source = "none"
time = "h"
[vessel]
volume = 1.0
unit = "L"
[constant]
mu_max = { value = 0.3, unit = "/h" }
T = { value = 30, unit = "Cel" }
clone_B = { value = 0, unit = "1" }
S_0 = { value = 10, unit = "g/L" }
X_0 = { value = 0.1, unit = "g/L" }
Y = { value = 0.5, unit = "g/g" }
q = { value = 0.05, unit = "g/(g.h)" }
[species]
X = { unit = "g/L", initial = "X_0" }
S = { unit = "g/L", initial = "S_0" }
P = { unit = "g/L", initial = 0 }
[define]
mu = { expression = "mu_max * S / (0.1 [g/L] + S)", unit = "/h" }
q_P = { expression = "q * S / (0.1 [g/L] + S)", unit = "g/(g.h)" }
Y_XS = { expression = "Y", unit = "g/g" }
[reaction.growth]
rate = "mu * X"
unit = "g/(L.h)"
makes = { X = "1", S = "-1 / Y_XS" }
[reaction.production]
rate = "q_P * X"
unit = "g/(L.h)"
makes = { P = "1" }
"#;

const FACTOR: &str = r#"
[factor.f_mu]
on = "mu"
variance = 0.25
points = [[26.0], [30.0], [34.0]]
values = [-1.2, 0.4, -0.7]
spread = [[0.2], [0.05, 0.2], [0.0, 0.05, 0.3]]
[[factor.f_mu.input]]
of = "T"
unit = "Cel"
length = 3.0
"#;

fn near(a: f64, b: f64, off: f64) {
    assert!((a - b).abs() <= off, "{a} is not {b}");
}

fn value(model: &Model, set: &[(&str, f64)], until: f64, name: &str) -> f64 {
    let mut constants = model.system.constants();
    for (name, value) in set {
        constants[model.system.constant(name).unwrap()] = *value;
    }
    let options = Options { relative: 1e-9, absolute: vec![1e-12], ..Options::default() };
    let trajectory = model.system.simulate(&constants, &[0.0, until], &options).unwrap();
    trajectory.at(1)[model.system.quantity(name).unwrap()]
}

/// The tape has the mean of the process; far from its points the factor is 1 and its band that of before any data.
#[test]
fn the_model_runs_the_mean_and_falls_back_to_the_mechanism() {
    let hybrid = Model::read(&format!("{PLAIN}{FACTOR}")).unwrap();
    let factor = File::read(&format!("{PLAIN}{FACTOR}")).unwrap().factor.remove("f_mu").unwrap();
    for t in [24.0, 27.3, 30.0, 33.1, 36.0] {
        near(value(&hybrid, &[("T", t)], 1.0, "f_mu"), factor.at(&[t]).unwrap().mean.exp(), 1e-12);
    }
    let inside = factor.at(&[30.0]).unwrap();
    assert!(inside.mean.abs() > 0.05 && inside.sd < 0.2, "{inside:?}");
    // Six lengths beyond the last point: e^−18 of the correlation.
    let far = factor.at(&[52.0]).unwrap();
    near(far.mean, 0.0, 1e-6);
    near(far.sd, 0.5, 1e-6);
    let plain = Model::read(PLAIN).unwrap();
    for name in ["X", "S", "P"] {
        let (a, b) = (value(&hybrid, &[("T", 52.0)], 10.0, name), value(&plain, &[("T", 52.0)], 10.0, name));
        near(a, b, 1e-6 * b.abs());
    }
    assert!((value(&hybrid, &[("T", 30.0)], 10.0, "X") / value(&plain, &[("T", 30.0)], 10.0, "X") - 1.0).abs() > 0.02);
}

/// Draws scatter as the process says, at its points and far from them, and the tape runs a draw.
#[test]
fn draws_have_the_moments_of_the_process() {
    let text = format!("{PLAIN}{}", FACTOR.replace("variance = 0.25", "variance = 0.25\nwaves = 48"));
    let factor = File::read(&text).unwrap().factor.remove("f_mu").unwrap();
    let mut chance = Chance::new(5);
    let draws: Vec<_> = (0..3000).map(|_| factor.draw(&mut chance).unwrap()).collect();
    for z in [26.0, 29.0, 34.0, 52.0] {
        let at = factor.at(&[z]).unwrap();
        let values: Vec<f64> = draws.iter().map(|d| factor.drawn_at(d, &[z]).unwrap()).collect();
        let mean = values.iter().sum::<f64>() / 3000.0;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 2999.0).sqrt();
        // The standard error of the mean is 0.01 at most; 48 waves have their variance to about a fifth.
        near(mean, at.mean, 0.04);
        near(sd, at.sd, 0.25 * at.sd);
    }
    let model = Model::read(&text).unwrap();
    let (values, waves) = factor.constants("f_mu");
    let names: Vec<&String> = values.iter().chain(&waves).collect();
    let drawn: Vec<f64> = draws[0].0.iter().chain(&draws[0].1).copied().collect();
    let mut set: Vec<(&str, f64)> = names.iter().zip(drawn).map(|(n, v)| (n.as_str(), v)).collect();
    set.push(("T", 41.0));
    near(value(&model, &set, 1.0, "f_mu"), factor.drawn_at(&draws[0], &[41.0]).unwrap().exp(), 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever a factor says: nothing grows without substrate, none is used, and what is made stays what is used.
    #[test]
    fn no_factor_makes_something_of_nothing(values in prop::collection::vec(-6.0..6.0f64, 3), t in 20.0..40.0f64) {
        let text = format!("{PLAIN}{}", FACTOR.replace("[-1.2, 0.4, -0.7]", &format!("{values:?}")));
        let model = Model::read(&text).unwrap();
        for (name, kept) in [("S", 0.0), ("X", 0.1), ("P", 0.0)] {
            prop_assert_eq!(value(&model, &[("T", t), ("S_0", 0.0)], 20.0, name), kept);
        }
        let (x, s) = (value(&model, &[("T", t)], 8.0, "X"), value(&model, &[("T", t)], 8.0, "S"));
        prop_assert!((0.5 * (10.0 - s) - (x - 0.1)).abs() < 1e-6, "{x} {s}");
    }
}

#[test]
fn balances_stay_proved_and_stoichiometry_is_out_of_reach() {
    let shipped = crate::model::shipped("cho-mab-fed-batch").unwrap();
    let factor = FACTOR
        .replace("f_mu", "f")
        .replace("[[26.0], [30.0], [34.0]]", "[[306.0], [308.0], [310.0]]")
        .replace("\"Cel\"", "\"K\"");
    let plain = Model::read(shipped).unwrap();
    for target in ["mu", "q_glc", "fermentation"] {
        let hybrid = Model::read(&format!("{shipped}{}", factor.replace("\"mu\"", &format!("\"{target}\"")))).unwrap();
        assert_eq!(hybrid.balances, plain.balances);
        assert!(hybrid.balances.iter().any(|b| b.reaction == "fermentation" && b.is_closed() && !b.open));
    }
    let fault = |text: &str| {
        let error = Model::read(text).unwrap_err();
        error.fault().diagnostics.iter().map(|d| d.place.field.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(fault(&format!("{PLAIN}{}", FACTOR.replace("on = \"mu\"", "on = \"Y_XS\""))), ["factor.f_mu.on"]);
    assert_eq!(fault(&format!("{PLAIN}{}", FACTOR.replace("on = \"mu\"", "on = \"X\""))), ["factor.f_mu.on"]);
    assert_eq!(fault(&format!("{PLAIN}{}", FACTOR.replace("\"Cel\"", "\"K\""))), ["factor.f_mu.input.T"]);
    assert_eq!(fault(&format!("{PLAIN}{}", FACTOR.replace("of = \"T\"", "of = \"pH\""))), ["factor.f_mu.input.pH"]);
    assert_eq!(fault(&format!("{PLAIN}{}", FACTOR.replace("[-1.2, 0.4, -0.7]", "[1.0]"))), ["factor.f_mu"]);
}

/// What the mechanism lacks: growth has an optimum of temperature, and clone B's lies elsewhere.
fn truth(t: f64, clone: f64) -> f64 {
    let best = 31.0 - 2.0 * clone;
    (0.25 - 0.012 * (t - best).powi(2) - 0.1 * clone).exp()
}

fn run(model: &Model, name: &str, t: f64, clone: f64, chance: &mut Chance) -> Run<'static> {
    run_with(model, name, &[("T", t), ("clone_B", clone)], truth(t, clone), chance)
}

fn run_with(model: &Model, name: &str, set: &[(&str, f64)], law: f64, chance: &mut Chance) -> Run<'static> {
    let mut constants = model.system.constants();
    for (name, value) in set {
        constants[model.system.constant(name).unwrap()] = *value;
    }
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    constants[model.system.constant("mu_max").unwrap()] *= law * (0.02 * chance.normal()).exp();
    let times: Vec<f64> = (0..=6).map(|i| 3.0 * f64::from(i)).collect();
    let trajectory = model.system.simulate(&constants, &times, &Options::default()).unwrap();
    let mut measured = Vec::new();
    for (i, time) in times.iter().enumerate().skip(1) {
        for (quantity, share, sd) in [("X", 0.04, 0.01), ("S", 0.03, 0.1), ("P", 0.05, 0.02)] {
            let value = trajectory.at(i)[model.system.quantity(quantity).unwrap()];
            let sd = f64::hypot(share * value, sd);
            let reading = Reading::Value(value + sd * chance.normal());
            measured.push(Measured { quantity: quantity.into(), time: *time, reading, noise: Noise::Known(sd) });
        }
    }
    Run { system: None, name: name.into(), group: name.into(), set, measured }
}

fn manner() -> Manner {
    Manner { knots: vec![0.0, 3.0, 6.0, 9.0, 12.0, 15.0], sd: 0.6, points: 8, refine: false, seed: 1 }
}

fn taught(inputs: &[&str], runs: &[Run], refine: bool) -> Learnt {
    let file = File::read(PLAIN).unwrap();
    let what = [Learn { on: "mu".into(), inputs: inputs.iter().map(|i| (*i).to_owned()).collect() }];
    let hashes: Vec<String> = runs.iter().map(|r| format!("sha256:{}", r.name)).collect();
    learn(&file, &what, runs, &hashes, &Manner { refine, ..manner() }, &Options::default()).unwrap()
}

#[test]
fn a_hidden_law_is_learnt_and_written_to_a_file() {
    let plain = Model::read(PLAIN).unwrap();
    let mut chance = Chance::new(3);
    let runs: Vec<Run> = (0..9).map(|i| run(&plain, &format!("r{i}"), 25.0 + 1.4 * f64::from(i), 0.0, &mut chance)).collect();
    let learnt = taught(&["T"], &runs, true);
    let factor = &learnt.factors["f_mu"];
    for t in [26.0, 29.0, 32.0, 35.0] {
        let at = factor.at(&[t]).unwrap();
        // Within three of its own standard deviations and in any case within 10 %.
        near(at.mean, truth(t, 0.0).ln(), (3.0 * at.sd).min(0.1));
    }
    let refinement = learnt.refinement.unwrap();
    assert!(refinement.before > 0.0 && refinement.kept == (refinement.after < refinement.before), "{refinement:?}");
    // New runs are met within their noise and what differs among runs, which the mechanism misses by far.
    let (mut with, mut without) = (0.0, 0.0);
    let hybrid = Model::of(&learnt.file).unwrap();
    for t in [27.0, 30.5, 34.0] {
        let new = run(&plain, "new", t, 0.0, &mut chance);
        with += misfit(&hybrid, &new, &[0.0], &Options::default()).unwrap() / 3.0;
        without += misfit(&plain, &new, &[0.0], &Options::default()).unwrap() / 3.0;
    }
    assert!(with < 6.0 && without > 5.0 * with, "{with} {without}");
    // The text of the model with the section is the model, and says what it was learnt from.
    let text = format!("{PLAIN}{}", learnt.text().unwrap());
    let again = Model::read(&text).unwrap();
    near(value(&again, &[("T", 28.0)], 9.0, "X"), value(&hybrid, &[("T", 28.0)], 9.0, "X"), 1e-12);
    assert!(text.contains("sha256:r4"));
}

/// Two runs of clone B beside nine of clone A, against the two alone. The clones differ a good deal (their optima lie two
/// degrees apart), so the gain is small: a mean squared error of ln(factor) of 0.0204 instead of 0.0238.
#[test]
fn a_new_clone_gains_from_the_old_ones_runs() {
    let plain = Model::read(PLAIN).unwrap();
    let (mut shared, mut alone) = (0.0, 0.0);
    for seed in 0..3 {
        let mut chance = Chance::new(40 + seed);
        let mut runs: Vec<Run> =
            (0..9).map(|i| run(&plain, &format!("a{i}"), 25.0 + 1.4 * f64::from(i), 0.0, &mut chance)).collect();
        let few: Vec<Run> =
            [27.0, 33.0].iter().enumerate().map(|(i, t)| run(&plain, &format!("b{i}"), *t, 1.0, &mut chance)).collect();
        runs.extend(few.clone());
        let both = taught(&["T", "clone_B"], &runs, false);
        let own = taught(&["T", "clone_B"], &few, false);
        for t in [25.5, 29.0, 31.0, 35.0] {
            let error = |l: &Learnt| (l.factors["f_mu"].at(&[t, 1.0]).unwrap().mean - truth(t, 1.0).ln()).powi(2);
            shared += error(&both) / 12.0;
            alone += error(&own) / 12.0;
        }
    }
    assert!(shared < 0.9 * alone, "mean squared error {shared} with the old clone, {alone} without");
}

#[test]
fn what_tells_nothing_is_not_learnt() {
    let plain = Model::read(PLAIN).unwrap();
    let mut chance = Chance::new(3);
    let mut runs: Vec<Run> = (0..4).map(|i| run(&plain, &format!("r{i}"), 30.0, 0.0, &mut chance)).collect();
    runs.iter_mut().for_each(|r| r.measured.retain(|m| m.quantity == "S" && m.time < 4.0));
    let file = File::read(PLAIN).unwrap();
    let error = |on: &str, inputs: &[&str]| {
        let what = [Learn { on: on.into(), inputs: inputs.iter().map(|i| (*i).to_owned()).collect() }];
        learn(&file, &what, &runs, &[], &manner(), &Options::default()).unwrap_err().code()
    };
    // Nothing of the product was read.
    assert_eq!(error("q_P", &["T"]), "E-HYBRID-004");
    assert_eq!(error("nothing", &["T"]), "E-HYBRID-002");
}

/// Runs that differ in temperature, inoculum and substrate, three folds, eight data sets: the hybrid is nearer to runs it
/// has not seen than the mechanism alone, which lacks the law, and than statistics alone, which have to learn everything.
/// In one data set of the eight it is not: eight runs to learn from left an end of the temperatures bare.
#[test]
fn the_hybrid_beats_each_part_alone_on_runs_not_seen() {
    let plain = Model::read(PLAIN).unwrap();
    let file = File::read(PLAIN).unwrap();
    let parameter = |name: &str, low: f64, high: f64| crate::fit::Parameter {
        name: name.into(),
        scale: crate::fit::Scale::Log,
        low,
        high,
        prior: None,
        by_group: false,
    };
    let parameters = [parameter("mu_max", 0.05, 1.5), parameter("q", 0.005, 0.5)];
    let what = [Learn { on: "mu".into(), inputs: vec!["T".into()] }];
    let (mut sums, mut won) = ([0.0; 3], 0);
    for seed in 1..=8 {
        let mut chance = Chance::new(100 + seed);
        let mut runs = Vec::new();
        for i in 0..12 {
            let t = 25.0 + 12.0 * chance.uniform();
            let (s, x) = (8.0 + 6.0 * chance.uniform(), 0.06 + 0.08 * chance.uniform());
            let set = [("T", t), ("S_0", s), ("X_0", x)];
            runs.push(run_with(&plain, &format!("r{i}"), &set, truth(t, 0.0), &mut chance));
        }
        let (manner, options) = (manner(), Options::default());
        let comparison = Comparison {
            file: &file,
            parameters: &parameters,
            what: &what,
            runs: &runs,
            manner: &manner,
            starts: 2,
            options: &options,
        };
        let mut heard = Vec::new();
        let contests = comparison
            .fold(3, &mut |done, of| {
                heard.push((done, of));
                Ok(())
            })
            .unwrap();
        assert_eq!((heard, contests.len()), (vec![(0, 3), (1, 3), (2, 3), (3, 3)], 3));
        assert!(contests.iter().all(|c| c.readings == 72));
        let mean = |of: fn(&Contest) -> f64| contests.iter().map(|c| of(c) / c.spread).sum::<f64>() / 3.0;
        let each = [mean(|c| c.mechanism), mean(|c| c.statistics), mean(|c| c.hybrid)];
        won += usize::from(each[2] < each[0].min(each[1]));
        sums.iter_mut().zip(each).for_each(|(sum, error)| *sum += error);
    }
    assert!(won >= 7, "{won} of 8");
    assert!(sums[2] < 0.65 * sums[0].min(sums[1]), "mechanism, statistics, hybrid {sums:?}");
}

/// An attribute that is a law of two features, found by both kinds; a feature beyond the runs is said to be.
#[test]
fn attributes_follow_features_of_the_course() {
    let mut chance = Chance::new(8);
    let x = Matrix::from_fn(24, 3, |_, _| chance.uniform());
    let y: Vec<f64> = (0..24).map(|i| 5.0 + 3.0 * x[(i, 0)] - 2.0 * x[(i, 2)] + 0.05 * chance.normal()).collect();
    for kind in [AttributeKind::Gp, AttributeKind::Pls] {
        let attribute = Attribute::fit(kind, &x, &y, 1).unwrap();
        assert!(attribute.q2 > 0.95, "{kind:?} {}", attribute.q2);
        let at = attribute.at(&[0.5, 0.5, 0.5], 0.9).unwrap();
        near(at.value, 5.5, 0.1);
        assert!(at.low < 5.5 && at.high > 5.5 && at.high - at.low < 0.6 && !at.beyond, "{at:?}");
        assert!(attribute.at(&[2.0, 0.5, 0.5], 0.9).unwrap().beyond);
    }
    // Noise alone is not predicted.
    let noise: Vec<f64> = (0..24).map(|_| chance.normal()).collect();
    assert!(Attribute::fit(AttributeKind::Pls, &x, &noise, 1).unwrap().q2 < 0.3);
    assert_eq!(Attribute::fit(AttributeKind::Gp, &x, &y[..3], 1).unwrap_err().code(), "E-HYBRID-005");
    let model = Model::read(PLAIN).unwrap();
    let times: Vec<f64> = (0..=200).map(|i| 0.1 * f64::from(i)).collect();
    let trajectory = model.system.simulate(&model.system.constants(), &times, &Options::default()).unwrap();
    let of = |f| ("X".to_owned(), f);
    let features = Features(vec![of(Feature::End), of(Feature::Max), of(Feature::Mean), of(Feature::Integral)]);
    let found = features.of(&model.system, &trajectory).unwrap();
    near(found[0], 5.1, 1e-3);
    near(found[1], found[0], 1e-6);
    near(found[2] * 20.0, found[3], 1e-9);
}
