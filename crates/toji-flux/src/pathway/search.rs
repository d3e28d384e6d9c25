//! The sets of least cost.

use super::PathwayTask;
use super::route::{Bench, Route};
use super::universe::Universe;
use crate::lp::{Outcome, Problem, Solver};
use crate::model::Scenario;
use crate::network::{Network, Sense};
use std::collections::BTreeSet;
use toji_core::{Error, Place, Result, Text};

/// A reaction is favoured by prices beyond this.
const FAVOURED: f64 = 1e-9;
/// Share of the product asked for that may be missing.
const ROOM: f64 = 1e-7;

/// A set that makes the product possible but was refused.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Refused {
    /// Its reactions.
    pub reactions: Vec<String>,
    /// Why.
    pub because: Text,
}

/// Routes of least cost.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Routes {
    /// Most product of the host by itself, mmol/g/h; zero when it does not grow as asked.
    pub host: f64,
    /// Most product with everything at hand, mmol/g/h.
    pub everything: f64,
    /// Routes by cost, then by most product.
    pub routes: Vec<Route>,
    /// Sets without a driving force.
    pub refused: Vec<Refused>,
    /// Whether there is no other route within the limits of the task, or as many as asked for were found.
    pub complete: bool,
    /// Linear programmes of the search.
    pub programmes: usize,
}

/// The sets of reactions of least cost that make as much of the product possible as is asked for, none of which contains
/// another; each is verified in the host by itself. Nothing is found when the host makes as much already.
///
/// Exact up to the limits of the task: within `max_reactions` and `max_cost` every such set is found unless `max_candidates`
/// was reached first. A set that contains one which was refused for want of a driving force is not looked at.
///
/// # Errors
/// `E-FLUX-130` and `E-FLUX-132` for a universe or task that is none, `E-FLUX-133` when the product has no limit, those of
/// [`Universe`] and of [`crate::thermo::driving_force`].
pub fn routes(host: &Scenario<'_>, universe: &Universe, task: &PathwayTask) -> Result<Routes> {
    universe.check()?;
    if !(task.min_product > 0.0 && task.min_product.is_finite() && task.min_growth.is_finite()) || task.routes == 0 {
        return Err(Error::input(
            "E-FLUX-132",
            "生産の下限か経路の数が正の数ではありません",
            "the product asked for, or the number of routes, is not above zero",
        )
        .at(Place::field("min_product"))
        .hint("min_product と routes を正の数にしてください", "give min_product and routes above zero"));
    }
    let demand = format!("DM_route_{}", task.product);
    let all = universe.over(host, &task.product, &demand)?;
    let mut search = Search::new(&all, universe, task, &demand)?;
    let bench = Bench { host, universe, task, demand: &demand };
    let everything: Vec<u32> = (0..universe.reactions.len() as u32).collect();
    let most = search.judge(&everything)?.most;
    let mut answer = Routes {
        host: search.judge(&[])?.most.max(0.0),
        everything: most.max(0.0),
        routes: vec![],
        refused: vec![],
        complete: true,
        programmes: 0,
    };
    let enough = |most: f64| most >= task.min_product * (1.0 - ROOM);
    if enough(most) && !enough(answer.host) {
        let mut open: BTreeSet<(u64, Vec<u32>)> = BTreeSet::from([(0, Vec::new())]);
        let mut done: Vec<Vec<u32>> = Vec::new();
        let mut looked = 0;
        while let Some((_, set)) = open.pop_first() {
            if answer.routes.len() >= task.routes {
                break;
            }
            if looked >= task.max_candidates {
                answer.complete = false;
                break;
            }
            looked += 1;
            if done.iter().any(|d| d.iter().all(|item| set.binary_search(item).is_ok())) {
                continue;
            }
            let judged = search.judge(&set)?;
            if enough(judged.most) {
                done.push(set.clone());
                match bench.route(&set)? {
                    Ok(route) => answer.routes.push(route),
                    Err(refused) => answer.refused.push(refused),
                }
                continue;
            }
            open.extend(judged.favoured.into_iter().filter_map(|item| search.with(&set, item)));
        }
    }
    answer.programmes = search.programmes;
    answer.routes.sort_by(|a, b| {
        let near = (a.most - b.most).abs() <= 1e-6 * (1.0 + a.most.abs());
        let best = if near { std::cmp::Ordering::Equal } else { b.most.total_cmp(&a.most) };
        a.cost.total_cmp(&b.cost).then(best).then_with(|| a.ids().cmp(&b.ids()))
    });
    Ok(answer)
}

