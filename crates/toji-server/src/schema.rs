//! Reading the JSON schema of an operation's input: which fields there are, and how a text given on
//! a command line or in a query string becomes a value of the field.
//!
//! Only the shapes that a flag or a parameter can take are told apart; everything else is JSON text.

use serde_json::{Map, Value as Json};
use toji_core::{Error, Lang, Place, Result, Text};

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Text.
    Words,
    /// One of some codes.
    Choice(Vec<Choice>),
    /// Several of one shape.
    List(Box<Shape>),
    /// A JSON object.
    Object,
    /// Any JSON value.
    Any,
}

/// A code of a [`Shape::Choice`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The code.
    pub code: String,
    /// What it means, when the schema says.
    pub about: Option<Text>,
}

/// A field of an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Name in JSON.
    pub name: String,
    /// What it holds.
    pub shape: Shape,
    /// Must it be given?
    pub required: bool,
    /// What it is, when the schema says.
    pub about: Option<Text>,
    /// Value when it is not given, when the schema says and it is not null or empty.
    pub default: Option<Json>,
}

/// The fields of an input schema: required ones first, in their order; the others by name.
#[must_use]
pub fn fields(schema: &Json) -> Vec<Field> {
    let required: Vec<&str> = names(schema.get("required"));
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return Vec::new() };
    let mut found: Vec<Field> = properties
        .iter()
        .map(|(name, property)| Field {
            name: name.clone(),
            shape: shape(schema, property),
            required: required.contains(&name.as_str()),
            about: about(property).or_else(|| about(resolve(schema, property))),
            default: default_of(property),
        })
        .collect();
    let rank = |field: &Field| required.iter().position(|name| *name == field.name).unwrap_or(required.len());
    found.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name)));
    found
}

fn names(list: Option<&Json>) -> Vec<&str> {
    list.and_then(Json::as_array).map(|all| all.iter().filter_map(Json::as_str).collect()).unwrap_or_default()
}

fn default_of(property: &Json) -> Option<Json> {
    let default = property.get("default")?;
    let empty = match default {
        Json::Null | Json::Bool(false) => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::String(text) => text.is_empty(),
        _ => false,
    };
    (!empty).then(|| default.clone())
}

/// Follows `$ref` into `$defs`, and through `anyOf [X, null]` to X. At most a few steps, so that a
/// schema that refers to itself cannot hold us.
#[must_use]
pub fn resolve<'a>(root: &'a Json, schema: &'a Json) -> &'a Json {
    let mut at = schema;
    for _ in 0..8 {
        if let Some(target) = at.get("$ref").and_then(Json::as_str).and_then(|path| root.pointer(path.strip_prefix('#')?)) {
            at = target;
            continue;
        }
        let Some(one) = only_variant(at) else { break };
        at = one;
    }
    at
}

/// The one variant of `anyOf`/`oneOf`/`allOf` that is not null.
fn only_variant(schema: &Json) -> Option<&Json> {
    let variants = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| schema.get(key)?.as_array())?;
    let mut real = variants.iter().filter(|v| v.get("type").and_then(Json::as_str) != Some("null"));
    let one = real.next()?;
    (real.next().is_none() && one.get("const").is_none()).then_some(one)
}

fn shape(root: &Json, property: &Json) -> Shape {
    let schema = resolve(root, property);
    if let Some(codes) = choices(root, schema) {
        return Shape::Choice(codes);
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Json::String(one)) => vec![one.as_str()],
        list => names(list).into_iter().filter(|kind| *kind != "null").collect(),
    };
    match kinds.as_slice() {
        ["boolean"] => Shape::Boolean,
        ["integer"] => Shape::Integer,
        ["number"] => Shape::Number,
        ["string"] => Shape::Words,
        ["object"] => Shape::Object,
        ["array"] => {
            match schema.get("items").map_or(Shape::Any, |items| shape(root, items)) {
                // A flag given several times is one list; a list of lists is JSON.
                Shape::List(_) => Shape::Any,
                item => Shape::List(Box::new(item)),
            }
        }
        _ => Shape::Any,
    }
}

/// The codes of an enumeration, written either as `enum` or as `oneOf` of constants.
fn choices(root: &Json, schema: &Json) -> Option<Vec<Choice>> {
    if let Some(list) = schema.get("enum").and_then(Json::as_array) {
        let codes: Vec<Choice> =
            list.iter().filter_map(Json::as_str).map(|code| Choice { code: code.to_owned(), about: None }).collect();
        return (!codes.is_empty()).then_some(codes);
    }
    if let Some(code) = schema.get("const").and_then(Json::as_str) {
        return Some(vec![Choice { code: code.to_owned(), about: about(schema) }]);
    }
    let variants = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array())?;
    let mut codes = Vec::new();
    for variant in variants {
        if variant.get("type").and_then(Json::as_str) == Some("null") {
            continue;
        }
        // A reference is not followed here, for it may lead back to this very schema.
        let variant = if variant.get("$ref").is_some() { resolve(root, variant) } else { variant };
        if let Some(code) = variant.get("const").and_then(Json::as_str) {
            codes.push(Choice { code: code.to_owned(), about: about(variant) });
        } else {
            let list = variant.get("enum").and_then(Json::as_array)?;
            codes.extend(list.iter().filter_map(Json::as_str).map(|code| Choice { code: code.to_owned(), about: None }));
        }
    }
    (!codes.is_empty()).then_some(codes)
}

