//! What is connected: one TOML file that names the sources, how their addresses become runs and signals,
//! and where the batches go. [`control`] says what a source may be told.

pub mod control;

use crate::clock::TimeFormat;
use crate::fault;
use crate::mqtt::pattern::{Pattern, Template};
use serde::Deserialize;
use toji_core::culture::Origin;
use toji_core::live::MarkKind;
use toji_core::{Diagnostic, Place, Result};

/// All sources.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long the first message waits for company before both are appended, milliseconds.
    pub linger_ms: Option<u64>,
    /// Another Toji server that takes the batches, for a collector at the edge.
    pub server: Option<Server>,
    /// Plain JSON over MQTT.
    #[serde(default)]
    pub mqtt: Vec<Mqtt>,
    /// Sparkplug B over MQTT.
    #[serde(default)]
    pub sparkplug: Vec<Sparkplug>,
    /// OPC UA servers.
    #[serde(default)]
    pub opcua: Vec<OpcUa>,
    /// SiLA 2 servers.
    #[serde(default)]
    pub sila: Vec<Sila>,
}

/// A Toji server far away, and the buffer on disk before it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// `http://host:port`.
    pub url: String,
    /// Folder of the forward buffer.
    pub buffer: std::path::PathBuf,
    /// Bytes the buffer holds at most; default 1 GiB.
    #[serde(default = "gibibyte")]
    pub bytes_max: u64,
}

fn gibibyte() -> u64 {
    1 << 30
}

/// How to reach an MQTT broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// Port; default 1883.
    #[serde(default = "mqtt_port")]
    pub port: u16,
    /// Name of our session at the broker. Keep it: the broker keeps for it what we have not taken.
    pub client_id: String,
    /// User name.
    pub user: Option<String>,
    /// File that holds the password.
    pub password_file: Option<std::path::PathBuf>,
    /// Seconds between signs of life; default 15.
    #[serde(default = "keep_alive")]
    pub keep_alive_s: u16,
}

fn mqtt_port() -> u16 {
    1883
}

fn keep_alive() -> u16 {
    15
}

/// A word of the source that says something of its batch: where it stands, and what it is then.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// Where: a field of the JSON, an OPC UA node, a Sparkplug metric, a SiLA property.
    pub at: String,
    /// The word, as text: `ended`, `true`, `3`.
    pub is: String,
}

/// The marks that a word at a place makes.
pub fn marks<'w>(rules: [(&'w Option<Word>, MarkKind); 2], at: &'w str, said: &'w str) -> impl Iterator<Item = MarkKind> + 'w {
    let means =
        move |(rule, kind): (&Option<Word>, MarkKind)| rule.as_ref().is_some_and(|w| w.at == at && w.is == said).then_some(kind);
    rules.into_iter().filter_map(means)
}

/// A broker whose clients publish JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// Name of the source.
    pub name: String,
    /// The broker.
    pub broker: Broker,
    /// Rules; the first whose topic matches reads a message.
    #[serde(rename = "topic")]
    pub topics: Vec<Topic>,
    /// May this source be told anything? Without it nothing is ever sent to it.
    #[serde(default)]
    pub commands: bool,
    /// What it may be told.
    pub control: Option<control::Control>,
}

/// How messages of some topics are read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Topic with named wildcards: `{name}` is one level, `{name#}` all that follow, e.g. `hall/{vessel}/{batch}/data`.
    pub topic: Pattern,
    /// What names the run: words of the topic in braces, fields of the payload as `{/pointer}`.
    pub run: Template,
    /// Vessel, likewise.
    pub vessel: Option<Template>,
    /// Key of the signal when a message carries one value, likewise.
    pub signal: Option<Template>,
    /// Field with the value of that signal; without it the payload itself is the value.
    pub value: Option<String>,
    /// Unit of that signal.
    pub unit: Option<String>,
    /// Field with the unit of that signal as the device writes it.
    pub unit_field: Option<String>,
    /// Field with the time.
    pub time: Option<String>,
    /// How the time is written.
    #[serde(default)]
    pub time_format: TimeFormat,
    /// Zone of clock texts without one, e.g. `Asia/Tokyo`.
    pub zone: Option<String>,
    /// Field that is true when a simulator speaks.
    pub simulated: Option<String>,
    /// What says that the batch has begun.
    pub started: Option<Word>,
    /// What says that the batch has ended.
    pub ended: Option<Word>,
    /// Fields that are signals.
    #[serde(default, rename = "field")]
    pub fields: Vec<Field>,
    /// Take every other field as a signal of its own name.
    #[serde(default)]
    pub others: bool,
}

/// A field of a payload that is a signal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// JSON pointer (`/probe/pH`) or the name of a field at the top.
    pub field: String,
    /// Key of the signal; default: the field's name.
    pub key: Option<String>,
    /// Unit.
    pub unit: Option<String>,
    /// Term of the vocabulary; default: recognised by key.
    pub variable: Option<String>,
    /// Where values come from.
    #[serde(default)]
    pub origin: Origin,
}

