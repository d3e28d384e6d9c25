//! Thermodynamics of reactions and pathways from given standard transformed Gibbs energies `ΔG'°`.
//!
//! Units: energies in kJ/mol, concentrations in mol/L, temperature in K. The `ΔG'°` hold at the pH, pMg and ionic strength
//! they were given for; protons and water are part of them and not of the stoichiometry here (Alberty, *Thermodynamics of
//! Biochemical Reactions*, 2003, chapter 4).

mod force;
mod range;

pub use force::{Force, Pathway, Ratio, driving_force};
pub use range::{Direction, Energy, energies, restrict};

use toji_core::{Error, Place, Result};

/// Molar gas constant, kJ/(mol·K) (SI 2019, exact to the digits given).
pub const GAS_CONSTANT: f64 = 8.314_462_618e-3;

/// `R·T` in kJ/mol.
#[must_use]
pub fn thermal_energy(kelvin: f64) -> f64 {
    GAS_CONSTANT * kelvin
}

/// A reaction with its standard energy.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Step {
    /// Compound and coefficient (negative: consumed), in the direction in which the reaction is to run, without water and
    /// protons.
    pub stoichiometry: Vec<(usize, f64)>,
    /// `ΔG'°`, kJ/mol.
    pub standard: f64,
    /// Standard deviation of `ΔG'°`, kJ/mol; zero when it is taken as certain.
    #[serde(default)]
    pub deviation: f64,
}

/// Between which concentrations a compound lies, mol/L. The same twice: it is fixed.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Concentration {
    /// Lowest, above zero.
    pub lower: f64,
    /// Highest, finite.
    pub upper: f64,
}

fn wrong(field: String, ja: &str, en: &str) -> Error {
    Error::input("E-FLUX-034", format!("{field}:{ja}"), format!("{field}: {en}")).at(Place::field(field)).hint(
        "濃度は 0 より大きい有限の数、エネルギーは有限の数、化合物の番号は一覧の範囲にしてください",
        "use finite concentrations above zero, finite energies, and compounds of the list",
    )
}

/// Checks steps and concentrations.
fn check(steps: &[Step], compounds: &[Concentration], thermal: f64, spread: f64) -> Result<()> {
    if !(thermal.is_finite() && thermal > 0.0) {
        return Err(wrong("thermal".into(), "正の数ではありません", "it is not above zero"));
    }
    if !(spread.is_finite() && spread >= 0.0) {
        return Err(wrong("spread".into(), "0 以上の数ではありません", "it is not a number of at least zero"));
    }
    for (at, c) in compounds.iter().enumerate() {
        if !(c.lower > 0.0 && c.upper.is_finite() && c.lower <= c.upper) {
            let (ja, en) = ("濃度の範囲になりません", "it is no range of concentrations");
            return Err(wrong(format!("compounds[{at}]"), ja, en));
        }
    }
    for (at, step) in steps.iter().enumerate() {
        let known = step.stoichiometry.iter().all(|t| t.0 < compounds.len() && t.1.is_finite());
        if !known {
            let (ja, en) = ("化合物か係数が誤っています", "a compound or a coefficient is wrong");
            return Err(wrong(format!("steps[{at}].stoichiometry"), ja, en));
        }
        if !(step.standard.is_finite() && step.deviation.is_finite() && step.deviation >= 0.0) {
            return Err(wrong(format!("steps[{at}].standard"), "エネルギーが誤っています", "an energy is wrong"));
        }
    }
    Ok(())
}
