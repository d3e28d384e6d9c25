//! Strain records: the published example of the microbial strain standard, and records of version 1.

use serde_json::{Value, json};
use std::path::PathBuf;
use toji_core::kind::KindSet;
use toji_core::record::FieldMap;
use toji_core::strain::{from_dsmz, to_dsmz};

/// A file of the shared data, or `None` with a word why the test cannot run here.
fn shared(path: &str) -> Option<Value> {
    let root = std::env::var_os("TOJI_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
        .join("data");
    match std::fs::read_to_string(root.join(path)) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(why) => {
            eprintln!("skipped: {}: {why}", root.join(path).display());
            None
        }
    }
}

#[test]
fn the_published_example_becomes_a_record_and_comes_back_without_loss() {
    let Some(document) = shared("bioprocess/dsmz_microbial_strain/bacteria.json") else { return };
    let (fields, found) = from_dsmz(&document);
    assert!(found.is_empty(), "{found:#?}");
    let kind = KindSet::builtin().unwrap().get("strain").unwrap();
    assert!(kind.validate(&fields).is_empty(), "{:#?}", kind.validate(&fields));
    for (name, expected) in [
        ("name", json!("DSM 1")),
        ("organism_type", json!("Bacteria")),
        ("taxon_name", json!("Eubacterium limosum")),
        ("taxon_synonyms", json!(["Butyribacterium limosum", "Bacteroides limosus"])),
        ("ncbi_taxon", json!("1736")),
        ("designations", json!(["STAFF 1027"])),
        ("type_strain", json!(true)),
        ("risk_group", json!("1")),
        ("gmo", json!(false)),
        ("dual_use", json!(false)),
        ("nagoya_restrictions", json!("No known restrictions under the Nagoya protocol")),
        ("origin_place", json!("Pohang")),
        ("sampled", json!("/2011-09-12")),
        ("temperature_optimal_c", json!(37.0)),
        ("ph_optimal", json!(7.0)),
        ("oxygen", json!("anaerobe")),
    ] {
        assert_eq!(fields.get(name), Some(&expected), "{name}");
    }
    assert_eq!(fields["deposit_numbers"].as_array().unwrap().len(), 10);
    assert_eq!(to_dsmz(&fields), document);
    // Through storage as text, too.
    let stored: FieldMap = serde_json::from_str(&serde_json::to_string(&fields).unwrap()).unwrap();
    assert_eq!(to_dsmz(&stored), document);
}

#[test]
fn what_we_hold_required_is_what_the_schema_requires() {
    let Some(schema) = shared("bioprocess/dsmz_microbial_strain/microbe_json_schema.json") else { return };
    let texts = |v: &Value| -> Vec<String> { v.as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect() };
    for key in texts(&schema["required"]) {
        let mut document = shared("bioprocess/dsmz_microbial_strain/bacteria.json").unwrap();
        document.as_object_mut().unwrap().remove(&key);
        let found = from_dsmz(&document).1;
        assert!(found.iter().any(|d| d.code == "E-STRAIN-001" && d.place.field.as_deref() == Some(&format!("/{key}"))), "{key}");
    }
    for (list, property) in schema["properties"].as_object().unwrap().iter().filter(|(_, p)| p["type"] == "array") {
        let definition = property["items"]["$ref"].as_str().unwrap().replace("#/$defs/", "");
        let mut required: Vec<String> =
            texts(&schema["$defs"][definition.as_str()]["required"]).iter().map(|k| format!("/{list}/0/{k}")).collect();
        required.sort();
        let found = from_dsmz(&json!({list.as_str(): [{}]})).1;
        let mut told: Vec<String> = found
            .iter()
            .filter_map(|d| d.place.field.clone().filter(|f| d.code == "E-STRAIN-001" && f.starts_with(&format!("/{list}/0/"))))
            .collect();
        told.sort();
        assert_eq!(told, required, "{list}");
    }
}

#[test]
fn a_record_of_version_1_becomes_one_of_version_2_without_loss() {
    let kind = KindSet::builtin().unwrap().get("strain").unwrap();
    let old: FieldMap = serde_json::from_value(json!({
        "name": "K-test 7", "species": "Saccharomyces cerevisiae", "deposit_number": "TJ 0231; TJ 1499",
        "biosafety_level": "BSL-1", "growth_temperature_k": 301.15, "genotype": "wild type"
    }))
    .unwrap();
    let new = kind.migrate(&old, 1).unwrap();
    assert_eq!(
        Value::Object(new.clone()),
        json!({
            "name": "K-test 7", "taxon_name": "Saccharomyces cerevisiae", "deposit_numbers": ["TJ 0231", "TJ 1499"],
            "risk_group": "1", "temperature_optimal_c": 28.0, "genotype": "wild type"
        })
    );
    assert!(kind.validate(&new).is_empty());
    assert!(!kind.validate(&old).is_empty(), "version 2 does not take version 1 as it stands");
    assert_eq!(kind.migrate(&new, 2).unwrap(), new);
    assert!(kind.migrate(&new, 3).is_err());
}
