//! G: the drug venture ecosystem.

use crate::bench::{Bench, numbers};
use serde_json::json;

#[tokio::test]
async fn g03_venture_calls_show_cases_money_and_adoptions() {
    let bench = Bench::with_tables(&[("funding-call", "funding_calls.csv"), ("vc-and-venture", "vc_and_ventures.csv")]).await;
    let answer = bench.run("venture calls", json!({})).await;
    assert_eq!(numbers(&answer["calls"], "call"), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(numbers(&answer["calls"], "applied"), [8.0, 9.0, 8.0, 13.0]);
    assert_eq!(numbers(&answer["calls"], "proposed_oku_yen"), [260.0, 380.0, 560.0, 650.0]);
    assert_eq!(numbers(&answer["calls"], "adopted"), [2.0, 3.0, 6.0, 8.0]);
    assert_eq!((&answer["case_unit"]["ja"], &answer["money_unit"]["ja"]), (&json!("件"), &json!("億円")));
    assert_eq!(numbers(&answer["calls"], "proposed_per_case_oku_yen"), [32.5, 42.2, 70.0, 50.0]);
    assert_eq!(
        (&answer["applied_total"], &answer["adopted_total"], &answer["proposed_grows"]),
        (&json!(38), &json!(19), &json!(true))
    );
    // The register of ventures, another table, names as many.
    assert_eq!(numbers(&answer["calls"], "ventures_named"), [2.0, 3.0, 6.0, 8.0]);
    let unknown = bench.refusal("venture calls", json!({ "programme": "NONE" })).await;
    assert_eq!(unknown.fault().place.as_ref().unwrap().field.as_deref(), Some("programme"));
}
