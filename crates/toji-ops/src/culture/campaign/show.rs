//! `culture campaign-show`: how far a campaign is, how well it foretold, and whether to go on.

use super::record::{Campaign, ExpectedView, Set, expected_of, recipe_of};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Result, Text};
use toji_culture::campaign::{Direction, Settings, Stopping, Told, foresee, recommend, score};

/// Input of `culture campaign-show`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Campaign: name or identifier.
    ///
    /// 最適化計画：名前または識別子。
    campaign: String,
}

/// How far predictions came true.
#[derive(Debug, Serialize, JsonSchema)]
struct Foretold {
    /// Predictions.
    n: usize,
    /// Mean of what came less what was expected, in the unit of the goal.
    bias: f64,
    /// Root mean square of that.
    rms: f64,
    /// Mean of its size, in % of what came.
    error_percent: f64,
    /// Share of runs inside their interval, %.
    inside_percent: f64,
}

/// A recipe with what is expected of it.
#[derive(Debug, Serialize, JsonSchema)]
struct Recipe {
    /// Recipe.
    recipe: Vec<Set>,
    /// What is expected.
    expected: Vec<ExpectedView>,
    /// Probability that all limits hold.
    holds: f64,
    /// Measured values of the goal.
    measured: Vec<f64>,
}

/// A proposal.
#[derive(Debug, Serialize, JsonSchema)]
struct Round {
    /// Number.
    number: usize,
    /// When it was made.
    made_at: String,
    /// Runs.
    runs: usize,
    /// Of those, with a result.
    results: usize,
    /// Best measured value of the goal up to here.
    best_measured: Option<f64>,
    /// How far its predictions came true.
    predictions: Option<Foretold>,
}

/// Output of `culture campaign-show`.
#[derive(Debug, Serialize, JsonSchema)]
struct Shown {
    /// Campaign.
    campaign: String,
    /// Name.
    name: String,
    /// What is sought.
    goal: String,
    /// Its unit, UCUM.
    unit: String,
    /// Runs with a result, without those of the default recipe.
    runs_made: usize,
    /// Runs under way.
    pending: usize,
    /// Runs that the budget leaves.
    budget_left: Option<usize>,
    /// What the runs cost, where the campaign says what one costs.
    cost: Option<f64>,
    /// The default recipe.
    default: Option<Recipe>,
    /// The best recipe so far: by what is expected, not by its luckiest run.
    best: Option<Recipe>,
    /// Expected best less expected default, in the unit of the goal; what running the default forgoes.
    regret_of_default: Option<f64>,
    /// Proposals.
    rounds: Vec<Round>,
    /// How far all predictions came true.
    predictions: Option<Foretold>,
    /// What the last proposal was expected to add.
    gain: Option<f64>,
    /// What it must add to go on.
    needed: Option<f64>,
    /// Does a rule say to end?
    stop: bool,
    /// The verdict in words.
    verdict: Text,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture campaign-show",
            label: ["最適化計画の経過", "Show a campaign"],
            about: [
                "最適化計画の経過、既定のレシピと比べた最良のレシピ、提案ごとの予測誤差と区間の的中率、終了の判断、費用を示します。",
                "Shows how far a campaign is: the best recipe against the default, how far the predictions of each proposal came true, whether to go on, and the cost.",
            ],
            positional: &["campaign"],
            example: "toji culture campaign-show TITRE-1",
        },
        Effect::Read,
        show,
    )
}

fn foretold(told: &[Told]) -> Option<Foretold> {
    score(told).map(|s| Foretold {
        n: s.n,
        bias: s.bias,
        rms: s.rms,
        error_percent: 100.0 * s.share,
        inside_percent: 100.0 * s.inside,
    })
}

