//! FROG reports: objective, flux variability, gene and reaction deletions, as curators exchange them to see whether a
//! model gives the same answers elsewhere.
//!
//! Raman et al. 2024, doi:10.1101/2024.09.24.614797; files `01_objective.tsv` to `04_reaction_deletion.tsv`.

mod compare;
mod table;

pub use compare::{Difference, compare};
pub use table::{FILES, read, write};

// Identifiers in a report are those of SBML, with prefix.
use super::sbml::identifier;
use crate::analyse::{Growth, Removal, Variability, fba, fva, single_genes, single_reactions};
use crate::lp::Outcome;
use crate::model::Model;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Category, Error, Result};

/// A range of a flux.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Range {
    /// Flux at some optimum: not unique.
    pub flux: f64,
    /// Least flux at the optimum.
    pub minimum: f64,
    /// Greatest flux at the optimum.
    pub maximum: f64,
}

/// A report. Where a value is `None`, the problem is infeasible.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// File name of the model.
    pub model: String,
    /// Identifier of the objective.
    pub objective: String,
    /// Value of the objective.
    pub value: Option<f64>,
    /// Ranges by reaction.
    pub ranges: BTreeMap<String, Option<Range>>,
    /// Objective left by gene taken out.
    pub genes: BTreeMap<String, Option<f64>>,
    /// Objective left by reaction taken out.
    pub reactions: BTreeMap<String, Option<f64>>,
}

/// Works a report out.
///
/// # Errors
/// `E-GEM-006`: the model has no active objective, or its optimum has no limit. As for the solver.
pub fn report(model: &Model, file: &str, threads: usize) -> Result<Report> {
    let unfit = |ja: &str, en: &str| {
        Error::new(Category::Model, "E-GEM-006", ja, en)
            .hint("目的関数と流束の境界を直してください", "correct the objective and the flux bounds")
    };
    let Some(objective) = model.active_objective() else {
        return Err(unfit("有効な目的関数がありません", "there is no active objective"));
    };
    let network = model.network()?;
    let mut report = Report { model: file.to_owned(), objective: objective.id.clone(), ..Report::default() };
    let reaction = |index: usize| identifier("R_", &model.reactions[index].id);
    let best = match fba(&network)? {
        Outcome::Optimal(best) => best,
        Outcome::Unbounded(_) => return Err(unfit("最適値に上限がありません", "the optimum has no limit")),
        Outcome::Infeasible(_) => {
            report.ranges = (0..model.reactions.len()).map(|r| (reaction(r), None)).collect();
            report.reactions = (0..model.reactions.len()).map(|r| (reaction(r), None)).collect();
            report.genes = model.genes.iter().map(|g| (identifier("G_", &g.id), None)).collect();
            return Ok(report);
        }
    };
    report.value = Some(best.objective);
    let how = Variability { fraction: 1.0, threads, compress: true };
    let ranges = fva(&network, &how)?.map_err(|_| unfit("範囲が求まりません", "the ranges cannot be found"))?;
    report.ranges = (0..model.reactions.len())
        .map(|r| (reaction(r), Some(Range { flux: best.primal[r], minimum: ranges.minimum[r], maximum: ranges.maximum[r] })))
        .collect();
    let how = Removal { threads, compress: true };
    let left = |growth: Growth| growth.value();
    let lost = || unfit("欠失を計算できません", "the deletions cannot be worked out");
    let genes = single_genes(model, &network, &(0..model.genes.len()).collect::<Vec<_>>(), &how)?.map_err(|_| lost())?;
    report.genes = model.genes.iter().zip(genes.results).map(|(g, v)| (identifier("G_", &g.id), left(v))).collect();
    let reactions = single_reactions(&network, &how)?.map_err(|_| lost())?;
    report.reactions = (0..model.reactions.len()).zip(reactions.results).map(|(r, v)| (reaction(r), left(v))).collect();
    Ok(report)
}
