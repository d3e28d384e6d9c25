//! Jobs: operations that go on after the request, survive a crash, and can be followed and cancelled.

use crate::operation::Output;
use crate::progress::{Progress, Step};
use crate::session::{Asker, Session};
use serde::Serialize;
use serde_json::Value as Json;
use std::future::Future;
use std::sync::Arc;
use toji_core::{Access, Category, Digest, Error, Instant, Result, Text};
use toji_store::{JobOwner, JobRow, JobState};
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
    owner: Option<String>,
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

pub(crate) async fn submit(session: &Arc<Session>, asker: &Asker, name: &str, input: Json, now: Instant) -> Result<String> {
    let owner = match asker {
        Asker::Owner => None,
        Asker::User { id, purpose } => Some(JobOwner { account: id.clone(), purpose: purpose.clone() }),
        Asker::Guest => {
            return Err(Error::new(
                Category::Denied,
                "E-JOB-014",
                "ジョブにはログインが必要です",
                "a job needs somebody who is logged in",
            )
            .hint("ログインしてから実行してください", "log in first"));
        }
    };
    if crate::operation(name)?.shown_once {
        return Err(Error::input(
            "E-JOB-015",
            "答えを一度だけ示す操作は、ジョブにできません",
            "an operation whose answer is shown once cannot be a job",
        )
        .hint("Prefer: respond-async を付けずに実行してください", "run it without the header Prefer: respond-async"));
    }
    let text = serde_json::to_string(&input).map_err(|e| Error::bug("E-JOB-010", e))?;
    let nonce = jiff::Timestamp::now().as_nanosecond().to_string();
    let id = format!("job-{}", &Digest::of_parts(&[name.as_bytes(), text.as_bytes(), nonce.as_bytes()]).hex()[..16]);
    session.store.add_job_of(&Access::owner(), &id, name, &text, &now.to_string(), owner.as_ref()).await?;
    work(session).await?;
    Ok(id)
}

/// Takes every waiting job and works on it in the background.
async fn work(session: &Arc<Session>) -> Result<()> {
    while let Some(row) = session.store.take_job(&Access::owner(), seconds(), LEASE_S).await? {
        let (sender, changes) = watch::channel(view(row.clone()));
        let sender = Arc::new(sender);
        let progress = {
            let sender = sender.clone();
            Progress::to(move |step: &Step| sender.send_modify(|job| job.progress = step.clone()))
        };
        let owner = row.owner.as_ref().map(|owner| owner.account.clone());
        let running = Running { owner, progress: progress.clone(), changes };
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
    // What they may now, not what they could when they submitted it: it may be taken up again much later.
    let asker = asker_of(&row);
    let there = Arc::clone(session);
    let work = async move {
        let context = there.context_of(&asker, progress, now).await?;
        operation.run(context, input).await
    };
    see_through(session, row, work, sender).await
}

/// Does the work of a job as a task of its own, keeps the lease meanwhile, and notes how it ended. A panic
/// ends the job as a fault of ours, not as work that goes on until its lease runs out.
async fn see_through(
    session: &Arc<Session>,
    row: JobRow,
    work: impl Future<Output = Result<Output>> + Send + 'static,
    sender: &Arc<watch::Sender<Job>>,
) -> Result<()> {
    let owner = Access::owner();
    let mut work = tokio::spawn(work);
    let mut beat = tokio::time::interval(std::time::Duration::from_secs(5));
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome.unwrap_or_else(|fault| Err(broken(&row.operation, fault))),
            _ = beat.tick() => {
                let step = serde_json::to_string(&sender.borrow().progress).unwrap_or_default();
                if let Err(error) = session.store.note_job(&owner, &row.id, &step, seconds() + LEASE_S).await {
                    // Without its lease it would be done twice.
                    work.abort();
                    return Err(error);
                }
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
    let ended = jiff::Timestamp::now().to_string();
    session.store.end_job(&owner, &row.id, state, text(&output).as_deref(), text(&error).as_deref(), &ended).await?;
    sender.send_modify(|job| {
        job.state = state;
        job.output = output;
        job.error = error;
    });
    Ok(())
}

/// The error of a task that did not come to its end.
fn broken(operation: &str, fault: tokio::task::JoinError) -> Error {
    let told = match fault.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned())).unwrap_or_else(|| "panic".to_owned())
        }
        Err(fault) => fault.to_string(),
    };
    tracing::error!(operation, told, "the work of a job broke off");
    Error::bug("E-JOB-013", format!("{operation}: {told}"))
}

fn asker_of(row: &JobRow) -> Asker {
    match &row.owner {
        Some(owner) => Asker::User { id: owner.account.clone(), purpose: owner.purpose.clone() },
        None => Asker::Owner,
    }
}

/// Whoever submitted a job sees it; the owner of the store sees all.
fn sees(asker: &Asker, owner: Option<&str>) -> bool {
    match asker {
        Asker::Owner => true,
        Asker::Guest => false,
        Asker::User { id, .. } => owner == Some(id.as_str()),
    }
}

