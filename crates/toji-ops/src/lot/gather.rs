//! Everything a lot's record is made of, as it is stored, and what identifies its content.

use super::OF_DECISION;
use crate::culture::{analysis_id, analysis_sources, ended_s, series_digest};
use crate::dataset::{Whole, canonical_number, canonical_units};
use crate::operation::Context;
use crate::run::{channel_label, text};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Category, Digest, Error, Place, Record, Result, Text};
use toji_store::Series;

/// What was measured continuously, in the usual unit of its variable, so that devices of all makers read the same.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct SeriesRow {
    /// Run.
    run: String,
    /// Variable.
    variable: Option<String>,
    /// Label.
    label: Text,
    /// Name in the source.
    key: String,
    /// Sensor, set-point, actuator, calculated or unknown.
    origin: String,
    /// Unit of the numbers here, UCUM.
    unit: Option<String>,
    /// Unit in the store, where it is another.
    stored_unit: Option<String>,
    /// Points.
    points: u64,
    /// Points that are not good.
    flagged: u64,
    /// Smallest number.
    min: Option<f64>,
    /// Largest number.
    max: Option<f64>,
    /// First point, s since the run's zero.
    first_s: Option<f64>,
    /// Last point.
    last_s: Option<f64>,
    /// SHA-256 over times, numbers and flags.
    sha256: String,
}

/// A run of a lot.
#[derive(Debug)]
pub(super) struct RunPart {
    /// Its role in the lot.
    pub(super) role: Option<String>,
    /// The run with what belongs to it; its points have been read and let go.
    pub(super) whole: Whole,
    /// What was measured continuously.
    pub(super) series: Vec<SeriesRow>,
    /// Its protocol.
    pub(super) protocol: Option<Record>,
    /// Its kept analysis.
    pub(super) analysis: Option<Record>,
    /// Is the analysis of what is stored now, and its verdict the present one?
    pub(super) current: bool,
    /// When it ended, s since its zero.
    pub(super) ended_s: Option<f64>,
}

impl RunPart {
    /// Identifier.
    pub(super) fn id(&self) -> &str {
        self.whole.run.id.as_str()
    }
    /// A text of the run's record.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        text(&self.whole.run.fields, name)
    }
    /// Title.
    pub(super) fn title(&self) -> String {
        self.text("title").unwrap_or_else(|| self.id().to_owned())
    }
    /// Was it made by a simulator?
    pub(super) fn is_simulated(&self) -> bool {
        self.whole.run.fields.get("simulated").and_then(Json::as_bool).unwrap_or(false)
    }
    /// A record that the run refers to by a field of the kind's name.
    pub(super) fn referred(&self, kind: &str) -> Option<&Record> {
        let id = self.text(kind)?;
        self.whole.of(kind).iter().find(|r| r.id.as_str() == id)
    }
    /// Vessel, for people.
    pub(super) fn vessel(&self) -> Option<String> {
        let record = self.referred("vessel").and_then(|v| text(&v.fields, "name"));
        record.or_else(|| self.text("vessel_name")).or_else(|| self.text("vessel"))
    }
}

/// A material lot with its material.
#[derive(Debug)]
pub(super) struct MaterialPart {
    /// The material lot.
    pub(super) lot: Record,
    /// The material.
    pub(super) material: Option<Record>,
}

