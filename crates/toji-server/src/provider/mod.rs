//! A log-in at an OpenID provider, where one is configured: `/api/v1/session/provider`.
//!
//! The browser is sent there and comes back to the page `/signed-in`, which hands code and state to this server. What
//! the provider says is checked by `toji_commons`; who that is here, the configuration says. Local accounts need none of
//! it, and go on when the provider is silent.

mod settings;
mod web;

pub use settings::ProviderSettings;

use crate::face::{Face, now};
use crate::login::{answer, read, refuse};
use crate::problem::Refusal;
use crate::who::{Who, cookie_of};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use toji_core::{Category, Error, Instant, Result};
use toji_ops::provider::{Claims, Expected, Keys, Metadata, Secrets, Wrong, authorization, form, percent};
use tokio::sync::Mutex;
use web::{NoAnswer, Web};

/// The page that the provider sends browsers back to.
const BACK: &str = "/signed-in";
/// The cookie of a log-in that is under way, and behind TLS.
const PLAIN: &str = "toji-provider";
const SECURE: &str = "__Host-toji-provider";
/// Seconds it is kept.
const KEPT_S: u32 = 600;
/// How long what a provider says of itself, and its keys, are kept: an hour.
const FRESH_NS: i64 = 3_600_000_000_000;
/// How long after its keys were asked for a token with an unknown key asks for them again: a minute.
const AGAIN_NS: i64 = 60_000_000_000;

/// How long nobody asks a provider again that gave no answer: 5 s. Whoever comes meanwhile is told at once.
const REST_NS: i64 = 5_000_000_000;

/// A provider, ready to be asked.
pub struct Provider {
    settings: ProviderSettings,
    web: Web,
    known: Mutex<Known>,
    again_ns: i64,
}

/// What was learnt of it, and when.
#[derive(Default)]
struct Known {
    /// When it was asked last and gave no answer.
    silent: Option<Instant>,
    metadata: Option<(Metadata, Instant)>,
    keys: Option<(Keys, Instant)>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({})", self.settings.issuer)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CameBack {
    code: String,
    state: String,
    /// Which provider sent the browser back, when it says so.
    #[serde(default)]
    iss: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

fn silent(why: &NoAnswer) -> Error {
    tracing::warn!(target: "toji::login", why = why.said(), "the provider gave no answer");
    Error::new(Category::Storage, "E-PROVIDER-002", "プロバイダーから応答がありません", "the provider gives no answer").hint(
        "しばらくしてからやり直すか、パスワードかパスキーでログインしてください",
        "try again later, or log in with your password or a passkey",
    )
}

fn not_taken(wrong: Wrong) -> Error {
    tracing::warn!(target: "toji::login", reason = ?wrong, "what the provider says is not taken");
    let label = wrong.label();
    Error::new(
        Category::Denied,
        "E-PROVIDER-004",
        format!("プロバイダーの応答を受け付けられません: {}", label.ja),
        format!("what the provider says is not taken: {}", label.en),
    )
    .hint("やり直しても続くときは、管理者に知らせてください", "when it happens again, tell an administrator")
}

impl Provider {
    /// From its configuration; it is not asked yet.
    ///
    /// # Errors
    /// `E-PROVIDER-001`: its certificates cannot be read.
    pub fn new(settings: ProviderSettings) -> Result<Self> {
        let web = Web::new(settings.ca_file.as_deref())?;
        Ok(Self { settings, web, known: Mutex::default(), again_ns: AGAIN_NS })
    }

    /// How long after its keys were asked for an unknown one makes ask again, in place of a minute.
    #[must_use]
    pub fn asked_again_after(self, pause: Duration) -> Self {
        Self { again_ns: i64::try_from(pause.as_nanos()).unwrap_or(i64::MAX), ..self }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    async fn learn(&self, known: &mut Known, address: &str, now: Instant) -> Result<Bytes> {
        if known.silent.is_some_and(|at| is_within(at, now, REST_NS)) {
            return Err(silent(&NoAnswer::Silent("it gave none a moment ago".into())));
        }
        let asked = self.web.get(address).await;
        known.silent = asked.is_err().then_some(now);
        asked.map_err(|why| silent(&why))
    }

    async fn metadata(&self, now: Instant) -> Result<Metadata> {
        let mut known = self.known.lock().await;
        if let Some((metadata, at)) = &known.metadata
            && is_within(*at, now, FRESH_NS)
        {
            return Ok(metadata.clone());
        }
        let address = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        let bytes = self.learn(&mut known, &address, now).await?;
        let metadata = Metadata::read(&bytes, &self.settings.issuer).map_err(not_taken)?;
        known.metadata = Some((metadata.clone(), now));
        Ok(metadata)
    }

    /// What a token says, by the keys that are known, or by newer ones when it names one that is not.
    async fn open(&self, token: &str, metadata: &Metadata, now: Instant) -> Result<Vec<u8>> {
        let mut known = self.known.lock().await;
        if let Some((keys, at)) = &known.keys
            && is_within(*at, now, FRESH_NS)
        {
            match keys.open(token) {
                Err(Wrong::Key) if !is_within(*at, now, self.again_ns) => {}
                opened => return opened.map_err(not_taken),
            }
        }
        let bytes = self.learn(&mut known, &metadata.jwks_uri, now).await?;
        let keys = Keys::read(&bytes).map_err(not_taken)?;
        let opened = keys.open(token);
        known.keys = Some((keys, now));
        opened.map_err(not_taken)
    }

    async fn exchange(&self, metadata: &Metadata, code: &str, redirect: &str, secrets: &Secrets) -> Result<String> {
        let client = self.settings.client_id.as_str();
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", secrets.verifier.as_str()),
        ];
        let mut who = None;
        match &self.settings.secret {
            Some(secret) if metadata.takes_basic() => {
                // RFC 6749 §2.3.1: both are encoded as forms are, first.
                who = Some(format!("Basic {}", STANDARD.encode(format!("{}:{}", percent(client), percent(secret)))));
            }
            Some(secret) => fields.extend([("client_id", client), ("client_secret", secret.as_str())]),
            None => fields.push(("client_id", client)),
        }
        let bytes = self.web.post(&metadata.token_endpoint, who.as_deref(), form(&fields)).await;
        let bytes = bytes.map_err(|why| match why {
            NoAnswer::Refused(status) if status.is_client_error() => not_taken(Wrong::Code),
            why => silent(&why),
        })?;
        let tokens: Tokens = serde_json::from_slice(&bytes).map_err(|_| not_taken(Wrong::Unreadable))?;
        Ok(tokens.id_token)
    }

