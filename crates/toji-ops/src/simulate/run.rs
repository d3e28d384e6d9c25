//! `simulate run`: hours of a plant in seconds, stored as runs that say they are simulated.

use super::file::{self, Shape};
use super::keep;
use super::planned::{self, Planned};
use super::read::{self, Label, Plan};
use crate::operation::{Answer, Context, Effect, Operation, Words};
use crate::run::RunRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::{Error, Instant, Place, Result};
use toji_plant::{FeedPlan, FeedStart, OperatorConfig, OrganismName, PlantConfig, ReactorConfig, Recipe, Scale};

/// Most readings of one simulation: about a day of 24 reactors with 20 signals each second.
const READINGS_MAX: f64 = 45e6;

/// Input of `simulate run`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Name of the simulated plant; batches are numbered after it.
    ///
    /// 模擬プラントの名前。バッチの番号もこの名前から。
    #[serde(default = "plant_name")]
    name: String,
    /// Vessel: `0.25-l`, `1-l`, `30-l` or `3000-l`.
    ///
    /// 槽の規模：`0.25-l`、`1-l`、`30-l`、`3000-l`。
    #[serde(default)]
    scale: Scale,
    /// `e-coli` or `yeast`.
    ///
    /// 生物：`e-coli`（大腸菌）または `yeast`（酵母）。
    #[serde(default)]
    organism: OrganismName,
    /// Number of reactors.
    ///
    /// 反応器の数。
    #[serde(default = "one")]
    reactors: usize,
    /// Hours to simulate.
    ///
    /// 模擬する長さ（h）。
    #[serde(default = "day_h")]
    hours: f64,
    /// Time between two logged values, s.
    ///
    /// 記録の間隔（s）。
    #[serde(default = "ten")]
    every_s: f64,
    /// Faults of instruments by chance, mean number a day and reactor.
    ///
    /// 偶然に起こる計器の故障（一反応器・一日あたりの平均回数）。
    #[serde(default)]
    faults_per_day: f64,
    /// Is there an operator who smells, looks and acts?
    ///
    /// 嗅ぎ、見て、手を打つ操作者を置く。
    #[serde(default)]
    operator: bool,
    /// Seed of every chance; the operation's own when missing.
    ///
    /// すべての偶然を決める乱数の種。省略時は操作の既定値。
    #[serde(default)]
    seed: Option<u64>,
    /// When simulated time begins (RFC 3339).
    ///
    /// 模擬時刻の始まり（RFC 3339）。
    #[serde(default = "start")]
    start: String,
    /// A recipe for all reactors instead of the standard one.
    ///
    /// 標準の代わりに全反応器で使うレシピ。
    #[serde(default)]
    recipe: Option<Recipe>,
    /// The reactors one by one, with recipes, faults and operators, instead of `scale`, `reactors` …
    ///
    /// 反応器を一基ずつ指定（レシピ・故障・操作者を含む）。`scale`、`reactors` などの代わり。
    #[serde(default)]
    plant: Option<Vec<ReactorConfig>>,
    /// A planned experiment: every planned unit with the recipe of its condition, instead of `scale`, `reactors` …
    ///
    /// 計画した実験：`scale`、`reactors` などの代わりに、計画のすべての槽を、その条件のレシピで模擬。
    #[serde(default)]
    experiment: Option<String>,
    /// With `experiment`: relative spread of inoculum and medium from vessel to vessel.
    ///
    /// `experiment` とともに：種菌と培地の、槽ごとの相対的なばらつき。
    #[serde(default = "three_percent")]
    spread: f64,
    /// Hand out a file in this shape: `dasware` (DASware control 4) or `csv` (a historian's long table).
    ///
    /// この形のファイルを渡す：`dasware`（DASware control 4）または `csv`（ヒストリアンの縦長の表）。
    #[serde(default)]
    file: Option<Shape>,
    /// Keep the runs in the store? `false` only hands out the file.
    ///
    /// 培養を保存先に残すか。`false` ならファイルを渡すだけ。
    #[serde(default = "yes")]
    keep: bool,
}

fn yes() -> bool {
    true
}

