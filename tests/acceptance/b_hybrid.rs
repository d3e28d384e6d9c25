//! B11: hybrid models of a culture, their forecasts, and what came of them.

use crate::bench::{Bench, bilingual};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use toji_core::chance::Chance;

/// What is read: cells, metabolites, titre and impurity, with its unit and the noise of its sensor (sd, share).
const READ: [(&str, &str, f64, f64); 6] = [
    ("Xv", "10*9/L", 0.03, 0.05),
    ("Glc", "mmol/L", 0.4, 0.03),
    ("Lac", "mmol/L", 0.3, 0.04),
    ("Amm", "mmol/L", 0.05, 0.05),
    ("mAb", "mg/L", 5.0, 0.05),
    ("HCP", "mg/L", 1.0, 0.08),
];

/// The shipped mechanism with laws it does not know: growth has an optimum of temperature, cold cells make more antibody,
/// and lysis lets go less protein in the cold.
fn truth() -> String {
    let shipped = include_str!("../../crates/toji-culture/models/cho-mab-fed-batch.toml");
    let law = |text: String, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    let mu = "KI_amm / (KI_amm + Amm)\", unit = \"/h\"";
    let text = law(shipped.to_owned(), mu, &mu.replace("Amm)\"", "Amm) * exp(-((T - 309.4 [K]) / 5 [K]) ^ 2)\""));
    let text = law(text, "expression = \"Q_mAb\"", "expression = \"Q_mAb * (0.7 + 0.9 / (1 + exp((T - 307.6 [K]) / 0.8 [K])))\"");
    law(text, "expression = \"k_lys * p_HCP\"", "expression = \"k_lys * p_HCP * exp((T - 310.15 [K]) / 6 [K])\"")
}

