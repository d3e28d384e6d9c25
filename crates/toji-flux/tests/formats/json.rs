//! COBRA JSON.

use super::{reference, shared};
use proptest::prelude::*;
use toji_flux::io::json;
use toji_flux::model::Sense;

#[test]
fn a_genome_scale_model_is_read_whole() {
    let Some(bytes) = shared("models/RehMBEL1391.json") else { return };
    let reading = json::read(&bytes).unwrap();
    let model = &reading.model;
    let stats = reference("RehMBEL1391.json").unwrap()["stats"].clone();
    assert_eq!(stats["reactions"], model.reactions.len());
    assert_eq!(stats["metabolites"], model.metabolites.len());
    assert_eq!(stats["genes"], model.genes.len());
    let gene = model.gene_named("H16_B0939").unwrap();
    assert!(model.genes[gene].annotation.iter().any(|r| &*r.collection == "uniprot" && r.id == "Q0K2P4"));
    let objective = model.active_objective().unwrap();
    assert_eq!(objective.sense, Sense::Maximize);
    assert_eq!(model.reactions[objective.terms[0].0].id, "Biomass");
    let network = model.network().unwrap();
    assert_eq!((network.rows(), network.reactions()), (1348, 1538));
    assert_eq!(reading.findings, []);
}

#[test]
fn what_is_written_is_read_the_same() {
    for path in ["models/mini.json", "models/RehMBEL1391.json"] {
        let Some(bytes) = shared(path) else { return };
        let model = json::read(&bytes).unwrap().model;
        let written = json::write(&model).unwrap();
        assert_eq!(written.losses, []);
        let again = json::read(&written.bytes).unwrap();
        assert_eq!(again.findings, []);
        assert_eq!(again.model.reactions, model.reactions);
        assert!(again.model == model);
    }
}

/// A small model with one thing changed; the findings in English.
fn check(find: &str, put: &str, expected: &[(&str, Option<u64>, &str)]) {
    let text = r#"{
"metabolites": [
  {"id": "a_c", "name": "A", "compartment": "c", "charge": -1, "formula": "CHO2"},
  {"id": "b_c", "name": "", "compartment": "c"}],
"reactions": [
  {"id": "r", "name": "", "metabolites": {"a_c": -1.0, "b_c": 1},
   "lower_bound": 0, "upper_bound": "inf", "gene_reaction_rule": "g1", "objective_coefficient": 1}],
"genes": [{"id": "g1", "name": ""}], "id": "m", "compartments": {"c": ""}, "version": "1"}"#;
    assert!(text.contains(find), "{find}");
    let text = text.replacen(find, put, 1);
    let findings = match json::read(text.as_bytes()) {
        Ok(reading) => reading.findings,
        Err(error) if error.fault().diagnostics.is_empty() => {
            let fault = error.fault();
            let found = (fault.code, fault.place.as_ref().and_then(|p| p.line), fault.message.en.as_str());
            return assert_eq!(&[found], expected);
        }
        Err(error) => error.fault().diagnostics.clone(),
    };
    let found: Vec<_> = findings.iter().map(|d| (d.code.as_str(), d.place.line, d.message.en.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn faults_and_losses_name_line_and_element() {
    check("", "", &[]);
    check("\"a_c\": -1.0", "\"x_c\": -1.0", &[("E-GEM-003", Some(6), "there is no metabolite x_c")]);
    check("\"charge\": -1", "\"charge\": []", &[("E-GEM-002", Some(3), "charge must be a number")]);
    check("\"version\"", "\"groups\": [], \"version\"", &[("W-GEM-001", Some(8), "not kept: member groups of the model")]);
    check("\"lower_bound\": 0,", "", &[("W-GEM-002", Some(6), "a reaction has no bounds; 0 and 1000 were assumed")]);
    check(
        "\"g1\"",
        "\"g1 or (g2\"",
        &[(
            "W-GEM-003",
            Some(7),
            "a gene rule is unreadable, and the reaction was left without: a closing bracket, and, or or is missing",
        )],
    );
    check("\"g1\"", "\"g1 or g2\"", &[("W-GEM-002", Some(7), "a gene of a rule was not listed, and was added")]);
    check(
        "\"reactions\"",
        "\"reaktions\"",
        &[("E-GEM-002", Some(1), "model must be an object with lists of reactions and metabolites")],
    );
    check("\"b_c\", \"name\"", "\"a_c\", \"name\"", &[("E-GEM-003", Some(6), "there is no metabolite b_c")]);
    check("\"version\": \"1\"", "\"version\" \"1\"", &[("E-GEM-001", Some(8), "not readable as JSON: a colon is missing")]);
}

#[test]
fn the_places_of_many_losses_are_right_and_like_ones_are_counted() {
    // Forty kinds of loss, each in a hundred genes, on lines of different length with letters of several bytes.
    let mut text = String::from("{\"metabolites\": [], \"reactions\": [],\n\"genes\": [\n");
    let mut expected = std::collections::BTreeMap::new();
    for at in 0..4000_u64 {
        let kind = at * 7 % 40;
        let before = format!("{{\"id\": \"g{at}\", \"name\": \"{}\", \"更{kind:02}\": ", "遺伝子".repeat(at as usize % 5));
        expected.entry(kind).or_insert((at + 3, before.chars().count() as u64 + 1));
        text.push_str(&before);
        text.push_str(if at == 3999 { "1}\n" } else { "1},\n" });
    }
    text.push_str("]}");
    let found = json::read(text.as_bytes()).unwrap().findings;
    assert_eq!(found.len(), 40);
    for (finding, (kind, (line, column))) in found.iter().zip(expected) {
        assert_eq!(finding.code, "W-GEM-001");
        assert_eq!(finding.message.en, format!("not kept: member 更{kind:02} of genes (100 places)"));
        assert_eq!((finding.place.line, finding.place.column), (Some(line), Some(column)), "{kind}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), cut in 0_usize..500, put in "\\PC{0,6}") {
        let _ = json::read(&bytes);
        let text = r#"{"metabolites":[{"id":"a","annotation":{"x":[["is","y"]]}}],"reactions":[{"id":"r","metabolites":{"a":1},"lower_bound":0,"upper_bound":1,"gene_reaction_rule":"(a or b)"}],"genes":[]}"#;
        if let Some((before, after)) = text.split_at_checked(cut.min(text.len())) {
            let _ = json::read(format!("{before}{put}{}", after.get(put.len()..).unwrap_or("")).as_bytes());
        }
    }
}
