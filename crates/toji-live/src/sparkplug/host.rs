//! What a host knows of edge nodes and their devices: pure, message by message.
//!
//! Data whose birth we have not seen is held while the node is asked to be born again; without an answer it
//! is kept under its alias. A hole in the sequence numbers is a mark in every run of the node, and a reason
//! to ask for a new birth, as the specification says.

use super::wire::{Metric, MetricValue, Payload, datatype, quality};
use crate::config::{self, Sparkplug, marks};
use crate::mqtt::pattern::Template;
use crate::tally::Tally;
use prost::Message;
use std::collections::{BTreeMap, HashMap, VecDeque};
use toji_core::culture::{Origin, Sampling};
use toji_core::live::{Batch, Mark, MarkKind, Point, Said, Signal};
use toji_core::{Cause, Diagnostic, Place, Quality, Status};

/// Name of the metric that commands a rebirth.
pub const REBIRTH: &str = "Node Control/Rebirth";
/// Name of the metric that pairs a death with its birth.
pub const BD_SEQ: &str = "bdSeq";
/// Name of the metric by which a device says that it is simulated.
pub const SIMULATED: &str = "Properties/Simulated";
/// Messages held for one node that is not born.
const HELD: usize = 5_000;
/// How long they are held, and how often a rebirth is asked for, nanoseconds.
const PATIENCE_NS: i64 = 10_000_000_000;

/// The state of all nodes of one source.
pub struct Host {
    source: String,
    run: Template,
    batch_metric: Option<String>,
    started: Option<config::Word>,
    ended: Option<config::Word>,
    metrics: HashMap<String, config::Metric>,
    nodes: BTreeMap<(String, String), Node>,
}

#[derive(Default)]
struct Node {
    born: bool,
    bd_seq: Option<u64>,
    seq: Option<u64>,
    aliases: HashMap<u64, (String, String)>,
    devices: BTreeMap<String, Device>,
    held: VecDeque<(String, Payload, i64)>,
    wants_birth: bool,
    asked_ns: i64,
}

#[derive(Default)]
struct Device {
    online: bool,
    simulated: bool,
    batch: Option<String>,
    signals: HashMap<String, (Signal, u32)>,
}

struct Topic<'a> {
    group: &'a str,
    kind: &'a str,
    node: &'a str,
    device: &'a str,
}

fn topic(text: &str) -> Option<Topic<'_>> {
    let mut parts = text.strip_prefix("spBv1.0/")?.split('/');
    let (group, kind, node) = (parts.next()?, parts.next()?, parts.next()?);
    let device = parts.next().unwrap_or("");
    parts.next().is_none().then_some(Topic { group, kind, node, device })
}

impl Host {
    /// A host that knows nothing yet.
    #[must_use]
    pub fn new(source: Sparkplug) -> Self {
        Self {
            source: source.name,
            run: source.run,
            batch_metric: source.batch_metric,
            started: source.started,
            ended: source.ended,
            metrics: source.metrics.into_iter().map(|metric| (metric.name.clone(), metric)).collect(),
            nodes: BTreeMap::new(),
        }
    }

    /// What a message says.
    pub fn take(&mut self, address: &str, bytes: &[u8], received_ns: i64, tally: &Tally) -> Vec<Batch> {
        let Some(topic) = topic(address) else { return Vec::new() };
        if !matches!(topic.kind, "NBIRTH" | "DBIRTH" | "NDATA" | "DDATA" | "NDEATH" | "DDEATH") {
            return Vec::new();
        }
        let payload = match Payload::decode(bytes) {
            Ok(payload) => payload,
            Err(error) => return vec![self.unread(&topic, address, bytes, received_ns, tally, &error.to_string())],
        };
        let mut out = Vec::new();
        if topic.kind == "NDEATH" {
            self.node_death(&topic, &payload, received_ns, tally, &mut out);
            return out;
        }
        if topic.kind == "NBIRTH" {
            self.node_birth(&topic, &payload, received_ns, tally, &mut out);
            return out;
        }
        let node = self.nodes.entry((topic.group.into(), topic.node.into())).or_default();
        if !node.born {
            if node.held.len() >= HELD {
                out.extend(self.release(&(topic.group.into(), topic.node.into()), tally));
            }
            let node = self.nodes.entry((topic.group.into(), topic.node.into())).or_default();
            node.wants_birth = true;
            node.held.push_back((address.to_owned(), payload, received_ns));
            return out;
        }
        self.check_seq(&topic, &payload, received_ns, tally, &mut out);
        self.apply(&topic, &payload, received_ns, tally, &mut out);
        out
    }

