//! All sources of a configuration into one sink, until stopped.

use crate::config::Config;
use crate::heard::Heard;
use crate::pipe::{Bounds, Intake, pipe};
use crate::tally::{Counts, Tally};
use crate::{mqtt, opcua, sila, sparkplug};
use serde::Serialize;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use toji_core::live::Sink;
use toji_core::{Diagnostic, Error, Result};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Sources that run, with their figures.
#[derive(Clone, Default)]
pub struct Collector {
    tallies: Arc<BTreeMap<String, Arc<Tally>>>,
}

/// The figures of one source, and what was found.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Report {
    /// Name of the source.
    pub source: String,
    /// Figures since the start.
    pub counts: Counts,
    /// Findings.
    pub findings: Vec<Finding>,
}

/// A finding and how often it came.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Finding {
    /// What.
    pub finding: Diagnostic,
    /// How often.
    pub times: u64,
}

impl Collector {
    /// Counters for the sources of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self { tallies: Arc::new(config.sources().map(|name| (name.to_owned(), Arc::default())).collect()) }
    }

    /// The figures of every source, now.
    #[must_use]
    pub fn report(&self) -> Vec<Report> {
        let finding = |(finding, times)| Finding { finding, times };
        let report = |(name, tally): (&String, &Arc<Tally>)| Report {
            source: name.clone(),
            counts: tally.counts(),
            findings: tally.findings().into_iter().map(finding).collect(),
        };
        self.tallies.iter().map(report).collect()
    }

    /// The figures of all sources together.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.tallies.values().for_each(|tally| total.add(&tally.counts()));
        total
    }

    fn tally(&self, name: &str) -> Arc<Tally> {
        self.tallies.get(name).cloned().unwrap_or_default()
    }
}

/// Runs every source until `stop`; then appends what has been read. Beside the configuration file `beside`, batches
/// the sink refuses for what they say are kept (`….refused.jsonl`), and when each run was last heard
/// (`….heard.json`), so that the next life can mark what this one missed.
///
/// # Errors
/// A source whose configuration cannot work (a password file, a node that does not exist), or batches that
/// are refused and cannot be kept. Far ends that are away are no errors: they are tried again.
pub async fn collect(
    config: Config,
    collector: &Collector,
    sink: &dyn Sink,
    beside: Option<PathBuf>,
    stop: &CancellationToken,
) -> Result<()> {
    let mut heard = Heard::open(beside.as_ref().map(|path| path.with_extension("heard.json"))).await?;
    let linger = Duration::from_millis(config.linger_ms.unwrap_or(200).min(60_000));
    let (intake, outlet) = pipe(Bounds { linger, ..Bounds::default() });
    // A source that fails ends all: a plant half recorded must not look like one that is recorded.
    let sources_stop = stop.child_token();
    let mut sources = start(config, collector, &intake, &sources_stop);
    drop(intake);
    let watch = async {
        let mut outcome = Ok(());
        while let Some(ended) = sources.join_next().await {
            let result = ended.unwrap_or_else(|error| Err(Error::bug("B-LINK-003", error)));
            if outcome.is_ok() && result.is_err() {
                outcome = result;
            }
            if outcome.is_err() {
                sources_stop.cancel();
            }
        }
        outcome
    };
    let drain = async {
        let refused = beside.map(|path| path.with_extension("refused.jsonl"));
        let drained = outlet.drain(sink, refused, &mut heard, stop).await;
        sources_stop.cancel();
        drained
    };
    let (sources, drained) = tokio::join!(watch, drain);
    sources.and(drained)
}

fn start(config: Config, collector: &Collector, intake: &Intake, stop: &CancellationToken) -> JoinSet<Result<()>> {
    let mut sources = JoinSet::new();
    let mut spawn = |name: &str, run: &dyn Fn(Intake, Arc<Tally>, CancellationToken) -> Running| {
        sources.spawn(run(intake.clone(), collector.tally(name), stop.clone()));
    };
    for source in config.mqtt {
        spawn(&source.name, &|i, t, s| Box::pin(mqtt::run(source.clone(), i, t, s)));
    }
    for source in config.sparkplug {
        spawn(&source.name, &|i, t, s| Box::pin(sparkplug::run(source.clone(), i, t, s)));
    }
    for source in config.opcua {
        spawn(&source.name, &|i, t, s| Box::pin(opcua::run(source.clone(), i, t, s)));
    }
    for source in config.sila {
        spawn(&source.name, &|i, t, s| Box::pin(sila::run(source.clone(), i, t, s)));
    }
    sources
}

type Running = std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send>>;
