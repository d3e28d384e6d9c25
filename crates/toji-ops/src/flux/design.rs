//! `flux design`: which interventions make a metabolism do what is wanted.

use super::region::{limit, region, sum};
use super::source::load;
use super::{FLUX_UNIT, Trouble, apart, edited, name_of, number, standing};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::design::{self, CutTask, Edit, Intervention, KnockTask, Region};
use toji_flux::lp::Outcome;
use toji_flux::model::{Model, Scenario};
use toji_flux::network::Network;

/// Most sets that are told of.
const DESIGNS_MAX: usize = 10_000;

/// How designs are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FluxDesignMethod")]
enum Method {
    /// All minimal cut sets: the smallest sets after which no target region is possible and every protected one is.
    ///
    /// すべての最小カットセット。標的の領域を不可能にし、保護する領域を可能なまま残す最小の組。
    #[default]
    Cuts,
    /// Sets after which the best growth can come with the most product (`OptKnock`).
    ///
    /// 最良の増殖のもとで産物が最も多くなりうる組（OptKnock）。
    Optknock,
    /// Sets after which the best growth comes with the most product even at its least (`RobustKnock`).
    ///
    /// 最良の増殖のもとで、少なくとも得られる産物が最も多い組（RobustKnock）。
    Robustknock,
}

/// What is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FluxDesignOver")]
enum Over {
    /// Genes, through the rules of the reactions.
    ///
    /// 遺伝子。反応の規則を通して働く。
    #[default]
    Genes,
    /// Reactions.
    ///
    /// 反応。
    Reactions,
}

edited! {
    /// Input of `flux design`.
    struct Input {
        /// How designs are found.
        ///
        /// 設計の求め方。
        #[serde(default)]
        method: Method,
        /// What is taken out: genes or reactions.
        ///
        /// 欠失させるもの（遺伝子または反応）。
        #[serde(default)]
        over: Over,
        /// Genes or reactions that may be taken out; all genes, or all reactions with a gene rule, when none is named.
        ///
        /// 欠失させてよい遺伝子または反応。省略時はすべての遺伝子、または遺伝子の規則を持つすべての反応。
        #[serde(default)]
        of: Vec<String>,
        /// Genes or reactions that stay.
        ///
        /// 欠失させない遺伝子または反応。
        #[serde(default)]
        keep: Vec<String>,
        /// Genes or reactions of the model that are absent unless a design brings them in.
        ///
        /// 設計が導入しない限り存在しないとみなす、モデル中の遺伝子または反応。
        #[serde(default)]
        insert: Vec<String>,
        /// Regulations that a design may use, as limits: `PFK <= 5`.
        ///
        /// 設計が用いてよい発現調節。流束の制限として書く（例: PFK <= 5）。
        #[serde(default)]
        hold: Vec<String>,
        /// Costs by gene, reaction or regulation; 1 when not named.
        ///
        /// 遺伝子・反応・調節ごとの費用。省略したものは 1。
        #[serde(default)]
        costs: BTreeMap<String, Json>,
        /// Regions made impossible, for cuts: `EX_succ_e <= 1`; limits of one region are parted by commas, `max BIOMASS` among
        /// them counts only the best growth. Or JSON.
        ///
        /// カットセットで不可能にする領域（例: EX_succ_e <= 1）。一つの領域の制限はコンマで区切り、max BIOMASS を加えると最良の増殖だけを対象にする。JSON も可。
        #[serde(default)]
        target: Vec<Json>,
        /// Regions that stay possible, for cuts, written in the same way.
        ///
        /// カットセットで可能なまま残す領域。書き方は同じ。
        #[serde(default)]
        protect: Vec<Json>,
        /// Flux or sum of fluxes that is wanted, e.g. `EX_succ_e`.
        ///
        /// 望む流束またはその和（例: EX_succ_e）。
        #[serde(default)]
        product: Option<String>,
        /// Flux or sum of fluxes that the cell aims at; the objective when missing.
        ///
        /// 細胞が最大にする流束またはその和。省略時は目的関数。
        #[serde(default)]
        growth: Option<String>,
        /// Least growth of a design, for OptKnock and RobustKnock.
        ///
        /// 設計に求める最小の増殖（OptKnock・RobustKnock）。
        #[serde(default = "least")]
        min_growth: f64,
        /// Most interventions of a design.
        ///
        /// 一つの設計の介入の最大数。
        #[serde(default = "three")]
        max_size: usize,
        /// Most cost of a design; no limit when missing.
        ///
        /// 一つの設計の費用の上限。省略時は制限なし。
        #[serde(default)]
        max_cost: Option<f64>,
        /// Most designs that are told of.
        ///
        /// 答える設計の最大数。
        #[serde(default = "ten")]
        designs: usize,
        /// Most candidates that are looked at, for cuts.
        ///
        /// カットセットで調べる候補の最大数。
        #[serde(default = "many")]
        max_candidates: usize,
        /// Prove every cut set told of once more, on the whole network and without the search.
        ///
        /// 答えるカットセットを、探索とは別に全体のネットワークで証明し直す。
        #[serde(default)]
        proof: bool,
    }
}

