//! Jobs over HTTP: state, cancellation, and the course as server-sent events.

use crate::face::Face;
use crate::problem::Refusal;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{Stream, StreamExt};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::wrappers::WatchStream;

/// `GET /api/v1/jobs/{id}`.
pub(crate) async fn show(State(face): State<Arc<Face>>, Path(id): Path<String>) -> Result<impl IntoResponse, Refusal> {
    Ok(Json(face.session.job(&id).await?))
}

/// `DELETE /api/v1/jobs/{id}`: asks it to stop and answers with its state.
pub(crate) async fn cancel(State(face): State<Arc<Face>>, Path(id): Path<String>) -> Result<impl IntoResponse, Refusal> {
    face.session.cancel_job(&id).await?;
    Ok(Json(face.session.job(&id).await?))
}

/// `GET /api/v1/jobs/{id}/events`: the state now and after every change, until it has ended.
pub(crate) async fn events(State(face): State<Arc<Face>>, Path(id): Path<String>) -> Result<impl IntoResponse, Refusal> {
    let changes = WatchStream::new(face.session.watch_job(&id).await?);
    let mut stop = face.stop.clone();
    // Open streams must not hold up the end of the server.
    let farewell = async move {
        let _ = stop.wait_for(|stopping| *stopping).await;
    };
    let states = until_ended(changes).take_until(Box::pin(farewell));
    Ok(Sse::new(states).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// The states as events, the last of them included.
fn until_ended<J: Serialize>(states: impl Stream<Item = J> + Send) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    states
        .map(|job| serde_json::to_value(job).unwrap_or_default())
        .scan(false, |ended, job| {
            let already = *ended;
            let state = job.get("state").and_then(serde_json::Value::as_str).unwrap_or_default();
            *ended = matches!(state, "done" | "failed" | "cancelled");
            futures::future::ready((!already).then(|| Ok(Event::default().data(job.to_string()))))
        })
        .fuse()
}
