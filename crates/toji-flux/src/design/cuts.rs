//! Minimal cut sets, all of them, with the proof of each.

use super::edit::{Edit, Intervention, Limit, Region, additions, check};
use super::field::{Field, KEPT, Point};
use super::ways::{Budget, Set, Ways, within};
use crate::lp::{Conflict, Outcome, Problem, Solver};
use crate::model::Model;
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use std::collections::BTreeSet;
use toji_core::{Error, Result};

/// Share of the best inner objective that a strain may miss and still count as best.
const BEST: f64 = 1e-9;
/// Most interventions of a set with additions whose subsets are all tried.
const SUBSETS: usize = 16;
/// Flux vectors kept of each region.
const POOL: usize = 4_000;

/// What the cut sets must do, and with what.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct CutTask {
    /// Regions none of whose points may remain.
    pub targets: Vec<Region>,
    /// Regions of each of which a point must remain.
    pub protected: Vec<Region>,
    /// What may be changed. Reactions and genes of [`Edit::AddReaction`] and [`Edit::AddGene`] are absent unless added.
    pub interventions: Vec<Intervention>,
    /// Most interventions of a set.
    pub max_size: usize,
    /// Most cost of a set.
    pub max_cost: f64,
    /// Most candidates that are looked at; when it is reached the answer says that it is not complete.
    pub max_candidates: usize,
}

/// A set of interventions that reaches the aim, no proper subset of which does.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct CutSet {
    /// Interventions by their place in the task, ascending.
    pub interventions: Vec<usize>,
    /// Sum of their costs.
    pub cost: f64,
}

/// All minimal cut sets within the limits of a task.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct CutSets {
    /// The sets by cost, then number of interventions, then their places.
    pub sets: Vec<CutSet>,
    /// Whether these are all.
    pub complete: bool,
    /// Linear programmes that were solved.
    pub programmes: usize,
    /// Candidates that were looked at.
    pub candidates: usize,
}

/// The aim of a region of one limit on one side: whether it has a point is whether the best of the sum reaches the limit.
/// The best is far from the limit on either side as a rule, where the limit itself, small beside the fluxes, is lost in
/// rounding.
struct Aim {
    sense: Sense,
    limit: f64,
}

impl Aim {
    fn of(region: &Region) -> Option<Self> {
        match (&region.inner, &region.limits[..]) {
            (None, [Limit { lower, upper: f64::INFINITY, .. }]) if lower.is_finite() => {
                Some(Self { sense: Sense::Maximize, limit: *lower })
            }
            (None, [Limit { lower: f64::NEG_INFINITY, upper, .. }]) if upper.is_finite() => {
                Some(Self { sense: Sense::Minimize, limit: *upper })
            }
            _ => None,
        }
    }

    fn is_reached(&self, best: f64) -> bool {
        self.sense.sign() * (best - self.limit) >= -KEPT * (1.0 + self.limit.abs())
    }
}

/// One region while sets are looked for.
struct Ground {
    field: Field,
    aim: Option<Aim>,
    /// For a region with an inner objective, the network without the region's limits.
    inner: Option<Field>,
    pool: Vec<Point>,
}

impl Ground {
    fn new(region: &Region, network: &Network, list: &[Intervention], ways: &Ways) -> Result<Self> {
        if let Some(aim) = Aim::of(region) {
            let mut field = Field::new(network, list, ways, &[], &[&region.limits[0].terms])?;
            field.start_with(0, aim.sense)?;
            return Ok(Self { field, aim: Some(aim), inner: None, pool: Vec::new() });
        }
        let sums: Vec<&[(usize, f64)]> = region.inner.iter().map(Vec::as_slice).collect();
        let field = Field::new(network, list, ways, &region.limits, &sums)?;
        let inner = if sums.is_empty() { None } else { Some(Field::new(network, list, ways, &[], &sums)?) };
        Ok(Self { field, aim: None, inner, pool: Vec::new() })
    }

