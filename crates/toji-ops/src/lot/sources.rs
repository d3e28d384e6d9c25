//! What fed a lot: instruments and live sources, with their makers as far as a record names them.

use super::gather::{Gathered, RunPart};
use crate::run::text;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use toji_core::Record;
use toji_core::culture::Instrument;

/// An instrument or a source that fed the lot.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct SourceRow {
    /// Run.
    pub(super) run: String,
    /// `live` or `file`.
    pub(super) category: String,
    /// Name of the live source, or of the file.
    pub(super) source_name: String,
    /// Maker of the instrument.
    pub(super) maker: Option<String>,
    /// Model.
    model: Option<String>,
    /// Serial number.
    serial: Option<String>,
    /// Software with its version.
    software: Option<String>,
    /// Record that names the maker: kind and identifier.
    record: Option<String>,
    /// Channels, or files, that came from it.
    channels: u64,
}

pub(super) fn sources(all: &Gathered) -> Vec<SourceRow> {
    all.runs.iter().flat_map(of_run).collect()
}

fn of_run(part: &RunPart) -> Vec<SourceRow> {
    let live = live_sources(part).into_iter().map(|source| live_row(part, source));
    let files = part.whole.of("file").iter().map(|file| file_row(part, file));
    live.chain(files).collect()
}

/// Names of the live sources of a run.
fn live_sources(part: &RunPart) -> BTreeSet<String> {
    let told = part.whole.of("channel").iter().chain([&part.whole.run]);
    told.filter_map(|r| r.fields.get("fields")?.get("source")?.as_str().map(str::to_owned)).collect()
}

fn live_row(part: &RunPart, source: String) -> SourceRow {
    let is_of =
        |r: &&Record| r.fields.get("fields").and_then(|f| f.get("source")).and_then(Json::as_str) == Some(source.as_str());
    // A live source names no maker: the record of the vessel does.
    let vessel = part.referred("vessel");
    let of = |name: &str| vessel.and_then(|v| text(&v.fields, name));
    SourceRow {
        run: part.id().to_owned(),
        category: "live".into(),
        maker: of("maker"),
        model: of("model"),
        serial: of("serial"),
        software: None,
        record: vessel.map(|v| format!("vessel/{}", v.id)),
        channels: part.whole.of("channel").iter().filter(is_of).count() as u64,
        source_name: source,
    }
}

fn file_row(part: &RunPart, file: &Record) -> SourceRow {
    let said = file.fields.get("instrument").cloned().and_then(|i| serde_json::from_value::<Instrument>(i).ok());
    let said = said.unwrap_or_default();
    let software = said.software.map(|name| match &said.software_version {
        Some(version) => format!("{name} {version}"),
        None => name,
    });
    let channels = file.fields.get("counts").and_then(|c| c.get("channels")).and_then(Json::as_u64);
    SourceRow {
        run: part.id().to_owned(),
        category: "file".into(),
        source_name: text(&file.fields, "name").unwrap_or_else(|| file.id.to_string()),
        record: said.maker.is_some().then(|| format!("file/{}", file.id)),
        maker: said.maker,
        model: said.model,
        serial: said.serial,
        software,
        channels: channels.unwrap_or_default(),
    }
}
