//! A log-in at somebody else's: what an OpenID provider says of a person, and whether it is taken.
//!
//! OpenID Connect Core 1.0 with the authorization code, PKCE (RFC 7636), `state`, `nonce` and the issuer in the answer
//! (RFC 9207), within the best practice of RFC 9700. Nothing here speaks to a network or reads a clock.

mod jws;
#[cfg(test)]
mod tests;
mod token;

pub use jws::{ALGORITHMS, Keys};
pub use token::{Claims, Expected};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use std::fmt::Write as _;
use toji_core::{Digest, Text};

/// Bytes to draw for a state, a nonce, and the verifier of PKCE.
pub const SECRET_BYTES: usize = 32;
/// Seconds that a log-in at the provider may take.
pub const VALID_S: i64 = 600;

/// Why what a provider said is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It cannot be read.
    Unreadable,
    /// It is signed in a way that is not taken, or not at all.
    Algorithm,
    /// It is signed by a key that the provider does not name.
    Key,
    /// The signature does not fit.
    Signature,
    /// Another provider said it.
    Issuer,
    /// It is meant for somebody else.
    Audience,
    /// It has ended, or was made too long ago.
    Late,
    /// It is of the future.
    Early,
    /// It answers another log-in.
    Nonce,
    /// It names nobody.
    Subject,
    /// What the provider says of itself does not fit the configuration.
    Metadata,
    /// The provider does not give anything for the code.
    Code,
}

impl Wrong {
    /// For people.
    #[must_use]
    pub fn label(self) -> Text {
        let (ja, en) = match self {
            Self::Unreadable => ("応答を読めません", "the answer cannot be read"),
            Self::Algorithm => {
                ("署名の方式が使えないか、署名がありません", "it is signed in a way that is not taken, or not at all")
            }
            Self::Key => ("プロバイダーが公開していない鍵の署名です", "it is signed by a key that the provider does not name"),
            Self::Signature => ("署名が合いません", "the signature does not fit"),
            Self::Issuer => ("別の発行者のものです", "another provider said it"),
            Self::Audience => ("別の相手に宛てたものです", "it is meant for somebody else"),
            Self::Late => ("期限が切れています", "it has ended"),
            Self::Early => ("時刻が先です。時計を確かめてください", "it is of the future: look at the clocks"),
            Self::Nonce => ("別のログインへの応答です", "it answers another log-in"),
            Self::Subject => ("誰のものか分かりません", "it names nobody"),
            Self::Code => ("プロバイダーがコードを受け付けません", "the provider does not take the code"),
            Self::Metadata => ("プロバイダーの設定が合いません", "what the provider says of itself does not fit"),
        };
        Text::new(ja, en)
    }
}

/// What a provider says of itself (OpenID Connect Discovery 1.0 §3), as far as it is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    issuer: String,
    /// Where browsers are sent.
    pub authorization_endpoint: String,
    /// Where the code is exchanged.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Reads what stands under `/.well-known/openid-configuration` of an issuer.
    ///
    /// # Errors
    /// It is of another issuer, or names an address that is not safe.
    pub fn read(bytes: &[u8], issuer: &str) -> Result<Self, Wrong> {
        let metadata: Self = serde_json::from_slice(bytes).map_err(|_| Wrong::Unreadable)?;
        if metadata.issuer != issuer {
            return Err(Wrong::Issuer);
        }
        let addresses = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        if addresses.iter().all(|address| is_safe(address)) { Ok(metadata) } else { Err(Wrong::Metadata) }
    }
    /// May the client's secret be sent in the header? It is what providers take that name nothing.
    #[must_use]
    pub fn takes_basic(&self) -> bool {
        let named = self.token_endpoint_auth_methods_supported.as_ref();
        named.is_none_or(|named| named.iter().any(|method| method == "client_secret_basic"))
    }
    /// Is the issuer that came back with the code this one (RFC 9207 §2.4)?
    #[must_use]
    pub fn came_from(&self, issuer: Option<&str>) -> bool {
        match issuer {
            Some(issuer) => issuer == self.issuer,
            None => !self.authorization_response_iss_parameter_supported,
        }
    }
}

/// An address that a secret may be sent to: TLS, or this machine itself.
#[must_use]
pub fn is_safe(address: &str) -> bool {
    let after = |scheme: &str| address.strip_prefix(scheme).map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let plain = |host: &str| !host.is_empty() && !host.contains('@') && address.bytes().all(|b| b.is_ascii_graphic());
    if let Some(host) = after("https://") {
        return plain(host);
    }
    let Some(host) = after("http://").filter(|host| plain(host)) else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.parse::<u16>().is_ok() { name } else { host });
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// What is drawn for one log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// Comes back with the code.
    pub state: String,
    /// Stands in the token.
    pub nonce: String,
    /// Shows that the code was asked for here.
    pub verifier: String,
}

impl Secrets {
    /// From drawn bytes.
    #[must_use]
    pub fn draw(state: [u8; SECRET_BYTES], nonce: [u8; SECRET_BYTES], verifier: [u8; SECRET_BYTES]) -> Self {
        let code = |bytes: [u8; SECRET_BYTES]| URL_SAFE_NO_PAD.encode(bytes);
        Self { state: code(state), nonce: code(nonce), verifier: code(verifier) }
    }
    /// The challenge of PKCE: the hash of the verifier.
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Digest::of(self.verifier.as_bytes()).bytes())
    }
}

/// The address that a browser is sent to.
#[must_use]
pub fn authorization(metadata: &Metadata, client: &str, redirect: &str, scopes: &str, secrets: &Secrets) -> String {
    let query = form(&[
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", redirect),
        ("scope", scopes),
        ("state", &secrets.state),
        ("nonce", &secrets.nonce),
        ("code_challenge", &secrets.challenge()),
        ("code_challenge_method", "S256"),
    ]);
    let glue = if metadata.authorization_endpoint.contains('?') { '&' } else { '?' };
    format!("{}{glue}{query}", metadata.authorization_endpoint)
}

/// Fields as a form sends them.
#[must_use]
pub fn form(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect::<Vec<_>>().join("&")
}

/// Percent-encoding of everything but what RFC 3986 calls unreserved.
#[must_use]
pub fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}
