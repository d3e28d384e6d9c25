//! `run show`: one run with everything that belongs to it.

use super::list::text;
use super::plot::channel_order;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Record, Result, Text, variable, vocabulary};
use toji_store::{Base, ChannelSummary};

/// Input of `run show`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Identifier of the run.
    ///
    /// 培養の識別子。
    id: String,
}

/// The clock of a run.
#[derive(Debug, Serialize, JsonSchema)]
struct Clock {
    /// Zone of the source's clock.
    zone: Option<String>,
    /// Who says so: `file`, `site-default`, `assumed` or `none`.
    zone_evidence: String,
    /// Zero of elapsed time, UTC.
    t0: Option<String>,
    /// What the zero is.
    t0_evidence: String,
}

/// A channel of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ChannelRow {
    /// Identifier.
    pub(super) id: String,
    /// Name in the source.
    pub(super) key: String,
    /// Label for people.
    pub(super) label: Text,
    /// Variable.
    pub(super) quantity: Option<String>,
    /// Label of the variable.
    pub(super) quantity_label: Option<Text>,
    /// Unit, UCUM.
    pub(super) unit: Option<String>,
    /// Unit as written.
    pub(super) raw_unit: Option<String>,
    /// Sensor, set-point, actuator, calculated or unknown.
    pub(super) origin: String,
    /// Periodic, on change or irregular.
    pub(super) sampling: String,
    /// Points.
    pub(super) points: u64,
    /// First point, s since the zero.
    pub(super) first_s: Option<f64>,
    /// Last point, s since the zero.
    pub(super) last_s: Option<f64>,
    /// Smallest number.
    pub(super) min: Option<f64>,
    /// Largest number.
    pub(super) max: Option<f64>,
    /// Points that are not good.
    pub(super) flagged: u64,
    /// Method or sensor.
    pub(super) method: Option<String>,
}

/// A thing on the time axis with its fields.
#[derive(Debug, Serialize, JsonSchema)]
struct Item {
    /// Identifier.
    id: String,
    /// s since the zero.
    elapsed_s: Option<f64>,
    /// Time, UTC.
    time: Option<String>,
    /// Event sort, observed attribute, or sample key.
    #[serde(rename = "type")]
    sort: String,
    /// Name in the source, for samples.
    key: Option<String>,
    /// What to show.
    label: Text,
    /// Observed attribute.
    attribute: Option<String>,
    /// Observed value.
    value: Option<Json>,
    /// Reason or words.
    note: Option<String>,
    /// Results, for samples.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assays: Vec<AssayRow>,
}

/// One result.
#[derive(Debug, Serialize, JsonSchema)]
struct AssayRow {
    /// Identifier.
    id: String,
    /// What was measured, as written.
    analyte: String,
    /// Variable.
    quantity: Option<String>,
    /// The value object.
    value: Json,
    /// Method.
    method: Option<String>,
    /// Flags of the instrument.
    flags: Vec<String>,
}

/// The file a run came from.
#[derive(Debug, Serialize, JsonSchema)]
struct FileView {
    /// Identifier of the file's record.
    id: String,
    /// Name.
    name: String,
    /// Address.
    blob: String,
    /// Format.
    format: String,
    /// Version of the vendor's format.
    format_version: Option<String>,
    /// Encoding.
    encoding: Option<String>,
    /// When it was taken in.
    imported_at: Option<String>,
    /// The instrument.
    instrument: Json,
    /// What was not read.
    not_read: Json,
    /// What to look at.
    warnings: Json,
}

/// Output of `run show`.
#[derive(Debug, Serialize, JsonSchema)]
struct RunView {
    /// Identifier.
    id: String,
    /// Title.
    title: String,
    /// All fields of the run's record.
    fields: Json,
    /// The clock.
    clock: Clock,
    /// Channels, in the order of the vocabulary of variables, then of their names.
    channels: Vec<ChannelRow>,
    /// Samples with results.
    samples: Vec<Item>,
    /// Events.
    events: Vec<Item>,
    /// Observations.
    observations: Vec<Item>,
    /// Decisions.
    decisions: Vec<Json>,
    /// The file.
    file: Option<FileView>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "run show",
            label: ["培養の詳細", "Show a run"],
            about: [
                "一つの培養の記録をすべて示します。時計とその根拠、チャネル、試料と測定値、事象、観察、取込元のファイルと読めなかった箇所を含みます。",
                "Shows everything of one run: its clock and the evidence for it, channels, samples with results, events, observations, and the file with what was not read.",
            ],
            positional: &["id"],
            example: "toji run show run-0a1b2c3d4e5f",
        },
        Effect::Read,
        show,
    )
}

