//! `culture campaign-results`: what runs of a proposal, or of the default recipe, gave.

use super::record::{Campaign, Given, Proposal};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};
use toji_store::{Commit, Put};

/// Input of `culture campaign-results`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Campaign: name or identifier.
    ///
    /// 最適化計画：名前または識別子。
    campaign: String,
    /// Results, JSON: `position`, `values` by output in the units of the campaign, `source`.
    ///
    /// 結果（JSON）：`position`（位置）、`values`（量ごとの値、計画の単位）、`source`（出所）。
    results: Vec<Given>,
    /// Number of the proposal; the last one when missing. 0: runs of the default recipe.
    ///
    /// 提案の回。省略時は最後の提案。0 は既定のレシピの培養。
    #[serde(default)]
    proposal: Option<usize>,
}

/// Output of `culture campaign-results`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Heard {
    /// Campaign.
    pub(super) campaign: String,
    /// Number of the proposal; 0 for the default recipe.
    pub(super) number: usize,
    /// Results taken in.
    pub(super) taken: usize,
    /// Runs of it that gave nothing yet.
    pub(super) pending: usize,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture campaign-results",
            label: ["最適化計画の結果入力", "Tell results of a campaign"],
            about: [
                "提案した培養の結果を位置ごとに入力します。装置に割り付けた培養の結果はストアから読まれるので、入力は不要です。提案そのもの（条件と予測）は変わりません。",
                "Tells what the runs of a proposal gave, place by place. Runs on a system are read from the store and need not be told. The proposal itself, its recipes and predictions, never changes.",
            ],
            positional: &["campaign"],
            example: "toji culture campaign-results TITRE-1 --results @results.json",
        },
        Effect::Write,
        hear,
    )
}

async fn hear(context: Context, input: Input) -> Result<Heard> {
    let campaign = Campaign::load(&context, &input.campaign).await?;
    let proposals = campaign.proposals(&context).await?;
    if input.proposal == Some(0) {
        return keep_default(&context, &campaign, input.results).await;
    }
    let number = input.proposal.or_else(|| proposals.last().map(|p| p.number)).unwrap_or(0);
    let proposal = proposals.iter().find(|p| p.number == number).ok_or_else(|| {
        Error::not_found("E-CAMPAIGN-049", format!("{number} 回目の提案はありません"), format!("there is no proposal {number}"))
            .at(Place::field("proposal"))
            .hint("`toji culture campaign-propose` で提案してください", "propose with `toji culture campaign-propose`")
    })?;
    keep(&context, &campaign, proposal, input.results, "culture campaign-results").await
}

/// Values must be of outputs of the campaign and finite.
fn check(campaign: &Campaign, results: &[Given]) -> Result<()> {
    for given in results {
        for (name, value) in &given.values {
            if !value.is_finite() || !campaign.outputs.iter().any(|o| o.name == *name) {
                let outputs = campaign.outputs.iter().map(|o| o.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(Error::input(
                    "E-CAMPAIGN-050",
                    format!("{} の結果「{name}」= {value} は使えません", given.position),
                    format!("the result \"{name}\" = {value} of {} cannot be used", given.position),
                )
                .at(Place::field("results"))
                .hint(format!("計画の量: {outputs}"), format!("outputs of the campaign: {outputs}")));
            }
        }
    }
    Ok(())
}

/// Results of the default recipe, kept with the campaign.
pub(super) async fn keep_default(context: &Context, campaign: &Campaign, results: Vec<Given>) -> Result<Heard> {
    check(campaign, &results)?;
    let mut all = campaign.default_results.clone();
    let taken = results.len();
    for given in results {
        all.retain(|known| known.position != given.position);
        all.push(given);
    }
    let mut fields = campaign.record.fields.clone();
    fields.insert("default_results".into(), serde_json::to_value(&all).map_err(|e| Error::bug("E-CAMPAIGN-045", e))?);
    let puts = vec![Put::new("campaign", campaign.record.id.clone(), fields)];
    let commit = Commit { operation: "culture campaign-results".into(), puts, ..Commit::default() };
    context.session.store.commit(&context.access, context.now, commit).await?;
    Ok(Heard { campaign: campaign.record.id.to_string(), number: 0, taken, pending: 0 })
}

/// Results of a proposal, kept beside what was expected.
pub(super) async fn keep(
    context: &Context,
    campaign: &Campaign,
    proposal: &Proposal,
    results: Vec<Given>,
    operation: &str,
) -> Result<Heard> {
    check(campaign, &results)?;
    if let Some(given) = results.iter().find(|g| !proposal.runs.iter().any(|r| r.position == g.position)) {
        let position = &given.position;
        return Err(Error::input(
            "E-CAMPAIGN-051",
            format!("{} 回目の提案に位置「{position}」はありません", proposal.number),
            format!("proposal {} has no place \"{position}\"", proposal.number),
        )
        .at(Place::field("results"))
        .hint("計画表の位置を確認してください", "see the places of the sheet"));
    }
    let mut all = proposal.results.clone();
    let taken = results.len();
    for given in results {
        all.retain(|known| known.position != given.position);
        all.push(given);
    }
    let pending = proposal.runs.iter().filter(|r| !all.iter().any(|g| g.position == r.position)).count();
    let mut fields = proposal.record.fields.clone();
    fields.insert("results".into(), serde_json::to_value(&all).map_err(|e| Error::bug("E-CAMPAIGN-045", e))?);
    let puts = vec![Put::new("proposal", proposal.record.id.clone(), fields)];
    let commit = Commit { operation: operation.into(), puts, ..Commit::default() };
    context.session.store.commit(&context.access, context.now, commit).await?;
    Ok(Heard { campaign: campaign.record.id.to_string(), number: proposal.number, taken, pending })
}
