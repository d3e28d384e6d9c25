//! A: sharing between members of the commons: A03, A12.

use crate::bench::{Bench, bilingual};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// A word that stands only in what nobody but its owner may see.
const SECRET: &str = "himitsu";

/// A culture of some hours that an organisation imported: its own run, with the word in title and notes.
async fn culture(bench: &Bench, organisation: &str, name: &str, word: &str) -> String {
    let mut csv = String::from("時刻,経過時間 (h),OD600,グルコース (g/L),エタノール (g/L)\n");
    // Cultures of different names differ, also between members.
    let day = 1 + name.bytes().fold(0u32, |sum, b| sum + u32::from(b)) % 28;
    for h in 0..12 {
        let (od, glucose) = (0.1 * 1.4f64.powi(h), 40.0 - 3.0 * f64::from(h));
        csv += &format!("2026-06-{day:02} {:02}:00,{h},{od:.3},{glucose:.2},{:.2}\n", 6 + h, 1.3 * f64::from(h));
    }
    let file = bench.file(&format!("{name}.csv"), csv);
    // The file lies on the machine of the house; a member uploads it over the network.
    let who = format!("{organisation}-steward");
    let report = bench.run_as(&who, "run import", json!({ "paths": [file] })).await;
    let run = report["runs"][0]["id"].as_str().unwrap_or_else(|| panic!("{report}")).to_owned();
    let fields = json!({ "title": format!("{word} {name}"), "notes": format!("{word} notes") });
    bench.run_as(&who, "record put", json!({ "kind": "run", "id": run, "fields": fields })).await;
    run
}

async fn share(bench: &Bench, organisation: &str, id: &str, area: &str, runs: &[&str], more: Json) {
    let mut input = json!({ "id": id, "title": id, "area": area, "runs": runs });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bench.run_as(&format!("{organisation}-kanri"), "commons share", input).await;
}

/// Runs that a user sees through each way of asking; all ways must tell the same.
async fn seen(bench: &Bench, user: &str, runs: &[String]) -> BTreeSet<usize> {
    let among = |text: &str| -> BTreeSet<usize> {
        runs.iter().enumerate().filter(|(_, id)| text.contains(id.as_str())).map(|(i, _)| i).collect()
    };
    let listed = among(&bench.run_as(user, "run list", json!({})).await.to_string());
    let records = among(&bench.run_as(user, "record list", json!({ "kind": "run", "limit": 1000 })).await.to_string());
    let queried = among(&bench.run_as(user, "sql query", json!({ "query": "SELECT id FROM run" })).await.to_string());
    let points = "SELECT DISTINCT run FROM series";
    let series = among(&bench.run_as(user, "sql query", json!({ "query": points })).await.to_string());
    let mut shown = BTreeSet::new();
    let mut plotted = BTreeSet::new();
    let mut found = BTreeSet::new();
    for (i, run) in runs.iter().enumerate() {
        if bench.call_as(user, "run show", json!({ "id": run })).await.is_ok() {
            shown.insert(i);
        }
        if bench.call_as(user, "run plot", json!({ "run": run })).await.is_ok() {
            plotted.insert(i);
        }
        let title = format!("c{i}");
        let hits = bench.run_as(user, "search query", json!({ "text": title, "limit": 100 })).await;
        if hits["hits"].as_array().unwrap().iter().any(|h| h["kind"] == "run" && h["id"] == run.as_str()) {
            found.insert(i);
        }
    }
    for (way, set) in [
        ("record list", &records),
        ("sql over records", &queried),
        ("sql over series", &series),
        ("run show", &shown),
        ("run plot", &plotted),
        ("search", &found),
    ] {
        assert_eq!(set, &listed, "{user} by {way}");
    }
    listed
}

