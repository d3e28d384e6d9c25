//! A strain record from and to a document of the DSMZ microbial strain data standard 0.12.
//!
//! People search flat fields; partners exchange the document. The record keeps the whole document in
//! `dsmz`, so nothing of it is lost, and [`to_dsmz`] returns it unchanged while the flat fields say
//! the same. What was edited is written to its place in the document. What the standard has no place
//! for (genotype, LMO class …) goes to the property `toji`, which the standard permits. Area of
//! sharing, owner and notes stay in the house.

mod standard;

use crate::error::{Diagnostic, Place};
use crate::record::FieldMap;
use serde_json::{Map, Value as Json, json};
use standard::{REQUIRED, REQUIRED_TOP};

/// Property of the document for facts that the standard has no place for.
pub const EXTENSION: &str = "toji";
/// Fields that only the extension carries.
const EXTRA: [&str; 7] = ["name", "genotype", "parent", "derived_by", "lmo_class", "containment", "origin_permits"];
/// The sum of the risk groups stated; written by [`write_risk_group`].
const RISK_GROUP: &str = "risk_group";

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Text,
    Number,
    Flag,
}

impl Shape {
    fn fits(self, value: &Json) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Flag => value.is_boolean(),
        }
    }
}

/// A field that is one place of the document: of the first entry of `array` that states it.
struct Plain {
    field: &'static str,
    /// Empty: the document itself.
    array: &'static str,
    path: &'static str,
    shape: Shape,
}

const fn plain(field: &'static str, array: &'static str, path: &'static str, shape: Shape) -> Plain {
    Plain { field, array, path, shape }
}

const PLAINS: &[Plain] = &[
    plain("primary_id", "", "/primaryId", Shape::Text),
    plain("organism_type", "", "/organismType", Shape::Text),
    plain("taxon_name", "taxon", "/name", Shape::Text),
    plain("taxon_author", "taxon", "/scientificName/author", Shape::Text),
    plain("type_strain", "typeStrain", "/typeStrain", Shape::Flag),
    plain("nagoya_restrictions", "legal", "/nagoyaRestrictions", Shape::Text),
    plain("gmo", "legal", "/gmo", Shape::Flag),
    plain("gmo_information", "legal", "/gmoInformation", Shape::Text),
    plain("dual_use", "legal", "/dualUse", Shape::Flag),
    plain("gras", "legal", "/gras", Shape::Flag),
    plain("qps", "legal", "/qps", Shape::Flag),
    plain("quarantine_eu", "legal", "/quarantineEU", Shape::Flag),
    plain("origin_country", "origin", "/country/iso_3166_2", Shape::Text),
    plain("origin_place", "origin", "/locationCreated/name", Shape::Text),
    plain("origin_description", "origin", "/description", Shape::Text),
    plain("sampled", "origin", "/sampleDate", Shape::Text),
    plain("isolated", "origin", "/isolationDate", Shape::Text),
    plain("temperature_optimal_c", "growthConditions", "/optimalTemperature", Shape::Number),
    plain("temperature_min_c", "growthConditions", "/minimalTemperature", Shape::Number),
    plain("temperature_max_c", "growthConditions", "/maximalTemperature", Shape::Number),
    plain("ph_optimal", "growthConditions", "/optimalPh", Shape::Number),
    plain("ph_min", "growthConditions", "/minimalPh", Shape::Number),
    plain("ph_max", "growthConditions", "/maximalPh", Shape::Number),
    plain("oxygen", "growthConditions", "/oxygenRelation", Shape::Text),
];

/// A field that gathers one text from each entry of a list of the document.
struct List {
    field: &'static str,
    /// Pointer to the list.
    array: &'static str,
    read: fn(&Json) -> Option<String>,
    /// The entry that says this text, when it can be made from it alone.
    make: fn(&str) -> Option<Json>,
    /// Only the first text is the field.
    one: bool,
    /// Entries name their source.
    sourced: bool,
}

