//! `culture fit`: constants of a model from measurements of runs, or of a PEtab problem, and whether the data tell them.

use super::problem::{self, Petab};
use super::readings::{self, Read};
use super::{constant, given_quantity, model, quantity};
use crate::dataset::Whole;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Action, Error, Place, Result, Text, Unit};
use toji_culture::fit::{
    self, Effort, Estimate, Fit, Identifiable, Landscape, Measured, Noise, Parameter, Prior, Problem, Reading, Run, Scale,
    Unknown,
};
use toji_culture::kernel::Options;
use toji_culture::model::Model;

/// Starts and hops a fit may have.
const EFFORT_MAX: usize = 1_000;
/// Between bounds this far apart a positive parameter is searched by its logarithm.
const FAR: f64 = 5.0;

/// What is searched for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Sought {
    /// Least and greatest value.
    ///
    /// 最小値と最大値。
    Between([Json; 2]),
    /// With more said.
    ///
    /// 詳しく述べる。
    Said(Box<Said>),
}

/// What is searched for, with more said.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    /// Least value.
    ///
    /// 最小値。
    low: Json,
    /// Greatest value.
    ///
    /// 最大値。
    high: Json,
    /// Search by the logarithm? If not said: when both bounds are positive and far apart.
    ///
    /// 対数で探索するか。省略時は、両端が正で離れているとき。
    #[serde(default)]
    log: Option<bool>,
    /// A value for each group of runs instead of one for all?
    ///
    /// 培養の群ごとに値を持つか。
    #[serde(default)]
    each: bool,
    /// Expected beforehand.
    ///
    /// 事前の見込み。
    #[serde(default)]
    expected: Option<Json>,
    /// Standard deviation of that: of the value, or as a share of it where it is searched by its logarithm.
    ///
    /// その標準偏差。対数で探索するときは割合。
    #[serde(default)]
    spread: Option<f64>,
}

/// Input of `culture fit`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model, as for `culture simulate`; or a PEtab problem by its YAML file, which then says everything but the effort.
    ///
    /// モデル（culture simulate と同じ）。または PEtab 問題の YAML ファイル（この場合は試行数以外すべてファイルが決める）。
    model: String,
    /// Runs, by identifier.
    ///
    /// 培養の識別子。
    #[serde(default)]
    runs: Vec<String>,
    /// What was measured: quantity of the model and variable of the run.
    ///
    /// 測定値。モデルの量と培養記録の変数の対応。
    #[serde(default)]
    readings: BTreeMap<String, String>,
    /// Constants to find, with their bounds: a number in the model's unit or text with a unit.
    ///
    /// 推定する定数とその範囲（モデルの単位の数、または単位を添えた文字）。
    #[serde(default)]
    parameters: BTreeMap<String, Sought>,
    /// Profiles of the model that follow a variable of each run: its feed.
    ///
    /// 各培養の変数（流加など）に従わせるモデルの時間表。
    #[serde(default)]
    follow: BTreeMap<String, String>,
    /// Standard deviation of the readings of a quantity, or as a share of each (`5 %`); estimated where missing.
    ///
    /// 測定の標準偏差、または測定値に対する割合（5 %）。省略した量では推定する。
    #[serde(default)]
    noise: BTreeMap<String, Json>,
    /// Constants to set in all runs.
    ///
    /// すべての培養で変える定数。
    #[serde(default)]
    set: BTreeMap<String, Json>,
    /// Field of the run record whose value makes a group (`strain`); each run its own group when missing.
    ///
    /// 群を作る培養記録の項目（strain など）。省略時は培養ごと。
    #[serde(default)]
    group_by: Option<String>,
    /// Starts of the search.
    ///
    /// 探索の出発点の数。
    #[serde(default = "usual_starts")]
    starts: usize,
    /// Times each start leaves the valley it ended in.
    ///
    /// 各出発点が谷から抜け出す回数。
    #[serde(default = "usual_hops")]
    hops: usize,
    /// Intervals by profiles? Without them nothing is said to be determined.
    ///
    /// プロファイル尤度で区間を求めるか。求めなければ、決まるとは言わない。
    #[serde(default = "yes")]
    profiles: bool,
}

fn usual_starts() -> usize {
    8
}
fn usual_hops() -> usize {
    2
}
fn yes() -> bool {
    true
}

/// How far the data determine a parameter.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Told {
    /// Its interval is bounded on both sides.
    Determined,
    /// Only from below.
    OnlyBelow,
    /// Only from above.
    OnlyAbove,
    /// Not at all.
    NotIdentifiable,
    /// Nobody looked: without profiles.
    NotExamined,
}

