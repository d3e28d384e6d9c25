//! OPC UA from a server of another house: values, units, qualities, kills and cuts.

use crate::cut::Cut;
use crate::memory::Memory;
use crate::server::Python;
use std::sync::Arc;
use std::time::Duration;
use toji_core::live::{MarkKind, Said};
use toji_core::{Quality, Status};
use toji_live::{Collector, Config, collect};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

fn config(port: u16, run: &str) -> Config {
    let text = format!(
        r#"
linger_ms = 20
[[opcua]]
name = "plc"
url = "opc.tcp://127.0.0.1:{port}/"
publish_ms = 100
sampling_ms = 0.0
[[opcua.run]]
run = "R07-B1"
vessel = "R07"
{run}
"#
    );
    Config::read(&text).unwrap()
}

struct Collecting {
    memory: Arc<Memory>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<toji_core::Result<()>>,
    counts: Collector,
}

fn start(config: Config) -> Collecting {
    let (memory, stop) = (Arc::new(Memory::default()), CancellationToken::new());
    let collector = Collector::new(&config);
    let (counts, sink, token) = (collector.clone(), memory.clone(), stop.clone());
    let task = tokio::spawn(async move { collect(config, &collector, &*sink, None, &token).await });
    Collecting { memory, stop, task, counts }
}

/// Every value tells its own time: the millisecond of the hour.
fn tells_its_time(at: &(String, String, i64), said: &Said) -> bool {
    let ms = (at.2 / 1_000_000).rem_euclid(3_600_000);
    matches!(said, Said::Number(value) if (*value - ms as f64).abs() < 0.5)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_keep_their_time_through_a_cut_and_a_restart() {
    let Some(mut server) = Python::start("opcua_server.py", "asyncua") else { return };
    let cut = Cut::before(server.port).await;
    let it = start(config(cut.port, r#"browse = "ns=2;s=R07""#));
    it.memory.wait("first values", |k| k.points.len() > 100).await;
    it.memory.look(|k| {
        assert!(k.units.contains(&("T".into(), Some("°C".into()))), "{:?}", k.units);
        let wrong = k.points.iter().find(|(at, (said, quality))| at.1 == "T" && *quality == 0 && !tells_its_time(at, said));
        // The first value of all is the one the server was made with.
        assert!(wrong.is_none_or(|(_, (said, _))| *said == Said::Number(0.0)), "{wrong:?}");
        let ph: Vec<_> = k.points.iter().filter(|(at, _)| at.1 == "pH").collect();
        assert!(
            ph.iter().skip(1).all(|(_, (said, _))| *said == Said::Digits("7.02".into())),
            "single precision keeps its digits"
        );
        let doubtful = ph.iter().filter(|(_, (_, q))| Quality::unpack(*q).unwrap().status == Status::Uncertain).count();
        assert!(doubtful * 3 > ph.len(), "{doubtful} of {}", ph.len());
    });

    cut.cut();
    sleep(Duration::from_secs(6)).await;
    cut.mend();
    it.memory.wait("the outage", |k| k.marks.iter().any(|(_, m)| *m == MarkKind::Disconnected)).await;
    it.memory.wait("the return", |k| k.marks.iter().any(|(_, m)| *m == MarkKind::Reconnected)).await;
    let before = it.memory.look(|k| k.points.len());
    it.memory.wait("values after the cut", |k| k.points.len() > before + 50).await;

    server.kill();
    sleep(Duration::from_millis(500)).await;
    server.restart();
    let before = it.memory.look(|k| k.points.len());
    it.memory.wait("values after the restart", |k| k.points.len() > before + 50).await;
    let returns = it.memory.look(|k| k.marks.iter().filter(|(_, m)| *m == MarkKind::Reconnected).count());
    assert!(returns >= 2, "{returns}");
    it.memory.look(|k| assert_eq!(k.contradictions, 0));
    it.stop.cancel();
    it.task.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_by_id_and_a_node_that_is_not_there() {
    let Some(server) = Python::start("opcua_server.py", "asyncua") else { return };
    let nodes = r#"node = [{ id = "ns=2;s=R07.pH", key = "pH.PV", unit = "pH" }, { id = "ns=2;s=R07.nothing" }]"#;
    let it = start(config(server.port, nodes));
    it.memory.wait("values", |k| k.points.len() > 10).await;
    it.memory.look(|k| assert!(k.units.contains(&("pH.PV".into(), Some("pH".into())))));
    let findings = it.counts.report().remove(0).findings;
    assert!(
        findings.iter().any(|f| f.finding.code == "E-LINK-008" && f.finding.place.to_string().contains("R07.nothing")),
        "{findings:?}"
    );
    it.stop.cancel();
    it.task.await.unwrap().unwrap();

    let it = start(config(server.port, r#"node = [{ id = "ns=2;s=R07.nothing" }]"#));
    let error = it.task.await.unwrap().unwrap_err();
    assert_eq!(error.code(), "E-LINK-003", "{error}");
}
