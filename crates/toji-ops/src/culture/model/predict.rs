//! `culture predict`: what a run of a recipe will do, with intervals and what vouches for them.

use super::calibration::{Counted, counted};
use super::course::{NoiseOf, Table, sought, table};
use super::fit::Sought;
use super::{given_quantity, quantity, text, unit_of};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Digest, Error, Id, Place, Result, Text};
use toji_culture::fit::{Posterior, Problem};
use toji_culture::kernel::Options;
use toji_culture::model::{File, Model};
use toji_culture::predict::{
    Aim, Calibration, Draws, Expected, Forecast, Individual, Population, Predictor, Promise, Question, forecast,
};
use toji_store::{Commit, Put};

/// Points of a forecast.
const POINTS_MAX: usize = 1_000;
/// Draws behind every expectation of the calibration, and of the fan.
const DRAWS: usize = 100;
const DRAWS_OF_FAN: usize = 800;
/// Runs from which leaving one out tells the spread among the others.
const CALIBRATED_MIN: usize = 4;

/// Input of `culture predict`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the name of one that ships, the path of a model file, or its address after an upload.
    ///
    /// モデル：付属モデルの名前、モデルファイルの場所、または送信後のアドレス。
    model: String,
    /// Runs to learn from: a CSV with the columns `run`, `time [h]`, readings and settings. Runs that a factor of the model
    /// was learnt from are left out.
    ///
    /// 学習に使う培養の表（CSV）。列は run、time [h]、測定値、設定。モデルの係数の学習に使った培養は除かれる。
    runs: String,
    /// Parameters that differ from run to run, with bounds.
    ///
    /// 培養ごとに異なるパラメーターと範囲。
    parameters: BTreeMap<String, Sought>,
    /// How long to forecast, with unit.
    ///
    /// 予測する時間。単位を添える。
    until: String,
    /// The recipe: constants to set, as a number in the model's unit or as text with a unit.
    ///
    /// レシピ：設定する定数（モデルの単位の数、または単位を添えた文字）。
    #[serde(default)]
    set: BTreeMap<String, Json>,
    /// Noise by quantity; 5 % of a value and 1 % of the greatest where nothing is said.
    ///
    /// 量ごとの測定誤差。省略時は値の 5 % と最大値の 1 %。
    #[serde(default)]
    noise: BTreeMap<String, NoiseOf>,
    /// Levels of the intervals.
    ///
    /// 区間の水準。
    #[serde(default = "usual_levels")]
    levels: Vec<f64>,
    /// Points in time.
    ///
    /// 時点の数。
    #[serde(default = "usual_points")]
    points: usize,
    /// Name of the run that is forecast: what came of it is found by it.
    ///
    /// 予測する培養の名前。結果はこの名前で突き合わせる。
    #[serde(default)]
    name: Option<String>,
    /// Size of the vessel, such as `0.25 L`: coverage is counted by it.
    ///
    /// 培養槽の大きさ（例: 0.25 L）。的中率はこれごとに数える。
    #[serde(default)]
    scale: Option<String>,
    /// Keep the forecast, before the run is made?
    ///
    /// 培養の前に予測を残すか。
    #[serde(default)]
    store: bool,
}

fn usual_levels() -> Vec<f64> {
    vec![0.5, 0.8, 0.9]
}

fn usual_points() -> usize {
    29
}

/// What vouches for an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Evidence {
    /// Runs that were left out.
    RunsLeftOut,
    /// Nothing but the model: no calibration evidence.
    ModelOnly,
}

/// An interval of one level.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Interval {
    /// Level.
    level: f64,
    /// All readings of the run at once, or each by itself?
    at_once: bool,
    /// What vouches for it.
    evidence: Evidence,
    /// Runs that were left out.
    runs: usize,
    /// Coverage to be expected where runs are exchangeable.
    coverage_expected: Option<f64>,
    /// Coverage that holds whatever the model.
    coverage_guaranteed: Option<f64>,
    /// In words.
    statement: Text,
    /// Lower ends.
    low: Vec<f64>,
    /// Upper ends.
    high: Vec<f64>,
}

/// What is expected of a quantity.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    /// Quantity.
    quantity: String,
    /// Label.
    label: Text,
    /// Unit, UCUM.
    unit: String,
    /// Means.
    mean: Vec<f64>,
    /// Standard deviation of the quantity itself.
    sd: Vec<f64>,
    /// Intervals.
    intervals: Vec<Interval>,
}

/// A parameter among the runs.
#[derive(Debug, Serialize, JsonSchema)]
struct Among {
    /// Parameter.
    parameter: String,
    /// Typical value.
    typical: f64,
    /// Unit, UCUM.
    unit: String,
    /// Standard deviation among runs: of its logarithm, unless it was sought as it is.
    spread: f64,
}

