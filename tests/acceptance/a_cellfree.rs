//! A15: a cascade of enzymes without cells, from known kinetics to conversion, beside the way through cells.

use crate::bench::{Bench, metabolic_model, root};
use serde_json::{Value as Json, json};

/// Glycerol 3-phosphate from dihydroxyacetone phosphate, NADH made again from ethanol: constants of Teusink et al. 2000.
fn golden(name: &str) -> Json {
    let path = root().join("crates/toji-flux/tests/golden/cellfree").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn quantity(value: f64, unit: &str) -> Json {
    json!({ "value": value, "unit": unit })
}

fn values<'a>(answer: &'a Json, name: &str) -> Vec<f64> {
    let series = answer["series"].as_array().unwrap().iter().find(|s: &&'a Json| s["name"] == name).unwrap();
    series["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[tokio::test]
async fn a15_a_cascade_runs_to_conversion_with_its_balances_beside_a_cell_based_route() {
    let bench = Bench::new().await;
    let (cascade, reference) = (golden("glycerol_phosphate.json"), golden("reference.json"));
    let task = json!({ "until": quantity(16.0, "h"), "points": 65, "tolerance": 1e-10 });
    let ask = json!({ "cascade": cascade, "task": task, "control": "product" });
    let run = bench.run("flux cellfree", ask.clone()).await;

    // Over time as SciPy integrates the same laws (Radau, 1e-12).
    let times: Vec<f64> = run["times_h"].as_array().unwrap().iter().map(|t| t.as_f64().unwrap()).collect();
    for (at, time) in reference["times"].as_array().unwrap().iter().enumerate() {
        let k = times.iter().position(|t| Some(*t) == time.as_f64()).unwrap();
        for (species, right) in reference["concentrations"].as_object().unwrap() {
            let (seen, right) = (values(&run, species)[k], right[at].as_f64().unwrap());
            assert!((seen - right).abs() <= 1e-6 * right.abs().max(1e-3), "{species} at {time} h: {seen} beside {right}");
        }
    }
    // Conversion and what balances: every element and the charge, and what no reaction can change.
    let conversion = run["summary"]["conversion"].as_f64().unwrap();
    assert!((conversion - (1.0 - values(&run, "dhap").last().unwrap() / 20.0)).abs() < 1e-9, "{conversion}");
    assert!((0.88..0.90).contains(&conversion), "{conversion}");
    let balances = run["balances"].as_object().unwrap();
    assert!(["C", "H", "N", "O", "P", "charge"].iter().all(|e| balances[*e].as_f64().unwrap().abs() < 1e-9), "{balances:?}");
    assert!(run["moieties"].as_array().unwrap().iter().all(|m| m["deviation"].as_f64().unwrap() < 1e-7), "{}", run["moieties"]);
    // The cofactor is made again some 35 times, and both enzymes have their share of the control.
    let turnover = run["summary"]["cofactors"][0]["moles"].as_f64().unwrap();
    assert!((turnover - values(&run, "g3p").last().unwrap() / 0.5).abs() < 1e-6, "{turnover}");
    assert_eq!(run["control"]["coefficients"].as_object().unwrap().len(), 2, "{}", run["control"]);
    // A reaction that does not balance is refused with what is missing.
    let mut broken = cascade.clone();
    broken["reactions"][0]["stoichiometry"].as_object_mut().unwrap().remove("h");
    let refused = bench.refusal("flux cellfree", json!({ "cascade": broken, "task": ask["task"] })).await;
    assert_eq!(refused.code(), "E-FLUX-101");

    // Beside cells that make the same from glucose: iJO1366 with a way out for the product.
    let Some(model) = metabolic_model("iJO1366.xml.gz") else { return };
    let made = bench.output("flux convert", json!({ "model": model, "to": "json" })).await.attachment.unwrap();
    let mut host: Json = serde_json::from_slice(&made.bytes).unwrap();
    let out = json!({ "id": "DM_glyc3p_c", "name": "", "metabolites": { "glyc3p_c": -1.0 }, "lower_bound": 0.0,
        "upper_bound": 1000.0, "gene_reaction_rule": "" });
    host["reactions"].as_array_mut().unwrap().push(out);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("host.json");
    std::fs::write(&path, host.to_string()).unwrap();
    let cells = json!({ "product": "DM_glyc3p_c", "substrate": "EX_glc__D_e", "growth": "BIOMASS_Ec_iJO1366_core_53p95M",
        "least_growth": quantity(0.1, "/h"), "biomass": quantity(5.0, "g/L") });
    let ask = json!({ "cascade": cascade, "task": ask["task"], "model": path, "cells": cells });
    let both = bench.run("flux cellfree", ask).await;
    let (route, compared) = (&both["cells"], &both["comparison"]);
    let number = |value: &Json| value.as_f64().unwrap_or_else(|| panic!("{both}"));
    assert!(number(&route["growth"]) >= 0.1 - 1e-9 && number(&route["product"]) > 1.0, "{route}");
    // A glucose has six carbons and the product three: no more than two for one.
    assert!((0.1..=2.0).contains(&number(&route["yield_mol"])), "{route}");
    let titre = number(&compared["titre"]);
    assert!((titre - number(&both["summary"]["titre_mass"])).abs() < 1e-9);
    let hours = titre / number(&route["productivity"]);
    assert!((number(&compared["cells"]["hours"]) - hours).abs() < 1e-9 * hours, "{compared}");
    assert!(
        number(&compared["cascade"]["product_per_catalyst"]) > number(&compared["cells"]["product_per_catalyst"]),
        "{compared}"
    );
    let assumptions = compared["assumptions"].as_array().unwrap();
    assert!(assumptions.len() >= 4 && assumptions.iter().all(|a| a["ja"] != "" && a["en"] != ""), "{compared}");
}
