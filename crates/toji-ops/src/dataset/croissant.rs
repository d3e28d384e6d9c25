//! `croissant.json`: the data set for machine-learning tools, Croissant 1.1 with the terms on responsible
//! use (RAI 1.0).

use super::built::Built;
use super::content::{Content, simulated, text};
use super::split;
use super::tables::{Table, Type};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// The description of the whole release.
pub(super) fn describe(built: &Built<'_>) -> Json {
    let manifest = &built.content.manifest;
    let title = manifest.title();
    let both = |en: &str, ja: &str| json!({ "en": en, "ja": ja });
    let mut out = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": both(&title.en, &title.ja),
        "alternateName": manifest.name,
        "description": match &manifest.description {
            Some(d) => both(&d.en, &d.ja),
            None => both(&title.en, &title.ja),
        },
        "version": manifest.version,
        "datePublished": built.date(),
        "dateCreated": built.content.at,
        "isLiveDataset": false,
        "keywords": keywords(built.content),
        "citeAs": cite(built),
        "url": manifest.url.clone().unwrap_or_else(|| format!("urn:toji:dataset:{}:{}", manifest.name, manifest.version)),
        "inLanguage": ["ja", "en"],
        "distribution": distribution(built),
        "recordSet": record_sets(built),
    });
    if !manifest.creators.is_empty() {
        out["creator"] = creators(built);
    }
    if let Some(publisher) = &manifest.publisher {
        out["publisher"] = json!({ "@type": "sc:Organization", "name": publisher });
    }
    if let Some(licence) = built.licence_url().or_else(|| built.licence_name().map(str::to_owned)) {
        out["license"] = licence.into();
    }
    let duo = built.content.duo();
    if !duo.is_empty() {
        out["usageInfo"] = duo.iter().map(|d| Json::from(duo_url(d))).collect();
    }
    responsible(built, &mut out);
    out
}

/// Address of a term of the Data Use Ontology.
pub(super) fn duo_url(term: &str) -> String {
    format!("http://purl.obolibrary.org/obo/{}", term.replace(':', "_"))
}

fn context() -> Json {
    json!({
        "@language": "en", "@vocab": "https://schema.org/", "arrayShape": "cr:arrayShape", "citeAs": "cr:citeAs",
        "column": "cr:column", "conformsTo": "dct:conformsTo", "containedIn": "cr:containedIn",
        "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
        "data": { "@id": "cr:data", "@type": "@json" }, "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "dct": "http://purl.org/dc/terms/", "description": { "@container": "@language" },
        "equivalentProperty": "cr:equivalentProperty", "examples": { "@id": "cr:examples", "@type": "@json" },
        "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject",
        "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "isArray": "cr:isArray",
        "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5",
        "name": { "@container": "@language" }, "parentField": "cr:parentField", "path": "cr:path",
        "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
        "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
        "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
    })
}

fn keywords(content: &Content) -> Vec<String> {
    let mut words: BTreeSet<String> = ["bioprocess", "fermentation", "time series"].map(str::to_owned).into();
    words.extend(
        content.runs.iter().flat_map(|r| &r.channels).filter_map(|c| text(&c.record.fields, "variable")).map(str::to_owned),
    );
    words.into_iter().collect()
}

/// How the data set is cited.
pub(super) fn cite(built: &Built<'_>) -> String {
    let manifest = &built.content.manifest;
    let names: Vec<&str> = manifest.creators.iter().map(|c| c.name.as_str()).collect();
    let who = if names.is_empty() { "(:unav)".to_owned() } else { names.join("; ") };
    let year = built.date().get(..4).unwrap_or_default();
    format!("{who} ({year}): {}. Version {}.", manifest.title().en, manifest.version)
}

fn creators(built: &Built<'_>) -> Json {
    let one = |c: &super::manifest::Creator| {
        let mut out = json!({ "@type": if c.person { "sc:Person" } else { "sc:Organization" }, "name": c.name });
        if let Some(id) = &c.id {
            out["url"] = id.clone().into();
        }
        out
    };
    built.content.manifest.creators.iter().map(one).collect()
}

