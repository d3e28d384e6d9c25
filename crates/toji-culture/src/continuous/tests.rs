//! Steady states against closed forms and another solver; sweeps, wash-out, campaigns and measured series.

use super::campaign::{Counted, batches, once};
use super::observed::{Dilution, Estimate, Rule, Series, Verdict, observe};
use super::*;
use crate::model::{File, shipped};
use toji_core::chance::Chance;

fn near(a: f64, b: f64, relative: f64) {
    assert!((a - b).abs() <= relative * b.abs().max(1e-300), "{a} is not {b}");
}

fn file(id: &str) -> File {
    File::read(shipped(id).unwrap()).unwrap()
}

fn chemostat() -> (Reactor, Vec<f64>, usize) {
    let roles = Roles { product: Some("X".into()), ..Roles::default() };
    let reactor = Reactor::new(&file("monod-chemostat"), &roles).unwrap();
    let constants = reactor.model.system.constants();
    let place = reactor.model.system.constant("D").unwrap();
    (reactor, constants, place)
}

fn at(reactor: &Reactor, steady: &Steady, name: &str) -> f64 {
    steady.quantities[reactor.model.system.quantity(name).unwrap()]
}

fn steady(reactor: &Reactor, constants: &[f64]) -> Steady {
    let found = reactor.steady(constants, &Criterion::default()).unwrap();
    found.steady().unwrap_or_else(|| panic!("{found:?}")).clone()
}

fn missed(file: &File, roles: &Roles) -> Missed {
    let reactor = Reactor::new(file, roles).unwrap();
    match reactor.steady(&reactor.model.system.constants(), &Criterion::default()).unwrap() {
        Found::Missed(why) => why,
        Found::Steady(steady) => panic!("{steady:?}"),
    }
}

/// Closed forms (Herbert, Elsworth and Telling 1956): S = K_S D/(µ_max − D), X = Y(S_in − S); the eigenvalues are −D and
/// −µ'(S)·X/Y.
#[test]
fn the_chemostat_has_its_closed_form() {
    let (reactor, constants, _) = chemostat();
    assert_eq!((reactor.cells(), reactor.harvested()), (vec!["X"], vec!["harvest"]));
    let found = steady(&reactor, &constants);
    near(at(&reactor, &found, "S"), 0.15, 1e-9);
    near(at(&reactor, &found, "X"), 4.925, 1e-9);
    assert!(found.residual < 1e-11 && found.moved < 1e-3 && found.stable == Some(true) && !found.washed_out, "{found:?}");
    assert!(found.volume_change.abs() < 1e-12);
    near(found.eigenvalues[0].0, -0.3, 1e-9);
    near(found.eigenvalues[1].0, -0.8 * 9.85, 1e-9);
    near(found.slowest().unwrap(), 1.0 / 0.3, 1e-9);
    // Reached when it says: 1 % off just before, nothing more after.
    let reached = found.reached.unwrap();
    let options = crate::kernel::Options { relative: 1e-10, ..Default::default() };
    let course = reactor.model.system.simulate(&constants, &[0.0, reached - 0.3, reached, reached + 5.0], &options).unwrap();
    let off = |i: usize| {
        let of = |name: &str| course.at(i)[reactor.model.system.quantity(name).unwrap()] / at(&reactor, &found, name) - 1.0;
        of("S").abs().max(of("X").abs())
    };
    assert!(off(1) > 0.01 && (off(2) - 0.01).abs() < 2e-3 && off(3) < 0.01, "{} {} {}", off(1), off(2), off(3));
    let measures = reactor.measures(&found.quantities);
    near(measures.per_volume.unwrap(), 0.3 * 4.925, 1e-9);
    near(measures.per_medium.unwrap(), 4.925, 1e-9);
    near(measures.residence.unwrap(), 1.0 / 0.3, 1e-9);
}

