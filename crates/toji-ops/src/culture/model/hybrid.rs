//! `culture hybrid`: what the mechanism lacks, learnt from runs, beside each part alone.

use super::course::{NoiseOf, sought, table};
use super::fit::Sought;
use super::{quantity, text};
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result, Text, Unit};
use toji_culture::hybrid::{self, Comparison, Learn, Manner, fitted, learn};
use toji_culture::kernel::Options;
use toji_culture::model::{File, Model};

/// End of the identifier of a hybrid.
const HYBRID: &str = "-hybrid";
/// Most intervals of a run.
const INTERVALS_MAX: usize = 40;

/// Input of `culture hybrid`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the name of one that ships, the path of a model file, or its address after an upload.
    ///
    /// モデル：付属モデルの名前、モデルファイルの場所、または送信後のアドレス。
    model: String,
    /// Runs: a CSV with the columns `run`, `time [h]`, readings such as `Xv [10*9/L]` and settings such as `set:T_2 [Cel]`.
    ///
    /// 培養の表（CSV）。列は run、time [h]、測定値（例: Xv [10*9/L]）、設定（例: set:T_2 [Cel]）。
    runs: String,
    /// Rates to correct, each with what its factor is a function of: quantities of the model or `time`.
    ///
    /// 補正する速度と、係数が何の関数か（モデルの量、または time）。
    on: BTreeMap<String, Vec<String>>,
    /// Parameters of the mechanism to fit first, with bounds.
    ///
    /// 先に当てはめる機構のパラメーターと範囲。
    #[serde(default)]
    parameters: BTreeMap<String, Sought>,
    /// Noise by quantity; 5 % of a value and 1 % of the greatest where nothing is said.
    ///
    /// 量ごとの測定誤差。省略時は値の 5 % と最大値の 1 %。
    #[serde(default)]
    noise: BTreeMap<String, NoiseOf>,
    /// Length of the intervals in which a rate is taken as one, with unit.
    ///
    /// 速度を一つとみなす区間の長さ。単位を添える。
    every: String,
    /// Folds over which the hybrid is compared with each part alone on runs not seen; 0: no comparison.
    ///
    /// 見ていない培養で、各部単独と比べるときの分割数。0 なら比べない。
    #[serde(default = "usual_folds")]
    folds: usize,
    /// Most points a factor rests on.
    ///
    /// 係数が拠る点の最大数。
    #[serde(default = "usual_points")]
    points: usize,
}

fn usual_folds() -> usize {
    4
}

fn usual_points() -> usize {
    10
}

/// A learnt factor.
#[derive(Debug, Serialize, JsonSchema)]
struct Found {
    /// Name.
    name: String,
    /// Rate it multiplies.
    on: String,
    /// What it is a function of, with the length over which it stays alike.
    inputs: Vec<Length>,
    /// Standard deviation of its logarithm before any data.
    sd_before: f64,
    /// Standard deviation of its logarithm from run to run that the inputs do not explain.
    sd_unexplained: f64,
    /// Points it rests on.
    points: usize,
    /// Least and greatest value at these points.
    least: f64,
    /// Greatest value at these points.
    greatest: f64,
}

/// An input of a factor.
#[derive(Debug, Serialize, JsonSchema)]
struct Length {
    /// Quantity.
    quantity: String,
    /// Length.
    length: f64,
    /// Unit, UCUM.
    unit: String,
}

/// How far off predictions of a quantity were, on runs not seen.
#[derive(Debug, Serialize, JsonSchema)]
struct Judged {
    /// Quantity.
    quantity: String,
    /// Label.
    label: Text,
    /// Unit, UCUM.
    unit: String,
    /// Readings that judged.
    measurements: usize,
    /// Standard deviation of these readings.
    spread: f64,
    /// Root mean squared error of the mechanism alone.
    mechanism: f64,
    /// Root mean squared error of statistics alone: Gaussian processes over time and settings.
    statistics: f64,
    /// Root mean squared error of the hybrid.
    hybrid: f64,
}

