//! `run list`: the runs of a store with what is in them.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Instant, Place, Record, Result};

/// Input of `run list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Words in title, vessel, strain or format.
    ///
    /// 標題・槽・株・形式に含まれる語。
    #[serde(default)]
    text: Option<String>,
    /// Vessel, as named in the source.
    ///
    /// 取込元での槽の名前。
    #[serde(default)]
    vessel: Option<String>,
    /// Strain, as named in the source.
    ///
    /// 取込元での株の名前。
    #[serde(default)]
    strain: Option<String>,
    /// Format the run came in.
    ///
    /// 取込形式。
    #[serde(default)]
    format: Option<String>,
    /// Only simulated runs, or only real ones.
    ///
    /// 模擬の培養だけ、または実測の培養だけ。
    #[serde(default)]
    simulated: Option<bool>,
    /// Started at or after this instant (RFC 3339).
    ///
    /// この時刻以降に開始（RFC 3339）。
    #[serde(default)]
    from: Option<String>,
    /// Started before this instant (RFC 3339).
    ///
    /// この時刻より前に開始（RFC 3339）。
    #[serde(default)]
    to: Option<String>,
    /// `started`, `title`, `vessel`, `points`; with `-` in front descending.
    ///
    /// 並べ替え：`started`（開始）、`title`（標題）、`vessel`（槽）、`points`（点数）。先頭に `-` を付けると降順。
    #[serde(default)]
    sort: Option<String>,
    /// Most runs returned.
    ///
    /// 返す培養の最大件数。
    #[serde(default = "hundred")]
    limit: usize,
    /// Runs skipped.
    ///
    /// 読み飛ばす件数。
    #[serde(default)]
    offset: usize,
}

fn hundred() -> usize {
    100
}

/// One run in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Identifier.
    id: String,
    /// Title.
    title: String,
    /// Vessel.
    vessel: Option<String>,
    /// Strain.
    strain: Option<String>,
    /// Format.
    format: Option<String>,
    /// Zero of elapsed time, UTC.
    started: Option<String>,
    /// What the zero is.
    t0_evidence: String,
    /// Time from first to last point, s.
    duration_s: Option<f64>,
    /// Channels.
    channels: u64,
    /// Points.
    points: u64,
    /// Samples.
    samples: u64,
    /// Results.
    assays: u64,
    /// Events.
    events: u64,
    /// Observations.
    observations: u64,
    /// Points that are not good.
    flagged_points: u64,
    /// Made by a simulator.
    simulated: bool,
    /// File it came from.
    file: Option<String>,
}

/// Output of `run list`.
#[derive(Debug, Serialize, JsonSchema)]
struct Runs {
    /// Runs that fit.
    total: usize,
    /// The runs of this page.
    runs: Vec<Row>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "run list",
            label: ["培養の一覧", "List runs"],
            about: [
                "培養を、槽・株・形式・時期で絞り込んで一覧します。",
                "Lists runs, filtered by vessel, strain, format and time.",
            ],
            positional: &["text"],
            example: "toji run list --vessel \"Vessel 1\" --sort -started",
        },
        Effect::Read,
        list,
    )
}

pub(crate) fn text(fields: &FieldMap, name: &str) -> Option<String> {
    fields.get(name).and_then(Json::as_str).map(str::to_owned)
}

async fn list(context: Context, input: Input) -> Result<Runs> {
    let store = &context.session.store;
    let instant = |text: &Option<String>, field: &str| match text {
        Some(text) => Instant::parse(text).map(Some).map_err(|e| e.at(Place::field(field))),
        None => Ok(None),
    };
    let (from, to) = (instant(&input.from, "from")?, instant(&input.to, "to")?);
    let mut records = store.records(&context.access, "run", None, false).await?;
    records.retain(|r| keeps(r, &input, from, to));
    let summaries = store.summaries(&context.access, None).await?;
    let linked = store.link_counts(&context.access, "run").await?;
    let mut series: BTreeMap<&str, (u64, u64, u64, i64, i64)> = BTreeMap::new();
    for ((run, _), s) in &summaries {
        let slot = series.entry(run).or_insert((0, 0, 0, i64::MAX, i64::MIN));
        *slot = (slot.0 + 1, slot.1 + s.points, slot.2 + s.flagged, slot.3.min(s.t_min), slot.4.max(s.t_max));
    }
    let mut runs: Vec<Row> = records.iter().map(|r| row(r, series.get(r.id.as_str()), &linked)).collect();
    sort(&mut runs, input.sort.as_deref().unwrap_or("-started"));
    let total = runs.len();
    let runs = runs.into_iter().skip(input.offset).take(input.limit).collect();
    Ok(Runs { total, runs })
}