/// Which side of a limit a reading is on.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Beyond {
    /// Less than the limit of detection.
    Below,
    /// More than the range.
    Above,
}

/// A parameter as found.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Found {
    /// Name, with its group where each has its own.
    pub(super) name: String,
    /// Label.
    pub(super) label: Text,
    /// Unit, UCUM; empty where the problem states none.
    pub(super) unit: String,
    /// How far the data determine it.
    pub(super) identifiable: Told,
    /// Value, only where the data determine it.
    pub(super) value: Option<f64>,
    /// Lower end of the 95 % interval.
    pub(super) low: Option<f64>,
    /// Upper end.
    pub(super) high: Option<f64>,
    /// Value at the best point, for simulating with it; it says nothing where the data do not determine it.
    pub(super) at_best: f64,
    /// Is it at a bound of the search?
    pub(super) at_bound: bool,
    /// Profile: value, and rise of −2 ln L.
    pub(super) profile: Vec<[f64; 2]>,
}

/// A reading beside the model.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Seen {
    /// Run, or condition of the problem.
    pub(super) run: String,
    /// Quantity.
    pub(super) quantity: String,
    /// Time, in the unit of time.
    pub(super) time: f64,
    /// Measured; a limit where `beyond` says so.
    pub(super) measured: f64,
    /// By the model at the best point.
    pub(super) modelled: f64,
    /// On which side of that limit it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) beyond: Option<Beyond>,
}

/// A sensor's spread.
#[derive(Debug, Serialize, JsonSchema)]
struct Spread {
    /// Quantity, or parameter of the problem.
    quantity: String,
    /// Estimated standard deviation.
    standard_deviation: f64,
    /// Unit, UCUM.
    unit: String,
}

/// Output of `culture fit`.
#[derive(Debug, Serialize, JsonSchema)]
struct Fitted {
    /// Model or problem.
    id: String,
    /// Unit of time, UCUM; empty where the problem states none.
    time_unit: String,
    /// Parameters.
    parameters: Vec<Found>,
    /// Estimated spreads.
    spreads: Vec<Spread>,
    /// Measurements.
    measurements: usize,
    /// −2 ln L at the best point.
    minus_two_log_likelihood: f64,
    /// −2 ln L where each start ended, least first; `null`: the model could not be simulated from there.
    starts: Vec<Option<f64>>,
    /// Starts that ended at the best.
    starts_at_best: usize,
    /// Did the best descent end by itself?
    converged: bool,
    /// Seed.
    seed: u64,
    /// Constants at the best point, to hand to `culture simulate` as `--set`; those each group has are left out.
    set: BTreeMap<String, f64>,
    /// What to mind.
    warnings: Vec<Text>,
    /// Readings beside the model.
    readings: Vec<Seen>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture fit",
            label: ["モデルの当てはめ", "Fit a model"],
            about: [
                "培養の測定値からモデルの定数を求めます。多数の出発点から探索し、各定数に 95 % プロファイル区間を付けます。データから決まらない定数は数を答えず「決まらない」と答えます。検出限界未満の値はそのまま尤度に入ります。PEtab 問題の YAML も読めます。",
                "Finds constants of a model from measurements of runs: many starts, and for every constant the 95 % profile interval. A constant that the data do not determine is answered as not identifiable, never as a number. Readings below a limit of detection enter the likelihood as such. Also takes the YAML file of a PEtab problem.",
            ],
            positional: &["model"],
            example: "toji culture fit m.toml --runs run-0a1b2c --readings X=dry-weight --parameters @bounds.json",
        },
        Effect::Read,
        run,
    )
    .long()
}

fn refused(field: &str, ja: &str, en: &str) -> Error {
    Error::input("E-FIT-012", ja, en).at(Place::field(field))
}