/// Output of `culture predict`.
#[derive(Debug, Serialize, JsonSchema)]
struct Predicted {
    /// Model.
    id: String,
    /// Name of the run that is forecast.
    run: String,
    /// Scale.
    scale: String,
    /// Runs it learnt from.
    runs: usize,
    /// SHA-256 of the model file.
    model_hash: String,
    /// SHA-256 of the table of runs.
    data_hash: String,
    /// Is there any evidence of calibration?
    calibrated: bool,
    /// What is said of that.
    note: Text,
    /// Parameters among the runs; empty where so few runs do not tell.
    among: Vec<Among>,
    /// Unit of time, UCUM.
    time_unit: String,
    /// Times.
    time: Vec<f64>,
    /// What is expected.
    lines: Vec<Line>,
    /// What became of earlier forecasts with this model.
    ledger: Vec<Counted>,
    /// Record of the forecast where it was kept.
    forecast: Option<String>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture predict",
            label: ["培養の予測", "Forecast a culture"],
            about: [
                "培養データにモデルを当てはめ、新しいレシピの培養がどうなるかを区間つきで予測します。区間は、一つずつ除いた培養での当たり外れから培養単位で決まり、少ない培養で約束できない水準には「較正の裏付けなし」と付きます。培養の前に予測を残すと、あとで toji culture calibration が的中率を数えます。",
                "Fits a model to runs and forecasts what a run of a new recipe will do, with intervals. Their widths come from runs that were left out one by one, the run being the unit; a level that so few runs cannot promise is labelled «no calibration evidence». A forecast that is kept before its run is counted by toji culture calibration afterwards.",
            ],
            positional: &["model", "runs"],
            example: "toji culture predict cho-mab-fed-batch r.csv --parameters @bounds.json --until '336 h'",
        },
        Effect::Write,
        run,
    )
    .long()
}