fn least() -> f64 {
    0.05
}
fn three() -> usize {
    3
}
fn ten() -> usize {
    10
}
fn many() -> usize {
    200_000
}

/// What an intervention does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "FluxIntervention")]
enum Change {
    RemoveGene,
    RemoveReaction,
    AddGene,
    AddReaction,
    Hold,
}

/// An intervention.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "FluxDesignStep")]
struct Made {
    /// What is done.
    change: Change,
    /// To which gene or reaction, or the limit that is held.
    id: String,
}

/// A design.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxDesign")]
struct Found {
    /// Interventions.
    interventions: Vec<Made>,
    /// Sum of their costs.
    cost: f64,
    /// Best growth after them.
    growth: Option<f64>,
    /// Least and greatest product at the best growth.
    product: Option<[f64; 2]>,
    /// Did the proof hold? None where none was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    proved: Option<bool>,
}

/// Output of `flux design`.
#[derive(Debug, Serialize, JsonSchema)]
struct Designs {
    /// How designs were found.
    method: Method,
    /// What is taken out.
    over: Over,
    /// What the cell aims at.
    growth_of: String,
    /// What is wanted.
    product_of: Option<String>,
    /// Unit of growth and product, UCUM. A biomass reaction runs in 1/h by custom.
    flux_unit: String,
    /// The strain without any intervention; none when nothing meets its bounds.
    wild_type: Option<Wild>,
    /// Designs, best or smallest first.
    designs: Vec<Found>,
    /// Designs found, also those not told of.
    found: usize,
    /// Are these all within the limits of size and cost? OptKnock and RobustKnock find the best, not all.
    complete: bool,
    /// Candidates that were looked at.
    candidates: usize,
    /// Linear programmes that had to be solved.
    programmes: usize,
    /// Why there are no fluxes in the model as it is.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

/// The strain without interventions.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxWildType")]
struct Wild {
    /// Best growth.
    growth: f64,
    /// Least and greatest product at the best growth.
    product: Option<[f64; 2]>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux design",
            label: ["株の設計", "Strain design"],
            about: [
                "望む代謝にする介入の組を求めます。最小カットセットは、不可能にする領域と残す領域に対するすべての最小の組を、OptKnock と RobustKnock は増殖と産物が最もよく結び付く組を、いずれも厳密に求めます。遺伝子または反応の欠失、導入、調節と費用を扱い、設計ごとに介入後の増殖と産物の範囲を付けます。",
                "Finds sets of interventions that make a metabolism do what is wanted: all minimal cut sets for regions made impossible and regions kept, or the sets that couple product to growth best by OptKnock and RobustKnock, all of them exactly. Removals of genes or reactions, insertions, regulations and costs; each design comes with its growth and the range of its product.",
            ],
            positional: &["model"],
            example: "toji flux design e_coli_core.xml.gz --method robustknock --product EX_succ_e",
        },
        Effect::Read,
        run,
    )
    .long()
}

/// The interventions of a task, and how they are told.
struct Palette {
    list: Vec<Intervention>,
    told: Vec<Made>,
}

