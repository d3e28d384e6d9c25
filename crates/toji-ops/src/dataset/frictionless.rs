//! `datapackage.json`: every table with its columns, types and references, for Frictionless tools.

use super::built::Built;
use super::tables::Table;
use serde_json::{Value as Json, json};

/// The description of the whole release.
pub(super) fn describe(built: &Built<'_>) -> Json {
    let manifest = &built.content.manifest;
    let title = manifest.title();
    let mut resources: Vec<Json> = built.tables.iter().map(|t| table(built, t)).collect();
    let parquet = |name: &str, path: &str, ja: &str, en: &str| {
        json!({
            "name": name, "path": path, "title": format!("{en} / {ja}"), "type": "file", "format": "parquet",
            "mediatype": "application/vnd.apache.parquet",
            "bytes": built.files.get(path).map_or(0, <[u8]>::len), "hash": format!("sha256:{}", built.files.hash(path)),
        })
    };
    resources.push(parquet("values", "aligned/values.parquet", "整列した値", "Aligned values"));
    resources.push(parquet("mask", "aligned/mask.parquet", "整列のマスク", "Mask of the aligned values"));
    for (name, path, run) in &built.series {
        resources.push(parquet(name, path, &format!("{run} の系列"), &format!("Series of {run}")));
    }
    let mut package = json!({
        "name": manifest.name, "version": manifest.version, "title": format!("{} / {}", title.en, title.ja),
        "created": built.content.at, "profile": "data-package", "resources": resources,
    });
    if let Some(description) = &manifest.description {
        package["description"] = format!("{}\n\n{}", description.en, description.ja).into();
    }
    if let Some(url) = &manifest.url {
        package["homepage"] = url.clone().into();
    }
    if !manifest.creators.is_empty() {
        let of = |c: &super::manifest::Creator| match &c.id {
            Some(id) => json!({ "title": c.name, "path": id, "role": "author" }),
            None => json!({ "title": c.name, "role": "author" }),
        };
        package["contributors"] = manifest.creators.iter().map(of).collect();
    }
    if let Some(url) = built.licence_url() {
        package["licenses"] = json!([{ "path": url, "title": built.licence_name() }]);
    }
    package
}

fn table(built: &Built<'_>, table: &Table) -> Json {
    let path = table.path();
    let fields: Vec<Json> = table
        .columns
        .iter()
        .map(|c| {
            let mut field =
                json!({ "name": c.name, "type": c.sort.frictionless(), "title": format!("{} / {}", c.label.en, c.label.ja) });
            if c.sort == super::tables::Type::Instant {
                field["format"] = "any".into();
            }
            if let Some(unit) = &c.unit {
                field["unit"] = unit.clone().into();
            }
            if c.required {
                field["constraints"] = json!({ "required": true });
            }
            field
        })
        .collect();
    let keys: Vec<Json> = table
        .columns
        .iter()
        .filter_map(|c| {
            let target = c.target?;
            // A table names itself by nothing.
            let resource = if target == table.name { "" } else { target };
            Some(json!({ "fields": [c.name], "reference": { "resource": resource, "fields": ["id"] } }))
        })
        .collect();
    let mut schema = json!({ "fields": fields, "primaryKey": table.key, "missingValues": [""] });
    if !keys.is_empty() {
        schema["foreignKeys"] = keys.into();
    }
    json!({
        "name": table.name, "path": path, "title": format!("{} / {}", table.label.en, table.label.ja), "type": "table",
        "format": "csv", "mediatype": "text/csv", "encoding": "utf-8", "schema": schema,
        "bytes": built.files.get(&path).map_or(0, <[u8]>::len), "hash": format!("sha256:{}", built.files.hash(&path)),
    })
}