async fn show(context: Context, input: Input) -> Result<Shown> {
    let campaign = Campaign::load(&context, &input.campaign).await?;
    let proposals = campaign.proposals(&context).await?;
    let less = campaign.goal.direction == Direction::Minimise;
    let better = |a: Option<f64>, b: f64| Some(a.map_or(b, |a| if less { a.min(b) } else { a.max(b) }));
    let (mut rounds, mut all, mut best_measured) = (Vec::new(), Vec::new(), None);
    let (mut made, mut proposed) = (0, 0);
    for proposal in &proposals {
        let results = campaign.results(&context, proposal).await?;
        let mut told = Vec::new();
        for (planned, results) in proposal.runs.iter().zip(&results) {
            let Some(came) = results.as_ref().and_then(|r| r.first().copied().flatten()) else { continue };
            best_measured = better(best_measured, came.value);
            if let Some(e) = planned.expected.first() {
                told.push(Told { mean: e.mean, low: e.low, high: e.high, came: came.value });
            }
        }
        let with = results.iter().flatten().count();
        (made, proposed) = (made + with, proposed + proposal.runs.len());
        rounds.push(Round {
            number: proposal.number,
            made_at: proposal.made_at.clone(),
            runs: proposal.runs.len(),
            results: with,
            best_measured,
            predictions: foretold(&told),
        });
        all.extend(told);
    }
    let history = campaign.history(&context, &proposals).await?;
    let filter = campaign.filter(&context).await?;
    let stopping: Option<Stopping> = proposals
        .last()
        .and_then(|p| p.record.fields.get("stopping").cloned())
        .and_then(|json| serde_json::from_value(json).ok());
    let cost = campaign.stop.cost_of_run.map(|cost| cost * made as f64);
    let work = move || -> Result<_> {
        let allowed = |point: &[f64]| filter.as_ref().map_or(Ok(()), |f| f.allows(point));
        let problem = campaign.problem(&allowed);
        let settings = Settings::default();
        let best = recommend(&problem, &history, &settings, campaign.seed)?;
        let default = foresee(&problem, &history, std::slice::from_ref(&campaign.default), &settings, campaign.seed)?;
        Ok((best, default.and_then(|mut d| d.pop()), campaign, history))
    };
    let (best, default, campaign, history) =
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-CAMPAIGN-045", e))??;
    let mean = |f: &Option<toji_culture::campaign::Foreseen>| f.as_ref().and_then(|f| f.expected.first()).map(|e| e.mean);
    let regret = mean(&best).zip(mean(&default)).map(|(b, d)| if less { d - b } else { b - d });
    let recipe = |f: toji_culture::campaign::Foreseen| Recipe {
        recipe: recipe_of(&campaign.space, &f.point),
        expected: expected_of(&campaign.outputs, &f.expected),
        holds: f.holds,
        measured: history
            .runs
            .iter()
            .filter(|r| r.point == f.point)
            .filter_map(|r| r.results.first().copied().flatten().map(|m| m.value))
            .collect(),
    };
    let goal = campaign.outputs.get(campaign.goal.output);
    let budget_left = campaign.budget.map(|b| b.saturating_sub(proposed));
    let stop = stopping.is_some_and(|s| s.stop) || budget_left == Some(0);
    Ok(Shown {
        campaign: campaign.record.id.to_string(),
        name: campaign.name.clone(),
        goal: goal.map(|o| o.name.clone()).unwrap_or_default(),
        unit: goal.map(|o| o.unit.code().to_owned()).unwrap_or_default(),
        runs_made: made,
        pending: history.pending.len(),
        budget_left,
        cost,
        default: default.map(&recipe),
        best: best.map(&recipe),
        regret_of_default: regret,
        rounds,
        predictions: foretold(&all),
        gain: stopping.map(|s| s.gain),
        needed: stopping.and_then(|s| s.needed),
        stop,
        verdict: verdict(stopping, budget_left),
    })
}

fn verdict(stopping: Option<Stopping>, budget_left: Option<usize>) -> Text {
    if budget_left == Some(0) {
        return Text::new("予算を使い切りました", "the budget is used up");
    }
    match stopping {
        Some(Stopping { gain, needed: Some(needed), stop, .. }) => {
            let (ja, en) = if stop { ("未満なので終了", "so end it") } else { ("以上なので継続", "so go on") };
            Text::new(
                format!("見込まれる改善 {gain:.3} は必要な {needed:.3} {ja}"),
                format!("the last batch promised {gain:.3} where {needed:.3} is needed, {en}"),
            )
        }
        _ => Text::new("終了の規則がないか、まだ予測できません。続けてください", "no rule of ending applies yet; go on"),
    }
}
