//! COBRA YAML: the members of COBRA JSON as ordered maps (`!!omap`), read and written.

use super::findings::{GEM_001, GEM_004};
use super::json::{Json, Node, document, tree};
use super::{Reading, Written};
use crate::io::findings::Findings;
use crate::model::Model;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use toji_core::{Error, Place, Result};
use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::{Marker, TScalarStyle};

/// Deepest nesting, most values, and most values that aliases repeat.
const DEPTH_MAX: usize = 40;
const NODES_MAX: usize = 50_000_000;
const REPEATED_MAX: usize = 2_000_000;
/// Longest line, so that line and column are one number.
const COLUMN_BITS: u32 = 24;

/// Reads COBRA YAML, also as RAVEN and GECKO write it (identifier and name under `metaData`).
///
/// # Errors
/// `E-GEM-001`: not YAML, with line and column. `E-GEM-002`: faults of the model, each with line, column and element.
pub fn read(bytes: &[u8]) -> Result<Reading> {
    let text = std::str::from_utf8(bytes).map_err(|_| broken(1, 1, "UTF-8 ではありません", "it is not UTF-8"))?;
    let mut root = load(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    if let Json::Object(members) = &mut root.value
        && let Some(at) = members.iter().position(|m| m.0 == "metaData")
        && let Json::Object(about) = members.remove(at).1.value
    {
        let known: Vec<_> = members.iter().map(|m| m.0.to_string()).collect();
        members.extend(about.into_iter().filter(|m| !known.iter().any(|k| *k == m.0)));
    }
    let place = |at: usize| ((at >> COLUMN_BITS) as u64, (at & ((1 << COLUMN_BITS) - 1)) as u64);
    let (model, findings) = tree(&root, &place, "COBRA YAML")?;
    Ok(Reading { model, findings })
}

fn broken(line: u64, column: u64, ja: &str, en: &str) -> Error {
    Error::input(GEM_001, format!("YAML として読めません: {ja}"), format!("not readable as YAML: {en}"))
        .at(Place::line(line).at_column(column))
        .hint("途中で切れていないかを確かめ、書き出し直してください", "check that it is not cut off, and export it again")
}

/// A list or map that stands open.
struct Open<'t> {
    node: Node<'t>,
    /// The key that waits for its value.
    key: Option<Cow<'t, str>>,
    anchor: usize,
    /// Is it an ordered map?
    ordered: bool,
}

#[derive(Default)]
struct Loader {
    open: Vec<Open<'static>>,
    /// Values with an anchor, and how many values each holds.
    anchors: HashMap<usize, (Node<'static>, usize)>,
    nodes: usize,
    repeated: usize,
    root: Option<Node<'static>>,
}

/// The first document as a tree.
fn load(text: &str) -> Result<Node<'static>> {
    let mut parser = Parser::new_from_str(text);
    let mut loader = Loader::default();
    while loader.root.is_none() {
        let (event, marker) =
            parser.next_token().map_err(|e| broken(e.marker().line() as u64, e.marker().col() as u64 + 1, e.info(), e.info()))?;
        if event == Event::StreamEnd {
            return Err(broken(marker.line() as u64, 1, "中身がありません", "there is nothing in it"));
        }
        loader.take(event, marker)?;
    }
    loader.root.ok_or_else(|| broken(1, 1, "中身がありません", "there is nothing in it"))
}

fn too_many() -> Error {
    Error::input(GEM_004, "YAML の値が多すぎます", "there are too many values in the YAML")
        .hint("別名の繰り返しを減らしてください", "repeat aliases less")
}

fn size(node: &Node<'_>) -> usize {
    1 + match &node.value {
        Json::List(items) => items.iter().map(size).sum::<usize>(),
        Json::Object(members) => members.iter().map(|m| size(&m.1)).sum(),
        _ => 0,
    }
}

