//! `live collect`: listens to the sources of a configuration and appends what they say, until stopped.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toji_core::live::Sink;
use toji_core::{Error, Place, Result};
use toji_live::collect::Report;
use toji_live::forward::Forward;
use toji_live::http::Remote;
use toji_live::{Collector, Config, Counts};
use tokio_util::sync::CancellationToken;

/// Input of `live collect`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Configuration of the sources, a TOML file.
    ///
    /// 接続元の設定（TOML ファイル）。
    config: String,
    /// Seconds to listen; without it until cancelled.
    ///
    /// 受信する時間（s）。省略時は止めるまで。
    #[serde(default)]
    for_s: Option<f64>,
}

/// Output of `live collect`.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// Figures of all sources together.
    total: Counts,
    /// Each source.
    sources: Vec<Report>,
    /// Bytes that still wait in the forward buffer, when one is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_bytes: Option<u64>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "live collect",
            label: ["ライブデータの収集", "Collect live data"],
            about: [
                "設定ファイルに書かれた MQTT、Sparkplug B、OPC UA、SiLA 2 の接続元を受信し、保存します。保存が確実になってから相手に受領を返します。[server] を書くと、離れたサーバーへ送り、切断中はディスクに蓄えます。止めるまで続きます。",
                "Listens to the MQTT, Sparkplug B, OPC UA and SiLA 2 sources of a configuration file and keeps what they say. A source is acknowledged only once its data are durable. With [server] it sends to a server far away, and keeps data on disk while that is unreachable. It goes on until it is stopped.",
            ],
            positional: &["config"],
            example: "toji live collect hall-2.toml --for-s 3600",
        },
        Effect::Write,
        collect,
    )
    .long()
}

async fn collect(context: Context, input: Input) -> Result<Output> {
    if !context.local_files {
        // A configuration names files with passwords and addresses to send them to.
        return Err(Error::input(
            "E-LINK-011",
            "収集はこの計算機のコマンドラインから始めてください",
            "start collecting from the command line of this machine",
        )
        .hint("toji live collect 設定ファイル", "toji live collect CONFIG"));
    }
    let path = PathBuf::from(&input.config);
    let text = tokio::fs::read_to_string(&path).await.map_err(|e| unreadable(&path, &e))?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let config = Config::read(&text).map_err(|e| e.in_file(&name))?;
    let forward = forward(&config, &path)?;
    let sink: Arc<dyn Sink> = match &forward {
        Some(forward) => forward.clone(),
        None => {
            let sink = context.session.live_sink();
            // Learn now, not at the first message, that another process writes here.
            sink.append(Vec::new()).await?;
            // Conclusions that a crash left behind.
            context.session.resume_jobs().await?;
            sink
        }
    };
    let stop = CancellationToken::new();
    let replay = forward.clone().map(|forward| {
        let stop = stop.clone();
        tokio::spawn(async move { forward.replay(&stop).await })
    });
    let collector = Collector::new(&config);
    let watch = watch(&context, &collector, input.for_s, &stop);
    let collect = async {
        let collected = toji_live::collect(config, &collector, &*sink, Some(path.clone()), &stop).await;
        stop.cancel();
        collected
    };
    let (collected, ()) = tokio::join!(collect, watch);
    if let Some(replay) = replay {
        replay.await.map_err(|e| Error::bug("B-LINK-006", e))??;
    }
    collected?;
    context.session.end_live().await?;
    let waiting_bytes = match &forward {
        Some(forward) => Some(forward.backlog().await.bytes),
        None => None,
    };
    Ok(Output { total: collector.total(), sources: collector.report(), waiting_bytes })
}

fn unreadable(path: &Path, why: &std::io::Error) -> Error {
    Error::input("E-LINK-012", format!("設定ファイルを読めません: {why}"), format!("the configuration cannot be read: {why}"))
        .at(Place::default().in_file(path.display().to_string()))
}