#[test]
fn a_sweep_finds_where_cells_wash_out_and_where_most_is_made() {
    let (reactor, constants, place) = chemostat();
    let criterion = Criterion::default();
    let settings: Vec<Vec<f64>> = (1..=12).map(|i| vec![0.05 * f64::from(i)]).collect();
    let points = reactor.sweep(&constants, &[place], &settings, &criterion, &|_| Ok(())).unwrap();
    for point in &points {
        let (d, found) = (point.at[0], point.found.steady().unwrap());
        if d < 0.495 {
            near(at(&reactor, found, "S"), 0.1 * d / (0.5 - d), 1e-8);
            near(at(&reactor, found, "X"), 0.5 * (10.0 - 0.1 * d / (0.5 - d)), 1e-8);
        } else {
            assert!(found.washed_out && found.stable == Some(true), "{d}: {found:?}");
            near(at(&reactor, found, "S"), 10.0, 1e-6);
        }
    }
    near(reactor.critical(&constants, place, (0.05, 0.6), &criterion).unwrap().unwrap(), 0.495_049_504_950_495_05, 1e-9);
    assert_eq!(reactor.critical(&constants, place, (0.05, 0.3), &criterion).unwrap(), None);
    let best = reactor.best(&constants, place, &points, Measure::PerVolume, &criterion).unwrap().unwrap();
    near(best.at, 0.450_248_140_489_500_57, 1e-8);
    near(best.value, 2.047_506_218_943_955_2, 1e-9);
    assert!(!best.at_end);
    // The leanest use of medium is at the least dilution: an end of the range, and said to be one.
    let lean = reactor.best(&constants, place, &points, Measure::PerMedium, &criterion).unwrap().unwrap();
    assert!(lean.at_end && (lean.at - 0.05).abs() < 1e-12, "{lean:?}");
    // The slope by the implicit function theorem is that of differences.
    let here = points[5].found.steady().unwrap();
    let mut with = constants.clone();
    with[place] = points[5].at[0];
    let slope = reactor.slope(&with, place, here, Measure::PerVolume).unwrap().unwrap();
    let per_volume = |d: f64| d * 0.5 * (10.0 - 0.1 * d / (0.5 - d));
    near(slope, (per_volume(0.3 + 1e-5) - per_volume(0.3 - 1e-5)) / 2e-5, 1e-7);
}

/// Just below wash-out cells come back slowly; nothing is taken for steady on the way.
#[test]
fn near_wash_out_the_slow_return_is_waited_for() {
    let (reactor, mut constants, place) = chemostat();
    constants[place] = 0.49;
    near(at(&reactor, &steady(&reactor, &constants), "X"), 0.5 * (10.0 - 0.049 / 0.01), 1e-8);
    constants[place] = 0.5;
    assert!(steady(&reactor, &constants).washed_out);
}

/// A perfusion with death, of which a share of the flow is bled: µ = β·D + k_d, S = K_S µ/(µ_max − µ), X = D(S_in − S)Y/µ.
#[test]
fn perfusion_has_its_closed_form() {
    let text = shipped("monod-chemostat")
        .unwrap()
        .replace("mu_max = { value = 0.5", "mu_max = { value = 0.9")
        .replace("K_S = { value = 0.1", "K_S = { value = 0.3")
        .replace("Y_XS = { value = 0.5", "Y_XS = { value = 5")
        .replace("S_in = { value = 10", "S_in = { value = 8")
        .replace("D = { value = 0.3", "k_d = { value = 0.03, unit = \"/h\" }\nD = { value = 1.5")
        .replace("outflow = \"D * V\"", "outflow = \"0.92 * D * V\"\nretains = { X = \"100 [%]\" }")
        .replace(", formula = \"CH1.8O0.5N0.2\"", "")
        .replace(", formula = \"C6H12O6\"", "")
        .replace("open = [\"C\", \"H\", \"N\", \"O\", \"electrons\"]", "")
        + "[stream.bleed]\noutflow = \"0.08 * D * V\"\nunit = \"L/h\"\n\
           [reaction.death]\nrate = \"k_d * X\"\nunit = \"g/(L.h)\"\nmakes = { X = \"-1\" }\n";
    let reactor = Reactor::new(&File::read(&text).unwrap(), &Roles::default()).unwrap();
    assert_eq!((reactor.cells(), reactor.harvested()), (vec!["X"], vec!["harvest"]));
    let found = steady(&reactor, &reactor.model.system.constants());
    near(at(&reactor, &found, "mu"), 0.15, 1e-9);
    near(at(&reactor, &found, "S"), 0.06, 1e-9);
    near(at(&reactor, &found, "X"), 397.0, 1e-9);
    near(reactor.measures(&found.quantities).perfusion_per_cell.unwrap(), 0.003_778_337_531_486_145_6, 1e-9);
}

