//! Two compartments: what a cell of a large vessel goes through, and the small set-up that repeats it.
//!
//! A stirred, aerated part (with the share `well_mixed` of the broth) exchanges broth with the rest, which gets no
//! oxygen: the flow between them is one broth a circulation time. This is the regime analysis of N. M. G. Oosterhuis and
//! N. W. F. Kossen (Biotechnol. Bioeng. 26 (1984) 546), as plain formulas.

use super::correlation::not_positive;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// What a cell goes through.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Regime {
    /// Circulation time, s.
    pub circulation_s: f64,
    /// Stay in the part without oxygen supply, s: also that of a plug-flow loop that repeats it.
    pub stay_s: f64,
    /// Time until the oxygen of the aerated part is used up, s.
    pub depletion_s: f64,
    /// Dissolved oxygen at the end of the stay, mol/m³: zero when it runs out.
    pub oxygen_end_mol_per_m3: f64,
    /// Share of time without oxygen.
    pub anoxic_share: f64,
}

/// The regime of a vessel: circulation time in s, uptake in mol/(m³·s), oxygen of the aerated part in mol/m³, and the
/// share of the broth that is well mixed and aerated.
///
/// # Errors
/// A number that is not positive and finite, or a share outside 0 to 1.
pub fn regime(circulation_s: f64, uptake_mol_per_m3_s: f64, oxygen_mol_per_m3: f64, well_mixed: f64) -> Result<Regime> {
    for (field, label, value) in [
        ("circulation_s", ["循環時間", "circulation time"], circulation_s),
        ("uptake_mol_per_m3_s", ["酸素消費速度", "oxygen uptake rate"], uptake_mol_per_m3_s),
        ("oxygen_mol_per_m3", ["溶存酸素", "dissolved oxygen"], oxygen_mol_per_m3),
    ] {
        if !value.is_finite() || value <= 0.0 {
            return Err(not_positive(field, label, value));
        }
    }
    if !(0.0..=1.0).contains(&well_mixed) {
        return Err(Error::input(
            "E-SCALE-008",
            format!("完全混合部の割合は 0〜1 です: {well_mixed}"),
            format!("the well-mixed share is 0 to 1, not {well_mixed}"),
        )
        .at(Place::field("well_mixed"))
        .hint("例: 0.7", "for example 0.7"));
    }
    // The flow is V/tc, so the rest of the broth is renewed in (1 − share)·tc.
    let stay_s = (1.0 - well_mixed) * circulation_s;
    let depletion_s = oxygen_mol_per_m3 / uptake_mol_per_m3_s;
    Ok(Regime {
        circulation_s,
        stay_s,
        depletion_s,
        oxygen_end_mol_per_m3: (oxygen_mol_per_m3 - uptake_mol_per_m3_s * stay_s).max(0.0),
        anoxic_share: (stay_s - depletion_s).max(0.0) / circulation_s,
    })
}
