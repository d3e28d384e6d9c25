//! Compounds that cells exchange: composition, charge, enthalpy of formation.

use super::wrong;
use crate::model::Formula;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Quantity, Result};

/// A compound of the table: names by which models know it, formula, charge, standard enthalpy of formation at 298.15 K
/// (kJ/mol; dissolved compounds at unit molality and zero ionic strength), where that stands.
pub(super) struct Entry {
    names: &'static str,
    formula: &'static str,
    charge: i32,
    formation: Option<f64>,
    source: &'static str,
}

const CODATA: &str = "J. D. Cox, D. D. Wagman, V. A. Medvedev, CODATA Key Values for Thermodynamics, Hemisphere 1989";
const NBS: &str =
    "D. D. Wagman et al., The NBS tables of chemical thermodynamic properties, J. Phys. Chem. Ref. Data 11 (1982) Suppl. 2";
const ALBERTY: &str = "R. A. Alberty, Thermodynamics of Biochemical Reactions, Wiley 2003, table 3.2";

const fn entry(names: &'static str, formula: &'static str, charge: i32, formation: f64, source: &'static str) -> Entry {
    Entry { names, formula, charge, formation: Some(formation), source }
}

/// The table. Gases as gases, water as liquid, all else dissolved.
const TABLE: &[Entry] = &[
    entry("h2", "H2", 0, 0.0, CODATA),
    entry("o2", "O2", 0, 0.0, CODATA),
    entry("n2", "N2", 0, 0.0, CODATA),
    entry("co2", "CO2", 0, -393.51, CODATA),
    entry("co", "CO", 0, -110.53, CODATA),
    entry("ch4", "CH4", 0, -74.81, NBS),
    entry("h2o", "H2O", 0, -285.83, CODATA),
    entry("h", "H", 1, 0.0, CODATA),
    entry("hco3", "CHO3", -1, -689.93, CODATA),
    entry("nh4", "H4N", 1, -133.26, CODATA),
    entry("nh3", "H3N", 0, -80.29, NBS),
    entry("no3", "NO3", -1, -206.85, CODATA),
    entry("pi", "HO4P", -2, -1299.0, CODATA),
    entry("so4", "O4S", -2, -909.34, CODATA),
    entry("na1 na", "Na", 1, -240.34, CODATA),
    entry("k", "K", 1, -252.14, CODATA),
    entry("cl", "Cl", -1, -167.08, CODATA),
    entry("mg2", "Mg", 2, -467.0, CODATA),
    entry("ca2", "Ca", 2, -543.0, CODATA),
    entry("fe2", "Fe", 2, -89.1, NBS),
    entry("fe3", "Fe", 3, -48.5, NBS),
    entry("mn2", "Mn", 2, -220.75, NBS),
    entry("zn2", "Zn", 2, -153.39, CODATA),
    entry("cu2", "Cu", 2, 64.9, CODATA),
    entry("cobalt2", "Co", 2, -58.2, NBS),
    entry("ni2", "Ni", 2, -54.0, NBS),
    entry("mobd", "MoO4", -2, -997.9, NBS),
    entry("glc__D glc_D glc", "C6H12O6", 0, -1262.19, ALBERTY),
    entry("fru", "C6H12O6", 0, -1259.38, ALBERTY),
    entry("for", "CHO2", -1, -425.55, ALBERTY),
    entry("ac", "C2H3O2", -1, -486.01, ALBERTY),
    entry("lac__D lac__L lac_D lac_L", "C3H5O3", -1, -686.64, ALBERTY),
    entry("pyr", "C3H3O3", -1, -596.22, ALBERTY),
    entry("succ", "C4H4O4", -2, -908.68, ALBERTY),
    entry("etoh", "C2H6O", 0, -288.3, ALBERTY),
    entry("meoh", "CH4O", 0, -245.93, ALBERTY),
    entry("glyc", "C3H8O3", 0, -676.55, ALBERTY),
    Entry { names: "phb", formula: "C4H6O2", charge: 0, formation: None, source: "repeating unit" },
];

/// What is known of a compound.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compound {
    pub(super) formula: Formula,
    pub(super) charge: f64,
    /// kJ/mol.
    pub(super) formation: Option<f64>,
    /// Told by hand: its enthalpy of combustion, kJ/mol, positive.
    pub(super) combustion: Option<f64>,
    /// Where composition and enthalpy come from.
    pub(super) source: String,
}

/// A compound told by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GasCompound")]
pub struct Given {
    /// Elemental formula at the charge given.
    ///
    /// 記載した電荷での元素組成。
    pub formula: String,
    /// Charge in elementary charges.
    ///
    /// 電荷（電気素量単位）。
    #[serde(default)]
    pub charge: i32,
    /// Standard enthalpy of formation, kJ/mol.
    ///
    /// 標準生成エンタルピー（kJ/mol）。
    #[serde(default)]
    pub formation: Option<Quantity>,
    /// Heat of combustion (positive) to CO2, liquid water, ammonium, phosphate and sulfate, kJ/mol; read where there is no
    /// enthalpy of formation.
    ///
    /// 燃焼熱（正の値、kJ/mol）。生成エンタルピーがない場合に使う。
    #[serde(default)]
    pub combustion: Option<Quantity>,
}

