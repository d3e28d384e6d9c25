//! `live conclude`: what follows when a source says that its batch has ended. The journal is sealed, so that the run
//! stands in ordinary series files, and the run is analysed. It runs as a job of the catalogue, which survives a
//! crash, and may run any number of times: an analysis that was made of the same run is the answer again.

use crate::operation::{Context, Effect, Operation, Words};
use crate::session::Session;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::sync::Arc;
use toji_core::{Access, Category, Error, Instant, Place, Result};

/// Name of the operation, for jobs.
pub(super) const NAME: &str = "live conclude";

/// Input of `live conclude`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run.
    ///
    /// 培養。
    run: String,
}

/// Output of `live conclude`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Concluded {
    /// Run.
    pub(crate) run: String,
    /// When its source said that the batch has ended, RFC 3339.
    pub(crate) ended: String,
    /// Its analysis, when the data give one.
    pub(crate) analysis: Option<String>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: NAME,
            label: ["培養の締め", "Conclude a run"],
            about: [
                "接続元が終了を知らせた培養の測定点を確定し、解析します。普段は終了の知らせを受けて自動で行われます。何度行っても結果は同じです。",
                "Seals the points of a run whose source said that it has ended, and analyses it. It happens by itself when the source says so; doing it again changes nothing.",
            ],
            positional: &["run"],
            example: "toji live conclude run-1a2b3c4d5e6f",
        },
        Effect::Write,
        |context: Context, input: Input| async move {
            conclude_run(&context.session, &context.access, context.now, &input.run).await
        },
    )
    .long()
}

/// Seals and analyses a run that has ended.
pub(crate) async fn conclude_run(session: &Arc<Session>, access: &Access, now: Instant, run: &str) -> Result<Concluded> {
    let store = &session.store;
    let record = store.record(access, "run", run, None).await?;
    let Some(ended) = ended(session, access, run).await? else {
        return Err(Error::new(
            Category::Conflict,
            "E-LIVE-020",
            format!("培養「{run}」の接続元は、まだ終了を知らせていません"),
            format!("the source of the run \"{run}\" has not said that it has ended"),
        )
        .at(Place::field("run"))
        .hint(
            "途中の解析は culture analyse で行えます。終了の知らせ方は接続設定の ended に書きます",
            "analyse it meanwhile with culture analyse; what says the end stands in the configuration as ended",
        ));
    };
    let _turn = session.concluding.lock().await;
    if store.live_state().await?.appends_here {
        store.seal_live(now).await?;
    }
    let analysis = crate::culture::conclude(session, access, now, &record.id).await?;
    Ok(Concluded { run: record.id.to_string(), ended, analysis: analysis.map(|id| id.to_string()) })
}

/// When the source of a run said that the batch has ended.
async fn ended(session: &Arc<Session>, access: &Access, run: &str) -> Result<Option<String>> {
    let events = session.store.linked(access, "event", "run", run).await?;
    let is_end =
        |r: &&toji_core::Record| r.fields.get("fields").and_then(|f| f.get("mark")).and_then(Json::as_str) == Some("ended");
    Ok(events.iter().find(is_end).and_then(|r| r.fields.get("time")?.as_str().map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;
    use crate::session::Options;
    use serde_json::json;
    use std::path::Path;
    use toji_store::{JobState, live_run_id};

    fn now() -> Instant {
        Instant::parse("2026-11-24T03:00:00Z").unwrap()
    }

    async fn run(session: &Arc<Session>, name: &str, input: Json) -> Result<Json> {
        let context = session.context(Progress::silent(), now());
        Ok(crate::operation(name).unwrap().run(context, input).await?.json)
    }

    async fn session(folder: &Path) -> Arc<Session> {
        Session::init(&folder.join("store"), Options::default()).await.unwrap()
    }

    /// Six hours of growth at 0.4 /h, and what the source says of the batch.
    fn batch(marks: &[&str]) -> Json {
        let start = now().0;
        let at = |minutes: i64| start + minutes * 60_000_000_000;
        let point = |m: i64| json!({ "signal": 0, "t_ns": at(m), "said": { "number": 0.2 * (0.4 * m as f64 / 60.0).exp() } });
        let mark = |(i, kind): (usize, &&str)| json!({ "t_ns": at(360 * i as i64), "kind": kind, "note": null });
        json!({ "batches": [{
            "source": "plc", "run": "R1", "vessel": "R1",
            "signals": [{ "key": "OD", "variable": "optical-density", "raw_unit": "OD600", "origin": "sensor" }],
            "points": (0..=360).map(point).collect::<Vec<_>>(),
            "marks": marks.iter().enumerate().map(mark).collect::<Vec<_>>(),
        }] })
    }

    async fn analyses(session: &Arc<Session>) -> usize {
        session.store.records(&Access::owner(), "analysis", None, false).await.unwrap().len()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_run_that_ends_is_concluded_once_however_often_its_end_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path()).await;
        let id = live_run_id("plc", "R1").to_string();
        run(&session, "live append", batch(&["started"])).await.unwrap();
        crate::job::settle(&session, std::time::Duration::from_secs(60)).await;
        assert_eq!(analyses(&session).await, 0);
        assert_eq!(run(&session, NAME, json!({ "run": id })).await.unwrap_err().code(), "E-LIVE-020");
        for _ in 0..3 {
            run(&session, "live append", batch(&["started", "ended"])).await.unwrap();
            crate::job::settle(&session, std::time::Duration::from_secs(60)).await;
            assert_eq!(analyses(&session).await, 1);
        }
        let first = run(&session, NAME, json!({ "run": id })).await.unwrap();
        assert_eq!((first["ended"].as_str(), first["run"].as_str()), (Some("2026-11-24T09:00:00Z"), Some(id.as_str())));
        let ends = session.store.linked(&Access::owner(), "event", "run", &id).await.unwrap();
        assert_eq!(ends.iter().filter(|e| e.fields["sort"] == "stop").count(), 1);
        assert_eq!(run(&session, "live status", json!({})).await.unwrap()["points"], 0, "sealed");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_conclusion_that_a_crash_left_behind_is_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path()).await;
        let id = live_run_id("plc", "R1").to_string();
        // As after a crash right behind the append: the points and the mark stand, the job waits, nobody works.
        let batches = serde_json::from_value(batch(&["started", "ended"])["batches"].clone()).unwrap();
        session.store.append_live(&Access::owner(), now(), batches).await.unwrap();
        let input = json!({ "run": id }).to_string();
        session.store.add_job(&Access::owner(), "j1", NAME, &input, "2026-11-24T09:00:01Z").await.unwrap();
        assert_eq!(analyses(&session).await, 0);
        session.resume_jobs().await.unwrap();
        crate::job::settle(&session, std::time::Duration::from_secs(60)).await;
        let job = session.store.job(&Access::owner(), "j1").await.unwrap();
        assert_eq!(job.state, JobState::Done, "{:?}", job.error);
        assert_eq!(analyses(&session).await, 1);
    }
}
