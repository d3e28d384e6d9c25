//! F: programmes, budgets, policy.

use crate::bench::{Bench, bilingual, numbers, places, seed, texts};
use serde_json::{Value as Json, json};

#[tokio::test]
async fn f01_every_response_of_the_road_map_shows_issue_owner_status_and_evidence() {
    let bench = Bench::new().await;
    assert_eq!(bench.table("measure", "measures.csv").await["rows"], 53);
    let answer = bench.run("measure track", json!({})).await;
    assert_eq!(answer["total"], 53);
    assert_eq!(numbers(&answer["areas"], "number"), [1.0, 2.0, 3.0]);
    assert_eq!(numbers(&answer["areas"], "responses"), [23.0, 22.0, 8.0]);
    let responses = answer["responses"].as_array().unwrap();
    for response in responses {
        for field in ["issue", "owner", "status", "response", "measure"] {
            assert!(bilingual(&response[field]), "{field} of {response}");
        }
        let evidence = &response["evidence"];
        assert!(evidence["source"].is_string() && evidence["section"].is_string() && evidence["line"].is_i64(), "{response}");
    }
    // The paper names an owner for thirteen responses and nobody for forty.
    let unowned: Vec<&Json> = responses.iter().filter(|r| r["owner_stated"] == false).collect();
    assert_eq!(unowned.len(), 40);
    assert!(unowned.iter().all(|r| r["owner"] == json!({ "ja": "記載なし", "en": "not stated" })));
    assert_eq!(responses.iter().find(|r| r["id"] == "MS002").unwrap()["owner"]["ja"], "NITE");
    assert_eq!(bench.run("measure track", json!({ "area": 3 })).await["total"], 8);
    let unknown = bench.refusal("measure track", json!({ "area": 9 })).await;
    assert_eq!(unknown.fault().place.as_ref().unwrap().field.as_deref(), Some("area"));
}

fn kpi(more: Json) -> Json {
    let mut kpi = json!({ "programme_id": ["BIOREV"], "target_ja": "生産濃度", "target_en": "Titre", "metric": "titre", "comparator": ">=", "value": 50,
                          "unit": "g/L", "due": "FY2028", "kind": "target", "source": "計画書", "section": "KPI", "line": 1 });
    kpi.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    kpi
}

#[tokio::test]
async fn f03_a_project_does_not_start_with_a_kpi_that_lacks_unit_or_due_date() {
    let bench = Bench::new().await;
    // A KPI without any unit does not even enter the store.
    let bare = bench.refusal("record put", json!({ "kind": "kpi", "id": "K-0", "fields": kpi(json!({ "unit": "" })) })).await;
    assert_eq!(places(&bare), ["«unit»"]);
    bench.put("kpi", "K-1", kpi(json!({ "due": null }))).await;
    bench.put("kpi", "K-2", kpi(json!({ "unit": "未定", "target_ja": "原価" }))).await;
    bench.put("kpi", "K-3", kpi(json!({}))).await;
    bench.put("project", "PRJ-1", json!({ "name": "試験課題", "state": "planned", "kpis": ["K-1", "K-2", "K-3"] })).await;

    let refused = bench.refusal("project start", json!({ "id": "PRJ-1" })).await;
    assert_eq!(places(&refused), ["«kpi/K-1/due»", "«kpi/K-2/unit»"]);
    // There is no way around it: neither by hand nor by a table.
    let by_hand =
        bench.refusal("record put", json!({ "kind": "project", "id": "PRJ-1", "fields": { "state": "started" } })).await;
    assert_eq!(places(&by_hand), ["«kpi/K-1/due»", "«kpi/K-2/unit»"]);
    let table = bench.file("projects.csv", "id,name,state,kpis\nPRJ-2,別の課題,started,K-3; K-1\n");
    let by_table = bench.refusal("record import", json!({ "kind": "project", "path": table })).await;
    assert_eq!(by_table.code(), "E-PROJECT-001");
    bench.put("project", "PRJ-3", json!({ "name": "目標なし", "state": "planned" })).await;
    assert_eq!(places(&bench.refusal("project start", json!({ "id": "PRJ-3" })).await), ["«project/PRJ-3/kpis»"]);
    assert_eq!(bench.get("project", "PRJ-1").await["fields"]["state"], "planned");

    bench.put("kpi", "K-1", json!({ "due": "早期に" })).await;
    bench.put("kpi", "K-2", json!({ "unit": "JPY/kg" })).await;
    assert_eq!(places(&bench.refusal("project start", json!({ "id": "PRJ-1" })).await), ["«kpi/K-1/due»"]);
    bench.put("kpi", "K-1", json!({ "due": "2028-03-31" })).await;
    let started = bench.run("project start", json!({ "id": "PRJ-1", "reason": "KPI 承認済み" })).await;
    assert_eq!(
        (&started["start"], texts(&started["kpis"], "unit")),
        (&json!("2026-11-24"), vec!["g/L".into(), "JPY/kg".into(), "g/L".into()])
    );
    assert_eq!(bench.get("project", "PRJ-1").await["fields"]["state"], "started");
    let history = bench.run("record history", json!({ "kind": "project", "id": "PRJ-1" })).await;
    assert_eq!(
        (&history["versions"][0]["operation"], &history["versions"][0]["reason"]),
        (&json!("project start"), &json!("KPI 承認済み"))
    );
    assert_eq!(bench.run("project start", json!({ "id": "PRJ-1" })).await["changed"], false);
}