/// Zero of a run in nanoseconds since 1970, when it has a clock.
pub(crate) fn zero_ns(fields: &FieldMap) -> Option<i64> {
    text(fields, "started").and_then(|t| toji_core::Instant::parse(&t).ok()).map(|i| i.0)
}

/// What to subtract from a channel's times to get time since the zero.
pub(super) fn offset_ns(base: Base, zero: Option<i64>) -> i64 {
    match base {
        Base::Utc => zero.unwrap_or_default(),
        Base::Elapsed => 0,
    }
}

/// Label of a channel for people. The source's own name tells channels of one quantity apart.
pub(crate) fn channel_label(record: &Record) -> Text {
    let key = text(&record.fields, "key").unwrap_or_default();
    match text(&record.fields, "variable").as_deref().and_then(variable::get) {
        Some(v) => Text::new(format!("{} ({key})", v.label.ja), format!("{} ({key})", v.label.en)),
        None => Text::same(&key),
    }
}

pub(super) fn channel_row(record: &Record, summary: Option<&ChannelSummary>, zero: Option<i64>) -> ChannelRow {
    let fields = &record.fields;
    let key = text(fields, "key").unwrap_or_default();
    let quantity = text(fields, "variable");
    let known = quantity.as_deref().and_then(variable::get);
    let label = channel_label(record);
    let seconds = |t: Option<i64>| summary.zip(t).map(|(s, t)| (t - offset_ns(s.base, zero)) as f64 / 1e9);
    ChannelRow {
        id: record.id.to_string(),
        key,
        label,
        quantity,
        quantity_label: known.map(|v| v.label.clone()),
        unit: text(fields, "unit"),
        raw_unit: text(fields, "raw_unit"),
        origin: text(fields, "origin").unwrap_or_else(|| "unknown".into()),
        sampling: text(fields, "sampling").unwrap_or_else(|| "irregular".into()),
        points: summary.map_or(0, |s| s.points),
        first_s: seconds(summary.map(|s| s.t_min)),
        last_s: seconds(summary.map(|s| s.t_max)),
        min: summary.and_then(|s| s.v_min),
        max: summary.and_then(|s| s.v_max),
        flagged: summary.map_or(0, |s| s.flagged),
        method: text(fields, "method"),
    }
}

async fn show(context: Context, input: Input) -> Result<RunView> {
    let store = &context.session.store;
    let run = store.record(&context.access, "run", &input.id, None).await?;
    let linked = |kind: &'static str| store.linked(&context.access, kind, "run", run.id.as_str());
    let summaries = store.summaries(&context.access, Some(&run.id)).await?;
    let zero = zero_ns(&run.fields);
    let mut channels = linked("channel").await?;
    channels.sort_by_cached_key(channel_order);
    let channels: Vec<ChannelRow> =
        channels.iter().map(|c| channel_row(c, summaries.get(&(run.id.to_string(), c.id.to_string())), zero)).collect();
    let mut assays: BTreeMap<String, Vec<AssayRow>> = BTreeMap::new();
    for assay in linked("assay").await? {
        assays.entry(text(&assay.fields, "sample").unwrap_or_default()).or_default().push(assay_row(&assay));
    }
    let mut samples: Vec<Item> = linked("sample").await?.iter().map(|s| item(s, "sample")).collect();
    for sample in &mut samples {
        sample.assays = assays.remove(&sample.id).unwrap_or_default();
    }
    let mut events: Vec<Item> = linked("event").await?.iter().map(|e| item(e, "event")).collect();
    let mut observations: Vec<Item> = linked("observation").await?.iter().map(|o| item(o, "observation")).collect();
    for list in [&mut samples, &mut events, &mut observations] {
        list.sort_by(|a, b| {
            a.elapsed_s.unwrap_or(f64::MAX).total_cmp(&b.elapsed_s.unwrap_or(f64::MAX)).then_with(|| a.id.cmp(&b.id))
        });
    }
    let mut decisions = Vec::new();
    for mut decision in linked("decision").await? {
        decision.fields.insert("id".into(), Json::from(decision.id.as_str()));
        decisions.push(Json::Object(decision.fields));
    }
    let file = match text(&run.fields, "file") {
        Some(id) => store.record(&context.access, "file", &id, None).await.ok().map(|f| file_view(&f)),
        None => None,
    };
    let clock = Clock {
        zone: text(&run.fields, "zone"),
        zone_evidence: text(&run.fields, "zone_evidence").unwrap_or_else(|| "none".into()),
        t0: text(&run.fields, "started"),
        t0_evidence: text(&run.fields, "zero_is").unwrap_or_else(|| "elapsed-only".into()),
    };
    let title = text(&run.fields, "title").unwrap_or_default();
    Ok(RunView {
        id: run.id.to_string(),
        title,
        clock,
        channels,
        samples,
        events,
        observations,
        decisions,
        file,
        fields: Json::Object(run.fields),
    })
}

