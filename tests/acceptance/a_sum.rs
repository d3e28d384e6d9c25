//! A03: sums by two aggregators, of whom neither sees what one member has.

use crate::bench::{Bench, bilingual};
use serde_json::{Value as Json, json};
use toji_commons::log::{KeyKind, Note, SigningKey};
use toji_core::Category;

const MEMBERS: [&str; 6] = ["ORG-A", "ORG-B", "ORG-C", "ORG-D", "ORG-E", "ORG-F"];

/// A house with six members and the second aggregator ORG-Z, and an agreement of the six.
async fn house() -> Bench {
    let bench = Bench::new().await;
    bench.commons().await;
    bench.register_key("ORG-HOME").await;
    for member in MEMBERS {
        bench.member(member).await;
        let run = json!({ "kind": "run", "id": format!("RUN-{member}"), "fields": { "title": "培養", "key": member } });
        bench.run_as(&format!("{member}-steward"), "record put", run).await;
        let set =
            json!({ "id": format!("DS-{member}"), "title": member, "area": "clean-room", "runs": [format!("RUN-{member}")] });
        bench.run_as(&format!("{member}-kanri"), "commons share", set).await;
    }
    bench.member("ORG-Z").await;
    let sets: Vec<String> = MEMBERS.iter().map(|m| format!("DS-{m}")).collect();
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    bench.agreement("AG-1", &MEMBERS, &sets, json!({})).await;
    bench
}

/// A member's own store: so many runs, of which so many failed.
async fn own(runs: u32, failed: u32) -> Bench {
    let bench = Bench::new().await;
    for i in 0..runs {
        bench.put("run", &format!("R-{i}"), json!({ "title": "自社の培養", "key": format!("k{i}") })).await;
        if i < failed {
            bench
                .put("event", &format!("E-{i}"), json!({ "run": format!("R-{i}"), "sort": "contamination", "label": "雑菌" }))
                .await;
        }
    }
    bench
}

/// What a member of so many runs and failures hands to either aggregator.
async fn report(house: &Bench, member: &str, document: &Json, (runs, failed): (u32, u32)) -> [String; 2] {
    let store = own(runs, failed).await;
    let input = json!({ "question": document, "key_file": house.key_file(member) });
    let told = store.run("commons sum-report", input).await;
    assert!(bilingual(&told["question"]) && told["member"] == member && told["own_runs"] == runs, "{told}");
    ["to_first", "to_second"].map(|to| told[to].as_str().unwrap().to_owned())
}

/// A member that signs what it likes: the first bit of its first number is made no bit.
fn out_of_range(house: &Bench, member: &str, report: &str) -> String {
    use base64::Engine as _;
    let coder = base64::engine::general_purpose::STANDARD;
    let note = Note::parse(report).unwrap();
    let (heading, body) = note.text().split_once('\n').unwrap();
    let mut body: Json = serde_json::from_str(body).unwrap();
    let mut share = coder.decode(body["share"].as_str().unwrap()).unwrap();
    share[0] ^= 4;
    body["share"] = coder.encode(share).into();
    let words = std::fs::read_to_string(house.key_file(member)).unwrap();
    let hex = words.split_whitespace().nth(2).unwrap();
    let mut seed = [0u8; 32];
    (0..32).for_each(|i| seed[i] = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap());
    let key = SigningKey::from_seed(member, KeyKind::Log, &seed).unwrap();
    let mut forged = Note::new(format!("{heading}\n{}\n", toji_core::canonical::to_canonical(&body).unwrap())).unwrap();
    forged.add(key.sign(forged.text()).unwrap());
    forged.to_string()
}