async fn run(context: Context, input: Input) -> Result<Predicted> {
    let (text, file) = text(&context, &input.model).await?;
    let model = Model::read(&text).map_err(|error| if file.is_empty() { error } else { error.in_file(&file) })?;
    let table = unseen(&text, table(&context, &model, &input.runs).await?)?;
    let until = quantity(&input.until, &model.time, "until")?;
    if !(2..=POINTS_MAX).contains(&input.points)
        || until <= 0.0
        || input.levels.is_empty()
        || input.levels.iter().any(|l| !(0.05..=0.999).contains(l))
    {
        return Err(Error::input(
            "E-PREDICT-005",
            format!("until は正、points は 2〜{POINTS_MAX}、levels は 0.05〜0.999 にしてください"),
            format!("until is positive, points 2 to {POINTS_MAX}, levels 0.05 to 0.999"),
        )
        .at(Place::field("levels")));
    }
    let name = input.name.clone().unwrap_or_default();
    if input.store && (name.is_empty() || input.scale.is_none()) {
        return Err(Error::input(
            "E-PREDICT-006",
            "予測を残すには培養の名前 (name) とスケール (scale) が必要です",
            "keeping a forecast takes the name of the run and its scale",
        )
        .at(Place::field("name"))
        .hint("例: --name R21 --scale '0.25 L'", "example: --name R21 --scale '0.25 L'"));
    }
    if table.runs.iter().any(|r| r.name == name) && input.store {
        return Err(Error::input(
            "E-PREDICT-007",
            format!("培養 «{name}» は学習データに入っているため、前もっての予測として残せません"),
            format!("the run «{name}» is among those learnt from, so its forecast is not kept as one made before"),
        )
        .at(Place::field("name")));
    }
    let ledger = counted(&context, Some(model.id.as_str()), None).await?;
    let (progress, seed) = (context.progress.clone(), context.seed);
    let scale = input.scale.clone().unwrap_or_default();
    let keep = input.store;
    let model_hash = Digest::of(text.as_bytes()).to_string();
    let work = move || -> Result<(Predicted, Json)> {
        let sensors = table.sensors(&model, &input.noise)?;
        let set = input
            .set
            .iter()
            .map(|(name, value)| {
                let field = format!("set.{name}");
                model.system.constant(name).map_err(|e| e.at(Place::field(&field)))?;
                Ok((name.clone(), given_quantity(value, &unit_of(&model, name), &field)?))
            })
            .collect::<Result<Vec<_>>>()?;
        let last = (input.points - 1) as f64;
        let times: Vec<f64> = (0..input.points).map(|i| until * i as f64 / last).collect();
        let options = Options { relative: 1e-5, absolute: vec![1e-8], ..Options::default() };
        let predictor = Predictor {
            system: &model.system,
            parameters: sought(&model, &input.parameters, true)?,
            sensors: sensors.clone(),
            options: options.clone(),
            draws: DRAWS,
            seed,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        };
        let courses = table.courses();
        let n = courses.len();
        let mut alone: Vec<Posterior> = Vec::new();
        for (i, course) in courses.iter().enumerate() {
            progress.step(i as u64, Some(2 * n as u64), "培養ごとの当てはめ", "fitting each run")?;
            alone.push(predictor.alone(course, 1)?);
        }
        progress.step(n as u64, Some(2 * n as u64), "一つずつ除いた較正", "leaving each run out")?;
        let calibration = if n >= CALIBRATED_MIN { Some(predictor.calibrate(&courses, &alone)?) } else { None };
        let of_recipe = calibration.as_ref().map(|c| predictor.of_recipe(c, &set, &times)).transpose()?;
        let individuals: Vec<Individual> =
            alone.iter().map(|p| Individual { at: p.at.clone(), covariance: p.covariance.clone() }).collect();
        let population = Population::of(&individuals.iter().collect::<Vec<_>>()).ok();
        let draws = match &population {
            Some(population) => {
                let mut chance = toji_core::chance::Chance::new(seed);
                let unknowns = &alone[0].unknowns;
                let drawn = population.draws(DRAWS_OF_FAN, &mut chance)?;
                Draws {
                    constants: unknowns.iter().map(|u| u.constant).collect(),
                    values: drawn.iter().map(|row| unknowns.iter().zip(row).map(|(u, x)| u.outward(*x)).collect()).collect(),
                }
            }
            // One value for all runs: what differs among so few is not told.
            None => {
                let shared = sought(&model, &input.parameters, false)?;
                let problem = Problem::new(&model.system, &shared, &table.fitted(&sensors), 0.0, options.clone())?;
                Draws::of_group(&problem.posterior(4, seed)?, "", DRAWS_OF_FAN, seed)?
            }
        };
        let mut constants = model.system.constants();
        for (name, value) in &set {
            constants[model.system.constant(name)?] = *value;
        }
        let question = Question {
            system: &model.system,
            constants,
            times: times.clone(),
            sensors: sensors.clone(),
            levels: input.levels.clone(),
            options,
            threads: predictor.threads,
        };
        let forecasts = forecast(&question, &draws, seed)?;
        let lines: Vec<Line> = forecasts
            .iter()
            .enumerate()
            .map(|(place, f)| {
                let of = model.described(&f.quantity);
                Line {
                    quantity: f.quantity.clone(),
                    label: of.map_or_else(|| Text::new(&f.quantity, &f.quantity), |d| d.label.clone()),
                    unit: unit_of(&model, &f.quantity).code().to_owned(),
                    mean: f.mean.clone(),
                    sd: f.sd.clone(),
                    intervals: intervals(f, place, &input.levels, calibration.as_ref().zip(of_recipe.as_deref())),
                }
            })
            .collect();
        let among = population.as_ref().map_or_else(Vec::new, |population| {
            let of = |(i, unknown): (usize, &toji_culture::fit::Uncertain)| {
                let parameter = &predictor.parameters[unknown.parameter].name;
                Among {
                    parameter: parameter.clone(),
                    typical: unknown.outward(population.mean[i]),
                    unit: unit_of(&model, parameter).code().to_owned(),
                    spread: population.between[(i, i)].max(0.0).sqrt(),
                }
            };
            alone[0].unknowns.iter().enumerate().map(of).collect()
        });
        let calibrated = lines.iter().flat_map(|l| &l.intervals).any(|i| i.evidence == Evidence::RunsLeftOut);
        let bands = json!({ "time": times, "lines": lines });
        let predicted = Predicted {
            id: model.id.clone(),
            run: name,
            scale,
            runs: n,
            model_hash,
            data_hash: table.hash.clone(),
            calibrated,
            note: note(calibrated, n),
            among,
            time_unit: model.time.code().to_owned(),
            time: times,
            lines,
            ledger,
            forecast: None,
        };
        let kept = json!({ "set": set.into_iter().collect::<BTreeMap<_, _>>(), "bands": bands });
        Ok((predicted, kept))
    };
    let (mut predicted, kept) = tokio::task::spawn_blocking(work).await.map_err(|error| Error::bug("E-PREDICT-008", error))??;
    if keep {
        predicted.forecast = Some(store(&context, &predicted, kept).await?);
    }
    Ok(predicted)
}