    /// The connection is gone: births may have been missed, so none is trusted.
    pub fn forget_births(&mut self) {
        for node in self.nodes.values_mut() {
            (node.born, node.seq, node.wants_birth) = (false, None, false);
        }
    }

    /// Nodes to be asked for a birth now, as group and node.
    pub fn rebirths(&mut self, now_ns: i64) -> Vec<(String, String)> {
        let due = |node: &Node| node.wants_birth && now_ns.saturating_sub(node.asked_ns) >= PATIENCE_NS / 2;
        let nodes = self.nodes.iter_mut().filter(|(_, node)| due(node));
        nodes
            .map(|(name, node)| {
                (node.wants_birth, node.asked_ns) = (!node.born, now_ns);
                name.clone()
            })
            .collect()
    }

    /// Messages whose birth did not come in time, under the aliases they came with.
    pub fn give_up_waiting(&mut self, now_ns: i64, tally: &Tally) -> Vec<Batch> {
        let late = |node: &Node| node.held.front().is_some_and(|(_, _, at)| now_ns.saturating_sub(*at) > PATIENCE_NS);
        let names: Vec<_> = self.nodes.iter().filter(|(_, node)| late(node)).map(|(name, _)| name.clone()).collect();
        names.iter().flat_map(|name| self.release(name, tally)).collect()
    }

    fn release(&mut self, name: &(String, String), tally: &Tally) -> Vec<Batch> {
        let held = self.nodes.get_mut(name).map(|node| std::mem::take(&mut node.held)).unwrap_or_default();
        let mut out = Vec::new();
        for (address, payload, received_ns) in held {
            if let Some(topic) = topic(&address) {
                self.apply(&topic, &payload, received_ns, tally, &mut out);
            }
        }
        out
    }

    fn node_birth(&mut self, topic: &Topic<'_>, payload: &Payload, received_ns: i64, tally: &Tally, out: &mut Vec<Batch>) {
        let name = (topic.group.to_owned(), topic.node.to_owned());
        let node = self.nodes.entry(name.clone()).or_default();
        node.aliases.clear();
        node.devices.values_mut().for_each(|device| {
            device.signals.clear();
            device.online = false;
        });
        (node.born, node.wants_birth, node.seq) = (true, false, payload.seq);
        node.bd_seq = bd_seq(payload);
        self.learn(topic, payload);
        self.values(topic, payload, received_ns, tally, out);
        // What was held came before this birth; its aliases are those of the node's last life or of this one,
        // and a node that was only asked again keeps them. Data of devices wait for the device's own birth.
        let node = self.nodes.entry(name).or_default();
        let held = std::mem::take(&mut node.held);
        let (own, devices): (Vec<_>, Vec<_>) = held.into_iter().partition(|(address, ..)| address.contains("/NDATA/"));
        node.held = devices.into();
        for (_, payload, received_ns) in own {
            let topic = Topic { device: "", ..*topic };
            self.values(&topic, &payload, received_ns, tally, out);
        }
    }

    fn node_death(&mut self, topic: &Topic<'_>, payload: &Payload, received_ns: i64, tally: &Tally, out: &mut Vec<Batch>) {
        let node = self.nodes.entry((topic.group.into(), topic.node.into())).or_default();
        let theirs = bd_seq(payload);
        if node.born && theirs.is_some() && node.bd_seq.is_some() && theirs != node.bd_seq {
            // The will of an earlier life, delivered late.
            tally.find(Diagnostic::note(
                "N-LINK-002",
                Place::field(format!("{}/{}", topic.group, topic.node)),
                "前回の接続の終了通知です。現在の接続には当てはまりません",
                "a death of an earlier connection; it does not concern this one",
            ));
            return;
        }
        (node.born, node.seq) = (false, None);
        // What still waits for a birth belongs to the life that ended: the next birth must not explain it.
        out.extend(self.release(&(topic.group.to_owned(), topic.node.to_owned()), tally));
        let node = self.nodes.entry((topic.group.into(), topic.node.into())).or_default();
        let online: Vec<String> = node.devices.iter().filter(|(_, d)| d.online).map(|(name, _)| name.clone()).collect();
        for name in &online {
            let device = Topic { device: name, ..*topic };
            self.mark(&device, MarkKind::Death, Some("NDEATH".into()), received_ns, out);
            if let Some(device) = self.device(topic, name) {
                device.online = false;
            }
        }
    }

