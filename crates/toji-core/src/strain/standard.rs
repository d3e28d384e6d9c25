//! What the standard demands of a document: the properties that must be there, sources that exist,
//! and the organism types it knows.

use crate::error::{Diagnostic, Place};
use serde_json::Value as Json;

/// Required properties of the document.
pub(super) const REQUIRED_TOP: [&str; 5] = ["version", "primaryId", "organismType", "identifier", "sources"];

/// Required properties of the entries of each list.
pub(super) const REQUIRED: &[(&str, &[&str])] = &[
    ("bioSafety", &["riskgroup", "source"]),
    ("collections", &["name", "resourceNumber", "source"]),
    ("cultivationMedia", &["name", "source"]),
    ("enzymes", &["hasECNumber", "source"]),
    ("fattyAcidProfiles", &["source"]),
    ("gcContent", &["value", "source"]),
    ("growthConditions", &["source"]),
    ("halophily", &["unit", "source"]),
    ("hemolysis", &["blood", "hemolysisType", "source"]),
    ("identifier", &["name", "value", "source"]),
    ("knownApplications", &["application", "source"]),
    ("legal", &["nagoyaRestrictions", "source"]),
    ("literature", &["source"]),
    ("metabolites", &["source"]),
    ("morphology", &["source"]),
    ("origin", &["source"]),
    ("otherMedia", &["source"]),
    ("pathogenicity", &["host", "pathogen", "source"]),
    ("relatedData", &["relation", "source"]),
    ("sequences", &["type", "level", "accessionNumber", "source"]),
    ("sources", &["sourceType", "mode"]),
    ("sporeFormation", &["sporeForming", "source"]),
    ("staining", &["name", "value", "source"]),
    ("taxon", &["name", "source"]),
    ("tolerances", &["source"]),
    ("typeStrain", &["typeStrain", "source"]),
    ("wallConstituents", &["source"]),
];

/// Organism types of the standard.
pub(super) const ORGANISM_TYPES: [&str; 5] = ["Algae", "Archaea", "Bacteria", "Fungi", "Protist"];

/// All findings about a document.
pub(super) fn check(document: &Json) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if !document.is_object() {
        found.push(Diagnostic::error(
            "E-STRAIN-002",
            Place::default(),
            "微生物株標準の文書は JSON オブジェクトでなければなりません",
            "a document of the microbial strain standard must be a JSON object",
        ));
        return found;
    }
    for key in REQUIRED_TOP {
        require(document, "", key, &mut found);
    }
    if document.get("identifier").and_then(Json::as_array).is_some_and(Vec::is_empty) {
        found.push(missing("/identifier/0"));
    }
    let sources = document.get("sources").and_then(Json::as_array).map_or(0, Vec::len);
    for (array, keys) in REQUIRED {
        for (i, entry) in document.get(array).and_then(Json::as_array).into_iter().flatten().enumerate() {
            let pointer = format!("/{array}/{i}");
            keys.iter().for_each(|key| require(entry, &pointer, key, &mut found));
            check_sources(entry, &pointer, sources, &mut found);
        }
    }
    if let Some(kind) = document.get("organismType").and_then(Json::as_str)
        && !ORGANISM_TYPES.contains(&kind)
    {
        let known = ORGANISM_TYPES.join(", ");
        found.push(
            Diagnostic::warning(
                "W-STRAIN-005",
                Place::field("/organismType"),
                format!("生物の区分「{kind}」は標準にありません"),
                format!("the organism type \"{kind}\" is not in the standard"),
            )
            .remedy(format!("標準の区分: {known}"), format!("the standard knows: {known}")),
        );
    }
    found
}

fn missing(pointer: &str) -> Diagnostic {
    Diagnostic::error(
        "E-STRAIN-001",
        Place::field(pointer),
        format!("標準の必須項目「{pointer}」がありません"),
        format!("the standard requires \"{pointer}\", which is missing"),
    )
    .remedy("文書に値を加えてください", "add it to the document")
}

fn require(place: &Json, pointer: &str, key: &str, found: &mut Vec<Diagnostic>) {
    if place.get(key).is_none_or(Json::is_null) {
        found.push(missing(&format!("{pointer}/{key}")));
    }
}

/// Every `/sources/N` an entry names must exist.
fn check_sources(entry: &Json, pointer: &str, sources: usize, found: &mut Vec<Diagnostic>) {
    for name in entry.get("source").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
        let at = name.strip_prefix("/sources/").and_then(|n| n.parse::<usize>().ok());
        if at.is_none_or(|n| n >= sources) {
            found.push(
                Diagnostic::warning(
                    "W-STRAIN-004",
                    Place::field(format!("{pointer}/source")),
                    format!("出典「{name}」がありません"),
                    format!("the source \"{name}\" does not exist"),
                )
                .remedy("sources に出典を加えてください", "add it to sources"),
            );
        }
    }
}
