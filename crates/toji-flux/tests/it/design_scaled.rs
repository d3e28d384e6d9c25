//! A poor result at scale becomes a bound of the next design.

use super::model;
use std::collections::BTreeMap;
use toji_flux::design::{
    DesignTask, Goal, HeatRemoval, MeasuredRate, OxygenSupply, VerifyTask, VesselLimits, design, redesign, within_vessel,
};
use toji_flux::model::Scenario;

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|s| (*s).to_owned()).collect()
}

fn task(product: &str, goal: Goal) -> DesignTask {
    DesignTask {
        goal,
        verify: VerifyTask {
            growth: "BIOMASS_Ecoli_core_w_GAM".into(),
            product: product.into(),
            feed: "EX_glc__D_e".into(),
            oxygen: None,
            samples: 0,
            spread: 0.2,
            seed: 0,
            batch: None,
        },
        genes: Vec::new(),
        reactions: names(&[
            "PFL", "LDH_D", "ALCD2x", "ACALD", "PTAr", "SUCDi", "FUM", "MDH", "ME1", "ME2", "PPC", "GND", "PGI", "PDH", "AKGDH",
            "GLUDy",
        ]),
        insertions: Vec::new(),
        costs: BTreeMap::new(),
        min_growth: 0.05,
        max_edits: 3,
        max_cost: None,
        designs: 3,
        all_genes: false,
        max_candidates: 100_000,
    }
}

fn vessel() -> VesselLimits {
    VesselLimits {
        // 300 1/h × 0.21 mmol/L over 12 g/L: 5.25 mmol/g/h.
        oxygen: Some(OxygenSupply { exchange: "EX_o2_e".into(), kla: 300.0, saturation: 0.21, biomass: 12.0 }),
        heat: None,
        byproducts: vec![MeasuredRate { exchange: "EX_ac_e".into(), rate: 1.5, source: "run 7".into() }],
        uptakes: Vec::new(),
    }
}

#[test]
fn a_vessel_short_of_oxygen_changes_which_design_is_best() {
    let Some(model) = model("e_coli_core.xml.gz") else { return };
    let scenario = Scenario::new(&model);
    let found = redesign(&scenario, &vessel(), &task("EX_succ_e", Goal::LeastProduct)).unwrap();
    assert_eq!(found.bounds.len(), 2);
    assert!((found.bounds[0].lower + 5.25).abs() < 1e-9 && found.bounds[1].lower == 1.5, "{:?}", found.bounds);
    let show = |d: &toji_flux::design::Designed| format!("{:.4} {:?}", d.value, d.strain.reactions_out);
    for (at, d) in found.before.designs.iter().enumerate() {
        eprintln!("before {} at scale {:?}", show(d), found.before_at_scale[at].best.map(|b| (b.growth, b.min)));
    }
    for d in &found.after.designs {
        eprintln!("after  {}", show(d));
    }
    // What is found within the limits is at least as good there as every earlier design.
    let after = found.after.designs[0].value;
    for verified in &found.before_at_scale {
        assert!(verified.best.is_none_or(|b| b.growth < 0.05 || b.min <= after + 1e-6));
    }
    assert!(after > 1.0);
    // The search and the verification, which know nothing of each other, agree.
    for d in found.before.designs.iter().chain(&found.after.designs) {
        assert!((d.verified.best.unwrap().min - d.value).abs() < 1e-5, "{d:?}");
    }
    // What was best fails at scale, and another design is best there.
    assert!(found.before_at_scale[0].best.is_none_or(|b| b.min < 0.1 * found.before.designs[0].value));
    assert_ne!(found.before.designs[0].strain, found.after.designs[0].strain);
}

#[test]
fn designs_of_every_goal_are_confirmed_by_verification() {
    let Some(model) = model("e_coli_core.xml.gz") else { return };
    let mut scenario = Scenario::new(&model);
    scenario.set_bounds("EX_o2_e", 0.0, 1000.0).unwrap();
    for goal in [Goal::MostProduct, Goal::LeastProduct, Goal::Potential] {
        let found = design(&scenario, &task("EX_succ_e", goal)).unwrap();
        assert_eq!(found.designs.len(), 3);
        for d in &found.designs {
            let best = d.verified.best.unwrap();
            let have = match goal {
                Goal::MostProduct => best.max,
                Goal::LeastProduct => best.min,
                Goal::Potential => best.growth - d.verified.without.unwrap_or(0.0),
            };
            eprintln!("{goal:?} {:.5} {have:.5} {:?}", d.value, d.strain.reactions_out);
            assert!((have - d.value).abs() < 1e-5, "{goal:?} {have} {d:?}");
        }
    }
    // All genes that may go: the designs name genes, and pairs of them do no worse than any one.
    let genes =
        |max_edits| DesignTask { reactions: Vec::new(), all_genes: true, max_edits, ..task("EX_succ_e", Goal::LeastProduct) };
    let (one, two) = (design(&scenario, &genes(1)).unwrap(), design(&scenario, &genes(2)).unwrap());
    assert!(one.complete && two.complete && two.designs[0].value >= one.designs[0].value - 1e-9);
    assert!(two.designs[0].strain.reactions_out.is_empty() && !two.designs[0].strain.genes_out.is_empty());
    eprintln!("{:.4} {:?}", two.designs[0].value, two.designs[0].strain.genes_out);
    let hurried = design(&scenario, &DesignTask { max_candidates: 3, ..genes(2) }).unwrap();
    assert!(!hurried.complete && hurried.candidates == 3);
    let none = DesignTask { reactions: Vec::new(), ..task("EX_succ_e", Goal::Potential) };
    assert_eq!(design(&scenario, &none).unwrap_err().code(), "E-FLUX-126");
}