/// Two members and an applicant; ORG-A shares one culture in each area, and with ORG-B under an agreement.
async fn house() -> (Bench, Vec<String>) {
    let bench = Bench::new().await;
    bench.commons().await;
    for member in ["ORG-A", "ORG-B"] {
        bench.member(member).await;
    }
    bench.applicant("ORG-SOTO").await;
    let mut runs = Vec::new();
    for (i, word) in ["open", "shared", SECRET, "room"].iter().enumerate() {
        runs.push(culture(&bench, "ORG-A", &format!("c{i}"), word).await);
    }
    let sets = [("DS-OPEN", "public"), ("DS-SHARED", "cooperative"), ("DS-SECRET", "competitive"), ("DS-ROOM", "clean-room")];
    for ((set, area), run) in sets.iter().zip(&runs) {
        share(&bench, "ORG-A", set, area, &[run], json!({})).await;
    }
    bench.agreement("AG-1", &["ORG-A", "ORG-B"], &["DS-SHARED", "DS-ROOM"], json!({})).await;
    (bench, runs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_the_same_query_gives_depositor_member_and_outsider_three_documented_subsets() {
    let (bench, runs) = house().await;
    let all: BTreeSet<usize> = (0..4).collect();
    assert_eq!(seen(&bench, "ORG-A-ken", &runs).await, all, "depositor");
    assert_eq!(seen(&bench, "ORG-B-ken", &runs).await, BTreeSet::from([0, 1]), "member under an agreement");
    assert_eq!(seen(&bench, "ORG-SOTO-ken", &runs).await, BTreeSet::from([0]), "outsider");
    assert_eq!(seen(&bench, "somebody", &runs).await, BTreeSet::from([0]), "without an account");
    // Separation of duties: those who run the platform see what is public and no more.
    assert_eq!(seen(&bench, "unei", &runs).await, BTreeSet::from([0]), "operator");

    // Documented: the catalogue says of each data set what one may do and why not.
    let catalogue = bench.run_as("ORG-B-ken", "commons catalogue", json!({})).await;
    let may = |set: &str, action: &str| {
        let listed = catalogue["data_sets"].as_array().unwrap().iter().find(|d| d["id"] == set)?.clone();
        listed["may"].as_array().unwrap().iter().find(|m| m["action"] == action).cloned()
    };
    for (set, action, allowed) in [
        ("DS-SHARED", "read", true),
        ("DS-SHARED", "train", true),
        ("DS-SHARED", "export", false),
        ("DS-ROOM", "read", false),
        ("DS-ROOM", "compute", true),
    ] {
        let told = may(set, action).unwrap_or_else(|| panic!("{set} {action}: {catalogue}"));
        assert_eq!(told["allowed"], allowed, "{set} {action} {told}");
        assert!(bilingual(&told["reason"]));
    }
    assert!(may("DS-SECRET", "describe").is_none(), "that there is a secret is not told");
}

/// Safety: nothing leaves without a decision, and no secret leaks into exports, figures, releases or training sets.
#[tokio::test(flavor = "multi_thread")]
async fn a03_safety_no_secret_leaks_into_exports_figures_releases_or_training() {
    let (bench, runs) = house().await;
    for user in ["ORG-B-ken", "ORG-B-steward", "ORG-SOTO-ken", "somebody", "unei"] {
        for (name, input) in [
            ("run export", json!({ "run": runs[2] })),
            ("run page", json!({ "id": runs[2] })),
            ("run compare", json!({ "runs": [runs[0], runs[2]] })),
            ("dataset release", json!({ "manifest": { "name": "set", "title": "set", "release": "1.0.0", "runs": [runs[2]] } })),
            ("sense rules", json!({})),
            ("culture analyse", json!({ "run": runs[2] })),
            ("culture fit", json!({ "model": "monod-batch", "runs": [runs[2]] })),
        ] {
            let told = match bench.call_as(user, name, input).await {
                Ok(output) => {
                    let file = output.attachment.map_or(String::new(), |a| String::from_utf8_lossy(&a.bytes).into_owned());
                    format!("{} {file}", output.json)
                }
                Err(error) => format!("{error:?}"),
            };
            assert!(!told.contains(SECRET), "{user} {name}: {told}");
        }
        let table = bench.call_as(user, "record export", json!({ "kind": "run", "format": "csv" })).await.unwrap();
        let table = String::from_utf8(table.attachment.unwrap().bytes).unwrap();
        assert!(!table.contains(SECRET) && !table.contains("shared"), "cooperative data does not leave either: {user}\n{table}");
    }
    // The cooperative run is read, and neither exported nor saved as a figure by others; the owner's own data leaves.
    assert!(bench.call_as("ORG-B-ken", "run show", json!({ "id": runs[1] })).await.is_ok());
    for name in ["run export", "run page"] {
        let input = if name == "run page" { json!({ "id": runs[1] }) } else { json!({ "run": runs[1] }) };
        assert_eq!(bench.refusal_as("ORG-B-ken", name, input).await.code(), "E-GATE-001", "{name}");
    }
    bench.run_as("ORG-A-steward", "run export", json!({ "run": runs[2] })).await;
    // Every refusal and everything that left stands in the record.
    let decisions = bench.run("store decisions", json!({ "limit": 1000 })).await;
    let noted = decisions["noted"].as_array().unwrap();
    let found = |who: &str, action: &str, allowed: bool| {
        noted.iter().any(|d| d["who"] == who && d["action"] == action && d["allowed"] == allowed)
    };
    assert!(found("ORG-B-ken", "export", false) && found("ORG-A-steward", "export", true), "{decisions}");
}

/// Reliability: what was entered is neither lost nor changed by others, and a change behind the store's back is found.
#[tokio::test(flavor = "multi_thread")]
async fn a03_reliability_nobody_changes_what_another_entered_and_tampering_is_found() {
    let (bench, runs) = house().await;
    let before = bench.run_as("ORG-A-ken", "run show", json!({ "id": runs[1] })).await;
    let put = |kind: &str, id: &str, fields: Json| json!({ "kind": kind, "id": id, "fields": fields });
    for input in [
        put("run", &runs[1], json!({ "title": "taken over" })),
        put("run", &runs[1], json!({ "area": "public" })),
        put("event", "E-1", json!({ "run": runs[1], "sort": "addition", "label": "slipped in" })),
    ] {
        assert_eq!(bench.refusal_as("ORG-B-steward", "record put", input.clone()).await.code(), "E-GATE-001", "{input}");
    }
    assert_eq!(bench.run_as("ORG-A-ken", "run show", json!({ "id": runs[1] })).await, before);
    bench.is_sound().await;
    // The owner of a record, set otherwise in the catalogue, differs from the ledger.
    bench.tamper("UPDATE versions SET owner = 'ORG-B' WHERE kind = 'run'").await;
    let found = bench.refusal("store verify", json!({})).await;
    assert_eq!(found.code(), "E-VERIFY-000");
    assert!(found.fault().diagnostics.iter().any(|d| d.place.to_string().contains(&runs[1])), "{found:?}");
}

/// Fairness: who gives gets, the account is open to its parties and sums to zero.
#[tokio::test(flavor = "multi_thread")]
async fn a03_fairness_giving_and_taking_stand_in_an_account_that_sums_to_zero() {
    let (bench, runs) = house().await;
    let own = culture(&bench, "ORG-B", "d0", "back").await;
    share(&bench, "ORG-B", "DS-BACK", "cooperative", &[&own], json!({ "units": 3 })).await;
    bench
        .agreement("AG-2", &["ORG-A", "ORG-B"], &["DS-SHARED", "DS-BACK"], json!({ "feedback_units": 1, "feedback_days": 30 }))
        .await;
    bench.run_as("ORG-A-ken", "commons use", json!({ "data_set": "DS-BACK", "purpose": "research" })).await;
    bench.run_as("ORG-B-ken", "commons use", json!({ "data_set": "DS-SHARED", "purpose": "research" })).await;
    for (member, given, taken) in [("ORG-A", 1, 3), ("ORG-B", 3, 1)] {
        let account = bench.run_as(&format!("{member}-kanri"), "commons account", json!({})).await;
        assert_eq!(
            (&account["closing"]["given"], &account["closing"]["taken"]),
            (&json!(given), &json!(taken)),
            "{member} {account}"
        );
        assert_eq!((&account["sum_data_sets"], &account["sum_duties"]), (&json!(0), &json!(0)));
        assert!(account["lines"].as_array().unwrap().iter().all(|l| bilingual(&l["what"])));
    }
    // Open to its parties, not to competitors; and to those who check the platform.
    let other = json!({ "organisation": "ORG-A" });
    assert_eq!(bench.refusal_as("ORG-B-kanri", "commons account", other.clone()).await.code(), "E-COMMONS-003");
    bench.run_as("unei", "commons account", other).await;
    assert!(runs.len() == 4);
}

/// Competitiveness: know-how stays its owner's own, and nobody takes what is another's into a data set of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a03_competitiveness_know_how_stays_its_owners_own() {
    let (bench, runs) = house().await;
    let grab = json!({ "id": "DS-MINE", "title": "mine", "area": "public", "runs": [runs[1]] });
    assert_eq!(bench.refusal_as("ORG-B-kanri", "commons share", grab).await.code(), "E-COMMONS-013");
    let twice = json!({ "id": "DS-TWO", "title": "two", "area": "public", "runs": [runs[2]] });
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons share", twice).await.code(), "E-COMMONS-007", "in one set at most");
    // An agreement of others over one's data is none: a party can only bring its own.
    let terms = json!({ "title": "x", "text": "x", "parties": ["ORG-B", "ORG-SOTO"], "data_sets": ["DS-SECRET"],
                        "from": "2026-01-01T00:00:00Z", "until": "2031-04-01T00:00:00Z", "purposes": ["research"], "grants": ["read"] });
    let draft = json!({ "id": "AG-X", "terms": terms });
    assert_eq!(bench.refusal_as("ORG-B-kanri", "commons draft", draft).await.code(), "E-COMMONS-018");
    // Before a vote everybody sees who would gain what; nothing changes by looking.
    let wider = json!({ "data_set": "DS-SECRET", "area": "public" });
    let preview = bench.run_as("ORG-A-kanri", "commons preview", wider).await;
    assert!(
        preview["gained"].as_array().unwrap().iter().any(|c| c["organisation"] == "ORG-SOTO" && c["action"] == "read"),
        "{preview}"
    );
    assert_eq!(preview["lost"], json!([]));
    assert_eq!(bench.refusal_as("ORG-SOTO-ken", "run show", json!({ "id": runs[2] })).await.code(), "E-GATE-001");
    bench.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_advance_data_is_reached_after_approval_brings_a_duty_and_ends_with_the_term() {
    let bench = Bench::new().await;
    bench.commons().await;
    bench.member("ORG-A").await;
    bench.applicant("ORG-B").await;
    let run = culture(&bench, "ORG-A", "c0", "advance").await;
    let until = json!({ "embargo_until": "2027-04-01T00:00:00Z", "units": 2 });
    share(&bench, "ORG-A", "DS-1", "cooperative", &[&run], until).await;
    let reads = json!({ "id": run });

    // An applicant cannot reach advance data: not by reading, not by registering a use, not by an agreement alone.
    assert_eq!(bench.refusal_as("ORG-B-ken", "run show", reads.clone()).await.code(), "E-GATE-001");
    let take = json!({ "data_set": "DS-1", "purpose": "research" });
    assert_eq!(bench.refusal_as("ORG-B-ken", "commons use", take.clone()).await.code(), "E-ACCESS-101");
    // It sees how it stands itself, and nothing of others.
    let told = bench.run_as("ORG-B-kanri", "commons member", json!({})).await;
    let told: Vec<(&str, &str)> = told["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["organisation"].as_str().unwrap(), m["state"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("ORG-B", "applied")]);
    bench.register_key("ORG-B").await;
    let terms = json!({ "early_access": ["ORG-B"], "feedback_units": 2, "feedback_days": 90, "patent_notice_days": 30, "industrial_use": true });
    bench.agreement("GI", &["ORG-A", "ORG-B"], &["DS-1"], terms).await;
    assert_eq!(bench.refusal_as("ORG-B-ken", "commons use", take.clone()).await.code(), "E-ACCESS-101");
    // Who screened it does not decide, and nothing is decided before it was screened.
    let decide = json!({ "organisation": "ORG-B", "approve": true, "reason": "要件を満たす" });
    assert_eq!(bench.refusal_as("unei", "commons decide", decide.clone()).await.code(), "E-COMMONS-007");
    bench.user("ryoho", "ORG-HOME", &["operator", "export-control-officer"]).await;
    let screened = json!({ "organisation": "ORG-B", "listing": "clear", "evidence": "照合済み" });
    bench.run_as("ryoho", "commons screen", screened).await;
    assert_eq!(bench.refusal_as("ryoho", "commons decide", decide.clone()).await.code(), "E-COMMONS-010");
    bench.run_as("unei", "commons decide", decide).await;

    // Approved: the use is registered, which brings the duty with its date; only then is it read.
    assert_eq!(bench.refusal_as("ORG-B-ken", "run show", reads.clone()).await.code(), "E-GATE-001");
    let used = bench.run_as("ORG-B-ken", "commons use", take.clone()).await;
    assert_eq!((&used["known"], &used["units"], &used["patent_allowed"]), (&json!(false), &json!(2), &json!(true)));
    assert_eq!((used["due"].as_str().unwrap(), used["ends"].as_str().unwrap()), ("2027-02-22T03:00:00Z", "2031-04-01T00:00:00Z"));
    let duty = used["duty"].as_str().unwrap().to_owned();
    assert_eq!(bench.run_as("ORG-B-ken", "commons use", take.clone()).await["known"], true, "once");
    bench.run_as("ORG-B-ken", "run show", reads.clone()).await;
    let account = bench.run_as("ORG-B-kanri", "commons account", json!({})).await;
    let due = &account["duties"][0];
    assert_eq!(
        (due["duty"].as_str().unwrap(), &due["owed"], &due["overdue"]),
        (duty.as_str(), &json!(2), &json!(false)),
        "{account}"
    );
    assert_eq!((&account["sum_data_sets"], &account["sum_duties"]), (&json!(0), &json!(0)));
    assert_eq!(bench.run_as("ORG-A-kanri", "commons account", json!({})).await["closing"]["given"], 2);

    // Patent use is listed, and a late notice as late.
    let patent = json!({ "data_set": "DS-1", "agreement": "GI", "title": "耐熱株", "filed_at": "2026-11-20T00:00:00Z", "application_number": "TEST-1" });
    assert_eq!(bench.run_as("ORG-B-kanri", "commons patent", patent).await["late"], false);
    let late = json!({ "data_set": "DS-1", "agreement": "GI", "title": "高温発酵法", "filed_at": "2026-09-01T00:00:00Z" });
    assert_eq!(bench.run_as("ORG-B-kanri", "commons patent", late).await["late"], true);
    for side in ["ORG-A-kanri", "ORG-B-kanri"] {
        let account = bench.run_as(side, "commons account", json!({})).await;
        assert_eq!(account["patents"].as_array().unwrap().len(), 2, "{side}");
    }

    // Overdue: listed, and it blocks further cooperative reads but never one's own data.
    let own = culture(&bench, "ORG-B", "c1", "own").await;
    let bench = bench.on("2027-03-01T00:00:00Z");
    let account = bench.run_as("ORG-B-kanri", "commons account", json!({})).await;
    assert_eq!(account["duties"][0]["overdue"], true);
    let blocked = bench.refusal_as("ORG-B-ken", "run show", reads.clone()).await;
    assert!(blocked.fault().message.en.contains("overdue"), "{blocked:?}");
    bench.run_as("ORG-B-ken", "run show", json!({ "id": own })).await;

    // Feedback accepted by the owner books the duty off, part by part; then it is read again.
    share(&bench, "ORG-B", "DS-2", "cooperative", &[&own], json!({})).await;
    let hand_in = |units: u32| json!({ "duty": duty, "given": "DS-2", "units": units, "title": "45 °C での培養" });
    assert_eq!(bench.refusal_as("ORG-B-ken", "commons feedback", hand_in(3)).await.code(), "E-COMMONS-007");
    let feedback = bench.run_as("ORG-B-ken", "commons feedback", hand_in(2)).await;
    assert_eq!(feedback["still_owed"], 2, "handed in is not accepted");
    let accept = json!({ "feedback": feedback["feedback"], "reason": "確認した" });
    assert_eq!(bench.refusal_as("ORG-B-kanri", "commons accept", accept.clone()).await.code(), "E-COMMONS-003");
    assert_eq!(bench.run_as("ORG-A-steward", "commons accept", accept).await["still_owed"], 0);
    bench.run_as("ORG-B-ken", "run show", reads.clone()).await;

    // The term ends with the fiscal year 2030.
    let bench = bench.on("2031-03-31T14:59:59Z");
    bench.run_as("ORG-B-ken", "run show", reads.clone()).await;
    let bench = bench.on("2031-04-01T00:00:00Z");
    let over = bench.refusal_as("ORG-B-ken", "run show", reads.clone()).await;
    assert!(over.fault().message.en.contains("not in force"), "{over:?}");
    bench.run_as("ORG-A-ken", "run show", reads).await;
    bench.is_sound().await;
}
