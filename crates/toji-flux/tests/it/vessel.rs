//! Genome-scale models in vessels of the culture engine: the reference batch once more, its balances, a fed-batch, and
//! cells on gas beside the limits of flammability. The culture engine is here for the tests only.

use super::{model, shared};
use serde_json::Value;
use std::fmt::Write;
use toji_core::Kinetics;
use toji_culture::cells::{Course, End, Join, Names, follow};
use toji_culture::envelope::{Mixture, Rules, judge};
use toji_culture::kernel::Options;
use toji_culture::model::Model as Broth;
use toji_flux::dynamic::{Gas, Limited, Pool, Uptake, Vessel, batch};
use toji_flux::gas::Mix;
use toji_flux::model::{Formula, Model};
use toji_flux::{Network, Sense};

fn tight() -> Options {
    Options { relative: 1e-8, absolute: vec![1e-10], ..Options::default() }
}

fn exchanges(model: &Model) -> Vec<usize> {
    model.exchanges()
}

/// A stirred vessel in which every exchange of the model has its compound, from nothing but what `start` names.
fn broth(model: &Model, biomass: f64, start: &[(&str, f64)], define: &str, feed: &str) -> Broth {
    let mut constants = String::from("mu = { value = 0, unit = \"/h\" }\nF = { value = 0, unit = \"L/h\" }\n");
    let mut species = format!("X = {{ unit = \"g/L\", initial = {biomass:?} }}\n");
    let mut reactions = String::from("[reaction.growth]\nrate = \"mu * X\"\nunit = \"g/(L.h)\"\nmakes = { X = \"1 [g/g]\" }\n");
    for j in exchanges(model) {
        let id = &model.reactions[j].id;
        let first = start.iter().find(|s| s.0 == id).map_or(0.0, |s| s.1);
        writeln!(constants, "q_{id} = {{ value = 0, unit = \"mmol/(g.h)\" }}").unwrap();
        writeln!(species, "{id} = {{ unit = \"mmol/L\", initial = {first:?} }}").unwrap();
        writeln!(
            reactions,
            "[reaction.{id}]\nrate = \"q_{id} * X\"\nunit = \"mmol/(L.h)\"\nmakes = {{ {id} = \"1 [mol/mol]\" }}"
        )
        .unwrap();
    }
    let text = format!(
        "[model]\nid = \"broth\"\ntitle = {{ ja = \"試験\", en = \"Test\" }}\nsource = \"made for a test\"\ntime = \"h\"\n\
         [vessel]\nvolume = 1\nunit = \"L\"\n[constant]\n{constants}[species]\n{species}[define]\n{define}\n{reactions}{feed}"
    );
    Broth::read(&text).unwrap_or_else(|e| panic!("{e:?}\n{text}"))
}

fn textbook(model: &Model, parameter: impl Fn(&str) -> f64) -> (Network, Vessel) {
    let mut network = model.network().unwrap();
    let at = |id: &str| model.reaction(id).unwrap();
    network.lower[at("EX_o2_e")] = -parameter("O2max");
    network.lower[at("EX_ac_e")] = 0.0;
    let uptake = Uptake::Saturating { greatest: parameter("Vmax"), half: parameter("Km") };
    let growth = at("Biomass_Ecoli_core");
    let vessel = Vessel {
        growth,
        biomass: parameter("X0"),
        pools: vec![Pool { exchange: at("EX_glc__D_e"), start: parameter("G0"), uptake }],
        gases: Vec::new(),
        goals: vec![(growth, Sense::Maximize), (at("EX_ac_e"), Sense::Maximize), (at("EX_glc__D_e"), Sense::Maximize)],
        tracked: Vec::new(),
    };
    (network, vessel)
}

fn names(model: &Model, limits: &[&str]) -> Names {
    let own = exchanges(model).into_iter().map(|j| format!("q_{}", model.reactions[j].id));
    Names {
        limits: limits.iter().map(|l| (*l).to_owned()).collect(),
        rates: std::iter::once("mu".to_owned()).chain(own).collect(),
    }
}

fn count(model: &Model, metabolite: usize, element: &str) -> f64 {
    let formula = model.metabolites[metabolite].formula.as_deref().unwrap_or("");
    Formula::parse(formula).unwrap().atoms.get(element).copied().unwrap_or(0.0)
}

