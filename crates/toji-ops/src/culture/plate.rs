//! `culture plate`: all units of a plate or parallel system at one glance, each with its curve.

use super::experiment::{Experiment, PlannedUnit};
use super::place::{self, Spot, further};
use super::response::median;
use super::system::system;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::{channel_order, drawn, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Error, Place, Record, Result, Text, Unit, Value, variable};
use toji_culture::plan::System;

/// What is shown unless asked otherwise: the first of these that there is.
const SHOWN_FIRST: [&str; 5] = ["dry-weight", "optical-density", "backscatter", "viable-cell-density", "capacitance"];
/// Most points of a curve.
const POINTS_MAX: usize = 2_000;
/// A live run whose newest point is younger counts as running, s.
const RUNNING_S: f64 = 600.0;

/// Input of `culture plate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Experiment.
    ///
    /// 実験。
    #[serde(default)]
    experiment: Option<String>,
    /// File of a plate reader or parallel system: identifier of its record.
    ///
    /// プレートリーダーまたは並列装置のファイルの記録（識別子）。
    #[serde(default)]
    file: Option<String>,
    /// Runs.
    ///
    /// 培養。
    #[serde(default)]
    runs: Vec<String>,
    /// Variable, or the source's name of the channel; by default what shows growth.
    ///
    /// 変数、または取込元での系列の名前。既定は増殖を表す量。
    #[serde(default)]
    quantity: Option<String>,
    /// About so many points of each curve.
    ///
    /// 各曲線のおおよその点数。
    #[serde(default = "sixty")]
    points: usize,
}

fn sixty() -> usize {
    60
}

/// A quantity that can be shown.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct Quantity {
    /// Variable or name of the channel.
    code: String,
    /// Label.
    label: Text,
    /// Unit, UCUM.
    unit: Option<String>,
}

/// How far a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Nothing stands there yet.
    Planned,
    /// Points arrive.
    Running,
    /// It is over.
    Ended,
    /// It has run, and has no value of this quantity.
    NoData,
}

/// A unit with its curve.
#[derive(Debug, Serialize, JsonSchema)]
struct PlateUnit {
    /// Place.
    position: String,
    /// Row, from 1.
    row: usize,
    /// Column, from 1.
    column: usize,
    /// Run.
    run: Option<String>,
    /// Its title.
    title: Option<String>,
    /// Condition.
    condition: Option<String>,
    /// Is its condition the control?
    control: Option<bool>,
    /// Who runs it (pseudonym).
    learner: Option<String>,
    /// How far it is.
    state: State,
    /// s since the zero.
    t_s: Vec<f64>,
    /// Numbers; null where the source has none.
    value: Vec<Option<f64>>,
    /// Last number.
    last: Option<f64>,
    /// Alarms of the run.
    alarms: usize,
}

/// A run or sample that could not be placed.
#[derive(Debug, Serialize, JsonSchema)]
struct Unplaced {
    /// Run or sample.
    id: String,
    /// Title.
    title: String,
    /// Why.
    why: Text,
}

/// Output of `culture plate`.
#[derive(Debug, Serialize, JsonSchema)]
struct Plate {
    /// Name of the experiment or file.
    title: String,
    /// Rows.
    rows: usize,
    /// Columns.
    columns: usize,
    /// What is shown.
    quantity: Option<String>,
    /// Its label.
    label: Text,
    /// Its unit, UCUM.
    unit: Option<String>,
    /// What could be shown.
    quantities: Vec<Quantity>,
    /// Smallest number of all curves.
    low: Option<f64>,
    /// Largest.
    high: Option<f64>,
    /// Units, row by row.
    units: Vec<PlateUnit>,
    /// What has no place.
    unplaced: Vec<Unplaced>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture plate",
            label: ["並列培養の一覧図", "Plate of cultures"],
            about: [
                "並列培養装置・プレートの全槽を位置どおりに並べ、一つの量の経過と最後の値、条件、状態、警報の数を返します。実験計画のほか、プレートリーダーのファイル（BioLector、Bioscreen、Tecan など）や培養の一覧からも作れます。",
                "Lays all units of a parallel system or plate out in their places, with the course of one quantity, its last value, condition, state and alarms. Works on an experiment, on a file of a plate reader (BioLector, Bioscreen, Tecan …), or on a list of runs.",
            ],
            positional: &["experiment"],
            example: "toji culture plate exp-0a1b2c3d4e5f --quantity optical-density",
        },
        Effect::Read,
        plate,
    )
}

