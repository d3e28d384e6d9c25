//! Stores a simulation in one commit: the configuration is the file the runs come from, since with the seed
//! everything else follows from it; the table of what was true lies beside as a blob of its own.

use super::read::{Made, Said};
use crate::operation::Context;
use crate::run::{Counts, FileFacts, RunRef, commit_reading, file_id};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use toji_core::culture::When;
use toji_core::record::FieldMap;
use toji_core::{ClockTime, Error, Id, Instant, Result};
use toji_plant::{Decision, Sensed};
use toji_store::Put;

/// What was stored.
pub(super) struct Kept {
    pub(super) runs: Vec<RunRef>,
    pub(super) points_new: u64,
    pub(super) points: u64,
    pub(super) events: u64,
    pub(super) observations: u64,
    pub(super) decisions: u64,
    pub(super) configuration: Option<String>,
    pub(super) truth: Option<String>,
}

impl Kept {
    /// What there would have been to keep.
    pub(super) fn counted(made: &Made) -> Self {
        let counts = Counts::of(&made.reading);
        Self {
            runs: Vec::new(),
            points_new: 0,
            points: counts.points,
            events: counts.events,
            observations: made.sensed.len() as u64,
            decisions: made.decided.len() as u64,
            configuration: None,
            truth: None,
        }
    }
}

/// Version of what a simulation stores; a change of it adds one.
const VERSION: u32 = 1;

