//! Gas asked for, and the transfer that brings it.

use super::flammable::{Mix, Place};
use super::net::Crossing;
use super::{above, value, wrong};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Quantity, Result};

/// L of an ideal gas per mol at 0 °C and 101 325 Pa.
const NORMAL_LITRES: f64 = 22.413_969_54;

/// A gas: its names, solubility at 25 °C in mmol/(L·Pa) and its slope in 1/T (R. Sander, Atmos. Chem. Phys. 23, 2023, 10901;
/// rows Fernández-Prini 2003 and Burkholder 2019), diffusivity in water in m²/s (after Cussler, Diffusion, 2009).
struct Gas {
    name: &'static str,
    solubility: f64,
    slope: f64,
    diffusivity: f64,
}

const GASES: [Gas; 3] = [
    Gas { name: "h2", solubility: 7.8e-6, slope: 530.0, diffusivity: 4.50e-9 },
    Gas { name: "o2", solubility: 1.3e-5, slope: 1500.0, diffusivity: 2.10e-9 },
    Gas { name: "co2", solubility: 3.4e-4, slope: 2300.0, diffusivity: 1.92e-9 },
];

/// Gas into the vessel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GasInlet")]
pub struct Inlet {
    /// Flow of dry gas at 0 °C and 101 325 Pa over the volume of the liquid, e.g. 0.5 /min.
    ///
    /// 液量あたりの乾燥ガス流量（0 °C、101 325 Pa 換算、例: 0.5 /min）。
    pub flow: Quantity,
    /// Its composition.
    ///
    /// ガスの組成。
    pub mix: Mix,
}

/// The vessel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GasVessel")]
pub struct Vessel {
    /// Dry cells, g/L.
    ///
    /// 乾燥菌体濃度（g/L）。
    pub biomass: Quantity,
    /// Temperature.
    ///
    /// 温度。
    pub temperature: Quantity,
    /// Absolute pressure.
    ///
    /// 絶対圧。
    pub pressure: Quantity,
    /// Share of saturation that the liquid keeps, 0 to below 1; 0 where not given: the least transfer that could do.
    ///
    /// 液中に残る飽和度の割合（0 以上 1 未満）。省略時は 0（必要な移動容量係数の下限）。
    #[serde(default)]
    pub dissolved: f64,
    /// Gas into it.
    ///
    /// 通気。
    pub inlet: Inlet,
}

/// Need of one gas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GasNeedOf")]
pub struct Need {
    /// `h2`, `o2` or `co2`.
    pub gas: String,
    /// Taken up (negative: given off), mmol/(g·h).
    pub rate: f64,
    /// mol per g of product (or of biomass).
    pub per_gram: f64,
    /// L at 0 °C and 101 325 Pa per g of product (or of biomass).
    pub litres_per_gram: f64,
    /// Share of all gas taken up.
    pub share: f64,
}

/// Need of gas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GasDemand")]
pub struct Demand {
    /// Hydrogen, oxygen, carbon dioxide.
    pub gases: Vec<Need>,
    /// mol of hydrogen and of carbon dioxide taken up per mol of oxygen; none without oxygen.
    pub per_oxygen: Option<(f64, f64)>,
    /// Where a gas of just this composition would stand; none where nothing is taken up.
    pub place: Option<Place>,
}

/// What the transfer of one gas takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GasNeedKla")]
pub struct GasNeed {
    /// Gas.
    pub gas: String,
    /// Taken up, mmol/(L·h).
    pub rate: f64,
    /// Saturation with the gas of the vessel, mmol/L.
    pub saturation: f64,
    /// kLa of this gas that is needed, 1/h; none where it is not taken up, or not there.
    pub kla: Option<f64>,
    /// The same as kLa of oxygen, by the root of the diffusivities (Higbie 1935), 1/h.
    pub kla_oxygen: Option<f64>,
}

/// Gas in the vessel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GasTransfer")]
pub struct Transfer {
    /// Each gas.
    pub gases: Vec<GasNeed>,
    /// kLa of oxygen that feeds the cells with all of them, 1/h; none where a gas that is needed is not there.
    pub kla_oxygen: Option<f64>,
    /// The gas that asks for it.
    pub limiting: Option<String>,
    /// Least flow that brings what is taken up, /min at 0 °C and 101 325 Pa; none where a gas that is needed is not fed.
    pub least_flow: Option<f64>,
    /// The gas fed.
    pub inlet: Place,
    /// The gas that leaves, dry, and that of the vessel where its gas is well mixed; none where the flow is below the least.
    pub outlet: Option<Place>,
    /// Heat to be taken away, W/L.
    pub heat: f64,
}

