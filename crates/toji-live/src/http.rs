//! A Toji server far away as a sink: `POST /api/v1/live/append`, one request an append.
//!
//! Plain HTTP: between sites put it into a tunnel (WireGuard, SSH, a proxy with TLS at both ends).

use crate::fault;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use toji_core::live::{Ack, Acknowledging, Batch, Sink};
use toji_core::{Error, Result};

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The `live append` of a Toji server.
pub struct Remote {
    client: Client<HttpConnector, Full<Bytes>>,
    address: hyper::Uri,
    name: String,
}

#[derive(Deserialize)]
struct Problem {
    code: Option<String>,
    category: Option<String>,
    message: Option<toji_core::Text>,
}

impl Remote {
    /// A server by its address, `http://host:port`.
    ///
    /// # Errors
    /// Not such an address.
    pub fn new(url: &str) -> Result<Self> {
        let bad = || {
            let place = toji_core::Place::field("server.url");
            fault::config(
                place,
                format!("http://ホスト:ポート の形ではありません: {url}"),
                format!("not of the form http://host:port: {url}"),
            )
        };
        if !url.starts_with("http://") {
            return Err(bad());
        }
        let address = format!("{}/api/v1/live/append", url.trim_end_matches('/')).parse().map_err(|_| bad())?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { client, address, name: url.to_owned() })
    }

    async fn send(&self, batches: Vec<Batch>) -> Result<Ack> {
        #[derive(serde::Serialize)]
        struct Input {
            batches: Vec<Batch>,
        }
        let body = serde_json::to_vec(&Input { batches }).map_err(|e| Error::bug("B-LINK-001", e))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.address.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| Error::bug("B-LINK-004", e))?;
        let response = self.client.request(request).await.map_err(|e| fault::away(&self.name, chain(&e)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|e| fault::away(&self.name, e))?.to_bytes();
        self.answer(status, &body)
    }

    fn answer(&self, status: StatusCode, body: &[u8]) -> Result<Ack> {
        if status.is_success() {
            // Another server's counts may have more fields; what matters is the yes.
            return Ok(serde_json::from_slice(body).unwrap_or_default());
        }
        let problem: Option<Problem> = serde_json::from_slice(body).ok();
        let said = problem.as_ref().and_then(|p| p.message.clone());
        let said = said.map_or_else(|| status.to_string(), |text| text.en);
        let code = problem.as_ref().and_then(|p| p.code.clone()).unwrap_or_default();
        let category = problem.and_then(|p| p.category).unwrap_or_default();
        if category == "input" {
            // The server understood and refuses what the batches say.
            return Err(Error::input(
                "E-LINK-007",
                format!("サーバーが拒否しました: {code} {said}"),
                format!("the server refuses: {code} {said}"),
            ));
        }
        Err(fault::away(&self.name, format!("{status} {code} {said}")))
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Sink for Remote {
    fn append(&self, batches: Vec<Batch>) -> Acknowledging<'_> {
        Box::pin(self.send(batches))
    }
}

/// An error with its causes: «client error (Connect): connection refused».
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}
