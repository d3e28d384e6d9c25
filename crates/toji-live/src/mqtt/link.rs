//! One connection to a broker that comes back by itself, with acknowledgements by hand.
//!
//! An acknowledgement names a packet by its number in one connection. After a reconnection the same number
//! may mean another message, so each message remembers the connection it came by (its epoch), and a late
//! acknowledgement of an old epoch is not sent: the broker sends the message again.

use crate::config::{Broker, password};
use crate::pipe::Confirm;
use crate::tally::Tally;
use rumqttc::{
    AsyncClient, EventLoop, LastWill, MqttOptions, Outgoing, Packet, Publish, QoS, SubscribeFilter, SubscribeReasonCode,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use toji_core::{Diagnostic, Place, Result};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Largest packet taken, bytes; MQTT itself allows 256 MiB.
pub const PACKET_BYTES_MAX: usize = 16 << 20;
/// Requests that wait for the connection: more than there are packet numbers, so that an acknowledgement
/// never waits.
const REQUESTS: usize = 80_000;
/// Messages read but not taken yet: all that a broker may send without acknowledgement. While reading goes on, signs
/// of life do too; a connection that stopped for a slow sink would be closed, its messages sent again, and their
/// acknowledgements void: it would turn in circles. The broker's own window (20 to some hundred messages) is what
/// slows the source. Messages without acknowledgement (quality of service 0) stop the reading when this is full.
const EVENTS: usize = 66_000;

/// What to be at the broker.
pub struct Session<'a> {
    /// The broker.
    pub broker: &'a Broker,
    /// Filters to subscribe to, at quality of service 1.
    pub filters: Vec<String>,
    /// Begin anew at each connection instead of taking up the session.
    pub clean: bool,
    /// What the broker says when we vanish, made anew for each connection.
    pub will: Option<Will>,
}

/// Makes topic and payloads of a retained sign of presence: the one for "here" and the one for "gone".
pub type Will = Arc<dyn Fn() -> Presence + Send + Sync>;

/// A retained sign of presence.
pub struct Presence {
    /// Topic.
    pub topic: String,
    /// Published after connecting.
    pub here: String,
    /// Published by the broker when we are gone.
    pub gone: String,
}

/// What a link reports.
pub enum Event {
    /// Connected and subscribed.
    Up,
    /// The connection is lost.
    Down(String),
    /// A message came.
    Message {
        /// The message.
        publish: Publish,
        /// Connection it came by.
        epoch: u64,
    },
}

/// A connection that comes back by itself.
pub struct Link {
    client: AsyncClient,
    epoch: Arc<Mutex<u64>>,
    tally: Arc<Tally>,
}

impl Link {
    /// Connects in the background, until stopped; events end then.
    ///
    /// # Errors
    /// The password file cannot be read.
    pub fn start(session: &Session<'_>, tally: Arc<Tally>, stop: CancellationToken) -> Result<(Self, mpsc::Receiver<Event>)> {
        let broker = session.broker;
        let mut options = MqttOptions::new(&broker.client_id, &broker.host, broker.port);
        options.set_clean_session(session.clean);
        options.set_manual_acks(true);
        options.set_keep_alive(Duration::from_secs(u64::from(broker.keep_alive_s.max(1))));
        options.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
        if let Some(user) = &broker.user {
            options.set_credentials(user, password(broker.password_file.as_ref())?.unwrap_or_default());
        }
        let (client, event_loop) = AsyncClient::new(options, REQUESTS);
        let (sender, events) = mpsc::channel(EVENTS);
        let epoch = Arc::new(Mutex::new(0));
        let task = Task {
            client: client.clone(),
            event_loop,
            events: sender,
            epoch: epoch.clone(),
            filters: session.filters.clone(),
            will: session.will.clone(),
            name: format!("{}:{}", broker.host, broker.port),
            tally: tally.clone(),
        };
        tokio::spawn(task.run(stop));
        Ok((Self { client, epoch, tally }, events))
    }

    /// How to acknowledge a message; `None` for quality of service 0, which has no acknowledgement.
    #[must_use]
    pub fn confirm(&self, publish: Publish, epoch: u64) -> Option<Confirm> {
        if publish.qos == QoS::AtMostOnce {
            return None;
        }
        let (client, current, tally) = (self.client.clone(), self.epoch.clone(), self.tally.clone());
        Some(Box::new(move || {
            // Held while the request is put in: the epoch cannot end in between.
            let now = current.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = *now == epoch && client.try_ack(&publish).is_ok();
            Tally::one(if sent { &tally.acknowledged } else { &tally.stale_acknowledgements });
        }))
    }

