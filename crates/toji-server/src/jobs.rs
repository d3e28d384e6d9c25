//! Jobs over HTTP: state, cancellation, and the course as server-sent events.

use crate::face::Face;
use crate::problem::{self, Refusal};
use crate::who::{Who, logged_out};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{Stream, StreamExt};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::wrappers::WatchStream;

/// `GET /api/v1/jobs/{id}`.
pub(crate) async fn show(
    State(face): State<Arc<Face>>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(Json(shown(&face.session.job(&who.asker, &id).await?)))
}

/// `DELETE /api/v1/jobs/{id}`: asks it to stop and answers with its state.
pub(crate) async fn cancel(
    State(face): State<Arc<Face>>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    face.session.cancel_job(&who.asker, &id).await?;
    Ok(Json(shown(&face.session.job(&who.asker, &id).await?)))
}

/// A job with its error as a problem document.
fn shown(job: &impl Serialize) -> serde_json::Value {
    let mut job = serde_json::to_value(job).unwrap_or_default();
    if let Some(error) = job.get_mut("error") {
        problem::complete(error);
    }
    job
}

/// `GET /api/v1/jobs/{id}/events`: the state now and after every change, until it has ended.
pub(crate) async fn events(
    State(face): State<Arc<Face>>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let changes = WatchStream::new(face.session.watch_job(&who.asker, &id).await?);
    let mut stop = face.stop.clone();
    // Open streams must not hold up the end of the server.
    let farewell = async move {
        let _ = stop.wait_for(|stopping| *stopping).await;
    };
    let ended = futures::future::select(Box::pin(farewell), Box::pin(logged_out(face, who)));
    let states = until_ended(changes).take_until(ended);
    Ok(Sse::new(states).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// The states as events, the last of them included. It ends with the job and does not wait for a
/// change that never comes.
fn until_ended<J: Serialize>(
    states: impl Stream<Item = J> + Send + Unpin,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    futures::stream::unfold((states, false), |(mut states, ended)| async move {
        if ended {
            return None;
        }
        let job = shown(&states.next().await?);
        let state = job.get("state").and_then(serde_json::Value::as_str).unwrap_or_default();
        let ended = matches!(state, "done" | "failed" | "cancelled");
        Some((Ok(Event::default().data(job.to_string())), (states, ended)))
    })
}
