//! `datacite.json`: the record for a DOI, in the DataCite 4 shape, ready for whoever registers it.

use super::built::Built;
use super::croissant::duo_url;
use serde_json::{Value as Json, json};

/// The record.
pub(super) fn describe(built: &Built<'_>) -> Json {
    let manifest = &built.content.manifest;
    let title = manifest.title();
    let creators: Vec<Json> = manifest
        .creators
        .iter()
        .map(|c| {
            let mut out = json!({ "name": c.name, "nameType": if c.person { "Personal" } else { "Organizational" } });
            if let Some(id) = &c.id {
                let scheme = if id.contains("orcid.org") { "ORCID" } else { "ROR" };
                out["nameIdentifiers"] = json!([{ "nameIdentifier": id, "nameIdentifierScheme": scheme }]);
            }
            out
        })
        .collect();
    // `(:unav)` is the standard's own word for what is not available.
    let creators = if creators.is_empty() { vec![json!({ "name": "(:unav)" })] } else { creators };
    let mut rights: Vec<Json> = built
        .content
        .duo()
        .iter()
        .map(|d| json!({ "rights": d, "rightsUri": duo_url(d), "rightsIdentifier": d, "rightsIdentifierScheme": "DUO" }))
        .collect();
    if let Some(name) = built.licence_name() {
        let mut licence = json!({ "rights": name });
        if let Some(url) = built.licence_url() {
            licence["rightsUri"] = url.into();
        }
        rights.insert(0, licence);
    }
    let mut out = json!({
        "types": { "resourceTypeGeneral": "Dataset", "resourceType": "Culture runs" },
        "creators": creators,
        "titles": [{ "title": title.en, "lang": "en" }, { "title": title.ja, "titleType": "TranslatedTitle", "lang": "ja" }],
        "publisher": { "name": manifest.publisher.as_deref().unwrap_or("(:unav)") },
        "publicationYear": built.date().get(..4).unwrap_or_default(),
        "dates": [{ "date": built.content.at, "dateType": "Created" }],
        "version": manifest.version,
        "formats": ["application/vnd.apache.parquet", "text/csv", "application/ld+json"],
        "sizes": [format!("{} runs", built.content.runs.len()), format!("{} points", built.content.points())],
        "rightsList": rights,
        "alternateIdentifiers": [{ "alternateIdentifier": built.files.hash("manifest.json"), "alternateIdentifierType": "SHA-256 of manifest.json" }],
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    });
    if let Some(words) = &manifest.description {
        out["descriptions"] = json!([
            { "description": words.en, "descriptionType": "Abstract", "lang": "en" },
            { "description": words.ja, "descriptionType": "Abstract", "lang": "ja" },
        ]);
    }
    out
}