    fn check_seq(&mut self, topic: &Topic<'_>, payload: &Payload, received_ns: i64, tally: &Tally, out: &mut Vec<Batch>) {
        let node = self.nodes.entry((topic.group.into(), topic.node.into())).or_default();
        let (Some(last), Some(seq)) = (node.seq, payload.seq) else {
            node.seq = payload.seq.or(node.seq);
            return;
        };
        let expected = (last + 1) % 256;
        node.seq = Some(seq);
        if seq == expected {
            return;
        }
        node.wants_birth = true;
        Tally::one(&tally.holes);
        let names: Vec<String> = node.devices.iter().filter(|(_, d)| d.online).map(|(name, _)| name.clone()).collect();
        let note = format!("seq {expected} expected, {seq} came");
        for name in &names {
            self.mark(&Topic { device: name, ..*topic }, MarkKind::Lost, Some(note.clone()), received_ns, out);
        }
    }

    fn apply(&mut self, topic: &Topic<'_>, payload: &Payload, received_ns: i64, tally: &Tally, out: &mut Vec<Batch>) {
        match topic.kind {
            "DBIRTH" => {
                if let Some(device) = self.device(topic, topic.device) {
                    device.signals.clear();
                    device.online = true;
                }
                self.learn(topic, payload);
                let before = out.len();
                self.values(topic, payload, received_ns, tally, out);
                let mark = Mark { t_ns: received_ns, kind: MarkKind::Birth, note: Some("DBIRTH".into()) };
                match out.get_mut(before) {
                    Some(batch) => batch.marks.push(mark),
                    None => self.mark(topic, MarkKind::Birth, Some("DBIRTH".into()), received_ns, out),
                }
                self.release_device(topic, tally, out);
            }
            "DDEATH" => {
                self.mark(topic, MarkKind::Death, Some("DDEATH".into()), received_ns, out);
                if let Some(device) = self.device(topic, topic.device) {
                    device.online = false;
                }
            }
            _ => self.values(topic, payload, received_ns, tally, out),
        }
    }

