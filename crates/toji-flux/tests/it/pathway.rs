//! Routes from elsewhere: against exhaustion, against COBRApy, and against driving forces.

use super::model;
use std::collections::BTreeSet;
use toji_flux::design::Screening;
use toji_flux::model::{Model, Scenario};
use toji_flux::pathway::{PathwayTask, Thermodynamics, Universe, routes, table};

fn task(product: &str, min_product: f64) -> PathwayTask {
    PathwayTask {
        product: product.into(),
        growth: "BIOMASS_Ecoli_core_w_GAM".into(),
        feed: "EX_glc__D_e".into(),
        min_growth: 0.1,
        min_product,
        max_reactions: 6,
        max_cost: None,
        routes: 3,
        max_candidates: 100_000,
        thermodynamics: None,
    }
}

/// The model with some reactions taken out: closed, and under other names.
fn without(model: &Model, gone: &[&str]) -> Model {
    let mut parts = model.clone().into_parts();
    for reaction in parts.reactions.iter_mut().filter(|r| gone.contains(&r.id.as_str())) {
        reaction.id = format!("closed_{}", reaction.id);
        (reaction.lower, reaction.upper) = (0.0, 0.0);
    }
    Model::new(parts).unwrap()
}

#[test]
fn the_routes_are_the_minimal_sets_that_exhaustion_finds() {
    let Some(full) = model("e_coli_core.xml.gz") else { return };
    let gone = ["PFL", "ALCD2x", "ACALD", "PTAr", "ACKr", "LDH_D", "FRD7", "ME1", "PPC", "PDH"];
    let host = without(&full, &gone);
    let universe = Universe::of_model(&full, &host);
    assert_eq!(universe.reactions.len(), gone.len());
    let mut scenario = Scenario::new(&host);
    scenario.set_bounds("EX_o2_e", 0.0, 1000.0).unwrap();
    for (product, least, growth) in [("etoh_c", 5.0, 0.02), ("succ_c", 4.0, 0.02), ("ac_c", 2.0, 0.05), ("for_c", 3.0, 0.0)] {
        let task = PathwayTask { routes: 1_000, min_growth: growth, max_reactions: 10, ..task(product, least) };
        let found = routes(&scenario, &universe, &task).unwrap();
        assert!(found.complete);
        // Every subset by itself: of the host with just those reactions the most product.
        let mut enough: Vec<usize> = Vec::new();
        for bits in 0..1_usize << gone.len() {
            let part = Universe {
                reactions: universe
                    .reactions
                    .iter()
                    .enumerate()
                    .filter(|(k, _)| bits >> k & 1 == 1)
                    .map(|(_, r)| r.clone())
                    .collect(),
                ..Universe::default()
            };
            if enough.iter().all(|small| small & bits != *small) && most(&full, &part, product, growth) >= least * (1.0 - 1e-7) {
                enough.push(bits);
            }
        }
        // Ascending numbers do not ascend by subsets of equal size, but a subset has the smaller number.
        let want: BTreeSet<BTreeSet<&str>> = enough
            .iter()
            .map(|bits| {
                universe.reactions.iter().enumerate().filter(|(k, _)| bits >> k & 1 == 1).map(|(_, r)| r.id.as_str()).collect()
            })
            .collect();
        let have: BTreeSet<BTreeSet<&str>> = found.routes.iter().map(|r| r.ids().into_iter().collect()).collect();
        eprintln!("{product}: host {:.3}, {} routes, {} programmes: {have:?}", found.host, have.len(), found.programmes);
        assert_eq!(have, want, "{product}");
        assert!(found.routes.iter().all(|r| r.minimal && r.most >= least * (1.0 - 1e-7)));
        assert!(found.routes.windows(2).all(|w| w[0].cost <= w[1].cost));
        assert_eq!(routes(&scenario, &universe, &task).unwrap(), found);
    }
}

/// The most product without oxygen, of the whole model with the reactions closed that are not in the part.
fn most(full: &Model, part: &Universe, product: &str, growth: f64) -> f64 {
    use toji_flux::analyse::fba;
    use toji_flux::lp::Outcome;
    use toji_flux::model::{Addition, Sense};
    let gone = ["PFL", "ALCD2x", "ACALD", "PTAr", "ACKr", "LDH_D", "FRD7", "ME1", "PPC", "PDH"];
    let mut scenario = Scenario::new(full);
    scenario.set_bounds("EX_o2_e", 0.0, 1000.0).unwrap();
    scenario.set_bounds("BIOMASS_Ecoli_core_w_GAM", growth, 1000.0).unwrap();
    for id in gone.iter().filter(|id| part.reactions.iter().all(|r| r.id != **id)) {
        scenario.set_bounds(id, 0.0, 0.0).unwrap();
    }
    let demand =
        Addition { id: "out".into(), name: None, stoichiometry: vec![(product.into(), -1.0)], lower: 0.0, upper: f64::INFINITY };
    scenario.add_reaction(&demand).unwrap();
    scenario.set_objective("out", Sense::Maximize).unwrap();
    match fba(&scenario.network().unwrap()).unwrap() {
        Outcome::Optimal(best) => best.objective,
        _ => f64::NEG_INFINITY,
    }
}

