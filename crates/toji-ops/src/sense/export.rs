//! `run export`: the series of a run with the observations, decisions and events beside them, in one table.
//!
//! One row a point or a thing, on one axis of time, with both languages for every term: what a person sensed
//! leaves the store with the sensor minute it was sensed in.

use super::decision::words_of;
use super::when::since_zero;
use crate::commons::{Content, CopyView, hand_out, handing};
use crate::operation::{Answer, Context, Effect, Operation, Words};
use crate::run::{load, text, zero_ns};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Action, Category, Error, Instant, Place, Quality, Record, Result, vocabulary};
use toji_store::Series;

/// Most rows: a sheet ends there, and a table for reading should too.
const ROWS_MAX: usize = 1_000_000;

/// Input of `run export`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run.
    ///
    /// 培養。
    run: String,
    /// `csv` or `xlsx`.
    ///
    /// 形式：`csv` または `xlsx`。
    #[serde(default = "csv")]
    format: String,
    /// Channels, by identifier, name or variable; all when empty.
    ///
    /// 系列（識別子、名前、または変数）。空ならすべて。
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
    /// Organisation the table is given to: its copy is marked. What others own is marked for whoever asks anyway.
    ///
    /// 表の渡し先の組織。複製に透かしを入れる。他者のデータは、指定がなくても取り出す人の組織への複製として透かしを入れる。
    #[serde(default)]
    recipient: Option<String>,
}

fn csv() -> String {
    "csv".into()
}

/// Output of `run export`.
#[derive(Debug, Serialize, JsonSchema)]
struct Exported {
    /// Run.
    run: String,
    /// Rows of the table.
    rows: usize,
    /// Points of series.
    points: usize,
    /// Observations.
    observations: usize,
    /// Decisions.
    decisions: usize,
    /// Events.
    events: usize,
    /// Things of the run without a place on its axis of time: they stand at the end of the table.
    without_time: usize,
    /// Columns of the table.
    columns: Vec<String>,
    /// The mark of the copy, when it carries one.
    #[serde(rename = "marked_copy", skip_serializing_if = "Option::is_none")]
    mark: Option<CopyView>,
}

const COLUMNS: [&str; 21] = [
    "elapsed_s",
    "time",
    "what",
    "id",
    "channel_or_attribute",
    "term",
    "label_ja",
    "label_en",
    "value",
    "unit",
    "text",
    "quality",
    "level",
    "lightness",
    "green_red",
    "blue_yellow",
    "colour_error",
    "person",
    "why_or_note",
    "expected",
    "outcome",
];

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "run export",
            label: ["培養の書出し", "Export a run"],
            about: [
                "一つの培養の系列、官能観察、判断、事象を、同じ時間軸の一つの表 (CSV または XLSX) に書き出します。",
                "Writes the series, observations, decisions and events of a run into one table on one axis of time, as CSV or XLSX.",
            ],
            positional: &["run", "format"],
            example: "toji run export run-0a1b2c3d4e5f csv --out run.csv",
        },
        Effect::Read,
        export,
    )
}

struct Line {
    at: Option<i64>,
    cells: Vec<(usize, String)>,
}

fn column(name: &str) -> usize {
    COLUMNS.iter().position(|c| *c == name).unwrap_or_default()
}

impl Line {
    fn new(at: Option<i64>, zero: Option<i64>, what: &str) -> Self {
        let mut line = Self { at, cells: Vec::new() };
        line.set("what", what);
        if let Some(at) = at {
            line.set("elapsed_s", &(at as f64 / 1e9).to_string());
            if let Some(at) = zero.and_then(|z| z.checked_add(at)) {
                line.set("time", &Instant(at).to_string());
            }
        }
        line
    }
    fn set(&mut self, name: &str, value: &str) {
        self.cells.push((column(name), value.to_owned()));
    }
    fn fill(&mut self, fields: &FieldMap, pairs: &[(&str, &str)]) {
        for (to, from) in pairs {
            match fields.get(*from) {
                Some(Json::String(value)) => self.set(to, value),
                Some(Json::Number(number)) => self.set(to, &number.to_string()),
                _ => {}
            }
        }
    }
    fn row(self) -> Vec<String> {
        let mut row = vec![String::new(); COLUMNS.len()];
        for (place, value) in self.cells {
            if let Some(cell) = row.get_mut(place) {
                *cell = value;
            }
        }
        row
    }
}