pub(super) async fn keep(context: &Context, mut made: Made) -> Result<Kept> {
    let store = &context.session.store;
    let (size, truth_size) = (made.configuration.len() as u64, made.truth.len() as u64);
    let (configuration, _) = store.keep(std::mem::take(&mut made.configuration)).await?;
    let (truth, _) = store.keep(std::mem::take(&mut made.truth)).await?;
    let faults = serde_json::to_value(&made.faults).map_err(|e| Error::bug("E-SIM-008", e))?;
    for run in &mut made.reading.runs {
        let of_run = |label: &&Json| label["reactor"].as_str() == run.vessel.as_deref();
        let labels: Vec<&Json> = faults.as_array().into_iter().flatten().filter(of_run).collect();
        run.fields.insert("faults".into(), json!(labels));
        run.fields.insert("truth".into(), json!(truth.to_string()));
    }
    let zeros: Vec<Option<ClockTime>> = made.reading.runs.iter().map(|r| r.zero.clone()).collect();
    let counts = Counts::of(&made.reading);
    let maker = context.access.who.organisation.clone();
    let before = store.record(&context.access, "file", file_id(maker.as_deref(), configuration).as_str(), None).await.ok();
    let stamp = before.and_then(|r| r.fields.get("imported_at").and_then(Json::as_str).map(str::to_owned));
    let facts = FileFacts {
        maker: maker.clone(),
        name: format!("{}.simulation.json", made.name),
        address: configuration,
        bytes: size,
        parser_version: VERSION,
        imported_at: stamp.unwrap_or_else(|| context.now.to_string()),
        mapping: None,
    };
    let mut present: HashMap<String, FieldMap> = HashMap::new();
    for run in &made.reading.runs {
        let id = crate::run::run_id(maker.as_deref(), &made.reading.format, run).to_string();
        if let Ok(record) = store.record(&context.access, "run", &id, None).await {
            present.insert(id, record.fields);
        }
    }
    let (mut commit, runs) = commit_reading(made.reading, &facts, &present)?;
    commit.operation = "simulate run".into();
    for (run, tags) in runs.iter().zip(std::mem::take(&mut made.tags)) {
        for put in commit.puts.iter_mut().filter(|p| p.kind == "run" && p.id.as_str() == run.id) {
            for (name, value) in &tags {
                put.fields.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    if let Some((id, fields)) = made.ended.take() {
        commit.puts.push(Put::new("experiment", id, fields));
    }
    commit.blobs.push((truth, truth_size, format!("{}.truth.csv", made.name)));
    let of = |run: usize| runs.get(run).map(|r| r.id.as_str()).ok_or_else(|| Error::bug("E-SIM-009", "a happening without run"));
    let zero = |run: usize| zeros.get(run).and_then(Option::as_ref);
    let known = store.kinds().get("observation")?;
    let file = file_id(maker.as_deref(), configuration);
    for (n, said) in made.sensed.iter().enumerate() {
        let mut put = sensed(said, of(said.run)?, zero(said.run), n, &file)?;
        put.fields.retain(|name, _| known.field(name).is_some());
        commit.puts.push(put);
    }
    let known = store.kinds().get("decision")?;
    for (n, (said, by)) in made.decided.iter().enumerate() {
        let mut put = decided(said, *by, of(said.run)?, zero(said.run), n);
        put.fields.retain(|name, _| known.field(name).is_some());
        commit.puts.push(put);
    }
    let receipt = store.commit(&context.access, context.now, commit).await?;
    Ok(Kept {
        runs,
        points_new: receipt.points_new,
        points: counts.points,
        events: counts.events,
        observations: made.sensed.len() as u64,
        decisions: made.decided.len() as u64,
        configuration: Some(configuration.to_string()),
        truth: Some(truth.to_string()),
    })
}

fn times(fields: &mut FieldMap, when: &ClockTime, zero: Option<&ClockTime>) {
    fields.insert("time".into(), json!(when.instant.to_string()));
    if let Some(zero) = zero {
        fields.insert("elapsed_s".into(), json!((when.instant.0 - zero.instant.0) as f64 / 1e9));
    }
}

/// Fields that this store's kind does not declare (`term`, `level`, `blind` …) are left out by the caller; the
/// same is said in the note and the value.
fn sensed(said: &Said<Sensed>, run: &str, zero: Option<&ClockTime>, n: usize, file: &Id) -> Result<Put> {
    let what = &said.what;
    let observation = what.observation(When::Unknown);
    let mut fields = FieldMap::new();
    fields.insert("run".into(), json!(run));
    fields.insert("attribute".into(), json!(observation.attribute));
    fields.insert("value".into(), serde_json::to_value(&observation.value).map_err(|e| Error::bug("E-SIM-010", e))?);
    fields.insert("observer".into(), json!(observation.observer));
    fields.insert("note".into(), json!(observation.note));
    fields.insert("file".into(), json!(file.as_str()));
    fields.insert("level".into(), json!(f64::from(what.level)));
    if let Some(term) = what.term {
        fields.insert("term".into(), json!(term));
    }
    if let Some(sample) = &what.blind_sample {
        fields.insert("blind".into(), json!(true));
        fields.insert("blind_sample".into(), json!(sample));
    }
    times(&mut fields, &said.when, zero);
    let id = Id::derive("obs", &[run, "simulated", &said.when.instant.to_string(), &n.to_string()]);
    Ok(Put::new("observation", id, fields))
}

fn decided(said: &Said<Decision>, by: Instant, run: &str, zero: Option<&ClockTime>, n: usize) -> Put {
    let what = &said.what;
    let mut fields = FieldMap::new();
    for (name, value) in [
        ("run", json!(run)),
        ("action", json!(format!("do:{}", what.action))),
        ("seen", json!(what.seen)),
        ("done", json!(what.done)),
        ("why", json!(what.why)),
        ("confidence", json!(what.confidence)),
        ("expected", json!(what.expected)),
        ("expected_by", json!(by.to_string())),
        ("author", json!(what.author)),
    ] {
        fields.insert(name.into(), value);
    }
    if let Some(rejected) = &what.rejected {
        fields.insert("rejected".into(), json!(rejected));
    }
    times(&mut fields, &said.when, zero);
    Put::new("decision", Id::derive("dec", &[run, "simulated", &said.when.instant.to_string(), &n.to_string()]), fields)
}
