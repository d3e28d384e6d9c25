//! OPC UA as a client: one subscription a server, source timestamps, status codes, overflow bits.
//!
//! [`value`] turns data values into what was said (pure), [`nodes`] finds the nodes and their units, [`run`]
//! keeps the session. After a lost connection the session is taken up again when the server still has it (its
//! queues bridge the gap), else made anew; both are marks. The server forgets a notification when it is
//! received, so points between reception and durability (a fraction of a second) can be lost when this
//! process is killed; the next start is a mark too.
//!
//! Security: policy None, anonymous or with user and password. Keep it inside the plant's network.

pub mod nodes;
pub mod value;

use crate::clock::now_ns;
use crate::config::{OpcUa, password};
use crate::fault;
use crate::mqtt::{Runs, Told};
use crate::pipe::{Intake, Parcel};
use crate::tally::Tally;
use futures::StreamExt;
use nodes::Item;
use opcua::client::{
    ClientBuilder, DataChangeCallback, IdentityToken, MonitoredItem, Password, Session, SessionConnectMode, SessionPollResult,
    SubscriptionActivity,
};
use opcua::types::{
    DataChangeFilter, DataChangeTrigger, DataValue, EndpointDescription, ExtensionObject, MessageSecurityMode,
    MonitoredItemCreateRequest, MonitoringMode, MonitoringParameters, ReadValueId, TimestampsToReturn, UserTokenPolicy,
};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use toji_core::live::{Batch, MarkKind};
use toji_core::{Diagnostic, Error, Place, Result};
use tokio_util::sync::CancellationToken;

/// Items asked for in one request, and values in one notification: about half of the 64 KiB of one chunk, since longer
/// messages come in several, which not every server and client can put together.
const ITEMS_A_REQUEST: usize = 200;
const VALUES_A_NOTIFICATION: u32 = 800;
/// How often a subscription is kept alive without values, in publishing intervals, and after how many it ends.
const KEEP_ALIVE: u32 = 10;
const LIFETIME: u32 = 600;
/// How long a subscription may be silent beyond its keep-alive, and how often that is looked at.
const SILENCE: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_secs(1);

/// Values that arrived since the last look: item, value, time of arrival.
type Arrived = Arc<Mutex<Vec<(usize, DataValue, i64)>>>;
type SetUp = Pin<Box<dyn Future<Output = Result<(u32, Vec<Item>)>> + Send>>;

/// Listens to one server until stopped.
///
/// # Errors
/// The configuration is wrong: an address, a password file, or no node of it exists on the server.
pub async fn run(source: OpcUa, intake: Intake, tally: Arc<Tally>, stop: CancellationToken) -> Result<()> {
    let (session, event_loop) = connect(&source)?;
    let stream = event_loop.enter();
    tokio::pin!(stream);
    let arrived = Arrived::default();
    let source = Arc::new(source);
    let mut life = Life {
        source,
        session,
        arrived,
        tally,
        items: Arc::default(),
        runs: Runs::default(),
        told: Told::default(),
        set_up: None,
        subscription: None,
        connected: false,
        heard: Instant::now(),
    };
    let mut look = tokio::time::interval(LOOK);
    loop {
        let batches = tokio::select! {
            polled = stream.next() => match polled {
                Some(Ok(polled)) => life.polled(polled),
                Some(Err(status)) => return Err(fault::away(&life.source.url, status)),
                None => return Ok(()),
            },
            done = async { match life.set_up.as_mut() { Some(set_up) => set_up.await, None => std::future::pending().await } } => {
                life.set_up_done(done)?
            }
            _ = look.tick() => {
                life.look();
                Vec::new()
            }
            () = stop.cancelled() => return Ok(()),
        };
        if !batches.is_empty() && !intake.send(Parcel { batches, confirm: None, tally: life.tally.clone() }).await {
            return Ok(());
        }
    }
}

