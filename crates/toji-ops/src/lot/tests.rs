//! The record of a lot and the decisions on it, over a store.

use crate::progress::Progress;
use crate::session::{Options, Session};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use toji_core::{Error, Instant, Result};
use toji_store::live_run_id;

struct Bench {
    session: Arc<Session>,
    _folder: tempfile::TempDir,
}

fn now() -> Instant {
    Instant::parse("2026-11-24T03:00:00Z").unwrap()
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let session = Session::init(&folder.path().join("store"), Options::default()).await.unwrap();
        Self { session, _folder: folder }
    }
    async fn call(&self, name: &str, input: Json) -> Result<Json> {
        let context = self.session.context(Progress::silent(), now());
        Ok(crate::operation(name).unwrap().run(context, input).await?.json)
    }
    async fn run(&self, name: &str, input: Json) -> Json {
        self.call(name, input.clone()).await.unwrap_or_else(|e| panic!("{name} {input}: {e:?}"))
    }
    async fn refusal(&self, name: &str, input: Json) -> Error {
        self.call(name, input).await.unwrap_err()
    }
    async fn put(&self, kind: &str, id: &str, fields: Json) {
        self.run("record put", json!({ "kind": kind, "id": id, "fields": fields })).await;
    }
    async fn show(&self) -> Json {
        self.run("lot show", json!({ "lot": "LOT-1" })).await
    }
    /// Six hours of growth at 0.4 /h on a device, begun and ended; answers the run.
    async fn grown(&self, name: &str, marks: &[&str], simulated: bool) -> String {
        let at = |minutes: i64| now().0 + minutes * 60_000_000_000;
        let point = |m: i64| json!({ "signal": 0, "t_ns": at(m), "said": { "number": 0.2 * (0.4 * m as f64 / 60.0).exp() } });
        let mark = |(i, kind): (usize, &&str)| json!({ "t_ns": at(360 * i as i64), "kind": kind, "note": null });
        let batch = json!({
            "source": "plc", "run": name, "vessel": name, "simulated": simulated,
            "signals": [{ "key": "OD", "variable": "optical-density", "raw_unit": "OD600", "origin": "sensor" }],
            "points": (0..=360).map(point).collect::<Vec<_>>(),
            "marks": marks.iter().enumerate().map(mark).collect::<Vec<_>>(),
        });
        self.run("live append", json!({ "batches": [batch] })).await;
        crate::job::settle(&self.session, std::time::Duration::from_secs(60)).await;
        live_run_id("plc", name).to_string()
    }
    /// The same with what a valid record of a run has, analysed.
    async fn valid(&self, name: &str) -> String {
        let run = self.grown(name, &["started", "ended"], false).await;
        self.put("strain", "STR-1", json!({ "name": "K-7", "organism_type": "Yeast" })).await;
        self.put("vessel", "VES-1", json!({ "name": "R1", "maker": "甲社", "model": "F-5", "volume_working_l": 2.0 })).await;
        let facts = json!({ "strain": "STR-1", "zero_is": "inoculation", "medium": "YPD", "vessel": "VES-1", "inoculum": "前培養 20 mL" });
        self.put("run", &run, facts).await;
        let analysed = self.run("culture analyse", json!({ "run": run })).await;
        assert_eq!(analysed["valid"], true, "{}", analysed["findings"]);
        run
    }
    async fn assay(&self, id: &str, run: &str, elapsed_s: Option<f64>, text: &str) {
        let mut sample = json!({ "run": run, "key": id });
        let mut value = serde_json::to_value(toji_core::Value::parse(text)).unwrap();
        value["unit"] = "mg/L".into();
        let mut fields =
            json!({ "sample": format!("S-{id}"), "run": run, "analyte": "Glc", "variable": "glucose", "value": value });
        if let Some(elapsed) = elapsed_s {
            fields["elapsed_s"] = elapsed.into();
            sample["elapsed_s"] = elapsed.into();
        }
        self.put("sample", &format!("S-{id}"), sample).await;
        self.put("assay", id, fields).await;
    }
    async fn lot(&self, fields: Json) {
        let mut all = json!({ "title": "試作一号", "number": "L-001", "state": "open" });
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.put("lot", "LOT-1", all).await;
    }
}

fn release() -> Json {
    json!({ "lot": "LOT-1", "by": "qa-1", "reason": "規格適合" })
}

/// Codes and places of the errors among findings.
fn errors(findings: &Json) -> Vec<(String, String)> {
    let errors = findings.as_array().unwrap().iter().filter(|f| f["severity"] == "error");
    errors.map(|f| (f["code"].as_str().unwrap().to_owned(), f["place"]["field"].as_str().unwrap().to_owned())).collect()
}

