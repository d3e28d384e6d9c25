//! Cell-free cascades against closed forms, SciPy and each other.

use super::model;
use proptest::strategy::Strategy;
use serde_json::{Value, json};
use toji_flux::cellfree::{
    Cascade, CellTask, Goal, Measure, Outcome, Task, best_loading, cell_route, compare, control, simulate,
};
use toji_flux::model::Scenario;

const TEUSINK: &str = include_str!("../golden/cellfree/glycerol_phosphate.json");
const REFERENCE: &str = include_str!("../golden/cellfree/reference.json");

fn q(value: f64, unit: &str) -> Value {
    json!({"value": value, "unit": unit})
}

fn task(hours: f64, points: u32, tolerance: f64) -> Task {
    serde_json::from_value(json!({"until": q(hours, "h"), "points": points, "tolerance": tolerance})).unwrap()
}

fn read(of: Value) -> Cascade {
    serde_json::from_value(of).unwrap()
}

fn isomers(names: &[(&str, f64)]) -> Value {
    names.iter().map(|(id, c)| json!({"id": id, "formula": "C6H12O6", "start": q(*c, "mmol/L")})).collect()
}

/// s → p by one enzyme; kcat·E is 2 mmol/(L·h).
fn one_enzyme(inhibitions: Value, decay: f64) -> Value {
    json!({
        "species": isomers(&[("s", 10.0), ("p", 0.0)]),
        "enzymes": [{"id": "e", "loading": q(0.04, "g/L"), "molar_mass": q(40.0, "kg/mol"), "inactivation": q(decay, "/h")}],
        "reactions": [{
            "id": "r",
            "stoichiometry": {"s": -1, "p": 1},
            "law": {"kind": "michaelis-menten", "enzyme": "e", "kcat": q(2000.0 / 3600.0, "/s"), "substrate": "s", "km": q(1.5, "mmol/L")},
            "inhibitions": inhibitions,
        }],
        "substrate": "s",
        "product": "p",
    })
}

/// Lambert's W for positive arguments, by Newton.
fn lambert(x: f64) -> f64 {
    let mut w = x.ln_1p();
    for _ in 0..60 {
        let e = w.exp();
        w -= (w * e - x) / (e * (w + 1.0));
    }
    w
}

fn course<'a>(outcome: &'a Outcome, id: &str) -> &'a [f64] {
    &outcome.course.concentrations[id]
}

#[track_caller]
fn near(have: f64, want: f64, tolerance: f64) {
    assert!((have - want).abs() <= tolerance * want.abs().max(1e-3), "{have} but {want}");
}

/// The progress curve of Michaelis and Menten in closed form (Schnell and Mendoza, J. Theor. Biol. 187, 1997, 207–212); an
/// enzyme that decays runs on a clock of its own.
#[test]
fn progress_curves_are_those_of_the_closed_form() {
    for decay in [0.0, 0.3] {
        let outcome = simulate(&read(one_enzyme(json!([]), decay)), &task(12.0, 49, 1e-10)).unwrap();
        for (t, s) in outcome.course.times.iter().zip(course(&outcome, "s")) {
            let clock = if decay == 0.0 { *t } else { (1.0 - (-decay * t).exp()) / decay };
            let want = 1.5 * lambert(10.0 / 1.5 * ((10.0 - 2.0 * clock) / 1.5).exp());
            near(*s, want, 1e-8);
        }
        let last = outcome.course.activity["e"].last().unwrap();
        near(*last, (-decay * 12.0).exp(), 1e-8);
        // Time to 95 %: t = (x + Km·ln(s0/s)) / V.
        let clock = (9.5 + 1.5 * 20.0_f64.ln()) / 2.0;
        let want =
            if decay == 0.0 { Some(clock) } else { Some(1.0 - decay * clock).filter(|r| *r > 0.0).map(|r| -r.ln() / decay) };
        match (outcome.summary.time_to_target, want.filter(|t| *t < 12.0)) {
            (Some(have), Some(want)) => near(have, want, 1e-8),
            (have, want) => assert_eq!(have.is_some(), want.is_some(), "{have:?} {want:?}"),
        }
    }
}