impl Palette {
    fn new(input: &Input, model: &Model, scenario: &Scenario<'_>) -> Result<Self> {
        let genes = input.over == Over::Genes;
        let find = |id: &String, field: &str| {
            let found = if genes { model.gene_named(id) } else { scenario.reaction_named(id) };
            found.map_err(|e| e.at(Place::field(field)))
        };
        let all = |ids: &[String], field: &str| ids.iter().map(|id| find(id, field)).collect::<Result<BTreeSet<usize>>>();
        let (kept, inserted) = (all(&input.keep, "keep")?, all(&input.insert, "insert")?);
        let candidates: BTreeSet<usize> = match input.of.as_slice() {
            [] if genes => (0..model.genes.len()).collect(),
            [] => (0..model.reactions.len()).filter(|r| model.reactions[*r].gpr.is_some()).collect(),
            of => all(of, "of")?,
        };
        let mut palette = Self { list: Vec::new(), told: Vec::new() };
        let mut unused: BTreeSet<&str> = input.costs.keys().map(String::as_str).collect();
        let mut put = |edit: Edit, change: Change, id: String| -> Result<()> {
            unused.remove(id.as_str());
            let cost = match input.costs.get(&id) {
                Some(given) => number(given, &format!("costs.{id}"))?,
                None => 1.0,
            };
            palette.list.push(Intervention { edit, cost });
            palette.told.push(Made { change, id });
            Ok(())
        };
        for at in candidates.difference(&kept).filter(|at| !inserted.contains(at)) {
            match model.genes.get(*at).filter(|_| genes) {
                Some(gene) => put(Edit::RemoveGene(*at), Change::RemoveGene, gene.id.clone())?,
                None => put(Edit::RemoveReaction(*at), Change::RemoveReaction, name_of(scenario, *at))?,
            }
        }
        for at in inserted {
            match model.genes.get(at).filter(|_| genes) {
                Some(gene) => put(Edit::AddGene(at), Change::AddGene, gene.id.clone())?,
                None => put(Edit::AddReaction(at), Change::AddReaction, name_of(scenario, at))?,
            }
        }
        for text in &input.hold {
            put(Edit::Hold(limit(text, scenario, "hold")?), Change::Hold, text.clone())?;
        }
        if let Some(name) = unused.first() {
            return Err(Error::input(
                "E-FLUX-061",
                format!("「{name}」は介入の候補にありません"),
                format!("\"{name}\" is none of the interventions"),
            )
            .at(Place::field(format!("costs.{name}")))
            .hint("of・insert・hold のいずれかで候補にしてください", "make it one by of, insert or hold"));
        }
        Ok(palette)
    }
}

/// A number of a field that must not be negative.
fn positive(value: f64, field: &str) -> Result<f64> {
    if value.is_finite() && value >= 0.0 {
        return Ok(value);
    }
    Err(Error::input("E-FLUX-062", format!("{field} は 0 以上の数です"), format!("{field} is a number of at least zero"))
        .at(Place::field(field))
        .hint("例: 0.05", "example: 0.05"))
}

/// Growth and product after a set, worked out on the whole network.
struct Judge<'a> {
    model: &'a Model,
    network: &'a Network,
    task: KnockTask,
    product: bool,
}

impl Judge<'_> {
    fn of(&self, set: &[usize]) -> Result<Option<Wild>> {
        let coupled = design::couple(self.model, self.network, &self.task, set)?;
        Ok(coupled.map(|c| Wild { growth: c.growth + 0.0, product: self.product.then_some([c.min + 0.0, c.max + 0.0]) }))
    }
}

async fn run(context: Context, input: Input) -> Result<Designs> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let mut designs = designs(&input, loaded.model())?;
        designs.findings = loaded.reading().findings.clone();
        Ok(designs)
    })
    .await
}

