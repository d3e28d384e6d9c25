//! `flux fba`, `flux pfba`: the fluxes that serve the objective best, with their proof.

use super::source::load;
use super::{Certificate, FLUX_UNIT, Objective, Status, Trouble, apart, edited, name_of, objective_of, standing};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::analyse;
use toji_flux::lp::exact::{self, Exact};
use toji_flux::lp::{Optimum, Outcome, Problem};
use toji_flux::model::Scenario;

edited! {
    /// Input of `flux fba`.
    struct Input {
        /// Also prove the final basis optimal in exact rational arithmetic.
        ///
        /// 最終基底の最適性を厳密な有理数計算でも証明する。
        #[serde(default)]
        exact: bool,
        /// Leave out shadow prices and reduced costs.
        ///
        /// 双対価格と被約費用を省く。
        #[serde(default)]
        brief: bool,
    }
}

edited! {
    /// Input of `flux pfba`.
    struct LeastInput {
        /// Share of the optimum that is kept, 0 to 1.
        ///
        /// 保つ最適値の割合（0〜1）。
        #[serde(default = "whole")]
        fraction: f64,
    }
}

pub(super) fn whole() -> f64 {
    1.0
}

/// Rational multiplications that an exact proof may take; models of thousands of reactions stay below.
const MULTIPLICATIONS_MAX: usize = 50_000_000;

/// Output of `flux fba`.
#[derive(Debug, Serialize, JsonSchema)]
struct Solved {
    /// Is there an optimum?
    status: Status,
    /// Objective and value.
    objective: Objective,
    /// Unit of the fluxes, UCUM.
    flux_unit: String,
    /// Flux of each reaction.
    fluxes: BTreeMap<String, f64>,
    /// Change of the objective with one mmol/g/h more of each metabolite; empty when left out.
    shadow_prices: BTreeMap<String, f64>,
    /// Change of the objective with the bound at which each reaction stands; empty when left out.
    reduced_costs: BTreeMap<String, f64>,
    /// How far the numbers are from a perfect proof.
    certificate: Option<Certificate>,
    /// Why there is no optimum.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

/// Output of `flux pfba`.
#[derive(Debug, Serialize, JsonSchema)]
struct Least {
    /// Is there an optimum?
    status: Status,
    /// Objective and value.
    objective: Objective,
    /// Sum of the absolute fluxes.
    total_flux: Option<f64>,
    /// Unit of the fluxes, UCUM.
    flux_unit: String,
    /// Flux of each reaction.
    fluxes: BTreeMap<String, f64>,
    /// How far the numbers are from a perfect proof that no smaller total serves.
    certificate: Option<Certificate>,
    /// Why there is no optimum.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn fba() -> Operation {
    Operation::declare(
        Words {
            name: "flux fba",
            label: ["流束収支解析", "Flux balance analysis"],
            about: [
                "代謝モデルで目的（ふつうは増殖）を最大にする流束を求めます。最適であることの証明（双対価格と残差）が必ず付き、解がないときは矛盾する上下限を挙げます。遺伝子や反応の欠失、培地、上下限、目的は、モデルを書き換えずに変えられます。",
                "Finds the fluxes of a metabolic model that serve the objective, as a rule growth, best. Every answer carries its proof (prices and residuals); where there is none, the bounds that clash are named. Knock-outs, medium, bounds and objective are changed without touching the model.",
            ],
            positional: &["model"],
            example: "toji flux fba e_coli_core.xml.gz --knock-out b0720",
        },
        Effect::Read,
        solve,
    )
    .long()
}

pub(super) fn pfba() -> Operation {
    Operation::declare(
        Words {
            name: "flux pfba",
            label: ["最小流束の解析", "Parsimonious flux balance"],
            about: [
                "目的を最適値（またはその割合）に保つ流束のうち、絶対値の和が最小のものを求めます。",
                "Among the fluxes that keep the objective at its optimum, or a share of it, finds those whose absolute values sum to least.",
            ],
            positional: &["model"],
            example: "toji flux pfba iJO1366.xml.gz --fraction 0.95",
        },
        Effect::Read,
        least,
    )
    .long()
}

/// A share of the optimum.
pub(super) fn fraction(given: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&given) {
        return Ok(given);
    }
    Err(Error::input("E-FLUX-056", "割合は 0 から 1 です", "a fraction is between 0 and 1")
        .at(Place::field("fraction"))
        .hint("例: 0.9 は最適値の 90 % 以上を保ちます", "example: 0.9 keeps at least 90 % of the optimum"))
}