/// With the product as competitive inhibitor the integrated equation is explicit in time (Segel, Enzyme Kinetics, 1975):
/// V·t = (1 − Km/Kp)·x + Km·(1 + s0/Kp)·ln(s0/s).
#[test]
fn an_inhibited_progress_curve_fulfils_its_integrated_equation() {
    let inhibited = one_enzyme(json!([{"by": "p", "ki": q(0.8, "mmol/L"), "kind": "competitive"}]), 0.0);
    let outcome = simulate(&read(inhibited), &task(15.0, 31, 1e-10)).unwrap();
    let free = simulate(&read(one_enzyme(json!([]), 0.0)), &task(15.0, 31, 1e-10)).unwrap();
    for (k, (t, s)) in outcome.course.times.iter().zip(course(&outcome, "s")).enumerate().skip(1) {
        let x = 10.0 - s;
        near(((1.0 - 1.5 / 0.8) * x + 1.5 * (1.0 + 10.0 / 0.8) * (10.0 / s).ln()) / 2.0, *t, 1e-8);
        assert!(*s > course(&free, "s")[k]);
    }
}

/// Two reactions of first order, feed included: closed forms.
#[test]
fn linear_cascades_and_feeds_are_those_of_the_closed_form() {
    let first_order = |id: &str, from: &str, to: &str, k: f64| json!({"id": id, "stoichiometry": {from: -1, to: 1}, "law": {"kind": "mass-action", "constant": q(k, "/h")}});
    let (a, b) = (0.8, 0.3);
    let mut cascade = json!({
        "species": isomers(&[("s", 5.0), ("x", 0.0), ("p", 0.0)]),
        "enzymes": [],
        "reactions": [first_order("1", "s", "x", a), first_order("2", "x", "p", b)],
        "substrate": "s",
        "product": "p",
    });
    let outcome = simulate(&read(cascade.clone()), &task(6.0, 13, 1e-10)).unwrap();
    for (t, p) in outcome.course.times.iter().zip(course(&outcome, "p")) {
        near(*p, 5.0 * (1.0 - (b * (-a * t).exp() - a * (-b * t).exp()) / (b - a)), 1e-8);
    }
    // A feed of 0.1 L/h with 40 mmol/L from 1 to 3 h, into half a litre.
    cascade["volume"] = q(500.0, "mL");
    cascade["feeds"] =
        json!([{"from": q(1.0, "h"), "until": q(180.0, "min"), "flow": q(100.0, "mL/h"), "content": {"s": q(40.0, "mmol/L")}}]);
    let fed = simulate(&read(cascade), &task(6.0, 13, 1e-10)).unwrap();
    for (k, t) in fed.course.times.iter().enumerate() {
        let (on, off) = ((t - 1.0).clamp(0.0, 2.0), (t - 3.0).max(0.0));
        let amount = 2.5 * (-a * t).exp() + 4.0 / a * (1.0 - (-a * on).exp()) * (-a * off).exp();
        let volume = 0.5 + 0.1 * on;
        near(fed.course.volume[k], volume, 1e-10);
        near(course(&fed, "s")[k], amount / volume, 1e-8);
    }
    near(fed.summary.conversion.unwrap(), 1.0 - course(&fed, "s")[12] * 0.7 / (2.5 + 8.0), 1e-9);
    assert!(fed.moieties.iter().all(|m| m.deviation < 1e-12), "{:?}", fed.moieties);
}

