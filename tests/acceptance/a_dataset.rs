//! A: from deposit to delivery in one trace (A02), and data sets ready for learning machines (A06).

use crate::bench::{Bench, bilingual, texts, unzip};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

fn generated(end: &str) -> Vec<u8> {
    let files = toji_ingest::generate::demo_files(7);
    files.into_iter().find(|(name, _)| name.ends_with(end)).unwrap_or_else(|| panic!("no {end}")).1
}

/// All generated fermenter files, and a strain, a licence, a sample with a censored result.
async fn brewery() -> (Bench, Vec<String>) {
    let bench = Bench::new().await;
    let mut runs = Vec::new();
    for (name, bytes) in toji_ingest::generate::demo_files(7) {
        let path = bench.file(&name.replace('/', "_"), bytes);
        let report = bench.run("run import", json!({ "paths": [path] })).await;
        runs.extend(texts(&report["runs"], "id"));
    }
    bench
        .put(
            "strain",
            "STR-1",
            json!({ "name": "模擬株", "organism_type": "Fungi", "taxon_name": "Saccharomyces cerevisiae", "risk_group": "1" }),
        )
        .await;
    bench.put("licence", "LIC-1", json!({ "name_ja": "研究利用", "name_en": "Research use", "duo": ["DUO:0000042"], "text_ja": "研究に使えます。", "text_en": "For research." })).await;
    bench.put("run", &runs[0], json!({ "strain": "STR-1", "medium": "YPD" })).await;
    bench.put("sample", "SMP-1", json!({ "run": runs[0], "key": "S1", "elapsed_s": 3600.0 })).await;
    let value = json!({ "kind": "less-than", "high": 10.04, "unit": "mg/L", "text": "< 10.04 mg/L", "raw_unit": "mg/L" });
    bench.put("assay", "ASY-1", json!({ "run": runs[0], "sample": "SMP-1", "analyte": "IgG", "value": value })).await;
    (bench, runs)
}

