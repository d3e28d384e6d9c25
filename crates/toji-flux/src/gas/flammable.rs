//! Where a gas stands between the limits of flammability of hydrogen and oxygen.
//!
//! The limits are those that the gas safety of cultures uses, from the one table of toji-core; they are for sorting designs, and no
//! substitute for a qualified judgement of a plant.

use super::wrong;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Result, flammable as table};

/// Lower limit of hydrogen in air, mol/mol.
pub const LOWER_LIMIT: f64 = table::LOWER.value / 100.0;
/// Upper limit in air, mol/mol.
pub const UPPER_LIMIT_AIR: f64 = table::UPPER_IN_AIR.value / 100.0;
/// Upper limit in oxygen, mol/mol.
pub const UPPER_LIMIT_OXYGEN: f64 = table::UPPER_IN_OXYGEN.value / 100.0;
/// Limiting oxygen concentration with nitrogen, mol/mol.
pub const LIMITING_OXYGEN: f64 = table::LIMITING_OXYGEN.value / 100.0;
/// Share of the lower limit that is kept.
pub const MARGIN_HYDROGEN: f64 = table::MARGIN_FUEL.value;
/// Share of the limiting oxygen that is kept, with oxygen monitored.
pub const MARGIN_OXYGEN: f64 = table::MARGIN_OXYGEN.value;

/// A dry gas, mol/mol.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GasMix")]
pub struct Mix {
    /// H2, mol/mol.
    ///
    /// 水素の分率（mol/mol）。
    #[serde(default)]
    pub hydrogen: f64,
    /// O2, mol/mol.
    ///
    /// 酸素の分率（mol/mol）。
    #[serde(default)]
    pub oxygen: f64,
    /// CO2, mol/mol.
    ///
    /// 二酸化炭素の分率（mol/mol）。
    #[serde(default)]
    pub carbon_dioxide: f64,
    /// N2, mol/mol.
    ///
    /// 窒素の分率（mol/mol）。
    #[serde(default)]
    pub nitrogen: f64,
}

/// Where a mix stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "GasStanding")]
pub enum Standing {
    /// Beyond the limits with their margins.
    Outside,
    /// Within the margins.
    Near,
    /// It could burn.
    Inside,
}

/// A mix and its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GasPlace")]
pub struct Place {
    /// The mix, dry.
    pub mix: Mix,
    /// Where it stands.
    pub standing: Standing,
    /// Hydrogen over its lower limit.
    pub hydrogen_to_limit: f64,
    /// Oxygen over the limiting concentration.
    pub oxygen_to_limit: f64,
    /// Nitrogen that brings it outside, mol per mol of the gas.
    pub nitrogen_to_add: f64,
}

impl Mix {
    pub(super) fn shares(&self) -> [f64; 4] {
        [self.hydrogen, self.oxygen, self.carbon_dioxide, self.nitrogen]
    }

    /// Shares are not negative and make one.
    ///
    /// # Errors
    /// `E-FLUX-110`.
    pub fn check(&self, field: &str) -> Result<()> {
        let shares = self.shares();
        if shares.iter().all(|y| y.is_finite() && *y >= 0.0) && (shares.iter().sum::<f64>() - 1.0).abs() <= 1e-6 {
            return Ok(());
        }
        Err(wrong(field, "各成分が 0 以上で合計 1 になっていません", "the shares are not all zero or more and one in sum"))
    }

    /// Its place. The rich edge runs straight from the upper limit in air to that in oxygen; being rich is no margin.
    ///
    /// # Errors
    /// `E-FLUX-110` for shares that cannot be.
    pub fn place(&self) -> Result<Place> {
        self.check("mix")?;
        let air = (1.0 - UPPER_LIMIT_AIR) * table::OXYGEN_OF_AIR;
        let slope = (1.0 - UPPER_LIMIT_OXYGEN - air) / (UPPER_LIMIT_OXYGEN - UPPER_LIMIT_AIR);
        let rich = air + slope * (self.hydrogen - UPPER_LIMIT_AIR);
        let (fuel, oxygen) = (LOWER_LIMIT * MARGIN_HYDROGEN, LIMITING_OXYGEN * MARGIN_OXYGEN);
        let standing = if self.hydrogen >= LOWER_LIMIT && self.oxygen >= LIMITING_OXYGEN && self.oxygen >= rich {
            Standing::Inside
        } else if self.hydrogen >= fuel && self.oxygen >= oxygen {
            Standing::Near
        } else {
            Standing::Outside
        };
        let share = (oxygen / self.oxygen).max(fuel / self.hydrogen) * 0.999;
        Ok(Place {
            mix: *self,
            standing,
            hydrogen_to_limit: self.hydrogen / LOWER_LIMIT,
            oxygen_to_limit: self.oxygen / LIMITING_OXYGEN,
            nitrogen_to_add: if standing == Standing::Outside { 0.0 } else { 1.0 / share - 1.0 },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hydrogen: f64, oxygen: f64) -> Place {
        Mix { hydrogen, oxygen, carbon_dioxide: 0.0, nitrogen: (1.0 - hydrogen - oxygen).max(0.0) }.place().unwrap()
    }

    #[test]
    fn known_mixes_stand_where_they_should() {
        for (hydrogen, oxygen, want) in [
            (0.30, 0.147, Standing::Inside), // stoichiometric in air
            (0.7, 0.2, Standing::Inside),
            (0.039, 0.2, Standing::Near),
            (0.041, 0.2, Standing::Inside),
            (0.5, 0.045, Standing::Near),
            (0.5, 0.047, Standing::Inside),
            (0.5, 0.0275, Standing::Outside),
            (0.009, 0.2, Standing::Outside),
            (0.96, 0.04, Standing::Near), // rich is no margin
            (0.93, 0.07, Standing::Inside),
        ] {
            assert_eq!(at(hydrogen, oxygen).standing, want, "{hydrogen} {oxygen}");
        }
    }

    #[test]
    fn the_nitrogen_told_brings_it_outside() {
        for (hydrogen, oxygen) in [(0.7, 0.2), (0.039, 0.2), (0.5, 0.045), (0.96, 0.04)] {
            let place = at(hydrogen, oxygen);
            let after = 1.0 + place.nitrogen_to_add;
            assert_eq!(at(hydrogen / after, oxygen / after).standing, Standing::Outside, "{hydrogen} {oxygen}");
            // And not much less would do.
            let less = 1.0 + place.nitrogen_to_add * 0.99;
            assert_ne!(at(hydrogen / less, oxygen / less).standing, Standing::Outside, "{hydrogen} {oxygen}");
        }
        assert!(Mix { hydrogen: 0.5, oxygen: 0.6, carbon_dioxide: 0.0, nitrogen: 0.0 }.place().is_err());
    }
}