/// What a schema says it is, in both languages.
///
/// The Japanese is in `x-ja`, or is the paragraph of the description that holds kana or kanji; without
/// either, both languages show the description as it is.
#[must_use]
pub fn about(schema: &Json) -> Option<Text> {
    let description = schema.get("description").and_then(Json::as_str)?;
    if let Some(ja) = schema.get("x-ja").and_then(Json::as_str) {
        return Some(Text::new(ja, one_line(description)));
    }
    let (ja, en): (Vec<&str>, Vec<&str>) = description.split("\n\n").partition(|part| is_japanese(part));
    if ja.is_empty() || en.is_empty() {
        return Some(Text::same(one_line(description)));
    }
    Some(Text::new(one_line(&ja.join(" ")), one_line(&en.join(" "))))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Does the text hold kana or kanji?
#[must_use]
pub fn is_japanese(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'))
}

impl Shape {
    /// Reads one text as a value of this shape. A list reads the text as one item.
    ///
    /// # Errors
    /// `E-FIELD-001…004`: the text is not such a value; the place is the field.
    pub fn read(&self, field: &str, text: &str) -> Result<Json> {
        match self {
            Self::Boolean => read_boolean(field, text),
            Self::Integer => read_integer(field, text),
            Self::Number => read_number(field, text),
            Self::Words => Ok(Json::from(text)),
            Self::Choice(codes) => read_choice(codes, field, text),
            Self::List(item) => item.read(field, text),
            Self::Object => read_object(field, text),
            Self::Any => Ok(serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))),
        }
    }
    /// A word for the value, for usage lines: `TEXT`, `N`, …
    #[must_use]
    pub fn word(&self, lang: Lang) -> &'static str {
        let (ja, en) = match self {
            Self::Boolean => ("真偽", "BOOL"),
            Self::Integer | Self::Number => ("数", "N"),
            Self::Words => ("文字列", "TEXT"),
            Self::Choice(_) => ("選択肢", "CHOICE"),
            Self::List(item) => return item.word(lang),
            Self::Object | Self::Any => ("JSON", "JSON"),
        };
        if lang == Lang::Ja { ja } else { en }
    }
}

fn fault(code: &'static str, field: &str, ja: String, en: String) -> Error {
    Error::input(code, format!("「{field}」{ja}"), format!("`{field}` {en}")).at(Place::field(field))
}

fn read_boolean(field: &str, text: &str) -> Result<Json> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "true" | "1" | "yes" => Ok(Json::Bool(true)),
        "false" | "0" | "no" => Ok(Json::Bool(false)),
        _ => Err(fault(
            "E-FIELD-001",
            field,
            format!("は true か false で指定してください: {text}"),
            format!("must be true or false, not {text}"),
        )),
    }
}

fn read_integer(field: &str, text: &str) -> Result<Json> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Ok(Json::from(number));
    }
    text.parse::<u64>().map(Json::from).map_err(|_| {
        fault("E-FIELD-002", field, format!("は整数で指定してください: {text}"), format!("must be a whole number, not {text}"))
    })
}

fn read_number(field: &str, text: &str) -> Result<Json> {
    let text = text.trim();
    if let Ok(number) = read_integer(field, text) {
        return Ok(number);
    }
    text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Json::Number).ok_or_else(|| {
        fault("E-FIELD-002", field, format!("は数で指定してください: {text}"), format!("must be a number, not {text}"))
    })
}

fn read_choice(codes: &[Choice], field: &str, text: &str) -> Result<Json> {
    if codes.iter().any(|choice| choice.code == text) {
        return Ok(Json::from(text));
    }
    let known = codes.iter().map(|choice| choice.code.as_str()).collect::<Vec<_>>().join(", ");
    Err(fault(
        "E-FIELD-003",
        field,
        format!("は次のいずれかで指定してください ({known}): {text}"),
        format!("must be one of {known}, not {text}"),
    ))
}

