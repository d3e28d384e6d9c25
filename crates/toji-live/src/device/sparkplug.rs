//! A Sparkplug B edge node: births, aliases, sequence numbers, a will, rebirth on command, and a buffer.
//!
//! Data goes at quality of service 0, as the specification says, so an edge node cannot know what arrived.
//! While its broker is away, or its primary host says that it is, frames wait in the buffer; afterwards they
//! go out marked as historical, and with them the last seconds before the outage was noticed.

use super::feed::{Channel, Faults, Frame, Line, Said};
use crate::clock::now_ns;
use crate::config::Broker;
use crate::sparkplug::host::{BD_SEQ, REBIRTH, SIMULATED};
use crate::sparkplug::wire::{Metric, MetricValue, Payload, PropertySet, PropertyValue, datatype, quality};
use prost::Message;
use rumqttc::{AsyncClient, LastWill, MqttOptions, Packet, QoS, SubscribeFilter};
use serde::Deserialize;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use toji_plant::Stage;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Name of the metric that names the batch.
pub const BATCH: &str = "Batch/ID";
/// Name of the metric that says how far the batch is.
pub const STATE: &str = "Batch/State";
/// Aliases of one device.
const ALIASES: u64 = 1_000;
/// Requests that wait for the connection.
const REQUESTS: usize = 1_000;

/// An edge node with one device a line.
pub struct Edge {
    /// Broker; the client id is the node's.
    pub broker: Broker,
    /// Group.
    pub group: String,
    /// Name of the node.
    pub node: String,
    /// Primary host to wait for.
    pub host: Option<String>,
    /// Vessels; each is a device.
    pub lines: Arc<Vec<Line>>,
    /// Frames the buffer holds.
    pub buffer: usize,
    /// Frames that are said again after an outage.
    pub overlap: usize,
    /// Faults of the way.
    pub faults: Faults,
    /// Figures.
    pub said: Arc<Said>,
}

#[derive(Deserialize)]
struct State {
    online: bool,
    timestamp: i64,
}

/// What an edge node remembers.
#[derive(Default)]
struct Memory {
    waiting: VecDeque<Arc<Frame>>,
    recent: VecDeque<Arc<Frame>>,
    seq: u64,
    bd_seq: u64,
    number: u64,
    held: Option<Arc<Frame>>,
    /// Born in this connection, with a host that is there.
    live: bool,
    /// Since when the host is there, as it says.
    host_since: i64,
    /// How far the batch of each line was when it was last said.
    stages: HashMap<usize, Stage>,
}

impl Memory {
    fn next_seq(&mut self) -> Option<u64> {
        let seq = self.seq;
        self.seq = (seq + 1) % 256;
        Some(seq)
    }

    /// What may not have arrived is said again.
    fn rewind(&mut self) -> usize {
        self.live = false;
        let again = self.recent.len();
        while let Some(frame) = self.recent.pop_back() {
            self.waiting.push_front(frame);
        }
        again
    }
}

impl Edge {
    /// Speaks until the frames end and all are said, or until stopped.
    pub async fn run(self, mut frames: mpsc::Receiver<Arc<Frame>>, stop: CancellationToken) {
        let mut memory = Memory::default();
        let mut ended = false;
        while !stop.is_cancelled() {
            let (client, mut events) = self.connect(memory.bd_seq, &stop);
            loop {
                if memory.live && !self.flush(&client, &mut memory).await {
                    break;
                }
                if ended && memory.live && memory.waiting.is_empty() {
                    // A proper end: the node says that it goes.
                    let _ = client.publish(self.topic("NDEATH", None), QoS::AtLeastOnce, false, self.death(memory.bd_seq)).await;
                    let _ = client.disconnect().await;
                    sleep(Duration::from_millis(200)).await;
                    return;
                }
                tokio::select! {
                    event = events.recv() => match event {
                        Some(event) => {
                            if !self.heard(event, &client, &mut memory).await {
                                break;
                            }
                        }
                        None => break,
                    },
                    frame = frames.recv(), if !ended => match frame {
                        Some(frame) => self.measured(frame, &mut memory),
                        None => {
                            memory.waiting.extend(memory.held.take());
                            ended = true;
                        }
                    },
                    () = stop.cancelled() => return,
                }
            }
            let again = memory.rewind();
            self.said.again.fetch_add(again as u64, Ordering::Relaxed);
            self.bound(&mut memory);
            memory.bd_seq = (memory.bd_seq + 1) % 256;
            tokio::select! { () = sleep(Duration::from_millis(200)) => {}, () = stop.cancelled() => return }
        }
    }

    fn measured(&self, frame: Arc<Frame>, memory: &mut Memory) {
        self.said.frames.fetch_add(1, Ordering::Relaxed);
        let said = self.faults.apply(memory.number, frame, &mut memory.held);
        memory.waiting.extend(said);
        memory.number += 1;
        self.bound(memory);
    }

