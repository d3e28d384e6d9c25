//! `culture optimise`: the profile of a feed or another input that makes the most of a model, simulated again before it is
//! told.

use super::{model_file, quantity};
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result, Text, Unit};
use toji_culture::model::{File, Model};
use toji_culture::profile::{Control, Effort, End, Free, Goal, Limit, Optimum, Over, Prepared, Spread, Task, optimise};

/// Starts and draws at most.
const STARTS_MAX: usize = 200;
const DRAWS_MAX: usize = 10_000;

/// An input to be optimised.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ControlInput {
    /// Least value, with unit.
    ///
    /// 下限。単位を添える。
    low: String,
    /// Greatest value, with unit.
    ///
    /// 上限。単位を添える。
    high: String,
    /// Straight lines between the nodes instead of steps.
    ///
    /// 階段ではなく折れ線にする。
    #[serde(default)]
    line: bool,
    /// Fastest change per unit of the model's time, with the unit of the input.
    ///
    /// モデルの時間単位あたりの最大変化。操作量の単位を添える。
    #[serde(default)]
    rate_max: Option<String>,
}

/// Two values between which a constant is free.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Range {
    /// Least value, with unit.
    ///
    /// 下限。単位を添える。
    low: String,
    /// Greatest value, with unit.
    ///
    /// 上限。単位を添える。
    high: String,
}

/// A limit on a quantity.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitInput {
    /// Quantity.
    ///
    /// 量。
    quantity: String,
    /// Least value, with unit.
    ///
    /// 下限。単位を添える。
    #[serde(default)]
    low: Option<String>,
    /// Greatest value, with unit.
    ///
    /// 上限。単位を添える。
    #[serde(default)]
    high: Option<String>,
    /// Only at the end; else at every instant.
    ///
    /// 終点だけの制限とする（省略時は全時刻）。
    #[serde(default)]
    at_end: bool,
}

/// Input of `culture optimise`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the name of one that ships, the path of a model file, or its address after an upload.
    ///
    /// モデル：付属モデルの名前、モデルファイルの場所、または送信後のアドレス。
    model: String,
    /// Inputs to optimise by name: profiles or constants of the model.
    ///
    /// 最適化する操作量（モデルの profile か定数の名前ごと）。
    controls: BTreeMap<String, ControlInput>,
    /// Quantity of which the end value is made great.
    ///
    /// 終点の値を大きくしたい量。
    goal: String,
    /// Makes it small instead.
    ///
    /// 大きくではなく小さくする。
    #[serde(default)]
    least: bool,
    /// End of the culture, with unit: `60 h`.
    ///
    /// 培養の終了時刻。単位を添える（例: 60 h）。
    until: String,
    /// Latest end; then the end is free between the two.
    ///
    /// 最も遅い終了時刻。与えると終了時刻も最適化する。
    #[serde(default)]
    until_max: Option<String>,
    /// Intervals of equal length.
    ///
    /// 等間隔の区間の数。
    #[serde(default = "usual_intervals")]
    intervals: usize,
    /// Limits.
    ///
    /// 制限。
    #[serde(default)]
    limits: Vec<LimitInput>,
    /// Constants that are free, the same over the whole culture.
    ///
    /// 培養を通して一定の値として最適化する定数。
    #[serde(default)]
    free: BTreeMap<String, Range>,
    /// Constants to set: name and value, as a number in the model's unit or as text with a unit.
    ///
    /// 変える定数。名前と値（モデルの単位の数、または単位を添えた文字）。
    #[serde(default)]
    set: BTreeMap<String, Json>,
    /// Constants that are not quite known: name and relative standard deviation, `5 %`.
    ///
    /// 不確かな定数。名前と相対標準偏差（例: 5 %）。
    #[serde(default)]
    uncertain: BTreeMap<String, String>,
    /// Draws of the uncertain constants.
    ///
    /// 不確かな定数を引く回数。
    #[serde(default = "usual_draws")]
    draws: usize,
    /// Starts of the search.
    ///
    /// 探索の初期値の数。
    #[serde(default = "usual_starts")]
    starts: usize,
    /// Seed of starts and draws.
    ///
    /// 初期値と抽出の乱数の種。
    #[serde(default)]
    seed: Option<u64>,
    /// Returns the replayable model file as a file.
    ///
    /// 再現できるモデルファイルをファイルとして返す。
    #[serde(default)]
    file: bool,
}

fn usual_intervals() -> usize {
    10
}

fn usual_draws() -> usize {
    200
}

fn usual_starts() -> usize {
    12
}

