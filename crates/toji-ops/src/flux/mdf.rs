//! `flux mdf`: the driving force that a pathway of a model can have in all its steps at once.

use super::source::load;
use super::{apart, number, range};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Diagnostic, Error, Place, Result, Text};
use toji_flux::lp::Outcome;
use toji_flux::model::{Formula, Metabolite, Model};
use toji_flux::thermo::{self, Concentration, Direction, Pathway, Ratio, Step};

/// Input of `flux mdf`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the path of a file (SBML, COBRA JSON or YAML, MATLAB, COMBINE archive; also packed with gzip), or its address after an
    /// upload.
    ///
    /// モデル：ファイルの場所（SBML、COBRA の JSON・YAML、MATLAB、COMBINE アーカイブ。gzip 圧縮も可）、または送信後のアドレス。
    model: String,
    /// Reactions of the pathway with their standard transformed Gibbs energy in kJ/mol, or `[energy, standard deviation]`; `-PGK`
    /// runs backward, and its energy is that of the backward direction.
    ///
    /// 経路の反応と、その標準変換ギブズエネルギー（kJ/mol）または [エネルギー, 標準偏差]。-PGK は逆向きで、エネルギーもその向きの値。
    energies: BTreeMap<String, Json>,
    /// Concentrations in mol/L by metabolite: a number, or `[lowest, highest]`.
    ///
    /// 代謝物の濃度（mol/L）。数、または [最低, 最高]。
    #[serde(default)]
    concentrations: BTreeMap<String, Json>,
    /// Ratios of two concentrations that are kept: `atp_c/adp_c` with a number, or `[lowest, highest]`.
    ///
    /// 保つ濃度比。atp_c/adp_c に対し、数、または [最低, 最高]。
    #[serde(default)]
    ratios: BTreeMap<String, Json>,
    /// Lowest concentration of all other metabolites, mol/L.
    ///
    /// そのほかの代謝物の最低濃度（mol/L）。
    #[serde(default = "lowest")]
    lowest_mol_per_l: f64,
    /// Highest concentration of all other metabolites, mol/L.
    ///
    /// そのほかの代謝物の最高濃度（mol/L）。
    #[serde(default = "highest")]
    highest_mol_per_l: f64,
    /// Metabolites left out besides water and protons, whose activity is part of the energies.
    ///
    /// 水とプロトンのほかに除く代謝物。これらの活量はエネルギーに含まれる。
    #[serde(default)]
    without: Vec<String>,
    /// Temperature, °C.
    ///
    /// 温度（°C）。
    #[serde(default = "warm")]
    temperature_c: f64,
    /// By how many standard deviations each energy may differ, to the pathway's favour.
    ///
    /// 各エネルギーが経路に有利な向きに外れてよい幅（標準偏差の倍数）。
    #[serde(default)]
    spread: f64,
}

fn lowest() -> f64 {
    1e-6
}
fn highest() -> f64 {
    1e-2
}
fn warm() -> f64 {
    25.0
}

/// A step at the best concentrations.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxStep")]
struct Driven {
    /// Reaction; with `-` it runs backward.
    reaction: String,
    /// What it uses and makes, without water and protons.
    stoichiometry: Vec<(String, f64)>,
    /// Standard energy, kJ/mol.
    standard_kj_per_mol: f64,
    /// Driving force at the best concentrations, kJ/mol.
    driving_kj_per_mol: Option<f64>,
    /// Share of the step in the limit; above zero it is a bottleneck.
    bottleneck: Option<f64>,
    /// Lowest and highest energy over all concentrations, each metabolite on its own, kJ/mol.
    range_kj_per_mol: [f64; 2],
    /// Direction that is left.
    direction: Direction,
}

/// Output of `flux mdf`.
#[derive(Debug, Serialize, JsonSchema)]
struct Forced {
    /// Max–min driving force, kJ/mol; none when the concentrations contradict the ratios.
    force_kj_per_mol: Option<f64>,
    /// Can every step run forward at once?
    feasible: bool,
    /// Why there is no answer.
    why: Option<Text>,
    /// Steps.
    steps: Vec<Driven>,
    /// Concentrations that reach the force, mol/L; as a rule not the only ones.
    concentrations_mol_per_l: BTreeMap<String, f64>,
    /// Temperature, K.
    temperature_k: f64,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux mdf",
            label: ["経路の駆動力", "Driving force of a pathway"],
            about: [
                "経路のすべての反応が同時に持てる駆動力の最大値（max-min driving force）を、標準変換ギブズエネルギーと濃度の範囲から求めます。律速となる反応、そのときの濃度、濃度の範囲で許される各反応の向きを付けます。",
                "Finds the greatest driving force that all steps of a pathway can have at once (max-min driving force), from standard transformed Gibbs energies and ranges of concentrations, with the bottlenecks, concentrations that reach it, and the direction that the concentrations leave each step.",
            ],
            positional: &["model"],
            example: "toji flux mdf e_coli_core.xml.gz --energies @energies.json",
        },
        Effect::Read,
        force,
    )
}

/// Water or a proton, by formula.
fn is_water_or_proton(metabolite: &Metabolite) -> bool {
    let formula = metabolite.formula.as_deref().and_then(|text| Formula::parse(text).ok());
    formula.is_some_and(|formula| {
        let atoms: Vec<(&str, f64)> = formula.atoms.iter().map(|(e, n)| (e.as_str(), *n)).collect();
        atoms == [("H", 1.0)] || atoms == [("H", 2.0), ("O", 1.0)]
    })
}