fn file(built: &Built<'_>, id: &str, path: &str, media: &str) -> Json {
    json!({
        "@type": "cr:FileObject", "@id": id, "name": id, "contentUrl": path, "encodingFormat": media,
        "contentSize": format!("{} B", built.files.get(path).map_or(0, <[u8]>::len)), "sha256": built.files.hash(path),
    })
}

fn distribution(built: &Built<'_>) -> Vec<Json> {
    let parquet = "application/x-parquet";
    let mut out: Vec<Json> =
        built.tables.iter().map(|t| file(built, &format!("{}.csv", t.name), &t.path(), "text/csv")).collect();
    out.push(file(built, "values.parquet", "aligned/values.parquet", parquet));
    out.push(file(built, "mask.parquet", "aligned/mask.parquet", parquet));
    out.extend(built.series.iter().map(|(name, path, _)| file(built, &format!("{name}.parquet"), path, parquet)));
    let others = [("manifest.json", "application/json"), ("readiness.json", "application/json"), ("loader.py", "text/x-python")];
    out.extend(others.into_iter().map(|(path, media)| file(built, path, path, media)));
    out
}

/// A field; tools refuse identifiers with blanks, so one is made of what the column's name may keep.
fn field(set: &str, file: &str, (id, name): (&str, &str), sort: &str, about: &str) -> Json {
    json!({
        "@type": "cr:Field", "@id": format!("{set}/{id}"), "name": name, "description": about, "dataType": sort,
        "source": { "fileObject": { "@id": file }, "extract": { "column": name } },
    })
}

/// An identifier for each column of the aligned view.
fn identifiers(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut taken: BTreeSet<String> = ["run", "split", "t_s"].into_iter().map(str::to_owned).collect();
    names
        .map(|name| {
            let keeps = |c: char| c.is_alphanumeric() || "-_.@".contains(c);
            let mut id: String = name.chars().map(|c| if keeps(c) { c } else { '_' }).collect();
            while !taken.insert(id.clone()) {
                id.push('_');
            }
            id
        })
        .collect()
}

fn record_sets(built: &Built<'_>) -> Vec<Json> {
    let parts = [("train", "cr:TrainingSplit"), ("validation", "cr:ValidationSplit"), ("test", "cr:TestSplit")];
    let mut out = vec![json!({
        "@type": "cr:RecordSet", "@id": "split_names", "name": "split_names", "dataType": "cr:Split", "key": { "@id": "split_names/name" },
        "description": "Parts of the split",
        "field": [
            { "@type": "cr:Field", "@id": "split_names/name", "name": "name", "dataType": "sc:Text" },
            { "@type": "cr:Field", "@id": "split_names/url", "name": "url", "dataType": "sc:URL" },
        ],
        "data": parts.map(|(name, url)| json!({ "split_names/name": name, "split_names/url": url })),
    })];
    out.extend(built.tables.iter().map(table));
    for (set, about) in [
        ("values", "Series of all runs on one grid; no value where nothing may be said"),
        ("mask", "1 where a value was measured in the cell, 0 where it was carried, interpolated or is absent"),
    ] {
        let file = format!("{set}.parquet");
        let mut fields = vec![
            field(set, &file, ("run", "run"), "sc:Text", "Run"),
            field(set, &file, ("split", "split"), "sc:Text", "Part of the split"),
            field(set, &file, ("t_s", "t_s"), "sc:Float", "Start of the cell, s since the run's zero"),
        ];
        let sort = if set == "values" { "sc:Float" } else { "sc:Integer" };
        let ids = identifiers(built.grids.columns.iter().map(|c| c.name.clone()));
        fields.extend(built.grids.columns.iter().zip(&ids).map(|(c, id)| {
            let unit = c.unit.as_deref().unwrap_or("no unit");
            field(set, &file, (id.as_str(), c.name.as_str()), sort, &format!("{} [{unit}]", c.name))
        }));
        out.push(json!({ "@type": "cr:RecordSet", "@id": set, "name": set, "description": about, "field": fields }));
    }
    out
}

