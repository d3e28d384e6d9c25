//! What is measured: the vocabulary of variables, with labels, units, physical limits and the words
//! by which the floor knows them.
//!
//! Unknown names stay unknown: a channel or assay without a variable is kept under its own name.

use crate::text::Text;
use crate::value::fold_width;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// How points of a variable are brought onto a grid unless the user says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GridRule {
    /// Mean of the good points in the cell.
    ///
    /// 格子の区間内にある良好な点の平均。
    Mean,
    /// Last good value at or before the end of the cell.
    ///
    /// 区間の終わりまでで最後の良好な値。
    Last,
    /// Straight line between the neighbouring good points, never beyond them.
    ///
    /// 隣り合う良好な点の間の直線補間。外側へは延長しない。
    Linear,
    /// Sum of the good points in the cell.
    ///
    /// 格子の区間内にある良好な点の合計。
    Sum,
}

/// One term of the vocabulary.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Term, e.g. `dissolved-oxygen`.
    pub id: String,
    /// Labels.
    pub label: Text,
    /// Usual unit, UCUM.
    pub unit: String,
    /// Smallest physically possible value in `unit`.
    #[serde(default)]
    pub low: Option<f64>,
    /// Largest physically possible value in `unit`.
    #[serde(default)]
    pub high: Option<f64>,
    /// Default grid rule.
    pub rule: GridRule,
    /// External term (CHEBI, OBI, NCIT …) as a CURIE.
    #[serde(default)]
    pub curie: Option<String>,
    /// Words for it: compared after folding case, width and punctuation.
    pub words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    variable: Vec<Variable>,
}

/// All terms, in the order of `variables.toml`.
#[must_use]
pub fn all() -> &'static [Variable] {
    static ALL: OnceLock<Vec<Variable>> = OnceLock::new();
    // The file is part of the program; `every_term_is_sound` keeps it parseable.
    ALL.get_or_init(|| toml::from_str::<File>(include_str!("../variables.toml")).map(|f| f.variable).unwrap_or_default())
}

/// The term with this id.
#[must_use]
pub fn get(id: &str) -> Option<&'static Variable> {
    all().iter().find(|v| v.id == id)
}

/// The term a header names, with the word that matched. Whole-name matches win; else the longest
/// word that stands in the header between boundaries.
///
/// ```
/// assert_eq!(toji_core::variable::find("CTPC06110.Vessel 1.pO2.PV").unwrap().0.id, "dissolved-oxygen");
/// assert_eq!(toji_core::variable::find("品温").unwrap().0.id, "temperature");
/// assert!(toji_core::variable::find("phosphate").unwrap().0.id == "phosphate");
/// ```
#[must_use]
pub fn find(header: &str) -> Option<(&'static Variable, &'static str)> {
    let header = tokens(header);
    if header.is_empty() {
        return None;
    }
    let mut best: Option<(usize, &'static Variable, &'static str)> = None;
    for (word_tokens, variable, word) in words() {
        let whole = header == *word_tokens;
        let inside = whole || header.windows(word_tokens.len()).any(|w| w == word_tokens.as_slice());
        let weight = word_tokens.iter().map(|t| t.chars().count()).sum::<usize>() + if whole { 1000 } else { 0 };
        if inside && best.is_none_or(|(w, ..)| weight > w) {
            best = Some((weight, variable, word));
        }
    }
    best.map(|(_, variable, word)| (variable, word))
}

/// All words as tokens, made once: a table of a hundred columns asks for each of them.
fn words() -> &'static [(Vec<String>, &'static Variable, &'static str)] {
    static WORDS: OnceLock<Vec<(Vec<String>, &'static Variable, &'static str)>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let each = |v: &'static Variable| v.words.iter().map(move |w| (tokens(w), v, w.as_str()));
        all().iter().flat_map(each).filter(|(tokens, ..)| !tokens.is_empty()).collect()
    })
}

/// Letters-only and digits-attached tokens in lower case; Japanese runs are one token.
fn tokens(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut last: Option<char> = None;
    for c in fold_width(text).chars() {
        let c = if c == 'μ' { 'µ' } else { c };
        let boundary = match last {
            // "VesselTemp" is two words; "pO2", "OD600" and "NH4" are one.
            Some(l) => l.is_lowercase() && c.is_uppercase() && current.chars().count() > 2,
            None => false,
        };
        if (!c.is_alphanumeric() || boundary) && !current.is_empty() {
            out.push(std::mem::take(&mut current));
        }
        if c.is_alphanumeric() {
            current.extend(c.to_lowercase());
        }
        last = Some(c);
    }
    if !current.is_empty() {
        out.push(current);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Unit;

    #[test]
    fn every_term_is_sound() {
        let file: File = toml::from_str(include_str!("../variables.toml")).unwrap();
        let mut ids: Vec<&str> = file.variable.iter().map(|v| v.id.as_str()).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "ids are unique");
        for variable in &file.variable {
            let unit = Unit::parse(&variable.unit).unwrap_or_else(|e| panic!("{}: {e}", variable.id));
            assert_eq!(unit.code(), variable.unit, "{}: canonical unit", variable.id);
            assert!(!variable.label.ja.is_empty() && !variable.label.en.is_empty() && !variable.words.is_empty());
        }
    }

    #[test]
    fn headers_of_the_floor_are_recognised() {
        for (header, id) in [
            ("pH", "ph"),
            ("Temp", "temperature"),
            ("Temperature (°C)", "temperature"),
            ("DO [%]", "dissolved-oxygen"),
            ("pO2", "dissolved-oxygen"),
            ("OD600", "optical-density"),
            ("Gluc", "glucose"),
            ("GLC3B", "glucose"),
            ("グルコース", "glucose"),
            ("攪拌数", "stirrer-speed"),
            ("ボーメ", "baume"),
            ("日本酒度", "nihonshudo"),
            ("Viability (%)", "viability"),
            ("Viable (x10^6) cells/mL", "viable-cell-density"),
            ("NH4+", "ammonium"),
        ] {
            assert_eq!(find(header).map(|(v, _)| v.id.as_str()), Some(id), "{header}");
        }
        assert!(find("phase").is_none());
        assert!(find("").is_none());
        assert!(find("CTPC-X9").is_none());
    }
}
