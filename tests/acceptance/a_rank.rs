//! A07: edits of genes proposed for a product, judged on what was held out; and A09: what a vessel taught, in the next design.

use crate::bench::{Bench, metabolic_model, root};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

const GROWTH: &str = "BIOMASS_Ec_iJO1366_core_53p95M";

/// Products of *E. coli* that need no foreign gene: name, exchange, with oxygen.
const PRODUCTS: [(&str, &str, bool); 9] = [
    ("succinate", "EX_succ_e", false),
    ("lactate", "EX_lac__D_e", false),
    ("ethanol", "EX_etoh_e", false),
    ("malate", "EX_mal__L_e", false),
    ("alanine", "EX_ala__L_e", false),
    ("acetate", "EX_ac_e", true),
    ("pyruvate", "EX_pyr_e", true),
    ("valine", "EX_val__L_e", true),
    ("threonine", "EX_thr__L_e", true),
];

fn bounds(oxygen: bool) -> Json {
    // Formate hydrogen lyase, which the model keeps closed, works without oxygen.
    if oxygen {
        json!({ "EX_o2_e": [-20.0, 1000.0], "FHL": [0.0, 0.0] })
    } else {
        json!({ "EX_o2_e": [0.0, 1000.0], "FHL": [0.0, 1000.0] })
    }
}

fn case(product: &(&str, &str, bool)) -> Json {
    json!({ "name": product.0, "product": product.1, "bounds": bounds(product.2) })
}

/// Published edits: product, kind, gene, symbol, citation.
fn published() -> Vec<[String; 5]> {
    let text = std::fs::read_to_string(root().join("crates/toji-flux/data/ecoli-edits.csv")).unwrap();
    let lines = text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()).skip(1);
    lines
        .map(|l| {
            let mut cells = l.split(';').map(str::to_owned);
            std::array::from_fn(|_| cells.next().unwrap())
        })
        .collect()
}

/// Share of the pairs of one that helped and one that is not known to that stand in the right order; ties count half.
fn area(scores: &[(f64, bool)]) -> f64 {
    let (mut right, mut pairs) = (0.0, 0.0);
    for (a, _) in scores.iter().filter(|s| s.1) {
        for (b, _) in scores.iter().filter(|s| !s.1) {
            pairs += 1.0;
            right += if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            };
        }
    }
    right / pairs
}

#[tokio::test]
async fn a07_held_out_edits_are_found_better_than_by_chance_and_by_a_simple_rule_with_evidence_and_verdict() {
    let Some(model) = metabolic_model("iJO1366.xml.gz") else { return };
    let bench = Bench::new().await;
    let known = published();
    let (mut ours, mut rules, mut chance) = (Vec::new(), Vec::new(), Vec::new());
    for at in [0, 1, 2, 4] {
        let (name, exchange, oxygen) = PRODUCTS[at];
        // What was published for this product is held out; the ranking learns from the others.
        let outcomes: Vec<Json> = known
            .iter()
            .filter(|k| k[0] != name)
            .map(|[product, kind, gene, symbol, citation]| {
                json!({ "product": product, "kind": kind, "gene": gene, "symbol": symbol, "helped": true, "citation": citation })
            })
            .collect();
        let others: Vec<Json> = PRODUCTS.iter().filter(|p| p.0 != name).map(case).collect();
        let task = json!({ "growth": GROWTH, "feed": "EX_glc__D_e", "aim": case(&PRODUCTS[at]), "learn_from": others,
            "outcomes": outcomes, "published": false, "top": 100_000 });
        let ranked = bench.run("flux rank", json!({ "model": model, "task": task })).await;
        let proposals = ranked["proposals"].as_array().unwrap();
        assert!(proposals.len() > 500, "{}", proposals.len());
        for proposal in proposals {
            let evidence = proposal["evidence"].as_array().unwrap();
            assert!(!evidence.is_empty() && evidence.iter().all(|e| e["ja"] != "" && e["en"] != ""), "{proposal}");
            let verdict = proposal["screening"]["verdict"].as_str().unwrap();
            let right = if proposal["kind"] == "delete" { "nothing-added" } else { "pending" };
            assert_eq!(verdict, right, "{proposal}");
        }
        let helped: BTreeSet<&str> = known.iter().filter(|k| k[0] == name && k[1] == "delete").map(|k| k[2].as_str()).collect();
        // The simple rule: take out what falls, or ends, as the product is forced up.
        let rule = json!({ "model": model, "product": exchange, "bounds": bounds(oxygen) });
        let targets = bench.run("flux targets", rule).await;
        let mut falls: BTreeMap<&str, f64> = BTreeMap::new();
        for target in targets["targets"].as_array().unwrap().iter().filter(|t| t["trend"] != "up") {
            for gene in target["genes"].as_array().unwrap() {
                let slope = target["slope"].as_f64().unwrap().abs();
                let most = falls.entry(gene.as_str().unwrap()).or_default();
                *most = most.max(slope);
            }
        }
        let deletions: Vec<&Json> = proposals.iter().filter(|p| p["kind"] == "delete").collect();
        let score = |of: &dyn Fn(&Json) -> f64| -> Vec<(f64, bool)> {
            deletions.iter().map(|p| (of(p), helped.contains(p["gene"].as_str().unwrap()))).collect()
        };
        let mine = score(&|p| p["chance"]["mean"].as_f64().unwrap());
        let rule = score(&|p| falls.get(p["gene"].as_str().unwrap()).copied().unwrap_or_default());
        let good = mine.iter().filter(|s| s.1).count() as f64;
        assert!(good >= 1.0, "{name}: nothing to find");
        // Variance of the area of a ranking by chance (Mann and Whitney 1947).
        let bad = mine.len() as f64 - good;
        chance.push((good + bad + 1.0) / (12.0 * good * bad));
        println!("{name}: {good} of {}: {:.3}, by the rule {:.3}", mine.len(), area(&mine), area(&rule));
        ours.push(area(&mine));
        rules.push(area(&rule));
    }
    let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
    let deviation = (chance.iter().sum::<f64>()).sqrt() / chance.len() as f64;
    assert!(mean(&ours) > 0.5 + 3.0 * deviation, "{ours:?} ± {deviation}");
    assert!(mean(&ours) > mean(&rules), "{ours:?} {rules:?}");
}

