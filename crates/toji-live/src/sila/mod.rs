//! SiLA 2 as a client: features are asked for, their observable properties subscribed to.
//!
//! SiLA sends no time with a value: points stand at their time of arrival. It keeps nothing for a client that
//! is away: outages are marks. Connections are plain gRPC (a server started without encryption).

pub mod feature;
pub mod wire;

use crate::clock::now_ns;
use crate::config::{Sila, SilaProperty, marks};
use crate::fault;
use crate::mqtt::{Runs, Told};
use crate::pipe::{Intake, Parcel};
use crate::tally::Tally;
use feature::{Basic, Feature, Property};
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use prost::Message;
use std::sync::Arc;
use std::time::Duration;
use toji_core::culture::{Origin, Sampling};
use toji_core::live::{Batch, Mark, MarkKind, Point, Said, Signal};
use toji_core::{Cause, Diagnostic, Place, Quality, Result, Status};
use tokio_util::sync::CancellationToken;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;
use wire::{First, Many, Nothing, SERVICE};

/// Features and properties of one server that are looked at.
const FEATURES: usize = 200;
const PROPERTIES: usize = 2_000;
/// Bytes of one message.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// A property that is subscribed to.
#[derive(Debug, Clone)]
struct Subscribed {
    path: String,
    signal: Signal,
    basic: Basic,
    /// It is only listened to for its words, and no signal.
    words_only: bool,
}

type Values = SelectAll<BoxStream<'static, (usize, std::result::Result<First, tonic::Status>)>>;

/// Listens to one server until stopped.
///
/// # Errors
/// The configuration is wrong: the address, or no property of it exists on the server.
pub async fn run(source: Sila, intake: Intake, tally: Arc<Tally>, stop: CancellationToken) -> Result<()> {
    let endpoint = endpoint(&source)?;
    let mut runs = Runs::default();
    runs.seen(&empty(&source));
    let mut wait = Duration::from_millis(200);
    let mut born = false;
    loop {
        let connected = tokio::select! {
            connected = subscribe(&endpoint, &source, &tally) => connected,
            () = stop.cancelled() => return Ok(()),
        };
        let why = match connected {
            Ok((subscribed, values)) => {
                Tally::one(&tally.connections);
                wait = Duration::from_millis(200);
                let kind = if born { MarkKind::Reconnected } else { MarkKind::Birth };
                born = true;
                if !send(&intake, &tally, runs.mark(kind, None)).await {
                    return Ok(());
                }
                let Some(why) = listen(&source, &subscribed, values, &intake, &tally, &stop).await else { return Ok(()) };
                Tally::one(&tally.disconnections);
                if !send(&intake, &tally, runs.mark(MarkKind::Disconnected, Some(why.clone()))).await {
                    return Ok(());
                }
                why
            }
            Err(error) if fault::may_pass(&error) => error.fault().message.en.clone(),
            Err(error) => return Err(error),
        };
        let place = Place::field(format!("{}:{}", source.host, source.port));
        tally.find(Diagnostic::warning(
            "W-LINK-006",
            place,
            format!("SiLA サーバーと通信できません: {why}"),
            format!("no connection to the SiLA server: {why}"),
        ));
        tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => return Ok(()) }
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

async fn send(intake: &Intake, tally: &Arc<Tally>, batches: Vec<Batch>) -> bool {
    batches.is_empty() || intake.send(Parcel { batches, confirm: None, tally: tally.clone() }).await
}

pub(crate) fn endpoint(source: &Sila) -> Result<Endpoint> {
    let endpoint = Endpoint::from_shared(format!("http://{}:{}", source.host, source.port)).map_err(|why| {
        let place = Place::field(format!("{}.host", source.name));
        fault::config(place, format!("アドレスが正しくありません: {why}"), format!("not an address: {why}"))
    })?;
    Ok(endpoint
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(Duration::from_secs(5))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true))
}

fn empty(source: &Sila) -> Batch {
    Batch {
        source: source.name.clone(),
        run: source.run.clone(),
        vessel: source.vessel.clone(),
        simulated: source.simulated,
        ..Batch::default()
    }
}