const LISTS: &[List] = &[
    list("deposit_numbers", "/identifier", |e| identifier(e, "CCNO"), |t| Some(json!({"name": "CCNO", "value": t}))),
    list("designations", "/identifier", |e| identifier(e, "Designation"), |t| Some(json!({"name": "Designation", "value": t}))),
    list("collections", "/collections", |e| text(e, "name"), |_| None),
    list("risk_group_statements", "/bioSafety", read_risk, make_risk),
    list("pathogenicity", "/pathogenicity", |e| pair(e, "host", "pathogen"), |t| make_pair(t, "host", "pathogen")),
    list("media", "/cultivationMedia", |e| text(e, "name"), |t| Some(json!({"name": t}))),
    list("applications", "/knownApplications", |e| text(e, "application"), |t| Some(json!({"application": t}))),
    list("sequence_accessions", "/sequences", |e| text(e, "accessionNumber"), |_| None),
    List {
        sourced: false,
        ..list("taxon_synonyms", "/taxon/0/alternateName", |e| e.as_str().map(str::to_owned), |t| Some(Json::from(t)))
    },
    List {
        sourced: false,
        one: true,
        ..list(
            "ncbi_taxon",
            "/taxon/0/identifier",
            |e| identifier(e, "NCBI:txid"),
            |t| Some(json!({"name": "NCBI:txid", "value": t})),
        )
    },
];

const fn list(
    field: &'static str,
    array: &'static str,
    read: fn(&Json) -> Option<String>,
    make: fn(&str) -> Option<Json>,
) -> List {
    List { field, array, read, make, one: false, sourced: true }
}

fn text(entry: &Json, key: &str) -> Option<String> {
    entry.get(key)?.as_str().map(str::to_owned)
}

fn identifier(entry: &Json, name: &str) -> Option<String> {
    (entry.get("name")?.as_str()? == name).then(|| text(entry, "value"))?
}

fn pair(entry: &Json, first: &str, second: &str) -> Option<String> {
    Some(format!("{}: {}", text(entry, first)?, text(entry, second)?))
}

fn make_pair(text: &str, first: &str, second: &str) -> Option<Json> {
    let (a, b) = text.split_once(": ")?;
    Some(json!({first: a, second: b}))
}

fn read_risk(entry: &Json) -> Option<String> {
    pair(entry, "classification", "riskgroup").or_else(|| text(entry, "riskgroup"))
}

fn make_risk(text: &str) -> Option<Json> {
    make_pair(text, "classification", "riskgroup").or_else(|| Some(json!({"riskgroup": text})))
}

