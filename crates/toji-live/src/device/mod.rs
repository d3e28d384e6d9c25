//! Simulated devices that speak the protocols of real ones: over a real network, with the buffer a real
//! device has, and with the faults of real ones on request. All of them say that they are simulated.
//!
//! [`feed`] is what a device measures, frame by frame; the others say it, in the words and units of one of two
//! invented makers ([`make`]), and take commands for the plant behind them ([`plant::Desk`]).

pub mod collecting;
pub mod feed;
pub mod make;
pub mod mqtt;
pub mod mqtt_command;
pub mod opcua;
pub mod plant;
pub mod sila;
pub mod sparkplug;