    /// Index in the pool of a point that the set leaves, if there is one: known, or found by a programme. Of known ones, the
    /// one that leaves least to choose.
    fn witness(&mut self, ways: &Ways, set: &[u32]) -> Result<Option<usize>> {
        let mask = self.field.mask(ways, set);
        let alive = self.pool.iter().enumerate().filter(|(_, point)| point.survives(&mask, set));
        if let Some((at, _)) = alive.min_by_key(|(_, point)| point.hits.len()) {
            return Ok(Some(at));
        }
        let mut under: &[u32] = &[];
        if let Some(inner) = &mut self.inner {
            under = set;
            if !inner.set(ways, set) {
                return Ok(None);
            }
            match inner.solve(Some((0, Sense::Maximize)))? {
                Outcome::Optimal(best) => {
                    let floor = best.objective - BEST * (1.0 + best.objective.abs());
                    if !self.field.set(ways, set) || !self.field.bound_sum(0, floor, f64::INFINITY) {
                        return Ok(None);
                    }
                }
                Outcome::Infeasible(_) => return Ok(None),
                Outcome::Unbounded(_) => return Err(unlimited()),
            }
        } else if !self.field.set(ways, set) {
            return Ok(None);
        }
        let found = match (self.field.solve(self.aim.as_ref().map(|aim| (0, aim.sense)))?, &self.aim) {
            (Outcome::Optimal(best), Some(aim)) if !aim.is_reached(best.objective) => None,
            (Outcome::Optimal(best), _) => Some(best.primal),
            (Outcome::Unbounded(way), Some(aim)) => {
                // As far along as the limit asks, or as one unit shows what the way uses.
                let missing = aim.sense.sign() * (aim.limit - self.field.value(0, &way.from));
                let step = (missing / way.gain.abs()).max(1.0);
                Some(way.from.iter().zip(&way.ray).map(|(x, r)| x + step * r).collect())
            }
            _ => None,
        };
        Ok(found.map(|primal: Vec<f64>| {
            self.pool.push(self.field.point(&primal, under));
            self.pool.len() - 1
        }))
    }

    fn programmes(&self) -> usize {
        self.field.programmes + self.inner.as_ref().map_or(0, |inner| inner.programmes)
    }

    /// Forgets the oldest points when there are too many.
    fn trim(&mut self) {
        if self.pool.len() > POOL {
            self.pool.drain(..POOL / 2);
        }
    }
}

pub(super) fn unlimited() -> Error {
    Error::input("E-FLUX-073", "内側の目的関数に上限がありません", "the inner objective has no limit")
        .hint("取り込みの境界を有限にしてください", "make the bounds of the uptakes finite")
}

/// All minimal sets of interventions within the task's limits after which no target region has a point and every protected
/// region still has one.
///
/// Exact: sets are taken in order of cost; of a set that leaves a point of a target, only the ways of stopping that point
/// are followed. Interventions of equal effect and cost are looked at once and written out. Removal of a reaction is the
/// demand that its flux be zero within its bounds. Network columns are the model's reactions in order; it may differ from
/// the model in bounds and rows.
///
/// # Errors
/// `E-FLUX-070` when a reaction or gene is out of range, `E-FLUX-071` when a limit is none, `E-FLUX-072` when a cost is not
/// above zero, `E-FLUX-073` when an inner objective has no limit, `E-FLUX-074` when there is no target or a protected region
/// has an inner objective, and those of [`crate::analyse::fba`].
pub fn minimal_cuts(model: &Model, network: &Network, task: &CutTask) -> Result<CutSets> {
    validate(model, network, task)?;
    let mut answer = CutSets { sets: Vec::new(), complete: true, programmes: 0, candidates: 0 };
    for (added, spent) in additions(&task.interventions, task.max_size, task.max_cost) {
        let budget = Budget { size: task.max_size - added.len(), cost: task.max_cost - spent };
        let (ways, base) = Ways::new(model, network, &task.interventions, &added, budget);
        let found = search(&base, task, &ways, &mut answer)?;
        for set in found.iter().flat_map(|set| ways.spread(set)) {
            let mut interventions: Vec<usize> = set.iter().map(|&item| item as usize).chain(added.iter().copied()).collect();
            interventions.sort_unstable();
            let cost = interventions.iter().map(|&at| task.interventions[at].cost).sum();
            answer.sets.push(CutSet { interventions, cost });
        }
    }
    if task.interventions.iter().any(Intervention::adds) {
        // A set with an addition may contain one that does without it.
        let all: Vec<BTreeSet<usize>> = answer.sets.iter().map(|s| s.interventions.iter().copied().collect()).collect();
        let mut at = 0;
        answer.sets.retain(|_| {
            at += 1;
            !all.iter().any(|other| other.len() < all[at - 1].len() && other.is_subset(&all[at - 1]))
        });
    }
    answer.sets.sort_by(|a, b| {
        a.cost
            .total_cmp(&b.cost)
            .then_with(|| a.interventions.len().cmp(&b.interventions.len()))
            .then_with(|| a.interventions.cmp(&b.interventions))
    });
    Ok(answer)
}

