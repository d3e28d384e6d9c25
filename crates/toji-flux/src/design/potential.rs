//! `OptCouple`, exactly: designs whose growth suffers most when the product is kept from leaving.

use super::cuts::{bounded, strain, unlimited};
use super::edit::{Intervention, Limit, check};
use super::field::Field;
use super::knock::{BEST, GROWTH, Judged, Knocks, Limits, PRODUCT, SAME, search};
use super::ways::Ways;
use crate::lp::{Outcome, Solver};
use crate::model::Model;
use crate::network::{Network, Sense};
use std::collections::BTreeSet;
use toji_core::Result;

/// What a strain counts as that has no steady state at all when no product leaves: its maintenance is not met, for instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stalled {
    /// As one that does not grow without product.
    ///
    /// 生成物なしでは増殖しない株として数える。
    #[default]
    NoGrowth,
    /// As no design.
    ///
    /// 設計として数えない。
    Excluded,
}

/// What a strain is to be coupled to.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct PotentialTask {
    /// What the cell aims at (reaction and coefficient), as large as it can: growth as a rule.
    ///
    /// 細胞が最大にするもの(反応と係数)。ふつうは増殖。
    pub growth: Vec<(usize, f64)>,
    /// What is wanted of it (reaction and coefficient).
    ///
    /// 作らせたいもの(反応と係数)。
    pub product: Vec<(usize, f64)>,
    /// Least growth of a strain that may make the product.
    ///
    /// 生産できるときの増殖の下限。
    pub min_growth: f64,
    /// Least potential of a design.
    ///
    /// 結合ポテンシャルの下限。
    pub min_potential: f64,
    /// What a strain counts as that has no steady state without product.
    ///
    /// 生成物なしでは定常状態を持たない株の扱い。
    #[serde(default)]
    pub stalled: Stalled,
    /// What may be changed.
    ///
    /// 変更の候補。
    pub interventions: Vec<Intervention>,
    /// Most interventions of a set.
    ///
    /// 一つの設計に入る変更の数の上限。
    pub max_size: usize,
    /// Most cost of a set.
    ///
    /// 一つの設計の費用の上限。
    pub max_cost: f64,
    /// How many sets are asked for.
    ///
    /// 求める設計の数。
    pub designs: usize,
    /// Most strains that are looked at.
    ///
    /// 調べる株の数の上限。
    #[serde(default = "super::knock::many")]
    pub max_candidates: usize,
}

/// What growth owes to the product.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Potential {
    /// The best growth.
    ///
    /// 最大の増殖。
    pub growth: f64,
    /// The best growth when no product leaves; none when nothing is feasible then.
    ///
    /// 生成物を出さないときの最大の増殖。実行不可能なときは空。
    pub without: Option<f64>,
}

impl Potential {
    /// Growth-coupling potential: the difference, where what is infeasible does not grow.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.growth - self.without.unwrap_or(0.0)
    }
}

/// The designs of greatest growth-coupling potential, which is the best growth less the best growth without product (Jensen
/// et al., Metab. Eng. Commun. 8, 2019, e00087), exactly in the sense of [`super::knock`].
///
/// A set that contains another grows no better than it with product; only where it is worse off without product can its
/// potential be larger. So whatever is still to be found stops one of the fluxes of the best growth without product.
///
/// # Errors
/// As for [`super::knock`].
pub fn potentials(model: &Model, network: &Network, task: &PotentialTask) -> Result<Knocks> {
    let limits = Limits {
        growth: &task.growth,
        product: &task.product,
        min_growth: task.min_growth.max(task.min_potential),
        interventions: &task.interventions,
        max_size: task.max_size,
        max_cost: task.max_cost,
        designs: task.designs,
        max_candidates: task.max_candidates,
    };
    search(model, network, &limits, |field, ways, set, least| judge(field, ways, task, set, least))
}

fn judge(field: &mut Field, ways: &Ways, task: &PotentialTask, set: &[u32], least: f64) -> Result<Option<Judged>> {
    if !field.set(ways, set) {
        return Ok(None);
    }
    let growth = match field.solve(Some((GROWTH, Sense::Maximize)))? {
        Outcome::Optimal(best) => best.objective,
        Outcome::Infeasible(_) => return Ok(None),
        Outcome::Unbounded(_) => return Err(unlimited()),
    };
    // No strain with more of its fluxes stopped grows better, and without product none grows less than not at all.
    if growth < task.min_growth - BEST * (1.0 + growth.abs()) || (least > 0.0 && growth < least - SAME * (1.0 + least)) {
        return Ok(None);
    }
    let (without, next) = if field.bound_sum(PRODUCT, f64::NEG_INFINITY, 0.0) {
        match field.solve(Some((GROWTH, Sense::Maximize)))? {
            Outcome::Optimal(best) => (Some(best.objective), field.point(&best.primal, &[]).next(ways, set)),
            Outcome::Infeasible(_) => (None, BTreeSet::new()),
            Outcome::Unbounded(_) => return Err(unlimited()),
        }
    } else {
        (None, BTreeSet::new())
    };
    if without.is_none() && task.stalled == Stalled::Excluded {
        return Ok(None);
    }
    let value = Potential { growth, without }.value();
    Ok(Some(((value >= task.min_potential - SAME).then_some(value), next)))
}

/// The growth of a strain with and without product, worked out on the whole network with genes judged by their rules, with no
/// use of the search; `None` when it is infeasible.
///
/// # Errors
/// As for [`potentials`].
pub fn potential(model: &Model, network: &Network, task: &PotentialTask, set: &[usize]) -> Result<Option<Potential>> {
    check(model, network, &task.interventions)?;
    let (strain, holds) = strain(model, network, &task.interventions, set);
    let best = |limits: &[&Limit]| -> Result<Option<f64>> {
        let mut solver = Solver::new(bounded(&strain, limits.iter().copied())?)?;
        solver.set_objective(Sense::Maximize, &task.growth);
        match solver.solve()? {
            Outcome::Optimal(best) => Ok(Some(best.objective)),
            Outcome::Infeasible(_) => Ok(None),
            Outcome::Unbounded(_) => Err(unlimited()),
        }
    };
    let Some(growth) = best(&holds)? else { return Ok(None) };
    let none = Limit::at_most(&task.product, 0.0);
    let limits: Vec<&Limit> = holds.iter().copied().chain([&none]).collect();
    Ok(Some(Potential { growth, without: best(&limits)? }))
}
