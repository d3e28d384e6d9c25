//! Vocabularies: the controlled terms of what people sense and do, declared in `vocabularies/*.toml`.
//!
//! A field of a kind takes its choices from them (`vocabulary = ["sake-wheel", …]`), so that forms,
//! validation, SQL and the tablet page share one list. A stored code is `prefix:code`, which stays unique
//! when a field draws on several vocabularies: `sake:110`, `foam:taka`.

use crate::error::{Error, Place, Result};
use crate::kind::Choice;
use crate::text::Text;
use crate::unit::Unit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// What the amount of a reference standard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Only the compound is named; the source says how much.
    CompoundOnly,
    /// The amount at which half of the people notice it.
    DetectionThreshold,
    /// The amount to add for a training sample.
    Addition,
}

/// A substance that makes the term reproducible.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// The substance.
    pub compound: Text,
    /// CAS registry number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cas: Option<String>,
    /// Lower end of the amount, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of the amount, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Unit, UCUM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What the amount is.
    pub measure: Measure,
    /// In what it is dissolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<Text>,
    /// Who says so.
    pub source: String,
}

/// A group of terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Code inside the vocabulary.
    pub code: String,
    /// Label.
    pub label: Text,
}

/// A term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Code inside the vocabulary, as published.
    pub code: String,
    /// Label.
    pub label: Text,
    /// The class it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The wider term it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Its place on an ordered scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    /// Substances that reproduce it.
    #[serde(default, rename = "standard", skip_serializing_if = "Vec::is_empty")]
    pub standards: Vec<Standard>,
}

/// A declared vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// Name.
    pub vocabulary: String,
    /// What stands before the colon of a stored code.
    pub prefix: String,
    /// Version of the declaration.
    pub version: u32,
    /// The sense it speaks of: `odour`, `colour`, `appearance`, `foam`, `sound`; or `level`, `action`.
    pub attribute: String,
    /// The vocabulary that grades its terms; without one the term itself says all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<String>,
    /// Are the terms steps of one scale?
    #[serde(default)]
    pub ordered: bool,
    /// Label.
    pub label: Text,
    /// What it is for, and how far it goes.
    pub about: Text,
    /// Who published it.
    pub source: String,
    /// Groups, in order.
    #[serde(default, rename = "class", skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Class>,
    /// Terms, in order.
    #[serde(rename = "term")]
    pub terms: Vec<Term>,
}

impl Vocabulary {
    /// Reads one declaration.
    ///
    /// # Errors
    /// TOML faults and declarations that contradict themselves, with the file's name and line.
    pub fn parse(file: &str, toml_text: &str) -> Result<Self> {
        let read: Self = toml::from_str(toml_text).map_err(|e| {
            let line = e.span().map(|s| toml_text[..s.start.min(toml_text.len())].matches('\n').count() as u64 + 1);
            Error::input(
                "E-VOCABULARY-001",
                format!("用語集の宣言を読めません: {}", e.message()),
                format!("the vocabulary's declaration is not readable: {}", e.message()),
            )
            .at(Place { file: Some(file.to_owned()), line, ..Place::default() })
            .hint("ほかの用語集を手本に直してください", "correct it after another vocabulary")
        })?;
        read.check_self().map_err(|e| e.in_file(file))?;
        Ok(read)
    }

    fn check_self(&self) -> Result<()> {
        let fault = |code: &str, ja: &str, en: &str| {
            let (ja, en) = (format!("用語集 {}: {ja}", self.vocabulary), format!("vocabulary {}: {en}", self.vocabulary));
            Err(Error::input("E-VOCABULARY-002", ja, en).at(Place::field(code)))
        };
        let classes: BTreeSet<&str> = self.classes.iter().map(|c| c.code.as_str()).collect();
        let codes: BTreeSet<&str> = self.terms.iter().map(|t| t.code.as_str()).collect();
        if codes.len() != self.terms.len() || classes.len() != self.classes.len() {
            return fault(&self.vocabulary, "コードが重複しています", "a code stands twice");
        }
        for term in &self.terms {
            if term.class.as_deref().is_some_and(|c| !classes.contains(c)) {
                return fault(&term.code, "群がありません", "its class is not declared");
            }
            if term.parent.as_deref().is_some_and(|p| !codes.contains(p) || p == term.code) {
                return fault(&term.code, "上位の用語がありません", "its parent is not declared");
            }
            for standard in &term.standards {
                let amount = standard.low.or(standard.high).is_some();
                let unit = standard.unit.as_deref().map(Unit::parse);
                if amount != matches!(unit, Some(Ok(_))) || amount == (standard.measure == Measure::CompoundOnly) {
                    return fault(
                        &term.code,
                        "標準の量と単位が合いません",
                        "amount, unit and measure of a standard do not agree",
                    );
                }
            }
        }
        Ok(())
    }

