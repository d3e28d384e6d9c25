//! `flux rank`: which gene to remove or to express more strongly, from the network and from what the same edits did before.

use super::source::load;
use super::{apart, edited, threads};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use toji_core::{Diagnostic, Result};
use toji_flux::design::rank::{self, Proposal, RankTask};

edited! {
    /// Input of `flux rank`.
    struct Input {
        /// Product that edits are wanted for, growth and feedstock, and what is learnt from.
        ///
        /// 変更を求める生成物、増殖と原料の反応、学ぶ実績。
        task: RankTask,
    }
}

/// Output of `flux rank`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxRanked")]
struct Ranked {
    /// Proposals, best first, each with its evidence and where it stands with screening.
    proposals: Vec<Proposal>,
    /// How many edits were compared.
    candidates: usize,
    /// How many outcomes of genes of the host were learnt from.
    learnt_from: usize,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux rank",
            label: ["遺伝子変更の順位付け", "Rank edits of genes"],
            about: [
                "生成物を増やすために欠失または発現強化すべき遺伝子を、代謝モデルの特徴と、ほかの生成物での実績から学んだ確率の順に提案します。提案ごとに区間付きの確率、根拠、実績と文献、配列の照合の要否を付けます。",
                "Proposes which genes to remove or to express more strongly for a product, in the order of a chance learnt from features of the metabolic model and from what edits did for other products. Each proposal has its interval, evidence, outcomes with citations, and where it stands with screening.",
            ],
            positional: &["model"],
            example: "toji flux rank iJO1366.xml.gz --task @task.json",
        },
        Effect::Read,
        rank,
    )
    .long()
}

async fn rank(context: Context, input: Input) -> Result<Ranked> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let found = rank::rank(&scenario, &input.task, threads())?;
        Ok(Ranked {
            proposals: found.proposals,
            candidates: found.candidates,
            learnt_from: found.outcomes,
            findings: loaded.reading().findings.clone(),
        })
    })
    .await
}