async fn run(context: Context, input: Input) -> Result<Fitted> {
    if !(1..=EFFORT_MAX).contains(&input.starts) || input.hops > EFFORT_MAX {
        return Err(refused(
            "starts",
            "starts は 1〜1000、hops は 0〜1000 にしてください",
            "starts is 1 to 1000, hops 0 to 1000",
        ));
    }
    if problem::is_one(&input.model) {
        let petab = problem::load(&context, &input.model).await?;
        return spawn(move || of_petab(&context, &input, &petab)).await;
    }
    let model = model(&context, &input.model).await?;
    for (what, empty) in
        [("runs", input.runs.is_empty()), ("readings", input.readings.is_empty()), ("parameters", input.parameters.is_empty())]
    {
        if empty {
            return Err(refused(
                what,
                "当てはめには runs・readings・parameters が必要です",
                "a fit needs runs, readings and parameters",
            )
            .hint(
                "例: --runs run-… --readings X=dry-weight --parameters '{\"mu_max\": [\"0.1 /h\", \"1 /h\"]}'",
                "example: --runs run-… --readings X=dry-weight --parameters '{\"mu_max\": [\"0.1 /h\", \"1 /h\"]}'",
            ));
        }
    }
    let mut wholes = Vec::new();
    for run in &input.runs {
        wholes.push(Whole::load_to(&context, run, Action::Train).await.map_err(|e| e.at(Place::field("runs")))?);
    }
    spawn(move || of_runs(&context, &input, &model, &wholes)).await
}

async fn spawn(work: impl FnOnce() -> Result<Fitted> + Send + 'static) -> Result<Fitted> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-MODEL-018", e))?
}

fn effort(context: &Context, input: &Input) -> Effort {
    Effort { starts: input.starts, hops: input.hops, seed: context.seed, profiles: input.profiles }
}

fn search(context: &Context, input: &Input, landscape: &impl Landscape) -> Result<Fit> {
    let report = |done: usize, all: usize| {
        let (ja, en) = if done < input.starts { ("探索", "searching") } else { ("区間", "intervals") };
        context.progress.step(done as u64, Some(all as u64), ja, en)
    };
    fit::fit(landscape, effort(context, input), &report)
}

/// A run of the store, in the terms of the model.
pub(super) struct Taken {
    name: String,
    group: String,
    /// The form of the model that follows its record.
    pub(super) own: Option<Model>,
    readings: Vec<(String, Read)>,
}

/// What a fit is of, besides the model.
pub(super) struct Of<'i> {
    pub(super) readings: &'i BTreeMap<String, String>,
    pub(super) follow: &'i BTreeMap<String, String>,
    pub(super) noise: &'i BTreeMap<String, Json>,
    pub(super) set: &'i BTreeMap<String, Json>,
    pub(super) group_by: Option<&'i str>,
}

impl Input {
    fn of(&self) -> Of<'_> {
        Of {
            readings: &self.readings,
            follow: &self.follow,
            noise: &self.noise,
            set: &self.set,
            group_by: self.group_by.as_deref(),
        }
    }
}

/// Runs as a problem has them.
pub(super) fn runs<'t>(input: &Of<'_>, model: &Model, taken: &'t [Taken]) -> Result<Vec<Run<'t>>> {
    let noises: BTreeMap<&str, Spreads> =
        input.readings.keys().map(|name| Ok((name.as_str(), spreads(input.noise, model, name)?))).collect::<Result<_>>()?;
    let set: Vec<(String, f64)> = input
        .set
        .iter()
        .map(|(name, given)| Ok((name.clone(), constant(model, name, given, &format!("set.{name}"))?.1)))
        .collect::<Result<_>>()?;
    let runs = taken.iter().map(|it| Run {
        system: it.own.as_ref().map(|m| &m.system),
        name: it.name.clone(),
        group: it.group.clone(),
        set: set.clone(),
        measured: it
            .readings
            .iter()
            .filter_map(|(name, read)| {
                let noise = noises.get(name.as_str())?.of(name, read.reading);
                Some(Measured { quantity: name.clone(), time: read.time, reading: read.reading, noise })
            })
            .collect(),
    });
    Ok(runs.collect())
}

