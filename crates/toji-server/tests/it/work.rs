//! Work that takes long: time limits, turns, jobs and their events.

use crate::client::{Server, limits};
use crate::operations::STOPPED;
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use toji_server::ServeOptions;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_beyond_the_limit_is_stopped_and_the_crowd_is_turned_away() {
    let server = std::sync::Arc::new(Server::own().await);
    STOPPED.store(false, Ordering::SeqCst);
    let begun = Instant::now();
    let slow: Vec<_> = (0..2)
        .map(|_| {
            let server = std::sync::Arc::clone(&server);
            tokio::spawn(async move { server.get("/api/v1/test/dawdle").await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Both turns are taken.
    server.get("/api/v1/test/echo").await.is_problem(503, "E-HTTP-010", "limit");
    for answer in slow {
        answer.await.unwrap().is_problem(504, "E-HTTP-012", "limit");
    }
    assert!(begun.elapsed() < Duration::from_secs(8), "the limit is {:?}", limits().work);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(STOPPED.load(Ordering::SeqCst), "the work was told to stop");
    assert_eq!(server.get("/api/v1/test/echo").await.status, 200);
}

#[tokio::test]
async fn long_work_becomes_a_job_with_events() {
    let server = Server::real().await;
    let headers = [("content-type", "application/json"), ("prefer", "respond-async")];
    let taken = server.send("POST", "/api/v1/store/status", &headers, b"{}").await;
    assert_eq!(taken.status, 202, "{}", taken.text());
    let job = taken.json()["job"].as_str().unwrap().to_owned();
    assert_eq!(taken.header("location"), format!("/api/v1/jobs/{job}"));
    let events = server.get(&format!("/api/v1/jobs/{job}/events")).await;
    assert_eq!(events.header("content-type"), "text/event-stream");
    let text = events.text();
    let states: Vec<serde_json::Value> =
        text.lines().filter_map(|line| line.strip_prefix("data: ")).map(|data| serde_json::from_str(data).unwrap()).collect();
    let last = states.last().unwrap();
    assert_eq!((last["id"].as_str(), last["state"].as_str()), (Some(job.as_str()), Some("done")), "{text}");
    assert_eq!(last["operation"], "store status");
    assert!(last["output"].is_object());
    assert_eq!(states.iter().filter(|state| state["state"] == "done").count(), 1, "the stream ends with the end of the job");
    let shown = server.get(&format!("/api/v1/jobs/{job}")).await.json();
    assert_eq!(shown["output"], last["output"]);
}

#[tokio::test]
async fn a_job_that_is_refused_says_why() {
    let server = Server::real().await;
    let headers = [("content-type", "application/json"), ("prefer", "respond-async")];
    let taken = server.send("POST", "/api/v1/run/import", &headers, br#"{"paths":["no-such-file.csv"]}"#).await;
    assert_eq!(taken.status, 202, "{}", taken.text());
    let job = taken.json()["job"].as_str().unwrap().to_owned();
    let events = server.get(&format!("/api/v1/jobs/{job}/events")).await.text();
    let last: serde_json::Value =
        serde_json::from_str(events.lines().rev().find_map(|l| l.strip_prefix("data: ")).unwrap()).unwrap();
    assert_eq!(last["state"], "failed", "{last}");
    assert!(last["error"]["code"].as_str().unwrap().starts_with("E-"), "{last}");
    assert!(last["error"]["type"].as_str().unwrap().starts_with("urn:toji:problem:E-") && last["error"]["status"].is_u64());
    assert!(!last["error"]["message"]["ja"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn jobs_that_do_not_exist_are_not_found() {
    let server = Server::real().await;
    for (method, path) in
        [("GET", "/api/v1/jobs/job-none"), ("DELETE", "/api/v1/jobs/job-none"), ("GET", "/api/v1/jobs/job-none/events")]
    {
        let answer = server.send(method, path, &[], b"").await;
        assert_eq!((answer.status, answer.json()["category"].as_str()), (404, Some("not-found")), "{method} {path}");
    }
}

fn form(parts: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (field, name, bytes) in parts {
        out.extend(format!("--edge\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\r\n").bytes());
        out.extend(*bytes);
        out.extend(b"\r\n");
    }
    out.extend(b"--edge--\r\n");
    out
}

#[tokio::test]
async fn uploads_are_kept_byte_for_byte() {
    let server = Server::own().await;
    let kind = ("content-type", "multipart/form-data; boundary=edge");
    let body = form(&[("file", "C:\\data\\発酵.csv", b"abc"), ("note", "x", b"ignored"), ("file", "b.bin", &[0, 255, 13, 10])]);
    let answer = server.send("POST", "/api/v1/upload", &[kind], &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let files = answer.json()["files"].clone();
    // FIPS 180-4 example for "abc".
    let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(files[0], json!({"name": "発酵.csv", "address": abc, "bytes": 3}));
    assert_eq!((files[1]["name"].as_str(), files[1]["bytes"].as_u64()), (Some("b.bin"), Some(4)));
    assert_eq!(files.as_array().unwrap().len(), 2);
    let refuse = async |kind: &str, body: &[u8], status: u16, code: &str| {
        let answer = server.send("POST", "/api/v1/upload", &[("content-type", kind)], body).await;
        answer.is_problem(status, code, answer.json()["category"].as_str().unwrap());
    };
    refuse("text/plain", b"abc", 415, "E-UPLOAD-001").await;
    refuse(kind.1, &form(&[("other", "x", b"abc")]), 422, "E-UPLOAD-002").await;
    refuse(kind.1, &form(&[("file", "..", b"abc")]), 422, "E-UPLOAD-004").await;
    refuse(kind.1, b"--edge\r\ncontent-dispo", 422, "E-UPLOAD-006").await;
}

#[tokio::test]
async fn uploads_have_a_limit() {
    let server = Server::own().await;
    let body = form(&[("file", "big.bin", &vec![7; 300 << 10])]);
    let kind = ("content-type", "multipart/form-data; boundary=edge");
    let answer = server.send("POST", "/api/v1/upload", &[kind], &body).await;
    answer.is_problem(413, "E-UPLOAD-005", "limit");
}

#[tokio::test]
async fn the_server_ends_when_told_and_frees_its_port() {
    let server = Server::own().await;
    let options = ServeOptions { address: (Ipv4Addr::LOCALHOST, 0).into(), ..ServeOptions::default() };
    let bound = toji_server::Server::bind(std::sync::Arc::clone(&server.session), options.clone()).await.unwrap();
    let address = bound.address();
    let taken = ServeOptions { address, ..options };
    let refused = toji_server::Server::bind(std::sync::Arc::clone(&server.session), taken).await;
    assert_eq!(refused.err().unwrap().code(), "E-SERVE-001");
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(bound.run_until(async move {
        let _ = ended.await;
    }));
    assert!(tokio::net::TcpStream::connect(address).await.is_ok());
    end.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    let _ = server.stop.send(true);
}