/// A lot with everything its record is made of.
#[derive(Debug)]
pub(super) struct Gathered {
    /// The lot.
    pub(super) lot: Record,
    /// Its runs, in their order.
    pub(super) runs: Vec<RunPart>,
    /// Material lots: those the lot names, in their order, then those that events name.
    pub(super) materials: Vec<MaterialPart>,
    /// Deviations, in order of identifiers; those taken out of use too.
    pub(super) deviations: Vec<Record>,
    /// Certificates and other files that no run names.
    pub(super) files: Vec<Record>,
    /// What is named and not there, or not to be seen: kind and identifier.
    pub(super) missing: Vec<(&'static str, String)>,
    /// SHA-256 of the content, by `kind/identifier`; of points by `series/channel`.
    pub(super) content: BTreeMap<String, String>,
}

impl Gathered {
    /// One hash for all of it.
    pub(super) fn sha256(&self) -> Result<String> {
        Ok(Digest::of(toji_core::canonical::to_canonical(&self.content)?.as_bytes()).hex())
    }
    fn note(&mut self, record: &Record) -> Result<()> {
        self.content.insert(format!("{}/{}", record.kind, record.id), digest(&record.fields, record.retired)?);
        Ok(())
    }
    async fn take(&mut self, context: &Context, kind: &'static str, id: &str) -> Result<Option<Record>> {
        match context.session.store.record(&context.access, kind, id, None).await {
            Ok(record) => {
                self.note(&record)?;
                Ok(Some(record))
            }
            Err(error) if matches!(error.category(), Category::NotFound | Category::Denied) => {
                self.missing.push((kind, id.to_owned()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Identifiers in a field of many references.
pub(super) fn list(fields: &FieldMap, name: &str) -> Vec<String> {
    let ids = fields.get(name).and_then(Json::as_array);
    let mut out: Vec<String> = Vec::new();
    for id in ids.into_iter().flatten().filter_map(Json::as_str) {
        if !out.iter().any(|known| known == id) {
            out.push(id.to_owned());
        }
    }
    out
}

fn digest(fields: &FieldMap, retired: bool) -> Result<String> {
    let content = toji_core::canonical::to_canonical(&json!({ "fields": fields, "retired": retired }))?;
    Ok(Digest::of(content.as_bytes()).hex())
}

/// What was read of a run, on a thread of its own.
struct Read {
    /// The run without its points.
    kept: Whole,
    /// Its channels.
    rows: Vec<SeriesRow>,
    /// What its analysis takes.
    sources: Json,
    /// Does it pass the rules of readiness now?
    valid: bool,
}

/// Reads a lot and all it is made of through the gate.
pub(super) async fn gather(context: &Context, id: &str) -> Result<Gathered> {
    let store = &context.session.store;
    let found = store.record(&context.access, "lot", id, None).await;
    let lot = found.map_err(|e| {
        e.at(Place::field("lot")).hint("`toji record list lot` で一覧できます", "list them with `toji record list lot`")
    })?;
    let mut facts = lot.fields.clone();
    facts.retain(|name, _| !OF_DECISION.contains(&name.as_str()));
    let own = (format!("lot/{}", lot.id), digest(&facts, lot.retired)?);
    let mut all = Gathered {
        runs: Vec::new(),
        materials: Vec::new(),
        deviations: Vec::new(),
        files: Vec::new(),
        missing: Vec::new(),
        content: BTreeMap::from([own]),
        lot,
    };
    let (runs, roles) = (list(&all.lot.fields, "runs"), all.lot.fields.get("roles").cloned().unwrap_or(Json::Null));
    let total = runs.len() as u64;
    for (done, run) in runs.into_iter().enumerate() {
        context.progress.step(done as u64, Some(total), "培養を読んでいます", "reading the runs")?;
        let role = roles.get(&run).and_then(Json::as_str).map(str::to_owned);
        gather_run(context, &mut all, &run, role).await?;
    }
    for (kind, field) in [("product", "product"), ("strain", "strain")] {
        if let Some(id) = text(&all.lot.fields, field) {
            all.take(context, kind, &id).await?;
        }
    }
    gather_materials(context, &mut all).await?;
    // An open deviation does not end by being taken out of use.
    let id = all.lot.id.to_string();
    for deviation in store.records(&context.access, "deviation", None, true).await? {
        if text(&deviation.fields, "lot").as_deref() == Some(id.as_str()) {
            all.note(&deviation)?;
            all.deviations.push(deviation);
        }
    }
    Ok(all)
}

async fn gather_run(context: &Context, all: &mut Gathered, run: &str, role: Option<String>) -> Result<()> {
    let whole = match Whole::load(context, run).await {
        Ok(whole) => whole,
        Err(error) if matches!(error.category(), Category::NotFound | Category::Denied) => {
            all.missing.push(("run", run.to_owned()));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let work = move || -> Result<Read> {
        let sources = analysis_sources(&whole)?;
        let mut rows: Vec<SeriesRow> =
            whole.channels.iter().map(|(channel, series)| row(whole.run.id.as_str(), channel, series)).collect();
        // A channel that was announced and never spoke is part of the record too.
        let silent = whole.of("channel").iter().filter(|c| !whole.channels.iter().any(|(spoke, _)| spoke.id == c.id));
        rows.extend(silent.map(|channel| row(whole.run.id.as_str(), channel, &Series::default())));
        let kept = whole.without_points();
        Ok(Read { kept, rows, sources, valid: whole.judge().1 })
    };
    let Read { kept: whole, rows: series, sources, valid } =
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-LOT-009", e))??;
    for kind in ["run", "channel", "sample", "assay", "event", "observation", "decision", "strain", "vessel", "file"] {
        for record in whole.of(kind) {
            all.note(record)?;
        }
    }
    for one in &series {
        all.content.insert(format!("series/{run}/{}", one.key), one.sha256.clone());
    }
    let store = &context.session.store;
    let analysis = match store.record(&context.access, "analysis", analysis_id(run).as_str(), None).await {
        Ok(record) if !record.retired => Some(record),
        Ok(_) => None,
        Err(error) if matches!(error.category(), Category::NotFound | Category::Denied) => None,
        Err(error) => return Err(error),
    };
    if let Some(analysis) = &analysis {
        all.note(analysis)?;
    }
    let protocol = match text(&whole.run.fields, "protocol") {
        Some(id) => all.take(context, "protocol", &id).await?,
        None => None,
    };
    // What an analysis was made of, and whether the run still passes or fails its rules as it did then.
    let is_current =
        |a: &Record| a.fields.get("inputs") == Some(&sources) && a.fields.get("valid").and_then(Json::as_bool) == Some(valid);
    let current = analysis.as_ref().is_some_and(is_current);
    all.runs.push(RunPart { role, ended_s: ended_s(&whole), whole, series, protocol, analysis, current });
    Ok(())
}

async fn gather_materials(context: &Context, all: &mut Gathered) -> Result<()> {
    let mut wanted = list(&all.lot.fields, "materials");
    let events = all.runs.iter().flat_map(|r| r.whole.of("event"));
    for named in events.filter_map(|e| e.fields.get("fields")?.get("material_lot")?.as_str()) {
        if !wanted.iter().any(|known| known == named) {
            wanted.push(named.to_owned());
        }
    }
    for id in wanted {
        let Some(lot) = all.take(context, "material-lot", &id).await? else { continue };
        let material = match text(&lot.fields, "material") {
            Some(id) => all.take(context, "material", &id).await?,
            None => None,
        };
        if let Some(certificate) = text(&lot.fields, "certificate")
            && let Some(file) = all.take(context, "file", &certificate).await?
        {
            all.files.push(file);
        }
        all.materials.push(MaterialPart { lot, material });
    }
    Ok(())
}

fn row(run: &str, channel: &Record, series: &Series) -> SeriesRow {
    let fields = &channel.fields;
    let stored = text(fields, "unit");
    let converted = canonical_units(fields);
    let numbers = || series.value.iter().copied().filter(|v| v.is_finite());
    let shown = |value: f64| converted.as_ref().map_or(value, |(from, to)| canonical_number(value, from, to));
    let seconds = |t: Option<&i64>| t.map(|t| *t as f64 / 1e9);
    SeriesRow {
        run: run.to_owned(),
        variable: text(fields, "variable"),
        label: channel_label(channel),
        key: text(fields, "key").unwrap_or_default(),
        origin: text(fields, "origin").unwrap_or_else(|| "unknown".into()),
        unit: converted.as_ref().map(|(_, to)| to.code().to_owned()).or_else(|| stored.clone()),
        stored_unit: stored.filter(|_| converted.is_some()),
        points: series.len() as u64,
        flagged: (0..series.len()).filter(|i| !series.is_good(*i)).count() as u64,
        min: numbers().reduce(f64::min).map(shown),
        max: numbers().reduce(f64::max).map(shown),
        first_s: seconds(series.t_ns.first()),
        last_s: seconds(series.t_ns.last()),
        sha256: series_digest(series).hex(),
    }
}
