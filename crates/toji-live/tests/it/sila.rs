//! SiLA 2 from a server of another house: discovery, values, units, a restart.

use crate::memory::Memory;
use crate::server::Python;
use std::sync::Arc;
use std::time::Duration;
use toji_core::live::{MarkKind, Said};
use toji_live::{Collector, Config, collect};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

fn config(port: u16, rest: &str) -> Config {
    let text = format!(
        "linger_ms = 20\n[[sila]]\nname = \"sila\"\nhost = \"127.0.0.1\"\nport = {port}\nrun = \"R07-B1\"\nvessel = \"R07\"\n{rest}"
    );
    Config::read(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn properties_are_found_and_followed() {
    let Some(mut server) = Python::start("sila_server.py", "sila2") else { return };
    let (memory, stop) = (Arc::new(Memory::default()), CancellationToken::new());
    let config = config(server.port, "");
    let collector = Collector::new(&config);
    let (sink, token) = (memory.clone(), stop.clone());
    let task = tokio::spawn(async move { collect(config, &collector, &*sink, None, &token).await });
    memory.wait("values", |k| k.points.len() > 40).await;
    memory.look(|k| {
        let keys: Vec<(String, Option<String>)> = k.units.iter().cloned().collect();
        assert_eq!(keys, [("Cycles".into(), None), ("Temperature".into(), Some("°C".into()))]);
        // Both count up by one, in order of arrival.
        let of = |key: &str| k.points.iter().filter(|(at, _)| at.1 == key).map(|(_, (said, _))| said.clone()).collect::<Vec<_>>();
        let cycles = of("Cycles");
        let first: i64 = match &cycles[0] {
            Said::Digits(digits) => digits.parse().unwrap(),
            other => panic!("{other:?}"),
        };
        for (n, said) in (first..).zip(&cycles) {
            assert_eq!(*said, Said::Digits(n.to_string()));
        }
        assert!(of("Temperature").iter().all(|said| matches!(said, Said::Number(x) if x.fract() == 0.5)));
        assert_eq!(k.marks[0].1, MarkKind::Birth);
    });
    server.kill();
    memory.wait("the outage", |k| k.marks.iter().any(|(_, m)| *m == MarkKind::Disconnected)).await;
    sleep(Duration::from_millis(300)).await;
    server.restart();
    memory.wait("the return", |k| k.marks.iter().any(|(_, m)| *m == MarkKind::Reconnected)).await;
    let before = memory.look(|k| k.points.len());
    memory.wait("values again", |k| k.points.len() > before + 20).await;
    stop.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_property_that_is_not_there_is_named() {
    let Some(server) = Python::start("sila_server.py", "sila2") else { return };
    let config = config(server.port, "property = [{ id = \"org.example/bioreactor/Fermenter/v1/Property/Ph\" }]");
    let collector = Collector::new(&config);
    let error = collect(config, &collector, &Memory::default(), None, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code(), "E-LINK-003", "{error}");
    let findings = collector.report().remove(0).findings;
    assert!(findings.iter().any(|f| f.finding.code == "E-LINK-010"), "{findings:?}");
}
