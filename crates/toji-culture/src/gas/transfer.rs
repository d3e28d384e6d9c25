//! Uptake as the lesser of what cells can take and what the gas gives: `min(kinetic, kLa·(c* − c))`.

use super::henry::{Gas, kla_from_oxygen, solubility};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// What one gas is offered and asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Offer {
    /// Gas.
    ///
    /// ガス。
    pub gas: Gas,
    /// What cells would take if nothing were short, mmol/(L·h).
    ///
    /// 不足がないときの菌体の取込み速度、mmol/(L·h)。
    pub kinetic_mmol_per_l_h: f64,
    /// Partial pressure in the gas, bar.
    ///
    /// 気相の分圧、bar。
    pub partial_bar: f64,
    /// Least dissolved concentration the cells need, mmol/L.
    ///
    /// 菌体に必要な最低溶存濃度、mmol/L。
    pub least_mmol_per_l: f64,
}

/// What one gas gives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Given {
    /// Gas.
    ///
    /// ガス。
    pub gas: Gas,
    /// Saturation, mmol/L.
    pub saturation_mmol_per_l: f64,
    /// Highest transfer, mmol/(L·h): never below zero.
    pub transfer_mmol_per_l_h: f64,
    /// Uptake, mmol/(L·h).
    pub uptake_mmol_per_l_h: f64,
}

/// Uptake of all gases together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Uptake {
    /// Each gas.
    pub gases: Vec<Given>,
    /// Share of the kinetic rate that is reached: gases are taken up in fixed proportion.
    pub share: f64,
    /// The gas whose transfer limits. `None`: the cells do.
    pub limited_by: Option<Gas>,
}

/// Uptake of gases in the proportion of their kinetic rates, limited by the one that is short.
///
/// # Errors
/// A number that is not finite or is negative, or a temperature outside 0 to 100 °C.
pub fn uptake(offers: &[Offer], kla_oxygen_per_h: f64, temperature_c: f64) -> Result<Uptake> {
    let sound = |v: f64| v.is_finite() && v >= 0.0;
    let bad = offers
        .iter()
        .find(|o| ![o.kinetic_mmol_per_l_h, o.partial_bar, o.least_mmol_per_l].into_iter().all(sound))
        .map(|o| format!("{:?}", o.gas));
    let wrong = bad.or_else(|| (!sound(kla_oxygen_per_h)).then(|| "kLa".to_owned()));
    let wrong = wrong.or_else(|| (!(0.0..=100.0).contains(&temperature_c)).then(|| "temperature_c".to_owned()));
    if let Some(field) = wrong {
        return Err(Error::input(
            "E-GAS-001",
            format!("{field} に負または有限でない数、あるいは 0〜100 °C 外の温度があります"),
            format!("{field} has a negative or infinite number, or the temperature is outside 0 to 100 °C"),
        )
        .at(Place::field(field))
        .hint("値と単位を確認してください", "check the values and their units"));
    }
    let kelvin = temperature_c + 273.15;
    let mut share = 1.0;
    let mut limited_by = None;
    let mut gases = Vec::with_capacity(offers.len());
    for offer in offers {
        // mol/(m³·Pa) · Pa = mol/m³ = mmol/L.
        let saturation = solubility(offer.gas, kelvin) * offer.partial_bar * 1e5;
        let transfer = (kla_from_oxygen(offer.gas, kla_oxygen_per_h) * (saturation - offer.least_mmol_per_l)).max(0.0);
        if offer.kinetic_mmol_per_l_h > 0.0 && transfer / offer.kinetic_mmol_per_l_h < share {
            share = transfer / offer.kinetic_mmol_per_l_h;
            limited_by = Some(offer.gas);
        }
        gases.push(Given {
            gas: offer.gas,
            saturation_mmol_per_l: saturation,
            transfer_mmol_per_l_h: transfer,
            uptake_mmol_per_l_h: offer.kinetic_mmol_per_l_h,
        });
    }
    for gas in &mut gases {
        gas.uptake_mmol_per_l_h *= share;
    }
    Ok(Uptake { gases, share, limited_by })
}
