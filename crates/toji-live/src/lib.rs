//! Live connections: what a plant says now, turned into [`toji_core::live::Batch`]es and handed to a
//! [`toji_core::live::Sink`] that answers once they are durable. Only then is the source told that we have them.
//!
//! | protocol | client | simulated device |
//! | --- | --- | --- |
//! | MQTT, plain JSON | [`mqtt`] | [`device::mqtt`] |
//! | Sparkplug B | [`sparkplug`] | [`device::sparkplug`] |
//! | OPC UA | [`opcua`] | [`device::opcua`] |
//! | SiLA 2 | [`sila`] | [`device::sila`] |
//!
//! [`command`] tells instruments something, within the limits of the configuration, and [`protocol`] turns the steps
//! of a protocol into what to tell them, as a state machine without clock or connection.
//!
//! [`collect`] runs all sources of a [`config::Config`] into one sink; [`pipe`] is the bounded way in
//! between; [`forward`] keeps on disk what an edge collector cannot hand on yet; [`http`] hands it to a
//! server, and [`peer`] speaks to a server as one of its users. Reading a message is pure and apart from the connection that brought it.

pub mod clock;
pub mod collect;
pub mod command;
pub mod config;
pub mod deed;
pub mod device;
pub mod fault;
pub mod forward;
pub mod heard;
pub mod http;
pub mod merge;
pub mod mqtt;
pub mod opcua;
pub mod peer;
pub mod pipe;
pub mod protocol;
pub mod sila;
pub mod sparkplug;
pub mod tally;

pub use collect::{Collector, collect};
pub use config::Config;
pub use pipe::{Confirm, Intake, Parcel};
pub use tally::{Counts, Tally};
