//! `culture calibration`: stored forecasts beside what came of them, and whether a model may steer.

use super::course::{Table, table};
use super::model;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::{Error, Instant, Place, Record, Result, Text};
use toji_culture::predict::{Entry, Permission, Reason, Rule, coverage, ledger, permission};
use toji_store::{Commit, Put};

/// Input of `culture calibration`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the name of one that ships, the path of a model file, or its address after an upload.
    ///
    /// モデル：付属モデルの名前、モデルファイルの場所、または送信後のアドレス。
    model: String,
    /// What came of the runs: a CSV with the columns `run`, `started`, `time [h]` and readings.
    ///
    /// 培養の結果の表（CSV）。列は run、started（開始日時）、time [h]、測定値。
    runs: String,
    /// Keep what came of the forecasts with them?
    ///
    /// 結果を予測の記録に残すか。
    #[serde(default)]
    store: bool,
    /// How far coverage may lie from its level, as a share.
    ///
    /// 的中率が水準から離れてよい幅（割合）。
    #[serde(default = "usual_tolerance")]
    tolerance: f64,
    /// Coverage that must be beyond doubt before a model may steer, as a share.
    ///
    /// 制御に使う前に疑いなく上回るべき的中率（割合）。
    #[serde(default = "usual_floor")]
    floor: f64,
}

fn usual_tolerance() -> f64 {
    Rule::default().tolerance
}

fn usual_floor() -> f64 {
    Rule::default().floor
}

/// Coverage of one quantity of a model at one scale.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Counted {
    /// Model.
    model: String,
    /// Quantity.
    quantity: String,
    /// Scale.
    scale: String,
    /// Level.
    level: f64,
    /// All readings of a run at once, or each by itself?
    at_once: bool,
    /// Runs.
    runs: usize,
    /// Runs whose interval held; where each reading counts by itself, the sum of the shares that did.
    held: f64,
    /// Coverage.
    coverage: f64,
    /// Lower end of its exact 95 % interval.
    coverage_low: f64,
    /// Upper end.
    coverage_high: f64,
    /// May the model steer by it?
    permission: Permission,
    /// Why.
    reason: Text,
}

/// Output of `culture calibration`.
#[derive(Debug, Serialize, JsonSchema)]
struct Calibrated {
    /// Model.
    id: String,
    /// Forecasts of this model that are stored.
    forecasts: usize,
    /// Forecasts whose run is in the table and began after them.
    matched: usize,
    /// Forecasts that were made after their run had begun: they prove nothing and do not count.
    too_late: usize,
    /// Forecasts whose run has no start in the table: they do not count.
    undated: usize,
    /// Forecasts whose run is not in the table.
    open: usize,
    /// What was counted.
    counted: Vec<Counted>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture calibration",
            label: ["予測の的中台帳", "Calibration ledger"],
            about: [
                "培養の前に残した予測を結果と照らし、量・スケール・水準ごとに的中率と正確な 95 % 区間を数えます。培養の開始後に作られた予測は数えません。的中率が帯から外れたモデルは制御に使う許可を失い、まだ判断できないときはそう答えます。",
                "Counts how often forecasts that were kept before their runs held, by quantity, scale and level, with exact 95 % intervals. A forecast made after its run had begun does not count. A model out of its band loses permission to steer, and where nobody can tell yet the answer says so.",
            ],
            positional: &["model", "runs"],
            example: "toji culture calibration cho-mab-fed-batch outcomes.csv",
        },
        Effect::Write,
        run,
    )
}

/// Words of a reason.
fn words(reason: Reason) -> Text {
    let (ja, en) = match reason {
        Reason::InBand => {
            ("的中率は帯の中にあり、下限も疑いなく上回る", "coverage is in its band, and beyond doubt above the floor")
        }
        Reason::TooSeldom => ("全体として当たらなすぎる", "intervals held too seldom over all runs"),
        Reason::TooOften => {
            ("全体として当たりすぎる（区間が広すぎる）", "intervals held too often over all runs: they are too wide")
        }
        Reason::TooSeldomLately => ("最近の培養で当たらなすぎる", "intervals held too seldom over the last runs"),
        Reason::TooOftenLately => {
            ("最近の培養で当たりすぎる（区間が広すぎる）", "intervals held too often over the last runs: they are too wide")
        }
        Reason::FloorInDoubt => {
            ("培養がまだ少なく、下限を下回る可能性が残る", "so few runs leave a coverage below the floor possible")
        }
        Reason::NoRuns => ("結果の出た予測がまだない", "no run with a stored forecast has ended"),
    };
    Text::new(ja, en)
}

/// What was counted of stored outcomes, of one model or of all.
pub(super) async fn counted(context: &Context, model: Option<&str>, rule: Option<Rule>) -> Result<Vec<Counted>> {
    let records = context.session.store.records(&context.access, "forecast", None, false).await?;
    let mut entries = Vec::new();
    for record in records.iter().filter(|r| model.is_none() || text(&r.fields, "model").as_deref() == model) {
        let Some(outcomes) = record.fields.get("outcomes") else { continue };
        let read: Vec<Entry> = serde_json::from_value(outcomes.clone()).map_err(|e| Error::bug("E-CALIBRATION-001", e))?;
        entries.extend(read);
    }
    Ok(of_entries(&entries, &rule.unwrap_or_default()))
}

