//! Terms that come from elsewhere, what a use would bring, and where new data should stand.

use crate::bench::{Bench, bilingual, field};
use serde_json::{Value as Json, json};

async fn two() -> Bench {
    let bench = Bench::new().await;
    bench.commons().await;
    for member in ["ORG-A", "ORG-B"] {
        bench.member(member).await;
    }
    bench
}

async fn strain(bench: &Bench, organisation: &str, id: &str, fields: Json) {
    let put = json!({ "kind": "strain", "id": id, "fields": fields });
    bench.run_as(&format!("{organisation}-steward"), "record put", put).await;
}

async fn set(bench: &Bench, id: &str, area: &str, strains: &[&str], more: Json) {
    let mut input = json!({ "id": id, "title": id, "area": area, "strains": strains });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bench.run_as("ORG-A-kanri", "commons share", input).await;
}

/// Without what the import itself makes anew: identifier, version, state, signatures and the document.
fn terms(view: &Json) -> Json {
    let kept = ["parties", "data_sets", "from", "until", "purposes", "grants", "industrial_use", "patent_terms", "early_access"];
    let more = ["patent_notice_days", "countries", "feedback_units", "feedback_days"];
    kept.iter().chain(&more).map(|key| ((*key).to_owned(), view[*key].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agreement_writes_as_odrl_is_read_again_as_it_was() {
    let bench = two().await;
    strain(&bench, "ORG-A", "ST-1", json!({ "name": "one" })).await;
    strain(&bench, "ORG-A", "ST-2", json!({ "name": "two" })).await;
    set(&bench, "DS-1", "competitive", &["ST-1"], json!({})).await;
    set(&bench, "DS-2", "competitive", &["ST-2"], json!({})).await;
    let more = json!({ "grants": ["read", "export"], "early_access": ["ORG-B"], "feedback_units": 2, "feedback_days": 90,
                       "patent_notice_days": 30, "countries": ["JP"], "industrial_use": true, "purposes": ["research", "production"] });
    bench.agreement("AG-1", &["ORG-A", "ORG-B"], &["DS-1", "DS-2"], more).await;
    let shown = bench.run_as("ORG-A-kanri", "commons agreement", json!({ "id": "AG-1", "odrl": true })).await;
    let first = shown["agreements"][0].clone();
    assert_eq!((&first["patent_terms"], &first["patent_notice_days"]), (&json!("notice"), &json!(30)));
    let odrl = first["odrl"].clone();
    assert_eq!(odrl.as_array().unwrap().len(), 2, "one for each data set");

    let input = json!({ "id": "AG-2", "odrl": odrl, "latest_end": "2040-01-01T00:00:00Z" });
    let mut dry = input.clone();
    dry["dry_run"] = true.into();
    let told = bench.run_as("ORG-B-kanri", "commons import-agreement", dry).await;
    assert_eq!((terms(&told), &told["left_out"]), (terms(&first), &json!([])));
    let none = bench.run_as("ORG-B-kanri", "commons agreement", json!({})).await;
    assert_eq!(none["agreements"].as_array().unwrap().len(), 1, "a dry run keeps nothing");
    let kept = bench.run_as("ORG-B-kanri", "commons import-agreement", input).await;
    assert_eq!(terms(&kept["agreement"]), terms(&first));
    assert_eq!((&kept["agreement"]["state"], &kept["agreement"]["in_force"]), (&json!("draft"), &json!(false)), "nobody signed");
    // Of others than the parties it is nobody's to draft.
    bench.member("ORG-C").await;
    let theirs = json!({ "id": "AG-3", "odrl": odrl, "latest_end": "2040-01-01T00:00:00Z" });
    assert_eq!(bench.refusal_as("ORG-C-kanri", "commons import-agreement", theirs).await.code(), "E-COMMONS-017");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_in_a_policy_is_named_all_at_once_and_what_is_left_out_is_told() {
    let bench = two().await;
    strain(&bench, "ORG-A", "ST-1", json!({ "name": "one" })).await;
    set(&bench, "DS-1", "competitive", &["ST-1"], json!({})).await;
    let operand =
        |left: &str, operator: &str, right: &str| json!({ "leftOperand": left, "operator": operator, "rightOperand": right });
    let policy = |constraints: Vec<Json>| {
        json!({ "@context": "http://www.w3.org/ns/odrl.jsonld", "@type": "Offer", "uid": "urn:offer:7", "permission": [{
            "target": "urn:asset:koji", "assigner": "BPNL-A", "assignee": "BPNL-B", "action": "use", "constraint": constraints }] })
    };
    let known = [
        operand("cx-policy:UsagePurpose", "isAnyOf", "cx.pcf.base:1"),
        operand("cx-policy:DataUsageEndDate", "eq", "2028-01-01T00:00:00Z"),
        operand("cx-policy:Membership", "eq", "active"),
    ];
    let mut input = json!({
        "id": "AG-1", "odrl": policy(known.to_vec()), "latest_end": "2030-01-01T00:00:00Z",
        "organisations": { "BPNL-A": "ORG-A", "BPNL-B": "ORG-B" }, "data_sets": { "urn:asset:koji": "DS-1" },
        "purposes": { "cx.pcf.base:1": ["assessment"] }, "usage": ["read"], "met": ["Membership=active"],
    });
    let told = bench.run_as("ORG-A-kanri", "commons import-agreement", input.clone()).await;
    assert_eq!(
        (&told["purposes"], &told["grants"], &told["until"]),
        (&json!(["assessment"]), &json!(["read"]), &json!("2028-01-01T00:00:00Z"))
    );
    assert_eq!((&told["parties"], &told["data_sets"]), (&json!(["ORG-A", "ORG-B"]), &json!(["DS-1"])));
    assert_eq!(told["agreement"]["title"], "urn:offer:7");
    let vouched = told["left_out"].as_array().unwrap();
    assert!(vouched.iter().all(|note| bilingual(&note["message"])));
    assert!(vouched.iter().any(|note| note["message"]["en"].as_str().unwrap().contains("Membership = active")), "{told}");

    // Nobody vouches for the condition, and two others are not known here: all three are named.
    input["met"] = json!([]);
    let strange = [operand("count", "lteq", "3"), operand("cx-policy:Region", "eq", "eu")];
    input["odrl"] = policy(known.iter().chain(&strange).cloned().collect());
    let refused = bench.refusal_as("ORG-A-kanri", "commons import-agreement", input.clone()).await;
    assert_eq!(refused.code(), "E-AGREEMENT-006");
    let said: Vec<&str> = refused.fault().diagnostics.iter().map(|d| d.message.en.as_str()).collect();
    for word in ["Membership", "count", "Region"] {
        assert!(said.iter().any(|s| s.contains(word)), "{word}: {said:?}");
    }
    // Two policies of one agreement say the same, or it is none.
    let mut other = policy(known.to_vec());
    other["permission"][0]["constraint"][1]["rightOperand"] = "2027-01-01T00:00:00Z".into();
    input["met"] = json!(["Membership=active"]);
    input["odrl"] = json!([policy(known.to_vec()), other]);
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons import-agreement", input).await.code(), "E-COMMONS-093");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_tells_before_it_is_booked_what_it_brings() {
    let bench = two().await;
    strain(&bench, "ORG-A", "ST-1", json!({ "name": "one" })).await;
    set(&bench, "DS-1", "cooperative", &["ST-1"], json!({ "units": 3 })).await;
    let more = json!({ "feedback_units": 2, "feedback_days": 90, "patent_notice_days": 30 });
    bench.agreement("AG-1", &["ORG-A", "ORG-B"], &["DS-1"], more).await;
    let may = |catalogue: &Json, action: &str| {
        let set = catalogue["data_sets"].as_array().unwrap().iter().find(|d| d["id"] == "DS-1").unwrap().clone();
        let told = set["may"].as_array().unwrap().iter().find(|m| m["action"] == action).unwrap().clone();
        (told["allowed"].as_bool().unwrap(), told["clause"].as_str().unwrap().to_owned())
    };
    let catalogue = bench.run_as("ORG-B-ken", "commons catalogue", json!({})).await;
    assert_eq!(may(&catalogue, "read"), (false, "use-not-registered".into()));
    assert_eq!(may(&catalogue, "export"), (false, "role".into()));

    let input = |dry: bool| json!({ "data_set": "DS-1", "purpose": "research", "dry_run": dry });
    let would = bench.run_as("ORG-B-ken", "commons use", input(true)).await;
    let account = bench.run_as("ORG-B-kanri", "commons account", json!({})).await;
    assert_eq!((&account["lines"], &account["duties"]), (&json!([]), &json!([])), "nothing was booked");
    let catalogue = bench.run_as("ORG-B-ken", "commons catalogue", json!({})).await;
    assert!(!may(&catalogue, "read").0);
    let done = bench.run_as("ORG-B-ken", "commons use", input(false)).await;
    let same = |told: &Json| {
        let mut told = told.clone();
        told.as_object_mut().unwrap().remove("dry_run");
        told
    };
    assert_eq!(same(&would), same(&done), "what was told is what is booked");
    assert_eq!(
        (&would["dry_run"], &would["booked_units"], &would["units"], &would["owner"]),
        (&json!(true), &json!(3), &json!(2), &json!("ORG-A"))
    );
    assert_eq!((&would["due"], &would["patent_notice_days"]), (&json!("2027-02-22T03:00:00Z"), &json!(30)));
    let again = bench.run_as("ORG-B-ken", "commons use", input(true)).await;
    assert_eq!((&again["known"], &again["booked_units"]), (&json!(true), &json!(0)), "a use is booked once");
    assert_eq!(may(&bench.run_as("ORG-B-ken", "commons catalogue", json!({})).await, "read"), (true, "agreement".into()));
}

/// A culture of some hours whose file has a name and a title.
fn csv(day: u32) -> String {
    let mut csv = String::from("時刻,経過時間 (h),OD600\n");
    for h in 0..12 {
        csv += &format!("2026-06-{day:02} {:02}:00,{h},{:.3}\n", 6 + h, 0.1 * 1.4f64.powi(h));
    }
    csv
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_proposes_the_strictest_area_with_its_evidence_and_opens_nothing() {
    let bench = two().await;
    // Plain data: the owner's own; with a default of the house, that.
    let plain = bench.file("batch-1.csv", csv(1));
    let report = bench.run_as("ORG-A-steward", "run import", json!({ "paths": [plain] })).await;
    let one = &report["classification"][0];
    assert_eq!(
        (&one["area"], &one["protection_sought"], &one["stricter"]),
        (&json!("competitive"), &json!("open"), &json!(false)),
        "{report}"
    );
    let run = report["runs"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        bench.refusal_as("ORG-A-ken", "commons import-default", json!({ "area": "cooperative" })).await.code(),
        "E-COMMONS-003"
    );
    bench.run_as("ORG-A-kanri", "commons import-default", json!({ "area": "cooperative" })).await;
    let dry = json!({ "paths": [bench.file("batch-2.csv", csv(2))], "dry_run": true });
    let report = bench.run_as("ORG-A-steward", "run import", dry).await;
    assert_eq!(
        (&report["classification"][0]["area"], &report["classification"][0]["evidence"][0]["rule"]),
        (&json!("cooperative"), &json!("house-default"))
    );
    // A proposal opens nothing: the run stays its owner's own, and taking a more open proposal is refused.
    assert_eq!(bench.refusal_as("ORG-B-ken", "run show", json!({ "id": run })).await.code(), "E-GATE-001");
    let accept = json!({ "kind": "run", "id": run, "accept": true });
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons classify", accept).await.code(), "E-COMMONS-007");

    // A mark in the file's name wins over the default, and says what a trade secret still asks for.
    let marked = bench.file("社外秘_batch-3.csv", csv(3));
    let report = bench.run_as("ORG-A-steward", "run import", json!({ "paths": [marked] })).await;
    let one = &report["classification"][0];
    assert_eq!((&one["area"], &one["protection_sought"]), (&json!("competitive"), &json!("secret")), "{report}");
    assert!(one["evidence"][0]["rule"] == "secret-mark" && bilingual(&one["evidence"][0]["because"]), "{one}");
    assert_eq!(one["requirements_missing"].as_array().unwrap().len(), 2, "useful, and not publicly known: {one}");

    // Sensitive fields and sources of others, by table: alike records stand together.
    strain(&bench, "ORG-B", "ST-B", json!({ "name": "of B" })).await;
    let table = "id,name,genotype,parent\nST-1,one,,\nST-2,two,,\nST-3,three,ΔpyrG,\nST-4,four,,ST-B\n";
    let table = bench.file("strains.csv", table);
    let report = bench.run_as("ORG-A-steward", "record import", json!({ "kind": "strain", "path": table })).await;
    let of = |id: &str| {
        let all = report["classification"].as_array().unwrap();
        all.iter()
            .find(|c| c["examples"].as_array().unwrap().contains(&json!(id)))
            .unwrap_or_else(|| panic!("{id} in {report}"))
            .clone()
    };
    assert_eq!((&of("ST-1")["records"], &of("ST-1")["area"]), (&json!(2), &json!("cooperative")));
    assert_eq!(of("ST-1")["ids"], json!(["ST-1", "ST-2"]));
    assert_eq!((&of("ST-3")["area"], &of("ST-3")["evidence"][0]["rule"]), (&json!("competitive"), &json!("sensitive-field")));
    assert_eq!(
        (&of("ST-4")["evidence"][0]["rule"], &of("ST-4")["protection_sought"]),
        (&json!("origin-of-others"), &json!("limited"))
    );
    // Without a commons nothing is proposed.
    let alone = Bench::new().await;
    let report = alone.run("run import", json!({ "paths": [alone.file("社外秘.csv", csv(1))] })).await;
    assert!(report.get("classification").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_stand_too_open_are_warned_of_and_their_owner_may_close_them() {
    let bench = two().await;
    strain(&bench, "ORG-A", "ST-1", json!({ "name": "one", "area": "public", "notes": "㊙ 宿主の改変" })).await;
    let table = bench.file("strains.csv", "id,name,area,notes\nST-1,one,public,㊙ 宿主の改変\n");
    let report = bench.run_as("ORG-A-steward", "record import", json!({ "kind": "strain", "path": table })).await;
    let warned = report["warnings"].as_array().unwrap();
    assert!(warned.iter().any(|w| w["code"] == "W-CLASSIFY-001" && bilingual(&w["message"])), "{report}");
    bench.run_as("ORG-B-ken", "record get", json!({ "kind": "strain", "id": "ST-1" })).await;
    let input = json!({ "kind": "strain", "id": "ST-1", "accept": true });
    for user in ["ORG-B-kanri", "ORG-A-ken"] {
        assert_eq!(bench.refusal_as(user, "commons classify", input.clone()).await.code(), "E-COMMONS-003", "{user}");
    }
    let told = bench.run_as("ORG-A-kanri", "commons classify", input.clone()).await;
    assert_eq!((&told["changed"], &told["area"]), (&json!(true), &json!("competitive")));
    assert_eq!(bench.refusal_as("ORG-B-ken", "record get", json!({ "kind": "strain", "id": "ST-1" })).await.code(), "E-GATE-001");
    assert_eq!(bench.run_as("ORG-A-kanri", "commons classify", input).await["changed"], false);

    // Taken back once, as it stood before; then there is nothing to take back, until it is moved again.
    let undo = json!({ "kind": "strain", "id": "ST-1", "undo": true });
    assert_eq!(bench.refusal_as("ORG-A-ken", "commons classify", undo.clone()).await.code(), "E-COMMONS-003");
    let back = bench.run_as("ORG-A-kanri", "commons classify", undo.clone()).await;
    assert_eq!((&back["changed"], &back["area_then"], &back["can_undo"]), (&json!(true), &json!("public"), &json!(false)));
    bench.run_as("ORG-B-ken", "record get", json!({ "kind": "strain", "id": "ST-1" })).await;
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons classify", undo.clone()).await.code(), "E-COMMONS-007");
    // Another area than proposed: stricter without more ado, less strict with a reason, more open than now never.
    let to = |area: &str, more: Json| {
        let mut input = json!({ "kind": "strain", "id": "ST-1", "area": area });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let silent = bench.refusal_as("ORG-A-kanri", "commons classify", to("cooperative", json!({}))).await;
    assert_eq!((silent.code(), field(&silent)), ("E-COMMONS-006", Some("reason")));
    let both = bench.refusal_as("ORG-A-kanri", "commons classify", to("cooperative", json!({ "accept": true }))).await;
    assert_eq!(both.code(), "E-COMMONS-113");
    let less = bench.run_as("ORG-A-kanri", "commons classify", to("cooperative", json!({ "reason": "標準菌株" }))).await;
    assert_eq!((&less["area_then"], &less["can_undo"]), (&json!("cooperative"), &json!(true)), "{less}");
    let more = bench.run_as("ORG-A-kanri", "commons classify", to("clean-room", json!({}))).await;
    assert_eq!((&more["area_then"], &more["stricter"]), (&json!("clean-room"), &json!(true)), "{more}");
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons classify", to("public", json!({}))).await.code(), "E-COMMONS-007");
    // What somebody changed by hand since is not taken back over their heads.
    let hand = json!({ "kind": "strain", "id": "ST-1", "fields": { "area": "competitive" } });
    bench.run_as("ORG-A-kanri", "record put", hand).await;
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons classify", undo).await.code(), "E-COMMONS-007");

    // In a data set the area is that of the set.
    strain(&bench, "ORG-A", "ST-2", json!({ "name": "two", "notes": "極秘" })).await;
    set(&bench, "DS-2", "cooperative", &["ST-2"], json!({})).await;
    let input = json!({ "kind": "strain", "id": "ST-2" });
    let told = bench.run_as("ORG-A-kanri", "commons classify", input).await;
    assert!(told["stricter"] == true && told["next_step"]["en"].as_str().unwrap().contains("commons share DS-2"), "{told}");
    let accept = json!({ "kind": "strain", "id": "ST-2", "accept": true });
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons classify", accept).await.code(), "E-COMMONS-007");
}