/// An element in the broth, mmol: dissolved, and in the cells by the stoichiometry of growth.
fn content(model: &Model, growth: usize, element: &str, value: impl Fn(&str) -> f64) -> f64 {
    let held: f64 = exchanges(model)
        .iter()
        .map(|&j| count(model, model.reactions[j].stoichiometry[0].0, element) * value(&model.reactions[j].id))
        .sum();
    let cells: f64 = model.reactions[growth].stoichiometry.iter().map(|&(m, c)| -c * count(model, m, element)).sum();
    (held + cells * value("X")) * value("V")
}

const MONOD: &str = "u_glc = { expression = \"10 [mmol/(g.h)] * max(EX_glc__D_e, 0) / (0.5 [mmol/L] + max(EX_glc__D_e, 0))\", unit = \"mmol/(g.h)\" }";

#[test]
fn the_reference_batch_runs_in_a_vessel_of_the_culture_engine() {
    let (Some(model), Some(bytes)) = (model("textbook.xml.gz"), shared("dfba_textbook_batch.json")) else { return };
    let want: Value = serde_json::from_slice(&bytes).unwrap();
    let number = |v: &Value| v.as_f64().unwrap();
    let list = |key: &str| want[key].as_array().unwrap().iter().map(number).collect::<Vec<f64>>();
    let (network, vessel) = textbook(&model, |key| number(&want["params"][key]));
    assert_eq!((number(&want["params"]["Vmax"]), number(&want["params"]["Km"])), (10.0, 0.5));
    let start = [("EX_glc__D_e", number(&want["params"]["G0"]))];
    let broth = broth(&model, number(&want["params"]["X0"]), &start, MONOD, "");
    let given = exchanges(&model);
    let mut cells = Limited::new(&network, &vessel, &given).unwrap();
    let join = Join::new(&broth, &names(&model, &["u_glc"]), &cells).unwrap();
    let mut times = list("t");
    times.push(10.0);
    let course = follow(&join, &mut cells, &[], &times, &tight()).unwrap();
    let value = |k: usize, name: &str| course.values[k][join.system.quantity(name).unwrap()];
    assert!(matches!(course.end, End::Growth | End::Starved), "{:?}", course.end);
    // Within 1e-3 of the reference, and within 1e-5 of this crate's own integration.
    let alone = batch(&network, &vessel, &times).unwrap();
    let apart = |have: f64, want: f64| (have - want).abs() / want.abs().max(1e-3);
    let (mut worst, mut own) = (0.0_f64, 0.0_f64);
    for (at, t) in list("t").iter().enumerate() {
        let k = course.times.iter().position(|have| have == t).unwrap();
        for (name, key) in [("X", "X"), ("EX_glc__D_e", "G"), ("EX_ac_e", "Ac")] {
            worst = worst.max(apart(value(k, name), list(key)[at]));
        }
        let a = alone.times.iter().position(|have| have == t).unwrap();
        own = own.max(apart(value(k, "X"), alone.biomass[a])).max(apart(value(k, "EX_glc__D_e"), alone.pools[0][a]));
    }
    let last = course.times.len() - 1;
    let end = alone.times.len() - 1;
    own = own.max(apart(course.times[last], alone.times[end])).max(apart(value(last, "X"), alone.biomass[end]));
    for (have, key) in [
        (course.times[last], "t_end"),
        (value(last, "X"), "X_end"),
        (value(last, "EX_glc__D_e"), "G_end"),
        (value(last, "EX_ac_e"), "A_end"),
    ] {
        worst = worst.max(apart(have, number(&want[key])));
    }
    let mut open = 0.0_f64;
    for element in ["C", "N", "O", "P", "H"] {
        let at = |k: usize| content(&model, vessel.growth, element, |name| value(k, name));
        let turned: f64 = exchanges(&model)
            .iter()
            .map(|&j| {
                let id = &model.reactions[j].id;
                (count(&model, model.reactions[j].stoichiometry[0].0, element) * (value(last, id) - value(0, id))).abs()
            })
            .sum();
        open = open.max((at(last) - at(0)).abs() / turned);
    }
    eprintln!(
        "reference {worst:e}, own batch {own:e}, elements {open:e}, {} laws, {} programmes",
        course.laws,
        cells.programmes()
    );
    assert!(worst < 1e-3 && own < 1e-5 && open < 1e-7, "{worst:e} {own:e} {open:e}");
    assert_eq!(course.pieces[0].limiting, [0]);
    let mut again = Limited::new(&network, &vessel, &given).unwrap();
    assert_eq!(course, follow(&join, &mut again, &[], &times, &tight()).unwrap());
}

