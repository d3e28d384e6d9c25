//! A small tree of an XML document: elements of known namespaces with line and column, and limits on everything.
//!
//! Notes and annotations are for people and other programs; they are passed over. Document types and entities
//! other than the five of XML are not read: SBML needs none.

use super::SBML_001;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use toji_core::{Diagnostic, Place};

/// Longest document, deepest nesting and most elements accepted.
const BYTES_MAX: usize = 64 << 20;
const DEPTH_MAX: usize = 400;
const ELEMENTS_MAX: usize = 2_000_000;

/// Line and column, from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spot {
    /// Line.
    pub line: u64,
    /// Column in characters.
    pub column: u64,
}

impl Spot {
    /// As a place, with what stands there.
    #[must_use]
    pub fn place(self, what: &str) -> Place {
        Place::line(self.line).at_column(self.column).at_field(what)
    }
}

/// Whose words an element is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Space {
    /// The core of SBML.
    Sbml,
    /// A package of SBML.
    Package,
    /// MathML.
    Math,
    /// Anybody else.
    #[default]
    Other,
}

/// One element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Name without prefix.
    pub(super) name: String,
    /// Whose word the name is.
    pub(super) space: Space,
    /// Text directly inside, as written.
    pub(super) text: String,
    /// How much of its parent's text stands before it.
    pub(super) after: usize,
    /// Attributes by name, with prefix.
    pub(super) attributes: Vec<(String, String)>,
    /// Its start tag.
    pub(super) spot: Spot,
    /// Elements inside.
    pub(super) children: Vec<Element>,
}

impl Element {
    /// An attribute of the element's own language.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
    /// The first child of this name in the core of SBML.
    pub(super) fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.space == Space::Sbml && c.name == name)
    }
    /// Its name and place.
    pub(super) fn place(&self) -> Place {
        self.spot.place(self.attribute("id").unwrap_or(&self.name))
    }
}

fn fault(spot: Spot, ja: &str, en: &str) -> Box<Diagnostic> {
    let finding = Diagnostic::error(
        SBML_001,
        Place::line(spot.line).at_column(spot.column),
        format!("XML として読めません: {ja}"),
        format!("not readable as XML: {en}"),
    );
    Box::new(finding.remedy(
        "途中で切れていないか、UTF-8 かを確かめ、書き出し直してください",
        "check that it is not cut off and is UTF-8, and export it again",
    ))
}

/// Counts lines and columns as the reader goes on.
struct Count<'t> {
    text: &'t str,
    at: usize,
    spot: Spot,
}

impl Count<'_> {
    fn to(&mut self, position: u64) -> Spot {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.get(self.at..position).unwrap_or_default();
        if let Some(last) = passed.rfind('\n') {
            self.spot.line += passed.bytes().filter(|b| *b == b'\n').count() as u64;
            self.spot.column = 1 + passed[last + 1..].chars().count() as u64;
        } else {
            self.spot.column += passed.chars().count() as u64;
        }
        self.at = self.at.max(position);
        self.spot
    }
}

/// What prefixes mean, innermost last.
#[derive(Default)]
struct Prefixes(Vec<(String, Space)>);

impl Prefixes {
    fn of(&self, prefix: &str) -> Space {
        self.0.iter().rev().find(|(p, _)| p == prefix).map_or(Space::Other, |(_, space)| *space)
    }
}

fn space(uri: &str) -> Space {
    if uri == "http://www.w3.org/1998/Math/MathML" {
        return Space::Math;
    }
    match uri.strip_prefix("http://www.sbml.org/sbml/level") {
        Some(rest) if rest.starts_with('3') => {
            if rest.ends_with("/core") {
                Space::Sbml
            } else {
                Space::Package
            }
        }
        Some(_) => Space::Sbml,
        None => Space::Other,
    }
}

/// An element that stands open, and how many prefixes were known before it.
struct Open {
    element: Element,
    prefixes: usize,
}

struct Tree<'t> {
    count: Count<'t>,
    open: Vec<Open>,
    prefixes: Prefixes,
    elements: usize,
}

/// Reads the document: its root element.
///
/// # Errors
/// Not XML, cut off, too long or nested too deeply; with line and column.
pub(super) fn read(bytes: &[u8]) -> Result<Element, Box<Diagnostic>> {
    let start = Spot { line: 1, column: 1 };
    if bytes.len() > BYTES_MAX {
        return Err(fault(start, "64 MiB を超えています", "it is longer than 64 MiB"));
    }
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).map_err(|e| {
        let line = 1 + bytes[..e.valid_up_to().min(bytes.len())].iter().filter(|b| **b == b'\n').count() as u64;
        fault(Spot { line, column: 1 }, "UTF-8 ではありません", "it is not UTF-8")
    })?;
    let mut reader = Reader::from_str(text);
    let count = Count { text, at: 0, spot: start };
    let mut tree = Tree { count, open: Vec::new(), prefixes: Prefixes::default(), elements: 0 };
    loop {
        let spot = tree.count.to(reader.buffer_position());
        let event = reader.read_event().map_err(|e| fault(spot, &e.to_string(), &e.to_string()))?;
        if let Some(root) = tree.take(&event, spot)? {
            return Ok(root);
        }
        if let Event::Start(start) = &event
            && is_aside(start)
        {
            let skipped = reader.read_to_end(start.name()).map_err(|e| fault(spot, &e.to_string(), &e.to_string()));
            skipped?;
        }
    }
}

