//! `flux model`: what a metabolic model holds, for people and pages to look at.

use super::FLUX_UNIT;
use super::apart;
use super::source::load;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Diagnostic, Place, Result};
use toji_flux::Sense;
use toji_flux::io::any::Format;
use toji_flux::model::{Boundary, Member, Model, Reference, Scenario};

/// Input of `flux model`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the path of a file (SBML, COBRA JSON or YAML, MATLAB, COMBINE archive; also packed with gzip), or its address after an
    /// upload.
    ///
    /// モデル：ファイルの場所（SBML、COBRA の JSON・YAML、MATLAB、COMBINE アーカイブ。gzip 圧縮も可）、または送信後のアドレス。
    model: String,
    /// Show these reactions only.
    ///
    /// この反応だけを示す。
    #[serde(default)]
    reaction: Vec<String>,
    /// Show only reactions whose rule names one of these genes.
    ///
    /// 規則がこの遺伝子のいずれかを含む反応だけを示す。
    #[serde(default)]
    gene: Vec<String>,
    /// Show only reactions in which this text occurs: in identifier, name, subsystem, genes or metabolites.
    ///
    /// この語を、識別子・名前・経路・遺伝子・代謝物のいずれかに含む反応だけを示す。
    #[serde(default)]
    text: Option<String>,
}

/// An objective.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxModelObjective")]
struct Aim {
    /// Identifier.
    id: String,
    /// Is it made large or small?
    sense: Sense,
    /// Reactions and their weights.
    terms: Vec<(String, f64)>,
}

/// A compartment.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxCompartment")]
struct Compartment {
    /// Identifier.
    id: String,
    /// Name; none when it says no more than the identifier.
    name: Option<String>,
}

/// A metabolite.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxMetabolite")]
struct Metabolite {
    /// Identifier.
    id: String,
    /// Name; none when it says no more than the identifier.
    name: Option<String>,
    /// Compartment.
    compartment: Option<String>,
    /// Chemical formula.
    formula: Option<String>,
    /// Charge.
    charge: Option<f64>,
}

/// What a reaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FluxReactionKind")]
enum Kind {
    Exchange,
    Demand,
    Sink,
    Biomass,
    Transport,
    Internal,
}

/// A reaction.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxReaction")]
struct Reaction {
    /// Identifier.
    id: String,
    /// Name; none when it says no more than the identifier.
    name: Option<String>,
    /// Metabolites and coefficients, negative ones consumed.
    stoichiometry: Vec<(String, f64)>,
    /// Least flux; none where there is no bound.
    lower: Option<f64>,
    /// Greatest flux; none where there is no bound.
    upper: Option<f64>,
    /// Which genes it needs.
    gene_rule: Option<String>,
    /// Genes of the rule.
    genes: Vec<String>,
    /// Subsystem or pathway.
    subsystem: Option<String>,
    /// What it is for.
    kind: Kind,
}

/// A gene.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxGene")]
struct Gene {
    /// Identifier.
    id: String,
    /// Name; none when it says no more than the identifier.
    name: Option<String>,
}

/// Output of `flux model`.
#[derive(Debug, Serialize, JsonSchema)]
struct Held {
    /// File.
    file: String,
    /// Format, told by content.
    format: &'static str,
    /// Identifier of the model.
    id: String,
    /// Name of the model.
    name: Option<String>,
    /// Unit of fluxes, UCUM.
    flux_unit: String,
    /// Objective.
    objective: Option<Aim>,
    /// Compartments.
    compartments: Vec<Compartment>,
    /// Metabolites: those of the reactions shown, where some are chosen.
    metabolites: Vec<Metabolite>,
    /// Reactions: those chosen, or all.
    reactions: Vec<Reaction>,
    /// Genes: those of the reactions shown, where some are chosen.
    genes: Vec<Gene>,
    /// What the medium of the model offers: greatest uptake of each exchange, mmol/g/h.
    medium: BTreeMap<String, f64>,
    /// What to look at in the file, and what of it is not kept.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux model",
            label: ["代謝モデルの内容", "What a metabolic model holds"],
            about: [
                "代謝モデルの反応・代謝物・遺伝子を、化学量論、流束の上下限、遺伝子の規則、経路とともに示します。反応・遺伝子・語で絞り込めます。",
                "Shows the reactions, metabolites and genes of a metabolic model with stoichiometry, bounds, gene rules and subsystems; all of them, or those that a reaction, a gene or a text chooses.",
            ],
            positional: &["model"],
            example: "toji flux model iJO1366.xml.gz --text phosphofructokinase",
        },
        Effect::Read,
        model,
    )
}