#[test]
fn a_feed_with_volume_keeps_the_balances_of_the_elements() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let (network, vessel) = textbook(&model, |key| match key {
        "Vmax" => 10.0,
        "Km" => 0.5,
        "O2max" => 15.0,
        "X0" => 0.5,
        _ => 5.0,
    });
    let feed = "[stream.feed]\ninflow = \"F\"\nunit = \"L/h\"\ncontains = { EX_glc__D_e = \"400 [mmol/L]\" }\n";
    let broth = broth(&model, 0.5, &[("EX_glc__D_e", 5.0)], MONOD, feed);
    let mut cells = Limited::new(&network, &vessel, &exchanges(&model)).unwrap();
    let join = Join::new(&broth, &names(&model, &["u_glc"]), &cells).unwrap();
    let course = follow(&join, &mut cells, &[("F", 0.02)], &[0.0, 2.0, 5.0, 10.0], &tight()).unwrap();
    let value = |k: usize, name: &str| course.values[k][join.system.quantity(name).unwrap()];
    let last = course.times.len() - 1;
    assert_eq!(course.end, End::Time);
    assert!((value(last, "V") - 1.2).abs() < 1e-9);
    assert!(value(last, "X") > 3.0 && course.laws > 1, "{} {} laws {:?}", value(last, "X"), course.laws, course.pieces);
    for (element, fed) in [("C", 6.0), ("N", 0.0), ("O", 6.0), ("P", 0.0), ("H", 12.0)] {
        let at = |k: usize| content(&model, vessel.growth, element, |name| value(k, name));
        let gap = at(last) - at(0) - fed * 400.0 * 0.2;
        assert!(gap.abs() < 1e-6 * (fed * 80.0 + value(last, "X")), "{element}: {gap:e}");
    }
}

const GAS: &str = include_str!("vessel_gas.toml");

fn on_gas(model: &Model) -> (Network, Vessel, [usize; 4]) {
    let at = |id: &str| model.reaction(id).unwrap();
    let mut network = model.network().unwrap();
    for (id, lower) in [("EX_fru_e", 0.0), ("EX_h2_e", -10.0), ("EX_o2_e", -100.0), ("EX_co2_e", -100.0)] {
        network.lower[at(id)] = lower;
    }
    let gas = |exchange| Gas { exchange, kla: 0.0, saturation: 0.0 };
    let given = [at("EX_h2_e"), at("EX_o2_e"), at("EX_co2_e"), at("EX_nh4_e")];
    let vessel = Vessel {
        growth: at("Biomass"),
        biomass: 0.5,
        pools: Vec::new(),
        gases: given[..3].iter().map(|&j| gas(j)).collect(),
        goals: vec![(at("Biomass"), Sense::Maximize)],
        tracked: Vec::new(),
    };
    (network, vessel, given)
}

fn gassed(model: &Model, settings: &[(&str, f64)], times: &[f64]) -> (Join, Course) {
    let (network, vessel, given) = on_gas(model);
    let broth = Broth::read(GAS).unwrap_or_else(|e| panic!("{e:?}"));
    let mut cells = Limited::new(&network, &vessel, &given).unwrap();
    let own = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect();
    let names = Names { limits: own(&["u_H2", "u_O2", "u_CO2"]), rates: own(&["mu", "q_H2", "q_O2", "q_CO2", "q_NH4"]) };
    let join = Join::new(&broth, &names, &cells).unwrap();
    let course = follow(&join, &mut cells, settings, times, &tight()).unwrap();
    (join, course)
}

