//! What was found while a model was read: everything, not only the first.

use super::xml::Element;
use super::{SBML_003, SBML_004, SBML_005};
use toji_core::error::Severity;
use toji_core::{Diagnostic, Place};

/// More findings than this help nobody.
const FINDINGS_MAX: usize = 200;

/// Remedy for mathematics that is not SBML's.
pub(super) const UNKNOWN_MATH: (&str, &str) =
    ("SBML の MathML にある関数で書き換えてください", "write it with the functions that SBML takes from MathML");

/// Findings so far.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Diagnostic>);

impl Findings {
    pub(super) fn push(&mut self, finding: Diagnostic) {
        // Parts that are read twice say the same twice.
        if self.0.len() < FINDINGS_MAX && !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    /// Is the model refused?
    pub(super) fn refused(&self) -> bool {
        self.0.iter().any(|f| f.severity == Severity::Error)
    }

    /// A fault in a formula.
    pub(super) fn math<T>(&mut self, element: &Element, ja: impl Into<String>, en: impl Into<String>) -> Option<T> {
        let place = element.spot.place(&element.name);
        self.push(Diagnostic::error(SBML_004, place, ja, en).remedy("式を直してください", "correct the formula"));
        None
    }

    /// A construct that is read but not supported.
    pub(super) fn unsupported(&mut self, element: &Element, ja: impl Into<String>, en: impl Into<String>, remedy: (&str, &str)) {
        self.push(Diagnostic::error(SBML_005, element.place(), ja, en).remedy(remedy.0, remedy.1));
    }

    /// A missing or unreadable part of an element.
    pub(super) fn bad(&mut self, place: Place, ja: impl Into<String>, en: impl Into<String>) {
        self.push(
            Diagnostic::error(SBML_003, place, ja, en)
                .remedy("SBML の仕様に合うように直してください", "correct it as the specification of SBML says"),
        );
    }
}
