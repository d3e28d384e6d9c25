//! Who may speak to the server, and what the browser is told to allow.
//!
//! A store without users on the loopback address has no password, so a page of another site open in the same
//! browser must reach nothing: its name resolved to 127.0.0.1 (DNS rebinding) is stopped by the
//! `Host` check, its forms and scripts by the `Origin` check and by the demand for a content type that
//! a plain form cannot send.

use crate::face::Face;
use crate::problem::Refusal;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use toji_core::{Category, Error};

/// Which `Host` headers are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// Only names of this machine itself: `localhost` and loopback addresses, with any port (a
    /// forwarded port differs from ours and is as safe).
    Loopback,
    /// Any: the operator bound another address and guards it.
    Any,
}

impl Hosts {
    /// What fits a bound address.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        if address.ip().is_loopback() { Self::Loopback } else { Self::Any }
    }

    fn allows(self, host: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Loopback => host.and_then(|host| host.parse::<Authority>().ok()).is_some_and(|host| is_loopback(host.host())),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Stops strangers before any handler.
pub(crate) async fn check(State(face): State<Arc<Face>>, request: Request, next: Next) -> Response {
    let host = host_of(&request);
    if !face.front.hosts.allows(host.as_deref()) {
        let host = host.unwrap_or_default();
        let error = Error::new(
            Category::Denied,
            "E-HTTP-001",
            format!("このサーバーの名前ではありません: 「{host}」"),
            format!("this is not a name of this server: \"{host}\""),
        )
        .hint("http://localhost で開いてください", "open it as http://localhost");
        return Refusal::from(error).status(StatusCode::MISDIRECTED_REQUEST).into_response();
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && is_foreign(request.headers(), host.as_deref()) {
        let error = Error::new(
            Category::Denied,
            "E-HTTP-002",
            "別のサイトのページからの書き込みは受け付けません",
            "writes from pages of another site are refused",
        );
        return Refusal::from(error).into_response();
    }
    let mut response = next.run(request).await;
    if face.front.behind_tls {
        let only_tls = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, only_tls);
    }
    response
}

fn host_of(request: &Request) -> Option<String> {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    header.or_else(|| request.uri().authority().map(ToString::to_string))
}

/// Does a browser say that the request comes from a page of another origin?
fn is_foreign(headers: &HeaderMap, host: Option<&str>) -> bool {
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let Ok(origin) = origin.to_str() else { return true };
    // Behind a proxy the scheme may differ from ours; the authority may not.
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    match (authority, host) {
        (Some(authority), Some(host)) => !authority.eq_ignore_ascii_case(host),
        _ => true,
    }
}

/// Is the body JSON by its content type?
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
    object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Headers of every answer.
pub(crate) async fn harden(mut response: Response) -> Response {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Data of a store does not belong into a cache that others may read; pages say their own.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_pass_on_loopback() {
        let check = |host: &str, expected: bool| assert_eq!(Hosts::Loopback.allows(Some(host)), expected, "{host}");
        check("localhost", true);
        check("LOCALHOST:8080", true);
        check("127.0.0.1:8080", true);
        check("127.9.9.9", true);
        check("[::1]:8080", true);
        check("rebound.example", false);
        check("localhost.rebound.example:8080", false);
        check("127.0.0.1.rebound.example", false);
        check("localhost@rebound.example", false);
        check("10.0.0.1:8080", false);
        check("", false);
        assert!(!Hosts::Loopback.allows(None));
        assert!(Hosts::Any.allows(Some("lab.example")));
    }

    #[test]
    fn a_foreign_page_is_seen() {
        let check = |pairs: &[(&'static str, &'static str)], expected: bool| {
            let headers: HeaderMap =
                pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect();
            assert_eq!(is_foreign(&headers, Some("localhost:8080")), expected, "{pairs:?}");
        };
        check(&[], false);
        check(&[("origin", "http://localhost:8080")], false);
        check(&[("origin", "https://localhost:8080")], false);
        check(&[("origin", "http://localhost:3000")], true);
        check(&[("origin", "https://elsewhere.example")], true);
        check(&[("origin", "null")], true);
        check(&[("sec-fetch-site", "cross-site")], true);
        check(&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080")], false);
    }
}
