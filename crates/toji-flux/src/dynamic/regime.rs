//! The metabolism at a state: a lexicographic optimum, and how far its basis reaches.

use super::Vessel;
use crate::lp::{Optimum, Outcome, Problem, Solver, Standing};
use crate::network::Network;
use crate::sparse::Matrix;
use toji_core::error::Category;
use toji_core::{Error, Result};

/// Reduced costs beyond this, relative to the goal's coefficient of one, hold their flux at its bound.
const PRICED: f64 = 1e-7;
/// A basic flux may lie beyond its bound by this, relative to one and the bound, before the basis is given up.
pub(super) const BEYOND: f64 = 1e-8;

/// What the cells do at a state.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Rates {
    /// Growth, 1/h.
    pub growth: f64,
    /// Exchange flux of each pool, mmol/(g·h); uptake is negative.
    pub pools: Vec<f64>,
    /// Exchange flux of each gas, mmol/(g·h); uptake is negative.
    pub gases: Vec<f64>,
    /// All fluxes of the network, mmol/(g·h).
    pub fluxes: Vec<f64>,
    /// Exchange reactions of pools and gases whose uptake bound is what limits them.
    pub limiting: Vec<usize>,
}

/// A network in a vessel, with a programme that keeps its basis from state to state: a provider of specific rates.
#[derive(Debug, Clone)]
pub struct Metabolism<'a> {
    pub(super) vessel: &'a Vessel,
    pub(super) own_lower: Vec<f64>,
    /// Bounds of all columns, those the vessel sets as they were last.
    pub(super) lower: Vec<f64>,
    pub(super) upper: Vec<f64>,
    reactions: usize,
    solver: Solver,
    pub(super) programmes: usize,
}

/// A basis and the fluxes it gives: affine in the bounds that the vessel sets.
#[derive(Debug, Clone)]
pub(super) struct Regime {
    /// Bounds at which it was found.
    pub(super) at: Vec<f64>,
    /// Bounds that the basis holds active: which of `at`, and the change of all fluxes with it.
    pub(super) active: Vec<(usize, Vec<f64>)>,
    pub(super) fluxes: Vec<f64>,
    /// Basic columns that move with an active bound or against a moving one: column, its moving bound.
    pub(super) watched: Vec<(usize, Option<usize>)>,
}

impl<'a> Metabolism<'a> {
    /// A metabolism before its first question.
    ///
    /// # Errors
    /// `E-FLUX-031` for a vessel that does not fit the network, and those of [`Problem::check`].
    pub fn new(network: &Network, vessel: &'a Vessel) -> Result<Self> {
        vessel.check(network)?;
        let mut problem = Problem::from(network);
        let n = network.reactions();
        // A column takes the place of the room in each row that has any, so that only columns have bounds.
        let open: Vec<usize> = (0..network.rows()).filter(|&i| problem.row_lower[i] != problem.row_upper[i]).collect();
        let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| problem.matrix.iter(j).collect()).collect();
        for &i in &open {
            columns.push(vec![(i, -1.0)]);
            problem.cost.push(0.0);
            problem.lower.push(problem.row_lower[i]);
            problem.upper.push(problem.row_upper[i]);
            (problem.row_lower[i], problem.row_upper[i]) = (0.0, 0.0);
        }
        problem.matrix = Matrix::from_columns(network.rows(), columns.iter().map(Vec::as_slice))
            .ok_or_else(|| Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large"))?;
        let (lower, upper) = (problem.lower.clone(), problem.upper.clone());
        let solver = Solver::new(problem)?;
        Ok(Self { vessel, own_lower: network.lower.clone(), lower, upper, reactions: n, solver, programmes: 0 })
    }

    /// What the cells do at this biomass (g/L) and these concentrations of the pools (mmol/L); `None` when nothing satisfies
    /// all bounds, as when the medium does not feed maintenance.
    ///
    /// # Errors
    /// `E-FLUX-030` when a goal has no limit, `E-FLUX-012` as for [`Solver::solve`].
    pub fn rates(&mut self, biomass: f64, pools: &[f64]) -> Result<Option<Rates>> {
        let mut bounds = Vec::new();
        let mut known = pools.to_vec();
        known.resize(self.vessel.pools.len(), 0.0);
        self.vessel.lower_bounds(&self.own_lower, biomass, &known, &mut bounds);
        let Some(regime) = self.regime(&bounds)? else { return Ok(None) };
        let flux = |j: usize| regime.fluxes[j];
        let driven: Vec<usize> = self.vessel.driven().collect();
        Ok(Some(Rates {
            growth: flux(self.vessel.growth),
            pools: self.vessel.pools.iter().map(|p| flux(p.exchange)).collect(),
            gases: self.vessel.gases.iter().map(|g| flux(g.exchange)).collect(),
            limiting: regime.limiting(&driven),
            fluxes: regime.fluxes[..self.reactions].to_vec(),
        }))
    }

