//! `simulate fermenter`: a plant of simulated fermenters on the network, speaking as many protocols as asked.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use toji_core::{Error, Instant, Place, Result};
use toji_live::config::Broker;
use toji_live::device::collecting::{Places, config, plant_of};
use toji_live::device::feed::{Faults, Frame, Line, Said};
use toji_live::device::make::Make;
use toji_live::device::plant::{Desk, Pace, lines_of, pass};
use toji_live::device::{mqtt, mqtt_command, opcua, sila, sparkplug};
use toji_plant::{Plant, PlantConfig, Recipe, Scale};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Reactors of one plant.
const REACTORS_MAX: usize = 1_000;

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Protocol {
    /// JSON over MQTT, to a broker.
    ///
    /// MQTT による JSON。ブローカーへ送信。
    Mqtt,
    /// Sparkplug B over MQTT, to a broker.
    ///
    /// MQTT による Sparkplug B。ブローカーへ送信。
    Sparkplug,
    /// OPC UA, as a server.
    ///
    /// OPC UA サーバー。
    Opcua,
    /// SiLA 2, one server a reactor.
    ///
    /// SiLA 2。反応器ごとに一つのサーバー。
    Sila,
}

/// Input of `simulate fermenter`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Protocols.
    ///
    /// 通信方式。
    speak: Vec<Protocol>,
    /// Maker whose names, units and words the devices use.
    ///
    /// 機器の名称・単位・用語の流儀（メーカー）。
    #[serde(default)]
    make: Make,
    /// Take commands (MQTT, OPC UA, SiLA 2): inoculation, feed and end wait for them, nothing is done by itself.
    ///
    /// 命令を受け付ける（MQTT、OPC UA、SiLA 2）。植菌・流加・終了は命令を待ち、自動では行わない。
    #[serde(default)]
    commands: bool,
    /// Number of reactors.
    ///
    /// 反応器の数。
    #[serde(default = "one")]
    reactors: usize,
    /// Which vessels.
    ///
    /// 槽の規模。
    #[serde(default)]
    scale: Scale,
    /// Address of the broker, and of the servers to listen on.
    ///
    /// ブローカーのアドレス。サーバーが待ち受けるアドレスも兼ねる。
    #[serde(default = "here")]
    host: String,
    /// Port of the broker.
    ///
    /// ブローカーのポート。
    #[serde(default = "mqtt_port")]
    mqtt_port: u16,
    /// Port of the OPC UA server.
    ///
    /// OPC UA サーバーのポート。
    #[serde(default = "opcua_port")]
    opcua_port: u16,
    /// Port of the first reactor's SiLA 2 server.
    ///
    /// 最初の反応器の SiLA 2 サーバーのポート。
    #[serde(default = "sila_port")]
    sila_port: u16,
    /// Simulated seconds from value to value.
    ///
    /// 値と値の間隔（模擬時間の s）。
    #[serde(default = "second")]
    period_s: f64,
    /// Simulated seconds a real second.
    ///
    /// 実時間の一秒に進める模擬時間（s）。
    #[serde(default = "second")]
    speed: f64,
    /// When simulated time begins (RFC 3339); without it now. Faster than real time, begin in the past: OPC UA servers
    /// hold values of the future back.
    ///
    /// 模擬時刻の始まり（RFC 3339）。省略時は現在。実時間より速く動かすときは過去から始める：OPC UA サーバーは未来の値を留め置くため。
    #[serde(default)]
    start: Option<String>,
    /// Simulated seconds in all; default a day.
    ///
    /// 模擬する長さ（s）。省略時は一日。
    #[serde(default = "day_s")]
    lasts_s: f64,
    /// Values a device keeps while nobody takes them, in frames of one reactor.
    ///
    /// 受け手がないときに機器が蓄える値の数（一反応器のフレーム数）。
    #[serde(default = "buffer")]
    buffer: usize,
    /// Say every n-th frame twice.
    ///
    /// n フレームごとに一つを二度送る。
    #[serde(default)]
    twice_every: u32,
    /// Exchange every n-th frame with the next.
    ///
    /// n フレームごとに次のフレームと順序を入れ替える。
    #[serde(default)]
    swap_every: u32,
    /// Only give the configuration for `live collect`.
    ///
    /// `live collect` の設定を渡すだけ。
    #[serde(default)]
    dry_run: bool,
}

fn one() -> usize {
    1
}
fn here() -> String {
    "127.0.0.1".into()
}
fn mqtt_port() -> u16 {
    1883
}
fn opcua_port() -> u16 {
    4840
}
fn sila_port() -> u16 {
    50_052
}
fn second() -> f64 {
    1.0
}
fn day_s() -> f64 {
    86_400.0
}
fn buffer() -> usize {
    1_000_000
}

