//! Reading: the outermost element, and the settings.

use super::resolve::resolve;
use super::walk::Walk;
use super::xml::{Space, Xml};
use crate::io::Reading;
use crate::io::findings::{Findings, GEM_001, GEM_005};
use std::io::BufRead;
use toji_core::{Error, Place, Result};

/// What becomes of the prefixes `M_`, `R_`, `G_` and of coded characters in identifiers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Identifiers {
    /// They are taken off, unless two would then be the same.
    #[default]
    Short,
    /// As the file has them.
    AsWritten,
}

/// How to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Identifiers.
    pub identifiers: Identifiers,
}

/// Reads SBML as a stream: of the file, only what the model keeps is ever in memory.
///
/// # Errors
/// `E-GEM-001`: not XML, or not SBML of level 2 or 3. `E-GEM-002` to `E-GEM-005`: faults of the model, every one with
/// its line and element.
pub fn read(source: impl BufRead, options: &Options) -> Result<Reading> {
    let mut xml = Xml::new(source);
    if !xml.child()? || xml.tag.name() != "sbml" {
        return Err(foreign(xml.line(), "SBML ではありません", "this is not SBML"));
    }
    let level: u8 = xml.tag.own("level").and_then(|l| l.trim().parse().ok()).unwrap_or(0);
    if !matches!(level, 2 | 3) || xml.tag.space != Space::Core {
        return Err(foreign(xml.line(), "SBML のレベル 2・3 ではありません", "this is not SBML of level 2 or 3"));
    }
    let mut findings = Findings::default();
    packages(&xml, &mut findings);
    let mut walk = Walk::new(xml, findings, level);
    walk.document()?;
    let Walk { raw, findings, .. } = walk;
    resolve(raw, findings, options)
}

fn foreign(line: u64, ja: &str, en: &str) -> Error {
    Error::input(GEM_001, ja, en)
        .at(Place::line(line).at_field("sbml"))
        .hint("SBML のレベル 2 か 3 で書き出し直してください", "export it again as SBML of level 2 or 3")
}

/// A package that says the model cannot be understood without it, and that is not read, refuses the model.
fn packages<R: BufRead>(xml: &Xml<R>, findings: &mut Findings) {
    for (prefix, uri) in xml.namespaces() {
        let package = uri.strip_prefix("http://www.sbml.org/sbml/level3/version1/").and_then(|rest| rest.split('/').next());
        let Some(package) = package.filter(|p| !matches!(*p, "core" | "fbc" | "groups")) else { continue };
        let required = xml
            .tag
            .attributes()
            .any(|(space, name, value)| space == Space::Package && name == "required" && value == "true" && !prefix.is_empty());
        let place = xml.tag.place();
        if required && package != "layout" && package != "render" {
            let words = (
                format!("SBML のパッケージ {package} には対応していません"),
                format!("the package {package} of SBML is not supported"),
            );
            findings.fault(
                GEM_005,
                place,
                words,
                ("パッケージを使わない形に直してください", "flatten the model so that it needs no such package"),
            );
        } else {
            let ja = || format!("SBML のパッケージ {package} ");
            findings.lost(format_args!("the package {package} of SBML"), ja, || place);
        }
    }
}
