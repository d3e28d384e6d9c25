//! Fits whose answer is known: a line by least squares in closed form, truths found again, and parameters that no data
//! determine.

use super::*;
use crate::kernel::{Definition, Options, Quantity, Role, System, notation};

fn model(quantities: &[(&str, &str, Option<&str>)]) -> System {
    let read = |text: &str| notation::read(text).unwrap();
    let quantities = quantities.iter().map(|(name, value, rate)| {
        let role = match rate {
            None => Role::Constant(read(value)),
            Some(":=") => Role::Assigned(read(value)),
            Some(rate) => Role::State { initial: read(value), rate: read(rate) },
        };
        Quantity { name: (*name).into(), role }
    });
    System::compile(&Definition { quantities: quantities.collect(), events: Vec::new() }).unwrap()
}

fn parameter(name: &str, low: f64, high: f64) -> Parameter {
    Parameter { name: name.into(), scale: Scale::Linear, low, high, prior: None, by_group: false }
}

fn measured(quantity: &str, time: f64, value: f64, noise: Noise) -> Measured {
    Measured { quantity: quantity.into(), time, reading: Reading::Value(value), noise }
}

fn run(name: &str, group: &str, measured: Vec<Measured>) -> Run<'static> {
    Run { system: None, name: name.into(), group: group.into(), set: Vec::new(), measured }
}

fn near(a: f64, b: f64, relative: f64) {
    assert!((a - b).abs() <= relative * b.abs().max(1e-12), "{a} is not {b}");
}

const LINE: [(f64, f64); 6] = [(0.0, 1.1), (1.0, 2.9), (2.0, 5.2), (3.0, 6.8), (4.0, 9.1), (5.0, 11.2)];

/// y = a + b t. By least squares b = 2.0142857…, a = 1.0142857…; with a known spread of 0.2 the 95 % intervals are
/// ±1.959964 · 0.2 · √(1/17.5) and ±1.959964 · 0.2 · √(55/105).
#[test]
fn a_line_is_that_of_least_squares_and_its_intervals_those_of_theory() {
    let system = model(&[("a", "0", None), ("b", "0", None), ("y", "a", Some("b"))]);
    let points = LINE.iter().map(|(t, y)| measured("y", *t, *y, Noise::Known(0.2))).collect();
    let parameters = [parameter("a", -10.0, 10.0), parameter("b", -10.0, 10.0)];
    let problem = Problem::new(&system, &parameters, &[run("r", "g", points)], 0.0, Options::default()).unwrap();
    let fit = problem.fit(3, 1).unwrap();
    let (n, st, sy) = (6.0, 15.0, 36.3);
    let (stt, sty): (f64, f64) = (55.0, LINE.iter().map(|(t, y)| t * y).sum());
    let b = (n * sty - st * sy) / (n * stt - st * st);
    let a = (sy - b * st) / n;
    let expected = [(a, 1.959_964 * 0.2 * (55.0f64 / 105.0).sqrt()), (b, 1.959_964 * 0.2 / 17.5f64.sqrt())];
    for (estimate, (value, half)) in fit.estimates.iter().zip(expected) {
        assert_eq!(estimate.identifiable, Identifiable::Yes);
        near(estimate.value.unwrap(), value, 1e-6);
        near(estimate.high.unwrap() - value, half, 0.02);
        near(value - estimate.low.unwrap(), half, 0.02);
    }
    assert_eq!((fit.at_best, fit.n, fit.converged), (3, 6, true));
    let again = problem.fit(3, 1).unwrap();
    assert_eq!(again.estimates, fit.estimates);
}

