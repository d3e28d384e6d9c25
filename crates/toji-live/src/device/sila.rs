//! A SiLA 2 server for one vessel: the service every SiLA server has, and a feature with one observable
//! property a channel and one for how far the batch is. Plain gRPC; it keeps nothing for clients that are away,
//! as SiLA has no such thing.
//!
//! With a desk the feature has commands too, unobservable ones as they are done at once: `Set…` with one Real for
//! every set-point that may be written, and one without parameters for everything it does. What it refuses is the
//! defined execution error `Refused`; a missing parameter is a validation error, as the standard says.

use super::feed::{Channel, Frame, Line, Said};
use super::make::{Order, Writable};
use super::plant::Desk;
use crate::deed::Deed;
use crate::fault;
use crate::sila::wire::{First, Many, Nothing, Parameter, Real, SERVICE, SilaErrorKind, Text, Told, aborted, text};
use futures::StreamExt;
use futures::stream::BoxStream;
use prost::Message;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use toji_core::Result;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// Originator and category of the feature, which is simulated like everything behind it.
const ORIGINATOR: &str = "bio.toji";
const CATEGORY: &str = "simulation";
/// Values a slow client may fall behind.
const BEHIND: usize = 4_096;

/// A server.
pub struct Device {
    /// Address to listen on.
    pub address: SocketAddr,
    /// Vessels; this one is `line`.
    pub lines: Arc<Vec<Line>>,
    /// Which of them.
    pub line: usize,
    /// The plant behind it, for a device that takes commands.
    pub desk: Option<Desk>,
    /// Figures.
    pub said: Arc<Said>,
}

/// What the calls share.
struct Vessel {
    name: String,
    definition: String,
    /// Path of a subscription and the encoded values behind it; the last is the state.
    properties: Vec<(String, broadcast::Sender<Vec<u8>>)>,
    /// Path of a command and what it orders.
    commands: Vec<(String, Ordered)>,
    desk: Option<(Desk, usize, super::make::Make)>,
}

/// What a command orders.
#[derive(Debug, Clone)]
enum Ordered {
    /// A set-point with this tag, to the parameter.
    Set(String),
    /// A deed by this word.
    Do(String),
}

/// The property that says how far the batch is.
pub const STATE: &str = "State";

impl Device {
    /// Serves until the frames end or until stopped.
    ///
    /// # Errors
    /// The port is taken, or there is no such vessel.
    pub async fn run(self, mut frames: mpsc::Receiver<Arc<Frame>>, stop: CancellationToken) -> Result<()> {
        let name = self.address.to_string();
        let line = self.lines.get(self.line).ok_or_else(|| fault::away(&name, "no such vessel"))?;
        let desk = self.desk.clone().map(|desk| (desk, self.line, line.make));
        let vessel = Arc::new(vessel(line, desk));
        let shared = vessel.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let vessel = shared.clone();
            async move { Ok::<_, Infallible>(answer(&vessel, request).await) }
        });
        let end = stop.child_token();
        let serving = Server::builder().serve_with_shutdown(self.address, service, end.clone().cancelled_owned());
        tokio::pin!(serving);
        loop {
            tokio::select! {
                served = &mut serving => return served.map_err(|e| fault::away(&name, e)),
                frame = frames.recv() => match frame {
                    Some(frame) if frame.line == self.line => self.say(line, &vessel, &frame),
                    Some(_) => {}
                    None => return Ok(()),
                },
            }
        }
    }

    fn say(&self, line: &Line, vessel: &Vessel, frame: &Frame) {
        self.said.frames.fetch_add(1, Ordering::Relaxed);
        for sample in &frame.samples {
            let Some(channel) = line.channels.get(sample.channel) else { continue };
            let number = sample.digits.as_deref().and_then(|digits| channel.print(digits).parse::<f64>().ok());
            if let (Some(value), Some((_, values))) = (number, vessel.properties.get(sample.channel)) {
                // Nobody listening is no fault.
                let _ = values.send(Real { value }.encode_to_vec());
            }
        }
        if let (Some(stage), Some((_, values))) = (frame.stage, vessel.properties.last()) {
            let _ = values.send(Text { value: line.stage_word(stage).to_owned() }.encode_to_vec());
        }
    }
}

/// Name of the gRPC service of the feature.
fn service() -> String {
    format!("sila2.{ORIGINATOR}.{CATEGORY}.fermenter.v1.Fermenter")
}

/// Fully qualified identifier of something of the feature, e.g. of `Command`, `Stop`.
#[must_use]
pub fn qualified(sort: &str, name: &str) -> String {
    format!("{ORIGINATOR}/{CATEGORY}/Fermenter/v1/{sort}/{name}")
}

