//! What `culture control` is asked, and the controller made from it.

use super::super::optimise::{LimitInput, limits, unit_of};
use super::super::quantity;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result, Unit};
use toji_culture::control::bed::{How, SensorFault};
use toji_culture::control::{
    Adapted, Aim, Controller, Effect, Estimator, Guard, Input as Moved, Mode, Phase, Recipe, Rule, Sensor, Settings, Supervisor,
};
use toji_culture::model::{File, Model};
use toji_culture::profile::{Control, Limit, Segment, as_profile};

/// Steps of a run at most.
const STEPS_MAX: usize = 2000;

/// An interlock: what a command may not do while a measured quantity is beyond a limit or not known.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Interlock {
    /// Quantity.
    ///
    /// 量。
    quantity: String,
    /// While it is below this, with unit.
    ///
    /// この値を下回る間。単位を添える。
    #[serde(default)]
    below: Option<String>,
    /// While it is above this, with unit.
    ///
    /// この値を上回る間。単位を添える。
    #[serde(default)]
    above: Option<String>,
    /// The command is at most this, with unit; when missing it may not rise.
    ///
    /// 指令の上限。単位を添える。省略時は「上げられない」。
    #[serde(default)]
    at_most: Option<String>,
}

/// A value of the recipe from a time on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipeRow {
    /// Time, with unit.
    ///
    /// 時刻。単位を添える。
    at: String,
    /// Value, with unit.
    ///
    /// 値。単位を添える。
    value: String,
}

/// An input that is controlled.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Commanded {
    /// Least value, with unit: a hard limit.
    ///
    /// 下限（越えられない限界）。単位を添える。
    low: String,
    /// Greatest value, with unit: a hard limit.
    ///
    /// 上限（越えられない限界）。単位を添える。
    high: String,
    /// The recipe: the fixed set-points, and the safe control when something fails.
    ///
    /// レシピ。固定設定値であり、故障時の安全側の制御でもある。
    recipe: Vec<RecipeRow>,
    /// Fastest rise per unit of the model's time, with the unit of the input.
    ///
    /// モデルの時間単位あたりの最大上昇。操作量の単位を添える。
    #[serde(default)]
    rise_max: Option<String>,
    /// Cost of a squared change from step to step.
    ///
    /// ステップ間の変化の二乗に掛ける費用。
    #[serde(default)]
    move_cost: f64,
    /// Interlocks.
    ///
    /// インターロック。
    #[serde(default)]
    interlocks: Vec<Interlock>,
}

/// A sensor that the controller reads.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sensed {
    /// Standard deviation of its noise, with unit.
    ///
    /// 雑音の標準偏差。単位を添える。
    sd: String,
    /// Least reading that can be, with unit.
    ///
    /// ありうる最小の読み。単位を添える。
    #[serde(default)]
    low: Option<String>,
    /// Greatest reading that can be, with unit.
    ///
    /// ありうる最大の読み。単位を添える。
    #[serde(default)]
    high: Option<String>,
    /// Equal readings in a row after which it counts as frozen.
    ///
    /// 同じ読みが何回続いたら固着とみなすか。
    #[serde(default)]
    frozen_after: Option<usize>,
    /// Unusable readings in a row after which it has failed.
    ///
    /// 使えない読みが何回続いたら故障とみなすか。
    #[serde(default = "usual_failures")]
    fails_after: usize,
}

fn usual_failures() -> usize {
    3
}

/// A phase of the recipe.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseInput {
    /// Name.
    ///
    /// 名前。
    name: String,
    /// Beginning, with unit.
    ///
    /// 開始時刻。単位を添える。
    from: String,
    /// End, with unit.
    ///
    /// 終了時刻。単位を添える。
    until: String,
    /// Inputs that the controller may move in it.
    ///
    /// 制御器が動かしてよい操作量。
    #[serde(default)]
    acts: Vec<String>,
}

/// What happens to a sensor of the simulated bed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FaultKind {
    /// It says nothing.
    ///
    /// 値が来ない。
    Silent,
    /// It repeats what it said last.
    ///
    /// 最後の値のまま動かない。
    Frozen,
    /// It says `value`.
    ///
    /// `value` を示す。
    Says,
    /// It says `value` more than it should.
    ///
    /// `value` だけずれる。
    Off,
}

