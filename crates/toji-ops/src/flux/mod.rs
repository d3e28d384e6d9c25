//! Flux: metabolic models looked at, checked and converted, their optima with proofs, ranges, deletions, courses and designs.

mod cellfree;
mod check;
mod co2;
mod community;
mod convert;
mod coupling;
mod delete;
mod design;
mod dfba;
mod envelope;
mod enzymes;
mod fba;
mod frog;
mod fva;
mod gas;
mod mdf;
mod media;
mod model;
mod moma;
mod pathway;
mod phase;
mod rank;
mod reference;
mod region;
mod sample;
mod source;
mod targets;
mod verify;

pub(crate) use source::Shelf;

use crate::operation::Operation;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result, Text};
use toji_flux::Sense;
use toji_flux::lp::Outcome;
use toji_flux::lp::exact::Exact;
use toji_flux::model::{Model, Scenario};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        model::operation(),
        check::operation(),
        convert::operation(),
        fba::fba(),
        fba::pfba(),
        fva::operation(),
        delete::operation(),
        envelope::operation(),
        phase::operation(),
        sample::operation(),
        moma::operation(),
        coupling::operation(),
        media::media(),
        media::gapfill(),
        enzymes::operation(),
        community::operation(),
        design::operation(),
        verify::verify(),
        verify::redesign(),
        targets::operation(),
        rank::operation(),
        pathway::operation(),
        dfba::operation(),
        mdf::operation(),
        cellfree::operation(),
        gas::operation(),
        frog::operation(),
        co2::operation(),
        reference::operation(),
    ]
}

/// Unit of fluxes, UCUM: mmol per gram of dry mass and hour.
const FLUX_UNIT: &str = "mmol/g/h";

/// An input about a model as some edits leave it, with fields of its own.
macro_rules! edited {
    ($(#[$about:meta])* struct $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        struct $name {
            /// Model: the path of a file (SBML, COBRA JSON or YAML, MATLAB, COMBINE archive; also packed with gzip), or its address after an upload.
            ///
            /// モデル：ファイルの場所（SBML、COBRA の JSON・YAML、MATLAB、COMBINE アーカイブ。gzip 圧縮も可）、または送信後のアドレス。
            model: String,
            $($(#[$of_field])* $field: $type,)*
            /// Genes or reactions taken out.
            ///
            /// 欠失させる遺伝子または反応。
            #[serde(default)]
            knock_out: Vec<String>,
            /// Bounds of reactions in mmol/g/h: name and `[lower, upper]`; null for no bound.
            ///
            /// 反応の流束の上下限（mmol/g/h）。名前と `[下限, 上限]`。null は制限なし。
            #[serde(default)]
            bounds: std::collections::BTreeMap<String, serde_json::Value>,
            /// Medium: exchange reactions and their greatest uptake in mmol/g/h; all others take nothing up.
            ///
            /// 培地：交換反応と最大取込み速度（mmol/g/h）。ほかの交換反応は取り込まない。
            #[serde(default)]
            medium: std::collections::BTreeMap<String, serde_json::Value>,
            /// Reaction whose flux is the objective, in place of the model's own.
            ///
            /// 目的とする反応。省略時はモデルの目的関数。
            #[serde(default)]
            objective: Option<String>,
            /// Make that flux as small as can be, not as large.
            ///
            /// その流束を最大ではなく最小にする。
            #[serde(default)]
            minimize: bool,
        }
        impl $name {
            fn edits(&self) -> $crate::flux::Edits<'_> {
                $crate::flux::Edits {
                    knock_out: &self.knock_out,
                    bounds: &self.bounds,
                    medium: &self.medium,
                    objective: self.objective.as_deref(),
                    minimize: self.minimize,
                }
            }
        }
    };
}
pub(crate) use edited;

/// What is changed of a model.
struct Edits<'a> {
    knock_out: &'a [String],
    bounds: &'a BTreeMap<String, Json>,
    medium: &'a BTreeMap<String, Json>,
    objective: Option<&'a str>,
    minimize: bool,
}

impl Edits<'_> {
    /// The model with the edits.
    fn over<'m>(&self, model: &'m Model) -> Result<Scenario<'m>> {
        let mut scenario = Scenario::new(model);
        if !self.medium.is_empty() {
            let mut uptakes = BTreeMap::new();
            for (exchange, given) in self.medium {
                uptakes.insert(exchange.clone(), number(given, &format!("medium.{exchange}"))?);
            }
            scenario.set_medium(&uptakes).map_err(|e| e.at(Place::field("medium")))?;
        }
        for (reaction, given) in self.bounds {
            let field = format!("bounds.{reaction}");
            let (lower, upper) = range(given, &field)?;
            scenario.set_bounds(reaction, lower, upper).map_err(|e| e.at(Place::field(field)))?;
        }
        for name in self.knock_out {
            let done = if model.gene(name).is_some() { scenario.knock_out_gene(name) } else { scenario.knock_out_reaction(name) };
            done.map_err(|_| {
                Error::not_found(
                    "E-FLUX-059",
                    format!("遺伝子にも反応にも「{name}」はありません"),
                    format!("there is neither a gene nor a reaction \"{name}\""),
                )
                .at(Place::field("knock_out"))
                .hint(
                    "`toji flux model モデル --text 語` で反応と遺伝子を探せます",
                    "`toji flux model MODEL --text WORD` finds reactions and genes",
                )
            })?;
        }
        let sense = if self.minimize { Sense::Minimize } else { Sense::Maximize };
        match self.objective {
            Some(reaction) => {
                scenario.set_objective(reaction, sense).map_err(|e| e.at(Place::field("objective")))?;
            }
            None if self.minimize => {
                return Err(Error::input("E-FLUX-051", "最小化する反応を指定してください", "name the reaction to minimise")
                    .at(Place::field("objective"))
                    .hint("例: --objective EX_ac_e --minimize", "example: --objective EX_ac_e --minimize"));
            }
            None => {}
        }
        Ok(scenario)
    }
}

