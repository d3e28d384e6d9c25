//! `run plot`, `run align`, `run asof`: series for the eye, on a grid, and beside samples.

use super::list::text;
use super::show::{channel_row, offset_ns, zero_ns};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::variable::{self, GridRule};
use toji_core::{Category, Error, Id, Instant, Place, Record, Result, Text};
use toji_store::{Base, Grid, Outage, Plotted, Series, align, as_of, silence};

/// Most cells of one channel on a grid.
const CELLS_MAX: usize = 1_000_000;

/// Input of `run plot`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlotInput {
    /// Run.
    ///
    /// 培養。
    run: String,
    /// Channels; all when empty.
    ///
    /// 系列。空ならすべて。
    #[serde(default)]
    channels: Vec<String>,
    /// From, s since the zero.
    ///
    /// 開始（零時刻からの s）。
    #[serde(default)]
    from_s: Option<f64>,
    /// To, s since the zero.
    ///
    /// 終了（零時刻からの s）。
    #[serde(default)]
    to_s: Option<f64>,
    /// Width of the plot in columns.
    ///
    /// 図の幅（画素の列数）。
    #[serde(default = "pixels")]
    pixels: usize,
    /// Every point, not a thinned view.
    ///
    /// 間引かず全点。
    #[serde(default)]
    raw: bool,
}

fn pixels() -> usize {
    1400
}

/// A channel's points for a plot.
#[derive(Debug, Serialize, JsonSchema)]
struct PlotChannel {
    /// Channel.
    id: String,
    /// Label.
    label: Text,
    /// Unit, UCUM.
    unit: Option<String>,
    /// Were points left out?
    down_sampled: bool,
    /// Points in the stretch of time.
    total_points: usize,
    /// s since the zero.
    t_s: Vec<f64>,
    /// Numbers; `null` where the source has none.
    value: Vec<Option<f64>>,
    /// Packed quality, 0 is good.
    quality: Vec<u16>,
}

/// Output of `run plot`.
#[derive(Debug, Serialize, JsonSchema)]
struct Plot {
    /// Run.
    run: String,
    /// Zero of elapsed time, UTC.
    t0: Option<String>,
    /// Channels.
    channels: Vec<PlotChannel>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "run plot",
            label: ["系列の図示", "Plot a run"],
            about: [
                "図のための系列を返します。画素ごとに最初・最小・最大・最後の点と印付きの点を残すので、尖りも欠測も見逃しません。長い系列は保存済みの要約から描くので、点が億を超えても速く、図は全点から描いたものと同じです。",
                "Returns series for a plot: of each pixel column the first, smallest, largest and last point and a flagged one, so that no spike and no gap is lost. Long channels are drawn from stored roll-ups, quickly at any length; the picture is the one that all points would give.",
            ],
            positional: &["run"],
            example: "toji run plot run-0a1b2c3d4e5f --pixels 800 --json",
        },
        Effect::Read,
        plot,
    )
}

fn ids(channels: &[String]) -> Result<Vec<Id>> {
    channels.iter().map(|c| Id::parse(c).map_err(|e| e.at(Place::field("channels")))).collect()
}

/// Channels stand as the vocabulary has them, since it begins with what every floor looks at first;
/// those it does not know follow by name.
pub(crate) fn channel_order(channel: &Record) -> (usize, Option<String>) {
    let known = text(&channel.fields, "variable").and_then(|id| variable::all().iter().position(|v| v.id == id));
    (known.unwrap_or(usize::MAX), text(&channel.fields, "key"))
}

/// What was asked for: the run, its channels, and the stretch of time of the wanted ones.
struct Asked {
    run: Record,
    records: Vec<Record>,
    /// Channels by identifier; all when empty.
    wanted: Vec<Id>,
    /// Zero of elapsed time, nanoseconds.
    zero: Option<i64>,
    /// Nanoseconds from the base.
    from: i64,
    /// Excluded.
    to: i64,
}

