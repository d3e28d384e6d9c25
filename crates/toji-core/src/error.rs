//! Errors and diagnostics: who must act, a stable code, the place, and the remedy, in both languages.

use crate::text::{Lang, Text};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Result with Toji's one error type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who must act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The user's file, argument or record.
    Input,
    /// Something named does not exist.
    NotFound,
    /// The request conflicts with what is stored.
    Conflict,
    /// The access decision was no.
    Denied,
    /// A model is infeasible, unbounded or did not converge.
    Model,
    /// The operator: disk, database, permissions.
    Storage,
    /// A stated limit was reached.
    Limit,
    /// The work was cancelled by its owner.
    Cancelled,
    /// An invariant of Toji itself broke; please report it.
    Bug,
}

/// Where in the user's material a fault lies. Every part is optional; lines and columns count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Place {
    /// File name as the user gave it, without directories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Sheet of a workbook or section of a sectioned file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Line (text) or row (sheet), from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// Field, header or JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Place {
    /// A line of the file at hand (the caller adds the file name).
    #[must_use]
    pub fn line(line: u64) -> Self {
        Self { line: Some(line), ..Self::default() }
    }
    /// A named field.
    pub fn field(field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::default() }
    }
    /// This place, in this file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }
    /// This place, in this sheet or section.
    #[must_use]
    pub fn in_sheet(mut self, sheet: impl Into<String>) -> Self {
        self.sheet = Some(sheet.into());
        self
    }
    /// This place, at this column (from 1).
    #[must_use]
    pub fn at_column(mut self, column: u64) -> Self {
        self.column = Some(column);
        self
    }
    /// This place, at this field.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.file.clone());
        parts.extend(self.sheet.as_ref().map(|s| format!("[{s}]")));
        parts.extend(self.line.map(|l| l.to_string()));
        parts.extend(self.column.map(|c| c.to_string()));
        write!(f, "{}", parts.join(":"))?;
        if let Some(field) = &self.field {
            write!(f, "{}«{field}»", if parts.is_empty() { "" } else { " " })?;
        }
        Ok(())
    }
}

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Kept, but marked; look at it.
    Warning,
    /// Refused.
    Error,
}

/// One finding about the user's material. Parsers return all of them, not the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Diagnostic {
    /// How grave.
    pub severity: Severity,
    /// Stable code such as `W-CLOCK-001`.
    pub code: String,
    /// Where.
    #[serde(default)]
    pub place: Place,
    /// What was found.
    pub message: Text,
    /// What the user can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Text>,
}

impl Diagnostic {
    /// A warning.
    pub fn warning(code: &str, place: Place, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, code: code.into(), place, message: Text::new(ja, en), remedy: None }
    }
    /// A refusal.
    pub fn error(code: &str, place: Place, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { severity: Severity::Error, ..Self::warning(code, place, ja, en) }
    }
    /// A note.
    pub fn note(code: &str, place: Place, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::warning(code, place, ja, en) }
    }
    /// Adds what the user can do.
    #[must_use]
    pub fn remedy(mut self, ja: impl Into<String>, en: impl Into<String>) -> Self {
        self.remedy = Some(Text::new(ja, en));
        self
    }
}

/// Toji's error: category, stable code, message, place, hint and any further findings.
#[derive(Debug)]
pub struct Error(Box<Fault>);

/// The content of an [`Error`].
#[derive(Debug, Serialize)]
pub struct Fault {
    /// Who must act.
    pub category: Category,
    /// Stable code such as `E-UNIT-002`.
    pub code: &'static str,
    /// What went wrong.
    pub message: Text,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Text>,
    /// All findings, when there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
}

impl Error {
    /// An error of any category.
    pub fn new(category: Category, code: &'static str, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self(Box::new(Fault { category, code, message: Text::new(ja, en), place: None, hint: None, diagnostics: Vec::new() }))
    }
    /// The user's input is at fault.
    pub fn input(code: &'static str, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Category::Input, code, ja, en)
    }
    /// Something named does not exist.
    pub fn not_found(code: &'static str, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Category::NotFound, code, ja, en)
    }
    /// The operator must act.
    pub fn storage(code: &'static str, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Category::Storage, code, ja, en)
    }
    /// An invariant of Toji broke.
    pub fn bug(code: &'static str, detail: impl fmt::Display) -> Self {
        Self::new(
            Category::Bug,
            code,
            format!("内部の不変条件が破れました: {detail}"),
            format!("an internal invariant broke: {detail}"),
        )
        .hint("不具合としてご報告ください", "please report this as a bug")
    }
    /// Adds the place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }
    /// Adds the remedy.
    #[must_use]
    pub fn hint(mut self, ja: impl Into<String>, en: impl Into<String>) -> Self {
        self.0.hint = Some(Text::new(ja, en));
        self
    }
    /// Adds further findings.
    #[must_use]
    pub fn with(mut self, diagnostics: Vec<Diagnostic>) -> Self {
        self.0.diagnostics = diagnostics;
        self
    }
    /// Names the file, when the place does not name one yet.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        let place = self.0.place.get_or_insert_with(Place::default);
        place.file.get_or_insert_with(|| file.to_owned());
        for diagnostic in &mut self.0.diagnostics {
            diagnostic.place.file.get_or_insert_with(|| file.to_owned());
        }
        self
    }
    /// The content.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.0
    }
    /// Who must act.
    #[must_use]
    pub fn category(&self) -> Category {
        self.0.category
    }
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }
    /// The whole error for a person, several lines, in one language.
    #[must_use]
    pub fn render(&self, lang: Lang) -> String {
        let fault = self.fault();
        let word = if lang == Lang::Ja { "エラー" } else { "error" };
        let mut out = format!("{word}[{}]: {}", fault.code, fault.message.get(lang));
        if let Some(place) = &fault.place {
            out.push_str(&format!("\n  --> {place}"));
        }
        for diagnostic in &fault.diagnostics {
            out.push_str(&format!("\n  {}", diagnostic.render(lang)));
        }
        if let Some(hint) = &fault.hint {
            let word = if lang == Lang::Ja { "対処" } else { "hint" };
            out.push_str(&format!("\n{word}: {}", hint.get(lang)));
        }
        out
    }
}

impl Diagnostic {
    /// The finding for a person, in one language.
    #[must_use]
    pub fn render(&self, lang: Lang) -> String {
        let word = match (self.severity, lang) {
            (Severity::Note, Lang::Ja) => "注記",
            (Severity::Note, Lang::En) => "note",
            (Severity::Warning, Lang::Ja) => "警告",
            (Severity::Warning, Lang::En) => "warning",
            (Severity::Error, Lang::Ja) => "エラー",
            (Severity::Error, Lang::En) => "error",
        };
        let place = self.place.to_string();
        let place = if place.is_empty() { place } else { format!("{place}: ") };
        let mut out = format!("{place}{word}[{}]: {}", self.code, self.message.get(lang));
        if let Some(remedy) = &self.remedy {
            let word = if lang == Lang::Ja { "対処" } else { "hint" };
            out.push_str(&format!(" ({word}: {})", remedy.get(lang)));
        }
        out
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Lang::En))
    }
}

impl std::error::Error for Error {}
