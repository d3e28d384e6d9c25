//! Copies that are handed out under an agreement tell later to whom, and no value in them is altered.

use crate::bench::{Bench, bilingual};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// A member's strains in a data set that two others may take out.
async fn house() -> Bench {
    let bench = Bench::new().await;
    bench.commons().await;
    for member in ["ORG-A", "ORG-B", "ORG-C"] {
        bench.member(member).await;
    }
    let strains: Vec<String> = (0..80).map(|n| format!("ST-{n:03}")).collect();
    let mut csv = String::from("id,name,notes\n");
    for (n, strain) in strains.iter().enumerate() {
        csv += &format!("{strain},株 {},\"titre {}.{}0 g/L, flask\"\n", n % 7, n, n % 10);
    }
    let file = bench.file("strains.csv", csv);
    bench.run_as("ORG-A-steward", "record import", json!({ "kind": "strain", "path": file })).await;
    let set = json!({ "id": "DS-1", "title": "strains", "area": "competitive", "strains": strains });
    bench.run_as("ORG-A-kanri", "commons share", set).await;
    let terms = json!({ "grants": ["read", "export"] });
    bench.agreement("AG-1", &["ORG-A", "ORG-B", "ORG-C"], &["DS-1"], terms).await;
    bench
}

async fn file(bench: &Bench, user: &str, name: &str, input: Json) -> (Json, Vec<u8>) {
    let output = bench.call_as(user, name, input).await.unwrap();
    (output.json, output.attachment.unwrap().bytes)
}

/// Rows of a CSV as other programs read them, without the label.
fn rows(csv: &[u8]) -> Vec<Vec<String>> {
    let text = String::from_utf8(csv.to_vec()).unwrap();
    let plain = toji_commons::mark::read_csv(&text).unwrap();
    let label = plain.header.iter().position(|h| h == toji_commons::mark::LABEL_COLUMN);
    let cells = |row: Vec<toji_commons::mark::Cell>| {
        row.into_iter().enumerate().filter(|(c, _)| Some(*c) != label).map(|(_, cell)| cell.text).collect()
    };
    plain.rows.into_iter().map(cells).collect()
}