fn perfusion() -> (Reactor, Vec<f64>) {
    let roles = Roles { product: Some("mAb".into()), ..Roles::default() };
    let reactor = Reactor::new(&file("cho-mab-perfusion"), &roles).unwrap();
    let constants = reactor.model.system.constants();
    (reactor, constants)
}

/// Values of scipy 1.17.1, by tests/golden/perfusion.py.
#[test]
fn the_cho_perfusion_ends_where_another_solver_says() {
    let (reactor, mut constants) = perfusion();
    assert_eq!((reactor.cells(), reactor.harvested()), (vec!["Xv"], vec!["harvest"]));
    let names = ["Xv", "Xd", "Glc", "Lac", "Gln", "Amm", "mAb", "HCP"];
    let check = |constants: &[f64], wanted: [f64; 8], slowest: [f64; 2]| {
        let found = steady(&reactor, constants);
        for (name, wanted) in names.iter().zip(wanted) {
            near(at(&reactor, &found, name), wanted, 1e-8);
        }
        near(found.eigenvalues[0].0, slowest[0], 1e-6);
        near(found.eigenvalues[1].0, slowest[1], 1e-6);
        assert!(found.stable == Some(true) && found.productive.unwrap() <= found.reached.unwrap());
        found
    };
    let found = check(
        &constants,
        [
            32.890_576_830_2,
            0.715_081_955_769,
            1.678_760_276_74,
            26.824_867_806_3,
            0.183_629_671_221,
            0.909_888_641_534,
            794.636_336_218,
            105.249_845_857,
        ],
        [-0.008_333_333_33, -0.009_503_497_94],
    );
    // 46 pL of medium per cell and day, 1.03 g of antibody per litre and day behind the filter.
    let measures = reactor.measures(&found.quantities);
    near(measures.perfusion_per_cell.unwrap() * 24.0 * 1000.0, 1.5 / 32.890_576_830_2 * 1000.0, 1e-6);
    near(measures.per_volume.unwrap() * 24.0, 1.3 * 794.636_336_218, 1e-6);
    near(measures.per_medium.unwrap(), 1.3 / 1.5 * 794.636_336_218, 1e-6);
    for (name, value) in [("perfusion", 1.0), ("bleed", 0.4)] {
        constants[reactor.model.system.constant(name).unwrap()] = value;
    }
    check(
        &constants,
        [
            9.634_938_454_61,
            0.147_529_662_786,
            12.893_806_726_2,
            18.974_335_291_7,
            1.233_874_748_35,
            1.812_667_253_64,
            349.170_169_595,
            46.247_704_582_1,
        ],
        [-0.009_695_605_6, -0.016_666_666_67],
    );
}

#[test]
fn why_there_is_no_steady_state_is_said() {
    assert_eq!(missed(&file("monod-fed-batch"), &Roles::default()), Missed::NoOutflow);
    let mut backwards = file("cho-mab-perfusion");
    backwards.constant.get_mut("bleed").unwrap().value = Some(2.0);
    assert_eq!(missed(&backwards, &Roles::default()), Missed::Backwards("harvest".into()));
    let mut fuller = file("monod-chemostat");
    fuller.stream.get_mut("harvest").unwrap().outflow = Some("0.99 * D * V".into());
    assert!(matches!(missed(&fuller, &Roles::default()), Missed::Volume(v) if (v - 0.0101).abs() < 2e-3));
    // A level control holds a volume that no identity holds.
    let mut level = file("monod-chemostat");
    level.stream.get_mut("harvest").unwrap().outflow = Some("max(V - 0.8 [L], 0) * 3 [/h]".into());
    let reactor = Reactor::new(&level, &Roles::default()).unwrap();
    let found = steady(&reactor, &reactor.model.system.constants());
    // 3 (V − 0.8) = D V.
    near(at(&reactor, &found, "V"), 2.4 / 2.7, 1e-9);
    near(at(&reactor, &found, "S"), 0.15, 1e-9);
    let mut waves = file("monod-chemostat");
    for stream in waves.stream.values_mut() {
        for flow in [&mut stream.inflow, &mut stream.outflow].into_iter().flatten() {
            *flow = "D * V * (1 + 0.2 * sin(time / 3 [h]))".into();
        }
    }
    assert_eq!(missed(&waves, &Roles::default()), Missed::Driven);
    let error = Reactor::new(&waves, &Roles { product: Some("Q".into()), ..Roles::default() }).unwrap_err();
    assert_eq!(error.code(), "E-CONTINUOUS-001");
}

