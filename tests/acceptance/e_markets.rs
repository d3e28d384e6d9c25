//! E: life-cycle assessment, market creation, demand, feedstock.

use crate::bench::{Bench, bilingual, numbers, texts};
use serde_json::json;

#[tokio::test]
async fn e12_feedstock_classes_are_ranked_by_their_marks() {
    let bench = Bench::with_tables(&[("feedstock-class", "feedstock.csv")]).await;
    let answer = bench.run("feedstock rank", json!({})).await;
    let classes = answer["classes"].as_array().unwrap();
    assert_eq!(classes.len(), 4);
    assert!(bilingual(&answer["rule"]) && answer["rule"]["ja"].as_str().unwrap().contains("◎3"));
    let marks: Vec<(&str, &str, &str)> = classes
        .iter()
        .map(|c| {
            (c["id"].as_str().unwrap(), c["availability"]["mark"].as_str().unwrap(), c["quantity"]["mark"].as_str().unwrap())
        })
        .collect();
    assert_eq!(marks, [("FS1", "◎", "○"), ("FS2", "○", "△"), ("FS3", "△", "○"), ("FS4", "△", "△")]);
    assert_eq!(numbers(&answer["classes"], "score"), [5.0, 3.0, 3.0, 2.0]);
    assert_eq!(numbers(&answer["classes"], "rank"), [1.0, 2.0, 3.0, 4.0]);
    // The order follows the marks: a class never stands above one whose marks are all at least as good.
    let worth =
        |c: &serde_json::Value| (c["availability"]["points"].as_i64().unwrap(), c["quantity"]["points"].as_i64().unwrap());
    for (i, above) in classes.iter().enumerate() {
        for below in &classes[i + 1..] {
            let (a, b) = (worth(above), worth(below));
            assert!(!(b.0 >= a.0 && b.1 >= a.1 && b != a), "{below} stands below {above}");
        }
    }
    // A better mark moves a class up.
    bench.put("feedstock-class", "FS4", json!({ "availability_mark": "◎", "quantity_mark": "◎" })).await;
    let moved = bench.run("feedstock rank", json!({})).await;
    assert_eq!(texts(&moved["classes"], "id"), ["FS4", "FS1", "FS2", "FS3"]);
}

#[tokio::test]
async fn e19_market_totals_rest_on_140_yen_and_a_product_is_placed_with_reasons() {
    let bench = Bench::with_tables(&[("market-size", "market_size.csv")]).await;
    let sizes = bench.run("market size", json!({})).await;
    assert_eq!((&sizes["exchange_rate"]["value"], &sizes["exchange_rate"]["unit"]["en"]), (&json!(140.0), &json!("JPY per USD")));
    assert_eq!(numbers(&sizes["totals"], "value"), [46.2, 114.8]);
    assert_eq!(texts(&sizes["totals"], "year"), ["2030", "2040"]);
    assert!(sizes["totals"].as_array().unwrap().iter().all(|t| t["unit"]["en"] == "trillion yen" && t["unit"]["ja"] == "兆円"));
    // 46.2 x 10^12 yen / 140 = 330 x 10^9 dollars.
    assert_eq!(numbers(&sizes["totals"], "value_billion_usd"), [330.0, 820.0]);
    assert!(
        sizes["others"].as_array().unwrap().iter().all(|o| o["value_billion_usd"].is_null()),
        "targets rest on no stated rate"
    );

    let dear = bench.run("market step", json!({ "price": 12_000, "volume": 50, "name": "香料" })).await;
    assert_eq!((&dear["step"], &dear["number"]), (&json!("high-value"), &json!(1)));
    assert_eq!(texts(&dear["reasons"], "criterion"), ["price", "volume"]);
    assert!(dear["reasons"].as_array().unwrap().iter().all(|r| bilingual(&r["text"]) && bilingual(&r["unit"])));
    assert!(dear["reasons"][0]["text"]["ja"].as_str().unwrap().contains("12000 円/kg"), "{dear}");
    bench.put("product", "PRD-1", json!({ "name": "バイオプラスチック", "name_en": "Bioplastic" })).await;
    let cheap = bench
        .run(
            "market step",
            json!({ "price": 300_000, "price_unit": "円/t", "volume": 40_000, "volume_unit": "t/年", "product": "PRD-1" }),
        )
        .await;
    assert_eq!(
        (&cheap["step"], &cheap["name"]["en"], &cheap["reasons"][0]["value"]),
        (&json!("bulk"), &json!("Bioplastic"), &json!(300.0))
    );
    // The limits are inputs, and whose they are is said.
    let own = bench.run("market step", json!({ "price": 12_000, "volume": 50, "high_value_from_yen_per_kg": 20_000 })).await;
    assert_eq!(own["step"], "middle");
    assert_ne!(own["limits_from"], dear["limits_from"]);
    let wrong = bench.refusal("market step", json!({ "price": 3, "price_unit": "円/L", "volume": 50 })).await;
    assert_eq!(wrong.fault().place.as_ref().unwrap().field.as_deref(), Some("price_unit"));
}
