//! Cycles taken out of fluxes, and the least adjustment after a deletion.

use super::{model, shared};
use serde_json::Value;
use toji_flux::analyse::{
    Switching, Variability, cycle_free, fba, fva, geometric, linear_moma, loopless_fva, moma, pfba, room, sparing_fva,
};
use toji_flux::lp::Outcome;
use toji_flux::{Column, Network, Sense};

fn close(network: &Network, fluxes: &[f64]) {
    let worst = network.stoichiometry.times(fluxes).iter().fold(0.0_f64, |a, r| a.max(r.abs()));
    assert!(worst < 1e-7, "{worst}");
    for (j, v) in fluxes.iter().enumerate() {
        assert!(*v >= network.lower[j] - 1e-8 && *v <= network.upper[j] + 1e-8, "{j}: {v}");
    }
}

#[test]
fn a_cycle_is_taken_away_and_nothing_else() {
    // In → a → b → out, beside the cycle a → b → c → a.
    let column = |stoichiometry| Column { stoichiometry, lower: 0.0, upper: 10.0, objective: 0.0 };
    let columns = [
        column(&[(0, 1.0)]),
        column(&[(0, -1.0), (1, 1.0)]),
        Column { objective: 1.0, upper: 2.0, ..column(&[(1, -1.0)]) },
        column(&[(1, -1.0), (2, 1.0)]),
        column(&[(2, -1.0), (0, 1.0)]),
    ];
    let network = Network::new(3, Sense::Maximize, columns).unwrap();
    let free = cycle_free(&network, &[2.0, 7.0, 2.0, 5.0, 5.0]).unwrap().unwrap();
    assert_eq!(free, [2.0, 2.0, 2.0, 0.0, 0.0]);
    // A cycle that a bound forces stays as large as it must.
    let mut forced = network.clone();
    forced.lower[3] = 1.0;
    assert_eq!(cycle_free(&forced, &[2.0, 7.0, 2.0, 5.0, 5.0]).unwrap().unwrap(), [2.0, 3.0, 2.0, 1.0, 1.0]);
    assert!(matches!(cycle_free(&network, &[2.0, 7.0, 1.0, 5.0, 5.0]).unwrap(), Err(Outcome::Infeasible(_))));
    assert_eq!(cycle_free(&network, &[1.0]).unwrap_err().code(), "E-FLUX-033");
    assert_eq!(linear_moma(&network, &[f64::NAN; 5]).unwrap_err().code(), "E-FLUX-033");
}

#[test]
fn real_fluxes_lose_their_cycles_and_keep_growth_and_exchange() {
    for name in ["textbook.xml.gz", "iJO1366.xml.gz"] {
        let Some(model) = model(name) else { return };
        let network = model.network().unwrap();
        let Outcome::Optimal(best) = fba(&network).unwrap() else { panic!("no optimum") };
        let free = cycle_free(&network, &best.primal).unwrap().unwrap();
        close(&network, &free);
        for (j, reaction) in model.reactions.iter().enumerate() {
            assert!(free[j].abs() <= best.primal[j].abs() + 1e-9 && free[j] * best.primal[j] >= -1e-9, "{}", reaction.id);
            if reaction.stoichiometry.len() == 1 || network.objective[j] != 0.0 {
                assert!((free[j] - best.primal[j]).abs() < 1e-9, "{}", reaction.id);
            }
        }
        // Twice is as once.
        let again = cycle_free(&network, &free).unwrap().unwrap();
        assert!(again.iter().zip(&free).all(|(a, b)| (a - b).abs() < 1e-7));
    }
    // FRD7 and SUCDi of the textbook are a cycle that flux variability runs up to its bound.
    let Some(model) = model("textbook.xml.gz") else { return };
    let mut network = model.network().unwrap();
    let cycle = model.reaction("FRD7").unwrap();
    let ranges = fva(&network, &Variability::default()).unwrap().unwrap();
    assert!(ranges.maximum[cycle] > 500.0);
    network.objective.fill(0.0);
    network.objective[cycle] = 1.0;
    let Outcome::Optimal(best) = fba(&network).unwrap() else { panic!("no optimum") };
    network.objective[cycle] = 0.0;
    let free = cycle_free(&network, &best.primal).unwrap().unwrap();
    assert!(best.primal[cycle] > 500.0 && free[cycle] < 100.0, "{} {}", best.primal[cycle], free[cycle]);
}

