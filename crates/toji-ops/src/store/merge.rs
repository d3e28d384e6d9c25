//! `store merge`: the small parts of runs become larger ones; started by itself after imports.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_core::{Diagnostic, Error, Id, Place, Result};
use toji_store::Merged;

/// More small parts than this in a run, and an import has them merged.
const SMALL_PARTS_MAX: u64 = 24;

/// Input of `store merge`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run; all when missing.
    ///
    /// 培養。省略時はすべて。
    #[serde(default)]
    run: Option<String>,
    /// Only say what would be merged.
    ///
    /// 何を統合するかを示すだけ。
    #[serde(default)]
    dry_run: bool,
}

/// Output of `store merge`.
#[derive(Debug, Serialize, JsonSchema)]
struct Report {
    /// Runs whose parts were merged, or would be.
    runs: Vec<Merged>,
    /// Parts in force before, of all runs looked at.
    parts_before: u64,
    /// Parts in force after.
    parts_after: u64,
    /// Nothing was changed.
    dry_run: bool,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "store merge",
            label: ["系列ファイルの統合", "Merge series files"],
            about: [
                "一つの培養に増えた小さな系列ファイルを、大きなファイルにまとめます。読める内容は変わらず、途中で止まっても失われません。取込の後にも自動で行われます。",
                "Puts the many small series files of a run together into larger ones. What can be read stays the same, and an interruption loses nothing. It also runs by itself after imports.",
            ],
            positional: &["run"],
            example: "toji store merge --dry-run",
        },
        Effect::Write,
        merge,
    )
    .long()
}

async fn merge(context: Context, input: Input) -> Result<Report> {
    let store = &context.session.store;
    let runs = match &input.run {
        Some(run) => {
            let run = Id::parse(run).map_err(|e| e.at(Place::field("run")))?;
            store.record(&context.access, "run", run.as_str(), None).await?;
            vec![run]
        }
        None => store.runs_in_parts(&context.access).await?,
    };
    let total = runs.len() as u64;
    let mut report = Report { runs: Vec::new(), parts_before: 0, parts_after: 0, dry_run: input.dry_run };
    for (i, run) in runs.iter().enumerate() {
        let step =
            |_, _| context.progress.step(i as u64, Some(total), format!("{run} をまとめています"), format!("merging {run}"));
        step(0, None)?;
        let merged = store.merge_parts(&context.access, context.now, run, input.dry_run, step).await?;
        report.parts_before += merged.parts_before;
        report.parts_after += merged.parts_after;
        if merged.parts_after != merged.parts_before || merged.kept_apart > 0 {
            report.runs.push(merged);
        }
    }
    context.progress.step(total, Some(total), "統合を終えました", "merged")?;
    Ok(report)
}

/// Merges the runs of an import that have too many small parts: as a job of its own on a server, at
/// once on the command line, whose process ends with the import. The import stands whatever becomes of it.
pub(crate) async fn after_import(context: &Context, runs: BTreeSet<String>) -> Option<Diagnostic> {
    let mut failed = None;
    for run in runs {
        if let Err(error) = merge_if_many(context, &run).await {
            failed.get_or_insert(error);
        }
    }
    failed.map(|error: Error| {
        let message = &error.fault().message;
        Diagnostic::warning(
            "W-STORE-001",
            Place::default(),
            format!("取込は済みましたが、系列ファイルを統合できませんでした: {}", message.ja),
            format!("the import stands, but its series files could not be merged: {}", message.en),
        )
        .remedy("後で `toji store merge` を実行してください", "run `toji store merge` later")
    })
}

async fn merge_if_many(context: &Context, run: &str) -> Result<()> {
    let session = &context.session;
    let id = Id::parse(run)?;
    if session.store.small_parts(&context.access, &id).await? <= SMALL_PARTS_MAX {
        return Ok(());
    }
    if context.local_files {
        let step = |_, _| context.progress.step(0, None, format!("{run} をまとめています"), format!("merging {run}"));
        session.store.merge_parts(&context.access, context.now, &id, false, step).await?;
        return Ok(());
    }
    session.submit("store merge", serde_json::json!({ "run": run }), context.now).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;
    use crate::session::{Options, Session};
    use std::sync::Arc;
    use std::time::Duration;
    use toji_core::Instant;
    use toji_core::culture::{Numbers, Points};
    use toji_store::{Base, Commit, Put, RunSeries};

    /// A run of many small parts, as a day of hourly exports leaves it.
    async fn in_parts(session: &Arc<Session>, run: &str, parts: i64) {
        let id = |text: &str| Id::parse(text).unwrap();
        let fields = |value: serde_json::Value| value.as_object().cloned().unwrap();
        let channel = format!("{run}.c");
        for n in 0..parts {
            let points = Points {
                t_ns: vec![n * 2, n * 2 + 1],
                numbers: Numbers::Scaled { scale: 1, mantissa: vec![n, -n] },
                quality: vec![0, 0],
                texts: Vec::new(),
            };
            let commit = Commit {
                operation: "run import".into(),
                puts: vec![
                    Put::new(
                        "run",
                        id(run),
                        fields(serde_json::json!({"title": run, "key": run, "started": "2026-04-01T00:00:00Z"})),
                    ),
                    Put::new("channel", id(&channel), fields(serde_json::json!({"run": run, "key": "c"}))),
                ],
                series: vec![RunSeries { run: id(run), base: Base::Utc, channels: vec![(id(&channel), points)] }],
                ..Commit::default()
            };
            session.store.commit(&toji_core::Access::owner(), Instant(n), commit).await.unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_run_of_many_parts_is_merged_after_an_import() {
        let dir = tempfile::tempdir().unwrap();
        let session = Session::init(&dir.path().join("store"), Options::default()).await.unwrap();
        for run in ["here", "served"] {
            in_parts(&session, run, 30).await;
        }
        in_parts(&session, "few", 20).await;
        let small =
            async |run: &str| session.store.small_parts(&toji_core::Access::owner(), &Id::parse(run).unwrap()).await.unwrap();
        let local = session.context(Progress::silent(), Instant(99));
        let ask = |input| crate::operation("store merge").unwrap().run(local.clone(), input);
        let planned = ask(serde_json::json!({"dry_run": true})).await.unwrap().json;
        assert_eq!((planned["parts_before"].as_u64(), planned["parts_after"].as_u64()), (Some(80), Some(3)));
        // On the command line at once, and only where there are many.
        assert!(after_import(&local, ["here", "few"].map(str::to_owned).into()).await.is_none());
        assert_eq!([small("here").await, small("few").await, small("served").await], [1, 20, 30]);
        // On a server as a job.
        let remote = session.remote_context(Progress::silent(), Instant(100));
        assert!(after_import(&remote, ["served".to_owned()].into()).await.is_none());
        for _ in 0..600 {
            if small("served").await == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(small("served").await, 1);
        let merged = ask(serde_json::json!({})).await.unwrap().json;
        assert_eq!(merged["runs"][0]["run"], "few", "{merged}");
        assert_eq!(ask(serde_json::json!({"run": "few"})).await.unwrap().json["runs"], serde_json::json!([]));
        assert_eq!(ask(serde_json::json!({"run": "none"})).await.unwrap_err().code(), "E-RECORD-004");
        // Who read what is there to be asked.
        let told = crate::operation("store decisions").unwrap().run(local, serde_json::json!({})).await.unwrap().json;
        let reads = told["reads"].as_array().unwrap();
        assert!(reads.iter().any(|r| r["what"] == "run few" && r["who"] == "owner" && r["count"].as_u64() >= Some(1)), "{told}");
    }
}
