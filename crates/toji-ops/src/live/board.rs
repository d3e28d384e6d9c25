//! `live tail` and `live sources`: every tank with its latest values, and who was heard when.

use crate::operation::{Context, Effect, Operation, Words};
use crate::run::{channel_label, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};
use toji_core::{Instant, Record, Result, Text};
use toji_store::{LatestPoint, Outage, Summaries};

/// Input of `live tail`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Only this run.
    ///
    /// この培養のみ。
    #[serde(default)]
    run: Option<String>,
    /// Only runs heard within so many hours.
    ///
    /// 直近のこの時間数（h）に受信した培養のみ。
    #[serde(default = "day")]
    hours: f64,
}

fn day() -> f64 {
    24.0
}

/// Seconds without a point after which a run counts as silent.
const SILENT_S: f64 = 60.0;

/// How a source is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Hearing {
    /// Points arrive.
    Receiving,
    /// No point for a minute, and nothing says that the connection is gone.
    Silent,
    /// The connection or the source is gone.
    Outage,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Alarm {
    /// Below the channel's lower limit.
    Low,
    /// Above the channel's upper limit.
    High,
    /// The source says that the value is not good, or it is no number.
    NotGood,
}

/// A channel with its latest value.
#[derive(Debug, Serialize, JsonSchema)]
struct Latest {
    /// Channel.
    id: String,
    /// Name in the source.
    key: String,
    /// Label.
    label: Text,
    /// Variable.
    quantity: Option<String>,
    /// Unit, UCUM.
    unit: Option<String>,
    /// Sensor, set-point, actuator, calculated or unknown.
    origin: String,
    /// Source time, RFC 3339.
    time: Option<String>,
    /// Age by our clock, s.
    age_s: Option<f64>,
    /// Number.
    value: Option<f64>,
    /// What stood there when it was not a number.
    text: Option<String>,
    /// Packed quality, 0 is good.
    quality: u16,
    /// Lower limit, in the channel's unit.
    low: Option<f64>,
    /// Upper limit, in the channel's unit.
    high: Option<f64>,
    /// What is wrong with the value.
    alarm: Option<Alarm>,
}

/// A run with the latest values of its channels.
#[derive(Debug, Serialize, JsonSchema)]
struct Tank {
    /// Run.
    id: String,
    /// Title.
    title: String,
    /// Vessel, as named in the source.
    vessel: Option<String>,
    /// Source.
    source: String,
    /// Made by a simulator.
    simulated: bool,
    /// Zero of elapsed time, UTC.
    t0: Option<String>,
    /// How its source is heard.
    state: Hearing,
    /// Source time of the newest point.
    heard: Option<String>,
    /// The outage that goes on.
    outage: Option<OpenOutage>,
    /// Channels, by key.
    channels: Vec<Latest>,
}

/// An outage that goes on.
#[derive(Debug, Serialize, JsonSchema)]
struct OpenOutage {
    /// Since when, RFC 3339.
    since: String,
    /// What its source or broker said.
    note: Option<String>,
}

/// Output of `live tail`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Board {
    /// By our clock.
    now: String,
    /// Count of changes, to go on from.
    change: u64,
    /// Runs, by vessel and title.
    runs: Vec<Tank>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "live tail",
            label: ["ライブの最新値", "Latest live values"],
            about: [
                "接続中の槽ごとに、各チャネルの最新値・古さ・限界値からの外れ・切断を示します。限界値は channel の記録の low_limit と high_limit です。",
                "Shows for every connected tank the latest value of each channel, its age, whether it is out of its limits, and outages. Limits are low_limit and high_limit of the channel's record.",
            ],
            positional: &["run"],
            example: "toji live tail --json",
        },
        Effect::Read,
        board,
    )
}

async fn board(context: Context, input: Input) -> Result<Board> {
    let store = &context.session.store;
    let (change, latest) = store.live_latest(&context.access, 0).await?;
    let latest: HashMap<String, LatestPoint> = latest.into_iter().map(|p| (p.channel.clone(), p)).collect();
    let runs = match &input.run {
        Some(run) => vec![store.record(&context.access, "run", run, None).await?],
        None => {
            let all = store.records(&context.access, "run", None, false).await?;
            all.into_iter().filter(|r| text(&r.fields, "format").as_deref() == Some("live")).collect()
        }
    };
    let mut tanks = Vec::new();
    for run in runs {
        let summaries = store.summaries(&context.access, Some(&run.id)).await?;
        let heard_ns = summaries.values().map(|s| s.t_max).max();
        let age_h = heard_ns.map(|t| (context.now.0 - t) as f64 / 3.6e12);
        if input.run.is_none() && age_h.is_some_and(|h| h > input.hours) {
            continue;
        }
        tanks.push(tank(&context, &run, &summaries, &latest, heard_ns).await?);
    }
    tanks.sort_by(|a, b| (&a.vessel, &a.title, &a.id).cmp(&(&b.vessel, &b.title, &b.id)));
    Ok(Board { now: context.now.to_string(), change, runs: tanks })
}