    /// The stored code of a term.
    #[must_use]
    pub fn full_code(&self, term: &Term) -> String {
        format!("{}:{}", self.prefix, term.code)
    }
    /// The term of a code inside the vocabulary.
    #[must_use]
    pub fn term(&self, code: &str) -> Option<&Term> {
        self.terms.iter().find(|t| t.code == code)
    }
    /// The terms as choices of a field.
    pub fn choices(&self) -> impl Iterator<Item = Choice> + '_ {
        self.terms.iter().map(|t| Choice { code: self.full_code(t), label: t.label.clone() })
    }
}

/// All vocabularies that ship with Toji, by name.
///
/// # Errors
/// Never for a released build: a test reads every declaration.
pub fn all() -> Result<&'static [Vocabulary]> {
    static SET: OnceLock<std::result::Result<Vec<Vocabulary>, Error>> = OnceLock::new();
    const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/vocabularies.rs"));
    let set = SET.get_or_init(|| FILES.iter().map(|(file, text)| Vocabulary::parse(file, text)).collect());
    set.as_ref().map(Vec::as_slice).map_err(|e| Error::bug("E-VOCABULARY-003", e))
}

/// The vocabulary of this name.
///
/// # Errors
/// No such vocabulary; names those there are.
pub fn get(name: &str) -> Result<&'static Vocabulary> {
    let all = all()?;
    all.iter().find(|v| v.vocabulary == name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|v| v.vocabulary.as_str()).collect();
        let (ja, en) = (format!("用語集「{name}」はありません"), format!("there is no vocabulary \"{name}\""));
        let shown = names.join(", ");
        Error::not_found("E-VOCABULARY-004", ja, en)
            .hint(format!("次から選んでください: {shown}"), format!("choose one of: {shown}"))
    })
}

/// The term of a stored code such as `sake:110`, with its vocabulary.
#[must_use]
pub fn find(full_code: &str) -> Option<(&'static Vocabulary, &'static Term)> {
    let (prefix, code) = full_code.split_once(':')?;
    let vocabulary = all().ok()?.iter().find(|v| v.prefix == prefix)?;
    vocabulary.term(code).map(|term| (vocabulary, term))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vocabulary_that_ships_is_sound_and_speaks_both_languages() {
        let all = all().unwrap();
        let prefixes: BTreeSet<&str> = all.iter().map(|v| v.prefix.as_str()).collect();
        assert_eq!(prefixes.len(), all.len(), "prefixes tell vocabularies apart");
        for vocabulary in all {
            if let Some(scale) = &vocabulary.scale {
                assert!(get(scale).unwrap().ordered, "{scale} grades {}", vocabulary.vocabulary);
            }
            for term in &vocabulary.terms {
                assert!(!term.label.ja.is_empty() && !term.label.en.is_empty(), "{}:{}", vocabulary.prefix, term.code);
                assert_eq!(find(&vocabulary.full_code(term)).unwrap().1, term);
            }
        }
    }

    #[test]
    fn the_sake_wheel_has_the_published_codes_of_its_first_tier() {
        let wheel = get("sake-wheel").unwrap();
        assert_eq!((wheel.classes.len(), wheel.terms.len()), (16, 42));
        assert_eq!(find("sake:110").unwrap().1.label, Text::new("吟醸香", "Ginjo-ka"));
        assert_eq!(find("sake:1610").unwrap().1.class.as_deref(), Some("16"));
        assert!(find("sake:111").is_none() && find("sake").is_none() && find("tea:110").is_none());
        let banana = &find("beer:0131").unwrap().1.standards[0];
        assert_eq!((banana.measure, banana.unit.as_deref()), (Measure::DetectionThreshold, Some("mg/L")));
    }

    #[test]
    fn a_faulty_vocabulary_is_refused_with_its_place() {
        let text = |term: &str| {
            format!(
                "vocabulary = \"v\"\nprefix = \"v\"\nversion = 1\nattribute = \"odour\"\nsource = \"s\"\n\
                 label = {{ ja = \"試\", en = \"T\" }}\nabout = {{ ja = \"試\", en = \"T\" }}\n{term}"
            )
        };
        let place = |term: &str| Vocabulary::parse("v.toml", &text(term)).unwrap_err().fault().place.clone().unwrap().to_string();
        let one = "[[term]]\ncode = \"1\"\nlabel = { ja = \"一\", en = \"one\" }\n";
        assert!(Vocabulary::parse("v.toml", &text(one)).is_ok());
        assert_eq!(place(&format!("{one}parent = \"2\"\n")), "v.toml «1»");
        assert_eq!(place(&format!("{one}class = \"2\"\n")), "v.toml «1»");
        assert_eq!(place(&format!("{one}{one}")), "v.toml «v»");
        assert_eq!(place("[[term]]\ncode = 5\n"), "v.toml:9");
        let standard =
            "[[term.standard]]\ncompound = { ja = \"水\", en = \"water\" }\nmeasure = \"addition\"\nlow = 1.0\nsource = \"s\"\n";
        assert_eq!(place(&format!("{one}{standard}")), "v.toml «1»");
    }
}