impl Loader {
    fn take(&mut self, event: Event, marker: Marker) -> Result<()> {
        let column = (marker.col() + 1).min((1 << COLUMN_BITS) - 1);
        let at = (marker.line() << COLUMN_BITS) | column;
        let ordered = |tag: &Option<Tag>| tag.as_ref().is_some_and(|t| t.suffix.ends_with("omap"));
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let node = Node { at, value: scalar(text, style == TScalarStyle::Plain) };
                self.keep(anchor, &node);
                self.put(node)
            }
            Event::SequenceStart(anchor, tag) => self.begin(at, Json::List(Vec::new()), anchor, ordered(&tag)),
            Event::MappingStart(anchor, _) => self.begin(at, Json::Object(Vec::new()), anchor, false),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(mut open) = self.open.pop() else { return Ok(()) };
                if open.ordered {
                    open.node.value = flat(open.node.value);
                }
                self.keep(open.anchor, &open.node);
                self.put(open.node)
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor) else {
                    return Err(broken(marker.line() as u64, column as u64, "未知の別名です", "an unknown alias"));
                };
                self.repeated += size;
                if self.repeated > REPEATED_MAX {
                    return Err(too_many());
                }
                let node = node.clone();
                self.put(node)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: usize, value: Json<'static>, anchor: usize, ordered: bool) -> Result<()> {
        if self.open.len() >= DEPTH_MAX {
            return Err(broken((at >> COLUMN_BITS) as u64, 1, "入れ子が深すぎます", "nested too deeply"));
        }
        self.open.push(Open { node: Node { at, value }, key: None, anchor, ordered });
        Ok(())
    }

    fn keep(&mut self, anchor: usize, node: &Node<'static>) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size(node)));
        }
    }

    /// Puts a finished value where it belongs.
    fn put(&mut self, node: Node<'static>) -> Result<()> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(too_many());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.node.value, open.key.take()) {
            (Json::List(items), _) => items.push(node),
            (Json::Object(members), Some(key)) => members.push((key, node)),
            (Json::Object(_), None) => {
                open.key = Some(match node.value {
                    Json::Text(text) => text,
                    Json::Number(number) => number.to_string().into(),
                    Json::Bool(truth) => truth.to_string().into(),
                    _ => "".into(),
                });
            }
            _ => {}
        }
        Ok(())
    }
}

/// A list of maps of one member each, as one map.
fn flat(value: Json<'static>) -> Json<'static> {
    let Json::List(items) = value else { return value };
    let single = items.iter().all(|i| matches!(&i.value, Json::Object(members) if members.len() == 1));
    if !single {
        return Json::List(items);
    }
    let members = items.into_iter().filter_map(|i| if let Json::Object(members) = i.value { Some(members) } else { None });
    Json::Object(members.flatten().collect())
}

/// A plain scalar is what YAML's core schema says; a quoted one is a text.
fn scalar(text: String, plain: bool) -> Json<'static> {
    if !plain {
        return Json::Text(text.into());
    }
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" => Json::Bool(true),
        "false" | "False" | "FALSE" => Json::Bool(false),
        ".inf" | ".Inf" | "+.inf" => Json::Number(f64::INFINITY),
        "-.inf" | "-.Inf" => Json::Number(f64::NEG_INFINITY),
        ".nan" | ".NaN" => Json::Number(f64::NAN),
        other => {
            let digits = other.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
            match other.parse::<f64>() {
                // A name of digits, such as a gene's, stays what it is when read as a number.
                Ok(number) if digits && (number.to_string() == other || other.contains(['.', 'e', 'E'])) => Json::Number(number),
                _ => Json::Text(text.into()),
            }
        }
    }
}

/// Writes COBRA YAML with ordered maps, as COBRApy reads it; losses as for COBRA JSON.
///
/// # Errors
/// None for a checked model.
pub fn write(model: &Model) -> Result<Written> {
    let mut losses = Findings::default();
    let tree = document(model, &mut losses);
    let mut text = String::from("---\n");
    emit(&tree, 0, &mut text);
    Ok(Written { bytes: text.into_bytes(), losses: losses.into_notes() })
}

/// The value after `- key:` or `-`, with its line ending.
fn emit(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) if !members.is_empty() => {
            text.push_str(if depth == 0 { "!!omap\n" } else { " !!omap\n" });
            for (key, value) in members {
                text.push_str(&format!("{indent}- {}:", quoted(key)));
                emit(value, depth + 1, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            for item in items {
                text.push_str(&format!("{indent}-"));
                emit(item, depth + 1, text);
            }
        }
        Value::Object(_) => text.push_str(" !!omap []\n"),
        Value::Array(_) => text.push_str(" []\n"),
        Value::Null => text.push_str(" null\n"),
        Value::String(word) => text.push_str(&format!(
            " {}\n",
            if word == "inf" {
                ".inf".into()
            } else if word == "-inf" {
                "-.inf".into()
            } else {
                quoted(word)
            }
        )),
        other => text.push_str(&format!(" {other}\n")),
    }
}

/// A text in double quotes, with the escapes that JSON and YAML share.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