#[test]
fn the_least_adjustment_is_that_of_the_reference() {
    let (Some(model), Some(bytes)) = (model("textbook.xml.gz"), shared("textbook.json")) else { return };
    let want: Value = serde_json::from_slice(&bytes).unwrap();
    let network = model.network().unwrap();
    let wild = pfba(&network, 1.0).unwrap().unwrap();
    let still = linear_moma(&network, &wild.fluxes).unwrap().unwrap();
    assert!(still.distance < 1e-7 && (still.objective - wild.objective).abs() < 1e-8, "{}", still.distance);
    for (gene, growth) in want["linear_moma_expected_from_cobrapy_tests"].as_object().unwrap() {
        let deleted = model.gene_named(gene).unwrap();
        let mut cut = network.clone();
        for &j in model.reactions_of_gene(deleted) {
            if model.reactions[j].gpr.as_ref().is_some_and(|rule| !rule.holds(&|g| g != deleted)) {
                (cut.lower[j], cut.upper[j]) = (0.0, 0.0);
            }
        }
        let have = linear_moma(&cut, &wild.fluxes).unwrap().unwrap();
        close(&cut, &have.fluxes);
        let moved: f64 = have.fluxes.iter().zip(&wild.fluxes).map(|(a, b)| (a - b).abs()).sum();
        assert!((moved - have.distance).abs() < 1e-7 * moved.max(1.0));
        eprintln!("{gene}: {} ({growth})", have.objective);
        assert!((have.objective - growth.as_f64().unwrap()).abs() < 0.01, "{gene}: {} but {growth}", have.objective);
    }
}