/// A fault of a sensor of the simulated bed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultInput {
    /// Sensor: its quantity.
    ///
    /// センサー（量の名前）。
    sensor: String,
    /// From this time, with unit.
    ///
    /// 開始時刻。単位を添える。
    from: String,
    /// Until this time, with unit.
    ///
    /// 終了時刻。単位を添える。
    until: String,
    /// What it does.
    ///
    /// 故障の種類。
    fault: FaultKind,
    /// Value of it, with unit.
    ///
    /// その値。単位を添える。
    #[serde(default)]
    value: Option<String>,
}

/// Readings of a run at a time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadingInput {
    /// Time, with unit.
    ///
    /// 時刻。単位を添える。
    pub(super) at: String,
    /// Values by quantity, with unit or as a number in the model's unit; what is missing was not read.
    ///
    /// 量ごとの値（単位を添えた文字、またはモデルの単位の数）。ない量は未測定。
    pub(super) values: BTreeMap<String, Json>,
    /// Inputs as they were from then on, with unit; the recipe when missing.
    ///
    /// その時刻からの操作量。単位を添える。省略時はレシピどおり。
    #[serde(default)]
    pub(super) given: BTreeMap<String, Json>,
}

/// Does the controller act?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ModeInput {
    /// It acts.
    ///
    /// 制御器が動かす。
    #[default]
    Closed,
    /// It proposes only.
    ///
    /// 提案だけする。
    Advice,
}

/// Input of `culture control`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Model: the name of one that ships, the path of a model file, or its address after an upload.
    ///
    /// モデル：付属モデルの名前、モデルファイルの場所、または送信後のアドレス。
    pub(super) model: String,
    /// Inputs by name.
    ///
    /// 操作量（名前ごと）。
    pub(super) inputs: BTreeMap<String, Commanded>,
    /// Sensors by the quantity they measure.
    ///
    /// センサー（測る量の名前ごと）。
    pub(super) sensors: BTreeMap<String, Sensed>,
    /// Quantity that is made great.
    ///
    /// 大きくしたい量。
    pub(super) aim: String,
    /// Makes it small instead.
    ///
    /// 大きくではなく小さくする。
    #[serde(default)]
    pub(super) least: bool,
    /// Limits that the controller keeps.
    ///
    /// 制御器が守る制限。
    #[serde(default)]
    pub(super) limits: Vec<LimitInput>,
    /// End of the run, with unit.
    ///
    /// 培養の終了時刻。単位を添える。
    pub(super) until: String,
    /// Time from step to step, with unit.
    ///
    /// 制御の周期。単位を添える。
    pub(super) step: String,
    /// Steps that are looked ahead.
    ///
    /// 先読みするステップ数。
    #[serde(default = "usual_horizon")]
    pub(super) horizon: usize,
    /// Constants that are estimated along with the state: name and relative standard deviation, `20 %`.
    ///
    /// 状態とともに推定する定数。名前と相対標準偏差（例: 20 %）。
    #[serde(default)]
    pub(super) adapt: BTreeMap<String, String>,
    /// Further models that every plan must do for: factors on constants by name.
    ///
    /// 計画が同時に満たすべき別のモデル（定数に掛ける倍率）。
    #[serde(default)]
    pub(super) scenarios: Vec<BTreeMap<String, f64>>,
    /// Phases of the recipe; without any the controller may act always.
    ///
    /// レシピの工程。省略時は常に制御器が働ける。
    #[serde(default)]
    pub(super) phases: Vec<PhaseInput>,
    /// Does the controller act, or only propose?
    ///
    /// 制御器が動かすか、提案だけか。
    #[serde(default)]
    pub(super) mode: ModeInput,
    /// Constants to set: name and value, as a number in the model's unit or as text with a unit.
    ///
    /// 変える定数。名前と値（モデルの単位の数、または単位を添えた文字）。
    #[serde(default)]
    pub(super) set: BTreeMap<String, Json>,
    /// Constants in which the simulated culture differs from the model, hidden from the controller: relative standard
    /// deviation, `10 %`.
    ///
    /// 模擬培養で制御器に知らせずに変える定数。相対標準偏差（例: 10 %）。
    #[serde(default)]
    pub(super) hidden: BTreeMap<String, String>,
    /// Faults of sensors of the simulated culture.
    ///
    /// 模擬培養のセンサー故障。
    #[serde(default)]
    pub(super) faults: Vec<FaultInput>,
    /// Simulated cultures, each by the recipe and under control.
    ///
    /// 模擬培養の数（それぞれレシピどおりと制御ありの両方）。
    #[serde(default = "usual_seeds")]
    pub(super) seeds: usize,
    /// Seed of the first of them.
    ///
    /// 最初の乱数の種。
    #[serde(default)]
    pub(super) seed: Option<u64>,
    /// Readings of a real run so far: then nothing is simulated, and what to do next is proposed.
    ///
    /// 実際の培養のこれまでの読み。与えると模擬せず、次の操作を提案する。
    #[serde(default)]
    pub(super) readings: Vec<ReadingInput>,
}

