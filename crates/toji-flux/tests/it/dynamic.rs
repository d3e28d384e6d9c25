//! Batches over time against the reference batch (`dfba_textbook_batch.json`), its balances, and gas transfer.

use super::{model, shared};
use serde_json::Value;
use toji_flux::dynamic::{End, Gas, Metabolism, Pool, Uptake, Vessel, batch};
use toji_flux::model::{Formula, Model};
use toji_flux::{Network, Sense};

/// The batch of the reference: glucose to biomass and acetate, oxygen uptake up to 15 mmol/(g·h).
fn textbook(model: &Model, parameter: impl Fn(&str) -> f64) -> (Network, Vessel) {
    let mut network = model.network().unwrap();
    let at = |id: &str| model.reaction(id).unwrap();
    network.lower[at("EX_o2_e")] = -parameter("O2max");
    let uptake = Uptake::Saturating { greatest: parameter("Vmax"), half: parameter("Km") };
    let vessel = Vessel {
        growth: at("Biomass_Ecoli_core"),
        biomass: parameter("X0"),
        pools: vec![
            Pool { exchange: at("EX_glc__D_e"), start: parameter("G0"), uptake },
            Pool { exchange: at("EX_ac_e"), start: parameter("A0"), uptake: Uptake::None },
        ],
        gases: Vec::new(),
        goals: vec![
            (at("Biomass_Ecoli_core"), Sense::Maximize),
            (at("EX_ac_e"), Sense::Maximize),
            (at("EX_glc__D_e"), Sense::Maximize),
        ],
        tracked: (0..model.reactions.len()).filter(|&j| model.reactions[j].stoichiometry.len() == 1).collect(),
    };
    (network, vessel)
}

fn near(have: f64, want: f64, tolerance: f64) -> bool {
    (have - want).abs() <= tolerance * want.abs().max(1e-3)
}

