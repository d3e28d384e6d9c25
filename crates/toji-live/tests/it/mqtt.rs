//! JSON over a real broker: killed, restarted, cut off; every acknowledged point is kept once.

use crate::cut::Cut;
use crate::memory::{Kept, Memory};
use crate::server::Mosquitto;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use toji_core::live::{MarkKind, Said};
use toji_live::config::Broker;
use toji_live::device::feed::{self, Channel, Faults, Frame, Line, Sample};
use toji_live::device::make::Make;
use toji_live::device::mqtt::Publisher;
use toji_live::{Collector, Config, collect};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const LINES: usize = 3;

pub(crate) fn lines() -> Arc<Vec<Line>> {
    let channels: Vec<Channel> = [("pH", "pH"), ("T", "°C"), ("DO", "%sat")].map(|(k, u)| Channel::plain(k, u)).to_vec();
    let line = |n| Line { vessel: format!("R{n:02}"), batch: format!("B{n}"), make: Make::A, channels: channels.clone() };
    Arc::new((1..=LINES).map(line).collect())
}

/// Frames of all lines, one a step of 10 ms by the device's clock.
pub(crate) fn frame(line: usize, step: i64) -> Arc<Frame> {
    let sample = |channel: usize| Sample { channel, digits: Some(format!("{}.{step:03}0", channel + line)), good: true };
    let t_ns = 1_795_478_400_000_000_000 + step * 10_000_000;
    Arc::new(Frame { line, t_ns, stage: None, samples: (0..3).map(sample).collect() })
}

pub(crate) fn broker(port: u16, client_id: &str) -> Broker {
    Broker { host: "127.0.0.1".into(), port, client_id: client_id.into(), user: None, password_file: None, keep_alive_s: 3 }
}

fn config(port: u16) -> Config {
    let text = format!(
        r#"
linger_ms = 20
[[mqtt]]
name = "hall"
broker = {{ host = "127.0.0.1", port = {port}, client_id = "toji", keep_alive_s = 3 }}
[[mqtt.topic]]
topic = "hall/{{vessel}}/{{batch}}/data"
run = "{{vessel}}-{{batch}}"
vessel = "{{vessel}}"
time = "ts"
time_format = "unix-ms"
simulated = "simulated"
field = [{{ field = "pH", unit = "pH" }}, {{ field = "T", unit = "°C" }}, {{ field = "DO", unit = "%sat" }}, {{ field = "batch" }}]
"#
    );
    Config::read(&text).unwrap()
}

struct Plant {
    frames: mpsc::Sender<Arc<Frame>>,
    acknowledged: mpsc::UnboundedReceiver<Arc<Frame>>,
    device: tokio::task::JoinHandle<()>,
    said: Arc<feed::Said>,
}

fn plant(port: u16, stop: &CancellationToken) -> Plant {
    let (frames, receiver) = mpsc::channel(64);
    let (sender, acknowledged) = mpsc::unbounded_channel();
    let said = Arc::new(feed::Said::default());
    let publisher = Publisher {
        broker: broker(port, "device"),
        prefix: "hall".into(),
        lines: lines(),
        buffer: 100_000,
        overlap: 300,
        faults: Faults { twice_every: 7, swap_every: 5 },
        said: said.clone(),
        acknowledged: Some(sender),
    };
    let device = tokio::spawn(publisher.run(receiver, stop.clone()));
    Plant { frames, acknowledged, device, said }
}

