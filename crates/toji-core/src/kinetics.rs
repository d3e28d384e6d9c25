//! Rates of cells that come from elsewhere than the model that integrates them.
//!
//! A vessel knows what reaches the cells; a metabolism knows what they make of it. The two meet in the greatest specific
//! uptakes that the vessel allows (*limits*) and the specific rates that follow. A metabolism at an optimum is affine in the
//! limits as long as the same constraints bind, so it answers with a [`Law`]: the rates, their slopes by the limits, and
//! the region in which both hold. Whoever integrates asks anew when the region is left. The trait stands here because
//! engines do not know each other.

use crate::Result;

/// An affine quantity that is not negative inside the region of a law.
#[derive(Debug, Clone, PartialEq)]
pub struct Margin {
    /// Value where the law was asked for.
    pub value: f64,
    /// Slope by each limit.
    pub slopes: Vec<f64>,
}

/// Specific rates as an affine function of the limits, and how far it reaches.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    /// Limits at which it was asked for, mmol/(g·h).
    pub at: Vec<f64>,
    /// Rates there: mmol/(g·h), growth in 1/h.
    pub rates: Vec<f64>,
    /// Slopes of each rate by each limit.
    pub slopes: Vec<Vec<f64>>,
    /// The law holds where none of these is negative.
    pub region: Vec<Margin>,
    /// Limits that bind, by their place.
    pub limiting: Vec<usize>,
}

impl Law {
    fn moved(&self, value: f64, slopes: &[f64], limits: &[f64]) -> f64 {
        slopes.iter().zip(limits.iter().zip(&self.at)).fold(value, |v, (slope, (now, then))| v + slope * (now - then))
    }

    /// A rate at these limits.
    #[must_use]
    pub fn rate(&self, which: usize, limits: &[f64]) -> f64 {
        self.moved(self.rates[which], &self.slopes[which], limits)
    }

    /// Whether the law holds at these limits. Limits that are no numbers are outside.
    #[must_use]
    pub fn holds(&self, limits: &[f64]) -> bool {
        limits.iter().all(|l| l.is_finite()) && self.region.iter().all(|m| self.moved(m.value, &m.slopes, limits) >= 0.0)
    }
}

/// A source of specific rates.
pub trait Kinetics {
    /// How many limits it asks for.
    fn limits(&self) -> usize;

    /// How many rates it gives.
    fn rates(&self) -> usize;

    /// Place of growth among the rates.
    fn growth(&self) -> usize;

    /// The law at these limits (greatest specific uptakes, mmol/(g·h), not negative); `None` where the cells cannot live.
    ///
    /// # Errors
    /// Those of the source: a law that cannot be found is an error, never a guess.
    fn law(&mut self, limits: &[f64]) -> Result<Option<Law>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_is_affine_and_ends_where_a_margin_does() {
        let law = Law {
            at: vec![2.0, 1.0],
            rates: vec![0.5],
            slopes: vec![vec![0.1, -0.2]],
            region: vec![Margin { value: 1.0, slopes: vec![-1.0, 0.0] }],
            limiting: vec![0],
        };
        assert!((law.rate(0, &[3.0, 2.0]) - 0.4).abs() < 1e-15);
        assert!(law.holds(&[3.0, 9.0]) && !law.holds(&[3.0 + 1e-9, 1.0]) && !law.holds(&[f64::NAN, 1.0]));
    }
}