fn codes(error: &Error) -> Vec<&str> {
    let found = &error.fault().diagnostics;
    assert!(found.iter().all(|d| d.remedy.is_some() && d.place.field.is_some() && d.message.ja != d.message.en), "{found:?}");
    found.iter().map(|d| d.code.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_reasons_against_a_release_are_named_at_once() {
    let bench = Bench::new().await;
    let run = bench.grown("R1", &["started"], true).await;
    bench
        .lot(json!({ "runs": [run], "specification": [
            { "quantity": "growth-rate-max", "low": 0.3, "unit": "/h" },
            { "quantity": "glucose", "high": 1, "unit": "g/L" },
            { "quantity": "titre-final", "low": 1, "unit": "g/L", "role": "本培養" } ] }))
        .await;
    bench.assay("A-1", &run, Some(3600.0), "1200").await;
    bench
        .put(
            "deviation",
            "DEV-1",
            json!({ "lot": "LOT-1", "run": run, "what": "温度が 40 °C を超えた", "class": "minor", "state": "open" }),
        )
        .await;
    // Taking an open deviation out of use does not end it.
    bench.run("record retire", json!({ "kind": "deviation", "id": "DEV-1", "reason": "試験" })).await;
    let refused = bench.refusal("lot release", release()).await;
    assert_eq!(refused.code(), "E-LOT-010");
    let expected = ["E-LOT-014", "E-LOT-016", "E-LOT-015", "E-LOT-016", "E-LOT-017", "E-LOT-018", "E-LOT-021"].map(str::to_owned);
    assert_eq!(codes(&refused), expected);
    // The record says the same before anybody asks for the release.
    let shown = bench.show().await;
    assert_eq!(errors(&shown["findings"]).into_iter().map(|(code, _)| code).collect::<Vec<_>>(), expected);
    assert_eq!((&shown["may_release"], &shown["state"], &shown["differs"]), (&json!(false), &json!("open"), &Json::Null));
    let places: Vec<String> = errors(&shown["findings"]).into_iter().map(|(_, place)| place).collect();
    assert!(places.contains(&"deviation/DEV-1/state".to_owned()) && places.contains(&format!("run/{run}/glucose")), "{places:?}");
    assert_eq!(shown["deviations"][0]["retired"], true);
    assert_eq!((&shown["runs"][0]["simulated"], &shown["runs"][0]["ended_s"]), (&json!(true), &Json::Null));
    // What is not there is refused before any of this.
    assert_eq!(bench.refusal("lot show", json!({ "lot": "LOT-9" })).await.code(), "E-RECORD-004");
    let empty = json!({ "lot": "LOT-1", "by": " " });
    assert_eq!(bench.refusal("lot release", empty).await.code(), "E-LOT-006");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_is_made_by_its_operation_only_and_a_deviation_is_closed_with_reasons_only() {
    let bench = Bench::new().await;
    let by_hand = json!({ "kind": "lot", "id": "LOT-1", "fields": { "title": "一号", "number": "1", "state": "released", "decided_by": "me" } });
    let refused = bench.refusal("record put", by_hand).await;
    assert_eq!((refused.code(), codes(&refused).len()), ("E-LOT-001", 2));
    bench.lot(json!({})).await;
    bench.lot(json!({ "notes": "書き直し" })).await;
    let refused = bench.refusal("record put", json!({ "kind": "lot", "id": "LOT-1", "fields": { "state": "rejected" } })).await;
    assert_eq!(refused.code(), "E-LOT-001");
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("lots.csv");
    std::fs::write(&table, "id,title,number,state\nLOT-2,二号,2,released\n").unwrap();
    let refused = bench.refusal("record import", json!({ "kind": "lot", "path": table.to_str().unwrap() })).await;
    assert_eq!(refused.code(), "E-LOT-001");

    let open = json!({ "lot": "LOT-1", "what": "温度逸脱", "class": "major", "state": "open" });
    bench.put("deviation", "DEV-1", open).await;
    let close = |fields: Json| json!({ "kind": "deviation", "id": "DEV-1", "fields": fields });
    let refused = bench.refusal("record put", close(json!({ "state": "closed", "cause": "冷却水の停止", "reason": " " }))).await;
    let places: Vec<String> = refused.fault().diagnostics.iter().filter_map(|d| d.place.field.clone()).collect();
    assert_eq!(places, ["action", "closed_at", "closed_by", "reason"].map(|f| format!("deviation/DEV-1/{f}")));
    assert_eq!(codes(&refused).len(), 4);
    bench.put("lot", "LOT-2", json!({ "title": "二号", "number": "2", "state": "open" })).await;
    assert_eq!(bench.refusal("record put", close(json!({ "lot": "LOT-2" }))).await.code(), "E-LOT-003");

    let wrong = json!({ "kind": "lot", "id": "LOT-1", "fields": { "roles": { "run-x": "本培養" }, "amounts": 3,
                        "specification": [{ "quantity": "glucose", "unit": "g/L" }] } });
    let refused = bench.refusal("record put", wrong).await;
    assert_eq!((refused.code(), codes(&refused).len()), ("E-LOT-004", 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_released_lot_shows_what_has_changed_since_and_can_be_reopened_and_rejected() {
    let bench = Bench::new().await;
    let run = bench.valid("R1").await;
    bench.put("material", "MAT-1", json!({ "name": "グルコース", "name_en": "Glucose", "sort": "compound" })).await;
    bench.put("material-lot", "ML-1", json!({ "material": "MAT-1", "lot": "G-77", "state": "quarantine" })).await;
    bench.put("person", "qa-1", json!({ "pseudonym": "品証一" })).await;
    bench
        .lot(json!({ "runs": [run], "roles": { run.clone(): "本培養" }, "materials": ["ML-1"],
            "amounts": { "ML-1": { "value": 1.5, "unit": "kg" } },
            "specification": [{ "quantity": "growth-rate-max", "low": 0.35, "high": 0.45, "unit": "/h", "role": "本培養" }] }))
        .await;
    let shown = bench.show().await;
    assert_eq!((errors(&shown["findings"]), &shown["may_release"]), (Vec::new(), &json!(true)));
    // Grown at 0.4 /h.
    let asked = &shown["specification"][0];
    assert_eq!((&asked["verdict"], &asked["run"], &asked["why"]), (&json!("within"), &json!(run), &Json::Null));
    let found: f64 = asked["found"][0].as_str().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((found - 0.4).abs() < 1e-6, "{found}");
    let material = &shown["materials"][0];
    assert_eq!(
        (&material["category"], &material["amount_used"], &material["unit"], &material["label"]["en"], &material["state"]),
        (&json!("material-lot"), &json!(1.5), &json!("kg"), &json!("Glucose (G-77)"), &json!("quarantine"))
    );
    let sorts: Vec<&str> = shown["materials"].as_array().unwrap().iter().map(|m| m["category"].as_str().unwrap()).collect();
    assert_eq!(sorts, ["material-lot", "strain", "medium", "inoculum"]);
    assert_eq!((&shown["sources"][0]["source_name"], &shown["sources"][0]["maker"]), (&json!("plc"), &json!("甲社")));
    let steps = shown["steps"].as_array().unwrap();
    assert!(steps.windows(2).all(|w| w[0]["time"].as_str() <= w[1]["time"].as_str()), "{steps:?}");
    let warned = |shown: &Json, code: &str| shown["findings"].as_array().unwrap().iter().any(|f| f["code"] == code);
    assert!(warned(&shown, "W-LOT-035"), "a material lot in quarantine is named");

    let first = bench.run("lot release", release()).await;
    assert_eq!((&first["changed"], &first["state"], &first["decided_by"]), (&json!(true), &json!("released"), &json!("品証一")));
    assert_eq!((&first["decided_at"], &first["sha256"]), (&json!("2026-11-24T03:00:00Z"), &shown["sha256"]));
    // The same again changes nothing; somebody else does not decide again.
    let again = bench.run("lot release", release()).await;
    assert_eq!(
        (&again["changed"], &again["version"], &again["decided_at"]),
        (&json!(false), &first["version"], &first["decided_at"])
    );
    let other = bench.refusal("lot release", json!({ "lot": "LOT-1", "by": "qa-2" })).await;
    assert_eq!(codes(&other), ["E-LOT-011"]);
    let shown = bench.show().await;
    assert_eq!((&shown["differs"], &shown["differences"], &shown["may_release"]), (&json!(false), &json!([]), &json!(false)));

    // A result that comes in later, and a point that is measured anew.
    bench.assay("A-1", &run, Some(21_600.0), "< 10").await;
    let shown = bench.show().await;
    assert_eq!(shown["differs"], true);
    let named: Vec<&str> = shown["differences"].as_array().unwrap().iter().map(|d| d["record"].as_str().unwrap()).collect();
    assert_eq!(named, ["assay/A-1", "sample/S-A-1"]);
    assert_eq!(shown["differences"][0]["change"], "added");
    assert_ne!(shown["sha256"], shown["sha256_decided"]);
    assert!(errors(&shown["findings"]).iter().any(|(code, _)| code == "E-LOT-020"), "the analysis does not know the result");

    let why = json!({ "lot": "LOT-1", "by": "qa-1", "reason": "分析値の追加" });
    let reopened = bench.run("lot reopen", why.clone()).await;
    assert_eq!((&reopened["state"], &reopened["decided_by"]), (&json!("open"), &Json::Null));
    assert_eq!(bench.run("lot reopen", why).await["changed"], false);
    let refused = bench.refusal("lot release", release()).await;
    assert_eq!(codes(&refused), ["E-LOT-020"]);
    bench.run("culture analyse", json!({ "run": run })).await;
    // A fact that makes the run valid is taken away: what the analysis said then is not so now.
    bench.put("run", &run, json!({ "strain": null })).await;
    assert_eq!(codes(&bench.refusal("lot release", release()).await), ["E-LOT-020"]);
    bench.put("run", &run, json!({ "strain": "STR-1" })).await;
    bench.run("lot release", release()).await;

    let reject = json!({ "lot": "LOT-1", "by": "qa-1", "reason": "苦情" });
    assert_eq!(bench.run("lot reject", reject.clone()).await["state"], "rejected");
    assert_eq!(bench.run("lot reject", reject.clone()).await["changed"], false);
    assert_eq!(bench.refusal("lot reject", json!({ "lot": "LOT-1", "by": "qa-2", "reason": "x" })).await.code(), "E-LOT-008");
    assert_eq!(codes(&bench.refusal("lot release", release()).await), ["E-LOT-011"]);
    assert_eq!(bench.refusal("lot reject", json!({ "lot": "LOT-1", "by": "qa-1", "reason": "" })).await.code(), "E-LOT-006");
    let history = bench.run("record history", json!({ "kind": "lot", "id": "LOT-1" })).await;
    let done: Vec<&str> = history["versions"].as_array().unwrap().iter().map(|v| v["operation"].as_str().unwrap()).collect();
    assert_eq!(done, ["lot reject", "lot release", "lot reopen", "lot release", "record put"]);
    assert_eq!(bench.run("store verify", json!({})).await["ok"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_judged_as_they_were_written_each_or_the_last() {
    let bench = Bench::new().await;
    let run = bench.grown("R1", &["started", "ended"], false).await;
    bench.assay("A-1", &run, Some(3600.0), "5200").await;
    bench.assay("A-2", &run, Some(7200.0), "ERROR").await;
    bench.assay("A-3", &run, Some(21_600.0), "< 10").await;
    let asks = |which: &str, high: f64| json!({ "runs": [run], "specification": [{ "quantity": "glucose", "high": high, "unit": "g/L", "which": which }] });
    let check = async |fields: Json, expected: &str, found: usize| {
        bench.lot(fields).await;
        let shown = bench.show().await;
        let row = &shown["specification"][0];
        assert_eq!((&row["verdict"], row["found"].as_array().unwrap().len()), (&json!(expected), found), "{row}");
        shown
    };
    let shown = check(asks("every", 1.0), "outside", 3).await;
    let of = |name: &str, shown: &Json| -> Vec<Json> {
        let assays = shown["results"].as_array().unwrap().iter().filter(|r| r["quantity"] == "glucose");
        assays.map(|r| r[name].clone()).collect()
    };
    assert_eq!(of("verdict", &shown), [json!("outside"), json!("not-measured"), json!("within")]);
    let values = of("value", &shown);
    // In the usual unit of glucose, g/L, with the text as it was written.
    assert_eq!((&values[0]["number"], &values[0]["unit"], &values[0]["text"]), (&json!(5.2), &json!("g/L"), &json!("5200")));
    assert_eq!((&values[2]["high"], &values[2]["text"]), (&json!(0.01), &json!("< 10")));
    let shown = check(asks("last", 1.0), "within", 1).await;
    assert_eq!(of("verdict", &shown), [Json::Null, Json::Null, json!("within")]);
    check(asks("last", 0.005), "undecided", 1).await;
    check(asks("every", 6.0), "within", 3).await;
    // Without its time nobody knows which is the last.
    bench.assay("A-4", &run, None, "3").await;
    let shown = check(asks("last", 1.0), "undecided", 0).await;
    let warned = shown["findings"]
        .as_array()
        .unwrap()
        .iter()
        .any(|f| f["code"] == "W-LOT-032" && f["place"]["field"] == "sample/S-A-4/time");
    assert!(warned, "{}", shown["findings"]);
}
