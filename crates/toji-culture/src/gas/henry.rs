//! Solubility of gases in water.
//!
//! R. Sander, Compilation of Henry's law constants (version 5.0.0) for water as solvent, Atmos. Chem. Phys. 23 (2023)
//! 10901, doi:10.5194/acp-23-10901-2023. The compilation lists several sources a gas; the row taken is named. Values
//! have two digits there, so they are good to about 4 %. A broth dissolves less than water: salts and sugars salt out.

use serde::{Deserialize, Serialize};

/// A gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gas {
    /// H2.
    ///
    /// 水素。
    Hydrogen,
    /// O2.
    ///
    /// 酸素。
    Oxygen,
    /// CO2.
    ///
    /// 二酸化炭素。
    CarbonDioxide,
    /// N2.
    ///
    /// 窒素。
    Nitrogen,
}

/// Solubility of a gas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Henry {
    /// Gas.
    pub gas: Gas,
    /// At 298.15 K, mol/(m³·Pa).
    pub at_25: f64,
    /// d ln H / d(1/T), K.
    pub slope_k: f64,
    /// The row of the compilation.
    pub row: &'static str,
    /// Diffusivity in water at 25 °C, m²/s: as ascribed to E. L. Cussler, Diffusion, 3rd ed., Cambridge 2009, table
    /// 5.2-1 (not seen; 4.5e-9 for hydrogen is told elsewhere too). The CRC handbook's table has 5.11, 2.42, 1.91 and 2.0
    /// (e-9) for hydrogen, oxygen, carbon dioxide and nitrogen, and warns of large differences between authors.
    pub diffusivity_m2_per_s: f64,
}

/// The gases.
pub const GASES: [Henry; 4] = [
    Henry {
        gas: Gas::Hydrogen,
        at_25: 7.8e-6,
        slope_k: 530.0,
        row: "Fernández-Prini et al. (2003)",
        diffusivity_m2_per_s: 4.50e-9,
    },
    Henry { gas: Gas::Oxygen, at_25: 1.3e-5, slope_k: 1500.0, row: "Burkholder et al. (2019)", diffusivity_m2_per_s: 2.10e-9 },
    Henry {
        gas: Gas::CarbonDioxide,
        at_25: 3.4e-4,
        slope_k: 2300.0,
        row: "Burkholder et al. (2019)",
        diffusivity_m2_per_s: 1.92e-9,
    },
    Henry { gas: Gas::Nitrogen, at_25: 6.4e-6, slope_k: 1300.0, row: "Burkholder et al. (2019)", diffusivity_m2_per_s: 1.88e-9 },
];

/// The row of a gas.
#[must_use]
pub fn henry(gas: Gas) -> &'static Henry {
    match gas {
        Gas::Hydrogen => &GASES[0],
        Gas::Oxygen => &GASES[1],
        Gas::CarbonDioxide => &GASES[2],
        Gas::Nitrogen => &GASES[3],
    }
}

/// Solubility at a temperature in kelvin, mol/(m³·Pa).
#[must_use]
pub fn solubility(gas: Gas, kelvin: f64) -> f64 {
    let row = henry(gas);
    row.at_25 * (row.slope_k * (1.0 / kelvin - 1.0 / 298.15)).exp()
}

/// kLa of a gas from that of oxygen by penetration theory, `(D/D_O2)^½` (R. Higbie, Trans. AIChE 31 (1935) 365). With
/// the diffusivities here the ratios are 1.46 for hydrogen, 0.96 for carbon dioxide and 0.95 for nitrogen; with those of
/// the CRC handbook 1.45, 0.89 and 0.91.
#[must_use]
pub fn kla_from_oxygen(gas: Gas, kla_oxygen: f64) -> f64 {
    kla_oxygen * (henry(gas).diffusivity_m2_per_s / henry(Gas::Oxygen).diffusivity_m2_per_s).sqrt()
}
