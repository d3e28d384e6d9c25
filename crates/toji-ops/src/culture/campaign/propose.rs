//! `culture campaign-propose`: the next runs of a campaign and why, kept before they are made.

use super::super::experiment::{Condition, PlannedUnit, Setting};
use super::record::{Campaign, ExpectedView, Set, expected_of, recipe_of};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Error, Id, Place, Result, Text};
use toji_culture::campaign::{self, Kind, Proposed, Settings, Stopping, Why};
use toji_culture::plan::{Unit as Laid, read_position};
use toji_store::{Commit, Put};

/// Input of `culture campaign-propose`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Campaign: name or identifier.
    ///
    /// 最適化計画：名前または識別子。
    campaign: String,
    /// Units to fill; those of the campaign when missing.
    ///
    /// 埋める槽数。省略時は計画の槽数。
    #[serde(default)]
    units: Option<usize>,
    /// Units that repeat what was tried, so that the best is known better.
    ///
    /// 試した条件を反復する槽数。最良の判断を確かにする。
    #[serde(default)]
    replicates: usize,
    /// Confidence of the intervals.
    ///
    /// 区間の信頼水準。
    #[serde(default = "usual")]
    confidence: f64,
    /// Only show, keep nothing.
    ///
    /// 示すだけで保存しない。
    #[serde(default)]
    dry_run: bool,
}

fn usual() -> f64 {
    0.9
}

/// One line of the sheet.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    /// Place.
    position: String,
    /// Group.
    group: String,
    /// Recipe.
    recipe: Vec<Set>,
    /// What it is for: `exploit`, `explore`, `replicate`, `fill-space`.
    why: Why,
    /// The same in words.
    reason: Text,
    /// Does it repeat a run that was made?
    replicate: bool,
    /// What is expected.
    expected: Vec<ExpectedView>,
    /// Probability that all limits hold.
    holds: f64,
    /// What it adds to the expected best, in the unit of the goal.
    gain: Option<f64>,
}

/// Output of `culture campaign-propose`.
#[derive(Debug, Serialize, JsonSchema)]
struct Next {
    /// Campaign.
    campaign: String,
    /// Identifier of the proposal; null for a trial.
    proposal: Option<String>,
    /// Number of the proposal.
    number: usize,
    /// Experiment on the system, if the campaign has one.
    experiment: Option<String>,
    /// Results that were known.
    results_known: usize,
    /// Runs still under way, which it reckons with.
    pending: usize,
    /// Experiment sheet.
    sheet: Vec<Line>,
    /// What the batch adds to the expected best, in the unit of the goal.
    gain: Option<f64>,
    /// Does a rule of the campaign say to end it?
    stop: bool,
    /// Candidates that the envelope refused.
    refused: usize,
    /// What the experimenter should know.
    warnings: Vec<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture campaign-propose",
            label: ["次の培養の提案", "Propose the next runs"],
            about: [
                "これまでの結果から次に行う培養を提案し、位置・レシピ・理由・予測と区間を示します。提案は培養の前に予測とともに保存され、後で予測誤差を確かめられます。",
                "Proposes the next runs from what is known: place, recipe, reason, prediction and interval of each. The proposal is kept with its predictions before the runs are made, so that the prediction error can be told later.",
            ],
            positional: &["campaign"],
            example: "toji culture campaign-propose TITRE-1 --replicates 4",
        },
        Effect::Write,
        propose,
    )
    .long()
}