/// Mass action of the second order, and there and back, in closed form; their constants in units of their own.
#[test]
fn mass_action_is_that_of_the_closed_form() {
    let two = json!({
        "species": isomers(&[("a", 2.0), ("b", 2.0)]).as_array().unwrap().iter().cloned()
            .chain([json!({"id": "p", "formula": "C12H24O12", "start": q(0.0, "mmol/L")})]).collect::<Value>(),
        "enzymes": [],
        "reactions": [{"id": "1", "stoichiometry": {"a": -1, "b": -1, "p": 1}, "law": {"kind": "mass-action", "constant": q(0.1, "L/mol/s")}}],
        "substrate": "a",
        "product": "p",
    });
    // 0.1 L/(mol·s) is 0.36 L/(mmol·h).
    let outcome = simulate(&read(two), &task(5.0, 6, 1e-10)).unwrap();
    for (t, a) in outcome.course.times.iter().zip(course(&outcome, "a")) {
        near(*a, 2.0 / (1.0 + 0.36 * 2.0 * t), 1e-8);
    }
    let back = json!({
        "species": isomers(&[("s", 6.0), ("p", 1.0)]),
        "enzymes": [],
        "reactions": [{"id": "1", "stoichiometry": {"s": -1, "p": 1},
            "law": {"kind": "mass-action", "constant": q(0.6, "/h"), "equilibrium": q(2.5, "1")}}],
        "substrate": "s",
        "product": "p",
    });
    let outcome = simulate(&read(back), &task(5.0, 6, 1e-10)).unwrap();
    for (t, s) in outcome.course.times.iter().zip(course(&outcome, "s")) {
        near(*s, 2.0 + 4.0 * (-(0.6 + 0.6 / 2.5) * t).exp(), 1e-8);
    }
    near(outcome.summary.made, 4.0 * (1.0 - (-0.84_f64 * 5.0).exp()), 1e-8);
}

/// A dimer that falls apart: convenience kinetics with two of a product come to the equilibrium told, in mmol/L.
#[test]
fn convenience_kinetics_come_to_their_equilibrium() {
    let cascade = |unit: &str, value: f64| {
        json!({
            "species": [
                {"id": "d", "formula": "C12H24O12", "start": q(5.0, "mmol/L")},
                {"id": "m", "formula": "C6H12O6", "start": q(0.0, "mmol/L")},
            ],
            "enzymes": [{"id": "e", "loading": q(2.0, "umol/L")}],
            "reactions": [{"id": "r", "stoichiometry": {"d": -1, "m": 2}, "law": {
                "kind": "convenience", "enzyme": "e", "kcat": q(5.0, "/s"),
                "km": {"d": q(1.0, "mmol/L"), "m": q(3.0, "mmol/L")}, "equilibrium": q(value, unit),
            }}],
            "substrate": "d",
            "product": "m",
            "greatest_yield": 2.0,
        })
    };
    let outcome = simulate(&read(cascade("mmol/L", 4.0)), &task(60.0, 3, 1e-10)).unwrap();
    // m² = 4·(5 − m/2).
    let m = -1.0 + 21.0_f64.sqrt();
    near(*course(&outcome, "m").last().unwrap(), m, 1e-8);
    near(outcome.course.progress.as_ref().unwrap()[2], m / 10.0, 1e-8);
    near(outcome.summary.yield_mol.unwrap(), 2.0, 1e-9);
    let same = simulate(&read(cascade("mol/L", 0.004)), &task(60.0, 3, 1e-10)).unwrap();
    near(*course(&same, "m").last().unwrap(), m, 1e-8);
    assert_eq!(code(cascade("1", 4.0)).0, "E-UNIT-002");
}

fn published() -> Cascade {
    serde_json::from_str(TEUSINK).unwrap()
}

#[test]
fn the_published_cascade_runs_as_in_scipy_and_keeps_every_moiety() {
    let reference: Value = serde_json::from_str(REFERENCE).unwrap();
    let outcome = simulate(&published(), &task(16.0, 65, 1e-10)).unwrap();
    let mut worst = 0.0_f64;
    for (at, t) in reference["times"].as_array().unwrap().iter().enumerate() {
        let k = outcome.course.times.iter().position(|have| Some(*have) == t.as_f64()).unwrap();
        for (id, values) in reference["concentrations"].as_object().unwrap() {
            let (have, want) = (course(&outcome, id)[k], values[at].as_f64().unwrap());
            worst = worst.max((have - want).abs() / want.abs().max(1e-3));
        }
    }
    assert!(worst < 1e-7, "{worst:e}");
    // Phosphate, nicotinamide, carbon of ethanol, and redox: 6 species, 2 independent reactions.
    assert_eq!(outcome.moieties.len(), 4);
    assert!(outcome.moieties.iter().all(|m| m.deviation < 1e-8), "{:?}", outcome.moieties);
    assert!(outcome.elements.len() >= 6 && outcome.elements.values().all(|off| off.abs() < 1e-10), "{:?}", outcome.elements);
    // At the end both reactions stand at their equilibrium together: x² = K·(500 − x)·(20 − x), but for the NADH.
    let k = 6.9e-5 * 4300.0;
    let last = |id: &str| *course(&outcome, id).last().unwrap();
    let ratio = last("g3p") * last("acald") / (last("dhap") * last("etoh"));
    assert!(ratio < k && ratio > 0.97 * k, "{ratio} {k}");
    let s = &outcome.summary;
    near(s.conversion.unwrap(), 1.0 - last("dhap") / 20.0, 1e-9);
    near(s.yield_mol.unwrap(), 1.0, 1e-9);
    near(s.cofactors[0].moles.unwrap(), last("g3p") / 0.5, 1e-9);
    near(s.enzymes[0].moles.unwrap(), last("g3p") / (0.02 / 36800.0 * 1e3), 1e-9);
    near(s.protein.unwrap(), 0.03, 1e-12);
    near(s.titre_mass, last("g3p") * 170.06 / 1000.0, 1e-3);
    eprintln!("worst {worst:e}; {} steps; {s:?}", outcome.steps);
}

