//! Identifiers without the prefixes and codes that SBML asks for.

use super::raw::Raw;
use super::read::Identifiers;
use crate::io::findings::{Findings, GEM_W03};
use std::collections::HashSet;
use toji_core::Place;

/// Identifiers of the model, in order.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) species: Vec<String>,
    pub(super) reactions: Vec<String>,
    pub(super) genes: Vec<String>,
}

/// Chooses the identifiers.
pub(super) fn names(raw: &Raw, how: Identifiers, findings: &mut Findings) -> Names {
    let mut choose = |prefix: &str, ids: Vec<&str>| -> Vec<String> {
        let written = || ids.iter().map(|id| (*id).to_owned()).collect();
        if how == Identifiers::AsWritten {
            return written();
        }
        let short: Vec<String> = ids.iter().map(|id| short(prefix, id)).collect();
        let distinct = |list: &[String]| list.iter().collect::<HashSet<_>>().len();
        if distinct(&short) < ids.iter().collect::<HashSet<_>>().len() {
            findings.warn(
                GEM_W03,
                Place::default(),
                (
                    format!("{prefix} を除くと同じ識別子になるものがあり、そのまま使います"),
                    format!("without {prefix} two identifiers would be the same; they are kept as they are"),
                ),
                ("識別子を変えてください", "change one of the identifiers"),
            );
            return written();
        }
        short
    };
    Names {
        species: choose("M_", raw.species.iter().map(|s| s.common.id.as_str()).collect()),
        reactions: choose("R_", raw.reactions.iter().map(|r| r.common.id.as_str()).collect()),
        genes: choose("G_", raw.genes.iter().map(|g| g.id.as_str()).collect()),
    }
}

/// Without prefix, and with `__45__` as the character of that code.
pub(super) fn short(prefix: &str, id: &str) -> String {
    let bare = id.strip_prefix(prefix).filter(|rest| !rest.is_empty()).unwrap_or(id);
    let mut text = String::with_capacity(bare.len());
    let mut rest = bare;
    while let Some(start) = rest.find("__") {
        let after = &rest[start + 2..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let code = after[..digits].parse::<u8>().ok().filter(|_| after[digits..].starts_with("__"));
        match code.map(char::from).filter(|c| c.is_ascii_graphic() && !c.is_ascii_alphanumeric() && *c != '_') {
            Some(character) => {
                text.push_str(&rest[..start]);
                text.push(character);
                rest = &after[digits + 2..];
            }
            None => {
                // One character on: three in a row may begin a code at the second.
                text.push_str(&rest[..=start]);
                rest = &rest[start + 1..];
            }
        }
    }
    text.push_str(rest);
    text
}

/// With prefix, and what an identifier of SBML may not hold as its code. [`short`] takes it back, unless the identifier
/// itself looks like a code.
pub(in crate::io) fn long(prefix: &str, id: &str) -> String {
    let mut text = prefix.to_owned();
    for character in id.chars() {
        match character {
            c if c.is_ascii_alphanumeric() || c == '_' => text.push(c),
            c => text.push_str(&format!("__{}__", u32::from(c))),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prefixes_and_codes() {
        for (id, expected) in [
            ("M_glc__D_e", "glc__D_e"),
            ("M_glc__45__D_e", "glc-D_e"),
            ("M_", "M_"),
            ("10fthf", "10fthf"),
            ("M_a__40__b__41__", "a(b)"),
            ("M_a__65__", "a__65__"),
            ("M_a___45__", "a_-"),
            ("M_a__999__b", "a__999__b"),
        ] {
            assert_eq!(short("M_", id), expected, "{id}");
        }
    }

    proptest! {
        #[test]
        fn short_undoes_long(id in "[!-~&&[^_]]{1,12}|[a-z]{1,3}(_{1,2}[A-Z]){0,2}[.-]?[a-z]") {
            let written = long("R_", &id);
            prop_assert!(written.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
            prop_assert_eq!(short("R_", &written), id);
        }
    }
}