fn usual_horizon() -> usize {
    10
}

fn usual_seeds() -> usize {
    10
}

/// Everything that a run needs, in the units of the model.
pub(super) struct Setup {
    pub(super) model: Model,
    pub(super) segment: Segment,
    pub(super) names: Vec<String>,
    pub(super) places: Vec<usize>,
    pub(super) guards: Vec<Guard>,
    pub(super) recipe: Recipe,
    pub(super) sensors: Vec<Sensor>,
    pub(super) limits: Vec<Limit>,
    pub(super) faults: Vec<SensorFault>,
    pub(super) steps: usize,
    pub(super) step: f64,
    moved: Vec<Moved>,
    adapted: Vec<Adapted>,
    aim: Aim,
    mode: Mode,
}

impl Setup {
    /// Reads everything.
    ///
    /// # Errors
    /// Names, units and numbers that are wrong, at their fields.
    pub(super) fn new(mut file: File, input: &Input) -> Result<Self> {
        let declared = toji_culture::model::compile(&file)?;
        let mut it = (Vec::new(), Vec::new(), Vec::new());
        let mut recipe = Recipe::default();
        let time = |text: &str, field: &str| quantity(text, &declared.time, field);
        for (name, given) in &input.inputs {
            let field = format!("inputs.{name}");
            let unit = unit_of(&declared, name, &field)?;
            let value = |text: &str| quantity(text, &unit, &field);
            let (low, high) = (value(&given.low)?, value(&given.high)?);
            as_profile(&mut file, &Control { name: name.clone(), low, high, line: false, rate_max: None })
                .map_err(|error| error.at(Place::field(&field)))?;
            let rise = given.rise_max.as_deref().map(&value).transpose()?;
            let mut rules = vec![Rule::Within { low, high }];
            if rise.is_some() {
                rules.push(Rule::Rate { rise, fall: None });
            }
            for lock in &given.interlocks {
                let of = unit_of(&declared, &lock.quantity, &field)?;
                let limit = |text: &Option<String>| text.as_deref().map(|t| quantity(t, &of, &field)).transpose();
                rules.push(Rule::Interlock {
                    quantity: lock.quantity.clone(),
                    below: limit(&lock.below)?,
                    above: limit(&lock.above)?,
                    effect: lock.at_most.as_deref().map(&value).transpose()?.map_or(Effect::MayNotRise, Effect::AtMost),
                });
            }
            let mut rows =
                given.recipe.iter().map(|r| Ok((time(&r.at, &field)?, value(&r.value)?))).collect::<Result<Vec<_>>>()?;
            rows.sort_by(|a, b| a.0.total_cmp(&b.0));
            recipe.inputs.push(rows);
            it.0.push(Guard::new(name, rules)?);
            it.1.push(Moved { name: name.clone(), low, high, rate_max: rise, move_cost: given.move_cost });
            it.2.push(name.clone());
        }
        let (guards, moved, names) = it;
        for phase in &input.phases {
            let field = format!("phases.{}", phase.name);
            recipe.phases.push(Phase {
                name: phase.name.clone(),
                from: time(&phase.from, &field)?,
                until: time(&phase.until, &field)?,
                acts: phase.acts.clone(),
            });
        }
        let model = toji_culture::model::compile(&file)?;
        let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
        let segment = Segment::new(&model.definition, &inputs)?;
        let places = names.iter().filter_map(|n| segment.state(segment.system.quantity(n).ok()?)).collect();
        let mut sensors = Vec::new();
        for (name, given) in &input.sensors {
            let field = format!("sensors.{name}");
            let unit = unit_of(&model, name, &field)?;
            let value = |text: &Option<String>| text.as_deref().map(|t| quantity(t, &unit, &field)).transpose();
            sensors.push(Sensor {
                quantity: name.clone(),
                sd: quantity(&given.sd, &unit, &field)?,
                low: value(&given.low)?,
                high: value(&given.high)?,
                frozen_after: given.frozen_after,
                fails_after: given.fails_after,
            });
        }
        let faults = input.faults.iter().map(|f| fault(&model, &sensors, f)).collect::<Result<Vec<_>>>()?;
        let (end, step) = (time(&input.until, "until")?, time(&input.step, "step")?);
        let steps = (end / step - 1e-9).ceil();
        if !(steps >= 1.0 && steps <= STEPS_MAX as f64 && step > 0.0) {
            return Err(Error::input(
                "E-CONTROL-007",
                format!("until と step は正で、ステップは 1〜{STEPS_MAX} にしてください"),
                format!("until and step are positive, with 1 to {STEPS_MAX} steps"),
            )
            .at(Place::field("step")));
        }
        let limits = limits(&model, &input.limits)?;
        let aim = Aim {
            quantity: input.aim.clone(),
            greatest: !input.least,
            each: true,
            limits: limits.clone(),
            horizon: input.horizon,
            step,
            end: Some(end),
            scenarios: input.scenarios.iter().map(|s| s.iter().map(|(n, f)| (n.clone(), *f)).collect()).collect(),
        };
        let adapted = input.adapt.iter().map(|(name, text)| {
            let relative = quantity(text, &Unit::one(), &format!("adapt.{name}"))?;
            Ok(Adapted { name: name.clone(), relative, drift: 0.0 })
        });
        let mode = if input.mode == ModeInput::Advice || !input.readings.is_empty() { Mode::Advice } else { Mode::Closed };
        let adapted = adapted.collect::<Result<Vec<_>>>()?;
        let steps = steps as usize;
        Ok(Self {
            model,
            segment,
            names,
            places,
            guards,
            recipe,
            sensors,
            limits,
            faults,
            steps,
            step,
            moved,
            adapted,
            aim,
            mode,
        })
    }

