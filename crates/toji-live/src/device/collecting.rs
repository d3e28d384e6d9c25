//! The configuration with which `live collect` and `protocol run` reach a simulated plant: written for the operator,
//! and read back by our own tests. Whoever made the devices, it maps their names and units on the same keys and
//! variables, so that both become records of one schema.

use super::feed::{Channel, Line};
use super::make::{Make, Writable};
use super::{sila, sparkplug};
use crate::deed::Deed;
use std::fmt::Write;
use toji_plant::Stage;

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
    /// Do the devices take commands? Then the configuration permits them, within the devices' own ranges.
    pub commands: bool,
}

/// Prefix of the topics, group and node of the simulated plant of a maker.
#[must_use]
pub const fn plant_of(make: Make) -> &'static str {
    match make {
        Make::A => "simulated",
        Make::B => "simulated-b",
    }
}

/// Text as TOML: a basic string has the escapes of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The configuration as TOML.
#[must_use]
pub fn config(lines: &[Line], places: &Places) -> String {
    let mut out = String::from("# Sources of the simulated plant.\n");
    // All vessels of a plant have the same channels.
    let Some(first) = lines.first() else { return out };
    if let Some(port) = places.mqtt {
        mqtt(&mut out, first, places, port);
    }
    if let Some(port) = places.sparkplug {
        sparkplug(&mut out, first, places, port);
    }
    if let Some(port) = places.opcua {
        opcua(&mut out, lines, places, port);
    }
    if let Some(port) = places.sila {
        for (line, port) in lines.iter().zip(port..) {
            sila(&mut out, line, places, port);
        }
    }
    out
}

/// What the device does not say of a channel, or says in words of its own.
fn channel(out: &mut String, channel: &Channel) {
    if channel.name != channel.key {
        let _ = writeln!(out, "key = {}", quoted(&channel.name));
    }
    let _ = writeln!(out, "unit = {}", quoted(&channel.unit));
    if let Some(variable) = &channel.variable {
        let _ = writeln!(out, "variable = {}", quoted(variable));
    }
    let _ = writeln!(out, "origin = {}", serde_json::to_value(channel.origin).unwrap_or_default());
}

/// What says how far the batch is.
fn words(out: &mut String, make: Make, at: &str) {
    let at = quoted(at);
    let (started, ended) = (make.stage(Stage::Running), make.stage(Stage::Ended));
    let _ = writeln!(out, "started = {{ at = {at}, is = \"{started}\" }}\nended = {{ at = {at}, is = \"{ended}\" }}");
}

/// What may be set, and what the device does, with the tags it has for them.
fn control(out: &mut String, protocol: &str, make: Make, tag: impl Fn(&Writable) -> String, deed: impl Fn(Deed) -> String) {
    for to in make.writable() {
        let (low, high) = to.range;
        let _ = writeln!(
            out,
            "[[{protocol}.control.set]]\nvariable = {}\ntag = {}\nunit = {}\nlow = {low:?}\nhigh = {high:?}",
            quoted(to.variable),
            quoted(&tag(to)),
            quoted(to.unit)
        );
    }
    for one in Deed::ALL {
        let _ = writeln!(out, "[[{protocol}.control.do]]\ndeed = {}\n{}", quoted(one.code()), deed(one));
    }
}