/// Output of `culture hybrid`.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// Model.
    id: String,
    /// Runs it was learnt from.
    runs: usize,
    /// SHA-256 of the table of runs.
    data_hash: String,
    /// Constants of the mechanism as fitted.
    fitted: BTreeMap<String, f64>,
    /// Factors.
    factors: Vec<Found>,
    /// Did a refinement on the readings themselves pay on runs held out? None where it was not tried.
    refined: Option<bool>,
    /// The hybrid beside each part alone; empty where no comparison was asked for.
    judged: Vec<Judged>,
    /// The sections that make the model file a hybrid: append them to it.
    sections: String,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "culture hybrid",
            label: ["ハイブリッドモデルの学習", "Learn a hybrid model"],
            about: [
                "機構モデルに足りないところを培養データから学び、速度に掛ける係数としてモデルファイルに書き加えます。係数は速度にだけ掛かるため物質収支は変わらず、データから離れると 1 に戻ります。見ていない培養で、機構だけ・統計だけの予測と比べた誤差を付け、係数には学習した培養のハッシュが残ります。",
                "Learns from runs what a mechanism lacks, as factors on its rates that are added to the model file. A factor multiplies a rate only, so no balance changes, and far from the data it is 1. The answer shows how far off the hybrid, the mechanism alone and statistics alone are on runs they had not seen, and each factor names its runs by their hashes.",
            ],
            positional: &["model", "runs"],
            example: "toji culture hybrid cho-mab-fed-batch runs.csv --on '{\"mu\": [\"T\"]}' --every '48 h'",
        },
        Effect::Read,
        run,
    )
    .long()
}

async fn run(context: Context, input: Input) -> Result<Answer<Output>> {
    let (text, file) = text(&context, &input.model).await?;
    let declared = File::read(&text)
        .and_then(|f| Model::of(&f).map(|m| (f, m)))
        .map_err(|error| if file.is_empty() { error } else { error.in_file(&file) })?;
    let table = table(&context, &declared.1, &input.runs).await?;
    let every = quantity(&input.every, &declared.1.time, "every")?;
    let progress = context.progress.clone();
    let seed = context.seed;
    let work = move || -> Result<Answer<Output>> {
        let (declared, model) = declared;
        let sensors = table.sensors(&model, &input.noise)?;
        let runs = table.fitted(&sensors);
        let last = table.runs.iter().filter_map(|r| r.times.last()).copied().fold(0.0, f64::max);
        let manner = Manner { knots: knots(every, last)?, sd: 0.5, points: input.points.clamp(1, 24), refine: true, seed };
        let what: Vec<Learn> = input.on.iter().map(|(on, inputs)| Learn { on: on.clone(), inputs: inputs.clone() }).collect();
        if what.is_empty() || what.iter().any(|w| w.inputs.is_empty()) {
            return Err(Error::input(
                "E-HYBRID-007",
                "補正する速度と、その係数の入力を挙げてください",
                "name the rates to correct and what their factors are functions of",
            )
            .at(Place::field("on"))
            .hint("例: {\"mu\": [\"T\", \"pH\"]}", "example: {\"mu\": [\"T\", \"pH\"]}"));
        }
        let parameters = sought(&model, &input.parameters, false)?;
        let options = Options { relative: 1e-5, absolute: vec![1e-8], ..Options::default() };
        let comparison = Comparison {
            file: &declared,
            parameters: &parameters,
            what: &what,
            runs: &runs,
            manner: &manner,
            starts: 3,
            options: &options,
        };
        let contests = if input.folds == 0 {
            Vec::new()
        } else {
            comparison.fold(input.folds, &mut |done, of| {
                progress.step(done as u64, Some(of as u64 + 1), "見ていない培養での比較", "comparing on runs not seen")
            })?
        };
        progress.step(input.folds as u64, Some(input.folds as u64 + 1), "学習", "learning")?;
        let base = fitted(&comparison, &runs)?;
        let hashes: Vec<String> = table.runs.iter().map(|r| r.hash.clone()).collect();
        let learnt = learn(&base, &what, &runs, &hashes, &manner, &options)?;
        let sections = learnt.text()?;
        let values: BTreeMap<String, f64> = input
            .parameters
            .keys()
            .filter_map(|name| base.constant.get(name).and_then(|c| c.value).map(|value| (name.clone(), value)))
            .collect();
        let factors = learnt.factors.iter().map(|(name, factor)| found(name, factor, &learnt)).collect::<Result<Vec<_>>>()?;
        let judged = contests.into_iter().map(|c| {
            let of = model.described(&c.quantity);
            Judged {
                label: of.map_or_else(|| Text::new(&c.quantity, &c.quantity), |d| d.label.clone()),
                unit: of.map_or_else(Unit::one, |d| d.unit.clone()).code().to_owned(),
                quantity: c.quantity,
                measurements: c.readings,
                spread: c.spread,
                mechanism: c.mechanism,
                statistics: c.statistics,
                hybrid: c.hybrid,
            }
        });
        let judged = judged.collect();
        let whole = written(&text, &model.id, &values, &sections);
        Model::read(&whole).map_err(|error| Error::bug("E-HYBRID-008", error))?;
        let output = Output {
            id: model.id.clone(),
            runs: runs.len(),
            data_hash: table.hash.clone(),
            fitted: values,
            factors,
            refined: learnt.refinement.map(|r| r.kept),
            judged,
            sections,
        };
        let name = format!("{}{HYBRID}.toml", model.id.trim_end_matches(HYBRID));
        let attachment = Some(Attachment { name, media_type: "application/toml", bytes: whole.into_bytes() });
        Ok(Answer { output, attachment })
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::bug("E-HYBRID-008", error))?
}