#[tokio::test]
async fn f04_call_totals_reproduce_and_the_adoption_list_exports() {
    let bench = Bench::with_tables(&[("funding-call", "funding_calls.csv"), ("adopted-project", "adopted_projects.csv")]).await;
    let output = bench.output("call totals", json!({ "programme": "BIOREV", "call": 1, "adoption_list": true })).await;
    let stages = &output.json["calls"][0]["stages"];
    assert_eq!(
        texts(&json!(stages.as_array().unwrap().iter().map(|s| s["stage"].clone()).collect::<Vec<_>>()), "en"),
        ["proposed", "adopted"]
    );
    assert_eq!(numbers(stages, "state_share_oku_yen"), [1454.0, 297.0]);
    assert_eq!(numbers(stages, "project_total_oku_yen"), [2424.0, 624.0]);
    assert_eq!(
        (&stages[1]["cases"], &output.json["money_unit"]["ja"], &output.json["case_unit"]["ja"]),
        (&json!(6), &json!("億円"), &json!("件"))
    );
    assert_eq!(output.json["calls"][0]["adopted_share_percent"], 20.4);
    // Over both calls, with what is not printed counted and not guessed.
    let both = bench.run("call totals", json!({ "programme": "BIOREV" })).await;
    let total = |stage: &str| both["totals"].as_array().unwrap().iter().find(|t| t["stage"]["en"] == stage).unwrap().clone();
    assert_eq!(
        (&total("proposed")["state_share_oku_yen"], &total("proposed")["cases"], &total("proposed")["cases_missing"]),
        (&json!(3830.0), &Json::Null, &json!(2))
    );
    assert_eq!((&total("adopted")["state_share_oku_yen"], &total("adopted")["cases"]), (&json!(1797.0), &json!(14)));

    // The list: the same columns and texts as the table it came from.
    let all = bench.output("call totals", json!({ "adoption_list": true })).await;
    let file = all.attachment.unwrap();
    assert_eq!((file.name.as_str(), file.media_type), ("adopted-projects.csv", "text/csv; charset=utf-8"));
    let read = |bytes: &[u8]| csv::Reader::from_reader(bytes).into_records().map(Result::unwrap).collect::<Vec<_>>();
    let exported = read(&file.bytes);
    assert_eq!(exported.len(), 18);
    assert_eq!(exported, read(&std::fs::read(seed("adopted_projects.csv")).unwrap()));
    // A project of calls 1 and 2 stands in both lists.
    let listed = texts(&output.json["adopted"], "call");
    assert_eq!((listed.len(), listed.iter().filter(|c| *c == "1-2").count()), (7, 1));
}

