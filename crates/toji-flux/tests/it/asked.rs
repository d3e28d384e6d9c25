//! What must be there for a demand, and why it cannot be met: media, gaps, conflicts.

use super::model;
use std::collections::BTreeSet;
use toji_flux::analyse::{
    Candidate, Demand, FillTask, ImportTask, Side, Subject, explain_conflict, fewest_imports, fill_gaps, least_import,
};
use toji_flux::lp::{Outcome, Problem, Solver};
use toji_flux::{Network, Sense};

fn feasible(solver: &mut Solver) -> bool {
    matches!(solver.solve().unwrap(), Outcome::Optimal(_))
}

/// Every inclusion-minimal subset of the items that is enough, by trying all of at most `most`.
fn minimal_sets(items: usize, most: u32, mut enough: impl FnMut(usize) -> bool) -> BTreeSet<Vec<usize>> {
    let mut subsets: Vec<usize> = (0..1_usize << items).filter(|s| s.count_ones() <= most).collect();
    subsets.sort_by_key(|s| (s.count_ones(), *s));
    let mut found: Vec<usize> = Vec::new();
    for set in subsets {
        if !found.iter().any(|f| f & set == *f) && enough(set) {
            found.push(set);
        }
    }
    found.into_iter().map(|set| (0..items).filter(|k| set >> k & 1 == 1).collect()).collect()
}

#[test]
fn the_medium_of_the_textbook_is_that_of_the_reference() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let network = model.network().unwrap();
    let growth = model.reaction("Biomass_Ecoli_core").unwrap();
    let task = ImportTask {
        demands: vec![Demand { reaction: growth, least: 0.5 }],
        imports: model.exchanges(),
        alternatives: 5,
        max_programmes: 10_000,
    };
    // COBRApy 0.32.1 with GLPK, minimal_medium(model, 0.5): glucose 9.3375583333, ammonium 2.7264, oxygen 8.8453125, phosphate
    // 1.83935. Glucose and oxygen stand for each other at one to one here, so only their sum is determined.
    let least = least_import(&network, &task).unwrap().unwrap();
    let ids: Vec<&str> = least.imports.iter().map(|i| model.reactions[i.0].id.as_str()).collect();
    assert_eq!(ids, ["EX_glc__D_e", "EX_nh4_e", "EX_o2_e", "EX_pi_e"]);
    for (have, want) in [
        (least.total, 22.748_620_833_3),
        (least.imports[1].1, 2.726_4),
        (least.imports[3].1, 1.839_35),
        (least.imports.iter().map(|i| i.1).sum(), least.total),
    ] {
        assert!((have - want).abs() < 1e-6, "{have} but {want}");
    }
    assert!(least.fluxes[growth] >= 0.5 - 1e-9);
    let media = fewest_imports(&network, &task).unwrap().unwrap();
    assert!(media.complete && media.media[0].open.len() == 4, "{media:?}");
    let own: Vec<usize> = least.imports.iter().map(|i| i.0).collect();
    assert!(media.media.iter().any(|m| m.open == own && (m.least.total - least.total).abs() < 1e-7));
    let none = ImportTask { imports: vec![growth], ..task };
    assert_eq!(least_import(&network, &none).unwrap_err().code(), "E-FLUX-091");
}

#[test]
fn every_minimal_medium_is_found_in_order() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let mut network = model.network().unwrap();
    let growth = model.reaction("Biomass_Ecoli_core").unwrap();
    let imports = model.exchanges();
    // Everything may be taken up; oxygen least of all.
    for &j in &imports {
        network.lower[j] = -10.0;
    }
    let least = 0.2;
    let task = ImportTask {
        demands: vec![Demand { reaction: growth, least }],
        imports: imports.clone(),
        alternatives: 1_000,
        max_programmes: 1_000_000,
    };
    let media = fewest_imports(&network, &task).unwrap().unwrap();
    assert!(media.complete && media.bound.is_none(), "{}", media.programmes);
    let have: BTreeSet<Vec<usize>> = media.media.iter().map(|m| m.open.clone()).collect();
    assert!(media.media.windows(2).all(|w| w[0].open.len() <= w[1].open.len()));
    let largest = media.media.iter().map(|m| m.open.len()).max().unwrap();
    eprintln!("{} media of up to {largest} imports, {} programmes", have.len(), media.programmes);
    network.lower[growth] = least;
    let mut solver = Solver::new(Problem::from(&network)).unwrap();
    solver.set_objective(Sense::Minimize, &[]);
    let most = 5;
    let want = minimal_sets(imports.len(), most, |set| {
        for (k, &j) in imports.iter().enumerate() {
            let low = if set >> k & 1 == 1 { -10.0 } else { 0.0 };
            solver.set_bounds(j, low, network.upper[j]);
        }
        feasible(&mut solver)
    });
    let want: BTreeSet<Vec<usize>> = want.into_iter().map(|set| set.into_iter().map(|k| imports[k]).collect()).collect();
    let short: BTreeSet<Vec<usize>> = have.into_iter().filter(|set| set.len() <= most as usize).collect();
    assert!(!want.is_empty());
    assert_eq!(short, want);
}