/// With the spread unknown it is that of the residuals, and −2 ln L that of the normal at it.
#[test]
fn an_unknown_spread_is_estimated() {
    let system = model(&[("a", "0", None), ("b", "0", None), ("y", "a", Some("b"))]);
    let points = LINE.iter().map(|(t, y)| measured("y", *t, *y, Noise::Estimated("probe".into()))).collect();
    let parameters = [parameter("a", -10.0, 10.0), parameter("b", -10.0, 10.0)];
    let problem = Problem::new(&system, &parameters, &[run("r", "g", points)], 0.0, Options::default()).unwrap();
    let fit = problem.fit(2, 1).unwrap();
    let (a, b) = (fit.estimates[0].at_best, fit.estimates[1].at_best);
    let sum: f64 = LINE.iter().map(|(t, y)| (y - a - b * t).powi(2)).sum();
    near(fit.spreads[0].1, (sum / 6.0).sqrt(), 1e-9);
    near(fit.minus_two_log, 6.0 * ((2.0 * std::f64::consts::PI * sum / 6.0).ln() + 1.0), 1e-9);
}

/// Monod with noise: the truth lies in the intervals; the half-saturation constant, which the data hardly see, is
/// bounded on one side only or wide, and never a number out of nothing.
#[test]
fn growth_parameters_are_found_again() {
    let system = model(&[
        ("mu_max", "0.3", None),
        ("K", "0.1", None),
        ("Y", "0.3", None),
        ("mu", "mu_max * S / (K + S)", Some(":=")),
        ("X", "0.1", Some("mu * X")),
        ("S", "10", Some("-mu * X / Y")),
    ]);
    let mut truth = system.constants();
    truth[..3].copy_from_slice(&[0.45, 0.2, 0.5]);
    let times: Vec<f64> = (0..=12).map(f64::from).collect();
    let trajectory = system.simulate(&truth, &times, &Options::default()).unwrap();
    let mut chance = Chance::new(11);
    let mut points = Vec::new();
    for (i, t) in times.iter().enumerate() {
        for (quantity, sd) in [("X", 0.05), ("S", 0.1)] {
            let value = trajectory.at(i)[system.quantity(quantity).unwrap()];
            points.push(measured(quantity, *t, value + sd * chance.normal(), Noise::Known(sd)));
        }
    }
    let log = |name: &str, low, high| Parameter { scale: Scale::Log, ..parameter(name, low, high) };
    let parameters = [log("mu_max", 0.05, 2.0), log("K", 1e-4, 10.0), log("Y", 0.05, 1.0)];
    let problem = Problem::new(&system, &parameters, &[run("r", "g", points)], 0.0, Options::default()).unwrap();
    let fit = problem.fit(8, 3).unwrap();
    assert!(fit.at_best >= 4, "{:?}", fit.starts);
    for (estimate, truth) in fit.estimates.iter().zip([0.45, 0.2, 0.5]) {
        assert!(estimate.low.is_none_or(|low| low < truth) && estimate.high.is_none_or(|high| high > truth), "{estimate:?}");
    }
    assert_eq!(fit.estimates[0].identifiable, Identifiable::Yes);
    assert_eq!(fit.estimates[2].identifiable, Identifiable::Yes);
}

#[test]
fn a_product_does_not_tell_its_factors() {
    let system = model(&[("k1", "1", None), ("k2", "1", None), ("x", "1", Some("-k1 * k2 * x"))]);
    let points = (1..6).map(|t| measured("x", f64::from(t), (-0.5 * f64::from(t)).exp(), Noise::Known(0.01))).collect();
    let parameters = ["k1", "k2"].map(|k| Parameter { scale: Scale::Log, ..parameter(k, 0.05, 10.0) });
    let problem = Problem::new(&system, &parameters, &[run("r", "g", points)], 0.0, Options::default()).unwrap();
    let fit = problem.fit(4, 5).unwrap();
    for estimate in &fit.estimates {
        assert_eq!((estimate.identifiable, estimate.value), (Identifiable::No, None), "{estimate:?}");
    }
    near(fit.estimates[0].at_best * fit.estimates[1].at_best, 0.5, 1e-3);
}