impl Given {
    pub(super) fn read(&self, id: &str) -> Result<Compound> {
        let field = format!("compounds.{id}");
        let formula = Formula::parse(&self.formula).map_err(|e| wrong(format!("{field}.formula"), e.ja, e.en))?;
        if formula.atoms.is_empty() || formula.generic {
            return Err(wrong(format!("{field}.formula"), "元素だけの組成が必要です", "a formula of elements is needed"));
        }
        let energy = |of: &Option<Quantity>, what: &str| {
            of.as_ref().map(|q| super::value(q, "kJ/mol", &format!("{field}.{what}"))).transpose()
        };
        Ok(Compound {
            formula,
            charge: f64::from(self.charge),
            formation: energy(&self.formation, "formation")?,
            combustion: energy(&self.combustion, "combustion")?,
            source: "given".into(),
        })
    }
}

/// The compound that models call so, their mark of the compartment (`_e`, `[e]`) taken off.
pub(super) fn known(metabolite: &str) -> Option<Compound> {
    let bare = metabolite.strip_prefix("M_").unwrap_or(metabolite);
    let bare = bare.strip_suffix("_e").or_else(|| bare.strip_suffix("[e]")).or_else(|| bare.strip_suffix("_c")).unwrap_or(bare);
    let found = TABLE.iter().find(|e| e.names.split(' ').any(|n| n == bare))?;
    Some(Compound {
        formula: Formula::parse(found.formula).ok()?,
        charge: f64::from(found.charge),
        formation: found.formation,
        combustion: None,
        source: found.source.into(),
    })
}

/// The compound of the table with this composition, where it has one carbon at most and so no isomers: models that call
/// things by numbers have their gases and salts found so.
pub(super) fn of_composition(formula: &Formula, charge: f64) -> Option<Compound> {
    if formula.atoms.get("C").is_some_and(|n| *n > 1.0) {
        return None;
    }
    let mut all = TABLE.iter().filter_map(|e| known(e.names.split(' ').next()?));
    all.find(|c| c.formula == *formula && c.charge == charge)
}

/// What each element counts in the degree of reduction, CO2, water, ammonium, phosphate, sulfate and the free ions of the
/// metals being zero (Roels, Energetics and Kinetics in Biotechnology, Elsevier 1983, chapter 3).
const VALENCES: [(&str, f64); 19] = [
    ("C", 4.0),
    ("H", 1.0),
    ("O", -2.0),
    ("N", -3.0),
    ("P", 5.0),
    ("S", 6.0),
    ("Na", 1.0),
    ("K", 1.0),
    ("Cl", -1.0),
    ("Mg", 2.0),
    ("Ca", 2.0),
    ("Fe", 2.0),
    ("Mn", 2.0),
    ("Zn", 2.0),
    ("Cu", 2.0),
    ("Co", 2.0),
    ("Ni", 2.0),
    ("Mo", 6.0),
    ("Se", 6.0),
];

/// Electrons of a composition beyond the reference compounds, mol; `None` for an element without valence here.
pub(super) fn electrons(formula: &Formula, charge: f64) -> Option<f64> {
    let valence = |symbol: &str| VALENCES.iter().find(|v| v.0 == symbol).map(|v| v.1);
    formula.atoms.iter().try_fold(-charge, |sum, (symbol, n)| Some(sum + n * valence(symbol)?))
}

/// kJ per mol of electrons: heat of combustion of organic matter (Roels 1983; 460 kJ per mol of O2, after Thornton, Phil. Mag.
/// 33, 1917, 196). Formate (127), carbon monoxide (141) and hydrogen (143) lie far above, which is why they have corrections;
/// dry bacteria have 23.1 kJ/g (Cordier et al., Appl. Microbiol. Biotechnol. 25, 1987, 305).
pub(super) const PER_ELECTRON: f64 = 115.0;
/// Uncertainty of that, relative: the other organic compounds of the table lie within it (succinate, farthest, at 108.8).
pub(super) const SPREAD: f64 = 0.06;