/// Growth is exponential, then as fast as hydrogen reaches the cells; the headspace over time has its place among the limits
/// of flammability, the same in both engines.
#[test]
fn cells_on_gas_are_limited_by_transfer_and_their_headspace_has_a_place() {
    let Some(model) = model("RehMBEL1391.json") else { return };
    let times: Vec<f64> = (0..=30).map(|k| 2.0 * f64::from(k)).collect();
    let (join, course) = gassed(&model, &[], &times);
    let value = |k: usize, name: &str| course.values[k][join.system.quantity(name).unwrap()];
    let last = course.times.len() - 1;
    assert_eq!(course.end, End::Time);
    // What is transferred is what is taken up: the cells keep hydrogen near nothing.
    let (htr, taken) = (value(last, "HTR"), -value(last, "q_H2") * value(last, "X"));
    assert!((htr - taken).abs() < 0.01 * taken, "{htr} {taken}");
    assert!(value(last, "H2") < 0.1 * value(last, "sat_H2"), "{}", value(last, "H2"));
    assert!(value(last, "mu") < 0.7 * value(0, "mu"), "{} {}", value(last, "mu"), value(0, "mu"));
    // Once transfer limits, the biomass made in equal times is nearly equal.
    let at = |t: f64| course.times.iter().position(|have| *have == t).unwrap();
    let made = |a: f64, b: f64| value(at(b), "X") - value(at(a), "X");
    assert!((made(40.0, 50.0) / made(50.0, 60.0) - 1.0).abs() < 0.1, "{} {}", made(40.0, 50.0), made(50.0, 60.0));
    assert!(course.pieces.last().unwrap().limiting.contains(&0), "{:?}", course.pieces);
    // More transfer, more cells.
    let (other, more) = gassed(&model, &[("kLa", 60.0)], &times);
    let biomass = |join: &Join, c: &Course| c.values.last().unwrap()[join.system.quantity("X").unwrap()];
    assert!(biomass(&other, &more) > 1.3 * biomass(&join, &course));
    // Carbon: fed less vented is in the gas, in the broth or in the cells.
    let growth = model.reaction("Biomass").unwrap();
    let per_gram = value(last, "q_CO2") / value(last, "mu");
    let held = |k: usize| value(k, "n_CO2") * 1e3 + (value(k, "CO2") - per_gram * value(k, "X")) * value(k, "V");
    let gap = held(last) - held(0) - 1e3 * value(last, "CO2_net");
    assert!(gap.abs() < 1e-5 * per_gram.abs() * value(last, "X"), "{gap:e} in {}", model.reactions[growth].id);
    let rules = Rules::standard();
    let mut seen = std::collections::BTreeSet::new();
    for k in 0..=last {
        let [hydrogen, oxygen, carbon_dioxide] = ["y_H2", "y_O2", "y_CO2"].map(|n| value(k, n) / 100.0);
        let nitrogen = 1.0 - hydrogen - oxygen - carbon_dioxide;
        assert!(nitrogen > -1e-9, "{nitrogen}");
        let nitrogen = nitrogen.max(0.0);
        let ours = Mix { hydrogen, oxygen, carbon_dioxide, nitrogen }.place().unwrap();
        let theirs = judge(&Mixture { hydrogen, oxygen, carbon_dioxide, nitrogen }, &rules).unwrap();
        assert_eq!(serde_json::to_value(ours.standing).unwrap(), serde_json::to_value(theirs.standing).unwrap());
        assert!((ours.hydrogen_to_limit - value(k, "H2_to_LFL")).abs() < 1e-9);
        assert!((ours.oxygen_to_limit - value(k, "O2_to_LOC")).abs() < 1e-9);
        seen.insert(format!("{:?}", theirs.standing));
    }
    eprintln!(
        "on gas: X {} g/L, mu {} to {}, {} laws, headspace {:?} H2 {} O2 {}",
        value(last, "X"),
        value(0, "mu"),
        value(last, "mu"),
        course.laws,
        seen,
        value(last, "y_H2"),
        value(last, "y_O2")
    );
}

#[test]
fn a_law_is_what_the_programme_says_wherever_it_holds() {
    let Some(model) = model("RehMBEL1391.json") else { return };
    let (network, vessel, given) = on_gas(&model);
    let mut cells = Limited::new(&network, &vessel, &given).unwrap();
    let mut held = 0;
    for step in 0..40_u32 {
        let base = [1.0 + f64::from(step % 7), 0.5 + f64::from(step % 5), 0.3 + f64::from(step % 3)];
        let Some(law) = cells.law(&base).unwrap() else { continue };
        let near = [base[0] * 1.05, base[1] * 0.97, base[2] * 1.02];
        if law.holds(&near) {
            held += 1;
            let other = cells.law(&near).unwrap().unwrap();
            for i in 0..cells.rates() {
                let (have, want) = (law.rate(i, &near), other.rates[i]);
                if i <= cells.growth() {
                    assert!((have - want).abs() < 1e-7 * (1.0 + want.abs()), "{base:?} rate {i}: {have} but {want}");
                }
            }
        }
    }
    assert!(held > 5, "{held}");
    // Above the network's own bound more supply changes nothing, and the side is part of the region.
    let law = cells.law(&[12.0, 90.0, 90.0]).unwrap().unwrap();
    assert!(law.holds(&[11.0, 90.0, 90.0]) && !law.holds(&[9.0, 90.0, 90.0]));
    assert!(law.slopes.iter().all(|s| s[0] == 0.0) && !law.limiting.contains(&0));
    assert_eq!(cells.law(&[f64::NAN, 1.0, 1.0]).unwrap_err().code(), "E-FLUX-031");
    assert_eq!(Limited::new(&network, &vessel, &[999_999]).unwrap_err().code(), "E-FLUX-031");
}
