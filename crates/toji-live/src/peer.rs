//! Another Toji server, spoken to as one of its users: operations, files there and back.
//!
//! Plain HTTP, as [`crate::http`]: between sites put it into a tunnel or behind proxies with TLS at both ends. Nothing
//! of a token or a body reaches a log.

use crate::{fault, http};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value as Json, json};
use std::time::Duration;
use toji_core::{Category, Error, Result, Text};

/// Bytes of an answer in JSON that are read.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Bytes of a file that are read.
const FILE_BYTES_MAX: usize = 1 << 30;
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(150);
/// Waits between tries while the far end cannot be reached.
const WAITS: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];
/// What parts a form; no file holds it by chance, and one that holds it on purpose is refused.
const BOUNDARY: &str = "toji-7c1e5b0a92d94f6d8b3a-part";

/// A Toji server.
pub struct Peer {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    token: Option<String>,
    purpose: Option<String>,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What a request carries.
enum Content {
    Json(Json),
    Form(Bytes),
}

impl Peer {
    /// A server by its address, `http://host:port`.
    ///
    /// # Errors
    /// Not such an address.
    pub fn new(url: &str) -> Result<Self> {
        let url = url.trim_end_matches('/');
        let fine = url.strip_prefix("http://").is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '?', '#', '@']));
        if !fine || url.parse::<hyper::Uri>().is_err() {
            return Err(fault::config(
                toji_core::Place::field("url"),
                format!("http://ホスト:ポート の形ではありません: {url}"),
                format!("not of the form http://host:port: {url}"),
            )
            .hint("TLS はトンネルまたは手前のプロキシで加えてください", "add TLS by a tunnel, or by a proxy on this machine"));
        }
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { client, url: url.to_owned(), token: None, purpose: None })
    }

    /// Asks from now on with the token of a session, for a purpose.
    pub fn enter(&mut self, token: &str, purpose: Option<&str>) {
        self.token = Some(token.to_owned());
        self.purpose = purpose.map(str::to_owned);
    }

    /// Calls a path below `/api/v1` with JSON.
    ///
    /// # Errors
    /// `E-LINK-001` the server cannot be reached, also after several tries; `E-LINK-014` what it refuses, in its words.
    pub async fn call(&self, path: &str, input: &Json) -> Result<Json> {
        let body = self.send(path, Content::Json(input.clone()), None, ANSWER_BYTES_MAX).await?;
        serde_json::from_slice(&body).map_err(|e| fault::odd_answer(&self.url, e))
    }

    /// Calls an operation that hands out a file.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn fetch(&self, path: &str, input: &Json) -> Result<Vec<u8>> {
        let body = self.send(path, Content::Json(input.clone()), Some("application/octet-stream"), FILE_BYTES_MAX).await?;
        Ok(body.to_vec())
    }

    /// Ends the session; whatever comes of it, this end forgets its token.
    pub async fn leave(&mut self) {
        let _ = tokio::time::timeout(
            Duration::from_secs(10),
            self.once(Method::DELETE, "session", "application/json", Bytes::new(), None, ANSWER_BYTES_MAX),
        )
        .await;
        self.token = None;
    }

    /// Sends a file; it is kept there for whoever sent it.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn upload(&self, name: &str, bytes: &[u8]) -> Result<()> {
        if bytes.windows(BOUNDARY.len()).any(|w| w == BOUNDARY.as_bytes()) {
            return Err(Error::input("E-LINK-015", "この内容は送れません", "this content cannot be sent as a form"));
        }
        let name: String = name.chars().map(|c| if c == '"' || c == '\\' || c.is_control() { '_' } else { c }).collect();
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let mut body = Vec::with_capacity(head.len() + bytes.len() + 64);
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        self.send("upload", Content::Form(Bytes::from(body)), None, ANSWER_BYTES_MAX).await.map(|_| ())
    }

    /// One request, tried again while the server cannot be reached or is busy. Every call is such that doing it twice
    /// does no more than once.
    async fn send(&self, path: &str, content: Content, accept: Option<&str>, most: usize) -> Result<Bytes> {
        let (kind, body) = match content {
            Content::Json(json) => {
                let bytes = serde_json::to_vec(&json).map_err(|e| Error::bug("B-LINK-005", e))?;
                ("application/json".to_owned(), Bytes::from(bytes))
            }
            Content::Form(bytes) => (format!("multipart/form-data; boundary={BOUNDARY}"), bytes),
        };
        let mut waits = WAITS.iter();
        loop {
            let tried = tokio::time::timeout(PATIENCE, self.once(Method::POST, path, &kind, body.clone(), accept, most)).await;
            let tried = tried.unwrap_or_else(|_| Err(fault::away(&self.url, "it does not answer in time")));
            match tried {
                Err(error) if error.code() == "E-LINK-001" => match waits.next() {
                    Some(wait) => tokio::time::sleep(*wait).await,
                    None => return Err(error),
                },
                done => return done,
            }
        }
    }

    async fn once(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Bytes,
        accept: Option<&str>,
        most: usize,
    ) -> Result<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/api/v1/{path}", self.url))
            .header(header::CONTENT_TYPE, kind)
            .header(header::ACCEPT, accept.unwrap_or("application/json"));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(purpose) = &self.purpose {
            request = request.header("toji-purpose", purpose);
        }
        let request = request.body(Full::new(body)).map_err(|e| Error::bug("B-LINK-005", e))?;
        let response = self.client.request(request).await.map_err(|e| fault::away(&self.url, http::chain(&e)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), most).collect().await.map_err(|e| fault::away(&self.url, e))?;
        let body = body.to_bytes();
        if status.is_success() { Ok(body) } else { Err(self.refused(status, &body)) }
    }

    /// What the server said, in its own words.
    fn refused(&self, status: StatusCode, body: &[u8]) -> Error {
        let said: Json = serde_json::from_slice(body).unwrap_or_else(|_| json!({}));
        let category = said.get("category").cloned().and_then(|c| serde_json::from_value::<Category>(c).ok());
        let text = |name: &str| said.get(name).cloned().and_then(|t| serde_json::from_value::<Text>(t).ok());
        let Some((category, message)) = category.zip(text("message")) else {
            return fault::away(&self.url, status);
        };
        let code = said.get("code").and_then(Json::as_str).unwrap_or_default();
        if category == Category::Storage || status == StatusCode::SERVICE_UNAVAILABLE {
            return fault::away(&self.url, format!("{code} {}", message.en));
        }
        let error = Error::new(
            category,
            "E-LINK-014",
            format!("相手のノードの答え（{code}）: {}", message.ja),
            format!("the other node says ({code}): {}", message.en),
        );
        match text("hint") {
            Some(hint) => error.hint(hint.ja, hint.en),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hosts_and_nothing_more() {
        for good in ["http://127.0.0.1:8080", "http://platform.example:80/", "http://[::1]:8080"] {
            assert!(Peer::new(good).is_ok(), "{good}");
        }
        for bad in ["", "https://a.example", "http://", "http://a/b", "http://u:p@a", "ftp://a", "http://a?b", "http://a b"] {
            assert!(Peer::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_server_refuses_is_told_in_its_words_and_only_what_may_pass_is_tried_again() {
        let peer = Peer::new("http://127.0.0.1:9").unwrap();
        let body = r#"{"code":"E-X-1","category":"denied","message":{"ja":"だめ","en":"no"},"hint":{"ja":"聞く","en":"ask"}}"#;
        let error = peer.refused(StatusCode::FORBIDDEN, body.as_bytes());
        assert_eq!((error.code(), error.category()), ("E-LINK-014", Category::Denied));
        assert!(error.fault().message.en.contains("E-X-1") && error.fault().message.ja.contains("だめ"));
        assert_eq!(error.fault().hint.as_ref().map(|h| h.en.as_str()), Some("ask"));
        assert_eq!(peer.refused(StatusCode::BAD_GATEWAY, b"<html>").code(), "E-LINK-001");
        let full = r#"{"code":"E-STORE-001","category":"storage","message":{"ja":"満杯","en":"full"}}"#;
        assert_eq!(peer.refused(StatusCode::INSUFFICIENT_STORAGE, full.as_bytes()).code(), "E-LINK-001");
    }
}
