//! Uniform samples of all the fluxes that a network allows.
//!
//! Hit-and-run (Smith, Oper. Res. 32, 1984, 1296–1308) with a fixed set of directions that spans the polytope, which has the
//! uniform law as its only one (Bélisle, Romeijn and Smith, Math. Oper. Res. 18, 1993, 255–266). The network is compressed without
//! loss, columns that cannot move are held, and the affine hull of what is left is found, so that the chain walks in a polytope
//! of full dimension. The directions are sparse: circuits of the network, fitted to points that pilots reached (`circuit.rs`).
//! A polytope of fluxes is all corners, where a dense direction, however round the polytope was made (CHRR: Haraldsdóttir et
//! al., Bioinformatics 33, 2017, 1741–1743), ends at once at one of hundreds of sides. The set is fixed before the first draw
//! is kept, so the chains have the uniform law exactly.

mod body;
mod circuit;
mod dense;
mod judge;
mod walk;

use super::fba::{fba_of, hold};
use super::parallel::pieces;
use crate::lp::{Outcome, Problem};
use crate::network::Network;
use body::Body;
use toji_core::error::Category;
use toji_core::{Error, Place, Result};
use walk::Walk;

/// Most steps of one call, all chains together.
const MOST_STEPS: usize = 4_000_000_000;
/// Most numbers that are kept as draws.
const MOST_NUMBERS: usize = 200_000_000;
/// Residuals beyond this, relative to the terms of the balance, are no steady state.
const BALANCED: f64 = 1e-9;

/// How to sample.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Sampling {
    /// Draws of each chain.
    pub draws: usize,
    /// Independent chains, each from its own corner of the polytope.
    pub chains: usize,
    /// Steps between draws; `None`: four times the dimension of the polytope.
    pub thinning: Option<usize>,
    /// Draws of each chain that are thrown away at the start; `None`: a quarter of `draws`, at least 50.
    pub warmup: Option<usize>,
    /// Fraction of the optimum that every sample reaches; `None`: the objective plays no part.
    pub fraction: Option<f64>,
    /// Seed of the chance.
    pub seed: u64,
    /// Threads to use; the draws are the same for any number.
    pub threads: usize,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { draws: 250, chains: 4, thinning: None, warmup: None, fraction: None, seed: 0, threads: 1 }
    }
}

/// What the draws say of one flux, in the model's unit of flux.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// The 5 % quantile.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The 95 % quantile.
    pub high: f64,
    /// Split R̂ (Gelman et al., Bayesian Data Analysis, 3rd ed., § 11.4): near one when the chains agree. `None` for a flux
    /// that cannot move.
    pub r_hat: Option<f64>,
    /// Effective sample size of the mean, after Geyer's initial monotone sequence. `None` for a flux that cannot move.
    pub effective: Option<f64>,
    /// Standard error of the mean from the effective sample size; zero for a flux that cannot move.
    pub standard_error: f64,
}

/// Draws and what they say.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Samples {
    /// Dimension of the polytope: how many fluxes can be chosen freely.
    pub dimensions: usize,
    /// Steps between draws.
    pub thinning: usize,
    /// Draws of each chain that were thrown away.
    pub warmup: usize,
    /// Steps that were taken, rounding included.
    pub steps: usize,
    /// The draws of the first chain, then those of the second …; each is a flux for each reaction.
    pub draws: Vec<Vec<f64>>,
    /// What they say of each reaction.
    pub reactions: Vec<Spread>,
    /// Largest split R̂.
    pub r_hat_max: f64,
    /// Least effective sample size; infinite when nothing can move.
    pub effective_min: f64,
    /// Largest residual of a balance, relative to one plus the largest of its terms.
    pub residual_max: f64,
}

