//! XML element by element: what is open now, with its namespace and attributes, and nothing of what has passed.

use super::markup::{self, Markup, Pair};
use super::window::{Fault, Window};
use crate::io::findings::{GEM_001, GEM_004};
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
    /// The tag as written, then the values that mean something else than what is written.
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
    /// The first attribute of this name and of a language that fits.
    fn find(&self, name: &str, fits: impl Fn(Space) -> bool) -> Option<&str> {
        let found = self.attributes.iter().find(|a| fits(a.0) && &self.text[a.1.clone()] == name);
        found.map(|a| &self.text[a.2.clone()])
    }
    /// An attribute of the element's own language, with or without prefix.
    pub(super) fn own(&self, name: &str) -> Option<&str> {
        self.find(name, |space| space == Space::None || space == self.space)
    }
    /// An attribute of flux balance constraints on an element of the core.
    pub(super) fn fbc(&self, name: &str) -> Option<&str> {
        self.find(name, |space| space == Space::Fbc)
    }
    /// An attribute of anybody.
    pub(super) fn any(&self, name: &str) -> Option<&str> {
        self.find(name, |_| true)
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

/// Prefixes declared by the elements that are open. What was declared before is kept for when it is declared again, as
/// annotations do.
#[derive(Debug, Default)]
struct Prefixes {
    known: Vec<(String, Space, String)>,
    live: usize,
}

impl Prefixes {
    fn declare(&mut self, prefix: &str, uri: &str) {
        match self.known.get_mut(self.live) {
            Some(known) if known.0 == prefix && known.2 == uri => {}
            Some(known) => *known = (prefix.to_owned(), space(uri), uri.to_owned()),
            None => self.known.push((prefix.to_owned(), space(uri), uri.to_owned())),
        }
        self.live += 1;
    }

    /// Whose name it is, and how many bytes of it are prefix. Without prefix, an element is of the default space.
    fn resolve(&self, name: &str, element: bool) -> (Space, usize) {
        let (prefix, skip) = match name.bytes().position(|b| b == b':') {
            Some(colon) => (&name[..colon], colon + 1),
            None if element => ("", 0),
            None => return (Space::None, 0),
        };
        // Byte by byte: a few bytes, and many times.
        let space = self.known[..self.live].iter().rev().find(|p| p.0.bytes().eq(prefix.bytes())).map(|p| p.1);
        (space.unwrap_or(if prefix.is_empty() { Space::None } else { Space::Other }), skip)
    }
}

/// The document as it is walked through.
pub(super) struct Xml<R> {
    window: Window<R>,
    /// The tag opened last.
    pub(super) tag: Tag,
    pairs: Vec<Pair>,
    /// Does the element opened last end with its tag?
    empty: bool,
    /// The text before the last step.
    text: String,
    prefixes: Prefixes,
    /// Of each open element: how many prefixes were declared, and bytes of names used, before it.
    open: Vec<(usize, usize)>,
    /// The names of the open elements, one after the other.
    names: String,
    elements: u64,
}

enum Step {
    Open,
    Close,
    End,
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            window: Window::new(source),
            tag: Tag::default(),
            pairs: Vec::new(),
            empty: false,
            text: String::new(),
            prefixes: Prefixes::default(),
            open: Vec::new(),
            names: String::new(),
            elements: 0,
        }
    }

    /// The line reached.
    pub(super) fn line(&self) -> u64 {
        self.window.line()
    }

    fn broken(&self, (ja, en): Fault) -> Error {
        Error::input(GEM_001, format!("XML として読めません: {ja}"), format!("not readable as XML: {en}"))
            .at(Place::line(self.line()).at_field(self.tag.name()))
            .hint(
                "途中で切れていないか、UTF-8 かを確かめ、書き出し直してください",
                "check that it is not cut off and is UTF-8, and export it again",
            )
    }

    /// Reads more; at the end of the source, where something is not finished, that is a fault.
    fn more(&mut self) -> Result<()> {
        match self.window.more() {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.broken(("途中で終わっています".into(), "it ends in the middle".into()))),
            Err(fault) => Err(self.broken(fault)),
        }
    }

    /// Goes on to the next tag; text between is gathered.
    fn step(&mut self) -> Result<Step> {
        self.text.clear();
        if std::mem::take(&mut self.empty) {
            self.leave();
            return Ok(Step::Close);
        }
        loop {
            let rest = self.window.rest();
            let length = match rest.find('<') {
                Some(length) => length,
                None => match self.window.more() {
                    Ok(true) => continue,
                    Ok(false) => self.window.rest().len(),
                    Err(fault) => return Err(self.broken(fault)),
                },
            };
            if length > 0 {
                self.words(length)?;
            }
            if self.window.rest().is_empty() {
                return match self.open.is_empty() {
                    true => Ok(Step::End),
                    false => Err(self.broken(("途中で終わっています".into(), "it ends in the middle".into()))),
                };
            }
            match markup::markup(self.window.rest()) {
                None => self.more()?,
                Some(Markup::Start) => {
                    self.begin()?;
                    return Ok(Step::Open);
                }
                Some(Markup::End(length)) => {
                    self.end(length)?;
                    return Ok(Step::Close);
                }
                Some(Markup::Data(length)) => {
                    markup::lines(markup::data(self.window.rest(), length), &mut self.text);
                    self.window.take(length);
                }
                Some(Markup::Other(length)) => self.window.take(length),
            }
        }
    }

    /// Takes so much text.
    fn words(&mut self, length: usize) -> Result<()> {
        let words = &self.window.rest()[..length];
        let done = markup::words(words, &mut self.text);
        self.window.take(length);
        done.map_err(|fault| self.broken(fault))
    }

    fn end(&mut self, length: usize) -> Result<()> {
        let name = self.window.rest()[2..length - 1].trim_ascii_end();
        let expected = self.open.last().map(|o| &self.names[o.1..]);
        if expected != Some(name) {
            let expected = expected.map_or_else(|| "<".into(), |e| format!("</{e}>"));
            let ja = format!("「{expected}」のはずのところに「</{name}>」があります");
            return Err(self.broken((ja, format!("ill-formed document: expected `{expected}`, but `</{name}>` was found"))));
        }
        self.window.take(length);
        self.leave();
        Ok(())
    }

    fn leave(&mut self) {
        let (live, names) = self.open.pop().unwrap_or_default();
        self.prefixes.live = live;
        self.names.truncate(names);
    }

    fn begin(&mut self) -> Result<()> {
        self.elements += 1;
        if self.open.len() >= DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err(Error::input(GEM_004, "入れ子が深すぎるか、要素が多すぎます", "nested too deeply, or too many elements")
                .at(Place::line(self.line()))
                .hint("モデルを分けてください", "split the model"));
        }
        let start = loop {
            match markup::start(self.window.rest(), &mut self.pairs) {
                Ok(Some(start)) => break start,
                Ok(None) => self.more()?,
                Err(fault) => return Err(self.broken(fault)),
            }
        };
        let tag = &mut self.tag;
        tag.text.clear();
        tag.text.push_str(&self.window.rest()[..start.length]);
        self.window.take(start.length);
        tag.line = self.window.line();
        self.open.push((self.prefixes.live, self.names.len()));
        self.names.push_str(&tag.text[start.name.clone()]);
        self.empty = start.empty;
        (tag.name, tag.space) = (start.name, Space::None);
        let filled = self.fill();
        filled.map_err(|fault| self.broken(fault))
    }

    /// Attributes and declarations of the tag taken last.
    fn fill(&mut self) -> std::result::Result<(), Fault> {
        let tag = &mut self.tag;
        tag.attributes.clear();
        for (key, mut value) in self.pairs.drain(..) {
            if !markup::is_plain(&tag.text[value.clone()]) {
                let mut meant = String::new();
                markup::value(&tag.text[value], &mut meant)?;
                let at = tag.text.len();
                tag.text.push_str(&meant);
                value = at..tag.text.len();
            }
            let (name, uri) = (&tag.text[key.clone()], &tag.text[value.clone()]);
            match name.strip_prefix("xmlns").map(|rest| (rest, rest.strip_prefix(':'))) {
                Some(("", _)) => self.prefixes.declare("", uri),
                Some((_, Some(prefix))) => self.prefixes.declare(prefix, uri),
                _ => tag.attributes.push((Space::None, key, value)),
            }
        }
        let (own, skip) = self.prefixes.resolve(&tag.text[tag.name.clone()], true);
        (tag.space, tag.name.start) = (own, tag.name.start + skip);
        for attribute in &mut tag.attributes {
            let (owner, skip) = self.prefixes.resolve(&tag.text[attribute.1.clone()], false);
            (attribute.0, attribute.1.start) = (owner, attribute.1.start + skip);
        }
        Ok(())
    }

    /// The addresses of all namespaces declared so far and still open.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = (&str, &str)> {
        self.prefixes.known[..self.prefixes.live].iter().map(|p| (p.0.as_str(), p.2.as_str()))
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
