//! An OPC UA server with one object a line and one variable a channel: values with the device's own time,
//! engineering units, and the doubt of the device as status code.
//!
//! Clients that subscribe are kept for while they are away, by the queues of the server. Policy None,
//! anonymous, 127.0.0.1 unless another address is given.
//!
//! With a desk the device takes commands: set-points are written to `{vessel}.{tag}`, and what it does is, for make
//! A, a method `{vessel}.do.{word}` of the vessel's object, and for make B a word written to `{vessel}.CMD`, as
//! controllers without methods have it. `{vessel}.State` says how far the batch is.

use super::feed::{Channel, Frame, Line, Said};
use super::make::{Make, Order};
use super::plant::Desk;
use crate::deed::Deed;
use crate::fault;
use opcua::nodes::{MethodBuilder, ObjectBuilder, VariableBuilder};
use opcua::server::address_space::AddressSpace;
use opcua::server::diagnostics::NamespaceMetadata;
use opcua::server::node_manager::memory::{SimpleNodeManager, simple_node_manager};
use opcua::server::{ServerBuilder, SubscriptionCache};
use opcua::types::{
    DataTypeId, DataValue, DateTime, EUInformation, ExtensionObject, LocalizedText, NodeId, ObjectId, StatusCode, Variant,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use toji_core::Result;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Namespace of the nodes.
pub const NAMESPACE: &str = "urn:toji:simulated-plant";
/// Ticks of 100 ns from 1601-01-01 to 1970-01-01.
const UNIX_TICKS: i64 = 116_444_736_000_000_000;
/// Values an item keeps for a client.
const ITEM_QUEUE: usize = 600;

/// A server.
pub struct Device {
    /// Address to listen on, e.g. `127.0.0.1`.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Vessels.
    pub lines: Arc<Vec<Line>>,
    /// The plant behind them, for a device that takes commands.
    pub desk: Option<Desk>,
    /// Figures.
    pub said: Arc<Said>,
}

impl Device {
    /// Serves until the frames end or until stopped.
    ///
    /// # Errors
    /// The server cannot be made, or the port is taken.
    pub async fn run(self, mut frames: mpsc::Receiver<Arc<Frame>>, stop: CancellationToken) -> Result<()> {
        let name = format!("opc.tcp://{}:{}", self.host, self.port);
        let (server, handle) = self.builder(&stop).build().map_err(|e| fault::away(&name, e))?;
        let missing = || fault::away(&name, "no node manager");
        let manager = handle.node_managers().get_of_type::<SimpleNodeManager>().ok_or_else(missing)?;
        let namespace = handle.get_namespace_index(NAMESPACE).ok_or_else(missing)?;
        {
            let mut space = manager.address_space().write();
            self.lines.iter().for_each(|line| declare(&mut space, namespace, line));
            if self.desk.is_some() {
                self.lines.iter().for_each(|line| declare_commands(&mut space, namespace, line));
            }
        }
        if let Some(desk) = &self.desk {
            self.lines.iter().enumerate().for_each(|(at, line)| listen(&manager, namespace, at, line, desk));
        }
        let subscriptions = handle.subscriptions().clone();
        // Nobody is let in before every vessel has said something: a node without a value is sampled as of now, and
        // what a device whose clock is behind ours says later would be held back as older.
        let mut silent: BTreeSet<usize> = (0..self.lines.len()).collect();
        let mut waiting = Some(server);
        let mut serving = None;
        loop {
            if silent.is_empty()
                && let Some(server) = waiting.take()
            {
                serving = Some(tokio::spawn(server.run()));
            }
            let frame = tokio::select! {
                frame = frames.recv() => frame,
                () = stop.cancelled() => None,
            };
            let Some(frame) = frame else { break };
            self.said.frames.fetch_add(1, Ordering::Relaxed);
            self.say(&manager, &subscriptions, namespace, &frame);
            silent.remove(&frame.line);
            if serving.as_ref().is_some_and(JoinHandle::is_finished) {
                break;
            }
        }
        let Some(serving) = serving else { return Ok(()) };
        handle.cancel();
        match serving.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(fault::away(&name, why)),
            Err(why) => Err(toji_core::Error::bug("B-LINK-005", why)),
        }
    }

    fn builder(&self, stop: &CancellationToken) -> ServerBuilder {
        let metadata = NamespaceMetadata { namespace_uri: NAMESPACE.to_owned(), ..NamespaceMetadata::default() };
        let mut server = ServerBuilder::new_anonymous("Toji simulated plant")
            .application_uri("urn:toji:simulated-server")
            .host(self.host.clone())
            .port(self.port)
            .discovery_urls(vec![format!("opc.tcp://{}:{}/", self.host, self.port)])
            .pki_dir(std::env::temp_dir().join("toji-opcua-pki"))
            .subscription_poll_interval_ms(50)
            .with_node_manager(simple_node_manager(metadata, "plant"))
            .token(stop.child_token());
        // Faster than the clock many values fall between two publications.
        server.limits_mut().subscriptions.max_monitored_item_queue_size = ITEM_QUEUE;
        server
    }

    fn say(&self, manager: &SimpleNodeManager, subscriptions: &SubscriptionCache, namespace: u16, frame: &Frame) {
        let Some(line) = self.lines.get(frame.line) else { return };
        let time = DateTime::from(frame.t_ns.div_euclid(100).saturating_add(UNIX_TICKS));
        let values: Vec<(NodeId, DataValue)> = frame
            .samples
            .iter()
            .filter_map(|sample| {
                let channel = line.channels.get(sample.channel)?;
                let number = sample.digits.as_deref().and_then(|digits| channel.print(digits).parse::<f64>().ok());
                let status = match (number, sample.good) {
                    (None, _) => StatusCode::BadSensorFailure,
                    (Some(_), false) => StatusCode::UncertainSensorNotAccurate,
                    (Some(_), true) => StatusCode::Good,
                };
                let value = DataValue {
                    value: Some(number.map_or(Variant::Empty, Variant::Double)),
                    status: Some(status),
                    source_timestamp: Some(time),
                    server_timestamp: Some(DateTime::now()),
                    ..DataValue::default()
                };
                Some((node(namespace, line, channel), value))
            })
            .collect();
        let state = frame.stage.map(|stage| {
            let value = DataValue {
                value: Some(Variant::from(line.stage_word(stage))),
                status: Some(StatusCode::Good),
                source_timestamp: Some(time),
                server_timestamp: Some(DateTime::now()),
                ..DataValue::default()
            };
            (NodeId::new(namespace, format!("{}.State", line.vessel)), value)
        });
        let values = values.iter().chain(&state).map(|(id, value)| (id, None, value.clone()));
        if let Err(status) = manager.set_values(subscriptions, values) {
            tracing::warn!("values not set: {status}");
        }
    }
}