fn three_percent() -> f64 {
    0.03
}
fn plant_name() -> String {
    "SIM".to_owned()
}
fn one() -> usize {
    1
}
fn day_h() -> f64 {
    24.0
}
fn ten() -> f64 {
    10.0
}
fn start() -> String {
    "2026-10-05T00:00:00Z".to_owned()
}

/// Output of `simulate run`.
#[derive(Debug, Serialize, JsonSchema)]
struct Simulated {
    /// Always true: nothing here was measured.
    simulated: bool,
    /// Runs.
    runs: Vec<RunRef>,
    /// Points stored that were not there before.
    points_new: u64,
    /// Points of all channels.
    points: u64,
    /// Events.
    events: u64,
    /// Observations.
    observations: u64,
    /// Decisions.
    decisions: u64,
    /// Faults that were put in.
    faults: Vec<Label>,
    /// Address of the configuration and seed from which the same run can be made again.
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<String>,
    /// Address of the table of what was true (CSV, one line a minute).
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<String>,
    /// Seed.
    seed: u64,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "simulate run",
            label: ["培養の模擬", "Simulate runs"],
            about: [
                "発酵槽を実時間より速く模擬し、センサー・設定値・操作量の系列、事象、観察、判断を「模擬データ」として記録します。真の値と、入れた故障の一覧も残します。計画した実験（experiment）を渡すと、割り付けた全槽を条件ごとのレシピで模擬します。同じ設定と乱数の種なら結果は同じです。",
                "Simulates fermenters faster than real time and stores series of sensors, set-points and actuators with events, observations and decisions, marked simulated. What was true and which faults were put in is kept beside. Given a planned experiment, it simulates every unit of its layout with the recipe of its condition. The same settings and seed give the same result.",
            ],
            positional: &["name"],
            example: "toji simulate run SIM-A --scale 1-l --reactors 4 --hours 24 --operator --faults-per-day 2",
        },
        Effect::Write,
        simulate,
    )
    .long()
}

pub(super) fn refuse(field: &str, ja: String, en: String) -> Error {
    Error::input("E-SIM-001", ja, en)
        .at(Place::field(field))
        .hint("範囲は --help を参照してください", "see --help for the ranges")
}

/// Hours and step must be sensible, and a plant is either planned or spelt out.
fn check(input: &Input) -> Result<()> {
    if !(input.hours > 0.0 && input.hours <= 10_000.0) {
        let hours = input.hours;
        return Err(refuse(
            "hours",
            format!("hours は 0〜10000 です: {hours}"),
            format!("hours is between 0 and 10000, not {hours}"),
        ));
    }
    if !(1.0..=86_400.0).contains(&input.every_s) {
        let every = input.every_s;
        return Err(refuse(
            "every_s",
            format!("every_s は 1〜86400 です: {every}"),
            format!("every_s is between 1 and 86400, not {every}"),
        ));
    }
    if input.experiment.is_some() && input.plant.is_some() {
        return Err(refuse(
            "plant",
            "experiment と plant は同時に指定できません".to_owned(),
            "name either an experiment or a plant".to_owned(),
        ));
    }
    Ok(())
}

/// The plant an input asks for; `planned` is that of an experiment.
fn plant(input: &Input, planned: Option<PlantConfig>) -> Result<PlantConfig> {
    let start = Instant::parse(&input.start)?;
    let mut config = match (&input.plant, planned) {
        (_, Some(planned)) => planned,
        (Some(reactors), None) => PlantConfig { name: input.name.clone(), start, reactors: reactors.clone() },
        (None, None) if input.reactors > PlantConfig::REACTORS_MAX => {
            PlantConfig { name: String::new(), start, reactors: Vec::new() }
        }
        (None, None) => standard(input, start),
    };
    let readings = config.reactors.len() as f64 * input.hours * 3600.0 / input.every_s * 20.0;
    if config.reactors.is_empty() || readings > READINGS_MAX {
        return Err(refuse(
            "reactors",
            format!("反応器は 1〜{} 基、値は合計 {READINGS_MAX:.0} 個までです", PlantConfig::REACTORS_MAX),
            format!("1 to {} reactors, and at most {READINGS_MAX:.0} values in all", PlantConfig::REACTORS_MAX),
        ));
    }
    for reactor in &mut config.reactors {
        reactor.recipe.stop_at_h = reactor.recipe.stop_at_h.min(input.hours);
    }
    Ok(config)
}

