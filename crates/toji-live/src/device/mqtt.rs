//! A device that publishes JSON over MQTT at quality of service 1, with a buffer of its own.
//!
//! While the broker is away frames wait in the buffer. After a reconnection what was not acknowledged is
//! said again, and the last seconds before it too: a broker that was killed may have forgotten what it had
//! acknowledged. Repetitions are normal, and the receiver knows points by their time.

use super::feed::{Faults, Frame, Line, Said, json};
use crate::config::Broker;
use rumqttc::{AsyncClient, MqttOptions, Outgoing, Packet, QoS};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Messages under way at once.
const WINDOW: usize = 50;

/// What a publisher is.
pub struct Publisher {
    /// Broker; the client id is the device's.
    pub broker: Broker,
    /// First level of the topics: `{prefix}/{vessel}/{batch}/data`.
    pub prefix: String,
    /// Vessels.
    pub lines: Arc<Vec<Line>>,
    /// Frames the device's buffer holds.
    pub buffer: usize,
    /// Frames already acknowledged that are said again after a lost connection.
    pub overlap: usize,
    /// Faults of the way.
    pub faults: Faults,
    /// Figures.
    pub said: Arc<Said>,
    /// Told of every frame the broker acknowledged.
    pub acknowledged: Option<mpsc::UnboundedSender<Arc<Frame>>>,
}

/// A device's buffer.
#[derive(Default)]
struct Buffer {
    /// Not said yet.
    waiting: VecDeque<Arc<Frame>>,
    /// Given to the connection, not numbered yet.
    given: VecDeque<Arc<Frame>>,
    /// Numbered, not acknowledged.
    numbered: HashMap<u16, Arc<Frame>>,
    /// Acknowledged lately.
    recent: VecDeque<Arc<Frame>>,
}

impl Buffer {
    fn under_way(&self) -> usize {
        self.given.len() + self.numbered.len()
    }

    /// All that must be said again goes before what waits, oldest first.
    fn rewind(&mut self) -> usize {
        let mut again: Vec<Arc<Frame>> =
            self.recent.drain(..).chain(self.numbered.drain().map(|(_, f)| f)).chain(self.given.drain(..)).collect();
        again.sort_by_key(|frame| frame.t_ns);
        let count = again.len();
        again.into_iter().rev().for_each(|frame| self.waiting.push_front(frame));
        count
    }
}

enum Happened {
    Frame(Option<Arc<Frame>>),
    Event(Option<rumqttc::Event>),
}

impl Publisher {
    /// Publishes frames until they end and all are acknowledged, or until stopped.
    pub async fn run(self, mut frames: mpsc::Receiver<Arc<Frame>>, stop: CancellationToken) {
        let mut buffer = Buffer::default();
        let mut held = None;
        let (mut number, mut ended) = (0, false);
        while !stop.is_cancelled() {
            let (client, mut events) = self.connect(stop.clone());
            let mut up = false;
            loop {
                if ended && buffer.waiting.is_empty() && buffer.under_way() == 0 {
                    return;
                }
                while up && buffer.under_way() < WINDOW && self.say(&client, &mut buffer) {}
                let happened = tokio::select! {
                    event = events.recv() => Happened::Event(event),
                    frame = frames.recv(), if !ended => Happened::Frame(frame),
                    () = stop.cancelled() => return,
                };
                match happened {
                    Happened::Event(None) => break,
                    Happened::Event(Some(event)) => self.heard(event, &mut buffer, &mut up),
                    Happened::Frame(Some(frame)) => {
                        self.said.frames.fetch_add(1, Ordering::Relaxed);
                        buffer.waiting.extend(self.faults.apply(number, frame, &mut held));
                        number += 1;
                        self.bound(&mut buffer);
                    }
                    Happened::Frame(None) => {
                        buffer.waiting.extend(held.take());
                        ended = true;
                    }
                }
            }
            let again = buffer.rewind();
            self.said.again.fetch_add(again as u64, Ordering::Relaxed);
            self.bound(&mut buffer);
            tokio::select! { () = sleep(Duration::from_millis(200)) => {}, () = stop.cancelled() => return }
        }
    }

    /// The oldest frames make room: that is what a device's ring does.
    fn bound(&self, buffer: &mut Buffer) {
        while buffer.waiting.len() > self.buffer {
            buffer.waiting.pop_front();
            self.said.overflowed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn connect(&self, stop: CancellationToken) -> (AsyncClient, mpsc::Receiver<rumqttc::Event>) {
        let mut options = MqttOptions::new(&self.broker.client_id, &self.broker.host, self.broker.port);
        options.set_keep_alive(Duration::from_secs(u64::from(self.broker.keep_alive_s.max(1))));
        options.set_clean_session(true);
        options.set_inflight(2 * WINDOW as u16);
        let (client, mut event_loop) = AsyncClient::new(options, 2 * WINDOW);
        let (sender, events) = mpsc::channel(4 * WINDOW);
        tokio::spawn(async move {
            loop {
                let polled = tokio::select! {
                    polled = event_loop.poll() => polled,
                    () = sender.closed() => return,
                    () = stop.cancelled() => return,
                };
                match polled {
                    Ok(event) => {
                        if sender.send(event).await.is_err() {
                            return;
                        }
                    }
                    Err(error) => {
                        tracing::debug!("device lost its broker: {error}");
                        return;
                    }
                }
            }
        });
        (client, events)
    }

    fn say(&self, client: &AsyncClient, buffer: &mut Buffer) -> bool {
        let Some(frame) = buffer.waiting.front() else { return false };
        let Some(line) = self.lines.get(frame.line) else {
            buffer.waiting.pop_front();
            return true;
        };
        let topic = format!("{}/{}/{}/data", self.prefix, line.vessel, line.batch);
        if client.try_publish(topic, QoS::AtLeastOnce, false, json(line, frame)).is_err() {
            return false;
        }
        buffer.given.extend(buffer.waiting.pop_front());
        true
    }

    fn heard(&self, event: rumqttc::Event, buffer: &mut Buffer, up: &mut bool) {
        match event {
            rumqttc::Event::Incoming(Packet::ConnAck(_)) => *up = true,
            rumqttc::Event::Outgoing(Outgoing::Publish(number)) => {
                if let Some(frame) = buffer.given.pop_front() {
                    buffer.numbered.insert(number, frame);
                }
            }
            rumqttc::Event::Incoming(Packet::PubAck(ack)) => {
                let Some(frame) = buffer.numbered.remove(&ack.pkid) else { return };
                self.said.acknowledged.fetch_add(1, Ordering::Relaxed);
                if let Some(acknowledged) = &self.acknowledged {
                    let _ = acknowledged.send(frame.clone());
                }
                buffer.recent.push_back(frame);
                while buffer.recent.len() > self.overlap {
                    buffer.recent.pop_front();
                }
            }
            _ => {}
        }
    }
}
