//! The gas that leaves while a batch runs, and where it stands between the limits of flammability.

use super::regime::Metabolism;
use super::{Course, Vessel};
use crate::gas::{Mix, Place as GasPlace};
use crate::network::Network;
use toji_core::{Error, Place, Result};

/// mmol in a litre of an ideal gas at 0 °C and 101 325 Pa.
const PER_LITRE: f64 = 1000.0 / 22.413_969_54;

/// Gas through the vessel.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Aeration {
    /// Flow of dry gas at 0 °C and 101 325 Pa over the volume of the liquid, 1/min, above zero.
    pub flow: f64,
    /// Its composition.
    pub mix: Mix,
    /// Exchange reaction of hydrogen, negative flux: uptake.
    pub hydrogen: Option<usize>,
    /// Exchange reaction of oxygen.
    pub oxygen: Option<usize>,
    /// Exchange reaction of carbon dioxide.
    pub carbon_dioxide: Option<usize>,
}

/// The gas that leaves at one time.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct OffGas {
    /// Time, h.
    pub time: f64,
    /// Uptake of hydrogen, oxygen and carbon dioxide, mmol/(L·h); negative: given off.
    pub uptake: [f64; 3],
    /// What leaves, dry, and its place.
    pub place: GasPlace,
}

fn refused(field: &str, ja: &str, en: &str, cure: (&str, &str)) -> Error {
    Error::input("E-FLUX-119", format!("{field}:{ja}"), format!("{field}: {en}")).at(Place::field(field)).hint(cure.0, cure.1)
}

/// The gas that leaves at each time of a course, its exchange with the cells being what the optimum of that state says. Where
/// the cells starve nothing is exchanged.
///
/// # Errors
/// `E-FLUX-119` for an aeration that cannot be, or one that does not bring what is taken up (with the least flow);
/// `E-FLUX-110` for shares that cannot be; those of [`Metabolism::rates`].
pub fn off_gas(network: &Network, vessel: &Vessel, course: &Course, aeration: &Aeration) -> Result<Vec<OffGas>> {
    let exchanges = [aeration.hydrogen, aeration.oxygen, aeration.carbon_dioxide];
    if exchanges.iter().flatten().any(|j| *j >= network.reactions()) {
        let cure = ("モデルの反応の番号にしてください", "use reactions of the model");
        return Err(refused("aeration", "その番号の反応はありません", "there is no reaction of this number", cure));
    }
    if !(aeration.flow.is_finite() && aeration.flow > 0.0) {
        let cure = ("0 より大きい流量にしてください", "give a flow above zero");
        return Err(refused("aeration.flow", "正の数ではありません", "it is not above zero", cure));
    }
    aeration.mix.check("aeration.mix")?;
    let Mix { hydrogen, oxygen, carbon_dioxide, nitrogen } = aeration.mix;
    let fed = aeration.flow * 60.0 * PER_LITRE;
    let mut metabolism = Metabolism::new(network, vessel)?;
    let mut found = Vec::with_capacity(course.times.len());
    for (k, (&time, &biomass)) in course.times.iter().zip(&course.biomass).enumerate() {
        let pools: Vec<f64> = course.pools.iter().map(|p| p[k]).collect();
        let rates = metabolism.rates(biomass, &pools)?;
        let flux = |j: Option<usize>| j.zip(rates.as_ref()).map_or(0.0, |(j, r)| r.fluxes[j]);
        let uptake = exchanges.map(|j| -flux(j) * biomass);
        let mut left = [hydrogen, oxygen, carbon_dioxide];
        left.iter_mut().zip(uptake).for_each(|(y, u)| *y = *y * fed - u);
        // What is below nothing by rounding is nothing.
        left.iter_mut().filter(|l| l.abs() < 1e-9 * fed).for_each(|l| *l = 0.0);
        let all = left.iter().sum::<f64>() + nitrogen * fed;
        if left.iter().any(|l| *l < 0.0) || all <= 0.0 {
            let cure =
                ("通気量を増やすか、kLa を下げるか、組成を変えてください", "feed more gas, lower the kLa, or change the mix");
            return Err(refused("aeration.flow", "取り込まれるガスをまかなえません", "it does not bring what is taken up", cure));
        }
        let [h, o, c] = left.map(|l| l / all);
        let mix = Mix { hydrogen: h, oxygen: o, carbon_dioxide: c, nitrogen: nitrogen * fed / all };
        found.push(OffGas { time, uptake, place: mix.place()? });
    }
    Ok(found)
}