    /// A supervisor at the start of a run.
    ///
    /// # Errors
    /// As its parts.
    pub(super) fn supervisor(&self) -> Result<Supervisor<'_>> {
        let constants = self.model.system.constants();
        let estimator = Estimator::new(&self.segment, &constants, &self.places, &self.sensors, &self.adapted, (0.02, 0.005))?;
        let controller = Controller::new(&self.model, &self.segment, &self.moved, &self.aim)?;
        let settings = Settings { mode: self.mode, recovers_after: 3 };
        Supervisor::new(estimator, controller, self.guards.clone(), self.recipe.clone(), settings)
    }
}

fn fault(model: &Model, sensors: &[Sensor], given: &FaultInput) -> Result<SensorFault> {
    let field = format!("faults.{}", given.sensor);
    let Some(sensor) = sensors.iter().position(|s| s.quantity == given.sensor) else {
        return Err(Error::not_found(
            "E-CONTROL-008",
            format!("センサー «{}» はありません", given.sensor),
            format!("there is no sensor «{}»", given.sensor),
        )
        .at(Place::field(field)));
    };
    let unit = unit_of(model, &given.sensor, &field)?;
    let value = given.value.as_deref().map(|t| quantity(t, &unit, &field)).transpose()?;
    let how = match (given.fault, value) {
        (FaultKind::Silent, _) => How::Silent,
        (FaultKind::Frozen, _) => How::Frozen,
        (FaultKind::Says, Some(value)) => How::Says(value),
        (FaultKind::Off, Some(value)) => How::Off(value),
        (FaultKind::Says | FaultKind::Off, None) => {
            return Err(Error::input("E-CONTROL-008", "この故障には value が必要です", "this fault needs a value")
                .at(Place::field(field)));
        }
    };
    let time = |text: &str| quantity(text, &model.time, &field);
    Ok(SensorFault { sensor, from: time(&given.from)?, until: time(&given.until)?, how })
}
