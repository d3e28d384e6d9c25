//! Rows of a lot's record: runs, steps, files, deviations.

use super::gather::{Gathered, RunPart};
use crate::culture::elapsed_s;
use crate::run::{spoken, text, zero_ns};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Instant, Record, Text, vocabulary};

/// A run of the lot.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct RunRow {
    /// Run.
    run: String,
    /// Title.
    title: String,
    /// Role in the lot.
    role: Option<String>,
    /// Made by a simulator.
    simulated: bool,
    /// Vessel.
    vessel: Option<String>,
    /// Strain.
    strain: Option<String>,
    /// Protocol.
    protocol: Option<String>,
    /// Zero of its time.
    started: Option<String>,
    /// When it ended, UTC.
    ended: Option<String>,
    /// The same, s since its zero.
    ended_s: Option<f64>,
    /// Its kept analysis.
    analysis: Option<String>,
    /// Does the analysis have no error among its findings?
    valid: Option<bool>,
    /// Is the analysis of the run as it is now?
    current: Option<bool>,
}

pub(super) fn runs(all: &Gathered) -> Vec<RunRow> {
    let row = |part: &RunPart| {
        let valid = |a: &Record| a.fields.get("valid").and_then(Json::as_bool).unwrap_or(false);
        let zero = zero_ns(&part.whole.run.fields);
        let ended = part.ended_s.zip(zero).and_then(|(s, zero)| zero.checked_add((s * 1e9) as i64));
        RunRow {
            run: part.id().to_owned(),
            title: part.title(),
            role: part.role.clone(),
            simulated: part.is_simulated(),
            vessel: part.vessel(),
            strain: part.text("strain").or_else(|| part.text("strain_name")),
            protocol: part.protocol.as_ref().map(|p| p.id.to_string()),
            started: part.text("started"),
            ended: ended.map(|ns| Instant(ns).to_string()),
            ended_s: part.ended_s,
            analysis: part.analysis.as_ref().map(|a| a.id.to_string()),
            valid: part.analysis.as_ref().map(valid),
            current: part.analysis.as_ref().map(|_| part.current),
        }
    };
    all.runs.iter().map(row).collect()
}

/// Something that was done or happened.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct StepRow {
    /// When, UTC.
    pub(super) time: Option<String>,
    /// s since the run's zero.
    pub(super) elapsed_s: Option<f64>,
    /// Run.
    pub(super) run: String,
    /// Vessel.
    vessel: Option<String>,
    /// Kind of the record: event, decision, observation or sample.
    pub(super) kind: String,
    /// Sort of it: `inoculation`, `setpoint`, `addition`, `transfer`, `alarm`, `decision` …
    category: String,
    /// What was done.
    label: Text,
    /// Why: the phase of a protocol, or the operator's words.
    reason: Option<String>,
    /// Number of the phase of the protocol.
    phase: Option<u64>,
    /// What the instrument was told, in its own words.
    told: Option<String>,
    /// What came of it.
    outcome: Option<String>,
    /// Who, as a pseudonym.
    done_by: Option<String>,
    /// Source that told or was told.
    source_name: Option<String>,
    /// Record.
    pub(super) id: String,
}

/// Steps of all runs in order of time: those with a clock, then those that have elapsed time only, then the rest.
pub(super) fn steps(all: &Gathered) -> Vec<StepRow> {
    let mut out: Vec<(Option<i64>, usize, StepRow)> = Vec::new();
    for (order, part) in all.runs.iter().enumerate() {
        let zero = zero_ns(&part.whole.run.fields);
        for kind in ["event", "decision", "observation", "sample"] {
            for record in part.whole.of(kind) {
                let row = step(part, record, zero);
                let at = row.time.as_deref().and_then(|t| Instant::parse(t).ok()).map(|t| t.0);
                out.push((at, order, row));
            }
        }
    }
    out.sort_by(|(a, i, x), (b, j, y)| {
        let later = |s: Option<f64>| s.unwrap_or(f64::INFINITY);
        let clock = (a.is_none(), *a).cmp(&(b.is_none(), *b));
        clock
            .then_with(|| x.elapsed_s.is_none().cmp(&y.elapsed_s.is_none()))
            .then_with(|| i.cmp(j))
            .then_with(|| later(x.elapsed_s).total_cmp(&later(y.elapsed_s)))
            .then_with(|| (x.phase, &x.id).cmp(&(y.phase, &y.id)))
    });
    out.into_iter().map(|(_, _, row)| row).collect()
}