/// A culture whose oscillations do not fade has no steady state that it would reach.
#[test]
fn oscillations_that_stay_are_not_taken_for_a_steady_state() {
    // A predator on the cells (Monod on Monod), in the range in which the pair cycles.
    let text = shipped("monod-chemostat").unwrap().replace("D = { value = 0.3", "D = { value = 0.05")
        + "[species.P]\nunit = \"g/L\"\ninitial = 0.5\n\
           [reaction.grazing]\nrate = \"0.3 [/h] * X / (0.5 [g/L] + X) * P\"\nunit = \"g/(L.h)\"\nmakes = { P = \"1\", X = \"-2\" }\n\
           open = [\"C\", \"H\", \"N\", \"O\", \"electrons\"]\n";
    let reactor = Reactor::new(&File::read(&text).unwrap(), &Roles { cells: Some("X".into()), ..Roles::default() }).unwrap();
    let found = reactor.steady(&reactor.model.system.constants(), &Criterion { exchanges_max: 100.0, ..Criterion::default() });
    assert!(matches!(found.unwrap(), Found::Missed(Missed::Changing(_, change)) if change > 0.0));
}

/// Sums against scipy (tests/golden/perfusion.py) and against what was fed.
#[test]
fn campaigns_sum_up_what_was_made_and_given() {
    let roles = Roles { product: Some("mAb".into()), ..Roles::default() };
    let counted = Counted::new(&file("cho-mab-perfusion"), &roles).unwrap();
    let it = counted.run(&counted.model.system.constants(), 24.0 * 12.0, 24.0 * 30.0).unwrap();
    near(it.product, 17_419.858_283_956, 1e-6);
    near(it.medium, 46.0, 1e-9);
    near(it.volume, 1.0, 1e-12);
    let way = once(&it, 24.0 * 33.0);
    near(way.per_volume, it.product / (24.0 * 33.0), 1e-12);
    let fed = Counted::new(&file("cho-mab-fed-batch"), &roles).unwrap();
    let constants = fed.model.system.constants();
    let batch = fed.run(&constants, 0.0, 336.0).unwrap();
    // 0.15 L and what the table of the feed gives: 48·0.10 + 48·0.20 + 192·0.25 mL.
    near(batch.medium, 0.15 + 0.0048 + 0.0096 + 0.048, 1e-9);
    near(batch.volume, batch.medium, 1e-9);
    let plain = crate::model::Model::of(&file("cho-mab-fed-batch")).unwrap();
    let end = plain.system.simulate(&constants, &[0.0, 336.0], &crate::kernel::Options::default()).unwrap();
    let of = |name: &str| end.at(1)[plain.system.quantity(name).unwrap()];
    near(batch.product, of("mAb") * of("V"), 1e-5);
    // Fourteen days and three between: two batches in 34 days, and still two in 50.
    for (days, n) in [(34.0, 2.0), (50.0, 2.0), (51.0, 3.0), (10.0, 0.0)] {
        let way = batches(&batch, 336.0, 72.0, 24.0 * days);
        assert_eq!(way.cultures, n);
        near(way.per_volume, n * batch.product / batch.volume / (24.0 * days), 1e-12);
    }
    assert_eq!(Counted::new(&file("monod-chemostat"), &roles).unwrap_err().code(), "E-CONTINUOUS-001");
}

