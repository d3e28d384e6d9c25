//! `culture monitor`: do runs go as good runs went, and if not, what departs, when, and what is it like?
//!
//! `gather` brings a stored run, also one that still runs, to rows of one grid; `axis` lays runs beside each other;
//! `learnt` is what the references teach, `judged` a run beside it, `alarm` a run beside a stored forecast that names it,
//! `keep` the records of both. The engine is `toji_culture::monitor`.

mod alarm;
mod axis;
mod gather;
mod judged;
mod keep;
mod learnt;

use super::model::quantity;
use crate::dataset::most_closed;
use crate::operation::{Context, Effect, Operation, Words};
use axis::{Alignment, Asked, By};
use gather::Course;
use judged::{Judged, judge};
use keep::Stored;
use learnt::{BandView, Learnt, LearntView, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toji_core::{Action, Error, Place, Result, Text, Unit};
use toji_culture::monitor::Known;

/// Fewest reference runs that a model is made of.
const REFERENCES_MIN: usize = 5;
/// Most runs of one question.
const RUNS_MAX: usize = 1_000;
/// Most variables.
const CHANNELS_MAX: usize = 60;
/// Points of the axis.
const POINTS: std::ops::RangeInclusive<usize> = 10..=400;

/// Input of `culture monitor`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Runs to judge, ended or still running.
    ///
    /// 判定する培養（終わったもの、進行中のもの）。
    #[serde(default)]
    runs: Vec<String>,
    /// Reference runs that went well, to learn from.
    ///
    /// 基準とする良好な培養。
    #[serde(default)]
    reference: Vec<String>,
    /// A monitor model kept before, instead of reference runs.
    ///
    /// 保存済みの監視モデル。基準の培養の代わりに指定。
    #[serde(default)]
    model: Option<String>,
    /// Variables (such as `ph`) or the source's names of channels.
    ///
    /// 変数（ph など）、または取込元での系列の名前。
    #[serde(default)]
    channels: Vec<String>,
    /// `time`, `length`, `indicator=VARIABLE`, `phases=MARK,MARK` (sorts or words of events, or `start`) or `warp`.
    ///
    /// そろえ方：time（時間）、length（長さの割合）、indicator=変数、phases=印,印（事象の区分・語、または start）、warp（時間伸縮）。
    #[serde(default = "time")]
    align: String,
    /// Points of the axis.
    ///
    /// 軸の点の数。
    #[serde(default = "sixty")]
    points: usize,
    /// End of the axis of time, with unit; where the shortest reference ends unless said.
    ///
    /// 時間軸の終わり（単位を添える）。省略時は最も短い基準の終わり。
    #[serde(default)]
    end: Option<String>,
    /// Share of normal runs that shall raise no alarm by T² or SPE in their whole course.
    ///
    /// 正常な培養のうち、全経過で T²・SPE の警報を出さない割合。
    #[serde(default = "usual_confidence")]
    confidence: f64,
    /// Share of normal runs that shall stay in the golden band.
    ///
    /// 正常な培養のうち、ゴールデンバンドの内に留まる割合。
    #[serde(default = "usual_coverage")]
    coverage: f64,
    /// Components; as many as predict runs that were left out, unless said.
    ///
    /// 成分数。省略時は、除いた培養をよく予測する数。
    #[serde(default)]
    components: Option<usize>,
    /// How far a run may be ahead or behind when warped, share of the length.
    ///
    /// 時間伸縮で許す進み・遅れ（長さに対する割合）。
    #[serde(default = "usual_window")]
    window: f64,
    /// Known departures: a name, and a run that showed it.
    ///
    /// 既知の異常：名前と、それを示した培養。
    #[serde(default)]
    known: BTreeMap<String, String>,
    /// Quantities of a stored forecast and the variables of the run that measure them.
    ///
    /// 保存済みの予測の量と、それを測った培養の変数。
    #[serde(default)]
    readings: BTreeMap<String, String>,
    /// Do the runs to judge still run, though no live source says so?
    ///
    /// 判定する培養を進行中として扱うか（接続元がなくても）。
    #[serde(default)]
    running: bool,
    /// Keep the monitor model, and each alarm as an event of its run?
    ///
    /// 監視モデルと、警報（培養の事象として）を残すか。
    #[serde(default)]
    store: bool,
    /// Title of the monitor model.
    ///
    /// 監視モデルの標題。
    #[serde(default)]
    name: Option<String>,
}

