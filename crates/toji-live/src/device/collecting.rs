//! The configuration with which `live collect` hears a simulated plant: written for the operator, and read
//! back by our own tests.

use super::feed::Line;
use super::sparkplug::BATCH;
use std::fmt::Write;

/// Where the devices are.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Address of the broker and of the servers.
    pub host: String,
    /// Port of the broker, when JSON is spoken.
    pub mqtt: Option<u16>,
    /// Port of the broker, when Sparkplug B is spoken.
    pub sparkplug: Option<u16>,
    /// Port of the OPC UA server.
    pub opcua: Option<u16>,
    /// Port of the first vessel's SiLA 2 server; the next vessels have the next ports.
    pub sila: Option<u16>,
}

/// Prefix of the topics, group and node of the simulated plant.
pub const PLANT: &str = "simulated";

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The configuration as TOML.
#[must_use]
pub fn config(lines: &[Line], places: &Places) -> String {
    let mut out = String::from("# Sources of the simulated plant.\n");
    if let Some(port) = places.mqtt {
        mqtt(&mut out, lines, &places.host, port);
    }
    let host = quoted(&places.host);
    if let Some(port) = places.sparkplug {
        let _ = write!(
            out,
            "\n[[sparkplug]]\nname = \"simulated-sparkplug\"\nbroker = {{ host = {host}, port = {port}, client_id = \"toji-sparkplug\" }}\n\
             group = \"{PLANT}\"\nhost_id = \"toji\"\nrun = \"{{device}}-{{batch}}\"\nbatch_metric = \"{BATCH}\"\n"
        );
    }
    if let Some(port) = places.opcua {
        let _ = write!(
            out,
            "\n[[opcua]]\nname = \"simulated-opcua\"\nurl = \"opc.tcp://{}:{port}/\"\nsampling_ms = 0.0\nevery_timestamp = true\n",
            places.host
        );
        for line in lines {
            let (run, vessel) = (quoted(&format!("{}-{}", line.vessel, line.batch)), quoted(&line.vessel));
            let browse = quoted(&format!("ns=2;s={}", line.vessel));
            let _ = write!(out, "[[opcua.run]]\nrun = {run}\nvessel = {vessel}\nsimulated = true\nbrowse = {browse}\n");
        }
    }
    if let Some(first) = places.sila {
        for (at, line) in lines.iter().enumerate() {
            let port = usize::from(first) + at;
            let (run, vessel) = (quoted(&format!("{}-{}", line.vessel, line.batch)), quoted(&line.vessel));
            let name = quoted(&format!("simulated-sila-{}", line.vessel));
            let _ = write!(
                out,
                "\n[[sila]]\nname = {name}\nhost = {host}\nport = {port}\nrun = {run}\nvessel = {vessel}\nsimulated = true\n"
            );
        }
    }
    out
}

fn mqtt(out: &mut String, lines: &[Line], host: &str, port: u16) {
    let _ = write!(
        out,
        "\n[[mqtt]]\nname = \"simulated-mqtt\"\nbroker = {{ host = {}, port = {port}, client_id = \"toji-mqtt\" }}\n\n\
         [[mqtt.topic]]\ntopic = \"{PLANT}/{{vessel}}/{{batch}}/data\"\nrun = \"{{vessel}}-{{/batch}}\"\nvessel = \"{{vessel}}\"\n\
         time = \"ts\"\ntime_format = \"unix-ms\"\nsimulated = \"simulated\"\n",
        quoted(host)
    );
    // All vessels of a plant have the same channels.
    for channel in lines.first().map(|line| line.channels.as_slice()).unwrap_or_default() {
        let _ = write!(
            out,
            "[[mqtt.topic.field]]\nfield = {}\nunit = {}\n",
            quoted(&format!("/{}", channel.key)),
            quoted(&channel.unit)
        );
        if let Some(variable) = &channel.variable {
            let _ = writeln!(out, "variable = {}", quoted(variable));
        }
        let _ = writeln!(out, "origin = {}", serde_json::to_value(channel.origin).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::device::plant::lines;
    use toji_plant::{Plant, PlantConfig, Scale};

    #[test]
    fn what_is_written_is_read() {
        let plant = Plant::new(PlantConfig::parallel("hall", toji_core::Instant(0), Scale::L1, 3), 1).unwrap();
        let places =
            Places { host: "127.0.0.1".into(), mqtt: Some(1883), sparkplug: Some(1883), opcua: Some(4840), sila: Some(50_052) };
        let config = Config::read(&config(&lines(&plant), &places)).unwrap();
        assert_eq!(config.sources().count(), 6);
        assert_eq!(config.mqtt[0].topics[0].fields.len(), 20);
        assert_eq!(config.sila[2].port, 50_054);
    }
}
