//! A server on a free port of the loopback address, and the smallest HTTP client that can see it.

use crate::operations;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use toji_ops::{Operation, Options, Session};
use toji_server::{Front, Hosts, Limits, Party, Provider, router_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) session: Arc<Session>,
    pub(crate) stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

/// Small limits, so that the tests reach them.
pub(crate) fn limits() -> Limits {
    Limits {
        body_bytes_max: 64 << 10,
        upload_bytes_max: 256 << 10,
        at_once: 2,
        queue: Duration::from_millis(300),
        work: Duration::from_millis(1500),
        ..Limits::default()
    }
}

impl Server {
    /// With the tests' own operations.
    pub(crate) async fn own() -> Self {
        Self::over(operations::all(), limits()).await
    }
    /// With the registry of Toji.
    pub(crate) async fn real() -> Self {
        Self::over(toji_ops::operations(), Limits::default()).await
    }
    /// With the registry of Toji, as behind a proxy that speaks TLS.
    pub(crate) async fn behind_tls() -> Self {
        Self::at(
            toji_ops::operations(),
            Limits::default(),
            Front { hosts: Hosts::Any, behind_tls: true, second_factor: false, party: None, provider: None },
        )
        .await
    }
    /// With the registry of Toji, where everybody needs a second factor.
    pub(crate) async fn with_second_factor() -> Self {
        let front = Front { hosts: Hosts::Loopback, behind_tls: false, second_factor: true, party: None, provider: None };
        Self::at(toji_ops::operations(), Limits::default(), front).await
    }
    /// With the registry of Toji, at an origin that passkeys count for; at one with TLS everybody needs a second factor.
    pub(crate) async fn for_passkeys(origin: &str) -> Self {
        let (tls, party) = (origin.starts_with("https"), Some(Party::of_origin(origin).unwrap()));
        let front = Front {
            hosts: if tls { Hosts::Any } else { Hosts::Loopback },
            behind_tls: tls,
            second_factor: tls,
            party,
            provider: None,
        };
        Self::at(toji_ops::operations(), Limits::default(), front).await
    }
    /// With the registry of Toji, at an origin, with a provider where people may log in instead.
    pub(crate) async fn with_provider(origin: &str, provider: Provider) -> Self {
        let party = Some(Party::of_origin(origin).unwrap());
        let provider = Some(Arc::new(provider));
        let front = Front { hosts: Hosts::Loopback, behind_tls: false, second_factor: false, party, provider };
        Self::at(toji_ops::operations(), Limits::default(), front).await
    }
    async fn over(operations: &'static [Operation], limits: Limits) -> Self {
        Self::at(
            operations,
            limits,
            Front { hosts: Hosts::Loopback, behind_tls: false, second_factor: false, party: None, provider: None },
        )
        .await
    }
    async fn at(operations: &'static [Operation], limits: Limits, front: Front) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let session = Session::init(&folder.path().join("store"), Options::default()).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let router = router_of(Arc::clone(&session), operations, limits, front, stopped);
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, session, stop, _folder: folder }
    }

    /// Sends a request with `Host` and whatever else is given, and reads the whole answer.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            head.push_str(&format!("host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        // The server may refuse and close before it has read everything.
        let _ = socket.write_all(body).await;
        let mut bytes = Vec::new();
        let _ = socket.read_to_end(&mut bytes).await;
        Answer::read(&bytes)
    }
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").await
    }
    pub(crate) async fn post(&self, path: &str, body: &Json) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes()).await
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("no head in {bytes:?}"));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: BTreeMap<String, String> =
            lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned())).collect();
        let body = &bytes[end + 4..];
        let chunked = headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked");
        Self { status, body: if chunked { join_chunks(body) } else { body.to_vec() }, headers }
    }
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
    /// Everything of it: headers and body.
    pub(crate) fn raw(&self) -> String {
        format!("{:?} {}", self.headers, String::from_utf8_lossy(&self.body))
    }
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
    /// The answer is a problem of this status, code and category, in both languages.
    pub(crate) fn is_problem(&self, status: u16, code: &str, category: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json = self.json();
        assert_eq!((json["code"].as_str(), json["category"].as_str()), (Some(code), Some(category)), "{json}");
        assert_eq!(json["status"], status);
        assert!(!json["message"]["ja"].as_str().unwrap().is_empty() && !json["message"]["en"].as_str().unwrap().is_empty());
        assert!(json["diagnostics"].is_array());
    }
}

fn join_chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 || rest.len() < end + 2 + size {
            break;
        }
        out.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
    out
}
