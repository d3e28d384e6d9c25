//! What a vessel taught, as bounds of the next design: oxygen, heat, and what was measured at scale.

use super::plan::{DesignTask, Designs, design};
use super::verify::{OxygenSupply, Verified, verify};
use crate::model::Scenario;
use toji_core::{Error, Place, Result, Text};

/// Heat of aerobic metabolism for each oxygen, kJ/mmol (Cooney, Wang and Mateles, Biotechnol. Bioeng. 11, 1969, 269–281: 0.124
/// kcal/mmol).
pub const HEAT_PER_OXYGEN: f64 = 0.519;

fn heat_per_oxygen() -> f64 {
    HEAT_PER_OXYGEN
}

/// Heat that the vessel can remove.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeatRemoval {
    /// Exchange reaction of oxygen.
    ///
    /// 酸素の交換反応。
    pub exchange: String,
    /// Heat removed at most, kW/m³ (W/L).
    ///
    /// 最大の除熱量（kW/m³、W/L）。
    pub power: f64,
    /// Biomass at which it must suffice, g/L (dry).
    ///
    /// 除熱が足りるべき菌体濃度（乾燥、g/L）。
    pub biomass: f64,
    /// Heat for each oxygen, kJ/mmol; 0.519 where none is given.
    ///
    /// 酸素あたりの発熱（kJ/mmol）。省略時は 0.519。
    #[serde(default = "heat_per_oxygen")]
    pub per_oxygen: f64,
}

/// A rate that was measured at scale.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasuredRate {
    /// Exchange reaction.
    ///
    /// 交換反応。
    pub exchange: String,
    /// Rate, mmol/g/h, above zero.
    ///
    /// 速度（mmol/g/h、正の数）。
    pub rate: f64,
    /// Where it was measured: run and sample, or report.
    ///
    /// 測定の記録。
    #[serde(default)]
    pub source: String,
}

/// What was measured in a vessel.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VesselLimits {
    /// Oxygen that it can give.
    ///
    /// 供給できる酸素。
    pub oxygen: Option<OxygenSupply>,
    /// Heat that it can remove.
    ///
    /// 除去できる熱。
    pub heat: Option<HeatRemoval>,
    /// By-products that the cells gave off there: designs are held to give off as much at least.
    ///
    /// 実機で出た副産物。設計でも少なくともこれだけ出るとする。
    pub byproducts: Vec<MeasuredRate>,
    /// Uptakes that were not exceeded there.
    ///
    /// 実機で超えなかった取込み速度。
    pub uptakes: Vec<MeasuredRate>,
}

/// A bound that follows from a vessel.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct ScaleBound {
    /// Exchange reaction.
    pub exchange: String,
    /// Least flux, mmol/g/h.
    pub lower: f64,
    /// Greatest flux, mmol/g/h.
    pub upper: f64,
    /// Why, in words.
    pub because: Text,
}

/// The scenario within the limits of a vessel, and the bounds that say so. A bound never widens what the scenario allows.
///
/// # Errors
/// `E-FLUX-127` for a number that is not above zero, naming the field; `E-FLUX-128` when a measured by-product exceeds what the
/// scenario allows; `E-MODEL-010` for an exchange that does not exist.
pub fn within_vessel<'m>(scenario: &Scenario<'m>, limits: &VesselLimits) -> Result<(Scenario<'m>, Vec<ScaleBound>)> {
    let mut held = scenario.clone();
    let mut bounds: Vec<ScaleBound> = Vec::new();
    let mut set = |exchange: &str, low: f64, because: Text, field: &str| -> Result<()> {
        let (lower, upper) = held.bounds_set(held.reaction_named(exchange)?);
        let lower = lower.max(low);
        if lower > upper {
            return Err(Error::input(
                "E-FLUX-128",
                format!("{exchange} の測定値 {low} が上限 {upper} を超えます"),
                format!("what was measured of {exchange}, {low}, is above its upper bound {upper}"),
            )
            .at(Place::field(field))
            .hint("上限か測定値を見直してください", "look at the bound or at the measurement"));
        }
        held.set_bounds(exchange, lower, upper)?;
        bounds.push(ScaleBound { exchange: exchange.to_owned(), lower, upper, because });
        Ok(())
    };
    if let Some(o) = &limits.oxygen {
        positive("oxygen", &[o.kla, o.saturation, o.biomass])?;
        let limit = o.limit();
        let because = Text::new(
            format!("酸素移動 kLa {} 1/h × C* {} mmol/L ÷ 菌体 {} g/L", o.kla, o.saturation, o.biomass),
            format!("oxygen transfer: kLa {} 1/h × C* {} mmol/L over {} g/L of biomass", o.kla, o.saturation, o.biomass),
        );
        set(&o.exchange, -limit, because, "oxygen")?;
    }
    if let Some(h) = &limits.heat {
        positive("heat", &[h.power, h.biomass, h.per_oxygen])?;
        // kW/m³ = kJ/(s·m³) = 3.6 kJ/(h·L).
        let limit = 3.6 * h.power / h.per_oxygen / h.biomass;
        let because = Text::new(
            format!("除熱 {} kW/m³、酸素あたり {} kJ/mmol、菌体 {} g/L", h.power, h.per_oxygen, h.biomass),
            format!("heat removal {} kW/m³ at {} kJ/mmol of oxygen and {} g/L of biomass", h.power, h.per_oxygen, h.biomass),
        );
        set(&h.exchange, -limit, because, "heat")?;
    }
    for measured in &limits.byproducts {
        positive("byproducts", &[measured.rate])?;
        let because =
            Text::new(format!("実機での副産物:{}", measured.source), format!("by-product at scale: {}", measured.source));
        set(&measured.exchange, measured.rate, because, "byproducts")?;
    }
    for measured in &limits.uptakes {
        positive("uptakes", &[measured.rate])?;
        let because = Text::new(format!("実機での取込み:{}", measured.source), format!("uptake at scale: {}", measured.source));
        set(&measured.exchange, -measured.rate, because, "uptakes")?;
    }
    Ok((held, bounds))
}

fn positive(field: &str, values: &[f64]) -> Result<()> {
    if values.iter().all(|v| v.is_finite() && *v > 0.0) {
        return Ok(());
    }
    Err(Error::input("E-FLUX-127", format!("{field}:正の数ではありません"), format!("{field}: a number is not above zero"))
        .at(Place::field(field))
        .hint("0 より大きい数にしてください", "give numbers above zero"))
}

/// Designs before and after what a vessel taught.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Redesign {
    /// The bounds that follow from the vessel.
    pub bounds: Vec<ScaleBound>,
    /// Designs without them.
    pub before: Designs,
    /// The same designs, in their order, within them.
    pub before_at_scale: Vec<Verified>,
    /// Designs found within them.
    pub after: Designs,
}

/// Searches for designs as if there were no vessel, judges them within its limits, and searches anew within its limits.
///
/// # Errors
/// Those of [`within_vessel`] and [`design`].
pub fn redesign(scenario: &Scenario<'_>, limits: &VesselLimits, task: &DesignTask) -> Result<Redesign> {
    let (held, bounds) = within_vessel(scenario, limits)?;
    let before = design(scenario, task)?;
    let before_at_scale =
        before.designs.iter().map(|d| verify(&held, &d.strain, &task.verify)).collect::<Result<Vec<Verified>>>()?;
    let after = design(&held, task)?;
    Ok(Redesign { bounds, before, before_at_scale, after })
}