async fn propose(context: Context, input: Input) -> Result<Next> {
    if !(0.5..1.0).contains(&input.confidence) {
        return Err(Error::input("E-CAMPAIGN-047", "confidence は 0.5 以上 1 未満です", "the confidence is from 0.5 to below 1")
            .at(Place::field("confidence"))
            .hint("例: 0.9", "example: 0.9"));
    }
    let campaign = Campaign::load(&context, &input.campaign).await?;
    context.progress.step(0, None, "結果を集めています", "gathering results")?;
    let proposals = campaign.proposals(&context).await?;
    let history = campaign.history(&context, &proposals).await?;
    let number = proposals.last().map_or(0, |p| p.number) + 1;
    let proposed_before: usize = proposals.iter().map(|p| p.runs.len()).sum();
    let units = input.units.unwrap_or(campaign.units);
    if let Some(budget) = campaign.budget
        && proposed_before + units > budget
    {
        let left = budget.saturating_sub(proposed_before);
        return Err(Error::input(
            "E-CAMPAIGN-048",
            format!("予算は {budget} 培養で、残りは {left} です"),
            format!("the budget is {budget} runs, of which {left} are left"),
        )
        .at(Place::field("units"))
        .hint("槽数を減らすか、予算を見直してください", "ask for fewer units, or another budget"));
    }
    let batch = campaign.batch(&context, units, input.replicates).await?;
    let filter = campaign.filter(&context).await?;
    context.progress.step(1, None, "次の培養を選んでいます", "choosing the next runs")?;
    let settings = Settings { confidence: input.confidence, ..Settings::default() };
    let seed = campaign.seed.wrapping_add(number as u64);
    let (known, pending) = (history.runs.len(), history.pending.len());
    let work = move || {
        let allowed = |point: &[f64]| filter.as_ref().map_or(Ok(()), |f| f.allows(point));
        let found = campaign::propose(&campaign.problem(&allowed), &history, &batch, &settings, seed);
        found.map(|found| (campaign, found))
    };
    let (campaign, found) = tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-CAMPAIGN-045", e))??;
    let mut kept = (None, None);
    if !input.dry_run {
        kept = keep(&context, &campaign, number, known, seed, &found).await?;
    }
    let lines = found.runs.iter().map(|run| line(&campaign, run, found.stopping.as_ref())).collect();
    Ok(Next {
        campaign: campaign.record.id.to_string(),
        proposal: kept.0,
        number,
        experiment: kept.1,
        results_known: known,
        pending,
        sheet: lines,
        gain: found.stopping.map(|s| s.gain),
        stop: found.stopping.is_some_and(|s| s.stop),
        refused: found.refused,
        warnings: found.warnings,
    })
}

fn line(campaign: &Campaign, run: &Proposed, stopping: Option<&Stopping>) -> Line {
    Line {
        position: run.position.clone(),
        group: run.group.clone(),
        recipe: recipe_of(&campaign.space, &run.point),
        why: run.why,
        reason: reason(campaign, run, stopping),
        replicate: run.repeats.is_some(),
        expected: expected_of(&campaign.outputs, &run.expected),
        holds: run.holds,
        gain: run.gain,
    }
}

/// A number for people: three digits that count.
fn brief(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 9) as usize;
    format!("{value:.digits$}")
}

/// Why a run is proposed, in words.
fn reason(campaign: &Campaign, run: &Proposed, stopping: Option<&Stopping>) -> Text {
    let goal = campaign.outputs.get(campaign.goal.output);
    let (name, unit) = goal.map_or_else(Default::default, |o| (o.name.clone(), o.unit.label()));
    let said = run.expected.first().map(|e| (brief(e.mean), brief(e.low), brief(e.high), brief(e.sd)));
    let Some((mean, low, high, sd)) = said else {
        return Text::new(
            "まだ測定が少ないので、因子の範囲を均等に埋める点です",
            "little was measured so far: this point helps to fill the ranges of the factors evenly",
        );
    };
    let mut text = match run.why {
        Why::Exploit => Text::new(
            format!("{name} は {mean} {unit}（{low}〜{high}）で、これまでの最良を上回る見込みです"),
            format!("{name} is expected at {mean} {unit} ({low} to {high}), better than the best so far"),
        ),
        Why::Explore => Text::new(
            format!("{name} の予測は {mean} {unit} ですが不確かさ（±{sd}）が大きく、最良を上回る可能性があります"),
            format!(
                "{name} is expected at {mean} {unit}, but so little is known here (±{sd}) that it may be better than the best"
            ),
        ),
        Why::Replicate => Text::new(
            format!("既に試した条件の反復です（予測 {mean} {unit}、±{sd}）。どれが最良かを確かにします"),
            format!("a repeat of what was tried (expected {mean} {unit}, ±{sd}): it tells which is the best"),
        ),
        Why::FillSpace => {
            Text::new("因子の範囲を均等に埋める点です", "this point helps to fill the ranges of the factors evenly")
        }
    };
    if !campaign.limits.is_empty() {
        let percent = (run.holds * 100.0).round();
        text.ja.push_str(&format!("。制約を守る確率は {percent} % です"));
        text.en.push_str(&format!("; it keeps the limits with a probability of {percent} %"));
    }
    if let (Some(gain), Some(all)) = (run.gain, stopping.map(|s| s.gain))
        && all > 0.0
    {
        let gain = brief(gain);
        text.ja.push_str(&format!("。見込まれる改善 {gain} {unit}"));
        text.en.push_str(&format!("; it adds {gain} {unit} to the expected best"));
    }
    text
}