/// A name, where it says more than the identifier.
fn saying(name: Option<&String>, id: &str) -> Option<String> {
    name.filter(|name| !name.trim().is_empty() && *name != id).cloned()
}

fn finite(bound: f64) -> Option<f64> {
    bound.is_finite().then_some(bound)
}

fn is_term(annotation: &[Reference], term: &str) -> bool {
    annotation.iter().any(|r| &*r.collection == "sbo" && r.id == term)
}

pub(super) fn code_of(format: Format) -> &'static str {
    match format {
        Format::Sbml => "sbml",
        Format::Json => "json",
        Format::Yaml => "yaml",
        Format::Omex => "omex",
        Format::Mat => "mat",
        Format::Gzip => "gzip",
        Format::Other => "other",
    }
}

/// Subsystem of each reaction: its own, else the first group it is a member of, subsystems before others.
fn subsystems(model: &Model) -> Vec<Option<String>> {
    const SUBSYSTEM: &str = "SBO:0000633";
    let mut told: Vec<Option<String>> = model.reactions.iter().map(|r| r.subsystem.clone().filter(|s| !s.is_empty())).collect();
    let (marked, others): (Vec<_>, Vec<_>) = model.groups.iter().partition(|g| is_term(&g.annotation, SUBSYSTEM));
    for group in marked.into_iter().chain(others) {
        for member in &group.members {
            if let Member::Reaction(at) = member
                && let Some(slot @ None) = told.get_mut(*at)
            {
                *slot = Some(group.name.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| group.id.clone()));
            }
        }
    }
    told
}

/// What each reaction is for.
fn kinds(model: &Model) -> Vec<Kind> {
    const BIOMASS: &str = "SBO:0000629";
    let alone = match model.active_objective().map(|o| o.terms.as_slice()) {
        Some([(only, _)]) => Some(*only),
        _ => None,
    };
    let kind = |(at, boundary): (usize, Option<Boundary>)| {
        let reaction = &model.reactions[at];
        let within = |m: &usize| model.metabolites[*m].compartment.as_deref();
        let places: BTreeSet<Option<&str>> = reaction.stoichiometry.iter().map(|(m, _)| within(m)).collect();
        match boundary {
            Some(Boundary::Exchange) => Kind::Exchange,
            Some(Boundary::Demand) => Kind::Demand,
            Some(Boundary::Sink) => Kind::Sink,
            None if is_term(&reaction.annotation, BIOMASS) || alone == Some(at) => Kind::Biomass,
            None if places.len() > 1 => Kind::Transport,
            None => Kind::Internal,
        }
    };
    model.boundaries().into_iter().enumerate().map(kind).collect()
}

