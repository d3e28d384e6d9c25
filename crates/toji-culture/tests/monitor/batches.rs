//! Batches that go wrong in known ways, and batches of a real plant.

use super::simulated::{POINTS, axis, batch, names, normal};
use super::{near, numbers, shared};
use toji_core::chance::Chance;
use toji_culture::monitor::{
    Aligned, Axis, Band, Batch, Breadth, Components, Course, Departure, Known, Length, Matrix, Missing, Monitor, Shares, Watch,
    align,
};

fn monitor(chance: &mut Chance) -> (Aligned, Monitor) {
    let reference = normal(40, chance);
    let monitor = Monitor::fit(&reference, &Watch { components: Components::Fixed(3), ..Watch::default() }).unwrap();
    (reference, monitor)
}

fn check(monitor: &Monitor, batch: &Batch, known: &[Known]) -> Course {
    let aligned = align(std::slice::from_ref(batch), &names(), &axis()).unwrap();
    monitor.check(&aligned.batches[0], &monitor.limits(0.99).unwrap(), known).unwrap()
}

#[test]
fn a_sensor_that_drifts_is_found_and_named() {
    let mut chance = Chance::new(5);
    let (reference, monitor) = monitor(&mut chance);
    // Dissolved oxygen drifts from point 12 on, by nine tenths of its noise (0.04) at each point.
    let drift = |point: usize, var: usize, v: f64| {
        if var == 1 && point >= 12 { v + 0.1 * 0.35 * (point - 12) as f64 } else { v }
    };
    let course = check(&monitor, &batch("drift", &mut chance, drift), &[]);
    let finding = &course.finding;
    assert!(matches!(finding.departure, Departure::NewPattern | Departure::FartherAndNew), "{finding:?}");
    assert_eq!((finding.breadth, finding.length), (Some(Breadth::Alone), Some(Length::Lasting)));
    assert!((13..24).contains(&finding.first.unwrap()), "{finding:?}");
    let evidence = &finding.evidence[0];
    assert_eq!(evidence.variable, "oxygen");
    assert!(evidence.share > 0.7 && evidence.peak > 20 && evidence.value > evidence.usual && evidence.deviation > 2.0);
    // The band finds a stronger one, above; it needs more, since it does not know what variables do together.
    let strong = |point: usize, var: usize, v: f64| drift(point, var, v) + 2.0 * (drift(point, var, v) - v);
    let aligned = align(&[batch("strong", &mut Chance::new(77), strong)], &names(), &axis()).unwrap();
    let out = Band::of(&reference, 0.95).unwrap().check(&aligned.batches[0]);
    assert!(!out.is_empty() && out.iter().all(|e| e.variable == "oxygen" && e.above && e.value > e.edge), "{out:?}");

    // The same again is like it, another one is not.
    let known = [
        Known { name: "drift of the oxygen sensor".into(), signature: finding.signature.clone() },
        Known { name: "of another plant".into(), signature: vec![1.0; 3] },
    ];
    let again = check(&monitor, &batch("again", &mut chance, drift), &known);
    assert_eq!(again.finding.alike.len(), 1);
    assert!(again.finding.alike[0].angle < 30.0, "{:?}", again.finding.alike);
    let base = |point: usize, var: usize, v: f64| if var == 2 && point > 15 { v - 8.0 } else { v };
    let other = check(&monitor, &batch("base", &mut chance, base), &known);
    assert!(other.finding.alike[0].angle > 60.0, "{:?}", other.finding);
}

#[test]
fn a_passing_disturbance_is_passing_and_a_normal_batch_is_inside() {
    let mut chance = Chance::new(6);
    let (_, monitor) = monitor(&mut chance);
    let spike = |point: usize, var: usize, v: f64| if point == 14 && var == 3 { v + 10.0 * 8.0 } else { v };
    let course = check(&monitor, &batch("spike", &mut chance, spike), &[]);
    assert_eq!((course.finding.length, course.finding.first), (Some(Length::Passing), Some(14)), "{:?}", course.finding);
    assert_eq!(course.finding.evidence[0].variable, "cer");
    let usual = check(&monitor, &batch("usual", &mut chance, |_, _, v| v), &[]);
    assert_eq!((usual.finding.departure, usual.finding.signature.len()), (Departure::Inside, 0));
}

