//! A: what a test on a larger scale asks of the next strain, and the way from test to edit.

use crate::bench::{Bench, bilingual, places, texts};
use serde_json::{Value as Json, json};

fn number(of: &Json) -> f64 {
    of.as_f64().unwrap_or_else(|| panic!("{of} is no number"))
}

fn by<'a>(list: &'a Json, name: &str, value: &str) -> &'a Json {
    let found = list.as_array().unwrap().iter().find(|o| o[name] == value);
    found.unwrap_or_else(|| panic!("{name} {value} in {list}"))
}

/// A fed-batch that asks for much oxygen. With the cascade oxygen is added to the gas as it is needed.
fn greedy(name: &str, scale: &str, inoculum: f64, cascade: bool) -> Json {
    json!({ "name": name, "batch": name, "scale": scale, "recipe": {
        "biomass_g_per_l": inoculum, "cascade": cascade, "agitation_share": if cascade { 0.1 } else { 0.6 }, "sample_every_h": 1.0,
        "feed": { "profile": "exponential", "growth_rate_per_h": 0.2, "start": { "at": "hour", "h": 9.5 } },
    } })
}

/// The stand-in for a strain of less demand: it is fed at a constant, small rate.
fn modest(name: &str, scale: &str, inoculum: f64) -> Json {
    json!({ "name": name, "batch": name, "scale": scale, "recipe": {
        "biomass_g_per_l": inoculum, "glucose_g_per_l": 5.0, "stop_at_h": 32.0, "cascade": scale == "30-l",
        "agitation_share": if scale == "30-l" { 0.1 } else { 0.6 }, "sample_every_h": 1.0,
        "feed": { "profile": "constant", "rate_ml_per_l_h": 4.0, "start": { "at": "hour", "h": 8.0 } },
    } })
}

/// Runs of a plant by the names of their reactors.
async fn simulated(bench: &Bench, name: &str, hours: f64, plant: Json, strain: &str) -> Vec<String> {
    let input = json!({ "name": name, "plant": plant, "hours": hours, "every_s": 60.0, "seed": 5 });
    let runs = texts(&bench.run("simulate run", input).await["runs"], "id");
    for (i, run) in runs.iter().enumerate() {
        let large = plant[i]["scale"] == "3000-l";
        let mut fields = json!({ "strain": strain, "scale_l": if large { 3000.0 } else { 30.0 },
                                 "vessel": if large { "vessel-3000l" } else { "vessel-30l" } });
        if large {
            fields["parent"] = json!(runs[0]);
        }
        bench.put("run", run, fields).await;
    }
    runs
}

