//! Commands over MQTT: a message with a number on one topic, the answer with the same number on another.

use super::{named, refused};
use crate::clock::now_ns;
use crate::config::control::Control;
use crate::config::{Broker, Word, password};
use crate::fault;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use toji_core::{Error, Result};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Largest answer, bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Commands without an answer yet, by number.
type Open = Arc<Mutex<HashMap<u64, oneshot::Sender<Json>>>>;

/// A session at a broker for commands and answers.
pub(super) struct Wire {
    client: AsyncClient,
    topic: String,
    next: AtomicU64,
    open: Open,
    up: watch::Receiver<bool>,
    _end: DropGuard,
}

impl Wire {
    /// Connects in the background; a command waits until the connection stands.
    pub(super) fn connect(broker: &Broker, control: &Control, vessel: &str) -> Result<Self> {
        let missing = || Error::bug("B-COMMAND-003", "topic");
        let topic = named(control.topic.as_ref().ok_or_else(missing)?, vessel)?;
        let answers = named(control.answer.as_ref().ok_or_else(missing)?, vessel)?;
        // A session of its own: the broker must not mix it up with the one that takes data.
        let id = format!("{}-commands-{vessel}", broker.client_id);
        let mut options = MqttOptions::new(id, &broker.host, broker.port);
        options.set_clean_session(true);
        options.set_keep_alive(Duration::from_secs(u64::from(broker.keep_alive_s.max(1))));
        options.set_max_packet_size(ANSWER_BYTES_MAX, ANSWER_BYTES_MAX);
        if let Some(user) = &broker.user {
            options.set_credentials(user, password(broker.password_file.as_ref())?.unwrap_or_default());
        }
        let (client, events) = AsyncClient::new(options, 100);
        let (sender, up) = watch::channel(false);
        let open = Open::default();
        let stop = CancellationToken::new();
        let listener =
            Listener { client: client.clone(), answers, number: control.answer_number.clone(), open: open.clone(), up: sender };
        tokio::spawn(listener.run(events, stop.clone()));
        // Numbers that no earlier session used: an instrument may remember what it answered.
        let next = AtomicU64::new(u64::try_from(now_ns() / 1_000).unwrap_or(1));
        Ok(Self { client, topic, next, open, up, _end: stop.drop_guard() })
    }

    pub(super) async fn set(&self, control: &Control, tag: &str, value: f64, why: &str) -> Result<()> {
        self.tell(control, control.set_message.as_ref(), tag, Some(value), why).await
    }

    pub(super) async fn act(&self, control: &Control, tag: &str, why: &str) -> Result<()> {
        self.tell(control, control.do_message.as_ref(), tag, None, why).await
    }

    async fn tell(&self, control: &Control, message: Option<&Json>, tag: &str, value: Option<f64>, why: &str) -> Result<()> {
        let message = message.ok_or_else(|| Error::bug("B-COMMAND-003", "message"))?;
        let mut up = self.up.clone();
        up.wait_for(|up| *up).await.map_err(|e| fault::away(&self.topic, e))?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        let entry = Entry { open: &self.open, number };
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(number, sender);
        let text = filled(message, &Words { number, tag, value, why }).to_string();
        self.client.publish(&self.topic, QoS::AtLeastOnce, false, text).await.map_err(|e| fault::away(&self.topic, e))?;
        let answer = answer.await.map_err(|e| fault::away(&self.topic, e))?;
        drop(entry);
        if is(&answer, &control.answer_yes) {
            return Ok(());
        }
        let why = control.answer_why.as_ref().and_then(|field| at(&answer, field)).map_or_else(|| answer.to_string(), plain);
        Err(refused(tag, why))
    }
}

/// Forgets a command whose answer nobody waits for any longer.
struct Entry<'a> {
    open: &'a Open,
    number: u64,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

struct Listener {
    client: AsyncClient,
    answers: String,
    number: String,
    open: Open,
    up: watch::Sender<bool>,
}

