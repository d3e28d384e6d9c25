//! Deletions of genes: which reactions a gene takes with it, and what the network reaches then.

use super::delete::{Knockouts, Pairs, Removal, knockouts, pairs};
use crate::lp::Outcome;
use crate::model::{Gpr, Model};
use crate::network::Network;
use std::collections::HashMap;
use toji_core::Result;

/// The gene–reaction rules of a model, by gene.
#[derive(Debug, Clone)]
pub struct GeneRules<'a> {
    rules: Vec<(usize, &'a Gpr)>,
    by_gene: Vec<Vec<usize>>,
}

impl<'a> GeneRules<'a> {
    /// The rules of a model's reactions.
    #[must_use]
    pub fn new(model: &'a Model) -> Self {
        let rules: Vec<(usize, &Gpr)> =
            model.reactions.iter().enumerate().filter_map(|(j, r)| r.gpr.as_ref().map(|gpr| (j, gpr))).collect();
        let mut by_gene = vec![Vec::new(); model.genes.len()];
        for (at, (_, gpr)) in rules.iter().enumerate() {
            for gene in gpr.genes() {
                if let Some(list) = by_gene.get_mut(gene) {
                    list.push(at);
                }
            }
        }
        Self { rules, by_gene }
    }

    /// The reactions that fail without these genes, ascending.
    #[must_use]
    pub fn disabled(&self, genes: &[usize]) -> Vec<usize> {
        let mut rules: Vec<usize> = genes.iter().filter_map(|&g| self.by_gene.get(g)).flatten().copied().collect();
        rules.sort_unstable();
        rules.dedup();
        let fails = |at: &usize| !self.rules[*at].1.holds(&|gene| !genes.contains(&gene));
        rules.into_iter().filter(fails).map(|at| self.rules[at].0).collect()
    }

    /// The reactions that fail without both genes of a pair but with either, by the positions of the genes in the list,
    /// where the genes `out` are out already.
    #[must_use]
    pub fn only_together(&self, genes: &[usize], out: &[usize]) -> HashMap<(usize, usize), Vec<usize>> {
        let position: HashMap<usize, usize> = genes.iter().enumerate().map(|(at, &g)| (g, at)).collect();
        let mut extra: HashMap<(usize, usize), Vec<usize>> = HashMap::new();
        for (reaction, gpr) in &self.rules {
            let mut here: Vec<(usize, usize)> =
                gpr.genes().into_iter().filter_map(|g| position.get(&g).map(|&at| (at, g))).collect();
            here.sort_unstable();
            here.retain(|&(_, g)| gpr.holds(&|gene| gene != g && !out.contains(&gene)));
            for (k, &(a, first)) in here.iter().enumerate() {
                for &(b, second) in &here[k + 1..] {
                    if !gpr.holds(&|gene| gene != first && gene != second && !out.contains(&gene)) {
                        extra.entry((a, b)).or_default().push(*reaction);
                    }
                }
            }
        }
        extra
    }
}

/// What the network reaches without each reaction, alone.
///
/// # Errors
/// As for [`super::fba`].
pub fn single_reactions(network: &Network, how: &Removal) -> Result<Result<Knockouts, Outcome>> {
    let sets: Vec<Vec<usize>> = (0..network.reactions()).map(|j| vec![j]).collect();
    knockouts(network, &sets, how)
}

/// What the network of a model reaches without each of these genes, alone.
///
/// # Errors
/// As for [`super::fba`].
pub fn single_genes(model: &Model, network: &Network, genes: &[usize], how: &Removal) -> Result<Result<Knockouts, Outcome>> {
    let rules = GeneRules::new(model);
    let sets: Vec<Vec<usize>> = genes.iter().map(|&gene| rules.disabled(&[gene])).collect();
    knockouts(network, &sets, how)
}

/// What the network of a model reaches without each of these genes, and without each pair of them.
///
/// # Errors
/// As for [`super::fba`].
pub fn double_genes(model: &Model, network: &Network, genes: &[usize], how: &Removal) -> Result<Result<Pairs, Outcome>> {
    let rules = GeneRules::new(model);
    let sets: Vec<Vec<usize>> = genes.iter().map(|&gene| rules.disabled(&[gene])).collect();
    pairs(network, &sets, &rules.only_together(genes, &[]), how)
}
