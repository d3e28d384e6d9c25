//! D: economic security: know-how and secrets.

use crate::bench::{Bench, bilingual};
use serde_json::{Value as Json, json};

#[tokio::test(flavor = "multi_thread")]
async fn d04_least_privilege_an_audit_trail_that_cannot_be_altered_and_a_secret_export_that_needs_approval() {
    let bench = Bench::new().await;
    bench.commons().await;
    bench.member("ORG-A").await;
    let put = |id: &str, title: &str| json!({ "kind": "protocol", "id": id, "fields": { "name": title, "steps": [{ "name": "mix" }] } });
    let entered = bench.call_as("ORG-A-steward", "record put", put("PR-1", "himitsu recipe")).await;
    entered.unwrap_or_else(|e| panic!("{e:?}"));

    // Least privilege: every role does what it is for and no more.
    for (user, name, input, allowed) in [
        ("ORG-A-ken", "record get", json!({ "kind": "protocol", "id": "PR-1" }), true),
        ("unei", "record get", json!({ "kind": "protocol", "id": "PR-1" }), false),
        ("yushutsu", "record get", json!({ "kind": "protocol", "id": "PR-1" }), false),
        ("somebody", "record get", json!({ "kind": "protocol", "id": "PR-1" }), false),
        ("ORG-A-ken", "store decisions", json!({}), false),
        ("unei", "store decisions", json!({}), true),
        ("ORG-A-ken", "commons share", json!({ "id": "DS-X", "title": "x", "area": "public", "protocols": ["PR-1"] }), false),
        ("ORG-A-kanri", "commons screen", json!({ "organisation": "ORG-A", "listing": "clear", "evidence": "x" }), false),
        ("ORG-A-kanri", "commons decide", json!({ "organisation": "ORG-A", "approve": true, "reason": "x" }), false),
        ("somebody", "record put", put("PR-2", "x"), false),
        ("unei", "record put", put("PR-2", "x"), false),
    ] {
        let told = bench.call_as(user, name, input.clone()).await;
        assert_eq!(told.is_ok(), allowed, "{user} {name} {input}: {told:?}");
        if let Err(error) = told {
            let fault = error.fault();
            assert!(fault.message.ja != fault.message.en && !format!("{error:?}").contains("himitsu"), "{error:?}");
        }
    }

    // A secret: its protection is examined, and it leaves only after somebody else approved.
    let secret = json!({ "id": "DS-1", "title": "製法", "area": "competitive", "protocols": ["PR-1"], "secrecy": "secret",
                         "marked_secret": true, "access_controlled": true });
    let shared = bench.run_as("ORG-A-kanri", "commons share", secret).await;
    let missing: Vec<&str> = shared["protection"].as_array().unwrap().iter().map(|r| r["name"]["en"].as_str().unwrap()).collect();
    assert_eq!(missing, ["useful for business activity", "not publicly known"]);
    let stated = json!({ "id": "DS-1", "useful": "収率が上がる", "not_public": "社外に出していない" });
    bench.run_as("ORG-A-kanri", "commons share", stated).await;
    let checked = bench.run_as("ORG-A-ken", "commons protection", json!({ "id": "DS-1" })).await;
    assert_eq!(checked["met"], true);
    assert!(checked["requirements"].as_array().unwrap().iter().all(|r| bilingual(&r["name"]) && bilingual(&r["basis"])));

    let export = json!({ "kind": "protocol", "format": "csv" });
    let rows = |output: toji_ops::Output| String::from_utf8(output.attachment.unwrap().bytes).unwrap();
    let leaves =
        || async { rows(bench.call_as("ORG-A-steward", "record export", export.clone()).await.unwrap()).contains("himitsu") };
    assert!(!leaves().await, "not without approval");
    let ask = json!({ "data_set": "DS-1", "recipient": "受託先", "reason": "受託製造" });
    let asked = bench.run_as("ORG-A-steward", "commons request-export", ask).await;
    let request = json!({ "request": asked["request"] });
    assert_eq!(bench.refusal_as("ORG-A-steward", "commons approve-export", request.clone()).await.code(), "E-COMMONS-035");
    assert_eq!(bench.refusal_as("ORG-A-ken", "commons approve-export", request.clone()).await.code(), "E-COMMONS-003");
    assert!(!leaves().await, "asking is not approval");
    let approved = bench.run_as("ORG-A-kanri", "commons approve-export", request.clone()).await;
    assert_eq!(approved["until"], "2026-12-01T03:00:00Z");
    assert!(leaves().await, "approved");
    assert_eq!(bench.refusal_as("ORG-A-kanri", "commons approve-export", request).await.code(), "E-COMMONS-007");
    let bench = bench.on("2026-12-01T03:00:00Z");
    let late = rows(bench.call_as("ORG-A-steward", "record export", export).await.unwrap());
    assert!(!late.contains("himitsu"), "the approval has ended");

    // The audit trail: signed, mirrored, verified without the store, cosigned; a byte altered anywhere is found.
    bench.register_key("ORG-HOME").await;
    let signed = bench.run("commons checkpoint", json!({ "key_file": bench.key_file("ORG-HOME") })).await;
    let size = signed["size"].as_u64().unwrap();
    assert!(size > 10, "{signed}");
    let mirror = bench.call_as("ORG-A-ken", "commons mirror", json!({})).await.unwrap().attachment.unwrap().bytes;
    let mirror = String::from_utf8(mirror).unwrap();
    assert!(!mirror.contains("ORG-A-steward") && !mirror.contains("himitsu"), "no person and no secret stands in the log");
    let verify = |mirror: &str| json!({ "mirror": mirror });
    let stranger = Bench::new().await;
    let verified = stranger.run("commons verify-log", verify(&mirror)).await;
    assert_eq!((&verified["size"], &verified["root"]), (&signed["size"], &signed["root"]));
    let document: Json = serde_json::from_str(&mirror).unwrap();
    for at in 0..document["leaves"].as_array().unwrap().len() {
        let mut altered = document.clone();
        let leaf = altered["leaves"][at].as_str().unwrap().replacen("\"at\":\"2026", "\"at\":\"2025", 1);
        assert_ne!(leaf, altered["leaves"][at].as_str().unwrap());
        altered["leaves"][at] = leaf.into();
        assert_eq!(stranger.refusal("commons verify-log", verify(&altered.to_string())).await.code(), "E-LOG-016", "leaf {at}");
    }
    let mut shorter = document.clone();
    shorter["leaves"].as_array_mut().unwrap().pop();
    assert_eq!(stranger.refusal("commons verify-log", verify(&shorter.to_string())).await.code(), "E-LOG-016");

    // A member's own node cosigns what continues what it saw, and refuses a fork.
    let node = Bench::new().await;
    let cosign = |mirror: &str| json!({ "mirror": mirror, "key_file": bench.key_file("ORG-A") });
    let first = node.run("commons cosign", cosign(&mirror)).await;
    assert_eq!((&first["before"], &first["size"]), (&json!(0), &signed["size"]));
    let handed = json!({ "organisation": "ORG-A", "signature": first["signature"] });
    let head = bench.run_as("ORG-A-kanri", "commons cosigned", handed).await;
    assert_eq!(head["cosigned_by"], json!(["ORG-A"]));
    bench.run("commons checkpoint", json!({ "key_file": bench.key_file("ORG-HOME") })).await;
    let later = bench.call_as("ORG-A-ken", "commons mirror", json!({})).await.unwrap().attachment.unwrap().bytes;
    let second = node.run("commons cosign", cosign(&String::from_utf8(later).unwrap())).await;
    assert_eq!(second["before"], signed["size"]);
    // The older head, signed truly, is no continuation any more.
    assert_eq!(node.refusal("commons cosign", cosign(&mirror)).await.code(), "E-LOG-014");

    // Decisions and counts of reads stand in it by batches; the house shows that its rows are those that were signed.
    let mirrored = || async {
        let mirror = bench.run_filed("commons mirror").await;
        json!({ "mirror": mirror, "rows": true })
    };
    let quiet = bench.run("commons checkpoint", json!({ "key_file": bench.key_file("ORG-HOME") })).await;
    let still = bench.run("commons checkpoint", json!({ "key_file": bench.key_file("ORG-HOME") })).await;
    assert_eq!((&still["size"], &still["root"]), (&quiet["size"], &quiet["root"]), "nothing new, no leaf");
    let compared = bench.run("commons verify-log", mirrored().await).await;
    let batches = &compared["entries"];
    assert!(batches["decisions"].as_u64() > Some(0) && batches["reads"].as_u64() > Some(0), "{compared}");
    assert!(compared["rows_checked"].as_u64().unwrap() > 10, "{compared}");
    assert_eq!(bench.refusal_as("ORG-A-ken", "commons verify-log", mirrored().await).await.code(), "E-COMMONS-003");

    // A person is forgotten; the log stays verifiable, with the rows behind it.
    let forgotten = bench.run("commons forget", json!({ "person": "ORG-A-steward", "reason": "本人の請求" })).await;
    assert!(forgotten["commitments"].as_u64().unwrap() > 0);
    assert!(!bench.run("store decisions", json!({ "limit": 1000 })).await.to_string().contains("ORG-A-steward"));
    stranger.run("commons verify-log", verify(&mirror)).await;
    assert_eq!(bench.run("commons verify-log", mirrored().await).await["rows_checked"], compared["rows_checked"]);
    bench.is_sound().await;

    // A row changed, taken out, or laid at another's door behind the store's back: the range is named.
    for (statement, undo, range) in [
        (
            "UPDATE decisions SET allow = 1 - allow WHERE n = 1",
            "UPDATE decisions SET allow = 1 - allow WHERE n = 1",
            "decisions 1",
        ),
        ("UPDATE decisions SET n = -1 WHERE n = 2", "UPDATE decisions SET n = 2 WHERE n = -1", "decisions 1"),
        ("UPDATE reads SET count = count + 1 WHERE n = 1", "UPDATE reads SET count = count - 1 WHERE n = 1", "reads 1"),
        (
            "UPDATE reads SET who = who || 'x' WHERE n = 1",
            "UPDATE reads SET who = substr(who, 1, length(who) - 1) WHERE n = 1",
            "reads 1",
        ),
    ] {
        bench.tamper(statement).await;
        let found = bench.refusal("commons verify-log", mirrored().await).await;
        assert!(found.code() == "E-COMMONS-110" && found.to_string().contains(range), "{statement}: {found:?}");
        bench.tamper(undo).await;
    }
    bench.run("commons verify-log", mirrored().await).await;
}