#[test]
fn a_batch_runs_as_the_reference() {
    let (Some(model), Some(bytes)) = (model("textbook.xml.gz"), shared("dfba_textbook_batch.json")) else { return };
    let want: Value = serde_json::from_slice(&bytes).unwrap();
    let list = |key: &str| want[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<f64>>();
    let (network, vessel) = textbook(&model, |key| want["params"][key].as_f64().unwrap());
    let mut times = list("t");
    times.push(10.0);
    let course = batch(&network, &vessel, &times).unwrap();
    assert!(matches!(course.end, End::Growth | End::Starved), "{:?}", course.end);
    let (x, g, a) = (list("X"), list("G"), list("Ac"));
    let mut worst = 0.0_f64;
    for (at, t) in list("t").iter().enumerate() {
        let k = course.times.iter().position(|have| have == t).unwrap();
        for (have, want) in [(course.biomass[k], x[at]), (course.pools[0][k], g[at]), (course.pools[1][k], a[at])] {
            assert!(near(have, want, 1e-3), "at {t} h: {have} but {want}");
            worst = worst.max((have - want).abs() / want.abs().max(1e-3));
        }
    }
    let last = course.times.len() - 1;
    for (have, key) in [
        (course.times[last], "t_end"),
        (course.biomass[last], "X_end"),
        (course.pools[0][last], "G_end"),
        (course.pools[1][last], "A_end"),
    ] {
        let want = want[key].as_f64().unwrap();
        assert!(near(have, want, 1e-3), "{key}: {have} but {want}");
    }
    eprintln!("worst {worst:e}; end {}; {} programmes, {} steps", course.times[last], course.programmes, course.steps);
    // The reference asked the programme 590 times.
    assert!(course.programmes < 60, "{}", course.programmes);
    assert!(course.phases.len() >= 2 && course.phases[0].limiting == [vessel.pools[0].exchange], "{:?}", course.phases);
    assert_eq!(course, batch(&network, &vessel, &times).unwrap());

    // What went in and out, with what is in the biomass made, closes for each element.
    let grown = course.biomass[last] - course.biomass[0];
    let biomass = &model.reactions[vessel.growth].stoichiometry;
    for element in ["C", "N", "O", "P", "H"] {
        let count = |metabolite: usize| {
            let formula = model.metabolites[metabolite].formula.as_deref().unwrap_or("");
            Formula::parse(formula).unwrap().atoms.get(element).copied().unwrap_or(0.0)
        };
        let parts = vessel.tracked.iter().zip(&course.exchanged).map(|(&j, amount)| {
            let (metabolite, coefficient) = model.reactions[j].stoichiometry[0];
            coefficient * count(metabolite) * amount
        });
        // Exchanges write −1 for what leaves; what biomass consumes is in the cells.
        let (mut sum, mut size) = (0.0, 0.0_f64);
        for part in parts {
            sum += part;
            size = size.max(part.abs());
        }
        let fixed: f64 = biomass.iter().map(|&(m, c)| c * count(m) * grown).sum();
        assert!(size > 0.1 && (sum + fixed).abs() < 1e-7 * size, "{element}: {sum} and {fixed} of {size}");
    }
    // The pools are the sums of what was exchanged.
    for (k, pool) in vessel.pools.iter().enumerate() {
        let at = vessel.tracked.iter().position(|&j| j == pool.exchange).unwrap();
        let change = course.pools[k][last] - course.pools[k][0];
        assert!((change - course.exchanged[at]).abs() < 1e-10, "{change} but {}", course.exchanged[at]);
    }
}

#[test]
fn transfer_of_oxygen_bounds_its_uptake() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let parameters = |key: &str| match key {
        "Vmax" => 10.0,
        "Km" => 0.5,
        "O2max" => 15.0,
        "X0" => 0.05,
        "G0" => 40.0,
        _ => 0.0,
    };
    let (network, mut vessel) = textbook(&model, parameters);
    let oxygen = model.reaction("EX_o2_e").unwrap();
    let free = batch(&network, &vessel, &[20.0]).unwrap();
    let (kla, saturation) = (20.0, 0.21);
    vessel.gases = vec![Gas { exchange: oxygen, kla, saturation }];
    let times: Vec<f64> = (1..=40).map(|k| f64::from(k) * 0.5).collect();
    let bound = batch(&network, &vessel, &times).unwrap();
    // Less oxygen: slower, and more carbon leaves as acetate.
    assert!(bound.times.last() > free.times.last(), "{:?} {:?}", bound.times.last(), free.times.last());
    assert!(bound.pools[1].last() > free.pools[1].last());
    assert!(bound.phases.iter().any(|p| p.limiting.contains(&oxygen)));
    // No more is taken up than was transferred, and at each state no more than the bound.
    let taken = -bound.exchanged[0];
    assert!(taken > 1.0 && taken <= kla * saturation * bound.times.last().unwrap() * (1.0 + 1e-9), "{taken}");
    let mut metabolism = Metabolism::new(&network, &vessel).unwrap();
    for (k, &x) in bound.biomass.iter().enumerate().take(bound.times.len() - 1) {
        let rates = metabolism.rates(x, &[bound.pools[0][k], bound.pools[1][k]]).unwrap().unwrap();
        assert!(-rates.gases[0] <= (kla * saturation / x).min(15.0) * (1.0 + 1e-9), "{rates:?}");
    }
}

#[test]
fn a_vessel_that_does_not_fit_is_refused_and_one_without_food_starves() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let (network, vessel) = textbook(&model, |key| if key == "G0" || key == "A0" { 0.0 } else { 1.0 });
    let course = batch(&network, &vessel, &[1.0]).unwrap();
    assert_eq!((course.end, course.times.as_slice()), (End::Starved, &[0.0][..]));
    let code = |vessel: &Vessel, times: &[f64]| batch(&network, vessel, times).unwrap_err().code().to_owned();
    assert_eq!(code(&Vessel { biomass: 0.0, ..vessel.clone() }, &[1.0]), "E-FLUX-031");
    assert_eq!(code(&Vessel { growth: 9999, ..vessel.clone() }, &[1.0]), "E-FLUX-031");
    assert_eq!(code(&Vessel { goals: Vec::new(), ..vessel.clone() }, &[1.0]), "E-FLUX-031");
    assert_eq!(code(&Vessel { pools: vec![vessel.pools[0]; 2], ..vessel.clone() }, &[1.0]), "E-FLUX-031");
    assert_eq!(code(&vessel, &[2.0, 1.0]), "E-FLUX-031");
    assert_eq!(code(&vessel, &[]), "E-FLUX-031");
}