fn designs(input: &Input, model: &Model) -> Result<Designs> {
    let scenario = input.edits().over(model)?;
    let network = scenario.network()?;
    let palette = Palette::new(input, model, &scenario)?;
    let (growth_of, growth) = growth(input, &scenario)?;
    let product = input.product.as_ref().map(|text| sum(text, &scenario, "product")).transpose()?;
    let knock = input.method != Method::Cuts;
    if knock && product.is_none() {
        return Err(Error::input("E-FLUX-063", "望む産物を指定してください", "name the product that is wanted")
            .at(Place::field("product"))
            .hint("例: --product EX_succ_e", "example: --product EX_succ_e"));
    }
    if !(1..=DESIGNS_MAX).contains(&input.designs) {
        return Err(Error::input(
            "E-FLUX-064",
            format!("designs は 1〜{DESIGNS_MAX} です"),
            format!("designs is 1 to {DESIGNS_MAX}"),
        )
        .at(Place::field("designs"))
        .hint("例: 10", "example: 10"));
    }
    let max_cost = input.max_cost.map_or(Ok(f64::MAX), |cost| positive(cost, "max_cost"))?;
    let task = KnockTask {
        growth: growth.clone(),
        product: product.clone().unwrap_or(growth),
        min_growth: positive(input.min_growth, "min_growth")?,
        robust: input.method == Method::Robustknock,
        interventions: palette.list.clone(),
        max_size: input.max_size,
        max_cost,
        designs: input.designs,
    };
    let judge = Judge { model, network: &network, task, product: product.is_some() };
    let mut answer = Designs {
        method: input.method,
        over: input.over,
        growth_of,
        product_of: input.product.clone(),
        flux_unit: FLUX_UNIT.into(),
        wild_type: judge.of(&[])?,
        designs: Vec::new(),
        found: 0,
        complete: true,
        candidates: 0,
        programmes: 0,
        trouble: None,
        findings: Vec::new(),
    };
    if answer.wild_type.is_none() {
        let outcome = toji_flux::analyse::fba(&network)?;
        if let Outcome::Infeasible(_) = outcome {
            answer.trouble = standing(&outcome, &scenario).1;
        }
        if palette.told.iter().all(|made| !matches!(made.change, Change::AddGene | Change::AddReaction)) {
            return Ok(answer);
        }
    }
    let told = |set: &[usize], cost: f64, proved: Option<bool>| -> Result<Found> {
        let after = judge.of(set)?;
        Ok(Found {
            interventions: set.iter().map(|at| palette.told[*at].clone()).collect(),
            cost,
            growth: after.as_ref().map(|a| a.growth),
            product: after.and_then(|a| a.product),
            proved,
        })
    };
    if knock {
        let found = design::knock(model, &network, &judge.task)?;
        (answer.candidates, answer.programmes) = (found.candidates, found.programmes);
        answer.found = found.designs.len();
        answer.complete = false;
        answer.designs = found.designs.iter().map(|d| told(&d.interventions, d.cost, None)).collect::<Result<_>>()?;
        return Ok(answer);
    }
    let regions = |given: &[Json], field: &str| -> Result<Vec<Region>> {
        given.iter().map(|text| region(text, &scenario, field)).collect()
    };
    let task = CutTask {
        targets: regions(&input.target, "target")?,
        protected: regions(&input.protect, "protect")?,
        interventions: palette.list.clone(),
        max_size: input.max_size,
        max_cost,
        max_candidates: input.max_candidates,
    };
    let found = design::minimal_cuts(model, &network, &task)?;
    (answer.candidates, answer.programmes) = (found.candidates, found.programmes);
    (answer.found, answer.complete) = (found.sets.len(), found.complete);
    for set in found.sets.iter().take(input.designs) {
        let proved = match input.proof {
            true => Some(design::certify(model, &network, &task, &set.interventions)?.is_some()),
            false => None,
        };
        answer.designs.push(told(&set.interventions, set.cost, proved)?);
    }
    Ok(answer)
}

/// What the cell aims at, and how it is called.
fn growth(input: &Input, scenario: &Scenario<'_>) -> Result<(String, Vec<(usize, f64)>)> {
    if let Some(text) = &input.growth {
        return Ok((text.clone(), sum(text, scenario, "growth")?));
    }
    match scenario.objective().filter(|o| !o.terms.is_empty()) {
        Some(objective) => {
            let terms = objective.terms.iter().map(|(r, c)| (*r, c * objective.sense.sign())).collect();
            Ok((super::objective_of(scenario), terms))
        }
        None => Err(Error::input("E-FLUX-065", "モデルに目的関数がありません", "the model has no objective")
            .at(Place::field("growth"))
            .hint("例: --growth BIOMASS_Ecoli_core_w_GAM", "example: --growth BIOMASS_Ecoli_core_w_GAM")),
    }
}