fn validate(model: &Model, network: &Network, task: &CutTask) -> Result<()> {
    check(model, network, &task.interventions)?;
    task.targets.iter().chain(&task.protected).try_for_each(|region| region.check(network.reactions()))?;
    if task.targets.is_empty() || task.protected.iter().any(|region| region.inner.is_some()) {
        return Err(Error::input(
            "E-FLUX-074",
            "標的領域がないか、保護領域に内側の目的関数があります",
            "there is no target region, or a protected region has an inner objective",
        )
        .hint(
            "標的を一つ以上与え、保護領域は制約だけで書いてください",
            "give at least one target, and write protected regions by limits alone",
        ));
    }
    Ok(())
}

/// The minimal cut sets of one choice of additions, one of each class.
fn search(base: &Network, task: &CutTask, ways: &Ways, answer: &mut CutSets) -> Result<Vec<Set>> {
    let ground = |region: &Region| Ground::new(region, base, &task.interventions, ways);
    let mut targets = task.targets.iter().map(ground).collect::<Result<Vec<_>>>()?;
    let mut protected = task.protected.iter().map(ground).collect::<Result<Vec<_>>>()?;
    let mut found: Vec<Set> = Vec::new();
    // The bits of costs, which are not negative, ascend with them; a set always costs more than its subsets.
    let mut open: BTreeSet<(u64, Set)> = BTreeSet::from([(0, Vec::new())]);
    while let Some((_, set)) = open.pop_first() {
        if found.iter().any(|cut| within(cut, &set)) {
            continue;
        }
        if answer.candidates >= task.max_candidates {
            answer.complete = false;
            break;
        }
        answer.candidates += 1;
        let mut viable = true;
        for ground in &mut protected {
            viable = viable && ground.witness(ways, &set)?.is_some();
        }
        if !viable {
            continue;
        }
        let mut left = None;
        for (k, ground) in targets.iter_mut().enumerate() {
            if let Some(at) = ground.witness(ways, &set)? {
                left = Some((k, at));
                break;
            }
        }
        let Some((k, at)) = left else {
            found.push(set);
            continue;
        };
        for next in targets[k].pool[at].next(ways, &set) {
            // A set to which nothing can be added matters only if it is a cut itself.
            if !ways.full(&next) || !survived(&targets, ways, &next) {
                open.insert((ways.cost(&next).to_bits(), next));
            }
        }
        targets.iter_mut().chain(&mut protected).for_each(Ground::trim);
    }
    answer.programmes += targets.iter().chain(&protected).map(Ground::programmes).sum::<usize>();
    Ok(found)
}

/// Whether a known point of a target survives a set.
fn survived(targets: &[Ground], ways: &Ways, set: &[u32]) -> bool {
    targets.iter().any(|ground| {
        let mask = ground.field.mask(ways, set);
        ground.pool.iter().rev().any(|point| point.survives(&mask, set))
    })
}

