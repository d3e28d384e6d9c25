//! A08: predictions that find better recipes, on a simulated plant whose truth nothing below is told.

use crate::bench::{Bench, bilingual};
use serde_json::{Value as Json, json};

/// Factors are constants of the model; blocks of four reactors share the temperature of growth.
fn campaign(name: &str) -> Json {
    json!({
        "name": name,
        "factors": [
            { "name": "T_growth", "unit": "K", "low": 304.15, "high": 312.15, "shared": true },
            { "name": "T_production", "unit": "K", "low": 298.15, "high": 307.15 },
            { "name": "shift", "unit": "h", "low": 10.0, "high": 34.0 },
            { "name": "pH", "unit": "1", "low": 6.5, "high": 7.6, "step": 0.05 },
            { "name": "feed_scale", "unit": "1", "low": 0.5, "high": 1.8 },
            { "name": "S_0", "unit": "g/L", "low": 8.0, "high": 30.0 },
        ],
        "goal": { "name": "titre", "unit": "g/L" },
        "limits": [{ "name": "sugar", "unit": "g/L", "at_most": 5.0 }],
        // Reasonable in everything, best in nothing.
        "default_recipe": { "T_growth": 306.15, "T_production": "305.15 K", "shift": 24.0, "pH": 6.7, "feed_scale": 0.8, "S_0": 20.0 },
        "system": "vessel-0.25l-24",
        "group_size": 4,
        "budget_runs": 48,
        "stop_rule": { "noise_share": 0.2, "cost_of_run": 3.0 },
        "seed": 1,
    })
}