fn of_runs(context: &Context, input: &Input, model: &Model, wholes: &[Whole]) -> Result<Fitted> {
    let taken: Vec<Taken> = wholes.iter().map(|whole| take(&input.of(), model, whole)).collect::<Result<_>>()?;
    let runs = runs(&input.of(), model, &taken)?;
    let parameters: Vec<Parameter> =
        input.parameters.iter().map(|(name, sought)| parameter(model, name, sought, "parameters")).collect::<Result<_>>()?;
    let options = Options { relative: 1e-6, absolute: vec![1e-9], ..Options::default() };
    let problem = Problem::new(&model.system, &parameters, &runs, 0.0, options.clone())?;
    let fit = search(context, input, &problem)?;
    let unit = |name: &str| model.described(name).map_or_else(String::new, |d| d.unit.code().to_owned());
    let label = |name: &str| model.described(name).map_or_else(|| Text::same(name), |d| d.label.clone());
    let unknowns = problem.unknowns();
    let found: Vec<Found> = fit
        .estimates
        .iter()
        .zip(&unknowns)
        .map(|(e, unknown)| {
            let constant = e.name.split(" (").next().unwrap_or(&e.name);
            as_found(e, unknown, label(constant), unit(constant), input.profiles)
        })
        .collect();
    let common: BTreeMap<String, f64> =
        fit.estimates.iter().filter(|e| !e.name.contains(" (")).map(|e| (e.name.clone(), e.at_best)).collect();
    let mut seen = Vec::new();
    for (run, it) in runs.iter().zip(&taken) {
        let system = run.system.unwrap_or(&model.system);
        let mut constants = system.constants();
        let own = fit.estimates.iter().filter_map(|e| {
            let (name, group) = e.name.split_once(" (").unwrap_or((&e.name, ""));
            (group.is_empty() || group.strip_suffix(')') == Some(&it.group)).then_some((name, e.at_best))
        });
        for (name, value) in run.set.iter().map(|(n, v)| (n.as_str(), *v)).chain(own) {
            constants[system.constant(name)?] = value;
        }
        let mut times: Vec<f64> = run.measured.iter().map(|m| m.time).chain([0.0]).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        let course = system.simulate(&constants, &times, &options)?;
        for m in &run.measured {
            let at = times.binary_search_by(|t| t.total_cmp(&m.time)).unwrap_or_else(|at| at.min(times.len() - 1));
            let (measured, beyond) = match m.reading {
                Reading::Value(v) => (v, None),
                Reading::Below(v) => (v, Some(Beyond::Below)),
                Reading::Above(v) => (v, Some(Beyond::Above)),
            };
            let modelled = course.at(at)[system.quantity(&m.quantity)?];
            seen.push(Seen { run: it.name.clone(), quantity: m.quantity.clone(), time: m.time, measured, modelled, beyond });
        }
    }
    Ok(Fitted {
        id: model.id.clone(),
        time_unit: model.time.code().to_owned(),
        spreads: fit
            .spreads
            .iter()
            .map(|(name, sd)| Spread { quantity: name.clone(), standard_deviation: *sd, unit: unit(name) })
            .collect(),
        set: common,
        ..fitted(context, &fit, found, seen)
    })
}

fn of_petab(context: &Context, input: &Input, petab: &Petab) -> Result<Fitted> {
    let to_fit = petab.problem.to_fit(Options { relative: 1e-6, absolute: vec![1e-9], ..Options::default() })?;
    let fit = search(context, input, &to_fit)?;
    let unknowns = to_fit.unknowns();
    let found = fit
        .estimates
        .iter()
        .zip(&unknowns)
        .map(|(e, unknown)| as_found(e, unknown, Text::same(&e.name), String::new(), input.profiles))
        .collect();
    let seen = petab.seen(&fit)?;
    Ok(Fitted {
        id: petab.name.clone(),
        spreads: fit
            .spreads
            .iter()
            .map(|(name, sd)| Spread { quantity: name.clone(), standard_deviation: *sd, unit: String::new() })
            .collect(),
        set: fit.estimates.iter().map(|e| (e.name.clone(), e.at_best)).chain(fit.spreads.iter().cloned()).collect(),
        ..fitted(context, &fit, found, seen)
    })
}

fn fitted(context: &Context, fit: &Fit, parameters: Vec<Found>, readings: Vec<Seen>) -> Fitted {
    let mut starts = fit.starts.clone();
    starts.sort_by(|a, b| a.unwrap_or(f64::INFINITY).total_cmp(&b.unwrap_or(f64::INFINITY)));
    let mut warnings = Vec::new();
    if !fit.converged {
        warnings.push(Text::new("最良の探索は途中で打ち切られました", "the best descent was cut off before it ended"));
    }
    if fit.at_best < 2 && fit.starts.len() > 1 {
        warnings.push(Text::new(
            "最良の点に達した出発点は一つだけです。starts か hops を増やしてください",
            "only one start ended at the best point: give more starts or hops",
        ));
    }
    for it in parameters.iter().filter(|p| p.at_bound) {
        warnings.push(Text::new(
            format!("«{}» は範囲の端にあります。範囲を見直してください", it.name),
            format!("«{}» is at a bound of the search: look at its bounds", it.name),
        ));
    }
    Fitted {
        id: String::new(),
        time_unit: String::new(),
        parameters,
        spreads: Vec::new(),
        measurements: fit.n,
        minus_two_log_likelihood: fit.minus_two_log,
        starts,
        starts_at_best: fit.at_best,
        converged: fit.converged,
        seed: context.seed,
        set: BTreeMap::new(),
        warnings,
        readings,
    }
}

