//! One optimum in the middle of all of them.

use super::fba::{PRICED, fba_of};
use super::fva::column_ranges;
use super::lexicographic::restricted;
use super::moma::linear_moma;
use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem};
use crate::network::Network;
use toji_core::error::Category;
use toji_core::{Error, Place, Result};

/// Ranges narrower than this, relative to one plus the flux, are a point.
const NARROW: f64 = 1e-7;
/// Most rounds.
const ROUNDS: usize = 200;

/// The middle of the optima.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Geometric {
    /// Value of the network's objective at these fluxes.
    pub objective: f64,
    /// Sum of the absolute fluxes.
    pub total: f64,
    /// The fluxes.
    pub fluxes: Vec<f64>,
    /// Rounds it took.
    pub rounds: usize,
    /// Widest range that was left when it ended.
    pub width: f64,
}

/// Geometric flux balance analysis (Smallbone and Simeonidis, J. Theor. Biol. 258, 2009, 311–315): of the optima, those
/// nearest to the middle of their ranges, of these those nearest to the middle of theirs, until one is left. As published the
/// first middle is zero: the optima of least total flux. A set of nearest points is kept through its reduced costs, which
/// turn into bounds, not through a tolerance. An infeasible or unbounded network is answered as [`super::fba`] answers it.
///
/// # Errors
/// `E-FLUX-087` when a flux of an optimum has no limit, or the ranges do not close; otherwise as for [`super::fba`].
pub fn geometric(network: &Network) -> Result<Result<Geometric, Outcome>> {
    let best = match fba_of(network, true)? {
        Outcome::Optimal(best) => best,
        other => return Ok(Err(other)),
    };
    let mut left = restricted(network, &best, 1.0);
    let n = network.reactions();
    let mut centre = vec![0.0; n];
    for rounds in 1..=ROUNDS {
        let near = match linear_moma(&left, &centre)? {
            Ok(near) => near,
            Err(other) => return Ok(Err(other)),
        };
        narrow(&mut left, &centre, &near.optimum.reduced_costs);
        let small = Compressed::new(&Problem::from(&left));
        let ranges = match column_ranges(&small.problem, 1)? {
            Ok(ranges) => ranges,
            Err(other) => return Ok(Err(other)),
        };
        let mut width = 0.0_f64;
        for (j, image) in small.images.iter().enumerate() {
            let (low, high) = match *image {
                Image::Zero => (0.0, 0.0),
                Image::Multiple { column, factor } => (factor * ranges.low[column], factor * ranges.high[column]),
            };
            if !low.is_finite() || !high.is_finite() {
                return Err(open(j));
            }
            centre[j] = 0.5 * (low + high);
            width = width.max((high - low).abs() / (1.0 + centre[j].abs()));
        }
        if width <= NARROW {
            let fluxes = near.fluxes;
            let objective = fluxes.iter().zip(&network.objective).map(|(v, c)| v * c).sum();
            let total = fluxes.iter().map(|v| v.abs()).sum();
            return Ok(Ok(Geometric { objective, total, fluxes, rounds, width }));
        }
    }
    Err(open(0))
}

/// Keeps the nearest points: what a reduced cost holds, of the rise above the middle or of the fall below it, becomes a bound.
fn narrow(left: &mut Network, centre: &[f64], reduced: &[f64]) {
    let n = centre.len();
    for j in 0..n {
        let (low, high) = (left.lower[j] - centre[j], left.upper[j] - centre[j]);
        if low > high {
            continue;
        }
        let mut rise = (low.max(0.0), high.max(0.0));
        let mut fall = ((0.0 - high).max(0.0), (0.0 - low).max(0.0));
        for (part, d) in [(&mut rise, reduced[j]), (&mut fall, reduced[n + j])] {
            if d > PRICED {
                part.1 = part.0;
            } else if d < -PRICED {
                part.0 = part.1;
            }
        }
        let (lower, upper) = (left.lower[j], left.upper[j]);
        left.lower[j] = (centre[j] + rise.0 - fall.1).max(lower);
        left.upper[j] = (centre[j] + rise.1 - fall.0).min(upper);
        if left.lower[j] > left.upper[j] {
            // A rounding apart.
            let middle = 0.5 * (left.lower[j] + left.upper[j]);
            (left.lower[j], left.upper[j]) = (middle, middle);
        }
    }
}

fn open(reaction: usize) -> Error {
    Error::new(
        Category::Model,
        "E-FLUX-087",
        format!("最適解の範囲が一点に縮まりません(反応 {reaction}、0 始まり)"),
        format!("the ranges of the optima do not close to a point (reaction {reaction}, from 0)"),
    )
    .at(Place::field(format!("reaction {reaction}")))
    .hint("境界を有限にしてください", "make the bounds finite")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Column, Sense};

    #[test]
    fn equal_ways_share_equally() {
        // Ten in, three ways alike, and a fourth that is longer and so not of least total flux.
        let column = |stoichiometry, objective| Column { stoichiometry, lower: 0.0, upper: 10.0, objective };
        let columns = [
            column(&[(0, 1.0)][..], 0.0),
            column(&[(0, -1.0), (1, 1.0)], 0.0),
            column(&[(0, -1.0), (1, 1.0)], 0.0),
            column(&[(0, -1.0), (1, 1.0)], 0.0),
            column(&[(0, -1.0), (2, 1.0)], 0.0),
            column(&[(2, -1.0), (1, 1.0)], 0.0),
            column(&[(1, -1.0)], 1.0),
        ];
        let network = Network::new(3, Sense::Maximize, columns).unwrap();
        let found = geometric(&network).unwrap().unwrap();
        let third = 10.0 / 3.0;
        for (have, want) in found.fluxes.iter().zip([10.0, third, third, third, 0.0, 0.0, 10.0]) {
            assert!((have - want).abs() < 1e-6, "{found:?}");
        }
    }
}