fn of_entries(entries: &[Entry], rule: &Rule) -> Vec<Counted> {
    ledger(entries)
        .into_iter()
        .map(|(cell, outcomes)| {
            let level = f64::from(cell.level_thousandths) / 1000.0;
            let seen = coverage(&outcomes, rule.confidence);
            let (permission, reason) = permission(&outcomes, level, rule);
            Counted {
                model: cell.model,
                quantity: cell.quantity,
                scale: cell.scale,
                level,
                at_once: cell.at_once,
                runs: seen.runs,
                held: seen.held,
                coverage: seen.share,
                coverage_low: seen.low,
                coverage_high: seen.high,
                permission,
                reason: words(reason),
            }
        })
        .collect()
}

async fn run(context: Context, input: Input) -> Result<Calibrated> {
    let model = model(&context, &input.model).await?;
    let table = table(&context, &model, &input.runs).await?;
    if !(0.0..0.5).contains(&input.tolerance) || !(0.0..1.0).contains(&input.floor) {
        return Err(Error::input(
            "E-CALIBRATION-002",
            "tolerance は 0〜0.5、floor は 0〜1 にしてください",
            "tolerance is 0 to 0.5 and floor 0 to 1",
        )
        .at(Place::field("tolerance")));
    }
    let rule = Rule { tolerance: input.tolerance, floor: input.floor, ..Rule::default() };
    let records = context.session.store.records(&context.access, "forecast", None, false).await?;
    let own: Vec<&Record> = records.iter().filter(|r| text(&r.fields, "model").as_deref() == Some(model.id.as_str())).collect();
    let mut answer = Calibrated {
        id: model.id.clone(),
        forecasts: own.len(),
        matched: 0,
        too_late: 0,
        undated: 0,
        open: 0,
        counted: Vec::new(),
    };
    let (mut entries, mut puts) = (Vec::new(), Vec::new());
    for record in own {
        let named = text(&record.fields, "run").unwrap_or_default();
        let Some(row) = table.runs.iter().find(|r| r.name == named) else {
            // What came of it may have been kept before.
            answer.open += 1;
            if let Some(kept) = record.fields.get("outcomes") {
                entries
                    .extend(serde_json::from_value::<Vec<Entry>>(kept.clone()).map_err(|e| Error::bug("E-CALIBRATION-001", e))?);
            }
            continue;
        };
        let made_at = Instant::parse(&text(&record.fields, "made_at").unwrap_or_default())?;
        match row.started {
            None => answer.undated += 1,
            Some(started) if started < made_at => answer.too_late += 1,
            Some(_) => {
                answer.matched += 1;
                let of_run = outcomes(record, &table, &named, made_at);
                let mut fields = record.fields.clone();
                fields.insert(
                    "outcomes".to_owned(),
                    serde_json::to_value(&of_run).map_err(|e| Error::bug("E-CALIBRATION-001", e))?,
                );
                if fields != record.fields {
                    puts.push(Put::new("forecast", record.id.clone(), fields));
                }
                entries.extend(of_run);
            }
        }
    }
    if input.store && !puts.is_empty() {
        let commit = Commit { operation: "culture calibration".into(), puts, ..Commit::default() };
        context.session.store.commit(&context.access, context.now, commit).await?;
    }
    answer.counted = of_entries(&entries, &rule);
    Ok(answer)
}

/// Readings of a run beside the bands of its forecast, between its times by straight lines.
fn outcomes(record: &Record, table: &Table, run: &str, made_at: Instant) -> Vec<Entry> {
    let numbers = |json: &Json| -> Vec<f64> { json.as_array().into_iter().flatten().filter_map(Json::as_f64).collect() };
    let bands = record.fields.get("bands").cloned().unwrap_or_default();
    let times = numbers(&bands["time"]);
    let Some(row) = table.runs.iter().find(|r| r.name == run) else { return Vec::new() };
    let mut entries = Vec::new();
    for line in bands["lines"].as_array().into_iter().flatten() {
        let quantity = line["quantity"].as_str().unwrap_or_default();
        let Some(read) = row.read.get(quantity) else { continue };
        for interval in line["intervals"].as_array().into_iter().flatten() {
            let (low, high) = (numbers(&interval["low"]), numbers(&interval["high"]));
            for (time, value) in row.times.iter().zip(read) {
                let (Some(read), Some(low), Some(high)) = (*value, between(&times, &low, *time), between(&times, &high, *time))
                else {
                    continue;
                };
                entries.push(Entry {
                    model: text(&record.fields, "model").unwrap_or_default(),
                    quantity: quantity.to_owned(),
                    scale: text(&record.fields, "scale").unwrap_or_default(),
                    run: run.to_owned(),
                    stored: made_at.0 as f64 / 1e9,
                    at_once: interval["at_once"].as_bool().unwrap_or_default(),
                    level: interval["level"].as_f64().unwrap_or_default(),
                    low,
                    high,
                    read,
                });
            }
        }
    }
    entries
}

/// A value between those at some times, by straight lines; never beyond them.
pub(in crate::culture) fn between(times: &[f64], values: &[f64], at: f64) -> Option<f64> {
    if times.len() != values.len() || times.is_empty() {
        return None;
    }
    let after = times.partition_point(|t| *t < at);
    if after == times.len() {
        return None;
    }
    if times[after] == at {
        return Some(values[after]);
    }
    let before = after.checked_sub(1)?;
    let share = (at - times[before]) / (times[after] - times[before]);
    Some(values[before] + share * (values[after] - values[before]))
}
