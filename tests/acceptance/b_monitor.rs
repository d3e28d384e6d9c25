//! Monitoring: runs beside those that went well, faults with their names, false alarms as counted, batches that still
//! run, and forecasts that alarm.

use crate::bench::{Bench, bilingual, shared, texts};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use toji_core::chance::Chance;

/// What is watched in simulated reactors.
const CHANNELS: [&str; 7] =
    ["dissolved-oxygen", "stirrer-speed", "oxygen-fraction", "co2-fraction", "optical-density", "base", "feed"];

/// A reactor of one recipe, with what differs from run to run: inoculum, medium and pump.
fn reactor(name: &str, chance: &mut Chance, faults: Json) -> Json {
    let mut about = |value: f64, share: f64| value * (1.0 + share * chance.normal());
    json!({
        "name": name, "batch": name, "scale": "1-l", "faults": faults,
        "recipe": {
            "stop_at_h": 14.0, "sample_every_h": 0.0,
            "biomass_g_per_l": about(0.2, 0.08), "glucose_g_per_l": about(15.0, 0.02),
            "feed": { "profile": "exponential", "growth_rate_per_h": about(0.15, 0.02), "start": { "at": "hour", "h": 8.5 } },
        },
    })
}

/// Simulates reactors; answers their runs, in order.
async fn simulated(bench: &Bench, name: &str, reactors: Vec<Json>, seed: u64) -> Vec<String> {
    let input = json!({ "name": name, "plant": reactors, "hours": 14.0, "every_s": 60.0, "seed": seed });
    texts(&bench.run("simulate run", input).await["runs"], "id")
}

async fn normal(bench: &Bench, name: &str, n: usize, seed: u64) -> Vec<String> {
    let mut chance = Chance::new(seed);
    let reactors = (0..n).map(|i| reactor(&format!("{name}-{i:02}"), &mut chance, json!([]))).collect();
    simulated(bench, name, reactors, seed).await
}

fn of<'a>(answer: &'a Json, run: &str) -> &'a Json {
    let found = answer["runs"].as_array().unwrap().iter().find(|r| r["run"] == run);
    found.unwrap_or_else(|| panic!("{run} was not judged: {}", answer["not_judged"]))
}

fn by(judged: &Json, what: &str) -> bool {
    judged["alarms"].as_array().unwrap().iter().any(|a| a["raised_by"] == what)
}

fn behind(judged: &Json) -> Vec<String> {
    texts(&judged["class"]["evidence"], "variable")
}

