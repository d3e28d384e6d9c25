//! J: shared research infrastructure: a secure place from which only checked results leave.

use crate::bench::{Bench, bilingual};
use serde_json::json;

/// Cultures that grow, of one titre each: CSV as an instrument writes it.
fn growing(seed: u32) -> String {
    let mut csv = String::from("時刻,経過時間 (h),OD600,グルコース (g/L)\n");
    for h in 0..12u32 {
        let (h, scale) = (f64::from(h), 1.0 + 0.05 * f64::from(seed));
        csv += &format!(
            "2026-06-{:02} {:02}:00,{h},{:.4},{:.3}\n",
            1 + seed,
            6 + h as u32,
            0.1 * scale * 1.4f64.powf(h),
            40.0 - 3.0 * h
        );
    }
    csv
}

#[tokio::test(flavor = "multi_thread")]
async fn j02_an_approved_project_computes_in_a_secure_place_and_only_checked_results_leave() {
    let bench = Bench::new().await;
    bench.commons().await;
    bench.member("ORG-X").await;
    let owners = ["ORG-A", "ORG-B", "ORG-C", "ORG-D", "ORG-E", "ORG-F"];
    let mut sets = Vec::new();
    let mut runs = Vec::new();
    for (i, owner) in owners.iter().enumerate() {
        bench.member(owner).await;
        let file = bench.file(&format!("{owner}.csv"), growing(u32::try_from(i).unwrap()));
        let report = bench.run_as(&format!("{owner}-steward"), "run import", json!({ "paths": [file] })).await;
        let run = report["runs"][0]["id"].as_str().unwrap_or_else(|| panic!("{report}")).to_owned();
        let set = format!("DS-{owner}");
        let shared = json!({ "id": set, "title": set, "area": "clean-room", "runs": [run] });
        bench.run_as(&format!("{owner}-kanri"), "commons share", shared).await;
        runs.push(run);
        sets.push(set);
    }
    let all: Vec<&str> = sets.iter().map(String::as_str).collect();
    let parties: Vec<&str> = owners.iter().copied().chain(["ORG-X"]).collect();
    bench.agreement("ROOM", &parties, &all, json!({ "grants": ["compute"], "purposes": ["research"] })).await;
    let goal = json!({ "programme_id": ["BIOREV"], "target_ja": "増殖速度", "target_en": "Growth rate", "metric": "growth", "comparator": ">=",
                       "value": 1, "unit": "/h", "due": "2028-03-31", "kind": "target", "source": "計画書", "section": "KPI", "line": 1 });
    bench.put("kpi", "K-1", goal).await;
    let project = json!({ "name": "共同解析", "state": "planned", "kpis": ["K-1"] });
    bench.put("project", "PJ-1", project).await;

    let manifest = json!({ "project": "PJ-1", "data_sets": sets, "measures": ["growth-rate-max", "duration"], "key_file": bench.key_file("ORG-X") });
    let signed = bench.run("commons manifest", manifest.clone()).await;
    let compute = json!({ "manifest": signed["manifest"] });
    // Not approved: refused. Not signed by the organisation that asks, or changed after it signed: refused.
    assert_eq!(bench.refusal_as("ORG-X-ken", "commons compute", compute.clone()).await.code(), "E-COMMONS-007");
    bench.run("project start", json!({ "id": "PJ-1" })).await;
    let forged = signed["manifest"].as_str().unwrap().replace("growth-rate-max", "titre-final");
    assert!(bench.call_as("ORG-X-ken", "commons compute", json!({ "manifest": forged })).await.is_err());
    assert_eq!(bench.refusal_as("ORG-A-ken", "commons compute", compute.clone()).await.code(), "E-COMMONS-003");

    // Rows stay inside, whoever asks but their owner.
    for run in &runs[1..] {
        for user in ["ORG-X-ken", "ORG-A-ken"] {
            assert_eq!(bench.refusal_as(user, "run show", json!({ "id": run })).await.code(), "E-GATE-001");
        }
    }
    // Only checked results leave: the mean over six owners does, with how many stand behind it and nothing else.
    let computed = bench.run_as("ORG-X-ken", "commons compute", compute.clone()).await;
    let results = computed["results"].as_array().unwrap();
    assert_eq!(results.len(), 2, "{computed}");
    let growth = results.iter().find(|r| r["measure"] == "growth-rate-max").unwrap();
    assert_eq!((&growth["contributors"], &growth["refused"]), (&json!(6), &json!(null)), "{computed}");
    // All six grow by ln 1.4 an hour; the mean is told to three digits.
    assert!((growth["mean"].as_f64().unwrap() - 1.4f64.ln()).abs() < 0.01, "{growth}");
    for owner in owners {
        assert!(!results.iter().any(|r| r.to_string().contains(owner)), "{computed}");
    }
    // The same question again is the same answer; a smaller one that would tell of one owner by difference stays inside.
    assert_eq!(bench.run_as("ORG-X-ken", "commons compute", compute).await["results"], computed["results"]);
    let fewer = json!({ "project": "PJ-1", "data_sets": &sets[..5], "measures": ["growth-rate-max"], "key_file": bench.key_file("ORG-X") });
    let signed = bench.run("commons manifest", fewer).await;
    let told = bench.run_as("ORG-X-ken", "commons compute", json!({ "manifest": signed["manifest"] })).await;
    let refused = &told["results"][0]["refused"];
    assert_eq!(refused["clause"], "R7", "{told}");
    assert!(told["results"][0]["mean"].is_null() && bilingual(&refused["reason"]) && bilingual(&refused["remedy"]));
    bench.is_sound().await;
}