pub(crate) async fn load(session: &Session, asker: &Asker, id: &str) -> Result<Job> {
    let here = session
        .running
        .lock()
        .ok()
        .and_then(|running| running.get(id).filter(|r| sees(asker, r.owner.as_deref())).map(|r| r.changes.borrow().clone()));
    if let Some(job) = here.filter(|job| !job.state.is_final()) {
        return Ok(job);
    }
    let row = session.store.job(&Access::owner(), id).await?;
    if sees(asker, row.owner.as_ref().map(|owner| owner.account.as_str())) {
        return Ok(view(row));
    }
    // In the words of a job that does not exist.
    Err(Error::not_found("E-JOB-002", format!("作業 {id} はありません"), format!("there is no job {id}")))
}

pub(crate) async fn watch(session: &Session, asker: &Asker, id: &str) -> Result<watch::Receiver<Job>> {
    let here = session
        .running
        .lock()
        .ok()
        .and_then(|running| running.get(id).filter(|r| sees(asker, r.owner.as_deref())).map(|r| r.changes.clone()));
    match here {
        Some(changes) => Ok(changes),
        None => Ok(watch::channel(load(session, asker, id).await?).1),
    }
}

pub(crate) async fn cancel(session: &Session, asker: &Asker, id: &str) -> Result<()> {
    let job = load(session, asker, id).await?;
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

/// Waits until no job of this process is under way, but not longer than this.
pub(crate) async fn settle(session: &Session, patience: std::time::Duration) {
    let until = tokio::time::Instant::now() + patience;
    loop {
        let open: Vec<_> =
            session.running.lock().map(|r| r.values().map(|job| job.changes.clone()).collect()).unwrap_or_default();
        let Some(mut changes) = open.into_iter().find(|changes| !changes.borrow().state.is_final()) else { return };
        // Its sender goes when it ends; either way it is looked at again.
        if tokio::time::timeout_at(until, changes.wait_for(|job| job.state.is_final())).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn resume(session: &Arc<Session>) -> Result<()> {
    work(session).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Options;

    #[allow(clippy::panic, reason = "the test is about panics")]
    /// Runs a job's work as [`work`] does; what the catalogue and a follower then say.
    async fn ended(text: &str) -> (Job, Job, JobRow) {
        let dir = tempfile::tempdir().unwrap();
        let session = Session::init(&dir.path().join("store"), Options::default()).await.unwrap();
        session.store.add_job(&Access::owner(), "j1", "store status", "{}", "2026-04-01T00:00:00Z").await.unwrap();
        let row = session.store.take_job(&Access::owner(), seconds(), LEASE_S).await.unwrap().unwrap();
        let sender = Arc::new(watch::channel(view(row.clone())).0);
        let text = text.to_owned();
        let work = async move {
            tokio::task::yield_now().await;
            match text.as_str() {
                "" => Ok(Output { json: serde_json::json!({"n": 1}), attachment: None }),
                text => panic!("{text}"),
            }
        };
        see_through(&session, row, work, &sender).await.unwrap();
        let stored = session.store.job(&Access::owner(), "j1").await.unwrap();
        let told = load(&session, &Asker::Owner, "j1").await.unwrap();
        // Nobody takes it again: it has ended.
        assert!(session.store.take_job(&Access::owner(), seconds() + 10 * LEASE_S, LEASE_S).await.unwrap().is_none());
        let followed = sender.borrow().clone();
        (told, followed, stored)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_job_that_panics_has_failed_and_says_whose_fault_it_is() {
        let (told, followed, stored) = ended("index 7 of 3").await;
        assert_eq!((told.state, followed.state, stored.state), (JobState::Failed, JobState::Failed, JobState::Failed));
        for error in [&told.error, &followed.error] {
            assert_eq!((error["code"].as_str(), error["category"].as_str()), (Some("E-JOB-013"), Some("bug")), "{error}");
            assert!(error.to_string().contains("index 7 of 3"), "{error}");
        }
        assert!(stored.output.is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_end_waits_for_jobs_but_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let session = Session::init(&dir.path().join("store"), Options::default()).await.unwrap();
        settle(&session, std::time::Duration::ZERO).await;
        let now = Instant::parse("2026-04-01T00:00:00Z").unwrap();
        let id = session.submit("store status", serde_json::json!({}), now).await.unwrap();
        settle(&session, std::time::Duration::from_secs(60)).await;
        assert_eq!(session.store.job(&Access::owner(), &id).await.unwrap().state, JobState::Done);
        // One that does not end is left: it stands in the catalogue.
        let row = JobRow { state: JobState::Running, ..session.store.job(&Access::owner(), &id).await.unwrap() };
        let (sender, changes) = watch::channel(view(row));
        session.running.lock().unwrap().insert("j".into(), Running { owner: None, progress: Progress::silent(), changes });
        let begun = std::time::Instant::now();
        settle(&session, std::time::Duration::from_millis(200)).await;
        assert!(begun.elapsed() >= std::time::Duration::from_millis(200) && !sender.borrow().state.is_final());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_job_that_ends_well_is_done() {
        let (told, followed, _) = ended("").await;
        assert_eq!((told.state, followed.state), (JobState::Done, JobState::Done));
        assert_eq!(told.output, serde_json::json!({"n": 1}));
    }
}