fn keeps(record: &Record, input: &Input, from: Option<Instant>, to: Option<Instant>) -> bool {
    let field = |name: &str| record.fields.get(name).and_then(Json::as_str).unwrap_or_default();
    let same = |wanted: &Option<String>, names: &[&str]| {
        wanted.as_ref().is_none_or(|w| names.iter().any(|n| field(n).to_lowercase() == w.to_lowercase()))
    };
    let words = input.text.as_ref().is_none_or(|t| {
        let t = t.to_lowercase();
        record.id.as_str() == t
            || ["title", "vessel_name", "strain_name", "format", "medium", "notes"]
                .iter()
                .any(|n| field(n).to_lowercase().contains(&t))
    });
    let simulated = record.fields.get("simulated").and_then(Json::as_bool).unwrap_or(false);
    let started = Instant::parse(field("started")).ok();
    words
        && same(&input.vessel, &["vessel_name", "vessel"])
        && same(&input.strain, &["strain_name", "strain"])
        && same(&input.format, &["format"])
        && input.simulated.is_none_or(|s| s == simulated)
        && from.is_none_or(|f| started.is_some_and(|s| s >= f))
        && to.is_none_or(|t| started.is_some_and(|s| s < t))
}

fn row(record: &Record, series: Option<&(u64, u64, u64, i64, i64)>, linked: &BTreeMap<(String, String), u64>) -> Row {
    let fields = &record.fields;
    let count = |kind: &str| linked.get(&(record.id.to_string(), kind.to_owned())).copied().unwrap_or_default();
    let (channels, points, flagged, first, last) = series.copied().unwrap_or((0, 0, 0, 0, 0));
    Row {
        id: record.id.to_string(),
        title: text(fields, "title").unwrap_or_default(),
        vessel: text(fields, "vessel_name").or_else(|| text(fields, "vessel")),
        strain: text(fields, "strain_name").or_else(|| text(fields, "strain")),
        format: text(fields, "format"),
        started: text(fields, "started"),
        t0_evidence: text(fields, "zero_is").unwrap_or_else(|| "elapsed-only".into()),
        duration_s: (points > 0).then(|| (last - first) as f64 / 1e9),
        channels: channels.max(count("channel")),
        points,
        samples: count("sample"),
        assays: count("assay"),
        events: count("event"),
        observations: count("observation"),
        flagged_points: flagged,
        simulated: fields.get("simulated").and_then(Json::as_bool).unwrap_or(false),
        file: text(fields, "file"),
    }
}

fn sort(runs: &mut [Row], by: &str) {
    let (descending, by) = match by.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, by),
    };
    runs.sort_by(|a, b| {
        let order = match by {
            "title" => a.title.cmp(&b.title),
            "vessel" => a.vessel.cmp(&b.vessel),
            "strain" => a.strain.cmp(&b.strain),
            "format" => a.format.cmp(&b.format),
            "points" => a.points.cmp(&b.points),
            "duration_s" => a.duration_s.unwrap_or(-1.0).total_cmp(&b.duration_s.unwrap_or(-1.0)),
            "flagged_points" => a.flagged_points.cmp(&b.flagged_points),
            _ => a.started.cmp(&b.started),
        };
        let order = if descending { order.reverse() } else { order };
        order.then_with(|| a.title.cmp(&b.title)).then_with(|| a.id.cmp(&b.id))
    });
}
