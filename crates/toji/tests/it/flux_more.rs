//! `toji flux model`, `design`, `dfba`, `mdf`, `frog`, `convert` through the real binary, beside references.

use crate::flux::{ask, close, shared, with_small};
use crate::runner::Bench;
use serde_json::{Value as Json, json};

fn read(path: &std::path::Path) -> Json {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_model_shows_what_it_holds_whole_and_in_part() {
    let (bench, model) = with_small();
    let whole = ask(&bench, &["model", &model]);
    let reactions = whole["reactions"].as_array().unwrap();
    let ids: Vec<&str> = reactions.iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["EX_a", "AB1", "AB2", "EX_b"]);
    assert_eq!((&whole["format"], &whole["objective"]["terms"]), (&json!("json"), &json!([["EX_b", 1.0]])), "{whole}");
    let second = &reactions[2];
    assert_eq!(second["stoichiometry"], json!([["a", -2.0], ["b", 1.0]]), "{second}");
    assert_eq!((&second["gene_rule"], &second["genes"]), (&json!("g2 and g3"), &json!(["g2", "g3"])));
    assert_eq!((&second["lower"], &second["upper"], &second["name"]), (&json!(0.0), &json!(1000.0), &Json::Null));
    assert_eq!(whole["medium"], json!({"EX_a": 10.0}), "{whole}");
    let part = ask(&bench, &["model", &model, "--gene", "g1"]);
    assert_eq!((part["reactions"].as_array().unwrap().len(), &part["reactions"][0]["id"]), (1, &json!("AB1")), "{part}");
    assert_eq!((&part["genes"], part["metabolites"].as_array().unwrap().len()), (&json!([{"id": "g1", "name": null}]), 2));
    let part = ask(&bench, &["model", &model, "--text", "ab", "--reaction", "AB2", "--reaction", "EX_b"]);
    assert_eq!((part["reactions"].as_array().unwrap().len(), &part["reactions"][0]["id"]), (1, &json!("AB2")), "{part}");
}

#[test]
fn a_table_is_no_model_and_what_is_packed_is_told_by_what_is_within() {
    let bench = Bench::with_store();
    let table = bench.folder().join("table.csv");
    std::fs::write(&table, "time,OD600\n0,0.1\n1,0.2\n").unwrap();
    let seen = bench.toji(&["--json", "flux", "fba", &table.display().to_string()]);
    let problem: Json = serde_json::from_str(&seen.err).unwrap();
    assert_eq!((&problem["code"], &problem["place"]["file"]), (&json!("E-GEM-001"), &json!("table.csv")), "{problem}");
    assert!(problem["message"]["en"].as_str().unwrap().contains("not the file of a metabolic model"), "{problem}");
    assert!(problem["hint"]["en"].as_str().unwrap().contains("SBML"), "{problem}");
    let Some(core) = shared("models/e_coli_core.xml.gz") else { return };
    let checked = ask(&bench, &["check", &core.display().to_string(), "--quick"]);
    assert_eq!(checked["format"], "SBML", "{}", checked["findings"]);
}

