//! Sparkplug B over a real broker: births and deaths as marks, holes, rebirths, and the edge node's buffer.

use crate::memory::Memory;
use crate::mqtt::{broker, frame, lines};
use crate::server::Mosquitto;
use std::sync::Arc;
use std::time::Duration;
use toji_core::live::{MarkKind, Said};
use toji_live::device::feed::{self, Faults, Frame};
use toji_live::device::sparkplug::{BATCH, Edge};
use toji_live::{Collector, Config, collect};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

fn config(port: u16) -> Config {
    let text = format!(
        r#"
linger_ms = 20
[[sparkplug]]
name = "scada"
broker = {{ host = "127.0.0.1", port = {port}, client_id = "toji-sp", keep_alive_s = 3 }}
group = "plant"
host_id = "toji"
run = "{{device}}-{{batch}}"
batch_metric = "{BATCH}"
"#
    );
    Config::read(&text).unwrap()
}

fn edge(port: u16) -> (mpsc::Sender<Arc<Frame>>, tokio::task::JoinHandle<()>) {
    let (frames, receiver) = mpsc::channel(64);
    let edge = Edge {
        broker: broker(port, "edge"),
        group: "plant".into(),
        node: "edge".into(),
        host: Some("toji".into()),
        lines: lines(),
        buffer: 100_000,
        overlap: 1_500,
        faults: Faults { twice_every: 7, swap_every: 5 },
        said: Arc::new(feed::Said::default()),
    };
    (frames, tokio::spawn(edge.run(receiver, CancellationToken::new())))
}

async fn say(frames: &mpsc::Sender<Arc<Frame>>, steps: std::ops::Range<i64>) {
    for step in steps {
        for line in 0..lines().len() {
            frames.send(frame(line, step)).await.unwrap();
        }
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_edge_node_keeps_arrives_once() {
    let Some(mut mosquitto) = Mosquitto::start() else { return };
    let memory = Arc::new(Memory::default());
    let port = mosquitto.port;
    let start = |stop: CancellationToken| {
        let (config, sink) = (config(port), memory.clone());
        let collector = Collector::new(&config);
        tokio::spawn(async move { collect(config, &collector, &*sink, None, &stop).await })
    };
    let stop = CancellationToken::new();
    let (first, (frames, device)) = (start(stop.clone()), edge(mosquitto.port));
    say(&frames, 0..200).await;
    memory.wait("first points", |k| k.points.len() > 1000).await;
    mosquitto.kill();
    say(&frames, 200..300).await;
    mosquitto.restart();
    say(&frames, 300..400).await;
    // The host is gone: its will says so, and the node keeps its data until another host is there.
    first.abort();
    say(&frames, 400..600).await;
    let second = start(stop.clone());
    say(&frames, 600..700).await;
    drop(frames);
    device.await.unwrap();
    let said = |k: &crate::memory::Kept| {
        k.points.keys().filter(|at| ["pH", "T", "DO"].contains(&at.1.as_str()) && at.2 < 1_796_000_000_000_000_000).count()
    };
    let numbers = |k: &crate::memory::Kept| k.points.iter().filter(|(_, (said, _))| matches!(said, Said::Number(_))).count();
    memory.wait("every point", |k| numbers(k) == 700 * 3 * lines().len()).await;
    memory.wait("the death", |k| k.marks.last().is_some_and(|(_, m)| *m == MarkKind::Death)).await;
    stop.cancel();
    second.await.unwrap().unwrap();
    memory.look(|k| {
        assert!(said(k) >= numbers(k));
        assert_eq!(k.contradictions, 0);
        assert!(k.units.contains(&("T".into(), Some("°C".into()))), "{:?}", k.units);
        let of = |kind| k.marks.iter().filter(|(_, m)| *m == kind).count();
        assert!(of(MarkKind::Birth) >= 6 && of(MarkKind::Death) >= 3 && of(MarkKind::Disconnected) >= 3, "{:?}", k.marks);
        assert!(k.points.keys().any(|at| at.0 == "R02-B2"), "runs are named by device and batch");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_comes_late_asks_for_births() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    // A node without a primary host speaks to nobody; a host that comes later hears data before births.
    let (frames, receiver) = mpsc::channel(64);
    let node = Edge {
        broker: broker(mosquitto.port, "edge"),
        group: "plant".into(),
        node: "edge".into(),
        host: None,
        lines: lines(),
        buffer: 1_000,
        overlap: 0,
        faults: Faults::default(),
        said: Arc::new(feed::Said::default()),
    };
    let device = tokio::spawn(node.run(receiver, CancellationToken::new()));
    say(&frames, 0..100).await;
    let (memory, stop) = (Arc::new(Memory::default()), CancellationToken::new());
    let (config, sink, token) = (config(mosquitto.port), memory.clone(), stop.clone());
    let collector = Collector::new(&config);
    let counts = collector.clone();
    let task = tokio::spawn(async move { collect(config, &collector, &*sink, None, &token).await });
    memory.wait("a connection", |_| counts.total().connections > 0).await;
    sleep(Duration::from_millis(200)).await;
    say(&frames, 100..400).await;
    memory.wait("births", |k| k.marks.iter().any(|(_, m)| *m == MarkKind::Birth)).await;
    memory.wait("points", |k| k.points.keys().filter(|at| at.1 == "T").count() > 200).await;
    assert!(counts.total().rebirths_asked >= 1);
    memory.look(|k| assert!(!k.points.keys().any(|at| at.1.starts_with("alias")), "what came before the birth waited for it"));
    drop(frames);
    device.await.unwrap();
    stop.cancel();
    task.await.unwrap().unwrap();
}
