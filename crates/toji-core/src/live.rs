//! Live data on its way into the store: what a connected source says, batch by batch.
//!
//! A protocol client (MQTT, Sparkplug B, OPC UA, SiLA 2 …) turns messages into [`Batch`]es; the store
//! acknowledges a batch once it is durable, and only then may the client acknowledge to its source.
//! Duplicates, late and out-of-order points are normal: a point is known by run, signal and source time.

use crate::culture::{Origin, Sampling};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// What a source says of one of its signals (a topic, metric, node or property).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Signal {
    /// Name of the channel, unique in the run, stable over reconnections.
    ///
    /// 系列の名前。培養の中で重複せず、つなぎ直しても変わらないもの。
    pub key: String,
    /// Address in the source, e.g. `ns=2;s=R07.pH`, `spBv1.0/plant/DDATA/edge/R07#pH`.
    ///
    /// 接続元でのアドレス。例：`ns=2;s=R07.pH`、`spBv1.0/plant/DDATA/edge/R07#pH`。
    #[serde(default)]
    pub address: String,
    /// Term of [`crate::variable`], when recognised.
    ///
    /// 変数の語彙（`variables.toml`）の用語。判別できた場合。
    pub variable: Option<String>,
    /// Unit as the source writes it.
    ///
    /// 接続元が書いたままの単位。
    pub raw_unit: Option<String>,
    /// Where values come from.
    ///
    /// 値の由来。
    #[serde(default)]
    pub origin: Origin,
    /// When values are sent.
    ///
    /// 値を送る時機。
    #[serde(default)]
    pub sampling: Sampling,
}

/// What a signal said at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A binary number.
    ///
    /// 二進の数値。
    Number(f64),
    /// A number as digits, kept exactly (`"7.020"`).
    ///
    /// 桁をそのまま保つ数字（`"7.020"`）。
    Digits(String),
    /// Not a number: a state, a word, or something unreadable, as it came.
    ///
    /// 数値以外：状態、語、読み取れないもの。届いたまま。
    Text(String),
}

/// One point of one signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Point {
    /// Index in [`Batch::signals`].
    ///
    /// `signals` の中の番号（0 から）。
    pub signal: u32,
    /// Time by the source's clock, nanoseconds since 1970-01-01T00:00Z.
    ///
    /// 接続元の時計による時刻。1970-01-01T00:00Z からのナノ秒。
    pub t_ns: i64,
    /// Time of arrival by our clock, the same unit; 0 when the sender does not say. The difference is the source's clock offset plus the way.
    ///
    /// こちらの時計による到着時刻（同じ単位）。送り手が示さなければ 0。差は接続元の時計のずれと伝送時間の和。
    #[serde(default)]
    pub received_ns: i64,
    /// Value.
    ///
    /// 値。
    pub said: Said,
    /// Packed [`crate::Quality`], 0 is good.
    ///
    /// 品質の符号。0 は良好。
    #[serde(default)]
    pub quality: u16,
}

/// What is true from here on: how the source is heard, or what it says of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// The source declared itself and its signals (Sparkplug birth, a new session).
    ///
    /// 接続元が自身と信号を宣言（Sparkplug の birth、新しいセッション）。
    Birth,
    /// The source said, or its broker said for it, that it is gone.
    ///
    /// 接続元、または代わってブローカーが、切断を通知。
    Death,
    /// We lost the connection: silence from here is an outage, not "unchanged".
    ///
    /// こちらとの接続断。以後の無音は「変化なし」ではなく通信断。
    Disconnected,
    /// The connection is back.
    ///
    /// 接続の復旧。
    Reconnected,
    /// The source's buffer overflowed, or its sequence numbers have a hole: points are missing.
    ///
    /// 接続元の蓄えのあふれ、または連番の欠け：失われた測定点あり。
    Lost,
    /// The source says that its batch has begun.
    ///
    /// 接続元がバッチの開始を通知。
    Started,
    /// The source says that its batch has ended.
    ///
    /// 接続元がバッチの終了を通知。
    Ended,
}

impl MarkKind {
    /// Is it said of the batch, once and by the source's clock, rather than of the connection?
    #[must_use]
    pub fn is_of_batch(self) -> bool {
        matches!(self, Self::Started | Self::Ended)
    }
}

/// A mark on the time axis of a run: gaps are said, never guessed from silence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Mark {
    /// When, nanoseconds since 1970-01-01T00:00Z: by our clock, or by the source's for what it says of its batch.
    ///
    /// 時刻。1970-01-01T00:00Z からのナノ秒。こちらの時計による。バッチについて接続元が述べるものは接続元の時計。
    pub t_ns: i64,
    /// What.
    ///
    /// 種類。
    pub kind: MarkKind,
    /// More about it, as the source says it.
    ///
    /// 詳細。接続元が示したまま。
    pub note: Option<String>,
}

/// Points and marks of one run from one source, kept or refused as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Batch {
    /// Name of the source in our configuration, e.g. `mqtt-hall-2`.
    ///
    /// 設定での接続元の名前。例：`mqtt-hall-2`。
    pub source: String,
    /// What names the run inside the source (vessel and batch); identity is made from source and key.
    ///
    /// 接続元の中で培養を特定する名前（槽とバッチ）。識別子は接続元とこの名前から決定。
    pub run: String,
    /// Vessel, as the source names it.
    ///
    /// 接続元での槽の名前。
    pub vessel: Option<String>,
    /// Made by a simulator, as the source itself says.
    ///
    /// シミュレーターによる値か。接続元自身の申告。
    #[serde(default)]
    pub simulated: bool,
    /// Signals that the points speak of.
    ///
    /// 測定点が指す信号。
    #[serde(default)]
    pub signals: Vec<Signal>,
    /// Points, in order of arrival.
    ///
    /// 測定点。到着順。
    #[serde(default)]
    pub points: Vec<Point>,
    /// Marks.
    ///
    /// 切断などの印。
    #[serde(default)]
    pub marks: Vec<Mark>,
}

/// What was acknowledged: everything the batches said is durable and visible to readers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Ack {
    /// Points at times nothing was said of before.
    pub points_new: u64,
    /// Points that were there already, equal: repetitions after a lost acknowledgement.
    pub points_known: u64,
    /// Points that say something else at a time that was spoken of: readers see the later one, both are kept.
    pub points_changed: u64,
    /// Marks.
    pub marks: u64,
}

/// The answer of a [`Sink`], still to come.
pub type Acknowledging<'a> = Pin<Box<dyn Future<Output = Result<Ack>> + Send + 'a>>;

/// Where live data goes. A client hands over what it has and may acknowledge to its source (or forget its own
/// copy) only after a yes; after an error it sends the same batches again, which is harmless.
///
/// The answer comes once the batches are on the disk. It may take long when the store has to make room: a client
/// that waits for it, with a bounded number of batches in its hands, has all the backpressure there is.
pub trait Sink: Send + Sync + fmt::Debug {
    /// Keeps the batches, all of them or none.
    ///
    /// # Errors
    /// A batch that contradicts itself (a point of a signal it does not name), denied access, storage faults.
    fn append(&self, batches: Vec<Batch>) -> Acknowledging<'_>;
}