#[test]
fn heat_and_measured_rates_become_bounds_that_never_widen() {
    let Some(model) = model("e_coli_core.xml.gz") else { return };
    let scenario = Scenario::new(&model);
    let heat = HeatRemoval { exchange: "EX_o2_e".into(), power: 10.0, biomass: 20.0, per_oxygen: 0.519 };
    let uptake = |rate| MeasuredRate { exchange: "EX_glc__D_e".into(), rate, source: String::new() };
    let limits = VesselLimits { heat: Some(heat), uptakes: vec![uptake(6.0)], ..VesselLimits::default() };
    let (held, bounds) = within_vessel(&scenario, &limits).unwrap();
    // 10 kW/m³ are 36 kJ/L/h; over 0.519 kJ/mmol and 20 g/L: 3.468 mmol/g/h.
    assert!((bounds[0].lower + 3.468_208).abs() < 1e-5, "{bounds:?}");
    let lower = |id: &str| held.bounds_set(model.reaction(id).unwrap()).0;
    assert!((lower("EX_o2_e") + 3.468_208).abs() < 1e-5 && lower("EX_glc__D_e") == -6.0);
    // A wider measurement leaves the scenario's own bound of -10.
    let wide = VesselLimits { uptakes: vec![uptake(50.0)], ..VesselLimits::default() };
    assert_eq!(within_vessel(&scenario, &wide).unwrap().1[0].lower, -10.0);
    let bad = VesselLimits { uptakes: vec![uptake(0.0)], ..VesselLimits::default() };
    assert_eq!(within_vessel(&scenario, &bad).unwrap_err().code(), "E-FLUX-127");
    let high = VesselLimits {
        byproducts: vec![MeasuredRate { exchange: "EX_ac_e".into(), rate: 1e4, source: String::new() }],
        ..VesselLimits::default()
    };
    assert_eq!(within_vessel(&scenario, &high).unwrap_err().code(), "E-FLUX-128");
}

/// Every property of a schema, and every variant of its choices, is described in English and then in Japanese.
fn described(at: &str, value: &serde_json::Value, missing: &mut Vec<String>) {
    let both = |v: &serde_json::Value| {
        let text = v["description"].as_str().unwrap_or("");
        let (first, second) = text.split_once("\n\n").unwrap_or((text, ""));
        let japanese = |text: &str| text.chars().any(|c| ('\u{3040}'..'\u{9fff}').contains(&c));
        !first.is_empty() && !japanese(first) && japanese(second)
    };
    if let Some(properties) = value["properties"].as_object() {
        for (name, property) in properties.iter().filter(|p| p.0 != "verdict") {
            if !both(property) {
                missing.push(format!("{at}.{name}"));
            }
        }
    }
    for choices in ["oneOf", "anyOf"] {
        for choice in value[choices].as_array().into_iter().flatten().filter(|c| c.get("const").is_some()) {
            if !choice["description"].as_str().unwrap_or("").contains("\n\n") {
                missing.push(format!("{at}: {}", choice["const"]));
            }
        }
    }
    if let Some(definitions) = value["$defs"].as_object() {
        definitions.iter().for_each(|(name, definition)| described(name, definition, missing));
    }
}

#[test]
fn every_input_is_described_in_both_languages() {
    use toji_flux::design::{ScanTask, Strain, rank::RankTask};
    use toji_flux::pathway::{PathwayTask, Universe};
    let mut missing = Vec::new();
    for (name, schema) in [
        ("DesignTask", schemars::schema_for!(DesignTask)),
        ("VesselLimits", schemars::schema_for!(VesselLimits)),
        ("Strain", schemars::schema_for!(Strain)),
        ("ScanTask", schemars::schema_for!(ScanTask)),
        ("RankTask", schemars::schema_for!(RankTask)),
        ("PathwayTask", schemars::schema_for!(PathwayTask)),
        ("Universe", schemars::schema_for!(Universe)),
    ] {
        described(name, schema.as_value(), &mut missing);
    }
    assert!(missing.is_empty(), "{missing:?}");
    // A task as it is written down, with what may be left out left out.
    let text = r#"{"goal":"potential","verify":{"growth":"g","product":"p","feed":"f"},"reactions":["r"],"min_growth":0.1,"max_edits":2,"designs":1}"#;
    let task: DesignTask = serde_json::from_str(text).unwrap();
    assert!(task.goal == Goal::Potential && task.verify.samples == 100 && task.max_candidates == 1_000_000);
    let again: DesignTask = serde_json::from_str(&serde_json::to_string(&task).unwrap()).unwrap();
    assert_eq!(again, task);
    assert!(serde_json::from_str::<DesignTask>(&text.replace("\"designs\"", "\"designz\"")).is_err());
}