/// The reactions that the input chooses; none when it chooses nothing.
fn chosen(model: &Model, input: &Input, subsystems: &[Option<String>]) -> Result<Option<BTreeSet<usize>>> {
    if input.reaction.is_empty() && input.gene.is_empty() && input.text.is_none() {
        return Ok(None);
    }
    let mut left: BTreeSet<usize> = (0..model.reactions.len()).collect();
    if !input.reaction.is_empty() {
        let named = input.reaction.iter().map(|id| model.reaction_named(id)).collect::<Result<BTreeSet<_>>>();
        let named = named.map_err(|e| e.at(Place::field("reaction")))?;
        left.retain(|r| named.contains(r));
    }
    if !input.gene.is_empty() {
        let genes = input.gene.iter().map(|id| model.gene_named(id)).collect::<Result<Vec<_>>>();
        let genes = genes.map_err(|e| e.at(Place::field("gene")))?;
        let theirs: BTreeSet<usize> = genes.iter().flat_map(|g| model.reactions_of_gene(*g)).copied().collect();
        left.retain(|r| theirs.contains(r));
    }
    if let Some(text) = &input.text {
        let text = text.to_lowercase();
        let has = |id: &str, name: Option<&String>| {
            id.to_lowercase().contains(&text) || name.is_some_and(|name| name.to_lowercase().contains(&text))
        };
        left.retain(|&at| {
            let reaction = &model.reactions[at];
            let genes = reaction.gpr.iter().flat_map(toji_flux::model::Gpr::genes).map(|g| &model.genes[g]);
            let metabolites = reaction.stoichiometry.iter().map(|(m, _)| &model.metabolites[*m]);
            has(&reaction.id, reaction.name.as_ref())
                || subsystems[at].as_ref().is_some_and(|s| has(s, None))
                || genes.into_iter().any(|g| has(&g.id, g.name.as_ref()))
                || metabolites.into_iter().any(|m| has(&m.id, m.name.as_ref()))
        });
    }
    Ok(Some(left))
}

async fn model(context: Context, input: Input) -> Result<Held> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let model = loaded.model();
        let subsystems = subsystems(model);
        let kinds = kinds(model);
        let chosen = chosen(model, &input, &subsystems)?;
        let shown = |at: usize| chosen.as_ref().is_none_or(|some| some.contains(&at));
        let gene = |g: usize| model.genes[g].id.clone();
        let (mut metabolites, mut genes): (BTreeSet<usize>, BTreeSet<usize>) = (BTreeSet::new(), BTreeSet::new());
        let mut reactions = Vec::new();
        for (at, reaction) in model.reactions.iter().enumerate().filter(|(at, _)| shown(*at)) {
            let own = reaction.gpr.as_ref().map(|gpr| gpr.genes()).unwrap_or_default();
            metabolites.extend(reaction.stoichiometry.iter().map(|t| t.0));
            reactions.push(Reaction {
                id: reaction.id.clone(),
                name: saying(reaction.name.as_ref(), &reaction.id),
                stoichiometry: reaction.stoichiometry.iter().map(|(m, c)| (model.metabolites[*m].id.clone(), *c)).collect(),
                lower: finite(reaction.lower),
                upper: finite(reaction.upper),
                gene_rule: reaction.gpr.as_ref().map(|gpr| gpr.text(&gene)),
                genes: own.iter().map(|g| gene(*g)).collect(),
                subsystem: subsystems[at].clone(),
                kind: kinds[at],
            });
            genes.extend(own);
        }
        let all = chosen.is_none();
        let metabolites = model.metabolites.iter().enumerate().filter(|(at, _)| all || metabolites.contains(at));
        let genes = model.genes.iter().enumerate().filter(|(at, _)| all || genes.contains(at));
        let compartments = model.compartments.iter();
        Ok(Held {
            file: loaded.file.clone(),
            format: code_of(loaded.format()),
            id: model.id.clone(),
            name: saying(model.name.as_ref(), &model.id),
            flux_unit: FLUX_UNIT.into(),
            objective: model.active_objective().map(|o| Aim {
                id: o.id.clone(),
                sense: o.sense,
                terms: o.terms.iter().map(|(r, c)| (model.reactions[*r].id.clone(), *c)).collect(),
            }),
            compartments: compartments.map(|c| Compartment { id: c.id.clone(), name: saying(c.name.as_ref(), &c.id) }).collect(),
            metabolites: metabolites
                .map(|(_, m)| Metabolite {
                    id: m.id.clone(),
                    name: saying(m.name.as_ref(), &m.id),
                    compartment: m.compartment.clone(),
                    formula: m.formula.clone(),
                    charge: m.charge,
                })
                .collect(),
            reactions,
            genes: genes.map(|(_, g)| Gene { id: g.id.clone(), name: saying(g.name.as_ref(), &g.id) }).collect(),
            medium: Scenario::new(model).medium(),
            findings: loaded.reading().findings.clone(),
        })
    })
    .await
}