/// A group of Sparkplug edge nodes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sparkplug {
    /// Name of the source.
    pub name: String,
    /// The broker.
    pub broker: Broker,
    /// Group, or every group.
    pub group: Option<String>,
    /// Our id as primary host: edge nodes that wait for it keep their data while we are away.
    pub host_id: Option<String>,
    /// What names the run: `{group}`, `{node}`, `{device}`, and `{batch}` when `batch_metric` is given.
    #[serde(default = "run_of_device")]
    pub run: Template,
    /// Metric whose text names the batch under way.
    pub batch_metric: Option<String>,
    /// What says that the batch has begun.
    pub started: Option<Word>,
    /// What says that the batch has ended.
    pub ended: Option<Word>,
    /// Metrics whose unit, variable or origin the births do not say; others are taken as they are.
    #[serde(default, rename = "metric")]
    pub metrics: Vec<Metric>,
}

/// A Sparkplug metric that is a signal.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Name of the metric.
    pub name: String,
    /// Key of the signal; default: the name.
    pub key: Option<String>,
    /// Unit; default: the one its birth states.
    pub unit: Option<String>,
    /// Term of the vocabulary; default: recognised by key.
    pub variable: Option<String>,
    /// Where values come from.
    #[serde(default)]
    pub origin: Origin,
}

fn run_of_device() -> Template {
    Template::from("{node}/{device}".to_owned())
}

/// An OPC UA server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpcUa {
    /// Name of the source.
    pub name: String,
    /// `opc.tcp://host:port/path`.
    pub url: String,
    /// User name; without it anonymous.
    pub user: Option<String>,
    /// File that holds the password.
    pub password_file: Option<std::path::PathBuf>,
    /// Publishing interval asked for, milliseconds.
    #[serde(default = "second_ms")]
    pub publish_ms: u64,
    /// Sampling interval asked for, milliseconds; −1 is the publishing interval.
    #[serde(default = "sampling_ms")]
    pub sampling_ms: f64,
    /// Ask for a value whenever its time is new, not only when the value itself is. Some servers refuse that.
    #[serde(default)]
    pub every_timestamp: bool,
    /// Values the server keeps for us between two publications, each item.
    #[serde(default = "queue")]
    pub queue: u32,
    /// Runs on this server.
    #[serde(rename = "run")]
    pub runs: Vec<OpcUaRun>,
    /// May this source be told anything? Without it nothing is ever sent to it.
    #[serde(default)]
    pub commands: bool,
    /// What it may be told.
    pub control: Option<control::Control>,
}

fn second_ms() -> u64 {
    1000
}

fn sampling_ms() -> f64 {
    -1.0
}

fn queue() -> u32 {
    600
}

/// Nodes of one run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpcUaRun {
    /// What names the run.
    pub run: String,
    /// Vessel.
    pub vessel: Option<String>,
    /// A simulator speaks here.
    #[serde(default)]
    pub simulated: bool,
    /// What says that the batch has begun.
    pub started: Option<Word>,
    /// What says that the batch has ended.
    pub ended: Option<Word>,
    /// Take every variable below this node, e.g. `ns=2;s=R07`.
    pub browse: Option<String>,
    /// Nodes that are signals.
    #[serde(default, rename = "node")]
    pub nodes: Vec<Node>,
}

/// An OPC UA variable that is a signal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Node id, e.g. `ns=2;s=R07.pH`.
    pub id: String,
    /// Key of the signal; default: the node id.
    pub key: Option<String>,
    /// Unit; default: the node's own EngineeringUnits.
    pub unit: Option<String>,
    /// Term of the vocabulary; default: recognised by key.
    pub variable: Option<String>,
    /// Where values come from.
    #[serde(default)]
    pub origin: Origin,
}

/// A SiLA 2 server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sila {
    /// Name of the source.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What names the run.
    pub run: String,
    /// Vessel.
    pub vessel: Option<String>,
    /// A simulator speaks here.
    #[serde(default)]
    pub simulated: bool,
    /// What says that the batch has begun.
    pub started: Option<Word>,
    /// What says that the batch has ended.
    pub ended: Option<Word>,
    /// May this source be told anything? Without it nothing is ever sent to it.
    #[serde(default)]
    pub commands: bool,
    /// What it may be told.
    pub control: Option<control::Control>,
    /// Observable properties that are signals, e.g. `org.example/bioreactor/Fermenter/v1/Property/Ph`; without
    /// any, every observable property of a number the server has.
    #[serde(default, rename = "property")]
    pub properties: Vec<SilaProperty>,
}