/// Without the sign of a zero, which says nothing.
fn plain(value: f64) -> f64 {
    value + 0.0
}

/// Fluxes by the names of their reactions.
pub(super) fn named(scenario: &Scenario<'_>, values: &[f64]) -> BTreeMap<String, f64> {
    let reactions = values.iter().take(scenario.reaction_count()).enumerate();
    reactions.map(|(j, v)| (name_of(scenario, j), plain(*v))).collect()
}

pub(super) fn certificate(optimum: &Optimum, exact: Option<Exact>) -> Certificate {
    let proof = optimum.proof;
    Certificate {
        max_primal_residual: proof.max_primal_residual,
        max_dual_infeasibility: proof.max_dual_infeasibility,
        duality_gap: proof.duality_gap,
        exact_proof: exact,
    }
}

async fn solve(context: Context, input: Input) -> Result<Solved> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let model = loaded.model();
        let scenario = input.edits().over(model)?;
        let network = scenario.network()?;
        let outcome = loaded.fba(&network)?;
        let (status, trouble) = standing(&outcome, &scenario);
        let mut objective = Objective { id: objective_of(&scenario), value: None, unit: FLUX_UNIT.into() };
        let mut solved = Solved {
            status,
            flux_unit: FLUX_UNIT.into(),
            fluxes: BTreeMap::new(),
            shadow_prices: BTreeMap::new(),
            reduced_costs: BTreeMap::new(),
            certificate: None,
            trouble,
            findings: loaded.reading().findings.clone(),
            objective: Objective { id: String::new(), value: None, unit: String::new() },
        };
        if let Outcome::Optimal(optimum) = &outcome {
            objective.value = Some(optimum.objective);
            solved.fluxes = named(&scenario, &optimum.primal);
            if !input.brief {
                solved.reduced_costs = named(&scenario, &optimum.reduced_costs);
                let prices = optimum.prices.iter().enumerate();
                solved.shadow_prices =
                    prices.filter_map(|(i, price)| scenario.metabolite(i).map(|m| (m.id.clone(), plain(*price)))).collect();
            }
            let proved = input.exact.then(|| exact::verify(&Problem::from(&network), optimum, MULTIPLICATIONS_MAX));
            solved.certificate = Some(certificate(optimum, proved.transpose()?));
        }
        solved.objective = objective;
        Ok(solved)
    })
    .await
}

async fn least(context: Context, input: LeastInput) -> Result<Least> {
    let fraction = fraction(input.fraction)?;
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let found = analyse::pfba(&scenario.network()?, fraction)?;
        let mut objective = Objective { id: objective_of(&scenario), value: None, unit: FLUX_UNIT.into() };
        let mut least = Least {
            status: Status::Optimal,
            total_flux: None,
            flux_unit: FLUX_UNIT.into(),
            fluxes: BTreeMap::new(),
            certificate: None,
            trouble: None,
            findings: loaded.reading().findings.clone(),
            objective: Objective { id: String::new(), value: None, unit: String::new() },
        };
        match found {
            Ok(found) => {
                objective.value = Some(found.objective);
                least.total_flux = Some(found.total);
                least.fluxes = named(&scenario, &found.fluxes);
                least.certificate = Some(certificate(&found.optimum, None));
            }
            Err(outcome) => (least.status, least.trouble) = standing(&outcome, &scenario),
        }
        least.objective = objective;
        Ok(least)
    })
    .await
}