/// Reactions to 1,4-butanediol by either entry (Yim et al., Nat. Chem. Biol. 7, 2011, 445–452), and two that lead nowhere.
const BUTANEDIOL: &str = "\
id;equation;cost;energy;deviation;enzyme;source
SUCD;succoa_c + nadph_c + h_c -> sucsal_c + nadp_c + coa_c;1;;;sucD;10.1038/nchembio.580
AKGDC;akg_c + h_c -> sucsal_c + co2_c;1;;;sucA;10.1038/nchembio.580
4HBD;sucsal_c + nadh_c + h_c -> ghb_c + nad_c;1;;;4hbD;10.1038/nchembio.580
CAT2;ghb_c + accoa_c -> ghbcoa_c + ac_c;1;;;cat2;10.1038/nchembio.580
ALD;ghbcoa_c + nadh_c + h_c -> ghbald_c + nad_c + coa_c;1;;;ald;10.1038/nchembio.580
BDOH;ghbald_c + nadh_c + h_c -> bdo_c + nad_c;1;;;adh;10.1038/nchembio.580
# Dead ends.
X1;ghb_c -> nowhere_c;1
X2;elsewhere_c <=> bdo_c;1
";

#[test]
fn both_entries_to_butanediol_are_found_with_the_yields_of_cobrapy() {
    let Some(model) = model("e_coli_core.xml.gz") else { return };
    let mut universe = table(BUTANEDIOL).unwrap();
    universe.formulas.insert("bdo_c".into(), "C4H10O2".into());
    // COBRApy 0.32.1 with GLPK: most product at growth 0.1, best growth at product 1; with and without oxygen.
    let want = [
        (-1000.0, [("AKGDC", 9.094_267_077, 0.789_895_489), ("SUCD", 9.071_155_055, 0.788_622_368)]),
        (0.0, [("SUCD", 6.127_619_429, 0.197_817_911), ("AKGDC", 3.646_266_667, 0.183_972_873)]),
    ];
    for (oxygen, entries) in want {
        let mut scenario = Scenario::new(&model);
        scenario.set_bounds("EX_o2_e", oxygen, 1000.0).unwrap();
        let found = routes(&scenario, &universe, &task("bdo_c", 1.0)).unwrap();
        assert!(found.complete && found.host == 0.0 && found.routes.len() == 2, "{found:?}");
        for (route, (entry, most, growth)) in found.routes.iter().zip(entries) {
            for line in &route.evidence {
                eprintln!("{}", line.en);
            }
            assert!(route.ids().contains(&entry) && route.steps.len() == 5 && route.minimal, "{entry} {route:?}");
            assert!((route.most - most).abs() < 1e-5 && (route.growth - growth).abs() < 1e-6, "{entry} {route:?}");
            let moles = route.yields.moles.unwrap();
            assert!((moles - most / 10.0).abs() < 1e-6 && (route.yields.carbon.unwrap() - moles * 4.0 / 6.0).abs() < 1e-9);
            // Three reductions by NADH and, by way of succinyl-CoA, one by NADPH for each product.
            let of = |id: &str| route.balance.iter().find(|b| b.0 == id).map_or(0.0, |b| b.1);
            assert!((of("nadh_c") + 3.0).abs() < 1e-6 && (of("bdo_c") - 1.0).abs() < 1e-6, "{:?}", route.balance);
            assert!((of("nadph_c") + f64::from(u8::from(entry == "SUCD"))).abs() < 1e-6);
            assert!(matches!(&route.screening, Screening::Pending { sequences } if sequences.len() == 5));
        }
    }
}

#[test]
fn a_route_uphill_is_refused_and_the_next_one_taken() {
    let Some(model) = model("e_coli_core.xml.gz") else { return };
    // Two ways from pyruvate to a made-up product: the cheap one +40 kJ/mol, the dear one -5 then -5.
    let text = "id;equation;cost;energy;deviation\nUP;pyr_c -> p_c;1;40;0\nA;pyr_c -> q_c;1;-5;1\nB;q_c -> p_c;1;-5;1\n";
    let universe = table(text).unwrap();
    let thermodynamics = Thermodynamics {
        energies: [].into(),
        range: (1e-6, 1e-2),
        concentrations: [("pyr_c".to_owned(), (1e-3, 1e-3))].into(),
        contained: vec!["h_c".into(), "h2o_c".into()],
        kelvin: 298.15,
        spread: 0.0,
        least: 0.0,
    };
    let scenario = Scenario::new(&model);
    let plain = routes(&scenario, &universe, &task("p_c", 1.0)).unwrap();
    assert_eq!(plain.routes[0].ids(), ["UP"]);
    let careful = PathwayTask { thermodynamics: Some(thermodynamics), ..task("p_c", 1.0) };
    let found = routes(&scenario, &universe, &careful).unwrap();
    assert_eq!(found.refused.len(), 1);
    assert!(found.refused[0].reactions == ["UP"] && found.refused[0].because.en.contains("UP"), "{:?}", found.refused);
    assert_eq!(found.routes[0].ids(), ["A", "B"]);
    // By hand: both steps -5 and in all ln(1e-6/1e-3) RT = -17.12 kJ/mol over two steps.
    let rt = 8.314_462_618e-3 * 298.15;
    let want = 5.0 + rt * 1e3_f64.ln() / 2.0;
    assert!((found.routes[0].force.unwrap() - want).abs() < 1e-6, "{:?} {want}", found.routes[0].force);
    assert_eq!(found.routes[0].unknown, 0);
    let none = PathwayTask { min_product: 0.0, ..careful };
    assert_eq!(routes(&scenario, &universe, &none).unwrap_err().code(), "E-FLUX-132");
    assert_eq!(table("id;equation\nR;a + b\n").unwrap_err().code(), "E-FLUX-131");
    assert_eq!(table("id;equation;cost\nR;a -> b;-1\n").unwrap_err().code(), "E-FLUX-130");
}