#[tokio::test]
async fn a09_what_a_vessel_taught_bounds_the_next_design() {
    let Some(model) = metabolic_model("e_coli_core.xml.gz") else { return };
    let bench = Bench::new().await;
    let growth = "BIOMASS_Ecoli_core_w_GAM";
    let verify = json!({ "growth": growth, "product": "EX_ac_e", "feed": "EX_glc__D_e", "samples": 0 });
    let task = json!({ "goal": "least-product", "verify": verify, "reactions": ["ATPS4r", "CYTBD", "NADH16", "PDH", "PFL", "SUCDi"],
        "min_growth": 0.05, "max_edits": 2, "designs": 3 });
    // In the plant oxygen reached the cells at 5 mmol/g/h at most.
    let oxygen = json!({ "exchange": "EX_o2_e", "kla": 250.0, "saturation": 0.2, "biomass": 10.0 });
    let input = json!({ "model": model, "vessel": { "oxygen": oxygen }, "task": task });
    let answer = bench.run("flux redesign", input).await;
    let redesign = &answer["redesign"];
    let bound = &redesign["bounds"][0];
    assert_eq!((&bound["exchange"], &bound["lower"]), (&json!("EX_o2_e"), &json!(-5.0)), "{bound}");
    assert!(bound["because"]["ja"] != "" && bound["because"]["en"] != "", "{bound}");
    let (before, after) = (redesign["before"]["designs"].as_array().unwrap(), redesign["after"]["designs"].as_array().unwrap());
    assert!(!before.is_empty() && !after.is_empty(), "{redesign}");
    // The designs made without the vessel do worse within it than they promised, and the new ones do no worse than those.
    let product = |verified: &Json| verified["best"]["min"].as_f64().unwrap_or_default();
    let growth_of = |verified: &Json| verified["best"]["growth"].as_f64().unwrap_or_default();
    let held = redesign["before_at_scale"].as_array().unwrap();
    assert_eq!(held.len(), before.len());
    for (promised, came) in before.iter().zip(held) {
        assert!(growth_of(came) <= growth_of(&promised["verified"]) + 1e-9, "{promised} {came}");
    }
    let best = |list: &mut dyn Iterator<Item = f64>| list.fold(0.0, f64::max);
    let viable = held.iter().filter(|v| growth_of(v) >= 0.05 - 1e-9);
    let old = best(&mut viable.map(product));
    let new = best(&mut after.iter().map(|d| product(&d["verified"])));
    assert!(new >= old - 1e-6, "{new} {old}");
}