/// What stands at a place before its curve is drawn.
#[derive(Default)]
struct Standing {
    planned: Option<PlannedUnit>,
    run: Option<Record>,
    samples: Vec<Record>,
}

/// What was asked for, put in places.
#[derive(Default)]
struct Laid {
    title: String,
    grid: Option<System>,
    at: BTreeMap<Spot, Standing>,
    unplaced: Vec<Unplaced>,
    /// Assays by sample.
    assays: BTreeMap<String, Vec<Record>>,
    /// Channels by run.
    channels: BTreeMap<String, Vec<Record>>,
}

fn refuse(code: &'static str, field: &str, ja: &str, en: &str) -> Error {
    Error::input(code, ja, en)
        .at(Place::field(field))
        .hint("--experiment、--file、--runs のどれか一つを指定してください", "name one of --experiment, --file and --runs")
}

async fn plate(context: Context, input: Input) -> Result<Plate> {
    let mut laid = match (&input.experiment, &input.file, input.runs.as_slice()) {
        (Some(id), None, []) => of_experiment(&context, id).await?,
        (None, Some(file), []) => of_file(&context, file).await?,
        (None, None, [_, ..]) => {
            let mut runs = Vec::new();
            for id in &input.runs {
                runs.push(
                    context
                        .session
                        .store
                        .record(&context.access, "run", id, None)
                        .await
                        .map_err(|e| e.at(Place::field("runs")))?,
                );
            }
            let mut laid = Laid::default();
            laid.add_runs(runs);
            laid
        }
        _ => {
            return Err(refuse(
                "E-PLATE-001",
                "experiment",
                "実験・ファイル・培養のうち一つだけを指定してください",
                "name exactly one of experiment, file and runs",
            ));
        }
    };
    let spots: Vec<Spot> = laid.at.keys().cloned().collect();
    let stated = laid.at.values().filter_map(|s| s.run.as_ref()).find_map(stated_grid);
    let Some(grid) = laid.grid.or_else(|| place::grid(&spots, stated)) else {
        return Err(refuse(
            "E-PLATE-002",
            if input.file.is_some() { "file" } else { "runs" },
            "位置（A1 など）の分かる培養がありません",
            "nothing here has a place such as A1",
        ));
    };
    laid.fetch(&context).await?;
    let quantities = laid.quantities();
    let chosen = choose(&quantities, input.quantity.as_deref())?;
    let pixels = (input.points.clamp(1, POINTS_MAX) / 4).max(2);
    let mut units = Vec::new();
    for (spot, standing) in std::mem::take(&mut laid.at) {
        units.push(laid.unit(&context, spot, standing, chosen.as_ref(), pixels).await?);
    }
    let numbers = || units.iter().flat_map(|u| u.value.iter().flatten().chain(&u.last)).copied();
    let (low, high) = (numbers().reduce(f64::min), numbers().reduce(f64::max));
    Ok(Plate {
        title: laid.title,
        rows: grid.rows,
        columns: grid.columns,
        label: chosen.as_ref().map_or_else(|| Text::new("測定値なし", "No values"), |q| q.label.clone()),
        unit: chosen.as_ref().and_then(|q| q.unit.clone()),
        quantity: chosen.map(|q| q.code),
        quantities,
        low,
        high,
        units,
        unplaced: laid.unplaced,
    })
}