fn step(part: &RunPart, record: &Record, zero: Option<i64>) -> StepRow {
    let fields = &record.fields;
    let fact = |name: &str| fields.get("fields").and_then(|f| f.get(name));
    let words = |name: &str| fact(name).and_then(Json::as_str).map(str::to_owned);
    let elapsed = elapsed_s(record, zero);
    // A run that keeps elapsed time only has no clock to derive from.
    let derived = || zero.zip(elapsed).and_then(|(zero, s)| zero.checked_add((s * 1e9) as i64)).map(|ns| Instant(ns).to_string());
    StepRow {
        time: text(fields, "time").or_else(derived),
        elapsed_s: elapsed,
        run: part.id().to_owned(),
        vessel: part.vessel(),
        kind: record.kind.clone(),
        category: sort(record),
        label: label(record),
        reason: text(fields, "reason").or_else(|| text(fields, "why")).or_else(|| text(fields, "note")),
        phase: fact("phase").and_then(Json::as_u64),
        told: words("told"),
        outcome: words("outcome").or_else(|| text(fields, "outcome")),
        done_by: text(fields, "author").or_else(|| text(fields, "observer")),
        source_name: words("source"),
        id: record.id.to_string(),
    }
}

fn sort(record: &Record) -> String {
    let named = match record.kind.as_str() {
        "event" => text(&record.fields, "sort"),
        "observation" => text(&record.fields, "attribute"),
        _ => None,
    };
    named.unwrap_or_else(|| record.kind.clone())
}

/// What a step is called, in both languages.
pub(super) fn label(record: &Record) -> Text {
    let fields = &record.fields;
    let value = || Some(fields.get("value")?.get("text")?.as_str()?.to_owned());
    let (sort, words) = match record.kind.as_str() {
        "decision" => (Text::new("判断", "Decision"), text(fields, "done")),
        "observation" => {
            let term = text(fields, "term").as_deref().and_then(vocabulary::find).map(|(_, t)| t.label.clone());
            let sort = spoken(&sort(record));
            if let Some(term) = term {
                return Text::new(format!("{}: {}", sort.ja, term.ja), format!("{}: {}", sort.en, term.en));
            }
            (sort, value())
        }
        "sample" => (spoken("sample"), text(fields, "key")),
        _ => (spoken(&sort(record)), text(fields, "label")),
    };
    match words.filter(|w| !w.trim().is_empty()) {
        Some(words) => Text::new(format!("{}: {words}", sort.ja), format!("{}: {words}", sort.en)),
        None => sort,
    }
}

/// A file that something of the record came from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct FileRow {
    /// Record.
    id: String,
    /// Name.
    name: String,
    /// SHA-256 of the file as it came.
    sha256: String,
    /// Size.
    bytes: u64,
    /// Format it was read by.
    format: Option<String>,
    /// Runs it tells of.
    runs: Vec<String>,
}

pub(super) fn files(all: &Gathered) -> Vec<FileRow> {
    let mut found: BTreeMap<String, FileRow> = BTreeMap::new();
    let mut add = |file: &Record, run: Option<&str>| {
        let fields = &file.fields;
        let row = found.entry(file.id.to_string()).or_insert_with(|| FileRow {
            id: file.id.to_string(),
            name: text(fields, "name").unwrap_or_default(),
            sha256: text(fields, "blob").map(|b| b.trim_start_matches("sha256:").to_owned()).unwrap_or_default(),
            bytes: fields.get("bytes").and_then(Json::as_u64).unwrap_or_default(),
            format: text(fields, "format"),
            runs: Vec::new(),
        });
        row.runs.extend(run.map(str::to_owned));
    };
    for part in &all.runs {
        part.whole.of("file").iter().for_each(|file| add(file, Some(part.id())));
    }
    all.files.iter().for_each(|file| add(file, None));
    found.into_values().collect()
}

/// Is a deviation settled?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DeviationState {
    /// Not yet.
    Open,
    /// With cause, action and reason.
    Closed,
}

/// A deviation.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct DeviationRow {
    /// Record.
    pub(super) id: String,
    /// Run.
    run: Option<String>,
    /// What happened.
    pub(super) what: String,
    /// `minor`, `major` or `critical`.
    class: String,
    /// Is it settled?
    state: DeviationState,
    /// Found when.
    found_at: Option<String>,
    /// Found by.
    found_by: Option<String>,
    /// Cause.
    cause: Option<String>,
    /// Action.
    action: Option<String>,
    /// Closed when.
    closed_at: Option<String>,
    /// Closed by.
    closed_by: Option<String>,
    /// Why it may be closed.
    reason: Option<String>,
    /// Taken out of use; an open one still stands against the release.
    retired: bool,
}

impl DeviationRow {
    pub(super) fn is_open(&self) -> bool {
        self.state == DeviationState::Open
    }
}

pub(super) fn deviations(all: &Gathered) -> Vec<DeviationRow> {
    let row = |record: &Record| {
        let of = |name: &str| text(&record.fields, name);
        DeviationRow {
            id: record.id.to_string(),
            run: of("run"),
            what: of("what").unwrap_or_default(),
            class: of("class").unwrap_or_default(),
            state: if of("state").as_deref() == Some("closed") { DeviationState::Closed } else { DeviationState::Open },
            found_at: of("found_at"),
            found_by: of("found_by"),
            cause: of("cause"),
            action: of("action"),
            closed_at: of("closed_at"),
            closed_by: of("closed_by"),
            reason: of("reason"),
            retired: record.retired,
        }
    };
    all.deviations.iter().map(row).collect()
}
