//! Live values as server-sent events: what the live page draws, never more than it can draw.

use crate::face::{Face, now};
use crate::problem::Refusal;
use crate::who::{Who, logged_out};
use axum::extract::{Extension, Query, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::StreamExt as _;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// What to follow.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    /// Run whose new points are sent too.
    run: Option<String>,
    /// Updates a second, at most 4.
    hz: Option<f64>,
}

/// `GET /api/v1/live/stream`: first the latest value of every channel, then what is new.
pub(crate) async fn stream(
    State(face): State<Arc<Face>>,
    Extension(who): Extension<Who>,
    Query(wanted): Query<Wanted>,
) -> Result<impl IntoResponse, Refusal> {
    let access = face.session.access_for(&who.asker, now()).await?;
    let follow = face.session.follow_live(access, wanted.run.as_deref(), wanted.hz.unwrap_or(4.0))?;
    let mut stop = face.stop.clone();
    // Open streams must not hold up the end of the server.
    let farewell = async move {
        let _ = stop.wait_for(|stopping| *stopping).await;
    };
    let updates = futures::stream::unfold(Some(follow), |follow| async move {
        let mut follow = follow?;
        match follow.next().await {
            Ok(update) => {
                let text = serde_json::to_string(&update).unwrap_or_default();
                Some((Ok::<_, Infallible>(Event::default().event("update").data(text)), Some(follow)))
            }
            Err(error) => {
                let text = serde_json::to_string(error.fault()).unwrap_or_default();
                Some((Ok(Event::default().event("fault").data(text)), None))
            }
        }
    });
    let ended = futures::future::select(Box::pin(farewell), Box::pin(logged_out(face, who)));
    let updates = updates.take_until(ended);
    Ok(Sse::new(updates).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}
