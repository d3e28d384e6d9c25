//! SBML (Systems Biology Markup Language): level 3 core, versions 1 and 2, and level 2, into the kernel's
//! [`Definition`], and a definition as level 3 version 2.
//!
//! [`import`] reads a document and translates it; [`read`] and [`translate`] are the two halves; [`write`] goes the
//! other way. The rules are those of the specification (Hucka et al. 2019, doi:10.1515/jib-2019-0021).
//!
//! # Names
//!
//! Quantities are called what the document calls them: compartments, parameters, species, reactions (their rate) and
//! named stoichiometries keep their identifiers. Derived quantities have a point in their name, which no identifier
//! has:
//!
//! * `S.amount`: the amount of a species whose identifier `S` means its concentration. Where compartments may change
//!   the amount is what is integrated, and `S` is always `S.amount` by the size; [`Model::amount_of`] gives the name.
//! * `R.k`: parameter `k` that only the law of reaction `R` knows.
//! * `x.rate`: the change of `x` per unit of time, where a formula asks for it.
//! * `event.3`: an event without an identifier, by its place in the list.
//!
//! # Refused by name
//!
//! Algebraic rules, fast reactions, delays inside formulas, packages that change what a model means, and a delayed
//! event that sets a concentration to a value of its trigger while the compartment changes. Constraints and types of
//! species are passed over with a warning. What has no value anywhere is not a number, with a warning.
//!
//! A concentration that an event sets becomes an amount by the size before the event, so an event that sets both
//! does as case 01779 of the semantic suite has it.

mod check;
mod findings;
mod lower;
mod mathml;
pub mod model;
mod read;
mod translate;
mod unit;
mod write;
mod xml;

pub use model::Model;
pub use translate::Translation;
pub use write::{Written, write};
pub use xml::Spot;

use crate::kernel::Definition;
use findings::Findings;
use std::collections::BTreeMap;
use std::sync::Arc;
use toji_core::{Diagnostic, Error, Result};

/// Not XML, or beyond the limits.
const SBML_001: &str = "E-SBML-001";
/// Not a document of a level that is read.
const SBML_002: &str = "E-SBML-002";
/// Something is missing or unreadable.
const SBML_003: &str = "E-SBML-003";
/// A formula is faulty.
const SBML_004: &str = "E-SBML-004";
/// A construct is not supported.
const SBML_005: &str = "E-SBML-005";
/// A name stands for nothing.
const SBML_006: &str = "E-SBML-006";
/// A name stands for several things.
const SBML_007: &str = "E-SBML-007";
/// Two parts of the model contradict each other.
const SBML_008: &str = "E-SBML-008";
/// Formulas become too large or too deep when functions are put in.
const SBML_009: &str = "E-SBML-009";
/// Without a formula: no effect.
const SBML_W01: &str = "W-SBML-001";
/// Without a value: not a number.
const SBML_W02: &str = "W-SBML-002";
/// Passed over, or taken to be.
const SBML_W03: &str = "W-SBML-003";
/// A unit that UCUM or SBML has no word for.
const SBML_W04: &str = "W-SBML-004";

/// What a definition does not say of a model: names and units.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// Identifier of the model.
    pub id: Option<Arc<str>>,
    /// Name for people.
    pub name: Option<String>,
    /// Unit of time, UCUM.
    pub time_unit: Option<String>,
    /// Units of quantities by their name, UCUM.
    pub units: BTreeMap<Arc<str>, String>,
}

/// A document taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// As it was written.
    pub model: Model,
    /// As the kernel takes it.
    pub definition: Definition,
    /// Names and units.
    pub metadata: Metadata,
    /// What to look at.
    pub findings: Vec<Diagnostic>,
}

/// Reads a document and translates it.
///
/// # Errors
/// `E-SBML-001` to `E-SBML-009`: everything that is wrong with the document, each with its place.
pub fn import(bytes: &[u8]) -> Result<Import> {
    let mut findings = Findings::default();
    let model = read_into(bytes, &mut findings);
    let Some(model) = model else { return Err(refusal(findings)) };
    // A model that was read is translated even if parts were refused, to find all faults in one pass.
    let definition = translate::translate(&model, &mut findings);
    if findings.refused() {
        return Err(refusal(findings));
    }
    let metadata = unit::metadata(&model);
    Ok(Import { model, definition, metadata, findings: findings.0 })
}

/// Reads a document: the model as it is written, and what to look at.
///
/// # Errors
/// As [`import`].
pub fn read(bytes: &[u8]) -> Result<(Model, Vec<Diagnostic>)> {
    let mut findings = Findings::default();
    match read_into(bytes, &mut findings) {
        Some(model) if !findings.refused() => Ok((model, findings.0)),
        _ => Err(refusal(findings)),
    }
}

/// Translates a model.
///
/// # Errors
/// `E-SBML-005` to `E-SBML-009`: everything that is wrong with the model, each with its place.
pub fn translate(model: &Model) -> Result<Translation> {
    let mut findings = Findings::default();
    let definition = translate::translate(model, &mut findings);
    if findings.refused() { Err(refusal(findings)) } else { Ok(Translation { definition, findings: findings.0 }) }
}

fn read_into(bytes: &[u8], findings: &mut Findings) -> Option<Model> {
    match xml::read(bytes) {
        Ok(root) => read::model(&root, findings),
        Err(fault) => {
            findings.push(*fault);
            None
        }
    }
}

/// The refusal carries the code and place of the first fault, and all findings.
fn refusal(findings: Findings) -> Error {
    const CODES: [&str; 9] = [SBML_001, SBML_002, SBML_003, SBML_004, SBML_005, SBML_006, SBML_007, SBML_008, SBML_009];
    let first = findings.0.iter().find(|f| f.severity == toji_core::error::Severity::Error);
    let code = first.and_then(|f| CODES.into_iter().find(|c| *c == f.code)).unwrap_or(SBML_003);
    let mut error = Error::input(code, "SBML のモデルを取り込めません", "the SBML model cannot be taken over");
    if let Some(first) = first {
        error = error.at(first.place.clone());
    }
    error.with(findings.0)
}