    /// Who came back, checked.
    async fn person(&self, back: &CameBack, redirect: &str, secrets: &Secrets) -> Result<Claims> {
        let metadata = self.metadata(now()).await?;
        if !metadata.came_from(back.iss.as_deref()) {
            return Err(not_taken(Wrong::Issuer));
        }
        let token = self.exchange(&metadata, &back.code, redirect, secrets).await?;
        let payload = self.open(&token, &metadata, now()).await?;
        let (issuer, client) = (self.settings.issuer.as_str(), self.settings.client_id.as_str());
        let expected = Expected { issuer, client, nonce: &secrets.nonce, now: now() };
        expected.check(&payload).map_err(not_taken)
    }

    /// Which user of the store somebody is.
    fn user(&self, person: &Claims) -> Result<&str> {
        let said = person.text(&self.settings.claim);
        let user = said.and_then(|said| self.settings.users.get(said));
        user.map(String::as_str).ok_or_else(|| {
            tracing::warn!(target: "toji::login", "the provider vouches for somebody who is no user here");
            Error::new(
                Category::Denied,
                "E-PROVIDER-006",
                "プロバイダーの利用者に対応する利用者が、この保存先にありません",
                "whoever you are at the provider is no user of this store",
            )
            .hint("管理者に、設定への追加を依頼してください", "ask an administrator to add you to the configuration")
        })
    }
}

fn is_within(at: Instant, now: Instant, ns: i64) -> bool {
    let age = now.0.saturating_sub(at.0);
    (0..ns).contains(&age)
}

/// A provider that is silent is no fault of this server.
fn refusal(error: Error) -> Refusal {
    let silent = error.category() == Category::Storage;
    let refusal = Refusal::from(error);
    if silent { refusal.status(StatusCode::BAD_GATEWAY) } else { refusal }
}

fn provider(face: &Face) -> Result<(&Provider, String), Refusal> {
    match (&face.front.provider, &face.front.party) {
        (Some(provider), Some(party)) => Ok((provider, format!("{}{BACK}", party.origin()))),
        _ => Err(Refusal::from(
            Error::not_found("E-PROVIDER-008", "プロバイダーは設定されていません", "no provider is configured")
                .hint("toji serve --provider で設定できます", "configure one with `toji serve --provider`"),
        )),
    }
}

/// `POST /api/v1/session/provider/begin`: where to send the browser.
pub(crate) async fn begin(
    State(face): State<Arc<Face>>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Result<Response, Refusal> {
    let _: serde_json::Map<String, serde_json::Value> = read(&face, request).await?;
    let (provider, redirect) = provider(&face)?;
    let metadata = provider.metadata(now()).await.map_err(refusal)?;
    let (secrets, ticket) = face.session.begin_provider(&who.client, now())?;
    let scopes: Vec<&str> = std::iter::once("openid").chain(provider.settings.scopes.iter().map(String::as_str)).collect();
    let address = authorization(&metadata, &provider.settings.client_id, &redirect, &scopes.join(" "), &secrets);
    let mut response = Json(json!({"address": address})).into_response();
    let (name, secure) = if face.front.behind_tls { (SECURE, "; Secure") } else { (PLAIN, "") };
    let cookie = format!("{name}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={KEPT_S}{secure}", ticket.reveal());
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `POST /api/v1/session/provider`: the browser is back.
pub(crate) async fn enter(
    State(face): State<Arc<Face>>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Result<Response, Refusal> {
    let ticket = cookie_of(request.headers(), if face.front.behind_tls { SECURE } else { PLAIN });
    let back: CameBack = read(&face, request).await?;
    let (provider, redirect) = provider(&face)?;
    let secrets = match face.session.take_provider(ticket.as_deref(), &back.state, &who.client, now()) {
        Ok(secrets) => secrets,
        Err(not_in) => return Ok(refuse(not_in)),
    };
    let person = provider.person(&back, &redirect, &secrets).await.map_err(refusal)?;
    let user = provider.user(&person)?;
    let vouches = provider.settings.asks_second_factor;
    let entered = face.session.provider_log_in(user, vouches, who.token.as_deref(), &who.client, now()).await;
    Ok(answer(&face, entered, false))
}