/// The variables that contribute most, at the point farthest beyond.
fn contributing(judged: &Json) -> Vec<String> {
    let at = judged["contributions"].as_array().unwrap().iter().find(|c| c["which"] == "farthest").unwrap();
    texts(&at["contributions"], "variable")
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_judged_by_those_that_went_well_and_a_drift_and_a_blocked_feed_are_named() {
    let bench = Bench::new().await;
    let reference = normal(&bench, "REF", 24, 1).await;
    let held_out = normal(&bench, "NEW", 20, 2).await;
    let mut chance = Chance::new(3);
    let blocked = |from_h: f64| json!([{ "from_h": from_h, "until_h": 14.0, "fault": "feed-blocked" }]);
    let drift = json!([{ "from_h": 7.0, "until_h": 14.0, "fault": "drift", "signal": "offgas-co2", "per_h": 0.3 }]);
    let faulty = vec![
        reactor("DRIFT", &mut chance, drift),
        reactor("BLOCKED", &mut chance, blocked(10.5)),
        reactor("BLOCKED-AGAIN", &mut chance, blocked(11.0)),
    ];
    let faulty = simulated(&bench, "FAULT", faulty, 4).await;
    let [drift, blocked, again] = faulty.as_slice() else { panic!("{faulty:?}") };
    let mut runs = held_out.clone();
    runs.extend([drift.clone(), again.clone()]);
    let asked = json!({
        "reference": reference, "runs": runs, "channels": CHANNELS, "known": { "feed blocked": blocked }, "store": true, "name": "E. coli, 1 L",
    });
    let answer = bench.run("culture monitor", asked.clone()).await;

    // What is promised, and what was counted on references that were left out.
    let learnt = &answer["learnt"];
    let counted = &learnt["false_alarms"];
    assert_eq!((&counted["runs"], &learnt["run_confidence"]), (&json!(24), &json!(0.95)));
    assert!(counted["runs_beyond"].as_u64().unwrap() <= 1, "{counted}");
    assert!(counted["t2_points"].as_f64().unwrap() < 0.15 && counted["spe_points"].as_f64().unwrap() < 0.15, "{counted}");
    assert!(bilingual(&counted["statement"]) && counted["statement"]["en"].as_str().unwrap().contains("5.0 %"));
    assert_eq!(texts(&learnt["variables"], "variable"), CHANNELS);

    // False alarms on runs that nobody learnt from. How often one monitor alarms depends on the references it had, so
    // this only holds it to no more than could happen; what is promised is counted over many of them below.
    let alarms = |what: &str| held_out.iter().filter(|run| by(of(&answer, run), what)).count();
    let (model, band) = (alarms("model"), alarms("golden-band"));
    println!("false alarms of 20: {model} by T² and SPE, {band} by the golden band; counted {counted}");
    assert!(model <= 5, "{model} of 20");
    assert!(band <= 6 && answer["band"]["coverage"].as_f64().unwrap() >= 0.9, "{band} of 20");
    for run in &held_out {
        let judged = of(&answer, run);
        assert_eq!((&judged["state"], &judged["course"]["reached"]), (&json!("ended"), &json!(60)), "{}", judged["title"]);
        assert!(judged["whole"]["t2"].is_number() && bilingual(&judged["class"]["statement"]));
    }

    // The drift: one variable alone, and the right one; it began 6.5 h after inoculation.
    let judged = of(&answer, drift);
    println!("drift: {}", judged["class"]["statement"]["en"]);
    assert_eq!((&judged["conformity"], behind(judged)[0].as_str()), (&json!("departs"), "co2-fraction"), "{}", judged["class"]);
    assert_eq!(contributing(judged)[0], "co2-fraction");
    assert_eq!((&judged["class"]["breadth"], &judged["class"]["persistence"]), (&json!("alone"), &json!("lasting")));
    let first = judged["course"]["first"]["time_h"].as_f64().unwrap();
    assert!((6.5..13.0).contains(&first), "{first}");
    assert!(judged["class"]["evidence"][0]["value"].as_f64() > judged["class"]["evidence"][0]["usual"].as_f64());

    // The blocked feed: the pump goes on counting, the culture starves; seen within half an hour and told from the drift.
    let judged = of(&answer, again);
    println!("feed blocked: {}", judged["class"]["statement"]["en"]);
    let starving = ["dissolved-oxygen", "stirrer-speed", "oxygen-fraction", "co2-fraction"];
    assert!(starving.contains(&behind(judged)[0].as_str()) && starving.contains(&contributing(judged)[0].as_str()));
    let first = judged["course"]["first"]["time_h"].as_f64().unwrap();
    assert!((10.4..11.25).contains(&first), "{first}");
    assert_eq!(judged["class"]["persistence"], "lasting");
    let angle = |run: &str| of(&answer, run)["class"]["alike"][0]["angle"].as_f64().unwrap();
    assert!(angle(again) < 25.0 && angle(drift) > 45.0, "{} {}", angle(again), angle(drift));
    let left = texts(&judged["left"], "variable");
    assert!(left.iter().any(|v| starving.contains(&v.as_str())), "{left:?}");

    // Contributions add up to the statistic of their point.
    let at = judged["contributions"].as_array().unwrap().iter().find(|c| c["which"] == "farthest").unwrap();
    let point = at["point"].as_u64().unwrap() as usize;
    let sum: f64 = at["contributions"].as_array().unwrap().iter().map(|c| c["t2"].as_f64().unwrap()).sum();
    let t2 = judged["course"]["t2"][point].as_f64().unwrap();
    assert!((sum / t2 - 1.0).abs() < 1e-6, "{sum} {t2}");

    // The alarm is an event of its run, at its time; who is inside has none.
    let model = answer["monitor_model"].as_str().unwrap();
    let event = bench.get("event", judged["event"].as_str().unwrap()).await;
    assert_eq!((&event["fields"]["sort"], &event["fields"]["run"]), (&json!("alarm"), &json!(again)));
    assert_eq!(event["fields"]["fields"]["monitor_model"], model);
    let elapsed_h = event["fields"]["elapsed_s"].as_f64().unwrap() / 3600.0;
    let earliest = judged["alarms"][0]["time_h"].as_f64().unwrap();
    assert_eq!(bench.get("run", again).await["fields"]["zero_is"], "inoculation");
    assert!((elapsed_h - earliest).abs() < 1e-6, "{elapsed_h} {earliest}");
    let inside = held_out.iter().find(|run| of(&answer, run)["conformity"] == "normal").unwrap();
    assert!(of(&answer, inside)["event"].is_null());

    // By the model that was kept, the same; and nothing is written twice.
    let later = bench.run("culture monitor", json!({ "model": model, "runs": [drift, again], "store": true })).await;
    for run in [drift, again] {
        assert_eq!(of(&later, run), of(&answer, run));
    }
    assert_eq!((&later["monitor_model"], &later["learnt"], &later["band"]), (&answer["monitor_model"], learnt, &answer["band"]));
    for (kind, id) in [("monitor-model", model), ("event", judged["event"].as_str().unwrap())] {
        let history = bench.run("record history", json!({ "kind": kind, "id": id })).await;
        assert_eq!((history["versions"].as_array().unwrap().len(), kind), (1, kind));
    }
    assert_eq!(bench.list("monitor-model").await.len(), 1);

    // Nobody widens its limits by hand, nor types one; who sees it is decided by hand.
    let by_hand =
        |id: &str, fields: Json| json!({ "kind": "monitor-model", "id": id, "fields": fields, "reason": "too many alarms" });
    let wider = bench.refusal("record put", by_hand(model, json!({ "limits": { "t2": 1e9 } }))).await;
    assert_eq!((wider.code(), wider.fault().diagnostics[0].place.field.as_deref()), ("E-RECORD-006", Some("limits")));
    let kept = bench.get("monitor-model", model).await["fields"].clone();
    assert_eq!(bench.refusal("record put", by_hand("typed", kept.clone())).await.code(), "E-RECORD-006");
    bench.run("record put", by_hand(model, json!({ "area": "cooperative" }))).await;
    bench.run("record put", by_hand(model, json!({ "area": kept.get("area") }))).await;

    // Whoever helped to make the limits is not judged by them; a reference that has changed is named.
    let with = |more: Json| {
        let mut input = asked.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let error = bench.refusal("culture monitor", with(json!({ "runs": [reference[3]] }))).await;
    assert_eq!((error.code(), error.fault().place.as_ref().unwrap().field.as_deref()), ("E-MONITOR-035", Some("runs")));
    let few = bench.refusal("culture monitor", with(json!({ "reference": reference[..4] }))).await;
    assert_eq!((few.code(), few.fault().place.as_ref().unwrap().field.as_deref()), ("E-MONITOR-031", Some("reference")));
    assert!(few.fault().message.en.contains('4') && few.fault().hint.is_some());
    let lacking = bench.refusal("culture monitor", with(json!({ "channels": ["ph", "titre"] }))).await;
    assert_eq!(
        (lacking.code(), lacking.fault().place.as_ref().unwrap().field.as_deref()),
        ("E-MONITOR-032", Some("reference[0]"))
    );
    assert!(lacking.fault().message.en.contains("titre"));
    let odd = bench.refusal("culture monitor", with(json!({ "align": "phases=start,never" }))).await;
    assert_eq!(odd.code(), "E-MONITOR-034");
    let moved = json!({ "run": reference[5], "sort": "stop", "label": "as the operator remembers", "elapsed_s": 90000.0 });
    bench.put("event", "event-moved", moved).await;
    let error = bench.refusal("culture monitor", json!({ "model": model, "runs": [drift] })).await;
    assert_eq!(error.code(), "E-MONITOR-042");
    assert!(error.fault().message.en.contains(&reference[5]), "{error:?}");
    bench.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_alignments_and_few_references_say_what_they_can_promise() {
    let bench = Bench::new().await;
    let reference = normal(&bench, "REF", 8, 5).await;
    let mut chance = Chance::new(6);
    let blocked = json!([{ "from_h": 10.5, "until_h": 14.0, "fault": "feed-blocked" }]);
    let runs =
        simulated(&bench, "ONE", vec![reactor("GOOD", &mut chance, json!([])), reactor("BLOCKED", &mut chance, blocked)], 7)
            .await;
    for align in ["time", "length", "indicator=feed", "phases=start,feed started", "warp"] {
        let asked = json!({ "reference": reference, "runs": runs, "channels": CHANNELS, "align": align, "components": 2 });
        let answer = bench.run("culture monitor", asked).await;
        let learnt = &answer["learnt"];
        assert!((learnt["run_confidence"].as_f64().unwrap() - 8.0 / 9.0).abs() < 1e-9, "{align}");
        assert!(learnt["false_alarms"]["statement"]["en"].as_str().unwrap().contains("takes 19"), "{align}");
        let by_pace = align.starts_with("indicator") || align.starts_with("phases");
        assert_eq!(texts(&learnt["variables"], "variable").contains(&"elapsed-time".to_owned()), by_pace, "{align}");
        let positions = learnt["axis"]["position"].as_array().unwrap();
        assert!(positions.windows(2).all(|w| w[0].as_f64() < w[1].as_f64()), "{align}");
        let judged = of(&answer, &runs[1]);
        assert!(by(judged, "model"), "{align}: {}", judged["class"]);
        assert!(by(judged, "golden-band"), "{align}");
    }
}

/// A fed-batch of one pace, with what differs from run to run; from ten hours on a contaminant that takes oxygen.
fn fed_batch(chance: &mut Chance, contaminated: bool, until_h: f64) -> Vec<(f64, [f64; 4])> {
    let mut about = |value: f64, share: f64| value * (1.0 + share * chance.normal());
    let (mut x, mut s) = (about(0.2, 0.06), about(20.0, 0.02));
    let (mu_max, fed, supply) = (about(0.45, 0.015), about(2.0, 0.02), about(150.0, 0.02));
    let (inoculum, mut c, mut base) = (x, 0.0, 0.0);
    let mut rows = Vec::new();
    // What is left of the substrate turns over in seconds.
    let step = 1.0 / 2_400.0;
    for i in 0..=(until_h / step).round() as u32 {
        let t = f64::from(i) * step;
        if contaminated && i == 24_000 {
            c = 0.3;
        }
        let (mu, of_c) = (mu_max * s / (0.05 + s), 0.6 * s / (0.008 + s));
        let demand = 20.0 * mu * x + 60.0 * of_c * c;
        if i % 400 == 0 {
            let co2 = 0.04 + 0.03 * demand + 0.02 * chance.normal();
            let dissolved = (100.0 * (1.0 - demand / supply)).max(1.0) + 0.5 * chance.normal();
            rows.push((t, [dissolved, co2, (x + c) * 2.5 * (1.0 + 0.01 * chance.normal()), base + 0.1 * chance.normal()]));
        }
        let feed = if t < 9.0 { 0.0 } else { fed * (0.12 * (t - 9.0)).exp() };
        s = (s + step * (feed - mu * x / 0.5 - of_c * c / 0.3)).max(0.0);
        (x, c) = (x + step * mu * x, c + step * of_c * c);
        base = 0.5 * (x - inoculum) + 2.0 * c;
    }
    rows
}

/// A historian's long table.
fn long(text: &mut String, run: &str, rows: &[(f64, [f64; 4])]) {
    for (t, values) in rows {
        for (channel, value) in ["DO (%sat)", "CO2 (%)", "OD600", "Base (mL)"].iter().zip(values) {
            writeln!(text, "{run},{channel},{},{value:.4},good", t * 3600.0).unwrap();
        }
    }
}

/// Six monitors, each with references of its own, over twenty normal runs each: of T² and SPE 5 % are promised, of the
/// golden band 8 %. Of these 120 runs 2 alarmed by the former and 7 by the latter.
#[tokio::test(flavor = "multi_thread")]
async fn false_alarms_over_many_monitors_are_as_promised() {
    let bench = Bench::new().await;
    let (mut model, mut band) = (0, 0);
    for seed in [1, 11, 21, 31, 41, 51] {
        let reference = normal(&bench, &format!("REF{seed}"), 24, seed).await;
        let held_out = normal(&bench, &format!("NEW{seed}"), 20, seed + 1).await;
        let asked = json!({ "reference": reference, "runs": held_out, "channels": CHANNELS });
        let answer = bench.run("culture monitor", asked).await;
        let alarms = |what: &str| held_out.iter().filter(|run| by(of(&answer, run), what)).count();
        model += alarms("model");
        band += alarms("golden-band");
    }
    assert!(model <= 10 && band <= 18, "{model} and {band} of 120");
}

#[tokio::test(flavor = "multi_thread")]
async fn oxygen_that_something_else_takes_is_found_in_files_and_while_a_batch_still_runs() {
    let bench = Bench::new().await;
    let mut chance = Chance::new(8);
    let mut text = String::from("run,channel,t,value,quality\n");
    for i in 0..24 {
        long(&mut text, &format!("R{i:02}"), &fed_batch(&mut chance, false, 20.0));
    }
    for i in 0..20 {
        long(&mut text, &format!("N{i:02}"), &fed_batch(&mut chance, false, 20.0));
    }
    long(&mut text, "CONTAMINATED", &fed_batch(&mut chance, true, 20.0));
    let read = bench.run("run import", json!({ "paths": [bench.file("historian.csv", text)] })).await;
    let runs = |first: char| -> Vec<String> {
        let all = read["runs"].as_array().unwrap().iter();
        all.filter(|r| r["title"].as_str().unwrap().starts_with(first)).map(|r| r["id"].as_str().unwrap().to_owned()).collect()
    };
    let (reference, mut judged) = (runs('R'), runs('N'));
    let held_out = judged.clone();
    let contaminated = runs('C').remove(0);
    judged.push(contaminated.clone());

    // Two that still run, from a source of their own: a contaminated one after 17 h, a good one after 12 h.
    let mut live = Vec::new();
    for (run, rows) in [("L1", fed_batch(&mut chance, true, 17.0)), ("L2", fed_batch(&mut chance, false, 12.0))] {
        let signals = ["DO", "CO2", "OD600", "Base"].iter().zip(["%sat", "%", "OD600", "mL"]);
        let signals: Vec<Json> = signals.map(|(key, unit)| json!({ "key": key, "raw_unit": unit })).collect();
        let start = 1_795_392_000_000_000_000_i64;
        let points = rows.iter().flat_map(|(t, values)| {
            let t_ns = start + (t * 3.6e12) as i64;
            values
                .iter()
                .enumerate()
                .map(move |(i, v)| json!({ "signal": i, "t_ns": t_ns, "said": { "digits": format!("{v:.4}") } }))
        });
        let points: Vec<Json> = points.collect();
        let batch = json!({ "source": "hall", "run": run, "signals": signals, "points": points });
        bench.run("live append", json!({ "batches": [batch] })).await;
        live.push(toji_store::live_run_id("hall", run).to_string());
    }
    judged.extend(live.clone());

    let channels = ["dissolved-oxygen", "co2-fraction", "optical-density", "base"];
    let answer = bench.run("culture monitor", json!({ "reference": reference, "runs": judged, "channels": channels })).await;
    assert_eq!(answer["not_judged"], json!([]));
    let alarms = held_out.iter().filter(|run| by(of(&answer, run), "model")).count();
    println!("false alarms of {}: {alarms}; {}", held_out.len(), answer["learnt"]["false_alarms"]);
    assert!(alarms <= 5, "{alarms} of {}", held_out.len());

    let oxygen = |judged: &Json| {
        println!("{}: {}", judged["title"], judged["class"]["statement"]["en"]);
        let behind = behind(judged);
        assert_eq!((&judged["conformity"], by(judged, "model")), (&json!("departs"), true));
        assert!(["dissolved-oxygen", "co2-fraction"].iter().all(|v| behind.contains(&(*v).to_owned())), "{behind:?}");
        // Where it stands farthest off the contaminant has been there for a while.
        let farthest = judged["contributions"].as_array().unwrap().iter().find(|c| c["which"] == "farthest").unwrap();
        let at = judged["course"]["time_h"][farthest["point"].as_u64().unwrap() as usize].as_f64().unwrap();
        assert!(at > 10.0, "{at}");
        let first = judged["course"]["first"]["time_h"].as_f64().unwrap();
        assert!((7.0..17.0).contains(&first), "{first}");
        let falls = judged["class"]["evidence"].as_array().unwrap().iter().find(|e| e["variable"] == "dissolved-oxygen").unwrap();
        assert!(falls["value"].as_f64() < falls["usual"].as_f64(), "{falls}");
        first
    };
    let (ended, running) = (of(&answer, &contaminated), of(&answer, &live[0]));
    oxygen(ended);
    oxygen(running);
    // While it runs: as far as it got, and no word of the whole batch.
    assert_eq!((&running["state"], &running["whole"]), (&json!("running"), &Json::Null));
    let reached = running["course"]["reached"].as_u64().unwrap();
    assert!((49..53).contains(&reached), "{reached} of 60 points after 17 of 20 h");
    let good = of(&answer, &live[1]);
    assert_eq!((&good["state"], by(good, "model")), (&json!("running"), false), "{}", good["class"]);
    bench.is_sound().await;
}

/// 57 batches of a nylon autoclave (A. Kassidas 1997), which the file gives row by row without times: rows are a minute
/// apart here. The first 36 are taken for good; 53 and 54 went wrong by all accounts.
#[tokio::test(flavor = "multi_thread")]
async fn real_batches_that_went_wrong_are_found_by_good_ones() {
    let bench = Bench::new().await;
    let Some(path) = shared("../modelling/mspc/batch/nylon.csv") else { return };
    let file = std::fs::read_to_string(path).unwrap();
    let mut text = String::from("run,channel,t,value,quality\n");
    let (mut batch, mut minute) = ("", 0);
    for line in file.lines().skip(1) {
        let mut cells = line.split(',');
        let id = cells.next().unwrap();
        minute = if id == batch { minute + 1 } else { 0 };
        batch = id;
        for (tag, cell) in (1..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            writeln!(text, "B{id:0>2},Tag{tag:02},{},{cell},good", minute * 60).unwrap();
        }
    }
    let read = bench.run("run import", json!({ "paths": [bench.file("nylon.csv", text)] })).await;
    let mut runs: Vec<(String, String)> = read["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["title"].as_str().unwrap().to_owned(), r["id"].as_str().unwrap().to_owned()))
        .collect();
    runs.sort();
    assert_eq!(runs.len(), 57);
    let ids: Vec<&str> = runs.iter().map(|r| r.1.as_str()).collect();
    let channels: Vec<String> = (1..=10).map(|tag| format!("Tag{tag:02}")).collect();
    let asked = json!({ "reference": ids[..36], "runs": ids[36..], "channels": channels, "align": "length", "points": 100 });
    let answer = bench.run("culture monitor", asked).await;
    let out: Vec<String> = answer["runs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| by(r, "model"))
        .map(|r| {
            println!("{}: {}", r["title"].as_str().unwrap(), r["class"]["statement"]["en"].as_str().unwrap());
            r["title"].as_str().unwrap().to_owned()
        })
        .collect();
    println!("nylon: {} of 21 depart: {out:?}; {}", out.len(), answer["learnt"]["false_alarms"]);
    assert!(["B53", "B54"].iter().all(|wrong| out.contains(&(*wrong).to_owned())), "{out:?}");
    assert!(out.len() < 21, "not everything departs: {out:?}");
}

/// Growth without end, as a model file.
const GROWTH: &str = r#"
[model]
id = "growth"
title = { ja = "増殖", en = "Growth" }
source = "made for this test"
time = "h"

[vessel]
volume = 1
unit = "L"

[constant]
mu = { value = 0.3, unit = "/h", label = { ja = "比増殖速度", en = "Specific growth rate" } }

[species]
X = { unit = "g/L", initial = 0.1, label = { ja = "菌体", en = "Biomass" } }

[reaction.growth]
rate = "mu * X"
unit = "g/(L.h)"
makes = { X = "1 [g/g]" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_outside_the_band_of_its_forecast_is_an_alarm_with_level_and_evidence() {
    let bench = Bench::new().await;
    let mut chance = Chance::new(9);
    let mut grown = |stalls_at: f64| -> Vec<(f64, f64)> {
        let mu = 0.3 * (1.0 + 0.03 * chance.normal());
        (0..=20)
            .map(|i| f64::from(i) * 0.5)
            .map(|t| (t, 0.1 * (mu * t.min(stalls_at)).exp() * (1.0 + 0.03 * chance.normal())))
            .collect()
    };
    let mut learnt = String::from("run,time [h],X [g/L]\n");
    let mut text = String::from("run,channel,t,value,quality\n");
    for i in 0..12 {
        for (t, x) in grown(f64::INFINITY) {
            writeln!(learnt, "P{i:02},{t},{x}").unwrap();
            writeln!(text, "P{i:02},Dry weight (g/L),{},{x:.5},good", t * 3600.0).unwrap();
        }
    }
    for (run, stalls_at) in [("GOOD", f64::INFINITY), ("STALLED", 6.0)] {
        for (t, x) in grown(stalls_at) {
            writeln!(text, "{run},Dry weight (g/L),{},{x:.5},good", t * 3600.0).unwrap();
        }
        let asked = json!({
            "model": GROWTH, "runs": learnt, "parameters": { "mu": { "low": 0.1, "high": 0.8, "log": true } }, "until": "10 h", "points": 21,
            "noise": { "X": { "share": 0.03 } }, "levels": [0.8, 0.9, 0.95], "name": run, "scale": "1 L", "store": true,
        });
        let forecast = bench.run("culture predict", asked).await;
        assert_eq!(forecast["calibrated"], true, "{}", forecast["note"]);
    }
    let read = bench.run("run import", json!({ "paths": [bench.file("growth.csv", text)] })).await;
    let id = |title: &str| {
        let all = read["runs"].as_array().unwrap();
        all.iter().find(|r| r["title"] == title).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let reference: Vec<String> = (0..12).map(|i| id(&format!("P{i:02}"))).collect();
    let asked = |readings: Json| {
        json!({
            "reference": reference, "runs": [id("GOOD"), id("STALLED")], "channels": ["dry-weight"], "points": 20, "components": 2,
            "readings": readings,
        })
    };
    let answer = bench.run("culture monitor", asked(json!({ "X": "dry-weight" }))).await;
    let (good, stalled) = (of(&answer, &id("GOOD")), of(&answer, &id("STALLED")));
    assert_eq!((&good["forecast"]["alarm"], good["forecast"]["quantities"].as_array().unwrap().len()), (&json!(false), 1));
    let [foretold] = stalled["forecast"]["quantities"].as_array().unwrap().as_slice() else { panic!("{}", stalled["forecast"]) };
    println!("forecast: {foretold}");
    // Twelve runs vouch for 90 %, and for no more: that is the level of the alarm.
    assert_eq!((&foretold["alarm"], &foretold["level"], &foretold["runs"]), (&json!(true), &json!(0.9), &json!(12)));
    assert!((foretold["coverage_expected"].as_f64().unwrap() - 12.0 / 13.0).abs() < 1e-9 && bilingual(&foretold["statement"]));
    let first = &foretold["first"];
    assert!(
        (6.0..9.0).contains(&first["time_h"].as_f64().unwrap()) && first["value"].as_f64() < first["low"].as_f64(),
        "{first}"
    );
    let alarm = stalled["alarms"].as_array().unwrap().iter().find(|a| a["raised_by"] == "forecast").unwrap();
    assert!(bilingual(&alarm["evidence"]) && alarm["variable"] == "dry-weight" && !by(good, "forecast"));
    // Nobody says what measures the quantity: it is not guessed, and said.
    let answer = bench.run("culture monitor", asked(json!({}))).await;
    let unjudged = &of(&answer, &id("STALLED"))["forecast"]["not_judged"];
    assert!(unjudged[0]["quantity"] == "X" && bilingual(&unjudged[0]["why"]), "{unjudged}");
}