/// Need over `per_gram` (g of product or biomass per g and hour).
pub(super) fn demand(crossing: &Crossing, per_gram: f64) -> Result<Demand> {
    let rates = GASES.each_ref().map(|g| -crossing.rate(g.name));
    let all: f64 = rates.iter().map(|r| r.max(0.0)).sum();
    let need = |(gas, rate): (&Gas, f64)| Need {
        gas: gas.name.into(),
        rate,
        per_gram: rate / per_gram / 1000.0,
        litres_per_gram: rate / per_gram / 1000.0 * NORMAL_LITRES,
        share: if all > 0.0 { rate.max(0.0) / all } else { 0.0 },
    };
    let gases: Vec<Need> = GASES.iter().zip(rates).map(need).collect();
    let mix = Mix { hydrogen: gases[0].share, oxygen: gases[1].share, carbon_dioxide: gases[2].share, nitrogen: 0.0 };
    Ok(Demand {
        per_oxygen: (rates[1] > 0.0).then(|| (rates[0].max(0.0) / rates[1], rates[2].max(0.0) / rates[1])),
        place: if all > 0.0 { Some(mix.place()?) } else { None },
        gases,
    })
}

/// What the vessel must do.
pub(super) fn transfer(crossing: &Crossing, vessel: &Vessel, heat: f64) -> Result<Transfer> {
    let biomass = above(&vessel.biomass, "g/L", "vessel.biomass")?;
    let kelvin = above(&vessel.temperature, "K", "vessel.temperature")?;
    let pressure = above(&vessel.pressure, "Pa", "vessel.pressure")?;
    if !(273.15..=373.15).contains(&kelvin) {
        return Err(wrong("vessel.temperature", "0 から 100 °C までです", "it must be from 0 to 100 °C"));
    }
    if !(0.0..1.0).contains(&vessel.dissolved) {
        return Err(wrong("vessel.dissolved", "0 以上 1 未満でなければなりません", "it must be at least 0 and below 1"));
    }
    let flow = value(&vessel.inlet.flow, "/min", "vessel.inlet.flow")?;
    if flow <= 0.0 {
        return Err(wrong("vessel.inlet.flow", "0 より大きくなければなりません", "it must be above zero"));
    }
    vessel.inlet.mix.check("vessel.inlet.mix")?;
    let rates = GASES.each_ref().map(|g| -crossing.rate(g.name) * biomass);
    // mmol per L and hour in one per minute.
    let per_flow = 60.0 * 1000.0 / NORMAL_LITRES;
    let [h, o, c, n] = vessel.inlet.mix.shares();
    let fed = [h, o, c];
    let least = rates.iter().zip(fed).try_fold(0.0_f64, |least, (rate, y)| {
        let needed = if *rate <= 0.0 { 0.0 } else { rate / (y * per_flow) };
        needed.is_finite().then(|| least.max(needed))
    });
    let left: Vec<f64> = fed.iter().zip(rates).map(|(y, rate)| flow * per_flow * y - rate).collect();
    let all = left.iter().sum::<f64>() + flow * per_flow * n;
    let outlet = (left.iter().all(|l| *l >= 0.0) && all > 0.0).then(|| Mix {
        hydrogen: left[0] / all,
        oxygen: left[1] / all,
        carbon_dioxide: left[2] / all,
        nitrogen: flow * per_flow * n / all,
    });
    let shares = outlet.unwrap_or(vessel.inlet.mix).shares();
    let need = |((gas, rate), y): ((&Gas, f64), f64)| {
        let solubility = gas.solubility * (gas.slope * (1.0 / kelvin - 1.0 / 298.15)).exp();
        let saturation = solubility * pressure * y;
        let kla = (rate > 0.0 && saturation > 0.0).then(|| rate / (saturation * (1.0 - vessel.dissolved)));
        let kla_oxygen = kla.map(|k| k / (gas.diffusivity / GASES[1].diffusivity).sqrt());
        GasNeed { gas: gas.name.into(), rate, saturation, kla, kla_oxygen }
    };
    let gases: Vec<GasNeed> = GASES.iter().zip(rates).zip(shares).map(need).collect();
    let fulfilled = gases.iter().all(|g| g.rate <= 0.0 || g.kla.is_some());
    let most = gases.iter().filter_map(|g| Some((g.kla_oxygen?, g))).max_by(|a, b| a.0.total_cmp(&b.0));
    let (kla_oxygen, limiting) = match most {
        Some((kla, gas)) if fulfilled => (Some(kla), Some(gas.gas.clone())),
        _ => (None, None),
    };
    Ok(Transfer {
        kla_oxygen,
        limiting,
        gases,
        least_flow: least,
        inlet: vessel.inlet.mix.place()?,
        outlet: outlet.map(|m| m.place()).transpose()?,
        heat: heat * biomass * 1000.0 / 3600.0,
    })
}