#[test]
fn groups_have_values_of_their_own_and_limits_of_detection_speak() {
    let system = model(&[("k", "1", None), ("x", "1", Some("-k * x"))]);
    let points = |k: f64, until: u32| {
        let mut points: Vec<Measured> =
            (1..until).map(|t| measured("x", f64::from(t), (-k * f64::from(t)).exp(), Noise::Known(0.01))).collect();
        points.push(Measured { reading: Reading::Below(0.02), ..measured("x", 20.0, 0.0, Noise::Known(0.01)) });
        points
    };
    let parameters = [Parameter { by_group: true, scale: Scale::Log, ..parameter("k", 1e-3, 10.0) }];
    let runs = [run("r1", "fast", points(0.8, 5)), run("r2", "slow", points(0.3, 5)), run("r3", "unseen", points(0.0, 1))];
    let problem = Problem::new(&system, &parameters, &runs, 0.0, Options::default()).unwrap();
    let names: Vec<&str> = problem.unknowns().iter().map(|u| u.name.as_str()).collect();
    assert_eq!(names, ["k (fast)", "k (slow)", "k (unseen)"]);
    let fit = problem.fit(4, 2).unwrap();
    near(fit.estimates[0].value.unwrap(), 0.8, 0.02);
    near(fit.estimates[1].value.unwrap(), 0.3, 0.02);
    // Only «not detected after 20»: it is fast, how fast nobody knows.
    assert_eq!(fit.estimates[2].identifiable, Identifiable::OnlyBelow);
    // Φ((0.02 − e^−20k) / 0.01) = e^(−3.8415/2) at k = 0.17447.
    near(fit.estimates[2].low.unwrap(), 0.174_47, 0.02);
}

/// The gradient against differences, with priors, log scales, censored readings and an unknown spread.
#[test]
fn the_gradient_is_that_of_differences() {
    let system = model(&[("k", "1", None), ("x0", "1", None), ("x", "x0", Some("-k * x"))]);
    let mut points = vec![measured("x", 1.0, 0.5, Noise::Known(0.1))];
    points.push(Measured { reading: Reading::Below(0.3), ..measured("x", 2.0, 0.0, Noise::Known(0.1)) });
    points.push(Measured { reading: Reading::Above(0.6), ..measured("x", 0.5, 0.0, Noise::Known(0.1)) });
    points.extend([(0.2, 1.1), (1.5, 0.4), (3.0, 0.2)].map(|(t, y)| measured("x", t, y, Noise::Estimated("probe".into()))));
    let parameters = [
        Parameter { scale: Scale::Log, prior: Some(Prior { mean: -1.0, sd: 0.5 }), ..parameter("k", 0.01, 10.0) },
        parameter("x0", 0.1, 3.0),
    ];
    let options = Options { relative: 1e-10, absolute: vec![1e-12], ..Options::default() };
    let problem = Problem::new(&system, &parameters, &[run("r", "g", points)], 0.0, options).unwrap();
    let at = [-0.7, 1.2];
    let centre = problem.at(&at).unwrap();
    for i in 0..2 {
        let moved = |h: f64| {
            let mut at = at;
            at[i] += h;
            problem.at(&at).unwrap().minus_two_log
        };
        let difference = (moved(1e-5) - moved(-1e-5)) / 4e-5;
        assert!((centre.gradient[i] - difference).abs() < 1e-5 * (1.0 + difference.abs()), "{i}: {centre:?} {difference}");
    }
}

#[test]
fn what_cannot_be_fitted_is_refused_at_its_place() {
    let system = model(&[("k", "1", None), ("x", "1", Some("-k * x"))]);
    let problem = |parameters: &[Parameter], runs: &[Run]| {
        let error = Problem::new(&system, parameters, runs, 0.0, Options::default()).map(|_| ()).unwrap_err();
        error.fault().place.as_ref().and_then(|p| p.field.clone()).unwrap()
    };
    let good = || vec![measured("x", 1.0, 0.5, Noise::Known(0.1))];
    assert_eq!(problem(&[parameter("q", 0.0, 1.0)], &[run("r", "g", good())]), "parameters.q");
    assert_eq!(problem(&[parameter("k", 1.0, 0.0)], &[run("r", "g", good())]), "parameters.k");
    let log = Parameter { scale: Scale::Log, ..parameter("k", 0.0, 1.0) };
    assert_eq!(problem(&[log], &[run("r", "g", good())]), "parameters.k");
    let k = [parameter("k", 0.0, 1.0)];
    assert_eq!(problem(&k, &[run("r", "g", vec![])]), "measured");
    assert_eq!(problem(&k, &[run("r", "g", vec![measured("x", -1.0, 0.5, Noise::Known(0.1))])]), "runs.r.measured");
    assert_eq!(problem(&k, &[run("r", "g", vec![measured("x", 1.0, f64::NAN, Noise::Known(0.1))])]), "runs.r.measured.x");
    assert_eq!(problem(&k, &[run("r", "g", vec![measured("x", 1.0, 0.5, Noise::Known(0.0))])]), "runs.r.measured.x");
}