/// Rows and columns as the file of a BioLector states them.
fn stated_grid(run: &Record) -> Option<(usize, usize)> {
    let number = |name: &str| further(&run.fields, name).and_then(|n| n.trim().parse().ok());
    number("MTP ROWS").zip(number("MTP COLUMNS"))
}

async fn of_experiment(context: &Context, id: &str) -> Result<Laid> {
    let experiment = Experiment::load(context, id).await?;
    let runs = experiment.runs(context).await?;
    let grid = system(context, &experiment.system).await.ok().map(|(_, grid)| grid);
    let mut laid = Laid { title: experiment.name, grid, ..Laid::default() };
    for planned in experiment.units {
        let (row, column) = (planned.unit.row.saturating_sub(1), planned.unit.column.saturating_sub(1));
        laid.at.entry(Spot::at(row, column)).or_default().planned = Some(planned);
    }
    laid.add_runs(runs);
    Ok(laid)
}

async fn of_file(context: &Context, file: &str) -> Result<Laid> {
    let store = &context.session.store;
    let record = store.record(&context.access, "file", file, None).await.map_err(|e| e.at(Place::field("file")))?;
    let mut laid = Laid { title: text(&record.fields, "name").unwrap_or_default(), ..Laid::default() };
    let runs = store.linked(&context.access, "run", "file", record.id.as_str()).await?;
    let no_runs = runs.is_empty();
    laid.add_runs(runs);
    if no_runs {
        for assay in store.linked(&context.access, "assay", "file", record.id.as_str()).await? {
            laid.assays.entry(text(&assay.fields, "sample").unwrap_or_default()).or_default().push(assay);
        }
        for sample in store.linked(&context.access, "sample", "file", record.id.as_str()).await? {
            laid.add_sample(sample);
        }
    }
    Ok(laid)
}

