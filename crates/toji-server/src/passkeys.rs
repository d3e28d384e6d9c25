//! Passkeys over HTTP: `/api/v1/session/passkeys` for one's own, `/api/v1/session/passkey` to log in.
//!
//! What browser and authenticator say is handed on as it is. The challenge of a log-in is bound to the browser by a
//! cookie of its own, which counts once.

use crate::face::{Face, now};
use crate::login::{answer, is_bearer, read, refuse, with_caller};
use crate::problem::Refusal;
use crate::who::{Who, cookie_of, log_in};
use axum::Json;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use toji_core::{Category, Error, Result};
use toji_ops::{Assertion, Caller, Party, Registration};

/// The cookie of a challenge, and behind TLS.
const PLAIN: &str = "toji-passkey";
const SECURE: &str = "__Host-toji-passkey";
/// Seconds a cookie is kept: as long as a challenge counts.
const KEPT_S: u32 = 300;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    password: String,
    #[serde(default)]
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    name: String,
    credential: Registration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remove {
    id: String,
    password: String,
    #[serde(default)]
    code: Option<String>,
}

/// With user and password, a passkey beside them; without, a passkey alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BeginLogIn {
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    password: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    credential: Assertion,
}

fn party(face: &Face) -> Result<&Party, Refusal> {
    face.front.party.as_ref().ok_or_else(|| {
        Error::new(
            Category::Conflict,
            "E-PASSKEY-009",
            "このサーバーではパスキーを使えません。名前 (オリジン) が決まっていません",
            "passkeys cannot be used at this server: its name is not known",
        )
        .hint("toji serve --origin https://名前 で起動してください", "start it with `toji serve --origin https://name`")
        .into()
    })
}

fn cookie_name(face: &Face) -> &'static str {
    if face.front.behind_tls { SECURE } else { PLAIN }
}

fn set_cookie(response: &mut Response, face: &Face, ticket: &str) {
    let secure = if face.front.behind_tls { "; Secure" } else { "" };
    let cookie = format!("{}={ticket}; Path=/; HttpOnly; SameSite=Strict; Max-Age={KEPT_S}{secure}", cookie_name(face));
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// `GET /api/v1/session/passkeys`.
pub(crate) async fn list(State(face): State<Arc<Face>>, Extension(who): Extension<Who>) -> Result<Response, Refusal> {
    let caller = who.caller.as_ref().ok_or_else(log_in)?;
    Ok(Json(json!({"passkeys": face.session.passkeys(caller).await?})).into_response())
}

/// `POST /api/v1/session/passkeys/{step}`: `begin`, `rename` or `remove`.
pub(crate) async fn change(
    State(face): State<Arc<Face>>,
    Path(step): Path<String>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Result<Response, Refusal> {
    let by_cookie = !is_bearer(request.headers());
    match step.as_str() {
        "begin" => {
            let (caller, body): (Caller, Begin) = with_caller(&face, &who, request).await?;
            let party = party(&face)?;
            let begun =
                face.session.begin_passkey(&caller, party, &body.password, body.code.as_deref(), &who.client, now()).await;
            Ok(begun.map_or_else(refuse, |options| Json(json!({"options": options})).into_response()))
        }
        "rename" => {
            let (caller, body): (Caller, Rename) = with_caller(&face, &who, request).await?;
            face.session.rename_passkey(&caller, &body.id, &body.name, now()).await?;
            Ok(Json(json!({})).into_response())
        }
        "remove" => {
            let (caller, body): (Caller, Remove) = with_caller(&face, &who, request).await?;
            let (password, code) = (&body.password, body.code.as_deref());
            let removed = face.session.remove_passkey(&caller, &body.id, password, code, &who.client, now()).await;
            Ok(answer(&face, removed, !by_cookie))
        }
        _ => {
            let path = request.uri().path();
            let error =
                Error::not_found("E-HTTP-013", format!("この API はありません: {path}"), format!("there is no such API: {path}"));
            Err(error.hint("/api/v1/openapi.json をご覧ください", "see /api/v1/openapi.json").into())
        }
    }
}

/// `POST /api/v1/session/passkeys`: the new one.
pub(crate) async fn add(
    State(face): State<Arc<Face>>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Result<Response, Refusal> {
    let by_cookie = !is_bearer(request.headers());
    let (caller, body): (Caller, Add) = with_caller(&face, &who, request).await?;
    let party = party(&face)?;
    let added = face.session.add_passkey(&caller, party, &body.name, &body.credential, &who.client, now()).await;
    Ok(answer(&face, added, !by_cookie))
}

/// `POST /api/v1/session/passkey/begin`.
pub(crate) async fn begin_log_in(
    State(face): State<Arc<Face>>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Result<Response, Refusal> {
    let body: BeginLogIn = read(&face, request).await?;
    let party = party(&face)?;
    let beside = match (&body.user, &body.password) {
        (Some(user), Some(password)) => Some((user.as_str(), password.as_str())),
        (None, None) => None,
        _ => return Err(crate::login::unreadable()),
    };
    match face.session.begin_passkey_log_in(party, beside, &who.client, now()).await {
        Ok((options, ticket)) => {
            let mut response = Json(json!({"options": options})).into_response();
            set_cookie(&mut response, &face, ticket.reveal());
            Ok(response)
        }
        Err(not_in) => Ok(refuse(not_in)),
    }
}

/// `POST /api/v1/session/passkey`.
pub(crate) async fn enter(
    State(face): State<Arc<Face>>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Result<Response, Refusal> {
    let ticket = cookie_of(request.headers(), cookie_name(&face));
    let body: LogIn = read(&face, request).await?;
    let party = party(&face)?;
    let before = who.token.as_deref();
    let entered = face.session.passkey_log_in(party, ticket.as_deref(), &body.credential, before, &who.client, now()).await;
    Ok(answer(&face, entered, false))
}
