//! B: gas fermentation.

use crate::bench::{Bench, bilingual};
use serde_json::{Value as Json, json};

/// Moles that hydrogen-oxidising bacteria take up together: 21.36 H2 + 6.21 O2 + 4.09 CO2 give C4.09H7.13O1.89N0.76
/// (A. Ishizaki and K. Tanaka, J. Ferment. Bioeng. 69 (1990) 170).
const TOGETHER: [f64; 3] = [21.36, 6.21, 4.09];
/// Electrons of a carbon of that biomass: (4·4.09 + 7.13 − 2·1.89 − 3·0.76) / 4.09.
const ELECTRONS: f64 = 4.261;
/// Gas in, mol/mol: H2, O2, CO2; the rest is nitrogen. Less oxygen than burns.
const INLET: [f64; 3] = [0.70, 0.04, 0.10];
/// A litre at 0 °C and 101.325 kPa, mol.
const PER_LITRE: f64 = 1.0 / 22.414;
/// Water over water at 20 °C, kPa (W. Wagner and A. Pruss, J. Phys. Chem. Ref. Data 31 (2002) 387).
const VAPOUR_20: f64 = 2.339;

fn exact(value: f64) -> Json {
    json!({ "value": value, "error": 0.0 })
}

/// The culture at a kLa of oxygen: what it should take up of each gas by the cells' wish of 30 mmol O2/(L·h) and Henry's
/// constants at 30 °C worked out by hand (mol/(m³·Pa)): O2 1.3e-5·exp(1500·(1/303.15 − 1/298.15)) = 1.196e-5.
fn truth(kla: f64) -> [f64; 3] {
    let transfer = kla * 1.196e-5 * INLET[1] * 1.5e5;
    let oxygen = transfer.min(30.0);
    TOGETHER.map(|n| oxygen * n / TOGETHER[1])
}