fn time() -> String {
    "time".to_owned()
}
fn sixty() -> usize {
    60
}
fn usual_confidence() -> f64 {
    0.95
}
fn usual_coverage() -> f64 {
    0.9
}
fn usual_window() -> f64 {
    0.15
}

/// A run that could not be judged.
#[derive(Debug, Serialize, JsonSchema)]
struct NotJudged {
    /// Run.
    run: String,
    /// Why.
    why: Text,
}

/// Output of `culture monitor`.
#[derive(Debug, Serialize, JsonSchema)]
struct Monitored {
    /// Record of the monitor model; null where it was not kept.
    monitor_model: Option<String>,
    /// What the references teach.
    learnt: LearntView,
    /// Allowed region.
    band: BandView,
    /// Runs.
    runs: Vec<Judged>,
    /// Runs that could not be judged.
    not_judged: Vec<NotJudged>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture monitor",
            label: ["培養の監視", "Monitor runs"],
            about: [
                "良好だった培養（5 回以上）から、変数の連動 (T²)、そこからの外れ (SPE)、全変数・全時間が入る領域（ゴールデンバンド）を学び、培養を判定します。進行中の培養も、届いた所まで判定します。限界は基準を一つずつ除いて決め、誤警報率は数えて示します。外れは、いつ・どの変数が・どのように、と根拠を添えて答えます。培養を名指す予測が残っていれば、その同時帯も確かめます。",
                "Learns from runs that went well (five or more) how variables move together (T²), how far from that a run is (SPE), and the region in which whole good runs stay (the golden band), and judges runs by it, also those that still run, as far as they got. Limits come from references left out one by one, and false alarms are counted. A departure is told with its time, its variables, its kind and the evidence. Where a stored forecast names the run, its simultaneous band is checked as well.",
            ],
            positional: &["runs…"],
            example: "toji culture monitor run-9f --model mon-1a2b3c",
        },
        Effect::Write,
        run,
    )
    .long()
}

async fn run(context: Context, input: Input) -> Result<Monitored> {
    checked(&input)?;
    let total = (input.reference.len() + input.known.len() + input.runs.len()) as u64;
    let step = |done: usize, ja: &str, en: &str| context.progress.step(done as u64, Some(total.max(1)), ja, en);
    let (learnt, stored, areas) = match &input.model {
        Some(id) => {
            let stored = Stored::load(&context, id).await?;
            let (learnt, areas) = again(&context, &stored).await?;
            (learnt, Some(stored.id), areas)
        }
        None => {
            let (learnt, areas) = learn(&context, &input).await?;
            (learnt, None, areas)
        }
    };
    for run in &input.runs {
        if learnt.references.iter().any(|r| r.run == *run) {
            return Err(Error::input(
                "E-MONITOR-035",
                format!("培養 {run} は基準に入っています。自分も作った限界では判定できません"),
                format!("the run {run} is among the references; limits that it helped to make cannot judge it"),
            )
            .at(Place::field("runs"))
            .hint("基準から外して学び直してください", "learn without it"));
        }
    }
    let mut judged = Vec::new();
    let mut not_judged = Vec::new();
    let forecasts = context.session.store.records(&context.access, "forecast", None, false).await?;
    let learnt = Arc::new(learnt);
    for (i, id) in input.runs.iter().enumerate() {
        step(input.reference.len() + input.known.len() + i, "判定しています", "judging")?;
        let mut variables = learnt.alignment.read.clone();
        let course = Course::load(&context, id, &mut variables, input.running)
            .await
            .map_err(|e| e.at(Place::field(format!("runs[{i}]"))))?;
        let record = context.session.store.record(&context.access, "run", &course.run, None).await?;
        let forecast = match alarm::newest(&forecasts, &record) {
            Some(forecast) => Some(alarm::beside(&context, &record, forecast, &input.readings).await?),
            None => None,
        };
        let (by, of) = (learnt.clone(), course.clone());
        match blocking(move || judge(&by, &of, forecast)).await {
            Ok((found, _)) => judged.push((found, course)),
            // What cannot be laid on the axis is said beside the others.
            Err(error) if error.category() == toji_core::Category::Input => {
                not_judged.push(NotJudged { run: course.run, why: error.fault().message.clone() });
            }
            Err(error) => return Err(error),
        }
    }
    let mut model = stored.clone();
    if input.store {
        let title = input.name.clone().unwrap_or_else(|| {
            let names: Vec<&str> = learnt.alignment.read.iter().map(|v| v.variable.as_str()).collect();
            format!("{} × {}", learnt.references.len(), names.join(", "))
        });
        let area = most_closed(areas.into_iter());
        model = Some(keep::keep(&context, &learnt, stored.as_deref(), &title, area, &mut judged).await?);
    }
    Ok(Monitored {
        monitor_model: model,
        learnt: learnt.view(),
        band: learnt.band_view(),
        runs: judged.into_iter().map(|(judged, _)| judged).collect(),
        not_judged,
    })
}