fn as_found(it: &Estimate, unknown: &Unknown, label: Text, unit: String, examined: bool) -> Found {
    let (low, high, at) = (unknown.inward(unknown.low), unknown.inward(unknown.high), unknown.inward(it.at_best));
    let near = 1e-6 * (high - low);
    Found {
        name: it.name.clone(),
        label,
        unit,
        identifiable: match it.identifiable {
            _ if !examined => Told::NotExamined,
            Identifiable::Yes => Told::Determined,
            Identifiable::OnlyBelow => Told::OnlyBelow,
            Identifiable::OnlyAbove => Told::OnlyAbove,
            Identifiable::No => Told::NotIdentifiable,
        },
        value: it.value,
        low: it.low,
        high: it.high,
        at_best: it.at_best,
        at_bound: at <= low + near || at >= high - near,
        profile: it.profile.iter().map(|(at, rise)| [*at, *rise]).collect(),
    }
}

/// A run in the terms of the model.
pub(super) fn take(input: &Of<'_>, model: &Model, whole: &Whole) -> Result<Taken> {
    let mut own: Option<Model> = None;
    for (profile, variable) in input.follow {
        own = Some(readings::following(whole, own.as_ref().unwrap_or(model), profile, variable)?);
    }
    let mut read = Vec::new();
    for (name, variable) in input.readings {
        read.extend(readings::of(whole, model, name, variable)?.into_iter().map(|r| (name.clone(), r)));
    }
    let name = whole.run.id.to_string();
    let group = input.group_by.and_then(|field| text(&whole.run.fields, field)).unwrap_or_else(|| name.clone());
    Ok(Taken { name, group, own, readings: read })
}

/// How readings of a quantity scatter.
enum Spreads {
    /// By a share of each.
    Share(f64),
    /// By so much.
    Known(f64),
    /// Nobody said.
    Estimated,
}

/// The least spread of a reading that scatters by a share of itself, of that share of one unit.
const LEAST: f64 = 1e-3;

impl Spreads {
    fn of(&self, name: &str, reading: Reading) -> Noise {
        let (Reading::Value(value) | Reading::Below(value) | Reading::Above(value)) = reading;
        match self {
            Self::Share(share) => Noise::Known(share * value.abs().max(LEAST)),
            Self::Known(sd) => Noise::Known(*sd),
            Self::Estimated => Noise::Estimated(name.to_owned()),
        }
    }
}

fn spreads(noise: &BTreeMap<String, Json>, model: &Model, name: &str) -> Result<Spreads> {
    let field = format!("noise.{name}");
    let Some(given) = noise.get(name) else { return Ok(Spreads::Estimated) };
    let percent = Unit::parse("%")?;
    let of_share = given.as_str().is_some_and(|t| t.trim_end().ends_with('%'));
    if of_share && model.described(name).is_some_and(|d| d.unit != percent) {
        let share = quantity(given.as_str().unwrap_or_default(), &percent, &field)?;
        return Ok(Spreads::Share(share / 100.0));
    }
    Ok(Spreads::Known(number(model, name, given, &field)?))
}

/// A value of a quantity of the model, in its unit.
fn number(model: &Model, name: &str, given: &Json, field: &str) -> Result<f64> {
    let unit = model.described(name).map_or_else(Unit::one, |d| d.unit.clone());
    given_quantity(given, &unit, field)
}

/// A constant that is sought, as the input field `asked` says.
pub(super) fn parameter(model: &Model, name: &str, sought: &Sought, asked: &str) -> Result<Parameter> {
    let field = format!("{asked}.{name}");
    let (low, high, said) = match sought {
        Sought::Between([low, high]) => (low, high, None),
        Sought::Said(said) => (&said.low, &said.high, Some(said)),
    };
    let (low, high) = (constant(model, name, low, &field)?.1, constant(model, name, high, &field)?.1);
    let log = said.and_then(|s| s.log).unwrap_or(low > 0.0 && high > FAR * low);
    let prior = match said.map(|s| (&s.expected, s.spread)) {
        None | Some((None, None)) => None,
        Some((Some(expected), Some(sd))) => {
            let mean = constant(model, name, expected, &field)?.1;
            Some(Prior { mean: if log { mean.ln() } else { mean }, sd })
        }
        Some(_) => {
            return Err(refused(&field, "expected と spread は両方要ります", "expected and spread come together"));
        }
    };
    let scale = if log { Scale::Log } else { Scale::Linear };
    Ok(Parameter { name: name.to_owned(), scale, low, high, prior, by_group: said.is_some_and(|s| s.each) })
}