/// A session and what polls it, not connected yet.
pub(crate) fn connect(
    source: &OpcUa,
) -> Result<(Arc<Session>, opcua::client::SessionEventLoop<opcua::client::transport::TcpConnector>)> {
    let bad = |why: &dyn std::fmt::Display| {
        fault::config(
            Place::field(format!("{}.url", source.name)),
            format!("OPC UA の接続設定が正しくありません: {why}"),
            format!("the OPC UA connection cannot be made: {why}"),
        )
    };
    let folder = std::env::temp_dir().join("toji-opcua-pki");
    let mut client = ClientBuilder::new()
        .application_name("Toji")
        .application_uri("urn:toji:live")
        .product_uri("urn:toji")
        .pki_dir(folder)
        .create_sample_keypair(false)
        .session_retry_limit(-1)
        .session_retry_initial(Duration::from_millis(500))
        .session_retry_max(Duration::from_secs(5))
        .keep_alive_interval(Duration::from_secs(2))
        .max_failed_keep_alive_count(2)
        .request_timeout(Duration::from_secs(5))
        .session_timeout(600_000)
        .client()
        .map_err(|e| bad(&e.join("; ")))?;
    let token = match &source.user {
        Some(user) => {
            IdentityToken::UserName(user.clone(), Password(password(source.password_file.as_ref())?.unwrap_or_default()))
        }
        None => IdentityToken::Anonymous,
    };
    let endpoint: EndpointDescription =
        (source.url.as_str(), "None", MessageSecurityMode::None, UserTokenPolicy::anonymous()).into();
    client.connect_to_endpoint_directly(endpoint, token).map_err(|e| bad(&e))
}

/// One source's session.
struct Life {
    source: Arc<OpcUa>,
    session: Arc<Session>,
    arrived: Arrived,
    tally: Arc<Tally>,
    items: Arc<Vec<Item>>,
    runs: Runs,
    told: Told,
    set_up: Option<SetUp>,
    subscription: Option<u32>,
    connected: bool,
    /// When the subscription last gave a sign of life.
    heard: Instant,
}

impl Life {
    fn polled(&mut self, polled: SessionPollResult) -> Vec<Batch> {
        match polled {
            SessionPollResult::Reconnected(mode) => {
                Tally::one(&self.tally.connections);
                (self.connected, self.heard) = (true, Instant::now());
                if self.items.is_empty() {
                    self.subscribe(Duration::ZERO);
                }
                let note = match mode {
                    SessionConnectMode::NewSession(_) => "new session",
                    SessionConnectMode::ReactivatedSession(_) => "session taken up",
                };
                self.runs.mark(MarkKind::Reconnected, Some(note.into()))
            }
            SessionPollResult::ConnectionLost(status) => {
                Tally::one(&self.tally.disconnections);
                self.connected = false;
                let mut batches = self.take();
                batches.extend(self.runs.mark(MarkKind::Disconnected, Some(status.to_string())));
                batches
            }
            SessionPollResult::ReconnectFailed(status) => {
                self.tally.find(Diagnostic::warning(
                    "W-LINK-005",
                    Place::field(&self.source.url),
                    format!("OPC UA サーバーに接続できません: {status}"),
                    format!("the OPC UA server cannot be reached: {status}"),
                ));
                Vec::new()
            }
            SessionPollResult::Subscription(SubscriptionActivity::Publish) => {
                self.heard = Instant::now();
                self.take()
            }
            _ => self.take(),
        }
    }

    /// A subscription that gives no sign of life is gone, whatever the session says: a server may have
    /// forgotten it while it kept the session. It is made anew.
    fn look(&mut self) {
        let patience = Duration::from_millis(self.source.publish_ms) * KEEP_ALIVE + SILENCE;
        if self.connected && self.set_up.is_none() && !self.items.is_empty() && self.heard.elapsed() > patience {
            tracing::warn!(source = %self.source.name, "the subscription is silent, subscribing anew");
            self.subscribe(Duration::ZERO);
        }
    }

    fn subscribe(&mut self, wait: Duration) {
        let (session, source, arrived, tally) =
            (self.session.clone(), self.source.clone(), self.arrived.clone(), self.tally.clone());
        let old = self.subscription.take();
        self.set_up = Some(Box::pin(async move {
            tokio::time::sleep(wait).await;
            if let Some(old) = old {
                let _ = session.delete_subscription(old).await;
            }
            set_up(session, source, arrived, tally).await
        }));
    }