async fn asked(context: &Context, run: &str, channels: &[String], from_s: Option<f64>, to_s: Option<f64>) -> Result<Asked> {
    let store = &context.session.store;
    let run = store.record(&context.access, "run", run, None).await?;
    let records = store.linked(&context.access, "channel", "run", run.id.as_str()).await?;
    // Channels may be named by identifier, by the source's name or by variable.
    let wanted: Vec<String> = if channels.is_empty() {
        Vec::new()
    } else {
        let named = |r: &&Record| {
            channels
                .iter()
                .any(|c| c == r.id.as_str() || [text(&r.fields, "key"), text(&r.fields, "variable")].contains(&Some(c.clone())))
        };
        records.iter().filter(named).map(|r| r.id.to_string()).collect()
    };
    if !channels.is_empty() && wanted.is_empty() {
        let known: Vec<String> = records.iter().filter_map(|r| text(&r.fields, "key")).collect();
        return Err(Error::not_found("E-RUN-010", "指定のチャネルはこの培養にありません", "the run has no such channel")
            .at(Place::field("channels"))
            .hint(format!("次から選んでください: {}", known.join(", ")), format!("choose from: {}", known.join(", "))));
    }
    let zero = zero_ns(&run.fields);
    let bound = |s: Option<f64>, open: i64| s.map_or(open, |s| ((s * 1e9) as i64).saturating_add(zero.unwrap_or_default()));
    // A run is of one base, so the bounds of the clock serve, or those of elapsed time when there is none.
    let (from, to) = (bound(from_s, i64::MIN), bound(to_s, i64::MAX));
    Ok(Asked { run, records, wanted: ids(&wanted)?, zero, from, to })
}

impl Asked {
    /// Records beside their series, times counted from the run's zero, in the order of [`channel_order`].
    fn beside(&self, series: Vec<(Id, Base, Series)>) -> Vec<(Record, Series)> {
        let mut out = Vec::new();
        for (id, base, mut series) in series {
            let Some(record) = self.records.iter().find(|r| r.id == id) else { continue };
            let offset = offset_ns(base, self.zero);
            if offset != 0 {
                series.t_ns.iter_mut().for_each(|t| *t = t.saturating_sub(offset));
            }
            out.push((record.clone(), series));
        }
        out.sort_by_cached_key(|(record, _)| channel_order(record));
        out
    }
}

/// Run, its channels and the wanted series with times since the zero (nanoseconds).
pub(crate) async fn load(
    context: &Context,
    run: &str,
    channels: &[String],
    from_s: Option<f64>,
    to_s: Option<f64>,
) -> Result<(Record, Vec<(Record, Series)>)> {
    let asked = asked(context, run, channels, from_s, to_s).await?;
    let series = context.session.store.series(&context.access, &asked.run.id, &asked.wanted, asked.from, asked.to).await?;
    let series = asked.beside(series);
    Ok((asked.run, series))
}

/// As [`load`], but what a plot of about `pixels` columns shows: quick at any length.
pub(crate) async fn drawn(
    context: &Context,
    run: &str,
    channels: &[String],
    pixels: usize,
) -> Result<(Record, Vec<(Record, Series)>)> {
    let asked = asked(context, run, channels, None, None).await?;
    let plotted = context.session.store.plot(&context.access, &asked.run.id, &asked.wanted, asked.from, asked.to, pixels).await?;
    let series = asked.beside(plotted.into_iter().map(|p| (p.channel, p.base, p.shown)).collect());
    Ok((asked.run, series))
}

/// When the source of a run was not heard, on the time axis of the run.
pub(crate) async fn outages_of(context: &Context, run: &Record) -> Result<Vec<Outage>> {
    let mut outages = context.session.store.outages(&context.access, &run.id).await?;
    let zero = zero_ns(&run.fields).unwrap_or_default();
    for outage in &mut outages {
        outage.from_ns = outage.from_ns.saturating_sub(zero);
        outage.to_ns = outage.to_ns.map(|t| t.saturating_sub(zero));
    }
    Ok(outages)
}

/// Breaks the line where an outage began: a point without a number, so that nobody reads through what was not heard.
fn broken_by(mut channel: PlotChannel, outages: &[Outage]) -> PlotChannel {
    for outage in outages {
        let from_s = outage.from_ns as f64 / 1e9;
        let at = channel.t_s.partition_point(|t| *t <= from_s);
        if at > 0 && at < channel.t_s.len() {
            channel.t_s.insert(at, from_s);
            channel.value.insert(at, None);
            channel.quality.insert(at, 0);
        }
    }
    channel
}