async fn tank(
    context: &Context,
    run: &Record,
    summaries: &Summaries,
    latest: &HashMap<String, LatestPoint>,
    heard_ns: Option<i64>,
) -> Result<Tank> {
    let store = &context.session.store;
    let open = store.outages(&context.access, &run.id).await?.into_iter().find(|o: &Outage| o.to_ns.is_none());
    // Points that came after the mark say that the source is back, whatever the marks say.
    let open = open.filter(|o| heard_ns.is_none_or(|t| t <= o.from_ns));
    let mut channels: Vec<Latest> = Vec::new();
    for channel in store.linked(&context.access, "channel", "run", run.id.as_str()).await? {
        let stored = summaries.get(&(run.id.to_string(), channel.id.to_string())).and_then(|s| s.last);
        channels.push(latest_of(&channel, latest.get(channel.id.as_str()), stored, context.now));
    }
    channels.sort_by(|a, b| a.key.cmp(&b.key));
    let silent = heard_ns.is_none_or(|t| (context.now.0 - t) as f64 / 1e9 > SILENT_S);
    let state = match (&open, silent) {
        (Some(_), _) => Hearing::Outage,
        (None, true) => Hearing::Silent,
        (None, false) => Hearing::Receiving,
    };
    let further = |name: &str| run.fields.get("fields").and_then(|f| f.get(name)).and_then(Json::as_str).map(str::to_owned);
    Ok(Tank {
        id: run.id.to_string(),
        title: text(&run.fields, "title").unwrap_or_default(),
        vessel: text(&run.fields, "vessel_name"),
        source: further("source").unwrap_or_default(),
        simulated: run.fields.get("simulated").and_then(Json::as_bool).unwrap_or_default(),
        t0: text(&run.fields, "started"),
        state,
        heard: heard_ns.map(|t| Instant(t).to_string()),
        outage: open.map(|o| OpenOutage { since: Instant(o.from_ns).to_string(), note: o.note }),
        channels,
    })
}

fn latest_of(channel: &Record, newest: Option<&LatestPoint>, stored: Option<(i64, f64)>, now: Instant) -> Latest {
    let fields = &channel.fields;
    let limit = |name: &str| fields.get(name).and_then(Json::as_f64);
    let (t_ns, value, word, quality) = match (newest, stored) {
        (Some(p), _) => (Some(p.t_ns), p.value, p.text.clone(), p.quality),
        (None, Some((t, v))) => (Some(t), Some(v), None, 0),
        (None, None) => (None, None, None, 0),
    };
    let (low, high) = (limit("low_limit"), limit("high_limit"));
    let alarm = match value {
        _ if quality & 0xf != 0 => Some(Alarm::NotGood),
        Some(v) if low.is_some_and(|low| v < low) => Some(Alarm::Low),
        Some(v) if high.is_some_and(|high| v > high) => Some(Alarm::High),
        _ => None,
    };
    Latest {
        id: channel.id.to_string(),
        key: text(fields, "key").unwrap_or_default(),
        label: channel_label(channel),
        quantity: text(fields, "variable"),
        unit: text(fields, "unit"),
        origin: text(fields, "origin").unwrap_or_else(|| "unknown".into()),
        time: t_ns.map(|t| Instant(t).to_string()),
        age_s: t_ns.map(|t| (now.0 - t) as f64 / 1e9),
        value,
        text: word,
        quality,
        low,
        high,
        alarm,
    }
}

/// A source.
#[derive(Debug, Serialize, JsonSchema)]
struct Source {
    /// Name.
    source: String,
    /// How it is heard: the best of its runs.
    state: Hearing,
    /// Source time of its newest point.
    heard: Option<String>,
    /// Runs.
    runs: u64,
    /// Channels.
    channels: u64,
}

/// Output of `live sources`.
#[derive(Debug, Serialize, JsonSchema)]
struct Sources {
    /// Sources, by name.
    sources: Vec<Source>,
}

pub(super) fn sources_operation() -> Operation {
    Operation::declare(
        Words {
            name: "live sources",
            label: ["ライブの接続元", "Live sources"],
            about: [
                "データを送ってきた接続元と、その状態・最後に受けた時刻を示します。",
                "Lists the sources that sent data, how they are heard, and when last.",
            ],
            positional: &[],
            example: "toji live sources",
        },
        Effect::Read,
        sources,
    )
}

async fn sources(context: Context, input: Input) -> Result<Sources> {
    let mut out: BTreeMap<String, Source> = BTreeMap::new();
    for tank in board(context, input).await?.runs {
        let name = tank.source.clone();
        let new = || Source { source: tank.source.clone(), state: tank.state, heard: None, runs: 0, channels: 0 };
        let source = out.entry(name).or_insert_with(new);
        source.state = source.state.min(tank.state);
        source.heard = source.heard.take().max(tank.heard);
        source.runs += 1;
        source.channels += tank.channels.len() as u64;
    }
    Ok(Sources { sources: out.into_values().collect() })
}
