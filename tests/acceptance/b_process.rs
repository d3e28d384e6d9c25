//! B: culture, process development and scale-up.

use crate::bench::{Bench, bilingual, numbers};
use serde_json::json;

#[tokio::test]
async fn b15_foundry_demand_is_reproduced_with_its_flaw_and_the_unmet_part() {
    let bench = Bench::new().await;
    let report = bench.table("foundry-demand", "foundry_demand.csv").await;
    assert_eq!(report["rows"], 65);
    let answer = bench.run("foundry demand", json!({ "snapshot": "August 2024" })).await;
    let [august] = answer["snapshots"].as_array().unwrap().as_slice() else { panic!("one snapshot: {answer}") };
    assert_eq!(numbers(&august["stages"], "count"), [7.0, 14.0, 8.0, 11.0, 18.0]);
    assert_eq!(numbers(&august["inquiries"], "count"), [20.0, 5.0, 24.0]);
    assert!(august["stages"].as_array().unwrap().iter().all(|s| bilingual(&s["stage"]) && s["unit"]["ja"] == "件"));
    // The sectors of the 14 sum to 13; no other stage of this snapshot is flagged.
    assert_eq!(numbers(&august["stages"], "sectors_sum"), [7.0, 13.0, 8.0, 11.0, 18.0]);
    let [flaw] = august["inconsistencies"].as_array().unwrap().as_slice() else { panic!("one flaw: {august}") };
    assert_eq!(flaw["place"]["field"], "FD35");
    assert!(
        flaw["message"]["en"].as_str().unwrap().contains("14") && flaw["message"]["en"].as_str().unwrap().contains("13"),
        "{flaw}"
    );
    assert!(flaw["message"]["ja"].as_str().unwrap().contains("13"));
    // Unmet: planned 8, wished 11, interested 18, and all inquiries; the 7 and 14 are served.
    assert_eq!(august["served"], 21);
    assert_eq!((&august["unmet"]["requests"], &august["unmet"]["inquiries"]), (&json!(37), &json!(49)));
    assert_eq!(numbers(&august["unmet"]["by_stage"], "count"), [8.0, 11.0, 18.0]);
    assert_eq!(numbers(&august["unmet"]["by_sector"], "count").iter().sum::<f64>(), 37.0);
    assert!(bilingual(&answer["rule"]));
    // The table is read, not remembered: one more wish changes the answer.
    bench.put("foundry-demand", "FD46", json!({ "count": 12 })).await;
    let later = bench.run("foundry demand", json!({ "snapshot": "August 2024" })).await;
    assert_eq!(later["snapshots"][0]["unmet"]["requests"], 38);
    assert_eq!(later["snapshots"][0]["inconsistencies"].as_array().unwrap().len(), 2);
}