fn column(reports: &[[String; 2]], which: usize) -> Vec<&String> {
    reports.iter().map(|r| &r[which]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_safety_two_aggregators_add_what_neither_sees_and_refuse_who_is_out_of_range() {
    let house = house().await;
    let mean = json!({ "agreement": "AG-1", "measure": "failure-rate", "second": "ORG-Z", "of": "mean", "unit": "%" });
    let asked = house.run_as("ORG-A-ken", "commons sum", mean.clone()).await;
    let (sum, document) = (&asked["sum"], &asked["document"]);
    assert_eq!((&asked["members"], &asked["contributors_min"]), (&json!(MEMBERS), &json!(5)), "{asked}");
    // Five honest members of 0, 10, 20, 30 and 40 % and one that lies; one report comes for another question.
    let mut reports = Vec::new();
    for (i, member) in (0u32..).zip(&MEMBERS[..5]) {
        reports.push(report(&house, member, document, (10, i)).await);
    }
    let liar = report(&house, "ORG-F", document, (10, 9)).await;
    reports.push([out_of_range(&house, "ORG-F", &liar[0]), liar[1].clone()]);
    let elsewhere = house
        .run_as(
            "ORG-A-ken",
            "commons sum",
            json!({ "agreement": "AG-1", "measure": "failure-rate", "second": "ORG-Z", "of": "runs", "unit": "%" }),
        )
        .await;
    // A house that holds members' rows cannot report for them, and only the operator opens.
    let at_house = json!({ "question": document, "key_file": house.key_file("ORG-A") });
    assert_eq!(house.refusal_as("ORG-A-ken", "commons sum-report", at_house).await.code(), "E-COMMONS-105");
    let open =
        |sum: &Json, reports: Vec<&String>| json!({ "sum": sum, "reports": reports, "key_file": house.key_file("ORG-HOME") });
    assert_eq!(house.refusal_as("ORG-A-ken", "commons sum-open", open(sum, column(&reports, 0))).await.code(), "E-COMMONS-003");
    // Shares that were handed to the wrong aggregator, or too few, tell nothing.
    assert_eq!(house.refusal("commons sum-open", open(sum, column(&reports, 1))).await.code(), "E-COMMONS-101");
    assert_eq!(house.refusal("commons sum-open", open(sum, column(&reports[..4], 0))).await.code(), "E-COMMONS-101");
    let opened = house.run("commons sum-open", open(sum, column(&reports, 0))).await;
    assert_eq!((&opened["contributors"], &opened["left_out"]), (&json!(6), &json!([])), "{opened}");

    let second = Bench::new().await;
    let check = |document: &Json, opened: &Json, reports: Vec<&String>| json!({ "question": document, "reports": reports, "opened": opened["hand_on"], "key_file": house.key_file("ORG-Z") });
    // Bound to its question: what was opened for one cannot be used for another.
    let strange = check(&elsewhere["document"], &opened, column(&reports, 1));
    assert_eq!(second.refusal("commons sum-check", strange).await.code(), "E-COMMONS-098");
    let answer = second.run("commons sum-check", check(document, &opened, column(&reports, 1))).await;
    assert_eq!(answer["contributors"], 5, "{answer}");
    let left_out = &answer["left_out"][0];
    assert_eq!((&left_out["member"], &left_out["refusal_code"]), (&json!("ORG-F"), &json!("E-AGGREGATE-005")), "{answer}");
    assert!(bilingual(&left_out["reason"]));
    // Asked again, with one report less, it gives what it gave.
    let again = second.run("commons sum-check", check(document, &opened, column(&reports[1..], 1))).await;
    assert_eq!(again, answer);

    let total = json!({ "sum": sum, "answer": answer["hand_on"] });
    let totalled = house.run("commons sum-total", total.clone()).await;
    assert_eq!((&totalled["contributors"], &totalled["left_out"]), (&json!(5), &answer["left_out"]), "{totalled}");
    assert_eq!(totalled["totals"][0]["value"], 20.0, "the mean of 0 to 40 %: {totalled}");
    assert_eq!(house.run("commons sum-total", total).await, totalled, "no second answer");
    // The release stands for members as every other; what aggregators keep is closed to them.
    let release = house
        .run_as("ORG-B-ken", "record get", json!({ "kind": "aggregate-release", "id": totalled["totals"][0]["release"] }))
        .await;
    assert_eq!((&release["fields"]["total"], &release["fields"]["contributors"]), (&json!(20.0), &json!(5)), "{release}");
    assert_eq!(house.run_as("ORG-B-ken", "record list", json!({ "kind": "sum-half" })).await["records"], json!([]));
    // The same again would differ by what one member did meanwhile: not before 90 days, neither here nor at the other.
    assert_eq!(house.refusal_as("ORG-B-ken", "commons sum", mean).await.code(), "E-COMMONS-099");
    house.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_safety_a_house_that_makes_members_up_is_refused_and_noise_is_paid_for() {
    let house = house().await;
    // Noise: 6 members with 4 runs each, of ε = 5 of a budget of 8.
    let ask = json!({ "agreement": "AG-1", "measure": "failure-rate", "second": "ORG-Z", "of": "classes", "classes": 2, "of_member_max": 4, "unit": "%", "epsilon": 5.0 });
    assert_eq!(house.refusal_as("ORG-A-ken", "commons sum", ask.clone()).await.code(), "E-COMMONS-061");
    for member in MEMBERS {
        house.run_as(&format!("{member}-kanri"), "commons set-budget", json!({ "agreement": "AG-1", "epsilon": 8.0 })).await;
    }
    let asked = house.run_as("ORG-A-ken", "commons sum", ask.clone()).await;
    assert_eq!((&asked["budget"]["paid"], &asked["budget"]["remaining"]), (&json!(5.0), &json!(3.0)), "{asked}");
    assert_eq!(house.refusal_as("ORG-B-ken", "commons sum", ask).await.code(), "E-PRIVACY-008");
    let document = &asked["document"];
    let mut reports = Vec::new();
    for member in MEMBERS {
        reports.push(report(&house, member, document, (4, 1)).await);
    }
    let input = json!({ "sum": asked["sum"], "reports": column(&reports, 0), "key_file": house.key_file("ORG-HOME") });
    let opened = house.run("commons sum-open", input).await;
    let second = Bench::new().await;
    let check = json!({ "question": document, "reports": column(&reports, 1), "opened": opened["hand_on"], "key_file": house.key_file("ORG-Z") });
    let answer = second.run("commons sum-check", check.clone()).await;
    let totalled = house.run("commons sum-total", json!({ "sum": asked["sum"], "answer": answer["hand_on"] })).await;
    let totals = totalled["totals"].as_array().unwrap();
    assert_eq!((totals.len(), &totals[0]["class_to"]), (2, &json!(50.0)));
    for (told, truth) in totals.iter().zip([18.0, 6.0]) {
        let figure = &told["with_noise"];
        let [value, low, high] = ["value", "low", "high"].map(|n| figure[n].as_f64().unwrap());
        // Far wider than what 99.99 % of the noise of both reaches, and yet no exact figure.
        assert!((value - truth).abs() < 40.0 && low <= value && value <= high && told["value"].is_null(), "{totalled}");
        assert_ne!(value, truth, "without noise");
    }
    // Keys that a house swaps for those of members it made up are noticed by the second aggregator.
    let mut swapped: Json = serde_json::from_str(document.as_str().unwrap()).unwrap();
    swapped["keys"]["ORG-B"] = swapped["keys"]["ORG-A"].clone();
    swapped["asked_at"] = json!("2026-11-25T00:00:00Z");
    let mut forged = check;
    forged["question"] = swapped.to_string().into();
    let refused = second.refusal("commons sum-check", forged).await;
    assert_eq!((refused.code(), refused.category()), ("E-COMMONS-109", Category::Conflict));
}
