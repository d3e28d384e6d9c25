//! The metabolism as a source of rates for a vessel that somebody else integrates.

use super::Vessel;
use super::regime::{BEYOND, Metabolism, Regime};
use crate::network::Network;
use toji_core::{Error, Kinetics, Law, Margin, Place, Result};

/// A metabolism that is asked by its greatest uptakes. Those of pools, then of gases, in the order of the vessel; what the
/// vessel says of uptake, transfer and amounts at the start is not used. As in [`super::batch`], the uptake of a pool takes
/// the place of the network's bound, that of a gas never goes beyond it.
#[derive(Debug, Clone)]
pub struct Limited<'a> {
    metabolism: Metabolism<'a>,
    /// Reactions whose flux is given, growth first.
    given: Vec<usize>,
    /// The network's bound of each limited reaction where it may not be passed.
    own: Vec<f64>,
}

impl<'a> Limited<'a> {
    /// A source of growth and the fluxes of these reactions.
    ///
    /// # Errors
    /// `E-FLUX-031` for a vessel that does not fit the network or a reaction that is not there.
    pub fn new(network: &Network, vessel: &'a Vessel, reactions: &[usize]) -> Result<Self> {
        if let Some(at) = reactions.iter().position(|j| *j >= network.reactions()) {
            return Err(super::wrong(
                format!("reactions[{at}]"),
                "その番号の反応はありません",
                "there is no reaction of this number",
            ));
        }
        let pools = vessel.pools.iter().map(|_| f64::NEG_INFINITY);
        let metabolism = Metabolism::new(network, vessel)?;
        let own = pools.chain(vessel.gases.iter().map(|g| network.lower[g.exchange])).collect();
        Ok(Self { metabolism, given: std::iter::once(vessel.growth).chain(reactions.iter().copied()).collect(), own })
    }

    /// Linear programmes solved so far.
    #[must_use]
    pub fn programmes(&self) -> usize {
        self.metabolism.programmes
    }

    fn describe(&self, regime: &Regime, limits: &[f64], moves: &[bool]) -> Law {
        let n = limits.len();
        // A bound falls as its limit grows, where the limit is what sets it.
        let slopes = |j: usize| {
            let mut by = vec![0.0; n];
            for (k, change) in &regime.active {
                if moves[*k] {
                    by[*k] -= change[j];
                }
            }
            by
        };
        let mut region = Vec::new();
        let mut hold = |value: f64, by: Vec<f64>| {
            if value.is_finite() && by.iter().any(|s| *s != 0.0) {
                region.push(Margin { value, slopes: by });
            }
        };
        for &(j, moving) in &regime.watched {
            let value = regime.fluxes[j];
            let by = slopes(j);
            let (lower, upper) = (moving.map_or(self.metabolism.lower[j], |k| regime.at[k]), self.metabolism.upper[j]);
            let mut above = by.clone();
            if let Some(k) = moving.filter(|k| moves[*k]) {
                above[k] += 1.0;
            }
            hold(value - lower + BEYOND * (1.0 + lower.abs()), above);
            hold(upper - value + BEYOND * (1.0 + upper.abs()), by.iter().map(|s| 0.0 - s).collect());
        }
        for (k, own) in self.own.iter().enumerate().filter(|(_, own)| own.is_finite()) {
            // On which side of the network's own bound the limit is.
            let cap = 0.0 - own;
            let mut by = vec![0.0; n];
            by[k] = if moves[k] { -1.0 } else { 1.0 };
            hold(by[k] * (limits[k] - cap) + BEYOND * (1.0 + cap.abs()), by);
        }
        Law {
            at: limits.to_vec(),
            rates: self.given.iter().map(|&j| regime.fluxes[j]).collect(),
            slopes: self.given.iter().map(|&j| slopes(j)).collect(),
            region,
            limiting: regime.active.iter().map(|a| a.0).filter(|k| moves[*k]).collect(),
        }
    }
}

impl Kinetics for Limited<'_> {
    fn limits(&self) -> usize {
        self.own.len()
    }

    fn rates(&self) -> usize {
        self.given.len()
    }

    fn growth(&self) -> usize {
        0
    }

    fn law(&mut self, limits: &[f64]) -> Result<Option<Law>> {
        if limits.len() != self.own.len() || limits.iter().any(|l| !l.is_finite()) {
            return Err(Error::input(
                "E-FLUX-031",
                format!("取込みの上限は有限の数 {} 個です", self.own.len()),
                format!("the greatest uptakes are {} finite numbers", self.own.len()),
            )
            .at(Place::field("limits"))
            .hint("槽の式が数になるかを見てください", "see whether the expressions of the vessel give numbers"));
        }
        let limits: Vec<f64> = limits.iter().map(|l| l.max(0.0)).collect();
        let moves: Vec<bool> = limits.iter().zip(&self.own).map(|(l, own)| 0.0 - l > *own).collect();
        let bounds: Vec<f64> = limits.iter().zip(&self.own).map(|(l, own)| own.max(0.0 - l)).collect();
        let regime = self.metabolism.regime(&bounds)?;
        Ok(regime.map(|regime| self.describe(&regime, &limits, &moves)))
    }
}