/// Gas in dry per cent, gas out wet by partial pressure, 10 L of broth; `lost`: share of the hydrogen that leaks.
fn input(kla: f64, lost: f64) -> Json {
    let flow = 4.0 * 60.0 * PER_LITRE;
    let mut out: Vec<f64> = INLET.iter().zip(truth(kla)).map(|(y, u)| flow * y - 10.0 * u / 1000.0).collect();
    out[0] -= lost * flow * INLET[0];
    let inert = flow * (1.0 - INLET.iter().sum::<f64>());
    let all = out.iter().sum::<f64>() + inert;
    let percent = |y: f64| {
        let shown = json!({ "sort": "volume-percent", "reading": { "value": 100.0 * y, "error": 0.2 * y } });
        json!({ "shown": shown, "pressure_kpa": exact(101.325), "humidity": { "sort": "dry" } })
    };
    let partial = |moles: f64| {
        let kpa = moles / all * (110.0 - VAPOUR_20);
        json!({
            "shown": { "sort": "partial-pressure", "reading": { "value": kpa, "error": 0.002 * kpa } },
            "pressure_kpa": { "value": 110.0, "error": 0.05 },
            "humidity": { "sort": "wet", "relative": 1.0, "temperature_c": 20.0 },
        })
    };
    let wish = 30.0;
    let offer = |gas: &str, i: usize| {
        json!({
            "gas": gas, "kinetic_mmol_per_l_h": wish * TOGETHER[i] / TOGETHER[1],
            "partial_bar": 1.5 * INLET[i], "least_mmol_per_l": 0.0,
        })
    };
    json!({
        "flow": {
            "l_per_min": { "value": 4.0, "error": 0.02 }, "reference_c": 0.0, "reference_kpa": 101.325,
            "humidity": { "sort": "dry" },
        },
        "inlet": {
            "hydrogen": percent(INLET[0]), "oxygen": percent(INLET[1]), "carbon_dioxide": percent(INLET[2]),
            "inert": percent(1.0 - INLET.iter().sum::<f64>()),
        },
        "outlet": {
            "hydrogen": partial(out[0]), "oxygen": partial(out[1]), "carbon_dioxide": partial(out[2]), "inert": partial(inert),
        },
        "volume_l": { "value": 10.0, "error": 0.05 }, "electrons_per_carbon": ELECTRONS,
        "transfer": {
            "kla_oxygen_per_h": kla, "temperature_c": 30.0,
            "offers": [offer("hydrogen", 0), offer("oxygen", 1), offer("carbon-dioxide", 2)],
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn b09_uptake_is_limited_by_gas_transfer_when_it_should_be_and_the_gas_balance_closes() {
    let bench = Bench::new().await;
    // The cells wish for 30 mmol O2/(L·h): 200/h gives 14.4 of them, 1,000/h more than all.
    for (kla, limited) in [(200.0, "gas-transfer"), (1000.0, "cells")] {
        let answer = bench.run("culture gas-balance", input(kla, 0.0)).await;
        assert_eq!(answer["limited_by"], limited, "{kla}: {answer}");
        let truth = truth(kla);
        for (i, gas) in ["hydrogen", "oxygen", "carbon_dioxide"].into_iter().enumerate() {
            let found = &answer["rates"][gas];
            let (value, error) = (found["value"].as_f64().unwrap(), found["error"].as_f64().unwrap());
            assert!((value - truth[i]).abs() < 2.0 * error, "{kla} {gas}: {value} ± {error}, truth {}", truth[i]);
            assert!(error < 0.25 * truth[i], "{kla} {gas}: an error of {error} would hide anything");
            let drawn = answer["drawn"][i]["error"].as_f64().unwrap();
            assert!((drawn / error - 1.0).abs() < 0.1, "{gas}: {drawn} {error}");
            let expected = answer["against_transfer"][i]["expected_mmol_per_l_h"].as_f64().unwrap();
            assert!((expected / truth[i] - 1.0).abs() < 0.01, "{gas}: {expected} {}", truth[i]);
        }
        let gap = &answer["electron_gap"];
        assert!(gap["error"].as_f64().unwrap() < 0.25, "{gap}");
        assert_eq!((&answer["closes"], &answer["warnings"]), (&json!(true), &json!([])), "{answer}");
        assert!(bilingual(&answer["rates"]["basis"]));
    }
    // Hydrogen that leaks is not taken up: the electrons tell.
    let leak = bench.run("culture gas-balance", input(200.0, 0.06)).await;
    assert_eq!(leak["closes"], false, "{leak}");
    // A kLa that could not have given what was measured is named.
    let mut wrong = input(1000.0, 0.0);
    wrong["transfer"]["kla_oxygen_per_h"] = json!(100.0);
    let wrong = bench.run("culture gas-balance", wrong).await;
    assert!(wrong["against_transfer"][1]["possible"] == false && !wrong["warnings"].as_array().unwrap().is_empty(), "{wrong}");
    // Without nitrogen nothing tells the flow out.
    let mut pure = input(200.0, 0.0);
    pure["inlet"]["inert"] = json!(null);
    assert_eq!(bench.refusal("culture gas-balance", pure).await.code(), "E-GAS-003");
}

#[tokio::test(flavor = "multi_thread")]
async fn b10_an_explosive_mix_is_blocked_and_guidance_is_shared_while_device_design_stays_private() {
    let bench = Bench::new().await;
    bench.commons().await;
    for member in ["ORG-A", "ORG-B"] {
        bench.member(member).await;
    }
    // Guidance: published once by the platform, seen by all projects with value, unit and source.
    bench.run("culture gas-safety", json!({ "publish": true })).await;
    let rules = bench.list("safety-rule").await;
    assert!(!rules.is_empty());
    // A device of one project, with its design.
    let device =
        json!({ "name": "ガス発酵槽 3号", "sort": "stirred-tank", "volume_total_l": 3.0, "notes": "himitsu: 散気板の配置" });
    bench.run_as("ORG-A-steward", "record put", json!({ "kind": "vessel", "id": "V-3", "fields": device })).await;
    for user in ["ORG-A-ken", "ORG-B-ken"] {
        // The same mix is blocked for everybody, with the reason and a mix that would do.
        let mix = json!({ "mixture": { "hydrogen": 0.3, "oxygen": 0.15, "nitrogen": 0.55 } });
        let judged = bench.run_as(user, "culture gas-safety", mix).await;
        assert_eq!((&judged["permitted"], &judged["standing"]), (&json!(false), &json!("inside")), "{judged}");
        assert!(bilingual(&judged["reason"]) && judged["safe"].is_object());
        let told = bench.run_as(user, "record list", json!({ "kind": "safety-rule", "limit": 100 })).await;
        let told = told["records"].as_array().unwrap();
        assert_eq!(told.len(), rules.len(), "{user}");
        assert!(told.iter().all(|r| ["amount", "unit", "source"].iter().all(|f| !r["fields"][f].is_null())));
    }
    let own = bench.run_as("ORG-A-ken", "record get", json!({ "kind": "vessel", "id": "V-3" })).await;
    assert!(own.to_string().contains("himitsu"));
    for user in ["ORG-B-ken", "unei", "somebody"] {
        assert_eq!(bench.refusal_as(user, "record get", json!({ "kind": "vessel", "id": "V-3" })).await.code(), "E-GATE-001");
        let listed = bench.run_as(user, "record list", json!({ "kind": "vessel", "limit": 100 })).await;
        let queried = bench.run_as(user, "sql query", json!({ "query": "SELECT * FROM vessel" })).await;
        let found = bench.run_as(user, "search query", json!({ "text": "散気板" })).await;
        for told in [listed, queried, found] {
            assert!(!told.to_string().contains("himitsu"), "{user}: {told}");
        }
    }
    // A house may be stricter for itself; that binds itself, and the guidance of others stays as it was.
    let first = rules[0]["id"].as_str().unwrap();
    assert_eq!(
        bench
            .refusal_as("ORG-A-steward", "record put", json!({ "kind": "safety-rule", "id": first, "fields": { "note": "x" } }))
            .await
            .code(),
        "E-GATE-001",
        "shared guidance is changed by who keeps it"
    );
    bench.is_sound().await;
}