fn assay_row(record: &Record) -> AssayRow {
    let flags = record.fields.get("flags").and_then(Json::as_array);
    AssayRow {
        id: record.id.to_string(),
        analyte: text(&record.fields, "analyte").unwrap_or_default(),
        quantity: text(&record.fields, "variable"),
        value: record.fields.get("value").cloned().unwrap_or(Json::Null),
        method: text(&record.fields, "method"),
        flags: flags.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect(),
    }
}

/// Everyday names of event sorts and observed attributes.
pub(crate) fn spoken(sort: &str) -> Text {
    match sort {
        "inoculation" => Text::new("植菌", "Inoculation"),
        "addition" => Text::new("添加", "Addition"),
        "setpoint" => Text::new("設定変更", "Set-point change"),
        "transfer" => Text::new("移送", "Transfer"),
        "alarm" => Text::new("警報", "Alarm"),
        "sample" => Text::new("採取", "Sample"),
        "step" => Text::new("操作", "Step"),
        "start" => Text::new("開始", "Start"),
        "stop" => Text::new("終了", "Stop"),
        "note" => Text::new("注記", "Note"),
        "outage" => Text::new("通信断", "Connection lost"),
        "reconnected" => Text::new("通信回復", "Connection back"),
        "source-on" => Text::new("接続元の開始", "Source came on"),
        "source-off" => Text::new("接続元の停止", "Source went off"),
        "gap" => Text::new("欠落", "Points missing"),
        "odour" => Text::new("香り", "Odour"),
        "colour" => Text::new("色", "Colour"),
        "appearance" => Text::new("状貌", "Appearance"),
        "foam" => Text::new("泡", "Foam"),
        "sound" => Text::new("音", "Sound"),
        other => Text::same(other),
    }
}

fn item(record: &Record, kind: &str) -> Item {
    let fields = &record.fields;
    let sort = match kind {
        "event" => text(fields, "sort"),
        "observation" => text(fields, "attribute"),
        _ => Some("sample".into()),
    }
    .unwrap_or_default();
    let words = text(fields, "label").or_else(|| text(fields, "key"));
    // A graded term names itself; a term that is a step of its own scale is the value.
    let term = text(fields, "term").as_deref().and_then(vocabulary::find).filter(|(v, _)| v.scale.is_some());
    let label = match words {
        _ if term.is_some() => {
            let spoken = spoken(&sort);
            let words = term.map_or(&spoken, |(_, t)| &t.label);
            Text::new(format!("{}: {}", spoken.ja, words.ja), format!("{}: {}", spoken.en, words.en))
        }
        Some(words) if !words.is_empty() && words != sort => {
            let spoken = spoken(&sort);
            Text::new(format!("{}: {words}", spoken.ja), format!("{}: {words}", spoken.en))
        }
        _ => spoken(&sort),
    };
    Item {
        id: record.id.to_string(),
        elapsed_s: fields.get("elapsed_s").and_then(Json::as_f64),
        time: text(fields, "time"),
        key: text(fields, "key"),
        label,
        attribute: text(fields, "attribute"),
        value: fields.get("value").cloned(),
        note: text(fields, "reason").or_else(|| text(fields, "note")),
        sort,
        assays: Vec::new(),
    }
}

fn file_view(record: &Record) -> FileView {
    let fields = &record.fields;
    let json = |name: &str| fields.get(name).cloned().unwrap_or_else(|| Json::Array(Vec::new()));
    FileView {
        id: record.id.to_string(),
        name: text(fields, "name").unwrap_or_default(),
        blob: text(fields, "blob").unwrap_or_default(),
        format: text(fields, "format").unwrap_or_default(),
        format_version: text(fields, "format_version"),
        encoding: text(fields, "encoding"),
        imported_at: text(fields, "imported_at"),
        instrument: fields.get("instrument").cloned().unwrap_or(Json::Null),
        not_read: json("not_read"),
        warnings: json("warnings"),
    }
}