#[test]
fn the_cascade_left_alone_comes_to_its_equilibrium() {
    let mut cascade = published();
    cascade.enzymes.iter_mut().for_each(|e| e.inactivation = None);
    let outcome = simulate(&cascade, &task(400.0, 5, 1e-10)).unwrap();
    let last = |id: &str| *course(&outcome, id).last().unwrap();
    near(last("g3p") * last("nad") / (last("dhap") * last("nadh")), 4300.0, 1e-6);
    near(last("nadh") * last("acald") / (last("nad") * last("etoh")), 6.9e-5, 1e-6);
}

#[test]
fn units_do_not_change_the_answer() {
    let plain = simulate(&published(), &task(2.0, 5, 1e-9)).unwrap();
    let mut other = published();
    let dhap = 20.0e-3 * toji_core::substance::molar_mass_g_per_mol("C3H5O6P").unwrap();
    other.species[0].start = serde_json::from_value(q(dhap * 1000.0, "mg/L")).unwrap();
    other.enzymes[1].loading = serde_json::from_value(q(0.01 / 42900.0 * 1e6, "umol/L")).unwrap();
    let mut law = serde_json::to_value(&other.reactions[0].law).unwrap();
    // 340/s of 36.8 kg/mol in µmol/(min·mg).
    law["kcat"] = q(340.0 * 60.0 / 36.8, "umol/min/mg");
    law["km"][1] = q(17_000.0, "umol/L");
    other.reactions[0].law = serde_json::from_value(law).unwrap();
    let same =
        simulate(&other, &serde_json::from_value(json!({"until": q(120.0, "min"), "points": 5, "tolerance": 1e-9})).unwrap())
            .unwrap();
    for (id, course) in &plain.course.concentrations {
        for (a, b) in course.iter().zip(&same.course.concentrations[id]) {
            near(*b, *a, 1e-8);
        }
    }
}