    fn set_up_done(&mut self, done: Result<(u32, Vec<Item>)>) -> Result<Vec<Batch>> {
        self.set_up = None;
        self.heard = Instant::now();
        match done {
            Ok((subscription, items)) => {
                self.items = Arc::new(items);
                self.subscription = Some(subscription);
                value::empty_runs(&self.source, &self.items).iter().for_each(|batch| self.runs.seen(batch));
                let mut batches = self.runs.mark(MarkKind::Birth, Some("subscribed".into()));
                batches.extend(self.take());
                Ok(batches)
            }
            // The connection went away under way, or a server that starts has not all its nodes yet.
            Err(error) if fault::may_pass(&error) || !self.items.is_empty() => {
                tracing::warn!("OPC UA set-up interrupted: {error}");
                self.tally.find(Diagnostic::warning(
                    "W-LINK-005",
                    Place::field(&self.source.url),
                    error.fault().message.ja.clone(),
                    error.fault().message.en.clone(),
                ));
                self.subscribe(Duration::from_secs(1));
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    fn take(&mut self) -> Vec<Batch> {
        if self.items.is_empty() {
            return Vec::new();
        }
        let arrived = std::mem::take(&mut *self.arrived.lock().unwrap_or_else(PoisonError::into_inner));
        Tally::more(&self.tally.messages, arrived.len());
        let mut batches = value::batches(&self.source, &self.items, arrived, &self.tally);
        self.told.once(&mut batches);
        batches
    }
}

/// Finds the nodes and subscribes to them. The answers come through the session's event loop, which must be
/// polled meanwhile.
async fn set_up(session: Arc<Session>, source: Arc<OpcUa>, arrived: Arrived, tally: Arc<Tally>) -> Result<(u32, Vec<Item>)> {
    let away = |why: opcua::types::Error| fault::away(&source.url, why);
    let items = nodes::find(&session, &source).await?;
    let heard = arrived.clone();
    let callback = DataChangeCallback::new(move |value: DataValue, item: &MonitoredItem| {
        let at = (item.client_handle() as usize).saturating_sub(1);
        heard.lock().unwrap_or_else(PoisonError::into_inner).push((at, value, now_ns()));
    });
    let every = Duration::from_millis(source.publish_ms.max(10));
    let subscription =
        session.create_subscription(every, LIFETIME, KEEP_ALIVE, VALUES_A_NOTIFICATION, 0, true, callback).await.map_err(away)?;
    let mut refused = 0;
    for (chunk, first) in items.chunks(ITEMS_A_REQUEST).zip((0..).step_by(ITEMS_A_REQUEST)) {
        let requests = chunk.iter().zip(first..).map(|(item, at)| request(&source, item, at)).collect();
        let created = session.create_monitored_items(subscription, TimestampsToReturn::Both, requests).await.map_err(away)?;
        for (created, item) in created.iter().zip(chunk) {
            if created.result.status_code.is_good() {
                continue;
            }
            refused += 1;
            let why = created.result.status_code;
            tally.find(Diagnostic::error(
                "E-LINK-008",
                Place::field(item.node.to_string()),
                format!("ノードを購読できません: {why}"),
                format!("the node cannot be subscribed to: {why}"),
            ));
        }
    }
    if refused == items.len() {
        let _ = session.delete_subscription(subscription).await;
        return Err(nothing(&source));
    }
    Ok((subscription, items))
}

fn nothing(source: &OpcUa) -> Error {
    let place = Place::field(format!("{}.run", source.name));
    fault::config(place, "購読できるノードが一つもありません", "no node could be subscribed to")
        .hint("ノード ID と名前空間番号を確認してください", "check node ids and namespace numbers")
}

fn every_timestamp() -> ExtensionObject {
    let trigger = DataChangeTrigger::StatusValueTimestamp;
    ExtensionObject::from_message(DataChangeFilter { trigger, deadband_type: 0, deadband_value: 0.0 })
}

fn request(source: &OpcUa, item: &Item, at: u32) -> MonitoredItemCreateRequest {
    let parameters = MonitoringParameters {
        client_handle: at + 1,
        sampling_interval: source.sampling_ms,
        queue_size: source.queue.max(1),
        discard_oldest: true,
        filter: if source.every_timestamp { every_timestamp() } else { ExtensionObject::null() },
    };
    MonitoredItemCreateRequest {
        item_to_monitor: ReadValueId::from(item.node.clone()),
        monitoring_mode: MonitoringMode::Reporting,
        requested_parameters: parameters,
    }
}
