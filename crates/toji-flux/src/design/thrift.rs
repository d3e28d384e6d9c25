//! Fluxes of least total, again and again: the compressed network is set up once and every programme starts at the last
//! basis.

use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use toji_core::{Error, Result};

/// Share of the best that may be missing when the least total is asked for.
const BEST: f64 = 1e-9;

/// A network whose bounds may be changed and whose fluxes may be asked for.
#[derive(Debug, Clone)]
pub(super) struct Thrift {
    small: Compressed,
    /// Finds the best value.
    best: Solver,
    /// Finds the least total; its columns are those of the small problem and then the backward parts.
    total: Solver,
    /// The backward part of each column.
    backward: Vec<Option<usize>>,
}

impl Thrift {
    pub(super) fn new(network: &Network) -> Result<Self> {
        let mut problem = Problem::from(network);
        problem.cost = vec![0.0; network.reactions()];
        let small = Compressed::new(&problem);
        let n = small.problem.lower.len();
        let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| small.problem.matrix.iter(j).collect()).collect();
        let mut split = Problem { sense: Sense::Minimize, ..small.problem.clone() };
        split.cost = small.members.iter().map(|list| list.iter().map(|m| m.1.abs()).sum()).collect();
        let mut backward = vec![None; n];
        for j in 0..n {
            let (lower, upper) = (small.problem.lower[j], small.problem.upper[j]);
            if lower < 0.0 {
                backward[j] = Some(columns.len());
                columns.push(columns[j].iter().map(|&(i, a)| (i, -a)).collect());
                split.cost.push(split.cost[j]);
                split.lower.push((-upper).max(0.0));
                split.upper.push(-lower);
            }
            (split.lower[j], split.upper[j]) = (lower.max(0.0), upper.max(0.0));
        }
        split.matrix = Matrix::from_columns(split.row_lower.len(), columns.iter().map(Vec::as_slice))
            .ok_or_else(|| Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large"))?;
        Ok(Self { best: Solver::new(small.problem.clone())?, total: Solver::new(split)?, small, backward })
    }

    /// New bounds of a flux; whether any of it is left. Those of other reactions that move with it hold as well.
    pub(super) fn bound(&mut self, flux: usize, lower: f64, upper: f64) -> bool {
        match self.small.images[flux] {
            Image::Zero => lower <= 0.0 && upper >= 0.0,
            Image::Multiple { column, factor } => {
                let ends = (lower / factor, upper / factor);
                let (low, high) = if factor > 0.0 { ends } else { (ends.1, ends.0) };
                let (low, high) =
                    (low.max(self.small.problem.lower[column]) + 0.0, high.min(self.small.problem.upper[column]) + 0.0);
                self.best.set_bounds(column, low, high);
                self.total.set_bounds(column, low.max(0.0), high.max(0.0));
                if let Some(back) = self.backward[column] {
                    self.total.set_bounds(back, (0.0 - high).max(0.0), (0.0 - low).max(0.0));
                }
                low <= high
            }
        }
    }

    /// The greatest value of a flux; `Err` when there is none.
    pub(super) fn most(&mut self, flux: usize) -> Result<std::result::Result<f64, Outcome>> {
        match self.small.images[flux] {
            Image::Zero => self.best.set_objective(Sense::Maximize, &[]),
            Image::Multiple { column, factor } => self.best.set_objective(Sense::Maximize, &[(column, factor)]),
        }
        Ok(match self.best.solve()? {
            Outcome::Optimal(best) => Ok(best.objective),
            other => Err(other),
        })
    }

    /// The greatest value of a flux, and the fluxes of least total that reach it; `bounds` are its bounds otherwise.
    pub(super) fn fluxes(&mut self, flux: usize, bounds: (f64, f64)) -> Result<std::result::Result<(f64, Vec<f64>), Outcome>> {
        let most = match self.most(flux)? {
            Ok(most) => most,
            Err(other) => return Ok(Err(other)),
        };
        self.bound(flux, (most - BEST * (1.0 + most.abs())).max(bounds.0), bounds.1);
        let found = self.total.solve()?;
        self.bound(flux, bounds.0, bounds.1);
        Ok(match found {
            Outcome::Optimal(least) => {
                let net = |j: usize| least.primal[j] - self.backward[j].map_or(0.0, |back| least.primal[back]);
                let values: Vec<f64> = (0..self.backward.len()).map(net).collect();
                Ok((most, self.small.expand(&values)))
            }
            other => Err(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Column;

    #[test]
    fn the_short_way_is_taken_and_bounds_are_put_back() {
        // In → a; a → b at once or by way of c; a loop between b and d both ways; b out.
        let column = |stoichiometry, lower, upper| Column { stoichiometry, lower, upper, objective: 0.0 };
        let network = Network::new(
            4,
            Sense::Maximize,
            [
                column(&[(0, 1.0)][..], 0.0, 10.0),
                column(&[(0, -1.0), (1, 1.0)][..], 0.0, 4.0),
                column(&[(0, -1.0), (2, 1.0)][..], 0.0, 9.0),
                column(&[(2, -1.0), (1, 1.0)][..], 0.0, 9.0),
                column(&[(1, -1.0), (3, 1.0)][..], -5.0, 5.0),
                column(&[(1, 1.0), (3, -1.0)][..], -5.0, 5.0),
                column(&[(1, -1.0)][..], 0.0, 1000.0),
            ],
        )
        .unwrap();
        let mut thrift = Thrift::new(&network).unwrap();
        let (most, fluxes) = thrift.fluxes(6, (0.0, 1000.0)).unwrap().unwrap();
        assert!((most - 10.0).abs() < 1e-8);
        for (have, want) in fluxes.iter().zip([10.0, 4.0, 6.0, 6.0, 0.0, 0.0, 10.0]) {
            assert!((have - want).abs() < 1e-6, "{fluxes:?}");
        }
        assert!(thrift.bound(6, 0.0, 3.0));
        let (most, fluxes) = thrift.fluxes(6, (0.0, 3.0)).unwrap().unwrap();
        assert!((most - 3.0).abs() < 1e-8 && (fluxes[1] - 3.0).abs() < 1e-6 && fluxes[2].abs() < 1e-6, "{fluxes:?}");
        assert!(thrift.bound(6, 0.0, 1000.0));
        assert!((thrift.most(6).unwrap().unwrap() - 10.0).abs() < 1e-9);
    }
}
