use super::*;
use crate::error::Severity;
use crate::kind::KindSet;

/// A small document of our own in the standard's shape.
fn small() -> Json {
    json!({
        "version": 1, "primaryId": "TJ 1", "organismType": "Fungi",
        "identifier": [
            {"name": "CCNO", "value": "TJ 1", "source": ["/sources/0"]},
            {"name": "Designation", "value": "K-test", "source": ["/sources/0"]}
        ],
        "sources": [{"sourceType": "dataset", "mode": "manual", "name": "made for a test"}],
        "taxon": [{"name": "Saccharomyces cerevisiae", "alternateName": ["S. sake"], "source": ["/sources/0"]}],
        "bioSafety": [{"classification": "Japan classification", "riskgroup": "1", "source": ["/sources/0"]}],
        "growthConditions": [{"optimalTemperature": 28.5, "source": ["/sources/0"]}],
        "halophily": [{"unit": "g/g%", "source": ["/sources/0"], "optimal": 0.5}]
    })
}

fn errors(found: &[Diagnostic]) -> Vec<String> {
    found.iter().filter(|d| d.severity == Severity::Error).map(|d| d.render(crate::Lang::En)).collect()
}

fn without_document(fields: &FieldMap) -> FieldMap {
    fields.iter().filter(|(k, _)| *k != "dsmz").map(|(k, v)| (k.clone(), v.clone())).collect()
}

#[test]
fn an_untouched_document_comes_back_as_it_was() {
    let (fields, found) = from_dsmz(&small());
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(fields["temperature_optimal_c"], json!(28.5));
    assert_eq!(fields["risk_group_statements"], json!(["Japan classification: 1"]));
    assert_eq!(to_dsmz(&fields), small());
}

#[test]
fn every_mapped_field_is_declared_and_valid() {
    let kind = KindSet::builtin().unwrap().get("strain").unwrap();
    for name in known() {
        assert!(kind.field(name).is_some(), "{name}");
    }
    assert!(errors(&kind.validate(&from_dsmz(&small()).0)).is_empty());
}

#[test]
fn edits_go_to_their_place_and_the_rest_stays() {
    let (mut fields, _) = from_dsmz(&small());
    fields.insert("temperature_optimal_c".into(), json!(30));
    fields.insert("deposit_numbers".into(), json!(["TJ 1", "TJ 2"]));
    fields.insert("designations".into(), json!([]));
    fields.insert("type_strain".into(), json!(true));
    fields.insert("genotype".into(), json!("MATa ura3"));
    fields.insert("gmo".into(), json!(true));
    fields.insert("notes".into(), json!("ours alone"));
    let document = to_dsmz(&fields);
    assert_eq!(document.pointer("/growthConditions/0/optimalTemperature"), Some(&json!(30)));
    assert_eq!(document.pointer("/identifier/1/value"), Some(&json!("TJ 2")));
    assert_eq!(document.pointer("/typeStrain/0/typeStrain"), Some(&json!(true)));
    assert_eq!(document["halophily"], small()["halophily"]);
    // No legal entry can be made without the Nagoya statement, so the fact goes to the extension.
    assert_eq!(document["toji"], json!({"genotype": "MATa ura3", "gmo": true}));
    assert!(!document.to_string().contains("ours alone"));
    let (again, found) = from_dsmz(&document);
    assert!(errors(&found).is_empty(), "{found:?}");
    let mut expected = without_document(&fields);
    expected.remove("notes");
    expected.remove("designations");
    assert_eq!(without_document(&again), expected);
}

#[test]
fn a_record_without_a_document_becomes_a_conforming_one() {
    let fields: FieldMap = serde_json::from_value(json!({
        "name": "TJ 9", "organism_type": "Bacteria", "taxon_name": "Bacillus subtilis", "risk_group": "1",
        "taxon_synonyms": ["Vibrio subtilis"], "genotype": "trpC2", "lmo_class": "not-lmo", "media": ["LB"]
    }))
    .unwrap();
    let document = to_dsmz(&fields);
    let (again, found) = from_dsmz(&document);
    assert!(found.is_empty(), "{found:?}\n{document}");
    assert_eq!(document["toji"], json!({"genotype": "trpC2", "lmo_class": "not-lmo"}));
    for (name, value) in &fields {
        assert_eq!(again.get(name), Some(value), "{name}");
    }
}

#[test]
fn a_removed_fact_and_a_higher_risk_are_told() {
    let (mut fields, _) = from_dsmz(&small());
    fields.remove("taxon_name");
    fields.insert("risk_group".into(), json!("2"));
    let document = to_dsmz(&fields);
    assert_eq!(document["bioSafety"].as_array().unwrap().len(), 2);
    assert_eq!(document["toji"]["taxon_name"], Json::Null);
    assert_eq!(from_dsmz(&document).0.get("taxon_name"), None);
    assert_eq!(from_dsmz(&document).0["risk_group"], json!("2"));
}

#[test]
fn faults_are_located() {
    let mut document = small();
    document.as_object_mut().unwrap().remove("primaryId");
    document["identifier"][0].as_object_mut().unwrap().remove("value");
    document["taxon"][0]["source"] = json!(["/sources/7"]);
    document["growthConditions"][0]["optimalTemperature"] = json!("warm");
    document["organismType"] = json!("Virus");
    let (fields, found) = from_dsmz(&document);
    let places: Vec<(&str, &str)> =
        found.iter().map(|d| (d.code.as_str(), d.place.field.as_deref().unwrap_or_default())).collect();
    assert_eq!(
        places,
        [
            ("E-STRAIN-001", "/primaryId"),
            ("E-STRAIN-001", "/identifier/0/value"),
            ("W-STRAIN-004", "/taxon/0/source"),
            ("W-STRAIN-005", "/organismType"),
            ("W-STRAIN-003", "/growthConditions/0/optimalTemperature"),
        ]
    );
    assert_eq!(to_dsmz(&fields), document);
    assert_eq!(from_dsmz(&json!([1])).1[0].code, "E-STRAIN-002");
}

proptest::proptest! {
    #[test]
    fn any_json_is_mapped_and_given_back(text in "\\PC{0,40}", array in "taxon|legal|identifier|bioSafety|origin") {
        for document in [json!({&array: text}), json!({&array: [text]}), json!({&array: [{"name": text, "value": [text]}]}), json!({"toji": {&array: text}})] {
            proptest::prop_assert_eq!(to_dsmz(&from_dsmz(&document).0), document);
        }
    }
}
