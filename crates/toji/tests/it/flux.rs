//! `toji flux` through the real binary: a small network worked by hand, and real models beside their references.

use crate::runner::Bench;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

/// A is taken up (at most 10), becomes B by two ways of which one needs gene g1 and the other g2 and g3, and B leaves.
fn small() -> Json {
    let metabolite = |id: &str| json!({"id": id, "name": id, "compartment": "c"});
    let reaction = |id: &str, metabolites: Json, lower: f64, upper: f64, rule: &str| {
        json!({"id": id, "name": id, "metabolites": metabolites, "lower_bound": lower, "upper_bound": upper,
               "gene_reaction_rule": rule, "objective_coefficient": if id == "EX_b" { 1.0 } else { 0.0 }})
    };
    json!({
        "id": "small", "version": "1", "compartments": {"c": "inside"},
        "metabolites": [metabolite("a"), metabolite("b")],
        "genes": [{"id": "g1", "name": ""}, {"id": "g2", "name": ""}, {"id": "g3", "name": ""}],
        "reactions": [
            reaction("EX_a", json!({"a": -1}), -10.0, 1000.0, ""),
            reaction("AB1", json!({"a": -1, "b": 1}), 0.0, 4.0, "g1"),
            reaction("AB2", json!({"a": -2, "b": 1}), 0.0, 1000.0, "g2 and g3"),
            reaction("EX_b", json!({"b": -1}), 0.0, 1000.0, ""),
        ],
    })
}

pub(crate) fn ask(bench: &Bench, arguments: &[&str]) -> Json {
    let seen = bench.toji(&[&["--json", "flux"], arguments].concat());
    assert_eq!(seen.code, 0, "{seen:?}");
    serde_json::from_str(&seen.out).unwrap()
}

pub(crate) fn with_small() -> (Bench, String) {
    let bench = Bench::with_store();
    let path = bench.folder().join("small.json");
    std::fs::write(&path, small().to_string()).unwrap();
    (bench, path.display().to_string())
}

pub(crate) fn close(a: &Json, b: f64) -> bool {
    a.as_f64().is_some_and(|a| (a - b).abs() <= 1e-6 * (1.0 + b.abs()))
}

