//! `culture analyse`: the standard analysis of a run, kept as a record that the same inputs give again.

use super::inputs::{self, Inputs};
use crate::dataset::{Finding, Whole};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_core::record::FieldMap;
use toji_core::{Error, Id, Place, Record, Result};
use toji_culture::rates::{self, Analysis, Growth, NotDetermined, Quantity};
use toji_store::{Commit, Put};

/// Most findings that are kept and answered.
const FINDINGS_MAX: usize = 1_000;

/// Input of `culture analyse`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run.
    ///
    /// 培養。
    run: String,
    /// Keep the analysis as a record?
    ///
    /// 解析結果を記録として残すか。
    #[serde(default = "yes")]
    keep: bool,
}

fn yes() -> bool {
    true
}

/// Output of `culture analyse`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Analysed {
    /// Run.
    pub(crate) run: String,
    /// Record of the analysis; none when it is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) analysis: Option<String>,
    /// Is no error among the findings?
    pub(crate) valid: bool,
    /// What the rules of readiness find in the run, as `dataset check` does.
    pub(crate) findings: Vec<Finding>,
    /// What was determined.
    pub(crate) quantities: Vec<Quantity>,
    /// What was not, with the reason.
    pub(crate) not_determined: Vec<NotDetermined>,
    /// Growth rate over time; `null` without a biomass signal.
    pub(crate) growth: Option<Growth>,
    /// Engine.
    pub(crate) engine: String,
    /// Version of the engine.
    pub(crate) engine_version: String,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture analyse",
            label: ["培養の標準解析", "Analyse a run"],
            about: [
                "一つの培養を点検し、比増殖速度・誘導期・収率・力価・生産性・酸素消費速度・呼吸商・流加量・制御の保持を 95 % 区間つきで求めます。データから求められない量は理由とともに挙げ、推測しません。結果は入力の内容ハッシュとともに記録に残り、同じ入力なら何も変わりません。",
                "Checks a run and determines growth rate, lag, yields, titre, productivity, oxygen uptake, respiratory quotient, feed and how the loops held, each with its 95 % interval. What the data cannot give is listed with the reason and never guessed. The result is kept with hashes of its inputs; the same inputs change nothing.",
            ],
            positional: &["run"],
            example: "toji culture analyse run-0a1b2c3d4e5f",
        },
        Effect::Write,
        analyse,
    )
    .long()
}

async fn analyse(context: Context, input: Input) -> Result<Analysed> {
    let whole = loaded(&context, &input.run).await?;
    let run = whole.run.clone();
    let (mut analysed, sources) = of_whole(&context, whole).await?;
    if input.keep {
        analysed.analysis = Some(keep(&context, &run, &analysed, sources).await?.to_string());
    }
    Ok(analysed)
}

async fn loaded(context: &Context, run: &str) -> Result<Whole> {
    Whole::load(context, run)
        .await
        .map_err(|e| e.at(Place::field("run")).hint("`toji run list` で一覧できます", "list them with `toji run list`"))
}

/// The analysis of a run without keeping it.
///
/// # Errors
/// No such run, storage faults.
pub(crate) async fn of_run(context: &Context, run: &str) -> Result<Analysed> {
    let whole = loaded(context, run).await?;
    Ok(of_whole(context, whole).await?.0)
}

/// The quantities of a run, determined now: a stored analysis may be of data that have changed since.
///
/// # Errors
/// No such run, storage faults.
pub(crate) async fn quantities(context: &Context, run: &str) -> Result<(Vec<Quantity>, Vec<NotDetermined>)> {
    let analysed = of_run(context, run).await?;
    Ok((analysed.quantities, analysed.not_determined))
}

/// Identifier of the analysis of a run.
pub(crate) fn analysis_id(run: &str) -> Id {
    Id::derive("ana", &[run])
}

/// Judges and computes on a thread of its own.
async fn of_whole(context: &Context, whole: Whole) -> Result<(Analysed, Json)> {
    context.progress.step(0, None, "点検と解析", "checking and analysing")?;
    let work = move || -> Result<(Analysed, Json)> {
        let Inputs { culture, sources } = inputs::inputs(&whole)?;
        let run = whole.run.id.to_string();
        let (mut findings, valid) = whole.judge();
        // Errors first, so that a cut loses notes.
        findings.sort_by_key(|f| std::cmp::Reverse(f.diagnostic.severity));
        findings.truncate(FINDINGS_MAX);
        let Analysis { quantities, not_determined, growth } = rates::analyse(&culture);
        let analysed = Analysed {
            run,
            analysis: None,
            valid,
            findings,
            quantities,
            not_determined,
            growth,
            engine: rates::ENGINE.to_owned(),
            engine_version: rates::VERSION.to_owned(),
        };
        Ok((analysed, sources))
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-CULTURE-001", e))?
}

/// Keeps an analysis: one record a run, a new version when anything but the time is new.
async fn keep(context: &Context, run: &Record, analysed: &Analysed, sources: Json) -> Result<Id> {
    let store = &context.session.store;
    let id = analysis_id(run.id.as_str());
    let as_json = |value: Result<Json, serde_json::Error>| value.map_err(|e| Error::bug("E-CULTURE-002", e));
    let mut fields = FieldMap::from_iter([
        ("title".to_owned(), Json::from(text(&run.fields, "title").unwrap_or_else(|| run.id.to_string()))),
        ("run".to_owned(), run.id.as_str().into()),
        ("engine".to_owned(), analysed.engine.as_str().into()),
        ("engine_version".to_owned(), analysed.engine_version.as_str().into()),
        ("valid".to_owned(), analysed.valid.into()),
        ("quantities".to_owned(), as_json(serde_json::to_value(&analysed.quantities))?),
        ("not_determined".to_owned(), as_json(serde_json::to_value(&analysed.not_determined))?),
        ("findings".to_owned(), as_json(serde_json::to_value(&analysed.findings))?),
        ("inputs".to_owned(), sources),
        ("made_at".to_owned(), json!(context.now.to_string())),
    ]);
    if let Some(area) = text(&run.fields, "area") {
        fields.insert("area".to_owned(), area.into());
    }
    if let Ok(before) = store.record(&context.access, "analysis", id.as_str(), None).await {
        let made_at = before.fields.get("made_at").cloned();
        let same = |made_at: Json| FieldMap::from_iter(fields.clone().into_iter().chain([("made_at".to_owned(), made_at)]));
        if made_at.is_some_and(|made_at| same(made_at) == before.fields) && !before.retired {
            return Ok(id);
        }
    }
    let commit =
        Commit { operation: "culture analyse".into(), puts: vec![Put::new("analysis", id.clone(), fields)], ..Commit::default() };
    store.commit(&context.access, context.now, commit).await?;
    Ok(id)
}

/// Analyses and keeps, as the operation does.
pub(super) async fn kept(context: &Context, run: &str) -> Result<Id> {
    let whole = loaded(context, run).await?;
    let run = whole.run.clone();
    let (analysed, sources) = of_whole(context, whole).await?;
    keep(context, &run, &analysed, sources).await
}