/// An object as JSON text, or one `key=value` of it; the value is JSON where it reads as JSON.
fn read_object(field: &str, text: &str) -> Result<Json> {
    let trimmed = text.trim();
    if !trimmed.starts_with('{')
        && let Some((key, value)) = trimmed.split_once('=')
    {
        let value = serde_json::from_str(value).unwrap_or_else(|_| Json::from(value));
        return Ok(Json::Object(Map::from_iter([(key.trim().to_owned(), value)])));
    }
    let read: std::result::Result<Map<String, Json>, _> = serde_json::from_str(trimmed);
    read.map(Json::Object).map_err(|e| {
        let place = Place { line: Some(e.line() as u64), column: Some(e.column() as u64), ..Place::field(field) };
        fault(
            "E-FIELD-004",
            field,
            format!("は JSON のオブジェクトで指定してください ({e})"),
            format!("must be a JSON object ({e})"),
        )
        .at(place)
        .hint("例: {\"name\": \"x\"} または name=x", "for example {\"name\": \"x\"} or name=x")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Json {
        json!({
            "type": "object",
            "required": ["kind", "id"],
            "properties": {
                "id": {"type": "string", "description": "Identifier.\n\n識別子。"},
                "kind": {"$ref": "#/$defs/Kind"},
                "limit": {"type": ["integer", "null"], "default": 100},
                "level": {"type": "number"},
                "deep": {"anyOf": [{"$ref": "#/$defs/Deep"}, {"type": "null"}]},
                "sort": {"anyOf": [{"$ref": "#/$defs/Sort"}, {"type": "null"}]},
                "dry_run": {"type": "boolean", "default": false},
                "paths": {"type": "array", "items": {"type": "string"}},
                "anything": true
            },
            "$defs": {
                "Kind": {"enum": ["run", "strain"]},
                "Deep": {"type": "object", "properties": {"deep": {"$ref": "#/$defs/Deep"}}},
                "Sort": {"oneOf": [
                    {"const": "up", "type": "string", "description": "Upwards"},
                    {"enum": ["down"], "type": "string"}
                ]}
            }
        })
    }

    fn field(name: &str) -> Field {
        fields(&schema()).into_iter().find(|field| field.name == name).unwrap()
    }

    #[test]
    fn shapes_are_read_through_references_and_options() {
        let codes = |list: &[&str]| Shape::Choice(list.iter().map(|c| Choice { code: (*c).to_owned(), about: None }).collect());
        assert_eq!(field("kind").shape, codes(&["run", "strain"]));
        assert_eq!(field("limit").shape, Shape::Integer);
        assert_eq!(field("level").shape, Shape::Number);
        assert_eq!(field("deep").shape, Shape::Object);
        assert_eq!(field("dry_run").shape, Shape::Boolean);
        assert_eq!(field("anything").shape, Shape::Any);
        assert_eq!(field("paths").shape, Shape::List(Box::new(Shape::Words)));
        let Shape::Choice(sort) = field("sort").shape else { panic!("a choice") };
        assert_eq!(sort.iter().map(|c| c.code.as_str()).collect::<Vec<_>>(), ["up", "down"]);
        assert_eq!(sort[0].about, Some(Text::same("Upwards")));
    }

    #[test]
    fn required_fields_come_first_in_their_order() {
        let order: Vec<String> = fields(&schema()).into_iter().map(|field| field.name).collect();
        assert_eq!(order, ["kind", "id", "anything", "deep", "dry_run", "level", "limit", "paths", "sort"]);
        assert_eq!(field("id").about, Some(Text::new("識別子。", "Identifier.")));
        assert_eq!(field("limit").default, Some(json!(100)));
        assert_eq!(field("dry_run").default, None);
    }

    #[test]
    fn a_list_of_lists_is_json() {
        let points = json!({"type": "array", "items": {"type": "array", "items": {"type": "number"}}});
        assert_eq!(fields(&json!({"properties": {"corners": points}}))[0].shape, Shape::Any);
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let root = json!({"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}]}}});
        assert_eq!(fields(&root)[0].shape, Shape::Any);
    }

    #[test]
    fn texts_become_values_or_located_faults() {
        let check = |shape: Shape, text: &str, expected: Json| assert_eq!(shape.read("f", text).unwrap(), expected);
        check(Shape::Boolean, "", json!(true));
        check(Shape::Boolean, "No", json!(false));
        check(Shape::Integer, "-3", json!(-3));
        check(Shape::Integer, "18446744073709551615", json!(u64::MAX));
        check(Shape::Number, "1e-3", json!(0.001));
        check(Shape::Number, "2", json!(2));
        check(Shape::Object, "name=麹", json!({"name": "麹"}));
        check(Shape::Object, "n=3", json!({"n": 3}));
        check(Shape::Object, r#"{"a":[1]}"#, json!({"a": [1]}));
        check(Shape::Any, "[1,2]", json!([1, 2]));
        check(Shape::Any, "plain", json!("plain"));
        let refuse = |shape: Shape, text: &str, code: &str| {
            let error = shape.read("f", text).unwrap_err();
            assert_eq!(error.code(), code);
            assert_eq!(error.fault().place.as_ref().and_then(|p| p.field.as_deref()), Some("f"));
        };
        refuse(Shape::Boolean, "perhaps", "E-FIELD-001");
        refuse(Shape::Integer, "1.5", "E-FIELD-002");
        refuse(Shape::Number, "NaN", "E-FIELD-002");
        refuse(Shape::Choice(vec![Choice { code: "a".into(), about: None }]), "b", "E-FIELD-003");
        refuse(Shape::Object, "{", "E-FIELD-004");
        refuse(Shape::Object, "[1]", "E-FIELD-004");
    }
}