fn hidden() -> Json {
    let spread = |of: &[(&str, f64)]| -> Json {
        of.iter().map(|(constant, share)| json!({ "constant": constant, "share": share })).collect()
    };
    json!({
        "plant": spread(&[("mu_max", 0.1), ("beta", 0.15), ("Y_XS", 0.05), ("OTR_max", 0.1), ("thermometer", 0.003), ("pH_probe", 0.015)]),
        "reactor": spread(&[("OTR_max", 0.03), ("pump", 0.02)]),
        "run": spread(&[("beta", 0.04), ("X_0", 0.1)]),
        "wander": [{ "profile": "vigour", "share": 0.05, "memory": 0.7 }],
        "sensors": [{ "quantity": "titre", "share": 0.03, "least": 0.02 }, { "quantity": "sugar", "share": 0.05, "least": 0.1 }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a08_the_suggested_recipe_beats_the_default_within_48_runs_and_says_how_well_it_foretold() {
    let bench = Bench::new().await;
    bench.run("culture vessels", json!({})).await;
    let started = bench.run("culture campaign", campaign("TITRE-1")).await;
    assert_eq!((&started["units"], started["default_recipe"].as_array().unwrap().len()), (&json!(24), 6));
    // Nothing can be simulated or told before something was proposed.
    let early = json!({ "campaign": "TITRE-1", "plant": "luedeking-piret-fed-batch", "until": "60 h" });
    assert_eq!(bench.refusal("culture campaign-simulate", early).await.code(), "E-CAMPAIGN-049");

    let mut truths = Vec::new();
    for round in 1..=2 {
        let input = json!({ "campaign": "TITRE-1", "replicates": if round == 1 { 0 } else { 3 } });
        let proposed = bench.run("culture campaign-propose", input).await;
        let sheet = proposed["sheet"].as_array().unwrap();
        assert_eq!((sheet.len(), &proposed["number"]), (24, &json!(round)));
        assert!(sheet.iter().all(|l| bilingual(&l["reason"]) && l["recipe"].as_array().unwrap().len() == 6), "{proposed}");
        // Four neighbours share one temperature of growth.
        for block in sheet.chunks(4) {
            let shared: Vec<&Json> = block.iter().map(|l| &l["recipe"][0]["value"]).collect();
            assert!(shared.iter().all(|t| t == &shared[0]), "{shared:?}");
        }
        if round == 2 {
            assert!(sheet.iter().all(|l| l["expected"][0]["low"].as_f64() < l["expected"][0]["mean"].as_f64()), "{proposed}");
        }
        // Kept before any run was made, with its predictions, and as an experiment on the system.
        let kept = bench.get("proposal", proposed["proposal"].as_str().unwrap()).await;
        assert_eq!((&kept["version"], &kept["fields"]["results"]), (&json!(1), &Json::Null));
        let experiment = bench.get("experiment", proposed["experiment"].as_str().unwrap()).await;
        assert_eq!(experiment["fields"]["units"].as_array().unwrap().len(), 24);
        let shown = bench.run("culture campaign-show", json!({ "campaign": "TITRE-1" })).await;
        assert_eq!(shown["pending"], 24, "{shown}");
        let simulate = json!({ "campaign": "TITRE-1", "plant": "luedeking-piret-fed-batch", "until": "60 h", "hidden": hidden(), "plant_seed": 7 });
        let made = bench.run("culture campaign-simulate", simulate).await;
        assert_eq!((&made["simulated"], &made["default_runs"]), (&json!(24), &json!(if round == 1 { 3 } else { 0 })));
        truths.push(made);
        // The recipes and predictions that were kept are as they were.
        let after = bench.get("proposal", proposed["proposal"].as_str().unwrap()).await;
        assert_eq!(after["fields"]["runs"], kept["fields"]["runs"]);
        assert_eq!(after["fields"]["results"].as_array().unwrap().len(), 24);
    }
    let shown = bench.run("culture campaign-show", json!({ "campaign": "TITRE-1" })).await;
    assert_eq!((&shown["runs_made"], &shown["budget_left"], &shown["cost"]), (&json!(48), &json!(0), &json!(144.0)));
    // Within 48 runs: better than the default by what is expected, by what was measured, and in truth.
    let number = |value: &Json| value.as_f64().unwrap_or_else(|| panic!("no number in {shown}"));
    let default = number(&shown["default"]["expected"][0]["mean"]);
    assert!(number(&shown["regret_of_default"]) > 0.1 * default, "{shown}");
    let measured = |recipe: &Json| {
        let all: Vec<f64> = recipe["measured"].as_array().unwrap().iter().map(number).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    assert!(measured(&shown["best"]) > 1.1 * measured(&shown["default"]), "{shown}");
    let made = &truths[1];
    assert!(number(&made["truth_best"]) > 1.1 * number(&made["truth_default"]), "{made}");
    // How well it foretold is reported for the batch that a model proposed.
    let predictions = &shown["predictions"];
    assert_eq!((&predictions["n"], &shown["rounds"][0]["predictions"]), (&json!(24), &Json::Null));
    assert!(number(&predictions["error_percent"]) < 30.0 && number(&predictions["inside_percent"]) >= 40.0, "{predictions}");
    assert!(bilingual(&shown["verdict"]) && shown["stop"] == true);
    // The budget is used up, and a campaign that has proposed is not changed.
    let more = bench.refusal("culture campaign-propose", json!({ "campaign": "TITRE-1" })).await;
    assert_eq!(more.code(), "E-CAMPAIGN-048");
    assert_eq!(bench.refusal("culture campaign", campaign("TITRE-1")).await.code(), "E-CAMPAIGN-046");
    // The same campaign on the same plant gives the same proposals.
    bench.run("culture campaign", campaign("TITRE-2")).await;
    let again = bench.run("culture campaign-propose", json!({ "campaign": "TITRE-2", "dry_run": true })).await;
    let first = bench.run("record list", json!({ "kind": "proposal", "limit": 10 })).await;
    let runs = &first["records"].as_array().unwrap().iter().find(|r| r["fields"]["number"] == 1).unwrap()["fields"]["runs"];
    let points: Vec<&Json> = runs.as_array().unwrap().iter().map(|r| &r["point"][1]).collect();
    let others: Vec<&Json> = again["sheet"].as_array().unwrap().iter().map(|l| &l["recipe"][1]["value"]).collect();
    assert_eq!(points, others);
    bench.is_sound().await;
}

/// Hydrogen, oxygen and carbon dioxide into a head space of nitrogen: what lies beyond the envelope is
/// never proposed, however much the data promise there; and where nothing is safe that is said.
#[tokio::test(flavor = "multi_thread")]
async fn a08_no_recipe_is_suggested_whose_path_crosses_the_safety_envelope() {
    let bench = Bench::new().await;
    let inflow = |name: &str, gas: &str, low: f64, high: f64, sparged: bool| json!({ "name": name, "mixture": { gas: 1.0 }, "low_mol_per_h": low, "high_mol_per_h": high, "sparged": sparged });
    let gases = |from: f64| {
        json!([
            inflow("H2", "hydrogen", from * 10.0, 10.0, true),
            inflow("O2", "oxygen", from * 0.3, 0.3, true),
            inflow("CO2", "carbon_dioxide", from * 2.0, 2.0, true),
            inflow("N2", "nitrogen", 12.0, 12.0, false),
        ])
    };
    let purge = json!([inflow("purge", "nitrogen", 60.0, 60.0, false)]);
    let plan = json!({
        "head_space_mol": 5.0,
        "start": { "nitrogen": 1.0 },
        "phases": [
            { "name": "purge", "kind": "purge", "minutes": 30.0, "inflows": purge },
            { "name": "start-up", "kind": "start-up", "minutes": 20.0, "inflows": gases(0.0) },
            { "name": "operation", "kind": "steady", "minutes": 600.0, "inflows": gases(1.0),
              "uptake": { "hydrogen": { "low": 0.0, "high": 3.0 }, "oxygen": { "low": 0.0, "high": 0.3 } } },
            { "name": "shutdown", "kind": "shutdown", "minutes": 60.0, "inflows": purge },
        ],
        "faults": { "agitation": true, "supplies": false, "response_minutes": 2.0,
                    "trip": [{ "name": "trip", "kind": "shutdown", "minutes": 30.0, "inflows": purge }] },
    });
    let flow = |supply: &str| json!({ "what": "flow", "supply": supply });
    let envelope = json!({
        "plan": plan,
        "bound": [
            { "factor": "oxygen", "sets": flow("O2") },
            { "factor": "hydrogen", "sets": flow("H2") },
            { "factor": "purge", "sets": { "what": "minutes", "phase": "purge" } },
        ],
    });
    let gas = |name: &str, oxygen_low: f64| {
        json!({
            "name": name,
            "factors": [
                { "name": "oxygen", "unit": "mol/h", "low": oxygen_low, "high": 4.0 },
                { "name": "hydrogen", "unit": "mmol/min", "low": 50.0, "high": 200.0 },
                { "name": "purge", "unit": "min", "low": 1.0, "high": 40.0 },
            ],
            "goal": { "name": "biomass-final", "unit": "g/L" },
            "default_recipe": { "oxygen": oxygen_low.max(0.2), "hydrogen": 150.0, "purge": 30.0 },
            "units": 4,
            "envelope": envelope,
            "seed": 3,
        })
    };
    let started = bench.run("culture campaign", gas("GAS-1", 0.05)).await;
    assert_eq!((&started["envelope_by"], &started["warnings"]), (&json!("hydrogen-oxygen v1"), &json!([])));
    let mut oxygen_most: f64 = 0.0;
    for round in 0..3 {
        let proposed = bench.run("culture campaign-propose", json!({ "campaign": "GAS-1" })).await;
        assert!(proposed["refused"].as_u64().unwrap() > 0, "{proposed}");
        let mut results = Vec::new();
        for line in proposed["sheet"].as_array().unwrap() {
            let value = |i: usize| line["recipe"][i]["value"].as_f64().unwrap();
            let (oxygen, hydrogen, minutes) = (value(0), value(1) * 0.06, value(2));
            // The path of every proposal once more, by the operation that judges plans.
            let mut path = plan.clone();
            path["phases"][0]["minutes"] = json!(minutes);
            for (phase, low) in [(1, 0.0), (2, 1.0)] {
                for (i, flow) in [(0, hydrogen), (1, oxygen)] {
                    path["phases"][phase]["inflows"][i]["low_mol_per_h"] = json!(low * flow);
                    path["phases"][phase]["inflows"][i]["high_mol_per_h"] = json!(flow);
                }
            }
            let judged = bench.run("culture gas-safety", json!({ "plan": path })).await;
            assert_eq!(judged["permitted"], true, "round {round}: {line} {}", judged["reason"]);
            oxygen_most = oxygen_most.max(oxygen);
            // More oxygen always seems better.
            results.push(json!({ "position": line["position"], "values": { "biomass-final": 2.0 + 10.0 * oxygen } }));
        }
        bench.run("culture campaign-results", json!({ "campaign": "GAS-1", "results": results })).await;
    }
    assert!(oxygen_most > 0.1, "it goes where it may: {oxygen_most}");
    // Where nothing is safe, that is said with the reason; and the default is warned of.
    let started = bench.run("culture campaign", gas("GAS-2", 2.0)).await;
    assert!(started["warnings"].as_array().unwrap().iter().all(bilingual) && started["warnings"] != json!([]), "{started}");
    let refusal = bench.refusal("culture campaign-propose", json!({ "campaign": "GAS-2" })).await;
    assert_eq!(refusal.code(), "E-CAMPAIGN-030");
    assert!(refusal.fault().message.en.contains('%') && refusal.fault().message.ja.contains('「'), "{refusal:?}");
    bench.is_sound().await;
}