#[tokio::test]
async fn f05_budget_sums_leave_out_item_requests_and_components_and_show_rounding() {
    let bench = Bench::new().await;
    assert_eq!(bench.table("programme", "programmes.csv").await["rows"], 85);
    let budget = bench.run("budget track", json!({})).await;
    assert_eq!((&budget["fiscal_year"], &budget["unit"]["ja"]), (&json!("FY2026"), &json!("億円")));
    let requests = budget["requests"].as_array().unwrap();
    let line = |programme: &str| requests.iter().find(|l| l["programme"] == programme).unwrap();
    // Item requests stay without a number.
    let items: Vec<&Json> = requests.iter().filter(|l| l["item_request"] == true).collect();
    assert_eq!(items.iter().map(|l| l["programme"].as_str().unwrap()).collect::<Vec<_>>(), ["IMPLFUND", "GENERICFUND"]);
    for item in items {
        assert!(
            item["headline_oku_yen"].is_null()
                && item["detail_oku_yen"].is_null()
                && item["rounding_difference_oku_yen"].is_null()
        );
        assert_eq!(item["amount"], json!({ "ja": "事項要求（金額なし）", "en": "item request, no amount" }));
    }
    // The sums, worked out by hand from the table: 24 headlines; the components of 93 and 19 and the 113 (内数) are in none.
    assert_eq!(
        texts(&json!(budget["sums"].as_array().unwrap().iter().map(|s| s["ministry"].clone()).collect::<Vec<_>>()), "en"),
        ["MHLW", "CAO (AMED)", "MEXT", "METI"]
    );
    assert_eq!(numbers(&budget["sums"], "headline_oku_yen"), [59.0, 5.0, 656.0, 117.0]);
    assert_eq!(
        (&budget["total"]["headline_oku_yen"], &budget["total"]["lines"], &budget["total"]["item_requests"]),
        (&json!(837.0), &json!(24), &json!(2))
    );
    let excluded = texts(&budget["excluded"], "programme");
    assert_eq!(excluded, ["BIOBANK-PF", "TMM", "BBJ", "GENERATIONS", "ASPIRE"]);
    assert!(budget["excluded"].as_array().unwrap().iter().all(|e| bilingual(&e["reason"]) && e["evidence"]["line"].is_i64()));
    assert_eq!(budget["components"][0]["parent"], "BIOBANK");
    assert_eq!(numbers(&budget["components"], "sum_oku_yen"), [93.0, 10.0]);
    assert_eq!(numbers(&budget["components"], "remainder_oku_yen"), [0.0, 9.0]);
    // Rounding: 61 in the headline is 60.5 on the sheet, and so on for six programmes.
    assert_eq!(line("NEXTDRUG")["rounding_difference_oku_yen"], 0.5);
    assert_eq!(line("DRUGBASE")["rounding_difference_oku_yen"], -0.2);
    assert_eq!(requests.iter().filter(|l| !l["rounding_difference_oku_yen"].is_null()).count(), 6);
    assert_eq!(numbers(&budget["sums"], "rounding_difference_oku_yen"), [0.69, 0.0, 0.0, 0.8]);
    assert_eq!(
        (&budget["total"]["exact_oku_yen"], &budget["total"]["rounding_difference_oku_yen"]),
        (&json!(835.51), &json!(1.49))
    );
    assert!(bilingual(&budget["rule"]));
    // A number that slips into an item request is named and stays out of the sum.
    bench.put("programme", "PG001", json!({ "amount_oku_yen": 100 })).await;
    let slipped = bench.run("budget track", json!({})).await;
    assert_eq!(
        (&slipped["total"]["headline_oku_yen"], &slipped["warnings"][0]["place"]["field"]),
        (&json!(837.0), &json!("programme/PG001/amount_oku_yen"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f06_six_cooperative_topics_exist_with_owner_members_and_outputs() {
    let bench = Bench::new().await;
    bench.commons().await;
    for member in ["ORG-A", "ORG-B"] {
        bench.member(member).await;
    }
    bench.applicant("ORG-SOTO").await;
    let topics = [
        ("T-1", "CO2吸収の評価・測定方法", "Measuring CO2 uptake"),
        ("T-2", "ガス発酵の安全基準", "Safety of gas fermentation"),
        ("T-3", "LCA手法の開発と標準化", "Method and standard of LCA"),
        ("T-4", "菌株・データの共有", "Sharing of strains and data"),
        ("T-5", "計測データの標準", "Standards of measured data"),
        ("T-6", "人材育成", "Training of people"),
    ];
    for (id, title, title_en) in topics {
        let fields = json!({ "title": title, "title_en": title_en, "lead": "ORG-A", "members": ["ORG-A", "ORG-B"],
                             "outputs": [format!("{title}の指針")] });
        bench.put("cooperation-topic", id, fields).await;
    }
    let set = json!({ "id": "DS-1", "title": "測定の比較", "area": "cooperative", "topic": "T-1" });
    bench.run_as("ORG-A-kanri", "commons share", set).await;
    for user in ["ORG-B-ken", "unei", "ORG-SOTO-ken"] {
        let told = bench.run_as(user, "commons topics", json!({})).await;
        let told = told["topics"].as_array().unwrap();
        assert_eq!(told.len(), 6, "{user}");
        for topic in told {
            assert!(bilingual(&topic["title"]) && topic["title"]["ja"] != topic["title"]["en"]);
            assert_eq!((&topic["lead"], &topic["members"]), (&json!("ORG-A"), &json!(["ORG-A", "ORG-B"])));
            assert_eq!((topic["outputs"].as_array().unwrap().len(), &topic["missing"]), (1, &json!([])), "{topic}");
        }
        assert_eq!(told[0]["data_sets"], json!(["DS-1"]));
    }
    // A topic without output, or led by somebody who is no member, is none yet, and says why.
    let fields =
        json!({ "title": "未着手", "title_en": "Not begun", "lead": "ORG-SOTO", "members": ["ORG-SOTO"], "outputs": [] });
    let refused = bench.refusal("record put", json!({ "kind": "cooperation-topic", "id": "T-7", "fields": fields })).await;
    assert_eq!(refused.code(), "E-RECORD-001", "a topic needs an output");
    let fields =
        json!({ "title": "未着手", "title_en": "Not begun", "lead": "ORG-SOTO", "members": ["ORG-SOTO"], "outputs": ["計画"] });
    bench.put("cooperation-topic", "T-7", fields).await;
    let told = bench.run("commons topics", json!({})).await;
    assert_eq!(told["topics"][6]["missing"].as_array().unwrap().len(), 2, "{told}");
}
