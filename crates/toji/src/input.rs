//! Matches of a command as the JSON input of its operation.

use clap::ArgMatches;
use serde_json::{Map, Value as Json};
use std::io::Read;
use toji_core::{Error, Place, Result};
use toji_ops::Operation;
use toji_server::schema::{Field, Shape, fields};

/// Largest file that a flag may name by `@file`.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Reads the fields that were given; the others are left to the operation's defaults.
///
/// # Errors
/// A text that is no value of its field, or a file named by `@` that cannot be read.
pub(crate) fn read(operation: &Operation, matches: &ArgMatches) -> Result<Json> {
    let mut input = Map::new();
    for field in fields(operation.input.as_value()) {
        let Ok(Some(given)) = matches.try_get_many::<String>(&crate::tree::arg_id(&field.name)) else { continue };
        let given: Vec<&str> = given.map(String::as_str).collect();
        if let Some(value) = value_of(&field, &given)? {
            input.insert(field.name, value);
        }
    }
    Ok(Json::Object(input))
}

fn value_of(field: &Field, given: &[&str]) -> Result<Option<Json>> {
    let name = field.name.as_str();
    match &field.shape {
        Shape::List(item) => {
            let mut all = Vec::new();
            for text in given {
                let text = from_file(item, name, text)?;
                match whole(item, &text) {
                    Some(values) => all.extend(values),
                    None => all.push(item.read(name, &text)?),
                }
            }
            Ok(Some(Json::Array(all)))
        }
        // Several objects are one: `--fields name=x --fields n=3`.
        Shape::Object => {
            let mut all = Map::new();
            for text in given {
                if let Json::Object(part) = field.shape.read(name, &from_file(&field.shape, name, text)?)? {
                    all.extend(part);
                }
            }
            Ok(Some(Json::Object(all)))
        }
        shape => given.last().map(|text| shape.read(name, &from_file(shape, name, text)?)).transpose(),
    }
}

/// A list of objects may come whole: `--conditions @conditions.json` with `[{…}, {…}]` in the file.
fn whole(item: &Shape, text: &str) -> Option<Vec<Json>> {
    matches!(item, Shape::Object).then(|| serde_json::from_str(text).ok()).flatten()
}

/// `@file` of a JSON field stands for the content of the file, `@-` for standard input.
fn from_file(shape: &Shape, field: &str, text: &str) -> Result<String> {
    let Some(path) = text.strip_prefix('@').filter(|_| matches!(shape, Shape::Object | Shape::Any)) else {
        return Ok(text.to_owned());
    };
    let fault = |detail: String| {
        Error::input("E-CLI-002", format!("「{path}」を読めません: {detail}"), format!("cannot read {path}: {detail}"))
            .at(Place::field(field))
    };
    let source: Box<dyn Read> = if path == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(|e| fault(e.to_string()))?)
    };
    let mut content = String::new();
    source.take(FILE_BYTES_MAX + 1).read_to_string(&mut content).map_err(|e| fault(e.to_string()))?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(fault(format!("> {} MiB", FILE_BYTES_MAX >> 20)));
    }
    Ok(content)
}
