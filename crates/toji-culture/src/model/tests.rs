//! Shipped models against published values, faults at their places, and balances that hold whatever the model.

use super::*;
use crate::kernel::Options;
use proptest::prelude::*;

fn tight() -> Options {
    Options { relative: 1e-9, absolute: vec![1e-11], ..Options::default() }
}

fn end(model: &Model, until: f64, name: &str) -> f64 {
    let trajectory = model.system.simulate(&model.system.constants(), &[0.0, until], &tight()).unwrap();
    trajectory.at(1)[model.system.quantity(name).unwrap()]
}

fn near(a: f64, b: f64, relative: f64) {
    assert!((a - b).abs() <= relative * b.abs(), "{a} is not {b}");
}

#[test]
fn every_shipped_model_compiles_under_its_own_name() {
    for (id, text) in SHIPPED {
        let model = Model::read(text).unwrap();
        assert_eq!(model.id, id);
        assert!(model.described.iter().all(|d| !d.label.ja.is_empty()));
    }
}

/// The control and its objective are those of an independent solution (CasADi and IPOPT by collocation, re-simulated at
/// 1e-9; ten pieces), controls rounded to six digits.
#[test]
fn the_standard_problems_give_their_published_objectives() {
    let park = Model::read(shipped("park-ramirez-1988").unwrap()).unwrap();
    near(end(&park, 15.0, "product"), 32.114_837_137_367_59, 1e-5);
    near(end(&park, 15.0, "V"), 12.383_664_222_517_5, 1e-6);
    let chen = Model::read(shipped("chen-hwang-1990").unwrap()).unwrap();
    near(end(&chen, 60.627_319_703_010_56, "product"), 20_670.982_232_858_49, 1e-5);
    near(end(&chen, 60.627_319_703_010_56, "X"), 15.001_512_264_018_862, 1e-5);
}

#[test]
fn the_fed_batch_holds_its_growth_rate_and_its_volume_is_exact() {
    let mut text = shipped("monod-fed-batch").unwrap().to_owned();
    // Without the limit by oxygen the closed form holds.
    text = text.replace(" * max(O, 0) / (0.05 [mg/L] + max(O, 0))", "");
    let model = Model::read(&text).unwrap();
    near(end(&model, 12.0, "V"), 1.100_997_277_743_019_3, 1e-9);
    near(end(&model, 12.0, "X"), 27.473_489_656_642_805, 1e-8);
    near(end(&model, 12.0, "F_0"), 0.003_000_128_576_939_011_7, 1e-12);
    // The electrons are balanced, and nothing else is claimed to be.
    let closed: Vec<&str> = model.balances.iter().filter(|b| b.is_closed()).map(|b| b.of.as_str()).collect();
    assert_eq!(closed, ["electrons"]);
}

/// What becomes lactate is balanced in everything, the rest says what it leaves open; nothing turns negative, and cells,
/// titre and impurity are of the size that fed-batch cultures have.
#[test]
fn the_cho_culture_is_balanced_where_it_says_so_and_plausible() {
    let model = Model::read(shipped("cho-mab-fed-batch").unwrap()).unwrap();
    let of = |reaction: &str| model.balances.iter().filter(|b| b.reaction == reaction).collect::<Vec<_>>();
    assert!(of("fermentation").len() >= 4 && of("fermentation").iter().all(|b| b.is_closed() && !b.open));
    assert!(of("respiration").iter().all(|b| b.open));
    let times: Vec<f64> = (0..=56).map(|i| 6.0 * f64::from(i)).collect();
    let trajectory = model.system.simulate(&model.system.constants(), &times, &tight()).unwrap();
    let last = |name: &str| trajectory.at(56)[model.system.quantity(name).unwrap()];
    for name in ["Xv", "Xd", "Glc", "Lac", "Gln", "Amm", "mAb", "HCP"] {
        let least = trajectory.of(model.system.quantity(name).unwrap()).fold(f64::INFINITY, f64::min);
        assert!(least > -1e-6, "{name} {least}");
    }
    let most = trajectory.of(model.system.quantity("Xv").unwrap()).fold(0.0, f64::max);
    assert!((3.0..30.0).contains(&most), "cells {most}");
    assert!((300.0..5000.0).contains(&last("mAb")), "titre {}", last("mAb"));
    assert!((50.0..2000.0).contains(&last("HCP")), "protein {}", last("HCP"));
    // mAb by its own equation: the integral of living cells, in amounts.
    let volume = model.system.quantity("V").unwrap();
    let cells: Vec<f64> =
        trajectory.of(model.system.quantity("Xv").unwrap()).zip(trajectory.of(volume)).map(|(x, v)| x * v).collect();
    let integral: f64 = times.windows(2).zip(cells.windows(2)).map(|(t, c)| 0.5 * (t[1] - t[0]) * (c[0] + c[1])).sum();
    near(last("mAb") * last("V"), 1.51 * integral, 5e-3);
}

fn faults(text: &str) -> Vec<(String, String)> {
    let error = Model::read(text).unwrap_err();
    let found = &error.fault().diagnostics;
    found.iter().map(|d| (d.code.to_string(), d.place.field.clone().unwrap_or_default())).collect()
}