#[test]
fn every_way_to_fill_a_gap_is_found_in_order() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let network = model.network().unwrap();
    let named = |id: &str| model.reaction(id).unwrap();
    let growth = named("Biomass_Ecoli_core");
    let list = ["TPI", "PGK", "GLNS", "RPI", "FUM", "ACONTa", "ME1", "PFK", "PPC", "SUCOAS"].map(named);
    let task = FillTask {
        demands: vec![Demand { reaction: growth, least: 0.2 }],
        candidates: list.iter().map(|&reaction| Candidate { reaction, weight: 1.0 }).collect(),
        alternatives: 100,
        max_programmes: 10_000,
    };
    let fills = fill_gaps(&network, &task).unwrap().unwrap();
    assert!(fills.complete && fills.bound.is_none());
    let mut lacking = network.clone();
    lacking.lower[growth] = 0.2;
    let mut solver = Solver::new(Problem::from(&lacking)).unwrap();
    solver.set_objective(Sense::Minimize, &[]);
    let want = minimal_sets(list.len(), 10, |set| {
        for (k, &j) in list.iter().enumerate() {
            let (low, high) = if set >> k & 1 == 1 { (network.lower[j], network.upper[j]) } else { (0.0, 0.0) };
            solver.set_bounds(j, low, high);
        }
        feasible(&mut solver)
    });
    let sorted = |mut set: Vec<usize>| {
        set.sort_unstable();
        set
    };
    let want: BTreeSet<Vec<usize>> = want.into_iter().map(|s| sorted(s.into_iter().map(|k| list[k]).collect())).collect();
    let have: BTreeSet<Vec<usize>> = fills.fills.iter().map(|f| f.reactions.clone()).collect();
    eprintln!("{} ways, {} programmes", have.len(), fills.programmes);
    assert_eq!(have, want);
    for fill in &fills.fills {
        assert!(fill.fluxes[growth] >= 0.2 - 1e-9);
        assert!(list.iter().all(|j| fill.reactions.contains(j) || fill.fluxes[*j] == 0.0));
    }
    // COBRApy 0.32.1 with GLPK: gapfill of the model without the first seven, from these, for growth of 0.2.
    let few = FillTask { candidates: task.candidates[..7].to_vec(), alternatives: 1, ..task.clone() };
    let best = fill_gaps(&network, &few).unwrap().unwrap();
    assert_eq!(best.fills[0].reactions, sorted(["PGK", "GLNS", "RPI", "ACONTa"].map(named).to_vec()));
    assert!(best.complete && best.bound == Some(4.0));
    // Weights turn the order.
    let short = FillTask { max_programmes: 1, ..task.clone() };
    assert!(!fill_gaps(&network, &short).unwrap().unwrap().complete);
    let twice = FillTask { candidates: vec![task.candidates[0]; 2], ..task.clone() };
    assert_eq!(fill_gaps(&network, &twice).unwrap_err().code(), "E-FLUX-091");
    let beyond = FillTask { demands: vec![Demand { reaction: growth, least: 2.0 }], ..task };
    assert!(matches!(fill_gaps(&network, &beyond).unwrap(), Err(Outcome::Infeasible(_))));
}

/// The network with only the bounds of an explanation, one left out.
fn only(network: &Network, why: &toji_flux::analyse::Explanation, out: Option<usize>) -> bool {
    let mut bare = network.clone();
    bare.lower.fill(f64::NEG_INFINITY);
    bare.upper.fill(f64::INFINITY);
    bare.objective.fill(0.0);
    for (at, clash) in why.bounds.iter().enumerate().filter(|(at, _)| Some(*at) != out) {
        let (Subject::Reaction(j) | Subject::Demand(j)) = clash.subject else { panic!("{at}: a row") };
        match clash.side {
            Side::Lower => bare.lower[j] = clash.value,
            Side::Upper => bare.upper[j] = clash.value,
        }
    }
    feasible(&mut Solver::new(Problem::from(&bare)).unwrap())
}

#[test]
fn a_conflict_of_real_models_is_minimal() {
    for (name, growth, food) in [
        ("textbook.xml.gz", "Biomass_Ecoli_core", "EX_glc__D_e"),
        ("iJO1366.xml.gz", "BIOMASS_Ec_iJO1366_core_53p95M", "EX_nh4_e"),
    ] {
        let Some(model) = model(name) else { return };
        let mut network = model.network().unwrap();
        let (Some(growth), Some(food)) = (model.reaction(growth), model.reaction(food)) else { panic!("{name}") };
        network.lower[food] = 0.0;
        let demand = [Demand { reaction: growth, least: 0.1 }];
        let why = explain_conflict(&network, &demand).unwrap().unwrap();
        let named: Vec<String> = why
            .bounds
            .iter()
            .map(|c| match c.subject {
                Subject::Reaction(j) | Subject::Demand(j) => format!("{} {:?} {}", model.reactions[j].id, c.side, c.value),
                Subject::Row(i) => format!("row {i}"),
            })
            .collect();
        eprintln!("{name}: {} bounds, {} programmes: {named:?}", why.bounds.len(), why.programmes);
        assert!(why.bounds.iter().any(|c| c.subject == Subject::Demand(growth)), "{named:?}");
        assert!(!only(&network, &why, None));
        for (out, bound) in named.iter().enumerate() {
            assert!(only(&network, &why, Some(out)), "{name}: without {bound} still a conflict");
        }
    }
}