async fn plot(context: Context, input: PlotInput) -> Result<Plot> {
    let asked = asked(&context, &input.run, &input.channels, input.from_s, input.to_s).await?;
    let (store, run) = (&context.session.store, &asked.run.id);
    let outages = outages_of(&context, &asked.run).await?;
    let (mut totals, mut shown) = (BTreeMap::new(), Vec::new());
    if input.raw {
        shown = store.series(&context.access, run, &asked.wanted, asked.from, asked.to).await?;
    } else {
        let pixels = input.pixels.clamp(1, 20_000);
        for plotted in store.plot(&context.access, run, &asked.wanted, asked.from, asked.to, pixels).await? {
            let Plotted { channel, base, shown: series, total } = plotted;
            totals.insert(channel.clone(), total);
            shown.push((channel, base, series));
        }
    }
    let channel = |(record, series): (Record, Series)| {
        let row = channel_row(&record, None, None);
        let total_points = totals.get(&record.id).copied().unwrap_or(series.len());
        let channel = PlotChannel {
            id: row.id,
            label: row.label,
            unit: row.unit,
            down_sampled: series.len() < total_points,
            total_points,
            t_s: series.t_ns.iter().map(|t| *t as f64 / 1e9).collect(),
            value: series.value.iter().map(|v| (!v.is_nan()).then_some(*v)).collect(),
            quality: series.quality,
        };
        broken_by(channel, &outages)
    };
    let channels = asked.beside(shown).into_iter().map(channel).collect();
    Ok(Plot { run: run.to_string(), t0: text(&asked.run.fields, "started"), channels })
}

/// Input of `run align`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AlignInput {
    /// Run.
    ///
    /// 培養。
    run: String,
    /// Step of the grid, s.
    ///
    /// 格子の間隔（s）。
    grid_s: f64,
    /// Channels; all when empty.
    ///
    /// 系列。空ならすべて。
    #[serde(default)]
    channels: Vec<String>,
    /// Rule by channel name: `mean`, `last`, `linear` or `sum`. Others follow their variable.
    ///
    /// 系列ごとの規則：`mean`（平均）、`last`（直前値）、`linear`（直線補間）、`sum`（合計）。ほかは変数の既定。
    #[serde(default)]
    rule: BTreeMap<String, GridRule>,
    /// From, s since the zero.
    ///
    /// 開始（零時刻からの s）。
    #[serde(default)]
    from_s: Option<f64>,
    /// To, s since the zero.
    ///
    /// 終了（零時刻からの s）。
    #[serde(default)]
    to_s: Option<f64>,
}

/// A channel on the grid.
#[derive(Debug, Serialize, JsonSchema)]
struct AlignedChannel {
    /// Channel.
    id: String,
    /// Name in the source.
    key: String,
    /// Rule used.
    rule: GridRule,
    /// Unit, UCUM.
    unit: Option<String>,
    /// One number a cell; `null` where nothing may be said.
    value: Vec<Option<f64>>,
    /// 1 where a good point lies in the cell, 0 where the value was carried, interpolated or is absent.
    mask: Vec<u8>,
}

/// Output of `run align`.
#[derive(Debug, Serialize, JsonSchema)]
struct AlignedRun {
    /// Start of each cell, s since the zero.
    t_s: Vec<f64>,
    /// Channels.
    channels: Vec<AlignedChannel>,
}

pub(super) fn align_operation() -> Operation {
    Operation::declare(
        Words {
            name: "run align",
            label: ["格子への整列", "Align channels"],
            about: [
                "多くのチャネルを一つの時間格子にそろえます。規則はチャネルごとに平均・直前値・直線補間・合計で、実測か補いかをマスクで示します。",
                "Brings many channels onto one grid of time: mean, last, linear or sum by channel, with a mask that tells measured from filled.",
            ],
            positional: &["run", "grid_s"],
            example: "toji run align run-0a1b2c3d4e5f 60 --json",
        },
        Effect::Read,
        align_run,
    )
}

async fn align_run(context: Context, input: AlignInput) -> Result<AlignedRun> {
    let (run, series) = load(&context, &input.run, &input.channels, input.from_s, input.to_s).await?;
    let from = series.iter().filter_map(|(_, s)| s.t_ns.first()).min();
    let to = series.iter().filter_map(|(_, s)| s.t_ns.last()).max();
    let Some((from, to)) = from.zip(to) else { return Ok(AlignedRun { t_s: Vec::new(), channels: Vec::new() }) };
    let grid = Grid::covering(0, *from, *to, (input.grid_s * 1e9) as i64, CELLS_MAX).ok_or_else(|| {
        Error::new(
            Category::Limit,
            "E-ALIGN-001",
            format!("格子の間隔 {} s は使えません (最大 {CELLS_MAX} 点)", input.grid_s),
            format!("a grid step of {} s is not usable (at most {CELLS_MAX} cells)", input.grid_s),
        )
        .at(Place::field("grid_s"))
        .hint("0 より大きく、より広い間隔を指定してください", "give a wider step, above 0")
    })?;
    let outages = outages_of(&context, &run).await?;
    let channels = series
        .iter()
        .map(|(record, series)| {
            let row = channel_row(record, None, None);
            let holds = row.sampling == "on-change";
            let known = row.quantity.as_deref().and_then(variable::get).map(|v| v.rule);
            let rule = input.rule.get(&row.key).copied().or(known).unwrap_or(if holds { GridRule::Last } else { GridRule::Mean });
            let mut aligned = align(series, grid, rule, holds);
            silence(&mut aligned, grid, &outages);
            AlignedChannel { id: row.id, key: row.key, rule, unit: row.unit, value: aligned.value, mask: aligned.mask }
        })
        .collect();
    Ok(AlignedRun { t_s: (0..grid.cells).map(|i| (grid.start + i as i64 * grid.step) as f64 / 1e9).collect(), channels })
}

