//! Designs by growth-coupling potential, targets of expression, and designs judged by themselves.

use super::{model, shared};
use std::collections::BTreeSet;
use toji_flux::design::{
    BatchTask, Edit, Intervention, Limit, OxygenSupply, Potential, PotentialTask, ScanTask, Screening, Stalled, Strain, Tie,
    Trend, VerifyTask, potential, potentials, scan, verify,
};
use toji_flux::model::{Model, Scenario};

fn flux(model: &Model, id: &str) -> usize {
    model.reaction(id).unwrap_or_else(|| panic!("no {id}"))
}

/// The interventions of the reference's `optcouple_weak`, with their signed names.
fn weak(model: &Model) -> (Vec<Intervention>, Vec<String>) {
    let out = [
        ("r1", 1.0),
        ("r4", 1.1),
        ("r5", 0.75),
        ("r7", 0.8),
        ("r8", 1.0),
        ("r9", 1.0),
        ("r_P", 1.0),
        ("r_BM", 1.0),
        ("r_Q", 1.5),
    ];
    let hold = Edit::Hold(Limit::at_least(&[(flux(model, "r6"), 1.0)], 4.5));
    let mut list: Vec<(Edit, f64, String)> =
        out.iter().map(|&(id, cost)| (Edit::RemoveReaction(flux(model, id)), cost, format!("-{id}"))).collect();
    list.extend([("r3", 0.6), ("r6", 1.0)].map(|(id, cost)| (Edit::AddReaction(flux(model, id)), cost, format!("+{id}"))));
    list.push((hold, 1.2, "+r6 >= 4.5".into()));
    let names = list.iter().map(|entry| entry.2.clone()).collect();
    (list.into_iter().map(|(edit, cost, _)| Intervention { edit, cost }).collect(), names)
}

#[test]
fn growth_coupling_potential_finds_the_designs_of_the_reference() {
    let (Some(model), Some(bytes)) = (model("model_weak_coupling.xml"), shared("straindesign_toy.json")) else { return };
    let file: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let want: BTreeSet<BTreeSet<String>> = file["cases"]["optcouple_weak"]["reaction_designs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|design| {
            let signed = |(id, sign): (&String, &serde_json::Value)| {
                format!("{}{id}", if sign.as_f64().unwrap() > 0.0 { '+' } else { '-' })
            };
            design.as_object().unwrap().iter().map(signed).collect()
        })
        .collect();
    let network = model.network().unwrap();
    let (interventions, names) = weak(&model);
    let task = PotentialTask {
        growth: vec![(flux(&model, "r_BM"), 1.0)],
        product: vec![(flux(&model, "r_P"), 1.0)],
        min_growth: 0.0,
        min_potential: 1.0,
        stalled: Stalled::Excluded,
        interventions,
        max_size: 9,
        max_cost: 6.0,
        designs: 3,
        max_candidates: 1_000_000,
    };
    let found = potentials(&model, &network, &task).unwrap();
    let have: BTreeSet<BTreeSet<String>> =
        found.designs.iter().map(|d| d.interventions.iter().map(|&at| names[at].clone()).collect()).collect();
    assert_eq!(have, want, "{:?}", found.designs);
    // The reference leaves out what has no steady state without product; counted as no growth, such strains lead.
    let all = PotentialTask { stalled: Stalled::NoGrowth, ..task.clone() };
    for task in [task, all] {
        let found = potentials(&model, &network, &task).unwrap();
        for design in &found.designs {
            let have = potential(&model, &network, &task, &design.interventions).unwrap().unwrap();
            eprintln!("{:.6} at {:.2}: {have:?}", design.value, design.cost);
            assert!((have.value() - design.value).abs() < 1e-7);
        }
        assert!((found.designs[0].value - exhausted(&model, &task)).abs() < 1e-7);
    }
}

