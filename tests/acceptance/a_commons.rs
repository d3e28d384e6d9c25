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
async fn a03_safety_a_preview_tells_nobody_the_terms_of_others() {
    let (bench, _) = house().await;
    bench.member("ORG-Y").await;
    let asked =
        [json!({ "agreement": "AG-1" }), json!({ "without": "AG-1" }), json!({ "data_set": "DS-SHARED", "area": "public" })];
    for input in asked {
        bench.run_as("ORG-A-kanri", "commons preview", input.clone()).await;
        let refused = bench.refusal_as("ORG-Y-kanri", "commons preview", input.clone()).await;
        assert_eq!(refused.category(), toji_core::Category::Denied, "{input}: {refused:?}");
        bench.run_as("unei", "commons preview", input).await;
    }
}

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

/// Safety: an answer with noise is paid from a budget that the owners of the data set, see, and that nobody spends twice.
#[tokio::test(flavor = "multi_thread")]
async fn a03_safety_answers_with_noise_spend_a_budget_once_and_its_owners_see_for_what() {
    let bench = Bench::new().await;
    bench.commons().await;
    let owners = ["ORG-A", "ORG-B", "ORG-C", "ORG-D", "ORG-E"];
    for member in owners.iter().chain(&["ORG-X", "ORG-Y"]) {
        bench.member(member).await;
    }
    let mut sets = Vec::new();
    for (i, owner) in owners.iter().enumerate() {
        let run = culture(&bench, owner, &format!("n{i}"), "tane").await;
        let set = format!("DS-{owner}");
        share(&bench, owner, &set, "clean-room", &[&run], json!({})).await;
        sets.push(set);
    }
    let parties: Vec<&str> = owners.iter().copied().chain(["ORG-X", "ORG-Y"]).collect();
    let covered: Vec<&str> = sets.iter().map(String::as_str).collect();
    bench.agreement("AG", &parties, &covered, json!({ "grants": ["compute"] })).await;
    let ask = |epsilon: f64, again: bool| {
        json!({ "kind": "run", "field": "notes", "value": "tane notes", "agreement": "AG", "epsilon": epsilon,
                "of_member_max": 1, "again": again })
    };
    // Nothing is answered before every owner said what its data may lose; who owns none of it has no say.
    let set = |epsilon: f64| json!({ "agreement": "AG", "epsilon": epsilon });
    assert_eq!(bench.refusal_as("ORG-X-ken", "commons ask", ask(0.5, false)).await.code(), "E-COMMONS-061");
    assert_eq!(bench.refusal_as("ORG-X-kanri", "commons set-budget", set(2.0)).await.code(), "E-COMMONS-062");
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons set-budget", set(11.0)).await.code(), "E-COMMONS-063");
    for owner in &owners[..4] {
        let told = bench.run_as(&format!("{owner}-kanri"), "commons set-budget", set(2.0)).await;
        assert_eq!(told["in_effect"], false, "{told}");
    }
    let waits = bench.refusal_as("ORG-X-ken", "commons ask", ask(0.5, false)).await;
    assert!(waits.code() == "E-COMMONS-061" && waits.fault().message.en.contains("ORG-E"), "{waits:?}");
    let told = bench.run_as("ORG-E-kanri", "commons set-budget", set(3.0)).await;
    assert_eq!((&told["in_effect"], &told["allowed"], &told["remaining"]), (&json!(true), &json!(2.0), &json!(2.0)), "the least");

    // A noisy count: paid for once, and the same answer again costs nothing, also from another process.
    let first = bench.run_as("ORG-X-ken", "commons ask", ask(0.5, false)).await;
    let figure = &first["with_noise"];
    // Laplace noise of scale 1/0.5 about 5: farther than 60 with a chance below 10^-12.
    assert!(figure["value"].as_f64().unwrap() <= 65.0 && figure["high"].as_f64() > figure["low"].as_f64(), "{first}");
    assert_eq!((&first["budget"]["paid"], &first["budget"]["remaining"]), (&json!(0.5), &json!(1.5)), "{first}");
    assert!(first["at_least"].is_null() && first["withheld"].is_null() && first["own"] == 0, "{first}");
    let other = bench.reopened().await;
    let same = other.run_as("ORG-X-steward", "commons ask", ask(0.5, false)).await;
    assert_eq!((&same["with_noise"], &same["budget"]["answered_before"]), (figure, &json!(true)));
    assert_eq!(same["budget"]["remaining"], 1.5);
    // A mean with noise asks for what must be known without the data.
    let mean = |more: Json| {
        let mut input = json!({ "measure": "failure-rate", "agreement": "AG", "epsilon": 0.5 });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let unbounded = mean(json!({ "measure": "growth-rate-max", "unit": "/h", "low": 0.0 }));
    assert_eq!(bench.refusal_as("ORG-X-ken", "commons benchmark", unbounded).await.code(), "E-COMMONS-070");
    let field = bench.run_as("ORG-X-ken", "commons benchmark", mean(json!({}))).await;
    let [value, low, high] = ["value", "low", "high"].map(|end| field["with_noise"][end].as_f64().unwrap());
    assert!(0.0 <= low && low <= value && value <= high && high <= 100.0, "{field}");
    assert!(field["field_mean"].is_null() && field["contributors"].is_null() && field["budget"]["remaining"] == 1.0, "{field}");

    // Eight ask at once in two processes for what is left of four: four are answered, and nothing is spent twice.
    let question = || ask(0.25, true);
    let asked = tokio::join!(
        bench.call_as("ORG-X-ken", "commons ask", question()),
        other.call_as("ORG-X-ken", "commons ask", question()),
        bench.call_as("ORG-Y-ken", "commons ask", question()),
        other.call_as("ORG-Y-ken", "commons ask", question()),
        bench.call_as("ORG-X-steward", "commons ask", question()),
        other.call_as("ORG-X-steward", "commons ask", question()),
        bench.call_as("ORG-Y-steward", "commons ask", question()),
        other.call_as("ORG-Y-steward", "commons ask", question()),
    );
    let asked = [asked.0, asked.1, asked.2, asked.3, asked.4, asked.5, asked.6, asked.7];
    let refused: Vec<&str> = asked.iter().filter_map(|a| a.as_ref().err()).map(toji_core::Error::code).collect();
    assert_eq!(refused, ["E-PRIVACY-008"; 4], "{asked:?}");
    // What was answered is given again; a budget that is used up answers nothing new.
    assert_eq!(bench.run_as("ORG-X-ken", "commons ask", ask(0.5, false)).await["with_noise"], *figure);
    assert_eq!(other.refusal_as("ORG-X-ken", "commons ask", ask(0.1, true)).await.code(), "E-PRIVACY-008");

    // The owners see by whom for which answer; others see their own; an organisation that is no party, nothing.
    let budget = |told: &Json| told["budgets"][0].clone();
    let seen = budget(&bench.run_as("ORG-B-kanri", "commons budget", json!({ "agreement": "AG" })).await);
    assert_eq!((&seen["allowed"], &seen["spent"], &seen["remaining"]), (&json!(2.0), &json!(2.0), &json!(0.0)), "{seen}");
    let charges = seen["charges"].as_array().unwrap();
    let mut left = 2.0;
    for charge in charges {
        left -= charge["epsilon_paid"].as_f64().unwrap();
        assert!((charge["remaining"].as_f64().unwrap() - left).abs() < 1e-9 && bilingual(&charge["question"]), "{charge}");
    }
    assert_eq!(
        (charges.len(), &charges[0]["member"], &charges[0]["noise"]),
        (6, &json!("ORG-X"), &json!(["discrete Laplace, scale 2.000000"]))
    );
    assert!(charges[0]["question"]["en"].as_str().unwrap().contains("notes"), "{seen}");
    let others = budget(&bench.run_as("ORG-Y-ken", "commons budget", json!({})).await);
    assert!(others["charges"].as_array().unwrap().iter().all(|c| c["member"] == "ORG-Y"), "{others}");
    bench.member("ORG-Z").await;
    let none = bench.run_as("ORG-Z-kanri", "commons budget", json!({ "agreement": "AG" })).await;
    assert_eq!(none["budgets"], json!([]));
    assert_eq!(bench.refusal_as("ORG-Z-ken", "commons ask", ask(0.5, false)).await.code(), "E-COMMONS-066");
    let raw = bench.call_as("ORG-B-kanri", "record list", json!({ "kind": "privacy-entry" })).await;
    assert!(raw.map_or(true, |list| list.json["records"] == json!([])), "entries are shown by the operation only");

    // One owner alone tightens, and cannot widen; the kind stays, as something was spent.
    let tight = bench.run_as("ORG-A-kanri", "commons set-budget", set(1.0)).await;
    assert_eq!((&tight["allowed"], &tight["spent"], &tight["remaining"]), (&json!(1.0), &json!(2.0), &json!(0.0)), "{tight}");
    let wide = bench.run_as("ORG-A-kanri", "commons set-budget", set(9.0)).await;
    assert_eq!(wide["allowed"], 2.0, "{wide}");
    let runs = json!({ "agreement": "AG", "epsilon": 2.0, "protects": "run" });
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons set-budget", runs).await.code(), "E-COMMONS-062");
    // With the consent of all it widens, and what was spent stays spent.
    for owner in owners {
        bench.run_as(&format!("{owner}-kanri"), "commons set-budget", set(2.5)).await;
    }
    let again = bench.run_as("ORG-X-ken", "commons ask", ask(0.25, true)).await;
    assert_eq!((&again["budget"]["spent"], &again["budget"]["remaining"]), (&json!(2.25), &json!(0.25)), "{again}");
    bench.is_sound().await;
}

/// Fairness: what data add is told to their owner, judged for all at once, and no row of another with it.
#[tokio::test(flavor = "multi_thread")]
async fn a03_fairness_the_worth_of_data_is_told_to_its_owner_alone_and_a_copy_is_worth_nothing() {
    let bench = Bench::new().await.on("2026-11-20T03:00:00Z");
    bench.commons().await;
    // Cultures that grow the faster the longer they run, so that one can be foretold from the other.
    let growing = |hours: u32, day: u32| {
        let mut csv = String::from("時刻,経過時間 (h),OD600,グルコース (g/L)\n");
        let rate = 0.2 + 0.01 * f64::from(hours);
        for h in 0..=hours {
            let (od, glucose) = (0.05 * (rate * f64::from(h)).exp(), 40.0 - f64::from(h));
            csv += &format!("2026-06-{day:02} {h:02}:00,{h},{od:.5},{glucose:.2}\n");
        }
        csv
    };
    let bring = async |bench: &Bench, user: &str, name: &str, csv: String| -> String {
        let file = bench.file(&format!("{name}.csv"), csv);
        let report = bench.run_as(user, "run import", json!({ "paths": [file] })).await;
        report["runs"][0]["id"].as_str().unwrap_or_else(|| panic!("{report}")).to_owned()
    };
    let owners = ["ORG-A", "ORG-B", "ORG-C", "ORG-D", "ORG-E", "ORG-F"];
    let mut sets = Vec::new();
    let mut bench = bench;
    for (i, owner) in (0u32..).zip(owners) {
        if owner == "ORG-F" {
            bench = bench.on("2026-11-24T03:00:00Z");
        }
        bench.member(owner).await;
        let mut runs = Vec::new();
        for j in 0..3 {
            // ORG-F brings later what ORG-A brought.
            let of = if owner == "ORG-F" { 0 } else { i };
            let csv = growing(8 + of + 5 * j, 1 + of + 6 * j);
            runs.push(bring(&bench, &format!("{owner}-steward"), &format!("{owner}-{j}"), csv).await);
        }
        let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
        let set = format!("DS-{owner}");
        share(&bench, owner, &set, "clean-room", &runs, json!({})).await;
        sets.push(set);
    }
    bench.member("ORG-X").await;
    let parties: Vec<&str> = owners.iter().copied().chain(["ORG-X"]).collect();
    let covered: Vec<&str> = sets.iter().map(String::as_str).collect();
    bench.agreement("AG", &parties, &covered, json!({ "grants": ["compute"], "purposes": ["benchmark"] })).await;
    // The house brings the test points, and the operator states the task; nobody with a stake does.
    bench.user("ORG-HOME-steward", "ORG-HOME", &["steward"]).await;
    bench.user("ORG-HOME-kanri", "ORG-HOME", &["contributor-admin"]).await;
    let mut tests = Vec::new();
    for i in 0..6u32 {
        tests.push(bring(&bench, "ORG-HOME-steward", &format!("test-{i}"), growing(9 + 2 * i, 22 + i)).await);
    }
    let tests: Vec<&str> = tests.iter().map(String::as_str).collect();
    share(&bench, "ORG-HOME", "DS-TEST", "public", &tests, json!({})).await;
    let task = |tests: &str| {
        json!({ "id": "WT", "task": { "title": "増殖速度", "agreement": "AG", "target": "growth-rate-max", "same": "0.002 /h",
                "features": { "duration": "1 h" }, "tests": tests, "neighbours": 2 } })
    };
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons worth-task", task("DS-TEST")).await.code(), "E-COMMONS-003");
    assert_eq!(bench.refusal_as("unei", "commons worth-task", task("DS-ORG-A")).await.code(), "E-COMMONS-074");
    bench.run_as("unei", "commons worth-task", task("DS-TEST")).await;
    let mut changed = task("DS-TEST");
    changed["task"]["neighbours"] = json!(3);
    assert_eq!(bench.refusal_as("unei", "commons worth-task", changed).await.code(), "E-COMMONS-007", "it is not changed");

    let ask = json!({ "task": "WT" });
    let first = bench.run_as("ORG-A-ken", "commons worth", ask.clone()).await;
    let set = &first["data_sets"][0];
    assert_eq!((first["data_sets"].as_array().unwrap().len(), &set["data_set"]), (1, &json!("DS-ORG-A")), "{first}");
    assert_eq!((&set["accepted"], &set["complete"], &set["novel_percent"]), (&json!(true), &json!(3), &json!(100.0)), "{first}");
    let [worth, low, high] = ["worth_percent", "low_percent", "high_percent"].map(|end| set[end].as_f64().unwrap());
    assert!(low <= worth && worth <= high && worth.fract() == 0.0, "{first}");
    // The total is released by the rule, or its clause is named.
    assert!(first["total_percent"].as_f64().is_some_and(|t| t > 50.0) || bilingual(&first["refused"]["reason"]), "{first}");
    assert!(bilingual(&first["note"]));
    for other in &owners[1..] {
        assert!(!first.to_string().contains(other), "{first}");
    }
    // A copy is worth nothing; what came first keeps its worth.
    let copied = bench.run_as("ORG-F-ken", "commons worth", ask.clone()).await;
    let set = &copied["data_sets"][0];
    assert_eq!(
        (&set["accepted"], &set["novel_percent"], &set["worth_percent"]),
        (&json!(false), &json!(0.0), &json!(null)),
        "{copied}"
    );
    // All were valued at once, and whoever asks again within the term learns nothing new.
    assert_eq!(copied["valued_at"], first["valued_at"]);
    assert_eq!(bench.refusal_as("ORG-X-ken", "commons worth", ask.clone()).await.code(), "E-COMMONS-076");
    assert_eq!(bench.refusal_as("unei", "commons worth", ask.clone()).await.code(), "E-COMMONS-003");
    let bench = bench.on("2027-02-21T03:00:00Z");
    assert_eq!(bench.run_as("ORG-A-ken", "commons worth", ask.clone()).await["valued_at"], first["valued_at"], "89 days");
    let bench = bench.on("2027-02-22T03:00:00Z");
    let next = bench.run_as("ORG-A-ken", "commons worth", ask).await;
    assert_eq!((&next["valued_at"], &next["data_sets"]), (&json!("2027-02-22T03:00:00Z"), &first["data_sets"]), "{next}");
    bench.is_sound().await;
}

/// Fairness, told without telling of one: figures over groups of members stand under all figures before them.
#[tokio::test(flavor = "multi_thread")]
async fn a03_fairness_figures_do_not_tell_of_one_member_by_their_difference() {
    let bench = Bench::new().await;
    bench.commons().await;
    let (givers, takers): (Vec<String>, Vec<String>) =
        ((0..8).map(|i| format!("ORG-G{i}")).collect(), (0..9).map(|i| format!("ORG-T{i}")).collect());
    for member in givers.iter().chain(&takers) {
        bench.member(member).await;
    }
    let sets: Vec<String> = (0..8).map(|i| format!("DS-{i}")).collect();
    for (giver, set) in givers.iter().zip(&sets) {
        share(&bench, giver, set, "cooperative", &[], json!({})).await;
    }
    let parties: Vec<&str> = givers.iter().chain(&takers).map(String::as_str).collect();
    let covered: Vec<&str> = sets.iter().map(String::as_str).collect();
    bench.agreement("AG", &parties, &covered, json!({ "feedback_units": 1, "feedback_days": 30 })).await;
    let take = async |taker: usize, set: usize| {
        let input = json!({ "data_set": sets[set], "purpose": "research" });
        bench.run_as(&format!("ORG-T{taker}-ken"), "commons use", input).await;
    };
    for i in 0..8 {
        take(i, i).await;
    }
    let told = async || bench.run_as("ORG-T5-ken", "commons fairness", json!({})).await;
    let clause = |group: &Json, figure: &str| -> String {
        let list = group["withheld"].as_array().unwrap();
        let found = list.iter().find(|w| w["figure"] == figure).unwrap_or_else(|| panic!("{figure} is withheld: {group}"));
        assert!(bilingual(&found["reason"]) && group[figure].is_null(), "{group}");
        found["clause"].as_str().unwrap().to_owned()
    };
    let first = told().await;
    let (more, less) = (&first["groups"][0], &first["groups"][1]);
    assert_eq!((&more["given"], &less["taken"], &less["owed"]), (&json!(8), &json!(8), &json!(8)), "{first}");
    assert_eq!(clause(less, "given"), "R3", "who gave nothing is no contributor");
    assert_eq!(told().await, first, "the same figures again are no further release");

    // One member takes from one: the next figures would tell by their difference what these two did.
    take(0, 1).await;
    let second = told().await;
    assert_eq!(clause(&second["groups"][0], "given"), "R7", "{second}");
    assert_eq!(clause(&second["groups"][1], "taken"), "R7", "{second}");
    assert_eq!(clause(&second["groups"][1], "owed"), "R7", "{second}");
    // Also for the next process: what was released is kept.
    let other = bench.reopened().await;
    let third = other.run_as("ORG-T5-ken", "commons fairness", json!({})).await;
    assert_eq!(third, second);

    // Once enough members did something, the figures leave again; what came in between is a total of eight by itself.
    for i in 1..8 {
        take(i, (i + 1) % 8).await;
    }
    let fourth = told().await;
    assert_eq!(
        (&fourth["groups"][0]["given"], &fourth["groups"][1]["taken"], &fourth["groups"][1]["owed"]),
        (&json!(16), &json!(16), &json!(16)),
        "{fourth}"
    );
    bench.is_sound().await;
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
