//! A small tree of an XML document, with the line of every element and limits on everything.
//!
//! Document types and entities other than the five of XML are not read: batch records need none.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use toji_core::{Error, Place, Result};

/// Deepest nesting and most elements accepted.
const DEPTH_MAX: usize = 128;
const ELEMENTS_MAX: usize = 5_000_000;

/// One element.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Element {
    /// Name without prefix.
    pub(super) name: String,
    /// Text directly inside, trimmed.
    pub(super) text: String,
    /// Attributes by name without prefix.
    pub(super) attributes: Vec<(String, String)>,
    /// Line of its start tag, from 1.
    pub(super) line: u64,
    /// Elements inside.
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Children of this name.
    pub(super) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |c| c.name == name)
    }
    /// The first child of this name.
    pub(super) fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name == name)
    }
    /// Text of the first child of this name, when there is any.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.first(name).map(|c| c.text.as_str()).filter(|t| !t.is_empty())
    }
    /// All text inside, piece by piece.
    pub(super) fn words(&self) -> String {
        let mut out = self.text.clone();
        for child in &self.children {
            let inside = child.words();
            if !inside.is_empty() {
                out.push_str(if out.is_empty() { "" } else { " " });
                out.push_str(&inside);
            }
        }
        out
    }
    pub(super) fn place(&self) -> Place {
        Place::line(self.line).at_field(&self.name)
    }
}

fn fault(line: u64, ja: &str, en: &str) -> Error {
    Error::input("E-BATCH-001", format!("XML として読めません: {ja}"), format!("not readable as XML: {en}"))
        .at(Place::line(line))
        .hint("途中で切れていないか確かめ、書き出し直してください", "check that it is not cut off, and export it again")
}

/// Counts lines as the reader goes on.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn to(&mut self, position: u64) -> u64 {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..position).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at = self.at.max(position);
        self.line
    }
}

/// Reads the document: its root element.
///
/// # Errors
/// `E-BATCH-001`: not XML, cut off, or nested too deeply; with the line.
pub(super) fn read(text: &str) -> Result<Element> {
    let mut reader = Reader::from_str(text);
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut open: Vec<Element> = Vec::new();
    let mut elements = 0usize;
    loop {
        let line = lines.to(reader.buffer_position());
        let event = reader.read_event().map_err(|e| fault(line, &e.to_string(), &e.to_string()))?;
        let done = match event {
            Event::Start(start) => {
                elements += 1;
                if open.len() >= DEPTH_MAX || elements > ELEMENTS_MAX {
                    return Err(fault(line, "入れ子が深すぎるか、要素が多すぎます", "nested too deeply, or too many elements"));
                }
                open.push(begin(&start, line));
                None
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > ELEMENTS_MAX {
                    return Err(fault(line, "要素が多すぎます", "too many elements"));
                }
                Some(begin(&start, line))
            }
            Event::End(_) => open.pop(),
            Event::Text(words) => {
                append(&mut open, &words.xml_content(XmlVersion::Implicit1_0));
                None
            }
            Event::CData(words) => {
                append(&mut open, &words.xml_content(XmlVersion::Implicit1_0));
                None
            }
            Event::GeneralRef(reference) => {
                append(&mut open, &crate::workbook::entity(&reference));
                None
            }
            Event::Eof => return Err(fault(line, "途中で終わっています", "it ends in the middle")),
            _ => None,
        };
        if let Some(mut element) = done {
            element.text = element.text.trim().to_owned();
            match open.last_mut() {
                Some(parent) => parent.children.push(element),
                None => return Ok(element),
            }
        }
    }
}

fn append(open: &mut [Element], words: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(words);
    }
}

fn begin(start: &BytesStart<'_>, line: u64) -> Element {
    let attributes = start
        .attributes()
        .flatten()
        .filter_map(|a| {
            let value = a.normalized_value(XmlVersion::Implicit1_0).ok()?;
            Some((a.key.local_name().as_ref().to_owned(), value.into_owned()))
        })
        .collect();
    Element { name: start.local_name().as_ref().to_owned(), attributes, line, ..Element::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_text_and_lines() {
        let root =
            read("<?xml version=\"1.0\"?>\n<b:A xmlns:b=\"x\">\n <b:C u=\"1\">a &lt; b&#x3b1;</b:C>\n <D/>\n</b:A>").unwrap();
        assert_eq!((root.name.as_str(), root.line), ("A", 2));
        let c = root.first("C").unwrap();
        assert_eq!((c.text.as_str(), c.line, c.attributes.as_slice()), ("a < bα", 3, &[("u".to_owned(), "1".to_owned())][..]));
        assert_eq!(root.children[1].line, 4);
    }

    #[test]
    fn what_is_cut_off_or_too_deep_is_refused_with_its_line() {
        for text in ["", "x", "<A>", "<A>\n<B>\n", "<A></B>", "<A b=>"] {
            let error = read(text).err().map(|e| e.code().to_owned());
            assert!(error.is_none_or(|code| code == "E-BATCH-001"), "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(1000), "</a>".repeat(1000));
        assert_eq!(read(&deep).unwrap_err().code(), "E-BATCH-001");
        assert_eq!(read("<A>\n<B>\n").unwrap_err().fault().place.as_ref().and_then(|p| p.line), Some(3));
    }
}