/// Connects, asks what the server has, and subscribes.
async fn subscribe(endpoint: &Endpoint, source: &Sila, tally: &Tally) -> Result<(Vec<Subscribed>, Values)> {
    let name = format!("{}:{}", source.host, source.port);
    let channel = endpoint.connect().await.map_err(|e| fault::away(&name, e))?;
    let features = features(&channel, &name).await?;
    let subscribed = choose(source, &features, tally)?;
    let mut values = Values::new();
    for (at, property) in subscribed.iter().enumerate() {
        let mut grpc = ready(&channel, &name).await?;
        let codec = ProstCodec::<Nothing, First>::default();
        let path = path(&property.path)?;
        let answer = grpc.server_streaming(tonic::Request::new(Nothing {}), path, codec).await;
        let stream = answer.map_err(|e| fault::away(&name, e))?.into_inner();
        values.push(stream.map(move |value| (at, value)).boxed());
    }
    Ok((subscribed, values))
}

pub(crate) fn path(text: &str) -> Result<http::uri::PathAndQuery> {
    text.parse().map_err(|e| fault::odd_answer(text, e))
}

pub(crate) async fn ready(channel: &Channel, name: &str) -> Result<Grpc<Channel>> {
    let mut grpc = Grpc::new(channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
    grpc.ready().await.map_err(|e| fault::away(name, e))?;
    Ok(grpc)
}

async fn features(channel: &Channel, name: &str) -> Result<Vec<Feature>> {
    let mut grpc = ready(channel, name).await?;
    let listed: Many = grpc
        .unary(tonic::Request::new(Nothing {}), path(&format!("/{SERVICE}/Get_ImplementedFeatures"))?, ProstCodec::default())
        .await
        .map_err(|e| refused(name, &e))?
        .into_inner();
    let mut features = Vec::new();
    for id in listed.values.iter().take(FEATURES) {
        let mut grpc = ready(channel, name).await?;
        let answer: First = grpc
            .unary(
                tonic::Request::new(First { value: id.clone() }),
                path(&format!("/{SERVICE}/GetFeatureDefinition"))?,
                ProstCodec::default(),
            )
            .await
            .map_err(|e| refused(name, &e))?
            .into_inner();
        let xml = wire::Text::decode(answer.value.as_slice()).map_err(|e| fault::odd_answer(name, e))?.value;
        features.push(Feature::read(&xml)?);
    }
    Ok(features)
}

/// A server that is no SiLA server will not become one; anything else may pass.
fn refused(name: &str, status: &tonic::Status) -> toji_core::Error {
    if status.code() == tonic::Code::Unimplemented {
        return fault::odd_answer(name, status);
    }
    fault::away(name, status)
}

fn choose(source: &Sila, features: &[Feature], tally: &Tally) -> Result<Vec<Subscribed>> {
    let all = features.iter().flat_map(|f| f.properties.iter().map(move |p| (f, p)));
    let all: Vec<(&Feature, &Property)> = all.take(PROPERTIES).collect();
    let mut chosen = Vec::new();
    if source.properties.is_empty() {
        let basics = all.iter().filter(|(f, p)| p.observable && f.originator != "org.silastandard");
        chosen.extend(basics.filter_map(|(f, p)| Some(declare(f, p, p.basic?, None))));
    }
    for wanted in &source.properties {
        let found = all.iter().find(|(f, p)| f.qualified(&p.identifier) == wanted.id);
        match found {
            Some((f, p)) if p.observable && p.basic.is_some() => {
                chosen.extend(p.basic.map(|basic| declare(f, p, basic, Some(wanted))))
            }
            other => {
                let (ja, en) = match other {
                    Some(_) => ("購読できる基本型のプロパティではありません", "not an observable property of a basic type"),
                    None => ("このプロパティはサーバーにありません", "the server has no such property"),
                };
                tally.find(Diagnostic::error("E-LINK-010", Place::field(&wanted.id), ja, en));
            }
        }
    }
    for word in [&source.started, &source.ended].into_iter().flatten() {
        let is_known = chosen.iter().any(|c| c.signal.address == word.at);
        let found = all.iter().find(|(f, p)| f.qualified(&p.identifier) == word.at && p.observable);
        match found.and_then(|(f, p)| Some(declare(f, p, p.basic?, None))) {
            Some(heard) if !is_known => chosen.push(Subscribed { words_only: true, ..heard }),
            Some(_) => {}
            None => tally.find(Diagnostic::error(
                "E-LINK-010",
                Place::field(&word.at),
                "このプロパティはサーバーにありません",
                "the server has no such property",
            )),
        }
    }
    if chosen.iter().all(|c| c.words_only) {
        let place = Place::field(format!("{}.property", source.name));
        return Err(fault::config(place, "購読できるプロパティがありません", "there is no property to subscribe to"));
    }
    Ok(chosen)
}

fn declare(feature: &Feature, property: &Property, basic: Basic, wanted: Option<&SilaProperty>) -> Subscribed {
    let key = wanted.and_then(|w| w.key.clone()).unwrap_or_else(|| property.identifier.clone());
    let signal = Signal {
        variable: wanted
            .and_then(|w| w.variable.clone())
            .or_else(|| toji_core::variable::find(&key).map(|(v, _)| v.id.to_string())),
        key,
        address: feature.qualified(&property.identifier),
        raw_unit: wanted.and_then(|w| w.unit.clone()).or_else(|| property.unit.clone()),
        origin: wanted.map_or(Origin::Unknown, |w| w.origin),
        sampling: Sampling::OnChange { deadband: None },
    };
    Subscribed { path: feature.subscription(&property.identifier), signal, basic, words_only: false }
}

/// Takes values until the connection ends (`Some` reason) or everything does (`None`).
async fn listen(
    source: &Sila,
    subscribed: &[Subscribed],
    mut values: Values,
    intake: &Intake,
    tally: &Arc<Tally>,
    stop: &CancellationToken,
) -> Option<String> {
    let mut told = Told::default();
    loop {
        let next = tokio::select! {
            next = values.next() => next,
            () = stop.cancelled() => return None,
        };
        let (at, value) = match next {
            Some((at, Ok(value))) => (at, value),
            Some((_, Err(status))) => return Some(status.to_string()),
            None => return Some("the server ended all subscriptions".into()),
        };
        Tally::one(&tally.messages);
        let Some(property) = subscribed.get(at) else { continue };
        let received_ns = now_ns();
        let (said, quality) = said(&value.value, property.basic);
        if quality != 0 {
            Tally::one(&tally.unread);
        }
        let mut batch = empty(source);
        let word = match &said {
            Said::Text(text) | Said::Digits(text) => text.clone(),
            Said::Number(x) => x.to_string(),
        };
        let rules = [(&source.started, MarkKind::Started), (&source.ended, MarkKind::Ended)];
        let says = marks(rules, &property.signal.address, &word);
        batch.marks.extend(says.map(|kind| Mark { t_ns: received_ns, kind, note: Some(word.clone()) }));
        if !property.words_only {
            batch.signals.push(property.signal.clone());
            batch.points.push(Point { signal: 0, t_ns: received_ns, received_ns, said, quality });
        }
        let mut batches = vec![batch];
        told.once(&mut batches);
        batches.retain(|b| !b.points.is_empty() || !b.marks.is_empty());
        if !send(intake, tally, batches).await {
            return None;
        }
    }
}

fn said(bytes: &[u8], basic: Basic) -> (Said, u16) {
    let bad = Quality::source(Status::Bad, Cause::NotANumber).pack();
    let read = match basic {
        Basic::Real => wire::Real::decode(bytes).map(|real| match real.value {
            x if x.is_finite() => (Said::Number(x), 0),
            x => (Said::Text(x.to_string()), bad),
        }),
        Basic::Integer => wire::Integer::decode(bytes).map(|n| (Said::Digits(n.value.to_string()), 0)),
        Basic::Boolean => wire::Boolean::decode(bytes).map(|b| (Said::Text(b.value.to_string()), 0)),
        Basic::String => wire::Text::decode(bytes).map(|t| (Said::Text(t.value), 0)),
    };
    read.unwrap_or_else(|_| (Said::Text(bytes.iter().map(|b| format!("{b:02x}")).collect()), bad))
}