/// Keeps the proposal, and the experiment on the system it stands on, in one commit.
async fn keep(
    context: &Context,
    campaign: &Campaign,
    number: usize,
    known: usize,
    seed: u64,
    found: &campaign::Proposal,
) -> Result<(Option<String>, Option<String>)> {
    let bug = |e| Error::bug("E-CAMPAIGN-045", e);
    let id = Id::derive("prop", &[campaign.record.id.as_str(), &number.to_string()]);
    let title = format!("{} #{number}", campaign.name);
    let mut puts = Vec::new();
    let experiment = match &campaign.system {
        Some(system) => {
            let id = Id::derive("exp", &[&title]);
            puts.push(Put::new("experiment", id.clone(), experiment(campaign, system, &title, seed, found)?));
            Some(id.to_string())
        }
        None => None,
    };
    let mut fields = FieldMap::new();
    for (field, value) in [
        ("title", json!(title)),
        ("campaign", json!(campaign.record.id.as_str())),
        ("number", json!(number)),
        ("runs", serde_json::to_value(&found.runs).map_err(bug)?),
        ("results_known", json!(known)),
        ("stopping", serde_json::to_value(found.stopping).map_err(bug)?),
        ("experiment", json!(experiment)),
        ("seed", json!(seed)),
        ("made_at", json!(context.now.to_string())),
        ("area", campaign.record.fields.get("area").cloned().unwrap_or_default()),
    ] {
        if !value.is_null() {
            fields.insert(field.to_owned(), value);
        }
    }
    puts.push(Put::new("proposal", id.clone(), fields));
    let commit = Commit { operation: "culture campaign-propose".into(), puts, ..Commit::default() };
    context.session.store.commit(&context.access, context.now, commit).await?;
    Ok((Some(id.to_string()), experiment))
}

/// The experiment that a proposal is on its system: a condition for each recipe, its units where the sheet says.
fn experiment(campaign: &Campaign, system: &str, title: &str, seed: u64, found: &campaign::Proposal) -> Result<FieldMap> {
    let mut points: Vec<&Vec<f64>> = Vec::new();
    for run in &found.runs {
        if !points.contains(&&run.point) {
            points.push(&run.point);
        }
    }
    let name = |point: &Vec<f64>| points.iter().position(|p| *p == point).map_or_else(String::new, |i| format!("P{:02}", i + 1));
    let mut conditions = Vec::new();
    for point in &points {
        let mut settings = BTreeMap::new();
        let mut chosen = String::new();
        for (factor, value) in campaign.space.factors().iter().zip(point.iter()) {
            match &factor.kind {
                Kind::Choice { options } => {
                    let option = options.get(*value as usize).map(String::as_str).unwrap_or_default();
                    chosen.push_str(&format!(" {}={option}", factor.name));
                }
                _ => {
                    settings.insert(factor.name.clone(), Setting { value: *value, unit: factor.unit.code().to_owned() });
                }
            }
        }
        let replicates = Some(found.runs.iter().filter(|r| r.point == **point).count());
        let name = format!("{}{chosen}", name(point));
        let control = **point == campaign.default;
        conditions.push(Condition { name, control, replicates, settings, recipe: None, learner: None });
    }
    let mut units = Vec::new();
    for (i, run) in found.runs.iter().enumerate() {
        let (row, column) = read_position(&run.position).unwrap_or((0, i));
        let place = points.iter().position(|p| **p == run.point).unwrap_or(0);
        let before = found.runs.iter().take(i).filter(|r| r.point == run.point).count();
        let unit = Laid {
            unit: i + 1,
            position: run.position.clone(),
            row: row + 1,
            column: column + 1,
            condition: conditions.get(place).map(|c| c.name.clone()).unwrap_or_default(),
            replicate: before + 1,
            control: run.point == campaign.default,
            edge: run.edge,
            block: run.group.parse().unwrap_or(1),
        };
        units.push(PlannedUnit { unit, learner: None });
    }
    let bug = |e| Error::bug("E-CAMPAIGN-045", e);
    let mut fields = FieldMap::new();
    for (field, value) in [
        ("name", json!(title)),
        ("system", json!(system)),
        ("response", json!(campaign.outputs.first().map(|o| o.name.clone()))),
        ("conditions", serde_json::to_value(&conditions).map_err(bug)?),
        ("units", serde_json::to_value(&units).map_err(bug)?),
        ("seed", json!(seed)),
        ("state", json!("planned")),
        ("area", campaign.record.fields.get("area").cloned().unwrap_or_default()),
    ] {
        if !value.is_null() {
            fields.insert(field.to_owned(), value);
        }
    }
    Ok(fields)
}