fn manifest(runs: &[String]) -> Json {
    json!({ "name": "test-set", "runs": runs, "grid_s": 600, "licence": "LIC-1", "split": { "unit": "run", "seed": 3 },
            "title": { "ja": "試験", "en": "Test" }, "creators": [{ "name": "Toji contributors" }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a06_every_lost_point_has_code_place_and_remedy_and_a_release_made_twice_is_one() {
    let (bench, runs) = brewery().await;
    assert!(runs.len() >= 40, "{}", runs.len());
    let checked = bench.run("dataset check", json!({ "manifest": manifest(&runs) })).await;
    let findings = checked["findings"].as_array().unwrap();
    let lost: u64 = findings.iter().map(|f| f["lost_thousandths"].as_u64().unwrap()).sum();
    let score = checked["score_thousandths"].as_u64().unwrap();
    assert_eq!(lost + checked["lost_left_out_thousandths"].as_u64().unwrap(), 100_000 - score, "every lost point is explained");
    let rules = checked["rules"].as_array().unwrap();
    assert_eq!(rules.iter().map(|r| r["lost_thousandths"].as_u64().unwrap()).sum::<u64>(), 100_000 - score);
    assert_eq!(rules.iter().map(|r| r["weight_thousandths"].as_u64().unwrap()).sum::<u64>(), 100_000);
    assert!(0 < score && score < 100_000, "{score}");
    for finding in findings {
        assert!(finding["code"].as_str().unwrap().contains("-READY-"), "{finding}");
        assert!(!finding["place"]["field"].as_str().unwrap().is_empty(), "{finding}");
        assert!(bilingual(&finding["message"]) && bilingual(&finding["remedy"]), "{finding}");
    }
    let dissolved = findings.iter().filter(|f| f["code"] == "E-READY-012").count();
    assert!(dissolved > 0, "DO in % without calibration temperature is named");

    // A remedy that is followed gives back exactly what its finding had cost.
    let of = |checked: &Json, code: &str, id: &str| {
        checked["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|f| f["code"] == code && f["id"] == id)
            .map(|f| f["lost_thousandths"].as_u64().unwrap())
            .sum::<u64>()
    };
    assert!(of(&checked, "E-READY-001", &runs[1]) > 0 && of(&checked, "E-READY-001", &runs[0]) == 0);
    bench.put("run", &runs[1], json!({ "strain": "STR-1" })).await;
    let again = bench.run("dataset check", json!({ "manifest": manifest(&runs) })).await;
    assert_eq!(of(&again, "E-READY-001", &runs[1]), 0);
    assert!(again["score_thousandths"].as_u64().unwrap() > score - 400, "{}", again["score"]);

    // One command, twice, gives one hash: also after other imports, and from the release's own manifest.
    let first = bench.output("dataset release", json!({ "manifest": manifest(&runs) })).await;
    let second = bench.output("dataset release", json!({ "manifest": manifest(&runs) })).await;
    let root_hash = first.json["root_hash"].as_str().unwrap().to_owned();
    assert_eq!((&first.json["root_hash"], &first.json["package"]), (&second.json["root_hash"], &second.json["package"]));
    assert_eq!(first.json["release"], second.json["release"]);
    bench.put("event", "EVT-9", json!({ "run": runs[2], "sort": "note", "label": "later" })).await;
    let kept = bench.output("dataset release", json!({ "manifest": first.json["manifest"], "dry_run": true })).await;
    assert_eq!(kept.json["root_hash"], root_hash.as_str(), "as the ledger knew it then");
    let newer = bench.output("dataset release", json!({ "manifest": manifest(&runs), "dry_run": true })).await;
    assert_ne!(newer.json["root_hash"], root_hash.as_str(), "what was added since is another data set");
    let verified = bench.run("dataset verify", json!({ "release": first.json["release"], "remake": true })).await;
    assert_eq!((&verified["ok"], &verified["remade_root_hash"]), (&json!(true), &json!(root_hash)));

    // What is in it.
    let files = unzip(first.attachment.unwrap().bytes);
    let text = |path: &str| String::from_utf8(files.get(path).unwrap_or_else(|| panic!("no {path}")).clone()).unwrap();
    let parse = |path: &str| serde_json::from_str::<Json>(&text(path)).unwrap();
    assert!(text("tables/assays.csv").contains("< 10.04 mg/L"), "the original text goes out");
    let mut assays = csv::Reader::from_reader(files["tables/assays.csv"].as_slice());
    let header = assays.headers().unwrap().clone();
    let row = assays.records().next().unwrap().unwrap();
    let cell = |name: &str| row.get(header.iter().position(|h| h == name).unwrap()).unwrap().to_owned();
    assert_eq!((cell("value"), cell("value_high"), cell("value_censoring")), (String::new(), "10.04".into(), "left".into()));
    assert_eq!(files.keys().filter(|p| p.starts_with("series/")).count(), runs.len());
    let conforms = parse("croissant.json")["conformsTo"].to_string();
    assert!(conforms.contains("croissant/1.1") && conforms.contains("RAI"), "{conforms}");
    assert!(text("ro-crate-metadata.json").contains("https://w3id.org/ro/crate/1.3"));
    assert!(text("croissant.json").contains("DUO_0000042") && text("datacite.json").contains("DUO_0000042"));
    assert!(text("README.ja.md").contains("準備度") && text("README.md").contains("Readiness"));
    let parts: BTreeSet<String> = text("splits.csv").lines().skip(1).map(|l| l.split(',').nth(1).unwrap().to_owned()).collect();
    assert_eq!(parts, BTreeSet::from(["train", "validation", "test"].map(String::from)));
    bench.is_sound().await;

    // A byte that is changed is found, with its file.
    let dir = std::path::Path::new(&bench.file("beside", "")).with_file_name("release-folder").to_string_lossy().into_owned();
    bench.run("dataset release", json!({ "manifest": first.json["manifest"], "dir": dir })).await;
    assert_eq!(bench.run("dataset verify", json!({ "release": dir })).await["ok"], true);
    std::fs::write(std::path::Path::new(&dir).join("splits.csv"), "run,split,group\n").unwrap();
    let broken = bench.run("dataset verify", json!({ "release": dir })).await;
    assert_eq!((&broken["ok"], &broken["faults"][0]["place"]["file"]), (&json!(false), &json!("splits.csv")));
    assert_eq!(
        bench.refusal("dataset release", json!({ "manifest": manifest(&runs), "dir": dir })).await.code(),
        "E-DATASET-033"
    );
}

/// Points that arrive, and points that are corrected, after a release do not reach into it.
#[tokio::test(flavor = "multi_thread")]
async fn a06_a_release_is_made_again_as_the_points_were_known() {
    let bench = Bench::new().await;
    let whole = String::from_utf8(generated("teaching.pioreactor.csv")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let early = lines[..400].join("\n") + "\n";
    let first = bench.run("run import", json!({ "paths": [bench.file("early.csv", &early)] })).await;
    let run = first["runs"][0]["id"].clone();
    let manifest = json!({ "name": "grown", "runs": [run], "grid_s": 300 });
    let released = bench.run("dataset release", json!({ "manifest": manifest })).await;

    // More of the run comes, then a number of the first part is corrected, then the correction is taken back.
    let mut roots = vec![released["root_hash"].clone()];
    let fields: Vec<&str> = lines[200].split(',').collect();
    let column = fields.iter().rposition(|f| f.parse::<f64>().is_ok_and(|v| v > 0.0 && v.fract() != 0.0)).unwrap();
    let mut corrected = fields.clone();
    corrected[column] = "0.123456";
    let corrected = whole.replacen(lines[200], &corrected.join(","), 1);
    for (name, content) in [("whole.csv", &whole), ("corrected.csv", &corrected), ("again.csv", &whole)] {
        bench.run("run import", json!({ "paths": [bench.file(name, content)] })).await;
        let now = bench.run("dataset release", json!({ "manifest": manifest, "dry_run": true })).await;
        if name != "again.csv" {
            assert!(!roots.contains(&now["root_hash"]), "{name} changes the data");
        }
        roots.push(now["root_hash"].clone());
        let again = bench.run("dataset release", json!({ "manifest": released["manifest"], "dry_run": true })).await;
        assert_eq!((&again["root_hash"], &again["points"]), (&released["root_hash"], &released["points"]), "after {name}");
    }
    bench.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a06_leaks_duplicates_and_mixtures_are_named() {
    let bench = Bench::new().await;
    let tank = generated("3000L.dasware.csv");
    let first = bench.run("run import", json!({ "paths": [bench.file("a.csv", &tank)] })).await;
    let a = first["runs"][0]["id"].as_str().unwrap().to_owned();
    // The same points once more, under another name of the unit.
    let twin = String::from_utf8_lossy(&tank).replace("SIM-FB3000L", "SIM-FB3000X").into_bytes();
    let second = bench.run("run import", json!({ "paths": [bench.file("b.csv", twin)] })).await;
    let b = second["runs"][0]["id"].as_str().unwrap().to_owned();
    assert_ne!(a, b);
    bench.put("run", &b, json!({ "simulated": false })).await;
    let input =
        json!({ "manifest": { "runs": [a, b], "split": { "unit": "run", "test_percent": 50, "validation_percent": 0 } } });
    let checked = bench.run("dataset check", input).await;
    let codes: BTreeSet<&str> = checked["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    for code in ["E-READY-017", "E-READY-018", "E-READY-019"] {
        assert!(codes.contains(code), "{code} of {codes:?}");
    }
    // Dealt out by strain, runs that share one (or do not say) stay together: nothing leaks.
    let input =
        json!({ "manifest": { "runs": [a, b], "split": { "unit": "strain", "test_percent": 50, "validation_percent": 0 } } });
    let checked = bench.run("dataset check", input).await;
    assert_eq!(checked["split"], json!({ "train": 2, "validation": 0, "test": 0 }));
    assert!(!checked["findings"].as_array().unwrap().iter().any(|f| f["code"] == "E-READY-019"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a02_a_data_set_is_followed_from_deposit_to_download_to_returned_feedback_in_one_trace() {
    let (bench, runs) = brewery().await;
    assert_eq!(bench.refusal("dataset trace", json!({ "deposit": "DEP-0" })).await.code(), "E-RECORD-004");
    bench
        .put(
            "item-list",
            "ITEMS-STRAIN",
            json!({ "name": "株", "number": 1, "for_kind": "strain", "required_fields": ["name", "risk_group"] }),
        )
        .await;
    bench
        .put(
            "deposit",
            "DEP-1",
            json!({ "title": "寄託", "strain": "STR-1", "runs": [runs[0]], "licence": "LIC-1", "state": "draft" }),
        )
        .await;
    let counts = |trace: &Json| ["deposits", "releases", "deliveries"].map(|n| trace["indicators"][n].as_u64().unwrap());
    let trace = bench.run("dataset trace", json!({ "deposit": "DEP-1" })).await;
    assert_eq!(counts(&trace), [1, 0, 0]);
    bench.run("deposit submit", json!({ "id": "DEP-1", "reason": "初回" })).await;
    let mut set = manifest(&runs[..1]);
    set["deposit"] = "DEP-1".into();
    let released = bench.run("dataset release", json!({ "manifest": set })).await;
    let delivered = bench
        .run("deposit deliver", json!({ "id": "DEP-1", "recipient": "受領機関", "purpose": "研究", "accept_licence": true }))
        .await;
    let trace = bench.run("dataset trace", json!({ "deposit": "DEP-1" })).await;
    assert_eq!(counts(&trace), [1, 1, 1], "the loop's indicators follow");
    let steps = trace["steps"].as_array().unwrap();
    let seqs: Vec<i64> = steps.iter().map(|s| s["seq"].as_i64().unwrap()).collect();
    assert!(seqs.is_sorted(), "in the order of the ledger");
    let operations: Vec<&str> = steps.iter().map(|s| s["operation"].as_str().unwrap()).collect();
    let at = |name: &str| operations.iter().position(|o| *o == name).unwrap_or_else(|| panic!("no {name} in {operations:?}"));
    assert!(at("run import") < at("deposit submit") && at("deposit submit") < at("dataset release"));
    assert!(at("dataset release") < at("deposit deliver"));
    let named = |kind: &str| steps.iter().filter(|s| s["kind"] == kind).map(|s| s["id"].clone()).collect::<Vec<_>>();
    assert!(named("run").contains(&json!(runs[0])) && !named("file").is_empty());
    assert!(named("dataset-release").contains(&released["release"]) && named("delivery").contains(&delivered["delivery"]));
    assert!(steps.iter().all(|s| bilingual(&s["what"])));
    // What was downloaded is what was released.
    let fetched = bench.output("dataset fetch", json!({ "release": released["release"] })).await;
    assert_eq!(fetched.json["root_hash"], released["root_hash"]);
    let path = bench.file("fetched.zip", fetched.attachment.unwrap().bytes);
    assert_eq!(bench.run("dataset verify", json!({ "release": path })).await["release"], released["release"]);
    returned_feedback(&bench, &runs[0], &released).await;
    bench.is_sound().await;
}

/// The second half of the loop: a member takes the released data under an agreement, downloads it, and returns what it
/// learned; trace and indicators follow.
async fn returned_feedback(bench: &Bench, run: &str, released: &Json) {
    let indicators = || async {
        let trace = bench.run("dataset trace", json!({ "deposit": "DEP-1" })).await;
        ["uses", "feedback_owed", "feedback_returned"].map(|n| trace["indicators"][n].as_i64().unwrap())
    };
    bench.commons().await;
    bench.member("ORG-B").await;
    bench.user("home-kanri", "ORG-HOME", &["contributor-admin"]).await;
    bench.register_key("ORG-HOME").await;
    bench.user("ORG-HOME-kanri", "ORG-HOME", &["contributor-admin"]).await;
    let set = json!({ "id": "DS-1", "title": "酵母の寄託", "area": "competitive", "deposits": ["DEP-1"], "runs": [run],
                      "releases": [released["release"]] });
    bench.run_as("home-kanri", "commons share", set).await;
    let terms = json!({ "grants": ["read", "export"], "feedback_units": 1, "feedback_days": 30 });
    bench.agreement("AG-1", &["ORG-HOME", "ORG-B"], &["DS-1"], terms).await;
    assert_eq!(indicators().await, [0, 0, 0]);
    let fetch = json!({ "release": released["release"] });
    assert_eq!(bench.refusal_as("ORG-B-steward", "dataset fetch", fetch.clone()).await.code(), "E-GATE-001");
    let used = bench.run_as("ORG-B-ken", "commons use", json!({ "data_set": "DS-1", "purpose": "research" })).await;
    assert_eq!(indicators().await, [1, 1, 0], "a use brings its duty");
    let fetched = bench.run_as("ORG-B-steward", "dataset fetch", fetch).await;
    assert_eq!(fetched["root_hash"], released["root_hash"], "downloaded by the member");
    let tank = generated("3000L.dasware.csv");
    let own = bench.run_as("ORG-B-steward", "run import", json!({ "paths": [bench.file("b.csv", tank)] })).await;
    let given = json!({ "id": "DS-2", "title": "追試", "area": "competitive", "runs": [own["runs"][0]["id"]] });
    bench.run_as("ORG-B-kanri", "commons share", given).await;
    let hand_in = json!({ "duty": used["duty"], "given": "DS-2", "units": 1, "title": "3,000 L での追試" });
    let feedback = bench.run_as("ORG-B-ken", "commons feedback", hand_in).await;
    assert_eq!(indicators().await, [1, 1, 0], "handed in is not accepted");
    let accept = json!({ "feedback": feedback["feedback"], "reason": "確認した" });
    bench.run_as("home-kanri", "commons accept", accept).await;
    assert_eq!(indicators().await, [1, 0, 1]);
    let trace = bench.run("dataset trace", json!({ "deposit": "DEP-1" })).await;
    let steps = trace["steps"].as_array().unwrap();
    let at = |operation: &str| {
        steps.iter().position(|s| s["operation"] == operation).unwrap_or_else(|| panic!("no {operation} in {trace}"))
    };
    assert!(at("deposit deliver") < at("commons use") && at("commons use") < at("commons feedback"));
    assert!(at("commons feedback") < at("commons accept"));
    assert!(steps.iter().all(|s| bilingual(&s["what"])));
}