/// A row of a profile.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Input.
    input: String,
    /// From this time.
    from: f64,
    /// Until this time.
    until: f64,
    /// Value at the beginning.
    value: f64,
    /// Value at the end; the same for a step.
    value_end: f64,
    /// Unit, UCUM.
    unit: String,
}

/// How a limit is kept where it is kept worst.
#[derive(Debug, Serialize, JsonSchema)]
struct Kept {
    /// Quantity.
    quantity: String,
    /// Limit.
    limit: f64,
    /// Is it one from above?
    upper: bool,
    /// Value where it is kept worst.
    value: f64,
    /// When.
    time: f64,
    /// Unit, UCUM.
    unit: String,
    /// Is it kept?
    kept: bool,
}

/// What happens where constants differ.
#[derive(Debug, Serialize, JsonSchema)]
struct OddsView {
    /// Draws.
    draws: usize,
    /// Probability that a limit is broken.
    violation_probability: f64,
    /// Lower end of its 95 % interval.
    probability_low: f64,
    /// Upper end.
    probability_high: f64,
    /// Mean of the goal.
    mean: f64,
    /// Standard deviation of the goal.
    sd: f64,
    /// Value that the goal exceeds (or, where it is made small, stays above) in 95 % of draws.
    quantile_5: f64,
}

/// Where a start led.
#[derive(Debug, Serialize, JsonSchema)]
struct StartView {
    /// Goal.
    goal: Option<f64>,
    /// Are the limits kept?
    kept: bool,
    /// Did it end at an optimum?
    converged: bool,
}

/// How to run it again.
#[derive(Debug, Serialize, JsonSchema)]
struct Replay {
    /// Model file with the profile in it.
    model: String,
    /// End, with unit.
    until: String,
}

/// Output of `culture optimise`.
#[derive(Debug, Serialize, JsonSchema)]
struct Optimised {
    /// Identifier of the model.
    id: String,
    /// Quantity that was sought.
    goal: String,
    /// Its unit, UCUM.
    unit: String,
    /// Goal as simulated again.
    delivered: f64,
    /// Goal as the optimiser claims it.
    claimed: f64,
    /// End of the culture.
    end: f64,
    /// Unit of time, UCUM.
    time_unit: String,
    /// Constants that were free, as found.
    free: BTreeMap<String, f64>,
    /// The profile.
    profile: Vec<Row>,
    /// Limits, where each is kept worst.
    limits: Vec<Kept>,
    /// Are all limits kept?
    kept: bool,
    /// Under uncertain constants.
    odds: Option<OddsView>,
    /// Where the starts led, on the coarse grid.
    starts: Vec<StartView>,
    /// How much of the best the other starts lack, %: median and most.
    gap_percent: [f64; 2],
    /// Did the best end at an optimum?
    converged: bool,
    /// Seed.
    seed: u64,
    /// Why this profile, and how sure it is.
    why: Vec<Text>,
    /// How to run it again by `culture simulate`.
    replay: Replay,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "culture optimise",
            label: ["流加プロファイルの最適化", "Optimise a profile"],
            about: [
                "モデルの流加・温度などの操作量を時間の階段か折れ線として最適化します。多数の初期値から粗い区間で探し、細かい区間へ進みます。得た操作は必ず独立に（百倍以上厳しい許容誤差で、再現できるモデルファイルから）計算し直し、目的の値、制限の余裕、定数の不確かさの下で制限を破る確率、初期値による差とともに示します。",
                "Optimises inputs of a model, such as a feed or a temperature, as steps or lines in time: from many starts on a coarse grid, then on finer ones. What is found is always simulated again independently (from its replayable model file, at a tolerance a hundred times and more tighter) and told with the goal, the margin of each limit, the probability that a limit is broken under uncertain constants, and how much the starts differ.",
            ],
            positional: &["model"],
            example: "toji culture optimise chen-hwang-1990 --controls @feed.json --goal product --until '60 h'",
        },
        Effect::Read,
        run,
    )
    .long()
}

/// Limits in the units of the model.
pub(super) fn limits(model: &Model, given: &[LimitInput]) -> Result<Vec<Limit>> {
    let one = |it: &LimitInput| {
        let field = format!("limits.{}", it.quantity);
        let unit = unit_of(model, &it.quantity, &field)?;
        let value = |text: &Option<String>| text.as_deref().map(|t| quantity(t, &unit, &field)).transpose();
        let over = if it.at_end { Over::End } else { Over::Course };
        Ok(Limit { quantity: it.quantity.clone(), low: value(&it.low)?, high: value(&it.high)?, over })
    };
    given.iter().map(one).collect()
}

