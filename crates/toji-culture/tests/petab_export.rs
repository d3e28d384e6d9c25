//! Fits exported as PEtab problems and read again: −2 ln of likelihood and priors is that of the fit at random points, but
//! for the constant that the export states.
//!
//! The files are left in `CARGO_TARGET_TMPDIR/petab`, for PEtab's own linter (`golden/petab_lint.py`) and for another
//! simulator (`golden/petab_peer.py`).

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first thing that is not as it should be")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toji_core::chance::Chance;
use toji_core::text::Lang;
use toji_culture::exchange::petab::{self, Exported, Problem, Stated, Version};
use toji_culture::fit::{self, Landscape, Measured, Noise, Parameter, Prior, Reading, Run, Scale};
use toji_culture::kernel::{Definition, Options};
use toji_culture::model::{Model, shipped};

fn model(id: &str) -> Model {
    Model::read(shipped(id).unwrap()).unwrap_or_else(|e| panic!("{}", e.render(Lang::En)))
}

fn options() -> Options {
    Options { relative: 1e-10, absolute: vec![1e-13], ..Options::default() }
}

fn parameter(name: &str, scale: Scale, low: f64, high: f64) -> Parameter {
    Parameter { name: name.into(), scale, low, high, prior: None, by_group: false }
}

/// Readings of a model at its own constants, off by some percent.
fn readings(model: &Model, quantities: &[(&str, Noise)], times: &[f64], chance: &mut Chance) -> Vec<Measured> {
    let from: Vec<f64> = std::iter::once(0.0).chain(times.iter().copied()).collect();
    let course = model.system.simulate(&model.system.constants(), &from, &options()).unwrap();
    let mut all = Vec::new();
    for (i, time) in times.iter().enumerate() {
        for (quantity, noise) in quantities {
            let value = course.at(i + 1)[model.system.quantity(quantity).unwrap()] * (0.97 + 0.06 * chance.uniform());
            all.push(Measured {
                quantity: (*quantity).into(),
                time: *time,
                reading: Reading::Value(value),
                noise: noise.clone(),
            });
        }
    }
    all
}

fn root(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("petab").join(folder)
}

fn read(exported: &Exported, folder: &str) -> Problem {
    let root = root(folder);
    std::fs::create_dir_all(&root).unwrap();
    for (name, text) in &exported.files {
        std::fs::write(root.join(name), text).unwrap();
    }
    let files: BTreeMap<&str, &str> = exported.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Problem::read(&exported.files[0].1, &|name| files.get(name).map(|text| text.as_bytes().to_vec()))
        .unwrap_or_else(|e| panic!("{}", e.render(Lang::En)))
}