/// Samples the fluxes of a network uniformly. An infeasible or unbounded network is answered as [`super::fba`] answers it.
///
/// # Errors
/// `E-FLUX-080` when the numbers of draws, chains or steps are zero or too large, or the fraction is none; `E-FLUX-081` when
/// a flux has no limit, so that there is no uniform law; `E-FLUX-082` when the polytope is too flat for the method's numbers
/// or a draw misses its balance; otherwise as for [`super::fba`].
pub fn sample(network: &Network, how: &Sampling) -> Result<Result<Samples, Outcome>> {
    check(network, how)?;
    let problem = match how.fraction {
        None => Problem::from(network),
        Some(fraction) => match fba_of(network, true)? {
            Outcome::Optimal(best) => hold(network, &best, fraction),
            other => return Ok(Err(other)),
        },
    };
    let body = match Body::new(&problem, how.threads)? {
        Ok(body) => body,
        Err(other) => return Ok(Err(other)),
    };
    let thinning = how.thinning.unwrap_or(4 * body.dimensions()).max(1);
    let warmup = how.warmup.unwrap_or((how.draws / 4).max(50));
    let steps = thinning.saturating_mul(warmup.saturating_add(how.draws)).saturating_mul(how.chains);
    if steps > MOST_STEPS {
        return Err(sizes("歩数が多すぎます", "there are too many steps"));
    }
    let (pool, spent) = circuit::directions(&body, how.seed, how.threads)?;
    let chains = pieces(how.chains, how.threads, |chain| {
        let mut walk = Walk::new(&body, &pool, how.seed, chain as u64 + 1, &body.start);
        walk.scatter();
        walk.go(warmup * thinning);
        let mut draws = Vec::with_capacity(how.draws);
        for _ in 0..how.draws {
            walk.go(thinning);
            draws.push(walk.point());
        }
        Ok(draws)
    })?;
    let judged = judge::judge(&chains);
    let draws: Vec<Vec<f64>> = chains.iter().flatten().map(|small| body.expand(small)).collect();
    let residual_max = residual(network, &draws);
    if residual_max.is_nan() || residual_max > BALANCED {
        return Err(Error::new(
            Category::Model,
            "E-FLUX-082",
            format!("標本の収支の残差({residual_max:e})が大きすぎます"),
            format!("the balance of a draw misses by {residual_max:e}"),
        )
        .hint("桁の離れた係数や境界を見直してください", "look at coefficients and bounds of very different size"));
    }
    let reactions: Vec<Spread> = body.images().map(|image| judged.spread(image)).collect();
    let r_hat_max = reactions.iter().filter_map(|s| s.r_hat).fold(1.0, f64::max);
    let effective_min = reactions.iter().filter_map(|s| s.effective).fold(f64::INFINITY, f64::min);
    let (dimensions, steps) = (body.dimensions(), steps + spent);
    Ok(Ok(Samples { dimensions, thinning, warmup, steps, draws, reactions, r_hat_max, effective_min, residual_max }))
}

fn sizes(ja: &str, en: &str) -> Error {
    Error::input("E-FLUX-080", ja, en).at(Place::field("draws")).hint(
        "標本数・鎖の数・間引きは 1 以上で、積が上限に収まるようにし、割合は 0 から 1 にしてください",
        "let draws, chains and thinning be at least one with a product within the limit, and the fraction between 0 and 1",
    )
}

fn check(network: &Network, how: &Sampling) -> Result<()> {
    if how.draws == 0 || how.chains == 0 || how.thinning == Some(0) {
        return Err(sizes("標本数・鎖の数・間引きが 0 です", "the draws, chains or thinning are zero"));
    }
    if how.fraction.is_some_and(|f| !(0.0..=1.0).contains(&f)) {
        return Err(sizes("割合が 0 から 1 の数ではありません", "the fraction is no number from 0 to 1"));
    }
    let numbers = how.draws.saturating_mul(how.chains).saturating_mul(network.reactions().max(1));
    if numbers > MOST_NUMBERS {
        return Err(sizes("標本が多すぎます", "there are too many draws"));
    }
    Ok(())
}

/// Largest fault of rows and bounds, relative to one plus the terms.
fn residual(network: &Network, draws: &[Vec<f64>]) -> f64 {
    let problem = Problem::from(network);
    let mut worst = 0.0_f64;
    for draw in draws {
        for (i, (sum, size)) in crate::lp::activity(&problem, draw).into_iter().enumerate() {
            let fault = (problem.row_lower[i] - sum).max(sum - problem.row_upper[i]).max(0.0);
            worst = worst.max(fault / (1.0 + size));
        }
        for (j, &v) in draw.iter().enumerate() {
            let fault = (problem.lower[j] - v).max(v - problem.upper[j]).max(0.0);
            worst = worst.max(fault / (1.0 + v.abs()));
        }
    }
    worst
}
