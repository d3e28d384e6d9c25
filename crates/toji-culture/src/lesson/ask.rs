//! From a limit that is shown to what is asked of the next strain.

use super::sign::Cause;
use crate::gas::Known;
use serde::{Deserialize, Serialize};

/// Half a 95 % interval in standard errors.
const HALF: f64 = 1.959_963_984_540_054;

/// Which way a limit points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "AskDirection")]
pub enum Direction {
    /// At most.
    AtMost,
    /// At least.
    AtLeast,
}

/// What both scales showed. What was not measured is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shown {
    /// Largest oxygen uptake of the larger scale while oxygen was short, mmol/(L·h): what it could transfer.
    pub uptake_large: Option<Known>,
    /// Largest oxygen uptake of the larger scale while it could not be cooled, mmol/(L·h).
    pub uptake_hot: Option<Known>,
    /// Largest biomass of the smaller scale, g/L dry mass: what is to be reached.
    pub biomass_small: Option<Known>,
    /// Highest pressure of carbon dioxide in the exit gas of the larger scale, bar.
    pub co2_large_bar: Option<f64>,
    /// By-product of the smaller scale, g/L.
    pub overflow_small: Option<Known>,
}

/// What is asked of the next strain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Ask {
    /// Why: what limited.
    pub cause: Cause,
    /// Code of the quantity.
    pub variable: String,
    /// Which way.
    pub direction: Direction,
    /// Limit.
    pub limit: f64,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Unit, UCUM.
    pub unit: String,
}

fn ratio(a: Known, b: Known) -> Known {
    crate::gas::propagate(&[a, b], |v| v[0] / v[1])
}

/// What is asked of the next strain when these limits are shown.
///
/// * Oxygen: the specific uptake at which the smaller scale's biomass just lives on what the larger scale transferred;
///   without a biomass in g/L the uptake of the broth itself.
/// * Heat: the same by the heat of that uptake, 460 kJ a mole.
/// * Carbon dioxide: to stand the pressure that the larger scale had.
/// * Mixing: the by-product no higher than on the smaller scale.
#[must_use]
pub fn asks(causes: &[Cause], shown: &Shown) -> Vec<Ask> {
    let made = |cause: Cause, variable: &str, direction: Direction, limit: Known, unit: &str| {
        let sure = limit.error > 0.0 && limit.error.is_finite();
        let end = |sign: f64| sure.then(|| (limit.value + sign * HALF * limit.error).max(0.0));
        let (low, high) = (end(-1.0), end(1.0));
        Ask { cause, variable: variable.to_owned(), direction, limit: limit.value, low, high, unit: unit.to_owned() }
    };
    let positive = |k: Option<Known>| k.filter(|k| k.value.is_finite() && k.value > 0.0);
    let biomass = positive(shown.biomass_small);
    let one = |cause: &Cause| -> Option<Ask> {
        let found = match cause {
            Cause::OxygenTransfer => {
                let uptake = positive(shown.uptake_large)?;
                match biomass {
                    Some(biomass) => {
                        made(*cause, "specific-oxygen-uptake", Direction::AtMost, ratio(uptake, biomass), "mmol/g/h")
                    }
                    None => made(*cause, "oxygen-uptake-max", Direction::AtMost, uptake, "mmol/L/h"),
                }
            }
            Cause::HeatRemoval => {
                let uptake = positive(shown.uptake_hot)?;
                // mmol/(L·h) to W/L.
                let heat = |k: Known| {
                    let factor = crate::scale::tank::HEAT_J_PER_MOL * 1e-3 / 3600.0;
                    Known::new(k.value * factor, k.error * factor)
                };
                match biomass {
                    Some(biomass) => made(*cause, "specific-heat", Direction::AtMost, ratio(heat(uptake), biomass), "W/g"),
                    None => made(*cause, "heat-output", Direction::AtMost, heat(uptake), "W/L"),
                }
            }
            Cause::CarbonDioxide => {
                let bar = shown.co2_large_bar.filter(|b| b.is_finite() && *b > 0.0)?;
                made(*cause, "co2-tolerance", Direction::AtLeast, Known::exact(bar), "bar")
            }
            Cause::Mixing => made(*cause, "overflow-max", Direction::AtMost, positive(shown.overflow_small)?, "g/L"),
        };
        Some(found)
    };
    causes.iter().filter_map(one).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_follows_from_what_was_shown() {
        let shown = Shown {
            uptake_large: Some(Known::new(120.0, 6.0)),
            uptake_hot: Some(Known::new(90.0, 0.0)),
            biomass_small: Some(Known::new(40.0, 2.0)),
            co2_large_bar: Some(0.14),
            overflow_small: Some(Known::new(0.5, 0.1)),
        };
        let all = asks(&Cause::ALL, &shown);
        assert_eq!(
            all.iter().map(|a| a.variable.as_str()).collect::<Vec<_>>(),
            ["specific-oxygen-uptake", "specific-heat", "co2-tolerance", "overflow-max"]
        );
        // 120/40 = 3 mmol/(g·h); relative 5 % and 5 %: 7.071 %, so ± 0.4158.
        assert!((all[0].limit - 3.0).abs() < 1e-12);
        assert!((all[0].high.unwrap() - 3.415_78).abs() < 1e-3 && (all[0].low.unwrap() - 2.584_22).abs() < 1e-3);
        // 90 mmol/(L·h) · 460 J/mmol / 3600 s = 11.5 W/L; over 40 g/L 0.2875 W/g.
        assert!((all[1].limit - 0.287_5).abs() < 1e-12);
        assert_eq!((all[2].direction, all[2].low), (Direction::AtLeast, None));
        assert!(all.iter().all(|a| toji_core::Unit::parse(&a.unit).is_ok()));
        // Without a biomass in g/L the broth itself is asked; without a measurement nothing is.
        let without = Shown { biomass_small: None, overflow_small: None, ..shown };
        let some = asks(&Cause::ALL, &without);
        assert_eq!(some.iter().map(|a| a.unit.as_str()).collect::<Vec<_>>(), ["mmol/L/h", "W/L", "bar"]);
        assert!(asks(&Cause::ALL, &Shown::default()).is_empty() && asks(&[], &shown).is_empty());
    }
}