/// Notes and annotations.
fn is_aside(start: &BytesStart<'_>) -> bool {
    matches!(start.local_name().as_ref(), "notes" | "annotation" | "annotation-xml")
}

impl Tree<'_> {
    /// Takes an event; the root, when it is closed.
    fn take(&mut self, event: &Event<'_>, spot: Spot) -> Result<Option<Element>, Box<Diagnostic>> {
        match event {
            Event::Start(start) if !is_aside(start) => {
                self.begin(start, spot)?;
                Ok(None)
            }
            Event::Empty(start) if !is_aside(start) => {
                self.begin(start, spot)?;
                Ok(self.end())
            }
            Event::End(_) => Ok(self.end()),
            Event::Text(words) => {
                self.append(&words.xml_content(XmlVersion::Implicit1_0));
                Ok(None)
            }
            Event::CData(words) => {
                self.append(&words.xml_content(XmlVersion::Implicit1_0));
                Ok(None)
            }
            Event::GeneralRef(reference) => {
                let character = match &**reference {
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "amp" => Some('&'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => reference.resolve_char_ref().ok().flatten(),
                };
                match character {
                    Some(c) => self.append(c.encode_utf8(&mut [0; 4])),
                    None => return Err(fault(spot, "未知の実体参照です", "it refers to an unknown entity")),
                }
                Ok(None)
            }
            Event::Eof => Err(fault(spot, "途中で終わっています", "it ends in the middle")),
            _ => Ok(None),
        }
    }

    fn append(&mut self, words: &str) {
        if let Some(open) = self.open.last_mut() {
            open.element.text.push_str(words);
        }
    }

    fn begin(&mut self, start: &BytesStart<'_>, spot: Spot) -> Result<(), Box<Diagnostic>> {
        self.elements += 1;
        if self.open.len() >= DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err(fault(spot, "入れ子が深すぎるか、要素が多すぎます", "nested too deeply, or too many elements"));
        }
        let prefixes = self.prefixes.0.len();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|e| fault(spot, &e.to_string(), &e.to_string()))?;
            let value =
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| fault(spot, &e.to_string(), &e.to_string()))?;
            let key = attribute.key.as_ref();
            if key == "xmlns" {
                self.prefixes.0.push((String::new(), space(&value)));
            } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                self.prefixes.0.push((prefix.to_owned(), space(&value)));
            }
            attributes.push((key.to_owned(), value.into_owned()));
        }
        let name = start.name();
        let (prefix, local) = name.as_ref().split_once(':').unwrap_or(("", name.as_ref()));
        let element = Element {
            name: local.to_owned(),
            space: self.prefixes.of(prefix),
            after: self.open.last().map_or(0, |o| o.element.text.len()),
            attributes,
            spot,
            ..Element::default()
        };
        self.open.push(Open { element, prefixes });
        Ok(())
    }

    fn end(&mut self) -> Option<Element> {
        let Open { element, prefixes } = self.open.pop()?;
        self.prefixes.0.truncate(prefixes);
        match self.open.last_mut() {
            Some(parent) => {
                parent.element.children.push(element);
                None
            }
            None => Some(element),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_namespaces_text_and_places() {
        let text = "<?xml version=\"1.0\"?>\n<sbml xmlns=\"http://www.sbml.org/sbml/level3/version2/core\" \
                    xmlns:q=\"http://www.w3.org/1998/Math/MathML\" xmlns:f=\"http://www.sbml.org/sbml/level3/version1/fbc/version2\">\n \
                    <notes><p>a<b></p></notes>\n  é<q:cn>1<q:sep/>&lt;</q:cn><f:x/></sbml>";
        let root = read(text.replace("a<b>", "a").as_bytes()).unwrap();
        assert_eq!((root.name.as_str(), root.space, root.spot.line, root.children.len()), ("sbml", Space::Sbml, 2, 2));
        let cn = &root.children[0];
        assert_eq!((cn.name.as_str(), cn.space, cn.text.as_str(), cn.children[0].after), ("cn", Space::Math, "1<", 1));
        assert_eq!(cn.spot, Spot { line: 4, column: 4 });
        assert_eq!(root.children[1].space, Space::Package);
    }

    #[test]
    fn what_is_cut_off_or_too_deep_is_refused_with_its_place() {
        for text in ["", "x", "<A>", "<A>\n<B>\n", "<A></B>", "<A b=>", "<A>&nbsp;</A>", "<A><notes></A>", "<A b='1' b='2'/>"] {
            assert_eq!(read(text.as_bytes()).unwrap_err().code, SBML_001, "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(1000), "</a>".repeat(1000));
        assert_eq!(read(deep.as_bytes()).unwrap_err().place.column, Some(1 + 3 * 400));
        assert_eq!(read(b"<A>\n<B>\n").unwrap_err().place.line, Some(3));
        assert_eq!(read(b"<A>\n\xff</A>").unwrap_err().place.line, Some(2));
    }
}
