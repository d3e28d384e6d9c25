//! How far reactions lie from a product, and which of them draw from its pathway.

use crate::network::Network;
use std::collections::VecDeque;

/// Farthest distance that is told apart.
const FAR: usize = 12;
/// Fluxes of the way above this, for each unit of product, are its pathway.
const ON: f64 = 0.2;
/// Reactions of more metabolites than this are sums of many, such as growth.
const MANY: usize = 12;
/// A metabolite of more reactions than this share of all, and than this number, is carried around and not made.
const CARRIED_SHARE: f64 = 0.02;
const CARRIED: usize = 12;

/// Distances from a product.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    /// Steps from the product to each metabolite of its pathway.
    metabolite: Vec<Option<usize>>,
    /// Steps from the product to each reaction, through any reactions.
    reaction: Vec<Option<usize>>,
    on: Vec<bool>,
}

impl Paths {
    pub(super) fn new(network: &Network, way: &[f64], product: usize) -> Self {
        let (count, reactions) = (network.rows(), network.reactions());
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); count];
        for j in 0..reactions {
            network.stoichiometry.iter(j).for_each(|t| users[t.0].push(j));
        }
        let limit = CARRIED.max((CARRIED_SHARE * reactions as f64) as usize);
        let carried: Vec<bool> = users.iter().map(|u| u.len() > limit).collect();
        let on: Vec<bool> = (0..reactions).map(|j| way.get(j).is_some_and(|v| v.abs() > ON)).collect();
        let walk = |only: &dyn Fn(usize) -> bool| {
            let mut steps: Vec<Option<usize>> = vec![None; count];
            let mut reached: Vec<Option<usize>> = vec![None; reactions];
            let mut open: VecDeque<usize> = VecDeque::new();
            for t in network.stoichiometry.iter(product) {
                steps[t.0] = Some(0);
                open.push_back(t.0);
            }
            while let Some(at) = open.pop_front() {
                let here = steps[at].unwrap_or(FAR);
                for &j in users[at].iter().filter(|j| only(**j)) {
                    if reached[j].is_some() {
                        continue;
                    }
                    reached[j] = Some(here);
                    if here >= FAR || network.stoichiometry.column(j).0.len() > MANY {
                        continue;
                    }
                    for t in network.stoichiometry.iter(j) {
                        if steps[t.0].is_none() && !carried[t.0] {
                            steps[t.0] = Some(here + 1);
                            open.push_back(t.0);
                        }
                    }
                }
            }
            (steps, reached)
        };
        let (metabolite, _) = walk(&|j| on[j]);
        let (_, reaction) = walk(&|_| true);
        Self { metabolite, reaction, on }
    }

    /// One at the product, less for each step away from it.
    pub(super) fn near(&self, j: usize) -> f64 {
        self.reaction[j].map_or(0.0, |steps| 1.0 / (1.0 + steps as f64 / 2.0))
    }

    /// How near to the product a reaction that is not on the pathway draws from it.
    pub(super) fn drains(&self, network: &Network, j: usize) -> f64 {
        if self.on[j] || network.stoichiometry.column(j).0.len() > MANY {
            return 0.0;
        }
        let takes = |t: &(usize, f64)| (t.1 < 0.0 && network.upper[j] > 0.0) || (t.1 > 0.0 && network.lower[j] < 0.0);
        let steps = network.stoichiometry.iter(j).filter(takes).filter_map(|t| self.metabolite[t.0]);
        steps.map(|s| 1.0 / (1.0 + s as f64 / 2.0)).fold(0.0, f64::max)
    }
}