/// The greatest potential of all sets within the task's limits, each judged by itself.
fn exhausted(model: &Model, task: &PotentialTask) -> f64 {
    let network = model.network().unwrap();
    let count = task.interventions.len();
    let mut best = f64::NEG_INFINITY;
    for bits in 0..1_usize << count {
        let set: Vec<usize> = (0..count).filter(|at| bits >> at & 1 == 1).collect();
        let cost: f64 = set.iter().map(|&at| task.interventions[at].cost).sum();
        if cost > task.max_cost + 1e-9 {
            continue;
        }
        let have = potential(model, &network, task, &set).unwrap();
        let counts = |p: &Potential| p.without.is_some() || task.stalled == Stalled::NoGrowth;
        if let Some(have) = have.filter(counts) {
            best = best.max(have.value());
        }
    }
    best
}

#[test]
fn fluxes_that_follow_succinate_are_those_of_its_pathway() {
    let Some(model) = model("e_coli_core.xml.gz") else { return };
    let mut network = model.network().unwrap();
    network.lower[flux(&model, "EX_o2_e")] = 0.0;
    let task = ScanTask {
        growth: flux(&model, "BIOMASS_Ecoli_core_w_GAM"),
        product: flux(&model, "EX_succ_e"),
        steps: 8,
        reach: 0.9,
        ranges: true,
        threads: 1,
    };
    let found = scan(&network, &task).unwrap().unwrap();
    assert!(found.product.len() >= 8 && found.product.windows(2).all(|w| w[0] < w[1]), "{:?}", found.product);
    // Growth gives way as product is forced, and straight between break points: it is concave.
    // The growth at each step is that of one programme of the whole network.
    for (product, growth) in found.product.iter().zip(&found.growth) {
        let mut fixed = network.clone();
        (fixed.lower[task.product], fixed.upper[task.product]) = (*product, *product);
        match toji_flux::analyse::fba(&fixed).unwrap() {
            toji_flux::lp::Outcome::Optimal(best) => assert!((best.objective - growth).abs() < 1e-7, "{product} {growth}"),
            other => panic!("{other:?}"),
        }
    }
    let slopes: Vec<f64> = (1..found.product.len())
        .map(|k| (found.growth[k] - found.growth[k - 1]) / (found.product[k] - found.product[k - 1]))
        .collect();
    assert!(slopes.windows(2).all(|w| w[1] <= w[0] + 1e-6) && slopes.iter().all(|s| *s < 1e-9), "{slopes:?}");
    let of = |id: &str| &found.reactions[flux(&model, id)];
    // Anaerobic succinate runs through phosphoenolpyruvate carboxylase and the reductive branch, at the cost of
    // ethanol and formate (Jantama et al. 2008).
    for id in ["PPC", "FRD7", "FUM", "SUCCt3", "MDH"] {
        let have = of(id);
        assert!(have.trend == Trend::Up && have.slope > 0.1, "{id} {have:?}");
    }
    for id in ["PFL", "ACALD", "ALCD2x"] {
        let have = of(id);
        assert!(matches!(have.trend, Trend::Down | Trend::Off) && have.slope < -0.1, "{id} {have:?}");
    }
    assert!((of("EX_succ_e").slope - 1.0).abs() < 1e-9 && (of("EX_succ_e").middle.unwrap() - 1.0).abs() < 1e-6);
    assert_eq!(scan(&network, &ScanTask { steps: 1, ..task.clone() }).unwrap_err().code(), "E-FLUX-120");
    assert_eq!(scan(&network, &ScanTask { product: 9999, ..task }).unwrap_err().code(), "E-FLUX-120");
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|s| (*s).to_owned()).collect()
}

fn asked(product: &str) -> VerifyTask {
    VerifyTask {
        growth: "BIOMASS_Ecoli_core_w_GAM".into(),
        product: product.into(),
        feed: "EX_glc__D_e".into(),
        oxygen: None,
        samples: 40,
        spread: 0.2,
        seed: 3,
        batch: None,
    }
}