fn mqtt(out: &mut String, line: &Line, places: &Places, port: u16) {
    let (make, plant) = (line.make, plant_of(line.make));
    let (batch, time, format, simulated, state, values) = match make {
        Make::A => ("/batch", "ts", "unix-ms", "simulated", "state", ""),
        Make::B => ("/lot", "time", "clock", "sim", "mode", "/values"),
    };
    let _ = writeln!(
        out,
        "\n[[mqtt]]\nname = \"{plant}-mqtt\"\nbroker = {{ host = {}, port = {port}, client_id = \"toji-collects-{plant}\" }}\ncommands = {}\n\n\
         [[mqtt.topic]]\ntopic = \"{plant}/{{vessel}}/{{batch}}/data\"\nrun = \"{{vessel}}-{{{batch}}}\"\nvessel = \"{{vessel}}\"\n\
         time = \"{time}\"\ntime_format = \"{format}\"\nsimulated = \"{simulated}\"",
        quoted(&places.host),
        places.commands
    );
    words(out, make, state);
    for one in &line.channels {
        let _ = writeln!(out, "[[mqtt.topic.field]]\nfield = {}", quoted(&format!("{values}/{}", one.key)));
        let named = Channel { key: if values.is_empty() { one.name.clone() } else { String::new() }, ..one.clone() };
        channel(out, &named);
    }
    if !places.commands {
        return;
    }
    let (set, order, number, yes, why) = match make {
        Make::A => (
            r#"{ id = "{number}", command = "set", name = "{tag}", value = "{value}", reason = "{why}" }"#,
            r#"{ id = "{number}", command = "{tag}", reason = "{why}" }"#,
            "id",
            r#"{ at = "ok", is = "true" }"#,
            "error",
        ),
        Make::B => (
            r#"{ ref = "{number}", write = { "{tag}" = "{value}" } }"#,
            r#"{ ref = "{number}", call = "{tag}" }"#,
            "ref",
            r#"{ at = "result", is = "DONE" }"#,
            "text",
        ),
    };
    let _ = writeln!(
        out,
        "[mqtt.control]\ntopic = \"{plant}/{{vessel}}/command\"\nanswer = \"{plant}/{{vessel}}/answer\"\nset_message = {set}\n\
         do_message = {order}\nanswer_number = \"{number}\"\nanswer_yes = {yes}\nanswer_why = \"{why}\""
    );
    control(out, "mqtt", make, |to| to.tag.to_owned(), |deed| format!("tag = {}", quoted(make.word(deed))));
}

fn sparkplug(out: &mut String, line: &Line, places: &Places, port: u16) {
    let plant = plant_of(line.make);
    let _ = writeln!(
        out,
        "\n[[sparkplug]]\nname = \"{plant}-sparkplug\"\nbroker = {{ host = {}, port = {port}, client_id = \"toji-hosts-{plant}\" }}\n\
         group = \"{plant}\"\nhost_id = \"toji\"\nrun = \"{{device}}-{{batch}}\"\nbatch_metric = \"{}\"",
        quoted(&places.host),
        sparkplug::BATCH
    );
    words(out, line.make, sparkplug::STATE);
    for one in &line.channels {
        let _ = writeln!(out, "[[sparkplug.metric]]\nname = {}", quoted(&one.key));
        channel(out, one);
    }
}

fn opcua(out: &mut String, lines: &[Line], places: &Places, port: u16) {
    let Some(make) = lines.first().map(|line| line.make) else { return };
    let _ = writeln!(
        out,
        "\n[[opcua]]\nname = \"{}-opcua\"\nurl = \"opc.tcp://{}:{port}/\"\nsampling_ms = 0.0\nevery_timestamp = true\ncommands = {}",
        plant_of(make),
        places.host,
        places.commands
    );
    for line in lines {
        let (run, vessel) = (quoted(&format!("{}-{}", line.vessel, line.batch)), quoted(&line.vessel));
        let _ = writeln!(out, "[[opcua.run]]\nrun = {run}\nvessel = {vessel}\nsimulated = true");
        words(out, make, &format!("ns=2;s={}.State", line.vessel));
        for one in &line.channels {
            let id = quoted(&format!("ns=2;s={}.{}", line.vessel, one.key));
            let _ = writeln!(out, "[[opcua.run.node]]\nid = {id}");
            // Without a key a node is called by its id.
            channel(out, &Channel { key: String::new(), ..one.clone() });
        }
    }
    if !places.commands {
        return;
    }
    let deed = |deed: Deed| {
        let word = make.word(deed);
        match make {
            Make::A => format!("tag = \"ns=2;s={{vessel}}.do.{word}\"\nobject = \"ns=2;s={{vessel}}\""),
            Make::B => format!("tag = \"ns=2;s={{vessel}}.CMD\"\nvalue = \"{word}\""),
        }
    };
    let _ = writeln!(out, "[opcua.control]");
    control(out, "opcua", make, |to| format!("ns=2;s={{vessel}}.{}", to.tag), deed);
}

