//! `OptKnock` and `RobustKnock`, exactly, by branch and bound over the fluxes of each strain's best.

use super::cuts::{bounded, strain, unlimited};
use super::edit::{Intervention, Limit, Region, additions, check};
use super::field::Field;
use super::ways::{Budget, Set, Ways};
use crate::lp::{Outcome, Solver};
use crate::model::Model;
use crate::network::{Network, Sense};
use std::collections::BTreeSet;
use toji_core::Result;

/// Share of the best growth that a strain may miss and still count as best.
pub(super) const BEST: f64 = 1e-9;
/// Values nearer than this, relative, are the same.
pub(super) const SAME: f64 = 1e-7;
/// Where the sum of growth stands in the field, and that of the product.
pub(super) const GROWTH: usize = 0;
pub(super) const PRODUCT: usize = 1;

/// What a strain is to be coupled to.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct KnockTask {
    /// What the cell aims at (reaction and coefficient), as large as it can: growth as a rule.
    pub growth: Vec<(usize, f64)>,
    /// What is wanted of it (reaction and coefficient).
    pub product: Vec<(usize, f64)>,
    /// Least growth of a strain.
    pub min_growth: f64,
    /// Whether the least product at the best growth counts (`RobustKnock`), instead of the most (`OptKnock`).
    pub robust: bool,
    /// What may be changed.
    pub interventions: Vec<Intervention>,
    /// Most interventions of a set.
    pub max_size: usize,
    /// Most cost of a set.
    pub max_cost: f64,
    /// How many sets are asked for.
    pub designs: usize,
    /// Most strains that are looked at.
    #[serde(default = "many")]
    pub max_candidates: usize,
}

pub(super) fn many() -> usize {
    1_000_000
}

/// What a strain does at its best growth.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Coupling {
    /// The best growth.
    pub growth: f64,
    /// The least product there.
    pub min: f64,
    /// The most product there.
    pub max: f64,
}

/// A design.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Knocked {
    /// Interventions by their place in the task, ascending.
    pub interventions: Vec<usize>,
    /// Sum of their costs.
    pub cost: f64,
    /// The value by which designs are ranked.
    pub value: f64,
}

/// The best designs.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Knocks {
    /// Designs by value, best first, then by cost and places.
    pub designs: Vec<Knocked>,
    /// Linear programmes that were solved.
    pub programmes: usize,
    /// Strains that were looked at.
    pub candidates: usize,
    /// Whether the search came to its end; otherwise as many strains were looked at as the task allows, cheap ones first, and
    /// others may be better.
    pub complete: bool,
}

/// The best designs of a task, exactly: for every strain within its limits that grows enough there is a design of no less
/// value, made of some of the strain's interventions, in the list or ranked behind its last.
///
/// Sets that contain a design of the same value are left out; interventions of equal effect and cost are written out. A task
/// that no strain satisfies has no designs.
///
/// # Errors
/// As for [`super::minimal_cuts`], `E-FLUX-074` apart.
pub fn knock(model: &Model, network: &Network, task: &KnockTask) -> Result<Knocks> {
    let limits = Limits {
        growth: &task.growth,
        product: &task.product,
        min_growth: task.min_growth,
        interventions: &task.interventions,
        max_size: task.max_size,
        max_cost: task.max_cost,
        designs: task.designs,
        max_candidates: task.max_candidates,
    };
    search(model, network, &limits, |field, ways, set, least| strain_of(field, ways, task, set, least))
}

/// What a search for designs of greatest value goes by; its fields are those of [`KnockTask`].
pub(super) struct Limits<'a> {
    pub(super) growth: &'a [(usize, f64)],
    pub(super) product: &'a [(usize, f64)],
    pub(super) min_growth: f64,
    pub(super) interventions: &'a [Intervention],
    pub(super) max_size: usize,
    pub(super) max_cost: f64,
    pub(super) designs: usize,
    pub(super) max_candidates: usize,
}

/// The value of a strain, where it is a design, and the sets to look at after it.
pub(super) type Judged = (Option<f64>, BTreeSet<Set>);

