//! Sparkplug B as a host application: births, aliases, sequence numbers, deaths.
//!
//! [`wire`] are the messages, [`host`] is the state machine (pure), [`run`] joins it with the connection.
//! Edge nodes publish data at quality of service 0; what protects them is their own buffer, which they fill
//! while our STATE says that we are away (`host_id`), and the sequence numbers, whose holes become marks.

pub mod host;
pub mod wire;

use crate::clock::now_ns;
use crate::config::Sparkplug;
use crate::mqtt::link::{Event, Link, Presence, Session, Will};
use crate::mqtt::{Runs, Told};
use crate::pipe::{Intake, Parcel};
use crate::tally::Tally;
use host::Host;
use prost::Message;
use std::sync::Arc;
use std::time::Duration;
use toji_core::{Result, live::MarkKind};
use tokio_util::sync::CancellationToken;

/// How often messages held for a birth are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Listens to the edge nodes of one broker until stopped.
///
/// # Errors
/// The configuration names a file that cannot be read.
pub async fn run(source: Sparkplug, intake: Intake, tally: Arc<Tally>, stop: CancellationToken) -> Result<()> {
    let group = source.group.as_deref().unwrap_or("+");
    let will = source.host_id.clone().map(|id| -> Will { Arc::new(move || state(&id)) });
    // The specification asks hosts for a clean session: an old birth must not explain new data.
    let session = Session { broker: &source.broker, filters: vec![format!("spBv1.0/{group}/#")], clean: true, will };
    let (link, mut events) = Link::start(&session, tally.clone(), stop)?;
    let mut host = Host::new(source);
    let mut runs = Runs::default();
    let mut told = Told::default();
    let mut tick = tokio::time::interval(LOOK);
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = tick.tick() => {
                let batches = host.give_up_waiting(now_ns(), &tally);
                if !batches.is_empty() && !intake.send(Parcel { batches, confirm: None, tally: tally.clone() }).await {
                    return Ok(());
                }
                ask(&link, &mut host, &tally);
                continue;
            }
        };
        let Some(event) = event else { return Ok(()) };
        let parcel = match event {
            Event::Up => Parcel { batches: runs.mark(MarkKind::Reconnected, None), confirm: None, tally: tally.clone() },
            Event::Down(why) => {
                host.forget_births();
                Parcel { batches: runs.mark(MarkKind::Disconnected, Some(why)), confirm: None, tally: tally.clone() }
            }
            Event::Message { publish, epoch } => {
                Tally::one(&tally.messages);
                let mut batches = host.take(&publish.topic, &publish.payload, now_ns(), &tally);
                told.once(&mut batches);
                batches.iter().for_each(|batch| runs.seen(batch));
                Parcel { batches, confirm: link.confirm(publish, epoch), tally: tally.clone() }
            }
        };
        ask(&link, &mut host, &tally);
        if !intake.send(parcel).await {
            return Ok(());
        }
    }
}

fn ask(link: &Link, host: &mut Host, tally: &Tally) {
    for node in host.rebirths(now_ns()) {
        Tally::one(&tally.rebirths_asked);
        link.ask(&format!("spBv1.0/{}/NCMD/{}", node.0, node.1), rebirth().encode_to_vec());
    }
}

/// The command that asks an edge node to be born again.
#[must_use]
pub fn rebirth() -> wire::Payload {
    let ms = u64::try_from(now_ns() / 1_000_000).ok();
    let metric = wire::Metric {
        name: Some(host::REBIRTH.into()),
        timestamp: ms,
        datatype: Some(wire::datatype::BOOLEAN),
        value: Some(wire::MetricValue::Boolean(true)),
        ..Default::default()
    };
    wire::Payload { timestamp: ms, metrics: vec![metric], ..Default::default() }
}

fn state(id: &str) -> Presence {
    let ms = now_ns() / 1_000_000;
    Presence {
        topic: format!("spBv1.0/STATE/{id}"),
        here: format!(r#"{{"online":true,"timestamp":{ms}}}"#),
        gone: format!(r#"{{"online":false,"timestamp":{ms}}}"#),
    }
}
