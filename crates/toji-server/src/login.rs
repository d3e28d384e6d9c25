//! The way in and out over HTTP: `/api/v1/session`.
//!
//! Passwords and codes come in the body of these routes and nowhere else; nothing of a body is repeated in an answer
//! or a log. The token goes out once: in a cookie that scripts of the page cannot read, or, for programs that ask for
//! it, in the answer.

use crate::call;
use crate::face::{Face, now};
use crate::guard::is_json;
use crate::problem::Refusal;
use crate::who::{Who, cookie_name, log_in};
use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;
use toji_core::{Error, Result};
use toji_ops::{Caller, LoggedIn, NotIn};

/// Bytes of a body here, at most.
const BODY_MOST: usize = 16 << 10;
/// Seconds a cookie is kept: as long as a session may count.
const KEPT_S: u32 = 24 * 3600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    user: String,
    password: String,
    #[serde(default)]
    code: Option<String>,
    /// For programs: the token in the answer, and no cookie.
    #[serde(default)]
    bearer: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enrol {
    user: String,
    code: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    user: String,
    /// As it was posed.
    #[serde(default)]
    challenge: Option<String>,
    /// The note with the signature.
    #[serde(default)]
    signed: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: String,
    new_password: String,
    #[serde(default)]
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecondFactor {
    /// Begins.
    #[serde(default)]
    password: Option<String>,
    /// Of the present second factor when it begins; of the new one when it confirms.
    #[serde(default)]
    code: Option<String>,
}

/// `GET /api/v1/session`: who am I, and does this store ask for a log-in?
pub(crate) async fn show(State(face): State<Arc<Face>>, Extension(who): Extension<Who>) -> Result<Response, Refusal> {
    let login = face.session.has_users().await?;
    let user = match &who.caller {
        Some(caller) => Some(face.session.who_am_i(caller).await?),
        None => None,
    };
    let second_factor = face.front.second_factor;
    let origin = face.front.party.as_ref().map(toji_ops::Party::origin);
    let provider = face.front.provider.as_ref().map(|provider| provider.name());
    let told = json!({"login": login, "second_factor_required": second_factor, "passkey_origin": origin, "provider": provider, "user": user});
    Ok(Json(told).into_response())
}

/// `POST /api/v1/session`.
pub(crate) async fn enter(State(face): State<Arc<Face>>, Extension(who): Extension<Who>, request: Request) -> Response {
    let body: LogIn = match read(&face, request).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    let code = body.code.as_deref();
    let entered = face.session.log_in(&body.user, &body.password, code, who.token.as_deref(), &who.client, now()).await;
    answer(&face, entered, body.bearer)
}

/// `POST /api/v1/session/enrol`.
pub(crate) async fn enrol(State(face): State<Arc<Face>>, Extension(who): Extension<Who>, request: Request) -> Response {
    let body: Enrol = match read(&face, request).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    let entered = face.session.enrol(&body.user, &body.code, &body.password, &who.client, now()).await;
    answer(&face, entered, false)
}

/// `POST /api/v1/session/node`: another node asks for a challenge, and comes back with it signed.
pub(crate) async fn node(State(face): State<Arc<Face>>, Extension(who): Extension<Who>, request: Request) -> Response {
    let body: Node = match read(&face, request).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    match (body.challenge, body.signed) {
        (Some(challenge), Some(signed)) => {
            let entered = face.session.log_in_by_key(&body.user, &challenge, &signed, &who.client, now()).await;
            answer(&face, entered, true)
        }
        (None, None) => match face.session.challenge(&body.user, now()).await {
            Ok(challenge) => Json(challenge).into_response(),
            Err(error) => Refusal::from(error).into_response(),
        },
        _ => unreadable().into_response(),
    }
}

/// `DELETE /api/v1/session`.
pub(crate) async fn log_out(State(face): State<Arc<Face>>, Extension(who): Extension<Who>) -> Result<Response, Refusal> {
    if let Some(caller) = &who.caller {
        face.session.log_out(caller).await?;
    }
    let mut response = Json(json!({"user": null})).into_response();
    set_cookie(&mut response, &face, "", 0);
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    Ok(response)
}

/// `POST /api/v1/session/password`.
pub(crate) async fn password(State(face): State<Arc<Face>>, Extension(who): Extension<Who>, request: Request) -> Response {
    let by_cookie = !is_bearer(request.headers());
    let (caller, body): (Caller, NewPassword) = match with_caller(&face, &who, request).await {
        Ok(both) => both,
        Err(refusal) => return refusal.into_response(),
    };
    let (new, code) = (&body.new_password, body.code.as_deref());
    let entered = face.session.change_password(&caller, &body.password, new, code, &who.client, now()).await;
    answer(&face, entered, !by_cookie)
}

/// `POST /api/v1/session/second-factor`: with the password it begins, with a code alone it confirms.
pub(crate) async fn second_factor(State(face): State<Arc<Face>>, Extension(who): Extension<Who>, request: Request) -> Response {
    let by_cookie = !is_bearer(request.headers());
    let (caller, body): (Caller, SecondFactor) = match with_caller(&face, &who, request).await {
        Ok(both) => both,
        Err(refusal) => return refusal.into_response(),
    };
    match (body.password, body.code) {
        (Some(password), code) => {
            let begun = face.session.begin_second_factor(&caller, &password, code.as_deref(), &who.client, now()).await;
            match begun {
                Ok(key) => Json(key).into_response(),
                Err(not_in) => refuse(not_in),
            }
        }
        (None, Some(code)) => {
            let entered = face.session.confirm_second_factor(&caller, &code, &who.client, now()).await;
            answer(&face, entered, !by_cookie)
        }
        (None, None) => unreadable().into_response(),
    }
}

pub(crate) fn is_bearer(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION)
}