/// Maps a document to the fields of kind `strain`, with everything worth saying about it: errors
/// where the standard's required properties are missing, warnings where something was not mapped.
/// The document itself is kept whole in the field `dsmz`.
#[must_use]
pub fn from_dsmz(document: &Json) -> (FieldMap, Vec<Diagnostic>) {
    let mut found = standard::check(document);
    let mut fields = derive(document, &mut found);
    if let Some(extension) = document.get(EXTENSION).and_then(Json::as_object) {
        for (name, value) in extension {
            if !known().any(|k| k == name) {
                found.push(not_mapped(&format!("/{EXTENSION}/{name}")));
            } else if value.is_null() {
                fields.remove(name);
            } else {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
    fields.insert("dsmz".into(), document.clone());
    (fields, found)
}

/// The document that says what the fields say. Fields that came from a document and were not edited
/// give that document back unchanged.
#[must_use]
pub fn to_dsmz(fields: &FieldMap) -> Json {
    let kept = fields.get("dsmz").filter(|d| d.is_object());
    if let Some(document) = kept
        && known().all(|name| stated(from_dsmz(document).0.get(name)) == stated(fields.get(name)))
    {
        return document.clone();
    }
    let mut document = kept.cloned().unwrap_or_else(|| bare(fields));
    if let Some(map) = document.as_object_mut() {
        map.remove(EXTENSION);
    }
    let before = derive(&document, &mut Vec::new());
    let edited = |name: &str| stated(before.get(name)) != stated(fields.get(name));
    for plain in PLAINS.iter().filter(|p| edited(p.field)) {
        write_plain(&mut document, plain, stated(fields.get(plain.field)));
    }
    for list in LISTS.iter().filter(|l| edited(l.field)) {
        write_list(&mut document, list, fields.get(list.field));
    }
    write_risk_group(&mut document, fields);
    write_extension(&mut document, fields, kept.is_some());
    document
}

fn known() -> impl Iterator<Item = &'static str> {
    PLAINS.iter().map(|p| p.field).chain(LISTS.iter().map(|l| l.field)).chain([RISK_GROUP]).chain(EXTRA)
}

/// A value that says something: blank texts and empty lists are the same as nothing.
fn stated(value: Option<&Json>) -> Option<&Json> {
    value.filter(|v| match v {
        Json::Null => false,
        Json::String(text) => !text.trim().is_empty(),
        Json::Array(parts) => !parts.is_empty(),
        _ => true,
    })
}

fn not_mapped(pointer: &str) -> Diagnostic {
    Diagnostic::warning(
        "W-STRAIN-003",
        Place::field(pointer),
        format!("「{pointer}」は項目に対応づけできません"),
        format!("\"{pointer}\" does not map to a field"),
    )
    .remedy("文書全体は dsmz に保持されています", "the whole document is kept in dsmz")
}

/// The flat fields that the standard's own properties state.
fn derive(document: &Json, found: &mut Vec<Diagnostic>) -> FieldMap {
    let mut fields = FieldMap::new();
    for plain in PLAINS {
        let Some((value, pointer)) = read_plain(document, plain) else { continue };
        if plain.shape.fits(value) {
            fields.insert(plain.field.into(), value.clone());
        } else {
            found.push(not_mapped(&pointer));
        }
    }
    for list in LISTS {
        let texts = read_list(document, list);
        match (list.one, texts.first()) {
            (_, None) => {}
            (true, Some(first)) => drop(fields.insert(list.field.into(), Json::from(first.as_str()))),
            (false, Some(_)) => drop(fields.insert(list.field.into(), Json::from(texts))),
        }
    }
    if let Some(highest) = highest_risk(document) {
        fields.insert(RISK_GROUP.into(), Json::from(highest));
    }
    // Documents without a culture collection number among the identifiers still have the collections' own.
    if !fields.contains_key("deposit_numbers") {
        let numbers =
            read_list(document, &List { read: |e| text(e, "resourceNumber"), ..list("", "/collections", |_| None, |_| None) });
        if !numbers.is_empty() {
            fields.insert("deposit_numbers".into(), Json::from(numbers));
        }
    }
    let first_deposit = fields.get("deposit_numbers").and_then(|d| d.get(0));
    let name = fields.get("primary_id").or(first_deposit).or_else(|| fields.get("taxon_name")).cloned();
    if let Some(name) = name {
        fields.insert("name".into(), name);
    }
    fields
}

fn read_plain<'a>(document: &'a Json, plain: &Plain) -> Option<(&'a Json, String)> {
    let of = |entry: &'a Json| entry.pointer(plain.path).filter(|v| !v.is_null());
    if plain.array.is_empty() {
        return of(document).map(|v| (v, plain.path.to_owned()));
    }
    let entries = document.get(plain.array)?.as_array()?;
    entries.iter().enumerate().find_map(|(i, e)| of(e).map(|v| (v, format!("/{}/{i}{}", plain.array, plain.path))))
}

fn read_list(document: &Json, list: &List) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for text in document.pointer(list.array).and_then(Json::as_array).into_iter().flatten().filter_map(list.read) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// The highest risk group that any classification states.
fn highest_risk(document: &Json) -> Option<String> {
    let groups = document.get("bioSafety")?.as_array()?.iter().filter_map(|e| text(e, "riskgroup"));
    groups.max_by_key(|g| (g.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>().unwrap_or(0), g.len()))
}

fn write_plain(document: &mut Json, plain: &Plain, value: Option<&Json>) {
    let place = if plain.array.is_empty() {
        document
    } else {
        // The entry that states it now, else the first, else a new one.
        let at = document
            .get(plain.array)
            .and_then(Json::as_array)
            .map_or(0, |a| a.iter().position(|e| e.pointer(plain.path).is_some_and(|v| !v.is_null())).unwrap_or(0));
        if document.pointer(&format!("/{}/{at}", plain.array)).is_none() {
            let (Some(_), true) = (value, only_requirement(plain)) else { return };
            let entry = json!({"source": [own_source(document)]});
            push(document, &format!("/{}", plain.array), entry);
        }
        match document.pointer_mut(&format!("/{}/{at}", plain.array)) {
            Some(entry) => entry,
            None => return,
        }
    };
    match value {
        Some(value) => set(place, plain.path, value.clone()),
        // What the standard requires is not taken out of it; the extension says that it is not so.
        None if is_required(plain) => {}
        None => set(place, plain.path, Json::Null),
    }
}

fn is_required(plain: &Plain) -> bool {
    let key = plain.path.trim_start_matches('/');
    let of_entries = REQUIRED.iter().any(|(array, keys)| *array == plain.array && keys.contains(&key));
    of_entries || (plain.array.is_empty() && REQUIRED_TOP.contains(&key))
}

/// Would an entry that holds this place and a source conform?
fn only_requirement(plain: &Plain) -> bool {
    let key = plain.path.trim_start_matches('/');
    REQUIRED.iter().any(|(array, keys)| *array == plain.array && keys.iter().all(|k| *k == "source" || *k == key))
}

/// Sets a place below an object, making the objects on the way.
fn set(place: &mut Json, path: &str, value: Json) {
    let mut here = place;
    for key in path.split('/').skip(1) {
        if !here.is_object() {
            *here = Json::Object(Map::new());
        }
        let Some(map) = here.as_object_mut() else { return };
        here = map.entry(key).or_insert(Json::Null);
    }
    *here = value;
}

/// Adds an entry to a list; the list is made when missing, what holds it is not.
fn push(document: &mut Json, array: &str, entry: Json) {
    let holder = array.rsplit_once('/').and_then(|(holder, key)| Some((document.pointer_mut(holder)?.as_object_mut()?, key)));
    let Some((holder, key)) = holder else { return };
    let list = holder.entry(key).or_insert(Json::Null);
    if list.is_null() {
        *list = json!([]);
    }
    if let Some(list) = list.as_array_mut() {
        list.push(entry);
    }
}

fn write_list(document: &mut Json, list: &List, value: Option<&Json>) {
    let texts: Vec<String> = match value {
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(parts)) => parts.iter().filter_map(|p| p.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let before = read_list(document, list);
    if let Some(entries) = document.pointer_mut(list.array).and_then(Json::as_array_mut) {
        entries.retain(|e| (list.read)(e).is_none_or(|t| texts.contains(&t)));
    }
    for text in texts.iter().filter(|t| !before.contains(t)) {
        let Some(mut entry) = (list.make)(text) else { continue };
        if list.sourced {
            set(&mut entry, "/source", json!([own_source(document)]));
        }
        push(document, list.array, entry);
    }
}

/// A higher risk group than the document's classifications state is added as a statement of ours, so
/// that a reader of the standard alone is never told less than the record says.
fn write_risk_group(document: &mut Json, fields: &FieldMap) {
    let Some(group) = stated(fields.get(RISK_GROUP)).and_then(Json::as_str) else { return };
    if highest_risk(document).as_deref() != Some(group) {
        let entry = json!({"riskgroup": group, "source": [own_source(document)]});
        push(document, "/bioSafety", entry);
    }
}

/// What the document still does not say goes to the extension. `null` there takes back what an edited
/// document states; in a document of our own making there is nothing to take back.
fn write_extension(document: &mut Json, fields: &FieldMap, edited: bool) {
    let derived = derive(document, &mut Vec::new());
    let rest: Map<String, Json> = known()
        .filter(|name| stated(derived.get(*name)) != stated(fields.get(*name)))
        .filter(|name| edited || stated(fields.get(*name)).is_some())
        .map(|name| (name.to_owned(), stated(fields.get(name)).cloned().unwrap_or(Json::Null)))
        .collect();
    if let (Some(map), false) = (document.as_object_mut(), rest.is_empty()) {
        map.insert(EXTENSION.into(), Json::Object(rest));
    }
}

/// The pointer to our own entry among the sources; added when missing.
fn own_source(document: &mut Json) -> String {
    let ours = |s: &Json| s.get("name").and_then(Json::as_str) == Some("Toji");
    let at = document.get("sources").and_then(Json::as_array).map_or(0, |a| a.iter().position(ours).unwrap_or(a.len()));
    if document.pointer(&format!("/sources/{at}")).is_none() {
        push(document, "/sources", json!({"sourceType": "dataset", "mode": "manual", "name": "Toji"}));
    }
    format!("/sources/{at}")
}

/// The required frame of a document for a record that did not come from one.
fn bare(fields: &FieldMap) -> Json {
    let name = stated(fields.get("primary_id")).or_else(|| stated(fields.get("name"))).cloned().unwrap_or_else(|| Json::from(""));
    let mut document =
        json!({"version": 1, "primaryId": name, "organismType": fields.get("organism_type"), "identifier": [], "sources": []});
    let source = own_source(&mut document);
    if ["deposit_numbers", "designations"].iter().all(|f| stated(fields.get(*f)).is_none()) {
        push(&mut document, "/identifier", json!({"name": "name", "value": fields.get("name"), "source": [source]}));
    }
    document
}

#[cfg(test)]
mod tests;
