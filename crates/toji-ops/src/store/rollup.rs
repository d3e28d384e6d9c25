//! `store rollup`: the roll-ups for plotting, written again where they are missing or damaged.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Deserialize;
use toji_core::{Id, Place, Result};
use toji_store::Rebuilt;

/// Input of `store rollup`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run; all when missing.
    ///
    /// 培養。省略時はすべて。
    #[serde(default)]
    run: Option<String>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "store rollup",
            label: ["図の要約の作り直し", "Write roll-ups again"],
            about: [
                "長い系列の図を速く描くための要約を、ない所と壊れている所に書きます。要約は系列から作り直せるもので、記録は変わりません。",
                "Writes the roll-ups from which long channels are plotted, where they are missing or damaged. They follow from the series; the record does not change.",
            ],
            positional: &["run"],
            example: "toji store rollup",
        },
        Effect::Write,
        |context: Context, input: Input| async move {
            let run = input.run.as_deref().map(Id::parse).transpose().map_err(|e| e.at(Place::field("run")))?;
            let progress = context.progress.clone();
            let step = move |done, total| progress.step(done, total, "図の要約を作っています", "writing roll-ups");
            let done: Result<Rebuilt> = context.session.store.rebuild_rollups(&context.access, run.as_ref(), step).await;
            done
        },
    )
    .long()
}
