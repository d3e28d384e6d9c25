//! Dynamic flux balance analysis of a batch: a metabolism in a stirred vessel, followed over time.
//!
//! At every moment the fluxes are the lexicographic optimum under the uptake that the medium allows then (Mahadevan, Edwards
//! and Doyle, Biophys. J. 83, 2002, 1331–1340, direct approach; goals in order as in Höffner, Harwood and Barton, Biotechnol.
//! Bioeng. 110, 2013, 792–802). The programme is not solved at every step: while its basis stays feasible it stays optimal,
//! and the fluxes are an affine function of the uptake bounds. Only when a basic flux reaches a bound is the programme
//! solved anew, at the moment of that event.
//!
//! Units: concentrations of pools in mmol/L, biomass in g/L (dry), time in h, fluxes in mmol/(g·h), growth in 1/h.

mod batch;
mod law;
mod off_gas;
mod regime;
mod step;

pub use batch::{Course, End, Phase, batch};
pub use law::Limited;
pub use off_gas::{Aeration, OffGas, off_gas};
pub use regime::{Metabolism, Rates};

use crate::network::{Network, Sense};
use toji_core::{Error, Place, Result};

/// How fast a pool is taken up at most.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Uptake {
    /// Not at all; the pool is only made.
    None,
    /// Up to `greatest · c / (half + c)`.
    Saturating {
        /// Greatest uptake, mmol/(g·h), not negative.
        greatest: f64,
        /// Concentration of half of it, mmol/L, above zero.
        half: f64,
    },
}

/// A dissolved compound that the cells change.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Pool {
    /// Its exchange reaction, negative flux: uptake. Its lower bound in the network is replaced by the uptake.
    pub exchange: usize,
    /// Concentration at the start, mmol/L.
    pub start: f64,
    /// How it is taken up.
    pub uptake: Uptake,
}

/// A gas that reaches the cells no faster than the vessel transfers it. What is dissolved is neglected: uptake is at most the
/// transfer into liquid without any, `kla · saturation / biomass`, and never beyond the network's own bound.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Gas {
    /// Its exchange reaction, negative flux: uptake.
    pub exchange: usize,
    /// Volumetric transfer coefficient, 1/h.
    pub kla: f64,
    /// Concentration in equilibrium with the gas, mmol/L.
    pub saturation: f64,
}

/// What is in the vessel and what the cells strive for.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Vessel {
    /// Growth reaction; its flux is the growth rate in 1/h.
    pub growth: usize,
    /// Biomass at the start, g/L, above zero.
    pub biomass: f64,
    /// Dissolved compounds.
    pub pools: Vec<Pool>,
    /// Gases with limited transfer.
    #[serde(default)]
    pub gases: Vec<Gas>,
    /// Goals in order: each is reached among the optima of those before it. As a rule growth first.
    pub goals: Vec<(usize, Sense)>,
    /// Further reactions whose amounts are summed over time (mmol/L).
    #[serde(default)]
    pub tracked: Vec<usize>,
}

fn wrong(field: String, ja: &str, en: &str) -> Error {
    Error::input("E-FLUX-031", format!("{field}:{ja}"), format!("{field}: {en}")).at(Place::field(field)).hint(
        "反応の番号はモデルの範囲に、量は有限で 0 以上(菌体量と半飽和濃度は正)にしてください",
        "use reactions of the model, and finite amounts of at least zero (biomass and half saturation above zero)",
    )
}

impl Vessel {
    /// Checks that reactions exist, are named once, and quantities make sense.
    ///
    /// # Errors
    /// `E-FLUX-031`, naming the field.
    pub fn check(&self, network: &Network) -> Result<()> {
        let n = network.reactions();
        let amount = |v: f64| v.is_finite() && v >= 0.0;
        let unknown = |field: String| wrong(field, "その番号の反応はありません", "there is no reaction of this number");
        if self.growth >= n {
            return Err(unknown("growth".into()));
        }
        if !(amount(self.biomass) && self.biomass > 0.0) {
            return Err(wrong("biomass".into(), "正の数ではありません", "it is not above zero"));
        }
        let mut seen = std::collections::BTreeSet::new();
        let pools = self.pools.iter().enumerate().map(|(at, p)| {
            let fine = match p.uptake {
                Uptake::None => true,
                Uptake::Saturating { greatest, half } => amount(greatest) && amount(half) && half > 0.0,
            };
            (format!("pools[{at}]"), p.exchange, fine && amount(p.start))
        });
        let gases = self
            .gases
            .iter()
            .enumerate()
            .map(|(at, g)| (format!("gases[{at}]"), g.exchange, amount(g.kla) && amount(g.saturation)));
        for (field, exchange, fine) in pools.chain(gases) {
            if exchange >= n {
                return Err(unknown(field));
            }
            if !fine {
                return Err(wrong(field, "量が範囲の外です", "a quantity is out of range"));
            }
            if !seen.insert(exchange) {
                return Err(wrong(field, "同じ交換反応が二度あります", "its exchange reaction is named twice"));
            }
        }
        if self.goals.is_empty() {
            return Err(wrong("goals".into(), "目標がありません", "there is no goal"));
        }
        if let Some(at) = self.goals.iter().position(|g| g.0 >= n) {
            return Err(unknown(format!("goals[{at}]")));
        }
        match self.tracked.iter().position(|&j| j >= n) {
            Some(at) => Err(unknown(format!("tracked[{at}]"))),
            None => Ok(()),
        }
    }

    /// Reactions with a lower bound that the vessel sets: pools, then gases.
    fn driven(&self) -> impl Iterator<Item = usize> + '_ {
        self.pools.iter().map(|p| p.exchange).chain(self.gases.iter().map(|g| g.exchange))
    }

    /// Their lower bounds at a state; `own` are the network's.
    fn lower_bounds(&self, own: &[f64], biomass: f64, pools: &[f64], into: &mut Vec<f64>) {
        into.clear();
        into.extend(self.pools.iter().zip(pools).map(|(pool, &c)| match pool.uptake {
            Uptake::None => 0.0,
            Uptake::Saturating { greatest, half } => 0.0 - greatest * c.max(0.0) / (half + c.max(0.0)),
        }));
        into.extend(self.gases.iter().map(|gas| {
            let transfer = gas.kla * gas.saturation / biomass.max(f64::MIN_POSITIVE);
            own[gas.exchange].max(0.0 - transfer)
        }));
    }
}