fn forward(config: &Config, path: &Path) -> Result<Option<Arc<Forward>>> {
    let Some(server) = &config.server else { return Ok(None) };
    let beyond = Arc::new(Remote::new(&server.url)?);
    let folder = path.parent().unwrap_or(Path::new("")).join(&server.buffer);
    Forward::open(&folder, server.bytes_max, beyond).map(Some)
}

/// Tells how it goes every second; ends everything when it is cancelled or the time is over.
async fn watch(context: &Context, collector: &Collector, for_s: Option<f64>, stop: &CancellationToken) {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    let mut seconds = 0.0;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        let total = collector.total();
        let ja = format!("受信 {} 点、受領済み {} 件、切断 {} 回", total.points, total.acknowledged, total.disconnections);
        let en = format!("{} points, {} acknowledged, {} disconnections", total.points, total.acknowledged, total.disconnections);
        let over = for_s.is_some_and(|limit| seconds >= limit);
        if over || context.progress.step(total.points, None, ja, en).is_err() {
            stop.cancel();
            return;
        }
        seconds += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use crate::progress::Progress;
    use crate::session::{Options, Session};
    use serde_json::{Value as Json, json};
    use std::path::Path;
    use std::sync::Arc;
    use toji_core::Instant;

    async fn run(session: &Arc<Session>, name: &str, input: Json) -> toji_core::Result<Json> {
        let context = session.context(Progress::silent(), Instant::parse("2026-11-24T03:00:00Z").unwrap());
        Ok(crate::operation(name).unwrap().run(context, input).await?.json)
    }

    fn free_port() -> u16 {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    async fn session(folder: &Path) -> Arc<Session> {
        Session::init(&folder.join("store"), Options::default()).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn simulated_fermenters_become_runs() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path()).await;
        let plant = json!({
            "speak": ["opcua", "sila"], "reactors": 2, "opcua_port": free_port(), "sila_port": free_port(),
            "speed": 20.0, "lasts_s": 400.0,
        });
        let mut only = plant.clone();
        only["dry_run"] = json!(true);
        let dry = run(&session, "simulate fermenter", only).await.unwrap();
        let config = folder.path().join("plant.toml");
        std::fs::write(&config, dry["config"].as_str().unwrap()).unwrap();
        let collect = json!({ "config": config.display().to_string(), "for_s": 12.0 });
        let speaking = run(&session, "simulate fermenter", plant);
        let (spoken, collected) = tokio::join!(speaking, run(&session, "live collect", collect));
        let (spoken, collected) = (spoken.unwrap(), collected.unwrap());
        assert_eq!(spoken["simulated"], true);
        assert!(collected["total"]["points"].as_u64().unwrap() > 1_000, "{collected}");
        let runs = run(&session, "run list", json!({ "simulated": true })).await.unwrap();
        // Two vessels, each heard over two protocols.
        assert_eq!(runs["total"], 4, "{runs}");
        let sql = "SELECT variable, count(DISTINCT run) AS runs, \
                   count(*) - count(DISTINCT concat(channel, '@', CAST(time AS VARCHAR))) AS twice \
                   FROM series WHERE variable = 'temperature' GROUP BY variable";
        let answer = run(&session, "sql query", json!({ "query": sql })).await.unwrap();
        assert_eq!(answer["rows"][0][1], 4, "one variable, whatever is spoken: {answer}");
        assert_eq!(answer["rows"][0][2], 0, "{answer}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_faulty_configuration_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path()).await;
        let config = folder.path().join("plant.toml");
        std::fs::write(&config, "[[opcua]]\nname = \"plc\"\nurl = \"opc.tcp://127.0.0.1:1/\"\nrun = 7\n").unwrap();
        let error = run(&session, "live collect", json!({ "config": config.display().to_string() })).await.unwrap_err();
        let place = error.fault().place.clone().unwrap();
        assert_eq!((place.file.as_deref(), place.line), (Some("plant.toml"), Some(4)), "{error}");
        let error = run(&session, "live collect", json!({ "config": "nowhere.toml" })).await.unwrap_err();
        assert_eq!(error.code(), "E-LINK-012");
    }
}