impl Plant {
    async fn say(&self, steps: std::ops::Range<i64>) {
        for step in steps {
            for line in 0..LINES {
                self.frames.send(frame(line, step)).await.unwrap();
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Ends the device and returns what the broker acknowledged to it.
    async fn end(mut self) -> BTreeSet<(usize, i64)> {
        drop(self.frames);
        self.device.await.unwrap();
        let mut all = BTreeSet::new();
        while let Ok(frame) = self.acknowledged.try_recv() {
            all.insert((frame.line, frame.t_ns));
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_point_is_kept_once_through_kills_and_cuts() {
    let Some(mut mosquitto) = Mosquitto::start() else { return };
    let cut = Cut::before(mosquitto.port).await;
    let memory = Arc::new(Memory::default());
    let stop = CancellationToken::new();
    let run = |memory: Arc<Memory>, stop: CancellationToken| {
        let config = config(cut.port);
        let collector = Collector::new(&config);
        let counts = collector.clone();
        (tokio::spawn(async move { collect(config, &collector, &*memory, None, &stop).await }), counts)
    };
    let (first, counts) = run(memory.clone(), stop.clone());
    memory.wait("a connection", |_| counts.total().connections > 0).await;
    let plant = plant(mosquitto.port, &CancellationToken::new());
    plant.say(0..200).await;
    memory.wait("first points", |k| k.points.len() > 500).await;

    // The broker dies and comes back.
    mosquitto.kill();
    plant.say(200..300).await;
    mosquitto.restart();
    plant.say(300..500).await;
    // On a busy machine the next fault could else come before this one was noticed to be over.
    let back = |kept: &Kept| kept.marks.iter().filter(|(_, kind)| *kind == MarkKind::Reconnected).count();
    memory.wait("the broker's return", move |k| back(k) >= LINES).await;

    // Our network is cut, silently; then it passes again.
    cut.cut();
    plant.say(500..700).await;
    sleep(Duration::from_secs(7)).await;
    cut.mend();
    plant.say(700..800).await;
    memory.wait("the network's return", move |k| back(k) >= 2 * LINES).await;

    // The store is away: nothing is acknowledged, the broker keeps it.
    memory.away.store(true, Ordering::SeqCst);
    plant.say(800..1000).await;
    memory.away.store(false, Ordering::SeqCst);
    memory.wait("points after the outage", |k| k.points.len() > 8000).await;

    // The collector itself is killed and starts again, with the same session.
    first.abort();
    plant.say(1000..1200).await;
    let (second, _) = run(memory.clone(), stop.clone());
    let said = plant.said.clone();
    let acknowledged = plant.end().await;
    assert_eq!(said.overflowed.load(Ordering::SeqCst), 0);
    assert_eq!(acknowledged.len(), 1200 * LINES, "the device said everything");
    memory.wait("every acknowledged point", |k| k.points.len() == 1200 * LINES * 4).await;
    stop.cancel();
    second.await.unwrap().unwrap();

    memory.look(|kept| {
        assert_eq!(kept.contradictions, 0);
        assert!(kept.times_said > kept.points.len(), "repetitions came, as they must at least once");
        for (line, t_ns) in &acknowledged {
            let run = format!("R{:02}-B{}", line + 1, line + 1);
            let step = (t_ns - 1_795_478_400_000_000_000) / 10_000_000;
            let point = kept.points.get(&(run, "T".into(), *t_ns));
            assert_eq!(point, Some(&(Said::Digits(format!("{}.{step:03}0", 1 + line)), 0)));
        }
        let marks = |kind| kept.marks.iter().filter(|(_, k)| *k == kind).count();
        // The broker's death and the cut, for every run.
        assert!(marks(MarkKind::Disconnected) >= 2 * LINES && marks(MarkKind::Reconnected) >= 2 * LINES, "{:?}", kept.marks);
        assert_eq!(kept.simulated, BTreeSet::from([true]));
        assert!(kept.units.contains(&("T".into(), Some("°C".into()))));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_before_it_is_durable() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let memory = Arc::new(Memory::default());
    memory.away.store(true, Ordering::SeqCst);
    let stop = CancellationToken::new();
    let config = config(mosquitto.port);
    let collector = Collector::new(&config);
    let (counts, sink, token) = (collector.clone(), memory.clone(), stop.clone());
    let task = tokio::spawn(async move { collect(config, &collector, &*sink, None, &token).await });
    memory.wait("a connection", |_| counts.total().connections > 0).await;
    let plant = plant(mosquitto.port, &CancellationToken::new());
    plant.say(0..20).await;
    plant.end().await;
    memory.wait("messages", |_| counts.total().messages >= 60).await;
    assert_eq!(counts.total().acknowledged, 0);
    memory.away.store(false, Ordering::SeqCst);
    memory.wait("acknowledgements", |_| counts.total().acknowledged == counts.total().messages).await;
    memory.look(|kept| assert_eq!(kept.points.len(), 20 * LINES * 4));
    stop.cancel();
    task.await.unwrap().unwrap();
}