pub(crate) async fn with_caller<B: DeserializeOwned>(face: &Face, who: &Who, request: Request) -> Result<(Caller, B), Refusal> {
    let caller = who.caller.clone().ok_or_else(log_in)?;
    Ok((caller, read(face, request).await?))
}

/// The body as JSON. What is wrong with it is not repeated: it may hold a password.
pub(crate) async fn read<B: DeserializeOwned>(face: &Face, request: Request) -> Result<B, Refusal> {
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        return Err(call::not_json());
    }
    let bytes = call::receive(face, body, BODY_MOST).await?;
    serde_json::from_slice(&bytes).map_err(|_| unreadable())
}

pub(crate) fn unreadable() -> Refusal {
    Error::input("E-LOGIN-012", "本文の項目が合いません", "the fields of the body do not fit")
        .hint("/api/v1/openapi.json で項目を確認してください", "see /api/v1/openapi.json for the fields")
        .into()
}

pub(crate) fn answer(face: &Face, entered: std::result::Result<LoggedIn, NotIn>, bearer: bool) -> Response {
    let entered = match entered {
        Ok(entered) => entered,
        Err(not_in) => return refuse(not_in),
    };
    let mut told = json!({"user": entered.user, "ends": entered.ends.to_string()});
    if !entered.recovery.is_empty() {
        told["recovery_codes"] = json!(entered.recovery);
    }
    if bearer {
        told["token"] = json!(entered.token.reveal());
        return Json(told).into_response();
    }
    let mut response = Json(told).into_response();
    set_cookie(&mut response, face, entered.token.reveal(), KEPT_S);
    response
}

pub(crate) fn refuse(not_in: NotIn) -> Response {
    let code = not_in.error.code();
    let refusal = Refusal::from(not_in.error);
    if let Some(wait_s) = not_in.wait_s {
        let mut response = refusal.status(StatusCode::TOO_MANY_REQUESTS).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait_s.max(1).unsigned_abs()));
        return response;
    }
    if matches!(code, "E-LOGIN-001" | "E-LOGIN-003" | "E-LOGIN-014") {
        return refusal.status(StatusCode::UNAUTHORIZED).into_response();
    }
    refusal.into_response()
}

fn set_cookie(response: &mut Response, face: &Face, token: &str, kept_s: u32) {
    let name = cookie_name(face);
    let secure = if face.front.behind_tls { "; Secure" } else { "" };
    let cookie = format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={kept_s}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