/// Of a line with known spread the posterior is that of least squares: variances 0.2²/17.5 and 0.2²·55/105, and their
/// covariance −0.2²·15/105; the bounds add next to nothing.
#[test]
fn the_posterior_of_a_line_is_that_of_theory() {
    let system = model(&[("a", "0", None), ("b", "0", None), ("y", "a", Some("b"))]);
    let points = LINE.iter().map(|(t, y)| measured("y", *t, *y, Noise::Known(0.2))).collect();
    let parameters = [parameter("a", -100.0, 100.0), parameter("b", -100.0, 100.0)];
    let problem = Problem::new(&system, &parameters, &[run("r", "g", points)], 0.0, Options::default()).unwrap();
    let posterior = problem.posterior(2, 1).unwrap();
    near(posterior.covariance[(0, 0)], 0.04 * 55.0 / 105.0, 1e-3);
    near(posterior.covariance[(1, 1)], 0.04 / 17.5, 1e-3);
    near(posterior.covariance[(0, 1)], -0.04 * 15.0 / 105.0, 1e-3);
    let again = problem.posterior_from(&posterior.at).unwrap();
    near(again.at[0], posterior.at[0], 1e-6);
    assert!(again.converged);
}

/// What sites with their own runs say adds up to what one problem of all runs says, also where a sensor's spread is
/// estimated from all of them and a prior counts once; to a part in 10¹².
#[test]
fn shares_of_runs_add_up_to_the_whole() {
    let system = model(&[("k", "1", None), ("x0", "1", None), ("x", "x0", Some("-k * x"))]);
    let points = |shift: f64| {
        let mut points = vec![measured("x", 1.0, 0.5 + shift, Noise::Known(0.1))];
        points.push(Measured { reading: Reading::Below(0.3), ..measured("x", 2.0, 0.0, Noise::Known(0.1)) });
        points.extend(
            [(0.2, 1.1), (1.5, 0.4), (3.0, 0.2)].map(|(t, y)| measured("x", t, y - shift, Noise::Estimated("probe".into()))),
        );
        points
    };
    let parameters = [
        Parameter { scale: Scale::Log, prior: Some(Prior { mean: -1.0, sd: 0.5 }), ..parameter("k", 0.01, 10.0) },
        parameter("x0", 0.1, 3.0),
    ];
    let runs: Vec<Run> =
        [0.0, 0.03, -0.05, 0.1].iter().enumerate().map(|(i, s)| run(&format!("r{i}"), "g", points(*s))).collect();
    let problem = |runs: &[Run<'static>]| Problem::new(&system, &parameters, runs, 0.0, Options::default()).unwrap();
    let (all, halves) = (problem(&runs), [problem(&runs[..1]), problem(&runs[1..])]);
    for at in [[-0.7, 1.2], [0.4, 0.6]] {
        let whole = all.at(&at).unwrap();
        let mut sum = all.priors(&at);
        for share in halves.iter().flat_map(|half| half.shares(&at)) {
            sum.plus(&share.unwrap());
        }
        let sum = sum.local();
        near(sum.minus_two_log, whole.minus_two_log, 1e-12);
        near(sum.spreads[0], whole.spreads[0], 1e-12);
        for (a, b) in sum.gradient.iter().chain(&sum.curvature).zip(whole.gradient.iter().chain(&whole.curvature)) {
            near(*a, *b, 1e-11);
        }
        // One half alone says something else.
        assert!((halves[0].at(&at).unwrap().gradient[0] - whole.gradient[0]).abs() > 1e-3);
    }
}