#[test]
fn more_of_the_usual_is_farther_not_new() {
    let mut chance = Chance::new(8);
    let (_, monitor) = monitor(&mut chance);
    // The first source of difference at nine of its standard deviations, in all variables as always.
    let far = |point: usize, var: usize, v: f64| {
        v + 18.0 * point as f64 / (POINTS - 1) as f64 * (1.0 + 0.2 * var as f64) * 10_f64.powi(var as i32 - 2)
    };
    let course = check(&monitor, &batch("far", &mut chance, far), &[]);
    let last = course.moments.last().unwrap();
    assert!(last.t2 > 3.0 * last.t2_limit, "{last:?}");
    assert_eq!(course.finding.breadth, Some(Breadth::Together));
}

#[test]
fn shares_add_up_at_every_point() {
    let mut chance = Chance::new(12);
    let reference = normal(20, &mut chance);
    let aligned = normal(1, &mut chance);
    let mut cells: Vec<Vec<Option<f64>>> =
        (0..POINTS).map(|p| (0..5).map(|v| aligned.batches[0].values.get(p, v)).collect()).collect();
    cells[4][2] = None;
    cells[9] = vec![None; 5];
    let mut holed = aligned.batches[0].clone();
    holed.values = Matrix::from_rows(&cells).unwrap();
    for missing in [Missing::Trimmed, Missing::Regression, Missing::ConditionalMean] {
        let watch = Watch { components: Components::Fixed(2), missing, ..Watch::default() };
        let monitor = Monitor::fit(&reference, &watch).unwrap();
        let limits = monitor.limits(0.95).unwrap();
        for batch in [&aligned.batches[0], &holed] {
            let course = monitor.check(batch, &limits, &[]).unwrap();
            for point in [0, 3, 9, 10, 29] {
                let shares = monitor.shares(batch, point).unwrap();
                let t2: f64 = Shares::by_variable(&shares.t2).iter().sum();
                near(t2 / course.moments[point].t2, 1.0, 1e-8);
                let spe: f64 = shares.spe[point].iter().map(|v| v.abs()).sum();
                let seen = (0..5).filter(|v| batch.values.get(point, *v).is_some()).count() as f64;
                match course.moments[point].spe {
                    Some(wanted) => near(spe * 5.0 / seen, wanted, 1e-8 * wanted),
                    None => near(seen, 0.0, 0.0),
                }
                near(Shares::by_point(&shares.spe)[point], spe, 1e-9);
            }
        }
        // At the end of a complete batch all three estimates are the scores themselves.
        let whole: Vec<Option<f64>> = (0..POINTS * 5).map(|c| aligned.batches[0].values.get(c / 5, c % 5)).collect();
        let row = monitor.pca.latent.check(&whole, missing).unwrap();
        let course = monitor.check(&aligned.batches[0], &limits, &[]).unwrap();
        for (a, b) in row.scores.iter().zip(&course.scores) {
            near(*a, *b, 1e-8);
        }
        near(course.moments[POINTS - 1].t2 / row.t2, 1.0, 1e-8);
    }
}

#[test]
fn an_estimate_from_half_a_batch_is_near_the_whole() {
    let mut chance = Chance::new(3);
    let reference = normal(40, &mut chance);
    let fresh = normal(60, &mut chance);
    let mut errors = Vec::new();
    for missing in [Missing::Trimmed, Missing::Regression, Missing::ConditionalMean] {
        let watch = Watch { components: Components::Fixed(3), missing, ..Watch::default() };
        let monitor = Monitor::fit(&reference, &watch).unwrap();
        let limits = monitor.limits(0.95).unwrap();
        let mut squares = 0.0;
        for batch in &fresh.batches {
            let mut half = batch.clone();
            half.reached = POINTS / 2;
            let (whole, half) = (monitor.check(batch, &limits, &[]).unwrap(), monitor.check(&half, &limits, &[]).unwrap());
            assert_eq!(half.moments[..], whole.moments[..POINTS / 2], "what comes later must not change what was seen");
            squares += whole.scores.iter().zip(&half.scores).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        }
        errors.push(squares.sqrt());
    }
    eprintln!("errors of scores from half a batch: trimmed, regression, conditional mean: {errors:?}");
    assert!(errors[1] < 0.7 * errors[0] && errors[2] < 0.7 * errors[0], "{errors:?}");
}

