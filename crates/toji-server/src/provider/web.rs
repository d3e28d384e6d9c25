//! The one thing that Toji asks of a network by itself: a provider, over TLS, with limits on time and size, and
//! following nobody elsewhere.

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toji_core::{Error, Place, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long one question may take in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer, at most.
const ANSWER_MOST: usize = 256 << 10;

/// Asks a provider.
#[derive(Clone)]
pub(super) struct Web {
    tls: Arc<ClientConfig>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// For the log, in English.
    Silent(String),
    /// It refused.
    Refused(StatusCode),
}

impl NoAnswer {
    /// For the log.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Silent(why) => why.clone(),
            Self::Refused(status) => status.to_string(),
        }
    }
}

impl<E: std::fmt::Display> From<E> for NoAnswer {
    fn from(fault: E) -> Self {
        Self::Silent(fault.to_string())
    }
}

impl Web {
    /// With the certificates of the system, or those of a file alone.
    ///
    /// # Errors
    /// `E-PROVIDER-001`: the file holds none.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        match ca_file {
            Some(path) => {
                let read: std::result::Result<Vec<CertificateDer<'static>>, _> =
                    CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
                roots.add_parsable_certificates(read.unwrap_or_default());
                if roots.is_empty() {
                    return Err(Error::input(
                        "E-PROVIDER-001",
                        "プロバイダーの設定「ca_file」が正しくありません: 証明書がありません",
                        "the provider's setting `ca_file` is wrong: it holds no certificate",
                    )
                    .at(Place::field("ca_file"))
                    .hint("PEM 形式の証明書のファイルを指定してください", "name a file of certificates in PEM"));
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::bug("E-PROVIDER-007", e))?;
        Ok(Self { tls: Arc::new(config.with_root_certificates(roots).with_no_client_auth()) })
    }

    pub(super) async fn get(&self, address: &str) -> std::result::Result<Bytes, NoAnswer> {
        self.ask(Method::GET, address, None, String::new()).await
    }

    /// Sends a form, with the header that says who sends it.
    pub(super) async fn post(&self, address: &str, who: Option<&str>, form: String) -> std::result::Result<Bytes, NoAnswer> {
        self.ask(Method::POST, address, who, form).await
    }

    async fn ask(&self, method: Method, address: &str, who: Option<&str>, form: String) -> std::result::Result<Bytes, NoAnswer> {
        let asked = self.talk(method, address, who, form);
        timeout(PATIENCE, asked).await?
    }

    async fn talk(&self, method: Method, address: &str, who: Option<&str>, form: String) -> std::result::Result<Bytes, NoAnswer> {
        let uri: Uri = address.parse()?;
        let secure = uri.scheme_str() == Some("https");
        let authority = uri.authority().ok_or("no host")?.clone();
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str);
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::HOST, authority.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("toji/", env!("CARGO_PKG_VERSION")));
        if method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        if let Some(who) = who {
            request = request.header(header::AUTHORIZATION, who);
        }
        let request = request.body(Full::new(Bytes::from(form)))?;
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        if !secure {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(host)?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await?;
        exchange(stream, request).await
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> std::result::Result<Bytes, NoAnswer> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answer: std::result::Result<Bytes, NoAnswer> = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_MOST);
        let body = body.collect().await?.to_bytes();
        if status == StatusCode::OK { Ok(body) } else { Err(NoAnswer::Refused(status)) }
    }
    .await;
    connection.abort();
    answer
}