/// A number, or a pair of numbers.
fn pair(given: &Json, field: &str) -> Result<(f64, f64)> {
    match given {
        Json::Array(_) => range(given, field),
        Json::String(text) if text.trim_start().starts_with('[') => range(given, field),
        other => number(other, field).map(|n| (n, n)),
    }
}

fn pathway(input: &Input, model: &Model) -> Result<(Pathway, Vec<String>, Vec<usize>)> {
    let without = input.without.iter().map(|id| model.metabolite_named(id)).collect::<Result<BTreeSet<_>>>();
    let without = without.map_err(|e| e.at(Place::field("without")))?;
    let (mut steps, mut names, mut compounds): (Vec<Step>, Vec<String>, Vec<usize>) = (Vec::new(), Vec::new(), Vec::new());
    for (name, given) in &input.energies {
        let field = format!("energies.{name}");
        let known = model.reaction(name).map(|at| (at, 1.0));
        let back = || name.strip_prefix('-').and_then(|id| model.reaction(id)).map(|at| (at, -1.0));
        let (at, sign) = match known.or_else(back) {
            Some(found) => found,
            None => (model.reaction_named(name.trim_start_matches('-')).map_err(|e| e.at(Place::field(&field)))?, 1.0),
        };
        let (standard, deviation) = match given {
            Json::Array(two) if two.len() == 2 => (number(&two[0], &field)?, number(&two[1], &field)?),
            other => (number(other, &field)?, 0.0),
        };
        let mut stoichiometry = Vec::new();
        for &(metabolite, coefficient) in &model.reactions[at].stoichiometry {
            if without.contains(&metabolite) || is_water_or_proton(&model.metabolites[metabolite]) {
                continue;
            }
            let place = compounds.iter().position(|m| *m == metabolite).unwrap_or_else(|| {
                compounds.push(metabolite);
                compounds.len() - 1
            });
            stoichiometry.push((place, sign * coefficient));
        }
        steps.push(Step { stoichiometry, standard, deviation });
        names.push(name.clone());
    }
    let place = |id: &str, field: &str| -> Result<usize> {
        let metabolite = model.metabolite_named(id).map_err(|e| e.at(Place::field(field)))?;
        compounds.iter().position(|m| *m == metabolite).ok_or_else(|| {
            Error::input("E-FLUX-069", format!("{id} は経路の反応にありません"), format!("{id} is in no step of the pathway"))
                .at(Place::field(field))
                .hint("経路の代謝物を指定してください", "name a metabolite of the pathway")
        })
    };
    let mut ranges = vec![Concentration { lower: input.lowest_mol_per_l, upper: input.highest_mol_per_l }; compounds.len()];
    for (id, given) in &input.concentrations {
        let field = format!("concentrations.{id}");
        let (lower, upper) = pair(given, &field)?;
        ranges[place(id, &field)?] = Concentration { lower, upper };
    }
    let mut ratios = Vec::new();
    for (text, given) in &input.ratios {
        let field = format!("ratios.{text}");
        let (over, under) = text.split_once('/').unwrap_or((text, ""));
        let (lower, upper) = pair(given, &field)?;
        ratios.push(Ratio { over: place(over.trim(), &field)?, under: place(under.trim(), &field)?, lower, upper });
    }
    let thermal = thermo::thermal_energy(input.temperature_c + 273.15);
    Ok((Pathway { steps, compounds: ranges, ratios, thermal, spread: input.spread }, names, compounds))
}

async fn force(context: Context, input: Input) -> Result<Forced> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let model = loaded.model();
        let (pathway, names, compounds) = pathway(&input, model)?;
        let ranges = thermo::energies(&pathway.steps, &pathway.compounds, pathway.thermal, pathway.spread)?;
        let found = thermo::driving_force(&pathway)?;
        let name = |at: usize| model.metabolites[compounds[at]].id.clone();
        let best = found.as_ref().ok();
        let why = match &found {
            Err(Outcome::Infeasible(_)) => {
                Some(Text::new("濃度の範囲と比が両立しません", "the ranges of concentrations contradict the ratios"))
            }
            Err(_) => Some(Text::new("駆動力に限りがありません", "the driving force has no limit")),
            Ok(_) => None,
        };
        let steps = names.into_iter().zip(&pathway.steps).zip(ranges).enumerate();
        Ok(Forced {
            force_kj_per_mol: best.map(|b| b.force),
            feasible: best.is_some_and(toji_flux::thermo::Force::is_feasible),
            why,
            steps: steps
                .map(|(at, ((reaction, step), energy))| Driven {
                    reaction,
                    stoichiometry: step.stoichiometry.iter().map(|(m, c)| (name(*m), *c)).collect(),
                    standard_kj_per_mol: step.standard,
                    driving_kj_per_mol: best.and_then(|b| b.driving.get(at).copied()),
                    bottleneck: best.and_then(|b| b.bottlenecks.get(at).copied()),
                    range_kj_per_mol: [energy.lowest, energy.highest],
                    direction: energy.direction,
                })
                .collect(),
            concentrations_mol_per_l: best
                .map(|b| b.concentrations.iter().enumerate().map(|(at, c)| (name(at), *c)).collect())
                .unwrap_or_default(),
            temperature_k: input.temperature_c + 273.15,
            findings: loaded.reading().findings.clone(),
        })
    })
    .await
}