fn node(namespace: u16, line: &Line, channel: &Channel) -> NodeId {
    NodeId::new(namespace, format!("{}.{}", line.vessel, channel.key))
}

fn declare(space: &mut AddressSpace, namespace: u16, line: &Line) {
    let vessel = NodeId::new(namespace, line.vessel.clone());
    ObjectBuilder::new(&vessel, line.vessel.as_str(), line.vessel.as_str()).organized_by(ObjectId::ObjectsFolder).insert(space);
    VariableBuilder::new(&NodeId::new(namespace, format!("{}.State", line.vessel)), "State", "State")
        .data_type(DataTypeId::String)
        .value(Variant::Empty)
        .component_of(vessel.clone())
        .insert(space);
    for channel in &line.channels {
        let id = node(namespace, line, channel);
        let variable = VariableBuilder::new(&id, channel.key.as_str(), channel.key.as_str())
            .data_type(DataTypeId::Double)
            .value(Variant::Empty)
            .component_of(vessel.clone());
        // Some set-points are measured too: the same node is read and written.
        let is_writable = line.make.writable().iter().any(|w| w.tag == channel.key);
        let _ = if is_writable { variable.writable().insert(space) } else { variable.insert(space) };
        let unit = EUInformation {
            namespace_uri: "http://www.opcfoundation.org/UA/units/un/cefact".into(),
            unit_id: -1,
            display_name: LocalizedText::from(channel.unit.as_str()),
            description: LocalizedText::null(),
        };
        VariableBuilder::new(
            &NodeId::new(namespace, format!("{}.{}.EU", line.vessel, channel.key)),
            "EngineeringUnits",
            "EngineeringUnits",
        )
        .data_type(DataTypeId::EUInformation)
        .value(ExtensionObject::from_message(unit))
        .property_of(id)
        .insert(space);
    }
}