/// Runs long calculation beside the threads that answer.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-MONITOR-044", e))?
}

fn checked(input: &Input) -> Result<()> {
    let refuse = |field: &str, ja: String, en: String, hint: [&str; 2]| {
        Err(Error::input("E-MONITOR-031", ja, en).at(Place::field(field)).hint(hint[0], hint[1]))
    };
    if input.model.is_some() {
        if !input.reference.is_empty() || !input.channels.is_empty() || !input.known.is_empty() {
            return refuse(
                "model",
                "監視モデルと、基準・変数・既知の異常は同時に指定できません".to_owned(),
                "a monitor model has its own references, variables and known departures".to_owned(),
                ["どちらかにしてください", "name one or the other"],
            );
        }
        if input.runs.is_empty() {
            return refuse(
                "runs",
                "判定する培養がありません".to_owned(),
                "no run is named to be judged".to_owned(),
                ["培養を挙げてください", "name runs"],
            );
        }
        return Ok(());
    }
    let different: BTreeSet<&String> = input.reference.iter().collect();
    let n = different.len();
    if n < REFERENCES_MIN || n != input.reference.len() {
        return refuse(
            "reference",
            format!(
                "基準の培養が異なる {n} 回では監視できません（{REFERENCES_MIN} 回以上、重複なし。95 % を約束するには 19 回）"
            ),
            format!(
                "{n} different reference runs are too few to monitor by, or one is named twice (at least {REFERENCES_MIN}; 19 to promise 95 %)"
            ),
            ["良好だった培養を加えてください", "add runs that went well"],
        );
    }
    if input.channels.is_empty() || input.channels.len() > CHANNELS_MAX {
        let n = input.channels.len();
        return refuse(
            "channels",
            format!("変数が {n} 個です（1〜{CHANNELS_MAX} 個）"),
            format!("{n} variables; 1 to {CHANNELS_MAX} can be watched"),
            ["`toji run show` の channels から選んでください", "choose among the channels of `toji run show`"],
        );
    }
    if !POINTS.contains(&input.points) {
        let (low, high, n) = (POINTS.start(), POINTS.end(), input.points);
        return refuse(
            "points",
            format!("軸の点は {low}〜{high} です: {n}"),
            format!("an axis has {low} to {high} points, not {n}"),
            ["既定は 60 です", "60 is usual"],
        );
    }
    let all = input.reference.len() + input.runs.len() + input.known.len();
    if all > RUNS_MAX {
        return refuse(
            "runs",
            format!("培養は合わせて {RUNS_MAX} 回までです: {all}"),
            format!("at most {RUNS_MAX} runs in all, not {all}"),
            ["分けて判定してください", "judge them in parts, by a model that is kept"],
        );
    }
    Ok(())
}