/// What a set can do, and what could do more.
struct Judged {
    /// Most product; none when there is no steady state.
    most: f64,
    /// Reactions of the universe that the prices favour.
    favoured: Vec<u32>,
}

struct Search<'a> {
    network: Network,
    solver: Solver,
    base: Solver,
    /// Columns of the universe.
    columns: Vec<usize>,
    task: &'a PathwayTask,
    costs: Vec<f64>,
    programmes: usize,
}

impl<'a> Search<'a> {
    fn new(all: &Scenario<'_>, universe: &Universe, task: &'a PathwayTask, demand: &str) -> Result<Self> {
        let mut network = all.network()?;
        let columns = universe.reactions.iter().map(|r| all.reaction_named(&r.id)).collect::<Result<Vec<usize>>>()?;
        let growth = all.reaction_named(&task.growth)?;
        network.lower[growth] = network.lower[growth].max(task.min_growth);
        let mut base = Solver::new(Problem { cost: vec![0.0; network.reactions()], ..Problem::from(&network) })?;
        for &j in &columns {
            base.set_bounds(j, 0.0, 0.0);
        }
        base.set_objective(Sense::Maximize, &[(all.reaction_named(demand)?, 1.0)]);
        base.solve()?;
        base.settle();
        let costs = universe.reactions.iter().map(|r| r.cost).collect();
        Ok(Self { network, solver: base.clone(), base, columns, task, costs, programmes: 1 })
    }

    fn judge(&mut self, set: &[u32]) -> Result<Judged> {
        self.solver.copy_from(&self.base);
        for &item in set {
            let j = self.columns[item as usize];
            self.solver.set_bounds(j, self.network.lower[j], self.network.upper[j]);
        }
        self.programmes += 1;
        let outside = (0..self.columns.len() as u32).filter(|item| set.binary_search(item).is_err());
        Ok(match self.solver.solve()? {
            Outcome::Optimal(best) => {
                let gains = |item: &u32| {
                    let j = self.columns[*item as usize];
                    let d = best.reduced_costs[j];
                    (d > FAVOURED && self.network.upper[j] > 0.0) || (d < -FAVOURED && self.network.lower[j] < 0.0)
                };
                Judged { most: best.objective, favoured: outside.filter(gains).collect() }
            }
            Outcome::Infeasible(conflict) => {
                // Only a reaction that the conflict weighs can resolve it.
                let weighs = |item: &u32| {
                    let column = self.columns[*item as usize];
                    self.network.stoichiometry.column_dot(column, &conflict.ray).abs() > FAVOURED
                };
                Judged { most: f64::NEG_INFINITY, favoured: outside.filter(weighs).collect() }
            }
            Outcome::Unbounded(_) => {
                return Err(Error::input("E-FLUX-133", "生成物に上限がありません", "the product has no limit")
                    .hint("取り込みと反応の上下限を有限にしてください", "make the bounds of uptakes and reactions finite"));
            }
        })
    }

    /// The set with one more reaction, with its cost as it is ordered by; nothing when it goes beyond the task's limits.
    fn with(&self, set: &[u32], item: u32) -> Option<(u64, Vec<u32>)> {
        let mut next = set.to_vec();
        next.insert(next.partition_point(|&other| other < item), item);
        let cost: f64 = next.iter().map(|&at| self.costs[at as usize]).sum();
        let fits = next.len() <= self.task.max_reactions && self.task.max_cost.is_none_or(|most| cost <= most + 1e-9);
        fits.then(|| (cost.to_bits(), next))
    }
}
