//! From what a file says to what is stored: records with identities that the same file always gets again.

use serde_json::{Value as Json, json};
use std::collections::HashMap;
use toji_core::culture::{Assay, Channel, Event, Observation, Reading, Run, Sample, Sampling, When, ZeroTime};
use toji_core::record::FieldMap;
use toji_core::{ClockTime, Digest, Error, Id, Result};
use toji_store::{Base, Commit, Put, RunSeries};

/// Where a reading comes from.
pub(crate) struct FileFacts {
    /// Organisation of whoever brings it.
    pub(crate) maker: Option<String>,
    pub(crate) name: String,
    pub(crate) address: Digest,
    pub(crate) bytes: u64,
    pub(crate) parser_version: u32,
    pub(crate) imported_at: String,
    pub(crate) mapping: Option<String>,
}

/// Numbers of one reading.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub(crate) struct Counts {
    /// Channels.
    pub(crate) channels: u64,
    /// Points of all channels.
    pub(crate) points: u64,
    /// Samples.
    pub(crate) samples: u64,
    /// Results of samples.
    pub(crate) assays: u64,
    /// Events.
    pub(crate) events: u64,
    /// Observations.
    pub(crate) observations: u64,
}

impl Counts {
    pub(crate) fn of(reading: &Reading) -> Self {
        let runs = || reading.runs.iter();
        Self {
            channels: runs().map(|r| r.channels.len() as u64).sum(),
            points: runs().flat_map(|r| &r.channels).map(|c| c.points.len() as u64).sum(),
            samples: reading.samples.len() as u64,
            assays: reading.samples.iter().map(|s| s.assays.len() as u64).sum(),
            events: runs().map(|r| r.events.len() as u64).sum(),
            observations: runs().map(|r| r.observations.len() as u64).sum(),
        }
    }
    pub(crate) fn add(&mut self, other: &Self) {
        self.channels += other.channels;
        self.points += other.points;
        self.samples += other.samples;
        self.assays += other.assays;
        self.events += other.events;
        self.observations += other.observations;
    }
}

/// A run of a reading under its identifier.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub(crate) struct RunRef {
    /// Identifier.
    pub(crate) id: String,
    /// Title.
    pub(crate) title: String,
}

/// An identity made from what a thing is, within the organisation of whoever brings it: two members of a commons may
/// bring the same file, and neither learns from the other's that it did.
pub(crate) fn own_id(maker: Option<&str>, prefix: &str, parts: &[&str]) -> Id {
    match maker {
        None => Id::derive(prefix, parts),
        Some(maker) => Id::derive(prefix, &[&[maker], parts].concat()),
    }
}
pub(crate) fn file_id(maker: Option<&str>, address: Digest) -> Id {
    own_id(maker, "file", &[&address.to_string()])
}
pub(crate) fn run_id(maker: Option<&str>, format: &str, run: &Run) -> Id {
    own_id(maker, "run", &[format, &run.key])
}