/// Daily readings of a run: a start that dies away, a drift per day, and noise that remembers a share of the day before.
fn measured(seed: u64, days: usize, start: f64, drift: f64, noise: f64, memory: f64) -> Vec<Series> {
    let mut chance = Chance::new(seed);
    let mut one = |name: &str, level: f64| {
        let mut last = noise * chance.normal();
        let points = (0..days).map(|d| {
            let t = d as f64;
            last = memory * last + (1.0 - memory * memory).sqrt() * noise * chance.normal();
            (t, level * (1.0 + start * (-t / 3.0).exp()) * (drift * t).exp() * (1.0 + last))
        });
        Series { name: name.into(), points: points.collect() }
    };
    vec![one("cells", 30.0), one("titre", 0.8)]
}

#[test]
fn a_steady_run_is_recognised_and_a_drifting_one_is_not() {
    let rule = Rule::default();
    let dilution = Dilution::Constant(1.0);
    let verdicts = |start: f64, drift: f64, noise: f64, memory: f64| {
        let mut counts = [0; 3];
        let mut from: Vec<f64> = Vec::new();
        for seed in 0..200 {
            let found = observe(&measured(seed, 40, start, drift, noise, memory), &dilution, &rule).unwrap();
            counts[found.verdict as usize] += 1;
            if found.verdict == Verdict::Steady {
                from.push(found.from);
            }
        }
        from.sort_by(f64::total_cmp);
        (counts, from.get(from.len() / 2).copied())
    };
    let (steady, from) = verdicts(-0.9, 0.0, 0.06, 0.0);
    assert!(steady[0] >= 190, "{steady:?}");
    assert!((4.0..=16.0).contains(&from.unwrap()), "{from:?}");
    // What changes by 5 % a day changes by more than 20 % in every stretch of five exchanges.
    for (drift, memory) in [(0.05, 0.0), (-0.05, 0.0), (-0.05, 0.3), (0.07, 0.3)] {
        let drifting = verdicts(0.0, drift, 0.06, memory).0;
        assert!(drifting[0] <= 4, "{drift} {memory}: {drifting:?}");
    }
    // Few noisy readings prove nothing.
    let few = observe(&measured(3, 7, 0.0, 0.0, 0.15, 0.0), &dilution, &rule).unwrap();
    assert_ne!(few.verdict, Verdict::Steady, "{few:?}");
    assert!(observe(&measured(3, 5, 0.0, 0.0, 0.05, 0.0), &dilution, &rule).is_none());
    // What scatters beyond all use is not steady, however flat.
    assert_eq!(observe(&measured(5, 40, 0.0, 0.0, 0.4, 0.0), &dilution, &rule).unwrap().verdict, Verdict::NotSteady);
}

#[test]
fn intervals_of_means_hold_with_memory_too() {
    let mut held = 0;
    for seed in 0..400 {
        let series = measured(1000 + seed, 40, 0.0, 0.0, 0.06, 0.4);
        let Some(found) = observe(&series, &Dilution::Constant(1.0), &Rule { exchanges: 20.0, ..Rule::default() }) else {
            continue;
        };
        let titre = &found.series[1];
        held += usize::from((titre.mean.1..=titre.mean.2).contains(&0.8));
    }
    assert!((348..=396).contains(&held), "{held} of 400");
}

#[test]
fn measured_dilution_is_integrated_and_estimates_combine() {
    let ramp = Dilution::Measured(vec![(0.0, 0.0), (2.0, 1.0), (10.0, 1.0)]);
    near(ramp.exchanges(0.0, 10.0), 9.0, 1e-12);
    near(ramp.exchanges(1.0, 3.0), 0.75 + 1.0, 1e-12);
    near(ramp.exchanges(9.0, 12.0), 3.0, 1e-12);
    // Three runs: mean and interval of logarithms; t(0.975, 2) = 4.302653.
    let runs = [1.0, 1.1, 1.21].map(|value| Estimate { value, relative: None, freedom: 1.0 });
    let mean = Estimate::of_runs(&runs).unwrap();
    near(mean.value, 1.1, 1e-12);
    let half = 4.302_652_73 * 1.1f64.ln() / 3.0f64.sqrt();
    near(mean.interval().unwrap().0, 1.1 * (-half).exp(), 1e-7);
    // Welch: equal errors and freedoms double the freedom.
    let ratio = mean.over(mean);
    near(ratio.freedom, 4.0, 1e-12);
    assert_eq!(runs[0].over(mean).interval(), None);
}