#[test]
fn all_faults_are_named_at_their_fields() {
    let text = r#"
[model]
id = "faulty"
title = { ja = "誤り", en = "faults" }
source = "none"
time = "h"
[vessel]
volume = 1
unit = "L"
[constant]
mu = { value = 1, unit = "furlong/fortnight" }
k = { unit = "/h" }
[species]
X = { unit = "g/L", initial = 1, formula = "CH1.8O0.5N0.2" }
S = { unit = "g/L", initial = 1, formula = "C6H12O6x" }
[reaction.growth]
rate = "k * X * V"
unit = "g/(L.h)"
makes = { X = "1", Q = "1" }
[stream.both]
inflow = "1 [L/h]"
outflow = "1 [L/h]"
unit = "L/h"
contains = { S = "X + V" }
[event.dose]
when = "time > 1 [h]"
set = { X = "1 [g/L]" }
[profile.u]
unit = "L/h"
at = [0, 2, 1]
values = [1, 2, 3]
"#;
    let fields: Vec<String> = faults(text).into_iter().map(|(_, field)| field).collect();
    for field in [
        "constant.mu.unit",
        "constant.k",
        "reaction.growth.rate",
        "stream.both",
        "stream.both.contains.S",
        "event.dose.set.X",
        "profile.u",
    ] {
        assert!(fields.iter().any(|f| f == field), "{field} in {fields:?}");
    }
    assert_eq!(Model::read("[model]\nid = 3").unwrap_err().fault().place.as_ref().unwrap().line, Some(2));
}

/// What follows from a unit nobody knows is not said again.
#[test]
fn an_unknown_unit_of_a_stream_is_one_fault() {
    let text = shipped("monod-fed-batch").unwrap().replace("unit = \"L/h\"\ncontains", "unit = \"L/fortnigt\"\ncontains");
    assert_eq!(faults(&text), [("E-UNIT-001".to_owned(), "stream.feed.unit".to_owned())]);
    assert_eq!(Model::read(&text).unwrap_err().fault().message.en, "the model has 1 fault");
}

/// A reaction whose carbon does not balance is refused unless it says so.
#[test]
fn a_reaction_that_makes_carbon_is_refused() {
    let model = |open: &str| {
        format!(
            r#"
[model]
id = "m"
title = {{ ja = "m", en = "m" }}
source = "none"
time = "h"
[vessel]
volume = 1
unit = "L"
[species]
S = {{ unit = "g/L", initial = 10, formula = "C6H12O6" }}
E = {{ unit = "g/L", initial = 0, formula = "C2H6O" }}
C = {{ unit = "mmol/L", initial = 0, formula = "CO2" }}
[reaction.fermentation]
rate = "0.1 [/h] * S"
unit = "g/(L.h)"
makes = {{ S = "-1", E = "2 * 46.069 / 180.156", C = "{open} / 180.156 [g/mol]" }}
"#
        )
    };
    // C6H12O6 → 2 C2H6O + 2 CO2 closes in every element.
    let sound = Model::read(&model("2")).unwrap();
    assert!(sound.balances.iter().all(Balance::is_closed), "{:?}", sound.balances);
    let unsound = faults(&model("3"));
    assert_eq!(unsound.iter().map(|(_, f)| f.as_str()).collect::<Vec<_>>(), ["reaction.fermentation"; 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Additions and withdrawals of any size keep mass: what is in the broth, was taken and was used is what was there
    /// and was added, to 1e-9.
    #[test]
    fn doses_and_samples_keep_mass(dose in 0.0..0.5f64, strength in 0.0..900.0f64, sample in 0.0..0.4f64, at in 0.1..3.9f64) {
        let text = format!(
            r#"
[model]
id = "m"
title = {{ ja = "m", en = "m" }}
source = "none"
time = "h"
[vessel]
volume = 1
unit = "L"
[state.taken]
unit = "g"
initial = 0
[species]
S = {{ unit = "g/L", initial = 10 }}
Q = {{ unit = "mg/L", initial = 0 }}
[reaction.use]
rate = "0.3 [/h] * S"
unit = "g/(L.h)"
makes = {{ S = "-1", Q = "1" }}
[stream.feed]
inflow = "0.02 [L/h]"
unit = "L/h"
contains = {{ S = "100 [g/L]" }}
[event.dose]
when = "time >= {at} [h]"
add = {{ volume = "{dose} [L]", contains = {{ S = "{strength} [g/L]" }} }}
[event.sample]
when = "time >= {at} [h] + 30 [min]"
withdraw = "{sample} [L]"
set = {{ taken = "{sample} [L] * (S + Q)" }}
[observe]
held = {{ expression = "(S + Q) * V + taken", unit = "g" }}
"#
        );
        let model = Model::read(&text).unwrap();
        let held = end(&model, 5.0, "held");
        let expected = 10.0 + 0.02 * 100.0 * 5.0 + dose * strength;
        prop_assert!((held - expected).abs() < 1e-9 * expected, "{} {}", held, expected);
        prop_assert!((end(&model, 5.0, "V") - (1.0 + 0.1 + dose - sample)).abs() < 1e-12);
    }
}

/// The model that the documentation shows compiles, and its sample is taken.
#[test]
fn the_model_of_the_documentation_works() {
    for page in [include_str!("../../../../docs/src/en/models.md"), include_str!("../../../../docs/src/ja/models.md")] {
        let text = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let model = Model::read(text).unwrap();
        near(end(&model, 9.0, "V"), 10.0 + 0.5 * 4.0 - 0.02, 1e-9);
        assert!(end(&model, 9.0, "biomass") > 20.0);
    }
}
