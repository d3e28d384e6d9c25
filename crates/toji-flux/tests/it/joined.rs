//! Communities and enzymes on a real model.

use super::model;
use toji_flux::analyse::{
    Encoding, Enzyme, EnzymeTask, Member, Pool, Turnover, Way, community, fastest_community, fba, with_enzymes,
};
use toji_flux::lp::Outcome;

#[test]
fn two_strains_alike_grow_as_one() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let network = model.network().unwrap();
    let growth = model.reaction("Biomass_Ecoli_core").unwrap();
    let exchanges = model.exchanges();
    let links: Vec<(usize, usize)> = exchanges.iter().enumerate().map(|(m, &j)| (j, m)).collect();
    let pool: Vec<Pool> =
        exchanges.iter().map(|&j| Pool { supply: (-network.lower[j]).max(0.0), removal: network.upper[j] }).collect();
    let member = Member { network: &network, growth, exchanges: &links };
    let Outcome::Optimal(alone) = fba(&network).unwrap() else { panic!("no optimum") };
    for shares in [[0.3, 0.7], [1.0, 0.0]] {
        let found = community(&[member, member], &pool, &shares).unwrap().unwrap();
        assert!((found.growth - alone.objective).abs() < 1e-7, "{} {}", found.growth, alone.objective);
        for (k, fluxes) in found.fluxes.iter().enumerate() {
            let want = if shares[k] > 0.0 { found.growth } else { 0.0 };
            assert!((fluxes[growth] - want).abs() < 1e-7, "{k}");
        }
    }
    let best = fastest_community(&[member, member], &pool, 0.1, 5.0).unwrap().unwrap();
    assert!((best.growth - alone.objective).abs() < 1e-7, "{}", best.growth);
    assert!(best.abundances.iter().all(|a| *a >= 0.1 - 1e-9));
    // A strain without two enzymes beside the whole one: at one rate they grow at least as the weak one alone, and no faster
    // than the whole one alone.
    let mut cut = network.clone();
    for id in ["PFK", "FUM"] {
        let j = model.reaction(id).unwrap();
        (cut.lower[j], cut.upper[j]) = (0.0, 0.0);
    }
    let weak = Member { network: &cut, growth, exchanges: &links };
    let mixed = community(&[member, weak], &pool, &[0.5, 0.5]).unwrap().unwrap();
    let lone = community(&[weak], &pool, &[1.0]).unwrap().unwrap();
    assert!(lone.growth < mixed.growth + 1e-9 && mixed.growth < alone.objective + 1e-9, "{} {}", lone.growth, mixed.growth);
    for (m, &j) in exchanges.iter().enumerate() {
        // What is supplied is what the members take on balance.
        let taken: f64 = mixed.fluxes.iter().zip(&mixed.abundances).map(|(f, a)| -a * f[j]).sum();
        assert!((taken - mixed.supply[m]).abs() < 1e-7, "{}: {taken} {}", model.reactions[j].id, mixed.supply[m]);
    }
}

/// Growth under the constraint of proteins, of the reference named below.
const GROWTH: f64 = 0.067_269_404_915_6;

fn task(model: &toji_flux::model::Model, encoding: Encoding) -> EnzymeTask {
    let internal: Vec<usize> = (0..model.reactions.len())
        .filter(|&j| {
            let r = &model.reactions[j];
            r.stoichiometry.len() > 1 && r.id != "ATPM" && r.id != "Biomass_Ecoli_core"
        })
        .collect();
    let kcat = |id: &str| match id {
        "PFK" => 5.0,
        "CS" => 8.0,
        "ATPS4r" => 20.0,
        _ => 50.0,
    };
    let mut turnovers = Vec::new();
    for (e, &reaction) in internal.iter().enumerate() {
        for way in [Way::Forward, Way::Backward] {
            let kcat_per_s = kcat(&model.reactions[reaction].id);
            turnovers.push(Turnover { reaction, way, kcat_per_s, subunits: vec![(e, 1.0)] });
        }
    }
    let enzymes = internal
        .iter()
        .map(|&j| Enzyme { id: model.reactions[j].id.clone(), mass_kda: 40.0, measured_mmol_per_g: None })
        .collect();
    EnzymeTask { enzymes, turnovers, pool_g_per_g: 0.02, saturation: 1.0, encoding }
}

#[test]
fn enzymes_limit_growth_as_in_the_reference_and_controls_are_those_of_differences() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let network = model.network().unwrap();
    for encoding in [Encoding::Classic, Encoding::Light, Encoding::Smoment] {
        let base = task(&model, encoding);
        let best = with_enzymes(&network, &base).unwrap().solve().unwrap().unwrap();
        // COBRApy 0.32.1 with GLPK: growth of the textbook model under one constraint, the sum of 40/(3600 kcat) |v| over these
        // reactions at most 0.02.
        assert!((best.objective - GROWTH).abs() < 1e-8, "{encoding:?}: {}", best.objective);
        assert!((best.pool_used - 0.02).abs() < 1e-9, "{}", best.pool_used);
        let with = |change: &dyn Fn(&mut EnzymeTask)| {
            let mut changed = base.clone();
            change(&mut changed);
            with_enzymes(&network, &changed).unwrap().solve().unwrap().unwrap().objective
        };
        let step = 1e-4_f64;
        let slope = |up: f64, down: f64| (up - down) / (2.0 * step * best.objective);
        let pool = slope(with(&|t| t.pool_g_per_g *= 1.0 + step), with(&|t| t.pool_g_per_g *= 1.0 - step));
        assert!((pool - best.pool_control).abs() < 1e-5, "{pool} {}", best.pool_control);
        let mut sum = 0.0;
        for at in 0..base.turnovers.len() {
            sum += best.control[at];
            if best.control[at] > 1e-3 || at % 17 == 0 {
                let up = with(&|t| t.turnovers[at].kcat_per_s *= 1.0 + step);
                let down = with(&|t| t.turnovers[at].kcat_per_s *= 1.0 - step);
                let have = slope(up, down);
                assert!((have - best.control[at]).abs() < 1e-4, "{encoding:?} {at}: {have} but {}", best.control[at]);
            }
        }
        // All protein is of these enzymes, so all turnover numbers together are worth what the pool is.
        assert!((sum - best.pool_control).abs() < 1e-7, "{sum} {}", best.pool_control);
    }
}