    fn release_device(&mut self, topic: &Topic<'_>, tally: &Tally, out: &mut Vec<Batch>) {
        let Some(node) = self.nodes.get_mut(&(topic.group.to_owned(), topic.node.to_owned())) else { return };
        let tail = format!("/{}/{}", topic.node, topic.device);
        let (mine, rest): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut node.held).into_iter().partition(|(address, ..)| address.ends_with(&tail));
        node.held = rest;
        for (_, payload, received_ns) in mine {
            self.values(topic, &payload, received_ns, tally, out);
        }
    }

    fn device(&mut self, topic: &Topic<'_>, name: &str) -> Option<&mut Device> {
        let node = self.nodes.get_mut(&(topic.group.to_owned(), topic.node.to_owned()))?;
        Some(node.devices.entry(name.to_owned()).or_default())
    }

    /// Names, aliases, types and units of a birth.
    fn learn(&mut self, topic: &Topic<'_>, payload: &Payload) {
        let batch_metric = self.batch_metric.clone();
        let address = format!("spBv1.0/{}/{}/{}", topic.group, topic.node, topic.device);
        let configured = &self.metrics;
        let Some(node) = self.nodes.get_mut(&(topic.group.to_owned(), topic.node.to_owned())) else { return };
        let device = node.devices.entry(topic.device.to_owned()).or_default();
        for metric in &payload.metrics {
            let Some(name) = &metric.name else { continue };
            if let Some(alias) = metric.alias {
                node.aliases.insert(alias, (topic.device.to_owned(), name.clone()));
            }
            if name == SIMULATED {
                device.simulated = metric.value == Some(MetricValue::Boolean(true));
            }
            if Some(name) == batch_metric.as_ref()
                && let Some(MetricValue::String(batch)) = &metric.value
            {
                device.batch = Some(batch.clone());
            }
            let signal = declare(name, &format!("{address}#{name}"), unit(metric), configured.get(name));
            device.signals.insert(name.clone(), (signal, metric.datatype.unwrap_or_default()));
        }
    }

    fn begin(&mut self, topic: &Topic<'_>) -> Batch {
        let source = self.source.clone();
        let run_template = self.run.clone();
        let (simulated, batch) = self.device(topic, topic.device).map(|d| (d.simulated, d.batch.clone())).unwrap_or_default();
        let know = |word: &str| match word {
            "group" => Some(topic.group.to_owned()),
            "node" => Some(topic.node.to_owned()),
            "device" => Some(topic.device.to_owned()),
            "batch" => batch.clone(),
            _ => None,
        };
        let fallback = format!("{}/{}", topic.node, topic.device);
        let run = run_template.fill(know).unwrap_or_else(|| fallback.trim_end_matches('/').to_owned());
        let vessel = (!topic.device.is_empty()).then(|| topic.device.to_owned());
        Batch { source, run, vessel, simulated, ..Batch::default() }
    }

    fn mark(&mut self, topic: &Topic<'_>, kind: MarkKind, note: Option<String>, t_ns: i64, out: &mut Vec<Batch>) {
        let mut batch = self.begin(topic);
        batch.marks.push(Mark { t_ns, kind, note });
        out.push(batch);
    }

    fn values(&mut self, topic: &Topic<'_>, payload: &Payload, received_ns: i64, tally: &Tally, out: &mut Vec<Batch>) {
        let batch_metric = self.batch_metric.clone();
        let mut batch = self.begin(topic);
        for metric in &payload.metrics {
            let (signal, kind) = self.named(topic, metric);
            if let Some(MetricValue::String(said)) = &metric.value {
                let name = signal.address.rsplit_once('#').map_or(signal.address.as_str(), |(_, name)| name);
                let t_ns = time_ns(metric, payload.timestamp).unwrap_or(received_ns);
                let rules = [(&self.started, MarkKind::Started), (&self.ended, MarkKind::Ended)];
                batch.marks.extend(marks(rules, name, said).map(|kind| Mark { t_ns, kind, note: Some(said.clone()) }));
            }
            if signal.key == BD_SEQ || signal.key.starts_with("Node Control/") || signal.key.starts_with("Device Control/") {
                continue;
            }
            if Some(&signal.key) == batch_metric.as_ref()
                && let (Some(MetricValue::String(name)), Some(device)) = (&metric.value, self.device(topic, topic.device))
                && device.batch.as_ref() != Some(name)
            {
                // From here on the values belong to the next batch.
                device.batch = Some(name.clone());
                let next = self.begin(topic);
                out.push(std::mem::replace(&mut batch, next));
            }
            push(&mut batch, signal, metric, kind, payload.timestamp, received_ns, tally);
        }
        if !batch.points.is_empty() || !batch.marks.is_empty() {
            out.push(batch);
        }
        out.retain(|b| !b.points.is_empty() || !b.marks.is_empty());
    }

    /// The signal a metric means, by its name or its alias.
    fn named(&mut self, topic: &Topic<'_>, metric: &Metric) -> (Signal, u32) {
        let kind = metric.datatype.unwrap_or_default();
        let node = self.nodes.get(&(topic.group.to_owned(), topic.node.to_owned()));
        let by_alias = metric.alias.and_then(|alias| node?.aliases.get(&alias)).filter(|(device, _)| device == topic.device);
        let name = metric.name.clone().or_else(|| by_alias.map(|(_, name)| name.clone()));
        let Some(name) = name else {
            let key = metric.alias.map_or_else(|| "unnamed".to_owned(), |alias| format!("alias {alias}"));
            let address = format!("spBv1.0/{}/{}/{}#{key}", topic.group, topic.node, topic.device);
            return (declare(&key, &address, None, None), kind);
        };
        match node.and_then(|node| node.devices.get(topic.device)?.signals.get(&name)) {
            Some((signal, known)) => (signal.clone(), if kind == 0 { *known } else { kind }),
            None => {
                let address = format!("spBv1.0/{}/{}/{}#{name}", topic.group, topic.node, topic.device);
                (declare(&name, &address, unit(metric), self.metrics.get(&name)), kind)
            }
        }
    }

    fn unread(&mut self, topic: &Topic<'_>, address: &str, bytes: &[u8], received_ns: i64, tally: &Tally, why: &str) -> Batch {
        Tally::one(&tally.unread);
        tally.find(Diagnostic::warning(
            "W-LINK-004",
            Place::field(address),
            format!("Sparkplug B の電文として読めません: {why}"),
            format!("not readable as Sparkplug B: {why}"),
        ));
        let mut batch = self.begin(topic);
        batch.signals.push(declare(crate::mqtt::json::UNREAD, address, None, None));
        let quality = Quality::rule(Status::Bad, Cause::NotANumber).pack();
        batch.points.push(Point { signal: 0, t_ns: received_ns, received_ns, said: Said::Text(hex(bytes)), quality });
        batch
    }
}

/// A metric as a signal: by its birth, and by the configuration where that says more.
fn declare(name: &str, address: &str, unit: Option<String>, configured: Option<&config::Metric>) -> Signal {
    let key = configured.and_then(|c| c.key.as_deref()).unwrap_or(name);
    let variable = configured.and_then(|c| c.variable.clone());
    Signal {
        variable: variable.or_else(|| toji_core::variable::find(key).map(|(v, _)| v.id.to_string())),
        key: key.into(),
        address: address.into(),
        raw_unit: configured.and_then(|c| c.unit.clone()).or(unit),
        origin: configured.map_or(Origin::Unknown, |c| c.origin),
        sampling: Sampling::OnChange { deadband: None },
    }
}

