//! The ear of a device on MQTT: commands as JSON on `{prefix}/{vessel}/command`, answers on
//! `{prefix}/{vessel}/answer`, by a session of its own so that data never wait for commands.
//!
//! Make A takes `{"id": 7, "command": "set", "name": "T.SP", "value": 37.0}` and `{"id": 8, "command": "inoculate"}`,
//! and answers `{"id": 7, "ok": true}` or `{"id": 7, "ok": false, "error": "…"}`. Make B takes
//! `{"ref": 7, "write": {"TIC101.SET": 98.6}}` and `{"ref": 8, "call": "INOC"}`, and answers
//! `{"ref": 7, "result": "DONE"}` or `{"ref": 7, "result": "REJECTED", "text": "…"}`. A command whose number was
//! answered before is answered the same again and not done twice.

use super::feed::Line;
use super::make::{Make, Order};
use super::plant::Desk;
use crate::config::Broker;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, QoS};
use serde_json::{Value as Json, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Answers that are remembered.
const REMEMBERED: usize = 1_000;

/// What listens for commands.
pub struct Ear {
    /// Broker; the client id must differ from the publisher's.
    pub broker: Broker,
    /// First level of the topics.
    pub prefix: String,
    /// Vessels.
    pub lines: Arc<Vec<Line>>,
    /// The plant behind them.
    pub desk: Desk,
}

/// Vessel, number of the command, answer.
type Answered = VecDeque<(String, Json, Json)>;

impl Ear {
    /// Listens until stopped.
    pub async fn run(self, stop: CancellationToken) {
        let mut options = MqttOptions::new(&self.broker.client_id, &self.broker.host, self.broker.port);
        options.set_keep_alive(Duration::from_secs(u64::from(self.broker.keep_alive_s.max(1))));
        options.set_clean_session(true);
        let (client, mut events) = AsyncClient::new(options, 100);
        let mut answered = Answered::new();
        loop {
            let polled = tokio::select! {
                polled = events.poll() => polled,
                () = stop.cancelled() => return,
            };
            match polled {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    if let Err(error) = client.try_subscribe(format!("{}/+/command", self.prefix), QoS::AtLeastOnce) {
                        tracing::warn!("commands are not heard: {error}");
                    }
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    if let Some((topic, answer)) = self.hear(&publish, &mut answered)
                        && let Err(error) = client.try_publish(topic, QoS::AtLeastOnce, false, answer.to_string())
                    {
                        tracing::warn!("an answer was not sent: {error}");
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!("the device's ear lost its broker: {error}");
                    tokio::select! { () = tokio::time::sleep(Duration::from_millis(200)) => {}, () = stop.cancelled() => return }
                }
            }
        }
    }

    /// Topic and content of the answer; `None` for what is not addressed to a vessel of ours.
    fn hear(&self, publish: &Publish, answered: &mut Answered) -> Option<(String, Json)> {
        let vessel = publish.topic.strip_prefix(&self.prefix)?.strip_prefix('/')?.strip_suffix("/command")?;
        let (at, line) = self.lines.iter().enumerate().find(|(_, line)| line.vessel == vessel)?;
        let topic = format!("{}/{vessel}/answer", self.prefix);
        let said: Json = serde_json::from_slice(&publish.payload).unwrap_or(Json::Null);
        let number = said[match line.make {
            Make::A => "id",
            Make::B => "ref",
        }]
        .clone();
        if !number.is_null()
            && let Some((.., answer)) = answered.iter().find(|(of, n, _)| of == vessel && *n == number)
        {
            return Some((topic, answer.clone()));
        }
        let done = match order(line.make, &said) {
            Some(order) => self.desk.order(at, line.make, &order, said["reason"].as_str()),
            None => Err(toji_core::Error::input("E-DEVICE-002", "命令として読めません", "not readable as a command")),
        };
        let answer = answer(line.make, &number, done.err().map(|e| e.fault().message.en.clone()));
        answered.push_back((vessel.to_owned(), number, answer.clone()));
        while answered.len() > REMEMBERED {
            answered.pop_front();
        }
        Some((topic, answer))
    }
}

fn order(make: Make, said: &Json) -> Option<Order> {
    let word = |word: &str| Order::Do { word: word.to_owned() };
    match make {
        Make::A => match said["command"].as_str()? {
            "set" => Some(Order::Set { tag: said["name"].as_str()?.to_owned(), value: said["value"].as_f64()? }),
            deed => Some(word(deed)),
        },
        Make::B => match &said["write"] {
            Json::Object(tags) if tags.len() == 1 => {
                let (tag, value) = tags.iter().next()?;
                Some(Order::Set { tag: tag.clone(), value: value.as_f64()? })
            }
            Json::Object(_) => None,
            _ => said["call"].as_str().map(word),
        },
    }
}

fn answer(make: Make, number: &Json, refused: Option<String>) -> Json {
    match (make, refused) {
        (Make::A, None) => json!({ "id": number, "ok": true }),
        (Make::A, Some(why)) => json!({ "id": number, "ok": false, "error": why }),
        (Make::B, None) => json!({ "ref": number, "result": "DONE" }),
        (Make::B, Some(why)) => json!({ "ref": number, "result": "REJECTED", "text": why }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::plant::lines_of;
    use super::*;
    use toji_plant::{Plant, PlantConfig, Recipe, Scale, Stage};

    fn ear(make: Make) -> Ear {
        let mut config = PlantConfig::parallel("hall", toji_core::Instant(0), Scale::L1, 2);
        config.reactors.iter_mut().for_each(|r| r.recipe = Recipe::waiting());
        let plant = Plant::new(config, 1).unwrap();
        let lines = lines_of(&plant, make);
        let broker =
            Broker { host: String::new(), port: 0, client_id: "ear".into(), user: None, password_file: None, keep_alive_s: 5 };
        Ear { broker, prefix: "simulated".into(), lines, desk: Desk::new(plant) }
    }

    #[test]
    fn a_command_is_done_once_and_answered_as_often_as_it_is_sent() {
        for (make, inoculate, done, again, refused) in [
            (
                Make::A,
                json!({"id": 1, "command": "inoculate"}),
                json!({"id": 1, "ok": true}),
                json!({"id": 2, "command": "inoculate"}),
                "ok",
            ),
            (
                Make::B,
                json!({"ref": 1, "call": "INOC"}),
                json!({"ref": 1, "result": "DONE"}),
                json!({"ref": 2, "call": "INOC"}),
                "result",
            ),
        ] {
            let (ear, mut answered) = (ear(make), Answered::new());
            let mut tell = |to: &str, said: &Json| ear.hear(&Publish::new(to, QoS::AtLeastOnce, said.to_string()), &mut answered);
            let (topic, answer) = tell("simulated/R02/command", &inoculate).unwrap();
            assert_eq!((topic.as_str(), &answer), ("simulated/R02/answer", &done));
            assert_eq!(tell("simulated/R02/command", &inoculate).unwrap().1, done, "sent again, not done again");
            let (_, answer) = tell("simulated/R02/command", &again).unwrap();
            assert!(answer[refused] == json!(false) || answer[refused] == "REJECTED", "{answer}");
            assert_eq!(ear.desk.with(|p| (p.stage(0), p.stage(1))), (Some(Stage::Ready), Some(Stage::Running)));
            assert!(tell("simulated/R09/command", &inoculate).is_none());
            let (_, answer) = tell("simulated/R01/command", &json!("nonsense")).unwrap();
            assert!(answer.to_string().contains("not readable"), "{answer}");
        }
    }
}
