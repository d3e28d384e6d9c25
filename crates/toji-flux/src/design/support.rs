//! What stands behind each removal of a design: genes, isoenzymes, neighbours, what else would do, what it is needed for.

use super::strain::Strain;
use super::verify::{Names, need, optimum, whole};
use crate::lp::Solver;
use crate::model::{Gpr, Model, Scenario};
use crate::network::{Network, Sense};
use std::collections::BTreeSet;
use toji_core::Result;

/// Growth below this share of the host's is none.
const LETHAL: f64 = 0.01;

/// What a design comes to without one of its removals.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Need {
    /// Best growth, 1/h.
    pub growth: f64,
    /// Least product there, mmol/g/h.
    pub product: f64,
}

/// A removal, and what stands behind it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Edited {
    /// The gene or reaction.
    pub target: String,
    /// The genes to take out; of a reaction the fewest that stop it. Empty when no gene stops it.
    pub genes: Vec<String>,
    /// Reactions that stop with it.
    pub stops: Vec<String>,
    /// Reactions of its genes that go on through isoenzymes.
    pub isoenzymes: Vec<String>,
    /// Essential genes next to its genes by locus number: an insertion there may hit them.
    pub neighbours: Vec<String>,
    /// Other single genes that stop the same reactions.
    pub alternatives: Vec<String>,
    /// What the design is without this removal.
    pub without: Need,
}

/// What stands behind the removals of a strain.
pub(super) fn edited(scenario: &Scenario<'_>, strain: &Strain, names: Names) -> Result<Vec<Edited>> {
    let model = scenario.model();
    let mut list = Vec::new();
    if strain.genes_out.is_empty() && strain.reactions_out.is_empty() {
        return Ok(list);
    }
    // Strains that differ by a removal differ in bounds alone: one programme serves them all.
    let mut solver = whole(&strain.over(scenario)?.network()?)?;
    let mut host = Host::new(scenario, names)?;
    let parts = strain.genes_out.iter().map(|id| (id, true)).chain(strain.reactions_out.iter().map(|id| (id, false)));
    for (at, (target, is_gene)) in parts.enumerate() {
        let (genes, stops): (BTreeSet<usize>, Vec<usize>) = if is_gene {
            let gene = model.gene_named(target)?;
            (BTreeSet::from([gene]), stopped(model, gene))
        } else {
            let reaction = scenario.reaction_named(target)?;
            let rule = model.reactions.get(reaction).and_then(|r| r.gpr.as_ref());
            (rule.map(fewest).unwrap_or_default(), vec![reaction])
        };
        let touched: BTreeSet<usize> = genes.iter().flat_map(|&g| model.reactions_of_gene(g)).copied().collect();
        let goes_on = touched
            .into_iter()
            .filter(|j| model.reactions[*j].gpr.as_ref().is_some_and(|gpr| gpr.holds(&|gene| !genes.contains(&gene))));
        let mut rest = strain.clone();
        if at < strain.genes_out.len() {
            rest.genes_out.remove(at);
        } else {
            rest.reactions_out.remove(at - strain.genes_out.len());
        }
        let name = |j: usize| scenario.reaction(j).map_or_else(String::new, |r| r.id.clone());
        list.push(Edited {
            target: target.clone(),
            isoenzymes: goes_on.map(name).collect(),
            neighbours: host.neighbours(&genes)?,
            alternatives: alternatives(model, &genes, &stops),
            genes: genes.iter().map(|&g| model.genes[g].id.clone()).collect(),
            stops: stops.into_iter().map(name).collect(),
            without: need(&mut solver, &rest.over(scenario)?.network()?, names)?,
        });
    }
    Ok(list)
}

/// The reactions that stop without a gene.
pub(super) fn stopped(model: &Model, gene: usize) -> Vec<usize> {
    let fails = |j: &&usize| model.reactions[**j].gpr.as_ref().is_some_and(|gpr| !gpr.holds(&|g| g != gene));
    model.reactions_of_gene(gene).iter().filter(fails).copied().collect()
}

/// A small set of genes without which a rule fails: of a complex the part with the fewest, of isoenzymes all.
pub(super) fn fewest(rule: &Gpr) -> BTreeSet<usize> {
    match rule {
        Gpr::Gene(gene) => BTreeSet::from([*gene]),
        Gpr::And(parts) => parts.iter().map(fewest).min_by_key(BTreeSet::len).unwrap_or_default(),
        Gpr::Or(parts) => parts.iter().flat_map(fewest).collect(),
    }
}

fn alternatives(model: &Model, genes: &BTreeSet<usize>, stops: &[usize]) -> Vec<String> {
    let Some(&first) = stops.first() else { return Vec::new() };
    let Some(rule) = model.reactions.get(first).and_then(|r| r.gpr.as_ref()) else { return Vec::new() };
    let same = |g: &usize| !genes.contains(g) && stopped(model, *g) == stops;
    rule.genes().into_iter().filter(same).map(|g| model.genes[g].id.clone()).collect()
}

/// Letters and number of a locus name such as `b0903` or `H16_A1437`.
fn locus(id: &str) -> Option<(&str, u64)> {
    let letters = id.trim_end_matches(|c: char| c.is_ascii_digit());
    id[letters.len()..].parse().ok().map(|number| (letters, number))
}

/// Gives a programme the bounds of a network of the same reactions.
pub(super) fn take_bounds(solver: &mut Solver, network: &Network) {
    for j in 0..network.reactions() {
        let (lower, upper) = (network.lower[j], network.upper[j]);
        if solver.problem().lower[j] != lower || solver.problem().upper[j] != upper {
            solver.set_bounds(j, lower, upper);
        }
    }
}

/// The host without the design, from which genes are taken one at a time.
struct Host<'a, 'm> {
    scenario: &'a Scenario<'m>,
    growth: usize,
    solver: Solver,
    best: f64,
}

impl<'a, 'm> Host<'a, 'm> {
    fn new(scenario: &'a Scenario<'m>, names: Names) -> Result<Self> {
        let mut solver = whole(&scenario.network()?)?;
        let best = optimum(&mut solver, names.growth, Sense::Maximize)?.map_or(0.0, |f| f.0);
        Ok(Self { scenario, growth: names.growth, solver, best })
    }

    /// Essential genes at the next locus numbers.
    fn neighbours(&mut self, genes: &BTreeSet<usize>) -> Result<Vec<String>> {
        let model = self.scenario.model();
        let near = |id: &str| {
            let here = locus(id);
            genes.iter().any(|&g| match (here, locus(&model.genes[g].id)) {
                (Some((a, x)), Some((b, y))) => a == b && x.abs_diff(y) == 1,
                _ => false,
            })
        };
        let mut found = Vec::new();
        for gene in (0..model.genes.len()).filter(|g| !genes.contains(g) && near(&model.genes[*g].id)) {
            if stopped(model, gene).is_empty() {
                continue;
            }
            let mut without = self.scenario.clone();
            without.knock_out_genes(&[gene]);
            take_bounds(&mut self.solver, &without.network()?);
            let left = optimum(&mut self.solver, self.growth, Sense::Maximize)?.map_or(0.0, |f| f.0);
            if left < LETHAL * self.best {
                found.push(model.genes[gene].id.clone());
            }
        }
        Ok(found)
    }
}
