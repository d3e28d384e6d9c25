//! B22: what operators' own hands add to the variation of runs, and what is left of it under the automated recipe.

use crate::bench::{Bench, bilingual};
use serde_json::{Value as Json, json};

/// Runs of every operator, and looks at each, six hours apart.
const RUNS: usize = 3;
const LOOKS: usize = 16;

/// The same small chance everywhere (a linear congruential generator).
struct Dice(u64);

impl Dice {
    /// 0 to 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1u32 << 31)
    }
}

/// Operators and their habit, which nothing below is told: each feeds more below a biomass of the own liking.
const OPERATORS: [(&str, f64); 5] = [("OP-1", 16.0), ("OP-2", 8.0), ("OP-3", 28.0), ("OP-4", 22.0), ("OP-5", 12.0)];

/// A run with its readings and the operator's decisions.
async fn run(bench: &Bench, operator: (&str, f64), number: usize, dice: &mut Dice) {
    let (name, likes) = operator;
    let biomass: Vec<f64> = (0..LOOKS).map(|_| 1.0 + 40.0 * dice.roll()).collect();
    let mut csv = String::from("time,dry weight [g/L],pH\n");
    for (i, x) in biomass.iter().enumerate() {
        for minute in [0, 10, 20] {
            let hours = 6 * i;
            csv.push_str(&format!(
                "2026-03-{:02} {:02}:{minute:02}:00,{x:.2},{:.2}\n",
                1 + hours / 24,
                hours % 24,
                6.9 + 0.2 * dice.roll()
            ));
        }
    }
    let path = bench.file(&format!("simulated-{name}-{number}.csv"), csv);
    let report = bench.run("run import", json!({ "paths": [path], "zone": "Asia/Tokyo" })).await;
    let run = report["runs"][0]["id"].as_str().unwrap_or_else(|| panic!("{report}"));
    for (i, x) in biomass.iter().enumerate() {
        let usual = *x < likes;
        // Now and then anybody does otherwise.
        let action = if usual != (dice.roll() < 0.03) { "do:feed" } else { "do:hold" };
        let decision = json!({ "run": run, "elapsed_s": 6 * 3600 * i + 1300, "action": action, "why": "菌体量を見て",
                               "seen": format!("菌体 {x:.1} g/L"), "author": name });
        bench.run("decision record", decision).await;
    }
}

fn asked(more: Json) -> Json {
    let spread = |of: &[(&str, f64)]| -> Json {
        of.iter().map(|(constant, share)| json!({ "constant": constant, "share": share })).collect()
    };
    let mut input = json!({
        "plant": "luedeking-piret-fed-batch", "until": "60 h", "every": "6 h", "goal": "titre",
        "state": { "dry-weight": "X" },
        "moves": { "do:feed": { "profile": "F", "factor": 1.15 } },
        "expert": "OP-1", "max_age_s": 1200, "pairs": 12, "plant_seed": 2,
        "hidden": {
            "run": spread(&[("X_0", 0.1), ("beta", 0.06), ("Y_XS", 0.03)]),
            "wander": [{ "profile": "vigour", "share": 0.05, "memory": 0.7 }],
            "sensors": [{ "quantity": "X", "share": 0.05, "least": 0.05 }],
        },
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[tokio::test(flavor = "multi_thread")]
async fn b22_operator_to_operator_variance_is_measured_and_falls_under_the_automated_recipe() {
    let bench = Bench::new().await;
    let mut dice = Dice(3);
    for operator in OPERATORS {
        for number in 0..RUNS {
            run(&bench, operator, number, &mut dice).await;
        }
    }
    let found = bench.run("culture rules", asked(json!({}))).await;
    assert_eq!(found["decisions"], json!(OPERATORS.len() * RUNS * LOOKS));
    assert_eq!(found["operators"].as_array().unwrap().len(), OPERATORS.len());
    // The expert's rule can be read, repeats the expert on runs not seen, and helps on the plant.
    let number = |value: &Json| value.as_f64().unwrap_or_else(|| panic!("no number in {found}"));
    let line = &found["rules"][0];
    assert!(bilingual(&line["says"]) && line["says"]["en"].as_str().unwrap().contains('<'), "{line}");
    assert!(number(&line["right"]) >= 0.8 * number(&line["reached"]), "{line}");
    assert!(number(&found["held_out"]["right"]) > 0.85, "{found}");
    assert!(line["benefit"]["helps"] == true && number(&line["benefit"]["low"]) > 0.0, "{line}");
    // Operators' hands: a variance component with its interval, above nothing before and fallen after.
    let (before, after) = (&found["before"], &found["after"]);
    assert_eq!((&before["operators"], &before["runs"]), (&json!(5), &json!(60)));
    assert!(number(&before["low"]) > 0.0 && number(&before["p"]) < 1e-3, "{before}");
    assert!(
        number(&before["low"]) <= number(&before["operator_sd"]) && number(&before["operator_sd"]) <= number(&before["high"])
    );
    assert!(number(&before["share_percent"]) > 30.0 && number(&after["share_percent"]) < 15.0, "{before} {after}");
    assert!(number(&after["high"]) < number(&before["operator_sd"]) && found["falls"] == true, "{before} {after}");
    assert!(number(&found["fall_p"]) < 0.01 && bilingual(&found["method"]), "{found}");
    // Nothing is kept before somebody accepts; accepted rules are phases of a recipe, with their evidence.
    assert_eq!((&line["phase"], bench.list("recipe-phase").await.len()), (&Json::Null, 0));
    let accepted = bench.run("culture rules", asked(json!({ "accept": "AUTO-1" }))).await;
    let phase = bench.get("recipe-phase", accepted["rules"][0]["phase"].as_str().unwrap()).await;
    let fields = &phase["fields"];
    assert_eq!((&fields["recipe"], &fields["action"], &fields["number"]), (&json!("AUTO-1"), &json!("do:feed"), &json!(1)));
    assert_eq!((&fields["when"][0]["quantity"], &fields["benefit"]), (&json!("dry-weight"), &line["benefit"]));
    // What cannot be tried is refused where it stands.
    let code = |more: Json| bench.refusal("culture rules", asked(more));
    assert_eq!(code(json!({ "state": {} })).await.code(), "E-RULES-001");
    assert_eq!(code(json!({ "moves": { "do:feed": { "profile": "Q", "factor": 1.1 } } })).await.code(), "E-RULES-001");
    assert_eq!(code(json!({ "expert": "nobody" })).await.code(), "E-RULES-001");
    assert_eq!(code(json!({ "pairs": 1 })).await.code(), "E-RULES-002");
    bench.is_sound().await;
}