/// The unit of a quantity of the model.
pub(super) fn unit_of(model: &Model, name: &str, field: &str) -> Result<Unit> {
    model.system.quantity(name).map_err(|error| error.at(Place::field(field)))?;
    Ok(model.described(name).map_or_else(Unit::one, |d| d.unit.clone()))
}

/// Relative standard deviations.
pub(super) fn spreads(given: &BTreeMap<String, String>, field: &str) -> Result<Vec<Spread>> {
    let one = |(name, text): (&String, &String)| {
        Ok(Spread { name: name.clone(), relative: quantity(text, &Unit::one(), &format!("{field}.{name}"))? })
    };
    given.iter().map(one).collect()
}

fn prepare(file: &File, input: &Input) -> Result<Prepared> {
    let model = toji_culture::model::compile(file)?;
    let mut controls = Vec::new();
    for (name, it) in &input.controls {
        let field = format!("controls.{name}");
        let unit = unit_of(&model, name, &field)?;
        controls.push(Control {
            name: name.clone(),
            low: quantity(&it.low, &unit, &field)?,
            high: quantity(&it.high, &unit, &field)?,
            line: it.line,
            rate_max: it.rate_max.as_deref().map(|r| quantity(r, &unit, &field)).transpose()?,
        });
    }
    let mut free = Vec::new();
    for (name, it) in &input.free {
        let field = format!("free.{name}");
        let unit = unit_of(&model, name, &field)?;
        free.push(Free { name: name.clone(), low: quantity(&it.low, &unit, &field)?, high: quantity(&it.high, &unit, &field)? });
    }
    let until = quantity(&input.until, &model.time, "until")?;
    let end = match &input.until_max {
        Some(latest) => End::Between(until, quantity(latest, &model.time, "until_max")?),
        None => End::At(until),
    };
    let goal = Goal { quantity: input.goal.clone(), greatest: !input.least };
    Task { controls, free, end, limits: limits(&model, &input.limits)?, goal, intervals: input.intervals }.prepare(file)
}

async fn run(context: Context, input: Input) -> Result<Answer<Optimised>> {
    let file = model_file(&context, &input.model, &input.set).await?;
    if !(1..=STARTS_MAX).contains(&input.starts) || input.draws > DRAWS_MAX {
        return Err(Error::input(
            "E-MODEL-021",
            format!("starts は 1〜{STARTS_MAX}、draws は {DRAWS_MAX} までにしてください"),
            format!("starts is 1 to {STARTS_MAX}, draws at most {DRAWS_MAX}"),
        )
        .at(Place::field("starts")));
    }
    let effort = Effort {
        starts: input.starts,
        seed: input.seed.unwrap_or(context.seed),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        spreads: spreads(&input.uncertain, "uncertain")?,
        draws: input.draws,
    };
    let progress = context.progress.clone();
    let work = move || {
        let prepared = prepare(&file, &input)?;
        let watch = |done: usize, all: usize| {
            let (ja, en) = ("操作を探しています", "looking for the profile");
            progress.step(done as u64, Some(all as u64), ja, en)
        };
        let found = optimise(&prepared, &effort, &watch)?;
        let output = tell(&prepared, &found, effort.seed)?;
        let attachment = input.file.then(|| Attachment {
            name: format!("{}-optimised.toml", prepared.model.id),
            media_type: "application/toml",
            bytes: output.replay.model.clone().into_bytes(),
        });
        Ok(Answer { output, attachment })
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::bug("E-MODEL-022", error))?
}