impl Laid {
    fn add_runs(&mut self, mut runs: Vec<Record>) {
        runs.sort_by_cached_key(|r| (text(&r.fields, "started"), r.id.to_string()));
        for run in runs.into_iter().rev() {
            let why = match place::of_run(&run) {
                None => Text::new("位置が分かりません", "its place is not known"),
                Some(spot) => {
                    let standing = self.at.entry(spot).or_default();
                    if standing.run.is_none() {
                        standing.run = Some(run);
                        continue;
                    }
                    Text::new("同じ位置に後の培養があります", "a later run stands at the same place")
                }
            };
            self.unplaced.push(unplaced(&run, "title", why));
        }
    }
    fn add_sample(&mut self, sample: Record) {
        let Some(spot) = place::of_sample(&sample) else {
            self.unplaced.push(unplaced(&sample, "key", Text::new("ウェルが分かりません", "its well is not known")));
            return;
        };
        let standing = self.at.entry(spot).or_default();
        let plate = |s: &Record| further(&s.fields, "plate");
        if standing.samples.first().is_some_and(|first| plate(first) != plate(&sample)) {
            let why = Text::new("別のプレートの同じ位置です", "it stands at the same place of another plate");
            self.unplaced.push(unplaced(&sample, "key", why));
            return;
        }
        standing.samples.push(sample);
    }
    /// Channels of all runs.
    async fn fetch(&mut self, context: &Context) -> Result<()> {
        for run in self.at.values().filter_map(|s| s.run.as_ref()) {
            let mut channels = context.session.store.linked(&context.access, "channel", "run", run.id.as_str()).await?;
            channels.sort_by_cached_key(channel_order);
            self.channels.insert(run.id.to_string(), channels);
        }
        Ok(())
    }
    /// What any unit has, in the order of the vocabulary.
    fn quantities(&self) -> Vec<Quantity> {
        let mut out: Vec<Quantity> = Vec::new();
        let mut add = |code: String, unit: Option<String>| {
            if !out.iter().any(|q| q.code == code) {
                let label = variable::get(&code).map_or_else(|| Text::same(&code), |v| v.label.clone());
                out.push(Quantity { code, label, unit });
            }
        };
        for channel in self.channels.values().flatten().filter(|c| !is_setpoint(c)) {
            if let Some(code) = text(&channel.fields, "variable").or_else(|| text(&channel.fields, "key")) {
                add(code, text(&channel.fields, "unit"));
            }
        }
        for assay in self.assays.values().flatten() {
            if let Some(code) = analyte(assay) {
                add(code, number(assay).and_then(|(_, unit)| unit));
            }
        }
        let place = |code: &str| variable::all().iter().position(|v| v.id == code).unwrap_or(usize::MAX);
        out.sort_by_cached_key(|q| (place(&q.code), q.code.clone()));
        out
    }
    async fn unit(
        &self,
        context: &Context,
        spot: Spot,
        standing: Standing,
        chosen: Option<&Quantity>,
        pixels: usize,
    ) -> Result<PlateUnit> {
        let Standing { planned, run, samples } = standing;
        let field = |name: &str| run.as_ref().and_then(|r| text(&r.fields, name));
        let described =
            |name: &str| run.as_ref().or(samples.first()).and_then(|r| further(&r.fields, name)).filter(|d| !d.is_empty());
        let condition = planned
            .as_ref()
            .map(|p| p.unit.condition.clone())
            .or_else(|| field("condition"))
            .or_else(|| described("description"))
            .or_else(|| described("content"));
        let mut out = PlateUnit {
            row: spot.row + 1,
            column: spot.column + 1,
            position: spot.name,
            run: run.as_ref().map(|r| r.id.to_string()),
            title: field("title").or_else(|| samples.first().and_then(|s| text(&s.fields, "key"))),
            condition,
            control: planned.as_ref().map(|p| p.unit.control),
            learner: planned.as_ref().and_then(|p| p.learner.clone()).or_else(|| field("learner")),
            state: State::Planned,
            t_s: Vec::new(),
            value: Vec::new(),
            last: None,
            alarms: 0,
        };
        if let Some(run) = &run {
            self.draw(context, run, chosen, pixels, &mut out).await?;
        } else if !samples.is_empty() {
            self.gather(&samples, chosen, &mut out);
        }
        Ok(out)
    }
    async fn draw(
        &self,
        context: &Context,
        run: &Record,
        chosen: Option<&Quantity>,
        pixels: usize,
        out: &mut PlateUnit,
    ) -> Result<()> {
        let store = &context.session.store;
        let events = store.linked(&context.access, "event", "run", run.id.as_str()).await?;
        out.alarms = events.iter().filter(|e| text(&e.fields, "sort").as_deref() == Some("alarm")).count();
        out.state = State::NoData;
        let Some(quantity) = chosen else { return Ok(()) };
        let channels = self.channels.get(run.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let is_it = |c: &&Record| {
            !is_setpoint(c) && [text(&c.fields, "variable"), text(&c.fields, "key")].contains(&Some(quantity.code.clone()))
        };
        // Of several channels of one quantity the sensor speaks.
        let Some(channel) = channels.iter().filter(is_it).min_by_key(|c| text(&c.fields, "origin").as_deref() != Some("sensor"))
        else {
            return Ok(());
        };
        let (_, series) = drawn(context, run.id.as_str(), &[channel.id.to_string()], pixels).await?;
        let Some((_, series)) = series.into_iter().next().filter(|(_, s)| !s.is_empty()) else { return Ok(()) };
        let convert = converter(text(&channel.fields, "unit").as_deref(), quantity.unit.as_deref());
        out.t_s = series.t_ns.iter().map(|t| *t as f64 / 1e9).collect();
        out.value = series.value.iter().map(|v| if v.is_nan() { None } else { convert(*v) }).collect();
        out.last = (0..series.len()).rev().find(|i| series.is_good(*i)).and_then(|i| out.value.get(i).copied().flatten());
        out.state = State::Ended;
        if text(&run.fields, "format").as_deref() == Some("live") {
            let newest = store.summaries(&context.access, Some(&run.id)).await?.values().map(|s| s.t_max).max();
            if newest.is_some_and(|t| (context.now.0 - t) as f64 / 1e9 < RUNNING_S) {
                out.state = State::Running;
            }
        }
        Ok(())
    }
    /// The results of the samples of a well; a curve where they have times.
    fn gather(&self, samples: &[Record], chosen: Option<&Quantity>, out: &mut PlateUnit) {
        out.state = State::NoData;
        let Some(quantity) = chosen else { return };
        let assays = samples.iter().filter_map(|s| self.assays.get(s.id.as_str())).flatten();
        let mut found: Vec<(Option<f64>, f64)> = Vec::new();
        for assay in assays.filter(|a| analyte(a).as_ref() == Some(&quantity.code)) {
            let Some((value, unit)) = number(assay) else { continue };
            let Some(value) = converter(unit.as_deref(), quantity.unit.as_deref())(value) else { continue };
            found.push((assay.fields.get("elapsed_s").and_then(Json::as_f64), value));
        }
        if found.is_empty() {
            return;
        }
        out.state = State::Ended;
        if found.iter().all(|(t, _)| t.is_some()) {
            found.sort_by(|a, b| a.0.unwrap_or_default().total_cmp(&b.0.unwrap_or_default()));
            out.t_s = found.iter().filter_map(|(t, _)| *t).collect();
            out.value = found.iter().map(|(_, v)| Some(*v)).collect();
            out.last = found.last().map(|(_, v)| *v);
        } else {
            // Readings of one well without times: their middle stands for the well.
            out.last = median(&mut found.into_iter().map(|(_, v)| v).collect::<Vec<_>>());
        }
    }
}

fn unplaced(record: &Record, title: &str, why: Text) -> Unplaced {
    Unplaced { id: record.id.to_string(), title: text(&record.fields, title).unwrap_or_default(), why }
}

fn is_setpoint(channel: &Record) -> bool {
    text(&channel.fields, "origin").as_deref() == Some("setpoint")
}

fn analyte(assay: &Record) -> Option<String> {
    text(&assay.fields, "variable").or_else(|| text(&assay.fields, "analyte"))
}

fn number(assay: &Record) -> Option<(f64, Option<String>)> {
    let value: Value = serde_json::from_value(assay.fields.get("value")?.clone()).ok()?;
    Some((value.number?, value.unit.map(|u| u.code().to_owned())))
}

/// From one unit to another: nothing where they do not convert, so that no curve stands on another's scale.
fn converter(from: Option<&str>, to: Option<&str>) -> impl Fn(f64) -> Option<f64> + use<> {
    let same = from == to;
    let units = from.and_then(|u| Unit::parse(u).ok()).zip(to.and_then(|u| Unit::parse(u).ok()));
    move |value| {
        if same {
            return Some(value);
        }
        units.as_ref().and_then(|(from, to)| from.convert(value, to).ok())
    }
}

fn choose(quantities: &[Quantity], asked: Option<&str>) -> Result<Option<Quantity>> {
    let Some(asked) = asked else {
        let growth = |q: &&Quantity| q.code.to_lowercase().contains("biomass");
        let first = SHOWN_FIRST.iter().find_map(|code| quantities.iter().find(|q| q.code == *code));
        return Ok(first.or_else(|| quantities.iter().find(growth)).or(quantities.first()).cloned());
    };
    if let Some(found) = quantities.iter().find(|q| q.code == asked) {
        return Ok(Some(found.clone()));
    }
    let known: Vec<&str> = quantities.iter().map(|q| q.code.as_str()).collect();
    let known = known.join(", ");
    Err(Error::not_found(
        "E-PLATE-003",
        format!("「{asked}」という量はここにありません"),
        format!("there is no quantity \"{asked}\" here"),
    )
    .at(Place::field("quantity"))
    .hint(format!("次から選んでください: {known}"), format!("choose from: {known}")))
}
