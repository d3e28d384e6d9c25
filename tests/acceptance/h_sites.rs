//! H: dual-use sites, supply of parts, manufacture of biologics.

use crate::bench::{Bench, bilingual, numbers, texts};
use serde_json::json;

#[tokio::test]
async fn h01_dual_use_sites_are_registered_one_by_one_with_readiness_and_due_date() {
    let bench = Bench::with_tables(&[("facility", "facilities.csv")]).await;
    let register = bench.run("site register", json!({})).await;
    assert_eq!(numbers(&register["classes"], "sites"), [8.0, 4.0, 4.0, 18.0]);
    assert_eq!(
        (&register["total"], &register["total_printed"], &register["unit"]["ja"]),
        (&json!(34), &json!(34), &json!("拠点"))
    );
    let sites = register["sites"].as_array().unwrap();
    assert_eq!(sites.len(), 34);
    // The papers state no readiness of a single site, and say the due year with the total.
    for site in sites {
        assert_eq!((&site["readiness"]["ja"], &site["readiness"]["en"]), (&json!("記載なし"), &json!("not stated")));
        assert_eq!((&site["due"], &site["due_from"]), (&json!("2028"), &json!("FA17")));
        assert!(bilingual(&site["name"]));
    }
    assert_eq!(register["warnings"], json!([]));
    // A site that was entered shows its own readiness and due date; the count of its class stays.
    bench.put("site", "SITE-1", json!({ "name_ja": "試験拠点", "facility": "FA13", "readiness": "building", "due": "2027-03", "evidence": "現地確認" })).await;
    let register = bench.run("site register", json!({})).await;
    let site = register["sites"].as_array().unwrap().iter().find(|s| s["id"] == "SITE-1").unwrap();
    assert_eq!(
        (&site["readiness"]["ja"], &site["due"], &site["due_from"]),
        (&json!("建設中"), &json!("2027-03"), &json!("SITE-1"))
    );
    assert_eq!((&register["total"], &register["classes"][0]["readiness_known"]), (&json!(34), &json!(1)));
    assert_eq!(register["sites"].as_array().unwrap().len(), 34);
    // A count that no longer fits the printed total is flagged.
    bench.put("facility", "FA16", json!({ "count": 17 })).await;
    let off = bench.run("site register", json!({})).await;
    assert_eq!((&off["total"], texts(&off["warnings"], "code")), (&json!(33), vec!["W-SUM-001".to_owned()]));
}

#[tokio::test]
async fn h04_parts_are_listed_by_step_and_items_without_a_domestic_maker_are_shown() {
    let bench = Bench::new().await;
    assert_eq!(bench.table("supplier", "suppliers.csv").await["rows"], 23);
    let parts = bench.run("parts list", json!({})).await;
    assert_eq!((&parts["rows"], parts["steps"].as_array().unwrap().len()), (&json!(23), 6));
    assert_eq!(numbers(&parts["steps"], "rows"), [6.0, 9.0, 3.0, 2.0, 1.0, 2.0]);
    assert!(parts["steps"].as_array().unwrap().iter().all(|s| bilingual(&s["step"])));
    assert_eq!(parts["without_maker"], json!([]));
    bench
        .put(
            "supplier",
            "SU24",
            json!({ "process_step_ja": "精製", "process_step_en": "purification", "group_ja": "精製の消耗品", "item_ja": "限外ろ過膜", "item_en": "ultrafiltration membrane",
                    "source": "社内調査", "section": "部素材", "line": 1 }),
        )
        .await;
    let shown = bench.run("parts list", json!({ "without_maker": true })).await;
    assert_eq!(shown["without_maker"][0]["item"], json!({ "ja": "限外ろ過膜", "en": "ultrafiltration membrane" }));
    assert_eq!((&shown["rows"], texts(&shown["without_maker"][0]["evidence"], "record")), (&json!(1), vec!["SU24".to_owned()]));
    // With a maker it is on the list no more.
    bench.put("supplier", "SU24", json!({ "company": "試験製膜" })).await;
    assert_eq!(bench.run("parts list", json!({ "step": "purification" })).await["without_maker"], json!([]));
    let unknown = bench.refusal("parts list", json!({ "step": "包装" })).await;
    assert_eq!(unknown.fault().place.as_ref().unwrap().field.as_deref(), Some("step"));
}