/// Reactors that differ as a screening does: each has its own growth rate held by the feed, and its observer.
fn standard(input: &Input, start: Instant) -> PlantConfig {
    let mut config = PlantConfig::parallel(&input.name, start, input.scale, input.reactors);
    for (i, reactor) in config.reactors.iter_mut().enumerate() {
        reactor.organism = input.organism;
        reactor.faults_per_day = input.faults_per_day;
        reactor.recipe = input.recipe.clone().unwrap_or_else(|| {
            let growth_rate_per_h = 0.12 + 0.06 * (i % 6) as f64;
            let feed = FeedPlan::Exponential { growth_rate_per_h, start: FeedStart::OxygenRise };
            let (ph, temperature_c) = match input.organism {
                OrganismName::EColi => (7.0, 37.0),
                OrganismName::Yeast => (5.0, 30.0),
            };
            Recipe { feed, ph, temperature_c, stop_at_h: input.hours, ..Recipe::default() }
        });
        if input.operator {
            let observer = i % 3;
            let bias = [0.0, 0.5, -0.4].get(observer).copied().unwrap_or(0.0);
            reactor.operator = Some(OperatorConfig { name: format!("O-{}", observer + 1), bias, ..OperatorConfig::default() });
        }
    }
    config
}

async fn of_experiment(context: &Context, input: &Input, seed: u64) -> Result<Option<Planned>> {
    let Some(id) = &input.experiment else { return Ok(None) };
    let ask = planned::Ask {
        id,
        organism: input.organism,
        recipe: input.recipe.as_ref(),
        hours: input.hours,
        start: Instant::parse(&input.start)?,
        seed,
        faults_per_day: input.faults_per_day,
        operator: input.operator,
        spread: input.spread,
    };
    planned::planned(context, &ask).await.map(Some)
}

async fn simulate(context: Context, input: Input) -> Result<Answer<Simulated>> {
    check(&input)?;
    if !input.keep && input.file.is_none() {
        return Err(refuse(
            "file",
            "keep が false のときは file の形式を指定してください".to_owned(),
            "with keep false, name the shape of the file to hand out".to_owned(),
        ));
    }
    let seed = input.seed.unwrap_or(context.seed);
    let (config, tags, ended) = match of_experiment(&context, &input, seed).await? {
        Some(Planned { config, tags, ended }) => (plant(&input, Some(config))?, tags, Some(ended)),
        None => (plant(&input, None)?, Vec::new(), None),
    };
    let plan = Plan { config, seed, hours: input.hours, every_s: input.every_s };
    let progress = context.progress.clone();
    let shape = input.file;
    let work = move || -> Result<_> {
        let mut made = read::simulate(&plan, &progress)?;
        let attachment = shape.map(|shape| file::write(&mut made, shape)).transpose()?;
        Ok((made, attachment))
    };
    let (mut made, attachment) = tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-SIM-002", e))??;
    (made.tags, made.ended) = (tags, ended);
    let faults = made.faults.clone();
    let kept = if input.keep { keep::keep(&context, made).await? } else { keep::Kept::counted(&made) };
    let output = Simulated {
        simulated: true,
        runs: kept.runs,
        points_new: kept.points_new,
        points: kept.points,
        events: kept.events,
        observations: kept.observations,
        decisions: kept.decisions,
        faults,
        configuration: kept.configuration,
        truth: kept.truth,
        seed,
    };
    Ok(Answer { output, attachment })
}

/// The configuration as it is kept: from it and the seed the run can be made again.
pub(super) fn configuration(plan: &Plan) -> Result<Json> {
    let reactors = serde_json::to_value(&plan.config).map_err(|e| Error::bug("E-SIM-003", e))?;
    Ok(serde_json::json!({
        "about": "simulated / 模擬データ",
        "engine": concat!("toji-plant ", env!("CARGO_PKG_VERSION")),
        "seed": plan.seed,
        "hours": plan.hours,
        "every_s": plan.every_s,
        "plant": reactors,
        "craft": toji_plant::CRAFT,
    }))
}