/// The runs that the model's factors were not learnt from: how far off the model is on runs it knows by heart tells nothing
/// of the next one.
fn unseen(text: &str, mut table: Table) -> Result<Table> {
    let file = File::read(text)?;
    let learnt: Vec<_> = file.factor.values().flat_map(|factor| &factor.learnt_from).collect();
    table.runs.retain(|row| !learnt.iter().any(|of| of.hash == row.hash || of.run == row.name));
    if table.runs.is_empty() {
        return Err(Error::input(
            "E-PREDICT-009",
            "表の培養はすべてモデルの係数の学習に使われており、予測の当たり外れを示せません",
            "the factors of the model were learnt from every run of the table, so none tells how far off it is",
        )
        .at(Place::field("runs"))
        .hint(
            "学習に使っていない培養を表に加えるか、一部の培養だけで culture hybrid を学習してください",
            "add runs it has not learnt from, or learn with culture hybrid from some of the runs only",
        ));
    }
    Ok(table)
}

fn note(calibrated: bool, runs: usize) -> Text {
    if calibrated {
        return Text::new(
            format!(
                "区間は、{runs} 回の培養を一つずつ除いたときの外れ方で決めています。次の培養も同じように行われることが前提です"
            ),
            format!(
                "intervals are as wide as {runs} runs strayed when each was left out; the next run is taken to be made as these were"
            ),
        );
    }
    Text::new(
        format!("較正の裏付けなし：{runs} 回の培養では、求められた水準を約束できません。区間はモデルだけによるものです"),
        format!("no calibration evidence: {runs} runs cannot promise the levels asked for; intervals are by the model alone"),
    )
}

fn statement(promise: &Promise) -> Text {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    match (promise.expected, promise.guaranteed) {
        (Some(expected), Some(guaranteed)) => Text::new(
            format!(
                "{} 回の培養で較正。期待される的中率 {} %、保証 {} % 以上",
                promise.runs,
                percent(expected),
                percent(guaranteed)
            ),
            format!(
                "calibrated on {} runs: expected to hold in {} % of runs, in {} % whatever the model",
                promise.runs,
                percent(expected),
                percent(guaranteed)
            ),
        ),
        _ => Text::new(
            format!(
                "較正の裏付けなし：{} 回の培養で約束できるのは最大 {} %。この水準には {} 回必要",
                promise.runs,
                percent(promise.possible),
                promise.runs_needed
            ),
            format!(
                "no calibration evidence: {} runs promise {} % at most; this level takes {}",
                promise.runs,
                percent(promise.possible),
                promise.runs_needed
            ),
        ),
    }
}

fn intervals(f: &Forecast, place: usize, levels: &[f64], calibrated: Option<(&Calibration, &[Vec<Expected>])>) -> Vec<Interval> {
    let mut all = Vec::new();
    for level in levels {
        let promised = calibrated.map(|(c, _)| c.promise(&Aim::Sensor(place), *level));
        let promised =
            promised.unwrap_or_else(|| toji_culture::predict::promise(toji_culture::predict::Method::JackknifePlus, 0, *level));
        let band = calibrated.and_then(|(c, of_recipe)| c.band(&Aim::Sensor(place), of_recipe, *level));
        let said = statement(&promised);
        match band {
            Some(band) => all.push(Interval {
                level: *level,
                at_once: true,
                evidence: Evidence::RunsLeftOut,
                runs: promised.runs,
                coverage_expected: promised.expected,
                coverage_guaranteed: promised.guaranteed,
                statement: said,
                low: band.low,
                high: band.high,
            }),
            None => {
                let Some(fan) = f.fan.iter().find(|fan| fan.level == *level) else { continue };
                all.push(Interval {
                    level: *level,
                    at_once: false,
                    evidence: Evidence::ModelOnly,
                    runs: promised.runs,
                    coverage_expected: None,
                    coverage_guaranteed: None,
                    statement: said,
                    low: fan.low.clone(),
                    high: fan.high.clone(),
                });
            }
        }
    }
    all
}

async fn store(context: &Context, predicted: &Predicted, kept: Json) -> Result<String> {
    let made_at = context.now.to_string();
    let id = Id::derive("fc", &[&predicted.model_hash, &predicted.data_hash, &predicted.run, &made_at]);
    let fields = FieldMap::from_iter([
        ("title".to_owned(), Json::from(format!("{} · {}", predicted.run, predicted.id))),
        ("run".to_owned(), predicted.run.as_str().into()),
        ("model".to_owned(), predicted.id.as_str().into()),
        ("model_hash".to_owned(), predicted.model_hash.as_str().into()),
        ("data_hash".to_owned(), predicted.data_hash.as_str().into()),
        ("scale".to_owned(), predicted.scale.as_str().into()),
        ("made_at".to_owned(), made_at.into()),
        ("time_unit".to_owned(), predicted.time_unit.as_str().into()),
        ("set".to_owned(), kept["set"].clone()),
        ("bands".to_owned(), kept["bands"].clone()),
    ]);
    let commit =
        Commit { operation: "culture predict".into(), puts: vec![Put::new("forecast", id.clone(), fields)], ..Commit::default() };
    context.session.store.commit(&context.access, context.now, commit).await?;
    Ok(id.to_string())
}