/// Identifier of the command that writes a set-point.
#[must_use]
pub fn setter(to: &Writable) -> String {
    format!("Set{}", identifier(to.tag))
}

fn vessel(line: &Line, desk: Option<(Desk, usize, super::make::Make)>) -> Vessel {
    let service = service();
    let property = |name: &str| (format!("/{service}/Subscribe_{name}"), broadcast::channel(BEHIND).0);
    let properties = line.channels.iter().map(|c| property(&identifier(&c.key))).chain([property(STATE)]).collect();
    let mut commands = Vec::new();
    if desk.is_some() {
        let sets = line.make.writable().iter().map(|to| (format!("/{service}/{}", setter(to)), Ordered::Set(to.tag.to_owned())));
        let words = Deed::ALL.into_iter().map(|deed| line.make.word(deed));
        let deeds = words.map(|word| (format!("/{service}/{}", identifier(word)), Ordered::Do(word.to_owned())));
        commands.extend(sets.chain(deeds));
    }
    Vessel { name: line.vessel.clone(), definition: definition(line, desk.is_some()), properties, commands, desk }
}

/// A SiLA identifier from a channel's name: `pH.PV` → `PhPv`.
#[must_use]
pub fn identifier(key: &str) -> String {
    let words = key.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    let word = |w: &str| {
        let (first, rest) = w.split_at(1);
        format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
    };
    words.map(word).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A real number with a unit, as a data type.
fn real(unit: &str) -> String {
    format!(
        "<DataType><Constrained><DataType><Basic>Real</Basic></DataType><Constraints><Unit>\
         <Label>{}</Label><Factor>1</Factor><Offset>0</Offset><UnitComponent><SIUnit>Dimensionless</SIUnit>\
         <Exponent>1</Exponent></UnitComponent></Unit></Constraints></Constrained></DataType>",
        escape(unit)
    )
}

/// The feature definition of a vessel.
fn definition(line: &Line, commands: bool) -> String {
    let property = |channel: &Channel| {
        let key = escape(&channel.key);
        format!(
            "<Property><Identifier>{}</Identifier><DisplayName>{key}</DisplayName><Description>{key}, simulated.</Description>\
             <Observable>Yes</Observable>{}</Property>",
            identifier(&channel.key),
            real(&channel.unit)
        )
    };
    let mut properties: String = line.channels.iter().map(property).collect();
    properties.push_str(&format!(
        "<Property><Identifier>{STATE}</Identifier><DisplayName>State</DisplayName><Description>How far the batch is.\
         </Description><Observable>Yes</Observable><DataType><Basic>String</Basic></DataType></Property>"
    ));
    if commands {
        properties = format!("{}{properties}", definition_of_commands(line));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Feature SiLA2Version=\"1.0\" FeatureVersion=\"1.0\" \
         Originator=\"{ORIGINATOR}\" Category=\"{CATEGORY}\" xmlns=\"http://www.sila-standard.org\">\
         <Identifier>Fermenter</Identifier><DisplayName>Fermenter</DisplayName>\
         <Description>A simulated fermenter.</Description>{properties}</Feature>"
    )
}

/// The commands and the error they may end with.
fn definition_of_commands(line: &Line) -> String {
    let command = |name: &str, parameter: &str| {
        format!(
            "<Command><Identifier>{name}</Identifier><DisplayName>{name}</DisplayName><Description>{name}, simulated.\
             </Description><Observable>No</Observable>{parameter}<DefinedExecutionErrors><Identifier>Refused</Identifier>\
             </DefinedExecutionErrors></Command>"
        )
    };
    let set = |to: &Writable| {
        let value = format!(
            "<Parameter><Identifier>Value</Identifier><DisplayName>Value</DisplayName><Description>Set-point.</Description>{}\
             </Parameter>",
            real(to.unit)
        );
        command(&setter(to), &value)
    };
    let sets: String = line.make.writable().iter().map(set).collect();
    let deeds: String = Deed::ALL.into_iter().map(|deed| command(&identifier(line.make.word(deed)), "")).collect();
    format!(
        "{sets}{deeds}<DefinedExecutionError><Identifier>Refused</Identifier><DisplayName>Refused</DisplayName>\
         <Description>The fermenter does not do it.</Description></DefinedExecutionError>"
    )
}

/// What a command ends with.
fn done(vessel: &Vessel, name: &str, ordered: &Ordered, parameters: &Parameter) -> std::result::Result<Nothing, Status> {
    let Some((desk, at, make)) = &vessel.desk else { return Err(Status::unimplemented(name)) };
    let order = match ordered {
        Ordered::Do(word) => Order::Do { word: word.clone() },
        Ordered::Set(tag) => {
            let missing = || {
                let identifier = format!("{}/Parameter/Value", qualified("Command", name));
                aborted(SilaErrorKind::Validation(Told { identifier, message: "a real number is needed".into() }))
            };
            let encoded = parameters.value.as_deref().ok_or_else(missing)?;
            let value = Real::decode(encoded).map_err(|_| missing())?.value;
            Order::Set { tag: tag.clone(), value }
        }
    };
    desk.order(*at, *make, &order, None).map(|()| Nothing {}).map_err(|refused| {
        let identifier = qualified("DefinedExecutionError", "Refused");
        aborted(SilaErrorKind::Defined(Told { identifier, message: refused.fault().message.en.clone() }))
    })
}

async fn answer(vessel: &Arc<Vessel>, request: http::Request<Body>) -> http::Response<Body> {
    let path = request.uri().path().to_owned();
    if let Some((path, ordered)) = vessel.commands.iter().find(|(p, _)| *p == path).cloned() {
        let vessel = vessel.clone();
        let service = tower::service_fn(move |request: Request<Parameter>| {
            let name = path.rsplit('/').next().unwrap_or_default();
            let done = done(&vessel, name, &ordered, request.get_ref()).map(Response::new);
            async move { done }
        });
        return Grpc::new(ProstCodec::<Nothing, Parameter>::default()).unary(service, request).await;
    }
    if let Some((_, values)) = vessel.properties.iter().find(|(p, _)| *p == path) {
        let values = values.subscribe();
        let mut grpc = Grpc::new(ProstCodec::<First, Nothing>::default());
        let service = tower::service_fn(move |_: Request<Nothing>| {
            let stream = BroadcastStream::new(values.resubscribe()).map(|value| match value {
                Ok(value) => Ok(First { value }),
                Err(behind) => Err(Status::data_loss(behind.to_string())),
            });
            let stream: BoxStream<'static, std::result::Result<First, Status>> = stream.boxed();
            async move { Ok::<_, Status>(Response::new(stream)) }
        });
        return grpc.server_streaming(service, request).await;
    }
    let Some(call) = path.strip_prefix('/').and_then(|p| p.strip_prefix(SERVICE)).and_then(|p| p.strip_prefix('/')) else {
        return Status::unimplemented(path).into_http();
    };
    if call == "Get_ImplementedFeatures" {
        let id = format!("{ORIGINATOR}/{CATEGORY}/Fermenter/v1");
        let ids = vec![Text { value: id }.encode_to_vec()];
        let service = tower::service_fn(move |_: Request<Nothing>| {
            let many = Many { values: ids.clone() };
            async move { Ok::<_, Status>(Response::new(many)) }
        });
        return Grpc::new(ProstCodec::<Many, Nothing>::default()).unary(service, request).await;
    }
    let said = match call {
        "GetFeatureDefinition" => vessel.definition.clone(),
        "Get_ServerName" => vessel.name.clone(),
        "Get_ServerType" => "SimulatedFermenter".to_owned(),
        "Get_ServerUUID" => uuid(&vessel.name),
        "Get_ServerDescription" => "A simulated fermenter".to_owned(),
        "Get_ServerVersion" => "1.0".to_owned(),
        "Get_ServerVendorURL" => "http://127.0.0.1".to_owned(),
        _ => return Status::unimplemented(path).into_http(),
    };
    let service = tower::service_fn(move |_: Request<First>| {
        let said = text(&said);
        async move { Ok::<_, Status>(Response::new(said)) }
    });
    Grpc::new(ProstCodec::<First, First>::default()).unary(service, request).await
}

/// A UUID that stays the same for a name.
fn uuid(name: &str) -> String {
    let hash = |salt: u32| crc32fast::hash(format!("{salt}/{name}").as_bytes());
    let (a, b, c, d) = (hash(1), hash(2), hash(3), hash(4));
    format!("{a:08x}-{:04x}-4{:03x}-8{:03x}-{c:08x}{:04x}", b >> 16, b & 0xfff, d & 0xfff, d >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::make::Make;
    use crate::sila::feature::{Basic, Feature};

    #[test]
    fn the_definition_says_what_the_device_has() {
        let line = Line { vessel: "R01".into(), batch: "B".into(), make: Make::A, channels: vec![Channel::plain("pH.PV", "pH")] };
        let feature = Feature::read(&definition(&line, true)).unwrap();
        assert_eq!(feature.properties[0].identifier, "PhPv");
        assert_eq!((feature.properties[0].basic, feature.properties[0].unit.as_deref()), (Some(Basic::Real), Some("pH")));
        assert_eq!(feature.properties[1].basic, Some(Basic::String));
        assert_eq!(vessel(&line, None).properties[0].0, feature.subscription("PhPv"));
        assert!(vessel(&line, None).commands.is_empty(), "nothing is taken without a desk");
        assert_eq!(uuid("R01").len(), 36);
    }
}