/// What a device said.
#[derive(Debug, Serialize, JsonSchema)]
struct Spoken {
    /// Protocol.
    protocol: Protocol,
    /// Frames measured: all values of one reactor at one moment.
    frames: u64,
    /// Frames the broker acknowledged (JSON over MQTT).
    acknowledged: u64,
    /// Frames said again after an outage.
    again: u64,
    /// Frames lost because the device's buffer was full.
    overflowed: u64,
}

/// Output of `simulate fermenter`.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// Always true: nothing here was measured.
    simulated: bool,
    /// Simulated seconds that passed.
    elapsed_s: f64,
    /// Each protocol.
    spoken: Vec<Spoken>,
    /// Configuration for `live collect`, TOML.
    config: String,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "simulate fermenter",
            label: ["発酵槽の模擬", "Simulate fermenters"],
            about: [
                "模擬の発酵槽を動かし、MQTT、Sparkplug B、OPC UA、SiLA 2 で測定値を流します。実機と同じように切断中は機器側に蓄えます。make で二つの製造元（名前・単位・語彙が異なります）を選べ、commands で命令を待つ装置になります。値はすべて模擬である旨の印が付きます。",
                "Runs simulated fermenters and speaks their values over MQTT, Sparkplug B, OPC UA and SiLA 2. As real devices do, they keep values while nobody takes them. make chooses one of two makers, whose names, units and words differ; commands makes devices that wait to be told. Everything is marked as simulated.",
            ],
            positional: &[],
            example: "toji simulate fermenter --speak opcua --reactors 4 --lasts-s 3600",
        },
        Effect::Read,
        simulate,
    )
    .long()
}

async fn simulate(context: Context, input: Input) -> Result<Output> {
    check(&context, &input)?;
    let start = input.start.as_deref().map_or(Ok(context.now), Instant::parse)?;
    let mut plant = PlantConfig::parallel(plant_of(input.make), start, input.scale, input.reactors);
    if input.commands {
        plant.reactors.iter_mut().for_each(|reactor| reactor.recipe = Recipe::waiting());
    }
    let plant = Plant::new(plant, context.seed)?;
    let lines = lines_of(&plant, input.make);
    let speaks = |protocol| input.speak.contains(&protocol);
    let places = Places {
        host: input.host.clone(),
        mqtt: speaks(Protocol::Mqtt).then_some(input.mqtt_port),
        sparkplug: speaks(Protocol::Sparkplug).then_some(input.mqtt_port),
        opcua: speaks(Protocol::Opcua).then_some(input.opcua_port),
        sila: speaks(Protocol::Sila).then_some(input.sila_port),
        commands: input.commands,
    };
    let config = config(&lines, &places);
    if input.dry_run {
        return Ok(Output { simulated: true, elapsed_s: 0.0, spoken: Vec::new(), config });
    }
    let stop = CancellationToken::new();
    let desk = Desk::new(plant);
    let mut devices = Devices {
        stop: stop.clone(),
        lines,
        desk: input.commands.then(|| desk.clone()),
        frames: Vec::new(),
        tasks: JoinSet::new(),
        said: Vec::new(),
    };
    for protocol in &input.speak {
        devices.start(*protocol, &input)?;
    }
    let Devices { frames, mut tasks, said, .. } = devices;
    let pace = Pace { period_s: input.period_s, speed: input.speed, lasts_s: input.lasts_s };
    let (progress, ended, lasts) = (context.progress.clone(), stop.clone(), input.lasts_s);
    let told = move |elapsed_s: f64| {
        let total = lasts.is_finite().then_some(lasts as u64);
        if progress.step(elapsed_s as u64, total, "模擬の発酵槽が動いています", "simulated fermenters are running").is_err()
        {
            ended.cancel();
        }
    };
    let (driven, driven_until) = (desk.clone(), stop.clone());
    let driving = tokio::spawn(async move { pass(&driven, pace, frames, driven_until, told).await });
    let mut outcome = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.unwrap_or_else(|e| Err(Error::bug("B-LINK-007", e)));
        if outcome.is_ok() && ended.is_err() {
            outcome = ended;
            stop.cancel();
        }
    }
    driving.await.map_err(|e| Error::bug("B-LINK-007", e))?;
    stop.cancel();
    outcome?;
    Ok(Output {
        simulated: true,
        elapsed_s: desk.with(|plant| plant.elapsed_s()),
        spoken: said.iter().map(spoken).collect(),
        config,
    })
}