fn time_ns(metric: &Metric, sent_ms: Option<u64>) -> Option<i64> {
    metric.timestamp.or(sent_ms).and_then(|ms| i64::try_from(ms).ok()?.checked_mul(1_000_000))
}

fn bd_seq(payload: &Payload) -> Option<u64> {
    let metric = payload.metrics.iter().find(|m| m.name.as_deref() == Some(BD_SEQ))?;
    match metric.value {
        Some(MetricValue::Long(n)) => Some(n),
        Some(MetricValue::Int(n)) => Some(u64::from(n)),
        _ => None,
    }
}

fn property<'m>(metric: &'m Metric, names: &[&str]) -> Option<&'m super::wire::PropertyValue> {
    let set = metric.properties.as_ref()?;
    let at = set.keys.iter().position(|k| names.iter().any(|n| k.eq_ignore_ascii_case(n)))?;
    set.values.get(at)
}

fn unit(metric: &Metric) -> Option<String> {
    property(metric, &["engUnit", "unit", "units", "engineeringUnits", "Engineering Units"])?.string_value.clone()
}

fn push(batch: &mut Batch, signal: Signal, metric: &Metric, kind: u32, sent_ms: Option<u64>, received_ns: i64, tally: &Tally) {
    let (said, mut quality) = said(metric, kind);
    if quality != 0 {
        Tally::one(&tally.unread);
    }
    let t_ns = time_ns(metric, sent_ms);
    if t_ns.is_none() {
        Tally::one(&tally.without_time);
        quality = if quality == 0 { Quality::rule(Status::Uncertain, Cause::ClockUncertain).pack() } else { quality };
    }
    match property(metric, &["Quality"]).and_then(|p| p.int_value) {
        Some(quality::BAD) => quality = Quality::source(Status::Bad, Cause::InstrumentFlag).pack(),
        Some(quality::STALE) => quality = Quality::source(Status::Uncertain, Cause::InstrumentFlag).pack(),
        _ => {}
    }
    let at = u32::try_from(batch.signals.len()).unwrap_or(u32::MAX);
    batch.signals.push(signal);
    batch.points.push(Point { signal: at, t_ns: t_ns.unwrap_or(received_ns), received_ns, said, quality });
}

/// What a metric says, and its flag. Single precision becomes the shortest digits that mean the same float.
fn said(metric: &Metric, kind: u32) -> (Said, u16) {
    let bad = Quality::source(Status::Bad, Cause::NotANumber).pack();
    let number = |text: String| (Said::Digits(text), 0);
    match &metric.value {
        _ if metric.is_null == Some(true) => (Said::Text("null".into()), bad),
        None => (Said::Text("null".into()), bad),
        #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "two's complement of the declared width")]
        Some(MetricValue::Int(n)) => match kind {
            datatype::INT8 => number((*n as i8).to_string()),
            datatype::INT16 => number((*n as i16).to_string()),
            datatype::INT32 => number((*n as i32).to_string()),
            _ => number(n.to_string()),
        },
        #[expect(clippy::cast_possible_wrap, reason = "two's complement of the declared width")]
        Some(MetricValue::Long(n)) => match kind {
            datatype::INT64 => number((*n as i64).to_string()),
            _ => number(n.to_string()),
        },
        Some(MetricValue::Float(x)) if x.is_finite() => number(x.to_string()),
        Some(MetricValue::Double(x)) if x.is_finite() => (Said::Number(*x), 0),
        Some(MetricValue::Float(x)) => (Said::Text(x.to_string()), bad),
        Some(MetricValue::Double(x)) => (Said::Text(x.to_string()), bad),
        Some(MetricValue::Boolean(b)) => (Said::Text(b.to_string()), 0),
        Some(MetricValue::String(text)) => (Said::Text(text.clone()), 0),
        Some(MetricValue::Bytes(b) | MetricValue::DataSet(b) | MetricValue::Template(b) | MetricValue::Extension(b)) => {
            (Said::Text(hex(b)), bad)
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let cut = bytes.get(..32 << 10).unwrap_or(bytes);
    let mut text: String = cut.iter().map(|b| format!("{b:02x}")).collect();
    if cut.len() < bytes.len() {
        text.push_str(&format!("… ({} bytes)", bytes.len()));
    }
    text
}

#[cfg(test)]
mod tests;
