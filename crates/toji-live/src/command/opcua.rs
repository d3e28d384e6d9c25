//! Commands over OPC UA: writes to set-point nodes, methods, and words written to a command node.

use super::refused;
use crate::config::OpcUa;
use crate::fault;
use opcua::client::Session;
use opcua::types::{AttributeId, CallMethodRequest, DataValue, NodeId, NumericRange, StatusCode, Variant, WriteValue};
use std::sync::Arc;
use std::time::Duration;
use toji_core::{Place, Result};
use tokio::task::JoinHandle;

/// A session of its own beside the one that collects.
pub(super) struct Wire {
    session: Arc<Session>,
    polling: JoinHandle<StatusCode>,
    url: String,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

impl Wire {
    pub(super) async fn connect(source: &OpcUa, patience: Duration) -> Result<Self> {
        let (session, events) = crate::opcua::connect(source)?;
        let wire = Self { session, polling: events.spawn(), url: source.url.clone() };
        match tokio::time::timeout(patience, wire.session.wait_for_connection()).await {
            Ok(true) => Ok(wire),
            Ok(false) => Err(fault::away(&source.url, "no session")),
            Err(_) => Err(fault::away(&source.url, "no session in time")),
        }
    }

    pub(super) async fn set(&self, tag: &str, value: f64) -> Result<()> {
        self.write(tag, Variant::Double(value)).await
    }

    pub(super) async fn act(&self, tag: &str, object: Option<&str>, value: Option<&str>) -> Result<()> {
        let Some(object) = object else { return self.write(tag, Variant::from(value.unwrap_or_default())).await };
        let call = CallMethodRequest { object_id: node(object)?, method_id: node(tag)?, input_arguments: None };
        let results = self.session.call(vec![call]).await.map_err(|e| fault::away(&self.url, e))?;
        judge(tag, results.first().map(|r| r.status_code))
    }

    async fn write(&self, tag: &str, value: Variant) -> Result<()> {
        let write = WriteValue {
            node_id: node(tag)?,
            attribute_id: AttributeId::Value as u32,
            index_range: NumericRange::None,
            // Without times: servers may refuse to have them set.
            value: DataValue { value: Some(value), ..DataValue::default() },
        };
        let results = self.session.write(&[write]).await.map_err(|e| fault::away(&self.url, e))?;
        judge(tag, results.first().copied())
    }
}

fn judge(tag: &str, status: Option<StatusCode>) -> Result<()> {
    match status {
        Some(status) if status.is_good() => Ok(()),
        Some(status) => Err(refused(tag, status)),
        None => Err(fault::odd_answer(tag, "an answer without a result")),
    }
}

fn node(id: &str) -> Result<NodeId> {
    id.parse().map_err(|_| {
        fault::config(Place::field(id), "ノード ID として読めません", "not readable as a node id")
            .hint("例: ns=2;s=R07.T.SP", "for example ns=2;s=R07.T.SP")
    })
}
