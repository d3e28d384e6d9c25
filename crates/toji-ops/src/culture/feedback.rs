//! `culture feedback`: what each learner of an experiment hears about the own run, beside the class.

use super::experiment::Experiment;
use super::inputs;
use crate::dataset::Whole;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};
use toji_culture::feedback::{Compared, Facts, Point, Sensed, facts, review};
use toji_culture::rates;

/// Input of `culture feedback`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Experiment.
    ///
    /// 実験。
    experiment: String,
    /// Only this learner (pseudonym). The class is all the same.
    ///
    /// この受講者のみ（仮名）。
    #[serde(default)]
    learner: Option<String>,
}

/// Feedback for a learner on a run.
#[derive(Debug, Serialize, JsonSchema)]
struct Learner {
    /// Learner (pseudonym).
    learner: String,
    /// Run.
    run: String,
    /// Title of the run.
    title: String,
    /// Condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    /// Points.
    points: Vec<Point>,
    /// Where the run stands in the class.
    compared: Vec<Compared>,
}

/// The class.
#[derive(Debug, Serialize, JsonSchema)]
struct Classes {
    /// Runs of the experiment with any data.
    runs: usize,
    /// Of these, runs with a learner.
    with_learner: usize,
}

/// Output of `culture feedback`.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// Experiment.
    experiment: String,
    /// Its name.
    name: String,
    /// Learners, by name.
    learners: Vec<Learner>,
    /// The class.
    classes: Classes,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture feedback",
            label: ["受講者への講評", "Feedback for learners"],
            about: [
                "実験計画の各受講者に、自分の培養の講評を返します。流加開始と枯渇 (DO の上昇) の時間差、副生物、制御の保持、酸素不足、収率と力価のクラス内の位置、泡と警報を、数値と時刻つきで示します。ほかの受講者は中央値・最良・順位としてだけ現れます。",
                "Tells each learner of an experiment about the own culture: feed start against depletion (the rise of oxygen), overflow, how the loops held, lack of oxygen, yield and titre within the class, foam and alarms, with numbers and times. Others appear as median, best and rank only.",
            ],
            positional: &["experiment", "learner"],
            example: "toji culture feedback exp-0a1b2c3d4e5f",
        },
        Effect::Read,
        feedback,
    )
    .long()
}

/// A run of the class.
struct Member {
    learner: Option<String>,
    run: String,
    title: String,
    condition: Option<String>,
    facts: Facts,
}

async fn member(context: &Context, run: &str) -> Result<Option<Member>> {
    let whole = Whole::load(context, run).await?;
    if whole.channels.iter().all(|(_, series)| series.is_empty()) {
        return Ok(None);
    }
    let work = move || -> Result<Member> {
        let culture = inputs::inputs(&whole)?.culture;
        let analysis = rates::analyse(&culture);
        let sensed = Sensed { foam: inputs::foam(&whole), alarms_s: inputs::events(&whole, &["alarm"]) };
        let field = |name: &str| text(&whole.run.fields, name);
        Ok(Member {
            learner: field("learner"),
            run: whole.run.id.to_string(),
            title: field("title").unwrap_or_default(),
            condition: field("condition"),
            facts: facts(&culture, &analysis, &sensed),
        })
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-CULTURE-003", e))?.map(Some)
}

async fn feedback(context: Context, input: Input) -> Result<Output> {
    let experiment = Experiment::load(&context, &input.experiment).await?;
    let runs = experiment.runs(&context).await?;
    let total = runs.len() as u64;
    let mut members = Vec::new();
    for (done, run) in runs.iter().enumerate() {
        context.progress.step(done as u64, Some(total), "培養の解析", "analysing runs")?;
        members.extend(member(&context, run.id.as_str()).await?);
    }
    let class: Vec<Facts> = members.iter().map(|m| m.facts.clone()).collect();
    let with_learner = members.iter().filter(|m| m.learner.is_some()).count();
    let mut learners: Vec<Learner> = Vec::new();
    for m in &members {
        let Some(learner) = m.learner.clone().filter(|l| input.learner.as_ref().is_none_or(|wanted| wanted == l)) else {
            continue;
        };
        let (points, compared) = review(&m.facts, &class);
        learners.push(Learner {
            learner,
            run: m.run.clone(),
            title: m.title.clone(),
            condition: m.condition.clone(),
            points,
            compared,
        });
    }
    learners.sort_by(|a, b| (&a.learner, &a.run).cmp(&(&b.learner, &b.run)));
    if let Some(wanted) = input.learner.filter(|_| learners.is_empty()) {
        return Err(Error::not_found(
            "E-CULTURE-004",
            format!("この実験計画に受講者「{wanted}」の培養はありません"),
            format!("the experiment has no run of the learner \"{wanted}\""),
        )
        .at(Place::field("learner"))
        .hint(
            "計画の条件か、培養の learner に仮名を入れてください",
            "give the pseudonym in the plan's conditions, or as `learner` of the run",
        ));
    }
    Ok(Output {
        experiment: experiment.record.id.to_string(),
        name: experiment.name,
        learners,
        classes: Classes { runs: members.len(), with_learner },
    })
}
