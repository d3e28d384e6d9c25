//! Chromatography results as result tables: Shimadzu LabSolutions text, and tables of one peak a row as
//! Waters Empower, Agilent OpenLab and Thermo Chromeleon export them.
//!
//! An amount is a result, with its unit where the table states one; retention time, area and height
//! stand with it. A peak without an amount is "no result" with its area kept, and a table without any
//! amounts gives the areas, called so. Raw traces are not read.

pub(super) mod labsolutions;
pub(super) mod peaks;

use toji_core::variable;

/// The variable a compound's name stands for. Names of the vocabulary count only as a whole, without the
/// letters of an isomer: `D-glucose` is glucose, `glucose-6-phosphate` is not.
fn variable_of(compound: &str) -> Option<String> {
    let bare = ["D-", "L-", "DL-", "D(+)-", "L(+)-"].iter().find_map(|p| compound.trim().strip_prefix(p)).unwrap_or(compound);
    let bare = bare.trim();
    // "Acetic acid" and "acetate" are one thing to the analyst; pH decides which of them is there.
    let known = match bare.to_lowercase().as_str() {
        "acetic acid" => "acetate",
        "lactic acid" => "lactate",
        "pyruvic acid" => "pyruvate",
        "glutamic acid" => "glutamate",
        "aspartic acid" => "aspartate",
        "dextrose" => "glucose",
        _ => bare,
    }
    .to_owned();
    let (variable, word) = variable::find(&known)?;
    (crate::analyser::header_key(&known) == crate::analyser::header_key(word)).then(|| variable.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compounds_count_as_a_whole() {
        let check = |name: &str, variable: Option<&str>| assert_eq!(variable_of(name).as_deref(), variable, "{name}");
        check("D-Glucose", Some("glucose"));
        check("Acetic acid", Some("acetate"));
        check("Glycerol", Some("glycerol"));
        check("glucose-6-phosphate", None);
        check("RT8.063", None);
    }
}