fn check(context: &Context, input: &Input) -> Result<()> {
    let fault = |field: &str, ja: &str, en: &str| Err(Error::input("E-LINK-013", ja, en).at(Place::field(field)));
    if !context.local_files {
        return fault(
            "speak",
            "模擬機器はこの計算機のコマンドラインから始めてください",
            "start simulated devices from the command line of this machine",
        );
    }
    if input.speak.is_empty() {
        return fault("speak", "プロトコルを一つ以上指定してください", "name at least one protocol");
    }
    if input.reactors == 0 || input.reactors > REACTORS_MAX {
        return fault("reactors", "反応器は 1 基から 1,000 基までです", "between 1 and 1,000 reactors");
    }
    if usize::from(input.sila_port) + input.reactors > usize::from(u16::MAX) {
        return fault("sila_port", "反応器の数だけポートが必要です", "every reactor needs a port of its own");
    }
    for (field, value) in [("period_s", input.period_s), ("speed", input.speed), ("lasts_s", input.lasts_s)] {
        if !value.is_finite() || value <= 0.0 {
            return fault(field, "正の数を指定してください", "a positive number is needed");
        }
    }
    Ok(())
}

fn spoken((protocol, said): &(Protocol, Arc<Said>)) -> Spoken {
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    Spoken {
        protocol: *protocol,
        frames: get(&said.frames),
        acknowledged: get(&said.acknowledged),
        again: get(&said.again),
        overflowed: get(&said.overflowed),
    }
}

/// The devices that run.
struct Devices {
    stop: CancellationToken,
    lines: Arc<Vec<Line>>,
    /// The plant, when the devices take commands.
    desk: Option<Desk>,
    frames: Vec<mpsc::Sender<Arc<Frame>>>,
    tasks: JoinSet<Result<()>>,
    said: Vec<(Protocol, Arc<Said>)>,
}

impl Devices {
    fn start(&mut self, protocol: Protocol, input: &Input) -> Result<()> {
        let said = Arc::new(Said::default());
        self.said.push((protocol, said.clone()));
        let broker = |client_id: &str| Broker {
            host: input.host.clone(),
            port: input.mqtt_port,
            client_id: client_id.to_owned(),
            user: None,
            password_file: None,
            keep_alive_s: 5,
        };
        let (lines, stop, desk) = (self.lines.clone(), self.stop.clone(), self.desk.clone());
        let plant = plant_of(input.make);
        let faults = Faults { twice_every: input.twice_every, swap_every: input.swap_every };
        // What a killed broker may have forgotten is said again: a minute of all reactors.
        let overlap = 60 * lines.len();
        match protocol {
            Protocol::Mqtt => {
                if let Some(desk) = desk {
                    let broker = broker(&format!("toji-{plant}-commands"));
                    let ear = mqtt_command::Ear { broker, prefix: plant.to_owned(), lines: lines.clone(), desk };
                    tokio::spawn(ear.run(stop.clone()));
                }
                let broker = broker(&format!("toji-{plant}-mqtt"));
                let prefix = plant.to_owned();
                let device =
                    mqtt::Publisher { broker, prefix, lines, buffer: input.buffer, overlap, faults, said, acknowledged: None };
                let frames = self.feed();
                self.tasks.spawn(async move {
                    device.run(frames, stop).await;
                    Ok(())
                });
            }
            Protocol::Sparkplug => {
                let broker = broker(&format!("toji-{plant}-sparkplug"));
                let (group, node, host) = (plant.to_owned(), plant.to_owned(), Some("toji".to_owned()));
                let device = sparkplug::Edge { broker, group, node, host, lines, buffer: input.buffer, overlap, faults, said };
                let frames = self.feed();
                self.tasks.spawn(async move {
                    device.run(frames, stop).await;
                    Ok(())
                });
            }
            Protocol::Opcua => {
                let device = opcua::Device { host: input.host.clone(), port: input.opcua_port, lines, desk, said };
                let frames = self.feed();
                self.tasks.spawn(device.run(frames, stop));
            }
            Protocol::Sila => {
                let bad = |_| {
                    let place = Place::field("host");
                    Error::input("E-LINK-013", "IP アドレスを指定してください", "an IP address is needed").at(place)
                };
                let address: IpAddr = input.host.parse().map_err(bad)?;
                for (line, port) in (0..lines.len()).zip(input.sila_port..) {
                    let (lines, desk, said) = (lines.clone(), desk.clone(), said.clone());
                    let device = sila::Device { address: (address, port).into(), lines, line, desk, said };
                    let frames = self.feed();
                    self.tasks.spawn(device.run(frames, stop.clone()));
                }
            }
        }
        Ok(())
    }

    fn feed(&mut self) -> mpsc::Receiver<Arc<Frame>> {
        let (sender, frames) = mpsc::channel(4_096);
        self.frames.push(sender);
        frames
    }
}