/// Learns from the reference runs, then what known departures look like.
async fn learn(context: &Context, input: &Input) -> Result<(Learnt, Vec<Option<String>>)> {
    let by = By::parse(&input.align)?;
    let end_h = input.end.as_deref().map(|end| quantity(end, &Unit::parse("h")?, "end")).transpose()?;
    if end_h.is_some_and(|end| end <= 0.0) || (end_h.is_some() && by != By::Time) {
        return Err(Error::input(
            "E-MONITOR-031",
            "end は時間でそろえるときの正の時刻です",
            "end is a time after 0, for an axis of time",
        )
        .at(Place::field("end"))
        .hint("例: --align time --end '24 h'", "example: --align time --end '24 h'"));
    }
    let mut read = Alignment::to_read(&by, &input.channels);
    let courses = references(context, &input.reference, &mut read).await?;
    let areas = courses.iter().map(|c| c.area.clone()).collect();
    let asked = Asked { by: &by, points: input.points, end_h, window: input.window };
    let alignment = Alignment::of(&asked, read, input.channels.len(), &courses)?;
    let settings = Settings { components: input.components, confidence: input.confidence, coverage: input.coverage };
    let mut learnt = blocking(move || Learnt::of(&courses, alignment, settings)).await?;
    for (name, run) in &input.known {
        let field = format!("known.{name}");
        let mut variables = learnt.alignment.read.clone();
        let course = Course::load(context, run, &mut variables, false).await.map_err(|e| e.at(Place::field(&field)))?;
        let (_, signature) = judge(&learnt, &course, None)?;
        if signature.is_empty() {
            return Err(Error::input(
                "E-MONITOR-036",
                format!("培養 {run} は限界内なので、異常「{name}」の徴候を学べません"),
                format!("the run {run} is inside the limits, so it does not show what \"{name}\" looks like"),
            )
            .at(Place::field(field))
            .hint("限界を超えた培養を指定してください", "name a run that is beyond them"));
        }
        learnt.known.push(Known { name: name.clone(), signature });
    }
    Ok((learnt, areas))
}

/// Reads the references; each has every variable.
async fn references(context: &Context, runs: &[String], read: &mut [gather::Watched]) -> Result<Vec<Course>> {
    let mut courses = Vec::with_capacity(runs.len());
    for (i, run) in runs.iter().enumerate() {
        context.progress.step(i as u64, Some(runs.len() as u64), "基準の培養を読んでいます", "reading reference runs")?;
        let field = format!("reference[{i}]");
        context.session.store.allow_series(&context.access, Action::Train, run).await?;
        let course = Course::load(context, run, read, false)
            .await
            .map_err(|e| e.at(Place::field(&field)).hint("`toji run list` で一覧できます", "list them with `toji run list`"))?;
        if let Some(lacking) = course.lacking.first() {
            let (name, why) = (&lacking.variable, &lacking.why);
            return Err(Error::input(
                "E-MONITOR-032",
                format!("基準の培養 {run} で変数「{name}」を使えません：{}", why.ja),
                format!("the reference run {run} does not give the variable \"{name}\": {}", why.en),
            )
            .at(Place::field(field))
            .hint("この培養を基準から外すか、変数を減らしてください", "leave this run or this variable out"));
        }
        if !course.ended {
            return Err(Error::input(
                "E-MONITOR-037",
                format!("基準の培養 {run} はまだ終わっていません"),
                format!("the reference run {run} has not ended"),
            )
            .at(Place::field(field))
            .hint("終わった培養を基準にしてください", "take runs that have ended as references"));
        }
        courses.push(course);
    }
    Ok(courses)
}

/// Learns a stored model again from its references, and refuses what is not the same.
async fn again(context: &Context, stored: &Stored) -> Result<(Learnt, Vec<Option<String>>)> {
    let runs: Vec<String> = stored.references.iter().map(|r| r.run.clone()).collect();
    let mut read = stored.alignment.read.clone();
    let courses = references(context, &runs, &mut read).await?;
    stored.unchanged(&courses)?;
    let areas = courses.iter().map(|c| c.area.clone()).collect();
    let (alignment, settings) = (stored.alignment.clone(), stored.settings.clone());
    let mut learnt = blocking(move || Learnt::of(&courses, alignment, settings)).await?;
    stored.same_limits(&learnt)?;
    learnt.known.clone_from(&stored.known);
    Ok((learnt, areas))
}
