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
    if store.live_state().await?.appends_here {
        store.seal_live(access, now).await?;
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
