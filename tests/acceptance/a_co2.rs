//! A13: strains that fix CO2, found by gas mix, temperature and product, and what a metabolic model says of one of them.

use crate::bench::{Bench, metabolic_model};
use serde_json::{Value as Json, json};

fn ids(answer: &Json) -> Vec<&str> {
    answer["strains"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a13_gas_mix_temperature_and_product_find_strains_with_their_measured_co2_uptake() {
    let bench = Bench::new().await;
    let none = bench.refusal("strain co2", json!({})).await;
    assert_eq!(none.code(), "E-FLUX-141");
    let loaded = bench.run("reference load", json!({})).await;
    assert_eq!(loaded["rows"], 17, "{loaded}");
    assert!(bench.run("reference load", json!({})).await["tables"].as_array().unwrap().iter().all(|t| t["changed"] == false));

    // By gas mix, temperature and product: value, unit, method and reference as published.
    let ask = json!({ "gases": ["CO2", "H2"], "temperature_c": 37, "product": "ethanol" });
    let found = bench.run("strain co2", ask).await;
    assert_eq!(ids(&found), ["CO2-01"], "{found}");
    let strain = &found["strains"][0];
    assert_eq!(strain["taxon_name"], "Clostridium autoethanogenum");
    let uptake = &strain["uptake"];
    assert_eq!((&uptake["value"], &uptake["deviation"], &uptake["unit"]), (&json!(460.0), &json!(80.0), &json!("mmol/g/d")));
    assert!(uptake["method"]["en"].as_str().unwrap().contains("chemostat") && uptake["method"]["ja"] != "", "{uptake}");
    assert_eq!(strain["reference_uri"], "doi:10.3389/fbioe.2020.00204");

    // In Japanese as well, and a mix with CO brings the strain that uses it, first by its uptake.
    let ask = json!({ "gases": ["CO₂", "H2", "co"], "temperature_c": 36.0, "product": "エタノール" });
    assert_eq!(ids(&bench.run("strain co2", ask).await), ["CO2-02", "CO2-01"]);
    // With oxygen in the mix none that oxygen harms is named.
    let aerobic = json!({ "gases": ["CO2", "H2", "O2"], "energy": "hydrogen", "unmeasured": true });
    let aerobic = bench.run("strain co2", aerobic).await;
    assert_eq!(ids(&aerobic), ["CO2-03", "CO2-04", "CO2-07", "CO2-08"], "{aerobic}");
    // Hot springs: the range of growth decides where it is recorded.
    let hot = bench.run("strain co2", json!({ "temperature_c": 66, "unmeasured": true })).await;
    assert_eq!(ids(&hot), ["CO2-07", "CO2-08"], "{hot}");
    // Without a measured uptake a strain is named only when asked for.
    let acetate = json!({ "gases": ["CO2", "H2"], "temperature_c": 30, "product": "acetate" });
    assert_eq!(ids(&bench.run("strain co2", acetate).await), Vec::<&str>::new());
    // Values in other units are not compared: each unit stands by itself, the greatest first.
    let light = bench.run("strain co2", json!({ "gases": ["CO2"], "energy": "light" })).await;
    assert_eq!(ids(&light), ["CO2-12", "CO2-11", "CO2-10", "CO2-09", "CO2-13"], "{light}");

    // A measurement of one's own stands beside the published ones, with its strain.
    bench.put("strain", "STR-C1", json!({ "name": "自社株", "taxon_name": "Cupriavidus necator" })).await;
    let own = json!({ "taxon_name": "Cupriavidus necator", "strain": "STR-C1", "energy": "hydrogen", "gases": ["CO2", "H2", "O2"],
        "temperature_c": 30.0, "products_ja": ["ポリ(3-ヒドロキシ酪酸)"], "products_en": ["poly(3-hydroxybutyrate)"], "uptake": 21.5,
        "unit": "mmol/L/h", "uptake_of": "co2", "method_en": "off-gas balance", "reference": "社内報告 12" });
    bench.put("co2-fixation", "CO2-OWN", own).await;
    let ask = json!({ "gases": ["CO2", "H2", "O2"], "temperature_c": 30, "product": "hydroxybutyrate" });
    let found = bench.run("strain co2", ask).await;
    assert_eq!(ids(&found), ["CO2-OWN"], "{found}");
    // The generic list and search know them too.
    let listed = bench.run("record list", json!({ "kind": "co2-fixation", "filter": { "gases": "O2" } })).await;
    assert_eq!(listed["total"], 5, "{listed}");
    let hits = bench.run("search query", json!({ "text": "Clostridium" })).await;
    assert!(hits["hits"].as_array().unwrap().iter().any(|h| h["id"] == "CO2-01"), "{hits}");
    // Where the model of a host is fetched, and under which licence; none is shipped.
    let host = bench.run("record get", json!({ "kind": "host", "id": "HOST-CNE" })).await;
    assert_eq!((&host["fields"]["model_licence"], &host["fields"]["may_be_shipped"]), (&json!("GPL-3.0"), &json!(false)));
}

#[tokio::test]
async fn a13_a_model_of_cupriavidus_grows_on_hydrogen_and_carbon_dioxide_alone() {
    let Some(model) = metabolic_model("RehMBEL1391.json") else { return };
    let bench = Bench::new().await;
    let held = bench.run("flux model", json!({ "model": model, "text": "co2_e" })).await;
    assert!(held["reactions"].as_array().unwrap().iter().any(|r| r["id"] == "EX_co2_e"), "{held}");
    let whole = bench.run("flux model", json!({ "model": model, "reaction": [] })).await;
    // Minerals stay as the model offers them; of carbon and energy, only what is named.
    let carbon: Vec<&str> = whole["medium"].as_object().unwrap().keys().map(String::as_str).collect();
    let metabolites = whole["metabolites"].as_array().unwrap();
    let formula = |id: &str| metabolites.iter().find(|m| m["id"] == id).and_then(|m| m["formula"].as_str()).unwrap_or_default();
    let exchanged = |id: &str| {
        let reaction = whole["reactions"].as_array().unwrap().iter().find(|r| r["id"] == id).unwrap();
        reaction["stoichiometry"][0][0].as_str().unwrap().to_owned()
    };
    // Carbon, not calcium, chlorine, cobalt or copper.
    let organic = |id: &str| {
        let formula = formula(&exchanged(id)).to_owned();
        formula.strip_prefix('C').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    let mut bounds = serde_json::Map::new();
    for id in carbon.iter().filter(|id| organic(id)) {
        bounds.insert((*id).to_owned(), json!([0.0, 1000.0]));
    }
    let grown = async |h2: f64, o2: f64, co2: f64| {
        let mut bounds = bounds.clone();
        for (id, uptake) in [("EX_h2_e", h2), ("EX_o2_e", o2), ("EX_co2_e", co2)] {
            bounds.insert(id.to_owned(), json!([-uptake, 1000.0]));
        }
        bench.run("flux fba", json!({ "model": model, "bounds": bounds })).await
    };
    // COBRApy 0.32.1 with GLPK: 0.05361278728 1/h at an uptake of 10 mmol/g/h of hydrogen.
    let reference = grown(10.0, 18.5, 1000.0).await["objective"]["value"].as_f64().unwrap();
    assert!((reference - 0.053_612_787_28).abs() < 1e-6, "{reference}");
    let fed = grown(30.0, 20.0, 10.0).await;
    let growth = fed["objective"]["value"].as_f64().unwrap();
    let flux = |id: &str| fed["fluxes"][id].as_f64().unwrap();
    assert!(growth > 0.01, "{growth}");
    // It takes up all three gases and no organic compound: what grows is made of CO2.
    assert!(flux("EX_h2_e") < -1.0 && flux("EX_o2_e") < -0.1 && flux("EX_co2_e") < -0.1, "{fed}");
    for id in bounds.keys().filter(|id| *id != "EX_co2_e") {
        assert!(flux(id) >= -1e-9, "{id}");
    }
    // Each of the gases is needed.
    for (h2, o2, co2) in [(0.0, 20.0, 10.0), (30.0, 0.0, 10.0), (30.0, 20.0, 0.0)] {
        let starved = grown(h2, o2, co2).await;
        assert!(starved["objective"]["value"].as_f64().is_none_or(|v| v < 1e-6), "{h2} {o2} {co2}: {}", starved["objective"]);
    }
}
