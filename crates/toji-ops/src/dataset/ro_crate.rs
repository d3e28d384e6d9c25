//! `ro-crate-metadata.json`: the release as an RO-Crate 1.3, with what made it (Process Run Crate).

use super::built::Built;
use super::content::text;
use super::croissant::duo_url;
use serde_json::{Value as Json, json};

/// The description of the whole release.
pub(super) fn describe(built: &Built<'_>) -> Json {
    let manifest = &built.content.manifest;
    let title = manifest.title();
    let words = manifest.description.as_ref().unwrap_or(&title);
    let mut graph = vec![json!({
        "@id": "ro-crate-metadata.json", "@type": "CreativeWork", "name": "RO-Crate metadata", "about": { "@id": "./" },
        "conformsTo": { "@id": "https://w3id.org/ro/crate/1.3" },
    })];
    let parts: Vec<Json> = built.files.iter().map(|(path, _)| json!({ "@id": path })).collect();
    let mut root = json!({
        "@id": "./", "@type": "Dataset", "name": title.en, "alternateName": title.ja,
        "description": format!("{} / {}", words.en, words.ja),
        "datePublished": built.date(), "version": manifest.version, "hasPart": parts, "mentions": { "@id": "#release" },
        "conformsTo": { "@id": "https://w3id.org/ro/wfrun/process/0.5" },
        "identifier": { "@id": "#identifier" },
    });
    let creators = creators(built);
    root["creator"] = match creators.is_empty() {
        true => json!({ "@id": "#unknown" }),
        false => one_or_many(creators.iter().map(|c| json!({ "@id": c["@id"] })).collect()),
    };
    if let Some(publisher) = &manifest.publisher {
        root["publisher"] = json!({ "@id": "#publisher" });
        graph.push(json!({ "@id": "#publisher", "@type": "Organization", "name": publisher }));
    }
    let licence = licence(built);
    root["license"] = json!({ "@id": licence["@id"] });
    graph.push(licence);
    let value = format!("urn:toji:dataset:{}:{}", manifest.name, manifest.version);
    let named = "Name and version of the release";
    graph.push(json!({ "@id": "#identifier", "@type": "PropertyValue", "name": named, "propertyID": "urn", "value": value }));
    let duo = built.content.duo();
    if !duo.is_empty() {
        root["usageInfo"] = one_or_many(duo.iter().map(|d| json!({ "@id": duo_url(d) })).collect());
        graph.extend(duo.iter().map(|d| json!({ "@id": duo_url(d), "@type": "DefinedTerm", "name": d, "termCode": d })));
    }
    graph.insert(1, root);
    graph.push(json!({ "@id": "https://w3id.org/ro/wfrun/process/0.5", "@type": ["CreativeWork", "Profile"], "name": "Process Run Crate", "version": "0.5" }));
    for (path, bytes) in built.files.iter() {
        graph.push(json!({
            "@id": path, "@type": "File", "name": path, "description": about(path), "encodingFormat": media(path),
            "contentSize": bytes.len().to_string(), "sha256": built.files.hash(path),
        }));
    }
    graph.extend(process(built, &creators));
    if creators.is_empty() {
        graph.push(json!({ "@id": "#unknown", "@type": "Organization", "name": "(:unav)" }));
    }
    graph.extend(creators);
    json!({ "@context": "https://w3id.org/ro/crate/1.3/context", "@graph": graph })
}

/// One value stands alone, as the specification recommends.
fn one_or_many(mut values: Vec<Json>) -> Json {
    match values.len() {
        1 => values.remove(0),
        _ => values.into(),
    }
}

fn creators(built: &Built<'_>) -> Vec<Json> {
    let one = |(i, c): (usize, &super::manifest::Creator)| {
        let id = c.id.clone().unwrap_or_else(|| format!("#creator-{}", i + 1));
        json!({ "@id": id, "@type": if c.person { "Person" } else { "Organization" }, "name": c.name })
    };
    built.content.manifest.creators.iter().enumerate().map(one).collect()
}

fn licence(built: &Built<'_>) -> Json {
    let fields = built.content.licence.as_ref().map(|l| &l.fields);
    let of = |name: &str| fields.and_then(|f| text(f, name));
    let id = built.licence_url().unwrap_or_else(|| "#licence".to_owned());
    let mut out = json!({
        "@id": id, "@type": "CreativeWork",
        "name": of("name_en").unwrap_or("No licence stated"),
        "alternateName": of("name_ja").unwrap_or("利用条件の記載なし"),
        "description": of("text_en").unwrap_or("The terms of use are not stated; ask the owner of the data."),
    });
    if let Some(url) = built.licence_url() {
        out["url"] = url.into();
    }
    out
}

/// What made the release out of what.
fn process(built: &Built<'_>, creators: &[Json]) -> Vec<Json> {
    let sources = built.content.of("file");
    let id = |file: &toji_core::Record| format!("#{}", file.id);
    let agent = creators.first().map_or_else(|| json!({ "@id": "#unknown" }), |c| json!({ "@id": c["@id"] }));
    let mut out = vec![
        json!({
            "@id": "#release", "@type": "CreateAction", "name": "dataset release",
            "description": "Runs were read from the ledger and written as tables, series and an aligned view",
            "instrument": { "@id": "#toji" }, "agent": agent, "endTime": built.content.at,
            "object": one_or_many(sources.iter().map(|f| json!({ "@id": id(f) })).collect()), "result": { "@id": "./" },
        }),
        json!({
            "@id": "#toji", "@type": "SoftwareApplication", "name": "Toji", "version": env!("CARGO_PKG_VERSION"),
            "softwareVersion": env!("CARGO_PKG_VERSION"), "url": env!("CARGO_PKG_REPOSITORY"),
        }),
    ];
    out.extend(sources.iter().map(|file| {
        let of = |name: &str| text(&file.fields, name).unwrap_or_default();
        json!({
            "@id": id(file), "@type": "CreativeWork", "name": of("name"), "identifier": of("blob"),
            "description": format!("Instrument file, format {}, not part of the release", of("format")),
        })
    }));
    out
}

fn media(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "parquet" => "application/vnd.apache.parquet",
        "csv" => "text/csv",
        "json" => "application/json",
        "py" => "text/x-python",
        "md" => "text/markdown",
        _ => "text/plain",
    }
}

fn about(path: &str) -> &'static str {
    match path.split('/').next().unwrap_or_default() {
        "series" => "Series of a run as stored",
        "aligned" => "Series of all runs on one grid, or its mask",
        "tables" => "Records as a table",
        "strains" => "A strain in the DSMZ microbial strain data standard",
        "splits.csv" => "Training, validation and test",
        "manifest.json" => "What the release was made from",
        "readiness.json" => "Score with every lost point",
        "loader.py" => "Loads the release in pandas, Polars and PyTorch",
        "croissant.json" => "Croissant 1.1 description with RAI",
        "datapackage.json" => "Frictionless description",
        "datacite.json" => "DataCite record",
        _ => "Data card",
    }
}