#[test]
fn a_design_is_verified_on_the_whole_network_and_its_removals_explained() {
    let Some(model) = model("e_coli_core.xml.gz") else { return };
    let mut scenario = Scenario::new(&model);
    scenario.set_bounds("EX_o2_e", 0.0, 0.0).unwrap();
    // Anaerobic without ethanol and lactate formation nor phosphotransacetylase: succinate or formate must carry the electrons.
    let strain = Strain { genes_out: names(&["b1241", "b1380", "b0903"]), reactions_out: names(&["PTAr"]), ..Strain::default() };
    let task = VerifyTask {
        batch: Some(BatchTask { feed: 50.0, uptake: 10.0, half: 0.1, biomass: 0.1, hours: 200.0 }),
        ..asked("EX_succ_e")
    };
    let found = verify(&scenario, &strain, &task).unwrap();
    for line in &found.evidence {
        eprintln!("{}\n{}", line.en, line.ja);
    }
    // COBRApy 0.32.1 with GLPK on the same model and edits: growth of the host 0.211663.
    assert!((found.host.growth - 0.211_662_950).abs() < 1e-6, "{:?}", found.host);
    assert_eq!(found.screening, Screening::NothingAdded);
    let best = found.best;
    assert!(best.is_none_or(|b| b.growth < found.host.growth));
    // Isoenzymes: pflB (b0903) alone leaves the other formate lyases of the rule.
    let pfl = found.edits.iter().find(|e| e.target == "b0903").unwrap();
    assert!(pfl.stops.is_empty() && pfl.isoenzymes == names(&["PFL"]), "{pfl:?}");
    let pta = found.edits.iter().find(|e| e.target == "PTAr").unwrap();
    assert!(pta.genes.len() == 2, "{pta:?}");
    assert_eq!(found.edits.len(), 4);
}

#[test]
fn the_best_coupled_succinate_strain_is_strong_where_its_envelope_says_so() {
    let (Some(model), Some(bytes)) = (model("e_coli_core.xml.gz"), shared("optknock_EX_succ_e.json")) else { return };
    let file: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let row = &file["results"]["k3_robustknock_top15"][0];
    let first = |id: &serde_json::Value| id.as_str().unwrap().split('|').next().unwrap().to_owned();
    let strain = Strain { reactions_out: row["kos"].as_array().unwrap().iter().map(first).collect(), ..Strain::default() };
    let mut scenario = Scenario::new(&model);
    scenario.set_bounds("EX_o2_e", 0.0, 1000.0).unwrap();
    let found = verify(&scenario, &strain, &asked("EX_succ_e")).unwrap();
    let best = found.best.unwrap();
    for (have, key) in [(best.growth, "growth"), (best.min, "min"), (best.max, "max")] {
        assert!((have - row[key].as_f64().unwrap()).abs() < 1e-5, "{key} {have} {row}");
    }
    assert!(found.tie >= Tie::Weak && found.strength > 0.0 && found.strength <= 1.0);
    // The corners bound what holds at the best growth and at 90 % of it.
    let last = *found.lower.last().unwrap();
    assert!((last.0 - best.growth).abs() < 1e-6 && (last.1 - best.min).abs() < 1e-4, "{last:?} {best:?}");
    let ninety = found.ninety.unwrap();
    assert!(ninety.min <= best.min + 1e-6 && ninety.max >= best.max - 1e-6);
    // Yields: succinate has 4 carbons and 116.07 g/mol as dianion C4H4O4, glucose 6 and 180.16.
    let moles = found.yields.moles.unwrap();
    assert!((moles - best.min / 10.0).abs() < 1e-6);
    assert!((found.yields.carbon.unwrap() - moles * 4.0 / 6.0).abs() < 1e-9);
    assert!((found.yields.mass.unwrap() - moles * 116.072 / 180.156).abs() < 1e-6);
    let robust = found.robustness.unwrap();
    assert!(robust.samples == 40 && robust.share > 0.5, "{robust:?}");
    assert_eq!(verify(&scenario, &strain, &asked("EX_succ_e")).unwrap(), found, "the same seed gives the same answer");
    // Without any one of its removals the design is worse.
    assert!(found.edits.iter().any(|e| e.without.product < best.min - 1e-3), "{:?}", found.edits);
}