/// A SiLA property that is a signal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilaProperty {
    /// Fully qualified property identifier.
    pub id: String,
    /// Key of the signal; default: the property's identifier.
    pub key: Option<String>,
    /// Unit; default: the one its feature definition constrains it to.
    pub unit: Option<String>,
    /// Term of the vocabulary; default: recognised by key.
    pub variable: Option<String>,
    /// Where values come from.
    #[serde(default)]
    pub origin: Origin,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Not TOML, an unknown or missing field, names used twice; with line and column.
    pub fn read(text: &str) -> Result<Self> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() as u64 + 1;
            let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) as u64 + 1;
            let place = Place::line(line).at_column(column);
            fault::config(
                place,
                format!("接続設定を読めません: {}", error.message()),
                format!("the configuration is not readable: {}", error.message()),
            )
        })?;
        config.check()?;
        Ok(config)
    }

    /// Names of all sources.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        let mqtt = self.mqtt.iter().map(|s| s.name.as_str());
        let sparkplug = self.sparkplug.iter().map(|s| s.name.as_str());
        let opcua = self.opcua.iter().map(|s| s.name.as_str());
        mqtt.chain(sparkplug).chain(opcua).chain(self.sila.iter().map(|s| s.name.as_str()))
    }

    /// What each source that can be told anything may be told: name, permission, rules, protocol.
    fn controls(&self) -> impl Iterator<Item = (&str, bool, Option<&control::Control>, control::Speaks)> {
        use control::Speaks;
        let mqtt = self.mqtt.iter().map(|s| (s.name.as_str(), s.commands, s.control.as_ref(), Speaks::Mqtt));
        let opcua = self.opcua.iter().map(|s| (s.name.as_str(), s.commands, s.control.as_ref(), Speaks::OpcUa));
        let sila = self.sila.iter().map(|s| (s.name.as_str(), s.commands, s.control.as_ref(), Speaks::Sila));
        mqtt.chain(opcua).chain(sila)
    }

    fn check(&self) -> Result<()> {
        let mut findings = Vec::new();
        let mut finding = |field: String, ja: &str, en: &str| {
            findings.push(Diagnostic::error("E-LINK-003", Place::field(field), ja, en));
        };
        let mut seen = std::collections::BTreeSet::new();
        for name in self.sources() {
            if name.trim().is_empty() || !seen.insert(name) {
                finding(name.into(), "接続元の名前が空か、重複しています", "a source's name is empty or used twice");
            }
        }
        if seen.is_empty() {
            finding("mqtt".into(), "接続元がありません", "there is no source");
        }
        for source in &self.mqtt {
            for topic in &source.topics {
                let field = format!("{}.topic.{}", source.name, topic.topic);
                if topic.signal.is_none() && topic.fields.is_empty() && !topic.others {
                    finding(field.clone(), "signal、field、others のどれかが必要です", "one of signal, field, others is needed");
                }
                if topic.zone.as_deref().is_some_and(|zone| zone_of(zone).is_none()) {
                    finding(format!("{field}.zone"), "時間帯の名前が不明です", "the zone is not known");
                }
                for template in [Some(&topic.run), topic.vessel.as_ref(), topic.signal.as_ref()].into_iter().flatten() {
                    for word in template.words().filter(|w| !w.starts_with('/') && !topic.topic.names().any(|n| n == *w)) {
                        finding(
                            format!("{field}: {{{word}}}"),
                            "トピックにこの名前の部分がありません",
                            "the topic has no part of this name",
                        );
                    }
                }
            }
        }
        for (name, commands, control, speaks) in self.controls() {
            match control {
                Some(control) => control.check(name, speaks, &mut findings),
                None if commands => findings.push(control::missing(name)),
                None => {}
            }
        }
        if findings.is_empty() {
            return Ok(());
        }
        Err(fault::config(Place::default(), "接続設定に誤りがあります", "the configuration has faults").with(findings))
    }
}

/// A zone by its name.
#[must_use]
pub fn zone_of(name: &str) -> Option<toji_core::clock::Zone> {
    toji_core::clock::Zone::named(name, toji_core::clock::ZoneEvidence::SiteDefault).ok()
}

/// The content of a password file, without its line end.
///
/// # Errors
/// The file cannot be read.
pub fn password(file: Option<&std::path::PathBuf>) -> Result<Option<String>> {
    let Some(path) = file else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|e| fault::file(path, e))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_line_and_column() {
        let error = Config::read("linger_ms = 5\n[[mqtt]]\nname = \"a\"\nbrokr = 1\n").unwrap_err();
        let place = error.fault().place.clone().unwrap();
        assert_eq!((place.line, place.column), (Some(4), Some(1)), "{error}");
    }

    #[test]
    fn names_and_words_are_checked() {
        let text = r#"
[[mqtt]]
name = "hall"
broker = { host = "127.0.0.1", client_id = "toji" }
[[mqtt.topic]]
topic = "hall/{vessel}/data"
run = "{vessel}-{batch}"
[[sila]]
name = "hall"
host = "127.0.0.1"
port = 50052
run = "r"
"#;
        let error = Config::read(text).unwrap_err();
        assert_eq!(error.fault().diagnostics.len(), 3, "{error}");
    }
}
