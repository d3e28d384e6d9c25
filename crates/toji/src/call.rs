//! Running one operation: the store opened, progress shown, Ctrl-C heard, the answer printed.

use crate::command::Settings;
use crate::output;
use crate::progress::Meter;
use serde_json::Value as Json;
use toji_core::Result;
use toji_ops::{Operation, Options, Progress, Session};

/// Runs an operation on the store of the settings and prints its answer.
///
/// # Errors
/// Whatever the store or the operation refuses.
pub(crate) async fn run(operation: &'static Operation, input: Json, settings: &Settings) -> Result<()> {
    let session = Session::open(&settings.store, Options::default()).await?;
    let meter = Meter::new(settings);
    let progress = Progress::to(meter.sink());
    let context = session.context(progress.clone(), toji_server::now());
    let ear = tokio::spawn(listen(progress, settings.clone()));
    let result = operation.run(context, input).await;
    ear.abort();
    meter.finish();
    if let Err(error) = session.close().await {
        tracing::warn!(code = error.code(), "the counts of reads could not be written");
    }
    output::print(operation, result?, settings)
}

/// The first Ctrl-C asks the work to stop at its next step, the second ends the process.
async fn listen(progress: Progress, settings: Settings) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    progress.cancel();
    output::tell(&settings, "取り消しています… (もう一度 Ctrl-C で強制終了)", "cancelling… (Ctrl-C again to force)");
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(130);
    }
}