/// Random points of the fit in the problem that was read: its parameters by their names, the spreads as they follow.
/// Gives the greatest spread seen, as part of the greatest reading (of which the nominal spread is a twentieth).
fn same(problem: &fit::Problem<'_>, exported: &Exported, folder: &str, chance: &mut Chance) -> f64 {
    let read = read(exported, folder);
    let likelihood = read.compile().unwrap_or_else(|e| panic!("{}", e.render(Lang::En)));
    let to_fit = read.to_fit(options()).unwrap();
    let nominal: Vec<f64> = likelihood.parameters().iter().map(|(_, value)| *value).collect();
    let there = -2.0 * likelihood.evaluate(&nominal, &options()).unwrap().log_likelihood;
    std::fs::write(root(folder).join("nominal.txt"), format!("{there:?}\n")).unwrap();
    let unknowns = problem.unknowns();
    let (mut worst, mut farthest): (f64, f64) = (0.0, 0.0);
    for _ in 0..12 {
        let point: Vec<f64> = unknowns
            .iter()
            .map(|u| {
                let (low, high) = (u.inward(u.low), u.inward(u.high));
                low + (0.1 + 0.8 * chance.uniform()) * (high - low)
            })
            .collect();
        let local = problem.at(&point).unwrap();
        let mut named: BTreeMap<String, f64> =
            unknowns.iter().zip(&point).map(|(u, x)| (u.name.clone(), u.outward(*x))).collect();
        for (name, sd) in problem.noises().iter().zip(&local.spreads) {
            let id = format!("sd_{name}");
            farthest = farthest.max(0.05 * sd / nominal[place(&likelihood, &id)]);
            named.insert(id, *sd);
        }
        let at: Vec<f64> = likelihood
            .parameters()
            .iter()
            .map(|(id, _)| {
                // `mu_max__A` is `mu_max (A)`.
                let own = id.split_once("__").map_or_else(|| id.to_string(), |(name, group)| format!("{name} ({group})"));
                *named.get(&own).unwrap_or_else(|| panic!("{id} in {named:?}"))
            })
            .collect();
        let found = likelihood.evaluate(&at, &options()).unwrap().log_likelihood;
        let priors: f64 = likelihood.log_priors(&at).iter().map(|(_, p)| p).sum();
        let wanted = local.minus_two_log + exported.constant;
        let off = (-2.0 * (found + priors) - wanted).abs() / wanted.abs().max(1.0);
        worst = worst.max(off);
        assert!(off < 1e-8, "{folder}: {} beside {wanted} at {named:?}", -2.0 * (found + priors));
        // What a fit of the problem that was read descends is the same, spreads in closed form included; of the priors of
        // version 2 it has those that are stated and those that are implied.
        let searched: Vec<f64> = to_fit.unknowns().iter().map(|u| u.inward(at[place(&likelihood, &u.name)])).collect();
        let again = to_fit.at(&searched).unwrap().minus_two_log;
        assert!((again - wanted).abs() < 1e-6 * wanted.abs().max(1.0), "{folder}: fitted {again} beside {wanted}");
    }
    let losses = exported.losses.len();
    eprintln!("{folder}: 12 points within {worst:.1e}, spreads to {farthest:.1e} of the greatest reading, {losses} losses");
    farthest
}

fn place(likelihood: &petab::Likelihood, name: &str) -> usize {
    likelihood.parameters().iter().position(|(id, _)| **id == *name).unwrap()
}

/// Three runs in two groups, settings of their own, known and estimated noise, priors on both scales, limits.
#[test]
fn petab_export_of_a_batch_of_runs_is_read_back() {
    let model = model("monod-fed-batch");
    let mut chance = Chance::new(7);
    let times = [0.5, 2.0, 4.0, 6.0, 8.0];
    let quantities = [("X", Noise::Known(0.3)), ("S", Noise::Estimated("S".into()))];
    let mut runs: Vec<(Run<'_>, Option<&Definition>)> = Vec::new();
    for (name, group, feed) in [("run-1", "A", 480.0), ("run-2", "B", 500.0), ("run-3", "A", 520.0)] {
        runs.push((
            Run {
                system: None,
                name: name.into(),
                group: group.into(),
                set: if name == "run-2" { Vec::new() } else { vec![("S_feed".into(), feed)] },
                measured: readings(&model, &quantities, &times, &mut chance),
            },
            None,
        ));
    }
    let prior = |mean, sd| Some(Prior { mean, sd });
    let parameters = [
        Parameter { by_group: true, ..parameter("mu_max", Scale::Log, 0.3, 1.0) },
        Parameter { prior: prior(0.05_f64.ln(), 0.4), ..parameter("K_S", Scale::Log, 0.005, 0.5) },
        Parameter { prior: prior(0.5, 0.05), ..parameter("Y_XS", Scale::Linear, 0.3, 0.7) },
    ];
    let about = petab::about(&model);
    let stated = |runs| Stated {
        name: "monod",
        definition: &model.definition,
        metadata: &about,
        parameters: &parameters,
        runs,
        start: 0.0,
    };
    let plain: Vec<Run<'_>> = runs.iter().map(|(run, _)| run.clone()).collect();
    let problem = fit::Problem::new(&model.system, &parameters, &plain, 0.0, options()).unwrap();
    let mut farthest: f64 = 0.0;
    for (version, folder) in [(Version::One, "monod-1"), (Version::Two, "monod-2")] {
        let exported = petab::export(&stated(&runs), version).unwrap();
        assert_eq!(exported.left_out, 0);
        assert_eq!(exported.constant == 0.0, version == Version::One);
        farthest = farthest.max(same(&problem, &exported, folder, &mut chance));
    }
    // Far from the best, substrate is left over by far more than was ever read: bounds of a spread must not be felt there.
    assert!(farthest > 100.0, "{farthest}");
    // A reading beyond a limit is left out, and said to be.
    let mut limited = runs.clone();
    limited[0].0.measured.push(Measured {
        quantity: "S".into(),
        time: 9.0,
        reading: Reading::Below(0.01),
        noise: Noise::Known(0.01),
    });
    let exported = petab::export(&stated(&limited), Version::Two).unwrap();
    assert_eq!(exported.left_out, 1);
    let lost: Vec<_> = exported.losses.iter().filter(|l| l.code == "W-PETAB-001").collect();
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].place.field.as_deref(), Some("runs.run-1.measured.S"));
    assert!(exported.losses.iter().all(|l| l.remedy.is_some()));
    same(&problem, &exported, "monod-2-limits", &mut chance);
    let late = Stated { start: 1.0, ..stated(&runs) };
    assert_eq!(petab::export(&late, Version::One).unwrap_err().code(), "E-PETAB-007");
    let none: Vec<(Run<'_>, Option<&Definition>)> = Vec::new();
    assert_eq!(petab::export(&stated(&none), Version::Two).unwrap_err().code(), "E-PETAB-007");
}