/// Begins of the intervals.
fn knots(every: f64, last: f64) -> Result<Vec<f64>> {
    let n = (last / every - 1e-9).ceil();
    if !(every > 0.0 && n >= 1.0 && n <= INTERVALS_MAX as f64) {
        return Err(Error::input(
            "E-HYBRID-007",
            format!("区間の長さ every は正で、培養全体が 1〜{INTERVALS_MAX} 区間になる値にしてください"),
            format!("every is positive and parts the runs into 1 to {INTERVALS_MAX} intervals"),
        )
        .at(Place::field("every")));
    }
    Ok((0..n as usize).map(|i| i as f64 * every).collect())
}

fn found(name: &str, factor: &hybrid::Factor, learnt: &hybrid::Learnt) -> Result<Found> {
    let at = factor.points.iter().map(|p| factor.at(p).map(|a| a.mean.exp())).collect::<Result<Vec<_>>>()?;
    Ok(Found {
        name: name.to_owned(),
        on: factor.on.clone(),
        inputs: factor.input.iter().map(|i| Length { quantity: i.of.clone(), length: i.length, unit: i.unit.clone() }).collect(),
        sd_before: factor.variance.sqrt(),
        sd_unexplained: learnt.unexplained.get(name).map_or(0.0, |v| v.sqrt()),
        points: factor.points.len(),
        least: at.iter().copied().fold(f64::INFINITY, f64::min),
        greatest: at.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

/// The model file as it was written, with fitted constants in their places, the sections at its end and a name of its
/// own, so that the ledger keeps it apart from the mechanism.
fn written(text: &str, id: &str, fitted: &BTreeMap<String, f64>, sections: &str) -> String {
    let (mut in_constants, mut in_head) = (false, false);
    let mut lines = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with('[') {
            in_constants = trimmed.starts_with("[constant]");
            in_head = trimmed.starts_with("[model]");
        }
        if in_head && trimmed.split_once('=').is_some_and(|(name, _)| name.trim() == "id") {
            lines.push(format!("id = \"{}{HYBRID}\"", id.trim_end_matches(HYBRID)));
            continue;
        }
        let replaced = trimmed.split_once('=').filter(|_| in_constants).and_then(|(name, rest)| {
            let value = fitted.get(name.trim())?;
            let from = rest.find("value")?;
            let after = &rest[from..];
            let begin = from + after.find('=')? + 1;
            let end = begin + rest[begin..].find([',', '}'])?;
            Some(format!("{}={} {value} {}", name, &rest[..begin], &rest[end..]))
        });
        lines.push(replaced.unwrap_or_else(|| line.to_owned()));
    }
    format!("{}\n\n# Learnt from runs.\n{sections}", lines.join("\n"))
}