/// The designs of greatest value. `judge` is given the field (whose sums are growth and product), the ways, a set, and the
/// value that a design must exceed; it answers nothing when no set that contains this one can.
pub(super) fn search(
    model: &Model,
    network: &Network,
    limits: &Limits<'_>,
    mut judge: impl FnMut(&mut Field, &Ways, &[u32], f64) -> Result<Option<Judged>>,
) -> Result<Knocks> {
    let list = limits.interventions;
    check(model, network, list)?;
    let sums = Region { limits: vec![Limit::at_least(limits.product, limits.min_growth)], inner: Some(limits.growth.to_vec()) };
    sums.check(network.reactions())?;
    let mut answer = Knocks { designs: Vec::new(), programmes: 0, candidates: 0, complete: true };
    for (added, spent) in additions(list, limits.max_size, limits.max_cost) {
        let budget = Budget { size: limits.max_size - added.len(), cost: limits.max_cost - spent };
        let (ways, base) = Ways::new(model, network, list, &added, budget);
        let mut field = Field::new(&base, list, &ways, &[], &[limits.growth, limits.product])?;
        let mut open: BTreeSet<(u64, Set)> = BTreeSet::from([(0, Vec::new())]);
        while let Some((_, set)) = open.pop_first() {
            if answer.candidates >= limits.max_candidates {
                answer.complete = false;
                break;
            }
            answer.candidates += 1;
            let last = limits.designs.checked_sub(1).and_then(|last| answer.designs.get(last));
            let Some((value, next)) = judge(&mut field, &ways, &set, last.map_or(f64::NEG_INFINITY, |d| d.value))? else {
                continue;
            };
            open.extend(next.into_iter().map(|next| (ways.cost(&next).to_bits(), next)));
            let Some(value) = value else { continue };
            for twin in ways.spread(&set) {
                let mut interventions: Vec<usize> = twin.iter().map(|&item| item as usize).chain(added.iter().copied()).collect();
                interventions.sort_unstable();
                let cost = interventions.iter().map(|&at| list[at].cost).sum();
                // Subsets come first: a design that contains one as good adds nothing.
                let contains = |d: &Knocked| d.interventions.iter().all(|at| interventions.contains(at));
                if !answer.designs.iter().any(|d| d.value >= value - SAME * (1.0 + value.abs()) && contains(d)) {
                    answer.designs.push(Knocked { interventions, cost, value });
                }
            }
            rank(&mut answer.designs, limits.designs);
        }
        answer.programmes += field.programmes;
    }
    Ok(answer)
}

/// Sorts designs and keeps as many as are asked for.
fn rank(designs: &mut Vec<Knocked>, count: usize) {
    designs.sort_by(|a, b| {
        let near = (a.value - b.value).abs() <= SAME * (1.0 + a.value.abs());
        let order = if near { std::cmp::Ordering::Equal } else { b.value.total_cmp(&a.value) };
        order.then_with(|| a.cost.total_cmp(&b.cost)).then_with(|| a.interventions.cmp(&b.interventions))
    });
    designs.truncate(count);
}

/// The value of a strain and the sets to look at after it; nothing when it grows too little or none that contains it can be
/// better than `least`.
fn strain_of(field: &mut Field, ways: &Ways, task: &KnockTask, set: &[u32], least: f64) -> Result<Option<Judged>> {
    if !field.set(ways, set) {
        return Ok(None);
    }
    let growth = match field.solve(Some((GROWTH, Sense::Maximize)))? {
        Outcome::Optimal(best) => best.objective,
        Outcome::Infeasible(_) => return Ok(None),
        Outcome::Unbounded(_) => return Err(unlimited()),
    };
    let room = BEST * (1.0 + growth.abs());
    if growth < task.min_growth - room || !field.bound_sum(GROWTH, task.min_growth - room, f64::INFINITY) {
        return Ok(None);
    }
    // No strain with more of its fluxes stopped makes more product than this.
    match field.solve(Some((PRODUCT, Sense::Maximize)))? {
        Outcome::Optimal(best) if best.objective < least - SAME * (1.0 + least.abs()) => return Ok(None),
        Outcome::Optimal(_) => {}
        Outcome::Infeasible(_) => return Ok(None),
        Outcome::Unbounded(_) => return Err(unlimited()),
    }
    if !field.bound_sum(GROWTH, growth - room, f64::INFINITY) {
        return Ok(None);
    }
    let sense = if task.robust { Sense::Minimize } else { Sense::Maximize };
    match field.solve(Some((PRODUCT, sense)))? {
        Outcome::Optimal(best) => Ok(Some((Some(best.objective), field.point(&best.primal, &[]).next(ways, set)))),
        Outcome::Infeasible(_) => Ok(None),
        Outcome::Unbounded(_) => Err(unlimited()),
    }
}

/// What a strain does at its best growth, worked out on the whole network with genes judged by their rules, with no use of the
/// search; `None` when it is infeasible.
///
/// # Errors
/// As for [`knock`].
pub fn couple(model: &Model, network: &Network, task: &KnockTask, set: &[usize]) -> Result<Option<Coupling>> {
    check(model, network, &task.interventions)?;
    let (strain, holds) = strain(model, network, &task.interventions, set);
    let best = |limits: &[&Limit], terms: &[(usize, f64)], sense| -> Result<Option<f64>> {
        let mut solver = Solver::new(bounded(&strain, limits.iter().copied())?)?;
        solver.set_objective(sense, terms);
        match solver.solve()? {
            Outcome::Optimal(best) => Ok(Some(best.objective)),
            Outcome::Infeasible(_) => Ok(None),
            Outcome::Unbounded(_) => Err(unlimited()),
        }
    };
    let Some(growth) = best(&holds, &task.growth, Sense::Maximize)? else { return Ok(None) };
    let grown = Limit::at_least(&task.growth, growth - BEST * (1.0 + growth.abs()));
    let limits: Vec<&Limit> = holds.iter().copied().chain([&grown]).collect();
    let min = best(&limits, &task.product, Sense::Minimize)?;
    let max = best(&limits, &task.product, Sense::Maximize)?;
    Ok(min.zip(max).map(|(min, max)| Coupling { growth, min, max }))
}
