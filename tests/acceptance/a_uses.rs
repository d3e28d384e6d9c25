//! A: uses under the agreement that is meant, what stands of them, and what is owed to an owner.

use crate::bench::{Bench, bilingual, field};
use serde_json::{Value as Json, json};

/// ORG-A shares a strain; ORG-B and ORG-C are members; two agreements reach ORG-B, of which the second by identifier asks
/// for less.
async fn house() -> Bench {
    let bench = Bench::new().await;
    bench.commons().await;
    for member in ["ORG-A", "ORG-B", "ORG-C"] {
        bench.member(member).await;
    }
    let strain = json!({ "kind": "strain", "id": "S-1", "fields": { "name": "S-1", "taxon_name": "Aspergillus oryzae" } });
    bench.run_as("ORG-A-steward", "record put", strain).await;
    let set = json!({ "id": "DS-1", "title": "麹菌", "area": "cooperative", "strains": ["S-1"], "units": 2 });
    bench.run_as("ORG-A-kanri", "commons share", set).await;
    let much = json!({ "feedback_units": 5, "feedback_days": 30, "patent_notice_days": 10 });
    bench.agreement("AG-1", &["ORG-A", "ORG-B"], &["DS-1"], much).await;
    bench.agreement("AG-2", &["ORG-A", "ORG-B"], &["DS-1"], json!({ "feedback_units": 1, "feedback_days": 60 })).await;
    bench
}

