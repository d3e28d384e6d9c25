//! B07: continuous cultures and what they make beside fed-batch.

use crate::bench::{Bench, bilingual, numbers, texts};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use toji_core::chance::Chance;

/// Steady state of cho-mab-perfusion by scipy 1.17.1 (crates/toji-culture/tests/golden/perfusion.py): living cells,
/// glucose, antibody.
const BY_SCIPY: [(&str, f64); 3] = [("Xv", 32.890_576_830_2), ("Glc", 1.678_760_276_74), ("mAb", 794.636_336_218)];
/// Volumes a day: perfused, and bled with its product.
const PERFUSION: f64 = 1.5;
const BLEED: f64 = 0.2;

fn near(a: f64, b: f64, relative: f64) {
    assert!((a - b).abs() <= relative * b.abs(), "{a} is not {b}");
}

fn of<'a>(list: &'a Json, key: &str, name: &str) -> &'a Json {
    list.as_array().unwrap().iter().find(|o| o[key] == name).unwrap_or_else(|| panic!("{name} in {list}"))
}

fn value(list: &Json, measure: &str) -> f64 {
    of(list, "measure", measure)["value"].as_f64().unwrap()
}

/// Titre and living cells of a model on each day.
async fn course(bench: &Bench, model: &str, days: usize) -> Vec<(f64, f64)> {
    let input = json!({ "model": model, "until": format!("{days} d"), "points": days + 1, "quantities": ["mAb", "Xv"] });
    let answer = bench.run("culture simulate", input).await;
    let line = |k: usize| -> Vec<f64> {
        answer["series"][k]["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    line(0).into_iter().map(|c| c / 1000.0).zip(line(1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn b07_steady_state_is_reached_and_productivity_per_volume_and_per_medium_stands_beside_fed_batch() {
    let bench = Bench::new().await;
    let input = |uncertain: Json| {
        json!({
            "model": "cho-mab-perfusion", "product": "mAb", "against": "cho-mab-fed-batch", "campaign": "60 d", "batch": "14 d",
            "batch_turnaround": "3 d", "turnaround": "3 d", "uncertain": uncertain, "draws": 40,
        })
    };
    let answer = bench.run("culture continuous", input(json!({ "Q_mAb": "10 %" }))).await;
    assert_eq!(
        (&answer["verdict"], &answer["cells"], &answer["harvest"]),
        (&json!("steady"), &json!(["Xv"]), &json!(["harvest"]))
    );
    let proof = &answer["proof"];
    assert!(proof["residual"].as_f64().unwrap() < 1e-10 && proof["volume_change"].as_f64().unwrap().abs() < 1e-10, "{proof}");
    assert!(proof["stable"] == true && numbers(&proof["eigenvalues"], "real_per_d").iter().all(|e| *e < 0.0), "{proof}");
    for (name, wanted) in BY_SCIPY {
        near(of(&answer["states"], "quantity", name)["value"].as_f64().unwrap(), wanted, 1e-7);
    }
    // Per volume, per medium, per cell: what leaves behind the filter.
    let titre = BY_SCIPY[2].1 / 1000.0;
    let figures = &answer["figures"];
    near(value(figures, "per-volume"), (PERFUSION - BLEED) * titre, 1e-7);
    near(value(figures, "per-medium"), (PERFUSION - BLEED) / PERFUSION * titre, 1e-7);
    near(value(figures, "per-cell"), (PERFUSION - BLEED) * BY_SCIPY[2].1 / BY_SCIPY[0].1, 1e-7);
    near(value(figures, "perfusion-per-cell"), 1000.0 * PERFUSION / BY_SCIPY[0].1, 1e-7);
    near(value(figures, "residence"), 1.0 / PERFUSION, 1e-7);
    // Three batches of 14 and 3 days fit into 60; what each gives is what the model has at its end.
    let batch = course(&bench, "cho-mab-fed-batch", 14).await[14].0;
    let (continuous, fed) = (&answer["beside"]["ways"][0], &answer["beside"]["ways"][1]);
    assert_eq!((&fed["way"], &fed["cultures"]), (&json!("fed-batch"), &json!(3.0)));
    near(value(&fed["figures"], "per-volume"), 3.0 * batch / 60.0, 1e-5);
    near(value(&fed["figures"], "per-medium"), batch, 1e-5);
    // Collected from the day on which cells and antibody are within 5 %, until day 57: values of the same script.
    let from = answer["beside"]["collected_from_d"].as_f64().unwrap();
    near(from, 19.335_057, 2e-3);
    near(value(&continuous["figures"], "per-volume"), 0.644_697_308, 2e-3);
    near(value(&continuous["figures"], "per-medium"), 0.447_188_88, 2e-3);
    near(continuous["medium_per_vessel"].as_f64().unwrap(), 1.0 + 57.0 * PERFUSION, 1e-7);
    let day = course(&bench, "cho-mab-perfusion", 60).await;
    let off = |d: usize| (day[d].0 / titre - 1.0).abs().max((day[d].1 / BY_SCIPY[0].1 - 1.0).abs());
    assert!(off(from.ceil() as usize) <= 0.05 && off(from.floor() as usize - 1) > 0.03, "{from}");
    // The specific rate is the same draw in both ways: each has its interval, and it leaves no trace in their ratio.
    let ratio = of(&answer["beside"]["ratios"], "measure", "per-volume");
    near(ratio["value"].as_f64().unwrap(), value(&continuous["figures"], "per-volume") / (3.0 * batch / 60.0), 1e-5);
    for end in ["low", "high"] {
        near(ratio[end].as_f64().unwrap(), ratio["value"].as_f64().unwrap(), 1e-4);
    }
    for figure in [of(figures, "measure", "per-volume"), of(&continuous["figures"], "measure", "per-volume")] {
        let share = |end: &str| figure[end].as_f64().unwrap() / figure["value"].as_f64().unwrap();
        assert!((0.70..0.92).contains(&share("low")) && (1.08..1.40).contains(&share("high")), "{figure}");
    }
    // What the two ways do not share does show, and the same seed says the same.
    let other = bench.run("culture continuous", input(json!({ "bleed": "10 %" }))).await;
    let spread = of(&other["beside"]["ratios"], "measure", "per-volume");
    assert!(spread["high"].as_f64().unwrap() > 1.05 * spread["low"].as_f64().unwrap(), "{spread}");
    assert_eq!(other, bench.run("culture continuous", input(json!({ "bleed": "10 %" }))).await);
    // Quality where both models tell it.
    let purity = of(&answer["quality"], "quantity", "HCP_per_mAb");
    near(purity["continuous"].as_f64().unwrap(), 105.249_845_857 / 794.636_336_218, 1e-7);
    assert!(purity["fed_batch"].is_f64() && bilingual(&purity["label"]));
    // Draws from elsewhere: two of them give the figures of their values.
    let mut posterior = input(json!({}));
    posterior["posterior"] = json!([{ "Q_mAb": 1.51 }, { "Q_mAb": 3.02 }]);
    let drawn = bench.run("culture continuous", posterior).await;
    let figure = of(&drawn["figures"], "measure", "per-medium");
    near(figure["high"].as_f64().unwrap() / figure["low"].as_f64().unwrap(), 1.975 / 1.025, 1e-6);
}

#[tokio::test(flavor = "multi_thread")]
async fn b07_a_sweep_tells_wash_out_and_the_best_dilution_as_the_closed_forms_do() {
    let bench = Bench::new().await;
    let sweep = json!({ "D": { "low": "0.05 /h", "high": 0.6, "points": 12 } });
    let answer = bench.run("culture continuous", json!({ "model": "monod-chemostat", "product": "X", "sweep": sweep })).await;
    for (name, wanted) in [("S", 0.15), ("X", 4.925)] {
        near(of(&answer["states"], "quantity", name)["value"].as_f64().unwrap(), wanted, 1e-6);
    }
    near(of(&answer["critical"], "constant", "D")["value"].as_f64().unwrap(), 0.495_049_504_95, 1e-6);
    let best = of(&answer["best"], "measure", "per-volume");
    near(best["at"]["D"].as_f64().unwrap(), 0.450_248_140_49, 1e-6);
    near(best["value"].as_f64().unwrap(), 24.0 * 2.047_506_218_94, 1e-6);
    assert_eq!((&best["unit"], &best["at_end"]), (&json!("g/(L.d)"), &json!(false)));
    assert_eq!(of(&answer["best"], "measure", "per-medium")["at_end"], true);
    let rows = answer["sweep"].as_array().unwrap();
    let states: Vec<&str> = rows.iter().map(|r| r["verdict"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), states[8], states[9], states[11]), (12, "steady", "washed-out", "washed-out"));
    let washed = bench.run("culture continuous", json!({ "model": "monod-chemostat", "set": { "D": "0.6 /h" } })).await;
    assert_eq!((&washed["verdict"], &washed["proof"]["stable"]), (&json!("washed-out"), &json!(true)));
    // Dilution and bleed together; a bleed above the perfusion is no point.
    let two = json!({ "perfusion": { "low": 0.3, "high": 1.5, "points": 3 }, "bleed": { "low": 0.1, "high": 0.5, "points": 3 } });
    let answer = bench.run("culture continuous", json!({ "model": "cho-mab-perfusion", "product": "mAb", "sweep": two })).await;
    let rows = answer["sweep"].as_array().unwrap();
    assert_eq!(rows.len(), 9);
    let backwards: Vec<&Json> = rows.iter().filter(|r| r["verdict"] == "no-steady-state").collect();
    assert!(backwards.len() == 1 && bilingual(&backwards[0]["why"]), "{backwards:?}");
    assert_eq!(backwards[0]["at"], json!({ "bleed": 0.5, "perfusion": 0.3 }));
    let best = of(&answer["best"], "measure", "per-volume");
    assert_eq!((&best["at"], &best["at_end"]), (&json!({ "bleed": 0.1, "perfusion": 1.5 }), &json!(true)));
    // What has none says why.
    let fed = bench.run("culture continuous", json!({ "model": "monod-fed-batch" })).await;
    assert!(fed["verdict"] == "no-steady-state" && bilingual(&fed["why"]), "{fed}");
    let refusal = bench.refusal("culture continuous", json!({ "model": "monod-chemostat", "product": "Q" })).await;
    assert_eq!(refusal.code(), "E-CONTINUOUS-001");
}

/// A run of daily titres and cells, read by the importer.
async fn run(bench: &Bench, name: &str, days: &[(f64, f64)]) -> String {
    let mut text = String::from("Time (d),Titre (g/L),Viable cell density (10*6/mL)\n");
    days.iter().enumerate().for_each(|(day, (titre, cells))| writeln!(text, "{day},{titre:.5},{cells:.4}").unwrap());
    let path = bench.file(&format!("{name}.csv"), text);
    let mapping = bench.run("run propose", json!({ "path": path })).await["mapping"].clone();
    let made = bench.run("run import", json!({ "paths": [path], "mapping": mapping })).await;
    made["runs"][0]["id"].as_str().unwrap().to_owned()
}

fn noisy(days: &[(f64, f64)], chance: &mut Chance, sd: f64) -> Vec<(f64, f64)> {
    days.iter().map(|(c, x)| (c * (1.0 + sd * chance.normal()), x * (1.0 + sd * chance.normal()))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn b07_a_measured_run_is_judged_steady_from_when_it_is_and_compared_with_fed_batch_runs() {
    let bench = Bench::new().await;
    let mut chance = Chance::new(7);
    let truth = course(&bench, "cho-mab-perfusion", 45).await;
    let perfused = run(&bench, "perfused", &noisy(&truth, &mut chance, 0.04)).await;
    let early = run(&bench, "early", &noisy(&truth[..9], &mut chance, 0.04)).await;
    // A culture that loses 7 % of its cells and titre a day.
    let fading: Vec<(f64, f64)> =
        truth.iter().enumerate().map(|(d, (c, x))| (c * 0.93f64.powi(d as i32), x * 0.93f64.powi(d as i32))).collect();
    let fading = run(&bench, "fading", &noisy(&fading, &mut chance, 0.04)).await;
    let batch = course(&bench, "cho-mab-fed-batch", 14).await;
    let mut batches = Vec::new();
    for (i, factor) in [0.95, 1.0, 1.06, 0.99].into_iter().enumerate() {
        let of: Vec<(f64, f64)> = batch.iter().map(|(c, x)| (c * factor, *x)).collect();
        batches.push(run(&bench, &format!("batch-{i}"), &of).await);
    }
    let input = json!({
        "runs": [perfused, early, fading], "dilution": "1.5 /d", "harvest_share": (PERFUSION - BLEED) / PERFUSION,
        "fed_batch": batches, "batch_turnaround": "3 d",
    });
    let answer = bench.run("culture steady", input.clone()).await;
    assert!(bilingual(&answer["rule"]));
    assert_eq!(texts(&answer["runs"], "verdict")[0], "steady", "{answer}");
    assert!(texts(&answer["runs"], "verdict")[1..].iter().all(|v| v != "steady"), "{answer}");
    assert!(
        answer["runs"].as_array().unwrap()[1..].iter().all(|r| bilingual(&r["why"]) && r["productivity_g_per_l_d"].is_null())
    );
    let first = &answer["runs"][0];
    let number = |name: &str| first[name].as_f64().unwrap();
    // Cells and antibody are within a few per cent of their end from the third week on.
    assert!((12.0..=30.0).contains(&number("from_d")) && number("exchanges") >= 5.0, "{first}");
    let productivity = (PERFUSION - BLEED) * BY_SCIPY[2].1 / 1000.0;
    // Cells still creep up where the rule lets the steady stretch begin.
    near(number("productivity_g_per_l_d"), productivity, 0.05);
    assert!(number("low_g_per_l_d") < number("productivity_g_per_l_d") && number("high_g_per_l_d") < 1.1 * productivity);
    for series in first["series"].as_array().unwrap() {
        let (low, high) = (series["drift_low"].as_f64().unwrap(), series["drift_high"].as_f64().unwrap());
        assert!(-0.2 <= low && low < high && high <= 0.2, "{series}");
    }
    // Beside four batches: the geometric mean of their titres over 17 days.
    let compared = of(&answer["compared"], "measure", "per-volume");
    let fed = batch[14].0 * (0.95f64 * 1.06 * 0.99).powf(0.25) / 17.0;
    near(compared["fed_batch"].as_f64().unwrap(), fed, 1e-4);
    let (low, high) = (compared["low"].as_f64().unwrap(), compared["high"].as_f64().unwrap());
    assert!(low < productivity / fed && productivity / fed < high && high < 1.4 * low, "{compared}");
    assert!(bilingual(&compared["rests_on"]));
    assert!(of(&answer["compared"], "measure", "per-medium")["ratio"].as_f64().unwrap() < 1.0);
    // One batch says nothing of how batches scatter.
    let mut single = input.clone();
    single["fed_batch"] = json!([input["fed_batch"][0]]);
    let single = bench.run("culture steady", single).await;
    assert!(single["compared"][0]["low"].is_null() && single["compared"][0]["ratio"].is_f64(), "{single}");
    // Without a dilution rate nothing is guessed.
    let unknown = bench.run("culture steady", json!({ "runs": [input["runs"][0]] })).await;
    assert_eq!(unknown["runs"][0]["verdict"], "cannot-tell");
    assert_eq!(bench.refusal("culture steady", json!({ "runs": [] })).await.code(), "E-STEADY-001");
}
