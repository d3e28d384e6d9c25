//! Batches over time against the reference batch (`dfba_textbook_batch.json`), its balances, and gas transfer.

use super::{model, shared};
use serde_json::Value;
use toji_flux::dynamic::{Aeration, End, Gas, Metabolism, Pool, Uptake, Vessel, batch, off_gas};
use toji_flux::gas::{Mix, Standing};
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

/// Cells on hydrogen: exponential until the transfer of hydrogen binds, then linear; the gas that leaves has its place.
#[test]
fn growth_on_gas_turns_linear_and_its_off_gas_has_a_place() {
    let Some(model) = model("RehMBEL1391.json") else { return };
    let at = |id: &str| model.reaction(id).unwrap();
    let mut network = model.network().unwrap();
    for (id, lower) in [("EX_fru_e", 0.0), ("EX_h2_e", -10.0), ("EX_co2_e", -1000.0)] {
        network.lower[at(id)] = lower;
    }
    let (h2, o2, co2, growth) = (at("EX_h2_e"), at("EX_o2_e"), at("EX_co2_e"), at("Biomass"));
    let vessel = Vessel {
        growth,
        biomass: 0.5,
        pools: Vec::new(),
        gases: vec![Gas { exchange: h2, kla: 20.0, saturation: 0.5 }, Gas { exchange: o2, kla: 200.0, saturation: 0.2 }],
        goals: vec![(growth, Sense::Maximize)],
        tracked: vec![co2, at("EX_nh4_e")],
    };
    let times: Vec<f64> = (1..=30).map(f64::from).collect();
    let course = batch(&network, &vessel, &times).unwrap();
    let last = course.times.len() - 1;
    assert_eq!(course.end, End::Time);
    // The transfer of hydrogen, 10 mmol/(L·h), binds from 1 g/L on.
    let turn = course.phases.iter().find(|p| p.limiting.contains(&h2) && p.to >= 30.0).unwrap();
    let mu = course.phases[0].growth;
    let binds = 2.0_f64.ln() / mu;
    let uptake = |t: f64| if t < binds { 10.0 * 0.5 * (mu * t).exp() } else { 10.0 };
    assert!(turn.from <= binds + 1e-6, "{:?}", course.phases);
    let hydrogen = 5.0 * ((mu * binds).exp() - 1.0) / mu + 10.0 * (30.0 - binds);
    assert!(near(-course.exchanged[0], hydrogen, 1e-6), "{} but {hydrogen}", course.exchanged[0]);
    // Carbon and nitrogen taken up are in the cells, in the same ratio all along.
    let grown = course.biomass[last] - course.biomass[0];
    assert!(near(-course.exchanged[2] / grown, 2.226_723_407 / 0.053_612_787_28, 1e-6), "{:?}", course.exchanged);
    assert!(near(-course.exchanged[3] / grown, 0.570_874_829_6 / 0.053_612_787_28, 1e-6), "{:?}", course.exchanged);

    let mix = Mix { hydrogen: 0.7, oxygen: 0.15, carbon_dioxide: 0.15, nitrogen: 0.0 };
    let aeration = Aeration { flow: 0.01, mix, hydrogen: Some(h2), oxygen: Some(o2), carbon_dioxide: Some(co2) };
    let gas = off_gas(&network, &vessel, &course, &aeration).unwrap();
    assert_eq!(gas.len(), course.times.len());
    for g in &gas {
        assert!(near(g.uptake[0], uptake(g.time), 1e-6), "{g:?}");
        // 0.01 /min is 26.769 mmol/(L·h); what leaves is what came less what was taken.
        let fed = 0.6 / 22.413_969_54e-3;
        let left = [fed * 0.7 - g.uptake[0], fed * 0.15 - g.uptake[1], fed * 0.15 - g.uptake[2]];
        let all: f64 = left.iter().sum();
        for (have, want) in [g.place.mix.hydrogen, g.place.mix.oxygen, g.place.mix.carbon_dioxide].iter().zip(left) {
            assert!((have - want / all).abs() < 1e-6, "{g:?}");
        }
    }
    // It begins where it could burn; as the cells take up more oxygen than is left elsewhere it turns away from that.
    assert_eq!(gas[0].place.standing, Standing::Inside);
    assert!(gas[last].place.mix.oxygen < gas[0].place.mix.oxygen, "{:?}", gas[last]);
    let code = |a: &Aeration| off_gas(&network, &vessel, &course, a).unwrap_err().code().to_owned();
    assert_eq!(code(&Aeration { flow: 0.001, ..aeration.clone() }), "E-FLUX-119");
    assert_eq!(code(&Aeration { flow: f64::NAN, ..aeration.clone() }), "E-FLUX-119");
    assert_eq!(code(&Aeration { hydrogen: Some(99_999), ..aeration.clone() }), "E-FLUX-119");
    assert_eq!(code(&Aeration { mix: Mix { nitrogen: 0.5, ..mix }, ..aeration }), "E-FLUX-110");
}