#[test]
fn designs_of_the_small_network_as_worked_by_hand() {
    let (bench, model) = with_small();
    // B stays below 1 only when the first way and one half of the second are gone.
    let cuts = ask(&bench, &["design", &model, "--target", "EX_b >= 1", "--max-size", "3", "--proof"]);
    let sets: Vec<Vec<&str>> = cuts["designs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["interventions"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap()).collect())
        .collect();
    assert_eq!(sets, [["g1", "g2"], ["g1", "g3"]], "{cuts}");
    assert!(cuts["designs"].as_array().unwrap().iter().all(|d| d["proved"] == true && close(&d["growth"], 0.0)), "{cuts}");
    assert_eq!((&cuts["complete"], &cuts["found"]), (&json!(true), &json!(2)));
    // With EX_a protected at 5 the uptake has nowhere to go, so no set is left.
    let none = ask(&bench, &["design", &model, "--target", "EX_b >= 1", "--protect", "EX_a <= -5"]);
    assert_eq!(none["designs"], json!([]), "{none}");
    // Costs order the sets, and what is dear beyond the limit is left out.
    let dear = ["design", &model, "--target", "EX_b >= 1", "--costs", r#"{"g2": 5}"#, "--max-cost", "3"];
    let dear = ask(&bench, &dear);
    assert_eq!((&dear["found"], &dear["designs"][0]["cost"]), (&json!(1), &json!(2.0)), "{dear}");
    let refused = |arguments: &[&str], code: &str, field: &str| {
        let seen = bench.toji(&[&["--json", "flux", "design", &model], arguments].concat());
        let problem: Json = serde_json::from_str(&seen.err).unwrap_or_else(|e| panic!("{e}: {seen:?}"));
        assert_eq!((problem["code"].as_str(), problem["place"]["field"].as_str()), (Some(code), Some(field)), "{problem}");
        assert!(problem["hint"]["ja"].as_str().is_some_and(|hint| !hint.is_empty()), "{problem}");
    };
    refused(&["--target", "EX_b >= x"], "E-FLUX-060", "target");
    refused(&["--target", "EX_b >= 1", "--costs", r#"{"g9": 5}"#], "E-FLUX-061", "costs.g9");
    refused(&["--method", "optknock"], "E-FLUX-063", "product");
}

#[test]
fn designs_of_the_core_model_are_those_of_the_references() {
    let (Some(core), Some(cuts), Some(knocks)) =
        (shared("models/e_coli_core.xml.gz"), shared("mcs_e_coli_core_455.json"), shared("optknock_EX_succ_e.json"))
    else {
        return;
    };
    let bench = Bench::with_store();
    let core = core.display().to_string();
    // StrainDesign with SCIP: 455 sets of at most three genes.
    let target = ["design", &core, "--target", "BIOMASS_Ecoli_core_w_GAM >= 0.001", "--designs", "1000"];
    let found = ask(&bench, &target);
    assert_eq!((&found["found"], &found["complete"]), (&read(&cuts)["n"], &json!(true)));
    // Every set tried: what one removal without oxygen gives.
    let best = read(&knocks)["results"]["k1_optknock_top15"][0].clone();
    let one = ["design", &core, "--method", "optknock", "--over", "reactions", "--product", "EX_succ_e", "--max-size", "1"];
    let one = ask(&bench, &[&one[..], &["--bounds", r#"{"EX_o2_e": [0, 1000]}"#]].concat());
    let design = &one["designs"][0];
    assert_eq!(design["interventions"][0]["id"], best["kos"][0], "{design}");
    let near = |seen: &Json, right: &Json| (seen.as_f64().unwrap() - right.as_f64().unwrap()).abs() < 1e-5;
    assert!(near(&design["growth"], &best["growth"]) && near(&design["product"][1], &best["max"]), "{design}");
}

#[test]
fn a_batch_runs_as_the_reference() {
    let (Some(model), Some(want)) = (shared("models/textbook.xml.gz"), shared("dfba_textbook_batch.json")) else { return };
    let want = read(&want);
    let bench = Bench::with_store();
    let pools = r#"{"EX_glc__D_e": {"start_mmol_per_l": 10, "uptake_max": 10, "half_mmol_per_l": 0.5}, "EX_ac_e": {}}"#;
    let bounds = r#"{"EX_o2_e": [-15, 1000]}"#;
    let course = ask(
        &bench,
        &[
            "dfba",
            &model.display().to_string(),
            "--pools",
            pools,
            "--bounds",
            bounds,
            "--then",
            "max EX_ac_e",
            "--then",
            "max EX_glc__D_e",
        ],
    );
    let last = |name: &str| {
        let series = course["series"].as_array().unwrap().iter().find(|s| s["name"] == name).unwrap();
        assert_eq!(series["values"].as_array().unwrap().len(), course["times_h"].as_array().unwrap().len());
        series["last"].as_f64().unwrap()
    };
    let near = |seen: f64, key: &str| (seen - want[key].as_f64().unwrap()).abs() <= 1e-3 * want[key].as_f64().unwrap().abs();
    assert!(near(course["end_h"].as_f64().unwrap(), "t_end"), "{} {}", course["end"], course["end_h"]);
    assert!(near(last("biomass"), "X_end") && near(last("EX_ac_e"), "A_end") && near(last("EX_glc__D_e"), "G_end"));
    assert_eq!(course["phases"][0]["limiting"], json!(["EX_glc__D_e"]), "{}", course["phases"]);
}

#[test]
fn a_pathway_has_the_driving_force_of_the_reference() {
    let (Some(model), Some(want)) = (shared("models/e_coli_core.xml.gz"), shared("mdf_glycolysis.json")) else { return };
    let want = read(&want);
    let bench = Bench::with_store();
    let mut energies = want["dG0prime"].as_object().unwrap().clone();
    // The model writes these two the other way round.
    for name in ["PGK", "PGM"] {
        let energy = energies.remove(name).unwrap();
        energies.insert(format!("-{name}"), energy);
    }
    let fixed: serde_json::Map<String, Json> =
        want["fixed_M"].as_object().unwrap().iter().map(|(name, c)| (format!("{name}_c"), c.clone())).collect();
    let (energies, fixed) = (Json::Object(energies).to_string(), Json::Object(fixed).to_string());
    let model = model.display().to_string();
    let found = ask(&bench, &["mdf", &model, "--energies", &energies, "--concentrations", &fixed]);
    let right = want["MDF_kJ_per_mol"].as_f64().unwrap();
    assert!((found["force_kj_per_mol"].as_f64().unwrap() - right).abs() < 1e-4, "{found}");
    let steps = found["steps"].as_array().unwrap();
    assert!(steps.iter().all(|s| s["driving_kj_per_mol"].as_f64().unwrap() > right - 1e-4), "{found}");
    let shares: f64 = steps.iter().map(|s| s["bottleneck"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-6, "{shares}");
    // Ratios that the concentrations contradict are told, not solved.
    let none =
        ask(&bench, &["mdf", &model, "--energies", &energies, "--concentrations", &fixed, "--ratios", r#"{"atp_c/adp_c": 100}"#]);
    assert_eq!((&none["force_kj_per_mol"], &none["feasible"]), (&Json::Null, &json!(false)), "{none}");
}

#[test]
fn a_converted_model_answers_the_same_and_tells_what_was_lost() {
    let Some(core) = shared("models/e_coli_core.xml.gz") else { return };
    let bench = Bench::with_store();
    let core = core.display().to_string();
    let right = ask(&bench, &["fba", &core])["objective"]["value"].as_f64().unwrap();
    for (to, ending) in [("sbml", "xml"), ("json", "json"), ("yaml", "yml"), ("omex", "omex")] {
        let out = bench.folder().join(format!("made.{ending}")).display().to_string();
        let seen = bench.toji(&["--json", "--out", &out, "flux", "convert", &core, "--to", to]);
        assert_eq!(seen.code, 0, "{seen:?}");
        let again = ask(&bench, &["fba", &out])["objective"]["value"].as_f64().unwrap();
        assert!((again - right).abs() < 1e-9, "{to}: {again} beside {right}");
    }
    let json = ask(&bench, &["convert", &core, "--to", "json"]);
    assert!(json["losses"].as_array().unwrap().iter().all(|l| l["code"] == "W-GEM-004"), "{json}");
}

#[test]
fn a_frog_report_agrees_with_itself_and_with_the_published_one() {
    let (bench, model) = with_small();
    let out = bench.folder().join("small.omex").display().to_string();
    let seen = bench.toji(&["--json", "--out", &out, "flux", "frog", &model]);
    assert_eq!(seen.code, 0, "{seen:?}");
    // The archive holds the model and the report: each reproduces the other.
    let again = ask(&bench, &["frog", &out, "--against", &out]);
    assert_eq!((&again["agree"], &again["differences"], &again["reactions"]), (&json!(true), &json!([]), &json!(4)), "{again}");
    assert_eq!(again["compared"], json!(1 + 2 * 4 + 3 + 4));
    // Another model than the report's does not pass.
    let other = std::fs::read_to_string(&model).unwrap().replace("\"upper_bound\":4.0", "\"upper_bound\":3.0");
    let path = bench.folder().join("other.json");
    std::fs::write(&path, other).unwrap();
    let other = ask(&bench, &["frog", &path.display().to_string(), "--against", &out]);
    assert_eq!(other["agree"], false, "{other}");
    let objective = &other["differences"][0];
    assert_eq!((&objective["what"], &objective["second"]), (&json!("objective"), &json!(7.0)), "{other}");
}
