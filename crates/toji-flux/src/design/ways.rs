//! The ways in which interventions stop reactions: for each reaction, the minimal sets that do.

use super::edit::{Edit, Intervention, ROUNDING};
use crate::compress::{Compressed, Image};
use crate::lp::Problem;
use crate::model::{Gpr, Model};
use crate::network::Network;
use std::collections::{BTreeMap, BTreeSet};

/// A set of interventions by number, ascending.
pub(super) type Set = Vec<u32>;

/// Whether all of `small` is in `large`; both ascend.
pub(super) fn within(small: &[u32], large: &[u32]) -> bool {
    let mut rest = large.iter();
    small.iter().all(|item| rest.by_ref().any(|other| other == item))
}

/// The union, ascending.
pub(super) fn union(a: &[u32], b: &[u32]) -> Set {
    let set: BTreeSet<u32> = a.iter().chain(b).copied().collect();
    set.into_iter().collect()
}

/// What limits the sets that are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Most interventions.
    pub(super) size: usize,
    /// Most cost.
    pub(super) cost: f64,
}

/// What an intervention does: where, and together with which others.
type Effect = BTreeSet<((u8, usize), Set)>;

/// The ways of one set of additions.
#[derive(Debug)]
pub(super) struct Ways {
    /// Cost of each intervention.
    cost: Vec<f64>,
    /// Minimal sets that stop each reaction.
    pub(super) of: Vec<Vec<Set>>,
    /// For each intervention, the reactions it helps to stop.
    helps: Vec<Vec<u32>>,
    /// Interventions of the same effect and cost as each that leads its class, itself among them; empty for the others.
    twins: Vec<Vec<u32>>,
    /// The limits that may be set: intervention and its number among the limits.
    pub(super) holds: Vec<u32>,
    pub(super) budget: Budget,
}

impl Ways {
    /// The ways of these interventions where those of `added` that add are made, and the network without what is absent.
    pub(super) fn new(
        model: &Model,
        network: &Network,
        list: &[Intervention],
        added: &[usize],
        budget: Budget,
    ) -> (Self, Network) {
        let n = network.reactions();
        let cost: Vec<f64> = list.iter().map(|i| i.cost).collect();
        let mut genes: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        let mut absent_genes = BTreeSet::new();
        let mut of: Vec<Vec<Set>> = vec![Vec::new(); n];
        let mut holds = Vec::new();
        let mut base = network.clone();
        for (at, intervention) in list.iter().enumerate() {
            let item = at as u32;
            match &intervention.edit {
                Edit::RemoveGene(g) => genes.entry(*g).or_default().push(item),
                Edit::RemoveReaction(j) => of[*j].push(vec![item]),
                Edit::AddGene(g) if !added.contains(&at) => {
                    absent_genes.insert(*g);
                }
                Edit::AddReaction(j) if !added.contains(&at) => stop(&mut base, *j),
                Edit::Hold(_) => holds.push(item),
                Edit::AddGene(_) | Edit::AddReaction(_) => {}
            }
        }
        let mut ways = Self { cost, of: Vec::new(), helps: Vec::new(), twins: Vec::new(), holds, budget };
        for (j, reaction) in model.reactions.iter().enumerate().take(n) {
            if let Some(gpr) = &reaction.gpr {
                of[j].extend(ways.failing(gpr, &genes, &absent_genes));
            }
            of[j] = minimal(std::mem::take(&mut of[j]));
            if of[j].iter().any(Vec::is_empty) {
                stop(&mut base, j);
                of[j].clear();
            }
        }
        ways.of = of;
        ways.gather(&base, list.len());
        (ways, base)
    }

    /// The minimal sets without which a rule fails (its prime implicates), within the budget.
    fn failing(&self, gpr: &Gpr, genes: &BTreeMap<usize, Vec<u32>>, absent: &BTreeSet<usize>) -> Vec<Set> {
        match gpr {
            Gpr::Gene(g) if absent.contains(g) => vec![Vec::new()],
            Gpr::Gene(g) => genes.get(g).into_iter().flatten().map(|&item| vec![item]).collect(),
            Gpr::And(parts) => minimal(parts.iter().flat_map(|part| self.failing(part, genes, absent)).collect()),
            Gpr::Or(parts) => {
                let mut sets = vec![Vec::new()];
                for part in parts {
                    let more = self.failing(part, genes, absent);
                    let both = sets.iter().flat_map(|a: &Set| more.iter().map(|b| union(a, b)));
                    sets = minimal(both.filter(|set| self.affordable(set)).collect());
                }
                sets
            }
        }
    }