#[tokio::test(flavor = "multi_thread")]
async fn a09_a_poor_scale_up_becomes_a_constraint_of_the_next_cycle_and_lineage_shows_which_test_led_to_which_edit() {
    let bench = Bench::new().await;
    bench.run("culture vessels", json!({})).await;
    bench.put("strain", "STR-1", json!({ "name": "K-1 (simulated)", "taxon_name": "Escherichia coli" })).await;
    let plant = json!([
        greedy("S1", "30-l", 0.195, true),
        greedy("S2", "30-l", 0.2, true),
        greedy("S3", "30-l", 0.205, true),
        greedy("S4", "30-l", 0.198, true),
        greedy("POOR", "3000-l", 0.2, false),
        greedy("GOOD", "3000-l", 0.2, true),
    ]);
    let runs = simulated(&bench, "A09", 18.5, plant, "STR-1").await;
    let (small, poor, good) = (&runs[..4], &runs[4], &runs[5]);
    let ask = |run: &str, more: Json| {
        let mut input = json!({ "run": run, "small": small, "quantities": ["titre-final", "biomass-final"] });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    no_constraint_without_evidence(&bench, &runs).await;

    // The poor one: beyond doubt, with the limit that only the large vessel met.
    let answer = bench.run("culture constrain", ask(poor, json!({}))).await;
    assert_eq!(answer["outcome"], "poor", "{answer}");
    let titre = by(&answer["comparisons"], "code", "titre-final");
    let analyses = [
        bench.run("culture analyse", json!({ "run": poor })).await,
        bench.run("culture analyse", json!({ "run": small[0] })).await,
    ];
    assert_eq!(
        titre["large"].as_f64().map(|v| (v * 1e6).round()),
        by(&analyses[0]["quantities"], "code", "titre-final")["value"].as_f64().map(|v| (v * 1e6).round())
    );
    assert!(number(&titre["high"]) < 0.9 && number(&titre["low"]) < number(&titre["ratio"]), "{titre}");
    let oxygen = by(&answer["signs"], "cause", "oxygen-transfer");
    assert_eq!(oxygen["standing"], "shown", "{answer}");
    assert!(number(&oxygen["large_h"]) > 2.0 && number(&oxygen["small_h"]) < 0.5, "{oxygen}");
    assert_eq!(by(&answer["signs"], "cause", "heat-removal")["standing"], "not-seen");
    assert_eq!(by(&answer["signs"], "cause", "carbon-dioxide")["standing"], "not-measured", "no bound was given");
    let [constraint] = answer["constraints"].as_array().unwrap().as_slice() else { panic!("one constraint: {answer}") };
    assert_eq!(
        (&constraint["variable"], &constraint["direction"], &constraint["unit"], &constraint["constraint_state"]),
        (&json!("specific-oxygen-uptake"), &json!("at-most"), &json!("mmol/g/h"), &json!("open"))
    );
    // What the large vessel gave, over the biomass of the small ones.
    let gave = number(&by(&analyses[0]["quantities"], "code", "oxygen-uptake-max")["value"]);
    let mut biomass = 0.0;
    for run in small {
        let analysed = bench.run("culture analyse", json!({ "run": run })).await;
        biomass += number(&by(&analysed["quantities"], "code", "biomass-max")["value"]) / 4.0;
    }
    assert!((number(&constraint["limit"]) / (gave / biomass) - 1.0).abs() < 1e-9, "{constraint}");
    assert!(
        number(&constraint["low"]) < number(&constraint["limit"]) && number(&constraint["limit"]) < number(&constraint["high"])
    );
    assert!(bilingual(&constraint["why"]) && bilingual(&constraint["asks"]) && bilingual(&answer["conclusion"]));
    // Evidence: the runs and their kept analyses, each with a hash.
    let evidence = constraint["evidence"].as_array().unwrap();
    assert_eq!(evidence.iter().filter(|e| e["kind"] == "run").count(), 5);
    assert_eq!(evidence.iter().filter(|e| e["kind"] == "analysis").count(), 5);
    assert!(evidence.iter().all(|e| e["sha256"].as_str().unwrap().len() == 64));
    let id = constraint["constraint"].as_str().unwrap().to_owned();
    // The same again is the same record.
    let version = bench.get("design-constraint", &id).await["version"].clone();
    bench.run("culture constrain", ask(poor, json!({}))).await;
    assert_eq!(bench.get("design-constraint", &id).await["version"], version);
    // By hand nothing is asked without evidence.
    let bare = json!({ "title": "x", "run": poor, "cause": "mixing", "variable": "overflow-max", "direction": "at-most", "limit": 1.0,
                       "unit": "g/L", "why_ja": "x", "why_en": "x", "evidence": [], "state": "open" });
    let refused = bench.refusal("record put", json!({ "kind": "design-constraint", "id": "DC-X", "fields": bare })).await;
    assert_eq!((refused.code(), places(&refused)), ("E-DESIGN-001", vec!["«evidence»".to_owned()]));

    next_cycle(&bench, &id, poor, good).await;
    bench.is_sound().await;
}

/// One run against one, and a large run that did well: nothing is asked, and that is said.
async fn no_constraint_without_evidence(bench: &Bench, runs: &[String]) {
    let alone = bench.run("culture constrain", json!({ "run": runs[4] })).await;
    assert_eq!((&alone["outcome"], &alone["small_runs"]), (&json!("undecided"), &json!([runs[0]])));
    assert!(alone["conclusion"]["en"].as_str().unwrap().contains("inconclusive") && bilingual(&alone["conclusion"]));
    let why = &by(&alone["comparisons"], "code", "titre-final")["why"];
    assert!(why["en"].as_str().unwrap().contains("one run on each scale"), "{why}");
    let well = bench
        .run(
            "culture constrain",
            json!({ "run": runs[5], "small": &runs[..4], "quantities": ["titre-final", "biomass-final"], "tolerance_percent": 25.0 }),
        )
        .await;
    assert_eq!(well["outcome"], "as-good", "{well}");
    assert!(alone["constraints"] == json!([]) && well["constraints"] == json!([]));
    assert!(bench.list("design-constraint").await.is_empty(), "nothing is kept without evidence");
}

async fn next_cycle(bench: &Bench, id: &str, poor: &str, good: &str) {
    // It appears in the next cycle of the strain, with limit and reason.
    let cycle = bench.run("culture design-cycle", json!({ "strain": "STR-1", "goal": "酸素要求の低減" })).await;
    assert_eq!((&cycle["number"], &cycle["opened"]), (&json!(1), &json!(true)));
    let [taken] = cycle["constraints"].as_array().unwrap().as_slice() else { panic!("one constraint: {cycle}") };
    assert_eq!(
        (&taken["constraint"], &taken["constraint_state"], &taken["test"]),
        (&json!(id), &json!("taken-up"), &json!(poor))
    );
    let cycle_id = cycle["cycle"].as_str().unwrap();
    let stored = bench.get("design-constraint", id).await;
    assert_eq!((&stored["fields"]["state"], &stored["fields"]["cycle"]), (&json!("taken-up"), &json!(cycle_id)));
    // Asked again without anything new, the same cycle is shown.
    let again = bench.run("culture design-cycle", json!({ "strain": "STR-1" })).await;
    assert_eq!((&again["cycle"], &again["opened"]), (&json!(cycle_id), &json!(false)));

    // The edit that answers it, the strain it made, and its tests.
    bench.put("strain", "STR-2", json!({ "name": "K-2 (simulated)", "parent": "STR-1", "derived_by": "genome-editing" })).await;
    let edit = json!({ "title": "ptsG の欠失", "parent": "STR-1", "strain": "STR-2", "sort": "deletion", "target": "ptsG",
                       "constraints": [id], "cycle": cycle_id, "state": "verified" });
    bench.put("strain-edit", "EDIT-1", edit).await;
    let plant = json!([
        modest("M1", "30-l", 0.195),
        modest("M2", "30-l", 0.2),
        modest("M3", "30-l", 0.205),
        modest("NEXT", "3000-l", 0.2)
    ]);
    let next = simulated(bench, "A09N", 32.0, plant, "STR-2").await;
    let tested = bench
        .run(
            "culture constrain",
            json!({ "run": next[3], "small": &next[..3], "quantities": ["biomass-final"], "tolerance_percent": 25.0 }),
        )
        .await;
    let [judged] = tested["judged"].as_array().unwrap().as_slice() else { panic!("one judged: {tested}") };
    assert_eq!(
        (&judged["constraint"], &judged["edit"], &judged["fate"]),
        (&json!(id), &json!("EDIT-1"), &json!("met")),
        "{tested}"
    );
    assert!(number(&judged["high"]) <= number(&judged["limit"]));
    assert_eq!(bench.get("design-constraint", id).await["fields"]["state"], "met");
    // A comparison over two strains says nothing of the scale.
    let mixed = bench.refusal("culture constrain", json!({ "run": next[3], "small": [good] })).await;
    assert_eq!(mixed.code(), "E-DESIGN-008");

    // Lineage, on: test → constraint → cycle and edit → strain → next tests.
    let on = bench.run("run lineage", json!({ "run": poor })).await["design_led_to"].clone();
    let way: Vec<(String, String, u64)> = on
        .as_array()
        .unwrap()
        .iter()
        .map(|n| {
            (n["design_role"].as_str().unwrap().to_owned(), n["id"].as_str().unwrap().to_owned(), n["depth"].as_u64().unwrap())
        })
        .collect();
    let expected =
        [("test", poor, 0), ("constraint", id, 1), ("cycle", cycle_id, 2), ("edit", "EDIT-1", 2), ("strain", "STR-2", 3)];
    let expected: Vec<(String, String, u64)> = expected.map(|(r, i, d)| (r.to_owned(), i.to_owned(), d)).to_vec();
    assert_eq!(way[..5], expected[..], "{on}");
    let tests: Vec<&String> = way[5..].iter().filter(|n| n.0 == "test" && n.2 == 4).map(|n| &n.1).collect();
    assert!(next.iter().all(|run| tests.contains(&run)), "{on}");
    // And back from the next test to the edit, and to the test that led to it.
    let back = bench.run("run lineage", json!({ "run": next[3] })).await["design_came_from"].clone();
    let edit = by(&back, "id", "EDIT-1");
    assert_eq!(
        (&edit["from"], &edit["design_role"], &edit["design_state"]),
        (&json!("STR-2"), &json!("edit"), &json!("verified"))
    );
    assert_eq!(by(&back, "id", id)["from"], "EDIT-1");
    assert_eq!((&by(&back, "id", poor)["from"], &by(&back, "id", poor)["design_role"]), (&json!(id), &json!("test")));
}
