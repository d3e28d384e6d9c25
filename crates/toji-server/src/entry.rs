//! The routes and the layers around them.

use crate::face::{Face, Front, Limits};
use crate::guard::{self, Hosts};
use crate::openapi::{self, BASE};
use crate::problem::Refusal;
use crate::{call, jobs, live, login, pages, passkeys, provider, upload, who};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::json;
use std::any::Any;
use std::sync::{Arc, OnceLock};
use toji_core::Error;
use toji_ops::{Operation, Session};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;

/// The router over all operations, with default limits, answering names of this machine only.
pub fn router(session: Arc<Session>) -> Router {
    let (_, stop) = watch::channel(false);
    router_over(session, toji_ops::operations(), Limits::default(), Hosts::Loopback, stop)
}

/// The router over some operations. `stop` turns true when the server shall end; open event streams
/// end with it.
pub fn router_over(
    session: Arc<Session>,
    operations: &'static [Operation],
    limits: Limits,
    hosts: Hosts,
    stop: watch::Receiver<bool>,
) -> Router {
    router_of(
        session,
        operations,
        limits,
        Front { hosts, behind_tls: false, second_factor: false, party: None, provider: None },
        stop,
    )
}

/// As [`router_over`], said in full how it is reached.
pub fn router_of(
    session: Arc<Session>,
    operations: &'static [Operation],
    limits: Limits,
    front: Front,
    stop: watch::Receiver<bool>,
) -> Router {
    let face = Face::new(session, operations, limits, front, stop);
    Router::new()
        .route("/healthz", get(health))
        .route(&format!("{BASE}/openapi.json"), get(openapi_document))
        .route(&format!("{BASE}/operations"), get(list_operations))
        .route(&format!("{BASE}/session"), get(login::show).post(login::enter).delete(login::log_out))
        .route(&format!("{BASE}/session/enrol"), post(login::enrol))
        .route(&format!("{BASE}/session/node"), post(login::node))
        .route(&format!("{BASE}/session/password"), post(login::password))
        .route(&format!("{BASE}/session/second-factor"), post(login::second_factor))
        .route(&format!("{BASE}/session/provider"), post(provider::enter))
        .route(&format!("{BASE}/session/provider/begin"), post(provider::begin))
        .route(&format!("{BASE}/session/passkey"), post(passkeys::enter))
        .route(&format!("{BASE}/session/passkey/begin"), post(passkeys::begin_log_in))
        .route(&format!("{BASE}/session/passkeys"), get(passkeys::list).post(passkeys::add))
        .route(&format!("{BASE}/session/passkeys/{{step}}"), post(passkeys::change))
        .route(&format!("{BASE}/jobs/{{id}}"), get(jobs::show).delete(jobs::cancel))
        .route(&format!("{BASE}/jobs/{{id}}/events"), get(jobs::events))
        .route(&format!("{BASE}/live/stream"), get(live::stream))
        .route(&format!("{BASE}/upload"), post(upload::upload).layer(DefaultBodyLimit::max(limits.upload_bytes_max)))
        .route(&format!("{BASE}/{{noun}}/{{verb}}"), post(call::post).get(call::get))
        .route("/api", any(no_path))
        .route("/api/{*rest}", any(no_path))
        .fallback(pages::serve)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn_with_state(Arc::clone(&face), who::identify))
        .layer(from_fn_with_state(Arc::clone(&face), guard::check))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(map_response(guard::harden))
        .layer(CompressionLayer::new())
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .with_state(face)
}

/// Method and path only: queries, headers and bodies may hold what nobody should read in a log.
fn span(request: &Request) -> tracing::Span {
    tracing::info_span!("http", method = %request.method(), path = request.uri().path())
}

async fn health() -> impl IntoResponse {
    axum::Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

async fn openapi_document(State(face): State<Arc<Face>>) -> Response {
    static TEXT: OnceLock<Arc<str>> = OnceLock::new();
    // One process serves one registry, except in tests, which give their own.
    let own = std::ptr::eq(face.operations, toji_ops::operations());
    let text =
        if own { TEXT.get_or_init(|| openapi::text(face.operations).into()).to_string() } else { openapi::text(face.operations) };
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn list_operations(State(face): State<Arc<Face>>) -> Response {
    let describe = |operation: &Operation| {
        json!({
            "name": operation.name, "label": operation.label, "about": operation.about, "effect": operation.effect,
            "long": operation.long, "positional": operation.positional, "example": operation.example,
            "input": operation.input, "output": operation.output
        })
    };
    let operations: Vec<_> = face.operations.iter().map(describe).collect();
    axum::Json(json!({"operations": operations})).into_response()
}

async fn no_path(request: Request) -> Refusal {
    let path = request.uri().path();
    Error::not_found("E-HTTP-013", format!("この API はありません: {path}"), format!("there is no such API: {path}"))
        .hint("/api/v1/openapi.json をご覧ください", "see /api/v1/openapi.json")
        .into()
}

async fn no_method(request: Request) -> Refusal {
    call::no_method(request.uri().path())
}

/// The last net: a panic outside an operation's own task.
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_default();
    Refusal::from(Error::bug("E-HTTP-014", text)).into_response()
}