fn sila(out: &mut String, line: &Line, places: &Places, port: u16) {
    let (run, vessel) = (quoted(&format!("{}-{}", line.vessel, line.batch)), quoted(&line.vessel));
    let name = quoted(&format!("{}-sila-{}", plant_of(line.make), line.vessel));
    let _ = writeln!(
        out,
        "\n[[sila]]\nname = {name}\nhost = {}\nport = {port}\nrun = {run}\nvessel = {vessel}\nsimulated = true\ncommands = {}",
        quoted(&places.host),
        places.commands
    );
    words(out, line.make, &sila::qualified("Property", sila::STATE));
    for one in &line.channels {
        let id = quoted(&sila::qualified("Property", &sila::identifier(&one.key)));
        let _ = writeln!(out, "[[sila.property]]\nid = {id}");
        channel(out, &Channel { key: String::new(), ..one.clone() });
    }
    if !places.commands {
        return;
    }
    let command = |name: &str| sila::qualified("Command", name);
    let _ = writeln!(out, "[sila.control]");
    let deed = |deed: Deed| format!("tag = {}", quoted(&command(&sila::identifier(line.make.word(deed)))));
    control(out, "sila", line.make, |to| command(&sila::setter(to)), deed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::device::plant::lines_of;
    use toji_plant::{Plant, PlantConfig, Scale};

    /// Key, variable and origin of everything a configuration collects from one vessel.
    type Schema = Vec<(String, Option<String>, toji_core::culture::Origin)>;

    fn read(make: Make) -> Config {
        let plant = Plant::new(PlantConfig::parallel("hall", toji_core::Instant(0), Scale::L1, 3), 1).unwrap();
        let places = Places {
            host: "127.0.0.1".into(),
            mqtt: Some(1883),
            sparkplug: Some(1883),
            opcua: Some(4840),
            sila: Some(50_052),
            commands: true,
        };
        Config::read(&config(&lines_of(&plant, make), &places)).unwrap()
    }

    fn schemas(config: &Config) -> [Schema; 4] {
        let key = |key: &Option<String>, field: &str| key.clone().unwrap_or_else(|| field.trim_start_matches('/').to_owned());
        let mqtt = &config.mqtt[0].topics[0].fields;
        let sparkplug = &config.sparkplug[0].metrics;
        let (opcua, sila) = (&config.opcua[0].runs[0].nodes, &config.sila[0].properties);
        [
            mqtt.iter().map(|f| (key(&f.key, &f.field), f.variable.clone(), f.origin)).collect(),
            sparkplug.iter().map(|f| (key(&f.key, &f.name), f.variable.clone(), f.origin)).collect(),
            opcua.iter().map(|f| (key(&f.key, &f.id), f.variable.clone(), f.origin)).collect(),
            sila.iter().map(|f| (key(&f.key, &f.id), f.variable.clone(), f.origin)).collect(),
        ]
    }

    #[test]
    fn what_is_written_is_read_and_maps_both_makers_on_one_schema() {
        let (a, b) = (read(Make::A), read(Make::B));
        for config in [&a, &b] {
            assert_eq!(config.sources().count(), 6);
            assert_eq!(config.sila[2].port, 50_054);
            assert!(config.mqtt[0].commands && config.opcua[0].commands && config.sila[0].commands);
        }
        let all: Vec<Schema> = schemas(&a).into_iter().chain(schemas(&b)).collect();
        assert_eq!(all[0].len(), 20);
        for other in &all {
            assert_eq!(*other, all[0]);
        }
        let units = |config: &Config| config.mqtt[0].topics[0].fields.iter().map(|f| f.unit.clone()).collect::<Vec<_>>();
        assert_ne!(units(&a), units(&b));
    }
}