#[tokio::test]
async fn d04_a_model_that_is_kept_opens_to_nobody_who_may_not_read_its_file() {
    let bench = Bench::new().await;
    bench.commons().await;
    bench.member("ORG-A").await;
    bench.member("ORG-B").await;
    let model = json!({ "id": "m", "metabolites": [{ "id": "a" }], "genes": [], "reactions": [
        { "id": "IN", "metabolites": { "a": 1.0 }, "lower_bound": 0.0, "upper_bound": 7.0, "gene_reaction_rule": "" },
        { "id": "OUT", "metabolites": { "a": -1.0 }, "lower_bound": 0.0, "upper_bound": 9.0, "gene_reaction_rule": "",
          "objective_coefficient": 1.0 }] });
    let now = toji_core::Instant::parse("2026-11-24T03:00:00Z").unwrap();
    let sender = bench.session.access_of(Some("ORG-A-ken"), None, now).await.unwrap();
    let staged = bench.session.stage(&sender, "m.json", model.to_string().into_bytes()).await.unwrap();
    let ask = json!({ "model": staged.address });
    // Asked twice by its sender, so that it is kept; the answer is the same.
    let first = bench.run_as("ORG-A-ken", "flux fba", ask.clone()).await;
    assert_eq!(first["objective"]["value"], 7.0, "{first}");
    assert_eq!(bench.run_as("ORG-A-ken", "flux fba", ask.clone()).await, first);
    for operation in ["flux fba", "flux fva", "flux model", "flux convert"] {
        let refused = bench.refusal_as("ORG-B-ken", operation, ask.clone()).await;
        assert_eq!(refused.category(), toji_core::Category::Denied, "{operation}: {refused:?}");
    }
}