fn code(cascade: Value) -> (String, String) {
    let error = simulate(&read(cascade), &task(1.0, 3, 1e-6)).unwrap_err();
    (error.code().to_owned(), error.render(toji_core::Lang::En))
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let published: Value = serde_json::from_str(TEUSINK).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut cascade = published.clone();
        change(&mut cascade);
        code(cascade)
    };
    let (found, text) = changed(&|c| drop(c["reactions"][0]["stoichiometry"].as_object_mut().unwrap().remove("h")));
    assert_eq!(found, "E-FLUX-101");
    assert!(text.contains("regeneration") && text.contains("H -1") && text.contains("charge -1"), "{text}");
    let (found, text) = changed(&|c| c["species"][1]["formula"] = json!("C3H7O6"));
    assert!(found == "E-FLUX-101" && text.contains("reduction") && text.contains("P -1"), "{text}");
    for (change, place) in [
        (&(|c: &mut Value| c["reactions"][1]["law"]["enzyme"] = json!("GPD")) as &dyn Fn(&mut Value), "law.enzyme"),
        (&|c| c["reactions"][0]["law"]["kcat"] = q(-1.0, "/s"), "law.kcat"),
        (&|c| c["reactions"][0]["law"]["km"][2] = q(0.0, "mmol/L"), "law.km"),
        (&|c| c["species"][0]["start"] = q(-1.0, "mmol/L"), "species[0].start"),
        (&|c| c["species"][1]["id"] = json!("dhap"), "species[1].id"),
        (&|c| c["enzymes"][0]["molar_mass"] = Value::Null, "enzymes[0].molar_mass"),
        (&|c| c["reactions"][0]["stoichiometry"]["etoh"] = json!(-2), "law"),
        (&|c| c["product"] = json!("dhap"), "product"),
        (&|c| c["greatest_yield"] = json!(0), "greatest_yield"),
    ] {
        let (found, text) = changed(change);
        assert!(found == "E-FLUX-100" && text.contains(place), "{place}: {text}");
    }
    // A rate constant of the wrong order, and a concentration in hours.
    assert_eq!(changed(&|c| c["reactions"][0]["law"]["equilibrium"] = q(1.0, "mmol/L")).0, "E-UNIT-002");
    assert_eq!(changed(&|c| c["species"][0]["start"] = q(1.0, "h")).0, "E-UNIT-002");
    let error = simulate(&read(published.clone()), &task(0.0, 3, 1e-6)).unwrap_err();
    assert_eq!(error.code(), "E-FLUX-100");
}

/// A time runs inversely with all enzymes together, whatever the laws: the coefficients sum to −1.
#[test]
fn control_of_a_time_sums_to_minus_one() {
    let mut cascade = published();
    cascade.enzymes.iter_mut().for_each(|e| e.inactivation = None);
    let mut task = task(40.0, 3, 1e-9);
    task.target = 0.5;
    let found = control(&cascade, &task, Measure::Time).unwrap();
    near(found.sum, -1.0, 1e-5);
    assert!(found.coefficients.values().all(|c| *c < -0.01), "{found:?}");
    // And each is the slope between two runs a tenth apart, roughly.
    let mut more = cascade.clone();
    more.enzymes[0].loading.value *= 1.02;
    let faster = control(&more, &task, Measure::Time).unwrap();
    near((faster.value / found.value).ln() / 1.02_f64.ln(), found.coefficients["ADH"], 0.03);
    task.target = 0.999;
    assert_eq!(control(&cascade, &task, Measure::Time).unwrap_err().code(), "E-FLUX-103");
}

/// A chain of unsaturated enzymes at steady state between a held substrate and a product that does not go back carries
/// s / Σ 1/(kᵢ·eᵢ); the best loadings are in the ratio of 1/√kᵢ (Klipp and Heinrich 1999; Heinrich and Schuster 1996).
#[test]
fn the_best_loadings_of_an_unsaturated_chain_are_the_analytic_ones() {
    let k = [1.0, 4.0, 9.0, 0.25];
    let names = ["s", "x1", "x2", "x3", "p"];
    let mut species = isomers(&names.map(|n| (n, if n == "s" { 1.0 } else { 0.0 })));
    species[0]["held"] = json!(true);
    let far = q(1e9, "mmol/L");
    let enzymes: Value =
        (0..4).map(|e| json!({"id": format!("e{e}"), "loading": q(1.0, "g/L"), "molar_mass": q(50.0, "kg/mol")})).collect();
    let reactions: Value = (0..4)
        .map(|e| {
            let (from, to) = (names[e], names[e + 1]);
            let (enzyme, kcat) = (format!("e{e}"), q(k[e] * 1e9 * 50.0, "/h"));
            let law = if e < 3 {
                json!({"kind": "reversible", "enzyme": enzyme, "kcat": kcat, "equilibrium": q(1.0, "1"),
                    "pairs": [{"substrate": from, "km_substrate": far, "product": to, "km_product": far}]})
            } else {
                json!({"kind": "michaelis-menten", "enzyme": enzyme, "kcat": kcat, "substrate": from, "km": far})
            };
            json!({"id": format!("r{e}"), "stoichiometry": {from: -1, to: 1}, "law": law})
        })
        .collect();
    let cascade = read(json!({"species": species, "enzymes": enzymes, "reactions": reactions, "substrate": "s", "product": "p"}));
    let goal = Goal { measure: Measure::Product, protein: serde_json::from_value(q(2.0, "g/L")).unwrap() };
    let found = best_loading(&cascade, &task(1e5, 3, 1e-9), &goal).unwrap();
    let sum: f64 = k.iter().map(|k| 1.0 / k.sqrt()).sum();
    for (share, k) in found.enzymes.iter().zip(k) {
        near(share.share, 1.0 / k.sqrt() / sum, 1e-3);
        near(share.control, share.share, 1e-3);
        near(share.loading, 2.0 * share.share, 1e-12);
    }
    assert!(found.gain <= 0.0 && found.difference < 1e-7, "{found:?}");
    assert_eq!((found.starts, found.agreeing), (5, 5));
    // Flux: Σ√(1/k) squared over the budget against n·Σ 1/k in equal shares.
    let equal: f64 = 4.0 * k.iter().map(|k| 1.0 / k).sum::<f64>();
    near(found.value / found.equal.unwrap(), equal / (sum * sum), 1e-3);
}