async fn export(context: Context, input: Input) -> Result<Answer<Exported>> {
    if !["csv", "xlsx"].contains(&input.format.as_str()) {
        return Err(Error::input("E-EXPORT-001", "形式は csv か xlsx です", "the format is csv or xlsx")
            .at(Place::field("format"))
            .hint("csv または xlsx を指定してください", "give csv or xlsx"));
    }
    let store = &context.session.store;
    let (run, series) = load(&context, &input.run, &input.channels, input.from_s, input.to_s).await?;
    store.allow_records(&context.access, Action::Export, &[&run]).await?;
    let points: usize = series.iter().map(|(_, s)| s.len()).sum();
    if points > ROWS_MAX {
        let (ja, en) = (
            format!("{points} 点は表には多すぎます (上限 {ROWS_MAX})"),
            format!("{points} points are too many for a table (at most {ROWS_MAX})"),
        );
        return Err(Error::new(Category::Limit, "E-EXPORT-002", ja, en)
            .at(Place::field("from_s"))
            .hint("期間かチャネルを絞ってください", "narrow the time or the channels"));
    }
    let zero = zero_ns(&run.fields);
    let mut lines: Vec<Line> = series.iter().flat_map(|(channel, series)| points_of(channel, series, zero)).collect();
    let bound = |s: Option<f64>| s.map(|s| (s * 1e9) as i64);
    let inside = |at: Option<i64>| {
        at.is_none_or(|at| bound(input.from_s).is_none_or(|from| at >= from) && bound(input.to_s).is_none_or(|to| at < to))
    };
    let mut counts = [0usize; 3];
    for (count, kind) in counts.iter_mut().zip(["observation", "decision", "event"]) {
        for record in store.linked(&context.access, kind, "run", run.id.as_str()).await? {
            let at = since_zero(&record.fields, zero);
            if inside(at) {
                *count += 1;
                lines.push(thing(kind, &record, at, zero));
            }
        }
    }
    let without_time = lines.iter().filter(|l| l.at.is_none()).count();
    // Stable: at one time points stand in the order of their channels, then what people noted.
    lines.sort_by_key(|l| l.at.unwrap_or(i64::MAX));
    // Rows of one time may change places in a marked copy, no others.
    let bands: Vec<i64> = lines.iter().map(|l| l.at.unwrap_or(i64::MAX)).collect();
    let rows: Vec<Vec<String>> = lines.into_iter().map(Line::row).collect();
    let count = rows.len();
    let columns: Vec<String> = COLUMNS.iter().map(|c| (*c).to_owned()).collect();
    let what = format!("run export {} {}", run.id, input.format);
    let handing = handing(&context, what, input.recipient.as_deref(), Content::Records(&[&run])).await?;
    let (attachment, mark) =
        hand_out(&context, handing, (run.id.as_str(), input.format.as_str()), columns.clone(), rows, &bands).await?;
    let [observations, decisions, events] = counts;
    let rows = count;
    let output = Exported { run: run.id.to_string(), rows, points, observations, decisions, events, without_time, columns, mark };
    Ok(Answer { output, attachment: Some(attachment) })
}

fn points_of(channel: &Record, series: &Series, zero: Option<i64>) -> Vec<Line> {
    let key = text(&channel.fields, "key").unwrap_or_default();
    let unit = text(&channel.fields, "unit").unwrap_or_default();
    let label = text(&channel.fields, "variable").as_deref().and_then(toji_core::variable::get).map(|v| v.label.clone());
    let words: std::collections::HashMap<usize, &str> = series.texts.iter().map(|(i, t)| (*i as usize, t.as_str())).collect();
    (0..series.len())
        .filter_map(|i| {
            let mut line = Line::new(Some(*series.t_ns.get(i)?), zero, "point");
            line.set("id", channel.id.as_str());
            line.set("channel_or_attribute", &key);
            line.set("unit", &unit);
            if let Some(label) = &label {
                line.set("label_ja", &label.ja);
                line.set("label_en", &label.en);
            }
            if let Some(value) = series.value.get(i).filter(|v| !v.is_nan()) {
                line.set("value", &value.to_string());
            }
            if let Some(word) = words.get(&i) {
                line.set("text", word);
            }
            line.set("quality", &quality(*series.quality.get(i)?));
            Some(line)
        })
        .collect()
}

fn quality(bits: u16) -> String {
    Quality::unpack(bits)
        .and_then(|q| serde_json::to_value(q.status).ok())
        .and_then(|s| s.as_str().map(str::to_owned))
        .unwrap_or_else(|| bits.to_string())
}

fn thing(kind: &str, record: &Record, at: Option<i64>, zero: Option<i64>) -> Line {
    let fields = &record.fields;
    let mut line = Line::new(at, zero, kind);
    line.set("id", record.id.as_str());
    match kind {
        "observation" => {
            let pairs = [
                ("channel_or_attribute", "attribute"),
                ("term", "term"),
                ("level", "level"),
                ("lightness", "lightness"),
                ("green_red", "green_red"),
                ("blue_yellow", "blue_yellow"),
                ("colour_error", "colour_error"),
                ("person", "observer"),
                ("why_or_note", "note"),
            ];
            line.fill(fields, &pairs);
            line.set("text", &words_of(fields));
            if let Some(number) = fields.get("value").and_then(|v| v.get("number")).and_then(Json::as_f64) {
                line.set("value", &number.to_string());
            }
            label(&mut line, text(fields, "term").as_deref());
        }
        "decision" => {
            let pairs = [
                ("term", "action"),
                ("text", "done"),
                ("level", "confidence"),
                ("person", "author"),
                ("why_or_note", "why"),
                ("expected", "expected"),
                ("outcome", "outcome"),
            ];
            line.fill(fields, &pairs);
            label(&mut line, text(fields, "action").as_deref());
        }
        _ => line.fill(fields, &[("channel_or_attribute", "sort"), ("text", "label"), ("why_or_note", "reason")]),
    }
    line
}

fn label(line: &mut Line, term: Option<&str>) {
    if let Some((_, term)) = term.and_then(vocabulary::find) {
        line.set("label_ja", &term.label.ja);
        line.set("label_en", &term.label.en);
    }
}