/// Sets a field when there is something to set.
fn set(fields: &mut FieldMap, name: &str, value: impl Into<Json>) {
    let value = value.into();
    let empty = match &value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::Array(parts) => parts.is_empty(),
        _ => false,
    };
    if !empty {
        fields.insert(name.to_owned(), value);
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Json> {
    serde_json::to_value(value).map_err(|e| Error::bug("E-RUN-001", e))
}

/// Time fields of a thing. With a clock: the instant; with a run's zero also the elapsed seconds.
fn set_when(fields: &mut FieldMap, when: &When, zero: Option<&ClockTime>) {
    match when {
        When::At(at) => {
            set(fields, "time", at.instant.to_string());
            if let Some(zero) = zero {
                set(fields, "elapsed_s", (at.instant.0 - zero.instant.0) as f64 / 1e9);
            }
        }
        When::Elapsed(ns) => {
            set(fields, "elapsed_s", *ns as f64 / 1e9);
            if let Some(at) = zero.and_then(|z| z.instant.plus_ns(*ns)) {
                set(fields, "time", at.to_string());
            }
        }
        When::Unknown => {}
    }
}

fn when_key(when: &When) -> String {
    match when {
        When::At(at) => at.instant.to_string(),
        When::Elapsed(ns) => ns.to_string(),
        When::Unknown => String::new(),
    }
}

/// Counts equal identities inside one file, so that two equal rows stay two things.
#[derive(Default)]
struct Repeats {
    maker: Option<String>,
    seen: HashMap<String, u32>,
}

impl Repeats {
    fn id(&mut self, prefix: &str, parts: &[&str]) -> Id {
        let maker = self.maker.as_deref();
        let n = self.seen.entry(parts.join("\u{1f}")).or_default();
        *n += 1;
        if *n == 1 {
            return own_id(maker, prefix, parts);
        }
        let n = n.to_string();
        own_id(maker, prefix, &[parts, &[n.as_str()]].concat())
    }
}

/// Everything of a reading as one commit. `present` holds the run records that are stored already.
pub(crate) fn commit(reading: Reading, facts: &FileFacts, present: &HashMap<String, FieldMap>) -> Result<(Commit, Vec<RunRef>)> {
    let maker = facts.maker.as_deref();
    let file = file_id(maker, facts.address);
    let format = reading.format.clone();
    let mut commit = Commit {
        operation: "run import".into(),
        blobs: vec![(facts.address, facts.bytes, facts.name.clone())],
        puts: vec![Put::new("file", file.clone(), file_fields(&reading, facts)?)],
        ..Commit::default()
    };
    let mut refs = Vec::new();
    let mut zeros: HashMap<String, (Id, Option<ClockTime>)> = HashMap::new();
    let mut repeats = Repeats { maker: facts.maker.clone(), ..Repeats::default() };
    for run in reading.runs {
        let id = run_id(maker, &format, &run);
        zeros.insert(run.key.clone(), (id.clone(), run.zero.clone()));
        let fields = run_fields(&run, &format, &file, present.get(id.as_str()))?;
        let title = fields.get("title").and_then(Json::as_str).unwrap_or_default().to_owned();
        refs.push(RunRef { id: id.to_string(), title });
        commit.puts.push(Put::new("run", id.clone(), fields));
        for event in &run.events {
            commit.puts.push(event_put(event, &id, run.zero.as_ref(), &file, &mut repeats)?);
        }
        for observation in &run.observations {
            commit.puts.push(observation_put(observation, &id, run.zero.as_ref(), &file, &mut repeats)?);
        }
        let base = if run.zero.is_some() { Base::Utc } else { Base::Elapsed };
        let mut series = RunSeries { run: id.clone(), base, channels: Vec::new() };
        for channel in run.channels {
            let channel_id = Id::derive("ch", &[id.as_str(), &channel.key]);
            commit.puts.push(Put::new("channel", channel_id.clone(), channel_fields(&channel, &id, base)?));
            series.channels.push((channel_id, channel.points));
        }
        commit.series.push(series);
    }
    for sample in &reading.samples {
        add_sample(&mut commit, sample, &format, &zeros, &file, &mut repeats)?;
    }
    Ok((commit, refs))
}

fn file_fields(reading: &Reading, facts: &FileFacts) -> Result<FieldMap> {
    let mut fields = FieldMap::new();
    set(&mut fields, "name", facts.name.as_str());
    set(&mut fields, "blob", facts.address.to_string());
    set(&mut fields, "bytes", facts.bytes);
    set(&mut fields, "format", reading.format.as_str());
    set(&mut fields, "format_version", reading.format_version.as_deref());
    set(&mut fields, "parser_version", facts.parser_version);
    set(&mut fields, "encoding", reading.encoding.as_deref());
    if let Some(instrument) = &reading.instrument {
        set(&mut fields, "instrument", to_json(instrument)?);
    }
    set(&mut fields, "not_read", to_json(&reading.not_read)?);
    set(&mut fields, "warnings", to_json(&reading.diagnostics)?);
    set(&mut fields, "counts", to_json(&Counts::of(reading))?);
    set(&mut fields, "imported_at", facts.imported_at.as_str());
    set(&mut fields, "mapping", facts.mapping.as_deref());
    Ok(fields)
}

/// What a person may have set on a run; an import never takes it back.
const OF_PEOPLE: [&str; 14] = [
    "title",
    "area",
    "strain",
    "vessel",
    "protocol",
    "parent",
    "medium",
    "inoculum",
    "scale_l",
    "notes",
    "experiment",
    "condition",
    "position",
    "learner",
];

fn run_fields(run: &Run, format: &str, file: &Id, present: Option<&FieldMap>) -> Result<FieldMap> {
    let mut fields = FieldMap::new();
    set(&mut fields, "title", run.title.as_str());
    set(&mut fields, "key", run.key.as_str());
    set(&mut fields, "vessel_name", run.vessel.as_deref());
    set(&mut fields, "strain_name", run.strain.as_deref());
    set(&mut fields, "format", format);
    set(&mut fields, "file", file.as_str());
    set(&mut fields, "simulated", run.simulated);
    set(&mut fields, "fields", to_json(&run.fields)?);
    for known in ["medium", "inoculum", "notes"] {
        set(&mut fields, known, run.fields.get(known).and_then(Json::as_str));
    }
    set(&mut fields, "scale_l", run.fields.get("scale_l").and_then(Json::as_f64));
    match &run.zero {
        Some(zero) => {
            set(&mut fields, "started", zero.instant.to_string());
            set(&mut fields, "zone", zero.zone.as_str());
            set(&mut fields, "zone_evidence", to_json(&zero.evidence)?);
            let is = match run.zero_is {
                ZeroTime::Inoculation => "inoculation",
                ZeroTime::StartOfFile => "start-of-file",
                ZeroTime::FirstPoint => "first-point",
            };
            set(&mut fields, "zero_is", is);
        }
        None => {
            set(&mut fields, "zone_evidence", "none");
            set(&mut fields, "zero_is", "elapsed-only");
        }
    }
    if let Some(present) = present {
        for name in OF_PEOPLE {
            if let Some(value) = present.get(name) {
                fields.insert(name.to_owned(), value.clone());
            }
        }
        // The first file of an incremental series stays the run's file, so that a repeated import changes nothing.
        for name in ["file", "started", "zone", "zone_evidence", "zero_is"] {
            if let Some(value) = present.get(name) {
                fields.insert(name.to_owned(), value.clone());
            }
        }
        if let (Some(Json::Object(old)), Some(Json::Object(new))) = (present.get("fields"), fields.get_mut("fields")) {
            for (name, value) in old {
                new.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    Ok(fields)
}

fn channel_fields(channel: &Channel, run: &Id, base: Base) -> Result<FieldMap> {
    let mut fields = FieldMap::new();
    set(&mut fields, "run", run.as_str());
    set(&mut fields, "key", channel.key.as_str());
    set(&mut fields, "variable", channel.variable.as_deref());
    set(&mut fields, "unit", channel.unit.as_ref().map(|u| u.code().to_owned()));
    set(&mut fields, "raw_unit", channel.raw_unit.as_deref());
    set(&mut fields, "origin", to_json(&channel.origin)?);
    let (sampling, deadband) = match channel.sampling {
        Sampling::Periodic => ("periodic", None),
        Sampling::OnChange { deadband } => ("on-change", deadband),
        Sampling::Irregular => ("irregular", None),
    };
    set(&mut fields, "sampling", sampling);
    set(&mut fields, "deadband", deadband);
    set(&mut fields, "method", channel.method.as_deref());
    set(&mut fields, "base", to_json(&base)?);
    set(&mut fields, "fields", to_json(&channel.fields)?);
    Ok(fields)
}

fn event_put(event: &Event, run: &Id, zero: Option<&ClockTime>, file: &Id, repeats: &mut Repeats) -> Result<Put> {
    let mut fields = FieldMap::new();
    set(&mut fields, "run", run.as_str());
    set(&mut fields, "sort", event.sort.as_str());
    set(&mut fields, "label", if event.label.is_empty() { event.sort.as_str() } else { event.label.as_str() });
    set(&mut fields, "reason", event.reason.as_deref());
    set(&mut fields, "fields", to_json(&event.fields)?);
    set(&mut fields, "file", file.as_str());
    set_when(&mut fields, &event.when, zero);
    let id = repeats.id("evt", &[run.as_str(), &event.sort, &event.label, &when_key(&event.when)]);
    Ok(Put::new("event", id, fields))
}

fn observation_put(seen: &Observation, run: &Id, zero: Option<&ClockTime>, file: &Id, repeats: &mut Repeats) -> Result<Put> {
    let mut fields = FieldMap::new();
    set(&mut fields, "run", run.as_str());
    set(&mut fields, "attribute", seen.attribute.as_str());
    set(&mut fields, "value", to_json(&seen.value)?);
    set(&mut fields, "observer", seen.observer.as_deref());
    set(&mut fields, "note", seen.note.as_deref());
    set(&mut fields, "file", file.as_str());
    set_when(&mut fields, &seen.when, zero);
    let id = repeats.id("obs", &[run.as_str(), &seen.attribute, &seen.value.text, &when_key(&seen.when)]);
    Ok(Put::new("observation", id, fields))
}

fn add_sample(
    commit: &mut Commit,
    sample: &Sample,
    format: &str,
    zeros: &HashMap<String, (Id, Option<ClockTime>)>,
    file: &Id,
    repeats: &mut Repeats,
) -> Result<()> {
    let linked = sample.run.as_ref().and_then(|key| zeros.get(key));
    let run = linked.map(|(id, _)| id.to_string());
    let zero = linked.and_then(|(_, zero)| zero.as_ref());
    let mut fields = FieldMap::new();
    set(&mut fields, "run", run.as_deref());
    set(&mut fields, "key", sample.key.as_str());
    if sample.key.is_empty() {
        set(&mut fields, "key", "?");
    }
    set_when(&mut fields, &sample.when, zero);
    if let When::At(at) = &sample.when {
        set(&mut fields, "time_raw", at.raw.as_str());
        set(&mut fields, "zone_evidence", to_json(&at.evidence)?);
    }
    set(&mut fields, "fields", to_json(&sample.fields)?);
    set(&mut fields, "file", file.as_str());
    let id = repeats.id("smp", &[format, run.as_deref().unwrap_or_default(), &sample.key, &when_key(&sample.when)]);
    commit.puts.push(Put::new("sample", id.clone(), fields));
    for assay in &sample.assays {
        commit.puts.push(assay_put(assay, &id, run.as_deref(), zero, file, repeats)?);
    }
    Ok(())
}

fn assay_put(
    assay: &Assay,
    sample: &Id,
    run: Option<&str>,
    zero: Option<&ClockTime>,
    file: &Id,
    repeats: &mut Repeats,
) -> Result<Put> {
    let mut fields = FieldMap::new();
    set(&mut fields, "sample", sample.as_str());
    set(&mut fields, "run", run);
    set(&mut fields, "analyte", if assay.analyte.is_empty() { "?" } else { assay.analyte.as_str() });
    set(&mut fields, "variable", assay.variable.as_deref());
    set(&mut fields, "value", to_json(&assay.value)?);
    set(&mut fields, "method", assay.method.as_deref());
    set(&mut fields, "flags", json!(assay.flags));
    set(&mut fields, "fields", to_json(&assay.fields)?);
    set(&mut fields, "place", to_json(&assay.place)?);
    set(&mut fields, "file", file.as_str());
    set_when(&mut fields, &assay.when, zero);
    let id = repeats
        .id("asy", &[sample.as_str(), &assay.analyte, assay.method.as_deref().unwrap_or_default(), &when_key(&assay.when)]);
    Ok(Put::new("assay", id, fields))
}
