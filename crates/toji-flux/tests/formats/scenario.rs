//! Scenarios over real models, with growth as the references have it.

use super::{open, reference, shared};
use std::collections::BTreeMap;
use toji_flux::io::json;
use toji_flux::lp::{Problem, Solver};
use toji_flux::model::{Addition, Boundary, Model, Scenario, Sense};

/// Greatest (or least) objective; zero where nothing is feasible.
fn optimum(scenario: &Scenario<'_>) -> f64 {
    let outcome = Solver::new(Problem::from(&scenario.network().unwrap())).unwrap().solve().unwrap();
    outcome.optimum().map_or(0.0, |o| o.objective)
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-6 * (1.0 + expected.abs()), "{what}: {found} for {expected}");
}

fn textbook() -> Option<(Model, serde_json::Value)> {
    Some((open("models/textbook.xml.gz")?.model, reference("textbook.json")?))
}

#[test]
fn media_give_the_growth_of_the_reference() {
    let Some((model, expected)) = textbook() else { return };
    let Some(bytes) = shared("models/RehMBEL1391.json") else { return };
    let autotroph = json::read(&bytes).unwrap().model;
    let conditions = reference("RehMBEL1391.json").unwrap()["conditions"].clone();
    for (model, media) in [(&model, &expected["media"]), (&autotroph, &conditions)] {
        for (name, medium) in media.as_object().unwrap() {
            let mut scenario = Scenario::new(model);
            for (id, bounds) in medium["bounds"].as_object().unwrap() {
                scenario.set_bounds(id, bounds[0].as_f64().unwrap(), bounds[1].as_f64().unwrap()).unwrap();
            }
            close(optimum(&scenario), medium["growth"].as_f64().unwrap(), name);
        }
    }
}

#[test]
fn knock_outs_give_the_growth_of_the_reference() {
    let Some((model, expected)) = textbook() else { return };
    for (gene, growth) in expected["single_gene_deletion"].as_object().unwrap() {
        let mut scenario = Scenario::new(&model);
        close(optimum(scenario.knock_out_gene(gene).unwrap()), growth.as_f64().unwrap_or(0.0), gene);
    }
    for (reaction, growth) in expected["single_reaction_deletion"].as_object().unwrap() {
        let mut scenario = Scenario::new(&model);
        close(optimum(scenario.knock_out_reaction(reaction).unwrap()), growth.as_f64().unwrap_or(0.0), reaction);
    }
    for (product, rate) in expected["max_production"].as_object().unwrap() {
        let mut scenario = Scenario::new(&model);
        close(optimum(scenario.set_objective(product, Sense::Maximize).unwrap()), rate.as_f64().unwrap(), product);
    }
}

#[test]
fn exchanges_and_medium_are_those_of_the_reference() {
    let Some((model, expected)) = textbook() else { return };
    assert_eq!(model.outside(), Some("e"));
    assert_eq!(expected["stats"]["exchanges"], model.exchanges().len());
    let medium = Scenario::new(&model).medium();
    let uptake: Vec<(&str, f64)> = medium.iter().map(|(id, rate)| (id.as_str(), *rate)).collect();
    let known = [("EX_co2_e", 1000.0), ("EX_glc__D_e", 10.0), ("EX_h2o_e", 1000.0), ("EX_h_e", 1000.0)];
    assert_eq!(uptake[..4], known);
    let mut anaerobic = medium.clone();
    anaerobic.remove("EX_o2_e").unwrap();
    let mut scenario = Scenario::new(&model);
    scenario.set_medium(&anaerobic).unwrap();
    assert_eq!(scenario.medium(), anaerobic);
    close(optimum(&scenario), expected["media"]["anaerobic"]["growth"].as_f64().unwrap(), "anaerobic");
    close(optimum(&Scenario::new(&model)), expected["fba"].as_f64().unwrap(), "the model beneath stays");
    for bad in [("EX_glc__D_e", -1.0), ("PFK", 1.0), ("EX_glc__D_e", f64::NAN)] {
        let error = scenario.set_medium(&BTreeMap::from([(bad.0.to_owned(), bad.1)])).unwrap_err();
        assert_eq!(error.code(), "E-MODEL-013");
    }
    assert_eq!(scenario.set_medium(&BTreeMap::from([("EX_gluc".to_owned(), 1.0)])).unwrap_err().code(), "E-MODEL-010");
    assert_eq!(scenario.medium(), anaerobic);
    let (Some(big), Some(bytes)) = (open("models/iJO1366.xml.gz"), shared("models/RehMBEL1391.json")) else { return };
    assert_eq!(big.model.exchanges().len(), big.model.reactions.iter().filter(|r| r.id.starts_with("EX_")).count());
    let demand = big.model.reactions.iter().position(|r| r.id.starts_with("DM_")).unwrap();
    assert_eq!(big.model.boundary(demand), Some(Boundary::Demand));
    let autotroph = json::read(&bytes).unwrap().model;
    assert_eq!(reference("RehMBEL1391.json").unwrap()["stats"]["exchanges"], autotroph.exchanges().len());
}

#[test]
fn a_pathway_added_and_a_constraint_change_the_answer_and_nothing_else() {
    let Some((model, expected)) = textbook() else { return };
    let mut scenario = Scenario::new(&model);
    let addition = |id: &str, terms: &[(&str, f64)], lower: f64| Addition {
        id: id.into(),
        name: None,
        stoichiometry: terms.iter().map(|t| (t.0.to_owned(), t.1)).collect(),
        lower,
        upper: 1000.0,
    };
    let pathway = [addition("PYRtoX", &[("pyr_c", -1.0), ("x_c", 1.0)], 0.0), addition("EX_x", &[("x_c", -1.0)], 0.0)];
    for step in &pathway {
        scenario.add_reaction(step).unwrap();
    }
    assert_eq!(scenario.add_reaction(&pathway[0]).unwrap_err().code(), "E-MODEL-012");
    scenario.set_objective("EX_x", Sense::Maximize).unwrap();
    // x is pyruvate that leaves without its proton's transport: as much as pyruvate can be made.
    close(optimum(&scenario), expected["max_production"]["EX_pyr_e"].as_f64().unwrap(), "x");
    scenario.add_constraint("cap", &[("EX_x", 2.0), ("PFK", 0.0)], f64::NEG_INFINITY, 7.0).unwrap();
    close(optimum(&scenario), 3.5, "capped");
    scenario.knock_out_reaction("PYRtoX").unwrap();
    close(optimum(&scenario), 0.0, "knocked out");
    let network = scenario.network().unwrap();
    assert_eq!((network.rows(), network.reactions()), (72 + 1 + 1, 95 + 2));
    assert_eq!(scenario.set_bounds("PFK", 2.0, 1.0).unwrap_err().code(), "E-MODEL-012");
    assert_eq!(scenario.set_bounds("PFK", 0.0, f64::NAN).unwrap_err().code(), "E-MODEL-012");
    let error = scenario.knock_out_gene("b391").unwrap_err();
    assert!(error.fault().hint.as_ref().unwrap().en.starts_with("did you mean b391"), "{error:?}");
}
