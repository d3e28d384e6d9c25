//! `culture simulate`: a model run in time, with the check of its own accuracy.

use super::{constant, model, quantity};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result, Text};
use toji_culture::kernel::{Options, Trajectory};
use toji_culture::model::{Kind, Model};

/// Points a simulation may return.
const POINTS_MAX: usize = 100_000;
/// How much tighter the second run is that checks the first.
const TIGHTER: f64 = 0.01;

/// Input of `culture simulate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the name of one that ships, the path of a model file, or its address after an upload.
    ///
    /// モデル：付属モデルの名前、モデルファイルの場所、または送信後のアドレス。
    model: String,
    /// How long, with unit: `30 h`.
    ///
    /// 培養時間。単位を添える（例: 30 h）。
    until: String,
    /// Constants to set: name and value, as a number in the model's unit or as text with a unit.
    ///
    /// 変える定数。名前と値（モデルの単位の数、または単位を添えた文字）。
    #[serde(default)]
    set: BTreeMap<String, Json>,
    /// Quantities to return; all that change when missing.
    ///
    /// 返す量。省略時は変化する量すべて。
    #[serde(default)]
    quantities: Vec<String>,
    /// Points in time.
    ///
    /// 時点の数。
    #[serde(default = "usual_points")]
    points: usize,
    /// Relative tolerance of the solver.
    ///
    /// 解法の相対許容誤差。
    #[serde(default = "usual_tolerance")]
    tolerance: f64,
}

fn usual_points() -> usize {
    201
}

fn usual_tolerance() -> f64 {
    1e-6
}

/// A constant as it was used.
#[derive(Debug, Serialize, JsonSchema)]
struct Used {
    /// Name.
    name: String,
    /// Value.
    value: f64,
    /// Unit, UCUM.
    unit: String,
}

/// One quantity in time.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    /// Name.
    name: String,
    /// Label.
    label: Text,
    /// Unit, UCUM.
    unit: String,
    /// Value at the end.
    last: f64,
    /// Values at the times; none where it is no number.
    values: Vec<Option<f64>>,
}

/// Something that happened.
#[derive(Debug, Serialize, JsonSchema)]
struct Happened {
    /// When, in the unit of time.
    time: f64,
    /// Event.
    event: String,
}

/// Output of `culture simulate`.
#[derive(Debug, Serialize, JsonSchema)]
struct Simulated {
    /// Identifier of the model.
    id: String,
    /// Title.
    title: Text,
    /// Source of the model.
    source: String,
    /// Unit of time, UCUM.
    time_unit: String,
    /// Constants that were set.
    set: Vec<Used>,
    /// Quantities in time.
    series: Vec<Line>,
    /// What happened.
    happened: Vec<Happened>,
    /// Solver.
    solver: &'static str,
    /// Relative tolerance.
    tolerance: f64,
    /// Steps of the solver.
    solver_steps: usize,
    /// Largest difference to a second run at a hundredth of the tolerance, relative to the size of the quantity.
    difference_max: f64,
    /// Is that difference below a hundred times the tolerance?
    accurate: bool,
    /// What cannot be in a culture, although it can be computed.
    warnings: Vec<Text>,
    /// Times of the values.
    time: Vec<f64>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture simulate",
            label: ["培養のシミュレーション", "Simulate a culture"],
            about: [
                "培養モデルを時間に沿って計算します。流加・添加・サンプリングは正確な時刻に起こり、結果には解法・許容誤差と、百分の一の許容誤差で計算し直したときとの差が付きます。",
                "Runs a culture model in time. Feeds, additions and samples happen at their exact instants, and the result comes with its solver, its tolerance and the difference to a second run at a hundredth of that tolerance.",
            ],
            positional: &["model"],
            example: "toji culture simulate monod-fed-batch --until '12 h' --set '{\"mu_set\": \"0.2 /h\"}'",
        },
        Effect::Read,
        simulate,
    )
}

