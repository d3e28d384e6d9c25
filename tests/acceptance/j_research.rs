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

#[tokio::test(flavor = "multi_thread")]
async fn j02_a_model_is_trained_over_members_and_only_its_constants_leave() {
    let bench = Bench::new().await;
    bench.commons().await;
    bench.member("ORG-X").await;
    // Truth: mu_max 0.5 /h and Y_XS 0.5 g/g of the model that ships; each member's readings scatter by 2 %.
    let truth = bench.run("culture simulate", json!({ "model": "monod-fed-batch", "until": "12 h", "points": 25 })).await;
    let line = |name: &str| -> Vec<f64> {
        let series = truth["series"].as_array().unwrap().iter().find(|l| l["name"] == name).unwrap();
        series["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let (times, biomass) = (truth["time"].as_array().unwrap().clone(), line("X"));
    let owners = ["ORG-A", "ORG-B", "ORG-C", "ORG-D", "ORG-E"];
    let mut chance = toji_core::chance::Chance::new(5);
    let (mut sets, mut runs) = (Vec::new(), Vec::new());
    for (i, owner) in owners.iter().enumerate() {
        bench.member(owner).await;
        let mut table = String::from("Time (h),Dry weight (g/L)\n");
        for (t, x) in times.iter().zip(&biomass) {
            table += &format!("{t},{:.5}\n", x * (1.0 + 0.02 * chance.normal()));
        }
        let file = bench.file(&format!("t{i}.csv"), table);
        let mapping = bench.run("run propose", json!({ "path": file })).await["mapping"].clone();
        let input = json!({ "paths": [file], "mapping": mapping });
        let report = bench.run_as(&format!("{owner}-steward"), "run import", input).await;
        let run = report["runs"][0]["id"].as_str().unwrap_or_else(|| panic!("{report}")).to_owned();
        let set = format!("TR-{owner}");
        let shared = json!({ "id": set, "title": set, "area": "competitive", "runs": [run] });
        bench.run_as(&format!("{owner}-kanri"), "commons share", shared).await;
        runs.push(run);
        sets.push(set);
    }
    let ask = json!({
        "model": "monod-fed-batch", "readings": { "X": "dry-weight" }, "noise": { "X": "2 %" },
        "parameters": { "X_0": ["1 g/L", "20 g/L"], "Y_XS": [0.2, 0.8] },
    });
    // Without an agreement nothing is learned.
    assert_eq!(bench.refusal_as("ORG-X-ken", "commons train", ask.clone()).await.code(), "E-COMMONS-047");
    let all: Vec<&str> = sets.iter().map(String::as_str).collect();
    let parties: Vec<&str> = owners.iter().copied().chain(["ORG-X"]).collect();
    let terms = json!({ "grants": ["train"], "purposes": ["model-training"] });
    bench.agreement("TRAIN", &parties, &all, terms).await;
    let trained = bench.run_as("ORG-X-ken", "commons train", ask.clone()).await;
    assert_eq!(
        (&trained["contributors"], &trained["measurements"], &trained["converged"]),
        (&json!(5), &json!(125), &json!(true)),
        "{trained}"
    );
    // The same constants as one fit of all rows together, which only the owner of the store can make.
    let mut pooled = ask.clone();
    pooled["runs"] = json!(runs);
    pooled["profiles"] = json!(false);
    let pooled = bench.run("culture fit", pooled).await;
    for parameter in trained["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        let (here, there) = (parameter["value"].as_f64().unwrap(), pooled["set"][name].as_f64().unwrap());
        assert!((here / there - 1.0).abs() < 1e-3, "{name}: {here} beside {there}");
        assert!(parameter["spread"].as_f64().unwrap() > 0.0);
    }
    // Rows stay where they are, members are not named, and what it took is said.
    assert_eq!(bench.refusal_as("ORG-X-ken", "run show", json!({ "id": runs[0] })).await.code(), "E-GATE-001");
    assert!(!owners.iter().any(|o| trained.to_string().contains(o)), "{trained}");
    assert!(trained["cost"]["up_bytes"].as_u64().unwrap() > 0 && bilingual(&trained["caution"]));
    bench.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j02_noise_on_a_trained_model_is_paid_from_the_budget_and_its_cost_in_accuracy_is_told() {
    let bench = Bench::new().await;
    bench.commons().await;
    bench.member("ORG-X").await;
    let truth = bench.run("culture simulate", json!({ "model": "monod-fed-batch", "until": "12 h", "points": 25 })).await;
    let line = |name: &str| -> Vec<f64> {
        let series = truth["series"].as_array().unwrap().iter().find(|l| l["name"] == name).unwrap();
        series["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let (times, biomass) = (truth["time"].as_array().unwrap().clone(), line("X"));
    let owners = ["ORG-A", "ORG-B", "ORG-C", "ORG-D", "ORG-E"];
    let mut chance = toji_core::chance::Chance::new(6);
    let (mut sets, mut runs) = (Vec::new(), Vec::new());
    let mut mapping = serde_json::Value::Null;
    for owner in owners {
        bench.member(owner).await;
        let mut own = Vec::new();
        for j in 0..12 {
            let mut table = String::from("Time (h),Dry weight (g/L)\n");
            for (t, x) in times.iter().zip(&biomass) {
                table += &format!("{t},{:.5}\n", x * (1.0 + 0.02 * chance.normal()));
            }
            let file = bench.file(&format!("{owner}-{j}.csv"), table);
            if mapping.is_null() {
                mapping = bench.run("run propose", json!({ "path": file })).await["mapping"].clone();
            }
            let input = json!({ "paths": [file], "mapping": mapping });
            let report = bench.run_as(&format!("{owner}-steward"), "run import", input).await;
            own.push(report["runs"][0]["id"].as_str().unwrap_or_else(|| panic!("{report}")).to_owned());
        }
        let set = format!("TR-{owner}");
        let shared = json!({ "id": set, "title": set, "area": "competitive", "runs": own });
        bench.run_as(&format!("{owner}-kanri"), "commons share", shared).await;
        runs.extend(own);
        sets.push(set);
    }
    let all: Vec<&str> = sets.iter().map(String::as_str).collect();
    let parties: Vec<&str> = owners.iter().copied().chain(["ORG-X"]).collect();
    bench.agreement("TRAIN", &parties, &all, json!({ "grants": ["train"], "purposes": ["model-training"] })).await;
    let ask = |rho: f64| {
        json!({ "model": "monod-fed-batch", "readings": { "X": "dry-weight" }, "noise": { "X": "2 %" },
                "parameters": { "Y_XS": [0.3, 0.8] }, "agreement": "TRAIN", "rho": rho, "rounds": 4 })
    };
    // Noise is drawn anew each time. At half the cost, with eight runs a member and five rounds, it drowned the value once
    // in 25 trainings; beside the value it is 2.4 times smaller here.
    assert_eq!(bench.refusal_as("ORG-X-ken", "commons train", ask(40.0)).await.code(), "E-COMMONS-061");
    for owner in owners {
        let budget = json!({ "agreement": "TRAIN", "rho": 50.0, "protects": "run" });
        bench.run_as(&format!("{owner}-kanri"), "commons set-budget", budget).await;
    }
    // Without its agreement a cost is paid by nobody, and the other way round.
    let mut unpaid = ask(40.0);
    unpaid.as_object_mut().unwrap().remove("agreement");
    assert_eq!(bench.refusal_as("ORG-X-ken", "commons train", unpaid).await.code(), "E-COMMONS-071");

    let trained = bench.run_as("ORG-X-ken", "commons train", ask(40.0)).await;
    let noise = &trained["noise"];
    assert_eq!(
        (&noise["budget"]["paid"], &noise["budget"]["remaining"], &noise["training_rounds"], &noise["drowned"]),
        (&json!(40.0), &json!(10.0), &json!(4), &json!(false)),
        "{trained}"
    );
    // What would tell exactly of the data stays inside.
    for exact in ["measurements", "converged", "minus_two_log_likelihood"] {
        assert!(trained[exact].is_null(), "{exact}: {trained}");
    }
    // The pooled fit without noise, which only the owner of the store can make, lies within what the noise was said to
    // move: five of its standard deviations, and one part in fifty for what clipping and four rounds leave.
    let pooled = json!({ "model": "monod-fed-batch", "readings": { "X": "dry-weight" }, "noise": { "X": "2 %" },
                         "parameters": { "Y_XS": [0.3, 0.8] }, "runs": runs, "profiles": false });
    let pooled = bench.run("culture fit", pooled).await;
    let parameter = &trained["parameters"][0];
    let (here, there) = (parameter["value"].as_f64().unwrap(), pooled["set"]["Y_XS"].as_f64().unwrap());
    let lost = parameter["noise_spread"].as_f64().unwrap();
    println!("with noise {here}, without {there}, said to be lost {lost}");
    assert!(lost > 0.0 && lost < 0.3 && (here / there - 1.0).abs() < 5.0 * lost + 0.02, "{here} beside {there} ± {lost}");
    assert!(parameter["spread"].is_null() && bilingual(&trained["caution"]));

    // What is left does not pay for the same again; what it pays for is less accurate; the owners see both.
    assert_eq!(bench.refusal_as("ORG-X-ken", "commons train", ask(40.0)).await.code(), "E-PRIVACY-008");
    let cheap = bench.run_as("ORG-X-ken", "commons train", ask(0.000_001)).await;
    assert!(cheap["noise"]["drowned"] == true && cheap["parameters"][0]["value"].is_null(), "{cheap}");
    let seen = bench.run_as("ORG-A-kanri", "commons budget", json!({ "agreement": "TRAIN" })).await;
    let charges = seen["budgets"][0]["charges"].as_array().unwrap();
    assert_eq!((charges.len(), &charges[0]["rho_paid"], &charges[0]["member"]), (2, &json!(40.0), &json!("ORG-X")), "{seen}");
    assert!(charges[0]["question"]["en"].as_str().unwrap().contains("training of monod-fed-batch"), "{seen}");
    let kept = bench.run_as("ORG-B-ken", "record list", json!({ "kind": "shared-model" })).await;
    assert_eq!(kept["records"].as_array().unwrap().len(), 2, "{kept}");
    bench.is_sound().await;
}