/// A run: what was set, and what was read at which hour.
struct Made {
    name: String,
    set: Vec<(&'static str, f64)>,
    read: Vec<(f64, Vec<f64>)>,
}

async fn made(bench: &Bench, truth: &str, name: String, chance: &mut Chance) -> Made {
    let mut between = |low: f64, high: f64| low + (high - low) * chance.uniform();
    let set = vec![
        ("T_2", between(304.65, 310.15)),
        ("Xv_0", between(0.35, 0.65)),
        ("Glc_feed", between(350.0, 450.0)),
        ("F_3", between(0.16, 0.22)),
        ("F_4", between(0.21, 0.28)),
    ];
    let mut hidden = json!({});
    set.iter().for_each(|(name, value)| hidden[*name] = json!(value));
    for (name, usual, sd) in [("mu_max", 0.039, 0.03), ("Q_mAb", 1.51, 0.05), ("k_lys", 0.002, 0.05)] {
        hidden[name] = json!(usual * (sd * chance.normal()).exp());
    }
    let quantities: Vec<&str> = READ.iter().map(|r| r.0).collect();
    let input = json!({ "model": truth, "until": "336 h", "points": 8, "set": hidden, "quantities": quantities });
    let answer = bench.run("culture simulate", input).await;
    let times: Vec<f64> = answer["time"].as_array().unwrap().iter().map(|t| t.as_f64().unwrap()).collect();
    let series = answer["series"].as_array().unwrap();
    let read = times.iter().enumerate().skip(1).map(|(i, time)| {
        let of = |(line, (_, _, sd, share)): (&Json, &(&str, &str, f64, f64))| {
            let value = line["values"][i].as_f64().unwrap();
            value + f64::hypot(*sd, share * value) * chance.normal()
        };
        (*time, series.iter().zip(&READ).map(of).collect())
    });
    let read = read.collect();
    Made { name, set, read }
}

/// The runs as a table of the guide's form.
fn table(runs: &[Made], started: Option<&str>) -> String {
    let mut text = String::from("run,started,time [h]");
    for (name, _) in &runs[0].set {
        write!(text, ",set:{name}").unwrap();
    }
    for (name, unit, ..) in READ {
        write!(text, ",{name} [{unit}]").unwrap();
    }
    text.push('\n');
    for run in runs {
        for (time, values) in &run.read {
            write!(text, "{},{},{time}", run.name, started.unwrap_or_default()).unwrap();
            run.set.iter().map(|(_, v)| v).chain(values).for_each(|v| write!(text, ",{v}").unwrap());
            text.push('\n');
        }
    }
    text
}

fn noise() -> Json {
    let mut noise = json!({});
    READ.iter().for_each(|(name, _, sd, share)| noise[*name] = json!({ "sd": sd, "share": share }));
    noise
}

async fn runs(bench: &Bench, truth: &str, n: usize, seed: u64) -> Vec<Made> {
    let mut chance = Chance::new(seed);
    let mut all = Vec::new();
    for i in 0..n {
        all.push(made(bench, truth, format!("R{i:02}"), &mut chance).await);
    }
    all
}

fn learning(table: &str, folds: usize) -> Json {
    json!({
        "model": "cho-mab-fed-batch", "runs": table, "noise": noise(), "every": "48 h", "folds": folds,
        "on": { "mu": ["T"], "q_mAb": ["T"], "q_HCP": ["T"] },
        "parameters": { "mu_max": { "low": 0.02, "high": 0.08, "log": true }, "Q_mAb": { "low": 0.5, "high": 5, "log": true }, "k_lys": { "low": 5e-4, "high": 0.01, "log": true } },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn b11_a_hybrid_beats_mechanism_and_statistics_alone_on_runs_it_has_not_seen() {
    let bench = Bench::new().await;
    let truth = truth();
    let mut sums = [0.0; 3];
    for seed in [11, 12, 13] {
        let runs = runs(&bench, &truth, 12, seed).await;
        let answer = bench.run("culture hybrid", learning(&table(&runs, None), 3)).await;
        let judged = answer["judged"].as_array().unwrap();
        assert_eq!(judged.len(), READ.len());
        // Over all quantities, each error over the spread of its readings.
        let mut all = [0.0; 3];
        for line in judged {
            assert_eq!((&line["measurements"], bilingual(&line["label"])), (&json!(84), true));
            let [mechanism, statistics, hybrid] =
                ["mechanism", "statistics", "hybrid"].map(|of| line[of].as_f64().unwrap() / line["spread"].as_f64().unwrap());
            for (sum, of) in all.iter_mut().zip([mechanism, statistics, hybrid]) {
                *sum += of / READ.len() as f64;
            }
            match line["quantity"].as_str().unwrap() {
                "mAb" | "HCP" => assert!(hybrid < mechanism.min(statistics), "{seed}: {line}"),
                // Of cells statistics alone may know as much.
                "Xv" => assert!(hybrid < mechanism && hybrid < 1.05 * statistics, "{seed}: {line}"),
                _ => {}
            }
        }
        assert!(all[2] < all[0].min(all[1]), "{seed}: mechanism, statistics, hybrid {all:?}");
        sums.iter_mut().zip(all).for_each(|(sum, error)| *sum += error);
    }
    assert!(sums[2] < 0.8 * sums[0].min(sums[1]), "mechanism, statistics, hybrid {sums:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn b11_simulated_curves_stand_beside_experiment_points_and_forecasts_are_counted() {
    let bench = Bench::new().await;
    let truth = truth();
    let mut made = runs(&bench, &truth, 28, 21).await;
    let new = made.split_off(24);
    // What a factor was learnt from vouches for nothing: half of the runs are kept for that.
    let (text, known) = (table(&made, None), table(&made[..12], None));
    let learnt = bench.output("culture hybrid", learning(&known, 0)).await;
    let hybrid = String::from_utf8(learnt.attachment.unwrap().bytes).unwrap();
    // Every factor names its runs; the balances that were proved are proved still.
    assert_eq!(hybrid.matches("sha256:").count(), 3 * 12);
    let proofs = |model: &str| {
        let input = json!({ "model": model });
        let bench = &bench;
        async move { bench.run("culture check", input).await["balances"].clone() }
    };
    assert_eq!(proofs(&hybrid).await, proofs("cho-mab-fed-batch").await);
    let asked = |run: &Made| {
        let mut set = json!({});
        run.set.iter().for_each(|(name, value)| set[*name] = json!(value));
        json!({
            "model": hybrid, "runs": text, "noise": noise(), "until": "336 h", "points": 15, "set": set, "levels": [0.8, 0.9, 0.95],
            "parameters": { "mu_max": { "low": 0.02, "high": 0.08, "log": true }, "Q_mAb": { "low": 0.5, "high": 5, "log": true }, "k_lys": { "low": 5e-4, "high": 0.01, "log": true } },
            "name": run.name, "scale": "0.25 L", "store": true,
        })
    };
    let (mut held, mut counted) = (0, 0);
    for run in &new {
        let answer = bench.run("culture predict", asked(run)).await;
        assert_eq!((&answer["calibrated"], &answer["runs"]), (&json!(true), &json!(12)));
        assert!(answer["forecast"].is_string() && bilingual(&answer["note"]));
        for (line, place) in answer["lines"].as_array().unwrap().iter().zip(0..) {
            assert_eq!(line["quantity"], READ[place].0);
            let intervals = line["intervals"].as_array().unwrap();
            // Twelve runs promise 90 %, and 95 % not.
            assert_eq!(intervals[1]["evidence"], "runs-left-out");
            assert!((intervals[1]["coverage_expected"].as_f64().unwrap() - 12.0 / 13.0).abs() < 1e-9);
            assert_eq!((&intervals[2]["evidence"], &intervals[2]["coverage_expected"]), (&json!("model-only"), &Json::Null));
            assert!(intervals[2]["statement"]["en"].as_str().unwrap().contains("no calibration evidence"));
            // The curve beside the points: within the band of 90 %, all readings at once.
            let within = run.read.iter().all(|(time, values)| {
                let at = (time / 24.0).round() as usize;
                let of = |end: &str| intervals[1][end][at].as_f64().unwrap();
                (of("low")..=of("high")).contains(&values[place])
            });
            held += usize::from(within);
            counted += 1;
        }
    }
    // 24 bands of which 92 % are expected to hold.
    assert!(held >= 18, "{held} of {counted}");
    // Nothing is counted without a start, nor what was forecast after it; then everything.
    let outcome = |started: Option<&str>| json!({ "model": hybrid, "runs": table(&new, started), "store": true });
    let undated = bench.run("culture calibration", outcome(None)).await;
    assert_eq!((&undated["undated"], &undated["counted"]), (&json!(4), &json!([])));
    let late = bench.run("culture calibration", outcome(Some("2026-11-20T00:00:00Z"))).await;
    assert_eq!((&late["too_late"], &late["counted"]), (&json!(4), &json!([])));
    let ledger = bench.run("culture calibration", outcome(Some("2026-11-25T00:00:00Z"))).await;
    assert_eq!((&ledger["matched"], &ledger["forecasts"]), (&json!(4), &json!(4)));
    let nine = ledger["counted"].as_array().unwrap().iter().filter(|c| c["level"] == 0.9).collect::<Vec<_>>();
    assert_eq!(nine.len(), 6);
    let of_ledger: f64 = nine.iter().map(|c| c["held"].as_f64().unwrap()).sum();
    assert_eq!(of_ledger, held as f64);
    for cell in nine {
        assert_eq!((&cell["runs"], &cell["scale"], &cell["at_once"]), (&json!(4), &json!("0.25 L"), &json!(true)));
        // Four runs are not evidence enough to steer by.
        assert_eq!(cell["permission"], "not-enough-evidence", "{cell}");
        assert!(bilingual(&cell["reason"]) && cell["coverage_low"].as_f64() < cell["coverage"].as_f64());
    }
    // The next forecast knows of it; one of a run that was learnt from is not kept.
    let mut again = asked(&new[0]);
    again["store"] = json!(false);
    let next = bench.run("culture predict", again).await;
    assert!(!next["ledger"].as_array().unwrap().is_empty());
    let mut known = asked(&new[0]);
    known["name"] = json!("R12");
    assert_eq!(bench.refusal("culture predict", known.clone()).await.code(), "E-PREDICT-007");
    known["runs"] = json!(table(&made[..12], None));
    assert_eq!(bench.refusal("culture predict", known).await.code(), "E-PREDICT-009");
    bench.is_sound().await;
}
