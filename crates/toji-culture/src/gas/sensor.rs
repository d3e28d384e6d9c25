//! Readings of gas sensors and flow meters brought to one state: dry gas, mol/mol and mol/h.

use super::{Known, propagate};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// Gas constant, J/(mol·K) (CODATA 2018).
const GAS_CONSTANT: f64 = 8.314_462_618;

/// Pressure of water vapour over water, Pa: Magnus form of O. A. Alduchov and R. E. Eskridge, J. Appl. Meteorol. 35
/// (1996) 601, within 0.4 % from −40 to 50 °C. Above, it reads high: against IAPWS-IF97 by 0.8 % at 70 °C, 2.6 % at
/// 100 °C.
#[must_use]
pub fn saturation_pa(temperature_c: f64) -> f64 {
    610.94 * (17.625 * temperature_c / (temperature_c + 243.04)).exp()
}

/// Water in a gas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "sort", rename_all = "kebab-case")]
pub enum Humidity {
    /// Dried before the sensor, or a reading the sensor itself gives as dry.
    ///
    /// 測定前に乾燥したガス、または乾燥ガスとして表示される値。
    Dry,
    /// With vapour: relative humidity (0 to 1) at a temperature. A gas saturated by a condenser has 1 at the condenser's.
    ///
    /// 水蒸気を含むガス。ある温度での相対湿度（0〜1）。凝縮器で飽和したガスは、その温度で 1。
    Wet {
        /// Relative humidity, 0 to 1.
        ///
        /// 相対湿度、0〜1。
        relative: f64,
        /// Temperature it is relative to, °C.
        ///
        /// その温度、°C。
        temperature_c: f64,
    },
}

impl Humidity {
    fn vapour_pa(self) -> f64 {
        match self {
            Self::Dry => 0.0,
            Self::Wet { relative, temperature_c } => relative * saturation_pa(temperature_c),
        }
    }
    fn sound(self) -> bool {
        match self {
            Self::Dry => true,
            Self::Wet { relative, temperature_c } => (0.0..=1.0).contains(&relative) && (-40.0..=100.0).contains(&temperature_c),
        }
    }
}

/// What a gas sensor shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "sort", content = "reading", rename_all = "kebab-case")]
pub enum Shown {
    /// Share by volume of the gas as it is at the sensor, %.
    ///
    /// 測定点のガス中の体積百分率、%。
    VolumePercent(Known),
    /// Partial pressure, kPa.
    ///
    /// 分圧、kPa。
    PartialPressure(Known),
}

/// A reading with its state.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reading {
    /// What is shown.
    ///
    /// 表示値。
    pub shown: Shown,
    /// Pressure at the sensor, kPa absolute.
    ///
    /// 測定点の絶対圧、kPa。
    pub pressure_kpa: Known,
    /// Water at the sensor.
    ///
    /// 測定点の水分。
    pub humidity: Humidity,
}

fn unsound(field: &str, ja: String, en: String) -> Error {
    Error::input("E-GAS-002", ja, en).at(Place::field(field)).hint(
        "圧力は絶対圧 [kPa]、分率は vol% か分圧 [kPa]、湿度は 0〜1 で与えてください",
        "give absolute pressure in kPa, the share in vol% or kPa, and humidity as 0 to 1",
    )
}

/// The share of the gas, mol/mol of dry gas.
///
/// # Errors
/// A state that cannot be: no pressure, more vapour than pressure, or a share outside 0 to 1.
pub fn dry_fraction(of: &Reading) -> Result<Known> {
    let vapour = of.humidity.vapour_pa() * 1e-3;
    let pressure = of.pressure_kpa.value;
    if !pressure.is_finite() || pressure <= 0.0 || !of.humidity.sound() || vapour >= pressure {
        return Err(unsound(
            "pressure_kpa",
            format!("圧力 {pressure} kPa と水蒸気圧 {vapour:.3} kPa の組はありえません"),
            format!("a pressure of {pressure} kPa with {vapour:.3} kPa of water vapour cannot be"),
        ));
    }
    let found = match of.shown {
        Shown::VolumePercent(share) => propagate(&[share, of.pressure_kpa], |v| v[0] / 100.0 / (1.0 - vapour / v[1])),
        Shown::PartialPressure(part) => propagate(&[part, of.pressure_kpa], |v| v[0] / (v[1] - vapour)),
    };
    if !found.value.is_finite() || !found.error.is_finite() || !(0.0..=1.0 + 1e-9).contains(&found.value) {
        return Err(unsound(
            "shown",
            format!("乾燥ガス中の分率が {:.4} となり、0〜1 の外です", found.value),
            format!("the share of dry gas comes to {:.4}, outside 0 to 1", found.value),
        ));
    }
    Ok(found)
}

/// What a flow meter shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Flow {
    /// Flow, L/min at the reference state.
    ///
    /// 基準状態での流量、L/min。
    pub l_per_min: Known,
    /// Temperature a litre is counted at, °C.
    ///
    /// 基準温度、°C。
    pub reference_c: f64,
    /// Pressure a litre is counted at, kPa absolute.
    ///
    /// 基準圧力（絶対圧）、kPa。
    pub reference_kpa: f64,
    /// Water in what is counted.
    ///
    /// 計量されるガスの水分。
    pub humidity: Humidity,
}

/// The flow of dry gas, mol/h.
///
/// # Errors
/// A reference state that cannot be, or a flow that is not positive and finite.
pub fn dry_flow(of: &Flow) -> Result<Known> {
    let vapour = of.humidity.vapour_pa() * 1e-3;
    let sound = of.l_per_min.value.is_finite()
        && of.l_per_min.value > 0.0
        && (-50.0..=200.0).contains(&of.reference_c)
        && of.humidity.sound()
        && of.reference_kpa.is_finite()
        && of.reference_kpa > vapour;
    if !sound {
        return Err(unsound(
            "flow",
            "ガス流量またはその基準状態（温度・圧力・湿度）がありえません".into(),
            "the gas flow or its reference state (temperature, pressure, humidity) cannot be".into(),
        ));
    }
    // kPa·L = J.
    let moles = (of.reference_kpa - vapour) / (GAS_CONSTANT * (of.reference_c + 273.15)) * 60.0;
    Ok(Known { value: of.l_per_min.value * moles, error: of.l_per_min.error * moles })
}