    /// Publishes at most once, dropped when the connection is away: for requests that are made again anyway.
    pub fn ask(&self, topic: &str, payload: Vec<u8>) {
        if let Err(error) = self.client.try_publish(topic, QoS::AtMostOnce, false, payload) {
            tracing::debug!("not sent: {error}");
        }
    }
}

struct Task {
    client: AsyncClient,
    event_loop: EventLoop,
    events: mpsc::Sender<Event>,
    epoch: Arc<Mutex<u64>>,
    filters: Vec<String>,
    will: Option<Will>,
    name: String,
    tally: Arc<Tally>,
}

impl Task {
    async fn run(mut self, stop: CancellationToken) {
        let mut wait = Duration::from_millis(100);
        let mut up = false;
        let mut here = self.presence();
        loop {
            // A poll may be writing: it is only given up when everything ends.
            let polled = tokio::select! {
                polled = self.event_loop.poll() => polled,
                () = stop.cancelled() => break,
                // Nobody listens any more: a second session of the same name must not find us there.
                () = self.events.closed() => break,
            };
            match polled {
                Ok(rumqttc::Event::Incoming(Packet::ConnAck(_))) => {
                    (up, wait) = (true, Duration::from_millis(100));
                    Tally::one(&self.tally.connections);
                    self.greet(here.take());
                    if self.events.send(Event::Up).await.is_err() {
                        return;
                    }
                }
                Ok(rumqttc::Event::Incoming(Packet::Publish(publish))) => {
                    let epoch = *self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
                    if self.events.send(Event::Message { publish, epoch }).await.is_err() {
                        return;
                    }
                }
                Ok(rumqttc::Event::Incoming(Packet::SubAck(ack))) => {
                    if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                        self.refused();
                    }
                }
                Ok(rumqttc::Event::Outgoing(Outgoing::Disconnect)) => return,
                Ok(_) => {}
                Err(error) => {
                    *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                    // Acknowledgements put in between the loss and the new epoch must not reach the next connection.
                    self.event_loop.clean();
                    self.lost(&error);
                    if std::mem::take(&mut up) {
                        Tally::one(&self.tally.disconnections);
                        if self.events.send(Event::Down(error.to_string())).await.is_err() {
                            return;
                        }
                    }
                    here = self.presence();
                    tokio::select! { () = sleep(wait) => {}, () = stop.cancelled() => break }
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
            }
        }
        // Nobody carries acknowledgements any more: what comes late is not sent, and is not counted as sent.
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    fn presence(&mut self) -> Option<Presence> {
        let presence = (self.will.as_ref()?)();
        let will = LastWill::new(&presence.topic, presence.gone.clone(), QoS::AtLeastOnce, true);
        self.event_loop.mqtt_options.set_last_will(will);
        Some(presence)
    }

    /// Subscribes anew (the broker may have lost the session, or the filters are others now) and says that we are here.
    fn greet(&self, presence: Option<Presence>) {
        let filters = self.filters.iter().map(|f| SubscribeFilter::new(f.clone(), QoS::AtLeastOnce));
        if let Err(error) = self.client.try_subscribe_many(filters) {
            tracing::error!("not subscribed: {error}");
        }
        if let Some(presence) = presence
            && let Err(error) = self.client.try_publish(presence.topic, QoS::AtLeastOnce, true, presence.here)
        {
            tracing::error!("presence not published: {error}");
        }
    }

    fn lost(&self, error: &rumqttc::ConnectionError) {
        tracing::info!(broker = %self.name, "connection lost: {error}");
        let why = error.to_string();
        self.tally.find(Diagnostic::warning(
            "W-LINK-001",
            Place::field(&self.name),
            format!("ブローカーとの接続が切れました: {why}"),
            format!("connection to the broker lost: {why}"),
        ));
    }

    fn refused(&self) {
        let finding = Diagnostic::error(
            "E-LINK-006",
            Place::field(&self.name),
            format!("ブローカーが購読を拒否しました: {}", self.filters.join(", ")),
            format!("the broker refuses a subscription: {}", self.filters.join(", ")),
        );
        self.tally.find(finding.remedy("利用者の権限を確認してください", "check what the user may read"));
    }
}
