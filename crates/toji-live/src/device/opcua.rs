//! An OPC UA server with one object a line and one variable a channel: values with the device's own time,
//! engineering units, and the doubt of the device as status code.
//!
//! Clients that subscribe are kept for while they are away, by the queues of the server. Policy None,
//! anonymous, 127.0.0.1 unless another address is given.

use super::feed::{Channel, Frame, Line, Said};
use crate::fault;
use opcua::nodes::ObjectBuilder;
use opcua::nodes::VariableBuilder;
use opcua::server::address_space::AddressSpace;
use opcua::server::diagnostics::NamespaceMetadata;
use opcua::server::node_manager::memory::{SimpleNodeManager, simple_node_manager};
use opcua::server::{ServerBuilder, SubscriptionCache};
use opcua::types::{
    DataTypeId, DataValue, DateTime, EUInformation, ExtensionObject, LocalizedText, NodeId, ObjectId, StatusCode, Variant,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use toji_core::Result;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Namespace of the nodes.
pub const NAMESPACE: &str = "urn:toji:simulated-plant";
/// Ticks of 100 ns from 1601-01-01 to 1970-01-01.
const UNIX_TICKS: i64 = 116_444_736_000_000_000;

/// A server.
pub struct Device {
    /// Address to listen on, e.g. `127.0.0.1`.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Vessels.
    pub lines: Arc<Vec<Line>>,
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
        }
        let subscriptions = handle.subscriptions().clone();
        let serving = tokio::spawn(server.run());
        loop {
            let frame = tokio::select! {
                frame = frames.recv() => frame,
                () = stop.cancelled() => None,
            };
            let Some(frame) = frame else { break };
            self.said.frames.fetch_add(1, Ordering::Relaxed);
            self.say(&manager, &subscriptions, namespace, &frame);
            if serving.is_finished() {
                break;
            }
        }
        handle.cancel();
        match serving.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(fault::away(&name, why)),
            Err(why) => Err(toji_core::Error::bug("B-LINK-005", why)),
        }
    }

    fn builder(&self, stop: &CancellationToken) -> ServerBuilder {
        let metadata = NamespaceMetadata { namespace_uri: NAMESPACE.to_owned(), ..NamespaceMetadata::default() };
        ServerBuilder::new_anonymous("Toji simulated plant")
            .application_uri("urn:toji:simulated-server")
            .host(self.host.clone())
            .port(self.port)
            .discovery_urls(vec![format!("opc.tcp://{}:{}/", self.host, self.port)])
            .pki_dir(std::env::temp_dir().join("toji-opcua-pki"))
            .subscription_poll_interval_ms(50)
            .with_node_manager(simple_node_manager(metadata, "plant"))
            .token(stop.child_token())
    }

    fn say(&self, manager: &SimpleNodeManager, subscriptions: &SubscriptionCache, namespace: u16, frame: &Frame) {
        let Some(line) = self.lines.get(frame.line) else { return };
        let time = DateTime::from(frame.t_ns.div_euclid(100).saturating_add(UNIX_TICKS));
        let values: Vec<(NodeId, DataValue)> = frame
            .samples
            .iter()
            .filter_map(|sample| {
                let channel = line.channels.get(sample.channel)?;
                let number = sample.digits.as_deref().and_then(|digits| digits.parse::<f64>().ok());
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
        let values = values.iter().map(|(id, value)| (id, None, value.clone()));
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
    for channel in &line.channels {
        let id = node(namespace, line, channel);
        VariableBuilder::new(&id, channel.key.as_str(), channel.key.as_str())
            .data_type(DataTypeId::Double)
            .value(Variant::Empty)
            .component_of(vessel.clone())
            .insert(space);
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
