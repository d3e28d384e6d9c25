//! I: regenerative, cell and gene therapy; so far the record of a lot of manufacture.

use crate::bench::{Bench, bilingual, places, texts};
use crate::c_instruments::{COMMANDS, ran, with_protocol};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Records of a kind that belong to a run, as `kind/identifier`.
async fn belonging(bench: &Bench, kind: &str, run: &str) -> BTreeSet<String> {
    let all = bench.list(kind).await.into_iter().filter(|r| r["fields"]["run"] == run);
    all.map(|r| format!("{kind}/{}", r["id"].as_str().unwrap())).collect()
}

/// The codes with which a release is refused.
async fn reasons(bench: &Bench) -> BTreeSet<String> {
    let refused = bench.refusal("lot release", json!({ "lot": "LOT-1", "by": "qa-1" })).await;
    assert_eq!(refused.code(), "E-LOT-010");
    assert_eq!(places(&refused).len(), refused.fault().diagnostics.len(), "every reason has its place");
    assert!(refused.fault().diagnostics.iter().all(|d| d.remedy.is_some()));
    refused.fault().diagnostics.iter().map(|d| d.code.clone()).collect()
}

fn codes(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|c| (*c).to_owned()).collect()
}

/// What people enter beside the instrument: vessel, materials, a sample with its result, an addition, a decision.
async fn by_hand(bench: &Bench, run: &str) {
    let started = bench.get("run", run).await["fields"]["started"].as_str().unwrap().to_owned();
    bench
        .put(
            "vessel",
            "VES-1",
            json!({ "name": "R01", "maker": "甲社", "model": "F-10", "serial": "0042", "volume_working_l": 10.0 }),
        )
        .await;
    bench.put("run", run, json!({ "vessel": "VES-1" })).await;
    for (id, name, lot) in [("1", "グルコース", "G-77"), ("2", "消泡剤", "AF-3")] {
        bench.put("material", &format!("MAT-{id}"), json!({ "name": name, "sort": "compound" })).await;
        let fields = json!({ "material": format!("MAT-{id}"), "lot": lot, "state": "released", "expires": "2027-03-31" });
        bench.put("material-lot", &format!("ML-{id}"), fields).await;
    }
    let addition = json!({ "run": run, "sort": "addition", "label": "消泡剤", "time": started, "reason": "泡が上がった",
                           "fields": { "material_lot": "ML-2", "amount": { "value": 2, "unit": "mL" } } });
    bench.put("event", "EVT-1", addition).await;
    let decision =
        json!({ "run": run, "time": started, "seen": "泡", "done": "消泡剤を加えた", "why": "溢れを防ぐ", "author": "杜氏一" });
    bench.put("decision", "DEC-1", decision).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i01_a_lot_record_shows_every_step_material_and_result_and_release_waits_for_deviations() {
    // A batch by a protocol on an instrument, and what people did beside it.
    let bench = with_protocol().await;
    let ran = ran(&bench, "a", "simulated-opcua").await;
    let run = ran["run"].as_str().unwrap();
    by_hand(&bench, run).await;
    let lot = json!({ "title": "模擬一号", "number": "L-001", "state": "open", "product_name": "模擬タンパク質",
        "runs": [run], "roles": { run: "main" }, "materials": ["ML-1"], "amounts": { "ML-1": { "value": 150, "unit": "g" } },
        "specification": [
            { "quantity": "growth-rate-max", "low": 0.3, "high": 0.9, "unit": "/h", "role": "main" },
            { "quantity": "duration", "low": 240, "unit": "min" },
            { "quantity": "glucose", "high": 500, "unit": "mg/L", "which": "last" } ] });
    bench.put("lot", "LOT-1", lot).await;
    let deviation = json!({ "lot": "LOT-1", "run": run, "what": "消泡剤の手動添加", "class": "minor", "state": "open",
                            "found_at": "2026-11-24T03:00:00Z", "found_by": "杜氏一" });
    bench.put("deviation", "DEV-1", deviation).await;

    // Refused, with all reasons: the deviation, the result that is missing, a simulated run in a lot that is not.
    assert_eq!(reasons(&bench).await, codes(&["E-LOT-014", "E-LOT-016", "E-LOT-021"]));
    bench.put("lot", "LOT-1", json!({ "simulated": true })).await;
    bench.put("sample", "SMP-1", json!({ "run": run, "key": "終了時", "elapsed_s": 21_600.0 })).await;
    let below = json!({ "kind": "less-than", "high": 0.04, "unit": "g/L", "text": "< 0.04" });
    bench
        .put("assay", "ASY-1", json!({ "sample": "SMP-1", "run": run, "analyte": "Glc", "variable": "glucose", "value": below }))
        .await;
    assert_eq!(reasons(&bench).await, codes(&["E-LOT-014", "E-LOT-020"]), "the analysis does not know the new result");
    assert_eq!(bench.run("culture analyse", json!({ "run": run })).await["valid"], true);
    assert_eq!(reasons(&bench).await, codes(&["E-LOT-014"]), "the open deviation alone");

    // The record shows every step …
    let shown = bench.run("lot show", json!({ "lot": "LOT-1" })).await;
    let mut wanted = BTreeSet::new();
    for kind in ["event", "decision", "sample", "observation"] {
        wanted.extend(belonging(&bench, kind, run).await);
    }
    let steps = shown["steps"].as_array().unwrap();
    let named: BTreeSet<String> =
        steps.iter().map(|s| format!("{}/{}", s["kind"].as_str().unwrap(), s["id"].as_str().unwrap())).collect();
    assert_eq!((named, steps.len()), (wanted.clone(), wanted.len()), "each once");
    let times = texts(&shown["steps"], "time");
    assert!(times.is_sorted(), "{times:?}");
    assert!(steps.iter().all(|s| s["run"] == run && s["vessel"] == "R01" && bilingual(&s["label"])));
    let told: BTreeSet<&str> = steps.iter().filter(|s| s["outcome"] == "done").filter_map(|s| s["told"].as_str()).collect();
    assert_eq!(told.len(), COMMANDS.len(), "what the protocol sent, in the instrument's words: {told:?}");
    let inoculated = steps.iter().find(|s| s["category"] == "inoculation").unwrap();
    assert_eq!(inoculated["reason"], "Culture / Batch / Grow");
    // … every material …
    let material = |category: &str| -> Vec<Json> {
        shown["materials"].as_array().unwrap().iter().filter(|m| m["category"] == category).cloned().collect()
    };
    let of = |row: &Json| json!([row["material_lot"], row["amount_used"], row["unit"], row["state"]]);
    assert_eq!(material("material-lot").iter().map(of).collect::<Vec<_>>(), [json!(["ML-1", 150.0, "g", "released"])]);
    assert_eq!(
        material("addition").iter().filter(|m| m["record"] == "event/EVT-1").map(of).collect::<Vec<_>>(),
        [json!(["ML-2", 2.0, "mL", "released"])]
    );
    assert_eq!(
        (&material("strain")[0]["label"]["ja"], &material("medium")[0]["label"]["en"]),
        (&json!("模擬大腸菌"), &json!("最少培地 (グルコース 15 g/L)"))
    );
    assert_eq!(material("total").len(), 2, "feed and base by pump: {}", shown["materials"]);
    // … and every result, against the specification.
    let analysis = bench.get("analysis", ran["analysis"].as_str().unwrap()).await;
    let mut quantities: BTreeSet<String> = texts(&analysis["fields"]["quantities"], "code").into_iter().collect();
    quantities.insert("glucose".into());
    assert_eq!(texts(&shown["results"], "quantity").into_iter().collect::<BTreeSet<_>>(), quantities);
    assert_eq!(texts(&shown["specification"], "verdict"), ["within"; 3]);
    assert_eq!(shown["specification"][2]["found"], json!(["< 0.04 g/L"]), "a bound below the limit keeps it");
    assert_eq!(
        (&shown["runs"][0]["valid"], &shown["runs"][0]["current"], &shown["runs"][0]["simulated"]),
        (&json!(true), &json!(true), &json!(true))
    );
    assert_eq!((&shown["sources"][0]["source_name"], &shown["sources"][0]["maker"]), (&json!("simulated-opcua"), &json!("甲社")));
    assert_eq!(shown["series"].as_array().unwrap().len(), belonging(&bench, "channel", run).await.len());

    // The deviation is closed with all that a closed one needs; then the lot is released, once.
    let close = |fields: Json| json!({ "kind": "deviation", "id": "DEV-1", "fields": fields });
    let unsaid = bench.refusal("record put", close(json!({ "state": "closed", "cause": "泡" }))).await;
    assert_eq!((unsaid.code(), places(&unsaid).len()), ("E-LOT-002", 4));
    let said = json!({ "state": "closed", "cause": "泡立ち", "action": "手動で添加し、記録した", "closed_at": "2026-11-24T03:00:00Z",
                       "closed_by": "品証一", "reason": "品質に影響がない" });
    bench.run("record put", close(said)).await;
    let released = bench.run("lot release", json!({ "lot": "LOT-1", "by": "qa-1", "reason": "規格適合" })).await;
    assert_eq!(
        (&released["state"], &released["changed"], &released["decided_by"]),
        (&json!("released"), &json!(true), &json!("qa-1"))
    );
    let shown = bench.run("lot show", json!({ "lot": "LOT-1" })).await;
    assert_eq!(
        (&shown["differs"], &shown["sha256_decided"], &shown["state"]),
        (&json!(false), &released["sha256"], &json!("released"))
    );
    // A later deviation is seen as what differs from the record that was released.
    bench.put("deviation", "DEV-2", json!({ "lot": "LOT-1", "what": "苦情", "class": "major", "state": "open" })).await;
    let shown = bench.run("lot show", json!({ "lot": "LOT-1" })).await;
    assert_eq!(
        (&shown["differs"], &shown["differences"]),
        (&json!(true), &json!([{ "record": "deviation/DEV-2", "change": "added" }]))
    );
    bench.is_sound().await;
}