/// Two unsaturated enzymes in a row: the product at a time is known, and so is its best split.
#[test]
fn the_best_split_at_a_time_is_that_of_the_closed_form() {
    let (k1, k2, hours, protein) = (3.0, 0.7, 1.5, 1.2);
    let far = q(1e9, "mmol/L");
    let law = |e: &str, k: f64, s: &str| json!({"kind": "michaelis-menten", "enzyme": e, "kcat": q(k * 1e9 * 40.0, "/h"), "substrate": s, "km": far});
    let cascade = read(json!({
        "species": isomers(&[("s", 5.0), ("x", 0.0), ("p", 0.0)]),
        "enzymes": [{"id": "a", "loading": q(1.0, "g/L"), "molar_mass": q(40.0, "kg/mol")}, {"id": "b", "loading": q(1.0, "g/L"), "molar_mass": q(40.0, "kg/mol")}],
        "reactions": [
            {"id": "1", "stoichiometry": {"s": -1, "x": 1}, "law": law("a", k1, "s")},
            {"id": "2", "stoichiometry": {"x": -1, "p": 1}, "law": law("b", k2, "x")},
        ],
        "substrate": "s",
        "product": "p",
    }));
    let product = |share: f64| {
        let (a, b) = (k1 * share * protein, k2 * (1.0 - share) * protein);
        5.0 * (1.0 - (b * (-a * hours).exp() - a * (-b * hours).exp()) / (b - a))
    };
    let (mut low, mut high) = (0.01, 0.99);
    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    for _ in 0..200 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if product(a) < product(b) { low = a } else { high = b }
    }
    let goal = Goal { measure: Measure::Product, protein: serde_json::from_value(q(protein, "g/L")).unwrap() };
    let found = best_loading(&cascade, &task(hours, 3, 1e-9), &goal).unwrap();
    near(found.enzymes[0].share, low, 1e-4);
    near(found.value, product(low), 1e-7);
    assert!(found.gain <= 0.0);
}

/// The loading of the published cascade that is quickest to 80 %: better than equal shares, and no small shift helps.
#[test]
fn the_quickest_loading_of_the_published_cascade_holds() {
    let mut at = task(100.0, 3, 1e-8);
    at.target = 0.8;
    let goal = Goal { measure: Measure::Time, protein: serde_json::from_value(q(0.03, "g/L")).unwrap() };
    let found = best_loading(&published(), &at, &goal).unwrap();
    assert!(found.value < found.equal.unwrap() && found.gain <= 0.0 && found.difference < 1e-6, "{found:?}");
    for e in &found.enzymes {
        near(e.control, e.share, 1e-4);
    }
    assert_eq!(found, best_loading(&published(), &at, &goal).unwrap());
}

