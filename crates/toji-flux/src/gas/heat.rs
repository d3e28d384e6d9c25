//! The heat of a conversion, told in two ways.

use super::compound::{PER_ELECTRON, SPREAD, electrons};
use super::net::Crossing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Heat given off (positive), at 25 °C and standard states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GasHeat")]
pub struct Heat {
    /// From the enthalpies of formation of the net conversion, kJ/(g·h); none where its balance is not closed or an enthalpy
    /// is missing.
    pub formation: Option<f64>,
    /// From heats of combustion of all that crosses, kJ/(g·h): water, protons, phosphate and the like count nothing, so it
    /// stands also where their balance does not. None where one is missing.
    pub combustion: Option<f64>,
    /// Of these, what rests on estimates (115 kJ per mol of electrons, ±6 %), kJ/(g·h): biomass, and compounds without a
    /// measured value.
    pub estimated: f64,
    /// From the oxygen taken up at 460 kJ/mol, with the corrections below, kJ/(g·h).
    pub oxygen: f64,
    /// Of that, corrections for compounds whose measured heat lies more than 6 % off the rule, above all hydrogen (+55.8 kJ/mol), kJ/(g·h).
    pub corrections: f64,
    /// By how much the two ways may differ: 6 % of what is estimated and of the oxygen's heat, kJ/(g·h).
    pub tolerance: f64,
    /// Do they agree within that? None where the first way cannot be told.
    pub agree: Option<bool>,
    /// Heat over the basis: kJ per mol of product, or per g of biomass (first way, else combustion, else oxygen).
    pub over_basis: f64,
}

/// The heat of what crosses; `over` is the basis, mmol (or g) per g and hour.
pub(super) fn heat(crossing: &Crossing, closed: bool, over: f64, of_product: bool) -> Heat {
    let sum = |of: &dyn Fn(&super::compound::Compound) -> Option<f64>| -> Option<f64> {
        crossing.all().try_fold(0.0, |sum, (rate, c)| Some(sum - rate * of(c)? / 1000.0))
    };
    let formation = if closed { sum(&|c| c.enthalpy()) } else { None };
    let combustion = sum(&|c| c.combustion().map(|h| h.0));
    let (mut estimated, mut corrections) = (0.0, 0.0);
    for (rate, compound) in crossing.all() {
        let Some((heat, estimate)) = compound.combustion() else { continue };
        if estimate {
            estimated += (rate * heat).abs() / 1000.0;
            continue;
        }
        let Some(carried) = electrons(&compound.formula, compound.charge).filter(|e| *e > 0.0) else { continue };
        if (heat / (PER_ELECTRON * carried) - 1.0).abs() > SPREAD {
            corrections -= rate * (heat - PER_ELECTRON * carried) / 1000.0;
        }
    }
    let taken = -crossing.rate("o2");
    let by_oxygen = 4.0 * PER_ELECTRON * taken / 1000.0;
    let oxygen = by_oxygen + corrections;
    let tolerance = SPREAD * (estimated + by_oxygen.abs());
    let first = formation.or(combustion);
    Heat {
        formation,
        combustion,
        estimated,
        oxygen,
        corrections,
        tolerance,
        agree: first.map(|f| (f - oxygen).abs() <= tolerance),
        over_basis: first.unwrap_or(oxygen) / over * if of_product { 1000.0 } else { 1.0 },
    }
}