impl Listener {
    async fn run(self, mut events: EventLoop, stop: CancellationToken) {
        let mut wait = Duration::from_millis(100);
        loop {
            let polled = tokio::select! {
                polled = events.poll() => polled,
                () = stop.cancelled() => return,
            };
            match polled {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    wait = Duration::from_millis(100);
                    if let Err(error) = self.client.try_subscribe(&self.answers, QoS::AtLeastOnce) {
                        tracing::warn!("answers are not heard: {error}");
                    }
                }
                // Only now an answer cannot be missed.
                Ok(Event::Incoming(Packet::SubAck(_))) => drop(self.up.send_replace(true)),
                Ok(Event::Incoming(Packet::Publish(publish))) => self.heard(&publish.payload),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!("the session for commands is lost: {error}");
                    self.up.send_replace(false);
                    tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => return }
                    wait = (wait * 2).min(Duration::from_secs(2));
                }
            }
        }
    }

    fn heard(&self, payload: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<Json>(payload) else { return };
        let Some(number) = at(&answer, &self.number).and_then(|n| plain(n).parse::<u64>().ok()) else { return };
        let waiting = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        if let Some(waiting) = waiting {
            // Whoever waited may have given up.
            let _ = waiting.send(answer);
        }
    }
}

/// What stands for the words of a message.
struct Words<'a> {
    number: u64,
    tag: &'a str,
    value: Option<f64>,
    why: &'a str,
}

impl Words<'_> {
    fn text(&self, template: &str) -> String {
        let value = self.value.map(|v| v.to_string()).unwrap_or_default();
        // The reason last: what it holds is not read again.
        template
            .replace("{number}", &self.number.to_string())
            .replace("{value}", &value)
            .replace("{tag}", self.tag)
            .replace("{why}", self.why)
    }
}

/// The message with its words; a text that is nothing but a number's word becomes the number.
fn filled(message: &Json, words: &Words<'_>) -> Json {
    match message {
        Json::String(text) if text == "{number}" => words.number.into(),
        Json::String(text) if text == "{value}" => words.value.map_or(Json::Null, Json::from),
        Json::String(text) => words.text(text).into(),
        Json::Array(items) => items.iter().map(|item| filled(item, words)).collect(),
        Json::Object(fields) => {
            let fields: Map<String, Json> = fields.iter().map(|(name, v)| (words.text(name), filled(v, words))).collect();
            fields.into()
        }
        other => other.clone(),
    }
}

fn at<'a>(answer: &'a Json, field: &str) -> Option<&'a Json> {
    if field.starts_with('/') { answer.pointer(field) } else { answer.get(field) }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is(answer: &Json, word: &Word) -> bool {
    at(answer, &word.at).is_some_and(|said| plain(said) == word.is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_take_the_shape_of_the_configuration_and_no_other() {
        let words = Words { number: 7, tag: "TIC101.SET", value: Some(98.6), why: "phase \"{tag}\"" };
        let check = |message: Json, expected: Json| assert_eq!(filled(&message, &words), expected);
        check(
            json!({"id": "{number}", "command": "set", "name": "{tag}", "value": "{value}"}),
            json!({"id": 7, "command": "set", "name": "TIC101.SET", "value": 98.6}),
        );
        check(json!({"ref": "{number}", "write": {"{tag}": "{value}"}}), json!({"ref": 7, "write": {"TIC101.SET": 98.6}}));
        check(json!(["n-{number}", true, "{why}"]), json!(["n-7", true, "phase \"{tag}\""]));
        assert!(is(&json!({"ok": true}), &Word { at: "ok".into(), is: "true".into() }));
        assert!(is(&json!({"r": {"s": "DONE"}}), &Word { at: "/r/s".into(), is: "DONE".into() }));
        assert!(!is(&json!({"result": "REJECTED"}), &Word { at: "result".into(), is: "DONE".into() }));
    }
}
