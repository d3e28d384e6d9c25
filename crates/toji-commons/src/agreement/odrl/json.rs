//! Names, lists and plain values of JSON-LD, as far as policies use them. Contexts are not loaded: only those are taken
//! that are known not to give another meaning to a word.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Spaces whose words are written short.
const SPACES: [&str; 10] = [
    "odrl:",
    "http://www.w3.org/ns/odrl/2/",
    "cx-policy:",
    "https://w3id.org/catenax/policy/",
    "https://w3id.org/catenax/2025/9/policy/",
    "edc:",
    "https://w3id.org/edc/v0.0.1/ns/",
    "cc:",
    "http://creativecommons.org/ns#",
    "xsd:",
];
const CONTEXTS: [&str; 5] = [
    "http://www.w3.org/ns/odrl.jsonld",
    "https://w3id.org/catenax/2025/9/policy/odrl.jsonld",
    "https://w3id.org/catenax/2025/9/policy/context.jsonld",
    "https://w3id.org/dspace/2025/1/context.jsonld",
    "https://w3id.org/dspace/2025/1/odrl-profile.jsonld",
];
/// Prefixes, each with what it may stand for.
const PREFIXES: [(&str, &[&str]); 6] = [
    ("odrl", &["http://www.w3.org/ns/odrl/2/"]),
    ("cx-policy", &["https://w3id.org/catenax/policy/", "https://w3id.org/catenax/2025/9/policy/"]),
    ("edc", &["https://w3id.org/edc/v0.0.1/ns/"]),
    ("cc", &["http://creativecommons.org/ns#"]),
    ("xsd", &["http://www.w3.org/2001/XMLSchema#"]),
    ("@vocab", &["https://w3id.org/edc/v0.0.1/ns/"]),
];

/// A word without the space it is of.
pub(super) fn short(name: &str) -> &str {
    SPACES.iter().find_map(|space| name.strip_prefix(space)).unwrap_or(name)
}

/// A word of ODRL itself; that of another space stays as it is.
pub(super) fn odrl(name: &str) -> &str {
    SPACES[..2].iter().find_map(|space| name.strip_prefix(space)).unwrap_or(name)
}

/// Is nothing renamed by this context?
pub(super) fn is_known_context(context: &Value) -> bool {
    match context {
        Value::String(url) => CONTEXTS.contains(&url.as_str()),
        Value::Array(all) => all.iter().all(|one| !one.is_array() && is_known_context(one)),
        Value::Object(of) => of.iter().all(|(prefix, space)| {
            let known = PREFIXES.iter().find(|(p, _)| p == prefix);
            known.is_some_and(|(_, spaces)| space.as_str().is_some_and(|s| spaces.contains(&s)))
        }),
        _ => false,
    }
}

/// The members of an object by their short names; `None` when it is none, or has a name twice.
pub(super) fn members(value: &Value) -> Option<BTreeMap<&str, &Value>> {
    let object: &Map<String, Value> = value.as_object()?;
    let members: BTreeMap<&str, &Value> = object.iter().map(|(name, value)| (short(name), value)).collect();
    (members.len() == object.len()).then_some(members)
}

/// One or many.
pub(super) fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(of) if of.len() == 1 => match of.get("@list").or_else(|| of.get("@set")) {
            Some(Value::Array(items)) => items.iter().collect(),
            _ => vec![value],
        },
        _ => vec![value],
    }
}

/// A plain value as text: a string, a whole number, a name, or a value with its type.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.as_i64()?.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Object(of) if of.keys().all(|k| k == "@value" || k == "@type") => {
            of.get("@value").filter(|inner| !inner.is_object()).and_then(text)
        }
        Value::Object(of) if of.len() == 1 => of.get("@id")?.as_str().map(str::to_owned),
        _ => None,
    }
}

/// Plain values, one or many; `None` when any is not plain.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    items(value).into_iter().map(text).collect()
}
