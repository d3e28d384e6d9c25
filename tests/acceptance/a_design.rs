//! A: strains, data and the design platform.

use crate::bench::{Bench, bilingual, places, root, texts};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Access, Id, Instant, KindSet, Quantity, Unit, substance};
use toji_store::{Commit, Put, Store};

/// A file of the generated demonstration, by the end of its name.
fn generated(end: &str) -> Vec<u8> {
    let files = toji_ingest::generate::demo_files(7);
    files.into_iter().find(|(name, _)| name.ends_with(end)).unwrap_or_else(|| panic!("no {end}")).1
}

/// A brewing run with observations, of the strain STR-1; answers the run and its observations.
async fn run_with_observations(bench: &Bench) -> (String, Vec<String>) {
    let report = bench.run("run import", json!({ "paths": [bench.file("醪経過簿.csv", generated("醪経過簿.csv"))] })).await;
    let run = report["runs"][0]["id"].as_str().unwrap().to_owned();
    bench.put("run", &run, json!({ "strain": "STR-1" })).await;
    let observations = bench
        .list("observation")
        .await
        .iter()
        .filter(|o| o["fields"]["run"] == run.as_str())
        .map(|o| o["id"].as_str().unwrap().to_owned())
        .collect();
    (run, observations)
}

async fn strain_with_lists(bench: &Bench) {
    let strain = json!({ "name": "耐熱性酵母 T-45", "organism_type": "Fungi", "taxon_name": "Kluyveromyces marxianus", "risk_group": "1",
                         "lmo_class": "not-lmo", "applications": ["45 °C でのエタノール発酵"] });
    bench.put("strain", "STR-1", strain).await;
    bench.put("licence", "LIC-1", json!({ "name_ja": "研究利用", "name_en": "Research use", "duo": ["DUO:0000042"], "text_ja": "研究にのみ使用できます。", "text_en": "For research only." })).await;
    let list = |kind: &str, fields: &[&str], more: Json| {
        let mut list = json!({ "name": format!("{kind} の項目"), "number": 1, "for_kind": kind, "required_fields": fields });
        list.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        list
    };
    bench
        .put(
            "item-list",
            "ITEMS-STRAIN-1",
            list(
                "strain",
                &["name", "taxon_name", "risk_group", "lmo_class"],
                json!({ "linked_kinds": ["genome", "run", "observation"], "recommended_fields": ["origin_country"] }),
            ),
        )
        .await;
    bench.put("item-list", "ITEMS-GENOME-1", list("genome", &["accession", "level"], json!({}))).await;
    bench.put("item-list", "ITEMS-RUN-1", list("run", &["started", "strain"], json!({}))).await;
    bench.put("item-list", "ITEMS-OBS-1", list("observation", &["attribute", "value"], json!({}))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a01_a_deposit_is_checked_found_and_delivered_and_an_unmet_need_is_a_gap() {
    let bench = Bench::new().await;
    strain_with_lists(&bench).await;
    let (run, observations) = run_with_observations(&bench).await;
    assert!(observations.len() > 1, "an observation set");
    bench
        .put(
            "genome",
            "GEN-1",
            json!({ "name": "T-45 genome", "strain": "STR-1", "accession": "TEST000001", "database": "DDBJ" }),
        )
        .await;
    bench.put("deposit", "DEP-1", json!({ "title": "耐熱性酵母の寄託", "strain": "STR-1", "runs": [run.as_str()], "observations": observations, "licence": "LIC-1", "state": "draft" })).await;

    // Checked against versioned lists: what is missing is named by record and field, and nothing is accepted.
    let refused = bench.refusal("deposit submit", json!({ "id": "DEP-1" })).await;
    assert_eq!(places(&refused), ["«deposit/DEP-1/genome»"]);
    bench.put("deposit", "DEP-1", json!({ "genome": "GEN-1" })).await;
    assert_eq!(places(&bench.refusal("deposit submit", json!({ "id": "DEP-1" })).await), ["«genome/GEN-1/level»"]);
    bench.put("genome", "GEN-1", json!({ "level": "complete" })).await;
    let early = bench
        .refusal("deposit deliver", json!({ "id": "DEP-1", "recipient": "受領機関", "purpose": "研究", "accept_licence": true }))
        .await;
    assert_eq!(early.code(), "E-DELIVERY-002");
    let submitted = bench.run("deposit submit", json!({ "id": "DEP-1", "reason": "初回寄託" })).await;
    assert_eq!((&submitted["state"], &submitted["check"]["ok"]), (&json!("checked"), &json!(true)));
    let used: BTreeSet<String> = texts(&submitted["check"]["item_lists"], "id").into_iter().collect();
    assert_eq!(used, BTreeSet::from(["ITEMS-STRAIN-1", "ITEMS-GENOME-1", "ITEMS-RUN-1", "ITEMS-OBS-1"].map(String::from)));
    assert_eq!(submitted["check"]["item_lists"][0]["number"], 1);
    assert_eq!(bench.run("deposit submit", json!({ "id": "DEP-1" })).await["changed"], false);
    // A stricter version of a list does not change what was checked, but a new check by it fails.
    bench.put("item-list", "ITEMS-STRAIN-2", json!({ "name": "strain の項目", "number": 2, "for_kind": "strain", "required_fields": ["name", "origin_country"], "replaces": "ITEMS-STRAIN-1" })).await;
    assert_eq!(bench.run("deposit check", json!({ "id": "DEP-1" })).await["ok"], true);
    let newer = bench.run("deposit check", json!({ "id": "DEP-1", "item_lists": ["ITEMS-STRAIN-2"] })).await;
    assert_eq!((&newer["ok"], &newer["findings"][0]["place"]["field"]), (&json!(false), &json!("strain/STR-1/origin_country")));

    // Found by query, in either language.
    for question in ["耐熱性酵母", "Kluyveromyces marxianus"] {
        let hits = bench.run("search query", json!({ "text": question })).await["hits"].clone();
        assert!(texts(&hits, "id").contains(&"STR-1".to_owned()), "{question}: {hits}");
    }
    let hits = bench.run("search query", json!({ "text": "耐熱性酵母の寄託", "kinds": ["deposit"] })).await["hits"].clone();
    assert_eq!(texts(&hits, "id"), ["DEP-1"]);

    // Delivered under its licence, and only under it.
    let without = bench.refusal("deposit deliver", json!({ "id": "DEP-1", "recipient": "受領機関", "purpose": "研究" })).await;
    assert_eq!(
        (without.code(), without.fault().place.as_ref().unwrap().field.as_deref()),
        ("E-DELIVERY-008", Some("accept_licence"))
    );
    let output = bench
        .output(
            "deposit deliver",
            json!({ "id": "DEP-1", "recipient": "受領機関", "purpose": "発酵条件の研究", "accept_licence": true }),
        )
        .await;
    let delivered = &output.json;
    assert_eq!((&delivered["licence"]["id"], &delivered["licence"]["duo"]), (&json!("LIC-1"), &json!(["DUO:0000042"])));
    assert!(bilingual(&delivered["licence"]["text"]));
    let kinds: BTreeSet<String> = texts(&delivered["contents"], "kind").into_iter().collect();
    assert_eq!(kinds, BTreeSet::from(["strain", "genome", "run", "observation"].map(String::from)));
    assert_eq!(delivered["contents"].as_array().unwrap().len(), 3 + observations.len());
    let package: Json = serde_json::from_slice(&output.attachment.unwrap().bytes).unwrap();
    assert_eq!(
        (&package["licence"]["text"]["en"], &package["records"][0]["fields"]["name"]),
        (&json!("For research only."), &json!("耐熱性酵母 T-45"))
    );
    // The ledger knows: to whom, which version, on which terms.
    let record = bench.get("delivery", delivered["delivery"].as_str().unwrap()).await;
    assert_eq!(
        (&record["fields"]["recipient"], &record["fields"]["licence"], &record["fields"]["deposit"]),
        (&json!("受領機関"), &json!("LIC-1"), &json!("DEP-1"))
    );
    let history = bench.run("record history", json!({ "kind": "delivery", "id": delivered["delivery"] })).await;
    assert_eq!(history["versions"][0]["operation"], "deposit deliver");
    bench.is_sound().await;

    // A need that nothing stored answers is a gap; one that the strain may answer is not.
    bench.put("need", "NEED-1", json!({ "title": "CO2 からの高分子生産", "organism": "水素細菌", "condition": "60 °C", "product": "PHB", "sector": "化学", "state": "open" })).await;
    bench
        .put(
            "need",
            "NEED-2",
            json!({ "title": "高温での発酵", "organism": "耐熱性酵母", "product": "エタノール", "state": "open" }),
        )
        .await;
    let gaps = bench.run("need gaps", json!({})).await;
    assert_eq!((&gaps["gaps"], &gaps["needs"]), (&json!(1), &json!(2)));
    assert_eq!((&gaps["list"][0]["id"], &gaps["list"][0]["gap"]), (&json!("NEED-1"), &json!(true)));
    assert!(bilingual(&gaps["list"][0]["reason"]));
    assert!(texts(&gaps["list"][1]["candidates"], "id").contains(&"STR-1".to_owned()), "{gaps}");
}

/// Results by variable, with their units, and the version of the schema they are stored under.
async fn results(bench: &Bench, file: &str) -> (BTreeMap<String, Unit>, BTreeSet<u64>, BTreeSet<String>) {
    let (mut units, mut versions, mut fields) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for assay in bench.list("assay").await.iter().filter(|a| a["fields"]["file"] == file) {
        if let Some(variable) = assay["fields"]["variable"].as_str() {
            units.insert(variable.to_owned(), Unit::parse(assay["fields"]["value"]["unit"].as_str().unwrap_or("1")).unwrap());
        }
        fields.extend(assay["fields"]["value"].as_object().unwrap().keys().cloned());
        if versions.is_empty() {
            versions.insert(bench.get("assay", assay["id"].as_str().unwrap()).await["kind_version"].as_u64().unwrap());
        }
    }
    (units, versions, fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn a05_two_makers_map_to_one_schema_and_faults_are_located_and_old_records_migrate() {
    let bench = Bench::new().await;
    // Two analysers of two makers: one comma-separated with US dates, the other tab-separated with codes for tests.
    let mut seen = Vec::new();
    for (end, format) in [("fedbatch_1L.flex2.csv", "nova-flex2"), ("fedbatch_1L.cedex_bioht.txt", "roche-cedex-bioht")] {
        let report = bench.run("run import", json!({ "paths": [bench.file(end, generated(end))] })).await;
        assert_eq!(report["files"][0]["format"], format);
        let file = bench.list("file").await.into_iter().find(|f| f["fields"]["format"] == format).unwrap();
        seen.push(results(&bench, file["id"].as_str().unwrap()).await);
    }
    let [(nova, nova_version, nova_fields), (roche, roche_version, _)] = seen.as_slice() else { unreachable!() };
    assert_eq!((nova_version, nova_version.len()), (roche_version, 1));
    assert!(["kind", "text", "unit"].iter().all(|f| nova_fields.contains(*f)), "{nova_fields:?}");
    let shared: Vec<&String> = nova.keys().filter(|v| roche.contains_key(*v)).collect();
    assert_eq!(shared, ["ammonium", "glucose"]);
    for variable in shared {
        // mg/L of one maker becomes mmol/L of the other, through the substance where it must.
        let (from, to) = (&roche[variable], &nova[variable]);
        let quantity = Quantity::new(17.0, from.clone());
        let converted = quantity
            .to(to)
            .or_else(|_| substance::convert(&quantity, to, substance::Substance::find(variable).unwrap()))
            .unwrap();
        assert!(converted.value.is_finite() && converted.value > 0.0, "{variable}: {from} to {to}");
    }

    wrong_units_and_missing_items_are_refused(&bench).await;
    old_records_migrate().await;
}

async fn wrong_units_and_missing_items_are_refused(bench: &Bench) {
    let columns = |gluc_unit: &str| {
        json!([
            { "column": 1, "header": "t", "role": "time" },
            { "column": 2, "header": "Gluc", "role": "channel", "quantity": "glucose", "unit": gluc_unit },
            { "column": 3, "header": "pH", "role": "channel", "quantity": "ph", "unit": "[pH]" },
        ])
    };
    let mapping = |gluc_unit: &str| {
        json!({ "name": "試験", "version": 1, "layout": "wide", "header_row": 1, "run": "R", "time": { "column": 1, "header": "t", "rule": { "kind": "elapsed", "unit": "h" } },
                "columns": columns(gluc_unit) })
    };
    let path = bench.file("table.csv", "t,Gluc,pH\n0,20,7\n1,19,6.9\n2,17,6.8\n");
    let wrong = bench.refusal("run import", json!({ "paths": [path.as_str()], "mapping": mapping("Cel") })).await;
    assert_eq!(places(&wrong), ["table.csv:1:2 «Gluc»"]);
    let finding = serde_json::to_value(&wrong.fault().diagnostics[0]).unwrap();
    assert!(bilingual(&finding["message"]) && bilingual(&finding["remedy"]), "{finding}");
    assert!(bench.list("channel").await.iter().all(|c| c["fields"]["key"] != "Gluc"), "nothing of the refused file is stored");
    // With the right unit the same file is taken in.
    let report = bench.run("run import", json!({ "paths": [path.as_str()], "mapping": mapping("g/L") })).await;
    assert_eq!((&report["channels"], &report["points"]), (&json!(2), &json!(6)));

    // A mandatory column that the file lacks, and a mandatory field that a record lacks.
    let path = bench.file("short.csv", "t,pH\n0,7\n1,6.9\n");
    let lacking = bench.refusal("run import", json!({ "paths": [path], "mapping": mapping("g/L") })).await;
    assert_eq!(places(&lacking), ["short.csv:1 «Gluc»"]);
    let path = bench.file("strains.csv", "id,name,temperature_optimal_c\nS-1,酵母,30\nS-2,,28\nS-3,麹菌,303 K\n");
    let lacking = bench.refusal("record import", json!({ "kind": "strain", "path": path })).await;
    let mut found = places(&lacking);
    found.sort();
    assert_eq!(found, ["strains.csv:3 «name»", "strains.csv:4:3 «temperature_optimal_c»"]);
    assert!(bench.list("strain").await.is_empty(), "all or nothing");
}

/// The declaration of strains as it was at version 1.
const STRAIN_1: &str = r#"
kind = "strain"
version = 1
group = "culture"
label = { ja = "菌株", en = "Strain" }
about = { ja = "菌株", en = "strain" }
title = { ja = "name", en = "name" }
[[field]]
name = "name"
type = "text"
label = { ja = "株名", en = "Strain name" }
required = true
[[field]]
name = "species"
type = "text"
label = { ja = "種", en = "Species" }
[[field]]
name = "deposit_number"
type = "text"
label = { ja = "寄託番号", en = "Deposit number" }
[[field]]
name = "biosafety_level"
type = "text"
label = { ja = "安全度", en = "Biosafety level" }
[[field]]
name = "growth_temperature_k"
type = "number"
unit = "K"
label = { ja = "生育温度", en = "Growth temperature" }
"#;

/// A store written under version 1 of a schema, opened by this build.
async fn old_records_migrate() {
    let folder = tempfile::tempdir().unwrap();
    let kinds: &'static KindSet = Box::leak(Box::new(KindSet::from_files(&[("strain.toml", STRAIN_1)]).unwrap()));
    let store = Store::init(&folder.path().join("store"), None).await.unwrap().with_kinds(kinds);
    let old = json!({ "name": "K-7", "species": "Saccharomyces cerevisiae", "deposit_number": "NBRC 0001; JCM 0002", "biosafety_level": "BSL-1", "growth_temperature_k": 303.15 });
    let put = Put::new("strain", Id::parse("STR-OLD").unwrap(), old.as_object().unwrap().clone());
    let commit = Commit { operation: "record put".into(), puts: vec![put], ..Commit::default() };
    store.commit(&Access::owner(), Instant::parse("2025-04-01T00:00:00Z").unwrap(), commit).await.unwrap();
    drop(store);

    let bench = Bench::over(folder).await;
    let now = bench.get("strain", "STR-OLD").await;
    let expected = json!({ "name": "K-7", "taxon_name": "Saccharomyces cerevisiae", "deposit_numbers": ["NBRC 0001", "JCM 0002"], "risk_group": "1", "temperature_optimal_c": 30.0 });
    assert_eq!((&now["kind_version"], &now["fields"]), (&json!(2), &expected));
    assert_eq!(now["diagnostics"], json!([]), "it is a sound record of the present schema");
    // What is changed now is stored under the present version; the old version stays in the history as it was.
    bench.put("strain", "STR-OLD", json!({ "origin_country": "JP" })).await;
    let history = bench.run("record history", json!({ "kind": "strain", "id": "STR-OLD" })).await;
    assert_eq!(history["versions"].as_array().unwrap().len(), 2);
    assert_eq!(history["versions"][1]["change"]["biosafety_level"], json!([null, "BSL-1"]));
    assert_eq!(bench.get("strain", "STR-OLD").await["fields"]["risk_group"], "1");
    bench.is_sound().await;
}

#[tokio::test]
async fn a21_one_query_finds_strain_facility_and_rule_in_either_language() {
    let tables = [
        ("facility", "facilities.csv"),
        ("restriction", "restrictions.csv"),
        ("subsidy-rule", "subsidy_rules.csv"),
        ("adopted-project", "adopted_projects.csv"),
    ];
    let bench = Bench::with_tables(&tables).await;
    bench
        .put(
            "strain",
            "STR-V",
            json!({ "name": "VAC-1", "organism_type": "Animal cell", "applications": ["ワクチン抗原の生産"] }),
        )
        .await;
    let ask = async |text: &str| bench.run("search query", json!({ "text": text, "limit": 1000 })).await;
    let (ja, en) = (ask("ワクチン").await, ask("vaccine").await);
    let ids = |answer: &Json| {
        answer["hits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|h| format!("{}/{}", h["kind"].as_str().unwrap(), h["id"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    for wanted in ["strain/STR-V", "facility/FA13", "subsidy-rule/SR01"] {
        assert!(ids(&ja).contains(&wanted.to_owned()), "{wanted} in {:?}", ids(&ja));
    }
    // Each hit says where it comes from: the paper, or the operation and place in the ledger.
    for hit in ja["hits"].as_array().unwrap() {
        assert!(hit["source"].as_str().is_some_and(|s| !s.is_empty()), "{hit}");
    }
    let strain = ja["hits"].as_array().unwrap().iter().find(|h| h["id"] == "STR-V").unwrap();
    assert!(strain["source"].as_str().unwrap().starts_with("record put (ledger 5, 2026-11-24"), "{strain}");
    assert_eq!(ids(&ja), ids(&en));
    // The same for other questions, of several words too.
    for (ja, en) in [
        ("食品残渣", "food residue"),
        ("ワクチン 製造", "vaccine manufacture"),
        ("培養槽", "bioreactors"),
        ("規制 安全性", "restrictions safety"),
    ] {
        let (a, b) = (ask(ja).await, ask(en).await);
        assert!(a["total"].as_u64().unwrap() > 0, "{ja} finds something");
        assert_eq!(ids(&a), ids(&b), "{ja} and {en}");
    }
}

#[tokio::test]
async fn a22_a_made_material_links_to_feedstock_lca_and_product_by_shared_identifiers() {
    let bench = Bench::with_tables(&[("feedstock-class", "feedstock.csv")]).await;
    bench.put("strain", "STR-1", json!({ "name": "乳酸生産株" })).await;
    let (run, _) = run_with_observations(&bench).await;
    bench.put("material", "MAT-FEED", json!({ "name": "稲わら糖化液", "sort": "feedstock", "feedstock_class": "FS2" })).await;
    bench.put("material", "MAT-1", json!({ "name": "L-乳酸", "name_en": "L-lactic acid", "sort": "made", "identifiers": ["CAS:79-33-4"], "made_from": ["MAT-FEED"], "strain": "STR-1", "runs": [run.as_str()] })).await;
    bench
        .put(
            "product",
            "PRD-1",
            json!({ "name": "ポリ乳酸ペレット", "identifiers": ["GTIN:04500000000000"], "materials": ["MAT-1"] }),
        )
        .await;
    let value = json!({ "kind": "exact", "number": 1.8, "unit": "kg/kg", "text": "1.8" });
    bench.put("lca-study", "LCA-1", json!({ "name": "乳酸の LCA", "material": "MAT-1", "product": "PRD-1", "feedstock_class": "FS2", "functional_unit": "1 kg", "indicator": "GWP100", "value": value })).await;

    let trace = bench.run("record links", json!({ "kind": "material", "id": "MAT-1", "depth": 2 })).await;
    let reached: BTreeMap<String, u64> = trace["reached"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (format!("{}/{}", s["kind"].as_str().unwrap(), s["id"].as_str().unwrap()), s["distance"].as_u64().unwrap()))
        .collect();
    for (record, distance) in [
        ("material/MAT-FEED", 1),
        ("lca-study/LCA-1", 1),
        ("product/PRD-1", 1),
        (&format!("run/{run}"), 1),
        ("strain/STR-1", 1),
        ("feedstock-class/FS2", 2),
    ] {
        assert_eq!(reached.get(record), Some(&distance), "{record} in {reached:?}");
    }
    // And back: from the product one comes to the made material.
    let back = bench.run("record links", json!({ "kind": "product", "id": "PRD-1", "depth": 1 })).await;
    assert!(texts(&back["reached"], "id").contains(&"MAT-1".to_owned()));
    // An identifier of another register finds the record.
    let hits = bench.run("search query", json!({ "text": "CAS:79-33-4" })).await["hits"].clone();
    assert_eq!(texts(&hits, "id"), ["MAT-1"]);
    // A reference to nothing is refused with its field.
    let stray = bench
        .refusal("record put", json!({ "kind": "product", "id": "PRD-2", "fields": { "name": "x", "materials": ["MAT-9"] } }))
        .await;
    assert_eq!(places(&stray), ["«materials»"]);
    assert!(root().join("seeds/feedstock.csv").exists());
}