#[test]
fn loopless_ranges_are_those_of_the_reference() {
    let (Some(model), Some(bytes)) = (model("textbook.xml.gz"), shared("textbook.json")) else { return };
    let want: Value = serde_json::from_slice(&bytes).unwrap();
    let network = model.network().unwrap();
    let have = loopless_fva(&network, 0.95).unwrap().unwrap();
    let mut faults = Vec::new();
    for (id, ends) in want["fva_0.95_loopless"].as_object().unwrap() {
        let j = model.reaction(id).unwrap();
        for (have, want) in [(have.minimum[j], &ends[0]), (have.maximum[j], &ends[1])] {
            let want = want.as_f64().unwrap();
            if (have - want).abs() > 1e-6 * want.abs().max(1.0) {
                faults.push(format!("{id}: {have} but {want}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
    let plain = fva(&network, &Variability { fraction: 0.95, ..Variability::default() }).unwrap().unwrap();
    let cycle = model.reaction("FRD7").unwrap();
    assert!(plain.maximum[cycle] > 500.0 && have.maximum[cycle] < 100.0, "{}", have.maximum[cycle]);
}

#[test]
fn the_nearest_fluxes_are_those_of_the_reference() {
    let (Some(model), Some(bytes)) = (model("textbook.xml.gz"), shared("textbook.json")) else { return };
    let want: Value = serde_json::from_slice(&bytes).unwrap();
    let network = model.network().unwrap();
    let wild: Vec<f64> = model.reactions.iter().map(|r| want["pfba_fluxes"][&r.id].as_f64().unwrap()).collect();
    // HiGHS 1.16.0 (its active-set method for quadratic programmes, tolerances 1e-9) on the same programme: growth and sum of
    // squares. COBRApy's own tests say 0.71, 0.56, 0.11 and 0.
    let reference = [
        ("b0114", 0.712_241_021_937, 631.392_585_682),
        ("b0116", 0.556_076_763_417, 1_304.668_990_766),
        ("b2276", 0.106_107_645_061, 9_246.039_024_020),
        ("b1779", 0.0, 4_762.304_010_549),
    ];
    for (gene, growth, distance) in reference {
        let deleted = model.gene_named(gene).unwrap();
        let mut cut = network.clone();
        for &j in model.reactions_of_gene(deleted) {
            if model.reactions[j].gpr.as_ref().is_some_and(|rule| !rule.holds(&|g| g != deleted)) {
                (cut.lower[j], cut.upper[j]) = (0.0, 0.0);
            }
        }
        let have = moma(&cut, &wild).unwrap().unwrap();
        eprintln!(
            "{gene}: growth {} distance {} gap {:e} residual {:e}",
            have.objective, have.distance, have.duality_gap, have.max_residual
        );
        close(&cut, &have.fluxes);
        assert!((have.objective - growth).abs() < 1e-6, "{gene}: {} but {growth}", have.objective);
        assert!((have.distance - distance).abs() < 1e-6 * distance, "{gene}: {} but {distance}", have.distance);
        assert!(have.duality_gap < 1e-8 && have.error < 1e-3, "{gene}: {:e}", have.duality_gap);
        // COBRApy 0.32.1 with GLPK, room(linear=True), which sets both tolerances to zero: value of the relaxed programme.
        let relaxed = match gene {
            "b0114" => 1.224_159_467_8,
            "b0116" => 2.379_480_544_6,
            "b2276" => 5.475_870_649_8,
            _ => 6.019_043_871_6,
        };
        let strict = Switching { delta: 0.0, epsilon: 0.0, ..Switching::default() };
        let switched = room(&cut, &wild, &strict).unwrap().unwrap();
        assert!((switched.relaxed - relaxed).abs() < 1e-6, "{gene}: {} but {relaxed}", switched.relaxed);
        let switched = room(&cut, &wild, &Switching::default()).unwrap().unwrap();
        close(&cut, &switched.fluxes);
        let exact = room(&cut, &wild, &Switching { exact: true, max_nodes: 1_500, ..Switching::default() }).unwrap().unwrap();
        close(&cut, &exact.fluxes);
        eprintln!("{gene}: {} changes, at least {}, {} programmes", exact.changed.len(), exact.least, exact.programmes);
        assert!(exact.changed.len() <= switched.changed.len() && exact.least <= exact.changed.len());
        assert!(exact.least as f64 >= switched.relaxed - 1e-6 && exact.optimal == (exact.least == exact.changed.len()));
    }
    for (name, most) in [("iJO1366.xml.gz", 1e-6), ("RehMBEL1391.json", 1e-6)] {
        let Some(model) = super::model(name) else { return };
        let network = model.network().unwrap();
        let wild = pfba(&network, 1.0).unwrap().unwrap();
        let used: Vec<usize> = (0..network.reactions()).filter(|&j| wild.fluxes[j].abs() > 0.5).collect();
        for &j in used.iter().step_by(used.len() / 4) {
            let mut cut = network.clone();
            (cut.lower[j], cut.upper[j]) = (cut.lower[j].min(0.0), cut.upper[j].max(0.0));
            let half = 0.5 * wild.fluxes[j];
            if half > 0.0 {
                cut.upper[j] = half
            } else {
                cut.lower[j] = half
            }
            let Ok(have) = moma(&cut, &wild.fluxes).unwrap() else { continue };
            eprintln!("{name} {j}: distance {} gap {:e} residual {:e}", have.distance, have.duality_gap, have.max_residual);
            assert!(have.duality_gap <= 1e-8 * (1.0 + have.distance) && have.error < most * 1e3);
        }
    }
}

#[test]
fn ranges_near_the_least_total_and_the_middle_of_the_optima_are_those_of_the_reference() {
    let (Some(model), Some(bytes)) = (model("textbook.xml.gz"), shared("textbook.json")) else { return };
    let want: Value = serde_json::from_slice(&bytes).unwrap();
    let network = model.network().unwrap();
    // COBRApy 0.32.1 with GLPK: flux variability at 100 % of growth and 1.1 times the least total; its total is held by a row
    // at a solver tolerance.
    for compress in [true, false] {
        let have = sparing_fva(&network, &Variability { compress, ..Variability::default() }, 1.1).unwrap().unwrap();
        for (id, ends) in want["fva_1.0_pfba1.1"].as_object().unwrap() {
            let j = model.reaction(id).unwrap();
            for (have, want) in [(have.minimum[j], &ends[0]), (have.maximum[j], &ends[1])] {
                let want = want.as_f64().unwrap();
                assert!((have - want).abs() < 1e-5 * want.abs().max(1.0), "{id}: {have} but {want}");
            }
        }
    }
    let threads = Variability { threads: 3, ..Variability::default() };
    let point = sparing_fva(&network, &threads, 1.0).unwrap().unwrap();
    assert_eq!(point, sparing_fva(&network, &Variability::default(), 1.0).unwrap().unwrap());
    assert_eq!(sparing_fva(&network, &threads, 0.9).unwrap_err().code(), "E-FLUX-088");
    // The textbook's parsimonious optimum is unique, so the geometric one is the same; COBRApy's geometric_fba gives the
    // total 518.4220855176.
    let middle = geometric(&network).unwrap().unwrap();
    assert!((middle.total - 518.422_085_517_6).abs() < 1e-6 && middle.width < 1e-7, "{middle:?}");
    for (j, reaction) in model.reactions.iter().enumerate() {
        let flux = want["pfba_fluxes"][&reaction.id].as_f64().unwrap();
        assert!((middle.fluxes[j] - flux).abs() < 1e-6 && (point.minimum[j] - flux).abs() < 1e-6, "{}", reaction.id);
    }
}