#[test]
fn the_cells_way_stands_beside_the_cascade() {
    let Some(core) = model("e_coli_core.xml.gz") else { return };
    let mut scenario = Scenario::new(&core);
    scenario.set_bounds("EX_o2_e", 0.0, 1000.0).unwrap();
    let ask = |growth: f64| -> CellTask {
        serde_json::from_value(json!({
            "product": "EX_etoh_e", "substrate": "EX_glc__D_e", "growth": "BIOMASS_Ecoli_core_w_GAM",
            "least_growth": q(growth, "/h"), "biomass": q(5.0, "g/L"),
        }))
        .unwrap()
    };
    // Fermentation: two ethanol from one glucose.
    let most = cell_route(&scenario, &ask(0.0)).unwrap();
    near(most.yield_mol.unwrap(), 2.0, 1e-6);
    near(most.product, 20.0, 1e-6);
    near(most.yield_mass.unwrap(), 2.0 * 46.07 / 180.16, 1e-3);
    near(most.productivity, 20.0 * 5.0 * 46.069 / 1000.0, 1e-4);
    let growing = cell_route(&scenario, &ask(0.1)).unwrap();
    assert!(growing.product < most.product && growing.growth >= 0.1 - 1e-9);
    assert_eq!(cell_route(&scenario, &ask(5.0)).unwrap_err().code(), "E-FLUX-104");
    let outcome = simulate(&published(), &task(4.0, 5, 1e-8)).unwrap();
    let compared = compare(&outcome, &most);
    near(compared.cells.hours.unwrap(), compared.titre / most.productivity, 1e-12);
    near(compared.cascade.cofactors[0].1, 1000.0 * 0.5 / outcome.summary.made, 1e-9);
    near(compared.cascade.product_per_catalyst.unwrap(), outcome.summary.titre_mass / 0.03, 1e-9);
    assert!(compared.assumptions.len() >= 4);
}

/// A random network of isomers: reactions of two to two, stiff over nine decades, some without a way back.
fn network(reactions: &[([usize; 4], f64, Option<f64>)]) -> Cascade {
    let names = ["a", "b", "c", "d", "e", "f"];
    let reactions: Vec<Value> = reactions
        .iter()
        .enumerate()
        .map(|(k, (order, constant, equilibrium))| {
            let [a, b, p, q_] = order.map(|i| names[i]);
            json!({
                "id": format!("r{k}"),
                "stoichiometry": {a: -1, b: -1, p: 1, q_: 1},
                "law": {"kind": "mass-action", "constant": q(10.0_f64.powf(*constant), "L/mmol/h"),
                    "equilibrium": equilibrium.map(|e| q(10.0_f64.powf(e), "1"))},
            })
        })
        .collect();
    let starts = [5.0, 2.0, 1.0, 0.0, 0.3, 0.0];
    let species: Vec<(&str, f64)> = names.into_iter().zip(starts).collect();
    read(json!({"species": isomers(&species), "enzymes": [], "reactions": reactions, "substrate": "a", "product": "f"}))
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    /// Whatever the reactions and however loose the steps, sums are kept, amounts stay above zero, and two runs are alike.
    #[test]
    fn random_networks_keep_their_sums(
        reactions in proptest::collection::vec(
            (proptest::sample::subsequence((0..6_usize).collect::<Vec<_>>(), 4).prop_shuffle(), -3.0..6.0f64,
             proptest::option::of(-3.0..3.0f64)),
            1..5,
        ),
        loose in proptest::bool::ANY,
    ) {
        let reactions: Vec<([usize; 4], f64, Option<f64>)> =
            reactions.into_iter().map(|(o, k, e)| ([o[0], o[1], o[2], o[3]], k, e)).collect();
        let cascade = network(&reactions);
        let task = task(3.0, 7, if loose { 1e-4 } else { 1e-8 });
        let outcome = simulate(&cascade, &task).unwrap();
        proptest::prop_assert!(outcome.moieties.len() >= 2);
        for m in &outcome.moieties {
            proptest::prop_assert!(m.deviation < 1e-10, "{:?}", m);
        }
        let least = outcome.course.concentrations.values().flatten().fold(f64::INFINITY, |a, c| a.min(*c));
        proptest::prop_assert!(least > -1e3 * task.tolerance, "{}", least);
        for id in ["C", "H", "O"] {
            proptest::prop_assert!(outcome.elements[id].abs() < 1e-10);
        }
        proptest::prop_assert_eq!(&outcome, &simulate(&cascade, &task).unwrap());
    }
}