    /// The lexicographic optimum where the vessel sets these bounds.
    pub(super) fn regime(&mut self, bounds: &[f64]) -> Result<Option<Regime>> {
        let driven: Vec<usize> = self.vessel.driven().collect();
        for (&j, &bound) in driven.iter().zip(bounds) {
            self.lower[j] = bound;
            self.solver.set_bounds(j, bound, self.upper[j]);
        }
        let mut held: Vec<usize> = Vec::new();
        let found = self.reach_goals(&mut held)?;
        let regime = found.map(|best| self.describe(&best, bounds, &driven)).transpose();
        for j in held {
            self.solver.set_bounds(j, self.lower[j], self.upper[j]);
        }
        regime
    }

    fn reach_goals(&mut self, held: &mut Vec<usize>) -> Result<Option<Optimum>> {
        let mut last = None;
        for &(goal, sense) in &self.vessel.goals {
            self.solver.set_objective(sense, &[(goal, 1.0)]);
            self.programmes += 1;
            let best = match self.solver.solve()? {
                Outcome::Optimal(best) => best,
                Outcome::Infeasible(_) => return Ok(None),
                Outcome::Unbounded(_) => return Err(unbounded(goal)),
            };
            // Complementary slackness: what has a price stays at its bound in every optimum of this goal.
            for (j, &d) in best.reduced_costs.iter().enumerate() {
                if d.abs() > PRICED && best.standing[j] != Standing::Basic && self.lower[j] < self.upper[j] {
                    let toward = if d * sense.sign() > 0.0 { self.upper[j] } else { self.lower[j] };
                    if toward.is_finite() && !held.contains(&j) {
                        self.solver.set_bounds(j, toward, toward);
                        held.push(j);
                    }
                }
            }
            last = Some(best);
        }
        Ok(last)
    }

    fn describe(&mut self, best: &Optimum, bounds: &[f64], driven: &[usize]) -> Result<Regime> {
        let mut active = Vec::new();
        for (k, &j) in driven.iter().enumerate() {
            let basic = best.standing[j] == Standing::Basic;
            if !basic && (best.primal[j] - bounds[k]).abs() <= 1e-12 * bounds[k].abs().max(1.0) {
                let response = self.solver.response(j).ok_or_else(no_factors)?;
                active.push((k, response));
            }
        }
        let watched = (0..best.primal.len())
            .filter(|&j| best.standing[j] == Standing::Basic)
            .map(|j| (j, driven.iter().position(|&d| d == j)))
            .filter(|&(j, moving)| moving.is_some() || active.iter().any(|a| a.1[j] != 0.0))
            .collect();
        Ok(Regime { at: bounds.to_vec(), active, fluxes: best.primal.clone(), watched })
    }
}

impl Regime {
    /// A flux where the vessel sets other bounds.
    pub(super) fn flux(&self, j: usize, bounds: &[f64]) -> f64 {
        self.active.iter().fold(self.fluxes[j], |v, (k, change)| v + change[j] * (bounds[*k] - self.at[*k]))
    }

    /// The reactions whose vessel bound is active.
    pub(super) fn limiting(&self, driven: &[usize]) -> Vec<usize> {
        self.active.iter().map(|a| driven[a.0]).collect()
    }

    /// Whether the basis still holds where the vessel sets these bounds.
    pub(super) fn holds(&self, metabolism: &Metabolism<'_>, bounds: &[f64]) -> bool {
        self.watched.iter().all(|&(j, moving)| {
            let value = self.flux(j, bounds);
            let lower = moving.map_or(metabolism.lower[j], |k| bounds[k]);
            let upper = metabolism.upper[j];
            value >= lower - BEYOND * (1.0 + lower.abs()) && value <= upper + BEYOND * (1.0 + upper.abs())
        })
    }
}

fn unbounded(goal: usize) -> Error {
    Error::new(
        Category::Model,
        "E-FLUX-030",
        format!("目標の反応 {goal}(0 始まり)の流束に限りがありません"),
        format!("nothing limits the flux of goal reaction {goal} (from 0)"),
    )
    .hint("取り込みの上限か反応の境界を有限にしてください", "make uptake or a bound on its way finite")
}

fn no_factors() -> Error {
    Error::new(
        Category::Model,
        "E-FLUX-012",
        "最適基底の分解ができませんでした",
        "the factors of the optimal basis cannot be made",
    )
    .hint("桁の離れた係数を見直してください", "look at coefficients of very different size")
}