/// What proves a cut set, on the whole network with genes judged by their rules.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Proof {
    /// For each target, why no point is left (Farkas), over the network's rows and then the target's limits and those set.
    pub stopped: Vec<Conflict>,
    /// For each protected region, fluxes that remain.
    pub protected: Vec<Vec<f64>>,
    /// For each intervention, fluxes that would remain in a target (by number) without it; none when it is the protected
    /// regions that need it.
    pub needed: Vec<Option<(usize, Vec<f64>)>>,
}

/// Proves a cut set anew, without compression and with no use of the search: `None` when it is not one, or not minimal. The
/// regions must be without inner objectives.
///
/// That the removal of one intervention spoils the set proves it minimal among sets that only take away; with additions the
/// subsets are all tried.
///
/// # Errors
/// As for [`minimal_cuts`]; `E-FLUX-074` besides when a target has an inner objective, `E-FLUX-075` when a set with
/// additions has more than 16 interventions.
pub fn certify(model: &Model, network: &Network, task: &CutTask, set: &[usize]) -> Result<Option<Proof>> {
    validate(model, network, task)?;
    if task.targets.iter().any(|region| region.inner.is_some()) {
        return Err(Error::input(
            "E-FLUX-074",
            "内側の目的関数のある標的は証明できません",
            "targets with an inner objective cannot be proved",
        )
        .hint("制約だけの標的にしてください", "write the target by limits alone"));
    }
    if set.iter().any(|&at| at >= task.interventions.len()) {
        return Ok(None);
    }
    let judge = |chosen: &[usize]| -> Result<(Vec<Outcome>, Vec<Outcome>)> {
        let (strain, holds) = strain(model, network, &task.interventions, chosen);
        let solve = |region: &Region| remaining(&strain, region, &holds);
        let targets = task.targets.iter().map(solve).collect::<Result<Vec<_>>>()?;
        Ok((targets, task.protected.iter().map(solve).collect::<Result<Vec<_>>>()?))
    };
    let cut = |judged: &(Vec<Outcome>, Vec<Outcome>)| {
        judged.0.iter().all(|o| matches!(o, Outcome::Infeasible(_)))
            && !judged.1.iter().any(|o| matches!(o, Outcome::Infeasible(_)))
    };
    let whole = judge(set)?;
    if !cut(&whole) {
        return Ok(None);
    }
    let mut needed = Vec::with_capacity(set.len());
    for left_out in 0..set.len() {
        let rest: Vec<usize> = set.iter().enumerate().filter(|(k, _)| *k != left_out).map(|(_, &at)| at).collect();
        let judged = judge(&rest)?;
        if cut(&judged) {
            return Ok(None);
        }
        let point = judged.0.into_iter().enumerate().find_map(|(k, o)| o.optimum().map(|best| (k, best.primal)));
        needed.push(point);
    }
    if set.iter().any(|&at| task.interventions[at].adds()) {
        if set.len() > SUBSETS {
            return Err(Error::input(
                "E-FLUX-075",
                format!("追加を含む {} 個の介入は部分集合が多すぎて証明できません", set.len()),
                format!("{} interventions with additions among them have too many subsets to prove", set.len()),
            )
            .hint(format!("{SUBSETS} 個以下にしてください"), format!("ask about at most {SUBSETS}")));
        }
        for bits in 0..(1_usize << set.len()) - 1 {
            let part: Vec<usize> = set.iter().enumerate().filter(|(k, _)| bits >> k & 1 == 1).map(|(_, &at)| at).collect();
            if cut(&judge(&part)?) {
                return Ok(None);
            }
        }
    }
    let stopped = whole.0.into_iter().filter_map(|o| if let Outcome::Infeasible(why) = o { Some(why) } else { None });
    let protected = whole.1.into_iter().filter_map(|o| o.optimum().map(|best| best.primal));
    Ok(Some(Proof { stopped: stopped.collect(), protected: protected.collect(), needed }))
}

