//! Findings of a reader or writer: like ones are counted together, and faults refuse the file.

use crate::model::{Model, Parts};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use toji_core::{Diagnostic, Error, Place, Result, Severity};

/// Not readable as the format at all.
pub(super) const GEM_001: &str = "E-GEM-001";
/// A part is missing or is not what it should be.
pub(super) const GEM_002: &str = "E-GEM-002";
/// A name stands for nothing.
pub(super) const GEM_003: &str = "E-GEM-003";
/// Beyond a limit.
pub(super) const GEM_004: &str = "E-GEM-004";
/// A construct that is not supported and would change the result.
pub(super) const GEM_005: &str = "E-GEM-005";
/// Of the source, not kept.
pub(super) const GEM_W01: &str = "W-GEM-001";
/// Assumed, because the source does not say.
pub(super) const GEM_W02: &str = "W-GEM-002";
/// Unreadable, and passed over.
pub(super) const GEM_W03: &str = "W-GEM-003";
/// Of the model, not written.
pub(super) const GEM_W04: &str = "W-GEM-004";

/// Most faults told of one file.
const FAULTS_MAX: usize = 100;

/// Gathers findings.
#[derive(Debug, Default)]
pub(super) struct Findings {
    faults: Vec<Diagnostic>,
    /// By code and English words: how often, and the first.
    counted: BTreeMap<&'static str, BTreeMap<String, (usize, Diagnostic)>>,
    /// The words looked up last.
    words: String,
}

impl Findings {
    /// A fault: the file will be refused.
    pub(super) fn fault(&mut self, code: &str, place: Place, words: (String, String), remedy: (&str, &str)) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Diagnostic::error(code, place, words.0, words.1).remedy(remedy.0, remedy.1));
        }
    }

    fn count(&mut self, code: &'static str, make: impl FnOnce() -> Diagnostic, words: &str) {
        let known = self.counted.entry(code).or_default();
        match known.get_mut(words) {
            Some(entry) => entry.0 += 1,
            None => drop(known.insert(words.to_owned(), (1, make()))),
        }
    }

    /// Something of the source is not kept. Like ones, by their English words, are counted; the first place is told. What
    /// the first alone needs is made for the first alone: there may be hundreds of thousands.
    pub(super) fn lost(&mut self, en: fmt::Arguments<'_>, ja: impl FnOnce() -> String, place: impl FnOnce() -> Place) {
        let mut words = std::mem::take(&mut self.words);
        words.clear();
        // Writing to a text cannot fail.
        let _ = words.write_fmt(en);
        let make = || Diagnostic::note(GEM_W01, place(), format!("{}は引き継がれません", ja()), format!("not kept: {words}"));
        self.count(GEM_W01, make, &words);
        self.words = words;
    }

    /// Something was assumed, or unreadable and passed over; with what to do.
    pub(super) fn warn(&mut self, code: &'static str, place: Place, words: (String, String), remedy: (&str, &str)) {
        let key = words.1.clone();
        self.count(code, || Diagnostic::warning(code, place, words.0, words.1).remedy(remedy.0, remedy.1), &key);
    }

    /// Something of the model is not written.
    pub(super) fn unwritten(&mut self, id: &str, ja: &str, en: &str) {
        let words = (format!("{ja}は書き出されません"), format!("not written: {en}"));
        self.count(GEM_W04, || Diagnostic::note(GEM_W04, Place::field(id), words.0, words.1), en);
    }

    /// Is the file refused?
    pub(super) fn refused(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The findings that are no faults, each with how often.
    pub(super) fn into_notes(self) -> Vec<Diagnostic> {
        let mut notes: Vec<Diagnostic> = Vec::new();
        for (count, mut diagnostic) in self.counted.into_values().flat_map(BTreeMap::into_values) {
            if count > 1 {
                diagnostic.message.ja.push_str(&format!("({count} 件)"));
                diagnostic.message.en.push_str(&format!(" ({count} places)"));
            }
            notes.push(diagnostic);
        }
        notes.sort_by_key(|d| std::cmp::Reverse(d.severity == Severity::Warning));
        notes
    }

    /// The model of the parts, when there are no faults.
    ///
    /// # Errors
    /// `E-GEM-002` with every fault; or what [`Model::new`] finds.
    pub(super) fn finish(self, parts: Parts, format: &str) -> Result<(Model, Vec<Diagnostic>)> {
        if self.refused() {
            let n = self.faults.len();
            let code = GEM_002;
            return Err(Error::input(
                code,
                format!("{format} のモデルを読めません: 誤りが {n} 件あります"),
                format!("the model in {format} cannot be read: {n} faults"),
            )
            .hint("下の各項目を直してください", "correct each of the items below")
            .with(self.faults));
        }
        Ok((Model::new(parts)?, self.into_notes()))
    }
}