impl Compound {
    /// Enthalpy of the reference compounds that it burns to with oxygen, kJ/mol; `None` with an element that has no reference.
    fn burnt(&self) -> Option<f64> {
        // Element, reference compound's name and its hydrogen, charge and enthalpy by atom.
        const REFERENCES: [(&str, f64, f64, f64); 17] = [
            ("C", 0.0, 0.0, -393.51),
            ("N", 4.0, 1.0, -133.26),
            ("P", 1.0, -2.0, -1299.0),
            ("S", 0.0, -2.0, -909.34),
            ("Na", 0.0, 1.0, -240.34),
            ("K", 0.0, 1.0, -252.14),
            ("Cl", 0.0, -1.0, -167.08),
            ("Mg", 0.0, 2.0, -467.0),
            ("Ca", 0.0, 2.0, -543.0),
            ("Fe", 0.0, 2.0, -89.1),
            ("Mn", 0.0, 2.0, -220.75),
            ("Zn", 0.0, 2.0, -153.39),
            ("Cu", 0.0, 2.0, 64.9),
            ("Co", 0.0, 2.0, -58.2),
            ("Ni", 0.0, 2.0, -54.0),
            ("Mo", 0.0, -2.0, -997.9),
            ("O", 0.0, 0.0, 0.0),
        ];
        let count = |s: &str| self.formula.atoms.get(s).copied().unwrap_or_default();
        let mut sum = 0.0;
        let (mut hydrogen, mut charge) = (count("H"), self.charge);
        for (symbol, n) in self.formula.atoms.iter().filter(|a| a.0 != "H") {
            let (_, with, carries, enthalpy) = REFERENCES.iter().find(|r| r.0 == symbol)?;
            sum += n * enthalpy;
            hydrogen -= n * with;
            charge -= n * carries;
        }
        // What charge is left leaves as protons, the other hydrogen as water.
        Some(sum + (hydrogen - charge) / 2.0 * -285.83)
    }

    /// Heat of combustion to the reference compounds, kJ/mol, and whether it is an estimate.
    pub(super) fn combustion(&self) -> Option<(f64, bool)> {
        let measured = self.formation.and_then(|f| Some(f - self.burnt()?)).or(self.combustion);
        match measured {
            Some(heat) => Some((heat, false)),
            None => Some((PER_ELECTRON * electrons(&self.formula, self.charge)?, true)),
        }
    }

    /// Enthalpy of formation, kJ/mol: of the table, or of the heat of combustion.
    pub(super) fn enthalpy(&self) -> Option<f64> {
        self.formation.or_else(|| Some(self.burnt()? + self.combustion()?.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heat(name: &str) -> f64 {
        known(name).unwrap().combustion().unwrap().0
    }

    /// Heats of combustion as handbooks have them.
    #[test]
    fn heats_of_combustion_are_those_of_handbooks() {
        for (name, want, tolerance) in [
            ("h2_e", 285.83, 1e-9),
            ("fru_e", 6.0 * 393.51 + 6.0 * 285.83 - 1259.38, 1e-9),
            ("M_for_e", 393.51 + 285.83 - 425.55, 1e-9),
            ("ch4_e", 890.4, 0.1),
            ("co_e", 282.98, 1e-9),
            ("o2_e", 0.0, 1e-9),
            ("nh4_e", 0.0, 1e-9),
            ("pi_e", 0.0, 1e-9),
            ("so4_e", 0.0, 1e-9),
            ("h_e", 0.0, 1e-9),
            ("h2o_e", 0.0, 1e-9),
        ] {
            assert!((heat(name) - want).abs() <= tolerance, "{name}: {} but {want}", heat(name));
        }
        // Liquid ethanol burns with 1367 kJ/mol and dissolves with 10.6; PHB is estimated, as 18 electrons.
        assert!((heat("etoh_e") - (1366.8 - 10.6)).abs() < 1.0, "{}", heat("etoh_e"));
        assert_eq!(known("phb_e").unwrap().combustion(), Some((18.0 * PER_ELECTRON, true)));
    }

    #[test]
    fn measured_heats_lie_where_the_estimate_says() {
        for entry in TABLE.iter().filter(|e| e.formation.is_some() && e.formula.starts_with('C') && e.formula.contains('H')) {
            let name = entry.names.split(' ').next().unwrap();
            let compound = known(name).unwrap();
            let electrons = electrons(&compound.formula, compound.charge).unwrap();
            if electrons > 0.0 && name != "for" {
                let per = heat(name) / electrons;
                assert!((per / PER_ELECTRON - 1.0).abs() < SPREAD, "{name}: {per}");
            }
        }
    }

    #[test]
    fn reference_compounds_hold_no_electrons() {
        for (name, want) in [
            ("co2", 0.0),
            ("h2o", 0.0),
            ("nh4", 0.0),
            ("pi", 0.0),
            ("so4", 0.0),
            ("h", 0.0),
            ("mg2", 0.0),
            ("o2", -4.0),
            ("h2", 2.0),
            ("fru", 24.0),
            ("for", 2.0),
            ("no3", -8.0),
            ("fe3", -1.0),
            ("ac", 8.0),
        ] {
            let c = known(name).unwrap();
            assert_eq!(electrons(&c.formula, c.charge), Some(want), "{name}");
        }
    }
}