async fn simulate(context: Context, input: Input) -> Result<Simulated> {
    let model = model(&context, &input.model).await?;
    let until = quantity(&input.until, &model.time, "until")?;
    if !(2..=POINTS_MAX).contains(&input.points) || until <= 0.0 || !(1e-12..=0.1).contains(&input.tolerance) {
        return Err(Error::input(
            "E-MODEL-017",
            format!("until は正、points は 2〜{POINTS_MAX}、tolerance は 1e-12〜0.1 にしてください"),
            format!("until is positive, points 2 to {POINTS_MAX}, tolerance 1e-12 to 0.1"),
        )
        .at(Place::field("points")));
    }
    tokio::task::spawn_blocking(move || run(&model, &input, until)).await.map_err(|error| Error::bug("E-MODEL-018", error))?
}

fn run(model: &Model, input: &Input, until: f64) -> Result<Simulated> {
    let mut constants = model.system.constants();
    let mut set = Vec::new();
    for (name, given) in &input.set {
        let (place, value) = constant(model, name, given, &format!("set.{name}"))?;
        constants[place] = value;
        let unit = model.described(name).map_or_else(String::new, |d| d.unit.code().to_owned());
        set.push(Used { name: name.clone(), value, unit });
    }
    let last = (input.points - 1) as f64;
    let times: Vec<f64> =
        (0..input.points).map(|i| if i + 1 == input.points { until } else { until * i as f64 / last }).collect();
    let solve = |tolerance: f64| {
        let options = Options { relative: tolerance, absolute: vec![tolerance * 1e-3], ..Options::default() };
        model.system.simulate(&constants, &times, &options)
    };
    let trajectory: Trajectory<f64> = solve(input.tolerance)?;
    let finer = solve((input.tolerance * TIGHTER).max(1e-13))?;
    let chosen: Vec<&toji_culture::model::Described> = if input.quantities.is_empty() {
        model.described.iter().filter(|d| d.kind != Kind::Constant).collect()
    } else {
        let found = input.quantities.iter().map(|name| {
            model.system.quantity(name).map_err(|error| error.at(Place::field("quantities")))?;
            model.described(name).ok_or_else(|| Error::bug("E-MODEL-018", name))
        });
        found.collect::<Result<_>>()?
    };
    let mut series = Vec::new();
    let mut difference_max = 0.0f64;
    let mut warnings = Vec::new();
    for described in chosen {
        let place = model.system.quantity(&described.name)?;
        let values: Vec<f64> = trajectory.of(place).collect();
        let size = values.iter().fold(0.0f64, |most, v| if v.is_finite() { most.max(v.abs()) } else { most });
        for (a, b) in values.iter().zip(finer.of(place)) {
            if size > 0.0 && a.is_finite() {
                difference_max = difference_max.max((a - b).abs() / size);
            }
        }
        if matches!(described.kind, Kind::Species | Kind::Volume)
            && let Some((at, least)) = values.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1))
            && least < -100.0 * input.tolerance * size
        {
            let (name, unit, time) = (&described.name, described.unit.code(), format!("{} {}", times[at], model.time.code()));
            warnings.push(Text::new(
                format!("{time} に «{name}» が負になります（{least} {unit}）。定数か初期値を見直してください"),
                format!("«{name}» is negative at {time} ({least} {unit}): look at constants and values at the start"),
            ));
        }
        series.push(Line {
            name: described.name.clone(),
            label: described.label.clone(),
            unit: described.unit.code().to_owned(),
            last: values.last().copied().unwrap_or(f64::NAN),
            values: values.iter().map(|v| v.is_finite().then_some(*v)).collect(),
        });
    }
    let name = |event: usize| model.definition.events.get(event).map_or_else(String::new, |e| e.name.to_string());
    Ok(Simulated {
        id: model.id.clone(),
        title: model.title.clone(),
        source: model.source.clone(),
        time_unit: model.time.code().to_owned(),
        set,
        series,
        happened: trajectory.happened.iter().map(|(time, event)| Happened { time: *time, event: name(*event) }).collect(),
        solver: "Rodas4P2",
        tolerance: input.tolerance,
        solver_steps: trajectory.steps.0,
        accurate: difference_max <= 100.0 * input.tolerance,
        difference_max,
        warnings,
        time: times,
    })
}