/// As a spreadsheet saves it: no label, no quotes but those needed.
fn retyped(rows: &[Vec<String>]) -> Vec<u8> {
    let columns = rows[0].len();
    let header: Vec<String> = std::iter::once("id".to_owned()).chain((1..columns).map(|c| format!("列{c}"))).collect();
    toji_commons::mark::write_csv(&header, rows, |_, _| false)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_table_names_the_copy_it_was_made_from() {
    let bench = house().await;
    let export = json!({ "kind": "strain", "format": "csv" });
    let (of_b, copy_b) = file(&bench, "ORG-B-steward", "record export", export.clone()).await;
    let (of_c, copy_c) = file(&bench, "ORG-C-steward", "record export", export.clone()).await;
    let (own, plain) = file(&bench, "ORG-A-steward", "record export", export).await;
    assert!(bilingual(&of_b["marked_copy"]["notice"]) && of_b["marked_copy"]["recipient"] == "ORG-B");
    assert!(own.get("marked_copy").is_none(), "one's own data carry none: {own}");
    assert_eq!(of_b["rows"], 80);
    // Every value as it was, every row once; in another order for each.
    let set = |csv: &[u8]| rows(csv).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(&copy_b), set(&plain));
    assert_eq!(set(&copy_c), set(&plain));
    assert!(copy_b != copy_c && rows(&copy_b) != rows(&copy_c));

    // Found elsewhere: as it came, cut in half and retyped, or sorted with its labels.
    let half: Vec<Vec<String>> = rows(&copy_b).into_iter().step_by(2).collect();
    let mut lines: Vec<&str> = std::str::from_utf8(&copy_b).unwrap().lines().collect();
    lines[1..].sort_unstable();
    for (name, found) in
        [("as-it-came", copy_b.clone()), ("sorted", lines.join("\n").into_bytes()), ("retyped", retyped(&rows(&copy_b)))]
    {
        let path = bench.file(&format!("{name}.csv"), found);
        let told = bench.run_as("ORG-A-kanri", "commons trace", json!({ "path": path })).await;
        assert_eq!((told["verdict"].as_str(), told["copies_examined"].as_u64()), (Some("one"), Some(2)), "{name}: {told}");
        let first = &told["copies"][0];
        assert_eq!(
            (&first["copy"], &first["recipient"], &first["person"]),
            (&of_b["marked_copy"]["copy"], &json!("ORG-B"), &json!("ORG-B-steward"))
        );
        assert!(first["chance_log10"].as_f64().unwrap() < told["traced_below_log10"].as_f64().unwrap(), "{told}");
        assert!(bilingual(&told["verdict_text"]));
    }
    // Twenty pairs of rows agree once in a million: not beyond chance over all tests, and it says so.
    let path = bench.file("half.csv", retyped(&half));
    let told = bench.run_as("ORG-A-kanri", "commons trace", json!({ "path": path })).await;
    assert_eq!(told["verdict"], "none", "{told}");
    let held: Vec<&Json> = told["copies"].as_array().unwrap().iter().map(|c| &c["held_percent"]).collect();
    assert_eq!(held, [&json!(100.0), &json!(100.0)], "both held these rows, which proves nothing");
    // What was never handed out names nobody, though both held its rows.
    let path = bench.file("own.csv", plain);
    assert_eq!(bench.run("commons trace", json!({ "path": path })).await["verdict"], "none");
    assert_eq!(of_c["marked_copy"]["recipient"], "ORG-C");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_tells_owners_of_their_own_data_alone() {
    let bench = house().await;
    let (_, copy) = file(&bench, "ORG-B-steward", "record export", json!({ "kind": "strain", "format": "xlsx" })).await;
    let path = bench.file("leaked.xlsx", copy);
    let input = json!({ "path": path });
    for (user, copies) in [("ORG-A-steward", 1), ("unei", 1), ("ORG-C-kanri", 0), ("ORG-B-kanri", 0)] {
        let told = bench.run_as(user, "commons trace", input.clone()).await;
        assert_eq!(told["copies_examined"], copies, "{user}: {told}");
        assert_eq!(told["verdict"], if copies == 1 { "one" } else { "none" }, "{user}");
    }
    assert_eq!(bench.refusal_as("ORG-B-ken", "commons trace", input).await.code(), "E-COMMONS-003");
    // The record of the copy is shown to nobody by other ways, and nobody writes one.
    for user in ["ORG-A-kanri", "ORG-B-steward", "unei", "somebody"] {
        let seen = bench.run_as(user, "record list", json!({ "kind": "marked-copy" })).await;
        assert_eq!(seen["records"], json!([]), "{user}");
    }
    bench.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_sql_leave_as_files_with_a_mark() {
    let bench = house().await;
    let query = "SELECT id, name FROM strain";
    let seen = bench.run_as("ORG-B-steward", "sql query", json!({ "query": query })).await;
    assert!(seen["rows"].as_array().unwrap().len() == 80 && seen.get("marked_copy").is_none(), "{seen}");
    let (told, csv) = file(&bench, "ORG-B-steward", "sql query", json!({ "query": query, "format": "csv" })).await;
    assert_eq!(told["marked_copy"]["recipient"], "ORG-B");
    assert_eq!(rows(&csv).len(), 80);
    for (name, found) in [("sql.csv", csv.clone()), ("sql-retyped.csv", retyped(&rows(&csv)))] {
        let path = bench.file(name, found);
        let told = bench.run("commons trace", json!({ "path": path })).await;
        assert_eq!((&told["verdict"], &told["copies"][0]["recipient"]), (&json!("one"), &json!("ORG-B")), "{name}: {told}");
    }
    // Whoever asks for an order gets it.
    let ordered = json!({ "query": format!("{query} ORDER\n by id"), "format": "json" });
    let (told, json) = file(&bench, "ORG-B-steward", "sql query", ordered).await;
    let ids: Vec<&str> = told["rows"].as_array().unwrap().iter().map(|r| r[0].as_str().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() == 80);
    assert_eq!(told["columns"][2]["name"], "toji_release");
    let path = bench.file("sql.json", json);
    assert_eq!(bench.run("commons trace", json!({ "path": path })).await["verdict"], "one", "by its labels");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_store_names_to_whom_a_copy_goes_and_it_can_be_taken_in_again() {
    let bench = house().await;
    let given = json!({ "kind": "strain", "format": "json", "recipient": "ORG-C" });
    let (told, json) = file(&bench, "ORG-A-steward", "record export", given).await;
    assert_eq!(told["marked_copy"]["recipient"], "ORG-C");
    let path = bench.file("given.json", json);
    let report = bench.run_as("ORG-A-steward", "record import", json!({ "kind": "strain", "path": path })).await;
    assert_eq!(report["rows"], 80);
    let strain = bench.get("strain", "ST-001").await;
    assert!(!strain.to_string().contains("toji_release"), "the label is no field: {strain}");
    // Without a commons nobody is marked, and a recipient cannot be named.
    let alone = Bench::new().await;
    alone.organisation("ORG-X").await;
    let told = alone.run("record export", json!({ "kind": "organisation" })).await;
    assert!(told.get("marked_copy").is_none());
    let refused = alone.refusal("record export", json!({ "kind": "organisation", "recipient": "ORG-X" })).await;
    assert_eq!(refused.code(), "E-COMMONS-001");
}