#[test]
fn what_cannot_be_monitored_is_refused() {
    let mut chance = Chance::new(4);
    let few = normal(4, &mut chance);
    assert_eq!(Monitor::fit(&few, &Watch::default()).unwrap_err().code(), "E-MONITOR-020");
    assert_eq!(Band::of(&few.without(&[0]), 0.9).unwrap_err().code(), "E-MONITOR-022");
    assert_eq!(Band::of(&few, 1.0).unwrap_err().code(), "E-MONITOR-022");
    let (_, monitor) = monitor(&mut chance);
    assert_eq!(monitor.limits(0.2).unwrap_err().code(), "E-MONITOR-004");
    let mut other = few.batches[0].clone();
    other.reached = 0;
    assert_eq!(monitor.check(&other, &monitor.limits(0.95).unwrap(), &[]).unwrap_err().code(), "E-MONITOR-021");
    // Fewer batches than the confidence asked for needs: the confidence that they can show is said.
    let band = Band::of(&few, 0.95).unwrap();
    near(band.coverage, 0.8, 1e-12);
    assert!((monitor.limits(0.999).unwrap().run_confidence - 40.0 / 41.0).abs() < 1e-12);
}

/// 57 batches of a nylon autoclave, 10 variables.
fn nylon() -> Option<Vec<Batch>> {
    let rows = numbers(&shared("batch/nylon.csv")?, 1);
    let mut batches = Vec::new();
    for id in 1..=57 {
        let own: Vec<&[Option<f64>]> = rows.iter().filter(|row| row[0] == Some(f64::from(id))).map(|row| &row[1..]).collect();
        let times = (0..own.len()).map(|i| i as f64).collect();
        let values = Matrix::from_rows(&own).unwrap();
        batches.push(Batch { name: id.to_string(), times, values, marks: Vec::new(), ended: true });
    }
    Some(batches)
}

fn tags() -> Vec<String> {
    (1..=10).map(|i| format!("Tag{i:02}")).collect()
}

fn largest(of: &[f64], n: usize) -> Vec<(usize, f64)> {
    let mut all: Vec<(usize, f64)> = of.iter().copied().enumerate().map(|(i, v)| (i + 1, v)).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.truncate(n);
    all
}

#[test]
fn nylon_as_the_reference_has_it() {
    let Some(batches) = nylon() else { return };
    let aligned = align(&batches, &tags(), &Axis::Index { points: 100 }).unwrap();
    let watch = Watch { components: Components::Fixed(3), ..Watch::default() };
    let monitor = Monitor::fit(&aligned, &watch).unwrap();
    let latent = &monitor.pca.latent;
    for (found, wanted) in latent.r2x().iter().zip([0.433_968, 0.199_572, 0.070_551]) {
        near(*found, wanted, 1e-6);
    }
    let t2 = [(54, 38.2968), (53, 14.9348), (1, 9.6323), (3, 8.5467), (5, 7.894)];
    let spe = [(53, 612.839), (19, 545.845), (52, 467.303), (37, 457.132), (2, 444.111)];
    for (found, wanted) in largest(latent.t2(), 5).into_iter().zip(t2).chain(largest(latent.spe(), 5).into_iter().zip(spe)) {
        assert_eq!(found.0, wanted.0);
        near(found.1, wanted.1, 1e-3);
    }
}

#[test]
fn nylon_batches_that_went_wrong_are_found_by_good_ones() {
    let Some(batches) = nylon() else { return };
    // The last ones are the known abnormal ones; the first 36 are taken for good.
    let aligned = align(&batches, &tags(), &Axis::Index { points: 100 }).unwrap();
    let reference = aligned.without(&(36..57).collect::<Vec<_>>());
    let monitor = Monitor::fit(&reference, &Watch::default()).unwrap();
    let limits = monitor.limits(0.95).unwrap();
    eprintln!(
        "nylon: {} components, left out beyond: {} {}",
        monitor.pca.latent.components(),
        limits.t2_beyond,
        limits.spe_beyond
    );
    let mut out = Vec::new();
    for batch in &aligned.batches[36..] {
        let course = monitor.check(batch, &limits, &[]).unwrap();
        let f = &course.finding;
        eprintln!(
            "{} {:?} first {:?} beyond {} {:?}",
            batch.name,
            f.departure,
            f.first,
            f.beyond,
            f.evidence.first().map(|e| &e.variable)
        );
        if f.departure != Departure::Inside {
            out.push(batch.name.clone());
        }
    }
    for name in ["53", "54"] {
        assert!(out.iter().any(|found| found == name), "{name} of {out:?}");
    }
}
