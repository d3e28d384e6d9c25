//! A SiLA 2 server for one vessel: the service every SiLA server has, and a feature with one observable
//! property a channel. Plain gRPC; it keeps nothing for clients that are away, as SiLA has no such thing.

use super::feed::{Channel, Frame, Line, Said};
use crate::fault;
use crate::sila::wire::{First, Many, Nothing, Real, SERVICE, Text, text};
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
    /// Figures.
    pub said: Arc<Said>,
}

/// What the calls share.
struct Vessel {
    name: String,
    definition: String,
    /// Path of a subscription and the values behind it.
    properties: Vec<(String, broadcast::Sender<f64>)>,
}

impl Device {
    /// Serves until the frames end or until stopped.
    ///
    /// # Errors
    /// The port is taken, or there is no such vessel.
    pub async fn run(self, mut frames: mpsc::Receiver<Arc<Frame>>, stop: CancellationToken) -> Result<()> {
        let name = self.address.to_string();
        let line = self.lines.get(self.line).ok_or_else(|| fault::away(&name, "no such vessel"))?;
        let vessel = Arc::new(vessel(line));
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
                    Some(frame) if frame.line == self.line => self.say(&vessel, &frame),
                    Some(_) => {}
                    None => return Ok(()),
                },
            }
        }
    }

    fn say(&self, vessel: &Vessel, frame: &Frame) {
        self.said.frames.fetch_add(1, Ordering::Relaxed);
        for sample in &frame.samples {
            let number = sample.digits.as_deref().and_then(|digits| digits.parse::<f64>().ok());
            if let (Some(number), Some((_, values))) = (number, vessel.properties.get(sample.channel)) {
                // Nobody listening is no fault.
                let _ = values.send(number);
            }
        }
    }
}

fn vessel(line: &Line) -> Vessel {
    let service = format!("sila2.{ORIGINATOR}.{CATEGORY}.fermenter.v1.Fermenter");
    let property =
        |channel: &Channel| (format!("/{service}/Subscribe_{}", identifier(&channel.key)), broadcast::channel(BEHIND).0);
    Vessel { name: line.vessel.clone(), definition: definition(line), properties: line.channels.iter().map(property).collect() }
}

/// A SiLA identifier from a channel's name: `pH.PV` → `PhPv`.
fn identifier(key: &str) -> String {
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

/// The feature definition of a vessel.
fn definition(line: &Line) -> String {
    let property = |channel: &Channel| {
        let (key, unit) = (escape(&channel.key), escape(&channel.unit));
        format!(
            "<Property><Identifier>{}</Identifier><DisplayName>{key}</DisplayName><Description>{key}, simulated.</Description>\
             <Observable>Yes</Observable><DataType><Constrained><DataType><Basic>Real</Basic></DataType><Constraints><Unit>\
             <Label>{unit}</Label><Factor>1</Factor><Offset>0</Offset><UnitComponent><SIUnit>Dimensionless</SIUnit>\
             <Exponent>1</Exponent></UnitComponent></Unit></Constraints></Constrained></DataType></Property>",
            identifier(&channel.key)
        )
    };
    let properties: String = line.channels.iter().map(property).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Feature SiLA2Version=\"1.0\" FeatureVersion=\"1.0\" \
         Originator=\"{ORIGINATOR}\" Category=\"{CATEGORY}\" xmlns=\"http://www.sila-standard.org\">\
         <Identifier>Fermenter</Identifier><DisplayName>Fermenter</DisplayName>\
         <Description>A simulated fermenter.</Description>{properties}</Feature>"
    )
}

async fn answer(vessel: &Arc<Vessel>, request: http::Request<Body>) -> http::Response<Body> {
    let path = request.uri().path().to_owned();
    if let Some((_, values)) = vessel.properties.iter().find(|(p, _)| *p == path) {
        let values = values.subscribe();
        let mut grpc = Grpc::new(ProstCodec::<First, Nothing>::default());
        let service = tower::service_fn(move |_: Request<Nothing>| {
            let stream = BroadcastStream::new(values.resubscribe()).map(|value| match value {
                Ok(value) => Ok(First { value: Real { value }.encode_to_vec() }),
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
    use crate::sila::feature::{Basic, Feature};
    use toji_core::culture::Origin;

    #[test]
    fn the_definition_says_what_the_device_has() {
        let channel = Channel { key: "pH.PV".into(), unit: "pH".into(), variable: None, origin: Origin::Sensor };
        let line = Line { vessel: "R01".into(), batch: "B".into(), channels: vec![channel] };
        let feature = Feature::read(&definition(&line)).unwrap();
        assert_eq!(feature.properties[0].identifier, "PhPv");
        assert_eq!((feature.properties[0].basic, feature.properties[0].unit.as_deref()), (Some(Basic::Real), Some("pH")));
        assert_eq!(vessel(&line).properties[0].0, feature.subscription("PhPv"));
        assert_eq!(uuid("R01").len(), 36);
    }
}
