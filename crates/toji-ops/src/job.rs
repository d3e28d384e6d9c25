//! Jobs: operations that go on after the request, survive a crash, and can be followed and cancelled.

use crate::progress::{Progress, Step};
use crate::session::Session;
use serde::Serialize;
use serde_json::Value as Json;
use std::sync::Arc;
use toji_core::{Category, Digest, Error, Instant, Result, Text};
use toji_store::{JobRow, JobState};
use tokio::sync::watch;

/// A job as faces show it.
#[derive(Debug, Clone, Serialize)]
pub struct JobView {
    /// Identifier.
    pub id: String,
    /// Operation.
    pub operation: String,
    /// State.
    pub state: JobState,
    /// How far it is.
    pub progress: Step,
    /// Its output when done.
    pub output: Json,
    /// Its error when failed.
    pub error: Json,
}

/// A job as faces show it.
pub type Job = JobView;

/// A job this process works on.
#[derive(Debug)]
pub(crate) struct Running {
    progress: Progress,
    changes: watch::Receiver<Job>,
}

/// Seconds a worker may be silent before another takes its job over.
const LEASE_S: i64 = 60;

fn view(row: JobRow) -> Job {
    let json = |text: Option<String>| text.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or(Json::Null);
    let waiting = Step { done: 0, total: None, message: Text::new("待機中", "waiting") };
    Job {
        id: row.id,
        operation: row.operation,
        state: row.state,
        progress: serde_json::from_str(&row.progress).unwrap_or(waiting),
        output: json(row.output),
        error: json(row.error),
    }
}

fn seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}

pub(crate) async fn submit(session: &Arc<Session>, name: &str, input: Json, now: Instant) -> Result<String> {
    crate::operation(name)?;
    let text = serde_json::to_string(&input).map_err(|e| Error::bug("E-JOB-010", e))?;
    let nonce = jiff::Timestamp::now().as_nanosecond().to_string();
    let id = format!("job-{}", &Digest::of_parts(&[name.as_bytes(), text.as_bytes(), nonce.as_bytes()]).hex()[..16]);
    session.store.add_job(&id, name, &text, &now.to_string()).await?;
    work(session).await?;
    Ok(id)
}

/// Takes every waiting job and works on it in the background.
async fn work(session: &Arc<Session>) -> Result<()> {
    while let Some(row) = session.store.take_job(seconds(), LEASE_S).await? {
        let (sender, changes) = watch::channel(view(row.clone()));
        let sender = Arc::new(sender);
        let progress = {
            let sender = sender.clone();
            Progress::to(move |step: &Step| sender.send_modify(|job| job.progress = step.clone()))
        };
        let running = Running { progress: progress.clone(), changes };
        session.running.lock().map_err(|e| Error::bug("E-JOB-011", e))?.insert(row.id.clone(), running);
        let session = session.clone();
        tokio::spawn(async move {
            if let Err(error) = run(&session, row.clone(), progress, &sender).await {
                tracing::error!(job = %row.id, code = error.code(), "a job could not be ended");
            }
            if let Ok(mut running) = session.running.lock() {
                running.remove(&row.id);
            }
        });
    }
    Ok(())
}

async fn run(session: &Arc<Session>, row: JobRow, progress: Progress, sender: &Arc<watch::Sender<Job>>) -> Result<()> {
    let now = Instant(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX));
    let input: Json = serde_json::from_str(&row.input).map_err(|e| Error::bug("E-JOB-012", e))?;
    let operation = crate::operation(&row.operation)?;
    let work = operation.run(session.remote_context(progress, now), input);
    tokio::pin!(work);
    let mut beat = tokio::time::interval(std::time::Duration::from_secs(5));
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            _ = beat.tick() => {
                let step = serde_json::to_string(&sender.borrow().progress).unwrap_or_default();
                session.store.note_job(&row.id, &step, seconds() + LEASE_S).await?;
            }
        }
    };
    let (state, output, error) = match outcome {
        Ok(output) => (JobState::Done, output.json, Json::Null),
        Err(error) => {
            let state = if error.category() == Category::Cancelled { JobState::Cancelled } else { JobState::Failed };
            (state, Json::Null, serde_json::to_value(error.fault()).unwrap_or(Json::Null))
        }
    };
    let text = |json: &Json| (!json.is_null()).then(|| json.to_string());
    session.store.end_job(&row.id, state, text(&output).as_deref(), text(&error).as_deref(), &now.to_string()).await?;
    sender.send_modify(|job| {
        job.state = state;
        job.output = output;
        job.error = error;
    });
    Ok(())
}

pub(crate) async fn load(session: &Session, id: &str) -> Result<Job> {
    let here = session.running.lock().ok().and_then(|r| r.get(id).map(|r| r.changes.borrow().clone()));
    match here {
        Some(job) if !job.state.is_final() => Ok(job),
        _ => session.store.job(id).await.map(view),
    }
}

pub(crate) async fn watch(session: &Session, id: &str) -> Result<watch::Receiver<Job>> {
    let here = session.running.lock().ok().and_then(|r| r.get(id).map(|r| r.changes.clone()));
    match here {
        Some(changes) => Ok(changes),
        None => Ok(watch::channel(load(session, id).await?).1),
    }
}

pub(crate) async fn cancel(session: &Session, id: &str) -> Result<()> {
    let job = load(session, id).await?;
    if job.state.is_final() {
        return Ok(());
    }
    if let Ok(running) = session.running.lock()
        && let Some(running) = running.get(id)
    {
        running.progress.cancel();
    }
    Ok(())
}

pub(crate) async fn resume(session: &Arc<Session>) -> Result<()> {
    work(session).await
}
