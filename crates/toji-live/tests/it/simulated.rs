//! The simulated plant over every protocol at once, collected by our own clients: one schema, whatever is spoken.

use crate::memory::Memory;
use crate::server::free_port;
use std::collections::BTreeSet;
use std::sync::Arc;
use toji_core::live::Said;
use toji_live::device::feed::{self, Line};
use toji_live::device::plant::{Pace, drive, lines, present};
use toji_live::{Collector, Config, collect, device};
use toji_plant::{Plant, PlantConfig, Scale};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn plant() -> Plant {
    Plant::new(PlantConfig::parallel("hall", present(), Scale::L1, 2), 1).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opc_ua_and_sila_say_the_same_keys_and_units() {
    let plant = plant();
    let lines: Arc<Vec<Line>> = lines(&plant);
    let (opcua_port, sila_port) = (free_port(), free_port());
    let stop = CancellationToken::new();
    let said = Arc::new(feed::Said::default());
    let (opcua_frames, opcua_receiver) = mpsc::channel(64);
    let (sila_frames, sila_receiver) = mpsc::channel(64);
    let opcua = device::opcua::Device {
        host: "127.0.0.1".into(),
        port: opcua_port,
        lines: lines.clone(),
        desk: None,
        said: said.clone(),
    };
    let sila =
        device::sila::Device { address: ([127, 0, 0, 1], sila_port).into(), lines: lines.clone(), line: 0, desk: None, said };
    let opcua = tokio::spawn(opcua.run(opcua_receiver, stop.clone()));
    let sila = tokio::spawn(sila.run(sila_receiver, stop.clone()));
    let config = Config::read(&format!(
        r#"
linger_ms = 20
[[opcua]]
name = "plc"
url = "opc.tcp://127.0.0.1:{opcua_port}/"
publish_ms = 100
sampling_ms = 0.0
[[opcua.run]]
run = "R01"
vessel = "R01"
simulated = true
browse = "ns=2;s=R01"
[[sila]]
name = "sila"
host = "127.0.0.1"
port = {sila_port}
run = "R01-sila"
simulated = true
"#
    ))
    .unwrap();
    let memory = Arc::new(Memory::default());
    let collector = Collector::new(&config);
    let (sink, token) = (memory.clone(), stop.clone());
    let collecting = tokio::spawn(async move { collect(config, &collector, &*sink, None, &token).await });
    let pace = Pace { period_s: 1.0, speed: 20.0, lasts_s: 1e6 };
    let driving = tokio::spawn(drive(plant, pace, vec![opcua_frames, sila_frames], stop.clone(), |_| {}));
    memory.wait("both", |k| ["R01", "R01-sila"].iter().all(|run| k.points.keys().filter(|at| at.0 == *run).count() > 400)).await;
    stop.cancel();
    driving.await.unwrap();
    collecting.await.unwrap().unwrap();
    opcua.await.unwrap().unwrap();
    sila.await.unwrap().unwrap();
    memory.look(|k| {
        assert_eq!(k.contradictions, 0);
        assert_eq!(k.simulated, BTreeSet::from([true]));
        assert!(k.units.contains(&("T.PV".into(), Some("°C".into()))), "{:?}", k.units);
        assert!(k.units.contains(&("TPv".into(), Some("°C".into()))), "{:?}", k.units);
        let temperature =
            k.points.iter().filter(|(at, (said, _))| at.0 == "R01" && at.1 == "T.PV" && matches!(said, Said::Number(_)));
        assert!(temperature.count() > 10);
    });
}
