//! Notes and annotations: COBRA's `key: value` lines, references in RDF, and pairs of key and value.

use super::raw::Common;
use super::xml::{Space, Xml};
use crate::io::findings::Findings;
use crate::io::miriam::{Words, reference};
use std::io::BufRead;
use toji_core::Result;

/// Longest note kept, in bytes.
const NOTE_BYTES_MAX: usize = 64 << 10;

/// Reads the notes open now: every paragraph of the form `key: value`. Other text is counted as left behind.
pub(super) fn notes<R: BufRead>(xml: &mut Xml<R>, common: &mut Common, findings: &mut Findings) -> Result<()> {
    let place = xml.tag.place();
    // Of each open element: does it end a line?
    let mut open = vec![true];
    let mut line = String::new();
    let mut free = false;
    while !open.is_empty() {
        let opened = xml.child()?;
        line.push_str(xml.before());
        let block = match opened {
            true => !matches!(xml.tag.name(), "span" | "a" | "b" | "i" | "em" | "strong" | "sub" | "sup"),
            false => open.pop().unwrap_or(true),
        };
        if block && !line.trim().is_empty() {
            free |= !note(&line, common);
        }
        if block {
            line.clear();
        }
        if opened {
            open.push(block);
        }
    }
    if free {
        let ja = || "key: value の形でない注記".into();
        findings.lost(format_args!("notes that are not of the form key: value"), ja, || place);
    }
    Ok(())
}

/// Takes a line as key and value; false when it is neither.
fn note(line: &str, common: &mut Common) -> bool {
    let Some((key, value)) = line.split_once(':') else { return false };
    let (key, value) = (key.trim(), value.trim());
    // A sentence with a colon, or an address, is no key.
    let plain = !key.is_empty() && key.len() <= 60 && key.split_whitespace().count() <= 4 && !value.starts_with("//");
    if plain && !value.is_empty() && value.len() <= NOTE_BYTES_MAX {
        common.notes.push((key.to_owned(), value.to_owned()));
    }
    plain
}

/// Reads the annotation open now.
pub(super) fn annotation<R: BufRead>(
    xml: &mut Xml<R>,
    common: &mut Common,
    findings: &mut Findings,
    words: &mut Words,
) -> Result<()> {
    while xml.child()? {
        match xml.tag.key() {
            (Space::Rdf, "RDF") => {
                while xml.child()? {
                    match xml.tag.key() {
                        (Space::Rdf, "Description") => description(xml, common, findings, words)?,
                        _ => aside(xml, findings)?,
                    }
                }
            }
            (_, "listOfKeyValuePairs" | "listOfKeyValueData") => {
                while xml.child()? {
                    pair(xml, common, findings)?;
                }
            }
            _ => aside(xml, findings)?,
        }
    }
    Ok(())
}

/// Pairs of key and value: of FBC version 3, and the form that came before it.
fn pair<R: BufRead>(xml: &mut Xml<R>, common: &mut Common, findings: &mut Findings) -> Result<()> {
    let tag = &xml.tag;
    let key = tag.own("key").or_else(|| tag.own("id")).unwrap_or_default();
    match tag.own("value") {
        Some(value) if !key.is_empty() => common.notes.push((key.to_owned(), value.to_owned())),
        _ => {}
    }
    if tag.own("uri").is_some() {
        findings.lost(format_args!("the uri of a pair of key and value"), || "キーと値の組の uri ".into(), || tag.place());
    }
    xml.skip()
}

fn description<R: BufRead>(xml: &mut Xml<R>, common: &mut Common, findings: &mut Findings, words: &mut Words) -> Result<()> {
    while xml.child()? {
        if xml.tag.space != Space::Qualifier {
            aside(xml, findings)?;
            continue;
        }
        let qualifier = words.get(xml.tag.name());
        while xml.child()? {
            if xml.tag.key() != (Space::Rdf, "Bag") {
                aside(xml, findings)?;
                continue;
            }
            while xml.child()? {
                match xml.tag.any("resource") {
                    Some(address) if !address.is_empty() => common.annotation.push(reference(&qualifier, address, words)),
                    _ => findings.lost(format_args!("nested annotations"), || "入れ子の注釈".into(), || xml.tag.place()),
                }
                xml.skip()?;
            }
        }
    }
    Ok(())
}

fn aside<R: BufRead>(xml: &mut Xml<R>, findings: &mut Findings) -> Result<()> {
    let name = xml.tag.name();
    findings.lost(format_args!("<{name}> in annotations"), || format!("注釈の <{name}> "), || xml.tag.place());
    xml.skip()
}