    /// Finds interventions that do the same, and keeps the ways of one of each class.
    fn gather(&mut self, base: &Network, items: usize) {
        let n = base.reactions();
        let small = Compressed::new(&Problem { cost: vec![0.0; n], ..Problem::from(base) });
        let rests = |j: usize| base.lower.get(j).is_none_or(|&l| l <= 0.0) && base.upper.get(j).is_none_or(|&u| u >= 0.0);
        // Reactions that move together stop together, unless one of them is forced to move.
        let place = |j: usize| match small.images[j] {
            Image::Zero if rests(j) => None,
            Image::Multiple { column, .. } if small.members[column].iter().all(|member| rests(member.0)) => Some((0, column)),
            _ => Some((1, j)),
        };
        let mut effect: Vec<Effect> = vec![BTreeSet::new(); items];
        for (j, sets) in self.of.iter().enumerate() {
            let Some(place) = place(j) else { continue };
            for set in sets {
                for &item in set {
                    effect[item as usize].insert((place, set.iter().copied().filter(|&other| other != item).collect()));
                }
            }
        }
        let mut classes: BTreeMap<(u64, &Effect), Vec<u32>> = BTreeMap::new();
        for (item, effect) in effect.iter().enumerate().filter(|(_, effect)| !effect.is_empty()) {
            classes.entry((self.cost[item].to_bits(), effect)).or_default().push(item as u32);
        }
        self.twins = vec![Vec::new(); items];
        for class in classes.into_values() {
            let leader = class[0] as usize;
            self.twins[leader] = class;
        }
        for &item in &self.holds {
            self.twins[item as usize] = vec![item];
        }
        let twins = &self.twins;
        self.helps = vec![Vec::new(); items];
        for (j, sets) in self.of.iter_mut().enumerate() {
            sets.retain(|set| set.iter().all(|&item| !twins[item as usize].is_empty()));
            for &item in sets.iter().flatten().collect::<BTreeSet<_>>() {
                self.helps[item as usize].push(j as u32);
            }
        }
    }

    /// Cost of a set.
    pub(super) fn cost(&self, set: &[u32]) -> f64 {
        set.iter().map(|&item| self.cost[item as usize]).sum()
    }

    /// Whether a set is within the budget.
    pub(super) fn affordable(&self, set: &[u32]) -> bool {
        set.len() <= self.budget.size && self.cost(set) <= self.budget.cost + ROUNDING
    }

    /// Whether nothing can be added to a set within the budget.
    pub(super) fn full(&self, set: &[u32]) -> bool {
        let least = self.cost.iter().fold(f64::INFINITY, |a, &c| a.min(c));
        set.len() >= self.budget.size || self.cost(set) + least > self.budget.cost + ROUNDING
    }

    /// Whether any way of stopping this reaction is in the set.
    pub(super) fn stops(&self, set: &[u32], reaction: usize) -> bool {
        self.of[reaction].iter().any(|way| within(way, set))
    }

    /// The reactions that a set stops, ascending.
    pub(super) fn stopped(&self, set: &[u32]) -> Vec<usize> {
        let near: BTreeSet<u32> = set.iter().flat_map(|&item| &self.helps[item as usize]).copied().collect();
        near.into_iter().map(|j| j as usize).filter(|&j| self.stops(set, j)).collect()
    }

    /// All sets that do what this one does, each intervention replaced by those of the same effect.
    pub(super) fn spread(&self, set: &[u32]) -> Vec<Set> {
        let mut sets = vec![Vec::new()];
        for &item in set {
            let class = &self.twins[item as usize];
            sets = sets.iter().flat_map(|s: &Set| class.iter().map(|&twin| union(s, &[twin]))).collect();
        }
        sets
    }
}

/// Makes a reaction rest.
fn stop(network: &mut Network, j: usize) {
    network.lower[j] = network.lower[j].max(0.0);
    network.upper[j] = network.upper[j].min(0.0);
}

/// The sets that contain no other, each once, smaller ones first.
pub(super) fn minimal(mut sets: Vec<Set>) -> Vec<Set> {
    sets.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    sets.dedup();
    let mut kept: Vec<Set> = Vec::new();
    for set in sets {
        if !kept.iter().any(|k| within(k, &set)) {
            kept.push(set);
        }
    }
    kept
}
