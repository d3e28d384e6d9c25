//! Commands over every protocol to devices of both makers: done once, refused in words, never beyond the limits; and
//! the end of a batch, heard wherever it is said.

use crate::memory::Memory;
use crate::server::{Mosquitto, Python, free_port};
use std::sync::Arc;
use toji_core::live::{MarkKind, Sink};
use toji_core::{Category, Unit};
use toji_live::command::{Board, Instrument, connect};
use toji_live::config::Broker;
use toji_live::deed::Deed;
use toji_live::device::collecting::{Places, config, plant_of};
use toji_live::device::feed::{Faults, Said};
use toji_live::device::make::Make;
use toji_live::device::plant::{Desk, Pace, lines_of, pass};
use toji_live::device::{mqtt, mqtt_command, opcua, sila, sparkplug};
use toji_live::{Collector, Config, collect};
use toji_plant::{Plant, PlantConfig, Recipe, Scale, SignalId, Stage};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A plant that waits for commands, with devices of one maker before it, speaking everything there is a way for.
struct Rig {
    desk: Desk,
    config: Config,
    stop: CancellationToken,
    _broker: Option<Mosquitto>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn rig(make: Make, speed: f64) -> Rig {
    let broker = Mosquitto::start();
    let mut plant = PlantConfig::parallel("hall", toji_live::device::plant::present(), Scale::L1, 2);
    plant.reactors.iter_mut().for_each(|r| r.recipe = Recipe::waiting());
    let desk = Desk::new(Plant::new(plant, 1).unwrap());
    let lines = desk.with(|plant| lines_of(plant, make));
    let stop = CancellationToken::new();
    let port = broker.as_ref().map(|b| b.port);
    let places = Places {
        host: "127.0.0.1".into(),
        mqtt: port,
        sparkplug: port,
        opcua: Some(free_port()),
        sila: Some(free_port()),
        commands: true,
    };
    let (said, mut frames) = (Arc::new(Said::default()), Vec::new());
    let mut feed = || {
        let (sender, receiver) = mpsc::channel(1_000);
        frames.push(sender);
        receiver
    };
    if let Some(port) = port {
        let broker = |id: &str| Broker {
            host: "127.0.0.1".into(),
            port,
            client_id: id.into(),
            user: None,
            password_file: None,
            keep_alive_s: 5,
        };
        let prefix = plant_of(make).to_owned();
        let ear = mqtt_command::Ear { broker: broker("ear"), prefix: prefix.clone(), lines: lines.clone(), desk: desk.clone() };
        tokio::spawn(ear.run(stop.clone()));
        let publisher = mqtt::Publisher {
            broker: broker("mouth"),
            prefix: prefix.clone(),
            lines: lines.clone(),
            buffer: 10_000,
            overlap: 10,
            faults: Faults::default(),
            said: said.clone(),
            acknowledged: None,
        };
        tokio::spawn(publisher.run(feed(), stop.clone()));
        let edge = sparkplug::Edge {
            broker: broker("edge"),
            group: prefix.clone(),
            node: prefix,
            host: Some("toji".into()),
            lines: lines.clone(),
            buffer: 10_000,
            overlap: 10,
            faults: Faults::default(),
            said: said.clone(),
        };
        tokio::spawn(edge.run(feed(), stop.clone()));
    }
    let server = opcua::Device {
        host: "127.0.0.1".into(),
        port: places.opcua.unwrap(),
        lines: lines.clone(),
        desk: Some(desk.clone()),
        said: said.clone(),
    };
    tokio::spawn(server.run(feed(), stop.clone()));
    let address = ([127, 0, 0, 1], places.sila.unwrap()).into();
    let server = sila::Device { address, lines: lines.clone(), line: 0, desk: Some(desk.clone()), said };
    tokio::spawn(server.run(feed(), stop.clone()));
    let config = Config::read(&toji_config(&config(&lines, &places))).unwrap();
    let (driven, until) = (desk.clone(), stop.clone());
    let pace = Pace { period_s: 1.0, speed, lasts_s: 1e9 };
    tokio::spawn(async move { pass(&driven, pace, frames, until, |_| {}).await });
    Rig { desk, config, stop, _broker: broker }
}

/// Only the first vessel has a SiLA server here.
fn toji_config(text: &str) -> String {
    let keep = |part: &&&str| !part.contains("-sila-R02\"");
    let parts: Vec<&str> = text.split("\n[[sila]]").collect();
    let (head, servers) = parts.split_first().unwrap();
    let servers: String = servers.iter().filter(keep).map(|s| format!("\n[[sila]]{s}")).collect();
    format!("{head}{servers}")
}

fn sources(rig: &Rig) -> Vec<String> {
    let takes_commands = |name: &&str| !name.contains("sparkplug");
    rig.config.sources().filter(takes_commands).map(str::to_owned).collect()
}

async fn instrument(rig: &Rig, source: &str) -> Box<dyn Instrument> {
    let board = Board::new(Arc::new(Memory::default()), source, "R01");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        match connect(&rig.config, source, "R01", board.clone()).await {
            Ok(instrument) => return instrument,
            // The server may not listen yet.
            Err(error) => assert!(std::time::Instant::now() < until, "{error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// A set-point of the plant, in the plant's unit.
fn setpoint(rig: &Rig, signal: SignalId) -> f64 {
    rig.desk.with(|plant| {
        plant.step(1.0);
        plant.read(0)[signal.index()].value.unwrap()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_makers_do_what_they_are_told_over_every_protocol() {
    let (cel, per_min, ml_per_h) = (Unit::parse("Cel").unwrap(), Unit::parse("/min").unwrap(), Unit::parse("mL/h").unwrap());
    for make in [Make::A, Make::B] {
        let rig = rig(make, 1.0).await;
        let sources = sources(&rig);
        for (source, value) in sources.iter().zip([30.0, 31.5, 33.25]) {
            let instrument = instrument(&rig, source).await;
            assert_eq!((instrument.describe().ranges.len(), instrument.describe().deeds.len()), (5, 6));
            let done = instrument.set("temperature", value, &cel, "test").await.unwrap_or_else(|e| panic!("{source}: {e}"));
            assert!((setpoint(&rig, SignalId::TemperatureSetpoint) - value).abs() < 0.006, "{source}: {}", done.told);
            // Zero is a value like others.
            instrument.set("feed-rate", 0.0, &ml_per_h, "test").await.unwrap_or_else(|e| panic!("{source}: {e}"));
            instrument.set("stirrer-speed", 600.0, &per_min, "test").await.unwrap();
            assert_eq!(setpoint(&rig, SignalId::AgitationSetpoint), 600.0, "{source}");
            instrument.act(Deed::CascadeOn, "test").await.unwrap();
            // Outside the limits nothing goes out, whatever the instrument would say.
            let before = setpoint(&rig, SignalId::TemperatureSetpoint);
            let error = instrument.set("temperature", 46.0, &cel, "test").await.unwrap_err();
            assert_eq!((error.code(), error.category()), ("E-COMMAND-003", Category::Input), "{error}");
            assert_eq!(setpoint(&rig, SignalId::TemperatureSetpoint), before);
        }
        // The first inoculates; the others are told by the instrument that it is done already.
        for (i, source) in sources.iter().enumerate() {
            let instrument = instrument(&rig, source).await;
            let answer = instrument.start("test").await;
            match (i, answer) {
                (0, answer) => drop(answer.unwrap()),
                (_, Ok(done)) => panic!("{source} inoculated again: {done:?}"),
                (_, Err(error)) => {
                    assert_eq!((error.code(), error.category()), ("E-COMMAND-005", Category::Conflict), "{source}: {error}");
                }
            }
            assert_eq!(rig.desk.with(|plant| (plant.stage(0), plant.stage(1))), (Some(Stage::Running), Some(Stage::Ready)));
        }
        instrument(&rig, &sources[0]).await.stop("test").await.unwrap();
        assert_eq!(rig.desk.with(|plant| plant.stage(0)), Some(Stage::Ended));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_batch_is_heard_over_every_protocol_and_once() {
    for make in [Make::A, Make::B] {
        let rig = rig(make, 20.0).await;
        let memory = Arc::new(Memory::default());
        let (collector, sink) = (Collector::new(&rig.config), memory.clone());
        let (config, token) = (rig.config.clone(), rig.stop.clone());
        let collecting = tokio::spawn(async move { collect(config, &collector, &*sink, None, &token).await });
        // Every source says the run under the same name; a mark of each is counted.
        let protocols = if rig.config.mqtt.is_empty() { 2 } else { 4 };
        let of = |kind: MarkKind| {
            move |k: &crate::memory::Kept| k.marks.iter().filter(|(run, m)| run.starts_with("R01") && *m == kind).count()
        };
        memory.wait("readings", |k| k.points.keys().filter(|at| at.0.starts_with("R01")).count() > 1_000).await;
        assert_eq!(memory.look(of(MarkKind::Started)) + memory.look(of(MarkKind::Ended)), 0);
        rig.desk.with(|plant| plant.command(0, toji_plant::Command::Inoculate, None)).unwrap();
        memory.wait("the beginning", |k| of(MarkKind::Started)(k) == protocols).await;
        rig.desk.with(|plant| plant.command(0, toji_plant::Command::Stop, None)).unwrap();
        memory.wait("the end", |k| of(MarkKind::Ended)(k) == protocols).await;
        // Said with every frame, marked once: ten more frames change nothing.
        let points = memory.look(|k| k.times_said);
        memory.wait("more readings", |k| k.times_said > points + 10 * protocols * 40).await;
        assert_eq!(memory.look(of(MarkKind::Ended)), protocols, "{make:?}");
        rig.stop.cancel();
        collecting.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instrument_that_does_not_answer_is_not_told_twice() {
    let Some(broker) = Mosquitto::start() else { return };
    let text = format!(
        r#"
[[mqtt]]
name = "hall"
broker = {{ host = "127.0.0.1", port = {}, client_id = "toji" }}
commands = true
topic = [{{ topic = "hall/{{vessel}}/data", run = "{{vessel}}", others = true }}]
[mqtt.control]
timeout_s = 1.0
topic = "hall/{{vessel}}/command"
answer = "hall/{{vessel}}/answer"
do_message = {{ id = "{{number}}", order = "{{tag}}" }}
[[mqtt.control.do]]
deed = "stop"
tag = "stop"
"#,
        broker.port
    );
    let config = Config::read(&text).unwrap();
    // Somebody who listens and says nothing.
    let mut options = rumqttc::MqttOptions::new("listener", "127.0.0.1", broker.port);
    options.set_clean_session(true);
    let (client, mut events) = rumqttc::AsyncClient::new(options, 10);
    client.subscribe("hall/R01/command", rumqttc::QoS::AtLeastOnce).await.unwrap();
    let heard = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (counted, (ready, mut is_ready)) = (heard.clone(), mpsc::channel::<()>(1));
    tokio::spawn(async move {
        while let Ok(event) = events.poll().await {
            match event {
                rumqttc::Event::Incoming(rumqttc::Packet::SubAck(_)) => drop(ready.try_send(())),
                rumqttc::Event::Incoming(rumqttc::Packet::Publish(_)) => {
                    counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                }
                _ => {}
            }
        }
    });
    is_ready.recv().await.unwrap();
    let sink: Arc<dyn Sink> = Arc::new(Memory::default());
    let instrument = connect(&config, "hall", "R01", Board::new(sink, "hall", "R01")).await.unwrap();
    let error = instrument.stop("test").await.unwrap_err();
    assert_eq!((error.code(), error.category()), ("E-COMMAND-006", Category::Storage), "{error}");
    assert!(error.fault().hint.is_some());
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(heard.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sila_server_of_another_house_is_told_and_its_errors_are_read() {
    let Some(server) = Python::start("sila_server.py", "sila2") else { return };
    let feature = "org.example/bioreactor/Fermenter/v1/Command";
    let text = format!(
        r#"
[[sila]]
name = "reactor"
host = "127.0.0.1"
port = {}
run = "R07-B1"
vessel = "R07"
commands = true
[sila.control]
set = [{{ variable = "temperature", tag = "{feature}/SetTemperature", unit = "Cel", low = 0.0, high = 60.0 }},
       {{ variable = "ph", tag = "{feature}/SetPh", unit = "[pH]", low = 0.0, high = 14.0 }}]
do = [{{ deed = "stop", tag = "{feature}/Stop" }}]
"#,
        server.port
    );
    let config = Config::read(&text).unwrap();
    let board = Board::new(Arc::new(Memory::default()), "reactor", "R07");
    let instrument = connect(&config, "reactor", "R07", board).await.unwrap();
    let (degf, ph) = (Unit::parse("[degF]").unwrap(), Unit::parse("[pH]").unwrap());
    // Zero degrees is a parameter like others, and 98.6 °F are said as 37 °C.
    instrument.set("temperature", 32.0, &degf, "test").await.unwrap();
    let done = instrument.set("temperature", 98.6, &degf, "test").await.unwrap();
    assert_eq!(done.told, format!("{feature}/SetTemperature = 37 Cel"));
    let refused = async |doing: toji_live::command::Doing<'_>, words: &str| {
        let error = doing.await.unwrap_err();
        assert_eq!(error.code(), "E-COMMAND-005", "{error}");
        assert!(error.fault().message.en.contains(words), "{error}");
    };
    let hot = "org.example/bioreactor/Fermenter/v1/DefinedExecutionError/Refused: 50.0 is too hot";
    refused(instrument.set("temperature", 122.0, &degf, "test"), hot).await;
    refused(instrument.stop("test"), "the valve is stuck").await;
    refused(instrument.set("ph", 7.0, &ph, "test"), "no such command").await;
}