fn table(table: &Table) -> Json {
    let file = format!("{}.csv", table.name);
    let fields: Vec<Json> = table
        .columns
        .iter()
        .map(|c| {
            let unit = c.unit.as_ref().map(|u| format!(" [{u}]")).unwrap_or_default();
            // A whole number that may be absent is read as a float.
            let sort = if c.sort == Type::Integer && !c.required { "sc:Float" } else { c.sort.croissant() };
            field(table.name, &file, (&c.name, &c.name), sort, &format!("{} / {}{unit}", c.label.en, c.label.ja))
        })
        .collect();
    let key: Vec<Json> = table.key.iter().map(|k| json!({ "@id": format!("{}/{k}", table.name) })).collect();
    json!({
        "@type": "cr:RecordSet", "@id": table.name, "name": table.name,
        "description": format!("{} / {}", table.label.en, table.label.ja), "key": key, "field": fields,
    })
}

/// The terms on responsible use, from figures where figures say it.
fn responsible(built: &Built<'_>, out: &mut Json) {
    let content = built.content;
    let manifest = &content.manifest;
    let n = content.runs.len();
    let made = content.runs.iter().filter(|r| simulated(&r.record)).count();
    let strains: BTreeSet<&str> = content.runs.iter().filter_map(|r| split::strain(&r.record)).collect();
    let formats: BTreeSet<&str> = content.runs.iter().filter_map(|r| text(&r.record.fields, "format")).collect();
    let scales: Vec<f64> = content.runs.iter().filter_map(|r| r.record.fields.get("scale_l").and_then(Json::as_f64)).collect();
    let scale = match (scales.iter().copied().reduce(f64::min), scales.iter().copied().reduce(f64::max)) {
        (Some(low), Some(high)) => format!("{low} to {high} L, stated for {} of {n} runs", scales.len()),
        _ => "not stated".to_owned(),
    };
    let cells = built.grids.rows as u64 * built.grids.columns.len() as u64;
    let words = manifest.responsible.clone().unwrap_or_default();
    let said = |t: &Option<toji_core::Text>| t.as_ref().map(|t| format!(" {} / {}", t.en, t.ja)).unwrap_or_default();
    let mut set = |name: &str, value: Json| out[format!("rai:{name}")] = value;
    set(
        "dataCollection",
        format!(
            "Instrument files of {n} culture runs, kept as they came and read by format: {}. {made} of the runs are simulated.",
            formats.into_iter().collect::<Vec<_>>().join(", ")
        )
        .into(),
    );
    set("dataCollectionType", json!([if made == n { "Others: simulation" } else { "Direct measurement" }]));
    set("dataCollectionMissingData", format!("Of {cells} cells of the aligned view {} hold a number measured in the cell and {} a carried or interpolated one; the others are empty. Censored results keep their bounds and original text.", built.grids.measured, built.grids.filled.saturating_sub(built.grids.measured)).into());
    set(
        "dataCollectionRawData",
        "tables/files.csv names every source file with its SHA-256; series/ holds every point at its own time with its quality."
            .into(),
    );
    set("dataImputationProtocol", format!("None in series/. In aligned/ the rule of each column (tables/columns.csv) on a grid of {} s; the mask tells measured from filled.", manifest.grid_s).into());
    set(
        "dataPreprocessingProtocol",
        json!([format!(
            "Made by Toji {} from its ledger at position {}.",
            env!("CARGO_PKG_VERSION"),
            manifest.as_of.unwrap_or_default()
        )]),
    );
    set("dataBiases", json!([format!("{} strains; scale {scale}.{}", strains.len(), said(&words.biases))]));
    set(
        "dataLimitations",
        json!([format!(
            "Readiness {:.3} of 100: readiness.json lists every lost point.{}",
            built.account.score,
            said(&words.limitations)
        )]),
    );
    set(
        "dataUseCases",
        json!([format!("Learning and testing models of culture runs under the terms of use.{}", said(&words.uses))]),
    );
    set("personalSensitiveInformation", json!(["Observers and authors are pseudonyms."]));
    set("dataReleaseMaintenancePlan", "A release never changes; corrections make a new version with its own root hash.".into());
}