/// What the objective of a scenario is called: its reaction, where it is one alone.
fn objective_of(scenario: &Scenario<'_>) -> String {
    match scenario.objective() {
        Some(objective) => match objective.terms.as_slice() {
            [(only, _)] => name_of(scenario, *only),
            _ => objective.id.clone(),
        },
        None => String::new(),
    }
}

fn number(given: &Json, field: &str) -> Result<f64> {
    let read = match given {
        Json::Number(n) => n.as_f64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    read.filter(|v: &f64| !v.is_nan()).ok_or_else(|| {
        Error::input("E-FLUX-050", format!("«{given}» は数ではありません"), format!("{given} is no number"))
            .at(Place::field(field))
            .hint("mmol/g/h の数を指定してください。例: 10", "give a number in mmol/g/h; example: 10")
    })
}

fn range(given: &Json, field: &str) -> Result<(f64, f64)> {
    let side = |given: &Json, open: f64| if given.is_null() { Ok(open) } else { number(given, field) };
    let parsed: Json;
    let pair = match given {
        Json::String(text) => {
            parsed = serde_json::from_str(text).unwrap_or(Json::Null);
            &parsed
        }
        other => other,
    };
    match pair.as_array().map(Vec::as_slice) {
        Some([lower, upper]) => Ok((side(lower, f64::NEG_INFINITY)?, side(upper, f64::INFINITY)?)),
        _ => Err(Error::input("E-FLUX-052", "上下限の組ではありません", "these are not two bounds")
            .at(Place::field(field))
            .hint("[下限, 上限] で指定してください。例: [-10, 1000]", "give [lower, upper]; example: [-10, 1000]")),
    }
}

/// How the answer of a linear programme stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FluxStatus")]
enum Status {
    Optimal,
    Infeasible,
    Unbounded,
}

/// The objective and its value.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxObjective")]
struct Objective {
    /// Reaction, or the objective's own name where it is a sum.
    id: String,
    /// Value; none when there is no optimum.
    value: Option<f64>,
    /// Unit, UCUM. A biomass reaction runs in 1/h by custom.
    unit: String,
}

/// How far the numbers are from a perfect proof of the optimum, on the problem as asked.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxCertificate")]
struct Certificate {
    /// Largest imbalance of a metabolite or violation of a bound, mmol/g/h.
    max_primal_residual: f64,
    /// Largest reduced cost of the wrong sign.
    max_dual_infeasibility: f64,
    /// Objective of the fluxes, less what the prices prove to be the best.
    duality_gap: f64,
    /// What exact rational arithmetic says of the final basis, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    exact_proof: Option<Exact>,
}

/// Why there is no optimum.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxTrouble")]
struct Trouble {
    /// In words.
    why: Text,
    /// Reactions whose bounds clash, or that can run without limit together.
    reactions: Vec<String>,
}

fn name_of(scenario: &Scenario<'_>, column: usize) -> String {
    scenario.reaction(column).map_or_else(|| format!("#{column}"), |r| r.id.clone())
}

/// Status of an answer, and what is in the way of an optimum.
fn standing(outcome: &Outcome, scenario: &Scenario<'_>) -> (Status, Option<Trouble>) {
    /// Parts of a ray below this share of the largest are rounding.
    const SHARE: f64 = 1e-7;
    match outcome {
        Outcome::Optimal(_) => (Status::Optimal, None),
        Outcome::Infeasible(conflict) => {
            let reactions = conflict.variables.iter().map(|j| name_of(scenario, *j)).collect();
            let why = Text::new(
                "収支と上下限をすべて満たす流束がありません。挙げた反応の上下限が互いに矛盾します",
                "no fluxes meet all balances and bounds; the bounds of the reactions listed contradict each other",
            );
            (Status::Infeasible, Some(Trouble { why, reactions }))
        }
        Outcome::Unbounded(direction) => {
            let largest = direction.ray.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
            let runs = direction.ray.iter().enumerate().filter(|(_, v)| v.abs() > SHARE * largest);
            let reactions = runs.map(|(j, _)| name_of(scenario, j)).collect();
            let why = Text::new(
                "目的に限りがありません。挙げた反応がともに際限なく流れます",
                "the objective has no limit; the reactions listed can run together for ever",
            );
            (Status::Unbounded, Some(Trouble { why, reactions }))
        }
    }
}

/// Runs long work apart from the threads that serve.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::bug("E-FLUX-053", error))?
}

/// Threads for work that gives the same on any number.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
