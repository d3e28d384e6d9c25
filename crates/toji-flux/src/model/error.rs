//! Findings about models, and the answer to a name that does not exist.

use toji_core::{Diagnostic, Error, Place};

/// An identifier is missing.
pub(crate) const MODEL_001: &str = "E-MODEL-001";
/// An identifier is taken twice.
pub(crate) const MODEL_002: &str = "E-MODEL-002";
/// A reference leads nowhere.
pub(crate) const MODEL_003: &str = "E-MODEL-003";
/// A number is none, or is infinite where it may not be.
pub(crate) const MODEL_004: &str = "E-MODEL-004";
/// Nothing of this name.
pub(crate) const MODEL_010: &str = "E-MODEL-010";
/// The objective cannot be given to a linear programme.
pub(crate) const MODEL_011: &str = "E-MODEL-011";
/// An edit that is none: no range, not finite, or an identifier that is taken.
pub(crate) const MODEL_012: &str = "E-MODEL-012";
/// Not an entry of a medium.
pub(crate) const MODEL_013: &str = "E-MODEL-013";

/// An error-level finding at an identifier, with its remedy.
pub(crate) fn fault(code: &str, id: &str, ja: impl Into<String>, en: impl Into<String>, remedy: (&str, &str)) -> Diagnostic {
    let place = if id.is_empty() { Place::default() } else { Place::field(id) };
    Diagnostic::error(code, place, ja, en).remedy(remedy.0, remedy.1)
}

/// How unlike two words are: edits, with case counted as nothing. Bounded by the longer word.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}

/// The answer to a name that does not exist, with the nearest that does.
pub(crate) fn absent<'a>(what: (&str, &str), id: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let asked: String = id.chars().take(100).collect();
    let error = Error::not_found(
        MODEL_010,
        format!("{} {asked} はモデルにありません", what.0),
        format!("the model has no {} {asked}", what.1),
    )
    .at(Place::field(asked.clone()));
    let nearest = known.map(|k| (distance(&asked, k), k)).min();
    match nearest {
        Some((edits, near)) if edits <= 2.max(asked.len() / 3) => {
            error.hint(format!("{near} ではありませんか"), format!("did you mean {near}?"))
        }
        _ => error.hint("モデルの識別子の一覧を見てください", "look at the list of identifiers of the model"),
    }
}
