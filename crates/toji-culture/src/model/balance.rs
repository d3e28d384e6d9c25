//! Elements and degrees of reduction: does a reaction make what it uses?

use std::collections::BTreeMap;
use toji_core::{Error, Result};

/// Elements whose balance is proved, with their atomic weights (CIAAW 2021, abridged).
const WEIGHTS: [(&str, f64); 6] =
    [("C", 12.011), ("H", 1.008), ("O", 15.999), ("N", 14.007), ("P", 30.973_761_998), ("S", 32.06)];
/// Electrons an atom gives up on the way to CO2, H2O, NH3, H3PO4 and H2SO4 (Roels 1983).
const ELECTRONS: [(&str, f64); 6] = [("C", 4.0), ("H", 1.0), ("O", -2.0), ("N", -3.0), ("P", 5.0), ("S", 6.0)];

/// Atoms of one formula unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Composition {
    atoms: BTreeMap<&'static str, f64>,
}

impl Composition {
    /// Reads a formula such as `C6H12O6` or `CH1.8O0.5N0.2`.
    ///
    /// # Errors
    /// What is no formula of C, H, O, N, P and S.
    pub fn read(formula: &str) -> Result<Self> {
        let refused = || {
            Error::input(
                "E-MODEL-012",
                format!("«{formula}» は C, H, O, N, P, S の組成式ではありません"),
                format!("«{formula}» is no formula of C, H, O, N, P and S"),
            )
            .hint("例: C6H12O6、炭素 1 つあたりでは CH1.8O0.5N0.2", "examples: C6H12O6, or CH1.8O0.5N0.2 per carbon")
        };
        let mut atoms = BTreeMap::new();
        let mut rest = formula.trim();
        if rest.is_empty() {
            return Err(refused());
        }
        while let Some(first) = rest.get(..1) {
            let (element, _) = WEIGHTS.iter().find(|(e, _)| *e == first).ok_or_else(refused)?;
            let end = rest[1..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(rest.len(), |n| n + 1);
            let count: f64 = if end == 1 { 1.0 } else { rest[1..end].parse().map_err(|_| refused())? };
            *atoms.entry(*element).or_insert(0.0) += count;
            rest = &rest[end..];
        }
        if atoms.values().any(|n| !n.is_finite()) || !rest.is_empty() {
            return Err(refused());
        }
        Ok(Self { atoms })
    }

    /// Grams a mole of formula units weighs.
    #[must_use]
    pub fn grams_per_mole(&self) -> f64 {
        WEIGHTS.iter().map(|(e, w)| w * self.count(e)).sum()
    }

    /// Atoms of an element.
    #[must_use]
    pub fn count(&self, element: &str) -> f64 {
        self.atoms.get(element).copied().unwrap_or(0.0)
    }

    /// Degree of reduction.
    #[must_use]
    pub fn electrons(&self) -> f64 {
        ELECTRONS.iter().map(|(e, n)| n * self.count(e)).sum()
    }
}

/// One balance of one reaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Balance {
    /// Reaction.
    pub reaction: String,
    /// `C`, `N`, … or `electrons`.
    pub of: String,
    /// What is made less what is used, mol per unit of the rate.
    pub residual: f64,
    /// Made and used together: the scale of the residual.
    pub turned_over: f64,
    /// Is it left open on purpose?
    pub open: bool,
}

impl Balance {
    /// Closed to 1e-6 of what is turned over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.residual.abs() <= 1e-6 * self.turned_over
    }
}

/// All balances of a reaction from moles made of each substance per unit of the rate.
pub(super) fn balances(reaction: &str, made: &[(Composition, f64)], open: &[String]) -> Vec<Balance> {
    let elements = WEIGHTS.iter().map(|(e, _)| *e).chain(["electrons"]);
    elements
        .filter_map(|of| {
            let content = |c: &Composition| if of == "electrons" { c.electrons() } else { c.count(of) };
            let parts: Vec<f64> = made.iter().map(|(composition, moles)| moles * content(composition)).collect();
            let turned_over: f64 = parts.iter().map(|p| p.abs()).sum();
            (turned_over > 0.0).then(|| Balance {
                reaction: reaction.to_owned(),
                of: of.to_owned(),
                residual: parts.iter().sum(),
                turned_over,
                open: open.iter().any(|o| o == of),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_weigh_and_reduce_what_is_known() {
        let glucose = Composition::read("C6H12O6").unwrap();
        assert!((glucose.grams_per_mole() - 180.156).abs() < 1e-9);
        assert_eq!(glucose.electrons(), 24.0);
        assert_eq!(Composition::read("O2").unwrap().electrons(), -4.0);
        // Biomass of Roels: 4.2 per carbon.
        assert!((Composition::read("CH1.8O0.5N0.2").unwrap().electrons() - 4.2).abs() < 1e-12);
        for wrong in ["", "Xy", "C6H12O6 ", "c6", "C1.2.3", "6C"] {
            assert!(Composition::read(wrong).is_err() || wrong.trim() == "C6H12O6", "{wrong}");
        }
    }

    #[test]
    fn burning_glucose_is_balanced_and_half_of_it_is_not() {
        let read = |f: &str| Composition::read(f).unwrap();
        let burnt = |oxygen: f64| {
            balances("r", &[(read("C6H12O6"), -1.0), (read("O2"), oxygen), (read("CO2"), 6.0), (read("H2O"), 6.0)], &[])
        };
        assert!(burnt(-6.0).iter().all(Balance::is_closed));
        let half: Vec<String> = burnt(-3.0).into_iter().filter(|b| !b.is_closed()).map(|b| b.of).collect();
        assert_eq!(half, ["O", "electrons"]);
    }

    proptest! {
        #[test]
        fn any_text_is_a_formula_or_refused(text in "[CHONPSa0-9.é]{0,20}") {
            if let Ok(composition) = Composition::read(&text) {
                prop_assert!(composition.grams_per_mole().is_finite());
            }
        }
    }
}