fn tell(prepared: &Prepared, found: &Optimum, seed: u64) -> Result<Optimised> {
    let (task, model) = (&prepared.task, &prepared.model);
    let unit = |name: &str| model.described(name).map_or_else(String::new, |d| d.unit.code().to_owned());
    let mut profile = Vec::new();
    for (control, values) in task.controls.iter().zip(&found.inputs) {
        for k in 0..task.intervals {
            profile.push(Row {
                input: control.name.clone(),
                from: found.at[k],
                until: found.at[k + 1],
                value: values[k],
                value_end: if control.line { values[k + 1] } else { values[k] },
                unit: unit(&control.name),
            });
        }
    }
    let limits: Vec<Kept> = found
        .verified
        .margins
        .iter()
        .map(|m| Kept {
            quantity: task.limits[m.limit].quantity.clone(),
            limit: m.bound,
            upper: m.upper,
            value: m.value,
            time: m.time,
            unit: unit(&task.limits[m.limit].quantity),
            kept: m.kept,
        })
        .collect();
    let odds = found.verified.odds.as_ref().map(|o| OddsView {
        draws: o.draws,
        violation_probability: o.probability.0,
        probability_low: o.probability.1,
        probability_high: o.probability.2,
        mean: o.goal.0,
        sd: o.goal.1,
        quantile_5: o.goal.2,
    });
    let mut goals: Vec<f64> = found.starts.iter().filter(|s| s.kept).filter_map(|s| s.goal).collect();
    goals.sort_by(|a, b| if task.goal.greatest { b.total_cmp(a) } else { a.total_cmp(b) });
    let lack = |g: Option<&f64>| match (goals.first(), g) {
        (Some(best), Some(g)) if *best != 0.0 => 100.0 * ((best - g) / best).abs(),
        _ => 0.0,
    };
    let gap_percent = [lack(goals.get(goals.len() / 2)), lack(goals.last())];
    let mut output = Optimised {
        id: model.id.clone(),
        goal: task.goal.quantity.clone(),
        unit: unit(&task.goal.quantity),
        delivered: found.verified.delivered,
        claimed: found.verified.claimed,
        end: found.end,
        time_unit: model.time.code().to_owned(),
        free: task.free.iter().zip(&found.free).map(|(f, v)| (f.name.clone(), *v)).collect(),
        profile,
        limits,
        kept: found.verified.kept,
        odds,
        starts: found.starts.iter().map(|s| StartView { goal: s.goal, kept: s.kept, converged: s.converged }).collect(),
        gap_percent,
        converged: found.converged,
        seed,
        why: Vec::new(),
        replay: Replay { model: found.verified.file.clone(), until: format!("{} {}", found.end, model.time.code()) },
    };
    output.why = why(prepared, found, &output);
    Ok(output)
}

/// Why this profile, in words.
fn why(prepared: &Prepared, found: &Optimum, output: &Optimised) -> Vec<Text> {
    let task = &prepared.task;
    let mut all = Vec::new();
    let (name, unit, value) = (&output.goal, &output.unit, output.delivered);
    let off = if value == 0.0 { 0.0 } else { 100.0 * ((output.claimed - value) / value).abs() };
    all.push(Text::new(
        format!("独立な再計算で «{name}» は {value:.6} {unit} です（最適化の主張との差 {off:.1e} %）"),
        format!("simulated again independently, «{name}» is {value:.6} {unit} ({off:.1e} % from what the optimiser claims)"),
    ));
    for (control, values) in task.controls.iter().zip(&found.inputs) {
        let wide = control.high - control.low;
        let low = values.iter().filter(|v| **v <= control.low + 1e-6 * wide).count();
        let high = values.iter().filter(|v| **v >= control.high - 1e-6 * wide).count();
        let (n, name) = (values.len(), &control.name);
        all.push(Text::new(
            format!(
                "«{name}» は {n} 個の値のうち {low} 個が下限、{high} 個が上限で、残りの {} 個は制限の間で釣り合っています",
                n - low - high
            ),
            format!(
                "of {n} values of «{name}», {low} are at the lower bound, {high} at the upper one, and {} are in balance between",
                n - low - high
            ),
        ));
    }
    for limit in &output.limits {
        let near = (limit.value - limit.limit).abs() <= 1e-4 * limit.limit.abs().max(1e-9);
        if near {
            let (name, time, t) = (&limit.quantity, limit.time, &output.time_unit);
            all.push(Text::new(
                format!(
                    "«{name}» の制限 {} {} が {time:.4} {t} に効いており、目的をこれ以上よくできない理由の一つです",
                    limit.limit, limit.unit
                ),
                format!(
                    "the limit {} {} on «{name}» is reached at {time:.4} {t}: one reason why the goal can be no better",
                    limit.limit, limit.unit
                ),
            ));
        }
    }
    let (median, most) = (output.gap_percent[0], output.gap_percent[1]);
    all.push(Text::new(
        format!("{} 個の初期値のうち中央のものは最良に {median:.3} %、最悪のものは {most:.3} % 及びません", output.starts.len()),
        format!("of {} starts the median one lacks {median:.3} % of the best, the worst one {most:.3} %", output.starts.len()),
    ));
    if let Some(odds) = &output.odds {
        let (p, low, high) = (100.0 * odds.violation_probability, 100.0 * odds.probability_low, 100.0 * odds.probability_high);
        all.push(Text::new(
            format!("定数の不確かさの下で制限を破る確率は {p:.1} %（95 % 区間 {low:.1}〜{high:.1} %）です"),
            format!("under uncertain constants the probability that a limit is broken is {p:.1} % (95 % interval {low:.1} to {high:.1} %)"),
        ));
    }
    all
}
