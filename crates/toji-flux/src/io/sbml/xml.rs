//! XML element by element: what is open now, with its namespace and attributes, and nothing of what has passed.

use super::lines::Lines;
use crate::io::findings::{GEM_001, GEM_004};
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use std::io::BufRead;
use std::ops::Range;
use toji_core::{Error, Place, Result};

/// Deepest nesting and most elements accepted.
const DEPTH_MAX: usize = 400;
const ELEMENTS_MAX: u64 = 500_000_000;

/// Whose words a name is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Space {
    /// None was declared.
    #[default]
    None,
    /// The core of SBML.
    Core,
    /// Flux balance constraints.
    Fbc,
    /// Groups.
    Groups,
    /// Another package of SBML.
    Package,
    /// MathML.
    Math,
    /// HTML.
    Html,
    /// RDF.
    Rdf,
    /// BioModels qualifiers, of biology and of models.
    Qualifier,
    /// Anybody else.
    Other,
}

fn space(uri: &str) -> Space {
    match uri {
        "" => Space::None,
        "http://www.w3.org/1998/Math/MathML" => Space::Math,
        "http://www.w3.org/1999/xhtml" => Space::Html,
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#" => Space::Rdf,
        "http://biomodels.net/biology-qualifiers/" | "http://biomodels.net/model-qualifiers/" => Space::Qualifier,
        _ => match uri.strip_prefix("http://www.sbml.org/sbml/level") {
            Some(rest) if !rest.starts_with('3') || rest.ends_with("/core") => Space::Core,
            Some(rest) if rest.contains("/fbc/") => Space::Fbc,
            Some(rest) if rest.contains("/groups/") => Space::Groups,
            Some(_) => Space::Package,
            None => Space::Other,
        },
    }
}

/// A start tag. One is kept and filled again.
#[derive(Debug, Default)]
pub(super) struct Tag {
    /// Whose word the name is.
    pub(super) space: Space,
    /// Line of its end, from 1.
    pub(super) line: u64,
    text: String,
    name: Range<usize>,
    attributes: Vec<(Space, Range<usize>, Range<usize>)>,
}

impl Tag {
    /// Name without prefix.
    pub(super) fn name(&self) -> &str {
        &self.text[self.name.clone()]
    }
    /// All attributes: whose, name, value.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (Space, &str, &str)> {
        self.attributes.iter().map(|(space, name, value)| (*space, &self.text[name.clone()], &self.text[value.clone()]))
    }
    /// An attribute of the element's own language, with or without prefix.
    pub(super) fn own(&self, name: &str) -> Option<&str> {
        self.attributes().find(|a| (a.0 == Space::None || a.0 == self.space) && a.1 == name).map(|a| a.2)
    }
    /// An attribute of flux balance constraints on an element of the core.
    pub(super) fn fbc(&self, name: &str) -> Option<&str> {
        self.attributes().find(|a| a.0 == Space::Fbc && a.1 == name).map(|a| a.2)
    }
    /// An own attribute as a new text; blank is absent.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.own(name).filter(|t| !t.is_empty()).map(str::to_owned)
    }
    /// Whose word, and the name.
    pub(super) fn key(&self) -> (Space, &str) {
        (self.space, self.name())
    }
    /// The place, with the name of the element and its identifier.
    pub(super) fn place(&self) -> Place {
        let id = self.own("id").or_else(|| self.own("species")).or_else(|| self.own("symbol")).or_else(|| self.own("variable"));
        let field = match id {
            Some(id) => format!("{} {id}", self.name()),
            None => self.name().to_owned(),
        };
        Place::line(self.line).at_field(field)
    }
}

/// The document as it is walked through.
pub(super) struct Xml<R> {
    reader: Reader<Lines<R>>,
    buffer: Vec<u8>,
    /// The tag opened last.
    pub(super) tag: Tag,
    /// The text before the last step.
    text: String,
    prefixes: Vec<(String, Space, String)>,
    /// How many prefixes were known before each open element.
    open: Vec<usize>,
    elements: u64,
}

