//! `flux fva`: how far each flux can go while the objective is kept.

use super::fba::{fraction, whole};
use super::source::load;
use super::{FLUX_UNIT, Objective, Status, Trouble, apart, edited, name_of, objective_of, standing, threads};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Result};
use toji_flux::analyse::{self, Variability};

edited! {
    /// Input of `flux fva`.
    struct Input {
        /// Share of the optimum that is kept, 0 to 1.
        ///
        /// 保つ最適値の割合（0〜1）。
        #[serde(default = "whole")]
        fraction: f64,
        /// Reactions to tell of; all when none is named.
        ///
        /// 答える反応。省略時はすべて。
        #[serde(default)]
        reactions: Vec<String>,
        /// Only fluxes without cycles that run by themselves; exact, by branching, and long on large models.
        ///
        /// ひとりでに回る循環を含まない流束だけを対象とする。分枝による厳密解で、大きなモデルでは時間がかかる。
        #[serde(default)]
        loopless: bool,
    }
}

/// Output of `flux fva`.
#[derive(Debug, Serialize, JsonSchema)]
struct Ranges {
    /// Is there an optimum?
    status: Status,
    /// Objective and its optimum.
    objective: Objective,
    /// Share of the optimum that is kept.
    fraction: f64,
    /// Unit of the fluxes, UCUM.
    flux_unit: String,
    /// Least and greatest flux of each reaction; null where it has no limit.
    ranges: BTreeMap<String, [Option<f64>; 2]>,
    /// Linear programmes that had to be solved.
    programmes: usize,
    /// Why there is no optimum.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux fva",
            label: ["流束の幅", "Ranges of fluxes"],
            about: [
                "目的を最適値、またはその指定の割合以上に保つとき、各反応の流束が取りうる最小と最大を求めます。結果はスレッドの数によりません。",
                "Finds the least and the greatest flux of each reaction while the objective keeps its optimum, or a share of it. The answer does not depend on the number of threads.",
            ],
            positional: &["model"],
            example: "toji flux fva iJO1366.xml.gz --fraction 0.9 --json",
        },
        Effect::Read,
        ranges,
    )
    .long()
}

async fn ranges(context: Context, input: Input) -> Result<Ranges> {
    let fraction = fraction(input.fraction)?;
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let wanted: Vec<usize> = match input.reactions.as_slice() {
            [] => (0..scenario.reaction_count()).collect(),
            named => named.iter().map(|id| scenario.reaction_named(id)).collect::<Result<_>>()?,
        };
        let network = scenario.network()?;
        let how = Variability { fraction, threads: threads(), ..Variability::default() };
        let found = if input.loopless { analyse::loopless_fva(&network, fraction)? } else { analyse::fva(&network, &how)? };
        let mut objective = Objective { id: objective_of(&scenario), value: None, unit: FLUX_UNIT.into() };
        let (mut ranges, mut programmes) = (BTreeMap::new(), 0);
        let (mut status, mut trouble) = (Status::Optimal, None);
        match found {
            Ok(found) => {
                objective.value = Some(found.objective);
                programmes = found.programmes;
                let end = |values: &[f64], j: usize| values.get(j).copied().filter(|v| v.is_finite());
                ranges =
                    wanted.iter().map(|j| (name_of(&scenario, *j), [end(&found.minimum, *j), end(&found.maximum, *j)])).collect();
            }
            Err(outcome) => (status, trouble) = standing(&outcome, &scenario),
        }
        let findings = loaded.reading().findings.clone();
        Ok(Ranges { status, objective, fraction, flux_unit: FLUX_UNIT.into(), ranges, programmes, trouble, findings })
    })
    .await
}