/// The network after interventions, and the limits they set; genes are judged by the rules themselves.
pub(super) fn strain<'a>(
    model: &Model,
    network: &Network,
    list: &'a [Intervention],
    chosen: &[usize],
) -> (Network, Vec<&'a Limit>) {
    let mut strain = network.clone();
    let (mut gone, mut resting, mut holds) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (at, intervention) in list.iter().enumerate() {
        let made = chosen.contains(&at);
        match &intervention.edit {
            Edit::RemoveGene(g) if made => {
                gone.insert(*g);
            }
            Edit::AddGene(g) if !made => {
                gone.insert(*g);
            }
            Edit::RemoveReaction(j) if made => {
                resting.insert(*j);
            }
            Edit::AddReaction(j) if !made => {
                resting.insert(*j);
            }
            Edit::Hold(limit) if made => holds.push(limit),
            _ => {}
        }
    }
    for (j, reaction) in model.reactions.iter().enumerate() {
        if reaction.gpr.as_ref().is_some_and(|gpr| !gpr.holds(&|gene| !gone.contains(&gene))) {
            resting.insert(j);
        }
    }
    for j in resting.into_iter().filter(|&j| j < network.reactions()) {
        strain.lower[j] = strain.lower[j].max(0.0);
        strain.upper[j] = strain.upper[j].min(0.0);
    }
    (strain, holds)
}

/// Whether a network has a point in a region within further limits, and which; or why not (Farkas), the region's limits
/// being the rows after the network's, the further ones those after them.
fn remaining(network: &Network, region: &Region, holds: &[&Limit]) -> Result<Outcome> {
    let limits = region.limits.iter().chain(holds.iter().copied());
    let problem = Problem { cost: vec![0.0; network.reactions()], ..bounded(network, limits)? };
    let Some(aim) = Aim::of(region) else { return Solver::new(problem)?.solve() };
    let row = network.rows();
    let mut open = Problem { cost: vec![0.0; network.reactions()], sense: aim.sense, ..bounded(network, holds.iter().copied())? };
    for &(j, a) in &region.limits[0].terms {
        open.cost[j] += a;
    }
    match Solver::new(open)?.solve()? {
        Outcome::Optimal(best) if !aim.is_reached(best.objective) => {
            // The prices bound the sum; with the sum's own row against them they contradict the limit.
            let mut ray: Vec<f64> = best.prices.iter().map(|price| -price).collect();
            ray.insert(row, 1.0);
            match Conflict::of(&problem, &ray) {
                Some(conflict) => Ok(Outcome::Infeasible(conflict)),
                None => Solver::new(problem)?.solve(),
            }
        }
        // What is infeasible without the limit: its row has no weight.
        Outcome::Infeasible(mut why) => {
            why.ray.insert(row, 0.0);
            why.crossed = why.crossed.map(|at| if at >= network.reactions() + row { at + 1 } else { at });
            Ok(Outcome::Infeasible(why))
        }
        // Any limit is reached somewhere along the way.
        Outcome::Unbounded(_) => Solver::new(problem)?.solve(),
        other => Ok(other),
    }
}

/// The problem of a network with limits as rows after its own.
pub(super) fn bounded<'a>(network: &Network, limits: impl Iterator<Item = &'a Limit>) -> Result<Problem> {
    let mut problem = Problem::from(network);
    let mut columns: Vec<Vec<(usize, f64)>> = (0..network.reactions()).map(|j| problem.matrix.iter(j).collect()).collect();
    for limit in limits {
        for &(j, a) in &limit.terms {
            columns[j].push((problem.row_lower.len(), a));
        }
        problem.row_lower.push(limit.lower);
        problem.row_upper.push(limit.upper);
    }
    problem.matrix = Matrix::from_columns(problem.row_lower.len(), columns.iter().map(Vec::as_slice))
        .ok_or_else(|| Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large"))?;
    Ok(problem)
}
