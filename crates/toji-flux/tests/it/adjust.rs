//! Cycles taken out of fluxes, and the least adjustment after a deletion.

use super::{model, shared};
use serde_json::Value;
use toji_flux::analyse::{Variability, cycle_free, fba, fva, linear_moma, loopless_fva, pfba};
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
