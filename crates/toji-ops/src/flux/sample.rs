//! `flux sample`: uniform samples of all the fluxes that a model allows.

use super::source::load;
use super::{FLUX_UNIT, Status, Trouble, apart, edited, name_of, standing, threads};
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use toji_core::{Diagnostic, Place, Result};
use toji_flux::analyse::{self, Samples, Sampling, Spread};
use toji_flux::model::Scenario;

edited! {
    /// Input of `flux sample`.
    struct Input {
        /// Draws of each chain.
        ///
        /// 鎖ごとの標本の数。
        #[serde(default = "draws")]
        draws: usize,
        /// Independent chains.
        ///
        /// 独立した鎖の数。
        #[serde(default = "chains")]
        chains: usize,
        /// Steps between draws; four times the dimension when missing.
        ///
        /// 標本の間の歩数。省略時は次元の 4 倍。
        #[serde(default)]
        thinning: Option<usize>,
        /// Draws of each chain thrown away at the start.
        ///
        /// 鎖ごとに最初に捨てる標本の数。
        #[serde(default)]
        warmup: Option<usize>,
        /// Share of the optimum that every sample reaches, 0 to 1; the objective plays no part when missing.
        ///
        /// すべての標本が達する最適値の割合（0〜1）。省略時は目的を問わない。
        #[serde(default)]
        fraction: Option<f64>,
        /// Seed of the chance; the same seed gives the same samples.
        ///
        /// 乱数の種。同じ種からは同じ標本が得られる。
        #[serde(default)]
        seed: u64,
        /// Reactions to tell of; all when none is named.
        ///
        /// 答える反応。省略時はすべて。
        #[serde(default)]
        reactions: Vec<String>,
        /// Give all draws as a file of CSV, a row each, in place of what they say together.
        ///
        /// まとめの代わりに、すべての標本を 1 行ずつの CSV ファイルとして出す。
        #[serde(default)]
        table: bool,
    }
}

fn draws() -> usize {
    250
}
fn chains() -> usize {
    4
}

/// Output of `flux sample`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxSampled")]
struct Sampled {
    /// Are there fluxes?
    status: Status,
    /// Unit of the fluxes, UCUM.
    flux_unit: String,
    /// How many fluxes can be chosen freely.
    dimensions: usize,
    /// Draws kept, of all chains together.
    draws: usize,
    /// Steps between draws.
    thinning: usize,
    /// Draws of each chain thrown away.
    warmup: usize,
    /// Steps taken.
    steps: usize,
    /// Largest split R̂ of a flux; near one when the chains agree.
    r_hat_max: Option<f64>,
    /// Least effective sample size of a flux; none when nothing can move.
    effective_min: Option<f64>,
    /// Largest residual of a balance, relative.
    residual_max: Option<f64>,
    /// What the draws say of each reaction.
    reactions: BTreeMap<String, Spread>,
    /// Why there are no samples.
    trouble: Option<Trouble>,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "flux sample",
            label: ["流束の標本抽出", "Sample fluxes"],
            about: [
                "モデルが許すすべての流束から一様に標本を取り、反応ごとの平均・ばらつき・分位点を、鎖が一致したかどうかの指標（R̂、有効標本数）とともに示します。--table ですべての標本を CSV に書き出します。",
                "Draws uniform samples of all the fluxes that a model allows and tells mean, spread and quantiles of each reaction, with figures of whether the chains agree (R̂, effective sample size). --table writes the draws as a file of CSV.",
            ],
            positional: &["model"],
            example: "toji --out draws.csv flux sample e_coli_core.xml.gz --fraction 0.9 --table",
        },
        Effect::Read,
        run,
    )
    .long()
}

/// The draws as a table, a row each.
fn table(scenario: &Scenario<'_>, wanted: &[usize], samples: &Samples) -> Vec<u8> {
    let names: Vec<String> = wanted.iter().map(|j| name_of(scenario, *j)).collect();
    let mut text = names.iter().map(|n| format!("\"{}\"", n.replace('"', "\"\""))).collect::<Vec<_>>().join(",");
    for draw in &samples.draws {
        for (at, j) in wanted.iter().enumerate() {
            let _ = write!(text, "{}{}", if at == 0 { '\n' } else { ',' }, draw[*j]);
        }
    }
    text.push('\n');
    text.into_bytes()
}

async fn run(context: Context, input: Input) -> Result<Answer<Sampled>> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let wanted: Vec<usize> = match input.reactions.as_slice() {
            [] => (0..scenario.reaction_count()).collect(),
            named => {
                let found = named.iter().map(|id| scenario.reaction_named(id)).collect::<Result<_>>();
                found.map_err(|e| e.at(Place::field("reactions")))?
            }
        };
        let how = Sampling {
            draws: input.draws,
            chains: input.chains,
            thinning: input.thinning,
            warmup: input.warmup,
            fraction: input.fraction,
            seed: input.seed,
            threads: threads(),
        };
        let mut output = Sampled {
            status: Status::Optimal,
            flux_unit: FLUX_UNIT.into(),
            dimensions: 0,
            draws: 0,
            thinning: 0,
            warmup: 0,
            steps: 0,
            r_hat_max: None,
            effective_min: None,
            residual_max: None,
            reactions: BTreeMap::new(),
            trouble: None,
            findings: loaded.reading().findings.clone(),
        };
        let mut attachment = None;
        match analyse::sample(&scenario.network()?, &how)? {
            Ok(samples) => {
                let finite = |value: f64| Some(value).filter(|v| v.is_finite());
                (output.dimensions, output.draws) = (samples.dimensions, samples.draws.len());
                (output.thinning, output.warmup, output.steps) = (samples.thinning, samples.warmup, samples.steps);
                (output.r_hat_max, output.effective_min) = (finite(samples.r_hat_max), finite(samples.effective_min));
                output.residual_max = finite(samples.residual_max);
                output.reactions = wanted.iter().map(|j| (name_of(&scenario, *j), samples.reactions[*j])).collect();
                attachment = input.table.then(|| {
                    let bytes = table(&scenario, &wanted, &samples);
                    Attachment { name: "draws.csv".into(), media_type: "text/csv", bytes }
                });
            }
            Err(outcome) => (output.status, output.trouble) = standing(&outcome, &scenario),
        }
        Ok(Answer { output, attachment })
    })
    .await
}