/// Set-points that nothing measures, and what the device does.
fn declare_commands(space: &mut AddressSpace, namespace: u16, line: &Line) {
    let vessel = NodeId::new(namespace, line.vessel.clone());
    for to in line.make.writable().iter().filter(|w| !line.channels.iter().any(|c| c.key == w.tag)) {
        VariableBuilder::new(&NodeId::new(namespace, format!("{}.{}", line.vessel, to.tag)), to.tag, to.tag)
            .data_type(DataTypeId::Double)
            .value(Variant::Empty)
            .component_of(vessel.clone())
            .writable()
            .insert(space);
    }
    match line.make {
        Make::A => {
            for deed in Deed::ALL {
                let word = line.make.word(deed);
                MethodBuilder::new(&method(namespace, line, word), word, word)
                    .component_of(vessel.clone())
                    .executable(true)
                    .user_executable(true)
                    .insert(space);
            }
        }
        Make::B => {
            VariableBuilder::new(&word_node(namespace, line), "CMD", "CMD")
                .data_type(DataTypeId::String)
                .value(Variant::from(""))
                .component_of(vessel)
                .writable()
                .insert(space);
        }
    }
}

fn method(namespace: u16, line: &Line, word: &str) -> NodeId {
    NodeId::new(namespace, format!("{}.do.{word}", line.vessel))
}

fn word_node(namespace: u16, line: &Line) -> NodeId {
    NodeId::new(namespace, format!("{}.CMD", line.vessel))
}

/// What a client is told of an order; the plant answers while the client waits.
fn told(desk: &Desk, at: usize, make: Make, order: &Order) -> StatusCode {
    match desk.order(at, make, order, None) {
        Ok(()) => StatusCode::Good,
        Err(refused) => match refused.code() {
            "E-PLANT-002" => StatusCode::BadOutOfRange,
            "E-DEVICE-001" => StatusCode::BadInvalidArgument,
            _ => StatusCode::BadInvalidState,
        },
    }
}

fn number(value: &DataValue) -> Option<f64> {
    match value.value.as_ref()? {
        Variant::Double(x) => Some(*x),
        Variant::Float(x) => Some(f64::from(*x)),
        _ => None,
    }
}

/// Hears set-points, methods and words of one vessel.
fn listen(manager: &SimpleNodeManager, namespace: u16, at: usize, line: &Line, desk: &Desk) {
    let make = line.make;
    for to in make.writable() {
        let (desk, tag) = (desk.clone(), to.tag.to_owned());
        let id = NodeId::new(namespace, format!("{}.{tag}", line.vessel));
        manager.inner().add_write_callback(id, move |value, _| match number(&value) {
            Some(value) => told(&desk, at, make, &Order::Set { tag: tag.clone(), value }),
            None => StatusCode::BadTypeMismatch,
        });
    }
    match make {
        Make::A => {
            for deed in Deed::ALL {
                let (desk, word) = (desk.clone(), make.word(deed).to_owned());
                let id = method(namespace, line, &word);
                manager.inner().add_method_callback(id, move |_| {
                    match told(&desk, at, make, &Order::Do { word: word.clone() }) {
                        StatusCode::Good => Ok(Vec::new()),
                        refused => Err(refused),
                    }
                });
            }
        }
        Make::B => {
            let desk = desk.clone();
            manager.inner().add_write_callback(word_node(namespace, line), move |value, _| match value.value {
                Some(Variant::String(word)) => told(&desk, at, make, &Order::Do { word: word.as_ref().to_owned() }),
                _ => StatusCode::BadTypeMismatch,
            });
        }
    }
}