    fn bound(&self, memory: &mut Memory) {
        while memory.waiting.len() > self.buffer {
            memory.waiting.pop_front();
            self.said.overflowed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn topic(&self, kind: &str, device: Option<&str>) -> String {
        let node = format!("spBv1.0/{}/{kind}/{}", self.group, self.node);
        device.map_or(node.clone(), |device| format!("{node}/{device}"))
    }

    fn death(&self, bd_seq: u64) -> Vec<u8> {
        Payload { timestamp: ms(now_ns()), metrics: vec![bd_seq_metric(bd_seq)], ..Payload::default() }.encode_to_vec()
    }

    fn connect(&self, bd_seq: u64, stop: &CancellationToken) -> (AsyncClient, mpsc::Receiver<rumqttc::Event>) {
        let mut options = MqttOptions::new(&self.broker.client_id, &self.broker.host, self.broker.port);
        options.set_keep_alive(Duration::from_secs(u64::from(self.broker.keep_alive_s.max(1))));
        options.set_clean_session(true);
        options.set_last_will(LastWill::new(self.topic("NDEATH", None), self.death(bd_seq), QoS::AtLeastOnce, false));
        let (client, mut event_loop) = AsyncClient::new(options, REQUESTS);
        let (sender, events) = mpsc::channel(REQUESTS);
        let stop = stop.clone();
        tokio::spawn(async move {
            loop {
                let polled = tokio::select! {
                    polled = event_loop.poll() => polled,
                    () = sender.closed() => return,
                    () = stop.cancelled() => return,
                };
                let Ok(event) = polled else { return };
                if matches!(event, rumqttc::Event::Incoming(Packet::ConnAck(_) | Packet::Publish(_)))
                    && sender.send(event).await.is_err()
                {
                    return;
                }
            }
        });
        (client, events)
    }

    async fn heard(&self, event: rumqttc::Event, client: &AsyncClient, memory: &mut Memory) -> bool {
        match event {
            rumqttc::Event::Incoming(Packet::ConnAck(_)) => {
                let mut filters = vec![self.topic("NCMD", None), self.topic("DCMD", Some("#"))];
                filters.extend(self.host.as_ref().map(|host| format!("spBv1.0/STATE/{host}")));
                let filters = filters.into_iter().map(|f| SubscribeFilter::new(f, QoS::AtLeastOnce));
                if client.subscribe_many(filters).await.is_err() {
                    return false;
                }
                if self.host.is_none() { self.birth(client, memory).await } else { true }
            }
            rumqttc::Event::Incoming(Packet::Publish(publish)) => {
                if publish.topic.starts_with("spBv1.0/STATE/") {
                    let state = serde_json::from_slice(&publish.payload).unwrap_or(State { online: false, timestamp: 0 });
                    return self.host_is(&state, client, memory).await;
                }
                let command = Payload::decode(publish.payload.as_ref()).unwrap_or_default();
                let rebirth = |m: &Metric| m.name.as_deref() == Some(REBIRTH) && m.value == Some(MetricValue::Boolean(true));
                if memory.live && command.metrics.iter().any(rebirth) {
                    return self.birth(client, memory).await;
                }
                true
            }
            _ => true,
        }
    }

    async fn host_is(&self, state: &State, client: &AsyncClient, memory: &mut Memory) -> bool {
        if state.online {
            // A broker that came back may say of a host what was true before: when the host itself says that it is
            // there anew, what went out in between may have reached nobody.
            let anew = state.timestamp > std::mem::replace(&mut memory.host_since, state.timestamp);
            if memory.live && anew {
                let again = memory.rewind();
                self.said.again.fetch_add(again as u64, Ordering::Relaxed);
            }
            return if memory.live { true } else { self.birth(client, memory).await };
        }
        if memory.live {
            // Without its host a node goes offline: it says so and keeps what it measures.
            let sent = client.publish(self.topic("NDEATH", None), QoS::AtLeastOnce, false, self.death(memory.bd_seq)).await;
            let again = memory.rewind();
            self.said.again.fetch_add(again as u64, Ordering::Relaxed);
            self.bound(memory);
            return sent.is_ok();
        }
        true
    }

    async fn birth(&self, client: &AsyncClient, memory: &mut Memory) -> bool {
        memory.seq = 0;
        let rebirth =
            Metric { datatype: Some(datatype::BOOLEAN), ..metric(Some(REBIRTH), None, now_ns(), MetricValue::Boolean(false)) };
        let metrics = vec![bd_seq_metric(memory.bd_seq), rebirth];
        let payload = Payload { timestamp: ms(now_ns()), metrics, seq: memory.next_seq(), ..Payload::default() };
        let mut sent = client.publish(self.topic("NBIRTH", None), QoS::AtMostOnce, false, payload.encode_to_vec()).await.is_ok();
        for (at, line) in self.lines.iter().enumerate() {
            let metrics = device_birth(at, line, memory.stages.get(&at).copied());
            let payload = Payload { timestamp: ms(now_ns()), metrics, seq: memory.next_seq(), ..Payload::default() };
            let topic = self.topic("DBIRTH", Some(&line.vessel));
            sent &= client.publish(topic, QoS::AtMostOnce, false, payload.encode_to_vec()).await.is_ok();
        }
        memory.live = true;
        sent
    }

    /// Says what waits; more than one frame a line waiting means that they are late, and marked so.
    async fn flush(&self, client: &AsyncClient, memory: &mut Memory) -> bool {
        let late = memory.waiting.len() > 2 * self.lines.len();
        while let Some(frame) = memory.waiting.front().cloned() {
            if let Some(line) = self.lines.get(frame.line) {
                let mut metrics = data(line, &frame, late && memory.waiting.len() > self.lines.len());
                if let Some(stage) = frame.stage
                    && memory.stages.insert(frame.line, stage) != Some(stage)
                {
                    metrics.push(state_metric(frame.line, line, stage, frame.t_ns, false));
                }
                let payload = Payload { timestamp: ms(now_ns()), metrics, seq: memory.next_seq(), ..Payload::default() };
                let topic = self.topic("DDATA", Some(&line.vessel));
                if client.publish(topic, QoS::AtMostOnce, false, payload.encode_to_vec()).await.is_err() {
                    return false;
                }
            }
            memory.waiting.pop_front();
            memory.recent.push_back(frame);
            while memory.recent.len() > self.overlap {
                memory.recent.pop_front();
            }
        }
        true
    }
}

fn ms(ns: i64) -> Option<u64> {
    u64::try_from(ns / 1_000_000).ok()
}

fn metric(name: Option<&str>, alias: Option<u64>, t_ns: i64, value: MetricValue) -> Metric {
    Metric { name: name.map(str::to_owned), alias, timestamp: ms(t_ns), value: Some(value), ..Metric::default() }
}

fn bd_seq_metric(bd_seq: u64) -> Metric {
    Metric { datatype: Some(datatype::INT64), ..metric(Some(BD_SEQ), None, now_ns(), MetricValue::Long(bd_seq)) }
}

fn alias(line: usize, channel: usize) -> u64 {
    line as u64 * ALIASES + channel as u64 + 10
}

fn device_birth(at: usize, line: &Line, stage: Option<Stage>) -> Vec<Metric> {
    let now = now_ns();
    let simulated =
        Metric { datatype: Some(datatype::BOOLEAN), ..metric(Some(SIMULATED), None, now, MetricValue::Boolean(true)) };
    let batch =
        Metric { datatype: Some(datatype::STRING), ..metric(Some(BATCH), None, now, MetricValue::String(line.batch.clone())) };
    let state = stage.map(|stage| state_metric(at, line, stage, now, true));
    let declare = |(channel, declared): (usize, &Channel)| {
        let unit = PropertyValue {
            r#type: Some(datatype::STRING),
            string_value: Some(declared.unit.clone()),
            ..PropertyValue::default()
        };
        Metric {
            name: Some(declared.key.clone()),
            alias: Some(alias(at, channel)),
            timestamp: ms(now),
            datatype: Some(datatype::DOUBLE),
            is_null: Some(true),
            properties: Some(PropertySet { keys: vec!["engUnit".into()], values: vec![unit] }),
            ..Metric::default()
        }
    };
    [simulated, batch].into_iter().chain(state).chain(line.channels.iter().enumerate().map(declare)).collect()
}

/// How far a batch is, by name and with its type: it may not have stood in the birth.
fn state_metric(at: usize, line: &Line, stage: Stage, t_ns: i64, born: bool) -> Metric {
    Metric {
        datatype: Some(datatype::STRING),
        ..metric(Some(STATE), born.then(|| alias(at, 0) - 1), t_ns, MetricValue::String(line.stage_word(stage).to_owned()))
    }
}

fn data(declared: &Line, frame: &Frame, historical: bool) -> Vec<Metric> {
    let line = frame.line;
    let say = |sample: &super::feed::Sample| {
        let printed = |digits: &str| declared.channels.get(sample.channel).map(|channel| channel.print(digits));
        let number = sample.digits.as_deref().and_then(printed).and_then(|digits| digits.parse::<f64>().ok());
        let doubt = PropertyValue { r#type: Some(3), int_value: Some(quality::STALE), ..PropertyValue::default() };
        Metric {
            alias: Some(alias(line, sample.channel)),
            timestamp: ms(frame.t_ns),
            is_historical: historical.then_some(true),
            is_null: number.is_none().then_some(true),
            properties: (!sample.good).then(|| PropertySet { keys: vec!["Quality".into()], values: vec![doubt] }),
            value: number.map(MetricValue::Double),
            ..Metric::default()
        }
    };
    frame.samples.iter().map(say).collect()
}