/// Input of `run asof`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AsOfInput {
    /// Run.
    ///
    /// 培養。
    run: String,
}

/// The state of a channel when a sample was taken.
#[derive(Debug, Serialize, JsonSchema)]
struct State {
    /// Latest good number.
    value: f64,
    /// How old it was, s.
    age_s: f64,
    /// Unit, UCUM.
    unit: Option<String>,
}

/// A sample with the state of the tank.
#[derive(Debug, Serialize, JsonSchema)]
struct AsOfRow {
    /// Sample.
    sample: String,
    /// Name in the source.
    key: String,
    /// s since the zero.
    elapsed_s: f64,
    /// Results by analyte.
    assays: BTreeMap<String, Json>,
    /// Latest good value of every channel, by name.
    channels: BTreeMap<String, State>,
}

/// Output of `run asof`.
#[derive(Debug, Serialize, JsonSchema)]
struct AsOf {
    /// One row a sample, in order of time.
    rows: Vec<AsOfRow>,
}

pub(super) fn as_of_operation() -> Operation {
    Operation::declare(
        Words {
            name: "run asof",
            label: ["試料と槽の状態", "Samples with the tank's state"],
            about: [
                "各試料に、その時点での全チャネルの最新の良好な値とその古さを添えます。",
                "Joins every sample with the latest good value of every channel at its time, and how old that value was.",
            ],
            positional: &["run"],
            example: "toji run asof run-0a1b2c3d4e5f --json",
        },
        Effect::Read,
        as_of_run,
    )
}

async fn as_of_run(context: Context, input: AsOfInput) -> Result<AsOf> {
    let store = &context.session.store;
    let (run, series) = load(&context, &input.run, &[], None, None).await?;
    let zero = zero_ns(&run.fields);
    let mut rows: Vec<(i64, Record)> = Vec::new();
    for sample in store.linked(&context.access, "sample", "run", run.id.as_str()).await? {
        let elapsed = sample.fields.get("elapsed_s").and_then(Json::as_f64).map(|s| (s * 1e9).round() as i64);
        let clock = text(&sample.fields, "time").and_then(|t| Instant::parse(&t).ok()).zip(zero).map(|(t, z)| t.0 - z);
        if let Some(t) = clock.or(elapsed) {
            rows.push((t, sample));
        }
    }
    rows.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    let times: Vec<i64> = rows.iter().map(|r| r.0).collect();
    let mut assays: BTreeMap<String, BTreeMap<String, Json>> = BTreeMap::new();
    for assay in store.linked(&context.access, "assay", "run", run.id.as_str()).await? {
        let sample = text(&assay.fields, "sample").unwrap_or_default();
        let analyte = text(&assay.fields, "analyte").unwrap_or_default();
        assays.entry(sample).or_default().insert(analyte, assay.fields.get("value").cloned().unwrap_or(Json::Null));
    }
    let mut out: Vec<AsOfRow> = rows
        .iter()
        .map(|(t, sample)| AsOfRow {
            sample: sample.id.to_string(),
            key: text(&sample.fields, "key").unwrap_or_default(),
            elapsed_s: *t as f64 / 1e9,
            assays: assays.remove(sample.id.as_str()).unwrap_or_default(),
            channels: BTreeMap::new(),
        })
        .collect();
    for (record, series) in &series {
        let (key, unit) = (text(&record.fields, "key").unwrap_or_default(), text(&record.fields, "unit"));
        for (row, found) in out.iter_mut().zip(as_of(series, &times)) {
            if let Some((value, age)) = found {
                row.channels.insert(key.clone(), State { value, age_s: age as f64 / 1e9, unit: unit.clone() });
            }
        }
    }
    Ok(AsOf { rows: out })
}