/// Two runs whose feed is their own, one as the model has it; the profile of the model is changed by events.
#[test]
fn petab_export_of_runs_with_feeds_of_their_own_is_read_back() {
    let model = model("park-ramirez-1988");
    let mut chance = Chance::new(11);
    let own = [
        model.following("u", vec![0.0, 2.0, 5.0, 9.0], vec![0.2, 0.5, 0.9, 0.3]).unwrap(),
        model.following("u", vec![0.0, 4.0], vec![0.3, 0.7]).unwrap(),
    ];
    let times = [1.0, 4.0, 7.0, 10.0];
    let quantities =
        [("X", Noise::Estimated("X".into())), ("P_T", Noise::Known(0.2)), ("product", Noise::Estimated("product".into()))];
    let of = |name: &str, it: &Model, chance: &mut Chance| Run {
        system: None,
        name: name.into(),
        group: name.into(),
        set: Vec::new(),
        measured: readings(it, &quantities, &times, chance),
    };
    let bare = [of("1", &own[0], &mut chance), of("2", &model, &mut chance), of("3", &own[1], &mut chance)];
    let runs: Vec<(Run<'_>, Option<&Definition>)> =
        vec![(bare[0].clone(), Some(&own[0].definition)), (bare[1].clone(), None), (bare[2].clone(), Some(&own[1].definition))];
    let parameters = [parameter("Y", Scale::Linear, 4.0, 10.0), parameter("S_feed", Scale::Log, 10.0, 40.0)];
    let [one, two, three] = bare;
    let placed =
        [Run { system: Some(&own[0].system), ..one }, Run { system: None, ..two }, Run { system: Some(&own[1].system), ..three }];
    let problem = fit::Problem::new(&model.system, &parameters, &placed, 0.0, options()).unwrap();
    let about = petab::about(&model);
    let stated = Stated {
        name: "park",
        definition: &model.definition,
        metadata: &about,
        parameters: &parameters,
        runs: &runs,
        start: 0.0,
    };
    for (version, folder) in [(Version::One, "park-1"), (Version::Two, "park-2")] {
        let exported = petab::export(&stated, version).unwrap();
        assert!(exported.losses.iter().any(|l| l.place.field.as_deref() == Some("follow")));
        same(&problem, &exported, folder, &mut chance);
    }
    // A constant that forms have of their own cannot be estimated.
    let profile = [parameter("u_1", Scale::Linear, 0.1, 0.4)];
    let refused = petab::export(&Stated { parameters: &profile, ..stated }, Version::Two).unwrap_err();
    assert_eq!(refused.code(), "E-PETAB-007");
}
