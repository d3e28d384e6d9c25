//! Query strings as the JSON input of an operation, by the shapes of its schema.
//!
//! A list is given by repeating the key or by commas; an object as JSON text.

use crate::schema::{Field, Shape, fields};
use serde_json::{Map, Value as Json};
use toji_core::{Error, Place, Result};

/// Most parameters of one request.
const PARAMETERS_MAX: usize = 1000;

/// Turns the pairs of a query string into an input.
///
/// # Errors
/// `E-QUERY-001` a field the operation does not have, `E-QUERY-002` a field given twice,
/// `E-QUERY-003` too many parameters, and the faults of [`Shape::read`].
pub(crate) fn input_of(schema: &Json, pairs: &[(String, String)]) -> Result<Json> {
    if pairs.len() > PARAMETERS_MAX {
        return Err(Error::input(
            "E-QUERY-003",
            format!("問い合わせの項目が多すぎます (上限 {PARAMETERS_MAX})"),
            format!("too many parameters (at most {PARAMETERS_MAX})"),
        )
        .hint("POST で JSON として送ってください", "send them as JSON by POST"));
    }
    let fields = fields(schema);
    if let Some((unknown, _)) = pairs.iter().find(|(key, _)| !fields.iter().any(|field| field.name == *key)) {
        let known = fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Error::input(
            "E-QUERY-001",
            format!("「{unknown}」という項目はありません"),
            format!("there is no field `{unknown}`"),
        )
        .at(Place::field(unknown.as_str()))
        .hint(format!("項目: {known}"), format!("the fields are: {known}")));
    }
    let mut input = Map::new();
    for field in &fields {
        let given: Vec<&str> = pairs.iter().filter(|(key, _)| *key == field.name).map(|(_, value)| value.as_str()).collect();
        if !given.is_empty() {
            input.insert(field.name.clone(), value_of(field, &given)?);
        }
    }
    Ok(Json::Object(input))
}

fn value_of(field: &Field, given: &[&str]) -> Result<Json> {
    match (&field.shape, given) {
        (Shape::List(_), [one]) if one.trim_start().starts_with('[') => match serde_json::from_str(one) {
            Ok(Json::Array(items)) => Ok(Json::Array(items)),
            _ => list(&field.shape, &field.name, one.split(',')),
        },
        (Shape::List(item), [one]) if !matches!(**item, Shape::Object | Shape::Any) => {
            list(&field.shape, &field.name, one.split(',').filter(|part| !part.is_empty()))
        }
        (Shape::List(_), many) => list(&field.shape, &field.name, many.iter().copied()),
        (shape, [one]) => shape.read(&field.name, one),
        _ => Err(Error::input(
            "E-QUERY-002",
            format!("「{}」が二度以上指定されています", field.name),
            format!("`{}` is given more than once", field.name),
        )
        .at(Place::field(field.name.as_str()))),
    }
}

fn list<'a>(shape: &Shape, name: &str, texts: impl Iterator<Item = &'a str>) -> Result<Json> {
    texts.map(|text| shape.read(name, text)).collect::<Result<Vec<_>>>().map(Json::Array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(pairs: &[(&str, &str)]) -> Result<Json> {
        let schema = json!({"type": "object", "properties": {
            "text": {"type": ["string", "null"]}, "limit": {"type": "integer"}, "raw": {"type": "boolean"},
            "channels": {"type": "array", "items": {"type": "string"}}, "filter": {"type": "object"},
            "levels": {"type": "array", "items": {"type": "number"}}
        }});
        let pairs: Vec<(String, String)> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        input_of(&schema, &pairs)
    }

    #[test]
    fn the_schema_gives_the_types() {
        let check = |pairs: &[(&str, &str)], expected: Json| assert_eq!(read(pairs).unwrap(), expected);
        check(&[], json!({}));
        check(&[("text", "12"), ("limit", "12"), ("raw", "true")], json!({"text": "12", "limit": 12, "raw": true}));
        check(&[("channels", "ph,do")], json!({"channels": ["ph", "do"]}));
        check(&[("channels", "a,b"), ("channels", "c")], json!({"channels": ["a,b", "c"]}));
        check(&[("channels", r#"["a","b"]"#)], json!({"channels": ["a", "b"]}));
        check(&[("channels", "[odd]")], json!({"channels": ["[odd]"]}));
        check(&[("channels", "")], json!({"channels": []}));
        check(&[("levels", "1,2.5")], json!({"levels": [1, 2.5]}));
        check(&[("filter", r#"{"a":1}"#)], json!({"filter": {"a": 1}}));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let check = |pairs: &[(&str, &str)], code: &str, field: &str| {
            let error = read(pairs).unwrap_err();
            assert_eq!(error.code(), code);
            assert_eq!(error.fault().place.as_ref().and_then(|place| place.field.as_deref()), Some(field));
        };
        check(&[("other", "1")], "E-QUERY-001", "other");
        check(&[("limit", "1"), ("limit", "2")], "E-QUERY-002", "limit");
        check(&[("limit", "many")], "E-FIELD-002", "limit");
        check(&[("levels", "1,x")], "E-FIELD-002", "levels");
    }
}