enum Step {
    Open,
    Close,
    End,
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(source: R) -> Self {
        let mut reader = Reader::from_reader(Lines::new(source));
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            tag: Tag::default(),
            text: String::new(),
            prefixes: Vec::new(),
            open: Vec::new(),
            elements: 0,
        }
    }

    /// The line reached.
    pub(super) fn line(&self) -> u64 {
        self.reader.get_ref().line
    }

    fn broken(&self, ja: &str, en: &str) -> Error {
        Error::input(GEM_001, format!("XML として読めません: {ja}"), format!("not readable as XML: {en}"))
            .at(Place::line(self.line()).at_field(self.tag.name()))
            .hint(
                "途中で切れていないか、UTF-8 かを確かめ、書き出し直してください",
                "check that it is not cut off and is UTF-8, and export it again",
            )
    }

    /// Goes on to the next tag; text between is gathered.
    fn step(&mut self) -> Result<Step> {
        self.text.clear();
        loop {
            self.reader.get_mut().taken = 0;
            self.buffer.clear();
            let mut buffer = std::mem::take(&mut self.buffer);
            let step = match self.reader.read_event_into(&mut buffer) {
                Err(error) => Err(self.broken(&error.to_string(), &error.to_string())),
                Ok(event) => self.take(&event),
            };
            self.buffer = buffer;
            if let Some(step) = step? {
                return Ok(step);
            }
        }
    }

    fn take(&mut self, event: &Event<'_>) -> Result<Option<Step>> {
        match event {
            Event::Start(start) => {
                self.begin(start)?;
                return Ok(Some(Step::Open));
            }
            Event::End(_) => {
                self.prefixes.truncate(self.open.pop().unwrap_or(0));
                return Ok(Some(Step::Close));
            }
            Event::Text(words) => self.text.push_str(&words.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(words) => self.text.push_str(&words.xml_content(XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) => match &**reference {
                "lt" => self.text.push('<'),
                "gt" => self.text.push('>'),
                "amp" => self.text.push('&'),
                "quot" => self.text.push('"'),
                "apos" => self.text.push('\''),
                // A character by number; an entity of HTML, which only notes hold, is left out.
                _ => self.text.extend(reference.resolve_char_ref().ok().flatten()),
            },
            Event::Eof if self.open.is_empty() => return Ok(Some(Step::End)),
            Event::Eof => return Err(self.broken("途中で終わっています", "it ends in the middle")),
            _ => {}
        }
        Ok(None)
    }

    fn begin(&mut self, start: &quick_xml::events::BytesStart<'_>) -> Result<()> {
        self.elements += 1;
        if self.open.len() >= DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err(Error::input(GEM_004, "入れ子が深すぎるか、要素が多すぎます", "nested too deeply, or too many elements")
                .at(Place::line(self.line()))
                .hint("モデルを分けてください", "split the model"));
        }
        self.open.push(self.prefixes.len());
        self.tag.line = self.reader.get_ref().line;
        self.tag.text.clear();
        self.tag.attributes.clear();
        self.tag.text.push_str(start.name().as_ref());
        self.tag.name = 0..self.tag.text.len();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|e| self.broken(&e.to_string(), &e.to_string()))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|e| self.broken(&e.to_string(), &e.to_string()))?;
            let key = attribute.key.as_ref();
            if key == "xmlns" {
                self.declare("", &value);
            } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                self.declare(prefix, &value);
            } else {
                let tag = &mut self.tag;
                let at = tag.text.len();
                tag.text.push_str(key);
                let middle = tag.text.len();
                tag.text.push_str(&value);
                tag.attributes.push((Space::None, at..middle, middle..tag.text.len()));
            }
        }
        let (own, name) = self.resolve(self.tag.name.clone(), true);
        (self.tag.space, self.tag.name) = (own, name);
        for index in 0..self.tag.attributes.len() {
            let (owner, name) = self.resolve(self.tag.attributes[index].1.clone(), false);
            (self.tag.attributes[index].0, self.tag.attributes[index].1) = (owner, name);
        }
        Ok(())
    }

    fn declare(&mut self, prefix: &str, uri: &str) {
        self.prefixes.push((prefix.to_owned(), space(uri), uri.to_owned()));
    }

    /// Whose name it is, and where it stands without its prefix. Without prefix, an element is of the default space.
    fn resolve(&self, name: Range<usize>, element: bool) -> (Space, Range<usize>) {
        let text = &self.tag.text[name.clone()];
        let (prefix, start) = match text.find(':') {
            Some(colon) => (&text[..colon], name.start + colon + 1),
            None if element => ("", name.start),
            None => return (Space::None, name),
        };
        let space = self.prefixes.iter().rev().find(|p| p.0 == prefix).map(|p| p.1);
        (space.unwrap_or(if prefix.is_empty() { Space::None } else { Space::Other }), start..name.end)
    }

    /// The addresses of all namespaces declared so far and still open.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = (&str, &str)> {
        self.prefixes.iter().map(|p| (p.0.as_str(), p.2.as_str()))
    }

    /// Opens the next child of the element open now, or closes that element (`false`).
    ///
    /// # Errors
    /// `E-GEM-001`, `E-GEM-004`.
    pub(super) fn child(&mut self) -> Result<bool> {
        Ok(matches!(self.step()?, Step::Open))
    }

    /// Passes over the element open now, to its end.
    ///
    /// # Errors
    /// As [`child`](Self::child).
    pub(super) fn skip(&mut self) -> Result<()> {
        let depth = self.open.len();
        while self.open.len() >= depth && !matches!(self.step()?, Step::End) {}
        Ok(())
    }

    /// The text since the last tag.
    pub(super) fn before(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(text: &str) -> Result<Vec<String>> {
        let mut xml = Xml::new(text.as_bytes());
        let mut seen = Vec::new();
        let mut depth = 0;
        loop {
            match xml.step()? {
                Step::Open => {
                    depth += 1;
                    let attributes: Vec<String> = xml.tag.attributes().map(|(s, k, v)| format!("{s:?} {k}={v}")).collect();
                    seen.push(format!("{} {:?} {} {}", xml.tag.line, xml.tag.space, xml.tag.name(), attributes.join(",")));
                }
                Step::Close => {
                    depth -= 1;
                    seen.push(format!("/{}", xml.before()));
                }
                Step::End => return Ok(seen),
            }
            assert!(depth >= 0);
        }
    }

    #[test]
    fn elements_attributes_namespaces_and_lines() {
        let text = "<?xml version='1.0'?>\n<sbml xmlns='http://www.sbml.org/sbml/level3/version1/core' \n \
                    xmlns:f='http://www.sbml.org/sbml/level3/version1/fbc/version2' f:required='false'><f:x id='&lt;é'/>\n\
                    <p xmlns='http://www.w3.org/1999/xhtml'>a<![CDATA[<]]>&#98;&nbsp;</p><q:z/></sbml>";
        let expected = ["3 Core sbml Fbc required=false", "3 Fbc x None id=<é", "/", "4 Html p ", "/a<b", "4 Other z ", "/", "/"];
        assert_eq!(walk(text).unwrap(), expected);
    }

    #[test]
    fn what_is_cut_off_or_too_deep_is_refused_with_its_line() {
        for text in ["<A>", "<A>\n<B>\n", "<A></B>", "<A b=>", "<A b='1' b='2'/>", "<A", "<A>\u{1}<"] {
            assert_eq!(walk(text).unwrap_err().code(), GEM_001, "{text}");
        }
        assert_eq!(walk("<A>\n<B>\n").unwrap_err().fault().place.as_ref().unwrap().line, Some(3));
        assert_eq!(walk(&"<a>".repeat(1000)).unwrap_err().code(), GEM_004);
        let mut xml = Xml::new(&b"<A>\n\xff</A>"[..]);
        assert!(xml.child().unwrap() && xml.child().is_err());
    }
}
