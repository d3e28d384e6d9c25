//! B: cultures side by side, from the plan over the ranking to what each learner hears, and from scale to scale.

use crate::bench::{Bench, bilingual, numbers, shared, texts};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// The identifier of a standard system.
async fn system(bench: &Bench, name: &str) -> String {
    let vessels = bench.run("culture vessels", json!({})).await;
    let found = vessels["vessels"].as_array().unwrap().iter().find(|v| v["name"] == name);
    found.unwrap_or_else(|| panic!("{name} in {vessels}"))["id"].as_str().unwrap().to_owned()
}

/// A recipe with an exponential feed from the ninth hour on.
fn fed(growth_rate_per_h: f64) -> Json {
    json!({ "feed": { "profile": "exponential", "growth_rate_per_h": growth_rate_per_h, "start": { "at": "hour", "h": 9.0 } } })
}

/// Eight conditions: a control, one that is the same, and six that differ in feed, medium, temperature or pH.
fn eight() -> Json {
    let celsius = |value: f64| json!({ "temperature": { "value": value, "unit": "Cel" } });
    json!([
        { "name": "control", "control": true, "recipe": fed(0.15) },
        { "name": "same", "recipe": fed(0.15) },
        { "name": "fast feed", "recipe": fed(0.25) },
        { "name": "slow feed", "recipe": fed(0.05) },
        { "name": "no feed", "recipe": { "feed": { "profile": "none" } } },
        { "name": "rich", "recipe": fed(0.15), "settings": { "glucose": { "value": 25_000.0, "unit": "mg/L" } } },
        { "name": "cool", "recipe": fed(0.15), "settings": celsius(28.0) },
        { "name": "acid", "recipe": fed(0.15), "settings": { "ph": { "value": 6.2, "unit": "[pH]" } } },
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn b02_a_plate_of_24_is_planned_run_and_ranked_with_replicates_and_controls_and_25_are_refused() {
    let bench = Bench::new().await;
    let plate = system(&bench, "0.25 L × 24").await;
    let plan = json!({ "name": "FEED-1", "system": plate, "conditions": eight(), "replicates": 3, "response": "biomass-final", "seed": 7 });
    let with = |more: Json| {
        let mut input = plan.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    // Twenty-five are refused, with the place and the numbers, and nothing is stored.
    let mut conditions = eight();
    conditions[7]["replicates"] = json!(4);
    let error = bench.refusal("culture plan", with(json!({ "conditions": conditions }))).await;
    let fault = error.fault();
    assert_eq!((error.code(), fault.place.as_ref().unwrap().field.as_deref()), ("E-PLAN-001", Some("conditions")));
    for text in [&fault.message.ja, &fault.message.en, &fault.hint.as_ref().unwrap().ja, &fault.hint.as_ref().unwrap().en] {
        assert!(text.contains("24"), "{text}");
    }
    assert!(fault.message.en.contains("25"), "{}", fault.message.en);
    let tried = bench.run("culture plan", with(json!({ "dry_run": true }))).await;
    assert_eq!((&tried["experiment"], bench.list("experiment").await.len()), (&Json::Null, 0));
    // The plan: each condition thrice, no place twice, the control on the edge and in the middle, every row alike.
    let planned = bench.run("culture plan", plan.clone()).await;
    assert_eq!(planned["units"], tried["units"], "the same seed gives the same layout");
    let units = planned["units"].as_array().unwrap();
    assert_eq!((units.len(), &planned["spare"]), (24, &json!(0)));
    assert_eq!(texts(&planned["units"], "position").into_iter().collect::<BTreeSet<_>>().len(), 24);
    for condition in eight().as_array().unwrap() {
        let of: Vec<&Json> = units.iter().filter(|u| u["condition"] == condition["name"]).collect();
        let rows: BTreeSet<u64> = of.iter().map(|u| u["row"].as_u64().unwrap()).collect();
        assert_eq!((of.len(), rows.len()), (3, 3), "{condition}");
    }
    let control: Vec<&Json> = units.iter().filter(|u| u["control"] == true).collect();
    assert!(control.iter().any(|u| u["edge"] == true) && control.iter().any(|u| u["edge"] == false));
    // That two conditions are the same is said; the rest of the plan is as it should be.
    let warnings = planned["warnings"].as_array().unwrap();
    assert!(warnings.len() == 1 && warnings[0]["en"].as_str().unwrap().contains("same"), "{warnings:?}");
    let experiment = planned["experiment"].as_str().unwrap();
    let asked = json!({ "experiment": experiment });
    let before = bench.run("culture plate", asked.clone()).await;
    assert!(before["units"].as_array().unwrap().iter().all(|u| u["state"] == "planned"), "{before}");
    // It is run, in simulation, on 24 vessels that differ a little in inoculum and medium.
    let simulate = json!({ "experiment": experiment, "hours": 16.0, "every_s": 60.0, "seed": 11 });
    let made = bench.run("simulate run", simulate.clone()).await;
    assert_eq!(made["runs"].as_array().unwrap().len(), 24);
    let runs = bench.list("run").await;
    for unit in units {
        let on = |r: &&Json| r["fields"]["position"] == unit["position"] && r["fields"]["experiment"] == experiment;
        let [run] = runs.iter().filter(on).collect::<Vec<_>>()[..] else { panic!("one run at {}", unit["position"]) };
        assert_eq!((&run["fields"]["condition"], &run["fields"]["vessel"]), (&unit["condition"], &json!(plate)));
    }
    assert_eq!(bench.get("experiment", experiment).await["fields"]["state"], "ended");
    let after = bench.run("culture plate", asked.clone()).await;
    assert_eq!((&after["rows"], &after["columns"], &after["quantity"]), (&json!(4), &json!(6), &json!("optical-density")));
    for unit in after["units"].as_array().unwrap() {
        assert_eq!(unit["state"], "ended");
        assert!(unit["t_s"].as_array().unwrap().len() >= 30 && unit["last"].as_f64().unwrap() > 1.0, "{unit}");
    }
    // Ranked: what feeds more grows more, what feeds nothing less, and the same is not told from the control.
    let ranking = bench.run("culture rank", asked.clone()).await;
    assert_eq!(
        (&ranking["degrees_of_freedom"], &ranking["missing"], &ranking["control"]),
        (&json!(16), &json!([]), &json!("control"))
    );
    let of: BTreeMap<&str, &Json> =
        ranking["conditions"].as_array().unwrap().iter().map(|c| (c["condition"].as_str().unwrap(), c)).collect();
    assert!(of.values().all(|c| c["n"] == 3 && c["units"].as_array().unwrap().len() == 3));
    let verdict = |name: &str| of[name]["verdict"].as_str().unwrap();
    assert_eq!((verdict("control"), verdict("same")), ("control", "not-separable"), "{ranking}");
    assert_eq!((verdict("fast feed"), verdict("no feed"), verdict("slow feed")), ("better", "worse", "worse"), "{ranking}");
    assert_eq!(ranking["conditions"][0]["condition"], "fast feed");
    assert!(of["fast feed"]["difference_low"].as_f64().unwrap() > 0.0 && of["fast feed"]["p"].as_f64().unwrap() < 0.05);
    assert!(of["same"]["difference_low"].as_f64().unwrap() < 0.0 && of["same"]["difference_high"].as_f64().unwrap() > 0.0);
    // There is no edge effect in the simulator, and none is found.
    assert!(
        ranking["edge"]["low"].as_f64().unwrap() < 0.0 && ranking["edge"]["high"].as_f64().unwrap() > 0.0,
        "{}",
        ranking["edge"]
    );
    assert!(bilingual(&ranking["method"]) && ranking["advice"].as_array().unwrap().iter().all(bilingual));
    // A unit that is lost is listed, not dropped in silence.
    let lost = of["rich"]["units"][0].clone();
    bench.run("record retire", json!({ "kind": "run", "id": lost["run"], "reason": "雑菌汚染 / contaminated" })).await;
    let fewer = bench.run("culture rank", asked.clone()).await;
    let [missing] = fewer["missing"].as_array().unwrap().as_slice() else { panic!("one unit is missing: {}", fewer["missing"]) };
    assert_eq!((&missing["position"], &missing["condition"]), (&lost["position"], &json!("rich")));
    assert!(bilingual(&missing["why"]));
    let rich = fewer["conditions"].as_array().unwrap().iter().find(|c| c["condition"] == "rich").unwrap();
    assert_eq!((&rich["n"], &fewer["degrees_of_freedom"]), (&json!(2), &json!(15)));
    bench.run("record restore", json!({ "kind": "run", "id": lost["run"], "reason": "誤り / by mistake" })).await;
    // Again with the same seed: nothing new. With another, or another plan of the name: refused.
    assert_eq!(bench.run("simulate run", simulate).await["points_new"], 0);
    let other = json!({ "experiment": experiment, "hours": 16.0, "every_s": 60.0, "seed": 12 });
    assert_eq!(bench.refusal("simulate run", other).await.code(), "E-SIM-014");
    assert_eq!(bench.refusal("culture plan", with(json!({ "seed": 8 }))).await.code(), "E-PLAN-005");
    assert_eq!(bench.run("culture plan", plan).await["experiment"], experiment);
    assert_eq!(bench.refusal("culture rank", json!({ "experiment": "exp-none" })).await.code(), "E-RECORD-004");
    assert_eq!(bench.run("culture vessels", json!({})).await["vessels"].as_array().unwrap().len(), 4);
    assert!(bench.list("vessel").await.iter().all(|v| v["version"] == 1), "storing the systems again changes nothing");
    bench.is_sound().await;
}

/// Twelve feed profiles: constant and exponential ones, steps, and none.
fn twelve() -> Vec<(String, Json)> {
    let at = |h: f64| json!({ "at": "hour", "h": h });
    let steps = |of: &[(f64, f64)]| {
        let steps: Vec<Json> = of.iter().map(|(from_h, rate)| json!({ "from_h": from_h, "rate_ml_per_l_h": rate })).collect();
        json!({ "profile": "steps", "steps": steps })
    };
    let mut out = vec![("none".to_owned(), json!({ "profile": "none" }))];
    for rate in [2.0, 4.0, 6.0, 8.0] {
        out.push((format!("constant {rate}"), json!({ "profile": "constant", "rate_ml_per_l_h": rate, "start": at(8.0) })));
    }
    for growth in [0.1, 0.2, 0.3] {
        let feed = json!({ "profile": "exponential", "growth_rate_per_h": growth, "start": at(8.0) });
        out.push((format!("exponential {growth}"), feed));
    }
    out.push(("two steps".into(), steps(&[(8.0, 3.0), (11.0, 6.0)])));
    out.push(("three steps".into(), steps(&[(8.0, 2.0), (10.0, 4.0), (12.0, 8.0)])));
    out.push(("pause".into(), steps(&[(8.0, 6.0), (10.0, 0.0), (12.0, 6.0)])));
    out.push(("too much".into(), steps(&[(6.0, 20.0)])));
    out
}

/// mL that a profile gives in 14 hours to half a litre, where it can be told beforehand.
fn fed_ml(feed: &Json) -> Option<f64> {
    match feed["profile"].as_str().unwrap() {
        "none" => Some(0.0),
        "constant" => Some(feed["rate_ml_per_l_h"].as_f64().unwrap() * 0.5 * 6.0),
        "steps" => {
            let steps = feed["steps"].as_array().unwrap();
            let mut ends: Vec<f64> = numbers(&feed["steps"], "from_h");
            ends.push(14.0);
            let rate = |s: &Json| s["rate_ml_per_l_h"].as_f64().unwrap();
            Some(steps.iter().enumerate().map(|(i, s)| rate(s) * 0.5 * (ends[i + 1] - ends[i])).sum())
        }
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b03_twelve_feed_profiles_are_compared_and_each_learner_hears_about_the_own_run() {
    let bench = Bench::new().await;
    let bank = system(&bench, "1 L × 12").await;
    let profiles = twelve();
    let conditions: Vec<Json> = (1..)
        .zip(&profiles)
        .map(|(i, (name, feed))| json!({ "name": name, "control": i == 2, "learner": format!("L-{i:02}"), "recipe": { "feed": feed } }))
        .collect();
    let plan = json!({ "name": "COURSE-1", "system": bank, "conditions": conditions, "response": "biomass-final", "seed": 3 });
    let planned = bench.run("culture plan", plan).await;
    assert_eq!((planned["units"].as_array().unwrap().len(), &planned["spare"]), (12, &json!(0)));
    assert!(planned["warnings"][0]["en"].as_str().unwrap().contains("replicate"), "{}", planned["warnings"]);
    let experiment = planned["experiment"].as_str().unwrap();
    let made = bench.run("simulate run", json!({ "experiment": experiment, "hours": 14.0, "every_s": 60.0, "seed": 5 })).await;
    let runs = texts(&made["runs"], "id");
    assert_eq!(runs.len(), 12);
    let records = bench.list("run").await;
    let of_learner: BTreeMap<String, &Json> =
        records.iter().map(|r| (r["fields"]["learner"].as_str().unwrap().to_owned(), r)).collect();
    assert_eq!(of_learner.len(), 12);
    // The profiles differ as they were written down: what was fed is what the profile gives.
    let compared = bench.run("run compare", json!({ "runs": runs, "quantity": "feed" })).await;
    let lines = compared["runs"].as_array().unwrap();
    assert_eq!((lines.len(), &compared["unit"], &compared["skipped"]), (12, &json!("mL"), &json!([])));
    let fed: BTreeMap<&str, f64> = lines
        .iter()
        .map(|l| (l["id"].as_str().unwrap(), l["value"].as_array().unwrap().iter().filter_map(Json::as_f64).next_back().unwrap()))
        .collect();
    let mut told = BTreeSet::new();
    for ((_, feed), i) in profiles.iter().zip(1..) {
        let run = of_learner[&format!("L-{i:02}")]["id"].as_str().unwrap();
        told.insert((fed[run] * 10.0).round() as i64);
        if let Some(wanted) = fed_ml(feed) {
            assert!((fed[run] - wanted).abs() < 0.1 + 0.01 * wanted, "{feed}: {} mL instead of {wanted}", fed[run]);
        }
    }
    assert!(told.len() >= 10, "the profiles differ: {told:?}");
    // One run each: an order, and nothing that would be a verdict.
    let ranking = bench.run("culture rank", json!({ "experiment": experiment })).await;
    let conditions = ranking["conditions"].as_array().unwrap();
    assert_eq!((conditions.len(), &ranking["pooled_sd"], &ranking["edge"]), (12, &Json::Null, &Json::Null));
    assert!(conditions.iter().all(|c| c["verdict"].is_null() || c["verdict"] == "control"), "{ranking}");
    assert!(conditions.iter().all(|c| c["mean"].is_number() && c["p"].is_null() && c["low"].is_null()));
    let place = |name: &str| conditions.iter().position(|c| c["condition"] == name).unwrap();
    assert!(place("constant 8") < place("constant 2") && place("constant 2") < place("none"), "{ranking}");
    assert!(ranking["advice"].as_array().unwrap().iter().any(|a| a["en"].as_str().unwrap().contains("replicates")));
    // Each learner hears about the own run, and nobody about another's.
    let feedback = bench.run("culture feedback", json!({ "experiment": experiment })).await;
    let learners = feedback["learners"].as_array().unwrap();
    assert_eq!(texts(&feedback["learners"], "learner").into_iter().collect::<BTreeSet<_>>().len(), 12);
    for learner in learners {
        let name = learner["learner"].as_str().unwrap();
        let own = of_learner[name];
        assert_eq!((&learner["run"], &learner["condition"]), (&own["id"], &own["fields"]["condition"]), "{name}");
        let points = learner["points"].as_array().unwrap();
        assert!(!points.is_empty(), "{name} hears something");
        for point in points {
            assert!(bilingual(&point["message"]), "{point}");
            assert!(["good", "watch", "improve"].contains(&point["verdict"].as_str().unwrap()), "{point}");
        }
        for number in learner["compared"].as_array().unwrap() {
            assert!(bilingual(&number["label"]) && number["of"].as_u64().unwrap() <= 12, "{number}");
            assert!(number["rank"].as_u64().unwrap() >= 1 && number["rank"].as_u64() <= number["of"].as_u64(), "{number}");
        }
    }
    let own = bench.run("culture feedback", json!({ "experiment": experiment, "learner": "L-12" })).await;
    let [only] = own["learners"].as_array().unwrap().as_slice() else { panic!("one learner: {own}") };
    assert_eq!((&only["learner"], &only["run"]), (&json!("L-12"), &of_learner["L-12"]["id"]));
    // Who fed far too much is told to improve something; who fed with care hears of something good.
    let verdicts = |name: &str| {
        let learner = learners.iter().find(|l| l["learner"] == name).unwrap();
        texts(&learner["points"], "verdict")
    };
    assert!(verdicts("L-12").iter().any(|v| v == "improve"), "{only}");
    assert!(verdicts("L-03").iter().any(|v| v == "good"), "{:?}", verdicts("L-03"));
    bench.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lineage_of_a_process_is_followed_over_four_scales_with_its_engineering_numbers() {
    let bench = Bench::new().await;
    bench.run("culture vessels", json!({})).await;
    let scales = [
        ("0.25-l", "vessel-0.25l-24", 0.15),
        ("1-l", "vessel-1l-12", 0.5),
        ("30-l", "vessel-30l", 15.0),
        ("3000-l", "vessel-3000l", 1500.0),
    ];
    let mut runs: Vec<String> = Vec::new();
    for (i, (scale, vessel, _)) in scales.iter().enumerate() {
        let start = format!("2026-10-0{}T00:00:00Z", i + 1);
        let input = json!({ "name": format!("TRAIN-{i}"), "scale": scale, "reactors": 1, "hours": 12.0, "every_s": 60.0, "seed": 2, "start": start });
        let made = bench.run("simulate run", input).await;
        let run = texts(&made["runs"], "id").remove(0);
        bench.put("run", &run, json!({ "vessel": vessel, "parent": runs.last() })).await;
        runs.push(run);
    }
    // From any run the whole train is found, the seed culture first.
    let lineage = bench.run("run lineage", json!({ "run": runs[2] })).await;
    assert_eq!((lineage["root"].as_str(), &lineage["warnings"]), (Some(runs[0].as_str()), &json!([])));
    assert_eq!(texts(&lineage["nodes"], "run"), runs);
    assert_eq!(numbers(&lineage["nodes"], "depth"), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(numbers(&lineage["nodes"], "scale_l"), scales.map(|s| s.2));
    for node in lineage["nodes"].as_array().unwrap() {
        assert!(texts(&node["quantities"], "code").contains(&"biomass-final".to_owned()), "{node}");
    }
    let number = |run: &str, code: &str| -> f64 {
        let of = lineage["scale"].as_array().unwrap().iter().find(|n| n["run"] == run && n["code"] == code).unwrap();
        of["value"].as_f64().unwrap_or_else(|| panic!("{of}"))
    };
    for run in &runs {
        let of = lineage["scale"].as_array().unwrap().iter().filter(|n| n["run"] == run.as_str());
        assert!(of.clone().count() == 6 && of.clone().all(|n| bilingual(&n["label"]) && n["why_missing"].is_null()));
        // A tank with 10 to 20,000 W/m³ and 20 to 4,000 1/h is a tank.
        assert!((10.0..20_000.0).contains(&number(run, "power-per-volume")), "{}", number(run, "power-per-volume"));
        assert!((20.0..4_000.0).contains(&number(run, "kla")), "{}", number(run, "kla"));
    }
    // What scale does to a tank: tips run faster, mixing takes longer, the stirrer is more turbulent, and less gas
    // goes through each litre than in the small vessels.
    for code in ["tip-speed", "mixing-time", "reynolds"] {
        assert!(number(&runs[3], code) > number(&runs[0], code), "{code}");
    }
    // The tip speed by hand: π·D·N at the highest twentieth's edge of the stirrer.
    let shown = bench.run("run show", json!({ "id": runs[3] })).await;
    let stirrer = shown["channels"].as_array().unwrap().iter().find(|c| c["key"] == "N.PV").unwrap();
    let highest = std::f64::consts::PI * 0.42 * stirrer["max"].as_f64().unwrap() / 60.0;
    assert!((0.5 * highest..=highest).contains(&number(&runs[3], "tip-speed")), "{highest}");
    // Without a vessel nothing is guessed; a circle is reported and not walked for ever.
    bench.put("run", &runs[1], json!({ "vessel": null })).await;
    bench.put("run", &runs[0], json!({ "parent": runs[3] })).await;
    let lineage = bench.run("run lineage", json!({ "run": runs[1] })).await;
    assert_eq!(lineage["nodes"].as_array().unwrap().len(), 4);
    assert!(lineage["warnings"][0]["en"].as_str().unwrap().contains("circle") && bilingual(&lineage["warnings"][0]));
    let bare: Vec<&Json> =
        lineage["scale"].as_array().unwrap().iter().filter(|n| n["run"] == runs[1].as_str() && n["value"].is_null()).collect();
    assert!(bare.len() >= 4 && bare.iter().all(|n| bilingual(&n["why_missing"])), "{bare:?}");
    bench.is_sound().await;
}

/// Wells on a plate, from files as plate readers write them.
#[tokio::test(flavor = "multi_thread")]
async fn a_plate_is_laid_out_from_the_files_of_plate_readers() {
    let bench = Bench::new().await;
    // Bioscreen: numbered wells, down the columns of the honeycomb plate.
    let mut bioscreen = String::from("Time");
    (101..=120).for_each(|w| bioscreen.push_str(&format!(",{w}")));
    for hour in 0..4 {
        bioscreen.push_str(&format!("\n{hour:02}:00:04"));
        (1..=20).for_each(|w| bioscreen.push_str(&format!(",{:.3}", 0.1 + 0.01 * f64::from(w * hour))));
    }
    let path = bench.file("growth.csv", bioscreen);
    let read = bench.run("run import", json!({ "paths": [path] })).await;
    assert_eq!(read["runs"].as_array().unwrap().len(), 20, "{read}");
    let file = bench.list("file").await[0]["id"].clone();
    let plate = bench.run("culture plate", json!({ "file": file })).await;
    assert_eq!((&plate["rows"], &plate["columns"], &plate["quantity"]), (&json!(10), &json!(10), &json!("optical-density")));
    let units = plate["units"].as_array().unwrap();
    let at = |position: &str| units.iter().find(|u| u["position"] == position).unwrap();
    assert_eq!((&at("112")["row"], &at("112")["column"], &at("112")["last"]), (&json!(2), &json!(2), &json!(0.46)));
    assert_eq!((&plate["low"], &plate["high"]), (&json!(0.1), &json!(0.7)));
    assert_eq!(bench.refusal("culture plate", json!({ "file": file, "quantity": "ph" })).await.code(), "E-PLATE-003");
    assert_eq!(bench.refusal("culture plate", json!({})).await.code(), "E-PLATE-001");
    // The real files: a BioLector of 48 wells, and a Tecan whose wells are samples.
    if let Some(path) = shared("llabka_biolector1/biolector_data.csv.gz") {
        let read = bench.run("run import", json!({ "paths": [path] })).await;
        let run = bench.get("run", read["runs"][0]["id"].as_str().unwrap()).await;
        let asked = json!({ "file": run["fields"]["file"], "points": 40 });
        let plate = bench.run("culture plate", asked).await;
        assert_eq!((&plate["rows"], &plate["columns"]), (&json!(6), &json!(8)));
        let units = plate["units"].as_array().unwrap();
        assert_eq!(units.len(), 48);
        assert!(plate["label"]["en"].as_str().unwrap().to_lowercase().contains("biomass") || plate["quantity"] == "backscatter");
        for unit in units {
            let points = unit["value"].as_array().unwrap().len();
            assert!(unit["state"] == "ended" && (30..=60).contains(&points), "{}: {points}", unit["position"]);
            assert!(unit["last"].as_f64().unwrap() > 10.0, "{}", unit["position"]);
        }
        assert_eq!(units.iter().filter(|u| u["condition"] == "X1").count(), 1);
        // The internal reference stands in no well, and that is said.
        let [reference] = plate["unplaced"].as_array().unwrap().as_slice() else { panic!("{}", plate["unplaced"]) };
        assert!(reference["title"].as_str().unwrap().contains("reference") && bilingual(&reference["why"]));
    }
    if let Some(path) = shared("allotropy/tecan_magellan/SLA01P01_OD.xlsx") {
        bench.run("run import", json!({ "paths": [path] })).await;
        let files = bench.list("file").await;
        let file = files.iter().find(|f| f["fields"]["format"] == "tecan-magellan").unwrap();
        let plate = bench.run("culture plate", json!({ "file": file["id"] })).await;
        assert_eq!((&plate["rows"], &plate["columns"]), (&json!(8), &json!(12)));
        let measured = plate["units"].as_array().unwrap().iter().filter(|u| u["last"].is_number()).count();
        assert!(measured >= 80, "{measured} wells: {}", plate["unplaced"]);
    }
    bench.is_sound().await;
}