#[test]
fn a_small_network_as_worked_by_hand() {
    let (bench, model) = with_small();
    // 4 by the first way, and of the 6 that are left 3 by the second.
    let fba = ask(&bench, &["fba", &model, "--exact"]);
    assert_eq!((&fba["status"], &fba["objective"]["id"]), (&json!("optimal"), &json!("EX_b")), "{fba}");
    assert!(close(&fba["objective"]["value"], 7.0) && close(&fba["fluxes"]["AB2"], 3.0), "{fba}");
    // One more of A gives half of B.
    assert!(close(&fba["shadow_prices"]["a"], -0.5) || close(&fba["shadow_prices"]["a"], 0.5), "{fba}");
    let exact = &fba["certificate"]["exact_proof"];
    assert_eq!((&exact["proved"], &exact["objective"]), (&json!(true), &json!("7")), "{fba}");

    let fva = ask(&bench, &["fva", &model, "--fraction", "0.5"]);
    assert!(close(&fva["ranges"]["AB1"][0], 0.0) && close(&fva["ranges"]["AB1"][1], 4.0), "{fva}");
    assert!(close(&fva["ranges"]["EX_b"][0], 3.5) && close(&fva["ranges"]["EX_b"][1], 7.0), "{fva}");

    let singles = ask(&bench, &["delete", &model]);
    let growth: Vec<f64> = singles["results"].as_array().unwrap().iter().map(|r| r["growth"].as_f64().unwrap()).collect();
    for (seen, right) in growth.iter().zip([5.0, 4.0, 4.0]) {
        assert!((seen - right).abs() < 1e-9, "{singles}");
    }
    let pairs = ask(&bench, &["delete", &model, "--pairs", "--below", "0.01", "--synergy"]);
    let lethal: Vec<&Json> = pairs["results"].as_array().unwrap().iter().map(|r| &r["genes"]).collect();
    assert_eq!(lethal, [&json!(["g1", "g2"]), &json!(["g1", "g3"])], "{pairs}");
    // With g2 out already, g1 alone is essential.
    let more = ask(&bench, &["delete", &model, "--knock-out", "g2"]);
    assert_eq!(more["essential"], json!(["g1"]), "{more}");

    let starved = ask(&bench, &["fba", &model, "--bounds", r#"{"EX_b": [8, 1000]}"#]);
    assert_eq!((&starved["status"], &starved["objective"]["value"]), (&json!("infeasible"), &Json::Null), "{starved}");
    assert!(starved["trouble"]["reactions"].as_array().unwrap().contains(&json!("EX_b")), "{starved}");
    let envelope = ask(&bench, &["envelope", &model, "EX_b", "--along", "AB1"]);
    assert!(close(&envelope["greatest"][0]["target"], 5.0), "{envelope}");
    let checked = ask(&bench, &["check", &model]);
    assert_eq!((&checked["format"], &checked["genes"], &checked["reactions"]), (&json!("COBRA JSON"), &json!(3), &json!(4)));
}

#[test]
fn faults_name_their_place_and_the_remedy() {
    let (bench, model) = with_small();
    let refused = |arguments: &[&str], code: &str, field: &str| {
        let seen = bench.toji(&[&["--json", "flux"], arguments].concat());
        let problem: Json = serde_json::from_str(&seen.err).unwrap_or_else(|e| panic!("{e}: {seen:?}"));
        assert_ne!(seen.code, 0);
        assert_eq!((problem["code"].as_str(), problem["place"]["field"].as_str()), (Some(code), Some(field)), "{problem}");
        assert!(problem["hint"]["ja"].as_str().is_some_and(|hint| !hint.is_empty()), "{problem}");
    };
    refused(&["fba", &model, "--knock-out", "g9"], "E-FLUX-059", "knock_out");
    refused(&["fba", &model, "--bounds", r#"{"AB1": 3}"#], "E-FLUX-052", "bounds.AB1");
    refused(&["fba", &model, "--minimize"], "E-FLUX-051", "objective");
    refused(&["fva", &model, "--fraction", "1.5"], "E-FLUX-056", "fraction");
    refused(&["delete", &model, "--below", "2"], "E-FLUX-057", "below");
    let broken = bench.folder().join("broken.json");
    std::fs::write(&broken, &small().to_string()[..300]).unwrap();
    let seen = bench.toji(&["--json", "flux", "fba", &broken.display().to_string()]);
    let problem: Json = serde_json::from_str(&seen.err).unwrap();
    assert_eq!(problem["place"]["file"], "broken.json", "{problem}");
}

/// A file of the shared data, when it is there.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TOJI_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("data/gem").join(name);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn real_models_give_what_their_references_give() {
    let (Some(textbook), Some(reference)) = (shared("models/textbook.xml.gz"), shared("textbook.json")) else { return };
    let reference: Json = serde_json::from_slice(&std::fs::read(reference).unwrap()).unwrap();
    let bench = Bench::with_store();
    let model = textbook.display().to_string();
    let fba = ask(&bench, &["fba", &model]);
    assert!(close(&fba["objective"]["value"], reference["fba"].as_f64().unwrap()), "{fba}");
    let pfba = ask(&bench, &["pfba", &model]);
    assert!(close(&pfba["total_flux"], reference["pfba_total_flux"].as_f64().unwrap()));
    let fva = ask(&bench, &["fva", &model, "--fraction", "0.9"]);
    for (reaction, range) in reference["fva_0.9"].as_object().unwrap() {
        for end in 0..2 {
            let (seen, right) = (fva["ranges"][reaction][end].as_f64().unwrap(), range[end].as_f64().unwrap());
            assert!((seen - right).abs() <= 1e-5 * (1.0 + right.abs()), "{reaction}: {seen} beside {right}");
        }
    }
    let deleted = ask(&bench, &["delete", &model]);
    for row in deleted["results"].as_array().unwrap() {
        let right = reference["single_gene_deletion"][row["genes"][0].as_str().unwrap()].as_f64().unwrap();
        // What meets no bounds (maintenance cannot be paid) is zero in the reference.
        let left = if row["status"] == "infeasible" { json!(0.0) } else { row["growth"].clone() };
        assert!(close(&left, right), "{row} beside {right}");
    }
    let pairs = ask(&bench, &["delete", &model, "--pairs", "--below", "0.01"]);
    let right = &reference["double_gene_deletion"];
    // Of the reference, each gene with itself is a pair too.
    let essential = pairs["essential"].as_array().unwrap().len();
    assert_eq!(json!(pairs["results"].as_array().unwrap().len() + essential), right["lethal_lt_1pct"]);
    assert_eq!(json!(pairs["tried"].as_u64().unwrap() + 137), right["pairs"]);
}