async fn listed(bench: &Bench, user: &str, set: &str) -> Json {
    let catalogue = bench.run_as(user, "commons catalogue", json!({})).await;
    catalogue["data_sets"].as_array().unwrap().iter().find(|d| d["id"] == set).unwrap_or_else(|| panic!("{catalogue}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_a_use_is_booked_under_the_agreement_that_is_named() {
    let bench = house().await;
    let reads = json!({ "kind": "strain", "id": "S-1" });
    // Whose it is and whether it may be used now is said, with what each agreement brings.
    let own = listed(&bench, "ORG-A-ken", "DS-1").await;
    assert_eq!((&own["own"], &own["usable"], &own["under"]), (&json!(true), &json!(true), &json!([])), "{own}");
    let others = listed(&bench, "ORG-C-ken", "DS-1").await;
    assert_eq!((&others["own"], &others["usable"], &others["under"]), (&json!(false), &json!(false), &json!([])));
    let before = listed(&bench, "ORG-B-ken", "DS-1").await;
    assert_eq!((&before["own"], &before["usable"]), (&json!(false), &json!(false)), "{before}");
    let told: Vec<(&str, u64, bool)> = before["under"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| (u["agreement"].as_str().unwrap(), u["units"].as_u64().unwrap(), u["registered"].as_bool().unwrap()))
        .collect();
    assert_eq!(told, [("AG-1", 5, false), ("AG-2", 1, false)]);

    // One that does not count, or of others, is none; one that permits something else is refused with its clause.
    let take = |agreement: &str, purpose: &str| json!({ "data_set": "DS-1", "purpose": purpose, "agreement": agreement });
    let nowhere = bench.refusal_as("ORG-B-ken", "commons use", take("AG-9", "research")).await;
    assert_eq!((nowhere.code(), field(&nowhere)), ("E-COMMONS-029", Some("agreement")));
    assert_eq!(bench.refusal_as("ORG-C-ken", "commons use", take("AG-2", "research")).await.code(), "E-COMMONS-029");
    assert_eq!(bench.refusal_as("ORG-B-ken", "commons use", take("AG-2", "production")).await.code(), "E-ACCESS-101");

    // Booked under the second: its duty, not that of the first, and it is enough to read.
    assert_eq!(bench.refusal_as("ORG-B-ken", "record get", reads.clone()).await.code(), "E-GATE-001");
    let used = bench.run_as("ORG-B-ken", "commons use", take("AG-2", "research")).await;
    assert_eq!((&used["agreement"], &used["units"], &used["known"]), (&json!("AG-2"), &json!(1), &json!(false)));
    bench.run_as("ORG-B-ken", "record get", reads).await;
    let after = listed(&bench, "ORG-B-ken", "DS-1").await;
    assert_eq!(
        (&after["usable"], &after["under"][0]["registered"], &after["under"][1]["registered"]),
        (&json!(true), &json!(false), &json!(true))
    );
    let reason = after["may"].as_array().unwrap().iter().find(|m| m["action"] == "read").unwrap()["reason"].clone();
    assert!(bilingual(&reason) && reason["en"].as_str().unwrap().contains("AG-2"), "{reason}");
    assert_eq!(bench.run_as("ORG-B-ken", "commons use", take("AG-2", "research")).await["known"], true);
    bench.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_uses_and_what_is_owed_are_told_to_both_sides_and_to_nobody_else() {
    let bench = house().await;
    let take = json!({ "data_set": "DS-1", "purpose": "research", "agreement": "AG-1" });
    let used = bench.run_as("ORG-B-ken", "commons use", take).await;
    let mine = bench.run_as("ORG-B-ken", "commons uses", json!({})).await;
    let one = &mine["used"][0];
    assert_eq!(
        [&one["data_set"], &one["title"], &one["owner"], &one["agreement"], &one["purpose"], &one["duty"]],
        [&json!("DS-1"), &json!("麹菌"), &json!("ORG-A"), &json!("AG-1"), &json!("research"), &used["duty"]]
    );
    assert_eq!((&one["owed"], &one["due"], &one["in_force"]), (&json!(5), &used["due"], &json!(true)));
    assert_eq!(mine["used_by_others"], json!([]));
    // The owner sees who used it under what, and what is owed to it; each side of the duty names the other.
    let theirs = bench.run_as("ORG-A-ken", "commons uses", json!({})).await;
    assert_eq!((&theirs["used"], &theirs["used_by_others"][0]["member"]), (&json!([]), &json!("ORG-B")));
    assert_eq!(theirs["used_by_others"][0]["at"], one["at"]);
    let owner = bench.run_as("ORG-A-ken", "commons account", json!({})).await;
    let taker = bench.run_as("ORG-B-ken", "commons account", json!({})).await;
    assert_eq!((&owner["duties"], &owner["owed_to"]), (&json!([]), &taker["duties"]), "{owner} {taker}");
    assert_eq!((&taker["owed_to"], &taker["duties"][0]["owner"]), (&json!([]), &json!("ORG-A")));
    // Under another agreement nothing was used; nobody asks about others but those who answer for the platform.
    assert_eq!(bench.run_as("ORG-B-ken", "commons uses", json!({ "agreement": "AG-2" })).await["used"], json!([]));
    let about = json!({ "organisation": "ORG-A" });
    for (user, what) in [("ORG-C-kanri", "commons uses"), ("ORG-B-kanri", "commons uses"), ("somebody", "commons uses")] {
        let refused = bench.refusal_as(user, what, about.clone()).await;
        assert_eq!(refused.category(), toji_core::Category::Denied, "{user} {refused:?}");
    }
    let third = bench.run_as("ORG-C-ken", "commons uses", json!({})).await;
    assert_eq!((&third["used"], &third["used_by_others"]), (&json!([]), &json!([])));
    assert_eq!(bench.run_as("unei", "commons uses", about).await["used_by_others"][0]["member"], "ORG-B");

    // Handed back and accepted: the use stays, the duty is met.
    let back = json!({ "id": "DS-BACK", "title": "還元", "area": "cooperative" });
    bench.run_as("ORG-B-kanri", "commons share", back).await;
    let given = json!({ "duty": used["duty"], "given": "DS-BACK", "units": 5, "title": "45 °C" });
    let handed = bench.run_as("ORG-B-kanri", "commons feedback", given).await;
    let accepted = json!({ "feedback": handed["feedback"], "reason": "確認" });
    bench.run_as("ORG-A-kanri", "commons accept", accepted).await;
    let then = bench.run_as("ORG-B-ken", "commons uses", json!({})).await;
    assert_eq!((&then["used"][0]["owed"], &then["used"][0]["units"]), (&json!(0), &json!(5)));
    assert_eq!(bench.run_as("ORG-A-ken", "commons account", json!({})).await["owed_to"], json!([]));
    bench.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_terms_are_looked_at_before_anybody_drafts_them() {
    let bench = house().await;
    let terms = |parties: &[&str], grants: &[&str]| {
        json!({ "title": "changed", "text": "条文", "parties": parties, "data_sets": ["DS-1"],
                "from": "2026-01-01T00:00:00Z", "until": "2031-04-01T00:00:00Z", "purposes": ["research"], "grants": grants })
    };
    let before = bench.run("commons agreement", json!({ "id": "AG-1" })).await;
    // AG-1 without training: AG-2 grants it too, so nothing is lost by that; without AG-2 it is.
    let narrower = json!({ "agreement": "AG-1", "terms": terms(&["ORG-A", "ORG-B"], &["read"]) });
    let same = bench.run_as("ORG-B-kanri", "commons preview", narrower.clone()).await;
    let trains = |preview: &Json| preview["lost"].as_array().unwrap().iter().any(|c| c["action"] == "train");
    assert_eq!((same["agreement"].as_str(), trains(&same), &same["own_only"]), (Some("AG-1"), false, &json!(false)), "{same}");
    let mut alone = narrower.clone();
    alone["without"] = json!("AG-2");
    let lost = bench.run_as("ORG-B-kanri", "commons preview", alone).await;
    assert!(trains(&lost), "{lost}");
    let case = lost["lost"].as_array().unwrap().iter().find(|c| c["action"] == "train").unwrap();
    assert!(case["who"].as_str().unwrap().starts_with("ORG-B-") && bilingual(&case["after_reason"]), "{case}");
    // Wider: whoever joins gains. It reaches beyond the parties of the agreement, so that only one's own is told.
    let wider = json!({ "agreement": "AG-1", "terms": terms(&["ORG-A", "ORG-B", "ORG-C"], &["read"]) });
    let gains = |preview: &Json| -> Vec<String> {
        preview["gained"].as_array().unwrap().iter().map(|c| c["organisation"].as_str().unwrap_or("-").to_owned()).collect()
    };
    let owner = bench.run_as("ORG-A-kanri", "commons preview", wider.clone()).await;
    assert!(gains(&owner).contains(&"ORG-C".to_owned()) && owner["own_only"] == true, "{owner}");
    let other = bench.run_as("ORG-B-kanri", "commons preview", wider.clone()).await;
    assert!(!gains(&other).contains(&"ORG-C".to_owned()), "what another gets of another's data is not told: {other}");
    // A new agreement, by one of its parties only; what contradicts itself is refused as a draft would be.
    let new = json!({ "terms": terms(&["ORG-A", "ORG-C"], &["read"]) });
    assert!(gains(&bench.run_as("ORG-C-kanri", "commons preview", new.clone()).await).contains(&"ORG-C".to_owned()));
    assert_eq!(bench.refusal_as("ORG-B-kanri", "commons preview", new.clone()).await.code(), "E-COMMONS-017");
    assert_eq!(bench.refusal_as("ORG-C-kanri", "commons preview", wider.clone()).await.category(), toji_core::Category::Denied);
    assert!(gains(&bench.run_as("unei", "commons preview", wider).await).contains(&"ORG-C".to_owned()));
    let mut wrong = new.clone();
    wrong["terms"]["until"] = json!("2020-01-01T00:00:00Z");
    assert_eq!(bench.refusal_as("ORG-C-kanri", "commons preview", wrong).await.code(), "E-AGREEMENT-001");
    // Looking changed nothing.
    assert_eq!(bench.run("commons agreement", json!({ "id": "AG-1" })).await, before);
    bench.is_sound().await;
}

/// Regression: a draft under the name of others' agreement, signed by its own parties, took the place of theirs and ended
/// it.
#[tokio::test(flavor = "multi_thread")]
async fn a03_safety_nobody_ends_the_agreement_of_others_by_a_draft_of_its_name() {
    let bench = house().await;
    bench.run_as("ORG-B-ken", "commons use", json!({ "data_set": "DS-1", "purpose": "research" })).await;
    let own = json!({ "id": "DS-C", "title": "c", "area": "cooperative" });
    bench.run_as("ORG-C-kanri", "commons share", own).await;
    let terms = |parties: &[&str], set: &str| {
        json!({ "title": "x", "text": "x", "parties": parties, "data_sets": [set], "from": "2026-01-01T00:00:00Z",
                "until": "2031-04-01T00:00:00Z", "purposes": ["research"], "grants": ["read"] })
    };
    let grab = json!({ "id": "AG-1", "terms": terms(&["ORG-C", "ORG-HOME"], "DS-C") });
    let refused = bench.refusal_as("ORG-C-kanri", "commons draft", grab).await;
    assert_eq!((refused.code(), field(&refused)), ("E-COMMONS-112", Some("id")));
    // Nor does a party leave another one out.
    let without = json!({ "id": "AG-1", "terms": terms(&["ORG-A", "ORG-C"], "DS-1") });
    let refused = bench.refusal_as("ORG-A-kanri", "commons draft", without.clone()).await;
    assert_eq!((refused.code(), field(&refused)), ("E-COMMONS-112", Some("parties")));
    assert_eq!(bench.refusal("commons draft", without).await.code(), "E-COMMONS-112");
    let more = json!({ "id": "AG-1", "terms": terms(&["ORG-A", "ORG-B", "ORG-C"], "DS-1") });
    assert_eq!(bench.run_as("ORG-A-kanri", "commons draft", more).await["version"], 2);
    bench.run_as("ORG-B-ken", "record get", json!({ "kind": "strain", "id": "S-1" })).await;
}