#[test]
fn oxygen_that_the_vessel_cannot_give_is_told() {
    let Some(model) = model("e_coli_core.xml.gz") else { return };
    let scenario = Scenario::new(&model);
    let supply = |kla| OxygenSupply { exchange: "EX_o2_e".into(), kla, saturation: 0.21, biomass: 10.0 };
    let task = |kla| VerifyTask { oxygen: Some(supply(kla)), samples: 0, ..asked("EX_ac_e") };
    let rich = verify(&scenario, &Strain::default(), &task(2000.0)).unwrap().oxygen.unwrap();
    // COBRApy: the textbook optimum takes up 21.799 of oxygen.
    assert!((rich.need - 21.799_493).abs() < 1e-4 && rich.need < rich.limit && rich.product.abs() < 1e-6, "{rich:?}");
    let poor = verify(&scenario, &Strain::default(), &task(300.0)).unwrap().oxygen.unwrap();
    assert!((poor.limit - 6.3).abs() < 1e-9 && poor.growth < rich.growth && poor.product > 1.0, "{poor:?}");
    let bad = VerifyTask { spread: 1.5, ..asked("EX_ac_e") };
    assert_eq!(verify(&scenario, &Strain::default(), &bad).unwrap_err().code(), "E-FLUX-121");
}

#[test]
fn a_published_strain_at_genome_scale_is_what_cobrapy_says() {
    let Some(model) = model("iJO1366.xml.gz") else { return };
    let mut scenario = Scenario::new(&model);
    scenario.set_bounds("EX_o2_e", 0.0, 1000.0).unwrap();
    // KJ073 (Jantama et al., Biotechnol. Bioeng. 99, 2008, 1140–1153), and its isoenzymes in the model.
    let seven = ["b1380", "b1241", "b2296", "b0904", "b0903", "b0963", "b0871"];
    let isoenzymes = ["b3114", "b0351", "b3951", "b3952", "b0902", "b2297", "b2458"];
    let task = VerifyTask { growth: "BIOMASS_Ec_iJO1366_core_53p95M".into(), samples: 5, ..asked("EX_succ_e") };
    // COBRApy 0.32.1 with GLPK at a feasibility of 1e-9: growth, product at best growth, product at 90 %.
    let want = [(0.241_501_557, 0.080_049, 0.072_044, 2.985_377), (0.189_214_056, 0.062_718, 0.056_446, 3.097_058)];
    for (genes, (growth, product, low, high)) in [seven.to_vec(), [seven, isoenzymes].concat()].into_iter().zip(want) {
        let strain = Strain { genes_out: names(&genes), ..Strain::default() };
        let found = verify(&scenario, &strain, &task).unwrap();
        let (best, ninety) = (found.best.unwrap(), found.ninety.unwrap());
        assert!((best.growth - growth).abs() < 1e-6, "{best:?}");
        assert!((best.min - product).abs() < 1e-5 && (best.max - product).abs() < 1e-5, "{best:?}");
        assert!((ninety.min - low).abs() < 1e-5 && (ninety.max - high).abs() < 1e-5, "{ninety:?}");
        let pfl = found.edits.iter().find(|e| e.target == "b0903").unwrap();
        assert!(pfl.isoenzymes.contains(&"PFL".to_owned()), "{pfl:?}");
        eprintln!("{} {:?} {:?}", genes.len(), found.tie, found.evidence.last().map(|t| &t.en));
    }
}
